// Tracing: call, line, return, exception and opcode events for scripts.
//
// While a trace or profile function is set, the thread runs under the tick table, so TraceStep sees
// every instruction: the first one of a frame that is not marked yet is its "call" event, one on
// another line (or a jump backwards) a "line" event; lines of statements that have no words come
// from the marks of the code (LineMark). A trace function may send its frame elsewhere by f_lineno
// (vm/interp/frame_jump.cpp). Marked frames report their return
// (InterpState::on_return) and the exceptions that pass (on_exception). Frames that were running
// before are not traced, unless the script sets f_trace.
//
// The profile function needs no ticks: it is told of calls by the hooks of those who watch calls
// (vm/interp/watch.h), of script functions and of native ones. The tools of sys.monitoring
// (vm/interp/monitor.h) are told by the same hooks, before trace and profile function; their lines
// are those of tracing.
#include "vm/builtins/sys_trace.h"

#include <vector>

#include "runtime/native/native_function.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/monitor.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

Ref<> SetTracing(ThreadState& ts, Value* field, Value function);

// f(frame, event, arg): a new reference to its result.
Result<> CallTracer(ThreadState& ts, Value function, FrameObject* frame, const char* event,
                    Value arg) {
  InterpState& state = InterpOf(ts);
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, event));
  Ref<> hold = Ref<>::Borrow(function);
  Value args[] = {Value(frame), Value(name.get()), arg.is_null() ? Value(ts.rt->none) : arg};
  state.in_trace = true;
  frame->event = event;
  Result<> result = Call(ts, hold, std::span<const Value>(args));
  frame->event = nullptr;
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

// Is this where the function begins, or the body of a generator?
bool Begins(const FunctionObject* f, const Word* pc) {
  const Word* const start = f->instance->words;
  return pc == start || (pc == start + 1 && static_cast<Op>(start->op) == Op::GENSTART);
}

Status TraceCall(ThreadState& ts, Value* base, const Word* pc) {
  InterpState& state = InterpOf(ts);
  SetFrameFlag(base, kFrameTraced);
  if (state.trace_function.is_null() && state.profile_function.is_null()) return Ok();
  MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
  // A call shows the line of the `def`, not that of the first instruction.
  struct AtCall {
    AtCall(FrameObject* f, bool on) : frame(f) { frame->at_call = on; }
    ~AtCall() { frame->at_call = false; }
    FrameObject* frame;
  };
  const bool begins = Begins(FunctionOf(base), pc);
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
  // None leaves a generator that goes on the trace function that it has.
  if (!IsNone(ts, local)) Decref(std::exchange(frame->trace, local.Release()));
  if (!frame->trace.is_null()) PinFrame(frame);
  return Ok();
}

// How many of the marks at `pc` the way there goes behind.
uint32_t MarksSkipped(const FunctionObject* f, const Word* from, const Word* pc) {
  if (from == nullptr || InfoOf(static_cast<Op>(from->op)).format[3] != 'J') return 0;
  return from + 1 + from->x == pc ? SkipAt(f->code, PcIndex(f, from)) : 0;
}

bool IsTraced(ThreadState& ts, const FrameObject* frame) {
  return !InterpOf(ts).trace_function.is_null() && !frame->trace.is_null() &&
         !IsNone(ts, frame->trace);
}

// ---- sys.monitoring ----

// Tells the tools, if any wants the event: `word` is where it is.
Status Monitor(ThreadState& ts, MonitorEvent event, const FunctionObject* f, const Word* word,
               std::span<const Value> args) {
  const MonitorEvent wanted = event >= MonitorEvent::kCReturn ? MonitorEvent::kCall : event;
  if (!(EventsWanted(ts, f->code) & MonitorBit(wanted))) return Ok();
  return FireEvent(ts, event, f->code, PcIndex(f, word), args);
}
// The usual case: the offset of the word and at most one more argument.
Status Monitor(ThreadState& ts, MonitorEvent event, const Value* base, const Word* pc,
               Value more = Value()) {
  if (InterpOf(ts).monitor == nullptr) return Ok();
  const FunctionObject* f = FunctionOf(base);
  const Value args[] = {Value::Int(OffsetOf(f->code, PcIndex(f, pc))), more};
  return Monitor(ts, event, f, pc, std::span(args, more.is_null() ? 1 : 2));
}

