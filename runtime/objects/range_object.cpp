// range and its iterators.
//
// Bounds are exact ints of any size. Nearly every range has inline bounds, a step and a length that
// are inline too; those take the paths marked Small, the others go through int arithmetic.
#include "runtime/objects/range_object.h"

#include <algorithm>

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {
namespace {

// Number of values; all three inline, step not 0. May exceed an inline int.
uint64_t SmallLength(int64_t start, int64_t stop, int64_t step) {
  if (step > 0) {
    if (start >= stop) return 0;
    return (static_cast<uint64_t>(stop) - static_cast<uint64_t>(start) - 1) /
               static_cast<uint64_t>(step) +
           1;
  }
  if (start <= stop) return 0;
  return (static_cast<uint64_t>(start) - static_cast<uint64_t>(stop) - 1) /
             (0 - static_cast<uint64_t>(step)) +
         1;
}

Result<> BigLength(ThreadState& ts, Value start, Value stop, Value step) {
  const bool up = IntSign(step) > 0;
  if (up ? IntCompare(start, stop) >= 0 : IntCompare(start, stop) <= 0) return Small(0);
  MVM_TRY(Ref<> distance, up ? IntSub(ts, stop, start) : IntSub(ts, start, stop));
  MVM_TRY(distance, IntSub(ts, distance, Value::Int(1)));
  Ref<> size = Ref<>::Borrow(step);
  if (!up) {
    MVM_TRY(size, IntNeg(ts, step));
  }
  MVM_TRY(Ref<> steps, IntFloorDiv(ts, distance, size));
  return IntAdd(ts, steps, Value::Int(1));
}

bool IsSmall(const RangeObject* r) {
  return r->start.is_int() && r->step.is_int() && r->length.is_int() && r->stop.is_int();
}

Result<RangeObject> MakeRange(ThreadState& ts, Value start, Value stop, Value step, Value length) {
  MVM_TRY(Ref<RangeObject> r, New<RangeObject>(ts, TypeId::kRange));
  r->start = Ref<>::Borrow(start).Release();
  r->stop = Ref<>::Borrow(stop).Release();
  r->step = Ref<>::Borrow(step).Release();
  r->length = Ref<>::Borrow(length).Release();
  return r;
}

// start + i * step
Result<> ItemAt(ThreadState& ts, const RangeObject* r, Value i) {
  if (MVM_LIKELY(IsSmall(r) && i.is_int())) {
    int64_t offset, value;
    if (!__builtin_mul_overflow(i.as_int(), r->step.as_int(), &offset) &&
        !__builtin_add_overflow(r->start.as_int(), offset, &value)) {
      return NewInt(ts, value);
    }
  }
  MVM_TRY(Ref<> offset, IntMul(ts, i, r->step));
  return IntAdd(ts, r->start, offset);
}

}  // namespace

Result<RangeObject> NewRange(ThreadState& ts, Value start, Value stop, Value step) {
  if (MVM_LIKELY(start.is_int() && stop.is_int() && step.is_int())) {
    const uint64_t n = SmallLength(start.as_int(), stop.as_int(), step.as_int());
    MVM_TRY(Ref<> length, NewIntU64(ts, n));
    return MakeRange(ts, start, stop, step, length);
  }
  MVM_TRY(Ref<> length, BigLength(ts, start, stop, step));
  return MakeRange(ts, start, stop, step, length);
}

namespace {

Result<> range_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.nkw > 0) return Raise(ts, Exc::kTypeError, "range() takes no keyword arguments");
  if (raw.n < 1) return Raise(ts, Exc::kTypeError, "range expected at least 1 argument, got 0");
  if (raw.n > 3)
    return Raise(ts, Exc::kTypeError, "range expected at most 3 arguments, got %u", raw.n);
  Ref<> bounds[3];
  for (uint32_t i = 0; i < raw.n; ++i) {
    if (raw[i].is_int()) {
      bounds[i] = Ref<>::Steal(raw[i]);
    } else {
      MVM_TRY(bounds[i], Index(ts, raw[i]));
    }
  }
  if (raw.n == 1) return NewRange(ts, Value::Int(0), bounds[0], Value::Int(1));
  if (raw.n == 2) return NewRange(ts, bounds[0], bounds[1], Value::Int(1));
  if (IntSign(bounds[2]) == 0) return Raise(ts, Exc::kValueError, "range() arg 3 must not be zero");
  return NewRange(ts, bounds[0], bounds[1], bounds[2]);
}

Result<> range_repr(ThreadState& ts, Value self) {
  const RangeObject* r = self.as<RangeObject>();
  if (r->step.is(Value::Int(1))) return Format(ts, "range(%R, %R)", r->start, r->stop);
  return Format(ts, "range(%R, %R, %R)", r->start, r->stop, r->step);
}

