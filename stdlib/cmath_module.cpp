// Module cmath.
//
// The inverse functions follow W. Kahan, "Branch cuts for complex elementary functions": they are
// computed from square roots so that signed zeros end up on the right side of each cut. Arguments
// near the ends of the range are scaled. Infinities and NaNs go to the C library, whose results are
// those of C99's annex G, but for a few, where the standard leaves the sign of a part open (or
// other revisions of it say something else).
#include <cfloat>
#include <cmath>
#include <complex>

#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

using Complex = std::complex<double>;

enum class Fault : uint8_t { kNone, kDomain, kRange };

constexpr double kPi = 3.14159265358979323846;
constexpr double kLn2 = 0.69314718055994530942;
constexpr double kE = 2.7182818284590452354;
constexpr double kLarge = DBL_MAX / 4;
constexpr double kSqrtLarge = 6.703903964971298e+153;  // sqrt(kLarge)
constexpr double kLogLarge = 708.3964185322641;        // log(kLarge)
constexpr double kSqrtMin = 1.4916681462400413e-154;   // sqrt(DBL_MIN)

bool Finite(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }
bool TooLarge(Complex z) { return std::fabs(z.real()) > kLarge || std::fabs(z.imag()) > kLarge; }
Complex TimesI(Complex z) { return {-z.imag(), z.real()}; }
Complex OverI(Complex z) { return {z.imag(), -z.real()}; }
// log|z| + ln 4, of an argument whose modulus may overflow.
double LogOfQuadruple(Complex z) {
  return std::log(std::hypot(z.real() / 2, z.imag() / 2)) + kLn2 * 2;
}

Complex Sqrt(Complex z, Fault*) {
  if (!Finite(z)) return std::sqrt(z);
  if (z.real() == 0 && z.imag() == 0) return {0.0, z.imag()};
  double ax = std::fabs(z.real());
  const double ay = std::fabs(z.imag());
  double s;
  if (ax < DBL_MIN && ay < DBL_MIN) {
    // Both subnormal.
    constexpr int kUp = 2 * (DBL_MANT_DIG / 2) + 1;
    ax = std::ldexp(ax, kUp);
    s = std::ldexp(std::sqrt(ax + std::hypot(ax, std::ldexp(ay, kUp))), -(kUp + 1) / 2);
  } else {
    ax /= 8;
    s = 2 * std::sqrt(ax + std::hypot(ax, ay / 8));
  }
  const double d = ay / (2 * s);
  if (z.real() >= 0) return {s, std::copysign(d, z.imag())};
  return {d, std::copysign(s, z.imag())};
}

Complex Acos(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isinf(z.real()) && std::isnan(z.imag())) return {NAN, HUGE_VAL};
    return std::acos(z);
  }
  if (TooLarge(z)) {
    const double log = LogOfQuadruple(z);
    return {std::atan2(std::fabs(z.imag()), z.real()),
            z.real() < 0 ? -std::copysign(log, z.imag()) : std::copysign(log, -z.imag())};
  }
  const Complex a = Sqrt({1 - z.real(), -z.imag()}, f), b = Sqrt({1 + z.real(), z.imag()}, f);
  return {2 * std::atan2(a.real(), b.real()),
          std::asinh(b.real() * a.imag() - b.imag() * a.real())};
}

Complex Acosh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (z.real() == 0 && std::isnan(z.imag())) return {NAN, NAN};
    return std::acosh(z);
  }
  if (TooLarge(z)) return {LogOfQuadruple(z), std::atan2(z.imag(), z.real())};
  const Complex a = Sqrt({z.real() - 1, z.imag()}, f), b = Sqrt({z.real() + 1, z.imag()}, f);
  return {std::asinh(a.real() * b.real() + a.imag() * b.imag()),
          2 * std::atan2(a.imag(), b.real())};
}

