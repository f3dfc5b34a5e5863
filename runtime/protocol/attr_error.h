// AttributeErrors with texts of their own that still carry `name` and `obj`.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// Raises AttributeError with the formatted text (directives of Raise) and name and obj set.
[[gnu::cold]] Raised RaiseAttr(ThreadState& ts, Value object, StrObject* name, const char* format,
                               ...);
// Sets name and obj of a pending AttributeError that has neither: what getattr() does for errors
// raised by __getattribute__, properties and the like.
[[gnu::cold]] void AddAttributeContext(ThreadState& ts, Value object, StrObject* name);

}  // namespace minivm
