// Dealloc: what happens when the last reference is gone.
//
// In order: the finalizer (which may bring the object back), weak references and their callbacks,
// then the references the object owns, then its memory. Destruction of a deep structure nests one
// Dealloc per level; past kMaxNesting levels, or near the end of the C stack, objects wait in a
// queue that the outermost Dealloc works off. Script code run from here starts a nesting count of
// its own, so that what it frees is freed at once.
#include "runtime/gc/finalizer.h"

#include <cstdlib>

#include "runtime/core/intern.h"
#include "runtime/core/signals.h"
#include "runtime/gc/object_refs.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"

namespace minivm {

namespace {

constexpr int kMaxNesting = 50;
// Levels that fit into what is left at the end of the C stack.
constexpr int kUnchecked = 8;

// The shared objects of a VM: their counts start so high that only unbalanced script loops of
// billions of steps could get here.
bool IsImmortal(const RuntimeState& rt, Object* o, const TypeObject* type) {
  if (type->has_flag(kTypeImmortalInstances)) return true;
  if (type->has_flag(kTypeTypeSubclass)) return !o->as<TypeObject>()->is_heap();
  return o == rt.empty_tuple || o == rt.empty_bytes;
}

bool NearStackEnd(const ThreadState* ts) {
  return ts && static_cast<char*>(__builtin_frame_address(0)) < ts->cstack_limit;
}

// False: no memory for the queue.
bool Enqueue(Heap* heap, Object* o) {
  if (heap->dealloc.queued == heap->dealloc.capacity) {
    size_t more = heap->dealloc.capacity ? heap->dealloc.capacity * 2 : 64;
    void* grown = std::realloc(heap->dealloc.queue, more * sizeof(Object*));
    if (!grown) return false;
    heap->dealloc.queue = static_cast<Object**>(grown);
    heap->dealloc.capacity = more;
  }
  heap->dealloc.queue[heap->dealloc.queued++] = o;
  return true;
}

// Finalizer and weak references. True: somebody has taken a new reference.
bool RunLastRites(Heap* heap, RuntimeState& rt, Object* o, TypeObject* type) {
  ThreadState* ts = heap->current_ts;
  if (type->slots.finalize && !(o->gc & kGcFinalized) && ts) {
    o->refcount = 1;
    CallFinalizer(*ts, o);
    if (--o->refcount != 0) return true;
  }
  if (o->gc & kGcHasWeakrefs) {
    int depth = std::exchange(heap->dealloc.depth, 0);
    ClearWeakrefs(rt, o);
    heap->dealloc.depth = depth;
  }
  return false;
}

void DeallocNow(Heap* heap, RuntimeState& rt, Object* o) {
  TypeObject* type = rt.shapes[o->shape_id].type;
  if ((type->slots.finalize || (o->gc & kGcHasWeakrefs)) && RunLastRites(heap, rt, o, type)) return;
  type = rt.shapes[o->shape_id].type;  // a finalizer may assign __class__
  o->gc &= ~kGcTracked;
  if (Page::Of(o)->container && heap->young_count > 0) --heap->young_count;
  DestroyObject(rt, o, type);
  heap->Free(o);
}

// Nobody hears of it when a plain instance like this dies: most of what dies.
bool DiesUnheard(const Object* o, const ShapeEntry& entry) {
  return IsPlainInstance(o, entry) && !entry.type->slots.finalize && !(o->gc & kGcHasWeakrefs);
}

// Of a built-in type, without weak references or anything to do for a finalizer: its hook does it
// all.
bool DiesSimply(const Object* o, const TypeObject* type) {
  constexpr uint32_t kOthers = kTypeHeap | kTypeImmortalInstances | kTypeTypeSubclass;
  if ((type->flags & kOthers) || (o->gc & kGcHasWeakrefs)) return false;
  return !(type->flags & kTypeHasFinalizer) ||
         (type->gc.dies_quietly != nullptr && type->gc.dies_quietly(o));
}

void DeallocPlain(Heap* heap, const ShapeEntry& entry, Object* o) {
  TypeObject* type = entry.type;
  o->gc &= ~kGcTracked;
  if (heap->young_count > 0) --heap->young_count;
  WithPlainValues(o, *entry.shape, [](Value* v, size_t n) {
    for (size_t i = 0; i < n; ++i) Decref(v[i]);
  });
  heap->Free(o);
  Decref(type);
}

// An instance of a script's class derived from a built-in one, when it has added no more than
// attributes that are in it.
bool DiesAsBase(const Object* o, const ShapeEntry& entry) {
  const TypeObject* type = entry.type;
  return entry.shape && !entry.shape->dict_mode && o->aux == 0 && type->gc.destroy &&
         type->basic_size == type->spec->size && !type->slots.finalize &&
         !(type->flags & kTypeTypeSubclass) && !(o->gc & kGcHasWeakrefs);
}

void DeallocAsBase(Heap* heap, const ShapeEntry& entry, Object* o) {
  TypeObject* type = entry.type;
  o->gc &= ~kGcTracked;
  if (heap->young_count > 0) --heap->young_count;
  Value* slots = InlineSlots(o, entry.shape);
  for (uint32_t i = 0, n = entry.shape->slot_count; i < n; ++i) Decref(slots[i]);
  type->gc.destroy(*heap, o);
  heap->Free(o);
  Decref(type);
}

// A tuple that is no deep structure, as those that come and go with every pair of a loop.
void DeallocTuple(Heap* heap, TupleObject* t) {
  const int depth = heap->dealloc.depth;
  heap->dealloc.depth = depth + 1;
  t->gc &= ~kGcTracked;
  if (heap->young_count > 0) --heap->young_count;
  for (uint32_t i = t->size(); i-- > 0;) Decref(t->items()[i]);
  heap->Free(t);
  while (MVM_UNLIKELY(depth == 0 && heap->dealloc.queued != 0)) {
    DeallocNow(heap, *heap->rt(), heap->dealloc.queue[--heap->dealloc.queued]);
  }
  heap->dealloc.depth = depth;
}

void DeallocOther(Object* o);

}  // namespace

void CallFinalizer(ThreadState& ts, Object* o) {
  TypeObject* type = TypeOf(ts, o);
  if (!type->slots.finalize || (o->gc & kGcFinalized)) return;
  o->gc |= kGcFinalized;
  Heap& heap = ts.heap();
  int depth = std::exchange(heap.dealloc.depth, 0);
  Ref<> saved = TakePending(ts);
  InterruptShelter shelter(ts);
  if (type->slots.finalize(ts, o).raised()) {
    Value where = TypeLookup(ts, type, MVM_NAME(ts, __del__));
    const bool native = where.is_null() || IsExact(where, TypeId::kWrapperDescriptor);
    Ref<> held = Ref<>::Borrow(native ? Value(o) : where);
    shelter.Ignore(held);
  }
  RestorePending(ts, std::move(saved));
  heap.dealloc.depth = depth;
}

// Kept small: most of what dies are strings, which need no registers saved.
void Dealloc(Object* o) {
  if (o->shape_id == ShapeIdOf(TypeId::kStr) && !(o->gc & kGcHasWeakrefs) &&
      MVM_LIKELY(!static_cast<StrObject*>(o)->interned())) {
    return Heap::Of(o)->Free(o);
  }
  DeallocOther(o);
}

namespace {

[[gnu::noinline]] void DeallocOther(Object* o) {
  Heap* heap = Heap::Of(o);
  RuntimeState& rt = *heap->rt();
  if (o->shape_id == ShapeIdOf(TypeId::kStr) && !(o->gc & kGcHasWeakrefs)) {
    StrObject* s = static_cast<StrObject*>(o);  // interned: Dealloc() sees to the others
    if (s->length <= 1 && IsSharedStr(rt, s)) {
      o->refcount = kImmortalRefcount;
      return;
    }
    InternRemove(rt, s);
    heap->Free(o);
    return;
  }
  if (o->shape_id == ShapeIdOf(TypeId::kTuple) && heap->dealloc.depth < kUnchecked &&
      o != rt.empty_tuple) {
    return DeallocTuple(heap, static_cast<TupleObject*>(o));
  }
  const ShapeEntry entry = rt.shapes[o->shape_id];
  TypeObject* type = entry.type;
  const bool plain = DiesUnheard(o, entry);
  const bool simple = !plain && DiesSimply(o, type) && o != rt.empty_tuple;
  const bool as_base = !plain && !simple && DiesAsBase(o, entry);
  if (simple && !type->gc.destroy && !Page::Of(o)->container && o != rt.empty_bytes) {
    heap->Free(o);
    return;
  }
  if (!plain && !as_base && !(simple && type->gc.destroy) &&
      MVM_UNLIKELY(IsImmortal(rt, o, type))) {
    o->refcount = kImmortalRefcount;
    return;
  }
  int depth = heap->dealloc.depth;
  if (MVM_UNLIKELY(depth >= kMaxNesting || (depth > 0 && NearStackEnd(heap->current_ts)))) {
    // Without memory for the queue the object is given up: a leak, but no crash.
    (void)Enqueue(heap, o);
    return;
  }
  heap->dealloc.depth = depth + 1;
  if (plain) {
    DeallocPlain(heap, entry, o);
  } else if (as_base) {
    DeallocAsBase(heap, entry, o);
  } else if (simple) {
    o->gc &= ~kGcTracked;
    if (Page::Of(o)->container && heap->young_count > 0) --heap->young_count;
    if (type->gc.destroy) type->gc.destroy(*heap, o);
    heap->Free(o);
  } else {
    DeallocNow(heap, rt, o);
  }
  while (MVM_UNLIKELY(depth == 0 && heap->dealloc.queued != 0)) {
    DeallocNow(heap, rt, heap->dealloc.queue[--heap->dealloc.queued]);
  }
  heap->dealloc.depth = depth;
}

}  // namespace

}  // namespace minivm
