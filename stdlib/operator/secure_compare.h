// Comparing secrets: the time it takes does not tell where they differ.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// compare_digest(a, b): two ASCII strings, or two bytes-like objects.
Result<> CompareDigest(ThreadState& ts, Args args);

}  // namespace minivm
