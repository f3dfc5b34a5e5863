// Quotients of big integers.
//
// Below a threshold, Knuth's algorithm D with quotient digits from the top
// three limbs over the top two. Above it, divide and conquer (Burnikel and
// Ziegler): a quotient of n limbs is found in two halves, each from the top of
// the operands by recursion and then corrected for the divisor's lower limbs
// with one product, so that division costs a logarithm times multiplication.
#include <algorithm>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {
namespace big_int_internal {
namespace {

constexpr size_t kRecursionThreshold = 56;

// Reciprocal of the two-limb divisor (d1, d0), d1's top bit set, for DivThreeByTwo.
Limb Reciprocal2(Limb d1, Limb d0) {
  Limb v = Reciprocal(d1);
  Limb p = d1 * v;
  p += d0;
  if (p < d0) {
    --v;
    if (p >= d1) {
      --v;
      p -= d1;
    }
    p -= d1;
  }
  const Limb2 t = static_cast<Limb2>(v) * d0;
  p += High(t);
  if (p < High(t)) {
    --v;
    if (((static_cast<Limb2>(p) << 64) | static_cast<Limb>(t)) >=
        ((static_cast<Limb2>(d1) << 64) | d0)) {
      --v;
    }
  }
  return v;
}

// (u2, u1, u0) / divisor. REQUIRES: (u2, u1) < divisor.
inline Limb DivThreeByTwo(Limb2* remainder, Limb u2, Limb u1, Limb u0, Limb2 divisor,
                          Limb reciprocal) {
  const Limb2 estimate =
      static_cast<Limb2>(reciprocal) * u2 + ((static_cast<Limb2>(u2) << 64) | u1);
  Limb q = High(estimate);
  const Limb r1 = u1 - q * High(divisor);
  Limb2 r = ((static_cast<Limb2>(r1) << 64) | u0) -
            static_cast<Limb2>(q) * static_cast<Limb>(divisor) - divisor;
  ++q;
  if (High(r) >= static_cast<Limb>(estimate)) {
    --q;
    r += divisor;
  }
  if (r >= divisor) [[unlikely]] {
    ++q;
    r -= divisor;
  }
  *remainder = r;
  return q;
}

// q (na - n limbs) and the returned bit above them = a / b; a's low n limbs become the remainder.
// REQUIRES: n >= 2, na >= n, top bit of b set.
Limb DivBase(Limb* q, Limb* a, size_t na, const Limb* b, size_t n, Limb reciprocal) {
  Limb top = 0;
  if (CompareN(a + na - n, b, n) >= 0) {
    SubN(a + na - n, a + na - n, b, n);
    top = 1;
  }
  const Limb2 divisor = (static_cast<Limb2>(b[n - 1]) << 64) | b[n - 2];
  for (size_t j = na - n; j-- > 0;) {
    Limb* const u = a + j;
    Limb digit;
    if (((static_cast<Limb2>(u[n]) << 64) | u[n - 1]) >= divisor) [[unlikely]] {
      digit = ~Limb{0};
      // The subtraction cannot fall below zero by more than the top limb holds.
      const Limb borrow = SubMulLimbN(u, b, n, digit);
      if (u[n] < borrow) {
        --digit;
        AddN(u, u, b, n);
      }
    } else {
      Limb2 rest;
      digit = DivThreeByTwo(&rest, u[n], u[n - 1], u[n - 2], divisor, reciprocal);
      const Limb borrow = SubMulLimbN(u, b, n - 2, digit);
      const bool below = rest < borrow;
      rest -= borrow;
      u[n - 2] = static_cast<Limb>(rest);
      u[n - 1] = High(rest);
      if (below) [[unlikely]] {
        --digit;
        AddN(u, u, b, n);
      }
    }
    u[n] = 0;
    q[j] = digit;
  }
  return top;
}

bool DivRecursive(BigWork& work, Limb* q, Limb* top, Limb* a, const Limb* b, size_t n,
                  Limb* scratch);

// Having divided the top of a by the top k limbs of b (n limbs), which gave q (k limbs, and *top
// above them), takes the rest of q * b from a and corrects q. a: n limbs and those of the partial
// remainder are at a[n - k .. n).
bool Correct(BigWork& work, Limb* q, Limb* top, Limb* a, const Limb* b, size_t n, size_t k,
             Limb* scratch) {
  const size_t rest = n - k;
  if (rest == 0) return true;
  if (!MulAny(work, scratch, q, k, b, rest)) return false;
  Limb borrow = SubN(a, a, scratch, n);
  if (*top != 0) borrow += SubN(a + k, a + k, b, rest);
  while (borrow != 0) {
    *top -= SubBorrowN(q, k, 1);
    borrow -= AddN(a, a, b, n);
  }
  return true;
}

// q (n limbs) and *top = a (2 * n limbs) / b (n limbs); remainder in a's low n limbs.
// scratch: n limbs.
bool DivRecursive(BigWork& work, Limb* q, Limb* top, Limb* a, const Limb* b, size_t n,
                  Limb* scratch) {
  if (n < kRecursionThreshold) {
    *top = DivBase(q, a, 2 * n, b, n, Reciprocal2(b[n - 1], b[n - 2]));
    return work.Tick(n * n);
  }
  const size_t low = n / 2;
  const size_t high = n - low;
  if (!DivRecursive(work, q + low, top, a + 2 * low, b + low, high, scratch)) return false;
  if (!Correct(work, q + low, top, a + low, b, n, high, scratch)) return false;
  Limb carry;
  if (!DivRecursive(work, q, &carry, a + high, b + high, low, scratch)) return false;
  if (!Correct(work, q, &carry, a, b, n, low, scratch)) return false;
  MVM_DCHECK(carry == 0, "quotient half too large");
  return true;
}

}  // namespace

bool DivNormalized(BigWork& work, Limb* q, Limb* a, size_t na, const Limb* b, size_t nb) {
  const size_t nq = na - nb;
  if (nb < kRecursionThreshold || nq < kRecursionThreshold) {
    const Limb reciprocal = Reciprocal2(b[nb - 1], b[nb - 2]);
    // In slices, so that a long division can be interrupted.
    const size_t slice = std::max<size_t>(1, (size_t{1} << 18) / nb);
    for (size_t left = nq; left > 0;) {
      const size_t count = std::min(slice, left);
      left -= count;
      DivBase(q + left, a + left, nb + count, b, nb, reciprocal);
      if (!work.Tick(count * nb)) return false;
    }
    return true;
  }
  TempLimbs scratch(work, nb);
  if (!scratch) return false;
  Limb top;
  // The leading part of the quotient has fewer limbs than b, the others as many.
  size_t done = nq % nb;
  if (done != 0) {
    Limb* const at = a + nq - done;  // nb + done limbs
    Limb* const q_at = q + nq - done;
    if (done == 1) {
      // One limb is too short for the two-limb reciprocal.
      top = DivBase(q_at, at, nb + 1, b, nb, Reciprocal2(b[nb - 1], b[nb - 2]));
    } else {
      if (!DivRecursive(work, q_at, &top, at + nb - done, b + nb - done, done, scratch.data())) {
        return false;
      }
      if (!Correct(work, q_at, &top, at, b, nb, done, scratch.data())) return false;
    }
    MVM_DCHECK(top == 0, "quotient too large");
  }
  for (size_t left = nq - done; left > 0;) {
    left -= nb;
    if (!DivRecursive(work, q + left, &top, a + left, b, nb, scratch.data())) return false;
    MVM_DCHECK(top == 0, "quotient too large");
  }
  return true;
}

}  // namespace big_int_internal

