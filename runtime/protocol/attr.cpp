// Attribute access: what object.__getattribute__ and object.__setattr__ do, the four ways instances
// store attributes, and the texts of AttributeError.
//
// The order of a lookup is: data descriptor in the class, the instance's own attribute, other
// descriptor or value in the class. Class lookups go through the method cache (type_object.cpp),
// own attributes through the instance's shape or dictionary.
#include "runtime/protocol/attr_error.h"

#include "runtime/core/type_internal.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/slot_dict.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// ---- errors ----

Raised RaiseAttr(ThreadState& ts, Value object, StrObject* name, const char* format, ...) {
  // Lookups find nothing in a type that there was not enough memory to make ready.
  MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, object)));
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  MVM_TRY(Ref<StrObject> message, std::move(text));
  MVM_TRY(Ref<> error, NewException(ts, Exc::kAttributeError, message));
  AttributeErrorObject* e = error.as<AttributeErrorObject>();
  Ref<> old_name = Ref<>::Steal(std::exchange(e->name, Ref<>::Borrow(name).Release()));
  Ref<> old_object = Ref<>::Steal(std::exchange(e->object, Ref<>::Borrow(object).Release()));
  return RaiseObject(ts, error);
}

void AddAttributeContext(ThreadState& ts, Value object, StrObject* name) {
  if (!ts.HasPending() || !PendingIs(ts, Exc::kAttributeError)) return;
  AttributeErrorObject* e = ts.pending.as<AttributeErrorObject>();
  auto unset = [&](Value v) { return v.is_null() || IsNone(ts, v); };
  if (!unset(e->name) || !unset(e->object)) return;
  Ref<> old_name = Ref<>::Steal(std::exchange(e->name, Ref<>::Borrow(name).Release()));
  Ref<> old_object = Ref<>::Steal(std::exchange(e->object, Ref<>::Borrow(object).Release()));
}

namespace {

// ---- where instances keep attributes ----

// The field that holds the instance's dictionary; null if its attributes are elsewhere.
DictObject** DictField(TypeObject* type, Object* o) {
  if (type->storage == AttrStorage::kDictField) {
    return reinterpret_cast<DictObject**>(reinterpret_cast<char*>(o) + type->dict_offset);
  }
  return type->storage == AttrStorage::kVarTail ? VarTailDict(type, o) : nullptr;
}

bool HasOwnAttributes(TypeObject* type, Value v) {
  return v.is_object() && type->storage != AttrStorage::kNone;
}

// The instance's dictionary field, filled now if it was empty.
Result<DictObject*> EnsureDict(ThreadState& ts, DictObject** field) {
  if (!*field) {
    MVM_TRY(Ref<DictObject> d, NewDict(ts));
    *field = d.Release();
  }
  return *field;
}

// Puts the attributes of a shape-storage instance into a dictionary.
Status GoDictMode(ThreadState& ts, Object* o) {
  MVM_TRY(Ref<DictObject> d, InstanceDict(ts, o));
  return d->storage == DictStorage::kSlots ? SlotDictConvert(ts, d) : Ok();
}

Status StoreInShape(ThreadState& ts, Object* o, StrObject* name, Value value) {
  RuntimeState& rt = *ts.rt;
  Shape* shape = rt.shapes[o->shape_id].shape;
  if (MVM_LIKELY(!shape->dict_mode)) {
    int slot = shape->Find(name);
    Incref(value);
    if (slot >= 0) {
      Value old = std::exchange(*SlotAddress(rt, o, shape, slot), value);
      Decref(old);
      return Ok();
    }
    if (MVM_LIKELY(AddSlot(ts, o, shape, name, value))) return Ok();
    Ref<> held = Ref<>::Steal(value);
    MVM_TRY_VOID(GoDictMode(ts, o));
    return DictSetStr(ts, rt.extras[o->aux].dict, name, value);
  }
  Ref<DictObject> d = Ref<DictObject>::Borrow(rt.extras[o->aux].dict);
  return DictSetStr(ts, d, name, value);
}

// False if there was no such attribute.
Result<bool> DeleteFromShape(ThreadState& ts, Object* o, StrObject* name) {
  RuntimeState& rt = *ts.rt;
  Shape* shape = rt.shapes[o->shape_id].shape;
  if (!shape->dict_mode) {
    int slot = shape->Find(name);
    if (slot < 0) return false;
    Value* place = SlotAddress(rt, o, shape, slot);
    if (place->is_null()) return false;
    if (slot == shape->slot_count - 1) {
      Ref<> old = Ref<>::Steal(std::exchange(*place, Value()));
      o->shape_id = shape->parent->id;
      return true;
    }
    MVM_TRY_VOID(GoDictMode(ts, o));
  }
  Ref<DictObject> d = Ref<DictObject>::Borrow(rt.extras[o->aux].dict);
  return DictDelete(ts, d, name);
}

// No data descriptor and no place for the attribute: which of the three texts it is.
Raised RaiseNotSettable(ThreadState& ts, Value object, TypeObject* type, StrObject* name,
                        Value class_attr) {
  if (!class_attr.is_null()) {
    return Raise(ts, Exc::kAttributeError, "'%T' object attribute '%U' is read-only", object,
                 Value(name));
  }
  return RaiseAttr(ts, object, name,
                   "'%T' object has no attribute '%U' and no __dict__ for setting new attributes",
                   object, Value(name));
}

Result<StrObject> Interned(ThreadState& ts, StrObject* name) {
  if (MVM_LIKELY(name->interned())) return Ref<StrObject>::Borrow(name);
  return Intern(ts, name);
}

}  // namespace

