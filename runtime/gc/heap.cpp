// Pages, chunks, buffers and the memory cap.
//
// Chunks of address space come from mmap, aligned to a page; their pages are taken and returned
// through two bit masks: free, and dirty (free, but the system still backs it). A quarter as many
// free pages as were ever in use stay dirty for quick reuse, within limits; beyond that their
// memory goes back at once, and a chunk without used pages is unmapped. A page carves its slots
// lazily, a few at a time, so that a small VM touches little memory; large heaps and buffers are
// touched by large pages of the system.
//
// Tracing costs nothing while it is off, because the inline paths of Allocate and Free do not ask
// for it: they are made to miss. With a tracer no class has a current page (current_ holds
// empty_page_ only, as for FailAfter), so that every allocation comes to AllocateSlow, and slow_at
// of every page is beyond any count, so that every Free comes to FreeSlow.
#include "runtime/gc/heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/core/thread_state.h"
#include "runtime/gc/alloc_tracer.h"
#include "runtime/gc/collector.h"
#include "runtime/support/mapped_memory.h"

namespace minivm {

// Up to 64 pages of address space.
struct HeapChunk {
  HeapChunk* next;
  HeapChunk* prev;
  char* base;
  uint32_t pages;
  uint64_t free;   // bit i: page i is unused
  uint64_t dirty;  // bit i: unused, but holds memory
};

namespace {

constexpr uint32_t kFirstChunkPages = 16;
constexpr uint32_t kChunkPages = 64;
constexpr size_t kKeepDirtyLeast = 32, kKeepDirtyMost = 128;
// A heap of the first size grows by large pages; buffers of the second have them.
constexpr size_t kLargeHeap = size_t{8} << 20, kLargeBuffer = 2 * kLargePage;
constexpr uint8_t kMostLent = 24;  // allocations of a class without a page, by larger ones
constexpr int kChunksSearched = 16;
// Regions of large objects up to here are rows of pages; the system allows only so many mappings.
constexpr size_t kMaxRun = 16 * kPageSize;
constexpr size_t kCarveBytes = 2048;  // slots linked into the free list at a time

// Buffers from this size on are mapped one by one: what dies goes back to the system at once,
// wherever it lay, and what grows is moved by the page tables. The sanitizer wants to see them
// itself.
#ifdef MVM_ASAN
constexpr size_t kMapBuffersFrom = SIZE_MAX;
#else
constexpr size_t kMapBuffersFrom = kMapFrom;
#endif

// `size` bytes of zeroed memory aligned to `alignment`, or null.
char* MapAligned(size_t size, size_t alignment) {
  size_t want = size + alignment;
  const int reserve = size < kAskSystemFrom ? MAP_NORESERVE : 0;
  void* p =
      mmap(nullptr, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | reserve, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  char* start = static_cast<char*>(p);
  char* aligned = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(start) + alignment - 1) &
                                          ~(uintptr_t{alignment} - 1));
  if (aligned != start) munmap(start, static_cast<size_t>(aligned - start));
  char* end = start + want;
  if (aligned + size != end) munmap(aligned + size, static_cast<size_t>(end - (aligned + size)));
  return aligned;
}

uint64_t MaskOf(uint32_t pages) { return pages == 64 ? ~uint64_t{0} : (uint64_t{1} << pages) - 1; }

// Position of the first `n` set bits in a row, or -1.
int FindRun(uint64_t bits, uint32_t n) {
  for (uint32_t have = 1; have < n && bits != 0;) {  // bit i: those from i to i + have - 1 are set
    uint32_t step = have < n - have ? have : n - have;
    bits &= bits >> step;
    have += step;
  }
  return bits == 0 ? -1 : __builtin_ctzll(bits);
}

uint32_t PagesOf(size_t region) {
  return static_cast<uint32_t>((region + kPageSize - 1) / kPageSize);
}

bool PushPage(Page*** vector, size_t* count, size_t* capacity, Page* p) {
  if (*count == *capacity) {
    size_t more = *capacity ? *capacity * 2 : 32;
    void* grown = std::realloc(*vector, more * sizeof(Page*));
    if (!grown) return false;
    *vector = static_cast<Page**>(grown);
    *capacity = more;
  }
  (*vector)[(*count)++] = p;
  return true;
}

// Full pages return to the list of pages with space when a part is free; see heap.h.
uint32_t ReuseThreshold(const Page* p) {
  uint32_t t = p->capacity - p->capacity / (p->container ? 4 : 8);
  return t == p->capacity ? t - 1 : t;
}

}  // namespace

