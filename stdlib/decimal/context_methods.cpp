// The methods of Context: every operation on converted operands, under this context.
#include "runtime/objects/list_object.h"
#include "stdlib/decimal/methods_inl.h"

namespace minivm::decimal {

namespace {

Result<> context_etiny(ThreadState& ts, Args args) {
  return NewInt(ts, args.self<ContextObject>()->settings.etiny());
}
Result<> context_etop(ThreadState& ts, Args args) {
  return NewInt(ts, args.self<ContextObject>()->settings.etop());
}
Result<> context_copy(ThreadState& ts, Args args) {
  return CopyContext(ts, args.self<ContextObject>());
}
Result<> context_clear_flags(ThreadState& ts, Args args) {
  args.self<ContextObject>()->flags = 0;
  return None(ts);
}
Result<> context_clear_traps(ThreadState& ts, Args args) {
  args.self<ContextObject>()->traps = 0;
  return None(ts);
}

Result<> context_reduce(ThreadState& ts, Args args) {
  const ContextObject* c = args.self<ContextObject>();
  const Settings& s = c->settings;
  MVM_TRY(Ref<> prec, NewInt(ts, s.prec));
  MVM_TRY(Ref<> rounding, RoundingName(ts, s.rounding));
  MVM_TRY(Ref<> emin, NewInt(ts, s.emin));
  MVM_TRY(Ref<> emax, NewInt(ts, s.emax));
  MVM_TRY(Ref<ListObject> flags, SignalList(ts, c->flags));
  MVM_TRY(Ref<ListObject> traps, SignalList(ts, c->traps));
  Value values[] = {prec,
                    rounding,
                    emin,
                    emax,
                    Value::Int(s.capitals),
                    Value::Int(s.clamp),
                    Value(flags.get()),
                    Value(traps.get())};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, values));
  Value state[] = {Value(TypeOf(ts, args[0])), Value(call_args.get())};
  return NewTuple(ts, state);
}

Result<> context_create_decimal(ThreadState& ts, Args args) {
  return DecimalFromValue(ts, StateOf(ts)->decimal_type, args[1], args.self<ContextObject>(),
                          false);
}
Result<> context_create_decimal_from_float(ThreadState& ts, Args args) {
  return DecimalFromFloat(ts, StateOf(ts)->decimal_type, args[1], args.self<ContextObject>(),
                          false);
}

Result<> context_canonical(ThreadState& ts, Args args) {
  if (!IsDecimal(ts, args[1])) return Raise(ts, Exc::kTypeError, "argument must be a Decimal");
  return Result<>::Borrow(args[1]);
}
Result<> context_is_canonical(ThreadState& ts, Args args) {
  if (!IsDecimal(ts, args[1])) return Raise(ts, Exc::kTypeError, "argument must be a Decimal");
  return Bool(ts, true);
}
Result<> context_copy_decimal(ThreadState& ts, Args args) {
  if (IsDecimal(ts, args[1])) return Result<>::Borrow(args[1]);
  if (!IsInt(ts, args[1])) return RaiseNotConvertible(ts, args[1]);
  Number n(ts);
  MVM_TRY_VOID(NumberFromInt(ts, &n, args[1]));
  return NewDecimal(ts, &n);
}

