// Frames of script functions on the thread's VM stack.
//
// A frame is a window of registers R[0..frame_size) with three words below it:
//   base[-3]  the running FunctionObject, or the GeneratorObject being resumed (owned)
//   base[-2]  return address: the word after the call (for resumed generators: the calling word);
//             of an entry: null, or where what it yields (Batch) or returns (Series) may go
//   base[-1]  header: flags (bits 0-7), distance from the caller's base to this window (8-15),
//             destination register of the caller (16-23; of a generator: does what it yields go to
//             a local), depth (32-63)
// The stack never moves, so base pointers and Value* into a live frame are stable. Nothing here is
// published per instruction: ThreadState::base and pc are stored before whatever can raise or run
// code, and a nested entry from C++ starts above base + frame_size + kWindowSlack.
#pragma once

#include <utility>

#include "runtime/core/thread_state.h"
#include "vm/interp/function_object.h"

namespace minivm {

class FrameObject;
class GeneratorObject;

inline constexpr int kWindowWords = 3;   // callee, return address, header
inline constexpr int kWindowSlack = 24;  // room natives may use for defaults above a window
inline constexpr int kMaxWindowArgs = 48;

enum FrameFlags : uint64_t {
  kFrameCtor = 1,       // __init__ called by a class call: the instance is in base[-4]
  kFrameObject = 2,     // a FrameObject refers to this window
  kFrameEntry = 4,      // called from C++: returning leaves Run(); draw_frames.h
  kFrameGenerator = 8,  // base[-3] is a generator; its return address is the calling word
  kFrameTraced = 16,    // return events are wanted
  kFrameProperty = 32,  // pushed by GETATTR_PROPERTY: the result goes to a local
  kFrameOperator = 64,  // pushed by an operator: ReturnToOperator takes the result; operands below
  kFrameDelegated = 128,  // of a generator: the frame below may be announced only (FillFrame)
};

struct FrameHeader {
  uint64_t bits;
  static constexpr uint64_t kDepthOne = uint64_t{1} << 32;
  uint32_t depth() const { return bits >> 32; }
  uint32_t window() const { return (bits >> 8) & 0xFF; }
  uint32_t dest() const { return (bits >> 16) & 0xFF; }
  bool has(FrameFlags f) const { return bits & f; }
};

// The header of a frame that R's frame calls: one deeper; `low` has window, destination and flags.
inline uint64_t CalleeHeader(const Value* R, uint64_t low) {
  return (R[-1].bits() >> 32 << 32) + FrameHeader::kDepthOne + low;
}
// The same for one that C++ calls from the running frame, if there is one.
inline uint64_t EntryHeader(const ThreadState& ts) {
  const uint64_t depth = ts.base == nullptr ? 0 : ts.base[-1].bits() >> 32 << 32;
  return depth + FrameHeader::kDepthOne + kFrameEntry;
}
inline uint64_t HeaderPlaces(uint64_t window, uint64_t dest) { return window << 8 | dest << 16; }
// The locals from `first` on have no values yet.
inline void UnsetLocals(const FunctionObject* f, Value* base, uint32_t first, Value unbound) {
  for (uint32_t i = first; i < f->local_count; ++i) base[i] = unbound;
}

inline FrameHeader HeaderOf(const Value* base) { return {base[-1].bits()}; }
inline void SetFrameFlag(Value* base, FrameFlags f) {
  base[-1] = Value::FromBits(base[-1].bits() | f);
}
inline const Word* ReturnAddress(const Value* base) {
  return reinterpret_cast<const Word*>(base[-2].bits());
}
// The function running in this frame, also of a generator's.
FunctionObject* GeneratorFunction(Object* generator);
inline FunctionObject* FunctionOf(const Value* base) {
  Object* callee = base[-3].object();
  if (MVM_LIKELY(callee->shape_id == ShapeIdOf(TypeId::kFunction)))
    return static_cast<FunctionObject*>(callee);
  return GeneratorFunction(callee);
}
// Caller's base: window() counts registers from the caller's base to base[-3].
inline Value* CallerBase(Value* base) { return base - kWindowWords - HeaderOf(base).window(); }

// One entry from C++ into the interpreter; links the frame chain over native code.
struct EntryRecord {
  EntryRecord* prev;
  Value* caller_base;     // ts->base at entry, may be null
  const void* caller_pc;  // ts->pc at entry
  Value* base;            // first frame of this entry
};

// An entry while it lasts. The frame at `base` is laid by whoever makes it.
class Entry {
 public:
  Entry(ThreadState& ts, Value* base)
      : ts_(ts),
        record_{static_cast<EntryRecord*>(ts.entry), ts.base, ts.pc, base},
        top_(std::exchange(ts.top, nullptr)) {
    ts.entry = &record_;
  }
  ~Entry() {
    ts_.entry = record_.prev;
    ts_.base = record_.caller_base;
    ts_.pc = record_.caller_pc;
    ts_.top = top_;
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  ThreadState& ts_;
  EntryRecord record_;
  Value* top_;
};

// The frame of a generator that waits for one it delegates to is at first only announced: its
// window stands, its registers are still in the generator. This brings them; no harm to any other
// frame.
void FillFrame(Value* base);

// Walks script frames from the innermost outwards.
class FrameWalker {
 public:
  explicit FrameWalker(ThreadState& ts)
      : entry_(static_cast<EntryRecord*>(ts.entry)),
        base_(ts.base),
        pc_(static_cast<const Word*>(ts.pc)) {}
  bool done() const { return base_ == nullptr; }
  Value* base() const { return base_; }
  const Word* pc() const { return pc_; }
  void Next();

 private:
  EntryRecord* entry_;
  Value* base_;
  const Word* pc_;
};

// The thread on whose stack the window is; `ts` if that thread has gone.
ThreadState& OtherThreadOfWindow(ThreadState& ts, const Value* base);
inline ThreadState& ThreadOfWindow(ThreadState& ts, const Value* base) {
  const bool own = base >= ts.stack && base < ts.stack_end;
  return MVM_LIKELY(own) ? ts : OtherThreadOfWindow(ts, base);
}
// First free word above the innermost frame.
inline Value* StackTop(ThreadState& ts) {
  Value* base =
      MVM_LIKELY(ts.base != nullptr) ? ts.base + FunctionOf(ts.base)->frame_size : ts.stack;
  Value* top = base + kWindowSlack;
  return MVM_UNLIKELY(ts.top > top) ? ts.top : top;
}
// Index of a word of the function's instance.
inline uint32_t PcIndex(const FunctionObject* f, const Word* pc) {
  return static_cast<uint32_t>(pc - f->instance->words);
}

}  // namespace minivm
