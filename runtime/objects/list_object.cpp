// The list itself: growth, construction, slices. Methods are in list_methods.cpp, sorting in
// list_sort.cpp.
//
// Items removed by an operation are first moved out, then released when the list is consistent:
// releasing may run script code that changes the list again.
#include "runtime/objects/list_object.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/list_ops.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/draw.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

void ListObject::FreeBuffers(Heap& heap) {
  if (items) heap.FreeBuffer(items, capacity * sizeof(Value));
  items = nullptr;
  size = capacity = 0;
}

namespace {

constexpr uint64_t kMaxItems = uint64_t{1} << 48;

uint64_t RoundedCapacity(uint64_t n) { return (n + (n >> 3) + 6) & ~uint64_t{3}; }

Status SetCapacity(ThreadState& ts, ListObject* list, uint64_t capacity) {
  Heap& heap = ts.heap();
  void* p = list->items ? heap.ReallocateBuffer(list->items, list->capacity * sizeof(Value),
                                                capacity * sizeof(Value))
                        : heap.AllocateBuffer(capacity * sizeof(Value));
  if (MVM_UNLIKELY(!p)) return RaiseMemoryError(ts);
  list->items = static_cast<Value*>(p);
  list->capacity = capacity;
  list->gc &= ~kGcTypeBit;  // see ListSort
  return Ok();
}

void ReleaseAll(Heap& heap, Value* items, uint64_t size, uint64_t capacity) {
  for (uint64_t i = size; i > 0; --i) Decref(items[i - 1]);
  if (items) heap.FreeBuffer(items, capacity * sizeof(Value));
}

}  // namespace

Status ListGrow(ThreadState& ts, ListObject* list, size_t min_capacity) {
  if (min_capacity <= list->capacity) return Ok();
  if (MVM_UNLIKELY(min_capacity > kMaxItems)) return RaiseMemoryError(ts);
  // Room asked for in one piece (extend) is not rounded up further than needed.
  uint64_t capacity = RoundedCapacity(min_capacity);
  if (min_capacity - list->size > capacity - min_capacity)
    capacity = (min_capacity + 3) & ~uint64_t{3};
  return SetCapacity(ts, list, capacity);
}

void ListShrink(ThreadState& ts, ListObject* list) {
  if (list->size >= list->capacity / 2) return;
  const uint64_t capacity = list->size ? RoundedCapacity(list->size) : 0;
  if (capacity >= list->capacity) return;
  if (capacity == 0) {
    ts.heap().FreeBuffer(list->items, list->capacity * sizeof(Value));
    list->items = nullptr;
    list->capacity = 0;
    return;
  }
  void* p = ts.heap().ReallocateBuffer(list->items, list->capacity * sizeof(Value),
                                       capacity * sizeof(Value));
  if (!p) return;  // the larger buffer still serves
  list->items = static_cast<Value*>(p);
  list->capacity = capacity;
}

Result<ListObject> NewListReserve(ThreadState& ts, size_t n) {
  MVM_TRY(Ref<ListObject> list, New<ListObject>(ts, TypeId::kList));
  if (n > 0) {
    if (MVM_UNLIKELY(n > kMaxItems)) return RaiseMemoryError(ts);
    MVM_TRY_VOID(SetCapacity(ts, list, n));
  }
  Track(list);
  return list;
}

Result<ListObject> NewList(ThreadState& ts, std::span<const Value> items) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, items.size()));
  for (const Value item : items) Incref(item);
  if (!items.empty())
    std::memcpy(static_cast<void*>(list->items), items.data(), items.size_bytes());
  list->size = items.size();
  return list;
}

Result<ListObject> NewListSteal(ThreadState& ts, Value* items, size_t n) {
  if (n == 0) return NewListReserve(ts, 0);
  Result<ListObject> made = NewListReserve(ts, n);
  if (made.raised()) {
    for (size_t i = 0; i < n; ++i) Decref(items[i]);
    return kRaised;
  }
  Ref<ListObject> list = made.Take();
  std::copy_n(items, n, list->items);
  list->size = n;
  return list;
}

void ListClear(ThreadState& ts, ListObject* list) {
  Value* const items = std::exchange(list->items, nullptr);
  const uint64_t size = std::exchange(list->size, 0);
  const uint64_t capacity = std::exchange(list->capacity, 0);
  ReleaseAll(ts.heap(), items, size, capacity);
}

