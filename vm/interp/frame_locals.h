// Names and values of a frame's locals.
#pragma once

#include "runtime/objects/cell_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/interp/frame.h"
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
// The bound local, cell and free variables of a frame as a new dict. `pc`: the word it is at.
Result<DictObject> LocalsSnapshot(ThreadState& ts, FunctionObject* f, const Value* registers,
                                  const Word* pc);
// f(name, word) for the variables of the inlined comprehensions that `pc` is in, bound or not, the
// innermost comprehension first.
template <class F>
void ForEachHidden(FunctionObject* f, const Value* registers, const Word* pc, F&& function) {
  CodeObject* code = f->code;
  if (code->hidden_names == nullptr || pc == nullptr) return;
  const uint32_t at = PcIndex(f, pc);
  for (uint32_t i = 0; i < code->hidden_names->size(); ++i) {
    const HiddenName& hidden = code->hidden[i];
    if (at < hidden.start || at >= hidden.end) continue;
    const Value* v = &registers[hidden.reg];
    if (hidden.cell && IsExact(*v, TypeId::kCell)) v = &v->as<CellObject>()->value;
    function(code->hidden_names->items()[i], v);
  }
}
// The names of a frame that keeps its locals in a mapping: the mapping itself, or a dict with its
// items and those of the inlined comprehensions that `pc` is in.
Result<> MappingWithHidden(ThreadState& ts, FunctionObject* f, const Value* registers,
                           const Word* pc, Value mapping);

}  // namespace minivm
