// exp, ln and log10, correctly rounded (half even).
//
// The values are computed in binary fixed point with guard digits and then rounded in decimal; if
// the guard digits cannot tell which way to round, more are taken (Ziv's strategy). Apart from the
// cases sorted out beforehand the results are transcendental, so this ends.
//   exp   x = k ln(10) + r; e**r by Taylor's series after halving r often, then squaring
//   ln    an approximation y of ln(m), refined by ln(m) = y + 2 atanh((m - e**y) / (m + e**y))
#include "stdlib/decimal/functions.h"

#include <algorithm>
#include <cmath>

#include "runtime/objects/int_work.h"

namespace minivm::decimal {

// ---- limbs ----

Status MulLimbs(ThreadState& ts, Words* out, const Words& a, const Words& b) {
  IntWork work(ts);
  MVM_TRY_VOID(out->Resize(ts, a.size() + b.size()));
  size_t n;
  if (!MulMag(work, out->data(), &n, a.data(), a.size(), b.data(), b.size())) return work.Raise();
  out->Truncate(n);
  return Charge(ts, static_cast<int64_t>(a.size()));
}

Status ShiftLimbsLeft(ThreadState& ts, Words* out, const Words& a, uint64_t bits) {
  MVM_TRY_VOID(CheckRoom(ts, bits / 8));
  MVM_TRY_VOID(out->Resize(ts, a.size() + bits / kLimbBits + 1));
  out->Truncate(ShiftLeftMag(out->data(), a.data(), a.size(), bits));
  return Ok();
}

void ShiftLimbsRight(Words* a, uint64_t bits) {
  a->Truncate(ShiftRightMag(a->data(), a->data(), a->size(), bits));
}

Status DivLimbs(ThreadState& ts, Words* quotient, Words* remainder, const Words& a,
                const Words& b) {
  IntWork work(ts);
  Words q(ts), r(ts);
  MVM_TRY_VOID(q.Resize(ts, a.size() >= b.size() ? a.size() - b.size() + 1 : 0));
  MVM_TRY_VOID(r.Resize(ts, std::min(a.size(), b.size())));
  size_t nq, nr;
  if (!DivModMag(work, q.data(), &nq, r.data(), &nr, a.data(), a.size(), b.data(), b.size()))
    return work.Raise();
  q.Truncate(nq);
  r.Truncate(nr);
  if (quotient) quotient->Swap(q);
  if (remainder) remainder->Swap(r);
  return Ok();
}

Status PowerOfTenLimbs(ThreadState& ts, Words* out, uint64_t count) {
  const Limb five = 5;
  const size_t room = PowMagSize(&five, 1, count);
  if (room > Heap::kMaxAllocation / sizeof(Limb)) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, room * sizeof(Limb)));
  Words power(ts);
  MVM_TRY_VOID(power.Resize(ts, room));
  IntWork work(ts);
  size_t n;
  if (!PowMag(work, power.data(), &n, &five, 1, count)) return work.Raise();
  power.Truncate(n);
  return ShiftLimbsLeft(ts, out, power, count);
}

namespace {

// *a += b.
Status AddTo(ThreadState& ts, Words* a, const Words& b) {
  const size_t n = a->size();
  MVM_TRY_VOID(a->Resize(ts, std::max(n, b.size()) + 1));
  a->Truncate(AddMag(a->data(), a->data(), n, b.data(), b.size()));
  return Ok();
}
// *a -= b, or 0 if that would be negative.
void SubFrom(Words* a, const Words& b) {
  if (CompareMag(a->data(), a->size(), b.data(), b.size()) < 0) {
    a->Truncate(0);
    return;
  }
  a->Truncate(SubMag(a->data(), a->data(), a->size(), b.data(), b.size()));
}
void DivSmall(Words* a, Limb divisor) {
  size_t n;
  DivModLimb(a->data(), &n, a->data(), a->size(), divisor);
  a->Truncate(n);
}
Status SetBit(ThreadState& ts, Words* out, uint64_t bit) {
  Words one(ts);
  MVM_TRY_VOID(one.AssignWord(ts, 1));
  return ShiftLimbsLeft(ts, out, one, bit);
}

// *sum += times * atanh(1 / n).
Status AddArctanh(ThreadState& ts, Words* sum, Limb times, Limb n, uint64_t f) {
  Words power(ts), term(ts), total(ts);
  MVM_TRY_VOID(SetBit(ts, &power, f));
  DivSmall(&power, n);
  for (Limb k = 1; !power.empty(); k += 2) {
    MVM_TRY_VOID(term.Assign(ts, power.data(), power.size()));
    DivSmall(&term, k);
    MVM_TRY_VOID(AddTo(ts, &total, term));
    DivSmall(&power, n * n);
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(power.size() + 1)));
  }
  MVM_TRY_VOID(total.Resize(ts, total.size() + 1));
  total.Truncate(MulAddLimb(total.data(), total.data(), total.size() - 1, times, 0));
  return AddTo(ts, sum, total);
}

