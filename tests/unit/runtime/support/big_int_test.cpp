// Big integers: every size class of every algorithm against a schoolbook
// reference or an identity, and known values for what has a text form.
#include "runtime/support/big_int.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace minivm {
namespace {

using Limbs = std::vector<Limb>;

Limbs Normalized(Limbs a) {
  a.resize(NormalizedSize(a.data(), a.size()));
  return a;
}

// A number of exactly n limbs with long runs of equal bits, where carries go wrong.
Limbs Pattern(size_t n, uint64_t seed) {
  Limbs a(n);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (Limb& limb : a) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const unsigned kind = state >> 60;
    limb = kind < 3 ? 0 : kind < 6 ? ~Limb{0} : state ^ state >> 31;
  }
  if (n != 0 && a.back() == 0) a.back() = 1;
  return a;
}

Limbs Parse(std::string_view text, int base = 10) {
  BigWork work;
  IntText scanned;
  EXPECT_TRUE(ScanIntText(text, base, &scanned)) << text;
  Limbs a(MagFromTextSize(scanned.digit_count, scanned.base));
  size_t n = 0;
  EXPECT_TRUE(MagFromText(work, a.data(), &n, scanned.digits, scanned.base));
  a.resize(n);
  return a;
}

std::string Text(const Limbs& a, int base = 10) {
  BigWork work;
  std::string text(MagDigitsBound(a.data(), a.size(), base), '?');
  size_t n = 0;
  EXPECT_TRUE(MagToText(work, text.data(), &n, a.data(), a.size(), base));
  text.resize(n);
  return text;
}

Limbs Add(const Limbs& a, const Limbs& b) {
  Limbs out(std::max(a.size(), b.size()) + 1);
  out.resize(AddMag(out.data(), a.data(), a.size(), b.data(), b.size()));
  return out;
}

Limbs Sub(const Limbs& a, const Limbs& b) {
  Limbs out(a.size());
  out.resize(SubMag(out.data(), a.data(), a.size(), b.data(), b.size()));
  return out;
}

Limbs Mul(const Limbs& a, const Limbs& b) {
  BigWork work;
  Limbs out(a.size() + b.size());
  size_t n = 0;
  EXPECT_TRUE(MulMag(work, out.data(), &n, a.data(), a.size(), b.data(), b.size()));
  out.resize(n);
  return out;
}

Limbs Schoolbook(const Limbs& a, const Limbs& b) {
  Limbs out(a.size() + b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    unsigned __int128 carry = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      carry += static_cast<unsigned __int128>(a[i]) * b[j] + out[i + j];
      out[i + j] = static_cast<Limb>(carry);
      carry >>= 64;
    }
    out[i + b.size()] = static_cast<Limb>(carry);
  }
  return Normalized(out);
}

void DivMod(const Limbs& a, const Limbs& b, Limbs* q, Limbs* r) {
  BigWork work;
  q->assign(a.size() >= b.size() ? a.size() - b.size() + 1 : 0, 0);
  r->assign(std::min(a.size(), b.size()), 0);
  size_t nq = 0;
  size_t nr = 0;
  ASSERT_TRUE(
      DivModMag(work, q->data(), &nq, r->data(), &nr, a.data(), a.size(), b.data(), b.size()));
  q->resize(nq);
  r->resize(nr);
}

Limbs ModPow(const Limbs& base, const Limbs& exponent, const Limbs& modulus) {
  BigWork work;
  Limbs out(modulus.size());
  size_t n = 0;
  EXPECT_TRUE(ModPowMag(work, out.data(), &n, base.data(), base.size(), exponent.data(),
                        exponent.size(), modulus.data(), modulus.size()));
  out.resize(n);
  return out;
}

Limbs Gcd(const Limbs& a, const Limbs& b) {
  BigWork work;
  Limbs out(std::max(a.size(), b.size()));
  size_t n = 0;
  EXPECT_TRUE(GcdMag(work, out.data(), &n, a.data(), a.size(), b.data(), b.size()));
  out.resize(n);
  return out;
}

