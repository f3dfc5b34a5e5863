// Sets of characters: what a class, an escape such as \w or a letter under IGNORECASE matches.
//
// A SetSpec is what was written; a CharSet is what the matcher tests. Characters below 256 are one
// load and one AND in a byte table that eight sets share (a bit each); wider ones go through
// Contains(). Which characters are words, and what equals what under IGNORECASE, depends on the
// mode: ASCII, Unicode, or the C locale (bytes patterns with LOCALE only, looked up when a match
// starts, since the locale may change between matches).
#pragma once

#include "stdlib/re/heap_array.h"

namespace minivm::regex {

enum CharMode : uint8_t {
  kModeAscii = 0,
  kModeUnicode = 1,
  kModeLocale = 2,
  kModeKind = 3,  // mask of the above
  kModeIgnoreCase = 4,
};

enum Category : uint8_t {
  kDigit = 1,
  kNotDigit = 2,
  kSpace = 4,
  kNotSpace = 8,
  kWord = 16,
  kNotWord = 32,
  kPositiveCategories = kDigit | kSpace | kWord,
};

struct CharRange {
  uint32_t first, last;
};

struct SetSpec {
  uint32_t range_start = 0, range_count = 0;  // in the tree's ranges
  uint8_t categories = 0;
  uint8_t mode = 0;
  bool negate = false;
};

enum class Wide : uint8_t { kNone, kSome, kAll };  // of the characters from 256 on

struct CharSet {
  uint64_t bits[4] = {};
  const uint8_t* table = nullptr;             // bit `mask` of table[c]: c is in
  uint32_t range_start = 0, range_count = 0;  // in the program's ranges; sorted, disjoint
  uint8_t mask = 0;
  uint8_t categories = 0;
  uint8_t mode = 0;
  bool negate = false;
  Wide wide = Wide::kNone;
  bool locale = false;
  bool at_end = false;  // of a filter: the end of the text passes, too

  bool Has(uint32_t c) const { return (bits[c >> 6] >> (c & 63)) & 1; }  // REQUIRES: c < 256
};

bool IsWordChar(uint32_t c, uint8_t mode);
uint32_t LowerChar(uint32_t c, uint8_t mode);
// Does c have other characters that equal it under IGNORECASE?
bool HasCase(uint32_t c, uint8_t mode);
// Any character, by the set's ranges and categories.
bool Contains(const CharSet& set, const CharRange* ranges, uint32_t c);
// Sorts ranges[start..] and joins those that touch; truncates.
void NormaliseRanges(HeapArray<CharRange>* ranges, size_t start);
// Makes the set of a spec (table and mask are left to the caller), its ranges appended to *ranges.
// False: no memory.
bool BuildSet(const SetSpec& spec, const CharRange* spec_ranges, HeapArray<CharRange>* ranges,
              CharSet* set);
// The bits again, in the locale of now.
void RefreshLocale(const CharRange* ranges, CharSet* set);

}  // namespace minivm::regex
