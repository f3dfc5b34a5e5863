// Vm: one virtual machine, from start to finish.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/core/blocking.h"
#include "runtime/core/signals.h"
#include "runtime/gc/alloc_tracer.h"
#include "runtime/gc/collector.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/builtins_module.h"
#include "vm/builtins/sys_module.h"
#include "vm/builtins/sys_trace.h"
#include "vm/embed/internals.h"
#include "vm/import/import_types.h"
#include "vm/import/importer.h"
#include "vm/interp/interp_state.h"
#include "vm/interp/interpreter.h"

namespace minivm {

// ---- internals ----

VmInternals::~VmInternals() {
  if (ts == nullptr) return;
  rt.heap.current_ts = ts;
  last_error = Ref<>();
  main = Ref<ModuleObject>();
  if (ts->interp != nullptr) ReleaseInterpreterThread(*ts);
}

ThreadState& VmInternals::Enter() {
  pthread_t self = pthread_self();
  if (MVM_UNLIKELY(!entered || !pthread_equal(host_thread, self))) {
    SetCStackLimit(*ts);
    host_thread = self;
    entered = true;
  }
  return *ts;
}

bool VmInternals::OutOfMemory(ScriptError* error) {
  ClearPending(*ts);
  if (error != nullptr) {
    *error = {"MemoryError", "", "MemoryError\n"};
  } else {
    (void)RaiseMemoryError(*ts);
    last_error = TakePending(*ts);
  }
  return false;
}

bool VmInternals::Late(ScriptError* error) {
  if (error == nullptr) return false;
  try {
    *error = {"RuntimeError", "the VM has finished", "RuntimeError: the VM has finished\n"};
  } catch (const std::bad_alloc&) {
    *error = {"RuntimeError", "", "RuntimeError\n"};
  }
  return false;
}

bool VmInternals::Fail(ScriptError* error) {
  Ref<> exception = TakePending(*ts);
  if (!exception) {
    if (error != nullptr) *error = {"SystemError", "failure without an exception", "SystemError\n"};
    return false;
  }
  if (error == nullptr) {
    last_error = std::move(exception);
    return false;
  }
  *error = ScriptError();
  TypeObject* type = TypeOf(*ts, exception);
  char name[256];
  error->type.assign(name, TypeDisplayName(type, name, sizeof(name)));
  if (type->is_heap()) {
    Result<> module = GetAttrOptional(*ts, Value(type), MVM_NAME(*ts, __module__));
    if (module.raised()) {
      ClearPending(*ts);
    } else {
      Ref<> m = module.Take();
      if (!m.is_absent() && IsStr(*ts, m))
        error->type = ToUtf8(m.as<StrObject>()) + "." + error->type;
    }
  }
  if (IsSubtype(type, ExcType(*ts, Exc::kSystemExit))) {
    error->is_exit = true;
    error->exit_code = ExitStatus(*ts, exception, &error->message);
    return false;
  }
  Result<StrObject> text = ToStr(*ts, exception);
  if (text.raised()) {
    ClearPending(*ts);
  } else {
    Ref<StrObject> s = text.Take();
    error->message = ToUtf8(s);
  }
  error->traceback = ExceptionText(*ts, exception);
  return false;
}

Status VmInternals::Start() {
  ThreadState& t = *ts;  // what stack NewThreadState grants is enough
  InitInterpreterThread(t);
  MVM_TRY_VOID(InitInterpreter(t));
  rt.hooks.enter_thread = [](ThreadState& started) {
    InitInterpreterThread(started);
    if (InterpOf(started).monitor != nullptr) UpdateTraceHooks(started);
  };
  if (config.trace_frames > AllocTracer::kMaxFrames) {
    return Raise(t, Exc::kValueError, "the number of frames must be in range [1; %u]",
                 AllocTracer::kMaxFrames);
  }
  if (config.trace_frames != 0 && !rt.heap.StartTracing(config.trace_frames)) {
    return RaiseMemoryError(t);
  }
  MVM_TRY(Ref<ModuleObject> builtins, NewNativeModule(t, k_builtins_module));
  rt.builtins = Ref<ModuleObject>(builtins).Release();
  rt.builtins_dict = Ref<DictObject>::Borrow(builtins->dict).Release();
  MVM_TRY_VOID(DictSetStr(t, rt.modules, MVM_NAME(t, builtins), builtins));
  const PythonFlags& flags = config.flags;
  MVM_TRY_VOID(ModuleAdd(t, builtins, "__debug__", flags.optimize > 0 ? rt.false_ : rt.true_));
  rt.bytes_warning = flags.bytes_warning;
  rt.no_debug_ranges = flags.no_debug_ranges;
  if (flags.int_max_str_digits >= 0) rt.int_max_str_digits = flags.int_max_str_digits;
  SysConfig sys;
  sys.argv = config.argv;
  sys.orig_argv = flags.orig_argv;
  sys.path = config.modules.path;
  sys.warn_options = flags.warn_options;
  sys.x_options = flags.x_options;
  sys.executable = config.executable;
  sys.optimize = flags.optimize;
  sys.verbose = flags.verbose;
  sys.bytes_warning = flags.bytes_warning;
  sys.inspect = flags.inspect;
  sys.debug = flags.debug;
  sys.dont_write_bytecode = flags.dont_write_bytecode;
  sys.no_user_site = flags.no_user_site || flags.isolated;
  sys.no_site = flags.no_site;
  sys.ignore_environment = flags.ignore_environment || flags.isolated;
  sys.quiet = flags.quiet;
  sys.isolated = flags.isolated;
  sys.dev_mode = flags.dev_mode;
  rt.dev_mode = flags.dev_mode;
  sys.utf8_mode = flags.utf8_mode;
  sys.safe_path = flags.safe_path || flags.isolated;
  sys.interactive = flags.interactive;
  sys.warn_default_encoding = flags.warn_default_encoding;
  sys.hash_randomization = !flags.fixed_hash_seed || flags.hash_seed != 0;
  MVM_TRY_VOID(InitSys(t, sys));
  MVM_TRY_VOID(InitImporter(t));
  if (config.streams.descriptors) {
    Enter();  // streams may import modules: that takes more of the C stack
    MVM_TRY_VOID(InitStandardStreams(t, config.streams.unbuffered, config.streams.encoding,
                                     config.streams.errors));
  }
  MVM_TRY_VOID(InitOpen(t));
  MVM_TRY(main, NewModule(t, MVM_NAME(t, __main__)));
  MVM_TRY_VOID(DictSetStr(t, main->dict, MVM_NAME(t, __builtins__), builtins));
  MVM_TRY(Ref<DictObject> annotations, NewDict(t));
  MVM_TRY_VOID(DictSetStr(t, main->dict, MVM_NAME(t, __annotations__), annotations));
  MVM_TRY(TypeObject * loader, TypeForSpec(t, kBuiltinImporterType));
  MVM_TRY_VOID(DictSetStr(t, main->dict, MVM_NAME(t, __loader__), loader));
  MVM_TRY_VOID(DictSetStr(t, rt.modules, MVM_NAME(t, __main__), main));
  Enter();  // these may import a module as well
  return InstallHostHooks(t);
}

// ---- Vm ----

Vm::Vm(std::unique_ptr<VmInternals> internals) : internals_(std::move(internals)) {
  internals_->vm = this;
  internals_->rt.vm = this;
}

std::unique_ptr<Vm> Vm::Create(const VmConfig& config, ScriptError* error) {
  ScriptError no_memory{"MemoryError", "", "MemoryError\n"};
  try {
    auto internals = std::make_unique<VmInternals>();
    internals->config = config;
    RuntimeConfig rc;
    rc.memory_limit = config.limits.memory;
    rc.stack_words = config.limits.stack_words;
    rc.fixed_hash_seed = config.flags.fixed_hash_seed;
    rc.hash_seed = config.flags.hash_seed;
    rc.handle_signals = config.handle_signals;
    internals->rt.TEST_leaks = config.TEST_leaks;
    internals->rt.heap.FailAfter(config.TEST_fail_allocation);
    if (!internals->rt.Init(rc)) {
      if (error) *error = no_memory;
      return nullptr;
    }
    internals->ts = internals->rt.main_thread;
    if (config.check_interval > 0) {
      internals->rt.check_interval = config.check_interval;
      internals->rt.check_interval_set = true;
    }
    internals->host_thread = pthread_self();
#ifdef MVM_GC_STRESS
    constexpr bool kAlways = true;
#else
    constexpr bool kAlways = false;
#endif
    if (config.gc_stress || kAlways) internals->rt.heap.collector().set_stress();
    std::unique_ptr<Vm> vm(new Vm(std::move(internals)));
    if (vm->internals_->Start().raised()) {
      vm->internals_->Fail(error);
      return nullptr;
    }
    vm->internals_->phase = VmPhase::kRunning;
    if (!config.gil_trace.empty()) {
      const Var path = vm->Str(config.gil_trace);
      if (!vm->Import("gil", error).GetAttr("_trace_program", error).Call({&path, 1}, error))
        return nullptr;
    }
    return vm;
  } catch (const std::bad_alloc&) {
    if (error) *error = no_memory;
    return nullptr;
  }
}

Vm::~Vm() {
  Finish();
  // What a thread that is blocked outside of the VM may still come back to is given up.
  VmInternals& in = *internals_;
  if (in.ts != nullptr && in.rt.gil != nullptr && !StopThreads(*in.ts)) (void)internals_.release();
}

Status VmInternals::PrependPath(ThreadState& ts, std::string_view entry) {
  if (config.flags.safe_path || config.flags.isolated) return Ok();
  MVM_TRY(Ref<> path, SysGet(ts, "path"));
  if (path.is_absent() || !IsList(ts, path)) return Ok();
  MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, entry));
  return ListInsert(ts, path.as<ListObject>(), 0, text);
}

