// Exact rounding of doubles at a decimal place.
#include "runtime/support/float_digits.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace minivm {

namespace {

using Wide = unsigned __int128;

constexpr int kMostPlaces = 22;  // 10**22 has 74 bits, the mantissa of a double 53
constexpr int kMostDigits = 40;  // of 128 bits

int BitWidth(Wide n) {
  const auto high = static_cast<uint64_t>(n >> 64);
  return high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<uint64_t>(n));
}

Wide PowerOfTen(int exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// *out = value * 10**places, rounded half to even; false if that does not go into 128 bits.
bool Scale(double value, int places, Wide* out) {
  if (places > kMostPlaces) return false;
  if (value == 0) {
    *out = 0;
    return true;
  }
  int exponent;
  auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  const int zeros = std::countr_zero(mantissa);
  exponent += zeros - 53;
  const Wide n = (mantissa >> zeros) * PowerOfTen(places);
  if (exponent >= 0) {
    if (BitWidth(n) + exponent > 127) return false;
    *out = n << exponent;
  } else if (exponent <= -128) {
    *out = 0;  // less than half
  } else {
    const Wide half = Wide{1} << (-exponent - 1), rest = n & (2 * half - 1);
    *out = n >> -exponent;
    *out += rest > half || (rest == half && (*out & 1));
  }
  return true;
}

// Writes n in decimal, without leading zeros; returns the end.
char* WriteWide(char* out, Wide n) {
  constexpr uint64_t kChunk = 10000000000000000000u;  // 10**19
  if (n <= UINT64_MAX) return std::to_chars(out, out + 20, static_cast<uint64_t>(n)).ptr;
  char* const middle = WriteWide(out, n / kChunk);
  char* const end = middle + 19;
  char* const digits = std::to_chars(middle, end, static_cast<uint64_t>(n % kChunk)).ptr;
  const auto count = static_cast<size_t>(digits - middle);
  std::memmove(end - count, middle, count);
  std::memset(middle, '0', 19 - count);
  return end;
}

}  // namespace

char* WriteFixed(char* out, char* limit, double value, int precision) {
  Wide scaled;
  if (!Scale(value, precision, &scaled))
    return std::to_chars(out, limit, value, std::chars_format::fixed, precision).ptr;
  char digits[kMostDigits];
  const int count = static_cast<int>(WriteWide(digits, scaled) - digits);
  const int whole = count > precision ? count - precision : 0;
  if (whole == 0) *out++ = '0';
  std::memcpy(out, digits, static_cast<size_t>(whole));
  out += whole;
  if (precision == 0) return out;
  *out++ = '.';
  for (int zeros = precision - count; zeros > 0; --zeros) *out++ = '0';
  std::memcpy(out, digits + whole, static_cast<size_t>(count - whole));
  return out + (count - whole);
}

}  // namespace minivm
