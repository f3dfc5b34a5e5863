// Fails the test unless the VMs made with its configuration leave nothing behind.
//
//   LeakGuard guard;
//   VmConfig config = guard.Config();
//   { std::unique_ptr<Vm> vm = Vm::Create(config); ... }
//   // the guard's end, or Take(), looks at what ~Vm has listed (runtime/gc/leak_check.h)
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "minivm/vm.h"

namespace minivm {

class LeakGuard {
 public:
  LeakGuard() = default;
  ~LeakGuard() { EXPECT_EQ(leaks_, ""); }
  LeakGuard(const LeakGuard&) = delete;
  LeakGuard& operator=(const LeakGuard&) = delete;

  // Of a VM that prints nothing and always takes the same way.
  VmConfig Config() {
    VmConfig config;
    config.streams.descriptors = false;
    config.flags.fixed_hash_seed = true;
    config.TEST_leaks = &leaks_;
    return config;
  }
  // What has been left so far; "" from now on.
  std::string Take() { return std::exchange(leaks_, std::string()); }

 private:
  std::string leaks_;
};

}  // namespace minivm
