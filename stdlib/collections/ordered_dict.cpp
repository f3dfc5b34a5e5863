// collections.OrderedDict.
//
// dict keeps insertion order already, and moves keys to either end at amortised constant cost; what
// this type adds is move_to_end, popitem(last=False), equality that minds the order, reverse views,
// and iterators that notice every change. Where a subclass may have overridden special methods,
// they are used, as if the type were written in the language.
#include "runtime/gc/object_refs.h"
#include "runtime/objects/dict_views.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"
#include "stdlib/collections/collections_types.h"

namespace minivm {
namespace {

class OrderedDict : public DictObject {
 public:
  DictObject* attributes = nullptr;  // __dict__; first, see dict_offset
  template <class V>
  void VisitRefs(V&& v) {
    DictObject::VisitRefs(v);
    v(attributes);
  }
};

enum class Yield : uint8_t { kKeys, kValues, kItems };

class OdictIterator : public Object {
 public:
  DictObject* dict = nullptr;  // null when exhausted
  size_t position = 0;
  size_t size = 0;
  uint32_t version = 0;
  Yield yield = Yield::kKeys;
  bool reverse = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
  }
};

bool IsExactType(ThreadState& ts, Value self) { return !TypeOf(ts, self)->is_heap(); }

Result<bool> IsOrderedDict(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kOrderedDictType));
  return IsInstance(ts, v, type);
}

// KeyError for a key as `raise KeyError, key` of old made it: None gives no argument, a tuple gives
// its items. So do move_to_end and pop, but not subscripts.
Raised RaiseMissing(ThreadState& ts, Value key) {
  if (IsNone(ts, key)) return RaiseNoMessage(ts, Exc::kKeyError);
  if (!IsTuple(ts, key)) return RaiseValue(ts, Exc::kKeyError, key);
  MVM_TRY(Ref<> error, Call(ts, ExcType(ts, Exc::kKeyError), key.as<TupleObject>()->span()));
  return RaiseObject(ts, error);
}

// ---- construction and update ----

// self.update(other): through __setitem__ where a subclass may have its own.
Status UpdateFrom(ThreadState& ts, Value self, Value other) {
  if (IsExactType(ts, self)) return DictUpdate(ts, self.as<DictObject>(), other);
  MVM_TRY(Ref<> keys, IsExactDict(other) ? CallMethod(ts, other, MVM_NAME(ts, keys))
                                         : GetAttrOptional(ts, other, MVM_NAME(ts, keys)));
  if (!keys.is_absent()) {
    if (!IsExactDict(other)) {
      MVM_TRY(keys, Call(ts, keys));
    }
    return ForEach(ts, keys, [&](Value key) -> Status {
      MVM_TRY(Ref<> value, GetItem(ts, other, key));
      return SetItem(ts, self, key, value);
    });
  }
  // Pairs, checked and collected by dict's own code, then set one by one.
  return ForEach(ts, other, [&](Value pair) -> Status {
    MVM_TRY(Ref<TupleObject> items, TupleFrom(ts, pair));
    if (items->size() != 2) {
      return Raise(ts, Exc::kValueError,
                   items->size() < 2 ? "need more than %u values to unpack"
                                     : "too many values to unpack (expected 2)",
                   items->size());
    }
    return SetItem(ts, self, (*items)[0], (*items)[1]);
  });
}

Status UpdateFromArgs(ThreadState& ts, Value self, Args raw) {
  if (raw.n == 1) MVM_TRY_VOID(UpdateFrom(ts, self, raw[0]));
  if (raw.nkw == 0) return Ok();
  const TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
  for (uint32_t i = 0; i < raw.nkw; ++i)
    MVM_TRY_VOID(SetItem(ts, self, (*names)[i], raw.v[raw.n + i]));
  return Ok();
}

Result<> odict_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

Status odict_init(ThreadState& ts, Value self, Args raw) {
  if (raw.n > 1) return Raise(ts, Exc::kTypeError, "expected at most 1 arguments, got %u", raw.n);
  return UpdateFromArgs(ts, self, raw);
}

Result<> odict_update(ThreadState& ts, Args args) {
  if (args.n > 2) {
    return Raise(ts, Exc::kTypeError, "update() takes at most 1 positional argument (%u given)",
                 args.n - 1);
  }
  MVM_TRY_VOID(UpdateFromArgs(ts, args[0], Args{args.v + 1, args.n - 1, args.nkw}));
  return None(ts);
}

Result<> odict_fromkeys(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, Call(ts, args[0]));
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value key) { return SetItem(ts, made, key, args[2]); }));
  return made;
}

