// Expressions: operands, operators, conditions, subscripts, displays of f-strings and yields.
#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

namespace {

// What is evaluated first, for nodes that make left-deep chains. A method call evaluates the
// receiver first; a call of a plain name opens its window first and is no chain.
const Expr* ChainChild(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kBinOp: return As<BinOpExpr>(e)->left;
    case ExprKind::kAttribute: return As<AttributeExpr>(e)->value;
    case ExprKind::kSubscript: return As<SubscriptExpr>(e)->value;
    case ExprKind::kCall: {
      const Expr* func = As<CallExpr>(e)->func;
      if (func->kind == ExprKind::kAttribute) return As<AttributeExpr>(func)->value;
      return func->kind == ExprKind::kName ? nullptr : func;
    }
    case ExprKind::kCompare: return As<CompareExpr>(e)->left;
    default: return nullptr;
  }
}

// May this be a small int or None? Spares making a str only to see that it is none.
bool MayBeImmediate(const Expr* e) {
  if (e->kind == ExprKind::kConstant) {
    ConstantKind kind = As<ConstantExpr>(e)->value.kind;
    return kind == ConstantKind::kInt || kind == ConstantKind::kNone;
  }
  return e->kind == ExprKind::kUnaryOp || e->kind == ExprKind::kBinOp;
}

struct BinaryRow {
  Op op;
  Op immediate;  // NOP: none
  int64_t low, high;
};
constexpr int64_t kInt32Min = INT32_MIN, kInt32Max = INT32_MAX;
const BinaryRow& RowOf(Operator op) {
  static constexpr BinaryRow kRows[] = {
      {Op::ADD, Op::ADDI, kInt32Min, kInt32Max},
      {Op::SUB, Op::SUBI, kInt32Min, kInt32Max},
      {Op::MUL, Op::MULI, kInt32Min, kInt32Max},
      {Op::MATMUL, Op::NOP, 0, 0},
      {Op::TRUEDIV, Op::NOP, 0, 0},
      {Op::MOD, Op::MODI, Reciprocal::kLeast, Reciprocal::kGreatest},
      {Op::POW, Op::NOP, 0, 0},
      {Op::LSHIFT, Op::LSHIFTI, 0, 60},
      {Op::RSHIFT, Op::RSHIFTI, 0, 60},
      {Op::OR, Op::NOP, 0, 0},
      {Op::XOR, Op::NOP, 0, 0},
      {Op::AND, Op::ANDI, kInt32Min, kInt32Max},
      {Op::FLOORDIV, Op::FLOORDIVI, Reciprocal::kLeast, Reciprocal::kGreatest},
  };
  return kRows[static_cast<int>(op)];
}

// Order of the fused compare-and-branch rows.
int CompareIndex(CmpOp op) {
  switch (op) {
    case CmpOp::kLt: return 0;
    case CmpOp::kLtE: return 1;
    case CmpOp::kEq: return 2;
    case CmpOp::kNotEq: return 3;
    case CmpOp::kGt: return 4;
    case CmpOp::kGtE: return 5;
    default: return -1;
  }
}
Op Offset(Op base, int by) { return static_cast<Op>(static_cast<int>(base) + by); }

CmpOp Inverted(CmpOp op) {
  switch (op) {
    case CmpOp::kIs: return CmpOp::kIsNot;
    case CmpOp::kIsNot: return CmpOp::kIs;
    case CmpOp::kIn: return CmpOp::kNotIn;
    default: return CmpOp::kIn;
  }
}

}  // namespace

// ---------------------------------------------------------------- evaluation

int CodeGenerator::PlainLocal(const Expr* e) {
  if (e->kind != ExprKind::kName) return -1;
  Place p = Find(Mangle(As<NameExpr>(e)->id));
  if (p.kind != NameKind::kFast || p.symbol->far) return -1;
  return p.symbol->reg;
}

