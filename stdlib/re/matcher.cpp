// The backtracking matcher; program.h says how it works.
//
// Engine is made for each width of characters. It neither recurses nor allocates but for its stack.
// A look-around or atomic group leaves a barrier on the stack; when its body has matched, the
// frames above the barrier go, except those that restore values, since what is in front of the
// group may still fail.
#include "stdlib/re/matcher.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/support/text_search.h"
#include "runtime/support/unicode.h"

namespace minivm::regex {

template <class C>
class Engine {
 public:
  explicit Engine(Matcher& m)
      : m_(m), program_(m.program_), text_(static_cast<const C*>(m.text_)), end_(text_ + m.size_) {}

  using Outcome = Matcher::Outcome;
  Outcome Search(const C* from, const C* not_empty_at);
  Outcome Run(const C* start, bool full, const C* not_empty_at);

 private:
  bool Test(const CharSet& set, C c) const {
    if constexpr (sizeof(C) > 1) {
      if (MVM_UNLIKELY(c > 255)) {
        return set.wide == Wide::kAll ||
               (set.wide == Wide::kSome && Contains(set, program_.ranges.data(), c));
      }
    }
    return set.table[c] & set.mask;
  }
  bool TestOne(Op kind, uint32_t a, C c) const {
    switch (kind) {
      case Op::kChar: return c == a;
      case Op::kNotChar: return c != a;
      case Op::kSet: return Test(program_.sets[a], c);
      case Op::kAny: return c != '\n';
      default: return true;
    }
  }
  // May what has this filter match at p?
  bool Passes(uint32_t filter, const C* p) const {
    if (filter == kNoFilter) return true;
    const CharSet& set = program_.sets[filter];
    return p < end_ ? Test(set, *p) : set.at_end;
  }
  const C* Find(const C* p, const C* limit, uint32_t c) const {
    if constexpr (sizeof(C) < 4) {
      if (c > static_cast<C>(-1)) return limit;
    }
    // Most runs are short: a few characters cost less than the call.
    const C* const near = limit - p > 12 ? p + 12 : limit;
    for (; p < near; ++p) {
      if (*p == c) return p;
    }
    const ptrdiff_t at = FindChar(p, static_cast<size_t>(limit - p), static_cast<C>(c));
    return at < 0 ? limit : p + at;
  }
  // Behind the longest run of such characters in [p, limit).
  const C* RunEnd(Op kind, uint32_t a, const C* p, const C* limit) const {
    switch (kind) {
      case Op::kChar:
        while (p < limit && *p == a) ++p;
        return p;
      case Op::kNotChar: return Find(p, limit, a);
      case Op::kSet: {
        const CharSet& set = program_.sets[a];
        while (p < limit && Test(set, *p)) ++p;
        return p;
      }
      case Op::kAny: return Find(p, limit, '\n');
      default: return limit;
    }
  }
  bool AtHolds(At at, uint8_t mode, const C* p) const;
  bool Boundary(uint8_t mode, const C* p) const {
    const bool before = p > text_ && IsWordChar(p[-1], mode);
    const bool after = p < end_ && IsWordChar(*p, mode);
    return before != after;
  }
  size_t Index(const C* p) const { return static_cast<size_t>(p - text_); }
  // Where the needle occurs first in [p, end); null if it does not.
  const C* FindNeedle(const Needle& needle, const C* p) const;
  // The first place from p on where a match may start; null: none. Only a matter of speed.
  const C* Candidate(const C* p) const;

