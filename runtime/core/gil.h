// The lock of a VM: of all its threads, one runs at a time. And how threads sleep.
//
// Everything of a VM but what is atomic or said to be otherwise belongs to the thread that has the
// lock. A VM has no lock until its second thread starts; until then nothing here costs anything.
//
// Those who want the lock queue up, in two lines: threads that come back from something that
// blocked, and threads that were made to give way. The first go first, kRunOfReturning times in a
// row at most while the others wait. The lock is given away in three ways:
//   Release   around what may block. It is free then, and the first in line is woken to take it;
//             if the releaser is back before, it has it again: short calls cost no switch.
//   HandOver  because somebody's patience has ended: straight to the first in line, and the giver
//             goes to the end of the line.
//   Offer     at a check interval: as HandOver, as soon as the first in line is awake; until then
//             nobody stands still for the time it takes to wake it.
// Patience is the switch interval, counted from when the holder got the lock; a thread that comes
// back from sleep has a fiftieth of it. When it is over the waiter sets kRequestSwitch; what the
// interpreter does then is told in vm/interp/preempt.cpp.
//
// Sleeping is one thing for all: on ThreadState::wake, a futex. Whoever wakes a thread changes it
// first; whoever sleeps has read it before looking whether there is anything to wait for.
//
// Invariants:
//  1. holder_ changes under mutex_ only. mutex_ is held for a few instructions, never while
//     sleeping, and never by a signal handler.
//  2. A thread that is in a queue sleeps, or is on its way to or from it.
//  3. While frozen_ nobody but the holder gets the lock: the VM is being taken down.
#pragma once

#include <mutex>

#include "runtime/core/thread_state.h"

namespace minivm {

// How much a thread wants the lock back.
enum class Urgency : uint8_t { kReturning, kWoken, kComputing };

inline constexpr int64_t kNever = INT64_MAX;
// Nanoseconds on the clock that deadlines here are of.
int64_t MonotonicNow();
// ns from now, kNever if that is later than any time.
int64_t DeadlineAfter(int64_t ns);

class Gil {
 public:
  explicit Gil(ThreadState& holder);

  void Acquire(ThreadState& ts, Urgency urgency);
  void Release(ThreadState& ts);
  // The thread runs no more: it gives up the lock for good.
  void Leave(ThreadState& ts);
  void HandOver(ThreadState& ts);
  void Offer(ThreadState& ts);
  // Is there anybody to hand over to? A guess, without the lock.
  bool wanted() const { return waiting_.load(std::memory_order_relaxed) != 0; }
  // The holder keeps the lock, whatever it does.
  void Freeze(bool on);

  // Around fork(): nobody is halfway through anything in the child, whose one thread is the holder.
  void BeforeFork() { mutex_.lock(); }
  void AfterFork(ThreadState& ts, bool child);

  // Each thread has a share in the lock, which outlives the VM if a thread does.
  void Share() { shares_.fetch_add(1, std::memory_order_relaxed); }
  void Unshare();

 private:
  static constexpr int kRunOfReturning = 8;

  using Held = std::unique_lock<std::mutex>;
  int64_t Patience(Urgency urgency) const;
  ThreadState* Next() const;
  void Enqueue(ThreadState& ts, Urgency urgency);
  void Dequeue(ThreadState& ts);
  void Take(ThreadState& ts);
  void Put(ThreadState& ts);
  void Wait(Held& held, ThreadState& ts, Urgency urgency);

  std::mutex mutex_;
  std::atomic<ThreadState*> holder_;
  ThreadState* last_ = nullptr;  // who has released it
  RuntimeState* rt_;
  struct Line {
    ThreadState* first = nullptr;
    ThreadState* last = nullptr;
  };
  Line lines_[GilTicket::kQueues];
  std::atomic<uint32_t> waiting_ = 0;
  int run_ = 0;  // how often the returning have gone before the computing
  bool frozen_ = false;
  int64_t since_;  // when the holder got the lock
  std::atomic<uint32_t> shares_ = 1;
};

// The VM's lock, made when there is none; null: out of memory.
Gil* EnsureGil(ThreadState& ts);

// Sleeps without the lock until somebody calls Unpark, `deadline` has passed, or there is a
// request to be served; may return for no reason. Whoever is to wake the thread knows of it before.
void Park(ThreadState& ts, int64_t deadline, Urgency urgency);
// REQUIRES: the lock is held, or else `ts` is known not to end meanwhile.
void Unpark(ThreadState& ts);
// What the thread should serve before it sleeps.
inline bool HasUrgentRequest(const ThreadState& ts) {
  return (ts.requests.load() & (kRequestSignal | kRequestInterrupt | kRequestStop)) != 0;
}

// ---- threads ----

// Links a new thread into the VM, with an ident of its own.
void AddThread(ThreadState& ts);
// Unlinks it. It neither runs nor holds anything any more.
void RemoveThread(ThreadState& ts);
// The thread with that ident, or null.
ThreadState* FindThread(RuntimeState& rt, uint64_t id);
// Has all threads but this one end without running script code, and waits until they have. False:
// some are blocked outside of the VM, which must not be freed then. A thread that comes back
// sleeps for ever.
bool StopThreads(ThreadState& ts);
// In the child of a fork(): the calling thread is the only one, and the main thread.
void KeepOnlyThread(ThreadState& ts);

}  // namespace minivm