Operand CodeGenerator::Any(const Expr* e) {
  if (e->kind == ExprKind::kName) {
    Identifier name = Mangle(As<NameExpr>(e)->id);
    Place p = Find(name);
    if (p.kind == NameKind::kFast && !p.symbol->far && !(p.symbol->flags & kSymWalrus)) {
      b().SetLocation(e->loc);
      CheckBound(p.symbol->reg, name);
      if (unit_->many_lines) b().Note();
      return {static_cast<uint8_t>(p.symbol->reg), false};
    }
  }
  return TempOperand(e);
}

Operand CodeGenerator::TempOperand(const Expr* e) {
  ToTemp(e);
  return {static_cast<uint8_t>(b().Next() - 1), true};
}

// With few registers left, the temporaries of this expression step aside while `e` is evaluated.
void CodeGenerator::Spill(const Expr* e, Dest dest) {
  const unsigned base = unit_->spill_base;
  const unsigned count = b().height() - base;
  const unsigned holder = b().local_count() + base;
  b().SetLocation(e->loc);
  b().Pop(count);
  b().Emit(Op::SPILL, holder, holder, count);
  b().Push();
  unit_->spill_base = base + 1;
  Eval(e, Dest{});
  unit_->spill_base = base;
  b().Pop(2);
  b().Emit(Op::UNSPILL, holder, holder + 1, count);
  b().Push(count + 1);
  MoveTop(dest);
}

void CodeGenerator::MoveTop(Dest dest) {
  if (dest.local < 0) return;
  b().Pop();
  b().Emit(Op::STLOC, static_cast<unsigned>(dest.local), b().Next());
  b().MarkAssigned(static_cast<unsigned>(dest.local));
}

void CodeGenerator::Eval(const Expr* e, Dest dest) {
  constexpr unsigned kReserve = 60, kWorthSpilling = 8;
  if (e->kind == ExprKind::kName || e->kind == ExprKind::kConstant) return EvalPlain(e, dest);
  if (b().local_count() + b().height() + kReserve > CodeBuilder::kMaxRegisters &&
      b().height() >= unit_->spill_base + kWorthSpilling) {
    return Spill(e, dest);
  }
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  const Expr* child = ChainChild(e);
  if (child == nullptr) return EvalPlain(e, dest);

  const size_t bottom = spine_.size();
  auto is_super = [this](const Expr* node, const Expr* inner) {
    const bool attribute =
        node->kind == ExprKind::kAttribute ||
        (node->kind == ExprKind::kCall && As<CallExpr>(node)->func->kind == ExprKind::kAttribute);
    if (!attribute || inner->kind != ExprKind::kCall) return false;
    auto* a = As<AttributeExpr>(node->kind == ExprKind::kCall ? As<CallExpr>(node)->func : node);
    return a->attr->view() != "__class__" && IsSuperCall(inner);
  };
  do {
    if (is_super(e, child)) break;
    spine_.push_back(e);
    e = child;
    child = ChainChild(e);
  } while (child);

  Ref<> constant;
  if (MayFold(e)) constant = Fold(e);
  while (constant && spine_.size() > bottom) {
    Ref<> folded;
    const Expr* node = spine_.back();
    if (node->kind == ExprKind::kBinOp) {
      auto* bin = As<BinOpExpr>(node);
      if (MayFold(bin->right)) {
        if (Ref<> right = Fold(bin->right)) folded = FoldBinary(bin->op, constant, right);
      }
    } else if (node->kind == ExprKind::kSubscript && MayFold(As<SubscriptExpr>(node)->slice)) {
      folded = FoldChain(node);
    }
    if (!folded) break;
    constant = std::move(folded);
    spine_.pop_back();
    e = node;
  }
  if (spine_.size() == bottom) {
    if (constant) {
      b().SetLocation(e->loc);
      return LoadConstant(constant, dest);
    }
    return EvalPlain(e, dest);
  }
  Operand operand;
  if (constant) {
    b().SetLocation(e->loc);
    LoadConstant(constant, Dest{});
    operand = {static_cast<uint8_t>(b().Next() - 1), true};
  } else if (e->kind == ExprKind::kName) {
    operand = Any(e);
  } else {
    EvalPlain(e, Dest{});
    operand = {static_cast<uint8_t>(b().Next() - 1), true};
  }
  while (spine_.size() > bottom) {
    e = spine_.back();
    spine_.pop_back();
    ApplyChain(e, operand, spine_.size() == bottom ? dest : Dest{});
    operand = {static_cast<uint8_t>(b().Next() - 1), true};
  }
}

