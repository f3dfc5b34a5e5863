// Signals of the process, as the scripts of one VM see them.
//
// Dispositions belong to the process, and many VMs can live in one: at most one of them at a time,
// whose host has allowed it (RuntimeConfig::handle_signals), owns them, from the first handler it
// installs to its end. Nothing here touches a disposition unless a script asks for it, and what
// scripts have changed is put back when the VM ends.
//
// The C handler marks the signal as arrived in the owner's SignalState, stores the breaker
// (RequestAttention) and writes to the wakeup descriptor; the script's handler is called by the
// main thread at its next poll, or where a blocking call has ended with EINTR (core/blocking.h).
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

#include "runtime/core/thread_state.h"

namespace minivm {

inline constexpr int kSignalLimit = 65;  // signal.NSIG: numbers are below

// Invariants:
//  1. `handlers` hold what getsignal() returns; None: a handler that no script has set.
//  2. `changed[n]` says that a script has set the disposition of n and `before[n]` is what it was.
//  3. An arrived signal has its flag in `arrived`, and then `any` and kRequestSignal are set.
struct SignalState {
  ThreadState* main = nullptr;
  Ref<> handlers[kSignalLimit];
  Ref<> interrupt;     // the handler that raises KeyboardInterrupt
  Ref<> itimer_error;  // the exception class
  bool changed[kSignalLimit] = {};
  struct sigaction before[kSignalLimit] = {};

  // Written by the C handler.
  std::atomic<bool> arrived[kSignalLimit] = {};
  std::atomic<bool> any = false;
  std::atomic<int> wakeup_fd = -1;
  std::atomic<bool> warn_on_full_buffer = true;
  std::atomic<int> wakeup_error = 0;  // errno of a write that failed

  // For kFault: writes where the scripts are. Safe in a signal handler; set before the first use.
  void (*fault)(ThreadState& ts, int signum, int fd) = nullptr;
  std::atomic<int> fault_fd = -1;
  bool fault_all = true;  // of all threads
  static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
};

// Code whose exceptions nobody gets runs while it lives: finalizers, callbacks of weak references.
// A KeyboardInterrupt that such code is interrupted with is not lost with it: it is raised once
// more when the outermost shelter has gone, in what the code had come between. A chain of
// finalizers suffers it once, as bits of ts.requests tell apart:
//   kSheltered  code of this kind runs;
//   kInside     an interrupt has been raised in it;
//   kOwed       and has come to those who ignore it. At depth 0 kRequestInterrupt is set, too.
inline constexpr uint32_t kSheltered = 32, kInside = 64, kOwed = 128;
inline constexpr uint32_t kShelterBits = kSheltered | kInside | kOwed;
class InterruptShelter {
 public:
  explicit InterruptShelter(ThreadState& ts)
      : ts_(ts), outer_(ts.requests.fetch_or(kSheltered) & kShelterBits) {
    if (MVM_UNLIKELY(outer_ != 0)) Enter();
  }
  ~InterruptShelter() {
    const uint32_t before = ts_.requests.fetch_and(~(kSheltered | kInside));
    if (MVM_UNLIKELY(((before & kOwed) | outer_) != 0)) Leave();
  }
  InterruptShelter(const InterruptShelter&) = delete;
  InterruptShelter& operator=(const InterruptShelter&) = delete;
  // The pending exception is reported (WriteUnraisable) and forgotten.
  void Ignore(Value where);

 private:
  void Enter();
  void Leave();
  ThreadState& ts_;
  const uint32_t outer_;  // the bits as they were before
};
// An interrupt is about to be raised.
void NoteInterrupt(ThreadState& ts);

// The VM's state, made on first use from the dispositions as they are; MemoryError. `interrupt` is
// what stands for a SIGINT that the host passes on (Vm::Interrupt).
Result<SignalState*> MakeSignalState(ThreadState& ts, Value interrupt);
// May scripts of this thread change dispositions? Claims them for the VM. Else ValueError.
Status ClaimSignals(ThreadState& ts, const char* function);
// sigaction(): kScript has the signal delivered to the handler in the table; kFault has `fault`
// write to `fault_fd`, and then happen what would have happened before. False: errno.
// REQUIRES: ClaimSignals
enum class Disposition { kDefault, kIgnore, kScript, kFault };
bool SetDisposition(SignalState& state, int signum, Disposition disposition);
// Runs the handlers of what has arrived; raised if one raises, with the rest still to come.
Status ServeSignals(ThreadState& ts);
// As if the signal had arrived for the VM: its handler runs in the main thread. Any thread.
void SimulateSignal(RuntimeState& rt, int signum);
// In the child of fork(): what the parent got is not for the child.
void ForgetSignals(RuntimeState& rt);
// The end of the VM: the dispositions are put back, handlers run no more, none can be set.
void RetireSignals(RuntimeState& rt);
// Frees the state, after retiring it.
void ReleaseSignals(RuntimeState& rt);

}  // namespace minivm
