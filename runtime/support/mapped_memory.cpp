// See mapped_memory.h. mremap is Linux's; elsewhere blocks that grow are copied.
#include "runtime/support/mapped_memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace minivm {

namespace {

constexpr size_t kUnit = 4096;

size_t Rounded(size_t size) { return (size + kUnit - 1) & ~(kUnit - 1); }

}  // namespace

void* MapMemory(size_t size) {
  const int reserve = size < kAskSystemFrom ? MAP_NORESERVE : 0;
  void* p = mmap(nullptr, Rounded(size), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | reserve, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

void* RemapMemory(void* p, size_t old_size, size_t new_size) {
  const size_t from = Rounded(old_size), to = Rounded(new_size);
  if (from == to) return p;
#ifdef MREMAP_MAYMOVE
  // Blocks that were never asked about must be, when they grow: that is decided when they are made.
  if (new_size < kAskSystemFrom || old_size >= kAskSystemFrom) {
    void* moved = mremap(p, from, to, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? nullptr : moved;
  }
#endif
  void* fresh = MapMemory(new_size);
  if (!fresh) return nullptr;
  std::memcpy(fresh, p, old_size < new_size ? old_size : new_size);
  munmap(p, from);
  return fresh;
}

void UnmapMemory(void* p, size_t size) { munmap(p, Rounded(size)); }

void PreferLargePages(void* p, size_t size) {
#ifdef MADV_HUGEPAGE
  madvise(p, Rounded(size), MADV_HUGEPAGE);
#endif
}

void* NewBlock(size_t size) { return size < kMapFrom ? std::calloc(1, size) : MapMemory(size); }

void* ResizeBlock(void* p, size_t old_size, size_t new_size) {
  if (old_size < kMapFrom && new_size < kMapFrom) return std::realloc(p, new_size);
  if (old_size >= kMapFrom && new_size >= kMapFrom) return RemapMemory(p, old_size, new_size);
  void* fresh = new_size < kMapFrom ? std::malloc(new_size) : MapMemory(new_size);
  if (fresh == nullptr || p == nullptr) return fresh;
  std::memcpy(fresh, p, old_size < new_size ? old_size : new_size);
  DeleteBlock(p, old_size);
  return fresh;
}

void DeleteBlock(void* p, size_t size) {
  if (p == nullptr) return;
  return size < kMapFrom ? std::free(p) : UnmapMemory(p, size);
}

}  // namespace minivm
