// _multiprocessing.PipeGuard: lets processes share the ends of a pipe, and be killed at any moment.
//
// A pipe with several readers and writers needs two locks, and who is killed with a lock in its
// hands, or in the middle of a message, must not spoil it for the others. So the locks are robust
// mutexes in shared memory, which the system takes from the dead, and a message travels in frames
// that the system writes whole or not at all: at most PIPE_BUF bytes, the first four of which are
// the head, as in frames.cpp. A message that fits is one frame, like those of a Connection; a
// longer one is sent in pieces, which say whether they are the first, the last, or between.
//
// The reader lets the system put a frame's head and its last byte, which is never 0, directly into
// the shared memory: whenever it dies, these two tell the next reader what is left of the frame.
// Invariants, seen by whoever has the read lock:
// - head is kNothing: the pipe stands at the beginning of a frame.
// - else that was the head of a frame whose body is still in the pipe, if tail is 0, or has been
//   read and nothing more, if not.
// Pieces that do not follow a first one are skipped: their reader has died. A first piece that is
// not followed by its last one is forgotten: its writer has. Every message that is lost gives the
// queue's semaphore the place back that it took. What has not come into the pipe is in debts.h.
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/multiprocessing/debts.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

constexpr uint64_t kMagic = 0x31647261'75476970;
constexpr uint32_t kNothing = UINT32_MAX;
constexpr size_t kHeadSize = sizeof(uint32_t);
constexpr size_t kMostBody = PIPE_BUF - kHeadSize;
constexpr size_t kRoomFrom = 65536;  // messages that are longer find a pipe with
constexpr int kRoom = 1024 * 1024;   // that much room

// A head is the length of what follows and, for pieces of longer messages, one of these. The first
// piece begins with the length of the message; a byte that is not 0 ends each.
constexpr uint32_t kFirst = 0x90000000, kMiddle = 0xa0000000, kLast = 0xb0000000;
constexpr uint32_t kKindMask = 0xf0000000;
uint32_t Kind(uint32_t head) { return head & kKindMask; }  // 0: a whole message

struct Shared {
  uint64_t magic;
  pthread_mutex_t read_lock, write_lock;
  std::atomic<uint32_t> head;  // big-endian, as it travels
  std::atomic<uint8_t> tail;
  Debts debts;
};
static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint8_t>) == 1);

class PipeGuardObject : public Object {
 public:
  Shared* shared = nullptr;
  int fd = -1;                 // of the memory, if it can be sent to others
  Debts::Row* debt = nullptr;  // of process `debtor`
  pid_t debtor = 0;
  void FreeBuffers(Heap&) {
    if (shared != nullptr) munmap(shared, sizeof(Shared));
    if (fd >= 0) close(fd);
    shared = nullptr;
    fd = -1;
  }
};

// ---- locks ----

// Robust, of all processes that have the memory.
int InitLock(pthread_mutex_t* lock) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  int error = pthread_mutex_init(lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return error;
}

// Holds a lock while it lives.
class Hold {
 public:
  ~Hold() {
    // In the child of a fork that a signal's handler made meanwhile this fails, as it should.
    if (lock_ != nullptr) pthread_mutex_unlock(lock_);
  }
  Hold() = default;
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  // False: it could not be had by the deadline.
  Result<bool> Take(ThreadState& ts, pthread_mutex_t* lock, bool block, const Deadline& deadline) {
    int error = pthread_mutex_trylock(lock);
    if (error == EBUSY) {
      if (!block || (!deadline.never() && deadline.Left() == 0)) return false;
      MVM_TRY(int taken, WaitUntil(ts, deadline, [&](int64_t slice) {
                struct timespec end = ToTimespec(MonotonicNow() + slice);
                error = pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &end);
                if (error == ETIMEDOUT) return 0;
                errno = error;
                return error == 0 || error == EOWNERDEAD ? 1 : -1;
              }));
      if (taken == 0) return false;
    }
    if (error == EOWNERDEAD) error = pthread_mutex_consistent(lock);
    if (error != 0) return RaiseErrno(ts, error);
    lock_ = lock;
    return true;
  }

 private:
  pthread_mutex_t* lock_ = nullptr;
};

// ---- reading ----

// One message, read with the read lock held.
class Reader {
 public:
  Reader(Shared* shared, int fd, Value semaphore, bool counts)
      : s_(*shared), fd_(fd), semaphore_(semaphore), counts_(counts) {}

