// Constants and the folding of constant expressions, with CPython's limits on what results.
#include <bit>
#include <cmath>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

namespace {

constexpr uint64_t kMaxIntBits = 128;
constexpr uint64_t kMaxCollection = 256;
constexpr uint64_t kMaxText = 4096;
constexpr uint64_t kMaxItems = 1024;

bool IsIdentifierLike(std::string_view s) {
  for (char c : s) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
      return false;
    }
  }
  return true;
}

uint64_t BitLength(Value v) {
  IntView view(v);
  if (view.size() == 0) return 0;
  return (view.size() - 1) * 64 + std::bit_width(view.limbs()[view.size() - 1]);
}

// Items of nested tuples; more than the limit: the limit + 1.
uint64_t CountItems(Value v, uint64_t budget) {
  if (!IsExact(v, TypeId::kTuple)) return 1;
  uint64_t n = 0;
  for (Value item : v.as<TupleObject>()->span()) {
    n += CountItems(item, budget);
    if (n > budget) return budget + 1;
  }
  return n;
}

bool IsIntValue(Value v) {
  return v.is_int() || IsExact(v, TypeId::kInt) || IsExact(v, TypeId::kBool);
}

bool SafeRepeat(Value sequence, Value times) {
  int64_t n;
  if (!IntFitsInt64(times, &n)) return false;
  uint64_t size, limit = kMaxText;
  if (IsExact(sequence, TypeId::kStr)) {
    size = sequence.as<StrObject>()->length;
  } else if (IsExact(sequence, TypeId::kBytes)) {
    size = sequence.as<BytesObject>()->length;
  } else if (IsExact(sequence, TypeId::kTuple)) {
    size = sequence.as<TupleObject>()->size();
    limit = kMaxCollection;
    if (size && n > 0 && static_cast<uint64_t>(n) <= limit &&
        CountItems(sequence, kMaxItems) * static_cast<uint64_t>(n) > kMaxItems) {
      return false;
    }
  } else {
    return true;  // a TypeError, found out when it is tried
  }
  return n >= 0 && (size == 0 || static_cast<uint64_t>(n) <= limit / size);
}

bool SafeToFold(Operator op, Value a, Value b) {
  switch (op) {
    case Operator::kMult:
      if (IsIntValue(a) && IsIntValue(b)) return BitLength(a) + BitLength(b) <= kMaxIntBits;
      if (IsIntValue(b)) return SafeRepeat(a, b);
      if (IsIntValue(a)) return SafeRepeat(b, a);
      return true;
    case Operator::kLShift: {
      int64_t shift;
      if (!IsIntValue(a) || !IsIntValue(b)) return true;
      if (!IntFitsInt64(b, &shift)) return false;
      return shift < 0 || (static_cast<uint64_t>(shift) <= kMaxIntBits &&
                           BitLength(a) + static_cast<uint64_t>(shift) <= kMaxIntBits);
    }
    case Operator::kPow: {
      int64_t exponent;
      if (!IsIntValue(a) || !IsIntValue(b)) return true;
      if (!IntFitsInt64(b, &exponent)) return false;
      if (exponent <= 0) return true;
      return BitLength(a) == 0 || static_cast<uint64_t>(exponent) <= kMaxIntBits / BitLength(a);
    }
    case Operator::kMod:
      return !IsExact(a, TypeId::kStr) && !IsExact(a, TypeId::kBytes);  // formatting is not folded
    case Operator::kMatMult: return false;
    default: return true;
  }
}

BinaryOp BinaryOpOf(Operator op) {
  static constexpr BinaryOp kOps[] = {
      BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul,      BinaryOp::kMatmul, BinaryOp::kTrueDiv,
      BinaryOp::kMod, BinaryOp::kPow, BinaryOp::kLshift,   BinaryOp::kRshift, BinaryOp::kOr,
      BinaryOp::kXor, BinaryOp::kAnd, BinaryOp::kFloorDiv,
  };
  return kOps[static_cast<int>(op)];
}

}  // namespace

