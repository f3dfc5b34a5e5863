// Tables of blocks, tracebacks and file names. See alloc_tracer.h.
//
// Add and Remove run in the middle of allocating and freeing: they may not allocate from the heap,
// nor drop references (a dying name would come back here with the tables half changed), except
// where Clear and Drop have put everything in order before.
#include "runtime/gc/alloc_tracer.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/core/thread_state.h"
#include "runtime/objects/str_object.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

uint32_t HashOf(const StrObject* s) { return s->aux; }  // computed when it came in
uint32_t HashOf(const TraceStack* s) { return s->hash; }

size_t StackBytes(uint32_t count) {
  return offsetof(TraceStack, frames) + sizeof(FramePlace) * count;
}

uint32_t HashFrames(const FramePlace* places, uint32_t count, uint32_t total) {
  uint64_t h = (uint64_t{total} << 32) + count;
  for (uint32_t i = 0; i < count; ++i) {
    h = HashMix(h ^ reinterpret_cast<uintptr_t>(places[i].file)) + places[i].line;
  }
  return static_cast<uint32_t>(HashMix(h));
}

bool SameFrames(const TraceStack* s, const FramePlace* places, uint32_t count, uint32_t total) {
  if (s->count != count || s->total != total) return false;
  for (uint32_t i = 0; i < count; ++i) {
    if (s->frames[i].file != places[i].file || s->frames[i].line != places[i].line) return false;
  }
  return true;
}

// Zeroed memory, charged to the heap; null when refused.
void* Take(Heap& heap, size_t bytes) {
  if (!heap.Charge(bytes)) return nullptr;
  void* p = std::calloc(1, bytes);
  if (p == nullptr) heap.Account(-static_cast<ptrdiff_t>(bytes));
  return p;
}

void Give(Heap& heap, void* p, size_t bytes) {
  if (p == nullptr) return;
  heap.Account(-static_cast<ptrdiff_t>(bytes));
  std::free(p);
}

}  // namespace

// ---- tracebacks ----

TraceStacks* TraceStacks::New(Heap& heap) {
  void* p = Take(heap, sizeof(TraceStacks));
  if (p == nullptr) return nullptr;
  TraceStacks* stacks = new (p) TraceStacks(heap);
  stacks->bytes_ = sizeof(TraceStacks);
  return stacks;
}

void TraceStacks::Drop() {
  if (--holders_ != 0) return;
  Heap& heap = heap_;
  for (size_t i = 0; i < stacks_.capacity; ++i) {
    if (TraceStack* s = stacks_.slots[i]) Give(heap, s, StackBytes(s->count));
  }
  Give(heap, stacks_.slots, stacks_.capacity * sizeof(void*));
  const Set<StrObject> names = names_;
  Give(heap, this, sizeof(TraceStacks));
  for (size_t i = 0; i < names.capacity; ++i) {
    if (names.slots[i] != nullptr) Decref(names.slots[i]);
  }
  Give(heap, names.slots, names.capacity * sizeof(void*));
}

// Room for one more.
template <class T>
bool TraceStacks::Reserve(Set<T>* set) {
  if (set->count < set->capacity / 2) return true;
  const size_t capacity = set->capacity == 0 ? 64 : set->capacity * 2;
  T** slots = static_cast<T**>(Take(heap_, capacity * sizeof(T*)));
  if (slots == nullptr) return false;
  for (size_t i = 0; i < set->capacity; ++i) {
    T* item = set->slots[i];
    if (item == nullptr) continue;
    size_t at = HashOf(item) & (capacity - 1);
    while (slots[at] != nullptr) at = (at + 1) & (capacity - 1);
    slots[at] = item;
  }
  Give(heap_, set->slots, set->capacity * sizeof(T*));
  bytes_ += (capacity - set->capacity) * sizeof(T*);
  set->slots = slots;
  set->capacity = capacity;
  return true;
}

// The string that stands for all that read like this one; null: no memory.
StrObject* TraceStacks::Name(StrObject* file) {
  if (!Reserve(&names_)) return nullptr;
  const size_t mask = names_.capacity - 1;
  size_t at = StrHash(*heap_.rt(), file) & mask;
  for (; StrObject* known = names_.slots[at]; at = (at + 1) & mask) {
    if (known == file || StrEquals(known, file)) return known;
  }
  Incref(file);
  names_.slots[at] = file;
  ++names_.count;
  return file;
}

const TraceStack* TraceStacks::Intern(FramePlace* places, uint32_t count, uint32_t total) {
  StrObject *last = nullptr, *last_name = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    StrObject* file = places[i].file;
    if (file == nullptr) continue;
    if (file != last) {
      last = file;
      if ((last_name = Name(file)) == nullptr) return nullptr;
    }
    places[i].file = last_name;
  }
  if (!Reserve(&stacks_)) return nullptr;
  const uint32_t hash = HashFrames(places, count, total);
  const size_t mask = stacks_.capacity - 1;
  size_t at = hash & mask;
  for (; const TraceStack* known = stacks_.slots[at]; at = (at + 1) & mask) {
    if (known->hash == hash && SameFrames(known, places, count, total)) return known;
  }
  TraceStack* made = static_cast<TraceStack*>(Take(heap_, StackBytes(count)));
  if (made == nullptr) return nullptr;
  made->hash = hash;
  made->index = static_cast<uint32_t>(stacks_.count);
  made->total = total;
  made->count = count;
  std::memcpy(made->frames, places, sizeof(FramePlace) * count);
  stacks_.slots[at] = made;
  ++stacks_.count;
  bytes_ += StackBytes(count);
  return made;
}