Result<> odict_copy(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, Call(ts, TypeOf(ts, args[0])));
  OrderedDict* self = args.self<OrderedDict>();
  if (IsExactType(ts, args[0])) {
    MVM_TRY_VOID(DictUpdate(ts, made.as<DictObject>(), self));
  } else {
    size_t pos = 0;
    Value k, v;
    while (DictNext(ts, self, &pos, &k, &v)) {
      const Ref<> key = Ref<>::Borrow(k);
      MVM_TRY(Ref<> value, GetItem(ts, self, key));
      MVM_TRY_VOID(SetItem(ts, made, key, value));
    }
  }
  if (self->attributes && DictSize(self->attributes) > 0) {
    MVM_TRY(Ref<DictObject> attributes, InstanceDict(ts, made));
    MVM_TRY_VOID(DictUpdate(ts, attributes, self->attributes));
  }
  return made;
}

// ---- operators ----

Result<> odict_repr(ThreadState& ts, Value self) {
  const Value name = TypeOf(ts, self)->name;
  OrderedDict* d = self.as<OrderedDict>();
  if (DictSize(d) == 0) return Format(ts, "%U()", name);
  ReprGuard repr(ts, d);
  if (repr.inside()) return NewStr(ts, "...");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  Ref<DictObject> contents;
  if (IsExactType(ts, self)) {
    MVM_TRY(contents, DictCopy(ts, d));
  } else {
    MVM_TRY(Ref<> items, CallMethod(ts, self, MVM_NAME(ts, items)));
    MVM_TRY(contents, NewDict(ts));
    MVM_TRY_VOID(DictMergePairs(ts, contents, items, true));
  }
  return Format(ts, "%U(%R)", name, Value(contents));
}

Result<> odict_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsDict(ts, b) || (op != CompareOp::kEq && op != CompareOp::kNe)) return NotImplemented(ts);
  MVM_TRY(Ref<> same, TypeById(ts, TypeId::kDict)->slots.compare(ts, a, b, CompareOp::kEq));
  bool equal = IsTrue(ts, same);
  MVM_TRY(bool ordered, IsOrderedDict(ts, b));
  if (equal && ordered) {
    DictObject *x = a.as<DictObject>(), *y = b.as<DictObject>();
    const uint32_t version_x = x->version, version_y = y->version;
    size_t i = 0, k = 0;
    Value key_x, key_y, unused;
    while (equal && DictNext(ts, x, &i, &key_x, &unused)) {
      if (!DictNext(ts, y, &k, &key_y, &unused)) {
        equal = false;
        break;
      }
      const Ref<> keep_x = Ref<>::Borrow(key_x), keep_y = Ref<>::Borrow(key_y);
      MVM_TRY(equal, EqualValues(ts, keep_x, keep_y));
      MVM_TRY_VOID(Charge(ts, 1));
      if (x->version != version_x || y->version != version_y) {
        return Raise(ts, Exc::kRuntimeError, "OrderedDict mutated during iteration");
      }
    }
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<> odict_or(ThreadState& ts, Value a, Value b) {
  if (!IsDict(ts, a) || !IsDict(ts, b)) return NotImplemented(ts);
  MVM_TRY(bool a_is_ordered, IsOrderedDict(ts, a));
  MVM_TRY(Ref<> merged, Call(ts, TypeOf(ts, a_is_ordered ? a : b), a));
  MVM_TRY_VOID(UpdateFrom(ts, merged, b));
  return merged;
}

Result<> odict_ior(ThreadState& ts, Value self, Value other) {
  MVM_TRY_VOID(UpdateFrom(ts, self, other));
  return Result<>::Borrow(self);
}

// ---- methods ----

Result<> odict_clear(ThreadState& ts, Args args) {
  DictClear(ts, args.self<DictObject>());
  return None(ts);
}

Result<> odict_move_to_end(ThreadState& ts, Args args) {
  MVM_TRY(bool last, Truth(ts, args[2]));
  MVM_TRY(bool moved, DictMoveToEnd(ts, args.self<DictObject>(), args[1], last));
  if (!moved) return RaiseMissing(ts, args[1]);
  return None(ts);
}

Result<> odict_pop(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> value, DictPop(ts, args.self<DictObject>(), args[1]));
  if (!value.is_absent()) return value;
  if (args.has(2)) return Result<>::Borrow(args[2]);
  return RaiseMissing(ts, args[1]);
}

Result<> odict_popitem(ThreadState& ts, Args args) {
  MVM_TRY(bool last, Truth(ts, args[1]));
  Ref<> key, value;
  MVM_TRY(bool taken, DictPopEnd(ts, args.self<DictObject>(), last, &key, &value));
  if (!taken) return Raise(ts, Exc::kKeyError, "dictionary is empty");
  Value pair[] = {key, value};
  return NewTuple(ts, pair);
}

