// Writing bzip2, piece by piece: text gathers until it fills a block.
#pragma once

#include <string_view>

#include "stdlib/bz2/block.h"
#include "stdlib/codec_memory.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm::bz2 {

class Encoder {
 public:
  // REQUIRES: level 1..9. *ok false: no memory.
  Encoder(CodecMemory& memory, int level, bool* ok);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Takes all of the input; output is appended to output(). False: no memory (the stream is
  // spoilt).
  bool Add(std::string_view input);
  bool Finish();
  zlib::ByteBuffer& output() { return out_; }

 private:
  bool AddRun();
  bool EndBlock();
  uint32_t Transform();
  uint32_t MoveToFront();
  void MakeCodes(uint32_t count);
  uint64_t ChooseCodes(uint32_t count);
  void WriteUsed();
  void WriteSelectors();
  void WriteLengths();
  void WriteSymbols(uint32_t count);
  void Put(uint64_t bits, int n);  // n <= 48; room is made before

  CodecMemory& memory_;
  zlib::ByteBuffer out_;
  uint32_t capacity_;  // bytes of a block
  uint8_t* text_ = nullptr;
  uint8_t* sorted_ = nullptr;  // the text from its least rotation on; then the last column
  int32_t* order_ = nullptr;   // of the suffixes; then the symbols that are coded
  void* workspace_ = nullptr;
  uint8_t* chosen_ = nullptr;  // the code of each group of symbols
  uint32_t size_ = 0;
  Checksum checksum_;
  uint32_t all_checksums_ = 0;
  bool used_[256] = {};
  uint8_t run_byte_ = 0;
  uint32_t run_ = 0;
  uint64_t bits_ = 0;
  int have_ = 0;

  // Of the block that is being written.
  int alphabet_ = 0, groups_ = 0;
  uint32_t selectors_ = 0;
  uint32_t frequency_[kMaxGroups][kMaxAlphabet];
  uint8_t length_[kMaxGroups][kMaxAlphabet];
};

}  // namespace minivm::bz2
