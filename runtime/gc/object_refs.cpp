// Visiting, clearing and destroying by layout. See object_refs.h.
//
// An instance of a heap type is taken apart from the outside in: dict, members, slots, then what
// its built-in base owns, then the type.
#include "runtime/gc/object_refs.h"

#include "runtime/objects/dict_object.h"
#include "runtime/objects/slot_dict.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {

namespace {

// f(Value*, size_t) for each run of attribute values that an instance of a heap type has beyond its
// built-in base.
template <class F>
void ForEachValueRun(RuntimeState& rt, Object* o, TypeObject* type, F f) {
  for (TypeObject* t = type; t && t->is_heap(); t = t->base) {
    if (t->member_count) {
      f(reinterpret_cast<Value*>(reinterpret_cast<char*>(o) + t->member_offset), t->member_count);
    }
  }
  if (type->storage != AttrStorage::kShape) return;
  const Shape* shape = rt.shapes[o->shape_id].shape;
  if (!shape || shape->dict_mode) return;
  size_t n = shape->slot_count;
  size_t in_place = n < shape->inline_capacity ? n : shape->inline_capacity;
  f(InlineSlots(o, shape), in_place);
  if (n > in_place && o->aux) f(rt.extras[o->aux].overflow, n - in_place);
}

// The dict that an instance of a heap type owns, or null.
DictObject** OwnedDict(RuntimeState& rt, Object* o, TypeObject* type) {
  if (type->storage == AttrStorage::kShape) {
    return o->aux ? &rt.extras[o->aux].dict : nullptr;
  }
  return type->storage == AttrStorage::kVarTail ? VarTailDict(type, o) : nullptr;
}

// The instance dies or is emptied: a dict that shows its slots must stand alone from now on.
void DetachDict(RuntimeState& rt, Object* o, DictObject* d) {
  if (d->storage != DictStorage::kSlots) return;
  ThreadState* ts = rt.heap.current_ts;
  // A collection that deletes the dictionary as well holds it, too.
  const uint32_t held = (d->gc & kGcCollecting) ? 2 : 1;
  if (d->refcount > held && ts && !rt.finalizing) {
    uint32_t refcount = o->refcount;
    o->refcount = refcount + 1;  // the conversion handles its owner
    Ref<> saved = TakePending(*ts);
    if (SlotDictConvert(*ts, d).raised()) ClearPending(*ts);
    RestorePending(*ts, std::move(saved));
    o->refcount = refcount;
  }
  if (d->storage == DictStorage::kSlots) {  // nobody else looks at it, or there is no memory
    d->storage = DictStorage::kHash;
    d->shape_id = ShapeIdOf(TypeId::kDict);
    d->owner = nullptr;
  }
}

void DropValues(Value* values, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    Value old = std::exchange(values[i], Value());
    Decref(old);
  }
}

// What an instance of a heap type owns beyond its built-in base; not the type.
void DropInstance(RuntimeState& rt, Object* o, TypeObject* type) {
  const ShapeEntry entry = rt.shapes[o->shape_id];
  if (IsPlainInstance(o, entry)) return WithPlainValues(o, *entry.shape, DropValues);
  DictObject** dict = OwnedDict(rt, o, type);
  if (dict && *dict) {
    DetachDict(rt, o, *dict);
    dict = OwnedDict(rt, o, type);  // the extras table may have moved
    if (DictObject* old = std::exchange(*dict, nullptr)) Decref(old);
  }
  for (TypeObject* t = type; t && t->is_heap(); t = t->base) {
    if (t->member_count) {
      DropValues(reinterpret_cast<Value*>(reinterpret_cast<char*>(o) + t->member_offset),
                 t->member_count);
    }
  }
  if (type->storage != AttrStorage::kShape) return;
  const Shape* shape = rt.shapes[o->shape_id].shape;
  if (shape && !shape->dict_mode && shape->slot_count) {
    size_t n = shape->slot_count;
    size_t in_place = n < shape->inline_capacity ? n : shape->inline_capacity;
    // Overflow first: dropping a value may run code that makes the table of extras grow.
    for (size_t i = in_place; i < n; ++i) {
      Value old = std::exchange(rt.extras[o->aux].overflow[i - in_place], Value());
      Decref(old);
    }
    DropValues(InlineSlots(o, shape), in_place);
  }
}

void ClearType(TypeObject* t) {
  DictObject* dict = std::exchange(t->dict, nullptr);
  TupleObject* mro = std::exchange(t->mro, nullptr);
  if (dict) Decref(dict);
  if (mro) Decref(mro);
}

}  // namespace

void VisitObject(RuntimeState& rt, Object* o, Visitor& visitor) {
  const ShapeEntry entry = rt.shapes[o->shape_id];
  TypeObject* type = entry.type;
  if (type->gc.visit) type->gc.visit(o, visitor);
  if (!type->is_heap()) return;
  visitor.Visit(type);
  if (IsPlainInstance(o, entry)) {
    return WithPlainValues(o, *entry.shape, [&](Value* v, size_t n) {
      for (size_t i = 0; i < n; ++i) {
        if (v[i].is_object()) visitor.Visit(v[i].object());
      }
    });
  }
  ForEachValueRun(rt, o, type, [&](Value* v, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      if (v[i].is_object()) visitor.Visit(v[i].object());
    }
  });
  DictObject** dict = OwnedDict(rt, o, type);
  if (dict && *dict) visitor.Visit(*dict);
}

void DestroyPlain(Object* o, const ShapeEntry& entry) {
  WithPlainValues(o, *entry.shape, [](Value* v, size_t n) {
    for (size_t i = 0; i < n; ++i) Decref(v[i]);
  });
  Decref(entry.type);
}

void VisitReachable(RuntimeState& rt, Object* o, Visitor& visitor) {
  VisitObject(rt, o, visitor);
  if (o->shape_id != kShapeSlotDict) return;
  Object* owner = static_cast<DictObject*>(o)->owner;
  if (!owner) return;
  ForEachValueRun(rt, owner, rt.shapes[owner->shape_id].type, [&](Value* v, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      if (v[i].is_object()) visitor.Visit(v[i].object());
    }
  });
}

void ClearObject(RuntimeState& rt, Object* o) {
  TypeObject* type = rt.shapes[o->shape_id].type;
  if (type->is_heap()) {
    // An emptied instance still has its shape: empty slots are null, as AllocInstance leaves them.
    DropInstance(rt, o, type);
  }
  if (type->has_flag(kTypeTypeSubclass)) {
    ClearType(o->as<TypeObject>());
  } else if (type->gc.clear) {
    type->gc.clear(o);
  }
}

void DestroyObject(RuntimeState& rt, Object* o, TypeObject* type) {
  if (!type->is_heap()) {
    if (type->gc.destroy) type->gc.destroy(rt.heap, o);
    return;
  }
  DropInstance(rt, o, type);
  if (type->storage == AttrStorage::kShape && o->aux) {
    rt.FreeExtras(o->aux);
    o->aux = 0;
  }
  if (type->gc.destroy) type->gc.destroy(rt.heap, o);
  Decref(type);
}

}  // namespace minivm
