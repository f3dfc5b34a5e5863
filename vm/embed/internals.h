// What a Vm consists of. Private to vm/embed.
#pragma once

#include <pthread.h>

#include <new>
#include <string>

#include "minivm/vm.h"
#include "runtime/core/thread_state.h"
#include "runtime/objects/module_object.h"
#include "vm/compiler/compiler.h"

namespace minivm {

// kEnding: Finish() is at work, what ends may still call; kOver: no script code runs any more.
enum class VmPhase : uint8_t { kStarting, kRunning, kEnding, kOver };

struct VmInternals {
  RuntimeState rt;
  VmConfig config;
  Vm* vm = nullptr;
  ThreadState* ts = nullptr;
  Ref<ModuleObject> main;     // __main__; null before the start and from the middle of Finish()
  Ref<> last_error;           // of a call with error == nullptr
  pthread_t host_thread{};    // whose C stack ts is set up for
  uint32_t future_flags = 0;  // __future__ statements given at the prompt
  bool entered = false;
  VmPhase phase = VmPhase::kStarting;

  ~VmInternals();

  // Every call from the host passes here: the C stack may be another thread's now.
  ThreadState& Enter();
  Status Start();
  // Moves the pending exception to *error, or keeps it for ReportError. Always false.
  bool Fail(ScriptError* error);
  // Where std::bad_alloc ends. Always false.
  bool OutOfMemory(ScriptError* error);
  // A call that comes too late. Always false.
  static bool Late(ScriptError* error);

  // Runs `body` (-> Status) with everything that can go wrong turned into *error.
  template <class F>
  bool Guarded(ScriptError* error, F body) {
    if (MVM_UNLIKELY(phase == VmPhase::kOver)) return Late(error);
    try {
      ThreadState& t = Enter();
      return !body(t).raised() || Fail(error);
    } catch (const std::bad_alloc&) {
      return OutOfMemory(error);
    }
  }
  // The same for what needs __main__.
  template <class F>
  bool GuardedMain(ScriptError* error, F body) {
    return main ? Guarded(error, body) : Late(error);
  }
  // The same for calls that do not tell what went wrong, and leave nothing in the VM.
  template <class F>
  bool Quietly(F body) {
    if (MVM_UNLIKELY(phase == VmPhase::kOver)) return false;
    try {
      ThreadState& t = Enter();
      if (!body(t).raised()) return true;
    } catch (const std::bad_alloc&) {
    }
    ClearPending(*ts);
    return false;
  }
  // *error filled if the caller wants to know, else quietly.
  template <class F>
  bool Told(ScriptError* error, F body) {
    return error != nullptr ? Guarded(error, body) : Quietly(body);
  }

  Var Wrap(Ref<> v) {
    Var r;
    r.vm_ = vm;
    r.word_ = v.Release().bits();
    return r;
  }
  static Value WordOf(const Var& v) { return Value::FromBits(v.word_); }
  // The value, or None where it is empty or another VM's.
  Value Use(const Var& v) { return v.vm_ == vm && v.word_ ? WordOf(v) : Value(rt.none); }
  // The call of a function of the host's. What calls into the VM that it makes leave in last_error
  // is its own: it becomes the exception of a call that returns empty, and is gone afterwards.
  Result<> CallHost(ThreadState& ts, const HostFunction& function, Args args);
  Result<> RunHost(ThreadState& ts, const HostFunction& function, Args args);

  // Tracebacks show lines of sources that are in no file: linecache looks in sys._sources, by file
  // name or by code object.
  Result<DictObject> Sources(ThreadState& ts);
  Status RunSource(ThreadState& ts, std::string_view source, std::string_view filename);
  Status RunFile(ThreadState& ts, const std::string& path, bool skip_line);
  Status RunAsMain(ThreadState& ts, const std::string& name, bool alter_argv);
  // sys.path.insert(0, entry), unless the path is to be safe.
  Status PrependPath(ThreadState& ts, std::string_view entry);
  // The functions of VmStreams and VmModules take their places in sys (host_hooks.cpp).
  Status InstallHostHooks(ThreadState& ts);
};

// The type of functions made by Vm::Bind; new reference.
Result<> NewHostFunction(ThreadState& ts, std::string_view name, HostFunction function);

}  // namespace minivm