Result<DictObject> VmInternals::Sources(ThreadState& ts) {
  MVM_TRY(Ref<> known, SysGet(ts, "_sources"));
  if (!known.is_absent() && IsDict(ts, known))
    return Ref<DictObject>::Borrow(known.as<DictObject>());
  MVM_TRY(Ref<DictObject> sources, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, rt.sys, "_sources", Value(sources.get())));
  return sources;
}

// Enters the text for the code and all that is defined in it.
static Status EnterSource(ThreadState& ts, DictObject* sources, CodeObject* code, StrObject* text) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  MVM_TRY_VOID(DictSet(ts, sources, Value(code), Value(text)));
  for (Value constant : code->consts->span()) {
    if (IsExact(constant, TypeId::kCode))
      MVM_TRY_VOID(EnterSource(ts, sources, constant.as<CodeObject>(), text));
  }
  return Ok();
}

Status VmInternals::RunSource(ThreadState& ts, std::string_view source, std::string_view filename) {
  MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, filename));
  bool command = filename == "<string>";
  if (command) {
    MVM_TRY(Ref<DictObject> sources, Sources(ts));
    MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, source));
    MVM_TRY_VOID(DictSet(ts, sources, Value(name.get()), Value(text.get())));
  }
  CompileOptions options;
  options.optimize = rt.optimize;
  options.from_file = !command;
  MVM_TRY(Ref<CodeObject> code, CompileBytes(ts, source, name, options));
  Ref<DictObject> dict = Ref<DictObject>::Borrow(main->dict);
  MVM_TRY_VOID(RunCode(ts, code, dict, dict));
  return Ok();
}

