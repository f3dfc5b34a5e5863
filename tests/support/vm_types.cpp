// Stand-ins for the types that vm/ defines, so that runtime/ can be linked and tested alone.
//
// A VM made over them works, but has no functions, frames or generators.
#include "runtime/core/thread_state.h"

namespace minivm {

#define MVM_STAND_IN(spec)    \
  extern const TypeSpec spec; \
  const TypeSpec spec = {.name = #spec, .flags = kTypeNoNew, .size = sizeof(Object)};
MVM_STAND_IN(kAnextAwaitableType)
MVM_STAND_IN(kAsyncGenAsendType)
MVM_STAND_IN(kAsyncGenAthrowType)
MVM_STAND_IN(kAsyncGenWrappedType)
MVM_STAND_IN(kAsyncGeneratorType)
MVM_STAND_IN(kCodeType)
MVM_STAND_IN(kCoroutineType)
MVM_STAND_IN(kCoroutineWrapperType)
MVM_STAND_IN(kFrameLocalsProxyType)
MVM_STAND_IN(kFrameType)
MVM_STAND_IN(kFunctionType)
MVM_STAND_IN(kGeneratorType)
MVM_STAND_IN(kTracebackType)
#undef MVM_STAND_IN

}  // namespace minivm
