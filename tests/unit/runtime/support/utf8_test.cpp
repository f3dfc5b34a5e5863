// UTF-8: which bytes are an error and how long it is, and conversions between widths.
#include "runtime/support/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace minivm {
namespace {

std::string ScanText(std::string_view bytes, bool surrogates = false) {
  const Utf8Scan scan = ScanUtf8(bytes.data(), bytes.size(), surrogates);
  if (scan.error == Utf8Error::kNone) return "ok " + std::to_string(scan.code_points);
  return std::to_string(scan.valid_bytes) + "+" + std::to_string(scan.error_length) + " " +
         Utf8ErrorReason(scan.error);
}

TEST(Utf8, ReportsErrorsAsMaximalSubparts) {
  EXPECT_EQ(ScanText(""), "ok 0");
  EXPECT_EQ(ScanText("abc\xC3\xA9"), "ok 4");
  EXPECT_EQ(ScanText("\x80"), "0+1 invalid start byte");
  EXPECT_EQ(ScanText("a\xC0\x80"), "1+1 invalid start byte");
  EXPECT_EQ(ScanText("\xC1\xBF"), "0+1 invalid start byte");
  EXPECT_EQ(ScanText("\xF5\x80\x80\x80"), "0+1 invalid start byte");
  EXPECT_EQ(ScanText("\xFF"), "0+1 invalid start byte");
  EXPECT_EQ(ScanText("\xC3"), "0+1 unexpected end of data");
  EXPECT_EQ(ScanText("\xC3("), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xE0\x80\x80"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xE2\x82"), "0+2 unexpected end of data");
  EXPECT_EQ(ScanText("\xE2\x28\xA1"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xE2\x82\x28"), "0+2 invalid continuation byte");
  EXPECT_EQ(ScanText("\xE2"), "0+1 unexpected end of data");
  EXPECT_EQ(ScanText("\xED\xA0\x80"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xED\xA0"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xF0\x80\x80\x80"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xF0\x9F\x98"), "0+3 unexpected end of data");
  EXPECT_EQ(ScanText("\xF0\x9F\x98("), "0+3 invalid continuation byte");
  EXPECT_EQ(ScanText("\xF4\x90\x80\x80"), "0+1 invalid continuation byte");
  EXPECT_EQ(ScanText(std::string(100, 'x') + "\xF0\x9F\x98\x80" + std::string(9, 'y') + "\xF0\x28"),
            "113+1 invalid continuation byte");
  EXPECT_EQ(ScanText("\xED\xA0\x80", true), "ok 1");
  EXPECT_EQ(ScanText("\xED\xBF\xBF", true), "ok 1");
}

TEST(Utf8, FindsTheWidth) {
  const auto width = [](std::string_view s) { return ScanUtf8(s.data(), s.size()).max_char; };
  EXPECT_EQ(width("abc"), 0x7Fu);
  EXPECT_EQ(width("\xC2\x80"), 0xFFu);
  EXPECT_EQ(width("\xC3\xBF"), 0xFFu);
  EXPECT_EQ(width("\xC4\x80"), 0xFFFFu);
  EXPECT_EQ(width("\xEF\xBF\xBF"), 0xFFFFu);
  EXPECT_EQ(width("\xF0\x90\x80\x80"), 0x10FFFFu);
}

TEST(Utf8, EveryCodePointRoundTrips) {
  std::vector<uint32_t> text;
  for (char32_t c = 0; c <= kMaxCodePoint; ++c) text.push_back(c);
  size_t first_surrogate = 0;
  std::string bytes(Utf8Size(text.data(), text.size(), &first_surrogate), '\0');
  EXPECT_EQ(first_surrogate, 0xD800u);
  EXPECT_EQ(EncodeUtf8Text(bytes.data(), text.data(), text.size()), bytes.size());
  const Utf8Scan strict = ScanUtf8(bytes.data(), bytes.size());
  EXPECT_EQ(strict.error, Utf8Error::kInvalidContinuation);
  EXPECT_EQ(strict.code_points, 0xD800u);
  const Utf8Scan scan = ScanUtf8(bytes.data(), bytes.size(), true);
  EXPECT_EQ(scan.error, Utf8Error::kNone);
  ASSERT_EQ(scan.code_points, text.size());
  std::vector<uint32_t> back(text.size());
  DecodeUtf8(back.data(), bytes.data(), bytes.size());
  EXPECT_EQ(back, text);
  EXPECT_EQ(CountUtf8(bytes.data(), bytes.size()), text.size());
  for (size_t index : {0, 1, 7, 8, 127, 128, 130, 2049, 70000, 0x10FFFF}) {
    const char* p = bytes.data() + Utf8Offset(bytes.data(), bytes.size(), index);
    EXPECT_EQ(NextUtf8(&p), index);
  }
  EXPECT_EQ(Utf8Offset(bytes.data(), bytes.size(), text.size()), bytes.size());
}

TEST(Utf8, NarrowWidths) {
  const std::string bytes =
      "Stra\xC3\x9F"
      "e, a long tail of ASCII letters \xC3\xBF";
  const Utf8Scan scan = ScanUtf8(bytes.data(), bytes.size());
  std::vector<uint8_t> narrow(scan.code_points);
  DecodeUtf8(narrow.data(), bytes.data(), bytes.size());
  EXPECT_EQ(narrow[4], 0xDF);
  EXPECT_EQ(narrow.back(), 0xFF);
  std::string back(Utf8Size(narrow.data(), narrow.size()), '\0');
  EncodeUtf8Text(back.data(), narrow.data(), narrow.size());
  EXPECT_EQ(back, bytes);
  EXPECT_EQ(MaxChar(narrow.data(), narrow.size()), 0xFFu);
  std::vector<uint16_t> wide(narrow.size());
  ConvertChars(wide.data(), narrow.data(), narrow.size());
  EXPECT_EQ(MaxChar(wide.data(), wide.size()), 0xFFu);
  wide.push_back(0x20AC);
  EXPECT_EQ(MaxChar(wide.data(), wide.size()), 0xFFFFu);
}

TEST(Utf8, AsciiPrefix) {
  for (size_t n = 0; n < 70; ++n) {
    std::string s(70, 'a');
    s[n] = '\x80';
    EXPECT_EQ(AsciiPrefix(s.data(), s.size()), n);
    EXPECT_EQ(AsciiPrefix(s.data(), n), n);
  }
}

TEST(Utf8, Surrogates) {
  EXPECT_TRUE(IsHighSurrogate(0xD800) && IsLowSurrogate(0xDFFF) && !IsSurrogate(0xE000));
  EXPECT_EQ(JoinSurrogates(0xD83D, 0xDE00), 0x1F600u);
}

}  // namespace
}  // namespace minivm
