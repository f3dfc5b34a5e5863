// Number theory on big integers: gcd, modular inverse, square root.
//
// The Euclidean algorithms are Lehmer's: many steps are simulated on the
// leading bits, and only their combined effect is applied to the long
// numbers. The square root is Zimmermann's.
#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {

using namespace big_int_internal;

uint64_t Gcd64(uint64_t a, uint64_t b) {
  if (a == 0) return b;
  if (b == 0) return a;
  const int twos = __builtin_ctzll(a | b);
  a >>= __builtin_ctzll(a);
  do {
    b >>= __builtin_ctzll(b);
    if (a > b) std::swap(a, b);
    b -= a;
  } while (b != 0);
  return a << twos;
}

namespace {

// Several Euclidean steps at once: x' = a*x + b*y, y' = c*x + d*y; a and b have opposite signs, as
// have c and d. b == 0: the leading bits did not determine a step.
struct LehmerMatrix {
  int64_t a = 1, b = 0, c = 0, d = 1;
  unsigned steps = 0;
};

// Leading bits per simulation. Entries then stay below 2**30, those of a product of two below
// 2**61.
constexpr unsigned kLeadingBits = 60;

// Simulates Euclid on approximations of x and y, as far as the quotients are certain. Either number
// is the approximation plus an error in [0, 1), or in [-1, 2) if kLoose.
//
// A step with quotient q is right if the true remainder z is in [0, y). The true z is z + e * error
// of x + f * error of y, with e and f of opposite signs, which bounds it from both sides.
template <bool kLoose>
LehmerMatrix SimulateEuclid(int64_t x, int64_t y) {
  LehmerMatrix m;
  while (y != 0) {
    int64_t q = 1;
    int64_t z = x - y;
    if (z >= y) {
      // Two fifths of all quotients are 1, a sixth are 2.
      z -= y;
      q = 2;
      if (z >= y) {
        q = x / y;
        z = x - q * y;
      }
    }
    const int64_t e = m.a - q * m.c;
    const int64_t f = m.b - q * m.d;
    // The least that z and y - z can truly be.
    int64_t least_z = z + (e < 0 ? e : f);
    int64_t least_gap = y - z + (e < 0 ? m.d - f : m.c - e);
    if (kLoose) {
      least_z += e < 0 ? e - f : f - e;
      least_gap += e < 0 ? (m.d - f) - (m.c - e) : (m.c - e) - (m.d - f);
    }
    if (least_z < 0 || least_gap < 0) break;
    m.a = m.c;
    m.b = m.d;
    m.c = e;
    m.d = f;
    x = y;
    y = z;
    ++m.steps;
  }
  return m;
}

inline unsigned BitLength128(Limb2 value) {
  return High(value) != 0
             ? 128 - static_cast<unsigned>(__builtin_clzll(High(value)))
             : 64 - static_cast<unsigned>(__builtin_clzll(static_cast<Limb>(value) | 1));
}

// Two simulations in a row, the second on what the first makes of the next 60 bits. x and y are the
// leading 120 bits.
LehmerMatrix SimulateTwice(Limb2 x, Limb2 y) {
  const LehmerMatrix first = SimulateEuclid<false>(static_cast<int64_t>(x >> kLeadingBits),
                                                   static_cast<int64_t>(y >> kLeadingBits));
  if (first.b == 0) return first;
  const Limb2 x2 = static_cast<Limb2>(static_cast<__int128>(first.a)) * x +
                   static_cast<Limb2>(static_cast<__int128>(first.b)) * y;
  const Limb2 y2 = static_cast<Limb2>(static_cast<__int128>(first.c)) * x +
                   static_cast<Limb2>(static_cast<__int128>(first.d)) * y;
  // Off by less than 2**31; cutting at least 32 bits leaves that below half a unit. They are also
  // what keeps a negative y2, which only the error can cause, out.
  const unsigned bits = BitLength128(x2);
  const unsigned shift = bits > kLeadingBits + 32 ? bits - kLeadingBits : 32;
  if (static_cast<__int128>(x2) <= 0 || static_cast<__int128>(y2) <= 0 || x2 < y2) return first;
  const LehmerMatrix second =
      SimulateEuclid<true>(static_cast<int64_t>(x2 >> shift), static_cast<int64_t>(y2 >> shift));
  if (second.b == 0) return first;
  LehmerMatrix both;
  both.a = second.a * first.a + second.b * first.c;
  both.b = second.a * first.b + second.b * first.d;
  both.c = second.c * first.a + second.d * first.c;
  both.d = second.c * first.b + second.d * first.d;
  both.steps = first.steps + second.steps;
  return both;
}

// out = |p| * x - |q| * y or |q| * y - |p| * x, whichever the signs of p and q mean; the result is
// known not to be negative and to fit n limbs.
void Combine(Limb* out, int64_t p, const Limb* x, int64_t q, const Limb* y, size_t n) {
  const bool x_positive = p > 0 || q < 0;
  const Limb abs_p = static_cast<Limb>(p < 0 ? -p : p);
  const Limb abs_q = static_cast<Limb>(q < 0 ? -q : q);
  __int128 carry = 0;
  for (size_t i = 0; i < n; ++i) {
    const __int128 px = static_cast<__int128>(static_cast<Limb2>(abs_p) * x[i]);
    const __int128 qy = static_cast<__int128>(static_cast<Limb2>(abs_q) * y[i]);
    carry += x_positive ? px - qy : qy - px;
    out[i] = static_cast<Limb>(carry);
    carry >>= 64;
  }
}

// out (n + 1 limbs) = |p| * x + |q| * y.
void CombineSum(Limb* out, int64_t p, const Limb* x, int64_t q, const Limb* y, size_t n) {
  const Limb abs_p = static_cast<Limb>(p < 0 ? -p : p);
  const Limb abs_q = static_cast<Limb>(q < 0 ? -q : q);
  Limb2 carry = 0;
  for (size_t i = 0; i < n; ++i) {
    carry += static_cast<Limb2>(abs_p) * x[i] + static_cast<Limb2>(abs_q) * y[i];
    out[i] = static_cast<Limb>(carry);
    carry >>= 64;
  }
  out[n] = static_cast<Limb>(carry);
}

// The 120 bits from bit `low` on.
Limb2 LeadingFrom(const Limb* a, size_t na, uint64_t low) {
  const size_t limb = low / kLimbBits;
  const unsigned offset = low % kLimbBits;
  const auto at = [&](size_t i) -> Limb { return i < na ? a[i] : 0; };
  Limb2 value = (static_cast<Limb2>(at(limb + 1)) << 64 | at(limb)) >> offset;
  if (offset != 0) value |= static_cast<Limb2>(at(limb + 2)) << (128 - offset);
  return value & ((static_cast<Limb2>(1) << (2 * kLeadingBits)) - 1);
}

// The cofactors of one input of an extended gcd.
struct Cofactors {
  // x = +-s0 * input, y = +-s1 * input modulo the modulus; the signs differ.
  Limb* s0;
  Limb* s1;
  size_t n0;
  size_t n1;
  Limb* spare0;
  Limb* spare1;
  bool s1_negative;
};

// Two numbers and room as large as x for what replaces them.
struct EuclidState {
  Limb* x;
  size_t nx;
  Limb* y;
  size_t ny;
  Limb* spare_x;
  Limb* spare_y;
};

// Follows one step with quotient q for the cofactors: (s0, s1) = (s1, s0 + q * s1).
bool StepCofactors(BigWork& work, Cofactors* c, const Limb* q, size_t nq) {
  size_t n = 0;
  if (!MulMag(work, c->spare0, &n, q, nq, c->s1, c->n1)) return false;
  n = AddMag(c->spare0, c->spare0, n, c->s0, c->n0);
  Limb* const free = c->s0;
  c->s0 = c->s1;
  c->n0 = c->n1;
  c->s1 = c->spare0;
  c->n1 = n;
  c->spare0 = free;
  c->s1_negative = !c->s1_negative;
  return true;
}

// Runs Euclid on x >= y until y has at most one limb; with cofactors, until y is 0.
bool ReduceEuclid(BigWork& work, EuclidState* e, Cofactors* cofactors) {
  const size_t stop = cofactors == nullptr ? 1 : 0;
  while (e->ny > stop) {
    if (!work.Tick(4 * e->nx)) return false;
    const uint64_t bits = BitLength(e->x, e->nx);
    LehmerMatrix m;
    if (bits > 2 * kLeadingBits) {
      if (bits - BitLength(e->y, e->ny) < kLeadingBits / 2) {
        const uint64_t low = bits - 2 * kLeadingBits;
        m = SimulateTwice(LeadingFrom(e->x, e->nx, low), LeadingFrom(e->y, e->ny, low));
      }
    } else {
      const uint64_t low = bits > kLeadingBits ? bits - kLeadingBits : 0;
      m = SimulateEuclid<false>(static_cast<int64_t>(LeadingFrom(e->x, e->nx, low)),
                                static_cast<int64_t>(LeadingFrom(e->y, e->ny, low)));
    }
    if (m.b == 0) {
      // One full step. The quotient goes to spare_y, the remainder to spare_x.
      size_t nq;
      size_t nr;
      if (!DivModMag(work, e->spare_y, &nq, e->spare_x, &nr, e->x, e->nx, e->y, e->ny))
        return false;
      if (cofactors != nullptr && !StepCofactors(work, cofactors, e->spare_y, nq)) return false;
      Limb* const free = e->x;
      e->x = e->y;
      e->nx = e->ny;
      e->y = e->spare_x;
      e->ny = nr;
      e->spare_x = free;
      continue;
    }
    ZeroLimbs(e->y + e->ny, e->nx - e->ny);
    Combine(e->spare_x, m.a, e->x, m.b, e->y, e->nx);
    Combine(e->spare_y, m.c, e->x, m.d, e->y, e->nx);
    std::swap(e->x, e->spare_x);
    std::swap(e->y, e->spare_y);
    e->ny = NormalizedSize(e->y, e->nx);
    e->nx = NormalizedSize(e->x, e->nx);
    if (cofactors != nullptr) {
      Cofactors& c = *cofactors;
      const size_t n = std::max(c.n0, c.n1);
      ZeroLimbs(c.s0 + c.n0, n - c.n0);
      ZeroLimbs(c.s1 + c.n1, n - c.n1);
      CombineSum(c.spare0, m.a, c.s0, m.b, c.s1, n);
      CombineSum(c.spare1, m.c, c.s0, m.d, c.s1, n);
      std::swap(c.s0, c.spare0);
      std::swap(c.s1, c.spare1);
      c.n0 = NormalizedSize(c.s0, n + 1);
      c.n1 = NormalizedSize(c.s1, n + 1);
      if (m.steps % 2 != 0) c.s1_negative = !c.s1_negative;
    }
  }
  return true;
}

}  // namespace

