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
//             nobody stands still for the time it takes to wake it, kMostOffers times at most.
// Patience is the switch interval, counted from when the holder got the lock; a thread that comes
// back from sleep has a fiftieth of it. When it is over the waiter sets kRequestSwitch; what the
// interpreter does then is told in vm/interp/preempt.cpp.
//
// Sleeping is one thing for all: on ThreadState::wake, a futex. Whoever wakes a thread changes it
// first; whoever sleeps has read it before looking whether there is anything to wait for. Who is to
// be woken by another thread looks for some microseconds whether it is, before it sleeps: what goes
// to and fro between threads does so in a third of the time. Where that does not help, as on one
// processor, it is soon left out.
//
// Invariants:
//  1. holder_ changes under mutex_ only. mutex_ is held for a few instructions, never while
//     sleeping, and never by a signal handler.
//  2. A thread that is in a queue sleeps, or is on its way to or from it.
//  3. What is counted and recorded changes under mutex_ only. ticket.since is when the thread got
//  the
//     lock, and while it waits, when it began to.
//  4. While frozen_ nobody but the holder gets the lock: the VM is being taken down.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "runtime/core/thread_state.h"

namespace minivm {

// How much a thread wants the lock back.
enum class Urgency : uint8_t { kReturning, kWoken, kComputing };

inline constexpr int64_t kNever = INT64_MAX;
// Nanoseconds on the clock that deadlines here are of.
int64_t MonotonicNow();
// ns from now, kNever if that is later than any time.
int64_t DeadlineAfter(int64_t ns);

// What a thread has had of the lock, in nanoseconds; what goes on at the moment is counted in.
struct GilRow {
  static constexpr size_t kNameSize = 48;
  uint64_t id = 0;
  int native_id = 0;
  bool alive = false;
  char name[kNameSize] = {};  // UTF-8, maybe cut off; empty: not known
  uint64_t acquired = 0, forced = 0, voluntary = 0;
  int64_t waited = 0, held = 0;
};

// A stretch of time in which a thread had the lock, or wanted it.
struct GilSpan {
  enum Kind : uint8_t { kWaiting, kReleased, kForced, kOpen };  // kReleased, ...: how it lost it
  uint64_t thread;
  int64_t start, end;  // on the clock of MonotonicNow
  Kind kind;
};

// The last `limit` spans: a ring, whose oldest is at total % limit once it is full.
struct GilTrace {
  std::unique_ptr<GilSpan[]> spans;
  size_t limit = 0;
  uint64_t total = 0;
  int64_t start = 0, end = 0;

  void Add(const GilSpan& span) { spans[total++ % limit] = span; }
};

class Gil {
 public:
  explicit Gil(ThreadState& holder);

  void Acquire(ThreadState& ts, Urgency urgency);
  void Release(ThreadState& ts);
  // The thread runs no more: it gives up the lock for good. Its numbers are kept under the name.
  void Leave(ThreadState& ts, const char* name);
  // By itself or `forced`: that is only counted and told.
  void HandOver(ThreadState& ts, bool forced = true);
  void Offer(ThreadState& ts);
  // Is there anybody to hand over to? A guess, without the lock.
  bool wanted() const { return waiting_.load(std::memory_order_relaxed) != 0; }
  // The holder keeps the lock, whatever it does.
  void Freeze(bool on);

  // Numbers of the threads that are alive, the last started first, then of those that have ended,
  // kEndedKept of them, the oldest first. Sums over all: those that are not kept included.
  std::vector<GilRow> Rows();
  GilRow Totals();
  void ResetRows();
  static constexpr size_t kEndedKept = 1000;

  // Has spans recorded from now on; of what is recorded so far nothing is kept. False: no memory.
  bool StartTrace(size_t limit);
  // Ends that; null: it was not on.
  std::unique_ptr<GilTrace> StopTrace();
  bool tracing() const { return trace_ != nullptr; }

  // Looks for a moment whether the word changes from what was seen. False: it has not, or looking
  // has not helped of late. Needs no lock.
  bool Look(const std::atomic<uint32_t>& word, uint32_t seen);

  // Around fork(): nobody is halfway through anything in the child, whose one thread is the holder.
  void BeforeFork() { mutex_.lock(); }
  void AfterFork(ThreadState& ts, bool child);

  // Each thread has a share in the lock, which outlives the VM if a thread does.
  void Share() { shares_.fetch_add(1, std::memory_order_relaxed); }
  void Unshare();

 private:
  static constexpr int kRunOfReturning = 8;
  static constexpr int kMostOffers = 4000;
  static constexpr int kFirstTrust = 4;

  using Held = std::unique_lock<std::mutex>;
  int64_t Patience(Urgency urgency) const;
  ThreadState* Next() const;
  void Enqueue(ThreadState& ts, Urgency urgency);
  void Dequeue(ThreadState& ts);
  void Take(ThreadState& ts);
  void Put(ThreadState& ts, GilSpan::Kind kind);
  GilRow RowOf(const ThreadState& ts, int64_t now) const;
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
  int offers_ = 0;  // that the first in line, called, has slept through
  int run_ = 0;     // how often the returning have gone before the computing
  bool frozen_ = false;
  int64_t since_;  // when the holder got the lock
  std::vector<GilRow>
      ended_;  // a ring once there are kEndedKept, the oldest at ended_count_ % that
  uint64_t ended_count_ = 0;
  GilRow forgotten_;  // sums of those that ended and are not kept
  std::unique_ptr<GilTrace> trace_;
  std::atomic<uint32_t> shares_ = 1;
  std::atomic<int> trust_ = kFirstTrust;  // in looking; below 1: how often it has been left out
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