// What makes two ranges equal: the length, the start unless empty, the step if there are two
// values.
Result<TupleObject> Essence(ThreadState& ts, const RangeObject* r) {
  const Value none = ts.rt->none;
  const bool empty = IntSign(r->length) == 0;
  const bool single = r->length.is(Value::Int(1));
  Value items[] = {r->length, empty ? none : r->start, empty || single ? none : r->step};
  return NewTuple(ts, items);
}

Result<int64_t> range_hash(ThreadState& ts, Value self) {
  MVM_TRY(Ref<TupleObject> essence, Essence(ts, self.as<RangeObject>()));
  return Hash(ts, essence);
}

Result<> range_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsExact(b, TypeId::kRange) || !IsExact(a, TypeId::kRange) ||
      (op != CompareOp::kEq && op != CompareOp::kNe)) {
    return NotImplemented(ts);
  }
  const RangeObject *x = a.as<RangeObject>(), *y = b.as<RangeObject>();
  bool equal = x == y;
  if (!equal && IntEquals(x->length, y->length)) {
    equal =
        IntSign(x->length) == 0 || (IntEquals(x->start, y->start) &&
                                    (x->length.is(Value::Int(1)) || IntEquals(x->step, y->step)));
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

// An iterator over `count` values from `start` on; count >= 0.
Result<> IterateFrom(ThreadState& ts, Value start, Value step, Value count) {
  if (MVM_LIKELY(start.is_int() && step.is_int() && count.is_int())) {
    int64_t distance, end;
    if (!__builtin_mul_overflow(step.as_int(), count.as_int(), &distance) &&
        !__builtin_add_overflow(start.as_int(), distance, &end) && Value::FitsInt(end)) {
      MVM_TRY(Ref<RangeIterator> it, New<RangeIterator>(ts, TypeId::kRangeIterator));
      it->current = start.as_int();
      it->step = step.as_int();
      it->remaining = count.as_int();
      return it;
    }
  }
  MVM_TRY(Ref<LongRangeIterator> it, New<LongRangeIterator>(ts, TypeId::kLongRangeIterator));
  it->current = Ref<>::Borrow(start).Release();
  it->step = Ref<>::Borrow(step).Release();
  it->remaining = Ref<>::Borrow(count).Release();
  return it;
}

Result<> range_iter(ThreadState& ts, Value self) {
  const RangeObject* r = self.as<RangeObject>();
  return IterateFrom(ts, r->start, r->step, r->length);
}

Result<> range_reversed(ThreadState& ts, Args args) {
  const RangeObject* r = args.self<RangeObject>();
  if (IntSign(r->length) == 0) return IterateFrom(ts, r->start, r->step, r->length);
  MVM_TRY(Ref<> last_index, IntSub(ts, r->length, Value::Int(1)));
  MVM_TRY(Ref<> last, ItemAt(ts, r, last_index));
  MVM_TRY(Ref<> step, IntNeg(ts, r->step));
  return IterateFrom(ts, last, step, r->length);
}

Result<int64_t> range_len(ThreadState& ts, Value self) {
  int64_t n;
  if (IntFitsInt64(self.as<RangeObject>()->length, &n)) return n;
  return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
}

Result<bool> range_truth(ThreadState&, Value self) {
  return IntSign(self.as<RangeObject>()->length) != 0;
}

Result<> range_get_item(ThreadState& ts, Value self, Value key) {
  RangeObject* r = self.as<RangeObject>();
  if (HasIndex(ts, key)) {
    MVM_TRY(Ref<> i, Index(ts, key));
    if (IntSign(i) < 0) {
      MVM_TRY(i, IntAdd(ts, i, r->length));
    }
    if (IntSign(i) < 0 || IntCompare(i, r->length) >= 0) {
      return Raise(ts, Exc::kIndexError, "range object index out of range");
    }
    return ItemAt(ts, r, i);
  }
  if (!IsExact(key, TypeId::kSlice)) {
    return Raise(ts, Exc::kTypeError, "range indices must be integers or slices, not %T", key);
  }
  Ref<> start, stop, step;
  MVM_TRY_VOID(SliceIndices(ts, key.as<SliceObject>(), r->length, &start, &stop, &step));
  MVM_TRY(Ref<> new_step, IntMul(ts, r->step, step));
  MVM_TRY(Ref<> new_start, ItemAt(ts, r, start));
  MVM_TRY(Ref<> new_stop, ItemAt(ts, r, stop));
  return NewRange(ts, new_start, new_stop, new_step);
}

bool IsPlainInt(Value v) {
  return v.is_int() || IsExact(v, TypeId::kInt) || IsExact(v, TypeId::kBool);
}

// The index of an int in the range, or -1 (as an int value).
Result<> IndexOfInt(ThreadState& ts, const RangeObject* r, Value v) {
  const bool up = IntSign(r->step) > 0;
  const Value none = Value::Int(-1);
  if (IntCompare(v, r->start) * (up ? 1 : -1) < 0 || IntCompare(v, r->stop) * (up ? 1 : -1) >= 0) {
    return Result<>::Steal(none);
  }
  if (v.is_int() && IsSmall(r)) {
    int64_t distance;
    if (!__builtin_sub_overflow(v.as_int(), r->start.as_int(), &distance)) {
      const int64_t step = r->step.as_int();
      return distance % step == 0 ? NewInt(ts, distance / step) : Result<>::Steal(none);
    }
  }
  MVM_TRY(Ref<> distance, IntSub(ts, v, r->start));
  Ref<> index, rest;
  MVM_TRY_VOID(IntDivmod(ts, distance, r->step, &index, &rest));
  return IntSign(rest) == 0 ? Result<>(std::move(index)) : Result<>::Steal(none);
}

// Counts the items equal to v, or stops at the first: its index is *first then.
Result<int64_t> CountBySearch(ThreadState& ts, Value self, Value v, int64_t* first) {
  MVM_TRY(Ref<> it, range_iter(ts, self));
  int64_t count = 0;
  for (int64_t i = 0;; ++i) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return count;
    MVM_TRY(bool equal, EqualValues(ts, item, v));
    if (equal) {
      ++count;
      if (first) {
        *first = i;
        return count;
      }
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<bool> range_contains(ThreadState& ts, Value self, Value v) {
  if (IsPlainInt(v)) {
    MVM_TRY(Ref<> i, IndexOfInt(ts, self.as<RangeObject>(), v));
    return IntSign(i) >= 0;
  }
  int64_t first = -1;
  MVM_TRY(int64_t count, CountBySearch(ts, self, v, &first));
  return count > 0;
}

Result<> range_count(ThreadState& ts, Args args) {
  if (IsPlainInt(args[1])) {
    MVM_TRY(bool inside, range_contains(ts, args[0], args[1]));
    return Small(inside);
  }
  MVM_TRY(int64_t count, CountBySearch(ts, args[0], args[1], nullptr));
  return NewInt(ts, count);
}

Result<> range_index(ThreadState& ts, Args args) {
  if (IsPlainInt(args[1])) {
    MVM_TRY(Ref<> i, IndexOfInt(ts, args.self<RangeObject>(), args[1]));
    if (IntSign(i) >= 0) return i;
    return Raise(ts, Exc::kValueError, "%R is not in range", args[1]);
  }
  int64_t first = -1;
  MVM_TRY(int64_t count, CountBySearch(ts, args[0], args[1], &first));
  if (count == 0) return Raise(ts, Exc::kValueError, "sequence.index(x): x not in sequence");
  return NewInt(ts, first);
}

Result<> range_reduce(ThreadState& ts, Args args) {
  const RangeObject* r = args.self<RangeObject>();
  Value bounds[] = {r->start, r->stop, r->step};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, bounds));
  Value state[] = {TypeById(ts, TypeId::kRange), call_args};
  return NewTuple(ts, state);
}

Result<> range_start(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<RangeObject>()->start);
}
Result<> range_stop(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<RangeObject>()->stop);
}
Result<> range_step(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<RangeObject>()->step);
}

