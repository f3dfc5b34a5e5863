// Module _heapq, of which heapq is made: heaps in lists, the n smallest or largest of an iterable,
// lazy merging.
//
// Comparisons may run script code that changes the list; the sift functions then raise RuntimeError
// "list changed size during iteration". With reverse heaps (_max) operands change sides.
#include <algorithm>

#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

extern const TypeSpec kMergeType;

namespace {

// a stands above b in the heap.
template <bool kMax>
Result<bool> Above(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) return kMax ? b.as_int() < a.as_int() : a.as_int() < b.as_int();
  const Ref<> x = Ref<>::Borrow(a), y = Ref<>::Borrow(b);
  return kMax ? CompareBool(ts, y, x, CompareOp::kLt) : CompareBool(ts, x, y, CompareOp::kLt);
}

Raised Changed(ThreadState& ts) {
  return Raise(ts, Exc::kRuntimeError, "list changed size during iteration");
}

// Moves the item at pos up to its place, not above `start`.
template <bool kMax>
Status MoveUp(ThreadState& ts, ListObject* heap, uint64_t start, uint64_t pos) {
  const uint64_t size = heap->size;
  if (pos >= size) return Raise(ts, Exc::kIndexError, "index out of range");
  while (pos > start) {
    const uint64_t parent = (pos - 1) / 2;
    MVM_TRY(bool above, Above<kMax>(ts, heap->items[pos], heap->items[parent]));
    if (heap->size != size) return Changed(ts);
    if (!above) break;
    std::swap(heap->items[pos], heap->items[parent]);
    pos = parent;
  }
  return Charge(ts, 4);
}

// Moves the item at pos down to a leaf, always by the upper child, then up again: few comparisons,
// for the last item of a heap usually belongs far down.
template <bool kMax>
Status MoveDown(ThreadState& ts, ListObject* heap, uint64_t pos) {
  const uint64_t size = heap->size, start = pos;
  if (pos >= size) return Raise(ts, Exc::kIndexError, "index out of range");
  while (pos < size / 2) {
    uint64_t child = 2 * pos + 1;
    if (child + 1 < size) {
      MVM_TRY(bool above, Above<kMax>(ts, heap->items[child], heap->items[child + 1]));
      if (heap->size != size) return Changed(ts);
      if (!above) ++child;
    }
    std::swap(heap->items[child], heap->items[pos]);
    pos = child;
  }
  return MoveUp<kMax>(ts, heap, start, pos);
}

template <bool kMax>
Status Heapify(ThreadState& ts, ListObject* heap) {
  for (uint64_t i = heap->size / 2; i > 0; --i) MVM_TRY_VOID(MoveDown<kMax>(ts, heap, i - 1));
  return Ok();
}

Result<ListObject*> ListArgument(ThreadState& ts, Value v, const char* function,
                                 const char* which) {
  if (IsList(ts, v)) return v.as<ListObject>();
  return Raise(ts, Exc::kTypeError, "%s() argument%s must be list, not %T", function, which, v);
}

template <bool kMax>
Result<> Pop(ThreadState& ts, ListObject* heap) {
  if (heap->size == 0) return Raise(ts, Exc::kIndexError, "index out of range");
  Ref<> last = Ref<>::Steal(heap->items[--heap->size]);
  if (heap->size == 0) return last;
  Ref<> top = Ref<>::Steal(std::exchange(heap->items[0], last.Release()));
  MVM_TRY_VOID(MoveDown<kMax>(ts, heap, 0));
  return top;
}

template <bool kMax>
Result<> Replace(ThreadState& ts, ListObject* heap, Value item) {
  if (heap->size == 0) return Raise(ts, Exc::kIndexError, "index out of range");
  Ref<> top = Ref<>::Steal(std::exchange(heap->items[0], Ref<>::Borrow(item).Release()));
  MVM_TRY_VOID(MoveDown<kMax>(ts, heap, 0));
  return top;
}

