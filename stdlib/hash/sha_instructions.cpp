// SHA-1 and SHA-256 by the SHA instructions of x86-64: four rounds at a time.
//
// The functions are compiled for processors that have them and called only on such (cpuid); all
// other files are for every x86-64. digest.cpp has the portable form.
#include "stdlib/hash/sha_instructions.h"

#include "stdlib/hash/sha2_constants.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace minivm::hash {

namespace {

struct Rounds256 {
  alignas(16) uint32_t k[64];
  constexpr Rounds256() : k() {
    for (int i = 0; i < 64; ++i) k[i] = static_cast<uint32_t>(kSha512Rounds[i] >> 32);
  }
};
constexpr Rounds256 kRounds256;

bool AskProcessor() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  if (!(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

// Five groups of four rounds of SHA-1 with one function; w[first...] are filled as they are needed.
template <int kFunction>
__attribute__((target("sha,sse4.1"), always_inline)) inline void FiveGroups(__m128i* abcd,
                                                                            __m128i* before,
                                                                            __m128i* w) {
#pragma GCC unroll 5
  for (int i = kFunction * 5; i < kFunction * 5 + 5; ++i) {
    if (i >= 4) {
      w[i & 3] = _mm_sha1msg2_epu32(
          _mm_xor_si128(_mm_sha1msg1_epu32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3]),
          w[(i + 3) & 3]);
    }
    const __m128i e =
        i == 0 ? _mm_add_epi32(*before, w[0]) : _mm_sha1nexte_epu32(*before, w[i & 3]);
    *before = *abcd;
    *abcd = _mm_sha1rnds4_epu32(*abcd, e, kFunction);
  }
}

}  // namespace

bool HasShaInstructions() {
  static const bool has = AskProcessor();
  return has;
}

__attribute__((target("sha,sse4.1"))) void Sha1Instructions(uint32_t* h, const uint8_t* p,
                                                            size_t blocks) {
  const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090A0B0C0D0E0F);
  __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)), 0x1B);
  __m128i e = _mm_set_epi32(static_cast<int>(h[4]), 0, 0, 0);
  for (; blocks > 0; --blocks, p += 64) {
    __m128i w[4];
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i)), order);
    }
    const __m128i abcd_start = abcd, e_start = e;
    __m128i before = e;  // what the next group makes its `e` of
    FiveGroups<0>(&abcd, &before, w);
    FiveGroups<1>(&abcd, &before, w);
    FiveGroups<2>(&abcd, &before, w);
    FiveGroups<3>(&abcd, &before, w);
    e = _mm_sha1nexte_epu32(before, e_start);
    abcd = _mm_add_epi32(abcd, abcd_start);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(h), _mm_shuffle_epi32(abcd, 0x1B));
  h[4] = static_cast<uint32_t>(_mm_extract_epi32(e, 3));
}

__attribute__((target("sha,sse4.1"))) void Sha256Instructions(uint32_t* h, const uint8_t* p,
                                                              size_t blocks) {
  const __m128i order = _mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203);
  // The instructions want the words as ABEF and CDGH, from the top.
  const __m128i badc =
      _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)), 0xB1);
  const __m128i efgh =
      _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h + 4)), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, badc, 0xF0);
  for (; blocks > 0; --blocks, p += 64) {
    const __m128i abef_start = abef, cdgh_start = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i)), order);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (i >= 4) {
        const __m128i seven_back = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
        w[i & 3] = _mm_sha256msg2_epu32(
            _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]), seven_back),
            w[(i + 3) & 3]);
      }
      const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds256.k + 4 * i));
      const __m128i sum = _mm_add_epi32(w[i & 3], k);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_start);
    cdgh = _mm_add_epi32(cdgh, cdgh_start);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(h), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace minivm::hash

#else

namespace minivm::hash {

bool HasShaInstructions() { return false; }
void Sha1Instructions(uint32_t*, const uint8_t*, size_t) {}
void Sha256Instructions(uint32_t*, const uint8_t*, size_t) {}

}  // namespace minivm::hash

#endif