Value InstanceLookup(ThreadState& ts, Object* o, StrObject* name) {
  RuntimeState& rt = *ts.rt;
  const ShapeEntry& entry = rt.shapes[o->shape_id];
  if (Shape* shape = entry.shape) {
    if (MVM_UNLIKELY(shape->dict_mode)) {
      DictObject* d = rt.extras[o->aux].dict;
      return d ? DictGetStr(ts, d, name) : Value();
    }
    int slot = shape->Find(name);
    return slot < 0 ? Value() : *SlotAddress(rt, o, shape, slot);
  }
  DictObject** field = DictField(entry.type, o);
  return field && *field ? DictGetStr(ts, *field, name) : Value();
}

namespace {

// The object's dictionary if it has keys that are no strings: one of them may equal a name.
DictObject* OddlyKeyedDict(ThreadState& ts, Object* o) {
  RuntimeState& rt = *ts.rt;
  const ShapeEntry& entry = rt.shapes[o->shape_id];
  DictObject* d = nullptr;
  if (entry.shape) {
    if (entry.shape->dict_mode) d = rt.extras[o->aux].dict;
  } else if (DictObject** field = DictField(entry.type, o)) {
    d = *field;
  }
  return d && d->other_keys ? d : nullptr;
}

}  // namespace

Status SetInstanceAttr(ThreadState& ts, Object* o, StrObject* name, Value value) {
  return StoreInShape(ts, o, name, value);
}

Result<DictObject> InstanceDict(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  if (!HasOwnAttributes(type, v)) return RaiseAttributeError(ts, v, MVM_NAME(ts, __dict__));
  Object* o = v.object();
  if (DictObject** field = DictField(type, o)) {
    if (IsExact(v, TypeId::kModule)) MVM_TRY_VOID(CompleteModule(ts, v.as<ModuleObject>()));
    MVM_TRY(DictObject * d, EnsureDict(ts, field));
    return Ref<DictObject>::Borrow(d);
  }
  RuntimeState& rt = *ts.rt;
  if (o->aux == 0) {
    uint32_t fresh = rt.NewExtras();
    if (fresh == 0) return RaiseMemoryError(ts);
    o->aux = fresh;
  }
  if (!rt.extras[o->aux].dict) {
    MVM_TRY(Ref<DictObject> d, NewDict(ts));
    d->storage = DictStorage::kSlots;
    d->shape_id = kShapeSlotDict;
    d->owner = o;
    rt.extras[o->aux].dict = d.Release();
  }
  return Ref<DictObject>::Borrow(rt.extras[o->aux].dict);
}

