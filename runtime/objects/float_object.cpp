// float and its type.
#include "runtime/objects/float_object.h"

#include <cmath>

#include "runtime/objects/complex_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/number_text.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/hash.h"

namespace minivm {

Result<> NewFloatBoxed(ThreadState& ts, double d) {
  MVM_TRY(Ref<FloatObject> o,
          AllocObject<FloatObject>(ts, ShapeIdOf(TypeId::kFloat), sizeof(FloatObject), false));
  o->value = d;
  return o;
}

Result<StrObject> FloatRepr(ThreadState& ts, double d) {
  char text[kFloatReprSize];
  size_t n = FloatRepr(text, d);
  return NewStrFromUcs1(ts, reinterpret_cast<uint8_t*>(text), n);
}

double FloatMod(double a, double b) {
  double r = std::fmod(a, b);
  if (r != 0) {
    if ((b < 0) != (r < 0)) r += b;
  } else {
    r = std::copysign(0.0, b);
  }
  return r;
}
double FloatFloorDiv(double a, double b) {
  double mod = std::fmod(a, b);
  double div = (a - mod) / b;
  if (mod != 0 && (b < 0) != (mod < 0)) div -= 1.0;
  if (div == 0) return std::copysign(0.0, a / b);
  double floor_div = std::floor(div);
  if (div - floor_div > 0.5) floor_div += 1.0;
  return floor_div;
}

namespace {

// A float operand: floats and ints; false: not a number we know (NotImplemented).
Result<bool> Operand(ThreadState& ts, Value v, double* out) {
  if (v.is_float()) {
    *out = v.as_float();
    return true;
  }
  if (v.is_int()) {
    *out = static_cast<double>(v.as_int());
    return true;
  }
  if (IsFloat(ts, v)) {
    *out = FloatValue(v);
    return true;
  }
  if (IsInt(ts, v)) {
    MVM_TRY(*out, IntToDouble(ts, v));
    return true;
  }
  return false;
}

#define FLOAT_OPERANDS                      \
  double x, y;                              \
  {                                         \
    MVM_TRY(bool ok_a, Operand(ts, a, &x)); \
    if (!ok_a) return NotImplemented(ts);   \
    MVM_TRY(bool ok_b, Operand(ts, b, &y)); \
    if (!ok_b) return NotImplemented(ts);   \
  }

Result<> float_add(ThreadState& ts, Value a, Value b) { FLOAT_OPERANDS return NewFloat(ts, x + y); }
Result<> float_sub(ThreadState& ts, Value a, Value b) { FLOAT_OPERANDS return NewFloat(ts, x - y); }
Result<> float_mul(ThreadState& ts, Value a, Value b) { FLOAT_OPERANDS return NewFloat(ts, x * y); }
Result<> float_truediv(ThreadState& ts, Value a, Value b) {
  FLOAT_OPERANDS
  if (y == 0) return Raise(ts, Exc::kZeroDivisionError, "float division by zero");
  return NewFloat(ts, x / y);
}
Result<> float_floordiv(ThreadState& ts, Value a, Value b) {
  FLOAT_OPERANDS
  if (y == 0) return Raise(ts, Exc::kZeroDivisionError, "float floor division by zero");
  return NewFloat(ts, FloatFloorDiv(x, y));
}
Result<> float_mod(ThreadState& ts, Value a, Value b) {
  FLOAT_OPERANDS
  if (y == 0) return Raise(ts, Exc::kZeroDivisionError, "float modulo by zero");
  return NewFloat(ts, FloatMod(x, y));
}
Result<> float_divmod(ThreadState& ts, Value a, Value b) {
  FLOAT_OPERANDS
  if (y == 0) return Raise(ts, Exc::kZeroDivisionError, "float divmod()");
  MVM_TRY(Ref<> q, NewFloat(ts, FloatFloorDiv(x, y)));
  MVM_TRY(Ref<> r, NewFloat(ts, FloatMod(x, y)));
  Value pair[] = {q.get(), r.get()};
  return NewTuple(ts, pair);
}
Result<> float_pow(ThreadState& ts, Value a, Value b, Value m) {
  if (!IsNone(ts, m)) {
    return Raise(ts, Exc::kTypeError,
                 "pow() 3rd argument not allowed unless all arguments are integers");
  }
  FLOAT_OPERANDS
  if (y == 0) return NewFloat(ts, 1.0);
  if (std::isnan(x)) return NewFloat(ts, x);
  if (std::isnan(y)) return NewFloat(ts, x == 1.0 ? 1.0 : y);
  if (x == 0 && y < 0 && std::isfinite(y)) {
    return Raise(ts, Exc::kZeroDivisionError, "0.0 cannot be raised to a negative power");
  }
  if (x < 0 && std::isfinite(x) && std::isfinite(y) && y != std::floor(y)) {
    // A negative base and a broken exponent: the result is complex.
    return ComplexPower(ts, x, 0, y, 0);
  }
  double r = std::pow(x, y);
  if (std::isinf(r) && std::isfinite(x) && std::isfinite(y)) {
    MVM_TRY(Ref<> number, Small(34));
    MVM_TRY(Ref<StrObject> text, NewStr(ts, "Numerical result out of range"));
    Value pair[] = {number.get(), Value(text.get())};
    MVM_TRY(Ref<> e,
            Call(ts, Value(ExcType(ts, Exc::kOverflowError)), std::span<const Value>(pair)));
    return RaiseObject(ts, e);
  }
  return NewFloat(ts, r);
}

Result<> float_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  double x = FloatValue(a);
  int c;
  if (IsFloat(ts, b)) {
    double y = FloatValue(b);
    switch (op) {
      case CompareOp::kLt: return Bool(ts, x < y);
      case CompareOp::kLe: return Bool(ts, x <= y);
      case CompareOp::kEq: return Bool(ts, x == y);
      case CompareOp::kNe: return Bool(ts, x != y);
      case CompareOp::kGt: return Bool(ts, x > y);
      case CompareOp::kGe: return Bool(ts, x >= y);
    }
  }
  if (!IsInt(ts, b)) return NotImplemented(ts);
  IntView i(b);
  c = CompareMagDouble(i.limbs(), i.size(), i.negative(), x);
  if (c == 2) return Bool(ts, op == CompareOp::kNe);
  c = -c;
  switch (op) {
    case CompareOp::kLt: return Bool(ts, c < 0);
    case CompareOp::kLe: return Bool(ts, c <= 0);
    case CompareOp::kEq: return Bool(ts, c == 0);
    case CompareOp::kNe: return Bool(ts, c != 0);
    case CompareOp::kGt: return Bool(ts, c > 0);
    case CompareOp::kGe: return Bool(ts, c >= 0);
  }
  return NotImplemented(ts);
}

Result<int64_t> float_hash(ThreadState& ts, Value self) {
  return HashDouble(FloatValue(self), self.is_object() ? HashPointer(self.object()) : 0);
}
Result<bool> float_truth(ThreadState& ts, Value self) { return FloatValue(self) != 0; }
Result<> float_repr(ThreadState& ts, Value self) { return FloatRepr(ts, FloatValue(self)); }
Result<> float_neg(ThreadState& ts, Value self) { return NewFloat(ts, -FloatValue(self)); }
Result<> float_abs(ThreadState& ts, Value self) {
  return NewFloat(ts, std::fabs(FloatValue(self)));
}
Result<> float_exact(ThreadState& ts, Value self) {
  if (IsFloatExact(self)) return Result<>::Borrow(self);
  return NewFloat(ts, FloatValue(self));
}
Result<> float_to_int(ThreadState& ts, Value self) {
  return NewIntFromDouble(ts, FloatValue(self));
}

Result<> FloatInstance(ThreadState& ts, TypeObject* cls, double d) {
  if (cls == TypeById(ts, TypeId::kFloat)) return NewFloat(ts, d);
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  made.as<FloatObject>()->value = d;
  return made;
}

Result<> float_new(ThreadState& ts, Args args) {
  TypeObject* cls = args.self<TypeObject>();
  if (!args.has(1)) return FloatInstance(ts, cls, 0.0);
  MVM_TRY(Ref<> v, ToFloat(ts, args[1]));
  if (cls == TypeById(ts, TypeId::kFloat)) return v;
  return FloatInstance(ts, cls, FloatValue(v));
}

Result<> float_as_integer_ratio(ThreadState& ts, Args args) {
  double d = FloatValue(args[0]);
  if (std::isinf(d))
    return Raise(ts, Exc::kOverflowError, "cannot convert Infinity to integer ratio");
  if (std::isnan(d)) return Raise(ts, Exc::kValueError, "cannot convert NaN to integer ratio");
  Limb n[kRatioLimbs], m[kRatioLimbs];
  size_t nn, nm;
  AsIntegerRatio(d, n, &nn, m, &nm);
  MVM_TRY(Ref<> a, NewIntFromLimbs(ts, n, nn, d < 0));
  MVM_TRY(Ref<> b, NewIntFromLimbs(ts, m, nm, false));
  Value pair[] = {a.get(), b.get()};
  return NewTuple(ts, pair);
}
Result<> float_conjugate(ThreadState& ts, Args args) { return float_exact(ts, args[0]); }
Result<> float_is_integer(ThreadState& ts, Args args) {
  double d = FloatValue(args[0]);
  return Bool(ts, std::isfinite(d) && d == std::floor(d));
}
Result<> float_hex(ThreadState& ts, Args args) {
  char text[kFloatHexSize];
  size_t n = FloatToHex(text, FloatValue(args[0]));
  return NewStrFromUcs1(ts, reinterpret_cast<uint8_t*>(text), n);
}
Result<> float_fromhex(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * s, ExpectStr(ts, args[1], "fromhex() argument"));
  double d = 0;
  // Digits of other scripts do not count.
  switch (s->ascii() ? ParseHexFloat(FoldNumberText(s), &d) : FloatParse::kInvalid) {
    case FloatParse::kInvalid:
      return Raise(ts, Exc::kValueError, "invalid hexadecimal floating-point string");
    case FloatParse::kOverflow:
      return Raise(ts, Exc::kOverflowError, "hexadecimal value too large to represent as a float");
    case FloatParse::kOk: break;
  }
  MVM_TRY(Ref<> v, NewFloat(ts, d));
  if (args.self<TypeObject>() == TypeById(ts, TypeId::kFloat)) return v;
  return Call(ts, args[0], v);
}
Result<> float_trunc(ThreadState& ts, Args args) {
  return NewIntFromDouble(ts, FloatValue(args[0]));
}
Result<> float_floor(ThreadState& ts, Args args) {
  return NewIntFromDouble(ts, std::floor(FloatValue(args[0])));
}
Result<> float_ceil(ThreadState& ts, Args args) {
  return NewIntFromDouble(ts, std::ceil(FloatValue(args[0])));
}
Result<> float_round(ThreadState& ts, Args args) {
  double d = FloatValue(args[0]);
  if (IsNone(ts, args[1])) return NewIntFromDouble(ts, std::nearbyint(d));
  MVM_TRY(int64_t digits, IndexAsInt64(ts, args[1], Exc::kCount));
  bool overflow = false;
  double r = RoundToDigits(d, digits, &overflow);
  if (overflow) return Raise(ts, Exc::kOverflowError, "rounded value too large to represent");
  return NewFloat(ts, r);
}
Result<> float_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__format__() argument must be str, not %T", args[1]);
  return FormatFloat(ts, args[0], args.as<StrObject>(1));
}
Result<> float_getnewargs(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, float_exact(ts, args[0]));
  Value one[] = {v.get()};
  return NewTuple(ts, one);
}
Result<> float_getformat(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__getformat__() argument must be str, not %T", args[1]);
  if (!args.as<StrObject>(1)->EqualsAscii("double") &&
      !args.as<StrObject>(1)->EqualsAscii("float")) {
    return Raise(ts, Exc::kValueError, "__getformat__() argument 1 must be 'double' or 'float'");
  }
  return NewStr(ts, "IEEE, little-endian");
}
Result<> get_imag(ThreadState& ts, Value self) { return NewFloat(ts, 0.0); }

