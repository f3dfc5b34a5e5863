// Reading deflate streams, bare or wrapped as zlib or gzip, piece by piece.
//
// Input is worked on in units (a header, the tables of a block, a symbol with its extra bits). A
// unit that is not complete is put aside as it is and taken up again with the next piece, so there
// are no states within units; only the bits left of the last byte carry over. Errors end the
// stream.
#pragma once

#include <array>

#include "stdlib/zlib/byte_buffer.h"
#include "stdlib/zlib/huffman.h"

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

  Inflater(Heap& heap, Wrap wrap, int window_bits);

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
    kBlock,
    kStored,
    kCodes,
    kTrailer,
    kGzipSize,
    kDone,
    kFailed,
  };
  static constexpr size_t kWindow = 32768;

  // One unit: true to go on; false: more input is needed, or result_ is set.
  bool Step();
  bool Fail(const char* text);
  bool NeedBits(int n);
  uint32_t TakeBits(int n);
  bool NeedBytes(size_t n) const { return static_cast<size_t>(end_ - at_) >= n; }
  void Refill();
  bool Header();
  bool GzipHeader();
  bool SkipText(State next);
  void CountHeader(const uint8_t* p, size_t n);
  bool BlockHeader();
  bool ReadTables();
  bool CopyStored();
  bool Codes();
  bool CopyMatch();
  bool Trailer();
  void FinishBlock();
  void Unread();
  void UpdateCheck();
  void UpdateWindow();

  Heap& heap_;
  Wrap wrap_;
  int window_bits_;
  State state_ = State::kHeader;
  bool gzip_ = false;  // what the stream turned out to be
  bool last_block_ = false;
  bool waiting_ = false;  // for more input
  Result result_ = Result::kMore;
  const char* error_ = nullptr;
  uint32_t gzip_flags_ = 0;
  uint32_t header_crc_ = 0;
  uint32_t skip_ = 0;                   // bytes of gzip's extra field
  uint32_t stored_ = 0;                 // bytes left of a stored block
  uint32_t distance_ = 0, length_ = 0;  // of the match that is being copied
  uint32_t check_ = 0;                  // Adler-32 or CRC-32 of the output
  uint64_t total_ = 0;                  // bytes made
  uint32_t dictionary_id_ = 0;
  uint64_t bits_ = 0;  // low have_ bits count
  int have_ = 0;
  Decoder literals_, distances_;
  ByteBuffer carry_;   // an incomplete unit
  ByteBuffer window_;  // the last bytes made before this call

  // Of the call under way.
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  ByteBuffer* out_ = nullptr;
  size_t out_start_ = 0;  // where this call's output begins
  size_t checked_ = 0;    // output covered by check_
  size_t limit_ = 0;      // size of the output at which to stop
};

}  // namespace minivm::zlib
