// The dict itself: storage, search, insertion, deletion. Methods are in dict_methods.cpp, views and
// iterators in dict_views.cpp, the pure search structure in dict_table.h.
//
// Script code may run in the middle of a search (__eq__ of keys) and change the dict. FindGeneral
// notices by the version and the buffers' addresses and starts over; what it returns is true of the
// dict as it stands on return, and nothing runs between that and the change made with it.
// Dropped keys and values are released after the dict is consistent again.
//
// A deleted entry has a null key. Its value is null or an inline int n: "n deleted entries in a
// row", counted from entry 0 on in entry 0, and up to itself in the last one. So taking the first
// or the last item again and again (queues, popitem) does not scan what was deleted before.
#include "runtime/objects/dict_object.h"

#include <algorithm>

#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_table.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/slot_dict.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"

namespace minivm {

using dict_table::EntryBytes;
using dict_table::IndexBytes;
using dict_table::kNone;
using dict_table::kStopped;
using dict_table::Match;
using dict_table::MaxEntries;
using dict_table::Search;

void DictObject::FreeBuffers(Heap& heap) {
  if (entries) heap.FreeBuffer(entries, EntryBytes(entry_capacity));
  if (index) heap.FreeBuffer(index, IndexBytes(index_size));
  entries = nullptr;
  index = nullptr;
  used = entry_count = entry_capacity = index_size = 0;
}

namespace {

// ---- room ----

constexpr uint32_t kFirstCapacity = 5;
// A search that starts over so often is never going to end: its __eq__ changes the dict each time.
constexpr int kMaxRestarts = 1 << 12;

// Moves entries and hashes to a buffer for `capacity` >= entry_count entries. False: no memory.
bool SetCapacity(Heap& heap, DictObject* d, uint32_t capacity) {
  const uint32_t old = d->entry_capacity;
  if (!d->entries) {
    d->entries = static_cast<DictEntry*>(heap.AllocateBuffer(EntryBytes(capacity)));
    if (!d->entries) return false;
  } else if (capacity >= old) {
    void* p = heap.ReallocateBuffer(d->entries, EntryBytes(old), EntryBytes(capacity));
    if (!p) return false;
    d->entries = static_cast<DictEntry*>(p);
    std::memmove(static_cast<void*>(d->entries + capacity), d->entries + old,
                 size_t{d->entry_count} * 4);
  } else {
    std::memmove(static_cast<void*>(d->entries + capacity), d->entries + old,
                 size_t{d->entry_count} * 4);
    void* p = heap.ReallocateBuffer(d->entries, EntryBytes(old), EntryBytes(capacity));
    if (!p) {
      std::memmove(static_cast<void*>(d->entries + old), d->entries + capacity,
                   size_t{d->entry_count} * 4);
      return false;
    }
    d->entries = static_cast<DictEntry*>(p);
  }
  d->entry_capacity = capacity;
  return true;
}

// Closes the gaps of deleted entries. The index is stale afterwards.
void Compact(DictObject* d) {
  DictEntry* entries = d->entries;
  uint32_t* hashes = d->hashes();
  uint32_t to = 0;
  for (uint32_t from = 0; from < d->entry_count; ++from) {
    if (entries[from].key.is_null()) continue;
    if (to != from) {
      entries[to] = entries[from];
      hashes[to] = hashes[from];
    }
    ++to;
  }
  d->entry_count = to;
  ++d->version;
}

uint32_t CountKeys(const DictObject* d) {
  if (d->storage == DictStorage::kHash) return d->used;
  uint32_t n = 0;
  for (uint32_t i = 0; i < d->entry_count; ++i) n += !d->entries[i].key.is_null();
  return n;
}

// New index of `index_size` slots and room for `capacity` entries, deleted ones dropped.
Status Rebuild(ThreadState& ts, DictObject* d, uint32_t index_size, uint32_t capacity) {
  Heap& heap = ts.heap();
  MVM_TRY(void* index, AllocBuffer(ts, IndexBytes(index_size)));
  if (capacity > d->entry_capacity && !SetCapacity(heap, d, capacity)) {
    heap.FreeBuffer(index, IndexBytes(index_size));
    return RaiseMemoryError(ts);
  }
  Compact(d);
  if (capacity < d->entry_capacity && d->entry_count <= capacity) SetCapacity(heap, d, capacity);
  if (d->index) heap.FreeBuffer(d->index, IndexBytes(d->index_size));
  d->index = index;
  d->index_size = index_size;
  dict_table::FillIndex(d);
  return Ok();
}

// Room for n entries in all.
Status Reserve(ThreadState& ts, DictObject* d, uint64_t n) {
  if (n <= d->entry_capacity) return Ok();
  if (n <= DictObject::kMaxUnindexed) {
    return SetCapacity(ts.heap(), d,
                       n <= kFirstCapacity ? kFirstCapacity : DictObject::kMaxUnindexed)
               ? Ok()
               : Status(RaiseMemoryError(ts));
  }
  const uint32_t index_size = dict_table::IndexFor(n);
  if (index_size == 0) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, EntryBytes(static_cast<uint32_t>(n)) + IndexBytes(index_size)));
  const uint32_t capacity = std::min(static_cast<uint32_t>(n + 3) & ~3u, MaxEntries(index_size));
  return Rebuild(ts, d, index_size, capacity);
}

