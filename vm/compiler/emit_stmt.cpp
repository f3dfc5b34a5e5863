// Simple statements, assignments, conditionals and loops.
#include "vm/compiler/code_generator.h"

namespace minivm {

void CodeGenerator::Body(Span<Stmt*> body) {
  for (Stmt* s : body) Statement(s);
}

void CodeGenerator::Statement(const Stmt* s) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  unit_->spill_base = b().height();
  b().SetLocation(s->loc);
  unit_->many_lines = s->loc.lineno != s->loc.end_lineno;
  switch (s->kind) {
    case StmtKind::kFunctionDef:
    case StmtKind::kAsyncFunctionDef: return FunctionDef(As<FunctionDefStmt>(s));
    case StmtKind::kClassDef: return ClassDef(As<ClassDefStmt>(s));
    case StmtKind::kReturn: return Return(As<ReturnStmt>(s));
    case StmtKind::kDelete:
      for (Expr* e : As<DeleteStmt>(s)->targets) Delete(e);
      return;
    case StmtKind::kAssign: return Assign(As<AssignStmt>(s));
    case StmtKind::kTypeAlias: return TypeAlias(As<TypeAliasStmt>(s));
    case StmtKind::kAugAssign: return AugAssign(As<AugAssignStmt>(s));
    case StmtKind::kAnnAssign: return AnnAssign(As<AnnAssignStmt>(s));
    case StmtKind::kFor: return For(As<ForStmt>(s));
    case StmtKind::kAsyncFor: return AsyncFor(As<ForStmt>(s));
    case StmtKind::kWhile: return While(As<WhileStmt>(s));
    case StmtKind::kIf: return If(As<IfStmt>(s));
    case StmtKind::kWith:
    case StmtKind::kAsyncWith: return With(As<WithStmt>(s), 0);
    case StmtKind::kMatch: return Match(As<MatchStmt>(s));
    case StmtKind::kRaise: return Raise(As<RaiseStmt>(s));
    case StmtKind::kTry:
    case StmtKind::kTryStar: return Try(As<TryStmt>(s));
    case StmtKind::kAssert: return Assert(As<AssertStmt>(s));
    case StmtKind::kImport: return Import(As<ImportStmt>(s));
    case StmtKind::kImportFrom: return ImportFrom(As<ImportFromStmt>(s));
    case StmtKind::kExpr: return ExpressionStatement(As<ExprStmt>(s));
    case StmtKind::kBreak:
    case StmtKind::kContinue: return BreakOrContinue(s);
    case StmtKind::kPass: return b().Note();
    case StmtKind::kGlobal:
    case StmtKind::kNonlocal: return;
  }
}

void CodeGenerator::ExpressionStatement(const ExprStmt* s) {
  if (!unit_->interactive) {
    const uint32_t pc = b().pc();
    Discard(s->value);
    if (b().pc() == pc) b().Note(s->loc);
    return;
  }
  ToTemp(s->value);
  b().SetLocation(s->loc);
  b().Pop();
  const unsigned t = b().Next();
  b().Emit(Op::INTRINSIC1, t, t, 1, static_cast<int32_t>(Intrinsic::kPrintExpr));
  b().Emit(Op::CLEAR, t);
}

// ---------------------------------------------------------------- assignment

bool CodeGenerator::AllPlainLocals(Span<Expr*> targets) {
  for (Expr* e : targets) {
    if (PlainLocal(e->kind == ExprKind::kStarred ? As<StarredExpr>(e)->value : e) < 0) return false;
  }
  return true;
}

namespace {
Span<Expr*> SequenceItems(const Expr* e) {
  return e->kind == ExprKind::kTuple ? As<TupleExpr>(e)->elts : As<ListExpr>(e)->elts;
}
bool IsSequence(const Expr* e) { return e->kind == ExprKind::kTuple || e->kind == ExprKind::kList; }
}  // namespace

