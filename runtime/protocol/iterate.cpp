// The iteration protocol, and making lists and tuples of iterables.
#include "runtime/objects/functional.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/list_ops.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/draw.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"

namespace minivm {

Result<> GetIter(ThreadState& ts, Value v) {
  const CoreSlots* slots = SlotsOf(ts, v);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->iter != nullptr)) {
    Result<> made = slots->iter(ts, v);
    if (MVM_UNLIKELY(made.raised())) return kRaised;
    Ref<> it = made.Take();
    const CoreSlots* its = SlotsOf(ts, it);
    if (!its) return kRaised;
    if (MVM_UNLIKELY(!its->next)) {
      return Raise(ts, Exc::kTypeError, "iter() returned non-iterator of type '%T'", it.get());
    }
    return it;
  }
  // Of built-in types only sequences are iterated by index; a script class says so by __getitem__.
  const TypeObject* type = TypeOf(ts, v);
  if (slots->get_item && (type->is_heap() || type->has_flag(kTypeSequence)))
    return NewSequenceIterator(ts, v);
  return Raise(ts, Exc::kTypeError, "'%T' object is not iterable", v);
}

namespace {

inline Result<> Step(ThreadState& ts, Value iterator) {
  // Iterators over iterators over iterators recurse through here.
  RecursionGuard guard(ts, " in iteration");
  if (!guard) return kRaised;
  const CoreSlots* slots = SlotsOf(ts, iterator);
  if (!slots) return kRaised;
  if (MVM_LIKELY(slots->next != nullptr)) return slots->next(ts, iterator);
  return Raise(ts, Exc::kTypeError, "'%T' object is not an iterator", iterator);
}

}  // namespace

Result<> Next(ThreadState& ts, Value iterator) {
  if (IsExact(iterator, TypeId::kListIterator)) {
    ListIterator* it = iterator.as<ListIterator>();
    if (MVM_LIKELY(it->list != nullptr && it->index < it->list->size)) {
      return Result<>::Borrow(it->list->items[it->index++]);
    }
  }
  Result<> r = Step(ts, iterator);
  if (MVM_UNLIKELY(r.raised()) && ClearPendingIf(ts, Exc::kStopIteration)) return Result<>::Done();
  return r;
}

Result<> NextOrStop(ThreadState& ts, Value iterator) { return Step(ts, iterator); }

Drawing::Drawing(ThreadState& ts, Value iterator, Takes takes)
    : ts_(ts), iterator_(iterator), next_(TypeOf(ts, iterator)->slots.next), takes_(takes) {
  if (IsExact(iterator, TypeId::kGenerator) || IsExact(iterator, TypeId::kMap) ||
      IsExact(iterator, TypeId::kFilter)) {
    next_ = nullptr;
  }
}

Result<> Drawing::NextSlow() {
  if (MVM_LIKELY(next_ != nullptr)) {
    Result<> r = next_(ts_, iterator_);
    if (MVM_UNLIKELY(r.raised()) && ClearPendingIf(ts_, Exc::kStopIteration))
      return Result<>::Done();
    return r;
  }
  return ended_ ? Result<>::Done() : DrawMore();
}

Result<> Drawing::DrawMore() {
  at_ = count_ = 0;
  Value* items = reinterpret_cast<Value*>(words_);
  Batch batch(ts_, takes_, items, items + kSize - 1);
  Result<> r = ts_.rt->hooks.draw(ts_, iterator_, &batch);
  count_ = static_cast<uint32_t>(batch.to() - items);
  if (MVM_UNLIKELY(r.raised())) {
    if (!ClearPendingIf(ts_, Exc::kStopIteration)) {
      Drop();
      return kRaised;
    }
    r = Result<>::Done();
  }
  if (count_ == 0) return r;
  if (r.done()) {
    ended_ = true;
  } else {
    items[count_++] = r.word();
  }
  return Result<>::Steal(Taken());
}

void Drawing::Drop() {
  while (at_ != count_) (void)Ref<>::Steal(Taken());
}

Result<ListObject> ListFrom(ThreadState& ts, Value iterable) {
  if (IsExact(iterable, TypeId::kList)) {
    const ListObject* list = iterable.as<ListObject>();
    return NewList(ts, {list->items, list->size});
  }
  if (IsExact(iterable, TypeId::kTuple)) return NewList(ts, iterable.as<TupleObject>()->span());
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  MVM_TRY_VOID(ListExtendUnseen(ts, list, iterable));
  return list;
}

Result<TupleObject> TupleFrom(ThreadState& ts, Value iterable) {
  if (IsExact(iterable, TypeId::kTuple))
    return Ref<TupleObject>::Borrow(iterable.as<TupleObject>());
  if (IsExact(iterable, TypeId::kList)) {
    const ListObject* list = iterable.as<ListObject>();
    return NewTuple(ts, {list->items, list->size});
  }
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  MVM_TRY_VOID(ListExtendUnseen(ts, list, iterable));
  const uint64_t size = std::exchange(list->size, 0);
  return NewTupleSteal(ts, list->items, size);
}

Result<> FastSequence(ThreadState& ts, Value iterable, const char* message) {
  if (IsExact(iterable, TypeId::kList) || IsExact(iterable, TypeId::kTuple))
    return Result<>::Borrow(iterable);
  Result<> iterator = GetIter(ts, iterable);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "%s", message);
  }
  const Ref<> it = iterator.Take();
  return ListFrom(ts, it);
}

}  // namespace minivm
