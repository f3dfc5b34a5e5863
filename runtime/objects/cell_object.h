// Cells: closure variables and the values of celled dictionaries.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class CellObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kCell;
  Value value;  // never null; rt->unbound when empty
  template <class V>
  void VisitRefs(V&& v) {
    v(value);
  }
};

Result<CellObject> NewCell(ThreadState& ts, Value value);

}  // namespace minivm
