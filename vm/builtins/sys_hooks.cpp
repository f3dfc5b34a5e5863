// The hooks of sys: what shows values, exceptions and warnings, and what audits.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/utf8.h"
#include "vm/builtins/sys_module.h"
#include "vm/interp/traceback.h"

namespace minivm {

namespace {

const GetSetSpec kUnraisableFields[] = {
    {"exc_type", StructItem<0>, nullptr, "The class of the exception."},
    {"exc_value", StructItem<1>, nullptr, "The exception, or None."},
    {"exc_traceback", StructItem<2>, nullptr, "Where it was raised, or None."},
    {"err_msg", StructItem<3>, nullptr, "What was going on, or None for the usual text."},
    {"object", StructItem<4>, nullptr, "What it happened in, or None."},
};
const StructSequenceSpec kUnraisableArgs = {
    StructSequenceTypeSpec("UnraisableHookArgs", kUnraisableFields,
                           "What sys.unraisablehook() gets."),
    5, 5};

// Attribute of sys without the module's __getattr__; null if absent. Borrowed.
Value SysLookup(ThreadState& ts, std::string_view name) {
  if (ts.rt->sys == nullptr || ts.rt->sys->dict == nullptr) return Value();
  Result<StrObject> key = InternUtf8(ts, name);
  if (key.raised()) {
    ClearPending(ts);
    return Value();
  }
  Ref<StrObject> k = key.Take();
  return DictGetStr(ts, ts.rt->sys->dict, k);
}

void WriteDescriptor(std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(2, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

void WriteStderr(ThreadState& ts, std::string_view text) {
  Ref<> stream = Ref<>::Borrow(SysLookup(ts, "stderr"));
  if (stream && IsNone(ts, stream)) return;  // there is none
  if (stream) {
    // Lone surrogates in messages and names stand in our own texts in the WTF-8 way.
    const bool ours = ScanUtf8(text.data(), text.size(), true).error == Utf8Error::kNone;
    Result<StrObject> s = ours ? NewStr(ts, text) : NewStrFromOs(ts, text);
    if (!s.raised()) {
      Ref<StrObject> str = s.Take();
      Result<> written = CallMethod(ts, stream, MVM_NAME(ts, write), Value(str.get()));
      if (!written.raised()) {
        Ref<> dropped = written.Take();
        Result<> flushed = CallMethod(ts, stream, MVM_NAME(ts, flush));
        if (flushed.raised()) {
          ClearPending(ts);
        } else {
          Ref<> dropped2 = flushed.Take();
        }
        return;
      }
    }
    ClearPending(ts);
  }
  WriteDescriptor(text);
}

bool FlushStandardStreams(ThreadState& ts) {
  bool ok = true;
  Ref<> error;
  for (const char* name : {"stdout", "stderr"}) {
    Ref<> stream = Ref<>::Borrow(SysLookup(ts, name));
    if (!stream || IsNone(ts, stream) || IsUntouched(ts, stream)) continue;
    Result<> closed = GetAttrOptional(ts, stream, "closed");
    bool is_closed = false;
    if (closed.raised()) {
      ClearPending(ts);
    } else {
      Ref<> c = closed.Take();
      is_closed = !c.is_absent() && IsTrue(ts, c);
    }
    if (is_closed) continue;
    Result<> flushed = CallMethod(ts, stream, MVM_NAME(ts, flush));
    if (!flushed.raised()) {
      Ref<> dropped = flushed.Take();
    } else if (name[3] == 'o') {
      ok = false;
      error = TakePending(ts);
    } else {
      ok = false;
      ClearPending(ts);
    }
  }
  if (error) RestorePending(ts, std::move(error));
  return ok;
}

// ---- uncaught exceptions ----

namespace {

Status SetLast(ThreadState& ts, Value exception) {
  ModuleObject* sys = ts.rt->sys;
  Value traceback = exception.as<ExceptionObject>()->traceback;
  MVM_TRY_VOID(ModuleAdd(ts, sys, "last_exc", exception));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "last_type", Value(TypeOf(ts, exception))));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "last_value", exception));
  return ModuleAdd(ts, sys, "last_traceback", traceback.is_null() ? Value(ts.rt->none) : traceback);
}

}  // namespace