// Plain locals take the `count` temporaries from `first` on, in order. Storing a local cannot
// raise, so that the temporaries need not leave from the top.
void CodeGenerator::StoreRun(Span<Expr*> targets, unsigned first) {
  for (uint32_t i = 0; i < targets.size; ++i) {
    const Expr* t = targets[i];
    if (t->kind == ExprKind::kStarred) t = As<StarredExpr>(t)->value;
    ForbidName(As<NameExpr>(t)->id, ExprContext::kStore, t->loc);
    b().SetLocation(t->loc);
    const auto reg = static_cast<unsigned>(PlainLocal(t));
    b().Emit(Op::STLOC, reg, first + i);
    b().MarkAssigned(reg);
  }
}

// a, b = b, a: no tuple is made.
bool CodeGenerator::AssignTuple(const AssignStmt* s) {
  constexpr uint32_t kMost = 16;
  if (s->targets.size != 1 || !IsSequence(s->targets[0]) || s->value->kind != ExprKind::kTuple) {
    return false;
  }
  Span<Expr*> targets = SequenceItems(s->targets[0]);
  Span<Expr*> values = As<TupleExpr>(s->value)->elts;
  if (targets.size != values.size || targets.size == 0 || targets.size > kMost) return false;
  for (uint32_t i = 0; i < targets.size; ++i) {
    if (targets[i]->kind == ExprKind::kStarred || values[i]->kind == ExprKind::kStarred)
      return false;
  }
  const unsigned first = b().Next();
  for (Expr* v : values) ToTemp(v);
  if (AllPlainLocals(targets)) {
    b().Pop(targets.size);
    StoreRun(targets, first);
    return true;
  }
  b().SetLocation(s->targets[0]->loc);
  for (uint32_t i = 0, j = targets.size - 1; i < j; ++i, --j)
    b().Emit(Op::SWAP, first + i, first + j);
  for (Expr* t : targets) Store(t, Operand{static_cast<uint8_t>(b().Next() - 1), true});
  return true;
}

void CodeGenerator::Assign(const AssignStmt* s) {
  if (AssignTuple(s)) return;
  if (s->targets.size == 1) {
    const Expr* target = s->targets[0];
    if (int reg = PlainLocal(target); reg >= 0) {
      ForbidName(As<NameExpr>(target)->id, ExprContext::kStore, target->loc);
      Eval(s->value, Dest{reg});
      // The store, where the value began on another line.
      if (unit_->many_lines && s->value->loc.lineno != target->loc.lineno) b().Note(target->loc);
      return;
    }
    return Store(target, Any(s->value));
  }
  ToTemp(s->value);
  Operand value{static_cast<uint8_t>(b().Next() - 1), true};
  for (uint32_t i = 0; i < s->targets.size; ++i) {
    const bool last = i + 1 == s->targets.size;
    if (last) {
      Store(s->targets[i], value);
    } else if (IsSequence(s->targets[i])) {
      UnpackTo(s->targets[i], Operand{value.reg, false});
    } else {
      Store(s->targets[i], Operand{value.reg, false});
    }
  }
}

void CodeGenerator::UnpackTo(const Expr* whole, Operand value) {
  Span<Expr*> targets = SequenceItems(whole);
  uint32_t star = targets.size;
  for (uint32_t i = 0; i < targets.size; ++i) {
    if (targets[i]->kind != ExprKind::kStarred) continue;
    if (star < targets.size) {
      context_.Error(whole->loc, "multiple starred expressions in assignment");
    }
    star = i;
    if (i >= 256) context_.Error(whole->loc, "too many expressions in star-unpacking assignment");
  }
  constexpr unsigned kMostTargets = 32;
  if (targets.size > kMostTargets &&
      b().local_count() + b().height() + targets.size + kMostTargets > CodeBuilder::kMaxRegisters) {
    return UnpackToMany(whole, value, star);
  }
  const bool forward = AllPlainLocals(targets);
  b().SetLocation(whole->loc);
  b().Pop(value);
  const unsigned first = b().Next();
  const int32_t flags = static_cast<int32_t>(ConsumeBits(value)) | (forward ? 0 : 2);
  if (star < targets.size) {
    b().Emit(Op::UNPACK_EX, first, value.reg, star,
             flags | static_cast<int32_t>((targets.size - star - 1) << 8));
  } else {
    b().Emit(Op::UNPACK, first, value.reg, targets.size, flags);
  }
  if (forward) {
    b().Push(targets.size);
    b().Pop(targets.size);
    return StoreRun(targets, first);
  }
  b().Push(targets.size);
  for (Expr* t : targets) {
    Store(t->kind == ExprKind::kStarred ? As<StarredExpr>(t)->value : t,
          Operand{static_cast<uint8_t>(b().Next() - 1), true});
  }
}