const MethodSpec kRangeMethods[] = {
    {"__reduce__(self, /)", range_reduce, "What pickle and copy need to make the object again."},
    {"__reversed__(self, /)", range_reversed, "An iterator from the last number to the first."},
    {"count(self, value, /)", range_count, "1 if the value is in the range, else 0."},
    {"index(self, value, /)", range_index,
     "The position of the value; ValueError where it is not in the range."},
};
const GetSetSpec kRangeGetSets[] = {{"start", range_start, SetReadOnlyMember},
                                    {"step", range_step, SetReadOnlyMember},
                                    {"stop", range_stop, SetReadOnlyMember}};

// ---- iterators ----

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_next(ThreadState&, Value self) {
  RangeIterator* it = self.as<RangeIterator>();
  if (it->remaining <= 0) return Result<>::Done();
  const int64_t value = it->current;
  it->current += it->step;
  --it->remaining;
  return Small(value);
}

Result<> iter_length_hint(ThreadState& ts, Args args) {
  return Small(args.self<RangeIterator>()->remaining);
}

// (iter, (range of what is left,), None)
Result<> ReduceRest(ThreadState& ts, Value current, Value step, Value remaining) {
  MVM_TRY(Ref<> distance, IntMul(ts, step, remaining));
  MVM_TRY(Ref<> stop, IntAdd(ts, current, distance));
  MVM_TRY(Ref<RangeObject> rest, NewRange(ts, current, stop, step));
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  Value arg[] = {rest};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  Value state[] = {iter, call_args, ts.rt->none};
  return NewTuple(ts, state);
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const RangeIterator* it = args.self<RangeIterator>();
  return ReduceRest(ts, Value::Int(it->current), Value::Int(it->step), Value::Int(it->remaining));
}

