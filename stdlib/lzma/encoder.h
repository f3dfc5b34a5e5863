// Writing .xz, .lzma and bare filter chains, piece by piece.
#pragma once

#include "stdlib/lzma/checks.h"
#include "stdlib/lzma/decoder.h"
#include "stdlib/lzma/lzma_encoder.h"

namespace minivm::lzma {

class Encoder {
 public:
  // REQUIRES: format is not kAuto; a valid chain, for kAlone of LZMA1 alone, for kXz with LZMA2; a
  // check that is supported. *ok false: no memory.
  Encoder(CodecMemory& memory, Container format, int check, const FilterSpec* filters, size_t count,
          bool* ok);
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Takes all of the data; false: no memory (the stream is spoilt). The work is done by Work().
  bool Add(const uint8_t* data, size_t n);
  // What is left to be taken comes from within: then Work(true), then End().
  bool Drain();
  // A part of the work. *more: there is more to do.
  bool Work(bool finish, bool* more);
  bool End();
  zlib::ByteBuffer& output() { return out_; }

 private:
  bool Begin();
  bool BeginBlock();
  bool EndBlock();
  bool EndStream();
  bool Through(size_t i, const uint8_t* data, size_t n, bool last);

  Container format_;
  int check_;
  FilterSpec specs_[kMaxFilters];
  size_t count_;
  bool begun_ = false;  // a block, or what stands for one
  zlib::ByteBuffer out_;
  LzmaEncoder coder_;
  Filter filters_[kMaxFilters - 1];
  zlib::ByteBuffer held_[kMaxFilters - 1];
  Checker checker_;
  size_t header_size_ = 0;
  uint64_t packed_ = 0, unpacked_ = 0;
};

}  // namespace minivm::lzma
