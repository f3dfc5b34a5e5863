// collections.deque on top of deque_blocks.h.
//
// Every change of the items' number or places counts up `state`; iterators and searches that find
// it changed raise, and cursors into the blocks are good as long as it is the same. Removed items
// are released when the deque is consistent again.
#include <algorithm>

#include "runtime/gc/object_refs.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/collections/collections_types.h"
#include "stdlib/collections/deque_access.h"
#include "stdlib/collections/deque_blocks.h"

namespace minivm {
namespace {

class DequeObject : public Object {
 public:
  DequeBlocks items;
  uint64_t state = 0;
  int64_t maxlen = 0;
  bool bounded = false;  // maxlen counts

  uint64_t size() const { return items.size(); }
  bool IsFull() const { return bounded && size() >= static_cast<uint64_t>(maxlen); }
  template <class V>
  void VisitRefs(V&& v) {
    items.ForEach(v);
  }
  void FreeBuffers(Heap& heap) { items.Free(heap); }
};

class DequeIterator : public Object {
 public:
  DequeObject* deque = nullptr;
  DequeBlocks::Cursor next;  // the item handed out last; good while `state` is the deque's
  uint64_t index = 0;        // items handed out
  uint64_t state = 0;
  uint64_t remaining = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(deque);
  }
};

constexpr const char* kMutated = "deque mutated during iteration";

// ---- items ----

Ref<> TakeFirst(ThreadState& ts, DequeObject* d) {
  ++d->state;
  return Ref<>::Steal(d->items.PopLeft(ts.heap()));
}
Ref<> TakeLast(ThreadState& ts, DequeObject* d) {
  ++d->state;
  return Ref<>::Steal(d->items.PopRight(ts.heap()));
}

// Adds at the right; a full deque loses its leftmost item.
Status Append(ThreadState& ts, DequeObject* d, Value item) {
  if (d->bounded && d->maxlen == 0) return Ok();
  const bool full = d->IsFull();
  MVM_TRY_VOID(d->items.PushRight(ts, item));
  Incref(item);
  ++d->state;
  if (full) Decref(d->items.PopLeft(ts.heap()));
  return Ok();
}
Status AppendLeft(ThreadState& ts, DequeObject* d, Value item) {
  if (d->bounded && d->maxlen == 0) return Ok();
  const bool full = d->IsFull();
  MVM_TRY_VOID(d->items.PushLeft(ts, item));
  Incref(item);
  ++d->state;
  if (full) Decref(d->items.PopRight(ts.heap()));
  return Ok();
}

void Clear(ThreadState& ts, DequeObject* d) {
  DequeBlocks old = std::exchange(d->items, DequeBlocks());
  ++d->state;
  old.ForEach([](Value item) { Decref(item); });
  old.Free(ts.heap());
}

Ref<> TakeAt(ThreadState& ts, DequeObject* d, uint64_t i) {
  ++d->state;
  return Ref<>::Steal(d->items.TakeAt(ts.heap(), i));
}

Status Extend(ThreadState& ts, DequeObject* d, Value iterable, bool left) {
  Ref<> source = Ref<>::Borrow(iterable);
  if (iterable.is(d)) {
    MVM_TRY(source, ListFrom(ts, iterable));
  }
  return ForEach(ts, source,
                 [&](Value item) { return left ? AppendLeft(ts, d, item) : Append(ts, d, item); });
}

// ---- construction ----

Result<DequeObject> NewLike(ThreadState& ts, const DequeObject* d) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kDequeType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  DequeObject* copy = made.as<DequeObject>();
  copy->bounded = d->bounded;
  copy->maxlen = d->maxlen;
  return std::move(made).Into<DequeObject>();
}

Result<> deque_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

Result<> deque_init(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  bool bounded = false;
  int64_t maxlen = 0;
  if (!IsNone(ts, args[2])) {
    if (!IsInt(ts, args[2])) return Raise(ts, Exc::kTypeError, "an integer is required");
    MVM_TRY(maxlen, AsInt64(ts, args[2]));
    if (maxlen < 0) return Raise(ts, Exc::kValueError, "maxlen must be non-negative");
    bounded = true;
  }
  d->bounded = bounded;
  d->maxlen = maxlen;
  if (d->size() > 0) Clear(ts, d);
  if (args.has(1)) MVM_TRY_VOID(Extend(ts, d, args[1], false));
  return None(ts);
}

