// _thread._local: an object with other attributes in each thread.
//
// The object keeps one dict per thread that has used it. Attributes are looked up as for any
// object, with that dict in the place of the instance's own. In a thread that meets the object for
// the first time __init__ is called again with the arguments the object was made with.
//
// All such objects of a VM are in a list (RuntimeState::thread_locals), so that a thread that ends
// can take its dicts with it.
#include <algorithm>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/attr_error.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/thread/thread_types.h"

namespace minivm {

namespace {

// Invariants: linked into rt->thread_locals while rt is set. `rows` has room for `room`, of which
// `count` are used.
class LocalObject : public Object {
 public:
  struct Row {
    uint64_t thread;
    DictObject* dict;  // null once cleared by the collector
  };
  Row* rows = nullptr;
  uint32_t count = 0, room = 0;
  TupleObject* args = nullptr;
  DictObject* kwargs = nullptr;  // null: none
  RuntimeState* rt = nullptr;
  LocalObject* next = nullptr;
  LocalObject* previous = nullptr;

  template <class V>
  void VisitRefs(V&& v) {
    for (uint32_t i = 0; i < count; ++i) v(rows[i].dict);
    v(args);
    v(kwargs);
  }
  void FreeBuffers(Heap& heap) {
    if (rt != nullptr) {
      (previous != nullptr ? previous->next : Head(*rt)) = next;
      if (next != nullptr) next->previous = previous;
      rt = nullptr;
    }
    if (rows != nullptr) heap.FreeBuffer(rows, room * sizeof(Row));
    rows = nullptr;
    count = room = 0;
  }
  static LocalObject*& Head(RuntimeState& rt) {
    return reinterpret_cast<LocalObject*&>(rt.thread_locals);
  }
  void Link(RuntimeState& state) {
    rt = &state;
    next = Head(state);
    if (next != nullptr) next->previous = this;
    Head(state) = this;
  }
  // The dict of a thread, taken out of the object.
  Ref<DictObject> Take(uint64_t thread) {
    for (uint32_t i = 0; i < count; ++i) {
      if (rows[i].thread != thread) continue;
      Ref<DictObject> dict = Ref<DictObject>::Steal(rows[i].dict);
      rows[i] = rows[--count];
      return dict;
    }
    return {};
  }
  // A row for a thread that has none.
  Status Add(ThreadState& ts, uint64_t thread, Ref<DictObject> dict) {
    if (count == room) {
      const uint32_t more = room == 0 ? 1 : 2 * room;  // there are never that many threads
      MVM_TRY(void* fresh, AllocBuffer(ts, more * sizeof(Row)));
      std::copy_n(rows, count, static_cast<Row*>(fresh));
      if (rows != nullptr) ts.rt->heap.FreeBuffer(rows, room * sizeof(Row));
      rows = static_cast<Row*>(fresh);
      room = more;
    }
    rows[count++] = {thread, dict.Release()};
    return Ok();
  }
};

// The running thread's dict; made, and __init__ called, if it is new here.
Result<DictObject> ThreadDict(ThreadState& ts, Value self) {
  LocalObject* local = self.as<LocalObject>();
  for (uint32_t i = 0; i < local->count; ++i) {
    const LocalObject::Row& row = local->rows[i];
    if (row.thread == ts.id && row.dict != nullptr) return Ref<DictObject>::Borrow(row.dict);
  }
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  Ref<DictObject> cleared = local->Take(ts.id);
  MVM_TRY_VOID(local->Add(ts, ts.id, dict));
  if (TypeOf(ts, self)->slots.init != TypeById(ts, TypeId::kObject)->slots.init) {
    MVM_TRY(Ref<> init, LookupSpecial(ts, self, MVM_NAME(ts, __init__)));
    Ref<TupleObject> args = Ref<TupleObject>::Borrow(local->args);
    Ref<DictObject> kwargs = Ref<DictObject>::Borrow(local->kwargs);
    Result<> done = args ? CallWith(ts, init, args, kwargs) : None(ts);
    if (done.raised()) {
      Ref<> pending = TakePending(ts);
      { Ref<DictObject> dropped = local->Take(ts.id); }
      RestorePending(ts, std::move(pending));
      return kRaised;
    }
    Ref<> result = done.Take();
  }
  return dict;
}

Result<> local_new(ThreadState& ts, Args raw) {
  TypeObject* type = raw.self<TypeObject>();
  if ((raw.n > 1 || raw.nkw > 0) && type->slots.init == TypeById(ts, TypeId::kObject)->slots.init) {
    return Raise(ts, Exc::kTypeError, "Initialization arguments are not supported");
  }
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {raw.v + 1, raw.n - 1}));
  Ref<DictObject> kwargs;
  if (raw.nkw > 0) {
    MVM_TRY(kwargs, NewDict(ts, raw.nkw));
    TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
    for (uint32_t i = 0; i < raw.nkw; ++i) {
      MVM_TRY_VOID(DictSet(ts, kwargs, (*names)[i], raw.v[raw.n + i]));
    }
  }
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  LocalObject* local = made.as<LocalObject>();
  MVM_TRY_VOID(local->Add(ts, ts.id, std::move(dict)));
  local->args = args.Release();
  local->kwargs = kwargs.Release();
  local->Link(*ts.rt);
  return made;
}

