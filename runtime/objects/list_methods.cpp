// The type list: operators, methods, iterators.
#include <algorithm>
#include <cstring>

#include "runtime/gc/object_refs.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/list_ops.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {

Result<> NewListIterator(ThreadState& ts, ListObject* list) {
  MVM_TRY(Ref<ListIterator> it, New<ListIterator>(ts, TypeId::kListIterator));
  it->list = Ref<ListObject>::Borrow(list).Release();
  Track(it);
  return it;
}

namespace {

struct Items {
  ListObject* list;
  size_t size() const { return list->size; }
  Value item(size_t i) const { return list->items[i]; }
};
Items ItemsOf(Value v) { return {v.as<ListObject>()}; }

Result<> list_new(ThreadState& ts, TypeObject* cls, Args) {
  if (cls == TypeById(ts, TypeId::kList)) return NewListReserve(ts, 0);
  return AllocInstance(ts, cls);
}

Result<> list_init(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  if (list->size > 0) ListClear(ts, list);
  if (args.has(1)) MVM_TRY_VOID(ListExtend(ts, list, args[1]));
  return None(ts);
}

Result<> list_repr(ThreadState& ts, Value self) {
  return SequenceRepr(ts, self.object(), ItemsOf(self), "[", "]", "]", "[...]");
}

Result<> list_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsList(ts, a) || !IsList(ts, b)) return NotImplemented(ts);
  return CompareSequences(ts, ItemsOf(a), ItemsOf(b), op);
}

Result<> list_iter(ThreadState& ts, Value self) {
  return NewListIterator(ts, self.as<ListObject>());
}

Result<int64_t> list_len(ThreadState&, Value self) {
  return static_cast<int64_t>(self.as<ListObject>()->size);
}

Raised WrongIndexType(ThreadState& ts, Value key) {
  return Raise(ts, Exc::kTypeError, "list indices must be integers or slices, not %T", key);
}

Result<> list_get_item(ThreadState& ts, Value self, Value key) {
  ListObject* list = self.as<ListObject>();
  if (HasIndex(ts, key)) {
    MVM_TRY(int64_t i, SubscriptIndex(ts, key));
    if (i < 0) i += static_cast<int64_t>(list->size);
    if (MVM_UNLIKELY(static_cast<uint64_t>(i) >= list->size)) {
      return Raise(ts, Exc::kIndexError, "list index out of range");
    }
    return Result<>::Borrow(list->items[i]);
  }
  if (!IsExact(key, TypeId::kSlice)) return WrongIndexType(ts, key);
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
  const int64_t count = SliceAdjust(static_cast<int64_t>(list->size), &start, &stop, step);
  return ListGetSlice(ts, list, start, step, count);
}

Status SetSlice(ThreadState& ts, ListObject* list, SliceObject* slice, Value value) {
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, slice, &start, &stop, &step));
  if (!value) {
    const int64_t count = SliceAdjust(static_cast<int64_t>(list->size), &start, &stop, step);
    if (step == 1) return ListReplace(ts, list, start, std::max(start, stop), {});
    return ListDeleteStepped(ts, list, start, step, count);
  }
  // The new items may come from script code, so the list is looked at only afterwards; a list
  // assigned to a part of itself is copied first.
  Ref<> source;
  if (value.is(list)) {
    MVM_TRY(source, NewList(ts, {list->items, list->size}));
  } else {
    MVM_TRY(source, FastSequence(ts, value, "must assign iterable to extended slice"));
  }
  const bool is_list = IsList(ts, source);
  const std::span<const Value> items =
      is_list
          ? std::span<const Value>(source.as<ListObject>()->items, source.as<ListObject>()->size)
          : source.as<TupleObject>()->span();
  const int64_t count = SliceAdjust(static_cast<int64_t>(list->size), &start, &stop, step);
  if (step == 1) return ListReplace(ts, list, start, std::max(start, stop), items);
  if (static_cast<int64_t>(items.size()) != count) {
    return Raise(ts, Exc::kValueError,
                 "attempt to assign sequence of size %zu to extended slice of size %lld",
                 items.size(), static_cast<long long>(count));
  }
  return ListAssignStepped(ts, list, start, step, count, items.data());
}

