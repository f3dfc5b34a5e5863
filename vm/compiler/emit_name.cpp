// Names: how code reaches each of them, as the symbol table has decided.
#include "vm/compiler/code_generator.h"

namespace minivm {

uint32_t CodeGenerator::Utf8Length(std::string_view text) {
  uint32_t n = 0;
  for (char c : text) n += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return n;
}

CodeGenerator::Place CodeGenerator::Find(Identifier mangled) {
  Scope* scope = unit_->current;
  Symbol* symbol = scope->Find(mangled);
  bool from_comp = scope != unit_->scope;
  while (symbol && symbol->kind == NameKind::kOuter) {
    scope = scope->parent;
    symbol = scope->Find(mangled);
  }
  if (!symbol) return {NameKind::kGlobalImplicit, nullptr, scope, from_comp, false};
  bool class_free = false;
  NameKind kind = symbol->kind;
  if (scope->kind == ScopeKind::kClass && from_comp) {
    // Out of a comprehension the class's own names are not seen.
    class_free = kind == NameKind::kFree || (symbol->flags & kSymFreeClass);
    kind = class_free ? NameKind::kFree : NameKind::kGlobalImplicit;
  }
  return {kind, symbol, scope, from_comp, class_free};
}

void CodeGenerator::CheckBound(unsigned reg, Identifier name) {
  if (b().IsAssigned(reg)) return;
  b().Emit(Op::CHKLOCAL, reg, 0, 0, 0, b().NameIndex(name));
  b().MarkAssigned(reg);
}

// `window`: the value is a callee; its window is opened on three new temporaries.
void CodeGenerator::LoadName(Identifier id, Dest dest, bool window) {
  Identifier name = Mangle(id);
  Place p = Find(name);
  const uint32_t arg = p.kind == NameKind::kFast && !p.symbol->far ? 0 : b().NameIndex(name);
  switch (p.kind) {
    case NameKind::kFast:
      if (p.symbol->far) {
        b().EmitTo(dest, Op::LDFAR, static_cast<unsigned>(unit_->far_list), 0,
                   static_cast<int32_t>(p.symbol->reg), arg);
        break;
      }
      CheckBound(p.symbol->reg, name);
      if (window) {
        b().Emit(Op::MOVE_W, b().Next(), p.symbol->reg);
        b().Push(3);
        return;
      }
      if (dest.local >= 0) {
        b().Emit(Op::MOVE_L, static_cast<unsigned>(dest.local), p.symbol->reg);
        b().MarkAssigned(static_cast<unsigned>(dest.local));
        return;
      }
      b().Emit(Op::MOVE, b().Next(), p.symbol->reg);
      b().Push();
      return;
    case NameKind::kCell:
      if (p.symbol->far) {
        b().EmitTo(dest, Op::LDFAR, static_cast<unsigned>(unit_->far_list), 1,
                   static_cast<int32_t>(p.symbol->reg), arg);
      } else {
        b().EmitTo(dest, Op::LDCELL, p.symbol->reg, 0, 0, arg);
      }
      break;
    case NameKind::kFree: {
      const int32_t index = p.symbol->free_index;
      if (unit_->current->sees_class && !p.from_comp && name->view() != "__classdict__") {
        LoadClassDict();
        b().Pop();
        b().EmitTo(dest, Op::LOADNAME_DICT_CELL, b().Next(), kConsume1, index, arg);
      } else if (p.scope->kind == ScopeKind::kClass && !p.from_comp) {
        if (index > 255) {
          b().EmitTo(Dest{}, Op::LOADLOCALS);
          b().Pop();
          b().EmitTo(dest, Op::LOADNAME_DICT_CELL, b().Next(), kConsume1, index, arg);
        } else {
          b().EmitTo(dest, Op::LOADNAME_CELL, static_cast<unsigned>(index), 1, 0, arg);
        }
      } else {
        b().EmitTo(dest, Op::LDFREE, 0, 0, index, arg);
      }
      break;
    }
    case NameKind::kGlobalImplicit:
      if (unit_->current->sees_class && !p.from_comp) {
        LoadClassDict();
        b().Pop();
        b().EmitTo(dest, Op::LOADNAME_GLOBAL, b().Next(), kConsume1, 0, arg);
        break;
      }
      [[fallthrough]];
    case NameKind::kName:
    case NameKind::kGlobalExplicit: {
      const bool by_mapping =
          p.kind == NameKind::kName || (p.kind == NameKind::kGlobalImplicit && !in_function() &&
                                        !(unit_->scope->kind == ScopeKind::kClass && p.from_comp));
      const Op op = by_mapping ? Op::LOADNAME : Op::LOADG;
      if (window) {
        b().Emit(op, b().Next(), 1, 0, 0, arg);
        b().Push(3);
        return;
      }
      b().EmitTo(dest, op, 0, 0, 0, arg);
      break;
    }
    default: MVM_CHECK(false, "a name without a place");
  }
  if (window) {
    b().Emit(Op::WINDOW, b().Next() - 1u);
    b().Push(2);
  }
}

// The namespace of the class around an annotation scope.
void CodeGenerator::LoadClassDict() {
  Identifier name = Id("__classdict__");
  Place p = Find(name);
  b().EmitTo(Dest{}, Op::LDFREE, 0, 0, p.symbol->free_index, b().NameIndex(name));
}

void CodeGenerator::StoreName(Identifier id, Operand value) {
  Identifier name = Mangle(id);
  Place p = Find(name);
  b().Pop(value);
  switch (p.kind) {
    case NameKind::kFast:
      if (p.symbol->far) {
        b().Emit(Op::STFAR, value.reg, static_cast<unsigned>(unit_->far_list), ConsumeBits(value),
                 static_cast<int32_t>(p.symbol->reg), b().NameIndex(name));
        return;
      }
      if (value.reg != p.symbol->reg) {
        b().Emit(value.temp ? Op::STLOC : Op::MOVE_L, p.symbol->reg, value.reg);
      }
      b().MarkAssigned(p.symbol->reg);
      return;
    case NameKind::kCell:
      if (p.symbol->far) {
        b().Emit(Op::STFAR, value.reg, static_cast<unsigned>(unit_->far_list),
                 ConsumeBits(value) | 2u, static_cast<int32_t>(p.symbol->reg), b().NameIndex(name));
      } else {
        b().Emit(Op::STCELL, p.symbol->reg, value.reg, ConsumeBits(value));
      }
      return;
    case NameKind::kFree:
      b().Emit(Op::STFREE, 0, value.reg, ConsumeBits(value), p.symbol->free_index);
      return;
    case NameKind::kName:
      b().Emit(Op::STORENAME, value.reg, 0, ConsumeBits(value), 0, b().NameIndex(name));
      return;
    default: {
      // Names the compiler itself binds (__module__, __doc__) are in no symbol table.
      const bool implicit = p.kind == NameKind::kGlobalImplicit && !in_function();
      b().Emit(implicit ? Op::STORENAME : Op::STOREG, value.reg, 0, ConsumeBits(value), 0,
               b().NameIndex(name));
      return;
    }
  }
}

void CodeGenerator::DeleteName(Identifier id) {
  Identifier name = Mangle(id);
  Place p = Find(name);
  const uint32_t arg = b().NameIndex(name);
  switch (p.kind) {
    case NameKind::kFast:
      if (p.symbol->far) {
        b().Emit(Op::DELFAR, 0, static_cast<unsigned>(unit_->far_list), 0,
                 static_cast<int32_t>(p.symbol->reg), arg);
        return;
      }
      b().Emit(Op::DELLOC, p.symbol->reg, 0, 0, 0, arg);
      b().MarkUnassigned(p.symbol->reg);
      return;
    case NameKind::kCell:
      if (p.symbol->far) {
        b().Emit(Op::DELFAR, 0, static_cast<unsigned>(unit_->far_list), 1,
                 static_cast<int32_t>(p.symbol->reg), arg);
      } else {
        b().Emit(Op::DELCELL, p.symbol->reg, 0, 0, 0, arg);
      }
      return;
    case NameKind::kFree: b().Emit(Op::DELFREE, 0, 0, 0, p.symbol->free_index, arg); return;
    case NameKind::kName: b().Emit(Op::DELNAME, 0, 0, 0, 0, arg); return;
    default: b().Emit(Op::DELG, 0, 0, 0, 0, arg); return;
  }
}

// The end of `except ... as name`: no error if the name is gone already.
void CodeGenerator::UnsetName(Identifier id) {
  Identifier name = Mangle(id);
  Place p = Find(name);
  if (p.kind == NameKind::kFast && !p.symbol->far) {
    b().Emit(Op::UNSETLOC, p.symbol->reg);
    b().MarkUnassigned(p.symbol->reg);
    return;
  }
  if (p.kind == NameKind::kCell && !p.symbol->far) return b().Emit(Op::UNSETCELL, p.symbol->reg);
  LoadSpecial(Special::kNone, Dest{});
  StoreName(id, Operand{static_cast<uint8_t>(b().Next() - 1), true});
  DeleteName(id);
}

bool CodeGenerator::ForbidName(Identifier name, ExprContext ctx, const Location& loc) {
  if (ctx == ExprContext::kLoad || name->view() != "__debug__") return false;
  context_.Error(
      loc, ctx == ExprContext::kStore ? "cannot assign to __debug__" : "cannot delete __debug__");
}

}  // namespace minivm
