// property. See property_object.h.
#include "runtime/objects/property_object.h"

#include "runtime/core/type_internal.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/attr_error.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

PropertyObject* Self(Value v) { return v.as<PropertyObject>(); }

void Assign(Value& field, Value v) {
  Ref<> old = Ref<>::Steal(std::exchange(field, Ref<>::Borrow(v).Release()));
}

// The name it goes by: set, or the getter's; Absent() if there is none.
Result<> NameOf(ThreadState& ts, PropertyObject* p) {
  if (p->name) return Result<>::Borrow(p->name);
  if (p->getter) return GetAttrOptional(ts, p->getter, MVM_NAME(ts, __name__));
  return Result<>::Steal(Value::Absent());
}

Raised RaiseMissing(ThreadState& ts, PropertyObject* p, Value object, const char* what) {
  MVM_TRY(Ref<> name, NameOf(ts, p));
  MVM_TRY(Ref<> type, GetAttr(ts, TypeOf(ts, object), MVM_NAME(ts, __qualname__)));
  if (name.is_absent()) {
    return Raise(ts, Exc::kAttributeError, "property of %R object has no %s", type.get(), what);
  }
  return Raise(ts, Exc::kAttributeError, "property %R of %R object has no %s", name.get(),
               type.get(), what);
}

Result<> property_get(ThreadState& ts, Value self, Value object, Value type) {
  if (object.is_null() || (IsNone(ts, object) && type.is_null())) return Result<>::Borrow(self);
  PropertyObject* p = Self(self);
  if (MVM_UNLIKELY(!p->getter)) return RaiseMissing(ts, p, object, "getter");
  Ref<> getter = Ref<>::Borrow(p->getter);
  return Call(ts, getter, object);
}

Status property_set(ThreadState& ts, Value self, Value object, Value value) {
  PropertyObject* p = Self(self);
  Ref<> fn = Ref<>::Borrow(value.is_null() ? p->deleter : p->setter);
  if (!fn) return RaiseMissing(ts, p, object, value.is_null() ? "deleter" : "setter");
  if (value.is_null()) {
    MVM_TRY_VOID(Call(ts, fn, object));
  } else {
    MVM_TRY_VOID(Call(ts, fn, object, value));
  }
  return Ok();
}

Result<> property_new(ThreadState& ts, Args args) {
  return AllocInstance(ts, args.self<TypeObject>());
}

Result<> property_init(ThreadState& ts, Args args) {
  PropertyObject* p = args.self<PropertyObject>();
  auto given = [&](uint32_t i) {
    Value v = args.get(i, ts.rt->none);
    return IsNone(ts, v) ? Value() : v;
  };
  // Call sites may have remembered the getter.
  if (p->getter) InvalidateAllTypes(ts);
  Assign(p->getter, given(1));
  Assign(p->setter, given(2));
  Assign(p->deleter, given(3));
  Assign(p->name, Value());
  p->doc_from_getter = false;
  Ref<> doc = Ref<>::Borrow(given(4));
  if (!doc && p->getter) {
    MVM_TRY(Ref<> inherited, GetAttrOptional(ts, p->getter, MVM_NAME(ts, __doc__)));
    if (!inherited.is_absent() && !IsNone(ts, inherited)) {
      doc = std::move(inherited);
      p->doc_from_getter = true;
    }
  }
  if (IsExact(p, TypeId::kProperty)) {
    Assign(p->doc, doc);
    return None(ts);
  }
  // In a subclass the class's own __doc__ would hide the field: the text goes where the instance's
  // attributes are. Where there is no room for it a text that was passed in is dropped.
  Value text = doc ? doc.get() : Value(ts.rt->none);
  if (SetAttr(ts, p, MVM_NAME(ts, __doc__), text).raised()) {
    if (p->doc_from_getter || !ClearPendingIf(ts, Exc::kAttributeError)) return kRaised;
  }
  return None(ts);
}

