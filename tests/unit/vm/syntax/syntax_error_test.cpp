// Every diagnostic against what CPython 3.13 says: kind, message, place and text.
#include "vm/syntax/parser.h"

#include <gtest/gtest.h>

namespace minivm {
namespace {

constexpr ParseMode kExec = ParseMode::kExec;
constexpr ParseMode kEval = ParseMode::kEval;
constexpr ParseMode kSingle = ParseMode::kSingle;
constexpr DiagnosticKind kSyntax = DiagnosticKind::kSyntax;
constexpr DiagnosticKind kIndentation = DiagnosticKind::kIndentation;
constexpr DiagnosticKind kTab = DiagnosticKind::kTab;

struct ErrorCase {
  ParseMode mode;
  DiagnosticKind kind;
  int lineno, offset, end_lineno, end_offset;
  const char* source;
  const char* message;
  const char* text;
};

const ErrorCase kCases[] = {
#include "tests/unit/vm/syntax/syntax_error_cases.inc"
};

TEST(SyntaxErrorTest, SaysWhatCPythonSays) {
  for (const ErrorCase& c : kCases) {
    SCOPED_TRACE(c.source);
    Arena arena;
    ParseOptions options;
    options.mode = c.mode;
    options.max_stack_bytes = 1 << 20;
    Diagnostic error;
    ASSERT_EQ(Parse(arena, c.source, options, &error, nullptr), nullptr);
    EXPECT_EQ(error.kind, c.kind);
    EXPECT_EQ(error.message, c.message);
    EXPECT_EQ(error.lineno, c.lineno);
    EXPECT_EQ(error.offset, c.offset);
    EXPECT_EQ(error.end_lineno, c.end_lineno);
    EXPECT_EQ(error.end_offset, c.end_offset);
    EXPECT_EQ(error.text, c.text);
    EXPECT_TRUE(error.has_location && error.has_text && error.has_end);
  }
}

TEST(SyntaxErrorTest, ValidStatementsThatLookLikeMistakesCountOnceThereIsAnError) {
  Arena arena;
  Diagnostic error;
  EXPECT_NE(Parse(arena, "print -1\nmatch -x\n", {}, &error, nullptr), nullptr);
  EXPECT_EQ(Parse(arena, "print -1\nx = 1\ny z", {}, &error, nullptr), nullptr);
  EXPECT_EQ(error.message, "Missing parentheses in call to 'print'. Did you mean print(...)?");
}

TEST(SyntaxErrorTest, ReportsNullBytesWithoutAPlace) {
  Arena arena;
  Diagnostic error;
  EXPECT_EQ(Parse(arena, std::string_view("a\0b", 3), {}, &error, nullptr), nullptr);
  EXPECT_EQ(error.message, "source code string cannot contain null bytes");
  EXPECT_FALSE(error.has_location);
}

TEST(SyntaxErrorTest, LimitsDecimalDigits) {
  Arena arena;
  Diagnostic error;
  ParseOptions options;
  options.int_max_str_digits = 700;
  EXPECT_NE(Parse(arena, "x = " + std::string(700, '1'), options, &error, nullptr), nullptr);
  EXPECT_NE(Parse(arena, "x = 0x" + std::string(900, '1'), options, &error, nullptr), nullptr);
  EXPECT_EQ(Parse(arena, "x = " + std::string(701, '1'), options, &error, nullptr), nullptr);
  EXPECT_EQ(error.message,
            "Exceeds the limit (700 digits) for integer string conversion: value has 701 digits; "
            "use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for "
            "huge integer literals to avoid decimal conversion limits.");
}

TEST(SyntaxErrorTest, BarryHasHisWay) {
  Arena arena;
  Diagnostic error;
  ParseOptions options;
  options.barry_as_flufl = true;
  EXPECT_NE(Parse(arena, "a <> b", options, &error, nullptr), nullptr);
  EXPECT_EQ(Parse(arena, "a != b", options, &error, nullptr), nullptr);
  EXPECT_EQ(error.message, "with Barry as BDFL, use '<>' instead of '!='");
}

}  // namespace
}  // namespace minivm
