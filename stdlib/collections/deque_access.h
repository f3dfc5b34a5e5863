// A deque for natives that queue things in one.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// An empty one without bounds.
Result<> NewDeque(ThreadState& ts);
Result<bool> IsDequeObject(ThreadState& ts, Value v);
// The same, but no instance of a subclass, and without a maxlen. Runs nothing.
bool IsPlainDeque(ThreadState& ts, Value v);
// REQUIRES of the others: IsDequeObject
Status DequeAppend(ThreadState& ts, Value deque, Value item);
uint64_t DequeSize(Value deque);
// The first item, borrowed, and taken out. REQUIRES: DequeSize() > 0
Value DequeFirst(Value deque);
Ref<> DequePopFirst(ThreadState& ts, Value deque);

}  // namespace minivm
