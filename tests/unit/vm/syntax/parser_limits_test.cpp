// No source may exhaust the C stack, run for long, or take more memory than allowed.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <string>

#include "vm/syntax/parser.h"

namespace minivm {
namespace {

std::string Repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; i++) out += text;
  return out;
}

struct Job {
  std::string source;
  ParseOptions options;
  Diagnostic error;
  bool parsed = false;
  uint32_t depth = 0;
};

void* RunJob(void* argument) {
  auto* job = static_cast<Job*>(argument);
  Arena arena;
  const Mod* mod = Parse(arena, job->source, job->options, &job->error, nullptr);
  job->parsed = mod != nullptr;
  if (job->parsed) job->depth = mod->max_expr_depth;
  return nullptr;
}

// Parses on a thread with a small stack.
Job ParseOnSmallStack(std::string source) {
  Job job;
  job.source = std::move(source);
  size_t stack = 256 * 1024;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  stack = 8 << 20;  // frames are several times larger
  job.options.max_stack_bytes = 4 << 20;
#endif
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  pthread_t thread;
  EXPECT_EQ(pthread_create(&thread, &attributes, RunJob, &job), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return job;
}

TEST(ParserLimitsTest, TwoHundredBracketsParse) {
  for (const auto& [open, close] : std::initializer_list<std::pair<const char*, const char*>>{
           {"(", ")"},
           {"[", "]"},
           {"f(a=", ")"},
           {"{1:", "}"},
           {"a[", "]"},
           {"(-", ")"},
           {"(a for b in ", ")"},
           {"(a or b and not c < d | e ^ f & g << h + i * -j ** ", ")"}}) {
    SCOPED_TRACE(open);
    EXPECT_TRUE(ParseOnSmallStack(Repeat(open, 199) + "1" + Repeat(close, 199)).parsed);
    const Job job = ParseOnSmallStack(Repeat(open, 201) + "1" + Repeat(close, 201));
    EXPECT_FALSE(job.parsed);
    EXPECT_EQ(job.error.message, "too many nested parentheses");
  }
}

TEST(ParserLimitsTest, ChainsDoNotRecurse) {
  constexpr int kLength = 100000;
  EXPECT_EQ(ParseOnSmallStack(Repeat("1+", kLength) + "1").depth, kLength + 1u);
  EXPECT_EQ(ParseOnSmallStack("a" + Repeat(".a", kLength)).depth, kLength + 1u);
  EXPECT_EQ(ParseOnSmallStack("a" + Repeat("()", kLength)).depth, kLength + 1u);
  for (const char* source : {"a<", "a and ", "a=", "a,", "a if b else a or "}) {
    const int count = source[2] == 'i' ? 3000 : kLength;
    EXPECT_TRUE(ParseOnSmallStack(Repeat(source, count) + "a").parsed) << source;
  }
}

TEST(ParserLimitsTest, DeepRecursionIsAMemoryError) {
  for (const char* source : {"-", "not ", "lambda:", "1 if 1 else ", "2**", "lambda x=lambda:"}) {
    const Job job = ParseOnSmallStack(Repeat(source, 20000) + "1");
    EXPECT_FALSE(job.parsed) << source;
    EXPECT_EQ(job.error.kind, DiagnosticKind::kMemory) << source;
    EXPECT_EQ(job.error.message, "Parser stack overflowed - Python source too complex to parse");
  }
  EXPECT_EQ(ParseOnSmallStack("if 1: pass\n" + Repeat("elif 1: pass\n", 5000)).error.kind,
            DiagnosticKind::kMemory);
}

TEST(ParserLimitsTest, BadSourcesAreExplainedInBoundedSpace) {
  for (const char* source : {"(", "f(", "-", "1+", "a.", "lambda:", "f(a b,", "not ", "a**",
                             "[{1:", "f'{", "*", "await ", "a if b else ", "class A:\n if 1:"}) {
    EXPECT_FALSE(ParseOnSmallStack(Repeat(source, 5000)).parsed) << source;
  }
  EXPECT_FALSE(ParseOnSmallStack(Repeat("def f(x):\n  return x\n", 5000) + "a b").parsed);
}

TEST(ParserLimitsTest, IndentationAndFStringsAreLimited) {
  std::string indented;
  for (int i = 0; i < 101; i++) indented += std::string(static_cast<size_t>(i), ' ') + "if 1:\n";
  const Job deep = ParseOnSmallStack(indented);
  EXPECT_EQ(deep.error.kind, DiagnosticKind::kIndentation);
  EXPECT_EQ(deep.error.message, "too many levels of indentation");
  EXPECT_TRUE(ParseOnSmallStack(Repeat("f'{", 140) + "1" + Repeat("}'", 140)).parsed);
  EXPECT_EQ(ParseOnSmallStack(Repeat("f'{", 150) + "1" + Repeat("}'", 150)).error.message,
            "too many nested f-strings");
}

TEST(ParserLimitsTest, TheArenaCapIsAMemoryError) {
  Arena arena(100000);
  Diagnostic error;
  EXPECT_EQ(Parse(arena, Repeat("x = 1\n", 10000), {}, &error, nullptr), nullptr);
  EXPECT_EQ(error.kind, DiagnosticKind::kMemory);
}

// What an arena takes counts where its owner counts, until it is released.
TEST(ParserLimitsTest, AMeteredArenaAsksAndGivesBack) {
  struct Budget {
    ptrdiff_t used = 0, most = 0;
    static bool Tell(void* self, ptrdiff_t bytes) {
      auto* budget = static_cast<Budget*>(self);
      if (bytes > 0 && budget->used + bytes > 100000) return false;
      budget->used += bytes;
      budget->most = std::max(budget->most, budget->used);
      return true;
    }
  } budget;
  {
    Arena arena(Budget::Tell, &budget);
    Diagnostic error;
    EXPECT_EQ(Parse(arena, Repeat("x = 1\n", 10000), {}, &error, nullptr), nullptr);
    EXPECT_EQ(error.kind, DiagnosticKind::kMemory);
    EXPECT_EQ(budget.used, static_cast<ptrdiff_t>(arena.bytes_reserved()));
  }
  EXPECT_GT(budget.most, 0);
  EXPECT_EQ(budget.used, 0);
}

}  // namespace
}  // namespace minivm
