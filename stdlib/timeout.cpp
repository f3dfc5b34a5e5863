// Timeouts of natives that wait: see timeout.h.
#include "stdlib/timeout.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cmath>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"

namespace minivm {

Deadline Deadline::After(int64_t nanoseconds) {
  Deadline d;
  d.at_ = DeadlineAfter(nanoseconds);
  return d;
}

int64_t Deadline::Left() const { return std::max<int64_t>(0, at_ - MonotonicNow()); }

int64_t Deadline::Slice() const { return never() ? kSlice : std::min(Left(), kSlice); }

Status AwaitReadable(ThreadState& ts, int fd) {
  struct pollfd row = {fd, POLLIN, 0};
  // Readable at once, or an error that the read will tell.
  if (poll(&row, 1, 0) != 0) return Ok();
  if (fcntl(fd, F_GETFL) & O_NONBLOCK) return Ok();
  MVM_TRY_VOID(WaitUntil(ts, Deadline(), [&](int64_t slice) {
    return poll(&row, 1, static_cast<int>(slice / 1'000'000));
  }));
  return Ok();
}

Status Naps::Next(ThreadState& ts) {
  struct timespec nap = ToTimespec(next_);
  Blocking(ts, [&] { return nanosleep(&nap, nullptr); });
  next_ = std::min<int64_t>(next_ * 2, 20'000'000);
  return Charge(ts, 1'000'000'000);
}

Result<int64_t> ToNanoseconds(ThreadState& ts, Value v, int64_t unit, const char* message) {
  constexpr double kMost = 9223372036854775808.0;  // 2**63
  if (IsFloat(ts, v)) {
    double d = FloatValue(v);
    if (std::isnan(d)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
    d *= static_cast<double>(unit);
    d = d < 0 ? std::floor(d) : std::ceil(d);
    if (!(d < kMost && d >= -kMost)) {
      return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
    }
    return static_cast<int64_t>(d);
  }
  Result<> index = Index(ts, v);
  if (index.raised()) {
    if (message == nullptr || !PendingIs(ts, Exc::kTypeError)) return kRaised;
    ClearPending(ts);
    return Raise(ts, Exc::kTypeError, "%s", message);
  }
  Ref<> i = index.Take();
  int64_t n, ns;
  if (!IntFitsInt64(i, &n) || __builtin_mul_overflow(n, unit, &ns)) {
    return Raise(ts, Exc::kOverflowError, "timestamp too large to convert to C PyTime_t");
  }
  return ns;
}

}  // namespace minivm
