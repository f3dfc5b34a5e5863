// Running a program over a text.
//
// A Matcher is made for one subject and used for one or many matches in it (findall, sub). It owns
// the captures and the backtrack stack, which is charged to the VM's heap. Work is charged to the
// thread's budget, so that any match can be interrupted; what serves an interruption may run script
// code, hence the subject must be kept in place (a str, or a held buffer) while this lives.
//
// No match runs for ever: one that backtracks a lot goes on with a Memo, and what that cannot help
// (references, loops nested with large limits) ends with a RuntimeError after some seconds.
#pragma once

#include "stdlib/re/memo.h"

namespace minivm::regex {

// What to try when the way taken fails, or a value to restore on the way back.
struct Frame {
  enum Kind : uint32_t {
    kAlternative,           // go on at code a, text p
    kRepeat,                // greedy run at code a: may shrink from q down to p
    kLazy,                  // lazy run at code a: may grow from p up to q
    kLazyLoop,              // lazy loop at code a, text p: do one more iteration
    kList,                  // alternatives: lists[a], text p
    kFirstUndo,             // from here on: values to restore
    kCapture = kFirstUndo,  // captures[a] = p, last index = q
    kLoop,                  // loops[a] = {p, q}
    kBarrier,  // assertion or atomic group; q non-null: on failure go on at code a, text p
    kMark,     // q states from number p on have been marked in the memo
  };
  uint32_t kind;
  uint32_t a;
  const void* p;
  const void* q;
};

class Matcher {
 public:
  Matcher(Heap& heap, const Program& program)
      : heap_(heap), program_(program), code_(program.code.data()) {}
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // text: `size` characters of `width` bytes, of which matches may use all; fixed: it stays the
  // same from match to match.
  Status Init(ThreadState& ts, const void* text, size_t size, int width, bool fixed);
  // The first match that starts at `from` or later. must_advance: not an empty one at `from`.
  Result<bool> Search(ThreadState& ts, size_t from, bool must_advance = false);
  // A match that starts at `from`; full: and ends where the text does.
  Result<bool> Match(ThreadState& ts, size_t from, bool full, bool must_advance = false);

  // Of the last match.
  size_t start() const { return start_; }
  size_t end() const { return end_; }
  uint32_t last_index() const { return last_index_; }
  // Of group g >= 1; -1 if it took no part.
  int64_t group_start(uint32_t g) const { return Offset(captures_[2 * (g - 1)], g); }
  int64_t group_end(uint32_t g) const { return Offset(captures_[2 * (g - 1) + 1], g); }

 private:
  template <class C>
  friend class Engine;
  static constexpr size_t kInlineFrames = 96;
  static constexpr uint32_t kInlineGroups = 12;
  static constexpr uint32_t kInlineLoops = 4;
  static constexpr int64_t kSteps = 4000;  // between two charges
  // Steps of all calls, besides some for each instruction and character, until a memo is made.
  static constexpr uint64_t kPatience = 30000, kPatienceOfPlace = 4;
  // Of one call: steps for 10 to 20 seconds, and always enough for going through the text.
  static constexpr size_t kMaxFrames = size_t{1} << 24, kMaxFramesOfChar = 64;
  static constexpr uint64_t kStepLimit = uint64_t{1} << 30, kStepLimitOfChar = 64;

  int64_t Offset(const void* p, uint32_t g) const {
    if (!p || !captures_[2 * (g - 1) + 1]) return -1;
    return (static_cast<const char*>(p) - static_cast<const char*>(text_)) / width_;
  }
  template <class F>
  Result<bool> Dispatch(ThreadState& ts, F f);
  Status GrowStack();
  Raised RaiseTooMuch();
  enum Outcome : int { kError = -1, kNoMatch = 0, kFound = 1, kAgain = 2, kGoOn = 3 };
  // steps_ has run out: charges. kGoOn; kError; kAgain: what is being run is to be run again, from
  // the start, with code_, which is another now.
  Outcome ChargeSteps();
  // False: it is of no use.
  bool StartMemo();
  Outcome DropMemo();
  // Enters n states of the memo from that of the place on, and notes how many (entered_) in
  // stack_[sp]. Returns the new sp, or 0 if there is none or outcome_ says what else.
  size_t Enter(uint32_t place, const void* p, size_t at, size_t n, size_t sp);
  bool IsMarked(uint32_t place, const void* p, size_t at) const;
  // What the frames of stack_[from:to] have marked led to success.
  void UnmarkWay(size_t from, size_t to);

  Heap& heap_;
  ThreadState* ts_ = nullptr;  // of the call under way
  const Program& program_;
  const void* text_ = nullptr;
  size_t size_ = 0;
  int width_ = 1;
  size_t start_ = 0, end_ = 0;
  uint32_t last_index_ = 0;
  bool dirty_ = false;  // captures are set
  bool fixed_ = false;
  bool memo_failed_ = false;
  bool stale_ = false;  // the memo has marks that are wrong for other calls
  int64_t steps_ = kSteps;
  uint64_t steps_of_call_ = 0, steps_of_all_ = 0;  // charged so far
  const Instr* code_;                              // the program's, or the memo's
  Memo* memo_ = nullptr;
  size_t entered_ = 0;
  Outcome outcome_ = Outcome::kNoMatch;
  const void* required_at_ = nullptr;  // an occurrence of the required literal, none before it
                                       // from where it was searched for
  const void** captures_ = inline_captures_;
  LoopState* loops_ = inline_loops_;
  size_t* barriers_ = inline_barriers_;
  Frame* stack_ = inline_frames_;
  size_t stack_capacity_ = kInlineFrames;
  const void* inline_captures_[2 * kInlineGroups];
  LoopState inline_loops_[kInlineLoops];
  size_t inline_barriers_[kInlineLoops];
  Frame inline_frames_[kInlineFrames];
};

}  // namespace minivm::regex
