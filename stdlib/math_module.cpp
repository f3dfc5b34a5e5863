// The module math.
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <vector>

#include "runtime/core/held_memory.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/int_work.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// What most functions share: nan from a non-nan argument is a domain error; inf from a finite one
// is an overflow where the function can overflow, else a domain error.
Result<> Checked(ThreadState& ts, double x, double r, bool can_overflow) {
  if (std::isnan(r) && !std::isnan(x)) return Raise(ts, Exc::kValueError, "math domain error");
  if (std::isinf(r) && std::isfinite(x)) {
    if (can_overflow) return Raise(ts, Exc::kOverflowError, "math range error");
    return Raise(ts, Exc::kValueError, "math domain error");
  }
  return NewFloat(ts, r);
}

#define MATH_1(name, expression, can_overflow)       \
  Result<> math_##name(ThreadState& ts, Args args) { \
    MVM_TRY(double x, AsDouble(ts, args[0]));        \
    return Checked(ts, x, expression, can_overflow); \
  }
MATH_1(acos, std::acos(x), false)
MATH_1(acosh, std::acosh(x), false)
MATH_1(asin, std::asin(x), false)
MATH_1(asinh, std::asinh(x), false)
MATH_1(atan, std::atan(x), false)
MATH_1(atanh, std::atanh(x), false)
MATH_1(cbrt, std::cbrt(x), false)
MATH_1(cos, std::cos(x), false)
MATH_1(cosh, std::cosh(x), true)
MATH_1(degrees, x*(180.0 / M_PI), true)
MATH_1(erf, std::erf(x), false)
MATH_1(erfc, std::erfc(x), false)
MATH_1(exp, std::exp(x), true)
MATH_1(exp2, std::exp2(x), true)
MATH_1(expm1, std::expm1(x), true)
MATH_1(fabs, std::fabs(x), false)
MATH_1(log1p, std::log1p(x), false)
MATH_1(radians, x*(M_PI / 180.0), false)
MATH_1(sin, std::sin(x), false)
MATH_1(sinh, std::sinh(x), true)
MATH_1(tan, std::tan(x), false)
MATH_1(tanh, std::tanh(x), false)
#undef MATH_1

Result<> math_sqrt(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  if (x < 0) return Raise(ts, Exc::kValueError, "math domain error");
  return NewFloat(ts, std::sqrt(x));
}
Result<> math_gamma(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  if (std::isnan(x) || x == INFINITY) return NewFloat(ts, x);
  if (x == -INFINITY || x == 0 || (x < 0 && x == std::floor(x))) {
    return Raise(ts, Exc::kValueError, "math domain error");
  }
  double r;
  if (x == std::floor(x) && x <= 23) {
    r = 1;
    for (double k = 2; k < x; ++k) r *= k;
  } else {
    r = std::tgamma(x);
  }
  return Checked(ts, x, r, true);
}
Result<> math_lgamma(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  if (std::isinf(x)) return NewFloat(ts, INFINITY);
  if (x <= 0 && x == std::floor(x)) return Raise(ts, Exc::kValueError, "math domain error");
  if (x == 1 || x == 2) return NewFloat(ts, 0.0);
  int sign;
  return Checked(ts, x, lgamma_r(x, &sign), true);
}

// A rounding function: the special method first, then the float.
Result<> RoundWith(ThreadState& ts, Value v, const char* special, double (*f)(double)) {
  if (!IsFloatExact(v)) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, special));
    MVM_TRY(Ref<> r, CallSpecial(ts, v, name));
    if (!r.is_absent()) return r;
  }
  MVM_TRY(double x, AsDouble(ts, v));
  return NewIntFromDouble(ts, f(x));
}
Result<> math_ceil(ThreadState& ts, Args args) {
  return RoundWith(ts, args[0], "__ceil__", std::ceil);
}
Result<> math_floor(ThreadState& ts, Args args) {
  return RoundWith(ts, args[0], "__floor__", std::floor);
}
Result<> math_trunc(ThreadState& ts, Args args) {
  if (IsFloatExact(args[0])) return NewIntFromDouble(ts, FloatValue(args[0]));
  MVM_TRY(Ref<> r, CallSpecial(ts, args[0], MVM_NAME(ts, __trunc__)));
  if (!r.is_absent()) return r;
  return Raise(ts, Exc::kTypeError, "type %T doesn't define __trunc__ method", args[0]);
}

