// PBKDF2 and scrypt.
#include "stdlib/hash/key_derivation.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/core/blocking.h"

namespace minivm::hash {

namespace {

// Salsa20/8 on sixteen words, in place.
void Salsa(uint32_t* b) {
  uint32_t x[16];
  std::copy(b, b + 16, x);
  auto quarter = [&x](int a, int b, int c, int d) {
    x[b] ^= std::rotl(x[a] + x[d], 7);
    x[c] ^= std::rotl(x[b] + x[a], 9);
    x[d] ^= std::rotl(x[c] + x[b], 13);
    x[a] ^= std::rotl(x[d] + x[c], 18);
  };
  for (int round = 0; round < 8; round += 2) {
    for (int i = 0; i < 4; ++i) {  // columns
      quarter(5 * i % 16, (5 * i + 4) % 16, (5 * i + 8) % 16, (5 * i + 12) % 16);
    }
    for (int i = 0; i < 4; ++i) {  // rows
      const int r = 4 * i;
      quarter(r + i, r + (i + 1) % 4, r + (i + 2) % 4, r + (i + 3) % 4);
    }
  }
  for (int i = 0; i < 16; ++i) b[i] += x[i];
}

// Mixes 2 * block chunks of 64 bytes; even results come first.
void BlockMix(const uint32_t* in, uint32_t* out, size_t block) {
  uint32_t x[16];
  std::copy(in + (2 * block - 1) * 16, in + 2 * block * 16, x);
  for (size_t i = 0; i < 2 * block; ++i) {
    for (size_t k = 0; k < 16; ++k) x[k] ^= in[i * 16 + k];
    Salsa(x);
    std::copy(x, x + 16, out + (i / 2 + (i % 2 ? block : 0)) * 16);
  }
}

class Buffer {
 public:
  explicit Buffer(ThreadState& ts) : ts_(ts) {}
  ~Buffer() {
    if (data_) ts_.heap().FreeBuffer(data_, size_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Status Make(size_t size) {
    MVM_TRY(data_, AllocBuffer(ts_, size));
    size_ = size;
    return Ok();
  }
  uint8_t* bytes() { return static_cast<uint8_t*>(data_); }
  uint32_t* words() { return static_cast<uint32_t*>(data_); }

 private:
  ThreadState& ts_;
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Does step(0) to step(count - 1), each of which costs so many units, in stretches during which
// other threads run.
template <class F>
Status InStretches(ThreadState& ts, uint64_t count, int64_t units, F step) {
  constexpr int64_t kUnits = 1 << 16;
  const uint64_t most = std::max<uint64_t>(1, static_cast<uint64_t>(kUnits / units));
  for (uint64_t i = 0; i < count;) {
    const uint64_t end = i + std::min(most, count - i);
    MVM_TRY_VOID(Charge(ts, units * static_cast<int64_t>(end - i)));
    BlockingScope scope(ts);
    for (; i < end; ++i) step(i);
  }
  return Ok();
}

}  // namespace

Status Pbkdf2(ThreadState& ts, Kind kind, std::string_view password, std::string_view salt,
              uint64_t iterations, uint8_t* out, size_t n) {
  const Hmac keyed(kind, password);
  const size_t size = keyed.size();
  uint8_t u[kMaxDigest], sum[kMaxDigest];
  for (uint32_t index = 1; n > 0; ++index) {
    const uint32_t number = __builtin_bswap32(index);
    Hmac first = keyed;
    first.Update(salt);
    first.Update({reinterpret_cast<const char*>(&number), 4});
    first.Finish(u);
    std::copy(u, u + size, sum);
    MVM_TRY_VOID(InStretches(ts, iterations - 1, 64, [&](uint64_t) {
      Hmac next = keyed;
      next.Update({reinterpret_cast<const char*>(u), size});
      next.Finish(u);
      for (size_t k = 0; k < size; ++k) sum[k] ^= u[k];
    }));
    const size_t part = std::min(n, size);
    std::copy(sum, sum + part, out);
    out += part;
    n -= part;
    MVM_TRY_VOID(Charge(ts, 64));
  }
  return Ok();
}

Status Scrypt(ThreadState& ts, std::string_view password, std::string_view salt, uint64_t cost,
              uint64_t block, uint64_t parallel, uint8_t* out, size_t n) {
  const size_t chunk = 128 * block;  // bytes
  const size_t words = chunk / 4;
  Buffer all(ts), table(ts), scratch(ts);
  MVM_TRY_VOID(all.Make(chunk * parallel));
  MVM_TRY_VOID(table.Make(chunk * cost));
  MVM_TRY_VOID(scratch.Make(chunk));
  MVM_TRY_VOID(Pbkdf2(ts, Kind::kSha256, password, salt, 1, all.bytes(), chunk * parallel));
  const int64_t step = static_cast<int64_t>(block * 32);
  for (uint64_t p = 0; p < parallel; ++p) {
    uint32_t* x = all.words() + p * words;
    MVM_TRY_VOID(InStretches(ts, cost, step, [&](uint64_t i) {
      std::copy(x, x + words, table.words() + i * words);
      BlockMix(x, scratch.words(), block);
      std::copy(scratch.words(), scratch.words() + words, x);
    }));
    MVM_TRY_VOID(InStretches(ts, cost, step, [&](uint64_t) {
      uint64_t pick;
      std::memcpy(&pick, x + (2 * block - 1) * 16, 8);
      const uint32_t* row = table.words() + (pick & (cost - 1)) * words;
      for (size_t k = 0; k < words; ++k) x[k] ^= row[k];
      BlockMix(x, scratch.words(), block);
      std::copy(scratch.words(), scratch.words() + words, x);
    }));
  }
  const std::string_view mixed(reinterpret_cast<const char*>(all.bytes()), chunk * parallel);
  return Pbkdf2(ts, Kind::kSha256, password, mixed, 1, out, n);
}

}  // namespace minivm::hash