  Matcher& m_;
  const Program& program_;
  const C* const text_;
  const C* const end_;
};

template <class C>
bool Engine<C>::AtHolds(At at, uint8_t mode, const C* p) const {
  switch (at) {
    case At::kBegin: return p == text_;
    case At::kBeginLine: return p == text_ || p[-1] == '\n';
    case At::kEnd: return p == end_ || (p + 1 == end_ && *p == '\n');
    case At::kEndLine: return p == end_ || *p == '\n';
    case At::kEndString: return p == end_;
    // In an empty text neither holds.
    case At::kBoundary: return text_ != end_ && Boundary(mode, p);
    case At::kNotBoundary: return text_ != end_ && !Boundary(mode, p);
  }
  return false;
}

template <class C>
const C* Engine<C>::FindNeedle(const Needle& needle, const C* p) const {
  const uint8_t* bytes = program_.needles.data() + needle.at;
  const size_t n = static_cast<size_t>(end_ - p), size = needle.size;
  if (size > n || needle.width > sizeof(C)) return nullptr;
  ptrdiff_t at = -1;
  if (size == 1) {
    C c = 0;
    std::memcpy(&c, bytes, needle.width);
    at = FindChar(p, n, c);
  } else if (needle.width == 1) {
    at = FindText(p, n, bytes, size);
  } else if constexpr (sizeof(C) > 1) {
    if (needle.width == 2) {
      at = FindText(p, n, reinterpret_cast<const uint16_t*>(bytes), size);
    } else if constexpr (sizeof(C) > 2) {
      at = FindText(p, n, reinterpret_cast<const uint32_t*>(bytes), size);
    }
  }
  return at < 0 ? nullptr : p + at;
}

template <class C>
const C* Engine<C>::Candidate(const C* p) const {
  if (program_.prefix.size) return FindNeedle(program_.prefix, p);
  if (program_.anchored_line) {
    if (p == text_ || p[-1] == '\n') return p;
    p = Find(p, end_, '\n');
    return p < end_ ? p + 1 : nullptr;
  }
  if (program_.first_set != kNoFilter) {
    const CharSet& set = program_.sets[program_.first_set];
    while (p < end_ && !Test(set, *p)) ++p;
    return p < end_ ? p : nullptr;
  }
  return p;
}

template <class C>
Matcher::Outcome Engine<C>::Search(const C* from, const C* not_empty_at) {
  if (program_.anchored_begin)
    return from == text_ ? Run(from, false, not_empty_at) : Outcome::kNoMatch;
  const C* p = from;
  for (;;) {
    if (static_cast<size_t>(end_ - p) < program_.min_width) return Outcome::kNoMatch;
    if (program_.required.size) {
      const C* required = static_cast<const C*>(m_.required_at_);
      const C* least = p + program_.required_min;
      if (!required || required < least) {
        required = FindNeedle(program_.required, least);
        if (!required) return Outcome::kNoMatch;
        m_.required_at_ = required;
      }
      if (static_cast<uint64_t>(required - p) > program_.required_max)
        p = required - program_.required_max;
    }
    p = Candidate(p);
    if (!p) return Outcome::kNoMatch;
    if (program_.literal) {
      m_.start_ = static_cast<size_t>(p - text_);
      m_.end_ = m_.start_ + program_.prefix.size;
      return Outcome::kFound;
    }
    const Outcome found = Run(p, false, not_empty_at);
    if (found != Outcome::kNoMatch) return found;
    if (program_.run != kNoFilter && p < end_) {
      // Starting inside of the run that has just failed would come to the same place and fail.
      const Instr& run = program_.code[program_.run];
      const C* behind = RunEnd(static_cast<Op>(run.kind), run.a, p, end_);
      m_.steps_ -= (behind - p) >> 4;
      p = std::max(behind, p + 1);
    } else {
      ++p;
    }
    if (p > end_) return Outcome::kNoMatch;
  }
}

#define PUSH(kind_, a_, p_, q_)                                      \
  do {                                                               \
    if (MVM_UNLIKELY(sp == m_.stack_capacity_)) {                    \
      if (m_.GrowStack().raised()) return Outcome::kError;           \
      stack = m_.stack_;                                             \
    }                                                                \
    stack[sp++] = {Frame::kind_, static_cast<uint32_t>(a_), p_, q_}; \
  } while (false)

#define STEP()                                       \
  do {                                               \
    if (MVM_UNLIKELY(--m_.steps_ < 0)) {             \
      const Outcome outcome = m_.ChargeSteps();      \
      if (outcome != Outcome::kGoOn) return outcome; \
    }                                                \
  } while (false)

// Fails if the first of n_ states from this one on has been entered before.
#define ENTER(p_, n_)                                                                      \
  do {                                                                                     \
    const size_t next = m_.Enter(static_cast<uint32_t>(pc - code), p_, Index(p_), n_, sp); \
    stack = m_.stack_;                                                                     \
    if (next == 0) {                                                                       \
      if (m_.outcome_ != Outcome::kNoMatch) return m_.outcome_;                            \
      goto fail;                                                                           \
    }                                                                                      \
    sp = next;                                                                             \
  } while (false)

template <class C>
Matcher::Outcome Engine<C>::Run(const C* start, bool full, const C* not_empty_at) {
  const Instr* const code = m_.code_;
  const uint32_t* const literals = program_.literals.data();
  const void** const captures = m_.captures_;
  LoopState* const loops = m_.loops_;
  const C* const end = end_;
  const C* p = start;
  const Instr* pc = code;
  Frame* stack = m_.stack_;
  size_t sp = 0;
  if (m_.dirty_) {
    std::fill_n(captures, size_t{2} * program_.groups, nullptr);
    m_.steps_ -= program_.groups >> 4;
    m_.last_index_ = 0;
    m_.dirty_ = false;
  }

  for (;;) {
    Op op = pc->op;
  dispatch:
    switch (op) {
      case Op::kMatch:
        if ((full && p != end) || p == not_empty_at) {
          m_.stale_ = true;
          goto fail;
        }
        m_.start_ = static_cast<size_t>(start - text_);
        m_.end_ = static_cast<size_t>(p - text_);
        if (MVM_UNLIKELY(m_.memo_ != nullptr)) m_.UnmarkWay(0, sp);
        --m_.steps_;
        return Outcome::kFound;
      case Op::kFail: goto fail;
      case Op::kString: {
        const uint32_t* s = literals + pc->a;
        const uint32_t n = pc->b;
        if (static_cast<size_t>(end - p) < n) goto fail;
        m_.steps_ -= n >> 5;
        for (uint32_t i = 0; i < n; ++i) {
          if (p[i] != s[i]) goto fail;
        }
        p += n;
        ++pc;
        continue;
      }
      case Op::kChar:
        if (p == end || *p != pc->a) goto fail;
        ++p, ++pc;
        continue;
      case Op::kNotChar:
        if (p == end || *p == pc->a) goto fail;
        ++p, ++pc;
        continue;
      case Op::kSet:
        if (p == end || !Test(program_.sets[pc->a], *p)) goto fail;
        ++p, ++pc;
        continue;
      case Op::kAny:
        if (p == end || *p == '\n') goto fail;
        ++p, ++pc;
        continue;
      case Op::kAll:
        if (p == end) goto fail;
        ++p, ++pc;
        continue;
      case Op::kAt:
        if (!AtHolds(static_cast<At>(pc->a), pc->kind, p)) goto fail;
        ++pc;
        continue;
      case Op::kSave:
        if (sp)
          PUSH(kCapture, pc->a, captures[pc->a],
               reinterpret_cast<void*>(uintptr_t{m_.last_index_}));
        captures[pc->a] = p;
        m_.dirty_ = true;
        if (pc->b) m_.last_index_ = pc->b;
        ++pc;
        continue;
      case Op::kJump: pc = code + pc->a; continue;
      case Op::kSplit:
        STEP();
        if (!Passes(pc->c, p)) {
          pc = code + pc->b;
        } else {
          if (Passes(pc->d, p)) PUSH(kAlternative, pc->b, p, nullptr);
          pc = code + pc->a;
        }
        continue;
      case Op::kBranch: {
        const uint32_t* row = program_.switches.data() + pc->a;
        const uint32_t list = row[p == end   ? kSwitchEnd
                                  : *p > 255 ? kSwitchWide
                                             : static_cast<uint32_t>(*p)];
        const uint32_t* item = program_.lists.data() + list;
        if (item[0] == 0) goto fail;
        if (item[1] != 0) PUSH(kList, list + 1, p, nullptr);
        pc = code + item[0];
        continue;
      }
      case Op::kRepeat: {
        const Op kind = static_cast<Op>(pc->kind);
        const C* const limit =
            static_cast<size_t>(end - p) > pc->c && pc->c != kMaxRepeat ? p + pc->c : end;
        if (static_cast<size_t>(limit - p) < pc->b) goto fail;
        const C* const least = p + pc->b;
        if (pc->flags & kInstrLazy) {
          if (RunEnd(kind, pc->a, p, least) != least) goto fail;
          m_.steps_ -= pc->b >> 4;
          p = least;
          const C* const from = p;
          for (;;) {
            const bool more = p < limit && TestOne(kind, pc->a, *p);
            if (Passes(pc->d, p)) {
              if (more) PUSH(kLazy, pc - code, p, limit);
              m_.steps_ -= (p - from) >> 3;
              break;
            }
            if (!more) {
              m_.steps_ -= (p - from) >> 3;
              goto fail;
            }
            ++p;
          }
          ++pc;
          continue;
        }
        const C* q = RunEnd(kind, pc->a, p, limit);
        m_.steps_ -= (q - p) >> 4;
        if (q < least) goto fail;
        if (!(pc->flags & kInstrPossessive)) {
          while (!Passes(pc->d, q)) {
            if (q == least) goto fail;
            --q;
          }
          if (q > least) PUSH(kRepeat, pc - code, least, q);
        }
        p = q;
        ++pc;
        continue;
      }
      case Op::kLoopInit:
        if (sp) {
          const LoopState& old = loops[pc->a];
          PUSH(kLoop, pc->a, old.last, reinterpret_cast<void*>(old.count));
        }
        loops[pc->a] = {nullptr, 0};
        ++pc;
        continue;
      case Op::kLoop: {
        --m_.steps_;
        STEP();
        LoopState& loop = loops[pc->a];
        if (loop.count < pc->b) {
          // On the way back only the oldest value counts.
          if (sp && !(stack[sp - 1].kind == Frame::kLoop && stack[sp - 1].a == pc->a))
            PUSH(kLoop, pc->a, loop.last, reinterpret_cast<void*>(loop.count));
          ++loop.count;
          pc = code + pc->d;
          continue;
        }
        const bool more = (loop.count < pc->c || pc->c == kMaxRepeat) && p != loop.last;
        if (pc->flags & kInstrLazy) {
          if (more) PUSH(kLazyLoop, pc - code, p, nullptr);
          pc = code + pc->e;
          continue;
        }
        if (!more) {
          pc = code + pc->e;
          continue;
        }
        if (sp) PUSH(kLoop, pc->a, loop.last, reinterpret_cast<void*>(loop.count));
        PUSH(kAlternative, pc->e, p, nullptr);
        ++loop.count;
        loop.last = p;
        pc = code + pc->d;
        continue;
      }
      case Op::kBackref: {
        const C* from = static_cast<const C*>(captures[2 * (pc->a - 1)]);
        const C* to = static_cast<const C*>(captures[2 * (pc->a - 1) + 1]);
        if (!from || !to || to < from) goto fail;
        const size_t n = static_cast<size_t>(to - from);
        if (static_cast<size_t>(end - p) < n) goto fail;
        m_.steps_ -= static_cast<int64_t>(n >> 4);
        if (pc->kind & kModeIgnoreCase) {
          m_.steps_ -= static_cast<int64_t>(n >> 1);
          for (size_t i = 0; i < n; ++i) {
            if (from[i] != p[i] && LowerChar(from[i], pc->kind) != LowerChar(p[i], pc->kind))
              goto fail;
          }
        } else if (n != 0 && std::memcmp(from, p, n * sizeof(C)) != 0) {
          goto fail;
        }
        p += n;
        ++pc;
        continue;
      }
      case Op::kLook: {
        const bool negate = pc->flags & kInstrNegate;
        if (static_cast<size_t>(p - text_) < pc->b) {
          if (!negate) goto fail;
          pc = code + pc->a;
          continue;
        }
        m_.barriers_[pc->c] = sp;
        PUSH(kBarrier, pc->a, p, negate ? p : nullptr);
        p -= pc->b;
        ++pc;
        continue;
      }
      case Op::kAtomic:
        m_.barriers_[pc->c] = sp;
        PUSH(kBarrier, 0, p, nullptr);
        ++pc;
        continue;
      case Op::kLookEnd:
      case Op::kAtomicEnd: {
        const size_t barrier = m_.barriers_[pc->c];
        if (MVM_UNLIKELY(m_.memo_ != nullptr)) {
          m_.UnmarkWay(barrier, sp);
          if (op == Op::kLookEnd)
            m_.memo_->SetLookHeld(pc->c, Index(static_cast<const C*>(stack[barrier].p)));
        }
        if (pc->flags & kInstrNegate) {
          // What was not to match has matched: undo it, and fail.
          while (sp > barrier) {
            const Frame& f = stack[--sp];
            if (f.kind == Frame::kCapture) {
              captures[f.a] = f.p;
              m_.last_index_ = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(f.q));
            } else if (f.kind == Frame::kLoop) {
              loops[f.a] = {f.p, reinterpret_cast<uint64_t>(f.q)};
            }
          }
          goto fail;
        }
        if (op == Op::kLookEnd) p = static_cast<const C*>(stack[barrier].p);
        size_t kept = barrier;
        for (size_t i = barrier + 1; i < sp; ++i) {
          if (stack[i].kind == Frame::kCapture || stack[i].kind == Frame::kLoop)
            stack[kept++] = stack[i];
        }
        m_.steps_ -= static_cast<int64_t>((sp - barrier) >> 2);
        sp = kept;
        ++pc;
        continue;
      }
      case Op::kLookOne: {
        const bool behind = pc->flags & kInstrBehind;
        const bool is = behind ? p > text_ && TestOne(static_cast<Op>(pc->kind), pc->a, p[-1])
                               : p < end && TestOne(static_cast<Op>(pc->kind), pc->a, *p);
        if (is == ((pc->flags & kInstrNegate) != 0)) goto fail;
        ++pc;
        continue;
      }
      case Op::kConditional: {
        const void* from = captures[2 * (pc->a - 1)];
        const void* to = captures[2 * (pc->a - 1) + 1];
        pc = from && to && from <= to ? pc + 1 : code + pc->b;
        continue;
      }
      case Op::kMemo:
        ENTER(p, 1);
        op = program_.code[static_cast<size_t>(pc - code)].op;
        if (op == Op::kLook && m_.memo_->LookHeld(pc->c, Index(p))) {
          if (pc->flags & kInstrNegate) goto fail;
          pc = code + pc->a;
          continue;
        }
        goto dispatch;
      case Op::kMemoRun: {
        const Op kind = static_cast<Op>(pc->kind);
        if (static_cast<size_t>(end - p) < pc->b || RunEnd(kind, pc->a, p, p + pc->b) != p + pc->b)
          goto fail;
        m_.steps_ -= pc->b >> 4;
        p += pc->b;
        if (pc->flags & kInstrLazy) goto lazy;
        // At every length from here on the run is in a state of its own.
        ENTER(p, 1);
        const bool possessive = pc->flags & kInstrPossessive;
        const C* q = p;
        if (q < end && TestOne(kind, pc->a, *q)) {
          const bool tried = m_.IsMarked(static_cast<uint32_t>(pc - code), q + 1, Index(q + 1));
          if (!tried) {
            q = RunEnd(kind, pc->a, q + 1, end);
            m_.steps_ -= (q - p) >> 4;
            ENTER(p + 1, static_cast<size_t>(q - p));
          }
          if (tried || m_.entered_ < static_cast<size_t>(q - p)) {
            if (possessive) goto fail;
            if (!tried) q = p + m_.entered_;
          }
        }
        if (!possessive) {
          while (!Passes(pc->d, q)) {
            if (q == p) goto fail;
            --q;
          }
          if (q > p) PUSH(kRepeat, pc - code, p, q);
        }
        p = q;
        ++pc;
        continue;
      }
    }

  lazy:  // the states of a lazy kMemoRun, from p on
    for (;;) {
      ENTER(p, 1);
      const bool more = p < end && TestOne(static_cast<Op>(pc->kind), pc->a, *p);
      if (Passes(pc->d, p)) {
        if (more) PUSH(kLazy, pc - code, p, end);
        ++pc;
        break;
      }
      if (!more) goto fail;
      ++p;
    }
    continue;

  fail:
    STEP();
    for (;;) {
      if (sp == 0) return Outcome::kNoMatch;
      Frame& f = stack[sp - 1];
      if (f.kind == Frame::kAlternative) {
        p = static_cast<const C*>(f.p);
        pc = code + f.a;
        --sp;
        break;
      }
      if (f.kind == Frame::kCapture) {
        captures[f.a] = f.p;
        m_.last_index_ = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(f.q));
        --sp;
        --m_.steps_;
        continue;
      }
      if (f.kind == Frame::kLoop) {
        loops[f.a] = {f.p, reinterpret_cast<uint64_t>(f.q)};
        --sp;
        --m_.steps_;
        continue;
      }
      if (f.kind == Frame::kRepeat) {
        pc = code + f.a;
        const C* const least = static_cast<const C*>(f.p);
        const C* q = static_cast<const C*>(f.q) - 1;
        bool passes = Passes(pc->d, q);
        const C* const from = q;
        while (!passes && q > least) passes = Passes(pc->d, --q);
        m_.steps_ -= (from - q) >> 4;
        if (q == least) {
          --sp;
        } else {
          f.q = q;
        }
        if (!passes) continue;
        p = q;
        ++pc;
        break;
      }
      if (f.kind == Frame::kLazy) {
        pc = code + f.a;
        const C* const limit = static_cast<const C*>(f.q);
        const C* const from = static_cast<const C*>(f.p);
        p = from + 1;
        if (MVM_UNLIKELY(pc->op == Op::kMemoRun)) {
          --sp;
          goto lazy;
        }
        bool more = true, passes = false;
        while (more) {
          more = p < limit && TestOne(static_cast<Op>(pc->kind), pc->a, *p);
          passes = Passes(pc->d, p);
          if (passes) break;
          if (more) ++p;
        }
        m_.steps_ -= (p - from) >> 3;
        if (passes && more) {
          f.p = p;
        } else {
          --sp;
        }
        if (!passes) continue;
        ++pc;
        break;
      }
      if (f.kind == Frame::kList) {
        p = static_cast<const C*>(f.p);
        const uint32_t* item = program_.lists.data() + f.a;
        pc = code + item[0];
        if (item[1] != 0) {
          ++f.a;
        } else {
          --sp;
        }
        break;
      }
      if (f.kind == Frame::kLazyLoop) {
        pc = code + f.a;
        p = static_cast<const C*>(f.p);
        --sp;
        LoopState& loop = loops[pc->a];
        if (sp) PUSH(kLoop, pc->a, loop.last, reinterpret_cast<void*>(loop.count));
        ++loop.count;
        loop.last = p;
        pc = code + pc->d;
        break;
      }
      --sp;
      if (f.kind == Frame::kMark) continue;  // in vain indeed
      // A barrier: the body has failed, which is what a negative assertion wants.
      if (!f.q) continue;
      p = static_cast<const C*>(f.p);
      pc = code + f.a;
      break;
    }
  }
}
#undef PUSH
#undef ENTER
#undef STEP

