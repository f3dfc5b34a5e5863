// Drawing from iterators that run script code: several items for one entry into the interpreter.
//
// list(), sum(), any() and the like do nothing between two items that a script could notice, so a
// generator need not be left and entered again for each: it is run on, and the values that it
// yields meanwhile go into a Batch, as long as the native takes them without looking. The first
// that it has to look at comes back as from Next(), as do the one that finds the batch full and the
// end. (iterate.cpp; the interpreter's part is vm/interp/draw_frames.h.)
#pragma once

#include "runtime/core/slots.h"
#include "runtime/core/thread_state.h"

namespace minivm {

// Which values may wait in a batch while more are made.
enum class Takes : uint8_t {
  kNothing,
  kNumbers,  // inline ints and floats: adding and comparing them runs no script code
  kFalse,    // the object False; any() goes on after it
  kTrue,
  kAll,
};

// Room for values that are handed on ahead of the one that VmHooks::draw returns.
class Batch {
 public:
  Batch(ThreadState& ts, Takes takes, Value* to, Value* end)
      : to_(to), end_(end), numbers_(takes == Takes::kNumbers), all_(takes == Takes::kAll) {
    if (takes == Takes::kFalse) only_ = Value(ts.rt->false_);
    if (takes == Takes::kTrue) only_ = Value(ts.rt->true_);
    if (takes == Takes::kNothing) end_ = to_;
  }
  // `v` is owned, and consumed if it is taken.
  bool Take(Value v) {
    if (MVM_UNLIKELY(to_ == end_)) return false;
    if (!all_ && !v.is(only_) && !(numbers_ && !v.is_pointer())) return false;
    *to_++ = v;
    return true;
  }
  Value* to() const { return to_; }  // behind the last that was taken

 private:
  Value* to_;
  Value* end_;
  Value only_;
  bool numbers_;
  bool all_;
};

// The items of an iterator (borrowed) for a native that need not see each before the next is made.
class Drawing {
 public:
  Drawing(ThreadState& ts, Value iterator, Takes takes);
  ~Drawing() { Drop(); }
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;

  // As minivm::Next().
  Result<> Next() { return MVM_LIKELY(at_ != count_) ? Result<>::Steal(Taken()) : NextSlow(); }
  // From now on, for what has not been drawn yet.
  void set_takes(Takes takes) { takes_ = takes; }

 private:
  static constexpr uint32_t kSize = 32;
  Value Taken() { return Value::FromBits(words_[at_++]); }
  Result<> NextSlow();
  Result<> DrawMore();
  void Drop();

  ThreadState& ts_;
  Value iterator_;
  NextFn next_;  // the iterator's slot; null: VmHooks::draw
  Takes takes_;
  bool ended_ = false;  // after what is in words_
  uint32_t at_ = 0, count_ = 0;
  uint64_t words_[kSize];  // of Values, which would be nulled
};

}  // namespace minivm
