// float: inline where the encoding of Value allows, otherwise a boxed FloatObject
// (inf, nan, very large, very small; and instances of subclasses).
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class FloatObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kFloat;
  double value = 0;
};

Result<> NewFloatBoxed(ThreadState& ts, double d);
inline Result<> NewFloat(ThreadState& ts, double d) {
  Value v;
  if (MVM_LIKELY(Value::TryFloat(d, &v))) return Result<>::Steal(v);
  return NewFloatBoxed(ts, d);
}
// REQUIRES: v is a float (or of a subclass)
inline double FloatValue(Value v) {
  return v.is_float() ? v.as_float() : v.as<FloatObject>()->value;
}
inline bool IsFloatExact(Value v) { return v.is_float() || IsExact(v, TypeId::kFloat); }
// repr() of a double
Result<StrObject> FloatRepr(ThreadState& ts, double d);
// Python's % and // on doubles (sign of the divisor).
double FloatMod(double a, double b);
double FloatFloorDiv(double a, double b);

}  // namespace minivm
