// The named methods of Decimal.
#include <algorithm>

#include "runtime/objects/float_object.h"
#include "runtime/objects/list_object.h"
#include "stdlib/decimal/methods_inl.h"

namespace minivm::decimal {

namespace {

Result<> decimal_adjusted(ThreadState& ts, Args args) {
  const View v = ViewOf(args[0]);
  return NewInt(ts, v.finite() ? v.adjusted() : 0);
}

Result<> decimal_as_tuple(ThreadState& ts, Args args) {
  const View v = ViewOf(args[0]);
  const bool digits_shown = !v.nan() || v.w.size > 0;
  TextBuffer text;
  if (digits_shown) {
    const uint64_t count = v.digits();
    MVM_TRY_VOID(CheckRoom(ts, count * (1 + sizeof(Value))));
    char* to = text.Extend(count);
    if (!to) return RaiseMemoryError(ts);
    WordsToDigits(to, v.w);
  }
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, text.size()));
  for (char digit : text.view()) MVM_TRY_VOID(ListAppend(ts, list, Value::Int(digit - '0')));
  MVM_TRY(Ref<TupleObject> digits, TupleFrom(ts, list));
  Ref<> exponent;
  if (v.finite()) {
    MVM_TRY(exponent, NewInt(ts, v.exp));
  } else {
    MVM_TRY(exponent, NewStr(ts, v.infinite() ? "F" : v.signaling() ? "N" : "n"));
  }
  return Call(ts, StateOf(ts)->tuple_type, Value::Int(v.negative), digits, exponent);
}

Result<> decimal_as_integer_ratio(ThreadState& ts, Args args) {
  const View v = ViewOf(args[0]);
  if (v.nan()) return Raise(ts, Exc::kValueError, "cannot convert NaN to integer ratio");
  if (v.infinite())
    return Raise(ts, Exc::kOverflowError, "cannot convert Infinity to integer ratio");
  Ref<> numerator, denominator = Ref<>::Steal(Value::Int(1));
  if (v.exp >= 0 || v.zero()) {
    View whole = v;
    if (v.zero()) {
      whole.exp = 0;
      whole.negative = false;
    }
    MVM_TRY(numerator, IntFromView(ts, whole));
  } else {
    View coefficient = v, power;
    Words ten(ts);
    coefficient.exp = 0;
    MVM_TRY_VOID(PowerOfTen(ts, &ten, 0 - static_cast<uint64_t>(v.exp)));
    power.w = Span(ten);
    MVM_TRY(numerator, IntFromView(ts, coefficient));
    MVM_TRY(denominator, IntFromView(ts, power));
    MVM_TRY(Ref<> math, ts.rt->hooks.import_module(ts, "math"));
    MVM_TRY(Ref<> gcd, GetAttr(ts, math, std::string_view("gcd")));
    MVM_TRY(Ref<> common, Call(ts, gcd, numerator, denominator));
    MVM_TRY(numerator, IntFloorDiv(ts, numerator, common));
    MVM_TRY(denominator, IntFloorDiv(ts, denominator, common));
  }
  Value pair[] = {numerator, denominator};
  return NewTuple(ts, pair);
}

Result<> decimal_from_float(ThreadState& ts, Args args) {
  DecimalState* state = StateOf(ts);
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, Value::Absent()));
  MVM_TRY(Ref<> d, DecimalFromFloat(ts, state->decimal_type, args[1], context, true));
  if (args[0].is(Value(state->decimal_type))) return d;
  return Call(ts, args[0], d);
}

Result<> decimal_complex(ThreadState& ts, Args args) {
  MVM_TRY(double d, AsDouble(ts, args[0]));
  MVM_TRY(Ref<> real, NewFloat(ts, d));
  return Call(ts, Value(TypeById(ts, TypeId::kComplex)), real);
}

Result<> decimal_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> text, ToStr(ts, args[0]));
  Value one[] = {Value(text.get())};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, one));
  Value state[] = {Value(TypeOf(ts, args[0])), Value(call_args.get())};
  return NewTuple(ts, state);
}

Result<> decimal_self(ThreadState&, Args args) { return Result<>::Borrow(args[0]); }

