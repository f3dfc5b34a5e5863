// TextBuffer: a growable byte string with a size cap.
//
// Appending never fails visibly: once the cap or the memory is exceeded the
// buffer is `failed()`, drops what it held and ignores further appends, so that
// a writer checks once at the end. The first bytes live inside the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace minivm {

class TextBuffer {
 public:
  static constexpr size_t kNoCap = SIZE_MAX / 2;

  explicit TextBuffer(size_t cap = kNoCap) : cap_(cap < kNoCap ? cap : kNoCap) {}
  ~TextBuffer() { Release(); }
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  bool failed() const { return failed_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

  void Append(char c) {
    if (size_ < capacity_) [[likely]] {
      data_[size_++] = c;
    } else if (char* room = Extend(1)) {
      *room = c;
    }
  }
  void Append(std::string_view text) {
    if (text.empty()) return;
    if (char* room = Extend(text.size())) std::memcpy(room, text.data(), text.size());
  }
  void Append(size_t count, char c) {
    if (char* room = Extend(count)) std::memset(room, c, count);
  }
  void AppendInt(int64_t value);
  void AppendUnsigned(uint64_t value);
  // Lower-case hexadecimal, padded with zeros to `width`.
  void AppendHex(uint64_t value, unsigned width = 0);
  // UTF-8; surrogates come out as three bytes.
  void AppendCodePoint(char32_t c);
  // repr(float).
  void AppendDouble(double value);

  // Uninitialised room for `count` more bytes, counted into size(); null when failed (or, possibly,
  // when count is 0).
  char* Extend(size_t count) {
    if (count > capacity_ - size_ && !Grow(count)) [[unlikely]]
      return nullptr;
    char* room = data_ + size_;
    size_ += count;
    return room;
  }

  // Drops what is past `size`.
  void Truncate(size_t size) {
    if (size < size_) size_ = size;
  }
  void Clear() { size_ = 0; }

  // Hands over the bytes as a malloc'd block of size() (at least 1) bytes; null when failed.
  // The buffer is empty then. The caller frees it.
  char* Take();

 private:
  static constexpr size_t kInline = 232;

  bool Grow(size_t extra);
  void Release();

  char* data_ = inline_;
  size_t size_ = 0;
  size_t capacity_ = kInline;  // 0 when failed
  size_t cap_;
  bool failed_ = false;
  char inline_[kInline];
};

}  // namespace minivm
