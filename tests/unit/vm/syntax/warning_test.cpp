// SyntaxWarnings of literals: text and place.
#include <gtest/gtest.h>

#include <string>

#include "vm/syntax/parser.h"

namespace minivm {
namespace {

std::string Warnings(std::string_view source) {
  Arena arena;
  Diagnostic error;
  std::vector<Warning> warnings;
  static_cast<void>(Parse(arena, source, {}, &error, &warnings));
  std::string out;
  for (const Warning& w : warnings) {
    out += w.message + "@" + std::to_string(w.lineno) + "," + std::to_string(w.offset) + "," +
           std::to_string(w.end_lineno) + "," + std::to_string(w.end_offset) + ";";
  }
  return out;
}

TEST(WarningTest, InvalidEscapes) {
  EXPECT_EQ(Warnings("'\\d'"), "invalid escape sequence '\\d'@1,1,1,5;");
  EXPECT_EQ(Warnings("'a' '\\d'\n'\\e'"),
            "invalid escape sequence '\\d'@1,5,1,9;invalid escape sequence '\\e'@2,1,2,5;");
  EXPECT_EQ(Warnings("'\\400'"), "invalid octal escape sequence '\\400'@1,1,1,7;");
  EXPECT_EQ(Warnings("b'\\u1234 \\N'"), "invalid escape sequence '\\u'@1,1,1,13;");
  EXPECT_EQ(Warnings("'''\n\n\\d'''"), "invalid escape sequence '\\d'@1,1,3,4;");
  EXPECT_EQ(Warnings("f'\\d{a}\\e'"),
            "invalid escape sequence '\\d'@1,10,1,11;invalid escape sequence '\\e'@1,10,1,11;");
  EXPECT_EQ(Warnings("f'\\{a}'"), "invalid escape sequence '\\{'@1,4,1,4;");
  EXPECT_EQ(Warnings("f'{a:\\d}'"), "invalid escape sequence '\\d'@1,6,1,8;");
  EXPECT_EQ(Warnings("r'\\d' rb'\\d' rf'\\d{a}' '\\\\d' '\\\u00e9'"), "");
}

TEST(WarningTest, NumbersThatRunIntoKeywords) {
  EXPECT_EQ(Warnings("1if 2else 3"),
            "invalid decimal literal@1,1,1,1;invalid decimal literal@1,5,1,5;");
  EXPECT_EQ(Warnings("0x1for x in y"), "invalid hexadecimal literal@1,4,1,4;");
  EXPECT_EQ(Warnings("1jor 2"), "invalid imaginary literal@1,2,1,2;");
}

TEST(WarningTest, BacktrackingWarnsOnce) {
  EXPECT_EQ(Warnings("match ('\\d').x"), "invalid escape sequence '\\d'@1,8,1,12;");
  EXPECT_EQ(Warnings("with ('\\d').x: pass"), "invalid escape sequence '\\d'@1,7,1,11;");
}

}  // namespace
}  // namespace minivm
