// Tracing: call, line, return, exception and opcode events for scripts.
//
// While a trace or profile function is set, the thread runs under the tick table, so TraceStep sees
// every instruction: the first one of a frame that is not marked yet is its "call" event, one on
// another line (or a jump backwards) a "line" event. Marked frames report their return
// (InterpState::on_return) and the exceptions that pass (on_exception). Frames that were running
// before are not traced, unless the script sets f_trace. The profiler sees calls and returns of
// script functions; calls of native functions are not reported to it.
#include "vm/builtins/sys_trace.h"

#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_state.h"

namespace minivm {

namespace {

void SetTracing(ThreadState& ts, Value* field, Value function);

// f(frame, event, arg): a new reference to its result.
Result<> CallTracer(ThreadState& ts, Value function, FrameObject* frame, const char* event,
                    Value arg) {
  InterpState& state = InterpOf(ts);
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, event));
  Ref<> hold = Ref<>::Borrow(function);
  Value args[] = {Value(frame), Value(name.get()), arg.is_null() ? Value(ts.rt->none) : arg};
  state.in_trace = true;
  Result<> result = Call(ts, hold, std::span<const Value>(args));
  state.in_trace = false;
  return result;
}

// A trace function that raises is removed.
Raised Fail(ThreadState& ts) {
  SetTracing(ts, &InterpOf(ts).trace_function, Value());
  return kRaised;
}

// Calls the frame's own trace function; what it returns takes its place.
Status CallLocal(ThreadState& ts, FrameObject* frame, const char* event, Value arg) {
  if (frame->trace.is_null() || IsNone(ts, frame->trace)) return Ok();
  Result<> result = CallTracer(ts, frame->trace, frame, event, arg);
  if (result.raised()) return Fail(ts);
  Ref<> next = result.Take();
  if (!IsNone(ts, next)) Decref(std::exchange(frame->trace, next.Release()));
  return Ok();
}

Status TraceCall(ThreadState& ts, Value* base, const Word* pc) {
  InterpState& state = InterpOf(ts);
  SetFrameFlag(base, kFrameTraced);
  MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
  // A call shows the line of the `def`, not that of the first instruction.
  struct AtCall {
    AtCall(FrameObject* f, bool on) : frame(f) { frame->at_call = on; }
    ~AtCall() { frame->at_call = false; }
    FrameObject* frame;
  };
  const Word* const start = FunctionOf(base)->instance->words;
  const bool begins =
      pc == start || (pc == start + 1 && static_cast<Op>(start->op) == Op::GENSTART);
  // A generator goes on in the midst of its line, which is no news.
  frame->traced_line = begins ? -1 : LineAt(FunctionOf(base)->code, PcIndex(FunctionOf(base), pc));
  frame->traced_pc = nullptr;
  const AtCall at_call(frame, begins);
  if (!state.profile_function.is_null()) {
    Result<> result = CallTracer(ts, state.profile_function, frame, "call", Value());
    if (result.raised()) {
      SetTracing(ts, &state.profile_function, Value());
      return kRaised;
    }
    Ref<> dropped = result.Take();
  }
  if (state.trace_function.is_null()) return Ok();
  Result<> result = CallTracer(ts, state.trace_function, frame, "call", Value());
  if (result.raised()) return Fail(ts);
  Ref<> local = result.Take();
  Decref(std::exchange(frame->trace, IsNone(ts, local) ? Value() : local.Release()));
  if (!frame->trace.is_null()) PinFrame(frame);
  return Ok();
}