Result<> math_atan2(ThreadState& ts, Args args) {
  MVM_TRY(double y, AsDouble(ts, args[0]));
  MVM_TRY(double x, AsDouble(ts, args[1]));
  return NewFloat(ts, std::atan2(y, x));
}
Result<> math_copysign(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  return NewFloat(ts, std::copysign(x, y));
}
Result<> math_remainder(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  if (std::isnan(x) || std::isnan(y)) return NewFloat(ts, NAN);
  if (std::isinf(x) || y == 0) return Raise(ts, Exc::kValueError, "math domain error");
  return NewFloat(ts, std::remainder(x, y));
}
Result<> math_fmod(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  if (std::isinf(y) && std::isfinite(x)) return NewFloat(ts, x);
  double r = std::fmod(x, y);
  if (std::isnan(r) && !std::isnan(x) && !std::isnan(y))
    return Raise(ts, Exc::kValueError, "math domain error");
  return NewFloat(ts, r);
}
Result<> math_pow(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  double r = std::pow(x, y);
  if (std::isfinite(x) && std::isfinite(y)) {
    if (std::isnan(r)) return Raise(ts, Exc::kValueError, "math domain error");
    if (std::isinf(r)) {
      if (x == 0) return Raise(ts, Exc::kValueError, "math domain error");
      return Raise(ts, Exc::kOverflowError, "math range error");
    }
  }
  return NewFloat(ts, r);
}
Result<> math_fma(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  MVM_TRY(double z, AsDouble(ts, args[2]));
  double r = std::fma(x, y, z);
  if (std::isfinite(r)) return NewFloat(ts, r);
  if (std::isnan(r)) {
    if (!std::isnan(x) && !std::isnan(y) && !std::isnan(z)) {
      return Raise(ts, Exc::kValueError, "invalid operation in fma");
    }
  } else if (std::isfinite(x) && std::isfinite(y) && std::isfinite(z)) {
    return Raise(ts, Exc::kOverflowError, "overflow in fma");
  }
  return NewFloat(ts, r);
}

// log of an int of any size.
Result<double> LogOf(ThreadState& ts, Value v, double (*f)(double), double log_of_two) {
  if (IsInt(ts, v)) {
    if (IntSign(v) <= 0) return Raise(ts, Exc::kValueError, "math domain error");
    IntView i(v);
    double x = MagToDouble(i.limbs(), i.size());
    if (std::isfinite(x)) return f(x);
    int64_t exponent;
    double m = MagFrexp(i.limbs(), i.size(), &exponent);
    return f(m) + log_of_two * static_cast<double>(exponent);
  }
  MVM_TRY(double x, AsDouble(ts, v));
  if (std::isnan(x) || x == INFINITY) return x;
  if (x <= 0) return Raise(ts, Exc::kValueError, "math domain error");
  return f(x);
}
Result<> math_log(ThreadState& ts, Args args) {
  MVM_TRY(double x, LogOf(ts, args[0], std::log, M_LN2));
  if (!args.has(1)) return NewFloat(ts, x);
  MVM_TRY(double base, LogOf(ts, args[1], std::log, M_LN2));
  if (base == 0) return Raise(ts, Exc::kZeroDivisionError, "division by zero");
  return NewFloat(ts, x / base);
}
Result<> math_log2(ThreadState& ts, Args args) {
  MVM_TRY(double x, LogOf(ts, args[0], std::log2, 1.0));
  return NewFloat(ts, x);
}
Result<> math_log10(ThreadState& ts, Args args) {
  MVM_TRY(double x, LogOf(ts, args[0], std::log10, 0.30102999566398119521));
  return NewFloat(ts, x);
}

