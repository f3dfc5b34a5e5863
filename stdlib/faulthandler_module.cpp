// Module _faulthandler: what of faulthandler has to be native, the handlers of fatal signals.
//
// They run in the middle of anything, on data that may be broken: all they do is read, in places
// that were valid when the script last let go of control, and write(). Dispositions are changed
// as _signal does it (runtime/core/signals.h): by the VM that the host allows to, until its end.
#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "runtime/core/signals.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_object.h"
#include "vm/interp/frame.h"

namespace minivm {

namespace {

struct FatalSignal {
  int signum;
  const char* name;
};
constexpr FatalSignal kFatalSignals[] = {
    {SIGBUS, "Bus error"}, {SIGILL, "Illegal instruction"}, {SIGFPE, "Floating-point exception"},
    {SIGABRT, "Aborted"},  {SIGSEGV, "Segmentation fault"},
};
constexpr int kMaxFrames = 100;
constexpr int kMaxText = 500;

// Collects what is written; the destructor writes the rest.
class Out {
 public:
  explicit Out(int fd) : fd_(fd) {}
  ~Out() { Flush(); }
  Out& operator<<(const char* text) {
    while (*text != '\0') Put(*text++);
    return *this;
  }
  void Number(uint64_t n, int base, int digits) {
    char text[24];
    int i = 0;
    do {
      text[i++] = "0123456789abcdef"[n % base];
      n /= base;
    } while (n != 0 || i < digits);
    while (i > 0) Put(text[--i]);
  }
  void Text(const StrObject* s) {
    if (s == nullptr) {
      *this << "???";
      return;
    }
    const int n = s->length > kMaxText ? kMaxText : static_cast<int>(s->length);
    for (int i = 0; i < n; ++i) {
      const char32_t c = s->At(i);
      if (c >= ' ' && c < 0x7f) {
        Put(static_cast<char>(c));
      } else {
        *this << (c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
        Number(c, 16, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
      }
    }
    if (s->length > kMaxText) *this << "...";
  }

 private:
  void Put(char c) {
    if (size_ == sizeof(buffer_)) Flush();
    buffer_[size_++] = c;
  }
  void Flush() {
    size_t done = 0;
    while (done < size_) {
      const ssize_t n = write(fd_, buffer_ + done, size_ - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    size_ = 0;
  }

  int fd_;
  size_t size_ = 0;
  char buffer_[256];
};

void WriteStack(Out& out, ThreadState& ts) {
  FrameWalker w(ts);
  if (w.done()) out << "  <no Python frame>\n";
  for (int n = 0; !w.done(); w.Next()) {
    if (++n > kMaxFrames) {
      out << "  ...\n";
      break;
    }
    const FunctionObject* f = FunctionOf(w.base());
    out << "  File \"";
    out.Text(f->code->filename);
    out << "\", line ";
    const int line = w.pc() == nullptr ? 0 : LineAt(f->code, PcIndex(f, w.pc()));
    out.Number(line < 0 ? 0 : static_cast<uint64_t>(line), 10, 1);
    out << " in ";
    out.Text(f->code->name);
    out << "\n";
  }
}

// The thread that has the VM's lock is the one that is at fault.
void WriteFault(ThreadState& main, int signum, int fd) {
  RuntimeState& rt = *main.rt;
  ThreadState* current = rt.heap.current_ts ? rt.heap.current_ts : &main;
  Out out(fd);
  const char* name = "unknown signal";
  for (const FatalSignal& fatal : kFatalSignals) {
    if (fatal.signum == signum) name = fatal.name;
  }
  out << "Fatal Python error: " << name << "\n";
  for (ThreadState* t = rt.threads; t != nullptr; t = t->next) {
    if (t != current && !rt.signals->fault_all) continue;
    out << (t == current ? "\nCurrent thread 0x" : "\nThread 0x");
    out.Number(t->id, 16, 16);
    out << " (most recent call first):\n";
    WriteStack(out, *t);
  }
}

// The state of the process's signals, which module _signal makes.
Result<SignalState*> Signals(ThreadState& ts) {
  if (ts.rt->signals == nullptr) MVM_TRY_VOID(ts.rt->hooks.import_module(ts, "_signal"));
  if (ts.rt->signals == nullptr) return Raise(ts, Exc::kRuntimeError, "there are no signals");
  return ts.rt->signals;
}

Result<> faulthandler_enable(ThreadState& ts, Args args) {
  int64_t fd;
  if (!args[0].is_int() || (fd = args[0].as_int()) < 0 || fd > INT32_MAX) {
    return Raise(ts, Exc::kValueError, "file is not a valid file descriptor");
  }
  MVM_TRY(SignalState * state, Signals(ts));
  MVM_TRY_VOID(ClaimSignals(ts, "faulthandler"));
  const bool was_enabled = state->fault_fd >= 0;
  state->fault = WriteFault;
  MVM_TRY(state->fault_all, Truth(ts, args[1]));
  state->fault_fd = static_cast<int>(fd);
  if (was_enabled) return None(ts);
  for (const FatalSignal& fatal : kFatalSignals) {
    if (!SetDisposition(*state, fatal.signum, Disposition::kFault)) return RaiseErrno(ts, errno);
  }
  return None(ts);
}

Result<> faulthandler_disable(ThreadState& ts, Args) {
  SignalState* state = ts.rt->signals;
  if (state == nullptr || state->fault_fd < 0) return Bool(ts, false);
  MVM_TRY_VOID(ClaimSignals(ts, "faulthandler"));
  state->fault_fd = -1;
  for (const FatalSignal& fatal : kFatalSignals) {
    Value handler = state->handlers[fatal.signum].get();
    const Disposition before = IsCallable(ts, handler)                     ? Disposition::kScript
                               : handler.is_int() && handler.as_int() == 1 ? Disposition::kIgnore
                                                                           : Disposition::kDefault;
    if (!SetDisposition(*state, fatal.signum, before)) return RaiseErrno(ts, errno);
  }
  return Bool(ts, true);
}

Result<> faulthandler_is_enabled(ThreadState& ts, Args) {
  return Bool(ts, ts.rt->signals != nullptr && ts.rt->signals->fault_fd >= 0);
}

const MethodSpec kFunctions[] = {
    {"disable()", faulthandler_disable, "Fatal signals end the program silently again."},
    {"enable(fd, all_threads=True, /)", faulthandler_enable,
     "Fatal signals write where the script is to a descriptor before they end the program."},
    {"is_enabled()", faulthandler_is_enabled, "Whether they do."},
};

}  // namespace

extern const ModuleSpec k__faulthandler_module;
const ModuleSpec k__faulthandler_module = {
    .name = "_faulthandler",
    .doc = "Handlers of fatal signals; module faulthandler has more to say.",
    .functions = kFunctions,
};

}  // namespace minivm
