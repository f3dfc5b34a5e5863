// A VM as a host makes it, without streams of its own, for tests of include/minivm.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "minivm/minivm.h"

namespace minivm {

inline std::unique_ptr<Vm> NewHostVm() {
  VmConfig config;
  config.streams.descriptors = false;
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(config, &error);
  EXPECT_TRUE(vm) << error.traceback;
  return vm;
}

inline void RunIn(Vm& vm, std::string_view source) {
  ScriptError error;
  EXPECT_TRUE(vm.Run(source, "a.src", &error)) << error.traceback;
}

}  // namespace minivm
