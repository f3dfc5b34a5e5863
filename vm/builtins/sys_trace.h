// sys.settrace, sys.setprofile, and where the events of sys.monitoring come from.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

Result<> sys_call_tracing(ThreadState& ts, Args args);
Result<> sys_settrace(ThreadState& ts, Args args);
Result<> sys_gettrace(ThreadState& ts, Args args);
Result<> sys_setprofile(ThreadState& ts, Args args);
Result<> sys_getprofile(ThreadState& ts, Args args);
Result<> sys_settraceallthreads(ThreadState& ts, Args args);
Result<> sys_setprofileallthreads(ThreadState& ts, Args args);

// Sets the hooks of all threads as trace functions and the tools of sys.monitoring want them.
void UpdateTraceHooks(ThreadState& ts);

}  // namespace minivm
