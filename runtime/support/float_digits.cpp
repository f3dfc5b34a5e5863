// Digits of doubles by arithmetic of 128 bits.
#include "runtime/support/float_digits.h"

#include <array>
#include <bit>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstring>

#include "runtime/support/float_exact.h"

namespace minivm {

namespace {

using Wide = unsigned __int128;

constexpr int kMostPlaces = 22;   // 10**22 has 74 bits, the mantissa of a double 53
constexpr int kMostDivided = 36;  // twice 10**36 goes into 128 bits
constexpr int kMostDigits = 40;   // of 128 bits

int BitWidth(Wide n) {
  const auto high = static_cast<uint64_t>(n >> 64);
  return high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<uint64_t>(n));
}

constexpr std::array<Wide, kMostDivided + 1> kTens = [] {
  std::array<Wide, kMostDivided + 1> tens{1};
  for (int i = 1; i <= kMostDivided; ++i) tens[i] = tens[i - 1] * 10;
  return tens;
}();

// *out = value * 10**places, rounded half to even; false if that does not go into 128 bits.
bool Scale(double value, int places, Wide* out) {
  if (places > kMostPlaces || places < -kMostDivided) return false;
  if (value == 0) {
    *out = 0;
    return true;
  }
  int exponent;
  auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  const int zeros = std::countr_zero(mantissa);
  exponent += zeros - 53;
  const Wide n = (mantissa >> zeros) * kTens[places > 0 ? places : 0];
  if (places < 0) {
    Wide divisor = kTens[-places], dividend = n;
    if (exponent >= 0) {
      if (BitWidth(n) + exponent > 128) return false;
      dividend <<= exponent;
    } else {
      if (BitWidth(divisor) - exponent > 127) return false;
      divisor <<= -exponent;
    }
    const Wide twice = dividend % divisor * 2;
    *out = dividend / divisor;
    *out += twice > divisor || (twice == divisor && (*out & 1));
  } else if (exponent >= 0) {
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
  if (n <= UINT64_MAX) return WriteDecimal(out, static_cast<uint64_t>(n));
  char* const middle = WriteWide(out, n / kChunk);
  char* const end = middle + 19;
  char* const digits = WriteDecimal(middle, static_cast<uint64_t>(n % kChunk));
  const auto count = static_cast<size_t>(digits - middle);
  std::memmove(end - count, middle, count);
  std::memset(middle, '0', 19 - count);
  return end;
}

// The upper 128 bits of powers of ten, rounded up; the highest bit is set.
struct Power {
  uint64_t high, low;
};
constexpr int kLeastPower = -292, kMostPower = 324;
using Powers = std::array<Power, kMostPower - kLeastPower + 1>;

// Powers of five as long numbers (they have the bits of those of ten), the lowest limb first.
constexpr int kLimbs = 27;
struct Long {
  uint32_t limbs[kLimbs] = {};

  constexpr void Multiply() {
    uint64_t carry = 0;
    for (uint32_t& limb : limbs) {
      carry += uint64_t{limb} * 5;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  constexpr void Divide() {
    uint64_t rest = 0;
    for (int i = kLimbs; i-- > 0;) {
      rest = rest << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(rest / 5);
      rest %= 5;
    }
  }
  // `inexact`: there is something below the last limb.
  constexpr Power Upper(bool inexact) const {
    int top = kLimbs - 1;
    while (limbs[top] == 0) --top;
    const int zeros = std::countl_zero(limbs[top]);
    uint32_t words[5] = {};
    for (int i = 0; i < 5 && i <= top; ++i) words[i] = limbs[top - i];
    uint32_t shifted[4] = {};
    for (int i = 0; i < 4; ++i) {
      shifted[i] = static_cast<uint32_t>((uint64_t{words[i]} << 32 | words[i + 1]) << zeros >> 32);
    }
    if (words[4] << zeros != 0) inexact = true;
    for (int i = top - 5; i >= 0; --i) inexact |= limbs[i] != 0;
    Power power{uint64_t{shifted[0]} << 32 | shifted[1], uint64_t{shifted[2]} << 32 | shifted[3]};
    if (inexact && ++power.low == 0) ++power.high;
    return power;
  }
};

constexpr Powers MakePowers() {
  Powers powers{};
  Long up, down;
  up.limbs[0] = 1;
  down.limbs[kLimbs - 1] = 1;
  for (int i = 0; i <= kMostPower; ++i, up.Multiply()) powers[i - kLeastPower] = up.Upper(false);
  for (int i = -1; i >= kLeastPower; --i) {
    down.Divide();
    powers[i - kLeastPower] = down.Upper(true);
  }
  return powers;
}

constexpr Powers kPowers = MakePowers();

// Rounded down, for all exponents of doubles.
int Log10OfPower2(int e) { return (e * 1262611) >> 22; }
int Log10OfThreeQuarters(int e) { return (e * 1262611 - 524031) >> 22; }  // of 2**e * 3/4
int Log2OfPower10(int e) { return (e * 1741647) >> 19; }

// *out = value * 10**places, rounded, where the upper bits of the power tell which way; false if
// not, or if that is not below 2**63.
bool ScaleNearly(double value, int places, uint64_t* out) {
  if (places < kLeastPower || places > kMostPower) return false;
  int exponent;
  const auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 64));
  const Power& power = kPowers[places - kLeastPower];
  const Wide product =
      Wide{power.high} * mantissa + static_cast<uint64_t>(Wide{power.low} * mantissa >> 64);
  // Of 128 bits so many are behind the point. The exact product is less than 1 from this one.
  const int behind = 127 - exponent - Log2OfPower10(places);
  if (behind < 65 || behind > 127) return false;
  const Wide half = Wide{1} << (behind - 1), rest = product & (2 * half - 1);
  if (rest - half + 1 <= 2) return false;
  *out = static_cast<uint64_t>(product >> behind) + (rest > half);
  return true;
}

// The exponent of the first decimal digit of value, or one less.
int LeastExponent(double value) {
  int exponent;
  const double fraction = std::frexp(value, &exponent);
  // The logarithm to base 2 lies above its chords.
  const double least = (exponent - 1 + (2 * fraction - 1)) * 0.30102999566398120;
  const int whole = static_cast<int>(least);
  return whole - (least < whole);
}

// power * n / 2**128; the lowest bit tells, too, whether that is more than what is returned.
uint64_t MultiplyToOdd(const Power& power, uint64_t n) {
  const Wide low = Wide{power.low} * n;
  const Wide product = Wide{power.high} * n + static_cast<uint64_t>(low >> 64);
  return static_cast<uint64_t>(product >> 64) | (static_cast<uint64_t>(product) > 1);
}

}  // namespace

char* WriteDecimal(char* out, uint64_t n) { return std::to_chars(out, out + 20, n).ptr; }

// Raffaello Giulietti, "The Schubfach way to render doubles".
Decimal ShortestDecimal(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  const int biased = static_cast<int>(bits >> 52);
  const bool nearer_below = mantissa == 0 && biased > 1;  // to the double before than to the next
  int exponent = -1074;
  if (biased != 0) {
    mantissa |= uint64_t{1} << 52;
    exponent = biased - 1075;
  }
  if (exponent <= 0 && exponent > -53 && (mantissa & ((uint64_t{1} << -exponent) - 1)) == 0) {
    return {mantissa >> -exponent, 0};  // a whole number, all digits of which are needed
  }
  // In quarters of the distance to the next double, and times 10**-place: the value, and between
  // what other values it would be read back.
  const int place = nearer_below ? Log10OfThreeQuarters(exponent) : Log10OfPower2(exponent);
  const int shift = exponent + Log2OfPower10(-place) + 1;
  const Power& power = kPowers[-place - kLeastPower];
  const uint64_t middle = 4 * mantissa;
  const uint64_t scaled = MultiplyToOdd(power, middle << shift);
  const uint64_t odd = mantissa & 1;  // the limits themselves are rounded to even
  const uint64_t lower = MultiplyToOdd(power, (middle - (nearer_below ? 1 : 2)) << shift) + odd;
  const uint64_t upper = MultiplyToOdd(power, (middle + 2) << shift) - odd;
  const uint64_t digits = scaled / 4;
  if (digits >= 10) {
    const uint64_t fewer = digits / 10;
    const bool down = lower <= 40 * fewer, up = 40 * fewer + 40 <= upper;
    if (down != up) return {fewer + up, place + 1};
  }
  const bool down = lower <= 4 * digits, up = 4 * digits + 4 <= upper;
  if (down != up) return {digits + up, place};
  const uint64_t half = 4 * digits + 2;
  return {digits + (scaled > half || (scaled == half && digits % 2 != 0)), place};
}

int WriteSignificant(char* out, double value, int count) {
  const auto size = static_cast<size_t>(count);
  if (value == 0) {
    std::memset(out, '0', size);
    return 0;
  }
  int exponent = LeastExponent(value);
  char digits[kMostDigits];
  for (;; ++exponent) {  // if it was one less, or rounding made it one more
    const int places = count - 1 - exponent;
    char* end;
    uint64_t nearly;
    Wide scaled;
    if (ScaleNearly(value, places, &nearly)) {
      end = WriteDecimal(digits, nearly);
    } else if (Scale(value, places, &scaled)) {
      end = WriteWide(digits, scaled);
    } else {
      break;
    }
    if (end - digits != count) continue;
    std::memcpy(out, digits, size);
    return exponent;
  }
  ExactDecimal exact;
  RoundExactly(value, count, INT_MAX, &exact);
  const auto used = static_cast<size_t>(exact.count);
  std::memcpy(out, exact.digits, used);
  std::memset(out + used, '0', size - used);
  return exact.exponent;
}

char* WriteFixed(char* out, double value, int precision) {
  ExactDecimal exact;
  const char* digits = exact.digits;
  char few[kMostDigits];
  int count, exponent;  // of digits; of the first of them
  Wide scaled;
  if (Scale(value, precision, &scaled)) {
    digits = few;
    count = static_cast<int>(WriteWide(few, scaled) - few);
    exponent = count - 1 - precision;
  } else {
    RoundExactly(value, INT_MAX, precision, &exact);
    count = exact.count;
    exponent = exact.exponent;
  }
  // The digits at hand, or zeros before and after them, up to the point and behind it.
  auto put = [&](int n) {
    const int known = n < count ? n : count;
    std::memcpy(out, digits, static_cast<size_t>(known));
    std::memset(out + known, '0', static_cast<size_t>(n - known));
    out += n;
    digits += known;
    count -= known;
  };
  if (exponent >= 0) {
    put(exponent + 1);
  } else {
    *out++ = '0';
  }
  if (precision == 0) return out;
  *out++ = '.';
  int zeros = exponent < -1 ? -1 - exponent : 0;
  if (zeros > precision) zeros = precision;
  std::memset(out, '0', static_cast<size_t>(zeros));
  out += zeros;
  put(precision - zeros);
  return out;
}

}  // namespace minivm
