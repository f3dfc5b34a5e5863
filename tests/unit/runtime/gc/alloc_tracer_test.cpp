// The tracer by itself and in the heap: balance, growing buffers, the fast paths before and after.
#include "runtime/gc/alloc_tracer.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/objects/str_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

Object* Make(Heap& heap, size_t size, bool container = false) {
  Object* o = static_cast<Object*>(heap.Allocate(size, container));
  if (o) *o = {1, ShapeIdOf(TypeId::kObject), 0, 0};
  return o;
}

constexpr size_t kSizes[] = {1, 16, 48, 512, 513, 8192, 8193, 100000};

TEST(AllocTracerTest, EveryKindOfBlockIsTracedUntilItIsFreed) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  ASSERT_TRUE(heap.StartTracing(1));
  size_t sum = 0;
  std::vector<Object*> objects;
  std::vector<void*> buffers;
  for (size_t size : kSizes) {
    for (bool container : {false, true}) objects.push_back(Make(heap, size, container));
    buffers.push_back(heap.AllocateBuffer(size));
    sum += 3 * size;
  }
  EXPECT_EQ(heap.tracer()->traced(), sum);
  EXPECT_EQ(heap.tracer()->block_count(), objects.size() + buffers.size());
  EXPECT_NE(heap.tracer()->Find(objects[0]), nullptr);
  heap.Verify();
  for (Object* o : objects) heap.Free(o);
  for (size_t i = 0; i < buffers.size(); ++i) heap.FreeBuffer(buffers[i], kSizes[i]);
  EXPECT_EQ(heap.tracer()->traced(), 0u);
  EXPECT_EQ(heap.tracer()->block_count(), 0u);
  EXPECT_EQ(heap.tracer()->peak(), sum);
  heap.Verify();
  heap.StopTracing();
  heap.Verify();
}

TEST(AllocTracerTest, BuffersAreFollowedThroughEveryChangeOfSize) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  ASSERT_TRUE(heap.StartTracing(1));
  size_t size = 8;
  void* p = heap.AllocateBuffer(size);
  for (size_t next : {10u, 20u, 500u, 513u, 5000u, 600u, 700u, 100u, 8u, 100000u}) {
    p = heap.ReallocateBuffer(p, size, next);
    size = next;
    ASSERT_EQ(heap.tracer()->traced(), size);
    ASSERT_EQ(heap.tracer()->block_count(), 1u);
    ASSERT_NE(heap.tracer()->Find(p), nullptr);
  }
  heap.FreeBuffer(p, size);
  EXPECT_EQ(heap.tracer()->traced(), 0u);
}

TEST(AllocTracerTest, RandomLivesKeepTheBooks) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  std::vector<std::pair<Object*, size_t>> objects(3000);
  uint32_t random = 4711;
  size_t sum = 0;
  for (int step = 0; step < 100000; ++step) {
    // On, off and on again in between.
    if (step == 20000 || step == 60000) {
      ASSERT_TRUE(heap.StartTracing(1));
      sum = 0;
      for (auto& [object, size] : objects) size = 0;  // unknown
      heap.Verify();
    }
    if (step == 50000) {
      heap.StopTracing();
      heap.Verify();
    }
    random = random * 1664525 + 1013904223;
    auto& [object, size] = objects[(random >> 8) % objects.size()];
    if (object) {
      heap.Free(object);
      object = nullptr;
      sum -= size;
    } else {
      size = 16 + (random >> 20) % 900;
      object = Make(heap, size, random & 1);
      sum += size;
    }
    if (heap.tracer() != nullptr) {
      ASSERT_EQ(heap.tracer()->traced(), sum);
    }
  }
  for (auto& [object, size] : objects) {
    if (object) heap.Free(object);
  }
  EXPECT_EQ(heap.tracer()->block_count(), 0u);
  heap.StopTracing();
  heap.Verify();
}

// Off means off: the inline path of Allocate serves again what Free has given back, without a
// refill, and Free takes its own inline path.
TEST(AllocTracerTest, NothingIsLeftBehindWhenItStops) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  const size_t before = heap.stats().bytes;
  ASSERT_TRUE(heap.StartTracing(25));
  Object* kept = Make(heap, 48);
  EXPECT_EQ(Page::Of(kept)->slow_at, UINT32_MAX);
  heap.StopTracing();
  heap.Free(kept);
  Object* first = Make(heap, 48);
  const uint64_t refills = heap.stats().refills;
  for (int i = 0; i < 1000; ++i) {
    Object* o = Make(heap, 48);
    EXPECT_LE(Page::Of(o)->slow_at, 1u);
    heap.Free(o);
  }
  EXPECT_EQ(heap.stats().refills, refills);
  heap.Free(first);
  EXPECT_LE(heap.stats().bytes, before + kPageSize);
}

