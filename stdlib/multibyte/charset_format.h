// How the tables of character sets are packed: shared by what packs them (tools/charsets) and what
// unpacks them (charset.cpp).
//
// The cells of a set, trail bytes within lead bytes, follow each other as a row of operations, each
// a byte with perhaps operands of one or two bytes, the low one first. "Previous" is the last
// single character, 0 at the beginning.
#pragma once

#include <cstdint>

namespace minivm {

enum CharsetOperation : uint8_t {
  kCharsetLongGap = 0x01,   // + n: n cells without a character
  kCharsetLongCopy = 0x02,  // + n: n cells as in the base
  kCharsetCopy = 0x03,      // + n, one byte: n + 1 cells as in the base
  kCharsetPair = 0x04,      // the next pair of characters of the set's list
  kCharsetBmp = 0x05,       // + code point
  kCharsetBeyond = 0x06,    // + code point - 0x20000
  kCharsetGap = 0x10,       // ... 0x1F: 1 to 16 cells without a character
  kCharsetRun = 0x20,       // ... 0x3F: 2 to 33 cells that count up from previous + 1
  kCharsetStep = 0x40,      // ... 0x7F: previous + 1 to previous + 64
  kCharsetLiteral = 0x80,   // ... 0xFF, + one byte: kCharsetLiteralBase + the lower 15 bits
};
inline constexpr uint32_t kCharsetLiteralBase = 0x3400;

// A code that stands for two characters.
struct CharsetPair {
  uint16_t first, second, code;
};
// A character that is not written as the lowest of its codes; code 0: it is not written.
struct CharsetException {
  uint32_t character;
  uint16_t code;
};

struct PackedCharset {
  const uint8_t* packed;
  const CharsetPair* pairs;
  const CharsetException* exceptions;
  uint32_t packed_size;
  uint16_t pair_count, exception_count;
  uint8_t lead0, lead1, trail0, trail1;
  int8_t base;  // -1: none
};

// The four-byte code of this number stands for this character, and so on up to the next range; 0:
// for nothing.
struct GbRange {
  uint16_t number, character;
};

}  // namespace minivm
