// What a Vm consists of. Private to vm/embed.
#pragma once

#include <pthread.h>

#include <string>

#include "minivm/vm.h"
#include "runtime/core/thread_state.h"
#include "runtime/objects/module_object.h"
#include "vm/compiler/compiler.h"

namespace minivm {

struct VmInternals {
  RuntimeState rt;
  VmConfig config;
  Vm* vm = nullptr;
  ThreadState* ts = nullptr;
  Ref<ModuleObject> main;     // __main__
  Ref<> last_error;           // of a call with error == nullptr
  pthread_t host_thread{};    // whose C stack ts is set up for
  uint32_t future_flags = 0;  // __future__ statements given at the prompt
  bool entered = false;
  bool finished = false;

  ~VmInternals();

  // Every call from the host passes here: the C stack may be another thread's now.
  ThreadState& Enter();
  Status Start();
  // Moves the pending exception to *error, or keeps it for ReportError. Always false.
  bool Fail(ScriptError* error);
  // Where std::bad_alloc ends.
  bool OutOfMemory(ScriptError* error);

  Var Wrap(Ref<> v) {
    Var r;
    r.vm_ = vm;
    r.word_ = v.Release().bits();
    return r;
  }
  static Value WordOf(const Var& v) { return Value::FromBits(v.word_); }
  // The value, or None where it is empty or another VM's.
  Value Use(const Var& v) { return v.vm_ == vm && v.word_ ? WordOf(v) : Value(rt.none); }
  Result<> CallHost(ThreadState& ts, const HostFunction& function, Args args);

  // Tracebacks show lines of sources that are in no file: linecache looks in sys._sources, by file
  // name or by code object.
  Result<DictObject> Sources(ThreadState& ts);
  Status RunSource(ThreadState& ts, std::string_view source, std::string_view filename);
  Status RunFile(ThreadState& ts, const std::string& path, bool skip_line);
  Status RunAsMain(ThreadState& ts, const std::string& name, bool alter_argv);
  // sys.path.insert(0, entry), unless the path is to be safe.
  Status PrependPath(ThreadState& ts, std::string_view entry);
};

// The type of functions made by Vm::Bind; new reference.
Result<> NewHostFunction(ThreadState& ts, std::string_view name, HostFunction function);

}  // namespace minivm