// The entry buffer is full: makes room for at least one more.
[[gnu::noinline]] Status MakeRoom(ThreadState& ts, DictObject* d) {
  const uint32_t live = CountKeys(d);
  const uint32_t dead = d->entry_count - live;
  if (!d->index) {
    if (dead > 0) {
      Compact(d);
      return Ok();
    }
    if (d->entry_capacity < DictObject::kMaxUnindexed) {
      const uint32_t capacity = d->entry_capacity ? DictObject::kMaxUnindexed : kFirstCapacity;
      return SetCapacity(ts.heap(), d, capacity) ? Ok() : Status(RaiseMemoryError(ts));
    }
    return Rebuild(ts, d, dict_table::kMinIndex, 12);
  }
  const uint32_t max = MaxEntries(d->index_size);
  if (dead <= d->entry_count / 8 && d->entry_capacity < max) {
    const uint32_t capacity = std::min(max, d->entry_capacity + std::max(d->index_size / 8, 4u));
    return SetCapacity(ts.heap(), d, capacity) ? Ok() : Status(RaiseMemoryError(ts));
  }
  const uint64_t wanted = uint64_t{live} + live / 4 + 1;
  const uint32_t index_size = dict_table::IndexFor(wanted);
  if (index_size == 0) return RaiseMemoryError(ts);
  const uint32_t capacity = std::min(MaxEntries(index_size), live + std::max(index_size / 8, 4u));
  return Rebuild(ts, d, index_size, capacity);
}

uint32_t FindFree(const DictObject* d, uint32_t hash) {
  uint32_t at = 0;
  Search(d, hash, &at, [](uint32_t) { return Match::kNo; });
  return at;
}

// ---- search ----

// Inline int key; kStopped where a key has to be asked. Pure.
uint32_t FindInt(const DictObject* d, Value key, uint32_t hash, uint32_t* free_slot) {
  return Search(d, hash, free_slot, [d, key, hash](uint32_t e) {
    const Value k = d->entries[e].key;
    if (MVM_LIKELY(k.is(key))) return Match::kYes;
    if (k.is_int() || k.is_null() || d->hashes()[e] != hash || IsExact(k, TypeId::kStr))
      return Match::kNo;
    return Match::kStop;
  });
}

// The hash an inline int is filed under.
inline uint32_t HashIntKey(int64_t key) {
  if (MVM_LIKELY(static_cast<uint64_t>(key) <= UINT32_MAX)) return static_cast<uint32_t>(key);
  return FoldHash(HashInt64(key));
}

// Exact str key in a dict that has only such keys. Pure.
uint32_t FindStrOnly(const DictObject* d, const StrObject* key, uint32_t hash,
                     uint32_t* free_slot) {
  return Search(d, hash, free_slot, [d, key, hash](uint32_t e) {
    const Value k = d->entries[e].key;
    if (k.bits() == reinterpret_cast<uint64_t>(key)) return Match::kYes;
    if (d->hashes()[e] != hash || k.is_null()) return Match::kNo;
    return StrEquals(k.as<StrObject>(), key) ? Match::kYes : Match::kNo;
  });
}

// Exact str key; other keys than strs are passed over. Pure.
uint32_t FindStrPure(ThreadState& ts, const DictObject* d, StrObject* key, uint32_t* free_slot) {
  const uint32_t hash = StrHash(*ts.rt, key);
  if (MVM_LIKELY(!d->other_keys)) return FindStrOnly(d, key, hash, free_slot);
  return Search(d, hash, free_slot, [&](uint32_t e) {
    const Value k = d->entries[e].key;
    if (k.is(key)) return Match::kYes;
    if (d->hashes()[e] != hash || !IsStr(ts, k)) return Match::kNo;
    return StrEquals(k.as<StrObject>(), key) ? Match::kYes : Match::kNo;
  });
}

// What must not have changed for a search to go on.
struct Snapshot {
  explicit Snapshot(const DictObject* d)
      : entries(d->entries),
        index(d->index),
        version(d->version),
        count(d->entry_count),
        capacity(d->entry_capacity),
        index_size(d->index_size) {}
  bool operator==(const Snapshot&) const = default;
  const void* entries;
  const void* index;
  uint32_t version, count, capacity, index_size;
};

