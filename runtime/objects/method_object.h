// Bound methods of script functions, and the classmethod and staticmethod decorators.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class BoundMethodObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kBoundMethod;
  Value function;  // any callable
  Value self;      // never null
  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(self);
  }
};

// classmethod and staticmethod have the same fields.
class ClassMethodObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kClassMethod;
  DictObject* dict = nullptr;
  Value callable;  // null in an uninitialised one
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(callable);
  }
};
class StaticMethodObject : public ClassMethodObject {
 public:
  static constexpr TypeId kTypeId = TypeId::kStaticMethod;
};

// Takes new references to both.
Result<BoundMethodObject> NewBoundMethod(ThreadState& ts, Value function, Value self);
Result<ClassMethodObject> NewClassMethod(ThreadState& ts, Value callable);
Result<StaticMethodObject> NewStaticMethod(ThreadState& ts, Value callable);

}  // namespace minivm
