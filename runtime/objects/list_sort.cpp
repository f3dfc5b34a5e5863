// list.sort: a stable, adaptive merge sort.
//
// Runs that are ascending or strictly descending already are found, short ones are extended by
// binary insertion, and neighbouring runs are merged in the order of the powersort policy (Munro
// and Wild). Merging copies the shorter run out and switches to exponential ("galloping") search
// while one side keeps winning, so that nearly sorted inputs cost about n comparisons.
//
// Before sorting, one pass over the keys chooses a comparison: inline ints, inline floats,
// one-byte strings, any strings, tuples whose first items are one of these, or the general one. All
// but the last two run no script code.
//
// Many ints go through a radix sort instead. Of many texts and tuples, comparing means to fetch the
// objects, log n times each; so they are ordered by *digests* first, one int that was fetched once:
// the text's first bytes, the tuple's first item. Where digests are equal the keys are compared.
//
// While it is being sorted the list is empty to everybody else: items live in the buffer taken out
// of it. Whatever fails, every item is in the list again at the end.
#include <algorithm>
#include <cstring>

#include "runtime/objects/list_object.h"
#include "runtime/objects/list_ops.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

constexpr int64_t kMinRun = 32;
constexpr int64_t kMinGallop = 7;
constexpr int64_t kRadixFrom = 512;
constexpr int64_t kDigestFrom = 128;
constexpr uint32_t kDigestItems = 8;  // of a tuple, one after the other

// ---- comparisons: 1 less, 0 not less, -1 raised ----

struct LessInt {
  int operator()(Value a, Value b) const {
    return static_cast<int64_t>(a.bits()) < static_cast<int64_t>(b.bits());
  }
};
struct LessFloat {
  int operator()(Value a, Value b) const { return a.as_float() < b.as_float(); }
};
struct LessStr1 {
  int operator()(Value a, Value b) const {
    const StrObject *x = a.as<StrObject>(), *y = b.as<StrObject>();
    const size_t nx = x->length, ny = y->length, n = std::min(nx, ny);
    // Most differ in their first eight bytes. So many are there however short the text is: objects
    // take multiples of 16 bytes, and the header and a NUL take 25.
    static_assert(sizeof(StrObject) == 24);
    uint64_t p, q;
    std::memcpy(&p, x->data1(), sizeof p);
    std::memcpy(&q, y->data1(), sizeof q);
    if (p != q) {
      const size_t at = static_cast<size_t>(__builtin_ctzll(p ^ q)) / 8;
      if (at < n) return __builtin_bswap64(p) < __builtin_bswap64(q);
      return nx < ny;
    }
    if (n <= sizeof p) return nx < ny;
    const int r = std::memcmp(x->data1() + sizeof p, y->data1() + sizeof p, n - sizeof p);
    return r != 0 ? r < 0 : nx < ny;
  }
};
struct LessStr {
  int operator()(Value a, Value b) const {
    return StrCompare(a.as<StrObject>(), b.as<StrObject>()) < 0;
  }
};
struct LessAny {
  ThreadState& ts;
  int operator()(Value a, Value b) const {
    Result<bool> r = CompareBool(ts, a, b, CompareOp::kLt);
    return r.raised() ? -1 : r.Take();
  }
};
// Tuples: by the first items, which `First` compares; by the others in general when those are
// equal.
template <class First>
struct LessTuple {
  ThreadState& ts;
  First first;
  int operator()(Value a, Value b) const {
    const TupleObject *x = a.as<TupleObject>(), *y = b.as<TupleObject>();
    const Value x0 = (*x)[0], y0 = (*y)[0];
    if (!x0.is(y0)) {
      if (first(x0, y0) > 0) return 1;
      if (first(y0, x0) > 0) return 0;
    }
    const uint32_t n = std::min(x->size(), y->size());
    for (uint32_t i = 1; i < n; ++i) {
      const Value xi = (*x)[i], yi = (*y)[i];
      if (xi.is(yi)) continue;
      if (Value::BothInt(xi, yi)) return LessInt{}(xi, yi);
      Result<bool> equal = CompareBool(ts, xi, yi, CompareOp::kEq);
      if (equal.raised()) return -1;
      if (equal.Take()) continue;
      return LessAny{ts}(xi, yi);
    }
    return x->size() < y->size();
  }
};

// ---- the sort ----

