// A coded text and the filters that it went through, undone.
#pragma once

#include "stdlib/lzma/filter_spec.h"
#include "stdlib/lzma/lzma_decoder.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm::lzma {

class Unpacker {
 public:
  using Result = LzmaDecoder::Result;

  explicit Unpacker(CodecMemory& memory);

  // Begins anew. REQUIRES: a valid chain. size: of what LZMA makes, UINT64_MAX: up to its end.
  void Begin(const FilterSpec* filters, size_t count, uint64_t size = UINT64_MAX);
  // Appends at most `limit` bytes to *out and moves *in on.
  Result Run(const uint8_t** in, const uint8_t* end, size_t limit, zlib::ByteBuffer* out);

 private:
  // One piece of what LZMA makes. kFull: go on.
  Result Piece(const uint8_t** in, const uint8_t* end, size_t limit, const uint8_t** made,
               size_t* made_size);
  Result Piece1(const uint8_t** in, const uint8_t* end, size_t limit, const uint8_t** made,
                size_t* made_size);
  Result Piece2(const uint8_t** in, const uint8_t* end, size_t limit, const uint8_t** made,
                size_t* made_size);
  Result BeginChunk(const uint8_t** in, const uint8_t* end);
  Result PlainPiece(const uint8_t** in, const uint8_t* end, size_t limit, const uint8_t** made,
                    size_t* made_size);
  // Through the filters from the i-th on, backwards, to ready_. last: nothing follows.
  bool Push(size_t i, const uint8_t* data, size_t n, bool last);

  LzmaDecoder decoder_;
  bool is_lzma1_ = false, ended_ = false;
  // LZMA1
  bool sized_ = false, marked_ = false;
  uint64_t left_ = 0;
  // LZMA2: a chunk
  uint8_t head_[6];
  size_t head_size_ = 0;
  bool needs_dictionary_ = true, needs_properties_ = true, needs_state_ = true, plain_ = false;
  uint32_t chunk_left_ = 0;   // bytes to be made
  uint32_t packed_left_ = 0;  // bytes of input
  bool in_chunk_ = false;

  size_t filter_count_ = 0;
  Filter filters_[kMaxFilters - 1];
  zlib::ByteBuffer held_[kMaxFilters - 1];
  zlib::ByteBuffer ready_;
  size_t ready_at_ = 0;
};

}  // namespace minivm::lzma
