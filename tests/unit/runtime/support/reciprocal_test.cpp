// Quotients by multiplication are those of division, rounded down.
#include "runtime/support/reciprocal.h"

#include <gtest/gtest.h>

#include <random>

namespace minivm {
namespace {

constexpr int64_t kMost = (int64_t{1} << 61) - 1;

void Check(uint32_t divisor, int64_t n) {
  int64_t quotient = n / divisor, remainder = n % divisor;
  if (remainder < 0) --quotient, remainder += divisor;
  const Reciprocal r = Reciprocal::Of(divisor);
  ASSERT_EQ(r.Quotient(n), quotient) << n << " // " << divisor;
  ASSERT_EQ(r.Remainder(n), remainder) << n << " % " << divisor;
}

// Around 0, the ends of the range, and multiples of the divisor: where a multiplier too small or
// too large shows first.
void CheckAround(uint32_t divisor) {
  const int64_t greatest = kMost / divisor * divisor, middle = kMost / 2 / divisor * divisor;
  for (int64_t n : {int64_t{0}, int64_t{divisor}, middle, greatest, kMost - 2}) {
    for (int64_t at = n - 2; at <= n + 2 && at <= kMost; ++at) {
      Check(divisor, at);
      Check(divisor, ~at);
    }
  }
}

TEST(Reciprocal, SmallDivisors) {
  for (uint32_t divisor = 2; divisor < 5000; ++divisor) CheckAround(divisor);
}

TEST(Reciprocal, DivisorsAroundPowersOfTwo) {
  for (int bit = 3; bit < 31; ++bit) {
    for (uint32_t divisor = (1u << bit) - 2; divisor <= (1u << bit) + 2; ++divisor)
      CheckAround(divisor);
  }
  CheckAround(INT32_MAX);
  CheckAround(INT32_MAX - 1);
}

TEST(Reciprocal, AnyDivisorAndNumber) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto divisor =
        static_cast<uint32_t>(2 + random() % (INT32_MAX - 1u) >> random() % 30) | 2;
    Check(divisor, static_cast<int64_t>(random()) >> (3 + random() % 60));
  }
}

}  // namespace
}  // namespace minivm
