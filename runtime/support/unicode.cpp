// Properties and case mappings, looked up in the generated tables.
#include "runtime/support/unicode.h"

#include "runtime/support/unicode_internal.h"

namespace minivm {

using namespace unicode_internal;

namespace {

#include "unicode_properties.inc"

inline const CaseRecord& CaseOf(char32_t c) {
  if (c > 0x10FFFF) return kCaseRecords[0];
  return kCaseRecords[TrieValue(kCaseTrie, c)];
}

constexpr const Record& LookUp(char32_t c) { return kRecords[TrieValue(kRecordTrie, c)]; }

constexpr Record kUnassigned = {0, 0, 0, 0, 0, -1, -1, 0, 0};

inline unsigned Write(char32_t out[3], const uint16_t* full, char32_t single) {
  if (full[0] == 0) {
    out[0] = single;
    return 1;
  }
  unsigned n = 0;
  do {
    out[n] = full[n];
    ++n;
  } while (n < 3 && full[n] != 0);
  return n;
}

}  // namespace

namespace unicode_internal {

const Record& RecordOf(char32_t c) { return c > 0x10FFFF ? kUnassigned : LookUp(c); }

uint16_t FlagsOf(char32_t c) { return RecordOf(c).flags; }

#define MVM_ROW(c)                                                                \
  LookUp(c).flags, LookUp(c + 1).flags, LookUp(c + 2).flags, LookUp(c + 3).flags, \
      LookUp(c + 4).flags, LookUp(c + 5).flags, LookUp(c + 6).flags, LookUp(c + 7).flags
#define MVM_ROWS(c) MVM_ROW(c), MVM_ROW(c + 8), MVM_ROW(c + 16), MVM_ROW(c + 24)
constexpr uint16_t kLatin1Flags[256] = {
    MVM_ROWS(0),   MVM_ROWS(32),  MVM_ROWS(64),  MVM_ROWS(96),
    MVM_ROWS(128), MVM_ROWS(160), MVM_ROWS(192), MVM_ROWS(224),
};
#undef MVM_ROW
#undef MVM_ROWS

}  // namespace unicode_internal

GeneralCategory CategoryOf(char32_t c) {
  return static_cast<GeneralCategory>(RecordOf(c).category);
}

std::string_view CategoryName(GeneralCategory category) {
  return kCategoryNames[static_cast<size_t>(category)];
}

std::string_view BidirectionalClass(char32_t c) {
  return kBidirectionalNames[RecordOf(c).bidirectional];
}

std::string_view EastAsianWidth(char32_t c) { return kWidthNames[RecordOf(c).width]; }

uint8_t CombiningClass(char32_t c) { return RecordOf(c).combining; }

int DecimalValue(char32_t c) { return RecordOf(c).decimal; }

int DigitValue(char32_t c) { return RecordOf(c).digit; }

bool NumericValue(char32_t c, double* out) {
  if (!IsNumeric(c)) return false;
  size_t low = 0;
  size_t high = sizeof(kNumericRuns) / sizeof(kNumericRuns[0]);
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    (kNumericRuns[middle].first <= c ? low : high) = middle;
  }
  *out = kNumericRuns[low].value + (c - kNumericRuns[low].first);
  return true;
}

char32_t SimpleLower(char32_t c) { return c + static_cast<char32_t>(CaseOf(c).lower); }

unsigned FullLower(char32_t c, char32_t out[3]) {
  const CaseRecord& r = CaseOf(c);
  return Write(out, kFullCases[r.full].lower, c + static_cast<char32_t>(r.lower));
}

unsigned FullUpper(char32_t c, char32_t out[3]) {
  const CaseRecord& r = CaseOf(c);
  return Write(out, kFullCases[r.full].upper, c + static_cast<char32_t>(r.upper));
}

unsigned FullTitle(char32_t c, char32_t out[3]) {
  const CaseRecord& r = CaseOf(c);
  return Write(out, kFullCases[r.full].title, c + static_cast<char32_t>(r.title));
}

unsigned FullCasefold(char32_t c, char32_t out[3]) {
  const CaseRecord& r = CaseOf(c);
  return Write(out, kFullCases[r.full].fold, c + static_cast<char32_t>(r.fold));
}

}  // namespace minivm
