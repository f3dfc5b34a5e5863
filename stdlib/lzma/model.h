// The model of LZMA: the probabilities by which its symbols are coded, and what is remembered of
// the last ones. Both directions walk through it in the same way.
//
// Each bit is coded with the probability, in 2048ths, that bits in its context were zeros; the
// range coder spends next to nothing on what was likely. A symbol is a literal byte, a match with
// what stands some distance back, or a match at one of the last four distances.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace minivm::lzma {

using Probability = uint16_t;
inline constexpr int kProbabilityBits = 11;
inline constexpr Probability kEven = 1 << (kProbabilityBits - 1);
inline constexpr int kAdaptShift = 5;
inline constexpr uint32_t kTopRange = 1u << 24;  // below it the coder takes or gives a byte

inline constexpr uint32_t kMinMatch = 2, kMaxMatch = 273;
inline constexpr int kStates = 12, kMaxPositions = 16;
inline constexpr int kLengthClasses = 4;      // contexts of distances: lengths 2, 3, 4 and the rest
inline constexpr uint32_t kSlotsDirect = 14;  // from here on distances have bits without a model
inline constexpr int kAlignBits = 4;
inline constexpr uint32_t kEndMarker = 0xFFFFFFFF;  // a distance
inline constexpr uint32_t kLiteralTable = 0x300;

// What the last symbols were: below 7 the last one was a literal.
class State {
 public:
  int value() const { return value_; }
  bool after_literal() const { return value_ < 7; }
  void Literal() { value_ = value_ < 4 ? 0 : value_ < 10 ? value_ - 3 : value_ - 6; }
  void Match() { value_ = after_literal() ? 7 : 10; }
  void Repeat() { value_ = after_literal() ? 8 : 11; }
  void ShortRepeat() { value_ = after_literal() ? 9 : 11; }

 private:
  int value_ = 0;
};

// Lengths from kMinMatch on: eight short ones, eight more, and the rest.
struct LengthModel {
  Probability choice[2];
  Probability low[kMaxPositions][8];
  Probability middle[kMaxPositions][8];
  Probability high[256];
};

// lc, lp and pb: how many bits of the byte before, and of the place, are context of a literal, and
// how many bits of the place are context of everything else.
struct Properties {
  uint8_t lc = 3, lp = 0, pb = 2;
  bool Parse(uint8_t byte) {
    if (byte >= 9 * 5 * 5) return false;
    lc = byte % 9;
    lp = byte / 9 % 5;
    pb = byte / 45;
    return lc + lp <= 4;
  }
  uint8_t byte() const { return static_cast<uint8_t>((pb * 5 + lp) * 9 + lc); }
};

struct Model {
  Probability is_match[kStates][kMaxPositions];
  Probability is_repeat[kStates];
  Probability is_other_repeat[kStates];  // not the last distance
  Probability is_third_repeat[kStates];  // not the last but one
  Probability is_fourth_repeat[kStates];
  Probability is_long[kStates][kMaxPositions];  // at the last distance, more than one byte
  Probability slots[kLengthClasses][64];
  Probability middle_bits[115];  // of distances of slots below kSlotsDirect
  Probability low_bits[1 << kAlignBits];
  LengthModel match_length, repeat_length;
  Probability literals[kLiteralTable << 4];

  void Reset() {
    auto* all = reinterpret_cast<Probability*>(this);
    std::fill(all, all + sizeof(Model) / sizeof(Probability), kEven);
  }
  Probability* LiteralsAt(const Properties& p, uint64_t place, uint8_t before) {
    const auto context =
        ((static_cast<uint32_t>(place) & ((1u << p.lp) - 1)) << p.lc) + (before >> (8 - p.lc));
    return literals + kLiteralTable * context;
  }
};

inline int LengthClass(uint32_t length) {
  return static_cast<int>(std::min(length - kMinMatch, uint32_t{kLengthClasses - 1}));
}

}  // namespace minivm::lzma
