// tuple: immutable sequence; aux is the length, the items follow the header.
#pragma once

#include <span>

#include "runtime/core/thread_state.h"

namespace minivm {

class TupleObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kTuple;
  uint32_t size() const { return aux; }
  Value* items() { return reinterpret_cast<Value*>(this + 1); }
  const Value* items() const { return reinterpret_cast<const Value*>(this + 1); }
  Value operator[](size_t i) const { return items()[i]; }
  std::span<const Value> span() const { return {items(), size()}; }
  template <class V>
  void VisitRefs(V&& v) {
    v(items(), aux);
  }
};

class TupleIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kTupleIterator;
  TupleObject* tuple = nullptr;  // null when exhausted
  uint64_t index = 0;            // of the next item
  template <class V>
  void VisitRefs(V&& v) {
    v(tuple);
  }
};

// Copies the items (new references). The empty tuple is shared.
Result<TupleObject> NewTuple(ThreadState& ts, std::span<const Value> items);
// Items null, tracked by the caller (Track) when filled. Not for size 0.
Result<TupleObject> NewTupleRaw(ThreadState& ts, size_t size);
// Takes over the references; they are gone also on failure.
Result<TupleObject> NewTupleSteal(ThreadState& ts, Value* items, size_t size);
// The pair (first, second) in the tuple that an iterator handed out last, if nobody else holds
// that; else in a new one, remembered in *last.
Result<> PairAgain(ThreadState& ts, TupleObject** last, Ref<> first, Ref<> second);

}  // namespace minivm
