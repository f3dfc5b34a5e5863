// Doubles to text and back.
//
// The digits and their exponent come from float_digits and are laid out by Python's rules.
#include "runtime/support/float_format.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/support/big_int_internal.h"
#include "runtime/support/check.h"
#include "runtime/support/float_digits.h"

namespace minivm {

namespace {

// Digits d0 d1 d2 ...: the value d0.d1d2... * 10**exponent.
struct Digits {
  char* digits;
  size_t count;
  int exponent;
};

// Writes inf or nan; returns the end, or nullptr if value is finite. The sign comes first.
char* WriteSpecial(char* out, double value, bool upper) {
  if (std::isfinite(value)) return nullptr;
  if (std::isnan(value)) {
    std::memcpy(out, upper ? "NAN" : "nan", 3);
    return out + 3;
  }
  if (value < 0) *out++ = '-';
  std::memcpy(out, upper ? "INF" : "inf", 3);
  return out + 3;
}

char* Put(char* out, const char* digits, size_t count) {
  if (count != 0) std::memmove(out, digits, count);
  return out + count;
}

char* PutZeros(char* out, size_t count) {
  std::memset(out, '0', count);
  return out + count;
}

// d.ddde+XX
char* WriteExponentForm(char* out, const Digits& d, bool keep_point, bool upper) {
  *out++ = d.digits[0];
  if (d.count > 1 || keep_point) *out++ = '.';
  out = Put(out, d.digits + 1, d.count - 1);
  *out++ = upper ? 'E' : 'e';
  *out++ = d.exponent < 0 ? '-' : '+';
  const int exponent = d.exponent < 0 ? -d.exponent : d.exponent;
  if (exponent >= 100) *out++ = static_cast<char>('0' + exponent / 100);
  *out++ = static_cast<char>('0' + exponent / 10 % 10);
  *out++ = static_cast<char>('0' + exponent % 10);
  return out;
}

// ddd.ddd; a whole number ends in ".0" if `dot_zero`, in "." if `keep_point`, in nothing else.
char* WriteFixedForm(char* out, const Digits& d, bool keep_point, bool dot_zero) {
  if (d.exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    out = PutZeros(out, static_cast<size_t>(-d.exponent - 1));
    return Put(out, d.digits, d.count);
  }
  const size_t whole = static_cast<size_t>(d.exponent) + 1;
  if (d.count > whole) {
    out = Put(out, d.digits, whole);
    *out++ = '.';
    return Put(out, d.digits + whole, d.count - whole);
  }
  out = Put(out, d.digits, d.count);
  out = PutZeros(out, whole - d.count);
  if (dot_zero) {
    *out++ = '.';
    *out++ = '0';
  } else if (keep_point) {
    *out++ = '.';
  }
  return out;
}

size_t WriteRepr(char* out, double value, bool dot_zero, bool keep_point) {
  if (char* end = WriteSpecial(out, value, false)) return static_cast<size_t>(end - out);
  char text[kFloatReprSize];
  Digits d = {text, 1, 0};
  if (value == 0) {
    text[0] = '0';
  } else {
    const Decimal decimal = ShortestDecimal(std::fabs(value));
    d.count = static_cast<size_t>(WriteDecimal(text, decimal.digits) - text);
    d.exponent = decimal.exponent + static_cast<int>(d.count) - 1;
    while (d.count > 1 && text[d.count - 1] == '0') --d.count;
  }
  char* p = out;
  if (std::signbit(value)) *p++ = '-';
  p = d.exponent < -4 || d.exponent >= 16 ? WriteExponentForm(p, d, keep_point, false)
                                          : WriteFixedForm(p, d, keep_point, dot_zero);
  return static_cast<size_t>(p - out);
}

// `count` significant digits of value, written to scratch.
Digits SignificantDigits(char* scratch, double value, int count) {
  const int exponent = WriteSignificant(scratch, value, count);
  return {scratch, static_cast<size_t>(count), exponent};
}

// The g presentation. Exponent form from `limit` digits before the point on.
char* WriteGeneral(char* out, double value, int precision, int limit, bool alternate, bool dot_zero,
                   bool upper) {
  if (precision == 0) precision = 1;
  // A double has at most 767 significant digits; zeros beyond them are only wanted by '#'.
  const int digits_wanted = alternate || precision < 800 ? precision : 800;
  // The layout moves the digits down, except that a small number has zeros in front: they are
  // produced past where the text can reach.
  char* const scratch = out + 8;
  Digits d = SignificantDigits(scratch, value, digits_wanted);
  if (!alternate) {
    while (d.count > 1 && d.digits[d.count - 1] == '0') --d.count;
  }
  if (d.exponent < -4 || d.exponent >= limit) return WriteExponentForm(out, d, alternate, upper);
  return WriteFixedForm(out, d, alternate, dot_zero);
}

}  // namespace

size_t FloatRepr(char* out, double value) { return WriteRepr(out, value, true, false); }

size_t FloatReprBare(char* out, double value) { return WriteRepr(out, value, false, false); }

size_t FormatFloatSize(double value, char code, int precision) {
  const size_t digits = static_cast<size_t>(precision);
  if (code != 'f' && code != 'F' && code != '%') return digits + 24;
  int exponent = 0;
  if (std::isfinite(value)) std::frexp(value, &exponent);
  if (exponent < 0) exponent = 0;
  // 2**exponent has at most exponent * 0.302 + 1 digits; a percentage two more, a carry another.
  return digits + static_cast<size_t>(exponent) * 302 / 1000 + 24;
}

size_t FormatFloat(char* out, double value, char code, int precision, bool alternate) {
  if (code == 'r') return WriteRepr(out, value, false, alternate);
  const bool upper = code == 'E' || code == 'F' || code == 'G';
  if (code == '%') value *= 100;
  char* p = WriteSpecial(out, value, upper);
  if (p == nullptr) {
    p = out;
    if (std::signbit(value)) *p++ = '-';
    const double magnitude = std::fabs(value);
    switch (code) {
      case 'e':
      case 'E': {
        // One place to the right, so that the digits move down over their point.
        const Digits d = SignificantDigits(p + 1, magnitude, precision + 1);
        p = WriteExponentForm(p, d, alternate, upper);
        break;
      }
      case 'f':
      case 'F':
      case '%':
        p = WriteFixed(p, magnitude, precision);
        if (alternate && precision == 0) *p++ = '.';
        break;
      default:
        p = WriteGeneral(p, magnitude, precision, precision == 0 ? 1 : precision, alternate, false,
                         upper);
    }
  }
  if (code == '%') *p++ = '%';
  return static_cast<size_t>(p - out);
}

size_t FormatFloatDefault(char* out, double value, int precision, bool alternate) {
  if (precision < 0) return WriteRepr(out, value, true, alternate);
  char* p = WriteSpecial(out, value, false);
  if (p == nullptr) {
    p = out;
    if (std::signbit(value)) *p++ = '-';
    const int limit = (precision == 0 ? 1 : precision) - 1;
    p = WriteGeneral(p, std::fabs(value), precision, limit, alternate, true, false);
  }
  return static_cast<size_t>(p - out);
}

double RoundToDigits(double value, int64_t digits, bool* overflow) {
  *overflow = false;
  if (!std::isfinite(value) || value == 0) return value;
  // Doubles are at least 4.9e-324 apart: rounding finer than that gives the value back.
  if (digits > 323) return value;
  if (digits < -309) return std::copysign(0.0, value);
  const double magnitude = std::fabs(value);
  if (digits >= 0 && magnitude >= 4503599627370496.0) return value;
  char text[700];
  char* end;
  if (digits >= 0) {
    end = WriteFixed(text, magnitude, static_cast<int>(digits));
  } else {
    // All digits of the exact value: at most 309 before the point, 52 after.
    Digits exact = SignificantDigits(text, magnitude, 400);
    const int64_t keep = exact.exponent + 1 + digits;  // digits that stay
    if (keep < 0) return std::copysign(0.0, value);
    if (keep == 0) {
      // Zero or one unit, by comparison with half a unit.
      bool up = exact.digits[0] > '5';
      if (exact.digits[0] == '5') {
        for (size_t i = 1; i < exact.count; ++i) up |= exact.digits[i] != '0';
      }
      if (!up) return std::copysign(0.0, value);
      text[0] = '1';
      text[1] = 'e';
      end = std::to_chars(text + 2, text + 16, -digits).ptr;
    } else {
      const Digits kept = SignificantDigits(text, magnitude, static_cast<int>(keep));
      end = text + kept.count;
      *end++ = 'e';
      end = std::to_chars(end, text + sizeof(text), kept.exponent + 1 - keep).ptr;
    }
  }
  double result = 0;
  if (std::from_chars(text, end, result).ec == std::errc::result_out_of_range && digits < 0) {
    *overflow = true;
    return value;
  }
  return std::copysign(result, value);
}

// --- Hexadecimal
// ----------------------------------------------------------------------------------

size_t FloatToHex(char* out, double value) {
  if (char* end = WriteSpecial(out, value, false)) return static_cast<size_t>(end - out);
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  char* p = out;
  if (bits >> 63) *p++ = '-';
  const int biased = static_cast<int>(bits >> 52 & 0x7FF);
  const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
  *p++ = '0';
  *p++ = 'x';
  *p++ = biased == 0 ? '0' : '1';
  *p++ = '.';
  int exponent = biased == 0 ? -1022 : biased - 1023;
  if (biased == 0 && fraction == 0) {
    *p++ = '0';
    exponent = 0;
  } else {
    for (int shift = 48; shift >= 0; shift -= 4) *p++ = "0123456789abcdef"[fraction >> shift & 15];
  }
  *p++ = 'p';
  if (exponent >= 0) *p++ = '+';
  p = std::to_chars(p, out + kFloatHexSize, exponent).ptr;
  return static_cast<size_t>(p - out);
}

namespace {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// inf, infinity, nan in any case; false if text (without sign) is none of them.
bool ParseSpecial(std::string_view text, bool negative, double* out) {
  if (EqualsIgnoringCase(text, "inf") || EqualsIgnoringCase(text, "infinity")) {
    *out = negative ? -std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::infinity();
    return true;
  }
  if (EqualsIgnoringCase(text, "nan")) {
    *out = std::copysign(std::numeric_limits<double>::quiet_NaN(), negative ? -1.0 : 1.0);
    return true;
  }
  return false;
}

constexpr int64_t kExponentLimit = int64_t{1} << 40;  // any text that fits memory stays below

// Decimal digits from text[*i] on, saturating.
int64_t ReadExponentDigits(std::string_view text, size_t* i) {
  int64_t value = 0;
  for (; *i < text.size() && IsDigit(text[*i]); ++*i) {
    if (value < kExponentLimit) value = value * 10 + (text[*i] - '0');
  }
  return value;
}

}  // namespace

FloatParse ParseHexFloat(std::string_view text, double* out) {
  size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) negative = text[i++] == '-';
  if (ParseSpecial(text.substr(i), negative, out)) return FloatParse::kOk;
  if (i + 1 < text.size() && text[i] == '0' && (text[i + 1] | 0x20) == 'x') i += 2;
  uint64_t mantissa = 0;
  bool sticky = false;
  int64_t exponent = 0;
  bool any = false;
  bool point = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) break;
    any = true;
    if (mantissa >> 60 == 0) {
      mantissa = mantissa << 4 | static_cast<uint64_t>(digit);
      if (point) exponent -= 4;
    } else {
      sticky |= digit != 0;
      if (!point) exponent += 4;
    }
  }
  if (!any) return FloatParse::kInvalid;
  if (i < text.size() && (text[i] | 0x20) == 'p') {
    ++i;
    bool minus = false;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) minus = text[i++] == '-';
    const size_t first = i;
    const int64_t given = ReadExponentDigits(text, &i);
    if (i == first) return FloatParse::kInvalid;
    exponent += minus ? -given : given;
  }
  double value = 0;
  if (mantissa != 0) {
    const int shift = __builtin_clzll(mantissa);
    value = big_int_internal::ScaleToDouble(mantissa << shift, sticky, exponent - shift);
    // Reported even if what follows is not valid, as CPython does.
    if (std::isinf(value)) return FloatParse::kOverflow;
  }
  if (i != text.size()) return FloatParse::kInvalid;
  *out = negative ? -value : value;
  return FloatParse::kOk;
}

