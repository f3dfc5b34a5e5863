// _thread.lock and _thread.RLock.
//
// A lock is a count that belongs, like all else, to the thread that has the VM's lock: taking a
// free one is an assignment. Who finds it taken sleeps in its WaitList. A release wakes the first
// sleeper but does not give it the lock: whoever comes first has it.
#include "runtime/core/wait_list.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/thread/thread_types.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

// Lock and RLock. The owner of a lock is who took it last: for one that is held, and no RLock, that
// is only told to people.
class LockObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  uint64_t count = 0;  // 0: free
  uint64_t owner = 0;
  WaitList waiting;
};

constexpr int64_t kSecond = 1'000'000'000;

// How long acquire(blocking=True, timeout=-1) waits, in ns: negative for ever. May run script code.
Result<int64_t> WaitTime(ThreadState& ts, Args args) {
  constexpr int64_t kForEver = -kSecond;
  if (args[1].is(ts.rt->true_) && args[2].bits() == Value::Int(-1).bits()) return kForEver;
  MVM_TRY(bool block, Truth(ts, args[1]));
  MVM_TRY(int64_t ns, ToNanoseconds(ts, args[2], kSecond, nullptr));
  if (!block && ns != kForEver)
    return Raise(ts, Exc::kValueError, "can't specify a timeout for a non-blocking call");
  if (ns < 0 && ns != kForEver)
    return Raise(ts, Exc::kValueError, "timeout value must be a non-negative number");
  return block ? ns : 0;
}

// Waits until the lock is free; false: timed out. Signals and limits are served meanwhile.
Result<bool> WaitFree(ThreadState& ts, LockObject* lock, int64_t ns) {
  if (MVM_LIKELY(lock->count == 0)) return true;
  if (ns == 0) return false;
  const int64_t end = ns < 0 ? kNever : DeadlineAfter(ns);
  return lock->waiting.Wait(ts, lock, end, [lock] { return lock->count == 0; });
}

Result<> lock_acquire(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  MVM_TRY(int64_t ns, WaitTime(ts, args));
  MVM_TRY(bool freed, WaitFree(ts, lock, ns));
  if (!freed) return Bool(ts, false);
  lock->count = 1;
  lock->owner = ts.id;
  return Bool(ts, true);
}
Result<> lock_release(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0) return Raise(ts, Exc::kRuntimeError, "release unlocked lock");
  lock->count = 0;
  lock->waiting.WakeOne(ts);
  return None(ts);
}
Result<> lock_locked(ThreadState& ts, Args args) {
  return Bool(ts, args.self<LockObject>()->count != 0);
}
Result<> lock_enter(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  MVM_TRY_VOID(WaitFree(ts, lock, -1));
  lock->count = 1;
  lock->owner = ts.id;
  return Bool(ts, true);
}
Result<> lock_exit(ThreadState& ts, Args args) { return lock_release(ts, args); }
Result<> lock_at_fork_reinit(ThreadState& ts, Args args) {
  args.self<LockObject>()->count = 0;
  args.self<LockObject>()->owner = 0;
  args.self<LockObject>()->waiting = WaitList();
  return None(ts);
}
Result<> lock_repr(ThreadState& ts, Value self) {
  return Format(ts, "<%s %T object at 0x%lx>", self.as<LockObject>()->count ? "locked" : "unlocked",
                self, static_cast<unsigned long>(self.bits()));
}

Result<> rlock_acquire(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  MVM_TRY(int64_t ns, WaitTime(ts, args));
  if (lock->count != 0 && lock->owner == ts.id) {
    ++lock->count;
    return Bool(ts, true);
  }
  MVM_TRY(bool freed, WaitFree(ts, lock, ns));
  if (!freed) return Bool(ts, false);
  lock->owner = ts.id;
  lock->count = 1;
  return Bool(ts, true);
}
Result<> rlock_release(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0 || lock->owner != ts.id)
    return Raise(ts, Exc::kRuntimeError, "cannot release un-acquired lock");
  if (--lock->count == 0) {
    lock->owner = 0;
    lock->waiting.WakeOne(ts);
  }
  return None(ts);
}
Result<> rlock_enter(ThreadState& ts, Args args) {
  Value v[] = {args[0], ts.rt->true_, Value::Int(-1)};
  return rlock_acquire(ts, Args{v, 3});
}
Result<> rlock_is_owned(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  return Bool(ts, lock->count != 0 && lock->owner == ts.id);
}
Result<> rlock_release_save(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0) return Raise(ts, Exc::kRuntimeError, "cannot release un-acquired lock");
  Value pair[] = {Value::Int(static_cast<int64_t>(lock->count)),
                  Value::Int(static_cast<int64_t>(lock->owner))};
  MVM_TRY(Ref<TupleObject> state, NewTuple(ts, pair));
  lock->count = lock->owner = 0;
  lock->waiting.WakeOne(ts);
  return state;
}
Result<> rlock_acquire_restore(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (!IsTuple(ts, args[1]) || args.as<TupleObject>(1)->size() != 2) {
    return Raise(ts, Exc::kTypeError, "_acquire_restore() argument must be a pair");
  }
  MVM_TRY(int64_t count, AsInt64(ts, args.as<TupleObject>(1)->items()[0]));
  MVM_TRY(int64_t owner, AsInt64(ts, args.as<TupleObject>(1)->items()[1]));
  MVM_TRY_VOID(WaitFree(ts, lock, -1));
  lock->count = static_cast<uint64_t>(count);
  lock->owner = static_cast<uint64_t>(owner);
  return None(ts);
}
Result<> rlock_recursion_count(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  return Small(lock->owner == ts.id ? static_cast<int64_t>(lock->count) : 0);
}
Result<> rlock_repr(ThreadState& ts, Value self) {
  LockObject* lock = self.as<LockObject>();
  return Format(
      ts, "<%s %T object owner=%llu count=%llu at 0x%lx>", lock->count ? "locked" : "unlocked",
      self, static_cast<unsigned long long>(lock->owner),
      static_cast<unsigned long long>(lock->count), static_cast<unsigned long>(self.bits()));
}

