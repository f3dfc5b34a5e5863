// Arithmetic on coefficients in base 10**18.
//
// Short products are summed column by column in 128 bits, divided by the base once per sixteen
// terms. Long ones are packed into one binary product (Kronecker's substitution: a word every 128
// or 192 bits, wide enough for the sums of the columns), so they inherit the speed of big_int's
// transforms. Division is Knuth's algorithm D; very long ones are done in binary.
#include "stdlib/decimal/words.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/int_work.h"

namespace minivm::decimal {

const Word kPowersOfTen[20] = {1u,
                               10u,
                               100u,
                               1000u,
                               10000u,
                               100000u,
                               1000000u,
                               10000000u,
                               100000000u,
                               1000000000u,
                               10000000000u,
                               100000000000u,
                               1000000000000u,
                               10000000000000u,
                               100000000000000u,
                               1000000000000000u,
                               10000000000000000u,
                               100000000000000000u,
                               1000000000000000000u,
                               10000000000000000000u};

namespace {

using Wide = unsigned __int128;

constexpr size_t kPackedProduct = 240;    // words of the shorter factor from which packing pays
constexpr size_t kBinaryDivision = 1500;  // words of quotient and divisor from which binary pays
constexpr size_t kHornerWords = 64;       // conversions: quadratic methods up to here

// x / 10**18. REQUIRES: x < 2**64 * 10**18. By a precomputed reciprocal of the shifted divisor
// (Moeller and Granlund, "Improved division by invariant integers").
inline Word DivRadix(Wide x, Word* remainder) {
  constexpr Word d = kRadix << 4;
  constexpr Word v = static_cast<Word>(~Wide{0} / d - (Wide{1} << 64));
  x <<= 4;
  const Word u1 = static_cast<Word>(x >> 64), u0 = static_cast<Word>(x);
  const Wide q = Wide{v} * u1 + x;
  Word q1 = static_cast<Word>(q >> 64) + 1;
  Word r = u0 - q1 * d;
  if (r > static_cast<Word>(q)) {
    --q1;
    r += d;
  }
  if (MVM_UNLIKELY(r >= d)) {
    ++q1;
    r -= d;
  }
  *remainder = r >> 4;
  return q1;
}

Status ChargeWords(ThreadState& ts, size_t steps) {
  return Charge(ts, static_cast<int64_t>(steps / 4));
}

// out[0, na + nb) = a * b by columns.
Status MulColumns(ThreadState& ts, Word* out, Span a, Span b) {
  Wide carry = 0;
  for (size_t k = 0; k + 1 < a.size + b.size; ++k) {
    const size_t first = k < b.size ? 0 : k - b.size + 1;
    const size_t last = std::min(k, a.size - 1);
    Wide sum = 0, high = 0;
    int terms = 0;
    for (size_t i = first; i <= last; ++i) {
      sum += Wide{a.data[i]} * b.data[k - i];
      if (++terms == 16) {
        Word low;
        high += DivRadix(sum, &low);
        sum = low;
        terms = 0;
      }
    }
    Word low;
    high += DivRadix(sum + carry, &low);
    out[k] = low;
    carry = high;
    if (last - first > 64) MVM_TRY_VOID(ChargeWords(ts, last - first));
  }
  out[a.size + b.size - 1] = static_cast<Word>(carry);
  return Ok();
}

Status MulPacked(ThreadState& ts, Word* out, Span a, Span b) {
  const size_t slot = std::min(a.size, b.size) <= 320 ? 2 : 3;
  IntWork work(ts);
  Words pa(ts), pb(ts), product(ts);
  auto pack = [&](Words* to, Span from) -> Status {
    MVM_TRY_VOID(to->Resize(ts, from.size * slot));
    std::memset(to->data(), 0, to->size() * sizeof(Word));
    for (size_t i = 0; i < from.size; ++i) (*to)[i * slot] = from.data[i];
    to->Trim();
    return Ok();
  };
  MVM_TRY_VOID(pack(&pa, a));
  const bool square = a.data == b.data && a.size == b.size;
  if (!square) MVM_TRY_VOID(pack(&pb, b));
  const Words& other = square ? pa : pb;
  MVM_TRY_VOID(product.Resize(ts, (a.size + b.size) * slot));
  size_t n;
  if (!MulMag(work, product.data(), &n, pa.data(), pa.size(), other.data(), other.size()))
    return work.Raise();
  std::memset(product.data() + n, 0, (product.size() - n) * sizeof(Word));
  Wide carry = 0;  // below 2**132 in theory, but columns are below count * 10**36
  for (size_t k = 0; k < a.size + b.size; ++k) {
    const Word* s = product.data() + k * slot;
    // The column, up to three limbs, plus the carry; divided from the top.
    Word limbs[3] = {s[0], s[1], slot == 3 ? s[2] : 0};
    Wide t = Wide{limbs[0]} + static_cast<Word>(carry);
    limbs[0] = static_cast<Word>(t);
    t = Wide{limbs[1]} + static_cast<Word>(carry >> 64) + static_cast<Word>(t >> 64);
    limbs[1] = static_cast<Word>(t);
    limbs[2] += static_cast<Word>(t >> 64);
    Word r = limbs[2];  // below 10**18: columns are below 2**64 * 10**36
    const Word q1 = DivRadix(Wide{r} << 64 | limbs[1], &r);
    const Word q0 = DivRadix(Wide{r} << 64 | limbs[0], &r);
    out[k] = r;
    carry = Wide{q1} << 64 | q0;
  }
  return Ok();
}

// Algorithm D. q gets na - nb + 1 words (may be null); u, na + 1 words, holds a times scale and
// ends as the remainder times scale. v is b times scale, nb >= 2 words.
Status DivideLong(ThreadState& ts, Word* q, Word* u, size_t na, const Word* v, size_t nb) {
  const Word v1 = v[nb - 1], v2 = v[nb - 2];
  for (size_t j = na - nb + 1; j-- > 0;) {
    Word* x = u + j;
    Wide top = Wide{x[nb]} * kRadix + x[nb - 1];
    Wide guess = top / v1, rest = top - guess * v1;
    while (guess >= kRadix || guess * v2 > rest * kRadix + x[nb - 2]) {
      --guess;
      rest += v1;
      if (rest >= kRadix) break;
    }
    Word digit = static_cast<Word>(guess);
    if (digit != 0) {
      Word carry = 0;
      bool borrow = false;
      for (size_t i = 0; i < nb; ++i) {
        Word low;
        carry = DivRadix(Wide{digit} * v[i] + carry, &low);
        Word d = x[i] - low - borrow;
        borrow = static_cast<int64_t>(d) < 0;
        if (borrow) d += kRadix;
        x[i] = d;
      }
      Word d = x[nb] - carry - borrow;
      borrow = static_cast<int64_t>(d) < 0;
      x[nb] = d;
      if (borrow) {
        --digit;
        Word c = 0;
        for (size_t i = 0; i < nb; ++i) {
          Word s = x[i] + v[i] + c;
          c = s >= kRadix;
          if (c) s -= kRadix;
          x[i] = s;
        }
        x[nb] += c;
      }
    }
    if (q) q[j] = digit;
    if (nb > 32) MVM_TRY_VOID(ChargeWords(ts, nb * 2));
  }
  return Ok();
}

Status DivideBinary(ThreadState& ts, Words* quotient, Words* remainder, Span a, Span b) {
  IntWork work(ts);
  Words x(ts), y(ts), q(ts), r(ts);
  MVM_TRY_VOID(WordsToLimbs(ts, &x, a));
  MVM_TRY_VOID(WordsToLimbs(ts, &y, b));
  MVM_TRY_VOID(q.Resize(ts, x.size() >= y.size() ? x.size() - y.size() + 1 : 0));
  MVM_TRY_VOID(r.Resize(ts, std::min(x.size(), y.size())));
  size_t nq, nr;
  if (!DivModMag(work, q.data(), &nq, r.data(), &nr, x.data(), x.size(), y.data(), y.size()))
    return work.Raise();
  if (quotient) MVM_TRY_VOID(LimbsToWords(ts, quotient, q.data(), nq));
  if (remainder) MVM_TRY_VOID(LimbsToWords(ts, remainder, r.data(), nr));
  return Ok();
}

}  // namespace

// ---- Words ----

Status Words::Grow(ThreadState& ts, size_t n) {
  size_t wanted = std::max(n, std::min(capacity_ * 2, n + 64));
  if (wanted > Heap::kMaxAllocation / sizeof(Word)) return RaiseMemoryError(ts);
  MVM_TRY(void* p, AllocBuffer(ts, wanted * sizeof(Word)));
  std::memcpy(p, data_, size_ * sizeof(Word));
  Release();
  data_ = static_cast<Word*>(p);
  capacity_ = wanted;
  return Ok();
}

Status Words::Assign(ThreadState& ts, const Word* w, size_t n) {
  if (w == data_ && n == size_) return Ok();
  MVM_TRY_VOID(Resize(ts, n));
  if (n > 0) std::memmove(data_, w, n * sizeof(Word));
  return Ok();
}

Status Words::AssignWord(ThreadState& ts, Word w) {
  if (w < kRadix) {
    MVM_TRY_VOID(Resize(ts, w != 0));
    data_[0] = w;
    return Ok();
  }
  MVM_TRY_VOID(Resize(ts, 2));
  data_[0] = w % kRadix;
  data_[1] = w / kRadix;
  return Ok();
}

void Words::Swap(Words& other) {
  Word mine[kInline];
  const bool was_inline = data_ == inline_, theirs_inline = other.data_ == other.inline_;
  std::memcpy(mine, inline_, sizeof mine);
  std::memcpy(inline_, other.inline_, sizeof mine);
  std::memcpy(other.inline_, mine, sizeof mine);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  if (theirs_inline) data_ = inline_;
  if (was_inline) other.data_ = other.inline_;
}

// ---- digits ----

int DigitsOfWord(Word w) {
  if (w < 10) return 1;
  // 1233 / 4096 is slightly above log10(2).
  const int guess = ((64 - __builtin_clzll(w)) * 1233) >> 12;
  return guess + (w >= kPowersOfTen[guess]);
}

uint64_t DigitCount(Span a) {
  if (a.size == 0) return 1;
  return (a.size - 1) * uint64_t{kWordDigits} +
         static_cast<unsigned>(DigitsOfWord(a.data[a.size - 1]));
}

int CompareWords(Span a, Span b) {
  if (a.size != b.size) return a.size < b.size ? -1 : 1;
  for (size_t i = a.size; i-- > 0;) {
    if (a.data[i] != b.data[i]) return a.data[i] < b.data[i] ? -1 : 1;
  }
  return 0;
}

int DigitAt(Span a, uint64_t place) {
  const uint64_t word = place / kWordDigits;
  if (word >= a.size) return 0;
  return static_cast<int>(a.data[word] / kPowersOfTen[place % kWordDigits] % 10);
}

uint64_t TrailingZeroDigits(Span a) {
  size_t i = 0;
  while (a.data[i] == 0) ++i;
  uint64_t zeros = i * uint64_t{kWordDigits};
  Word w = a.data[i];
  if (w % 1000000000u == 0) {
    w /= 1000000000u;
    zeros += 9;
  }
  for (; w % 10 == 0; w /= 10) ++zeros;
  return zeros;
}

// ---- sums ----

Status AddWords(ThreadState& ts, Words* out, Span a, Span b) {
  if (a.size < b.size) std::swap(a, b);
  MVM_TRY_VOID(out->Resize(ts, a.size + 1));
  Word carry = 0;
  for (size_t i = 0; i < a.size; ++i) {
    Word s = a.data[i] + (i < b.size ? b.data[i] : 0) + carry;
    carry = s >= kRadix;
    if (carry) s -= kRadix;
    (*out)[i] = s;
  }
  (*out)[a.size] = carry;
  out->Truncate(a.size + carry);
  return Ok();
}

Status SubWords(ThreadState& ts, Words* out, Span a, Span b) {
  MVM_TRY_VOID(out->Resize(ts, a.size));
  bool borrow = false;
  for (size_t i = 0; i < a.size; ++i) {
    Word d = a.data[i] - (i < b.size ? b.data[i] : 0) - borrow;
    borrow = static_cast<int64_t>(d) < 0;
    if (borrow) d += kRadix;
    (*out)[i] = d;
  }
  out->Trim();
  return Ok();
}

Status IncrementWords(ThreadState& ts, Words* a, Word word) {
  for (size_t i = 0; i < a->size() && word != 0; ++i) {
    Word s = (*a)[i] + word;
    word = s >= kRadix;
    if (word) s -= kRadix;
    (*a)[i] = s;
  }
  if (word != 0) {
    MVM_TRY_VOID(a->Resize(ts, a->size() + 1));
    (*a)[a->size() - 1] = word;
  }
  return Ok();
}

void DecrementWords(Words* a, Word word) {
  for (size_t i = 0; i < a->size() && word != 0; ++i) {
    Word d = (*a)[i] - word;
    word = static_cast<int64_t>(d) < 0;
    if (word) d += kRadix;
    (*a)[i] = d;
  }
  a->Trim();
}

// ---- products and quotients ----

Status MulWords(ThreadState& ts, Words* out, Span a, Span b) {
  if (a.size == 0 || b.size == 0) {
    out->Truncate(0);
    return Ok();
  }
  MVM_TRY_VOID(out->Resize(ts, a.size + b.size));
  if (a.size == 1 && b.size == 1) {
    (*out)[1] = DivRadix(Wide{a.data[0]} * b.data[0], &(*out)[0]);
  } else if (std::min(a.size, b.size) < kPackedProduct) {
    MVM_TRY_VOID(MulColumns(ts, out->data(), a, b));
  } else {
    MVM_TRY_VOID(MulPacked(ts, out->data(), a, b));
  }
  out->Trim();
  return Ok();
}

Status DivModWords(ThreadState& ts, Words* quotient, Words* remainder, Span a, Span b) {
  if (CompareWords(a, b) < 0) {
    if (quotient) quotient->Truncate(0);
    return remainder ? remainder->Assign(ts, a.data, a.size) : Ok();
  }
  if (b.size == 1) {
    if (quotient) MVM_TRY_VOID(quotient->Resize(ts, a.size));
    const Word divisor = b.data[0];
    Word r = 0;
    for (size_t i = a.size; i-- > 0;) {
      const Wide x = Wide{r} * kRadix + a.data[i];
      const Word q =
          (x >> 64) == 0 ? static_cast<Word>(x) / divisor : static_cast<Word>(x / divisor);
      r = static_cast<Word>(x - Wide{q} * divisor);
      if (quotient) (*quotient)[i] = q;
    }
    if (quotient) quotient->Trim();
    return remainder ? remainder->AssignWord(ts, r) : Ok();
  }
  if (b.size > kBinaryDivision && a.size - b.size > kBinaryDivision)
    return DivideBinary(ts, quotient, remainder, a, b);
  // Scaled so that the divisor's top word is at least half the base.
  const Word scale = kRadix / (b.data[b.size - 1] + 1);
  Words u(ts), v(ts);
  auto scaled = [&](Words* to, Span from, size_t size) -> Status {
    MVM_TRY_VOID(to->Resize(ts, size));
    Word carry = 0;
    for (size_t i = 0; i < from.size; ++i)
      carry = DivRadix(Wide{from.data[i]} * scale + carry, &(*to)[i]);
    if (size > from.size) (*to)[from.size] = carry;
    return Ok();
  };
  MVM_TRY_VOID(scaled(&u, a, a.size + 1));
  MVM_TRY_VOID(scaled(&v, b, b.size));
  if (quotient) MVM_TRY_VOID(quotient->Resize(ts, a.size - b.size + 1));
  MVM_TRY_VOID(
      DivideLong(ts, quotient ? quotient->data() : nullptr, u.data(), a.size, v.data(), b.size));
  if (quotient) quotient->Trim();
  if (remainder) {
    MVM_TRY_VOID(remainder->Resize(ts, b.size));
    Word r = 0;
    for (size_t i = b.size; i-- > 0;) {
      const Wide x = Wide{r} * kRadix + u[i];
      const Word q = static_cast<Word>(x / scale);
      r = static_cast<Word>(x - Wide{q} * scale);
      (*remainder)[i] = q;
    }
    remainder->Trim();
  }
  return Ok();
}

// ---- shifts by digits ----

Status ShiftLeftWords(ThreadState& ts, Words* out, Span a, uint64_t count) {
  if (a.size == 0) {
    out->Truncate(0);
    return Ok();
  }
  const uint64_t words = count / kWordDigits;
  const Word factor = kPowersOfTen[count % kWordDigits];
  if (words > Heap::kMaxAllocation / sizeof(Word) - a.size - 1) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, (words + a.size) * sizeof(Word)));
  MVM_TRY_VOID(out->Resize(ts, a.size + words + 1));
  std::memset(out->data(), 0, words * sizeof(Word));
  Word* to = out->data() + words;
  Word carry = 0;
  for (size_t i = 0; i < a.size; ++i) carry = DivRadix(Wide{a.data[i]} * factor + carry, &to[i]);
  to[a.size] = carry;
  out->Trim();
  return Charge(ts, static_cast<int64_t>(words / 16));
}

