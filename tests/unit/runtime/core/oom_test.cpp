// Every allocation of start-up work can fail: a MemoryError comes out, nothing breaks or leaks.
#include <gtest/gtest.h>

#include "runtime/core/thread_state.h"
#include "runtime/gc/collector.h"
#include "runtime/gc/gc_debug.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/protocol.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

// Runs `work` with the n-th allocation failing, for growing n, until it gets through.
template <class Work>
void FailEverywhere(Work work) {
  for (int n = 0; n < 20000; ++n) {
    TestVm vm;
    vm.rt().heap.FailAfter(n);
    Status status = work(vm.ts());
    vm.rt().heap.FailAfter(-1);
    if (!status.raised()) {
      ASSERT_FALSE(vm.ts().HasPending());
      return;
    }
    ASSERT_EQ(vm.TakeError(), "MemoryError") << "allocation " << n;
    if (n % 16 == 0) {
      vm.rt().heap.collector().Collect(vm.ts(), 2);
      VerifyHeap(vm.rt());
    }
  }
  FAIL() << "never gets through";
}

TEST(OutOfMemoryTest, TypesBecomeReady) {
  for (TypeId id : {TypeId::kObject, TypeId::kList, TypeId::kStr, TypeId::kWeakProxy}) {
    FailEverywhere([id](ThreadState& ts) -> Status { return TypeReady(ts, TypeById(ts, id)); });
  }
  FailEverywhere(
      [](ThreadState& ts) -> Status { return TypeReady(ts, ExcType(ts, Exc::kExceptionGroup)); });
}

TEST(OutOfMemoryTest, Exceptions) {
  FailEverywhere([](ThreadState& ts) -> Status {
    MVM_TRY_VOID(
        TypeReady(ts, ExcType(ts, Exc::kExceptionGroup)));  // lookups do not report failure
    MVM_TRY(Ref<> e, NewException(ts, Exc::kOSError, Value::Int(1)));
    MVM_TRY(Ref<StrObject> text, Repr(ts, e));
    MVM_TRY(Ref<> inner, NewException(ts, Exc::kValueError, text));
    Value items[] = {inner};
    MVM_TRY(Ref<TupleObject> members, NewTuple(ts, items));
    MVM_TRY(Ref<StrObject> message, NewStr(ts, "several of them"));
    MVM_TRY(Ref<> group, Call(ts, ExcType(ts, Exc::kExceptionGroup), message, members));
    Ref<> match, rest;
    MVM_TRY_VOID(SplitException(ts, group, ExcType(ts, Exc::kValueError), &match, &rest));
    return Ok();
  });
}

TEST(OutOfMemoryTest, Modules) {
  FailEverywhere([](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "some_module"));
    MVM_TRY(Ref<ModuleObject> m, NewModule(ts, name));
    MVM_TRY_VOID(ModuleAdd(ts, m, "answer", Value::Int(42)));
    MVM_TRY(Ref<> answer, GetAttr(ts, m, "answer"));
    MVM_TRY(Ref<StrObject> text, Repr(ts, m));
    return Ok();
  });
}

TEST(OutOfMemoryTest, WeakReferences) {
  FailEverywhere([](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "target"));
    MVM_TRY(Ref<ModuleObject> target, NewModule(ts, name));
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
    for (int i = 0; i < 20; ++i) {
      MVM_TRY(Ref<> ref, NewWeakref(ts, nullptr, target, TypeById(ts, TypeId::kType)));
      MVM_TRY_VOID(ListAppend(ts, list, ref));
    }
    MVM_TRY(Ref<> proxy, NewWeakProxy(ts, target, Value()));
    MVM_TRY(Ref<> again, GetAttr(ts, proxy, "__name__"));
    return Ok();
  });
}

}  // namespace
}  // namespace minivm
