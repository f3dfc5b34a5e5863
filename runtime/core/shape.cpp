// Shapes: transitions, lookup, and the storage of an instance's attributes.
//
// Every shape has the full array of its names. Lookups in shapes of more than eight slots go
// through a table built at the first lookup: most shapes are only passed through while __init__
// runs.
#include "runtime/core/shape.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/core/thread_state.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

constexpr uint16_t kLinearSlots = 8;

size_t Memory(uint16_t slot_count) { return sizeof(Shape) + slot_count * sizeof(StrObject*); }

}  // namespace

Shape* Shape::NewRoot(RuntimeState& rt, TypeObject* type, uint16_t slot_offset,
                      uint16_t inline_capacity, bool dict_mode) {
  if (!rt.heap.Charge(Memory(0))) return nullptr;
  Shape* s = new (std::nothrow) Shape();
  if (s) {
    s->slot_offset = slot_offset;
    s->inline_capacity = inline_capacity;
    s->dict_mode = dict_mode;
    if (uint32_t new_id = rt.AddShape(type, s)) {
      s->id = new_id;
      s->type = type;
      return s;
    }
    delete s;
  }
  rt.heap.Account(-static_cast<ptrdiff_t>(Memory(0)));
  return nullptr;
}

Shape::~Shape() {
  // Depth is at most kMaxSlots.
  for (uint16_t i = 0; i < child_count_; ++i) delete children_[i];
  std::free(children_);
  std::free(names_);
  std::free(index_);
  if (type) {  // else it was never finished
    Heap* heap = Heap::Of(type);
    heap->Account(-static_cast<ptrdiff_t>(Memory(slot_count)));
    heap->rt()->RetireShape(id);
  }
  if (name) Decref(name);
}

int Shape::Find(StrObject* wanted) const {
  if (slot_count <= kLinearSlots) {
    for (int i = 0; i < slot_count; ++i) {
      if (names_[i] == wanted) return i;
    }
    return -1;
  }
  if (MVM_UNLIKELY(index_ == nullptr)) {
    uint32_t size = 32;
    while (size < slot_count * 2u) size *= 2;
    uint32_t* table = static_cast<uint32_t*>(std::calloc(size, sizeof(uint32_t)));
    if (!table) {
      for (int i = 0; i < slot_count; ++i) {
        if (names_[i] == wanted) return i;
      }
      return -1;
    }
    for (uint32_t i = 0; i < slot_count; ++i) {
      uint32_t h = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(names_[i])));
      while (table[h & (size - 1)]) ++h;
      table[h & (size - 1)] = i + 1;
    }
    Shape* self = const_cast<Shape*>(this);  // a cache, filled under the VM's lock
    self->index_mask_ = size - 1;
    self->index_ = table;
  }
  uint32_t h = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(wanted)));
  for (;; ++h) {
    uint32_t entry = index_[h & index_mask_];
    if (entry == 0) return -1;
    if (names_[entry - 1] == wanted) return static_cast<int>(entry - 1);
  }
}

Shape* Shape::Add(RuntimeState& rt, StrObject* added) {
  for (uint16_t i = 0; i < child_count_; ++i) {
    if (children_[i]->name == added) return children_[i];
  }
  if (slot_count >= kMaxSlots || child_count_ >= kMaxTransitions || dict_mode) return nullptr;
  if (child_count_ == child_capacity_) {
    uint16_t more = child_capacity_ ? child_capacity_ * 2 : 1;
    void* grown = std::realloc(children_, more * sizeof(Shape*));
    if (!grown) return nullptr;
    children_ = static_cast<Shape**>(grown);
    child_capacity_ = more;
  }
  uint16_t count = slot_count + 1;
  if (!rt.heap.Charge(Memory(count))) return nullptr;
  Shape* child = new (std::nothrow) Shape();
  StrObject** names = static_cast<StrObject**>(std::malloc(count * sizeof(StrObject*)));
  uint32_t new_id = child && names ? rt.AddShape(type, child) : 0;
  if (new_id == 0) {
    rt.heap.Account(-static_cast<ptrdiff_t>(Memory(count)));
    delete child;
    std::free(names);
    return nullptr;
  }
  if (slot_count) std::memcpy(names, names_, slot_count * sizeof(StrObject*));
  names[slot_count] = added;
  Incref(added);
  child->id = new_id;
  child->type = type;
  child->parent = this;
  child->name = added;
  child->slot_count = count;
  child->inline_capacity = inline_capacity;
  child->slot_offset = slot_offset;
  child->names_ = names;
  children_[child_count_++] = child;
  return child;
}

Value* SlotAddress(RuntimeState& rt, Object* o, const Shape* s, int slot) {
  if (MVM_LIKELY(slot < s->inline_capacity)) return InlineSlots(o, s) + slot;
  return rt.extras[o->aux].overflow + (slot - s->inline_capacity);
}

bool AddSlot(ThreadState& ts, Object* o, Shape* s, StrObject* name, Value value) {
  RuntimeState& rt = *ts.rt;
  Shape* next = s->Add(rt, name);
  if (MVM_UNLIKELY(!next)) return false;
  uint32_t slot = s->slot_count;
  if (slot >= s->inline_capacity) {
    uint32_t index = slot - s->inline_capacity;
    if (index == 0 && s->inline_capacity == s->type->root_shape->inline_capacity) {
      GrowInlineSlots(ts, s->type);
    }
    if (o->aux == 0) {
      uint32_t fresh = rt.NewExtras();
      if (fresh == 0) return false;
      o->aux = fresh;
    }
    InstanceExtras& extras = rt.extras[o->aux];
    if (index >= extras.overflow_capacity) {
      uint32_t capacity = extras.overflow_capacity ? extras.overflow_capacity * 2 : 4;
      void* grown = rt.heap.ReallocateBuffer(
          extras.overflow, extras.overflow_capacity * sizeof(Value), capacity * sizeof(Value));
      if (!grown) return false;
      extras.overflow = static_cast<Value*>(grown);
      extras.overflow_capacity = capacity;
    }
    extras.overflow[index] = value;
  } else {
    InlineSlots(o, s)[slot] = value;
  }
  o->shape_id = next->id;
  return true;
}

DictObject** VarTailDict(const TypeObject* type, Object* o) {
  char* base = reinterpret_cast<char*>(o);
  size_t offset;
  if (type->has_flag(kTypeStrSubclass)) {
    offset = o->as<StrObject>()->tail_offset();
  } else if (type->has_flag(kTypeBytesSubclass)) {
    offset = o->as<BytesObject>()->tail_offset();
  } else if (type->has_flag(kTypeIntSubclass)) {
    offset = sizeof(IntObject) + o->as<IntObject>()->limb_count() * sizeof(uint64_t);
  } else {
    MVM_DCHECK(type->has_flag(kTypeTupleSubclass), "no tail dict in this layout");
    offset = sizeof(TupleObject) + o->as<TupleObject>()->size() * sizeof(Value);
  }
  return reinterpret_cast<DictObject**>(base + offset);
}

// ---- RuntimeState's tables ----

uint32_t RuntimeState::AddShape(TypeObject* type, Shape* shape) {
  if (uint32_t id = free_shapes) {
    free_shapes = static_cast<uint32_t>(shapes[id].next);
    shapes[id] = {type, {shape}};
    return id;
  }
  if (shape_count == shape_capacity) {
    uint32_t more = shape_capacity < (uint32_t{1} << 31) ? shape_capacity * 2 : 0;
    if (more == 0) return 0;
    size_t extra = static_cast<size_t>(more - shape_capacity) * sizeof(ShapeEntry);
    if (!heap.Charge(extra)) return 0;
    void* grown = std::realloc(shapes, static_cast<size_t>(more) * sizeof(ShapeEntry));
    if (!grown) {
      heap.Account(-static_cast<ptrdiff_t>(extra));
      return 0;
    }
    shapes = static_cast<ShapeEntry*>(grown);
    shape_capacity = more;
  }
  shapes[shape_count] = {type, {shape}};
  return shape_count++;
}

void RuntimeState::RetireShape(uint32_t id) {
  shapes[id].type = nullptr;
  shapes[id].next = retired_shapes;
  retired_shapes = id;
  ++retired_shape_count;
}

void RuntimeState::RecycleShapes() {
  constexpr uint32_t kWorthIt = 4096;
  if (MVM_LIKELY(retired_shape_count < kWorthIt) || retired_shape_count < shape_count / 4 ||
      free_shapes != 0) {
    return;
  }
  if (hooks.invalidate_sites) hooks.invalidate_sites(*this);
  free_shapes = std::exchange(retired_shapes, 0);
  retired_shape_count = 0;
}

uint32_t RuntimeState::NewExtras() {
  uint32_t index = extras_free;
  if (index != 0) {
    extras_free = extras[index].next_free;
  } else {
    if (extras_count == extras_capacity) {
      uint32_t more = extras_capacity ? extras_capacity * 2 : 16;
      if (more < extras_capacity) return 0;
      size_t extra = static_cast<size_t>(more - extras_capacity) * sizeof(InstanceExtras);
      if (!heap.Charge(extra)) return 0;
      void* grown = std::realloc(extras, static_cast<size_t>(more) * sizeof(InstanceExtras));
      if (!grown) {
        heap.Account(-static_cast<ptrdiff_t>(extra));
        return 0;
      }
      extras = static_cast<InstanceExtras*>(grown);
      extras_capacity = more;
      if (extras_count == 0) extras_count = 1;  // index 0 stands for none
    }
    index = extras_count++;
  }
  extras[index] = InstanceExtras();
  return index;
}

void RuntimeState::FreeExtras(uint32_t index) {
  if (index == 0) return;
  InstanceExtras& e = extras[index];
  heap.FreeBuffer(e.overflow, e.overflow_capacity * sizeof(Value));
  e.overflow = nullptr;
  e.dict = nullptr;
  e.next_free = extras_free;
  extras_free = index;
}

}  // namespace minivm
