// What the error grammar's actions do: check, choose a message, place it.
//
// Expressions are looked at by parsing their tokens again with the fast parser;
// that happens at most a few times in a pass.
#include "vm/syntax/peg_machine.h"

namespace minivm {
namespace {

// How an error message calls a kind of expression.
std::string_view ExprName(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kAttribute: return "attribute";
    case ExprKind::kSubscript: return "subscript";
    case ExprKind::kStarred: return "starred";
    case ExprKind::kName: return "name";
    case ExprKind::kList: return "list";
    case ExprKind::kTuple: return "tuple";
    case ExprKind::kLambda: return "lambda";
    case ExprKind::kCall: return "function call";
    case ExprKind::kBoolOp:
    case ExprKind::kBinOp:
    case ExprKind::kUnaryOp: return "expression";
    case ExprKind::kGeneratorExp: return "generator expression";
    case ExprKind::kYield:
    case ExprKind::kYieldFrom: return "yield expression";
    case ExprKind::kAwait: return "await expression";
    case ExprKind::kListComp: return "list comprehension";
    case ExprKind::kSetComp: return "set comprehension";
    case ExprKind::kDictComp: return "dict comprehension";
    case ExprKind::kDict: return "dict literal";
    case ExprKind::kSet: return "set display";
    case ExprKind::kJoinedStr:
    case ExprKind::kFormattedValue: return "f-string expression";
    case ExprKind::kConstant:
      switch (static_cast<const ConstantExpr*>(e)->value.kind) {
        case ConstantKind::kNone: return "None";
        case ConstantKind::kTrue: return "True";
        case ConstantKind::kFalse: return "False";
        case ConstantKind::kEllipsis: return "ellipsis";
        default: return "literal";
      }
    case ExprKind::kCompare: return "comparison";
    case ExprKind::kIfExp: return "conditional expression";
    case ExprKind::kNamedExpr: return "named expression";
    case ExprKind::kSlice: return "slice";
  }
  return "expression";
}

// The first part of `e` that cannot be assigned to (deleted), or null.
Expr* FindInvalidTarget(Expr* e, bool for_target, bool del) {
  switch (e->kind) {
    case ExprKind::kList:
    case ExprKind::kTuple: {
      const Span<Expr*> elts =
          e->kind == ExprKind::kList ? As<ListExpr>(e)->elts : As<TupleExpr>(e)->elts;
      for (Expr* element : elts) {
        if (Expr* invalid = FindInvalidTarget(element, for_target, del)) return invalid;
      }
      return nullptr;
    }
    case ExprKind::kStarred:
      return del ? e : FindInvalidTarget(As<StarredExpr>(e)->value, for_target, del);
    case ExprKind::kCompare:
      if (for_target) {
        // `for f() in x` reads as a comparison.
        auto* compare = As<CompareExpr>(e);
        if (compare->ops[0] != CmpOp::kIn) return nullptr;
        return FindInvalidTarget(compare->left, for_target, del);
      }
      return e;
    case ExprKind::kName:
    case ExprKind::kSubscript:
    case ExprKind::kAttribute: return nullptr;
    default: return e;
  }
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\') i++;
    out += text[i];
  }
  return out;
}

}  // namespace

// Strips brackets that only group: (x) is x, but (x, y), () and (x for x in y) are themselves.
PegMachine::Capture PegMachine::Node(Capture c) const {
  for (;;) {
    if (c.end - c.start < 3 || At(c.start)->kind != Tok::kLPar ||
        At(c.end - 1)->kind != Tok::kRPar) {
      return c;
    }
    int depth = 0;
    int lambdas = 0;
    for (uint32_t i = c.start; i < c.end; i++) {
      switch (At(i)->kind) {
        case Tok::kLPar:
        case Tok::kLSqb:
        case Tok::kLBrace: depth++; break;
        case Tok::kRPar:
        case Tok::kRSqb:
        case Tok::kRBrace:
          if (--depth == 0 && i != c.end - 1) return c;  // (a) + (b)
          break;
        case Tok::kLambda: lambdas += depth == 1; break;
        case Tok::kColon:
          if (depth == 1 && lambdas > 0) lambdas--;
          break;
        case Tok::kComma:
          if (depth == 1 && lambdas == 0 && At(c.start + 1)->kind != Tok::kYield) return c;
          break;
        case Tok::kFor:
        case Tok::kAsync:
          if (depth == 1) return c;
          break;
        default: break;
      }
    }
    c.start++;
    c.end--;
  }
}

