// Output: growth, frames, handing over to a file.
#include "stdlib/pickle/pickle_output.h"

#include <bit>
#include <utility>

#include "runtime/objects/bytes_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/pickle/pickle_types.h"

namespace minivm::pickle {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

Output::~Output() {
  if (data_) heap_->FreeBuffer(data_, capacity_);
}

Status Output::Grow(ThreadState& ts, size_t n) {
  if (n > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  const size_t needed = size_ + n + kFrameHeader;
  const size_t capacity = needed < 256 ? 512 : needed + needed / 2;
  MVM_TRY_VOID(CheckRoom(ts, capacity - capacity_));
  heap_ = &ts.heap();
  void* p = heap_->ReallocateBuffer(data_, capacity_, capacity);
  if (!p) return RaiseMemoryError(ts);
  data_ = static_cast<uint8_t*>(p);
  capacity_ = capacity;
  return Ok();
}

void Output::EndFrame() {
  if (!framing_ || frame_start_ == kNoFrame) return;
  uint8_t* header = data_ + frame_start_;
  const uint64_t length = size_ - frame_start_ - kFrameHeader;
  if (length >= kMinFrame) {
    header[0] = kFrame;
    std::memcpy(header + 1, &length, 8);
  } else {
    std::memmove(header, header + kFrameHeader, length);
    size_ -= kFrameHeader;
  }
  frame_start_ = kNoFrame;
}

// The bytes so far go to the file. The buffer is empty before script code runs.
Status Output::Flush(ThreadState& ts) {
  if (size_ == 0) return Ok();
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, view()));
  size_ = 0;
  MVM_TRY_VOID(Call(ts, Ref<>(write), bytes));
  return Ok();
}

Status Output::EndFullFrame(ThreadState& ts) {
  EndFrame();
  return write ? Flush(ts) : Ok();
}

Status Output::WriteLarge(ThreadState& ts, const void* header, size_t header_size,
                          std::string_view data, Value payload) {
  if (data.size() < kFrameTarget) {
    uint8_t* p = Room(ts, header_size + data.size());
    if (!p) return kRaised;
    std::memcpy(p, header, header_size);
    if (!data.empty()) std::memcpy(p + header_size, data.data(), data.size());
    return Ok();
  }
  EndFrame();
  const bool framing = std::exchange(framing_, false);
  Status status = Write(ts, header, header_size);
  if (!status.raised()) {
    if (!write) {
      status = Write(ts, data.data(), data.size());
    } else {
      Ref<> whole = Ref<>::Borrow(payload);
      status = Flush(ts);
      if (!status.raised() && !whole) {
        Result<BytesObject> copy = NewBytes(ts, data);
        if (copy.raised()) {
          status = kRaised;
        } else {
          whole = copy.Take();
        }
      }
      if (!status.raised()) {
        Result<> r = Call(ts, Ref<>(write), whole);
        if (r.raised()) {
          status = kRaised;
        } else {
          const Ref<> dropped = r.Take();
        }
      }
    }
  }
  framing_ = framing;
  return status;
}

Status Output::Finish(ThreadState& ts) {
  EndFrame();
  framing_ = false;
  return write ? Flush(ts) : Ok();
}

}  // namespace minivm::pickle
