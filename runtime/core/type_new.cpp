// Making classes: everything type.__new__ does.
#include <algorithm>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/hidden_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/super_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"
#include "runtime/support/unicode.h"

namespace minivm {

namespace {

// What __slots__ asks for.
struct SlotPlan {
  Ref<ListObject> names;  // mangled, sorted; may be null: no __slots__ or none but the special ones
  bool add_dict = false;
  bool add_weakref = false;
};

bool IsIdentifier(const StrObject* s) {
  if (s->length == 0) return false;
  for (size_t i = 0; i < s->length; ++i) {
    char32_t c = s->At(i);
    if (i == 0 ? !(c == '_' || IsIdentifierStart(c)) : !IsIdentifierContinue(c)) return false;
  }
  return true;
}

// __name in class C is _C__name.
Result<StrObject> Mangle(ThreadState& ts, StrObject* cls, StrObject* name) {
  size_t n = name->length;
  bool mangled = n > 2 && name->At(0) == '_' && name->At(1) == '_' &&
                 !(name->At(n - 1) == '_' && name->At(n - 2) == '_');
  for (size_t i = 0; mangled && i < n; ++i) mangled = name->At(i) != '.';
  size_t lead = 0;
  while (lead < cls->length && cls->At(lead) == '_') ++lead;
  if (!mangled || lead == cls->length) return Intern(ts, name);
  StrBuilder b(ts);
  MVM_TRY_VOID(b.Append('_'));
  MVM_TRY_VOID(b.AppendSlice(cls, lead, cls->length));
  MVM_TRY_VOID(b.Append(name));
  MVM_TRY(Ref<StrObject> text, b.Finish());
  return Intern(ts, text);
}

// The entries of __slots__, checked and mangled; the special ones become flags of the plan.
Status ReadSlots(ThreadState& ts, TypeObject* base, StrObject* cls, DictObject* ns, Value slots,
                 bool may_add_dict, bool may_add_weakref, SlotPlan* plan) {
  Ref<TupleObject> entries;
  if (IsStr(ts, slots)) {
    MVM_TRY(entries, NewTuple(ts, {&slots, 1}));
  } else {
    MVM_TRY(entries, TupleFrom(ts, slots));
  }
  bool fixed = base->has_flag(kTypeStrSubclass) ||
               (base->item_size == 0 && !base->has_flag(kTypeTypeSubclass));
  if (entries->size() > 0 && !fixed) {
    return Raise(ts, Exc::kTypeError, "nonempty __slots__ not supported for subtype of '%N'", base);
  }
  for (Value v : entries->span()) {
    if (!IsStr(ts, v)) {
      return Raise(ts, Exc::kTypeError, "__slots__ items must be strings, not '%T'", v);
    }
    StrObject* name = v.as<StrObject>();
    if (!IsIdentifier(name)) return Raise(ts, Exc::kTypeError, "__slots__ must be identifiers");
    if (name->EqualsAscii("__dict__")) {
      if (!may_add_dict || plan->add_dict) {
        return Raise(ts, Exc::kTypeError, "__dict__ slot disallowed: we already got one");
      }
      plan->add_dict = true;
    } else if (name->EqualsAscii("__weakref__")) {
      if (!may_add_weakref || plan->add_weakref) {
        return Raise(ts, Exc::kTypeError, "__weakref__ slot disallowed: we already got one");
      }
      plan->add_weakref = true;
    }
  }
  MVM_TRY(Ref<ListObject> names, NewListReserve(ts, entries->size()));
  for (Value v : entries->span()) {
    StrObject* name = v.as<StrObject>();
    if (name->EqualsAscii("__dict__") || name->EqualsAscii("__weakref__")) continue;
    MVM_TRY(Ref<StrObject> mangled, Mangle(ts, cls, name));
    if (!DictGetStr(ts, ns, mangled).is_null() && !mangled->EqualsAscii("__qualname__") &&
        !mangled->EqualsAscii("__classcell__") && !mangled->EqualsAscii("__classdictcell__")) {
      return Raise(ts, Exc::kValueError, "%R in __slots__ conflicts with class variable",
                   Value(name));
    }
    MVM_TRY_VOID(ListAppend(ts, names, mangled));
  }
  MVM_TRY_VOID(ListSort(ts, names, Value(), false));
  plan->names = std::move(names);
  return Ok();
}

// Decides storage and sizes from the layout base, the other bases and __slots__.
Status PlanLayout(ThreadState& ts, TypeObject* type, DictObject* ns, SlotPlan* plan) {
  TypeObject* base = type->base;
  bool may_add_dict = base->storage == AttrStorage::kNone;
  bool var_size = base->item_size != 0 && !base->has_flag(kTypeStrSubclass | kTypeTypeSubclass);
  bool may_add_weakref = !base->has_weakref_slot && !var_size;
  Value slots = DictGetStr(ts, ns, MVM_NAME(ts, __slots__));
  bool inherited_dict = false;
  if (slots.is_null()) {
    plan->add_dict = may_add_dict;
    plan->add_weakref = may_add_weakref;
  } else {
    Ref<> held = Ref<>::Borrow(slots);
    MVM_TRY_VOID(ReadSlots(ts, base, type->name, ns, held, may_add_dict, may_add_weakref, plan));
    for (Value v : type->bases->span()) {
      TypeObject* other = v.as<TypeObject>();
      if (other == base) continue;
      if (other->storage != AttrStorage::kNone && may_add_dict) inherited_dict = true;
      if (other->has_weakref_slot && may_add_weakref) type->has_weakref_slot = true;
    }
  }
  if (base->has_weakref_slot || plan->add_weakref) type->has_weakref_slot = true;
  type->basic_size = base->basic_size;
  type->item_size = base->item_size;
  type->dict_offset = base->dict_offset;
  type->storage = base->storage;
  // Exceptions of scripts keep their attributes in slots, as other instances of scripts do.
  if (!base->is_heap() && base->has_flag(kTypeExceptionSubclass)) {
    type->storage = AttrStorage::kShape;
  }
  if (may_add_dict && (plan->add_dict || inherited_dict)) {
    type->storage = base->item_size ? AttrStorage::kVarTail : AttrStorage::kShape;
  }
  size_t members = plan->names ? plan->names->size : 0;
  if (members != 0 && base->item_size != 0) {
    // A str has no fixed place for them: they live in the tail dictionary (member_descriptor).
    type->storage = AttrStorage::kVarTail;
    members = 0;
  }
  if (members > 4096) return Raise(ts, Exc::kTypeError, "too many __slots__ in '%N'", type);
  if (members != 0) {
    type->basic_size = (type->basic_size + 7) & ~7u;
    type->member_offset = static_cast<uint16_t>(type->basic_size);
    type->member_count = static_cast<uint16_t>(members);
    type->basic_size += members * sizeof(Value);
  }
  if (type->basic_size > UINT16_MAX) {
    return Raise(ts, Exc::kTypeError, "too many __slots__ in '%N'", type);
  }
  return Ok();
}

// A first guess at how many attributes instances have: the names assigned through self in the
// methods of the class and its bases.
uint16_t GuessInlineSlots(ThreadState& ts, TypeObject* type) {
  constexpr size_t kMin = 4, kMax = 16, kMaxClasses = 32;
  SmallVector<Value, 32> names;
  for (size_t i = 0; i < type->mro->size() && i < kMaxClasses; ++i) {
    TypeObject* t = (*type->mro)[i].as<TypeObject>();
    if (!t->is_heap() || !t->dict) continue;
    Value attributes = DictGetStr(ts, t->dict, MVM_NAME(ts, __static_attributes__));
    if (!IsExact(attributes, TypeId::kTuple)) continue;
    for (Value name : attributes.as<TupleObject>()->span()) {
      bool known = names.size() >= kMax;
      for (Value other : names) known = known || other.is(name);
      if (!known && !names.Push(name)) return kMin;
    }
  }
  size_t n = names.size();
  if (type->base->root_shape && type->base->inline_hint > n) n = type->base->inline_hint;
  return static_cast<uint16_t>(std::clamp(n, kMin, kMax));
}

// ---- what becomes of the namespace ----

// A copy whose names are interned, as special methods are found by the identity of their names. The
// compiler's are, but a namespace may have been made in other ways.
Result<DictObject> CopyNamespace(ThreadState& ts, DictObject* ns) {
  MVM_TRY(Ref<DictObject> copy, DictCopy(ts, ns));
  size_t pos = 0;
  Value key, value;
  bool interned = true;
  while (interned && DictNext(ts, copy, &pos, &key, &value)) {
    interned = !IsExact(key, TypeId::kStr) || key.as<StrObject>()->interned();
  }
  if (interned) return copy;
  MVM_TRY(Ref<DictObject> result, NewDict(ts));
  pos = 0;
  while (DictNext(ts, copy, &pos, &key, &value)) {
    Ref<> name = Ref<>::Borrow(key);
    const Ref<> held = Ref<>::Borrow(value);
    if (IsExact(key, TypeId::kStr)) {
      MVM_TRY(Ref<StrObject> same, Intern(ts, key.as<StrObject>()));
      name = std::move(same);
    }
    MVM_TRY_VOID(DictSet(ts, result, name, held));
  }
  return result;
}

// The value under `name`, taken out of the dictionary; null if absent.
Result<> TakeEntry(ThreadState& ts, DictObject* d, StrObject* name) {
  if (DictGetStr(ts, d, name).is_null()) return Result<>::Steal(Value::Absent());
  return DictPop(ts, d, name);
}

Status WrapImplicit(ThreadState& ts, DictObject* d, StrObject* name, bool static_method) {
  Value v = DictGetStr(ts, d, name);
  if (v.is_null() || !IsExact(v, TypeId::kFunction)) return Ok();
  Ref<> wrapped;
  if (static_method) {
    MVM_TRY(wrapped, NewStaticMethod(ts, v));
  } else {
    MVM_TRY(wrapped, NewClassMethod(ts, v));
  }
  return DictSetStr(ts, d, name, wrapped);
}

Status SetUpNamespace(ThreadState& ts, TypeObject* type, DictObject* d) {
  if (DictGetStr(ts, d, MVM_NAME(ts, __module__)).is_null()) {
    DictObject* globals = ts.rt->hooks.current_globals ? ts.rt->hooks.current_globals(ts) : nullptr;
    Value module = globals ? DictGetStr(ts, globals, MVM_NAME(ts, __name__)) : Value();
    if (!module.is_null()) MVM_TRY_VOID(DictSetStr(ts, d, MVM_NAME(ts, __module__), module));
  }
  MVM_TRY(Ref<> qualname, TakeEntry(ts, d, MVM_NAME(ts, __qualname__)));
  if (!qualname.is_absent()) {
    if (!IsStr(ts, qualname)) {
      return Raise(ts, Exc::kTypeError, "type __qualname__ must be a str, not %T", qualname.get());
    }
    type->qualname = qualname.Release().as<StrObject>();
  } else {
    type->qualname = Ref<StrObject>::Borrow(type->name).Release();
  }
  MVM_TRY_VOID(WrapImplicit(ts, d, MVM_NAME(ts, __new__), true));
  MVM_TRY_VOID(WrapImplicit(ts, d, MVM_NAME(ts, __init_subclass__), false));
  MVM_TRY_VOID(WrapImplicit(ts, d, MVM_NAME(ts, __class_getitem__), false));
  return Ok();
}

Status AddDescriptors(ThreadState& ts, TypeObject* type, DictObject* d, const SlotPlan& plan) {
  for (uint64_t i = 0; plan.names && i < plan.names->size; ++i) {
    uint32_t offset =
        type->member_count ? type->member_offset + static_cast<uint32_t>(i * sizeof(Value)) : 0;
    StrObject* name = plan.names->items[i].as<StrObject>();
    MVM_TRY(Ref<MemberDescriptorObject> m, NewMemberDescriptor(ts, type, name, offset));
    MVM_TRY_VOID(DictSetStr(ts, d, name, m));
  }
  if (plan.add_dict) {
    MVM_TRY(Ref<GetSetDescriptorObject> g, NewGetSetDescriptor(ts, kInstanceDictGetSet, type));
    MVM_TRY_VOID(DictSetDefault(ts, d, g->name, g));
  }
  if (plan.add_weakref) {
    MVM_TRY(Ref<GetSetDescriptorObject> g, NewGetSetDescriptor(ts, kInstanceWeakrefGetSet, type));
    MVM_TRY_VOID(DictSetDefault(ts, d, g->name, g));
  }
  return Ok();
}

// The cell that the methods' `__class__` refers to, and the one of the class's namespace.
Status FillCells(ThreadState& ts, TypeObject* type, DictObject* d) {
  MVM_TRY(Ref<> cell, TakeEntry(ts, d, MVM_NAME(ts, __classcell__)));
  if (!cell.is_absent()) {
    if (!IsExact(cell, TypeId::kCell)) {
      MVM_TRY(Ref<> cls, Result<>::Borrow(TypeOf(ts, cell)));
      return Raise(ts, Exc::kTypeError, "__classcell__ must be a nonlocal cell, not %R", cls.get());
    }
    Ref<> old = Ref<>::Steal(cell.as<CellObject>()->value);
    Incref(type);
    cell.as<CellObject>()->value = type;
  }
  MVM_TRY(cell, TakeEntry(ts, d, MVM_NAME(ts, __classdictcell__)));
  if (!cell.is_absent()) {
    if (!IsExact(cell, TypeId::kCell)) {
      MVM_TRY(Ref<> cls, Result<>::Borrow(TypeOf(ts, cell)));
      return Raise(ts, Exc::kTypeError, "__classdictcell__ must be a nonlocal cell, not %R",
                   cls.get());
    }
    Ref<> old = Ref<>::Steal(cell.as<CellObject>()->value);
    Incref(d);
    cell.as<CellObject>()->value = d;
  }
  return Ok();
}

Status WarnOfOddKeys(ThreadState& ts, TypeObject* type, DictObject* d) {
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, d, &pos, &key, &value)) {
    if (IsStr(ts, key)) continue;
    return Warn(ts, Exc::kRuntimeWarning, 1, "non-string key in the __dict__ of class %U",
                Value(type->name));
  }
  return Ok();
}

