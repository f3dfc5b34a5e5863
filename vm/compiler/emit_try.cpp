// try, with, and how control leaves blocks.
//
// Temporaries of a handler: R[depth] = the exception handled before, R[depth + 1] = the exception.
// While a handler's body runs only R[depth] stays; a range without handler covers it, so that an
// exception that leaves the body restores the handled one.
//
// Leaving blocks (return, break, continue) undoes them from the inside out: Unwind emits what each
// needs with that block's exception ranges suspended. A small `finally` body is repeated at every
// exit. A big one is compiled once, as a local routine: who comes there leaves a selector in
// R[depth + 2] and possibly a value in R[depth + 1]; after the body the selector is dispatched.
// So code size stays linear however try statements nest.
#include "vm/compiler/code_generator.h"

namespace minivm {

struct FinallyRoutine {
  struct Exit {
    int kind;  // CodeGenerator::LeaveKind
    int detail;
  };
  static constexpr int kFirstExit = 2;  // selectors: 0 falls through, 1 raises again
  Label entry;
  unsigned depth = 0;
  std::vector<Exit> exits;

  int Selector(int kind, int detail) {
    for (size_t i = 0; i < exits.size(); ++i) {
      if (exits[i].kind == kind && exits[i].detail == detail)
        return kFirstExit + static_cast<int>(i);
    }
    exits.push_back({kind, detail});
    return kFirstExit + static_cast<int>(exits.size()) - 1;
  }
};

// ---------------------------------------------------------------- leaving blocks

void CodeGenerator::ClearBelow(unsigned count, bool value) {
  if (!value) {
    for (; count > 0; --count) {
      b().Pop();
      b().Emit(Op::CLEAR, b().Next());
    }
    return;
  }
  if (count == 0) return;
  const unsigned top = b().Next() - 1u;
  for (unsigned i = 1; i <= count; ++i) b().Emit(Op::CLEAR, top - i);
  b().Pop(count + 1);
  b().Emit(Op::TMOVE, top - count, top);
  b().Push();
}

void CodeGenerator::Unwind(size_t keep, bool value, LeaveKind kind, int detail) {
  std::vector<Block>& blocks = unit_->blocks;
  const std::vector<Block> saved(blocks.begin() + static_cast<ptrdiff_t>(keep), blocks.end());
  const unsigned spill_base = unit_->spill_base;
  std::vector<CodeBuilder::OpenRange> all, dropped;
  if (!saved.empty()) {
    b().SuspendRanges(saved.front().ranges, &all);
    b().ResumeRanges(all);
  }
  bool done = true;
  while (done && blocks.size() > keep) {
    const Block block = blocks.back();
    blocks.pop_back();
    b().SuspendRanges(block.ranges, &dropped);
    done = UnwindOne(block, value, kind, detail);
  }
  if (done) {
    const unsigned locals = b().local_count();
    switch (kind) {
      case LeaveKind::kReturn: ReturnTop(); break;
      case LeaveKind::kReturnLocal: b().Emit(Op::RET, static_cast<unsigned>(detail), locals); break;
      case LeaveKind::kReturnSpecial:
        b().Emit(Op::RETSP, static_cast<unsigned>(detail), locals);
        break;
      case LeaveKind::kBreak: {
        const Block& loop =
            static_cast<size_t>(detail) < keep ? blocks[static_cast<size_t>(detail)] : saved[0];
        b().Jump(loop.break_label);
        break;
      }
      case LeaveKind::kContinue: b().Loop(*blocks[static_cast<size_t>(detail)].loop_head); break;
    }
  }
  b().SetUnreachable();
  if (!saved.empty()) {
    b().SuspendRanges(saved.front().ranges, &dropped);
    b().ResumeRanges(all);
  }
  blocks.resize(keep);
  blocks.insert(blocks.end(), saved.begin(), saved.end());
  unit_->spill_base = spill_base;
}

bool CodeGenerator::UnwindOne(const Block& block, bool value, LeaveKind kind, int detail) {
  switch (block.kind) {
    case Block::kWhile:
    case Block::kTry:
    case Block::kGroupHandler: return true;
    case Block::kFor:
    case Block::kValue: ClearBelow(1, value); return true;
    case Block::kFinally: {
      if (!block.routine) {
        if (value) PushBlock(Block::kValue);
        Body(block.stmt->finalbody);
        if (value) PopBlock();
        b().NoLocation();
        return true;
      }
      const unsigned depth = block.routine->depth;
      const int selector = block.routine->Selector(static_cast<int>(kind), detail);
      if (value) {
        b().Pop();
        b().Emit(Op::TMOVE, depth + 1, depth);
        b().Emit(Op::SAVEEXC, depth);
        b().Push(2);
      } else {
        b().Emit(Op::SAVEEXC, depth);
        b().Push();
        LoadSpecial(Special::kNone, Dest{});
      }
      b().EmitTo(Dest{}, Op::LOADI, 0, 0, selector);
      b().Jump(&block.routine->entry);
      b().Pop(3);
      return false;
    }
    case Block::kFinallyHandler:
    case Block::kFinallyRoutine: {
      const unsigned extra = block.kind == Block::kFinallyHandler ? 1 : 2;
      ClearBelow(extra, value);
      if (value) {
        const unsigned top = b().Next() - 1u;
        b().Emit(Op::POPEXC, top - 1);
        b().Pop(2);
        b().Emit(Op::TMOVE, top - 1, top);
        b().Push();
      } else {
        b().Pop();
        b().Emit(Op::POPEXC, b().Next());
      }
      return true;
    }
    case Block::kHandler: {
      if (value) {
        const unsigned top = b().Next() - 1u;
        b().Emit(Op::POPEXC, top - 1);
        b().Pop(2);
        b().Emit(Op::TMOVE, top - 1, top);
        b().Push();
      } else {
        b().Pop();
        b().Emit(Op::POPEXC, b().Next());
      }
      if (block.name) UnsetName(block.name);
      return true;
    }
    case Block::kWith:
    case Block::kAsyncWith:
      b().SetLocation(block.loc);
      CallExit(block, value);
      ClearBelow((value ? 2u : 0u) + (block.manager_temp ? 1u : 0u), value);
      return true;
  }
  return true;
}

// ---------------------------------------------------------------- try ... finally

namespace {

// How much code a body makes, roughly, in statements; stops counting past the limit.
unsigned Weigh(Span<Stmt*> body, unsigned limit) {
  unsigned weight = 0;
  for (Stmt* s : body) {
    if (weight > limit) break;
    const unsigned left = limit - weight;
    weight += 1;
    switch (s->kind) {
      case StmtKind::kIf:
        weight += Weigh(As<IfStmt>(s)->body, left) + Weigh(As<IfStmt>(s)->orelse, left);
        break;
      case StmtKind::kFor:
      case StmtKind::kAsyncFor:
        weight += 1 + Weigh(As<ForStmt>(s)->body, left) + Weigh(As<ForStmt>(s)->orelse, left);
        break;
      case StmtKind::kWhile:
        weight += 1 + Weigh(As<WhileStmt>(s)->body, left) + Weigh(As<WhileStmt>(s)->orelse, left);
        break;
      case StmtKind::kWith:
      case StmtKind::kAsyncWith: weight += 3 + Weigh(As<WithStmt>(s)->body, left); break;
      case StmtKind::kMatch: weight += limit; break;
      case StmtKind::kTry:
      case StmtKind::kTryStar: {
        auto* t = As<TryStmt>(s);
        weight += 3 + Weigh(t->body, left) + Weigh(t->orelse, left) + 2 * Weigh(t->finalbody, left);
        for (ExceptHandler* h : t->handlers) weight += 1 + Weigh(h->body, left);
        break;
      }
      case StmtKind::kFunctionDef:
      case StmtKind::kAsyncFunctionDef:
      case StmtKind::kClassDef: weight += limit; break;
      default: break;
    }
  }
  return weight;
}
constexpr unsigned kRepeatedFinally = 6;  // a heavier body is compiled once

}  // namespace

void CodeGenerator::Try(const TryStmt* s) {
  b().Note();
  if (s->finalbody.size == 0) return BodyAndHandlers(s);
  if (Weigh(s->finalbody, kRepeatedFinally) > kRepeatedFinally) return TryFinallyRoutine(s);
  TryFinally(s);
}

void CodeGenerator::BodyAndHandlers(const TryStmt* s) {
  if (s->handlers.size == 0) {
    Body(s->body);
  } else if (s->kind == StmtKind::kTryStar) {
    TryStar(s);
  } else {
    TryExcept(s);
  }
}

void CodeGenerator::TryFinally(const TryStmt* s) {
  const unsigned height = b().height();
  const unsigned depth = b().Next();
  const RegisterSet assigned = b().assigned();
  const uint32_t handler = b().NewHandler();
  PushBlock(Block::kFinally).stmt = s;
  b().BeginRange(handler, depth);
  BodyAndHandlers(s);
  b().EndRange();
  PopBlock();
  Label end;
  if (b().reachable()) {
    Body(s->finalbody);
    b().Jump(&end);
  }
  b().BindHandler(handler, depth, assigned);
  PushBlock(Block::kFinallyHandler);
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  Body(s->finalbody);
  b().Pop();
  b().Emit(Op::RERAISE, depth + 1);
  b().SetUnreachable();
  b().EndRange();
  PopBlock();
  b().SetHeight(height);
  b().Bind(&end);
}

void CodeGenerator::TryFinallyRoutine(const TryStmt* s) {
  const unsigned height = b().height();
  FinallyRoutine routine;
  const unsigned depth = routine.depth = b().Next();
  const RegisterSet assigned = b().assigned();
  const uint32_t handler = b().NewHandler();
  Block& block = PushBlock(Block::kFinally);
  block.stmt = s;
  block.routine = &routine;
  b().BeginRange(handler, depth);
  BodyAndHandlers(s);
  b().EndRange();
  PopBlock();
  b().NoLocation();
  b().Emit(Op::SAVEEXC, depth);
  b().Push();
  LoadSpecial(Special::kNone, Dest{});
  b().EmitTo(Dest{}, Op::LOADI, 0, 0, 0);
  b().Jump(&routine.entry);
  b().SetUnreachable();
  b().BindHandler(handler, depth, assigned);
  b().SetPosition(Position());
  b().EmitTo(Dest{}, Op::LOADI, 0, 0, 1);
  b().Bind(&routine.entry);
  PushBlock(Block::kFinallyRoutine);
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  Body(s->finalbody);
  PopBlock();
  // Raise again?
  Label next;
  b().NoLocation();
  b().EmitJump(Op::JNEI_T, 0, depth + 2, 1, &next);
  b().Pop();
  b().Emit(Op::CLEAR, depth + 2);
  b().Pop();
  b().Emit(Op::RERAISE, depth + 1);
  b().SetUnreachable();
  b().Push(2);
  b().Bind(&next);
  b().EndRange();
  RoutineExits(routine, depth);
  b().SetHeight(height + 3);
  ClearBelow(2, false);
  b().Pop();
  b().Emit(Op::POPEXC, depth);
}

// Goes on with what was interrupted for the finally body.
void CodeGenerator::RoutineExits(FinallyRoutine& routine, unsigned depth) {
  const unsigned height = b().height();
  b().NoLocation();
  // Leaving here may add exits to routines further out, never to this one.
  for (size_t i = 0; i < routine.exits.size(); ++i) {
    const FinallyRoutine::Exit exit = routine.exits[i];
    const auto kind = static_cast<LeaveKind>(exit.kind);
    const int selector = FinallyRoutine::kFirstExit + static_cast<int>(i);
    if (selector > 127) context_.Error(Location{}, "too many exits from one try statement");
    Label next;
    b().EmitJump(Op::JNEI_T, 0, depth + 2, static_cast<unsigned>(selector), &next);
    b().Pop();
    b().Emit(Op::CLEAR, depth + 2);
    if (kind == LeaveKind::kReturn) {
      b().Emit(Op::POPEXC, depth);
      b().Pop(2);
      b().Emit(Op::TMOVE, depth, depth + 1);
      b().Push();
      Unwind(0, true, kind, exit.detail);
    } else {
      b().Pop();
      b().Emit(Op::CLEAR, depth + 1);
      b().Pop();
      b().Emit(Op::POPEXC, depth);
      Unwind(KeptBlocks(kind, exit.detail), false, kind, exit.detail);
    }
    b().SetHeight(height);
    b().Bind(&next);
  }
}

// ---------------------------------------------------------------- try ... except

void CodeGenerator::TryExcept(const TryStmt* s) {
  const unsigned height = b().height();
  const unsigned depth = b().Next();
  const RegisterSet assigned = b().assigned();
  const uint32_t handler = b().NewHandler();
  PushBlock(Block::kTry);
  b().BeginRange(handler, depth);
  Body(s->body);
  b().EndRange();
  PopBlock();
  Body(s->orelse);
  Label end;
  b().Jump(&end);
  b().SetUnreachable();
  b().BindHandler(handler, depth, assigned);
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  for (uint32_t i = 0; i < s->handlers.size; ++i) {
    const ExceptHandler* h = s->handlers[i];
    if (!h->type && i + 1 < s->handlers.size) {
      context_.Error(h->loc, "default 'except:' must be last");
    }
    ExceptClause(h, depth, &end);
  }
  b().Pop();
  if (s->handlers.size) b().SetLocation(s->handlers[s->handlers.size - 1]->loc);
  b().Emit(Op::RERAISE, depth + 1);  // no clause matched
  b().SetUnreachable();
  b().EndRange();
  b().SetHeight(height);
  b().Bind(&end);
}

void CodeGenerator::ExceptClause(const ExceptHandler* h, unsigned depth, Label* end) {
  const size_t ranges = b().open_ranges() - 1;  // around the whole handler
  const unsigned height = b().height();
  unit_->spill_base = height;
  Label next;
  b().SetLocation(h->loc);
  b().Note();
  if (h->type) {
    ToTemp(h->type);
    b().SetLocation(h->loc);
    b().Pop();
    b().EmitJump(Op::JNOEXC, 0, depth + 1, b().Next(), &next);
  }
  b().SetLocation(h->loc);
  std::vector<CodeBuilder::OpenRange> suspended;
  if (h->name) {
    ForbidName(h->name, ExprContext::kStore, h->loc);
    StoreName(h->name, Operand{static_cast<uint8_t>(depth + 1), true});
    const RegisterSet assigned = b().assigned();
    Block& block = PushBlock(Block::kHandler);
    block.ranges = ranges;
    block.name = h->name;
    const uint32_t cleanup = b().NewHandler();
    b().BeginRange(cleanup, depth + 1);
    Body(h->body);
    b().EndRange();
    PopBlock();
    b().SuspendRanges(ranges, &suspended);
    b().Pop();
    b().NoLocation();
    b().Emit(Op::POPEXC, depth);
    UnsetName(h->name);
    b().Jump(end);
    b().SetUnreachable();
    b().ResumeRanges(suspended);
    b().BindHandler(cleanup, depth + 1, assigned);
    b().BeginRange(CodeBuilder::kNoHandler, depth + 1);
    b().SetPosition(Position());
    UnsetName(h->name);
    b().Pop();
    b().Emit(Op::RERAISE, depth + 2, 1);
    b().SetUnreachable();
    b().EndRange();
  } else {
    b().Pop();
    b().Emit(Op::CLEAR, depth + 1);
    PushBlock(Block::kHandler).ranges = ranges;
    Body(h->body);
    PopBlock();
    b().SuspendRanges(ranges, &suspended);
    b().Pop();
    b().Emit(Op::POPEXC, depth);
    b().Jump(end);
    b().SetUnreachable();
    b().ResumeRanges(suspended);
  }
  b().SetHeight(height);
  b().Bind(&next);
}

// ---------------------------------------------------------------- try ... except*
// R[depth + 2]: list of what the clauses raised; R[depth + 3]: what no clause has matched yet.

void CodeGenerator::TryStar(const TryStmt* s) {
  const unsigned height = b().height();
  const unsigned depth = b().Next();
  const RegisterSet assigned = b().assigned();
  const uint32_t handler = b().NewHandler();
  PushBlock(Block::kTry);
  b().BeginRange(handler, depth);
  Body(s->body);
  b().EndRange();
  PopBlock();
  Body(s->orelse);
  Label end;
  b().Jump(&end);
  b().SetUnreachable();
  b().BindHandler(handler, depth, assigned);
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  b().SetPosition(Position());
  b().EmitTo(Dest{}, Op::NEWLIST);
  b().Emit(Op::MOVE, depth + 3, depth + 1);
  b().Push();
  for (const ExceptHandler* h : s->handlers) GroupClause(h, depth);
  b().SetPosition(Position());
  b().Pop();
  b().Emit(Op::LIST_APPEND, depth + 2, depth + 3, kConsume1);
  b().Pop(2);
  b().Emit(Op::INTRINSIC2, depth + 1, depth + 1, depth + 2,
           static_cast<int32_t>(Intrinsic::kPrepReraiseStar));
  b().Push();
  Label handled;
  b().EmitJump(Op::JNONE, depth + 1, 0, 0, &handled);
  b().Pop();
  b().Emit(Op::RERAISE, depth + 1);
  b().SetUnreachable();
  b().EndRange();
  b().Bind(&handled);
  b().Emit(Op::CLEAR, depth + 1);
  b().Pop();
  b().Emit(Op::POPEXC, depth);
  b().SetHeight(height);
  b().Bind(&end);
}

void CodeGenerator::GroupClause(const ExceptHandler* h, unsigned depth) {
  const unsigned height = b().height();
  unit_->spill_base = height;
  const unsigned match = depth + 4;
  Label no_match, next;
  b().SetLocation(h->loc);
  ToTemp(h->type);
  b().SetLocation(h->loc);
  b().Pop();
  b().Emit(Op::EGMATCH, match, depth + 3, match);
  b().Push(2);
  b().Emit(Op::SWAP, depth + 3, match + 1);
  b().Pop();
  b().Emit(Op::CLEAR, match + 1);
  b().EmitJump(Op::JNONE, match, 0, 0, &no_match);
  b().SetLocation(h->loc);
  if (h->name) {
    ForbidName(h->name, ExprContext::kStore, h->loc);
    StoreName(h->name, Operand{static_cast<uint8_t>(match), true});
  } else {
    b().Pop();
    b().Emit(Op::CLEAR, match);
  }
  const RegisterSet assigned = b().assigned();
  PushBlock(Block::kGroupHandler);
  const uint32_t raised = b().NewHandler();
  b().BeginRange(raised, match);
  Body(h->body);
  b().EndRange();
  PopBlock();
  b().NoLocation();
  if (h->name) UnsetName(h->name);
  b().Jump(&next);
  b().SetUnreachable();
  b().BindHandler(raised, match, assigned);
  b().BeginRange(CodeBuilder::kNoHandler, match);
  b().SetPosition(Position());
  if (h->name) UnsetName(h->name);
  b().Pop();
  b().Emit(Op::LIST_APPEND, depth + 2, match + 1, kConsume1);
  b().EndRange();
  b().Pop();
  b().Emit(Op::POPEXC, match);
  b().Jump(&next);
  b().SetUnreachable();
  b().SetHeight(height + 1);
  b().Bind(&no_match);
  b().Pop();
  b().Emit(Op::CLEAR, match);
  b().Bind(&next);
}

// ---------------------------------------------------------------- with

void CodeGenerator::CallExit(const Block& block, bool keep_pair) {
  const unsigned function = b().local_count() + block.height - 2;
  unsigned base;
  if (keep_pair) {
    base = b().Next();
    b().Emit(Op::MOVE_W, base, function);
    b().Push(3);
    b().Emit(Op::MOVE, base + 3, function + 1);
    b().Push();
  } else {
    b().Pop(2);
    base = b().Next();
    b().Emit(Op::LOADPAIR, base, function);
    b().Push(4);
  }
  for (int i = 0; i < 3; ++i) LoadSpecial(Special::kNone, Dest{});
  FinishCall(Op::CALLM, base, 7, 3, 0, Dest{});
  if (block.kind == Block::kAsyncWith) AwaitTop(2, block.loc);
  b().Pop();
  b().Emit(Op::CLEAR, b().Next());
}

// The manager stays in a temporary below the pair of __exit__ and its self, unless it is a local.
void CodeGenerator::With(const WithStmt* s, uint32_t index) {
  const bool is_async = s->kind == StmtKind::kAsyncWith;
  if (is_async) CheckAsyncAllowed("'async with'", s->loc);
  const WithItem* item = s->items[index];
  const Location loc = item->context_expr->loc;
  const unsigned height = b().height();
  unit_->spill_base = height;
  Operand manager = Any(item->context_expr);
  b().SetLocation(loc);
  const unsigned pair = b().Next();
  b().Emit(Op::LOAD_SPECIAL, pair, manager.reg, 0,
           static_cast<int32_t>(is_async ? SpecialMethod::kAexit : SpecialMethod::kExit));
  b().Push(4);
  b().Emit(Op::STPAIR, pair, pair);
  b().Pop(2);
  const unsigned enter = b().Next();
  b().Emit(Op::LOAD_SPECIAL, enter, manager.reg, 0,
           static_cast<int32_t>(is_async ? SpecialMethod::kAenter : SpecialMethod::kEnter));
  b().Push(4);
  FinishCall(Op::CALLM, enter, 4, 0, 0, Dest{});
  if (is_async) AwaitTop(1, loc);

  b().Pop();  // the block's height is without the result of __enter__
  Block& pushed = PushBlock(is_async ? Block::kAsyncWith : Block::kWith);
  pushed.manager_temp = manager.temp;
  pushed.loc = loc;
  const Block block = pushed;
  b().Push();
  const unsigned depth = pair + 2;
  const RegisterSet assigned = b().assigned();
  const uint32_t handler = b().NewHandler();
  b().BeginRange(handler, depth);
  if (item->optional_vars) {
    Store(item->optional_vars, Operand{static_cast<uint8_t>(enter), true});
  } else {
    b().Pop();
    b().Emit(Op::CLEAR, enter);
  }
  if (index + 1 < s->items.size) {
    RecursionGuard guard(context_.ts, " during compilation");
    if (!guard) context_.Fail();
    With(s, index + 1);
  } else {
    Body(s->body);
  }
  b().EndRange();
  PopBlock();
  Label end;
  b().SetLocation(loc);
  CallExit(block, false);
  ClearBelow(manager.temp ? 1 : 0, false);
  b().Jump(&end);
  b().SetUnreachable();

  // __exit__(type, value, traceback); true: the exception ends here.
  Label suppressed;
  b().BindHandler(handler, depth, assigned);
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  const unsigned base = b().Next();
  b().Emit(Op::MOVE_W, base, pair);
  b().Push(3);
  b().Emit(Op::MOVE, base + 3, pair + 1);
  b().Push();
  b().Emit(Op::EXCINFO, base + 4, depth + 1);
  b().Push(3);
  FinishCall(Op::CALLM, base, 7, 3, 0, Dest{});
  if (is_async) AwaitTop(2, loc);
  b().Pop();
  b().EmitJump(Op::JT, base, 0, kConsume1, &suppressed);
  b().Pop();
  b().Emit(Op::RERAISE, depth + 1, 1);
  b().SetUnreachable();
  b().EndRange();
  b().Bind(&suppressed);
  b().Emit(Op::CLEAR, depth + 1);
  b().Pop();
  b().Emit(Op::POPEXC, depth);
  ClearBelow(2u + (manager.temp ? 1u : 0u), false);
  b().SetHeight(height);
  b().Bind(&end);
}

}  // namespace minivm
