// Binary fixed-point helpers shared by the transcendental functions (functions.cpp, power.cpp).
//
// A fixed-point number is a magnitude of binary limbs in a Words, read as limbs / 2**f. Results
// carry errors of a few units; callers work with guard digits and test whether they suffice
// (Decided).
#pragma once

#include "stdlib/decimal/number.h"

namespace minivm::decimal {

// Bits for that many decimal digits.
inline uint64_t BitsForDigits(uint64_t digits) { return digits * 3322 / 1000 + 4; }

// The precisions tried one after the other: digits beyond the context's. More than the last attempt
// is needed only by results that lie exactly on a boundary of rounding.
inline constexpr int kAttempts = 3;
inline int64_t GuardDigits(int attempt, int64_t prec) {
  return attempt == 0 ? 12 : attempt == 1 ? 40 + prec / 2 : 100 + prec * 3;
}

// a * 10**exp as a fixed-point number with f bits behind the point, truncated.
Status ToFixed(ThreadState& ts, Words* out, Span a, int64_t exp, uint64_t f);
// ln(10).
Status Ln10Fixed(ThreadState& ts, Words* out, uint64_t f);
// ln(a) for a finite positive number: its exponent *k = a.adjusted() and ln(a / 10**k), which is in
// [0, ln(10)).
Status LnFixed(ThreadState& ts, Words* out, int64_t* k, const View& a, uint64_t f);
// e**(+-x), x having f + kExpGuard bits behind the point: a coefficient of `digits` digits or one
// more, in error by at most 4 units. REQUIRES: the result's exponent fits 62 bits
inline constexpr uint64_t kExpGuard = 72;
Status ExpOfFixed(ThreadState& ts, Number* out, const Words& x, bool negative, uint64_t f,
                  uint64_t digits);
// x * 10**digits / 2**f.
Status FixedToDecimal(ThreadState& ts, Number* out, const Words& x, uint64_t f, uint64_t digits);
// Does the context round every number within a few units of n's last digit in the same way?
Result<bool> Decided(ThreadState& ts, const Number& n, const Settings& c);
// 1 plus or minus something that only matters for rounding.
Status NextToOne(ThreadState& ts, Number* out, bool below, const Settings& c, uint32_t* status);
// Beyond every exponent range, or below it.
Status FarAway(ThreadState& ts, Number* out, bool tiny, bool negative, const Settings& c,
               uint32_t* status);

// Limb helpers.
Status MulLimbs(ThreadState& ts, Words* out, const Words& a, const Words& b);
Status ShiftLimbsLeft(ThreadState& ts, Words* out, const Words& a, uint64_t bits);
void ShiftLimbsRight(Words* a, uint64_t bits);  // in place
Status DivLimbs(ThreadState& ts, Words* quotient, Words* remainder, const Words& a, const Words& b);
Status PowerOfTenLimbs(ThreadState& ts, Words* out, uint64_t count);

}  // namespace minivm::decimal