Result<> heapq_heapify(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "heapify", ""));
  MVM_TRY_VOID(Heapify<false>(ts, heap));
  return None(ts);
}
Result<> heapq_heapify_max(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "_heapify_max", ""));
  MVM_TRY_VOID(Heapify<true>(ts, heap));
  return None(ts);
}
Result<> heapq_heappop(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "heappop", ""));
  return Pop<false>(ts, heap);
}
Result<> heapq_heappop_max(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "_heappop_max", ""));
  return Pop<true>(ts, heap);
}
// Positions that are none are behind the list.
template <bool kMax>
Result<> heapq_siftdown(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "_siftdown", " 1"));
  MVM_TRY(int64_t start, AsInt64(ts, args[1]));
  MVM_TRY(int64_t pos, AsInt64(ts, args[2]));
  const uint64_t top = start > 0 ? static_cast<uint64_t>(start) : 0;
  MVM_TRY_VOID(MoveUp<kMax>(ts, heap, top, static_cast<uint64_t>(pos)));
  return None(ts);
}
template <bool kMax>
Result<> heapq_siftup(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "_siftup", " 1"));
  MVM_TRY(int64_t pos, AsInt64(ts, args[1]));
  MVM_TRY_VOID(MoveDown<kMax>(ts, heap, static_cast<uint64_t>(pos)));
  return None(ts);
}
Result<> heapq_heappush(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "heappush", " 1"));
  MVM_TRY_VOID(ListAppend(ts, heap, args[1]));
  MVM_TRY_VOID(MoveUp<false>(ts, heap, 0, heap->size - 1));
  return None(ts);
}
Result<> heapq_heappushpop(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "heappushpop", " 1"));
  if (heap->size == 0) return Result<>::Borrow(args[1]);
  MVM_TRY(bool above, Above<false>(ts, heap->items[0], args[1]));
  if (!above) return Result<>::Borrow(args[1]);
  return Replace<false>(ts, heap, args[1]);
}
Result<> heapq_heapreplace(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "heapreplace", " 1"));
  return Replace<false>(ts, heap, args[1]);
}
Result<> heapq_heapreplace_max(ThreadState& ts, Args args) {
  MVM_TRY(ListObject * heap, ListArgument(ts, args[0], "_heapreplace_max", " 1"));
  return Replace<true>(ts, heap, args[1]);
}

// ---- nsmallest and nlargest ----

// The n best of the iterable in order, as sorted(iterable, key=key, reverse=kLargest)[:n] gives
// them. A heap of (key, order, item) tuples in lists would cost a comparison of tuples each; here
// the three are parallel, and the worst of the best stands at the top.
template <bool kLargest>
class Best {
 public:
  Best(ThreadState& ts, ListObject* keys, ListObject* items)
      : ts_(ts), keys_(keys), items_(items) {}

  Status Offer(Value key, Value item, uint64_t n) {
    if (keys_->size < n) {
      MVM_TRY_VOID(ListAppend(ts_, keys_, key));
      MVM_TRY_VOID(ListAppend(ts_, items_, item));
      MVM_TRY_VOID(ListAppend(ts_, orders(), Value::Int(order_++)));
      return Up(keys_->size - 1);
    }
    // Later items must be strictly better.
    MVM_TRY(bool better, Better(key, keys_->items[0]));
    if (!better) return Ok();
    Put(keys_, 0, key);
    Put(items_, 0, item);
    orders()->items[0] = Value::Int(order_++);
    return Down(0, n);
  }

  // Sorts what is left, best first.
  Status Finish() {
    for (uint64_t n = keys_->size; n > 1; --n) {
      Swap(0, n - 1);
      MVM_TRY_VOID(Down(0, n - 1));
    }
    return Ok();
  }

  Status Init() {
    // The collector would show them to scripts, which could empty them.
    MVM_TRY(orders_, NewListReserve(ts_, 0));
    Untrack(orders_);
    Untrack(keys_);
    Untrack(items_);
    return Ok();
  }

