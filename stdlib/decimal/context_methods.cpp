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
     "Return Emin - prec + 1, the minimum exponent of subnormals."},
    {"Etop(self, /)", context_etop, "Return Emax - prec + 1."},
    {"__copy__(self, /)", context_copy},
    {"__reduce__(self, /)", context_reduce},
    {"_apply(self, x, /)", ContextUnary<RoundOnlyOp>},
    {"abs(self, x, /)", ContextUnary<Absolute>, "Return the absolute value of x."},
    {"add(self, x, y, /)", ContextBinary<AddOp>, "Return the sum of x and y."},
    {"canonical(self, x, /)", context_canonical, "Return a new instance of x."},
    {"clear_flags(self, /)", context_clear_flags, "Reset all flags to False."},
    {"clear_traps(self, /)", context_clear_traps, "Set all traps to False."},
    {"compare(self, x, y, /)", ContextBinary<CompareOperator>, "Compare x and y numerically."},
    {"compare_signal(self, x, y, /)", ContextBinary<CompareSignalOp>,
     "Compare x and y numerically.  All NaNs signal."},
    {"compare_total(self, x, y, /)", ContextBinary<CompareTotalOp<false>>,
     "Compare x and y using their abstract representation."},
    {"compare_total_mag(self, x, y, /)", ContextBinary<CompareTotalOp<true>>,
     "Compare x and y using their abstract representation, ignoring sign."},
    {"copy(self, /)", context_copy, "Return a duplicate of the context with all flags cleared."},
    {"copy_abs(self, x, /)", ContextUnary<CopyAbsOp>, "Return a copy of x with the sign set to 0."},
    {"copy_decimal(self, x, /)", context_copy_decimal, "Return a copy of Decimal x."},
    {"copy_negate(self, x, /)", ContextUnary<CopyNegateOp>,
     "Return a copy of x with the sign inverted."},
    {"copy_sign(self, x, y, /)", ContextBinary<CopySignOp>, "Copy the sign from y to x."},
    {"create_decimal(self, num='0', /)", context_create_decimal,
     "Create a new Decimal instance from num, using self as the context."},
    {"create_decimal_from_float(self, f, /)", context_create_decimal_from_float,
     "Create a new Decimal instance from float f, rounded."},
    {"divide(self, x, y, /)", ContextBinary<Divide>, "Return x divided by y."},
    {"divide_int(self, x, y, /)", ContextBinary<DivideInteger>,
     "Return x divided by y, truncated."},
    {"divmod(self, x, y, /)", context_divmod,
     "Return quotient and remainder of the division x / y."},
    {"exp(self, x, /)", ContextUnary<Exp>, "Return e ** x."},
    {"fma(self, x, y, z, /)", context_fma, "Return x multiplied by y, plus z."},
    {"is_canonical(self, x, /)", context_is_canonical, "Return True if x is canonical."},
    {"is_finite(self, x, /)", ContextTest<IsFiniteOp>, "Return True if x is finite."},
    {"is_infinite(self, x, /)", ContextTest<IsInfiniteOp>, "Return True if x is infinite."},
    {"is_nan(self, x, /)", ContextTest<IsNanOp>, "Return True if x is a qNaN or sNaN."},
    {"is_normal(self, x, /)", ContextTest<IsNormal>, "Return True if x is a normal number."},
    {"is_qnan(self, x, /)", ContextTest<IsQuietNanOp>, "Return True if x is a quiet NaN."},
    {"is_signed(self, x, /)", ContextTest<IsSignedOp>, "Return True if x is negative."},
    {"is_snan(self, x, /)", ContextTest<IsSignalingNanOp>, "Return True if x is a signaling NaN."},
    {"is_subnormal(self, x, /)", ContextTest<IsSubnormal>, "Return True if x is subnormal."},
    {"is_zero(self, x, /)", ContextTest<IsZeroOp>, "Return True if x is a zero."},
    {"ln(self, x, /)", ContextUnary<Ln>, "Return the natural (base e) logarithm of x."},
    {"log10(self, x, /)", ContextUnary<Log10>, "Return the base 10 logarithm of x."},
    {"logb(self, x, /)", ContextUnary<LogB>,
     "Return the exponent of the magnitude of the most significant digit."},
    {"logical_and(self, x, y, /)", ContextBinary<LogicOp<Logic::kAnd>>,
     "Digit-wise and of x and y."},
    {"logical_invert(self, x, /)", ContextUnary<InvertOp>, "Invert all digits of x."},
    {"logical_or(self, x, y, /)", ContextBinary<LogicOp<Logic::kOr>>, "Digit-wise or of x and y."},
    {"logical_xor(self, x, y, /)", ContextBinary<LogicOp<Logic::kXor>>,
     "Digit-wise xor of x and y."},
    {"max(self, x, y, /)", ContextBinary<MinMaxOp<true, false>>,
     "Compare the values numerically and return the maximum."},
    {"max_mag(self, x, y, /)", ContextBinary<MinMaxOp<true, true>>,
     "Compare the values numerically with their sign ignored."},
    {"min(self, x, y, /)", ContextBinary<MinMaxOp<false, false>>,
     "Compare the values numerically and return the minimum."},
    {"min_mag(self, x, y, /)", ContextBinary<MinMaxOp<false, true>>,
     "Compare the values numerically with their sign ignored."},
    {"minus(self, x, /)", ContextUnary<MinusOp>,
     "Minus, as the unary prefix operator, with this context."},
    {"multiply(self, x, y, /)", ContextBinary<Multiply>, "Return the product of x and y."},
    {"next_minus(self, x, /)", ContextUnary<NextOp<-1>>,
     "Return the largest representable number smaller than x."},
    {"next_plus(self, x, /)", ContextUnary<NextOp<1>>,
     "Return the smallest representable number larger than x."},
    {"next_toward(self, x, y, /)", ContextBinary<NextToward>,
     "Return the number closest to x, in the direction towards y."},
    {"normalize(self, x, /)", ContextUnary<Normalize>, "Reduce x to its simplest form."},
    {"number_class(self, x, /)", context_number_class, "Return an indication of the class of x."},
    {"plus(self, x, /)", ContextUnary<PlusOp>,
     "Plus, as the unary prefix operator, with this context."},
    {"power(self, /, a, b, modulo=None)", context_power,
     "Compute a**b. If 'a' is negative, then 'b' must be integral. The result\nwill be inexact "
     "unless 'a' is "
     "integral and the result is finite and can\nbe expressed exactly in 'precision' digits."},
    {"quantize(self, x, y, /)", ContextBinary<Quantize>,
     "Return a value equal to x (rounded), having the exponent of y."},
    {"radix(self, /)", context_radix, "Return 10."},
    {"remainder(self, x, y, /)", ContextBinary<Remainder>,
     "Return the remainder from integer division."},
    {"remainder_near(self, x, y, /)", ContextBinary<RemainderNear>,
     "Return x - y * n, where n is the integer nearest the exact value of x / y."},
    {"rotate(self, x, y, /)", ContextBinary<ShiftOp<true>>,
     "Return a copy of x, rotated by y places."},
    {"same_quantum(self, x, y, /)", context_same_quantum,
     "Return True if the operands have the same exponent."},
    {"scaleb(self, x, y, /)", ContextBinary<ScaleB>,
     "Return the first operand after adding the second to its exp."},
    {"shift(self, x, y, /)", ContextBinary<ShiftOp<false>>,
     "Return a copy of x, shifted by y places."},
    {"sqrt(self, x, /)", ContextUnary<SquareRoot>,
     "Square root of a non-negative number to context precision.\n\n"},
    {"subtract(self, x, y, /)", ContextBinary<SubtractOp>,
     "Return the difference between x and y."},
    {"to_eng_string(self, x, /)", ContextToString<true>,
     "Convert a number to a string, using engineering notation."},
    {"to_integral(self, x, /)", ContextUnary<IntegralOp<false>>,
     "Identical to to_integral_value(x)."},
    {"to_integral_exact(self, x, /)", ContextUnary<IntegralOp<true>>,
     "Round to an integer. Signal if the result is rounded or inexact."},
    {"to_integral_value(self, x, /)", ContextUnary<IntegralOp<false>>, "Round to an integer."},
    {"to_sci_string(self, x, /)", ContextToString<false>,
     "Convert a number to a string using scientific notation."},
};

}  // namespace minivm::decimal
