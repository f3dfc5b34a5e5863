// What a VM costs: the time from creation to destruction, and the memory of one that lives.
//
// The argument: 0 nothing is run and there are no standard streams, 1 with the streams, 2 a small
// script, 3 both.
#include <benchmark/benchmark.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "minivm/minivm.h"

namespace {

// Memory of this process that no other shares, in KB.
double PrivateKb() {
  std::ifstream in("/proc/self/smaps_rollup");
  std::string key;
  double sum = 0, n = 0;
  while (in >> key) {
    if (key == "Private_Dirty:" && in >> n) sum += n;
  }
  return sum;
}

std::unique_ptr<minivm::Vm> Make(int64_t how) {
  minivm::VmConfig config;
  config.streams.descriptors = (how & 1) != 0;
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config);
  if (vm && (how & 2) != 0) vm->Run("def f(x):\n    return x + 1\ny = f(1)\n", "bench.src");
  return vm;
}

void VmLife(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Make(state.range(0)));
  constexpr int kAlive = 50;
  std::vector<std::unique_ptr<minivm::Vm>> alive;
  for (int i = 0; i < 5; ++i) alive.push_back(Make(state.range(0)));
  const double before = PrivateKb();
  for (int i = 0; i < kAlive; ++i) alive.push_back(Make(state.range(0)));
  state.counters["KB"] = (PrivateKb() - before) / kAlive;
}

BENCHMARK(VmLife)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);

}  // namespace