void ReportException(ThreadState& ts, Ref<> exception) {
  if (ts.rt->sys == nullptr) {
    WriteDescriptor(PlainExceptionText(ts, exception));
    return;
  }
  if (SetLast(ts, exception).raised()) ClearPending(ts);
  Ref<> hook = Ref<>::Borrow(SysLookup(ts, "excepthook"));
  if (!hook) {
    WriteStderr(ts, "sys.excepthook is missing\n" + ExceptionText(ts, exception));
    return;
  }
  Value traceback = exception.as<ExceptionObject>()->traceback;
  Result<> done = Call(ts, hook, Value(TypeOf(ts, exception)), exception,
                       traceback.is_null() ? Value(ts.rt->none) : traceback);
  if (!done.raised()) {
    Ref<> dropped = done.Take();
    return;
  }
  Ref<> second = TakePending(ts);
  WriteStderr(ts, "Error in sys.excepthook:\n" + ExceptionText(ts, second) +
                      "\nOriginal exception was:\n" + ExceptionText(ts, exception));
}

int ExitStatus(ThreadState& ts, Value exit, std::string* message, bool* has_message) {
  Ref<> hold = Ref<>::Borrow(exit);
  Result<> got = GetAttrOptional(ts, exit, "code");
  if (got.raised()) {
    ClearPending(ts);
    return 1;
  }
  Ref<> code = got.Take();
  if (code.is_absent() || IsNone(ts, code)) return 0;
  if (IsInt(ts, code)) {
    int64_t n;
    if (!IntFitsInt64(code, &n)) return -1 & 0xFF;
    return static_cast<int>(n & 0xFF);
  }
  if (has_message != nullptr) *has_message = true;
  Result<StrObject> text = ToStr(ts, code);
  if (text.raised()) {
    ClearPending(ts);
  } else {
    Ref<StrObject> s = text.Take();
    for (size_t i = 0; i < s->length; ++i) {
      const char32_t c = s->At(i);
      char buf[8];
      if (c >= 0xD800 && c < 0xE000) {  // as the error handler of stderr has it
        message->append(buf, static_cast<size_t>(std::snprintf(buf, sizeof(buf), "\\u%04x", c)));
      } else {
        message->append(buf, EncodeUtf8(buf, c));
      }
    }
  }
  return 1;
}

// ---- unraisable exceptions ----

namespace {

// The default hook. `where` and `message` may be None.
void ShowUnraisable(ThreadState& ts, Value exception, Value where, Value message) {
  std::string text;
  bool has_message = !message.is_null() && IsStr(ts, message);
  bool has_where = !where.is_null() && !IsNone(ts, where);
  if (has_message || has_where) {
    text = has_message ? ToUtf8(message.as<StrObject>()) : "Exception ignored in";
    if (has_where) {
      text += ": ";
      Result<StrObject> repr = Repr(ts, where);
      if (repr.raised()) {
        ClearPending(ts);
        text += "<object repr() failed>";
      } else {
        Ref<StrObject> s = repr.Take();
        text += ToUtf8(s);
      }
    }
    text += has_where ? "\n" : ":\n";
  }
  if (!exception.is_null() && IsException(ts, exception)) text += ExceptionText(ts, exception);
  WriteStderr(ts, text);
}

}  // namespace

void WriteUnraisableHook(ThreadState& ts, Value exception, Value where, const char* message) {
  Ref<> hold = Ref<>::Borrow(exception), hold_where = Ref<>::Borrow(where);
  // One that was raised natively shows at least where the script was.
  if (exception.as<ExceptionObject>()->traceback.is_null() && ts.base != nullptr) {
    ts.pending = Ref<>(hold).Release();
    if (AddTraceback(ts, ts.base, static_cast<const Word*>(ts.pc)).raised()) ClearPending(ts);
    Ref<> unused = TakePending(ts);
  }
  Ref<StrObject> text;
  if (message) {
    Result<StrObject> made = NewStr(ts, message);
    if (made.raised()) {
      ClearPending(ts);
    } else {
      text = made.Take();
    }
  }
  Value none = ts.rt->none;
  Ref<> hook = Ref<>::Borrow(SysLookup(ts, "unraisablehook"));
  if (hook && !IsNone(ts, hook)) {
    Value traceback = exception.as<ExceptionObject>()->traceback;
    Value values[] = {Value(TypeOf(ts, exception)), exception,
                      traceback.is_null() ? none : traceback, text ? Value(text.get()) : none,
                      where.is_null() ? none : where};
    Result<TupleObject> args = NewStructSequence(ts, kUnraisableArgs, values);
    if (!args.raised()) {
      Ref<TupleObject> a = args.Take();
      Result<> done = Call(ts, hook, Value(a.get()));
      if (!done.raised()) {
        Ref<> dropped = done.Take();
        return;
      }
      // The hook itself failed: both are shown.
      Ref<> second = TakePending(ts);
      Result<StrObject> title = NewStr(ts, "Exception ignored in sys.unraisablehook");
      Ref<StrObject> title_text;
      if (title.raised()) {
        ClearPending(ts);
      } else {
        title_text = title.Take();
      }
      ShowUnraisable(ts, second, hook, title_text ? Value(title_text.get()) : none);
      return;
    }
    ClearPending(ts);
  }
  ShowUnraisable(ts, exception, where, text ? Value(text.get()) : none);
}

