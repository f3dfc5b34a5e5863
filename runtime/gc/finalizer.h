// The end of an object's life; Dealloc itself is declared in core/object.h.
//
// The collector calls finalizers through here too, so that each runs once per object.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// Calls the type's finalizer (__del__) unless it has run before; errors go to sys.unraisablehook,
// the pending exception is untouched. The caller owns a reference to `o`.
void CallFinalizer(ThreadState& ts, Object* o);

}  // namespace minivm
