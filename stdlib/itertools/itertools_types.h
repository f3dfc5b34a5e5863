// The types of module itertools and what their files share.
//
// Every iterator is an object of references and counters; zeroed fields are a valid, exhausted
// state (AllocInstance gives that, and the collector returns to it). Calling into script code may
// re-enter the same iterator, so a field that changes after construction is pinned while it is
// used.
//
// pickling.cpp has __reduce__() and __setstate__() of all types.
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

// ---- pickling ----

// clang-format off
#define MVM_ITERTOOLS_STATEFUL(TYPE) \
  TYPE(accumulate) TYPE(chain) TYPE(cycle) TYPE(filtering) TYPE(groupby) TYPE(islice) \
  TYPE(permutations) TYPE(selection) TYPE(tee) TYPE(zip_longest)
#define MVM_ITERTOOLS_STATELESS(TYPE) \
  TYPE(compress) TYPE(count) TYPE(grouper) TYPE(mapping) TYPE(repeat) TYPE(teedata)
#define TYPE(name) Result<> name##_reduce(ThreadState& ts, Args args);
MVM_ITERTOOLS_STATEFUL(TYPE) MVM_ITERTOOLS_STATELESS(TYPE)
#undef TYPE
#define TYPE(name) Result<> name##_setstate(ThreadState& ts, Args args);
MVM_ITERTOOLS_STATEFUL(TYPE)
#undef TYPE
    // clang-format on

    // Rows of a table of methods.
    inline constexpr char kReduceDoc[] = "What pickle and copy need to make the object again.";
inline constexpr char kSetStateDoc[] = "Takes over a state that __reduce__() gave.";
#define MVM_REDUCE_ROW(name) \
  { "__reduce__(self, /)", name##_reduce, kReduceDoc }
#define MVM_STATE_ROWS(name) \
  MVM_REDUCE_ROW(name), { "__setstate__(self, state, /)", name##_setstate, kSetStateDoc }

Result<> itertools_tee(ThreadState& ts, Args args);

class Selection : public Object {
 public:
  TupleObject* pool = nullptr;  // product: a tuple of pools
  int64_t* indices = nullptr;   // `count` numbers; permutations: n indices, then r cycles
  int64_t count = 0;
  int64_t r = 0;  // items per selection
  enum Kind : uint8_t { kProduct, kCombinations, kReplacement, kPermutations } kind = kProduct;
  bool started = false;
  bool stopped = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(pool);
  }
  void FreeBuffers(Heap& heap) {
    if (indices) heap.FreeBuffer(indices, static_cast<size_t>(count) * sizeof(int64_t));
    indices = nullptr;
  }
};

class Batched : public Object {
 public:
  Value iterator;  // null when exhausted
  int64_t size = 0;
  bool strict = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
  }
};

class Pairwise : public Object {
 public:
  Value iterator;  // null when exhausted
  Value old;       // null before the first item
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(old);
  }
};

class Groupby : public Object {
 public:
  Value iterator;
  Value key_function;  // null: the item itself
  Value target_key;    // key of the group handed out last
  Value current_key;   // key of current_item
  Value current_item;  // read, but not handed out yet
  uint64_t group = 0;  // number of the group handed out last
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(key_function);
    v(target_key);
    v(current_key);
    v(current_item);
  }
};

class Grouper : public Object {
 public:
  Groupby* parent = nullptr;
  Value key;
  uint64_t group = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(parent);
    v(key);
  }
};

// A block of items read from the common iterator; blocks form a list that dies from its front as
// the slowest of the tees moves on.
class TeeData : public Object {
 public:
  static constexpr uint32_t kItems = 57;
  Value iterator;
  TeeData* next = nullptr;
  uint32_t count = 0;
  bool running = false;
  Value items[kItems];
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(next);
    v(items, count);
  }
};

class Tee : public Object {
 public:
  TeeData* data = nullptr;
  uint32_t index = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(data);
  }
};

class ZipLongest : public Object {
 public:
  TupleObject* iterators = nullptr;  // null items are exhausted
  uint32_t active = 0;
  Value fill;
  template <class V>
  void VisitRefs(V&& v) {
    v(iterators);
    v(fill);
  }
};

class Count : public Object {
 public:
  Value value, step;
  template <class V>
  void VisitRefs(V&& v) {
    v(value);
    v(step);
  }
};

class Cycle : public Object {
 public:
  Value iterator;               // null when the saved items repeat
  ListObject* saved = nullptr;  // scripts may have it, by __reduce__()
  uint64_t index = 0;
  bool complete = false;  // what the iterator gives has been saved before
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(saved);
  }
};

class Repeat : public Object {
 public:
  Value element;
  bool limited = false;
  int64_t remaining = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(element);
  }
};

class Accumulate : public Object {
 public:
  Value iterator;
  Value function;  // null: +
  Value total;     // null: nothing seen yet
  Value initial;   // null: none, or handed out
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(function);
    v(total);
    v(initial);
  }
};

class Chain : public Object {
 public:
  Value source;  // iterator over the iterables; null at the end
  Value active;  // iterator over the current one
  template <class V>
  void VisitRefs(V&& v) {
    v(source);
    v(active);
  }
};

class Compress : public Object {
 public:
  Value data, selectors;
  template <class V>
  void VisitRefs(V&& v) {
    v(data);
    v(selectors);
  }
};

class Filtering : public Object {
 public:
  Value function, iterator;
  bool switched = false;  // dropwhile: dropping is over; takewhile: taking is over
  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(iterator);
  }
};

class Islice : public Object {
 public:
  Value iterator;    // null when exhausted
  int64_t next = 0;  // index of the next item to hand out
  int64_t stop = 0;  // -1: no end
  int64_t step = 1;
  int64_t taken = 0;  // items taken from the iterator
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
  }
};

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