Matcher::~Matcher() {
  Heap& heap = heap_;
  if (stack_ != inline_frames_) heap.FreeBuffer(stack_, stack_capacity_ * sizeof(Frame));
  if (captures_ != inline_captures_)
    heap.FreeBuffer(captures_, size_t{2} * program_.groups * sizeof(captures_[0]));
  if (loops_ != inline_loops_) heap.FreeBuffer(loops_, program_.loops * sizeof(LoopState));
  if (barriers_ != inline_barriers_) heap.FreeBuffer(barriers_, program_.barriers * sizeof(size_t));
  if (memo_) DropMemo();
}

Status Matcher::Init(ThreadState& ts, const void* text, size_t size, int width, bool fixed) {
  text_ = text ? text : this;  // never null, which stands for "nothing"
  size_ = size;
  width_ = width;
  fixed_ = fixed;
  const auto room = [&](auto*& p, size_t n, size_t inlined) -> Status {
    if (n <= inlined) return Ok();
    MVM_TRY(void* buffer, AllocBuffer(ts, n * sizeof(*p)));
    p = static_cast<std::remove_reference_t<decltype(p)>>(buffer);
    return Ok();
  };
  MVM_TRY_VOID(room(captures_, size_t{2} * program_.groups, 2 * kInlineGroups));
  std::fill_n(captures_, size_t{2} * program_.groups, nullptr);
  MVM_TRY_VOID(room(loops_, program_.loops, kInlineLoops));
  std::fill_n(loops_, program_.loops, LoopState{nullptr, 0});
  MVM_TRY_VOID(room(barriers_, program_.barriers, kInlineLoops));
  if (program_.has_locale_sets) {
    // The bits depend on the locale of now; any thread would write the same ones.
    Program& program = const_cast<Program&>(program_);
    for (CharSet& set : program.sets) {
      if (!set.locale) continue;
      RefreshLocale(program.ranges.data(), &set);
      uint8_t* table = const_cast<uint8_t*>(set.table);
      for (uint32_t c = 0; c < 256; ++c) {
        table[c] = static_cast<uint8_t>(set.Has(c) ? table[c] | set.mask : table[c] & ~set.mask);
      }
    }
    fixed_ = false;
  }
  if (MVM_UNLIKELY(program_.patience == 0)) StartMemo();
  return Ok();
}

