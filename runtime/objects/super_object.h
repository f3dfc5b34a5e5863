// super: attribute lookup along the MRO of one class, behind another.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class SuperObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSuper;
  TypeObject* type = nullptr;         // look behind this class; null: not initialised
  Value object;                       // null: unbound
  TypeObject* object_type = nullptr;  // whose MRO is walked; null: unbound
  template <class V>
  void VisitRefs(V&& v) {
    v(type);
    v(object);
    v(object_type);
  }
};

// super(type, object).name without the super object. With `is_method`, a function found is not
// bound: *is_method is set and it wants `object` first, as in GetMethod.
Result<> SuperGetAttr(ThreadState& ts, TypeObject* type, Value object, StrObject* name,
                      bool* is_method);
// The class whose MRO super(type, object) walks; TypeError "super(type, obj): obj (...) is not an
// instance or subtype of type (...)". Borrowed: kept alive by `object`.
Result<TypeObject*> SuperCheck(ThreadState& ts, TypeObject* type, Value object);

}  // namespace minivm