Result<bool> IsDeque(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kDequeType));
  return IsInstance(ts, v, type);
}

Result<> Copy(ThreadState& ts, Value self) {
  DequeObject* d = self.as<DequeObject>();
  if (!TypeOf(ts, self)->is_heap()) {
    MVM_TRY(Ref<DequeObject> copy, NewLike(ts, d));
    MVM_TRY_VOID(Extend(ts, copy, self, false));
    return copy;
  }
  if (!d->bounded) return Call(ts, TypeOf(ts, self), self);
  MVM_TRY(Ref<> maxlen, NewInt(ts, d->maxlen));
  MVM_TRY(Ref<> copy, Call(ts, TypeOf(ts, self), self, maxlen));
  MVM_TRY(bool is_deque, IsDeque(ts, copy));
  if (!is_deque) {
    return Raise(ts, Exc::kTypeError, "%N() must return a deque, not %T", TypeOf(ts, self),
                 copy.get());
  }
  return copy;
}

// ---- slots ----

// A deque as CompareSequences reads it: mostly one item after the other.
struct Items {
  DequeObject* d;
  mutable uint64_t state = 0, index = UINT64_MAX - 1;
  mutable DequeBlocks::Cursor at = {};
  size_t size() const { return d->size(); }
  Value item(size_t i) const {
    if (state == d->state && i == index + 1) {
      at.Next();
    } else if (state != d->state || i != index) {
      at = d->items.At(i);
    }
    state = d->state;
    index = i;
    return at.item();
  }
};

Result<> deque_repr(ThreadState& ts, Value self) {
  DequeObject* d = self.as<DequeObject>();
  ReprGuard repr(ts, d);
  if (repr.inside()) return NewStr(ts, "[...]");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<ListObject> items, ListFrom(ts, self));
  const Value name = TypeOf(ts, self)->name;
  if (!d->bounded) return Format(ts, "%U(%R)", name, Value(items));
  return Format(ts, "%U(%R, maxlen=%lld)", name, Value(items), static_cast<long long>(d->maxlen));
}

Result<> deque_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  MVM_TRY(bool both, IsDeque(ts, b));
  if (!both) return NotImplemented(ts);
  return CompareSequences(ts, Items{a.as<DequeObject>()}, Items{b.as<DequeObject>()}, op);
}

Result<DequeIterator> NewIterator(ThreadState& ts, const TypeSpec& spec, DequeObject* d) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  DequeIterator* it = made.as<DequeIterator>();
  it->deque = Ref<DequeObject>::Borrow(d).Release();
  it->state = d->state;
  it->remaining = d->size();
  return std::move(made).Into<DequeIterator>();
}

Result<> deque_iter(ThreadState& ts, Value self) {
  return NewIterator(ts, kDequeIteratorType, self.as<DequeObject>());
}
Result<> deque_reversed(ThreadState& ts, Args args) {
  return NewIterator(ts, kDequeReverseIteratorType, args.self<DequeObject>());
}

Result<int64_t> deque_len(ThreadState&, Value self) {
  return static_cast<int64_t>(self.as<DequeObject>()->size());
}

Result<uint64_t> PlaceOf(ThreadState& ts, DequeObject* d, Value key) {
  if (!HasIndex(ts, key))
    return Raise(ts, Exc::kTypeError, "sequence index must be integer, not '%T'", key);
  MVM_TRY(int64_t i, SubscriptIndex(ts, key));
  if (i < 0) i += static_cast<int64_t>(d->size());
  if (static_cast<uint64_t>(i) >= d->size())
    return Raise(ts, Exc::kIndexError, "deque index out of range");
  return static_cast<uint64_t>(i);
}

Result<> deque_get_item(ThreadState& ts, Value self, Value key) {
  DequeObject* d = self.as<DequeObject>();
  MVM_TRY(uint64_t i, PlaceOf(ts, d, key));
  return Result<>::Borrow(d->items.At(i).item());
}

