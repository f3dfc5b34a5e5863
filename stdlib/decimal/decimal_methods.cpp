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
#define BINARY(name, operation, of_decimal, of_context) \
  {#name "(self, /, other, context=None)!", DecimalBinary<MVM_BARE operation>, of_decimal},
#define UNARY(name, operation, of_decimal, of_context) \
  {#name "(self, /, context=None)!", DecimalUnary<MVM_BARE operation>, of_decimal},
#define PLAIN_UNARY(name, operation, of_decimal, of_context) \
  {#name "(self, /)", Plain<MVM_BARE operation>, of_decimal},
#define TEST(name, operation, of_decimal, of_context) \
  {#name "(self, /, context=None)!", DecimalTest<MVM_BARE operation>, of_decimal},
#define PLAIN_TEST(name, operation, of_decimal, of_context) \
  {#name "(self, /)", PlainTest<MVM_BARE operation>, of_decimal},
#include "stdlib/decimal/operations.def"
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
    {"conjugate(self, /)", decimal_self, "The number itself, which has no imaginary part."},
    {"fma(self, /, other, third, context=None)!", decimal_fma,
     "self * other + third, rounded once."},
    {"from_float(type, f, /)", decimal_from_float,
     "The exact value of a float or integer: 0.1 gives 55 digits.", kMethodClass},
    {"is_canonical(self, /)", PlainTest<IsCanonicalOp>, "Always True: a Decimal has but one form."},
    {"number_class(self, /, context=None)!", decimal_number_class,
     "What this is: sNaN, NaN, or a sign before Infinity, Normal, Subnormal or Zero."},
    {"quantize(self, /, exp, rounding=None, context=None)!", decimal_quantize,
     "The number rounded to the last digit that exp has. Invalid if that takes more digits than "
     "the precision."},
    {"radix(self, /)", decimal_radix, "Always Decimal(10)."},
    {"same_quantum(self, /, other, context=None)!", decimal_same_quantum,
     "Whether both end at the same digit; infinities agree, and so do NaNs."},
    {"to_eng_string(self, /, context=None)!", decimal_to_eng_string,
     "Text whose exponent, if there is one, is a multiple of three."},
    {"to_integral(self, /, rounding=None, context=None)!", decimal_to_integral<false>,
     "to_integral_value() under its older name."},
    {"to_integral_exact(self, /, rounding=None, context=None)!", decimal_to_integral<true>,
     "The number rounded to an integer, with Rounded and Inexact where they apply."},
    {"to_integral_value(self, /, rounding=None, context=None)!", decimal_to_integral<false>,
     "The number rounded to an integer, without signals."},
};

}  // namespace minivm::decimal
