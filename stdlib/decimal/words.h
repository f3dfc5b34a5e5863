// Coefficients of decimal numbers: magnitudes in base 10**18, least significant word first.
//
// A decimal base makes what decimal arithmetic does all the time - counting digits, shifting and
// rounding at a digit - linear work. Long products and quotients go through the binary magnitudes
// of runtime/support/big_int. A coefficient is normalised when its top word is not zero; zero has
// no words. Every input is normalised, and so is every result.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm::decimal {

using Word = uint64_t;
inline constexpr Word kRadix = 1000000000000000000u;
inline constexpr int kWordDigits = 18;

extern const Word kPowersOfTen[20];  // 10**0 .. 10**19

// A growable array of words (or of binary limbs), counted by the VM's heap.
class Words {
 public:
  explicit Words(ThreadState& ts) : heap_(&ts.heap()) {}
  ~Words() { Release(); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  Word* data() { return data_; }
  const Word* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Word& operator[](size_t i) { return data_[i]; }
  Word operator[](size_t i) const { return data_[i]; }
  // Keeps what fits; new words are not initialised. MemoryError.
  Status Resize(ThreadState& ts, size_t n) {
    if (MVM_UNLIKELY(n > capacity_)) MVM_TRY_VOID(Grow(ts, n));
    size_ = n;
    return Ok();
  }
  void Truncate(size_t n) { size_ = n; }
  void Trim() {
    while (size_ > 0 && data_[size_ - 1] == 0) --size_;
  }
  Status Assign(ThreadState& ts, const Word* w, size_t n);
  Status AssignWord(ThreadState& ts, Word w);
  void Swap(Words& other);

 private:
  static constexpr size_t kInline = 6;
  Status Grow(ThreadState& ts, size_t n);
  void Release() {
    if (data_ != inline_) heap_->FreeBuffer(data_, capacity_ * sizeof(Word));
  }

  Heap* heap_;
  Word* data_ = inline_;
  size_t size_ = 0;
  size_t capacity_ = kInline;
  Word inline_[kInline];
};

// Borrowed words.
struct Span {
  const Word* data = nullptr;
  size_t size = 0;
  Span() = default;
  Span(const Word* d, size_t n) : data(d), size(n) {}
  Span(const Words& w) : data(w.data()), size(w.size()) {}  // NOLINT: implicit
  bool zero() const { return size == 0; }
  bool odd() const { return size > 0 && (data[0] & 1); }
};

// What a shift to the right has dropped, compared with half a unit.
enum class Dropped : uint8_t { kNothing, kBelowHalf, kHalf, kAboveHalf };

int DigitsOfWord(Word w);     // 1 for 0
uint64_t DigitCount(Span a);  // 1 for 0
int CompareWords(Span a, Span b);
// Digit number `place` (0: the last one); 0 beyond the first.
int DigitAt(Span a, uint64_t place);
uint64_t TrailingZeroDigits(Span a);  // REQUIRES: a != 0

// Results go to a Words that is none of the operands, unless said otherwise.
Status AddWords(ThreadState& ts, Words* out, Span a, Span b);
Status SubWords(ThreadState& ts, Words* out, Span a, Span b);  // REQUIRES: a >= b
Status MulWords(ThreadState& ts, Words* out, Span a, Span b);
// Truncated; either result may be null. REQUIRES: b != 0
Status DivModWords(ThreadState& ts, Words* quotient, Words* remainder, Span a, Span b);
// In place: a += word, word < 10**18.
Status IncrementWords(ThreadState& ts, Words* a, Word word);
// In place; REQUIRES: a >= word.
void DecrementWords(Words* a, Word word);
// a * 10**count. MemoryError when that is out of reach.
Status ShiftLeftWords(ThreadState& ts, Words* out, Span a, uint64_t count);
// a / 10**count, truncated; *dropped (may be null) says what is lost. out may be a's own Words.
Status ShiftRightWords(ThreadState& ts, Words* out, Span a, uint64_t count, Dropped* dropped);
// The last `count` digits. out may be a's own Words.
Status LowDigits(ThreadState& ts, Words* out, Span a, uint64_t count);
// 10**count - 1.
Status AllNines(ThreadState& ts, Words* out, uint64_t count);
Status PowerOfTen(ThreadState& ts, Words* out, uint64_t count);

// To and from binary limbs (support/big_int).
Status WordsToLimbs(ThreadState& ts, Words* out, Span a);
Status LimbsToWords(ThreadState& ts, Words* out, const uint64_t* limbs, size_t n);

// Writes the digits, first one first; room for DigitCount(a). "0" for zero.
void WordsToDigits(char* out, Span a);
// From ASCII digits (leading zeros allowed).
Status WordsFromDigits(ThreadState& ts, Words* out, const char* digits, size_t n);

}  // namespace minivm::decimal
