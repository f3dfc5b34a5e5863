// power(x, y), and x**y modulo m.
//
// Integer powers whose digits fit the precision are computed exactly. Everything else is
// e**(y ln x) with guard digits, rounded once.
#include <algorithm>

#include "runtime/objects/int_work.h"
#include "stdlib/decimal/functions.h"

namespace minivm::decimal {

namespace {

constexpr int64_t kFarExponent = 4000000000000000000;

int64_t ClipExponent(__int128 exp) {
  return exp > kFarExponent    ? kFarExponent
         : exp < -kFarExponent ? -kFarExponent
                               : static_cast<int64_t>(exp);
}

// x without trailing zeros of its coefficient.
struct Stripped {
  Words w;
  uint64_t zeros = 0;
  explicit Stripped(ThreadState& ts) : w(ts) {}
};
Status Strip(ThreadState& ts, Stripped* out, const View& x) {
  out->zeros = TrailingZeroDigits(x.w);
  return ShiftRightWords(ts, &out->w, x.w, out->zeros, nullptr);
}

bool IsOne(const Words& w) { return w.size() == 1 && w[0] == 1; }

// base**n for a result of few digits.
Status SmallPower(ThreadState& ts, Words* out, const Words& base, uint64_t n) {
  Words factor(ts), product(ts);
  MVM_TRY_VOID(factor.Assign(ts, base.data(), base.size()));
  MVM_TRY_VOID(out->AssignWord(ts, 1));
  for (;;) {
    if (n & 1) {
      MVM_TRY_VOID(MulWords(ts, &product, *out, factor));
      out->Swap(product);
    }
    if ((n >>= 1) == 0) return Ok();
    MVM_TRY_VOID(MulWords(ts, &product, factor, factor));
    factor.Swap(product);
  }
}

// x**n, n > 0 (fits: n is known exactly, otherwise it is beyond 64 bits), if the digits of the
// result without trailing zeros fit the precision. Zeros are kept as far as the precision goes.
// *one: it is a power of 1 itself.
Result<bool> ExactPower(ThreadState& ts, Number* out, const View& x, uint64_t n, bool fits,
                        const Settings& c, bool* one) {
  Stripped base(ts);
  MVM_TRY_VOID(Strip(ts, &base, x));
  out->Set(Kind::kFinite, false);
  *one = IsOne(base.w) && x.exp == 0 && base.zeros == 0;
  if (IsOne(base.w)) {
    MVM_TRY_VOID(out->w.AssignWord(ts, 1));
  } else {
    // A lower bound on the digits: n * log10(w) > n * (digits - 1), and n * log10(2).
    const uint64_t digits = DigitCount(base.w);
    const uint64_t limit = static_cast<uint64_t>(c.prec) + 2;
    if (!fits || n / 4 > limit || (digits > 1 && n > limit / (digits - 1))) return false;
    MVM_TRY_VOID(SmallPower(ts, &out->w, base.w, n));
    if (DigitCount(out->w) > limit) return false;
  }
  const uint64_t have = DigitCount(out->w);
  const uint64_t room =
      have > static_cast<uint64_t>(c.prec) ? 0 : static_cast<uint64_t>(c.prec) + 1 - have;
  __int128 zeros = fits         ? static_cast<__int128>(base.zeros) * n
                   : base.zeros ? static_cast<__int128>(room) + 1
                                : 0;
  __int128 exp = (static_cast<__int128>(x.exp) + static_cast<__int128>(base.zeros)) *
                 (fits ? static_cast<__int128>(n) : static_cast<__int128>(INT64_MAX));
  const uint64_t kept = zeros > static_cast<__int128>(room) ? room : static_cast<uint64_t>(zeros);
  if (kept > 0) {
    Words padded(ts);
    MVM_TRY_VOID(ShiftLeftWords(ts, &padded, out->w, kept));
    out->w.Swap(padded);
  }
  out->exp = ClipExponent(exp - static_cast<__int128>(kept));
  return true;
}

// 1 / x if that is a decimal number of few digits.
Result<bool> ExactInverse(ThreadState& ts, Number* out, const View& x, const Settings& c) {
  Settings wide = c;
  wide.prec = std::min(c.prec + 2, kMaxPrec);
  wide.emax = kMaxEmax;
  wide.emin = kMinEmin;
  Number one(ts);
  uint32_t met = 0;
  MVM_TRY_VOID(one.SetWord(ts, 1, 0, false));
  MVM_TRY_VOID(Divide(ts, out, one.view(), x, wide, &met));
  return !(met & (kInexact | kOverflow | kUnderflow));
}

// Fits a power into the context. CPython computes integer powers with a few more digits than the
// precision, rounding half even, so what lies far below the smallest subnormal number is a zero in
// every rounding mode - unless its estimate of the exponent is so low that it does not compute at
// all but rounds some tiny number.
Status FinishPower(ThreadState& ts, Number* out, const View& x, const View& y, bool integral,
                   const Settings& c, uint32_t* status) {
  if (!integral || !out->view().finite() || out->w.empty()) return Finalize(ts, out, c, status);
  const int64_t work_digits = c.prec + 3 + std::max<int64_t>(y.adjusted() + 1, 1);
  if (out->view().adjusted() >= c.emin - (work_digits - 1)) return Finalize(ts, out, c, status);
  auto length = [](int64_t n) { return DigitsOfWord(static_cast<Word>(n < 0 ? -n : n)); };
  const int64_t adjusted = x.adjusted();
  const int64_t bound = length(adjusted < 0 ? -1 - adjusted : adjusted) - 1 + y.adjusted() -
                        (adjusted == 0 || adjusted == -1);
  Settings chosen = c;
  if (bound <= length(c.etiny())) chosen.rounding = Rounding::kDown;
  return Finalize(ts, out, chosen, status);
}

// x**y for x > 0, neither special, the result not being exact.
Status GeneralPower(ThreadState& ts, Number* out, const View& x, const View& y, bool negative,
                    bool integral, const Settings& c, uint32_t* status) {
  // The sign and the magnitude of y ln x.
  Number one(ts), distance(ts);
  uint32_t ignored = 0;
  MVM_TRY_VOID(one.SetWord(ts, 1, 0, false));
  MVM_TRY(int side, CompareNumbers(ts, x, one.view()));
  if (side == 0) {
    // 1 to any power; an inexact 1 by the letter of the specification.
    MVM_TRY_VOID(PowerOfTen(ts, &out->w, static_cast<uint64_t>(c.prec) - 1));
    out->kind = Kind::kFinite;
    out->negative = negative;
    out->exp = 1 - c.prec;
    *status |= kInexact | kRounded;
    return Finalize(ts, out, c, status);
  }
  const bool shrinks = (side < 0) != y.negative;
  const int64_t adjusted = x.adjusted();
  int64_t magnitude = static_cast<int64_t>(DigitsOfWord(
      static_cast<Word>(adjusted < 0 ? -adjusted : adjusted)));  // |ln x| < 10**this * 2.4
  if (adjusted == 0 || adjusted == -1) {
    MVM_TRY_VOID(Add(ts, &distance, x, one.view(), true, WidestSettings(), &ignored));
    magnitude = std::min<int64_t>(distance.view().adjusted() + 1, 1);
  }
  const __int128 reach = static_cast<__int128>(magnitude) + y.adjusted() + 1;
  if (reach < -c.prec - 3) {
    MVM_TRY_VOID(NextToOne(ts, out, shrinks, c, status));
    out->negative = negative;
    return Ok();
  }
  if (y.adjusted() + magnitude > 22) return FarAway(ts, out, shrinks, negative, c, status);
  bool decided = false;
  for (int attempt = 0; attempt < kAttempts && !decided; ++attempt) {
    const uint64_t digits = static_cast<uint64_t>(c.prec + GuardDigits(attempt, c.prec));
    const uint64_t f = BitsForDigits(digits);
    const int64_t y_digits = std::max<int64_t>(y.adjusted() + 1, 0);
    const uint64_t wide = f + kExpGuard + BitsForDigits(static_cast<uint64_t>(y_digits)) + 8;
    // ln x, signed like (x - 1).
    Words ln(ts), ln10(ts), factor(ts), product(ts), power(ts), scaled(ts);
    int64_t k;
    MVM_TRY_VOID(LnFixed(ts, &ln, &k, x, wide));
    if (k != 0) {
      MVM_TRY_VOID(Ln10Fixed(ts, &ln10, wide + 64));
      MVM_TRY_VOID(factor.Resize(ts, 1));
      factor[0] = static_cast<Word>(k < 0 ? -k : k);
      MVM_TRY_VOID(MulLimbs(ts, &product, ln10, factor));
      ShiftLimbsRight(&product, 64);
      bool sign;
      const size_t n = std::max(product.size(), ln.size());
      MVM_TRY_VOID(scaled.Resize(ts, n + 1));
      if (k < 0) {
        scaled.Truncate(SubMagSigned(scaled.data(), &sign, product.data(), product.size(),
                                     ln.data(), ln.size()));
      } else {
        scaled.Truncate(
            AddMag(scaled.data(), product.data(), product.size(), ln.data(), ln.size()));
      }
      ln.Swap(scaled);
    }
    // Times y.
    MVM_TRY_VOID(WordsToLimbs(ts, &factor, y.w));
    MVM_TRY_VOID(MulLimbs(ts, &product, ln, factor));
    if (y.exp >= 0) {
      MVM_TRY_VOID(PowerOfTenLimbs(ts, &power, static_cast<uint64_t>(y.exp)));
      MVM_TRY_VOID(MulLimbs(ts, &scaled, product, power));
    } else {
      MVM_TRY_VOID(PowerOfTenLimbs(ts, &power, static_cast<uint64_t>(-y.exp)));
      MVM_TRY_VOID(DivLimbs(ts, &scaled, nullptr, product, power));
    }
    ShiftLimbsRight(&scaled, wide - f - kExpGuard);
    // Results whose exponent is out of every range end here.
    if (BitLength(scaled.data(), scaled.size()) > f + kExpGuard + 63)
      return FarAway(ts, out, shrinks, negative, c, status);
    MVM_TRY_VOID(ExpOfFixed(ts, out, scaled, shrinks, f, digits));
    out->negative = negative;
    MVM_TRY(decided, Decided(ts, *out, c));
  }
  if (!decided) {
    // On a boundary of rounding as far as can be seen: it is the exact value of the power.
    const int64_t drop = static_cast<int64_t>(DigitCount(out->w)) - (c.prec + 1);
    if (drop > 0) MVM_TRY_VOID(Rescale(ts, out, out->exp + drop, Rounding::kHalfEven, nullptr));
    *status |= kInexact | kRounded;
  }
  uint32_t met = 0;
  MVM_TRY_VOID(FinishPower(ts, out, x, y, integral, c, &met));
  // Exact, but said to be inexact: then it is an underflow, too.
  if (!decided && (met & kSubnormal)) met |= kUnderflow;
  *status |= met;
  return Ok();
}

// The cases with infinities and zeros. *done when *out is the result.
Status PowerSpecial(ThreadState& ts, Number* out, const View& x, const View& y, bool negative,
                    const Settings& c, uint32_t* status, bool* done) {
  *done = true;
  if (y.zero()) {
    if (x.zero()) {
      SetInvalid(out, kInvalidOperation, status);
      return Ok();
    }
    return out->SetWord(ts, 1, 0, false);
  }
  if (x.negative && !x.zero() && !IsIntegral(y)) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  if (x.zero() || x.infinite()) {
    out->Set(x.zero() == y.negative ? Kind::kInfinite : Kind::kFinite, negative);
    return Ok();
  }
  if (y.infinite()) {
    Number one(ts);
    MVM_TRY_VOID(one.SetWord(ts, 1, 0, false));
    MVM_TRY(int order, CompareNumbers(ts, x, one.view()));
    if (order == 0) {
      MVM_TRY_VOID(PowerOfTen(ts, &out->w, static_cast<uint64_t>(c.prec) - 1));
      out->kind = Kind::kFinite;
      out->negative = false;
      out->exp = 1 - c.prec;
      *status |= kInexact | kRounded;
    } else {
      out->Set((order > 0) != y.negative ? Kind::kInfinite : Kind::kFinite, negative);
    }
    return Ok();
  }
  *done = false;
  return Ok();
}

}  // namespace

Status Power(ThreadState& ts, Number* out, const View& x0, const View& y, const Settings& c,
             uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, x0, &y, c, status, &done));
  if (done) return Ok();
  const bool integral = IsIntegral(y);
  const bool negative = x0.negative && integral && IsOddInteger(y);
  MVM_TRY_VOID(PowerSpecial(ts, out, x0, y, negative, c, status, &done));
  if (done) return Ok();
  const View x = x0.Absolute();
  if (integral) {
    int64_t n = 0;
    const bool fits = ToInt64(y.Absolute(), &n);
    bool exact = false, one = false;
    if (!y.negative) {
      MVM_TRY(exact, ExactPower(ts, out, x, static_cast<uint64_t>(n), fits, c, &one));
    } else {
      Number inverse(ts);
      MVM_TRY(bool invertible, ExactInverse(ts, &inverse, x, c));
      if (invertible) {
        MVM_TRY(exact,
                ExactPower(ts, out, inverse.view(), static_cast<uint64_t>(n), fits, c, &one));
      }
    }
    if (exact) {
      out->negative = negative;
      if (one) return Ok();
      return FinishPower(ts, out, x, y, true, c, status);
    }
  }
  return GeneralPower(ts, out, x, y, negative, integral, c, status);
}