Status deque_set_item(ThreadState& ts, Value self, Value key, Value value) {
  DequeObject* d = self.as<DequeObject>();
  MVM_TRY(uint64_t i, PlaceOf(ts, d, key));
  if (!value) {
    const Ref<> dropped = TakeAt(ts, d, i);
    return Ok();
  }
  Incref(value);
  const Value old = std::exchange(d->items.At(i).item(), value);
  Decref(old);
  return Ok();
}

// Index of an equal item in [start, stop), or -1; raises if the deque changes meanwhile.
Result<int64_t> Find(ThreadState& ts, DequeObject* d, Value item, int64_t start, int64_t stop,
                     const char* error, Exc error_type) {
  if (start >= stop) return int64_t{-1};
  const uint64_t state = d->state;
  DequeBlocks::Cursor at = d->items.At(static_cast<uint64_t>(start));
  for (int64_t i = start; i < stop; ++i, at.Next()) {
    const Ref<> x = Ref<>::Borrow(at.item());
    MVM_TRY(bool equal, EqualValues(ts, x, item));
    if (!equal) MVM_TRY_VOID(Charge(ts, 1));
    if (d->state != state) return Raise(ts, error_type, "%s", error);
    if (equal) return i;
  }
  return int64_t{-1};
}

Result<bool> deque_contains(ThreadState& ts, Value self, Value item) {
  DequeObject* d = self.as<DequeObject>();
  MVM_TRY(int64_t i,
          Find(ts, d, item, 0, static_cast<int64_t>(d->size()), kMutated, Exc::kRuntimeError));
  return i >= 0;
}

Result<> deque_concat(ThreadState& ts, Value a, Value b) {
  MVM_TRY(bool is_deque, IsDeque(ts, b));
  if (!is_deque)
    return Raise(ts, Exc::kTypeError, "can only concatenate deque (not \"%T\") to deque", b);
  MVM_TRY(Ref<> copy, Copy(ts, a));
  MVM_TRY_VOID(Extend(ts, copy.as<DequeObject>(), b, false));
  return copy;
}

Status RepeatInPlace(ThreadState& ts, DequeObject* d, int64_t count) {
  if (count <= 0) {
    Clear(ts, d);
    return Ok();
  }
  if (count == 1 || d->size() == 0) return Ok();
  // Of a bounded deque only the last maxlen items matter: whole copies beyond those are left out.
  uint64_t copies = static_cast<uint64_t>(count) - 1;
  uint64_t total;
  if (d->bounded) {
    copies = std::min(copies, static_cast<uint64_t>(d->maxlen) / d->size() + 1);
  } else if (__builtin_mul_overflow(d->size(), static_cast<uint64_t>(count), &total) ||
             total > uint64_t{1} << 40) {
    return RaiseMemoryError(ts);
  } else {
    MVM_TRY_VOID(CheckRoom(ts, total * sizeof(Value)));
  }
  MVM_TRY(Ref<ListObject> items, ListFrom(ts, d));
  for (uint64_t n = 0; n < copies; ++n) {
    for (uint64_t i = 0; i < items->size; ++i) MVM_TRY_VOID(Append(ts, d, items->items[i]));
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(items->size / 4) + 1));
  }
  return Ok();
}

Result<> deque_repeat(ThreadState& ts, Value self, int64_t count) {
  MVM_TRY(Ref<> copy, Copy(ts, self));
  MVM_TRY_VOID(RepeatInPlace(ts, copy.as<DequeObject>(), count));
  return copy;
}
Result<> deque_irepeat(ThreadState& ts, Value self, int64_t count) {
  MVM_TRY_VOID(RepeatInPlace(ts, self.as<DequeObject>(), count));
  return Result<>::Borrow(self);
}
Result<> deque_iconcat(ThreadState& ts, Value self, Value other) {
  MVM_TRY_VOID(Extend(ts, self.as<DequeObject>(), other, false));
  return Result<>::Borrow(self);
}

// ---- methods ----

Result<> deque_append(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Append(ts, args.self<DequeObject>(), args[1]));
  return None(ts);
}
Result<> deque_appendleft(ThreadState& ts, Args args) {
  MVM_TRY_VOID(AppendLeft(ts, args.self<DequeObject>(), args[1]));
  return None(ts);
}
Result<> deque_clear(ThreadState& ts, Args args) {
  Clear(ts, args.self<DequeObject>());
  return None(ts);
}
Result<> deque_copy(ThreadState& ts, Args args) { return Copy(ts, args[0]); }

