// Limb arithmetic under a VM: temporary memory from its heap, interruption by its polls.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/support/big_int.h"

namespace minivm {

// A BigWork whose memory is counted by the heap and whose polls charge the thread. After a failing
// call, `return work.Raise();`.
class IntWork : public BigWork {
 public:
  explicit IntWork(ThreadState& ts)
      : BigWork(&ts, &AllocateBlock, &FreeBlock, &PollThread), ts_(ts) {}
  // The exception for a function that returned false: pending already when the poll raised it.
  Raised Raise() {
    if (status() == BigStatus::kInterrupted && ts_.HasPending()) return kRaised;
    return RaiseMemoryError(ts_);
  }

 private:
  static void* AllocateBlock(void* host, size_t bytes) {
    return static_cast<ThreadState*>(host)->heap().AllocateBuffer(bytes);
  }
  static void FreeBlock(void* host, void* block, size_t bytes) {
    static_cast<ThreadState*>(host)->heap().FreeBuffer(block, bytes);
  }
  static bool PollThread(void* host) {
    return !Charge(*static_cast<ThreadState*>(host), 100000).raised();
  }
  ThreadState& ts_;
};

}  // namespace minivm
