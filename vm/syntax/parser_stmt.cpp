// Statements.
//
// ParseStatementInto pushes what it parses on scratch_, so that a body of any
// length is one arena array. Soft keywords (match, case, type) are names; what
// follows decides whether they begin a statement.
#include "vm/syntax/parser_impl.h"

namespace minivm {

Location Parser::BlockLoc(const Token* start) const {
  Location loc;
  SetStart(&loc, start);
  const Token* last = cur_ - 1;
  while (last->kind == Tok::kNewline || last->kind == Tok::kDedent || last->kind == Tok::kIndent) {
    last--;
  }
  SetEnd(&loc, last);
  return loc;
}

void Parser::NoteStatement(const Token* start) {
  const auto begin = static_cast<uint32_t>(start - tokens_);
  while (!valid_statements_->empty() && valid_statements_->back().begin >= begin) {
    valid_statements_->pop_back();  // inside this one
  }
  valid_statements_->push_back({begin, static_cast<uint32_t>(cur_ - tokens_)});
}

std::vector<Parser::StatementRange> Parser::FindValidStatements() {
  std::vector<StatementRange> found;
  warnings_ = nullptr;
  valid_statements_ = &found;
  Seek(statement_start_);
  static_cast<void>(ParseStatementInto());
  valid_statements_ = nullptr;
  return found;
}

// One compound statement, or one line of simple ones.
bool Parser::ParseStatement() {
  switch (kind()) {
    case Tok::kIf:
    case Tok::kWhile:
    case Tok::kFor:
    case Tok::kTry:
    case Tok::kWith:
    case Tok::kDef:
    case Tok::kClass:
    case Tok::kAt:
    case Tok::kAsync: {
      Stmt* statement = ParseCompound();
      if (statement == nullptr) return false;
      PushScratch(statement);
      return true;
    }
    case Tok::kName:
      if (cur_->ident == name_match_) {
        const Checkpoint saved = Save();
        Stmt* statement = ParseMatch();
        if (statement != nullptr) {
          PushScratch(statement);
          return true;
        }
        if (overflowed_) return false;
        Restore(saved);
      }
      [[fallthrough]];
    default: return ParseSimpleLine();
  }
}

Stmt* Parser::ParseCompound() {
  if (StackLow()) return nullptr;
  const Token* const start = cur_;
  switch (kind()) {
    case Tok::kIf: return ParseIf();
    case Tok::kWhile: return ParseWhile();
    case Tok::kFor: return ParseFor(start, false);
    case Tok::kTry: return ParseTry();
    case Tok::kWith: return ParseWith(start, false);
    case Tok::kDef: return ParseFunction(start, {}, false);
    case Tok::kClass: return ParseClass({});
    case Tok::kAt: return ParseDecorated();
    default: break;
  }
  cur_++;  // async
  switch (kind()) {
    case Tok::kFor: return ParseFor(start, true);
    case Tok::kWith: return ParseWith(start, true);
    case Tok::kDef: return ParseFunction(start, {}, true);
    default: return nullptr;
  }
}

bool Parser::ParseSimpleLine() {
  do {
    Stmt* statement = ParseSimple();
    if (statement == nullptr) return false;
    PushScratch(statement);
  } while (Accept(Tok::kSemi) && !At(Tok::kNewline));
  return Accept(Tok::kNewline);
}

bool Parser::ParseBlock(Span<Stmt*>* body) {
  const size_t mark = scratch_.size();
  if (Accept(Tok::kNewline)) {
    if (!Accept(Tok::kIndent)) return false;
    do {
      if (!ParseStatementInto()) return false;
    } while (!Accept(Tok::kDedent));
  } else {
    if (!ParseSimpleLine()) return false;
  }
  *body = Take<Stmt*>(mark);
  return true;
}

// An optional "else" block.
bool Parser::ParseElse(Span<Stmt*>* body) {
  return !Accept(Tok::kElse) || (Accept(Tok::kColon) && ParseBlock(body));
}

Stmt* Parser::ParseSimple() {
  const Token* const start = cur_;
  switch (kind()) {
    case Tok::kPass: cur_++; return NewStmt<Stmt>(StmtKind::kPass, start);
    case Tok::kBreak: cur_++; return NewStmt<Stmt>(StmtKind::kBreak, start);
    case Tok::kContinue: cur_++; return NewStmt<Stmt>(StmtKind::kContinue, start);
    case Tok::kReturn: {
      cur_++;
      Expr* value = nullptr;
      if (!At(Tok::kNewline) && !At(Tok::kSemi)) {
        value = Root(ParseStarExpressions());
        if (value == nullptr) return nullptr;
      }
      auto* node = NewStmt<ReturnStmt>(StmtKind::kReturn, start);
      node->value = value;
      return node;
    }
    case Tok::kRaise: {
      cur_++;
      Expr* exc = nullptr;
      Expr* cause = nullptr;
      if (!At(Tok::kNewline) && !At(Tok::kSemi)) {
        if ((exc = Root(ParseExpression())) == nullptr) return nullptr;
        if (Accept(Tok::kFrom) && (cause = Root(ParseExpression())) == nullptr) return nullptr;
      }
      auto* node = NewStmt<RaiseStmt>(StmtKind::kRaise, start);
      node->exc = exc;
      node->cause = cause;
      return node;
    }
    case Tok::kAssert: {
      cur_++;
      Expr* test = Root(ParseExpression());
      if (test == nullptr) return nullptr;
      Expr* msg = nullptr;
      if (Accept(Tok::kComma) && (msg = Root(ParseExpression())) == nullptr) return nullptr;
      auto* node = NewStmt<AssertStmt>(StmtKind::kAssert, start);
      node->test = test;
      node->msg = msg;
      return node;
    }
    case Tok::kImport: return ParseImport();
    case Tok::kFrom: return ParseFromImport();
    case Tok::kGlobal: return ParseGlobal(StmtKind::kGlobal);
    case Tok::kNonlocal: return ParseGlobal(StmtKind::kNonlocal);
    case Tok::kDel: return ParseDel();
    case Tok::kYield: {
      Expr* value = Root(ParseYield());
      if (value == nullptr) return nullptr;
      auto* node = NewStmt<ExprStmt>(StmtKind::kExpr, start);
      node->value = value;
      return node;
    }
    case Tok::kName:
      if (cur_->ident == name_type_ && cur_[1].kind == Tok::kName) return ParseTypeAlias();
      return ParseExpressionStatement();
    default: return ParseExpressionStatement();
  }
}

// An expression, an assignment of any kind, or an annotation.
Stmt* Parser::ParseExpressionStatement() {
  const Token* const start = cur_;
  Expr* e = ParseStarExpressions();
  if (e == nullptr) return nullptr;
  switch (kind()) {
    case Tok::kNewline:
    case Tok::kSemi: break;
    case Tok::kColon: return ParseAnnotated(e, start);
    case Tok::kEqual: {
      const size_t mark = scratch_.size();
      while (Accept(Tok::kEqual)) {
        if (!MakeTarget(e, ExprContext::kStore)) return nullptr;
        PushScratch(Root(e));
        e = ParseYieldOrStarExpressions();
        if (e == nullptr) return nullptr;
      }
      const Span<Expr*> targets = Take<Expr*>(mark);
      const std::string_view comment = AcceptTypeComment();
      auto* node = NewStmt<AssignStmt>(StmtKind::kAssign, start);
      node->targets = targets;
      node->value = Root(e);
      node->type_comment = comment;
      return node;
    }
    default: {
      if (kind() < Tok::kPlusEqual || kind() > Tok::kDoubleSlashEqual) break;
      static constexpr Operator kOperators[] = {
          Operator::kAdd,     Operator::kSub,   Operator::kMult,   Operator::kMatMult,
          Operator::kDiv,     Operator::kMod,   Operator::kPow,    Operator::kLShift,
          Operator::kRShift,  Operator::kBitOr, Operator::kBitXor, Operator::kBitAnd,
          Operator::kFloorDiv};
      const Operator op = kOperators[static_cast<int>(kind()) - static_cast<int>(Tok::kPlusEqual)];
      if (!IsSingleTarget(e)) return nullptr;
      if (op == Operator::kMatMult && !Feature(5, "The '@' operator is")) return nullptr;
      e->ctx = ExprContext::kStore;
      cur_++;
      Expr* value = Root(ParseYieldOrStarExpressions());
      if (value == nullptr) return nullptr;
      auto* node = NewStmt<AugAssignStmt>(StmtKind::kAugAssign, start);
      node->target = Root(e);
      node->op = op;
      node->value = value;
      return node;
    }
  }
  auto* node = NewStmt<ExprStmt>(StmtKind::kExpr, start);
  node->value = Root(e);
  return node;
}

Stmt* Parser::ParseAnnotated(Expr* target, const Token* start) {
  if (!IsSingleTarget(target)) return nullptr;
  if (start->kind == Tok::kLPar) {
    // A target in parentheses must end with them: (x)[a]: int is refused, f(x)[a]: int is not.
    const Checkpoint saved = Save();
    cur_ = start + 1;
    const Expr* inner = ParsePrimary();
    const bool target_in_parentheses = inner != nullptr && IsSingleTarget(inner) && At(Tok::kRPar);
    const Token* const after = cur_ + 1;
    Restore(saved);
    if (target_in_parentheses && after != saved.cur) return nullptr;
  }
  target->ctx = ExprContext::kStore;
  cur_++;
  Expr* annotation = Root(ParseExpression());
  if (annotation == nullptr) return nullptr;
  Expr* value = nullptr;
  if (Accept(Tok::kEqual)) {
    value = Root(ParseYieldOrStarExpressions());
    if (value == nullptr) return nullptr;
  }
  if (!Feature(6, "Variable annotation syntax is")) return nullptr;
  auto* node = NewStmt<AnnAssignStmt>(StmtKind::kAnnAssign, start);
  node->target = Root(target);
  node->annotation = annotation;
  node->value = value;
  node->simple = target->kind == ExprKind::kName && start->kind == Tok::kName;
  return node;
}

Stmt* Parser::ParseDel() {
  const Token* const start = cur_++;
  const size_t mark = scratch_.size();
  do {
    if (At(Tok::kNewline) || At(Tok::kSemi)) break;
    Expr* e = Root(ParseBitwiseOr());
    if (e == nullptr || !MakeTarget(e, ExprContext::kDel)) return nullptr;
    PushScratch(e);
  } while (Accept(Tok::kComma));
  if (scratch_.size() == mark || !(At(Tok::kNewline) || At(Tok::kSemi))) return nullptr;
  const Span<Expr*> targets = Take<Expr*>(mark);
  auto* node = NewStmt<DeleteStmt>(StmtKind::kDelete, start);
  node->targets = targets;
  return node;
}

Stmt* Parser::ParseGlobal(StmtKind kind) {
  const Token* const start = cur_++;
  const size_t mark = scratch_.size();
  do {
    if (!At(Tok::kName)) return nullptr;
    PushScratch(cur_++->ident);
  } while (Accept(Tok::kComma));
  const Span<Identifier> names = Take<Identifier>(mark);
  auto* node = NewStmt<GlobalStmt>(kind, start);
  node->names = names;
  return node;
}

bool Parser::ParseDottedName(Identifier* name) {
  if (!At(Tok::kName)) return false;
  *name = cur_++->ident;
  if (!At(Tok::kDot)) return true;
  std::string dotted((*name)->view());
  while (Accept(Tok::kDot)) {
    if (!At(Tok::kName)) return false;
    dotted += '.';
    dotted += cur_++->ident->view();
  }
  *name = names_.Intern(dotted);
  return true;
}

Stmt* Parser::ParseImport() {
  const Token* const start = cur_++;
  const size_t mark = scratch_.size();
  do {
    const Token* const alias_start = cur_;
    Identifier name;
    Identifier asname = nullptr;
    if (!ParseDottedName(&name)) return nullptr;
    if (Accept(Tok::kAs)) {
      if (!At(Tok::kName)) return nullptr;
      asname = cur_++->ident;
    }
    PushScratch(arena_.New<Alias>(name, asname, Loc(alias_start)));
  } while (Accept(Tok::kComma));
  const Span<Alias*> names = Take<Alias*>(mark);
  auto* node = NewStmt<ImportStmt>(StmtKind::kImport, start);
  node->names = names;
  return node;
}

Stmt* Parser::ParseFromImport() {
  const Token* const start = cur_++;
  uint32_t level = 0;
  for (;; cur_++) {
    if (At(Tok::kDot)) {
      level++;
    } else if (At(Tok::kEllipsis)) {
      level += 3;
    } else {
      break;
    }
  }
  Identifier module = nullptr;
  if (!(level > 0 && At(Tok::kImport)) && !ParseDottedName(&module)) return nullptr;
  if (!Accept(Tok::kImport)) return nullptr;
  const size_t mark = scratch_.size();
  if (At(Tok::kStar)) {
    const Token* const star = cur_++;
    PushScratch(arena_.New<Alias>(names_.Intern("*"), nullptr, Loc(star)));
  } else {
    const bool parenthesized = Accept(Tok::kLPar);
    do {
      if (parenthesized && At(Tok::kRPar) && scratch_.size() != mark) break;
      const Token* const alias_start = cur_;
      if (!At(Tok::kName)) return nullptr;
      const Identifier name = cur_++->ident;
      Identifier asname = nullptr;
      if (Accept(Tok::kAs)) {
        if (!At(Tok::kName)) return nullptr;
        asname = cur_++->ident;
      }
      PushScratch(arena_.New<Alias>(name, asname, Loc(alias_start)));
    } while (Accept(Tok::kComma));
    if (parenthesized && !Accept(Tok::kRPar)) return nullptr;
  }
  const Span<Alias*> names = Take<Alias*>(mark);
  auto* node = NewStmt<ImportFromStmt>(StmtKind::kImportFrom, start);
  node->module = module;
  node->names = names;
  node->level = level;
  return node;
}

Stmt* Parser::ParseTypeAlias() {
  const Token* const start = cur_++;
  const Token* const name_token = cur_++;
  auto* name = New<NameExpr>(ExprKind::kName, name_token);
  name->id = name_token->ident;
  name->ctx = ExprContext::kStore;
  Span<TypeParam*> type_params;
  if (At(Tok::kLSqb) && !ParseTypeParams(&type_params)) return nullptr;
  if (!Accept(Tok::kEqual)) return nullptr;
  Expr* value = Root(ParseExpression());
  if (value == nullptr || !Feature(12, "Type statement is")) return nullptr;
  auto* node = NewStmt<TypeAliasStmt>(StmtKind::kTypeAlias, start);
  node->name = name;
  node->type_params = type_params;
  node->value = value;
  return node;
}

// if/elif/else; the chain is collected first and nested from its end.
Stmt* Parser::ParseIf() {
  const size_t mark = scratch_.size();
  do {
    const Token* const start = cur_++;
    Expr* test = Root(ParseNamedExpression());
    Span<Stmt*> body;
    if (test == nullptr || !Accept(Tok::kColon) || !ParseBlock(&body)) return nullptr;
    auto* node = arena_.New<IfStmt>();
    node->kind = StmtKind::kIf;
    node->test = test;
    node->body = body;
    SetStart(&node->loc, start);
    PushScratch(node);
    if (scratch_.size() - mark > 3900) {
      overflowed_ = true;
      return nullptr;
    }
  } while (At(Tok::kElif));
  Span<Stmt*> orelse;
  if (!ParseElse(&orelse)) return nullptr;
  const Location end = BlockLoc(cur_ - 1);
  for (size_t i = scratch_.size(); i-- > mark;) {
    auto* node = static_cast<IfStmt*>(scratch_[i]);
    node->loc.end_lineno = end.end_lineno;
    node->loc.end_col_offset = end.end_col_offset;
    node->orelse = orelse;
    if (i != mark) {
      orelse.data = arena_.NewArray<Stmt*>(1);
      orelse.data[0] = node;
      orelse.size = 1;
    }
  }
  auto* result = static_cast<IfStmt*>(scratch_[mark]);
  scratch_.resize(mark);
  return result;
}

Stmt* Parser::ParseWhile() {
  const Token* const start = cur_++;
  Expr* test = Root(ParseNamedExpression());
  Span<Stmt*> body;
  Span<Stmt*> orelse;
  if (test == nullptr || !Accept(Tok::kColon) || !ParseBlock(&body) || !ParseElse(&orelse)) {
    return nullptr;
  }
  auto* node = NewBlockStmt<WhileStmt>(StmtKind::kWhile, start);
  node->test = test;
  node->body = body;
  node->orelse = orelse;
  return node;
}

Stmt* Parser::ParseFor(const Token* start, bool is_async) {
  cur_++;
  Expr* target = Root(ParseStarTargets());
  if (target == nullptr || !Accept(Tok::kIn)) return nullptr;
  Expr* iter = Root(ParseStarExpressions());
  if (iter == nullptr || !Accept(Tok::kColon)) return nullptr;
  const std::string_view comment = AcceptTypeComment();
  Span<Stmt*> body;
  Span<Stmt*> orelse;
  if (!ParseBlock(&body) || !ParseElse(&orelse)) return nullptr;
  if (is_async && !Feature(5, "Async for loops are")) return nullptr;
  auto* node = NewBlockStmt<ForStmt>(is_async ? StmtKind::kAsyncFor : StmtKind::kFor, start);
  node->target = target;
  node->iter = iter;
  node->body = body;
  node->orelse = orelse;
  node->type_comment = comment;
  return node;
}

bool Parser::ParseWithItems(Tok end, Span<WithItem*>* items) {
  const size_t mark = scratch_.size();
  do {
    if (At(end) && end == Tok::kRPar && scratch_.size() != mark) break;
    Expr* context = Root(ParseExpression());
    if (context == nullptr) return false;
    Expr* target = nullptr;
    if (Accept(Tok::kAs)) {
      target = Root(ParseStarTarget());
      if (target == nullptr) return false;
      if (!At(Tok::kComma) && !At(Tok::kRPar) && !At(Tok::kColon)) return false;
    }
    PushScratch(arena_.New<WithItem>(context, target));
  } while (Accept(Tok::kComma));
  if (!Accept(end)) return false;
  *items = Take<WithItem*>(mark);
  return true;
}

Stmt* Parser::ParseWith(const Token* start, bool is_async) {
  cur_++;
  Span<WithItem*> items;
  bool parsed = false;
  if (At(Tok::kLPar)) {
    // "with (a as b, c):" if the bracket closes just before the colon and its content fits.
    const Token* close = cur_;
    int depth = 0;
    for (; close->kind != Tok::kEndMarker && close->kind != Tok::kError; close++) {
      const Tok k = close->kind;
      if (k == Tok::kLPar || k == Tok::kLSqb || k == Tok::kLBrace) depth++;
      if ((k == Tok::kRPar || k == Tok::kRSqb || k == Tok::kRBrace) && --depth == 0) break;
    }
    if (close->kind == Tok::kRPar && close[1].kind == Tok::kColon) {
      const Checkpoint saved = Save();
      cur_++;
      parsed = ParseWithItems(Tok::kRPar, &items) && Accept(Tok::kColon);
      if (!parsed) {
        if (overflowed_) return nullptr;
        Restore(saved);
      }
    }
  }
  if (!parsed && !ParseWithItems(Tok::kColon, &items)) return nullptr;
  const std::string_view comment = AcceptTypeComment();
  Span<Stmt*> body;
  if (!ParseBlock(&body)) return nullptr;
  if (is_async && !Feature(5, "Async with statements are", cur_ - 1)) return nullptr;
  auto* node = NewBlockStmt<WithStmt>(is_async ? StmtKind::kAsyncWith : StmtKind::kWith, start);
  node->items = items;
  node->body = body;
  node->type_comment = comment;
  return node;
}

Stmt* Parser::ParseTry() {
  const Token* const start = cur_++;
  Span<Stmt*> body;
  if (!Accept(Tok::kColon) || !ParseBlock(&body)) return nullptr;
  const size_t mark = scratch_.size();
  bool star = false;
  while (At(Tok::kExcept)) {
    const Token* const handler_start = cur_++;
    const bool this_star = Accept(Tok::kStar);
    if (scratch_.size() != mark && this_star != star) return nullptr;
    star = this_star;
    Expr* type = nullptr;
    Identifier name = nullptr;
    if (star || !At(Tok::kColon)) {
      type = Root(ParseExpression());
      if (type == nullptr) return nullptr;
      if (Accept(Tok::kAs)) {
        if (!At(Tok::kName)) return nullptr;
        name = cur_++->ident;
      }
    }
    Span<Stmt*> handler_body;
    if (!Accept(Tok::kColon) || !ParseBlock(&handler_body)) return nullptr;
    PushScratch(arena_.New<ExceptHandler>(type, name, handler_body, BlockLoc(handler_start)));
  }
  const Span<ExceptHandler*> handlers = Take<ExceptHandler*>(mark);
  Span<Stmt*> orelse;
  Span<Stmt*> finalbody;
  if (!handlers.empty() && !ParseElse(&orelse)) return nullptr;
  if (Accept(Tok::kFinally)) {
    if (!Accept(Tok::kColon) || !ParseBlock(&finalbody)) return nullptr;
  } else if (handlers.empty()) {
    return nullptr;
  }
  if (star && !Feature(11, "Exception groups are")) return nullptr;
  auto* node = NewBlockStmt<TryStmt>(star ? StmtKind::kTryStar : StmtKind::kTry, start);
  node->body = body;
  node->handlers = handlers;
  node->orelse = orelse;
  node->finalbody = finalbody;
  return node;
}

// `match` as a statement; null if it is an ordinary name here.
Stmt* Parser::ParseMatch() {
  const Token* const start = cur_++;
  switch (kind()) {  // the usual ways to go on after a name, cheaply
    case Tok::kEqual:
    case Tok::kDot:
    case Tok::kComma:
    case Tok::kRPar:
    case Tok::kColon:
    case Tok::kNewline:
    case Tok::kSemi: return nullptr;
    default: break;
  }
  if (StackLow()) return nullptr;
  const Token* const subject_start = cur_;
  Expr* subject = ParseStarNamedExpression();
  if (subject == nullptr) return nullptr;
  if (At(Tok::kComma)) {
    subject = ParseTupleTail(subject, subject_start, &Parser::ParseStarNamedExpression);
    if (subject == nullptr) return nullptr;
  } else if (subject->kind == ExprKind::kStarred) {
    return nullptr;
  }
  Root(subject);
  if (!Accept(Tok::kColon) || !Accept(Tok::kNewline) || !Accept(Tok::kIndent)) return nullptr;
  const size_t mark = scratch_.size();
  do {
    MatchCase* match_case = ParseCase();
    if (match_case == nullptr) return nullptr;
    PushScratch(match_case);
  } while (!Accept(Tok::kDedent));
  const Span<MatchCase*> cases = Take<MatchCase*>(mark);
  if (!Feature(10, "Pattern matching is", cur_ - 1)) return nullptr;
  auto* node = NewBlockStmt<MatchStmt>(StmtKind::kMatch, start);
  node->subject = subject;
  node->cases = cases;
  return node;
}

}  // namespace minivm
