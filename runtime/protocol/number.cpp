// Numbers by slot: binary operators with reflection and subclass priority, in-place forms,
// conversions.
#include <cmath>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/number_text.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "runtime/support/float_format.h"

namespace minivm {

// int(text) of int_methods.cpp; Absent(): v is no text.
Result<> IntFromTextValue(ThreadState& ts, Value v, int base);

namespace {

struct OpInfoRow {
  BinaryFn OperatorSlots::*slot;
  BinaryFn OperatorSlots::*in_place;
  const char* text;
  const char* in_place_text;
};
const OpInfoRow kRows[] = {
    {&OperatorSlots::add, &OperatorSlots::iadd, "+", "+="},
    {&OperatorSlots::sub, &OperatorSlots::isub, "-", "-="},
    {&OperatorSlots::mul, &OperatorSlots::imul, "*", "*="},
    {&OperatorSlots::matmul, &OperatorSlots::imatmul, "@", "@="},
    {&OperatorSlots::truediv, &OperatorSlots::itruediv, "/", "/="},
    {&OperatorSlots::floordiv, &OperatorSlots::ifloordiv, "//", "//="},
    {&OperatorSlots::mod, &OperatorSlots::imod, "%", "%="},
    {&OperatorSlots::divmod, nullptr, "divmod()", "divmod()"},
    {nullptr, &OperatorSlots::ipow, "** or pow()", "**="},
    {&OperatorSlots::lshift, &OperatorSlots::ilshift, "<<", "<<="},
    {&OperatorSlots::rshift, &OperatorSlots::irshift, ">>", ">>="},
    {&OperatorSlots::and_, &OperatorSlots::iand, "&", "&="},
    {&OperatorSlots::or_, &OperatorSlots::ior, "|", "|="},
    {&OperatorSlots::xor_, &OperatorSlots::ixor, "^", "^="},
};

Raised Unsupported(ThreadState& ts, const char* op, Value a, Value b) {
  return Raise(ts, Exc::kTypeError, "unsupported operand type(s) for %s: '%T' and '%T'", op, a, b);
}

// The numeric slots of both operands, the more derived type's first. NotImplemented if neither
// knows.
Result<> TrySlots(ThreadState& ts, BinaryFn OperatorSlots::*slot, Value a, Value b) {
  const OperatorSlots* sa = OperatorsOf(ts, a);
  const OperatorSlots* sb = OperatorsOf(ts, b);
  if (sa == nullptr || sb == nullptr) return kRaised;
  BinaryFn fa = sa->*slot, fb = sb->*slot;
  TypeObject *ta = TypeOf(ts, a), *tb = TypeOf(ts, b);
  if (ta == tb || fa == fb) fb = nullptr;
  if (fa != nullptr) {
    if (fb != nullptr && IsSubtype(tb, ta)) {
      MVM_TRY(Ref<> r, fb(ts, a, b));
      if (!IsNotImplemented(ts, r)) return r;
      fb = nullptr;
    }
    MVM_TRY(Ref<> r, fa(ts, a, b));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (fb != nullptr) return fb(ts, a, b);
  return NotImplemented(ts);
}

// sequence * n
Result<> Repeat(ThreadState& ts, RepeatFn repeat, Value sequence, Value count) {
  TypeObject* type = TypeOf(ts, count);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "can't multiply sequence by non-int of type '%T'", count);
  }
  MVM_TRY(int64_t n, IndexAsInt64(ts, count, Exc::kOverflowError));
  return repeat(ts, sequence, n);
}

// What the operator does beyond numbers: concatenation and repetition. NotImplemented otherwise.
Result<> TrySequence(ThreadState& ts, BinaryOp op, Value a, Value b, bool in_place) {
  const OperatorSlots& sa = *TypeOf(ts, a)->operators;
  const OperatorSlots& sb = *TypeOf(ts, b)->operators;
  if (op == BinaryOp::kAdd) {
    BinaryFn f = in_place && sa.iconcat != nullptr ? sa.iconcat : sa.concat;
    if (f != nullptr) return f(ts, a, b);
  } else if (op == BinaryOp::kMul) {
    if (sa.repeat != nullptr || (in_place && sa.irepeat != nullptr)) {
      return Repeat(ts, in_place && sa.irepeat != nullptr ? sa.irepeat : sa.repeat, a, b);
    }
    if (sb.repeat != nullptr) return Repeat(ts, sb.repeat, b, a);
  }
  return NotImplemented(ts);
}

Result<> PowerSlots(ThreadState& ts, Value a, Value b, Value m) {
  const OperatorSlots* sa = OperatorsOf(ts, a);
  const OperatorSlots* sb = OperatorsOf(ts, b);
  const OperatorSlots* sm = OperatorsOf(ts, m);
  if (sa == nullptr || sb == nullptr || sm == nullptr) return kRaised;
  TernaryFn fa = sa->pow, fb = sb->pow, fm = sm->pow;
  TypeObject *ta = TypeOf(ts, a), *tb = TypeOf(ts, b);
  if (ta == tb || fa == fb) fb = nullptr;
  if (fm == fa || fm == fb) fm = nullptr;
  if (fa != nullptr) {
    if (fb != nullptr && IsSubtype(tb, ta)) {
      MVM_TRY(Ref<> r, fb(ts, a, b, m));
      if (!IsNotImplemented(ts, r)) return r;
      fb = nullptr;
    }
    MVM_TRY(Ref<> r, fa(ts, a, b, m));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (fb != nullptr) {
    MVM_TRY(Ref<> r, fb(ts, a, b, m));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (fm != nullptr && !IsNone(ts, m)) return fm(ts, a, b, m);
  return NotImplemented(ts);
}

}  // namespace

bool HasInPlace(ThreadState& ts, Value v, BinaryOp op) {
  const auto slot = kRows[static_cast<int>(op)].in_place;
  return slot != nullptr && TypeOf(ts, v)->operators->*slot != nullptr;
}

Result<> BinaryRest(ThreadState& ts, BinaryOp op, Value a, Value b, bool in_place) {
  const OpInfoRow& row = kRows[static_cast<int>(op)];
  TypeObject *ta = TypeOf(ts, a), *tb = TypeOf(ts, b);
  if (ta->is_heap() && ta != tb) {
    const OperatorSlots* sb = OperatorsOf(ts, b);
    if (sb == nullptr) return kRaised;
    const BinaryFn fb = sb->*row.slot;
    if (fb != nullptr && fb != ta->operators->*row.slot) {
      MVM_TRY(Ref<> r, fb(ts, a, b));
      if (!IsNotImplemented(ts, r)) return r;
    }
  }
  MVM_TRY(Ref<> r, TrySequence(ts, op, a, b, in_place));
  if (!IsNotImplemented(ts, r)) return r;
  return Unsupported(ts, in_place ? row.in_place_text : row.text, a, b);
}

Result<> Binary(ThreadState& ts, BinaryOp op, Value a, Value b) {
  if (op == BinaryOp::kPow) return Power(ts, a, b, ts.rt->none);
  const OpInfoRow& row = kRows[static_cast<int>(op)];
  MVM_TRY(Ref<> r, TrySlots(ts, row.slot, a, b));
  if (!IsNotImplemented(ts, r)) return r;
  if (op == BinaryOp::kAdd || op == BinaryOp::kMul) {
    MVM_TRY(r, TrySequence(ts, op, a, b, false));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (op == BinaryOp::kRshift && IsExact(a, TypeId::kNativeFunction)) {
    MVM_TRY(Ref<> name, GetAttrOptional(ts, a, MVM_NAME(ts, __name__)));
    if (name.is_object() && IsStr(ts, name) && name.as<StrObject>()->EqualsAscii("print")) {
      return Raise(
          ts, Exc::kTypeError,
          "unsupported operand type(s) for %s: '%T' and '%T'. Did you mean \"print(<message>, "
          "file=<output_stream>)\"?",
          row.text, a, b);
    }
  }
  return Unsupported(ts, row.text, a, b);
}

Result<> InPlace(ThreadState& ts, BinaryOp op, Value a, Value b) {
  const OpInfoRow& row = kRows[static_cast<int>(op)];
  const OperatorSlots* sa = OperatorsOf(ts, a);
  if (sa == nullptr) return kRaised;
  if (row.in_place != nullptr) {
    BinaryFn f = sa->*row.in_place;
    if (f != nullptr) {
      MVM_TRY(Ref<> r, f(ts, a, b));
      if (!IsNotImplemented(ts, r)) return r;
    }
  }
  Ref<> r;
  if (op == BinaryOp::kPow) {
    MVM_TRY(r, PowerSlots(ts, a, b, ts.rt->none));
  } else {
    MVM_TRY(r, TrySlots(ts, row.slot, a, b));
  }
  if (!IsNotImplemented(ts, r)) return r;
  if (op == BinaryOp::kAdd || op == BinaryOp::kMul) {
    MVM_TRY(r, TrySequence(ts, op, a, b, true));
    if (!IsNotImplemented(ts, r)) return r;
  }
  return Unsupported(ts, row.in_place_text, a, b);
}

Result<> Power(ThreadState& ts, Value a, Value b, Value modulus) {
  MVM_TRY(Ref<> r, PowerSlots(ts, a, b, modulus));
  if (!IsNotImplemented(ts, r)) return r;
  if (IsNone(ts, modulus)) return Unsupported(ts, "** or pow()", a, b);
  return Raise(ts, Exc::kTypeError, "unsupported operand type(s) for ** or pow(): '%T', '%T', '%T'",
               a, b, modulus);
}

namespace {
Result<> Unary(ThreadState& ts, Value v, UnaryFn OperatorSlots::*slot, const char* what) {
  const OperatorSlots* s = OperatorsOf(ts, v);
  if (s == nullptr) return kRaised;
  if (s->*slot != nullptr) return (s->*slot)(ts, v);
  return Raise(ts, Exc::kTypeError, "bad operand type for %s: '%T'", what, v);
}
}  // namespace

Result<> Negative(ThreadState& ts, Value v) { return Unary(ts, v, &OperatorSlots::neg, "unary -"); }
Result<> Positive(ThreadState& ts, Value v) { return Unary(ts, v, &OperatorSlots::pos, "unary +"); }
Result<> Invert(ThreadState& ts, Value v) {
  return Unary(ts, v, &OperatorSlots::invert, "unary ~");
}
Result<> Absolute(ThreadState& ts, Value v) { return Unary(ts, v, &OperatorSlots::abs, "abs()"); }

Result<> Index(ThreadState& ts, Value v) {
  if (v.is_int()) return Result<>::Steal(v);
  if (IsInt(ts, v)) return IntExact(ts, v);
  const OperatorSlots* s = OperatorsOf(ts, v);
  if (s == nullptr) return kRaised;
  if (s->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "'%T' object cannot be interpreted as an integer", v);
  }
  MVM_TRY(Ref<> r, s->index(ts, v));
  if (r.is_int() || IsExact(r, TypeId::kInt)) return r;
  if (!IsInt(ts, r))
    return Raise(ts, Exc::kTypeError, "__index__ returned non-int (type %T)", r.get());
  MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                    "__index__ returned non-int (type %T).  The ability to return an instance of a "
                    "strict subclass "
                    "of int is deprecated, and may not be supported in a future version of Python.",
                    r.get()));
  return IntExact(ts, r);
}

