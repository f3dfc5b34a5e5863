// Module _queue: SimpleQueue, and what makes queue.Queue fast.
//
// A SimpleQueue is a chain of blocks that belongs, like all else, to the thread that has the VM's
// lock: nothing that runs between two instructions finds it half changed, so that put() may
// interrupt put(). Who finds it empty sleeps in its WaitList.
//
// A queue.Queue is a script object: a lock, three conditions on it and a container. Shortcuts does
// in one step what its put() and get() do when there is nothing to wait for: nobody has the lock,
// there is room or an item, and nothing that a script could have put in the place of its own is in
// the way. Since the thread has the VM's lock, doing it at once is as good as doing it with the
// queue's lock held; and no thread can be made to give way with that lock in its hands, for which
// all others would have to wait. Otherwise it does nothing and says so.
#include <algorithm>

#include "runtime/core/shape.h"
#include "runtime/core/wait_list.h"
#include "runtime/gc/object_refs.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/collections/deque_access.h"
#include "stdlib/collections/deque_blocks.h"
#include "stdlib/thread/thread_types.h"
#include "stdlib/timeout.h"

namespace minivm {

extern const TypeSpec kSimpleQueueType;
extern const TypeSpec kQueueShortcutsType;

namespace {

[[gnu::cold]] Raised RaiseEmpty(ThreadState& ts) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_queue"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "Empty"));
  MVM_TRY(Ref<> exception, Call(ts, type));
  return RaiseObject(ts, exception);
}

// ---- SimpleQueue ----

class SimpleQueueObject : public Object {
 public:
  DequeBlocks items;
  WaitList waiting;
  template <class V>
  void VisitRefs(V&& v) {
    items.ForEach(v);
  }
  void FreeBuffers(Heap& heap) { items.Free(heap); }
};

SimpleQueueObject* Self(Args args) { return args.self<SimpleQueueObject>(); }

Result<> simple_queue_new(ThreadState& ts, Args args) {
  return AllocInstance(ts, args.self<TypeObject>());
}

// put(item, block=True, timeout=None)
Result<> simple_queue_put(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Self(args)->items.PushRight(ts, args[1]));
  Incref(args[1]);
  Self(args)->waiting.WakeOne(ts);
  return None(ts);
}

// What is left, if anything, is for those who wait still: one at a time is woken.
Result<> Take(ThreadState& ts, SimpleQueueObject* q) {
  Ref<> item = Ref<>::Steal(q->items.PopLeft(ts.heap()));
  if (q->items.size() != 0) q->waiting.WakeOne(ts);
  return item;
}

