// set and frozenset: open addressing over {key, hash}, insertion order not kept.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

struct SetEntry {
  Value key;  // null: never used; Absent(): deleted
  uint64_t hash;
};

class SetObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSet;
  SetEntry* table = nullptr;
  uint64_t used = 0;    // live keys
  uint64_t filled = 0;  // live and deleted
  uint64_t mask = 0;    // table size - 1; no table: 0
  int64_t hash = -1;    // frozenset: cached
  uint64_t version = 0;  // changes with every insertion, deletion and resize
  template <class V>
  void VisitRefs(V&& v) {
    for (uint64_t i = 0; table && i <= mask; ++i) v(table[i].key);
  }
  void FreeBuffers(Heap& heap);
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