Result<> deque_count(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  const uint64_t state = d->state;
  int64_t count = 0;
  DequeBlocks::Cursor at = d->items.First();
  for (uint64_t left = d->size(); left > 0; --left, at.Next()) {
    const Ref<> x = Ref<>::Borrow(at.item());
    MVM_TRY(bool equal, EqualValues(ts, x, args[1]));
    MVM_TRY_VOID(Charge(ts, 1));
    if (d->state != state) return Raise(ts, Exc::kRuntimeError, kMutated);
    count += equal;
  }
  return Small(count);
}

Result<> deque_extend(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Extend(ts, args.self<DequeObject>(), args[1], false));
  return None(ts);
}
Result<> deque_extendleft(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Extend(ts, args.self<DequeObject>(), args[1], true));
  return None(ts);
}

Result<> deque_index(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  MVM_TRY(int64_t start, SliceBoundArgument(ts, args[2]));
  MVM_TRY(int64_t stop, args.has(3) ? SliceBoundArgument(ts, args[3]) : Result<int64_t>(INT64_MAX));
  const int64_t size = static_cast<int64_t>(d->size());
  if (start < 0 && (start += size) < 0) start = 0;
  if (stop < 0 && (stop += size) < 0) stop = 0;
  MVM_TRY(int64_t i,
          Find(ts, d, args[1], start, std::min(stop, size), kMutated, Exc::kRuntimeError));
  if (i < 0) return Raise(ts, Exc::kValueError, "%R is not in deque", args[1]);
  return Small(i);
}

Result<> deque_insert(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  const int64_t size = static_cast<int64_t>(d->size());
  if (d->IsFull()) return Raise(ts, Exc::kIndexError, "deque already at its maximum size");
  if (i < 0 && (i += size) < 0) i = 0;
  if (i >= size) {
    MVM_TRY_VOID(Append(ts, d, args[2]));
    return None(ts);
  }
  MVM_TRY_VOID(d->items.Insert(ts, static_cast<uint64_t>(i), args[2]));
  Incref(args[2]);
  ++d->state;
  return None(ts);
}

Result<> deque_pop(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  if (d->size() == 0) return Raise(ts, Exc::kIndexError, "pop from an empty deque");
  return TakeLast(ts, d);
}
Result<> deque_popleft(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  if (d->size() == 0) return Raise(ts, Exc::kIndexError, "pop from an empty deque");
  return TakeFirst(ts, d);
}

Result<> deque_reduce(ThreadState& ts, Args args) {
  const DequeObject* d = args.self<DequeObject>();
  Ref<> attributes = Ref<>::Borrow(ts.rt->none);
  if (TypeOf(ts, args[0])->is_heap()) {
    MVM_TRY(attributes, CallMethod(ts, args[0], MVM_NAME(ts, __getstate__)));
  }
  Ref<> call_args = Ref<>::Borrow(ts.rt->empty_tuple);
  if (d->bounded) {
    MVM_TRY(Ref<> maxlen, NewInt(ts, d->maxlen));
    Value values[] = {ts.rt->empty_tuple, maxlen};
    MVM_TRY(call_args, NewTuple(ts, values));
  }
  MVM_TRY(Ref<> items, GetIter(ts, args[0]));
  Value state[] = {TypeOf(ts, args[0]), call_args, attributes, items};
  return NewTuple(ts, state);
}

Result<> deque_remove(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  MVM_TRY(int64_t i,
          Find(ts, d, args[1], 0, static_cast<int64_t>(d->size()), kMutated, Exc::kIndexError));
  if (i < 0) return Raise(ts, Exc::kValueError, "%R is not in deque", args[1]);
  const Ref<> dropped = TakeAt(ts, d, static_cast<uint64_t>(i));
  return None(ts);
}

Result<> deque_reverse(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  d->items.Reverse();
  ++d->state;
  return None(ts);
}

