// Normal forms.
//
// Decompose everything, put runs of combining marks into canonical order, and
// for the composed forms join pairs again in one pass over the result. Hangul
// syllables are arithmetic. A quick check of the text's characters avoids all of
// it for text that is normalised already, which is nearly all text.
#include <algorithm>
#include <new>

#include "runtime/support/unicode.h"
#include "runtime/support/unicode_internal.h"
#include "runtime/support/utf8.h"

namespace minivm {

using namespace unicode_internal;

namespace {

#include "unicode_normalize.inc"

constexpr char32_t kSyllableBase = 0xAC00;
constexpr char32_t kLeadBase = 0x1100;
constexpr char32_t kVowelBase = 0x1161;
constexpr char32_t kTailBase = 0x11A7;
constexpr char32_t kLeads = 19;
constexpr char32_t kVowels = 21;
constexpr char32_t kTails = 28;  // with "none"
constexpr char32_t kSyllables = kLeads * kVowels * kTails;

struct Entry {
  uint8_t kind;
  uint8_t units;
  const uint16_t* data;  // null: does not decompose
};

Entry DecompositionOf(char32_t c) {
  if (c > 0x10FFFF) return {0, 0, nullptr};
  const uint16_t offset = TrieValue(kDecompositionTrie, c);
  if (offset == 0) return {0, 0, nullptr};
  const uint16_t* const data = kDecompositionData + offset;
  return {static_cast<uint8_t>(data[0] >> 8), static_cast<uint8_t>(data[0]), data + 1};
}

char32_t NextUnit(const uint16_t** p) {
  const char32_t c = *(*p)++;
  if (!IsHighSurrogate(c)) return c;
  return JoinSurrogates(c, *(*p)++);
}

// Appends c's full decomposition. Nested no deeper than the data is (four levels).
bool AppendDecomposed(char32_t c, bool compatibility, CodePoints* out) {
  const Record& record = RecordOf(c);
  if ((record.quick & (compatibility ? kNfkdNo : kNfdNo)) == 0) return out->Push(c);
  if (const char32_t syllable = c - kSyllableBase; syllable < kSyllables) {
    const char32_t tail = syllable % kTails;
    return out->Push(kLeadBase + syllable / (kVowels * kTails)) &&
           out->Push(kVowelBase + syllable / kTails % kVowels) &&
           (tail == 0 || out->Push(kTailBase + tail));
  }
  const Entry entry = DecompositionOf(c);
  const uint16_t* p = entry.data;
  const uint16_t* const end = p + entry.units;
  while (p < end) {
    if (!AppendDecomposed(NextUnit(&p), compatibility, out)) return false;
  }
  return true;
}

// Sorts runs of marks from `start` on by combining class, keeping equals in order.
void Reorder(char32_t* text, size_t start, size_t size) {
  size_t i = start;
  while (i < size) {
    uint8_t last = CombiningClass(text[i]);
    if (last == 0) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    bool sorted = true;
    for (; end < size; ++end) {
      const uint8_t combining = CombiningClass(text[end]);
      if (combining == 0) break;
      sorted &= combining >= last;
      last = combining;
    }
    // Almost always a run of two or three, but a script may make one of any length.
    if (!sorted) {
      std::stable_sort(text + i, text + end, [](char32_t a, char32_t b) {
        return CombiningClass(a) < CombiningClass(b);
      });
    }
    i = end;
  }
}

// What first and second compose to; 0 = nothing.
char32_t Compose(char32_t first, char32_t second) {
  if (second - kVowelBase < kVowels && first - kLeadBase < kLeads) {
    return kSyllableBase + ((first - kLeadBase) * kVowels + (second - kVowelBase)) * kTails;
  }
  if (second - kTailBase - 1 < kTails - 1 && first - kSyllableBase < kSyllables &&
      (first - kSyllableBase) % kTails == 0) {
    return first + (second - kTailBase);
  }
  size_t low = 0;
  size_t high = sizeof(kCompositions) / sizeof(kCompositions[0]);
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const Composition& entry = kCompositions[middle];
    if (entry.second < second || (entry.second == second && entry.first < first)) {
      low = middle + 1;
    } else if (entry.second == second && entry.first == first) {
      return entry.composed;
    } else {
      high = middle;
    }
  }
  return 0;
}

// Composes text[start..size) in place; returns the new size.
size_t ComposeAll(char32_t* text, size_t start, size_t size) {
  size_t out = start;
  size_t starter = SIZE_MAX;
  uint8_t last = 0;  // combining class of the character before, 0 right after the starter
  for (size_t i = start; i < size; ++i) {
    const char32_t c = text[i];
    const Record& record = RecordOf(c);
    const uint8_t combining = record.combining;
    if ((record.quick & kComposesBack) != 0 && starter != SIZE_MAX &&
        (last == 0 || last < combining)) {
      // A starter only joins the one right before it.
      if (combining != 0 || starter + 1 == out) {
        if (const char32_t composed = Compose(text[starter], c); composed != 0) {
          text[starter] = composed;
          continue;
        }
      }
    }
    last = combining;
    if (combining == 0) starter = out;
    text[out++] = c;
  }
  return out;
}

constexpr uint8_t NoBit(NormalForm form) {
  switch (form) {
    case NormalForm::kNfc: return kNfcNo;
    case NormalForm::kNfd: return kNfdNo;
    case NormalForm::kNfkc: return kNfkcNo;
    case NormalForm::kNfkd: return kNfkdNo;
  }
  return 0;
}

bool IsComposedForm(NormalForm form) {
  return form == NormalForm::kNfc || form == NormalForm::kNfkc;
}

}  // namespace

