// Cells: closure variables and the values of celled dictionaries.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class CellObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kCell;
  // In `aux`: the cell keeps a value of a celled dictionary, no closure variable. Scripts see none.
  static constexpr uint32_t kOfDict = 1;
  Value value;  // never null; rt->unbound when empty
  template <class V>
  void VisitRefs(V&& v) {
    v(value);
  }
};

// A part of a dictionary, which stands for all of them where objects are counted and shown.
inline bool IsCellOfDict(const Object* o) {
  return o->shape_id == ShapeIdOf(TypeId::kCell) && o->aux == CellObject::kOfDict;
}

Result<CellObject> NewCell(ThreadState& ts, Value value);

}  // namespace minivm