Status ListInsert(ThreadState& ts, ListObject* list, int64_t index, Value item) {
  const int64_t size = static_cast<int64_t>(list->size);
  if (index < 0 && (index += size) < 0) index = 0;
  if (index > size) index = size;
  MVM_TRY_VOID(ListGrow(ts, list, list->size + 1));
  Value* at = list->items + index;
  std::memmove(static_cast<void*>(at + 1), at, static_cast<size_t>(size - index) * sizeof(Value));
  Incref(item);
  *at = item;
  ++list->size;
  return Ok();
}

namespace {

// `unseen`: nobody looks at the list before the end, so its items may be drawn ahead. They wait
// outside of it: whoever finds it all the same (gc.get_objects()) may do with it what he likes.
Status Extend(ThreadState& ts, ListObject* list, Value iterable, bool unseen) {
  if (IsExact(iterable, TypeId::kList) || IsExact(iterable, TypeId::kTuple)) {
    const bool is_list = IsExact(iterable, TypeId::kList);
    const uint64_t n =
        is_list ? iterable.as<ListObject>()->size : iterable.as<TupleObject>()->size();
    if (n == 0) return Ok();
    MVM_TRY_VOID(ListGrow(ts, list, list->size + n));
    // Fetched after growing: the list may extend itself.
    const Value* from =
        is_list ? iterable.as<ListObject>()->items : iterable.as<TupleObject>()->items();
    Value* to = list->items + list->size;
    for (uint64_t i = 0; i < n; ++i) {
      Incref(from[i]);
      to[i] = from[i];
    }
    list->size += n;
    return Charge(ts, static_cast<int64_t>(n / 8));
  }
  if (IsExact(iterable, TypeId::kStr)) {
    StrObject* const s = iterable.as<StrObject>();
    const uint64_t n = s->length;
    if (n >= kMaxItems - list->size) return RaiseMemoryError(ts);
    if (n > 0) MVM_TRY_VOID(ListGrow(ts, list, list->size + n));
    for (uint64_t i = 0; i < n; ++i) {
      MVM_TRY(Ref<StrObject> c, StrFromChar(ts, s->At(i)));
      list->items[list->size++] = Value(c.Release());
    }
    return Charge(ts, static_cast<int64_t>(n / 4));
  }
  MVM_TRY(Ref<> it, GetIter(ts, iterable));
  MVM_TRY(int64_t hint, LengthHint(ts, iterable, 8));
  if (hint > 0 && hint <= INT64_MAX - static_cast<int64_t>(list->size)) {
    if (static_cast<uint64_t>(hint) >= kMaxItems - list->size) return RaiseMemoryError(ts);
    MVM_TRY_VOID(ListGrow(ts, list, list->size + static_cast<uint64_t>(hint)));
  }
  Drawing items(ts, it, unseen ? Takes::kAll : Takes::kNothing);
  for (;;) {
    MVM_TRY(Ref<> item, items.Next());
    if (item.is_done()) break;
    if (MVM_UNLIKELY(list->size == list->capacity))
      MVM_TRY_VOID(ListGrow(ts, list, list->size + 1));
    list->items[list->size++] = item.Release();
    MVM_TRY_VOID(Charge(ts, 1));
  }
  ListShrink(ts, list);
  return Ok();
}

}  // namespace

Status ListExtend(ThreadState& ts, ListObject* list, Value iterable) {
  return Extend(ts, list, iterable, false);
}

Status ListExtendUnseen(ThreadState& ts, ListObject* list, Value iterable) {
  return Extend(ts, list, iterable, true);
}

// ---- slices ----

Result<> ListGetSlice(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                      int64_t count) {
  if (step == 1)
    return NewList(ts, {list->items + (count ? start : 0), static_cast<size_t>(count)});
  MVM_TRY(Ref<ListObject> result, NewListReserve(ts, static_cast<size_t>(count)));
  for (int64_t i = 0; i < count; ++i) {
    const Value item = list->items[start + i * step];
    Incref(item);
    result->items[i] = item;
  }
  result->size = static_cast<uint64_t>(count);
  return result;
}