Status SetInstanceDict(ThreadState& ts, Value v, Value dict) {
  TypeObject* type = TypeOf(ts, v);
  if (!HasOwnAttributes(type, v)) return RaiseAttributeError(ts, v, MVM_NAME(ts, __dict__));
  if (type->has_flag(kTypeTypeSubclass)) {
    return Raise(ts, Exc::kAttributeError,
                 "attribute '__dict__' of 'type' objects is not writable");
  }
  if (IsSubtype(type, TypeById(ts, TypeId::kModule))) {
    return Raise(ts, Exc::kAttributeError, "readonly attribute");
  }
  // What has a dictionary by its built-in nature keeps one.
  if (dict.is_null() && type->dict_offset != 0) {
    return Raise(ts, Exc::kTypeError, "cannot delete __dict__");
  }
  Ref<DictObject> fresh;
  if (dict.is_null()) {
    MVM_TRY(fresh, NewDict(ts));
  } else if (!IsDict(ts, dict)) {
    return Raise(ts, Exc::kTypeError, "__dict__ must be set to a dictionary, not a '%T'", dict);
  } else {
    fresh = Ref<DictObject>::Borrow(dict.as<DictObject>());
    // From now on two objects may own it.
    if (fresh->storage == DictStorage::kSlots) MVM_TRY_VOID(SlotDictConvert(ts, fresh));
  }
  DictObject** field = DictField(type, v.object());
  if (!field) {
    MVM_TRY_VOID(GoDictMode(ts, v.object()));
    field = &ts.rt->extras[v.object()->aux].dict;
  }
  Ref<DictObject> old = Ref<DictObject>::Steal(std::exchange(*field, fresh.Release()));
  return Ok();
}

// ---- generic lookup ----

Result<> GenericGetAttrOptional(ThreadState& ts, Value object, StrObject* name) {
  TypeObject* type = TypeOf(ts, object);
  MVM_TRY_VOID(TypeReady(ts, type));
  Value attr = TypeLookup(ts, type, name);
  DescrGetFn get = nullptr;
  Ref<> held;
  if (!attr.is_null()) {
    const CoreSlots& s = TypeOf(ts, attr)->slots;
    get = s.descr_get;
    if (get && s.descr_set) {
      held = Ref<>::Borrow(attr);
      return get(ts, attr, object, type);
    }
  }
  if (HasOwnAttributes(type, object)) {
    Value own = InstanceLookup(ts, object.object(), name);
    if (!own.is_null()) return Result<>::Borrow(own);
    if (DictObject* odd = OddlyKeyedDict(ts, object.object())) {
      held = Ref<>::Borrow(attr);
      MVM_TRY(Ref<> found, DictGet(ts, odd, name));
      if (!found.is_absent()) return found;
    }
  }
  if (get) {
    held = Ref<>::Borrow(attr);
    return get(ts, attr, object, type);
  }
  if (!attr.is_null()) return Result<>::Borrow(attr);
  return Result<>::Steal(Value::Absent());
}

Result<> GenericGetAttr(ThreadState& ts, Value object, StrObject* name) {
  Result<> r = GenericGetAttrOptional(ts, object, name);
  if (MVM_UNLIKELY(r.word().is_absent())) return RaiseAttributeError(ts, object, name);
  return r;
}

Status GenericSetAttr(ThreadState& ts, Value object, StrObject* name, Value value) {
  TypeObject* type = TypeOf(ts, object);
  MVM_TRY_VOID(TypeReady(ts, type));
  Value attr = TypeLookup(ts, type, name);
  if (!attr.is_null()) {
    if (DescrSetFn set = TypeOf(ts, attr)->slots.descr_set) {
      Ref<> held = Ref<>::Borrow(attr);
      return set(ts, attr, object, value);
    }
  }
  if (!HasOwnAttributes(type, object)) return RaiseNotSettable(ts, object, type, name, attr);
  Object* o = object.object();
  DictObject** field = DictField(type, o);
  bool found = true;
  if (value.is_null()) {
    if (!field) {
      MVM_TRY(found, DeleteFromShape(ts, o, name));
    } else if (*field) {
      if (IsExact(object, TypeId::kModule)) {
        MVM_TRY_VOID(CompleteModule(ts, object.as<ModuleObject>()));
      }
      Ref<DictObject> d = Ref<DictObject>::Borrow(*field);
      MVM_TRY(found, DictDelete(ts, d, name));
    } else {
      found = false;
    }
    if (found) return Ok();
    return Raise(ts, Exc::kAttributeError, "'%T' object has no attribute '%U'", object,
                 Value(name));
  }
  if (!field) return StoreInShape(ts, o, name, value);
  MVM_TRY(DictObject * d, EnsureDict(ts, field));
  Ref<DictObject> held = Ref<DictObject>::Borrow(d);
  return DictSetStr(ts, d, name, value);
}