Status list_set_item(ThreadState& ts, Value self, Value key, Value value) {
  ListObject* list = self.as<ListObject>();
  if (HasIndex(ts, key)) {
    MVM_TRY(int64_t i, SubscriptIndex(ts, key));
    if (i < 0) i += static_cast<int64_t>(list->size);
    if (MVM_UNLIKELY(static_cast<uint64_t>(i) >= list->size)) {
      return Raise(ts, Exc::kIndexError, "list assignment index out of range");
    }
    if (!value) return ListReplace(ts, list, i, i + 1, {});
    Incref(value);
    const Value old = std::exchange(list->items[i], value);
    Decref(old);
    return Ok();
  }
  if (!IsExact(key, TypeId::kSlice)) return WrongIndexType(ts, key);
  return SetSlice(ts, list, key.as<SliceObject>(), value);
}

Result<bool> list_contains(ThreadState& ts, Value self, Value item) {
  return SequenceContains(ts, ItemsOf(self), item);
}

Result<> list_concat(ThreadState& ts, Value a, Value b) {
  if (!IsList(ts, b))
    return Raise(ts, Exc::kTypeError, "can only concatenate list (not \"%T\") to list", b);
  ListObject *x = a.as<ListObject>(), *y = b.as<ListObject>();
  MVM_TRY(Ref<ListObject> result, NewListReserve(ts, x->size + y->size));
  Value* out = result->items;
  for (uint64_t i = 0; i < x->size; ++i) *out++ = Ref<>::Borrow(x->items[i]).Release();
  for (uint64_t i = 0; i < y->size; ++i) *out++ = Ref<>::Borrow(y->items[i]).Release();
  result->size = x->size + y->size;
  return result;
}

Result<> list_repeat(ThreadState& ts, Value self, int64_t count) {
  ListObject* list = self.as<ListObject>();
  if (count <= 0) return NewListReserve(ts, 0);
  MVM_TRY(Ref<ListObject> result, NewList(ts, {list->items, list->size}));
  MVM_TRY_VOID(ListRepeatInPlace(ts, result, count));
  return result;
}

Result<> list_iconcat(ThreadState& ts, Value self, Value other) {
  MVM_TRY_VOID(ListExtend(ts, self.as<ListObject>(), other));
  return Result<>::Borrow(self);
}

Result<> list_irepeat(ThreadState& ts, Value self, int64_t count) {
  MVM_TRY_VOID(ListRepeatInPlace(ts, self.as<ListObject>(), count));
  return Result<>::Borrow(self);
}

// ---- methods ----

Result<> list_append(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ListAppend(ts, args.self<ListObject>(), args[1]));
  return None(ts);
}

Result<> list_clear(ThreadState& ts, Args args) {
  ListClear(ts, args.self<ListObject>());
  return None(ts);
}

Result<> list_copy(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  return NewList(ts, {list->items, list->size});
}

Result<> list_count(ThreadState& ts, Args args) {
  return SequenceCount(ts, ItemsOf(args[0]), args[1]);
}

Result<> list_extend(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ListExtend(ts, args.self<ListObject>(), args[1]));
  return None(ts);
}

Result<> list_index(ThreadState& ts, Args args) {
  MVM_TRY(int64_t start, SliceBoundArgument(ts, args[2]));
  MVM_TRY(int64_t stop, args.has(3) ? SliceBoundArgument(ts, args[3]) : Result<int64_t>(INT64_MAX));
  MVM_TRY(int64_t i, SequenceFind(ts, ItemsOf(args[0]), args[1], start, stop));
  if (i < 0) return Raise(ts, Exc::kValueError, "%R is not in list", args[1]);
  return Small(i);
}

Result<> list_insert(ThreadState& ts, Args args) {
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  MVM_TRY_VOID(ListInsert(ts, args.self<ListObject>(), i, args[2]));
  return None(ts);
}

Result<> list_pop(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  int64_t i = -1;
  if (args[1].is_int()) {
    i = args[1].as_int();
  } else {
    MVM_TRY(i, AsInt64(ts, args[1]));
  }
  if (list->size == 0) return Raise(ts, Exc::kIndexError, "pop from empty list");
  if (i < 0) i += static_cast<int64_t>(list->size);
  if (static_cast<uint64_t>(i) >= list->size)
    return Raise(ts, Exc::kIndexError, "pop index out of range");
  Ref<> item = Ref<>::Steal(list->items[i]);
  const uint64_t tail = list->size - static_cast<uint64_t>(i) - 1;
  if (tail > 0)
    std::memmove(static_cast<void*>(list->items + i), list->items + i + 1, tail * sizeof(Value));
  --list->size;
  ListShrink(ts, list);
  return item;
}

