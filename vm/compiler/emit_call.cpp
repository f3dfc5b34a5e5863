// Calls: windows, keywords, unpacking, super().
#include <algorithm>

#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

bool CodeGenerator::NeedsCallEx(Span<Expr*> args, Span<Keyword*> keywords, unsigned given) {
  if (args.size + keywords.size + given > kMaxWindow) return true;
  for (Expr* a : args) {
    if (a->kind == ExprKind::kStarred) return true;
  }
  for (Keyword* k : keywords) {
    if (k->arg == nullptr) return true;
  }
  return false;
}

void CodeGenerator::CheckKeywords(Span<Keyword*> keywords) {
  // The first keyword that comes again, and where it does.
  uint32_t first = keywords.size, again = 0;
  FlatMap places;
  for (uint32_t i = 0; keywords.size > 1 && i < keywords.size; ++i) {
    if (keywords[i]->arg == nullptr) continue;
    const uint32_t place = places.FindOrAdd(keywords[i]->arg->index, i);
    if (place < i && place < first) {
      first = place;
      again = i;
    }
  }
  for (uint32_t i = 0; i < keywords.size; ++i) {
    Identifier name = keywords[i]->arg;
    if (name == nullptr) continue;
    ForbidName(name, ExprContext::kStore, keywords[i]->loc);
    if (i == first) {
      context_.Error(keywords[again]->loc, "keyword argument repeated: %.*s",
                     static_cast<int>(name->size), name->data);
    }
  }
}

void CodeGenerator::FinishCall(Op op, unsigned base, unsigned temps, unsigned count, int32_t x,
                               Dest dest) {
  b().Pop(temps);
  MVM_DCHECK(b().Next() == base, "call window is not on top");
  b().Emit(op, base, base, count, x);
  b().Push();
  MoveTop(dest);
}

void CodeGenerator::CallName(const CallExpr* e, Dest dest) {
  CheckKeywords(e->keywords);
  const unsigned base = b().Next();
  b().SetLocation(e->func->loc);
  auto* func = As<NameExpr>(e->func);
  if (MayFold(func)) {  // __debug__()
    ToTemp(func);
    b().Emit(Op::WINDOW, base);
    b().Push(2);
  } else {
    LoadName(func->id, Dest{}, true);
  }
  FinishArguments(e->args, e->keywords, base, false, e->loc, dest);
}

void CodeGenerator::ApplyCall(const CallExpr* e, Operand callee, Dest dest) {
  WarnNotCallable(e->func);
  CheckKeywords(e->keywords);
  b().Emit(Op::WINDOW, callee.reg);
  b().Push(2);
  FinishArguments(e->args, e->keywords, callee.reg, false, e->loc, dest);
}

void CodeGenerator::ApplyMethodCall(const CallExpr* e, Operand receiver, Dest dest) {
  CheckKeywords(e->keywords);
  auto* method = As<AttributeExpr>(e->func);
  const Location at = MethodLocation(method->loc, method);
  const Location call = MethodLocation(e->loc, method);
  const uint32_t name = b().NameIndex(Mangle(method->attr));
  b().SetLocation(at);
  b().Pop(receiver);
  const unsigned base = b().Next();
  if (NeedsCallEx(e->args, e->keywords, 0)) {
    b().EmitTo(Dest{}, Op::GETATTR, receiver.reg, ConsumeBits(receiver), 0, name);
    b().Emit(Op::WINDOW, base);
    b().Push(2);
    return CallEx(e->args, e->keywords, base, call, dest, 0);
  }
  b().Emit(Op::LOAD_METHOD, base, receiver.reg, ConsumeBits(receiver), 0, name);
  b().Push(4);
  FinishArguments(e->args, e->keywords, base, true, call, dest);
}

void CodeGenerator::FinishArguments(Span<Expr*> args, Span<Keyword*> keywords, unsigned base,
                                    bool method, const Location& loc, Dest dest, unsigned given) {
  if (NeedsCallEx(args, keywords, given)) return CallEx(args, keywords, base, loc, dest, given);
  for (Expr* a : args) ToTemp(a);
  for (Keyword* k : keywords) ToTemp(k->value);
  b().SetLocation(loc);
  const unsigned count = given + args.size + keywords.size;
  const unsigned temps = count + (method ? 4 : 3);
  if (keywords.size == 0) {
    return FinishCall(method ? Op::CALLM : Op::CALL, base, temps, count, 0, dest);
  }
  std::vector<Value> names(keywords.size);
  for (uint32_t i = 0; i < keywords.size; ++i) names[i] = context_.Str(keywords[i]->arg);
  Value tuple = constants_.Add(Ref<>(context_.Check(NewTuple(context_.ts, names))));
  const uint32_t index = b().reachable() ? b().ConstantIndex(tuple) : 0;
  FinishCall(method ? Op::CALLM_KW : Op::CALL_KW, base, temps, count, static_cast<int32_t>(index),
             dest);
}

