// Pieces of list shared by list_object.cpp, list_methods.cpp and list_sort.cpp.
#pragma once

#include "runtime/objects/list_object.h"

namespace minivm {

// Gives memory back when less than half of the buffer is used.
void ListShrink(ThreadState& ts, ListObject* list);
// A new list of `count` items start, start + step, ... (clipped by SliceAdjust).
Result<> ListGetSlice(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                      int64_t count);
// list[start:stop] = items, which are not the list's own buffer. REQUIRES: 0 <= start <= stop <=
// size
Status ListReplace(ThreadState& ts, ListObject* list, int64_t start, int64_t stop,
                   std::span<const Value> items);
Status ListDeleteStepped(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                         int64_t count);
Status ListAssignStepped(ThreadState& ts, ListObject* list, int64_t start, int64_t step,
                         int64_t count, const Value* values);
// list *= count
Status ListRepeatInPlace(ThreadState& ts, ListObject* list, int64_t count);
Result<> NewListIterator(ThreadState& ts, ListObject* list);

}  // namespace minivm
