// CRC-32 (as in gzip and PNG) and Adler-32: what binascii and zlib share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

// The checksum of a text whose beginning has the checksum `crc` (0: none) and goes on with p[0, n).
uint32_t Crc32(uint32_t crc, const uint8_t* p, size_t n);
// The same for Adler-32, which begins with 1.
uint32_t Adler32(uint32_t adler, const uint8_t* p, size_t n);

}  // namespace minivm
