// Moving data between descriptors and buffers in the module posix: vectored and positioned reads
// and writes, sendfile and its like, allocation, advice, locks.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <deque>

#include "runtime/protocol/buffer.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

// The buffers of readv() and its like, held while this lives.
struct IoVectors {
  HeldMemory held;
  std::deque<BufferView> views;  // they do not move
  std::vector<struct iovec> rows;

  Status Fill(ThreadState& ts, Value buffers, bool writable, const char* function) {
    if (TypeOf(ts, buffers)->slots.get_item == nullptr || IsDict(ts, buffers)) {
      return Raise(ts, Exc::kTypeError, "%s() arg 2 must be a sequence", function);
    }
    return ForEach(ts, buffers, [&](Value v) -> Status {
      MVM_TRY_VOID(held.Add(ts, sizeof(BufferView) + 2 * sizeof(struct iovec)));
      views.emplace_back();
      MVM_TRY_VOID(GetBuffer(ts, v, &views.back(), writable));
      rows.push_back({views.back().data, static_cast<size_t>(views.back().size)});
      return Ok();
    });
  }
  int count() const { return static_cast<int>(rows.size()); }
};

Result<> posix_readv(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  IoVectors io;
  MVM_TRY_VOID(io.Fill(ts, args[1], true, "readv"));
  MVM_TRY_VOID(AwaitReadable(ts, fd));
  return RetryCount(ts, [&] { return readv(fd, io.rows.data(), io.count()); });
}
Result<> posix_writev(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  IoVectors io;
  MVM_TRY_VOID(io.Fill(ts, args[1], false, "writev"));
  return RetryCount(ts, [&] { return writev(fd, io.rows.data(), io.count()); });
}
Result<> posix_preadv(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  IoVectors io;
  MVM_TRY_VOID(io.Fill(ts, args[1], true, "preadv2"));
  MVM_TRY(int64_t offset, AsOffset(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  return RetryCount(ts, [&] { return preadv2(fd, io.rows.data(), io.count(), offset, flags); });
}
Result<> posix_pwritev(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  IoVectors io;
  MVM_TRY_VOID(io.Fill(ts, args[1], false, "pwritev2"));
  MVM_TRY(int64_t offset, AsOffset(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  return RetryCount(ts, [&] { return pwritev2(fd, io.rows.data(), io.count(), offset, flags); });
}

// sendfile(out_fd, in_fd, offset, count): offset None: from where in_fd is.
Result<> posix_sendfile(ThreadState& ts, Args args) {
  MVM_TRY(int out, AsCInt(ts, args[0]));
  MVM_TRY(int in, AsCInt(ts, args[1]));
  MVM_TRY(int64_t count, AsOffset(ts, args[3]));
  off_t offset = 0;
  bool here = IsNone(ts, args[2]);
  if (!here) {
    MVM_TRY(offset, AsOffset(ts, args[2]));
  }
  return RetryCount(
      ts, [&] { return sendfile(out, in, here ? nullptr : &offset, static_cast<size_t>(count)); });
}

// The arguments that copy_file_range() and splice() have in common.
struct Transfer {
  int src, dst;
  size_t count;
  off_t src_offset = 0, dst_offset = 0;
  off_t *from = nullptr, *to = nullptr;

  Status Get(ThreadState& ts, Args args) {
    MVM_TRY(src, AsCInt(ts, args[0]));
    MVM_TRY(dst, AsCInt(ts, args[1]));
    MVM_TRY(int64_t n, AsOffset(ts, args[2]));
    if (n < 0) return Raise(ts, Exc::kValueError, "negative value for 'count' not allowed");
    count = static_cast<size_t>(n);
    if (!IsNone(ts, args[3])) {
      MVM_TRY(src_offset, AsOffset(ts, args[3]));
      from = &src_offset;
    }
    if (!IsNone(ts, args[4])) {
      MVM_TRY(dst_offset, AsOffset(ts, args[4]));
      to = &dst_offset;
    }
    return Ok();
  }
};
Result<> posix_copy_file_range(ThreadState& ts, Args args) {
  Transfer t;
  MVM_TRY_VOID(t.Get(ts, args));
  return RetryCount(ts, [&] { return copy_file_range(t.src, t.from, t.dst, t.to, t.count, 0); });
}
Result<> posix_splice(ThreadState& ts, Args args) {
  Transfer t;
  MVM_TRY_VOID(t.Get(ts, args));
  MVM_TRY(int flags, AsCInt(ts, args[5]));
  return RetryCount(ts, [&] {
    return splice(t.src, t.from, t.dst, t.to, t.count, static_cast<unsigned>(flags));
  });
}

Result<> posix_posix_fadvise(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t offset, AsOffset(ts, args[1]));
  MVM_TRY(int64_t length, AsOffset(ts, args[2]));
  MVM_TRY(int advice, AsCInt(ts, args[3]));
  int error = Blocking(ts, [&] { return posix_fadvise(fd, offset, length, advice); });
  if (error != 0) return RaiseErrno(ts, error);
  return None(ts);
}
Result<> posix_posix_fallocate(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t offset, AsOffset(ts, args[1]));
  MVM_TRY(int64_t length, AsOffset(ts, args[2]));
  for (;;) {
    int error = Blocking(ts, [&] { return posix_fallocate(fd, offset, length); });
    if (error == 0) return None(ts);
    if (error != EINTR) return RaiseErrno(ts, error);
    MVM_TRY_VOID(Charge(ts, 1'000'000'000));
  }
}
Result<> posix_lockf(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int command, AsCInt(ts, args[1]));
  MVM_TRY(int64_t length, AsOffset(ts, args[2]));
  return RetryDone(ts, [&] { return lockf(fd, command, length); });
}
Result<> posix_sync(ThreadState& ts, Args args) {
  Blocking(ts, [] {
    sync();
    return 0;
  });
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"copy_file_range(src, dst, count, offset_src=None, offset_dst=None)", posix_copy_file_range,
     "Copy up to count bytes between files inside the kernel; returns how many, 0 at the end."},
    {"lockf(fd, command, length, /)", posix_lockf,
     "Lock len bytes from the position on (F_LOCK, F_TLOCK), free them (F_ULOCK) or ask (F_TEST); "
     "0: to the end."},
    {"posix_fadvise(fd, offset, length, advice, /)", posix_posix_fadvise,
     "Tell the kernel how a part of a file will be read: POSIX_FADV_SEQUENTIAL, "
     "POSIX_FADV_DONTNEED, ..."},
    {"posix_fallocate(fd, offset, length, /)", posix_posix_fallocate,
     "Have room on the disk for length bytes from offset, so that writing them cannot fail for "
     "want of it."},
    {"preadv(fd, buffers, offset, flags=0, /)", posix_preadv,
     "Fill writable buffers one after the other from offset; returns how many bytes. The position "
     "stays."},
    {"pwritev(fd, buffers, offset, flags=0, /)", posix_pwritev,
     "Write buffers one after the other at offset; returns how many bytes. The position stays."},
    {"readv(fd, buffers, /)", posix_readv,
     "Fill writable buffers one after the other; returns how many bytes."},
    {"sendfile(out_fd, in_fd, offset, count)", posix_sendfile,
     "Send up to count bytes of a file to a socket inside the kernel; returns how many. offset "
     "None: from the position."},
    {"splice(src, dst, count, offset_src=None, offset_dst=None, flags=0)", posix_splice,
     "Move up to count bytes inside the kernel; one end is a pipe. Returns how many."},
    {"sync()", posix_sync, "Have everything that was written put on the disks."},
    {"writev(fd, buffers, /)", posix_writev,
     "Write buffers one after the other; returns how many bytes, maybe not all."},
};

}  // namespace

const Table<MethodSpec> kPosixTransferFunctions = kFunctions;

}  // namespace minivm