void CodeGenerator::ApplyChain(const Expr* e, Operand inner, Dest dest) {
  switch (e->kind) {
    case ExprKind::kBinOp: {
      auto* bin = As<BinOpExpr>(e);
      return BinaryOp(bin->op, inner, bin->right, false, e->loc, dest);
    }
    case ExprKind::kAttribute: return Attribute(As<AttributeExpr>(e), inner, dest);
    case ExprKind::kSubscript: return Subscript(As<SubscriptExpr>(e), inner, dest);
    case ExprKind::kCompare: return Compare(As<CompareExpr>(e), inner, dest);
    default: {
      auto* call = As<CallExpr>(e);
      if (call->func->kind == ExprKind::kAttribute) return ApplyMethodCall(call, inner, dest);
      return ApplyCall(call, inner, dest);
    }
  }
}

void CodeGenerator::EvalPlain(const Expr* e, Dest dest) {
  if (e->kind != ExprKind::kConstant && MayFold(e)) {
    if (Ref<> constant = Fold(e)) {
      b().SetLocation(e->loc);
      return LoadConstant(constant, dest);
    }
  }
  switch (e->kind) {
    case ExprKind::kName: b().SetLocation(e->loc); return LoadName(As<NameExpr>(e)->id, dest);
    case ExprKind::kConstant: {
      b().SetLocation(e->loc);
      return LoadConstant(ConstantOf(As<ConstantExpr>(e)->value), dest);
    }
    case ExprKind::kBoolOp: return BoolOp(As<BoolOpExpr>(e), dest);
    case ExprKind::kNamedExpr: return NamedExpr(As<NamedExprExpr>(e), dest);
    case ExprKind::kUnaryOp: return Unary(As<UnaryOpExpr>(e), dest);
    case ExprKind::kLambda: return Lambda(As<LambdaExpr>(e), dest);
    case ExprKind::kIfExp: return IfExp(As<IfExpExpr>(e), dest);
    case ExprKind::kDict: return DictDisplay(As<DictExpr>(e), dest);
    case ExprKind::kSet: return Display(As<SetExpr>(e)->elts, e->kind, e, dest);
    case ExprKind::kList: return Display(As<ListExpr>(e)->elts, e->kind, e, dest);
    case ExprKind::kTuple: return Display(As<TupleExpr>(e)->elts, e->kind, e, dest);
    case ExprKind::kListComp:
    case ExprKind::kSetComp:
    case ExprKind::kDictComp:
    case ExprKind::kGeneratorExp: return Comprehension_(e, dest);
    case ExprKind::kAwait: Await(As<AwaitExpr>(e)); return MoveTop(dest);
    case ExprKind::kYield: Yield(As<YieldExpr>(e)); return MoveTop(dest);
    case ExprKind::kYieldFrom: YieldFrom(As<YieldFromExpr>(e)); return MoveTop(dest);
    case ExprKind::kFormattedValue: return FormattedValue(As<FormattedValueExpr>(e), dest);
    case ExprKind::kJoinedStr: return JoinedStr(As<JoinedStrExpr>(e), dest);
    case ExprKind::kSlice: return SliceObject(As<SliceExpr>(e), dest);
    case ExprKind::kCall: {
      auto* call = As<CallExpr>(e);
      if (call->func->kind == ExprKind::kAttribute) return CallSuperMethod(call, dest);
      return CallName(call, dest);
    }
    case ExprKind::kAttribute: return LoadSuper(As<AttributeExpr>(e), false, dest);
    case ExprKind::kStarred:
      switch (e->ctx) {
        case ExprContext::kStore:
          context_.Error(e->loc, "starred assignment target must be in a list or tuple");
        default: context_.Error(e->loc, "can't use starred expression here");
      }
    default: MVM_CHECK(false, "not an expression that stands alone");
  }
}

