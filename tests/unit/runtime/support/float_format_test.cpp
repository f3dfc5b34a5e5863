// Floats and text. Expected values are CPython's.
#include "runtime/support/float_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace minivm {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

std::string Repr(double value) {
  char out[kFloatReprSize];
  return std::string(out, FloatRepr(out, value));
}

std::string Format(double value, char code, int precision, bool alternate = false) {
  const size_t room = FormatFloatSize(value, code, precision);
  std::string out(room, '?');
  const size_t n = FormatFloat(out.data(), value, code, precision, alternate);
  EXPECT_LE(n, room);
  return out.substr(0, n);
}

std::string Default(double value, int precision, bool alternate = false) {
  std::string out(FormatFloatSize(value, 'g', precision < 0 ? 17 : precision), '?');
  return out.substr(0, FormatFloatDefault(out.data(), value, precision, alternate));
}

std::string Hex(double value) {
  char out[kFloatHexSize];
  return std::string(out, FloatToHex(out, value));
}

double Parse(std::string_view text) {
  double value = 12345;
  EXPECT_TRUE(ParseFloat(text, &value)) << text;
  return value;
}

double Round(double value, int64_t digits) {
  bool overflow = false;
  const double result = RoundToDigits(value, digits, &overflow);
  return overflow ? kInf : result;
}