[[gnu::noinline]] Result<uint32_t> FindGeneral(ThreadState& ts, DictObject* d, Value key,
                                               uint32_t hash, uint32_t* free_slot) {
  const bool str_key = IsExact(key, TypeId::kStr);
  bool failed = false;
  for (int restarts = 0; restarts < kMaxRestarts; ++restarts) {
    const uint32_t found = Search(d, hash, free_slot, [&](uint32_t e) {
      const Value k = d->entries[e].key;
      if (k.is(key)) return Match::kYes;
      if (k.is_null() || d->hashes()[e] != hash) return Match::kNo;
      if (str_key && IsExact(k, TypeId::kStr)) {
        return StrEquals(k.as<StrObject>(), key.as<StrObject>()) ? Match::kYes : Match::kNo;
      }
      if (Value::BothInt(k, key)) return Match::kNo;
      const Snapshot before(d);
      bool equal = false;
      {
        const Ref<> pinned = Ref<>::Borrow(k);
        Result<bool> r = CompareBool(ts, k, key, CompareOp::kEq);
        if (r.raised()) {
          failed = true;
          return Match::kStop;
        }
        equal = r.Take();
      }
      if (!(Snapshot(d) == before)) return Match::kStop;
      return equal ? Match::kYes : Match::kNo;
    });
    if (found != kStopped) return found;
    if (failed) return kRaised;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Raise(ts, Exc::kRuntimeError, "dictionary changed again and again during a lookup");
}

// The entry with that key, or kNone and the place of a new one's slot.
inline Result<uint32_t> FindEntry(ThreadState& ts, DictObject* d, Value key, uint32_t hash,
                                  uint32_t* free_slot) {
  if (IsExact(key, TypeId::kStr)) {
    if (MVM_LIKELY(!d->other_keys)) return FindStrOnly(d, key.as<StrObject>(), hash, free_slot);
  } else if (key.is_int()) {
    const uint32_t found = FindInt(d, key, hash, free_slot);
    if (MVM_LIKELY(found != kStopped)) return found;
  }
  return FindGeneral(ts, d, key, hash, free_slot);
}

inline Value* ValueAt(const DictObject* d, uint32_t e) {
  Value* v = &d->entries[e].value;
  return d->storage == DictStorage::kCelled ? &v->as<CellObject>()->value : v;
}

inline bool IsUnbound(ThreadState& ts, Value v) { return v.is(ts.rt->unbound); }

// ---- change ----

// Enters key and stored value (owned words). REQUIRES: room; the key is absent
void AppendEntry(DictObject* d, Value key, Value stored, uint32_t hash, uint32_t free_slot) {
  const uint32_t e = d->entry_count++;
  d->entries[e] = {key, stored};
  d->hashes()[e] = hash;
  if (d->index) dict_table::SetSlot(d, free_slot, hash, e);
  ++d->version;
}

// REQUIRES: the key is absent, free_slot as Search gave it
Status InsertNew(ThreadState& ts, DictObject* d, Value key, uint32_t hash, uint32_t free_slot,
                 Value value) {
  Value stored = value;
  if (MVM_UNLIKELY(d->storage == DictStorage::kCelled)) {
    MVM_TRY(Ref<CellObject> cell, NewCell(ts, value));
    cell->aux = CellObject::kOfDict;
    if (d->entry_count == d->entry_capacity) {
      MVM_TRY_VOID(MakeRoom(ts, d));
      free_slot = FindFree(d, hash);
    }
    stored = cell.Release();
  } else {
    if (d->entry_count == d->entry_capacity) {
      MVM_TRY_VOID(MakeRoom(ts, d));
      free_slot = FindFree(d, hash);
    }
    Incref(stored);
  }
  Incref(key);
  if (!IsExact(key, TypeId::kStr)) d->other_keys = true;
  AppendEntry(d, key, stored, hash, free_slot);
  ++d->used;
  return Ok();
}

// Celled: binds the unbound cell of entry e again; the name goes to the end of the order.
Status Rebind(ThreadState& ts, DictObject* d, uint32_t e, uint32_t hash, Value value) {
  CellObject* cell = d->entries[e].value.as<CellObject>();
  if (e + 1 != d->entry_count) {
    const DictEntry moved = d->entries[e];
    if (d->entry_count == d->entry_capacity) {
      MVM_TRY_VOID(MakeRoom(ts, d));
      // Rebuilding may have moved the entry.
      uint32_t at = 0;
      e = Search(d, hash, &at, [&](uint32_t i) {
        return d->entries[i].key.is(moved.key) ? Match::kYes : Match::kNo;
      });
    }
    d->entries[e] = {};
    AppendEntry(d, moved.key, moved.value, hash, FindFree(d, hash));
  }
  Incref(value);
  cell->value = value;  // was unbound, which is immortal
  ++d->used;
  ++d->version;
  return Ok();
}

// Overwrites or enters.
inline Status SetFound(ThreadState& ts, DictObject* d, Value key, uint32_t hash, uint32_t e,
                       uint32_t free_slot, Value value) {
  if (e == kNone) return InsertNew(ts, d, key, hash, free_slot, value);
  Value* place = ValueAt(d, e);
  if (MVM_UNLIKELY(IsUnbound(ts, *place))) return Rebind(ts, d, e, hash, value);
  Incref(value);
  const Value old = std::exchange(*place, value);
  Decref(old);
  return Ok();
}

// Takes entry e out: its key and value are the caller's.
DictEntry TakeEntry(ThreadState& ts, DictObject* d, uint32_t e) {
  --d->used;
  ++d->version;
  if (d->storage == DictStorage::kCelled) {
    Value* place = ValueAt(d, e);
    return {Value(), std::exchange(*place, Value(ts.rt->unbound))};
  }
  // The place stays used up, so that iterators notice what is entered after a deletion.
  return std::exchange(d->entries[e], DictEntry{});
}

void Drop(DictEntry taken) {
  Decref(taken.key);
  Decref(taken.value);
}

// First entry with a key; entry_count if there is none.
uint32_t FirstKey(DictObject* d) {
  const uint32_t n = d->entry_count;
  if (n == 0 || !d->entries[0].key.is_null()) return 0;
  if (d->used == 0 && d->storage == DictStorage::kHash) return n;
  uint32_t i =
      d->entries[0].value.is_int() ? static_cast<uint32_t>(d->entries[0].value.as_int()) : 1;
  while (i < n && d->entries[i].key.is_null()) ++i;
  d->entries[0].value = Value::Int(i);
  return i;
}

// Number of entries up to and including the last one with a key.
uint32_t EndOfKeys(DictObject* d) {
  const uint32_t n = d->entry_count;
  if (n == 0 || !d->entries[n - 1].key.is_null()) return n;
  if (d->used == 0 && d->storage == DictStorage::kHash) return 0;
  const Value run = d->entries[n - 1].value;
  uint32_t i = n > 1 && run.is_int() ? n - static_cast<uint32_t>(run.as_int()) : n - 1;
  while (i > 0 && d->entries[i - 1].key.is_null()) --i;
  if (n > 1) d->entries[n - 1].value = Value::Int(n - i);
  return i;
}

// Rebuilds an indexed dict with deleted entries in front, to be taken by MoveToFront.
Status MakeRoomInFront(ThreadState& ts, DictObject* d) {
  const uint32_t live = CountKeys(d);
  const uint32_t gap = live / 4 + 4;
  const uint32_t index_size = dict_table::IndexFor(uint64_t{live} + gap + 1);
  if (index_size == 0) return RaiseMemoryError(ts);
  MVM_TRY_VOID(Rebuild(ts, d, index_size, std::max(d->entry_capacity, (live + gap + 4) & ~3u)));
  std::memmove(static_cast<void*>(d->entries + gap), d->entries, size_t{live} * sizeof(DictEntry));
  std::memmove(d->hashes() + gap, d->hashes(), size_t{live} * sizeof(uint32_t));
  std::memset(static_cast<void*>(d->entries), 0, size_t{gap} * sizeof(DictEntry));
  d->entries[0].value = Value::Int(gap);
  d->entry_count = live + gap;
  dict_table::FillIndex(d, gap);
  return Ok();
}

// Makes entry e, which has the hash, the first one.
Result<bool> MoveToFront(ThreadState& ts, DictObject* d, uint32_t e, uint32_t hash) {
  uint32_t first = FirstKey(d);
  if (e == first) return true;
  if (!d->index) {
    const DictEntry entry = d->entries[e];
    std::memmove(static_cast<void*>(d->entries + 1), d->entries, size_t{e} * sizeof(DictEntry));
    std::memmove(d->hashes() + 1, d->hashes(), size_t{e} * sizeof(uint32_t));
    d->entries[0] = entry;
    d->hashes()[0] = hash;
    for (uint32_t i = 1; i <= e; ++i) {
      if (d->entries[i].key.is_null()) d->entries[i].value = Value();
    }
    ++d->version;
    return true;
  }
  if (first == 0) {
    const Value key = d->entries[e].key;
    MVM_TRY_VOID(MakeRoomInFront(ts, d));
    first = FirstKey(d);
    for (e = first; !d->entries[e].key.is(key);) ++e;
  }
  const uint32_t to = first - 1;
  d->entries[to] = std::exchange(d->entries[e], DictEntry{});
  d->hashes()[to] = hash;
  if (to > 0) d->entries[0].value = Value::Int(to);
  dict_table::MoveSlot(d, hash, e, to);
  ++d->version;
  return true;
}

// Copies keys and values of a hash dict into an empty one, without comparing keys.
Status CloneInto(ThreadState& ts, DictObject* to, DictObject* from) {
  const uint32_t n = from->used;
  if (n == 0) return Ok();
  if (to->entry_count != 0) {
    // Only deleted entries: start afresh.
    to->FreeBuffers(ts.heap());
  }
  MVM_TRY_VOID(Reserve(ts, to, n));
  DictEntry* out = to->entries;
  uint32_t* hashes = to->hashes();
  if (from->entry_count == n) {
    std::memcpy(static_cast<void*>(out), from->entries, size_t{n} * sizeof(DictEntry));
    std::memcpy(hashes, from->hashes(), size_t{n} * sizeof(uint32_t));
    for (uint32_t i = 0; i < n; ++i) {
      Incref(out[i].key);
      Incref(out[i].value);
    }
  } else {
    uint32_t k = 0;
    for (uint32_t i = 0; i < from->entry_count; ++i) {
      if (from->entries[i].key.is_null()) continue;
      out[k] = from->entries[i];
      hashes[k] = from->hashes()[i];
      Incref(out[k].key);
      Incref(out[k].value);
      ++k;
    }
  }
  to->entry_count = to->used = n;
  to->other_keys = from->other_keys;
  ++to->version;
  if (to->index) {
    if (from->entry_count == n && from->index_size == to->index_size) {
      std::memcpy(to->index, from->index, IndexBytes(to->index_size));
    } else {
      dict_table::FillIndex(to);
    }
  }
  return Ok();
}

inline Status LeaveSlots(ThreadState& ts, DictObject* d) {
  if (MVM_LIKELY(d->storage != DictStorage::kSlots)) return Ok();
  return SlotDictConvert(ts, d);
}

inline bool UsesSlots(const DictObject* d, Value key) {
  return MVM_UNLIKELY(d->storage == DictStorage::kSlots) && IsExact(key, TypeId::kStr);
}

}  // namespace