bool GcdMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na, const Limb* b,
            size_t nb) {
  if (CompareMag(a, na, b, nb) < 0) {
    std::swap(a, b);
    std::swap(na, nb);
  }
  if (nb == 0) {
    CopyLimbs(out, a, na);
    *n = na;
    return true;
  }
  if (nb == 1) {
    out[0] = Gcd64(DivModLimb(nullptr, nullptr, a, na, b[0]), b[0]);
    *n = 1;
    return true;
  }
  const size_t room = na + 1;
  TempLimbs memory(work, 4 * room);
  if (!memory) return false;
  Limb* const m = memory.data();
  CopyLimbs(m, a, na);
  CopyLimbs(m + room, b, nb);
  EuclidState e{m, na, m + room, nb, m + 2 * room, m + 3 * room};
  if (!ReduceEuclid(work, &e, nullptr)) return false;
  if (e.ny == 1) {
    out[0] = Gcd64(DivModLimb(nullptr, nullptr, e.x, e.nx, e.y[0]), e.y[0]);
    *n = 1;
  } else {
    CopyLimbs(out, e.x, e.nx);
    *n = e.nx;
  }
  return true;
}

bool ModInverseMag(BigWork& work, Limb* out, size_t* n, bool* exists, const Limb* a, size_t na,
                   const Limb* modulus, size_t nm) {
  *exists = false;
  *n = 0;
  const size_t room = nm + 3;
  TempLimbs memory(work, 8 * room);
  if (!memory) return false;
  Limb* const m = memory.data();
  EuclidState e{m, nm, m + room, 0, m + 2 * room, m + 3 * room};
  CopyLimbs(e.x, modulus, nm);
  if (!DivModMag(work, nullptr, nullptr, e.y, &e.ny, a, na, modulus, nm)) return false;
  Cofactors c{m + 4 * room, m + 5 * room, 0, 1, m + 6 * room, m + 7 * room, false};
  c.s1[0] = 1;
  if (!ReduceEuclid(work, &e, &c)) return false;
  // y is 0 now, x the gcd, and s0 its cofactor, whose sign is not that of s1.
  if (e.nx != 1 || e.x[0] != 1) return true;
  *exists = true;
  if (nm == 1 && modulus[0] == 1) return true;  // everything is 0 modulo 1
  if (c.s1_negative) {
    CopyLimbs(out, c.s0, c.n0);
    *n = c.n0;
  } else {
    *n = SubMag(out, modulus, nm, c.s0, c.n0);
  }
  return true;
}

