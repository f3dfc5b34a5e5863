// The Unicode character database, version 15.1.
//
// Properties, case mappings, normalisation and names. All of it is constant
// data: tools/unicode/gen_tables.cpp turns the text files beside it into
// two-stage tables at build time. Every function is pure and takes any
// char32_t: beyond U+10FFFF everything is unassigned.
//
// unicode.cpp holds properties and case, unicode_normalize.cpp the normal
// forms, unicode_names.cpp the names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/support/small_vector.h"

namespace minivm {

inline constexpr std::string_view kUnicodeVersion = "15.1.0";

// --- Properties (as the str methods of the same names see one character) -------------------------

namespace unicode_internal {
inline constexpr uint16_t kAlpha = 1, kDecimal = 2, kDigit = 4, kNumeric = 8, kLower = 16,
                          kUpper = 32, kTitle = 64, kSpace = 128, kPrintable = 256, kCased = 512,
                          kCaseIgnorable = 1024, kXidStart = 2048, kXidContinue = 4096,
                          kMirrored = 8192, kLineBreak = 16384;
// The flags of U+0000..U+00FF, and of any character.
extern const uint16_t kLatin1Flags[256];
uint16_t FlagsOf(char32_t c);
inline uint16_t Flags(char32_t c) { return c < 256 ? kLatin1Flags[c] : FlagsOf(c); }
}  // namespace unicode_internal

#define MVM_UNICODE_TEST(Name, bits)                                     \
  inline bool Is##Name(char32_t c) {                                     \
    return (unicode_internal::Flags(c) & (unicode_internal::bits)) != 0; \
  }
MVM_UNICODE_TEST(Alpha, kAlpha)      // L*
MVM_UNICODE_TEST(Decimal, kDecimal)  // has a decimal value
MVM_UNICODE_TEST(Digit, kDigit)      // has a digit value
MVM_UNICODE_TEST(Numeric, kNumeric)  // has a numeric value
MVM_UNICODE_TEST(Lower, kLower)
MVM_UNICODE_TEST(Upper, kUpper)
MVM_UNICODE_TEST(Title, kTitle)          // Lt only
MVM_UNICODE_TEST(Space, kSpace)          // what str.split() splits at
MVM_UNICODE_TEST(Printable, kPrintable)  // what repr() does not escape
MVM_UNICODE_TEST(Cased, kCased)
MVM_UNICODE_TEST(CaseIgnorable, kCaseIgnorable)
MVM_UNICODE_TEST(IdentifierStart, kXidStart)
MVM_UNICODE_TEST(IdentifierContinue, kXidContinue)
MVM_UNICODE_TEST(Mirrored, kMirrored)
MVM_UNICODE_TEST(LineBreak, kLineBreak)  // where str.splitlines() splits
MVM_UNICODE_TEST(Alnum, kAlpha | unicode_internal::kDecimal | unicode_internal::kDigit |
                            unicode_internal::kNumeric)
#undef MVM_UNICODE_TEST

enum class GeneralCategory : uint8_t {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
};
GeneralCategory CategoryOf(char32_t c);
std::string_view CategoryName(GeneralCategory category);  // "Lu"

std::string_view BidirectionalClass(char32_t c);  // "L", "AN", ...; "" if none
std::string_view EastAsianWidth(char32_t c);      // "W", "Na", ...
uint8_t CombiningClass(char32_t c);

// The value as a decimal (digit); -1 if c is none.
int DecimalValue(char32_t c);
int DigitValue(char32_t c);
// The numeric value; false if c has none.
bool NumericValue(char32_t c, double* out);

// unicodedata.decomposition(): "<noBreak> 0020", "0041 0300"; Hangul syllables have none.
// Written to out (room for kDecompositionSize); returns the length.
inline constexpr size_t kDecompositionSize = 128;
size_t DecompositionText(char32_t c, char* out);

// --- Case ----------------------------------------------------------------------------------------

// The simple mapping, one character to one (what re's IGNORECASE compares).
char32_t SimpleLower(char32_t c);

// Full mappings, up to three characters; return how many. Final sigma is LowerAt's.
unsigned FullLower(char32_t c, char32_t out[3]);
unsigned FullUpper(char32_t c, char32_t out[3]);
unsigned FullTitle(char32_t c, char32_t out[3]);
unsigned FullCasefold(char32_t c, char32_t out[3]);

// U+03A3 at text[index] in lower case: final sigma after a cased letter and not before one.
template <class CharT>
char32_t LowerSigma(const CharT* text, size_t size, size_t index) {
  size_t before = index;
  while (before > 0 && IsCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !IsCased(text[before - 1])) return 0x3C3;
  size_t after = index + 1;
  while (after < size && IsCaseIgnorable(text[after])) ++after;
  return after < size && IsCased(text[after]) ? 0x3C3 : 0x3C2;
}

// --- Normalisation (unicode_normalize.cpp) -------------------------------------------------------

enum class NormalForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

enum class QuickCheck : uint8_t { kNo, kMaybe, kYes };

using CodePoints = SmallVector<char32_t, 64>;

// Whether text is in the form already, if that can be told without normalising it.
template <class CharT>
QuickCheck IsNormalizedQuick(NormalForm form, const CharT* text, size_t size);
extern template QuickCheck IsNormalizedQuick(NormalForm, const uint8_t*, size_t);
extern template QuickCheck IsNormalizedQuick(NormalForm, const uint16_t*, size_t);
extern template QuickCheck IsNormalizedQuick(NormalForm, const uint32_t*, size_t);

// Appends text in the form to *out. False: no memory.
template <class CharT>
[[nodiscard]] bool Normalize(NormalForm form, const CharT* text, size_t size, CodePoints* out);
extern template bool Normalize(NormalForm, const uint8_t*, size_t, CodePoints*);
extern template bool Normalize(NormalForm, const uint16_t*, size_t, CodePoints*);
extern template bool Normalize(NormalForm, const uint32_t*, size_t, CodePoints*);

// NFKC of valid UTF-8, for identifiers. Throws std::bad_alloc like std::string itself.
std::string NormalizeNfkc(std::string_view utf8);

// --- Names (unicode_names.cpp) -------------------------------------------------------------------

inline constexpr size_t kCharacterNameSize = 256;

// Writes the name of c; returns its length, 0 if it has none. Room for kCharacterNameSize.
size_t CharacterName(char32_t c, char* out);

// The character of that name or alias, in any case (but names of Hangul syllables and of unified
// CJK ideographs in upper case only, as CPython has it); false if there is none.
bool CharacterFromName(std::string_view name, char32_t* out);

// The named sequence (unicodedata.lookup knows those, \N{} does not); returns its length or 0.
inline constexpr size_t kMaxNamedSequence = 4;
unsigned SequenceFromName(std::string_view name, char32_t out[kMaxNamedSequence]);

}  // namespace minivm
