// Futures, tasks, handles and the hot half of an event loop: the objects of module _asyncio.
//
// What is slow anyway (texts, debug mode, errors, timers, descriptors) is in the package asyncio,
// in the language, and called from here. What a step of a task takes is native: a loop that
// schedules the way SchedulerObject does gets handles which say "the next step of that task"
// without a callable, a tuple of arguments or a frame; any other loop gets callables.
#pragma once

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm::aio {

class TaskObject;

#define MVM_AIO_NAMES(N)      \
  N(add_done_callback)        \
  N(_asyncio_future_blocking) \
  N(call_exception_handler)   \
  N(call_soon) N(cancel) N(context) N(_check_call) N(get_debug) N(msg) N(result) N(run) N(_run)
enum class Name : uint8_t {
#define N(n) k##n,
  MVM_AIO_NAMES(N)
#undef N
      kCount
};

// What the module keeps for itself: in the dictionary of its own type, where no script finds it.
class StateObject : public Object {
 public:
  TypeObject* cancelled_error = nullptr;  // classes of asyncio.exceptions
  TypeObject* invalid_state = nullptr;
  Value call_soon;                // Scheduler.call_soon, as found in the class
  DictObject* current = nullptr;  // loop -> task that runs in it, unless a Scheduler knows
  DictObject* running = nullptr;  // id of a thread -> loop that runs in it
  StrObject* names[static_cast<size_t>(Name::kCount)] = {};
  TupleObject* context_keyword = nullptr;                       // ('context',)
  uint32_t future_shape = 0, task_shape = 0, handle_shape = 0;  // of exactly these types
  int64_t task_number = 0;
  TaskObject* tasks = nullptr;  // those that are not done; borrowed, a list by next
  template <class V>
  void VisitRefs(V&& v) {
    v(cancelled_error);
    v(invalid_state);
    v(call_soon);
    v(current);
    v(running);
    for (StrObject*& n : names) v(n);
    v(context_keyword);
  }
  StrObject* name(Name n) const { return names[static_cast<size_t>(n)]; }
};
Result<StateObject*> StateOf(ThreadState& ts);
// The module's exec makes it.
Status MakeState(ThreadState& ts);

enum class FutureState : uint8_t { kNone, kPending, kCancelled, kFinished };

// Invariants: callback and more are null unless it is pending; callback is null only if more is;
// wakes: callback is a TaskObject, whose wake-up it stands for.
class FutureObject : public Object {
 public:
  StateObject* module = nullptr;  // null: __init__ has not run
  Value loop;
  Value callback, context;     // the first callback; most futures have no other
  ListObject* more = nullptr;  // the others: tuples (function, context)
  Value result;                // or the exception, if `failed`
  Value traceback;             // of the exception, when it was set
  Value message;               // of cancel(); null: None
  Value cancelled_error;       // what ended a task, until somebody takes it
  Value source_traceback;      // debug mode; null: None
  FutureState state = FutureState::kNone;
  bool failed = false;
  bool blocking = false;  // __await__ has just handed it to a task
  bool unread = false;    // an exception is set that nobody has seen
  bool wakes = false;
  bool in_scheduler = false;  // the loop is a SchedulerObject
  template <class V>
  void VisitRefs(V&& v) {
    v(module);
    v(loop);
    v(callback);
    v(context);
    v(more);
    v(result);
    v(traceback);
    v(message);
    v(cancelled_error);
    v(source_traceback);
  }
};

class TaskObject : public FutureObject {
 public:
  Value coro;          // null: an eager task that ended at once
  Value task_context;  // in which it runs
  Value name;          // a str, or the int N of Task-N
  Value waits_for;     // the future; null: none
  int64_t cancel_requests = 0;
  bool must_cancel = false;  // cancel() came while it did not wait for a future
  bool quiet = false;        // not _log_destroy_pending
  TaskObject* next = nullptr;
  TaskObject** link = nullptr;  // what points here in StateObject::tasks; null: not in the list
  template <class V>
  void VisitRefs(V&& v) {
    v(coro);
    v(task_context);
    v(name);
    v(waits_for);
    FutureObject::VisitRefs(v);
  }
};

class HandleObject : public Object {
 public:
  enum Kind : uint8_t {
    kCall,    // callback(*args)
    kStep,    // a step of the task `callback`; args: an exception to be raised in it, or null
    kWakeup,  // the same, after the future args is done
  };
  Value callback, args, loop, context;
  Value source_traceback, text;  // null: None
  Kind kind = kCall;
  bool cancelled = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(callback);
    v(args);
    v(loop);
    v(context);
    v(source_traceback);
    v(text);
  }
};

