// TextBuffer: growth and the formatted appends.
#include "runtime/support/text_buffer.h"

#include <cstdlib>
#include <cstring>

#include "runtime/support/float_format.h"
#include "runtime/support/mapped_memory.h"
#include "runtime/support/utf8.h"

namespace minivm {

bool TextBuffer::Grow(size_t extra) {
  if (failed_) return false;
  if (extra <= cap_ - size_) {
    size_t capacity = capacity_ * 2;
    if (capacity < size_ + extra) capacity = size_ + extra;
    if (capacity > cap_) capacity = cap_;
    // Nothing is as large as a terabyte; sanitizers end the process over it.
    constexpr size_t kTooLarge = size_t{1} << 40;
    const bool own = data_ != inline_;
    void* fresh = capacity < kTooLarge
                      ? ResizeBlock(own ? data_ : nullptr, own ? capacity_ : 0, capacity)
                      : nullptr;
    if (fresh != nullptr) {
      if (!own) std::memcpy(fresh, inline_, size_);
      data_ = static_cast<char*>(fresh);
      capacity_ = capacity;
      return true;
    }
  }
  Release();
  size_ = capacity_ = 0;
  failed_ = true;
  return false;
}

void TextBuffer::Release() {
  if (data_ != inline_) DeleteBlock(data_, capacity_);
  data_ = inline_;
}

char* TextBuffer::Take() {
  if (failed_) return nullptr;
  char* result = data_;
  if (data_ == inline_ || capacity_ >= kMapFrom) {
    result = static_cast<char*>(std::malloc(size_ == 0 ? 1 : size_));
    if (result == nullptr) return nullptr;
    std::memcpy(result, data_, size_);
    Release();
  }
  data_ = inline_;
  size_ = 0;
  capacity_ = kInline;
  return result;
}

void TextBuffer::AppendInt(int64_t value) {
  if (value >= 0) return AppendUnsigned(static_cast<uint64_t>(value));
  Append('-');
  AppendUnsigned(0 - static_cast<uint64_t>(value));
}

void TextBuffer::AppendUnsigned(uint64_t value) {
  char digits[20];
  char* first = digits + sizeof(digits);
  do {
    *--first = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  Append(std::string_view(first, static_cast<size_t>(digits + sizeof(digits) - first)));
}

void TextBuffer::AppendHex(uint64_t value, unsigned width) {
  char digits[16];
  char* first = digits + sizeof(digits);
  do {
    *--first = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  const size_t count = static_cast<size_t>(digits + sizeof(digits) - first);
  if (width > count) Append(width - count, '0');
  Append(std::string_view(first, count));
}

void TextBuffer::AppendCodePoint(char32_t c) {
  char bytes[4];
  Append(std::string_view(bytes, EncodeUtf8(bytes, c)));
}

void TextBuffer::AppendDouble(double value) {
  char text[kFloatReprSize];
  Append(std::string_view(text, FloatRepr(text, value)));
}

}  // namespace minivm