Status DictLeaveSlots(ThreadState& ts, DictObject* d) { return LeaveSlots(ts, d); }

// ---- construction ----

Result<DictObject> NewDict(ThreadState& ts, size_t expected) {
  MVM_TRY(Ref<DictObject> d, New<DictObject>(ts, TypeId::kDict));
  if (expected > 0) MVM_TRY_VOID(Reserve(ts, d, expected));
  Track(d);
  return d;
}

Result<DictObject> NewDictOf(ThreadState& ts, const Value* keys, const Value* values, uint32_t n) {
  MVM_TRY(Ref<DictObject> d, New<DictObject>(ts, TypeId::kDict));
  if (n > DictObject::kMaxUnindexed) {
    MVM_TRY_VOID(Reserve(ts, d, n));
    for (uint32_t i = 0; i < n; ++i) {
      MVM_TRY_VOID(DictSetStr(ts, d, keys[i].as<StrObject>(), values[i]));
    }
    for (uint32_t i = 0; i < n; ++i) Decref(values[i]);
  } else if (n > 0) {
    const uint32_t capacity = n <= kFirstCapacity ? kFirstCapacity : DictObject::kMaxUnindexed;
    if (!SetCapacity(ts.heap(), d, capacity)) return RaiseMemoryError(ts);
    uint32_t* hashes = d->hashes();
    for (uint32_t i = 0; i < n; ++i) {
      d->entries[i] = {keys[i], values[i]};
      Incref(keys[i]);
      hashes[i] = StrHash(*ts.rt, keys[i].as<StrObject>());
    }
    d->used = d->entry_count = n;
  }
  Track(d);
  return d;
}