// Sorts keys[0..n) and, if values is not null, values along with them.
template <class Less>
class Sorter {
 public:
  Sorter(ThreadState& ts, Less less, Value* keys, Value* values, int64_t n)
      : ts_(ts), less_(less), keys_(keys), values_(values), n_(n) {}
  ~Sorter() {
    if (temp_) ts_.heap().FreeBuffer(temp_, TempBytes(temp_size_));
  }
  Sorter(const Sorter&) = delete;
  Sorter& operator=(const Sorter&) = delete;

  // False: an exception is pending; the items are all there in some order.
  bool Sort() {
    int64_t min_run = n_;
    int64_t odd = 0;
    for (; min_run >= 2 * kMinRun; min_run >>= 1) odd |= min_run & 1;
    min_run += odd;
    for (int64_t at = 0; at < n_;) {
      int64_t run = CountRun(at);
      if (run < 0) return false;
      if (run < min_run) {
        const int64_t forced = std::min(min_run, n_ - at);
        if (!InsertionSort(at, at + run, at + forced)) return false;
        run = forced;
      }
      if (!PushRun(at, run)) return false;
      at += run;
      if (Charge(ts_, run).raised()) return false;
    }
    while (depth_ > 1) {
      if (!MergeTop()) return false;
    }
    return true;
  }

 private:
  struct Run {
    int64_t start, size;
    int power;  // of the boundary between this run and the next
  };

  static size_t TempItems(int64_t n, bool paired) {
    return static_cast<size_t>(n) * (paired ? 2 : 1);
  }
  size_t TempBytes(int64_t n) const { return TempItems(n, values_ != nullptr) * sizeof(Value); }

  void ReverseRange(int64_t from, int64_t to) {
    std::reverse(keys_ + from, keys_ + to);
    if (values_) std::reverse(values_ + from, values_ + to);
  }

  // Length of the run at `at`; strictly descending ones are reversed.
  int64_t CountRun(int64_t at) {
    int64_t end = at + 1;
    if (end == n_) return 1;
    int r = less_(keys_[end], keys_[at]);
    if (r < 0) return -1;
    const bool descending = r != 0;
    for (++end; end < n_; ++end) {
      r = less_(keys_[end], keys_[end - 1]);
      if (r < 0) return -1;
      if ((r != 0) != descending) break;
    }
    if (descending) ReverseRange(at, end);
    return end - at;
  }

