// The decimal digits of doubles: the fewest that tell a double from its neighbours, so many of the
// exact value, or those up to a decimal place.
//
// The C++ library has all this in std::to_chars, with 110 KB of tables to be quick where digits are
// asked for by the hundred. Here 128 bits are exact for nearly all that programs print; float_exact
// does the rest, slower.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

// digits * 10**exponent
struct Decimal {
  uint64_t digits;
  int exponent;
};

// The decimal that is read back as `value` and has the fewest digits, of these the nearest. At most
// 17 digits, the last of which may be zeros. REQUIRES: value finite and positive.
Decimal ShortestDecimal(double value);

// Writes n in decimal; returns the end.
char* WriteDecimal(char* out, uint64_t n);

// `count` significant digits of value, rounded half to even, without a point; returns the exponent
// of the first. REQUIRES: value finite and not negative, count > 0.
int WriteSignificant(char* out, double value, int count);

// "ddd.ddd" with `precision` digits behind the point, none and no point if it is 0.
// REQUIRES: value finite and not negative. Returns the end.
char* WriteFixed(char* out, double value, int precision);

}  // namespace minivm
