// Operations of the runtime by themselves: no interpreter runs.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "tests/support/test_vm.h"

namespace minivm {

namespace {

void ValueIntTest(benchmark::State& state) {
  Value a = Value::Int(12345), b = Value::Int(-7);
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(b);
    bool both = Value::BothInt(a, b);
    benchmark::DoNotOptimize(both);
  }
}
BENCHMARK(ValueIntTest);

void ValueFloatRoundTrip(benchmark::State& state) {
  double d = 1.5;
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    Value v;
    Value::TryFloat(d, &v);
    double back = v.as_float();
    benchmark::DoNotOptimize(back);
  }
}
BENCHMARK(ValueFloatRoundTrip);

void DictLookupStr(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> dict = NewDict(ts);
  const int64_t n = state.range(0);
  std::vector<Ref<StrObject>> keys;
  for (int64_t i = 0; i < n; ++i) {
    Ref<StrObject> key = NewStr(ts, "key" + std::to_string(i));
    (void)DictSet(ts, dict, key, Value::Int(i)).raised();
    keys.push_back(std::move(key));
  }
  size_t at = 0;
  for (auto _ : state) {
    Ref<> item = DictGet(ts, dict, keys[at]);
    benchmark::DoNotOptimize(item);
    if (++at == keys.size()) at = 0;
  }
}
BENCHMARK(DictLookupStr)->Arg(8)->Arg(1000)->Arg(100000);

void DictInsertInt(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  const int64_t n = state.range(0);
  for (auto _ : state) {
    Ref<DictObject> dict = NewDict(ts);
    for (int64_t i = 0; i < n; ++i)
      (void)DictSet(ts, dict, Value::Int(i * 7), Value::Int(i)).raised();
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(DictInsertInt)->Arg(8)->Arg(10000);

void ListAppendInt(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (auto _ : state) {
    Ref<ListObject> list = NewList(ts, {});
    for (int64_t i = 0; i < 1000; ++i) (void)ListAppend(ts, list, Value::Int(i)).raised();
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(ListAppendInt);

void StrNew(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    Ref<StrObject> s = NewStr(ts, text);
    benchmark::DoNotOptimize(s);
  }
}
BENCHMARK(StrNew)->Arg(8)->Arg(64)->Arg(4096);

void AllocateList(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (auto _ : state) {
    Ref<ListObject> list = NewList(ts, {});
    benchmark::DoNotOptimize(list);
  }
}
BENCHMARK(AllocateList);

}  // namespace

}  // namespace minivm
