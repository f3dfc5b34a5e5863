// The command `minivm`.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "repl/options.h"
#include "repl/repl.h"

#if defined(__SANITIZE_ADDRESS__)
// As malloc() does: a block that cannot be had is null, of which the VM makes a MemoryError.
extern "C" __attribute__((used, visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
// Scripts that fill memory get their MemoryError before the sanitizer's own tables, which are much
// slower to fill, make that a matter of minutes. -X memory overrules it.
static constexpr size_t kDefaultMemoryLimit = size_t{2} << 30;
#else
static constexpr size_t kDefaultMemoryLimit = 0;
#endif

namespace {

using minivm::Vm;
using minivm::cli::Options;
using minivm::cli::Source;

// For the signal handler, which takes no arguments of ours.
Vm* interrupted_vm = nullptr;

void OnInterrupt(int) {
  int saved = errno;
  if (interrupted_vm) interrupted_vm->Interrupt();
  errno = saved;
}

// The system gave a container of the interpreter no memory: what is left of the program cannot go
// on.
[[noreturn]] void OnTerminate() {
  if (std::exception_ptr error = std::current_exception()) {
    try {
      std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
      static constexpr char kText[] = "MemoryError\n";
      (void)!write(2, kText, sizeof(kText) - 1);
      _exit(1);
    } catch (...) {
    }
  }
  std::abort();
}

void InstallHandlers(Vm* vm) {
  interrupted_vm = vm;
  struct sigaction now;
  // Whoever started us with SIGINT ignored (a shell's background job) wants it so.
  if (sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
    struct sigaction action = {};
    action.sa_handler = OnInterrupt;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
  }
  signal(SIGPIPE, SIG_IGN);  // scripts get BrokenPipeError
  signal(SIGXFSZ, SIG_IGN);  // and OSError
}

// Nobody reads what we print any more.
bool OutputIsBroken() {
  pollfd p = {1, POLLOUT, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & POLLERR) != 0;
}

// False: a signal ended the reading; what its handler raised is in the VM.
bool ReadStdin(Vm& vm, std::string* text) {
  char buffer[65536];
  for (;;) {
    ssize_t n = read(0, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) {
      if (!vm.Poll()) return false;
      continue;
    }
    if (n <= 0) return true;
    text->append(buffer, static_cast<size_t>(n));
  }
}

// Where the text stops being UTF-8, in characters; -1: nowhere.
long InvalidUtf8(const std::string& text, unsigned char* byte) {
  long characters = 0;
  for (size_t i = 0; i < text.size(); ++characters) {
    unsigned char lead = static_cast<unsigned char>(text[i]);
    size_t size = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : (lead & 0xF0) == 0xE0       ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
    bool good = size != 0 && i + size <= text.size();
    for (size_t k = 1; good && k < size; ++k) good = (text[i + k] & 0xC0) == 0x80;
    unsigned char second = good && size > 2 ? static_cast<unsigned char>(text[i + 1]) : 0x90;
    if (!good || (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      *byte = lead;
      return characters;
    }
    i += size;
  }
  return -1;
}

// The absolute form of a path, for messages.
std::string Absolute(const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  char cwd[4096];
  return getcwd(cwd, sizeof(cwd)) ? std::string(cwd) + "/" + path : path;
}

// Exit status for a file that cannot be run at all, or 0.
int CheckFile(const std::string& path) {
  if (path.empty()) return 0;  // the current directory
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    int error = errno;
    std::fprintf(stderr, "minivm: can't open file '%s': [Errno %d] %s\n", Absolute(path).c_str(),
                 error, std::strerror(error));
    return 2;
  }
  close(fd);
  return 0;
}

void Banner(const Options& o) {
  if (o.config.flags.quiet) return;
  std::fprintf(stderr,
               "minivm " MINIVM_VERSION " (Python " MINIVM_LANGUAGE_VERSION
               ") on linux\n"
               "Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n");
}

bool RunProgram(Vm& vm, const Options& o, bool* prompt) {
  switch (o.source) {
    case Source::kCommand: vm.PrependPath(""); return vm.Run(o.text + "\n", "<string>");
    case Source::kModule: return vm.RunModule(o.text);
    case Source::kFile:
      if (o.skip_first_line) return vm.RunFileSkippingLine(o.text);
      return vm.RunFile(o.text);
    case Source::kStdin:
    case Source::kNone: break;
  }
  vm.PrependPath("");
  if (isatty(0) || o.config.flags.inspect) {
    *prompt = true;
    return true;
  }
  std::string program;
  return ReadStdin(vm, &program) && vm.Set("__file__", vm.Str("<stdin>")) &&
         vm.Run(program, "<stdin>");
}

// Is there to be a prompt after the program? The environment is looked at late: programs may set
// it.
bool Inspects(const Options& o) {
  const char* inspect = o.config.flags.ignore_environment ? nullptr : std::getenv("PYTHONINSPECT");
  return o.config.flags.inspect || (inspect && *inspect);
}

void RunStartup(Vm& vm, const Options& o) {
  const char* startup = std::getenv("PYTHONSTARTUP");
  if (o.config.flags.ignore_environment || !startup || !*startup) return;
  if (access(startup, R_OK) != 0) {
    std::fprintf(stderr, "Could not open PYTHONSTARTUP\nFileNotFoundError: [Errno %d] %s: '%s'\n",
                 errno, std::strerror(errno), startup);
    return;
  }
  if (!vm.RunStartup(startup)) vm.ReportError();
}

// False, with a message: the text is no UTF-8.
bool CheckCommand(const std::string& text) {
  unsigned char byte = 0;
  long at = InvalidUtf8(text, &byte);
  if (at < 0) return true;
  std::fprintf(stderr,
               "Unable to decode the command from the command line:\nUnicodeEncodeError: "
               "'utf-8' codec can't encode "
               "character '\\udc%02x' in position %ld: surrogates not allowed\n",
               byte, at);
  return false;
}

// Null, with a message, if there is not enough memory.
std::unique_ptr<Vm> StartVm(Options& o) {
  if (o.source == Source::kNone && isatty(0)) o.config.flags.interactive = true;
  o.config.handle_signals = true;
  minivm::ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(o.config, &error);
  if (!vm) {
    std::fprintf(stderr, "minivm: cannot start: %s%s%s\n", error.type.c_str(),
                 error.message.empty() ? "" : ": ", error.message.c_str());
    return nullptr;
  }
  InstallHandlers(vm.get());
  if (!o.config.flags.warn_options.empty()) vm->Import("warnings", &error);
  if (o.faulthandler) vm->Import("faulthandler").GetAttr("enable").Call();
  if (!o.config.flags.no_site) vm->Import("_sitebuiltins").GetAttr("install").Call();
  return vm;
}

// How the program, and the prompt behind it, came to an end.
struct Outcome {
  int status = 0;
  bool interrupted = false;  // by Ctrl-C
  bool broken = false;       // nobody reads its output any more
  bool exited = false;       // by sys.exit()
};

Outcome RunAll(Vm& vm, const Options& o) {
  Outcome end;
  bool prompt = false;
  if (!RunProgram(vm, o, &prompt)) {
    end.interrupted = vm.LastErrorIs("KeyboardInterrupt");
    end.exited = vm.LastErrorIs("SystemExit");
    end.broken = vm.LastErrorIs("BrokenPipeError") && OutputIsBroken();
    if (end.broken) {
      vm.DropError();
    } else {
      end.status = vm.ReportError(Inspects(o));
    }
  }
  if (Inspects(o) && !end.broken) prompt = true;
  if (prompt) {
    end.interrupted = false;
    if (o.source == Source::kNone || o.source == Source::kStdin) {
      Banner(o);
      RunStartup(vm, o);
    }
    end.status = minivm::cli::RunPrompt(vm);
  }
  return end;
}

// Ends the VM; false: what was written could not be flushed.
bool FinishVm(std::unique_ptr<Vm> vm, Outcome* end) {
  // A reader that went away (`| head`) is no error worth a word, and none at all if it had
  // everything: what is still to be written tells, and goes where nobody reads it. A program that
  // has seen to it and says with what status it ends, has the last word.
  int rest = end->broken || OutputIsBroken() ? memfd_create("rest of stdout", MFD_CLOEXEC) : -1;
  if (rest >= 0) dup2(rest, 1);
  bool flushed = vm->Finish();
  struct stat unread;
  if (rest >= 0 && fstat(rest, &unread) == 0 && unread.st_size > 0) end->broken = !end->exited;
  interrupted_vm = nullptr;
  // No script code is left that could be interrupted: from now on Ctrl-C ends the process.
  struct sigaction now;
  if (sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == OnInterrupt) {
    signal(SIGINT, SIG_DFL);
  }
  return flushed;
}

}  // namespace

// The C++ library's own, linked in by mere reference, brings a demangler of 40 KB to name the
// exception.
void __gnu_cxx::__verbose_terminate_handler() { OnTerminate(); }

int main(int argc, char** argv) {
  Options o = minivm::cli::ParseCommandLine(argc, argv);
  if (o.exit_status >= 0) return o.exit_status;
  if (o.config.limits.memory == 0) o.config.limits.memory = kDefaultMemoryLimit;
  if (o.source == Source::kFile) {
    if (int status = CheckFile(o.text)) return status;
  }
  if (o.source == Source::kCommand && !CheckCommand(o.text)) return 1;
  std::string leaks;
  if (o.leak_check) o.config.TEST_leaks = &leaks;
  std::set_terminate(OnTerminate);
  std::unique_ptr<Vm> vm = StartVm(o);
  if (!vm) return 1;
  Outcome end = RunAll(*vm, o);
  bool flushed = FinishVm(std::move(vm), &end);
  if (!leaks.empty()) {
    std::fprintf(stderr, "leak check:\n%s", leaks.c_str());
    return 99;
  }
  if (end.broken) {
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  if (end.interrupted) {
    // As any program that Ctrl-C has ended, so that shells see it.
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
    return 130;
  }
  if (!flushed) return 120;
  return end.status;
}