TEST(BigInt, AddsAndSubtracts) {
  for (size_t na : {0, 1, 2, 3, 4, 5, 8, 17}) {
    for (size_t nb : {0, 1, 2, 3, 4, 7, 9}) {
      const Limbs a = Pattern(na, na + 1);
      const Limbs b = Pattern(nb, nb + 100);
      const Limbs sum = Add(a, b);
      EXPECT_EQ(Sub(sum, a), b);
      EXPECT_EQ(Sub(sum, b), a);
      bool negative = false;
      Limbs difference(std::max(na, nb));
      difference.resize(SubMagSigned(difference.data(), &negative, a.data(), na, b.data(), nb));
      EXPECT_EQ(negative, CompareMag(a.data(), na, b.data(), nb) < 0);
      EXPECT_EQ(negative ? Add(a, difference) : Add(b, difference), negative ? b : a);
    }
  }
  EXPECT_EQ(Add(Limbs(5, ~Limb{0}), {1}), Limbs({0, 0, 0, 0, 0, 1}));
}

TEST(BigInt, MultipliesLikeSchoolbook) {
  const size_t sizes[] = {1,  2,   3,   23,  24,  25,  39,  40,  51,
                          52, 103, 159, 160, 161, 162, 250, 481, 1500};
  for (size_t na : sizes) {
    for (size_t nb : sizes) {
      if (nb > na) continue;
      const Limbs a = Pattern(na, na);
      const Limbs b = Pattern(nb, nb + 7);
      ASSERT_EQ(Mul(a, b), Schoolbook(a, b)) << na << " " << nb;
    }
    const Limbs a = Pattern(na, 3 * na);
    ASSERT_EQ(Mul(a, a), Schoolbook(a, a)) << na;
    const Limbs ones(na, ~Limb{0});
    ASSERT_EQ(Mul(ones, ones), Schoolbook(ones, Limbs(ones))) << na;
  }
}

TEST(BigInt, MultipliesByTransforms) {
  for (size_t na : {5000, 6144, 7288}) {
    const Limbs a = Pattern(na, na);
    for (size_t nb : {5000, 6144}) {
      if (nb > na) continue;
      const Limbs b = Pattern(nb, nb);
      ASSERT_EQ(Mul(a, b), Schoolbook(a, b)) << na << " " << nb;
    }
    const Limbs ones(na, ~Limb{0});
    ASSERT_EQ(Mul(ones, ones), Schoolbook(ones, Limbs(ones))) << na;
  }
  // (2**n - 1)**2 = 2**2n - 2**(n+1) + 1, for lengths with three and with four quarters.
  for (size_t n : {40000, 65536, 100000}) {
    const Limbs square = Mul(Limbs(n, ~Limb{0}), Limbs(n, ~Limb{0}));
    ASSERT_EQ(square.size(), 2 * n);
    EXPECT_EQ(square[0], 1u);
    EXPECT_EQ(square[n], ~Limb{0} - 1);
    for (size_t i = 1; i < 2 * n; ++i) {
      const Limb expected = i < n ? 0 : i == n ? ~Limb{0} - 1 : ~Limb{0};
      ASSERT_EQ(square[i], expected) << i;
    }
  }
}

TEST(BigInt, Divides) {
  const size_t sizes[] = {1, 2, 3, 4, 20, 55, 56, 57, 112, 113, 200, 500, 2500};
  for (size_t nb : sizes) {
    for (size_t nq : sizes) {
      const Limbs b = Pattern(nb, nb + 5);
      const Limbs quotient = Pattern(nq, nq + 9);
      for (int kind = 0; kind < 3; ++kind) {
        // Remainders 0, 1 less than the divisor, and something between.
        Limbs rest = kind == 0 ? Limbs{} : kind == 1 ? Sub(b, {1}) : Pattern(nb / 2, 77);
        if (CompareMag(rest.data(), rest.size(), b.data(), b.size()) >= 0) rest.clear();
        Limbs q;
        Limbs r;
        DivMod(Add(Mul(quotient, b), rest), b, &q, &r);
        ASSERT_EQ(q, quotient) << nb << " " << nq << " " << kind;
        ASSERT_EQ(r, rest) << nb << " " << nq << " " << kind;
      }
    }
  }
  // Quotient digits that the two-limb estimate gets wrong.
  Limbs q;
  Limbs r;
  const Limbs tricky = {0, ~Limb{0}, Limb{1} << 63};
  DivMod({~Limb{0}, 0, ~Limb{0}, (Limb{1} << 63) - 1}, tricky, &q, &r);
  EXPECT_EQ(Add(Mul(q, tricky), r), Limbs({~Limb{0}, 0, ~Limb{0}, (Limb{1} << 63) - 1}));
}

