// Memory beside the heap, counted against the VM's cap while it is held.
//
// For what natives build in the containers of C++ or of the system by a script's numbers: the bytes
// are told before they are taken, and given back with the object.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class HeldMemory {
 public:
  HeldMemory() = default;
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;
  ~HeldMemory() {
    if (heap_ != nullptr) heap_->Account(-static_cast<ptrdiff_t>(bytes_));
  }

  // Another `bytes` are about to be taken: MemoryError if the cap does not allow that. All of one
  // object are of the same VM.
  Status Add(ThreadState& ts, size_t bytes) {
    if (!ts.heap().Charge(bytes)) return RaiseMemoryError(ts);
    heap_ = &ts.heap();
    bytes_ += bytes;
    return Ok();
  }
  // Room for n elements in a SmallVector that will not grow any further.
  template <class Vector>
  Status Reserve(ThreadState& ts, Vector& vector, size_t n) {
    if (MVM_LIKELY(n <= vector.capacity())) return Ok();
    MVM_TRY_VOID(Add(ts, n * sizeof(vector[0])));
    if (!vector.Reserve(n)) return RaiseMemoryError(ts);
    return Ok();
  }

 private:
  Heap* heap_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace minivm
