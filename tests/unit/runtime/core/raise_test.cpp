// Messages, contexts, errors without memory.
#include <gtest/gtest.h>

#include <cerrno>

#include "runtime/core/thread_state.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

std::string Text(TestVm& vm, Result<StrObject> r) {
  if (r.raised()) return vm.TakeError();
  Ref<StrObject> s = r.Take();
  return ToUtf8(s);
}

TEST(RaiseTest, Directives) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<StrObject> euro = NewStr(ts, "\xE2\x82\xAC\xE2\x82\xAC");
  EXPECT_EQ(Text(vm, Format(ts, "%s %d %u%%", "a", -3, 7u)), "a -3 7%");
  EXPECT_EQ(Text(vm, Format(ts, "%zu %zd %lld %lu", size_t{5}, ptrdiff_t{-6}, -7LL, 8UL)),
            "5 -6 -7 8");
  EXPECT_EQ(Text(vm, Format(ts, "%02x %c %.*s %.2s", 10, 'z', 3, "abcdef", "xyz")), "0a z abc xy");
  EXPECT_EQ(Text(vm, Format(ts, "%T %U %.1U", Value::Int(1), euro.value(), euro.value())),
            "int \xE2\x82\xAC\xE2\x82\xAC \xE2\x82\xAC");
  EXPECT_EQ(
      Text(vm, Format(ts, "%R %S %N", Value(euro), Value::Int(5), ExcType(ts, Exc::kOSError))),
      "'\xE2\x82\xAC\xE2\x82\xAC' 5 OSError");
}

TEST(RaiseTest, RaisesTheTypeWithTheText) {
  TestVm vm;
  (void)Raise(vm.ts(), Exc::kTypeError, "bad %d", 5);
  EXPECT_EQ(vm.TakeError(), "TypeError: bad 5");
  (void)RaiseNoMessage(vm.ts(), Exc::kKeyboardInterrupt);
  EXPECT_EQ(vm.TakeError(), "KeyboardInterrupt");
  (void)RaiseKeyError(vm.ts(), Value::Int(3));
  EXPECT_EQ(vm.TakeError(), "KeyError: 3");
  (void)RaiseErrno(vm.ts(), ENOENT);
  EXPECT_EQ(vm.TakeError(), "FileNotFoundError: [Errno 2] No such file or directory");
}

TEST(RaiseTest, ContextIsWhatIsBeingHandledWithoutRings) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  Ref<> a = NewException(ts, Exc::kValueError, Value());
  Ref<> b = NewException(ts, Exc::kTypeError, Value());
  Ref<> handled_b = b;
  // a is the context of b; raising a while b is handled must cut that link.
  Incref(a);
  b.as<ExceptionObject>()->context = a;
  ts.own_handled.value = b;
  (void)RaiseObject(ts, a);
  EXPECT_TRUE(a.as<ExceptionObject>()->context.is(b));
  EXPECT_TRUE(b.as<ExceptionObject>()->context.is_null());
  ts.own_handled.value = Value();
  ClearPending(ts);
}

TEST(RaiseTest, MemoryErrorNeedsNoMemory) {
  TestVm vm;
  vm.rt().heap.FailAfter(0);
  (void)RaiseMemoryError(vm.ts());
  EXPECT_EQ(vm.TakeError(), "MemoryError");
}

TEST(RaiseTest, EveryExceptionTypeCanBeMade) {
  TestVm vm;
  ThreadState& ts = vm.ts();
  for (uint32_t i = 0; i < kExcCount; ++i) {
    TypeObject* type = vm.rt().exceptions[i];
    EXPECT_TRUE(type->has_flag(kTypeExceptionSubclass)) << type->spec->name;
    if (type->spec->size == sizeof(UnicodeErrorObject) ||
        type->spec->size == sizeof(ExceptionGroupObject))
      continue;
    Ref<> e = NewException(ts, static_cast<Exc>(i), Value::Int(1));
    EXPECT_EQ(TypeOf(ts, e), type);
  }
  EXPECT_FALSE(ts.HasPending());
}

}  // namespace
}  // namespace minivm
