// Hashes: the numeric ones must be CPython's values, the keyed ones SipHash's.
#include "runtime/support/hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace minivm {
namespace {

TEST(Hash, SipHash13) {
  // hash(bytes) of CPython with PYTHONHASHSEED=0, whose key is zero.
  EXPECT_EQ(HashBytes({}, "", 0), 0);
  EXPECT_EQ(HashBytes({}, "a", 1), 4644417185603328019);
  EXPECT_EQ(HashBytes({}, "abc", 3), -4594863902769663758);
  EXPECT_EQ(HashBytes({}, "abcd", 4), -2030606670787596663);
  EXPECT_EQ(HashBytes({}, "1234567", 7), -6684075128579576191);
  EXPECT_EQ(HashBytes({}, "12345678", 8), 3785724242978802311);
  EXPECT_EQ(HashBytes({}, "123456789123456789", 18), -5415955943147451101);
  EXPECT_NE(HashBytes({1, 0}, "a", 1), HashBytes({0, 0}, "a", 1));
  const HashKey zero = HashKeyFromSeed(0);
  EXPECT_EQ(zero.k0 | zero.k1, 0u);
  EXPECT_NE(HashKeyFromSeed(1).k0, HashKeyFromSeed(2).k0);
}

TEST(Hash, Integers) {
  EXPECT_EQ(HashInt64(0), 0);
  EXPECT_EQ(HashInt64(-1), -2);
  EXPECT_EQ(HashInt64(-2), -2);
  EXPECT_EQ(HashInt64((int64_t{1} << 61) - 1), 0);
  EXPECT_EQ(HashInt64(int64_t{1} << 61), 1);
  EXPECT_EQ(HashInt64(INT64_MAX), 3);
  EXPECT_EQ(HashInt64(INT64_MIN), -4);
  const Limb big[] = {0, 0, 1};  // 2**128
  EXPECT_EQ(HashMag(big, 3, false), 64);
  EXPECT_EQ(HashMag(big, 3, true), -64);
  const Limb power61[] = {uint64_t{1} << 61};
  EXPECT_EQ(HashMag(power61, 1, true), -2);
}

TEST(Hash, Doubles) {
  EXPECT_EQ(HashDouble(0.0, 5), 0);
  EXPECT_EQ(HashDouble(-0.0, 5), 0);
  EXPECT_EQ(HashDouble(1.0, 5), 1);
  EXPECT_EQ(HashDouble(-1.0, 5), -2);
  EXPECT_EQ(HashDouble(0.1, 5), 230584300921369408);
  EXPECT_EQ(HashDouble(1e300, 5), 1224995262755759164);
  EXPECT_EQ(HashDouble(5e-324, 5), 16777216);
  EXPECT_EQ(HashDouble(-1.5, 5), -1152921504606846977);
  EXPECT_EQ(HashDouble(std::numeric_limits<double>::infinity(), 5), 314159);
  EXPECT_EQ(HashDouble(-std::numeric_limits<double>::infinity(), 5), -314159);
  EXPECT_EQ(HashDouble(std::nan(""), 5), 5);
  EXPECT_EQ(HashComplex(1.5, -2.25, 0), -576460752305423493);
}

TEST(Hash, Rationals) {
  const Limb one = 1;
  const Limb three = 3;
  const Limb ten = 10;
  const Limb modulus = kHashModulus;
  EXPECT_EQ(HashRational(&one, 1, false, &ten, 1), 2075258708292324556);
  EXPECT_EQ(HashRational(&three, 1, true, &ten, 1), -1614090106449585766);
  EXPECT_EQ(HashRational(&one, 1, false, &modulus, 1), kHashInfinity);
  const Limb two = 2;
  EXPECT_EQ(HashRational(&three, 1, false, &two, 1), HashDouble(1.5, 0));
}

TEST(Hash, Containers) {
  const auto tuple = [](std::initializer_list<int64_t> items) {
    TupleHash hash;
    for (int64_t item : items) hash.Add(item);
    return hash.Finish(items.size());
  };
  EXPECT_NE(tuple({1, 2}), tuple({2, 1}));
  EXPECT_NE(tuple({}), tuple({0}));
  EXPECT_NE(tuple({0}), tuple({0, 0}));
  SetHash forward;
  SetHash backward;
  for (int i = 0; i < 10; ++i) {
    forward.Add(i);
    backward.Add(9 - i);
  }
  EXPECT_EQ(forward.Finish(10), backward.Finish(10));
  int x = 0;
  EXPECT_EQ(HashPointer(&x), HashPointer(&x));
}

}  // namespace
}  // namespace minivm