bool PageList::Reserve(size_t n) {
  if (n <= capacity) return true;
  size_t more = capacity * 2 > n ? capacity * 2 : n < 32 ? 32 : n;
  void* grown = std::realloc(items, more * sizeof(Page*));
  if (!grown) return false;
  items = static_cast<Page**>(grown);
  capacity = more;
  return true;
}

Heap::Heap(RuntimeState* rt) : rt_(rt), collector_(new (std::nothrow) Collector(rt, *this)) {
  std::memset(static_cast<void*>(&empty_page_), 0, sizeof(empty_page_));
  empty_page_.heap = this;
  for (auto& kind : current_) {
    for (Page*& p : kind) p = &empty_page_;
  }
  std::memset(partial_, 0, sizeof(partial_));
  MVM_CHECK(collector_ != nullptr, "no memory for the collector");
}

Heap::~Heap() {
  ForEachLarge([this](Page* p) { ReleaseRegion(p); });
  for (uint32_t i = 0; i < spare_count_; ++i) ReleaseRegion(spare_[i]);
  while (spare_buffer_count_ > 0) {
    const SpareBuffer spare = TakeSpare(0);
    UnmapMemory(spare.memory, spare.size);
  }
  while (chunks_) {
    HeapChunk* c = chunks_;
    chunks_ = c->next;
    MVM_UNPOISON(c->base, c->pages * kPageSize);
    munmap(c->base, c->pages * kPageSize);
    std::free(c);
  }
  std::free(pages_);
  std::free(container_pages_);
  std::free(young_pages_.items);
  std::free(middle_pages_.items);
  std::free(dealloc.queue);
  delete collector_;
}

int Heap::SizeClassOf(size_t size) {
  if (size <= kSmallLimit) return size == 0 ? 0 : static_cast<int>((size + 15) / 16) - 1;
  // (512, 1024] in steps of 128, (1024, 2048] of 256, ...
  int doubling = 63 - __builtin_clzll(size - 1) - 9;
  size_t start = kSmallLimit << doubling;
  size_t step = start / 4;
  return 32 + doubling * 4 + static_cast<int>((size - start + step - 1) / step) - 1;
}

size_t Heap::SizeOfClass(int size_class) {
  if (size_class < 32) return static_cast<size_t>(size_class + 1) * 16;
  int doubling = (size_class - 32) / 4;
  size_t start = kSmallLimit << doubling;
  return start + start / 4 * static_cast<size_t>((size_class - 32) % 4 + 1);
}

// ---- the cap ----

namespace {

// Pages of many sizes: enough to import what formats a traceback, and to format it.
size_t ReserveOf(size_t limit) { return std::min(limit / 16, size_t{2} << 20); }

}  // namespace

void Heap::set_limit(size_t bytes) {
  limit_ = bytes;
  ceiling_ = bytes - ReserveOf(bytes);
}

bool Heap::Admit(size_t bytes) {
  // Nothing is that large; sanitizers end the process over it.
  constexpr size_t kTooLarge = size_t{1} << 40;
  if (MVM_UNLIKELY(ceiling_ == limit_) && stats_.bytes + 2 * ReserveOf(limit_) < limit_)
    ceiling_ = limit_ - ReserveOf(limit_);
  if (MVM_UNLIKELY(bytes >= kTooLarge || WouldExceed(bytes))) return false;
  if (limit_ != 0 && stats_.bytes + bytes > limit_ - limit_ / 4) collector_->MemoryIsShort();
  return true;
}

void Heap::FailAfter(int64_t n) {
  fail_after_ = n;
  if (n >= 0) RetireAll();
}

// Empties the fast path: every allocation is to pass AllocateSlow.
void Heap::RetireAll() {
  for (auto& kind : current_) {
    for (Page*& p : kind) {
      if (p == &empty_page_) continue;
      Page* retired = p;
      p = &empty_page_;
      RetireCurrent(retired);
    }
  }
}

bool Heap::Charge(size_t bytes) {
  if (MVM_UNLIKELY(MustFail()) || !Admit(bytes)) return false;
  Account(static_cast<ptrdiff_t>(bytes));
  return true;
}

