// Division of small ints by a constant, without dividing.
//
// n / d is the upper half of n * m, shifted, for m = ceil(2^(64 + shift) / d). That is exact as
// long as n has no more than 61 bits, which the ints in a Value have, if 2^(shift + 3) >= d
// (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994,
// theorem 4.2).
#pragma once

#include <bit>
#include <cstdint>

namespace minivm {

struct Reciprocal {
  // From 2 on the multiplier fits into 64 bits.
  static constexpr int64_t kLeast = 2, kGreatest = INT32_MAX;

  uint32_t divisor = 0;
  uint32_t shift = 0;
  uint64_t multiplier = 0;

  // REQUIRES: kLeast <= divisor <= kGreatest
  static constexpr Reciprocal Of(uint32_t divisor) {
    const int width = std::bit_width(divisor - 1);
    const uint32_t shift = width > 3 ? static_cast<uint32_t>(width) - 3 : 0;
    const auto power = static_cast<unsigned __int128>(1) << (64 + shift);
    return {divisor, shift, static_cast<uint64_t>((power + divisor - 1) / divisor)};
  }
  // n / divisor, rounded down, and what that leaves, from 0 on. REQUIRES: -2^61 <= n < 2^61
  constexpr int64_t Quotient(int64_t n) const {
    // Of ~n if n is negative: floor(n / d) is ~floor(~n / d).
    const auto sign = static_cast<uint64_t>(n >> 63);
    const auto product =
        static_cast<unsigned __int128>(static_cast<uint64_t>(n) ^ sign) * multiplier;
    return static_cast<int64_t>((static_cast<uint64_t>(product >> 64) >> shift) ^ sign);
  }
  constexpr int64_t Remainder(int64_t n) const { return n - Quotient(n) * int64_t{divisor}; }
};

}  // namespace minivm
