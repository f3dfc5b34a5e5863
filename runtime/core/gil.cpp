// The lock's queues and hand-overs; threads of a VM as a list. See gil.h.
#include "runtime/core/gil.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/core/blocking.h"
#include "runtime/core/signals.h"
#include "runtime/core/wait_list.h"

namespace minivm {

namespace {

// How long a thread that has asked for the lock looks whether it gets it, before it sleeps.
constexpr int64_t kSpin = 20'000;
// So many of those that return to the lock ask for it without regard to each other.
constexpr int64_t kFrontOfReturning = 8;
// How long one that waits for another looks whether it is woken: about what sleeping costs both.
constexpr int64_t kLook = 5'000;
// Looking has helped this often more than not, at most; how often it is left out when it has not.
constexpr int kMostTrust = 16;
constexpr int kDistrust = 64;
// How long StopThreads waits for threads that are blocked outside of the VM.
constexpr int64_t kPatienceAtEnd = 250'000'000;

// Sleeps while the word is `seen`, until the deadline on the monotonic clock.
void FutexWait(std::atomic<uint32_t>& word, uint32_t seen, int64_t deadline) {
  struct timespec at = {static_cast<time_t>(deadline / 1'000'000'000),
                        static_cast<long>(deadline % 1'000'000'000)};
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
          seen, deadline == kNever ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
}
// Wakes who sleeps there. The word need not exist any more: it is not read.
void FutexWake(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr,
          nullptr, 0);
}

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void Accumulate(GilRow* sum, const GilRow& row) {
  sum->acquired += row.acquired;
  sum->forced += row.forced;
  sum->voluntary += row.voluntary;
  sum->waited += row.waited;
  sum->held += row.held;
}

}  // namespace

int64_t MonotonicNow() {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

int64_t DeadlineAfter(int64_t ns) {
  int64_t end;
  return __builtin_add_overflow(MonotonicNow(), ns, &end) ? kNever : end;
}

// ---- the lock ----

Gil::Gil(ThreadState& holder) : holder_(&holder), rt_(holder.rt), since_(MonotonicNow()) {
  if (holder.native_id == 0) holder.native_id = static_cast<int>(gettid());
  holder.ticket.acquired = 1;
  holder.ticket.since = since_;
}

void Gil::Unshare() {
  if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

int64_t Gil::Patience(Urgency urgency) const {
  const double interval = rt_->switch_interval * 1e9;
  const int64_t ns = interval < 1e15 ? static_cast<int64_t>(interval) : int64_t{1} << 50;
  return urgency == Urgency::kComputing ? ns : ns / 50;
}

ThreadState* Gil::Next() const {
  ThreadState* returning = lines_[GilTicket::kReturning].first;
  ThreadState* computing = lines_[GilTicket::kComputing].first;
  if (returning == nullptr || (computing != nullptr && run_ >= kRunOfReturning)) return computing;
  return returning;
}

void Gil::Enqueue(ThreadState& ts, Urgency urgency) {
  GilTicket& t = ts.ticket;
  t.queue = urgency == Urgency::kComputing ? GilTicket::kComputing : GilTicket::kReturning;
  t.called = t.awake = false;
  t.next = nullptr;
  t.since = MonotonicNow();
  Line& line = lines_[t.queue];
  (line.last != nullptr ? line.last->ticket.next : line.first) = &ts;
  line.last = &ts;
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

void Gil::Dequeue(ThreadState& ts) {
  GilTicket& t = ts.ticket;
  Line& line = lines_[t.queue];
  ThreadState* before = nullptr;
  for (ThreadState* i = line.first; i != &ts; i = i->ticket.next) before = i;
  (before != nullptr ? before->ticket.next : line.first) = t.next;
  if (line.last == &ts) line.last = before;
  if (t.queue == GilTicket::kComputing) {
    run_ = 0;
  } else if (lines_[GilTicket::kComputing].first != nullptr) {
    ++run_;
  }
  t.queue = GilTicket::kNone;
  const int64_t now = MonotonicNow();
  t.waited += now - t.since;
  if (MVM_UNLIKELY(trace_ != nullptr)) trace_->Add({ts.id, t.since, now, GilSpan::kWaiting});
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

void Gil::Take(ThreadState& ts) {
  const int64_t now = MonotonicNow();
  // Who takes back what nobody else had meanwhile, has had it all the time: others lose patience.
  if (last_ != &ts || waiting_ == 0) since_ = now;
  ++ts.ticket.acquired;
  ts.ticket.since = now;
  holder_.store(&ts, std::memory_order_relaxed);
}

// What the heap knows of the running thread is put away with it.
void Gil::Put(ThreadState& ts, GilSpan::Kind kind) {
  ts.dealloc = ts.rt->heap.dealloc;
  const int64_t now = MonotonicNow();
  ts.ticket.held += now - ts.ticket.since;
  if (MVM_UNLIKELY(trace_ != nullptr)) trace_->Add({ts.id, ts.ticket.since, now, kind});
  if (ts.requests.load(std::memory_order_relaxed) & kRequestSwitch)
    ts.requests.fetch_and(~uint32_t{kRequestSwitch});
}

bool Gil::Look(const std::atomic<uint32_t>& word, uint32_t seen) {
  const int trust = trust_.load(std::memory_order_relaxed);
  if (trust <= 0) {
    trust_.store(trust > -kDistrust ? trust - 1 : 2, std::memory_order_relaxed);
    return false;
  }
  const int64_t end = MonotonicNow() + kLook;
  do {
    for (int i = 0; i < 8; ++i) {
      if (word.load() != seen) {
        if (trust < kMostTrust) trust_.store(trust + 1, std::memory_order_relaxed);
        return true;
      }
      Pause();
    }
  } while (MonotonicNow() < end);
  trust_.store(trust - 1, std::memory_order_relaxed);
  return false;
}

void Gil::Wait(Held& held, ThreadState& ts, Urgency urgency) {
  GilTicket& t = ts.ticket;
  for (int64_t due = since_ + Patience(urgency);;) {
    ThreadState* holder = holder_.load(std::memory_order_relaxed);
    if (holder == &ts) break;  // handed over
    if (holder == nullptr && (t.called || Next() == &ts)) {
      last_ = nullptr;
      Dequeue(ts);
      Take(ts);
      break;
    }
    t.called = false;
    const uint32_t seen = ts.wake.load();
    int64_t now = MonotonicNow();
    bool asked = false;
    if (now >= due && holder != nullptr && !frozen_) {
      // The holder may be another by now, with a time of its own.
      due = since_ + Patience(urgency);
      if ((asked = now >= due)) {
        RequestAttention(*holder, kRequestSwitch);
        due = now + Patience(Urgency::kComputing);
      }
    } else if (now >= due) {
      due = now + Patience(Urgency::kComputing);
    }
    if (!asked && !t.awake) {
      // Those further back need not look so often: a thousand who are woken at once would keep the
      // lock from each other.
      int64_t ahead = 0;
      for (ThreadState* i = lines_[t.queue].first; i != &ts; i = i->ticket.next) ++ahead;
      if (urgency != Urgency::kComputing) ahead /= kFrontOfReturning;
      due += ahead * Patience(Urgency::kComputing);
    }
    const bool spin = asked || t.awake;
    held.unlock();
    while (spin && holder_.load(std::memory_order_relaxed) != &ts && ts.wake.load() == seen &&
           MonotonicNow() - now < kSpin) {
      Pause();
    }
    if (spin || urgency == Urgency::kComputing || !Look(ts.wake, seen)) {
      FutexWait(ts.wake, seen, due);
    }
    held.lock();
    if (t.called) t.awake = true;
  }
  t.called = t.awake = false;
  ts.rt->heap.current_ts = &ts;
  ts.rt->heap.dealloc = ts.dealloc;
}

void Gil::Acquire(ThreadState& ts, Urgency urgency) {
  Held held(mutex_);
  if (frozen_ && holder_.load(std::memory_order_relaxed) == &ts) return;
  if (holder_.load(std::memory_order_relaxed) == nullptr && (Next() == nullptr || last_ == &ts)) {
    Take(ts);
    ts.rt->heap.current_ts = &ts;
    ts.rt->heap.dealloc = ts.dealloc;
    return;
  }
  Enqueue(ts, urgency);
  Wait(held, ts, urgency);
}

void Gil::Release(ThreadState& ts) {
  ThreadState* next;
  {
    Held held(mutex_);
    if (frozen_) return;
    Put(ts, GilSpan::kReleased);
    ++ts.ticket.voluntary;
    last_ = &ts;
    holder_.store(nullptr, std::memory_order_relaxed);
    next = Next();
    if (next == nullptr || next->ticket.called) return;
    next->ticket.called = true;
    next->wake.fetch_add(1);
  }
  FutexWake(&next->wake);
}

void Gil::Leave(ThreadState& ts, const char* name) {
  ThreadState* next;
  {
    Held held(mutex_);
    const int64_t now = MonotonicNow();
    if (MVM_UNLIKELY(trace_ != nullptr)) {
      trace_->Add({ts.id, ts.ticket.since, now, GilSpan::kReleased});
    }
    GilRow row = RowOf(ts, now);
    row.alive = false;
    std::strncpy(row.name, name, GilRow::kNameSize - 1);
    if (ended_.size() < kEndedKept) {
      ended_.push_back(row);
    } else {
      GilRow& oldest = ended_[ended_count_ % kEndedKept];
      Accumulate(&forgotten_, oldest);
      oldest = row;
    }
    ++ended_count_;
    last_ = nullptr;
    std::free(ts.rt->heap.dealloc.queue);
    ts.rt->heap.dealloc = DeallocState();
    ts.rt->heap.current_ts = nullptr;
    holder_.store(nullptr, std::memory_order_relaxed);
    next = Next();
    if (next == nullptr) return;
    next->ticket.called = true;
    next->wake.fetch_add(1);
  }
  FutexWake(&next->wake);
}

void Gil::HandOver(ThreadState& ts, bool forced) {
  Held held(mutex_);
  ThreadState* next = Next();
  if (next == nullptr || frozen_) return;
  Put(ts, forced ? GilSpan::kForced : GilSpan::kReleased);
  ++(forced ? ts.ticket.forced : ts.ticket.voluntary);
  last_ = nullptr;
  Enqueue(ts, Urgency::kComputing);
  Dequeue(*next);
  Take(*next);
  next->wake.fetch_add(1);
  held.unlock();
  FutexWake(&next->wake);
  held.lock();
  Wait(held, ts, Urgency::kComputing);
}

void Gil::Offer(ThreadState& ts) {
  ThreadState* next;
  {
    Held held(mutex_);
    next = Next();
    if (next == nullptr || frozen_) return;
    // On a machine with no processor to spare it will not wake before somebody stands still for it.
    if (next->ticket.awake || (next->ticket.called && ++offers_ >= kMostOffers)) {
      offers_ = 0;
      held.unlock();
      return HandOver(ts);
    }
    if (next->ticket.called) return;
    offers_ = 0;
    next->ticket.called = true;
    next->wake.fetch_add(1);
  }
  FutexWake(&next->wake);
}

void Gil::Freeze(bool on) {
  Held held(mutex_);
  frozen_ = on;
}

// ---- what is told of it ----

GilRow Gil::RowOf(const ThreadState& ts, int64_t now) const {
  const GilTicket& t = ts.ticket;
  GilRow row;
  row.id = ts.id;
  row.native_id = ts.native_id;
  row.alive = true;
  row.acquired = t.acquired;
  row.forced = t.forced;
  row.voluntary = t.voluntary;
  row.waited = t.waited;
  row.held = t.held;
  if (holder_.load(std::memory_order_relaxed) == &ts) row.held += now - t.since;
  if (t.queue != GilTicket::kNone) row.waited += now - t.since;
  return row;
}

std::vector<GilRow> Gil::Rows() {
  Held held(mutex_);
  const int64_t now = MonotonicNow();
  std::vector<GilRow> rows;
  for (ThreadState* t = rt_->threads; t != nullptr; t = t->next) rows.push_back(RowOf(*t, now));
  const size_t oldest = ended_.size() < kEndedKept ? 0 : ended_count_ % kEndedKept;
  rows.insert(rows.end(), ended_.begin() + static_cast<ptrdiff_t>(oldest), ended_.end());
  rows.insert(rows.end(), ended_.begin(), ended_.begin() + static_cast<ptrdiff_t>(oldest));
  return rows;
}

GilRow Gil::Totals() {
  GilRow sum = forgotten_;
  for (const GilRow& row : Rows()) Accumulate(&sum, row);
  return sum;
}

void Gil::ResetRows() {
  Held held(mutex_);
  const int64_t now = MonotonicNow();
  for (ThreadState* t = rt_->threads; t != nullptr; t = t->next) {
    GilTicket& ticket = t->ticket;
    // Ongoing waits began before: what they add later is counted from now on.
    ticket.acquired = ticket.forced = ticket.voluntary = 0;
    ticket.waited = ticket.queue != GilTicket::kNone ? ticket.since - now : 0;
    ticket.held = holder_.load(std::memory_order_relaxed) == t ? ticket.since - now : 0;
  }
  ended_.clear();
  ended_count_ = 0;
  forgotten_ = GilRow();
}

bool Gil::StartTrace(size_t limit) {
  std::unique_ptr<GilTrace> fresh(new (std::nothrow) GilTrace);
  if (fresh == nullptr) return false;
  fresh->spans.reset(new (std::nothrow) GilSpan[limit]);
  if (fresh->spans == nullptr) return false;
  fresh->limit = limit;
  Held held(mutex_);
  fresh->start = MonotonicNow();
  trace_ = std::move(fresh);
  return true;
}

std::unique_ptr<GilTrace> Gil::StopTrace() {
  Held held(mutex_);
  if (trace_ == nullptr) return nullptr;
  trace_->end = MonotonicNow();
  for (ThreadState* t = rt_->threads; t != nullptr; t = t->next) {
    const int64_t since = t->ticket.since;
    if (holder_.load(std::memory_order_relaxed) == t) {
      trace_->Add({t->id, since, trace_->end, GilSpan::kOpen});
    } else if (t->ticket.queue != GilTicket::kNone) {
      trace_->Add({t->id, since, trace_->end, GilSpan::kWaiting});
    }
  }
  return std::move(trace_);
}

void Gil::AfterFork(ThreadState& ts, bool child) {
  if (child) {
    trace_ = nullptr;
    ended_.clear();
    ended_count_ = 0;
    forgotten_ = GilRow();
    for (Line& line : lines_) line = Line();
    waiting_ = 0;
    run_ = 0;
    holder_ = &ts;
    last_ = nullptr;
    shares_ = 1;
  }
  mutex_.unlock();
}

Gil* EnsureGil(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  if (rt.gil == nullptr) rt.gil = new (std::nothrow) Gil(ts);
  return rt.gil;
}

// ---- sleeping ----

void Park(ThreadState& ts, int64_t deadline, Urgency urgency) {
  const uint32_t seen = ts.wake.load();
  ts.parked.store(true);
  if (!HasUrgentRequest(ts)) {
    Gil* gil = ts.rt->gil;
    if (gil != nullptr) gil->Release(ts);
    if (gil == nullptr || urgency != Urgency::kWoken || !gil->Look(ts.wake, seen)) {
      FutexWait(ts.wake, seen, deadline);
    }
    ts.parked.store(false);
    if (gil != nullptr) gil->Acquire(ts, urgency);
  } else {
    ts.parked.store(false);
  }
}

void Unpark(ThreadState& ts) {
  ts.wake.fetch_add(1);
  FutexWake(&ts.wake);
}

void YieldLock(ThreadState& ts) {
  if (ts.rt->gil != nullptr && ts.rt->gil->wanted()) {
    ts.rt->gil->HandOver(ts, false);
  } else {
    Blocking(ts, sched_yield);
  }
}

Status SleepUntil(ThreadState& ts, int64_t deadline) {
  while (MonotonicNow() < deadline) {
    Park(ts, deadline, Urgency::kReturning);
    if (HasUrgentRequest(ts)) MVM_TRY_VOID(ServeInterrupted(ts));
  }
  return Ok();
}

// ---- lists of those who sleep ----

bool WaitList::IsOfThisProcess(ThreadState& ts) {
  if (forks_ == ts.rt->forks) return true;
  forks_ = ts.rt->forks;
  first_ = nullptr;
  return false;
}

void WaitList::Add(ThreadState& ts, Row* row) {
  (void)IsOfThisProcess(ts);
  Row** end = &first_;
  while (*end != nullptr) end = &(*end)->next;
  *end = row;
}

void WaitList::Remove(ThreadState& ts, Row* row) {
  if (!IsOfThisProcess(ts)) return;
  Row** link = &first_;
  while (*link != nullptr && *link != row) link = &(*link)->next;
  if (*link != nullptr) *link = row->next;
}

void WaitList::WakeAll(ThreadState& ts) {
  if (first_ == nullptr || !IsOfThisProcess(ts)) return;
  for (Row* row = first_; row != nullptr; row = row->next) {
    row->woken = true;
    Unpark(*row->ts);
  }
}

uint32_t WaitList::Count(ThreadState& ts) {
  uint32_t n = 0;
  if (first_ == nullptr || !IsOfThisProcess(ts)) return n;
  for (Row* row = first_; row != nullptr; row = row->next) ++n;
  return n;
}

// ---- threads ----

void AddThread(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  ts.id = ++rt.last_thread_id;
  ts.next = rt.threads;
  rt.threads = &ts;
  rt.gil->Share();
  rt.hooks.enter_thread(ts);
  if (rt.hooks.threads_changed) rt.hooks.threads_changed(rt);
}

void RemoveThread(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  ThreadState** link = &rt.threads;
  while (*link != &ts) link = &(*link)->next;
  *link = ts.next;
  if (rt.hooks.threads_changed) rt.hooks.threads_changed(rt);
}

ThreadState* FindThread(RuntimeState& rt, uint64_t id) {
  ThreadState* t = rt.threads;
  while (t != nullptr && t->id != id) t = t->next;
  return t;
}

bool StopThreads(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  if (rt.gil == nullptr) return true;
  rt.gil->Freeze(false);
  const int64_t end = MonotonicNow() + kPatienceAtEnd;
  while (rt.threads != &ts || ts.next != nullptr) {
    for (ThreadState* t = rt.threads; t != nullptr; t = t->next) {
      if (t == &ts || t->stopping) continue;
      t->stopping = true;
      t->depth_limit = 0;  // no frame of script code fits any more
      RequestAttention(*t, kRequestStop);
    }
    if (MonotonicNow() > end) {
      rt.gil->Freeze(true);
      return false;
    }
    Park(ts, MonotonicNow() + 1'000'000, Urgency::kReturning);
  }
  return true;
}

// More than a child needs to begin and end; if it goes on, nothing beside what it does then.
static constexpr uint32_t kThriftOfChild = 1000;

void KeepOnlyThread(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  ts.next = nullptr;
  rt.threads = &ts;  // the others' frames stay where they are: objects refer to them
  rt.main_thread = &ts;
  ++rt.forks;
  if (rt.signals != nullptr) rt.signals->main = &ts;
  ts.native_id = static_cast<int>(gettid());
  ts.thrift = kThriftOfChild;
  if (rt.hooks.threads_changed) rt.hooks.threads_changed(rt);
}

}  // namespace minivm
