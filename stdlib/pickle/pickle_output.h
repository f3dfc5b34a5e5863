// The bytes of a pickle under construction, cut into frames from protocol 4 on.
//
// A frame is FRAME, its length in eight bytes, and about 64 KB of whole instructions, so that a
// reader fetches it at once. Its header is left room for at the first byte and filled in at the
// end; a frame shorter than kMinFrame loses it again. Large strings stand between frames, and with
// a file they are handed to it without being copied.
#pragma once

#include <cstring>

#include "runtime/core/thread_state.h"

namespace minivm::pickle {

class Output {
 public:
  static constexpr size_t kFrameTarget = 64 * 1024;
  static constexpr size_t kMinFrame = 4;
  static constexpr size_t kFrameHeader = 9;

  Output() = default;
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Room for n more bytes; null with MemoryError raised. The bytes count as written.
  uint8_t* Room(ThreadState& ts, size_t n) {
    if (MVM_UNLIKELY(capacity_ - size_ < n + kFrameHeader)) {
      if (Grow(ts, n).raised()) return nullptr;
    }
    if (framing_ && frame_start_ == kNoFrame) {
      frame_start_ = size_;
      size_ += kFrameHeader;
    }
    uint8_t* p = data_ + size_;
    size_ += n;
    return p;
  }
  Status Put(ThreadState& ts, uint8_t op) {
    uint8_t* p = Room(ts, 1);
    if (MVM_UNLIKELY(!p)) return kRaised;
    *p = op;
    return Ok();
  }
  Status Write(ThreadState& ts, const void* bytes, size_t n) {
    uint8_t* p = Room(ts, n);
    if (MVM_UNLIKELY(!p)) return kRaised;
    if (n) std::memcpy(p, bytes, n);
    return Ok();
  }
  // op, the low `width` bytes of n, least significant first.
  Status PutNumber(ThreadState& ts, uint8_t op, uint64_t n, int width) {
    uint8_t* p = Room(ts, static_cast<size_t>(width) + 1);
    if (MVM_UNLIKELY(!p)) return kRaised;
    *p = op;
    std::memcpy(p + 1, &n, static_cast<size_t>(width));
    return Ok();
  }
  // A header and a string of bytes that belongs to it; `payload` is the object that holds the bytes
  // (may be null).
  Status WriteLarge(ThreadState& ts, const void* header, size_t header_size, std::string_view data,
                    Value payload);

  // Frames begin with the next byte.
  void StartFraming() { framing_ = true; }
  // An instruction begins: ends the frame if it is long enough.
  Status Boundary(ThreadState& ts) {
    if (!framing_ || frame_start_ == kNoFrame ||
        size_ - frame_start_ - kFrameHeader < kFrameTarget) {
      return Ok();
    }
    return EndFullFrame(ts);
  }
  // Fills in the header of the frame, or takes it out.
  void EndFrame();
  // Ends the pickle: no frames any more; hands the bytes to the file if there is one.
  Status Finish(ThreadState& ts);
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  void Clear() {
    size_ = 0;
    framing_ = false;
    frame_start_ = kNoFrame;
  }
  size_t bytes() const { return capacity_; }

  Ref<> write;  // the file's write method; empty: everything stays here

 private:
  static constexpr size_t kNoFrame = SIZE_MAX;
  Status Grow(ThreadState& ts, size_t n);
  Status EndFullFrame(ThreadState& ts);
  Status Flush(ThreadState& ts);

  uint8_t* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  size_t frame_start_ = kNoFrame;
  bool framing_ = false;
  Heap* heap_ = nullptr;
};

}  // namespace minivm::pickle
