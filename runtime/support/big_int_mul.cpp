// Products of big integers, and what is made of products: powers and ranges.
//
// Four methods by size of the smaller operand: schoolbook, Karatsuba (three
// half-size products), Toom-3 (five third-size ones), and number-theoretic
// transforms (big_int_ntt.cpp). Karatsuba and Toom work on equal sizes; unequal
// operands are cut into pieces of the smaller one's size. All temporaries of
// one product come from one block.
#include <algorithm>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {
namespace big_int_internal {
namespace {

constexpr size_t kKaratsubaThreshold = kMulNoScratch;
constexpr size_t kKaratsubaSquareThreshold = 52;
constexpr size_t kToomThreshold = 160;

// Temporary limbs that MulEqual needs for operands of n limbs.
size_t MulScratchSize(size_t n) {
  size_t total = 0;
  while (n >= kKaratsubaThreshold) {
    if (n >= kToomThreshold) {
      const size_t k = (n + 2) / 3;
      total += 8 * k + 10;
      n = k + 1;
    } else {
      n = (n + 1) / 2;
      total += 2 * n + 1;
    }
  }
  return total;
}

bool MulEqual(BigWork& work, Limb* out, const Limb* a, const Limb* b, size_t n, Limb* scratch);

// out = |a - b|, where a has n limbs and b has nb <= n; returns whether a < b.
bool AbsoluteDifference(Limb* out, const Limb* a, size_t n, const Limb* b, size_t nb) {
  const bool less = NormalizedSize(a + nb, n - nb) == 0 && CompareN(a, b, nb) < 0;
  if (less) {
    SubN(out, b, a, nb);
    ZeroLimbs(out + nb, n - nb);
  } else {
    const Limb borrow = SubN(out, a, b, nb);
    CopyLimbs(out + nb, a + nb, n - nb);
    SubBorrowN(out + nb, n - nb, borrow);
  }
  return less;
}

// With a = a1 * B**h + a0: a1*b0 + a0*b1 = a0*b0 + a1*b1 - (a0 - a1) * (b0 - b1).
bool MulKaratsuba(BigWork& work, Limb* out, const Limb* a, const Limb* b, size_t n, Limb* scratch) {
  const size_t h = (n + 1) / 2;
  const size_t top = n - h;
  Limb* const middle = scratch;  // 2 * h + 1 limbs
  Limb* const deeper = scratch + 2 * h + 1;
  bool negative = false;  // sign of (a0 - a1) * (b0 - b1)
  // The differences wait in `out`, which nothing else needs yet.
  negative = AbsoluteDifference(out, a, h, a + h, top);
  if (a == b) {
    negative = false;
    if (!MulEqual(work, middle, out, out, h, deeper)) return false;
  } else {
    negative ^= AbsoluteDifference(out + h, b, h, b + h, top);
    if (!MulEqual(work, middle, out, out + h, h, deeper)) return false;
  }
  if (!MulEqual(work, out, a, b, h, deeper)) return false;
  if (!MulEqual(work, out + 2 * h, a + h, b + h, top, deeper)) return false;
  // middle = out[low] + out[high] -+ middle, at most 2 * h + 1 limbs.
  if (negative) {
    middle[2 * h] = AddN(middle, middle, out, 2 * h);
    AddTo(middle, 2 * h + 1, out + 2 * h, 2 * top);
  } else {
    // Computed as a wrapping number of 2 * h + 1 limbs: the intermediate may be negative.
    middle[2 * h] = 0 - SubN(middle, out, middle, 2 * h);
    AddTo(middle, 2 * h + 1, out + 2 * h, 2 * top);
  }
  // For odd n the top part is one limb short of 2 * h + 1; the value still fits.
  const size_t room = 2 * n - h;
  AddTo(out + h, room, middle, std::min(room, 2 * h + 1));
  return true;
}

// x /= 3 exactly, over n limbs.
void DivideExactBy3(Limb* x, size_t n) {
  constexpr Limb kInverse = 0xAAAAAAAAAAAAAAABu;
  Limb borrow = 0;
  for (size_t i = 0; i < n; ++i) {
    Limb value;
    const Limb under = __builtin_sub_overflow(x[i], borrow, &value);
    const Limb quotient = value * kInverse;
    x[i] = quotient;
    borrow = High(static_cast<Limb2>(quotient) * 3) + under;
  }
}

// The operand a2*x^2 + a1*x + a0 (parts of k, k and `top` limbs) at 1, -1 and 2; k + 1 limbs each.
// Returns whether the value at -1 is negative (its magnitude is stored).
bool EvaluateToom3(Limb* at1, Limb* at_minus1, Limb* at2, const Limb* a, size_t k, size_t top) {
  // even = a0 + a2
  at1[k] = AddN(at1, a, a + 2 * k, top);
  if (top < k) {
    const Limb carry = at1[k];
    CopyLimbs(at1 + top, a + top, k - top);
    at1[k] = AddCarryN(at1 + top, k - top, carry);
  }
  const bool negative = AbsoluteDifference(at_minus1, at1, k + 1, a + k, k);
  AddTo(at1, k + 1, a + k, k);
  // at 2: ((a2 * 2) + a1) * 2 + a0
  Limb carry = ShiftLeftN(at2, a + 2 * k, top, 1);
  ZeroLimbs(at2 + top, k + 1 - top);
  at2[top] += carry;
  AddTo(at2, k + 1, a + k, k);
  ShiftLeftN(at2, at2, k + 1, 1);
  AddTo(at2, k + 1, a, k);
  return negative;
}

bool MulToom3(BigWork& work, Limb* out, const Limb* a, const Limb* b, size_t n, Limb* scratch) {
  const size_t k = (n + 2) / 3;
  const size_t top = n - 2 * k;
  const size_t m = k + 1;      // limbs of an evaluated operand
  const size_t w = 2 * k + 2;  // limbs of an evaluated product
  // Products at 1, -1, 2 go to scratch; the evaluated operands wait in `out` (6 * m <= 2 * n + 10
  // does not fit, so the pair for 2 lives past the products).
  Limb* const v1 = scratch;
  Limb* const vm1 = scratch + w;
  Limb* const v2 = scratch + 2 * w;
  Limb* const a2 = scratch + 3 * w;
  Limb* const b2 = a2 + m;
  Limb* const deeper = b2 + m;
  Limb* const a1 = out;
  Limb* const am1 = out + m;
  bool negative = EvaluateToom3(a1, am1, a2, a, k, top);
  if (a == b) {
    negative = false;
    if (!MulEqual(work, v1, a1, a1, m, deeper)) return false;
    if (!MulEqual(work, vm1, am1, am1, m, deeper)) return false;
    if (!MulEqual(work, v2, a2, a2, m, deeper)) return false;
  } else {
    Limb* const b1 = out + 2 * m;
    Limb* const bm1 = out + 3 * m;
    negative ^= EvaluateToom3(b1, bm1, b2, b, k, top);
    if (!MulEqual(work, v1, a1, b1, m, deeper)) return false;
    if (!MulEqual(work, vm1, am1, bm1, m, deeper)) return false;
    if (!MulEqual(work, v2, a2, b2, m, deeper)) return false;
  }
  Limb* const v0 = out;
  Limb* const vinf = out + 4 * k;
  if (!MulEqual(work, v0, a, b, k, deeper)) return false;
  if (!MulEqual(work, vinf, a + 2 * k, b + 2 * k, top, deeper)) return false;

  // Interpolation. Every value below is a sum of the (non-negative) coefficients.
  if (negative) {
    AddN(v2, v2, vm1, w);
  } else {
    SubN(v2, v2, vm1, w);
  }
  DivideExactBy3(v2, w);  // c1 + c2 + 3 c3 + 5 c4
  if (negative) {
    AddN(vm1, v1, vm1, w);
  } else {
    SubN(vm1, v1, vm1, w);
  }
  ShiftRightN(vm1, vm1, w, 1);  // c1 + c3
  SubFrom(v1, w, v0, 2 * k);    // c1 + c2 + c3 + c4
  SubN(v2, v2, v1, w);
  ShiftRightN(v2, v2, w, 1);      // c3 + 2 c4
  SubN(v1, v1, vm1, w);           // c2 + c4
  SubFrom(v1, w, vinf, 2 * top);  // c2
  SubFrom(v2, w, vinf, 2 * top);
  SubFrom(v2, w, vinf, 2 * top);  // c3
  SubN(vm1, vm1, v2, w);          // c1

  CopyLimbs(out + 2 * k, v1, std::min(w, 2 * k));
  // c2's limbs above 2 * k overlap the place of c4 and are added there, as c1 and c3 are.
  AddTo(out + 4 * k, 2 * top, v1 + 2 * k, std::min(w - 2 * k, 2 * top));
  AddTo(out + k, 2 * n - k, vm1, std::min(w, 2 * n - k));
  AddTo(out + 3 * k, 2 * n - 3 * k, v2, std::min(w, 2 * n - 3 * k));
  return true;
}

// out (2 * n limbs) = a * b; a == b squares.
bool MulEqual(BigWork& work, Limb* out, const Limb* a, const Limb* b, size_t n, Limb* scratch) {
  if (a == b ? n < kKaratsubaSquareThreshold : n < kKaratsubaThreshold) {
    if (n == 0) return true;
    if (a == b) {
      SquareBase(out, a, n);
    } else {
      MulBase(out, a, n, b, n);
    }
    return work.Tick(n * n / 2 + 1);
  }
  if (n < kToomThreshold) return MulKaratsuba(work, out, a, b, n, scratch);
  if (n < kNttThreshold) return MulToom3(work, out, a, b, n, scratch);
  return MulNtt(work, out, a, n, b, n);
}

// Cuts a into pieces of `piece` limbs and adds up their products with b. REQUIRES: nb <= piece <
// na.
bool MulPieces(BigWork& work, Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb,
               size_t piece) {
  TempLimbs product(work, piece + nb);
  if (!product) return false;
  ZeroLimbs(out, na + nb);
  for (size_t at = 0; at < na; at += piece) {
    const size_t size = std::min(piece, na - at);
    if (!MulAny(work, product.data(), a + at, size, b, nb)) return false;
    AddTo(out + at, na + nb - at, product.data(), size + nb);
  }
  return true;
}

}  // namespace

void MulBase(Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb) {
  out[na] = MulLimbN(out, a, na, b[0]);
  for (size_t i = 1; i < nb; ++i) out[na + i] = AddMulLimbN(out + i, a, na, b[i]);
}

void SquareBase(Limb* out, const Limb* a, size_t n) {
  // Products of different limbs once, doubled, plus the squares.
  out[0] = 0;
  if (n > 1) {
    out[n] = MulLimbN(out + 1, a + 1, n - 1, a[0]);
    for (size_t i = 1; i + 1 < n; ++i) {
      out[n + i] = AddMulLimbN(out + 2 * i + 1, a + i + 1, n - 1 - i, a[i]);
    }
  }
  out[2 * n - 1] = 0;
  Limb carry = 0;
  Limb shifted_in = 0;
  for (size_t i = 0; i < n; ++i) {
    const Limb2 square = static_cast<Limb2>(a[i]) * a[i];
    const Limb low = out[2 * i];
    const Limb high = out[2 * i + 1];
    out[2 * i] = AddWithCarry(low << 1 | shifted_in, static_cast<Limb>(square), &carry);
    out[2 * i + 1] = AddWithCarry(high << 1 | low >> 63, High(square), &carry);
    shifted_in = high >> 63;
  }
}

bool MulAny(BigWork& work, Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb) {
  if (na < nb) {
    std::swap(a, b);
    std::swap(na, nb);
  }
  if (nb == 0) {
    ZeroLimbs(out, na);
    return true;
  }
  const bool square = a == b && na == nb;
  if (nb < (square ? kKaratsubaSquareThreshold : kKaratsubaThreshold)) {
    if (square) {
      SquareBase(out, a, na);
    } else {
      MulBase(out, a, na, b, nb);
    }
    return nb < kMulNoScratch || work.Tick(na * nb);
  }
  if (na == nb && na < kNttThreshold) {
    TempLimbs scratch(work, MulScratchSize(na));
    return scratch && MulEqual(work, out, a, b, na, scratch.data());
  }
  if (nb < kNttThreshold) return MulPieces(work, out, a, na, b, nb, nb);
  // A transform of the whole pays for both operands' length; far apart, pieces are better.
  if (na / 4 >= nb) return MulPieces(work, out, a, na, b, nb, 3 * nb);
  return MulNtt(work, out, a, na, b, nb);
}

}  // namespace big_int_internal