Result<DictObject> NewCelledDict(ThreadState& ts) {
  MVM_TRY(Ref<DictObject> d, New<DictObject>(ts, kShapeCelledDict));
  d->storage = DictStorage::kCelled;
  Track(d);
  return d;
}

Status DictMakeCelled(ThreadState& ts, DictObject* d) {
  if (d->storage == DictStorage::kCelled) return Ok();
  MVM_TRY_VOID(LeaveSlots(ts, d));
  // All cells are made before the first entry changes, so that failure leaves the dict as it was.
  MVM_TRY(Ref<ListObject> cells, NewListReserve(ts, d->used));
  for (uint32_t i = 0; i < d->used; ++i) {
    MVM_TRY(Ref<CellObject> cell, NewCell(ts, ts.rt->unbound));
    cell->aux = CellObject::kOfDict;
    MVM_TRY_VOID(ListAppend(ts, cells, cell));
  }
  uint32_t next = 0;
  for (uint32_t i = 0; i < d->entry_count; ++i) {
    if (d->entries[i].key.is_null()) continue;
    CellObject* cell = cells->items[next++].as<CellObject>();
    cell->value = std::exchange(d->entries[i].value, Ref<CellObject>::Borrow(cell).Release());
  }
  d->storage = DictStorage::kCelled;
  if (d->shape_id == ShapeIdOf(TypeId::kDict)) d->shape_id = kShapeCelledDict;
  ++d->version;
  return Ok();
}

// ---- lookup ----

Result<uint32_t> DictHashKey(ThreadState& ts, Value key) {
  if (IsExact(key, TypeId::kStr)) return StrHash(*ts.rt, key.as<StrObject>());
  if (key.is_int()) return HashIntKey(key.as_int());
  MVM_TRY(int64_t hash, Hash(ts, key));
  return FoldHash(hash);
}

