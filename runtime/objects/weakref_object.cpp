// Weak references. See weakref_object.h; proxies are in weak_proxy.cpp.
//
// The list of an object starts with the reference that has no callback and is of the exact type,
// which is shared, then the shared proxy; newer references stand before older ones behind these,
// and callbacks are called in list order.
#include "runtime/objects/weakref_object.h"

#include "runtime/core/signals.h"
#include "runtime/gc/collector.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "runtime/support/mapped_memory.h"

namespace minivm {

// ---- the table ----

WeakrefTable::~WeakrefTable() { DeleteBlock(entries_, (size_t{mask_} + 1) * sizeof(Entry)); }

WeakrefTable::Entry* WeakrefTable::Slot(const Object* target) const {
  uint32_t i = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(target)));
  while (entries_[i & mask_].target && entries_[i & mask_].target != target) ++i;
  return &entries_[i & mask_];
}

WeakrefObject* WeakrefTable::First(const Object* target) const {
  return entries_ ? Slot(target)->first : nullptr;
}

// False: out of memory; the table is as it was.
bool WeakrefTable::Resize(Heap& heap, uint32_t size) {
  Entry* old = entries_;
  uint32_t old_size = entries_ ? mask_ + 1 : 0;
  if (size > kLeast && !heap.Charge(size * sizeof(Entry))) return false;
  Entry* fresh = static_cast<Entry*>(NewBlock(size * sizeof(Entry)));
  const uint32_t freed = fresh ? old_size : size;
  if (freed > kLeast) heap.Account(-static_cast<ptrdiff_t>(freed * sizeof(Entry)));
  if (!fresh) return false;
  entries_ = fresh;
  mask_ = size - 1;
  for (uint32_t i = 0; i < old_size; ++i) {
    if (old[i].target) *Slot(old[i].target) = old[i];
  }
  DeleteBlock(old, old_size * sizeof(Entry));
  return true;
}

bool WeakrefTable::SetFirst(Object* target, WeakrefObject* ref) {
  const uint32_t more = entries_ ? (mask_ + 1) * 2 : kLeast;
  if ((!entries_ || used_ * 2 > mask_) && !Resize(*Heap::Of(target), more)) return false;
  Entry* e = Slot(target);
  if (!e->target) ++used_;
  e->target = target;
  e->first = ref;
  return true;
}

void WeakrefTable::Remove(const Object* target) {
  if (!entries_) return;
  Entry* e = Slot(target);
  if (!e->target) return;
  --used_;
  uint32_t at = static_cast<uint32_t>(e - entries_);
  for (uint32_t next = (at + 1) & mask_; entries_[next].target; next = (next + 1) & mask_) {
    uint32_t home =
        static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(entries_[next].target))) & mask_;
    if (((next - home) & mask_) >= ((next - at) & mask_)) {
      entries_[at] = entries_[next];
      at = next;
    }
  }
  entries_[at] = {nullptr, nullptr};
  // What a million references have left gives its memory back; that there is none for less is no
  // failure.
  constexpr uint32_t kSparse = 16;
  if (mask_ >= 1024 && used_ < mask_ / kSparse) (void)Resize(*Heap::Of(target), (mask_ + 1) / 4);
}

// ---- lists ----