 private:
  ListObject* orders() { return orders_; }
  Result<bool> Better(Value a, Value b) { return Above<kLargest>(ts_, a, b); }
  // i is worse than k: comes later in the result.
  Result<bool> Worse(uint64_t i, uint64_t k) {
    const Ref<> x = Ref<>::Borrow(keys_->items[i]), y = Ref<>::Borrow(keys_->items[k]);
    MVM_TRY(bool worse, Better(y, x));
    if (worse) return true;
    MVM_TRY(bool better, Better(x, y));
    if (better) return false;
    return orders()->items[i].as_int() > orders()->items[k].as_int();
  }
  static void Put(ListObject* list, uint64_t i, Value v) {
    Incref(v);
    const Value old = std::exchange(list->items[i], v);
    Decref(old);
  }
  void Swap(uint64_t i, uint64_t k) {
    std::swap(keys_->items[i], keys_->items[k]);
    std::swap(items_->items[i], items_->items[k]);
    std::swap(orders()->items[i], orders()->items[k]);
  }
  Status Up(uint64_t i) {
    while (i > 0) {
      const uint64_t parent = (i - 1) / 2;
      MVM_TRY(bool worse, Worse(i, parent));
      if (!worse) break;
      Swap(i, parent);
      i = parent;
    }
    return Ok();
  }
  Status Down(uint64_t i, uint64_t n) {
    for (;;) {
      uint64_t child = 2 * i + 1;
      if (child >= n) return Ok();
      if (child + 1 < n) {
        MVM_TRY(bool worse, Worse(child + 1, child));
        if (worse) ++child;
      }
      MVM_TRY(bool worse, Worse(child, i));
      if (!worse) return Ok();
      Swap(i, child);
      i = child;
    }
  }

  ThreadState& ts_;
  ListObject* keys_;
  ListObject* items_;
  Ref<ListObject> orders_;
  int64_t order_ = 0;
};

template <bool kLargest>
Result<> PickBest(ThreadState& ts, Args args) {
  if (!HasIndex(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "'>=' not supported between instances of '%T' and 'int'",
                 args[0]);
  }
  MVM_TRY(int64_t n, IndexAsInt64(ts, args[0], Exc::kCount));
  const Value key = IsNone(ts, args[2]) ? Value() : args[2];
  MVM_TRY(Ref<> it, GetIter(ts, args[1]));
  MVM_TRY(int64_t hint, LengthHint(ts, args[1], INT64_MAX));
  if (n > 0 && n >= hint / 4) {
    // Many of them, or all: sorting is as good.
    MVM_TRY(Ref<ListObject> all, ListFrom(ts, it));
    MVM_TRY_VOID(ListSort(ts, all, key, kLargest));
    return NewList(
        ts,
        {all->items, static_cast<size_t>(std::min<uint64_t>(all->size, static_cast<uint64_t>(n)))});
  }
  MVM_TRY(Ref<ListObject> keys, NewListReserve(ts, 0));
  MVM_TRY(Ref<ListObject> items, NewListReserve(ts, 0));
  if (n <= 0) return items;
  Best<kLargest> best(ts, keys, items);
  MVM_TRY_VOID(best.Init());
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) break;
    Ref<> k = item;
    if (key) {
      MVM_TRY(k, Call(ts, key, item));
    }
    MVM_TRY_VOID(best.Offer(k, item, static_cast<uint64_t>(n)));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  MVM_TRY_VOID(best.Finish());
  Track(items);
  return items;
}

// ---- merge ----

// One input of a merge.
struct Source {
  Value key, item, iterator;
  int64_t order;
};

class Merge : public Object {
 public:
  TupleObject* iterables = nullptr;  // until the first item is asked for
  Value key_function;
  Source* sources = nullptr;  // a heap
  int64_t count = 0, capacity = 0;
  bool reverse = false;
  bool running = false;
  bool stale = false;  // the top's item has been handed out
  template <class V>
  void VisitRefs(V&& v) {
    v(iterables);
    v(key_function);
    for (int64_t i = 0; i < count; ++i) {
      v(sources[i].key);
      v(sources[i].item);
      v(sources[i].iterator);
    }
  }
  void FreeBuffers(Heap& heap) {
    if (sources) heap.FreeBuffer(sources, static_cast<size_t>(capacity) * sizeof(Source));
    sources = nullptr;
    count = capacity = 0;
  }
};

