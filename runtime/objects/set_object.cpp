// The hash table of set and frozenset. The types are in set_methods.cpp.
//
// Probing runs over the hashes alone: up to ten neighbours, then a jump that takes in more bits of
// the hash. As in dict_object.cpp, comparing keys may run script code that changes the set; a
// search notices and starts over.
//
// The slot of a small int is the int modulo the table's size, and tables grow from 8 to 32 to 128
// slots, so small sets of small ints iterate in ascending order, as people have come to expect.
#include "runtime/objects/set_object.h"

#include <cstring>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"

namespace minivm {
namespace {

constexpr uint64_t kMinCapacity = 8;
constexpr uint64_t kMaxCapacity = uint64_t{1} << 32;
constexpr uint64_t kNeighbours = 9;
constexpr uint64_t kGrowSlowlyFrom = 50000;
// A search that starts over so often is never going to end: its __eq__ changes the set each time.
constexpr int kMaxRestarts = 1 << 12;
constexpr uint64_t kNone = UINT64_MAX;
constexpr uint64_t kStopped = UINT64_MAX - 1;

size_t TableBytes(uint64_t capacity) { return capacity * (sizeof(Value) + sizeof(uint32_t)); }

// Stored hashes are folded hashes less an arbitrary number, so that 0 and 1 can mark free and
// deleted slots; the two that would become these change a bit.
constexpr uint32_t kOffset = 0x5A3C0001u;
uint32_t Stored(uint32_t folded) {
  const uint32_t stored = folded - kOffset;
  return stored > SetObject::kDeleted ? stored : stored ^ 1u << 29;
}
// The folded hash with its sign, as probing wants it.
uint64_t Folded(uint32_t stored) {
  return static_cast<uint64_t>(int64_t{static_cast<int32_t>(stored + kOffset)});
}

enum class Match : uint8_t { kNo, kYes, kStop };

// Calls match(slot) for slots with that hash until it says kYes (the slot) or kStop (kStopped).
// kNone, and where a new key belongs, if there is no such key: the last deleted slot on the way or
// else the free one at its end. REQUIRES: there is a table
template <class F>
inline uint64_t Search(const SetObject* s, uint32_t hash, uint64_t* place, F match) {
  const uint64_t mask = s->capacity - 1;
  const uint32_t* hashes = s->hashes();
  uint64_t perturb = Folded(hash);
  uint64_t base = perturb & mask;
  uint64_t deleted = kNone;
  for (;;) {
    const uint64_t last = base + kNeighbours <= mask ? base + kNeighbours : base;
    for (uint64_t at = base; at <= last; ++at) {
      if (hashes[at] == hash) {
        const Match m = match(at);
        if (m == Match::kYes) return at;
        if (m == Match::kStop) return kStopped;
      } else if (hashes[at] == SetObject::kFree) {
        *place = deleted == kNone ? at : deleted;
        return kNone;
      } else if (hashes[at] == SetObject::kDeleted) {
        deleted = at;
      }
    }
    perturb >>= 5;
    base = (base * 5 + 1 + perturb) & mask;
  }
}

struct Snapshot {
  explicit Snapshot(const SetObject* s)
      : keys(s->keys), version(s->version), capacity(s->capacity) {}
  bool operator==(const Snapshot&) const = default;
  const Value* keys;
  uint64_t version, capacity;
};

[[gnu::noinline]] Result<uint64_t> FindGeneral(ThreadState& ts, SetObject* s, Value key,
                                               uint32_t hash, uint64_t* place) {
  bool failed = false;
  for (int restarts = 0; restarts < kMaxRestarts; ++restarts) {
    if (s->capacity == 0) return kNone;
    const uint64_t found = Search(s, hash, place, [&](uint64_t at) {
      const Value k = s->keys[at];
      if (k.is(key)) return Match::kYes;
      if (Value::BothInt(k, key)) return Match::kNo;
      if (IsExact(k, TypeId::kStr) && IsExact(key, TypeId::kStr)) {
        return StrEquals(k.as<StrObject>(), key.as<StrObject>()) ? Match::kYes : Match::kNo;
      }
      const Snapshot before(s);
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
      if (!(Snapshot(s) == before)) return Match::kStop;
      return equal ? Match::kYes : Match::kNo;
    });
    if (found != kStopped) return found;
    if (failed) return kRaised;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Raise(ts, Exc::kRuntimeError, "set changed again and again during a lookup");
}

inline Result<uint64_t> Find(ThreadState& ts, SetObject* s, Value key, uint32_t hash,
                             uint64_t* place) {
  if (s->capacity == 0) return kNone;
  if (key.is_int() || IsExact(key, TypeId::kStr)) {
    const bool is_int = key.is_int();
    const uint64_t found = Search(s, hash, place, [&](uint64_t at) {
      const Value k = s->keys[at];
      if (k.is(key)) return Match::kYes;
      if (is_int && k.is_int()) return Match::kNo;
      if (!is_int && IsExact(k, TypeId::kStr)) {
        return StrEquals(k.as<StrObject>(), key.as<StrObject>()) ? Match::kYes : Match::kNo;
      }
      return Match::kStop;
    });
    if (MVM_LIKELY(found != kStopped)) return found;
  }
  return FindGeneral(ts, s, key, hash, place);
}

// Enters an owned key that is known to be absent. REQUIRES: there is a free slot
void InsertClean(Value* keys, uint32_t* hashes, uint64_t mask, Value key, uint32_t hash) {
  uint64_t perturb = Folded(hash);
  uint64_t base = perturb & mask;
  for (;;) {
    const uint64_t last = base + kNeighbours <= mask ? base + kNeighbours : base;
    for (uint64_t at = base; at <= last; ++at) {
      if (hashes[at] != SetObject::kFree) continue;
      keys[at] = key;
      hashes[at] = hash;
      return;
    }
    perturb >>= 5;
    base = (base * 5 + 1 + perturb) & mask;
  }
}

// A table with more than `wanted` slots, without deleted ones.
Status Resize(ThreadState& ts, SetObject* s, uint64_t wanted) {
  uint64_t capacity = kMinCapacity;
  while (capacity <= wanted) capacity *= 2;
  if (capacity > kMaxCapacity) return RaiseMemoryError(ts);
  MVM_TRY(void* buffer, AllocBuffer(ts, TableBytes(capacity)));
  std::memset(buffer, 0, TableBytes(capacity));
  Value* keys = static_cast<Value*>(buffer);
  uint32_t* hashes = reinterpret_cast<uint32_t*>(keys + capacity);
  const uint32_t* old_hashes = s->hashes();
  for (uint64_t i = 0; i < s->capacity; ++i) {
    if (s->keys[i]) InsertClean(keys, hashes, capacity - 1, s->keys[i], old_hashes[i]);
  }
  if (s->keys) ts.heap().FreeBuffer(s->keys, TableBytes(s->capacity));
  s->keys = keys;
  s->capacity = capacity;
  s->filled = s->used;
  ++s->version;
  return Ok();
}

bool IsCrowded(uint64_t filled, uint64_t capacity) { return filled * 5 >= (capacity - 1) * 3; }

Status GrowIfCrowded(ThreadState& ts, SetObject* s) {
  if (MVM_LIKELY(!IsCrowded(s->filled, s->capacity))) return Ok();
  return Resize(ts, s, s->used > kGrowSlowlyFrom ? s->used * 2 : s->used * 4);
}

// Room for `more` keys at once, before another table is merged in.
Status ReserveFor(ThreadState& ts, SetObject* s, uint64_t more) {
  if (more == 0 || (s->capacity > 0 && !IsCrowded(s->filled + more, s->capacity))) return Ok();
  if (s->capacity == 0 && !IsCrowded(more, kMinCapacity)) return Ok();
  return Resize(ts, s, (s->used + more) * 2);
}

}  // namespace

void SetObject::FreeBuffers(Heap& heap) {
  if (keys) heap.FreeBuffer(keys, TableBytes(capacity));
  keys = nullptr;
  used = filled = capacity = 0;
}

Result<uint32_t> SetKeyHash(ThreadState& ts, Value key) {
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  return Stored(hash);
}

Result<uint32_t> SetDictHash(ThreadState& ts, Value key, uint32_t hash) {
  if ((hash ^ 1u << 29) <= SetObject::kDeleted) return DictHashKey(ts, key);
  return hash + kOffset;
}

Result<bool> SetAddHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash) {
  uint64_t at = 0;
  MVM_TRY(uint64_t found, Find(ts, s, key, hash, &at));
  if (found != kNone) return false;
  if (MVM_UNLIKELY(s->capacity == 0)) {
    MVM_TRY_VOID(Resize(ts, s, 0));
    at = Folded(hash) & (s->capacity - 1);
  }
  const bool was_free = s->hashes()[at] == SetObject::kFree;
  Incref(key);
  s->keys[at] = key;
  s->hashes()[at] = hash;
  ++s->used;
  ++s->version;
  if (!was_free) return true;
  ++s->filled;
  if (MVM_UNLIKELY(IsCrowded(s->filled, s->capacity)) && GrowIfCrowded(ts, s).raised()) {
    // Without room to grow, the key is taken out again: a table must keep free slots.
    s->keys[at] = Value();
    s->hashes()[at] = SetObject::kDeleted;
    --s->used;
    Decref(key);
    return kRaised;
  }
  return true;
}

Result<bool> SetContainsHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash) {
  uint64_t at = 0;
  MVM_TRY(uint64_t found, Find(ts, s, key, hash, &at));
  return found != kNone;
}