Result<> list_remove(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  MVM_TRY(int64_t i, SequenceFind(ts, ItemsOf(args[0]), args[1], 0, INT64_MAX));
  if (i < 0) return Raise(ts, Exc::kValueError, "list.remove(x): x not in list");
  // The last comparison may have shortened the list.
  const int64_t size = static_cast<int64_t>(list->size);
  const int64_t start = std::min(i, size);
  MVM_TRY_VOID(ListReplace(ts, list, start, std::min(i + 1, size), {}));
  return None(ts);
}

Result<> list_reverse(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  if (list->size > 1) std::reverse(list->items, list->items + list->size);
  return None(ts);
}

Result<> list_reversed(ThreadState& ts, Args args) {
  ListObject* list = args.self<ListObject>();
  MVM_TRY(Ref<ListReverseIterator> it, New<ListReverseIterator>(ts, TypeId::kListReverseIterator));
  it->list = Ref<ListObject>::Borrow(list).Release();
  it->index = static_cast<int64_t>(list->size) - 1;
  Track(it);
  return it;
}

Result<> list_sizeof(ThreadState& ts, Args args) {
  return NewInt(ts, static_cast<int64_t>(sizeof(ListObject) +
                                         args.self<ListObject>()->capacity * sizeof(Value)));
}

Result<> list_sort(ThreadState& ts, Args args) {
  MVM_TRY(bool reverse, Truth(ts, args[2]));
  MVM_TRY_VOID(ListSort(ts, args.self<ListObject>(), args[1], reverse));
  return None(ts);
}

Result<> list_getitem_method(ThreadState& ts, Args args) {
  return list_get_item(ts, args[0], args[1]);
}

const MethodSpec kListMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"__getitem__(self, index, /)", list_getitem_method, "The item or slice at index."},
    {"__reversed__(self, /)", list_reversed, "An iterator from the last item to the first."},
    {"__sizeof__(self, /)", list_sizeof, "How many bytes the list takes, without its items."},
    {"append(self, object, /)", list_append, "Adds one item at the end."},
    {"clear(self, /)", list_clear, "Makes the list empty."},
    {"copy(self, /)", list_copy, "A new list of the same items."},
    {"count(self, value, /)", list_count, "How many items equal value."},
    {"extend(self, iterable, /)", list_extend, "Adds all items of the iterable at the end."},
    {"index(self, value, start=0, stop=9223372036854775807, /)", list_index,
     "The first position in [start, stop) with an item equal to value, or ValueError."},
    {"insert(self, index, object, /)", list_insert,
     "Puts object in front of the item at index, at the end if there is none."},
    {"pop(self, index=-1, /)", list_pop,
     "Takes out the item at index and gives it; IndexError where there is none."},
    {"remove(self, value, /)", list_remove,
     "Takes out the first item equal to value; ValueError where there is none."},
    {"reverse(self, /)", list_reverse, "Turns the order of the items round, in place."},
    {"sort(self, /, *, key=None, reverse=False)", list_sort,
     "Puts the items in order by <, in place; equal ones stay as they were.\n\n"
     "key(item) is compared instead of the item; reverse puts the greatest first."},
};

// ---- iterators ----

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_next(ThreadState&, Value self) {
  ListIterator* it = self.as<ListIterator>();
  ListObject* list = it->list;
  if (!list) return Result<>::Done();
  if (it->index < list->size) return Result<>::Borrow(list->items[it->index++]);
  it->list = nullptr;
  Decref(list);
  return Result<>::Done();
}

Result<> iter_length_hint(ThreadState& ts, Args args) {
  const ListIterator* it = args.self<ListIterator>();
  return Small(it->list && it->list->size > it->index
                   ? static_cast<int64_t>(it->list->size - it->index)
                   : 0);
}

// (function, ([],)) of an exhausted iterator, (function, (list,), index) of others.
Result<> ReduceIterator(ThreadState& ts, Value function, ListObject* list, int64_t index) {
  Ref<ListObject> source = Ref<ListObject>::Borrow(list);
  if (!list) {
    MVM_TRY(source, NewListReserve(ts, 0));
  }
  Value arg[] = {source};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  Value state[] = {function, call_args, Value::Int(index)};
  return NewTuple(ts, {state, list ? size_t{3} : size_t{2}});
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const ListIterator* it = args.self<ListIterator>();
  MVM_TRY(Ref<> function, BuiltinByName(ts, "iter"));
  const auto index = static_cast<int64_t>(it->index);
  return ReduceIterator(ts, function, index < 0 ? nullptr : it->list, index);
}

