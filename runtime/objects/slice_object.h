// slice: three values as written; the arithmetic of indices on them.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class SliceObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSlice;
  Value start, stop, step;  // never null; None where not given
  template <class V>
  void VisitRefs(V&& v) {
    v(start);
    v(stop);
    v(step);
  }
};

// New references to the three values.
Result<SliceObject> NewSlice(ThreadState& ts, Value start, Value stop, Value step);

// The three as int64, clamped; step is never 0 (ValueError "slice step cannot be zero"). May run
// __index__; ask for the sequence's length afterwards.
Status SliceUnpack(ThreadState& ts, SliceObject* s, int64_t* start, int64_t* stop, int64_t* step);

// Clips start and stop to a sequence of `length` items; the number of items selected. Pure.
// item i of the slice is at *start + i * step.
int64_t SliceAdjust(int64_t length, int64_t* start, int64_t* stop, int64_t step);

// slice.indices for a length of any size: exact ints.
Status SliceIndices(ThreadState& ts, SliceObject* s, Value length, Ref<>* start, Ref<>* stop,
                    Ref<>* step);

}  // namespace minivm
