// Messages with their length in front of them, as multiprocessing's connections exchange them.
//
// A message is its length as a big-endian int of 32 bits and then its bytes; one of 2 GiB or more
// has -1 there and its length as 64 bits behind it. Both ends are tried without waiting first,
// with the VM's lock held: that is how most messages go, and then no other thread gets in between.
// Only what would have to wait does so without the lock.
#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

constexpr size_t kPiece = size_t{1} << 30;  // one call of the system transfers no more

// Whether a call that was to return at once has not been able to.
bool WouldWait(ssize_t n) {
  return n < 0 && (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR);
}

bool IsNonBlocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

// Up to n bytes, waiting for the first of them. 0: the end.
Result<size_t> ReadSome(ThreadState& ts, int fd, uint8_t* out, size_t n) {
  n = std::min(n, kPiece);
  struct iovec piece = {out, n};
  for (;;) {
    ssize_t got = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (WouldWait(got)) {
      int error = errno;
      if (error == EAGAIN && IsNonBlocking(fd)) return RaiseErrno(ts, EAGAIN);
      MVM_TRY_VOID(AwaitReadable(ts, fd));
      // Another reader may have been faster: this one then waits, as it would have in read().
      if (error == EAGAIN)
        got = Blocking(ts, [&] { return preadv2(fd, &piece, 1, -1, RWF_NOWAIT); });
      if (error != EAGAIN) got = Blocking(ts, [&] { return read(fd, out, n); });
      if (got < 0 && (errno == EAGAIN || errno == EINTR) && !IsNonBlocking(fd)) {
        MVM_TRY_VOID(Charge(ts, 1'000'000));
        continue;
      }
    }
    if (got < 0) return RaiseErrno(ts, errno);
    return static_cast<size_t>(got);
  }
}

// Exactly n bytes. `begun`: of a message that has.
Status ReadAll(ThreadState& ts, int fd, uint8_t* out, size_t n, bool begun) {
  for (size_t have = 0; have < n;) {
    MVM_TRY(size_t got, ReadSome(ts, fd, out + have, n - have));
    if (got == 0) {
      if (have == 0 && !begun) return Raise(ts, Exc::kEOFError, "");
      return Raise(ts, Exc::kOSError, "got end of file during message");
    }
    have += got;
    if (have < n) MVM_TRY_VOID(Charge(ts, 100));
  }
  return Ok();
}

// The length of the message that comes next.
Result<uint64_t> ReadLength(ThreadState& ts, int fd) {
  uint32_t word;
  MVM_TRY_VOID(ReadAll(ts, fd, reinterpret_cast<uint8_t*>(&word), sizeof word, false));
  int32_t length = static_cast<int32_t>(be32toh(word));
  if (length >= 0) return static_cast<uint64_t>(length);
  if (length != -1) return Raise(ts, Exc::kOSError, "invalid message length");
  uint64_t longer;
  MVM_TRY_VOID(ReadAll(ts, fd, reinterpret_cast<uint8_t*>(&longer), sizeof longer, true));
  return be64toh(longer);
}

}  // namespace

Result<> multiprocessing_recv_frame(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  uint64_t most = UINT64_MAX;
  if (!IsNone(ts, args[1])) {
    MVM_TRY(int64_t given, AsInt64(ts, args[1]));
    most = given < 0 ? 0 : static_cast<uint64_t>(given);
  }
  MVM_TRY(uint64_t length, ReadLength(ts, fd));
  if (length > most) return None(ts);
  if (length > static_cast<uint64_t>(INT64_MAX)) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(length)));
  MVM_TRY_VOID(
      ReadAll(ts, fd, reinterpret_cast<uint8_t*>(out->data()), static_cast<size_t>(length), true));
  return out;
}

namespace {

Result<size_t> WriteSome(ThreadState& ts, int fd, const struct iovec* pieces, int count) {
  for (;;) {
    ssize_t n = pwritev2(fd, pieces, count, -1, RWF_NOWAIT);
    if (WouldWait(n)) {
      if (errno == EAGAIN && IsNonBlocking(fd)) return RaiseErrno(ts, EAGAIN);
      n = Blocking(ts, [&] { return writev(fd, pieces, count); });
      if (n < 0 && errno == EINTR) {
        MVM_TRY_VOID(Charge(ts, 1'000'000'000));
        continue;
      }
    }
    if (n < 0) return RaiseErrno(ts, errno);
    return static_cast<size_t>(n);
  }
}

// All of the pieces, which are changed on the way.
Status WriteAll(ThreadState& ts, int fd, struct iovec* pieces, int count) {
  while (count > 0) {
    struct iovec first = pieces[0];
    bool cut = first.iov_len > kPiece;  // the system would not take it in one
    if (cut) first.iov_len = kPiece;
    MVM_TRY(size_t n, cut ? WriteSome(ts, fd, &first, 1) : WriteSome(ts, fd, pieces, count));
    while (count > 0 && n >= pieces[0].iov_len) {
      n -= pieces[0].iov_len;
      ++pieces;
      --count;
    }
    if (count > 0) {
      pieces[0].iov_base = static_cast<char*>(pieces[0].iov_base) + n;
      pieces[0].iov_len -= n;
      MVM_TRY_VOID(Charge(ts, 100));
    }
  }
  return Ok();
}

}  // namespace

Result<> multiprocessing_send_frame(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  struct {
    uint32_t word;
    uint32_t longer[2];
  } head;
  size_t head_size = sizeof head.word;
  if (view.size() <= INT32_MAX) {
    head.word = htobe32(static_cast<uint32_t>(view.size()));
  } else {
    head.word = UINT32_MAX;
    uint64_t longer = htobe64(view.size());
    std::memcpy(head.longer, &longer, sizeof longer);
    head_size = sizeof head;
  }
  struct iovec pieces[] = {{&head, head_size}, {view.mutable_data(), view.size()}};
  MVM_TRY_VOID(WriteAll(ts, fd, pieces, view.size() == 0 ? 1 : 2));
  return None(ts);
}

}  // namespace minivm
