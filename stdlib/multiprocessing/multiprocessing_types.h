// What the parts of the module _multiprocessing share.
#pragma once

#include <atomic>
#include <string>

#include "runtime/core/thread_state.h"
#include "stdlib/timeout.h"

namespace minivm {

extern const TypeSpec kDescriptorsType;
extern const TypeSpec kPipeGuardType;
extern const TypeSpec kSemLockType;

Result<> multiprocessing_recv_frame(ThreadState& ts, Args args);
Result<> multiprocessing_send_frame(ThreadState& ts, Args args);

// The name of a semaphore or of shared memory, argument 1 of `function`. TypeError, ValueError.
Status SharedName(ThreadState& ts, Value v, const char* function, std::string* out);

// How long to wait, from an argument: seconds, or None for ever.
Status WaitLimit(ThreadState& ts, Value timeout, Deadline* out);

// TypeError for what is neither None nor a SemLock.
Status CheckSemaphore(ThreadState& ts, Value v);
// acquire() of a SemLock, which is no mutex: whether it was acquired by the deadline. Then it has
// been counted in `owed`, if that is not null, whatever becomes of this process.
Result<bool> TakeSemaphore(ThreadState& ts, Value v, bool block, const Deadline& deadline,
                           std::atomic<uint32_t>* owed);
// release() of a SemLock, unless it has its greatest value.
void PostSemaphore(Value v);

}  // namespace minivm
