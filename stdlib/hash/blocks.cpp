// Keccak-f[1600] (FIPS 202) and the compression function of BLAKE2 (RFC 7693).
#include "stdlib/hash/blocks.h"

#include <array>
#include <bit>
#include <cstring>

#include "stdlib/hash/sha2_constants.h"

namespace minivm::hash {

namespace {

// The round constants come from a shift register of eight bits.
constexpr std::array<uint64_t, 24> MakeKeccakRounds() {
  std::array<uint64_t, 24> rounds = {};
  uint32_t r = 1;
  for (uint64_t& c : rounds) {
    for (int j = 0; j < 7; ++j) {
      if (r & 1) c |= uint64_t{1} << ((1 << j) - 1);
      r = r & 0x80 ? (r << 1) ^ 0x171 : r << 1;
    }
  }
  return rounds;
}
constexpr auto kKeccakRounds = MakeKeccakRounds();

// Where each lane goes, and by how many bits it is turned.
struct KeccakMove {
  int to, turn;
};
constexpr std::array<KeccakMove, 25> MakeKeccakMoves() {
  std::array<KeccakMove, 25> moves = {};
  for (int x = 0; x < 5; ++x) {
    for (int y = 0; y < 5; ++y)
      moves[static_cast<size_t>(x + 5 * y)].to = y + 5 * ((2 * x + 3 * y) % 5);
  }
  for (int t = 0, x = 1, y = 0; t < 24; ++t) {
    moves[static_cast<size_t>(x + 5 * y)].turn = (t + 1) * (t + 2) / 2 % 64;
    const int next = (2 * x + 3 * y) % 5;
    x = y;
    y = next;
  }
  return moves;
}
constexpr auto kKeccakMoves = MakeKeccakMoves();

// Which words of the message each round of BLAKE2 takes.
constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

template <class Word, int kRounds, int r1, int r2, int r3, int r4>
void Compress(Word* h, const uint8_t* p, Word low, Word high, bool last, bool last_node) {
  Word m[16], v[16];
  std::memcpy(m, p, sizeof(m));
  for (int i = 0; i < 8; ++i) {
    v[i] = h[i];
    v[i + 8] = static_cast<Word>(kSha512Start[i] >> (64 - 8 * sizeof(Word)));
  }
  v[12] ^= low;
  v[13] ^= high;
  if (last) v[14] = ~v[14];
  if (last_node) v[15] = ~v[15];
  auto mix = [&](int a, int b, int c, int d, Word x, Word y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(static_cast<Word>(v[d] ^ v[a]), r1);
    v[c] += v[d];
    v[b] = std::rotr(static_cast<Word>(v[b] ^ v[c]), r2);
    v[a] += v[b] + y;
    v[d] = std::rotr(static_cast<Word>(v[d] ^ v[a]), r3);
    v[c] += v[d];
    v[b] = std::rotr(static_cast<Word>(v[b] ^ v[c]), r4);
  };
  for (int round = 0; round < kRounds; ++round) {
    const uint8_t* s = kSigma[round % 10];
    for (int i = 0; i < 4; ++i) mix(i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
    for (int i = 0; i < 4; ++i) {
      mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
  }
  for (int i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
}

}  // namespace

void Blake2Block(uint64_t* h, const uint8_t* p, uint64_t total, bool last, bool last_node) {
  Compress<uint64_t, 12, 32, 24, 16, 63>(h, p, total, 0, last, last_node);
}
void Blake2Block(uint32_t* h, const uint8_t* p, uint64_t total, bool last, bool last_node) {
  Compress<uint32_t, 10, 16, 12, 8, 7>(h, p, static_cast<uint32_t>(total),
                                       static_cast<uint32_t>(total >> 32), last, last_node);
}

void KeccakPermute(uint64_t* state) {
  uint64_t a[25], b[25];
  std::memcpy(a, state, sizeof(a));
  for (uint64_t constant : kKeccakRounds) {
    uint64_t column[5], mix[5];
#pragma GCC unroll 5
    for (int x = 0; x < 5; ++x) column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (int x = 0; x < 5; ++x) mix[x] = column[(x + 4) % 5] ^ std::rotl(column[(x + 1) % 5], 1);
      // Lanes are turned, and move from (x, y) to (y, 2x + 3y).
#pragma GCC unroll 25
    for (int i = 0; i < 25; ++i) {
      b[kKeccakMoves[i].to] = std::rotl(a[i] ^ mix[i % 5], kKeccakMoves[i].turn);
    }
#pragma GCC unroll 5
    for (int row = 0; row < 25; row += 5) {
#pragma GCC unroll 5
      for (int x = 0; x < 5; ++x) {
        a[row + x] = b[row + x] ^ (~b[row + (x + 1) % 5] & b[row + (x + 2) % 5]);
      }
    }
    a[0] ^= constant;
  }
  std::memcpy(state, a, sizeof(a));
}

}  // namespace minivm::hash