void CodeGenerator::Discard(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kConstant: return;
    case ExprKind::kName:
      if (int reg = PlainLocal(e); reg >= 0) {
        b().SetLocation(e->loc);
        return CheckBound(static_cast<unsigned>(reg), Mangle(As<NameExpr>(e)->id));
      }
      break;
    case ExprKind::kBoolOp: {
      auto* o = As<BoolOpExpr>(e);
      Label end;
      for (uint32_t i = 0; i + 1 < o->values.size; ++i) {
        Condition(o->values[i], &end, o->op == BoolOperator::kOr);
      }
      Discard(o->values.back());
      return b().Bind(&end);
    }
    case ExprKind::kIfExp: {
      auto* i = As<IfExpExpr>(e);
      Label otherwise, end;
      Condition(i->test, &otherwise, false);
      Discard(i->body);
      b().Jump(&end);
      b().Bind(&otherwise);
      Discard(i->orelse);
      return b().Bind(&end);
    }
    default: break;
  }
  if (MayFold(e) && Fold(e)) return;
  ToTemp(e);
  b().Pop();
  b().Emit(Op::CLEAR, b().Next());
}

// ---------------------------------------------------------------- operators

void CodeGenerator::BinaryOp(Operator op, Operand left, const Expr* right, bool in_place,
                             const Location& loc, Dest dest) {
  const BinaryRow& row = RowOf(op);
  const uint32_t extra = in_place ? kInPlace : 0u;
  if (row.immediate != Op::NOP && MayBeImmediate(right)) {
    Ref<> constant = Fold(right);
    if (constant.is_int() && constant.get().as_int() >= row.low &&
        constant.get().as_int() <= row.high) {
      if (unit_->many_lines) b().Note(right->loc);
      b().SetLocation(loc);
      b().Pop(left);
      return b().EmitTo(dest, row.immediate, left.reg, ConsumeBits(left) | extra,
                        static_cast<int32_t>(constant.get().as_int()));
    }
  }
  Operand r = Any(right);
  b().SetLocation(loc);
  b().Pop(r);
  b().Pop(left);
  b().EmitTo(dest, row.op, left.reg, r.reg, static_cast<int32_t>(ConsumeBits(left, r) | extra));
}

void CodeGenerator::Unary(const UnaryOpExpr* e, Dest dest) {
  if (e->op == UnaryOperator::kNot && e->operand->kind == ExprKind::kCompare) {
    auto* c = As<CompareExpr>(e->operand);
    if (c->ops.size == 1 && c->ops[0] >= CmpOp::kIs) {  // not a in b: a not in b
      WarnIsLiteral(c);
      Operand left = Any(c->left);
      Operand right = Any(c->comparators[0]);
      b().SetLocation(e->loc);
      return EmitCompare(Inverted(c->ops[0]), left, right, dest);
    }
  }
  Operand o = Any(e->operand);
  b().SetLocation(e->loc);
  b().Pop(o);
  Op op = e->op == UnaryOperator::kInvert ? Op::INVERT
          : e->op == UnaryOperator::kNot  ? Op::NOT
          : e->op == UnaryOperator::kUAdd ? Op::POS
                                          : Op::NEG;
  b().EmitTo(dest, op, o.reg, ConsumeBits(o));
}

