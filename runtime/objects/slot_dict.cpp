// The live dictionary view of an instance's attribute slots, and its conversion to a real one.
//
// The view owns nothing but itself: keys are in the owner's shape, values in its slots. What a
// shape cannot say (a deleted attribute in the middle, too many attributes) turns the view into a
// hash dict in place, same identity, and the owner into dict mode.
#include "runtime/objects/slot_dict.h"

#include "runtime/core/type_internal.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

Shape* ShapeOf(RuntimeState& rt, const DictObject* d) {
  return rt.shapes[d->owner->shape_id].shape;
}

// Slot of a key that may not be interned; -1 if absent.
int FindSlot(RuntimeState& rt, const Shape* shape, StrObject* key) {
  if (MVM_LIKELY(key->interned())) return shape->Find(key);
  uint32_t hash = StrHash(rt, key);
  for (int i = 0; i < shape->slot_count; ++i) {
    StrObject* name = shape->NameAt(i);
    if (StrHash(rt, name) == hash && StrEquals(name, key)) return i;
  }
  return -1;
}

// Exchanges the tables of two dicts of hash storage.
void SwapTables(DictObject* a, DictObject* b) {
  std::swap(a->entries, b->entries);
  std::swap(a->index, b->index);
  std::swap(a->used, b->used);
  std::swap(a->entry_count, b->entry_count);
  std::swap(a->entry_capacity, b->entry_capacity);
  std::swap(a->index_size, b->index_size);
}

}  // namespace

Value* SlotDictFind(ThreadState& ts, DictObject* d, StrObject* key) {
  Shape* shape = ShapeOf(*ts.rt, d);
  int slot = FindSlot(*ts.rt, shape, key);
  if (slot < 0) return nullptr;
  Value* place = SlotAddress(*ts.rt, d->owner, shape, slot);
  return place->is_null() ? nullptr : place;
}

Status SlotDictSet(ThreadState& ts, DictObject* d, StrObject* key, Value value) {
  if (Value* place = SlotDictFind(ts, d, key)) {
    Incref(value);
    Ref<> old = Ref<>::Steal(std::exchange(*place, value));
    return Ok();
  }
  MVM_TRY(Ref<StrObject> name, Intern(ts, key));
  Shape* shape = ShapeOf(*ts.rt, d);
  Incref(value);
  if (AddSlot(ts, d->owner, shape, name, value)) {
    ++d->version;
    return Ok();
  }
  Ref<> held = Ref<>::Steal(value);
  MVM_TRY_VOID(SlotDictConvert(ts, d));
  return DictSetStr(ts, d, name, value);
}

Result<bool> SlotDictDelete(ThreadState& ts, DictObject* d, StrObject* key) {
  RuntimeState& rt = *ts.rt;
  Shape* shape = ShapeOf(rt, d);
  Value* place = SlotDictFind(ts, d, key);
  if (!place) return false;
  if (FindSlot(rt, shape, key) == shape->slot_count - 1) {
    Ref<> old = Ref<>::Steal(std::exchange(*place, Value()));
    d->owner->shape_id = shape->parent->id;
    ++d->version;
    return true;
  }
  MVM_TRY_VOID(SlotDictConvert(ts, d));
  return DictDelete(ts, d, key);
}

bool SlotDictNext(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value) {
  Shape* shape = ShapeOf(*ts.rt, d);
  while (*pos < shape->slot_count) {
    int slot = static_cast<int>((*pos)++);
    Value v = *SlotAddress(*ts.rt, d->owner, shape, slot);
    if (v.is_null()) continue;  // emptied by the collector
    *key = shape->NameAt(slot);
    *value = v;
    return true;
  }
  return false;
}

size_t SlotDictSize(const DictObject* d) { return ShapeOf(*Heap::Of(d)->rt(), d)->slot_count; }

Status SlotDictConvert(ThreadState& ts, DictObject* d) {
  RuntimeState& rt = *ts.rt;
  Object* o = d->owner;
  Shape* shape = ShapeOf(rt, d);
  Shape* dict_shape = DictShape(ts, shape->type);
  if (!dict_shape) return RaiseMemoryError(ts);
  MVM_TRY(Ref<DictObject> fresh, NewDict(ts, shape->slot_count));
  for (int i = 0; i < shape->slot_count; ++i) {
    Value v = *SlotAddress(rt, o, shape, i);
    if (!v.is_null()) MVM_TRY_VOID(DictSetStr(ts, fresh, shape->NameAt(i), v));
  }
  // From here on nothing fails and no code runs: the values have another owner.
  for (int i = 0; i < shape->slot_count; ++i) {
    Decref(std::exchange(*SlotAddress(rt, o, shape, i), Value()));
  }
  SwapTables(d, fresh);
  d->storage = DictStorage::kHash;
  d->shape_id = ShapeIdOf(TypeId::kDict);
  d->owner = nullptr;
  ++d->version;
  o->shape_id = dict_shape->id;
  return Ok();
}

}  // namespace minivm