// Does the jump only step over handlers of exceptions, which CPython keeps out of the way?
bool OverHandler(const FunctionObject* f, const Word* from) {
  const uint32_t next = PcIndex(f, from) + 1;
  for (uint32_t i = 0; i < f->code->range_count; ++i) {
    if (f->code->ranges[i].handler == next) return true;
  }
  return false;
}

// The word before was a jump that has come to `pc`: JUMP, or BRANCH if there was a choice.
Status MonitorJump(ThreadState& ts, const FunctionObject* f, const Word* from, const Word* pc) {
  if (from == nullptr || InfoOf(static_cast<Op>(from->op)).format[3] != 'J') return Ok();
  const Op op = static_cast<Op>(from->op);
  if (op == Op::SEND || op == Op::ENDASYNCFOR) return Ok();
  const bool choice = op != Op::JMP && op != Op::LOOP;
  if (pc != from + 1 + from->x && !(choice && pc == from + 1)) return Ok();
  if (op == Op::JMP && OverHandler(f, from)) return Ok();
  const Value args[] = {Value::Int(OffsetOf(f->code, PcIndex(f, from))),
                        Value::Int(OffsetOf(f->code, PcIndex(f, pc)))};
  return Monitor(ts, choice ? MonitorEvent::kBranch : MonitorEvent::kJump, f, from, args);
}

// A "line" event, if it is another line or the same one again. `back`: units before the word.
Status ShowLine(ThreadState& ts, FrameObject* frame, int line, uint32_t back, bool again) {
  if (line < 0 || (line == frame->traced_line && !again)) return Ok();
  frame->traced_line = line;
  CodeObject* code = frame->function->code;
  if (EventsWanted(ts, code) & MonitorBit(MonitorEvent::kLine)) {
    const Value shown = Value::Int(line);
    MVM_TRY_VOID(FireEvent(ts, MonitorEvent::kLine, code,
                           PcIndex(frame->function, frame->traced_pc), std::span(&shown, 1)));
  }
  if (!frame->trace_lines || !IsTraced(ts, frame)) return Ok();
  frame->shown_line = line;
  frame->shown_back = back;
  Status done = CallLocal(ts, frame, "line", Value());
  frame->shown_line = -1;
  frame->shown_back = 0;
  if (done.raised()) frame->jump_pc = nullptr;
  return done;
}

// The lines that come up with the word at `pc`: those of statements without words, then its own.
// Where the trace function sets f_lineno it goes on there; ts.pc says where that is.
Status TraceLines(ThreadState& ts, FrameObject* frame, Value* base, const Word* pc) {
  const FunctionObject* f = frame->function;
  const Word* from = frame->traced_pc;
  MVM_TRY_VOID(MonitorJump(ts, f, from, pc));
  bool again = from != nullptr && pc <= from;
  uint32_t next = MarksSkipped(f, from, pc);
  for (;;) {
    frame->traced_pc = pc;
    const uint32_t at = PcIndex(f, pc);
    const std::span<const LineMark> marks = MarksAt(f->code, at);
    const auto count = static_cast<uint32_t>(marks.size());
    if (next > count) return Ok();
    if (next < count) {
      frame->line_pc = pc;
      frame->line_back = count - next;
      MVM_TRY_VOID(ShowLine(ts, frame, marks[next].line, count - next, again));
    } else if (!IsQuiet(static_cast<Op>(pc->op))) {
      const int line = LineAt(f->code, at);
      if (line >= 0) {
        frame->line_pc = pc;
        frame->line_back = 0;
      }
      MVM_TRY_VOID(ShowLine(ts, frame, line, 0, again));
    }
    ++next;
    again = false;
    if (frame->jump_pc != nullptr) {
      LeaveForJump(ts, frame, base, pc);
      pc = std::exchange(frame->jump_pc, nullptr);
      ts.pc = pc;
      next = frame->jump_mark;
    }
    if (!IsTraced(ts, frame) && !(EventsWanted(ts, f->code) & kSteppingEvents)) return Ok();
  }
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
  const uint32_t wanted = EventsWanted(ts, f->code) & kSteppingEvents;
  if (wanted == 0 && (state.trace_function.is_null() || !HeaderOf(base).has(kFrameObject))) {
    return Ok();
  }
  MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
  const bool traced = IsTraced(ts, frame);
  if (traced) {
    SetFrameFlag(base, kFrameTraced);
  } else if (wanted == 0) {
    return Ok();
  } else if (frame->traced_pc == nullptr) {
    PinFrame(frame);
    // If it has been running, its line is no news.
    frame->traced_line = Begins(f, pc) ? -1 : LineAt(f->code, PcIndex(f, pc));
  }
  MVM_TRY_VOID(TraceLines(ts, frame, base, pc));
  if (wanted & MonitorBit(MonitorEvent::kInstruction)) {
    MVM_TRY_VOID(Monitor(ts, MonitorEvent::kInstruction, base, static_cast<const Word*>(ts.pc)));
  }
  if (frame->trace_opcodes && traced) MVM_TRY_VOID(CallLocal(ts, frame, "opcode", Value()));
  return Ok();
}

