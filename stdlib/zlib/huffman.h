// The Huffman codes of deflate (RFC 1951) as the compressor makes them.
//
// A code is canonical: it is given by the lengths of its symbols. Bits of a code arrive most
// significant first in a stream that is read from the least significant bit on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace minivm::zlib {

inline constexpr int kMaxCodeBits = 15;
inline constexpr int kLiteralSymbols = 288;  // of the fixed code; 286 are used
inline constexpr int kDistanceSymbols = 32;  // 30 are used
inline constexpr int kLengthSymbols = 19;    // the code for code lengths
inline constexpr int kEndOfBlock = 256;
inline constexpr int kMinMatch = 3, kMaxMatch = 258;

// Match lengths: symbol 257 + i stands for kLengthBase[i] and the value of some extra bits.
inline constexpr std::array<uint16_t, 29> kLengthBase = {
    3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
inline constexpr std::array<uint8_t, 29> kLengthExtra = {
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
inline constexpr std::array<uint16_t, 30> kDistanceBase = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
inline constexpr std::array<uint8_t, 30> kDistanceExtra = {0, 0, 0,  0,  1,  1,  2,  2,  3,  3,
                                                           4, 4, 5,  5,  6,  6,  7,  7,  8,  8,
                                                           9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
// The order in which the lengths of the length code are written.
inline constexpr std::array<uint8_t, 19> kLengthOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                         11, 4,  12, 3, 13, 2, 14, 1, 15};

// Which i stands for a match length, for a distance.
inline constexpr auto kLengthIndex = [] {
  std::array<uint8_t, kMaxMatch + 1> index = {};
  for (size_t i = 0; i < kLengthBase.size(); ++i) {
    for (size_t n = kLengthBase[i]; n <= kMaxMatch; ++n) index[n] = static_cast<uint8_t>(i);
  }
  return index;
}();
inline uint32_t DistanceIndex(uint32_t distance) {
  if (distance < 5) return distance - 1;
  const uint32_t top = 31u - static_cast<uint32_t>(__builtin_clz(distance - 1));
  return 2 * top + ((distance - 1) >> (top - 1) & 1);
}

// Code lengths of the fixed code's symbols.
inline constexpr uint8_t FixedLiteralBits(int symbol) {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}

// The codes for the lengths, bits reversed for writing.
constexpr void AssignCodes(const uint8_t* lengths, int count, uint16_t* codes) {
  uint32_t next[kMaxCodeBits + 2] = {}, counts[kMaxCodeBits + 1] = {};
  for (int i = 0; i < count; ++i) ++counts[lengths[i]];
  counts[0] = 0;
  for (int bits = 1; bits <= kMaxCodeBits; ++bits) {
    next[bits + 1] = (next[bits] + counts[bits]) << 1;
  }
  for (int i = 0; i < count; ++i) {
    if (lengths[i] == 0) continue;
    uint32_t code = next[lengths[i]]++;
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
    code = (code & 0x0F0F) << 4 | (code >> 4 & 0x0F0F);
    code = (code & 0x00FF) << 8 | code >> 8;
    codes[i] = static_cast<uint16_t>(code >> (16 - lengths[i]));
  }
}

// Code lengths, at most `limit`, for symbols that occur as often as said; 0 for those that do not.
void AssignLengths(const uint32_t* frequencies, int count, int limit, uint8_t* lengths);

}  // namespace minivm::zlib