Result<> context_divmod(ThreadState& ts, Args args) {
  ContextObject* context = args.self<ContextObject>();
  Operand x(ts), y(ts);
  Number q(ts), r(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(x.Require(ts, args[1]));
  MVM_TRY_VOID(y.Require(ts, args[2]));
  MVM_TRY_VOID(DivMod(ts, &q, &r, x.view, y.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  MVM_TRY(Ref<> quotient, NewDecimal(ts, &q));
  MVM_TRY(Ref<> remainder, NewDecimal(ts, &r));
  Value pair[] = {quotient, remainder};
  return NewTuple(ts, pair);
}

Result<> context_fma(ThreadState& ts, Args args) {
  ContextObject* context = args.self<ContextObject>();
  Operand x(ts), y(ts), z(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(x.Require(ts, args[1]));
  MVM_TRY_VOID(y.Require(ts, args[2]));
  MVM_TRY_VOID(z.Require(ts, args[3]));
  MVM_TRY_VOID(FusedMultiplyAdd(ts, &result, x.view, y.view, z.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> context_power(ThreadState& ts, Args args) {
  ContextObject* context = args.self<ContextObject>();
  Operand x(ts), y(ts), m(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(x.Require(ts, args[1]));
  MVM_TRY_VOID(y.Require(ts, args[2]));
  if (IsNone(ts, args[3])) {
    MVM_TRY_VOID(Power(ts, &result, x.view, y.view, context->settings, &status));
  } else {
    MVM_TRY_VOID(m.Require(ts, args[3]));
    MVM_TRY_VOID(PowerModulo(ts, &result, x.view, y.view, m.view, context->settings, &status));
  }
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> context_number_class(ThreadState& ts, Args args) {
  Operand x(ts);
  MVM_TRY_VOID(x.Require(ts, args[1]));
  return NewStr(ts, NumberClass(x.view, args.self<ContextObject>()->settings));
}
Result<> context_radix(ThreadState& ts, Args) {
  Number ten(ts);
  MVM_TRY_VOID(ten.SetWord(ts, 10, 0, false));
  return NewDecimal(ts, &ten);
}
Result<> context_same_quantum(ThreadState& ts, Args args) {
  Operand x(ts), y(ts);
  MVM_TRY_VOID(x.Require(ts, args[1]));
  MVM_TRY_VOID(y.Require(ts, args[2]));
  return Bool(ts, SameQuantum(x.view, y.view));
}
template <bool kEngineering>
Result<> ContextToString(ThreadState& ts, Args args) {
  Operand x(ts);
  MVM_TRY_VOID(x.Require(ts, args[1]));
  return DecimalToStr(ts, x.view, kEngineering, args.self<ContextObject>()->settings.capitals);
}

}  // namespace

const MethodSpec kContextMethods[kContextMethodCount] = {
    {"Etiny(self, /)", context_etiny,
     "The least exponent that any number can have: Emin - prec + 1."},
    {"Etop(self, /)", context_etop,
     "The greatest exponent of a number with all its digits: Emax - prec + 1."},
    {"__copy__(self, /)", context_copy},
    {"__reduce__(self, /)", context_reduce},
    {"_apply(self, x, /)", ContextUnary<RoundOnlyOp>},
    {"abs(self, x, /)", ContextUnary<Absolute>, "Magnitude of x, rounded."},
    {"add(self, x, y, /)", ContextBinary<AddOp>, "x + y, rounded."},
    {"canonical(self, x, /)", context_canonical, "x, which has but one form anyway."},
    {"clear_flags(self, /)", context_clear_flags, "Forget which signals have come up."},
    {"clear_traps(self, /)", context_clear_traps, "Let no signal raise its exception."},
    {"compare(self, x, y, /)", ContextBinary<CompareOperator>,
     "-1, 0 or 1 as x is below, equal to or above y; NaN if either is."},
    {"compare_signal(self, x, y, /)", ContextBinary<CompareSignalOp>,
     "compare(), except that a quiet NaN too is an invalid operation."},
    {"compare_total(self, x, y, /)", ContextBinary<CompareTotalOp<false>>,
     "-1, 0 or 1 in an order of all numbers: 1.0 comes before 1, a NaN at either end."},
    {"compare_total_mag(self, x, y, /)", ContextBinary<CompareTotalOp<true>>,
     "compare_total() of the magnitudes."},
    {"copy(self, /)", context_copy,
     "A context with the same settings and traps, in which no signal has come up."},
    {"copy_abs(self, x, /)", ContextUnary<CopyAbsOp>,
     "x without its sign; neither rounded nor signalled."},
    {"copy_decimal(self, x, /)", context_copy_decimal, "x itself."},
    {"copy_negate(self, x, /)", ContextUnary<CopyNegateOp>,
     "x with the other sign; neither rounded nor signalled."},
    {"copy_sign(self, x, y, /)", ContextBinary<CopySignOp>,
     "x with the sign of y; neither rounded nor signalled."},
    {"create_decimal(self, num='0', /)", context_create_decimal,
     "A Decimal from an integer, text, tuple, float or Decimal, rounded as this context says."},
    {"create_decimal_from_float(self, f, /)", context_create_decimal_from_float,
     "A Decimal from a float or integer, rounded as this context says."},
    {"divide(self, x, y, /)", ContextBinary<Divide>, "x / y, rounded."},
    {"divide_int(self, x, y, /)", ContextBinary<DivideInteger>,
     "The whole part of x / y. DivisionImpossible if it has more digits than the precision."},
    {"divmod(self, x, y, /)", context_divmod,
     "The pair (whole part of x / y, what is left of x, with its sign)."},
    {"exp(self, x, /)", ContextUnary<Exp>, "e to the power x, rounded."},
    {"fma(self, x, y, z, /)", context_fma, "x * y + z, rounded once."},
    {"is_canonical(self, x, /)", context_is_canonical, "Always True: a Decimal has but one form."},
    {"is_finite(self, x, /)", ContextTest<IsFiniteOp>, "Whether x is neither infinite nor NaN."},
    {"is_infinite(self, x, /)", ContextTest<IsInfiniteOp>,
     "Whether x is infinite, of either sign."},
    {"is_nan(self, x, /)", ContextTest<IsNanOp>, "Whether x is NaN, of either kind."},
    {"is_normal(self, x, /)", ContextTest<IsNormal>,
     "Whether x is finite, not zero, and at least 10**Emin in magnitude."},
    {"is_qnan(self, x, /)", ContextTest<IsQuietNanOp>,
     "Whether x is NaN, of the kind that does not signal."},
    {"is_signed(self, x, /)", ContextTest<IsSignedOp>,
     "Whether x has a minus sign, be it a zero or NaN."},
    {"is_snan(self, x, /)", ContextTest<IsSignalingNanOp>,
     "Whether x is NaN, of the kind that signals."},
    {"is_subnormal(self, x, /)", ContextTest<IsSubnormal>,
     "Whether x is finite, not zero, and below 10**Emin in magnitude."},
    {"is_zero(self, x, /)", ContextTest<IsZeroOp>, "Whether x is zero, of either sign."},
    {"ln(self, x, /)", ContextUnary<Ln>, "Natural logarithm, rounded."},
    {"log10(self, x, /)", ContextUnary<Log10>, "Logarithm to base 10."},
    {"logb(self, x, /)", ContextUnary<LogB>,
     "The exponent of the first digit of x, as a Decimal: 2 for 250. -Infinity for zero, with "
     "DivisionByZero."},
    {"logical_and(self, x, y, /)", ContextBinary<LogicOp<Logic::kAnd>>,
     "Digit by digit, 1 where both have 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"logical_invert(self, x, /)", ContextUnary<InvertOp>,
     "x with 0 and 1 swapped, over the whole precision. The digits must be 0 and 1, else the "
     "operation is invalid."},
    {"logical_or(self, x, y, /)", ContextBinary<LogicOp<Logic::kOr>>,
     "Digit by digit, 1 where either has 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"logical_xor(self, x, y, /)", ContextBinary<LogicOp<Logic::kXor>>,
     "Digit by digit, 1 where one alone has 1. The digits must be 0 and 1, else the operation is "
     "invalid."},
    {"max(self, x, y, /)", ContextBinary<MinMaxOp<true, false>>,
     "The larger of both, rounded; a number wins over a quiet NaN."},
    {"max_mag(self, x, y, /)", ContextBinary<MinMaxOp<true, true>>,
     "The number of larger magnitude, rounded; a number wins over a quiet NaN."},
    {"min(self, x, y, /)", ContextBinary<MinMaxOp<false, false>>,
     "The smaller of both, rounded; a number wins over a quiet NaN."},
    {"min_mag(self, x, y, /)", ContextBinary<MinMaxOp<false, true>>,
     "The number of smaller magnitude, rounded; a number wins over a quiet NaN."},
    {"minus(self, x, /)", ContextUnary<MinusOp>,
     "Minus, as the unary prefix operator, with this context."},
    {"multiply(self, x, y, /)", ContextBinary<Multiply>, "x * y, rounded."},
    {"next_minus(self, x, /)", ContextUnary<NextOp<-1>>,
     "The nearest number below x that the context can hold."},
    {"next_plus(self, x, /)", ContextUnary<NextOp<1>>,
     "The nearest number above x that the context can hold."},
    {"next_toward(self, x, y, /)", ContextBinary<NextToward>,
     "The next number that the context can hold, on the way from x to y."},
    {"normalize(self, x, /)", ContextUnary<Normalize>, "x rounded, without zeros at the end."},
    {"number_class(self, x, /)", context_number_class,
     "What x is: sNaN, NaN, or a sign before Infinity, Normal, Subnormal or Zero."},
    {"plus(self, x, /)", ContextUnary<PlusOp>,
     "Plus, as the unary prefix operator, with this context."},
    {"power(self, /, a, b, modulo=None)", context_power,
     "a to the power b, within a unit of the last digit.\n"
     "\n"
     "A negative a needs an integer b. With a modulo all are integers, b is not negative, and the "
     "result is exact."},
    {"quantize(self, x, y, /)", ContextBinary<Quantize>,
     "x rounded to the last digit that y has. Invalid if that takes more digits than the "
     "precision."},
    {"radix(self, /)", context_radix, "Always 10."},
    {"remainder(self, x, y, /)", ContextBinary<Remainder>,
     "What x / y leaves once its whole part is taken off, with the sign of x."},
    {"remainder_near(self, x, y, /)", ContextBinary<RemainderNear>,
     "What is left of x next to the multiple of y that is nearest, an even one of two."},
    {"rotate(self, x, y, /)", ContextBinary<ShiftOp<true>>,
     "The digits of x turned round by y places, to the left if y is positive; over the whole "
     "precision."},
    {"same_quantum(self, x, y, /)", context_same_quantum,
     "Whether both end at the same digit; infinities agree, and so do NaNs."},
    {"scaleb(self, x, y, /)", ContextBinary<ScaleB>, "x times 10 to the power y, an integer."},
    {"shift(self, x, y, /)", ContextBinary<ShiftOp<false>>,
     "The digits of x moved by y places, to the left if y is positive; what leaves the precision "
     "is lost."},
    {"sqrt(self, x, /)", ContextUnary<SquareRoot>,
     "Square root, rounded half to even. Invalid below zero."},
    {"subtract(self, x, y, /)", ContextBinary<SubtractOp>, "x - y, rounded."},
    {"to_eng_string(self, x, /)", ContextToString<true>,
     "x as text whose exponent, if there is one, is a multiple of three."},
    {"to_integral(self, x, /)", ContextUnary<IntegralOp<false>>,
     "to_integral_value() under its older name."},
    {"to_integral_exact(self, x, /)", ContextUnary<IntegralOp<true>>,
     "x rounded to an integer, with Rounded and Inexact where they apply."},
    {"to_integral_value(self, x, /)", ContextUnary<IntegralOp<false>>,
     "x rounded to an integer, without signals."},
    {"to_sci_string(self, x, /)", ContextToString<false>,
     "x as text, with an exponent where it is far from zero."},
};

}  // namespace minivm::decimal
