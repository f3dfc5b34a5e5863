// The host's interface at its edges: starts without memory, calls after the end, exceptions on
// their way through host functions.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

#include "minivm/minivm.h"
#include "tests/support/host_vm.h"

namespace minivm {
namespace {

// ---- little memory ----

TEST(VmTest, StartsOrSaysWhyNot) {
  int started = 0, refused = 0;
  for (bool streams : {false, true}) {
    for (size_t limit = 64 << 10; limit <= size_t{4} << 20; limit += 24 << 10) {
      VmConfig config;
      config.limits.memory = limit;
      config.streams.descriptors = streams;
      ScriptError error;
      std::unique_ptr<Vm> vm = Vm::Create(config, &error);
      if (!vm) {
        ++refused;
        EXPECT_EQ(error.type, "MemoryError") << limit << error.traceback;
        EXPECT_FALSE(Vm::Create(config)) << limit;
        continue;
      }
      Var sum = vm->Eval("1 + 1", &error);
      if (sum) {
        ++started;
        EXPECT_EQ(sum.ToInt(), 2);
      } else {
        EXPECT_EQ(error.type, "MemoryError") << limit;
      }
    }
  }
  EXPECT_GT(started, 0);
  EXPECT_GT(refused, 0);
}

// ---- after the end ----

TEST(VmTest, CallsAfterFinishFail) {
  std::unique_ptr<Vm> vm = NewHostVm();
  ASSERT_TRUE(
      vm->Run("def f(): return 1\nclass C:\n  def __repr__(self): return 'c'\nc = C()", "a.src"));
  Var f = vm->Get("f"), c = vm->Get("c"), i = vm->Int(7);
  ASSERT_TRUE(f && c && i);
  EXPECT_TRUE(vm->Finish());
  EXPECT_TRUE(vm->Finish());
  auto expect_late = [](bool done, ScriptError& error) {
    EXPECT_FALSE(done);
    EXPECT_EQ(error.type, "RuntimeError");
    EXPECT_EQ(error.message, "the VM has finished");
    error = ScriptError();
  };
  ScriptError error;
  expect_late(vm->Run("1", "b.src", &error), error);
  expect_late(vm->RunFile("/nowhere", &error), error);
  expect_late(vm->RunModule("this", &error), error);
  expect_late(vm->RunInteractive("1\n", &error) == Vm::Interactive::kDone, error);
  expect_late(bool(vm->Eval("1", &error)), error);
  expect_late(bool(vm->Import("sys", &error)), error);
  expect_late(bool(vm->Get("f", &error)), error);
  expect_late(vm->Set("f", i, &error), error);
  expect_late(vm->Bind(
                  "g", [](HostCall&) { return Var(); }, &error),
              error);
  expect_late(vm->Poll(&error), error);
  expect_late(bool(f.Call({}, &error)), error);
  expect_late(bool(f.GetAttr("__name__", &error)), error);
  expect_late(f.SetAttr("a", i, &error), error);
  EXPECT_FALSE(vm->Run("1", "b.src"));
  EXPECT_FALSE(vm->Get("f"));
  EXPECT_FALSE(vm->Set("f", i));
  EXPECT_FALSE(vm->Bind("g", [](HostCall&) { return Var(); }));
  EXPECT_FALSE(vm->PrependPath("/"));
  EXPECT_EQ(vm->ReportError(), 0);
  EXPECT_EQ(c.Repr(), "");
  EXPECT_EQ(i.ToInt(), 7);
  EXPECT_FALSE(vm->Str("a"));
  EXPECT_TRUE(vm->None().IsNone());
  Var copy = f;
}

TEST(VmTest, WhatEndsMayCallTheHost) {
  std::unique_ptr<Vm> vm = NewHostVm();
  std::string log;
  vm->Bind("note", [&log](HostCall& c) {
    log += c.arg(0).ToString();
    log += c.vm().Get("note") ? "+" : "-";
    ScriptError error;
    if (!c.vm().Run("1", "c.src", &error)) log += error.message + ";";
    return c.vm().Int(1);
  });
  ASSERT_TRUE(
      vm->Run("import atexit, sys\natexit.register(note, 'a')\n"
              "class D:\n  def __del__(self, note=note): note('d')\n"
              "sys.keep = D()\n",
              "a.src"));
  EXPECT_TRUE(vm->Finish());
  EXPECT_EQ(log, "a+d-the VM has finished;");
}

// ---- host functions ----

// What the script makes of function(f), where f raises what `statement` does.
std::string Through(Vm& vm, HostFunction function, const std::string& statement) {
  vm.Bind("host", std::move(function));
  ScriptError error;
  if (!vm.Run("def f():\n  " + statement +
                  "\ntry: got = repr(host(f))\nexcept BaseException as e: got = repr(e)",
              "a.src", &error)) {
    return error.traceback;
  }
  return vm.Get("got").ToString();
}

TEST(HostFunctionTest, ExceptionsGoThrough) {
  std::unique_ptr<Vm> vm = NewHostVm();
  auto call = [](HostCall& c) { return c.arg(0).Call(); };
  EXPECT_EQ(Through(*vm, call, "return 5"), "5");
  EXPECT_EQ(Through(*vm, call, "return None"), "None");
  EXPECT_EQ(Through(*vm, call, "raise ValueError('no')"), "ValueError('no')");
  EXPECT_EQ(Through(*vm, call, "raise KeyboardInterrupt"), "KeyboardInterrupt()");
  EXPECT_EQ(Through(*vm, call, "raise SystemExit(3)"), "SystemExit(3)");
  EXPECT_EQ(vm->ReportError(), 0);
  auto attribute = [](HostCall& c) { return c.arg(0).GetAttr("missing"); };
  EXPECT_EQ(Through(*vm, attribute, "pass"),
            "AttributeError(\"'function' object has no attribute 'missing'\")");
}

TEST(HostFunctionTest, ExceptionsDealtWithStay) {
  std::unique_ptr<Vm> vm = NewHostVm();
  EXPECT_EQ(Through(
                *vm,
                [](HostCall& c) {
                  Var r = c.arg(0).Call();
                  return r ? r : c.vm().Int(-1);
                },
                "raise ValueError"),
            "-1");
  EXPECT_EQ(Through(
                *vm,
                [](HostCall& c) {
                  c.arg(0).Call();
                  c.vm().DropError();
                  return Var();
                },
                "raise ValueError"),
            "None");
  EXPECT_EQ(Through(
                *vm,
                [](HostCall& c) {
                  ScriptError error;
                  c.arg(0).Call({}, &error);
                  return c.vm().Str(error.type);
                },
                "raise ValueError"),
            "'ValueError'");
  EXPECT_EQ(Through(
                *vm,
                [](HostCall& c) {
                  c.arg(0).Call();
                  return c.Raise("KeyError", "k");
                },
                "raise ValueError"),
            "KeyError('k')");
  EXPECT_EQ(vm->ReportError(), 0);
}

TEST(HostFunctionTest, TheOuterErrorComesBack) {
  std::unique_ptr<Vm> vm = NewHostVm();
  EXPECT_FALSE(vm->Run("raise LookupError", "a.src"));
  EXPECT_EQ(Through(
                *vm, [](HostCall& c) { return c.arg(0).Call(); }, "raise OSError"),
            "OSError()");
  EXPECT_TRUE(vm->LastErrorIs("LookupError"));
  // It is none of the function's.
  EXPECT_EQ(Through(
                *vm, [](HostCall&) { return Var(); }, "pass"),
            "None");
  EXPECT_TRUE(vm->LastErrorIs("LookupError"));
}

TEST(HostFunctionTest, CxxExceptionsAreTranslated) {
  std::unique_ptr<Vm> vm = NewHostVm();
  EXPECT_EQ(Through(
                *vm, [](HostCall&) -> Var { throw std::bad_alloc(); }, "pass"),
            "MemoryError()");
  EXPECT_EQ(Through(
                *vm, [](HostCall&) -> Var { throw std::runtime_error("full"); }, "pass"),
            "RuntimeError('host function failed: full')");
  EXPECT_EQ(Through(
                *vm, [](HostCall&) -> Var { throw 42; }, "pass"),
            "RuntimeError('host function failed: unknown C++ exception')");
}

// ---- conversions ----

TEST(VarTest, CheckedConversions) {
  std::unique_ptr<Vm> vm = NewHostVm();
  int64_t i = 5;
  double d = 5;
  bool b = true;
  std::string s = "5";
  EXPECT_TRUE(vm->Eval("-2 ** 63").ToInt(&i));
  EXPECT_EQ(i, INT64_MIN);
  EXPECT_FALSE(vm->Eval("2 ** 63").ToInt(&i));
  EXPECT_FALSE(vm->Eval("1.0").ToInt(&i));
  EXPECT_FALSE(Var().ToInt(&i));
  EXPECT_EQ(i, INT64_MIN);
  EXPECT_TRUE(vm->Eval("3").ToFloat(&d));
  EXPECT_EQ(d, 3);
  EXPECT_FALSE(vm->Eval("10 ** 400").ToFloat(&d));
  EXPECT_FALSE(vm->Eval("'1'").ToFloat(&d));
  EXPECT_EQ(d, 3);
  EXPECT_TRUE(vm->Eval("[]").Truth(&b));
  EXPECT_FALSE(b);
  EXPECT_TRUE(vm->Eval("1.5").ToString(&s));
  EXPECT_EQ(s, "1.5");
  ASSERT_TRUE(
      vm->Run("class C:\n  def __str__(self): raise OSError('x')\n"
              "  def __bool__(self): raise OSError('y')\n",
              "a.src"));
  Var c = vm->Eval("C()");
  ScriptError error;
  EXPECT_FALSE(c.ToString(&s, &error));
  EXPECT_EQ(error.message, "x");
  EXPECT_FALSE(c.Truth(&b, &error));
  EXPECT_EQ(error.message, "y");
  EXPECT_EQ(c.ToString(), "");
  EXPECT_EQ(vm->ReportError(), 0);
}

TEST(VarTest, UnknownNames) {
  std::unique_ptr<Vm> vm = NewHostVm();
  ScriptError error;
  EXPECT_FALSE(vm->Get("nothing", &error));
  EXPECT_EQ(error.message, "name 'nothing' is not defined");
  EXPECT_FALSE(vm->Get("nothing"));
  EXPECT_EQ(vm->ReportError(), 0);
}

}  // namespace
}  // namespace minivm