// --- Decimal
// ----------------------------------------------------------------------------------------

namespace {

// What scanning a decimal number finds out.
struct DecimalText {
  bool negative = false;
  bool underscores = false;
  size_t digits_begin = 0;  // after the sign
  size_t end = 0;           // where the number ends; 0 = there is none
  int64_t exponent = 0;     // as written
  int64_t first_place = 0;  // decimal exponent of the first digit that is not 0, without `exponent`
  bool zero = true;
};

// Reads [sign] digits [. digits] [e [sign] digits] with at least one mantissa digit; underscores,
// if allowed, only between digits. Stops at the first character that does not continue it.
DecimalText ScanDecimal(std::string_view text, bool allow_underscores) {
  DecimalText d;
  size_t i = 0;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) d.negative = text[i++] == '-';
  d.digits_begin = i;
  size_t whole = 0;  // mantissa digits before the point
  size_t count = 0;
  size_t first_nonzero = 0;
  const auto read_digits = [&] {
    while (i < text.size()) {
      if (text[i] == '_') {
        if (!allow_underscores || i == 0 || !IsDigit(text[i - 1]) || i + 1 >= text.size() ||
            !IsDigit(text[i + 1])) {
          return;
        }
        d.underscores = true;
        ++i;
      }
      if (!IsDigit(text[i])) return;
      if (d.zero && text[i] != '0') {
        d.zero = false;
        first_nonzero = count;
      }
      ++count;
      ++i;
    }
  };
  read_digits();
  whole = count;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (i < text.size() && text[i] != '_') read_digits();
  }
  if (count == 0) return d;
  d.end = i;
  d.first_place = static_cast<int64_t>(whole) - 1 - static_cast<int64_t>(first_nonzero);
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    ++i;
    bool minus = false;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) minus = text[i++] == '-';
    if (i >= text.size() || !IsDigit(text[i])) return d;  // the e is not part of the number
    int64_t value = 0;
    while (i < text.size()) {
      if (text[i] == '_') {
        if (!allow_underscores || i + 1 >= text.size() || !IsDigit(text[i + 1])) break;
        d.underscores = true;
        ++i;
      }
      if (!IsDigit(text[i])) break;
      if (value < kExponentLimit) value = value * 10 + (text[i] - '0');
      ++i;
    }
    d.exponent = minus ? -value : value;
    d.end = i;
  }
  return d;
}

