// Names and values of a frame's locals.
#include "vm/interp/frame_locals.h"

#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {

const Value* LocalAt(const CodeObject* code, const Value* registers, uint32_t reg) {
  if (!(reg & kFarLocal)) return &registers[reg];
  const Value far = registers[code->far_register];  // holds the far parameters until MKFAR has run
  if (!IsExact(far, TypeId::kList)) return nullptr;
  ListObject* list = far.as<ListObject>();
  reg &= ~kFarLocal;
  return reg < list->size ? &list->items[reg] : nullptr;
}

bool HoldsCell(const CodeObject* code, uint32_t reg, Value v) {
  if (!IsExact(v, TypeId::kCell)) return false;
  for (uint32_t i = 0; i < code->cellvars->size(); ++i) {
    if (code->cell_registers[i] == reg) return true;
  }
  return false;
}

namespace {

// Variables of comprehensions, over those of the same name outside.
Status AddHidden(ThreadState& ts, FunctionObject* f, const Value* registers, const Word* pc,
                 DictObject* dict) {
  MVM_TRY(Ref<DictObject> inner, NewDict(ts));
  bool failed = false;
  ForEachHidden(f, registers, pc, [&](Value name, const Value* v) {
    if (failed || v->is_null() || v->is(ts.rt->unbound)) return;
    if (!DictGetStr(ts, inner, name.as<StrObject>()).is_null()) return;
    failed = DictSetStr(ts, inner, name.as<StrObject>(), *v).raised();
  });
  if (failed) return kRaised;
  return DictUpdate(ts, dict, inner.value());
}

}  // namespace

Result<> MappingWithHidden(ThreadState& ts, FunctionObject* f, const Value* registers,
                           const Word* pc, Value mapping) {
  bool any = false;
  ForEachHidden(f, registers, pc, [&](Value, const Value*) { any = true; });
  if (!any) return Result<>::Borrow(mapping);
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY_VOID(DictUpdate(ts, dict, mapping));
  MVM_TRY_VOID(AddHidden(ts, f, registers, pc, dict));
  return dict;
}

Result<DictObject> LocalsSnapshot(ThreadState& ts, FunctionObject* f, const Value* registers,
                                  const Word* pc) {
  CodeObject* code = f->code;
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  auto add = [&](Value name, Value v) -> Status {
    if (v.is_null() || v.is(ts.rt->unbound)) return Ok();
    return DictSetStr(ts, dict, name.as<StrObject>(), v);
  };
  for (uint32_t i = 0; i < code->varnames->size(); ++i) {
    const Value* v = LocalAt(code, registers, code->varname_registers[i]);
    if (v == nullptr) continue;
    const bool captured = HoldsCell(code, code->varname_registers[i], *v);
    MVM_TRY_VOID(add(code->varnames->items()[i], captured ? v->as<CellObject>()->value : *v));
  }
  for (uint32_t i = 0; i < code->cellvars->size(); ++i) {
    const Value* v = LocalAt(code, registers, code->cell_registers[i]);
    if (v == nullptr) continue;
    MVM_TRY_VOID(add(code->cellvars->items()[i],
                     IsExact(*v, TypeId::kCell) ? v->as<CellObject>()->value : *v));
  }
  for (uint32_t i = 0; f->closure != nullptr && i < code->freevars->size(); ++i) {
    MVM_TRY_VOID(add(code->freevars->items()[i], f->closure->items()[i].as<CellObject>()->value));
  }
  if (code->hidden_names != nullptr) MVM_TRY_VOID(AddHidden(ts, f, registers, pc, dict));
  return dict;
}

Result<> CurrentLocals(ThreadState& ts) {
  FrameWalker walker(ts);
  if (walker.done()) return Raise(ts, Exc::kSystemError, "frame does not exist");
  FunctionObject* f = FunctionOf(walker.base());
  if (f->code->locals_register != 0xFFFF)
    return MappingWithHidden(ts, f, walker.base(), walker.pc(),
                             walker.base()[f->code->locals_register]);
  MVM_TRY(Ref<DictObject> locals, LocalsSnapshot(ts, f, walker.base(), walker.pc()));
  FrameObject* frame = ExistingFrame(ts, walker.base());
  if (frame != nullptr && frame->extra_locals.is_object()) {
    MVM_TRY_VOID(DictUpdate(ts, locals, frame->extra_locals));
  }
  return locals;
}

}  // namespace minivm
