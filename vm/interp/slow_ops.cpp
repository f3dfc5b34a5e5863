// Slow paths of arithmetic, comparison, truth and containment.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/list_ops.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

// What an arithmetic opcode stands for.
struct ArithInfo {
  BinaryOp op;
  bool local;  // writes a local
};
constexpr ArithInfo ArithInfoOf(Op op) {
  switch (op) {
    case Op::ADD:
    case Op::ADDI:
    case Op::ADD_FLOAT: return {BinaryOp::kAdd, false};
    case Op::ADD_L:
    case Op::ADDI_L:
    case Op::ADD_FLOAT_L: return {BinaryOp::kAdd, true};
    case Op::SUB:
    case Op::SUBI:
    case Op::SUB_FLOAT: return {BinaryOp::kSub, false};
    case Op::SUB_L:
    case Op::SUBI_L:
    case Op::SUB_FLOAT_L: return {BinaryOp::kSub, true};
    case Op::MUL:
    case Op::MULI:
    case Op::MUL_FLOAT: return {BinaryOp::kMul, false};
    case Op::MUL_L:
    case Op::MULI_L:
    case Op::MUL_FLOAT_L: return {BinaryOp::kMul, true};
    case Op::TRUEDIV: return {BinaryOp::kTrueDiv, false};
    case Op::TRUEDIV_L: return {BinaryOp::kTrueDiv, true};
    case Op::FLOORDIV:
    case Op::FLOORDIVI: return {BinaryOp::kFloorDiv, false};
    case Op::FLOORDIV_L:
    case Op::FLOORDIVI_L: return {BinaryOp::kFloorDiv, true};
    case Op::MOD:
    case Op::MODI: return {BinaryOp::kMod, false};
    case Op::MOD_L:
    case Op::MODI_L: return {BinaryOp::kMod, true};
    case Op::AND:
    case Op::ANDI: return {BinaryOp::kAnd, false};
    case Op::AND_L:
    case Op::ANDI_L: return {BinaryOp::kAnd, true};
    case Op::OR: return {BinaryOp::kOr, false};
    case Op::XOR: return {BinaryOp::kXor, false};
    case Op::LSHIFT:
    case Op::LSHIFTI: return {BinaryOp::kLshift, false};
    case Op::LSHIFT_L:
    case Op::LSHIFTI_L: return {BinaryOp::kLshift, true};
    case Op::RSHIFT:
    case Op::RSHIFTI: return {BinaryOp::kRshift, false};
    case Op::RSHIFT_L:
    case Op::RSHIFTI_L: return {BinaryOp::kRshift, true};
    case Op::POW: return {BinaryOp::kPow, false};
    case Op::MATMUL: return {BinaryOp::kMatmul, false};
    default: return {BinaryOp::kAdd, false};
  }
}

struct ArithTable {
  ArithInfo rows[kOpCount];
  constexpr ArithTable() : rows() {
    for (int i = 0; i < kOpCount; ++i) rows[i] = ArithInfoOf(static_cast<Op>(i));
  }
};
constexpr ArithTable kArith;
inline const ArithInfo& ArithOf(Op op) { return kArith.rows[static_cast<int>(op)]; }

// The arithmetic of numbers, without a detour through slots. Null: not handled here.
Result<> NumberOp(ThreadState& ts, BinaryOp op, Value b, Value c, bool* handled) {
  bool b_int = b.is_int(), c_int = c.is_int();
  if ((b_int || IsExact(b, TypeId::kInt)) && (c_int || IsExact(c, TypeId::kInt))) {
    *handled = true;
    switch (op) {
      case BinaryOp::kAdd: return IntAdd(ts, b, c);
      case BinaryOp::kSub: return IntSub(ts, b, c);
      case BinaryOp::kMul: return IntMul(ts, b, c);
      case BinaryOp::kFloorDiv: return IntFloorDiv(ts, b, c);
      case BinaryOp::kMod: return IntMod(ts, b, c);
      case BinaryOp::kTrueDiv: return IntTrueDiv(ts, b, c);
      case BinaryOp::kAnd: return IntAnd(ts, b, c);
      case BinaryOp::kOr: return IntOr(ts, b, c);
      case BinaryOp::kXor: return IntXor(ts, b, c);
      case BinaryOp::kLshift: return IntLshift(ts, b, c);
      case BinaryOp::kRshift: return IntRshift(ts, b, c);
      case BinaryOp::kPow: return IntPow(ts, b, c, ts.rt->none);
      default: break;
    }
    *handled = false;
    return kRaised;
  }
  bool b_float = IsFloatExact(b), c_float = IsFloatExact(c);
  if ((b_float && (c_float || c_int)) || (b_int && c_float)) {
    double x = b_float ? FloatValue(b) : static_cast<double>(b.as_int());
    double y = c_float ? FloatValue(c) : static_cast<double>(c.as_int());
    *handled = true;
    switch (op) {
      case BinaryOp::kAdd: return NewFloat(ts, x + y);
      case BinaryOp::kSub: return NewFloat(ts, x - y);
      case BinaryOp::kMul: return NewFloat(ts, x * y);
      case BinaryOp::kTrueDiv:
        if (y != 0) return NewFloat(ts, x / y);
        break;
      case BinaryOp::kMod:
        if (y != 0) return NewFloat(ts, FloatMod(x, y));
        break;
      case BinaryOp::kFloorDiv:
        if (y != 0) return NewFloat(ts, FloatFloorDiv(x, y));
        break;
      default: break;
    }
    *handled = false;
  }
  return kRaised;
}