  // [from, sorted_to) is sorted; brings in the rest of [from, to).
  bool InsertionSort(int64_t from, int64_t sorted_to, int64_t to) {
    for (int64_t i = sorted_to; i < to; ++i) {
      const Value pivot = keys_[i];
      int64_t lo = from, hi = i;
      while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;
        const int r = less_(pivot, keys_[mid]);
        if (r < 0) return false;
        if (r) {
          hi = mid;
        } else {
          lo = mid + 1;
        }
      }
      std::memmove(static_cast<void*>(keys_ + lo + 1), keys_ + lo,
                   static_cast<size_t>(i - lo) * sizeof(Value));
      keys_[lo] = pivot;
      if (values_) {
        const Value moved = values_[i];
        std::memmove(static_cast<void*>(values_ + lo + 1), values_ + lo,
                     static_cast<size_t>(i - lo) * sizeof(Value));
        values_[lo] = moved;
      }
    }
    return true;
  }

  // Depth of the boundary between two neighbouring runs in the ideal merge tree: the first bit in
  // which their midpoints, as fractions of n, differ.
  int PowerOf(int64_t start, int64_t n1, int64_t n2) const {
    uint64_t a = 2 * static_cast<uint64_t>(start) + static_cast<uint64_t>(n1);
    uint64_t b = a + static_cast<uint64_t>(n1) + static_cast<uint64_t>(n2);
    const uint64_t n = static_cast<uint64_t>(n_);
    for (int power = 1;; ++power) {
      if (a >= n) {
        a -= n;
        b -= n;
      } else if (b >= n) {
        return power;
      }
      a <<= 1;
      b <<= 1;
    }
  }

  bool PushRun(int64_t start, int64_t size) {
    if (depth_ > 0) {
      Run* top = &runs_[depth_ - 1];
      const int power = PowerOf(top->start, top->size, size);
      while (depth_ > 1 && runs_[depth_ - 2].power > power) {
        if (!MergeTop()) return false;
      }
      runs_[depth_ - 1].power = power;
    }
    runs_[depth_++] = {start, size, 0};
    return true;
  }

  bool MergeTop() {
    Run& left = runs_[depth_ - 2];
    const Run right = runs_[depth_ - 1];
    const int64_t start = left.start, na = left.size;
    left.size += right.size;
    left.power = right.power;
    --depth_;
    return Merge(start, na, right.size) && !Charge(ts_, left.size).raised();
  }

  // Number of items of the sorted a[0..n) that stand before key's place: those < key, or <= key if
  // kRight. Searches outwards from `hint`. -1: raised.
  template <bool kRight>
  int64_t Gallop(Value key, const Value* a, int64_t n, int64_t hint) {
    const auto before = [&](int64_t i) {
      if constexpr (kRight) {
        const int r = less_(key, a[i]);
        return r < 0 ? r : !r;
      } else {
        return less_(a[i], key);
      }
    };
    int r = before(hint);
    if (r < 0) return -1;
    int64_t lo, hi, last = 0, step = 1;
    if (r) {
      const int64_t max = n - hint;
      while (step < max) {
        r = before(hint + step);
        if (r < 0) return -1;
        if (!r) break;
        last = step;
        step = 2 * step + 1;
      }
      lo = hint + last + 1;
      hi = hint + std::min(step, max);
    } else {
      const int64_t max = hint + 1;
      while (step < max) {
        r = before(hint - step);
        if (r < 0) return -1;
        if (r) break;
        last = step;
        step = 2 * step + 1;
      }
      lo = hint - std::min(step, max) + 1;
      hi = hint - last;
    }
    while (lo < hi) {
      const int64_t mid = lo + (hi - lo) / 2;
      r = before(mid);
      if (r < 0) return -1;
      if (r) {
        lo = mid + 1;
      } else {
        hi = mid;
      }
    }
    return lo;
  }

  bool EnsureTemp(int64_t n) {
    if (n <= temp_size_) return true;
    if (temp_) ts_.heap().FreeBuffer(temp_, TempBytes(temp_size_));
    temp_size_ = 0;
    temp_ = static_cast<Value*>(ts_.heap().AllocateBuffer(TempBytes(n)));
    if (!temp_) {
      (void)RaiseMemoryError(ts_);
      return false;
    }
    temp_size_ = n;
    return true;
  }

  static void MoveItems(Value* to, const Value* from, int64_t n) {
    std::memmove(static_cast<void*>(to), from, static_cast<size_t>(n) * sizeof(Value));
  }
  // Items from `from` of the arrays to `to`.
  void Shift(int64_t to, int64_t from, int64_t n) {
    MoveItems(keys_ + to, keys_ + from, n);
    if (values_) MoveItems(values_ + to, values_ + from, n);
  }
  void SaveToTemp(int64_t from, int64_t n) {
    MoveItems(temp_, keys_ + from, n);
    if (values_) MoveItems(temp_ + temp_size_, values_ + from, n);
  }
  void Restore(int64_t to, int64_t temp_from, int64_t n) {
    MoveItems(keys_ + to, temp_ + temp_from, n);
    if (values_) MoveItems(values_ + to, temp_ + temp_size_ + temp_from, n);
  }
  void Shift1(int64_t to, int64_t from) {
    keys_[to] = keys_[from];
    if (values_) values_[to] = values_[from];
  }
  void Restore1(int64_t to, int64_t temp_from) {
    keys_[to] = temp_[temp_from];
    if (values_) values_[to] = temp_[temp_size_ + temp_from];
  }

  bool Merge(int64_t a, int64_t na, int64_t nb) {
    const int64_t b = a + na;
    // What is in place already at either end.
    const int64_t skip = Gallop<true>(keys_[b], keys_ + a, na, 0);
    if (skip < 0) return false;
    a += skip;
    na -= skip;
    if (na == 0) return true;
    nb = Gallop<false>(keys_[a + na - 1], keys_ + b, nb, nb - 1);
    if (nb <= 0) return nb == 0;
    if (!EnsureTemp(std::min(na, nb))) return false;
    return na <= nb ? MergeLow(a, na, b, nb) : MergeHigh(a, na, b, nb);
  }

  // Left to right; the left run waits in temp. The right run's first item belongs first, the left
  // run's last item last. With inconsistent comparisons either side may run out early.
  bool MergeLow(int64_t to, int64_t na, int64_t b, int64_t nb) {
    SaveToTemp(to, na);
    int64_t a = 0;
    bool ok = true;
    Shift1(to++, b++);
    --nb;
    while (na > 1 && nb > 0) {
      int64_t a_wins = 0, b_wins = 0;
      while (na > 1 && nb > 0 && a_wins < min_gallop_ && b_wins < min_gallop_) {
        const int r = less_(keys_[b], temp_[a]);
        if (MVM_UNLIKELY(r < 0)) {
          ok = false;
          goto done;
        }
        if (r) {
          Shift1(to++, b++);
          --nb;
          ++b_wins;
          a_wins = 0;
        } else {
          Restore1(to++, a++);
          --na;
          ++a_wins;
          b_wins = 0;
        }
      }
      if (na <= 1 || nb == 0) break;
      ++min_gallop_;
      do {
        if (min_gallop_ > 1) --min_gallop_;
        a_wins = Gallop<true>(keys_[b], temp_ + a, na, 0);
        if (a_wins < 0) {
          ok = false;
          goto done;
        }
        Restore(to, a, a_wins);
        to += a_wins;
        a += a_wins;
        na -= a_wins;
        if (na <= 1) break;
        Shift1(to++, b++);
        if (--nb == 0) break;
        b_wins = Gallop<false>(temp_[a], keys_ + b, nb, 0);
        if (b_wins < 0) {
          ok = false;
          goto done;
        }
        Shift(to, b, b_wins);
        to += b_wins;
        b += b_wins;
        nb -= b_wins;
        if (nb == 0) break;
        Restore1(to++, a++);
        if (--na <= 1) break;
      } while (a_wins >= kMinGallop || b_wins >= kMinGallop);
      ++min_gallop_;
    }
    if (na == 1) {
      Shift(to, b, nb);
      to += nb;
    }
  done:
    Restore(to, a, na);
    return ok;
  }

  // Right to left; the right run waits in temp.
  bool MergeHigh(int64_t a, int64_t na, int64_t b, int64_t nb) {
    SaveToTemp(b, nb);
    int64_t to = b + nb - 1;    // next place, filled downwards
    int64_t left = a + na - 1;  // last of the left run
    int64_t right = nb - 1;     // last of temp
    bool ok = true;
    Shift1(to--, left--);
    --na;
    while (nb > 1 && na > 0) {
      int64_t a_wins = 0, b_wins = 0;
      while (nb > 1 && na > 0 && a_wins < min_gallop_ && b_wins < min_gallop_) {
        const int r = less_(temp_[right], keys_[left]);
        if (MVM_UNLIKELY(r < 0)) {
          ok = false;
          goto done;
        }
        if (r) {
          Shift1(to--, left--);
          --na;
          ++a_wins;
          b_wins = 0;
        } else {
          Restore1(to--, right--);
          --nb;
          ++b_wins;
          a_wins = 0;
        }
      }
      if (nb <= 1 || na == 0) break;
      ++min_gallop_;
      do {
        if (min_gallop_ > 1) --min_gallop_;
        int64_t k = Gallop<true>(temp_[right], keys_ + a, na, na - 1);
        if (k < 0) {
          ok = false;
          goto done;
        }
        a_wins = na - k;
        to -= a_wins;
        left -= a_wins;
        na -= a_wins;
        Shift(to + 1, left + 1, a_wins);
        if (na == 0) break;
        Restore1(to--, right--);
        if (--nb <= 1) break;
        k = Gallop<false>(keys_[left], temp_, nb, nb - 1);
        if (k < 0) {
          ok = false;
          goto done;
        }
        b_wins = nb - k;
        to -= b_wins;
        right -= b_wins;
        nb -= b_wins;
        Restore(to + 1, right + 1, b_wins);
        if (nb <= 1) break;
        Shift1(to--, left--);
        if (--na == 0) break;
      } while (a_wins >= kMinGallop || b_wins >= kMinGallop);
      ++min_gallop_;
    }
    if (nb == 1) {
      to -= na;
      left -= na;
      Shift(to + 1, left + 1, na);
    }
  done:
    Restore(to + 1 - nb, 0, nb);
    return ok;
  }

  ThreadState& ts_;
  Less less_;
  Value* keys_;
  Value* values_;
  int64_t n_;
  int64_t min_gallop_ = kMinGallop;
  Value* temp_ = nullptr;  // temp_size_ keys, then as many values if there are any
  int64_t temp_size_ = 0;
  int depth_ = 0;
  Run runs_[72];
};

