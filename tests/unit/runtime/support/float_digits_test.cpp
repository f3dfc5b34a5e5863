// The digits of doubles, against those of the C++ library.
#include "runtime/support/float_digits.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <random>
#include <string>

namespace minivm {
namespace {

// "d.ddde+XX"
std::string Scientific(std::string digits, int exponent) {
  if (digits.size() > 1) digits.insert(1, ".");
  const int size = std::abs(exponent);
  return digits + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + std::to_string(size);
}

std::string Shortest(double value) {
  const Decimal decimal = ShortestDecimal(value);
  char text[20];
  std::string digits(text, WriteDecimal(text, decimal.digits));
  const int exponent = decimal.exponent + static_cast<int>(digits.size()) - 1;
  digits.resize(digits.find_last_not_of('0') + 1);
  return Scientific(digits, exponent);
}

std::string Significant(double value, int count) {
  std::string digits(static_cast<size_t>(count), '?');
  const int exponent = WriteSignificant(digits.data(), value, count);
  return Scientific(digits, exponent);
}

std::string Fixed(double value, int precision) {
  char text[2000];
  return std::string(text, WriteFixed(text, value, precision));
}

// Nothing, or where we and the library differ.
std::string Difference(double value, int count, int precision) {
  char text[2000];
  auto expected = [&](auto... how) {
    return std::string(text, std::to_chars(text, text + sizeof(text), value, how...).ptr);
  };
  if (Shortest(value) != expected(std::chars_format::scientific)) return "shortest";
  if (Significant(value, count) != expected(std::chars_format::scientific, count - 1)) {
    return std::to_string(count) + " digits";
  }
  if (Fixed(value, precision) != expected(std::chars_format::fixed, precision)) {
    return std::to_string(precision) + " places";
  }
  return "";
}

TEST(FloatDigits, OfAllMagnitudes) {
  for (uint64_t exponent = 0; exponent < 2047; ++exponent) {
    for (const uint64_t mantissa :
         {uint64_t{0}, uint64_t{1}, uint64_t{1} << 51, (uint64_t{1} << 52) - 1}) {
      const auto value = std::bit_cast<double>(exponent << 52 | mantissa);
      if (value == 0) continue;
      const int n = static_cast<int>(exponent % 25);
      EXPECT_EQ(Difference(value, n + 1, n), "") << std::hexfloat << value;
    }
  }
}

TEST(FloatDigits, AroundPowersOfTen) {
  for (int exponent = -323; exponent <= 308; ++exponent) {
    double value = std::pow(10.0, exponent) * 0.9999999999999998;
    for (int i = 0; i < 4; ++i, value = std::nextafter(value, HUGE_VAL)) {
      for (const int n : {1, 6, 17}) {
        EXPECT_EQ(Difference(value, n, n), "") << std::hexfloat << value;
      }
    }
  }
}

TEST(FloatDigits, Halves) {  // which are rounded to even
  for (int i = 1; i < 4000; ++i) {
    EXPECT_EQ(Difference(i / 1024.0, i % 9 + 1, i % 10), "") << i;
    EXPECT_EQ(Difference(i * 5e17, i % 9 + 1, 0), "") << i;
  }
}

TEST(FloatDigits, AtRandom) {
  std::mt19937_64 random(20261130);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random() >> 1);
    if (!std::isfinite(value) || value == 0) continue;
    const int most = i % 16 == 0 ? 800 : 20;
    const int n = static_cast<int>(random() % static_cast<uint64_t>(most));
    EXPECT_EQ(Difference(value, n + 1, n), "") << std::hexfloat << value;
  }
}

}  // namespace
}  // namespace minivm
