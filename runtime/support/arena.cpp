// Out-of-line parts of the arena.
#include "runtime/support/arena.h"

namespace minivm {

void ThrowOutOfMemory() { throw std::bad_alloc(); }

}  // namespace minivm
