// Reading .xz, .lzma and bare filter chains, piece by piece.
//
// An .xz stream is a header, blocks, an index of them, and a footer. A block is a header with its
// filter chain, the coded text, and its check. A .lzma file is a header of 13 bytes before LZMA1.
#pragma once

#include <string_view>

#include "stdlib/lzma/checks.h"
#include "stdlib/lzma/unpacker.h"

namespace minivm::lzma {

enum class Container : uint8_t { kAuto, kXz, kAlone, kRaw };

class Decoder {
 public:
  enum class Result : uint8_t { kMore, kFull, kEnd, kError, kNoMemory };
  enum class Error : uint8_t { kFormat, kOptions, kData, kMemoryLimit };

  Decoder(CodecMemory& memory, Container format, uint64_t memory_limit)
      : unpacker_(memory), format_(format), memory_limit_(memory_limit) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Of a bare chain, before the first Run(). REQUIRES: a valid one.
  void BeginRaw(const FilterSpec* filters, size_t count) {
    unpacker_.Begin(filters, count);
    step_ = Step::kRaw;
    check_ = kCheckNone;
  }
  // Appends at most `limit` bytes to *out; drops from *input what is done with.
  Result Run(std::string_view* input, size_t limit, zlib::ByteBuffer* out);
  Error error() const { return error_; }
  int check() const { return check_; }

 private:
  enum class Step : uint8_t {
    kBegin,
    kXzHeader,
    kBlockHeader,
    kBlock,
    kBlockPadding,
    kBlockCheck,
    kIndexCount,
    kIndexRecords,
    kIndexPadding,
    kIndexCrc,
    kFooter,
    kAloneHeader,
    kRaw,
    kDone,
    kFailed,
  };
  // The number and sizes of blocks, as they were and as the index has them.
  struct Records {
    uint64_t count = 0, total = 0;
    uint32_t digest = 0;
    void Add(uint64_t unpadded, uint64_t size);
  };

  // One step; false: more input is needed, or result_ is set.
  bool Go(size_t limit, zlib::ByteBuffer* out);
  // Collects n bytes in head_; true once they are there.
  bool Gather(size_t n);
  // A number of up to 63 bits, seven to a byte; the bytes of the index count.
  bool ReadNumber(uint64_t* value);
  bool Fail(Error error) {
    error_ = error;
    step_ = Step::kFailed;
    result_ = Result::kError;
    return false;
  }
  bool XzHeader();
  bool BlockHeader();
  bool ParseBlockHeader(const uint8_t* p, size_t n);
  bool Block(size_t limit, zlib::ByteBuffer* out);
  bool BlockCheck();
  bool IndexRecords();
  bool Footer();
  bool AloneHeader();
  bool Begin(const FilterSpec* filters, size_t count, uint64_t size);

  Unpacker unpacker_;
  Container format_;
  uint64_t memory_limit_;
  Step step_ = Step::kBegin;
  Result result_ = Result::kMore;
  Error error_ = Error::kData;
  int check_ = kCheckUnknown;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  uint8_t head_[1024];
  size_t head_size_ = 0;

  uint8_t flags_[2] = {};
  uint64_t header_size_ = 0, packed_ = 0, unpacked_ = 0;
  uint64_t expected_packed_ = 0, expected_unpacked_ = 0;  // UINT64_MAX: not told
  Checker checker_;
  Records blocks_, index_;
  uint64_t index_count_ = 0, index_size_ = 0, index_first_ = 0;
  uint32_t index_crc_ = 0;
  bool has_first_ = false;
  uint64_t number_ = 0;
  int number_shift_ = 0;
};

}  // namespace minivm::lzma
