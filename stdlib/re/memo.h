// What a match has tried in vain: the reason why no pattern without references takes exponential
// time.
//
// Whether the rest of a pattern matches from a place in the program and a position in the text
// depends on nothing else but the counters of the loops around the place, so trying it again is
// vain. A place at which ways can meet is marked together with the position and the counters when
// it is entered; one that is marked already fails at once. That costs time and memory, hence the
// matcher begins with it only when a match has taken many times more steps than its pattern and
// text are long. It then goes on with a copy of the program in which those places have operations
// of their own (kMemo, kMemoRun).
//
// "Entered" is not "in vain" where the rest succeeds: that of an assertion or atomic group, or of
// the pattern, after which the next match is searched for. Each mark is noted on the backtrack
// stack (Frame::kMark); what is still noted at a success is the way that led to it, and is
// unmarked.
//
// Captures do not count: nothing reads them but references, and patterns that have some get no
// memo.
//
// Invariants:
// - A marked state leads nowhere, or is being tried by what is on the stack. It cannot be entered
//   again in the latter case, since a loop's iteration that takes no text is its last.
// - A place that would have too many states has none. The table has a size that it does not
//   exceed; when it is full the matcher goes on without, until its limit of steps.
#pragma once

#include "stdlib/re/program.h"

namespace minivm::regex {

struct LoopState {
  const void* last;  // where the iteration began; null in iterations that must be
  uint64_t count;
};

class Memo {
 public:
  Memo(Heap& heap, const Program& program, size_t text_size)
      : heap_(heap),
        program_(program),
        stride_(text_size + 1),
        code_(heap),
        places_(heap),
        contexts_(heap),
        looks_(heap) {}
  ~Memo();
  Memo(const Memo&) = delete;
  Memo& operator=(const Memo&) = delete;

  // False: no memory, of no use.
  [[nodiscard]] bool Prepare();
  // The program with kMemo and kMemoRun in it.
  const Instr* code() const { return code_.data(); }

  // The state "at place, at position `at` of the text, which is at p".
  uint64_t Key(uint32_t place, const LoopState* loops, const void* p, size_t at) const {
    const Place& x = places_[place];
    uint64_t state = x.base;
    if (x.context) state += LoopsState(x.context, loops, p);
    return state * stride_ + at;
  }
  bool IsMarked(uint64_t key) const;
  // Enters states from key on up to one that was entered before, n at most; returns how many.
  // 0 also if the table is full, which it then stays.
  size_t Enter(uint64_t key, size_t n);
  bool full() const { return full_; }
  // What entering takes, in steps of the matcher: a big table is not in the processor's cache.
  int64_t cost() const { return capacity_ < (size_t{1} << 16) ? 1 : 8; }
  void Unmark(uint64_t key, size_t n);
  // Assertions, by barrier: the body has matched at position `at` before; only for those whose
  // captures need not be set anew.
  bool LookHeld(uint32_t barrier, size_t at) const {
    return looks_[barrier] != kNone && IsMarked(looks_[barrier] * stride_ + at);
  }
  void SetLookHeld(uint32_t barrier, size_t at) {
    if (looks_[barrier] != kNone) Enter(looks_[barrier] * stride_ + at, 1);
  }
  // Forgets all marks.
  void Clear();

 private:
  static constexpr uint64_t kNone = UINT64_MAX;
  static constexpr size_t kMaxWords = size_t{1} << 22;  // 64 MB
  struct Place {
    uint64_t base;     // number of its first state
    uint32_t context;  // the innermost loop around it; 0: none
  };
  struct Context {
    uint32_t outer;
    uint32_t loop;
    uint32_t most;    // counts from here on are as good as this one
    uint64_t states;  // of this and the outer loops
  };
  // 64 neighbouring states.
  struct Word {
    uint64_t tag;  // number of the word + 1; 0: free
    uint64_t marks;
  };

  uint64_t LoopsState(uint32_t context, const LoopState* loops, const void* p) const;
  // Takes `states` numbers; kNone if that would be too many.
  uint64_t TakeStates(uint64_t states);
  const Word* Find(uint64_t number) const;
  // Null: no room for it.
  Word* Make(uint64_t number);
  bool Grow();

  Heap& heap_;
  const Program& program_;
  const uint64_t stride_;
  HeapArray<Instr> code_;
  HeapArray<Place> places_;  // by code address
  HeapArray<Context> contexts_;
  HeapArray<uint64_t> looks_;  // by barrier: number of the state
  uint64_t states_ = 0;
  Word* words_ = nullptr;  // a hash table
  size_t capacity_ = 0, used_ = 0;
  bool full_ = false;
};

}  // namespace minivm::regex