template <class Less>
bool SortWith(ThreadState& ts, Less less, Value* keys, Value* values, int64_t n) {
  return Sorter<Less>(ts, less, keys, values, n).Sort();
}

// Room for n words while a sort lasts.
class Words {
 public:
  Words(ThreadState& ts, int64_t n) : ts_(ts), bytes_(static_cast<size_t>(n) * sizeof(Value)) {
    Result<void*> made = AllocBuffer(ts, bytes_);
    if (!made.raised()) words_ = static_cast<Value*>(made.Take());
  }
  ~Words() {
    if (words_ != nullptr) ts_.heap().FreeBuffer(words_, bytes_);
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  explicit operator bool() const { return words_ != nullptr; }  // false: MemoryError is pending
  Value* get() const { return words_; }
  Value& operator[](int64_t i) const { return words_[i]; }

 private:
  ThreadState& ts_;
  size_t bytes_;
  Value* words_ = nullptr;
};

// Ints in any order: least significant digit first, over the bytes in which they differ.
template <bool kPaired>
bool RadixSort(ThreadState& ts, Value* keys, Value* values, int64_t n) {
  bool ascending = true;
  uint64_t min = UINT64_MAX, max = 0, previous = 0;
  constexpr uint64_t kFlip = uint64_t{1} << 63;  // signed order as unsigned order
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t bits = keys[i].bits() ^ kFlip;
    ascending &= bits >= previous;
    previous = bits;
    min = std::min(min, bits);
    max = std::max(max, bits);
  }
  if (ascending) return true;
  const int bits = 64 - __builtin_clzll((max - min) | 1);
  // The two tag bits are equal everywhere.
  const int passes = (bits - 2 + 10) / 11;
  if (passes > 3 || Charge(ts, n * passes).raised()) {
    return !ts.HasPending() && SortWith(ts, LessInt{}, keys, values, n);
  }
  const Words other(ts, kPaired ? 2 * n : n);
  if (!other) return false;
  Value *from = keys, *to = other.get(), *from2 = values, *to2 = other.get() + n;
  for (int pass = 0; pass < passes; ++pass) {
    const int shift = 2 + pass * 11;
    uint32_t starts[2048] = {};
    const auto digit = [&](Value v) { return ((v.bits() ^ kFlip) - min) >> shift & 2047; };
    for (int64_t i = 0; i < n; ++i) ++starts[digit(from[i])];
    uint32_t sum = 0;
    for (uint32_t& s : starts) sum += std::exchange(s, sum);
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t at = starts[digit(from[i])]++;
      to[at] = from[i];
      if constexpr (kPaired) to2[at] = from2[i];
    }
    std::swap(from, to);
    if constexpr (kPaired) std::swap(from2, to2);
  }
  if (from != keys) {
    std::copy_n(from, n, keys);
    if constexpr (kPaired) std::copy_n(from2, n, values);
  }
  return true;
}