Complex Asinh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isnan(z.real()) && std::isinf(z.imag())) return {HUGE_VAL, NAN};
    return std::asinh(z);
  }
  if (TooLarge(z)) {
    const double log = LogOfQuadruple(z);
    return {z.imag() >= 0 ? std::copysign(log, z.real()) : -std::copysign(log, -z.real()),
            std::atan2(z.imag(), std::fabs(z.real()))};
  }
  const Complex a = Sqrt({1 + z.imag(), -z.real()}, f), b = Sqrt({1 - z.imag(), z.real()}, f);
  return {std::asinh(a.real() * b.imag() - b.real() * a.imag()),
          std::atan2(z.imag(), a.real() * b.real() - a.imag() * b.imag())};
}

Complex Atanh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isnan(z.real()) && std::isinf(z.imag())) return {0, std::copysign(kPi / 2, z.imag())};
    return std::atanh(z);
  }
  if (z.real() < 0 || (z.real() == 0 && std::signbit(z.real()))) return -Atanh(-z, f);
  const double ay = std::fabs(z.imag());
  if (z.real() > kSqrtLarge || ay > kSqrtLarge) {
    const double h = std::hypot(z.real() / 2, z.imag() / 2);
    // The sign of the imaginary part is that of z's, also where it is zero.
    return {z.real() / 4 / h / h, -std::copysign(kPi / 2, -z.imag())};
  }
  if (z.real() == 1 && ay < kSqrtMin) {
    if (ay == 0) {
      *f = Fault::kDomain;
      return {HUGE_VAL, z.imag()};
    }
    return {-std::log(std::sqrt(ay) / std::sqrt(std::hypot(ay, 2.0))),
            std::copysign(std::atan2(2.0, -ay) / 2, z.imag())};
  }
  const double below = 1 - z.real();
  return {std::log1p(4 * z.real() / (below * below + ay * ay)) / 4,
          -std::atan2(-2 * z.imag(), below * (1 + z.real()) - ay * ay) / 2};
}

Complex Asin(Complex z, Fault* f) { return OverI(Asinh(TimesI(z), f)); }
Complex Atan(Complex z, Fault* f) { return OverI(Atanh(TimesI(z), f)); }

// A result that overflowed, from finite arguments.
Complex CheckRange(Complex r, Fault* f) {
  if (std::isinf(r.real()) || std::isinf(r.imag())) *f = Fault::kRange;
  return r;
}

Complex Exp(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isinf(z.imag()) && !std::isnan(z.real()) && !(std::isinf(z.real()) && z.real() < 0))
      *f = Fault::kDomain;
    if (std::isinf(z.real()) && z.real() < 0 && !std::isfinite(z.imag())) return {0, 0};
    return std::exp(z);
  }
  if (z.real() > kLogLarge) {
    const double l = std::exp(z.real() - 1);
    return CheckRange({l * std::cos(z.imag()) * kE, l * std::sin(z.imag()) * kE}, f);
  }
  const double l = std::exp(z.real());
  return CheckRange({l * std::cos(z.imag()), l * std::sin(z.imag())}, f);
}

Complex Cosh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isinf(z.imag()) && !std::isnan(z.real())) *f = Fault::kDomain;
    if (std::isnan(z.real()) && z.imag() == 0) return {NAN, 0};
    return std::cosh(z);
  }
  if (std::fabs(z.real()) > kLogLarge) {
    const double x = z.real() - std::copysign(1, z.real());
    return CheckRange(
        {std::cos(z.imag()) * std::cosh(x) * kE, std::sin(z.imag()) * std::sinh(x) * kE}, f);
  }
  return CheckRange(
      {std::cos(z.imag()) * std::cosh(z.real()), std::sin(z.imag()) * std::sinh(z.real())}, f);
}

Complex Sinh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isinf(z.imag()) && !std::isnan(z.real())) *f = Fault::kDomain;
    if (z.real() == 0 && std::isnan(z.imag())) return {0, NAN};
    return std::sinh(z);
  }
  if (std::fabs(z.real()) > kLogLarge) {
    const double x = z.real() - std::copysign(1, z.real());
    return CheckRange(
        {std::cos(z.imag()) * std::sinh(x) * kE, std::sin(z.imag()) * std::cosh(x) * kE}, f);
  }
  return CheckRange(
      {std::cos(z.imag()) * std::sinh(z.real()), std::sin(z.imag()) * std::cosh(z.real())}, f);
}