// A property of the same class with one function replaced.
Result<> Copy(ThreadState& ts, PropertyObject* p, Value getter, Value setter, Value deleter) {
  auto choose = [&](Value fresh, Value old) {
    if (!fresh.is_null() && !IsNone(ts, fresh)) return fresh;
    return old.is_null() ? Value(ts.rt->none) : old;
  };
  Value get = choose(getter, p->getter);
  Value doc = p->doc_from_getter && !IsNone(ts, get) ? Value() : p->doc;
  const Value args[] = {get, choose(setter, p->setter), choose(deleter, p->deleter),
                        doc.is_null() ? Value(ts.rt->none) : doc};
  MVM_TRY(Ref<> copy, Call(ts, TypeOf(ts, p), args));
  if (IsInstance(ts, copy, TypeById(ts, TypeId::kProperty))) Assign(Self(copy)->name, p->name);
  return copy;
}

Result<> property_getter(ThreadState& ts, Args args) {
  return Copy(ts, args.self<PropertyObject>(), args[1], Value(), Value());
}
Result<> property_setter(ThreadState& ts, Args args) {
  return Copy(ts, args.self<PropertyObject>(), Value(), args[1], Value());
}
Result<> property_deleter(ThreadState& ts, Args args) {
  return Copy(ts, args.self<PropertyObject>(), Value(), Value(), args[1]);
}

Result<> property_set_name(ThreadState& ts, Args args) {
  if (args.n != 3 || args.nkw) {
    return Raise(ts, Exc::kTypeError,
                 "__set_name__() takes 2 positional arguments but %u were given", args.n - 1);
  }
  Assign(args.self<PropertyObject>()->name, args[2]);
  return None(ts);
}

template <Value PropertyObject::*kField>
Result<> property_get_field(ThreadState& ts, Value self) {
  Value v = Self(self)->*kField;
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
Status property_set_doc(ThreadState& ts, Value self, Value value) {
  Assign(Self(self)->doc, value);
  return Ok();
}

Result<> property_get_name(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> name, NameOf(ts, Self(self)));
  if (!name.is_absent()) return name;
  return RaiseAttr(ts, self, MVM_NAME(ts, __name__),
                   "'property' object has no attribute '__name__'");
}
Status property_set_name_attr(ThreadState& ts, Value self, Value value) {
  Assign(Self(self)->name, value);
  return Ok();
}

Result<> property_get_abstract(ThreadState& ts, Value self) {
  PropertyObject* p = Self(self);
  for (Value fn : {p->getter, p->setter, p->deleter}) {
    if (fn.is_null()) continue;
    MVM_TRY(Ref<> v, GetAttrOptional(ts, fn, MVM_NAME(ts, __isabstractmethod__)));
    if (v.is_absent()) continue;
    MVM_TRY(bool abstract, Truth(ts, v));
    if (abstract) return Bool(ts, true);
  }
  return Bool(ts, false);
}

const MethodSpec kMethods[] = {
    {"__set_name__(...)", property_set_name, "Tells the property its name in the class."},
    {"deleter(self, fdel, /)", property_deleter, "Another property, which deletes with fdel."},
    {"getter(self, fget, /)", property_getter, "Another property, which reads with fget."},
    {"setter(self, fset, /)", property_setter, "Another property, which assigns with fset."},
};
const GetSetSpec kGetSets[] = {
    {"__doc__", property_get_field<&PropertyObject::doc>, property_set_doc},
    {"__isabstractmethod__", property_get_abstract},
    {"__name__", property_get_name, property_set_name_attr},
    {"fdel", property_get_field<&PropertyObject::deleter>, SetReadOnlyMember},
    {"fget", property_get_field<&PropertyObject::getter>, SetReadOnlyMember},
    {"fset", property_get_field<&PropertyObject::setter>, SetReadOnlyMember},
};

}  // namespace

extern const TypeSpec kPropertyType;
const TypeSpec kPropertyType = {
    .name = "property",
    .doc =
        "An attribute whose reading, assignment and deletion call functions.\n\n"
        "Without doc, the docstring is that of fget.",
    .flags = kTypeBase,
    .size = sizeof(PropertyObject),
    .gc = GcHooksOf<PropertyObject>(),
    .slots = {.descr_get = property_get, .descr_set = property_set},
    .construct = {"property(...)", property_new},
    .init = {"property(self, fget=None, fset=None, fdel=None, doc=None)", property_init},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm
