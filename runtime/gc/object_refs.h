// Every reference an object owns, whatever its layout.
//
// The hooks of a type (visit.h) know the fields of its C++ class. An instance of a heap type owns
// more: __slots__ members, attribute slots described by its shape, extras, a tail dict, and its
// type. The collector and the finalizer see objects through the functions here.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// For hooks that the collector calls: the thread that holds the lock, or the main thread where the
// VM is being taken apart.
inline ThreadState& ThreadOf(const Object* o) {
  Heap* heap = Heap::Of(o);
  return heap->current_ts ? *heap->current_ts : *heap->rt()->main_thread;
}

// An instance of a script class: all that it owns besides its class are the values in it.
inline bool IsPlainInstance(const Object* o, const ShapeEntry& entry) {
  return entry.shape && o->aux == 0 && entry.type->basic_size == sizeof(Object);
}
// f(Value*, size_t) for the values of a plain instance.
template <class F>
void WithPlainValues(Object* o, const Shape& shape, F f) {
  const size_t n =
      shape.slot_count < shape.inline_capacity ? shape.slot_count : shape.inline_capacity;
  f(reinterpret_cast<Value*>(o + 1), n);
}

// Drops what a plain instance owns, its class included.
void DestroyPlain(Object* o, const ShapeEntry& entry);

// Calls visitor.Visit for each object that `o` owns a reference to.
void VisitObject(RuntimeState& rt, Object* o, Visitor& visitor);
// The same, and for the __dict__ of an instance that keeps its values itself also those values:
// what lives on if only the dictionary is reachable.
void VisitReachable(RuntimeState& rt, Object* o, Visitor& visitor);
// Drops every reference but the one to the type, leaving the object valid and empty: breaks the
// cycles through it. A type keeps its bases.
void ClearObject(RuntimeState& rt, Object* o);
// Drops every reference, the one to the type included, and frees the buffers. The memory of the
// object itself stays.
void DestroyObject(RuntimeState& rt, Object* o, TypeObject* type);

}  // namespace minivm