const MethodSpec kLockMethods[] = {
    {"__enter__(self, /)", lock_enter, "Lock the lock."},
    {"__exit__(...)", lock_exit, "Release the lock."},
    {"_at_fork_reinit(self, /)", lock_at_fork_reinit},
    {"acquire(self, blocking=True, timeout=-1)", lock_acquire,
     "Lock the lock. True if it was acquired."},
    {"acquire_lock(self, blocking=True, timeout=-1)", lock_acquire,
     "acquire() under its older name."},
    {"locked(self, /)", lock_locked, "Whether somebody holds it."},
    {"locked_lock(self, /)", lock_locked, "locked() under its older name."},
    {"release(self, /)", lock_release,
     "Release the lock, which need not have been acquired by this thread."},
    {"release_lock(self, /)", lock_release, "release() under its older name."},
};
const MethodSpec kRLockMethods[] = {
    {"__enter__(self, /)", rlock_enter, "Lock the lock."},
    {"__exit__(...)", rlock_release, "Release the lock."},
    {"_acquire_restore(self, state, /)", rlock_acquire_restore, "Serves threading.Condition."},
    {"_at_fork_reinit(self, /)", lock_at_fork_reinit},
    {"_is_owned(self, /)", rlock_is_owned, "Serves threading.Condition."},
    {"_recursion_count(self, /)", rlock_recursion_count,
     "How many times the owner holds it, 0 for other threads."},
    {"_release_save(self, /)", rlock_release_save, "Serves threading.Condition."},
    {"acquire(self, blocking=True, timeout=-1)", rlock_acquire,
     "Lock the lock; the owner may do so again."},
    {"release(self, /)", rlock_release, "Undo one acquire()."},
};

// What RLock() is called with is not looked at, as in CPython.
Result<> lock_new(ThreadState& ts, Args args) { return AllocInstance(ts, args.self<TypeObject>()); }

}  // namespace

const TypeSpec kLockType = {
    .name = "_thread.lock",
    .doc = "A lock: held or free. Made by allocate_lock().",
    .flags = kTypeWeakrefs,
    .size = sizeof(LockObject),
    .slots = {.repr = lock_repr},
    .construct = {"lock()", lock_new},
    .methods = kLockMethods,
};

const TypeSpec kRLockType = {
    .name = "_thread.RLock",
    .doc = "A lock that its owner can take more than once.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(LockObject),
    .slots = {.repr = rlock_repr},
    .construct = {"RLock(...)", lock_new},
    .methods = kRLockMethods,
};

bool LockIsFree(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kLockType && v.as<LockObject>()->count == 0;
}
bool IsTicket(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kLockType && v.as<LockObject>()->count != 0;
}
void ReleaseTicket(ThreadState& ts, Value lock) {
  lock.as<LockObject>()->count = 0;
  lock.as<LockObject>()->waiting.WakeOne(ts);
}

Result<> LockWaits(ThreadState& ts) {
  MVM_TRY(Ref<ListObject> rows, NewList(ts, {}));
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->waits_for == nullptr) continue;
    Ref<> thing = Ref<>::Borrow(Value(t->waits_for));
    const TypeSpec* spec = TypeOf(ts, thing)->spec;
    uint64_t owner = 0;  // queues and the like are nobody's
    if (spec == &kLockType || spec == &kRLockType) owner = thing.as<LockObject>()->owner;
    if (spec == &kThreadHandleType) owner = HandleIdent(thing);
    MVM_TRY(Ref<> waiter, NewIntU64(ts, t->id));
    MVM_TRY(Ref<> holder, NewIntU64(ts, owner));
    Value row[] = {waiter, thing, holder};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
    MVM_TRY_VOID(ListAppend(ts, rows, tuple));
  }
  return rows;
}

}  // namespace minivm