// Found in the class and says itself what reading and writing means.
bool IsDataDescriptor(ThreadState& ts, Value attr) {
  return !attr.is_null() && TypeOf(ts, attr)->slots.descr_set != nullptr;
}

Result<> local_getattro(ThreadState& ts, Value self, StrObject* name) {
  MVM_TRY(Ref<DictObject> dict, ThreadDict(ts, self));
  if (name == MVM_NAME(ts, __dict__)) return dict;
  Value attr = TypeLookup(ts, TypeOf(ts, self), name);
  if (!IsDataDescriptor(ts, attr)) {
    Value own = DictGetStr(ts, dict, name);
    if (!own.is_null()) return Result<>::Borrow(own);
  }
  return GenericGetAttr(ts, self, name);
}

Status local_setattro(ThreadState& ts, Value self, StrObject* name, Value value) {
  MVM_TRY(Ref<DictObject> dict, ThreadDict(ts, self));
  if (name == MVM_NAME(ts, __dict__)) {
    return RaiseAttr(ts, self, name, "'%T' object attribute '__dict__' is read-only", self);
  }
  Value attr = TypeLookup(ts, TypeOf(ts, self), name);
  if (IsDataDescriptor(ts, attr)) return GenericSetAttr(ts, self, name, value);
  if (!value.is_null()) return DictSetStr(ts, dict, name, value);
  MVM_TRY(bool there, DictDelete(ts, dict, Value(name)));
  if (there) return Ok();
  return RaiseAttr(ts, self, name, "'%T' object has no attribute '%U'", self, Value(name));
}

}  // namespace

const TypeSpec kThreadLocalType = {
    .name = "_thread._local",
    .doc = "An object whose attributes each thread has for itself.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(LocalObject),
    .gc = GcHooksOf<LocalObject>(),
    .slots = {.getattro = local_getattro, .setattro = local_setattro},
    .construct = {"_local(...)", local_new},
};

void ForgetThreadLocals(ThreadState& ts, uint64_t thread_id) {
  size_t locals = 0;
  for (LocalObject* l = LocalObject::Head(*ts.rt); l != nullptr; l = l->next) ++locals;
  for (; locals > 0; --locals) {
    // From the start each time: dropping a dict runs finalizers, which may change the list.
    Ref<DictObject> dropped;
    for (LocalObject* l = LocalObject::Head(*ts.rt); l != nullptr && !dropped; l = l->next) {
      dropped = l->Take(thread_id);
    }
    if (!dropped) return;
  }
}

}  // namespace minivm