// Events that come while an exception may be pending: it is put aside. What the trace function
// raises takes its place.
template <class F>
Status Beside(ThreadState& ts, F f) {
  Ref<> pending = TakePending(ts);
  Status done = f();
  if (done.raised()) return done;
  if (pending) RestorePending(ts, std::move(pending));
  return Ok();
}

// A word that is nobody's line leaves the frame: meanwhile it shows the last line that there was.
class LastLine {
 public:
  LastLine(ThreadState& ts, FrameObject* frame, const Word* pc) : ts_(ts), frame_(frame), pc_(pc) {
    if (frame->line_pc == nullptr ||
        LineAt(frame->function->code, PcIndex(frame->function, pc)) >= 0)
      return;
    ts.pc = frame->line_pc;
    frame->shown_line = frame->traced_line;
    frame->shown_back = frame->line_back;
  }
  ~LastLine() {
    ts_.pc = pc_;
    frame_->shown_line = -1;
    frame_->shown_back = 0;
  }

 private:
  ThreadState& ts_;
  FrameObject* frame_;
  const Word* pc_;
};

Status TraceReturn(ThreadState& ts, Value* base, const Word* pc, Value result) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace) return Ok();
  Ref<> hold = Ref<>::Borrow(result.is_null() ? ts.pending : result);
  const MonitorEvent event = result.is_null()                       ? MonitorEvent::kPyUnwind
                             : static_cast<Op>(pc->op) == Op::YIELD ? MonitorEvent::kPyYield
                                                                    : MonitorEvent::kPyReturn;
  return Beside(ts, [&]() -> Status {
    MVM_TRY_VOID(Monitor(ts, event, base, pc, hold));
    if (state.trace_function.is_null() && state.profile_function.is_null()) return Ok();
    if (event == MonitorEvent::kPyUnwind) hold = Ref<>();
    MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
    const LastLine last(ts, frame, pc);
    if (!state.trace_function.is_null()) {
      MVM_TRY_VOID(CallLocal(ts, frame, "return", hold));
    }
    if (state.profile_function.is_null()) return Ok();
    Result<> done = CallTracer(ts, state.profile_function, frame, "return", hold);
    if (done.raised()) {
      SetTracing(ts, &state.profile_function, Value());
      return kRaised;
    }
    Ref<> dropped = done.Take();
    return Ok();
  });
}

void TraceException(ThreadState& ts, Value* base, const Word* pc, bool again) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace) return;
  Ref<> exception = Ref<>::Borrow(ts.pending);
  (void)Beside(ts, [&]() -> Status {
    MVM_TRY_VOID(
        Monitor(ts, again ? MonitorEvent::kReraise : MonitorEvent::kRaise, base, pc, exception));
    if (again || state.trace_function.is_null() || !HeaderOf(base).has(kFrameTraced)) return Ok();
    MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
    Value traceback = exception.as<ExceptionObject>()->traceback;
    Value parts[] = {Value(TypeOf(ts, exception)), exception.get(),
                     traceback.is_null() ? Value(ts.rt->none) : traceback};
    MVM_TRY(Ref<TupleObject> info, NewTuple(ts, parts));
    return CallLocal(ts, frame, "exception", info);
  });
}

