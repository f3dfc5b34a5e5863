// Length, subscripts and membership by slot.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/range_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"

namespace minivm {

Result<int64_t> Length(ThreadState& ts, Value v) {
  const CoreSlots* slots = SlotsOf(ts, v);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->len != nullptr)) return slots->len(ts, v);
  return Raise(ts, Exc::kTypeError, "object of type '%T' has no len()", v);
}

namespace {

// What is left in the iterators that ListFrom and extend meet most; -1: some other object.
int64_t KnownHint(Value v) {
  if (IsExact(v, TypeId::kListIterator)) {
    const ListIterator* it = v.as<ListIterator>();
    return it->list && it->list->size > it->index ? static_cast<int64_t>(it->list->size - it->index)
                                                  : 0;
  }
  if (IsExact(v, TypeId::kTupleIterator)) {
    const TupleIterator* it = v.as<TupleIterator>();
    return it->tuple ? static_cast<int64_t>(it->tuple->size() - it->index) : 0;
  }
  if (IsExact(v, TypeId::kRangeIterator)) return v.as<RangeIterator>()->remaining;
  if (IsExact(v, TypeId::kGenerator)) return INT64_MIN;  // never has one
  return -1;
}

}  // namespace

Result<int64_t> LengthHint(ThreadState& ts, Value v, int64_t fallback) {
  const CoreSlots* slots = SlotsOf(ts, v);
  if (!slots) return kRaised;
  if (slots->len) {
    Result<int64_t> length = slots->len(ts, v);
    if (!length.raised()) return length;
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
  }
  const int64_t known = KnownHint(v);
  if (known >= 0) return known;
  if (known == INT64_MIN) return fallback;
  Result<> called = CallSpecial(ts, v, MVM_NAME(ts, __length_hint__));
  if (called.raised()) {
    if (ClearPendingIf(ts, Exc::kTypeError)) return fallback;
    return kRaised;
  }
  const Ref<> hint = called.Take();
  if (hint.is_absent() || IsNotImplemented(ts, hint)) return fallback;
  if (!IsInt(ts, hint)) {
    return Raise(ts, Exc::kTypeError, "__length_hint__ must be an integer, not %T", hint.get());
  }
  MVM_TRY(int64_t n, AsInt64(ts, hint));
  if (n < 0) return Raise(ts, Exc::kValueError, "__length_hint__() should return >= 0");
  return n;
}

Result<> ClassGetItem(ThreadState& ts, Args args) {
  return Call(ts, TypeById(ts, TypeId::kGenericAlias), args[0], args[1]);
}

namespace {

[[gnu::noinline]] Result<> GetItemOfClass(ThreadState& ts, Value object, Value key) {
  if (IsType(ts, object)) {
    // type[int] is an alias, although type has no __class_getitem__.
    if (object.is(TypeById(ts, TypeId::kType))) {
      return Call(ts, TypeById(ts, TypeId::kGenericAlias), object, key);
    }
    MVM_TRY(Ref<> method, GetAttrOptional(ts, object, MVM_NAME(ts, __class_getitem__)));
    if (!method.is_absent() && !IsNone(ts, method)) return Call(ts, method, key);
    return Raise(ts, Exc::kTypeError, "type '%N' is not subscriptable", object.as<TypeObject>());
  }
  return Raise(ts, Exc::kTypeError, "'%T' object is not subscriptable", object);
}

}  // namespace

Result<> GetItem(ThreadState& ts, Value object, Value key) {
  const CoreSlots* slots = SlotsOf(ts, object);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->get_item != nullptr)) return slots->get_item(ts, object, key);
  return GetItemOfClass(ts, object, key);
}

Status SetItem(ThreadState& ts, Value object, Value key, Value value) {
  const CoreSlots* slots = SlotsOf(ts, object);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->set_item != nullptr)) return slots->set_item(ts, object, key, value);
  if (value)
    return Raise(ts, Exc::kTypeError, "'%T' object does not support item assignment", object);
  // CPython has two places that say so: one for what counts as a sequence, one for the rest.
  const bool sequence =
      TypeOf(ts, object)->is_heap() || slots->get_item || slots->len || slots->contains;
  const bool indexed = key.is_int() || TypeOf(ts, key)->operators->index;
  return Raise(ts, Exc::kTypeError,
               sequence && indexed ? "'%T' object doesn't support item deletion"
                                   : "'%T' object does not support item deletion",
               object);
}

Result<bool> Contains(ThreadState& ts, Value container, Value item) {
  const CoreSlots* slots = SlotsOf(ts, container);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->contains != nullptr)) return slots->contains(ts, container, item);
  Result<> iterator = GetIter(ts, container);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "argument of type '%T' is not iterable", container);
  }
  const Ref<> it = iterator.Take();
  for (;;) {
    MVM_TRY(Ref<> next, Next(ts, it));
    if (next.is_done()) return false;
    MVM_TRY(bool equal, EqualValues(ts, next, item));
    if (equal) return true;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> GetIndex(ThreadState& ts, Value object, int64_t i) {
  if (IsExact(object, TypeId::kList)) {
    const ListObject* list = object.as<ListObject>();
    if (static_cast<uint64_t>(i) < list->size) return Result<>::Borrow(list->items[i]);
  } else if (IsExact(object, TypeId::kTuple)) {
    const TupleObject* t = object.as<TupleObject>();
    if (static_cast<uint64_t>(i) < t->size()) return Result<>::Borrow((*t)[static_cast<size_t>(i)]);
  }
  const CoreSlots* slots = SlotsOf(ts, object);
  if (!slots) return kRaised;
  if (!slots->get_item)
    return Raise(ts, Exc::kTypeError, "'%T' object does not support indexing", object);
  if (IsExactDict(object)) return Raise(ts, Exc::kTypeError, "%T is not a sequence", object);
  MVM_TRY(Ref<> index, NewInt(ts, i));
  return slots->get_item(ts, object, index);
}

}  // namespace minivm
