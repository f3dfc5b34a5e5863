// Patterns of the match statement.
#include "vm/syntax/parser_impl.h"

namespace minivm {

MatchCase* Parser::ParseCase() {
  if (!AtName(name_case_)) return nullptr;
  cur_++;
  Pattern* pattern = ParsePatterns();
  if (pattern == nullptr) return nullptr;
  Expr* guard = nullptr;
  if (Accept(Tok::kIf) && (guard = Root(ParseNamedExpression())) == nullptr) return nullptr;
  Span<Stmt*> body;
  if (!Accept(Tok::kColon) || !ParseBlock(&body)) return nullptr;
  return arena_.New<MatchCase>(pattern, guard, body);
}

// A pattern, or an open sequence of them.
Pattern* Parser::ParsePatterns() {
  const Token* const start = cur_;
  Pattern* first = ParseMaybeStarPattern();
  if (first == nullptr) return nullptr;
  if (!At(Tok::kComma)) return first->kind == PatternKind::kMatchStar ? nullptr : first;
  const size_t mark = scratch_.size();
  PushScratch(first);
  while (Accept(Tok::kComma)) {
    if (At(Tok::kColon) || At(Tok::kIf)) break;
    Pattern* next = ParseMaybeStarPattern();
    if (next == nullptr) return nullptr;
    PushScratch(next);
  }
  const Span<Pattern*> patterns = Take<Pattern*>(mark);
  auto* node = NewPattern<MatchSequencePattern>(PatternKind::kMatchSequence, start);
  node->patterns = patterns;
  return node;
}

Pattern* Parser::ParseMaybeStarPattern() {
  if (!At(Tok::kStar)) return ParseAsPattern();
  const Token* const start = cur_++;
  if (!At(Tok::kName)) return nullptr;
  const Identifier name = cur_++->ident;
  auto* node = NewPattern<MatchStarPattern>(PatternKind::kMatchStar, start);
  node->name = name == name_underscore_ ? nullptr : name;
  return node;
}

Pattern* Parser::ParseAsPattern() {
  if (StackLow()) return nullptr;
  const Token* const start = cur_;
  Pattern* pattern = ParseOrPattern();
  if (pattern == nullptr || !Accept(Tok::kAs)) return pattern;
  if (!At(Tok::kName) || AtName(name_underscore_)) return nullptr;
  const Identifier name = cur_++->ident;
  auto* node = NewPattern<MatchAsPattern>(PatternKind::kMatchAs, start);
  node->pattern = pattern;
  node->name = name;
  return node;
}

Pattern* Parser::ParseOrPattern() {
  const Token* const start = cur_;
  Pattern* first = ParseClosedPattern();
  if (first == nullptr || !At(Tok::kVBar)) return first;
  const size_t mark = scratch_.size();
  PushScratch(first);
  while (Accept(Tok::kVBar)) {
    Pattern* next = ParseClosedPattern();
    if (next == nullptr) return nullptr;
    PushScratch(next);
  }
  const Span<Pattern*> patterns = Take<Pattern*>(mark);
  auto* node = NewPattern<MatchOrPattern>(PatternKind::kMatchOr, start);
  node->patterns = patterns;
  return node;
}

Pattern* Parser::ParseClosedPattern() {
  const Token* const start = cur_;
  Expr* value = nullptr;
  switch (kind()) {
    case Tok::kNumber:
    case Tok::kMinus: value = ParseSignedNumber(); break;
    case Tok::kString:
    case Tok::kFStringStart: value = ParseStrings(); break;
    case Tok::kNone:
    case Tok::kTrue:
    case Tok::kFalse: {
      cur_++;
      auto* node = NewPattern<MatchSingletonPattern>(PatternKind::kMatchSingleton, start);
      node->value = start->kind == Tok::kNone   ? ConstantKind::kNone
                    : start->kind == Tok::kTrue ? ConstantKind::kTrue
                                                : ConstantKind::kFalse;
      return node;
    }
    case Tok::kName: return ParseNameOrClassPattern();
    case Tok::kLPar:
    case Tok::kLSqb: return ParseSequencePattern();
    case Tok::kLBrace: return ParseMappingPattern();
    default: return nullptr;
  }
  if (value == nullptr) return nullptr;
  auto* node = NewPattern<MatchValuePattern>(PatternKind::kMatchValue, start);
  node->value = Root(value);
  return node;
}

// A capture, the wildcard, a dotted value or a class pattern.
Pattern* Parser::ParseNameOrClassPattern() {
  const Token* const start = cur_;
  const bool wildcard = start->ident == name_underscore_;
  if (wildcard || (cur_[1].kind != Tok::kDot && cur_[1].kind != Tok::kLPar)) {
    cur_++;
    auto* node = NewPattern<MatchAsPattern>(PatternKind::kMatchAs, start);
    node->name = wildcard ? nullptr : start->ident;
    return node;
  }
  Expr* dotted = Root(ParseDottedExpr());
  if (dotted == nullptr) return nullptr;
  if (At(Tok::kLPar)) return ParseClassPattern(dotted, start);
  auto* node = NewPattern<MatchValuePattern>(PatternKind::kMatchValue, start);
  node->value = dotted;
  return node;
}

Expr* Parser::ParseDottedExpr() {
  const Token* const start = cur_++;
  auto* name = New<NameExpr>(ExprKind::kName, start);
  name->id = start->ident;
  Expr* e = name;
  while (Accept(Tok::kDot)) {
    if (!At(Tok::kName)) return nullptr;
    cur_++;
    auto* node = New<AttributeExpr>(ExprKind::kAttribute, start);
    node->value = e;
    node->attr = cur_[-1].ident;
    Deepen(node, e);
    e = node;
  }
  return e;
}

// ["-"] NUMBER [("+" | "-") IMAGINARY].
Expr* Parser::ParseSignedNumber() {
  const Token* const start = cur_;
  const bool negative = Accept(Tok::kMinus);
  if (!At(Tok::kNumber)) return nullptr;
  Expr* e = ParseNumberAtom();
  if (e == nullptr) return nullptr;
  const bool real = As<ConstantExpr>(e)->value.kind != ConstantKind::kImaginary;
  if (negative) {
    auto* node = New<UnaryOpExpr>(ExprKind::kUnaryOp, start);
    node->op = UnaryOperator::kUSub;
    node->operand = e;
    Deepen(node, e);
    e = node;
  }
  if (!At(Tok::kPlus) && !At(Tok::kMinus)) return e;
  if (!real) return nullptr;
  const Operator op = At(Tok::kPlus) ? Operator::kAdd : Operator::kSub;
  cur_++;
  if (!At(Tok::kNumber)) return nullptr;
  Expr* imaginary = ParseNumberAtom();
  if (imaginary == nullptr || As<ConstantExpr>(imaginary)->value.kind != ConstantKind::kImaginary) {
    return nullptr;
  }
  auto* node = New<BinOpExpr>(ExprKind::kBinOp, start);
  node->op = op;
  node->left = e;
  node->right = imaginary;
  Deepen(node, e);
  Deepen(node, imaginary);
  return node;
}

// "(" or "[": a sequence, or a group in parentheses.
Pattern* Parser::ParseSequencePattern() {
  const Token* const start = cur_++;
  const Tok close = start->kind == Tok::kLPar ? Tok::kRPar : Tok::kRSqb;
  const size_t mark = scratch_.size();
  bool comma = false;
  while (!At(close)) {
    Pattern* pattern = ParseMaybeStarPattern();
    if (pattern == nullptr) return nullptr;
    PushScratch(pattern);
    comma = Accept(Tok::kComma);
    if (!comma) break;
  }
  if (!Accept(close)) return nullptr;
  if (close == Tok::kRPar && !comma && scratch_.size() == mark + 1) {
    auto* group = static_cast<Pattern*>(scratch_[mark]);
    scratch_.resize(mark);
    return group->kind == PatternKind::kMatchStar ? nullptr : group;
  }
  const Span<Pattern*> patterns = Take<Pattern*>(mark);
  auto* node = NewPattern<MatchSequencePattern>(PatternKind::kMatchSequence, start);
  node->patterns = patterns;
  return node;
}

Pattern* Parser::ParseMappingPattern() {
  const Token* const start = cur_++;
  const size_t mark = scratch_.size();
  Identifier rest = nullptr;
  while (!At(Tok::kRBrace)) {
    if (Accept(Tok::kDoubleStar)) {
      if (!At(Tok::kName) || AtName(name_underscore_)) return nullptr;
      rest = cur_++->ident;
      Accept(Tok::kComma);
      break;
    }
    Expr* key = nullptr;
    const Token* const key_start = cur_;
    switch (kind()) {
      case Tok::kNumber:
      case Tok::kMinus: key = ParseSignedNumber(); break;
      case Tok::kString:
      case Tok::kFStringStart: key = ParseStrings(); break;
      case Tok::kNone:
        cur_++;
        key = NewConstant(ConstantKind::kNone, key_start);
        break;
      case Tok::kTrue:
        cur_++;
        key = NewConstant(ConstantKind::kTrue, key_start);
        break;
      case Tok::kFalse:
        cur_++;
        key = NewConstant(ConstantKind::kFalse, key_start);
        break;
      case Tok::kName:
        if (cur_[1].kind == Tok::kDot) key = ParseDottedExpr();
        break;
      default: break;
    }
    if (Root(key) == nullptr || !Accept(Tok::kColon)) return nullptr;
    Pattern* value = ParseAsPattern();
    if (value == nullptr) return nullptr;
    PushScratch(key);
    PushScratch(value);
    if (!Accept(Tok::kComma)) break;
  }
  if (!Accept(Tok::kRBrace)) return nullptr;
  const auto count = static_cast<uint32_t>((scratch_.size() - mark) / 2);
  auto* node = NewPattern<MatchMappingPattern>(PatternKind::kMatchMapping, start);
  node->keys = {arena_.NewArray<Expr*>(count), count};
  node->patterns = {arena_.NewArray<Pattern*>(count), count};
  for (uint32_t i = 0; i < count; i++) {
    node->keys[i] = static_cast<Expr*>(scratch_[mark + 2 * i]);
    node->patterns[i] = static_cast<Pattern*>(scratch_[mark + 2 * i + 1]);
  }
  node->rest = rest;
  scratch_.resize(mark);
  return node;
}

Pattern* Parser::ParseClassPattern(Expr* cls, const Token* start) {
  cur_++;
  const size_t mark = scratch_.size();
  size_t positional = 0;
  bool keywords = false;
  while (!At(Tok::kRPar)) {
    Identifier attr = nullptr;
    if (At(Tok::kName) && cur_[1].kind == Tok::kEqual) {
      attr = cur_->ident;
      cur_ += 2;
      keywords = true;
    } else if (keywords) {
      return nullptr;
    }
    Pattern* pattern = ParseAsPattern();
    if (pattern == nullptr) return nullptr;
    if (attr == nullptr) positional++;
    PushScratch(attr);
    PushScratch(pattern);
    if (!Accept(Tok::kComma)) break;
  }
  if (!Accept(Tok::kRPar)) return nullptr;
  const size_t count = (scratch_.size() - mark) / 2;
  const auto kwd_count = static_cast<uint32_t>(count - positional);
  auto* node = NewPattern<MatchClassPattern>(PatternKind::kMatchClass, start);
  node->cls = cls;
  node->patterns = {arena_.NewArray<Pattern*>(positional), static_cast<uint32_t>(positional)};
  node->kwd_attrs = {arena_.NewArray<Identifier>(kwd_count), kwd_count};
  node->kwd_patterns = {arena_.NewArray<Pattern*>(kwd_count), kwd_count};
  for (size_t i = 0; i < count; i++) {
    const auto* attr = static_cast<const Ident*>(scratch_[mark + 2 * i]);
    auto* pattern = static_cast<Pattern*>(scratch_[mark + 2 * i + 1]);
    if (i < positional) {
      node->patterns[i] = pattern;
    } else {
      node->kwd_attrs[i - positional] = attr;
      node->kwd_patterns[i - positional] = pattern;
    }
  }
  scratch_.resize(mark);
  return node;
}

}  // namespace minivm
