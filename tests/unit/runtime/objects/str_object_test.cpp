// What scripts cannot see of str: kinds, growth in place, the builder, limits.
#include "runtime/objects/str_object.h"

#include <gtest/gtest.h>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/protocol/format.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

class StrObjectTest : public testing::Test {
 protected:
  Ref<StrObject> Str(std::string_view utf8) { return NewStr(ts(), utf8).Take(); }
  ThreadState& ts() { return vm_.ts(); }
  TestVm vm_;
};

TEST_F(StrObjectTest, NarrowestKindIsUsed) {
  EXPECT_TRUE(Str("abc")->ascii());
  EXPECT_EQ(Str("abc\xC3\xA9")->kind(), 1);
  EXPECT_FALSE(Str("abc\xC3\xA9")->ascii());
  EXPECT_EQ(Str("a\xE2\x82\xAC")->kind(), 2);
  EXPECT_EQ(Str("a\xF0\x9F\x98\x80")->kind(), 4);
  Ref<StrObject> wide =
      Str("a\xF0\x9F\x98\x80"
          "bc");
  Ref<StrObject> tail(StrSlice(ts(), wide, 2, 4));
  EXPECT_TRUE(tail->ascii());
  EXPECT_TRUE(StrEquals(tail, Str("bc")));
  EXPECT_EQ(StrHash(vm_.rt(), tail), StrHash(vm_.rt(), Str("bc")));
}

TEST_F(StrObjectTest, ShortStringsAreShared) {
  EXPECT_EQ(Str("x").get(), Str("x").get());
  EXPECT_EQ(Str("\xC3\xA9").get(), StrFromChar(ts(), 0xE9).Take().get());
  EXPECT_EQ(Str("").get(), EmptyStr(ts()).Take().get());
}

TEST_F(StrObjectTest, AppendGrowsInPlaceAndAmortised) {
  Ref<StrObject> tail = Str("0123456789");
  Ref<StrObject> s(StrConcat(ts(), tail, tail));
  size_t moves = 0;
  for (int i = 0; i < 20000; ++i) {
    StrObject* before = s;
    s = Ref<StrObject>(StrAppendInPlace(ts(), s.Release(), tail));
    moves += s.get() != before;
  }
  EXPECT_EQ(s->length, 200020u);
  EXPECT_LT(moves, 200u);
  EXPECT_TRUE(s->ascii());
  EXPECT_EQ(s->ascii_view().substr(200010), "0123456789");
  EXPECT_EQ(s->data1()[s->length], 0);
}

TEST_F(StrObjectTest, AppendLeavesOthersAlone) {
  Ref<StrObject> s(StrConcat(ts(), Str("ab"), Str("cd")));
  Ref<StrObject> other = s;
  Ref<StrObject> grown(StrAppendInPlace(ts(), s.Release(), Str("ef")));
  EXPECT_EQ(ToUtf8(other), "abcd");
  EXPECT_EQ(ToUtf8(grown), "abcdef");
  // Itself, and a wider tail.
  StrObject* self = grown.Release();
  Ref<StrObject> twice(StrAppendInPlace(ts(), self, self));
  EXPECT_EQ(ToUtf8(twice), "abcdefabcdef");
  Ref<StrObject> wide(StrAppendInPlace(ts(), twice.Release(), Str("\xE2\x82\xAC")));
  EXPECT_EQ(ToUtf8(wide), "abcdefabcdef\xE2\x82\xAC");
  EXPECT_EQ(wide->kind(), 2);
}

TEST_F(StrObjectTest, AppendForgetsTheHash) {
  Ref<StrObject> s(StrConcat(ts(), Str("ab"), Str("cd")));
  StrHash(vm_.rt(), s);
  s = Ref<StrObject>(StrAppendInPlace(ts(), s.Release(), Str("e")));
  EXPECT_EQ(StrHash(vm_.rt(), s), StrHash(vm_.rt(), Str("abcde")));
}

