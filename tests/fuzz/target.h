// What a fuzzer feeds: one function of the library with bytes from anywhere.
//
// A target is a script that defines run(data). The bytes go to it in one VM after the other; an
// exception is what it should end in, unless it says that the VM is broken (SystemError), or that
// something the script asserts does not hold (AssertionError). Everything else that goes wrong ends
// the process: a signal, a sanitizer's report, a leak.
//
// fuzz_main.cpp gives targets to libFuzzer, replay_test.cpp runs the committed corpora in ctest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace minivm {

class Vm;

struct FuzzTarget {
  const char* name;    // also of its directory below corpus/
  const char* script;  // defines run(data: bytes)
};

extern const FuzzTarget kFuzzTargets[];
extern const size_t kFuzzTargetCount;
// Null: there is none of that name.
const FuzzTarget* FindFuzzTarget(const char* name);

// Feeds one target. Aborts with a message if something is wrong.
class FuzzRun {
 public:
  explicit FuzzRun(const FuzzTarget& target);
  ~FuzzRun();
  void Feed(const uint8_t* data, size_t size);

 private:
  void Start();
  void End();

  const FuzzTarget& target_;
  std::unique_ptr<Vm> vm_;
  std::string leaks_;
  int fed_ = 0;  // to this VM
};

}  // namespace minivm
