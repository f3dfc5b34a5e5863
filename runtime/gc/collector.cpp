// How garbage cycles are found and freed.
//
// Reference counts are exact, so the question is only: which containers are referenced by nothing
// but each other? For the candidates (all tracked containers up to some age) the collector copies
// each count into the scratch bits of the header, subtracts one for every reference from candidate
// to candidate, and is left with the references from outside: registers of running frames, natives'
// handles, older objects. What is reachable from a candidate with outside references lives; the
// rest is garbage. No roots are scanned and no write barrier is needed: whatever is not a candidate
// counts as outside.
//
// Ages. New containers have age 0; a collection of generation g looks at ages 0..g, and its
// survivors become one older, at most 2. Age 3 is frozen: never looked at. Objects have no links; a
// collection walks the pages that may hold its candidates (Page::young, Page::middle; all for a
// full one). In a program that makes many containers young collections come after eight times the
// threshold, unless a script has set it. A full collection asked for by the thresholds waits until
// the objects that have become old since the last one are a quarter of those it left, so that its
// cost stays proportional to allocation.
//
// Garbage is taken apart in this order, because each step may run script code:
//  1. a snapshot holds a reference to every unreachable object, so that none dies early;
//  2. weak references to them are cleared, then callbacks of weak references that live are called;
//  3. finalizers (__del__) run, once per object in its life, in the order in which the objects were
//     made (Collector::TakeTurn);
//  4. if any code has run, the subtraction is repeated over the snapshot: what a finalizer has made
//     reachable again lives on, with all that it refers to;
//  5. types leave the subclass lists of their bases: nothing leads to the rest any more, not even
//     for finalizers of older objects that die with it;
//  6. the rest goes: most of it is emptied where it stands and its memory freed at the end, other
//     objects are cleared and released, types after their instances.
// Deep structures do not recurse: marking uses an explicit stack, and when there is no memory for
// it, marked objects are found again by walking.
#include "runtime/gc/collector.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "runtime/core/signals.h"
#include "runtime/core/thread_state.h"
#include "runtime/gc/finalizer.h"
#include "runtime/gc/gc_debug.h"
#include "runtime/gc/object_refs.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/hidden_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/mapped_memory.h"

namespace minivm {

namespace {

constexpr uint32_t kRefsLimit =
    kGcRefsMask >> kGcRefsShift;  // this count or more: surely reachable

uint32_t RefsOf(const Object* o) { return o->gc >> kGcRefsShift; }
bool IsCandidate(const Object* o) { return o->gc & kGcCollecting; }

void SetRefs(Object* o, uint32_t count) {
  if (count > kRefsLimit) count = kRefsLimit;
  o->gc = (o->gc & ~kGcRefsMask) | count << kGcRefsShift;
}

// A growable stack of objects; Push is false when there is no memory. Not counted against the cap.
// First it is in place, then from malloc, then, when it is large, from the system.
template <class T>
class Stack {
 public:
  ~Stack() {
    if (capacity_ == kMedium) std::free(items_);
    if (capacity_ > kMedium) UnmapMemory(items_, capacity_ * sizeof(T));
  }
  bool Push(T o) {
    if (MVM_UNLIKELY(size_ == capacity_) && !Grow()) return false;
    items_[size_++] = o;
    return true;
  }
  T Pop() { return items_[--size_]; }
  size_t size() const { return size_; }
  T operator[](size_t i) const { return items_[i]; }
  T& operator[](size_t i) { return items_[i]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  void Truncate(size_t n) { size_ = n; }

 private:
  // The medium size is enough for young collections.
  static constexpr size_t kSmall = 256, kMedium = 32768, kLarge = 4 * kMedium;
  bool Grow() {
    const size_t old = capacity_ * sizeof(T);
    const size_t more = capacity_ == kSmall    ? kMedium
                        : capacity_ == kMedium ? kLarge
                                               : capacity_ * 2;
    void* grown = more == kMedium  ? std::malloc(more * sizeof(T))
                  : more == kLarge ? MapMemory(more * sizeof(T))
                                   : RemapMemory(items_, old, more * sizeof(T));
    if (!grown) return false;
    if (more <= kLarge) std::memcpy(grown, items_, old);
    if (more == kLarge) std::free(items_);
    items_ = static_cast<T*>(grown);
    capacity_ = more;
    return true;
  }

  T in_place_[kSmall];
  T* items_ = in_place_;
  size_t size_ = 0, capacity_ = kSmall;
};
using ObjectStack = Stack<Object*>;

// Takes one reference off each candidate it meets.
class Subtract final : public Visitor {
 public:
  Subtract() : Visitor(kGcCollecting, true) {}
  void Seen(Object*) override {}
};

// Marks candidates reachable and remembers to look at what they refer to.
class Mark final : public Visitor {
 public:
  explicit Mark(RuntimeState& rt) : Visitor(kGcCollecting), rt_(rt) {}
  void Seen(Object* child) override {
    if (child->gc & kGcReachable) return;
    child->gc |= kGcReachable;
    if (!stack_.Push(child)) overflow_ = true;
  }
  void Drain() {
    while (stack_.size()) VisitReachable(rt_, stack_.Pop(), *this);
  }
  // Some marked objects were not looked into; true once, the caller visits all marked ones again.
  bool TakeOverflow() { return std::exchange(overflow_, false); }