void CodeGenerator::BoolOp(const BoolOpExpr* e, Dest dest) {
  Label end;
  const Op keep = e->op == BoolOperator::kAnd ? Op::JFKEEP : Op::JTKEEP;
  for (uint32_t i = 0; i + 1 < e->values.size; ++i) {
    ToTemp(e->values[i]);
    b().SetLocation(e->values[i]->loc);
    b().Pop();
    b().EmitJump(keep, b().Next(), 0, 0, &end);
  }
  ToTemp(e->values.back());
  b().Bind(&end);
  b().SetLocation(e->loc);
  MoveTop(dest);
}

void CodeGenerator::IfExp(const IfExpExpr* e, Dest dest) {
  Label otherwise, end;
  const unsigned height = b().height();
  Condition(e->test, &otherwise, false);
  Eval(e->body, dest);
  b().Jump(&end);
  b().SetHeight(height);
  b().Bind(&otherwise);
  Eval(e->orelse, dest);
  b().Bind(&end);
}

// ---------------------------------------------------------------- comparison

void CodeGenerator::EmitCompare(CmpOp op, Operand left, Operand right, Dest dest) {
  static constexpr Op kOps[] = {Op::EQ, Op::NE, Op::LT,    Op::LE, Op::GT,
                                Op::GE, Op::IS, Op::ISNOT, Op::IN, Op::NOTIN};
  b().Pop(right);
  b().Pop(left);
  b().EmitTo(dest, kOps[static_cast<int>(op)], left.reg, right.reg,
             static_cast<int32_t>(ConsumeBits(left, right)));
}

namespace {
// The right side of `in` may be a constant tuple or frozenset for a display.
bool IsMembership(CmpOp op) { return op == CmpOp::kIn || op == CmpOp::kNotIn; }
}  // namespace

void CodeGenerator::Compare(const CompareExpr* e, Operand left, Dest dest) {
  WarnIsLiteral(e);
  const uint32_t count = e->ops.size;
  auto right_operand = [&](uint32_t i) {
    const Expr* right = e->comparators[i];
    if (IsMembership(e->ops[i])) {
      if (Ref<> constant = FoldSequence(right)) {
        b().SetLocation(right->loc);
        LoadConstant(constant, Dest{});
        return Operand{static_cast<uint8_t>(b().Next() - 1), true};
      }
    }
    return Any(right);
  };
  if (count == 1) {
    Operand right = right_operand(0);
    b().SetLocation(e->loc);
    return EmitCompare(e->ops[0], left, right, dest);
  }
  // a < b < c: the middle value stays below the result of the first comparison.
  Label end, cleanup;
  for (uint32_t i = 0; i + 1 < count; ++i) {
    Operand right = right_operand(i);
    b().SetLocation(e->loc);
    if (right.temp && left.temp) {
      b().Emit(Op::SWAP, left.reg, right.reg);
      std::swap(left.reg, right.reg);
    }
    b().Pop(left.temp ? 1 : 0);
    EmitCompareKept(e->ops[i], left, right);
    b().Pop();
    b().EmitJump(Op::JFKEEP, b().Next(), 0, 0, right.temp ? &cleanup : &end);
    left = right;
  }
  Operand right = right_operand(count - 1);
  b().SetLocation(e->loc);
  EmitCompare(e->ops[count - 1], left, right, Dest{});
  if (cleanup.reached) {
    b().Jump(&end);
    b().Bind(&cleanup);  // middle value, false result
    b().Emit(Op::SWAP, b().Next() - 1u, b().Next());
    b().Emit(Op::CLEAR, b().Next());
  }
  b().Bind(&end);
  MoveTop(dest);
}

// Compares into a new temporary; the right operand stays.
void CodeGenerator::EmitCompareKept(CmpOp op, Operand left, Operand right) {
  static constexpr Op kOps[] = {Op::EQ, Op::NE, Op::LT,    Op::LE, Op::GT,
                                Op::GE, Op::IS, Op::ISNOT, Op::IN, Op::NOTIN};
  b().EmitTo(Dest{}, kOps[static_cast<int>(op)], left.reg, right.reg,
             static_cast<int32_t>(ConsumeBits(left)));
}

