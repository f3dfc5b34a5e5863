// Arena: a bump allocator with a byte cap.
//
// Everything a parse produces (tree, names, strings) lives in one arena and
// goes away with it; nothing is freed on its own and no destructor runs, so
// only trivially destructible types may live here. Running past the cap throws
// std::bad_alloc, which the caller of the parser or compiler maps to
// MemoryError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace minivm {

// Throws std::bad_alloc; out of line, for code that is compiled without exceptions but sees an
// arena.
[[noreturn]] void ThrowOutOfMemory();

class Arena {
 public:
  static constexpr size_t kDefaultCap = size_t{1} << 32;
  // Told of every block: bytes taken (true: granted), or given back (negative, cannot fail). None:
  // a long computation asks whether to go on.
  using Meter = bool (*)(void* owner, ptrdiff_t bytes);

  explicit Arena(size_t byte_cap = kDefaultCap) : cap_(byte_cap) {}
  Arena(Meter meter, void* owner) : cap_(kDefaultCap), meter_(meter), owner_(owner) {}
  ~Arena() { Release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Returns `size` uninitialised bytes aligned to 8. Throws std::bad_alloc past the cap.
  void* Allocate(size_t size) {
    if (size > static_cast<size_t>(limit_ - next_)) [[unlikely]]
      return AllocateSlow(size);
    char* result = next_;
    next_ += (size + 7) & ~size_t{7};
    if (next_ > limit_) next_ = limit_;
    return result;
  }

  template <class T, class... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return ::new (Allocate(sizeof(T))) T{std::forward<Args>(args)...};
  }

  // Returns room for `count` objects of T, uninitialised.
  template <class T>
  T* NewArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    if (count > SIZE_MAX / sizeof(T)) ThrowOutOfMemory();
    return static_cast<T*>(Allocate(count * sizeof(T)));
  }

  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    char* data = static_cast<char*>(Allocate(text.size()));
    std::memcpy(data, text.data(), text.size());
    return {data, text.size()};
  }

  // Tells the meter of bytes that are held beside the arena (positive) or given back (negative).
  void Charge(ptrdiff_t bytes) {
    if (meter_ != nullptr && !meter_(owner_, bytes)) ThrowOutOfMemory();
  }
  // A chance for the owner to stop the work: throws std::bad_alloc if he wants that.
  void Poll() { Charge(0); }

  // Bytes taken from the system so far.
  size_t bytes_reserved() const { return reserved_; }

  // Frees everything; the arena is then as new.
  void Release() {
    for (Block* block = blocks_; block != nullptr;) {
      Block* older = block->older;
      ::operator delete(block);
      block = older;
    }
    if (meter_ != nullptr && reserved_ != 0) meter_(owner_, -static_cast<ptrdiff_t>(reserved_));
    blocks_ = nullptr;
    next_ = limit_ = nullptr;
    reserved_ = 0;
  }

 private:
  struct Block {
    Block* older;
    uint64_t padding;
  };
  static constexpr size_t kFirstBlock = 4096;
  static constexpr size_t kLargestBlock = size_t{1} << 20;

  [[gnu::noinline]] void* AllocateSlow(size_t size) {
    if (size > cap_) ThrowOutOfMemory();
    size = (size + 7) & ~size_t{7};
    // Blocks grow with the arena, so that a one-line source costs one small block.
    size_t block_size = reserved_ < kFirstBlock ? kFirstBlock : reserved_;
    if (block_size > kLargestBlock) block_size = kLargestBlock;
    const bool own_block = size > block_size / 4;
    if (own_block) block_size = size + sizeof(Block);
    if (block_size > cap_ - reserved_) ThrowOutOfMemory();
    if (meter_ != nullptr && !meter_(owner_, static_cast<ptrdiff_t>(block_size))) {
      ThrowOutOfMemory();
    }
    Block* block = static_cast<Block*>(::operator new(block_size, std::nothrow));
    if (block == nullptr) {
      if (meter_ != nullptr) meter_(owner_, -static_cast<ptrdiff_t>(block_size));
      ThrowOutOfMemory();
    }
    reserved_ += block_size;
    char* data = reinterpret_cast<char*>(block) + sizeof(Block);
    if (own_block && blocks_ != nullptr) {
      // A large object gets a block of its own behind the current one.
      block->older = blocks_->older;
      blocks_->older = block;
      return data;
    }
    block->older = blocks_;
    blocks_ = block;
    next_ = data + size;
    limit_ = reinterpret_cast<char*>(block) + block_size;
    return data;
  }

  char* next_ = nullptr;
  char* limit_ = nullptr;
  Block* blocks_ = nullptr;
  size_t reserved_ = 0;
  size_t cap_;
  Meter meter_ = nullptr;
  void* owner_ = nullptr;
};

// A view of an array that lives in an arena.
template <class T>
struct Span {
  T* data = nullptr;
  uint32_t size = 0;

  T* begin() const { return data; }
  T* end() const { return data + size; }
  T& operator[](size_t i) const { return data[i]; }
  bool empty() const { return size == 0; }
  T& back() const { return data[size - 1]; }
};

// For containers that grow beside an arena: what they hold is told to its meter.
template <class T>
struct MeteredAllocator {
  using value_type = T;
  Arena* arena;

  MeteredAllocator(Arena& a) : arena(&a) {}  // NOLINT: a container is made from its arena
  template <class U>
  MeteredAllocator(const MeteredAllocator<U>& other) : arena(other.arena) {}

  T* allocate(size_t count) {
    if (count > PTRDIFF_MAX / sizeof(T)) ThrowOutOfMemory();
    arena->Charge(static_cast<ptrdiff_t>(count * sizeof(T)));
    void* room = ::operator new(count * sizeof(T), std::nothrow);
    if (room == nullptr) {
      arena->Charge(-static_cast<ptrdiff_t>(count * sizeof(T)));
      ThrowOutOfMemory();
    }
    return static_cast<T*>(room);
  }
  void deallocate(T* room, size_t count) {
    arena->Charge(-static_cast<ptrdiff_t>(count * sizeof(T)));
    ::operator delete(room);
  }
  template <class U>
  bool operator==(const MeteredAllocator<U>& other) const {
    return arena == other.arena;
  }
};

template <class T>
using MeteredVector = std::vector<T, MeteredAllocator<T>>;

}  // namespace minivm