// ---- blocks ----

AllocTracer* AllocTracer::New(Heap& heap, uint32_t max_frames) {
  void* p = Take(heap, sizeof(AllocTracer));
  if (p == nullptr) return nullptr;
  AllocTracer* tracer = new (p) AllocTracer(heap, max_frames);
  tracer->places_ = static_cast<FramePlace*>(Take(heap, sizeof(FramePlace) * max_frames));
  tracer->stacks_ = TraceStacks::New(heap);
  if (tracer->places_ != nullptr && tracer->stacks_ != nullptr) return tracer;
  tracer->Delete();
  return nullptr;
}

void AllocTracer::Delete() {
  Heap& heap = heap_;
  FreeBlocks();
  Give(heap, places_, sizeof(FramePlace) * max_frames_);
  TraceStacks* stacks = stacks_;
  Give(heap, this, sizeof(AllocTracer));
  if (stacks != nullptr) stacks->Drop();
}

void AllocTracer::FreeBlocks() {
  Give(heap_, std::exchange(blocks_, nullptr), capacity_ * sizeof(Block));
  count_ = capacity_ = 0;
  traced_ = peak_ = 0;
}

void AllocTracer::Clear() {
  FreeBlocks();
  // Without memory for new ones the old tracebacks stay.
  if (TraceStacks* fresh = TraceStacks::New(heap_)) std::exchange(stacks_, fresh)->Drop();
}

size_t AllocTracer::OwnBytes() const {
  return sizeof(AllocTracer) + sizeof(FramePlace) * max_frames_ + capacity_ * sizeof(Block) +
         stacks_->bytes();
}

size_t AllocTracer::Home(uintptr_t address) const { return HashMix(address) & (capacity_ - 1); }

// Where the block is or would be. REQUIRES: there is a table
AllocTracer::Block* AllocTracer::Locate(uintptr_t address) const {
  size_t at = Home(address);
  while (blocks_[at].address != 0 && blocks_[at].address != address) {
    at = (at + 1) & (capacity_ - 1);
  }
  return &blocks_[at];
}

bool AllocTracer::Grow() {
  const size_t before = capacity_, capacity = before == 0 ? 1024 : before * 2;
  Block* blocks = static_cast<Block*>(Take(heap_, capacity * sizeof(Block)));
  if (blocks == nullptr) return false;
  Block* old = std::exchange(blocks_, blocks);
  capacity_ = capacity;
  for (size_t i = 0; i < before; ++i) {
    if (old[i].address != 0) *Locate(old[i].address) = old[i];
  }
  Give(heap_, old, before * sizeof(Block));
  return true;
}

const TraceStack* AllocTracer::CurrentStack() {
  ThreadState* ts = heap_.current_ts;
  const auto frame_places = heap_.rt()->hooks.frame_places;
  uint32_t total = 0;
  if (ts != nullptr && frame_places != nullptr) total = frame_places(*ts, places_, max_frames_);
  if (total == 0) {
    places_[0] = {nullptr, 0};
    total = 1;
  }
  if (total > kMaxFrames) total = kMaxFrames;
  return stacks_->Intern(places_, total < max_frames_ ? total : max_frames_, total);
}

void AllocTracer::Add(const void* block, size_t size) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  Remove(address);
  if (heap_.untraced_thread != nullptr && heap_.untraced_thread == heap_.current_ts) return;
  if (count_ >= capacity_ / 4 * 3 && !Grow()) return;
  const TraceStack* stack = CurrentStack();
  if (stack == nullptr) return;
  *Locate(address) = {address, size, stack};
  ++count_;
  traced_ += size;
  if (traced_ > peak_) peak_ = traced_;
}

void AllocTracer::Remove(uintptr_t address) {
  if (count_ == 0) return;
  Block* b = Locate(address);
  if (b->address == 0) return;
  traced_ -= b->size;
  --count_;
  // What follows in the chain moves up into the gap, unless its home lies behind it.
  size_t gap = static_cast<size_t>(b - blocks_);
  const size_t mask = capacity_ - 1;
  for (size_t at = (gap + 1) & mask; blocks_[at].address != 0; at = (at + 1) & mask) {
    const size_t from_home = (at - Home(blocks_[at].address)) & mask;
    if (from_home < ((at - gap) & mask)) continue;
    blocks_[gap] = blocks_[at];
    gap = at;
  }
  blocks_[gap].address = 0;
}

const TraceStack* AllocTracer::Find(const void* block) const {
  if (count_ == 0) return nullptr;
  const Block* b = Locate(reinterpret_cast<uintptr_t>(block));
  return b->address == 0 ? nullptr : b->stack;
}

AllocTracer::Pause::Pause(ThreadState& ts)
    : heap_(ts.heap()), before_(std::exchange(ts.heap().untraced_thread, &ts)) {}
AllocTracer::Pause::~Pause() { heap_.untraced_thread = before_; }

}  // namespace minivm
