// Digest: buffering, padding, and the blocks of MD5, SHA-1 and SHA-2.
#include "stdlib/hash/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "stdlib/hash/blocks.h"
#include "stdlib/hash/sha2_constants.h"
#include "stdlib/hash/sha_instructions.h"

namespace minivm::hash {

namespace {

constexpr KindInfo kInfos[] = {
    {"md5", Kind::kMd5, 16, 64},
    {"sha1", Kind::kSha1, 20, 64},
    {"sha224", Kind::kSha224, 28, 64},
    {"sha256", Kind::kSha256, 32, 64},
    {"sha384", Kind::kSha384, 48, 128},
    {"sha512", Kind::kSha512, 64, 128},
    {"sha512_224", Kind::kSha512_224, 28, 128},
    {"sha512_256", Kind::kSha512_256, 32, 128},
    {"sha3_224", Kind::kSha3_224, 28, 144},
    {"sha3_256", Kind::kSha3_256, 32, 136},
    {"sha3_384", Kind::kSha3_384, 48, 104},
    {"sha3_512", Kind::kSha3_512, 64, 72},
    {"shake_128", Kind::kShake128, 0, 168},
    {"shake_256", Kind::kShake256, 0, 136},
    {"blake2b", Kind::kBlake2b, 64, 128},
    {"blake2s", Kind::kBlake2s, 32, 64},
};

bool IsSponge(Kind k) { return k >= Kind::kSha3_224 && k <= Kind::kShake256; }
bool IsWide(Kind k) { return k >= Kind::kSha384 && k <= Kind::kSha512_256; }

uint32_t Load32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
uint64_t Load64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

constexpr uint32_t kMd5Rounds[64] = {
    0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu, 0x4787c62au, 0xa8304613u,
    0xfd469501u, 0x698098d8u, 0x8b44f7afu, 0xffff5bb1u, 0x895cd7beu, 0x6b901122u, 0xfd987193u,
    0xa679438eu, 0x49b40821u, 0xf61e2562u, 0xc040b340u, 0x265e5a51u, 0xe9b6c7aau, 0xd62f105du,
    0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u, 0x21e1cde6u, 0xc33707d6u, 0xf4d50d87u, 0x455a14edu,
    0xa9e3e905u, 0xfcefa3f8u, 0x676f02d9u, 0x8d2a4c8au, 0xfffa3942u, 0x8771f681u, 0x6d9d6122u,
    0xfde5380cu, 0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u, 0x289b7ec6u, 0xeaa127fau,
    0xd4ef3085u, 0x04881d05u, 0xd9d4d039u, 0xe6db99e5u, 0x1fa27cf8u, 0xc4ac5665u, 0xf4292244u,
    0x432aff97u, 0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u, 0xffeff47du, 0x85845dd1u,
    0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u, 0xf7537e82u, 0xbd3af235u, 0x2ad7d2bbu,
    0xeb86d391u,
};

// Rounds are written for fixed places of the state, which are turned by the order of the arguments,
// so that the state stays in registers.

void Md5Block(uint32_t* h, const uint8_t* p) {
  uint32_t w[16], a = h[0], b = h[1], c = h[2], d = h[3];
  std::memcpy(w, p, 64);
  auto step = [](uint32_t& a, uint32_t b, uint32_t f, uint32_t word, uint32_t k, int shift) {
    a = b + std::rotl(a + f + word + k, shift);
  };
  const uint32_t* k = kMd5Rounds;
  auto choose = [](uint32_t x, uint32_t y, uint32_t z) { return z ^ (x & (y ^ z)); };
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4, k += 4) {
    step(a, b, choose(b, c, d), w[i], k[0], 7);
    step(d, a, choose(a, b, c), w[i + 1], k[1], 12);
    step(c, d, choose(d, a, b), w[i + 2], k[2], 17);
    step(b, c, choose(c, d, a), w[i + 3], k[3], 22);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4, k += 4) {
    step(a, b, choose(d, b, c), w[(5 * i + 1) & 15], k[0], 5);
    step(d, a, choose(c, a, b), w[(5 * i + 6) & 15], k[1], 9);
    step(c, d, choose(b, d, a), w[(5 * i + 11) & 15], k[2], 14);
    step(b, c, choose(a, c, d), w[(5 * i + 16) & 15], k[3], 20);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4, k += 4) {
    step(a, b, b ^ c ^ d, w[(3 * i + 5) & 15], k[0], 4);
    step(d, a, a ^ b ^ c, w[(3 * i + 8) & 15], k[1], 11);
    step(c, d, d ^ a ^ b, w[(3 * i + 11) & 15], k[2], 16);
    step(b, c, c ^ d ^ a, w[(3 * i + 14) & 15], k[3], 23);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4, k += 4) {
    step(a, b, c ^ (b | ~d), w[(7 * i) & 15], k[0], 6);
    step(d, a, b ^ (a | ~c), w[(7 * i + 7) & 15], k[1], 10);
    step(c, d, a ^ (d | ~b), w[(7 * i + 14) & 15], k[2], 15);
    step(b, c, d ^ (c | ~a), w[(7 * i + 21) & 15], k[3], 21);
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
}

// Twenty rounds of SHA-1 with one function and constant.
template <class F>
void Sha1Rounds(uint32_t* v, const uint32_t* w, uint32_t k, F f) {
  uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4];
  auto step = [&](uint32_t a, uint32_t& b, uint32_t c, uint32_t d, uint32_t& e, uint32_t word) {
    e += std::rotl(a, 5) + f(b, c, d) + k + word;
    b = std::rotl(b, 30);
  };
#pragma GCC unroll 4
  for (int i = 0; i < 20; i += 5) {
    step(a, b, c, d, e, w[i]);
    step(e, a, b, c, d, w[i + 1]);
    step(d, e, a, b, c, w[i + 2]);
    step(c, d, e, a, b, w[i + 3]);
    step(b, c, d, e, a, w[i + 4]);
  }
  v[0] = a;
  v[1] = b;
  v[2] = c;
  v[3] = d;
  v[4] = e;
}

void Sha1Block(uint32_t* h, const uint8_t* p) {
  uint32_t w[80], v[5];
  for (int i = 0; i < 16; ++i) w[i] = __builtin_bswap32(Load32(p + 4 * i));
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  std::copy(h, h + 5, v);
  auto choose = [](uint32_t b, uint32_t c, uint32_t d) { return d ^ (b & (c ^ d)); };
  auto parity = [](uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; };
  auto majority = [](uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (d & (b | c)); };
  Sha1Rounds(v, w, 0x5A827999, choose);
  Sha1Rounds(v, w + 20, 0x6ED9EBA1, parity);
  Sha1Rounds(v, w + 40, 0x8F1BBCDC, majority);
  Sha1Rounds(v, w + 60, 0xCA62C1D6, parity);
  for (int i = 0; i < 5; ++i) h[i] += v[i];
}

// SHA-2 in words of 32 or 64 bits, which differ in rounds, rotations and constants.
template <class Word, int kRounds, int a1, int a2, int a3, int e1, int e2, int e3, int s1, int s2,
          int s3, int t1, int t2, int t3>
void Sha2Block(Word* state, const uint8_t* p) {
  Word w[kRounds];
  for (int i = 0; i < 16; ++i) {
    if constexpr (sizeof(Word) == 4) {
      w[i] = __builtin_bswap32(Load32(p + 4 * i));
    } else {
      w[i] = __builtin_bswap64(Load64(p + 8 * i));
    }
  }
  for (int i = 16; i < kRounds; ++i) {
    const Word x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(x, s1) ^ std::rotr(x, s2) ^ (x >> s3)) + w[i - 7] +
           (std::rotr(y, t1) ^ std::rotr(y, t2) ^ (y >> t3));
  }
  Word a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
       g = state[6], h = state[7];
  auto step = [&](Word a, Word b, Word c, Word& d, Word e, Word f, Word g, Word& h, int i) {
    const Word k = static_cast<Word>(kSha512Rounds[i] >> (64 - 8 * sizeof(Word)));
    h += (std::rotr(e, e1) ^ std::rotr(e, e2) ^ std::rotr(e, e3)) + (g ^ (e & (f ^ g))) + k + w[i];
    d += h;
    h += (std::rotr(a, a1) ^ std::rotr(a, a2) ^ std::rotr(a, a3)) + ((a & b) | (c & (a | b)));
  };
  for (int i = 0; i < kRounds; i += 8) {
    step(a, b, c, d, e, f, g, h, i);
    step(h, a, b, c, d, e, f, g, i + 1);
    step(g, h, a, b, c, d, e, f, i + 2);
    step(f, g, h, a, b, c, d, e, i + 3);
    step(e, f, g, h, a, b, c, d, i + 4);
    step(d, e, f, g, h, a, b, c, i + 5);
    step(c, d, e, f, g, h, a, b, i + 6);
    step(b, c, d, e, f, g, h, a, i + 7);
  }
  const Word sums[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += sums[i];
}

void Sha256Block(uint32_t* h, const uint8_t* p) {
  Sha2Block<uint32_t, 64, 2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10>(h, p);
}
void Sha512Block(uint64_t* h, const uint8_t* p) {
  Sha2Block<uint64_t, 80, 28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6>(h, p);
}

}  // namespace