Result<bool> SourceAbove(ThreadState& ts, const Merge* m, const Source& a, const Source& b) {
  {
    const Ref<> x = Ref<>::Borrow(a.key), y = Ref<>::Borrow(b.key);
    MVM_TRY(bool equal, EqualValues(ts, x, y));
    if (equal) return a.order < b.order;
  }
  return m->reverse ? Above<true>(ts, a.key, b.key) : Above<false>(ts, a.key, b.key);
}

// As MoveDown: to a leaf by the upper child, then up again.
Status SiftSource(ThreadState& ts, Merge* m, int64_t start) {
  int64_t i = start;
  for (int64_t child = 2 * i + 1; child < m->count; child = 2 * i + 1) {
    if (child + 1 < m->count) {
      MVM_TRY(bool above, SourceAbove(ts, m, m->sources[child], m->sources[child + 1]));
      if (!above) ++child;
    }
    std::swap(m->sources[child], m->sources[i]);
    i = child;
  }
  while (i > start) {
    const int64_t parent = (i - 1) / 2;
    MVM_TRY(bool above, SourceAbove(ts, m, m->sources[i], m->sources[parent]));
    if (!above) break;
    std::swap(m->sources[i], m->sources[parent]);
    i = parent;
  }
  return Ok();
}

void DropSource(Source* s) {
  Decref(s->key);
  Decref(s->item);
  Decref(s->iterator);
}

// Reads the next item of a source and its key; false at its end.
Result<bool> Advance(ThreadState& ts, const Merge* m, Source* s) {
  MVM_TRY(Ref<> item, Next(ts, s->iterator));
  if (item.is_done()) return false;
  Ref<> key = item;
  if (m->key_function) {
    MVM_TRY(key, Call(ts, m->key_function, item));
  }
  const Ref<> old_item = Ref<>::Steal(std::exchange(s->item, item.Release()));
  const Ref<> old_key = Ref<>::Steal(std::exchange(s->key, key.Release()));
  return true;
}

Status StartMerge(ThreadState& ts, Merge* m) {
  const Ref<TupleObject> iterables = Ref<TupleObject>::Steal(std::exchange(m->iterables, nullptr));
  const uint32_t n = iterables->size();
  if (n == 0) return Ok();
  MVM_TRY(void* buffer, AllocBuffer(ts, n * sizeof(Source)));
  m->sources = static_cast<Source*>(buffer);
  m->capacity = n;
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> iterator, GetIter(ts, (*iterables)[i]));
    Source* s = &m->sources[m->count];
    *s = {Value(), Value(), iterator.Release(), i};
    ++m->count;
    MVM_TRY(bool more, Advance(ts, m, s));
    if (!more) {
      --m->count;
      Source dead = *s;
      DropSource(&dead);
    }
  }
  for (int64_t i = m->count / 2; i > 0; --i) MVM_TRY_VOID(SiftSource(ts, m, i - 1));
  return Ok();
}

// Brings the top up to date after its item has been handed out.
Status RefreshTop(ThreadState& ts, Merge* m) {
  m->stale = false;
  MVM_TRY(bool more, Advance(ts, m, &m->sources[0]));
  if (!more) {
    Source dead = m->sources[0];
    m->sources[0] = m->sources[--m->count];
    DropSource(&dead);
  }
  return m->count > 1 ? SiftSource(ts, m, 0) : Ok();
}

// After an error the merge is over.
void EndMerge(Merge* m) {
  while (m->count > 0) {
    Source dead = m->sources[--m->count];
    DropSource(&dead);
  }
}

