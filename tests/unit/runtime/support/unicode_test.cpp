// The Unicode database: samples of every property, and what must hold for all
// characters (names and normal forms round-trip).
#include "runtime/support/unicode.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/support/utf8.h"

namespace minivm {
namespace {

std::string Name(char32_t c) {
  char name[kCharacterNameSize];
  return std::string(name, CharacterName(c, name));
}

int64_t FromName(std::string_view name) {
  char32_t c = 0;
  return CharacterFromName(name, &c) ? static_cast<int64_t>(c) : -1;
}

std::u32string Norm(NormalForm form, std::u32string_view text) {
  std::vector<uint32_t> in(text.begin(), text.end());
  CodePoints out;
  EXPECT_TRUE(Normalize(form, in.data(), in.size(), &out));
  return std::u32string(out.begin(), out.end());
}

std::u32string Case(unsigned (*map)(char32_t, char32_t[3]), char32_t c) {
  char32_t out[3];
  return std::u32string(out, map(c, out));
}

std::string Decomposition(char32_t c) {
  char text[kDecompositionSize];
  return std::string(text, DecompositionText(c, text));
}

TEST(Unicode, Categories) {
  EXPECT_EQ(CategoryName(CategoryOf('A')), "Lu");
  EXPECT_EQ(CategoryName(CategoryOf(0x1C5)), "Lt");
  EXPECT_EQ(CategoryName(CategoryOf(0x0378)), "Cn");
  EXPECT_EQ(CategoryName(CategoryOf(0xD800)), "Cs");
  EXPECT_EQ(CategoryName(CategoryOf(0xE000)), "Co");
  EXPECT_EQ(CategoryName(CategoryOf(0x10FFFF)), "Cn");
  EXPECT_EQ(CategoryName(CategoryOf(0x110000)), "Cn");
  EXPECT_EQ(CategoryName(CategoryOf(0x2028)), "Zl");
}

TEST(Unicode, OtherProperties) {
  EXPECT_EQ(BidirectionalClass(0x5D0), "R");
  EXPECT_EQ(BidirectionalClass(0x0378), "");
  EXPECT_EQ(EastAsianWidth(0x4E00), "W");
  EXPECT_EQ(EastAsianWidth('a'), "Na");
  EXPECT_EQ(EastAsianWidth(0xFF21), "F");
  EXPECT_EQ(CombiningClass(0x301), 230);
  EXPECT_TRUE(IsMirrored('('));
  EXPECT_EQ(Decomposition(0xC0), "0041 0300");
  EXPECT_EQ(Decomposition(0xA0), "<noBreak> 0020");
  EXPECT_EQ(Decomposition(0x1D15E), "1D157 1D165");
  EXPECT_EQ(Decomposition(0xAC00), "");
}

TEST(Unicode, Predicates) {
  EXPECT_TRUE(IsAlpha(0x4E00) && IsAlpha(0xDF) && !IsAlpha('1') && !IsAlpha(0x301));
  EXPECT_TRUE(IsLower(0xAA) && IsLower('z') && IsUpper(0x2160) && IsTitle(0x1C5) && !IsTitle('A'));
  EXPECT_TRUE(IsSpace(' ') && IsSpace(0x1F) && IsSpace(0x85) && IsSpace(0x3000) &&
              !IsSpace(0x200B));
  EXPECT_TRUE(IsPrintable(' ') && !IsPrintable(0xA0) && !IsPrintable(0x200B) &&
              !IsPrintable(0xD800));
  EXPECT_TRUE(IsIdentifierStart('_') && IsIdentifierStart(0x4E00) && !IsIdentifierStart('1'));
  EXPECT_TRUE(IsIdentifierContinue('1') && IsIdentifierContinue(0x301) &&
              !IsIdentifierContinue('-'));
  EXPECT_TRUE(IsCased(0x2B0) && IsCaseIgnorable(0x2B0) && IsCaseIgnorable('\'') && !IsCased('1'));
  std::u32string breaks;
  for (char32_t c = 0; c < 0x3000; ++c) {
    if (IsLineBreak(c)) breaks += c;
  }
  EXPECT_EQ(breaks, U"\n\v\f\r\x1C\x1D\x1E\x85\u2028\u2029");
}

TEST(Unicode, NumericValues) {
  EXPECT_EQ(DecimalValue(0x663), 3);
  EXPECT_EQ(DecimalValue(0xB2), -1);
  EXPECT_EQ(DigitValue(0xB2), 2);
  EXPECT_EQ(DigitValue(0xBD), -1);
  double value = 0;
  EXPECT_TRUE(NumericValue(0xBD, &value));
  EXPECT_EQ(value, 0.5);
  EXPECT_TRUE(NumericValue(0x0F33, &value));
  EXPECT_EQ(value, -0.5);
  EXPECT_TRUE(NumericValue(0x5146, &value));
  EXPECT_EQ(value, 1e6);
  EXPECT_TRUE(NumericValue(0x2154, &value));
  EXPECT_EQ(value, 2.0 / 3);
  EXPECT_FALSE(NumericValue('a', &value));
}

TEST(Unicode, CaseMappings) {
  EXPECT_EQ(Case(FullUpper, 0xDF), U"SS");
  EXPECT_EQ(Case(FullTitle, 0xDF), U"Ss");
  EXPECT_EQ(Case(FullCasefold, 0xDF), U"ss");
  EXPECT_EQ(Case(FullLower, 0x130), U"i\u0307");
  EXPECT_EQ(SimpleLower(0x130), U'i');
  EXPECT_EQ(Case(FullUpper, 0x1F80), U"\u1F08\u0399");
  EXPECT_EQ(Case(FullTitle, 0x1C4), U"\u01C5");
  EXPECT_EQ(Case(FullUpper, 0x390), U"\u0399\u0308\u0301");
  EXPECT_EQ(Case(FullLower, 0x10400), U"\U00010428");
  EXPECT_EQ(Case(FullCasefold, 0x3C2), U"\u03C3");
  EXPECT_EQ(Case(FullUpper, '1'), U"1");
  const uint32_t word[] = {0x39F, 0x394, 0x3A5, 0x3A3, '.', 'a'};
  EXPECT_EQ(LowerSigma(word, 4, 3), 0x3C2u);
  EXPECT_EQ(LowerSigma(word, 6, 3), 0x3C3u);
  EXPECT_EQ(LowerSigma(word + 3, 1, 0), 0x3C3u);
}

TEST(Unicode, NormalForms) {
  EXPECT_EQ(Norm(NormalForm::kNfc, U"e\u0301"), U"\u00E9");
  EXPECT_EQ(Norm(NormalForm::kNfd, U"\u1E69"), U"s\u0323\u0307");
  EXPECT_EQ(Norm(NormalForm::kNfc, U"s\u0307\u0323"), U"\u1E69");
  EXPECT_EQ(Norm(NormalForm::kNfkc, U"\uFB01\u2460"), U"fi1");
  EXPECT_EQ(Norm(NormalForm::kNfkd, U"\uFDFA").size(), 18u);
  EXPECT_EQ(Norm(NormalForm::kNfc, U"\u1112\u1161\u11AB"), U"\uD55C");
  EXPECT_EQ(Norm(NormalForm::kNfd, U"\uD55C"), U"\u1112\u1161\u11AB");
  EXPECT_EQ(Norm(NormalForm::kNfc, U"\u0958"), U"\u0915\u093C");  // composition exclusion
  EXPECT_EQ(Norm(NormalForm::kNfc, U"a\u0315\u0300\u05AE\u0300"), U"\u00E0\u05AE\u0300\u0315");
  EXPECT_EQ(NormalizeNfkc("\xEF\xBC\xA1"
                          "bc"),
            "Abc");
  EXPECT_EQ(NormalizeNfkc("plain"), "plain");
  const uint32_t composed[] = {0xE9};
  const uint32_t mark[] = {'e', 0x301};
  EXPECT_EQ(IsNormalizedQuick(NormalForm::kNfc, composed, 1), QuickCheck::kYes);
  EXPECT_EQ(IsNormalizedQuick(NormalForm::kNfd, composed, 1), QuickCheck::kNo);
  EXPECT_EQ(IsNormalizedQuick(NormalForm::kNfc, mark, 2), QuickCheck::kMaybe);
}

TEST(Unicode, NormalFormsAreStable) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::u32string text(1, c);
    const std::u32string nfd = Norm(NormalForm::kNfd, text);
    const std::u32string nfc = Norm(NormalForm::kNfc, text);
    ASSERT_EQ(Norm(NormalForm::kNfc, nfd), nfc) << static_cast<uint32_t>(c);
    ASSERT_EQ(Norm(NormalForm::kNfd, nfc), nfd) << static_cast<uint32_t>(c);
  }
}