// The base class of the loops of asyncio: queue and flags.
class SchedulerObject : public Object {
 public:
  StateObject* module = nullptr;
  Value ready;                      // a deque of handles
  ListObject* scheduled = nullptr;  // timers
  Value current;                    // the task that runs; null: none
  bool closed = false, debug = false, stopping = false;
  // Whether its call_soon is ours, as found when shape and version of its class were these.
  bool plain = false;
  uint32_t plain_shape = 0, plain_version = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(module);
    v(ready);
    v(scheduled);
    v(current);
  }
};

extern const TypeSpec kStateType;
extern const TypeSpec kFutureType;
extern const TypeSpec kFutureIterType;
extern const TypeSpec kTaskType;
extern const TypeSpec kStepWrapperType;
extern const TypeSpec kHandleType;
extern const TypeSpec kSchedulerType;
extern const TypeSpec kBareYieldType;

inline bool HasShape(Value v, uint32_t shape) {
  return v.is_object() && v.object()->shape_id == shape;
}
// Exactly of these types: a subclass may have overridden anything.
inline bool IsPlainFuture(const StateObject* module, Value v) {
  return HasShape(v, module->future_shape) || HasShape(v, module->task_shape);
}
inline Result<bool> IsKind(ThreadState& ts, Value v, const TypeSpec& spec) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  return IsInstance(ts, v, type);
}
inline Value OrNone(ThreadState& ts, Value v) { return v.is_null() ? Value(ts.rt->none) : v; }
// slot = v, the old value dropped last.
inline void Store(Value& slot, Value v) {
  Ref<> old = Ref<>::Steal(std::exchange(slot, Ref<>::Borrow(v).Release()));
}

// asyncio.<module>.<function>(*args)
Result<> CallScript(ThreadState& ts, const char* module, const char* function,
                    std::span<const Value> args);
// An exception of asyncio.exceptions with a message, or without one.
Raised RaiseOf(ThreadState& ts, TypeObject* type, const char* message);

// ---- loops (scheduler.cpp) ----

// call_soon() of the future's loop, for a callback with one argument or a step of a task: see
// HandleObject::Kind.
Status CallSoon(ThreadState& ts, const FutureObject* f, HandleObject::Kind kind, Value callback,
                Value arg, Value context);
Result<bool> IsDebugging(ThreadState& ts, StateObject* module, Value loop);
// The stack of debug mode, from the running frame outwards.
Result<> SourceTraceback(ThreadState& ts);
// The task that runs in the loop, owned; null if none.
Ref<> CurrentTask(ThreadState& ts, StateObject* module, Value loop);
// Makes `task` (null: none) the one that runs in the loop.
Status SetCurrentTask(ThreadState& ts, StateObject* module, Value loop, Value task);
// The loop that runs in this thread, borrowed; null if none.
Value RunningLoop(ThreadState& ts, StateObject* module);
// Calls in a context; false type of context: TypeError and the like, as calling its run() gives.
Result<> RunIn(ThreadState& ts, Value context, Value callback, Args args);

// ---- futures (future.cpp) ----

// __init__ of futures: null or None for the loop means the current one.
Status FutureInit(ThreadState& ts, FutureObject* f, Value loop);
Status AddCallback(ThreadState& ts, FutureObject* f, Value callback, Value context, bool wakes);
Status SetResult(ThreadState& ts, FutureObject* f, Value result);
Status SetException(ThreadState& ts, FutureObject* f, Value exception);
Result<bool> CancelFuture(ThreadState& ts, FutureObject* f, Value message);
// The CancelledError to raise for a cancelled future.
Result<> CancelledError(ThreadState& ts, FutureObject* f);
// The exception that a done future ended with, a CancelledError too, ready to be raised; null if it
// has a result.
Result<> TakeFailure(ThreadState& ts, FutureObject* f);
// Tells the loop's exception handler.
Status TellLoop(ThreadState& ts, FutureObject* f, StrObject* message, const char* role,
                Value exception);
// The callable that a callback which `wakes` stands for.
Result<> WakeupFunction(ThreadState& ts, Value task);
Result<> FutureIter(ThreadState& ts, Value self);
Status future_finalize(ThreadState& ts, Value self);

// ---- tasks (task.cpp) ----

// The next step; `error` (or null) is raised in the coroutine.
Status TaskStep(ThreadState& ts, TaskObject* task, Ref<> error);
Status TaskWakeup(ThreadState& ts, TaskObject* task, Value future);
Result<bool> CancelTask(ThreadState& ts, TaskObject* task, Value message);
Result<> StepFunction(ThreadState& ts, Value task, Value error);

}  // namespace minivm::aio
