// Expressions above the primary: lists of them, conditionals, operators, lambdas. Calls,
// subscripts and targets are in parser_primary.cpp.
//
// ParseOperators is operator-precedence parsing with explicit stacks: one C
// frame for any mix of `or`, `not`, comparisons, arithmetic and `**`, however
// long. All operators pending on the stack end where the last operand ends, so
// a node's location is known when it is reduced.
#include <cstring>

#include "vm/syntax/parser_impl.h"

namespace minivm {
namespace {

// Pending prefix operators and powers that CPython's parser would stack up too.
constexpr size_t kMaxPendingOperators = 3900;

}  // namespace

Expr* Parser::ParseTupleTail(Expr* first, const Token* start, Expr* (Parser::*element)()) {
  const size_t mark = scratch_.size();
  PushScratch(first);
  while (Accept(Tok::kComma)) {
    switch (kind()) {  // what may follow a trailing comma cannot begin an element
      case Tok::kRPar:
      case Tok::kRSqb:
      case Tok::kRBrace:
      case Tok::kEqual:
      case Tok::kNewline:
      case Tok::kSemi:
      case Tok::kIn:
      case Tok::kEndMarker:
      case Tok::kExclamation:
      case Tok::kTypeComment: goto done;
      case Tok::kColon:  // unless it begins a slice
        if (element != &Parser::ParseSliceOrStarred) goto done;
        break;
      default:
        if (kind() >= Tok::kPlusEqual && kind() <= Tok::kDoubleSlashEqual) goto done;
    }
    {
      Expr* e = (this->*element)();
      if (e == nullptr) return nullptr;
      PushScratch(e);
    }
  }
done:
  auto* tuple = New<TupleExpr>(ExprKind::kTuple, start);
  tuple->elts = Take<Expr*>(mark);
  Deepen(tuple, tuple->elts);
  return tuple;
}

Expr* Parser::ParseStarExpressions() {
  const Token* const start = cur_;
  Expr* first = ParseStarExpression();
  if (first == nullptr || !At(Tok::kComma)) return first;
  return ParseTupleTail(first, start, &Parser::ParseStarExpression);
}

Expr* Parser::ParseExpressions() {
  const Token* const start = cur_;
  Expr* first = ParseExpression();
  if (first == nullptr || !At(Tok::kComma)) return first;
  return ParseTupleTail(first, start, &Parser::ParseExpression);
}

Expr* Parser::ParseYieldOrStarExpressions() {
  return At(Tok::kYield) ? ParseYield() : ParseStarExpressions();
}

Expr* Parser::ParseStarExpression() {
  if (!At(Tok::kStar)) return ParseExpression();
  const Token* const start = cur_++;
  Expr* value = ParseBitwiseOr();
  if (value == nullptr) return nullptr;
  auto* starred = New<StarredExpr>(ExprKind::kStarred, start);
  starred->value = value;
  Deepen(starred, value);
  return starred;
}

Expr* Parser::ParseStarNamedExpression() {
  return At(Tok::kStar) ? ParseStarExpression() : ParseNamedExpression();
}

Expr* Parser::ParseNamedExpression() {
  if (!At(Tok::kName) || cur_[1].kind != Tok::kColonEqual) return ParseExpression();
  const Token* const start = cur_++;
  auto* target = New<NameExpr>(ExprKind::kName, start);
  target->id = start->ident;
  target->ctx = ExprContext::kStore;
  cur_++;
  Expr* value = ParseExpression();
  if (value == nullptr) return nullptr;
  if (!Feature(8, "Assignment expressions are")) return nullptr;
  auto* named = New<NamedExprExpr>(ExprKind::kNamedExpr, start);
  named->target = target;
  named->value = value;
  Deepen(named, value);
  return named;
}

Expr* Parser::ParseExpression() {
  if (StackLow()) return nullptr;
  const Token* start = cur_;
  if (At(Tok::kLambda)) return ParseLambda();
  Expr* body = ParseOperators(kPrecOr);
  if (body == nullptr || !At(Tok::kIf)) return body;
  // a if b else c if d else ...: collected from the left, built from the right.
  const size_t mark = scratch_.size();
  Expr* result;
  for (;;) {
    cur_++;
    Expr* test = ParseOperators(kPrecOr);
    if (test == nullptr || !Accept(Tok::kElse)) return nullptr;
    PushScratch(start);
    PushScratch(body);
    PushScratch(test);
    if ((scratch_.size() - mark) / 3 > kMaxPendingOperators) {
      overflowed_ = true;
      return nullptr;
    }
    start = cur_;
    result = At(Tok::kLambda) ? ParseLambda() : ParseOperators(kPrecOr);
    if (result == nullptr) return nullptr;
    if (!At(Tok::kIf) || result->kind == ExprKind::kLambda) break;
    body = result;
  }
  while (scratch_.size() > mark) {
    const size_t top = scratch_.size() - 3;
    auto* node = New<IfExpExpr>(ExprKind::kIfExp, static_cast<const Token*>(scratch_[top]));
    node->body = static_cast<Expr*>(scratch_[top + 1]);
    node->test = static_cast<Expr*>(scratch_[top + 2]);
    node->orelse = result;
    Deepen(node, node->body);
    Deepen(node, node->test);
    Deepen(node, result);
    result = node;
    scratch_.resize(top);
  }
  return result;
}

Parser::Infix Parser::InfixAt() const {
  const auto infix = [](Precedence precedence, auto op) {
    return Infix{precedence, static_cast<uint8_t>(op)};
  };
  switch (cur_->kind) {
    case Tok::kOr: return infix(kPrecOr, BoolOperator::kOr);
    case Tok::kAnd: return infix(kPrecAnd, BoolOperator::kAnd);
    case Tok::kEqEqual: return infix(kPrecCompare, CmpOp::kEq);
    case Tok::kNotEqual:
      if ((source_[cur_->start] == '<') != options_.barry_as_flufl) return {kPrecNone, 0};
      return infix(kPrecCompare, CmpOp::kNotEq);
    case Tok::kLess: return infix(kPrecCompare, CmpOp::kLt);
    case Tok::kLessEqual: return infix(kPrecCompare, CmpOp::kLtE);
    case Tok::kGreater: return infix(kPrecCompare, CmpOp::kGt);
    case Tok::kGreaterEqual: return infix(kPrecCompare, CmpOp::kGtE);
    case Tok::kIs:
      return infix(kPrecCompare, cur_[1].kind == Tok::kNot ? CmpOp::kIsNot : CmpOp::kIs);
    case Tok::kIn: return infix(kPrecCompare, CmpOp::kIn);
    case Tok::kNot:
      if (cur_[1].kind != Tok::kIn) return {kPrecNone, 0};
      return infix(kPrecCompare, CmpOp::kNotIn);
    case Tok::kVBar: return infix(kPrecBitOr, Operator::kBitOr);
    case Tok::kCircumflex: return infix(kPrecBitXor, Operator::kBitXor);
    case Tok::kAmper: return infix(kPrecBitAnd, Operator::kBitAnd);
    case Tok::kLeftShift: return infix(kPrecShift, Operator::kLShift);
    case Tok::kRightShift: return infix(kPrecShift, Operator::kRShift);
    case Tok::kPlus: return infix(kPrecAdd, Operator::kAdd);
    case Tok::kMinus: return infix(kPrecAdd, Operator::kSub);
    case Tok::kStar: return infix(kPrecMul, Operator::kMult);
    case Tok::kSlash: return infix(kPrecMul, Operator::kDiv);
    case Tok::kDoubleSlash: return infix(kPrecMul, Operator::kFloorDiv);
    case Tok::kPercent: return infix(kPrecMul, Operator::kMod);
    case Tok::kAt: return infix(kPrecMul, Operator::kMatMult);
    case Tok::kDoubleStar: return infix(kPrecPower, Operator::kPow);
    default: return {kPrecNone, 0};
  }
}

Expr* Parser::ParseOperators(uint8_t min_precedence) {
  const Token* const start = cur_;
  const size_t base_operators = operators_.size();
  const size_t base_operands = operands_.size();
  // The common case first: an operand with no operator around it.
  Expr* first = nullptr;
  switch (kind()) {
    case Tok::kPlus:
    case Tok::kMinus:
    case Tok::kTilde:
    case Tok::kNot: break;
    default:
      first = ParsePrimary();
      if (first == nullptr) return nullptr;
      if (InfixAt().precedence < min_precedence) return first;
  }
  return ParseOperatorTail(first, start, min_precedence, base_operators, base_operands);
}

// The general case; `first` is the first operand if it has been read.
Expr* Parser::ParseOperatorTail(Expr* first, const Token* start, uint8_t min_precedence,
                                size_t base_operators, size_t base_operands) {
  for (;;) {
    if (first == nullptr) {
      // Prefix operators; `not` only where no tighter operator is waiting for its operand.
      for (;; cur_++) {
        UnaryOperator op;
        switch (kind()) {
          case Tok::kPlus: op = UnaryOperator::kUAdd; break;
          case Tok::kMinus: op = UnaryOperator::kUSub; break;
          case Tok::kTilde: op = UnaryOperator::kInvert; break;
          case Tok::kNot:
            if (min_precedence > kPrecNot) return nullptr;
            if (operators_.size() > base_operators && operators_.back().precedence > kPrecNot) {
              return nullptr;
            }
            op = UnaryOperator::kNot;
            break;
          default: goto operand;
        }
        operators_.push_back(
            {cur_, op == UnaryOperator::kNot ? kPrecNot : kPrecUnary, static_cast<uint8_t>(op)});
        if (operators_.size() - base_operators > kMaxPendingOperators) {
          overflowed_ = true;
          return nullptr;
        }
      }
    operand:
      start = cur_;
      first = ParsePrimary();
      if (first == nullptr) return nullptr;
    }
    operands_.push_back({first, start});
    first = nullptr;
    const Infix infix = InfixAt();
    if (infix.precedence < min_precedence || infix.precedence == kPrecNone) break;
    // Comparisons and boolean operators of one precedence wait and become one node.
    const bool chains = infix.precedence == kPrecCompare || infix.precedence <= kPrecAnd;
    while (operators_.size() > base_operators) {
      const uint8_t top = operators_.back().precedence;
      if (top < infix.precedence ||
          (top == infix.precedence && (chains || infix.precedence == kPrecPower))) {
        break;
      }
      Reduce(base_operators);
    }
    operators_.push_back({operands_.back().start, infix.precedence, infix.op});
    if (infix.precedence == kPrecPower &&
        operators_.size() - base_operators > kMaxPendingOperators / 2) {
      overflowed_ = true;
      return nullptr;
    }
    const bool two_words =
        infix.precedence == kPrecCompare && (infix.op == static_cast<uint8_t>(CmpOp::kIsNot) ||
                                             infix.op == static_cast<uint8_t>(CmpOp::kNotIn));
    cur_ += two_words ? 2 : 1;
  }
  while (operators_.size() > base_operators) Reduce(base_operators);
  Expr* result = operands_.back().expr;
  operands_.resize(base_operands);
  return MVM_LIKELY(feature_error_.empty()) ? result : nullptr;
}

// Makes a node of the operator on top of the stack (of all of them, for a chain).
void Parser::Reduce(size_t base_operators) {
  const PendingOperator top = operators_.back();
  switch (top.precedence) {
    case kPrecNot:
    case kPrecUnary: {
      operators_.pop_back();
      auto* node = New<UnaryOpExpr>(ExprKind::kUnaryOp, top.token);
      node->op = static_cast<UnaryOperator>(top.op);
      node->operand = operands_.back().expr;
      Deepen(node, node->operand);
      operands_.back() = {node, top.token};
      return;
    }
    case kPrecOr:
    case kPrecAnd:
    case kPrecCompare: {
      size_t first = operators_.size() - 1;
      while (first > base_operators && operators_[first - 1].precedence == top.precedence) first--;
      const size_t count = operators_.size() - first;
      const size_t first_operand = operands_.size() - count - 1;
      const Token* const start = operands_[first_operand].start;
      Expr* result;
      if (top.precedence == kPrecCompare) {
        auto* node = New<CompareExpr>(ExprKind::kCompare, start);
        node->left = operands_[first_operand].expr;
        node->ops.data = arena_.NewArray<CmpOp>(count);
        node->comparators.data = arena_.NewArray<Expr*>(count);
        node->ops.size = node->comparators.size = static_cast<uint32_t>(count);
        for (size_t i = 0; i < count; i++) {
          node->ops[i] = static_cast<CmpOp>(operators_[first + i].op);
          node->comparators[i] = operands_[first_operand + 1 + i].expr;
        }
        Deepen(node, node->left);
        Deepen(node, node->comparators);
        result = node;
      } else {
        auto* node = New<BoolOpExpr>(ExprKind::kBoolOp, start);
        node->op = static_cast<BoolOperator>(top.op);
        node->values.data = arena_.NewArray<Expr*>(count + 1);
        node->values.size = static_cast<uint32_t>(count + 1);
        for (size_t i = 0; i <= count; i++) node->values[i] = operands_[first_operand + i].expr;
        Deepen(node, node->values);
        result = node;
      }
      operators_.resize(first);
      operands_.resize(first_operand + 1);
      operands_.back() = {result, start};
      return;
    }
    default: {
      operators_.pop_back();
      const Operand right = operands_.back();
      operands_.pop_back();
      const Operand left = operands_.back();
      auto* node = New<BinOpExpr>(ExprKind::kBinOp, left.start);
      node->op = static_cast<Operator>(top.op);
      if (node->op == Operator::kMatMult) static_cast<void>(Feature(5, "The '@' operator is"));
      node->left = left.expr;
      node->right = right.expr;
      Deepen(node, left.expr);
      Deepen(node, right.expr);
      operands_.back() = {node, left.start};
      return;
    }
  }
}

Expr* Parser::ParseLambda() {
  const Token* const start = cur_++;
  Arguments* args = ParseParameters(true, Tok::kColon);
  if (args == nullptr || !Accept(Tok::kColon)) return nullptr;
  Expr* body = ParseExpression();
  if (body == nullptr) return nullptr;
  auto* lambda = New<LambdaExpr>(ExprKind::kLambda, start);
  lambda->args = args;
  lambda->body = body;
  Deepen(lambda, body);
  Deepen(lambda, args->defaults);
  Deepen(lambda, args->kw_defaults);
  return lambda;
}

Expr* Parser::ParseYield() {
  const Token* const start = cur_++;
  if (Accept(Tok::kFrom)) {
    Expr* value = ParseExpression();
    if (value == nullptr) return nullptr;
    auto* node = New<YieldFromExpr>(ExprKind::kYieldFrom, start);
    node->value = value;
    Deepen(node, value);
    return node;
  }
  Expr* value = nullptr;
  switch (kind()) {  // what may follow a bare yield
    case Tok::kNewline:
    case Tok::kSemi:
    case Tok::kRPar:
    case Tok::kEqual:
    case Tok::kRBrace:
    case Tok::kColon:
    case Tok::kExclamation:
    case Tok::kEndMarker:
    case Tok::kTypeComment:
    case Tok::kRSqb:
    case Tok::kComma: break;
    default:
      value = ParseStarExpressions();
      if (value == nullptr) return nullptr;
  }
  auto* node = New<YieldExpr>(ExprKind::kYield, start);
  node->value = value;
  Deepen(node, value);
  return node;
}

}  // namespace minivm
