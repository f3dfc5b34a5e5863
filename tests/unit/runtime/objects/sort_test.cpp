// list.sort against the standard library, for all specialised comparisons and many shapes of input.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

// Numbers in an order of the given kind.
std::vector<int64_t> Shape(int kind, int n) {
  std::vector<int64_t> v;
  uint32_t seed = static_cast<uint32_t>(kind * 7919 + n);
  const auto next = [&] { return seed = seed * 1664525 + 1013904223; };
  for (int i = 0; i < n; ++i) {
    switch (kind) {
      case 0: v.push_back(static_cast<int64_t>(next() >> 4)); break;
      case 1: v.push_back(i); break;
      case 2: v.push_back(n - i); break;
      case 3: v.push_back(next() % 4); break;
      case 4: v.push_back(i % 50); break;
      case 5: v.push_back(i % 97 == 0 ? next() % 1000 : i); break;
      case 6: v.push_back(i < n / 2 ? i * 2 : (i - n / 2) * 2 + 1); break;
      default: v.push_back(static_cast<int64_t>(next()) * (next() % 2 ? 1 : -1) * 1000003); break;
    }
  }
  return v;
}

// Sorts tuples (key, index) by make(key) and compares with a stable sort by the numbers.
template <class Make>
void CheckStable(ThreadState& ts, const std::vector<int64_t>& numbers, bool reverse, Make make) {
  Ref<ListObject> list = NewListReserve(ts, 0);
  std::vector<std::pair<int64_t, int64_t>> model;
  for (size_t i = 0; i < numbers.size(); ++i) {
    Ref<> key = make(numbers[i]);
    Value pair[] = {key, Value::Int(static_cast<int64_t>(i))};
    Ref<TupleObject> t = NewTuple(ts, pair);
    ASSERT_FALSE(ListAppend(ts, list, t).raised());
    model.emplace_back(numbers[i], static_cast<int64_t>(i));
  }
  // The index breaks ties upwards, as stability does; reversed, downwards, which reverse=True does
  // not do: there only the keys are compared.
  if (reverse) {
    std::stable_sort(model.begin(), model.end(), [](auto& a, auto& b) { return a > b; });
  } else {
    std::stable_sort(model.begin(), model.end());
  }
  ASSERT_FALSE(ListSort(ts, list, Value(), reverse).raised());
  for (size_t i = 0; i < model.size(); ++i) {
    ASSERT_EQ((*list->items[i].as<TupleObject>())[1].as_int(), model[i].second) << i;
  }
}

TEST(Sort, AllShapesAndKinds) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (int kind = 0; kind < 8; ++kind) {
    for (const int n : {0, 1, 2, 3, 31, 32, 33, 64, 65, 127, 300, 511, 512, 1000, 4097}) {
      std::vector<int64_t> numbers = Shape(kind, n);
      for (const bool reverse : {false, true}) {
        CheckStable(ts, numbers, reverse, [](int64_t x) { return Ref<>::Steal(Value::Int(x)); });
        CheckStable(ts, numbers, reverse,
                    [&](int64_t x) -> Ref<> { return NewFloat(ts, static_cast<double>(x)); });
      }
      // Plain ints and strings.
      Ref<ListObject> ints = NewListReserve(ts, 0), strs = NewListReserve(ts, 0);
      std::vector<std::string> texts;
      for (const int64_t x : numbers) {
        ASSERT_FALSE(ListAppend(ts, ints, Value::Int(x)).raised());
        texts.push_back(std::to_string(x));
        Ref<StrObject> s = NewStr(ts, texts.back());
        ASSERT_FALSE(ListAppend(ts, strs, s).raised());
      }
      std::sort(numbers.begin(), numbers.end());
      std::sort(texts.begin(), texts.end());
      ASSERT_FALSE(ListSort(ts, ints, Value(), false).raised());
      ASSERT_FALSE(ListSort(ts, strs, Value(), false).raised());
      for (int i = 0; i < n; ++i) {
        ASSERT_EQ(ints->items[i].as_int(), numbers[static_cast<size_t>(i)]);
        ASSERT_EQ(strs->items[i].as<StrObject>()->ascii_view(), texts[static_cast<size_t>(i)]);
      }
    }
  }
}

TEST(Sort, BigAndMixedNumbers) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<ListObject> list = NewListReserve(ts, 0);
  for (int i = 0; i < 500; ++i) {
    const int64_t x = (i * 7919) % 501;
    Ref<> v = i % 3 == 0 ? Ref<>(NewFloat(ts, static_cast<double>(x))) : Ref<>(NewInt(ts, x));
    ASSERT_FALSE(ListAppend(ts, list, v).raised());
  }
  Ref<> big = NewInt(ts, INT64_MAX);
  ASSERT_FALSE(ListInsert(ts, list, 100, big).raised());
  ASSERT_FALSE(ListSort(ts, list, Value(), false).raised());
  EXPECT_TRUE(list->items[list->size - 1].is(big));
}

}  // namespace
}  // namespace minivm
