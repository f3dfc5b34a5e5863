// The prompt: reads lines until they make a statement, runs it, shows what goes wrong.
#include "repl/repl.h"

#include <cerrno>
#include <cstdio>
#include <string>

namespace minivm::cli {

namespace {

// sys.ps1 or ps2; made if the script has not set it.
std::string Prompt(Vm& vm, const char* name, const char* text) {
  ScriptError error;
  Var sys = vm.Import("sys", &error);
  Var prompt = sys.GetAttr(name, &error);
  if (prompt) return prompt.ToString();
  sys.SetAttr(name, vm.Str(text), &error);
  return text;
}

enum class Line { kText, kEnd, kInterrupted };

Line ReadLine(const std::string& prompt, std::string* line) {
  line->clear();
  std::fputs(prompt.c_str(), stdout);
  std::fflush(stdout);
  for (;;) {
    errno = 0;
    int c = std::getc(stdin);
    if (c == EOF) {
      if (errno == EINTR) {
        std::clearerr(stdin);
        return Line::kInterrupted;
      }
      return line->empty() ? Line::kEnd : Line::kText;
    }
    line->push_back(static_cast<char>(c));
    if (c == '\n') return Line::kText;
  }
}

bool Flush(Vm& vm) {
  ScriptError error;
  Var out = vm.Import("sys", &error).GetAttr("stdout", &error);
  return !out || out.IsNone() || out.GetAttr("flush", &error).Call({}, &error);
}

}  // namespace

int RunPrompt(Vm& vm) {
  std::string source, line;
  Prompt(vm, "ps1", ">>> ");
  Prompt(vm, "ps2", "... ");
  for (;;) {
    Line got = ReadLine(source.empty() ? Prompt(vm, "ps1", ">>> ") : Prompt(vm, "ps2", "... "), &line);
    if (got == Line::kInterrupted) {
      // The interrupt belongs to the line that was being typed.
      vm.ClearInterrupt();
      std::fputs("\nKeyboardInterrupt\n", stderr);
      source.clear();
      continue;
    }
    if (got == Line::kEnd) {
      if (source.empty()) {
        std::fputs("\n", stdout);
        return 0;
      }
      line = "\n";
    }
    // A statement of several lines ends with an empty one.
    source += line;
    if (source.find_first_not_of(" \t\f\r\n") == source.npos) {
      source.clear();
      continue;
    }
    switch (vm.RunInteractive(source)) {
      case Vm::Interactive::kIncomplete:
        if (got == Line::kEnd) return 0;
        continue;
      case Vm::Interactive::kFailed:
        if (vm.LastErrorIs("SystemExit")) return vm.ReportError();
        vm.ReportError();
        break;
      case Vm::Interactive::kDone: break;
    }
    Flush(vm);
    source.clear();
  }
}

}  // namespace minivm::cli
