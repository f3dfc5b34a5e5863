// What the parts of the module _thread share.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/objects/struct_sequence.h"

namespace minivm {

extern const TypeSpec kThreadLocalType;
extern const TypeSpec kThreadHandleType;
extern const StructSequenceSpec kExceptHookArgs;

// A thread has ended: what the _local objects of the VM keep for it is dropped. Runs finalizers.
void ForgetThreadLocals(ThreadState& ts, uint64_t thread_id);

// A handle of a thread that runs already.
Result<> MakeThreadHandle(ThreadState& ts, uint64_t ident);

}  // namespace minivm
