// dict_keys, dict_values, dict_items and the six iterators of dict.
//
// Keys and items behave as sets: comparisons, isdisjoint and the operators - & | ^ with any
// iterable on the other side; results are sets.
#include "runtime/objects/dict_views.h"

#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"

namespace minivm {
namespace {

DictObject* DictOf(Value view) { return view.as<DictView>()->dict; }
// These types are derived from by the views of OrderedDict.
bool IsKeys(ThreadState& ts, Value v) { return IsInstance(ts, v, TypeById(ts, TypeId::kDictKeys)); }
bool IsItems(ThreadState& ts, Value v) {
  return IsInstance(ts, v, TypeById(ts, TypeId::kDictItems));
}
bool IsSetView(ThreadState& ts, Value v) { return IsKeys(ts, v) || IsItems(ts, v); }

Result<> Pair(ThreadState& ts, Value key, Value value) {
  Value pair[] = {key, value};
  return NewTuple(ts, pair);
}

Result<int64_t> view_len(ThreadState&, Value self) {
  return static_cast<int64_t>(DictSize(DictOf(self)));
}

Result<> view_repr(ThreadState& ts, Value self) {
  ReprGuard repr(ts, self.object());
  if (repr.inside()) return NewStr(ts, "...");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<ListObject> items, ListFrom(ts, self));
  return Format(ts, "%T(%R)", self, Value(items));
}

Result<> keys_iter(ThreadState& ts, Value self) {
  return NewDictIterator(ts, DictOf(self), TypeId::kDictKeyIterator);
}
Result<> values_iter(ThreadState& ts, Value self) {
  return NewDictIterator(ts, DictOf(self), TypeId::kDictValueIterator);
}
Result<> items_iter(ThreadState& ts, Value self) {
  return NewDictIterator(ts, DictOf(self), TypeId::kDictItemIterator);
}

Result<bool> keys_contains(ThreadState& ts, Value self, Value key) {
  return DictContains(ts, DictOf(self), key);
}
Result<bool> items_contains(ThreadState& ts, Value self, Value item) {
  if (!IsTuple(ts, item) || item.as<TupleObject>()->size() != 2) return false;
  const TupleObject* pair = item.as<TupleObject>();
  MVM_TRY(Value * place, DictFind(ts, DictOf(self), (*pair)[0]));
  if (!place) return false;
  const Ref<> found = Ref<>::Borrow(*place);
  return EqualValues(ts, found, (*pair)[1]);
}

// ---- as sets ----

Result<bool> AllContained(ThreadState& ts, Value items, Value container) {
  MVM_TRY(Ref<> it, GetIter(ts, items));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return true;
    MVM_TRY(bool inside, Contains(ts, container, item));
    if (!inside) return false;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> view_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsAnySet(ts, b) && !IsSetView(ts, b)) return NotImplemented(ts);
  MVM_TRY(int64_t len_a, Length(ts, a));
  MVM_TRY(int64_t len_b, Length(ts, b));
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  bool ok = false;
  switch (op) {
    case CompareOp::kEq:
    case CompareOp::kNe:
      if (len_a == len_b) {
        MVM_TRY(ok, AllContained(ts, a, b));
      }
      return Bool(ts, ok == (op == CompareOp::kEq));
    case CompareOp::kLt:
      if (len_a < len_b) {
        MVM_TRY(ok, AllContained(ts, a, b));
      }
      break;
    case CompareOp::kLe:
      if (len_a <= len_b) {
        MVM_TRY(ok, AllContained(ts, a, b));
      }
      break;
    case CompareOp::kGt:
      if (len_a > len_b) {
        MVM_TRY(ok, AllContained(ts, b, a));
      }
      break;
    case CompareOp::kGe:
      if (len_a >= len_b) {
        MVM_TRY(ok, AllContained(ts, b, a));
      }
      break;
  }
  return Bool(ts, ok);
}

Result<> view_sub(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<SetObject> result, NewSetFrom(ts, a));
  MVM_TRY_VOID(ForEach(ts, b, [&](Value item) -> Status {
    MVM_TRY_VOID(SetDiscard(ts, result, item));
    return Ok();
  }));
  return result;
}

Result<> view_and(ThreadState& ts, Value a, Value b) {
  // The view answers membership, unless a set is larger; of two views the smaller one is walked.
  if (!IsSetView(ts, a)) std::swap(a, b);
  if (IsExact(b, TypeId::kSet) && DictSize(DictOf(a)) <= b.as<SetObject>()->used) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "intersection"));
    return CallMethod(ts, b, name, a);
  }
  if (IsSetView(ts, b) && DictSize(DictOf(b)) > DictSize(DictOf(a))) std::swap(a, b);
  MVM_TRY(Ref<SetObject> result, NewSet(ts));
  MVM_TRY_VOID(ForEach(ts, b, [&](Value item) -> Status {
    MVM_TRY(bool inside, IsKeys(ts, a) ? keys_contains(ts, a, item) : items_contains(ts, a, item));
    if (inside) MVM_TRY_VOID(SetAdd(ts, result, item));
    return Ok();
  }));
  return result;
}

