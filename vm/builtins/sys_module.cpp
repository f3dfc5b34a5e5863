// The module sys: functions.
#include "vm/builtins/sys_module.h"

#include <dlfcn.h>

#include "runtime/core/intern.h"
#include "runtime/gc/collector.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_trace.h"
#include "vm/interp/interp_state.h"

namespace minivm {

namespace {

// ---- exceptions ----

// The innermost exception being handled, borrowed; null if there is none.
Value Handled(ThreadState& ts) {
  for (HandledException* h = ts.handled; h != nullptr; h = h->prev) {
    if (!h->value.is_null() && !IsNone(ts, h->value)) return h->value;
  }
  return Value();
}

Result<> sys_exc_info(ThreadState& ts, Args args) {
  Value none = ts.rt->none, exception = Handled(ts);
  Value parts[] = {none, none, none};
  if (!exception.is_null()) {
    Value traceback = exception.as<ExceptionObject>()->traceback;
    parts[0] = Value(TypeOf(ts, exception));
    parts[1] = exception;
    if (!traceback.is_null()) parts[2] = traceback;
  }
  return NewTuple(ts, parts);
}
Result<> sys_exception(ThreadState& ts, Args args) {
  Value v = Handled(ts);
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
Result<> sys_exit(ThreadState& ts, Args args) {
  if (IsNone(ts, args[0])) return RaiseNoMessage(ts, Exc::kSystemExit);
  if (IsTuple(ts, args[0])) {
    MVM_TRY(Ref<> exception,
            CallWith(ts, Value(ExcType(ts, Exc::kSystemExit)), args.as<TupleObject>(0), nullptr));
    return RaiseObject(ts, exception);
  }
  return RaiseValue(ts, Exc::kSystemExit, args[0]);
}

// ---- limits ----

Result<> sys_getrecursionlimit(ThreadState& ts, Args args) { return Small(ts.rt->recursion_limit); }

uint32_t Depth(ThreadState& ts) { return ts.base == nullptr ? 0 : HeaderOf(ts.base).depth(); }

Result<> sys_setrecursionlimit(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> index, Index(ts, args[0]));
  int64_t limit;
  if (!IntFitsInt64(index, &limit) || limit > INT32_MAX || limit < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  if (limit < 1)
    return Raise(ts, Exc::kValueError, "recursion limit must be greater or equal than 1");
  uint32_t depth = Depth(ts);
  if (depth >= static_cast<uint64_t>(limit)) {
    return Raise(
        ts, Exc::kRecursionError,
        "cannot set the recursion limit to %d at the recursion depth %u: the limit is too low",
        static_cast<int>(limit), depth);
  }
  ts.rt->recursion_limit = static_cast<int>(limit);
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next)
    t->depth_limit = static_cast<uint64_t>(limit) << 32;
  return None(ts);
}

Result<> sys_get_int_max_str_digits(ThreadState& ts, Args args) {
  return Small(ts.rt->int_max_str_digits);
}
Result<> sys_set_int_max_str_digits(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[0]));
  if (n > INT32_MAX || n < INT32_MIN)
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  if (n != 0 && n < 640)
    return Raise(ts, Exc::kValueError, "maxdigits must be 0 or larger than 640");
  ts.rt->int_max_str_digits = static_cast<int>(n);
  return None(ts);
}

Result<> sys_getswitchinterval(ThreadState& ts, Args args) {
  return NewFloat(ts, ts.rt->switch_interval);
}
Result<> sys_setswitchinterval(ThreadState& ts, Args args) {
  MVM_TRY(double seconds, AsDouble(ts, args[0]));
  if (!(seconds > 0))
    return Raise(ts, Exc::kValueError, "switch interval must be strictly positive");
  ts.rt->switch_interval = seconds;
  return None(ts);
}
Result<> sys_getcheckinterval(ThreadState& ts, Args args) { return Small(ts.rt->check_interval); }
Result<> sys_setcheckinterval(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[0]));
  if (n > INT32_MAX || n < INT32_MIN)
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  ts.rt->check_interval = n < 1 ? 1 : static_cast<int>(n);
  ts.rt->check_interval_set = true;
  return None(ts);
}