TEST(BigInt, DividesByOneLimb) {
  for (size_t n : {1, 2, 3, 10}) {
    for (Limb d : {Limb{1}, Limb{3}, Limb{10}, Limb{1} << 63, ~Limb{0}}) {
      const Limbs a = Pattern(n, d);
      Limbs q(n);
      size_t nq = 0;
      const Limb rest = DivModLimb(q.data(), &nq, a.data(), n, d);
      q.resize(nq);
      EXPECT_LT(rest, d);
      EXPECT_EQ(Add(Mul(q, {d}), Normalized({rest})), a);
      EXPECT_EQ(DivModLimb(nullptr, nullptr, a.data(), n, d), rest);
    }
  }
}

TEST(BigInt, Shifts) {
  const Limbs a = Pattern(5, 1);
  for (uint64_t bits : {0, 1, 63, 64, 65, 128, 200}) {
    Limbs up(a.size() + bits / 64 + 1);
    up.resize(ShiftLeftMag(up.data(), a.data(), a.size(), bits));
    Limbs down(up.size() + 1);
    down.resize(ShiftRightFloor(down.data(), up.data(), up.size(), true, bits));
    EXPECT_EQ(down, a);
  }
  Limbs out(3);
  const Limbs all = {~Limb{0}, ~Limb{0}};
  EXPECT_EQ(ShiftRightFloor(out.data(), all.data(), 2, true, 64), 2u);  // -(2**128 - 1) >> 64
  EXPECT_EQ(out[0], 0u);
  EXPECT_EQ(out[1], 1u);
  EXPECT_EQ(ShiftRightFloor(out.data(), all.data(), 2, true, 1000), 1u);
  EXPECT_EQ(out[0], 1u);
  EXPECT_EQ(ShiftRightFloor(out.data(), all.data(), 2, false, 1000), 0u);
}

TEST(BigInt, BitOperationsAgreeWithInt64) {
  const int64_t values[] = {
      0, 1, -1, 2, -2, 255, -256, INT64_MAX, INT64_MIN + 1, -6148914691236517206};
  for (int64_t x : values) {
    for (int64_t y : values) {
      const Limbs a = Normalized({static_cast<Limb>(x < 0 ? -x : x)});
      const Limbs b = Normalized({static_cast<Limb>(y < 0 ? -y : y)});
      for (BitOp op : {BitOp::kAnd, BitOp::kOr, BitOp::kXor}) {
        const int64_t expected = op == BitOp::kAnd ? x & y : op == BitOp::kOr ? x | y : x ^ y;
        Limb out[2];
        bool negative = false;
        const size_t n =
            BitwiseMag(op, out, &negative, a.data(), a.size(), x < 0, b.data(), b.size(), y < 0);
        const uint64_t got = n == 0 ? 0 : out[0];
        EXPECT_EQ(static_cast<int64_t>(negative ? -got : got), expected) << x << " " << y;
      }
    }
  }
  // -2**64 | ... : a result one limb longer than the operands.
  Limb out[2];
  bool negative = false;
  const Limb a = ~Limb{0};
  const Limb b = 2;
  ASSERT_EQ(BitwiseMag(BitOp::kAnd, out, &negative, &a, 1, true, &b, 1, true), 2u);
  EXPECT_TRUE(negative);
  EXPECT_EQ(out[1], 1u);
  EXPECT_EQ(out[0], 0u);
}

