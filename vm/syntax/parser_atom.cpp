// Atoms: names, constants and everything in brackets, with comprehensions.
#include "vm/syntax/literal.h"
#include "vm/syntax/parser_impl.h"

namespace minivm {

Expr* Parser::NewConstant(ConstantKind kind, const Token* start) {
  auto* node = New<ConstantExpr>(ExprKind::kConstant, start);
  node->value = {};
  node->value.kind = kind;
  return node;
}

Expr* Parser::ParseAtom() {
  const Token* const start = cur_;
  switch (kind()) {
    case Tok::kName: {
      cur_++;
      auto* name = New<NameExpr>(ExprKind::kName, start);
      name->id = start->ident;
      return name;
    }
    case Tok::kNumber: return ParseNumberAtom();
    case Tok::kString:
    case Tok::kFStringStart: return ParseStrings();
    case Tok::kNone: cur_++; return NewConstant(ConstantKind::kNone, start);
    case Tok::kTrue: cur_++; return NewConstant(ConstantKind::kTrue, start);
    case Tok::kFalse: cur_++; return NewConstant(ConstantKind::kFalse, start);
    case Tok::kEllipsis: cur_++; return NewConstant(ConstantKind::kEllipsis, start);
    case Tok::kLPar: return ParseParenthesized();
    case Tok::kLSqb: return ParseListDisplay();
    case Tok::kLBrace: return ParseBraceDisplay();
    default: return nullptr;
  }
}

Expr* Parser::ParseNumberAtom() {
  const Token* const start = cur_;
  if (MVM_UNLIKELY(options_.feature_version < 6) &&
      Text(start).find('_') != std::string_view::npos &&
      !Feature(6, "Underscores in numeric literals are")) {
    return nullptr;
  }
  ConstantValue value;
  size_t digits;
  if (!ParseNumber(arena_, Text(start), options_.int_max_str_digits, &value, &digits)) {
    FailLiteral("Exceeds the limit (" + std::to_string(options_.int_max_str_digits) +
                    " digits) for integer string conversion: value has " + std::to_string(digits) +
                    " digits; use sys.set_int_max_str_digits() to increase the limit - Consider "
                    "hexadecimal for huge integer literals to avoid decimal conversion limits.",
                start, false);
    return nullptr;
  }
  cur_++;
  auto* node = New<ConstantExpr>(ExprKind::kConstant, start);
  node->value = value;
  return node;
}

// Parses ("async"? "for" targets "in" disjunction ("if" disjunction)*)+; *depth grows to the
// deepest part.
bool Parser::ParseComprehensionClauses(Span<Comprehension*>* out, uint32_t* depth) {
  const auto deepen = [depth](const Expr* e) {
    if (e->depth > *depth) *depth = e->depth;
  };
  const size_t mark = scratch_.size();
  while (At(Tok::kFor) || At(Tok::kAsync)) {
    const bool is_async = Accept(Tok::kAsync);
    if (!Accept(Tok::kFor)) return false;
    Expr* target = ParseStarTargets();
    if (target == nullptr || !Accept(Tok::kIn)) return false;
    Expr* iter = ParseDisjunction();
    if (iter == nullptr) return false;
    deepen(target);
    deepen(iter);
    const size_t if_mark = scratch_.size();
    while (Accept(Tok::kIf)) {
      Expr* condition = ParseDisjunction();
      if (condition == nullptr) return false;
      deepen(condition);
      PushScratch(condition);
    }
    const Span<Expr*> ifs = Take<Expr*>(if_mark);
    if (is_async && !Feature(6, "Async comprehensions are")) return false;
    PushScratch(arena_.New<Comprehension>(target, iter, ifs, is_async));
  }
  *out = Take<Comprehension*>(mark);
  return true;
}

Expr* Parser::ParseLastOfClauses() {
  Span<Comprehension*> clauses;
  uint32_t depth = 0;
  if (!ParseComprehensionClauses(&clauses, &depth) || clauses.empty()) return nullptr;
  const Comprehension* last = clauses.back();
  return last->ifs.empty() ? last->iter : last->ifs.back();
}

// "(": a tuple, a group, a yield or a generator expression.
Expr* Parser::ParseParenthesized() {
  if (StackLow()) return nullptr;
  const Token* const open = cur_++;
  if (Accept(Tok::kRPar)) {
    auto* tuple = New<TupleExpr>(ExprKind::kTuple, open);
    tuple->elts = {};
    return tuple;
  }
  if (At(Tok::kYield)) {
    Expr* e = ParseYield();
    if (e == nullptr || !Accept(Tok::kRPar)) return nullptr;
    e->parenthesized = 1;
    return e;
  }
  Expr* first = ParseStarNamedExpression();
  if (first == nullptr) return nullptr;
  if (At(Tok::kComma)) {
    auto* tuple =
        static_cast<TupleExpr*>(ParseTupleTail(first, open, &Parser::ParseStarNamedExpression));
    if (tuple == nullptr || !Accept(Tok::kRPar)) return nullptr;
    SetEnd(&tuple->loc, cur_ - 1);
    tuple->parenthesized = 1;
    return tuple;
  }
  if (first->kind == ExprKind::kStarred) return nullptr;
  if (At(Tok::kFor) || At(Tok::kAsync)) {
    Span<Comprehension*> generators;
    uint32_t depth = first->depth;
    if (!ParseComprehensionClauses(&generators, &depth) || !Accept(Tok::kRPar)) return nullptr;
    auto* node = New<CompExpr>(ExprKind::kGeneratorExp, open);
    node->elt = first;
    node->generators = generators;
    node->depth = depth + 1;
    return node;
  }
  if (!Accept(Tok::kRPar)) return nullptr;
  first->parenthesized = 1;
  return first;
}

Expr* Parser::ParseListDisplay() {
  if (StackLow()) return nullptr;
  const Token* const open = cur_++;
  const size_t mark = scratch_.size();
  while (!At(Tok::kRSqb)) {
    Expr* e = ParseStarNamedExpression();
    if (e == nullptr) return nullptr;
    if ((At(Tok::kFor) || At(Tok::kAsync)) && scratch_.size() == mark) {
      if (e->kind == ExprKind::kStarred) return nullptr;
      Span<Comprehension*> generators;
      uint32_t depth = e->depth;
      if (!ParseComprehensionClauses(&generators, &depth) || !Accept(Tok::kRSqb)) return nullptr;
      auto* node = New<CompExpr>(ExprKind::kListComp, open);
      node->elt = e;
      node->generators = generators;
      node->depth = depth + 1;
      return node;
    }
    PushScratch(e);
    if (!Accept(Tok::kComma)) break;
  }
  if (!Accept(Tok::kRSqb)) return nullptr;
  auto* list = New<ListExpr>(ExprKind::kList, open);
  list->elts = Take<Expr*>(mark);
  Deepen(list, list->elts);
  return list;
}

// "{": a dict, a set or a comprehension of either.
Expr* Parser::ParseBraceDisplay() {
  if (StackLow()) return nullptr;
  const Token* const open = cur_++;
  if (At(Tok::kRBrace) || At(Tok::kDoubleStar)) return ParseDictRest(open, nullptr);
  const Token* const first_start = cur_;
  Expr* first = ParseStarNamedExpression();
  if (first == nullptr) return nullptr;
  if (At(Tok::kColon)) {
    const bool bare_walrus = first->kind == ExprKind::kNamedExpr && !first->parenthesized;
    if (first_start->kind == Tok::kStar || bare_walrus) return nullptr;
    return ParseDictRest(open, first);
  }
  if (At(Tok::kFor) || At(Tok::kAsync)) {
    if (first->kind == ExprKind::kStarred) return nullptr;
    Span<Comprehension*> generators;
    uint32_t depth = first->depth;
    if (!ParseComprehensionClauses(&generators, &depth) || !Accept(Tok::kRBrace)) return nullptr;
    auto* node = New<CompExpr>(ExprKind::kSetComp, open);
    node->elt = first;
    node->generators = generators;
    node->depth = depth + 1;
    return node;
  }
  const size_t mark = scratch_.size();
  PushScratch(first);
  while (Accept(Tok::kComma)) {
    if (At(Tok::kRBrace)) break;
    Expr* e = ParseStarNamedExpression();
    if (e == nullptr) return nullptr;
    PushScratch(e);
  }
  if (!Accept(Tok::kRBrace)) return nullptr;
  auto* set = New<SetExpr>(ExprKind::kSet, open);
  set->elts = Take<Expr*>(mark);
  Deepen(set, set->elts);
  return set;
}

// The rest of a dict after "{" (key null) or after its first key.
Expr* Parser::ParseDictRest(const Token* open, Expr* key) {
  const size_t mark = scratch_.size();
  bool first = true;
  while (key != nullptr || !At(Tok::kRBrace)) {
    Expr* value;
    if (key == nullptr && Accept(Tok::kDoubleStar)) {
      value = ParseBitwiseOr();
      if (value == nullptr) return nullptr;
    } else {
      if (key == nullptr && (key = ParseExpression()) == nullptr) return nullptr;
      if (!Accept(Tok::kColon)) return nullptr;
      value = ParseExpression();
      if (value == nullptr) return nullptr;
      if (first && (At(Tok::kFor) || At(Tok::kAsync))) {
        Span<Comprehension*> generators;
        uint32_t depth = key->depth > value->depth ? key->depth : value->depth;
        if (!ParseComprehensionClauses(&generators, &depth) || !Accept(Tok::kRBrace)) {
          return nullptr;
        }
        auto* node = New<DictCompExpr>(ExprKind::kDictComp, open);
        node->key = key;
        node->value = value;
        node->generators = generators;
        node->depth = depth + 1;
        return node;
      }
    }
    PushScratch(key);
    PushScratch(value);
    key = nullptr;
    first = false;
    if (!Accept(Tok::kComma)) break;
  }
  if (!Accept(Tok::kRBrace)) return nullptr;
  auto* dict = New<DictExpr>(ExprKind::kDict, open);
  const auto count = static_cast<uint32_t>((scratch_.size() - mark) / 2);
  dict->keys = {arena_.NewArray<Expr*>(count), count};
  dict->values = {arena_.NewArray<Expr*>(count), count};
  for (uint32_t i = 0; i < count; i++) {
    dict->keys[i] = static_cast<Expr*>(scratch_[mark + 2 * i]);
    dict->values[i] = static_cast<Expr*>(scratch_[mark + 2 * i + 1]);
  }
  scratch_.resize(mark);
  Deepen(dict, dict->keys);
  Deepen(dict, dict->values);
  return dict;
}

}  // namespace minivm
