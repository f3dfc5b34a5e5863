// Symbol visibility of the public API.
#pragma once

#if defined(__GNUC__)
#define MINIVM_EXPORT __attribute__((visibility("default")))
#else
#define MINIVM_EXPORT
#endif
