// The memory of one VM: objects in size-class pages, raw buffers, accounting, the cap.
//
// Objects up to 8 KB live in 64 KB pages, aligned to their size, of one size class and one
// kind (container or plain); larger ones in a region of their own, a row of pages or a mapping,
// that starts with the same page header. So `page = address & ~0xFFFF` finds the heap of any
// object. A free slot has refcount 0 and its link at +8. Free lists are per page, last in, first
// out. Raw buffers up to 512 bytes share the machinery in pages of a third kind; those from 1 MB on
// are mapped. The collector (collector.h) walks container pages; objects carry no links. A page is
// `young` while it may hold objects made since the last young collection; so that few pages are, a
// full page of containers is allocated into again only when a quarter of it is free. Nothing here
// raises: allocation returns null when the cap or the system refuses, and the helpers in
// thread_state.h (New, AllocBuffer) turn that into MemoryError. Threading: everything under the
// VM's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/object.h"

namespace minivm {

class ThreadState;
class RuntimeState;
class Heap;
class Collector;
class AllocTracer;

inline constexpr size_t kPageSize = 64 * 1024;
inline constexpr size_t kSmallLimit = 512;    // classes of 16 bytes up to here
inline constexpr size_t kMediumLimit = 8192;  // then four classes per doubling
inline constexpr int kNumSizeClasses = 32 + 16;

enum PageKind : uint8_t { kPagePlain = 0, kPageContainer = 1, kPageBuffer = 2, kPageKinds = 3 };

// Under the address sanitizer the dead part of a free slot is poisoned; with checks on it is
// overwritten, so that stale pointers show.
#if defined(__SANITIZE_ADDRESS__)
#define MVM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MVM_ASAN 1
#endif
#endif
#ifdef MVM_ASAN
extern "C" void __asan_poison_memory_region(void const volatile*, size_t);
extern "C" void __asan_unpoison_memory_region(void const volatile*, size_t);
#define MVM_POISON(p, n) __asan_poison_memory_region((p), (n))
#define MVM_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define MVM_POISON(p, n) ((void)0)
#define MVM_UNPOISON(p, n) ((void)0)
#endif

struct FreeSlot {
  uint32_t refcount;  // 0
  uint32_t unused;
  FreeSlot* next;
};

struct HeapChunk;

// Header of a page or of a large object's region.
struct Page {
  Heap* heap;
  Page* next;  // in the list of its class (pages with space), or of large regions
  Page* prev;
  FreeSlot* free;
  uint32_t slot_size;
  uint32_t live;      // slots in use
  uint32_t capacity;  // slots
  uint32_t fresh;     // slots carved so far: those above were never touched
  uint32_t slow_at;   // Free takes the slow path when live is not above this
  uint8_t size_class;
  bool container;
  bool young;   // may hold objects of age 0
  bool middle;  // may hold objects of age 1
  bool large;
  bool listed;  // in its class's list of pages with space
  PageKind kind;
  uint32_t index;            // position in Heap's vector of pages
  uint32_t container_index;  // position in Heap's vector of container pages
  uint32_t young_index;      // positions in the lists of young and of middle pages
  uint32_t middle_index;
  size_t region_size;  // of a large region: bytes mapped
  HeapChunk* chunk;    // null: the region is mapped by itself