Value* DictPeek(const RuntimeState& rt, const DictObject* d, Value key) {
  uint32_t e, at;
  if (key.is_int()) {
    e = FindInt(d, key, HashIntKey(key.as_int()), &at);
  } else if (IsExact(key, TypeId::kStr) && !d->other_keys) {
    e = FindStrOnly(d, key.as<StrObject>(), StrHash(rt, key.as<StrObject>()), &at);
  } else {
    return nullptr;
  }
  return e < kStopped ? &d->entries[e].value : nullptr;
}

Result<Value*> DictFindHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash) {
  if (UsesSlots(d, key)) return SlotDictFind(ts, d, key.as<StrObject>());
  MVM_TRY_VOID(LeaveSlots(ts, d));
  uint32_t at = 0;
  MVM_TRY(uint32_t e, FindEntry(ts, d, key, hash, &at));
  if (e == kNone) return static_cast<Value*>(nullptr);
  Value* place = ValueAt(d, e);
  return IsUnbound(ts, *place) ? nullptr : place;
}

Result<Value*> DictFind(ThreadState& ts, DictObject* d, Value key) {
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  return DictFindHashed(ts, d, key, hash);
}

Result<> DictGet(ThreadState& ts, DictObject* d, Value key) {
  if (MVM_LIKELY(d->storage == DictStorage::kHash)) {
    if (const Value* place = DictPeek(*ts.rt, d, key)) return Result<>::Borrow(*place);
  }
  MVM_TRY(Value * place, DictFind(ts, d, key));
  return place ? Result<>::Borrow(*place) : Result<>::Steal(Value::Absent());
}

Value DictGetStr(ThreadState& ts, DictObject* d, StrObject* key) {
  if (MVM_UNLIKELY(d->storage == DictStorage::kSlots)) {
    Value* place = SlotDictFind(ts, d, key);
    return place ? *place : Value();
  }
  uint32_t at = 0;
  const uint32_t e = FindStrPure(ts, d, key, &at);
  if (e == kNone) return Value();
  const Value v = *ValueAt(d, e);
  return IsUnbound(ts, v) ? Value() : v;
}

CellObject* DictGetCell(ThreadState& ts, DictObject* d, StrObject* key) {
  MVM_DCHECK(d->storage == DictStorage::kCelled, "a cell is wanted of a dict without cells");
  uint32_t at = 0;
  const uint32_t e = FindStrPure(ts, d, key, &at);
  return e == kNone ? nullptr : d->entries[e].value.as<CellObject>();
}

Result<CellObject*> DictMakeCell(ThreadState& ts, DictObject* d, StrObject* key) {
  MVM_DCHECK(d->storage == DictStorage::kCelled, "a cell is wanted of a dict without cells");
  uint32_t at = 0;
  const uint32_t e = FindStrPure(ts, d, key, &at);
  if (e != kNone) return d->entries[e].value.as<CellObject>();
  MVM_TRY_VOID(InsertNew(ts, d, key, StrHash(*ts.rt, key), at, ts.rt->unbound));
  --d->used;
  return d->entries[d->entry_count - 1].value.as<CellObject>();
}

Result<bool> DictContains(ThreadState& ts, DictObject* d, Value key) {
  if (MVM_LIKELY(d->storage == DictStorage::kHash)) {
    if (DictPeek(*ts.rt, d, key)) return true;
  }
  MVM_TRY(Value * place, DictFind(ts, d, key));
  return place != nullptr;
}

size_t DictSizeOf(const DictObject* d) {
  return sizeof(DictObject) + (d->entries ? EntryBytes(d->entry_capacity) : 0) +
         (d->index ? IndexBytes(d->index_size) : 0);
}

size_t DictSize(const DictObject* d) {
  return MVM_UNLIKELY(d->storage == DictStorage::kSlots) ? SlotDictSize(d) : d->used;
}

bool DictNext(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value) {
  if (MVM_UNLIKELY(d->storage == DictStorage::kSlots)) return SlotDictNext(ts, d, pos, key, value);
  size_t i = *pos == 0 ? FirstKey(d) : *pos;
  for (; i < d->entry_count; ++i) {
    const DictEntry& entry = d->entries[i];
    if (entry.key.is_null()) continue;
    const Value v = *ValueAt(d, static_cast<uint32_t>(i));
    if (IsUnbound(ts, v)) continue;
    *key = entry.key;
    *value = v;
    *pos = i + 1;
    return true;
  }
  *pos = i;
  return false;
}

bool DictPrevious(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value) {
  MVM_DCHECK(d->storage != DictStorage::kSlots, "slots are not walked backwards");
  size_t i = *pos >= d->entry_count ? EndOfKeys(d) : *pos;
  for (; i > 0; --i) {
    const DictEntry& entry = d->entries[i - 1];
    if (entry.key.is_null()) continue;
    const Value v = *ValueAt(d, static_cast<uint32_t>(i - 1));
    if (IsUnbound(ts, v)) continue;
    *key = entry.key;
    *value = v;
    *pos = i - 1;
    return true;
  }
  *pos = 0;
  return false;
}

// ---- change ----

