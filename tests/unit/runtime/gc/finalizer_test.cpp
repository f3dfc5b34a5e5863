// Ends of lives: finalizers, resurrection, weak references, deep structures.
#include "runtime/gc/finalizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/gc/collector.h"
#include "runtime/gc/gc_debug.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/weakref_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

// A container with one reference whose finalizer writes to a log, and may save the object.
struct Log {
  std::vector<int64_t> ids;
  Ref<> saved;
  bool save = false;
  bool raise = false;
};

class ProbeObject : public Object {
 public:
  Log* log = nullptr;
  int64_t id = 0;
  Value child;
  template <class V>
  void VisitRefs(V&& v) {
    v(child);
  }
};

Status ProbeFinalize(ThreadState& ts, Value self) {
  ProbeObject* p = self.as<ProbeObject>();
  p->log->ids.push_back(p->id);
  if (p->log->save) p->log->saved = Ref<>::Borrow(self);
  if (p->log->raise) return Raise(ts, Exc::kValueError, "in a finalizer");
  return Ok();
}

const TypeSpec kProbeType = {
    .name = "Probe",
    .flags = kTypeNoNew | kTypeWeakrefs,
    .size = sizeof(ProbeObject),
    .gc = GcHooksOf<ProbeObject>(),
    .slots = {.finalize = ProbeFinalize},
};

class FinalizerTest : public testing::Test {
 protected:
  Ref<ProbeObject> Make(int64_t id, Value child = Value()) {
    TypeObject* type = TypeForSpec(ts(), kProbeType).Take();
    EXPECT_FALSE(TypeReady(ts(), type).raised());
    Ref<ProbeObject> p = New<ProbeObject>(ts(), type->shape_id_exact);
    p->log = &log_;
    p->id = id;
    Incref(child);
    p->child = child;
    Track(p);
    return p;
  }
  ThreadState& ts() { return vm_.ts(); }
  Collector& gc() { return vm_.rt().heap.collector(); }

  Log log_;
  TestVm vm_;
};

TEST_F(FinalizerTest, RunsWithTheLastReference) {
  Ref<ProbeObject> p = Make(1);
  Ref<ProbeObject> q = p;
  p = Ref<ProbeObject>();
  EXPECT_TRUE(log_.ids.empty());
  q = Ref<ProbeObject>();
  EXPECT_EQ(log_.ids, std::vector<int64_t>{1});
}

