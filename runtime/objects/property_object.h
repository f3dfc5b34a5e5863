// property: a data descriptor made of up to three functions.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class PropertyObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kProperty;
  Value getter, setter, deleter;  // null: none
  Value doc;                      // null: none
  Value name;                     // from __set_name__ or assignment; null: the getter's
  bool doc_from_getter = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(getter);
    v(setter);
    v(deleter);
    v(doc);
    v(name);
  }
};

}  // namespace minivm