// --- Square root ---------------------------------------------------------------------------------

uint64_t IntegerSqrt64(uint64_t a) {
  uint64_t root = static_cast<uint64_t>(std::sqrt(static_cast<double>(a)));
  // The double is right to within one.
  if (root > 0xFFFFFFFFu) root = 0xFFFFFFFFu;
  while (root * root > a) --root;
  while (root < 0xFFFFFFFFu && (root + 1) * (root + 1) <= a) ++root;
  return root;
}

namespace {

// Root of a two-limb number whose top limb is at least 2**62; *rest may exceed a limb by one bit.
Limb SqrtOfTwoLimbs(Limb2 a, Limb2* rest) {
  // Sixty-three good bits: half of them from the top limb's root, the others by one division.
  const Limb high = IntegerSqrt64(High(a));
  const Limb high_rest = High(a) - high * high;
  const Limb2 numerator = static_cast<Limb2>(high_rest) << 32 | static_cast<Limb>(a) >> 32;
  Limb2 root = (static_cast<Limb2>(high) << 32) + numerator / (2 * high);
  if (root > ~Limb{0}) root = ~Limb{0};
  while (root * root > a) --root;
  *rest = a - root * root;
  return static_cast<Limb>(root);
}

// Root of a (2 * m limbs, the top one at least 2**62) and the remainder, by Zimmermann's method:
// the root of the upper half, then a division for the lower half of the digits. s: m + 1 limbs, r:
// m + 2 limbs of room.
bool SqrtRemainder(BigWork& work, Limb* s, size_t* ns, Limb* r, size_t* nr, const Limb* a,
                   size_t m) {
  if (m == 1) {
    Limb2 rest;
    s[0] = SqrtOfTwoLimbs((static_cast<Limb2>(a[1]) << 64) | a[0], &rest);
    r[0] = static_cast<Limb>(rest);
    r[1] = High(rest);
    *ns = 1;
    *nr = NormalizedSize(r, 2);
    return true;
  }
  const size_t low = m / 2;
  const size_t high = m - low;
  const size_t room = high + low + 3;
  TempLimbs memory(work, 5 * room + 2 * low + 4);
  if (!memory) return false;
  Limb* const numerator = memory.data();
  Limb* const twice = numerator + room;
  Limb* const q = twice + room;
  Limb* const u = q + room;
  Limb* const t = u + room;
  Limb* const q_squared = t + room;
  // The upper root goes straight to its place; its remainder to the numerator's top.
  size_t n_high;
  size_t n_rest;
  if (!SqrtRemainder(work, s + low, &n_high, numerator + low, &n_rest, a + 2 * low, high))
    return false;
  CopyLimbs(numerator, a + low, low);
  const size_t n_numerator = NormalizedSize(numerator, low + n_rest);
  const size_t n_twice = ShiftLeftMag(twice, s + low, n_high, 1);
  size_t nq;
  size_t nu;
  if (!DivModMag(work, q, &nq, u, &nu, numerator, n_numerator, twice, n_twice)) return false;
  // s = s_high * B**low + q; q may be B**low itself.
  ZeroLimbs(s, low);
  *ns = AddMag(s, s, low + n_high, q, nq);
  // remainder = u * B**low + a_low - q * q
  CopyLimbs(t + low, u, nu);
  CopyLimbs(t, a, low);
  const size_t nt = NormalizedSize(t, low + nu);
  size_t n_square;
  if (!SquareMag(work, q_squared, &n_square, q, nq)) return false;
  bool negative;
  size_t n_difference = SubMagSigned(t, &negative, t, nt, q_squared, n_square);
  if (negative) {
    // One too large: the remainder grows by 2 * s - 1.
    const size_t n_double = ShiftLeftMag(u, s, *ns, 1);
    n_difference = SubMag(t, u, n_double, t, n_difference);
    const Limb one = 1;
    n_difference = SubMag(t, t, n_difference, &one, 1);
    *ns = SubMag(s, s, *ns, &one, 1);
  }
  CopyLimbs(r, t, n_difference);
  *nr = n_difference;
  return true;
}

}  // namespace