// More targets than there are registers: by way of a list. `star` is the index of the starred one,
// or the number of targets.
void CodeGenerator::UnpackToMany(const Expr* whole, Operand value, uint32_t star) {
  Span<Expr*> targets = SequenceItems(whole);
  if (!value.temp) {
    b().Emit(Op::MOVE, b().Next(), value.reg);
    b().Push();
  }
  b().SetLocation(whole->loc);
  const unsigned list = b().Next() - 1u;
  const int64_t starred = star < targets.size ? int64_t{star} + 1 : 0;
  LoadConstant(Value::Int(targets.size + (starred << 32)), Dest{});
  b().Pop(2);
  b().Emit(Op::INTRINSIC2, list, list, list + 1, static_cast<int32_t>(Intrinsic::kUnpackToList));
  b().Push();
  for (uint32_t i = 0; i < targets.size; ++i) {
    const Expr* t = targets[i];
    b().SetLocation(t->loc);
    LoadConstant(Value::Int(i), Dest{});
    b().Pop();
    b().Emit(Op::GETITEM, b().Next(), list, b().Next(), kConsume2);
    b().Push();
    Store(t->kind == ExprKind::kStarred ? As<StarredExpr>(t)->value : t,
          Operand{static_cast<uint8_t>(b().Next() - 1), true});
  }
  b().Pop();
  b().Emit(Op::CLEAR, list);
}

// `self.name = ...` in a method: the class lists the name in __static_attributes__.
void CodeGenerator::NoteStaticAttribute(const AttributeExpr* e) {
  if (e->value->kind != ExprKind::kName || As<NameExpr>(e->value)->id->view() != "self") return;
  Unit* u = unit_->parent;
  while (u && u->scope->kind != ScopeKind::kClass) u = u->parent;
  if (!u) return;
  for (Identifier id : u->static_attributes) {
    if (id == e->attr) return;
  }
  u->static_attributes.push_back(e->attr);
}

void CodeGenerator::Store(const Expr* target, Operand value) {
  switch (target->kind) {
    case ExprKind::kName:
      b().SetLocation(target->loc);
      ForbidName(As<NameExpr>(target)->id, ExprContext::kStore, target->loc);
      return StoreName(As<NameExpr>(target)->id, value);
    case ExprKind::kAttribute: {
      auto* a = As<AttributeExpr>(target);
      NoteStaticAttribute(a);
      Operand object = Any(a->value);
      ForbidName(a->attr, ExprContext::kStore, target->loc);
      b().SetLocation(MethodLocation(target->loc, a));
      b().Pop(object);
      b().Pop(value);
      return b().Emit(Op::SETATTR, object.reg, value.reg, ConsumeBits(object, value), 0,
                      b().NameIndex(Mangle(a->attr)));
    }
    case ExprKind::kSubscript: {
      auto* sub = As<SubscriptExpr>(target);
      Operand object = Any(sub->value);
      if (TwoPartSlice(sub->slice)) {
        SliceParts(As<SliceExpr>(sub->slice));
        b().SetLocation(target->loc);
        b().Pop(2);
        const unsigned parts = b().Next();
        b().Pop(object);
        b().Pop(value);
        return b().Emit(Op::SETSLICE, object.reg, parts, value.reg,
                        (object.temp ? 1 : 0) | (value.temp ? 4 : 0));
      }
      Operand index = Any(sub->slice);
      b().SetLocation(target->loc);
      b().Pop(index);
      b().Pop(object);
      b().Pop(value);
      return b().Emit(Op::SETITEM, object.reg, index.reg, value.reg,
                      static_cast<int32_t>(ConsumeBits(object, index, value)));
    }
    case ExprKind::kTuple:
    case ExprKind::kList: return UnpackTo(target, value);
    default: context_.Error(target->loc, "starred assignment target must be in a list or tuple");
  }
}