double ConvertDecimal(std::string_view text, const DecimalText& d) {
  double value = 0;
  if (d.zero) return d.negative ? -0.0 : 0.0;
  const int64_t place = d.first_place + d.exponent;
  if (place > 310) {
    value = std::numeric_limits<double>::infinity();
  } else if (place >= -330) {
    std::from_chars_result result;
    if (d.underscores) {
      // Copied without them. 770 digits decide the rounding; whether any follow is one more.
      char clean[832];
      size_t n = 0;
      bool more = false;
      bool started = false;
      for (size_t i = d.digits_begin; i < d.end && (text[i] | 0x20) != 'e'; ++i) {
        if (!IsDigit(text[i]) || (!started && text[i] == '0')) continue;
        started = true;
        if (n < 780) {
          clean[n++] = text[i];
          if (n == 1) clean[n++] = '.';
        } else {
          more |= text[i] != '0';
        }
      }
      if (more) clean[n++] = '1';
      clean[n++] = 'e';
      char* const end = std::to_chars(clean + n, clean + sizeof(clean), place).ptr;
      result = std::from_chars(clean, end, value);
    } else {
      result = std::from_chars(text.data() + d.digits_begin, text.data() + d.end, value);
    }
    if (result.ec == std::errc::result_out_of_range) {
      value = place > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    }
  }
  return d.negative ? -value : value;
}

}  // namespace

