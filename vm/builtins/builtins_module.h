// The module builtins.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

extern const ModuleSpec k_builtins_module;
// compile, eval, exec, globals, locals, vars, dir, __build_class__, __import__ (builtins_code.cpp).
Status AddCodeFunctions(ThreadState& ts, ModuleObject* builtins);

}  // namespace minivm
