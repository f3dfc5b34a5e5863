// What the parts of the module _thread share.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/objects/struct_sequence.h"

namespace minivm {

extern const TypeSpec kThreadLocalType;
extern const TypeSpec kThreadHandleType;
extern const TypeSpec kLockType;
extern const TypeSpec kRLockType;
extern const StructSequenceSpec kExceptHookArgs;

constexpr double kTimeoutMax = 9223372036.0;  // seconds: the longest time to wait

// For natives that do what scripts do with a _thread.lock: is it one, and free; is it one, and
// held; free it (REQUIRES the last).
bool LockIsFree(ThreadState& ts, Value v);
bool IsTicket(ThreadState& ts, Value v);
void ReleaseTicket(ThreadState& ts, Value lock);

// What threads sleep for: a list of (ident of the waiter, what it waits for: a lock, the handle of
// a thread, a queue, ident of who has the lock, is to end, or 0).
Result<> LockWaits(ThreadState& ts);

// A thread has ended: what the _local objects of the VM keep for it is dropped. Runs finalizers;
// what they put there anew is left.
void ForgetThreadLocals(ThreadState& ts, uint64_t thread_id);

// A handle of a thread that is yet to start; of one that runs already.
Result<> NewThreadHandle(ThreadState& ts);
Result<> MakeThreadHandle(ThreadState& ts, uint64_t ident);
bool HandleIsDone(Value handle);
uint64_t HandleIdent(Value handle);
// What _set_name() was called with, cut off; empty if it was not.
const char* HandleName(Value handle);
// Waits until the handle's thread has ended, or the deadline (of MonotonicNow) has passed.
Status JoinThread(ThreadState& ts, Value handle, int64_t deadline);
// The handle's thread runs now, or has come to nothing, or to its end. REQUIRES for the first: it
// has not been started, else RuntimeError.
Status HandleStarts(ThreadState& ts, Value handle, uint64_t ident);
void HandleFails(Value handle);
void HandleEnds(ThreadState& ts, Value handle);

// function(*args, **kwargs) in a new thread; args and kwargs may be null. RuntimeError when the
// handle has been used or no thread can be had.
Status StartThread(ThreadState& ts, Value handle, Value function, TupleObject* args,
                   DictObject* kwargs, bool daemon);

}  // namespace minivm