Result<> ConstantObject(ThreadState& ts, const ConstantValue& c) {
  switch (c.kind) {
    case ConstantKind::kNone: return None(ts);
    case ConstantKind::kTrue:
    case ConstantKind::kFalse: return Bool(ts, c.kind == ConstantKind::kTrue);
    case ConstantKind::kEllipsis: return Result<>::Borrow(ts.rt->ellipsis);
    case ConstantKind::kInt:
      return Value::FitsInt(c.int_value) ? Small(c.int_value) : NewInt(ts, c.int_value);
    case ConstantKind::kBigInt: return IntFromText(ts, c.text, c.base);
    case ConstantKind::kFloat: return NewFloat(ts, c.float_value);
    case ConstantKind::kImaginary: return NewComplex(ts, 0.0, c.float_value);
    case ConstantKind::kStr:
      if (IsIdentifierLike(c.text)) return InternUtf8(ts, c.text);
      return NewStr(ts, c.text);
    case ConstantKind::kBytes: return NewBytes(ts, c.text);
    case ConstantKind::kObject: return Result<>::Borrow(Value::FromBits(c.object));
  }
  return kRaised;
}

Ref<> ConstantObject(CompileContext& context, const ConstantValue& c) {
  return context.Check(ConstantObject(context.ts, c));
}

void CodeGenerator::LoadConstant(Value v, Dest dest) {
  RuntimeState& rt = *context_.ts.rt;
  if (v.is_int() && v.as_int() >= INT32_MIN && v.as_int() <= INT32_MAX) {
    return b().EmitTo(dest, Op::LOADI, 0, 0, static_cast<int32_t>(v.as_int()));
  }
  if (v.is(rt.none)) return LoadSpecial(Special::kNone, dest);
  if (v.is(rt.true_)) return LoadSpecial(Special::kTrue, dest);
  if (v.is(rt.false_)) return LoadSpecial(Special::kFalse, dest);
  if (v.is(rt.ellipsis)) return LoadSpecial(Special::kEllipsis, dest);
  uint32_t index = 0;
  if (b().reachable()) index = b().ConstantIndex(constants_.Add(Ref<>::Borrow(v)));
  b().EmitTo(dest, Op::LOADK, 0, 0, static_cast<int32_t>(index));
}

// ---------------------------------------------------------------- folding

Ref<> FoldBinaryValues(ThreadState& ts, Operator op, Value left, Value right) {
  if (!SafeToFold(op, left, right)) return Ref<>();
  Result<> r = op == Operator::kPow ? Power(ts, left, right, ts.rt->none)
                                    : Binary(ts, BinaryOpOf(op), left, right);
  if (!r.raised()) return r.Take();
  ClearPending(ts);
  return Ref<>();
}

Ref<> FoldSubscriptValues(ThreadState& ts, Value sequence, Value index) {
  if (!IsExact(sequence, TypeId::kStr) && !IsExact(sequence, TypeId::kBytes) &&
      !IsExact(sequence, TypeId::kTuple)) {
    return Ref<>();
  }
  if (!index.is_int()) return Ref<>();
  Result<> item = GetItem(ts, sequence, index);
  if (!item.raised()) return item.Take();
  ClearPending(ts);
  return Ref<>();
}

Ref<> CodeGenerator::FoldBinary(Operator op, Value left, Value right) {
  return FoldBinaryValues(context_.ts, op, left, right);
}

Ref<> CodeGenerator::FoldItems(Span<Expr*> elts) {
  for (Expr* e : elts) {
    if (!MayFold(e)) return Ref<>();
  }
  std::vector<Ref<>> items;
  items.reserve(elts.size);
  for (Expr* e : elts) {
    Ref<> item = Fold(e);
    if (!item) return Ref<>();
    items.push_back(std::move(item));
  }
  static_assert(sizeof(Ref<>) == sizeof(Value));
  return Ref<>(context_.Check(
      NewTuple(context_.ts, {reinterpret_cast<const Value*>(items.data()), items.size()})));
}

Ref<> CodeGenerator::FoldSequence(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kTuple: return FoldItems(As<TupleExpr>(e)->elts);
    case ExprKind::kList: return FoldItems(As<ListExpr>(e)->elts);
    case ExprKind::kSet: {
      Ref<> items = FoldItems(As<SetExpr>(e)->elts);
      if (!items) return items;
      return Ref<>(context_.Check(NewFrozenset(context_.ts, items)));
    }
    default: return Ref<>();
  }
}

