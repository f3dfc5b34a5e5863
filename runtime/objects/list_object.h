// list: a growable array. Growth as CPython documents it: about 1/8 more, rounded to four;
// shrinks when less than half is used.
#pragma once

#include <span>

#include "runtime/core/thread_state.h"

namespace minivm {

class ListObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kList;
  Value* items = nullptr;  // heap buffer of capacity words
  uint64_t size = 0;
  uint64_t capacity = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(items, size);
  }
  void FreeBuffers(Heap& heap);
};

class ListIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kListIterator;
  ListObject* list = nullptr;  // null when exhausted
  uint64_t index = 0;          // of the next item
  template <class V>
  void VisitRefs(V&& v) {
    v(list);
  }
};

class ListReverseIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kListReverseIterator;
  ListObject* list = nullptr;  // null when exhausted
  int64_t index = -1;          // of the next item
  template <class V>
  void VisitRefs(V&& v) {
    v(list);
  }
};

// Copies the items (new references).
Result<ListObject> NewList(ThreadState& ts, std::span<const Value> items);
// Empty, with room for n.
Result<ListObject> NewListReserve(ThreadState& ts, size_t n);
// Takes over the references; they are gone also on failure.
Result<ListObject> NewListSteal(ThreadState& ts, Value* items, size_t n);
Status ListGrow(ThreadState& ts, ListObject* list, size_t min_capacity);
// Appends a new reference to `item`.
inline Status ListAppend(ThreadState& ts, ListObject* list, Value item) {
  if (MVM_UNLIKELY(list->size == list->capacity)) {
    MVM_TRY_VOID(ListGrow(ts, list, list->size + 1));
  }
  Incref(item);
  list->items[list->size++] = item;
  return Ok();
}
Status ListExtend(ThreadState& ts, ListObject* list, Value iterable);
// The same of a list that is only being made: items may come in later than they are made.
Status ListExtendUnseen(ThreadState& ts, ListObject* list, Value iterable);
Status ListInsert(ThreadState& ts, ListObject* list, int64_t index, Value item);
Status ListSort(ThreadState& ts, ListObject* list, Value key,
                bool reverse);  // key may be None/null
void ListClear(ThreadState& ts, ListObject* list);

}  // namespace minivm
