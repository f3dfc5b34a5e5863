// CRC-32 and Adler-32.
//
// CRC-32 takes eight bytes a step, by eight tables; long texts, on processors that multiply without
// carries, are folded first: 128 bits stand for polynomials of any degree, and multiplied by
// x**n mod P they stand for themselves n places further on, where they are added to what comes
// there. Adler-32 takes sixteen bytes a step.
#include "stdlib/checksums.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace minivm {

namespace {

static_assert(std::endian::native == std::endian::little);

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
constexpr auto kCrcTables = MakeCrcTables();

// Without the inversions before and after.
uint32_t CrcByTables(uint32_t crc, const uint8_t* p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kCrcTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; n > 0; --n, ++p) crc = kCrcTables[0][(crc ^ *p) & 0xFF] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)

constexpr size_t kFolded = 64;  // bytes at a time

bool AskForCarrylessProduct() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL);
}

// x**n mod P, its bits in the order of CRC-32 (that of x**0 on top), and one place further on,
// which makes up for the place that is lost when two numbers in that order are multiplied.
constexpr int64_t Power(int n) {
  uint32_t power = 0x80000000u;
  for (; n > 0; --n) power = power & 1 ? power >> 1 ^ 0xEDB88320u : power >> 1;
  return static_cast<int64_t>(uint64_t{power} << 1);
}

__attribute__((target("pclmul"), always_inline)) inline __m128i Fold(__m128i x, __m128i powers,
                                                                     __m128i next) {
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(x, powers, 0x00), _mm_clmulepi64_si128(x, powers, 0x11)),
      next);
}

inline __m128i Load128(const uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// REQUIRES: n >= kFolded
__attribute__((target("pclmul"))) uint32_t CrcByProducts(uint32_t crc, const uint8_t* p, size_t n) {
  // The lower half of a register stands for the earlier bytes, so it goes the longer way.
  const __m128i four = _mm_set_epi64x(Power(4 * 128 - 32), Power(4 * 128 + 32));
  const __m128i one = _mm_set_epi64x(Power(128 - 32), Power(128 + 32));
  __m128i x[4];
  for (int i = 0; i < 4; ++i) x[i] = Load128(p + 16 * i);
  x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(static_cast<int>(crc)));
  for (p += kFolded, n -= kFolded; n >= kFolded; p += kFolded, n -= kFolded) {
    for (int i = 0; i < 4; ++i) x[i] = Fold(x[i], four, Load128(p + 16 * i));
  }
  for (int i = 1; i < 4; ++i) x[i] = Fold(x[i - 1], one, x[i]);
  for (; n >= 16; p += 16, n -= 16) x[3] = Fold(x[3], one, Load128(p));
  uint8_t rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), x[3]);
  return CrcByTables(CrcByTables(0, rest, sizeof rest), p, n);
}

#endif

}  // namespace

uint32_t Crc32(uint32_t crc, const uint8_t* p, size_t n) {
#if defined(__x86_64__)
  if (n >= kFolded) {
    static const bool products = AskForCarrylessProduct();
    if (products) return ~CrcByProducts(~crc, p, n);
  }
#endif
  return ~CrcByTables(~crc, p, n);
}

uint32_t Adler32(uint32_t adler, const uint8_t* p, size_t n) {
  constexpr uint32_t kModulus = 65521;
  constexpr size_t kBlock = 5552;  // as long as the sums stay below 2**32
  uint32_t a = adler & 0xFFFF, b = adler >> 16;
  while (n > 0) {
    size_t block = std::min(n, kBlock);
    n -= block;
#if defined(__SSE2__)
    // `sums`: of the bytes; `before`: of those sums before each step, to be counted sixteen times;
    // `weighted`: of the bytes as often as they count within their step.
    const __m128i zero = _mm_setzero_si128();
    const __m128i high = _mm_set_epi16(9, 10, 11, 12, 13, 14, 15, 16);
    const __m128i low = _mm_set_epi16(1, 2, 3, 4, 5, 6, 7, 8);
    __m128i sums = zero, before = zero, weighted = zero;
    const size_t steps = block / 16;
    for (size_t i = 0; i < steps; ++i, p += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      before = _mm_add_epi32(before, sums);
      sums = _mm_add_epi32(sums, _mm_sad_epu8(bytes, zero));
      weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpacklo_epi8(bytes, zero), high));
      weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpackhi_epi8(bytes, zero), low));
    }
    auto total = [](__m128i v) {
      uint32_t lanes[4];
      _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), v);
      return lanes[0] + lanes[1] + lanes[2] + lanes[3];
    };
    b += static_cast<uint32_t>(16 * steps) * a + 16 * total(before) + total(weighted);
    a += total(sums);
    block -= 16 * steps;
#endif
    for (; block > 0; --block, ++p) {
      a += *p;
      b += a;
    }
    a %= kModulus;
    b %= kModulus;
  }
  return b << 16 | a;
}

}  // namespace minivm