TEST_F(StrObjectTest, BuilderWidens) {
  StrBuilder b(ts());
  for (int i = 0; i < 500; ++i) ASSERT_FALSE(b.Append('a').raised());
  ASSERT_FALSE(b.Append(0xE9).raised());
  ASSERT_FALSE(b.Append(0x20AC).raised());
  ASSERT_FALSE(b.Append(0x1F600).raised());
  ASSERT_FALSE(b.AppendAscii("end").raised());
  Ref<StrObject> s(b.Finish());
  EXPECT_EQ(s->length, 506u);
  EXPECT_EQ(s->At(500), 0xE9u);
  EXPECT_EQ(s->At(501), 0x20ACu);
  EXPECT_EQ(s->At(502), 0x1F600u);
  EXPECT_EQ(s->At(505), static_cast<char32_t>('d'));
  EXPECT_EQ(b.length(), 0u);
}

TEST_F(StrObjectTest, BuilderNarrowsAfterTruncation) {
  StrBuilder b(ts());
  ASSERT_FALSE(b.AppendAscii("abc").raised());
  ASSERT_FALSE(b.Append(0x20AC).raised());
  b.Truncate(3);
  Ref<StrObject> s(b.Finish());
  EXPECT_TRUE(s->ascii());
  EXPECT_TRUE(StrEquals(s, Str("abc")));
}

TEST_F(StrObjectTest, SizesAreCheckedBeforeWork) {
  vm_.rt().heap.set_limit(64 << 20);
  Ref<StrObject> s = Str("ab");
  EXPECT_TRUE(StrRepeat(ts(), s, int64_t{1} << 40).raised());
  EXPECT_EQ(vm_.TakeError().substr(0, 11), "MemoryError");
  EXPECT_TRUE(StrRepeat(ts(), s, INT64_MAX).raised());
  EXPECT_EQ(vm_.TakeError(), "OverflowError: repeated string is too long");
  EXPECT_TRUE(FormatInt(ts(), Value::Int(5), Str("999999999999d")).raised());
  EXPECT_EQ(vm_.TakeError().substr(0, 11), "MemoryError");
  EXPECT_TRUE(FormatStr(ts(), s, Str(">999999999999")).raised());
  EXPECT_EQ(vm_.TakeError().substr(0, 11), "MemoryError");
  EXPECT_TRUE(NewBytesRaw(ts(), size_t{1} << 50).raised());
  EXPECT_EQ(vm_.TakeError().substr(0, 11), "MemoryError");
}

TEST_F(StrObjectTest, DecodersLeaveIncompleteInput) {
  DecodeInput in;
  in.bytes = "a\xE2\x82";
  in.final = false;
  Ref<StrObject> s(DecodeUtf8Codec(ts(), in));
  EXPECT_EQ(ToUtf8(s), "a");
  EXPECT_EQ(in.consumed, 1u);
  in = DecodeInput();
  in.bytes = std::string_view("a\0\x3D\xD8", 4);
  in.final = false;
  ByteOrder order = ByteOrder::kLittle;
  s = Ref<StrObject>(DecodeUtf16(ts(), in, &order));
  EXPECT_EQ(ToUtf8(s), "a");
  EXPECT_EQ(in.consumed, 2u);
}

TEST_F(StrObjectTest, ViewsReleaseTheirExports) {
  Ref<BytearrayObject> array(NewBytearray(ts(), "abc"));
  {
    Ref<MemoryviewObject> view(NewMemoryview(ts(), array));
    Ref<MemoryviewObject> second(NewMemoryview(ts(), view));
    EXPECT_EQ(array->exports, 1);
    ASSERT_FALSE(MemoryviewRelease(ts(), view).raised());
    EXPECT_EQ(array->exports, 1);
    EXPECT_TRUE(BytearrayResize(ts(), array, 10).raised());
    EXPECT_EQ(vm_.TakeError(), "BufferError: Existing exports of data: object cannot be re-sized");
  }
  EXPECT_EQ(array->exports, 0);
  ASSERT_FALSE(BytearrayResize(ts(), array, 10).raised());
}

TEST_F(StrObjectTest, QueueOfBytesIsLinear) {
  Ref<BytearrayObject> queue(NewBytearray(ts(), std::string(100000, 'x')));
  for (int i = 0; i < 300000; ++i) {
    ASSERT_FALSE(BytearraySplice(ts(), queue, 0, 1, {}).raised());
    ASSERT_FALSE(BytearraySplice(ts(), queue, queue->size, 0, "y").raised());
  }
  EXPECT_EQ(queue->size, 100000u);
  EXPECT_EQ(queue->view(), std::string(100000, 'y'));
  EXPECT_LT(queue->capacity, 400000u);
}

}  // namespace
}  // namespace minivm
