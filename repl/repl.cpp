// The prompt: reads lines until they make a statement, runs it, shows what goes wrong.
#include "repl/repl.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

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

// Lines of standard input.
class Input {
 public:
  explicit Input(Vm& vm) : vm_(vm) {}

  // The prompt goes to stderr, as stdout is for what the script prints.
  Line ReadLine(const std::string& prompt, std::string* line) {
    std::fputs(prompt.c_str(), stderr);
    std::fflush(stderr);
    for (;;) {
      size_t end = buffer_.find('\n', searched_);
      if (end != buffer_.npos) {
        *line = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        searched_ = 0;
        return Line::kText;
      }
      searched_ = buffer_.size();
      if (!Wait()) {
        buffer_.clear();
        searched_ = 0;
        return Line::kInterrupted;
      }
      char bytes[4096];
      ssize_t n = read(0, bytes, sizeof bytes);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n > 0) {
        buffer_.append(bytes, static_cast<size_t>(n));
        continue;
      }
      *line = std::exchange(buffer_, "");
      searched_ = 0;
      return line->empty() ? Line::kEnd : Line::kText;
    }
  }

 private:
  // Until there is something to read. False: the handler of a signal has raised. A signal is either
  // seen by Poll() or ends ppoll(), as it can come in nowhere else.
  bool Wait() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok;
    pollfd p = {0, POLLIN, 0};
    int error;
    do {
      ok = vm_.Poll();
      error = 0;
      if (ok) {
        vm_.Idle([&] {
          if (ppoll(&p, 1, nullptr, &before) < 0) error = errno;
        });
      }
    } while (ok && error == EINTR);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return ok;
  }

  Vm& vm_;
  std::string buffer_;
  size_t searched_ = 0;  // there is no newline before
};

bool Flush(Vm& vm) {
  ScriptError error;
  Var out = vm.Import("sys", &error).GetAttr("stdout", &error);
  return !out || out.IsNone() || out.GetAttr("flush", &error).Call({}, &error);
}

}  // namespace

int RunPrompt(Vm& vm) {
  std::string source, line;
  Input input(vm);
  Prompt(vm, "ps1", ">>> ");
  Prompt(vm, "ps2", "... ");
  for (;;) {
    Line got = input.ReadLine(
        source.empty() ? Prompt(vm, "ps1", ">>> ") : Prompt(vm, "ps2", "... "), &line);
    if (got == Line::kInterrupted) {
      // What a handler raises gives up the statement that was being typed.
      source.clear();
      if (vm.LastErrorIs("KeyboardInterrupt")) {
        vm.DropError();
        std::fputs("\nKeyboardInterrupt\n", stderr);
        continue;
      }
      bool exits = vm.LastErrorIs("SystemExit");
      int status = vm.ReportError();
      if (exits) return status;
      continue;
    }
    if (got == Line::kEnd) {
      std::fputs("\n", stderr);
      if (source.empty()) return 0;
      line = "\n";
    }
    // A statement of several lines ends with an empty one.
    source += line;
    if (source.find_first_not_of(" \t\f\r\n") == source.npos) {
      source.clear();
      continue;
    }
    switch (vm.RunInteractive(source, nullptr, got == Line::kEnd)) {
      case Vm::Interactive::kIncomplete: continue;
      case Vm::Interactive::kFailed: {
        bool exits = vm.LastErrorIs("SystemExit");
        int status = vm.ReportError();
        if (exits) return status;
        break;
      }
      case Vm::Interactive::kDone: break;
    }
    Flush(vm);
    source.clear();
  }
}

}  // namespace minivm::cli