  // None: it has not come by the deadline.
  Result<> Read(ThreadState& ts, bool block, const Deadline& deadline) {
    if (s_.tail != 0 && s_.head != kNothing) Skip();  // its reader died with it
    for (;;) {
      MVM_TRY(bool come, AwaitHead(ts, block, deadline));
      if (!come) return None(ts);
      uint32_t head = be32toh(s_.head);
      MVM_TRY_VOID(ReadBody(ts, head));
      if (Kind(head) == 0) {
        if (message_) Lost();
        message_ = Ref<BytesObject>();
        Result<BytesObject> made = NewBytes(ts, {reinterpret_cast<const char*>(body_), head});
        Skip();
        return made;
      }
      MVM_TRY(bool whole, AddPiece(ts, head));
      if (whole) return std::move(message_);
    }
  }

 private:
  void Lost() {
    if (counts_) PostSemaphore(semaphore_);
  }

  // The frame has been dealt with, and if it was the last of a message that is no longer in the
  // queue.
  void Skip() {
    uint32_t kind = Kind(be32toh(s_.head));
    if (kind == 0 || kind == kLast) Lost();
    s_.head = kNothing;
  }

  // False: there is none by the deadline.
  Result<bool> AwaitHead(ThreadState& ts, bool block, const Deadline& deadline) {
    while (s_.head == kNothing) {
      s_.tail = 0;
      struct iovec piece = {&s_.head, kHeadSize};
      ssize_t n = preadv2(fd_, &piece, 1, -1, RWF_NOWAIT);
      bool waits = n < 0 && errno == EAGAIN;
      if (n < 0 && !waits) {
        if (errno != EOPNOTSUPP && errno != EINTR) return RaiseErrno(ts, errno);
        struct pollfd row = {fd_, POLLIN, 0};
        waits = poll(&row, 1, 0) <= 0;
        if (!waits) n = read(fd_, &s_.head, kHeadSize);
      }
      if (waits) {
        MVM_TRY(bool come, Await(ts, block, deadline));
        if (!come) return false;
        continue;
      }
      if (n < 0) return RaiseErrno(ts, errno);
      if (n == 0) return Raise(ts, Exc::kEOFError, "");
      size_t size = be32toh(s_.head) & ~kKindMask;
      uint32_t kind = Kind(be32toh(s_.head));
      size_t least = kind == kFirst ? sizeof(uint64_t) + 1 : 1;
      if (n != kHeadSize || size < least || size > kMostBody ||
          (kind != 0 && kind != kFirst && kind != kMiddle && kind != kLast)) {
        s_.head = kNothing;
        return Raise(ts, Exc::kOSError, "invalid message length");
      }
    }
    return true;
  }

