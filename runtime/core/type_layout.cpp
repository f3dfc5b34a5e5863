// The layout of instances: which base decides it, shapes for attribute storage, allocation, and
// assignment to __class__.
//
// A class adds to its layout base only __slots__ members; attribute slots, if any, stand behind
// everything else. The number of attribute slots inside the object is guessed from the names that
// methods assign through self (__static_attributes__) and doubled when instances outgrow it: a new
// root shape then serves later instances.
#include <cstring>

#include "runtime/core/type_internal.h"
#include "runtime/gc/collector.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/slot_dict.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"

namespace minivm {

namespace {

constexpr uint16_t kMaxInline = 32;

// Does `type` add fields to its layout base? Attribute slots do not count.
bool AddsFields(const TypeObject* type, const TypeObject* base) {
  return type->basic_size != base->basic_size || type->item_size != base->item_size ||
         (!type->is_heap() && type->gc.visit != base->gc.visit);
}

// Name of the __slots__ member at `offset` of the class; null if there is none.
StrObject* MemberName(ThreadState& ts, TypeObject* type, uint32_t index) {
  uint32_t offset = type->member_offset + index * sizeof(Value);
  size_t pos = 0;
  Value key, value;
  while (type->dict && DictNext(ts, type->dict, &pos, &key, &value)) {
    if (IsExact(value, TypeId::kMemberDescriptor)) {
      MemberDescriptorObject* m = value.as<MemberDescriptorObject>();
      if (m->owner == type && m->offset == offset) return m->name;
    }
  }
  return nullptr;
}

bool SameMembers(ThreadState& ts, TypeObject* a, TypeObject* b) {
  if (a->member_count != b->member_count || a->member_offset != b->member_offset) return false;
  for (uint32_t i = 0; i < a->member_count; ++i) {
    StrObject* name = MemberName(ts, a, i);
    StrObject* other = MemberName(ts, b, i);
    if (!name || !other || !StrEquals(name, other)) return false;
  }
  return true;
}

// The root shape of the type with that many slots inside the object.
Shape* RootFor(ThreadState& ts, TypeObject* type, uint16_t inline_capacity) {
  if (type->root_shape->inline_capacity == inline_capacity) return type->root_shape;
  for (Shape* s = type->old_roots; s; s = s->older) {
    if (s->inline_capacity == inline_capacity) return s;
  }
  Shape* s =
      Shape::NewRoot(*ts.rt, type, static_cast<uint16_t>(type->basic_size), inline_capacity, false);
  if (!s) return nullptr;
  s->older = type->old_roots;
  type->old_roots = s;
  return s;
}

// The shape of `to` that has the slots of `shape` in the same places; null: there cannot be one.
Shape* Transplant(ThreadState& ts, const Shape* shape, TypeObject* to) {
  Shape* s = RootFor(ts, to, shape->inline_capacity);
  for (int i = 0; s && i < shape->slot_count; ++i) s = s->Add(*ts.rt, shape->NameAt(i));
  return s;
}

}  // namespace

TypeObject* SolidBase(TypeObject* type) {
  while (type->base && !AddsFields(type, type->base)) type = type->base;
  return type;
}

Result<TypeObject*> BestBase(ThreadState& ts, TupleObject* bases) {
  TypeObject* base = nullptr;
  TypeObject* winner = nullptr;
  for (Value v : bases->span()) {
    if (!IsType(ts, v)) return Raise(ts, Exc::kTypeError, "bases must be types");
    TypeObject* t = v.as<TypeObject>();
    MVM_TRY_VOID(TypeReady(ts, t));
    if (!t->is_heap() && !t->has_flag(kTypeBase)) {
      return Raise(ts, Exc::kTypeError, "type '%N' is not an acceptable base type", t);
    }
    TypeObject* candidate = SolidBase(t);
    if (!winner || (candidate != winner && IsSubtype(candidate, winner))) {
      winner = candidate;
      base = t;
    } else if (!IsSubtype(winner, candidate)) {
      return Raise(ts, Exc::kTypeError, "multiple bases have instance lay-out conflict");
    }
  }
  return base;
}

bool SameLayout(TypeObject* from, TypeObject* to) {
  return from->storage == to->storage && from->basic_size == to->basic_size &&
         from->item_size == to->item_size && from->has_weakref_slot == to->has_weakref_slot &&
         SolidBase(from) == SolidBase(to);
}

namespace {

// As SameLayout, but two classes that add the same __slots__ to the same base agree too.
bool CanBecome(ThreadState& ts, TypeObject* from, TypeObject* to) {
  if (from->storage != to->storage || from->basic_size != to->basic_size ||
      from->item_size != to->item_size || from->has_weakref_slot != to->has_weakref_slot) {
    return false;
  }
  TypeObject* a = SolidBase(from);
  TypeObject* b = SolidBase(to);
  if (a == b) return true;
  return a->is_heap() && b->is_heap() && SolidBase(a->base) == SolidBase(b->base) &&
         SameMembers(ts, a, b);
}

}  // namespace

Status MakeRootShape(ThreadState& ts, TypeObject* type) {
  if (type->basic_size > UINT16_MAX) {
    return Raise(ts, Exc::kTypeError, "instances of '%N' would be too large", type);
  }
  uint16_t capacity = type->inline_hint < kMaxInline ? type->inline_hint : kMaxInline;
  Shape* s = Shape::NewRoot(*ts.rt, type, static_cast<uint16_t>(type->basic_size), capacity, false);
  if (!s) return RaiseMemoryError(ts);
  if (type->root_shape) {
    type->root_shape->older = type->old_roots;
    type->old_roots = type->root_shape;
  }
  type->root_shape = s;
  type->shape_id_exact = s->id;
  return Ok();
}

void GrowInlineSlots(ThreadState& ts, TypeObject* type) {
  if (type->inline_hint >= kMaxInline) return;
  type->inline_hint = type->inline_hint * 2;
  if (MakeRootShape(ts, type).raised()) ClearPending(ts);  // it is only an optimisation
}

Shape* DictShape(ThreadState& ts, TypeObject* type) {
  if (!type->dict_shape) {
    type->dict_shape =
        Shape::NewRoot(*ts.rt, type, static_cast<uint16_t>(type->basic_size), 0, true);
  }
  return type->dict_shape;
}

Result<> AllocInstance(ThreadState& ts, TypeObject* type, size_t items) {
  size_t size;
  if (__builtin_mul_overflow(items, size_t{type->item_size}, &size) ||
      __builtin_add_overflow(size, size_t{type->basic_size} + 16, &size) ||
      size > Heap::kMaxAllocation) {
    return RaiseMemoryError(ts);
  }
  size -= 16;
  uint32_t shape_id = type->shape_id_exact;
  if (type->storage == AttrStorage::kShape) {
    size += type->root_shape->inline_capacity * sizeof(Value);
  } else if (type->storage == AttrStorage::kVarTail) {
    size = ((size + 7) & ~size_t{7}) + sizeof(Value);
  }
  bool container = type->is_heap() || type->gc.visit;
  Result<Object> r = AllocObject<Object>(ts, shape_id, size, container);
  if (MVM_UNLIKELY(r.raised())) return kRaised;
  Object* o = r.word();
  std::memset(static_cast<void*>(o + 1), 0, size - sizeof(Object));
  if (type->is_heap()) Incref(type);
  if (container) Track(o);
  if (MVM_UNLIKELY(type->is_heap() && type->slots.finalize)) ts.heap().collector().TakeTurn(o);
  return Result<>::Steal(o);
}

Status SetClass(ThreadState& ts, Value v, Value cls) {
  if (cls.is_null()) return Raise(ts, Exc::kTypeError, "can't delete __class__ attribute");
  if (!IsType(ts, cls)) {
    return Raise(ts, Exc::kTypeError, "__class__ must be set to a class, not '%T' object", cls);
  }
  TypeObject* to = cls.as<TypeObject>();
  TypeObject* from = TypeOf(ts, v);
  TypeObject* module = TypeById(ts, TypeId::kModule);
  bool modules = IsSubtype(from, module) && IsSubtype(to, module);
  bool mutable_types = !from->has_flag(kTypeImmutable) && !to->has_flag(kTypeImmutable);
  if (!v.is_object() || (!modules && !mutable_types)) {
    return Raise(ts, Exc::kTypeError,
                 "__class__ assignment only supported for mutable types or ModuleType subclasses");
  }
  if (from == to) return Ok();
  if (!CanBecome(ts, from, to)) {
    return Raise(ts, Exc::kTypeError, "__class__ assignment: '%N' object layout differs from '%N'",
                 to, from);
  }
  Object* o = v.object();
  uint32_t shape_id = to->shape_id_exact;
  if (to->storage == AttrStorage::kShape) {
    const Shape* shape = ts.rt->shapes[o->shape_id].shape;
    Shape* fresh = shape->dict_mode ? nullptr : Transplant(ts, shape, to);
    if (!fresh) {
      if (!shape->dict_mode) {
        MVM_TRY(Ref<DictObject> d, InstanceDict(ts, v));
        if (d->storage == DictStorage::kSlots) MVM_TRY_VOID(SlotDictConvert(ts, d));
      }
      fresh = DictShape(ts, to);
      if (!fresh) return RaiseMemoryError(ts);
    }
    shape_id = fresh->id;
  }
  if (to->is_heap()) Incref(to);
  o->shape_id = shape_id;
  // A type object remembers its metatype.
  if (from->has_flag(kTypeTypeSubclass)) {
    o->as<TypeObject>()->metatype = to;
    MVM_TRY_VOID(TypeModified(ts, o->as<TypeObject>(), nullptr));
  }
  bool was_plain = !from->slots.descr_get && !from->slots.descr_set;
  bool is_plain = !to->slots.descr_get && !to->slots.descr_set;
  if (was_plain != is_plain) InvalidateAllTypes(ts);
  if (from->is_heap()) Decref(from);
  return Ok();
}

}  // namespace minivm
