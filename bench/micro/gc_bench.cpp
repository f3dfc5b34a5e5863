// The collector: what a collection takes by the number of live containers and of dead ones, and
// what reference counting takes of the rest.
#include <benchmark/benchmark.h>

#include <vector>

#include "runtime/gc/collector.h"
#include "runtime/objects/list_object.h"
#include "tests/support/test_vm.h"

namespace minivm {

namespace {

// n lists in one list.
Ref<ListObject> ManyLists(ThreadState& ts, int64_t n) {
  Ref<ListObject> all = NewList(ts, {});
  for (int64_t i = 0; i < n; ++i) {
    Ref<ListObject> list = NewList(ts, {});
    (void)ListAppend(ts, all, list).raised();
  }
  return all;
}

void CollectFull(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<ListObject> live = ManyLists(ts, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(vm.rt().heap.collector().Collect(ts, 2));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(CollectFull)->Arg(1000)->Arg(100000)->Unit(benchmark::kMicrosecond);

void CollectYoungBesideOld(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<ListObject> live = ManyLists(ts, state.range(0));
  vm.rt().heap.collector().Collect(ts, 2);
  for (auto _ : state) {
    state.PauseTiming();
    Ref<ListObject> young = ManyLists(ts, 1000);
    state.ResumeTiming();
    benchmark::DoNotOptimize(vm.rt().heap.collector().Collect(ts, 0));
  }
}
BENCHMARK(CollectYoungBesideOld)->Arg(0)->Arg(100000)->Unit(benchmark::kMicrosecond);

void CollectCycles(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  const int64_t n = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    for (int64_t i = 0; i < n; ++i) {
      Ref<ListObject> list = NewList(ts, {});
      (void)ListAppend(ts, list, list).raised();
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(vm.rt().heap.collector().Collect(ts, 0));
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(CollectCycles)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

void DropTree(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (auto _ : state) {
    state.PauseTiming();
    Ref<ListObject> lists = ManyLists(ts, state.range(0));
    state.ResumeTiming();
    lists = Ref<ListObject>();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DropTree)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace

}  // namespace minivm
