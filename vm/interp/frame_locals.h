// Names and values of a frame's locals.
#pragma once

#include "vm/interp/traceback.h"

namespace minivm {

// What locals() gives in the innermost script frame: a fresh dict in functions, the locals mapping
// elsewhere.
Result<> CurrentLocals(ThreadState& ts);
// Is `v`, in register `reg`, the cell of a captured variable (and not a cell that a script put
// there)?
bool HoldsCell(const CodeObject* code, uint32_t reg, Value v);
// The word of a named local: `reg` as in CodeObject::varname_registers. Null: it is not there
// (yet).
const Value* LocalAt(const CodeObject* code, const Value* registers, uint32_t reg);
// The bound local, cell and free variables of a frame as a new dict.
Result<DictObject> LocalsSnapshot(ThreadState& ts, FunctionObject* f, const Value* registers);

}  // namespace minivm
