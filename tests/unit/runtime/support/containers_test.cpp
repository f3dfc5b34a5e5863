// SmallVector and TextBuffer: growth out of the inline part, caps and failure.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "runtime/support/small_vector.h"
#include "runtime/support/text_buffer.h"

namespace minivm {
namespace {

TEST(SmallVector, GrowsPastTheInlinePart) {
  SmallVector<int, 4> v;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(v.Push(i));
  ASSERT_EQ(v.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(v[static_cast<size_t>(i)], i);
  EXPECT_EQ(v.Pop(), 99);
  v.Truncate(3);
  EXPECT_EQ(v.back(), 2);
  ASSERT_TRUE(v.Push(v[0]));
  ASSERT_TRUE(v.Resize(8));
  EXPECT_EQ(v[7], 0);
  const int more[] = {7, 8, 9};
  ASSERT_TRUE(v.Append(more, 3));
  EXPECT_EQ(v.back(), 9);
}

TEST(SmallVector, RefusesTheImpossible) {
  SmallVector<uint64_t, 2> v;
  ASSERT_TRUE(v.Push(1));
  EXPECT_FALSE(v.Reserve(SIZE_MAX / 8));
  EXPECT_EQ(v.size(), 1u);
  EXPECT_EQ(v[0], 1u);
}

TEST(TextBuffer, Appends) {
  TextBuffer out;
  out.AppendInt(INT64_MIN);
  out.Append(' ');
  out.AppendUnsigned(UINT64_MAX);
  out.Append(" ");
  out.AppendHex(0xBEEF, 8);
  out.AppendHex(0);
  out.Append(3, '-');
  out.AppendCodePoint(0x20AC);
  out.AppendDouble(0.1);
  EXPECT_EQ(out.view(),
            "-9223372036854775808 18446744073709551615 0000beef0---\xE2\x82\xAC"
            "0.1");
  out.Truncate(1);
  EXPECT_EQ(out.view(), "-");
}

TEST(TextBuffer, StopsAtTheCap) {
  TextBuffer out(1000);
  out.Append(999, 'x');
  EXPECT_FALSE(out.failed());
  out.Append('y');
  EXPECT_FALSE(out.failed());
  out.Append('z');
  EXPECT_TRUE(out.failed());
  out.Append("more");
  out.Append('c');
  EXPECT_EQ(out.size(), 0u);
  EXPECT_EQ(out.Take(), nullptr);
}

TEST(TextBuffer, HandsOverItsBytes) {
  for (size_t n : {0, 5, 5000}) {
    TextBuffer out;
    out.Append(n, 'q');
    char* bytes = out.Take();
    ASSERT_NE(bytes, nullptr);
    EXPECT_EQ(std::string(bytes, n), std::string(n, 'q'));
    std::free(bytes);
    EXPECT_EQ(out.size(), 0u);
  }
}

}  // namespace
}  // namespace minivm
