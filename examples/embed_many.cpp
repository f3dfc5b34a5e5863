// Several VMs in one process, each in a thread of its own: they share nothing.
#include <minivm/minivm.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

int main() {
  std::vector<int64_t> results(4, -1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i, &results] {
      minivm::VmConfig config;
      config.streams.descriptors = false;  // the scripts print nothing
      std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config);
      if (!vm || !vm->Set("me", vm->Int(i))) return;
      vm->Run("n = 0\nfor _ in range(1000):\n    n += me\n", "count.src");
      results[i] = vm->Get("n").ToInt() / 1000;
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::string text;
  int64_t sum = 0;
  for (int64_t r : results) {
    text += (text.empty() ? "" : " + ") + std::to_string(r);
    sum += r;
  }
  std::printf("%s = %lld in four VMs\n", text.c_str(), static_cast<long long>(sum));
  return 0;
}
