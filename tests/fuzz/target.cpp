// Feeding a target. See target.h.
#include "tests/fuzz/target.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "minivm/minivm.h"

namespace minivm {

namespace {

constexpr int kPerVm = 1000;  // inputs until the VM is replaced, and asked what it has leaked

[[noreturn]] void Fail(const FuzzTarget& target, const std::string& what) {
  std::fprintf(stderr, "fuzz target %s: %s\n", target.name, what.c_str());
  std::abort();
}

// Bytes as the characters U+0000 to U+00FF, in UTF-8: the host's interface has no bytes.
std::string AsLatin1(const uint8_t* data, size_t size) {
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] < 0x80) {
      text += static_cast<char>(data[i]);
    } else {
      text += static_cast<char>(0xC0 | data[i] >> 6);
      text += static_cast<char>(0x80 | (data[i] & 0x3F));
    }
  }
  return text;
}

}  // namespace

const FuzzTarget* FindFuzzTarget(const char* name) {
  for (size_t i = 0; i < kFuzzTargetCount; ++i) {
    if (std::strcmp(kFuzzTargets[i].name, name) == 0) return &kFuzzTargets[i];
  }
  return nullptr;
}

FuzzRun::FuzzRun(const FuzzTarget& target) : target_(target) { Start(); }
FuzzRun::~FuzzRun() { End(); }

void FuzzRun::Start() {
  VmConfig config;
  config.streams.descriptors = false;
  config.flags.fixed_hash_seed = true;
  config.limits.memory = size_t{64} << 20;
  config.TEST_leaks = &leaks_;
  ScriptError error;
  vm_ = Vm::Create(config, &error);
  if (!vm_) Fail(target_, "cannot start: " + error.message);
  if (!vm_->Run(target_.script, "<target>", &error)) Fail(target_, error.traceback);
  fed_ = 0;
}

void FuzzRun::End() {
  vm_.reset();
  if (!leaks_.empty()) Fail(target_, "leaks:\n" + leaks_);
}

void FuzzRun::Feed(const uint8_t* data, size_t size) {
  if (fed_++ == kPerVm) {
    End();
    Start();
  }
  ScriptError error;
  vm_->Set("data", vm_->Str(AsLatin1(data, size)), &error);
  if (vm_->Run("run(data.encode('latin-1'))", "<input>", &error)) return;
  if (error.type == "SystemError" || error.type == "AssertionError") Fail(target_, error.traceback);
}

}  // namespace minivm
