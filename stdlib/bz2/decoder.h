// Reading bzip2, piece by piece: a machine that can stop at any bit of its input and any byte of
// its output.
#pragma once

#include <string_view>

#include "stdlib/bz2/block.h"
#include "stdlib/codec_memory.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm::bz2 {

class Decoder {
 public:
  enum class Result : uint8_t {
    kMore,  // the input is used up
    kFull,  // `limit` bytes were made
    kEnd,   // the stream is complete
    kError,
    kNoMemory,
  };

  explicit Decoder(CodecMemory& memory) : memory_(memory) {}
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Appends at most `limit` bytes to *out; drops from *input what is done with. After kEnd that is
  // all up to the end of the stream.
  Result Run(std::string_view* input, size_t limit, zlib::ByteBuffer* out);

 private:
  enum class Step : uint8_t {
    kFileHeader,
    kMagic,
    kChecksum,
    kOrigin,
    kUsed,
    kUsedRow,
    kCounts,
    kSelectors,
    kLengths,
    kSymbols,
    kOutput,
    kEnd,
    kDone,
    kBad,
    kNoMemory,
  };
  // A canonical Huffman code: short codes by table, longer ones by comparing with the last code of
  // each length.
  static constexpr int kFastBits = 10;
  struct Code {
    uint16_t fast[1 << kFastBits];  // symbol << 5 | length; 0: longer, or no such code
    uint32_t last[kMaxCodeBits + 2];
    uint32_t offset[kMaxCodeBits + 2];
    uint16_t symbols[kMaxAlphabet];
  };

  bool Need(int bits);
  bool NeedMagic(int bits, uint64_t magic, uint64_t other);
  uint32_t Take(int bits);
  // One unit of the header; false: more input is needed, or the step is one of the last ones.
  bool ReadHeader();
  bool ReadSelector();
  bool ReadLengths();
  bool BuildCode(int group);
  bool ReadSymbols();
  bool EndRun();
  bool Symbol(uint32_t symbol);
  bool Invert();
  void Write(size_t limit, zlib::ByteBuffer* out);
  bool EndBlock();
  bool Fail() {
    step_ = Step::kBad;
    return false;
  }

  CodecMemory& memory_;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  uint64_t bits_ = 0;
  int have_ = 0;
  Step step_ = Step::kFileHeader;
  uint32_t capacity_ = 0;      // bytes of a block
  uint32_t* links_ = nullptr;  // of each place: its byte, and above it the place that follows
  uint32_t stored_checksum_ = 0, all_checksums_ = 0;
  Checksum checksum_;

  // Of the header.
  uint32_t origin_ = 0;
  uint32_t used_rows_ = 0, row_ = 0;
  uint32_t alphabet_ = 0;  // symbols of the codes
  uint32_t groups_ = 0, selectors_ = 0, selector_ = 0, group_ = 0, symbol_ = 0, length_ = 0;
  uint8_t in_front_[kMaxAlphabet] = {};  // the list of bytes, the last one used first
  uint8_t selector_list_[kMaxGroups] = {};
  uint8_t chosen_[kMaxSelectors] = {};
  uint8_t lengths_[kMaxAlphabet] = {};
  Code codes_[kMaxGroups];

  // Of the body.
  uint32_t size_ = 0, in_group_ = 0, run_ = 0, run_unit_ = 0;
  uint32_t counts_[256] = {};

  // Of the output.
  uint32_t place_ = 0, left_ = 0, repeat_ = 0, same_ = 0;
  uint8_t last_ = 0;
};

}  // namespace minivm::bz2
