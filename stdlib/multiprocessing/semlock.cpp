// _multiprocessing.SemLock: a named semaphore of the system, as a lock of several processes.
//
// The semaphore's value is shared; `count` and `owner` are of this process alone: how often it has
// acquired more than it has released, and which thread came last. For a recursive mutex that is
// who holds it, and acquiring it again leaves the semaphore alone.
#include <fcntl.h>
#include <semaphore.h>

#include <algorithm>
#include <climits>
#include <cmath>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/fs_path.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

enum Kind : int { kRecursiveMutex = 0, kSemaphore = 1 };

class SemLockObject : public Object {
 public:
  sem_t* semaphore = SEM_FAILED;
  int kind = kSemaphore, maxvalue = 0;
  int64_t count = 0;
  uint64_t owner = 0;
  Value name;  // str
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
  }
  void FreeBuffers(Heap&) {
    if (semaphore != SEM_FAILED) sem_close(semaphore);
    semaphore = SEM_FAILED;
  }
  bool IsMine(ThreadState& ts) const { return count > 0 && owner == ts.id; }
};

Result<int> SemaphoreValue(ThreadState& ts, SemLockObject* lock) {
  int value = 0;
  if (sem_getvalue(lock->semaphore, &value) < 0) return RaiseErrno(ts, errno);
  return std::max(value, 0);  // POSIX lets it tell the number of sleepers as a negative one
}

// The object around what `open` opens.
template <class F>
Result<> MakeSemLock(ThreadState& ts, TypeObject* type, int kind, int maxvalue, Value name,
                     F open) {
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  SemLockObject* lock = made.as<SemLockObject>();
  lock->kind = kind;
  lock->maxvalue = maxvalue;
  lock->name = Ref<>::Borrow(name).Release();
  lock->semaphore = open();
  if (lock->semaphore == SEM_FAILED) return RaiseErrno(ts, errno);
  return made;
}

Result<> semlock_new(ThreadState& ts, Args args) {
  MVM_TRY(int kind, AsCInt(ts, args[1]));
  MVM_TRY(int value, AsCInt(ts, args[2]));
  MVM_TRY(int maxvalue, AsCInt(ts, args[3]));
  std::string name;
  MVM_TRY_VOID(SharedName(ts, args[4], "SemLock", &name));
  MVM_TRY(bool unlink, Truth(ts, args[5]));
  if (kind != kRecursiveMutex && kind != kSemaphore) {
    return Raise(ts, Exc::kValueError, "unrecognized kind");
  }
  return MakeSemLock(ts, args.self<TypeObject>(), kind, maxvalue, args[4], [&] {
    sem_t* made = sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, static_cast<unsigned>(value));
    if (made != SEM_FAILED && unlink && sem_unlink(name.c_str()) < 0) {
      int error = errno;
      sem_close(made);
      errno = error;
      return static_cast<sem_t*>(SEM_FAILED);
    }
    return made;
  });
}

// The handle is an address in the process that made it, of no use to another: the name counts.
Result<> semlock_rebuild(ThreadState& ts, Args args) {
  MVM_TRY(int kind, AsCInt(ts, args[2]));
  MVM_TRY(int maxvalue, AsCInt(ts, args[3]));
  std::string name;
  MVM_TRY_VOID(SharedName(ts, args[4], "_rebuild", &name));
  if (kind != kRecursiveMutex && kind != kSemaphore) {
    return Raise(ts, Exc::kValueError, "unrecognized kind");
  }
  return MakeSemLock(ts, args.self<TypeObject>(), kind, maxvalue, args[4],
                     [&] { return sem_open(name.c_str(), 0); });
}

// Takes one from the semaphore, and counts it in `owed` if that is not null, before anything else
// can happen; false: there was none by the deadline.
Result<bool> Take(ThreadState& ts, SemLockObject* lock, bool block, const Deadline& deadline,
                  std::atomic<uint32_t>* owed = nullptr) {
  sem_t* semaphore = lock->semaphore;
  if (sem_trywait(semaphore) == 0) {
    if (owed != nullptr) ++*owed;
    return true;
  }
  if (errno != EAGAIN && errno != EINTR) return RaiseErrno(ts, errno);
  if (!block || (!deadline.never() && deadline.Left() == 0)) return false;
  MVM_TRY(int taken, WaitUntil(ts, deadline, [semaphore, owed](int64_t slice) {
            struct timespec end = ToTimespec(MonotonicNow() + slice);
            if (sem_clockwait(semaphore, CLOCK_MONOTONIC, &end) != 0) {
              return errno == ETIMEDOUT ? 0 : -1;
            }
            if (owed != nullptr) ++*owed;
            return 1;
          }));
  return taken > 0;
}

Result<> Acquire(ThreadState& ts, SemLockObject* lock, bool block, const Deadline& deadline) {
  if (lock->kind == kRecursiveMutex && lock->IsMine(ts)) {
    ++lock->count;
    return Bool(ts, true);
  }
  MVM_TRY(bool taken, Take(ts, lock, block, deadline));
  if (!taken) return Bool(ts, false);
  ++lock->count;
  lock->owner = ts.id;
  return Bool(ts, true);
}

Result<> semlock_acquire(ThreadState& ts, Args args) {
  MVM_TRY(bool block, Truth(ts, args[1]));
  Deadline deadline;
  MVM_TRY_VOID(WaitLimit(ts, args[2], &deadline));
  return Acquire(ts, args.self<SemLockObject>(), block, deadline);
}
Result<> semlock_enter(ThreadState& ts, Args args) {
  return Acquire(ts, args.self<SemLockObject>(), true, Deadline());
}