TEST(FloatFormat, Repr) {
  EXPECT_EQ(Repr(0.0), "0.0");
  EXPECT_EQ(Repr(-0.0), "-0.0");
  EXPECT_EQ(Repr(1), "1.0");
  EXPECT_EQ(Repr(0.1), "0.1");
  EXPECT_EQ(Repr(1e15), "1000000000000000.0");
  EXPECT_EQ(Repr(1e16), "1e+16");
  EXPECT_EQ(Repr(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(Repr(0.0001), "0.0001");
  EXPECT_EQ(Repr(0.00001), "1e-05");
  EXPECT_EQ(Repr(1.5e-7), "1.5e-07");
  EXPECT_EQ(Repr(5e-324), "5e-324");
  EXPECT_EQ(Repr(-2.2250738585072014e-308), "-2.2250738585072014e-308");
  EXPECT_EQ(Repr(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(Repr(kInf), "inf");
  EXPECT_EQ(Repr(-kInf), "-inf");
  EXPECT_EQ(Repr(-kNan), "nan");
  char out[kFloatReprSize];
  EXPECT_EQ(std::string(out, FloatReprBare(out, -3)), "-3");
}

TEST(FloatFormat, Codes) {
  EXPECT_EQ(Format(3.14159, 'f', 2), "3.14");
  EXPECT_EQ(Format(2.5, 'f', 0), "2");
  EXPECT_EQ(Format(3.5, 'f', 0), "4");
  EXPECT_EQ(Format(2.5, 'f', 0, true), "2.");
  EXPECT_EQ(Format(1e22, 'F', 1), "10000000000000000000000.0");
  EXPECT_EQ(Format(0.1, 'f', 25), "0.1000000000000000055511151");
  EXPECT_EQ(Format(1234.5, 'e', 3), "1.234e+03");
  EXPECT_EQ(Format(0, 'E', 0), "0E+00");
  EXPECT_EQ(Format(9.5, 'e', 0, true), "1.e+01");
  EXPECT_EQ(Format(1e-300, 'e', 2), "1.00e-300");
  EXPECT_EQ(Format(0.0001, 'g', 6), "0.0001");
  EXPECT_EQ(Format(0.00001234, 'g', 6), "1.234e-05");
  EXPECT_EQ(Format(123456789, 'g', 6), "1.23457e+08");
  EXPECT_EQ(Format(123456789, 'G', 3, true), "1.23E+08");
  EXPECT_EQ(Format(100, 'g', 6, true), "100.000");
  EXPECT_EQ(Format(999999.5, 'g', 6), "1e+06");
  EXPECT_EQ(Format(-0.0, 'g', 6), "-0");
  EXPECT_EQ(Format(0.125, '%', 0), "12%");
  EXPECT_EQ(Format(0.125, '%', 2), "12.50%");
  EXPECT_EQ(Format(kInf, '%', 2), "inf%");
  EXPECT_EQ(Format(-kInf, 'F', 2), "-INF");
  EXPECT_EQ(Format(kNan, 'G', 2), "NAN");
  EXPECT_EQ(Format(5e-324, 'f', 1074).substr(1056), "19718265533447265625");
  EXPECT_EQ(Format(5e-324, 'f', 1074).size(), 1076u);
  EXPECT_EQ(Format(1.0, 'f', 5000).size(), 5002u);
  EXPECT_EQ(Format(1.5, 'g', 3000), "1.5");
}

TEST(FloatFormat, NoCode) {
  EXPECT_EQ(Default(1.0, -1), "1.0");
  EXPECT_EQ(Default(1e16, -1, true), "1.e+16");
  EXPECT_EQ(Default(12, 3), "12.0");
  EXPECT_EQ(Default(123, 3), "1.23e+02");
  EXPECT_EQ(Default(1234.5, 10), "1234.5");
  EXPECT_EQ(Default(3, 0), "3e+00");
}

TEST(FloatFormat, RoundsToDigits) {
  EXPECT_EQ(Round(2.675, 2), 2.67);
  EXPECT_EQ(Round(2.5, 0), 2);
  EXPECT_EQ(Round(-0.5, 0), 0);
  EXPECT_TRUE(std::signbit(Round(-0.4, 0)));
  EXPECT_EQ(Round(15, -1), 20);
  EXPECT_EQ(Round(25, -1), 20);
  EXPECT_EQ(Round(5, -1), 0);
  EXPECT_EQ(Round(5.0000001, -1), 10);
  EXPECT_EQ(Round(4.9, -1), 0);
  EXPECT_EQ(Round(49, -2), 0);
  EXPECT_EQ(Round(1234567.891, -3), 1235000);
  EXPECT_EQ(Round(1e300, 5), 1e300);
  EXPECT_EQ(Round(5e-324, 400), 5e-324);
  EXPECT_EQ(Round(5e-324, 10), 0);
  EXPECT_EQ(Round(1.7976931348623157e308, -308), kInf);
  EXPECT_EQ(Round(1.7976931348623157e308, -400), 0);
  EXPECT_EQ(Round(0.1, INT64_MAX), 0.1);
}

TEST(FloatFormat, Hexadecimal) {
  EXPECT_EQ(Hex(1), "0x1.0000000000000p+0");
  EXPECT_EQ(Hex(-0.1), "-0x1.999999999999ap-4");
  EXPECT_EQ(Hex(-0.0), "-0x0.0p+0");
  EXPECT_EQ(Hex(5e-324), "0x0.0000000000001p-1022");
  EXPECT_EQ(Hex(kInf), "inf");
  double v = 0;
  EXPECT_EQ(ParseHexFloat("0x1.999999999999ap-4", &v), FloatParse::kOk);
  EXPECT_EQ(v, 0.1);
  EXPECT_EQ(ParseHexFloat("-.8P1", &v), FloatParse::kOk);
  EXPECT_EQ(v, -1);
  EXPECT_EQ(ParseHexFloat("0x1.00000000000008p0", &v), FloatParse::kOk);
  EXPECT_EQ(v, 1);
  EXPECT_EQ(ParseHexFloat("0x1.000000000000080000000000001p0", &v), FloatParse::kOk);
  EXPECT_EQ(v, std::nextafter(1.0, 2.0));
  EXPECT_EQ(ParseHexFloat("0x1p-1075", &v), FloatParse::kOk);
  EXPECT_EQ(v, 0);
  EXPECT_EQ(ParseHexFloat("0x1.8p-1075", &v), FloatParse::kOk);
  EXPECT_EQ(v, 5e-324);
  EXPECT_EQ(ParseHexFloat("Infinity", &v), FloatParse::kOk);
  EXPECT_EQ(v, kInf);
  EXPECT_EQ(ParseHexFloat("0x1p1024", &v), FloatParse::kOverflow);
  EXPECT_EQ(ParseHexFloat("0x1p99999999999999999999", &v), FloatParse::kOverflow);
  EXPECT_EQ(ParseHexFloat("0x0p99999999999999999999", &v), FloatParse::kOk);
  for (std::string_view bad : {"", "-", "0x", "1p", "1.2.3", "g", "1p+", "0x1 ", "1_0", "infin"}) {
    EXPECT_EQ(ParseHexFloat(bad, &v), FloatParse::kInvalid) << bad;
  }
}

TEST(FloatFormat, ParsesFloats) {
  EXPECT_EQ(Parse("1"), 1);
  EXPECT_EQ(Parse("+1.5e3"), 1500);
  EXPECT_EQ(Parse(".5"), 0.5);
  EXPECT_EQ(Parse("5."), 5);
  EXPECT_EQ(Parse("1_000.000_1E+0_1"), 10000.001);
  EXPECT_EQ(Parse("1e400"), kInf);
  EXPECT_EQ(Parse("-1e400"), -kInf);
  EXPECT_EQ(Parse("1e-400"), 0);
  EXPECT_TRUE(std::signbit(Parse("-0e9999999999999999999999")));
  EXPECT_EQ(Parse("1e99999999999999999999999"), kInf);
  EXPECT_EQ(Parse("1e-320"), 1e-320);
  EXPECT_EQ(Parse("2.4703282292062327e-324"), 0);
  EXPECT_EQ(Parse("2.4703282292062328e-324"), 5e-324);
  EXPECT_EQ(Parse("1" + std::string(400, '0') + "e-400"), 1);
  EXPECT_EQ(Parse("0." + std::string(400, '0') + "1e401"), 1);
  EXPECT_EQ(Parse("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(Parse("9007199254740993." + std::string(1000, '0') + "1"), 9007199254740994.0);
  EXPECT_EQ(Parse("9_007199254740993." + std::string(1000, '0') + "1"), 9007199254740994.0);
  EXPECT_EQ(Parse("9_007199254740993." + std::string(1000, '0')), 9007199254740992.0);
  EXPECT_EQ(Parse("-iNfInItY"), -kInf);
  EXPECT_TRUE(std::isnan(Parse("NaN")));
  double v = 0;
  for (std::string_view bad :
       {"",     "-",    ".",    "e5", "1e", "1e+",   "1_",     "_1",    "1__0", "1_.5",
        "1._5", "1e_5", "0x10", "1 ", " 1", "infin", "nan(1)", "1.5.5", "--1",  "1f"}) {
    EXPECT_FALSE(ParseFloat(bad, &v)) << bad;
  }
  EXPECT_EQ(ParseDecimalPrefix("12.5e3xyz", &v), 6u);
  EXPECT_EQ(v, 12500);
  EXPECT_EQ(ParseDecimalPrefix("12.5e+", &v), 4u);
  EXPECT_EQ(ParseDecimalPrefix("1_000", &v), 1u);
  EXPECT_EQ(ParseDecimalPrefix("nan", &v), 0u);
}

TEST(FloatFormat, Ratios) {
  Limb n[kRatioLimbs];
  Limb d[kRatioLimbs];
  size_t nn = 0;
  size_t nd = 0;
  AsIntegerRatio(-0.75, n, &nn, d, &nd);
  EXPECT_EQ(nn, 1u);
  EXPECT_EQ(n[0], 3u);
  EXPECT_EQ(d[0], 4u);
  AsIntegerRatio(0, n, &nn, d, &nd);
  EXPECT_EQ(nn, 0u);
  EXPECT_EQ(d[0], 1u);
  AsIntegerRatio(5e-324, n, &nn, d, &nd);
  EXPECT_EQ(BitLength(d, nd), 1075u);
  AsIntegerRatio(std::numeric_limits<double>::max(), n, &nn, d, &nd);
  EXPECT_EQ(BitLength(n, nn), 1024u);
  int64_t whole = 0;
  EXPECT_TRUE(FloatToInt64(-9223372036854775808.0, &whole));
  EXPECT_FALSE(FloatToInt64(9223372036854775808.0, &whole));
  EXPECT_FALSE(FloatToInt64(0.5, &whole));
  EXPECT_FALSE(FloatToInt64(kNan, &whole));
}

}  // namespace
}  // namespace minivm
