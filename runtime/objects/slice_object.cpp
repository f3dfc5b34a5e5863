// slice.
#include "runtime/objects/slice_object.h"

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/hash.h"

namespace minivm {

Result<SliceObject> NewSlice(ThreadState& ts, Value start, Value stop, Value step) {
  MVM_TRY(Ref<SliceObject> s, New<SliceObject>(ts, TypeId::kSlice));
  s->start = Ref<>::Borrow(start).Release();
  s->stop = Ref<>::Borrow(stop).Release();
  s->step = Ref<>::Borrow(step).Release();
  Track(s);
  return s;
}

namespace {

Raised NotAnIndex(ThreadState& ts) {
  return Raise(ts, Exc::kTypeError,
               "slice indices must be integers or None or have an __index__ method");
}

Result<int64_t> Bound(ThreadState& ts, Value v, int64_t fallback) {
  if (v.is_int()) return v.as_int();
  if (IsNone(ts, v)) return fallback;
  if (!HasIndex(ts, v)) return NotAnIndex(ts);
  return IndexAsInt64(ts, v, Exc::kCount);
}

}  // namespace

Status SliceUnpack(ThreadState& ts, SliceObject* s, int64_t* start, int64_t* stop, int64_t* step) {
  const Ref<SliceObject> pinned = Ref<SliceObject>::Borrow(s);
  MVM_TRY(*step, Bound(ts, s->step, 1));
  if (*step == 0) return Raise(ts, Exc::kValueError, "slice step cannot be zero");
  if (*step < -INT64_MAX) *step = -INT64_MAX;  // so that -step is one too
  MVM_TRY(*start, Bound(ts, s->start, *step < 0 ? INT64_MAX : 0));
  MVM_TRY(*stop, Bound(ts, s->stop, *step < 0 ? INT64_MIN : INT64_MAX));
  return Ok();
}

int64_t SliceAdjust(int64_t length, int64_t* start, int64_t* stop, int64_t step) {
  const auto clip = [&](int64_t i) {
    if (i < 0) {
      i += length;
      return i < 0 ? int64_t{step < 0 ? -1 : 0} : i;
    }
    return i >= length ? (step < 0 ? length - 1 : length) : i;
  };
  *start = clip(*start);
  *stop = clip(*stop);
  if (step < 0) return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
  return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

namespace {

// start, stop or step as an int of any size.
Result<> BigBound(ThreadState& ts, Value v) {
  if (!HasIndex(ts, v)) return NotAnIndex(ts);
  return Index(ts, v);
}

// A bound within [low, high] for a sequence of `length`.
Result<> BigClip(ThreadState& ts, Value v, Value length, Value low, Value high) {
  MVM_TRY(Ref<> i, BigBound(ts, v));
  if (IntSign(i) < 0) {
    MVM_TRY(i, IntAdd(ts, i, length));
    return IntCompare(i, low) < 0 ? Result<>::Borrow(low) : Result<>(std::move(i));
  }
  return IntCompare(i, high) > 0 ? Result<>::Borrow(high) : Result<>(std::move(i));
}

}  // namespace

Status SliceIndices(ThreadState& ts, SliceObject* s, Value length, Ref<>* start, Ref<>* stop,
                    Ref<>* step) {
  const Value zero = Value::Int(0);
  if (IsNone(ts, s->step)) {
    *step = Ref<>::Steal(Value::Int(1));
  } else {
    MVM_TRY(*step, BigBound(ts, s->step));
  }
  const int sign = IntSign(*step);
  if (sign == 0) return Raise(ts, Exc::kValueError, "slice step cannot be zero");
  // Bounds of the clipping: [0, length] forwards, [-1, length - 1] backwards.
  const Ref<> low = Ref<>::Steal(Value::Int(sign < 0 ? -1 : 0));
  Ref<> high = Ref<>::Borrow(length);
  if (sign < 0) {
    MVM_TRY(high, IntSub(ts, length, Value::Int(1)));
  }
  if (IsNone(ts, s->start)) {
    *start = sign < 0 ? high : Ref<>::Borrow(zero);
  } else {
    MVM_TRY(*start, BigClip(ts, s->start, length, low, high));
  }
  if (IsNone(ts, s->stop)) {
    *stop = sign < 0 ? low : high;
  } else {
    MVM_TRY(*stop, BigClip(ts, s->stop, length, low, high));
  }
  return Ok();
}

namespace {

Result<> slice_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.nkw > 0) return Raise(ts, Exc::kTypeError, "slice() takes no keyword arguments");
  if (raw.n < 1) return Raise(ts, Exc::kTypeError, "slice expected at least 1 argument, got 0");
  if (raw.n > 3)
    return Raise(ts, Exc::kTypeError, "slice expected at most 3 arguments, got %u", raw.n);
  const Value none = ts.rt->none;
  if (raw.n == 1) return NewSlice(ts, none, raw[0], none);
  return NewSlice(ts, raw[0], raw[1], raw.n > 2 ? raw[2] : none);
}

Result<> slice_repr(ThreadState& ts, Value self) {
  const SliceObject* s = self.as<SliceObject>();
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  return Format(ts, "slice(%R, %R, %R)", s->start, s->stop, s->step);
}

Result<TupleObject> AsTuple(ThreadState& ts, Value self) {
  const SliceObject* s = self.as<SliceObject>();
  Value items[] = {s->start, s->stop, s->step};
  return NewTuple(ts, items);
}

Result<int64_t> slice_hash(ThreadState& ts, Value self) {
  MVM_TRY(Ref<TupleObject> items, AsTuple(ts, self));
  return Hash(ts, items);
}

Result<> slice_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsExact(a, TypeId::kSlice) || !IsExact(b, TypeId::kSlice)) return NotImplemented(ts);
  if (a.is(b))
    return Bool(ts, op == CompareOp::kEq || op == CompareOp::kLe || op == CompareOp::kGe);
  MVM_TRY(Ref<TupleObject> x, AsTuple(ts, a));
  MVM_TRY(Ref<TupleObject> y, AsTuple(ts, b));
  return Compare(ts, x, y, op);
}

