// Layout of the generated Unicode tables, shared by the code that reads them
// and the generator that writes them (tools/unicode/gen_tables.cpp).
//
// A per-character table is a two-stage trie: stage 1 maps the code point's upper
// bits to a block number, stage 2 holds the blocks, each distinct one once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace minivm::unicode_internal {

// In the order of GeneralCategory.
inline constexpr std::string_view kCategoryNames[] = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
};
inline constexpr std::string_view kBidirectionalNames[] = {
    "",  "L",  "R",  "AL",  "EN",  "ES",  "ET",  "AN",  "CS",  "NSM", "BN",  "B",
    "S", "WS", "ON", "LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
};
inline constexpr std::string_view kWidthNames[] = {"N", "Na", "W", "F", "H", "A"};
inline constexpr std::string_view kDecompositionKinds[] = {
    "",           "<font>",   "<noBreak>", "<initial>",  "<medial>",   "<final>",
    "<isolated>", "<circle>", "<super>",   "<sub>",      "<vertical>", "<wide>",
    "<narrow>",   "<small>",  "<square>",  "<fraction>", "<compat>",
};

// A value for every code point: numbers of blocks of numbers of blocks of values, equal blocks
// once.
struct Trie {
  const uint16_t* stage1;
  const uint16_t* stage2;
  const uint16_t* stage3;
  unsigned middle;  // bits
  unsigned low;
};

constexpr uint16_t TrieValue(const Trie& trie, char32_t c) {
  const unsigned block = trie.stage1[c >> (trie.middle + trie.low)];
  const unsigned middle = (c >> trie.low) & ((1u << trie.middle) - 1);
  const unsigned last = trie.stage2[(block << trie.middle) + middle];
  return trie.stage3[(last << trie.low) + (c & ((1u << trie.low) - 1))];
}

// What a normal form says about one character.
inline constexpr uint8_t kNfdNo = 1, kNfkdNo = 2, kNfcNo = 4, kNfkcNo = 8, kComposesBack = 16;

// Everything about a character but its case, decomposition and name.
struct Record {
  uint16_t flags;  // see unicode.h
  uint8_t category;
  uint8_t bidirectional;
  uint8_t width;
  uint8_t combining;
  int8_t decimal;  // -1: none
  int8_t digit;
  uint8_t quick;  // kNfdNo ...
  uint8_t unused;
};

// Differences to the character's own code point; `full` is an index into kFullCases, 0 = none.
struct CaseRecord {
  int32_t lower;
  int32_t upper;
  int32_t title;
  int32_t fold;
  uint32_t full;
};

// Mappings to several characters; a first element of 0 means that the difference holds.
struct FullCase {
  uint16_t lower[3];
  uint16_t upper[3];
  uint16_t title[3];
  uint16_t fold[3];
};

struct NumericRun {
  uint32_t first;
  uint32_t last;
  double value;  // of the first; values count up
};

// Two characters and what they compose to.
struct Composition {
  uint32_t first;
  uint32_t second;
  uint32_t composed;
};

// Names are numbered in code point order, then come aliases, then sequences. A run of code points
// with names starts at `code`; its first name has number `name`.
struct NameRun {
  uint32_t code;
  uint32_t name;
};

// Names that are a prefix and the code point in hexadecimal.
struct NameRule {
  uint32_t first;
  uint32_t last;
  std::string_view prefix;
};

// A name is a row of tokens, one or two bytes per word. A byte below kNameEnds ends it and tells
// how many words the next name takes over from it; every kNameGroup-th name takes none and has its
// offset stored. A word ends in a byte with the top bit set; one that begins with a byte up to
// kWordShared takes that many characters over from the word before; every kWordGroup-th takes none
// and has its offset stored.
inline constexpr unsigned kNameGroup = 8;
inline constexpr unsigned kNameEnds = 8;
inline constexpr unsigned kNameWords = 32;
inline constexpr unsigned kWordGroup = 8;
inline constexpr unsigned kWordShared = 15;

constexpr uint8_t NameHash(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return static_cast<uint8_t>(hash ^ hash >> 8 ^ hash >> 16 ^ hash >> 24);
}

const Record& RecordOf(char32_t c);

}  // namespace minivm::unicode_internal
