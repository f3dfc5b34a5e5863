// Two VMs in two threads of the host, against one: how much of the second processor they make use
// of. Two threads of plain C++ are measured in the same run, as no program can have more than they.
#include <minivm/minivm.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 9;

void RunVm() {
  auto vm = minivm::Vm::Create({});
  vm->Run(
      "def f(n):\n"
      "  t = 0\n"
      "  d = {}\n"
      "  for i in range(n):\n"
      "    t += i % 7\n"
      "    d[i & 1023] = [t]\n"
      "  return t\n"
      "f(2000000)\n",
      "two_vms");
}

void RunPlain() {
  volatile unsigned n = 0;
  for (unsigned i = 0; i < 100'000'000; ++i) n = n + i;
}

double Seconds(void (*work)(), int threads) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back(work);
  for (std::thread& t : running) t.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Work done per time by two, in parts of what one does: medians of rounds in turns.
double Gain(void (*work)()) {
  std::vector<double> gains;
  for (int i = 0; i < kRounds; ++i) {
    const double one = Seconds(work, 1), two = Seconds(work, 2);
    gains.push_back(2 * one / two);
  }
  std::sort(gains.begin(), gains.end());
  return gains[kRounds / 2];
}

}  // namespace

int main() {
  std::printf("two plain C++ threads  %.2f x one\n", Gain(RunPlain));
  std::printf("two VMs                %.2f x one\n", Gain(RunVm));
}
