// Message digests: MD5, SHA-1, SHA-2, SHA-3 and BLAKE2, all behind one small class.
//
// A Digest is plain data: copying it copies the state. Update() takes any pieces; Finish() works on
// a copy, so that more can follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace minivm::hash {

enum class Kind : uint8_t {
  kMd5,
  kSha1,
  kSha224,
  kSha256,
  kSha384,
  kSha512,
  kSha512_224,
  kSha512_256,
  kSha3_224,
  kSha3_256,
  kSha3_384,
  kSha3_512,
  kShake128,
  kShake256,
  kBlake2b,
  kBlake2s,
};

struct KindInfo {
  const char* name;
  Kind kind;
  uint8_t digest_size;  // 0: as long as wanted
  uint8_t block_size;
};
inline constexpr size_t kMaxDigest = 64;
inline constexpr size_t kMaxBlock = 168;

const KindInfo& InfoOf(Kind kind);
// By name in any case ("sha3_256", "SHA256", "sha3-256"); null: unknown.
const KindInfo* FindKind(std::string_view name);

// What BLAKE2 can be told.
struct Blake2Options {
  uint8_t digest_size = 0;  // 0: the most
  std::string_view key, salt, person;
  uint8_t fanout = 1, depth = 1, node_depth = 0, inner_size = 0;
  uint32_t leaf_size = 0;
  uint64_t node_offset = 0;
  bool last_node = false;
};

class Digest {
 public:
  explicit Digest(Kind kind);
  Digest(Kind kind, const Blake2Options& options);

  void Update(const void* data, size_t n);
  void Update(std::string_view s) { Update(s.data(), s.size()); }
  // The digest so far to out[0, size()).
  void Finish(uint8_t* out) const;
  // Of the kinds without a size: n bytes.
  void Squeeze(uint8_t* out, size_t n) const;

  // Has `other`, a copy of an earlier state, been passed as many bytes?
  bool IsSame(const Digest& other) const { return total_ == other.total_ && used_ == other.used_; }

  Kind kind() const { return kind_; }
  size_t size() const { return size_; }
  size_t block_size() const { return block_; }

 private:
  void Block(const uint8_t* p, bool last = false);
  void Blocks(const uint8_t* p, size_t n);
  void PadMerkle();
  void PadSponge();
  void StartBlake(const Blake2Options& options);

  Kind kind_;
  uint8_t size_, block_;
  bool last_node_ = false;
  uint16_t used_ = 0;   // bytes in buffer_
  uint64_t total_ = 0;  // bytes in whole blocks
  union {
    uint32_t h32_[8];
    uint64_t h64_[8];
    uint64_t lanes_[25];
  };
  uint8_t buffer_[kMaxBlock];
};

// HMAC (RFC 2104) with any of them but the kinds without a size.
class Hmac {
 public:
  Hmac(Kind kind, std::string_view key);
  void Update(std::string_view s) { inner_.Update(s); }
  void Finish(uint8_t* out) const;
  size_t size() const { return inner_.size(); }

 private:
  Digest inner_, outer_;
};

}  // namespace minivm::hash
