// What scripts cannot see of dict: storages, cells, the index under deletions, memory.
#include "runtime/objects/dict_object.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/objects/cell_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

Ref<StrObject> Str(ThreadState& ts, const std::string& s) { return NewStr(ts, s); }

std::vector<int64_t> Keys(ThreadState& ts, DictObject* d) {
  std::vector<int64_t> keys;
  size_t pos = 0;
  Value k, v;
  while (DictNext(ts, d, &pos, &k, &v)) keys.push_back(k.as_int());
  return keys;
}

TEST(Hash, FoldingUndoesUnfolding) {
  for (uint32_t i = 0; i < 100000; ++i) {
    const uint32_t folded = i * 2654435761u;
    ASSERT_EQ(FoldHash(UnfoldHash(folded)), folded);
    ASSERT_NE(UnfoldHash(folded), -1);
  }
  EXPECT_EQ(FoldHash(5), 5u);
  EXPECT_EQ(FoldHash(-2), static_cast<uint32_t>(-2));
}

// Against a model, with ints of several strides and all the ways to take entries out.
TEST(Dict, AgreesWithModel) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (const int64_t stride :
       {int64_t{1}, int64_t{-1}, int64_t{1} << 12, int64_t{1} << 33, int64_t{977}}) {
    Ref<DictObject> d = NewDict(ts);
    std::vector<int64_t> order;
    std::map<int64_t, int64_t> model;
    uint32_t seed = 1;
    for (int step = 0; step < 30000; ++step) {
      seed = seed * 1664525 + 1013904223;
      const int64_t key = static_cast<int64_t>((seed >> 8) % 600) * stride;
      const auto erase = [&](int64_t k) {
        model.erase(k);
        order.erase(std::find(order.begin(), order.end(), k));
      };
      switch ((seed >> 28) % 8) {
        case 0:
        case 1:
        case 2:
          ASSERT_FALSE(DictSet(ts, d, Value::Int(key), Value::Int(step)).raised());
          if (!model.count(key)) order.push_back(key);
          model[key] = step;
          break;
        case 3:
        case 4: {
          const bool there = DictDelete(ts, d, Value::Int(key)).Take();
          ASSERT_EQ(there, model.count(key) == 1);
          if (there) erase(key);
          break;
        }
        case 5:
        case 6: {
          const bool last = (seed >> 28) % 8 == 5;
          Ref<> k, v;
          const bool taken = DictPopEnd(ts, d, last, &k, &v).Take();
          ASSERT_EQ(taken, !order.empty());
          if (!taken) break;
          ASSERT_EQ(k.value().as_int(), last ? order.back() : order.front());
          ASSERT_EQ(v.value().as_int(), model[k.value().as_int()]);
          erase(k.value().as_int());
          break;
        }
        default: {
          const bool last = seed & 0x1000;
          const bool moved = DictMoveToEnd(ts, d, Value::Int(key), last).Take();
          ASSERT_EQ(moved, model.count(key) == 1);
          if (!moved) break;
          order.erase(std::find(order.begin(), order.end(), key));
          order.insert(last ? order.end() : order.begin(), key);
        }
      }
      ASSERT_EQ(DictSize(d), model.size());
      Value* place = DictFind(ts, d, Value::Int(key)).Take();
      ASSERT_EQ(place != nullptr, model.count(key) == 1);
      if (place) {
        ASSERT_EQ(place->as_int(), model[key]);
      }
      if (step % 500 == 0) {
        ASSERT_EQ(Keys(ts, d), order);
      }
    }
    ASSERT_EQ(Keys(ts, d), order);
    Ref<DictObject> copy = DictCopy(ts, d);
    ASSERT_EQ(Keys(ts, copy), order);
    for (const auto& [k, v] : model)
      ASSERT_EQ(DictFind(ts, copy, Value::Int(k)).Take()->as_int(), v);
  }
}