// A chain of binary operators or subscripts: folded from its left end, without recursion.
Ref<> CodeGenerator::FoldChain(const Expr* e) {
  const size_t bottom = spine_.size();
  while (e->kind == ExprKind::kBinOp || e->kind == ExprKind::kSubscript) {
    if (e->ctx != ExprContext::kLoad) break;
    spine_.push_back(e);
    e = e->kind == ExprKind::kBinOp ? As<BinOpExpr>(e)->left : As<SubscriptExpr>(e)->value;
  }
  Ref<> value;
  if (MayFold(e) && e->kind != ExprKind::kBinOp && e->kind != ExprKind::kSubscript) value = Fold(e);
  while (value && spine_.size() > bottom) {
    const Expr* node = spine_.back();
    spine_.pop_back();
    if (node->kind == ExprKind::kBinOp) {
      auto* bin = As<BinOpExpr>(node);
      Ref<> right = MayFold(bin->right) ? Fold(bin->right) : Ref<>();
      value = right ? FoldBinary(bin->op, value, right) : Ref<>();
      continue;
    }
    const Expr* slice = As<SubscriptExpr>(node)->slice;
    Ref<> index = MayFold(slice) ? Fold(slice) : Ref<>();
    value = index ? FoldSubscriptValues(context_.ts, value, index) : Ref<>();
  }
  spine_.resize(bottom);
  return value;
}

Ref<> CodeGenerator::Fold(const Expr* e) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  ThreadState& ts = context_.ts;
  switch (e->kind) {
    case ExprKind::kConstant: return ConstantOf(As<ConstantExpr>(e)->value);
    case ExprKind::kName:  // __debug__
      if (As<NameExpr>(e)->ctx != ExprContext::kLoad) return Ref<>();
      return Ref<>::Borrow(context_.options.optimize ? ts.rt->false_ : ts.rt->true_);
    case ExprKind::kTuple:
      if (e->ctx != ExprContext::kLoad) return Ref<>();
      return FoldItems(As<TupleExpr>(e)->elts);
    case ExprKind::kBinOp:
    case ExprKind::kSubscript: return FoldChain(e);
    case ExprKind::kUnaryOp: {
      auto* u = As<UnaryOpExpr>(e);
      if (!MayFold(u->operand)) return Ref<>();
      Ref<> v = Fold(u->operand);
      if (!v) return v;
      if (u->op == UnaryOperator::kNot) {
        int truth = TruthOfValue(v);
        if (truth < 0) return Ref<>();
        return Ref<>::Borrow(truth ? ts.rt->false_ : ts.rt->true_);
      }
      if (u->op == UnaryOperator::kInvert && IsExact(v, TypeId::kBool)) return Ref<>();  // warns
      Result<> r = u->op == UnaryOperator::kInvert ? Invert(ts, v)
                   : u->op == UnaryOperator::kUAdd ? Positive(ts, v)
                                                   : Negative(ts, v);
      if (r.raised()) {
        ClearPending(ts);
        return Ref<>();
      }
      return r.Take();
    }
    default: return Ref<>();
  }
}

int CodeGenerator::TruthOfValue(Value v) {
  RuntimeState& rt = *context_.ts.rt;
  if (v.is_int()) return v.as_int() != 0;
  if (v.is(rt.none) || v.is(rt.false_)) return 0;
  if (v.is(rt.true_) || v.is(rt.ellipsis)) return 1;
  if (v.is_float() || IsExact(v, TypeId::kFloat)) return FloatValue(v) != 0;
  if (IsExact(v, TypeId::kInt)) return 1;
  if (IsExact(v, TypeId::kStr)) return v.as<StrObject>()->length != 0;
  if (IsExact(v, TypeId::kBytes)) return v.as<BytesObject>()->length != 0;
  if (IsExact(v, TypeId::kTuple)) return v.as<TupleObject>()->size() != 0;
  Result<bool> truth = Truth(context_.ts, v);  // complex
  if (truth.raised()) context_.Fail();
  return truth.Take();
}

int CodeGenerator::TruthOf(const Expr* e) {
  if (e->kind == ExprKind::kConstant) {
    switch (As<ConstantExpr>(e)->value.kind) {
      case ConstantKind::kNone:
      case ConstantKind::kFalse: return 0;
      case ConstantKind::kTrue:
      case ConstantKind::kEllipsis: return 1;
      default: break;
    }
  }
  if (!MayFold(e)) return -1;
  Ref<> v = Fold(e);
  return v ? TruthOfValue(v) : -1;
}

}  // namespace minivm
