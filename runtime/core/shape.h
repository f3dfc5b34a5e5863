// Shapes (hidden classes): how the attributes of script-class instances are stored.
//
// A Shape belongs to one class and maps attribute names to slot numbers in order of insertion.
// Adding an attribute moves an instance along a transition to a child shape. The first
// inline_capacity slots stand in the object itself at slot_offset; further ones in the overflow
// vector of its InstanceExtras (RuntimeState::extras, indexed by Object::aux, 0 = none).
// An instance whose __dict__ is replaced, gets non-str keys or suffers arbitrary deletes, or that
// has more than kMaxSlots attributes, goes to dict mode: its shape then is a unique shape of the
// class with dict_mode set, and all attributes are in extras.dict.
// An inline cache may guard on the bare id: the id of a shape that has gone is reused only after
// all caches have been emptied (RuntimeState::RecycleShapes).
#pragma once

#include <cstdint>

#include "runtime/core/object.h"

namespace minivm {

class ThreadState;
class TypeObject;
class StrObject;
class DictObject;
class RuntimeState;

class Shape {
 public:
  static constexpr int kMaxSlots = 128;
  static constexpr int kMaxTransitions = 64;

  uint32_t id = 0;
  TypeObject* type = nullptr;  // borrowed: the type owns its shapes
  Shape* parent = nullptr;     // null for a root
  StrObject* name = nullptr;   // owned, interned: what this shape adds to its parent
  uint16_t slot_count = 0;
  uint16_t inline_capacity = 0;
  uint16_t slot_offset = 0;  // bytes from the object's start to slot 0
  bool dict_mode = false;
  Shape* older = nullptr;  // of a root: the type's previous root (TypeObject::old_roots)

  // Slot number of an interned name, or -1. O(1).
  int Find(StrObject* name) const;
  // The shape after adding `name`, made on first use; null: go to dict mode (too many slots or
  // siblings) or out of memory.
  Shape* Add(RuntimeState& rt, StrObject* name);
  // The name of slot i.
  StrObject* NameAt(int i) const { return names_[i]; }

  // Used by RuntimeState only.
  static Shape* NewRoot(RuntimeState& rt, TypeObject* type, uint16_t slot_offset,
                        uint16_t inline_capacity, bool dict_mode);
  ~Shape();

 private:
  StrObject** names_ = nullptr;  // all names, slot order (shared prefix copied)
  uint32_t* index_ = nullptr;    // open addressing over names_, for more than 8 slots
  uint32_t index_mask_ = 0;
  Shape** children_ = nullptr;
  uint16_t child_count_ = 0, child_capacity_ = 0;
};

// What an instance has beyond its inline slots. Index 0 of the table is never used.
struct InstanceExtras {
  Value* overflow = nullptr;  // slots from inline_capacity on
  uint32_t overflow_capacity = 0;
  uint32_t next_free = 0;
  DictObject* dict =
      nullptr;  // owned: the materialised __dict__ (slot-backed, or hash in dict mode)
};

// An instance of a script class without built-in payload: header, then inline slots.
// Subclasses of fixed-size built-ins have the slots behind the payload (Shape::slot_offset).
inline Value* InlineSlots(Object* o, const Shape* s) {
  return reinterpret_cast<Value*>(reinterpret_cast<char*>(o) + s->slot_offset);
}

// Pointer to the slot's storage. REQUIRES: slot < s->slot_count, the shape is o's.
Value* SlotAddress(RuntimeState& rt, Object* o, const Shape* s, int slot);

// Adds attribute `name` (interned, not yet present) with the owned `value`; s is o's shape. False
// (value not consumed): the object must go to dict mode, or there is no memory.
bool AddSlot(ThreadState& ts, Object* o, Shape* s, StrObject* name, Value value);

// AttrStorage::kVarTail: where an instance of a script's subclass of int, str, bytes or tuple keeps
// its DictObject* (null until first use).
DictObject** VarTailDict(const TypeObject* type, Object* o);

}  // namespace minivm