void CodeGenerator::AugAssign(const AugAssignStmt* s) {
  const Expr* target = s->target;
  auto top = [this] { return Operand{static_cast<uint8_t>(b().Next() - 1), true}; };
  switch (target->kind) {
    case ExprKind::kName: {
      Identifier id = As<NameExpr>(target)->id;
      Identifier name = Mangle(id);
      b().SetLocation(target->loc);
      ForbidName(id, ExprContext::kStore, target->loc);
      Place p = Find(name);
      if (p.kind == NameKind::kFast && !p.symbol->far && !(p.symbol->flags & kSymWalrus)) {
        const uint8_t reg = static_cast<uint8_t>(p.symbol->reg);
        CheckBound(reg, name);
        if (unit_->many_lines) b().Note();
        return BinaryOp(s->op, Operand{reg, false}, s->value, true, s->loc, Dest{reg});
      }
      LoadName(id, Dest{});
      BinaryOp(s->op, top(), s->value, true, s->loc, Dest{});
      b().SetLocation(target->loc);
      return StoreName(id, top());
    }
    case ExprKind::kAttribute: {
      auto* a = As<AttributeExpr>(target);
      Operand object = Any(a->value);
      ForbidName(a->attr, ExprContext::kStore, target->loc);
      const uint32_t name = b().NameIndex(Mangle(a->attr));
      const Location at = MethodLocation(target->loc, a);
      b().SetLocation(at);
      b().EmitTo(Dest{}, Op::GETATTR, object.reg, 0, 0, name);
      BinaryOp(s->op, top(), s->value, true, s->loc, Dest{});
      Operand value = top();
      b().SetLocation(at);
      b().Pop(value);
      b().Pop(object);
      return b().Emit(Op::SETATTR, object.reg, value.reg, ConsumeBits(object, value), 0, name);
    }
    case ExprKind::kSubscript: {
      auto* sub = As<SubscriptExpr>(target);
      Operand object = Any(sub->value);
      Operand index = Any(sub->slice);
      b().SetLocation(target->loc);
      b().EmitTo(Dest{}, Op::GETITEM, object.reg, index.reg);
      BinaryOp(s->op, top(), s->value, true, s->loc, Dest{});
      Operand value = top();
      b().SetLocation(target->loc);
      b().Pop(value);
      b().Pop(index);
      b().Pop(object);
      return b().Emit(Op::SETITEM, object.reg, index.reg, value.reg,
                      static_cast<int32_t>(ConsumeBits(object, index, value)));
    }
    default: MVM_CHECK(false, "the parser refuses other targets");
  }
}

