// Operations on the digits and exponents of numbers: quantize, rounding to integers, shifts, logic.
#include <algorithm>
#include <cstring>

#include "stdlib/decimal/number.h"

namespace minivm::decimal {

Status Quantize(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  if (a.infinite() || b.infinite()) {
    if (a.infinite() && b.infinite()) return out->Copy(ts, a);
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  const int64_t exp = b.exp;
  if (exp > c.emax || exp < c.etiny()) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  if (a.zero()) {
    out->Set(Kind::kFinite, a.negative);
    out->exp = exp;
    return Finalize(ts, out, c, status);
  }
  if (a.adjusted() > c.emax || a.adjusted() - exp >= c.prec) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  Dropped dropped;
  MVM_TRY_VOID(out->Copy(ts, a));
  MVM_TRY_VOID(Rescale(ts, out, exp, c.rounding, &dropped));
  const View r = out->view();
  if (r.digits() > static_cast<uint64_t>(c.prec) || (!r.zero() && r.adjusted() > c.emax)) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  if (exp > a.exp) *status |= kRounded;
  if (dropped != Dropped::kNothing) *status |= kInexact;
  const uint32_t before = *status;
  uint32_t met = 0;
  MVM_TRY_VOID(Finalize(ts, out, c, &met));
  *status = before | met;
  return Ok();
}

Status ToIntegral(ThreadState& ts, Number* out, const View& a, bool exact, const Settings& c,
                  uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  MVM_TRY_VOID(out->Copy(ts, a));
  if (a.infinite() || a.exp >= 0) return Ok();
  Dropped dropped;
  MVM_TRY_VOID(Rescale(ts, out, 0, c.rounding, &dropped));
  if (exact && !a.zero()) {
    *status |= kRounded;
    if (dropped != Dropped::kNothing) *status |= kInexact;
  }
  return Ok();
}

Status Normalize(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  MVM_TRY_VOID(out->Copy(ts, a));
  MVM_TRY_VOID(Finalize(ts, out, c, status));
  if (out->kind != Kind::kFinite) return Ok();
  if (out->w.empty()) {
    out->exp = 0;
    return Ok();
  }
  const int64_t top = c.clamp ? c.etop() : c.emax;
  if (out->exp >= top) return Ok();
  const uint64_t zeros =
      std::min(TrailingZeroDigits(out->w), static_cast<uint64_t>(top - out->exp));
  MVM_TRY_VOID(ShiftRightWords(ts, &out->w, out->w, zeros, nullptr));
  out->exp += static_cast<int64_t>(zeros);
  return Ok();
}

bool IsIntegral(const View& a) {
  if (!a.finite()) return false;
  if (a.exp >= 0 || a.zero()) return true;
  return TrailingZeroDigits(a.w) >= static_cast<uint64_t>(-a.exp);
}

bool IsOddInteger(const View& a) {
  if (a.zero() || a.exp > 0) return false;
  return DigitAt(a.w, static_cast<uint64_t>(-a.exp)) % 2 != 0;
}

bool ToInt64(const View& a, int64_t* out) {
  if (!IsIntegral(a)) return false;
  *out = 0;
  if (a.zero()) return true;
  if (a.adjusted() > 18) return false;
  unsigned __int128 value = 0;
  // At most 19 digits stand before the point; those behind it are zeros.
  for (int64_t place = a.adjusted(); place >= 0; --place) {
    value =
        value * 10 + static_cast<unsigned>(
                         place < a.exp ? 0 : DigitAt(a.w, static_cast<uint64_t>(place - a.exp)));
  }
  if (value > INT64_MAX) return false;
  *out = a.negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  return true;
}

Status LogB(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  if (a.infinite()) {
    out->Set(Kind::kInfinite, false);
    return Ok();
  }
  if (a.zero()) {
    *status |= kDivisionByZero;
    out->Set(Kind::kInfinite, true);
    return Ok();
  }
  const int64_t exponent = a.adjusted();
  MVM_TRY_VOID(out->SetWord(
      ts, exponent < 0 ? -static_cast<uint64_t>(exponent) : static_cast<uint64_t>(exponent), 0,
      exponent < 0));
  return Finalize(ts, out, c, status);
}

Status ScaleB(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
              uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  int64_t by;
  const int64_t limit = 2 * (c.emax + c.prec);
  if (!b.finite() || b.exp != 0 || !ToInt64(b, &by) || by > limit || by < -limit) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  MVM_TRY_VOID(out->Copy(ts, a));
  if (a.infinite()) return Ok();
  out->exp += by;
  return Finalize(ts, out, c, status);
}

Status ShiftDigits(ThreadState& ts, Number* out, const View& a, const View& b, bool rotate,
                   const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  int64_t by;
  if (!b.finite() || b.exp != 0 || !ToInt64(b, &by) || by > c.prec || by < -c.prec) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  MVM_TRY_VOID(out->Copy(ts, a));
  if (a.infinite()) return Ok();
  const uint64_t prec = static_cast<uint64_t>(c.prec);
  if (out->view().digits() > prec) MVM_TRY_VOID(LowDigits(ts, &out->w, out->w, prec));
  if (by == 0) return Ok();
  Words high(ts), low(ts);
  if (!rotate && by < 0)
    return ShiftRightWords(ts, &out->w, out->w, static_cast<uint64_t>(-by), nullptr);
  // The `kept` low digits move up; for a rotation those above come in from below.
  const uint64_t up = by > 0 ? static_cast<uint64_t>(by) : prec - static_cast<uint64_t>(-by);
  MVM_TRY_VOID(LowDigits(ts, &low, out->w, prec - up));
  MVM_TRY_VOID(ShiftLeftWords(ts, &high, low, up));
  if (!rotate) {
    out->w.Swap(high);
    return Ok();
  }
  MVM_TRY_VOID(ShiftRightWords(ts, &low, out->w, prec - up, nullptr));
  return AddWords(ts, &out->w, high, low);
}

namespace {

// Only the digits 0 and 1, exponent 0, no sign.
bool IsLogical(const View& a) {
  if (!a.finite() || a.negative || a.exp != 0) return false;
  for (size_t i = 0; i < a.w.size; ++i) {
    for (Word w = a.w.data[i]; w != 0; w /= 10) {
      if (w % 10 > 1) return false;
    }
  }
  return true;
}

Word CombineDigits(Word x, Word y, Logic op, int count) {
  Word r = 0;
  for (int k = 0; k < count; ++k, x /= 10, y /= 10) {
    const Word p = x % 10, q = y % 10;
    const Word bit = op == Logic::kAnd ? (p & q) : op == Logic::kOr ? (p | q) : (p ^ q);
    r += bit * kPowersOfTen[k];
  }
  return r;
}

}  // namespace

Status Logical(ThreadState& ts, Number* out, const View& a, const View& b, Logic op,
               const Settings& c, uint32_t* status) {
  const bool invert = op == Logic::kInvert;
  if (!IsLogical(a) || (!invert && !IsLogical(b))) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  const uint64_t prec = static_cast<uint64_t>(c.prec);
  Words ones(ts);
  Span other = b.w;
  if (invert) {
    // Against ones in every place; (10**prec - 1) / 9.
    MVM_TRY_VOID(AllNines(ts, &ones, prec));
    for (size_t i = 0; i < ones.size(); ++i) ones[i] /= 9;
    other = Span(ones);
    op = Logic::kXor;
  }
  out->Set(Kind::kFinite, false);
  const size_t n = std::max(a.w.size, other.size);
  MVM_TRY_VOID(out->w.Resize(ts, n));
  for (size_t i = 0; i < n; ++i) {
    out->w[i] = CombineDigits(i < a.w.size ? a.w.data[i] : 0, i < other.size ? other.data[i] : 0,
                              op, kWordDigits);
    MVM_TRY_VOID(Charge(ts, 10));
  }
  out->w.Trim();
  return LowDigits(ts, &out->w, out->w, prec);
}

}  // namespace minivm::decimal
