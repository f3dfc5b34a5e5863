// The 16-byte header every heap object starts with.
//
// One 32-bit compare of shape_id is both the exact type check and the attribute
// guard: each built-in exact type has the fixed shape id of its TypeId, instances
// of script classes have the id of their Shape (shape.h). The type is found
// through the VM's shape table: TypeOf(ts, v) in thread_state.h.
#pragma once

#include <cstdint>

#include "runtime/core/value.h"

namespace minivm {

struct Object {
  uint32_t refcount;
  uint32_t shape_id;
  uint32_t gc;   // GcBits below
  uint32_t aux;  // by type: tuple length, str hash, native's version, index of an instance's extras

  // REQUIRES: this is an object of that type (or of a subclass with its layout)
  template <class T>
  T* as() {
    return static_cast<T*>(this);
  }
};
static_assert(sizeof(Object) == 16);

// Layout of Object::gc. The bits above kGcReachable are the
// collector's scratch.
enum GcBits : uint32_t {
  kGcAgeMask = 3,            // generation 0..2; 3 = frozen (permanent generation)
  kGcTracked = 1u << 2,      // known to the collector; set last, cleared first
  kGcFinalized = 1u << 3,    // __del__ has run
  kGcCollecting = 1u << 4,   // candidate of the collection under way
  kGcHasWeakrefs = 1u << 5,  // list head in Heap's side table
  kGcReachable = 1u << 6,    // found reachable by the collection under way
  kGcTypeBit = 1u << 7,      // free for the object's type
  kGcRefsShift = 8,
  kGcRefsMask = 0xFFFFFF00u,  // scratch count of the collector, saturating
};

// Immortal singletons start here: plain increments and decrements never free them in
// practice, and Dealloc puts the count back if one ever gets there.
inline constexpr uint32_t kImmortalRefcount = 1u << 30;

// Out of line (gc/finalizer.cpp): the last reference is gone. May run script code
// (finalizers, weak reference callbacks) in the thread that holds the VM's lock.
void Dealloc(Object* object);

inline void Incref(Object* o) { ++o->refcount; }
inline void Decref(Object* o) {
  if (--o->refcount == 0) Dealloc(o);
}
inline void Incref(Value v) {
  if (v.is_object()) ++v.object()->refcount;
}
inline void Decref(Value v) {
  if (v.is_object() && --v.object()->refcount == 0) Dealloc(v.object());
}

}  // namespace minivm