Result<> view_or(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<SetObject> result, NewSetFrom(ts, a));
  MVM_TRY_VOID(SetUpdate(ts, result, b));
  return result;
}

Result<> view_xor(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<SetObject> left, NewSetFrom(ts, a));
  MVM_TRY(Ref<SetObject> right, NewSetFrom(ts, b));
  return Binary(ts, BinaryOp::kXor, left, right);
}

Result<> view_isdisjoint(ThreadState& ts, Args args) {
  Value view = args[0], other = args[1];
  if (IsSetView(ts, other) && DictSize(DictOf(other)) > DictSize(DictOf(view)))
    std::swap(view, other);
  MVM_TRY(Ref<> it, GetIter(ts, other));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return Bool(ts, true);
    MVM_TRY(bool inside, Contains(ts, view, item));
    if (inside) return Bool(ts, false);
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> keys_reversed(ThreadState& ts, Args args) {
  return NewDictIterator(ts, DictOf(args[0]), TypeId::kDictReverseKeyIterator);
}
Result<> values_reversed(ThreadState& ts, Args args) {
  return NewDictIterator(ts, DictOf(args[0]), TypeId::kDictReverseValueIterator);
}
Result<> items_reversed(ThreadState& ts, Args args) {
  return NewDictIterator(ts, DictOf(args[0]), TypeId::kDictReverseItemIterator);
}

Result<> view_mapping(ThreadState& ts, Value self) {
  return Call(ts, TypeById(ts, TypeId::kMappingProxy), DictOf(self));
}

constexpr const char* kReversedDoc = "An iterator from the newest entry to the oldest.";
constexpr const char* kDisjointDoc = "Whether no item of the iterable is in the view.";
const MethodSpec kKeysMethods[] = {{"__reversed__(self, /)", keys_reversed, kReversedDoc},
                                   {"isdisjoint(self, other, /)", view_isdisjoint, kDisjointDoc}};
const MethodSpec kValuesMethods[] = {{"__reversed__(self, /)", values_reversed, kReversedDoc}};
const MethodSpec kItemsMethods[] = {{"__reversed__(self, /)", items_reversed, kReversedDoc},
                                    {"isdisjoint(self, other, /)", view_isdisjoint, kDisjointDoc}};
const GetSetSpec kViewGetSets[] = {
    {"mapping", view_mapping, nullptr, "The dict behind the view, read-only."}};

// A view never changes after construction: cycles through it are broken at the dict.
constexpr GcHooks kViewGc = {gc_internal::VisitHook<DictView>, nullptr,
                             gc_internal::DestroyHook<DictView>};

// ---- iterators ----

// The next key and value; false at the end, or raises.
template <bool kReverse>
inline Result<bool> Step(ThreadState& ts, DictIterator* it, Value* key, Value* value) {
  DictObject* d = it->dict;
  if (!d) return false;
  if (MVM_UNLIKELY(DictSize(d) != it->expected)) {
    it->expected = UINT64_MAX;  // stays in error
    return Raise(ts, Exc::kRuntimeError, kDictChangedSize);
  }
  bool more;
  size_t pos = it->position;
  if constexpr (kReverse) {
    more = DictPrevious(ts, d, &pos, key, value);
  } else {
    more = DictNext(ts, d, &pos, key, value);
  }
  if (MVM_LIKELY(more) && MVM_UNLIKELY(it->remaining == 0)) {
    it->dict = nullptr;
    Decref(d);
    return Raise(ts, Exc::kRuntimeError, "dictionary keys changed during iteration");
  }
  it->position = pos;
  if (more) {
    --it->remaining;
    return true;
  }
  it->dict = nullptr;
  Decref(d);
  return false;
}

template <bool kReverse>
Result<> key_next(ThreadState& ts, Value self) {
  Value k, v;
  MVM_TRY(bool more, Step<kReverse>(ts, self.as<DictIterator>(), &k, &v));
  return more ? Result<>::Borrow(k) : Result<>::Done();
}
template <bool kReverse>
Result<> value_next(ThreadState& ts, Value self) {
  Value k, v;
  MVM_TRY(bool more, Step<kReverse>(ts, self.as<DictIterator>(), &k, &v));
  return more ? Result<>::Borrow(v) : Result<>::Done();
}
template <bool kReverse>
Result<> item_next(ThreadState& ts, Value self) {
  Value k, v;
  MVM_TRY(bool more, Step<kReverse>(ts, self.as<DictIterator>(), &k, &v));
  if (!more) return Result<>::Done();
  return PairAgain(ts, &self.as<DictIterator>()->last, Ref<>::Borrow(k), Ref<>::Borrow(v));
}

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_length_hint(ThreadState& ts, Args args) {
  DictIterator* it = args.self<DictIterator>();
  const bool valid = it->dict && DictSize(it->dict) == it->expected;
  return NewInt(ts, valid ? static_cast<int64_t>(it->remaining) : 0);
}

// (iter, ([what is left],)); the iterator itself does not move.
Result<> iter_reduce(ThreadState& ts, Args args) {
  DictIterator* it = args.self<DictIterator>();
  MVM_TRY(Ref<DictIterator> copy, New<DictIterator>(ts, it->shape_id));
  if (it->dict) {
    Incref(it->dict);
    copy->dict = it->dict;
    copy->position = it->position;
    copy->expected = it->expected;
    copy->remaining = it->remaining;
  }
  Track(copy);
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  MVM_TRY(Ref<ListObject> rest, ListFrom(ts, copy));
  Value rest_arg[] = {rest};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, rest_arg));
  return Pair(ts, iter, call_args);
}

