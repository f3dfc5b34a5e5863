// Sorting the suffixes of a text, in time proportional to its length whatever it is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm::bz2 {

// Bytes of working memory for a text of n bytes.
constexpr size_t SuffixSortWorkspace(size_t n) { return (n + 1024) * sizeof(int32_t) + n / 2 + 64; }

// Writes to order[0, n) the places of text[0, n), so that the suffixes that begin there ascend; a
// suffix stands before those that it begins. REQUIRES: 0 < n < 2**30; workspace as said above,
// aligned as an int32_t.
void SortSuffixes(const uint8_t* text, int32_t n, int32_t* order, void* workspace);

}  // namespace minivm::bz2
