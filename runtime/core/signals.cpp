// From the C handler to the script's.
//
// A C handler has no argument of ours, so the owner of the process's signals is the one thing in
// the library that is reached without a VM: `inbox`. A VM that ends while its handler runs in
// another thread waits for it (`running`), so that the handler never sees a VM that is gone.
#include "runtime/core/signals.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "runtime/objects/module_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

struct Inbox {
  std::atomic<SignalState*> owner = nullptr;
  std::atomic<int> running = 0;  // C handlers at work
};
constinit Inbox inbox;

// In a signal handler, or like one.
void Arrive(SignalState& state, int signum) {
  state.arrived[signum] = true;
  state.any = true;
  RequestAttention(*state.main, kRequestSignal);
}

void Wake(SignalState& state, int signum) {
  int fd = state.wakeup_fd;
  if (fd < 0) return;
  uint8_t byte = static_cast<uint8_t>(signum);
  ssize_t n;
  do {
    n = write(fd, &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (state.warn_on_full_buffer || (errno != EAGAIN && errno != EWOULDBLOCK))) {
    state.wakeup_error = errno;
    state.any = true;
    RequestAttention(*state.main, kRequestSignal);
  }
}

void OnSignal(int signum) {
  int saved = errno;
  ++inbox.running;
  if (SignalState* state = inbox.owner) {
    Arrive(*state, signum);
    Wake(*state, signum);
  }
  --inbox.running;
  errno = saved;
}

// The program is about to end: what was the disposition gets the signal next.
void OnFault(int signum) {
  int saved = errno;
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  SignalState* state = inbox.owner;
  if (state == nullptr) {
    sigaction(signum, &plain, nullptr);
  } else {
    sigaction(signum, state->changed[signum] ? &state->before[signum] : &plain, nullptr);
    state->fault(*state->main, signum, state->fault_fd);
  }
  errno = saved;
  raise(signum);
}

Status ReportWakeupError(ThreadState& ts, int error) {
  (void)RaiseErrno(ts, error);
  WriteUnraisable(ts, Value(), "Exception ignored when trying to write to the signal wakeup fd");
  return Ok();
}

Status CallHandler(ThreadState& ts, SignalState& state, int signum) {
  Ref<> handler = Ref<>::Borrow(state.handlers[signum].get());
  if (handler.is_int() || handler.is_null() || IsNone(ts, handler)) {
    // Its handler was taken away after it arrived.
    (void)Raise(ts, Exc::kOSError, "Signal %d ignored due to race condition", signum);
    WriteUnraisable(ts, Value(ts.rt->none));
    return Ok();
  }
  Ref<> frame = Ref<>::Borrow(ts.rt->none);
  if (ts.rt->hooks.current_frame) {
    MVM_TRY(frame, ts.rt->hooks.current_frame(ts));
  }
  if (handler.is(state.interrupt)) NoteInterrupt(ts);
  MVM_TRY_VOID(Call(ts, handler, Value::Int(signum), frame));
  return Ok();
}

}  // namespace

void InterruptShelter::Enter() {
  // What is owed is not for this code.
  uint32_t gone = kInside;
  if ((outer_ & (kSheltered | kOwed)) == kOwed) gone |= kRequestInterrupt;
  ts_.requests.fetch_and(~gone);
}

void InterruptShelter::Leave() {
  if (outer_ & kSheltered) {
    ts_.requests.fetch_or(outer_ & (kSheltered | kInside));
  } else if (ts_.requests & kOwed) {
    RequestAttention(ts_, kRequestInterrupt);
  }
}

void InterruptShelter::Ignore(Value where) {
  if ((ts_.requests & kInside) && PendingIs(ts_, Exc::kKeyboardInterrupt)) {
    ts_.requests.fetch_or(kOwed);
  }
  WriteUnraisable(ts_, where);
}

void NoteInterrupt(ThreadState& ts) {
  if (ts.requests & kSheltered) {
    ts.requests.fetch_or(kInside);
  } else {
    ts.requests.fetch_and(~kOwed);
  }
}