void CodeGenerator::AnnAssign(const AnnAssignStmt* s) {
  const Expr* target = s->target;
  if (s->value) {
    if (int reg = PlainLocal(target); reg >= 0) {
      ForbidName(As<NameExpr>(target)->id, ExprContext::kStore, target->loc);
      Eval(s->value, Dest{reg});
      if (unit_->many_lines && s->value->loc.lineno != target->loc.lineno) b().Note(target->loc);
    } else {
      Store(target, Any(s->value));
    }
  }
  const bool evaluated = !in_function();
  switch (target->kind) {
    case ExprKind::kName: {
      Identifier id = As<NameExpr>(target)->id;
      ForbidName(id, ExprContext::kStore, target->loc);
      if (!s->simple || !evaluated) break;
      Annotation(s->annotation);
      b().SetLocation(s->loc);
      LoadAnnotationsDict();
      LoadConstant(context_.Str(Mangle(id)), Dest{});
      b().Pop(3);
      const unsigned t = b().Next();
      b().Emit(Op::SETITEM, t + 1, t + 2, t, kConsume1 | kConsume2 | kConsume3);
      return;
    }
    case ExprKind::kAttribute: {
      auto* a = As<AttributeExpr>(target);
      ForbidName(a->attr, ExprContext::kStore, target->loc);
      if (!s->value) Discard(a->value);
      break;
    }
    case ExprKind::kSubscript: {
      auto* sub = As<SubscriptExpr>(target);
      if (s->value) break;
      Discard(sub->value);
      DiscardIndex(sub->slice);
      break;
    }
    default: MVM_CHECK(false, "the parser refuses other targets");
  }
  // The annotation of a target that is not a plain name is evaluated, then dropped.
  if (!s->simple && evaluated && !context_.future_annotations()) Discard(s->annotation);
}

void CodeGenerator::LoadAnnotationsDict() { LoadName(Id("__annotations__"), Dest{}); }

void CodeGenerator::DiscardIndex(const Expr* slice) {
  if (slice->kind == ExprKind::kSlice) {
    auto* s = As<SliceExpr>(slice);
    for (const Expr* part : {s->lower, s->upper, s->step}) {
      if (part) Discard(part);
    }
  } else if (slice->kind == ExprKind::kTuple) {
    for (Expr* item : As<TupleExpr>(slice)->elts) DiscardIndex(item);
  } else {
    Discard(slice);
  }
}

void CodeGenerator::Delete(const Expr* target) {
  switch (target->kind) {
    case ExprKind::kName:
      b().SetLocation(target->loc);
      ForbidName(As<NameExpr>(target)->id, ExprContext::kDel, target->loc);
      return DeleteName(As<NameExpr>(target)->id);
    case ExprKind::kAttribute: {
      auto* a = As<AttributeExpr>(target);
      Operand object = Any(a->value);
      ForbidName(a->attr, ExprContext::kDel, target->loc);
      b().SetLocation(MethodLocation(target->loc, a));
      b().Pop(object);
      return b().Emit(Op::DELATTR, object.reg, 0, ConsumeBits(object), 0,
                      b().NameIndex(Mangle(a->attr)));
    }
    case ExprKind::kSubscript: {
      auto* sub = As<SubscriptExpr>(target);
      Operand object = Any(sub->value);
      Operand index = Any(sub->slice);
      b().SetLocation(target->loc);
      b().Pop(index);
      b().Pop(object);
      return b().Emit(Op::DELITEM, object.reg, index.reg, ConsumeBits(object, index));
    }
    case ExprKind::kTuple:
    case ExprKind::kList:
      for (Expr* e : SequenceItems(target)) Delete(e);
      return;
    default: MVM_CHECK(false, "the parser refuses other targets");
  }
}

