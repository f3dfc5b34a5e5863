// What an ASCII byte can be in source text; bytes from 0x80 count as letters
// until their code point has been looked at.
#pragma once

#include <array>
#include <cstdint>

namespace minivm {

enum CharClass : uint8_t {
  kCharIdentStart = 1,  // letters, _, and every byte >= 0x80
  kCharDigit = 2,
  kCharHexDigit = 4,
  kCharSpace = 8,  // blank, tab, form feed
};

inline constexpr std::array<uint8_t, 256> kCharClasses = [] {
  std::array<uint8_t, 256> table{};
  for (int c = 0; c < 256; c++) {
    uint8_t bits = 0;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) {
      bits |= kCharIdentStart;
    }
    if (c >= '0' && c <= '9') bits |= kCharDigit | kCharHexDigit;
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) bits |= kCharHexDigit;
    if (c == ' ' || c == '\t' || c == '\f') bits |= kCharSpace;
    table[static_cast<size_t>(c)] = bits;
  }
  return table;
}();

inline bool HasClass(char c, uint8_t bits) {
  return (kCharClasses[static_cast<uint8_t>(c)] & bits) != 0;
}
inline bool IsIdentByte(char c) { return HasClass(c, kCharIdentStart | kCharDigit); }
inline bool IsDigit(char c) { return HasClass(c, kCharDigit); }

// How many characters the UTF-8 bytes [from, to) hold.
inline int64_t CountChars(const char* from, const char* to) {
  int64_t n = 0;
  for (; from < to; from++) n += (static_cast<uint8_t>(*from) & 0xC0) != 0x80;
  return n;
}

}  // namespace minivm