void CodeGenerator::CallEx(Span<Expr*> args, Span<Keyword*> keywords, unsigned base,
                           const Location& loc, Dest dest, unsigned given) {
  constexpr uint32_t kMostInPlace = 24;
  const bool starred = std::any_of(args.begin(), args.end(),
                                   [](const Expr* a) { return a->kind == ExprKind::kStarred; });
  unsigned flags = 0, temps = 4;
  b().SetLocation(loc);
  if (given > 0) {
    b().Pop(given);
    b().EmitTo(Dest{}, Op::BUILD_LIST, b().Next(), given);
    AppendItems(b().Next() - 1u, args, 0);
  } else if (args.size == 1 && starred) {
    ToTemp(As<StarredExpr>(args[0])->value);
    flags |= 2;
  } else if (!starred && args.size <= kMostInPlace) {
    for (Expr* a : args) ToTemp(a);
    flags |= (args.size + 1) << 3;
    temps = 3 + args.size;
  } else {
    DisplayList(args);
  }
  if (keywords.size == 1 && keywords[0]->arg == nullptr) {
    ToTemp(keywords[0]->value);
    flags |= 1 | 4;
    ++temps;
  } else if (keywords.size) {
    KeywordDict(keywords, base);
    flags |= 1;
    ++temps;
  }
  b().SetLocation(loc);
  FinishCall(Op::CALL_EX, base, temps, flags, 0, dest);
}

// The keywords of a call as a new dict in a temporary. Repeats among the unpacked ones are errors,
// so everything after the first `**` is merged.
void CodeGenerator::KeywordDict(Span<Keyword*> keywords, unsigned base) {
  constexpr uint32_t kMaxPairs = 16;
  const Position at = b().position();
  unsigned dict = 0;
  bool have_dict = false;
  for (uint32_t i = 0; i < keywords.size;) {
    if (keywords[i]->arg == nullptr) {
      if (!have_dict) {
        b().SetPosition(at);
        b().EmitTo(Dest{}, Op::NEWDICT);
        dict = b().Next() - 1u;
        have_dict = true;
      }
      Operand o = Any(keywords[i]->value);
      b().SetPosition(at);
      b().Pop(o);
      b().Emit(Op::DICT_MERGE, dict, o.reg, ConsumeBits(o), static_cast<int32_t>(base));
      ++i;
      continue;
    }
    uint32_t n = 0;
    while (n < kMaxPairs && i < keywords.size && keywords[i]->arg != nullptr) {
      b().SetLocation(keywords[i]->loc);
      LoadConstant(context_.Str(keywords[i]->arg), Dest{});
      ToTemp(keywords[i]->value);
      ++i;
      ++n;
    }
    b().SetPosition(at);
    b().Pop(n * 2);
    b().EmitTo(Dest{}, Op::BUILD_MAP, b().Next(), n);
    if (!have_dict) {
      dict = b().Next() - 1u;
      have_dict = true;
    } else {
      b().Pop();
      b().Emit(Op::DICT_MERGE, dict, b().Next(), kConsume1, static_cast<int32_t>(base));
    }
  }
}

// ---------------------------------------------------------------- super

// super() or super(type, object) where `super` can only be the global name, in a function.
bool CodeGenerator::IsSuperCall(const Expr* e) {
  if (e->kind != ExprKind::kCall) return false;
  auto* call = As<CallExpr>(e);
  if (call->func->kind != ExprKind::kName || call->keywords.size ||
      As<NameExpr>(call->func)->id->view() != "super" || !in_function() ||
      unit_->scope->is_annotation()) {
    return false;
  }
  if (Find(As<NameExpr>(call->func)->id).kind != NameKind::kGlobalImplicit) return false;
  for (Expr* a : call->args) {
    if (a->kind == ExprKind::kStarred) return false;
  }
  if (call->args.size == 2) return true;
  return call->args.size == 0 && unit_->arg_count > 0 &&
         Find(Id("__class__")).kind == NameKind::kFree;
}

void CodeGenerator::LoadSuper(const AttributeExpr* e, bool method, Dest dest) {
  auto* call = As<CallExpr>(e->value);
  b().SetLocation(call->func->loc);
  LoadName(As<NameExpr>(call->func)->id, Dest{});
  unsigned flags = method ? 1 : 0;
  if (call->args.size == 2) {
    ToTemp(call->args[0]);
    ToTemp(call->args[1]);
  } else {
    flags |= 2;
    b().SetLocation(call->loc);
    LoadName(Id("__class__"), Dest{});
    Symbol* self = nullptr;
    for (uint32_t i = 0; !self; ++i) {
      if (unit_->scope->symbols[i]->flags & kSymParam) self = unit_->scope->symbols[i];
    }
    const bool cell = self->kind == NameKind::kCell;
    if (self->far) {
      b().EmitTo(Dest{}, Op::LDFAR, static_cast<unsigned>(unit_->far_list), cell,
                 static_cast<int32_t>(self->reg), b().NameIndex(self->name));
    } else if (cell) {
      b().EmitTo(Dest{}, Op::LDCELL, self->reg, 0, 0, b().NameIndex(self->name));
    } else {
      CheckBound(self->reg, self->name);
      b().Emit(Op::MOVE, b().Next(), self->reg);
      b().Push();
    }
  }
  b().SetLocation(MethodLocation(e->loc, e));
  b().Pop(3);
  b().Emit(Op::LOAD_SUPER, b().Next(), b().Next(), flags, 0, b().NameIndex(Mangle(e->attr)));
  b().Push(method ? 4 : 1);
  if (!method) MoveTop(dest);
}

void CodeGenerator::CallSuperMethod(const CallExpr* e, Dest dest) {
  CheckKeywords(e->keywords);
  const unsigned base = b().Next();
  auto* method = As<AttributeExpr>(e->func);
  const bool ex = NeedsCallEx(e->args, e->keywords, 0);
  LoadSuper(method, !ex, Dest{});
  if (ex) {
    b().Emit(Op::WINDOW, base);
    b().Push(2);
  }
  FinishArguments(e->args, e->keywords, base, !ex, MethodLocation(e->loc, method), dest);
}

}  // namespace minivm