template <class CharT>
QuickCheck IsNormalizedQuick(NormalForm form, const CharT* text, size_t size) {
  const uint8_t no = NoBit(form);
  const uint8_t maybe = IsComposedForm(form) ? kComposesBack : 0;
  // Below this nothing is a mark or changes.
  const char32_t safe = form == NormalForm::kNfc ? 0x300 : 0xA0;
  uint8_t last = 0;
  bool unsure = false;
  for (size_t i = 0; i < size; ++i) {
    const char32_t c = text[i];
    if (c < safe) {
      last = 0;
      continue;
    }
    const Record& record = RecordOf(c);
    if ((record.quick & no) != 0) return QuickCheck::kNo;
    if (record.combining != 0 && record.combining < last) return QuickCheck::kNo;
    if ((record.quick & maybe) != 0) unsure = true;
    last = record.combining;
  }
  return unsure ? QuickCheck::kMaybe : QuickCheck::kYes;
}
template QuickCheck IsNormalizedQuick(NormalForm, const uint8_t*, size_t);
template QuickCheck IsNormalizedQuick(NormalForm, const uint16_t*, size_t);
template QuickCheck IsNormalizedQuick(NormalForm, const uint32_t*, size_t);

template <class CharT>
bool Normalize(NormalForm form, const CharT* text, size_t size, CodePoints* out) {
  const size_t start = out->size();
  if (!out->Reserve(start + size)) return false;
  if (IsNormalizedQuick(form, text, size) == QuickCheck::kYes) {
    for (size_t i = 0; i < size; ++i) {
      if (!out->Push(text[i])) return false;
    }
    return true;
  }
  const bool compatibility = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  for (size_t i = 0; i < size; ++i) {
    if (!AppendDecomposed(text[i], compatibility, out)) return false;
  }
  Reorder(out->data(), start, out->size());
  if (IsComposedForm(form)) out->Truncate(ComposeAll(out->data(), start, out->size()));
  return true;
}
template bool Normalize(NormalForm, const uint8_t*, size_t, CodePoints*);
template bool Normalize(NormalForm, const uint16_t*, size_t, CodePoints*);
template bool Normalize(NormalForm, const uint32_t*, size_t, CodePoints*);

std::string NormalizeNfkc(std::string_view utf8) {
  if (IsAscii(utf8.data(), utf8.size())) return std::string(utf8);
  SmallVector<uint32_t, 64> text;
  CodePoints normalized;
  if (!text.Resize(CountUtf8(utf8.data(), utf8.size()))) throw std::bad_alloc();
  DecodeUtf8(text.data(), utf8.data(), utf8.size());
  if (!Normalize(NormalForm::kNfkc, text.data(), text.size(), &normalized)) throw std::bad_alloc();
  std::string result;
  char bytes[4];
  for (const char32_t c : normalized) result.append(bytes, EncodeUtf8(bytes, c));
  return result;
}

size_t DecompositionText(char32_t c, char* out) {
  const Entry entry = DecompositionOf(c);
  if (entry.data == nullptr) return 0;
  const std::string_view kind = kDecompositionKinds[entry.kind];
  char* p = std::copy(kind.begin(), kind.end(), out);
  const uint16_t* unit = entry.data;
  while (unit < entry.data + entry.units) {
    if (p != out) *p++ = ' ';
    const char32_t part = NextUnit(&unit);
    for (int shift = part > 0xFFFFF ? 20 : part > 0xFFFF ? 16 : 12; shift >= 0; shift -= 4) {
      *p++ = "0123456789ABCDEF"[part >> shift & 15];
    }
  }
  return static_cast<size_t>(p - out);
}

}  // namespace minivm
