// Which sources could go on: what a prompt and codeop ask.
#include <gtest/gtest.h>

#include "vm/syntax/parser.h"

namespace minivm {
namespace {

enum class State { kComplete, kIncomplete, kWrong };

State StateOf(std::string_view source, ParseMode mode, bool dont_imply_dedent) {
  Arena arena;
  ParseOptions options;
  options.mode = mode;
  options.allow_incomplete_input = true;
  options.dont_imply_dedent = dont_imply_dedent;
  Diagnostic error;
  if (Parse(arena, source, options, &error, nullptr) != nullptr) return State::kComplete;
  EXPECT_EQ(error.incomplete, error.kind == DiagnosticKind::kIncompleteInput);
  return error.incomplete ? State::kIncomplete : State::kWrong;
}

TEST(IncompleteTest, OneStatement) {
  const struct {
    const char* source;
    State state;
  } kCases[] = {
      {"x = 1\n", State::kComplete},
      {"if 1:\n", State::kIncomplete},
      {"if 1:\n  x\n", State::kIncomplete},
      {"if 1:\n  x\n\n", State::kComplete},
      {"def f():\n  pass", State::kIncomplete},
      {"f(\n", State::kIncomplete},
      {"[1,\n", State::kIncomplete},
      {"{'a':\n", State::kIncomplete},
      {"'''abc\n", State::kIncomplete},
      {"f'''abc{x}\n", State::kIncomplete},
      {"f'''{\n", State::kIncomplete},
      {"x = \\\n", State::kIncomplete},
      {"try:\n  x\n", State::kIncomplete},
      {"@a\n", State::kIncomplete},
      {"class A:\n", State::kIncomplete},
      {"'abc\n", State::kWrong},
      {"x = )\n", State::kWrong},
      {"a b\n", State::kWrong},
      {"x = 1 +\n", State::kWrong},
      {"if 1\n", State::kWrong},
      {"f(a b\n", State::kWrong},
      {"  x\n", State::kWrong},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.source);
    State state = StateOf(c.source, ParseMode::kSingle, true);
    // As codeop: what is complete only without its closing newline is not.
    std::string_view source(c.source);
    if (state == State::kComplete && source.find(":\n") != std::string_view::npos &&
        !source.ends_with("\n\n")) {
      source.remove_suffix(source.ends_with("\n"));
      state = StateOf(source, ParseMode::kSingle, true);
    }
    EXPECT_EQ(static_cast<int>(state), static_cast<int>(c.state));
  }
}

TEST(IncompleteTest, TheFlagIsSetWithoutTheOption) {
  for (const char* source : {"f(", "if 1:\n", "'''", "x = \\\n", "def f():\n  if x:\n"}) {
    Arena arena;
    Diagnostic error;
    EXPECT_EQ(Parse(arena, source, {}, &error, nullptr), nullptr);
    EXPECT_TRUE(error.incomplete) << source;
    EXPECT_NE(error.kind, DiagnosticKind::kIncompleteInput);
  }
  for (const char* source : {"a b", ")", "'abc", "x = 1 +\ny"}) {
    Arena arena;
    Diagnostic error;
    EXPECT_EQ(Parse(arena, source, {}, &error, nullptr), nullptr);
    EXPECT_FALSE(error.incomplete) << source;
  }
}

}  // namespace
}  // namespace minivm
