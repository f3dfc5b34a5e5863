// Character names.
//
// A name is a row of word numbers, the commonest words in one byte; the words are stored once, and
// what a name or a word has in common with the one before it is not stored again. Numbers of names
// are found by code point through runs, and by name through a byte of hash for each, whose
// candidates (one in 256) are spelled out and compared. Hangul syllables and ideographs are
// composed and taken apart by rule.
#include <algorithm>
#include <cstring>

#include "runtime/support/check.h"
#include "runtime/support/unicode.h"
#include "runtime/support/unicode_internal.h"

namespace minivm {

using namespace unicode_internal;

namespace {

#include "unicode_names.inc"

constexpr std::string_view kSyllablePrefix = "HANGUL SYLLABLE ";
constexpr std::string_view kUnifiedPrefix = "CJK UNIFIED IDEOGRAPH-";
constexpr std::string_view kLeadNames[] = {"G",  "GG", "N", "D",  "DD", "R", "M", "B", "BB", "S",
                                           "SS", "",   "J", "JJ", "C",  "K", "T", "P", "H"};
constexpr std::string_view kVowelNames[] = {"A",   "AE", "YA", "YAE", "EO", "E",  "YEO",
                                            "YE",  "O",  "WA", "WAE", "OE", "YO", "U",
                                            "WEO", "WE", "WI", "YU",  "EU", "YI", "I"};
constexpr std::string_view kTailNames[] = {
    "",   "G",  "GG", "GS", "N",  "NJ", "NH", "D",  "L", "LG", "LM", "LB", "LS", "LT",
    "LP", "LH", "M",  "B",  "BS", "S",  "SS", "NG", "J", "C",  "K",  "T",  "P",  "H"};

char* Put(char* out, std::string_view text) { return std::copy(text.begin(), text.end(), out); }

char* PutHex(char* out, char32_t c) {
  for (int shift = c > 0xFFFFF ? 20 : c > 0xFFFF ? 16 : 12; shift >= 0; shift -= 4) {
    *out++ = "0123456789ABCDEF"[c >> shift & 15];
  }
  return out;
}

char* PutWord(char* out, uint32_t number) {
  const uint8_t* p = kWordText + kWordOffsets[number / kWordGroup];
  for (unsigned word = 0;; ++word) {
    char* end = out;  // what is shared with the word before stands there already
    if (*p <= kWordShared) end += *p++;
    uint8_t c;
    do {
      c = *p++;
      *end++ = static_cast<char>(c & 0x7F);
    } while (c < 0x80);
    if (word == number % kWordGroup) return end;
  }
}

// The numbers of the words of a name; returns how many.
unsigned WordsOf(uint32_t number, uint32_t (&words)[kNameWords]) {
  unsigned count = 0;
  const uint8_t* p = kNameTokens + kNameOffsets[number / kNameGroup];
  for (unsigned name = 0;; ++name) {
    for (; *p >= kNameEnds; ++count) {
      const uint32_t first = *p++ - kNameEnds;
      words[count] = first;
      if (first >= kShortWords) words[count] = kShortWords + (first - kShortWords) * 256 + *p++;
    }
    if (name == number % kNameGroup) return count;
    count = *p++;
  }
}

// Writes the name with that number; returns its length.
size_t SpellName(char* out, uint32_t number) {
  uint32_t words[kNameWords];
  const unsigned count = WordsOf(number, words);
  char* end = out;
  for (unsigned i = 0; i < count; ++i) {
    if (i != 0) *end++ = ' ';
    end = PutWord(end, words[i]);
  }
  return static_cast<size_t>(end - out);
}

bool IsName(uint32_t number, std::string_view name) {
  uint32_t words[kNameWords];
  char word[kCharacterNameSize];
  const unsigned count = WordsOf(number, words);
  for (unsigned i = 0; i < count; ++i) {
    const std::string_view next(word, static_cast<size_t>(PutWord(word, words[i]) - word));
    if (!name.starts_with(next)) return false;
    name.remove_prefix(next.size());
    if (i + 1 == count) break;
    if (!name.starts_with(' ')) return false;
    name.remove_prefix(1);
  }
  return name.empty();
}

template <size_t N>
const NameRun* RunBefore(const NameRun (&runs)[N], uint32_t NameRun::*key, uint32_t value) {
  const NameRun* const after = std::upper_bound(
      runs, runs + N, value, [key](uint32_t v, const NameRun& run) { return v < run.*key; });
  return after == runs ? nullptr : after - 1;
}

// Reads a code point of `digits` in upper-case hexadecimal; false if it is none.
bool ReadHex(std::string_view digits, char32_t* out) {
  char32_t value = 0;
  if (digits.size() != 4 && digits.size() != 5) return false;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && !(c >= 'A' && c <= 'F')) return false;
    value = value << 4 | static_cast<char32_t>(decimal ? c - '0' : c - 'A' + 10);
  }
  *out = value;
  return true;
}