TEST(Unicode, LongRunsOfMarksAreSorted) {
  std::u32string text(1, U'a');
  for (int i = 0; i < 200000; ++i) text += i % 2 == 0 ? U'\u0301' : U'\u0323';
  const std::u32string sorted = Norm(NormalForm::kNfd, text);
  ASSERT_EQ(sorted.size(), text.size());
  EXPECT_EQ(sorted[1], U'\u0323');
  EXPECT_EQ(sorted[100000], U'\u0323');
  EXPECT_EQ(sorted[100001], U'\u0301');
}

TEST(Unicode, Names) {
  EXPECT_EQ(Name('A'), "LATIN CAPITAL LETTER A");
  EXPECT_EQ(Name('\n'), "");
  EXPECT_EQ(Name(0xAC02), "HANGUL SYLLABLE GAGG");
  EXPECT_EQ(Name(0x4E2D), "CJK UNIFIED IDEOGRAPH-4E2D");
  EXPECT_EQ(Name(0x1F600), "GRINNING FACE");
  EXPECT_EQ(Name(0x0378), "");
  EXPECT_EQ(Name(0x10FFFF), "");
  EXPECT_EQ(FromName("LINE FEED"), '\n');
  EXPECT_EQ(FromName("bom"), 0xFEFF);
  EXPECT_EQ(FromName("latin small letter sharp s"), 0xDF);
  EXPECT_EQ(FromName("BELL"), 0x1F514);
  EXPECT_EQ(FromName("LATIN  SMALL LETTER A"), -1);
  EXPECT_EQ(FromName(""), -1);
  EXPECT_EQ(FromName(std::string(5000, 'A')), -1);
  EXPECT_EQ(FromName("HANGUL SYLLABLE GAX"), -1);
  EXPECT_EQ(FromName("CJK UNIFIED IDEOGRAPH-F900"), -1);
  EXPECT_EQ(FromName("cjk unified ideograph-4E00"), -1);
  char32_t sequence[kMaxNamedSequence];
  EXPECT_EQ(SequenceFromName("KEYCAP DIGIT ONE", sequence), 3u);
  EXPECT_EQ(sequence[2], 0x20E3u);
  EXPECT_EQ(FromName("KEYCAP DIGIT ONE"), -1);
  EXPECT_EQ(SequenceFromName("BELL", sequence), 0u);
}

TEST(Unicode, EveryNameLeadsBack) {
  size_t named = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string name = Name(c);
    if (name.empty()) continue;
    ++named;
    ASSERT_EQ(FromName(name), c) << name;
  }
  EXPECT_EQ(named, 143668u);
}

}  // namespace
}  // namespace minivm
