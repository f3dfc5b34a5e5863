// Number theory on big integers: gcd, modular inverse and power, square root.
//
// The Euclidean algorithms are Lehmer's: many steps are simulated on the
// leading bits, and only their combined effect is applied to the long
// numbers. Modular powers slide a window over the exponent; for odd moduli of
// moderate size the products are reduced by Montgomery's method.
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

// Leading bits per simulation. Entries then stay below 2**30, those of a product of two below 2**61.
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
  return High(value) != 0 ? 128 - static_cast<unsigned>(__builtin_clzll(High(value)))
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
  const LehmerMatrix second = SimulateEuclid<true>(static_cast<int64_t>(x2 >> shift),
                                                   static_cast<int64_t>(y2 >> shift));
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

// x >= y, both of n limbs' room; runs Euclid until y fits a limb. `cofactors`, if not null, follows.
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
      if (!DivModMag(work, e->spare_y, &nq, e->spare_x, &nr, e->x, e->nx, e->y, e->ny)) return false;
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

// --- Modular power -------------------------------------------------------------------------------

namespace {

// Multiplication modulo one number. Values are arrays of n limbs, in Montgomery form if that is used.
class ModulusContext {
 public:
  ModulusContext(BigWork& work, const Limb* modulus, size_t n)
      : work_(work),
        n_(n),
        montgomery_((modulus[0] & 1) != 0 && n <= kMontgomeryLimit),
        memory_(work, 4 * n + 4) {
    if (!memory_) return;
    product_ = memory_.data();      // 2 * n + 1 limbs
    modulus_ = product_ + 2 * n + 2;  // n limbs, shifted up when not Montgomery
    spare_ = modulus_ + n;            // n limbs: quotients
    if (montgomery_) {
      CopyLimbs(modulus_, modulus, n);
      Limb inverse = modulus[0];
      for (int i = 0; i < 5; ++i) inverse *= 2 - modulus[0] * inverse;
      negated_inverse_ = 0 - inverse;
    } else {
      shift_ = static_cast<unsigned>(__builtin_clzll(modulus[n - 1]));
      if (shift_ == 0) {
        CopyLimbs(modulus_, modulus, n);
      } else {
        ShiftLeftN(modulus_, modulus, n, shift_);
      }
      if (n == 1) reciprocal_ = Reciprocal(modulus_[0]);
    }
  }
  bool ok() const { return product_ != nullptr; }
  size_t size() const { return n_; }

  // out = a * b; out may be a or b.
  bool Multiply(Limb* out, const Limb* a, const Limb* b) {
    if (n_ < kMulNoScratch) {
      if (a == b) {
        SquareBase(product_, a, n_);
      } else {
        MulBase(product_, a, n_, b, n_);
      }
      if (!work_.Tick(2 * n_ * n_)) return false;
    } else if (!MulAny(work_, product_, a, n_, b, n_)) {
      return false;
    }
    return montgomery_ ? Redc(out) : Divide(out);
  }

  // out = value (n limbs, below the modulus) in the representation used here.
  bool Enter(Limb* out, const Limb* value) {
    if (!montgomery_) {
      CopyLimbs(out, value, n_);
      return true;
    }
    // value * 2**(64 n) mod modulus by division.
    TempLimbs shifted(work_, 2 * n_);
    if (!shifted) return false;
    ZeroLimbs(shifted.data(), n_);
    CopyLimbs(shifted.data() + n_, value, n_);
    size_t n = 0;
    const size_t size = NormalizedSize(shifted.data(), 2 * n_);
    if (!DivModMag(work_, nullptr, nullptr, out, &n, shifted.data(), size, modulus_, n_)) return false;
    ZeroLimbs(out + n, n_ - n);
    return true;
  }
  bool Leave(Limb* value) {
    if (!montgomery_) return true;
    CopyLimbs(product_, value, n_);
    ZeroLimbs(product_ + n_, n_);
    return Redc(value);
  }

 private:
  // Above, subquadratic division beats the quadratic reduction.
  static constexpr size_t kMontgomeryLimit = 160;

  // out = product / 2**(64 n) modulo the modulus.
  bool Redc(Limb* out) {
    for (size_t i = 0; i < n_; ++i) {
      product_[i] = AddMulLimbN(product_ + i, modulus_, n_, product_[i] * negated_inverse_);
    }
    const Limb carry = AddN(out, product_ + n_, product_, n_);
    if (carry != 0 || CompareN(out, modulus_, n_) >= 0) SubN(out, out, modulus_, n_);
    return work_.Tick(n_);
  }