using namespace big_int_internal;

bool MulMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na, const Limb* b,
            size_t nb) {
  if (na == 0 || nb == 0) {
    *n = 0;
    return true;
  }
  if (!MulAny(work, out, a, na, b, nb)) return false;
  *n = na + nb - (out[na + nb - 1] == 0);
  return true;
}

bool SquareMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na) {
  return MulMag(work, out, n, a, na, a, na);
}

size_t PowMagSize(const Limb* a, size_t na, uint64_t exponent) {
  if (na == 0 || exponent == 0) return 1;
  const Limb2 bits = static_cast<Limb2>(BitLength(a, na)) * exponent;
  const Limb2 limbs = bits / kLimbBits + 1;
  return limbs > SIZE_MAX / 2 / sizeof(Limb) ? SIZE_MAX : static_cast<size_t>(limbs);
}

bool PowMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na, uint64_t exponent) {
  if (exponent == 0) {
    out[0] = 1;
    *n = 1;
    return true;
  }
  if (na == 0) {
    *n = 0;
    return true;
  }
  // Factors of two only shift: they come back at the end.
  const uint64_t twos = TrailingZeros(a, na);
  TempLimbs odd(work, na);
  if (!odd) return false;
  const size_t n_odd = ShiftRightMag(odd.data(), a, na, twos);
  size_t size;
  if (n_odd == 1 && odd.data()[0] == 1) {
    out[0] = 1;
    size = 1;
  } else {
    const size_t room = PowMagSize(odd.data(), n_odd, exponent) + 2;
    TempLimbs first(work, room);
    if (!first) return false;
    TempLimbs second(work, room);
    if (!second) return false;
    Limb* power = first.data();
    Limb* spare = second.data();
    CopyLimbs(power, odd.data(), n_odd);
    size = n_odd;
    for (uint64_t bit = (uint64_t{1} << (63 - __builtin_clzll(exponent))) >> 1; bit != 0;
         bit >>= 1) {
      if (!SquareMag(work, spare, &size, power, size)) return false;
      std::swap(power, spare);
      if ((exponent & bit) == 0) continue;
      if (n_odd == 1) {
        size = MulAddLimb(power, power, size, odd.data()[0], 0);
      } else {
        if (!MulMag(work, spare, &size, power, size, odd.data(), n_odd)) return false;
        std::swap(power, spare);
      }
      if (!work.Tick(size)) return false;
    }
    CopyLimbs(out, power, size);
  }
  *n = twos == 0 ? size : ShiftLeftMag(out, out, size, twos * exponent);
  return true;
}