Result<> decimal_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "format arg must be str");
  if (args.has(2) && !IsDict(ts, args[2]))
    return Raise(ts, Exc::kTypeError, "optional argument must be a dict");
  return DecimalFormat(ts, ViewOf(args[0]), args.as<StrObject>(1), args.get(2, Value()));
}

// To an int, rounded in the given way whatever the context says.
template <Rounding kMode>
Result<> RoundToInt(ThreadState& ts, Args args) {
  const View v = ViewOf(args[0]);
  if (!v.finite()) return IntFromView(ts, v);
  Settings c = WidestSettings();
  c.rounding = kMode;
  Number n(ts);
  uint32_t ignored = 0;
  MVM_TRY_VOID(ToIntegral(ts, &n, v, false, c, &ignored));
  return IntFromView(ts, n.view());
}

Result<> decimal_round(ThreadState& ts, Args args) {
  if (!args.has(1) || IsNone(ts, args[1])) return RoundToInt<Rounding::kHalfEven>(ts, args);
  if (!IsInt(ts, args[1])) return Raise(ts, Exc::kTypeError, "optional arg must be an integer");
  int64_t digits;
  if (!IntFitsInt64(args[1], &digits))
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, Value::Absent()));
  Number quantum(ts), result(ts);
  const int64_t exp = std::clamp<int64_t>(digits, -kMaxEmax * 3, kMaxEmax * 3);
  MVM_TRY_VOID(quantum.SetWord(ts, 1, -exp, false));
  uint32_t status = 0;
  MVM_TRY_VOID(Quantize(ts, &result, ViewOf(args[0]), quantum.view(), context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> decimal_sizeof(ThreadState& ts, Args args) {
  const DecimalObject* d = args.self<DecimalObject>();
  const size_t more = d->size > DecimalObject::kInline ? d->size * sizeof(Word) : 0;
  return NewInt(ts, static_cast<int64_t>(sizeof(DecimalObject) + more));
}

Result<> decimal_fma(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[3]));
  Operand y(ts), z(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(y.Require(ts, args[1]));
  MVM_TRY_VOID(z.Require(ts, args[2]));
  MVM_TRY_VOID(
      FusedMultiplyAdd(ts, &result, ViewOf(args[0]), y.view, z.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> decimal_quantize(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[3]));
  Settings settings = context->settings;
  if (!IsNone(ts, args[2])) {
    MVM_TRY(settings.rounding, RoundingFromName(ts, args[2]));
  }
  Operand exp(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(exp.Require(ts, args[1]));
  MVM_TRY_VOID(Quantize(ts, &result, ViewOf(args[0]), exp.view, settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

template <bool kExact>
Result<> decimal_to_integral(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[2]));
  Settings settings = context->settings;
  if (!IsNone(ts, args[1])) {
    MVM_TRY(settings.rounding, RoundingFromName(ts, args[1]));
  }
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(ToIntegral(ts, &result, ViewOf(args[0]), kExact, settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> decimal_number_class(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[1]));
  return NewStr(ts, NumberClass(ViewOf(args[0]), context->settings));
}

Result<> decimal_radix(ThreadState& ts, Args) {
  Number ten(ts);
  MVM_TRY_VOID(ten.SetWord(ts, 10, 0, false));
  return NewDecimal(ts, &ten);
}

Result<> decimal_same_quantum(ThreadState& ts, Args args) {
  Operand y(ts);
  MVM_TRY_VOID(ContextArgument(ts, args[2]));
  MVM_TRY_VOID(y.Require(ts, args[1]));
  return Bool(ts, SameQuantum(ViewOf(args[0]), y.view));
}

Result<> decimal_to_eng_string(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[1]));
  return DecimalToStr(ts, ViewOf(args[0]), true, context->settings.capitals);
}

// copy_abs and copy_negate take no context and touch none.
template <UnaryOperation kOperation>
Result<> Plain(ThreadState& ts, Args args) {
  Number result(ts);
  uint32_t ignored = 0;
  MVM_TRY_VOID(kOperation(ts, &result, ViewOf(args[0]), Settings(), &ignored));
  return NewDecimal(ts, &result);
}
template <Predicate kTest>
Result<> PlainTest(ThreadState& ts, Args args) {
  return Bool(ts, kTest(ViewOf(args[0]), Settings()));
}

}  // namespace

const MethodSpec kDecimalMethods[kDecimalMethodCount] = {
    {"__ceil__(self, /)", RoundToInt<Rounding::kCeiling>},
    {"__complex__(self, /)", decimal_complex},
    {"__copy__(self, /)", decimal_self},
    {"__deepcopy__(self, memo, /)", decimal_self},
    {"__floor__(self, /)", RoundToInt<Rounding::kFloor>},
    {"__format__(self, fmtarg, override=<unrepresentable>, /)", decimal_format,
     "Formats the Decimal according to fmtarg."},
    {"__reduce__(self, /)", decimal_reduce, "What pickle needs to make it again."},
    {"__round__(self, ndigits=None, /)", decimal_round},
    {"__sizeof__(self, /)", decimal_sizeof},
    {"__trunc__(self, /)", RoundToInt<Rounding::kDown>},
    {"adjusted(self, /)", decimal_adjusted, "The exponent of the first digit: 2 for 250."},
    {"as_integer_ratio(self, /)", decimal_as_integer_ratio,
     "The integers (numerator, denominator), without a common divisor, that make the number. "
     "Infinity and NaN are errors."},
    {"as_tuple(self, /)", decimal_as_tuple, "Sign, digits and exponent as a DecimalTuple."},
    {"canonical(self, /)", decimal_self, "The number itself: it has but one form."},
    {"compare(self, /, other, context=None)", DecimalBinary<CompareOperator>,
     "-1, 0 or 1 as this is below, equal to or above other; NaN if either is. The result is a "
     "Decimal."},
    {"compare_signal(self, /, other, context=None)", DecimalBinary<CompareSignalOp>,
     "compare(), except that a quiet NaN too is an invalid operation."},
    {"compare_total(self, /, other, context=None)", DecimalBinary<CompareTotalOp<false>>,
     "-1, 0 or 1 in an order of all numbers: 1.0 comes before 1, a NaN at either end."},
    {"compare_total_mag(self, /, other, context=None)", DecimalBinary<CompareTotalOp<true>>,
     "As compare_total(), but ignores the signs."},
    {"conjugate(self, /)", decimal_self, "The number itself, which has no imaginary part."},
    {"copy_abs(self, /)", Plain<CopyAbsOp>,
     "The number without its sign; neither rounded nor signalled."},
    {"copy_negate(self, /)", Plain<CopyNegateOp>,
     "The number with the other sign; neither rounded nor signalled."},
    {"copy_sign(self, /, other, context=None)", DecimalBinary<CopySignOp>,
     "The number with the sign of other; neither rounded nor signalled."},
    {"exp(self, /, context=None)", DecimalUnary<Exp>,
     "e to the power of the number, rounded half to even."},
    {"fma(self, /, other, third, context=None)", decimal_fma,
     "self * other + third, rounded once."},
    {"from_float(type, f, /)", decimal_from_float,
     "The exact value of a float or integer: 0.1 gives 55 digits.", kMethodClass},
    {"is_canonical(self, /)", PlainTest<IsCanonicalOp>, "Always True: a Decimal has but one form."},
    {"is_finite(self, /)", PlainTest<IsFiniteOp>,
     "Whether the number is neither infinite nor NaN."},
    {"is_infinite(self, /)", PlainTest<IsInfiniteOp>,
     "Whether the number is infinite, of either sign."},
    {"is_nan(self, /)", PlainTest<IsNanOp>, "Whether this is NaN, of either kind."},
    {"is_normal(self, /, context=None)", DecimalTest<IsNormal>,
     "Whether the number is finite, not zero, and at least 10**Emin in magnitude."},
    {"is_qnan(self, /)", PlainTest<IsQuietNanOp>,
     "Whether this is NaN, of the kind that does not signal."},
    {"is_signed(self, /)", PlainTest<IsSignedOp>,
     "Whether there is a minus sign, be it before a zero or NaN."},
    {"is_snan(self, /)", PlainTest<IsSignalingNanOp>,
     "Whether this is NaN, of the kind that signals."},
    {"is_subnormal(self, /, context=None)", DecimalTest<IsSubnormal>,
     "Whether the number is finite, not zero, and below 10**Emin in magnitude."},
    {"is_zero(self, /)", PlainTest<IsZeroOp>, "Whether the number is zero, of either sign."},
    {"ln(self, /, context=None)", DecimalUnary<Ln>, "Natural logarithm, rounded half to even."},
    {"log10(self, /, context=None)", DecimalUnary<Log10>,
     "Logarithm to base 10, rounded half to even."},
    {"logb(self, /, context=None)", DecimalUnary<LogB>,
     "adjusted() as a Decimal; -Infinity for zero, with DivisionByZero."},
    {"logical_and(self, /, other, context=None)", DecimalBinary<LogicOp<Logic::kAnd>>,
     "Digit by digit, 1 where both have 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"logical_invert(self, /, context=None)", DecimalUnary<InvertOp>,
     "0 and 1 swapped, over the whole precision. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"logical_or(self, /, other, context=None)", DecimalBinary<LogicOp<Logic::kOr>>,
     "Digit by digit, 1 where either has 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"logical_xor(self, /, other, context=None)", DecimalBinary<LogicOp<Logic::kXor>>,
     "Digit by digit, 1 where one alone has 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"max(self, /, other, context=None)", DecimalBinary<MinMaxOp<true, false>>,
     "The larger of both, rounded; a number wins over a quiet NaN."},
    {"max_mag(self, /, other, context=None)", DecimalBinary<MinMaxOp<true, true>>,
     "As max(), but compares absolute values."},
    {"min(self, /, other, context=None)", DecimalBinary<MinMaxOp<false, false>>,
     "The smaller of both, rounded; a number wins over a quiet NaN."},
    {"min_mag(self, /, other, context=None)", DecimalBinary<MinMaxOp<false, true>>,
     "As min(), but compares absolute values."},
    {"next_minus(self, /, context=None)", DecimalUnary<NextOp<-1>>,
     "The nearest number below that the context can hold."},
    {"next_plus(self, /, context=None)", DecimalUnary<NextOp<1>>,
     "The nearest number above that the context can hold."},
    {"next_toward(self, /, other, context=None)", DecimalBinary<NextToward>,
     "The next number that the context can hold, on the way to other."},
    {"normalize(self, /, context=None)", DecimalUnary<Normalize>,
     "The number rounded, without zeros at the end; a zero gets the exponent 0."},
    {"number_class(self, /, context=None)", decimal_number_class,
     "What this is: sNaN, NaN, or a sign before Infinity, Normal, Subnormal or Zero."},
    {"quantize(self, /, exp, rounding=None, context=None)", decimal_quantize,
     "The number rounded to the last digit that exp has. Invalid if that takes more digits than "
     "the precision."},
    {"radix(self, /)", decimal_radix, "Always Decimal(10)."},
    {"remainder_near(self, /, other, context=None)", DecimalBinary<RemainderNear>,
     "What is left next to the multiple of other that is nearest, an even one of two."},
    {"rotate(self, /, other, context=None)", DecimalBinary<ShiftOp<true>>,
     "The digits turned round by other places, to the left if positive; over the whole precision."},
    {"same_quantum(self, /, other, context=None)", decimal_same_quantum,
     "Whether both end at the same digit; infinities agree, and so do NaNs."},
    {"scaleb(self, /, other, context=None)", DecimalBinary<ScaleB>,
     "The number times 10 to the power other, an integer."},
    {"shift(self, /, other, context=None)", DecimalBinary<ShiftOp<false>>,
     "The digits moved by other places, to the left if positive; what leaves the precision is "
     "lost."},
    {"sqrt(self, /, context=None)", DecimalUnary<SquareRoot>,
     "Square root, rounded half to even. Invalid below zero."},
    {"to_eng_string(self, /, context=None)", decimal_to_eng_string,
     "Text whose exponent, if there is one, is a multiple of three."},
    {"to_integral(self, /, rounding=None, context=None)", decimal_to_integral<false>,
     "to_integral_value() under its older name."},
    {"to_integral_exact(self, /, rounding=None, context=None)", decimal_to_integral<true>,
     "The number rounded to an integer, with Rounded and Inexact where they apply."},
    {"to_integral_value(self, /, rounding=None, context=None)", decimal_to_integral<false>,
     "The number rounded to an integer, without signals."},
};

}  // namespace minivm::decimal
