// Decimal objects: making them, arithmetic by operators, and the type itself.
#include <algorithm>
#include <cmath>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/int_work.h"
#include "runtime/objects/list_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/unicode.h"
#include "stdlib/decimal/methods_inl.h"

namespace minivm::decimal {

namespace {

Status Fill(ThreadState& ts, DecimalObject* d, const Number& n) {
  const size_t size = n.w.size();
  if (size > DecimalObject::kInline) {
    MVM_TRY(void* p, AllocBuffer(ts, size * sizeof(Word)));
    d->buffer = static_cast<Word*>(p);
    std::copy_n(n.w.data(), size, d->buffer);
  } else {
    std::copy_n(n.w.data(), size, d->inline_words);
  }
  d->size = size;
  d->exp = n.exp;
  d->kind = n.kind;
  d->negative = n.negative;
  return Ok();
}

}  // namespace

Result<> NewDecimal(ThreadState& ts, Number* n) {
  MVM_TRY(Ref<DecimalObject> d, New<DecimalObject>(ts, StateOf(ts)->decimal_type->shape_id_exact));
  MVM_TRY_VOID(Fill(ts, d, *n));
  return d;
}

Result<> NewDecimalOf(ThreadState& ts, TypeObject* cls, const Number& n) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  MVM_TRY_VOID(Fill(ts, made.as<DecimalObject>(), n));
  return made;
}

// ---- conversion ----

Status NumberFromInt(ThreadState& ts, Number* out, Value v) {
  int64_t i;
  if (MVM_LIKELY(IntFitsInt64(v, &i))) {
    return out->SetWord(ts, i < 0 ? 0 - static_cast<uint64_t>(i) : static_cast<uint64_t>(i), 0,
                        i < 0);
  }
  IntView view(v);
  out->Set(Kind::kFinite, view.negative());
  return LimbsToWords(ts, &out->w, view.limbs(), view.size());
}

Status NumberFromDouble(ThreadState& ts, Number* out, double d) {
  if (std::isnan(d) || std::isinf(d)) {
    out->Set(std::isnan(d) ? Kind::kQuietNan : Kind::kInfinite, std::signbit(d));
    return Ok();
  }
  const FloatParts parts = DecomposeFloat(d);
  MVM_TRY_VOID(out->SetWord(ts, parts.mantissa, 0, std::signbit(d)));
  if (parts.exponent == 0 || parts.mantissa == 0) return Ok();
  // m * 2**e, or m * 5**-e * 10**e.
  Words power(ts), limbs(ts), product(ts);
  const Limb base = parts.exponent > 0 ? 2 : 5;
  const uint64_t exponent = static_cast<uint64_t>(std::abs(parts.exponent));
  MVM_TRY_VOID(limbs.Resize(ts, PowMagSize(&base, 1, exponent)));
  IntWork work(ts);
  size_t n;
  if (!PowMag(work, limbs.data(), &n, &base, 1, exponent)) return work.Raise();
  MVM_TRY_VOID(LimbsToWords(ts, &power, limbs.data(), n));
  MVM_TRY_VOID(MulWords(ts, &product, out->w, power));
  out->w.Swap(product);
  if (parts.exponent < 0) out->exp = parts.exponent;
  return Ok();
}

Result<> IntFromView(ThreadState& ts, const View& v) {
  if (v.nan()) return Raise(ts, Exc::kValueError, "cannot convert NaN to integer");
  if (v.infinite()) return Raise(ts, Exc::kOverflowError, "cannot convert Infinity to integer");
  Words whole(ts), limbs(ts);
  if (v.exp >= 0) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &whole, v.w, static_cast<uint64_t>(v.exp)));
  } else {
    MVM_TRY_VOID(ShiftRightWords(ts, &whole, v.w, 0 - static_cast<uint64_t>(v.exp), nullptr));
  }
  MVM_TRY_VOID(WordsToLimbs(ts, &limbs, whole));
  return NewIntFromLimbs(ts, limbs.data(), limbs.size(), v.negative);
}

Result<bool> Operand::LoadInt(ThreadState& ts, Value v) {
  if (!IsInt(ts, v)) return false;
  MVM_TRY_VOID(NumberFromInt(ts, &storage_, v));
  view = storage_.view();
  return true;
}

Status Operand::Require(ThreadState& ts, Value v) {
  MVM_TRY(bool loaded, Load(ts, v));
  return loaded ? Ok() : Status(RaiseNotConvertible(ts, v));
}