// Slots from the special methods. With one base everything but what the class itself defines is as
// there.
void DeriveSlots(ThreadState& ts, TypeObject* type) {
  TypeObject* base = type->base;
  TakeSlots(type, base);
  type->construct = base->construct;
  type->initialise = base->initialise;
  if (type->bases->size() != 1 || type->has_flag(kTypeCustomMro)) {
    ResolveSlots(ts, type, nullptr, nullptr);
    return;
  }
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, type->dict, &pos, &key, &value)) {
    if (IsStr(ts, key) && IsSlotName(ts, key.as<StrObject>())) {
      ResolveSlots(ts, type, key.as<StrObject>(), nullptr);
    }
  }
  if (type->slots.finalize) type->flags |= kTypeHasFinalizer;
  // A built-in base that scripts cannot instantiate by itself keeps subclasses from it too only if
  // it says so; object.__new__ is what the others get.
  if (!type->slots.new_) ResolveSlots(ts, type, MVM_NAME(ts, __new__), nullptr);
}

Status CallSetName(ThreadState& ts, TypeObject* type, DictObject* ns) {
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, ns, &pos, &key, &value)) {
    MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, value)));
    Value method = TypeLookup(ts, TypeOf(ts, value), MVM_NAME(ts, __set_name__));
    if (method.is_null()) continue;
    Ref<> k = Ref<>::Borrow(key), v = Ref<>::Borrow(value);
    const Value args[] = {type, k};
    Result<> r = CallSpecial(ts, v, MVM_NAME(ts, __set_name__), args);
    if (MVM_LIKELY(!r.raised())) {
      (void)r.Take();
      continue;
    }
    Ref<> error = TakePending(ts);
    MVM_TRY(Ref<StrObject> note,
            Format(ts, "Error calling __set_name__ on '%T' instance %R in '%N'", v.get(), k.get(),
                   type));
    MVM_TRY(Ref<StrObject> add_note, InternUtf8(ts, "add_note"));
    MVM_TRY_VOID(CallMethod(ts, error, add_note, note));
    RestorePending(ts, std::move(error));
    return kRaised;
  }
  return Ok();
}

