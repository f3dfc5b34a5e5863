// Filter chains as the format has them: numbers and properties of filters, and what an encoder is
// told besides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stdlib/lzma/filters.h"
#include "stdlib/lzma/model.h"

namespace minivm::lzma {

inline constexpr size_t kMaxFilters = 4;
inline constexpr uint32_t kMinDictionary = 4096;

struct FilterSpec {
  uint64_t id = kFilterLzma2;
  uint32_t argument = 0;  // distance of differences, or start address
  // Of LZMA.
  uint32_t dictionary = 8u << 20;
  Properties properties;
  // What the search for matches goes by: a length that is good enough, how many candidates are
  // looked at (0: a number that fits), and whether the next place is looked at before one is taken.
  uint32_t nice = 64, depth = 0;
  bool lazy = true;

  bool is_lzma() const { return id == kFilterLzma1 || id == kFilterLzma2; }
};

// Bytes of the properties: at most this many.
inline constexpr size_t kMaxProperties = 5;

inline size_t EncodeProperties(const FilterSpec& f, uint8_t* out) {
  auto store = [&](uint8_t* p, uint32_t v) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v >> (8 * i));
  };
  if (f.id == kFilterLzma1) {
    out[0] = f.properties.byte();
    store(out + 1, f.dictionary);
    return 5;
  }
  if (f.id == kFilterLzma2) {
    // 2 or 3 times a power of two, the next one from the size on.
    uint32_t n = 0;
    while (n < 40 && (uint64_t{2 | (n & 1)} << (n / 2 + 11)) < f.dictionary) ++n;
    out[0] = static_cast<uint8_t>(n);
    return 1;
  }
  if (f.id == kFilterDelta) {
    out[0] = static_cast<uint8_t>(f.argument - 1);
    return 1;
  }
  if (f.argument == 0) return 0;
  store(out, f.argument);
  return 4;
}

// False: there is no such filter, or it has no such properties.
inline bool DecodeProperties(uint64_t id, const uint8_t* p, size_t n, FilterSpec* f) {
  auto load = [&](const uint8_t* q) {
    return q[0] | uint32_t{q[1]} << 8 | uint32_t{q[2]} << 16 | uint32_t{q[3]} << 24;
  };
  *f = {};
  f->id = id;
  if (id == kFilterLzma1) {
    if (n != 5 || !f->properties.Parse(p[0])) return false;
    f->dictionary = load(p + 1);
    return true;
  }
  if (id == kFilterLzma2) {
    if (n != 1 || p[0] > 40) return false;
    f->dictionary = p[0] == 40 ? UINT32_MAX : (2u | (p[0] & 1)) << (p[0] / 2 + 11);
    return true;
  }
  if (id == kFilterDelta) {
    if (n != 1) return false;
    f->argument = p[0] + 1u;
    return true;
  }
  if (!IsBranchFilter(id) || (n != 0 && n != 4)) return false;
  if (n == 4) f->argument = load(p);
  return true;
}

// Can data go through these, the last one LZMA?
inline bool IsValidChain(const FilterSpec* filters, size_t count) {
  if (count == 0 || count > kMaxFilters) return false;
  for (size_t i = 0; i < count; ++i) {
    if (filters[i].is_lzma() != (i == count - 1)) return false;
    if (filters[i].id == kFilterDelta && (filters[i].argument < 1 || filters[i].argument > 256))
      return false;
    if (IsBranchFilter(filters[i].id) && filters[i].argument % BranchAlignment(filters[i].id) != 0)
      return false;
  }
  return true;
}

}  // namespace minivm::lzma
