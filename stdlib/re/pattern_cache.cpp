// The patterns that the functions of re have compiled lately, by text and flags.
//
// A table of pairs: a text has two places, found by its hash, and a new pattern takes that of the
// pattern that was put in earlier. Only exact str and bytes are kept: comparing them runs no script
// code. The object is called with (pattern, flags), as the functions of re do.
#include <algorithm>

#include "stdlib/re/re_types.h"

namespace minivm {
namespace regex {
namespace {

class PatternCache : public Object {
 public:
  static constexpr uint32_t kPairs = 256;
  struct Entry {
    PatternObject* compiled;  // null: free
    Value text;
    uint32_t flags;  // as given
  };
  Entry* entries = nullptr;  // 2 * kPairs, made when needed
  Value show;                // called with what was compiled with DEBUG
  template <class V>
  void VisitRefs(V&& v) {
    v(show);
    if (!entries) return;
    for (uint32_t i = 0; i < 2 * kPairs; ++i) {
      v(entries[i].compiled);
      v(entries[i].text);
    }
  }
  void FreeBuffers(Heap& heap) {
    if (entries) heap.FreeBuffer(entries, 2 * kPairs * sizeof(Entry));
    entries = nullptr;
  }
};

bool SameText(Value a, Value b) {
  if (a.is(b)) return true;
  if (a.object()->shape_id != b.object()->shape_id) return false;
  if (IsExact(a, TypeId::kStr)) return StrEquals(a.as<StrObject>(), b.as<StrObject>());
  return a.as<BytesObject>()->view() == b.as<BytesObject>()->view();
}

Result<> Make(ThreadState& ts, PatternCache* cache, Value pattern, uint32_t flags) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  if (TypeOf(ts, pattern) == type) {
    if (flags) {
      return Raise(ts, Exc::kValueError, "cannot process flags argument with a compiled pattern");
    }
    return Result<>::Borrow(pattern);
  }
  if (!IsStr(ts, pattern) && !IsBytes(ts, pattern)) {
    MVM_TRY_VOID(Hash(ts, pattern));  // what cannot be hashed says so
  }
  MVM_TRY(Ref<> compiled, CompilePattern(ts, pattern, flags));
  if ((flags & kFlagDebug) && cache->show) {
    const Ref<> show = Ref<>::Borrow(cache->show);
    MVM_TRY_VOID(Call(ts, show, compiled));
  }
  return compiled;
}

Result<> cache_call(ThreadState& ts, Value self, Args raw) {
  PatternCache* cache = self.as<PatternCache>();
  if (raw.n != 2 || raw.nkw != 0) {
    return Raise(ts, Exc::kTypeError, "expected a pattern and flags");
  }
  const Value pattern = raw[0];
  MVM_TRY(int64_t wide_flags, AsInt64(ts, raw[1]));
  const uint32_t flags = static_cast<uint32_t>(wide_flags);
  const bool is_str = IsExact(pattern, TypeId::kStr);
  if (!is_str && !IsExact(pattern, TypeId::kBytes)) return Make(ts, cache, pattern, flags);
  const uint32_t hash = is_str ? StrHash(*ts.rt, pattern.as<StrObject>())
                               : BytesHash(*ts.rt, pattern.as<BytesObject>()->view());
  const uint32_t at = (hash ^ hash >> 16 ^ flags * 37) % PatternCache::kPairs * 2;
  const auto find = [&](uint32_t i) {
    const PatternCache::Entry& e = cache->entries[i];
    return e.compiled && e.flags == flags && SameText(e.text, pattern) ? e.compiled : nullptr;
  };
  if (cache->entries) {
    if (PatternObject* p = find(at)) return Result<>::Borrow(Value(p));
    if (PatternObject* p = find(at + 1)) return Result<>::Borrow(Value(p));
  }
  MVM_TRY(Ref<> compiled, Make(ts, cache, pattern, flags));
  if (flags & kFlagDebug) return compiled;
  if (!cache->entries) {
    MVM_TRY(void* room, AllocBuffer(ts, 2 * PatternCache::kPairs * sizeof(PatternCache::Entry)));
    cache->entries = static_cast<PatternCache::Entry*>(room);
    std::fill_n(cache->entries, 2 * PatternCache::kPairs, PatternCache::Entry{});
  }
  // The older of the two goes.
  PatternCache::Entry& first = cache->entries[at];
  PatternCache::Entry& second = cache->entries[at + 1];
  const PatternCache::Entry old = std::exchange(second, first);
  first = {Ref<PatternObject>::Borrow(compiled.as<PatternObject>()).Release(),
           Ref<>::Borrow(pattern).Release(), flags};
  const Ref<PatternObject> old_compiled = Ref<PatternObject>::Steal(old.compiled);
  const Ref<> old_text = Ref<>::Steal(old.text);
  return compiled;
}

Result<> cache_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  made.as<PatternCache>()->show = Ref<>::Borrow(args[1]).Release();
  return made;
}

Result<> cache_clear(ThreadState& ts, Args args) {
  PatternCache* cache = args.self<PatternCache>();
  PatternCache::Entry* old = std::exchange(cache->entries, nullptr);
  if (!old) return None(ts);
  for (uint32_t i = 0; i < 2 * PatternCache::kPairs; ++i) {
    const Ref<PatternObject> compiled = Ref<PatternObject>::Steal(old[i].compiled);
    const Ref<> text = Ref<>::Steal(old[i].text);
  }
  ts.heap().FreeBuffer(old, 2 * PatternCache::kPairs * sizeof(PatternCache::Entry));
  return None(ts);
}

const MethodSpec kCacheMethods[] = {{"clear(self, /)", cache_clear}};

}  // namespace
}  // namespace regex

const TypeSpec kPatternCacheType = {
    .name = "_sre.PatternCache",
    .size = sizeof(regex::PatternCache),
    .gc = GcHooksOf<regex::PatternCache>(),
    .slots = {.call = regex::cache_call},
    .construct = {"PatternCache(show, /)", regex::cache_new},
    .methods = regex::kCacheMethods,
};

}  // namespace minivm
