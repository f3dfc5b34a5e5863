// The three questions of leak_check.h.
#include "runtime/gc/leak_check.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "runtime/gc/collector.h"
#include "runtime/gc/object_refs.h"
#include "runtime/objects/str_object.h"

namespace minivm {

namespace {

constexpr size_t kMaxLines = 40;

bool IsImmortal(const Object* o) { return o->refcount >= kImmortalRefcount / 2; }

// Everything that what it is given leads to.
class Reach final : public Visitor {
 public:
  explicit Reach(RuntimeState& rt) : rt_(rt) {}
  void Seen(Object* o) override {
    if (reached_.insert(o).second) todo_.push_back(o);
  }
  void Drain() {
    while (!todo_.empty()) {
      Object* o = todo_.back();
      todo_.pop_back();
      VisitObject(rt_, o, *this);
    }
  }
  bool Has(Object* o) const { return reached_.count(o) != 0; }

 private:
  RuntimeState& rt_;
  std::unordered_set<Object*> reached_;
  std::vector<Object*> todo_;
};

}  // namespace

void LeakCheck::Line(const char* what, size_t n, const std::string& type, Object* sample) {
  if (static_cast<size_t>(std::count(report_->begin(), report_->end(), '\n')) >= kMaxLines) return;
  char number[64];
  std::snprintf(number, sizeof(number), "%s %zu ", what, n);
  *report_ += number + type;
  if (sample && sample->shape_id == ShapeIdOf(TypeId::kStr)) {
    *report_ += " '" + ToUtf8(static_cast<StrObject*>(sample)).substr(0, 60) + "'";
  }
  *report_ += '\n';
}

void LeakCheck::BeforeDestruction(ThreadState& ts) {
  Collector& collector = rt_.heap.collector();
  collector.Unfreeze();
  collector.Collect(ts, 2);
  Reach reach(rt_);
  rt_.heap.ForEachObject([&](Object* o) {
    if (IsImmortal(o)) reach.Visit(o);
  });
  reach.Drain();
  std::unordered_map<TypeObject*, size_t> index;
  std::map<size_t, size_t> left;
  rt_.heap.ForEachObject([&](Object* o) {
    TypeObject* type = rt_.shapes[o->shape_id].type;
    auto [at, fresh] = index.try_emplace(type, type_names_.size());
    if (fresh) {
      char name[256];
      type_names_.emplace_back(name, TypeDisplayName(type, name, sizeof(name)));
    }
    seen_.push_back({o, at->second, IsImmortal(o)});
    if (Page::Of(o)->container && !reach.Has(o)) ++left[at->second];
  });
  for (auto& [type, n] : left) Line("left over:", n, type_names_[type], nullptr);
}

void LeakCheck::AfterDestruction(uint32_t excess) {
  std::map<std::pair<size_t, int64_t>, std::pair<size_t, Object*>> wrong;
  for (const Seen& s : seen_) {
    uint32_t expected = excess + (s.immortal ? kImmortalRefcount : 0);
    int64_t lost = static_cast<int64_t>(s.object->refcount) - static_cast<int64_t>(expected);
    if (lost == 0 || s.object == rt_.unbound) continue;  // empty slots do not count theirs
    auto& entry = wrong[{s.type, lost}];
    ++entry.first;
    entry.second = s.object;
  }
  for (auto& [key, entry] : wrong) {
    char what[64];
    std::snprintf(what, sizeof(what), "count off by %+lld:", static_cast<long long>(key.second));
    Line(what, entry.first, type_names_[key.first], entry.second);
  }
}

void LeakCheck::Buffers() {
  if (size_t bytes = rt_.heap.BufferBytes()) Line("bytes of buffers:", bytes, "", nullptr);
}

}  // namespace minivm
