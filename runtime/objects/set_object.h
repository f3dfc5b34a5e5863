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
  Value* keys = nullptr;  // capacity words, then capacity hashes; null: never used; Absent(): deleted
  uint64_t used = 0;      // live keys
  uint64_t filled = 0;    // live and deleted
  uint64_t capacity = 0;  // power of two, or 0
  int64_t hash = 0;       // frozenset: cached; 0: not computed
  uint64_t version = 0;   // changes with every insertion, deletion and resize

  uint32_t* hashes() const { return reinterpret_cast<uint32_t*>(keys + capacity); }
  template <class V>
  void VisitRefs(V&& v) {
    for (uint64_t i = 0; i < capacity; ++i) {
      if (keys[i].is_object()) v(keys[i]);
    }
  }
  void FreeBuffers(Heap& heap);
};

class SetIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSetIterator;
  SetObject* set = nullptr;  // null when exhausted
  uint64_t position = 0;
  uint64_t expected = 0;     // the set's size at the start
  uint64_t remaining = 0;
  template <class V>
  void VisitRefs(V&& v) { v(set); }
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

}  // namespace minivm