Status ShiftRightWords(ThreadState& ts, Words* out, Span a, uint64_t count, Dropped* dropped) {
  const uint64_t words = count / kWordDigits;
  const int digits = static_cast<int>(count % kWordDigits);
  if (dropped) {
    *dropped = Dropped::kNothing;
    if (count > 0 && a.size > 0) {
      // The digits that decide: part of word `words`, or all of the one below.
      const size_t top = digits > 0 ? words : words - 1;
      const Word unit = digits > 0 ? kPowersOfTen[digits] : kRadix;
      const Word rest = top < a.size ? a.data[top] % unit : 0;
      bool more = false;
      for (size_t i = std::min<size_t>(top, a.size); i-- > 0 && !more;) more = a.data[i] != 0;
      if (rest > unit / 2 || (rest == unit / 2 && more)) {
        *dropped = Dropped::kAboveHalf;
      } else if (rest == unit / 2) {
        *dropped = Dropped::kHalf;
      } else if (rest != 0 || more) {
        *dropped = Dropped::kBelowHalf;
      }
    }
  }
  if (words >= a.size) {
    out->Truncate(0);
    return Ok();
  }
  const size_t n = a.size - words;
  const Word* from = a.data;
  if (out->data() != from) MVM_TRY_VOID(out->Resize(ts, n));
  Word* to = out->data();
  if (digits == 0) {
    std::memmove(to, from + words, n * sizeof(Word));
  } else {
    const Word unit = kPowersOfTen[digits], lift = kPowersOfTen[kWordDigits - digits];
    for (size_t i = 0; i < n; ++i) {
      const Word above = i + 1 < n ? from[words + i + 1] % unit : 0;
      to[i] = from[words + i] / unit + above * lift;
    }
  }
  out->Truncate(n);
  out->Trim();
  return Ok();
}