// ---- objects ----

// The stored count, plus one for each running frame that was given the object as an argument and
// still has it: the argument slot of the caller, as the documented model counts it.
Result<> sys_getrefcount(ThreadState& ts, Args args) {
  Value v = args[0];
  if (!v.is_object()) return NewInt(ts, 0xFFFFFFFF);
  if (v.object()->refcount >= kImmortalRefcount / 2) return NewInt(ts, 0xFFFFFFFF);
  int64_t count = v.object()->refcount;
  for (FrameWalker w(ts); !w.done(); w.Next()) {
    const FunctionObject* f = FunctionOf(w.base());
    for (uint32_t i = 0; i < f->param_count; ++i) {
      Value r = w.base()[i];
      if (r.is_object() && IsExact(r, TypeId::kCell)) r = r.as<CellObject>()->value;
      if (r.is(v)) ++count;
    }
  }
  return Small(count);
}

Result<> sys_getsizeof(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__sizeof__"));
  auto measure = [&]() -> Result<int64_t> {
    MVM_TRY(Ref<> size, CallSpecial(ts, args[0], name));
    if (size.is_absent())
      return Raise(ts, Exc::kTypeError, "Type %N doesn't define __sizeof__", TypeOf(ts, args[0]));
    MVM_TRY(int64_t n, AsInt64(ts, size));
    if (n < 0) return Raise(ts, Exc::kValueError, "__sizeof__() should return >= 0");
    return n;
  };
  Result<int64_t> size = measure();
  if (size.raised()) {
    if (args.has(1) && ClearPendingIf(ts, Exc::kTypeError)) return Result<>::Borrow(args[1]);
    return kRaised;
  }
  return NewInt(ts, size.Take());
}

Result<> sys_intern(ThreadState& ts, Args args) {
  if (!IsExact(args[0], TypeId::kStr)) {
    if (IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "can't intern %T", args[0]);
    return Raise(ts, Exc::kTypeError, "intern() argument must be str, not %T", args[0]);
  }
  return Intern(ts, args.as<StrObject>(0));
}
Result<> sys_is_interned(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * s, ExpectStr(ts, args[0], "_is_interned() argument"));
  return Bool(ts, s->interned());
}

// ---- frames ----

Result<int64_t> FrameDepth(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> index, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(index, &n) || n > INT32_MAX) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  return n < 0 ? 0 : n;
}

Result<> sys_getframe(ThreadState& ts, Args args) {
  MVM_TRY(int64_t depth, FrameDepth(ts, args[0]));
  FrameWalker w(ts);
  while (!w.done() && depth-- > 0) w.Next();
  if (w.done()) return Raise(ts, Exc::kValueError, "call stack is not deep enough");
  return FrameFor(ts, w.base(), w.pc());
}

Result<> sys_getframemodulename(ThreadState& ts, Args args) {
  MVM_TRY(int64_t depth, FrameDepth(ts, args[0]));
  FrameWalker w(ts);
  while (!w.done() && depth-- > 0) w.Next();
  if (w.done()) return None(ts);
  FunctionObject* f = FunctionOf(w.base());
  if (!f->module.is_null()) return Result<>::Borrow(f->module);
  Value name = DictGetStr(ts, f->globals, MVM_NAME(ts, __name__));
  return name.is_null() ? None(ts) : Result<>::Borrow(name);
}

