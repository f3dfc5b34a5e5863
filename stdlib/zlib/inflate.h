// Reading deflate streams, bare or wrapped as zlib or gzip, piece by piece: the wrappers, checks
// and output buffers around the decoder of runtime/support/inflate.h.
//
// Parts of the wrappers that are not complete are put aside as they are and taken up again with the
// next piece, so there are no states within them. Errors end the stream.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/support/inflate.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm::zlib {

enum class Wrap : uint8_t { kRaw, kZlib, kGzip, kAuto };

// The wbits argument of zlib.h: sign and range say which wrapping; false: it is none.
bool ParseWindowBits(int64_t wbits, Wrap* wrap, int* bits);

class Inflater {
 public:
  enum class Result : uint8_t {
    kMore,      // all input is used up
    kFull,      // `limit` bytes were made
    kEnd,       // the stream is complete; *used says where it ended
    kNeedDict,  // SetDictionary, then go on
    kError,     // error() says why
    kNoMemory,
  };

  Inflater(CodecMemory& memory, Wrap wrap, int window_bits);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends at most `limit` more bytes to *out. *used: bytes of the input that are done with; those
  // of an incomplete unit count.
  Result Run(std::string_view input, size_t limit, ByteBuffer* out, size_t* used);
  // The Adler-32 of the dictionary wanted after kNeedDict.
  uint32_t dictionary_id() const { return dictionary_id_; }
  // What stands before the first byte, as far as distances go.
  void SetDictionary(std::string_view data);
  const char* error() const { return error_; }
  bool ended() const { return state_ == State::kDone; }
  void CopyFrom(const Inflater& other, bool* ok);

 private:
  enum class State : uint8_t {
    kHeader,
    kGzipFlags,
    kGzipExtraSize,
    kGzipExtra,
    kGzipName,
    kGzipComment,
    kGzipHeaderCrc,
    kDictionaryId,
    kWaitDictionary,
    kBody,
    kTrailer,
    kGzipSize,
    kDone,
    kFailed,
  };
  // One unit: true to go on; false: more input is needed, or result_ is set.
  bool Step();
  bool Fail(const char* text);
  bool NeedBytes(size_t n) const { return static_cast<size_t>(end_ - at_) >= n; }
  bool Header();
  bool GzipHeader();
  bool SkipText(State next);
  void CountHeader(const uint8_t* p, size_t n);
  bool Body();
  bool Trailer();
  void UpdateCheck();
  // The decoder, made at first use; null: no memory.
  minivm::Inflater* Decoder();

  CodecMemory& memory_;
  Wrap wrap_;
  int window_bits_;
  State state_ = State::kHeader;
  bool gzip_ = false;     // what the stream turned out to be
  bool waiting_ = false;  // for more input
  Result result_ = Result::kMore;
  const char* error_ = nullptr;
  uint32_t gzip_flags_ = 0;
  uint32_t header_crc_ = 0;
  uint32_t skip_ = 0;   // bytes of gzip's extra field
  uint32_t check_ = 0;  // Adler-32 or CRC-32 of the output
  uint64_t total_ = 0;  // bytes made
  uint32_t dictionary_id_ = 0;
  minivm::Inflater* decoder_ = nullptr;  // owned, in memory of the VM
  ByteBuffer carry_;                     // an incomplete unit

  // Of the call under way.
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  ByteBuffer* out_ = nullptr;
  size_t out_start_ = 0;  // where this call's output begins
  size_t checked_ = 0;    // output covered by check_
  size_t limit_ = 0;      // size of the output at which to stop
};

}  // namespace minivm::zlib