// Are there so few steps down that merging runs is less work than looking at digits? REQUIRES: ints
bool MostlyInOrder(const Value* keys, int64_t n) {
  int64_t steps_down = 0;
  for (int64_t i = 1; i < n; ++i) steps_down += LessInt{}(keys[i], keys[i - 1]);
  return steps_down < n / 64;
}

bool SortInts(ThreadState& ts, Value* keys, Value* values, int64_t n) {
  if (n < kRadixFrom || n >= int64_t{UINT32_MAX} || MostlyInOrder(keys, n))
    return SortWith(ts, LessInt{}, keys, values, n);
  return values != nullptr ? RadixSort<true>(ts, keys, values, n)
                           : RadixSort<false>(ts, keys, nullptr, n);
}

// ---- digests ----

// Orders keys, and values along with them, by their digests, ints, and each run [from, to) of equal
// ones by ties(from, to).
template <class Ties>
bool SortByDigest(ThreadState& ts, Value* digests, Value* keys, Value* values, int64_t n,
                  Ties ties) {
  bool ascending = true;
  for (int64_t i = 1; i < n; ++i) ascending &= !LessInt{}(digests[i], digests[i - 1]);
  if (!ascending) {
    const Words order(ts, n), moved(ts, n);
    if (!order || !moved) return false;
    for (int64_t i = 0; i < n; ++i) order[i] = Value::Int(i);
    if (!SortInts(ts, digests, order.get(), n)) return false;
    for (Value* words : {keys, values}) {
      if (words == nullptr) continue;
      for (int64_t i = 0; i < n; ++i) moved[i] = words[order[i].as_int()];
      std::copy_n(moved.get(), n, words);
    }
  }
  if (Charge(ts, n).raised()) return false;
  for (int64_t from = 0, to; from < n; from = to) {
    for (to = from + 1; to < n && digests[to].is(digests[from]);) ++to;
    if (to - from > 1 && !ties(from, to)) return false;
  }
  return true;
}