Result<> sys_current_frames(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    FrameWalker w(*t);
    if (w.done()) continue;
    MVM_TRY(Ref<FrameObject> frame, FrameFor(*t, w.base(), w.pc()));
    MVM_TRY(Ref<> id, NewIntU64(ts, t->id));
    MVM_TRY_VOID(DictSet(ts, d, id, frame));
  }
  return d;
}
Result<> sys_current_exceptions(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    Value v = Handled(*t);
    MVM_TRY(Ref<> id, NewIntU64(ts, t->id));
    MVM_TRY_VOID(DictSet(ts, d, id, v.is_null() ? Value(ts.rt->none) : v));
  }
  return d;
}

// ---- coroutines ----

const GetSetSpec kAsyncgenHooksFields[] = {
    {"firstiter", StructItem<0>, nullptr, "First iteration hook"},
    {"finalizer", StructItem<1>, nullptr, "Finalizer hook"},
};
const StructSequenceSpec kAsyncgenHooks = {
    StructSequenceTypeSpec("sys.asyncgen_hooks", kAsyncgenHooksFields,
                           "Hooks of asynchronous generators."),
    2, 2};

Result<> sys_get_asyncgen_hooks(ThreadState& ts, Args args) {
  InterpState& s = InterpOf(ts);
  Value values[] = {s.asyncgen_firstiter.is_null() ? Value(ts.rt->none) : s.asyncgen_firstiter,
                    s.asyncgen_finalizer.is_null() ? Value(ts.rt->none) : s.asyncgen_finalizer};
  return NewStructSequence(ts, kAsyncgenHooks, values);
}
Result<> sys_set_asyncgen_hooks(ThreadState& ts, Args args) {
  InterpState& s = InterpOf(ts);
  const char* names[] = {"firstiter", "finalizer"};
  for (int i = 0; i < 2; ++i) {
    if (args.has(i) && !IsNone(ts, args[i]) && !IsCallable(ts, args[i])) {
      return Raise(ts, Exc::kTypeError, "callable %s expected, got %T", names[i], args[i]);
    }
  }
  Value* fields[] = {&s.asyncgen_firstiter, &s.asyncgen_finalizer};
  for (int i = 0; i < 2; ++i) {
    if (!args.has(i)) continue;
    Value now = IsNone(ts, args[i]) ? Value() : Ref<>::Borrow(args[i]).Release();
    Decref(std::exchange(*fields[i], now));
  }
  return None(ts);
}
Result<> sys_get_coroutine_origin(ThreadState& ts, Args args) {
  return Small(InterpOf(ts).coroutine_origin_depth);
}
Result<> sys_set_coroutine_origin(ThreadState& ts, Args args) {
  MVM_TRY(int64_t depth, AsInt64(ts, args[0]));
  if (depth > INT32_MAX || depth < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  if (depth < 0) return Raise(ts, Exc::kValueError, "depth must be >= 0");
  InterpOf(ts).coroutine_origin_depth = static_cast<int>(depth);
  return None(ts);
}

// ---- others ----

Result<> sys_utf8(ThreadState& ts, Args args) { return NewStr(ts, "utf-8"); }
Result<> sys_surrogateescape(ThreadState& ts, Args args) { return NewStr(ts, "surrogateescape"); }
Result<> sys_is_finalizing(ThreadState& ts, Args args) { return Bool(ts, ts.rt->finalizing); }
Result<> sys_false(ThreadState& ts, Args args) { return Bool(ts, false); }
Result<> sys_true(ThreadState& ts, Args args) { return Bool(ts, true); }
Result<> sys_nothing(ThreadState& ts, Args args) { return None(ts); }
Result<> sys_call_tracing(ThreadState& ts, Args args) {
  if (!IsTuple(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "call_tracing() argument 2 must be tuple, not %T", args[1]);
  return CallWith(ts, args[0], args.as<TupleObject>(1), nullptr);
}
Result<> sys_getallocatedblocks(ThreadState& ts, Args args) {
  int64_t n = 0;
  ts.heap().ForEachObject([&n](Object*) { ++n; });
  return Small(n);
}
Result<> sys_getunicodeinternedsize(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(ts.rt->interned->size()));
}
Result<> sys_getdlopenflags(ThreadState& ts, Args args) { return Small(RTLD_NOW); }
Result<> sys_setdlopenflags(ThreadState& ts, Args args) {
  MVM_TRY_VOID(AsInt64(ts, args[0]));
  return None(ts);
}
Result<> sys_activate_trampoline(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectStr(ts, args[0], "activate_stack_trampoline() argument"));
  return Raise(ts, Exc::kValueError, "perf trampoline not available");
}

