// From one list of owned references to everything the collector needs.
//
// A container class defines
//   template <class V> void VisitRefs(V&& v) { v(items_); v(dict_); }   // every owned reference
//   void FreeBuffers(Heap& heap);                                        // optional: raw buffers
// v accepts a Value&, a T*& and Ref<T>&, and (Value*, size_t) for arrays. GcHooksOf<T>() makes
// the visit, clear and destroy functions of the TypeSpec from it.
#pragma once

#include <cstddef>

#include "runtime/core/ref.h"

namespace minivm {

class Heap;

// What the collector does with each reference an object owns. The most frequent visits are decided
// in line: most children are no candidates, and a candidate mostly loses one count (collector.cpp).
class Visitor {
 public:
  void Visit(Object* child) {
    if ((child->gc & filter_) != filter_) return;
    if (subtract_) {
      if (child->gc >= kRefsOne && child->gc < kRefsSaturated) child->gc -= kRefsOne;
    } else {
      Seen(child);
    }
  }

 protected:
  static constexpr uint32_t kRefsOne = 1u << kGcRefsShift;
  static constexpr uint32_t kRefsSaturated = kGcRefsMask;  // and above: surely reachable

  // Children of which all bits of `filter` are set in Object::gc are seen.
  explicit Visitor(uint32_t filter = 0, bool subtract = false)
      : filter_(filter), subtract_(subtract) {}
  ~Visitor() = default;
  virtual void Seen(Object* child) = 0;

 private:
  const uint32_t filter_;
  const bool subtract_;
};

struct GcHooks {
  void (*visit)(Object* self, Visitor& visitor) = nullptr;  // null: not a container
  // Drops every owned reference, leaving the object valid and empty (breaks cycles).
  void (*clear)(Object* self) = nullptr;
  // The object dies: drops references and frees buffers. The memory itself is the heap's.
  void (*destroy)(Heap& heap, Object* self) = nullptr;
  // Has the type's finalizer nothing to do with this one? Null: ask it.
  bool (*dies_quietly)(const Object* self) = nullptr;
};

namespace gc_internal {

struct VisitAll {
  Visitor& visitor;
  void operator()(Value& v) const {
    if (v.is_object()) visitor.Visit(v.object());
  }
  template <class T>
  void operator()(T*& p) const {
    if (p) visitor.Visit(p);
  }
  template <class T>
  void operator()(Ref<T>& r) const {
    (*this)(static_cast<Value>(r));
  }
  void operator()(Value&& v) const { (*this)(v); }
  void operator()(Value* array, size_t n) const {
    for (size_t i = 0; i < n; ++i) (*this)(array[i]);
  }
};

struct ClearAll {
  void operator()(Value& v) const {
    Value old = std::exchange(v, Value());
    Decref(old);
  }
  template <class T>
  void operator()(T*& p) const {
    T* old = std::exchange(p, nullptr);
    if (old) Decref(old);
  }
  template <class T>
  void operator()(Ref<T>& r) const {
    r = Ref<T>();
  }
  void operator()(Value* array, size_t n) const {
    for (size_t i = 0; i < n; ++i) (*this)(array[i]);
  }
};

template <class T>
void VisitHook(Object* self, Visitor& visitor) {
  static_cast<T*>(self)->VisitRefs(VisitAll{visitor});
}
template <class T>
void ClearHook(Object* self) {
  static_cast<T*>(self)->VisitRefs(ClearAll{});
}
template <class T>
void DestroyHook(Heap& heap, Object* self) {
  if constexpr (requires(T & t) { t.VisitRefs(ClearAll{}); }) {
    static_cast<T*>(self)->VisitRefs(ClearAll{});
  }
  if constexpr (requires(T & t) { t.FreeBuffers(heap); }) static_cast<T*>(self)->FreeBuffers(heap);
}

}  // namespace gc_internal

// Hooks of a container class.
template <class T>
constexpr GcHooks GcHooksOf() {
  return {gc_internal::VisitHook<T>, gc_internal::ClearHook<T>, gc_internal::DestroyHook<T>};
}
// Hooks of a class that owns references or buffers but can never be part of a cycle.
template <class T>
constexpr GcHooks LeafHooksOf() {
  return {nullptr, nullptr, gc_internal::DestroyHook<T>};
}

}  // namespace minivm