// get(block=True, timeout=None)
Result<> simple_queue_get(ThreadState& ts, Args args) {
  SimpleQueueObject* q = Self(args);
  int64_t deadline = kNever;
  MVM_TRY(bool block, Truth(ts, args[1]));
  if (block && !IsNone(ts, args[2])) {
    MVM_TRY(int64_t ns, ToNanoseconds(ts, args[2], 1'000'000'000, nullptr));
    if (ns < 0) return Raise(ts, Exc::kValueError, "'timeout' must be a non-negative number");
    deadline = DeadlineAfter(ns);
    block = ns != 0;
  }
  if (q->items.size() == 0) {
    if (!block) return RaiseEmpty(ts);
    MVM_TRY(bool there, q->waiting.Wait(ts, q, deadline, [q] { return q->items.size() != 0; }));
    if (!there) return RaiseEmpty(ts);
  }
  return Take(ts, q);
}
Result<> simple_queue_get_nowait(ThreadState& ts, Args args) {
  return Self(args)->items.size() == 0 ? Result<>(RaiseEmpty(ts)) : Take(ts, Self(args));
}
Result<> simple_queue_qsize(ThreadState&, Args args) {
  return Small(static_cast<int64_t>(Self(args)->items.size()));
}
Result<> simple_queue_empty(ThreadState& ts, Args args) {
  return Bool(ts, Self(args)->items.size() == 0);
}

void simple_queue_gc_clear(Object* self) {
  DequeBlocks old = std::exchange(self->as<SimpleQueueObject>()->items, DequeBlocks());
  old.ForEach([](Value item) { Decref(item); });
  old.Free(*Heap::Of(self));
}

// _waiting(): those for whom there is an item already do not count.
Result<> simple_queue_waiting(ThreadState& ts, Args args) {
  const int64_t waiting = Self(args)->waiting.Count(ts);
  return Small(std::max<int64_t>(waiting - static_cast<int64_t>(Self(args)->items.size()), 0));
}

const MethodSpec kSimpleQueueMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585.", kMethodClass},
    {"_waiting(self, /)", simple_queue_waiting, "How many threads wait for more items."},
    {"empty(self, /)", simple_queue_empty, "Whether there are no items at this moment."},
    {"get(self, /, block=True, timeout=None)", simple_queue_get,
     "Take an item out; Empty if there is none after timeout seconds, or at once if not to block."},
    {"get_nowait(self, /)", simple_queue_get_nowait, "get() that does not wait."},
    {"put(self, /, item, block=True, timeout=None)", simple_queue_put,
     "Add an item. It never waits: the other arguments mean nothing here."},
    {"put_nowait(self, /, item)", simple_queue_put, "The same as put()."},
    {"qsize(self, /)", simple_queue_qsize, "The number of items at this moment."},
};

// ---- queue.Queue ----

constexpr const char* kNames[] = {
    "mutex",    "queue", "is_shutdown", "maxsize", "unfinished_tasks", "not_empty", "not_full",
    "_waiters", "_put",  "_get",        "_qsize"};
enum Name {
  kMutex,
  kQueue,
  kIsShutdown,
  kMaxsize,
  kUnfinished,
  kNotEmpty,
  kNotFull,
  kWaiters,
  kPut,
  kGet,
  kQsize,
  kNameCount
};

// Invariants: methods[i] is what kNames[kPut + i] was in class Queue.
class ShortcutsObject : public Object {
 public:
  Ref<StrObject> names[kNameCount];
  Ref<> methods[kNameCount - kPut];
  Ref<TypeObject> condition;
  template <class V>
  void VisitRefs(V&& v) {
    for (Ref<StrObject>& name : names) v(name);
    for (Ref<>& method : methods) v(method);
    v(condition);
  }
};

// _Shortcuts(Queue, Condition)
Result<> shortcuts_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  if (!IsType(ts, args[1]) || !IsType(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "the arguments must be classes");
  }
  ShortcutsObject* s = made.as<ShortcutsObject>();
  for (int i = 0; i < kNameCount; ++i) {
    MVM_TRY(s->names[i], InternUtf8(ts, kNames[i]));
    if (i >= kPut) {
      s->methods[i - kPut] = Ref<>::Borrow(TypeLookup(ts, args.as<TypeObject>(1), s->names[i]));
    }
  }
  s->condition = Ref<TypeObject>::Borrow(args.as<TypeObject>(2));
  return made;
}

// An attribute in a slot of a script class's instance; null: it has none there.
Value Slot(ThreadState& ts, Object* o, const Shape* shape, StrObject* name) {
  const int slot = shape->Find(name);
  return slot < 0 ? Value() : *SlotAddress(*ts.rt, o, shape, slot);
}

// A queue as the shortcuts need it.
class PlainQueue {
 public:
  PlainQueue(ThreadState& ts, const ShortcutsObject* s, Value queue, Name condition)
      : ts_(ts), s_(s), object_(queue.is_object() ? queue.object() : nullptr) {
    if (object_ == nullptr) return;
    const ShapeEntry& entry = ts.rt->shapes[object_->shape_id];
    shape_ = entry.shape;
    if (entry.type == nullptr || shape_ == nullptr || shape_->dict_mode) return;
    for (Name n : {kPut, kGet, kQsize}) {
      if (!s->methods[n - kPut].is(TypeLookup(ts, entry.type, s->names[n]))) return;
      if (shape_->Find(s->names[n]) >= 0) return;
    }
    items_ = Get(kQueue);
    if (!IsPlainDeque(ts, items_) || !LockIsFree(ts, Get(kMutex))) return;
    waiters_ = WaitersOf(Get(condition));
    good_ = IsPlainDeque(ts, waiters_);
  }
  explicit operator bool() const { return good_; }
  Value Get(Name name) const { return Slot(ts_, object_, shape_, s_->names[name]); }
  void Set(Name name, int64_t number) {  // what was there is an int in place, too
    *SlotAddress(*ts_.rt, object_, shape_, shape_->Find(s_->names[name])) = Value::Int(number);
  }
  Value items() const { return items_; }
  uint64_t size() const { return DequeSize(items_); }
  // As Condition.notify() does it. False: there is somebody, but not as it should be.
  bool CanNotify() const { return DequeSize(waiters_) == 0 || IsTicket(ts_, DequeFirst(waiters_)); }
  void Notify() {
    if (DequeSize(waiters_) == 0) return;
    Ref<> ticket = DequePopFirst(ts_, waiters_);
    ReleaseTicket(ts_, ticket);
  }