// ---- auditing ----

Status Audit(ThreadState& ts, const char* event, std::initializer_list<Value> args) {
  if (MVM_LIKELY(ts.rt->audit_hooks == nullptr)) return Ok();
  MVM_TRY(Ref<StrObject> name, NewStr(ts, event));
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, {args.begin(), args.size()}));
  Ref<ListObject> hooks = Ref<ListObject>::Borrow(ts.rt->audit_hooks);
  for (uint64_t i = 0; i < hooks->size; ++i) {
    Ref<> hook = Ref<>::Borrow(hooks->items[i]);
    MVM_TRY_VOID(Call(ts, hook, Value(name.get()), Value(tuple.get())));
  }
  return Ok();
}

// ---- functions ----

namespace {

Result<> sys_audit(ThreadState& ts, Args args) {
  if (ts.rt->audit_hooks == nullptr) return None(ts);
  MVM_TRY(StrObject * event, ExpectStr(ts, args[0], "audit() argument 1"));
  Ref<ListObject> hooks = Ref<ListObject>::Borrow(ts.rt->audit_hooks);
  for (uint64_t i = 0; i < hooks->size; ++i) {
    Ref<> hook = Ref<>::Borrow(hooks->items[i]);
    MVM_TRY_VOID(Call(ts, hook, Value(event), args[1]));
  }
  return None(ts);
}

Result<> sys_addaudithook(ThreadState& ts, Args args) {
  // Hooks that are there may refuse the new one, quietly with an Exception.
  if (Audit(ts, "sys.addaudithook", {}).raised()) {
    if (ClearPendingIf(ts, Exc::kException)) return None(ts);
    return kRaised;
  }
  if (ts.rt->audit_hooks == nullptr) {
    MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
    ts.rt->audit_hooks = list.Release();
  }
  MVM_TRY_VOID(ListAppend(ts, ts.rt->audit_hooks, args[0]));
  return None(ts);
}

Result<> sys_excepthook(ThreadState& ts, Args args) {
  Value exception = args[1];
  if (!IsException(ts, exception)) {
    MVM_TRY(Ref<StrObject> text,
            Format(ts, "TypeError: print_exception(): Exception expected for value, %T found\n",
                   exception));
    WriteStderr(ts, ToUtf8(text));
    return None(ts);
  }
  Ref<> hold = Ref<>::Borrow(exception);
  Value traceback = args[2];
  ExceptionObject* e = exception.as<ExceptionObject>();
  if (!traceback.is_absent() && IsExact(traceback, TypeId::kTraceback) &&
      (e->traceback.is_null() || IsNone(ts, e->traceback))) {
    Decref(std::exchange(e->traceback, Ref<>::Borrow(traceback).Release()));
  }
  WriteStderr(ts, ExceptionText(ts, exception));
  return None(ts);
}

// Writes text that the stream's encoding cannot hold, with escapes.
Status WriteEscaped(ThreadState& ts, Value out, StrObject* text) {
  MVM_TRY(Ref<> encoding, GetAttr(ts, out, MVM_NAME(ts, encoding)));
  MVM_TRY(Ref<StrObject> encode, InternUtf8(ts, "encode"));
  MVM_TRY(Ref<StrObject> decode, InternUtf8(ts, "decode"));
  MVM_TRY(Ref<StrObject> errors, NewStr(ts, "backslashreplace"));
  Value pair[] = {encoding.get(), Value(errors.get())};
  MVM_TRY(Ref<> bytes, CallMethod(ts, Value(text), encode, pair));
  MVM_TRY(Ref<> buffer, GetAttrOptional(ts, out, "buffer"));
  if (!buffer.is_absent()) {
    MVM_TRY_VOID(CallMethod(ts, buffer, MVM_NAME(ts, write), bytes));
    return Ok();
  }
  Value strict[] = {encoding.get(), Value(MVM_NAME(ts, strict))};
  MVM_TRY(Ref<> escaped, CallMethod(ts, bytes, decode, strict));
  MVM_TRY_VOID(CallMethod(ts, out, MVM_NAME(ts, write), escaped));
  return Ok();
}

Result<> sys_displayhook(ThreadState& ts, Args args) {
  Value value = args[0];
  if (IsNone(ts, value)) return None(ts);
  ModuleObject* builtins = ts.rt->builtins;
  if (builtins == nullptr) return Raise(ts, Exc::kRuntimeError, "lost builtins module");
  Value underscore = Value(ts.rt->latin1[+'_']);
  MVM_TRY_VOID(DictSet(ts, builtins->dict, underscore, ts.rt->none));
  Ref<> out = Ref<>::Borrow(SysLookup(ts, "stdout"));
  if (!out || IsNone(ts, out)) return Raise(ts, Exc::kRuntimeError, "lost sys.stdout");
  MVM_TRY(Ref<StrObject> text, Repr(ts, value));
  Result<> written = CallMethod(ts, out, MVM_NAME(ts, write), Value(text.get()));
  if (written.raised()) {
    if (!ClearPendingIf(ts, Exc::kUnicodeEncodeError)) return kRaised;
    MVM_TRY_VOID(WriteEscaped(ts, out, text));
  } else {
    Ref<> dropped = written.Take();
  }
  MVM_TRY_VOID(CallMethod(ts, out, MVM_NAME(ts, write), Value(ts.rt->latin1[+'\n'])));
  MVM_TRY_VOID(DictSet(ts, builtins->dict, underscore, value));
  return None(ts);
}

Result<> sys_unraisablehook(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, kUnraisableArgs));
  if (TypeOf(ts, args[0]) != type) {
    return Raise(ts, Exc::kTypeError,
                 "sys.unraisablehook argument type must be UnraisableHookArgs");
  }
  TupleObject* t = args.as<TupleObject>(0);
  ShowUnraisable(ts, (*t)[1], (*t)[4], (*t)[3]);
  return None(ts);
}

