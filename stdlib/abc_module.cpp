// The module _abc: registries and caches of abstract base classes.
//
// Each ABC keeps its data in the attribute _abc_impl. Caches hold weak references, so that classes
// can die; a negative answer is valid until something is registered anywhere (the VM's token).
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// Data of one ABC: sets of weak references.
class AbcDataObject : public Object {
 public:
  SetObject* registry = nullptr;
  SetObject* cache = nullptr;
  SetObject* negative = nullptr;
  uint64_t negative_token = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(registry);
    v(cache);
    v(negative);
  }
};

extern const TypeSpec kAbcDataType;
const TypeSpec kAbcDataType = {
    .name = "_abc._abc_data",
    .flags = kTypeNoNew,
    .size = sizeof(AbcDataObject),
    .gc = GcHooksOf<AbcDataObject>(),
};

Result<AbcDataObject*> DataOf(ThreadState& ts, Value cls) {
  MVM_TRY(Ref<> v, GetAttr(ts, cls, "_abc_impl"));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kAbcDataType));
  if (TypeOf(ts, v) != type) return Raise(ts, Exc::kTypeError, "_abc_impl is set to a wrong type");
  return v.as<AbcDataObject>();  // the class keeps it alive
}

Result<> WeakRefTo(ThreadState& ts, Value cls, Value callback) {
  Value ref = Value(TypeById(ts, TypeId::kWeakReference));
  return callback.is_null() ? Call(ts, ref, cls) : Call(ts, ref, cls, callback);
}

Status Remember(ThreadState& ts, SetObject*& set, Value cls) {
  if (set == nullptr) {
    MVM_TRY(Ref<SetObject> made, NewSet(ts));
    set = made.Release();
  }
  // Dead references are swept when the set has grown: no callback per class is needed.
  if (set->used >= 16 && (set->used & (set->used - 1)) == 0) {
    MVM_TRY(Ref<ListObject> all, ListFrom(ts, Value(set)));
    Untrack(all);  // not for scripts, which the collector would show it
    for (uint64_t i = 0; i < all->size; ++i) {
      MVM_TRY(Ref<> alive, Call(ts, all->items[i]));
      if (IsNone(ts, alive)) MVM_TRY_VOID(SetDiscard(ts, set, all->items[i]));
    }
  }
  MVM_TRY(Ref<> ref, WeakRefTo(ts, cls, Value()));
  MVM_TRY_VOID(SetAdd(ts, set, ref));
  return Ok();
}

Result<bool> Holds(ThreadState& ts, SetObject* set, Value cls) {
  if (set == nullptr || set->used == 0) return false;
  Result<> ref = WeakRefTo(ts, cls, Value());
  if (ref.raised()) {
    if (ClearPendingIf(ts, Exc::kTypeError)) return false;
    return kRaised;
  }
  Ref<> r = ref.Take();
  return SetContains(ts, set, r);
}

// Names of abstract methods of the class: new and inherited ones that are still abstract.
Status ComputeAbstract(ThreadState& ts, Value cls) {
  MVM_TRY(Ref<SetObject> names, NewSet(ts));
  TypeObject* type = cls.as<TypeObject>();
  MVM_TRY(Ref<> ns, GetAttr(ts, cls, MVM_NAME(ts, __dict__)));
  MVM_TRY(Ref<> items, CallMethod(ts, ns, MVM_NAME(ts, items)));
  MVM_TRY(Ref<ListObject> pairs, ListFrom(ts, items));
  Untrack(pairs);
  auto is_abstract = [&](Value v) -> Result<bool> {
    MVM_TRY(Ref<> flag, GetAttrOptional(ts, v, MVM_NAME(ts, __isabstractmethod__)));
    if (flag.is_absent()) return false;
    return Truth(ts, flag);
  };
  for (uint64_t i = 0; i < pairs->size; ++i) {
    TupleObject* pair = pairs->items[i].as<TupleObject>();
    MVM_TRY(bool abstract, is_abstract(pair->items()[1]));
    if (abstract) MVM_TRY_VOID(SetAdd(ts, names, pair->items()[0]));
  }
  for (Value base : type->bases->span()) {
    MVM_TRY(Ref<> inherited, GetAttrOptional(ts, base, MVM_NAME(ts, __abstractmethods__)));
    if (inherited.is_absent()) continue;
    MVM_TRY_VOID(ForEach(ts, inherited, [&](Value name) -> Status {
      if (!IsStr(ts, name)) return Ok();
      MVM_TRY(Ref<> v, GetAttrOptional(ts, cls, name.as<StrObject>()));
      if (v.is_absent()) return Ok();
      MVM_TRY(bool abstract, is_abstract(v));
      if (abstract) MVM_TRY_VOID(SetAdd(ts, names, name));
      return Ok();
    }));
  }
  MVM_TRY(Ref<SetObject> frozen, NewFrozenset(ts, Value(names.get())));
  return SetAttr(ts, cls, MVM_NAME(ts, __abstractmethods__), Value(frozen.get()));
}

