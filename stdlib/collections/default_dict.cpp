// collections.defaultdict; _tuplegetter, the descriptor behind the fields of named tuples.
#include "runtime/gc/object_refs.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "runtime/protocol/repr_guard.h"
#include "stdlib/collections/collections_types.h"

namespace minivm {
namespace {

// ---- defaultdict ----

class DefaultDict : public DictObject {
 public:
  Value factory;  // null or None: no default
  template <class V>
  void VisitRefs(V&& v) {
    DictObject::VisitRefs(v);
    v(factory);
  }
};

bool HasFactory(ThreadState& ts, const DefaultDict* d) {
  return d->factory && !IsNone(ts, d->factory);
}
Value FactoryOf(ThreadState& ts, const DefaultDict* d) {
  return d->factory ? d->factory : Value(ts.rt->none);
}

void SetFactory(DefaultDict* d, Value factory) {
  Incref(factory);
  const Value old = std::exchange(d->factory, factory);
  Decref(old);
}

Result<> defaultdict_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

Status defaultdict_init(ThreadState& ts, Value self, Args raw) {
  DefaultDict* d = self.as<DefaultDict>();
  Value factory = ts.rt->none;
  if (raw.n > 0) {
    factory = raw[0];
    if (!IsNone(ts, factory) && !IsCallable(ts, factory)) {
      return Raise(ts, Exc::kTypeError, "first argument must be callable or None");
    }
    --raw.n;
    ++raw.v;
  }
  SetFactory(d, factory);
  return TypeById(ts, TypeId::kDict)->slots.init(ts, self, raw);
}

// The default for a missing key, entered.
Result<> Missing(ThreadState& ts, DefaultDict* d, Value key) {
  if (!HasFactory(ts, d)) return RaiseValue(ts, Exc::kKeyError, key);
  const Ref<> factory = Ref<>::Borrow(d->factory);
  MVM_TRY(Ref<> value, Call(ts, factory));
  MVM_TRY_VOID(SetItem(ts, d, key, value));
  return value;
}
Result<> defaultdict_missing(ThreadState& ts, Args args) {
  return Missing(ts, args.self<DefaultDict>(), args[1]);
}

Result<> defaultdict_get_item(ThreadState& ts, Value self, Value key) {
  DefaultDict* d = self.as<DefaultDict>();
  MVM_TRY(Value * place, DictFind(ts, d, key));
  if (MVM_LIKELY(place != nullptr)) return Result<>::Borrow(*place);
  if (!TypeOf(ts, self)->is_heap()) return Missing(ts, d, key);
  MVM_TRY(Ref<> value, CallSpecial(ts, self, MVM_NAME(ts, __missing__), {&key, 1}));
  if (!value.is_absent()) return value;
  return RaiseValue(ts, Exc::kKeyError, key);
}

// The type of defaultdicts, made with the module.
Result<TypeObject*> DefaultDictType(ThreadState& ts) { return TypeForSpec(ts, kDefaultDictType); }

// type(self)(factory, contents)
Result<> Remake(ThreadState& ts, Value self, Value contents) {
  return Call(ts, TypeOf(ts, self), FactoryOf(ts, self.as<DefaultDict>()), contents);
}
Result<> defaultdict_copy(ThreadState& ts, Args args) { return Remake(ts, args[0], args[0]); }

Result<> defaultdict_or(ThreadState& ts, Value a, Value b) {
  MVM_TRY(TypeObject * type, DefaultDictType(ts));
  const Value self = IsInstance(ts, a, type) ? a : b;
  const Value other = self.is(a) ? b : a;
  if (!IsDict(ts, other)) return NotImplemented(ts);
  MVM_TRY(Ref<> merged, Remake(ts, self, a));
  if (!IsDict(ts, merged)) {
    return Raise(ts, Exc::kTypeError, "expected a dict from %N(), not %T", TypeOf(ts, self),
                 merged.get());
  }
  MVM_TRY_VOID(DictUpdate(ts, merged.as<DictObject>(), b));
  return merged;
}

Result<> defaultdict_repr(ThreadState& ts, Value self) {
  const DefaultDict* d = self.as<DefaultDict>();
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<> contents, TypeById(ts, TypeId::kDict)->slots.repr(ts, self));
  const Value name = TypeOf(ts, self)->name;
  const Ref<> factory = Ref<>::Borrow(FactoryOf(ts, d));
  if (!factory.is_object()) return Format(ts, "%U(%R, %U)", name, factory.get(), contents.get());
  // Of a factory that leads back here, only dots.
  ReprGuard repr(ts, factory.object());
  if (repr.inside()) return Format(ts, "%U(..., %U)", name, contents.get());
  return Format(ts, "%U(%R, %U)", name, factory.get(), contents.get());
}

Result<> defaultdict_reduce(ThreadState& ts, Args args) {
  const DefaultDict* d = args.self<DefaultDict>();
  Value factory = FactoryOf(ts, d);
  MVM_TRY(Ref<TupleObject> call_args,
          HasFactory(ts, d) ? NewTuple(ts, {&factory, 1}) : NewTuple(ts, {}));
  MVM_TRY(Ref<> items, CallMethod(ts, args[0], MVM_NAME(ts, items)));
  MVM_TRY(Ref<> iterator, GetIter(ts, items));
  Value state[] = {TypeOf(ts, args[0]), call_args, ts.rt->none, ts.rt->none, iterator};
  return NewTuple(ts, state);
}

Result<> get_factory(ThreadState& ts, Value self) {
  return Result<>::Borrow(FactoryOf(ts, self.as<DefaultDict>()));
}
Status set_factory(ThreadState& ts, Value self, Value factory) {
  SetFactory(self.as<DefaultDict>(), factory ? factory : Value(ts.rt->none));
  return Ok();
}

const MethodSpec kDefaultDictMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585.", kMethodClass},
    {"__copy__(self, /)", defaultdict_copy, "A dict of the same keys, values and factory."},
    {"__missing__(self, key, /)", defaultdict_missing,
     "__missing__(key) # Called by __getitem__ for missing key; pseudo-code:\n"
     "  if self.default_factory is None: raise KeyError((key,))\n"
     "  self[key] = value = self.default_factory()\n  return value"},
    {"__reduce__(self, /)", defaultdict_reduce, "What pickle needs to make it again."},
    {"copy(self, /)", defaultdict_copy, "A dict of the same keys, values and factory."},
};
const GetSetSpec kDefaultDictGetSets[] = {
    {"default_factory", get_factory, set_factory,
     "Called with nothing for the value of a missing key; None: KeyError"}};