Status TraceHandled(ThreadState& ts, Value* base, const Word* pc, bool cleanup) {
  if (InterpOf(ts).in_trace) return Ok();
  Ref<> exception = Ref<>::Borrow(ts.pending);
  return Beside(ts, [&]() -> Status {
    MVM_TRY_VOID(Monitor(ts, MonitorEvent::kExceptionHandled, base, pc, exception));
    return cleanup ? Monitor(ts, MonitorEvent::kReraise, base, pc, exception) : Ok();
  });
}

// What a SEND got its values from has returned: shown as the StopIteration that CPython has there.
Status TraceStop(ThreadState& ts, Value* base, const Word* pc, Value result) {
  if (InterpOf(ts).in_trace) return Ok();
  Ref<> value = Ref<>::Borrow(result);
  Ref<> type = Ref<>::Borrow(Value(ExcType(ts, Exc::kStopIteration)));
  MVM_TRY(Ref<> stop, IsNone(ts, value) ? Call(ts, type) : Call(ts, type, value));
  MVM_TRY_VOID(Monitor(ts, MonitorEvent::kStopIteration, base, pc, stop));
  if (InterpOf(ts).trace_function.is_null() || !HeaderOf(base).has(kFrameTraced)) return Ok();
  RaiseObject(ts, stop);
  // To the tools it is no exception.
  MonitorState* monitor = std::exchange(InterpOf(ts).monitor, nullptr);
  TraceException(ts, base, pc, false);
  InterpOf(ts).monitor = monitor;
  if (!ts.pending.is(stop)) return kRaised;
  ClearPending(ts);
  return Ok();
}

// An exception is thrown into a generator: it is resumed for that.
Status TraceThrow(ThreadState& ts, Value* base, const Word* pc) {
  if (InterpOf(ts).in_trace) return Ok();
  Ref<> exception = Ref<>::Borrow(ts.pending);
  return Beside(ts, [&]() -> Status {
    MVM_TRY_VOID(Monitor(ts, MonitorEvent::kPyThrow, base, pc, exception));
    return HeaderOf(base).has(kFrameTraced) ? Ok() : TraceCall(ts, base, pc);
  });
}

// ---- calls, for the profile function and the tools ----

Status Entered(ThreadState& ts, Value* base, const Word* pc) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace) return Ok();
  const bool begins = Begins(FunctionOf(base), pc);
  MVM_TRY_VOID(Monitor(ts, begins ? MonitorEvent::kPyStart : MonitorEvent::kPyResume, base, pc));
  return HeaderOf(base).has(kFrameTraced) ? Ok() : TraceCall(ts, base, pc);
}

// c_call, c_return and c_exception. A method of a type shows bound to the receiver.
Status TellNative(ThreadState& ts, Value* base, const Word* pc, Value callee, Value first,
                  const char* event) {
  InterpState& state = InterpOf(ts);
  if (state.profile_function.is_null()) return Ok();
  if (IsExact(callee, TypeId::kBoundMethod)) {
    first = callee.as<BoundMethodObject>()->self;
    callee = callee.as<BoundMethodObject>()->function;
  }
  Ref<> shown;
  if (IsExact(callee, TypeId::kNativeFunction)) {
    shown = Ref<>::Borrow(callee);
  } else if (IsExact(callee, TypeId::kMethodDescriptor)) {
    const MethodDescriptorObject* d = callee.as<MethodDescriptorObject>();
    if (first.is_null() || !IsInstance(ts, first, d->owner)) return Ok();
    MVM_TRY(shown, NewNativeFunction(ts, *d->spec, first, true, nullptr));
  } else {
    return Ok();
  }
  MVM_TRY(Ref<FrameObject> frame, FrameFor(ts, base, pc));
  Result<> result = CallTracer(ts, state.profile_function, frame, event, shown);
  if (result.raised()) {
    SetTracing(ts, &state.profile_function, Value());
    return kRaised;
  }
  Ref<> dropped = result.Take();
  return Ok();
}