Status CallInitSubclass(ThreadState& ts, TypeObject* type, DictObject* kwargs) {
  // A script's mro() may have left the class itself out.
  auto is_own = [type](Value v) { return v.object() == type; };
  if (std::ranges::none_of(type->mro->span(), is_own)) {
    return Raise(ts, Exc::kTypeError,
                 "super(type, obj): obj (type %N) is not an instance or subtype of type (%N).",
                 type, type);
  }
  MVM_TRY(Ref<> method, SuperGetAttr(ts, type, type, MVM_NAME(ts, __init_subclass__), nullptr));
  MVM_TRY(Ref<TupleObject> none, NewTuple(ts, {}));
  MVM_TRY_VOID(CallWith(ts, method, none, kwargs));
  return Ok();
}

Result<TypeObject> AllocType(ThreadState& ts, TypeObject* metatype, TypeObject* base) {
  MVM_TRY_VOID(TypeReady(ts, metatype));
  uint32_t shape_id =
      metatype == TypeById(ts, TypeId::kType) ? ShapeIdOf(TypeId::kType) : metatype->shape_id_exact;
  MVM_TRY(Ref<TypeObject> type, New<TypeObject>(ts, shape_id));
  type->metatype = metatype;
  if (metatype->is_heap()) Incref(metatype);
  type->spec = base->spec;
  type->flags =
      kTypeHeap | kTypeBase | kTypeReady | (base->flags & kTypeInheritedFlags & ~kTypeLinearMro);
  type->base = Ref<TypeObject>::Borrow(base).Release();
  type->gc = base->gc;
  return type;
}

}  // namespace

