// A VM and its main thread for unit tests of the runtime: no interpreter on top, so scripts'
// functions cannot be called, but everything of runtime/ works.
#pragma once

#include <string>

#include "runtime/core/thread_state.h"

namespace minivm {

class TestVm {
 public:
  explicit TestVm(const RuntimeConfig& config = FixedSeed());
  ~TestVm();
  TestVm(const TestVm&) = delete;
  TestVm& operator=(const TestVm&) = delete;

  ThreadState& ts() { return *rt_->main_thread; }
  RuntimeState& rt() { return *rt_; }

  // "TypeError: message" of the pending exception, which is cleared; "" if none is pending.
  std::string TakeError();
  // repr() as UTF-8; TakeError() if it raises.
  std::string Repr(Value v);
  // Live containers known to the collector.
  size_t TrackedObjects();

  static RuntimeConfig FixedSeed() {
    RuntimeConfig config;
    config.fixed_hash_seed = true;
    config.hash_seed = 42;
    return config;
  }

 private:
  RuntimeState* rt_;
};

}  // namespace minivm
