// Contexts, for natives that run callbacks in them (tasks, handles, threads).
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

// A copy of the thread's current context: O(1).
Result<> CopyContext(ThreadState& ts);
// Is v a contextvars.Context?
Result<bool> IsContext(ThreadState& ts, Value v);
// Makes it the thread's current context until ExitContext(). RuntimeError if it is entered already,
// by any thread. REQUIRES: IsContext
Status EnterContext(ThreadState& ts, Value context);
// Returns to the context before. No exception may be pending (finalizers may run).
// REQUIRES: it is the current context
void ExitContext(ThreadState& ts, Value context);

// A ContextVar for a native module's own use.
Result<> NewContextVar(ThreadState& ts, std::string_view name);
// Its value in the current context; Absent() if it has none.
Result<> ContextVarValue(ThreadState& ts, Value var);
Status SetContextVar(ThreadState& ts, Value var, Value value);

}  // namespace minivm