Result<> slice_indices(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> length, Index(ts, args[1]));
  if (IntSign(length) < 0) return Raise(ts, Exc::kValueError, "length should not be negative");
  Ref<> start, stop, step;
  MVM_TRY_VOID(SliceIndices(ts, args.self<SliceObject>(), length, &start, &stop, &step));
  Value items[] = {start, stop, step};
  return NewTuple(ts, items);
}

Result<> slice_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> items, AsTuple(ts, args[0]));
  Value state[] = {TypeById(ts, TypeId::kSlice), items};
  return NewTuple(ts, state);
}

Result<> slice_start(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<SliceObject>()->start);
}
Result<> slice_stop(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<SliceObject>()->stop);
}
Result<> slice_step(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<SliceObject>()->step);
}

const MethodSpec kSliceMethods[] = {
    {"__reduce__(self, /)", slice_reduce, "What pickle and copy need to make the object again."},
    {"indices(self, len, /)", slice_indices,
     "(start, stop, step) as they apply to a sequence of that length."},
};
const GetSetSpec kSliceGetSets[] = {{"start", slice_start, SetReadOnlyMember},
                                    {"step", slice_step, SetReadOnlyMember},
                                    {"stop", slice_stop, SetReadOnlyMember}};

}  // namespace

const TypeSpec kSliceType = {
    .name = "slice",
    .doc =
        "slice(stop) or slice(start, stop, step=None): what stands between the brackets of "
        "x[1:5:2].",
    .size = sizeof(SliceObject),
    .gc = {gc_internal::VisitHook<SliceObject>, nullptr, gc_internal::DestroyHook<SliceObject>},
    .slots = {.repr = slice_repr, .hash = slice_hash, .compare = slice_compare, .new_ = slice_new},
    .methods = kSliceMethods,
    .getsets = kSliceGetSets,
};

}  // namespace minivm
