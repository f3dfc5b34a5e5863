// The collector's phases on hand-made graphs.
#include "runtime/gc/collector.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/gc/gc_debug.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

// A list that holds itself and `n` more items.
Ref<ListObject> SelfList(ThreadState& ts) {
  Ref<ListObject> list = NewListReserve(ts, 2);
  EXPECT_FALSE(ListAppend(ts, list, list).raised());
  return list;
}

TEST(CollectorTest, FreesASelfReference) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  gc.Collect(ts, 2);
  size_t before = vm.TrackedObjects();
  { Ref<ListObject> list = SelfList(ts); }
  EXPECT_EQ(vm.TrackedObjects(), before + 1);
  EXPECT_EQ(gc.Collect(ts, 0), 1);
  EXPECT_EQ(vm.TrackedObjects(), before);
}

TEST(CollectorTest, KeepsWhatIsHeldFromOutside) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  Ref<ListObject> list = SelfList(ts);
  {
    Ref<ListObject> inner = SelfList(ts);
    ASSERT_FALSE(ListAppend(ts, list, inner).raised());
  }
  EXPECT_EQ(gc.Collect(ts, 2), 0);
  EXPECT_EQ(list->size, 2u);
  EXPECT_EQ(list->items[1].as<ListObject>()->refcount, 2u);
  ListClear(ts, list);
  EXPECT_EQ(gc.Collect(ts, 2), 1);
}

TEST(CollectorTest, AgesProtectFromYoungCollections) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  {
    Ref<ListObject> list = SelfList(ts);
    gc.Collect(ts, 0);
    gc.Collect(ts, 1);  // now old
  }
  EXPECT_EQ(gc.Collect(ts, 0), 0);
  EXPECT_EQ(gc.Collect(ts, 1), 0);
  EXPECT_EQ(gc.Collect(ts, 2), 1);
}

TEST(CollectorTest, MiddleGenerationIsFoundByTheSecondCollection) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  {
    Ref<ListObject> list = SelfList(ts);
    gc.Collect(ts, 0);
  }
  EXPECT_EQ(gc.Collect(ts, 0), 0);
  EXPECT_EQ(gc.Collect(ts, 1), 1);
}

TEST(CollectorTest, DeepStructuresNeitherRecurseNorLeak) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  gc.Collect(ts, 2);
  size_t before = vm.TrackedObjects();
  constexpr int kDepth = 300000;
  {
    Ref<ListObject> first = NewListReserve(ts, 1);
    Ref<ListObject> list = first;
    for (int i = 0; i < kDepth; ++i) {
      Ref<ListObject> outer = NewListReserve(ts, 1);
      ASSERT_FALSE(ListAppend(ts, outer, list).raised());
      list = outer;
    }
    EXPECT_EQ(gc.Collect(ts, 2), 0);
    ASSERT_FALSE(ListAppend(ts, first, list).raised());  // close the ring
  }
  EXPECT_EQ(gc.Collect(ts, 2), kDepth + 1);
  EXPECT_EQ(vm.TrackedObjects(), before);
  // The same without a ring: reference counts alone.
  {
    Ref<> list = Result<>(NewListReserve(ts, 1)).Take();
    for (int i = 0; i < kDepth; ++i) {
      Value v = list;
      list = Result<>(NewTuple(ts, {&v, 1})).Take();
    }
  }
  EXPECT_EQ(vm.TrackedObjects(), before);
}

TEST(CollectorTest, LargeContainersTakePart) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  {
    Ref<ListObject> list = NewListReserve(ts, 1);
    std::vector<Value> items(5000, Value(list));
    Ref<TupleObject> tuple = NewTuple(ts, items);
    ASSERT_TRUE(Page::Of(tuple.get())->large);
    ASSERT_FALSE(ListAppend(ts, list, tuple).raised());
  }
  EXPECT_EQ(gc.Collect(ts, 0), 2);
}

TEST(CollectorTest, TuplesOfAtomsAreUntracked) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Value items[] = {Value::Int(1), vm.rt().none, vm.rt().empty_str};
  Ref<TupleObject> atoms = NewTuple(ts, items);
  Ref<ListObject> list = NewListReserve(ts, 1);
  Value mixed_items[] = {Value::Int(1), list};
  Ref<TupleObject> mixed = NewTuple(ts, mixed_items);
  vm.rt().heap.collector().Collect(ts, 0);
  EXPECT_FALSE(atoms->gc & kGcTracked);
  EXPECT_TRUE(mixed->gc & kGcTracked);
}

TEST(CollectorTest, WeakReferencesToGarbageAreCleared) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<> ref;
  {
    Ref<> target = Ref<>::Borrow(TypeById(ts, TypeId::kInt));
    ref = NewWeakref(ts, nullptr, target, Value());
    EXPECT_EQ(CountWeakrefs(vm.rt(), target.object()), 1);
    Ref<> again = NewWeakref(ts, nullptr, target, Value());
    EXPECT_TRUE(again.is(ref));
  }
  Ref<> alive = WeakrefTarget(ts, ref.as<WeakrefObject>());
  EXPECT_TRUE(alive.is(TypeById(ts, TypeId::kInt)));
}

TEST(CollectorTest, FreezeHidesObjects) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  gc.Collect(ts, 2);
  {
    Ref<ListObject> list = SelfList(ts);
    gc.Freeze();
    EXPECT_GT(gc.FreezeCount(), 0u);
  }
  EXPECT_EQ(gc.Collect(ts, 2), 0);
  gc.Unfreeze();
  EXPECT_EQ(gc.FreezeCount(), 0u);
  EXPECT_EQ(gc.Collect(ts, 2), 1);
}

TEST(CollectorTest, RequestsComeWithTheThreshold) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Collector& gc = vm.rt().heap.collector();
  gc.Collect(ts, 2);
  ts.requests = 0;
  std::vector<Ref<ListObject>> keep;
  while (!(ts.requests & kRequestCollect)) keep.push_back(NewListReserve(ts, 0));
  EXPECT_LE(static_cast<int64_t>(keep.size()), gc.threshold(0) + 1);
  ts.requests = 0;
  gc.CollectIfDue(ts);
  EXPECT_EQ(gc.count(0), 0);
  gc.set_enabled(false);
  for (int i = 0; i < 5000; ++i) keep.push_back(NewListReserve(ts, 0));
  EXPECT_EQ(ts.requests, 0u);
}

TEST(CollectorTest, TheHeapStaysConsistent) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  std::vector<Ref<>> keep;
  uint32_t random = 1;
  for (int i = 0; i < 30000; ++i) {
    random = random * 1664525 + 1013904223;
    Ref<ListObject> list = SelfList(ts);
    if (!keep.empty()) {
      ASSERT_FALSE(ListAppend(ts, list, keep[(random >> 10) % keep.size()]).raised());
    }
    if (random >> 28 == 0) keep.push_back(Ref<>::Borrow(list));
    if (keep.size() > 100) keep.erase(keep.begin(), keep.begin() + 50);
    if (i % 1000 == 0) vm.rt().heap.collector().Collect(ts, i / 1000 % 3);
    if (i % 5000 == 0) VerifyHeap(vm.rt());
  }
  keep.clear();
  vm.rt().heap.collector().Collect(ts, 2);
  VerifyHeap(vm.rt());
}

}  // namespace
}  // namespace minivm
