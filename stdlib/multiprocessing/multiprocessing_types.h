// What the parts of the module _multiprocessing share.
#pragma once

#include <string>

#include "runtime/core/thread_state.h"

namespace minivm {

extern const TypeSpec kSemLockType;

Result<> multiprocessing_recv_frame(ThreadState& ts, Args args);
Result<> multiprocessing_send_frame(ThreadState& ts, Args args);

// The name of a semaphore or of shared memory, argument 1 of `function`. TypeError, ValueError.
Status SharedName(ThreadState& ts, Value v, const char* function, std::string* out);

}  // namespace minivm
