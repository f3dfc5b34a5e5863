// Calls that may block: the VM's lock is released around them, if there is one.
//
// What such a call reads and writes must be pinned: buffers exported, objects held by reference,
// fields that it needs copied before.
#pragma once

#include <cerrno>

#include "runtime/core/gil.h"

namespace minivm {

// Releases the lock while it lives. Nothing of the VM may be touched meanwhile. Keeps errno.
class BlockingScope {
 public:
  explicit BlockingScope(ThreadState& ts) : ts_(ts), gil_(ts.rt->gil) {
    if (gil_ != nullptr) gil_->Release(ts_);
  }
  ~BlockingScope() {
    if (gil_ == nullptr) return;
    int saved = errno;
    gil_->Acquire(ts_, Urgency::kReturning);
    errno = saved;
  }
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

 private:
  ThreadState& ts_;
  Gil* gil_;
};

// The result of f(), a system call made with the lock released.
template <class F>
auto Blocking(ThreadState& ts, F f) {
  BlockingScope scope(ts);
  return f();
}

// Lets another thread run, if one waits.
void YieldLock(ThreadState& ts);

// After EINTR: serves signals and interrupts; raised if one of them raises.
inline Status ServeInterrupted(ThreadState& ts) {
  return ts.rt->hooks.serve_requests ? ts.rt->hooks.serve_requests(ts) : Ok();
}

// Between two calls of a loop that writes: a signal may have cut the first one short without EINTR,
// and nothing would interrupt the next.
inline Status ServeBetween(ThreadState& ts) {
  return HasUrgentRequest(ts) ? ServeInterrupted(ts) : Charge(ts, 1000);
}

// Sleeps until the deadline (of MonotonicNow), serving requests meanwhile.
Status SleepUntil(ThreadState& ts, int64_t deadline);

}  // namespace minivm