Result<TypeObject*> CalculateMetatype(ThreadState& ts, TypeObject* metatype, TupleObject* bases) {
  TypeObject* winner = metatype;
  for (Value v : bases->span()) {
    TypeObject* t = TypeOf(ts, v);
    if (IsSubtype(winner, t)) continue;
    if (!IsSubtype(t, winner)) {
      return Raise(ts, Exc::kTypeError,
                   "metaclass conflict: the metaclass of a derived class must be a (non-strict) "
                   "subclass of the metaclasses of all its bases");
    }
    winner = t;
  }
  return winner;
}

Result<TypeObject> NewHeapType(ThreadState& ts, TypeObject* metatype, StrObject* name,
                               TupleObject* bases, DictObject* ns, DictObject* kwargs) {
  Ref<TupleObject> all_bases = Ref<TupleObject>::Borrow(bases);
  if (bases->size() == 0) {
    Value object = TypeById(ts, TypeId::kObject);
    MVM_TRY(all_bases, NewTuple(ts, {&object, 1}));
  }
  MVM_TRY(TypeObject * base, BestBase(ts, all_bases));
  ts.rt->RecycleShapes();
  for (size_t i = 0; i < name->length; ++i) {
    char32_t c = name->At(i);
    if (c == 0) return Raise(ts, Exc::kValueError, "type name must not contain null characters");
  }
  MVM_TRY_VOID(CheckEncodable(ts, name));
  MVM_TRY(Ref<TypeObject> type, AllocType(ts, metatype, base));
  MVM_TRY(Ref<StrObject> exact_name, StrExact(ts, name));
  type->name = exact_name.Release();
  type->bases = all_bases.Release();
  SlotPlan plan;
  MVM_TRY_VOID(PlanLayout(ts, type, ns, &plan));

  MVM_TRY(Ref<DictObject> dict, CopyNamespace(ts, ns));
  MVM_TRY_VOID(DictMakeCelled(ts, dict));
  MarkClassDict(dict);
  MVM_TRY_VOID(SetUpNamespace(ts, type, dict));
  MVM_TRY_VOID(FillCells(ts, type, dict));
  MVM_TRY_VOID(AddDescriptors(ts, type, dict, plan));
  const Value doc = DictGetStr(ts, dict, MVM_NAME(ts, __doc__));
  if (doc.is_null()) {
    MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __doc__), ts.rt->none));
  } else if (IsStr(ts, doc)) {
    MVM_TRY_VOID(CheckEncodable(ts, doc.as<StrObject>()));
  }
  if (!DictGetStr(ts, dict, MVM_NAME(ts, __eq__)).is_null() &&
      DictGetStr(ts, dict, MVM_NAME(ts, __hash__)).is_null()) {
    MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __hash__), ts.rt->none));
  }
  MVM_TRY_VOID(WarnOfOddKeys(ts, type, dict));
  type->dict = dict.Release();
  Track(type);  // mro() may show it to scripts

  MVM_TRY(Ref<TupleObject> mro, MroThroughMetatype(ts, type));
  // Its mro() may have set its bases, and so linked it already.
  UnlinkType(type);
  const Ref<TupleObject> replaced =
      Ref<TupleObject>::Steal(std::exchange(type->mro, mro.Release()));
  // Sequence or mapping, for patterns: as the first class in the order of lookup that is either,
  // which need not be the one that decides the layout.
  constexpr uint32_t kKinds = kTypeSequence | kTypeMapping;
  type->flags &= ~kKinds;
  for (Value v : type->mro->span()) {
    type->flags |= v.as<TypeObject>()->flags & kKinds;
    // What follows a base in a linear MRO has been seen when that base was made.
    if ((type->flags & kKinds) || (v.object() != type && type->has_flag(kTypeLinearMro))) break;
  }
  if (type->storage == AttrStorage::kShape) {
    type->inline_hint = GuessInlineSlots(ts, type);
    MVM_TRY_VOID(MakeRootShape(ts, type));
  } else {
    type->shape_id_exact = ts.rt->AddShape(type, nullptr);
    if (type->shape_id_exact == 0) return RaiseMemoryError(ts);
  }
  MVM_TRY_VOID(LinkType(ts, type));
  DeriveSlots(ts, type);

  // The namespace as it was: __set_name__ may change the class.
  MVM_TRY(Ref<DictObject> entries, DictCopy(ts, type->dict));
  MVM_TRY_VOID(CallSetName(ts, type, entries));
  MVM_TRY_VOID(CallInitSubclass(ts, type, kwargs));
  return type;
}

}  // namespace minivm
