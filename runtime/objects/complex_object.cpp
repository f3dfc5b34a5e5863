// complex and its type.
#include "runtime/objects/complex_object.h"

#include <cmath>

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/number_text.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/hash.h"

namespace minivm {

Result<> NewComplex(ThreadState& ts, double real, double imag) {
  MVM_TRY(Ref<ComplexObject> o, AllocObject<ComplexObject>(ts, ShapeIdOf(TypeId::kComplex),
                                                           sizeof(ComplexObject), false));
  o->real = real;
  o->imag = imag;
  return o;
}

namespace {

struct Complex {
  double r, i;
};

bool IsComplex(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeComplexSubclass); }

Result<bool> Operand(ThreadState& ts, Value v, Complex* out) {
  if (IsComplex(ts, v)) {
    *out = {v.as<ComplexObject>()->real, v.as<ComplexObject>()->imag};
    return true;
  }
  if (IsFloat(ts, v)) {
    *out = {FloatValue(v), 0};
    return true;
  }
  if (IsInt(ts, v)) {
    MVM_TRY(out->r, IntToDouble(ts, v));
    out->i = 0;
    return true;
  }
  return false;
}

#define COMPLEX_OPERANDS                    \
  Complex x, y;                             \
  {                                         \
    MVM_TRY(bool ok_a, Operand(ts, a, &x)); \
    if (!ok_a) return NotImplemented(ts);   \
    MVM_TRY(bool ok_b, Operand(ts, b, &y)); \
    if (!ok_b) return NotImplemented(ts);   \
  }

Result<> complex_add(ThreadState& ts, Value a, Value b) {
  COMPLEX_OPERANDS return NewComplex(ts, x.r + y.r, x.i + y.i);
}
Result<> complex_sub(ThreadState& ts, Value a, Value b) {
  COMPLEX_OPERANDS return NewComplex(ts, x.r - y.r, x.i - y.i);
}
Result<> complex_mul(ThreadState& ts, Value a, Value b) {
  COMPLEX_OPERANDS
  return NewComplex(ts, x.r * y.r - x.i * y.i, x.r * y.i + x.i * y.r);
}

// Smith's division, scaled by the larger part.
bool Divide(Complex x, Complex y, Complex* out) {
  double ar = std::fabs(y.r), ai = std::fabs(y.i);
  if (ar >= ai) {
    if (ar == 0) return false;
    double ratio = y.i / y.r, denominator = y.r + y.i * ratio;
    *out = {(x.r + x.i * ratio) / denominator, (x.i - x.r * ratio) / denominator};
  } else if (ai >= ar) {
    double ratio = y.r / y.i, denominator = y.r * ratio + y.i;
    *out = {(x.r * ratio + x.i) / denominator, (x.i * ratio - x.r) / denominator};
  } else {
    *out = {NAN, NAN};
  }
  return true;
}

Result<> complex_truediv(ThreadState& ts, Value a, Value b) {
  COMPLEX_OPERANDS
  Complex out;
  if (!Divide(x, y, &out)) return Raise(ts, Exc::kZeroDivisionError, "complex division by zero");
  return NewComplex(ts, out.r, out.i);
}
Result<> complex_pow(ThreadState& ts, Value a, Value b, Value m) {
  COMPLEX_OPERANDS
  if (!IsNone(ts, m)) return Raise(ts, Exc::kValueError, "complex modulo");
  return ComplexPower(ts, x.r, x.i, y.r, y.i);
}
Result<> complex_neg(ThreadState& ts, Value v) {
  ComplexObject* o = v.as<ComplexObject>();
  return NewComplex(ts, -o->real, -o->imag);
}
Result<> complex_pos(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kComplex)) return Result<>::Borrow(v);
  return NewComplex(ts, v.as<ComplexObject>()->real, v.as<ComplexObject>()->imag);
}
Result<> complex_abs(ThreadState& ts, Value v) {
  ComplexObject* o = v.as<ComplexObject>();
  double d = std::hypot(o->real, o->imag);
  if (std::isinf(d) && std::isfinite(o->real) && std::isfinite(o->imag)) {
    return Raise(ts, Exc::kOverflowError, "absolute value too large");
  }
  return NewFloat(ts, d);
}
Result<bool> complex_truth(ThreadState& ts, Value v) {
  return v.as<ComplexObject>()->real != 0 || v.as<ComplexObject>()->imag != 0;
}
Result<int64_t> complex_hash(ThreadState& ts, Value v) {
  return HashComplex(v.as<ComplexObject>()->real, v.as<ComplexObject>()->imag,
                     HashPointer(v.object()));
}
Result<> complex_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return NotImplemented(ts);
  ComplexObject* x = a.as<ComplexObject>();
  bool equal;
  if (IsComplex(ts, b)) {
    equal = x->real == b.as<ComplexObject>()->real && x->imag == b.as<ComplexObject>()->imag;
  } else if (IsFloat(ts, b)) {
    equal = x->imag == 0 && x->real == FloatValue(b);
  } else if (IsInt(ts, b)) {
    IntView i(b);
    equal = x->imag == 0 && CompareMagDouble(i.limbs(), i.size(), i.negative(), x->real) == 0;
  } else {
    return NotImplemented(ts);
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<> complex_repr(ThreadState& ts, Value v) {
  ComplexObject* o = v.as<ComplexObject>();
  char text[2 * kFloatReprSize + 8];
  char* p = text;
  if (o->real == 0 && !std::signbit(o->real)) {
    p += FloatReprBare(p, o->imag);
    *p++ = 'j';
  } else {
    *p++ = '(';
    p += FloatReprBare(p, o->real);
    if (!std::signbit(o->imag) || std::isnan(o->imag)) *p++ = '+';
    p += FloatReprBare(p, o->imag);
    *p++ = 'j';
    *p++ = ')';
  }
  return NewStrFromUcs1(ts, reinterpret_cast<uint8_t*>(text), static_cast<size_t>(p - text));
}

// Length of a float at the start of `text`, names included; 0: none.
size_t FloatPrefix(std::string_view text, double* out) {
  size_t n = 0;
  if (n < text.size() && (text[n] == '+' || text[n] == '-')) ++n;
  size_t start = n;
  auto word = [&](const char* w) {
    size_t k = 0;
    while (w[k] && start + k < text.size() && (text[start + k] | 0x20) == w[k]) ++k;
    return w[k] ? size_t{0} : k;
  };
  size_t name = word("infinity");
  if (name == 0) name = word("inf");
  if (name == 0) name = word("nan");
  if (name > 0) return ParseFloat(text.substr(0, start + name), out) ? start + name : 0;
  bool digits = false;
  while (n < text.size() &&
         (isdigit(static_cast<unsigned char>(text[n])) || (text[n] == '_' && digits)))
    digits = true, ++n;
  if (n < text.size() && text[n] == '.') {
    ++n;
    while (n < text.size() &&
           (isdigit(static_cast<unsigned char>(text[n])) || (text[n] == '_' && digits)))
      digits = true, ++n;
  }
  if (!digits) return 0;
  if (n < text.size() && (text[n] | 0x20) == 'e') {
    size_t e = n + 1;
    if (e < text.size() && (text[e] == '+' || text[e] == '-')) ++e;
    if (e < text.size() && isdigit(static_cast<unsigned char>(text[e]))) {
      while (e < text.size() && (isdigit(static_cast<unsigned char>(text[e])) || text[e] == '_'))
        ++e;
      n = e;
    }
  }
  return ParseFloat(text.substr(0, n), out) ? n : 0;
}

// complex("..."): float, floatj, float+floatj, j alone, parentheses around.
bool ParseComplex(std::string text, Complex* out) {
  auto strip = [](std::string_view s) {
    while (!s.empty() && isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
    while (!s.empty() && isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
    return s;
  };
  std::string_view s = strip(text);
  if (!s.empty() && s.front() == '(') {
    if (s.back() != ')') return false;
    s = strip(s.substr(1, s.size() - 2));
  }
  *out = {0, 0};
  auto is_j = [](char c) { return c == 'j' || c == 'J'; };
  double first = 0;
  size_t n = FloatPrefix(s, &first);
  if (n > 0) {
    if (n == s.size()) {
      out->r = first;
      return true;
    }
    if (is_j(s[n])) {
      out->i = first;
      return n + 1 == s.size();
    }
    if (s[n] != '+' && s[n] != '-') return false;
    out->r = first;
    s = s.substr(n);
    double second = 0;
    n = FloatPrefix(s, &second);
    if (n == 0) {
      second = s[0] == '-' ? -1 : 1;
      n = 1;
    }
    out->i = second;
    return n < s.size() && is_j(s[n]) && n + 1 == s.size();
  }
  // "j", "+j", "-j"
  size_t at = 0;
  double sign = 1;
  if (at < s.size() && (s[at] == '+' || s[at] == '-')) sign = s[at++] == '-' ? -1 : 1;
  if (at < s.size() && is_j(s[at]) && at + 1 == s.size()) {
    out->i = sign;
    return true;
  }
  return false;
}

Result<> ComplexInstance(ThreadState& ts, TypeObject* cls, Complex c) {
  if (cls == TypeById(ts, TypeId::kComplex)) return NewComplex(ts, c.r, c.i);
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  made.as<ComplexObject>()->real = c.r;
  made.as<ComplexObject>()->imag = c.i;
  return made;
}

Result<> complex_new(ThreadState& ts, Args args) {
  // complex(real=0, imag=0)
  TypeObject* cls = args.self<TypeObject>();
  if (!args.has(1) && !args.has(2)) return ComplexInstance(ts, cls, {0, 0});
  if (args.has(1) && IsStr(ts, args[1])) {
    if (args.has(2))
      return Raise(ts, Exc::kTypeError, "complex() can't take second arg if first is a string");
    Complex c;
    if (!ParseComplex(FoldNumberText(args.as<StrObject>(1)), &c)) {
      return Raise(ts, Exc::kValueError, "complex() arg is a malformed string");
    }
    return ComplexInstance(ts, cls, c);
  }
  if (args.has(2) && IsStr(ts, args[2]))
    return Raise(ts, Exc::kTypeError, "complex() second arg can't be a string");
  if (args.has(1) && !args.has(2) && IsExact(args[1], TypeId::kComplex) &&
      cls == TypeById(ts, TypeId::kComplex)) {
    return Result<>::Borrow(args[1]);
  }
  // Only the imaginary part of a complex argument takes part: adding a zero would lose signs.
  Complex re = {0, 0}, im = {0, 0};
  bool real_is_complex = false;
  if (args.has(1)) MVM_TRY_VOID(AsComplex(ts, args[1], &re.r, &re.i, &real_is_complex));
  if (args.has(2)) {
    if (IsComplex(ts, args[2])) {
      im = {args.as<ComplexObject>(2)->real, args.as<ComplexObject>(2)->imag};
    } else {
      TypeObject* type = TypeOf(ts, args[2]);
      MVM_TRY_VOID(TypeReady(ts, type));
      if (type->operators->to_float == nullptr && type->operators->index == nullptr) {
        return Raise(ts, Exc::kTypeError, "complex() second argument must be a number, not '%T'",
                     args[2]);
      }
      MVM_TRY(im.r, AsDouble(ts, args[2]));
    }
    if (IsComplex(ts, args[2])) re.r -= im.i;
    re.i = real_is_complex ? im.r + re.i : im.r;
  }
  return ComplexInstance(ts, cls, re);
}

Result<> complex_conjugate(ThreadState& ts, Args args) {
  return NewComplex(ts, args.as<ComplexObject>(0)->real, -args.as<ComplexObject>(0)->imag);
}
Result<> complex_complex(ThreadState& ts, Args args) { return complex_pos(ts, args[0]); }
Result<> complex_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__format__() argument must be str, not %T", args[1]);
  return FormatComplex(ts, args.as<ComplexObject>(0)->real, args.as<ComplexObject>(0)->imag,
                       args.as<StrObject>(1));
}
Result<> complex_getnewargs(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> r, NewFloat(ts, args.as<ComplexObject>(0)->real));
  MVM_TRY(Ref<> i, NewFloat(ts, args.as<ComplexObject>(0)->imag));
  Value pair[] = {r.get(), i.get()};
  return NewTuple(ts, pair);
}
Result<> get_real(ThreadState& ts, Value v) { return NewFloat(ts, v.as<ComplexObject>()->real); }
Result<> get_imag(ThreadState& ts, Value v) { return NewFloat(ts, v.as<ComplexObject>()->imag); }

const MethodSpec kComplexMethods[] = {
    {"__complex__(self, /)", complex_complex, "The same number, without the subclass."},
    {"__format__(self, format_spec, /)", complex_format, "The text of the number in that format."},
    {"__getnewargs__(self, /)", complex_getnewargs},
    {"conjugate(self, /)", complex_conjugate,
     "The number with the sign of its imaginary part turned."},
};
const GetSetSpec kComplexGetSets[] = {
    {"imag", get_imag, SetReadOnlyMember, "The imaginary part, a float."},
    {"real", get_real, SetReadOnlyMember, "the real part of a complex number"},
};

}  // namespace

