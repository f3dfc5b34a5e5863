// Keys from passwords: PBKDF2 (RFC 8018) and scrypt (RFC 7914).
#pragma once

#include "runtime/core/thread_state.h"
#include "stdlib/hash/digest.h"

namespace minivm::hash {

// Fills out[0, n).
Status Pbkdf2(ThreadState& ts, Kind kind, std::string_view password, std::string_view salt,
              uint64_t iterations, uint8_t* out, size_t n);
// REQUIRES: cost is a power of two above 1; block * parallel < 2**30; their memory passes the cap.
Status Scrypt(ThreadState& ts, std::string_view password, std::string_view salt, uint64_t cost,
              uint64_t block, uint64_t parallel, uint8_t* out, size_t n);

}  // namespace minivm::hash
