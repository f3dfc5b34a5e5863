// Strings and f-strings: where they end. Escapes are decoded by literal.cpp.
//
// An f-string is a stack of modes: literal text (FStringText) alternates with
// ordinary lexing of the expressions between braces, which ends at the brace or
// colon that stands at the depth where the expression began.
#include <cstring>

#include "vm/syntax/char_class.h"
#include "vm/syntax/lexer.h"

namespace minivm {

// The text shown is the line where the string began, up to and with its quote.
bool Lexer::FailString(const char* start, uint32_t lineno, uint32_t line_start, bool at_eof,
                       std::string message) {
  error_.stop_line = lineno_;
  lineno_ = lineno;
  line_start_ = line_start;
  Fail(start + 1, std::move(message));
  error_.at_eof = at_eof;
  return false;
}

// p is at the quote, p_ at the prefix.
bool Lexer::String(const char* p, uint8_t flags) {
  const char* const start = p_;
  const uint32_t first_line = lineno_;
  const uint32_t first_line_start = line_start_;
  const char quote = *p;
  const auto prefix_size = static_cast<uint8_t>(p - start);
  int quote_size = 1;
  if (p[1] == quote && p[2] == quote) {
    quote_size = 3;
  } else if (p[1] == quote) {
    Token* token = Push(Tok::kString, start, p + 2);
    token->flags = flags;
    token->prefix_size = prefix_size;
    token->quote_size = 1;
    p_ = p + 2;
    return true;
  }
  p += quote_size;
  bool escaped_quote = false;
  for (;;) {
    const char c = *p;
    if (c == quote) {
      if (quote_size == 1 || (p[1] == quote && p[2] == quote)) break;
      p++;
    } else if (c == '\\') {
      p++;
      escaped_quote |= *p == quote;
      if (*p == '\n') NewLine(p + 1, true);
      if (*p != '\0') p++;
    } else if (c == '\n' && quote_size == 3) {
      p++;
      NewLine(p, true);
    } else if (c == '\n' || c == '\0') {
      std::string detected = " (detected at line " + std::to_string(lineno_) + ")";
      if (escaped_quote && quote_size == 1) detected += "; perhaps you escaped the end quote?";
      if (!fstrings_.empty() && fstrings_.back().quote == quote &&
          fstrings_.back().quote_size == quote_size) {
        // The quote was meant to end the f-string around it.
        return FailString(start, first_line, first_line_start, false, "f-string: expecting '}'");
      }
      return FailString(start, first_line, first_line_start, c == '\0',
                        (quote_size == 3 ? "unterminated triple-quoted string literal"
                                         : "unterminated string literal") +
                            detected);
    } else {
      p++;
    }
  }
  Token* token = Push(Tok::kString, start, p + quote_size);
  token->lineno = first_line;
  token->flags = flags;
  token->prefix_size = prefix_size;
  token->quote_size = static_cast<uint8_t>(quote_size);
  p_ = p + quote_size;
  return true;
}

bool Lexer::FStringBegin(const char* p, uint8_t flags) {
  const char quote = *p;
  const int quote_size = p[1] == quote && p[2] == quote ? 3 : 1;
  if (fstrings_.size() + 1 >= kMaxFStrings)
    return Fail(p + quote_size, "too many nested f-strings");
  fstrings_.push_back({true, (flags & Token::kRaw) != 0, false, quote,
                       static_cast<uint8_t>(quote_size), 0, -1, static_cast<uint32_t>(p_ - source_),
                       lineno_, line_start_});
  Token* token = Push(Tok::kFStringStart, p_, p + quote_size);
  token->flags = flags;
  token->prefix_size = static_cast<uint8_t>(p - p_);
  token->quote_size = static_cast<uint8_t>(quote_size);
  p_ = p + quote_size;
  return true;
}

// Reads one piece of literal text (or the end, or gives way to an expression).
bool Lexer::FStringText() {
  constexpr int kMaxExpressionNesting = 3;
  const size_t index = fstrings_.size() - 1;
  FString* f = &fstrings_[index];
  const char* const start = p_;
  const char* p = start;
  const uint32_t first_line = lineno_;
  const auto too_deep = [this](const char* at) {
    return Fail(at, "f-string: expressions nested too deeply");
  };
  if (*p == '{' && p[1] != '{') {
    if (++f->expression_depth >= kMaxExpressionNesting) return too_deep(p);
    f->in_text = false;
    return true;
  }
  const auto at_quotes = [f](const char* at) {
    return *at == f->quote && (f->quote_size == 1 || (at[1] == f->quote && at[2] == f->quote));
  };
  if (at_quotes(p)) {
    Push(Tok::kFStringEnd, p, p + f->quote_size);
    p_ = p + f->quote_size;
    fstrings_.pop_back();
    return true;
  }
  uint8_t flags = f->raw ? Token::kRaw : 0;
  const auto middle = [&](const char* end, const char* next) {
    Token* token = Push(Tok::kFStringMiddle, start, end);
    token->lineno = first_line;
    token->flags = flags;
    p_ = next;
    return true;
  };
  bool named_escape = false;
  for (;;) {
    const bool in_spec = f->in_spec && f->expression_depth >= 0;
    if (in_spec) flags |= Token::kInSpec;
    const char c = *p;
    if (c == '\0' || (f->quote_size == 1 && c == '\n')) {
      if (in_spec && c == '\n') {
        f->in_text = false;
        f->in_spec = false;
        return middle(p, p);
      }
      const std::string detected = " (detected at line " + std::to_string(lineno_) + ")";
      return FailString(source_ + f->start, f->lineno, f->line_start,
                        c == '\0' && f->quote_size == 3,
                        (f->quote_size == 3 ? "unterminated triple-quoted f-string literal"
                                            : "unterminated f-string literal") +
                            detected);
    }
    if (at_quotes(p)) return middle(p, p);
    if (c == '{') {
      if (p[1] != '{' || in_spec) {
        if (++f->expression_depth >= kMaxExpressionNesting) return too_deep(p);
        f->in_text = false;
        return middle(p, p);
      }
      flags |= Token::kDoubledBrace;
      return middle(p + 1, p + 2);
    }
    if (c == '}') {
      if (named_escape) return middle(p + 1, p + 1);
      if (p[1] == '}' && !in_spec && f->depth == 0) {
        flags |= Token::kDoubledBrace;
        return middle(p + 1, p + 2);
      }
      f->in_text = false;
      return middle(p, p);
    }
    if (c == '\\') {
      p++;
      if (*p == '{' || *p == '}' || *p == '\0') continue;
      if (!f->raw && *p == 'N' && p[1] == '{') {
        named_escape = true;
        p++;
      }
      if (*p == '\n') NewLine(p + 1, true);
      p++;
      continue;
    }
    p++;
    if (c == '\n') NewLine(p, true);
  }
}

}  // namespace minivm