TEST_F(FinalizerTest, OuterBeforeInner) {
  { Ref<ProbeObject> p = Make(1, Make(2, Make(3))); }
  EXPECT_EQ(log_.ids, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(FinalizerTest, ResurrectedOnce) {
  log_.save = true;
  { Ref<ProbeObject> p = Make(1); }
  ASSERT_EQ(log_.ids.size(), 1u);
  EXPECT_EQ(log_.saved.object()->refcount, 1u);
  EXPECT_TRUE(log_.saved.object()->gc & kGcTracked);
  log_.saved = Ref<>();
  EXPECT_EQ(log_.ids.size(), 1u);
}

TEST_F(FinalizerTest, ErrorsLeaveThePendingExceptionAlone) {
  log_.raise = true;
  Ref<ProbeObject> p = Make(1);
  (void)Raise(ts(), Exc::kKeyError, "pending");
  p = Ref<ProbeObject>();
  EXPECT_EQ(vm_.TakeError(), "KeyError: 'pending'");
  EXPECT_EQ(log_.ids.size(), 1u);
}

TEST_F(FinalizerTest, LongChains) {
  constexpr int kLength = 100000;
  {
    Ref<ProbeObject> p = Make(0);
    for (int i = 1; i < kLength; ++i) p = Make(i, p);
  }
  ASSERT_EQ(log_.ids.size(), static_cast<size_t>(kLength));
  EXPECT_EQ(log_.ids.front(), kLength - 1);
  EXPECT_EQ(log_.ids.back(), 0);
  VerifyHeap(vm_.rt());
}

TEST_F(FinalizerTest, GarbageIsFinalizedOnceAndResurrectedWhole) {
  {
    Ref<ProbeObject> a = Make(1);
    Ref<ProbeObject> b = Make(2, a);
    Incref(b.value());
    a->child = b;
  }
  log_.save = true;
  EXPECT_EQ(gc().Collect(ts(), 2), 0);
  EXPECT_EQ(log_.ids.size(), 2u);
  ProbeObject* kept = log_.saved.as<ProbeObject>();
  EXPECT_EQ(kept->child.as<ProbeObject>()->child.object(), kept);
  log_.saved = Ref<>();
  EXPECT_EQ(gc().Collect(ts(), 2), 2);
  EXPECT_EQ(log_.ids.size(), 2u);
  VerifyHeap(vm_.rt());
}

Result<> CountCall(ThreadState& ts, Args args) {
  // Called with the dead reference.
  WeakrefObject* ref = args.as<WeakrefObject>(1);
  EXPECT_EQ(ref->target, nullptr);
  MVM_TRY_VOID(ListAppend(ts, args.as<ListObject>(0), Value::Int(1)));
  return None(ts);
}
const MethodSpec kCountCall = {"count(self, ref, /)", CountCall};

TEST_F(FinalizerTest, WeakReferencesDieBeforeTheirCallbacks) {
  Ref<ListObject> calls = NewListReserve(ts(), 4);
  Ref<NativeFunctionObject> callback = NewNativeFunction(ts(), kCountCall, calls, true, nullptr);
  Ref<ProbeObject> p = Make(1);
  Ref<> plain = NewWeakref(ts(), nullptr, p, Value());
  Ref<> first = NewWeakref(ts(), nullptr, p, callback);
  Ref<> second = NewWeakref(ts(), nullptr, p, callback);
  { Ref<> dropped = NewWeakref(ts(), nullptr, p, callback); }
  EXPECT_EQ(CountWeakrefs(vm_.rt(), p), 3);
  p = Ref<ProbeObject>();
  EXPECT_EQ(calls->size, 2u);
  Ref<> target = WeakrefTarget(ts(), plain.as<WeakrefObject>());
  EXPECT_TRUE(IsNone(ts(), target));
}

TEST_F(FinalizerTest, CallbacksOfGarbageAreNotCalled) {
  Ref<ListObject> calls = NewListReserve(ts(), 4);
  Ref<NativeFunctionObject> callback = NewNativeFunction(ts(), kCountCall, calls, true, nullptr);
  Ref<> outside;
  {
    Ref<ProbeObject> p = Make(1);
    Ref<ListObject> list = NewListReserve(ts(), 2);
    Incref(list.value());
    p->child = list;
    ASSERT_FALSE(ListAppend(ts(), list, p).raised());
    Ref<> inside = NewWeakref(ts(), nullptr, p, callback);
    ASSERT_FALSE(ListAppend(ts(), list, inside).raised());
    outside = NewWeakref(ts(), nullptr, p, callback);
  }
  EXPECT_GE(gc().Collect(ts(), 2), 2);
  EXPECT_EQ(calls->size, 1u);
  VerifyHeap(vm_.rt());
}

TEST_F(FinalizerTest, ManyWeakReferences) {
  std::vector<Ref<ProbeObject>> objects;
  std::vector<Ref<>> refs;
  for (int i = 0; i < 5000; ++i) {
    objects.push_back(Make(i));
    refs.push_back(NewWeakref(ts(), nullptr, objects.back(), Value()));
  }
  for (int i = 0; i < 5000; i += 2) objects[i] = Ref<ProbeObject>();
  for (int i = 0; i < 5000; ++i) {
    Ref<> target = WeakrefTarget(ts(), refs[i].as<WeakrefObject>());
    EXPECT_EQ(IsNone(ts(), target), i % 2 == 0);
  }
  refs.clear();
  for (int i = 1; i < 5000; i += 2) EXPECT_FALSE(objects[i]->gc & kGcHasWeakrefs);
}

}  // namespace
}  // namespace minivm
