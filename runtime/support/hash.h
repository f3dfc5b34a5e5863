// Hash functions behind hash(): equal to CPython's documented numeric hash for
// numbers, keyed for text.
//
// Text and bytes use SipHash-1-3 with a per-VM key, so that a script fed by an
// attacker cannot be made quadratic through chosen keys. Short strings are
// where the time goes, and a cheaper mixing function for them would be open to
// exactly that attack, so there is none; HashMix is for keys that no outsider
// chooses (shapes, caches). All functions are pure. No result is -1 where Python says so:
// the hash functions named after Python objects map -1 to -2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/support/big_int.h"

namespace minivm {

// The key of a VM: from the system's random source, or from PYTHONHASHSEED.
struct HashKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

// Key for PYTHONHASHSEED=n: 0 gives the zero key, other n a fixed key each.
HashKey HashKeyFromSeed(uint32_t seed);

// SipHash-1-3 of the bytes, as a plain 64-bit value.
uint64_t SipHash13(HashKey key, const void* data, size_t size);

// hash(bytes) / hash(str) over the content; 0 for nothing, never -1.
int64_t HashBytes(HashKey key, const void* data, size_t size);

// Numbers: the value modulo the prime 2**61 - 1, with the sign kept; never -1.
inline constexpr uint64_t kHashModulus = (uint64_t{1} << 61) - 1;
inline constexpr int64_t kHashInfinity = 314159;
inline constexpr int64_t kHashImaginary = 1000003;

inline int64_t HashInt64(int64_t value) {
  const uint64_t magnitude =
      value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  uint64_t h = (magnitude & kHashModulus) + (magnitude >> 61);
  if (h >= kHashModulus) h -= kHashModulus;
  const int64_t signed_hash = value < 0 ? -static_cast<int64_t>(h) : static_cast<int64_t>(h);
  return signed_hash == -1 ? -2 : signed_hash;
}
int64_t HashMag(const Limb* a, size_t na, bool negative);

// hash(float). For NaN the caller passes the hash of the object's address in nan_hash.
int64_t HashDouble(double value, int64_t nan_hash);
int64_t HashComplex(double real, double imag, int64_t nan_hash);

// hash(numerator / denominator) in lowest terms, denominator > 0; inf's hash if the modulus divides
// the denominator.
int64_t HashRational(const Limb* numerator, size_t nn, bool negative, const Limb* denominator,
                     size_t nd);

// hash(object) by identity: the address with its always-zero low bits rotated away.
int64_t HashPointer(const void* address);

// Fast mixing of a word for internal tables; not for keys that a script's input chooses.
inline uint64_t HashMix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  return x;
}

// The 32 bits of a hash() that hash tables keep. Small hashes keep their low bits, so that
// dense ints probe neighbouring slots; the high half is mixed in by multiplication.
inline uint32_t FoldHash(int64_t hash) {
  const uint64_t high = (static_cast<uint64_t>(hash) >> 32) ^ static_cast<uint32_t>(hash >> 63);
  return static_cast<uint32_t>(hash) + static_cast<uint32_t>((high * 0x9E3779B97F4A7C15u) >> 32);
}
// A 64-bit hash for which FoldHash(UnfoldHash(f)) == f; never -1.
inline int64_t UnfoldHash(uint32_t folded) {
  const uint64_t high = (folded * 0x85EBCA6Bu) & ~1u;
  return static_cast<int64_t>(high << 32 | (folded - FoldHash(static_cast<int64_t>(high << 32))));
}

// hash(tuple): feed the items' hashes in order. The rounds are those of xxHash.
class TupleHash {
 public:
  void Add(int64_t item_hash) {
    acc_ += static_cast<uint64_t>(item_hash) * kPrime2;
    acc_ = (acc_ << 31) | (acc_ >> 33);
    acc_ *= kPrime1;
  }
  int64_t Finish(size_t size) const {
    const int64_t h = static_cast<int64_t>(acc_ + size);
    return h == -1 ? -2 : h;
  }

 private:
  static constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87u;
  static constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Fu;
  static constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5u;
  uint64_t acc_ = kPrime5;
};

// hash(frozenset): a sum of mixed item hashes, so that order does not matter.
class SetHash {
 public:
  void Add(int64_t item_hash) { sum_ += HashMix(static_cast<uint64_t>(item_hash) ^ kSalt); }
  int64_t Finish(size_t size) const {
    const int64_t h = static_cast<int64_t>(HashMix(sum_ + size));
    return h == -1 ? -2 : h;
  }

 private:
  static constexpr uint64_t kSalt = 0xA0761D6478BD642Fu;
  uint64_t sum_ = 0;
};

}  // namespace minivm