void CodeGenerator::EmitCompareJump(CmpOp op, Operand left, Operand right, Label* label,
                                    bool sense) {
  b().Pop(right);
  b().Pop(left);
  EmitCompareJumpKept(op, left, right, ConsumeBits(left, right), label, sense);
}

void CodeGenerator::EmitCompareJumpKept(CmpOp op, Operand left, Operand right, uint32_t flags,
                                        Label* label, bool sense) {
  if (op == CmpOp::kIsNot || op == CmpOp::kNotIn) {
    op = Inverted(op);
    sense = !sense;
  }
  Op jump;
  if (int index = CompareIndex(op); index >= 0) {
    jump = Offset(sense ? Op::JLT_T : Op::JLT_F, index);
  } else if (op == CmpOp::kIs) {
    jump = sense ? Op::JIS_T : Op::JIS_F;
  } else {
    jump = sense ? Op::JIN_T : Op::JIN_F;
  }
  b().EmitJump(jump, flags, left.reg, right.reg, label);
}

// The last (or only) comparison of a condition.
void CodeGenerator::CompareJump(CmpOp op, Operand left, const Expr* right, const Location& loc,
                                Label* label, bool sense) {
  if (MayBeImmediate(right)) {
    Ref<> constant = Fold(right);
    const int index = CompareIndex(op);
    if (constant.is_int() && index >= 0 && constant.get().as_int() >= -128 &&
        constant.get().as_int() <= 127) {
      b().SetLocation(loc);
      b().Pop(left);
      return b().EmitJump(Offset(sense ? Op::JLTI_T : Op::JLTI_F, index), ConsumeBits(left),
                          left.reg, static_cast<uint8_t>(constant.get().as_int()), label);
    }
    if (constant && IsNone(context_.ts, constant) && (op == CmpOp::kIs || op == CmpOp::kIsNot)) {
      b().SetLocation(loc);
      b().Pop(left);
      return b().EmitJump((op == CmpOp::kIs) == sense ? Op::JNONE : Op::JNOTNONE, left.reg, 0,
                          ConsumeBits(left), label);
    }
  }
  Operand r;
  Ref<> sequence;
  if (IsMembership(op)) sequence = FoldSequence(right);
  if (sequence) {
    b().SetLocation(right->loc);
    LoadConstant(sequence, Dest{});
    r = {static_cast<uint8_t>(b().Next() - 1), true};
  } else {
    r = Any(right);
  }
  b().SetLocation(loc);
  EmitCompareJump(op, left, r, label, sense);
}

void CodeGenerator::CompareCondition(const CompareExpr* e, Label* label, bool sense) {
  WarnIsLiteral(e);
  Operand left = Any(e->left);
  const uint32_t count = e->ops.size;
  Label fail, cleanup;
  Label* on_false = sense ? &fail : label;
  for (uint32_t i = 0; i + 1 < count; ++i) {
    Operand right = Any(e->comparators[i]);
    b().SetLocation(e->loc);
    if (right.temp && left.temp) {
      b().Emit(Op::SWAP, left.reg, right.reg);
      std::swap(left.reg, right.reg);
    }
    b().Pop(left.temp ? 1 : 0);
    EmitCompareJumpKept(e->ops[i], left, right, ConsumeBits(left), right.temp ? &cleanup : on_false,
                        false);
    left = right;
  }
  CompareJump(e->ops[count - 1], left, e->comparators[count - 1], e->loc, label, sense);
  if (cleanup.reached) {
    Label over;
    b().Jump(&over);
    b().Bind(&cleanup);
    b().Emit(Op::CLEAR, b().Next());
    if (!sense) b().Jump(label);
    b().Bind(&over);
  }
  b().Bind(&fail);
}