Result<> abc_init(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ComputeAbstract(ts, args[0]));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kAbcDataType));
  MVM_TRY(Ref<AbcDataObject> data, New<AbcDataObject>(ts, type->shape_id_exact));
  Track(data.get());
  MVM_TRY_VOID(SetAttr(ts, args[0], "_abc_impl", Value(data.get())));
  // Sequence and Mapping (and what is derived from them) say how they match patterns.
  TypeObject* cls = args.as<TypeObject>(0);
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__abc_tpflags__"));
  Value flags = DictGetStr(ts, cls->dict, name);
  if (flags.is_int()) {
    int64_t bits = flags.as_int();
    if ((bits & 0x60) == 0x60) {
      return Raise(ts, Exc::kTypeError,
                   "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
    }
    if (bits & 0x20) cls->flags |= kTypeSequence;
    if (bits & 0x40) cls->flags |= kTypeMapping;
    MVM_TRY_VOID(SetAttr(ts, args[0], name, Value()));
  }
  return None(ts);
}

Result<> abc_register(ThreadState& ts, Args args) {
  Value self = args[0], subclass = args[1];
  if (!IsType(ts, subclass)) return Raise(ts, Exc::kTypeError, "Can only register classes");
  MVM_TRY(bool already, IsSubclassOf(ts, subclass, self));
  if (already) return Result<>::Borrow(subclass);
  MVM_TRY(bool cycle, IsSubclassOf(ts, self, subclass));
  if (cycle) return Raise(ts, Exc::kRuntimeError, "Refusing to create an inheritance cycle");
  MVM_TRY(AbcDataObject * data, DataOf(ts, self));
  MVM_TRY_VOID(Remember(ts, data->registry, subclass));
  ++ts.rt->abc_token;
  if (IsType(ts, self)) {
    AddFlagsToTree(subclass.as<TypeObject>(),
                   self.as<TypeObject>()->flags & (kTypeSequence | kTypeMapping));
  }
  return Result<>::Borrow(subclass);
}

Result<> abc_subclasscheck(ThreadState& ts, Args args) {
  Value self = args[0], subclass = args[1];
  if (!IsType(ts, subclass))
    return Raise(ts, Exc::kTypeError, "issubclass() arg 1 must be a class");
  MVM_TRY(AbcDataObject * data, DataOf(ts, self));
  MVM_TRY(bool cached, Holds(ts, data->cache, subclass));
  if (cached) return Bool(ts, true);
  if (data->negative_token < ts.rt->abc_token) {
    data->negative_token = ts.rt->abc_token;
    SetObject* old = std::exchange(data->negative, nullptr);
    if (old != nullptr) Decref(static_cast<Object*>(old));
  } else {
    MVM_TRY(bool no, Holds(ts, data->negative, subclass));
    if (no) return Bool(ts, false);
  }
  MVM_TRY(Ref<> hook, CallMethod(ts, self, MVM_NAME(ts, __subclasshook__), subclass));
  if (IsTrue(ts, hook)) {
    MVM_TRY_VOID(Remember(ts, data->cache, subclass));
    return Bool(ts, true);
  }
  if (IsFalse(ts, hook)) {
    MVM_TRY_VOID(Remember(ts, data->negative, subclass));
    return Bool(ts, false);
  }
  if (!IsNotImplemented(ts, hook)) {
    return Raise(ts, Exc::kAssertionError,
                 "__subclasshook__ must return either False, True, or NotImplemented");
  }
  bool yes = IsType(ts, self) && IsSubtype(subclass.as<TypeObject>(), self.as<TypeObject>());
  if (!yes && data->registry != nullptr) {
    MVM_TRY(Ref<ListObject> registered, ListFrom(ts, Value(data->registry)));
    Untrack(registered);
    for (uint64_t i = 0; !yes && i < registered->size; ++i) {
      MVM_TRY(Ref<> cls, Call(ts, registered->items[i]));
      if (IsNone(ts, cls)) continue;
      MVM_TRY(yes, IsSubclassOf(ts, subclass, cls));
    }
  }
  if (!yes) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__subclasses__"));
    MVM_TRY(Ref<> subclasses, CallMethod(ts, self, name));
    if (!IsList(ts, subclasses))
      return Raise(ts, Exc::kTypeError, "__subclasses__() must return a list");
    ListObject* list = subclasses.as<ListObject>();
    for (uint64_t i = 0; !yes && i < list->size; ++i) {
      Ref<> cls = Ref<>::Borrow(list->items[i]);
      MVM_TRY(yes, IsSubclassOf(ts, subclass, cls));
    }
  }
  MVM_TRY_VOID(Remember(ts, yes ? data->cache : data->negative, subclass));
  return Bool(ts, yes);
}