Result<> ComplexPower(ThreadState& ts, double ar, double ai, double br, double bi) {
  Complex r;
  if (br == 0 && bi == 0) return NewComplex(ts, 1, 0);
  if (ar == 0 && ai == 0) {
    if (bi != 0 || br < 0)
      return Raise(ts, Exc::kZeroDivisionError, "0.0 to a negative or complex power");
    return NewComplex(ts, 0, 0);
  }
  if (bi == 0 && br == std::floor(br) && std::fabs(br) <= 100) {
    // A small whole exponent: by squaring.
    int n = static_cast<int>(br < 0 ? -br : br);
    Complex p = {ar, ai};
    r = {1, 0};
    while (n > 0) {
      if (n & 1) r = {r.r * p.r - r.i * p.i, r.r * p.i + r.i * p.r};
      p = {p.r * p.r - p.i * p.i, 2 * p.r * p.i};
      n >>= 1;
    }
    if (br < 0 && !Divide({1, 0}, r, &r))
      return Raise(ts, Exc::kZeroDivisionError, "complex division by zero");
  } else {
    double length = std::pow(std::hypot(ar, ai), br), at = std::atan2(ai, ar), phase = at * br;
    if (bi != 0) {
      length *= std::exp(-at * bi);
      phase += bi * std::log(std::hypot(ar, ai));
    }
    r = {length * std::cos(phase), length * std::sin(phase)};
  }
  if ((std::isinf(r.r) || std::isinf(r.i)) && std::isfinite(ar) && std::isfinite(ai)) {
    return Raise(ts, Exc::kOverflowError, "complex exponentiation");
  }
  return NewComplex(ts, r.r, r.i);
}

