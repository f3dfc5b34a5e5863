// Attributes of class objects: lookup through metaclass and MRO, assignment with invalidation, and
// assignment to __bases__.
#include "runtime/core/type_internal.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/attr_error.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"

namespace minivm {

Result<> TypeGetAttrOptional(ThreadState& ts, Value self, StrObject* name) {
  TypeObject* type = self.as<TypeObject>();
  TypeObject* meta = TypeOf(ts, self);
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY_VOID(TypeReady(ts, meta));
  Ref<> meta_attr = Ref<>::Borrow(TypeLookup(ts, meta, name));
  DescrGetFn meta_get = nullptr;
  if (meta_attr) {
    const CoreSlots& s = TypeOf(ts, meta_attr)->slots;
    meta_get = s.descr_get;
    if (meta_get && s.descr_set) return meta_get(ts, meta_attr, self, meta);
  }
  Value attr = TypeLookup(ts, type, name);
  if (!attr.is_null()) {
    Ref<> held = Ref<>::Borrow(attr);
    DescrGetFn get = TypeOf(ts, attr)->slots.descr_get;
    if (get) return get(ts, attr, Value(), self);
    return held;
  }
  if (meta_get) return meta_get(ts, meta_attr, self, meta);
  if (meta_attr) return meta_attr;
  return Result<>::Steal(Value::Absent());
}

Result<> TypeGetAttr(ThreadState& ts, Value self, StrObject* name) {
  MVM_TRY(Ref<> v, TypeGetAttrOptional(ts, self, name));
  if (MVM_LIKELY(!v.is_absent())) return v;
  return RaiseAttr(ts, self, name, "type object '%U' has no attribute '%U'",
                   Value(self.as<TypeObject>()->name), Value(name));
}

namespace {

bool IsDunder(const StrObject* name) {
  size_t n = name->length;
  return n > 4 && name->At(0) == '_' && name->At(1) == '_' && name->At(n - 1) == '_' &&
         name->At(n - 2) == '_';
}

}  // namespace

Status TypeSetAttr(ThreadState& ts, Value self, StrObject* name, Value value) {
  TypeObject* type = self.as<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->has_flag(kTypeImmutable)) {
    return Raise(ts, Exc::kTypeError, "cannot set %R attribute of immutable type '%N'", Value(name),
                 type);
  }
  TypeObject* meta = TypeOf(ts, self);
  Value meta_attr = TypeLookup(ts, meta, name);
  if (!meta_attr.is_null()) {
    if (DescrSetFn set = TypeOf(ts, meta_attr)->slots.descr_set) {
      Ref<> held = Ref<>::Borrow(meta_attr);
      return set(ts, meta_attr, self, value);
    }
  }
  if (!type->dict) return RaiseAttributeError(ts, self, name);
  CellObject* cell = DictGetCell(ts, type->dict, name);
  // Kept until call sites have forgotten it: dropping it may run code.
  Ref<> old;
  if (cell && !cell->value.is(ts.rt->unbound)) old = Ref<>::Borrow(cell->value);
  if (value.is_null()) {
    if (!old) {
      return RaiseAttr(ts, self, name, "type object '%N' has no attribute '%U'", type, Value(name));
    }
    MVM_TRY_VOID(DictDelete(ts, type->dict, name));
    return TypeModified(ts, type, name);
  }
  MVM_TRY_VOID(DictSetStr(ts, type->dict, name, value));
  if (old && IsPlainClassValue(*ts.rt, old) && IsPlainClassValue(*ts.rt, value) &&
      !IsDunder(name)) {
    return Ok();
  }
  return TypeModified(ts, type, name);
}

// ---- __bases__ ----

