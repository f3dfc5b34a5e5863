// Encoding a text to the symbols of LZMA, as LZMA1 with an end marker or as chunks of LZMA2.
//
// At each place the match that saves the most is found, a repeated distance counting for more than
// a new one. Unless it is long, it is held back if the next place has a better one.
#pragma once

#include "stdlib/lzma/match_finder.h"
#include "stdlib/lzma/model.h"

namespace minivm::lzma {

// Bits to bytes, by their probabilities.
class RangeEncoder {
 public:
  explicit RangeEncoder(CodecMemory& memory) : out_(memory) {}
  void Reset();
  void Bit(Probability& p, uint32_t bit);
  void Direct(uint32_t value, uint32_t bits);
  void Tree(Probability* p, int bits, uint32_t value);
  void TreeReversed(Probability* p, int bits, uint32_t value);
  // The last bytes.
  void Flush();
  // Room for so many symbols.
  [[nodiscard]] bool Reserve(size_t symbols) { return out_.Reserve(symbols * 24 + delayed_ + 8); }
  size_t size() const { return out_.size() + delayed_; }
  zlib::ByteBuffer& output() { return out_; }

 private:
  void ShiftLow();

  zlib::ByteBuffer out_;
  uint64_t low_ = 0;
  uint32_t range_ = UINT32_MAX;
  size_t delayed_ = 1;  // bytes that a carry may still change: the first, and ones of FF
  uint8_t first_ = 0;
};

class LzmaEncoder {
 public:
  // REQUIRES: spec is of LZMA. *ok false: no memory.
  LzmaEncoder(CodecMemory& memory, const FilterSpec& spec, bool* ok);

  // Takes all of it, to be coded by Work(). False: no memory.
  bool Add(const uint8_t* data, size_t n) { return finder_.Append(data, n); }
  // Codes about `most` bytes of what was taken and appends what can be written to *out. *more:
  // there is more that can be coded now; without finish some bytes are kept back.
  bool Work(size_t most, bool finish, bool* more, zlib::ByteBuffer* out);
  // After all was coded: the end.
  bool Finish(zlib::ByteBuffer* out);

 private:
  using Match = MatchFinder::Match;

  // The longest match at one of the last distances, and which.
  Match FindRepeat(int* which);
  bool CodeNext();
  void Literal();
  void CodeMatch(uint32_t length, uint32_t distance);
  void CodeRepeat(uint32_t length, int which);
  void Length(LengthModel& m, uint32_t length, uint32_t position);
  uint32_t position() const { return static_cast<uint32_t>(place_) & ((1u << properties_.pb) - 1); }
  bool ChunkIsFull() const;
  bool EndChunk(zlib::ByteBuffer* out);
  bool PlainChunks(zlib::ByteBuffer* out);
  void ResetState();

  bool is_lzma2_, lazy_;
  uint32_t nice_;
  Properties properties_;
  MatchFinder finder_;
  RangeEncoder coder_;
  Model model_;
  State state_;
  uint32_t repeats_[4] = {};
  uint64_t place_ = 0;
  // What was found at here() already.
  Match held_;
  bool has_held_ = false;
  // LZMA2
  uint32_t chunk_ = 0;  // bytes coded in the open chunk
  bool needs_dictionary_ = true, needs_properties_ = true, needs_state_ = true;
};

}  // namespace minivm::lzma
