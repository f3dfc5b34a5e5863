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
#include "vm/builtins/sys_monitoring.h"
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
    t->depth_limit = static_cast<uint64_t>(limit + 1) << 32;  // the limit itself is reached
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
  if (ts.rt->hooks.threads_changed) ts.rt->hooks.threads_changed(*ts.rt);
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
    MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, w.base(), w.pc()));
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
    {"firstiter", StructItem<0>, nullptr,
     "Called with an asynchronous generator before its first step."},
    {"finalizer", StructItem<1>, nullptr, "Called with one that is dropped before its end."},
};
const StructSequenceSpec kAsyncgenHooks = {
    StructSequenceTypeSpec(
        "sys.asyncgen_hooks", kAsyncgenHooksFields,
        "The two functions that an event loop watches asynchronous generators with."),
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
Result<> sys_is_finalizing(ThreadState& ts, Args args) { return Bool(ts, ts.rt->ending); }
Result<> sys_false(ThreadState& ts, Args args) { return Bool(ts, false); }
Result<> sys_true(ThreadState& ts, Args args) { return Bool(ts, true); }
Result<> sys_nothing(ThreadState& ts, Args args) { return None(ts); }
Result<> sys_getallocatedblocks(ThreadState& ts, Args args) {
  int64_t n = 0;
  ts.heap().ForEachObject([&n](Object*) { ++n; });
  return Small(n);
}
Result<> sys_getunicodeinternedsize(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(ts.rt->interned->size()));
}
Result<> sys_getdlopenflags(ThreadState& ts, Args args) { return Small(ts.rt->dlopen_flags); }
Result<> sys_setdlopenflags(ThreadState& ts, Args args) {
  MVM_TRY(int64_t flags, AsInt64(ts, args[0]));
  if (flags != static_cast<int32_t>(flags)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  ts.rt->dlopen_flags = static_cast<int32_t>(flags);
  return None(ts);
}
Result<> sys_activate_trampoline(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectStr(ts, args[0], "activate_stack_trampoline() argument"));
  return Raise(ts, Exc::kValueError, "perf trampoline not available");
}