Result<> semlock_release(ThreadState& ts, Args args) {
  SemLockObject* lock = args.self<SemLockObject>();
  if (lock->kind == kRecursiveMutex) {
    if (!lock->IsMine(ts)) {
      return Raise(ts, Exc::kAssertionError,
                   "attempt to release recursive lock not owned by thread");
    }
    if (lock->count > 1) {
      --lock->count;
      return None(ts);
    }
  } else {
    MVM_TRY(int value, SemaphoreValue(ts, lock));
    if (value >= lock->maxvalue) {
      return Raise(ts, Exc::kValueError, "semaphore or lock released too many times");
    }
  }
  if (sem_post(lock->semaphore) < 0) return RaiseErrno(ts, errno);
  --lock->count;
  return None(ts);
}

Result<> semlock_after_fork(ThreadState& ts, Args args) {
  args.self<SemLockObject>()->count = 0;
  return None(ts);
}
Result<> semlock_count(ThreadState& ts, Args args) {
  return NewInt(ts, args.self<SemLockObject>()->count);
}
Result<> semlock_is_mine(ThreadState& ts, Args args) {
  return Bool(ts, args.self<SemLockObject>()->IsMine(ts));
}
Result<> semlock_get_value(ThreadState& ts, Args args) {
  MVM_TRY(int value, SemaphoreValue(ts, args.self<SemLockObject>()));
  return Small(value);
}
Result<> semlock_is_zero(ThreadState& ts, Args args) {
  MVM_TRY(int value, SemaphoreValue(ts, args.self<SemLockObject>()));
  return Bool(ts, value == 0);
}

Result<> semlock_handle(ThreadState& ts, Value self) {
  return NewInt(ts, reinterpret_cast<intptr_t>(self.as<SemLockObject>()->semaphore));
}
Result<> semlock_kind(ThreadState& ts, Value self) { return Small(self.as<SemLockObject>()->kind); }
Result<> semlock_maxvalue(ThreadState& ts, Value self) {
  return Small(self.as<SemLockObject>()->maxvalue);
}
Result<> semlock_name(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<SemLockObject>()->name);
}

const MethodSpec kSemLockMethods[] = {
    {"__enter__(self, /)", semlock_enter, "acquire()"},
    {"__exit__(self, exc_type=None, exc_value=None, exc_tb=None, /)", semlock_release, "release()"},
    {"_after_fork(self, /)", semlock_after_fork,
     "In the child of a fork: whatever was acquired has been so by the parent."},
    {"_count(self, /)", semlock_count, "Acquired minus released, by this process."},
    {"_get_value(self, /)", semlock_get_value, "The value of the semaphore."},
    {"_is_mine(self, /)", semlock_is_mine, "Whether this thread holds it."},
    {"_is_zero(self, /)", semlock_is_zero, "Whether an acquire() would have to wait."},
    {"_rebuild(type, handle, kind, maxvalue, name, /)", semlock_rebuild,
     "The object for the semaphore of a name, which another process has made.", kMethodClass},
    {"acquire(self, /, block=True, timeout=None)", semlock_acquire,
     "Take the semaphore, waiting for it timeout seconds at most. Whether it was acquired."},
    {"release(self, /)", semlock_release, "Undo an acquire()."},
};
const GetSetSpec kSemLockGetSets[] = {
    {"handle", semlock_handle, nullptr, "Where the semaphore is in this process."},
    {"kind", semlock_kind, nullptr, "0: recursive mutex, 1: semaphore."},
    {"maxvalue", semlock_maxvalue, nullptr, "The value that release() does not exceed."},
    {"name", semlock_name, nullptr, "What the system knows it by."},
};

}  // namespace

Status WaitLimit(ThreadState& ts, Value timeout, Deadline* out) {
  if (IsNone(ts, timeout)) return Ok();
  MVM_TRY(double seconds, AsDouble(ts, timeout));
  *out = Deadline::After(seconds > 0 ? static_cast<int64_t>(std::min(seconds, 9e9) * 1e9) : 0);
  return Ok();
}

Status CheckSemaphore(ThreadState& ts, Value v) {
  if (IsNone(ts, v)) return Ok();
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kSemLockType));
  MVM_TRY(bool is, PlainIsInstance(ts, v, type));
  return is ? Ok() : Raise(ts, Exc::kTypeError, "a SemLock is required, not %T", v);
}

Result<bool> TakeSemaphore(ThreadState& ts, Value v, bool block, const Deadline& deadline,
                           std::atomic<uint32_t>* owed) {
  SemLockObject* lock = v.as<SemLockObject>();
  MVM_TRY(bool taken, Take(ts, lock, block, deadline, owed));
  if (taken) {
    ++lock->count;
    lock->owner = ts.id;
  }
  return taken;
}

void PostSemaphore(Value v) {
  SemLockObject* lock = v.as<SemLockObject>();
  int value = 0;
  if (sem_getvalue(lock->semaphore, &value) < 0 || value >= lock->maxvalue) return;
  if (sem_post(lock->semaphore) == 0) --lock->count;
}

const TypeSpec kSemLockType = {
    .name = "_multiprocessing.SemLock",
    .doc = "A semaphore, or a mutex made of one, that processes share.",
    .flags = kTypeBase,
    .size = sizeof(SemLockObject),
    .gc = LeafHooksOf<SemLockObject>(),
    .construct = {"SemLock(kind, value, maxvalue, name, unlink)", semlock_new},
    .methods = kSemLockMethods,
    .getsets = kSemLockGetSets,
};

}  // namespace minivm