Result<> iter_setstate(ThreadState& ts, Args args) {
  RangeIterator* it = args.self<RangeIterator>();
  MVM_TRY(int64_t skip, AsInt64(ts, args[1]));
  skip = std::clamp<int64_t>(skip, 0, it->remaining);
  it->current += skip * it->step;
  it->remaining -= skip;
  return None(ts);
}

Result<> long_next(ThreadState& ts, Value self) {
  LongRangeIterator* it = self.as<LongRangeIterator>();
  if (IntSign(it->remaining) <= 0) return Result<>::Done();
  MVM_TRY(Ref<> next, IntAdd(ts, it->current, it->step));
  MVM_TRY(Ref<> left, IntSub(ts, it->remaining, Value::Int(1)));
  Ref<> old_left = Ref<>::Steal(std::exchange(it->remaining, left.Release()));
  return Ref<>::Steal(std::exchange(it->current, next.Release()));
}

Result<> long_length_hint(ThreadState&, Args args) {
  return Result<>::Borrow(args.self<LongRangeIterator>()->remaining);
}

Result<> long_reduce(ThreadState& ts, Args args) {
  const LongRangeIterator* it = args.self<LongRangeIterator>();
  return ReduceRest(ts, it->current, it->step, it->remaining);
}

Result<> long_setstate(ThreadState& ts, Args args) {
  LongRangeIterator* it = args.self<LongRangeIterator>();
  if (!IsInt(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "state must be an int, not %T", args[1]);
  Ref<> skip = Ref<>::Borrow(args[1]);
  if (IntSign(skip) < 0) skip = Ref<>::Steal(Value::Int(0));
  if (IntCompare(skip, it->remaining) > 0) skip = Ref<>::Borrow(it->remaining);
  MVM_TRY(Ref<> distance, IntMul(ts, skip, it->step));
  MVM_TRY(Ref<> current, IntAdd(ts, it->current, distance));
  MVM_TRY(Ref<> left, IntSub(ts, it->remaining, skip));
  Ref<> old_current = Ref<>::Steal(std::exchange(it->current, current.Release()));
  Ref<> old_left = Ref<>::Steal(std::exchange(it->remaining, left.Release()));
  return None(ts);
}

constexpr const char* kHintDoc = "How many items are left, as far as is known.";
constexpr const char* kReduceDoc = "What pickle and copy need to make the object again.";
constexpr const char* kSetStateDoc = "Takes over a state that __reduce__() gave.";
const MethodSpec kIteratorMethods[] = {
    {"__length_hint__(self, /)", iter_length_hint, kHintDoc},
    {"__reduce__(self, /)", iter_reduce, kReduceDoc},
    {"__setstate__(self, object, /)", iter_setstate, kSetStateDoc},
};
const MethodSpec kLongIteratorMethods[] = {
    {"__length_hint__(self, /)", long_length_hint, kHintDoc},
    {"__reduce__(self, /)", long_reduce, kReduceDoc},
    {"__setstate__(self, object, /)", long_setstate, kSetStateDoc},
};

}  // namespace

const TypeSpec kRangeType = {
    .name = "range",
    .doc =
        "range(stop) or range(start, stop, step=1): evenly spaced integers.\n\n"
        "They go from start, 0 by default, up to but without stop, or down if step is negative.",
    .flags = kTypeSequence,
    .size = sizeof(RangeObject),
    .gc = LeafHooksOf<RangeObject>(),
    .slots = {.repr = range_repr,
              .hash = range_hash,
              .compare = range_compare,
              .iter = range_iter,
              .new_ = range_new,
              .len = range_len,
              .get_item = range_get_item,
              .contains = range_contains,
              .truth = range_truth},
    .methods = kRangeMethods,
    .getsets = kRangeGetSets,
};

const TypeSpec kRangeIteratorType = {
    .name = "range_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(RangeIterator),
    .slots = {.iter = iter_self, .next = iter_next},
    .methods = kIteratorMethods,
};

const TypeSpec kLongRangeIteratorType = {
    .name = "longrange_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(LongRangeIterator),
    .gc = LeafHooksOf<LongRangeIterator>(),
    .slots = {.iter = iter_self, .next = long_next},
    .methods = kLongIteratorMethods,
};

}  // namespace minivm
