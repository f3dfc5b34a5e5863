// Doubles to text and back, by Python's rules.
//
// Digits come from float_digits, and values from std::from_chars, which are exact and
// correctly rounded for every precision; what lives here is Python's layout
// around them: repr() thresholds, the presentation codes of format() and %,
// hexadecimal floats, float()'s grammar. Padding, grouping and signs other than
// '-' belong to the format protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/support/big_int.h"

namespace minivm {

// Longest repr(float): "-1.2345678901234567e-308".
inline constexpr size_t kFloatReprSize = 32;

// Writes repr(value) ("1e+16", "0.1", "inf", "nan", always with '.', 'e' or a name); returns its
// length. Room for kFloatReprSize characters; no terminator.
size_t FloatRepr(char* out, double value);

// The same without the ".0" that marks a float, as complex numbers are shown ("1", "-0").
size_t FloatReprBare(char* out, double value);

// How many characters FormatFloat may write.
size_t FormatFloatSize(double value, char code, int precision);

// Writes value in presentation `code`: one of e E f F g G n % (n is g here: the caller localises).
// `alternate` keeps the point (and g's trailing zeros). A leading '-' is written for negative
// numbers, including -0.0 and -inf; nan has no sign. '%' multiplies by 100 and appends the sign.
// Returns the length. REQUIRES: 0 <= precision; the caller bounds it (room: FormatFloatSize).
size_t FormatFloat(char* out, double value, char code, int precision, bool alternate);

// format()'s type-less presentation: repr if precision < 0, else like g but with at least one digit
// after the point, and in exponent form from `precision` digits before the point on.
// Room: FormatFloatSize(value, 'g', precision < 0 ? 17 : precision).
size_t FormatFloatDefault(char* out, double value, int precision, bool alternate);

// round(value, digits): correctly rounded, ties to even of the exact binary value. *overflow is set
// when a finite value would round to infinity. Any `digits` is valid.
double RoundToDigits(double value, int64_t digits, bool* overflow);

// float.hex(). Room for kFloatHexSize.
inline constexpr size_t kFloatHexSize = 32;
size_t FloatToHex(char* out, double value);

enum class FloatParse : uint8_t { kOk, kInvalid, kOverflow };

// float.fromhex() on text without surrounding whitespace; correctly rounded; kOverflow = too large.
FloatParse ParseHexFloat(std::string_view text, double* out);

// float(text) on ASCII text without surrounding whitespace: sign, digits with single underscores,
// point, exponent, or inf/infinity/nan in any case. Overflow gives infinity, underflow zero.
// False: not a float. Needs no memory, however long the text.
bool ParseFloat(std::string_view text, double* out);

// Same grammar without underscores, stopping where the number ends (lexer, json, %-parsing):
// returns the number of characters used, 0 = none. Names (inf, nan) are not read.
size_t ParseDecimalPrefix(std::string_view text, double* out);

// value = +-mantissa * 2**exponent with mantissa odd (or both 0). REQUIRES: value is finite.
struct FloatParts {
  bool negative = false;
  uint64_t mantissa = 0;
  int exponent = 0;
};
FloatParts DecomposeFloat(double value);

// float.as_integer_ratio(): |numerator| and denominator in lowest terms; sign as in value.
// REQUIRES: value is finite. Room for kRatioLimbs each.
inline constexpr size_t kRatioLimbs = 18;
void AsIntegerRatio(double value, Limb* numerator, size_t* numerator_size, Limb* denominator,
                    size_t* denominator_size);

// True and the integer, if value is a whole number in int64 range (keys 1.0 and 1 must meet).
bool FloatToInt64(double value, int64_t* out);

}  // namespace minivm
