// Primaries (attributes, calls, subscripts, await) and what an expression must be to be assigned
// to. A chain of any length is one loop.
#include <cstring>

#include "vm/syntax/parser_impl.h"

namespace minivm {

Expr* Parser::ParsePrimary() {
  const Token* const start = cur_;
  if (MVM_UNLIKELY(At(Tok::kAwait))) {
    cur_++;
    const Token* const operand_start = cur_;
    Expr* value = ParseAtom();
    if (value != nullptr) value = ParsePostfix(value, operand_start);
    if (value == nullptr || !Feature(5, "Await expressions are")) return nullptr;
    auto* node = New<AwaitExpr>(ExprKind::kAwait, start);
    node->value = value;
    Deepen(node, value);
    return node;
  }
  Expr* e;
  if (MVM_LIKELY(At(Tok::kName))) {
    cur_++;
    auto* name = New<NameExpr>(ExprKind::kName, start);
    name->id = start->ident;
    e = name;
  } else {
    e = ParseAtom();
    if (e == nullptr) return nullptr;
  }
  switch (kind()) {
    case Tok::kDot:
    case Tok::kLPar:
    case Tok::kLSqb: return ParsePostfix(e, start);
    default: return e;
  }
}

Expr* Parser::ParsePostfix(Expr* e, const Token* start) {
  for (;;) {
    switch (kind()) {
      case Tok::kDot: {
        if (cur_[1].kind != Tok::kName) return nullptr;
        cur_ += 2;
        auto* node = New<AttributeExpr>(ExprKind::kAttribute, start);
        node->value = e;
        node->attr = cur_[-1].ident;
        node->depth = e->depth + 1;
        e = node;
        break;
      }
      case Tok::kLPar:
        e = ParseCall(e, start);
        if (e == nullptr) return nullptr;
        break;
      case Tok::kLSqb:
        e = ParseSubscript(e, start);
        if (e == nullptr) return nullptr;
        break;
      default: return e;
    }
  }
}

Expr* Parser::ParseCall(Expr* func, const Token* start) {
  Span<Expr*> args;
  Span<Keyword*> keywords;
  if (!ParseArguments(&args, &keywords)) return nullptr;
  auto* call = New<CallExpr>(ExprKind::kCall, start);
  call->func = func;
  call->args = args;
  call->keywords = keywords;
  Deepen(call, func);
  Deepen(call, args);
  for (const Keyword* keyword : keywords) Deepen(call, keyword->value);
  return call;
}

// Parses "(" arguments ")". A generator expression may stand alone without its own brackets.
bool Parser::ParseArguments(Span<Expr*>* args, Span<Keyword*>* keywords) {
  const Token* const open = cur_++;
  if (Accept(Tok::kRPar)) return true;
  if (StackLow()) return false;
  const size_t mark = scratch_.size();
  size_t positional = 0;
  bool seen_keyword = false;
  bool seen_double_star = false;
  // Keywords are tagged in the low bit, so that one stack keeps both in order.
  do {
    if (At(Tok::kRPar)) break;
    const Token* const start = cur_;
    if (At(Tok::kDoubleStar) || (At(Tok::kName) && cur_[1].kind == Tok::kEqual)) {
      Identifier name = nullptr;
      if (At(Tok::kName)) {
        name = cur_->ident;
        cur_++;
        seen_keyword = true;
      } else {
        seen_double_star = true;
      }
      cur_++;
      Expr* value = ParseExpression();
      if (value == nullptr) return false;
      auto* keyword = arena_.New<Keyword>(name, value, Loc(start));
      PushScratch(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(keyword) | 1));
      continue;
    }
    if (seen_double_star || (seen_keyword && !At(Tok::kStar))) return false;
    const bool starred = At(Tok::kStar);
    Expr* e = ParseArgument();
    if (e == nullptr) return false;
    if (!starred) {
      if (At(Tok::kFor) || At(Tok::kAsync)) {
        if (positional != 0) return false;
        Span<Comprehension*> generators;
        uint32_t depth = e->depth;
        if (!ParseComprehensionClauses(&generators, &depth) || !Accept(Tok::kRPar)) return false;
        auto* generator = New<CompExpr>(ExprKind::kGeneratorExp, open);
        generator->elt = e;
        generator->generators = generators;
        generator->depth = depth + 1;
        args->data = arena_.NewArray<Expr*>(1);
        args->data[0] = generator;
        args->size = 1;
        return true;
      }
    }
    positional++;
    PushScratch(e);
  } while (Accept(Tok::kComma));
  if (!Accept(Tok::kRPar)) return false;
  const size_t count = scratch_.size() - mark;
  args->size = static_cast<uint32_t>(positional);
  keywords->size = static_cast<uint32_t>(count - positional);
  if (positional != 0) args->data = arena_.NewArray<Expr*>(positional);
  if (count != positional) keywords->data = arena_.NewArray<Keyword*>(count - positional);
  Expr** next_arg = args->data;
  Keyword** next_keyword = keywords->data;
  for (size_t i = mark; i < mark + count; i++) {
    const auto word = reinterpret_cast<uintptr_t>(scratch_[i]);
    if (word & 1) {
      *next_keyword++ = reinterpret_cast<Keyword*>(word & ~uintptr_t{1});
    } else {
      *next_arg++ = static_cast<Expr*>(scratch_[i]);
    }
  }
  scratch_.resize(mark);
  return true;
}

