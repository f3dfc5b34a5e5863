// set and frozenset: open addressing, insertion order not kept.
//
// Keys and their 32-bit hashes (FoldHash) stand in two arrays of one buffer, so that probing
// reads hashes only, and a table costs 12 bytes per slot.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class SetObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSet;
  // One buffer: capacity keys, then as many hashes. hashes[i] is kFree (never used), kDeleted, or a
  // key's; the key is null where there is none.
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kDeleted = 1;
  Value* keys = nullptr;
  uint64_t used = 0;      // live keys
  uint64_t filled = 0;    // live and deleted
  uint64_t capacity = 0;  // power of two, or 0
  int64_t hash = 0;       // frozenset: cached; 0: not computed
  uint64_t version = 0;   // changes with every insertion, deletion and resize
  uint64_t finger = 0;    // where pop() goes on looking

  uint32_t* hashes() const { return reinterpret_cast<uint32_t*>(keys + capacity); }
  template <class V>
  void VisitRefs(V&& v) {
    for (uint64_t i = 0; i < capacity; ++i) v(keys[i]);
  }
  void FreeBuffers(Heap& heap);
};

class SetIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSetIterator;
  SetObject* set = nullptr;  // null when exhausted
  uint64_t position = 0;
  uint64_t expected = 0;  // the set's size at the start
  uint64_t remaining = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(set);
  }
};

Result<SetObject> NewSet(ThreadState& ts);
Result<SetObject> NewSetFrom(ThreadState& ts, Value iterable);
Result<SetObject> NewFrozenset(ThreadState& ts, Value iterable);  // null: empty
Result<bool> SetAdd(ThreadState& ts, SetObject* s, Value key);    // true if it was new
Result<bool> SetContains(ThreadState& ts, SetObject* s, Value key);
Result<bool> SetDiscard(ThreadState& ts, SetObject* s, Value key);
Status SetUpdate(ThreadState& ts, SetObject* s, Value iterable);
// *pos from 0; false at the end. Borrowed.
bool SetNext(SetObject* s, size_t* pos, Value* key);
void SetClear(ThreadState& ts, SetObject* s);
// A new set or frozenset (by the TypeId) with the same keys.
Result<SetObject> SetCopy(ThreadState& ts, SetObject* s, TypeId kind);
// Removes and returns some key; Absent() if the set is empty.
Result<> SetPop(ThreadState& ts, SetObject* s);
// The operations by hash (SetKeyHash), for keys that come from another table.
Result<uint32_t> SetKeyHash(ThreadState& ts, Value key);
// The hash a dict has a key of a set under, without hashing it again (but for two special ones).
Result<uint32_t> SetDictHash(ThreadState& ts, Value key, uint32_t hash);
Result<bool> SetAddHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash);
Result<bool> SetContainsHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash);
Result<bool> SetDiscardHashed(ThreadState& ts, SetObject* s, Value key, uint32_t hash);
// Drops the traces of many deletions.
Status SetTidy(ThreadState& ts, SetObject* s);

}  // namespace minivm
