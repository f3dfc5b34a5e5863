// Compiling what a script passes as source: text, bytes, or a syntax tree.
#pragma once

#include "runtime/core/thread_state.h"
#include "vm/compiler/compiler.h"

namespace minivm {

// The __future__ features of the running code, which what it compiles inherits.
uint32_t CallerFutures(ThreadState& ts);
// Source text of eval(), exec(), compile(): str as it is, bytes-like decoded by its cookie. `what`
// says in the TypeError what the function takes.
Result<CodeObject> CompileValue(ThreadState& ts, Value source, StrObject* filename,
                                const CompileOptions& options, const char* function,
                                const char* what);
// compile(source, filename, mode, flags, dont_inherit, optimize, *, _feature_version)
Result<> builtins_compile(ThreadState& ts, Args args);

}  // namespace minivm
