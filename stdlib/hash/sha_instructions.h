// SHA-1 and SHA-256 by the processor's own instructions, where it has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm::hash {

// Can the functions below be called? On other architectures never.
bool HasShaInstructions();
// Whole blocks of 64 bytes.
void Sha1Instructions(uint32_t* h, const uint8_t* p, size_t blocks);
void Sha256Instructions(uint32_t* h, const uint8_t* p, size_t blocks);

}  // namespace minivm::hash