// What follows the first `skip` bytes, as far as an int goes. If it is less than that of another
// text, so is the text; if it is equal, that says nothing.
Value TextDigest(const StrObject* s, size_t skip) {
  const uint8_t* at = s->data1() + skip;
  const size_t left = s->length - skip;
  uint64_t bytes = 0;
  if (left >= sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    bytes = __builtin_bswap64(bytes);
  } else {
    for (size_t i = 0; i < left; ++i) bytes |= uint64_t{at[i]} << (56 - 8 * i);
  }
  return Value::Int(static_cast<int64_t>(bytes >> 3));
}

// By one-byte texts: text(i) is that of keys[i], which `less` compares.
template <class Text, class Less>
bool SortByText(ThreadState& ts, Value* keys, Value* values, int64_t n, Text text, Less less) {
  if (n < kDigestFrom) return SortWith(ts, less, keys, values, n);
  // What all begin with tells nothing.
  const StrObject* first = text(0);
  size_t skip = first->length;
  for (int64_t i = 1; i < n && skip > 0; ++i) {
    const StrObject* s = text(i);
    skip = std::min<size_t>(skip, s->length);
    const uint8_t* end = first->data1() + skip;
    skip =
        static_cast<size_t>(std::mismatch(first->data1(), end, s->data1()).first - first->data1());
  }
  const Words digests(ts, n);
  if (!digests) return false;
  for (int64_t i = 0; i < n; ++i) digests[i] = TextDigest(text(i), skip);
  return SortByDigest(ts, digests.get(), keys, values, n, [&](int64_t from, int64_t to) {
    return SortWith(ts, less, keys + from, values ? values + from : nullptr, to - from);
  });
}

// Tuples that begin with an int and are equal in the items before `position`.
bool SortByItem(ThreadState& ts, Value* keys, Value* values, int64_t n, uint32_t position) {
  const auto item = [&](int64_t i) {
    const TupleObject* t = keys[i].as<TupleObject>();
    return position < t->size() ? (*t)[position] : Value::Absent();
  };
  bool ints = n >= kDigestFrom && position < kDigestItems;
  for (int64_t i = 0; i < n && ints; ++i) ints = item(i).is_int() && !item(i).is_absent();
  if (!ints) return SortWith(ts, LessTuple<LessInt>{ts, {}}, keys, values, n);
  const Words digests(ts, n);
  if (!digests) return false;
  for (int64_t i = 0; i < n; ++i) digests[i] = item(i);
  return SortByDigest(ts, digests.get(), keys, values, n, [&](int64_t from, int64_t to) {
    return SortByItem(ts, keys + from, values ? values + from : nullptr, to - from, position + 1);
  });
}

enum class KeyKind : uint8_t { kInts, kFloats, kStr1, kStrs, kOther };

KeyKind KindOf(Value v) {
  if (v.is_int()) return KeyKind::kInts;
  if (v.is_float()) return KeyKind::kFloats;
  if (!IsExact(v, TypeId::kStr)) return KeyKind::kOther;
  return v.as<StrObject>()->kind() == 1 ? KeyKind::kStr1 : KeyKind::kStrs;
}
KeyKind Join(KeyKind a, KeyKind b) {
  if (a == b) return a;
  const auto is_str = [](KeyKind k) { return k == KeyKind::kStr1 || k == KeyKind::kStrs; };
  return is_str(a) && is_str(b) ? KeyKind::kStrs : KeyKind::kOther;
}

