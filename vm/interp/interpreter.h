// The interpreter loop and the ways into it.
#pragma once

#include "vm/interp/frame.h"

namespace minivm {

// Calls a script function from C++ with raw arguments.
Result<> CallFunction(ThreadState& ts, Value function, Args raw);
// Runs a code object as a module, class body, exec or eval block: no parameters, names through
// `locals` (a dict or mapping) and `globals`.
Result<> RunCode(ThreadState& ts, CodeObject* code, DictObject* globals, Value locals,
                 TupleObject* closure = nullptr);
// Executes from `pc` in the frame at `base` (which has kFrameEntry set) until that frame is left.
// Owned result; 0 = raised.
Value Run(ThreadState* ts, Value* base, const Word* pc);

// Installs hooks, dispatch tables and the slots of the types of vm/interp. Called once per VM.
Status InitInterpreter(ThreadState& ts);
// Thread-local part: dispatch table of a new thread state.
void InitInterpreterThread(ThreadState& ts);
// The same at its end.
void ReleaseInterpreterThread(ThreadState& ts);

// Stores the breaker table: the thread looks at its requests at its next poll. Async-signal-safe.
void RequestAttention(ThreadState& ts);

// Binds raw arguments (owned words at args[0 .. npos + nkw), names of the last nkw in `kwnames`) to
// the parameters of `f`, in place; missing locals are set to unbound. On failure all words are
// released and an exception is pending.
bool BindArguments(ThreadState& ts, FunctionObject* f, Value* args, uint32_t npos, uint32_t nkw,
                   TupleObject* kwnames);

}  // namespace minivm