void defaultdict_gc_clear(Object* self) {
  DefaultDict* d = self->as<DefaultDict>();
  SetFactory(d, Value());
  DictClear(ThreadOf(self), d);
}

// ---- _tuplegetter ----

class TupleGetter : public Object {
 public:
  int64_t index = 0;
  Value doc;
  template <class V>
  void VisitRefs(V&& v) {
    v(doc);
  }
};

Result<> tuplegetter_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t index, AsInt64(ts, args[1]));
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  made.as<TupleGetter>()->index = index;
  made.as<TupleGetter>()->doc = Ref<>::Borrow(args[2]).Release();
  return made;
}

Result<> tuplegetter_get(ThreadState& ts, Value self, Value object, Value) {
  const TupleGetter* getter = self.as<TupleGetter>();
  if (!object) return Result<>::Borrow(self);
  if (MVM_LIKELY(IsTuple(ts, object))) {
    const TupleObject* t = object.as<TupleObject>();
    if (MVM_LIKELY(static_cast<uint64_t>(getter->index) < t->size())) {
      return Result<>::Borrow((*t)[static_cast<size_t>(getter->index)]);
    }
    return Raise(ts, Exc::kIndexError, "tuple index out of range");
  }
  if (IsNone(ts, object)) return Result<>::Borrow(self);
  return Raise(ts, Exc::kTypeError,
               "descriptor for index '%lld' for tuple subclasses doesn't apply to '%T' object",
               static_cast<long long>(getter->index), object);
}

Status tuplegetter_set(ThreadState& ts, Value, Value, Value value) {
  return Raise(ts, Exc::kAttributeError, value ? "can't set attribute" : "can't delete attribute");
}

Result<> tuplegetter_repr(ThreadState& ts, Value self) {
  const TupleGetter* getter = self.as<TupleGetter>();
  return Format(ts, "%U(%lld, %R)", Value(TypeOf(ts, self)->name),
                static_cast<long long>(getter->index), getter->doc);
}

Result<> tuplegetter_reduce(ThreadState& ts, Args args) {
  const TupleGetter* getter = args.self<TupleGetter>();
  Value values[] = {Value::Int(getter->index), getter->doc};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, values));
  Value state[] = {TypeOf(ts, args[0]), call_args};
  return NewTuple(ts, state);
}

Result<> tuplegetter_doc(ThreadState& ts, Value self) {
  const Value doc = self.as<TupleGetter>()->doc;
  return doc ? Result<>::Borrow(doc) : None(ts);
}
Status tuplegetter_set_doc(ThreadState& ts, Value self, Value value) {
  if (!value) value = ts.rt->none;
  Incref(value);
  const Value old = std::exchange(self.as<TupleGetter>()->doc, value);
  Decref(old);
  return Ok();
}

const MethodSpec kTupleGetterMethods[] = {
    {"__reduce__(self, /)", tuplegetter_reduce, "What pickle needs to make it again."}};
const GetSetSpec kTupleGetterGetSets[] = {{"__doc__", tuplegetter_doc, tuplegetter_set_doc}};

}  // namespace

const TypeSpec kDefaultDictType = {
    .name = "collections.defaultdict",
    .doc =
        "A dict whose d[key] makes a missing value by calling default_factory(), and keeps it.\n"
        "\n"
        "What follows the factory is for dict(). get() and setdefault() do not call it.",
    .base = &kDictType,
    .flags = kTypeBase,
    .size = sizeof(DefaultDict),
    .gc = {gc_internal::VisitHook<DefaultDict>, defaultdict_gc_clear,
           gc_internal::DestroyHook<DefaultDict>},
    .slots = {.repr = defaultdict_repr,
              .init = defaultdict_init,
              .new_ = defaultdict_new,
              .get_item = defaultdict_get_item,
              .or_ = defaultdict_or},
    .methods = kDefaultDictMethods,
    .getsets = kDefaultDictGetSets,
};

const TypeSpec kTupleGetterType = {
    .name = "collections._tuplegetter",
    .size = sizeof(TupleGetter),
    .gc = GcHooksOf<TupleGetter>(),
    .slots = {.repr = tuplegetter_repr, .descr_get = tuplegetter_get, .descr_set = tuplegetter_set},
    .construct = {"_tuplegetter(index, doc, /)", tuplegetter_new},
    .methods = kTupleGetterMethods,
    .getsets = kTupleGetterGetSets,
};

}  // namespace minivm