const MethodSpec kIteratorMethods[] = {
    {"__length_hint__(self, /)", iter_length_hint, "How many items are left, as far as is known."},
    {"__reduce__(self, /)", iter_reduce, "What pickle and copy need to make the object again."},
};

constexpr GcHooks kIteratorGc = {gc_internal::VisitHook<DictIterator>, nullptr,
                                 gc_internal::DestroyHook<DictIterator>};

constexpr TypeSpec IteratorSpec(const char* name, NextFn next) {
  TypeSpec spec;
  spec.name = name;
  spec.flags = kTypeNoNew;
  spec.size = sizeof(DictIterator);
  spec.gc = kIteratorGc;
  spec.slots.iter = iter_self;
  spec.slots.next = next;
  spec.methods = kIteratorMethods;
  return spec;
}

}  // namespace

Result<DictView> NewDictView(ThreadState& ts, DictObject* d, TypeId kind) {
  MVM_TRY(Ref<DictView> view, New<DictView>(ts, kind));
  Incref(d);
  view->dict = d;
  Track(view);
  return view;
}

Result<DictIterator> NewDictIterator(ThreadState& ts, DictObject* d, TypeId kind) {
  const bool reverse = kind == TypeId::kDictReverseKeyIterator ||
                       kind == TypeId::kDictReverseValueIterator ||
                       kind == TypeId::kDictReverseItemIterator;
  if (reverse) MVM_TRY_VOID(DictLeaveSlots(ts, d));
  MVM_TRY(Ref<DictIterator> it, New<DictIterator>(ts, kind));
  Incref(d);
  it->dict = d;
  it->position = reverse ? SIZE_MAX : 0;
  it->expected = it->remaining = DictSize(d);
  Track(it);
  return it;
}

const TypeSpec kDictKeysType = {
    .name = "dict_keys",
    .flags = kTypeNoNew,
    .size = sizeof(DictView),
    .gc = kViewGc,
    .slots = {.repr = view_repr,
              .hash = HashNotImplemented,
              .compare = view_compare,
              .iter = keys_iter,
              .len = view_len,
              .contains = keys_contains,
              .sub = view_sub,
              .and_ = view_and,
              .xor_ = view_xor,
              .or_ = view_or},
    .methods = kKeysMethods,
    .getsets = kViewGetSets,
};
const TypeSpec kDictValuesType = {
    .name = "dict_values",
    .flags = kTypeNoNew,
    .size = sizeof(DictView),
    .gc = kViewGc,
    .slots = {.repr = view_repr, .iter = values_iter, .len = view_len},
    .methods = kValuesMethods,
    .getsets = kViewGetSets,
};
const TypeSpec kDictItemsType = {
    .name = "dict_items",
    .flags = kTypeNoNew,
    .size = sizeof(DictView),
    .gc = kViewGc,
    .slots = {.repr = view_repr,
              .hash = HashNotImplemented,
              .compare = view_compare,
              .iter = items_iter,
              .len = view_len,
              .contains = items_contains,
              .sub = view_sub,
              .and_ = view_and,
              .xor_ = view_xor,
              .or_ = view_or},
    .methods = kItemsMethods,
    .getsets = kViewGetSets,
};

const TypeSpec kDictKeyIteratorType = IteratorSpec("dict_keyiterator", key_next<false>);
const TypeSpec kDictValueIteratorType = IteratorSpec("dict_valueiterator", value_next<false>);
const TypeSpec kDictItemIteratorType = IteratorSpec("dict_itemiterator", item_next<false>);
const TypeSpec kDictReverseKeyIteratorType =
    IteratorSpec("dict_reversekeyiterator", key_next<true>);
const TypeSpec kDictReverseValueIteratorType =
    IteratorSpec("dict_reversevalueiterator", value_next<true>);
const TypeSpec kDictReverseItemIteratorType =
    IteratorSpec("dict_reverseitemiterator", item_next<true>);

}  // namespace minivm