TEST(BigInt, Bytes) {
  uint8_t bytes[4];
  const Limb v200 = 200;
  EXPECT_TRUE(MagToBytes(bytes, 1, true, false, &v200, 1, false));
  EXPECT_FALSE(MagToBytes(bytes, 1, true, true, &v200, 1, false));
  EXPECT_FALSE(MagToBytes(bytes, 2, true, false, &v200, 1, true));
  EXPECT_TRUE(MagToBytes(bytes, 3, false, true, &v200, 1, true));
  EXPECT_EQ(bytes[0], 0xFF);
  EXPECT_EQ(bytes[2], 0x38);
  const Limb v128 = 128;
  EXPECT_TRUE(MagToBytes(bytes, 1, true, true, &v128, 1, true));
  EXPECT_FALSE(MagToBytes(bytes, 1, true, true, &v128, 1, false));
  EXPECT_TRUE(MagToBytes(bytes, 0, true, true, nullptr, 0, false));

  for (bool little : {false, true}) {
    for (size_t size : {1, 7, 8, 9, 24, 25}) {
      std::vector<uint8_t> in(size);
      for (size_t i = 0; i < size; ++i) in[i] = static_cast<uint8_t>(0x81 + 13 * i);
      in[little ? size - 1 : 0] = 0x93;
      for (bool is_signed : {false, true}) {
        Limbs a(MagFromBytesSize(size));
        bool negative = false;
        const size_t n = MagFromBytes(a.data(), &negative, in.data(), size, little, is_signed);
        EXPECT_EQ(negative, is_signed);
        std::vector<uint8_t> back(size);
        EXPECT_TRUE(MagToBytes(back.data(), size, little, is_signed, a.data(), n, negative));
        EXPECT_EQ(back, in);
      }
    }
  }
}

TEST(BigInt, TextRoundTrip) {
  for (int base = 2; base <= 36; ++base) {
    for (size_t n : {0, 1, 2, 5, 24, 25, 49, 120, 700}) {
      const Limbs a = Pattern(n, static_cast<uint64_t>(base));
      const std::string text = Text(a, base);
      ASSERT_EQ(Parse(text, base), a) << base << " " << n;
    }
  }
  EXPECT_EQ(Text(Parse("340282366920938463463374607431768211456")),
            "340282366920938463463374607431768211456");
  EXPECT_EQ(Parse("340282366920938463463374607431768211456"), Limbs({0, 0, 1}));
  EXPECT_EQ(Text({0, 0, 1}, 16), "100000000000000000000000000000000");
  EXPECT_EQ(Text({~Limb{0}, 5}, 36), "ncwc66d0sqsqn");
  std::string nines(100000, '9');
  EXPECT_EQ(Text(Parse(nines)), nines);
  std::string power = "1" + std::string(77777, '0');
  EXPECT_EQ(Text(Parse(power)), power);
}

TEST(BigInt, ScansIntGrammar) {
  const auto scan = [](std::string_view text, int base) {
    IntText out;
    if (!ScanIntText(text, base, &out)) return std::string("invalid");
    return std::string(out.negative ? "-" : "") + std::string(out.digits) + "/" +
           std::to_string(out.base);
  };
  EXPECT_EQ(scan("123", 10), "123/10");
  EXPECT_EQ(scan("-1_000", 10), "-1_000/10");
  EXPECT_EQ(scan("+0x_fF", 0), "fF/16");
  EXPECT_EQ(scan("0b101", 0), "101/2");
  EXPECT_EQ(scan("0b101", 16), "0b101/16");
  EXPECT_EQ(scan("0o17", 8), "17/8");
  EXPECT_EQ(scan("00", 0), "00/10");
  EXPECT_EQ(scan("0_0", 0), "0_0/10");
  EXPECT_EQ(scan("z", 36), "z/36");
  for (std::string_view bad :
       {"", "-", "_1", "1_", "1__2", "0x", "012", " 1", "1 ", "--1", "0x_", "0x1_", "0_x1"}) {
    EXPECT_EQ(scan(bad, 0), "invalid") << bad;
  }
  EXPECT_EQ(scan("0x10", 10), "invalid");
  EXPECT_EQ(scan("8", 8), "invalid");
  int64_t value = 0;
  EXPECT_TRUE(SmallFromText("9_223_372_036_854_775_807", 10, &value));
  EXPECT_EQ(value, INT64_MAX);
  EXPECT_FALSE(SmallFromText("9223372036854775808", 10, &value));
}

