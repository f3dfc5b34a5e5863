// The heap by itself: size classes, reuse, giving memory back, accounting, the cap.
#include "runtime/gc/heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/test_vm.h"

namespace minivm {
namespace {

Object* Make(Heap& heap, size_t size, bool container = false) {
  Object* o = static_cast<Object*>(heap.Allocate(size, container));
  if (o) *o = {1, ShapeIdOf(TypeId::kObject), 0, 0};
  return o;
}

TEST(HeapTest, SizeClassesHoldTheirSizes) {
  for (size_t size = 1; size <= kMediumLimit; ++size) {
    int c = Heap::SizeClassOf(size);
    ASSERT_GE(c, 0);
    ASSERT_LT(c, kNumSizeClasses);
    ASSERT_GE(Heap::SizeOfClass(c), size);
    if (c > 0) {
      ASSERT_LT(Heap::SizeOfClass(c - 1), size);
    }
    ASSERT_EQ(Heap::SizeOfClass(c) % 16, 0u);
  }
}

TEST(HeapTest, FreedMemoryIsReusedFirst) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  Object* a = Make(heap, 48);
  heap.Free(a);
  EXPECT_EQ(Make(heap, 48), a);
  heap.Free(a);
}

TEST(HeapTest, ObjectsOfOnePageFindTheirHeap) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  for (size_t size : {16, 500, 600, 8192, 8193, 100000, 3000000}) {
    Object* o = Make(heap, size, true);
    ASSERT_NE(o, nullptr);
    EXPECT_EQ(Heap::Of(o), &heap);
    EXPECT_TRUE(Page::Of(o)->container);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(o) % 16, 0u);
    heap.Free(o);
  }
}

TEST(HeapTest, EmptyPagesGoBack) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  size_t before = heap.stats().bytes;
  std::vector<Object*> objects;
  for (int i = 0; i < 200000; ++i) objects.push_back(Make(heap, 64, i % 2));
  EXPECT_GT(heap.stats().bytes, before + 198000 * 64);
  heap.Verify();
  for (Object* o : objects) heap.Free(o);
  heap.Verify();
  EXPECT_LT(heap.stats().bytes, before + 4 * kPageSize);
}

TEST(HeapTest, MixedFreeOrderKeepsThePagesConsistent) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  std::vector<Object*> objects(5000, nullptr);
  uint32_t random = 12345;
  for (int step = 0; step < 200000; ++step) {
    random = random * 1664525 + 1013904223;
    Object*& slot = objects[(random >> 8) % objects.size()];
    if (slot) {
      heap.Free(slot);
      slot = nullptr;
    } else {
      slot = Make(heap, 16 + (random >> 20) % 900, random & 1);
    }
  }
  heap.Verify();
  for (Object* o : objects) {
    if (o) heap.Free(o);
  }
  heap.Verify();
}

TEST(HeapTest, BuffersKeepTheirContents) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  size_t before = heap.stats().bytes;
  size_t size = 8;
  char* p = static_cast<char*>(heap.AllocateBuffer(size));
  for (size_t i = 0; i < size; ++i) p[i] = static_cast<char>(i);
  for (size_t next : {20u, 500u, 513u, 5000u, 600u, 100u, 8u}) {
    p = static_cast<char*>(heap.ReallocateBuffer(p, size, next));
    size = next;
    for (size_t i = 0; i < 8; ++i) ASSERT_EQ(p[i], static_cast<char>(i));
  }
  heap.FreeBuffer(p, size);
  heap.Verify();
  EXPECT_LE(heap.stats().bytes, before + 4 * kPageSize);
}

// Those of a megabyte and more are mapped: contents survive each way across the border.
TEST(HeapTest, LargeBuffersKeepTheirContents) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  const size_t before = heap.stats().bytes;
  constexpr size_t kMega = size_t{1} << 20;
  size_t size = 100'000;
  char* p = static_cast<char*>(heap.AllocateBuffer(size));
  for (size_t i = 0; i < size; ++i) p[i] = static_cast<char>(i * 7);
  for (size_t next : {kMega, 3 * kMega, 3 * kMega + 1, 64 * kMega, 2 * kMega, kMega - 1, size}) {
    p = static_cast<char*>(heap.ReallocateBuffer(p, size, next));
    size = next;
    p[size - 1] = 1;
    for (size_t i = 0; i < 99'999; ++i) ASSERT_EQ(p[i], static_cast<char>(i * 7));
  }
  heap.FreeBuffer(p, size);
  EXPECT_EQ(heap.stats().bytes, before);
}

