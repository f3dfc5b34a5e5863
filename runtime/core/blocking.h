// Calls that may block: the VM's lock is released around them, if there is one.
#pragma once

#include <cerrno>

#include "runtime/core/thread_state.h"

namespace minivm {

// Releases the lock while it lives. Nothing of the VM may be touched meanwhile. Keeps errno.
class BlockingScope {
 public:
  explicit BlockingScope(ThreadState& ts) : ts_(ts) {
    if (ts_.rt->hooks.release_lock) ts_.rt->hooks.release_lock(ts_);
  }
  ~BlockingScope() {
    int saved = errno;
    if (ts_.rt->hooks.acquire_lock) ts_.rt->hooks.acquire_lock(ts_);
    errno = saved;
  }
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

 private:
  ThreadState& ts_;
};

// The result of f(), a system call made with the lock released.
template <class F>
auto Blocking(ThreadState& ts, F f) {
  BlockingScope scope(ts);
  return f();
}

// After EINTR: serves signals and interrupts; raised if one of them raises.
inline Status ServeInterrupted(ThreadState& ts) {
  return ts.rt->hooks.serve_requests ? ts.rt->hooks.serve_requests(ts) : Ok();
}

}  // namespace minivm
