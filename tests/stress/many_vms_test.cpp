// VMs by the thousand in one process: each leaves nothing behind, in the heap or outside of it.
//
// bench/micro/vm_bench.cpp measures what one costs. MINIVM_MANY_VMS sets their number.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "minivm/minivm.h"
#include "tests/support/leak_guard.h"

namespace minivm {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kVms = 300;
#else
constexpr int kVms = 2000;
#endif

int HowMany() {
  const char* many = std::getenv("MINIVM_MANY_VMS");
  return many ? std::atoi(many) : kVms;
}

// Memory of this process that no other shares, in KB.
long Private() {
  std::ifstream in("/proc/self/smaps_rollup");
  std::string key;
  long sum = 0, n = 0;
  while (in >> key) {
    if (key == "Private_Dirty:" && in >> n) sum += n;
  }
  return sum;
}

void Use(const VmConfig& config, int i) {
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(config, &error);
  ASSERT_TRUE(vm) << error.traceback;
  if (i % 4 == 0) return;  // a VM that has run nothing
  const char* script =
      "class Node:\n"
      "    def __init__(self, n): self.n, self.me = n, self\n"
      "    def __del__(self): pass\n"
      "nodes = {n: Node(n) for n in range(10)}\n"
      "result = sum(node.n for node in nodes.values())\n";
  ASSERT_TRUE(vm->Run(script, "many.src", &error)) << error.traceback;
  ASSERT_EQ(vm->Get("result").ToInt(), 45);
}

TEST(ManyVms, LeaveNothing) {
  const int vms = HowMany();
  LeakGuard guard;
  VmConfig config = guard.Config();
  long before = 0;
  for (int i = 0; i < vms; ++i) {
    if (i == vms / 10) before = Private();
    config.streams.descriptors = i % 2 == 1;
    Use(config, i);
    ASSERT_EQ(guard.Take(), "") << i;
  }
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which keep memory of their own
  EXPECT_LT(Private() - before, 512);
#endif
}

TEST(ManyVms, InManyThreads) {
  const int vms = HowMany() / 8;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([vms] {
      LeakGuard guard;
      for (int i = 0; i < vms; ++i) Use(guard.Config(), i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace minivm