Result<> deque_rotate(ThreadState& ts, Args args) {
  DequeObject* d = args.self<DequeObject>();
  MVM_TRY(int64_t n, AsInt64(ts, args[1]));
  if (d->size() < 2) return None(ts);
  const int64_t size = static_cast<int64_t>(d->size());
  n %= size;
  if (n < 0) n += size;
  MVM_TRY_VOID(d->items.RotateRight(ts, static_cast<uint64_t>(n)));
  ++d->state;
  return None(ts);
}

Result<> deque_sizeof(ThreadState& ts, Args args) {
  const DequeObject* d = args.self<DequeObject>();
  return NewInt(ts, static_cast<int64_t>(sizeof(DequeObject) + d->items.bytes()));
}

Result<> deque_maxlen(ThreadState& ts, Value self) {
  const DequeObject* d = self.as<DequeObject>();
  return d->bounded ? NewInt(ts, d->maxlen) : None(ts);
}

const MethodSpec kDequeMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585.", kMethodClass},
    {"__copy__(self, /)", deque_copy, "A deque with the same items and maxlen."},
    {"__reduce__(self, /)", deque_reduce, "What pickle needs to make it again."},
    {"__reversed__(self, /)", deque_reversed, "Iterator from the right end to the left."},
    {"__sizeof__(self, /)", deque_sizeof, "Bytes of memory that it takes."},
    {"append(self, item, /)", deque_append,
     "Put the item at the right end. A full deque loses one at the left."},
    {"appendleft(self, item, /)", deque_appendleft,
     "Put the item at the left end. A full deque loses one at the right."},
    {"clear(self, /)", deque_clear, "Leave nothing in the deque."},
    {"copy(self, /)", deque_copy, "A deque with the same items and maxlen."},
    {"count(self, value, /)", deque_count, "How many items equal value."},
    {"extend(self, iterable, /)", deque_extend,
     "Put each item of the iterable at the right end. A full deque loses as many at the left."},
    {"extendleft(self, iterable, /)", deque_extendleft,
     "Put each item of the iterable at the left end, so that the last one comes first."},
    {"index(self, value, start=0, stop=<unrepresentable>, /)", deque_index,
     "Where the first item equal to value is, looked for from start to stop. ValueError if there "
     "is none."},
    {"insert(self, index, value, /)", deque_insert,
     "Put value before the item at index. IndexError if the deque is full."},
    {"pop(self, /)", deque_pop,
     "Take the item at the right end out and return it. IndexError if there is none."},
    {"popleft(self, /)", deque_popleft,
     "Take the item at the left end out and return it. IndexError if there is none."},
    {"remove(self, value, /)", deque_remove,
     "Take out the first item equal to value. ValueError if there is none."},
    {"reverse(self, /)", deque_reverse, "Turn the order of the items round, in place."},
    {"rotate(self, n=1, /)", deque_rotate,
     "Move n items from the right end to the left, from left to right if n is negative."},
};
const GetSetSpec kDequeGetSets[] = {
    {"maxlen", deque_maxlen, nullptr, "How many items fit, None: any number"}};

// ---- iterators ----

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

template <bool kReverse>
Result<> iter_next(ThreadState& ts, Value self) {
  DequeIterator* it = self.as<DequeIterator>();
  DequeObject* d = it->deque;
  if (!d) return Result<>::Done();
  if (it->state != d->state) {
    it->remaining = 0;
    return Raise(ts, Exc::kRuntimeError, kMutated);
  }
  if (it->remaining == 0) return Result<>::Done();
  // The first item is looked for when asked for: an iterator may begin in the middle.
  if (it->next.block == nullptr) {
    it->next = d->items.At(kReverse ? it->remaining - 1 : it->index);
  } else if (kReverse) {
    it->next.Prev();
  } else {
    it->next.Next();
  }
  ++it->index;
  --it->remaining;
  return Result<>::Borrow(it->next.item());
}

template <const TypeSpec& kSpec>
Result<> iter_new(ThreadState& ts, Args args) {
  MVM_TRY(bool is_deque, IsDeque(ts, args[1]));
  if (!is_deque) {
    return Raise(ts, Exc::kTypeError, "%s() argument 1 must be collections.deque, not %T",
                 kSpec.name + 12, args[1]);
  }
  MVM_TRY(int64_t index, AsInt64(ts, args[2]));
  MVM_TRY(Ref<DequeIterator> it, NewIterator(ts, kSpec, args.as<DequeObject>(1)));
  it->index = std::min(it->remaining, static_cast<uint64_t>(std::max<int64_t>(index, 0)));
  it->remaining -= it->index;
  return it;
}