Result<int64_t> IndexAsInt64(ThreadState& ts, Value v, Exc overflow) {
  if (v.is_int()) return v.as_int();
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t out;
  if (IntFitsInt64(i, &out)) return out;
  if (overflow == Exc::kCount) return IntSign(i) < 0 ? INT64_MIN : INT64_MAX;
  return Raise(ts, overflow, "cannot fit '%T' into an index-sized integer", v);
}

Result<int64_t> AsInt64(ThreadState& ts, Value v) {
  if (v.is_int()) return v.as_int();
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t out;
  if (IntFitsInt64(i, &out)) return out;
  return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
}

Result<double> AsDouble(ThreadState& ts, Value v) {
  if (v.is_float()) return v.as_float();
  if (IsFloatExact(v)) return FloatValue(v);
  const OperatorSlots* s = OperatorsOf(ts, v);
  if (s == nullptr) return kRaised;
  if (s->to_float == nullptr) {
    if (s->index != nullptr) {
      MVM_TRY(Ref<> i, Index(ts, v));
      return IntToDouble(ts, i);
    }
    return Raise(ts, Exc::kTypeError, "must be real number, not %T", v);
  }
  MVM_TRY(Ref<> r, s->to_float(ts, v));
  if (IsFloatExact(r)) return FloatValue(r);
  if (!IsFloat(ts, r))
    return Raise(ts, Exc::kTypeError, "%T.__float__ returned non-float (type %T)", v, r.get());
  MVM_TRY_VOID(Warn(
      ts, Exc::kDeprecationWarning, 1,
      "%T.__float__ returned non-float (type %T).  The ability to return an instance of a strict "
      "subclass of float is deprecated, and may be removed in a future version of Python.",
      v, r.get()));
  return FloatValue(r);
}