void Store(ThreadState* ts, Value* R, const Word* pc, uint32_t reg, bool local, Value v) {
  Value old = R[reg];
  R[reg] = v;
  if (local && old.is_object() && --old.object()->refcount == 0)
    ColdDealloc(ts, R, pc, old.object());
}

// Comparison behind an opcode.
CompareOp CompareOpOf(Op op) {
  switch (op) {
    case Op::LT:
    case Op::JLT_T:
    case Op::JLT_F:
    case Op::JLTI_T:
    case Op::JLTI_F: return CompareOp::kLt;
    case Op::LE:
    case Op::JLE_T:
    case Op::JLE_F:
    case Op::JLEI_T:
    case Op::JLEI_F: return CompareOp::kLe;
    case Op::EQ:
    case Op::JEQ_T:
    case Op::JEQ_F:
    case Op::JEQI_T:
    case Op::JEQI_F: return CompareOp::kEq;
    case Op::NE:
    case Op::JNE_T:
    case Op::JNE_F:
    case Op::JNEI_T:
    case Op::JNEI_F: return CompareOp::kNe;
    case Op::GT:
    case Op::JGT_T:
    case Op::JGT_F:
    case Op::JGTI_T:
    case Op::JGTI_F: return CompareOp::kGt;
    default: return CompareOp::kGe;
  }
}
bool WantsTrue(Op op) {
  switch (op) {
    case Op::JLT_T:
    case Op::JLE_T:
    case Op::JEQ_T:
    case Op::JNE_T:
    case Op::JGT_T:
    case Op::JGE_T:
    case Op::JLTI_T:
    case Op::JLEI_T:
    case Op::JEQI_T:
    case Op::JNEI_T:
    case Op::JGTI_T:
    case Op::JGEI_T:
    case Op::JIN_T: return true;
    default: return false;
  }
}
bool IsImmediateJump(Op op) { return op >= Op::JLTI_T && op <= Op::JGEI_F; }

}  // namespace

OperatorWord OperatorWordOf(Op op) {
  OperatorWord word;
  word.compares = (op >= Op::JLT_T && op <= Op::JGEI_F) || (op >= Op::LT && op <= Op::GE);
  if (word.compares) {
    word.compare = CompareOpOf(op);
    word.wants_true = WantsTrue(op);
  } else {
    word.arith = ArithOf(op).op;
    word.immediate = op >= Op::ADDI && op <= Op::RSHIFTI_L;
  }
  return word;
}