Result<> iter_setstate(ThreadState& ts, Args args) {
  ListIterator* it = args.self<ListIterator>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (it->list) {
    // In front of the list is as far away as behind it.
    it->index =
        static_cast<uint64_t>(std::clamp<int64_t>(i, -1, static_cast<int64_t>(it->list->size)));
  }
  return None(ts);
}

Result<> reverse_next(ThreadState&, Value self) {
  ListReverseIterator* it = self.as<ListReverseIterator>();
  ListObject* list = it->list;
  if (!list) return Result<>::Done();
  if (it->index >= 0 && static_cast<uint64_t>(it->index) < list->size) {
    return Result<>::Borrow(list->items[it->index--]);
  }
  it->index = -1;
  it->list = nullptr;
  Decref(list);
  return Result<>::Done();
}

Result<> reverse_length_hint(ThreadState& ts, Args args) {
  const ListReverseIterator* it = args.self<ListReverseIterator>();
  return Small(it->list && static_cast<int64_t>(it->list->size) > it->index ? it->index + 1 : 0);
}

Result<> reverse_reduce(ThreadState& ts, Args args) {
  const ListReverseIterator* it = args.self<ListReverseIterator>();
  MVM_TRY(Ref<> function, BuiltinByName(ts, "reversed"));
  return ReduceIterator(ts, function, it->index < 0 ? nullptr : it->list, it->index);
}

Result<> reverse_setstate(ThreadState& ts, Args args) {
  ListReverseIterator* it = args.self<ListReverseIterator>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (it->list) it->index = std::clamp<int64_t>(i, -1, static_cast<int64_t>(it->list->size) - 1);
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
const MethodSpec kReverseIteratorMethods[] = {
    {"__length_hint__(self, /)", reverse_length_hint, kHintDoc},
    {"__reduce__(self, /)", reverse_reduce, kReduceDoc},
    {"__setstate__(self, object, /)", reverse_setstate, kSetStateDoc},
};

// The collector empties a list as a whole, so that finalizers see a valid one.
void list_gc_clear(Object* self) { ListClear(ThreadOf(self), self->as<ListObject>()); }
void list_destroy(Heap& heap, Object* self) {
  ListObject* list = self->as<ListObject>();
  for (uint64_t i = list->size; i > 0; --i) Decref(list->items[i - 1]);
  list->FreeBuffers(heap);
}

}  // namespace

const TypeSpec kListType = {
    .name = "list",
    .doc = "A mutable sequence: empty, or of the items of the iterable.",
    .flags = kTypeBase | kTypeListSubclass | kTypeSequence | kTypeMatchSelf,
    .size = sizeof(ListObject),
    .gc = {gc_internal::VisitHook<ListObject>, list_gc_clear, list_destroy},
    .slots = {.repr = list_repr,
              .hash = HashNotImplemented,
              .compare = list_compare,
              .iter = list_iter,
              .new_ = list_new,
              .len = list_len,
              .get_item = list_get_item,
              .set_item = list_set_item,
              .contains = list_contains,
              .concat = list_concat,
              .repeat = list_repeat,
              .iconcat = list_iconcat,
              .irepeat = list_irepeat},
    .init = {"list(self, iterable=<unrepresentable>, /)", list_init},
    .methods = kListMethods,
};

const TypeSpec kListIteratorType = {
    .name = "list_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(ListIterator),
    .gc = {gc_internal::VisitHook<ListIterator>, nullptr, gc_internal::DestroyHook<ListIterator>},
    .slots = {.iter = iter_self, .next = iter_next},
    .methods = kIteratorMethods,
};

const TypeSpec kListReverseIteratorType = {
    .name = "list_reverseiterator",
    .flags = kTypeNoNew,
    .size = sizeof(ListReverseIterator),
    .gc = {gc_internal::VisitHook<ListReverseIterator>, nullptr,
           gc_internal::DestroyHook<ListReverseIterator>},
    .slots = {.iter = iter_self, .next = reverse_next},
    .methods = kReverseIteratorMethods,
};

}  // namespace minivm