 private:
  RuntimeState& rt_;
  ObjectStack stack_;
  bool overflow_ = false;
};

// An object that can be in no cycle: its references, if any, lead to nothing tracked.
bool IsAtom(Value v) {
  if (!v.is_object()) return true;
  Object* o = v.object();
  return !Page::Of(o)->container ||
         (o->shape_id == ShapeIdOf(TypeId::kTuple) && !(o->gc & kGcTracked));
}

// Exact tuples whose items are atoms need not be looked at any more: they never change.
void UntrackIfAtomic(Object* o) {
  if (o->shape_id != ShapeIdOf(TypeId::kTuple)) return;
  TupleObject* t = static_cast<TupleObject*>(o);
  for (uint32_t i = 0; i < t->size(); ++i) {
    if (!IsAtom((*t)[i])) return;
  }
  Untrack(o);
}

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

// One collection.
class Collector::Run {
 public:
  Run(Collector& collector, ThreadState& ts, int generation)
      : c_(collector), ts_(ts), rt_(*ts.rt), heap_(ts.rt->heap), generation_(generation) {}

  // Number of unreachable objects; *uncollectable: those put into gc.garbage.
  int64_t Do(int64_t* uncollectable) {
    *uncollectable = 0;
    SelectCandidates();
    if (candidates_ == 0) {
      AfterWalk();
      return 0;
    }
    Subtract subtract;
    ForEachCandidate([&](Object* o) { VisitObject(rt_, o, subtract); });
    MarkReachable();
    bool complete = SeparateGarbage();
    if (turns_.size() != 0) SortTurns();
    AfterWalk();
    if (!complete) {  // no memory for the snapshot: another time
      for (size_t i = 0; i < list_.size(); ++i) Release(list_[i]);
      return 0;
    }
    if (list_.size() == 0) return 0;
    if (last_rites_ && heap_.current_ts) {  // else the VM is being taken apart (leak_check.h)
      ClearWeakReferences();
      RunFinalizers();
    }
    // Where no script code has run nothing can have come back.
    int64_t dead = code_has_run_ ? DropResurrected() : shown_garbage_;
    if (c_.debug & (kGcDebugCollectable | kGcDebugSaveAll)) ReportGarbage();
    if ((c_.debug & kGcDebugSaveAll) && c_.garbage) {
      SaveAll();
      *uncollectable = 0;
    } else {
      if (code_has_run_) ClearLateWeakReferences();
      if (types_) UnlinkTypes();
      DeleteGarbage();
    }
    return dead;
  }