void CodeGenerator::Condition(const Expr* e, Label* label, bool sense) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  if (int truth = TruthOf(e); truth >= 0) {
    b().Note(e->loc);
    if ((truth != 0) == sense) {
      b().SetLocation(e->loc);
      b().Jump(label);
    }
    return;
  }
  switch (e->kind) {
    case ExprKind::kUnaryOp:
      if (As<UnaryOpExpr>(e)->op != UnaryOperator::kNot) break;
      return Condition(As<UnaryOpExpr>(e)->operand, label, !sense);
    case ExprKind::kBoolOp: {
      auto* o = As<BoolOpExpr>(e);
      const bool decides = o->op == BoolOperator::kOr;  // the truth that ends the evaluation
      Label skip;
      for (uint32_t i = 0; i + 1 < o->values.size; ++i) {
        Condition(o->values[i], decides == sense ? label : &skip, decides);
      }
      Condition(o->values.back(), label, sense);
      return b().Bind(&skip);
    }
    case ExprKind::kIfExp: {
      auto* i = As<IfExpExpr>(e);
      Label otherwise, end;
      Condition(i->test, &otherwise, false);
      Condition(i->body, label, sense);
      b().Jump(&end);
      b().Bind(&otherwise);
      Condition(i->orelse, label, sense);
      return b().Bind(&end);
    }
    case ExprKind::kCompare: return CompareCondition(As<CompareExpr>(e), label, sense);
    default: break;
  }
  Operand o = Any(e);
  b().SetLocation(e->loc);
  b().Pop(o);
  b().EmitJump(sense ? Op::JT : Op::JF, o.reg, 0, ConsumeBits(o), label);
}

// ---------------------------------------------------------------- attributes, subscripts

// A call or attribute that continues on another line than its expression began points to the
// attribute's name.
Location CodeGenerator::MethodLocation(const Location& whole, const AttributeExpr* method) {
  Location loc = whole;
  if (loc.lineno != method->loc.end_lineno) {
    loc.lineno = method->loc.end_lineno;
    const uint32_t n = Utf8Length(method->attr->view());
    if (n <= method->loc.end_col_offset) {
      loc.col_offset = method->loc.end_col_offset - n;
      loc.end_col_offset = method->loc.end_col_offset;
    }
    if (loc.end_lineno < loc.lineno) loc.end_lineno = loc.lineno;
    if (loc.end_lineno == loc.lineno && loc.end_col_offset < loc.col_offset) {
      loc.end_col_offset = loc.col_offset;
    }
  }
  return loc;
}

void CodeGenerator::Attribute(const AttributeExpr* e, Operand value, Dest dest) {
  b().SetLocation(MethodLocation(e->loc, e));
  b().Pop(value);
  b().EmitTo(dest, Op::GETATTR, value.reg, ConsumeBits(value), 0, b().NameIndex(Mangle(e->attr)));
}

bool CodeGenerator::TwoPartSlice(const Expr* slice) {
  return slice->kind == ExprKind::kSlice && As<SliceExpr>(slice)->step == nullptr;
}

// Start and stop in two new temporaries.
void CodeGenerator::SliceParts(const SliceExpr* s) {
  for (const Expr* part : {s->lower, s->upper}) {
    b().SetLocation(s->loc);
    if (part) {
      ToTemp(part);
    } else {
      LoadSpecial(Special::kNone, Dest{});
    }
  }
}

void CodeGenerator::SliceObject(const SliceExpr* s, Dest dest) {
  SliceParts(s);
  unsigned count = 2;
  if (s->step) {
    ToTemp(s->step);
    count = 3;
  }
  b().SetLocation(s->loc);
  b().Pop(count);
  b().EmitTo(dest, Op::MKSLICE, b().Next(), count);
}

void CodeGenerator::Subscript(const SubscriptExpr* e, Operand value, Dest dest) {
  WarnNotSubscriptable(e);
  if (TwoPartSlice(e->slice)) {
    SliceParts(As<SliceExpr>(e->slice));
    b().SetLocation(e->loc);
    b().Pop(2);
    const unsigned parts = b().Next();
    b().Pop(value);
    return b().EmitTo(dest, Op::GETSLICE, value.reg, parts,
                      static_cast<int32_t>(ConsumeBits(value)));
  }
  Operand index = Any(e->slice);
  b().SetLocation(e->loc);
  b().Pop(index);
  b().Pop(value);
  b().EmitTo(dest, Op::GETITEM, value.reg, index.reg,
             static_cast<int32_t>(ConsumeBits(value, index)));
}