Status TraceStep(ThreadState& ts, Value* base, const Word* pc) {
  InterpState& state = InterpOf(ts);
  // Making a generator is no call.
  if (state.in_trace || static_cast<Op>(pc->op) == Op::GENSTART) return Ok();
  FrameHeader header = HeaderOf(base);
  FunctionObject* f = FunctionOf(base);
  bool resumed = header.has(kFrameGenerator);
  if (!header.has(kFrameTraced) && (resumed || pc == f->instance->words)) {
    MVM_TRY_VOID(TraceCall(ts, base, pc));
  }
  if (state.trace_function.is_null() || !HeaderOf(base).has(kFrameObject)) return Ok();
  MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
  if (frame->trace.is_null() || IsNone(ts, frame->trace)) return Ok();
  SetFrameFlag(base, kFrameTraced);
  int line = LineAt(f->code, PcIndex(f, pc));
  bool back = frame->traced_pc != nullptr && pc <= frame->traced_pc;
  frame->traced_pc = pc;
  if (frame->trace_lines && line > 0 && (line != frame->traced_line || back)) {
    frame->traced_line = line;
    MVM_TRY_VOID(CallLocal(ts, frame, "line", Value()));
  }
  if (frame->trace_opcodes) MVM_TRY_VOID(CallLocal(ts, frame, "opcode", Value()));
  return Ok();
}

// Events that come while an exception may be pending: it is put aside. What the trace function
// raises takes its place.
template <class F>
void Beside(ThreadState& ts, F f) {
  Ref<> pending = TakePending(ts);
  Status done = f();
  if (done.raised()) return;
  if (pending) RestorePending(ts, std::move(pending));
}

void TraceReturn(ThreadState& ts, Value* base, const Word* pc, Value result) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace) return;
  Ref<> hold = Ref<>::Borrow(result);
  Beside(ts, [&]() -> Status {
    MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
    if (!state.trace_function.is_null()) {
      Status done = CallLocal(ts, frame, "return", hold);
      // A value is on its way to the caller: an exception of the tracer cannot take its place.
      if (done.raised()) WriteUnraisable(ts, frame);
    }
    if (!state.profile_function.is_null()) {
      Result<> done = CallTracer(ts, state.profile_function, frame, "return", hold);
      if (done.raised()) {
        WriteUnraisable(ts, frame);
      } else {
        Ref<> dropped = done.Take();
      }
    }
    return Ok();
  });
}

void TraceException(ThreadState& ts, Value* base, const Word* pc) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace || state.trace_function.is_null()) return;
  Ref<> exception = Ref<>::Borrow(ts.pending);
  Beside(ts, [&]() -> Status {
    MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
    Value traceback = exception.as<ExceptionObject>()->traceback;
    Value parts[] = {Value(TypeOf(ts, exception)), exception.get(),
                     traceback.is_null() ? Value(ts.rt->none) : traceback};
    MVM_TRY(Ref<TupleObject> info, NewTuple(ts, parts));
    return CallLocal(ts, frame, "exception", info);
  });
}

void SetTracing(ThreadState& ts, Value* field, Value function) {
  InterpState& state = InterpOf(ts);
  Value now =
      function.is_null() || IsNone(ts, function) ? Value() : Ref<>::Borrow(function).Release();
  Value old = std::exchange(*field, now);
  bool on = !state.trace_function.is_null() || !state.profile_function.is_null();
  state.trace = on ? TraceStep : nullptr;
  state.on_return = on ? TraceReturn : nullptr;
  state.on_exception = on ? TraceException : nullptr;
  UpdateTicking(ts);
  Decref(old);
}

Result<> Show(ThreadState& ts, Value v) { return v.is_null() ? None(ts) : Result<>::Borrow(v); }

}  // namespace

Result<> sys_settrace(ThreadState& ts, Args args) {
  SetTracing(ts, &InterpOf(ts).trace_function, args[0]);
  return None(ts);
}
Result<> sys_gettrace(ThreadState& ts, Args args) { return Show(ts, InterpOf(ts).trace_function); }
Result<> sys_setprofile(ThreadState& ts, Args args) {
  SetTracing(ts, &InterpOf(ts).profile_function, args[0]);
  return None(ts);
}
Result<> sys_getprofile(ThreadState& ts, Args args) {
  return Show(ts, InterpOf(ts).profile_function);
}
Result<> sys_settraceallthreads(ThreadState& ts, Args args) {
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->interp != nullptr) SetTracing(*t, &InterpOf(*t).trace_function, args[0]);
  }
  return None(ts);
}
Result<> sys_setprofileallthreads(ThreadState& ts, Args args) {
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->interp != nullptr) SetTracing(*t, &InterpOf(*t).profile_function, args[0]);
  }
  return None(ts);
}

}  // namespace minivm
