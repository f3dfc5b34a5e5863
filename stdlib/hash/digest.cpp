// Digest: buffering, padding, and the blocks of MD5, SHA-1 and SHA-2.
#include "stdlib/hash/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "stdlib/hash/blocks.h"
#include "stdlib/hash/sha2_constants.h"

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

void Md5Block(uint32_t* h, const uint8_t* p) {
  constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t a = h[0], b = h[1], c = h[2], d = h[3];
  for (int i = 0; i < 64; ++i) {
    uint32_t f;
    int word;
    switch (i / 16) {
      case 0:
        f = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        f = (d & b) | (~d & c);
        word = (5 * i + 1) & 15;
        break;
      case 2:
        f = b ^ c ^ d;
        word = (3 * i + 5) & 15;
        break;
      default:
        f = c ^ (b | ~d);
        word = (7 * i) & 15;
        break;
    }
    const uint32_t sum = a + f + kMd5Rounds[i] + Load32(p + 4 * word);
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16][i % 4]);
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
}

void Sha1Block(uint32_t* h, const uint8_t* p) {
  uint32_t w[80];
  for (int i = 0; i < 16; ++i) w[i] = __builtin_bswap32(Load32(p + 4 * i));
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 80; ++i) {
    uint32_t f, k;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5A827999;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ED9EBA1;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8F1BBCDC;
    } else {
      f = b ^ c ^ d;
      k = 0xCA62C1D6;
    }
    const uint32_t sum = std::rotl(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = sum;
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
  h[4] += e;
}

// SHA-2 in words of 32 or 64 bits, which differ in rounds, rotations and constants.
template <class Word, int kRounds, int a1, int a2, int a3, int e1, int e2, int e3, int s1, int s2,
          int s3, int t1, int t2, int t3>
void Sha2Block(Word* h, const uint8_t* p) {
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
  Word v[8];
  std::copy(h, h + 8, v);
  for (int i = 0; i < kRounds; ++i) {
    const Word k = static_cast<Word>(kSha512Rounds[i] >> (64 - 8 * sizeof(Word)));
    const Word first = v[7] + (std::rotr(v[4], e1) ^ std::rotr(v[4], e2) ^ std::rotr(v[4], e3)) +
                       ((v[4] & v[5]) ^ (~v[4] & v[6])) + k + w[i];
    const Word second = (std::rotr(v[0], a1) ^ std::rotr(v[0], a2) ^ std::rotr(v[0], a3)) +
                        ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    std::copy_backward(v, v + 7, v + 8);
    v[4] += first;
    v[0] = first + second;
  }
  for (int i = 0; i < 8; ++i) h[i] += v[i];
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
    case Kind::kSha1: return Sha1Block(h32_, p);
    case Kind::kSha224:
    case Kind::kSha256: return Sha256Block(h32_, p);
    case Kind::kBlake2b: return Blake2Block(h64_, p, total_, last, last && last_node_);
    case Kind::kBlake2s: return Blake2Block(h32_, p, total_, last, last && last_node_);
    default: break;
  }
  if (!IsSponge(kind_)) return Sha512Block(h64_, p);
  for (int i = 0; i < block_ / 8; ++i) lanes_[i] ^= Load64(p + 8 * i);
  KeccakPermute(lanes_);
}

void Digest::Update(const void* data, size_t n) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  // BLAKE2 has to know which block is the last: a full buffer waits.
  const bool waits = kind_ >= Kind::kBlake2b;
  while (n > 0) {
    if (used_ == 0 && n > block_) {
      do {
        total_ += block_;
        Block(p);
        p += block_;
        n -= block_;
      } while (n > block_);
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