// e**r for 0 <= r < 2.4.
Status ExpFixed(ThreadState& ts, Words* out, const Words& r, uint64_t f) {
  const uint64_t halvings = IntegerSqrt64(f);
  const uint64_t wide = f + halvings + 32 + static_cast<uint64_t>(64 - __builtin_clzll(f));
  Words x(ts), term(ts), sum(ts), product(ts);
  MVM_TRY_VOID(ShiftLimbsLeft(ts, &x, r, wide - f));
  ShiftLimbsRight(&x, halvings);
  MVM_TRY_VOID(SetBit(ts, &sum, wide));
  MVM_TRY_VOID(term.Assign(ts, x.data(), x.size()));
  for (Limb k = 2; !term.empty(); ++k) {
    MVM_TRY_VOID(AddTo(ts, &sum, term));
    MVM_TRY_VOID(MulLimbs(ts, &product, term, x));
    ShiftLimbsRight(&product, wide);
    DivSmall(&product, k);
    term.Swap(product);
  }
  for (uint64_t i = 0; i < halvings; ++i) {
    MVM_TRY_VOID(MulLimbs(ts, &product, sum, sum));
    ShiftLimbsRight(&product, wide);
    sum.Swap(product);
  }
  ShiftLimbsRight(&sum, wide - f);
  out->Swap(sum);
  return Ok();
}

// ln(m) for 1 <= m < 10.
Status LnOfFixed(ThreadState& ts, Words* out, const Words& m, uint64_t f) {
  constexpr uint64_t kDoubleBits = 52;
  Words y(ts);
  if (f <= 700) {
    // The top bits of m, m having its point after bit f.
    Words top(ts);
    MVM_TRY_VOID(top.Assign(ts, m.data(), m.size()));
    ShiftLimbsRight(&top, f - 58);
    const double estimate =
        std::log(std::ldexp(static_cast<double>(top.empty() ? 0 : top[0]), -58));
    const double scaled = std::ldexp(std::max(estimate, 0.0), kDoubleBits);
    Words start(ts);
    MVM_TRY_VOID(start.Resize(ts, 1));
    start[0] = static_cast<Limb>(scaled);
    start.Trim();
    MVM_TRY_VOID(ShiftLimbsLeft(ts, &y, start, f - kDoubleBits));
  } else {
    const uint64_t less = f / 3 + 8;
    Words low(ts), start(ts);
    MVM_TRY_VOID(low.Assign(ts, m.data(), m.size()));
    ShiftLimbsRight(&low, f - less);
    MVM_TRY_VOID(LnOfFixed(ts, &start, low, less));
    MVM_TRY_VOID(ShiftLimbsLeft(ts, &y, start, f - less));
  }
  Words e(ts), difference(ts), sum(ts), t(ts), scaled(ts);
  MVM_TRY_VOID(ExpFixed(ts, &e, y, f));
  bool negative;
  MVM_TRY_VOID(difference.Resize(ts, std::max(m.size(), e.size())));
  difference.Truncate(
      SubMagSigned(difference.data(), &negative, m.data(), m.size(), e.data(), e.size()));
  MVM_TRY_VOID(sum.Assign(ts, m.data(), m.size()));
  MVM_TRY_VOID(AddTo(ts, &sum, e));
  MVM_TRY_VOID(ShiftLimbsLeft(ts, &scaled, difference, f + 1));  // one more: 2 atanh
  MVM_TRY_VOID(DivLimbs(ts, &t, nullptr, scaled, sum));
  // t is twice the argument: 2 atanh(t / 2) = t + t**3 / 12 + ..., the powers of (t / 2)**2.
  Words square(ts), power(ts), total(ts), term(ts), product(ts);
  MVM_TRY_VOID(MulLimbs(ts, &square, t, t));
  ShiftLimbsRight(&square, f + 2);
  MVM_TRY_VOID(power.Assign(ts, t.data(), t.size()));
  for (Limb k = 1; !power.empty(); k += 2) {
    MVM_TRY_VOID(term.Assign(ts, power.data(), power.size()));
    DivSmall(&term, k);
    MVM_TRY_VOID(AddTo(ts, &total, term));
    MVM_TRY_VOID(MulLimbs(ts, &product, power, square));
    ShiftLimbsRight(&product, f);
    power.Swap(product);
  }
  if (negative) {
    SubFrom(&y, total);
  } else {
    MVM_TRY_VOID(AddTo(ts, &y, total));
  }
  out->Swap(y);
  return Ok();
}

}  // namespace