namespace {

// Takes a live reference off its target's list and marks it dead.
void Unlink(RuntimeState& rt, WeakrefObject* ref) {
  Object* target = std::exchange(ref->target, nullptr);
  if (!target) return;
  if (ref->prev) {
    ref->prev->next = ref->next;
  } else if (ref->next) {
    rt.weakrefs->SetFirst(target, ref->next);  // replaces: needs no memory
  } else {
    rt.weakrefs->Remove(target);
    target->gc &= ~kGcHasWeakrefs;
  }
  if (ref->next) ref->next->prev = ref->prev;
  ref->next = ref->prev = nullptr;
}

bool IsShared(const WeakrefObject* ref) {
  return ref->callback.is_null() && (ref->shape_id == ShapeIdOf(TypeId::kWeakReference) ||
                                     ref->shape_id == ShapeIdOf(TypeId::kWeakProxy) ||
                                     ref->shape_id == ShapeIdOf(TypeId::kWeakCallableProxy));
}

// Puts a new reference in its place. False: out of memory.
bool Link(RuntimeState& rt, Object* target, WeakrefObject* ref) {
  WeakrefObject* before = nullptr;  // what the new one follows
  WeakrefObject* first = (target->gc & kGcHasWeakrefs) ? rt.weakrefs->First(target) : nullptr;
  bool basic = IsShared(ref) && ref->shape_id == ShapeIdOf(TypeId::kWeakReference);
  if (!basic && first) {
    WeakrefObject* r = first;
    bool proxy = IsShared(ref);
    while (r && IsShared(r) && !(proxy && r->shape_id != ShapeIdOf(TypeId::kWeakReference))) {
      before = r;
      r = r->next;
    }
  }
  if (!before) {
    if (!rt.weakrefs->SetFirst(target, ref)) return false;
    ref->next = first;
    ref->prev = nullptr;
    if (first) first->prev = ref;
  } else {
    ref->next = before->next;
    ref->prev = before;
    if (before->next) before->next->prev = ref;
    before->next = ref;
  }
  ref->target = target;
  target->gc |= kGcHasWeakrefs;
  if (!Collector::HasTurn(target)) rt.heap.collector().TakeTurn(target);
  return true;
}

bool CanBeReferenced(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->has_weakref_slot;
}

// The shared reference of this exact type, or null.
WeakrefObject* FindShared(RuntimeState& rt, Object* target, uint32_t shape_id) {
  if (!(target->gc & kGcHasWeakrefs)) return nullptr;
  for (WeakrefObject* r = rt.weakrefs->First(target); r && IsShared(r); r = r->next) {
    if (r->shape_id == shape_id && r->refcount != 0) return r;
  }
  return nullptr;
}

Result<> MakeReference(ThreadState& ts, TypeObject* cls, Value target, Value callback) {
  RuntimeState& rt = *ts.rt;
  if (!CanBeReferenced(ts, target)) {
    return Raise(ts, Exc::kTypeError, "cannot create weak reference to '%T' object", target);
  }
  if (!callback.is_null() && IsNone(ts, callback)) callback = Value();
  if (callback.is_null() && !cls->is_heap()) {
    if (WeakrefObject* shared = FindShared(rt, target.object(), cls->shape_id_exact)) {
      return Result<>::Borrow(shared);
    }
  }
  Ref<> made;
  if (cls->is_heap()) {
    MVM_TRY(made, AllocInstance(ts, cls));
    made.as<WeakrefObject>()->hash = -1;
  } else {
    MVM_TRY(made, New<WeakrefObject>(ts, cls->shape_id_exact));
    Track(made.object());
  }
  WeakrefObject* ref = made.as<WeakrefObject>();
  ref->callback = callback;
  Incref(callback);
  if (!Link(rt, target.object(), ref)) return RaiseMemoryError(ts);
  return made;
}

}  // namespace

void WeakrefObject::FreeBuffers(Heap& heap) { Unlink(*heap.rt(), this); }

Result<> NewWeakref(ThreadState& ts, TypeObject* cls, Value target, Value callback) {
  return MakeReference(ts, cls ? cls : TypeById(ts, TypeId::kWeakReference), target, callback);
}

Result<> NewWeakProxy(ThreadState& ts, Value target, Value callback) {
  TypeId id = IsCallable(ts, target) ? TypeId::kWeakCallableProxy : TypeId::kWeakProxy;
  return MakeReference(ts, TypeById(ts, id), target, callback);
}

Result<> WeakrefTarget(ThreadState& ts, WeakrefObject* ref) {
  // An object that waits for its destruction is dead already.
  if (!ref->target || ref->target->refcount == 0) return None(ts);
  return Result<>::Borrow(ref->target);
}

void CallWeakrefCallback(ThreadState& ts, WeakrefObject* ref) {
  Ref<> callback = Ref<>::Steal(std::exchange(ref->callback, Value()));
  if (!callback) return;
  Heap& heap = ts.heap();
  int depth = std::exchange(heap.dealloc.depth, 0);
  Ref<> saved = TakePending(ts);
  InterruptShelter shelter(ts);
  Result<> r = Call(ts, callback, ref);
  if (r.raised()) {
    shelter.Ignore(callback);
  } else {
    Ref<> dropped = r.Take();
  }
  RestorePending(ts, std::move(saved));
  heap.dealloc.depth = depth;
}

void ClearWeakrefsQuietly(RuntimeState& rt, Object* target, void (*keep)(void*, WeakrefObject*),
                          void* context) {
  while (target->gc & kGcHasWeakrefs) {
    WeakrefObject* ref = rt.weakrefs->First(target);
    Unlink(rt, ref);
    if (!ref->callback.is_null() && ref->refcount != 0) keep(context, ref);
  }
}

void ClearWeakrefs(RuntimeState& rt, Object* target) {
  // All are dead before the first callback runs. Dead ones use `next` for the waiting line.
  struct Line {
    WeakrefObject* first = nullptr;
    WeakrefObject* last = nullptr;
  } line;
  ClearWeakrefsQuietly(
      rt, target,
      [](void* c, WeakrefObject* ref) {
        Line* l = static_cast<Line*>(c);
        Incref(ref);
        (l->last ? l->last->next : l->first) = ref;
        l->last = ref;
      },
      &line);
  while (WeakrefObject* ref = line.first) {
    line.first = std::exchange(ref->next, nullptr);
    if (rt.heap.current_ts) CallWeakrefCallback(*rt.heap.current_ts, ref);
    Decref(ref);
  }
}

int64_t CountWeakrefs(RuntimeState& rt, Object* target) {
  int64_t n = 0;
  if (!(target->gc & kGcHasWeakrefs)) return 0;
  for (WeakrefObject* r = rt.weakrefs->First(target); r; r = r->next) n += r->refcount != 0;
  return n;
}

