// CRC-32 (as in gzip and PNG) and Adler-32: what binascii and zlib share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace minivm {

namespace checksum_internal {

constexpr std::array<std::array<uint32_t, 256>, 8> MakeCrcTables() {
  std::array<std::array<uint32_t, 256>, 8> t = {};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    t[0][i] = c;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t n = 1; n < 8; ++n) t[n][i] = t[0][t[n - 1][i] & 0xFF] ^ (t[n - 1][i] >> 8);
  }
  return t;
}
inline constexpr auto kCrcTables = MakeCrcTables();

}  // namespace checksum_internal

// The checksum of a text whose beginning has the checksum `crc` (0: none) and goes on with p[0, n).
// Eight bytes a step, by eight tables.
inline uint32_t Crc32(uint32_t crc, const uint8_t* p, size_t n) {
  static_assert(std::endian::native == std::endian::little);
  const auto& t = checksum_internal::kCrcTables;
  crc = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= t[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; n > 0; --n, ++p) crc = t[0][(crc ^ *p) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

// The same for Adler-32, which begins with 1.
inline uint32_t Adler32(uint32_t adler, const uint8_t* p, size_t n) {
  constexpr uint32_t kModulus = 65521;
  constexpr size_t kBlock = 5552;  // as long as the sums stay below 2**32
  uint32_t a = adler & 0xFFFF, b = adler >> 16;
  while (n > 0) {
    const size_t block = n < kBlock ? n : kBlock;
    for (size_t i = 0; i < block; ++i) {
      a += p[i];
      b += a;
    }
    a %= kModulus;
    b %= kModulus;
    p += block;
    n -= block;
  }
  return b << 16 | a;
}

}  // namespace minivm
