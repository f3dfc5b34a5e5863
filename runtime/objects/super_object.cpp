// super. See super_object.h.
#include "runtime/objects/super_object.h"

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

SuperObject* Self(Value v) { return v.as<SuperObject>(); }

template <class T>
void Assign(T*& field, T* v) {
  Ref<T> old = Ref<T>::Steal(std::exchange(field, Ref<T>::Borrow(v).Release()));
}

// The value behind `type` in the MRO of `start`, as it stands there; Absent() if there is none.
Result<> FindBehind(ThreadState& ts, TypeObject* type, TypeObject* start, StrObject* name) {
  if (!start->mro) return Result<>::Steal(Value::Absent());
  if (type == start && start->has_flag(kTypeLinearMro)) {
    Value found = TypeLookup(ts, (*start->bases)[0].as<TypeObject>(), name);
    return Result<>::Borrow(found.is_null() ? Value::Absent() : found);
  }
  Ref<TupleObject> mro = Ref<TupleObject>::Borrow(start->mro);
  uint32_t i = 0;
  while (i < mro->size() && (*mro)[i].object() != type) ++i;
  for (++i; i < mro->size(); ++i) {
    TypeObject* t = (*mro)[i].as<TypeObject>();
    MVM_TRY_VOID(TypeReady(ts, t));
    Value found = t->dict ? DictGetStr(ts, t->dict, name) : Value();
    if (!found.is_null()) return Result<>::Borrow(found);
  }
  return Result<>::Steal(Value::Absent());
}

// What FindBehind finds, as an attribute; Absent() if there is none. What is found is bound
// to `object` unless it may stay unbound (is_method).
Result<> LookupBehind(ThreadState& ts, TypeObject* type, Value object, TypeObject* start,
                      StrObject* name, bool* is_method) {
  MVM_TRY_VOID(TypeReady(ts, start));
  MVM_TRY(Ref<> held, FindBehind(ts, type, start, name));
  Value found = held.get();
  if (found.is_absent()) return held;
  TypeObject* ft = TypeOf(ts, found);
  // A class stands for itself: super(C, cls) looks up class attributes.
  bool unbound = object.is(start);
  if (is_method && !unbound && ft->has_flag(kTypeMethodDescriptor)) {
    *is_method = true;
    return held;
  }
  if (DescrGetFn get = ft->slots.descr_get)
    return get(ts, found, unbound ? Value() : object, start);
  return held;
}

Result<> super_getattro(ThreadState& ts, Value self, StrObject* name) {
  SuperObject* s = Self(self);
  if (s->object_type && name != MVM_NAME(ts, __class__)) {
    MVM_TRY(Ref<> v, LookupBehind(ts, s->type, s->object, s->object_type, name, nullptr));
    if (!v.is_absent()) return v;
  }
  return GenericGetAttr(ts, self, name);
}

Result<> super_new(ThreadState& ts, Args args) {
  return AllocInstance(ts, args.self<TypeObject>());
}

Result<> super_init(ThreadState& ts, Args args) {
  SuperObject* s = args.self<SuperObject>();
  if (args.nkw) return Raise(ts, Exc::kTypeError, "super() takes no keyword arguments");
  if (args.n > 3) {
    return Raise(ts, Exc::kTypeError, "super() expected at most 2 arguments, got %u", args.n - 1);
  }
  Ref<> type, object;
  if (args.n == 1) {
    if (!ts.rt->hooks.super_arguments)
      return Raise(ts, Exc::kRuntimeError, "super(): no arguments");
    MVM_TRY_VOID(ts.rt->hooks.super_arguments(ts, &type, &object));
  } else {
    type = Ref<>::Borrow(args[1]);
    if (args.n == 3 && !IsNone(ts, args[2])) object = Ref<>::Borrow(args[2]);
  }
  if (!IsType(ts, type)) {
    return Raise(ts, Exc::kTypeError, "super() argument 1 must be a type, not %T", type.get());
  }
  TypeObject* object_type = nullptr;
  if (object) {
    MVM_TRY(object_type, SuperCheck(ts, type.as<TypeObject>(), object));
  }
  Assign(s->type, type.as<TypeObject>());
  Assign(s->object_type, object_type);
  Ref<> old = Ref<>::Steal(std::exchange(s->object, object.Release()));
  return None(ts);
}

