// Assertions about the VM itself.
//
// MVM_CHECK states what must hold for the process to go on: it aborts, and no
// script can make it fail. MVM_DCHECK is the same for builds with MVM_CHECKS
// (every preset but `release`); in release it compiles to nothing.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace minivm {

[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const char* text) {
  std::fprintf(stderr, "%s:%d: broken VM: %s\n", file, line, text);
  std::abort();
}

}  // namespace minivm

#define MVM_LIKELY(x) __builtin_expect(!!(x), 1)
#define MVM_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define MVM_CHECK(cond, text) \
  (MVM_LIKELY(cond) ? (void)0 : ::minivm::CheckFailed(__FILE__, __LINE__, #cond ": " text))

#ifdef MVM_CHECKS
#define MVM_DCHECK(cond, text) MVM_CHECK(cond, text)
#else
#define MVM_DCHECK(cond, text) ((void)sizeof((cond) ? 1 : 0))
#endif
