// Methods of `object` that pickle and copy rely on.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// object.__getstate__(), __reduce__() and __reduce_ex__(protocol).
Result<> object_getstate(ThreadState& ts, Args args);
Result<> object_reduce(ThreadState& ts, Args args);
Result<> object_reduce_ex(ThreadState& ts, Args args);

}  // namespace minivm
