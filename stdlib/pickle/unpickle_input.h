// Where an unpickler's bytes come from: one buffer, or a file read piece by piece.
//
// A file is read exactly as far as the pickle goes: instruction by instruction, a frame at once, or
// ahead through peek() if it has that, telling it afterwards what was used. Views that Take() hands
// out are valid until the next call. Sizes that the pickle claims are believed only as far as there
// are bytes.
#pragma once

#include <string_view>

#include "runtime/objects/bytes_object.h"
#include "runtime/protocol/buffer.h"

namespace minivm::pickle {

class Input {
 public:
  // The bytes of a buffer, which is held.
  Status SetBuffer(ThreadState& ts, Value v);
  // TypeError without read and readline.
  Status SetFile(ThreadState& ts, Value file);
  bool has_file() const { return static_cast<bool>(read_); }

  // The next n bytes. UnpicklingError if there are fewer.
  Result<const uint8_t*> Take(ThreadState& ts, size_t n) {
    if (MVM_LIKELY(static_cast<size_t>(end_ - at_) >= n)) {
      const uint8_t* p = at_;
      at_ += n;
      return p;
    }
    return TakeSlow(ts, n);
  }
  // The next byte as an instruction; EOFError at the end.
  Result<uint8_t> TakeOp(ThreadState& ts);
  // A line, with its newline.
  Status TakeLine(ThreadState& ts, std::string_view* line);
  // n bytes as an object.
  Result<BytesObject> TakeBytes(ThreadState& ts, uint64_t n);
  // A frame of n bytes begins.
  Status EnterFrame(ThreadState& ts, uint64_t n);
  // Tells the file what was used of what was read ahead. The end of a load, also of a failed one.
  Status Finish(ThreadState& ts);

  template <class V>
  void VisitRefs(V&& v) {
    v(read_);
    v(readline_);
    v(readinto_);
    v(peek_);
    v(piece_);
  }
  void Reset();

 private:
  static constexpr int64_t kReadAhead = 128 * 1024;
  Result<const uint8_t*> TakeSlow(ThreadState& ts, size_t n);
  Status Fill(ThreadState& ts, size_t n);
  Result<BytesObject> Read(ThreadState& ts, uint64_t n);
  Status Forget(ThreadState& ts);
  void UsePiece(Ref<BytesObject> bytes);

  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  const uint8_t* start_ = nullptr;  // of the piece
  bool ahead_ = false;              // the piece was peeked at: the file still stands at its start
  Ref<> read_, readline_, readinto_, peek_;  // methods of the file; empty: none
  Ref<> piece_;                              // bytes: what at_ points into
  ByteView whole_;                           // without a file
};

}  // namespace minivm::pickle
