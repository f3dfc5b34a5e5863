// Hash functions: SipHash-1-3 and the numeric hash.
//
// The numeric hash is arithmetic modulo the Mersenne prime P = 2**61 - 1, where
// multiplying by a power of two is a rotation of 61 bits; so equal numbers of
// different types meet without a common representation.
#include "runtime/support/hash.h"

#include <cmath>
#include <cstring>

namespace minivm {
namespace {

inline uint64_t RotateLeft(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

inline uint64_t LoadWord(const unsigned char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;  // little-endian hosts only; a big-endian one merely hashes differently
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v2 += v3;
    v1 = RotateLeft(v1, 13) ^ v0;
    v3 = RotateLeft(v3, 16) ^ v2;
    v0 = RotateLeft(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = RotateLeft(v1, 17) ^ v2;
    v3 = RotateLeft(v3, 21) ^ v0;
    v2 = RotateLeft(v2, 32);
  }
};

inline int64_t NotMinusOne(int64_t hash) { return hash == -1 ? -2 : hash; }

inline int64_t Signed(uint64_t residue, bool negative) {
  const int64_t hash = static_cast<int64_t>(residue);
  return NotMinusOne(negative ? -hash : hash);
}

inline uint64_t Reduce(uint64_t x) {
  x = (x & kHashModulus) + (x >> 61);
  return x >= kHashModulus ? x - kHashModulus : x;
}

// x * 2**bits mod P. REQUIRES: x < P, 0 <= bits < 61.
inline uint64_t TimesPowerOfTwo(uint64_t x, unsigned bits) {
  return ((x << bits) & kHashModulus) | x >> (61 - bits);
}

uint64_t ResidueOfMag(const Limb* a, size_t na) {
  uint64_t h = 0;
  // 2**64 is 8 modulo P.
  while (na-- > 0) h = Reduce(TimesPowerOfTwo(h, 3) + Reduce(a[na]));
  return h;
}

uint64_t TimesMod(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return Reduce(static_cast<uint64_t>(product & kHashModulus) +
                static_cast<uint64_t>(product >> 61));
}

// By Fermat: x ** (P - 2).
uint64_t InverseMod(uint64_t x) {
  uint64_t result = 1;
  for (uint64_t exponent = kHashModulus - 2; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = TimesMod(result, x);
    x = TimesMod(x, x);
  }
  return result;
}

}  // namespace

HashKey HashKeyFromSeed(uint32_t seed) {
  if (seed == 0) return {};
  // SplitMix64: spreads neighbouring seeds over the whole key.
  uint64_t state = seed;
  const auto next = [&state] {
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  };
  HashKey key;
  key.k0 = next();
  key.k1 = next();
  return key;
}

uint64_t SipHash13(HashKey key, const void* data, size_t size) {
  SipState s{key.k0 ^ 0x736F6D6570736575u, key.k1 ^ 0x646F72616E646F6Du,
             key.k0 ^ 0x6C7967656E657261u, key.k1 ^ 0x7465646279746573u};
  const unsigned char* p = static_cast<const unsigned char*>(data);
  const unsigned char* const words_end = p + (size & ~size_t{7});
  for (; p != words_end; p += 8) {
    const uint64_t word = LoadWord(p);
    s.v3 ^= word;
    s.Round();
    s.v0 ^= word;
  }
  uint64_t last = static_cast<uint64_t>(size) << 56;
  if (const size_t rest = size & 7; rest >= 4) {
    // Two overlapping loads instead of a loop over the tail.
    uint32_t low;
    uint32_t high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + rest - 4, 4);
    last |= low | static_cast<uint64_t>(high) << (8 * (rest - 4));
  } else if (rest != 0) {
    last |= p[0] | static_cast<uint64_t>(p[rest / 2]) << (8 * (rest / 2)) |
            static_cast<uint64_t>(p[rest - 1]) << (8 * (rest - 1));
  }
  s.v3 ^= last;
  s.Round();
  s.v0 ^= last;
  s.v2 ^= 0xFF;
  s.Round();
  s.Round();
  s.Round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

int64_t HashBytes(HashKey key, const void* data, size_t size) {
  if (size == 0) return 0;
  return NotMinusOne(static_cast<int64_t>(SipHash13(key, data, size)));
}

int64_t HashMag(const Limb* a, size_t na, bool negative) {
  return Signed(ResidueOfMag(a, na), negative);
}

int64_t HashDouble(double value, int64_t nan_hash) {
  if (!std::isfinite(value)) {
    if (std::isnan(value)) return nan_hash;
    return value > 0 ? kHashInfinity : -kHashInfinity;
  }
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const unsigned biased = bits >> 52 & 0x7FF;
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (biased != 0) mantissa |= uint64_t{1} << 52;
  // value = mantissa * 2**(exponent - 1075); 1075 + 23 is a multiple of 61.
  const unsigned shift = ((biased == 0 ? 1 : biased) + 23) % 61;
  return Signed(TimesPowerOfTwo(mantissa, shift), bits >> 63);
}

int64_t HashComplex(double real, double imag, int64_t nan_hash) {
  const uint64_t re = static_cast<uint64_t>(HashDouble(real, nan_hash));
  const uint64_t im = static_cast<uint64_t>(HashDouble(imag, nan_hash));
  return NotMinusOne(static_cast<int64_t>(re + static_cast<uint64_t>(kHashImaginary) * im));
}

int64_t HashRational(const Limb* numerator, size_t nn, bool negative, const Limb* denominator,
                     size_t nd) {
  const uint64_t divisor = ResidueOfMag(denominator, nd);
  if (divisor == 0) return negative ? -kHashInfinity : kHashInfinity;
  return Signed(TimesMod(ResidueOfMag(numerator, nn), InverseMod(divisor)), negative);
}

int64_t HashPointer(const void* address) {
  const uint64_t word = reinterpret_cast<uintptr_t>(address);
  return NotMinusOne(static_cast<int64_t>(word >> 4 | word << 60));
}

}  // namespace minivm