Raised Matcher::RaiseTooMuch() {
  return Raise(*ts_, Exc::kRuntimeError, "regular expression backtracks too much");
}

Status Matcher::GrowStack() {
  const size_t capacity = stack_capacity_ * 2;
  if (capacity > kMaxFrames + kMaxFramesOfChar * size_) return RaiseTooMuch();
  Heap& heap = heap_;
  void* p = stack_ == inline_frames_
                ? heap.AllocateBuffer(capacity * sizeof(Frame))
                : heap.ReallocateBuffer(stack_, stack_capacity_ * sizeof(Frame),
                                        capacity * sizeof(Frame));
  if (!p) return RaiseMemoryError(*ts_);
  if (stack_ == inline_frames_) std::memcpy(p, inline_frames_, sizeof inline_frames_);
  stack_ = static_cast<Frame*>(p);
  stack_capacity_ = capacity;
  return Ok();
}

Matcher::Outcome Matcher::ChargeSteps() {
  const uint64_t used = static_cast<uint64_t>(kSteps - steps_);
  steps_ = kSteps;
  steps_of_call_ += used;
  steps_of_all_ += used;
  if (Charge(*ts_, static_cast<int64_t>(used / 2)).raised()) return Outcome::kError;
  const uint64_t limit = program_.step_limit >= 0 ? static_cast<uint64_t>(program_.step_limit)
                                                  : kStepLimit + kStepLimitOfChar * size_;
  if (MVM_UNLIKELY(steps_of_call_ > limit)) {
    RaiseTooMuch();
    return Outcome::kError;
  }
  if (memo_ || memo_failed_ || program_.has_references) return Outcome::kGoOn;
  const uint64_t patience = program_.patience >= 0
                                ? static_cast<uint64_t>(program_.patience)
                                : kPatience + kPatienceOfPlace * program_.code.size() * size_;
  return steps_of_all_ > patience && StartMemo() ? Outcome::kAgain : Outcome::kGoOn;
}