Result<> ToInt(ThreadState& ts, Value v) {
  if (v.is_int() || IsExact(v, TypeId::kInt)) return Result<>::Borrow(v);
  const OperatorSlots* s = OperatorsOf(ts, v);
  if (s == nullptr) return kRaised;
  if (s->to_int != nullptr) {
    MVM_TRY(Ref<> r, s->to_int(ts, v));
    if (r.is_int() || IsExact(r, TypeId::kInt)) return r;
    if (!IsInt(ts, r))
      return Raise(ts, Exc::kTypeError, "__int__ returned non-int (type %T)", r.get());
    MVM_TRY_VOID(
        Warn(ts, Exc::kDeprecationWarning, 1,
             "__int__ returned non-int (type %T).  The ability to return an instance of a strict "
             "subclass "
             "of int is deprecated, and may not be supported in a future version of Python.",
             r.get()));
    return IntExact(ts, r);
  }
  if (s->index != nullptr) return Index(ts, v);
  MVM_TRY(Ref<> trunc, CallSpecial(ts, v, MVM_NAME(ts, __trunc__)));
  if (!trunc.is_absent()) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "The delegation of int() to __trunc__ is deprecated."));
    if (IsInt(ts, trunc)) return IntExact(ts, trunc);
    const OperatorSlots* st = OperatorsOf(ts, trunc);
    if (st == nullptr) return kRaised;
    if (st->index == nullptr) {
      return Raise(ts, Exc::kTypeError, "__trunc__ returned non-Integral (type %T)", trunc.get());
    }
    return Index(ts, trunc);
  }
  MVM_TRY(Ref<> r, IntFromTextValue(ts, v, 10));
  if (r.is_absent()) {
    return Raise(ts, Exc::kTypeError,
                 "int() argument must be a string, a bytes-like object or a real number, not '%T'",
                 v);
  }
  return r;
}

