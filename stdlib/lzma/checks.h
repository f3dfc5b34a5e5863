// The checks of .xz files: over a text, whose digest stands behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stdlib/checksums.h"
#include "stdlib/hash/digest.h"

namespace minivm::lzma {

enum Check : int { kCheckNone = 0, kCheckCrc32 = 1, kCheckCrc64 = 4, kCheckSha256 = 10 };
inline constexpr int kCheckUnknown = 16;

constexpr bool IsSupported(int check) {
  return check == kCheckNone || check == kCheckCrc32 || check == kCheckCrc64 ||
         check == kCheckSha256;
}
// Bytes of the digest; also of checks that are not supported.
constexpr size_t CheckSize(int check) { return check == 0 ? 0 : size_t{4} << (check - 1) / 3; }

class Checker {
 public:
  explicit Checker(int check = kCheckNone) : check_(check), sha256_(hash::Kind::kSha256) {}

  void Add(const uint8_t* p, size_t n) {
    switch (check_) {
      case kCheckCrc32: crc_ = Crc32(static_cast<uint32_t>(crc_), p, n); break;
      case kCheckCrc64: {
        uint64_t crc = ~crc_;
        for (size_t i = 0; i < n; ++i) crc = kTable[(crc ^ p[i]) & 0xFF] ^ crc >> 8;
        crc_ = ~crc;
        break;
      }
      case kCheckSha256: sha256_.Update(p, n); break;
      default: break;
    }
  }
  // REQUIRES: IsSupported(). CheckSize() bytes.
  void Finish(uint8_t* out) const {
    if (check_ == kCheckSha256) return sha256_.Finish(out);
    for (size_t i = 0; i < CheckSize(check_); ++i) out[i] = static_cast<uint8_t>(crc_ >> (8 * i));
  }

 private:
  static constexpr std::array<uint64_t, 256> kTable = [] {
    std::array<uint64_t, 256> table = {};
    for (uint64_t i = 0; i < 256; ++i) {
      uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xC96C5795D7870F42u : 0u);
      table[i] = crc;
    }
    return table;
  }();
  int check_;
  uint64_t crc_ = 0;
  hash::Digest sha256_;
};

}  // namespace minivm::lzma