  // Waits until there is something in the pipe, or the deadline has passed.
  Result<bool> Await(ThreadState& ts, bool block, const Deadline& deadline) {
    struct pollfd row = {fd_, POLLIN, 0};
    auto look = [&](int64_t slice) {
      return poll(&row, 1, static_cast<int>((slice + 999'999) / 1'000'000));
    };
    if (!message_) {
      if (!block) return false;
      MVM_TRY(int come, WaitUntil(ts, deadline, look));
      return come > 0;
    }
    // The rest of a message comes if its writer lives, however long it takes.
    MVM_TRY(int come, WaitUntil(ts, Deadline::After(patience_), look));
    if (come > 0) return true;
    patience_ = std::min(patience_ * 2, Deadline::kSlice);
    Hold writing;
    MVM_TRY(bool nobody_writes, writing.Take(ts, &s_.write_lock, false, Deadline()));
    if (nobody_writes && look(0) == 0) {
      message_ = Ref<BytesObject>();
      Lost();
    }
    return true;
  }

  // The body has come with the head.
  Status ReadBody(ThreadState& ts, uint32_t head) {
    size_t size = head & ~kKindMask;
    struct iovec pieces[] = {{body_, size - 1}, {&s_.tail, 1}};
    ssize_t n = preadv2(fd_, pieces, 2, -1, RWF_NOWAIT);
    while (n < 0 && (errno == EOPNOTSUPP || errno == EINTR)) n = readv(fd_, pieces, 2);
    if (n < 0) return RaiseErrno(ts, errno);
    if (static_cast<size_t>(n) != size) {
      s_.head = kNothing;
      return Raise(ts, Exc::kOSError, "got end of file during message");
    }
    body_[size - 1] = s_.tail;
    return Ok();
  }

  // Adds the piece that has been read. True: that was the last.
  Result<bool> AddPiece(ThreadState& ts, uint32_t head) {
    const uint8_t* data = body_;
    size_t size = (head & ~kKindMask) - 1;
    if (Kind(head) == kFirst) {
      if (message_) Lost();
      uint64_t total;
      std::memcpy(&total, data, sizeof total);
      data += sizeof total;
      size -= sizeof total;
      s_.head = kNothing;
      if (total > static_cast<uint64_t>(INT64_MAX)) return RaiseMemoryError(ts);
      MVM_TRY(message_, NewBytesRaw(ts, static_cast<size_t>(total)));
      have_ = 0;
    } else if (!message_) {
      Skip();
      return false;
    }
    if (size > message_->length - have_) {
      Skip();
      return Raise(ts, Exc::kOSError, "invalid message length");
    }
    std::memcpy(message_->data() + have_, data, size);
    have_ += size;
    if (Kind(head) != kLast) {
      s_.head = kNothing;
      return false;
    }
    Skip();
    if (have_ != message_->length) {
      return Raise(ts, Exc::kOSError, "got end of file during message");
    }
    return true;
  }

  Shared& s_;
  int fd_;
  Value semaphore_;
  bool counts_;               // whether that is a semaphore, and not None
  Ref<BytesObject> message_;  // in pieces, of which have_ bytes have come
  size_t have_ = 0;
  int64_t patience_ = 1'000'000;  // how long to wait for the rest before looking for its writer
  uint8_t body_[kMostBody];
};

// ---- writing ----

// A frame of these parts, the first of which is the head.
Status WriteFrame(ThreadState& ts, int fd, const struct iovec* parts, int count) {
  for (;;) {
    ssize_t n = pwritev2(fd, parts, count, -1, RWF_NOWAIT);
    if (n >= 0) return Ok();
    if (errno == EOPNOTSUPP) {
      n = Blocking(ts, [&] { return writev(fd, parts, count); });
      if (n >= 0) return Ok();
    }
    if (errno != EAGAIN && errno != EINTR) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(WaitUntil(ts, Deadline(), [&](int64_t slice) {
      struct pollfd row = {fd, POLLOUT, 0};
      return poll(&row, 1, static_cast<int>(slice / 1'000'000));
    }));
  }
}

// The place that the message has taken is its own from its first frame on.
Status WriteMessage(ThreadState& ts, int fd, const uint8_t* data, size_t size, Debts::Row* debt) {
  if (size > 0 && size <= kMostBody && data[size - 1] != 0) {
    uint32_t head = htobe32(static_cast<uint32_t>(size));
    struct iovec parts[] = {{&head, kHeadSize}, {const_cast<uint8_t*>(data), size}};
    MVM_TRY_VOID(WriteFrame(ts, fd, parts, 2));
    if (debt != nullptr) Pay(debt);
    return Ok();
  }
  // The fewer times the ends wait for each other the better; it does not matter if that fails.
  if (size > kRoomFrom && fcntl(fd, F_GETPIPE_SZ) < kRoom) fcntl(fd, F_SETPIPE_SZ, kRoom);
  uint64_t total = size;
  uint8_t tail = 1;
  for (uint32_t kind = kFirst; kind != kLast;) {
    size_t extra = kind == kFirst ? sizeof total : 0;
    size_t n = std::min(size, kMostBody - extra - 1);
    if (kind != kFirst) kind = n == size ? kLast : kMiddle;
    uint32_t head = htobe32(kind | static_cast<uint32_t>(extra + n + 1));
    struct iovec parts[] = {
        {&head, kHeadSize}, {&total, extra}, {const_cast<uint8_t*>(data), n}, {&tail, 1}};
    MVM_TRY_VOID(WriteFrame(ts, fd, parts, 4));
    if (debt != nullptr && kind == kFirst) Pay(debt);
    data += n;
    size -= n;
    if (kind == kFirst) kind = kMiddle;
    MVM_TRY_VOID(Charge(ts, 100));
  }
  return Ok();
}

// ---- the type ----

// The object around the memory behind fd, or around memory of its own that children inherit.
Result<> Make(ThreadState& ts, TypeObject* type, int fd, bool init) {
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  PipeGuardObject* guard = made.as<PipeGuardObject>();
  guard->fd = fd;
  int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) return RaiseErrno(ts, errno);
  guard->shared = static_cast<Shared*>(memory);
  if (init) {
    int error = InitLock(&guard->shared->read_lock);
    if (error == 0) error = InitLock(&guard->shared->write_lock);
    if (error != 0) return RaiseErrno(ts, error);
    guard->shared->head = kNothing;
    guard->shared->magic = kMagic;
  } else if (guard->shared->magic != kMagic) {
    return Raise(ts, Exc::kValueError, "not a guard's memory");
  }
  return made;
}

Result<> pipe_guard_new(ThreadState& ts, Args args) {
  MVM_TRY(bool sendable, Truth(ts, args[1]));
  int fd = -1;
  if (sendable) {
    fd = memfd_create("minivm-pipe", MFD_CLOEXEC);
    if (fd < 0) return RaiseErrno(ts, errno);
    if (ftruncate(fd, sizeof(Shared)) < 0) {
      int error = errno;
      close(fd);
      return RaiseErrno(ts, error);
    }
  }
  return Make(ts, args.self<TypeObject>(), fd, true);
}

Result<> pipe_guard_attach(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[1]));
  struct stat about;
  if (fstat(fd, &about) < 0) return RaiseErrno(ts, errno);
  if (about.st_size != sizeof(Shared)) return Raise(ts, Exc::kValueError, "not a guard's memory");
  return Make(ts, args.self<TypeObject>(), fd, false);
}