// ---- fixed point ----

Status ToFixed(ThreadState& ts, Words* out, Span a, int64_t exp, uint64_t f) {
  Words limbs(ts), scaled(ts), power(ts);
  MVM_TRY_VOID(WordsToLimbs(ts, &limbs, a));
  if (exp >= 0) {
    MVM_TRY_VOID(PowerOfTenLimbs(ts, &power, static_cast<uint64_t>(exp)));
    MVM_TRY_VOID(MulLimbs(ts, &scaled, limbs, power));
    return ShiftLimbsLeft(ts, out, scaled, f);
  }
  MVM_TRY_VOID(PowerOfTenLimbs(ts, &power, static_cast<uint64_t>(-exp)));
  MVM_TRY_VOID(ShiftLimbsLeft(ts, &scaled, limbs, f));
  return DivLimbs(ts, out, nullptr, scaled, power);
}

Status Ln10Fixed(ThreadState& ts, Words* out, uint64_t f) {
  out->Truncate(0);
  MVM_TRY_VOID(AddArctanh(ts, out, 46, 31, f + 16));
  MVM_TRY_VOID(AddArctanh(ts, out, 34, 49, f + 16));
  MVM_TRY_VOID(AddArctanh(ts, out, 20, 161, f + 16));
  ShiftLimbsRight(out, 16);
  return Ok();
}

Status LnFixed(ThreadState& ts, Words* out, int64_t* k, const View& a, uint64_t f) {
  *k = a.adjusted();
  const uint64_t wide = std::max<uint64_t>(f, 64) + 16;
  Words m(ts);
  MVM_TRY_VOID(ToFixed(ts, &m, a.w, 1 - static_cast<int64_t>(a.digits()), wide));
  MVM_TRY_VOID(LnOfFixed(ts, out, m, wide));
  ShiftLimbsRight(out, wide - f);
  return Ok();
}

Status FixedToDecimal(ThreadState& ts, Number* out, const Words& x, uint64_t f, uint64_t digits) {
  Words power(ts), product(ts);
  MVM_TRY_VOID(PowerOfTenLimbs(ts, &power, digits));
  MVM_TRY_VOID(MulLimbs(ts, &product, x, power));
  ShiftLimbsRight(&product, f);
  out->Set(Kind::kFinite, false);
  MVM_TRY_VOID(LimbsToWords(ts, &out->w, product.data(), product.size()));
  out->exp = -static_cast<int64_t>(digits);
  return Ok();
}

Status ExpOfFixed(ThreadState& ts, Number* out, const Words& x, bool negative, uint64_t f,
                  uint64_t digits) {
  Words ln10(ts), quotient(ts), rest(ts), power(ts);
  MVM_TRY_VOID(Ln10Fixed(ts, &ln10, f + kExpGuard));
  MVM_TRY_VOID(DivLimbs(ts, &quotient, &rest, x, ln10));
  int64_t k = quotient.empty() ? 0 : static_cast<int64_t>(quotient[0]);
  if (negative) {
    k = -k;
    if (!rest.empty()) {
      --k;
      SubFrom(&ln10, rest);
      rest.Swap(ln10);
    }
  }
  ShiftLimbsRight(&rest, kExpGuard);
  MVM_TRY_VOID(ExpFixed(ts, &power, rest, f));
  MVM_TRY_VOID(FixedToDecimal(ts, out, power, f, digits - 1));
  out->exp += k;
  return Ok();
}