namespace {

struct OldMro {
  TypeObject* type;
  TupleObject* mro;   // owned
  TupleObject* made;  // owned; what replaced it, unless a script's mro() has changed it again
};
using OldMros = SmallVector<OldMro, 16>;

// New MROs for the type and all its subclasses, bases before what is derived from them.
Status RecomputeMros(ThreadState& ts, TypeObject* type, OldMros* old) {
  RecursionGuard guard(ts, " while recomputing the MRO of subclasses");
  if (!guard) return kRaised;
  MVM_TRY(Ref<TupleObject> mro, MroThroughMetatype(ts, type));
  if (!old->Push({type, type->mro, mro.get()})) return RaiseMemoryError(ts);
  Incref(mro.get());
  type->mro = mro.Release();
  // Scripts' mro() may change the list under the walk.
  SmallVector<Value, 16> subclasses;
  for (uint32_t i = 0; i < type->subclass_count; ++i) {
    TypeObject* sub = type->subclasses[i].type;
    if (sub && !subclasses.Push(sub)) return RaiseMemoryError(ts);
  }
  for (Value v : subclasses) Incref(v);
  Status status = Ok();
  for (Value v : subclasses) {
    TypeObject* sub = v.as<TypeObject>();
    bool direct = false;
    for (Value base : sub->bases->span()) direct = direct || base.object() == type;
    if (!status.raised() && direct) status = RecomputeMros(ts, sub, old);
  }
  for (Value v : subclasses) Decref(v);
  return status;
}

// Could instances of a class over `from` be instances of the same class over `to`?
Status CheckNewBase(ThreadState& ts, TypeObject* from, TypeObject* to) {
  if (SameLayout(from, to)) return Ok();
  const char* what = from->is_heap() && !to->is_heap() ? "deallocator" : "object layout";
  return Raise(ts, Exc::kTypeError, "__bases__ assignment: '%N' %s differs from '%N'", to, what,
               from);
}

}  // namespace

Status SetBases(ThreadState& ts, TypeObject* type, Value bases) {
  if (!IsTuple(ts, bases)) {
    return Raise(ts, Exc::kTypeError, "can only assign tuple to %N.__bases__, not %T", type, bases);
  }
  TupleObject* tuple = bases.as<TupleObject>();
  if (tuple->size() == 0) {
    return Raise(ts, Exc::kTypeError, "can only assign non-empty tuple to %N.__bases__, not ()",
                 type);
  }
  for (Value v : tuple->span()) {
    if (!IsType(ts, v)) {
      return Raise(ts, Exc::kTypeError, "%N.__bases__ must be tuple of classes, not '%T'", type, v);
    }
    // A script's mro() may be assigning while outer assignments have not got their MROs yet.
    bool cycle = IsSubtype(v.as<TypeObject>(), type);
    for (TypeObject* t = v.as<TypeObject>(); t && !cycle; t = t->base) cycle = t == type;
    if (cycle) return Raise(ts, Exc::kTypeError, "a __bases__ item causes an inheritance cycle");
  }
  MVM_TRY(TypeObject * base, BestBase(ts, tuple));
  MVM_TRY_VOID(CheckNewBase(ts, type->base, base));

  Ref<TupleObject> old_bases = Ref<TupleObject>::Steal(type->bases);
  Ref<TypeObject> old_base = Ref<TypeObject>::Steal(type->base);
  UnlinkType(type);
  Incref(tuple);
  Incref(base);
  type->bases = tuple;
  type->base = base;
  OldMros old;
  Status status = RecomputeMros(ts, type, &old);
  if (!status.raised()) status = LinkType(ts, type);
  if (status.raised()) {
    // As it was; the failure is the pending exception.
    Ref<> error = TakePending(ts);
    for (size_t i = old.size(); i-- > 0;) {
      old[i].type->flags &= ~kTypeLinearMro;
      TupleObject* dropped = old[i].mro;
      if (old[i].type->mro == old[i].made) dropped = std::exchange(old[i].type->mro, old[i].mro);
      Ref<TupleObject> a = Ref<TupleObject>::Steal(dropped),
                       b = Ref<TupleObject>::Steal(old[i].made);
    }
    old.Clear();
    if (type->bases == tuple) {
      Ref<TupleObject> failed_bases = Ref<TupleObject>::Steal(type->bases);
      Ref<TypeObject> failed_base = Ref<TypeObject>::Steal(type->base);
      type->bases = old_bases.Release();
      type->base = old_base.Release();
    }
    if (LinkType(ts, type).raised()) ClearPending(ts);
    RestorePending(ts, std::move(error));
    InvalidateAllTypes(ts);
    return kRaised;
  }
  for (OldMro& o : old) {
    if (o.mro) Decref(o.mro);
    Decref(o.made);
  }
  return TypeModified(ts, type, nullptr);
}

}  // namespace minivm