 private:
  // f for every live object of the pages that may hold candidates.
  template <class F>
  void WalkPages(F f) {
    if (generation_ >= 2) return c_.WalkAll(f);
    auto in_page = [&](Page* p) {
      if (!p->large) return Heap::ForEachInPage(p, f);
      Object* o = reinterpret_cast<Object*>(p->slots());
      if (o->refcount != 0) f(o);
    };
    const PageList& young = heap_.young_pages();
    for (size_t i = 0; i < young.count; ++i) in_page(young.items[i]);
    if (generation_ == 0) return;
    const PageList& middle = heap_.middle_pages();
    for (size_t i = 0; i < middle.count; ++i) {
      if (!middle.items[i]->young) in_page(middle.items[i]);
    }
  }
  template <class F>
  void ForEachCandidate(F f) {
    if (listed_) {
      for (size_t i = 0; i < list_.size(); ++i) f(list_[i]);
      return;
    }
    WalkPages([&](Object* o) {
      if (IsCandidate(o)) f(o);
    });
  }

  // Marks the candidates. The few of a young collection are listed as well, memory permitting, so
  // that the later passes need not search their pages again.
  void SelectCandidates() {
    uint32_t oldest = static_cast<uint32_t>(generation_);
    listed_ = generation_ < 2;
    WalkPages([&](Object* o) {
      if (!(o->gc & kGcTracked) || (o->gc & kGcAgeMask) > oldest) return;
      if (MVM_UNLIKELY(RefsOf(o) != 0)) KeepTurn(o);
      const uint32_t refs = o->refcount < kRefsLimit ? o->refcount : kRefsLimit;
      o->gc = (o->gc & ~(kGcRefsMask | kGcReachable)) | kGcCollecting | refs << kGcRefsShift;
      ++candidates_;
      if (listed_ && !list_.Push(o)) listed_ = false;
    });
    if (!listed_) list_.Truncate(0);
  }

  void MarkReachable() {
    Mark mark(rt_);
    ForEachCandidate([&](Object* o) {
      if (RefsOf(o) == 0) return;
      mark.Visit(o);
      mark.Drain();
    });
    while (mark.TakeOverflow()) {
      ForEachCandidate([&](Object* o) {
        if (!(o->gc & kGcReachable)) return;
        VisitReachable(rt_, o, mark);
        mark.Drain();
      });
    }
  }

  // Survivors grow older and are candidates no more; the others make up the snapshot. False: no
  // memory for it.
  bool SeparateGarbage() {
    const uint32_t age = generation_ >= 1 ? 2 : 1;
    if (listed_) {
      size_t n = 0;
      for (size_t i = 0; i < list_.size(); ++i) {
        Object* o = list_[i];
        if (!Survives(o, age)) TakeIntoSnapshot(list_[n++] = o);
      }
      list_.Truncate(n);
      return true;
    }
    bool complete = true;
    WalkPages([&](Object* o) {
      if (!IsCandidate(o) || Survives(o, age)) return;
      if (list_.Push(o)) return TakeIntoSnapshot(o);
      complete = false;
      Grow(o, age);
    });
    if (!complete) {
      for (size_t i = 0; i < list_.size(); ++i) Grow(list_[i], age);
    }
    return complete;
  }

  bool Survives(Object* o, uint32_t age) {
    if (!(o->gc & kGcReachable)) return false;
    Grow(o, age);
    UntrackIfAtomic(o);
    ++survivors_;
    return true;
  }

  void TakeIntoSnapshot(Object* o) {
    Incref(o);
    last_rites_ |= (o->gc & kGcHasWeakrefs) != 0;
    shown_garbage_ += !IsCellOfDict(o);
    if (o->shape_id == last_shape_) return;
    const TypeObject* type = rt_.shapes[last_shape_ = o->shape_id].type;
    last_rites_ |= type->slots.finalize != nullptr;
    types_ |= type->has_flag(kTypeTypeSubclass);
  }

  static void Grow(Object* o, uint32_t age) {
    o->gc = (o->gc & ~(kGcRefsMask | kGcReachable | kGcCollecting | kGcAgeMask)) | age;
  }

  // Without memory for it the object loses its turn.
  [[gnu::noinline]] void KeepTurn(Object* o) { (void)turns_.Push({o, RefsOf(o)}); }