Complex Tanh(Complex z, Fault* f) {
  if (!Finite(z)) {
    if (std::isinf(z.imag()) && std::isfinite(z.real())) *f = Fault::kDomain;
    if (z.real() == 0 && std::isnan(z.imag())) return {NAN, NAN};
    if (std::isinf(z.real()) && !std::isfinite(z.imag())) return {std::copysign(1, z.real()), 0};
    return std::tanh(z);
  }
  if (std::fabs(z.real()) > kLogLarge) {
    return {std::copysign(1.0, z.real()),
            4 * std::sin(z.imag()) * std::cos(z.imag()) * std::exp(-2 * std::fabs(z.real()))};
  }
  const double tx = std::tanh(z.real()), ty = std::tan(z.imag()), cx = 1 / std::cosh(z.real());
  const double product = tx * ty, denominator = 1 + product * product;
  return {tx * (1 + ty * ty) / denominator, ((ty / denominator) * cx) * cx};
}

Complex Cos(Complex z, Fault* f) { return Cosh(TimesI(z), f); }
Complex Sin(Complex z, Fault* f) { return OverI(Sinh(TimesI(z), f)); }
Complex Tan(Complex z, Fault* f) { return OverI(Tanh(TimesI(z), f)); }

Complex Log(Complex z, Fault* f) {
  if (!Finite(z)) return std::log(z);
  const double ax = std::fabs(z.real()), ay = std::fabs(z.imag());
  double real;
  if (ax > kLarge || ay > kLarge) {
    real = std::log(std::hypot(ax / 2, ay / 2)) + kLn2;
  } else if (ax < DBL_MIN && ay < DBL_MIN) {
    if (ax > 0 || ay > 0) {
      real = std::log(std::hypot(std::ldexp(ax, DBL_MANT_DIG), std::ldexp(ay, DBL_MANT_DIG))) -
             DBL_MANT_DIG * kLn2;
    } else {
      *f = Fault::kDomain;
      return {-HUGE_VAL, std::atan2(z.imag(), z.real())};
    }
  } else {
    const double h = std::hypot(ax, ay);
    if (0.71 <= h && h <= 1.73) {
      const double am = ax > ay ? ax : ay, an = ax > ay ? ay : ax;
      real = std::log1p((am - 1) * (am + 1) + an * an) / 2;
    } else {
      real = std::log(h);
    }
  }
  return {real, std::atan2(z.imag(), z.real())};
}
Complex Log10(Complex z, Fault* f) {
  const Complex r = Log(z, f);
  return {r.real() / std::log(10.0), r.imag() / std::log(10.0)};
}

// ---- natives ----

Status Report(ThreadState& ts, Fault f) {
  if (f == Fault::kDomain) return Raise(ts, Exc::kValueError, "math domain error");
  if (f == Fault::kRange) return Raise(ts, Exc::kOverflowError, "math range error");
  return Ok();
}

Status Argument(ThreadState& ts, Value v, Complex* out) {
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->operators->to_float == nullptr && type->operators->index == nullptr &&
      !HasTypeFlag(ts, v, kTypeComplexSubclass)) {
    MVM_TRY(Ref<> method, LookupSpecial(ts, v, MVM_NAME(ts, __complex__)));
    if (method.is_absent()) return Raise(ts, Exc::kTypeError, "must be real number, not %T", v);
  }
  double real, imag;
  MVM_TRY_VOID(AsComplex(ts, v, &real, &imag));
  *out = {real, imag};
  return Ok();
}

template <Complex (*kFunction)(Complex, Fault*)>
Result<> Apply(ThreadState& ts, Args args) {
  Complex z;
  Fault fault = Fault::kNone;
  MVM_TRY_VOID(Argument(ts, args[0], &z));
  z = kFunction(z, &fault);
  MVM_TRY_VOID(Report(ts, fault));
  return NewComplex(ts, z.real(), z.imag());
}

