// Weak references and proxies, and the table of a VM that finds them by object.
//
// Invariants:
//  1. A referenced object has kGcHasWeakrefs set, and a list in the VM's WeakrefTable; the list's
//     members are linked through `next` and `prev`, first the shared ones (no callback, exact
//     type).
//  2. A live reference holds its object's address without owning it. It is cleared (target null)
//     and unlinked before the object's memory goes.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class WeakrefObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kWeakReference;
  Object* target = nullptr;       // borrowed; null: dead
  Value callback;                 // owned, or null
  WeakrefObject* next = nullptr;  // borrowed, in the target's list
  WeakrefObject* prev = nullptr;
  int64_t hash = -1;  // of the target, once asked for
  template <class V>
  void VisitRefs(V&& v) {
    v(callback);
  }
  void FreeBuffers(Heap& heap);  // leaves the list
};

class WeakrefTable {
 public:
  ~WeakrefTable();
  // First reference to the object, or null.
  WeakrefObject* First(const Object* target) const;
  // Makes `ref` the first of its target's list. False: out of memory.
  bool SetFirst(Object* target, WeakrefObject* ref);
  void Remove(const Object* target);
  // Bytes in the heap's account: what goes beyond a first small table.
  size_t charged() const { return mask_ < kLeast ? 0 : (size_t{mask_} + 1) * sizeof(Entry); }

 private:
  static constexpr uint32_t kLeast = 32;
  struct Entry {
    Object* target;
    WeakrefObject* first;
  };
  Entry* Slot(const Object* target) const;
  bool Resize(Heap& heap, uint32_t size);
  Entry* entries_ = nullptr;
  uint32_t mask_ = 0, used_ = 0;
};

// A reference to `target`: the existing one where sharing is allowed. TypeError if objects of that
// type cannot be referenced weakly. `cls` null: weakref.ref itself; callback null or None: none.
Result<> NewWeakref(ThreadState& ts, TypeObject* cls, Value target, Value callback);
Result<> NewWeakProxy(ThreadState& ts, Value target, Value callback);
// What the reference or proxy refers to (new reference), None() if dead.
Result<> WeakrefTarget(ThreadState& ts, WeakrefObject* ref);
// Clears every reference to an object that is dying or is garbage and calls the callbacks; errors
// go to sys.unraisablehook. The pending exception is untouched.
void ClearWeakrefs(RuntimeState& rt, Object* target);
// The same without callbacks: references that have one are handed to `keep` (new reference) after
// they have been cleared. For the collector.
void ClearWeakrefsQuietly(RuntimeState& rt, Object* target,
                          void (*keep)(void* context, WeakrefObject*), void* context);
// Calls ref.callback(ref) once, if it has one.
void CallWeakrefCallback(ThreadState& ts, WeakrefObject* ref);
int64_t CountWeakrefs(RuntimeState& rt, Object* target);

}  // namespace minivm
