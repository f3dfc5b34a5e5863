// What both directions of bzip2 know of its format.
//
// A file is "BZh" and a digit (hundreds of kilobytes to a block), then blocks, then a checksum, all
// as one string of bits, most significant first. A block is a text whose runs of four and more are
// shortened, sorted by what follows each byte (the Burrows-Wheeler transform), moved to the front,
// runs of zeros counted in two symbols, and coded by one of up to six Huffman codes for each 50
// symbols.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace minivm::bz2 {

inline constexpr uint64_t kFileMagic = 0x425A68;  // "BZh"
inline constexpr uint64_t kBlockMagic = 0x314159265359, kEndMagic = 0x177245385090;
inline constexpr uint32_t kBlockUnit = 100000;  // bytes of a block per level
inline constexpr int kMaxGroups = 6;
inline constexpr uint32_t kGroupSize = 50;
inline constexpr uint32_t kMaxSelectors = 2 + 900000 / kGroupSize;
inline constexpr int kMaxAlphabet = 258;  // two for runs, 255 places in the list, end of block
inline constexpr uint32_t kRunA = 0, kRunB = 1;
inline constexpr int kMaxCodeBits = 20;

// CRC-32 with the bits of bytes in the other order than gzip's.
class Checksum {
 public:
  void Add(uint8_t byte) { crc_ = crc_ << 8 ^ kTable[crc_ >> 24 ^ byte]; }
  uint32_t value() const { return ~crc_; }

 private:
  static constexpr std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table = {};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i << 24;
      for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc >> 31 ? 0x04C11DB7u : 0u);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc_ = 0xFFFFFFFF;
};

}  // namespace minivm::bz2