const KindInfo& InfoOf(Kind kind) { return kInfos[static_cast<size_t>(kind)]; }

const KindInfo* FindKind(std::string_view name) {
  for (const KindInfo& info : kInfos) {
    const std::string_view known(info.name);
    if (name.size() != known.size()) continue;
    bool same = true;
    for (size_t i = 0; i < name.size() && same; ++i) {
      char c = name[i];
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      same = c == known[i] || (c == '-' && known[i] == '_');
    }
    if (same) return &info;
  }
  return nullptr;
}

Digest::Digest(Kind kind)
    : kind_(kind), size_(InfoOf(kind).digest_size), block_(InfoOf(kind).block_size) {
  std::memset(lanes_, 0, sizeof(lanes_));
  switch (kind) {
    case Kind::kMd5:
    case Kind::kSha1: {
      constexpr uint32_t kStart[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
      std::copy(kStart, kStart + 5, h32_);
      break;
    }
    case Kind::kSha224:
      for (int i = 0; i < 8; ++i) h32_[i] = static_cast<uint32_t>(kSha384Start[i]);
      break;
    case Kind::kSha256:
      for (int i = 0; i < 8; ++i) h32_[i] = static_cast<uint32_t>(kSha512Start[i] >> 32);
      break;
    case Kind::kSha384: std::copy(kSha384Start, kSha384Start + 8, h64_); break;
    case Kind::kSha512: std::copy(kSha512Start, kSha512Start + 8, h64_); break;
    case Kind::kSha512_224:
    case Kind::kSha512_256: {
      // They begin with a digest of their own name.
      Digest maker(Kind::kSha512);
      for (uint64_t& h : maker.h64_) h ^= 0xA5A5A5A5A5A5A5A5u;
      maker.Update(kind == Kind::kSha512_224 ? "SHA-512/224" : "SHA-512/256");
      uint8_t start[64];
      maker.Finish(start);
      for (int i = 0; i < 8; ++i) h64_[i] = __builtin_bswap64(Load64(start + 8 * i));
      break;
    }
    case Kind::kBlake2b:
    case Kind::kBlake2s: StartBlake({}); break;
    default: break;
  }
}

Digest::Digest(Kind kind, const Blake2Options& options)
    : kind_(kind), size_(InfoOf(kind).digest_size), block_(InfoOf(kind).block_size) {
  std::memset(lanes_, 0, sizeof(lanes_));
  StartBlake(options);
}

void Digest::StartBlake(const Blake2Options& o) {
  const bool wide = kind_ == Kind::kBlake2b;
  if (o.digest_size) size_ = o.digest_size;
  last_node_ = o.last_node;
  // The block of parameters is mixed into the start of SHA-2.
  uint8_t block[64] = {size_, static_cast<uint8_t>(o.key.size()), o.fanout, o.depth};
  std::memcpy(block + 4, &o.leaf_size, 4);
  std::memcpy(block + 8, &o.node_offset, wide ? 8 : 6);
  block[wide ? 16 : 14] = o.node_depth;
  block[wide ? 17 : 15] = o.inner_size;
  if (!o.salt.empty()) std::memcpy(block + (wide ? 32 : 16), o.salt.data(), o.salt.size());
  if (!o.person.empty()) std::memcpy(block + (wide ? 48 : 24), o.person.data(), o.person.size());
  for (int i = 0; i < 8; ++i) {
    if (wide) {
      h64_[i] = kSha512Start[i] ^ Load64(block + 8 * i);
    } else {
      h32_[i] = static_cast<uint32_t>(kSha512Start[i] >> 32) ^ Load32(block + 4 * i);
    }
  }
  if (!o.key.empty()) {  // the key is a block of its own
    uint8_t key[128] = {};
    std::memcpy(key, o.key.data(), o.key.size());
    Update(key, block_);
  }
}

void Digest::Block(const uint8_t* p, bool last) {
  switch (kind_) {
    case Kind::kMd5: return Md5Block(h32_, p);
    case Kind::kSha1:
      return HasShaInstructions() ? Sha1Instructions(h32_, p, 1) : Sha1Block(h32_, p);
    case Kind::kSha224:
    case Kind::kSha256:
      return HasShaInstructions() ? Sha256Instructions(h32_, p, 1) : Sha256Block(h32_, p);
    case Kind::kBlake2b: return Blake2Block(h64_, p, total_, last, last && last_node_);
    case Kind::kBlake2s: return Blake2Block(h32_, p, total_, last, last && last_node_);
    default: break;
  }
  if (!IsSponge(kind_)) return Sha512Block(h64_, p);
  for (int i = 0; i < block_ / 8; ++i) lanes_[i] ^= Load64(p + 8 * i);
  KeccakPermute(lanes_);
}

// `n` whole blocks, of which none is the last of a BLAKE2.
void Digest::Blocks(const uint8_t* p, size_t n) {
  if (kind_ >= Kind::kSha1 && kind_ <= Kind::kSha256 && HasShaInstructions()) {
    total_ += n * block_;
    return kind_ == Kind::kSha1 ? Sha1Instructions(h32_, p, n) : Sha256Instructions(h32_, p, n);
  }
  for (; n > 0; --n, p += block_) {
    total_ += block_;
    Block(p);
  }
}

void Digest::Update(const void* data, size_t n) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  // BLAKE2 has to know which block is the last: a full buffer waits.
  const bool waits = kind_ >= Kind::kBlake2b;
  while (n > 0) {
    if (used_ == 0 && n > block_) {
      const size_t whole = (n - 1) / block_;
      Blocks(p, whole);
      p += whole * block_;
      n -= whole * block_;
    }
    const size_t part = std::min<size_t>(n, block_ - used_);
    std::memcpy(buffer_ + used_, p, part);
    used_ = static_cast<uint16_t>(used_ + part);
    p += part;
    n -= part;
    if (used_ == block_ && (n > 0 || !waits)) {
      total_ += block_;
      Block(buffer_);
      used_ = 0;
    }
  }
}