Result<bool> Decided(ThreadState& ts, const Number& n, const Settings& c) {
  const int64_t digits = static_cast<int64_t>(DigitCount(n.w));
  const int64_t drop = std::max(digits - c.prec, c.etiny() - n.exp);
  if (drop <= 2 || digits <= 2) return false;
  Words low(ts), high(ts);
  MVM_TRY_VOID(low.Assign(ts, n.w.data(), n.w.size()));
  MVM_TRY_VOID(high.Assign(ts, n.w.data(), n.w.size()));
  DecrementWords(&low, 8);
  MVM_TRY_VOID(IncrementWords(ts, &high, 8));
  Dropped below, above;
  MVM_TRY_VOID(ShiftRightWords(ts, &low, low, static_cast<uint64_t>(drop), &below));
  MVM_TRY_VOID(ShiftRightWords(ts, &high, high, static_cast<uint64_t>(drop), &above));
  return below == above && below != Dropped::kNothing && below != Dropped::kHalf &&
         CompareWords(low, high) == 0;
}

Status NextToOne(ThreadState& ts, Number* out, bool below, const Settings& c, uint32_t* status) {
  out->Set(Kind::kFinite, false);
  MVM_TRY_VOID(PowerOfTen(ts, &out->w, static_cast<uint64_t>(c.prec) + 1));
  out->exp = -(c.prec + 1);
  if (below) {
    DecrementWords(&out->w, 1);
  } else {
    MVM_TRY_VOID(IncrementWords(ts, &out->w, 1));
  }
  return Finalize(ts, out, c, status);
}

Status FarAway(ThreadState& ts, Number* out, bool tiny, bool negative, const Settings& c,
               uint32_t* status) {
  constexpr int64_t kFar = 4000000000000000000;
  MVM_TRY_VOID(out->SetWord(ts, 1, tiny ? -kFar : kFar, negative));
  return Finalize(ts, out, c, status);
}

// ---- the operations ----

Status Exp(ThreadState& ts, Number* out, const View& a, const Settings& c0, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c0, status, &done));
  if (done) return Ok();
  if (a.infinite()) {
    out->Set(a.negative ? Kind::kFinite : Kind::kInfinite, false);
    return Ok();
  }
  if (a.zero()) return out->SetWord(ts, 1, 0, false);
  Settings c = c0;
  c.rounding = Rounding::kHalfEven;
  if (a.adjusted() > 18) return FarAway(ts, out, a.negative, false, c, status);
  if (a.adjusted() < -c.prec - 2) return NextToOne(ts, out, a.negative, c, status);
  for (int attempt = 0;; ++attempt) {
    const uint64_t digits = static_cast<uint64_t>(c.prec + GuardDigits(attempt, c.prec));
    const uint64_t f = BitsForDigits(digits);
    Words x(ts);
    MVM_TRY_VOID(ToFixed(ts, &x, a.w, a.exp, f + kExpGuard));
    MVM_TRY_VOID(ExpOfFixed(ts, out, x, a.negative, f, digits));
    MVM_TRY(bool decided, Decided(ts, *out, c));
    if (decided || attempt + 1 == kAttempts) break;
  }
  return Finalize(ts, out, c, status);
}

namespace {

// What ln and log10 have in common; *done when *out is the result.
Status LogSpecial(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status,
                  bool* done) {
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, done));
  if (*done) return Ok();
  *done = true;
  if (a.zero()) {
    out->Set(Kind::kInfinite, true);
  } else if (a.negative) {
    SetInvalid(out, kInvalidOperation, status);
  } else if (a.infinite()) {
    out->Set(Kind::kInfinite, false);
  } else {
    *done = false;
  }
  return Ok();
}

// The exponent of the first digit of |ln(a)|, or one less. a != 1.
Status LogMagnitude(ThreadState& ts, Number* distance, const View& a, int64_t* magnitude) {
  *magnitude = 0;
  const int64_t k = a.adjusted();
  if (k != 0 && k != -1) return Ok();
  Number one(ts);
  uint32_t ignored = 0;
  MVM_TRY_VOID(one.SetWord(ts, 1, 0, false));
  MVM_TRY_VOID(Add(ts, distance, a, one.view(), true, WidestSettings(), &ignored));
  *magnitude = std::min<int64_t>(distance->view().adjusted() - 1, 0);
  return Ok();
}

}  // namespace