bool Heap::MustFail() { return fail_after_ >= 0 && fail_after_-- == 0; }

// ---- chunks ----

HeapChunk* Heap::NewChunk(uint32_t pages) {
  HeapChunk* c = static_cast<HeapChunk*>(std::malloc(sizeof(HeapChunk)));
  if (!c) return nullptr;
  const bool large = stats_.bytes >= kLargeHeap;
  c->base = MapAligned(pages * kPageSize, large ? kLargePage : kPageSize);
  if (!c->base) {
    std::free(c);
    return nullptr;
  }
  if (large) PreferLargePages(c->base, pages * kPageSize);
  c->pages = pages;
  c->free = MaskOf(pages);
  c->dirty = 0;
  c->prev = nullptr;
  c->next = chunks_;
  if (chunks_) chunks_->prev = c;
  chunks_ = c;
  return c;
}

char* Heap::TakePage(HeapChunk** chunk) {
  HeapChunk* c = chunks_;
  if (dirty_pages_ != 0) {
    while (c && c->dirty == 0) c = c->next;
  } else if (c && c->free == 0) {
    while (c && c->free == 0) c = c->next;
  }
  if (!c && !(c = NewChunk(chunks_ ? kChunkPages : kFirstChunkPages))) return nullptr;
  uint64_t bits = c->dirty ? c->dirty : c->free;
  return TakeRun(*chunk = c, static_cast<uint32_t>(__builtin_ctzll(bits)), 1);
}

// `n` pages in a row. Only the first chunks are searched: this must not become slow when many have
// room for a page but not for a row.
char* Heap::TakePages(uint32_t n, HeapChunk** chunk) {
  HeapChunk* c = chunks_;
  int first = -1;
  for (int looked = 0; c && looked < kChunksSearched; c = c->next, ++looked) {
    first = FindRun(c->free, n);
    if (first >= 0) break;
  }
  if (first < 0) {
    c = NewChunk(kChunkPages);
    if (!c) return nullptr;
    first = 0;
  }
  return TakeRun(*chunk = c, static_cast<uint32_t>(first), n);
}

char* Heap::TakeRun(HeapChunk* c, uint32_t first, uint32_t n) {
  const uint64_t bits = MaskOf(n) << first;
  if (c->dirty & bits) {
    dirty_pages_ -= static_cast<size_t>(__builtin_popcountll(c->dirty & bits));
    c->dirty &= ~bits;
  }
  c->free &= ~bits;
  return c->base + size_t{first} * kPageSize;
}

void Heap::ReturnPages(HeapChunk* c, char* page, uint32_t n) {
  const uint64_t bits = MaskOf(n) << ((page - c->base) / kPageSize);
  c->free |= bits;
  const size_t keep =
      std::clamp(stats_.peak_bytes / kPageSize / 4, kKeepDirtyLeast, kKeepDirtyMost);
  if (dirty_pages_ + n <= keep) {
    c->dirty |= bits;
    dirty_pages_ += n;
  } else {
    madvise(page, n * kPageSize, MADV_DONTNEED);
  }
  if (c != chunks_ && c->free == MaskOf(c->pages) && c->pages == kChunkPages) {
    dirty_pages_ -= static_cast<size_t>(__builtin_popcountll(c->dirty));
    c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    munmap(c->base, c->pages * kPageSize);
    std::free(c);
    return;
  }
  // Chunks with room to the front, so that TakePage finds one at once.
  if (c != chunks_ && chunks_->free == 0) {
    c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    c->prev = nullptr;
    c->next = chunks_;
    chunks_->prev = c;
    chunks_ = c;
  }
}

// ---- pages ----

Page* Heap::NewPage(int size_class, int kind) {
  if (!Admit(kPageSize)) return nullptr;
  HeapChunk* chunk;
  char* memory = TakePage(&chunk);
  if (!memory) return nullptr;
  MVM_UNPOISON(memory, kPageSize);
  Page* p = reinterpret_cast<Page*>(memory);
  std::memset(static_cast<void*>(p), 0, sizeof(Page));
  p->heap = this;
  p->chunk = chunk;
  p->slot_size = static_cast<uint32_t>(SizeOfClass(size_class));
  p->capacity = static_cast<uint32_t>((kPageSize - Page::kHeaderSize) / p->slot_size);
  p->size_class = static_cast<uint8_t>(size_class);
  p->kind = static_cast<PageKind>(kind);
  p->container = kind == kPageContainer;
  p->index = static_cast<uint32_t>(page_count_);
  if (!PushPage(&pages_, &page_count_, &page_capacity_, p)) {
    ReturnPages(chunk, memory, 1);
    return nullptr;
  }
  if (p->container) {
    p->container_index = static_cast<uint32_t>(container_page_count_);
    if (!ReserveAges() ||
        !PushPage(&container_pages_, &container_page_count_, &container_page_capacity_, p)) {
      --page_count_;
      ReturnPages(chunk, memory, 1);
      return nullptr;
    }
  }
  Account(kPageSize);
  return p;
}