Result<> iter_length_hint(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(args.self<DequeIterator>()->remaining));
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const DequeIterator* it = args.self<DequeIterator>();
  Value values[] = {it->deque, Value::Int(static_cast<int64_t>(it->index))};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, values));
  Value state[] = {TypeOf(ts, args[0]), call_args};
  return NewTuple(ts, state);
}

const MethodSpec kIteratorMethods[] = {
    {"__length_hint__(self, /)", iter_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__(self, /)", iter_reduce, "What pickle needs to make it again."},
};

void deque_gc_clear(Object* self) { Clear(ThreadOf(self), self->as<DequeObject>()); }

}  // namespace

Result<> NewDeque(ThreadState& ts) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kDequeType));
  MVM_TRY_VOID(TypeReady(ts, type));
  return AllocInstance(ts, type);
}
Result<bool> IsDequeObject(ThreadState& ts, Value v) { return IsDeque(ts, v); }
Status DequeAppend(ThreadState& ts, Value deque, Value item) {
  return Append(ts, deque.as<DequeObject>(), item);
}
uint64_t DequeSize(Value deque) { return deque.as<DequeObject>()->size(); }
Value DequeFirst(Value deque) { return deque.as<DequeObject>()->items.First().item(); }
bool IsPlainDeque(ThreadState& ts, Value v) {
  if (!v.is_object()) return false;
  const TypeObject* type = TypeOf(ts, v);
  return type->spec == &kDequeType && !type->is_heap() && !v.as<DequeObject>()->bounded;
}
Ref<> DequePopFirst(ThreadState& ts, Value deque) { return TakeFirst(ts, deque.as<DequeObject>()); }

const TypeSpec kDequeType = {
    .name = "collections.deque",
    .doc =
        "A queue with two ends, either of which takes and gives items in O(1); deque(iterable=(), "
        "maxlen=None).\n"
        "\n"
        "Its middle is reached in O(n).",
    .flags = kTypeBase | kTypeSequence | kTypeWeakrefs,
    .size = sizeof(DequeObject),
    .gc = {gc_internal::VisitHook<DequeObject>, deque_gc_clear,
           gc_internal::DestroyHook<DequeObject>},
    .slots = {.repr = deque_repr,
              .hash = HashNotImplemented,
              .compare = deque_compare,
              .iter = deque_iter,
              .new_ = deque_new,
              .len = deque_len,
              .get_item = deque_get_item,
              .set_item = deque_set_item,
              .contains = deque_contains,
              .concat = deque_concat,
              .repeat = deque_repeat,
              .iconcat = deque_iconcat,
              .irepeat = deque_irepeat},
    .init = {"deque(self, iterable=<unrepresentable>, maxlen=None)", deque_init},
    .methods = kDequeMethods,
    .getsets = kDequeGetSets,
};

const TypeSpec kDequeIteratorType = {
    .name = "collections._deque_iterator",
    .size = sizeof(DequeIterator),
    .gc = {gc_internal::VisitHook<DequeIterator>, nullptr, gc_internal::DestroyHook<DequeIterator>},
    .slots = {.iter = iter_self, .next = iter_next<false>},
    .construct = {"_deque_iterator(iterable, index=0, /)", iter_new<kDequeIteratorType>},
    .methods = kIteratorMethods,
};
const TypeSpec kDequeReverseIteratorType = {
    .name = "collections._deque_reverse_iterator",
    .size = sizeof(DequeIterator),
    .gc = {gc_internal::VisitHook<DequeIterator>, nullptr, gc_internal::DestroyHook<DequeIterator>},
    .slots = {.iter = iter_self, .next = iter_next<true>},
    .construct = {"_deque_reverse_iterator(iterable, index=0, /)",
                  iter_new<kDequeReverseIteratorType>},
    .methods = kIteratorMethods,
};

}  // namespace minivm
