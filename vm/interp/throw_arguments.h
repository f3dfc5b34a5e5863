// What generator.throw and its relatives share.
#pragma once

#include "vm/interp/traceback.h"

namespace minivm {

class CoroutineWrapperObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kCoroutineWrapper;
  GeneratorObject* coroutine = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(coroutine);
  }
};

// Makes the exception of throw(type[, value[, traceback]]) and leaves it pending (Ok), or raises
// about the arguments.
Status RaiseThrown(ThreadState& ts, Value type, Value value, Value traceback);
// The frame object of a generator, None when it is closed.
Result<> GeneratorFrame(ThreadState& ts, GeneratorObject* gen);
// RuntimeWarning: coroutine 'x' was never awaited, by way of warnings._warn_unawaited_coroutine.
// What goes wrong in it is reported as unraisable.
void WarnNeverAwaited(ThreadState& ts, GeneratorObject* coroutine);

}  // namespace minivm
