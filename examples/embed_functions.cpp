// Binding C++ functions for scripts to call, and errors in both directions.
#include <minivm/minivm.h>

#include <cstdio>
#include <string>
#include <unordered_map>

int main() {
  std::unordered_map<std::string, int64_t> accounts = {{"alice", 20}, {"bob", 40}};

  minivm::ScriptError error;
  minivm::VmConfig config;
  config.streams.descriptors = false;  // the script prints nothing
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config, &error);
  if (!vm) return 1;
  vm->Bind("balance", [&accounts](minivm::HostCall& call) {
    const std::string name = call.arg(0).ToString();
    auto found = accounts.find(name);
    if (found == accounts.end()) return call.Raise("ValueError", "no account '" + name + "'");
    return call.vm().Int(found->second);
  });

  minivm::Var total = vm->Eval("balance('alice') + balance('bob')", &error);
  if (!total) return 1;
  std::printf("total %lld\n", static_cast<long long>(total.ToInt()));

  if (!vm->Eval("balance('carol')", &error)) {
    std::printf("%s: %s\n", error.type.c_str(), error.message.c_str());
  }
  return 0;
}
