// SmallVector: a growable array of trivially copyable values, the first N of
// which need no allocation.
//
// For work lists and temporaries inside one function. Running out of memory is
// reported, not thrown: the functions that can grow return false and leave the
// contents as they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "runtime/support/check.h"

namespace minivm {

template <class T, size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16 && N > 0);

 public:
  SmallVector() = default;
  ~SmallVector() {
    if (!is_inline()) std::free(data_);
  }
  SmallVector(const SmallVector&) = delete;
  SmallVector& operator=(const SmallVector&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  T& operator[](size_t i) {
    MVM_DCHECK(i < size_, "index past the end");
    return data_[i];
  }
  const T& operator[](size_t i) const {
    MVM_DCHECK(i < size_, "index past the end");
    return data_[i];
  }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  // Room for `capacity` elements in all.
  [[nodiscard]] bool Reserve(size_t capacity) { return capacity <= capacity_ || Grow(capacity); }

  [[nodiscard]] bool Push(const T& value) {
    const T copy = value;  // may live in this vector
    if (size_ == capacity_ && !Grow(size_ + 1)) [[unlikely]]
      return false;
    data_[size_++] = copy;
    return true;
  }

  // REQUIRES: values do not live in this vector.
  [[nodiscard]] bool Append(const T* values, size_t count) {
    if (count > capacity_ - size_ && (count > SIZE_MAX - size_ || !Grow(size_ + count)))
      return false;
    if (count != 0) std::memcpy(static_cast<void*>(data_ + size_), values, count * sizeof(T));
    size_ += count;
    return true;
  }

  // New elements are zero bytes.
  [[nodiscard]] bool Resize(size_t size) {
    if (!Reserve(size)) return false;
    if (size > size_) std::memset(static_cast<void*>(data_ + size_), 0, (size - size_) * sizeof(T));
    size_ = size;
    return true;
  }

  T Pop() {
    MVM_DCHECK(size_ > 0, "pop from an empty vector");
    return data_[--size_];
  }
  // REQUIRES: size <= this->size().
  void Truncate(size_t size) {
    MVM_DCHECK(size <= size_, "truncating to more");
    size_ = size;
  }
  void Clear() { size_ = 0; }

 private:
  bool is_inline() const { return data_ == reinterpret_cast<const T*>(inline_); }

  [[gnu::noinline]] bool Grow(size_t at_least) {
    size_t capacity = capacity_ > SIZE_MAX / 2 ? SIZE_MAX : capacity_ * 2;
    if (capacity < at_least) capacity = at_least;
    if (capacity > SIZE_MAX / 2 / sizeof(T)) return false;
    void* fresh = is_inline() ? std::malloc(capacity * sizeof(T))
                              : std::realloc(static_cast<void*>(data_), capacity * sizeof(T));
    if (fresh == nullptr) return false;
    if (is_inline()) std::memcpy(fresh, inline_, size_ * sizeof(T));
    data_ = static_cast<T*>(fresh);
    capacity_ = capacity;
    return true;
  }

  T* data_ = reinterpret_cast<T*>(inline_);
  size_t size_ = 0;
  size_t capacity_ = N;
  alignas(T) unsigned char inline_[N * sizeof(T)];
};

}  // namespace minivm