Result<bool> SetDiscardHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash) {
  uint64_t at = 0;
  MVM_TRY(uint64_t found, Find(ts, s, key, hash, &at));
  if (found == kNone) return false;
  s->hashes()[found] = SetObject::kDeleted;
  --s->used;
  ++s->version;
  const Value old = std::exchange(s->keys[found], Value());
  Decref(old);
  return true;
}

Result<bool> SetAdd(ThreadState& ts, SetObject* s, Value key) {
  MVM_TRY(uint32_t hash, SetKeyHash(ts, key));
  return SetAddHashed(ts, s, key, hash);
}
Result<bool> SetContains(ThreadState& ts, SetObject* s, Value key) {
  MVM_TRY(uint32_t hash, SetKeyHash(ts, key));
  return SetContainsHashed(ts, s, key, hash);
}
Result<bool> SetDiscard(ThreadState& ts, SetObject* s, Value key) {
  MVM_TRY(uint32_t hash, SetKeyHash(ts, key));
  return SetDiscardHashed(ts, s, key, hash);
}

bool SetNext(SetObject* s, size_t* pos, Value* key) {
  for (size_t i = *pos; i < s->capacity; ++i) {
    if (!s->keys[i]) continue;
    *key = s->keys[i];
    *pos = i + 1;
    return true;
  }
  *pos = s->capacity;
  return false;
}

