// One target for libFuzzer: MINIVM_FUZZ_TARGET is its name.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const minivm::FuzzTarget* const target = minivm::FindFuzzTarget(MINIVM_FUZZ_TARGET);
  if (!target) {
    std::fprintf(stderr, "no target %s\n", MINIVM_FUZZ_TARGET);
    std::abort();
  }
  static minivm::FuzzRun* const run = new minivm::FuzzRun(*target);
  run->Feed(data, size);
  return 0;
}
