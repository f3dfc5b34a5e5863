// Memory of the VM for work that is done with the VM's lock released: compressing and the like.
//
// The heap belongs to the thread that has the lock. What takes memory while it works without it
// gets it from here: the lock is taken back for as long as that lasts. Buffers grow by factors, so
// that this is rare.
#pragma once

#include "runtime/core/gil.h"
#include "runtime/gc/heap.h"

namespace minivm {

// One thread at a time uses it (BusyGuard). Where it lies must not change: codecs refer to it.
class CodecMemory {
 public:
  explicit CodecMemory(Heap& heap) : heap_(&heap) {}
  CodecMemory(const CodecMemory&) = delete;
  CodecMemory& operator=(const CodecMemory&) = delete;

  // As the heap's.
  void* AllocateBuffer(size_t size) {
    Hold hold(unlocked_);
    return heap_->AllocateBuffer(size);
  }
  void* ReallocateBuffer(void* p, size_t old_size, size_t new_size) {
    Hold hold(unlocked_);
    return heap_->ReallocateBuffer(p, old_size, new_size);
  }
  void FreeBuffer(void* p, size_t size) {
    Hold hold(unlocked_);
    heap_->FreeBuffer(p, size);
  }
  bool WouldExceed(size_t more) {
    Hold hold(unlocked_);
    return heap_->WouldExceed(more);
  }

  // The result of work(), which goes through some `size` bytes and touches nothing of the VM but
  // what belongs to the codecs that this memory is of: with the lock released if there is one and
  // the work is long enough.
  template <class F>
  auto Work(ThreadState& ts, size_t size, F work) {
    Gil* gil = ts.rt->gil;
    if (gil == nullptr || size < kLong) return work();
    unlocked_ = &ts;
    gil->Release(ts);
    auto result = work();
    gil->Acquire(ts, Urgency::kReturning);
    unlocked_ = nullptr;
    return result;
  }

 private:
  static constexpr size_t kLong = 1024;

  // Has the lock as long as it lives, whether it was released or not.
  class Hold {
   public:
    explicit Hold(ThreadState* unlocked) : ts_(unlocked) {
      if (MVM_UNLIKELY(ts_ != nullptr)) ts_->rt->gil->Acquire(*ts_, Urgency::kReturning);
    }
    ~Hold() {
      if (MVM_UNLIKELY(ts_ != nullptr)) ts_->rt->gil->Release(*ts_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    ThreadState* ts_;
  };

  Heap* heap_;
  ThreadState* unlocked_ = nullptr;  // who works without the lock
};

}  // namespace minivm