Status DictSetHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash, Value value) {
  if (UsesSlots(d, key)) return SlotDictSet(ts, d, key.as<StrObject>(), value);
  MVM_TRY_VOID(LeaveSlots(ts, d));
  uint32_t at = 0;
  MVM_TRY(uint32_t e, FindEntry(ts, d, key, hash, &at));
  return SetFound(ts, d, key, hash, e, at, value);
}

Status DictSet(ThreadState& ts, DictObject* d, Value key, Value value) {
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  return DictSetHashed(ts, d, key, hash, value);
}

Status DictSetStr(ThreadState& ts, DictObject* d, StrObject* key, Value value) {
  return DictSetHashed(ts, d, key, StrHash(*ts.rt, key), value);
}

Status DictSetUtf8(ThreadState& ts, DictObject* d, std::string_view key, Value value) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, key));
  return DictSetStr(ts, d, name, value);
}

Result<> DictSetDefaultHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash,
                              Value value) {
  if (UsesSlots(d, key)) {
    if (Value* place = SlotDictFind(ts, d, key.as<StrObject>())) return Result<>::Borrow(*place);
    MVM_TRY_VOID(SlotDictSet(ts, d, key.as<StrObject>(), value));
    return Result<>::Borrow(value);
  }
  MVM_TRY_VOID(LeaveSlots(ts, d));
  uint32_t at = 0;
  MVM_TRY(uint32_t e, FindEntry(ts, d, key, hash, &at));
  if (e != kNone && !IsUnbound(ts, *ValueAt(d, e))) return Result<>::Borrow(*ValueAt(d, e));
  MVM_TRY_VOID(SetFound(ts, d, key, hash, e, at, value));
  return Result<>::Borrow(value);
}

Result<> DictSetDefault(ThreadState& ts, DictObject* d, Value key, Value value) {
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  return DictSetDefaultHashed(ts, d, key, hash, value);
}

Result<> DictPopHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash) {
  if (UsesSlots(d, key)) {
    Value* place = SlotDictFind(ts, d, key.as<StrObject>());
    if (!place) return Result<>::Steal(Value::Absent());
    Ref<> value = Ref<>::Borrow(*place);
    MVM_TRY_VOID(SlotDictDelete(ts, d, key.as<StrObject>()));
    return value;
  }
  MVM_TRY_VOID(LeaveSlots(ts, d));
  uint32_t at = 0;
  MVM_TRY(uint32_t e, FindEntry(ts, d, key, hash, &at));
  if (e == kNone || IsUnbound(ts, *ValueAt(d, e))) return Result<>::Steal(Value::Absent());
  const DictEntry taken = TakeEntry(ts, d, e);
  Ref<> value = Ref<>::Steal(taken.value);
  Decref(taken.key);
  return value;
}

Result<> DictPop(ThreadState& ts, DictObject* d, Value key) {
  if (DictSize(d) == 0) {
    // Even an empty dict asks for the hash, for the error of unhashable keys.
    MVM_TRY_VOID(DictHashKey(ts, key));
    return Result<>::Steal(Value::Absent());
  }
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  return DictPopHashed(ts, d, key, hash);
}

Result<bool> DictDelete(ThreadState& ts, DictObject* d, Value key) {
  MVM_TRY(Ref<> value, DictPop(ts, d, key));
  return !value.is_absent();
}

Result<bool> DictPopEnd(ThreadState& ts, DictObject* d, bool last, Ref<>* key, Ref<>* value) {
  MVM_TRY_VOID(LeaveSlots(ts, d));
  size_t pos = last ? d->entry_count : 0;
  Value k, v;
  if (last ? !DictPrevious(ts, d, &pos, &k, &v) : !DictNext(ts, d, &pos, &k, &v)) return false;
  const uint32_t e = static_cast<uint32_t>(last ? pos : pos - 1);
  Ref<> kept = Ref<>::Borrow(k);
  const DictEntry taken = TakeEntry(ts, d, e);
  *key = std::move(kept);
  *value = Ref<>::Steal(taken.value);
  Decref(taken.key);
  return true;
}

Result<bool> DictMoveToEnd(ThreadState& ts, DictObject* d, Value key, bool last) {
  MVM_TRY_VOID(LeaveSlots(ts, d));
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  uint32_t at = 0;
  MVM_TRY(uint32_t e, FindEntry(ts, d, key, hash, &at));
  if (e == kNone || IsUnbound(ts, *ValueAt(d, e))) return false;
  if (last) {
    if (e + 1 == d->entry_count) return true;
    const Value moved = d->entries[e].key;
    if (d->entry_count == d->entry_capacity) {
      MVM_TRY_VOID(MakeRoom(ts, d));
      e = Search(d, hash, &at, [&](uint32_t i) {
        return d->entries[i].key.is(moved) ? Match::kYes : Match::kNo;
      });
    }
    const DictEntry entry = std::exchange(d->entries[e], DictEntry{});
    AppendEntry(d, entry.key, entry.value, hash, FindFree(d, hash));
    return true;
  }
  return MoveToFront(ts, d, e, hash);
}

