// sys.monitoring.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class ModuleObject;

Status AddMonitoring(ThreadState& ts, ModuleObject* sys);

}  // namespace minivm