Result<> math_frexp(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  int e = 0;
  double m = std::isfinite(x) && x != 0 ? std::frexp(x, &e) : x;
  MVM_TRY(Ref<> mantissa, NewFloat(ts, m));
  Value pair[] = {mantissa.get(), Value::Int(e)};
  return NewTuple(ts, pair);
}
Result<> math_ldexp(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  if (!IsInt(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "Expected an int as second argument to ldexp.");
  if (x == 0 || !std::isfinite(x)) return NewFloat(ts, x);
  int64_t e;
  if (!IntFitsInt64(args[1], &e)) e = IntSign(args[1]) < 0 ? -100000 : 100000;
  if (e > 100000) e = 100000;
  if (e < -100000) return NewFloat(ts, std::copysign(0.0, x));
  double r = std::ldexp(x, static_cast<int>(e));
  if (std::isinf(r)) return Raise(ts, Exc::kOverflowError, "math range error");
  return NewFloat(ts, r);
}
Result<> math_modf(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  double whole, fraction;
  if (std::isinf(x)) {
    fraction = std::copysign(0.0, x);
    whole = x;
  } else {
    fraction = std::modf(x, &whole);
  }
  MVM_TRY(Ref<> a, NewFloat(ts, fraction));
  MVM_TRY(Ref<> b, NewFloat(ts, whole));
  Value pair[] = {a.get(), b.get()};
  return NewTuple(ts, pair);
}
Result<> math_isfinite(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  return Bool(ts, std::isfinite(x));
}
Result<> math_isinf(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  return Bool(ts, std::isinf(x));
}
Result<> math_isnan(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  return Bool(ts, std::isnan(x));
}
Result<> math_isclose(ThreadState& ts, Args args) {
  // isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)
  MVM_TRY(double a, AsDouble(ts, args[0]));
  MVM_TRY(double b, AsDouble(ts, args[1]));
  MVM_TRY(double rel, AsDouble(ts, args[2]));
  MVM_TRY(double abs, AsDouble(ts, args[3]));
  if (rel < 0 || abs < 0) return Raise(ts, Exc::kValueError, "tolerances must be non-negative");
  if (a == b) return Bool(ts, true);
  if (std::isinf(a) || std::isinf(b)) return Bool(ts, false);
  double diff = std::fabs(b - a);
  return Bool(ts, diff <= std::fabs(rel * b) || diff <= std::fabs(rel * a) || diff <= abs);
}
Result<> math_nextafter(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  MVM_TRY(double y, AsDouble(ts, args[1]));
  if (IsNone(ts, args[2])) return NewFloat(ts, std::nextafter(x, y));
  MVM_TRY(Ref<> steps, Index(ts, args[2]));
  if (IntSign(steps) < 0)
    return Raise(ts, Exc::kValueError, "steps must be a non-negative integer");
  uint64_t n;
  if (!IntFitsUint64(steps, &n)) n = UINT64_MAX;
  if (n == 0) return NewFloat(ts, x);
  if (std::isnan(x)) return NewFloat(ts, x);
  if (std::isnan(y)) return NewFloat(ts, y);
  // Doubles ordered as integers: the distance is a subtraction.
  auto key = [](double d) {
    uint64_t b = std::bit_cast<uint64_t>(d);
    return b >> 63 ? -static_cast<__int128>(b & ~(uint64_t{1} << 63)) : static_cast<__int128>(b);
  };
  __int128 from = key(x), to = key(y);
  __int128 at = from < to ? (to - from > static_cast<__int128>(n) ? from + n : to)
                          : (from - to > static_cast<__int128>(n) ? from - n : to);
  uint64_t bits =
      at < 0 ? static_cast<uint64_t>(-at) | (uint64_t{1} << 63) : static_cast<uint64_t>(at);
  if (at == 0 && (from < 0 || (from == 0 && std::signbit(x)))) bits = uint64_t{1} << 63;
  if (at == to) return NewFloat(ts, y);
  return NewFloat(ts, std::bit_cast<double>(bits));
}
Result<> math_ulp(ThreadState& ts, Args args) {
  MVM_TRY(double x, AsDouble(ts, args[0]));
  if (std::isnan(x)) return NewFloat(ts, x);
  x = std::fabs(x);
  if (std::isinf(x)) return NewFloat(ts, x);
  double up = std::nextafter(x, INFINITY);
  if (std::isinf(up)) return NewFloat(ts, x - std::nextafter(x, -INFINITY));
  return NewFloat(ts, up - x);
}

// Length of a vector, scaled against overflow and summed with compensation.
double VectorNorm(const double* v, size_t n) {
  double max = 0;
  bool nan = false;
  for (size_t i = 0; i < n; ++i) {
    if (std::isnan(v[i])) nan = true;
    double a = std::fabs(v[i]);
    if (a > max) max = a;
  }
  if (std::isinf(max)) return INFINITY;
  if (nan) return NAN;
  if (max == 0) return 0;
  if (n == 1) return max;
  if (n == 2) return std::hypot(v[0], v[1]);
  int e;
  std::frexp(max, &e);
  double sum = 1, compensation = 0;  // biased so that low bits are kept
  for (size_t i = 0; i < n; ++i) {
    double x = std::ldexp(v[i], -e);
    double p = x * x, low = std::fma(x, x, -p);
    double t = sum + p;
    compensation += (sum - t) + p + low;
    sum = t;
  }
  double h = std::sqrt(sum - 1.0 + compensation);
  // One Newton step on the exact residue.
  double r = sum - 1.0, p = h * h, low = std::fma(h, h, -p);
  h += ((r - p) - low + compensation) / (2 * h);
  return std::ldexp(h, e);
}
Result<> math_hypot(ThreadState& ts, Args args) {
  TupleObject* t = args.as<TupleObject>(0);
  HeldMemory held;
  MVM_TRY_VOID(held.Add(ts, t->size() * sizeof(double)));
  std::vector<double> v(t->size());
  for (uint32_t i = 0; i < t->size(); ++i) {
    MVM_TRY_VOID(Charge(ts, 1));
    MVM_TRY(v[i], AsDouble(ts, t->items()[i]));
  }
  return NewFloat(ts, VectorNorm(v.data(), v.size()));
}
Result<> math_dist(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> p, TupleFrom(ts, args[0]));
  MVM_TRY(Ref<TupleObject> q, TupleFrom(ts, args[1]));
  if (p->size() != q->size()) {
    return Raise(ts, Exc::kValueError, "both points must have the same number of dimensions");
  }
  HeldMemory held;
  MVM_TRY_VOID(held.Add(ts, p->size() * sizeof(double)));
  std::vector<double> v(p->size());
  for (uint32_t i = 0; i < p->size(); ++i) {
    MVM_TRY_VOID(Charge(ts, 1));
    MVM_TRY(double a, AsDouble(ts, p->items()[i]));
    MVM_TRY(double b, AsDouble(ts, q->items()[i]));
    v[i] = a - b;
  }
  return NewFloat(ts, VectorNorm(v.data(), v.size()));
}

