// The memory of one VM: objects in size-class pages, raw buffers, accounting, the cap.
//
// Objects up to 8 KB live in 64 KB pages, aligned to their size, of one size class and one
// kind (container or plain); larger ones in a region of their own that starts with the same
// page header. So `page = address & ~0xFFFF` finds the heap of any object. A free slot has
// refcount 0 and its link at +8. Free lists are per page, last in, first out.
// The collector (collector.h) walks container pages; objects carry no links.
// Nothing here raises: allocation returns null when the cap or the system refuses, and the
// helpers in thread_state.h (New, AllocBuffer) turn that into MemoryError.
// Threading: everything under the VM's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/object.h"

namespace minivm {

class ThreadState;
class RuntimeState;
class Heap;
class Collector;

inline constexpr size_t kPageSize = 64 * 1024;
inline constexpr size_t kSmallLimit = 512;    // classes of 16 bytes up to here
inline constexpr size_t kMediumLimit = 8192;  // then four classes per doubling
inline constexpr int kNumSizeClasses = 32 + 16;

struct FreeSlot {
  uint32_t refcount;  // 0
  uint32_t unused;
  FreeSlot* next;
};

// Header of a page or of a large object's region.
struct Page {
  Heap* heap;
  Page* next;  // in the list of its class (pages with space), or of large regions
  Page* prev;
  FreeSlot* free;
  uint32_t slot_size;
  uint32_t live;       // slots in use
  uint32_t capacity;   // slots
  uint32_t fresh;      // slots handed out at least once: those above were never touched
  uint8_t size_class;
  bool container;
  bool young;          // objects were allocated here since the last collection of generation 0
  bool large;
  bool listed;         // in its class's list of pages with space
  uint32_t index;      // position in Heap's vector of container pages
  size_t region_size;  // of a large region: bytes mapped

  char* slots() { return reinterpret_cast<char*>(this) + kHeaderSize; }
  static Page* Of(const void* p) {
    return reinterpret_cast<Page*>(reinterpret_cast<uintptr_t>(p) & ~(uintptr_t{kPageSize} - 1));
  }
  static constexpr size_t kHeaderSize = 128;
};
static_assert(sizeof(Page) <= Page::kHeaderSize);

struct HeapStats {
  size_t bytes = 0;         // pages, regions and buffers now held
  size_t peak_bytes = 0;
  uint64_t allocations = 0;  // slow-path count of page refills; exact figures walk the pages
};

class Heap {
 public:
  explicit Heap(RuntimeState* rt);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  static Heap* Of(const Object* o) { return Page::Of(o)->heap; }

  // Memory of `size` bytes, 16-aligned; null when refused. `container` decides the kind of page.
  // The header is not initialised.
  void* Allocate(size_t size, bool container) {
    if (MVM_LIKELY(size <= kSmallLimit)) {
      Page* p = current_[container][(size + 15) / 16 - 1];
      FreeSlot* s = p->free;
      if (MVM_LIKELY(s != nullptr)) {
        p->free = s->next;
        ++p->live;
        return s;
      }
    }
    return AllocateSlow(size, container);
  }
  // Returns the memory of an object whose references are gone.
  void Free(Object* o) {
    Page* p = Page::Of(o);
    FreeSlot* s = reinterpret_cast<FreeSlot*>(o);
    FreeSlot* first = p->free;
    s->refcount = 0;
    if (MVM_LIKELY(first != nullptr && p->live > 1 && !p->large)) {
      s->next = first;
      p->free = s;
      --p->live;
      return;
    }
    FreeSlow(p, s);
  }

  // Raw buffers: counted, capped; the caller remembers the size.
  void* AllocateBuffer(size_t size);
  // Null when refused: the old buffer stays valid.
  void* ReallocateBuffer(void* p, size_t old_size, size_t new_size);
  void FreeBuffer(void* p, size_t size);

  // Would `more` bytes exceed the cap? For checks before size-driven work.
  bool WouldExceed(size_t more) const {
    return more > kMaxAllocation || (limit_ != 0 && stats_.bytes + more > limit_);
  }
  static constexpr size_t kMaxAllocation = size_t{1} << 46;
  void set_limit(size_t bytes) { limit_ = bytes; }  // 0: none
  size_t limit() const { return limit_; }
  const HeapStats& stats() const { return stats_; }
  void Account(ptrdiff_t delta) {
    stats_.bytes += delta;
    if (stats_.bytes > stats_.peak_bytes) stats_.peak_bytes = stats_.bytes;
  }

  RuntimeState* rt() const { return rt_; }
  Collector& collector() { return *collector_; }

  // The thread that holds the VM's lock: for handles dropped where no ThreadState is at hand.
  ThreadState* current_ts = nullptr;
  // Nested deallocations; past a limit objects are queued (finalizer.cpp).
  int dealloc_depth = 0;
  Object* dealloc_queue = nullptr;
  // Container allocations minus deallocations since the last young collection.
  int64_t young_count = 0;
  int64_t young_threshold = 2000;

  // Fails the n-th allocation from now on when >= 0 (tests).
  int64_t fail_after = -1;

  // For the collector: every container page, in any order, and every large container region.
  Page* const* container_pages() const { return container_pages_; }
  size_t container_page_count() const { return container_page_count_; }
  template <class F>
  void ForEachLarge(F f) {
    for (Page *p = large_, *next; p; p = next) {
      next = p->next;
      f(p);
    }
  }
  // Every live object of every kind (slow; statistics and shutdown checks).
  template <class F>
  void ForEachObject(F f) {
    for (size_t i = 0; i < page_count_; ++i) ForEachInPage(pages_[i], f);
    ForEachLarge([&](Page* p) { f(reinterpret_cast<Object*>(p->slots())); });
  }
  template <class F>
  static void ForEachInPage(Page* p, F f) {
    char* s = p->slots();
    for (uint32_t i = 0; i < p->fresh; ++i, s += p->slot_size) {
      Object* o = reinterpret_cast<Object*>(s);
      if (o->refcount != 0) f(o);
    }
  }
  static int SizeClassOf(size_t size);
  static size_t SizeOfClass(int size_class);

 private:
  void* AllocateSlow(size_t size, bool container);
  void FreeSlow(Page* p, FreeSlot* s);
  void* AllocateLarge(size_t size, bool container);
  Page* NewPage(int size_class, bool container);
  void ReleasePage(Page* p);
  void* Carve(Page* p);
  bool Admit(size_t bytes);
  char* TakeChunkPage();

  RuntimeState* rt_;
  Collector* collector_;
  Page empty_page_;  // what current_ points to while a class has no page
  Page* current_[2][kNumSizeClasses];
  Page* partial_[2][kNumSizeClasses];
  Page* large_ = nullptr;
  Page** pages_ = nullptr;  // all small-object pages
  size_t page_count_ = 0, page_capacity_ = 0;
  Page** container_pages_ = nullptr;
  size_t container_page_count_ = 0, container_page_capacity_ = 0;
  char* free_pages_ = nullptr;  // chain of mapped, unused pages
  size_t free_page_count_ = 0;
  struct Chunk {
    Chunk* next;
    char* base;
    size_t size;
  };
  Chunk* chunks_ = nullptr;
  size_t limit_ = 0;
  HeapStats stats_;
};

}  // namespace minivm