TEST(Dict, EqualNumbersAreOneKey) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> d = NewDict(ts);
  Value one_float;
  ASSERT_TRUE(Value::TryFloat(1.0, &one_float));
  for (int n = 0; n < 2; ++n) {
    ASSERT_FALSE(DictSet(ts, d, Value::Int(1), Value::Int(10)).raised());
    ASSERT_FALSE(DictSet(ts, d, one_float, Value::Int(20)).raised());
    ASSERT_FALSE(DictSet(ts, d, ts.rt->true_, Value::Int(30)).raised());
    for (int i = 2; i < 100; ++i)
      ASSERT_FALSE(DictSet(ts, d, Value::Int(i), Value::Int(i)).raised());
    EXPECT_EQ(DictSize(d), 99u);
    EXPECT_EQ(DictFind(ts, d, Value::Int(1)).Take()->as_int(), 30);
  }
}

TEST(Dict, CellsStayWhereTheyAre) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> d = NewDict(ts);
  Ref<StrObject> a = Str(ts, "alpha"), b = Str(ts, "beta");
  ASSERT_FALSE(DictSetStr(ts, d, a, Value::Int(1)).raised());
  ASSERT_FALSE(DictSetStr(ts, d, b, Value::Int(2)).raised());
  ASSERT_FALSE(DictMakeCelled(ts, d).raised());
  EXPECT_EQ(d->shape_id, kShapeCelledDict);
  CellObject* cell = DictGetCell(ts, d, a);
  ASSERT_NE(cell, nullptr);
  EXPECT_EQ(cell->value.as_int(), 1);
  EXPECT_TRUE(DictDelete(ts, d, a).Take());
  EXPECT_TRUE(cell->value.is(ts.rt->unbound));
  EXPECT_EQ(DictSize(d), 1u);
  EXPECT_TRUE(DictGetStr(ts, d, a).is_null());
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(DictSetStr(ts, d, Str(ts, "name" + std::to_string(i)), Value::Int(i)).raised());
  }
  // Bound again, the name is the last one, in the same cell.
  ASSERT_FALSE(DictSetStr(ts, d, a, Value::Int(7)).raised());
  EXPECT_EQ(DictGetCell(ts, d, a), cell);
  EXPECT_EQ(cell->value.as_int(), 7);
  size_t pos = SIZE_MAX;
  Value k, v;
  ASSERT_TRUE(DictPrevious(ts, d, &pos, &k, &v));
  EXPECT_TRUE(k.is(a));
  EXPECT_EQ(DictSize(d), 102u);
  // A cell made for a name that is not there yet.
  Ref<StrObject> later = Str(ts, "later");
  CellObject* made = DictMakeCell(ts, d, later).Take();
  EXPECT_EQ(DictSize(d), 102u);
  EXPECT_TRUE(DictGetStr(ts, d, later).is_null());
  ASSERT_FALSE(DictSetStr(ts, d, later, Value::Int(5)).raised());
  EXPECT_EQ(made->value.as_int(), 5);
  EXPECT_EQ(DictSize(d), 103u);
  DictClear(ts, d);
  EXPECT_EQ(DictSize(d), 0u);
  EXPECT_TRUE(made->value.is(ts.rt->unbound));
  pos = 0;
  EXPECT_FALSE(DictNext(ts, d, &pos, &k, &v));
}

TEST(Dict, MemoryPerEntry) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> d = NewDict(ts);
  double worst = 0;
  for (int i = 0; i < 100000; ++i) {
    ASSERT_FALSE(DictSet(ts, d, Value::Int(i), Value::Int(i)).raised());
    if (i > 1000) worst = std::max(worst, static_cast<double>(DictSizeOf(d)) / (i + 1));
  }
  EXPECT_LT(worst, 42.0);
}

// Deleting and inserting for ever keeps a dict small.
TEST(Dict, ChurnDoesNotGrow) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<DictObject> d = NewDict(ts);
  for (int i = 0; i < 100000; ++i) {
    ASSERT_FALSE(DictSet(ts, d, Value::Int(i), Value::Int(i)).raised());
    if (i >= 20) {
      ASSERT_TRUE(DictDelete(ts, d, Value::Int(i - 20)).Take());
    }
  }
  EXPECT_EQ(DictSize(d), 20u);
  EXPECT_LT(DictSizeOf(d), 2000u);
}

}  // namespace
}  // namespace minivm