// ---------------------------------------------------------------- := yield await

void CodeGenerator::NamedExpr(const NamedExprExpr* e, Dest dest) {
  ToTemp(e->value);
  auto* target = As<NameExpr>(e->target);
  b().SetLocation(target->loc);
  ForbidName(target->id, ExprContext::kStore, target->loc);
  StoreName(target->id, Operand{static_cast<uint8_t>(b().Next() - 1), false});
  MoveTop(dest);
}

void CodeGenerator::Yield(const YieldExpr* e) {
  if (!in_function()) context_.Error(e->loc, "'yield' outside function");
  if (e->value) return YieldValue(e->value, e->loc);
  b().SetLocation(e->loc);
  LoadSpecial(Special::kNone, Dest{});
  if (unit_->is_async_function) b().Emit(Op::WRAPASYNC, b().Next() - 1u);
  b().Pop();
  b().Emit(Op::YIELD, b().Next(), 0, b().Next());
  b().Push();
}

void CodeGenerator::YieldValue(const Expr* value, const Location& loc) {
  Operand o;
  if (unit_->is_async_function) {
    o = TempOperand(value);
    b().SetLocation(loc);
    b().Emit(Op::WRAPASYNC, o.reg);
  } else {
    o = Any(value);
    b().SetLocation(loc);
  }
  b().Pop(o);
  b().Emit(Op::YIELD, b().Next(), 0, o.reg);
  b().Push();
}

void CodeGenerator::SendLoop() {
  const unsigned iterator = b().Next() - 1u;
  LoadSpecial(Special::kNone, Dest{});
  const unsigned value = iterator + 1;
  Label head, done;
  b().BindLoop(&head);
  b().EmitJump(Op::SEND, iterator, value, 0, &done);
  b().Pop();
  b().Emit(Op::YIELD, value, 1, value);
  b().Push();
  b().Loop(head);
  b().SetUnreachable();
  b().Bind(&done);
  b().Pop(2);
  b().Emit(Op::TMOVE, iterator, value);
  b().Push();
}

void CodeGenerator::AwaitTop(unsigned how, const Location& loc) {
  b().SetLocation(loc);
  b().Pop();
  const unsigned t = b().Next();
  b().Emit(Op::GETAWAITABLE, t, t, 1 | how << 1);
  b().Push();
  SendLoop();
}

void CodeGenerator::YieldFrom(const YieldFromExpr* e) {
  if (!in_function()) context_.Error(e->loc, "'yield from' outside function");
  if (unit_->is_async_function) context_.Error(e->loc, "'yield from' inside async function");
  Operand o = Any(e->value);
  b().SetLocation(e->loc);
  b().Pop(o);
  b().EmitTo(Dest{}, Op::GETYIELDFROM, o.reg, ConsumeBits(o));
  SendLoop();
}

void CodeGenerator::Await(const AwaitExpr* e) {
  const ScopeKind kind = unit_->scope->kind;
  if (!(kind == ScopeKind::kModule && context_.options.allow_top_level_await)) {
    if (!in_function()) context_.Error(e->loc, "'await' outside function");
    if (!unit_->is_async_function && kind != ScopeKind::kGenerator &&
        !unit_->current->is_comprehension()) {
      context_.Error(e->loc, "'await' outside async function");
    }
  }
  Operand o = Any(e->value);
  b().SetLocation(e->loc);
  b().Pop(o);
  b().EmitTo(Dest{}, Op::GETAWAITABLE, o.reg, ConsumeBits(o));
  SendLoop();
}

}  // namespace minivm