// Room for one more container page in the lists of young and of middle pages.
bool Heap::ReserveAges() {
  size_t n = container_page_count_ + large_containers_ + 1;
  return young_pages_.Reserve(n) && middle_pages_.Reserve(n);
}

void Heap::SetYoung(Page* p) {
  if (p->young) return;
  p->young = true;
  p->young_index = static_cast<uint32_t>(young_pages_.count);
  young_pages_.items[young_pages_.count++] = p;
}

// The page goes: it leaves the lists.
void Heap::ForgetAges(Page* p) {
  if (p->young) {
    Page* last = young_pages_.items[--young_pages_.count];
    young_pages_.items[p->young_index] = last;
    last->young_index = p->young_index;
  }
  if (p->middle) {
    Page* last = middle_pages_.items[--middle_pages_.count];
    middle_pages_.items[p->middle_index] = last;
    last->middle_index = p->middle_index;
  }
}

void Heap::AgePages(bool old) {
  if (old) {
    for (size_t i = 0; i < middle_pages_.count; ++i) middle_pages_.items[i]->middle = false;
    middle_pages_.count = 0;
  }
  for (size_t i = 0; i < young_pages_.count; ++i) {
    Page* p = young_pages_.items[i];
    p->young = false;
    if (!old && !p->middle) {
      p->middle = true;
      p->middle_index = static_cast<uint32_t>(middle_pages_.count);
      middle_pages_.items[middle_pages_.count++] = p;
    }
  }
  young_pages_.count = 0;
  for (Page* p : current_[kPageContainer]) {
    if (p != &empty_page_) SetYoung(p);
  }
}

void Heap::ReleasePage(Page* p) {
  Page* last = pages_[--page_count_];
  pages_[p->index] = last;
  last->index = p->index;
  if (p->container) {
    ForgetAges(p);
    last = container_pages_[--container_page_count_];
    container_pages_[p->container_index] = last;
    last->container_index = p->container_index;
  }
  Account(-static_cast<ptrdiff_t>(kPageSize));
  MVM_UNPOISON(p, kPageSize);
  ReturnPages(p->chunk, reinterpret_cast<char*>(p), 1);
}

void Heap::List(Page* p) {
  Page*& head = partial_[p->kind][p->size_class];
  p->prev = nullptr;
  p->next = head;
  if (head) head->prev = p;
  head = p;
  p->listed = true;
  SetSlowAt(p, 1);
}

void Heap::Unlist(Page* p) {
  if (p->prev) {
    p->prev->next = p->next;
  } else {
    partial_[p->kind][p->size_class] = p->next;
  }
  if (p->next) p->next->prev = p->prev;
  p->listed = false;
}

void Heap::MakeCurrent(Page* p) {
  SetSlowAt(p, 0);
  if (p->container) SetYoung(p);
  current_[p->kind][p->size_class] = p;
}

// The page stops being the one its class allocates from.
void Heap::RetireCurrent(Page* p) {
  if (p->live == 0) {
    ReleasePage(p);
  } else if (p->live < p->capacity) {
    List(p);
  } else {
    SetSlowAt(p, ReuseThreshold(p));
  }
}

// Links the next few untouched slots into the empty free list; false: all are carved.
bool Heap::Carve(Page* p) {
  uint32_t left = p->capacity - p->fresh;
  if (left == 0) return false;
  uint32_t n = static_cast<uint32_t>(kCarveBytes / p->slot_size);
  n = n < 1 ? 1 : n > left ? left : n;
  char* first = p->slots() + static_cast<size_t>(p->fresh) * p->slot_size;
  char* s = first;
  for (uint32_t i = 0; i < n; ++i, s += p->slot_size) {
    FreeSlot* f = reinterpret_cast<FreeSlot*>(s);
    f->refcount = 0;
    f->next = i + 1 < n ? reinterpret_cast<FreeSlot*>(s + p->slot_size) : nullptr;
    MVM_POISON(f + 1, p->slot_size - sizeof(FreeSlot));
  }
  p->free = reinterpret_cast<FreeSlot*>(first);
  p->fresh += n;
  return true;
}