void PegMachine::RaiseExpected(const Token* token, Tok kind) {
  RaiseAtToken(token, "expected '" + std::string(TokText(kind)) + "'");
}

void PegMachine::Raise(char kind, std::string_view message, const Capture& a, const Capture& b) {
  std::string text = Unescape(message);
  switch (kind) {
    case 'T': {
      const Capture node = Node(a);
      return RaiseRange(At(node.start), At(node.end - 1), std::move(text));
    }
    case 'R': return RaiseRange(At(Node(a).start), At(Node(b).end - 1), std::move(text));
    case 'F': return RaiseFrom(At(Node(a).start), std::move(text));
    case 'L': return RaiseAtLast(DiagnosticKind::kSyntax, std::move(text));
    case 'N':
      Fetch(position_);
      if (raised_) return;
      return RaiseAtToken(At(position_), std::move(text));
    case 'P': {
      const Token* last = At(a.end - 1);
      while (last->kind == Tok::kComma || last->kind == Tok::kTypeComment) last--;
      return RaiseRange(At(a.start), last, std::move(text));
    }
    case 'I':
      return RaiseAtLast(DiagnosticKind::kIndentation, "expected an indented block after " + text +
                                                           " on line " +
                                                           std::to_string(At(a.start)->lineno));
    default: MVM_CHECK(false, "an unknown kind of error in the error grammar");
  }
}

PegMachine::HookResult PegMachine::InvalidTarget(Expr* e, const char* verb, bool for_target,
                                                 bool del) {
  if (e == nullptr) return HookResult::kFail;
  Expr* invalid = FindInvalidTarget(e, for_target, del);
  if (invalid != nullptr) {
    RaiseLocation(invalid->loc, invalid->loc,
                  std::string("cannot ") + verb + " " + std::string(ExprName(invalid)));
  }
  return HookResult::kFail;
}

// Decodes a string or number token for its errors.
PegMachine::HookResult PegMachine::CheckLiteral(const Token* token) {
  LiteralError error;
  if (parser_.CheckLiteral(token, &error)) return HookResult::kOk;
  if (error.token == nullptr) {
    RaiseAtLast(DiagnosticKind::kSyntax, std::move(error.message));
  } else {
    RaiseAtToken(error.token, std::move(error.message));
    if (!error.whole_token) fault_.column = fault_.end_column = 0;
  }
  return HookResult::kFail;
}

// The texts that belong to this f-string itself.
PegMachine::HookResult PegMachine::CheckFString(const Capture& c) {
  int depth = 0;
  for (uint32_t i = c.start; i < c.end; i++) {
    switch (At(i)->kind) {
      case Tok::kFStringStart:
      case Tok::kLBrace: depth++; break;
      case Tok::kFStringEnd:
      case Tok::kRBrace: depth--; break;
      case Tok::kFStringMiddle:
        if (depth == 1 && CheckLiteral(At(i)) == HookResult::kFail) return HookResult::kFail;
        break;
      default: break;
    }
  }
  return HookResult::kOk;
}

Expr* PegMachine::Reparse(Capture c, Expr* (Parser::*rule)()) {
  Token* end = lexer_.mutable_tokens() + c.end;
  const Tok kind = end->kind;
  end->kind = Tok::kEndMarker;
  parser_.Seek(At(c.start));
  Expr* result = (parser_.*rule)();
  end->kind = kind;
  return result;
}

PegMachine::HookResult PegMachine::BareGenerator(const Token* first, Capture clauses) {
  Expr* last = Reparse(clauses, &Parser::ParseLastOfClauses);
  if (last == nullptr) return HookResult::kFail;
  Location start;
  start.lineno = first->lineno;
  start.col_offset = first->start - lines_[first->lineno];
  RaiseLocation(start, last->loc, "Generator expression must be parenthesized");
  return HookResult::kFail;
}

