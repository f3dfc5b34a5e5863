// Threads of scripts, as the host sees them: where they run, and how they end with their VM.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "minivm/minivm.h"
#include "tests/support/host_vm.h"

namespace minivm {
namespace {

constexpr const char* kStart =
    "import threading, time, _thread\n"
    "def daemon(f):\n"
    "  ready = threading.Event()\n"
    "  def run():\n"
    "    ready.set()\n"
    "    f()\n"
    "  threading.Thread(target=run, daemon=True).start()\n"
    "  ready.wait()\n";

std::unique_ptr<Vm> NewVm() {
  std::unique_ptr<Vm> vm = NewHostVm();
  RunIn(*vm, kStart);
  return vm;
}

TEST(ThreadsTest, DaemonsEndWithTheVm) {
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm,
        "def spin():\n"
        "  while True: pass\n"
        "def stubborn():\n"
        "  while True:\n"
        "    try:\n"
        "      try:\n"
        "        while True: time.sleep(0)\n"
        "      finally: daemon(spin)\n"
        "    except BaseException: pass\n"
        "lock = _thread.allocate_lock()\n"
        "lock.acquire()\n"
        "for f in spin, stubborn, lock.acquire, lambda: time.sleep(1000), threading.Event().wait:\n"
        "  daemon(f)\n");
  vm.reset();
}

TEST(ThreadsTest, DaemonBlockedInTheSystem) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm, "import os\ndaemon(lambda: os.read(" + std::to_string(pipe_ends[0]) + ", 10))\n");
  vm.reset();
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(ThreadsTest, FinishWaitsForOthers) {
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm,
        "go, out = threading.Event(), []\n"
        "threading.Thread(target=lambda: (go.wait(), out.append(1))).start()\n"
        "import atexit\n"
        "atexit.register(lambda: out.append(2) if out == [1] else 1 / 0)\n"
        "threading._register_atexit(go.set)\n");
  EXPECT_TRUE(vm->Finish());
}

TEST(ThreadsTest, StandStillBetweenCalls) {
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm,
        "n = 0\n"
        "def count():\n"
        "  global n\n"
        "  while True: n += 1\n"
        "daemon(count)\n");
  const int64_t before = vm->Eval("n").ToInt();
  usleep(20'000);
  EXPECT_LT(vm->Eval("n").ToInt() - before, 1'000'000);
  RunIn(*vm, "seen = n\nwhile n == seen: time.sleep(0.001)\n");
}

TEST(ThreadsTest, GoOnWhileTheHostIsIdle) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm, "import os\ngo = threading.Event()\ndaemon(lambda: (go.wait(), os.write(" +
                 std::to_string(pipe_ends[1]) + ", b'x')))\ngo.set()\n");
  ssize_t got = 0;
  vm->Idle([&] {
    char c;
    got = read(pipe_ends[0], &c, 1);
  });
  EXPECT_EQ(got, 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

std::string ReadAll(const std::string& name) {
  std::ifstream in(name);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ThreadsTest, TraceOfTheLockIsWrittenAtTheEnd) {
  const std::string name = testing::TempDir() + "minivm-giltrace-" + std::to_string(getpid());
  VmConfig config;
  config.gil_trace = name + ".html";
  std::unique_ptr<Vm> vm = Vm::Create(config);
  ASSERT_TRUE(vm);
  RunIn(*vm,
        "import threading\n"
        "t = threading.Thread(target=lambda: None, name='one of them')\n"
        "t.start()\n"
        "t.join()\n");
  EXPECT_TRUE(vm->Finish());
  const std::string page = ReadAll(name + ".html"), events = ReadAll(name + ".json");
  EXPECT_EQ(page.find("<!DOCTYPE html>"), 0u);
  EXPECT_NE(page.find("one of them"), page.npos);
  EXPECT_EQ(events.find("{\"traceEvents\":["), 0u);
  EXPECT_NE(events.find("one of them"), events.npos);
  unlink((name + ".html").c_str());
  unlink((name + ".json").c_str());
}

TEST(ThreadsTest, InterruptWakesTheMainThread) {
  std::unique_ptr<Vm> vm = NewVm();
  RunIn(*vm, "lock = _thread.allocate_lock()\nlock.acquire()\n");
  std::thread other([&] {
    usleep(20'000);
    vm->Interrupt();
  });
  ScriptError error;
  EXPECT_FALSE(vm->Run("lock.acquire()", "b.src", &error));
  EXPECT_EQ(error.type, "KeyboardInterrupt");
  other.join();
}

TEST(ThreadsTest, VmsInTheirOwnThreads) {
  auto work = [] {
    std::unique_ptr<Vm> vm = NewVm();
    RunIn(*vm,
          "out = []\n"
          "ts = [threading.Thread(target=lambda: out.append(sum(range(1000)))) for _ in range(8)]\n"
          "for t in ts: t.start()\n"
          "for t in ts: t.join()\n");
    EXPECT_EQ(vm->Eval("len(out)").ToInt(), 8);
  };
  std::thread a(work), b(work);
  a.join();
  b.join();
}

}  // namespace
}  // namespace minivm
