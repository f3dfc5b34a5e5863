// Loops of script code through the public API; the time is per iteration of the script's loop.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "minivm/minivm.h"

namespace {

constexpr int64_t kLoops = 10000;

// Runs `setup`, then times run(n), made of `body` inside a loop.
void RunLoop(benchmark::State& state, const std::string& setup, const std::string& body) {
  minivm::ScriptError error;
  minivm::VmConfig config;
  config.standard_streams = false;
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config, &error);
  const std::string source = setup + "\ndef run(n):\n    x = 0\n    for i in range(n):\n        " +
                             body + "\n    return x\n";
  if (!vm || !vm->Run(source, "bench.src", &error)) {
    state.SkipWithError(error.message.c_str());
    return;
  }
  minivm::Var run = vm->Get("run");
  const minivm::Var n = vm->Int(kLoops);
  for (auto _ : state) {
    minivm::Var result = run.Call({&n, 1}, &error);
    if (!result) {
      state.SkipWithError(error.message.c_str());
      return;
    }
  }
  state.SetItemsProcessed(state.iterations() * kLoops);
}

void CallPositional(benchmark::State& state) { RunLoop(state, "def f(a, b): return a", "f(i, x)"); }
void CallKeyword(benchmark::State& state) {
  RunLoop(state, "def f(a, b): return a", "f(a=i, b=x)");
}
void CallMethod(benchmark::State& state) {
  RunLoop(state, "class C:\n    def m(self): return 1\nc = C()", "c.m()");
}
void CallNative(benchmark::State& state) { RunLoop(state, "", "abs(i)"); }
void AttributeRead(benchmark::State& state) {
  RunLoop(state, "class C: pass\nc = C(); c.v = 1", "x = c.v");
}
void IntAdd(benchmark::State& state) { RunLoop(state, "", "x += i"); }
void FloatMultiply(benchmark::State& state) { RunLoop(state, "", "x = i * 0.5"); }
void DictItem(benchmark::State& state) { RunLoop(state, "d = {'a': 1}", "x = d['a']"); }
void ListItem(benchmark::State& state) { RunLoop(state, "v = [1, 2, 3]", "x = v[1]"); }
void StrConcat(benchmark::State& state) { RunLoop(state, "", "'ab' + str(i)"); }
void Instantiate(benchmark::State& state) {
  RunLoop(state, "class C:\n    def __init__(self, v): self.v = v", "C(i)");
}

BENCHMARK(CallPositional);
BENCHMARK(CallKeyword);
BENCHMARK(CallMethod);
BENCHMARK(CallNative);
BENCHMARK(AttributeRead);
BENCHMARK(IntAdd);
BENCHMARK(FloatMultiply);
BENCHMARK(DictItem);
BENCHMARK(ListItem);
BENCHMARK(StrConcat);
BENCHMARK(Instantiate);

}  // namespace