Result<> GetMethod(ThreadState& ts, Value object, StrObject* name, bool* is_method) {
  *is_method = false;
  TypeObject* type = TypeOf(ts, object);
  if (type->slots.getattro != GenericGetAttr) return GetAttr(ts, object, name);
  MVM_TRY_VOID(TypeReady(ts, type));
  Value attr = TypeLookup(ts, type, name);
  DescrGetFn get = nullptr;
  bool unbound = false;
  if (!attr.is_null()) {
    TypeObject* t = TypeOf(ts, attr);
    unbound = t->has_flag(kTypeMethodDescriptor);
    if (!unbound) {
      get = t->slots.descr_get;
      if (get && t->slots.descr_set) return GetAttr(ts, object, name);
    }
  }
  if (HasOwnAttributes(type, object)) {
    Value own = InstanceLookup(ts, object.object(), name);
    if (!own.is_null()) return Result<>::Borrow(own);
    if (OddlyKeyedDict(ts, object.object())) return GetAttr(ts, object, name);
  }
  if (unbound) {
    *is_method = true;
    return Result<>::Borrow(attr);
  }
  if (get) return GetAttr(ts, object, name);
  if (!attr.is_null()) return Result<>::Borrow(attr);
  return RaiseAttributeError(ts, object, name);
}

// ---- any object ----

Result<> GetAttr(ThreadState& ts, Value object, StrObject* name) {
  // Methods of methods and aliases of aliases pass the question on.
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  Result<> r = kRaised;
  if (MVM_LIKELY(name->interned())) {
    r = TypeOf(ts, object)->slots.getattro(ts, object, name);
  } else {
    MVM_TRY(Ref<StrObject> interned, Intern(ts, name));
    r = TypeOf(ts, object)->slots.getattro(ts, object, interned);
  }
  if (MVM_UNLIKELY(r.raised())) AddAttributeContext(ts, object, name);
  return r;
}

Result<> GetAttr(ThreadState& ts, Value object, std::string_view name) {
  MVM_TRY(Ref<StrObject> interned, InternUtf8(ts, name));
  return GetAttr(ts, object, interned);
}

Result<> GetAttrOptional(ThreadState& ts, Value object, StrObject* name) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  MVM_TRY(Ref<StrObject> interned, Interned(ts, name));
  GetAttrFn getattro = TypeOf(ts, object)->slots.getattro;
  Result<> r = kRaised;
  if (getattro == GenericGetAttr) {
    r = GenericGetAttrOptional(ts, object, interned);
  } else if (getattro == TypeGetAttr) {
    r = TypeGetAttrOptional(ts, object, interned);
  } else {
    r = getattro(ts, object, interned);
  }
  if (MVM_LIKELY(!r.raised())) return r;
  if (!ClearPendingIf(ts, Exc::kAttributeError)) return kRaised;
  return Result<>::Steal(Value::Absent());
}

Result<> GetAttrOptional(ThreadState& ts, Value object, std::string_view name) {
  MVM_TRY(Ref<StrObject> interned, InternUtf8(ts, name));
  return GetAttrOptional(ts, object, interned);
}

Status SetAttr(ThreadState& ts, Value object, StrObject* name, Value value) {
  if (MVM_LIKELY(name->interned())) {
    return TypeOf(ts, object)->slots.setattro(ts, object, name, value);
  }
  MVM_TRY(Ref<StrObject> interned, Intern(ts, name));
  return TypeOf(ts, object)->slots.setattro(ts, object, interned, value);
}

Status SetAttr(ThreadState& ts, Value object, std::string_view name, Value value) {
  MVM_TRY(Ref<StrObject> interned, InternUtf8(ts, name));
  return SetAttr(ts, object, interned, value);
}

}  // namespace minivm
