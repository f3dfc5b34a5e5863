// Every allocation of start-up and of scripts that use all of the language fails once.
//
// The n-th allocation of a fresh VM is refused, for growing n until it is not reached any more.
// What must come out: a start that says why it did not succeed, MemoryError from the script, or a
// script that coped and did its work (it asserts that); the VM goes on working and, at its end, has
// lost nothing. Each script below tests/stress/scripts is a test; it runs in child processes, so
// that a crash names the allocation and does not end the rest.
// So that the tests end soon only some hundred n are tried, other ones for each script;
// MINIVM_ALLOC_POINTS changes how many, MINIVM_ALLOC_FAILURES=all tries every one (for a change
// that touches much, by hand), a number only that one, in this process (for a debugger).
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "minivm/minivm.h"
#include "runtime/core/thread_state.h"
#include "runtime/gc/gc_debug.h"
#include "tests/support/leak_guard.h"
#include "vm/embed/internals.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" int __lsan_do_recoverable_leak_check();
#endif

namespace minivm {
namespace {

constexpr int64_t kNever = 10'000'000;
constexpr int64_t kPoints = 100;  // n tried per script

// Takes back the order to fail. How many allocations there were since FailAfter(n); -1: the n-th
// has been reached and refused.
int64_t Disarm(Heap& heap, int64_t n) {
  const int64_t left = heap.failing_after();
  heap.FailAfter(-1);
  return left < 0 ? -1 : n - left;
}

// Empty, or what went wrong.
std::string Complaint(const ScriptError& error) {
  if (error.type == "MemoryError") return "";
  return error.type + ": " + error.message + "\n" + error.traceback;
}

// One start that fails at allocation n, or gets through. *reached: it has been refused one.
std::string TryStart(int64_t n, bool* reached) {
  LeakGuard guard;
  VmConfig config = guard.Config();
  config.streams.descriptors = true;
  config.TEST_fail_allocation = n;
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(config, &error);
  std::string why;
  if (vm) {
    *reached = Disarm(vm->internals()->rt.heap, n) < 0;
    if (vm->Eval("6 * 7", &error).ToInt() != 42) why = "does not work: " + Complaint(error);
    vm.reset();
  } else {
    *reached = true;
    why = Complaint(error);
  }
  return why + guard.Take();
}

// One run of the script with allocation n failing. *count: how many there were if none failed, else
// -1.
std::string TryScript(const std::string& source, int64_t n, int64_t* count) {
  LeakGuard guard;
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(guard.Config(), &error);
  if (!vm) return "no VM: " + error.traceback;
  Heap& heap = vm->internals()->rt.heap;
  heap.FailAfter(n);
  bool ok = vm->Run(source, "script.src", &error);
  *count = Disarm(heap, n);
  std::string why = ok ? "" : Complaint(error);
  if (!ok && *count >= 0) why = "fails without any failure: " + error.traceback;
  if (n % 16 == 0) VerifyHeap(vm->internals()->rt);
  Var sum = vm->Eval("sum([i for i in range(5)])", &error);
  if (sum.ToInt() != 10) why += "does not go on: " + error.traceback;
  sum = Var();
  vm.reset();
  return why + guard.Take();
}

// What child and parent share.
struct Progress {
  int64_t n;
  int failures;
  char text[8192];
};

// f(n) for n = first, first + step, ... below `end` in child processes. f: -> what went wrong.
template <class F>
void InChildren(int64_t first, int64_t end, int64_t step, F f) {
  Progress* shared = static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  constexpr int kMostFailures = 30;
  shared->n = first;
  int crashes = 0;
  while (shared->n < end && crashes < kMostFailures) {
    std::fflush(nullptr);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (; shared->n < end && shared->failures < kMostFailures; shared->n += step) {
        const std::string why = f(shared->n);
        if (why.empty()) continue;
        ++shared->failures;
        const std::string line = "allocation " + std::to_string(shared->n) + ": " + why + "\n";
        const size_t used = std::strlen(shared->text);
        std::snprintf(shared->text + used, sizeof(shared->text) - used, "%s", line.c_str());
      }
      shared->n = end;
#if defined(__SANITIZE_ADDRESS__)
      if (__lsan_do_recoverable_leak_check() != 0) _exit(3);
#endif
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status == 0) break;
    ++crashes;
    ADD_FAILURE() << "allocation " << shared->n << ": the process ended with status " << std::hex
                  << status;
    shared->n += step;
  }
  EXPECT_EQ(std::string(shared->text), "");
  munmap(shared, sizeof(Progress));
}

const char* Only() { return std::getenv("MINIVM_ALLOC_FAILURES"); }

// f for the chosen n of 0 .. count - 1.
template <class F>
void Choose(int64_t count, size_t salt, F f) {
  const char* only = Only();
  if (only && std::isdigit(static_cast<unsigned char>(*only))) {
    EXPECT_EQ(f(std::atoll(only)), "");
    return;
  }
  const char* points = std::getenv("MINIVM_ALLOC_POINTS");
  const int64_t most = points ? std::max(std::atoll(points), 1LL) : kPoints;
  int64_t step = only ? 1 : std::max<int64_t>(count / most, 1);
  InChildren(static_cast<int64_t>(salt) % step, count, step, f);
}

TEST(AllocFailure, Start) {
  int64_t count = 0;
  bool reached = true;
  for (count = 1; reached; count *= 2) ASSERT_EQ(TryStart(count, &reached), "");
  for (int64_t low = 0, high = count; low < high;) {  // the exact number
    const int64_t middle = (low + high) / 2;
    ASSERT_EQ(TryStart(middle, &reached), "");
    (reached ? low : high) = middle + (reached ? 1 : 0);
    count = high;
  }
  Choose(count, 7, [](int64_t n) {
    bool ignored = false;
    return TryStart(n, &ignored);
  });
}

class AllocFailureScript : public testing::Test {
 public:
  explicit AllocFailureScript(std::filesystem::path path) : path_(std::move(path)) {}
  void TestBody() override {
    std::ifstream in(path_);
    std::stringstream text;
    text << in.rdbuf();
    const std::string source = text.str();
    int64_t count = 0;
    ASSERT_EQ(TryScript(source, kNever, &count), "") << path_;
    ASSERT_GT(count, 0);
    RecordProperty("allocations", std::to_string(count));
    Choose(count, std::hash<std::string>()(path_.stem().string()), [&](int64_t n) {
      int64_t ignored = 0;
      return TryScript(source, n, &ignored);
    });
  }

 private:
  std::filesystem::path path_;
};

}  // namespace
}  // namespace minivm

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const auto& entry : std::filesystem::directory_iterator(MINIVM_STRESS_SCRIPTS)) {
    const std::filesystem::path path = entry.path();
    if (path.extension() != ".src") continue;
    testing::RegisterTest(
        "AllocFailureScripts", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [path]() -> minivm::AllocFailureScript* { return new minivm::AllocFailureScript(path); });
  }
  return RUN_ALL_TESTS();
}