// Exact sum of floats: non-overlapping partial sums (Shewchuk).
Result<> math_fsum(ThreadState& ts, Args args) {
  std::vector<double> partials;
  double special = 0, inf_sum = 0;
  MVM_TRY_VOID(ForEach(ts, args[0], [&](Value item) -> Status {
    MVM_TRY(double x, AsDouble(ts, item));
    double original = x;
    size_t i = 0;
    for (double y : partials) {
      if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
      double high = x + y, low = y - (high - x);
      if (low != 0) partials[i++] = low;
      x = high;
    }
    partials.resize(i);
    if (x != 0) {
      if (!std::isfinite(x)) {
        if (std::isfinite(original)) {
          return Raise(ts, Exc::kOverflowError, "intermediate overflow in fsum");
        }
        if (std::isinf(original)) inf_sum += original;
        special += original;
        partials.clear();
      } else {
        partials.push_back(x);
      }
    }
    return Ok();
  }));
  if (special != 0 || std::isnan(special)) {
    if (std::isnan(inf_sum)) return Raise(ts, Exc::kValueError, "-inf + inf in fsum");
    return NewFloat(ts, special);
  }
  double high = 0;
  size_t n = partials.size();
  if (n > 0) {
    high = partials[--n];
    double low = 0;
    while (n > 0) {
      double x = high, y = partials[--n];
      high = x + y;
      low = y - (high - x);
      if (low != 0) break;
    }
    // Half-way cases round by the sign of what follows.
    if (n > 0 && ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) {
      double y = low * 2, x = high + y;
      if (y == x - high) high = x;
    }
  }
  return NewFloat(ts, high);
}

