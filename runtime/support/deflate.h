// Encoding to DEFLATE data (RFC 1951), as a stream.
//
// Text is collected in a window; LZ77 finds repeats in it through chains of positions with equal
// hashes; literals and matches are written in blocks, each with the Huffman codes that suit it, or
// stored, whichever is shortest. No allocation: the object is about 460 KB, put it where you like.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

// Where the encoder's output goes. False: no room; the encoder stops and is of no further use.
class ByteSink {
 public:
  virtual bool Write(const uint8_t* data, size_t size) = 0;

 protected:
  ~ByteSink() = default;
};

class Deflater {
 public:
  enum class Flush : uint8_t {
    kNone,    // output comes when a block is full
    kBlock,   // ends the block
    kSync,    // and aligns the output to a byte (an empty stored block)
    kFull,    // and forgets the window, so that decoding can start here
    kFinish,  // ends the data
  };
  enum class Strategy : uint8_t { kDefault, kFiltered, kHuffmanOnly, kRunLength, kFixed };

  // level: 0 (store) to 9 (smallest).
  void Reset(int level, Strategy strategy = Strategy::kDefault);
  void SetParams(int level, Strategy strategy);
  // Text that matches may refer back to. Before the first Run().
  void SetDictionary(const uint8_t* text, size_t size);
  // Takes all of the input. False: the sink had no room.
  bool Run(const uint8_t* in, size_t size, Flush flush, ByteSink* sink);

 private:
  static constexpr unsigned kWindow = 32768;
  static constexpr unsigned kMinMatch = 3;
  static constexpr unsigned kMaxMatch = 258;
  static constexpr unsigned kAhead = kMaxMatch + kMinMatch + 1;
  static constexpr unsigned kHashSize = 32768;
  static constexpr unsigned kSymbols = 16384;
  static constexpr unsigned kNone = 0;  // no position: the window's texts start at 1

  struct Match {
    unsigned length = 0;
    unsigned distance = 0;
  };

  unsigned HashAt(unsigned position) const;
  void Insert(unsigned position);
  Match Find(unsigned position, unsigned at_least) const;
  void Slide();
  bool Encode(bool to_the_end);
  bool StoreOnly(bool to_the_end);
  bool AddLiteral(uint8_t byte);
  bool AddMatch(Match m);
  bool EndBlock(bool last);
  bool WriteStored(const uint8_t* text, size_t size, bool last);
  void WriteSymbols(const uint8_t* literal_lengths, const uint16_t* literal_words,
                    const uint8_t* distance_lengths, const uint16_t* distance_words);
  void PutBits(uint64_t bits, unsigned n);
  bool FlushBytes();

  int level_;
  Strategy strategy_;
  ByteSink* sink_;
  bool failed_;
  // text_[0, filled_): what is in the window; [block_, next_) is in the open block.
  unsigned filled_, next_;
  int64_t block_;  // may lie before the window after sliding
  Match pending_;  // lazy matching: the match found one byte before next_, not yet written
  bool has_pending_;
  uint64_t bit_buffer_;
  unsigned bit_count_;
  size_t out_size_;
  unsigned symbol_count_;
  uint32_t literal_frequency_[288];
  uint32_t distance_frequency_[32];
  uint16_t distances_[kSymbols];  // 0: a literal
  uint8_t bytes_[kSymbols];       // the literal, or length - 3
  uint16_t head_[kHashSize];
  uint16_t previous_[kWindow];
  uint8_t text_[2 * kWindow];
  uint8_t out_[4096];
};

}  // namespace minivm
