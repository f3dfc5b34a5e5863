// The types of module itertools and what their files share.
//
// Every iterator is an object of references and counters; zeroed fields are a valid, exhausted
// state (AllocInstance gives that, and the collector returns to it). Calling into script code may
// re-enter the same iterator, so a field that changes after construction is pinned while it is
// used.
#pragma once

#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"

namespace minivm::itertools {

// clang-format off
#define MVM_ITERTOOLS_TYPES(TYPE) \
  TYPE(Accumulate) TYPE(Batched) TYPE(Chain) TYPE(Combinations) \
  TYPE(CombinationsWithReplacement) TYPE(Compress) TYPE(Count) TYPE(Cycle) TYPE(Dropwhile) \
  TYPE(Filterfalse) TYPE(Groupby) TYPE(Grouper) TYPE(Islice) TYPE(Pairwise) \
  TYPE(Permutations) TYPE(Product) TYPE(Repeat) TYPE(Starmap) TYPE(Takewhile) TYPE(Tee) \
  TYPE(TeeData) TYPE(ZipLongest)
// clang-format on
#define TYPE(name) extern const TypeSpec k##name##Type;
MVM_ITERTOOLS_TYPES(TYPE)
#undef TYPE

Result<> itertools_tee(ThreadState& ts, Args args);

inline Result<> IterSelf(ThreadState&, Value self) { return Result<>::Borrow(self); }

// A new instance for a construct function, whose first argument is the class.
template <class T>
Result<T> Instance(ThreadState& ts, Value cls) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls.as<TypeObject>()));
  return std::move(made).Into<T>();
}

inline Value Own(Value v) {
  Incref(v);
  return v;
}

// Stores `v` (a new reference is made) and releases what was there.
inline void Assign(Value* place, Value v) {
  Incref(v);
  const Value old = std::exchange(*place, v);
  Decref(old);
}

// Next of a field that may change meanwhile; null is at its end.
inline Result<> NextOf(ThreadState& ts, Value iterator) {
  if (MVM_UNLIKELY(iterator.is_null())) return Result<>::Done();
  const Ref<> pinned = Ref<>::Borrow(iterator);
  return Next(ts, iterator);
}

inline Result<TupleObject> Pair(ThreadState& ts, Value a, Value b) {
  Value items[] = {a, b};
  return NewTuple(ts, items);
}

}  // namespace minivm::itertools