  // Survivors get their turns back; those of the garbage are put in order.
  [[gnu::noinline]] void SortTurns() {
    size_t n = 0;
    for (const Turn& turn : turns_) {
      if (IsCandidate(turn.object)) {
        turns_[n++] = turn;
      } else {
        SetRefs(turn.object, turn.number);
      }
    }
    turns_.Truncate(n);
    std::sort(turns_.begin(), turns_.end(),
              [](const Turn& a, const Turn& b) { return a.number < b.number; });
  }

  // f for the garbage, for that which has turns twice: first in their order.
  template <class F>
  [[gnu::noinline]] void ForEachInTurn(F f) {
    for (const Turn& turn : turns_) f(turn.object);
    for (size_t i = 0; i < list_.size(); ++i) f(list_[i]);
  }

  // Nothing has run since the walk: page flags and counters can be brought up to date.
  void AfterWalk() {
    heap_.AgePages(generation_ > 0);
    heap_.young_count = 0;
    if (generation_ == 1) c_.old_pending_ += survivors_;
    if (generation_ == 2) {
      c_.old_total_ = survivors_;
      c_.old_pending_ = 0;
    }
  }

  void ClearWeakReferences() {
    ObjectStack callbacks;
    struct Context {
      ObjectStack* callbacks;
    } context{&callbacks};
    ForEachInTurn([&](Object* o) {
      if (!(o->gc & kGcHasWeakrefs)) return;
      ClearWeakrefsQuietly(
          rt_, o,
          [](void* c, WeakrefObject* ref) {
            // A reference that is garbage itself is not heard of again.
            if (IsCandidate(ref) || !static_cast<Context*>(c)->callbacks->Push(ref)) return;
            Incref(ref);
          },
          &context);
    });
    for (size_t i = 0; i < callbacks.size(); ++i) {
      WeakrefObject* ref = static_cast<WeakrefObject*>(callbacks[i]);
      code_has_run_ = true;
      CallWeakrefCallback(ts_, ref);
      Decref(ref);
    }
  }

  void RunFinalizers() {
    ForEachInTurn([&](Object* o) {
      if (!TypeOf(ts_, o)->slots.finalize) return;
      code_has_run_ = true;
      CallFinalizer(ts_, o);
    });
  }

  // Subtracts again, over the snapshot. Those that live leave it; returns how many are left.
  int64_t DropResurrected() {
    for (size_t i = 0; i < list_.size(); ++i) {
      Object* o = list_[i];
      o->gc &= ~kGcReachable;
      SetRefs(o, o->refcount - 1);  // less the snapshot's own
    }
    Subtract subtract;
    for (size_t i = 0; i < list_.size(); ++i) VisitObject(rt_, list_[i], subtract);
    Mark mark(rt_);
    for (size_t i = 0; i < list_.size(); ++i) {
      if (RefsOf(list_[i]) == 0) continue;
      mark.Visit(list_[i]);
      mark.Drain();
    }
    while (mark.TakeOverflow()) {
      for (size_t i = 0; i < list_.size(); ++i) {
        if (!(list_[i]->gc & kGcReachable)) continue;
        VisitReachable(rt_, list_[i], mark);
        mark.Drain();
      }
    }
    int64_t dead = 0;
    for (size_t i = 0; i < list_.size(); ++i) {
      Object*& o = list_[i];
      if (o->gc & kGcReachable) {
        Grow(o, 2);
        Decref(o);  // somebody holds it
        o = nullptr;
      } else {
        dead += !IsCellOfDict(o);
      }
    }
    return dead;
  }

  void ReportGarbage() {
    for (size_t i = 0; i < list_.size(); ++i) {
      Object* o = list_[i];
      if (!o || !(c_.debug & kGcDebugCollectable) || IsCellOfDict(o)) continue;
      char name[256];
      size_t n = TypeDisplayName(TypeOf(ts_, o), name, sizeof(name));
      std::fprintf(stderr, "gc: collectable <%.*s %p>\n", static_cast<int>(n), name,
                   static_cast<void*>(o));
    }
  }