Result<> odict_setdefault(ThreadState& ts, Args args) {
  if (IsExactType(ts, args[0]))
    return DictSetDefault(ts, args.self<DictObject>(), args[1], args[2]);
  MVM_TRY(bool there, Contains(ts, args[0], args[1]));
  if (there) return GetItem(ts, args[0], args[1]);
  MVM_TRY_VOID(SetItem(ts, args[0], args[1], args[2]));
  return Result<>::Borrow(args[2]);
}

Result<> odict_reduce(ThreadState& ts, Args args) {
  Ref<> attributes = Ref<>::Borrow(ts.rt->none);
  MVM_TRY(Ref<> state_now, CallMethod(ts, args[0], MVM_NAME(ts, __getstate__)));
  if (!IsNone(ts, state_now)) attributes = state_now;
  MVM_TRY(Ref<> items, CallMethod(ts, args[0], MVM_NAME(ts, items)));
  MVM_TRY(Ref<> iterator, GetIter(ts, items));
  Value state[] = {TypeOf(ts, args[0]), ts.rt->empty_tuple, attributes, ts.rt->none, iterator};
  return NewTuple(ts, state);
}

Result<> odict_sizeof(ThreadState& ts, Args args) {
  return NewInt(ts, static_cast<int64_t>(DictSizeOf(args.self<DictObject>()) + sizeof(OrderedDict) -
                                         sizeof(DictObject)));
}

// ---- views ----

Result<> NewView(ThreadState& ts, const TypeSpec& spec, Value dict) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> view, AllocInstance(ts, type));
  view.as<DictView>()->dict = Ref<DictObject>::Borrow(dict.as<DictObject>()).Release();
  return view;
}
Result<> odict_keys(ThreadState& ts, Args args) { return NewView(ts, kOdictKeysType, args[0]); }
Result<> odict_values(ThreadState& ts, Args args) { return NewView(ts, kOdictValuesType, args[0]); }
Result<> odict_items(ThreadState& ts, Args args) { return NewView(ts, kOdictItemsType, args[0]); }

Result<> NewIterator(ThreadState& ts, DictObject* d, Yield yield, bool reverse) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kOdictIteratorType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  OdictIterator* it = made.as<OdictIterator>();
  it->dict = Ref<DictObject>::Borrow(d).Release();
  it->position = reverse ? SIZE_MAX : 0;
  it->size = DictSize(d);
  it->version = d->version;
  it->yield = yield;
  it->reverse = reverse;
  return made;
}

Result<> odict_iter(ThreadState& ts, Value self) {
  return NewIterator(ts, self.as<DictObject>(), Yield::kKeys, false);
}
Result<> odict_reversed(ThreadState& ts, Args args) {
  return NewIterator(ts, args.self<DictObject>(), Yield::kKeys, true);
}
template <Yield kYield>
Result<> view_iter(ThreadState& ts, Value self) {
  return NewIterator(ts, self.as<DictView>()->dict, kYield, false);
}
template <Yield kYield>
Result<> view_reversed(ThreadState& ts, Args args) {
  return NewIterator(ts, args.self<DictView>()->dict, kYield, true);
}

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_next(ThreadState& ts, Value self) {
  OdictIterator* it = self.as<OdictIterator>();
  DictObject* d = it->dict;
  if (!d) return Result<>::Done();
  if (it->version != d->version)
    return Raise(ts, Exc::kRuntimeError, "OrderedDict mutated during iteration");
  if (it->size != DictSize(d)) {
    it->size = SIZE_MAX;
    return Raise(ts, Exc::kRuntimeError, "OrderedDict changed size during iteration");
  }
  Value key, value;
  const bool more = it->reverse ? DictPrevious(ts, d, &it->position, &key, &value)
                                : DictNext(ts, d, &it->position, &key, &value);
  if (!more) {
    it->dict = nullptr;
    Decref(d);
    return Result<>::Done();
  }
  if (it->yield == Yield::kKeys) return Result<>::Borrow(key);
  const Ref<> kept = Ref<>::Borrow(key);
  Ref<> found = Ref<>::Borrow(value);
  if (!IsExactType(ts, d)) {
    // A subclass may compute its values.
    MVM_TRY(found, GetItem(ts, d, key));
  }
  if (it->yield == Yield::kValues) return found;
  Value pair[] = {kept, found};
  return NewTuple(ts, pair);
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const OdictIterator* it = args.self<OdictIterator>();
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kOdictIteratorType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  OdictIterator* copy = made.as<OdictIterator>();
  copy->dict = Ref<DictObject>::Borrow(it->dict).Release();
  copy->position = it->position;
  copy->size = it->size;
  copy->version = it->version;
  copy->yield = it->yield;
  copy->reverse = it->reverse;
  MVM_TRY(Ref<ListObject> rest, ListFrom(ts, made));
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  Value arg[] = {rest};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  Value state[] = {iter, call_args};
  return NewTuple(ts, state);
}