Result<> abc_instancecheck(ThreadState& ts, Args args) {
  Value self = args[0], instance = args[1];
  MVM_TRY(AbcDataObject * data, DataOf(ts, self));
  MVM_TRY(Ref<> subclass, GetAttr(ts, instance, MVM_NAME(ts, __class__)));
  MVM_TRY(bool cached, Holds(ts, data->cache, subclass));
  if (cached) return Bool(ts, true);
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__subclasscheck__"));
  Value type = Value(TypeOf(ts, instance));
  if (type.is(subclass)) {
    if (data->negative_token == ts.rt->abc_token) {
      MVM_TRY(bool no, Holds(ts, data->negative, subclass));
      if (no) return Bool(ts, false);
    }
    return CallMethod(ts, self, name, subclass);
  }
  MVM_TRY(Ref<> r, CallMethod(ts, self, name, subclass));
  MVM_TRY(bool yes, Truth(ts, r));
  if (yes) return r;
  return CallMethod(ts, self, name, type);
}

Result<> abc_get_cache_token(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(ts.rt->abc_token));
}
Result<> abc_get_dump(ThreadState& ts, Args args) {
  MVM_TRY(AbcDataObject * data, DataOf(ts, args[0]));
  Ref<> sets[3];
  SetObject* from[] = {data->registry, data->cache, data->negative};
  for (int i = 0; i < 3; ++i) {
    if (from[i] == nullptr) {
      MVM_TRY(sets[i], NewSet(ts));
    } else {
      MVM_TRY(sets[i], NewSetFrom(ts, Value(from[i])));
    }
  }
  Value row[] = {sets[0].get(), sets[1].get(), sets[2].get(),
                 Value::Int(static_cast<int64_t>(data->negative_token))};
  return NewTuple(ts, row);
}
void Empty(SetObject*& set) {
  SetObject* old = std::exchange(set, nullptr);
  if (old != nullptr) Decref(static_cast<Object*>(old));
}
Result<> abc_reset_registry(ThreadState& ts, Args args) {
  MVM_TRY(AbcDataObject * data, DataOf(ts, args[0]));
  Empty(data->registry);
  return None(ts);
}
Result<> abc_reset_caches(ThreadState& ts, Args args) {
  MVM_TRY(AbcDataObject * data, DataOf(ts, args[0]));
  Empty(data->cache);
  Empty(data->negative);
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"_abc_init(self, /)", abc_init,
     "Give a new abstract class its registry and its set of abstract names; called by ABCMeta "
     "alone."},
    {"_abc_instancecheck(self, instance, /)", abc_instancecheck},
    {"_abc_register(self, subclass, /)", abc_register},
    {"_abc_subclasscheck(self, subclass, /)", abc_subclasscheck},
    {"_get_dump(self, /)", abc_get_dump},
    {"_reset_caches(self, /)", abc_reset_caches},
    {"_reset_registry(self, /)", abc_reset_registry},
    {"get_cache_token()", abc_get_cache_token,
     "A number that grows at every register(): a cached answer that is older may be wrong."},
};

}  // namespace

extern const ModuleSpec k__abc_module;
const ModuleSpec k__abc_module = {
    .name = "_abc",
    .doc =
        "The native half of abc: registries, and the cached answers of isinstance() and "
        "issubclass().",
    .functions = kFunctions,
};

}  // namespace minivm