using namespace big_int_internal;

bool DivModMag(BigWork& work, Limb* q, size_t* nq, Limb* r, size_t* nr, const Limb* a, size_t na,
               const Limb* b, size_t nb) {
  if (CompareMag(a, na, b, nb) < 0) {
    if (q != nullptr) *nq = 0;
    if (r != nullptr) {
      CopyLimbs(r, a, na);
      *nr = na;
    }
    return true;
  }
  if (nb == 1) {
    const Limb remainder = DivModLimb(q, q == nullptr ? nullptr : nq, a, na, b[0]);
    if (r != nullptr) {
      r[0] = remainder;
      *nr = remainder != 0;
    }
    return na < 4096 || work.Tick(na * 2);
  }
  // Scratch: the dividend with a limb on top, the divisor shifted, maybe the quotient.
  const size_t q_size = na - nb + 1;
  const size_t room = na + 1 + nb + q_size;
  constexpr size_t kOnStack = 96;
  Limb stack[kOnStack];
  Limb* memory = stack;
  if (room > kOnStack && (memory = work.Allocate(room)) == nullptr) return false;
  Limb* const u = memory;
  Limb* const v = u + na + 1;
  Limb* const digits = v + nb;
  const unsigned shift = static_cast<unsigned>(__builtin_clzll(b[nb - 1]));
  if (shift == 0) {
    CopyLimbs(u, a, na);
    u[na] = 0;
    CopyLimbs(v, b, nb);
  } else {
    u[na] = ShiftLeftN(u, a, na, shift);
    ShiftLeftN(v, b, nb, shift);
  }
  const bool done = DivNormalized(work, digits, u, na + 1, v, nb);
  if (done) {
    if (q != nullptr) {
      *nq = NormalizedSize(digits, q_size);
      CopyLimbs(q, digits, *nq);
    }
    if (r != nullptr) {
      if (shift != 0) ShiftRightN(u, u, nb, shift);
      *nr = NormalizedSize(u, nb);
      CopyLimbs(r, u, *nr);
    }
  }
  if (memory != stack) work.Free(memory, room);
  return done;
}

}  // namespace minivm