// A one bit, zeros, and the length in bits.
void Digest::PadMerkle() {
  const uint64_t bits = (total_ + used_) * 8;
  const size_t length_size = IsWide(kind_) ? 16 : 8;
  buffer_[used_++] = 0x80;
  if (used_ > block_ - length_size) {
    std::memset(buffer_ + used_, 0, block_ - used_);
    Block(buffer_);
    used_ = 0;
  }
  std::memset(buffer_ + used_, 0, block_ - used_);
  const uint64_t ordered = kind_ == Kind::kMd5 ? bits : __builtin_bswap64(bits);
  std::memcpy(buffer_ + block_ - 8, &ordered, 8);
  Block(buffer_);
}

void Digest::PadSponge() {
  const bool shake = size_ == 0;
  std::memset(buffer_ + used_, 0, block_ - used_);
  buffer_[used_] = shake ? 0x1F : 0x06;
  buffer_[block_ - 1] |= 0x80;
  Block(buffer_);
}

void Digest::Finish(uint8_t* out) const {
  Digest d = *this;
  if (d.kind_ >= Kind::kBlake2b) {
    std::memset(d.buffer_ + d.used_, 0, d.block_ - d.used_);
    d.total_ += d.used_;
    d.Block(d.buffer_, true);
    std::memcpy(out, d.lanes_, size_);
    return;
  }
  if (IsSponge(d.kind_)) {
    d.PadSponge();
    std::memcpy(out, d.lanes_, size_);
    return;
  }
  d.PadMerkle();
  uint8_t words[64];
  for (int i = 0; i < 8; ++i) {
    if (IsWide(d.kind_)) {
      const uint64_t w = __builtin_bswap64(d.h64_[i]);
      std::memcpy(words + 8 * i, &w, 8);
    } else {
      const uint32_t w = d.kind_ == Kind::kMd5 ? d.h32_[i] : __builtin_bswap32(d.h32_[i]);
      std::memcpy(words + 4 * i, &w, 4);
    }
  }
  std::memcpy(out, words, size_);
}

void Digest::Squeeze(uint8_t* out, size_t n) const {
  Digest d = *this;
  d.PadSponge();
  while (n > 0) {
    const size_t part = std::min<size_t>(n, block_);
    std::memcpy(out, d.lanes_, part);
    out += part;
    n -= part;
    if (n > 0) KeccakPermute(d.lanes_);
  }
}

Hmac::Hmac(Kind kind, std::string_view key) : inner_(kind), outer_(kind) {
  uint8_t block[kMaxBlock] = {};
  if (key.size() > inner_.block_size()) {
    Digest d(kind);
    d.Update(key);
    d.Finish(block);
  } else if (!key.empty()) {
    std::memcpy(block, key.data(), key.size());
  }
  const size_t n = inner_.block_size();
  for (size_t i = 0; i < n; ++i) block[i] ^= 0x36;
  inner_.Update(block, n);
  for (size_t i = 0; i < n; ++i) block[i] ^= 0x36 ^ 0x5C;
  outer_.Update(block, n);
}

void Hmac::Finish(uint8_t* out) const {
  uint8_t first[kMaxDigest];
  inner_.Finish(first);
  Digest d = outer_;
  d.Update(first, inner_.size());
  d.Finish(out);
}

}  // namespace minivm::hash
