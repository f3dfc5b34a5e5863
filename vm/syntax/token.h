// Tokens: 24 bytes each, in one array for the whole source.
//
// The parser walks the array by index and may look anywhere; positions become
// (line, column) only when a node is made. Keywords are kinds of their own,
// soft keywords are names.
#pragma once

#include <cstdint>
#include <string_view>

#include "vm/syntax/ast.h"

namespace minivm {

enum class Tok : uint8_t {
#define TOKEN(name, text) k##name,
#define OP(name, text) k##name,
#define KEYWORD(name, text) k##name,
#include "vm/syntax/token.def"
#undef TOKEN
#undef OP
#undef KEYWORD
};
inline constexpr int kTokCount = static_cast<int>(Tok::kYield) + 1;

inline constexpr bool IsKeyword(Tok kind) { return kind >= Tok::kFalse; }
// The spelling of an operator or keyword.
std::string_view TokText(Tok kind);

struct Token {
  // Flags.
  static constexpr uint8_t kNoPosition = 1;    // INDENT, DEDENT, ENDMARKER, an implied NEWLINE
  static constexpr uint8_t kDoubledBrace = 2;  // FStringMiddle: one more brace follows, unread
  static constexpr uint8_t kRaw = 4;           // String, FStringStart, FStringMiddle: r prefix
  static constexpr uint8_t kBytes = 8;         // String: b prefix
  static constexpr uint8_t kUnicode = 16;      // String: u prefix
  static constexpr uint8_t kInSpec = 32;       // FStringMiddle: inside a format specification

  Tok kind;
  uint8_t flags;
  uint8_t prefix_size;  // String, FStringStart: letters before the quote
  uint8_t quote_size;   // String, FStringStart: 1 or 3
  uint32_t start;       // byte offsets into the source
  uint32_t end;
  uint32_t lineno;
  union {
    Identifier ident;     // Name
    uint32_t end_lineno;  // String, FStringMiddle (others end on `lineno`)
  };
};

}  // namespace minivm