const MethodSpec kOrderedDictMethods[] = {
    {"__reduce__(self, /)", odict_reduce, "What pickle needs to make it again."},
    {"__reversed__(self, /)", odict_reversed, "od.__reversed__() <==> reversed(od)"},
    {"__sizeof__(self, /)", odict_sizeof, "Size of object in memory, in bytes."},
    {"clear(self, /)", odict_clear, "Leave nothing in the dictionary."},
    {"copy(self, /)", odict_copy, "A dictionary of the same class, items and order."},
    {"fromkeys(cls, iterable, value=None)", odict_fromkeys,
     "A dictionary that has value under each key of iterable.", kMethodClass},
    {"items(self, /)", odict_items, "A view of the (key, value) pairs, in order."},
    {"keys(self, /)", odict_keys, "A view of the keys, in order."},
    {"move_to_end(self, key, last=True)", odict_move_to_end,
     "Make key the last one, or the first if last is false. KeyError if it is not there."},
    {"pop(self, key, default=<unrepresentable>)", odict_pop,
     "Take key out and return its value; default if it is not there, KeyError without one."},
    {"popitem(self, last=True)", odict_popitem,
     "Take the last pair (key, value) out and return it, or the first if last is false. KeyError "
     "if empty."},
    {"setdefault(self, key, default=None)", odict_setdefault,
     "The value of key, which is default from now on if key was not there."},
    {"update(...)", odict_update,
     "Update the dict from a mapping or pairs, then from keyword arguments."},
    {"values(self, /)", odict_values, "A view of the values, in the order of their keys."},
};

const MethodSpec kKeysMethods[] = {{"__reversed__(self, /)", view_reversed<Yield::kKeys>}};
const MethodSpec kValuesMethods[] = {{"__reversed__(self, /)", view_reversed<Yield::kValues>}};
const MethodSpec kItemsMethods[] = {{"__reversed__(self, /)", view_reversed<Yield::kItems>}};
const MethodSpec kIteratorMethods[] = {
    {"__reduce__(self, /)", iter_reduce, "What pickle needs to make it again."}};

void odict_gc_clear(Object* self) {
  OrderedDict* d = self->as<OrderedDict>();
  const Ref<DictObject> attributes = Ref<DictObject>::Steal(std::exchange(d->attributes, nullptr));
  DictClear(ThreadOf(self), d);
}

constexpr TypeSpec ViewSpec(const char* name, const TypeSpec* base, UnaryFn iter,
                            Table<MethodSpec> methods) {
  TypeSpec spec;
  spec.name = name;
  spec.base = base;
  spec.flags = kTypeNoNew;
  spec.size = sizeof(DictView);
  spec.gc = {gc_internal::VisitHook<DictView>, nullptr, gc_internal::DestroyHook<DictView>};
  spec.slots.iter = iter;
  spec.methods = methods;
  return spec;
}

}  // namespace

const TypeSpec kOrderedDictType = {
    .name = "collections.OrderedDict",
    .doc = "A dict whose order can be changed and counts in comparisons between two of its kind.",
    .base = &kDictType,
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(OrderedDict),
    .gc = {gc_internal::VisitHook<OrderedDict>, odict_gc_clear,
           gc_internal::DestroyHook<OrderedDict>},
    .slots = {.repr = odict_repr,
              .hash = HashNotImplemented,
              .compare = odict_compare,
              .iter = odict_iter,
              .init = odict_init,
              .new_ = odict_new,
              .or_ = odict_or,
              .ior = odict_ior},
    .methods = kOrderedDictMethods,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(DictObject),
};

const TypeSpec kOdictKeysType =
    ViewSpec("odict_keys", &kDictKeysType, view_iter<Yield::kKeys>, kKeysMethods);
const TypeSpec kOdictValuesType =
    ViewSpec("odict_values", &kDictValuesType, view_iter<Yield::kValues>, kValuesMethods);
const TypeSpec kOdictItemsType =
    ViewSpec("odict_items", &kDictItemsType, view_iter<Yield::kItems>, kItemsMethods);

const TypeSpec kOdictIteratorType = {
    .name = "odict_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(OdictIterator),
    .gc = {gc_internal::VisitHook<OdictIterator>, nullptr, gc_internal::DestroyHook<OdictIterator>},
    .slots = {.iter = iter_self, .next = iter_next},
    .methods = kIteratorMethods,
};

}  // namespace minivm