size_t Matcher::Enter(uint32_t place, const void* p, size_t at, size_t n, size_t sp) {
  outcome_ = Outcome::kNoMatch;
  if (sp == stack_capacity_ && GrowStack().raised()) {
    outcome_ = Outcome::kError;
    return 0;
  }
  const uint64_t key = memo_->Key(place, loops_, p, at);
  entered_ = memo_->Enter(key, n);
  if (MVM_UNLIKELY(memo_->full())) {
    outcome_ = DropMemo();
    return 0;
  }
  if (entered_ == 0) return 0;
  steps_ -= memo_->cost();
  stack_[sp] = {Frame::kMark, 0, reinterpret_cast<void*>(key), reinterpret_cast<void*>(entered_)};
  return sp + 1;
}

bool Matcher::IsMarked(uint32_t place, const void* p, size_t at) const {
  return memo_->IsMarked(memo_->Key(place, loops_, p, at));
}

Matcher::Outcome Matcher::DropMemo() {
  memo_->~Memo();
  heap_.FreeBuffer(std::exchange(memo_, nullptr), sizeof(Memo));
  code_ = program_.code.data();
  memo_failed_ = true;
  return Outcome::kAgain;
}

void Matcher::UnmarkWay(size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    if (stack_[i].kind == Frame::kMark) {
      memo_->Unmark(reinterpret_cast<uint64_t>(stack_[i].p), reinterpret_cast<size_t>(stack_[i].q));
    }
  }
}