bool Vm::Run(std::string_view source, std::string_view filename, ScriptError* error) {
  VmInternals& in = *internals_;
  return in.GuardedMain(error, [&](ThreadState& ts) { return in.RunSource(ts, source, filename); });
}

// runpy._run_module_as_main(name, alter_argv)
Status VmInternals::RunAsMain(ThreadState& ts, const std::string& name, bool alter_argv) {
  MVM_TRY(Ref<> runpy, ImportModule(ts, "runpy"));
  MVM_TRY(Ref<> run, GetAttr(ts, runpy, "_run_module_as_main"));
  MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, name));
  MVM_TRY_VOID(Call(ts, run, Value(text.get()), Value(alter_argv ? rt.true_ : rt.false_)));
  return Ok();
}

// A path that does not depend on the current directory.
static std::string Absolute(const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  char cwd[PATH_MAX];
  if (::getcwd(cwd, sizeof cwd) == nullptr) return path;
  if (path.empty() || path == ".") return cwd;
  return (cwd[1] == '\0' ? "" : std::string(cwd)) + "/" + path;
}

// Can modules be imported from the path: a directory, or what else sys.path_hooks know (archives)?
static Result<bool> IsImportable(ThreadState& ts, StrObject* path) {
  MVM_TRY(Ref<> hooks, SysGet(ts, "path_hooks"));
  if (hooks.is_absent() || !IsList(ts, hooks)) return false;
  for (uint64_t i = 0; i < hooks.as<ListObject>()->size; ++i) {
    Ref<> hook = Ref<>::Borrow(hooks.as<ListObject>()->items[i]);
    Result<> importer = Call(ts, hook, Value(path));
    if (importer.raised()) {
      if (!ClearPendingIf(ts, Exc::kImportError)) return kRaised;
    } else {
      Ref<> dropped = importer.Take();
      return true;
    }
  }
  return false;
}

