// Sums, products, quotients, remainders and square roots.
#include <algorithm>

#include "runtime/objects/int_work.h"
#include "stdlib/decimal/number.h"

namespace minivm::decimal {

namespace {

// a +- b for finite operands of which neither is zero.
Status AddFinite(ThreadState& ts, Number* out, View a, View b, const Settings& c) {
  if (a.exp < b.exp) std::swap(a, b);
  // A small b far below the last digit kept only decides the rounding: one unit stands for it. (The
  // difference is taken in 128 bits: exponents reach 2 * 10**18.)
  const Word one = 1;
  const int64_t reach = std::min<int64_t>(-1, static_cast<int64_t>(a.digits()) - c.prec - 2);
  if (a.exp - b.exp > 0 && b.adjusted() < a.exp + reach) {
    b.w = Span(&one, 1);
    b.exp = a.exp + reach;
  }
  Words aligned(ts);
  Span x = a.w;
  if (a.exp != b.exp) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &aligned, a.w, static_cast<uint64_t>(a.exp - b.exp)));
    x = Span(aligned);
  }
  out->Set(Kind::kFinite, a.negative);
  out->exp = b.exp;
  if (a.negative == b.negative) return AddWords(ts, &out->w, x, b.w);
  const int order = CompareWords(x, b.w);
  if (order == 0) {
    out->negative = c.rounding == Rounding::kFloor;
    return Ok();
  }
  if (order > 0) return SubWords(ts, &out->w, x, b.w);
  out->negative = b.negative;
  return SubWords(ts, &out->w, b.w, x);
}

// a + b where a is zero.
Status AddZero(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c) {
  const int64_t exp = std::min(a.exp, b.exp);
  if (b.zero()) {
    out->Set(Kind::kFinite, a.negative == b.negative ? a.negative : c.rounding == Rounding::kFloor);
    out->exp = exp;
    return Ok();
  }
  MVM_TRY_VOID(out->Copy(ts, b));
  // As many zeros as the precision allows, towards the smaller exponent.
  const int64_t room = c.prec - static_cast<int64_t>(b.digits());
  if (exp < b.exp && room > 0) {
    const int64_t lowest = std::max(exp, b.exp - room);
    MVM_TRY_VOID(Rescale(ts, out, lowest, c.rounding, nullptr));
  }
  return Ok();
}

}  // namespace

Status Add(ThreadState& ts, Number* out, const View& a, const View& b0, bool subtract,
           const Settings& c, uint32_t* status) {
  View b = b0;
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  if (subtract) b.negative = !b.negative;
  if (a.infinite() || b.infinite()) {
    if (a.infinite() && b.infinite() && a.negative != b.negative) {
      SetInvalid(out, kInvalidOperation, status);
    } else {
      out->Set(Kind::kInfinite, a.infinite() ? a.negative : b.negative);
    }
    return Ok();
  }
  if (a.zero()) {
    const bool rounded =
        !b.zero() && a.exp < b.exp && b.exp - a.exp > c.prec - static_cast<int64_t>(b.digits());
    MVM_TRY_VOID(AddZero(ts, out, a, b, c));
    if (rounded) *status |= kRounded;
  } else if (b.zero()) {
    const bool rounded = b.exp < a.exp && a.exp - b.exp > c.prec - static_cast<int64_t>(a.digits());
    MVM_TRY_VOID(AddZero(ts, out, b, a, c));
    if (rounded) *status |= kRounded;
  } else {
    MVM_TRY_VOID(AddFinite(ts, out, a, b, c));
  }
  return Finalize(ts, out, c, status);
}

Status Multiply(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  const bool negative = a.negative != b.negative;
  if (a.infinite() || b.infinite()) {
    if (a.zero() || b.zero()) {
      SetInvalid(out, kInvalidOperation, status);
    } else {
      out->Set(Kind::kInfinite, negative);
    }
    return Ok();
  }
  out->Set(Kind::kFinite, negative);
  MVM_TRY_VOID(MulWords(ts, &out->w, a.w, b.w));
  out->exp = a.exp + b.exp;
  return Finalize(ts, out, c, status);
}