// Is there an annotated assignment in this body that the module or class would record?
bool CodeGenerator::HasAnnotations(Span<Stmt*> body) {
  for (Stmt* s : body) {
    switch (s->kind) {
      case StmtKind::kAnnAssign: return true;
      case StmtKind::kFor:
      case StmtKind::kAsyncFor:
        if (HasAnnotations(As<ForStmt>(s)->body) || HasAnnotations(As<ForStmt>(s)->orelse)) {
          return true;
        }
        break;
      case StmtKind::kWhile:
        if (HasAnnotations(As<WhileStmt>(s)->body) || HasAnnotations(As<WhileStmt>(s)->orelse)) {
          return true;
        }
        break;
      case StmtKind::kIf:
        for (auto* i = As<IfStmt>(s);;) {
          if (HasAnnotations(i->body)) return true;
          if (i->orelse.size == 1 && i->orelse[0]->kind == StmtKind::kIf) {
            i = As<IfStmt>(i->orelse[0]);
            continue;
          }
          if (HasAnnotations(i->orelse)) return true;
          break;
        }
        break;
      case StmtKind::kMatch:
        for (MatchCase* c : As<MatchStmt>(s)->cases) {
          if (HasAnnotations(c->body)) return true;
        }
        break;
      case StmtKind::kWith:
      case StmtKind::kAsyncWith:
        if (HasAnnotations(As<WithStmt>(s)->body)) return true;
        break;
      case StmtKind::kTry:
      case StmtKind::kTryStar: {
        auto* t = As<TryStmt>(s);
        for (ExceptHandler* h : t->handlers) {
          if (HasAnnotations(h->body)) return true;
        }
        if (HasAnnotations(t->body) || HasAnnotations(t->orelse) || HasAnnotations(t->finalbody)) {
          return true;
        }
        break;
      }
      default: break;
    }
  }
  return false;
}

// ---------------------------------------------------------------- if, while, for

void CodeGenerator::If(const IfStmt* s) {
  Label end;
  for (;;) {
    Label next;
    Condition(s->test, &next, false);
    // A body that cannot be reached does not say where the function ends.
    const bool dead = !b().reachable();
    const Position at = b().position();
    Body(s->body);
    if (dead) b().SetPosition(at);
    if (s->orelse.size == 0) {
      b().Bind(&next);
      break;
    }
    b().Jump(&end);
    b().Bind(&next);
    if (s->orelse.size == 1 && s->orelse[0]->kind == StmtKind::kIf) {
      s = As<IfStmt>(s->orelse[0]);  // a long elif chain must not recurse
      unit_->spill_base = b().height();
      continue;
    }
    Body(s->orelse);
    break;
  }
  b().Bind(&end);
}

Block& CodeGenerator::PushBlock(Block::Kind kind) {
  Block block;
  block.kind = kind;
  block.height = b().height();
  block.ranges = b().open_ranges();
  unit_->blocks.push_back(block);
  return unit_->blocks.back();
}

void CodeGenerator::While(const WhileStmt* s) {
  Label head, otherwise, end;
  b().BindLoop(&head);
  Block& block = PushBlock(Block::kWhile);
  block.break_label = &end;
  block.loop_head = &head;
  Condition(s->test, &otherwise, false);
  Body(s->body);
  PopBlock();
  b().Loop(head);
  b().Bind(&otherwise);
  Body(s->orelse);
  b().Bind(&end);
}

void CodeGenerator::For(const ForStmt* s) {
  if (Ref<> constant = s->iter->kind == ExprKind::kList || s->iter->kind == ExprKind::kSet
                           ? FoldSequence(s->iter)
                           : Ref<>()) {
    b().SetLocation(s->iter->loc);
    LoadConstant(constant, Dest{});
    b().Pop();
    b().EmitTo(Dest{}, Op::GETITER, b().Next(), kConsume1);
  } else {
    Operand iterable = Any(s->iter);
    b().SetLocation(s->iter->loc);
    b().Pop(iterable);
    b().EmitTo(Dest{}, Op::GETITER, iterable.reg, ConsumeBits(iterable));
  }
  Label head, exhausted, end;
  b().BindLoop(&head);
  Block& block = PushBlock(Block::kFor);
  block.break_label = &end;
  block.loop_head = &head;
  NextItem(s->target, s->iter->loc, &exhausted);
  Body(s->body);
  PopBlock();
  b().Loop(head);
  b().Pop();
  b().Bind(&exhausted);
  Body(s->orelse);
  b().Bind(&end);
}

