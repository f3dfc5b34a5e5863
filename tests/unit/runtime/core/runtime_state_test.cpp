// Making VMs: the singletons, what it costs, several at once.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "runtime/core/thread_state.h"
#include "runtime/objects/str_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

TEST(RuntimeStateTest, SingletonsHaveTheirTypes) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  EXPECT_EQ(TypeOf(ts, vm.rt().none), TypeById(ts, TypeId::kNoneType));
  EXPECT_EQ(TypeOf(ts, vm.rt().true_), TypeById(ts, TypeId::kBool));
  EXPECT_EQ(TypeOf(ts, vm.rt().empty_tuple), TypeById(ts, TypeId::kTuple));
  EXPECT_EQ(TypeOf(ts, Value::Int(1)), TypeById(ts, TypeId::kInt));
  EXPECT_EQ(TypeOf(ts, TypeById(ts, TypeId::kInt)), TypeById(ts, TypeId::kType));
  EXPECT_EQ(ExcType(ts, Exc::kKeyError)->base, ExcType(ts, Exc::kLookupError));
}

TEST(RuntimeStateTest, ImmortalsAreRestored) {
  TestVm vm;
  Object* none = vm.rt().none;
  none->refcount = 1;
  Decref(none);
  EXPECT_EQ(none->refcount, kImmortalRefcount);
  StrObject* a = vm.rt().latin1[+'a'];
  a->refcount = 1;
  Decref(a);
  EXPECT_EQ(a->refcount, kImmortalRefcount);
  TypeObject* type = TypeById(vm.ts(), TypeId::kInt);
  type->refcount = 1;
  Decref(type);
  EXPECT_EQ(type->refcount, kImmortalRefcount);
}

TEST(RuntimeStateTest, InternedStringsAreUniqueAndDie) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  {
    Ref<StrObject> a = InternUtf8(ts, "some_name");
    Ref<StrObject> b = NewStr(ts, "some_name");
    EXPECT_NE(a.get(), b.get());
    Ref<StrObject> c = Intern(ts, b);
    EXPECT_EQ(a.get(), c.get());
    Ref<StrObject> wide = NewStr(ts, "\xE2\x82\xAC uro");
    Ref<StrObject> i1 = Intern(ts, wide);
    Ref<StrObject> i2 = InternUtf8(ts, "\xE2\x82\xAC uro");
    EXPECT_EQ(i1.get(), i2.get());
  }
  Ref<StrObject> again = InternUtf8(ts, "some_name");
  EXPECT_TRUE(again->interned());
  Ref<StrObject> x = InternUtf8(ts, "x");
  EXPECT_EQ(x.get(), vm.rt().latin1[+'x']);
  Ref<StrObject> init = InternUtf8(ts, "__init__");
  EXPECT_EQ(init.get(), MVM_NAME(ts, __init__));
}

TEST(RuntimeStateTest, VmsAreCheap) {
  { TestVm warm; }
  auto start = std::chrono::steady_clock::now();
  constexpr int kRounds = 20;
  size_t bytes = 0;
  for (int i = 0; i < kRounds; ++i) {
    TestVm vm;
    bytes = vm.rt().heap.stats().bytes;
  }
  auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
                    std::chrono::steady_clock::now() - start)
                    .count() /
                kRounds;
  RecordProperty("micros", static_cast<int>(micros));
  RecordProperty("bytes", static_cast<int>(bytes));
  std::printf("a VM: %lld us, %zu KB of address space\n", static_cast<long long>(micros),
              bytes / 1024);
  EXPECT_LT(micros, 5000);  // generous: sanitizers, other load
}

TEST(RuntimeStateTest, TooLittleMemoryIsReported) {
  for (size_t kilobytes = 0; kilobytes < 512; kilobytes += 16) {
    RuntimeConfig config = TestVm::FixedSeed();
    config.memory_limit = kilobytes * 1024 + 1;
    RuntimeState rt;
    (void)rt.Init(config);
  }
}

TEST(RuntimeStateTest, SmallCStacksWork) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 * 1024);
  pthread_t thread;
  auto body = [](void*) -> void* {
    TestVm vm;
    char* here = static_cast<char*>(__builtin_frame_address(0));
    EXPECT_LT(vm.ts().cstack_limit, here);
    EXPECT_GT(here - vm.ts().cstack_limit, 48 * 1024);
    EXPECT_LT(here - vm.ts().cstack_limit, 256 * 1024);
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attr, body, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attr);
}

TEST(RuntimeStateTest, SeveralVmsAtOnce) {
  std::thread threads[4];
  for (std::thread& t : threads) {
    t = std::thread([] {
      for (int i = 0; i < 5; ++i) {
        TestVm vm;
        Ref<StrObject> s = NewStr(vm.ts(), "text of this VM");
        EXPECT_EQ(vm.Repr(s), "'text of this VM'");
      }
    });
  }
  for (std::thread& t : threads) t.join();
}

}  // namespace
}  // namespace minivm