Status LowDigits(ThreadState& ts, Words* out, Span a, uint64_t count) {
  const uint64_t words = count / kWordDigits;
  if (words >= a.size) return out->Assign(ts, a.data, a.size);
  const Word top = a.data[words] % kPowersOfTen[count % kWordDigits];
  if (out->data() != a.data) {
    MVM_TRY_VOID(out->Resize(ts, words + 1));
    std::memcpy(out->data(), a.data, words * sizeof(Word));
  }
  (*out)[words] = top;
  out->Truncate(words + 1);
  out->Trim();
  return Ok();
}

Status AllNines(ThreadState& ts, Words* out, uint64_t count) {
  const uint64_t words = count / kWordDigits;
  if (words > Heap::kMaxAllocation / sizeof(Word) - 1) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, words * sizeof(Word)));
  MVM_TRY_VOID(out->Resize(ts, words + 1));
  for (size_t i = 0; i < words; ++i) (*out)[i] = kRadix - 1;
  (*out)[words] = kPowersOfTen[count % kWordDigits] - 1;
  out->Trim();
  return Charge(ts, static_cast<int64_t>(words / 16));
}

Status PowerOfTen(ThreadState& ts, Words* out, uint64_t count) {
  const Word one = 1;
  return ShiftLeftWords(ts, out, Span(&one, 1), count);
}