Status ListReplace(ThreadState& ts, ListObject* list, int64_t start, int64_t stop,
                   std::span<const Value> items) {
  const uint64_t removed = static_cast<uint64_t>(stop - start);
  const uint64_t added = items.size();
  const uint64_t tail = list->size - static_cast<uint64_t>(stop);
  // Removed items wait in a buffer of their own.
  Value few[8];
  Value* out = few;
  if (removed > 8) {
    MVM_TRY(void* buffer, AllocBuffer(ts, removed * sizeof(Value)));
    out = static_cast<Value*>(buffer);
  }
  if (added > removed) {
    Status grown = ListGrow(ts, list, list->size + (added - removed));
    if (grown.raised()) {
      if (out != few) ts.heap().FreeBuffer(out, removed * sizeof(Value));
      return kRaised;
    }
  }
  Value* at = list->items + start;
  if (removed > 0) std::memcpy(static_cast<void*>(out), at, removed * sizeof(Value));
  if (added != removed && tail > 0) {
    std::memmove(static_cast<void*>(at + added), at + removed, tail * sizeof(Value));
  }
  for (uint64_t i = 0; i < added; ++i) {
    Incref(items[i]);
    at[i] = items[i];
  }
  list->size = list->size - removed + added;
  if (added < removed) ListShrink(ts, list);
  for (uint64_t i = removed; i > 0; --i) Decref(out[i - 1]);
  if (out != few) ts.heap().FreeBuffer(out, removed * sizeof(Value));
  return Ok();
}

Status ListDeleteStepped(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                         int64_t count) {
  if (count <= 0) return Ok();
  if (step < 0) {
    start += (count - 1) * step;
    step = -step;
  }
  MVM_TRY(void* buffer, AllocBuffer(ts, static_cast<size_t>(count) * sizeof(Value)));
  Value* const out = static_cast<Value*>(buffer);
  Value* const items = list->items;
  int64_t to = start;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = start + i * step;
    out[i] = items[at];
    const int64_t next = i + 1 < count ? at + step : static_cast<int64_t>(list->size);
    const int64_t kept = next - at - 1;
    std::memmove(static_cast<void*>(items + to), items + at + 1,
                 static_cast<size_t>(kept) * sizeof(Value));
    to += kept;
  }
  list->size = static_cast<uint64_t>(to);
  ListShrink(ts, list);
  for (int64_t i = 0; i < count; ++i) Decref(out[i]);
  ts.heap().FreeBuffer(out, static_cast<size_t>(count) * sizeof(Value));
  return Ok();
}

Status ListAssignStepped(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                         int64_t count, const Value* values) {
  if (count == 0) return Ok();
  MVM_TRY(void* buffer, AllocBuffer(ts, static_cast<size_t>(count) * sizeof(Value)));
  Value* const out = static_cast<Value*>(buffer);
  for (int64_t i = 0; i < count; ++i) {
    Incref(values[i]);
    out[i] = std::exchange(list->items[start + i * step], values[i]);
  }
  for (int64_t i = 0; i < count; ++i) Decref(out[i]);
  ts.heap().FreeBuffer(out, static_cast<size_t>(count) * sizeof(Value));
  return Ok();
}

Status ListRepeatInPlace(ThreadState& ts, ListObject* list, int64_t count) {
  if (count <= 0) {
    ListClear(ts, list);
    return Ok();
  }
  const uint64_t n = list->size;
  if (count == 1 || n == 0) return Ok();
  uint64_t size;
  if (__builtin_mul_overflow(n, static_cast<uint64_t>(count), &size) || size > kMaxItems) {
    return RaiseMemoryError(ts);
  }
  MVM_TRY_VOID(CheckRoom(ts, (size - n) * sizeof(Value)));
  MVM_TRY_VOID(ListGrow(ts, list, size));
  Value* const items = list->items;
  for (uint64_t i = 0; i < n; ++i) {
    if (items[i].is_object()) items[i].object()->refcount += static_cast<uint32_t>(count - 1);
  }
  if (n == 1) {
    std::fill_n(items + 1, size - 1, items[0]);
  } else {
    for (uint64_t done = n; done < size;) {
      const uint64_t chunk = std::min(done, size - done);
      std::memcpy(static_cast<void*>(items + done), items, chunk * sizeof(Value));
      done += chunk;
    }
  }
  list->size = size;
  return Charge(ts, static_cast<int64_t>(size / 8));
}

}  // namespace minivm
