// sys.monitoring.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// The module that stands in sys under this name.
Result<> MakeMonitoring(ThreadState& ts);

}  // namespace minivm
