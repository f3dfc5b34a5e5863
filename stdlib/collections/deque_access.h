// A deque for natives that queue things in one.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// An empty one without bounds.
Result<> NewDeque(ThreadState& ts);
Result<bool> IsDequeObject(ThreadState& ts, Value v);
// REQUIRES of the others: IsDequeObject
Status DequeAppend(ThreadState& ts, Value deque, Value item);
uint64_t DequeSize(Value deque);
// Takes the first item out. REQUIRES: DequeSize() > 0
Ref<> DequePopFirst(ThreadState& ts, Value deque);

}  // namespace minivm
