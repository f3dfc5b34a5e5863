// A script VM inside a C++ program.
//
//   #include <minivm/minivm.h>
//   minivm::ScriptError error;
//   auto vm = minivm::Vm::Create({}, &error);
//   vm->Bind("add", [](minivm::HostCall& c) { return c.vm().Int(c.arg(0).ToInt() +
//   c.arg(1).ToInt()); }); vm->Run("print(add(1, 2))", "hello.src", &error);
//
// Many VMs can live in one process, each with its own heap, lock and limits; they share nothing.
// Threads: one host thread at a time may call into a VM; copying and destroying a Var is such a
// call. The library installs no signal handlers, prints nothing by itself and never exits the
// process.
//
// Limits are no sandbox: a script has the rights of the process. It opens files and sockets, starts
// and signals processes and may end this one (os._exit, os.kill). To run what you do not trust, put
// the process into a sandbox of the system's.
//
// No C++ exception leaves a call. Where the system (not VmLimits::memory) refuses memory to a
// C++ container inside the runtime, which is built without exceptions, the process ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "minivm/error.h"
#include "minivm/export.h"

namespace minivm {

class Vm;
struct VmInternals;

// Owns one reference to a script value; copies share it. Empty (false) when default-constructed or
// returned by a call that failed. Must not outlive its VM.
class MINIVM_EXPORT Var {
 public:
  Var() = default;
  Var(const Var& o);
  Var(Var&& o) noexcept : vm_(o.vm_), word_(o.word_) { o.word_ = 0; }
  Var& operator=(Var o) noexcept;
  ~Var();

  explicit operator bool() const { return word_ != 0; }
  bool IsNone() const;
  bool IsInt() const;
  bool IsFloat() const;
  bool IsStr() const;
  bool IsCallable() const;
  // Conversions that tell: false, and *value as it was, where the script's value is of another type
  // or out of range, or the Var empty. ToFloat takes ints, too; ToString is str(value) in UTF-8.
  // Truth and ToString may run script code: what it raises goes to *error, or stays in the VM.
  bool ToInt(int64_t* value) const;
  bool ToFloat(double* value) const;
  bool Truth(bool* value, ScriptError* error = nullptr) const;
  bool ToString(std::string* text, ScriptError* error = nullptr) const;
  // Conversions that do not: zero, false or "" instead. What script code raises is dropped,
  // KeyboardInterrupt included.
  int64_t ToInt() const;
  double ToFloat() const;
  bool Truth() const;
  std::string ToString() const;
  std::string Repr() const;
  // An empty Var has nothing: these give false or an empty Var then, and leave *error alone.
  Var GetAttr(std::string_view name, ScriptError* error = nullptr) const;
  bool SetAttr(std::string_view name, const Var& value, ScriptError* error = nullptr) const;
  Var GetItem(const Var& key, ScriptError* error = nullptr) const;
  Var Call(std::span<const Var> args = {}, ScriptError* error = nullptr) const;
  Vm* vm() const { return vm_; }

 private:
  friend struct VmInternals;
  Vm* vm_ = nullptr;
  uint64_t word_ = 0;
};

// The call of a bound C++ function. What it returns goes to the script; an empty Var, or one of
// another VM, is None there, unless
// - Raise() was called: that exception is raised;
// - a call into the VM failed meanwhile with error == nullptr and its exception is still there
//   (DropError() takes it away): it goes on into the script, whatever it is. So
//   `return call.arg(0).Call();` passes on both the result and the exception.
// A C++ exception becomes one of the script's: std::bad_alloc MemoryError, std::exception
// RuntimeError with what(), anything else RuntimeError.
// What the host had left in the VM for ReportError() is there again when the function is done.
class MINIVM_EXPORT HostCall {
 public:
  Vm& vm() const { return vm_; }
  size_t size() const { return args_.size(); }
  // The i-th argument; empty if there are fewer.
  Var arg(size_t i) const { return i < args_.size() ? args_[i] : Var(); }
  // `return call.Raise("ValueError", "no such thing");`: a built-in exception by name.
  Var Raise(std::string_view type, std::string_view message);