bool PegMachine::SummarizeArguments(Capture c, ArgumentSummary* out) {
  parser_.Seek(At(c.start));
  for (;;) {
    const Token* t = parser_.position();
    if (t->kind == Tok::kDoubleStar) {
      out->unpacks_mapping = true;
      parser_.Seek(t + 1);
      if (parser_.ParseExpression() == nullptr) return false;
    } else if (t->kind == Tok::kName && t[1].kind == Tok::kEqual) {
      parser_.Seek(t + 2);
      if (parser_.ParseExpression() == nullptr) return false;
    } else {
      Expr* e = parser_.ParseArgument();
      if (e == nullptr) return false;
      out->positional++;
      out->last_positional = e;
    }
    if (parser_.position() >= At(c.end) || parser_.position()->kind != Tok::kComma) return true;
    parser_.Seek(parser_.position() + 1);
  }
}

PegMachine::HookResult PegMachine::Hook(std::string_view name, const Capture* captures) {
  const Capture a = captures[0];
  const Capture b = captures[1];
  const Token* const first = At(a.start);
  if (name == "string") return CheckLiteral(At(position_ - 1));
  if (name == "spec_text") return CheckLiteral(At(position_ - 1));
  if (name == "number") return CheckLiteral(At(position_ - 1));
  if (name == "fstring") return CheckFString({frames_.back().start, position_});
  if (name == "strings") {
    // All of bytes or all of text.
    bool bytes = false, text = false;
    int depth = 0;
    for (uint32_t i = frames_.back().start; i < position_; i++) {
      const Token* t = At(i);
      if (t->kind == Tok::kFStringStart && depth++ == 0) text = true;
      if (t->kind == Tok::kFStringEnd) depth--;
      if (t->kind == Tok::kString && depth == 0) (t->flags & Token::kBytes ? bytes : text) = true;
    }
    if (!bytes || !text) return HookResult::kOk;
    RaiseAtLast(DiagnosticKind::kSyntax, "cannot mix bytes and nonbytes literals");
    return HookResult::kFail;
  }
  if (name == "not_equal") {
    const bool old_style = source_[first->start] == '<';
    if (old_style == options_.barry_as_flufl) return HookResult::kOk;
    if (!old_style) {
      RaiseAtLast(DiagnosticKind::kSyntax, "with Barry as BDFL, use '<>' instead of '!='");
    }
    return HookResult::kFail;
  }
  if (name == "real" || name == "imaginary") {
    if (CheckLiteral(first) == HookResult::kFail) return HookResult::kFail;
    const char last = source_[first->end - 1];
    const bool hex = first->end - first->start > 1 && (source_[first->start + 1] | 0x20) == 'x';
    const bool imaginary = !hex && (last | 0x20) == 'j';
    if (imaginary == (name == "imaginary")) return HookResult::kOk;
    RaiseAtToken(first, (imaginary ? "real" : "imaginary") +
                            std::string(" number required in complex literal"));
    return HookResult::kFail;
  }
  if (name == "conversion_place") {
    const Token* conversion = At(b.start);
    if (conversion->start == first->end) return HookResult::kOk;
    RaiseRange(first, conversion,
               "f-string: conversion type must come right after the exclamanation mark");
    return HookResult::kFail;
  }
  if (name == "conversion") {
    if (a.start == a.end) return HookResult::kOk;
    const std::string_view letter = first[1].ident->view();
    if (letter == "s" || letter == "r" || letter == "a") return HookResult::kOk;
    RaiseAtToken(first + 1, "f-string: invalid conversion character '" + std::string(letter) +
                                "': expected 's', 'r', or 'a'");
    return HookResult::kFail;
  }
  if (name == "bare_block") {
    RaiseAtLast(DiagnosticKind::kIndentation, "expected an indented block");
    return HookResult::kFail;
  }
  if (name == "ann_target") {
    const Capture node = Node(a);
    RaiseRange(At(node.start), At(node.end - 1),
               std::string("only single target (not ") +
                   (At(node.start)->kind == Tok::kLSqb ? "list" : "tuple") + ") can be annotated");
    return HookResult::kFail;
  }
  if (name == "assign_target") {
    return InvalidTarget(Reparse(a, &Parser::ParseStarExpressions), "assign to", false, false);
  }
  if (name == "for_target") {
    return InvalidTarget(Reparse(a, &Parser::ParseStarExpressions), "assign to", true, false);
  }
  if (name == "del_target") {
    return InvalidTarget(Reparse(a, &Parser::ParseStarExpressions), "delete", false, true);
  }
  if (name == "augassign_target") {
    Expr* e = Reparse(a, &Parser::ParseStarExpressions);
    if (e == nullptr) return HookResult::kFail;
    RaiseLocation(
        e->loc, e->loc,
        "'" + std::string(ExprName(e)) + "' is an illegal expression for augmented assignment");
    return HookResult::kFail;
  }
  if (name == "bad_bound") {
    const bool param_spec = At(a.start - 2)->kind == Tok::kDoubleStar;
    Expr* e = Reparse(b, &Parser::ParseExpression);
    const bool constraints = e != nullptr && e->kind == ExprKind::kTuple;
    RaiseFrom(first, std::string("cannot use ") + (constraints ? "constraints" : "bound") +
                         " with " + (param_spec ? "ParamSpec" : "TypeVarTuple"));
    return HookResult::kFail;
  }
  if (name == "forgot_comma") {
    if (first->kind == Tok::kName && a.end == a.start + 1) {
      const std::string_view id = first->ident->view();
      if (id == "print" || id == "exec") return HookResult::kFail;
    }
    if (Level(position_ - 1) == 0) return HookResult::kFail;
    Raise('R', "invalid syntax. Perhaps you forgot a comma?", a, b);
    return HookResult::kFail;
  }
  if (name == "legacy") {
    const std::string id(first->ident->view());
    if (id != "print" && id != "exec") return HookResult::kFail;
    Raise('R', "Missing parentheses in call to '" + id + "'. Did you mean " + id + "(...)?", a, b);
    return HookResult::kFail;
  }
  if (name == "walrus_target" || name == "equal_target") {
    const bool walrus = name == "walrus_target";
    Expr* e = Reparse(a, walrus ? &Parser::ParseExpression : &Parser::ParseBitwiseOr);
    if (e == nullptr) return HookResult::kFail;
    const std::string what(ExprName(e));
    RaiseLocation(e->loc, e->loc,
                  walrus
                      ? "cannot use assignment expressions with " + what
                      : "cannot assign to " + what + " here. Maybe you meant '==' instead of '='?");
    return HookResult::kFail;
  }
  if (name == "missing_colon") {
    const Token* last = At(Node(a).end - 1);
    const uint32_t line = last->kind == Tok::kString ? last->end_lineno : last->lineno;
    RaiseRange(At(Node(a).start), last, "':' expected after dictionary key");
    fault_.column = last->end - lines_[line];
    fault_.end_column = 0;
    return HookResult::kFail;
  }
  if (name == "comprehension_target") {
    // From the first element to the last one before the clauses.
    uint32_t end = b.end;
    if (At(end - 1)->kind == Tok::kComma) end--;
    Expr* last = nullptr;
    parser_.Seek(At(b.start));
    for (;;) {
      last = parser_.ParseStarNamedExpression();
      if (last == nullptr) return HookResult::kFail;
      if (parser_.position() >= At(end)) break;
      parser_.Seek(parser_.position() + 1);
    }
    const Token* start = At(Node(a).start);
    Location from;
    from.lineno = start->lineno;
    from.col_offset = start->start - lines_[start->lineno];
    RaiseLocation(from, last->loc, "did you forget parentheses around the comprehension target?");
    return HookResult::kFail;
  }
  if (name == "keyword_constant") {
    RaiseRange(first, At(b.start), "cannot assign to " + std::string(TokText(first->kind)));
    return HookResult::kFail;
  }
  if (name == "bare_generator") return BareGenerator(At(Node(a).start), b);
  if (name == "bare_generator_after") {
    ArgumentSummary summary;
    if (!SummarizeArguments(a, &summary) || summary.positional <= 1) return HookResult::kFail;
    Expr* last = Reparse(b, &Parser::ParseLastOfClauses);
    if (last != nullptr) {
      RaiseLocation(summary.last_positional->loc, last->loc,
                    "Generator expression must be parenthesized");
    }
    return HookResult::kFail;
  }
  if (name == "argument_order") {
    ArgumentSummary summary;
    if (!SummarizeArguments(a, &summary)) return HookResult::kFail;
    RaiseAtLast(DiagnosticKind::kSyntax,
                summary.unpacks_mapping ? "positional argument follows keyword argument unpacking"
                                        : "positional argument follows keyword argument");
    return HookResult::kFail;
  }
  MVM_CHECK(false, "an unknown hook in the error grammar");
  return HookResult::kFail;
}

}  // namespace minivm