namespace {

// out (count limbs) = product of `count` limbs, using `spare` (count limbs). Halves are computed
// into each other's space. Sets *n.
bool ProductTree(BigWork& work, Limb* out, size_t* n, const Limb* factors, size_t count,
                 Limb* spare) {
  if (count <= 24) {
    out[0] = factors[0];
    size_t size = 1;
    for (size_t i = 1; i < count; ++i) size = MulAddLimb(out, out, size, factors[i], 0);
    *n = size;
    return work.Tick(count * count / 2);
  }
  const size_t half = count / 2;
  size_t n_low;
  size_t n_high;
  if (!ProductTree(work, spare, &n_low, factors, half, out)) return false;
  if (!ProductTree(work, spare + half, &n_high, factors + half, count - half, out)) return false;
  return MulMag(work, out, n, spare, n_low, spare + half, n_high);
}

}  // namespace

bool ProductOfRange(BigWork& work, Limb* out, size_t* n, Limb first, Limb step, uint64_t count) {
  if (count == 0) {
    out[0] = 1;
    *n = 1;
    return true;
  }
  TempLimbs factors(work, count);
  if (!factors) return false;
  // Pack factors into limbs as long as they fit.
  size_t packed = 0;
  Limb group = first;
  Limb factor = first;
  for (uint64_t i = 1; i < count; ++i) {
    factor += step;
    Limb product;
    if (__builtin_mul_overflow(group, factor, &product)) {
      factors.data()[packed++] = group;
      group = factor;
    } else {
      group = product;
    }
  }
  factors.data()[packed++] = group;
  if (!work.Tick(count)) return false;
  TempLimbs spare(work, packed);
  return spare && ProductTree(work, out, n, factors.data(), packed, spare.data());
}

}  // namespace minivm