  // DEBUG_SAVEALL: everything found goes to gc.garbage instead.
  void SaveAll() {
    for (size_t i = 0; i < list_.size(); ++i) {
      Object* o = list_[i];
      if (!o) continue;
      Grow(o, 2);
      if (!IsHiddenFromScripts(o) && ListAppend(ts_, c_.garbage, o).raised()) ClearPending(ts_);
      Decref(o);
    }
  }

  bool IsType(Object* o) const { return TypeOf(ts_, o)->has_flag(kTypeTypeSubclass); }

  // Weak references that finalizers have made to what dies all the same: nobody may get hold of
  // objects that have been cleared. Their callbacks are not called.
  void ClearLateWeakReferences() {
    for (size_t i = 0; i < list_.size(); ++i) {
      if (!list_[i] || !(list_[i]->gc & kGcHasWeakrefs)) continue;
      ClearWeakrefsQuietly(
          rt_, list_[i], [](void*, WeakrefObject*) {}, nullptr);
    }
  }

  // Bases know their subclasses: code that runs while these die is not to find them there.
  void UnlinkTypes() {
    for (size_t i = 0; i < list_.size(); ++i) {
      if (list_[i] && IsType(list_[i])) UnlinkType(list_[i]->as<TypeObject>());
    }
  }

  // Empties objects whose destruction touches nothing but what they refer to where they stand;
  // false for others. Their memory is freed at the end, without a second visit: what still refers
  // to them is garbage as well, and no code that runs meanwhile can get at them.
  bool DieInPlace(Object* o) const {
    if (o->gc & kGcHasWeakrefs) return false;
    const ShapeEntry entry = rt_.shapes[o->shape_id];
    const bool plain = IsPlainInstance(o, entry);
    switch (o->shape_id) {
      case ShapeIdOf(TypeId::kList):
      case ShapeIdOf(TypeId::kTuple):
      case ShapeIdOf(TypeId::kDict):
      case ShapeIdOf(TypeId::kCell):
      case ShapeIdOf(TypeId::kFunction): break;
      default:
        if (!plain) return false;
    }
    o->gc &= ~kGcTracked;
    if (plain) {
      DestroyPlain(o, entry);
    } else {
      entry.type->gc.destroy(heap_, o);
    }
    o->gc |= kEmptied;
    return true;
  }

  void DeleteGarbage() {
    size_t others = 0;
    for (size_t i = 0; i < list_.size(); ++i) {
      Object* o = list_[i];
      if (!o || (types_ && IsType(o))) {
        ++others;
      } else if (!DieInPlace(o)) {
        ClearObject(rt_, o);
        ++others;
      }
    }
    if (others) ReleaseGarbage(false);
    if (types_) {
      for (size_t i = 0; i < list_.size(); ++i) {
        if (IsLeft(list_[i])) ClearObject(rt_, list_[i]);
      }
      ReleaseGarbage(true);
    }
    for (size_t i = 0; i < list_.size(); ++i) {
      if (!list_[i]) continue;
      const bool alone = list_[i]->refcount == 1;
      MVM_DCHECK(alone, "garbage is referred to by garbage alone");
      if (MVM_LIKELY(alone)) heap_.Free(list_[i]);  // else better lost than freed
    }
  }

  // In the snapshot and not emptied in place.
  static constexpr uint32_t kEmptied = kGcCollecting | kGcReachable;
  static bool IsLeft(const Object* o) { return o && (o->gc & kEmptied) != kEmptied; }

  void ReleaseGarbage(bool types) {
    for (size_t i = 0; i < list_.size(); ++i) {
      Object*& o = list_[i];
      if (IsLeft(o) && (!types_ || IsType(o) == types)) Release(std::exchange(o, nullptr));
    }
  }

  void Release(Object* o) {
    o->gc &= ~(kGcCollecting | kGcReachable | kGcRefsMask);
    Decref(o);
  }