Status Divide(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
              uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  const bool negative = a.negative != b.negative;
  if (a.infinite()) {
    if (b.infinite()) {
      SetInvalid(out, kInvalidOperation, status);
    } else {
      out->Set(Kind::kInfinite, negative);
    }
    return Ok();
  }
  if (b.infinite()) {
    out->Set(Kind::kFinite, negative);
    out->exp = c.etiny();
    *status |= kClamped;
    return Finalize(ts, out, c, status);
  }
  if (b.zero()) {
    if (a.zero()) {
      SetInvalid(out, kDivisionUndefined, status);
    } else {
      *status |= kDivisionByZero;
      out->Set(Kind::kInfinite, negative);
    }
    return Ok();
  }
  out->Set(Kind::kFinite, negative);
  const int64_t ideal = a.exp - b.exp;
  if (a.zero()) {
    out->exp = ideal;
    return Finalize(ts, out, c, status);
  }
  const int64_t shift =
      static_cast<int64_t>(b.digits()) - static_cast<int64_t>(a.digits()) + c.prec + 1;
  Words scaled(ts), rest(ts);
  Span x = a.w, y = b.w;
  if (shift > 0) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &scaled, a.w, static_cast<uint64_t>(shift)));
    x = Span(scaled);
  } else if (shift < 0) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &scaled, b.w, static_cast<uint64_t>(-shift)));
    y = Span(scaled);
  }
  MVM_TRY_VOID(DivModWords(ts, &out->w, &rest, x, y));
  out->exp = ideal - shift;
  if (!rest.empty()) {
    MVM_TRY_VOID(MarkInexact(ts, out));
  } else if (out->exp < ideal) {
    const uint64_t zeros = std::min(TrailingZeroDigits(out->w), static_cast<uint64_t>(shift));
    MVM_TRY_VOID(ShiftRightWords(ts, &out->w, out->w, zeros, nullptr));
    out->exp += static_cast<int64_t>(zeros);
  }
  return Finalize(ts, out, c, status);
}

namespace {

// Integer quotient and remainder of finite numbers, b not zero. Sets kDivisionImpossible when the
// quotient has more digits than the precision; both results are NaNs then.
Status QuotientRemainder(ThreadState& ts, Number* q, Number* r, const View& a, const View& b,
                         const Settings& c, uint32_t* status) {
  const int64_t exp = std::min(a.exp, b.exp);
  const bool negative = a.negative != b.negative;
  if (a.zero() || a.adjusted() - b.adjusted() < 0) {
    q->Set(Kind::kFinite, negative);
    MVM_TRY_VOID(r->Copy(ts, a));
    // The remainder's exponent is the smaller one, as far as digits allow.
    if (a.zero()) {
      r->exp = exp;
    } else if (a.exp > exp) {
      MVM_TRY_VOID(Rescale(ts, r, exp, c.rounding, nullptr));
    }
    return Ok();
  }
  if (a.adjusted() - b.adjusted() > c.prec) {
    SetInvalid(q, kDivisionImpossible, status);
    r->Set(Kind::kQuietNan, false);
    return Ok();
  }
  Words scaled(ts);
  Span x = a.w, y = b.w;
  if (a.exp > b.exp) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &scaled, a.w, static_cast<uint64_t>(a.exp - b.exp)));
    x = Span(scaled);
  } else if (b.exp > a.exp) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &scaled, b.w, static_cast<uint64_t>(b.exp - a.exp)));
    y = Span(scaled);
  }
  q->Set(Kind::kFinite, negative);
  r->Set(Kind::kFinite, a.negative);
  MVM_TRY_VOID(DivModWords(ts, &q->w, &r->w, x, y));
  r->exp = exp;
  if (DigitCount(q->w) > static_cast<uint64_t>(c.prec)) {
    SetInvalid(q, kDivisionImpossible, status);
    r->Set(Kind::kQuietNan, false);
  }
  return Ok();
}

}  // namespace