bool ParseFloat(std::string_view text, double* out) {
  const DecimalText d = ScanDecimal(text, true);
  if (d.end == 0) return ParseSpecial(text.substr(d.digits_begin), d.negative, out);
  if (d.end != text.size()) return false;
  *out = ConvertDecimal(text, d);
  return true;
}

size_t ParseDecimalPrefix(std::string_view text, double* out) {
  const DecimalText d = ScanDecimal(text, false);
  if (d.end != 0) *out = ConvertDecimal(text, d);
  return d.end;
}

// --- Parts
// ------------------------------------------------------------------------------------------

FloatParts DecomposeFloat(double value) {
  FloatParts parts;
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  parts.negative = bits >> 63;
  const int biased = static_cast<int>(bits >> 52 & 0x7FF);
  parts.mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (biased != 0) parts.mantissa |= uint64_t{1} << 52;
  if (parts.mantissa == 0) return parts;
  parts.exponent = (biased == 0 ? 1 : biased) - 1075;
  const int zeros = __builtin_ctzll(parts.mantissa);
  parts.mantissa >>= zeros;
  parts.exponent += zeros;
  return parts;
}

void AsIntegerRatio(double value, Limb* numerator, size_t* numerator_size, Limb* denominator,
                    size_t* denominator_size) {
  const FloatParts parts = DecomposeFloat(value);
  const Limb one = 1;
  const size_t n = parts.mantissa == 0 ? 0 : 1;
  const unsigned up = parts.exponent > 0 ? static_cast<unsigned>(parts.exponent) : 0;
  const unsigned down = parts.exponent < 0 ? static_cast<unsigned>(-parts.exponent) : 0;
  *numerator_size = ShiftLeftMag(numerator, &parts.mantissa, n, up);
  *denominator_size = ShiftLeftMag(denominator, &one, 1, down);
}

bool FloatToInt64(double value, int64_t* out) {
  // The upper limit is 2**63 itself, which is not in range.
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) return false;
  const int64_t whole = static_cast<int64_t>(value);
  if (static_cast<double>(whole) != value) return false;
  *out = whole;
  return true;
}

}  // namespace minivm
