// Memory that is the system's again as soon as it is released, and that grows without being copied.
//
// For blocks of a megabyte and more, and for what is large for a moment only: the C library keeps
// such blocks for later, or cannot return them because a small one lies above. Sizes are rounded up
// to whole pages; callers pass the size that they asked for.
#pragma once

#include <cstddef>

namespace minivm {

// From this size on the system is asked whether it has the memory: what exceeds all of it is
// refused at once, instead of being handed out and taking the process down when it is written to.
inline constexpr size_t kAskSystemFrom = size_t{256} << 20;

// Zeroed memory of at least `size` bytes, or null.
void* MapMemory(size_t size);
// The block with another size, its contents kept, perhaps elsewhere; null when refused: the old one
// stays.
void* RemapMemory(void* p, size_t old_size, size_t new_size);
void UnmapMemory(void* p, size_t size);
// Has the system back the memory by pages of kLargePage bytes where it can: it is then touched with
// a few faults instead of hundreds. For what will be used as a whole.
inline constexpr size_t kLargePage = size_t{2} << 20;
void PreferLargePages(void* p, size_t size);

// Blocks from this size on are mapped; smaller ones come from the C library.
inline constexpr size_t kMapFrom = size_t{1} << 20;
// A block of either kind, zeroed; null when refused.
void* NewBlock(size_t size);
// The block with another size, its contents kept, perhaps elsewhere, what is new not zeroed; null
// when refused: the old one stays. A null block has size 0.
void* ResizeBlock(void* p, size_t old_size, size_t new_size);
void DeleteBlock(void* p, size_t size);

}  // namespace minivm