Expr* Parser::ParseSubscript(Expr* value, const Token* start) {
  cur_++;
  if (StackLow()) return nullptr;
  const Token* const slice_start = cur_;
  Expr* slice = ParseSliceOrStarred();
  if (slice == nullptr) return nullptr;
  if (At(Tok::kComma) || slice->kind == ExprKind::kStarred) {
    slice = ParseTupleTail(slice, slice_start, &Parser::ParseSliceOrStarred);
    if (slice == nullptr) return nullptr;
  }
  if (!Accept(Tok::kRSqb)) return nullptr;
  auto* node = New<SubscriptExpr>(ExprKind::kSubscript, start);
  node->value = value;
  node->slice = slice;
  Deepen(node, value);
  Deepen(node, slice);
  return node;
}

Expr* Parser::ParseSliceOrStarred() { return At(Tok::kStar) ? ParseArgument() : ParseSlice(); }

Expr* Parser::ParseArgument() {
  if (!At(Tok::kStar)) return ParseNamedExpression();
  const Token* const start = cur_++;
  Expr* value = ParseExpression();
  if (value == nullptr) return nullptr;
  auto* starred = New<StarredExpr>(ExprKind::kStarred, start);
  starred->value = value;
  Deepen(starred, value);
  return starred;
}

Expr* Parser::ParseSlice() {
  const Token* const start = cur_;
  Expr* lower = nullptr;
  if (!At(Tok::kColon)) {
    lower = ParseNamedExpression();
    if (lower == nullptr || !At(Tok::kColon)) return lower;
    if (lower->kind == ExprKind::kNamedExpr && start->kind == Tok::kName) return nullptr;
  }
  cur_++;
  const auto at_end = [this] { return At(Tok::kColon) || At(Tok::kComma) || At(Tok::kRSqb); };
  Expr* upper = nullptr;
  Expr* step = nullptr;
  if (!at_end() && (upper = ParseExpression()) == nullptr) return nullptr;
  if (Accept(Tok::kColon) && !at_end() && (step = ParseExpression()) == nullptr) return nullptr;
  auto* slice = New<SliceExpr>(ExprKind::kSlice, start);
  slice->lower = lower;
  slice->upper = upper;
  slice->step = step;
  Deepen(slice, lower);
  Deepen(slice, upper);
  Deepen(slice, step);
  return slice;
}

// ---------------------------------------------------------------- targets

// A list of targets as `for` has them: it ends at `in`.
Expr* Parser::ParseStarTargets() {
  const Token* const start = cur_;
  Expr* first = ParseStarTarget();
  if (first == nullptr || !At(Tok::kComma)) return first;
  Expr* tuple = ParseTupleTail(first, start, &Parser::ParseStarTarget);
  if (tuple != nullptr) tuple->ctx = ExprContext::kStore;
  return tuple;
}

Expr* Parser::ParseStarTarget() {
  Expr* e = At(Tok::kStar) ? ParseStarExpression() : ParseBitwiseOr();
  return e != nullptr && MakeTarget(e, ExprContext::kStore) ? e : nullptr;
}

// Turns an expression into a target; false if it cannot be one. Nesting is bounded by brackets.
bool Parser::MakeTarget(Expr* e, ExprContext ctx) {
  e->ctx = ctx;
  switch (e->kind) {
    case ExprKind::kName:
    case ExprKind::kAttribute:
    case ExprKind::kSubscript: return true;
    case ExprKind::kStarred:
      return ctx == ExprContext::kStore && MakeTarget(As<StarredExpr>(e)->value, ctx);
    case ExprKind::kList:
      for (Expr* element : As<ListExpr>(e)->elts) {
        if (!MakeTarget(element, ctx)) return false;
      }
      return true;
    case ExprKind::kTuple:
      for (Expr* element : As<TupleExpr>(e)->elts) {
        if (!MakeTarget(element, ctx)) return false;
      }
      return true;
    default: return false;
  }
}

}  // namespace minivm