Raised RaiseNotConvertible(ThreadState& ts, Value v) {
  return Raise(ts, Exc::kTypeError, "conversion from %T to Decimal is not supported", v);
}

Result<StrObject> DecimalToStr(ThreadState& ts, const View& v, bool engineering, bool capitals) {
  TextBuffer text;
  MVM_TRY_VOID(NumberToText(ts, v, engineering, capitals, &text));
  if (text.failed()) return RaiseMemoryError(ts);
  return NewStr(ts, text.view());
}

namespace {

// Outside of every context's range.
bool IsTooWide(const Number& n) {
  if (n.kind == Kind::kInfinite) return false;
  const View v = n.view();
  if (v.digits() > static_cast<uint64_t>(kMaxPrec)) return true;
  if (v.nan()) return false;
  return v.exp < kMinEtiny || (v.w.size == 0 ? v.exp : v.adjusted()) > kMaxEmax;
}

// The text as ASCII; strips and drops underscores if `lenient`. Characters that are in no number
// become
// '?'.
Status AsciiOf(ThreadState& ts, StrObject* s, bool lenient, TextBuffer* out) {
  MVM_TRY_VOID(CheckRoom(ts, s->length));
  size_t start = 0, end = s->length;
  if (lenient) {
    while (start < end && IsSpace(s->At(start))) ++start;
    while (end > start && IsSpace(s->At(end - 1))) --end;
  }
  char* to = out->Extend(end - start);
  if (!to && end > start) return RaiseMemoryError(ts);
  size_t n = 0;
  for (size_t i = start; i < end; ++i) {
    const char32_t c = s->At(i);
    if (c < 0x80) {
      if (c == '_' && lenient) continue;
      to[n++] = static_cast<char>(c);
    } else {
      const int digit = DecimalValue(c);
      to[n++] = digit < 0 ? '?' : static_cast<char>('0' + digit);
    }
  }
  out->Truncate(n);
  return Ok();
}

Status NumberFromText(ThreadState& ts, Number* out, StrObject* s, bool exact, uint32_t* status) {
  TextBuffer text;
  MVM_TRY_VOID(AsciiOf(ts, s, exact, &text));
  MVM_TRY(bool valid, ParseNumber(ts, out, text.data(), text.size()));
  if (!valid) SetInvalid(out, kConversionSyntax, status);
  return Ok();
}

// (sign, digits, exponent).
Status NumberFromTuple(ThreadState& ts, Number* out, Value v) {
  MVM_TRY(Ref<TupleObject> t, TupleFrom(ts, v));
  if (t->size() != 3) return Raise(ts, Exc::kValueError, "argument must be a sequence of length 3");
  const Value sign = t->items()[0], exponent = t->items()[2];
  int64_t s;
  if (!IsInt(ts, sign) || !IntFitsInt64(sign, &s) || (s != 0 && s != 1))
    return Raise(ts, Exc::kValueError, "sign must be an integer with the value 0 or 1");
  Kind kind = Kind::kFinite;
  int64_t exp = 0;
  if (IsStr(ts, exponent)) {
    StrObject* text = exponent.as<StrObject>();
    if (text->EqualsAscii("F")) {
      kind = Kind::kInfinite;
    } else if (text->EqualsAscii("n")) {
      kind = Kind::kQuietNan;
    } else if (text->EqualsAscii("N")) {
      kind = Kind::kSignalingNan;
    } else {
      return Raise(ts, Exc::kValueError,
                   "string argument in the third position must be 'F', 'n' or 'N'");
    }
  } else {
    if (!IsInt(ts, exponent)) return Raise(ts, Exc::kValueError, "exponent must be an integer");
    if (!IntFitsInt64(exponent, &exp))
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
    exp = std::clamp<int64_t>(exp, -4000000000000000000, 4000000000000000000);
  }
  const Value given = t->items()[1];
  if (!IsTuple(ts, given) && !IsList(ts, given))
    return Raise(ts, Exc::kValueError, "coefficient must be a tuple of digits");
  MVM_TRY(Ref<TupleObject> digits, TupleFrom(ts, given));
  TextBuffer text;
  for (uint32_t i = 0; i < digits->size(); ++i) {
    int64_t d;
    if (!IsInt(ts, digits->items()[i]) || !IntFitsInt64(digits->items()[i], &d) || d < 0 || d > 9)
      return Raise(ts, Exc::kValueError, "coefficient must be a tuple of digits");
    text.Append(static_cast<char>('0' + d));
  }
  if (text.failed()) return RaiseMemoryError(ts);
  out->Set(kind, s != 0);
  if (kind == Kind::kInfinite) return Ok();
  out->exp = exp;
  return WordsFromDigits(ts, &out->w, text.data(), text.size());
}

Result<> FinishConversion(ThreadState& ts, TypeObject* cls, Number* n, ContextObject* context,
                          uint32_t status, bool exact) {
  if (exact) {
    if (IsTooWide(*n)) SetInvalid(n, kInvalidOperation, &status);
  } else {
    // A NaN whose payload does not fit cannot be rounded.
    const Settings& c = context->settings;
    if (n->kind >= Kind::kQuietNan && !n->w.empty() &&
        DigitCount(n->w) > static_cast<uint64_t>(c.prec - c.clamp)) {
      SetInvalid(n, kConversionSyntax, &status);
    } else {
      MVM_TRY_VOID(Finalize(ts, n, c, &status));
    }
  }
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return cls == StateOf(ts)->decimal_type ? NewDecimal(ts, n) : NewDecimalOf(ts, cls, *n);
}

}  // namespace

