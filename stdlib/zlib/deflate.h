// Writing deflate streams, bare or wrapped as zlib or gzip, piece by piece.
//
// Input goes through a window of two times 32 KB (or what wbits says). Three bytes are hashed to
// the last place they stood at, and each place remembers the one before it with the same hash: the
// chains are searched for matches, further the higher the level. From level 4 on a match is held
// back until the next place is seen to have no longer one. Literals and matches gather as symbols;
// when there are enough of them they become a block, written in the cheapest of three ways
// (deflate_blocks.cpp).
#pragma once

#include "stdlib/zlib/byte_buffer.h"
#include "stdlib/zlib/huffman.h"
#include "stdlib/zlib/inflate.h"

namespace minivm::zlib {

enum Flush : int { kNoFlush, kPartialFlush, kSyncFlush, kFullFlush, kFinish, kBlockFlush };
enum Strategy : int { kDefaultStrategy, kFiltered, kHuffmanOnly, kRle, kFixed };

// Bits to bytes. Room is made by the caller (Reserve) for what it is about to write.
class BitWriter {
 public:
  explicit BitWriter(ByteBuffer* out) : out_(out) {}
  void Put(uint32_t bits, int n) {  // n <= 32
    bits_ |= uint64_t{bits} << have_;
    have_ += n;
    while (have_ >= 8) {
      out_->data()[out_->size()] = static_cast<uint8_t>(bits_);
      out_->set_size(out_->size() + 1);
      bits_ >>= 8;
      have_ -= 8;
    }
  }
  void AlignToByte() {
    if (have_) Put(0, 8 - have_);
  }
  int pending() const { return have_; }

  uint64_t bits_ = 0;
  int have_ = 0;

 private:
  ByteBuffer* out_;
};

class Deflater {
 public:
  // REQUIRES: level -1..9, bits 8..15 (9..15 bare), memory_level 1..9. `ok` false: no memory. A
  // text known to be short, without a dictionary, needs smaller tables.
  Deflater(CodecMemory& memory, int level, Wrap wrap, int window_bits, int memory_level,
           int strategy, bool* ok, size_t text_size = SIZE_MAX);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Stands before the first byte. REQUIRES: nothing has been written yet.
  bool SetDictionary(std::string_view data);
  // Takes the whole input; output is appended to output(). False: no memory (the stream is spoilt).
  bool Run(std::string_view input, int flush);
  ByteBuffer& output() { return out_; }
  bool finished() const { return finished_; }
  void CopyFrom(const Deflater& other, bool* ok);

 private:
  struct Effort {
    uint16_t good;  // a match this long makes the search shorter
    uint16_t
        lazy;  // a match this long is not held back; greedy levels: not entered into the chains
    uint16_t nice;   // a match this long ends the search
    uint16_t chain;  // places looked at
  };
  static constexpr Effort kEfforts[10] = {
      {0, 0, 0, 0},         {4, 4, 8, 4},        {4, 5, 16, 8},     {4, 6, 32, 32},
      {4, 4, 16, 16},       {8, 16, 32, 32},     {8, 16, 128, 128}, {8, 32, 128, 256},
      {32, 128, 258, 1024}, {32, 258, 258, 4096}};
  static constexpr uint32_t kLookahead = kMaxMatch + kMinMatch + 1;
  static constexpr uint32_t kFarThree =
      4096;  // a match of three from farther away costs more than it saves

  bool WriteHeader();
  bool WriteTrailer();
  void Count(const uint8_t* p, size_t n);
  // Moves input into the window; false while there is none left.
  bool FillWindow(std::string_view* input);
  void Slide();
  uint32_t HashAt(uint32_t at) const {
    uint32_t word;  // one byte more than is hashed: there are some behind the text
    std::memcpy(&word, window_ + at, sizeof word);
    return ((word << 8) * 0x9E3779B1u) >> (32 - hash_bits_);
  }
  // Enters the place into its chain; the place before it (0: none).
  uint32_t Insert(uint32_t at) {
    const uint32_t h = HashAt(at);
    const uint32_t before = head_[h];
    previous_[at & window_mask_] = static_cast<uint16_t>(before);
    head_[h] = static_cast<uint16_t>(at);
    return before;
  }
  // The longest match for at_, longer than `best`; its place is in match_.
  uint32_t LongestMatch(uint32_t candidate, uint32_t best);
  bool CompressStored(std::string_view input, int flush);
  bool CompressGreedy(bool flush);
  bool CompressLazy(bool flush);
  bool CompressRuns(bool flush);
  bool Literal(uint8_t c);
  bool Match(uint32_t distance, uint32_t length);
  void InsertRange(uint32_t from, uint32_t count);

  // deflate_blocks.cpp
  bool EndBlock(bool last);
  bool WriteStored(const uint8_t* data, size_t n, bool last);
  bool WriteSymbols(const uint8_t* literal_bits, const uint16_t* literal_codes,
                    const uint8_t* distance_bits, const uint16_t* distance_codes);
  void ResetBlock();

  CodecMemory& memory_;
  ByteBuffer out_;
  BitWriter writer_;
  Wrap wrap_;
  int level_, window_bits_, strategy_;
  Effort effort_;
  uint32_t window_size_, window_mask_;
  int hash_bits_;
  uint32_t symbol_capacity_;
  uint8_t* window_ = nullptr;     // 2 * window_size_ and some
  uint16_t* previous_ = nullptr;  // by place modulo window_size_
  uint16_t* head_ = nullptr;      // by hash; 0: none
  uint32_t* symbols_ = nullptr;   // distance << 16 | length or literal
  uint32_t symbol_count_ = 0;
  uint32_t literal_count_[kLiteralSymbols] = {}, distance_count_[kDistanceSymbols] = {};

  uint32_t at_ = 0;          // place in the window that is compressed next
  uint32_t ahead_ = 0;       // bytes from there on
  int64_t block_start_ = 0;  // place where the block begins; negative: no longer in the window
  uint32_t match_ = 0;
  bool held_ = false;  // lazy: the byte before at_ has not been written yet
  uint32_t held_length_ = 0, held_match_ = 0;
  bool header_written_ = false, finished_ = false;
  int last_flush_ = -1;
  bool has_dictionary_ = false;
  uint32_t dictionary_id_ = 0;
  uint32_t check_ = 0;
  uint64_t total_ = 0;
  ByteBuffer stored_;  // level 0: what waits for a block
};

}  // namespace minivm::zlib
