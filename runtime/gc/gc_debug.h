// Looking at a heap from outside: consistency, reference counts, what is alive.
//
// For tests and for hunting leaks; slow, and free to use the C++ library's containers.
#pragma once

#include <cstdio>

#include "runtime/core/thread_state.h"

namespace minivm {

// Aborts (MVM_CHECK) unless pages, lists and counts of the heap agree, every live object has a
// type, and no object is referenced more often than its count says. Slow.
void VerifyHeap(RuntimeState& rt);

// Live objects by type, the most frequent first: "   123 list", at most `lines` lines.
void DumpLiveObjects(RuntimeState& rt, std::FILE* out, int lines = 40);

}  // namespace minivm
