// The module sys. sys_info.cpp: facts; sys_module.cpp: functions; sys_hooks.cpp: the hooks that
// show values and exceptions; exception_text.cpp: tracebacks as text.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/thread_state.h"

namespace minivm {

// What the embedder decides; the fields of sys.flags and more.
struct SysConfig {
  std::vector<std::string> argv, orig_argv, path, warn_options, x_options;
  std::string executable;
  int optimize = 0, verbose = 0, bytes_warning = 0, inspect = 0, debug = 0;
  bool dont_write_bytecode = false, no_user_site = false, no_site = false;
  bool ignore_environment = false, quiet = false, isolated = false, dev_mode = false;
  bool safe_path = false, interactive = false, hash_randomization = true, utf8_mode = false;
  bool warn_default_encoding = false;
};

extern const ModuleSpec k_sys_module;
// Facts that few programs ask for (sys_info.cpp).
inline constexpr size_t kLateSysInfoCount = 10;
extern const LateSpec kLateSysInfo[kLateSysInfoCount];

// Makes the module (rt.sys) and enters it in sys.modules. The standard streams are None until the
// io module has made them. REQUIRES: builtins exists.
Status InitSys(ThreadState& ts, const SysConfig& config);
// The facts: versions, limits, flags (sys_info.cpp).
Status AddSysInfo(ThreadState& ts, ModuleObject* sys, const SysConfig& config);
// sys.stdin, stdout, stderr on descriptors 0, 1, 2 (those that are open), made by _io.
Status InitStandardStreams(ThreadState& ts, bool unbuffered, const std::string& encoding,
                           const std::string& errors);
// builtins.open, made by _io.
Status InitOpen(ThreadState& ts);
// sys._heap_stats() (sys_heap.cpp).
Result<> sys_heap_stats(ThreadState& ts, Args args);
extern const MethodSpec kSysHookFunctions[];
extern const size_t kSysHookFunctionCount;

// ---- exceptions as text ----

// What the command line prints for an uncaught exception: traceback, causes, notes, groups. Through
// the module traceback; if that fails, in a plainer form. Clears what goes wrong on the way.
std::string ExceptionText(ThreadState& ts, Value exception);
// The plain form: no causes, no carets; runs as little script code as possible.
std::string PlainExceptionText(ThreadState& ts, Value exception);

// Reports an exception as the command line does: sys.last_exc and its like, then sys.excepthook. An
// exception in the hook is reported as well.
void ReportException(ThreadState& ts, Ref<> exception);
// Exit status that a SystemExit asks for; a message for stderr in *message, which may be empty.
int ExitStatus(ThreadState& ts, Value system_exit, std::string* message,
               bool* has_message = nullptr);
// VmHooks::write_unraisable.
void WriteUnraisableHook(ThreadState& ts, Value exception, Value where, const char* message);
// Writes to sys.stderr; to descriptor 2 if that is missing or fails. Raises nothing.
void WriteStderr(ThreadState& ts, std::string_view text);
// A stream of a built-in type of which nobody has called a method: nothing has been written to it.
inline bool IsUntouched(ThreadState& ts, Value stream) {
  return !TypeOf(ts, stream)->has_flag(kTypeReady);
}
// Flushes sys.stdout and sys.stderr. False: one failed; the exception is pending if it was stdout.
bool FlushStandardStreams(ThreadState& ts);
// sys.audit() from native code: calls the hooks, if there are any.
Status Audit(ThreadState& ts, const char* event, std::initializer_list<Value> args);

}  // namespace minivm