void DictClear(ThreadState& ts, DictObject* d) {
  if (d->storage == DictStorage::kSlots && SlotDictConvert(ts, d).raised()) {
    ClearPending(ts);
    return;
  }
  ++d->version;
  if (d->storage == DictStorage::kCelled) {
    // What dies may run script code that enters names: those behind the last one of now stay, and
    // the count is right at each step.
    const uint32_t count = d->entry_count;
    for (uint32_t i = 0; i < std::min(count, d->entry_count); ++i) {
      if (d->entries[i].key.is_null() || IsUnbound(ts, *ValueAt(d, i))) continue;
      --d->used;
      Decref(std::exchange(*ValueAt(d, i), Value(ts.rt->unbound)));
    }
    return;
  }
  DictObject old = *d;
  d->entries = nullptr;
  d->index = nullptr;
  d->used = d->entry_count = d->entry_capacity = d->index_size = 0;
  d->other_keys = false;
  for (uint32_t i = 0; i < old.entry_count; ++i) Drop(old.entries[i]);
  old.FreeBuffers(ts.heap());
}

Result<DictObject> DictCopy(ThreadState& ts, DictObject* d) {
  MVM_TRY(Ref<DictObject> copy, NewDict(ts));
  MVM_TRY_VOID(DictUpdate(ts, copy, d));
  return copy;
}

// ---- update ----

namespace {

Status MergeDict(ThreadState& ts, DictObject* d, DictObject* other, bool override) {
  if (d == other || DictSize(other) == 0) return Ok();
  if (d->storage == DictStorage::kHash && other->storage == DictStorage::kHash && d->used == 0) {
    return CloneInto(ts, d, other);
  }
  const size_t size = DictSize(other);
  size_t pos = 0;
  Value k, v;
  while (DictNext(ts, other, &pos, &k, &v)) {
    const Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
    const uint32_t hash = other->storage == DictStorage::kSlots ? StrHash(*ts.rt, k.as<StrObject>())
                                                                : other->hashes()[pos - 1];
    if (override) {
      MVM_TRY_VOID(DictSetHashed(ts, d, key, hash, value));
    } else {
      MVM_TRY_VOID(DictSetDefaultHashed(ts, d, key, hash, value));
    }
    if (DictSize(other) != size) return Raise(ts, Exc::kRuntimeError, "dict mutated during update");
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Ok();
}

Status MergeMapping(ThreadState& ts, DictObject* d, Value other, Value keys_method, bool override) {
  MVM_TRY(Ref<> keys, Call(ts, keys_method));
  return ForEach(ts, keys, [&](Value key) -> Status {
    MVM_TRY(uint32_t hash, DictHashKey(ts, key));
    if (!override) {
      MVM_TRY(Value * place, DictFindHashed(ts, d, key, hash));
      if (place) return Ok();
    }
    MVM_TRY(Ref<> value, GetItem(ts, other, key));
    return DictSetHashed(ts, d, key, hash, value);
  });
}

}  // namespace

Status DictMergePairs(ThreadState& ts, DictObject* d, Value pairs, bool override) {
  int64_t n = 0;
  return ForEach(ts, pairs, [&](Value item) -> Status {
    Result<> fast = FastSequence(ts, item, "");
    if (fast.raised()) {
      if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
      return Raise(ts, Exc::kTypeError,
                   "cannot convert dictionary update sequence element #%lld to a sequence",
                   static_cast<long long>(n));
    }
    const Ref<> pair = fast.Take();
    const bool is_list = IsList(ts, pair);
    const uint64_t size = is_list ? pair.as<ListObject>()->size : pair.as<TupleObject>()->size();
    if (size != 2) {
      return Raise(ts, Exc::kValueError,
                   "dictionary update sequence element #%lld has length %llu; 2 is required",
                   static_cast<long long>(n), static_cast<unsigned long long>(size));
    }
    const Value* items = is_list ? pair.as<ListObject>()->items : pair.as<TupleObject>()->items();
    const Ref<> key = Ref<>::Borrow(items[0]), value = Ref<>::Borrow(items[1]);
    ++n;
    if (override) return DictSet(ts, d, key, value);
    MVM_TRY_VOID(DictSetDefault(ts, d, key, value));
    return Ok();
  });
}

Status DictUpdate(ThreadState& ts, DictObject* d, Value other, bool override) {
  if (IsExactDict(other) ||
      (IsDict(ts, other) && TypeOf(ts, other)->slots.iter == kDictType.slots.iter)) {
    return MergeDict(ts, d, other.as<DictObject>(), override);
  }
  MVM_TRY(Ref<> keys, GetAttrOptional(ts, other, MVM_NAME(ts, keys)));
  if (!keys.is_absent()) return MergeMapping(ts, d, other, keys, override);
  return DictMergePairs(ts, d, other, override);
}

}  // namespace minivm