Result<> DecimalFromFloat(ThreadState& ts, TypeObject* cls, Value v, ContextObject* context,
                          bool exact) {
  Number n(ts);
  if (IsInt(ts, v)) {
    MVM_TRY_VOID(NumberFromInt(ts, &n, v));
  } else if (IsFloat(ts, v)) {
    MVM_TRY_VOID(NumberFromDouble(ts, &n, FloatValue(v)));
  } else {
    return Raise(ts, Exc::kTypeError, "argument must be int or float");
  }
  return FinishConversion(ts, cls, &n, context, 0, exact);
}

Result<> DecimalFromValue(ThreadState& ts, TypeObject* cls, Value v, ContextObject* context,
                          bool exact) {
  if (IsFloat(ts, v)) {
    MVM_TRY_VOID(ReportStatus(ts, context, kFloatOperation));
    return DecimalFromFloat(ts, cls, v, context, exact);
  }
  Number n(ts);
  uint32_t status = 0;
  if (IsDecimal(ts, v)) {
    if (exact && cls == StateOf(ts)->decimal_type && TypeOf(ts, v) == cls)
      return Result<>::Borrow(v);
    MVM_TRY_VOID(n.Copy(ts, ViewOf(v)));
  } else if (IsStr(ts, v)) {
    MVM_TRY_VOID(NumberFromText(ts, &n, v.as<StrObject>(), exact, &status));
  } else if (IsInt(ts, v)) {
    MVM_TRY_VOID(NumberFromInt(ts, &n, v));
  } else if (IsTuple(ts, v) || IsList(ts, v)) {
    MVM_TRY_VOID(NumberFromTuple(ts, &n, v));
  } else {
    return RaiseNotConvertible(ts, v);
  }
  return FinishConversion(ts, cls, &n, context, status, exact);
}

namespace {

Result<> decimal_construct(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[2]));
  return DecimalFromValue(ts, args.as<TypeObject>(0), args[1], context, true);
}

// ---- operators ----