// FOR over the iterator in the highest temporary, into the target.
void CodeGenerator::NextItem(const Expr* target, const Location& loc, Label* exhausted) {
  const unsigned iterator = b().Next() - 1u;
  b().SetLocation(loc);
  if (int reg = PlainLocal(target); reg >= 0) {
    ForbidName(As<NameExpr>(target)->id, ExprContext::kStore, target->loc);
    b().EmitJump(Op::FOR_L, iterator, static_cast<unsigned>(reg), 0, exhausted);
    b().MarkAssigned(static_cast<unsigned>(reg));
    return;
  }
  b().EmitJump(Op::FOR, iterator, b().Next(), 0, exhausted);
  b().Push();
  Store(target, Operand{static_cast<uint8_t>(b().Next() - 1), true});
}

void CodeGenerator::CheckAsyncAllowed(const char* what, const Location& loc) {
  if (unit_->is_async_function) return;
  context_.Error(loc, "%s outside async function", what);
}

void CodeGenerator::AsyncFor(const ForStmt* s) {
  CheckAsyncAllowed("'async for'", s->loc);
  Operand iterable = Any(s->iter);
  b().SetLocation(s->iter->loc);
  b().Pop(iterable);
  b().EmitTo(Dest{}, Op::GETAITER, iterable.reg, ConsumeBits(iterable));
  Label head, end;
  AsyncLoop loop;
  b().BindLoop(&head);
  Block& block = PushBlock(Block::kFor);
  block.break_label = &end;
  block.loop_head = &head;
  NextAsyncItem(s->target, s->iter->loc, &loop);
  Body(s->body);
  PopBlock();
  b().Loop(head);
  FinishAsyncLoop(&loop, s->iter->loc);
  Body(s->orelse);
  b().Bind(&end);
}

// Awaits the next item of the asynchronous iterator in the highest temporary.
void CodeGenerator::NextAsyncItem(const Expr* target, const Location& loc, AsyncLoop* loop) {
  const unsigned iterator = b().Next() - 1u;
  loop->handler = b().NewHandler();
  loop->depth = iterator + 1;
  loop->assigned = b().assigned();
  b().SetLocation(loc);
  b().BeginRange(loop->handler, loop->depth);
  b().Emit(Op::GETANEXT, iterator + 1, iterator);
  b().Push();
  SendLoop();
  b().EndRange();
  Store(target, Operand{static_cast<uint8_t>(b().Next() - 1), true});
}

void CodeGenerator::FinishAsyncLoop(AsyncLoop* loop, const Location& loc) {
  Label exhausted;
  b().SetLocation(loc);
  b().BindHandler(loop->handler, loop->depth, loop->assigned);
  b().BeginRange(CodeBuilder::kNoHandler, loop->depth);
  b().Pop();  // the exception
  b().EmitJump(Op::ENDASYNCFOR, b().Next(), loop->depth - 1, 0, &exhausted);
  b().SetUnreachable();
  b().EndRange();
  b().Bind(&exhausted);
  b().Emit(Op::POPEXC, loop->depth);
  b().Pop(2);  // the handled exception, the iterator
}

// ---------------------------------------------------------------- leaving

