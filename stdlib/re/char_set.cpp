// Building character sets and testing the characters that no table holds; see char_set.h.
#include "stdlib/re/char_set.h"

#include <algorithm>
#include <cctype>

#include "runtime/support/unicode.h"

namespace minivm::regex {
namespace {

// Lower-case characters that have the same upper case (so that the simple lower case of either does
// not lead to the other): each row is one class, padded with 0.
constexpr uint16_t kSameUpper[][3] = {
    {0x69, 0x131},   {0x73, 0x17F},    {0xB5, 0x3BC},    {0x345, 0x3B9, 0x1FBE},  {0x390, 0x1FD3},
    {0x3B0, 0x1FE3}, {0x3B2, 0x3D0},   {0x3B5, 0x3F5},   {0x3B8, 0x3D1},          {0x3BA, 0x3F0},
    {0x3C0, 0x3D6},  {0x3C1, 0x3F1},   {0x3C2, 0x3C3},   {0x3C6, 0x3D5},          {0x432, 0x1C80},
    {0x434, 0x1C81}, {0x43E, 0x1C82},  {0x441, 0x1C83},  {0x442, 0x1C84, 0x1C85}, {0x44A, 0x1C86},
    {0x463, 0x1C87}, {0x1C88, 0xA64B}, {0x1E61, 0x1E9B}, {0xFB05, 0xFB06},
};

// Where characters with a lower case of their own are (generously).
constexpr CharRange kUpperBlocks[] = {
    {0x41, 0x5A},       {0xC0, 0xDE},       {0x100, 0x24E},     {0x370, 0x3AB},
    {0x3CF, 0x42F},     {0x460, 0x556},     {0x10A0, 0x10CD},   {0x13A0, 0x13F5},
    {0x1C89, 0x1CBF},   {0x1E00, 0x1F6F},   {0x1F88, 0x1FFC},   {0x2126, 0x2132},
    {0x2160, 0x216F},   {0x2183, 0x2183},   {0x24B6, 0x24CF},   {0x2C00, 0x2C2F},
    {0x2C60, 0x2CF2},   {0xA640, 0xA66C},   {0xA680, 0xA69A},   {0xA722, 0xA7DC},
    {0xA7F5, 0xA7F5},   {0xFF21, 0xFF3A},   {0x10400, 0x10427}, {0x104B0, 0x104D3},
    {0x10570, 0x10595}, {0x10C80, 0x10CB2}, {0x118A0, 0x118BF}, {0x16E40, 0x16E5F},
    {0x1E900, 0x1E921},
};

bool IsAsciiSpace(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The characters with the upper case of `lower`, itself included; null if it is alone.
const uint16_t* SameUpper(uint32_t lower) {
  for (const auto& row : kSameUpper) {
    for (const uint16_t c : row) {
      if (c == lower && c != 0) return row;
    }
  }
  return nullptr;
}

bool InCategories(uint32_t c, uint8_t categories, uint8_t mode) {
  if (categories == 0) return false;
  const bool unicode = (mode & kModeKind) == kModeUnicode;
  if (categories & (kDigit | kNotDigit)) {
    const bool is = unicode ? IsDecimal(c) : c - '0' <= 9;
    if (categories & (is ? kDigit : kNotDigit)) return true;
  }
  if (categories & (kSpace | kNotSpace)) {
    const bool is = unicode ? IsSpace(c) : IsAsciiSpace(c);
    if (categories & (is ? kSpace : kNotSpace)) return true;
  }
  if (categories & (kWord | kNotWord)) {
    if (categories & (IsWordChar(c, mode) ? kWord : kNotWord)) return true;
  }
  return false;
}

bool InRanges(const CharRange* ranges, uint32_t n, uint32_t c) {
  const CharRange* end = ranges + n;
  const CharRange* at =
      std::upper_bound(ranges, end, c, [](uint32_t x, const CharRange& r) { return x < r.first; });
  return at != ranges && c <= at[-1].last;
}

bool InSet(const CharSet& set, const CharRange* ranges, uint32_t c) {
  return (InRanges(ranges + set.range_start, set.range_count, c) ||
          InCategories(c, set.categories, set.mode)) != set.negate;
}

// Adds what equals the characters of ranges[start..] in lower case.
bool FoldRanges(HeapArray<CharRange>* ranges, size_t start, uint8_t mode) {
  const size_t n = ranges->size();
  if ((mode & kModeKind) != kModeUnicode) {
    for (size_t i = start; i < n; ++i) {
      const uint32_t first = std::max<uint32_t>((*ranges)[i].first, 'A');
      const uint32_t last = std::min<uint32_t>((*ranges)[i].last, 'Z');
      if (first <= last && !ranges->Push({first + 32, last + 32})) return false;
    }
    return true;
  }
  for (size_t i = start; i < n; ++i) {
    const CharRange r = (*ranges)[i];
    for (const CharRange& block : kUpperBlocks) {
      const uint32_t last = std::min(r.last, block.last);
      for (uint32_t c = std::max(r.first, block.first); c <= last; ++c) {
        const uint32_t lower = SimpleLower(c);
        if (lower != c && !ranges->Push({lower, lower})) return false;
      }
    }
  }
  NormaliseRanges(ranges, start);
  const size_t folded = ranges->size();
  for (const auto& row : kSameUpper) {
    for (const uint16_t c : row) {
      if (c == 0 || !InRanges(ranges->data() + start, static_cast<uint32_t>(folded - start), c))
        continue;
      for (const uint16_t other : row) {
        if (other != 0 && !ranges->Push({other, other})) return false;
      }
      break;
    }
  }
  return true;
}

// The bits of the characters in the set's ranges.
void FillRanges(const CharRange* ranges, const CharSet& set, uint64_t bits[4]) {
  for (uint32_t i = 0; i < set.range_count; ++i) {
    const CharRange r = ranges[set.range_start + i];
    for (uint32_t c = r.first; c <= std::min<uint32_t>(r.last, 255); ++c)
      bits[c >> 6] |= uint64_t{1} << (c & 63);
  }
}

void FillBits(const CharRange* ranges, CharSet* set) {
  for (uint64_t& word : set->bits) word = 0;
  if (set->categories != 0 || set->locale) {
    for (uint32_t c = 0; c < 256; ++c) {
      if (Contains(*set, ranges, c)) set->bits[c >> 6] |= uint64_t{1} << (c & 63);
    }
    return;
  }
  FillRanges(ranges, *set, set->bits);
  if (set->mode & kModeIgnoreCase) {
    // Lower cases of these characters are among them. Upper-case letters are as their lower cases.
    const auto copy = [&](uint32_t upper) {
      const uint32_t lower = upper + 32;
      const uint64_t bit = (set->bits[lower >> 6] >> (lower & 63)) & 1;
      set->bits[upper >> 6] =
          (set->bits[upper >> 6] & ~(uint64_t{1} << (upper & 63))) | bit << (upper & 63);
    };
    for (uint32_t c = 'A'; c <= 'Z'; ++c) copy(c);
    if ((set->mode & kModeKind) == kModeUnicode) {
      for (uint32_t c = 0xC0; c <= 0xDE; ++c) {
        if (c != 0xD7) copy(c);
      }
    }
  }
  if (set->negate) {
    for (uint64_t& word : set->bits) word = ~word;
  }
}

}  // namespace

bool IsWordChar(uint32_t c, uint8_t mode) {
  switch (mode & kModeKind) {
    case kModeUnicode: return IsAlnum(c) || c == '_';
    case kModeLocale: return c < 256 && (std::isalnum(static_cast<int>(c)) || c == '_');
    default: return (c | 32) - 'a' < 26 || c - '0' < 10 || c == '_';
  }
}

uint32_t LowerChar(uint32_t c, uint8_t mode) {
  switch (mode & kModeKind) {
    case kModeUnicode: return SimpleLower(c);
    case kModeLocale: return c < 256 ? static_cast<uint32_t>(std::tolower(static_cast<int>(c))) : c;
    default: return c - 'A' < 26 ? c + 32 : c;
  }
}

bool HasCase(uint32_t c, uint8_t mode) {
  switch (mode & kModeKind) {
    case kModeUnicode: {
      if (SimpleLower(c) != c || SameUpper(c)) return true;
      // A lower-case letter has an upper case, except for a few: those lose nothing but speed.
      return c >= 0x80 ? IsCased(c) || IsAlpha(c) : c - 'a' < 26;
    }
    case kModeLocale: return true;  // as the locale will have it
    default: return (c | 32) - 'a' < 26;
  }
}

bool Contains(const CharSet& set, const CharRange* ranges, uint32_t c) {
  if (!(set.mode & kModeIgnoreCase)) return InSet(set, ranges, c);
  const uint32_t lower = LowerChar(c, set.mode);
  if ((set.mode & kModeKind) != kModeLocale) return InSet(set, ranges, lower);
  const uint32_t upper = c < 256 ? static_cast<uint32_t>(std::toupper(static_cast<int>(c))) : c;
  return InSet(set, ranges, lower) || InSet(set, ranges, upper);
}

void NormaliseRanges(HeapArray<CharRange>* ranges, size_t start) {
  const size_t n = ranges->size();
  if (n - start < 2) return;
  CharRange* r = ranges->data();
  std::sort(r + start, r + n,
            [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
  size_t out = start;
  for (size_t i = start + 1; i < n; ++i) {
    if (r[i].first <= r[out].last || r[i].first == r[out].last + 1) {
      r[out].last = std::max(r[out].last, r[i].last);
    } else {
      r[++out] = r[i];
    }
  }
  ranges->Truncate(out + 1);
}

bool BuildSet(const SetSpec& spec, const CharRange* spec_ranges, HeapArray<CharRange>* ranges,
              CharSet* set) {
  const size_t start = ranges->size();
  for (uint32_t i = 0; i < spec.range_count; ++i) {
    if (!ranges->Push(spec_ranges[spec.range_start + i])) return false;
  }
  const bool fold = (spec.mode & kModeIgnoreCase) && (spec.mode & kModeKind) != kModeLocale;
  if (fold && !FoldRanges(ranges, start, spec.mode)) return false;
  NormaliseRanges(ranges, start);
  set->range_start = static_cast<uint32_t>(start);
  set->range_count = static_cast<uint32_t>(ranges->size() - start);
  set->categories = spec.categories;
  set->mode = spec.mode;
  set->negate = spec.negate;
  const bool unicode = (spec.mode & kModeKind) == kModeUnicode;
  set->locale = (spec.mode & kModeKind) == kModeLocale &&
                ((spec.mode & kModeIgnoreCase) || (spec.categories & (kWord | kNotWord)));
  FillBits(ranges->data(), set);
  // The wide characters: all, none, or to be looked at.
  const bool wide_ranges = set->range_count > 0 && ranges->data()[ranges->size() - 1].last > 255;
  if (wide_ranges || (unicode && (spec.categories || (spec.mode & kModeIgnoreCase)))) {
    set->wide = Wide::kSome;
  } else {
    const bool all = !unicode && (spec.categories & ~kPositiveCategories) != 0;
    set->wide = all != spec.negate ? Wide::kAll : Wide::kNone;
  }
  return true;
}

void RefreshLocale(const CharRange* ranges, CharSet* set) { FillBits(ranges, set); }

}  // namespace minivm::regex
