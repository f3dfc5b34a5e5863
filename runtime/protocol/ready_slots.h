// The slots of a value's type, made ready at first touch.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// Null with an exception pending if the type cannot be made ready (no memory).
inline const CoreSlots* SlotsOf(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  if (MVM_UNLIKELY(!(type->flags & kTypeReady)) && TypeReadySlow(ts, type).raised()) return nullptr;
  return &type->slots;
}
inline const OperatorSlots* OperatorsOf(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  if (MVM_UNLIKELY(!(type->flags & kTypeReady)) && TypeReadySlow(ts, type).raised()) return nullptr;
  return type->operators;
}
// Has the class of v, which is ready, a method of its own for the in-place form? (number.cpp)
bool HasInPlace(ThreadState& ts, Value v, BinaryOp op);

}  // namespace minivm
