// Decoding of sources: byte order marks, cookies and invalid UTF-8.
#include "vm/syntax/source_decode.h"

#include <gtest/gtest.h>

namespace minivm {
namespace {

struct Outcome {
  bool ok;
  DecodedSource source;
  Diagnostic error;
};

Outcome Decode(std::string_view bytes, SourceOrigin origin = SourceOrigin::kBytes) {
  Outcome outcome;
  outcome.ok = DecodeSource(bytes, origin, "script.py", {}, &outcome.source, &outcome.error);
  return outcome;
}

TEST(SourceDecodeTest, Utf8IsViewed) {
  const std::string bytes = "x = '\u00e9'";
  const Outcome outcome = Decode(bytes);
  ASSERT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.source.text.data(), bytes.data());
  EXPECT_EQ(outcome.source.encoding, "utf-8");
  EXPECT_EQ(Decode("\xEF\xBB\xBFx").source.text, "x");
  EXPECT_EQ(Decode("\xEF\xBB\xBF# coding: utf-8\nx").source.text, "# coding: utf-8\nx");
}

TEST(SourceDecodeTest, CookiesAreFound) {
  EXPECT_EQ(FindEncodingCookie("# -*- coding: Latin-1 -*-"), "iso-8859-1");
  EXPECT_EQ(FindEncodingCookie("#!/bin/x\n# vim: set fileencoding=utf_8 :"), "utf-8");
  EXPECT_EQ(FindEncodingCookie("\f \t# coding=foo"), "foo");
  EXPECT_EQ(FindEncodingCookie("\n\n# coding: foo"), "");
  EXPECT_EQ(FindEncodingCookie("x = 1\n# coding: foo"), "");
  EXPECT_EQ(FindEncodingCookie("x = 1 # coding: foo"), "");
  EXPECT_EQ(FindEncodingCookie("# coding:"), "");
  EXPECT_EQ(FindEncodingCookie("# coding : foo coding:bar"), "bar");
}

TEST(SourceDecodeTest, OtherEncodings) {
  EXPECT_EQ(Decode("# coding: latin-1\n\xE9").source.text, "# coding: latin-1\n\u00e9");
  EXPECT_EQ(Decode("# coding: cp1252\n\x80").source.text, "# coding: cp1252\n\u20ac");
  EXPECT_EQ(Decode("# coding: ascii\nx").source.text, "# coding: ascii\nx");
}

TEST(SourceDecodeTest, Errors) {
  EXPECT_EQ(Decode("# coding: foo\n").error.message, "unknown encoding: foo");
  EXPECT_EQ(Decode("# coding: foo\n").error.offset, -1);
  EXPECT_EQ(Decode("# coding: foo\n", SourceOrigin::kFile).error.message, "encoding problem: foo");
  EXPECT_EQ(Decode("\xEF\xBB\xBF# coding: latin-1\n").error.message,
            "encoding problem: iso-8859-1 with BOM");
  EXPECT_EQ(Decode("# coding: ascii\nx='\xE9'").error.message,
            "'ascii' codec can't decode byte 0xe9 in position 19: ordinal not in range(128)");
  EXPECT_EQ(Decode("# coding: cp1252\nx='\x81'").error.message,
            "'charmap' codec can't decode byte 0x81 in position 20: character maps to <undefined>");
  EXPECT_EQ(Decode("# coding: utf8\nx='\xE9'").error.message,
            "'utf-8' codec can't decode byte 0xe9 in position 18: invalid continuation byte");
  EXPECT_EQ(Decode("a\n\xE9", SourceOrigin::kFile).error.message,
            "Non-UTF-8 code starting with '\\xe9' in file script.py on line 2, but no encoding "
            "declared; see https://peps.python.org/pep-0263/ for details");
  EXPECT_EQ(Decode(std::string_view("a\0b", 3)).error.message,
            "source code string cannot contain null bytes");
  EXPECT_EQ(Decode(std::string_view("a\nb\0b", 5), SourceOrigin::kFile).error.message,
            "source code cannot contain null bytes");
}

TEST(SourceDecodeTest, InvalidUtf8IsFoundWhereItMatters) {
  const struct {
    const char* bytes;
    const char* message;
  } kCases[] = {
      {"x = 1 # \xFF", nullptr},
      {"x = '\xE9'",
       "(unicode error) 'utf-8' codec can't decode byte 0xe9 in position 0: unexpected end of "
       "data"},
      {"x = '\xE2\x82'",
       "(unicode error) 'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"},
      {"x\xFF",
       "(unicode error) 'utf-8' codec can't decode byte 0xff in position 1: invalid "
       "start byte"},
      {"b'\xFF'", "bytes can only contain ASCII literal characters"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.bytes);
    const Outcome outcome = Decode(c.bytes);
    ASSERT_TRUE(outcome.ok);
    EXPECT_TRUE(outcome.source.invalid_utf8);
    Arena arena;
    ParseOptions options;
    options.invalid_utf8 = true;
    Diagnostic error;
    const Mod* mod = Parse(arena, outcome.source.text, options, &error, nullptr);
    EXPECT_EQ(mod != nullptr, c.message == nullptr);
    if (c.message != nullptr) {
      EXPECT_EQ(error.message, c.message);
    }
  }
}

}  // namespace
}  // namespace minivm