Status VmInternals::RunFile(ThreadState& ts, const std::string& given, bool skip_line) {
  std::string path = Absolute(given);
  MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, path));
  MVM_TRY(bool importable, IsImportable(ts, name));
  if (importable) {
    MVM_TRY(Ref<> sys_path, SysGet(ts, "path"));
    if (!sys_path.is_absent() && IsList(ts, sys_path)) {
      MVM_TRY_VOID(ListInsert(ts, sys_path.as<ListObject>(), 0, name));
    }
    return RunAsMain(ts, "__main__", false);
  }
  std::string source;
  MVM_TRY_VOID(ReadFileBytes(ts, name, &source));
  if (skip_line)
    source.erase(0, source.find('\n') == source.npos ? source.size() : source.find('\n'));
  char resolved[PATH_MAX];
  std::string directory = ::realpath(path.c_str(), resolved) ? resolved : path;
  size_t slash = directory.rfind('/');
  MVM_TRY_VOID(PrependPath(ts, slash == directory.npos ? ""
                               : slash == 0            ? "/"
                                                       : directory.substr(0, slash)));
  MVM_TRY_VOID(ModuleAdd(ts, main, "__file__", name));
  MVM_TRY_VOID(ModuleAdd(ts, main, "__cached__", rt.none));
  MVM_TRY(Ref<FileLoaderObject> loader,
          NewFileLoader(ts, kSourceFileLoaderType, Value(MVM_NAME(ts, __main__)), name));
  MVM_TRY_VOID(DictSetStr(ts, main->dict, MVM_NAME(ts, __loader__), loader));
  return RunSource(ts, source, path);
}

bool Vm::RunFile(const std::string& path, ScriptError* error) {
  VmInternals& in = *internals_;
  return in.GuardedMain(error, [&](ThreadState& ts) { return in.RunFile(ts, path, false); });
}

bool Vm::RunFileSkippingLine(const std::string& path, ScriptError* error) {
  VmInternals& in = *internals_;
  return in.GuardedMain(error, [&](ThreadState& ts) { return in.RunFile(ts, path, true); });
}

bool Vm::RunStartup(const std::string& path, ScriptError* error) {
  VmInternals& in = *internals_;
  return in.GuardedMain(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, path));
    std::string source;
    MVM_TRY_VOID(ReadFileBytes(ts, name, &source));
    return in.RunSource(ts, source, path);
  });
}