// ---- weakref.ref ----

namespace {

// weakref.ref(object, callback=None): keyword arguments are left to __init__ of subclasses.
Result<> weakref_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n < 1 || raw.n > 2) {
    return Raise(ts, Exc::kTypeError, "__new__ expected at %s, got %u",
                 raw.n < 1 ? "least 1 argument" : "most 2 arguments", raw.n);
  }
  return NewWeakref(ts, cls, raw.v[0], raw.n > 1 ? raw.v[1] : Value());
}

Status weakref_init(ThreadState& ts, Value, Args raw) {
  if (raw.nkw) return Raise(ts, Exc::kTypeError, "ref() takes no keyword arguments");
  if (raw.n < 1 || raw.n > 2) {
    return Raise(ts, Exc::kTypeError, "__init__ expected at %s, got %u",
                 raw.n < 1 ? "least 1 argument" : "most 2 arguments", raw.n);
  }
  return Ok();
}

Result<> weakref_call(ThreadState& ts, Value self, Args raw) {
  if (raw.nkw) return Raise(ts, Exc::kTypeError, "weakref() takes no keyword arguments");
  if (raw.n) {
    return Raise(ts, Exc::kTypeError, "weakref expected 0 arguments, got %u", raw.n);
  }
  return WeakrefTarget(ts, self.as<WeakrefObject>());
}

Result<int64_t> weakref_hash(ThreadState& ts, Value self) {
  WeakrefObject* ref = self.as<WeakrefObject>();
  if (ref->hash != -1) return ref->hash;
  MVM_TRY(Ref<> target, WeakrefTarget(ts, ref));
  if (IsNone(ts, target)) return Raise(ts, Exc::kTypeError, "weak object has gone away");
  MVM_TRY(int64_t h, Hash(ts, target));
  ref->hash = h;
  return h;
}

Result<> weakref_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  TypeObject* type = TypeById(ts, TypeId::kWeakReference);
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsInstance(ts, a, type) ||
      !IsInstance(ts, b, type)) {
    return NotImplemented(ts);
  }
  MVM_TRY(Ref<> x, WeakrefTarget(ts, a.as<WeakrefObject>()));
  MVM_TRY(Ref<> y, WeakrefTarget(ts, b.as<WeakrefObject>()));
  if (IsNone(ts, x) || IsNone(ts, y)) return Bool(ts, a.is(b) == (op == CompareOp::kEq));
  return Compare(ts, x, y, op);
}

Result<> weakref_repr(ThreadState& ts, Value self) {
  void* address = self.object();
  MVM_TRY(Ref<> target, WeakrefTarget(ts, self.as<WeakrefObject>()));
  if (IsNone(ts, target)) return Format(ts, "<weakref at %p; dead>", address);
  // Only what the type has counts, not what a __getattr__ makes up.
  Ref<> name = Ref<>::Steal(Value::Absent());
  Value found = TypeLookup(ts, TypeOf(ts, target), MVM_NAME(ts, __name__));
  if (!found.is_null()) {
    TypeObject* kind = TypeOf(ts, found);
    if (kind->slots.descr_get) {
      MVM_TRY(name, kind->slots.descr_get(ts, found, target, TypeOf(ts, target)));
    } else {
      name = Ref<>::Borrow(found);
    }
  }
  void* there = target.object();
  if (name.is_absent() || !IsStr(ts, name)) {
    return Format(ts, "<weakref at %p; to '%T' at %p>", address, target.get(), there);
  }
  return Format(ts, "<weakref at %p; to '%T' at %p (%U)>", address, target.get(), there,
                name.get());
}

Result<> weakref_get_callback(ThreadState& ts, Value self) {
  Value callback = self.as<WeakrefObject>()->callback;
  return Result<>::Borrow(callback.is_null() ? Value(ts.rt->none) : callback);
}

Result<> weakref_class_getitem(ThreadState& ts, Args args) {
  return NewGenericAlias(ts, args[0], args[1]);
}

const MethodSpec kWeakrefMethods[] = {
    {"__class_getitem__(cls, object, /)", weakref_class_getitem,
     "A generic alias: the class with type arguments.", kMethodClass},
};
const GetSetSpec kWeakrefGetSets[] = {
    {"__callback__", weakref_get_callback, SetReadOnlyMember},
};

}  // namespace

extern const TypeSpec kWeakReferenceType;
const TypeSpec kWeakReferenceType = {
    .name = "weakref.ReferenceType",
    .flags = kTypeBase,
    .size = sizeof(WeakrefObject),
    .gc = GcHooksOf<WeakrefObject>(),
    .slots = {.repr = weakref_repr,
              .hash = weakref_hash,
              .call = weakref_call,
              .compare = weakref_compare,
              .init = weakref_init,
              .new_ = weakref_new},
    .methods = kWeakrefMethods,
    .getsets = kWeakrefGetSets,
};

}  // namespace minivm