// For the first few of a class that has no page yet: a slot of a larger class, of which there are
// four. A VM that does little has a few objects of many sizes, and each page costs memory as soon
// as it is touched. Null: have a page made.
void* Heap::Borrow(int size_class, int kind) {
  const size_t size = SizeOfClass(size_class);
  const int lender = SizeClassOf(size <= 32 ? 32 : size <= 64 ? 64 : size <= 128 ? 128 : 512);
  if (size_class >= lender || borrowed_[kind][size_class] == kMostLent) return nullptr;
  void* slot = AllocateSmall(lender, kind);
  if (slot) ++borrowed_[kind][size_class];
  return slot;
}

void* Heap::AllocateSmall(int size_class, int kind) {
  ++stats_.refills;
  Page*& current = current_[kind][size_class];
  Page* p = current;
  if (p == &empty_page_ || (!p->free && !Carve(p))) {
    Page* next = partial_[kind][size_class];
    if (next) {
      Unlist(next);
    } else {
      if (p == &empty_page_ && fail_after_ < 0 && tracer_ == nullptr) {
        if (void* larger = Borrow(size_class, kind)) return larger;
      }
      next = NewPage(size_class, kind);
      if (!next) return nullptr;
    }
    if (p != &empty_page_) RetireCurrent(p);
    MakeCurrent(next);
    p = next;
    if (!p->free && !Carve(p)) return nullptr;
  }
  FreeSlot* s = p->free;
  MVM_UNPOISON(s, p->slot_size);
  p->free = s->next;
  ++p->live;
  if (MVM_UNLIKELY(fail_after_ >= 0 || tracer_ != nullptr)) {
    current = &empty_page_;
    RetireCurrent(p);
  }
  return s;
}

void* Heap::AllocateSlow(size_t size, int kind) {
  if (MVM_UNLIKELY(MustFail())) return nullptr;
  if (size > kMediumLimit) return Traced(AllocateLarge(size, kind == kPageContainer), size);
  int size_class = SizeClassOf(size);
  if (size > kSmallLimit) {  // not on the inline path
    Page* p = current_[kind][size_class];
    if (FreeSlot* s = p->free) {
      MVM_UNPOISON(s, p->slot_size);
      p->free = s->next;
      ++p->live;
      return s;
    }
  }
  return Traced(AllocateSmall(size_class, kind), size);
}

// Memory of at least *region bytes: a spare region that fits well, or a fresh one.
char* Heap::TakeRegion(size_t* region, HeapChunk** chunk) {
  for (uint32_t i = spare_count_; i-- > 0;) {
    Page* p = spare_[i];
    const size_t size = p->region_size;
    if (size < *region || size - *region > *region / 2) continue;
    spare_[i] = spare_[--spare_count_];
    spare_bytes_ -= size;
    *region = size;
    *chunk = p->chunk;
    MVM_UNPOISON(p, size);
    std::memset(static_cast<void*>(p), 0, sizeof(Page));
    return reinterpret_cast<char*>(p);
  }
  *chunk = nullptr;
  if (*region > kMaxRun) return MapAligned(*region, kPageSize);
  char* memory = TakePages(PagesOf(*region), chunk);
  if (memory) MVM_UNPOISON(memory, *region);
  if (memory) std::memset(memory, 0, sizeof(Page));
  return memory;
}

// Gives the memory of a region back.
void Heap::ReleaseRegion(Page* p) {
  const size_t size = p->region_size;
  MVM_UNPOISON(p, size);
  if (p->chunk) {
    ReturnPages(p->chunk, reinterpret_cast<char*>(p), PagesOf(size));
  } else {
    munmap(p, size);
  }
}