Status Ln(ThreadState& ts, Number* out, const View& a, const Settings& c0, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(LogSpecial(ts, out, a, c0, status, &done));
  if (done) return Ok();
  Settings c = c0;
  c.rounding = Rounding::kHalfEven;
  if (a.adjusted() == 0 && a.w.data[0] % 10 <= 1) {
    // 1, however many zeros follow.
    Words digits(ts);
    const uint64_t zeros = TrailingZeroDigits(a.w);
    if (zeros + 1 == a.digits() && DigitAt(a.w, zeros) == 1) {
      out->Set(Kind::kFinite, false);
      return Ok();
    }
  }
  Number distance(ts);
  int64_t magnitude;
  MVM_TRY_VOID(LogMagnitude(ts, &distance, a, &magnitude));
  const int64_t near = static_cast<int64_t>(DigitCount(distance.w));
  if (magnitude < -c.prec - 4 && near <= c.prec) {
    // ln(1 + d) = d - d**2 / 2 + ...: d but for something far below its last digit.
    const uint64_t shift = static_cast<uint64_t>(c.prec + 3 - near);
    MVM_TRY_VOID(ShiftLeftWords(ts, &out->w, distance.w, shift));
    out->exp = distance.exp - static_cast<int64_t>(shift);
    out->kind = Kind::kFinite;
    out->negative = distance.negative;
    if (distance.negative) {
      MVM_TRY_VOID(IncrementWords(ts, &out->w, 1));
    } else {
      DecrementWords(&out->w, 1);
    }
    return Finalize(ts, out, c, status);
  }
  for (int attempt = 0;; ++attempt) {
    const uint64_t digits =
        static_cast<uint64_t>(c.prec + GuardDigits(attempt, c.prec) - magnitude);
    const uint64_t f = BitsForDigits(digits);
    Words y(ts), ln10(ts), factor(ts), product(ts);
    int64_t k;
    MVM_TRY_VOID(LnFixed(ts, &y, &k, a, f));
    if (k != 0) {
      MVM_TRY_VOID(Ln10Fixed(ts, &ln10, f + 64));
      MVM_TRY_VOID(factor.Resize(ts, 1));
      factor[0] = static_cast<Word>(k < 0 ? -k : k);
      MVM_TRY_VOID(MulLimbs(ts, &product, ln10, factor));
      ShiftLimbsRight(&product, 64);
      if (k < 0) {
        SubFrom(&product, y);
      } else {
        MVM_TRY_VOID(AddTo(ts, &product, y));
      }
      y.Swap(product);
    }
    MVM_TRY_VOID(FixedToDecimal(ts, out, y, f, digits));
    out->negative = k < 0;
    MVM_TRY(bool decided, Decided(ts, *out, c));
    if (decided || attempt + 1 == kAttempts) break;
  }
  return Finalize(ts, out, c, status);
}

Status Log10(ThreadState& ts, Number* out, const View& a, const Settings& c0, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(LogSpecial(ts, out, a, c0, status, &done));
  if (done) return Ok();
  Settings c = c0;
  c.rounding = Rounding::kHalfEven;
  const uint64_t zeros = TrailingZeroDigits(a.w);
  if (zeros + 1 == a.digits() && DigitAt(a.w, zeros) == 1) {
    const int64_t k = a.adjusted();
    MVM_TRY_VOID(out->SetWord(ts, static_cast<Word>(k < 0 ? -k : k), 0, k < 0));
    return Finalize(ts, out, c, status);
  }
  Number distance(ts);
  int64_t magnitude;
  MVM_TRY_VOID(LogMagnitude(ts, &distance, a, &magnitude));
  --magnitude;
  for (int attempt = 0;; ++attempt) {
    const uint64_t digits =
        static_cast<uint64_t>(c.prec + GuardDigits(attempt, c.prec) - magnitude);
    const uint64_t f = BitsForDigits(digits);
    Words y(ts), ln10(ts), scaled(ts), whole(ts), factor(ts);
    int64_t k;
    MVM_TRY_VOID(LnFixed(ts, &y, &k, a, f));
    MVM_TRY_VOID(Ln10Fixed(ts, &ln10, f));
    MVM_TRY_VOID(ShiftLimbsLeft(ts, &scaled, y, f));
    MVM_TRY_VOID(DivLimbs(ts, &y, nullptr, scaled, ln10));
    MVM_TRY_VOID(factor.Resize(ts, 1));
    factor[0] = static_cast<Word>(k < 0 ? -k : k);
    factor.Trim();
    MVM_TRY_VOID(ShiftLimbsLeft(ts, &whole, factor, f));
    if (k < 0) {
      SubFrom(&whole, y);
    } else {
      MVM_TRY_VOID(AddTo(ts, &whole, y));
    }
    MVM_TRY_VOID(FixedToDecimal(ts, out, whole, f, digits));
    out->negative = k < 0;
    MVM_TRY(bool decided, Decided(ts, *out, c));
    if (decided || attempt + 1 == kAttempts) break;
  }
  return Finalize(ts, out, c, status);
}

}  // namespace minivm::decimal