bool Vm::RunModule(const std::string& name, ScriptError* error) {
  VmInternals& in = *internals_;
  return in.GuardedMain(error, [&](ThreadState& ts) -> Status {
    char cwd[PATH_MAX];
    MVM_TRY_VOID(in.PrependPath(ts, ::getcwd(cwd, sizeof(cwd)) ? cwd : ""));
    return in.RunAsMain(ts, name, true);
  });
}

Vm::Interactive Vm::RunInteractive(std::string_view source, ScriptError* error, bool at_end) {
  VmInternals& in = *internals_;
  bool incomplete = false;
  bool ok = in.GuardedMain(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> name, NewStr(ts, "<stdin>"));
    CompileOptions options;
    options.mode = CompileMode::kSingle;
    options.optimize = in.rt.optimize;
    options.allow_incomplete_input = !at_end;
    options.dont_imply_dedent = !at_end;
    options.future_flags = in.future_flags;
    // Without its newline a block may go on, so that it takes an empty line to end it; with it,
    // there may be an error that no more lines can mend.
    std::string_view open = source;
    if (!at_end && open.ends_with('\n')) open.remove_suffix(1);
    Result<CodeObject> compiled = CompileBytes(ts, open, name, options);
    if (compiled.raised() && open.size() != source.size() &&
        PendingIs(ts, Exc::k_IncompleteInputError)) {
      Ref<> waits = TakePending(ts);
      Result<CodeObject> closed = CompileBytes(ts, source, name, options);
      if (!closed.raised()) {
        Ref<CodeObject> dropped = closed.Take();
        RestorePending(ts, std::move(waits));
      }
    }
    if (compiled.raised()) {
      incomplete = ClearPendingIf(ts, Exc::k_IncompleteInputError);
      return incomplete ? Ok() : Status(kRaised);
    }
    Ref<CodeObject> code = compiled.Take();
    in.future_flags |= code->flags & kCodeFutureMask;
    MVM_TRY(Ref<DictObject> sources, in.Sources(ts));
    MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, source));
    MVM_TRY_VOID(EnterSource(ts, sources, code, text));
    Ref<DictObject> dict = Ref<DictObject>::Borrow(in.main->dict);
    MVM_TRY_VOID(RunCode(ts, code, dict, dict));
    return Ok();
  });
  return incomplete ? Interactive::kIncomplete : ok ? Interactive::kDone : Interactive::kFailed;
}

Var Vm::Eval(std::string_view expression, ScriptError* error) {
  VmInternals& in = *internals_;
  Var value;
  in.GuardedMain(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> name, NewStr(ts, "<string>"));
    CompileOptions options;
    options.mode = CompileMode::kEval;
    options.optimize = in.rt.optimize;
    MVM_TRY(Ref<CodeObject> code, CompileBytes(ts, expression, name, options));
    Ref<DictObject> dict = Ref<DictObject>::Borrow(in.main->dict);
    MVM_TRY(Ref<> result, RunCode(ts, code, dict, dict));
    value = in.Wrap(std::move(result));
    return Ok();
  });
  return value;
}

Var Vm::None() { return internals_->Wrap(Ref<>::Borrow(internals_->rt.none)); }
Var Vm::Bool(bool b) {
  return internals_->Wrap(Ref<>::Borrow(b ? internals_->rt.true_ : internals_->rt.false_));
}

// What `body` (-> Result) makes; empty, with nothing pending, when it raises.
template <class F>
static Var Make(VmInternals& in, F body) {
  Var value;
  in.Quietly([&](ThreadState& ts) -> Status {
    auto made = body(ts);
    if (made.raised()) return kRaised;
    value = in.Wrap(Ref<>(made.Take()));
    return Ok();
  });
  return value;
}