Result<> super_descr_get(ThreadState& ts, Value self, Value object, Value type) {
  SuperObject* s = Self(self);
  if (object.is_null() || IsNone(ts, object) || !s->object.is_null() || !s->type) {
    return Result<>::Borrow(self);
  }
  return Call(ts, TypeOf(ts, self), s->type, object);
}

Result<> super_repr(ThreadState& ts, Value self) {
  SuperObject* s = Self(self);
  if (!s->type) return NewStr(ts, "<super: <class 'NULL'>, NULL>");
  if (!s->object_type) return Format(ts, "<super: <class '%N'>, NULL>", s->type);
  return Format(ts, "<super: <class '%N'>, <%N object>>", s->type, s->object_type);
}

Result<> super_get_type(ThreadState& ts, Value self) {
  return Self(self)->type ? Result<>::Borrow(Self(self)->type) : None(ts);
}
Result<> super_get_self(ThreadState& ts, Value self) {
  return Self(self)->object ? Result<>::Borrow(Self(self)->object) : None(ts);
}
Result<> super_get_self_class(ThreadState& ts, Value self) {
  return Self(self)->object_type ? Result<>::Borrow(Self(self)->object_type) : None(ts);
}

const GetSetSpec kGetSets[] = {
    {"__self__", super_get_self, SetReadOnlyMember,
     "The object whose attributes are looked up, or None."},
    {"__self_class__", super_get_self_class, SetReadOnlyMember,
     "The class whose order of bases counts, or None."},
    {"__thisclass__", super_get_type, SetReadOnlyMember,
     "The class behind which the search begins."},
};

}  // namespace

Result<TypeObject*> SuperCheck(ThreadState& ts, TypeObject* type, Value object) {
  if (IsType(ts, object) && IsSubtype(object.as<TypeObject>(), type))
    return object.as<TypeObject>();
  TypeObject* t = TypeOf(ts, object);
  if (IsSubtype(t, type)) return t;
  MVM_TRY(Ref<> claimed, GetAttrOptional(ts, object, MVM_NAME(ts, __class__)));
  if (!claimed.is_absent() && IsType(ts, claimed) && claimed.object() != t &&
      IsSubtype(claimed.as<TypeObject>(), type)) {
    // Kept alive by the object's own say, not by us: classes are not made on the fly for this.
    return claimed.as<TypeObject>();
  }
  bool is_type = IsType(ts, object);
  return Raise(ts, Exc::kTypeError,
               "super(type, obj): obj (%s %N) is not an instance or subtype of type (%N).",
               is_type ? "type" : "instance of", is_type ? object.as<TypeObject>() : t, type);
}

Result<> SuperGetAttr(ThreadState& ts, TypeObject* type, Value object, StrObject* name,
                      bool* is_method) {
  if (is_method) *is_method = false;
  MVM_TRY(TypeObject * start, SuperCheck(ts, type, object));
  if (name != MVM_NAME(ts, __class__)) {
    MVM_TRY(Ref<> v, LookupBehind(ts, type, object, start, name, is_method));
    if (!v.is_absent()) return v;
  }
  // The super object's own attributes, and errors that name it.
  MVM_TRY(Ref<> s, Call(ts, TypeById(ts, TypeId::kSuper), type, object));
  return GetAttr(ts, s, name);
}

extern const TypeSpec kSuperType;
const TypeSpec kSuperType = {
    .name = "super",
    .doc =
        "super(), or super(cls, self): the attributes that the classes behind cls define.\n\n"
        "Without arguments, cls is the class around the method and self its first argument.",
    .flags = kTypeBase,
    .size = sizeof(SuperObject),
    .gc = GcHooksOf<SuperObject>(),
    .slots = {.repr = super_repr, .getattro = super_getattro, .descr_get = super_descr_get},
    .construct = {"super(...)", super_new},
    .init = {"__init__(...)", super_init},
    .getsets = kGetSets,
};

}  // namespace minivm
