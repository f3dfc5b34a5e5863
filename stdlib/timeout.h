// Timeouts of natives that wait.
#pragma once

#include <ctime>

#include "runtime/core/blocking.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// A point on the monotonic clock, or never.
class Deadline {
 public:
  Deadline() = default;  // never
  static Deadline After(int64_t nanoseconds);
  bool never() const { return at_ == kNever; }
  // Nanoseconds left, 0 when it has passed. REQUIRES: !never()
  int64_t Left() const;
  // The next stretch to wait: what is left, and no more than kSlice, so that requests of the host
  // reach a script that waits.
  int64_t Slice() const;
  static constexpr int64_t kSlice = 100'000'000;

 private:
  int64_t at_ = kNever;
};

// A duration (float or int, in units of `unit` nanoseconds) as nanoseconds, rounded away from zero.
// `message` is the TypeError for anything else (null: that of what wants an integer). ValueError
// for NaN, OverflowError.
Result<int64_t> ToNanoseconds(ThreadState& ts, Value v, int64_t unit, const char* message);

inline struct timespec ToTimespec(int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

// Calls wait(slice_ns) -> int (a system call that waits: < 0 failed, 0 nothing yet) until it
// returns something else, or the deadline has passed. The VM's lock is released around each call.
// OSError.
template <class F>
Result<int> WaitUntil(ThreadState& ts, const Deadline& deadline, F wait) {
  for (;;) {
    int64_t slice = deadline.Slice();
    int n = Blocking(ts, [&] { return wait(slice); });
    if (n > 0) return n;
    if (n < 0 && errno != EINTR) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(Charge(ts, 1'000'000'000));
    if (!deadline.never() && deadline.Left() == 0) {
      if (n == 0) return 0;
    }
  }
}

// Waits, in slices, until reading from the descriptor would not block: the read itself would not
// be woken by the host. Not for descriptors that do not block anyway.
Status AwaitReadable(ThreadState& ts, int fd);

// Naps of growing length, for what can only be asked again and again: 0.2 to 20 milliseconds.
class Naps {
 public:
  Status Next(ThreadState& ts);

 private:
  int64_t next_ = 200'000;
};

}  // namespace minivm