template <BinaryOperation kOperation>
Result<> Operator(ThreadState& ts, Value a, Value b) {
  Operand x(ts), y(ts);
  MVM_TRY(bool known, x.Load(ts, a));
  if (!known) return NotImplemented(ts);
  MVM_TRY(known, y.Load(ts, b));
  if (!known) return NotImplemented(ts);
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  const Ref<ContextObject> hold = Ref<ContextObject>::Borrow(context);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(kOperation(ts, &result, x.view, y.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

template <UnaryOperation kOperation>
Result<> UnaryOperator(ThreadState& ts, Value a) {
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  const Ref<ContextObject> hold = Ref<ContextObject>::Borrow(context);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(kOperation(ts, &result, ViewOf(a), context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<> decimal_divmod(ThreadState& ts, Value a, Value b) {
  Operand x(ts), y(ts);
  MVM_TRY(bool known, x.Load(ts, a));
  if (!known) return NotImplemented(ts);
  MVM_TRY(known, y.Load(ts, b));
  if (!known) return NotImplemented(ts);
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  const Ref<ContextObject> hold = Ref<ContextObject>::Borrow(context);
  Number q(ts), r(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(DivMod(ts, &q, &r, x.view, y.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  MVM_TRY(Ref<> quotient, NewDecimal(ts, &q));
  MVM_TRY(Ref<> remainder, NewDecimal(ts, &r));
  Value pair[] = {quotient, remainder};
  return NewTuple(ts, pair);
}

Result<> decimal_pow(ThreadState& ts, Value a, Value b, Value modulus) {
  Operand x(ts), y(ts), m(ts);
  MVM_TRY(bool known, x.Load(ts, a));
  if (!known) return NotImplemented(ts);
  MVM_TRY(known, y.Load(ts, b));
  if (!known) return NotImplemented(ts);
  const bool plain = IsNone(ts, modulus);
  if (!plain) {
    MVM_TRY(known, m.Load(ts, modulus));
    if (!known) return NotImplemented(ts);
  }
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  const Ref<ContextObject> hold = Ref<ContextObject>::Borrow(context);
  Number result(ts);
  uint32_t status = 0;
  if (plain) {
    MVM_TRY_VOID(Power(ts, &result, x.view, y.view, context->settings, &status));
  } else {
    MVM_TRY_VOID(PowerModulo(ts, &result, x.view, y.view, m.view, context->settings, &status));
  }
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

Result<bool> decimal_truth(ThreadState&, Value self) { return !ViewOf(self).zero(); }
Result<> decimal_int(ThreadState& ts, Value self) { return IntFromView(ts, ViewOf(self)); }

Result<> decimal_float(ThreadState& ts, Value self) {
  const View v = ViewOf(self);
  if (v.signaling()) return Raise(ts, Exc::kValueError, "cannot convert signaling NaN to float");
  if (v.nan()) return NewFloat(ts, v.negative ? -NAN : NAN);
  TextBuffer text;
  MVM_TRY_VOID(NumberToText(ts, v, false, true, &text));
  double d = 0;
  if (text.failed()) return RaiseMemoryError(ts);
  ParseFloat(text.view(), &d);
  return NewFloat(ts, d);
}

Result<> decimal_str(ThreadState& ts, Value self) {
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  return DecimalToStr(ts, ViewOf(self), false, context->settings.capitals);
}
Result<> decimal_repr(ThreadState& ts, Value self) {
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  TextBuffer text;
  text.Append("Decimal('");
  Words unused(ts);
  TextBuffer number;
  MVM_TRY_VOID(NumberToText(ts, ViewOf(self), false, context->settings.capitals, &number));
  text.Append(number.view());
  text.Append("')");
  if (text.failed() || number.failed()) return RaiseMemoryError(ts);
  return NewStr(ts, text.view());
}

Result<> decimal_real(ThreadState&, Value self) { return Result<>::Borrow(self); }
Result<> decimal_imag(ThreadState& ts, Value) {
  Number zero(ts);
  return NewDecimal(ts, &zero);
}

const GetSetSpec kGetSets[] = {{"real", decimal_real}, {"imag", decimal_imag}};

}  // namespace

const TypeSpec kDecimalType = {
    .name = "decimal.Decimal",
    .doc =
        "A decimal number: Decimal(value='0', context=None).\n"
        "\n"
        "value is an integer, a text, a float, another Decimal or a tuple (sign, digits, "
        "exponent); it is taken exactly.\n"
        "The context says only whether a text that is no number raises InvalidOperation or gives "
        "NaN.",
    .flags = kTypeBase,
    .size = sizeof(DecimalObject),
    .gc = LeafHooksOf<DecimalObject>(),
    .slots = {.repr = decimal_repr,
              .str = decimal_str,
              .hash = DecimalHash,
              .compare = DecimalCompare,
              .add = Operator<AddOp>,
              .sub = Operator<SubtractOp>,
              .mul = Operator<Multiply>,
              .mod = Operator<Remainder>,
              .divmod = decimal_divmod,
              .pow = decimal_pow,
              .neg = UnaryOperator<MinusOp>,
              .pos = UnaryOperator<PlusOp>,
              .abs = UnaryOperator<Absolute>,
              .truth = decimal_truth,
              .to_int = decimal_int,
              .to_float = decimal_float,
              .floordiv = Operator<DivideInteger>,
              .truediv = Operator<Divide>},
    .construct = {"Decimal(value='0', context=None)!", decimal_construct},
    .methods = kDecimalMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::decimal
