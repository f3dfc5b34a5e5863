// Where each live block of a heap was allocated: what module tracemalloc is made of.
//
// While a heap has a tracer (Heap::StartTracing) it reports every block that it hands out and
// takes back, by its address and the size that was asked for. The tracer asks the interpreter for
// the running frames (VmHooks::frame_places) and keeps one copy of each traceback; file names are
// kept alive by a reference, so that code objects may die. Blocks that were there before are
// unknown, and their end is none of its business.
// The tables live outside of the heap's pages but are charged to the heap. When they cannot grow,
// a block goes untraced: nothing fails for being watched.
// How the heap comes by every allocation without its fast paths' asking: heap.cpp, "tracing".
// Invariants: a block is in `blocks_` only while it is allocated; traced_ is the sum of the sizes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

class Heap;
class StrObject;
class ThreadState;

// A line in a file; `file` is null when it is not known.
struct FramePlace {
  StrObject* file;
  uint32_t line;
};

// A traceback, the most recent frame first.
struct TraceStack {
  uint32_t hash;
  uint32_t index;  // position in the order of their making
  uint32_t total;  // frames there were
  uint32_t count;  // frames kept
  FramePlace frames[1];
};

// The different tracebacks since tracing began or was last cleared, shared by the tracer and
// whoever looks at them (Hold, Drop).
class TraceStacks {
 public:
  static TraceStacks* New(Heap& heap);  // held once; null: no memory
  void Hold() { ++holders_; }
  void Drop();
  // The copy of this traceback; `places` get the names that are kept. Null: no memory.
  const TraceStack* Intern(FramePlace* places, uint32_t count, uint32_t total);
  uint32_t size() const { return static_cast<uint32_t>(stacks_.count); }
  size_t bytes() const { return bytes_; }

 private:
  // Open addressing; nothing is ever taken out.
  template <class T>
  struct Set {
    T** slots = nullptr;
    size_t count = 0, capacity = 0;
  };
  explicit TraceStacks(Heap& heap) : heap_(heap) {}
  ~TraceStacks() = default;
  template <class T>
  bool Reserve(Set<T>* set);
  StrObject* Name(StrObject* file);

  Heap& heap_;
  uint32_t holders_ = 1;
  size_t bytes_ = 0;
  Set<StrObject> names_;  // owned
  Set<TraceStack> stacks_;
};

class AllocTracer {
 public:
  static constexpr uint32_t kMaxFrames = 65535;

  // Keeps up to max_frames frames of each traceback. Null: no memory.
  static AllocTracer* New(Heap& heap, uint32_t max_frames);
  void Delete();

  // The block is allocated, or has got another size.
  void Add(const void* block, size_t size);
  // The block is free; it may be one that was never seen.
  void Remove(uintptr_t address);
  // Forgets all blocks.
  void Clear();

  // The traceback of a block, or null.
  const TraceStack* Find(const void* block) const;
  // Calls f(size, stack) for each block. f must neither allocate nor free.
  template <class F>
  void ForEach(F f) const {
    for (size_t i = 0; i < capacity_; ++i) {
      if (blocks_[i].address != 0) f(blocks_[i].size, blocks_[i].stack);
    }
  }
  TraceStacks* stacks() { return stacks_; }
  size_t block_count() const { return count_; }
  size_t traced() const { return traced_; }  // bytes
  size_t peak() const { return peak_; }
  void ResetPeak() { peak_ = traced_; }
  // What the tracer itself takes.
  size_t OwnBytes() const;

  // While one is alive, what this thread allocates is not traced: the results of looking at traces.
  class Pause {
   public:
    explicit Pause(ThreadState& ts);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Heap& heap_;
    ThreadState* before_;
  };

 private:
  struct Block {
    uintptr_t address;  // 0: empty
    size_t size;
    const TraceStack* stack;
  };
  AllocTracer(Heap& heap, uint32_t max_frames) : heap_(heap), max_frames_(max_frames) {}
  ~AllocTracer() = default;
  size_t Home(uintptr_t address) const;
  Block* Locate(uintptr_t address) const;
  bool Grow();
  const TraceStack* CurrentStack();
  void FreeBlocks();

  Heap& heap_;
  const uint32_t max_frames_;
  FramePlace* places_ = nullptr;  // max_frames_ of them, to collect frames in
  TraceStacks* stacks_ = nullptr;
  Block* blocks_ = nullptr;  // open addressing, without marks of deletion
  size_t count_ = 0, capacity_ = 0;
  size_t traced_ = 0, peak_ = 0;
};

}  // namespace minivm