Result<> math_prod(ThreadState& ts, Args args) {
  // prod(iterable, /, *, start=1)
  Ref<> total = Ref<>::Borrow(args[1]);
  MVM_TRY_VOID(ForEach(ts, args[0], [&](Value item) -> Status {
    MVM_TRY(total, Binary(ts, BinaryOp::kMul, total, item));
    return Ok();
  }));
  return total;
}
Result<> math_sumprod(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> p, GetIter(ts, args[0]));
  MVM_TRY(Ref<> q, GetIter(ts, args[1]));
  Ref<> total = Ref<>::Steal(Value::Int(0));
  // Products of floats are added with their rounding errors kept apart.
  double high = 0, low = 0, lowest = 0;
  bool have_float = false;
  auto flush = [&]() -> Status {
    if (!have_float) return Ok();
    have_float = false;
    MVM_TRY(Ref<> f, NewFloat(ts, high + (low + lowest)));
    high = low = lowest = 0;
    MVM_TRY(total, Binary(ts, BinaryOp::kAdd, total, f));
    return Ok();
  };
  for (;;) {
    MVM_TRY(Ref<> a, Next(ts, p));
    MVM_TRY(Ref<> b, Next(ts, q));
    if (a.is_done() != b.is_done())
      return Raise(ts, Exc::kValueError, "Inputs are not the same length");
    if (a.is_done()) break;
    bool floats = (IsFloatExact(a) || a.is_int()) && (IsFloatExact(b) || b.is_int()) &&
                  (IsFloatExact(a) || IsFloatExact(b));
    if (floats) {
      double x = a.is_int() ? static_cast<double>(a.get().as_int()) : FloatValue(a);
      double y = b.is_int() ? static_cast<double>(b.get().as_int()) : FloatValue(b);
      double product = x * y;
      if (std::isfinite(product)) {
        double error = std::fma(x, y, -product);
        auto two_sum = [](double u, double v, double* e) {
          double s = u + v, z = s - u;
          *e = (u - (s - z)) + (v - z);
          return s;
        };
        double e1, e2;
        high = two_sum(high, product, &e1);
        low = two_sum(low, error, &e2);
        double e3;
        low = two_sum(low, e1, &e3);
        lowest += e2 + e3;
        have_float = true;
        continue;
      }
    }
    MVM_TRY_VOID(flush());
    MVM_TRY(Ref<> product, Binary(ts, BinaryOp::kMul, a, b));
    MVM_TRY(total, Binary(ts, BinaryOp::kAdd, total, product));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  MVM_TRY_VOID(flush());
  return total;
}

