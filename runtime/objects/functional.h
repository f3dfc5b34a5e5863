// enumerate, zip, map, filter, reversed and the two iterators behind iter().
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class TupleObject;

class EnumerateObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kEnumerate;
  Value iterator;
  Value count;                  // exact int
  TupleObject* last = nullptr;  // the pair handed out last (PairAgain)
  template <class V>
  void VisitRefs(V&& v) {
    v(iterator);
    v(count);
    v(last);
  }
};

class ZipObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kZip;
  TupleObject* iterators = nullptr;
  TupleObject* last = nullptr;  // the tuple handed out last, used again when nobody else holds it
  bool strict = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(iterators);
    v(last);
  }
};

class MapObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMap;
  Value function;
  TupleObject* iterators = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(iterators);
  }
};

class FilterObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kFilter;
  Value function;  // None: truth
  Value iterator;
  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(iterator);
  }
};

// reversed() of a sequence without __reversed__.
class ReversedObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kReversed;
  Value sequence;      // null when exhausted
  int64_t index = -1;  // of the next item
  template <class V>
  void VisitRefs(V&& v) {
    v(sequence);
  }
};

// iter() of an object with __getitem__ only.
class SequenceIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSequenceIterator;
  Value sequence;  // null when exhausted
  int64_t index = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(sequence);
  }
};

// iter(callable, sentinel)
class CallableIterator : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kCallableIterator;
  Value callable;  // null when exhausted
  Value sentinel;
  template <class V>
  void VisitRefs(V&& v) {
    v(callable);
    v(sentinel);
  }
};

// The attribute of module builtins, for __reduce__ of iterators.
Result<> BuiltinByName(ThreadState& ts, std::string_view name);
// reversed(v), iter(callable, sentinel), iter(sequence).
Result<> NewReversed(ThreadState& ts, Value v);
Result<> NewCallableIterator(ThreadState& ts, Value callable, Value sentinel);
Result<> NewSequenceIterator(ThreadState& ts, Value sequence);

}  // namespace minivm
