// The digits of doubles that 128 bits are too few for: large and tiny ones, and those by the
// hundred.
#pragma once

namespace minivm {

// No double has more than 767 significant digits; they come nine at a time.
inline constexpr int kExactDigits = 780;

struct ExactDecimal {
  char digits[kExactDigits];  // the first is not '0'; zeros may be left out at the end
  int count = 0;              // 0: the value, or what is left of it, is zero
  int exponent = 0;           // of the first digit
};

// value, rounded half to even to `most_digits` significant digits or to `most_places` behind the
// point, whichever are fewer. REQUIRES: value finite and not negative, most_digits > 0,
// most_places >= 0.
void RoundExactly(double value, int most_digits, int most_places, ExactDecimal* out);

}  // namespace minivm