 private:
  Value WaitersOf(Value condition) const {
    if (!condition.is_object() || TypeOf(ts_, condition) != s_->condition.get()) return Value();
    const Shape* shape = ts_.rt->shapes[condition.object()->shape_id].shape;
    if (shape == nullptr || shape->dict_mode) return Value();
    return Slot(ts_, condition.object(), shape, s_->names[kWaiters]);
  }

  ThreadState& ts_;
  const ShortcutsObject* s_;
  Object* object_;
  const Shape* shape_ = nullptr;
  Value items_, waiters_;
  bool good_ = false;
};

// put(queue, item): whether it has been done.
Result<> shortcuts_put(ThreadState& ts, Args args) {
  const Value no(ts.rt->false_);
  PlainQueue q(ts, args.self<ShortcutsObject>(), args[1], kNotEmpty);
  if (!q || !q.CanNotify() || !q.Get(kIsShutdown).is(ts.rt->false_)) return Result<>::Borrow(no);
  const Value most = q.Get(kMaxsize), unfinished = q.Get(kUnfinished);
  if (!most.is_int() || !unfinished.is_int() || unfinished.as_int() == Value::kMaxInt ||
      (most.as_int() > 0 && q.size() >= static_cast<uint64_t>(most.as_int()))) {
    return Result<>::Borrow(no);
  }
  MVM_TRY_VOID(DequeAppend(ts, q.items(), args[2]));
  q.Set(kUnfinished, unfinished.as_int() + 1);
  q.Notify();
  return Bool(ts, true);
}

// get(queue): the item, or the shortcuts themselves if there is none to be had this way.
Result<> shortcuts_get(ThreadState& ts, Args args) {
  PlainQueue q(ts, args.self<ShortcutsObject>(), args[1], kNotFull);
  if (!q || q.size() == 0 || !q.CanNotify()) return Result<>::Borrow(args[0]);
  Ref<> item = DequePopFirst(ts, q.items());
  q.Notify();
  return item;
}

const MethodSpec kShortcutsMethods[] = {
    {"get(self, queue, /)", shortcuts_get,
     "queue.get() if that needs no waiting; this object itself if it does."},
    {"put(self, queue, item, /)", shortcuts_put,
     "queue.put(item) if that needs no waiting. False if it does: nothing has happened."},
};

Status exec_queue(ThreadState& ts, ModuleObject* module) {
  const Value base = ExcType(ts, Exc::kException);
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "Empty"));
  MVM_TRY(Ref<StrObject> owner, InternUtf8(ts, "_queue"));
  MVM_TRY(Ref<StrObject> doc, NewStr(ts, "There was nothing to get."));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), owner));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __doc__), doc));
  MVM_TRY(Ref<TypeObject> empty, NewHeapType(ts, TypeById(ts, TypeId::kType), name, bases, ns));
  MVM_TRY_VOID(ModuleAdd(ts, module, "Empty", empty));
  MVM_TRY(TypeObject * simple, TypeForSpec(ts, kSimpleQueueType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "SimpleQueue", Value(simple)));
  MVM_TRY(TypeObject * shortcuts, TypeForSpec(ts, kQueueShortcutsType));
  return ModuleAdd(ts, module, "_Shortcuts", Value(shortcuts));
}

}  // namespace

const TypeSpec kSimpleQueueType = {
    .name = "_queue.SimpleQueue",
    .doc = "First in, first out, without bounds or accounting; put() may interrupt put().",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(SimpleQueueObject),
    .gc = {gc_internal::VisitHook<SimpleQueueObject>, simple_queue_gc_clear,
           gc_internal::DestroyHook<SimpleQueueObject>},
    .construct = {"SimpleQueue()", simple_queue_new},
    .methods = kSimpleQueueMethods,
};

const TypeSpec kQueueShortcutsType = {
    .name = "_queue._Shortcuts",
    .doc = "put() and get() of queue.Queue, where there is nothing to wait for.",
    .size = sizeof(ShortcutsObject),
    .gc = GcHooksOf<ShortcutsObject>(),
    .construct = {"_Shortcuts(queue, condition, /)", shortcuts_new},
    .methods = kShortcutsMethods,
};

extern const ModuleSpec k__queue_module;
const ModuleSpec k__queue_module = {
    .name = "_queue",
    .doc = "Queues between threads; module queue is made of it.",
    .exec = exec_queue,
};

}  // namespace minivm