Var Vm::Int(int64_t i) {
  return Make(*internals_, [&](ThreadState& ts) { return NewInt(ts, i); });
}
Var Vm::Float(double d) {
  return Make(*internals_, [&](ThreadState& ts) { return NewFloat(ts, d); });
}
Var Vm::Str(std::string_view utf8) {
  return Make(*internals_, [&](ThreadState& ts) { return NewStrFromOs(ts, utf8); });
}
Var Vm::List(std::span<const Var> items) {
  return Make(*internals_, [&](ThreadState& ts) {
    std::vector<Value> words;
    words.reserve(items.size());
    for (const Var& v : items) words.push_back(internals_->Use(v));
    return NewList(ts, words);
  });
}

Var Vm::Get(std::string_view name, ScriptError* error) {
  VmInternals& in = *internals_;
  Var value;
  if (!in.main) {
    VmInternals::Late(error);
    return value;
  }
  in.Told(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    Value v = DictGetStr(ts, in.main->dict, key);
    if (v.is_null())
      return Raise(ts, Exc::kNameError, "name '%U' is not defined", Value(key.get()));
    value = in.Wrap(Ref<>::Borrow(v));
    return Ok();
  });
  return value;
}

bool Vm::Set(std::string_view name, const Var& value, ScriptError* error) {
  VmInternals& in = *internals_;
  if (!in.main) return VmInternals::Late(error);
  return in.Told(error,
                 [&](ThreadState& ts) { return ModuleAdd(ts, in.main, name, in.Use(value)); });
}

bool Vm::Bind(std::string_view name, HostFunction function, ScriptError* error) {
  VmInternals& in = *internals_;
  if (!in.main) return VmInternals::Late(error);
  return in.Told(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<> f, NewHostFunction(ts, name, std::move(function)));
    return ModuleAdd(ts, in.main, name, f);
  });
}

Var Vm::Import(std::string_view module, ScriptError* error) {
  VmInternals& in = *internals_;
  Var value;
  in.GuardedMain(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<> m, ImportModule(ts, module));
    value = in.Wrap(std::move(m));
    return Ok();
  });
  return value;
}

namespace {

// module.function(), if the module has been imported; what it raises is reported.
void CallAtEnd(ThreadState& ts, const char* module, const char* function) {
  Result<StrObject> name = InternUtf8(ts, module);
  if (name.raised()) return ClearPending(ts);
  Ref<StrObject> n = name.Take();
  Result<> found = DictGet(ts, ts.rt->modules, Value(n.get()));
  if (found.raised()) return ClearPending(ts);
  Ref<> m = found.Take();
  if (m.is_absent() || IsNone(ts, m)) return;
  Result<> attribute = GetAttrOptional(ts, m, function);
  if (attribute.raised()) return WriteUnraisable(ts, m);
  Ref<> f = attribute.Take();
  if (f.is_absent()) return;
  Result<> done = Call(ts, f);
  if (done.raised()) return WriteUnraisable(ts, f);
  Ref<> dropped = done.Take();
}

}  // namespace

static int Report(VmInternals& in, ThreadState& ts, bool exits_too) {
  Ref<> exception = std::move(in.last_error);
  in.last_error = Ref<>();
  if (!exception) return 0;
  TypeObject* type = TypeOf(ts, exception);
  if (!exits_too && IsSubtype(type, ExcType(ts, Exc::kSystemExit))) {
    std::string message;
    bool has_message = false;
    int status = ExitStatus(ts, exception, &message, &has_message);
    if (has_message) {
      if (!FlushStandardStreams(ts)) ClearPending(ts);
      WriteStderr(ts, message + "\n");
    }
    return status;
  }
  bool interrupted = IsSubtype(type, ExcType(ts, Exc::kKeyboardInterrupt));
  if (!FlushStandardStreams(ts)) ClearPending(ts);
  if (interrupted && in.rt.threads->next != nullptr) {
    if (ImportModule(ts, "faulthandler").raised()) ClearPending(ts);
    CallAtEnd(ts, "faulthandler", "_dump_deadlock");
  }
  ReportException(ts, std::move(exception));
  return interrupted ? 130 : 1;
}

