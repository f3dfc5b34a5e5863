// Comprehensions and generator expressions.
//
// List, set and dict comprehensions run in the code around them (PEP 709): their names are hidden
// registers, fresh (and fresh cells) at each entry and emptied at the end. Generator expressions,
// and comprehensions that must not be inlined, are functions of one argument, the iterator.
#include "vm/compiler/code_generator.h"

namespace minivm {

struct CodeGenerator::Comp {
  const Expr* expr = nullptr;
  Scope* scope = nullptr;
  const Expr* element = nullptr;  // or key
  const Expr* value = nullptr;    // of a dict comprehension
  Span<Comprehension*> generators;
  unsigned result = 0;  // register of the list, set or dict
};

void CodeGenerator::Comprehension_(const Expr* e, Dest dest) {
  Comp comp;
  comp.expr = e;
  comp.scope = symbols_.Of(e);
  if (e->kind == ExprKind::kDictComp) {
    auto* d = As<DictCompExpr>(e);
    comp.element = d->key;
    comp.value = d->value;
    comp.generators = d->generators;
  } else {
    auto* c = As<CompExpr>(e);
    comp.element = c->elt;
    comp.generators = c->generators;
  }
  const bool is_generator = e->kind == ExprKind::kGeneratorExp;
  if (comp.scope->is_coroutine && !is_generator && !unit_->is_async_function &&
      !unit_->scope->is_comprehension()) {
    context_.Error(e->loc, "asynchronous comprehension outside of an asynchronous function");
  }
  if (comp.scope->inlined) {
    InlinedComprehension(comp, dest);
  } else {
    FunctionComprehension(comp, dest);
  }
}

void CodeGenerator::NewResult(Comp& comp) {
  Op op = comp.expr->kind == ExprKind::kListComp  ? Op::NEWLIST
          : comp.expr->kind == ExprKind::kSetComp ? Op::NEWSET
                                                  : Op::NEWDICT;
  b().EmitTo(Dest{}, op);
  comp.result = b().Next() - 1u;
}

// The iterator of a `for` clause in a temporary.
void CodeGenerator::PushIterator(const Comprehension* g) {
  if (!g->is_async && (g->iter->kind == ExprKind::kList || g->iter->kind == ExprKind::kSet)) {
    if (Ref<> constant = FoldSequence(g->iter)) {
      b().SetLocation(g->iter->loc);
      LoadConstant(constant, Dest{});
      b().Pop();
      return b().EmitTo(Dest{}, Op::GETITER, b().Next(), kConsume1);
    }
  }
  Operand o = Any(g->iter);
  b().SetLocation(g->iter->loc);
  b().Pop(o);
  b().EmitTo(Dest{}, g->is_async ? Op::GETAITER : Op::GETITER, o.reg, ConsumeBits(o));
}

void CodeGenerator::InlinedComprehension(Comp& comp, Dest dest) {
  Unit& u = *unit_;
  // The collection is made first, but shows its line after the first iterable.
  b().SetLocation(comp.generators[0]->iter->loc);
  NewResult(comp);
  PushIterator(comp.generators[0]);
  b().Note(comp.expr->loc);
  // Its names: registers above those of the comprehensions around it.
  const unsigned saved_top = u.hidden_top;
  const unsigned first = u.hidden_base + u.hidden_top;
  unsigned next = first;
  b().SetLocation(comp.expr->loc);
  for (uint32_t i = 0; i < comp.scope->symbol_count; ++i) {
    Symbol* s = comp.scope->symbols[i];
    if ((s->flags & kSymParam) || (s->kind != NameKind::kFast && s->kind != NameKind::kCell)) {
      continue;
    }
    s->reg = next++;
    // An earlier entry that was left by an exception may have left something behind.
    if (s->kind == NameKind::kCell) {
      b().Emit(Op::UNSETLOC, s->reg);
      b().Emit(Op::MKCELL, s->reg);
    } else if (!(s->flags & kSymFirstIter)) {
      b().Emit(Op::UNSETLOC, s->reg);
    }
    b().MarkUnassigned(s->reg);
  }
  u.hidden_top += next - first;
  Scope* saved_scope = std::exchange(u.current, comp.scope);
  const unsigned saved_spill = std::exchange(u.spill_base, b().height());
  const uint32_t start = b().pc();
  CompLoop(comp, 0);
  u.spill_base = saved_spill;
  u.current = saved_scope;
  u.hidden_top = saved_top;
  for (uint32_t i = 0; i < comp.scope->symbol_count; ++i) {
    const Symbol* s = comp.scope->symbols[i];
    if ((s->flags & kSymParam) || (s->kind != NameKind::kFast && s->kind != NameKind::kCell)) {
      continue;
    }
    u.hidden_names.push_back(s->name);
    b().AddHidden(start, s->reg, s->kind == NameKind::kCell);
  }
  b().SetLocation(comp.expr->loc);
  for (unsigned r = first; r < next; ++r) {
    b().Emit(Op::UNSETLOC, r);
    b().MarkUnassigned(r);
  }
  MoveTop(dest);
}

void CodeGenerator::FunctionComprehension(Comp& comp, Dest dest) {
  const bool is_generator = comp.expr->kind == ExprKind::kGeneratorExp;
  const char* name = comp.expr->kind == ExprKind::kGeneratorExp ? "<genexpr>"
                     : comp.expr->kind == ExprKind::kListComp   ? "<listcomp>"
                     : comp.expr->kind == ExprKind::kSetComp    ? "<setcomp>"
                                                                : "<dictcomp>";
  BeginUnit(comp.scope, Id(name), comp.expr->loc);
  unit_->arg_count = 1;
  b().SetLocation(comp.expr->loc);
  if (!is_generator) NewResult(comp);
  b().Emit(Op::MOVE, b().Next(), 0);
  b().Push();
  unit_->spill_base = b().height();
  CompLoop(comp, 0);
  if (is_generator) {
    ReturnNone();
  } else {
    ReturnTop();
  }
  const bool is_coroutine = comp.scope->is_coroutine && !is_generator;
  Ref<CodeObject> code = EndUnit();
  b().SetLocation(comp.expr->loc);
  const unsigned base = b().Next();
  MakeFunction(std::move(code), 0, Dest{});
  b().Emit(Op::WINDOW, base);
  b().Push(2);
  PushIterator(comp.generators[0]);
  b().SetLocation(comp.expr->loc);
  FinishCall(Op::CALL, base, 4, 1, 0, Dest{});
  if (is_coroutine) AwaitTop(0, comp.expr->loc);
  MoveTop(dest);
}

// One `for` clause, its iterator on top, and everything inside it. The iterator is gone afterwards.
void CodeGenerator::CompLoop(Comp& comp, uint32_t index) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  const Comprehension* g = comp.generators[index];
  Label head, exhausted, skip;
  AsyncLoop loop;
  b().BindLoop(&head);
  if (g->is_async) {
    NextAsyncItem(g->target, g->iter->loc, &loop);
  } else {
    NextItem(g->target, g->iter->loc, &exhausted);
  }
  for (Expr* test : g->ifs) Condition(test, &skip, false);
  if (index + 1 < comp.generators.size) {
    PushIterator(comp.generators[index + 1]);
    unit_->spill_base = b().height();
    CompLoop(comp, index + 1);
    unit_->spill_base = b().height();
  } else {
    CompElement(comp);
  }
  b().Bind(&skip);
  b().Note(comp.element->loc);
  b().Loop(head);
  if (g->is_async) {
    FinishAsyncLoop(&loop, g->iter->loc);
  } else {
    b().Pop();
    b().Bind(&exhausted);
  }
}

void CodeGenerator::CompElement(Comp& comp) {
  switch (comp.expr->kind) {
    case ExprKind::kGeneratorExp:
      YieldValue(comp.element, comp.element->loc);
      b().Pop();
      b().Emit(Op::CLEAR, b().Next());
      return;
    case ExprKind::kDictComp: {
      Operand key = Any(comp.element);
      Operand value = Any(comp.value);
      b().SetLocation(comp.expr->loc);
      b().Pop(value);
      b().Pop(key);
      return b().Emit(Op::MAP_ADD, comp.result, key.reg, value.reg,
                      static_cast<int32_t>(ConsumeBits(key, value)));
    }
    default: {
      Operand o = Any(comp.element);
      b().SetLocation(comp.element->loc);
      b().Pop(o);
      return b().Emit(comp.expr->kind == ExprKind::kListComp ? Op::LIST_APPEND : Op::SET_ADD,
                      comp.result, o.reg, ConsumeBits(o));
    }
  }
}

}  // namespace minivm
