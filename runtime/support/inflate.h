// Decoding of DEFLATE data (RFC 1951), as a machine that can stop anywhere in its input or output.
//
// The last 32 KB that were written are kept, so that a later call can refer back to them whatever
// became of the caller's buffer. No allocation: the object is about 40 KB, put it where you like.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

class Inflater {
 public:
  enum class State : uint8_t {
    kMore,  // the input is used up, or the output is full
    kDone,  // the final block has ended; bits of its last byte are skipped
    kBad,   // not DEFLATE data: error() says what is wrong. Final.
  };
  static constexpr size_t kWindow = 32768;

  Inflater() { Reset(); }
  void Reset();
  // Text that the data may refer back to: a preset dictionary. Before the first Run().
  void SetDictionary(const uint8_t* text, size_t size);
  // How far back the data may refer: a power of two up to kWindow, which is what holds without it.
  void SetReach(size_t distance) { reach_ = distance; }

  // Decodes from [*in, in_end) to [*out, out_end), moving both on. Input behind the final block is
  // not touched: after kDone *in is the first byte behind it.
  State Run(const uint8_t** in, const uint8_t* in_end, uint8_t** out, uint8_t* out_end);

  const char* error() const { return error_; }
  // Is the next thing to read the header of a block? (Where decoding could be resumed.)
  bool at_block_start() const { return step_ == Step::kBlockHeader; }

 private:
  static constexpr unsigned kFastBits = 10;
  static constexpr unsigned kMaxBits = 15;
  static constexpr unsigned kMaxSymbols = 288;

  // A canonical Huffman code: codes of up to kFastBits bits by table, longer ones by counting.
  struct Code {
    // Bits 0-3: the length; 4-7: how many extra bits follow; 8: a literal; 9: nothing to be quick
    // about (the end of the block, symbols that must not occur); from 16 on what the extra bits are
    // added to, of literals and other symbols they themselves. 0: a longer code, or none.
    uint32_t fast[1 << kFastBits];
    uint16_t count[kMaxBits + 1];
    uint16_t symbols[kMaxSymbols];  // in order of their codes
  };
  enum class Step : uint8_t {
    kBlockHeader,
    kStoredSize,
    kStored,
    kCounts,
    kCodeLengths,
    kLengths,
    kSymbols,
    kCopy,
    kDone,
    kBad
  };
  enum class Built : uint8_t { kComplete, kIncomplete, kOverfull };
  enum class Kind : uint8_t { kLengths, kLiterals, kDistances };

  struct Cursor;
  struct Fixed;
  static constexpr Built Build(Code* code, Kind kind, const uint8_t* lengths, unsigned n);
  State Fail(const char* error);
  // Steps of Run(): false if they lack input or room. (After Fail() the next step ends it.)
  bool ReadBlockHeader(Cursor& c);
  bool ReadStoredSize(Cursor& c);
  bool CopyStored(Cursor& c);
  bool ReadCounts(Cursor& c);
  bool ReadCodeLengths(Cursor& c);
  bool ReadLengths(Cursor& c);
  bool FinishTables();
  void FixedTables();
  bool DecodeSymbols(Cursor& c);
  void DecodeQuickly(Cursor& c) const;
  void Copy(Cursor& c);
  void Remember(const uint8_t* from, const uint8_t* to);

  Step step_;
  bool last_block_;
  const char* error_;
  uint64_t bits_;
  unsigned bit_count_;
  uint32_t remaining_;  // of a stored block or a copy
  uint32_t distance_;
  size_t reach_;
  unsigned literal_count_, distance_count_, length_count_, lengths_read_;
  uint8_t lengths_[320];
  Code literals_, distances_;
  size_t history_;  // bytes of window_ that are valid
  size_t at_;       // where the next byte goes
  uint8_t window_[kWindow];
};

}  // namespace minivm
