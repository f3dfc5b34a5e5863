// Bytes that grow, in memory of the VM.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "stdlib/codec_memory.h"

namespace minivm::zlib {

// Reserve() is false when there is no memory; what was written stays.
class ByteBuffer {
 public:
  explicit ByteBuffer(CodecMemory& memory) : memory_(memory) {}
  ~ByteBuffer() {
    if (data_) memory_.FreeBuffer(data_, capacity_);
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  uint8_t* data() { return data_; }
  size_t size() const { return size_; }
  size_t room() const { return capacity_ - size_; }
  void set_size(size_t n) { size_ = n; }  // REQUIRES: n <= capacity
  void clear() { size_ = 0; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Room for n more bytes.
  [[nodiscard]] bool Reserve(size_t n) {
    if (capacity_ - size_ >= n) return true;
    const size_t needed = size_ + n;
    const size_t capacity = std::max(needed, capacity_ + capacity_ / 2 + 256);
    if (memory_.WouldExceed(capacity - capacity_)) return false;
    void* p = memory_.ReallocateBuffer(data_, capacity_, capacity);
    if (!p) return false;
    data_ = static_cast<uint8_t*>(p);
    capacity_ = capacity;
    return true;
  }
  [[nodiscard]] bool Append(const void* p, size_t n) {
    if (!Reserve(n)) return false;
    if (n) std::memcpy(data_ + size_, p, n);
    size_ += n;
    return true;
  }
  void RemoveFront(size_t n) {
    std::memmove(data_, data_ + n, size_ - n);
    size_ -= n;
  }

 private:
  CodecMemory& memory_;
  uint8_t* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace minivm::zlib
