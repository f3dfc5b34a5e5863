// A VM for unit tests. See test_vm.h.
#include "tests/support/test_vm.h"

#include "runtime/gc/collector.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/check.h"

namespace minivm {

TestVm::TestVm(const RuntimeConfig& config) : rt_(new RuntimeState()) {
  bool ok = rt_->Init(config);
  MVM_CHECK(ok, "a VM for tests can be made");
  SetCStackLimit(*rt_->main_thread);
}

TestVm::~TestVm() { delete rt_; }

std::string TestVm::TakeError() {
  ThreadState& t = ts();
  if (!t.HasPending()) return "";
  Ref<> exception = TakePending(t);
  char name[128];
  std::string text(name, TypeDisplayName(TypeOf(t, exception), name, sizeof(name)));
  Result<StrObject> message = ToStr(t, exception);
  if (message.raised()) {
    ClearPending(t);
    return text + ": ?";
  }
  Ref<StrObject> s = message.Take();
  return s->length ? text + ": " + ToUtf8(s) : text;
}

std::string TestVm::Repr(Value v) {
  Result<StrObject> r = minivm::Repr(ts(), v);
  if (r.raised()) return TakeError();
  Ref<StrObject> s = r.Take();
  return ToUtf8(s);
}

size_t TestVm::TrackedObjects() {
  size_t n = 0;
  rt_->heap.collector().ForEachTracked(-1, [&](Object*) { ++n; });
  return n;
}

}  // namespace minivm
