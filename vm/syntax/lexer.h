// The lexer: UTF-8 source to an array of tokens, in one pass.
//
// It owns indentation, brackets, line joining, f-string modes (PEP 701) and
// every lexical error of CPython 3.13. It never fails outright: at an error the
// array ends with a kError token and `error()` says what happened, so that the
// parser can still report an earlier syntax error instead.
//
// The source must be followed by a NUL byte and contain no other; SourceBuffer
// makes such a copy with CPython's newline translation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/arena.h"
#include "vm/syntax/name_table.h"
#include "vm/syntax/parser.h"
#include "vm/syntax/token.h"

namespace minivm {

// The source with "\r\n" and "\r" turned into "\n", a final newline where CPython adds one, and
// a NUL after its end.
struct SourceBuffer {
  const char* data;
  uint32_t size;
};
SourceBuffer MakeSourceBuffer(Arena& arena, std::string_view source, ParseMode mode);

// What stopped the lexer.
struct LexError {
  enum class Kind : uint8_t {
    kNone,
    kSyntax,          // a finished SyntaxError: message and offsets below
    kEof,             // the source ended inside a bracket or after a backslash
    kBadDedent,       // no outer level matches
    kTabSpace,        // tabs and spaces disagree
    kTooDeep,         // more than 100 indentation levels
    kAfterBackslash,  // something follows a line continuation
    kBadUtf8,         // a name is not valid UTF-8: message below
  };
  Kind kind = Kind::kNone;
  bool at_eof = false;      // the end of the source was the reason: more input may help
  bool in_fstring = false;  // an f-string was open
  std::string message;
  uint32_t lineno = 0;      // line shown
  uint32_t stop_line = 0;   // line reached
  uint32_t line_start = 0;  // kSyntax: byte offset of the text shown
  int64_t offset = 0;       // kSyntax: character offset from 1
  int64_t end_offset = 0;
  uint32_t cursor = 0;  // byte offset of the reading position when it stopped
};

// An opening bracket that was not closed.
struct OpenBracket {
  char bracket;
  uint32_t lineno;
  uint32_t column;  // in bytes from 0
};

class Lexer {
 public:
  // `arena` and `names` receive identifiers; both must outlive the tokens.
  Lexer(Arena& arena, NameTable& names, SourceBuffer source, const ParseOptions& options);
  ~Lexer();
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;

  // Lexes everything. Throws std::bad_alloc when out of memory.
  void Run();

  Arena& arena() { return arena_; }
  const Token* tokens() const { return tokens_; }
  // For diagnostics, which parse parts of the source as if it ended there.
  Token* mutable_tokens() { return tokens_; }
  uint32_t token_count() const { return count_; }
  SourceBuffer source() const { return {source_, size_}; }
  const LexError& error() const { return error_; }
  // line_starts()[n] is the byte offset of line n (from 1).
  const MeteredVector<uint32_t>& line_starts() const { return line_starts_; }
  // Brackets open at the end of lexing (or at the error), outermost first.
  const std::vector<OpenBracket>& open_brackets() const { return brackets_; }
  // Lines whose predecessor ended inside a token or with a backslash, ascending.
  const MeteredVector<uint32_t>& joined_lines() const { return joined_lines_; }
  const std::vector<TypeIgnore>& type_ignores() const { return type_ignores_; }
  std::vector<Warning>& warnings() { return warnings_; }

 private:
  static constexpr int kMaxIndent = 100;
  static constexpr size_t kMaxBrackets = 200;
  static constexpr size_t kMaxFStrings = 150;

  // An f-string being read.
  struct FString {
    bool in_text;  // reading literal text rather than an expression
    bool raw;
    bool in_spec;
    char quote;
    uint8_t quote_size;
    int depth;             // brackets opened inside it
    int expression_depth;  // the depth of the innermost expression's own brace, less one; -1: none
    uint32_t start;
    uint32_t lineno;
    uint32_t line_start;
  };

  // Each returns false when it stopped with an error.
  bool LexLine();
  bool Indentation(bool* blank);
  bool Number(const char* p);
  bool BasedNumber(const char* p, int base);
  bool DecimalTail(const char** p);
  bool EndOfNumber(const char** p, const char* what);
  bool NumberDone(const char* p);
  bool StringOrName(const char* p);
  bool String(const char* p, uint8_t flags);
  bool FStringBegin(const char* p, uint8_t flags);
  bool FStringText();
  bool NonAsciiName(const char* p);
  bool Operator();
  bool Open(char bracket, Tok kind);
  bool Close(char bracket, Tok kind);
  bool AtEnd();

  void SetCapacity(size_t capacity);
  Token* Push(Tok kind, const char* start, const char* end) {
    if (count_ == capacity_) [[unlikely]]
      SetCapacity(size_t{capacity_} * 2);
    Token* token = &tokens_[count_++];
    token->kind = kind;
    token->flags = 0;
    token->start = static_cast<uint32_t>(start - source_);
    token->end = static_cast<uint32_t>(end - source_);
    token->lineno = lineno_;
    token->end_lineno = lineno_;
    return token;
  }
  void PushMarker(Tok kind);
  // Records that a new line begins at `p`; `joined` as for joined_lines().
  void NewLine(const char* p, bool joined);
  // A comment that may be one about types; `alone`: on a line of its own.
  void Comment(const char* start, const char* end, bool alone);

  // Stops with a SyntaxError shown up to the reading position `p` (exclusive).
  bool Fail(const char* p, std::string message);
  bool FailRange(const char* p, int64_t offset, int64_t end_offset, std::string message);
  bool FailKind(LexError::Kind kind, const char* p, bool at_eof = false);
  bool FailString(const char* start, uint32_t lineno, uint32_t line_start, bool at_eof,
                  std::string message);
  int64_t CharsBefore(uint32_t from, const char* p) const;

  Arena& arena_;
  NameTable& names_;
  const ParseOptions& options_;
  const char* source_;
  uint32_t size_;
  const char* p_;  // reading position
  uint32_t lineno_ = 1;
  uint32_t line_start_ = 0;
  bool at_line_start_ = true;
  bool done_ = false;

  Token* tokens_ = nullptr;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;

  int indent_ = 0;
  uint32_t indents_[kMaxIndent] = {0};      // with tabs to multiples of 8
  uint32_t alt_indents_[kMaxIndent] = {0};  // with tabs as 1
  std::vector<OpenBracket> brackets_;
  std::vector<FString> fstrings_;
  MeteredVector<uint32_t> line_starts_;
  MeteredVector<uint32_t> joined_lines_;
  std::vector<TypeIgnore> type_ignores_;
  std::vector<Warning> warnings_;
  LexError error_;
};

}  // namespace minivm