  bool Divide(Limb* out) {
    if (n_ == 1) {
      Limb remainder;
      const Limb high = shift_ == 0 ? product_[1]
                                    : product_[1] << shift_ | product_[0] >> (kLimbBits - shift_);
      DivTwoByOne(&remainder, high, product_[0] << shift_, modulus_[0], reciprocal_);
      out[0] = remainder >> shift_;
      return true;
    }
    // a, b < modulus, so the shifted product is below modulus_ * 2**(64 n).
    if (shift_ != 0) ShiftLeftN(product_, product_, 2 * n_, shift_);
    if (!DivNormalized(work_, spare_, product_, 2 * n_, modulus_, n_)) return false;
    if (shift_ == 0) {
      CopyLimbs(out, product_, n_);
    } else {
      ShiftRightN(out, product_, n_, shift_);
    }
    return true;
  }

  BigWork& work_;
  size_t n_;
  bool montgomery_;
  unsigned shift_ = 0;
  Limb negated_inverse_ = 0;
  Limb reciprocal_ = 0;
  TempLimbs memory_;
  Limb* product_ = nullptr;
  Limb* modulus_ = nullptr;
  Limb* spare_ = nullptr;
};

inline unsigned BitAt(const Limb* a, uint64_t i) { return a[i / kLimbBits] >> (i % kLimbBits) & 1; }

}  // namespace

bool ModPowMag(BigWork& work, Limb* out, size_t* n, const Limb* base, size_t nb,
               const Limb* exponent, size_t ne, const Limb* modulus, size_t nm) {
  if (nm == 1 && modulus[0] == 1) {
    *n = 0;
    return true;
  }
  if (ne == 0) {
    out[0] = 1;
    *n = 1;
    return true;
  }
  ModulusContext context(work, modulus, nm);
  if (!context.ok()) return false;
  const uint64_t bits = BitLength(exponent, ne);
  const unsigned window = bits <= 8 ? 1 : bits <= 36 ? 2 : bits <= 140 ? 3 : bits <= 450 ? 4 : bits <= 1303 ? 5 : 6;
  const size_t entries = size_t{1} << (window - 1);
  // table[i] = base ** (2 * i + 1); then the square of the base, which becomes the running result.
  TempLimbs memory(work, (entries + 1) * nm);
  if (!memory) return false;
  Limb* const table = memory.data();
  Limb* const result = table + entries * nm;
  size_t n_reduced;
  if (!DivModMag(work, nullptr, nullptr, result, &n_reduced, base, nb, modulus, nm)) return false;
  ZeroLimbs(result + n_reduced, nm - n_reduced);
  if (n_reduced == 0) {
    *n = 0;
    return true;
  }
  if (!context.Enter(table, result)) return false;
  if (entries > 1) {
    if (!context.Multiply(result, table, table)) return false;
    for (size_t i = 1; i < entries; ++i) {
      if (!context.Multiply(table + i * nm, table + (i - 1) * nm, result)) return false;
    }
  }
  bool started = false;
  for (uint64_t i = bits; i-- > 0;) {
    if (BitAt(exponent, i) == 0) {
      if (!context.Multiply(result, result, result)) return false;
      continue;
    }
    // The longest window of at most `window` bits from here that ends in a one.
    uint64_t last = i + 1 >= window ? i + 1 - window : 0;
    while (BitAt(exponent, last) == 0) ++last;
    unsigned value = 0;
    for (uint64_t j = i + 1; j-- > last;) value = value << 1 | BitAt(exponent, j);
    const Limb* const entry = table + (value >> 1) * nm;
    if (started) {
      for (uint64_t j = last; j <= i; ++j) {
        if (!context.Multiply(result, result, result)) return false;
      }
      if (!context.Multiply(result, result, entry)) return false;
    } else {
      CopyLimbs(result, entry, nm);
      started = true;
    }
    i = last;
  }
  if (!context.Leave(result)) return false;
  CopyLimbs(out, result, nm);
  *n = NormalizedSize(out, nm);
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

// Root of a (2 * m limbs, the top one at least 2**62) and the remainder, by Zimmermann's method: the
// root of the upper half, then a division for the lower half of the digits.
// s: m + 1 limbs, r: m + 2 limbs of room.
bool SqrtRemainder(BigWork& work, Limb* s, size_t* ns, Limb* r, size_t* nr, const Limb* a, size_t m) {
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
  if (!SqrtRemainder(work, s + low, &n_high, numerator + low, &n_rest, a + 2 * low, high)) return false;
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