// Keeps the region of a dead object for the next one, or gives it back.
void Heap::DropRegion(Page* p) {
  const size_t size = p->region_size;
  if (size > kSpareLimit / 4) return ReleaseRegion(p);
  while (spare_count_ == kSpareRegions || spare_bytes_ + size > kSpareLimit) {
    Page* oldest = spare_[0];
    spare_bytes_ -= oldest->region_size;
    ReleaseRegion(oldest);
    std::memmove(spare_, spare_ + 1, --spare_count_ * sizeof(Page*));
  }
  spare_[spare_count_++] = p;
  spare_bytes_ += size;
  MVM_POISON(p->slots(), size - Page::kHeaderSize);
}

void* Heap::AllocateLarge(size_t size, bool container) {
  if (size > kMaxAllocation) return nullptr;
  size_t region = (size + Page::kHeaderSize + 4095) & ~size_t{4095};
  // Few different sizes, so that spare regions fit again. What is never touched costs nothing.
  if (region > kPageSize) {
    const size_t step = std::bit_floor(region) / 8;
    region = (region + step - 1) & ~(step - 1);
  }
  if (!Admit(region) || (container && !ReserveAges())) return nullptr;
  HeapChunk* chunk;
  char* memory = TakeRegion(&region, &chunk);
  if (!memory) return nullptr;
  Page* p = reinterpret_cast<Page*>(memory);
  p->heap = this;
  p->chunk = chunk;
  p->slot_size = static_cast<uint32_t>(size < UINT32_MAX ? size : UINT32_MAX);
  p->live = p->capacity = p->fresh = 1;
  p->slow_at = UINT32_MAX;
  p->kind = container ? kPageContainer : kPagePlain;
  p->container = container;
  p->large = true;
  p->region_size = region;
  p->prev = nullptr;
  p->next = large_;
  if (large_) large_->prev = p;
  large_ = p;
  if (container) {
    ++large_containers_;
    SetYoung(p);
  }
  Account(static_cast<ptrdiff_t>(region));
  return p->slots();
}

void Heap::FreeSlow(Page* p, FreeSlot* s) {
  if (MVM_UNLIKELY(tracer_ != nullptr)) tracer_->Remove(reinterpret_cast<uintptr_t>(s));
  if (p->large) {
    if (p->prev) {
      p->prev->next = p->next;
    } else {
      large_ = p->next;
    }
    if (p->next) p->next->prev = p->prev;
    if (p->container) {
      --large_containers_;
      ForgetAges(p);
    }
    Account(-static_cast<ptrdiff_t>(p->region_size));
    DropRegion(p);
    return;
  }
  Scrub(p, s);
  s->next = p->free;
  p->free = s;
  --p->live;
  if (p->live == 0 && !keep_pages_) {
    if (p->listed) Unlist(p);
    ReleasePage(p);
  } else if (!p->listed && p->live < ReuseThreshold(p)) {
    List(p);
  }
}

// ---- tracing ----

bool Heap::StartTracing(uint32_t frames) {
  if (tracer_ != nullptr) return true;
  tracer_ = AllocTracer::New(*this, frames);
  if (tracer_ == nullptr) return false;
  traced_frames = frames;
  RetireAll();
  for (size_t i = 0; i < page_count_; ++i) pages_[i]->slow_at = UINT32_MAX;
  return true;
}

void Heap::StopTracing() {
  if (tracer_ == nullptr) return;
  // First the pages: file names die with the tracer.
  AllocTracer* tracer = std::exchange(tracer_, nullptr);
  for (size_t i = 0; i < page_count_; ++i) {
    SetSlowAt(pages_[i], pages_[i]->listed ? 1 : ReuseThreshold(pages_[i]));
  }
  tracer->Delete();
}

// Tells the tracer, if there is one, about a block that has got this size; null is passed on.
inline void* Heap::Traced(void* block, size_t size) {
  if (MVM_UNLIKELY(tracer_ != nullptr && block != nullptr)) tracer_->Add(block, size);
  return block;
}

// ---- buffers ----

void* Heap::AllocateBuffer(size_t size) {
  if (MVM_LIKELY(size <= kSmallLimit)) {
    Page* p = current_[kPageBuffer][size == 0 ? 0 : (size + 15) / 16 - 1];
    FreeSlot* s = p->free;
    if (MVM_LIKELY(s != nullptr)) {
      MVM_UNPOISON(s, p->slot_size);
      p->free = s->next;
      ++p->live;
      return s;
    }
    return AllocateSlow(size, kPageBuffer);
  }
  return AllocateLargeBuffer(size);
}