TEST(AllocTracerTest, TablesAreChargedAndGivenBack) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  std::vector<Object*> objects;
  for (int i = 0; i < 20000; ++i) objects.push_back(Make(heap, 32));
  const size_t before = heap.stats().bytes;
  ASSERT_TRUE(heap.StartTracing(10));
  std::vector<void*> blocks;
  for (int i = 0; i < 20000; ++i) blocks.push_back(heap.AllocateBuffer(32));
  const size_t own = heap.tracer()->OwnBytes();
  EXPECT_GE(own, 20000u * 24);
  EXPECT_GE(heap.stats().bytes, before + own);
  for (void* p : blocks) heap.FreeBuffer(p, 32);
  heap.tracer()->Clear();
  EXPECT_LT(heap.tracer()->OwnBytes(), own / 10);
  heap.StopTracing();
  EXPECT_LE(heap.stats().bytes, before + kPageSize);
  for (Object* o : objects) heap.Free(o);
}

TEST(AllocTracerTest, WithoutMemoryForTheTableBlocksGoUntraced) {
  RuntimeConfig config = TestVm::FixedSeed();
  config.memory_limit = 4 << 20;
  TestVm vm(config);
  Heap& heap = vm.rt().heap;
  ASSERT_TRUE(heap.StartTracing(1));
  std::vector<void*> blocks;
  while (void* p = heap.AllocateBuffer(64)) blocks.push_back(p);
  EXPECT_GT(blocks.size(), heap.tracer()->block_count());
  EXPECT_EQ(heap.tracer()->traced(), heap.tracer()->block_count() * 64);
  EXPECT_LE(heap.stats().bytes, heap.limit());
  for (void* p : blocks) heap.FreeBuffer(p, 64);
  EXPECT_EQ(heap.tracer()->traced(), 0u);
  heap.StopTracing();
  EXPECT_FALSE(heap.StartTracing(AllocTracer::kMaxFrames) &&
               heap.WouldExceed(AllocTracer::kMaxFrames * sizeof(FramePlace)));
}

TEST(AllocTracerTest, WhatAThreadAllocatesInAPauseIsNotTraced) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  ASSERT_TRUE(heap.StartTracing(1));
  Object* traced = Make(heap, 64);
  Object* hidden;
  {
    AllocTracer::Pause pause(vm.ts());
    hidden = Make(heap, 64);
    heap.Free(traced);
  }
  EXPECT_EQ(heap.tracer()->Find(hidden), nullptr);
  EXPECT_EQ(heap.tracer()->traced(), 0u);
  heap.Free(hidden);
}

TEST(AllocTracerTest, OneTracebackIsKeptOnce) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  TraceStacks* stacks = TraceStacks::New(heap);
  Ref<StrObject> a = NewStr(vm.ts(), "a.src").Take(), same = NewStr(vm.ts(), "a.src").Take();
  ASSERT_NE(a.get(), same.get());
  FramePlace one[] = {{a.get(), 1}, {nullptr, 0}}, two[] = {{same.get(), 1}, {nullptr, 0}};
  const TraceStack* kept = stacks->Intern(one, 2, 2);
  EXPECT_EQ(stacks->Intern(two, 2, 2), kept);
  EXPECT_NE(stacks->Intern(two, 2, 3), kept);
  EXPECT_NE(stacks->Intern(two, 1, 1), kept);
  EXPECT_EQ(stacks->size(), 3u);
  for (uint32_t line = 0; line < 1000; ++line) {
    FramePlace place = {same.get(), line};
    EXPECT_EQ(stacks->Intern(&place, 1, 1)->frames[0].file, a.get());
  }
  EXPECT_EQ(a->refcount, 2u);
  EXPECT_EQ(same->refcount, 1u);
  stacks->Drop();
  EXPECT_EQ(a->refcount, 1u);
}

}  // namespace
}  // namespace minivm