const MethodSpec kFunctions[] = {
    {"_clear_internal_caches()", sys_nothing,
     "Does nothing: caches of the VM look after themselves."},
    {"_clear_type_cache()", sys_nothing, "Does nothing: caches of the VM look after themselves."},
    {"_current_exceptions()", sys_current_exceptions,
     "The exception being handled, or None, under the id of each thread."},
    {"_current_frames()", sys_current_frames, "The innermost frame under the id of each thread."},
    {"_debugmallocstats()", sys_nothing, "Does nothing: the allocator keeps no such statistics."},
    {"_getframe(depth=0, /)", sys_getframe,
     "The frame of the caller, or the one depth calls further out."},
    {"_getframemodulename(depth=0)", sys_getframemodulename,
     "The __name__ of the module that the frame depth calls out runs in, or None."},
    {"_heap_stats()", sys_heap_stats,
     "What the heap holds (minivm only): a dict of bytes, peak_bytes, limit (0: none), objects, "
     "and "
     "types, a list of (type, objects, bytes), the largest first."},
    {"_is_gil_enabled()", sys_true, "True: one thread at a time runs Python code."},
    {"_is_interned(string, /)", sys_is_interned, "Whether intern() would give this very string."},
    {"_setprofileallthreads(function, /)", sys_setprofileallthreads,
     "setprofile() for all threads that run now."},
    {"_settraceallthreads(function, /)", sys_settraceallthreads,
     "settrace() for all threads that run now."},
    {"activate_stack_trampoline(backend, /)", sys_activate_trampoline,
     "A ValueError: there is no support for perf."},
    {"call_tracing(func, args, /)", sys_call_tracing,
     "func(*args); for debuggers that trace what they call."},
    {"deactivate_stack_trampoline()", sys_nothing, "Does nothing: there is no support for perf."},
    {"exc_info()", sys_exc_info,
     "(type, exception, traceback) of what is being handled, or three times None."},
    {"exception()", sys_exception, "The exception being handled, or None."},
    {"exit(status=None, /)", sys_exit,
     "Raises SystemExit(status): 0 or None for success, a text to print for failure."},
    {"get_asyncgen_hooks()", sys_get_asyncgen_hooks,
     "The hooks of this thread, as set_asyncgen_hooks() left them."},
    {"get_coroutine_origin_tracking_depth()", sys_get_coroutine_origin,
     "How many frames a new coroutine notes in cr_origin; 0 for none."},
    {"get_int_max_str_digits()", sys_get_int_max_str_digits,
     "The most digits that int() and str() convert; 0 for no limit."},
    {"getallocatedblocks()", sys_getallocatedblocks, "How many objects the heap holds."},
    {"getcheckinterval()", sys_getcheckinterval,
     "How many instructions run between two looks at other threads."},
    {"getdefaultencoding()", sys_utf8, "'utf-8', for str.encode() and bytes.decode()."},
    {"getdlopenflags()", sys_getdlopenflags,
     "What setdlopenflags() was told, RTLD_NOW at first; no libraries are loaded."},
    {"getfilesystemencodeerrors()", sys_surrogateescape,
     "How names of files that are no UTF-8 become strings: as lone surrogates."},
    {"getfilesystemencoding()", sys_utf8,
     "'utf-8', for names of files, arguments and the environment."},
    {"getprofile()", sys_getprofile, "What setprofile() was given, or None."},
    {"getrecursionlimit()", sys_getrecursionlimit,
     "How deep calls may nest before a RecursionError."},
    {"getrefcount(object, /)", sys_getrefcount,
     "How many references to the object there are.\n\n"
     "A running call counts its argument once more for as long as the parameter holds it,\n"
     "as a slot on the stack of the caller does in the documented model."},
    {"getsizeof(object, default=<unrepresentable>)", sys_getsizeof,
     "The bytes of the object, by __sizeof__(); the default where that is a TypeError."},
    {"getswitchinterval()", sys_getswitchinterval, "Seconds that a thread runs while others wait."},
    {"gettrace()", sys_gettrace, "What settrace() was given, or None."},
    {"getunicodeinternedsize(*, _only_immortal=False)", sys_getunicodeinternedsize,
     "How many strings are interned."},
    {"intern(string, /)", sys_intern,
     "The one string of this text that is kept for all; such strings compare by identity."},
    {"is_finalizing()", sys_is_finalizing, "Whether the VM is being taken down."},
    {"is_stack_trampoline_active()", sys_false, "False: there is no support for perf."},
    {"set_asyncgen_hooks(firstiter=<unrepresentable>, finalizer=<unrepresentable>)",
     sys_set_asyncgen_hooks,
     "Replaces the hooks that are given, for this thread; None takes one away."},
    {"set_coroutine_origin_tracking_depth(depth)", sys_set_coroutine_origin,
     "Has new coroutines of this thread note depth frames in cr_origin."},
    {"set_int_max_str_digits(maxdigits)", sys_set_int_max_str_digits,
     "Limits the digits that int() and str() convert: 640 or more, 0 for no limit."},
    {"setcheckinterval(n, /)", sys_setcheckinterval,
     "Lets another thread have a turn after every n instructions."},
    {"setdlopenflags(flags, /)", sys_setdlopenflags,
     "Accepted without effect: no libraries are loaded."},
    {"setprofile(function, /)", sys_setprofile,
     "Has function(frame, event, arg) called on calls and returns of this thread."},
    {"setrecursionlimit(limit, /)", sys_setrecursionlimit,
     "Lets calls nest limit deep; RecursionError if they already do."},
    {"setswitchinterval(interval, /)", sys_setswitchinterval,
     "Lets a thread run for that many seconds while others wait."},
    {"settrace(function, /)", sys_settrace,
     "Has function(frame, event, arg) called on new frames of this thread, for a debugger."},
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
    .doc = "The VM as programs see it: its version, limits, hooks, standard streams and modules.",
    .functions = kFunctions,
    .exec = AddHooks,
    .late = kLateSysInfo,
    .late_members = true,
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