Status AsComplex(ThreadState& ts, Value v, double* real, double* imag, bool* is_complex) {
  bool unused;
  if (!is_complex) is_complex = &unused;
  *is_complex = true;
  if (IsExact(v, TypeId::kComplex)) {
    *real = v.as<ComplexObject>()->real;
    *imag = v.as<ComplexObject>()->imag;
    return Ok();
  }
  *imag = 0;
  if (IsFloatExact(v)) {
    *real = FloatValue(v);
    *is_complex = false;
    return Ok();
  }
  MVM_TRY(Ref<> r, CallSpecial(ts, v, MVM_NAME(ts, __complex__)));
  if (!r.is_absent()) {
    if (!IsComplex(ts, r)) {
      return Raise(ts, Exc::kTypeError, "__complex__ returned non-complex (type %T)", r.get());
    }
    if (!IsExact(r, TypeId::kComplex)) {
      MVM_TRY_VOID(Warn(
          ts, Exc::kDeprecationWarning, 1,
          "__complex__ returned non-complex (type %T).  The ability to return an instance of a "
          "strict subclass of complex is deprecated, and may be removed in a future version of "
          "Python.",
          r.get()));
    }
    *real = r.as<ComplexObject>()->real;
    *imag = r.as<ComplexObject>()->imag;
    return Ok();
  }
  if (IsComplex(ts, v)) {
    *real = v.as<ComplexObject>()->real;
    *imag = v.as<ComplexObject>()->imag;
    return Ok();
  }
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->operators->to_float == nullptr && type->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError,
                 "complex() first argument must be a string or a number, not '%T'", v);
  }
  *is_complex = false;
  MVM_TRY(*real, AsDouble(ts, v));
  return Ok();
}

const TypeSpec kComplexType = {
    .name = "complex",
    .doc = "A number with a real and an imaginary part, or the one that a string spells.",
    .flags = kTypeBase | kTypeComplexSubclass,
    .size = sizeof(ComplexObject),
    .slots = {.repr = complex_repr,
              .hash = complex_hash,
              .compare = complex_compare,
              .add = complex_add,
              .sub = complex_sub,
              .mul = complex_mul,
              .pow = complex_pow,
              .neg = complex_neg,
              .pos = complex_pos,
              .abs = complex_abs,
              .truth = complex_truth,
              .truediv = complex_truediv},
    .construct = {"complex(real=<unrepresentable>, imag=<unrepresentable>)", complex_new},
    .methods = kComplexMethods,
    .getsets = kComplexGetSets,
};

}  // namespace minivm