void CodeGenerator::Return(const ReturnStmt* s) {
  if (!in_function()) context_.Error(s->loc, "'return' outside function");
  if (s->value && unit_->is_async_function && unit_->scope->is_generator) {
    context_.Error(s->loc, "'return' with value in async generator");
  }
  bool plain = true;  // nothing runs between the value and the return
  for (const Block& block : unit_->blocks) {
    if (block.kind == Block::kGroupHandler) {
      context_.Error(s->loc, "'break', 'continue' and 'return' cannot appear in an except* block");
    }
    plain = plain && (block.kind == Block::kWhile || block.kind == Block::kFor ||
                      block.kind == Block::kTry || block.kind == Block::kValue ||
                      (block.kind == Block::kHandler && !block.name) ||
                      block.kind == Block::kFinallyHandler);
  }
  const unsigned height = b().height();
  int special = s->value ? -1 : static_cast<int>(Special::kNone);
  if (s->value && MayFold(s->value)) {
    if (Ref<> v = Fold(s->value)) {
      RuntimeState& rt = *context_.ts.rt;
      if (v.is(rt.none)) special = static_cast<int>(Special::kNone);
      if (v.is(rt.true_)) special = static_cast<int>(Special::kTrue);
      if (v.is(rt.false_)) special = static_cast<int>(Special::kFalse);
    }
  }
  if (special >= 0) {
    b().Note(s->value ? s->value->loc : s->loc);
    Unwind(0, false, LeaveKind::kReturnSpecial, special);
  } else if (int reg = plain ? PlainLocal(s->value) : -1; reg >= 0) {
    b().SetLocation(s->value->loc);
    CheckBound(static_cast<unsigned>(reg), Mangle(As<NameExpr>(s->value)->id));
    b().Note();
    b().SetLocation(s->loc);
    Unwind(0, false, LeaveKind::kReturnLocal, reg);
  } else {
    ToTemp(s->value);
    b().SetLocation(s->loc);
    Unwind(0, true, LeaveKind::kReturn, 0);
  }
  b().SetHeight(height);
}

// How many blocks stay when control leaves: break undoes the loop's own block as well.
size_t CodeGenerator::KeptBlocks(LeaveKind kind, int detail) {
  switch (kind) {
    case LeaveKind::kBreak: return static_cast<size_t>(detail);
    case LeaveKind::kContinue: return static_cast<size_t>(detail) + 1;
    default: return 0;
  }
}

void CodeGenerator::BreakOrContinue(const Stmt* s) {
  const bool is_break = s->kind == StmtKind::kBreak;
  size_t i = unit_->blocks.size();
  for (;; --i) {
    if (i == 0) {
      context_.Error(s->loc, is_break ? "'break' outside loop" : "'continue' not properly in loop");
    }
    const Block& block = unit_->blocks[i - 1];
    if (block.kind == Block::kGroupHandler) {
      context_.Error(s->loc, "'break', 'continue' and 'return' cannot appear in an except* block");
    }
    if (block.kind == Block::kWhile || block.kind == Block::kFor) break;
  }
  const unsigned height = b().height();
  b().Note();
  const LeaveKind kind = is_break ? LeaveKind::kBreak : LeaveKind::kContinue;
  const int loop = static_cast<int>(i) - 1;
  Unwind(KeptBlocks(kind, loop), false, kind, loop);
  b().SetHeight(height);
}

void CodeGenerator::Assert(const AssertStmt* s) {
  if ((s->test->kind == ExprKind::kTuple && As<TupleExpr>(s->test)->elts.size > 0)) {
    context_.Warn(s->loc, "assertion is always true, perhaps remove parentheses?");
  }
  if (context_.options.optimize) return;
  Label end;
  Condition(s->test, &end, true);
  b().SetLocation(s->loc);
  LoadSpecial(Special::kAssertionError, Dest{});
  if (s->msg) {
    const unsigned base = b().Next() - 1u;
    b().Emit(Op::WINDOW, base);
    b().Push(2);
    ToTemp(s->msg);
    b().SetLocation(s->loc);
    FinishCall(Op::CALL, base, 4, 1, 0, Dest{});
  }
  b().SetLocation(s->test->loc);
  b().Pop();
  b().Emit(Op::RAISE, b().Next(), 0, 1);
  b().SetUnreachable();
  b().Bind(&end);
}

void CodeGenerator::Raise(const RaiseStmt* s) {
  Operand exception, cause;
  unsigned count = 0;
  if (s->exc) {
    exception = Any(s->exc);
    count = 1;
    if (s->cause) {
      cause = Any(s->cause);
      count = 2;
    }
  }
  b().SetLocation(s->loc);
  if (count == 2) b().Pop(cause);
  if (count >= 1) b().Pop(exception);
  b().Emit(Op::RAISE, exception.reg, cause.reg, count);
  b().SetUnreachable();
}

}  // namespace minivm