bool Matcher::StartMemo() {
  memo_failed_ = true;
  void* room = program_.has_references ? nullptr : heap_.AllocateBuffer(sizeof(Memo));
  if (!room) return false;
  Memo* memo = new (room) Memo(heap_, program_, size_);
  if (!memo->Prepare()) {
    memo->~Memo();
    heap_.FreeBuffer(memo, sizeof(Memo));
    return false;
  }
  memo_failed_ = false;
  memo_ = memo;
  code_ = memo->code();
  return true;
}

template <class F>
Result<bool> Matcher::Dispatch(ThreadState& ts, F f) {
  ts_ = &ts;
  steps_of_call_ = 0;
  if (MVM_UNLIKELY(!fixed_ || memo_)) {
    if (!fixed_) required_at_ = nullptr;
    if (memo_ && (stale_ || !fixed_)) memo_->Clear();
    stale_ = false;
  }
  const auto run = [&]<class C>(const C* text) {
    Engine<C> e(*this);
    return f(e, text);
  };
  Outcome result;
  switch (width_) {
    case 1: result = run(static_cast<const uint8_t*>(text_)); break;
    case 2: result = run(static_cast<const uint16_t*>(text_)); break;
    default: result = run(static_cast<const uint32_t*>(text_));
  }
  if (MVM_UNLIKELY(result == Outcome::kAgain)) return Dispatch(ts, f);
  if (result == Outcome::kError) {
    stale_ = true;
    return kRaised;
  }
  if (steps_ < kSteps / 2 && ChargeSteps() == Outcome::kError) return kRaised;
  return result == Outcome::kFound;
}

Result<bool> Matcher::Search(ThreadState& ts, size_t from, bool must_advance) {
  return Dispatch(ts, [&](auto& e, auto* text) {
    return e.Search(text + from, must_advance ? text + from : nullptr);
  });
}

Result<bool> Matcher::Match(ThreadState& ts, size_t from, bool full, bool must_advance) {
  return Dispatch(ts, [&](auto& e, auto* text) {
    return e.Run(text + from, full, must_advance ? text + from : nullptr);
  });
}

}  // namespace minivm::regex
