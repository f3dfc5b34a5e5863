// The permutation of SHA-3, and the compression function of BLAKE2 in both widths.
#pragma once

#include <cstdint>

namespace minivm::hash {

// Keccak-f[1600] on 25 lanes.
void KeccakPermute(uint64_t* lanes);
// A block of BLAKE2b (64-bit words) or BLAKE2s; `total`: bytes so far, this block included.
void Blake2Block(uint64_t* h, const uint8_t* p, uint64_t total, bool last, bool last_node);
void Blake2Block(uint32_t* h, const uint8_t* p, uint64_t total, bool last, bool last_node);

}  // namespace minivm::hash
