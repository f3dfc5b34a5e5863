// The life of a thread: from StartThread() to the last thing it does with the VM's lock.
//
// The thread that starts another makes its ThreadState and all it will need, so that nothing can
// fail in the new one before it runs. The new thread waits for the lock, calls its function, tells
// of what that raised, and takes down what it had: the values of _local objects, its trace
// functions, its place in the VM's list. Whoever waits for its handle is woken before it lets go
// of the lock for the last time; after that it touches nothing of the VM.
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/core/gil.h"
#include "runtime/core/wait_list.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/thread/thread_types.h"

namespace minivm {

namespace {

// What the C stack has besides what the script asked for.
constexpr size_t kStackBase = 128 * 1024;
constexpr size_t kDefaultStack = size_t{8} << 20;
// Of the VM stack of a thread: address space only.
constexpr size_t kStackWords = size_t{1} << 20;
// How often values that finalizers of thread-local values have left are dropped with theirs.
constexpr int kRoundsAtEnd = 8;

struct Start {
  ThreadState* ts;
  Ref<> function;
  Ref<TupleObject> args;
  Ref<DictObject> kwargs;
};

void CallIt(ThreadState& ts, Start& start) {
  Result<> done = start.args ? CallWith(ts, start.function, start.args, start.kwargs)
                             : Call(ts, start.function);
  if (!done.raised()) {
    Ref<> dropped = done.Take();
  } else if (!ClearPendingIf(ts, Exc::kSystemExit)) {
    Ref<> exception = TakePending(ts);
    Result<StrObject> text =
        Format(ts, "Exception ignored in thread started by %R", start.function.get());
    if (text.raised()) ClearPending(ts);
    Ref<StrObject> message = text.raised() ? Ref<StrObject>() : text.Take();
    RestorePending(ts, std::move(exception));
    WriteUnraisable(ts, Value(), message ? ToUtf8(message).c_str() : nullptr);
  }
}

// All but the lock; `name` is told how the thread was called.
void TakeDown(ThreadState& ts, char* name) {
  RuntimeState& rt = *ts.rt;
  rt.hooks.quiet_thread(ts);
  // Finalizers may leave new values behind.
  for (int round = 0; round < kRoundsAtEnd; ++round) {
    ForgetThreadLocals(ts, ts.id);
    if (!DropThreadValues(ts)) break;
  }
  rt.heap.current_ts = nullptr;  // the rest dies unheard
  DropThreadValues(ts);
  rt.heap.current_ts = &ts;
  rt.hooks.leave_thread(ts);
  Ref<> handle = Ref<>::Steal(Value(std::exchange(ts.handle, nullptr)));
  std::strcpy(name, HandleName(handle));
  RemoveThread(ts);
  HandleEnds(ts, handle);
}

void* RunThread(void* argument) {
  Start* start = static_cast<Start*>(argument);
  ThreadState& ts = *start->ts;
  Gil* gil = ts.rt->gil;
  SetCStackLimit(ts);
  gil->Acquire(ts, Urgency::kWoken);
  ts.native_id = static_cast<int>(gettid());
  if (!ts.stopping) CallIt(ts, *start);
  ClearPending(ts);
  delete start;
  // The child of a fork by this thread: the process ends with the last thread that it has started.
  if (&ts == ts.rt->main_thread) {
    gil->Release(ts);
    return nullptr;
  }
  char name[GilRow::kNameSize];
  TakeDown(ts, name);
  gil->Leave(ts, name);
  DeleteThreadState(&ts);
  gil->Unshare();
  return nullptr;
}

// The system's thread; false: there is none to be had.
bool Launch(Start* start) {
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return false;
  size_t size = start->ts->rt->thread_stack_size;
  if (size == 0) size = kDefaultStack;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bool ok = size < SIZE_MAX / 2 &&
            pthread_attr_setstacksize(&attr, (size + kStackBase + page - 1) & ~(page - 1)) == 0 &&
            pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0;
  ok = ok && pthread_create(&start->ts->thread, &attr, RunThread, start) == 0;
  pthread_attr_destroy(&attr);
  return ok;
}

}  // namespace

Status StartThread(ThreadState& ts, Value handle, Value function, TupleObject* args,
                   DictObject* kwargs, bool daemon) {
  RuntimeState& rt = *ts.rt;
  if (rt.ending) {
    return Raise(ts, Exc::kPythonFinalizationError,
                 "can't create new thread at interpreter shutdown");
  }
  MVM_TRY_VOID(HandleStarts(ts, handle, rt.last_thread_id + 1));
  ThreadState* t = EnsureGil(ts) != nullptr
                       ? NewThreadState(rt, std::min(rt.stack_words, kStackWords))
                       : nullptr;
  Start* start =
      t != nullptr ? new (std::nothrow) Start{t, Ref<>::Borrow(function), {}, {}} : nullptr;
  if (start != nullptr) {
    if (args != nullptr) start->args = Ref<TupleObject>::Borrow(args);
    if (kwargs != nullptr) start->kwargs = Ref<DictObject>::Borrow(kwargs);
    t->daemon = daemon;
    t->handle = Ref<>::Borrow(handle).Release().object();
    AddThread(*t);
    if (Launch(start)) return Ok();
    rt.hooks.leave_thread(*t);
    RemoveThread(*t);
    rt.gil->Unshare();
    delete start;
  }
  if (t != nullptr) DeleteThreadState(t);
  HandleFails(handle);
  return Raise(ts, Exc::kRuntimeError, "can't start new thread");
}

}  // namespace minivm
