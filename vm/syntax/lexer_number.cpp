// Number literals: where they end and what is wrong with them. Their values are
// computed when the parser makes the constant (literal.cpp).
#include <cstring>

#include "vm/syntax/char_class.h"
#include "vm/syntax/lexer.h"

namespace minivm {

bool Lexer::NumberDone(const char* p) {
  Push(Tok::kNumber, p_, p);
  p_ = p;
  return true;
}

// Reads the digits and single underscores at *p, which is at a digit.
bool Lexer::DecimalTail(const char** p) {
  for (;;) {
    while (IsDigit(**p)) ++*p;
    if (**p != '_') return true;
    ++*p;
    if (!IsDigit(**p)) return Fail(*p, "invalid decimal literal");
  }
}

// A literal must not run into a name, except that `1if x else y` is only frowned upon.
bool Lexer::EndOfNumber(const char** p, const char* what) {
  const char* const at = *p;
  const auto word = [at](std::string_view text) {
    return std::strncmp(at, text.data(), text.size()) == 0 && !IsIdentByte(at[text.size()]);
  };
  bool keyword = false;
  switch (*at) {
    case 'a': keyword = word("and"); break;
    case 'e': keyword = word("else"); break;
    case 'f': keyword = word("for"); break;
    case 'i': keyword = at[1] == 'f' || at[1] == 'n' || at[1] == 's'; break;
    case 'o': keyword = word("or"); break;
    case 'n': keyword = word("not"); break;
    default: break;
  }
  if (keyword) {
    Warning warning;
    warning.message = std::string("invalid ") + what + " literal";
    warning.lineno = warning.end_lineno = lineno_;
    warning.offset = warning.end_offset = static_cast<uint32_t>(CharsBefore(line_start_, at));
    warnings_.push_back(std::move(warning));
    return true;
  }
  if (static_cast<uint8_t>(*at) < 0x80 && IsIdentByte(*at)) {
    return Fail(at, std::string("invalid ") + what + " literal");
  }
  return true;
}

// 0x..., 0o... and 0b...; p is after the letter.
bool Lexer::BasedNumber(const char* p, int base) {
  const char* const what = base == 16 ? "hexadecimal" : base == 8 ? "octal" : "binary";
  const auto good = [base](char c) {
    return base == 16 ? HasClass(c, kCharHexDigit) : c >= '0' && c < '0' + base;
  };
  const auto bad_digit = [this, what](const char* at) {
    return Fail(at + 1, std::string("invalid digit '") + *at + "' in " + what + " literal");
  };
  do {
    if (*p == '_') p++;
    if (!good(*p)) {
      if (IsDigit(*p)) return bad_digit(p);
      return Fail(p, std::string("invalid ") + what + " literal");
    }
    while (good(*p)) p++;
  } while (*p == '_');
  if (IsDigit(*p)) return bad_digit(p);
  return EndOfNumber(&p, what) && NumberDone(p);
}

bool Lexer::Number(const char* p) {
  const char* const start = p;
  bool leading_zeros = false;
  const char* zeros_end = nullptr;
  if (*p == '0') {
    switch (p[1] | 0x20) {
      case 'x': return BasedNumber(p + 2, 16);
      case 'o': return BasedNumber(p + 2, 8);
      case 'b': return BasedNumber(p + 2, 2);
      default: break;
    }
    p++;
    for (;;) {
      if (*p == '_') {
        p++;
        if (!IsDigit(*p)) return Fail(p, "invalid decimal literal");
      }
      if (*p != '0') break;
      p++;
    }
    zeros_end = p;
    if (IsDigit(*p)) {
      leading_zeros = true;
      if (!DecimalTail(&p)) return false;
    }
  } else if (*p != '.') {
    if (!DecimalTail(&p)) return false;
  }
  bool is_float = false;
  if (*p == '.') {
    is_float = true;
    p++;
    if (IsDigit(*p) && !DecimalTail(&p)) return false;
  }
  if ((*p | 0x20) == 'e') {
    const char* exponent = p + 1;
    if (*exponent == '+' || *exponent == '-') {
      exponent++;
      if (!IsDigit(*exponent)) return Fail(exponent, "invalid decimal literal");
    }
    if (IsDigit(*exponent)) {
      is_float = true;
      p = exponent;
      if (!DecimalTail(&p)) return false;
    } else {
      return EndOfNumber(&p, "decimal") && NumberDone(p);
    }
  }
  if ((*p | 0x20) == 'j') {
    p++;
    return EndOfNumber(&p, "imaginary") && NumberDone(p);
  }
  if (leading_zeros && !is_float) {
    return FailRange(p, start + 1 - (source_ + line_start_),
                     zeros_end + 1 - (source_ + line_start_),
                     "leading zeros in decimal integer literals are not permitted; "
                     "use an 0o prefix for octal integers");
  }
  return EndOfNumber(&p, "decimal") && NumberDone(p);
}

}  // namespace minivm