// sys.breakpointhook(): what PYTHONBREAKPOINT names, pdb.set_trace by default.
Result<> sys_breakpointhook(ThreadState& ts, Args args) {
  const char* env = std::getenv("PYTHONBREAKPOINT");
  std::string name = env && *env ? env : "pdb.set_trace";
  if (name == "0") return None(ts);
  size_t dot = name.rfind('.');
  std::string module = dot == name.npos ? "builtins" : name.substr(0, dot);
  std::string function = dot == name.npos ? name : name.substr(dot + 1);
  Ref<> hook;
  Result<> imported = ts.rt->hooks.import_module(ts, module);
  if (imported.raised()) {
    if (!ClearPendingIf(ts, Exc::kImportError)) return kRaised;
  } else {
    Ref<> m = imported.Take();
    MVM_TRY(hook, GetAttrOptional(ts, m, function));
  }
  if (!hook || hook.is_absent()) {
    MVM_TRY_VOID(Warn(ts, Exc::kRuntimeWarning, 1,
                      "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", name.c_str()));
    return None(ts);
  }
  return CallRaw(ts, hook, args);
}

}  // namespace

const MethodSpec kSysHookFunctions[] = {
    {"addaudithook(hook)", sys_addaudithook,
     "Has hook(event, args) called for every audit event; there is no way back."},
    {"audit(event, /, *args)", sys_audit,
     "Tells the hooks of an event, with its arguments as a tuple."},
    {"breakpointhook(...)", sys_breakpointhook,
     "Starts the debugger that PYTHONBREAKPOINT names, pdb by default."},
    {"displayhook(object, /)", sys_displayhook,
     "Prints the repr() of a value, unless None, and keeps it as builtins._"},
    {"excepthook(exctype, value, traceback, /)", sys_excepthook,
     "Writes an exception with its traceback to sys.stderr."},
    {"unraisablehook(unraisable, /)", sys_unraisablehook,
     "Writes an exception that has no caller to go to, as from __del__(), to sys.stderr."},
};
const size_t kSysHookFunctionCount = sizeof(kSysHookFunctions) / sizeof(kSysHookFunctions[0]);

}  // namespace minivm