  char* slots() { return reinterpret_cast<char*>(this) + kHeaderSize; }
  static Page* Of(const void* p) {
    return reinterpret_cast<Page*>(reinterpret_cast<uintptr_t>(p) & ~(uintptr_t{kPageSize} - 1));
  }
  static constexpr size_t kHeaderSize = 128;
};
static_assert(sizeof(Page) <= Page::kHeaderSize);

// A vector of pages that each know their position in it; room is made when pages are.
struct PageList {
  Page** items = nullptr;
  size_t count = 0, capacity = 0;
  bool Reserve(size_t n);
};

struct HeapStats {
  size_t bytes = 0;  // pages, regions and buffers now held
  size_t peak_bytes = 0;
  uint64_t refills = 0;  // times a free list was refilled
};

// Nested deallocations; past a limit objects are queued (finalizer.cpp). Each thread has its own.
struct DeallocState {
  int depth = 0;
  Object** queue = nullptr;
  size_t queued = 0, capacity = 0;
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
        MVM_UNPOISON(s, p->slot_size);
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
    s->refcount = 0;
    if (MVM_LIKELY(p->live > p->slow_at)) {
      Scrub(p, s);
      s->next = p->free;
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
    return more > kMaxAllocation || (limit_ != 0 && stats_.bytes + more > ceiling_);
  }
  // Charges memory that is held outside of this heap (tables of the VM); false when refused.
  bool Charge(size_t bytes);
  static constexpr size_t kMaxAllocation = size_t{1} << 46;
  // 0: none. A part is kept in reserve for what handles, or tells of, a MemoryError.
  void set_limit(size_t bytes);
  size_t limit() const { return limit_; }
  // MemoryError is being raised: the reserve may be used until memory has been given back.
  void OpenReserve() { ceiling_ = limit_; }
  const HeapStats& stats() const { return stats_; }
  void Account(ptrdiff_t delta) {
    stats_.bytes += delta;
    if (stats_.bytes > stats_.peak_bytes) stats_.peak_bytes = stats_.bytes;
  }

  RuntimeState* rt() const { return rt_; }
  Collector& collector() { return *collector_; }

  // The thread that holds the VM's lock: for handles dropped where no ThreadState is at hand.
  ThreadState* current_ts = nullptr;
  DeallocState dealloc;  // of current_ts
  // Container allocations minus deallocations since the last young collection.
  int64_t young_count = 0;
#ifdef MVM_GC_STRESS
  int64_t young_threshold = 1;
#else
  int64_t young_threshold = 2000;
#endif

  // Has a tracer follow every block from now on (alloc_tracer.h), with tracebacks of up to
  // `frames` frames. Does nothing if there is one; false: no memory.
  bool StartTracing(uint32_t frames);
  void StopTracing();
  AllocTracer* tracer() const { return tracer_; }  // null: not tracing
  // The limit of the last StartTracing.
  uint32_t traced_frames = 1;
  // What this thread allocates is not traced (AllocTracer::Pause).
  ThreadState* untraced_thread = nullptr;

  // Fails the n-th allocation from now on (0: the next one), once. Negative: off. For tests.
  void FailAfter(int64_t n);
  int64_t failing_after() const { return fail_after_; }  // what is left of n

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
  // `f` must neither allocate nor free objects; it may free buffers.
  template <class F>
  void ForEachObject(F f) {
    ForEachPage([&](Page* p) { ForEachInPage(p, f); });
  }
  // The same page by page; large regions are pages of one object.
  template <class F>
  void ForEachPage(F f) {
    keep_pages_ = true;
    for (size_t i = 0; i < page_count_; ++i) {
      if (pages_[i]->kind != kPageBuffer) f(pages_[i]);
    }
    ForEachLarge(f);
    keep_pages_ = false;
  }
  template <class F>
  static void ForEachInPage(Page* p, F f) {
    char* s = p->slots();
    for (uint32_t i = 0; i < p->fresh; ++i, s += p->slot_size) {
      Object* o = reinterpret_cast<Object*>(s);
      if (o->refcount != 0) f(o);
    }
  }
  // Pages (large regions included) that may hold containers of age 0, of age 1.
  const PageList& young_pages() const { return young_pages_; }
  const PageList& middle_pages() const { return middle_pages_; }
  static int SizeClassOf(size_t size);
  static size_t SizeOfClass(int size_class);
  // After a collection: no page is young but those still allocated into. Those that were young
  // become middle ones, or, when `old`, no page is middle any more.
  void AgePages(bool old);
  // The slots of every page agree with its counts and lists; aborts otherwise (gc_debug.h).
  void Verify();
  // Bytes held other than by objects: buffers, and what was charged (gc_debug.cpp).
  size_t BufferBytes();

