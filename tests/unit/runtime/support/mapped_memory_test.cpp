// Blocks of both kinds, and the text buffer that grows from one into the other.
#include "runtime/support/mapped_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/support/text_buffer.h"

namespace minivm {
namespace {

TEST(MappedMemoryTest, BlocksKeepTheirContentsFromKindToKind) {
  const size_t sizes[] = {100, kMapFrom - 1, kMapFrom, 3 * kMapFrom, kMapFrom, kMapFrom - 1, 50};
  char* block = nullptr;
  size_t size = 0;
  for (size_t next : sizes) {
    block = static_cast<char*>(ResizeBlock(block, size, next));
    ASSERT_NE(block, nullptr);
    if (size == 0) std::memcpy(block, "0123456789", 10);
    EXPECT_EQ(std::string(block, 10), "0123456789") << next;
    block[next - 1] = 'x';  // all of it is there
    size = next;
  }
  DeleteBlock(block, size);
  DeleteBlock(nullptr, 0);
}

TEST(MappedMemoryTest, NewBlocksAreZeroed) {
  for (size_t size : {size_t{4096}, 2 * kMapFrom}) {
    char* block = static_cast<char*>(NewBlock(size));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block[0] | block[size / 2] | block[size - 1], 0);
    DeleteBlock(block, size);
  }
}

TEST(TextBufferTest, GrowsFromInlineToMapped) {
  TextBuffer buffer;
  std::string expected;
  for (int i = 0; buffer.size() < 3 * kMapFrom; ++i) {
    buffer.AppendInt(i);
    expected += std::to_string(i);
  }
  EXPECT_EQ(buffer.view(), expected);
  char* taken = buffer.Take();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(std::string(taken, expected.size()), expected);
  std::free(taken);
  EXPECT_EQ(buffer.size(), 0u);
  buffer.Append("again");
  EXPECT_EQ(buffer.view(), "again");
}

}  // namespace
}  // namespace minivm
