// Operations of the runtime by themselves: no interpreter runs. The collector has gc_bench.cpp.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
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

// One operation of the protocol on two values.
void BinaryOperation(benchmark::State& state, BinaryOp op, Value a, Value b) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(b);
    Ref<> result = Binary(ts, op, a, b);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK_CAPTURE(BinaryOperation, int_add, BinaryOp::kAdd, Value::Int(3), Value::Int(4));
BENCHMARK_CAPTURE(BinaryOperation, int_floor_divide, BinaryOp::kFloorDiv, Value::Int(1000),
                  Value::Int(7));
BENCHMARK_CAPTURE(BinaryOperation, int_true_divide, BinaryOp::kTrueDiv, Value::Int(1000),
                  Value::Int(7));

// Products and decimal texts of integers of so many decimal digits.
void IntMultiply(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<> n = Power(ts, Value::Int(7), Value::Int(state.range(0) * 1183 / 1000), vm.rt().none);
  for (auto _ : state) {
    Ref<> product = Binary(ts, BinaryOp::kMul, n, n);
    benchmark::DoNotOptimize(product);
  }
}
BENCHMARK(IntMultiply)->Arg(20)->Arg(200)->Arg(2000)->Arg(20000);

void IntToDecimal(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<> n = Power(ts, Value::Int(7), Value::Int(state.range(0) * 1183 / 1000), vm.rt().none);
  for (auto _ : state) {
    Ref<StrObject> text = Repr(ts, n);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(IntToDecimal)->Arg(5)->Arg(200)->Arg(4000);

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

void DictDeleteInsert(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> dict = NewDict(ts);
  const int64_t n = state.range(0);
  for (int64_t i = 0; i < n; ++i) (void)DictSet(ts, dict, Value::Int(i), Value::Int(i)).raised();
  int64_t at = 0;
  for (auto _ : state) {
    (void)DictDelete(ts, dict, Value::Int(at)).raised();
    (void)DictSet(ts, dict, Value::Int(at + n), Value::Int(at)).raised();
    ++at;
  }
}
BENCHMARK(DictDeleteInsert)->Arg(8)->Arg(10000);

void SetContainsInt(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<SetObject> set = NewSet(ts);
  for (int64_t i = 0; i < 1000; ++i) (void)SetAdd(ts, set, Value::Int(i * 2)).raised();
  int64_t at = 0;
  for (auto _ : state) {
    Result<bool> found = SetContains(ts, set, Value::Int(at));
    benchmark::DoNotOptimize(found);
    at = (at + 1) & 1023;
  }
}
BENCHMARK(SetContainsInt);

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

void ListSortInts(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  const int64_t n = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    Ref<ListObject> list = NewList(ts, {});
    uint32_t seed = 7;
    for (int64_t i = 0; i < n; ++i) {
      seed = seed * 1103515245 + 12345;
      (void)ListAppend(ts, list, Value::Int(seed >> 8)).raised();
    }
    state.ResumeTiming();
    (void)ListSort(ts, list, Value(), false).raised();
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(ListSortInts)->Arg(100)->Arg(10000);

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

void StrConcatTwo(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<StrObject> s = NewStr(ts, std::string(static_cast<size_t>(state.range(0)), 'x'));
  for (auto _ : state) {
    Ref<StrObject> both = StrConcat(ts, s, s);
    benchmark::DoNotOptimize(both);
  }
}
BENCHMARK(StrConcatTwo)->Arg(8)->Arg(4096);

void StrSliceShort(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<StrObject> s = NewStr(ts, "some text to cut pieces from");
  for (auto _ : state) {
    Ref<StrObject> piece = StrSlice(ts, s, 5, 9);
    benchmark::DoNotOptimize(piece);
  }
}
BENCHMARK(StrSliceShort);

void AttributeOfType(benchmark::State& state) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<StrObject> name = InternUtf8(ts, "append");
  Ref<ListObject> list = NewList(ts, {});
  for (auto _ : state) {
    Ref<> method = GetAttr(ts, list, name);
    benchmark::DoNotOptimize(method);
  }
}
BENCHMARK(AttributeOfType);

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