Status DivMod(ThreadState& ts, Number* q, Number* r, const View& a, const View& b,
              const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, q, a, &b, c, status, &done));
  if (done) return r->Copy(ts, q->view());
  const bool negative = a.negative != b.negative;
  if (a.infinite()) {
    if (b.infinite()) {
      SetInvalid(q, kInvalidOperation, status);
    } else {
      q->Set(Kind::kInfinite, negative);
    }
    SetInvalid(r, kInvalidOperation, status);
    return Ok();
  }
  if (b.infinite()) {
    q->Set(Kind::kFinite, negative);
    MVM_TRY_VOID(r->Copy(ts, a));
    return Finalize(ts, r, c, status);
  }
  if (b.zero()) {
    if (a.zero()) {
      SetInvalid(q, kDivisionUndefined, status);
      SetInvalid(r, kDivisionUndefined, status);
    } else {
      q->Set(Kind::kInfinite, negative);
      SetInvalid(r, kDivisionByZero | kInvalidOperation, status);
    }
    return Ok();
  }
  MVM_TRY_VOID(QuotientRemainder(ts, q, r, a, b, c, status));
  MVM_TRY_VOID(Finalize(ts, q, c, status));
  return Finalize(ts, r, c, status);
}

Status DivideInteger(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                     uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  const bool negative = a.negative != b.negative;
  if (a.infinite() && b.infinite()) {
    SetInvalid(out, kInvalidOperation, status);
  } else if (a.infinite()) {
    out->Set(Kind::kInfinite, negative);
  } else if (b.infinite()) {
    out->Set(Kind::kFinite, negative);
  } else if (b.zero()) {
    if (a.zero()) {
      SetInvalid(out, kDivisionUndefined, status);
    } else {
      *status |= kDivisionByZero;
      out->Set(Kind::kInfinite, negative);
    }
  } else {
    Number rest(ts);
    MVM_TRY_VOID(QuotientRemainder(ts, out, &rest, a, b, c, status));
    return Finalize(ts, out, c, status);
  }
  return Ok();
}

namespace {

// What both remainders have in common; *done when *out is the result.
Status RemainderSpecial(ThreadState& ts, Number* out, const View& a, const View& b,
                        const Settings& c, uint32_t* status, bool* done) {
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, done));
  if (*done) return Ok();
  *done = true;
  if (a.infinite()) {
    SetInvalid(out, kInvalidOperation, status);
  } else if (b.infinite()) {
    MVM_TRY_VOID(out->Copy(ts, a));
    return Finalize(ts, out, c, status);
  } else if (b.zero()) {
    SetInvalid(out, a.zero() ? kDivisionUndefined : kInvalidOperation, status);
  } else {
    *done = false;
  }
  return Ok();
}

}  // namespace

Status Remainder(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                 uint32_t* status) {
  bool done;
  MVM_TRY_VOID(RemainderSpecial(ts, out, a, b, c, status, &done));
  if (done) return Ok();
  Number q(ts);
  MVM_TRY_VOID(QuotientRemainder(ts, &q, out, a, b, c, status));
  return Finalize(ts, out, c, status);
}

Status RemainderNear(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                     uint32_t* status) {
  bool done;
  MVM_TRY_VOID(RemainderSpecial(ts, out, a, b, c, status, &done));
  if (done) return Ok();
  Number q(ts);
  MVM_TRY_VOID(QuotientRemainder(ts, &q, out, a, b, c, status));
  if (q.kind == Kind::kFinite && !out->w.empty()) {
    // Twice the remainder against the divisor.
    Number twice(ts);
    MVM_TRY_VOID(AddWords(ts, &twice.w, out->w, out->w));
    twice.exp = out->exp;
    MVM_TRY(int order, CompareNumbers(ts, twice.view(), b.Absolute()));
    if (order > 0 || (order == 0 && Span(q.w).odd())) {
      // r - b with the sign of r: |b| - |r|, turned round.
      View divisor = b.Absolute(), rest = out->view().Absolute();
      Settings wide = WidestSettings();
      uint32_t ignored = 0;
      Number difference(ts);
      MVM_TRY_VOID(Add(ts, &difference, divisor, rest, true, wide, &ignored));
      difference.negative = !a.negative;
      out->Swap(difference);
      MVM_TRY_VOID(IncrementWords(ts, &q.w, 1));
      if (DigitCount(q.w) > static_cast<uint64_t>(c.prec)) {
        SetInvalid(out, kDivisionImpossible, status);
        return Ok();
      }
    }
  }
  return Finalize(ts, out, c, status);
}