const MethodSpec kFloatMethods[] = {
    {"__ceil__(self, /)", float_ceil, "The least integer that is not below the number."},
    {"__floor__(self, /)", float_floor, "The greatest integer that is not above the number."},
    {"__format__(self, format_spec, /)", float_format, "The text of the number in that format."},
    {"__getformat__(type, typestr, /)", float_getformat, "How 'double' or 'float' lie in memory.",
     kMethodClass},
    {"__getnewargs__(self, /)", float_getnewargs},
    {"__round__(self, ndigits=None, /)", float_round,
     "The nearest integer, or float with ndigits; ties go to the even one."},
    {"__trunc__(self, /)", float_trunc, "The integer part."},
    {"as_integer_ratio(self, /)", float_as_integer_ratio,
     "The exact value as a fraction in lowest terms: (numerator, denominator)."},
    {"conjugate(self, /)", float_conjugate, "The number itself."},
    {"fromhex(type, string, /)", float_fromhex, "The exact value of a text like '0x1.8p+1'.",
     kMethodClass},
    {"hex(self, /)", float_hex, "The exact value as a text like '0x1.8000000000000p+1'."},
    {"is_integer(self, /)", float_is_integer, "Whether there is nothing behind the point."},
};
const GetSetSpec kFloatGetSets[] = {
    {"imag", get_imag, nullptr, "Zero: a float has no imaginary part."},
    {"real", float_exact, nullptr, "The number itself."},
};

}  // namespace

const TypeSpec kFloatType = {
    .name = "float",
    .doc = "A binary floating-point number of 64 bits; from a number or the text of one.",
    .flags = kTypeBase | kTypeFloatSubclass | kTypeMatchSelf,
    .size = sizeof(FloatObject),
    .slots = {.repr = float_repr,
              .hash = float_hash,
              .compare = float_compare,
              .add = float_add,
              .sub = float_sub,
              .mul = float_mul,
              .mod = float_mod,
              .divmod = float_divmod,
              .pow = float_pow,
              .neg = float_neg,
              .pos = float_exact,
              .abs = float_abs,
              .truth = float_truth,
              .to_int = float_to_int,
              .to_float = float_exact,
              .floordiv = float_floordiv,
              .truediv = float_truediv},
    .construct = {"float(x=<unrepresentable>, /)", float_new},
    .methods = kFloatMethods,
    .getsets = kFloatGetSets,
};

}  // namespace minivm