Result<> merge_next(ThreadState& ts, Value self) {
  Merge* m = self.as<Merge>();
  if (m->running) return Raise(ts, Exc::kValueError, "generator already executing");
  m->running = true;
  Status ready = m->iterables               ? StartMerge(ts, m)
                 : m->stale && m->count > 0 ? RefreshTop(ts, m)
                                            : Ok();
  m->running = false;
  if (ready.raised()) {
    const Ref<> error = TakePending(ts);
    EndMerge(m);
    RestorePending(ts, error);
    return kRaised;
  }
  if (m->count == 0) return Result<>::Done();
  m->stale = true;
  return Result<>::Borrow(m->sources[0].item);
}

Result<> merge_iter(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> heapq_merge(ThreadState& ts, Args args) {
  MVM_TRY(bool reverse, Truth(ts, args[2]));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kMergeType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  Merge* m = made.as<Merge>();
  m->iterables = Ref<TupleObject>::Borrow(args.as<TupleObject>(0)).Release();
  if (!IsNone(ts, args[1])) m->key_function = Ref<>::Borrow(args[1]).Release();
  m->reverse = reverse;
  return made;
}

void merge_gc_clear(Object* self) {
  EndMerge(self->as<Merge>());
  const Ref<TupleObject> iterables =
      Ref<TupleObject>::Steal(std::exchange(self->as<Merge>()->iterables, nullptr));
}

const MethodSpec kFunctions[] = {
    {"_heapify_max(heap, /)", heapq_heapify_max, "heapify() with the largest item first."},
    {"_heappop_max(heap, /)", heapq_heappop_max,
     "heappop() from a heap with the largest item first."},
    {"_heapreplace_max(heap, item, /)", heapq_heapreplace_max,
     "heapreplace() in a heap with the largest item first."},
    {"_merge(iterables, key, reverse, /)", heapq_merge, "The iterator behind merge()."},
    {"_siftdown(heap, startpos, pos, /)", heapq_siftdown<false>, "Moves the item at pos up."},
    {"_siftdown_max(heap, startpos, pos, /)", heapq_siftdown<true>, "Moves the item at pos up."},
    {"_siftup(heap, pos, /)", heapq_siftup<false>, "Moves the item at pos down."},
    {"_siftup_max(heap, pos, /)", heapq_siftup<true>, "Moves the item at pos down."},
    {"heapify(heap, /)", heapq_heapify,
     "Order a list so that heap[k] is no larger than heap[2*k+1] and heap[2*k+2]. O(n)."},
    {"heappop(heap, /)", heapq_heappop,
     "Take the smallest item out and return it. O(log n); IndexError if there is none."},
    {"heappush(heap, item, /)", heapq_heappush, "Add an item. O(log n)."},
    {"heappushpop(heap, item, /)", heapq_heappushpop,
     "heappush() and heappop() in one step: returns the smallest of the heap and item."},
    {"heapreplace(heap, item, /)", heapq_heapreplace,
     "heappop() and heappush() in one step: the item returned was there before, so it may be "
     "larger than the new one."},
    {"nlargest(n, iterable, key=None)", PickBest<true>,
     "The n largest items as a list, the largest first; equal ones in the order they came."},
    {"nsmallest(n, iterable, key=None)", PickBest<false>,
     "The n smallest items as a list, the smallest first; equal ones in the order they came."},
};

}  // namespace

const TypeSpec kMergeType = {
    .name = "_heapq._merge",
    .flags = kTypeNoNew,
    .size = sizeof(Merge),
    .gc = {gc_internal::VisitHook<Merge>, merge_gc_clear, gc_internal::DestroyHook<Merge>},
    .slots = {.iter = merge_iter, .next = merge_next},
};

extern const ModuleSpec k__heapq_module;
const ModuleSpec k__heapq_module = {
    .name = "_heapq",
    .doc =
        "Lists kept as heaps: the smallest item is the first, and adding or taking it is O(log n).",
    .functions = kFunctions};

}  // namespace minivm