TEST(BigInt, Gcd) {
  EXPECT_EQ(Gcd({}, {}), Limbs{});
  EXPECT_EQ(Gcd({12}, {18}), Limbs{6});
  EXPECT_EQ(Gcd64(0, 5), 5u);
  EXPECT_EQ(Gcd64(uint64_t{1} << 63, 48), 16u);
  for (size_t n : {1, 2, 10, 100}) {
    const Limbs g = Pattern(n, 3);
    // Neighbours are coprime.
    const Limbs x = Pattern(40, 5);
    EXPECT_EQ(Gcd(Mul(g, x), Mul(g, Add(x, {1}))), g);
  }
  EXPECT_EQ(Text(Gcd(Parse("23402583092634034340234"), Parse("9809238502983509823450"))), "2");
}

TEST(BigInt, ModularPowersAndInverses) {
  EXPECT_EQ(ModPow({3}, {}, {7}), Limbs{1});
  EXPECT_EQ(ModPow({3}, {5}, {1}), Limbs{});
  EXPECT_EQ(ModPow({10}, {3}, {1000}), Limbs{});
  EXPECT_EQ(ModPow({7}, {560}, {561}), Limbs{1});
  // Fermat for the Mersenne primes 2**127 - 1 and 2**521 - 1, and an even modulus.
  const Limbs m127 = {~Limb{0}, ~Limb{0} >> 1};
  EXPECT_EQ(ModPow(Pattern(9, 2), Sub(m127, {1}), m127), Limbs{1});
  Limbs m521(9, ~Limb{0});
  m521[8] = 0x1FF;
  EXPECT_EQ(ModPow({5}, Sub(m521, {1}), m521), Limbs{1});
  EXPECT_EQ(ModPow(Parse("123456789012345678901234567890"), Parse("987654321"),
                   Parse("1" + std::string(40, '0'))),
            Limbs{});
  // Moduli of several sizes and parities agree with plain squaring.
  for (size_t n : {1, 2, 23, 24, 30, 161}) {
    for (Limb low : {Limb{0}, Limb{1}}) {
      Limbs m = Pattern(n, 8);
      m[0] = (m[0] & ~Limb{1}) | low;
      if (n == 1) m[0] |= 64;
      Limbs base;
      Limbs q;
      DivMod(Pattern(n + 2, 9), m, &q, &base);
      const Limb exponent = 0xD5;
      Limbs expected = {1};
      for (int bit = 7; bit >= 0; --bit) {
        Limbs r;
        DivMod(Mul(expected, expected), m, &q, &r);
        expected = r;
        if (exponent >> bit & 1) {
          DivMod(Mul(expected, base), m, &q, &r);
          expected = r;
        }
      }
      EXPECT_EQ(ModPow(base, {exponent}, m), expected) << n << " " << low;
    }
  }
  BigWork work;
  for (size_t n : {1, 2, 10, 60}) {
    const Limbs m = Pattern(n, 21);
    const Limbs a = Pattern(n + 1, 22);
    Limbs inverse(n + 1);
    size_t size = 0;
    bool exists = false;
    ASSERT_TRUE(
        ModInverseMag(work, inverse.data(), &size, &exists, a.data(), a.size(), m.data(), n));
    const bool coprime = Gcd(a, m) == Limbs{1};
    ASSERT_EQ(exists, coprime);
    if (!exists) continue;
    inverse.resize(size);
    Limbs q;
    Limbs r;
    DivMod(Mul(inverse, a), m, &q, &r);
    EXPECT_EQ(r, Limbs{1}) << n;
  }
}

