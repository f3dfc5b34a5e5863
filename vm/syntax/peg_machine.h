// Runs the error grammar over the tokens of a failed source.
//
// A parsing machine with its own stacks: choices to go back to, calls to return
// from. Nothing recurses in C++, results are remembered by (rule, position), so
// a pass takes linear time and any nesting. The machine counts how far it has
// looked ahead, since CPython places errors by that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/syntax/lexer.h"
#include "vm/syntax/parser_impl.h"
#include "vm/syntax/peg_grammar.h"

namespace minivm {

// An error that was found, before its text and character offsets are known. Columns count bytes
// from 1; 0 stands for "no column" and -1 for "no end" as in CPython's interface.
struct Fault {
  DiagnosticKind kind = DiagnosticKind::kSyntax;
  std::string message;
  int64_t lineno = 0;
  int64_t column = 0;
  int64_t end_lineno = 0;
  int64_t end_column = 0;
  bool from_lexer = false;  // the lexer's own error: shown as LexError says
};

class PegMachine {
 public:
  enum class Outcome : uint8_t { kMatched, kFailed, kRaised };

  PegMachine(const PegGrammar& grammar, Lexer& lexer, Parser& parser, const ParseOptions& options);

  // One pass from token `start`, with or without the invalid_* rules.
  Outcome Run(std::string_view rule, uint32_t start, bool look_for_mistakes);

  // Statements that are known to be right and need not be parsed.
  void set_valid_statements(std::vector<Parser::StatementRange> ranges) {
    valid_statements_ = std::move(ranges);
  }

  const Fault& fault() const { return fault_; }
  // How many tokens have been read; the last one read is token fetched() - 1.
  uint32_t fetched() const { return fetched_; }
  void set_fetched(uint32_t count) { fetched_ = count; }
  // True once the lexer's error token has been read.
  bool read_error() const { return read_error_; }

  // The errors that CPython's interface can make; used by the caller too.
  void RaiseAtLast(DiagnosticKind kind, std::string message);
  void RaiseAtToken(const Token* token, std::string message);
  void RaiseLexError();
  void RaiseUnclosed(const OpenBracket& bracket);

 private:
  struct Capture {
    uint32_t start, end;
  };
  struct Frame {
    uint32_t return_to;
    uint32_t start;
    uint16_t rule;
    bool mistakes;  // to restore
    Capture captures[3];
  };
  struct Choice {
    uint32_t to;
    uint32_t position;
    uint32_t depth;  // frames below which it was made
    bool mistakes;
  };
  enum class HookResult : uint8_t { kOk, kFail };

  static constexpr uint32_t kMemoFail = UINT32_MAX;
  static constexpr size_t kMaxDepth = 6000;            // about as deep as CPython's parser goes
  static constexpr size_t kMaxMemo = size_t{1} << 24;  // 400 MB
  static constexpr uint64_t kMaxSteps = 400'000'000;

  const Token* At(uint32_t i) const { return tokens_ + i; }
  // Reads token `position`; false if it is the lexer's error, now raised.
  bool Fetch(uint32_t position);
  bool Fail();
  void FailRule();
  uint64_t MemoKey(uint16_t rule, uint32_t position, bool mistakes) const;
  uint32_t* MemoFind(uint64_t key);
  void MemoStore(uint64_t key, uint32_t end);
  uint8_t Level(uint32_t token);

  // ---- actions (peg_actions.cpp)
  void Raise(char kind, std::string_view message, const Capture& a, const Capture& b);
  HookResult Hook(std::string_view name, const Capture* captures);
  // The tokens of the expression that a capture means: without brackets that only group.
  Capture Node(Capture c) const;
  void RaiseRange(const Token* first, const Token* last, std::string message);
  void RaiseLocation(const Location& start, const Location& end, std::string message);
  void RaiseFrom(const Token* first, std::string message);
  void RaiseExpected(const Token* token, Tok kind);
  HookResult InvalidTarget(Expr* e, const char* verb, bool for_target, bool del);
  HookResult CheckLiteral(const Token* token);
  HookResult CheckFString(const Capture& c);
  // Parses the tokens of a capture and nothing after them.
  Expr* Reparse(Capture c, Expr* (Parser::*rule)());
  HookResult BareGenerator(const Token* first, Capture clauses);
  struct ArgumentSummary {
    Expr* last_positional = nullptr;
    uint32_t positional = 0;
    bool unpacks_mapping = false;
  };
  bool SummarizeArguments(Capture c, ArgumentSummary* out);

  const PegGrammar& grammar_;
  Lexer& lexer_;
  Parser& parser_;
  const ParseOptions& options_;
  const Token* tokens_;
  uint32_t token_count_;
  const char* source_;
  const uint32_t* lines_;

  uint32_t pc_ = 0;
  uint32_t position_ = 0;
  uint32_t fetched_ = 0;
  uint32_t first_token_ = 0;
  bool mistakes_ = false;
  bool read_error_ = false;
  bool raised_ = false;
  Fault fault_;
  MeteredVector<Frame> frames_;
  MeteredVector<Choice> choices_;
  MeteredVector<uint64_t> memo_keys_;
  MeteredVector<uint32_t> memo_values_;
  size_t memo_count_ = 0;
  MeteredVector<uint8_t> levels_;  // bracket depth after each token from first_token_ on
  int level_ = 0;
  std::vector<Parser::StatementRange> valid_statements_;
};

}  // namespace minivm