namespace {

// ADD of two strings.
CallOutcome AddTexts(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  StrObject* b = R[pc->b].as<StrObject>();
  StrObject* c = R[pc->c].as<StrObject>();
  const uint32_t flags = static_cast<uint32_t>(pc->x);
  const bool local = static_cast<Op>(pc->op) == Op::ADD_L;
  Result<StrObject> r = kRaised;
  if ((flags & kInPlace) && local && pc->a == pc->b && !(flags & kConsume1)) {
    // s += t on a local: hand our reference over, so that a sole owner can grow in place.
    R[pc->a] = Value::Int(0);
    r = StrAppendInPlace(*ts, b, c);
    if (MVM_UNLIKELY(r.raised())) R[pc->a] = ts->rt->unbound;
  } else if ((flags & kConsume1) && b->refcount == 1) {
    r = StrAppendInPlace(*ts, b, c);
  } else {
    r = StrConcat(*ts, b, c);
    if (flags & kConsume1) Decref(b);
  }
  if (flags & kConsume2) Decref(c);
  if (MVM_UNLIKELY(r.raised())) return CallOutcome::kRaised;
  Store(ts, R, pc, pc->a, local, Value(r.word()));
  return CallOutcome::kDone;
}

// `[x] * n`, where nobody else has the list: it may grow in place.
inline bool IsOwnList(BinaryOp op, Value b, Value c, uint32_t flags) {
  return op == BinaryOp::kMul && c.is_int() && IsExact(b, TypeId::kList) && (flags & kConsume1) &&
         b.object()->refcount == 1;
}
CallOutcome RepeatOwnList(ThreadState* ts, Value* R, Word* pc, bool local, Value list, Value n) {
  if (ListRepeatInPlace(*ts, list.as<ListObject>(), n.as_int()).raised()) {
    Decref(list);
    return CallOutcome::kRaised;
  }
  Store(ts, R, pc, pc->a, local, list);
  return CallOutcome::kDone;
}

}  // namespace

CallOutcome SlowArith(ThreadState* ts, Value* R, Word* pc) {
  const Op op = static_cast<Op>(pc->op);
  Value b = R[pc->b], c = R[pc->c];
  if (IsExact(b, TypeId::kStr) && IsExact(c, TypeId::kStr) && (op == Op::ADD || op == Op::ADD_L))
    return AddTexts(ts, R, pc);
  ts->base = R;
  ts->pc = pc;
  const ArithInfo info = ArithOf(op);
  uint32_t flags = static_cast<uint32_t>(pc->x);
  bool handled = false;
  Value v;
  if (IsOwnList(info.op, b, c, flags)) return RepeatOwnList(ts, R, pc, info.local, b, c);
  const bool instance = b.is_object() && b.object()->shape_id >= kFirstDynamicShape;
  if (!instance && !IsExact(b, TypeId::kStr)) v = NumberOp(*ts, info.op, b, c, &handled).word();
  if (!handled) {
    if (info.op == BinaryOp::kMod && IsExact(b, TypeId::kStr) &&
        (IsExact(c, TypeId::kTuple) || IsExact(c, TypeId::kStr))) {
      v = StrPercent(*ts, b.as<StrObject>(), c).word();  // no __rmod__ to ask
    } else {
      CallOutcome outcome;
      if (PushArith(ts, R, pc, info.op, b, c, flags, &outcome)) return outcome;
      v = (flags & kInPlace) ? InPlace(*ts, info.op, b, c).word()
                             : Binary(*ts, info.op, b, c).word();
    }
  }
  if (flags & kConsume1) Decref(b);
  if (flags & kConsume2) Decref(c);
  if (MVM_UNLIKELY(v.is_null())) return CallOutcome::kRaised;
  Store(ts, R, pc, pc->a, info.local, v);
  return CallOutcome::kDone;
}

CallOutcome SlowArithImm(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  const Op op = static_cast<Op>(pc->op);
  ArithInfo info = ArithOf(op);
  Value b = R[pc->b];
  Value c = Value::Int(HasCache(InfoOf(op).format[3]) ? int64_t{CacheOf(pc)->a} : pc->x);
  if (IsOwnList(info.op, b, c, pc->c)) return RepeatOwnList(ts, R, pc, info.local, b, c);
  bool handled = false;
  Value v = NumberOp(*ts, info.op, b, c, &handled).word();
  if (!handled) {
    CallOutcome outcome;
    if (PushArith(ts, R, pc, info.op, b, c, pc->c, &outcome)) return outcome;
    v = (pc->c & kInPlace) ? InPlace(*ts, info.op, b, c).word() : Binary(*ts, info.op, b, c).word();
  }
  if (pc->c & kConsume1) Decref(b);
  if (MVM_UNLIKELY(v.is_null())) return CallOutcome::kRaised;
  Store(ts, R, pc, pc->a, info.local, v);
  return CallOutcome::kDone;
}

bool SlowUnary(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Op op = static_cast<Op>(pc->op);
  Value b = R[pc->b], v;
  switch (op) {
    case Op::NEG:
    case Op::NEG_L:
      v = b.is_float() ? NewFloat(*ts, -b.as_float()).word() : Negative(*ts, b).word();
      break;
    case Op::POS: v = Positive(*ts, b).word(); break;
    case Op::INVERT: v = b.is_int() ? Value::Int(~b.as_int()) : Invert(*ts, b).word(); break;
    default: {
      Result<bool> truth = Truth(*ts, b);
      if (!truth.raised()) v = Bool(*ts, truth.Take() == (op == Op::TOBOOL)).word();
    }
  }
  if (pc->c & kConsume1) Decref(b);
  if (MVM_UNLIKELY(v.is_null())) return false;
  Store(ts, R, pc, pc->a, op == Op::NEG_L, v);
  return true;
}