 private:
  friend struct VmInternals;
  HostCall(Vm& vm, std::vector<Var> args) : vm_(vm), args_(std::move(args)) {}
  Vm& vm_;
  std::vector<Var> args_;
  std::string error_type_, error_message_;
};
using HostFunction = std::function<Var(HostCall&)>;

// What a VM may take.
struct VmLimits {
  size_t memory = 0;                     // bytes; 0: none
  size_t stack_words = size_t{8} << 20;  // VM stack of each thread (address space)
};

// sys.stdin, sys.stdout, sys.stderr.
struct VmStreams {
  bool descriptors = true;  // 0, 1 and 2 of the process; else the three are None
  bool unbuffered = false;  // the writing two (-u)
  std::string encoding;     // empty: UTF-8
  std::string errors;       // error handler; empty: strict, surrogateescape in the C locales
  // Take the place of stdout and stderr: get what the script writes, as UTF-8, when it writes it.
  // Called in the thread that runs the VM; must not call into it.
  std::function<void(std::string_view)> write_out, write_error;
};

// Where modules come from.
struct VmModules {
  std::vector<std::string> path;  // sys.path
  // Asked before a module, by its full dotted name, is looked for anywhere; false: it is not found.
  // Modules that library modules need are asked for, too, but those loaded at the VM's start. It
  // shapes what scripts see and is no lock: a script may undo it (sys.meta_path).
  std::function<bool(std::string_view name)> allow;
  // The source of a module that the host has, before the library and the path are searched; false:
  // it has none of that name.
  std::function<bool(std::string_view name, std::string* source)> find;
};

// What the command line of Python can ask for: sys.flags and the like.
struct PythonFlags {
  std::vector<std::string> orig_argv;     // sys.orig_argv; empty: as argv
  std::vector<std::string> warn_options;  // -W
  std::vector<std::string> x_options;     // -X
  int optimize = 0;                       // -O, -OO
  int verbose = 0;                        // -v
  int debug = 0;                          // -d
  int bytes_warning = 0;                  // -b
  int inspect = 0;                        // -i
  bool ignore_environment = false;        // -E
  bool isolated = false;                  // -I
  bool no_site = false;                   // -S
  bool no_user_site = false;              // -s
  bool dont_write_bytecode = false;       // -B
  bool quiet = false;                     // -q
  bool interactive = false;               // reading from a prompt
  bool dev_mode = false;                  // -X dev
  bool utf8_mode = false;                 // -X utf8
  bool safe_path = false;                 // -P
  bool warn_default_encoding = false;     // -X warn_default_encoding
  bool fixed_hash_seed = false;           // hash_seed counts, as PYTHONHASHSEED
  uint32_t hash_seed = 0;
  bool no_debug_ranges = false;  // code objects keep no columns: tracebacks without carets
  int int_max_str_digits = -1;   // -1: the default, 4300
};

struct VmConfig {
  std::vector<std::string> argv = {""};  // sys.argv
  std::string executable;                // sys.executable
  VmLimits limits;
  VmStreams streams;
  VmModules modules;
  PythonFlags flags;
  // Scripts may set handlers of the process's signals (module signal), for one VM at a time; the
  // host passes SIGINT on by Interrupt(). Elsewhere signal.signal() raises ValueError.
  bool handle_signals = false;
  // -X giltrace: who has the VM's lock is recorded, and written to FILE.html (a page) and FILE.json
  // (Chrome trace events) by Finish(). Empty: it is not.
  std::string gil_trace;
  int check_interval = 0;  // -X check_interval: sys.setcheckinterval() at the start; 0: not called
  uint32_t trace_frames = 0;  // -X tracemalloc: frames of each traceback, to 65535; 0: do not trace
  bool gc_stress = false;     // for tests: a full collection after every allocation of a container
  std::string* TEST_leaks = nullptr;  // ~Vm lists here what is left alive or not accounted for
  int64_t TEST_fail_allocation = -1;  // the n-th allocation from the start on (0: the first) fails
};

class MINIVM_EXPORT Vm {
 public:
  // Null with *error set when there is not enough memory, or the configuration is no good.
  static std::unique_ptr<Vm> Create(const VmConfig& config, ScriptError* error = nullptr);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  // All calls that can fail return false or an empty Var and fill *error; with error == nullptr the
  // exception stays in the VM, for ReportError(). After Finish() they fail with a RuntimeError.

