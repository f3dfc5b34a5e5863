// The states that a match has been in; see memo.h.
#include "stdlib/re/memo.h"

#include <algorithm>
#include <cstring>

namespace minivm::regex {
namespace {

// Do different ways meet here, so that it is worth knowing that one of them has failed?
bool IsPlace(const Instr& x) {
  switch (x.op) {
    case Op::kSplit:
    case Op::kBranch:
    case Op::kRepeat:
    case Op::kLoop:
    case Op::kLook:
    case Op::kAtomic: return true;
    default: return false;
  }
}

}  // namespace

Memo::~Memo() {
  if (words_) heap_.FreeBuffer(words_, capacity_ * sizeof(Word));
}

uint64_t Memo::TakeStates(uint64_t states) {
  const uint64_t most = (uint64_t{1} << 62) / stride_;
  if (states > most || states_ > most - states) return kNone;
  states_ += states;
  return states_ - states;
}

bool Memo::Prepare() {
  const size_t n = program_.code.size();
  if (!code_.Append(program_.code.data(), n) || !places_.Resize(n) || !contexts_.Push(Context()) ||
      !looks_.Resize(program_.barriers))
    return false;
  // What is around an instruction: loops, which end at an address, and bodies, which end with an
  // instruction.
  struct Region {
    uint32_t end;  // 0: a body
    uint32_t context;
    bool captures;
  };
  HeapArray<Region> regions(heap_);
  if (!regions.Push({0, 0, false})) return false;
  for (uint32_t at = 0; at < n; ++at) {
    while (regions.back().end == at && at != 0) regions.Truncate(regions.size() - 1);
    Instr& x = code_[at];
    if (x.op == Op::kSave) {
      for (Region& region : regions) region.captures = true;
    }
    if (x.op == Op::kLookEnd || x.op == Op::kAtomicEnd) {
      const Region body = regions.back();
      regions.Truncate(regions.size() - 1);
      uint64_t state = kNone;
      if (x.op == Op::kLookEnd && (!body.captures || (x.flags & kInstrNegate)))
        state = TakeStates(1);
      looks_[x.c] = state;
    }
    uint32_t context = regions.back().context;
    if (x.op == Op::kLoop) {
      // From the least number of iterations on they need not be counted if there is no limit.
      const uint64_t most = x.c == kMaxRepeat ? x.b : x.c;
      Context made{context, x.a, static_cast<uint32_t>(most), 0};
      const uint64_t outer = context ? contexts_[context].states : 1;
      if (__builtin_mul_overflow(2 * (most + 1), outer, &made.states)) made.states = kNone;
      if (!contexts_.Push(made)) return false;
      context = static_cast<uint32_t>(contexts_.size() - 1);
      if (!regions.Push({x.e, context, false})) return false;
    }
    if (IsPlace(x)) {
      const uint64_t base = TakeStates(context ? contexts_[context].states : 1);
      places_[at] = {base, context};
      if (base != kNone) {
        const bool run = x.op == Op::kRepeat && x.c == kMaxRepeat;
        x.op = run ? Op::kMemoRun : Op::kMemo;
      }
    }
    if (program_.code[at].op == Op::kLook || program_.code[at].op == Op::kAtomic) {
      if (!regions.Push({0, 0, false})) return false;
    }
  }
  return true;
}

uint64_t Memo::LoopsState(uint32_t context, const LoopState* loops, const void* p) const {
  uint64_t state = 0;
  do {
    const Context& x = contexts_[context];
    const LoopState& loop = loops[x.loop];
    const uint64_t count = std::min<uint64_t>(loop.count, x.most);
    state = state * (2 * (uint64_t{x.most} + 1)) + 2 * count + (loop.last == p);
    context = x.outer;
  } while (context);
  return state;
}

const Memo::Word* Memo::Find(uint64_t number) const {
  if (capacity_ == 0) return nullptr;
  const size_t mask = capacity_ - 1;
  size_t i = (number * 0x9E3779B97F4A7C15u >> 32) & mask;
  while (words_[i].tag != 0) {
    if (words_[i].tag == number + 1) return &words_[i];
    i = (i + 1) & mask;
  }
  return nullptr;
}

Memo::Word* Memo::Make(uint64_t number) {
  if (const Word* word = Find(number)) return const_cast<Word*>(word);
  if (used_ + used_ / 2 >= capacity_ && !Grow()) return nullptr;
  const size_t mask = capacity_ - 1;
  size_t i = (number * 0x9E3779B97F4A7C15u >> 32) & mask;
  while (words_[i].tag != 0) i = (i + 1) & mask;
  words_[i] = {number + 1, 0};
  ++used_;
  return &words_[i];
}

bool Memo::Grow() {
  const size_t capacity = capacity_ ? capacity_ * 2 : 256;
  if (capacity > kMaxWords) return false;
  Word* words = static_cast<Word*>(heap_.AllocateBuffer(capacity * sizeof(Word)));
  if (!words) return false;
  std::memset(static_cast<void*>(words), 0, capacity * sizeof(Word));
  for (size_t k = 0; k < capacity_; ++k) {
    if (words_[k].tag == 0) continue;
    size_t i = ((words_[k].tag - 1) * 0x9E3779B97F4A7C15u >> 32) & (capacity - 1);
    while (words[i].tag != 0) i = (i + 1) & (capacity - 1);
    words[i] = words_[k];
  }
  if (words_) heap_.FreeBuffer(words_, capacity_ * sizeof(Word));
  words_ = words;
  capacity_ = capacity;
  return true;
}

namespace {

// What n marks from `at` on have of its word.
struct Piece {
  Piece(uint64_t at, size_t n)
      : word(at >> 6), first(at & 63), count(std::min<size_t>(n, 64 - first)) {
    mask = (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << first;
  }
  uint64_t word;
  unsigned first;
  size_t count;
  uint64_t mask;
};

}  // namespace

bool Memo::IsMarked(uint64_t key) const {
  const Word* word = Find(key >> 6);
  return word && (word->marks >> (key & 63) & 1);
}

size_t Memo::Enter(uint64_t key, size_t n) {
  size_t done = 0;
  while (done < n) {
    const Piece piece(key + done, n - done);
    Word* word = Make(piece.word);
    if (!word) {
      full_ = true;
      return done;
    }
    if (const uint64_t old = word->marks & piece.mask) {
      const size_t before = static_cast<size_t>(__builtin_ctzll(old)) - piece.first;
      word->marks |= piece.mask & ((old & -old) - 1);
      return done + before;
    }
    word->marks |= piece.mask;
    done += piece.count;
  }
  return n;
}

void Memo::Unmark(uint64_t key, size_t n) {
  size_t done = 0;
  while (done < n) {
    const Piece piece(key + done, n - done);
    if (const Word* word = Find(piece.word)) const_cast<Word*>(word)->marks &= ~piece.mask;
    done += piece.count;
  }
}

void Memo::Clear() {
  if (words_) heap_.FreeBuffer(words_, capacity_ * sizeof(Word));
  words_ = nullptr;
  capacity_ = used_ = 0;
}

}  // namespace minivm::regex