Status TellCall(ThreadState& ts, MonitorEvent event, const char* name, Value* base, const Word* pc,
                Value callee, Value first) {
  InterpState& state = InterpOf(ts);
  if (state.in_trace) return Ok();
  Ref<> hold_callee = Ref<>::Borrow(callee), hold_first = Ref<>::Borrow(first);
  if (state.monitor != nullptr) {
    const FunctionObject* f = FunctionOf(base);
    const Value args[] = {Value::Int(OffsetOf(f->code, PcIndex(f, pc))), callee,
                          first.is_null() || first.is_absent() ? state.monitor->missing : first};
    MVM_TRY_VOID(Monitor(ts, event, f, pc, args));
  }
  return TellNative(ts, base, pc, callee, first, name);
}

Result<bool> Calls(ThreadState& ts, Value* base, const Word* pc, Value callee, Value first) {
  const bool told = !InterpOf(ts).in_trace &&
                    (!InterpOf(ts).profile_function.is_null() ||
                     (EventsWanted(ts, FunctionOf(base)->code) & MonitorBit(MonitorEvent::kCall)));
  MVM_TRY_VOID(TellCall(ts, MonitorEvent::kCall, "c_call", base, pc, callee, first));
  return told;
}

Status Called(ThreadState& ts, Value* base, const Word* pc, Value callee, Value first,
              bool raised) {
  return Beside(ts, [&] {
    return TellCall(ts, raised ? MonitorEvent::kCRaise : MonitorEvent::kCReturn,
                    raised ? "c_exception" : "c_return", base, pc, callee, first);
  });
}

// The hooks of one thread.
void SetHooks(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  const uint32_t events = state.monitor ? state.monitor->somewhere : 0;
  const bool traces = !state.trace_function.is_null();
  const bool watches = events != 0 || !state.profile_function.is_null();
  state.trace = traces || (events & kSteppingEvents) ? TraceStep : nullptr;
  state.on_return = traces || watches ? TraceReturn : nullptr;
  state.on_exception = traces || events ? TraceException : nullptr;
  state.on_handled = events ? TraceHandled : nullptr;
  state.on_stop = traces || events ? TraceStop : nullptr;
  state.on_throw = traces || watches ? TraceThrow : nullptr;
  state.on_enter = watches ? Entered : nullptr;
  state.on_call = watches ? Calls : nullptr;
  state.on_called = watches ? Called : nullptr;
  if (UpdateWatching(ts).raised()) ClearPending(ts);
}

// Gives what the field held.
Ref<> SetTracing(ThreadState& ts, Value* field, Value function) {
  Value now =
      function.is_null() || IsNone(ts, function) ? Value() : Ref<>::Borrow(function).Release();
  Value old = std::exchange(*field, now);
  SetHooks(ts);
  return Ref<>::Steal(old);
}

// What the threads had is dropped when all have the new one: threads may end meanwhile.
Result<> SetAllTracing(ThreadState& ts, Value InterpState::*field, Value function) {
  std::vector<Ref<>> old;
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->interp != nullptr) old.push_back(SetTracing(*t, &(InterpOf(*t).*field), function));
  }
  return None(ts);
}

Result<> Show(ThreadState& ts, Value v) { return v.is_null() ? None(ts) : Result<>::Borrow(v); }

}  // namespace

void UpdateTraceHooks(ThreadState& ts) {
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->interp == nullptr) continue;
    InterpOf(*t).monitor = InterpOf(ts).monitor;
    SetHooks(*t);
  }
}

// Debuggers call it from their trace function: what it calls is traced again.
Result<> sys_call_tracing(ThreadState& ts, Args args) {
  if (!IsTuple(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "call_tracing() argument 2 must be tuple, not %T", args[1]);
  const bool saved = std::exchange(InterpOf(ts).in_trace, false);
  Result<> result = CallWith(ts, args[0], args.as<TupleObject>(1), nullptr);
  InterpOf(ts).in_trace = saved;
  return result;
}

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
  return SetAllTracing(ts, &InterpState::trace_function, args[0]);
}
Result<> sys_setprofileallthreads(ThreadState& ts, Args args) {
  return SetAllTracing(ts, &InterpState::profile_function, args[0]);
}

}  // namespace minivm
