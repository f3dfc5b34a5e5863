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
#define BINARY(name, operation, of_decimal, of_context) \
  {#name "(self, x, y, /)", ContextBinary<MVM_BARE operation>, of_context},
#define UNARY(name, operation, of_decimal, of_context) \
  {#name "(self, x, /)", ContextUnary<MVM_BARE operation>, of_context},
#define PLAIN_UNARY(name, operation, of_decimal, of_context) \
  {#name "(self, x, /)", ContextUnary<MVM_BARE operation>, of_context},
#define TEST(name, operation, of_decimal, of_context) \
  {#name "(self, x, /)", ContextTest<MVM_BARE operation>, of_context},
#define PLAIN_TEST(name, operation, of_decimal, of_context) \
  {#name "(self, x, /)", ContextTest<MVM_BARE operation>, of_context},
#include "stdlib/decimal/operations.def"
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
    {"copy(self, /)", context_copy,
     "A context with the same settings and traps, in which no signal has come up."},
    {"copy_decimal(self, x, /)", context_copy_decimal, "x itself."},
    {"create_decimal(self, num='0', /)", context_create_decimal,
     "A Decimal from an integer, text, tuple, float or Decimal, rounded as this context says."},
    {"create_decimal_from_float(self, f, /)", context_create_decimal_from_float,
     "A Decimal from a float or integer, rounded as this context says."},
    {"divide(self, x, y, /)", ContextBinary<Divide>, "x / y, rounded."},
    {"divide_int(self, x, y, /)", ContextBinary<DivideInteger>,
     "The whole part of x / y. DivisionImpossible if it has more digits than the precision."},
    {"divmod(self, x, y, /)", context_divmod,
     "The pair (whole part of x / y, what is left of x, with its sign)."},
    {"fma(self, x, y, z, /)", context_fma, "x * y + z, rounded once."},
    {"is_canonical(self, x, /)", context_is_canonical, "Always True: a Decimal has but one form."},
    {"minus(self, x, /)", ContextUnary<MinusOp>,
     "Minus, as the unary prefix operator, with this context."},
    {"multiply(self, x, y, /)", ContextBinary<Multiply>, "x * y, rounded."},
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
    {"same_quantum(self, x, y, /)", context_same_quantum,
     "Whether both end at the same digit; infinities agree, and so do NaNs."},
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