Status FusedMultiplyAdd(ThreadState& ts, Number* out, const View& a, const View& b,
                        const View& third, const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  Number product(ts);
  if (done) {
    // A NaN of the product meets the third operand as any operand would; a signaling one has
    // already been reported, and wins over a quiet third operand.
    if (third.signaling() && !(*status & kInvalidOperation)) {
      const View nan = third;
      return PropagateNans(ts, out, nan, nullptr, c, status, &done);
    }
    return Ok();
  }
  if ((a.infinite() && b.zero()) || (a.zero() && b.infinite())) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  product.Set(a.infinite() || b.infinite() ? Kind::kInfinite : Kind::kFinite,
              a.negative != b.negative);
  if (product.kind == Kind::kFinite) {
    MVM_TRY_VOID(MulWords(ts, &product.w, a.w, b.w));
    product.exp = a.exp + b.exp;
  }
  return Add(ts, out, product.view(), third, false, c, status);
}

Status Plus(ThreadState& ts, Number* out, const View& a, bool minus, const Settings& c,
            uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  MVM_TRY_VOID(out->Copy(ts, a));
  if (a.zero()) {
    out->negative = c.rounding == Rounding::kFloor && (a.negative != minus);
  } else if (minus) {
    out->negative = !a.negative;
  }
  return Finalize(ts, out, c, status);
}

Status Absolute(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  MVM_TRY_VOID(out->Copy(ts, a));
  out->negative = false;
  return Finalize(ts, out, c, status);
}

Status SquareRoot(ThreadState& ts, Number* out, const View& a, const Settings& c0,
                  uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c0, status, &done));
  if (done) return Ok();
  const int64_t ideal = a.exp >> 1;
  if (a.zero()) {
    out->Set(Kind::kFinite, a.negative);
    out->exp = ideal;
    return Finalize(ts, out, c0, status);
  }
  if (a.negative) {
    SetInvalid(out, kInvalidOperation, status);
    return Ok();
  }
  if (a.infinite()) {
    out->Set(Kind::kInfinite, false);
    return Ok();
  }
  Settings c = c0;
  c.rounding = Rounding::kHalfEven;
  // Two digits of the radicand per digit of the root, of which there are to be prec + 1.
  const int64_t odd = a.exp & 1;
  const int64_t root_digits = (static_cast<int64_t>(a.digits()) + odd + 1) / 2;
  const int64_t shift = c.prec + 1 - root_digits;
  Words radicand(ts), limbs(ts), root(ts);
  bool exact = true;
  const int64_t digits = 2 * shift + odd;
  if (digits >= 0) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &radicand, a.w, static_cast<uint64_t>(digits)));
  } else {
    Dropped dropped;
    MVM_TRY_VOID(ShiftRightWords(ts, &radicand, a.w, static_cast<uint64_t>(-digits), &dropped));
    exact = dropped == Dropped::kNothing;
  }
  MVM_TRY_VOID(WordsToLimbs(ts, &limbs, radicand));
  MVM_TRY_VOID(root.Resize(ts, (limbs.size() + 1) / 2));
  IntWork work(ts);
  size_t n;
  bool square;
  if (!IntegerSqrtMag(work, root.data(), &n, &square, limbs.data(), limbs.size()))
    return work.Raise();
  out->Set(Kind::kFinite, false);
  MVM_TRY_VOID(LimbsToWords(ts, &out->w, root.data(), n));
  out->exp = ideal - shift;
  if (!exact || !square) {
    MVM_TRY_VOID(MarkInexact(ts, out));
  } else if (out->exp < ideal) {
    const uint64_t zeros = std::min(TrailingZeroDigits(out->w), static_cast<uint64_t>(shift));
    MVM_TRY_VOID(ShiftRightWords(ts, &out->w, out->w, zeros, nullptr));
    out->exp += static_cast<int64_t>(zeros);
  }
  return Finalize(ts, out, c, status);
}

}  // namespace minivm::decimal