 private:
  struct SpareBuffer {
    void* memory;
    size_t size;
  };
  void* AllocateSlow(size_t size, int kind);
  void* AllocateSmall(int size_class, int kind);
  void* Borrow(int size_class, int kind);
  void FreeSlow(Page* p, FreeSlot* s);
  void* AllocateLargeBuffer(size_t size);
  void FreeLargeBuffer(void* p, size_t size);
  void* Traced(void* block, size_t size);
  void* AllocateLarge(size_t size, bool container);
  char* TakeRegion(size_t* region, HeapChunk** chunk);
  void DropRegion(Page* p);
  void* MapBuffer(size_t size);
  void DropBuffer(void* p, size_t size);
  SpareBuffer TakeSpare(uint32_t i);
  void ReleaseRegion(Page* p);
  Page* NewPage(int size_class, int kind);
  void ReleasePage(Page* p);
  bool Carve(Page* p);
  void MakeCurrent(Page* p);
  void RetireCurrent(Page* p);
  void RetireAll();
  void SetSlowAt(Page* p, uint32_t live) { p->slow_at = MVM_LIKELY(!tracer_) ? live : UINT32_MAX; }
  void SetYoung(Page* p);
  void ForgetAges(Page* p);
  bool ReserveAges();
  void List(Page* p);
  void Unlist(Page* p);
  bool Admit(size_t bytes);
  HeapChunk* NewChunk(uint32_t pages);
  char* TakePage(HeapChunk** chunk);
  char* TakePages(uint32_t n, HeapChunk** chunk);
  char* TakeRun(HeapChunk* chunk, uint32_t first, uint32_t n);
  void ReturnPages(HeapChunk* chunk, char* page, uint32_t n);
  bool MustFail();
  static void Scrub(Page* p, FreeSlot* s) {
#ifdef MVM_CHECKS
    __builtin_memset(reinterpret_cast<char*>(s) + sizeof(FreeSlot), 0xDB,
                     p->slot_size - sizeof(FreeSlot));
#endif
    MVM_POISON(s + 1, p->slot_size - sizeof(FreeSlot));
  }

  RuntimeState* rt_;
  Collector* collector_;
  Page empty_page_;  // what current_ points to while a class has no page
  Page* current_[kPageKinds][kNumSizeClasses];
  Page* partial_[kPageKinds][kNumSizeClasses];
  // How often a class without a page has been served by a larger one: see Borrow.
  uint8_t borrowed_[kPageKinds][kSmallLimit / 16] = {};
  // Regions of large objects that died lately: mapping fresh ones costs more than most work on
  // them.
  static constexpr uint32_t kSpareRegions = 16;
  static constexpr size_t kSpareLimit = size_t{4} << 20;
  Page* spare_[kSpareRegions];
  uint32_t spare_count_ = 0;
  size_t spare_bytes_ = 0;
  // The same of mapped buffers.
  static constexpr uint32_t kSpareBuffers = 4;
  SpareBuffer spare_buffers_[kSpareBuffers];
  uint32_t spare_buffer_count_ = 0;
  size_t spare_buffer_bytes_ = 0;
  Page* large_ = nullptr;
  Page** pages_ = nullptr;  // all small-object pages
  size_t page_count_ = 0, page_capacity_ = 0;
  PageList young_pages_, middle_pages_;
  size_t large_containers_ = 0;
  Page** container_pages_ = nullptr;
  size_t container_page_count_ = 0, container_page_capacity_ = 0;
  HeapChunk* chunks_ = nullptr;  // those with free pages first
  size_t dirty_pages_ = 0;       // free pages that still hold memory
  AllocTracer* tracer_ = nullptr;
  int64_t fail_after_ = -1;
  bool keep_pages_ = false;  // pages_ is being walked: empty pages stay
  size_t limit_ = 0, ceiling_ = 0;
  HeapStats stats_;
};

}  // namespace minivm
