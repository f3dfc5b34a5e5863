// Values of literals: numbers and the escapes of strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/support/arena.h"
#include "vm/syntax/ast.h"

namespace minivm {

// Reads a number token (well formed, as the lexer checked). Returns false if a decimal integer
// has more than `max_digits` digits (0 = any number); *digits is then how many it has.
bool ParseNumber(Arena& arena, std::string_view token, uint32_t max_digits, ConstantValue* value,
                 size_t* digits);

// The outcome of decoding a string's escapes.
struct DecodedString {
  std::string_view text;
  bool ok = true;
  std::string error;        // if !ok: "(unicode error) ..." or "(value error) ..."
  int invalid_escape = -1;  // offset in the body of the first unknown or oversized escape
};

// Decodes the body of a literal (what stands between the quotes). The result views `body` itself
// if it has no backslash, else the arena. Lone surrogates become their 3 "surrogatepass" bytes.
DecodedString DecodeString(Arena& arena, std::string_view body, bool raw, bool bytes);

// The warning for the unknown escape at body[at] (a backslash): invalid escape sequence '\d'.
std::string InvalidEscapeMessage(std::string_view body, size_t at);

}  // namespace minivm
