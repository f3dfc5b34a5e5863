// bytearray: a growable byte string whose memory others may look into.
//
// Invariants: data() + size <= buffer + capacity; while exports > 0 neither the buffer nor the size
// changes. Bytes dropped from the front only move `start`, so queues are linear.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

class BytearrayObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kBytearray;
  static constexpr bool kNeverInCycle = true;
  uint8_t* buffer = nullptr;
  uint64_t capacity = 0;
  uint64_t start = 0;
  uint64_t size = 0;
  int64_t exports = 0;

  uint8_t* data() { return buffer + start; }
  std::string_view view() const {
    return {buffer ? reinterpret_cast<const char*>(buffer) + start : "", static_cast<size_t>(size)};
  }
  void FreeBuffers(Heap& heap);
};

Result<BytearrayObject> NewBytearray(ThreadState& ts, std::string_view data);
// Uninitialised contents.
Result<BytearrayObject> NewBytearrayRaw(ThreadState& ts, size_t size);
// Sets the size, new bytes uninitialised. BufferError "Existing exports of data: object cannot be
// re-sized", MemoryError.
Status BytearrayResize(ThreadState& ts, BytearrayObject* o, size_t size);
// o[at:at+old_size] = data. `data` must not point into o.
Status BytearraySplice(ThreadState& ts, BytearrayObject* o, size_t at, size_t old_size,
                       std::string_view data);

}  // namespace minivm
