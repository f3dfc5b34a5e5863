// Rounding, and fitting results into a context.
#include <utility>

#include "stdlib/decimal/number.h"

namespace minivm::decimal {

Settings WidestSettings() {
  Settings c;
  c.prec = kMaxPrec;
  c.emax = kMaxEmax;
  c.emin = kMinEmin;
  return c;
}

bool RoundsAway(Rounding mode, bool negative, int last_digit, Dropped dropped) {
  if (dropped == Dropped::kNothing) return false;
  switch (mode) {
    case Rounding::kUp: return true;
    case Rounding::kDown: return false;
    case Rounding::kCeiling: return !negative;
    case Rounding::kFloor: return negative;
    case Rounding::kHalfUp: return dropped >= Dropped::kHalf;
    case Rounding::kHalfDown: return dropped == Dropped::kAboveHalf;
    case Rounding::kHalfEven:
      return dropped == Dropped::kAboveHalf || (dropped == Dropped::kHalf && last_digit % 2 != 0);
    case Rounding::k05Up: return last_digit == 0 || last_digit == 5;
  }
  return false;
}

namespace {

// A power of ten that became one digit longer by rounding up.
Status DropLastZero(ThreadState& ts, Number* n) {
  ++n->exp;
  return ShiftRightWords(ts, &n->w, n->w, 1, nullptr);
}

Status SetOverflow(ThreadState& ts, Number* n, const Settings& c, uint32_t* status) {
  *status |= kOverflow | kInexact | kRounded;
  bool to_infinity = true;
  switch (c.rounding) {
    case Rounding::kDown:
    case Rounding::k05Up: to_infinity = false; break;
    case Rounding::kCeiling: to_infinity = !n->negative; break;
    case Rounding::kFloor: to_infinity = n->negative; break;
    default: break;
  }
  if (to_infinity) {
    n->Set(Kind::kInfinite, n->negative);
    return Ok();
  }
  n->exp = c.etop();
  return AllNines(ts, &n->w, static_cast<uint64_t>(c.prec));
}

Status PadZeros(ThreadState& ts, Number* n, uint64_t count) {
  Words shifted(ts);
  MVM_TRY_VOID(ShiftLeftWords(ts, &shifted, n->w, count));
  n->w.Swap(shifted);
  n->exp -= static_cast<int64_t>(count);
  return Ok();
}

// A finite number other than zero.
Status FinalizeFinite(ThreadState& ts, Number* n, const Settings& c, uint32_t* status) {
  const int64_t digits = static_cast<int64_t>(DigitCount(n->w));
  const int64_t etiny = c.etiny(), etop = c.etop();
  int64_t wanted = n->exp + (digits - c.prec);  // exponent with just `prec` digits
  if (wanted > etop) return SetOverflow(ts, n, c, status);
  const bool subnormal = wanted < etiny;
  if (subnormal) wanted = etiny;
  if (n->exp < wanted) {
    Dropped dropped;
    const bool tiny = n->exp + digits - 1 < c.emin;
    MVM_TRY_VOID(Rescale(ts, n, wanted, c.rounding, &dropped));
    if (tiny) *status |= kSubnormal;
    *status |= kRounded;
    if (dropped != Dropped::kNothing) {
      *status |= kInexact;
      if (tiny) *status |= kUnderflow;
    }
    if (n->w.empty()) *status |= kClamped;
    if (DigitCount(n->w) > static_cast<uint64_t>(c.prec)) {
      MVM_TRY_VOID(DropLastZero(ts, n));
      if (n->exp > etop) return SetOverflow(ts, n, c, status);
    }
  } else if (n->exp + digits - 1 < c.emin) {
    *status |= kSubnormal;
  }
  if (c.clamp && n->exp > etop && !n->w.empty()) {
    *status |= kClamped;
    MVM_TRY_VOID(PadZeros(ts, n, static_cast<uint64_t>(n->exp - etop)));
  }
  return Ok();
}

}  // namespace

Status Rescale(ThreadState& ts, Number* n, int64_t exp, Rounding mode, Dropped* dropped) {
  if (dropped) *dropped = Dropped::kNothing;
  if (n->w.empty()) {
    n->exp = exp;
    return Ok();
  }
  if (exp < n->exp)
    return PadZeros(ts, n, static_cast<uint64_t>(n->exp) - static_cast<uint64_t>(exp));
  Dropped lost;
  const uint64_t count = static_cast<uint64_t>(exp) - static_cast<uint64_t>(n->exp);
  MVM_TRY_VOID(ShiftRightWords(ts, &n->w, n->w, count, &lost));
  n->exp = exp;
  if (RoundsAway(mode, n->negative, DigitAt(n->w, 0), lost))
    MVM_TRY_VOID(IncrementWords(ts, &n->w, 1));
  if (dropped) *dropped = lost;
  return Ok();
}

Status MarkInexact(ThreadState& ts, Number* n) {
  const int last = DigitAt(n->w, 0);
  return last == 0 || last == 5 ? IncrementWords(ts, &n->w, 1) : Ok();
}

Status Finalize(ThreadState& ts, Number* n, const Settings& c, uint32_t* status) {
  if (n->kind == Kind::kInfinite) return Ok();
  if (n->kind != Kind::kFinite) {
    const uint64_t room = static_cast<uint64_t>(c.prec - c.clamp);
    if (!n->w.empty() && DigitCount(n->w) > room) return LowDigits(ts, &n->w, n->w, room);
    return Ok();
  }
  if (!n->w.empty()) return FinalizeFinite(ts, n, c, status);
  const int64_t top = c.clamp ? c.etop() : c.emax;
  const int64_t fits = n->exp < c.etiny() ? c.etiny() : n->exp > top ? top : n->exp;
  if (fits != n->exp) {
    n->exp = fits;
    *status |= kClamped;
  }
  return Ok();
}

Status PropagateNans(ThreadState& ts, Number* out, const View& a, const View* b, const Settings& c,
                     uint32_t* status, bool* done) {
  *done = a.nan() || (b && b->nan());
  if (MVM_LIKELY(!*done)) return Ok();
  const View* from = a.signaling()               ? &a
                     : b && b->signaling()       ? b
                     : a.kind == Kind::kQuietNan ? &a
                                                 : b;
  if (from->signaling()) *status |= kInvalidOperation;
  MVM_TRY_VOID(out->Copy(ts, *from));
  out->kind = Kind::kQuietNan;
  out->exp = 0;
  return Finalize(ts, out, c, status);
}

}  // namespace minivm::decimal
