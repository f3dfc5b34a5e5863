// Shared by the big_int_*.cpp files: loops over limbs, and temporary memory.
//
// The loops take sizes, not normalised numbers, and return the carry or borrow
// out of the top; that is all the arithmetic the algorithms are built from.
#pragma once

#include <cstring>

#include "runtime/support/big_int.h"
#include "runtime/support/check.h"

namespace minivm::big_int_internal {

using Limb2 = unsigned __int128;

inline Limb High(Limb2 x) { return static_cast<Limb>(x >> 64); }

inline Limb AddWithCarry(Limb a, Limb b, Limb* carry) {
  Limb sum;
  const bool first = __builtin_add_overflow(a, b, &sum);
  const bool second = __builtin_add_overflow(sum, *carry, &sum);
  *carry = static_cast<Limb>(first) | static_cast<Limb>(second);
  return sum;
}

inline Limb SubWithBorrow(Limb a, Limb b, Limb* borrow) {
  Limb difference;
  const bool first = __builtin_sub_overflow(a, b, &difference);
  const bool second = __builtin_sub_overflow(difference, *borrow, &difference);
  *borrow = static_cast<Limb>(first) | static_cast<Limb>(second);
  return difference;
}

inline void CopyLimbs(Limb* out, const Limb* a, size_t n) {
  if (n != 0) std::memmove(out, a, n * sizeof(Limb));
}
inline void ZeroLimbs(Limb* out, size_t n) {
  if (n != 0) std::memset(out, 0, n * sizeof(Limb));
}

// out = a + b over n limbs; out may be a or b.
Limb AddN(Limb* out, const Limb* a, const Limb* b, size_t n);
// out = a - b over n limbs; out may be a or b.
Limb SubN(Limb* out, const Limb* a, const Limb* b, size_t n);
// out = a * b; out may be a.
Limb MulLimbN(Limb* out, const Limb* a, size_t n, Limb b, Limb carry = 0);
// out += a * b.
Limb AddMulLimbN(Limb* out, const Limb* a, size_t n, Limb b);
// out -= a * b.
Limb SubMulLimbN(Limb* out, const Limb* a, size_t n, Limb b);
// Negative, zero or positive as a <, =, > b.
int CompareN(const Limb* a, const Limb* b, size_t n);
// out = a << bits, 0 < bits < 64; returns the bits shifted out. Works downwards: out may be a.
Limb ShiftLeftN(Limb* out, const Limb* a, size_t n, unsigned bits);
// out = a >> bits, 0 < bits < 64. Works upwards: out may be a or below it.
void ShiftRightN(Limb* out, const Limb* a, size_t n, unsigned bits);

// a += carry; returns the carry out of n limbs.
inline Limb AddCarryN(Limb* a, size_t n, Limb carry) {
  for (size_t i = 0; carry != 0 && i < n; ++i) carry = __builtin_add_overflow(a[i], carry, &a[i]);
  return carry;
}
inline Limb SubBorrowN(Limb* a, size_t n, Limb borrow) {
  for (size_t i = 0; borrow != 0 && i < n; ++i)
    borrow = __builtin_sub_overflow(a[i], borrow, &a[i]);
  return borrow;
}
// a (na limbs) += b (nb <= na limbs).
inline Limb AddTo(Limb* a, size_t na, const Limb* b, size_t nb) {
  return AddCarryN(a + nb, na - nb, AddN(a, a, b, nb));
}
inline Limb SubFrom(Limb* a, size_t na, const Limb* b, size_t nb) {
  return SubBorrowN(a + nb, na - nb, SubN(a, a, b, nb));
}

// Schoolbook: out (na + nb limbs) = a * b. REQUIRES: na >= nb >= 1; no overlap.
void MulBase(Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb);
// Schoolbook: out (2 * n limbs) = a * a. REQUIRES: n >= 1; no overlap.
void SquareBase(Limb* out, const Limb* a, size_t n);

// out (na + nb limbs, all written) = a * b for sizes rather than normalised numbers, either order,
// either may be 0 or have leading zeros. a == b with equal sizes squares. No overlap.
[[nodiscard]] bool MulAny(BigWork& work, Limb* out, const Limb* a, size_t na, const Limb* b,
                          size_t nb);

// From so many limbs in the smaller operand on, transforms win.
inline constexpr size_t kNttThreshold = 5000;
// out (na + nb limbs) = a * b by number-theoretic transforms; a == b squares.
[[nodiscard]] bool MulNtt(BigWork& work, Limb* out, const Limb* a, size_t na, const Limb* b,
                          size_t nb);

// Division of two limbs by one with a precomputed reciprocal (Moeller and Granlund).
// REQUIRES: the divisor's top bit is set.
inline Limb Reciprocal(Limb divisor) {
  return static_cast<Limb>(((static_cast<Limb2>(~divisor) << 64) | ~Limb{0}) / divisor);
}
// (high, low) / divisor. REQUIRES: high < divisor.
inline Limb DivTwoByOne(Limb* remainder, Limb high, Limb low, Limb divisor, Limb reciprocal) {
  const Limb2 estimate =
      static_cast<Limb2>(reciprocal) * high + ((static_cast<Limb2>(high) << 64) | low);
  Limb quotient = High(estimate) + 1;
  Limb rest = low - quotient * divisor;
  if (rest > static_cast<Limb>(estimate)) {
    --quotient;
    rest += divisor;
  }
  if (rest >= divisor) [[unlikely]] {
    ++quotient;
    rest -= divisor;
  }
  *remainder = rest;
  return quotient;
}

// q (na - nb limbs) = a / b, a becomes the remainder in its low nb limbs, upper limbs zero.
// REQUIRES: nb >= 2, na >= nb, top bit of b set, a's top nb limbs < b.
[[nodiscard]] bool DivNormalized(BigWork& work, Limb* q, Limb* a, size_t na, const Limb* b,
                                 size_t nb);

// (top + a bit less than one if sticky) * 2**exponent, rounded half to even, subnormals and
// infinity included. REQUIRES: top's highest bit is set.
double ScaleToDouble(Limb top, bool sticky, int64_t exponent);

// Temporary limbs that go away with the scope.
class TempLimbs {
 public:
  TempLimbs(BigWork& work, size_t count)
      : work_(work), count_(count), data_(work.Allocate(count)) {}
  ~TempLimbs() {
    if (data_ != nullptr) work_.Free(data_, count_);
  }
  TempLimbs(const TempLimbs&) = delete;
  TempLimbs& operator=(const TempLimbs&) = delete;

  explicit operator bool() const { return data_ != nullptr; }
  Limb* data() { return data_; }

 private:
  BigWork& work_;
  size_t count_;
  Limb* data_;
};

}  // namespace minivm::big_int_internal