Result<SignalState*> MakeSignalState(ThreadState& ts, Value interrupt) {
  RuntimeState& rt = *ts.rt;
  if (rt.signals != nullptr) return rt.signals;
  SignalState* state = new (std::nothrow) SignalState;
  if (state == nullptr) return RaiseMemoryError(ts);
  state->main = rt.main_thread;
  state->interrupt = Ref<>::Borrow(interrupt);
  for (int n = 1; n < kSignalLimit; ++n) {
    struct sigaction now;
    Value handler = rt.none;
    if (sigaction(n, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0) {
      if (now.sa_handler == SIG_DFL) {
        handler = Value::Int(0);
      } else if (now.sa_handler == SIG_IGN) {
        handler = Value::Int(1);
      } else if (n == SIGINT && rt.handle_signals) {
        handler = interrupt;
      }
    }
    state->handlers[n] = Ref<>::Borrow(handler);
  }
  rt.signals = state;
  return state;
}

Status ClaimSignals(ThreadState& ts, const char* function) {
  RuntimeState& rt = *ts.rt;
  if (&ts == rt.main_thread && rt.handle_signals) {
    SignalState* nobody = nullptr;
    if (inbox.owner.compare_exchange_strong(nobody, rt.signals) || nobody == rt.signals)
      return Ok();
  }
  return Raise(ts, Exc::kValueError, "%s only works in main thread of the main interpreter",
               function);
}

bool SetDisposition(SignalState& state, int signum, Disposition disposition) {
  struct sigaction action = {}, before;
  action.sa_handler = disposition == Disposition::kDefault  ? SIG_DFL
                      : disposition == Disposition::kIgnore ? SIG_IGN
                      : disposition == Disposition::kFault  ? OnFault
                                                            : OnSignal;
  if (disposition == Disposition::kFault) action.sa_flags = SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(signum, &action, &before) < 0) return false;
  if (!state.changed[signum]) {
    state.changed[signum] = true;
    state.before[signum] = before;
  }
  return true;
}

Status ServeSignals(ThreadState& ts) {
  SignalState* state = ts.rt->signals;
  if (state == nullptr || &ts != state->main || !state->any.exchange(false)) return Ok();
  if (int error = state->wakeup_error.exchange(0)) MVM_TRY_VOID(ReportWakeupError(ts, error));
  for (int n = 1; n < kSignalLimit; ++n) {
    if (!state->arrived[n].exchange(false)) continue;
    if (CallHandler(ts, *state, n).raised()) {
      state->any = true;
      RequestAttention(ts, kRequestSignal);
      return kRaised;
    }
  }
  return Ok();
}

void SimulateSignal(RuntimeState& rt, int signum) {
  if (rt.signals == nullptr) {
    if (signum == SIGINT) RequestAttention(*rt.main_thread, kRequestInterrupt);
    return;
  }
  Value handler = rt.signals->handlers[signum].get();
  if (handler.is_int() || handler.is(rt.none)) return;
  Arrive(*rt.signals, signum);
  Wake(*rt.signals, signum);
}

void ForgetSignals(RuntimeState& rt) {
  if (rt.signals == nullptr) return;
  // Written only where it has to be: a new child shares this memory with its parent until then.
  if (rt.signals->any) rt.signals->any = false;
  for (std::atomic<bool>& arrived : rt.signals->arrived) {
    if (arrived) arrived = false;
  }
}

void RetireSignals(RuntimeState& rt) {
  rt.handle_signals = false;
  SignalState* state = rt.signals;
  if (state == nullptr) return;
  for (int n = 1; n < kSignalLimit; ++n) {
    if (std::exchange(state->changed[n], false)) sigaction(n, &state->before[n], nullptr);
    state->handlers[n] = Ref<>::Borrow(rt.none);
  }
  SignalState* self = state;
  if (inbox.owner.compare_exchange_strong(self, nullptr)) {
    while (inbox.running > 0) sched_yield();
  }
  ForgetSignals(rt);
}

void ReleaseSignals(RuntimeState& rt) {
  RetireSignals(rt);
  delete std::exchange(rt.signals, nullptr);
}

}  // namespace minivm
