// range, with bounds of any size, and its two iterators.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class RangeObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kRange;
  static constexpr bool kNeverInCycle = true;
  Value start, stop, step, length;  // exact ints
  template <class V>
  void VisitRefs(V&& v) {
    v(start);
    v(stop);
    v(step);
    v(length);
  }
};

// Every value it yields fits an inline int, and so does current after the last step.
class RangeIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kRangeIterator;
  static constexpr bool kNeverInCycle = true;
  int64_t current = 0;  // next value
  int64_t step = 0;
  int64_t remaining = 0;  // values still to come
};

class LongRangeIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kLongRangeIterator;
  static constexpr bool kNeverInCycle = true;
  Value current, step, remaining;  // exact ints
  template <class V>
  void VisitRefs(V&& v) {
    v(current);
    v(step);
    v(remaining);
  }
};

// range(start, stop, step); the arguments are exact ints, step not 0.
Result<RangeObject> NewRange(ThreadState& ts, Value start, Value stop, Value step);

}  // namespace minivm