bool IntegerSqrtMag(BigWork& work, Limb* out, size_t* n, bool* exact, const Limb* a, size_t na) {
  if (na == 0) {
    *n = 0;
    if (exact != nullptr) *exact = true;
    return true;
  }
  if (na == 1) {
    out[0] = IntegerSqrt64(a[0]);
    *n = 1;
    if (exact != nullptr) *exact = out[0] * out[0] == a[0];
    return true;
  }
  // Shift up by an even number of bits, to an even number of limbs with a high top limb.
  const size_t m = (na + 1) / 2;
  const uint64_t shift = (uint64_t{2 * m} * kLimbBits - BitLength(a, na)) & ~uint64_t{1};
  TempLimbs memory(work, 2 * m + 1 + (m + 1) + (m + 2));
  if (!memory) return false;
  Limb* const shifted = memory.data();
  Limb* const s = shifted + 2 * m + 1;
  Limb* const r = s + m + 1;
  ShiftLeftMag(shifted, a, na, shift);
  size_t ns;
  size_t nr;
  if (!SqrtRemainder(work, s, &ns, r, &nr, shifted, m)) return false;
  if (exact != nullptr) *exact = nr == 0;
  *n = ShiftRightMag(s, s, ns, shift / 2);
  CopyLimbs(out, s, *n);
  return true;
}

}  // namespace minivm