bool SortKeys(ThreadState& ts, Value* keys, Value* values, int64_t n) {
  bool tuples = true;
  KeyKind kind = KindOf(keys[0]);
  if (kind == KeyKind::kOther) {
    for (int64_t i = 0; i < n && tuples; ++i) {
      tuples = IsExact(keys[i], TypeId::kTuple) && keys[i].as<TupleObject>()->size() > 0;
    }
    if (!tuples) return SortWith(ts, LessAny{ts}, keys, values, n);
    kind = KindOf((*keys[0].as<TupleObject>())[0]);
    for (int64_t i = 1; i < n && kind != KeyKind::kOther; ++i) {
      kind = Join(kind, KindOf((*keys[i].as<TupleObject>())[0]));
    }
    switch (kind) {
      case KeyKind::kInts: return SortByItem(ts, keys, values, n, 0);
      case KeyKind::kFloats: return SortWith(ts, LessTuple<LessFloat>{ts, {}}, keys, values, n);
      case KeyKind::kStr1: {
        const auto text = [keys](int64_t i) {
          return (*keys[i].as<TupleObject>())[0].as<StrObject>();
        };
        return SortByText(ts, keys, values, n, text, LessTuple<LessStr1>{ts, {}});
      }
      case KeyKind::kStrs: return SortWith(ts, LessTuple<LessStr>{ts, {}}, keys, values, n);
      case KeyKind::kOther: return SortWith(ts, LessAny{ts}, keys, values, n);
    }
  }
  for (int64_t i = 1; i < n && kind != KeyKind::kOther; ++i) kind = Join(kind, KindOf(keys[i]));
  switch (kind) {
    case KeyKind::kInts: return SortInts(ts, keys, values, n);
    case KeyKind::kFloats: return SortWith(ts, LessFloat{}, keys, values, n);
    case KeyKind::kStr1: {
      const auto text = [keys](int64_t i) { return keys[i].as<StrObject>(); };
      return SortByText(ts, keys, values, n, text, LessStr1{});
    }
    case KeyKind::kStrs: return SortWith(ts, LessStr{}, keys, values, n);
    case KeyKind::kOther: break;
  }
  return SortWith(ts, LessAny{ts}, keys, values, n);
}

// Sorts n items by `key` (null: by themselves). False: raised.
bool SortItems(ThreadState& ts, Value* items, int64_t n, Value key, bool reverse) {
  if (n == 0) return true;
  Value* keys = items;
  int64_t made = 0;
  if (key) {
    Result<void*> buffer = AllocBuffer(ts, static_cast<size_t>(n) * sizeof(Value));
    if (buffer.raised()) return false;
    keys = static_cast<Value*>(buffer.Take());
    made = ts.rt->hooks.call_each(ts, key, items, n, keys);
  }
  bool ok = !key || (made == n && !ts.HasPending());
  if (ok && n > 1) {
    Value* const values = key ? items : nullptr;
    // Reversing before and after keeps equal items in their order.
    if (reverse) {
      std::reverse(keys, keys + n);
      if (values) std::reverse(values, values + n);
    }
    ok = SortKeys(ts, keys, values, n);
    if (reverse) std::reverse(items, items + n);
  }
  if (key) {
    for (int64_t i = 0; i < made; ++i) Decref(keys[i]);
    ts.heap().FreeBuffer(keys, static_cast<size_t>(n) * sizeof(Value));
  }
  return ok;
}

}  // namespace

Status ListSort(ThreadState& ts, ListObject* list, Value key, bool reverse) {
  if (key && IsNone(ts, key)) key = Value();
  const Ref<ListObject> pinned = Ref<ListObject>::Borrow(list);
  ListObject own;  // holds the buffer meanwhile
  own.items = std::exchange(list->items, nullptr);
  own.size = std::exchange(list->size, 0);
  own.capacity = std::exchange(list->capacity, 0);
  const uint32_t outer = list->gc & kGcTypeBit;
  list->gc |= kGcTypeBit;  // until it gets room for items

  bool ok = SortItems(ts, own.items, static_cast<int64_t>(own.size), key, reverse);

  const bool modified = list->items != nullptr || !(list->gc & kGcTypeBit);
  list->gc = (list->gc & ~kGcTypeBit) | outer;
  std::swap(list->items, own.items);
  std::swap(list->size, own.size);
  std::swap(list->capacity, own.capacity);
  for (uint64_t i = 0; i < own.size; ++i) Decref(own.items[i]);
  own.FreeBuffers(ts.heap());
  if (!ok) return kRaised;
  if (modified) return Raise(ts, Exc::kValueError, "list modified during sort");
  return Ok();
}

}  // namespace minivm