size_t CountMappings() {
  size_t n = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) ++n;
  return n;
}

// A process may have some 65 000 mappings: large objects are not to need one each.
#ifndef MVM_ASAN  // under which the C library has all buffers
TEST(HeapTest, MappedBuffersServeTheNext) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  constexpr size_t kMega = size_t{1} << 20;
  const size_t before = heap.stats().bytes;
  void* first = heap.AllocateBuffer(3 * kMega);
  ASSERT_NE(first, nullptr);
  heap.FreeBuffer(first, 3 * kMega);
  EXPECT_EQ(heap.stats().bytes, before);
  void* second = heap.AllocateBuffer(2 * kMega);  // the front of the first
  EXPECT_EQ(second, first);
  heap.FreeBuffer(second, 2 * kMega);
  void* longer = heap.AllocateBuffer(2 * kMega + 1);  // longer than what is left
  ASSERT_NE(longer, nullptr);
  std::memset(longer, 1, 2 * kMega + 1);
  void* shorter = heap.AllocateBuffer(kMega);
  EXPECT_EQ(shorter, first);
  heap.FreeBuffer(longer, 2 * kMega + 1);
  heap.FreeBuffer(shorter, kMega);
  EXPECT_EQ(heap.stats().bytes, before);
}

TEST(HeapTest, FewBuffersAreKept) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  constexpr size_t kSize = size_t{1} << 20;
  void* buffers[8];
  for (void*& b : buffers) b = heap.AllocateBuffer(kSize);
  for (void* b : buffers) heap.FreeBuffer(b, kSize);
  for (int i = 7; i >= 4; --i) EXPECT_EQ(heap.AllocateBuffer(kSize), buffers[i]);
  for (int i = 7; i >= 4; --i) heap.FreeBuffer(buffers[i], kSize);
}
#endif

TEST(HeapTest, LargeObjectsShareMappings) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  const size_t before = CountMappings();
  std::vector<Object*> objects;
  for (int i = 0; i < 1000; ++i) {
    objects.push_back(Make(heap, 9000 + static_cast<size_t>(i) * 100, i % 2));
    ASSERT_NE(objects.back(), nullptr);
  }
  EXPECT_LT(CountMappings(), before + 200);  // sanitizers need some as well
  for (size_t i = 0; i < objects.size(); i += 2) heap.Free(objects[i]);
  for (size_t i = 1; i < objects.size(); i += 2) heap.Free(objects[i]);
  heap.Verify();
}

TEST(HeapTest, CapRefusesAndRecovers) {
  RuntimeConfig config = TestVm::FixedSeed();
  config.memory_limit = 4 << 20;
  TestVm vm(config);
  Heap& heap = vm.rt().heap;
  std::vector<Object*> objects;
  while (Object* o = Make(heap, 4096)) objects.push_back(o);
  EXPECT_LE(heap.stats().bytes, heap.limit());
  EXPECT_GT(objects.size(), 500u);
  EXPECT_EQ(heap.AllocateBuffer(1 << 20), nullptr);
  EXPECT_TRUE(heap.WouldExceed(1 << 20));
  for (Object* o : objects) heap.Free(o);
  void* p = heap.AllocateBuffer(1 << 20);
  EXPECT_NE(p, nullptr);
  heap.FreeBuffer(p, 1 << 20);
}

TEST(HeapTest, SizesBeyondReasonAreRefused) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  EXPECT_EQ(heap.Allocate(SIZE_MAX - 100, false), nullptr);
  EXPECT_EQ(heap.AllocateBuffer(SIZE_MAX - 100), nullptr);
  EXPECT_EQ(heap.AllocateBuffer(Heap::kMaxAllocation + 1), nullptr);
}

TEST(HeapTest, AnAllocationCanBeMadeToFail) {
  TestVm vm;
  Heap& heap = vm.rt().heap;
  heap.FailAfter(2);
  Object* a = Make(heap, 32);
  Object* b = Make(heap, 32);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(b, nullptr);
  EXPECT_EQ(Make(heap, 32), nullptr);
  Object* c = Make(heap, 32);
  EXPECT_NE(c, nullptr);
  for (Object* o : {a, b, c}) heap.Free(o);
  heap.Verify();
}

}  // namespace
}  // namespace minivm