TEST(BigInt, IntegerSquareRoots) {
  for (uint64_t a : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{4},
                     uint64_t{4503599761588224}, uint64_t{4503599761588223}, ~uint64_t{0}}) {
    const unsigned __int128 root = IntegerSqrt64(a);
    EXPECT_LE(root * root, a);
    EXPECT_GT((root + 1) * (root + 1), a);
  }
  BigWork work;
  for (size_t n : {1, 2, 3, 4, 5, 7, 16, 33, 150}) {
    const Limbs root = Pattern(n, n);
    const Limbs square = Mul(root, root);
    for (int delta = -1; delta <= 1; ++delta) {
      const Limbs a = delta < 0 ? Sub(square, {1}) : delta > 0 ? Add(square, {1}) : square;
      Limbs out((a.size() + 1) / 2);
      size_t size = 0;
      bool exact = false;
      ASSERT_TRUE(IntegerSqrtMag(work, out.data(), &size, &exact, a.data(), a.size()));
      out.resize(size);
      EXPECT_EQ(out, delta < 0 ? Sub(root, {1}) : root) << n << " " << delta;
      EXPECT_EQ(exact, delta == 0);
    }
  }
}

TEST(BigInt, PowersAndRanges) {
  BigWork work;
  const Limbs ten = {10};
  Limbs out(PowMagSize(ten.data(), 1, 100));
  size_t n = 0;
  ASSERT_TRUE(PowMag(work, out.data(), &n, ten.data(), 1, 100));
  out.resize(n);
  EXPECT_EQ(Text(out), "1" + std::string(100, '0'));
  EXPECT_EQ(PowMagSize(ten.data(), 1, ~uint64_t{0}), SIZE_MAX);

  Limbs factorial(30);
  ASSERT_TRUE(ProductOfRange(work, factorial.data(), &n, 1, 1, 30));
  factorial.resize(n);
  EXPECT_EQ(Text(factorial), "265252859812191058636308480000000");
  Limbs large(3000);
  ASSERT_TRUE(ProductOfRange(work, large.data(), &n, 1, 1, 3000));
  large.resize(n);
  const std::string digits = Text(large);
  EXPECT_EQ(digits.size(), 9131u);
  EXPECT_EQ(digits.substr(0, 20), "41493596034378540855");
  EXPECT_EQ(digits.find_last_not_of('0'), digits.size() - 749);
}

TEST(BigInt, Doubles) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(MagToDouble(nullptr, 0), 0);
  const auto to_double = [](const Limbs& a) { return MagToDouble(a.data(), a.size()); };
  EXPECT_EQ(to_double({(Limb{1} << 53) + 1}), 9007199254740992.0);
  EXPECT_EQ(to_double({(Limb{1} << 53) + 3}), 9007199254740996.0);
  EXPECT_EQ(to_double({1, Limb{1} << 53}), std::ldexp(1.0, 117));
  EXPECT_EQ(to_double({(Limb{1} << 63) + 1, Limb{1} << 52}), std::ldexp(4503599627370497.0, 64));
  EXPECT_EQ(to_double({Limb{1} << 63, Limb{1} << 52}), std::ldexp(1.0, 116));
  EXPECT_EQ(to_double(Limbs(16, ~Limb{0})), inf);
  EXPECT_EQ(to_double(Limbs(17, 1)), inf);
  Limbs largest(16, 0);
  largest[15] = ~Limb{0} << 11;
  EXPECT_EQ(to_double(largest), std::numeric_limits<double>::max());
  largest[15] |= 0x3FF;
  EXPECT_EQ(to_double(largest), std::numeric_limits<double>::max());
  largest[15] |= 0x400;
  EXPECT_EQ(to_double(largest), inf);

  int64_t exponent = 0;
  const Limbs huge(1000, ~Limb{0});
  EXPECT_EQ(MagFrexp(huge.data(), huge.size(), &exponent), 0.5);
  EXPECT_EQ(exponent, 64001);

  Limb out[kDoubleLimbs];
  EXPECT_EQ(MagFromDouble(out, 0.99), 0u);
  EXPECT_EQ(MagFromDouble(out, -3.7), 1u);
  EXPECT_EQ(out[0], 3u);
  EXPECT_EQ(MagFromDouble(out, std::numeric_limits<double>::max()), 16u);
  EXPECT_EQ(out[15], ~Limb{0} << 11);

  const Limbs a = {(Limb{1} << 53) + 1};
  EXPECT_EQ(CompareMagDouble(a.data(), 1, false, 9007199254740992.0), 1);
  EXPECT_EQ(CompareMagDouble(a.data(), 1, true, -9007199254740992.0), -1);
  EXPECT_EQ(CompareMagDouble(a.data(), 1, false, inf), -1);
  EXPECT_EQ(CompareMagDouble(a.data(), 1, false, std::nan("")), 2);
  const Limbs three = {3};
  EXPECT_EQ(CompareMagDouble(three.data(), 1, false, 3.5), -1);
  EXPECT_EQ(CompareMagDouble(three.data(), 1, true, -3.5), 1);
  EXPECT_EQ(CompareMagDouble(nullptr, 0, false, -0.0), 0);
}