Status PowerModulo(ThreadState& ts, Number* out, const View& a, const View& b, const View& m,
                   const Settings& c, uint32_t* status) {
  bool done;
  if (a.nan() || b.nan() || m.nan()) {
    const View* from = a.signaling()   ? &a
                       : b.signaling() ? &b
                       : m.signaling() ? &m
                       : a.nan()       ? &a
                       : b.nan()       ? &b
                                       : &m;
    return PropagateNans(ts, out, *from, nullptr, c, status, &done);
  }
  if (!IsIntegral(a) || !IsIntegral(b) || !IsIntegral(m) || (b.negative && !b.zero()) || m.zero() ||
      m.adjusted() >= c.prec || (a.zero() && b.zero())) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  const bool negative = a.negative && IsOddInteger(b);
  // Integers as binary limbs: coefficient times a power of ten, which may be taken modulo m.
  auto integer = [&ts](Words* to, const View& v) -> Status {
    Words whole(ts);
    if (v.exp < 0) {
      MVM_TRY_VOID(ShiftRightWords(ts, &whole, v.w, static_cast<uint64_t>(-v.exp), nullptr));
      return WordsToLimbs(ts, to, whole);
    }
    if (v.exp == 0 || v.zero()) return WordsToLimbs(ts, to, v.w);
    MVM_TRY_VOID(ShiftLeftWords(ts, &whole, v.w, static_cast<uint64_t>(v.exp)));
    return WordsToLimbs(ts, to, whole);
  };
  Words modulus(ts), base(ts), power(ts);
  IntWork work(ts);
  MVM_TRY_VOID(integer(&modulus, m));
  auto mod_pow = [&](Words* value, const Limb* exponent, size_t ne) -> Status {
    Words result(ts);
    size_t n;
    MVM_TRY_VOID(result.Resize(ts, modulus.size()));
    if (!ModPowMag(work, result.data(), &n, value->data(), value->size(), exponent, ne,
                   modulus.data(), modulus.size()))
      return work.Raise();
    result.Truncate(n);
    value->Swap(result);
    return Ok();
  };
  if (a.exp > 0 && !a.zero()) {
    // coefficient * 10**exp modulo m.
    Words ten(ts), product(ts);
    MVM_TRY_VOID(ten.AssignWord(ts, 10));
    const Limb exponent = static_cast<Limb>(a.exp);
    MVM_TRY_VOID(mod_pow(&ten, &exponent, 1));
    MVM_TRY_VOID(WordsToLimbs(ts, &base, a.w));
    MVM_TRY_VOID(MulLimbs(ts, &product, base, ten));
    base.Swap(product);
  } else {
    MVM_TRY_VOID(integer(&base, a));
  }
  // The exponent's own power of ten goes one digit at a time.
  View whole = b;
  const int64_t tens = b.zero() ? 0 : std::max<int64_t>(b.exp, 0);
  if (tens > 0) whole.exp = 0;
  MVM_TRY_VOID(integer(&power, whole));
  MVM_TRY_VOID(mod_pow(&base, power.data(), power.size()));
  const Limb ten = 10;
  for (int64_t i = 0; i < tens; ++i) {
    MVM_TRY_VOID(mod_pow(&base, &ten, 1));
    MVM_TRY_VOID(Charge(ts, 20));
  }
  out->Set(Kind::kFinite, negative);
  return LimbsToWords(ts, &out->w, base.data(), base.size());  // below m: it fits the precision
}

}  // namespace minivm::decimal