Result<> cmath_log(ThreadState& ts, Args args) {
  Complex z, base;
  Fault fault = Fault::kNone;
  MVM_TRY_VOID(Argument(ts, args[0], &z));
  z = Log(z, &fault);
  if (!args.has(1)) {
    MVM_TRY_VOID(Report(ts, fault));
    return NewComplex(ts, z.real(), z.imag());
  }
  MVM_TRY_VOID(Argument(ts, args[1], &base));
  base = Log(base, &fault);
  if (base == Complex(0, 0)) fault = Fault::kDomain;
  MVM_TRY_VOID(Report(ts, fault));
  MVM_TRY(Ref<> a, NewComplex(ts, z.real(), z.imag()));
  MVM_TRY(Ref<> b, NewComplex(ts, base.real(), base.imag()));
  return Binary(ts, BinaryOp::kTrueDiv, a, b);
}

Result<> cmath_phase(ThreadState& ts, Args args) {
  Complex z;
  MVM_TRY_VOID(Argument(ts, args[0], &z));
  return NewFloat(ts, std::atan2(z.imag(), z.real()));
}

Result<> cmath_polar(ThreadState& ts, Args args) {
  Complex z;
  MVM_TRY_VOID(Argument(ts, args[0], &z));
  const double r = std::hypot(z.real(), z.imag());
  if (std::isinf(r) && Finite(z)) return Raise(ts, Exc::kOverflowError, "math range error");
  MVM_TRY(Ref<> modulus, NewFloat(ts, r));
  MVM_TRY(Ref<> phase, NewFloat(ts, std::atan2(z.imag(), z.real())));
  Value pair[] = {modulus, phase};
  return NewTuple(ts, pair);
}

Result<> cmath_rect(ThreadState& ts, Args args) {
  MVM_TRY(double r, AsDouble(ts, args[0]));
  MVM_TRY(double phi, AsDouble(ts, args[1]));
  if (std::isfinite(r) && std::isfinite(phi)) {
    if (phi == 0) return NewComplex(ts, r, r * phi);
    return NewComplex(ts, r * std::cos(phi), r * std::sin(phi));
  }
  if (std::isinf(phi) && r != 0 && !std::isnan(r))
    return Raise(ts, Exc::kValueError, "math domain error");
  if (std::isinf(r) && std::isfinite(phi) && phi != 0) {
    const double s = r > 0 ? 1 : -1;
    return NewComplex(ts, std::copysign(HUGE_VAL, s * std::cos(phi)),
                      std::copysign(HUGE_VAL, s * std::sin(phi)));
  }
  if (std::isinf(r)) {
    return phi == 0 ? NewComplex(ts, r, r > 0 ? phi : -phi) : NewComplex(ts, HUGE_VAL, NAN);
  }
  if (r == 0) return NewComplex(ts, 0, 0);
  return phi == 0 ? NewComplex(ts, r, 0) : NewComplex(ts, NAN, NAN);
}

template <bool (*kTest)(double, double)>
Result<> Test(ThreadState& ts, Args args) {
  Complex z;
  MVM_TRY_VOID(Argument(ts, args[0], &z));
  return Bool(ts, kTest(z.real(), z.imag()));
}
bool AllFinite(double x, double y) { return std::isfinite(x) && std::isfinite(y); }
bool AnyInf(double x, double y) { return std::isinf(x) || std::isinf(y); }
bool AnyNan(double x, double y) { return std::isnan(x) || std::isnan(y); }

Result<> cmath_isclose(ThreadState& ts, Args args) {
  Complex a, b;
  MVM_TRY_VOID(Argument(ts, args[0], &a));
  MVM_TRY_VOID(Argument(ts, args[1], &b));
  MVM_TRY(double relative, AsDouble(ts, args[2]));
  MVM_TRY(double absolute, AsDouble(ts, args[3]));
  if (relative < 0 || absolute < 0)
    return Raise(ts, Exc::kValueError, "tolerances must be non-negative");
  if (a == b) return Bool(ts, true);
  if (AnyInf(a.real(), a.imag()) || AnyInf(b.real(), b.imag())) return Bool(ts, false);
  const double difference = std::hypot(a.real() - b.real(), a.imag() - b.imag());
  const double size_a = std::hypot(a.real(), a.imag()), size_b = std::hypot(b.real(), b.imag());
  return Bool(ts, difference <= relative * size_b || difference <= relative * size_a ||
                      difference <= absolute);
}

