// Evaluating expressions and calling script functions from C++.
#include <minivm/minivm.h>

#include <cstdio>

int main() {
  minivm::ScriptError error;
  minivm::VmConfig config;
  config.streams.descriptors = false;  // these scripts print nothing
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config, &error);
  if (!vm || !vm->Run("def area(r):\n"
                      "    return 3.14 * r ** 2\n"
                      "def longest(words):\n"
                      "    return max(words, key=len)\n",
                      "shapes.src", &error)) {
    std::fprintf(stderr, "%s", error.traceback.c_str());
    return 1;
  }

  const minivm::Var radius = vm->Int(2);
  minivm::Var area = vm->Get("area").Call({&radius, 1}, &error);
  if (!area) return 1;
  std::printf("area %.2f\n", area.ToFloat());

  const minivm::Var words = vm->Eval("['fig', 'banana', 'plum']", &error);
  minivm::Var longest = vm->Get("longest").Call({&words, 1}, &error);
  if (!longest) return 1;
  std::printf("longest: %s\n", longest.ToString().c_str());
  return 0;
}