Result<> ToFloat(ThreadState& ts, Value v) {
  if (IsFloatExact(v)) return Result<>::Borrow(v);
  std::string text;
  // A subclass of str may say what it is as a number.
  if (IsExact(v, TypeId::kStr) || (IsStr(ts, v) && TypeOf(ts, v)->operators->to_float == nullptr)) {
    text = FoldNumberText(v.as<StrObject>());
  } else if (IsBytes(ts, v) || HasTypeFlag(ts, v, kTypeBytearraySubclass)) {
    BufferView view;
    MVM_TRY_VOID(GetBuffer(ts, v, &view));
    text = FoldNumberText(view.bytes());
  } else {
    const OperatorSlots* s = OperatorsOf(ts, v);
    if (s == nullptr) return kRaised;
    if (s->to_float == nullptr && s->index == nullptr) {
      if (HasBuffer(ts, v)) {
        BufferView view;
        MVM_TRY_VOID(GetBuffer(ts, v, &view));
        text = FoldNumberText(view.bytes());
      } else {
        return Raise(ts, Exc::kTypeError,
                     "float() argument must be a string or a real number, not '%T'", v);
      }
    } else {
      MVM_TRY(double d, AsDouble(ts, v));
      return NewFloat(ts, d);
    }
  }
  double d;
  if (!ParseFloat(text, &d))
    return Raise(ts, Exc::kValueError, "could not convert string to float: %R", v);
  return NewFloat(ts, d);
}

}  // namespace minivm