const MethodSpec kFunctions[] = {
    {"_clear_internal_caches()", sys_nothing, "Clear all internal performance-related caches."},
    {"_clear_type_cache()", sys_nothing, "Clear the internal type lookup cache."},
    {"_current_exceptions()", sys_current_exceptions,
     "A dict mapping each thread's identifier to its current raised exception."},
    {"_current_frames()", sys_current_frames,
     "A dict mapping each thread's identifier to its current stack frame."},
    {"_debugmallocstats()", sys_nothing,
     "Print debug info to stderr about the state of the allocator."},
    {"_getframe(depth=0, /)", sys_getframe, "Return a frame object from the call stack."},
    {"_getframemodulename(depth=0)", sys_getframemodulename,
     "Return the name of the module for a calling frame."},
    {"_is_gil_enabled()", sys_true, "Return True if the GIL is currently enabled, else False."},
    {"_is_interned(string, /)", sys_is_interned, "Return True if the given string is interned."},
    {"_setprofileallthreads(function, /)", sys_setprofileallthreads,
     "Set the profiling function in all running threads."},
    {"_settraceallthreads(function, /)", sys_settraceallthreads,
     "Set the global debug tracing function in all running threads."},
    {"activate_stack_trampoline(backend, /)", sys_activate_trampoline,
     "Activate stack profiler trampoline *backend*."},
    {"call_tracing(func, args, /)", sys_call_tracing,
     "Call func(*args), while tracing is enabled."},
    {"deactivate_stack_trampoline()", sys_nothing,
     "Deactivate the current stack profiler trampoline backend."},
    {"exc_info()", sys_exc_info, "Return current exception information: (type, value, traceback)."},
    {"exception()", sys_exception, "Return the current exception."},
    {"exit(status=None, /)", sys_exit, "Exit the interpreter by raising SystemExit(status)."},
    {"get_asyncgen_hooks()", sys_get_asyncgen_hooks,
     "Return the installed asynchronous generators hooks."},
    {"get_coroutine_origin_tracking_depth()", sys_get_coroutine_origin,
     "Check status of origin tracking for coroutine objects in this thread."},
    {"get_int_max_str_digits()", sys_get_int_max_str_digits,
     "Return the maximum string digits limit for non-binary int<->str conversions."},
    {"getallocatedblocks()", sys_getallocatedblocks,
     "Return the number of memory blocks currently allocated."},
    {"getcheckinterval()", sys_getcheckinterval,
     "Return how many instructions run between two looks at other threads."},
    {"getdefaultencoding()", sys_utf8,
     "Return the current default encoding used by the Unicode implementation."},
    {"getdlopenflags()", sys_getdlopenflags,
     "Return the current value of the flags that are used for dlopen calls."},
    {"getfilesystemencodeerrors()", sys_surrogateescape,
     "Return the error mode used for Unicode to OS filename conversion."},
    {"getfilesystemencoding()", sys_utf8,
     "Return the encoding used to convert Unicode filenames to OS filenames."},
    {"getprofile()", sys_getprofile, "Return the profiling function set with sys.setprofile."},
    {"getrecursionlimit()", sys_getrecursionlimit,
     "Return the current value of the recursion limit."},
    {"getrefcount(object, /)", sys_getrefcount,
     "Return the reference count of object.\n\nEach running call counts an argument once more "
     "while the parameter still\n"
     "holds it, as a slot of the caller's stack does in the documented model."},
    {"getsizeof(object, default=<unrepresentable>)", sys_getsizeof,
     "Return the size of object in bytes."},
    {"getswitchinterval()", sys_getswitchinterval, "Return the current thread switch interval."},
    {"gettrace()", sys_gettrace, "Return the global debug tracing function set with sys.settrace."},
    {"getunicodeinternedsize(*, _only_immortal=False)", sys_getunicodeinternedsize,
     "Return the number of interned strings."},
    {"intern(string, /)", sys_intern, "Enter the string in the table of interned strings."},
    {"is_finalizing()", sys_is_finalizing, "Return True if the interpreter is shutting down."},
    {"is_stack_trampoline_active()", sys_false,
     "Return *True* if a stack profiler trampoline is active."},
    {"set_asyncgen_hooks(firstiter=<unrepresentable>, finalizer=<unrepresentable>)",
     sys_set_asyncgen_hooks, "Set hooks of asynchronous generators."},
    {"set_coroutine_origin_tracking_depth(depth)", sys_set_coroutine_origin,
     "Enable or disable origin tracking for coroutine objects in this thread."},
    {"set_int_max_str_digits(maxdigits)", sys_set_int_max_str_digits,
     "Set the maximum string digits limit for non-binary int<->str conversions."},
    {"setcheckinterval(n, /)", sys_setcheckinterval,
     "Let another thread have a turn after every n instructions."},
    {"setdlopenflags(flags, /)", sys_setdlopenflags,
     "Set the flags used by the interpreter for dlopen calls."},
    {"setprofile(function, /)", sys_setprofile, "Set the profiling function."},
    {"setrecursionlimit(limit, /)", sys_setrecursionlimit,
     "Set the maximum depth of the interpreter stack to n."},
    {"setswitchinterval(interval, /)", sys_setswitchinterval,
     "Set the ideal thread switching delay inside the interpreter, in seconds."},
    {"settrace(function, /)", sys_settrace, "Set the global debug tracing function."},
};