  // Runs source (UTF-8, or with an encoding cookie) as the module __main__; its names stay.
  bool Run(std::string_view source, std::string_view filename, ScriptError* error = nullptr);
  // A script file, or a directory with a __main__ in it, as `minivm PATH` does.
  bool RunFile(const std::string& path, ScriptError* error = nullptr);
  // The same for a file whose first line is something else (-x).
  bool RunFileSkippingLine(const std::string& path, ScriptError* error = nullptr);
  // A file run in __main__ without being the program (PYTHONSTARTUP).
  bool RunStartup(const std::string& path, ScriptError* error = nullptr);
  // As `minivm -m NAME`.
  bool RunModule(const std::string& name, ScriptError* error = nullptr);
  enum class Interactive { kDone, kFailed, kIncomplete };
  // One statement at a prompt; kIncomplete: more lines are needed, unless there are none (at_end).
  // Expressions are shown through sys.displayhook.
  Interactive RunInteractive(std::string_view source, ScriptError* error = nullptr,
                             bool at_end = false);
  Var Eval(std::string_view expression, ScriptError* error = nullptr);

  // New values. Empty if there is not enough memory, or after Finish(); nothing stays in the VM.
  Var None();
  Var Bool(bool b);
  Var Int(int64_t i);
  Var Float(double d);
  Var Str(std::string_view utf8);
  Var List(std::span<const Var> items);

  // Names of __main__; an unknown one is a NameError. Unlike the rest these leave nothing in the VM
  // with error == nullptr: they fail silently.
  Var Get(std::string_view name, ScriptError* error = nullptr);
  bool Set(std::string_view name, const Var& value, ScriptError* error = nullptr);
  bool Bind(std::string_view name, HostFunction function, ScriptError* error = nullptr);
  // Imports the module; one of its attributes with a name.
  Var Import(std::string_view module, ScriptError* error = nullptr);

  // Reports what the last failing call left as the command line does: through sys.excepthook, or on
  // the VM's stderr. For calls made with error == nullptr, which leave the exception in the VM.
  // Returns the exit status for it; 0 if nothing was left. A SystemExit shows its message only, if
  // it has one; with exits_too it is reported like any other exception.
  int ReportError(bool exits_too = false);
  // Is what the last failing call left an instance of this built-in exception class?
  bool LastErrorIs(std::string_view builtin_type);
  void DropError();
  // Puts a directory in front of sys.path, unless safe_path or isolated is set.
  bool PrependPath(std::string_view directory);
  // Ends the script's life: threads joined, atexit functions run, streams flushed. False: failed
  // (reported like an unraisable exception). The destructor does it if nobody did.
  // What runs meanwhile may still call host functions, and they the VM. Afterwards no script code
  // runs: calls fail, conversions that need script code give "" or false; Vars may be looked at
  // (IsInt, ToInt), copied and destroyed as long as the Vm lives.
  bool Finish();
  // From any thread or a signal handler: the script gets KeyboardInterrupt at its next step, and
  // within a tenth of a second where it waits: sleeping, for locks, children, descriptors and
  // sockets (docs/EMBEDDING.md has what cannot be woken). It must not race with ~Vm: the Vm is
  // alive until the call is done.
  void Interrupt();
  // Does what the script would at its next step: runs the handlers of signals that have arrived,
  // raises KeyboardInterrupt. For hosts whose own waiting was interrupted.
  bool Poll(ScriptError* error = nullptr);
  // Runs wait(), in which the host waits for something of its own; threads of the script go on
  // meanwhile, as they do not between other calls. wait() must not call into the VM.
  void Idle(const std::function<void()>& wait);
  // Takes back an interrupt that no script code has seen.
  void ClearInterrupt();
  size_t memory_in_use() const;
  size_t peak_memory() const;

  VmInternals* internals() const { return internals_.get(); }

 private:
  explicit Vm(std::unique_ptr<VmInternals> internals);
  std::unique_ptr<VmInternals> internals_;
};

}  // namespace minivm
