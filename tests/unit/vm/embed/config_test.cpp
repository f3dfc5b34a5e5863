// What a host chooses for its VM (output, modules) and the waking of scripts that wait.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "minivm/minivm.h"

namespace minivm {
namespace {

std::unique_ptr<Vm> NewVm(VmConfig config) {
  config.streams.descriptors = false;
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(config, &error);
  EXPECT_TRUE(vm) << error.traceback;
  return vm;
}

// ---- streams ----

TEST(VmConfigTest, OutputGoesToTheHost) {
  std::string out, err;
  VmConfig config;
  config.streams.write_out = [&](std::string_view text) { out += text; };
  config.streams.write_error = [&](std::string_view text) { err += text; };
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  ASSERT_TRUE(
      vm->Run("import sys\nprint('gr\\u00fcn', 1)\nprint('bad', file=sys.stderr)\n"
              "n = sys.stdout.write('\\udc80')",
              "a.src", &error))
      << error.traceback;
  EXPECT_EQ(out, "gr\xC3\xBCn 1\n\\udc80");
  EXPECT_EQ(err, "bad\n");
  EXPECT_EQ(vm->Get("n").ToInt(), 1);
  EXPECT_FALSE(vm->Run("1 / 0", "b.src"));
  EXPECT_EQ(vm->ReportError(), 1);
  EXPECT_NE(err.find("ZeroDivisionError"), err.npos);
}

TEST(VmConfigTest, OneStreamAlone) {
  std::string out;
  VmConfig config;
  config.streams.write_out = [&](std::string_view text) { out += text; };
  std::unique_ptr<Vm> vm = NewVm(config);
  EXPECT_TRUE(vm->Run("import sys\nprint(sys.stderr, sys.__stdout__ is sys.stdout)", "a.src"));
  EXPECT_EQ(out, "None True\n");
}

// ---- modules ----

TEST(VmConfigTest, ModulesAreTheHostsChoice) {
  VmConfig config;
  config.modules.allow = [](std::string_view name) {
    return name != "socket" && name != "_socket" && name != "subprocess";
  };
  config.modules.find = [](std::string_view name, std::string* source) {
    if (name != "settings") return false;
    *source = "colour = 'red'\ndef fail(): raise KeyError(1)\n";
    return true;
  };
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  EXPECT_TRUE(vm->Run("import settings, json\nc = settings.colour", "a.src", &error))
      << error.traceback;
  EXPECT_EQ(vm->Get("c").ToString(), "red");
  for (const char* name : {"socket", "subprocess"}) {
    EXPECT_FALSE(vm->Import(name, &error));
    EXPECT_EQ(error.type, "ModuleNotFoundError");
    EXPECT_EQ(error.message, std::string("No module named '") + name + "'");
  }
  EXPECT_FALSE(vm->Run("settings.fail()", "b.src", &error));
  EXPECT_NE(error.traceback.find("<host:settings>"), std::string::npos) << error.traceback;
  // Another VM is asked nothing.
  EXPECT_TRUE(NewVm({})->Import("socket"));
}

TEST(VmConfigTest, LimitsAndFlagsAreApart) {
  VmConfig config;
  config.limits.memory = 32 << 20;
  config.flags.optimize = 1;
  config.flags.warn_default_encoding = true;
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  EXPECT_TRUE(
      vm->Run("assert False\nimport sys\nf = sys.flags\n"
              "both = f.optimize, f.warn_default_encoding",
              "a.src", &error))
      << error.traceback;
  EXPECT_EQ(vm->Get("both").Repr(), "(1, 1)");
  EXPECT_FALSE(vm->Run("x = bytes(64 << 20)", "b.src", &error));
  EXPECT_EQ(error.type, "MemoryError");
}

// ---- waking ----

// Each of them would wait for ever, or a minute.
class InterruptTest : public testing::TestWithParam<const char*> {};

TEST_P(InterruptTest, WakesWhatWaits) {
  std::unique_ptr<Vm> vm = NewVm({});
  ScriptError error;
  ASSERT_TRUE(
      vm->Run("import os, sys, time, select, socket, signal, subprocess, _thread\n"
              "r, w = os.pipe()\n"
              "a, b = socket.socketpair()\n"
              "lock = _thread.allocate_lock()\nlock.acquire()\n",
              "a.src", &error))
      << error.traceback;
  std::thread host([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    vm->Interrupt();
  });
  auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(vm->Run(GetParam(), "b.src", &error));
  host.join();
  EXPECT_EQ(error.type, "KeyboardInterrupt") << error.traceback;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

INSTANTIATE_TEST_SUITE_P(
    Waits, InterruptTest,
    testing::Values(
        "time.sleep(60)", "select.select([r], [], [])",
        "p = select.poll()\np.register(r)\np.poll()",
        "e = select.epoll()\ne.register(r, select.EPOLLIN)\ne.poll()", "os.read(r, 1)",
        "open(r, 'rb').read(1)", "open(r).readline()", "a.recv(1)", "a.makefile('rb').read(1)",
        "lock.acquire()", "os.eventfd_read(os.eventfd(0))", "os.readv(r, [bytearray(1)])",
        "signal.sigtimedwait([signal.SIGUSR1], 60)", "signal.pause()",
        "p = subprocess.Popen(['sleep', '60'])\ntry: os.waitpid(p.pid, 0)\nfinally: p.kill(); "
        "p.wait()",
        "p = subprocess.Popen(['sleep', '60'])\ntry: os.wait()\nfinally: p.kill(); p.wait()",
        "p = subprocess.Popen(['sleep', '60'])\ntry: os.waitid(os.P_ALL, 0, os.WEXITED)\nfinally: "
        "p.kill(); p.wait()",
        "while True: pass"));

}  // namespace
}  // namespace minivm
