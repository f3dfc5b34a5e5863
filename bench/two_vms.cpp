// Two VMs in two threads of the host, against one: how much of the second processor they make use
// of. Two threads of plain C++ are measured in the same rounds, as no program can have more than
// they.
//
// Two figures for each work, medians of rounds in turns: what is done per time, which wants two
// free processors (run it under `chrt -f 1` on a machine with other work); and the processor time
// that the same work takes beside another VM, in parts of what it takes alone. The second needs no
// free machine, and is what shared cache lines would show in.
#include <minivm/minivm.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 9;

struct Work {
  const char* name;
  const char* script;  // null: plain C++
  std::vector<double> gains, costs;
};

Work works[] = {
    {"plain C++", nullptr, {}, {}},
    {"integers and dicts",
     "def f(n):\n"
     "  t = 0\n"
     "  d = {}\n"
     "  for i in range(n):\n"
     "    t += i % 7\n"
     "    d[i & 1023] = [t]\n"
     "  return t\n"
     "f(2000000)\n",
     {},
     {}},
    {"calls and instances",
     "class P:\n"
     "  def __init__(self, x): self.x = x\n"
     "  def step(self): return P(self.x + 1)\n"
     "p = P(0)\n"
     "for i in range(700000): p = p.step()\n",
     {},
     {}},
    {"texts",
     "words = [str(i) for i in range(50000)]\n"
     "for i in range(30):\n"
     "  text = ' '.join(words)\n"
     "  found = {w: len(w) for w in text.split()}\n",
     {},
     {}},
    {"cycles, collected",
     "for i in range(400):\n"
     "  nodes = [[] for _ in range(1500)]\n"
     "  for a, b in zip(nodes, nodes[1:]): a.append(b); b.append(a)\n",
     {},
     {}},
};

void Do(const Work& work) {
  if (work.script == nullptr) {
    volatile unsigned n = 0;
    for (unsigned i = 0; i < 300'000'000; ++i) n = n + i;
    return;
  }
  auto vm = minivm::Vm::Create({});
  if (vm == nullptr || !vm->Run(work.script, work.name)) std::abort();
}

double ThreadSeconds() {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Seconds until all threads have done the work; *processor: what one of them took, on average.
double Seconds(const Work& work, int threads, double* processor) {
  std::vector<double> taken(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  const auto start = std::chrono::steady_clock::now();
  for (double& mine : taken) {
    running.emplace_back([&work, &mine] {
      const double before = ThreadSeconds();
      Do(work);
      mine = ThreadSeconds() - before;
    });
  }
  for (std::thread& t : running) t.join();
  const double all =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  *processor = 0;
  for (double mine : taken) *processor += mine / threads;
  return all;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  for (int i = 0; i < kRounds; ++i) {
    for (Work& work : works) {
      double alone, beside;
      const double one = Seconds(work, 1, &alone), two = Seconds(work, 2, &beside);
      work.gains.push_back(2 * one / two);
      work.costs.push_back(beside / alone);
    }
  }
  std::printf("%-22s %16s %24s\n", "two at once", "work per time", "processor time of each");
  for (const Work& work : works) {
    std::printf("%-22s %14.2f x %22.2f x\n", work.name, Median(work.gains), Median(work.costs));
  }
}
