#include <cstdio>
#include <cstring>
#include "minivm/minivm.h"
int main(int argc, char** argv) {
  minivm::ScriptError e;
  minivm::VmConfig c;
  auto vm = minivm::Vm::Create(c, &e);
  if (!vm) { std::fprintf(stderr, "create: %s %s %s\n", e.type.c_str(), e.message.c_str(), e.traceback.c_str()); return 1; }
  bool ok = std::strcmp(argv[1], "-c") == 0 ? vm->Run(argv[2], "<string>") : vm->RunFile(argv[1]);
  int status = ok ? 0 : vm->ReportError();
  vm->Finish();
  return status;
}