TEST(BigInt, TrueDivision) {
  BigWork work;
  const auto divide = [&](const Limbs& a, const Limbs& b) {
    double result = -1;
    EXPECT_TRUE(TrueDivideMag(work, &result, a.data(), a.size(), b.data(), b.size()));
    return result;
  };
  EXPECT_EQ(divide({1}, {3}), 1.0 / 3);
  EXPECT_EQ(divide(Parse("1" + std::string(400, '0')), Parse("3" + std::string(400, '0'))),
            1.0 / 3);
  EXPECT_EQ(divide(Parse("1" + std::string(400, '0')), {1}),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(divide({1}, Parse("1" + std::string(400, '0'))), 0);
  EXPECT_EQ(divide({1}, Parse("1" + std::string(320, '0'))), 1e-320);
  Limbs power(17, 0);
  power[16] = Limb{1} << 50;  // 2**1074
  EXPECT_EQ(divide({1}, power), 5e-324);
  power[16] = Limb{1} << 51;
  EXPECT_EQ(divide({1}, power), 0);
  EXPECT_EQ(divide({3}, power), 1e-323);
}

// The two ways out of a long computation.
struct Host {
  size_t allocations_left;
  int polls_left;
};

TEST(BigInt, FailsCleanlyWithoutMemory) {
  const Limbs a = Pattern(3000, 1);
  Limbs out(6000);
  for (size_t allowed = 0; allowed < 12; ++allowed) {
    Host host{allowed, 1 << 30};
    BigWork work(
        &host,
        [](void* h, size_t bytes) -> void* {
          Host* self = static_cast<Host*>(h);
          return self->allocations_left-- == 0 ? nullptr : std::malloc(bytes);
        },
        [](void*, void* block, size_t) { std::free(block); },
        [](void* h) { return static_cast<Host*>(h)->polls_left-- > 0; });
    std::string text(MagDigitsBound(a.data(), a.size(), 10), '?');
    size_t n = 0;
    EXPECT_FALSE(MagToText(work, text.data(), &n, a.data(), a.size(), 10));
    EXPECT_EQ(work.status(), BigStatus::kNoMemory);
  }
}

TEST(BigInt, StopsWhenInterrupted) {
  const Limbs a = Pattern(60000, 1);
  Limbs out(120000);
  for (int allowed = 0; allowed < 4; ++allowed) {
    Host host{1000000, allowed};
    BigWork work(
        &host, [](void*, size_t bytes) { return std::malloc(bytes); },
        [](void*, void* block, size_t) { std::free(block); },
        [](void* h) { return static_cast<Host*>(h)->polls_left-- > 0; });
    size_t n = 0;
    EXPECT_FALSE(SquareMag(work, out.data(), &n, a.data(), a.size()));
    EXPECT_EQ(work.status(), BigStatus::kInterrupted);
    EXPECT_EQ(host.polls_left, -1);
  }
}

}  // namespace
}  // namespace minivm