int Vm::ReportError(bool exits_too) {
  try {
    return Report(*internals_, internals_->Enter(), exits_too);
  } catch (const std::bad_alloc&) {
    ClearPending(*internals_->ts);
    return 1;
  }
}

bool Vm::LastErrorIs(std::string_view builtin_type) {
  VmInternals& in = *internals_;
  if (!in.last_error) return false;
  ThreadState& ts = in.Enter();
  for (TypeObject* type : in.rt.exceptions) {
    if (type->spec->name == builtin_type) return IsSubtype(TypeOf(ts, in.last_error), type);
  }
  return false;
}

void Vm::DropError() {
  internals_->Enter();
  internals_->last_error = Ref<>();
}

bool Vm::PrependPath(std::string_view directory) {
  VmInternals& in = *internals_;
  return in.GuardedMain(nullptr, [&](ThreadState& ts) { return in.PrependPath(ts, directory); });
}

// ---- the end ----

static bool End(VmInternals& in, ThreadState& ts) {
  in.last_error = Ref<>();
  ClearPending(ts);
  CallAtEnd(ts, "threading", "_shutdown");
  CallAtEnd(ts, "atexit", "_run_exitfuncs");
  if (!in.config.gil_trace.empty()) CallAtEnd(ts, "gil", "_write_trace");
  bool ok = FlushStandardStreams(ts);
  if (ts.HasPending()) WriteUnraisable(ts, Value(), "Exception ignored on flushing sys.stdout");
  RetireSignals(in.rt);
  // From here on the threads that are left stand still, wherever they are.
  if (in.rt.gil != nullptr) in.rt.gil->Freeze(true);
  in.main = Ref<ModuleObject>();
  // Finalizers may still print.
  Ref<> streams[2];
  for (int i = 0; i < 2; ++i) {
    Result<> s = SysGet(ts, i == 0 ? "stdout" : "stderr");
    if (s.raised()) {
      ClearPending(ts);
    } else {
      streams[i] = s.Take();
    }
  }
  FinalizeModules(ts);
  for (Ref<>& s : streams) {
    if (s.is_null() || s.is_absent() || IsNone(ts, s) || IsUntouched(ts, s)) continue;
    Result<> flushed = CallMethod(ts, s, MVM_NAME(ts, flush));
    if (flushed.raised()) {
      ClearPending(ts);
    } else {
      Ref<> dropped = flushed.Take();
    }
  }
  return ok;
}

bool Vm::Finish() {
  VmInternals& in = *internals_;
  if (in.phase != VmPhase::kRunning) return true;
  in.phase = VmPhase::kEnding;
  bool ok = false;
  try {
    // If nothing has been run, nothing needs more stack than the start.
    const bool fresh = !in.entered && pthread_equal(in.host_thread, pthread_self());
    ok = End(in, fresh ? *in.ts : in.Enter());
  } catch (const std::bad_alloc&) {
    ClearPending(*in.ts);
  }
  in.main = Ref<ModuleObject>();
  in.last_error = Ref<>();
  in.phase = VmPhase::kOver;
  return ok;
}

void Vm::Interrupt() { RequestAttention(*internals_->rt.main_thread, kRequestInterrupt); }

void Vm::ClearInterrupt() {
  ThreadState& ts = *internals_->rt.main_thread;
  ts.requests.fetch_and(~(kRequestInterrupt | kOwed));
}

bool Vm::Poll(ScriptError* error) {
  return internals_->Guarded(error, [](ThreadState& ts) -> Status {
    return ts.rt->hooks.serve_requests ? ts.rt->hooks.serve_requests(ts) : Ok();
  });
}

void Vm::Idle(const std::function<void()>& wait) {
  BlockingScope scope(internals_->Enter());
  wait();
}

size_t Vm::memory_in_use() const { return internals_->rt.heap.stats().bytes; }
size_t Vm::peak_memory() const { return internals_->rt.heap.stats().peak_bytes; }

}  // namespace minivm