CallOutcome SlowCompare(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  const CompareOp op = CompareOpOf(static_cast<Op>(pc->op));
  Value b = R[pc->b], c = R[pc->c];
  Value v;
  if (IsExact(b, TypeId::kStr) && IsExact(c, TypeId::kStr) &&
      (op == CompareOp::kEq || op == CompareOp::kNe)) {
    const bool equal = b.is(c) || StrEquals(b.as<StrObject>(), c.as<StrObject>());
    v = Bool(*ts, equal == (op == CompareOp::kEq)).word();
  } else {
    CallOutcome outcome;
    if (PushCompare(ts, R, pc, op, b, c, static_cast<uint32_t>(pc->x), &outcome)) return outcome;
    v = Compare(*ts, b, c, op).word();
  }
  if (pc->x & kConsume1) Decref(b);
  if (pc->x & kConsume2) Decref(c);
  if (MVM_UNLIKELY(v.is_null())) return CallOutcome::kRaised;
  R[pc->a] = v;
  return CallOutcome::kDone;
}

CallOutcome SlowCompareJump(ThreadState* ts, Value* R, Word* pc, bool* jump) {
  ts->base = R;
  ts->pc = pc;
  Op op = static_cast<Op>(pc->op);
  CompareOp compare = CompareOpOf(op);
  bool immediate = IsImmediateJump(op);
  Value b = R[pc->b], c = immediate ? Value::Int(static_cast<int8_t>(pc->c)) : R[pc->c];
  CallOutcome outcome;
  if (PushCompare(ts, R, pc, compare, b, c, pc->a, &outcome)) return outcome;
  Result<bool> holds = CompareTruth(*ts, b, c, compare);
  const int truth = holds.raised() ? -1 : holds.Take();
  if (pc->a & kConsume1) Decref(b);
  if (!immediate && (pc->a & kConsume2)) Decref(c);
  *jump = (truth == 1) == WantsTrue(op);
  return truth < 0 ? CallOutcome::kRaised : CallOutcome::kDone;
}

int SlowTruth(ThreadState* ts, Value* R, Word* pc, Value v) {
  if (v.is(ts->rt->true_)) return 1;
  if (v.is(ts->rt->false_) || v.is(ts->rt->none)) return 0;
  ts->base = R;
  ts->pc = pc;
  Result<bool> truth = Truth(*ts, v);
  return truth.raised() ? -1 : truth.Take();
}

// Contains(), with a short way to the containers that are asked most.
static Result<bool> QuickContains(ThreadState& ts, Value container, Value item) {
  if (container.is_object()) {
    const uint32_t shape = container.object()->shape_id;
    if (shape == ShapeIdOf(TypeId::kDict)) {
      return DictContains(ts, container.as<DictObject>(), item);
    }
    if (shape == ShapeIdOf(TypeId::kStr) && IsExact(item, TypeId::kStr)) {
      const StrObject* s = container.as<StrObject>();
      return StrFind(s, item.as<StrObject>(), 0, s->length) >= 0;
    }
    if ((shape == ShapeIdOf(TypeId::kSet) || shape == ShapeIdOf(TypeId::kFrozenset)) &&
        (item.is_int() || IsExact(item, TypeId::kStr))) {
      return SetContains(ts, container.as<SetObject>(), item);
    }
  }
  return Contains(ts, container, item);
}

bool SlowContains(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value b = R[pc->b], c = R[pc->c];
  Result<bool> r = QuickContains(*ts, c, b);
  if (pc->x & kConsume1) Decref(b);
  if (pc->x & kConsume2) Decref(c);
  if (r.raised()) return false;
  R[pc->a] = Bool(*ts, r.Take() == (static_cast<Op>(pc->op) == Op::IN)).word();
  return true;
}

int SlowContainsJump(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value b = R[pc->b], c = R[pc->c];
  Result<bool> r = QuickContains(*ts, c, b);
  if (pc->a & kConsume1) Decref(b);
  if (pc->a & kConsume2) Decref(c);
  if (r.raised()) return -1;
  return r.Take() == WantsTrue(static_cast<Op>(pc->op));
}

}  // namespace minivm