template <size_t N>
int TakeLongest(const std::string_view (&parts)[N], std::string_view* text) {
  int best = -1;
  for (size_t i = 0; i < N; ++i) {
    if (text->substr(0, parts[i].size()) == parts[i] &&
        (best < 0 || parts[i].size() > parts[static_cast<size_t>(best)].size())) {
      best = static_cast<int>(i);
    }
  }
  if (best >= 0) text->remove_prefix(parts[static_cast<size_t>(best)].size());
  return best;
}

bool SyllableFromName(std::string_view rest, char32_t* out) {
  const int lead = TakeLongest(kLeadNames, &rest);
  const int vowel = TakeLongest(kVowelNames, &rest);
  if (lead < 0 || vowel < 0) return false;
  const int tail = TakeLongest(kTailNames, &rest);
  if (tail < 0 || !rest.empty()) return false;
  *out = 0xAC00 + static_cast<char32_t>((lead * 21 + vowel) * 28 + tail);
  return true;
}

constexpr uint32_t kNoName = ~uint32_t{0};

// The number, at least `first`, of the name `upper`; kNoName if there is none.
uint32_t FindName(std::string_view upper, uint32_t first) {
  const uint8_t hash = NameHash(upper);
  const uint8_t* const end = kNameHashes + sizeof kNameHashes;
  for (const uint8_t* at = kNameHashes + first;; ++at) {
    at = static_cast<const uint8_t*>(std::memchr(at, hash, static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    const auto number = static_cast<uint32_t>(at - kNameHashes);
    if (IsName(number, upper)) return number;
  }
  return kNoName;
}

// Copies name in upper case; false if it is too long for a name.
bool ToUpper(std::string_view name, char* out) {
  if (name.empty() || name.size() >= kCharacterNameSize) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    out[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return true;
}

}  // namespace

size_t CharacterName(char32_t c, char* out) {
  if (const char32_t syllable = c - 0xAC00; syllable < 11172) {
    char* p = Put(out, kSyllablePrefix);
    p = Put(p, kLeadNames[syllable / (21 * 28)]);
    p = Put(p, kVowelNames[syllable / 28 % 21]);
    p = Put(p, kTailNames[syllable % 28]);
    return static_cast<size_t>(p - out);
  }
  for (const NameRule& rule : kNameRules) {
    if (c >= rule.first && c <= rule.last)
      return static_cast<size_t>(PutHex(Put(out, rule.prefix), c) - out);
  }
  const NameRun* const run = RunBefore(kNameRuns, &NameRun::code, c);
  if (run == nullptr) return 0;
  const uint32_t number = run->name + (c - run->code);
  const bool last = run + 1 == kNameRuns + sizeof(kNameRuns) / sizeof(kNameRuns[0]);
  if (number >= (last ? kCharacterNames : run[1].name)) return 0;
  return SpellName(out, number);
}

bool CharacterFromName(std::string_view name, char32_t* out) {
  if (name.substr(0, kSyllablePrefix.size()) == kSyllablePrefix) {
    return SyllableFromName(name.substr(kSyllablePrefix.size()), out);
  }
  if (name.substr(0, kUnifiedPrefix.size()) == kUnifiedPrefix) {
    char32_t c;
    if (!ReadHex(name.substr(kUnifiedPrefix.size()), &c)) return false;
    for (const NameRule& rule : kNameRules) {
      if (rule.prefix == kUnifiedPrefix && c >= rule.first && c <= rule.last) {
        *out = c;
        return true;
      }
    }
    return false;
  }
  char upper[kCharacterNameSize];
  if (!ToUpper(name, upper)) return false;
  const std::string_view key(upper, name.size());
  for (const NameRule& rule : kNameRules) {
    char32_t c;
    if (rule.prefix == kUnifiedPrefix || key.substr(0, rule.prefix.size()) != rule.prefix) continue;
    const std::string_view digits = key.substr(rule.prefix.size());
    if (ReadHex(digits, &c) && c >= rule.first && c <= rule.last &&
        digits.size() == (c > 0xFFFF ? 5u : 4u)) {
      *out = c;
      return true;
    }
  }
  const uint32_t number = FindName(key, 0);
  if (number >= kCharacterNames + kAliases) return false;
  if (number >= kCharacterNames) {
    *out = kAliasCodes[number - kCharacterNames];
  } else {
    const NameRun* const run = RunBefore(kNameRuns, &NameRun::name, number);
    *out = run->code + (number - run->name);
  }
  return true;
}

unsigned SequenceFromName(std::string_view name, char32_t out[kMaxNamedSequence]) {
  char upper[kCharacterNameSize];
  if (!ToUpper(name, upper)) return 0;
  const uint32_t number = FindName({upper, name.size()}, kCharacterNames + kAliases);
  if (number == kNoName) return 0;
  const uint32_t* const sequence = kSequences[number - kCharacterNames - kAliases];
  unsigned n = 0;
  while (n < kMaxNamedSequence && sequence[n] != 0) {
    out[n] = sequence[n];
    ++n;
  }
  return n;
}

}  // namespace minivm
