// Threads that sleep until something of the VM changes: a lock is free, a thread has ended.
//
// A list of rows on the C stacks of those who sleep; like what they wait for it is only touched by
// the thread that has the VM's lock. The object that has it is pinned by those who wait. In the
// child of a fork the threads of the list are gone, and it is empty: it knows of which process it
// is.
#pragma once

#include "runtime/core/blocking.h"

namespace minivm {

class WaitList {
 public:
  // Sleeps until ready(), which is asked with the lock held; false: the deadline passed before. Who
  // is woken may find that another thread was faster, and sleeps on.
  // Requests are served meanwhile, and what they raise is passed on. `object` is told to those who
  // ask what the thread waits for.
  template <class Ready>
  Result<bool> Wait(ThreadState& ts, Object* object, int64_t deadline, Ready ready) {
    if (ready()) return true;
    Row row = {&ts};
    Add(ts, &row);
    bool listed = true;
    Object* outer = std::exchange(ts.waits_for, object);
    bool there = false, raised = false;
    do {
      Park(ts, deadline, Urgency::kWoken);
      row.woken = false;
      there = ready();
      if (!there && HasUrgentRequest(ts)) {
        // Not in the list meanwhile: who is woken while a handler runs would not take it.
        Remove(ts, &row);
        raised = ServeInterrupted(ts).raised();
        there = !raised && ready();
        listed = !raised && !there;
        if (listed) Add(ts, &row);
      }
    } while (!there && !raised && (deadline == kNever || MonotonicNow() < deadline));
    ts.waits_for = outer;
    if (listed) Remove(ts, &row);
    // Woken, but not to take it: that is somebody else's then.
    if (!there && ready()) WakeOne(ts);
    if (raised) return kRaised;
    return there;
  }
  void WakeOne(ThreadState& ts) {
    if (MVM_LIKELY(first_ == nullptr) || !IsOfThisProcess(ts) || first_->woken) return;
    first_->woken = true;
    Unpark(*first_->ts);
  }
  void WakeAll(ThreadState& ts);
  // How many threads sleep, or have been woken and not looked yet.
  uint32_t Count(ThreadState& ts);

 private:
  struct Row {
    ThreadState* ts;
    Row* next = nullptr;
    bool woken = false;  // but has not looked yet
  };
  bool IsOfThisProcess(ThreadState& ts);
  void Add(ThreadState& ts, Row* row);
  void Remove(ThreadState& ts, Row* row);

  Row* first_ = nullptr;
  uint32_t forks_ = 0;  // RuntimeState::forks of the process
};

}  // namespace minivm