  Collector& c_;
  ThreadState& ts_;
  RuntimeState& rt_;
  Heap& heap_;
  int generation_;
  int64_t candidates_ = 0;
  int64_t survivors_ = 0;
  int64_t shown_garbage_ = 0;  // all but the cells of dictionaries, of which scripts do not know
  bool listed_ = false;
  bool last_rites_ = false;           // something in the garbage has a finalizer or weak references
  bool types_ = false;                // ... is a type
  bool code_has_run_ = false;         // callbacks or finalizers
  uint32_t last_shape_ = UINT32_MAX;  // of TakeIntoSnapshot
  struct Turn {
    Object* object;
    uint32_t number;
  };
  Stack<Turn> turns_;  // of the candidates; then of the garbage, in order
  // First the candidates, if listed_; then the snapshot of the garbage, of which null has come
  // back.
  ObjectStack list_;
};

int64_t Collector::Collect(ThreadState& ts, int generation) {
  if (collecting_) return 0;
  collecting_ = true;
  Ref<> saved = TakePending(ts);
  Notify(ts, "start", generation, 0, 0);
  double start = 0;
  if (debug & kGcDebugStats) {
    start = Now();
    int64_t n[kGenerations] = {0, 0, 0};
    for (int g = 0; g < kGenerations; ++g) ForEachTracked(g, [&](Object*) { ++n[g]; });
    std::fprintf(stderr,
                 "gc: collecting generation %d...\ngc: objects in each generation: %lld %lld %lld\n"
                 "gc: objects in permanent generation: %zu\n",
                 generation, static_cast<long long>(n[0]), static_cast<long long>(n[1]),
                 static_cast<long long>(n[2]), FreezeCount());
  }
  if (generation + 1 < kGenerations) ++counts_[generation + 1];
  for (int g = 1; g <= generation; ++g) counts_[g] = 0;
  int64_t uncollectable = 0;
  // Whatever dies in here is dead when this is over, however deeply nested the deallocation is from
  // which a collection was asked for.
  const int depth = std::exchange(heap_.dealloc.depth, 0);
  int64_t found = Run(*this, ts, generation).Do(&uncollectable);
  heap_.dealloc.depth = depth;
  ++stats_[generation].collections;
  stats_[generation].collected += found;
  stats_[generation].uncollectable += uncollectable;
  if (debug & kGcDebugStats) {
    std::fprintf(stderr, "gc: done, %lld unreachable, %lld uncollectable, %.4fs elapsed\n",
                 static_cast<long long>(found + uncollectable),
                 static_cast<long long>(uncollectable), Now() - start);
  }
  Notify(ts, "stop", generation, found, uncollectable);
  RestorePending(ts, std::move(saved));
  collecting_ = false;
  return found + uncollectable;
}

void Collector::CollectIfDue(ThreadState& ts) {
  if (full_wanted_) {
    full_wanted_ = false;
    Collect(ts, 2);
    short_mark_ = rt_->heap.stats().bytes;
    return;
  }
  if (!enabled_ || thresholds_[0] == 0 || rt_->heap.young_count < rt_->heap.young_threshold) return;
  int generation = 0;
  if (thresholds_[1] != 0 && counts_[1] > thresholds_[1]) generation = 1;
  if (thresholds_[2] != 0 && counts_[2] > thresholds_[2] && old_pending_ > old_total_ / 4)
    generation = 2;
  if (!stress_) {
    Collect(ts, generation);
    AdaptYoung();
    return;
  }
  // At every allocation at first, then less and less often, and seldom where there are many
  // objects, or such scripts would never end.
  Collect(ts, 2);
  // The invariants of the heap take longer to check than the collection: after a sample of them.
  const uint64_t n = static_cast<uint64_t>(stats_[2].collections);
  if (n % 1024 == 0 || (std::has_single_bit(n) && std::countr_zero(n) % 2 == 0)) VerifyHeap(*rt_);
  constexpr int64_t kEach = 500, kMany = 20000, kShare = 10;
  thresholds_[0] =
      1 + stats_[2].collections / kEach + (old_total_ > kMany ? old_total_ / kShare : 0);
  UpdateThreshold();
}

void Collector::MemoryIsShort() {
  Heap& heap = rt_->heap;
  ThreadState* ts = heap.current_ts;
  if (!ts || collecting_ || full_wanted_ || !enabled_) return;
  // The last attempt left this much: try again only when a sixteenth of the cap has gone since.
  if (short_mark_ != 0 && heap.stats().bytes < short_mark_ + heap.limit() / 16) return;
  full_wanted_ = true;
  RequestCollection(*ts);
}

void Collector::UpdateThreshold() {
  rt_->heap.young_threshold =
      enabled_ && thresholds_[0] > 0 ? thresholds_[0] * patience_ : INT64_MAX;
}

// After a collection that the threshold has asked for: the program makes many containers. What each
// collection costs beyond its candidates is then shared by more of them.
void Collector::AdaptYoung() {
  constexpr int64_t kMost = 8;  // a pause of a millisecond or so
  if (!own_thresholds_ || patience_ >= kMost) return;
  patience_ *= 2;
  UpdateThreshold();
}

void Collector::set_stress() {
  stress_ = true;
  thresholds_[0] = 1;
  UpdateThreshold();
}

void Collector::set_enabled(bool on) {
  enabled_ = on;
  UpdateThreshold();
}

void Collector::set_threshold(int generation, int64_t n) {
  thresholds_[generation] = n;
  own_thresholds_ = false;
  patience_ = 1;
  UpdateThreshold();
}

int64_t Collector::count(int generation) const {
  return generation == 0 ? rt_->heap.young_count : counts_[generation];
}

void Collector::Notify(ThreadState& ts, const char* phase, int generation, int64_t collected,
                       int64_t uncollectable) {
  if (!callbacks || callbacks->size == 0 || quiet) return;
  auto make_info = [&]() -> Result<DictObject> {
    MVM_TRY(Ref<DictObject> info, NewDict(ts, 3));
    MVM_TRY_VOID(DictSetUtf8(ts, info, "generation", Value::Int(generation)));
    MVM_TRY_VOID(DictSetUtf8(ts, info, "collected", Value::Int(collected)));
    MVM_TRY_VOID(DictSetUtf8(ts, info, "uncollectable", Value::Int(uncollectable)));
    return info;
  };
  Result<DictObject> made = make_info();
  if (made.raised()) return WriteUnraisable(ts, Value());
  Ref<DictObject> info = made.Take();
  Result<StrObject> text = InternUtf8(ts, phase);
  if (text.raised()) return WriteUnraisable(ts, Value());
  Ref<StrObject> name = text.Take();
  for (uint64_t i = 0; callbacks && i < callbacks->size; ++i) {
    Ref<> callback = Ref<>::Borrow(callbacks->items[i]);
    InterruptShelter shelter(ts);
    Result<> r = Call(ts, callback, name, info);
    if (r.raised()) {
      shelter.Ignore(callback);
    } else {
      Ref<> dropped = r.Take();
    }
  }
}

void Collector::Freeze() {
  WalkAll([](Object* o) {
    if (o->gc & kGcTracked) o->gc |= kGcAgeMask;
  });
  old_total_ = old_pending_ = 0;
}

void Collector::Unfreeze() {
  WalkAll([&](Object* o) {
    if ((o->gc & kGcTracked) && (o->gc & kGcAgeMask) == 3) {
      o->gc = (o->gc & ~kGcAgeMask) | 2;
      ++old_total_;
    }
  });
}

size_t Collector::FreezeCount() {
  size_t n = 0;
  WalkAll([&](Object* o) { n += (o->gc & kGcTracked) && (o->gc & kGcAgeMask) == 3; });
  return n;
}

void Collector::DropRoots() {
  enabled_ = false;
  debug = 0;
  ListObject* lists[] = {std::exchange(garbage, nullptr), std::exchange(callbacks, nullptr)};
  for (ListObject* list : lists) {
    if (list) Decref(list);
  }
}

}  // namespace minivm