Result<> SetPop(ThreadState&, SetObject* s) {
  if (s->used == 0) return Result<>::Steal(Value::Absent());
  uint64_t at = s->finger & (s->capacity - 1);
  while (!s->keys[at]) at = (at + 1) & (s->capacity - 1);
  s->finger = at + 1;
  s->hashes()[at] = SetObject::kDeleted;
  --s->used;
  ++s->version;
  return Result<>::Steal(std::exchange(s->keys[at], Value()));
}

void SetClear(ThreadState& ts, SetObject* s) {
  Value* const keys = std::exchange(s->keys, nullptr);
  const uint64_t capacity = std::exchange(s->capacity, 0);
  s->used = s->filled = 0;
  s->hash = 0;
  ++s->version;
  for (uint64_t i = 0; i < capacity; ++i) Decref(keys[i]);
  if (keys) ts.heap().FreeBuffer(keys, TableBytes(capacity));
}

Status SetTidy(ThreadState& ts, SetObject* s) {
  if (s->capacity == 0 || s->filled - s->used <= (s->capacity - 1) / 4) return Ok();
  return Resize(ts, s, s->used > kGrowSlowlyFrom ? s->used * 2 : s->used * 4);
}

// ---- construction ----

namespace {

Status MergeSet(ThreadState& ts, SetObject* s, SetObject* other) {
  if (s == other || other->used == 0) return Ok();
  MVM_TRY_VOID(ReserveFor(ts, s, other->used));
  if (s->filled == 0) {
    // Into an empty table: keys differ from each other already.
    if (s->capacity == 0) MVM_TRY_VOID(Resize(ts, s, 0));
    const uint32_t* from = other->hashes();
    if (s->capacity == other->capacity && other->filled == other->used) {
      std::memcpy(static_cast<void*>(s->keys), other->keys, TableBytes(s->capacity));
      for (uint64_t i = 0; i < s->capacity; ++i) Incref(s->keys[i]);
    } else {
      for (uint64_t i = 0; i < other->capacity; ++i) {
        if (!other->keys[i]) continue;
        Incref(other->keys[i]);
        InsertClean(s->keys, s->hashes(), s->capacity - 1, other->keys[i], from[i]);
      }
    }
    s->used = s->filled = other->used;
    ++s->version;
    return Charge(ts, static_cast<int64_t>(other->used / 4));
  }
  size_t pos = 0;
  Value k;
  while (SetNext(other, &pos, &k)) {
    const Ref<> key = Ref<>::Borrow(k);
    MVM_TRY_VOID(SetAddHashed(ts, s, key, other->hashes()[pos - 1]));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Ok();
}

Status MergeDictKeys(ThreadState& ts, SetObject* s, DictObject* d) {
  MVM_TRY_VOID(ReserveFor(ts, s, DictSize(d)));
  size_t pos = 0;
  Value k, v;
  while (DictNext(ts, d, &pos, &k, &v)) {
    const Ref<> key = Ref<>::Borrow(k);
    const uint32_t hash = d->storage == DictStorage::kSlots ? StrHash(*ts.rt, k.as<StrObject>())
                                                            : d->hashes()[pos - 1];
    MVM_TRY_VOID(SetAddHashed(ts, s, key, Stored(hash)));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Ok();
}

Result<SetObject> NewEmpty(ThreadState& ts, TypeId kind) {
  MVM_TRY(Ref<SetObject> s, New<SetObject>(ts, kind));
  Track(s);
  return s;
}

}  // namespace

Status SetUpdate(ThreadState& ts, SetObject* s, Value iterable) {
  if (IsAnySet(ts, iterable)) return MergeSet(ts, s, iterable.as<SetObject>());
  if (IsExactDict(iterable)) {
    return MergeDictKeys(ts, s, iterable.as<DictObject>());
  }
  if (IsExact(iterable, TypeId::kList)) {  // which comparing keys may change
    const ListObject* list = iterable.as<ListObject>();
    for (uint64_t i = 0; i < list->size; ++i) {
      const Ref<> key = Ref<>::Borrow(list->items[i]);
      MVM_TRY_VOID(SetAdd(ts, s, key));
      MVM_TRY_VOID(Charge(ts, 1));
    }
    return Ok();
  }
  return ForEach(ts, iterable, [&](Value key) -> Status {
    MVM_TRY_VOID(SetAdd(ts, s, key));
    return Ok();
  });
}

Result<SetObject> NewSet(ThreadState& ts) { return NewEmpty(ts, TypeId::kSet); }

Result<SetObject> NewSetFrom(ThreadState& ts, Value iterable) {
  MVM_TRY(Ref<SetObject> s, NewEmpty(ts, TypeId::kSet));
  MVM_TRY_VOID(SetUpdate(ts, s, iterable));
  return s;
}

Result<SetObject> NewFrozenset(ThreadState& ts, Value iterable) {
  MVM_TRY(Ref<SetObject> s, NewEmpty(ts, TypeId::kFrozenset));
  if (iterable) MVM_TRY_VOID(SetUpdate(ts, s, iterable));
  return s;
}

Result<SetObject> SetCopy(ThreadState& ts, SetObject* s, TypeId kind) {
  MVM_TRY(Ref<SetObject> copy, NewEmpty(ts, kind));
  MVM_TRY_VOID(MergeSet(ts, copy, s));
  return copy;
}

}  // namespace minivm