// Apart from the above, which then needs no registers of its own.
[[gnu::noinline]] void* Heap::AllocateLargeBuffer(size_t size) {
  if (MVM_UNLIKELY(MustFail()) || !Admit(size)) return nullptr;
  void* p = size < kMapBuffersFrom ? std::malloc(size) : MapBuffer(size);
  if (p) Account(static_cast<ptrdiff_t>(size));
  return Traced(p, size);
}

void* Heap::ReallocateBuffer(void* p, size_t old_size, size_t new_size) {
  if (!p) return AllocateBuffer(new_size);
  if (old_size > kSmallLimit && new_size > kSmallLimit &&
      (old_size < kMapBuffersFrom) == (new_size < kMapBuffersFrom)) {
    if (MVM_UNLIKELY(MustFail())) return nullptr;
    if (new_size > old_size && !Admit(new_size - old_size)) return nullptr;
    if (MVM_UNLIKELY(tracer_ != nullptr)) tracer_->Remove(reinterpret_cast<uintptr_t>(p));
    void* grown =
        old_size < kMapBuffersFrom ? std::realloc(p, new_size) : RemapMemory(p, old_size, new_size);
    if (!grown) {
      (void)Traced(p, old_size);
      return nullptr;
    }
    if (old_size < kLargeBuffer && new_size >= kLargeBuffer) PreferLargePages(grown, new_size);
    Account(static_cast<ptrdiff_t>(new_size) - static_cast<ptrdiff_t>(old_size));
    return Traced(grown, new_size);
  }
  if (old_size <= kSmallLimit && new_size <= kSmallLimit &&
      SizeClassOf(old_size) == SizeClassOf(new_size)) {
    return Traced(p, new_size);
  }
  void* fresh = AllocateBuffer(new_size);
  if (!fresh) return nullptr;
  std::memcpy(fresh, p, old_size < new_size ? old_size : new_size);
  FreeBuffer(p, old_size);
  return fresh;
}

void Heap::FreeBuffer(void* p, size_t size) {
  if (!p) return;
  if (size <= kSmallLimit) {
    MVM_DCHECK(Page::Of(p)->heap == this && Page::Of(p)->kind == kPageBuffer, "not a buffer");
    Free(static_cast<Object*>(p));
    return;
  }
  FreeLargeBuffer(p, size);
}

[[gnu::noinline]] void Heap::FreeLargeBuffer(void* p, size_t size) {
  if (MVM_UNLIKELY(tracer_ != nullptr)) tracer_->Remove(reinterpret_cast<uintptr_t>(p));
  Account(-static_cast<ptrdiff_t>(size));
  if (size < kMapBuffersFrom) {
    std::free(p);
  } else {
    DropBuffer(p, size);
  }
}

// A mapped buffer: one that died lately, if it is long enough and not much too long.
void* Heap::MapBuffer(size_t size) {
  for (uint32_t i = spare_buffer_count_; i-- > 0;) {
    const SpareBuffer spare = spare_buffers_[i];
    if (spare.size < size || spare.size / 2 > size) continue;
    void* p = RemapMemory(spare.memory, spare.size, size);
    if (p == nullptr) continue;
    TakeSpare(i);
    return p;
  }
  void* p = MapMemory(size);
  if (p != nullptr && size >= kLargeBuffer) PreferLargePages(p, size);
  return p;
}

// Keeps a mapped buffer for the next one, or gives it back.
void Heap::DropBuffer(void* p, size_t size) {
  const size_t most = limit_ != 0 ? std::min(kSpareLimit, limit_ / 16) : kSpareLimit;
  if (size > most) return UnmapMemory(p, size);
  while (spare_buffer_count_ == kSpareBuffers || spare_buffer_bytes_ + size > most) {
    const SpareBuffer oldest = TakeSpare(0);
    UnmapMemory(oldest.memory, oldest.size);
  }
  spare_buffers_[spare_buffer_count_++] = {p, size};
  spare_buffer_bytes_ += size;
}

Heap::SpareBuffer Heap::TakeSpare(uint32_t i) {
  const SpareBuffer taken = spare_buffers_[i];
  spare_buffer_bytes_ -= taken.size;
  std::copy(spare_buffers_ + i + 1, spare_buffers_ + spare_buffer_count_--, spare_buffers_ + i);
  return taken;
}

}  // namespace minivm