Result<> GcdOf(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) {
    int64_t x = a.as_int(), y = b.as_int();
    return NewIntU64(
        ts, Gcd64(static_cast<uint64_t>(x < 0 ? -x : x), static_cast<uint64_t>(y < 0 ? -y : y)));
  }
  IntView x(a), y(b);
  size_t room = x.size() > y.size() ? x.size() : y.size();
  MVM_TRY(void* block, AllocBuffer(ts, (room + 1) * 8));
  IntWork work(ts);
  size_t n = 0;
  bool ok = GcdMag(work, static_cast<Limb*>(block), &n, x.limbs(), x.size(), y.limbs(), y.size());
  Result<> r =
      ok ? NewIntFromLimbs(ts, static_cast<Limb*>(block), n, false) : Result<>(work.Raise());
  ts.heap().FreeBuffer(block, (room + 1) * 8);
  return r;
}
Result<> math_gcd(ThreadState& ts, Args args) {
  Ref<> total = Ref<>::Steal(Value::Int(0));
  for (Value v : args.as<TupleObject>(0)->span()) {
    MVM_TRY(Ref<> i, Index(ts, v));
    MVM_TRY(total, GcdOf(ts, total, i));
  }
  return total;
}
Result<> math_lcm(ThreadState& ts, Args args) {
  Ref<> total = Ref<>::Steal(Value::Int(1));
  for (Value v : args.as<TupleObject>(0)->span()) {
    MVM_TRY(Ref<> i, Index(ts, v));
    if (IntSign(i) == 0) {
      total = Ref<>::Steal(Value::Int(0));
      continue;
    }
    if (IntSign(total) == 0) continue;
    MVM_TRY(Ref<> g, GcdOf(ts, total, i));
    MVM_TRY(Ref<> q, IntFloorDiv(ts, i, g));
    MVM_TRY(total, IntMul(ts, total, q));
    if (IntSign(total) < 0) {
      MVM_TRY(total, IntNeg(ts, total));
    }
  }
  return total;
}
Result<> math_isqrt(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, Index(ts, args[0]));
  if (IntSign(v) < 0) return Raise(ts, Exc::kValueError, "isqrt() argument must be nonnegative");
  if (v.is_int()) return NewIntU64(ts, IntegerSqrt64(static_cast<uint64_t>(v.get().as_int())));
  IntView x(v);
  size_t room = (x.size() + 1) / 2 + 1;
  MVM_TRY(void* block, AllocBuffer(ts, room * 8));
  IntWork work(ts);
  size_t n = 0;
  bool ok = IntegerSqrtMag(work, static_cast<Limb*>(block), &n, nullptr, x.limbs(), x.size());
  Result<> r =
      ok ? NewIntFromLimbs(ts, static_cast<Limb*>(block), n, false) : Result<>(work.Raise());
  ts.heap().FreeBuffer(block, room * 8);
  return r;
}

// first * (first + 1) * ... , count factors.
Result<> RangeProduct(ThreadState& ts, uint64_t first, uint64_t count) {
  if (count == 0) return Small(1);
  MVM_TRY_VOID(CheckRoom(ts, count * 8));
  MVM_TRY(void* block, AllocBuffer(ts, (count + 1) * 8));
  IntWork work(ts);
  size_t n = 0;
  bool ok = ProductOfRange(work, static_cast<Limb*>(block), &n, first, 1, count);
  Result<> r =
      ok ? NewIntFromLimbs(ts, static_cast<Limb*>(block), n, false) : Result<>(work.Raise());
  ts.heap().FreeBuffer(block, (count + 1) * 8);
  return r;
}
Result<> math_factorial(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, Index(ts, args[0]));
  if (IntSign(v) < 0)
    return Raise(ts, Exc::kValueError, "factorial() not defined for negative values");
  int64_t n;
  if (!IntFitsInt64(v, &n)) {
    return Raise(ts, Exc::kOverflowError, "factorial() argument should not exceed %ld", INT64_MAX);
  }
  if (n < 2) return Small(1);
  return RangeProduct(ts, 2, static_cast<uint64_t>(n) - 1);
}
Result<> math_perm(ThreadState& ts, Args args) {
  if (IsNone(ts, args[1])) return math_factorial(ts, args);
  MVM_TRY(Ref<> n, Index(ts, args[0]));
  MVM_TRY(Ref<> k, Index(ts, args[1]));
  if (IntSign(n) < 0) return Raise(ts, Exc::kValueError, "n must be a non-negative integer");
  if (IntSign(k) < 0) return Raise(ts, Exc::kValueError, "k must be a non-negative integer");
  if (IntCompare(k, n) > 0) return Small(0);
  int64_t count, top;
  if (!IntFitsInt64(k, &count))
    return Raise(ts, Exc::kOverflowError, "k must not exceed %ld", INT64_MAX);
  if (IntFitsInt64(n, &top))
    return RangeProduct(ts, static_cast<uint64_t>(top - count + 1), static_cast<uint64_t>(count));
  Ref<> total = Ref<>::Steal(Value::Int(1));
  for (int64_t i = 0; i < count; ++i) {
    MVM_TRY(Ref<> factor, IntSub(ts, n, Value::Int(i)));
    MVM_TRY(total, IntMul(ts, total, factor));
    MVM_TRY_VOID(Charge(ts, 10));
  }
  return total;
}
Result<> math_comb(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> n, Index(ts, args[0]));
  MVM_TRY(Ref<> k, Index(ts, args[1]));
  if (IntSign(n) < 0) return Raise(ts, Exc::kValueError, "n must be a non-negative integer");
  if (IntSign(k) < 0) return Raise(ts, Exc::kValueError, "k must be a non-negative integer");
  if (IntCompare(k, n) > 0) return Small(0);
  MVM_TRY(Ref<> rest, IntSub(ts, n, k));
  if (IntCompare(rest, k) < 0) k = std::move(rest);
  int64_t count, top;
  if (!IntFitsInt64(k, &count))
    return Raise(ts, Exc::kOverflowError, "min(n - k, k) must not exceed %ld", INT64_MAX);
  if (IntFitsInt64(n, &top)) {
    MVM_TRY(Ref<> numerator,
            RangeProduct(ts, static_cast<uint64_t>(top - count + 1), static_cast<uint64_t>(count)));
    MVM_TRY(Ref<> denominator,
            count < 2 ? Small(1) : RangeProduct(ts, 2, static_cast<uint64_t>(count) - 1));
    return IntFloorDiv(ts, numerator, denominator);
  }
  Ref<> total = Ref<>::Steal(Value::Int(1));
  for (int64_t i = 0; i < count; ++i) {
    MVM_TRY(Ref<> factor, IntSub(ts, n, Value::Int(i)));
    MVM_TRY(total, IntMul(ts, total, factor));
    MVM_TRY(total, IntFloorDiv(ts, total, Value::Int(i + 1)));
    MVM_TRY_VOID(Charge(ts, 10));
  }
  return total;
}

