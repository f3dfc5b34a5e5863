// complex: two doubles.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class ComplexObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kComplex;
  double real = 0, imag = 0;
};

Result<> NewComplex(ThreadState& ts, double real, double imag);
Result<> ComplexPower(ThreadState& ts, double a_real, double a_imag, double b_real, double b_imag);
// complex(v) without a second part: complex, __complex__, float-like. TypeError. *is_complex: it
// has an imaginary part of its own.
Status AsComplex(ThreadState& ts, Value v, double* real, double* imag, bool* is_complex = nullptr);

}  // namespace minivm