// ---- binary and text ----

Status WordsToLimbs(ThreadState& ts, Words* out, Span a) {
  if (a.size > kHornerWords) {
    const uint64_t digits = DigitCount(a);
    MVM_TRY(void* p, AllocBuffer(ts, digits));
    char* text = static_cast<char*>(p);
    WordsToDigits(text, a);
    IntWork work(ts);
    Status room = out->Resize(ts, MagFromTextSize(digits, 10));
    size_t n = 0;
    const bool done = !room.raised() && MagFromText(work, out->data(), &n, {text, digits}, 10);
    ts.heap().FreeBuffer(p, digits);
    if (room.raised()) return kRaised;
    if (!done) return work.Raise();
    out->Truncate(n);
    return Ok();
  }
  MVM_TRY_VOID(out->Resize(ts, a.size + 1));
  size_t n = 0;
  for (size_t i = a.size; i-- > 0;) {
    n = MulAddLimb(out->data(), out->data(), n, kRadix, a.data[i]);
  }
  out->Truncate(n);
  return Ok();
}

Status LimbsToWords(ThreadState& ts, Words* out, const uint64_t* limbs, size_t n) {
  if (n > kHornerWords) {
    const size_t room = MagDigitsBound(limbs, n, 10);
    MVM_TRY(void* p, AllocBuffer(ts, room));
    IntWork work(ts);
    size_t length;
    const bool done = MagToText(work, static_cast<char*>(p), &length, limbs, n, 10);
    Status status =
        done ? WordsFromDigits(ts, out, static_cast<char*>(p), length) : Status(work.Raise());
    ts.heap().FreeBuffer(p, room);
    return status;
  }
  Words rest(ts);
  MVM_TRY_VOID(rest.Assign(ts, limbs, n));
  MVM_TRY_VOID(out->Resize(ts, n * 65 / 59 + 1));
  size_t count = 0;
  while (n > 0) {
    size_t nq;
    (*out)[count++] = DivModLimb(rest.data(), &nq, rest.data(), n, kRadix);
    n = nq;
  }
  out->Truncate(count);
  out->Trim();
  return Ok();
}

void WordsToDigits(char* out, Span a) {
  if (a.size == 0) {
    *out = '0';
    return;
  }
  auto put = [](char* end, Word w, int digits) {
    for (; digits > 0; --digits, w /= 10) *--end = static_cast<char>('0' + w % 10);
  };
  const int first = DigitsOfWord(a.data[a.size - 1]);
  out += first;
  put(out, a.data[a.size - 1], first);
  for (size_t i = a.size - 1; i-- > 0;) {
    out += kWordDigits;
    put(out, a.data[i], kWordDigits);
  }
}

Status WordsFromDigits(ThreadState& ts, Words* out, const char* digits, size_t n) {
  MVM_TRY_VOID(out->Resize(ts, n / kWordDigits + 1));
  size_t count = 0;
  while (n > 0) {
    const size_t take = std::min<size_t>(n, kWordDigits);
    Word w = 0;
    for (size_t i = n - take; i < n; ++i) w = w * 10 + static_cast<Word>(digits[i] - '0');
    (*out)[count++] = w;
    n -= take;
  }
  out->Truncate(count);
  out->Trim();
  return Ok();
}

}  // namespace minivm::decimal