const MethodSpec kMathFunctions[] = {
    {"acos(x, /)", math_acos, "Arc cosine in radians, 0 to pi."},
    {"acosh(x, /)", math_acosh, "Inverse hyperbolic cosine, for x from 1 up."},
    {"asin(x, /)", math_asin, "Arc sine in radians, -pi/2 to pi/2."},
    {"asinh(x, /)", math_asinh, "Inverse hyperbolic sine."},
    {"atan(x, /)", math_atan, "Arc tangent in radians, -pi/2 to pi/2."},
    {"atan2(y, x, /)", math_atan2,
     "The angle in radians, -pi to pi, of the point (x, y): the signs say which quadrant."},
    {"atanh(x, /)", math_atanh, "Inverse hyperbolic tangent, for x between -1 and 1."},
    {"cbrt(x, /)", math_cbrt, "Cube root, negative for negative x."},
    {"ceil(x, /)", math_ceil,
     "The least integer that is not below x; an object's __ceil__() decides."},
    {"comb(n, k, /)", math_comb,
     "How many sets of k there are among n things: n!/(k!(n-k)!), 0 if k > n."},
    {"copysign(x, y, /)", math_copysign,
     "The size of x with the sign of y, which may be that of a zero or NaN."},
    {"cos(x, /)", math_cos, "Cosine of an angle in radians."},
    {"cosh(x, /)", math_cosh, "Hyperbolic cosine."},
    {"degrees(x, /)", math_degrees, "The angle of x radians in degrees."},
    {"dist(p, q, /)", math_dist,
     "How far the points p and q are apart; both have as many coordinates."},
    {"erf(x, /)", math_erf,
     "The error function: 2/sqrt(pi) times the integral of exp(-t*t) from 0 to x."},
    {"erfc(x, /)", math_erfc, "1 - erf(x), precise for large x as well."},
    {"exp(x, /)", math_exp, "e to the power x."},
    {"exp2(x, /)", math_exp2, "2 to the power x."},
    {"expm1(x, /)", math_expm1, "exp(x) - 1, precise for small x as well."},
    {"fabs(x, /)", math_fabs, "The size of x, as a float."},
    {"factorial(n, /)", math_factorial, "Find n!."},
    {"floor(x, /)", math_floor,
     "The greatest integer that is not above x; an object's __floor__() decides."},
    {"fma(x, y, z, /)", math_fma, "x * y + z, rounded once."},
    {"fmod(x, y, /)", math_fmod,
     "x - n*y, exact and with the sign of x; unlike x % y, which has that of y."},
    {"frexp(x, /)", math_frexp,
     "The pair (m, e) for which x is m * 2**e, m from 0.5 up and below 1 in size; (0.0, 0) for "
     "zero."},
    {"fsum(seq, /)", math_fsum,
     "The sum of floats with one rounding at the end: [.1] * 10 gives 1.0."},
    {"gamma(x, /)", math_gamma, "The gamma function: (x-1)! for integers."},
    {"gcd(*integers)", math_gcd,
     "The greatest integer that divides all of them; 0 if all are 0 or there is none."},
    {"hypot(*coordinates)", math_hypot,
     "How far the point with these coordinates is from the origin."},
    {"isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)", math_isclose,
     "Whether a and b are near each other: abs(a-b) is at most rel_tol times the larger size, or "
     "at most abs_tol."},
    {"isfinite(x, /)", math_isfinite, "Whether x is an ordinary number: not infinite, not NaN."},
    {"isinf(x, /)", math_isinf, "Whether x is infinite, of either sign."},
    {"isnan(x, /)", math_isnan, "Whether x is NaN."},
    {"isqrt(n, /)", math_isqrt,
     "The greatest integer whose square is not above n; exact for any size."},
    {"lcm(*integers)", math_lcm,
     "The least positive integer that all of them divide; 0 if one is 0, 1 if there is none."},
    {"ldexp(x, i, /)", math_ldexp, "x * 2**i, what frexp() takes apart."},
    {"lgamma(x, /)", math_lgamma, "The natural logarithm of abs(gamma(x))."},
    {"log(x, base=<unrepresentable>, /)", math_log, "Logarithm, natural unless a base is given."},
    {"log10(x, /)", math_log10, "Logarithm to base 10."},
    {"log1p(x, /)", math_log1p, "The natural logarithm of 1 + x, precise for small x as well."},
    {"log2(x, /)", math_log2, "Logarithm to base 2."},
    {"modf(x, /)", math_modf,
     "What is behind the point and what is before it, both floats with the sign of x."},
    {"nextafter(x, y, /, *, steps=None)", math_nextafter,
     "The float that many steps from x on the way to y; one step by default."},
    {"perm(n, k=None, /)", math_perm,
     "How many rows of k there are among n things: n!/(n-k)!, n! without k; 0 if k > n."},
    {"pow(x, y, /)", math_pow, "x to the power y as floats; ** is what integers want."},
    {"prod(iterable, /, *, start=1)", math_prod, "The product of the items and of start."},
    {"radians(x, /)", math_radians, "The angle of x degrees in radians."},
    {"remainder(x, y, /)", math_remainder,
     "x less the multiple of y that is nearest, an even one of two; exact."},
    {"sin(x, /)", math_sin, "Sine of an angle in radians."},
    {"sinh(x, /)", math_sinh, "Hyperbolic sine."},
    {"sqrt(x, /)", math_sqrt, "Square root; ValueError below zero."},
    {"sumprod(p, q, /)", math_sumprod,
     "The sum of p[i] * q[i]; ValueError unless both are as long."},
    {"tan(x, /)", math_tan, "Tangent of an angle in radians."},
    {"tanh(x, /)", math_tanh, "Hyperbolic tangent."},
    {"trunc(x, /)", math_trunc,
     "x without what is behind the point; an object's __trunc__() decides."},
    {"ulp(x, /)", math_ulp,
     "The step from x to the next float of larger size: what the last bit of x is worth."},
};

const ConstantSpec kMathConstants[] = {
    {"e", ConstantSpec::kFloat, 0, M_E},        {"inf", ConstantSpec::kFloat, 0, HUGE_VAL},
    {"nan", ConstantSpec::kFloat, 0, NAN},      {"pi", ConstantSpec::kFloat, 0, M_PI},
    {"tau", ConstantSpec::kFloat, 0, 2 * M_PI},
};

}  // namespace

extern const ModuleSpec k_math_module;
const ModuleSpec k_math_module = {
    .name = "math",
    .doc = "Functions of floats, and some of integers.",
    .functions = kMathFunctions,
    .constants = kMathConstants,
};

}  // namespace minivm