const MethodSpec kFunctions[] = {
    {"acos(z, /)", Apply<Acos>, "Arc cosine; cuts along the real axis beyond 1 and -1."},
    {"acosh(z, /)", Apply<Acosh>,
     "Inverse hyperbolic cosine; the cut runs along the real axis, left of 1."},
    {"asin(z, /)", Apply<Asin>, "Arc sine; cuts along the real axis beyond 1 and -1."},
    {"asinh(z, /)", Apply<Asinh>,
     "Inverse hyperbolic sine; cuts along the imaginary axis beyond 1j and -1j."},
    {"atan(z, /)", Apply<Atan>, "Arc tangent; cuts along the imaginary axis beyond 1j and -1j."},
    {"atanh(z, /)", Apply<Atanh>,
     "Inverse hyperbolic tangent; cuts along the real axis beyond 1 and -1."},
    {"cos(z, /)", Apply<Cos>, "Cosine."},
    {"cosh(z, /)", Apply<Cosh>, "Hyperbolic cosine."},
    {"exp(z, /)", Apply<Exp>, "e to the power z."},
    {"isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)", cmath_isclose,
     "Whether a and b are near each other: abs(a-b) is at most rel_tol times the larger magnitude, "
     "or at most abs_tol.\n"
     "\n"
     "A NaN is near nothing, an infinity near itself alone. ValueError for a negative tolerance."},
    {"isfinite(z, /)", Test<AllFinite>, "Whether neither part is infinite or NaN."},
    {"isinf(z, /)", Test<AnyInf>, "Whether a part is infinite, of whatever sign."},
    {"isnan(z, /)", Test<AnyNan>, "Whether a part is NaN."},
    {"log(z, base=<unrepresentable>, /)", cmath_log,
     "Logarithm, natural unless a base is given; the cut runs along the negative real axis."},
    {"log10(z, /)", Apply<Log10>,
     "Logarithm to base 10; the cut runs along the negative real axis."},
    {"phase(z, /)", cmath_phase, "The angle of z in radians, from -pi to pi."},
    {"polar(z, /)", cmath_polar, "The pair (magnitude, angle in radians) of z."},
    {"rect(r, phi, /)", cmath_rect, "The number with magnitude r and an angle of phi radians."},
    {"sin(z, /)", Apply<Sin>, "Sine."},
    {"sinh(z, /)", Apply<Sinh>, "Hyperbolic sine."},
    {"sqrt(z, /)", Apply<Sqrt>,
     "Square root, in the right half plane; the cut runs along the negative real axis."},
    {"tan(z, /)", Apply<Tan>, "Tangent."},
    {"tanh(z, /)", Apply<Tanh>, "Hyperbolic tangent."},
};
const ConstantSpec kConstants[] = {
    {"e", ConstantSpec::kFloat, 0, kE},
    {"pi", ConstantSpec::kFloat, 0, kPi},
    {"tau", ConstantSpec::kFloat, 0, 2 * kPi},
    {"inf", ConstantSpec::kFloat, 0, HUGE_VAL},
    {"nan", ConstantSpec::kFloat, 0, __builtin_nan("")},
};

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<> infj, NewComplex(ts, 0, HUGE_VAL));
  MVM_TRY(Ref<> nanj, NewComplex(ts, 0, __builtin_nan("")));
  MVM_TRY_VOID(ModuleAdd(ts, module, "infj", infj));
  return ModuleAdd(ts, module, "nanj", nanj);
}

}  // namespace

extern const ModuleSpec k_cmath_module;
const ModuleSpec k_cmath_module = {
    .name = "cmath",
    .doc =
        "Functions of complex numbers. Each also takes what has __complex__(), __float__() or "
        "__index__().",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = ExecModule,
};

}  // namespace minivm
