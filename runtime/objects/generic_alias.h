// types.GenericAlias (list[int]) and types.UnionType (int | str).
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class GenericAliasObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kGenericAlias;
  Value origin;
  TupleObject* args = nullptr;
  TupleObject* parameters = nullptr;  // null until asked for
  bool starred = false;               // *tuple[int]
  template <class V>
  void VisitRefs(V&& v) {
    v(origin);
    v(args);
    v(parameters);
  }
};

class UnionTypeObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kUnionType;
  TupleObject* args = nullptr;
  TupleObject* parameters = nullptr;  // null until asked for
  template <class V>
  void VisitRefs(V&& v) {
    v(args);
    v(parameters);
  }
};

// origin[args]; `args` that is no tuple becomes one of length 1. What __class_getitem__ of built-in
// classes returns.
Result<GenericAliasObject> NewGenericAlias(ThreadState& ts, Value origin, Value args);
// "__class_getitem__(cls, item, /)" for the method tables (kMethodClass).
Result<> ClassGetItem(ThreadState& ts, Args args);
// a | b of types, aliases, unions and None; NotImplemented for anything else.
Result<> UnionOr(ThreadState& ts, Value a, Value b);

}  // namespace minivm