Status AddHooks(ThreadState& ts, ModuleObject* sys) {
  MVM_TRY(Ref<StrObject> module_name, InternUtf8(ts, "sys"));
  for (size_t i = 0; i < kSysHookFunctionCount; ++i) {
    const MethodSpec& spec = kSysHookFunctions[i];
    MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, sys, false, module_name));
    std::string name(spec.signature, std::string_view(spec.signature).find('('));
    MVM_TRY_VOID(ModuleAdd(ts, sys, name, f));
    if (name.size() > 4 && name.compare(name.size() - 4, 4, "hook") == 0 &&
        name != "addaudithook") {
      MVM_TRY_VOID(ModuleAdd(ts, sys, "__" + name + "__", f));
    }
  }
  return Ok();
}

}  // namespace

const ModuleSpec k_sys_module = {
    .name = "sys",
    .doc =
        "This module provides access to some objects used or maintained by the\n"
        "interpreter and to functions that interact strongly with the interpreter.",
    .functions = kFunctions,
    .exec = AddHooks,
};

Status InitSys(ThreadState& ts, const SysConfig& config) {
  RuntimeState& rt = *ts.rt;
  rt.optimize = config.optimize;
  MVM_TRY(Ref<ModuleObject> sys, NewNativeModule(ts, k_sys_module));
  rt.sys = Ref<ModuleObject>(sys).Release();
  MVM_TRY_VOID(ModuleAdd(ts, sys, "modules", Value(rt.modules)));
  MVM_TRY_VOID(AddSysInfo(ts, sys, config));
  for (const char* name : {"stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"}) {
    MVM_TRY_VOID(ModuleAdd(ts, sys, name, rt.none));
  }
  MVM_TRY_VOID(DictSetStr(ts, rt.modules, MVM_NAME(ts, sys), Value(sys.get())));
  rt.hooks.write_unraisable = WriteUnraisableHook;
  return Ok();
}

}  // namespace minivm