Result<> pipe_guard_receive(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[1]));
  MVM_TRY(bool block, Truth(ts, args[3]));
  Deadline deadline;
  MVM_TRY_VOID(WaitLimit(ts, args[4], &deadline));
  MVM_TRY_VOID(CheckSemaphore(ts, args[2]));
  Shared* shared = args.self<PipeGuardObject>()->shared;
  Hold reading;
  MVM_TRY(bool taken, reading.Take(ts, &shared->read_lock, block, deadline));
  if (!taken) return None(ts);
  return Reader(shared, fd, args[2], !IsNone(ts, args[2])).Read(ts, block, deadline);
}

// Forked children have rows of their own.
Debts::Row* DebtOf(PipeGuardObject* guard) {
  if (const pid_t me = getpid(); guard->debtor != me) {
    guard->debt = guard->shared->debts.Mine();
    guard->debtor = me;
  }
  return guard->debt;
}

Result<> pipe_guard_send(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[1]));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[2]));
  Hold writing;
  MVM_TRY_VOID(
      writing.Take(ts, &args.self<PipeGuardObject>()->shared->write_lock, true, Deadline()));
  MVM_TRY(bool owed, Truth(ts, args[3]));
  Debts::Row* debt = owed ? DebtOf(args.self<PipeGuardObject>()) : nullptr;
  MVM_TRY_VOID(WriteMessage(ts, fd, view.mutable_data(), view.size(), debt));
  return None(ts);
}

Result<> pipe_guard_take(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckSemaphore(ts, args[1]));
  MVM_TRY(bool block, Truth(ts, args[2]));
  Deadline deadline;
  MVM_TRY_VOID(WaitLimit(ts, args[3], &deadline));
  if (IsNone(ts, args[1])) return Bool(ts, true);
  Debts::Row* row = DebtOf(args.self<PipeGuardObject>());
  MVM_TRY(bool taken, TakeSemaphore(ts, args[1], block, deadline, row ? &row->places : nullptr));
  return Bool(ts, taken);
}
Result<> pipe_guard_pay(ThreadState& ts, Args args) {
  if (Debts::Row* row = DebtOf(args.self<PipeGuardObject>())) Pay(row);
  return None(ts);
}
Result<> pipe_guard_settle(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckSemaphore(ts, args[1]));
  const uint32_t found = args.self<PipeGuardObject>()->shared->debts.Settle();
  for (uint32_t i = 0; i < found && !IsNone(ts, args[1]); ++i) PostSemaphore(args[1]);
  return Bool(ts, found > 0);
}

Result<> pipe_guard_fd(ThreadState&, Value self) { return Small(self.as<PipeGuardObject>()->fd); }

const MethodSpec kPipeGuardMethods[] = {
    {"_attach(type, fd, /)", pipe_guard_attach,
     "The guard of another process, from a descriptor of its memory, which becomes the object's.",
     kMethodClass},
    {"pay(self, /)", pipe_guard_pay, "A place that was taken has been given back."},
    {"receive(self, fd, semaphore, block=True, timeout=None, /)", pipe_guard_receive,
     "The next message, as bytes, or None if there is none in time. EOFError at the end. For each "
     "message that leaves the pipe the semaphore, a SemLock or None, is released."},
    {"send(self, fd, data, owed=False, /)", pipe_guard_send,
     "Send bytes as a message, for which a place is owed or not."},
    {"settle(self, semaphore, /)", pipe_guard_settle,
     "Release the semaphore, a SemLock, once for each place that processes owe which are dead; "
     "whether there was any."},
    {"take(self, semaphore, block, timeout, /)", pipe_guard_take,
     "Acquire the semaphore, a SemLock: this process owes the place until it has begun to send."},
};
const GetSetSpec kPipeGuardGetSets[] = {
    {"fd", pipe_guard_fd, nullptr, "A descriptor of its memory; -1: only children inherit it."},
};

}  // namespace

const TypeSpec kPipeGuardType = {
    .name = "_multiprocessing.PipeGuard",
    .doc =
        "The locks of a pipe that processes share, and what is known of the message in its "
        "middle. If sendable, the guard can be sent to others.",
    .size = sizeof(PipeGuardObject),
    .gc = LeafHooksOf<PipeGuardObject>(),
    .construct = {"PipeGuard(sendable, /)", pipe_guard_new},
    .methods = kPipeGuardMethods,
    .getsets = kPipeGuardGetSets,
};

}  // namespace minivm
