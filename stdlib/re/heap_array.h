// HeapArray: a growable array of trivially copyable values in the VM's heap, so that what a pattern
// makes us hold counts against the VM's memory limit. Running out is reported, not thrown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "runtime/gc/heap.h"

namespace minivm::regex {

template <class T>
class HeapArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit HeapArray(Heap& heap) : heap_(&heap) {}
  ~HeapArray() {
    if (data_) heap_->FreeBuffer(data_, capacity_ * sizeof(T));
  }
  HeapArray(const HeapArray&) = delete;
  HeapArray& operator=(const HeapArray&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
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

  // False: no memory, nothing changed.
  [[nodiscard]] bool Push(const T& value) {
    const T copy = value;  // may live in this array
    if (size_ == capacity_ && !Grow(size_ + 1)) [[unlikely]]
      return false;
    data_[size_++] = copy;
    return true;
  }
  // REQUIRES: values do not live in this array
  [[nodiscard]] bool Append(const T* values, size_t n) {
    if (n > capacity_ - size_ && (n > SIZE_MAX / 2 || !Grow(size_ + n))) [[unlikely]]
      return false;
    if (n != 0) std::memcpy(static_cast<void*>(data_ + size_), values, n * sizeof(T));
    size_ += n;
    return true;
  }
  // New elements are zero bytes.
  [[nodiscard]] bool Resize(size_t size) {
    if (size > capacity_ && !Grow(size)) return false;
    if (size > size_) std::memset(static_cast<void*>(data_ + size_), 0, (size - size_) * sizeof(T));
    size_ = size;
    return true;
  }
  // REQUIRES: size <= this->size()
  void Truncate(size_t size) { size_ = size; }
  // Gives unused room back.
  void Shrink() {
    if (size_ == capacity_ || size_ == 0) return;
    void* p = heap_->ReallocateBuffer(data_, capacity_ * sizeof(T), size_ * sizeof(T));
    if (!p) return;
    data_ = static_cast<T*>(p);
    capacity_ = size_;
  }

 private:
  [[gnu::noinline]] bool Grow(size_t at_least) {
    size_t capacity = capacity_ < 8 ? 8 : capacity_ * 2;
    if (capacity < at_least) capacity = at_least;
    if (capacity > SIZE_MAX / 2 / sizeof(T)) return false;
    void* p = data_ ? heap_->ReallocateBuffer(data_, capacity_ * sizeof(T), capacity * sizeof(T))
                    : heap_->AllocateBuffer(capacity * sizeof(T));
    if (!p) return false;
    data_ = static_cast<T*>(p);
    capacity_ = capacity;
    return true;
  }

  Heap* heap_;
  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace minivm::regex
