// Products of huge integers by number-theoretic transforms.
//
// The limbs of a factor are the coefficients of a polynomial at 2**64. The
// product polynomial has coefficients below 2**128 times the length, so it is
// computed modulo three 62-bit primes and put together by the Chinese remainder
// theorem (Garner's form), with the carries propagated on the way.
//
// Transform: a tree of remainders. The root is x**N - 1; a node x**m - c**2
// splits into x**(m/2) - c and x**(m/2) + c. Node s of a level has
// c = Root(s), the root of unity whose exponent has the bits of s reversed, so
// the roots of a level's first half are those of the level above it. Two levels are
// done in one pass, and a subtree that fits the cache is finished before its
// neighbour is touched. Lengths are 2**k or 3 * 2**k: the latter leaves out the
// last quarter of the tree, and works modulo (x**2M - 1)(x**M - i), N = 4M.
//
// Numbers modulo p are in Montgomery form and lazily reduced: p < 2**62, so
// values up to 4p fit a limb.
#include <algorithm>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm::big_int_internal {
namespace {

constexpr unsigned kRootLevels = 48;  // each p - 1 is divisible by 2**48

constexpr Limb InverseMod2To64(Limb p) {
  Limb inverse = p;  // correct to 3 bits; each step doubles them
  for (int i = 0; i < 5; ++i) inverse *= 2 - p * inverse;
  return inverse;
}

constexpr Limb PowMod(Limb base, Limb exponent, Limb p) {
  Limb result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = static_cast<Limb>(static_cast<Limb2>(result) * base % p);
    base = static_cast<Limb>(static_cast<Limb2>(base) * base % p);
  }
  return result;
}

// Arithmetic modulo kP; kNonResidue has no square root modulo kP.
template <Limb kP, Limb kNonResidue>
struct Prime {
  static constexpr Limb p = kP;
  static constexpr Limb p2 = 2 * kP;
  static constexpr Limb inverse = InverseMod2To64(kP);
  static constexpr Limb one = static_cast<Limb>((static_cast<Limb2>(1) << 64) % kP);
  static constexpr Limb r2 = static_cast<Limb>(static_cast<Limb2>(one) * one % kP);

  // a * b / 2**64, below 2p. REQUIRES: a * b < 2**64 * p.
  static Limb Mul(Limb a, Limb b) {
    const Limb2 t = static_cast<Limb2>(a) * b;
    const Limb q = static_cast<Limb>(t) * inverse;
    return High(t) - High(static_cast<Limb2>(q) * p) + p;
  }
  // As minima of wrapping differences: a conditional would become a branch that never predicts.
  static Limb Below2p(Limb x) { return std::min(x, x - p2); }
  static Limb BelowP(Limb x) { return std::min(x, x - p); }
  static constexpr Limb ToMontgomery(Limb x) {
    return static_cast<Limb>(static_cast<Limb2>(x) * one % kP);
  }

  // [j]: primitive 2**j-th root of unity in Montgomery form; inverses alike.
  struct Primitives {
    Limb forward[kRootLevels + 1] = {};
    Limb backward[kRootLevels + 1] = {};
  };
  static constexpr Primitives MakePrimitives() {
    Primitives roots;
    Limb w = PowMod(kNonResidue, (kP - 1) >> kRootLevels, kP);
    Limb v = PowMod(w, kP - 2, kP);
    for (unsigned j = kRootLevels + 1; j-- > 0;) {
      roots.forward[j] = ToMontgomery(w);
      roots.backward[j] = ToMontgomery(v);
      w = static_cast<Limb>(static_cast<Limb2>(w) * w % kP);
      v = static_cast<Limb>(static_cast<Limb2>(v) * v % kP);
    }
    return roots;
  }
  static constexpr Primitives roots = MakePrimitives();
};

using P1 = Prime<0x3fdc000000000001, 3>;
using P2 = Prime<0x3fc6000000000001, 5>;
using P3 = Prime<0x3fa3000000000001, 3>;

// A subtree of at most this many coefficients (a power of four) stays in the cache.
constexpr size_t kLeafSize = size_t{1} << 12;
// Coefficients per turn of a long pass, between polls.
constexpr size_t kChunk = size_t{1} << 14;

// Roots of unity for one direction.
template <class P, bool kInverse>
class Roots {
 public:
  Roots() {
    even_[0] = P::one;
    for (size_t filled = 1; filled < kEntries; filled *= 2) {
      const Limb root = Primitive(static_cast<unsigned>(__builtin_ctzll(filled)) + 3);
      for (size_t i = 0; i < filled; ++i) even_[filled + i] = P::BelowP(P::Mul(even_[i], root));
    }
  }
  // Root(2 * k) for k < kLeafSize / 4.
  Limb Even(size_t k) const { return even_[k]; }
  // Root(s) for any s: one multiplication per set bit.
  static Limb Of(size_t s) {
    Limb result = P::one;
    for (; s != 0; s &= s - 1) {
      const unsigned bit = static_cast<unsigned>(__builtin_ctzll(s));
      result = P::BelowP(P::Mul(result, Primitive(bit + 2)));
    }
    return result;
  }
  static Limb I() { return Primitive(2); }

 private:
  static constexpr size_t kEntries = kLeafSize / 4;
  static Limb Primitive(unsigned j) {
    return kInverse ? P::roots.backward[j] : P::roots.forward[j];
  }

  Limb even_[kEntries];
};

// Two levels down for one node of 4 * m coefficients, whose quarters' elements [from, to) are done.
// e = Root(2 * s) for node s. Values below 4p in and out.
template <class P>
inline void SplitFour(Limb* x, size_t m, size_t from, size_t to, Limb e, Limb i_root) {
  const Limb e2 = P::BelowP(P::Mul(e, e));
  const Limb e3 = P::BelowP(P::Mul(e2, e));
  for (size_t j = from; j < to; ++j) {
    const Limb x0 = P::Below2p(x[j]);
    const Limb x1 = P::Mul(x[j + m], e);
    const Limb x2 = P::Mul(x[j + 2 * m], e2);
    const Limb x3 = P::Mul(x[j + 3 * m], e3);
    const Limb even_sum = P::Below2p(x0 + x2);
    const Limb even_difference = P::Below2p(x0 + P::p2 - x2);
    const Limb odd_sum = P::Below2p(x1 + x3);
    const Limb odd_difference = P::Mul(x1 + P::p2 - x3, i_root);
    x[j] = even_sum + odd_sum;
    x[j + m] = even_sum + P::p2 - odd_sum;
    x[j + 2 * m] = even_difference + odd_difference;
    x[j + 3 * m] = even_difference + P::p2 - odd_difference;
  }
}

// The reverse, times 4; e and i_root are the inverses.
template <class P>
inline void JoinFour(Limb* x, size_t m, size_t from, size_t to, Limb e, Limb i_root) {
  const Limb e2 = P::BelowP(P::Mul(e, e));
  const Limb e3 = P::BelowP(P::Mul(e2, e));
  for (size_t j = from; j < to; ++j) {
    const Limb y0 = P::Below2p(x[j]);
    const Limb y1 = P::Below2p(x[j + m]);
    const Limb y2 = P::Below2p(x[j + 2 * m]);
    const Limb y3 = P::Below2p(x[j + 3 * m]);
    const Limb a = P::Below2p(y0 + y1);
    const Limb b = P::Below2p(y0 + P::p2 - y1);
    const Limb c = P::Below2p(y2 + y3);
    const Limb d = P::Mul(y2 + P::p2 - y3, i_root);
    x[j] = P::Below2p(a + c);
    x[j + m] = P::Mul(b + d, e);
    x[j + 2 * m] = P::Mul(a + P::p2 - c, e2);
    x[j + 3 * m] = P::Mul(b + P::p2 - d, e3);
  }
}

inline bool IsPowerOfFour(size_t size) { return __builtin_ctzll(size) % 2 == 0; }

// Transforms the subtree of `size` (a power of two) coefficients under node s of its level.
template <class P>
bool Split(BigWork& work, const Roots<P, false>& roots, Limb* x, size_t size, size_t s) {
  if (!IsPowerOfFour(size)) {
    const size_t m = size / 2;
    const Limb root = roots.Of(s);
    for (size_t from = 0; from < m; from += kChunk) {
      const size_t to = std::min(m, from + kChunk);
      for (size_t j = from; j < to; ++j) {
        const Limb x0 = P::Below2p(x[j]);
        const Limb x1 = P::Mul(x[j + m], root);
        x[j] = x0 + x1;
        x[j + m] = x0 + P::p2 - x1;
      }
      if (!work.Tick(2 * kChunk)) return false;
    }
    return Split<P>(work, roots, x, m, 2 * s) && Split<P>(work, roots, x + m, m, 2 * s + 1);
  }
  const Limb i_root = roots.I();
  if (size > kLeafSize) {
    const size_t m = size / 4;
    const Limb root = roots.Of(2 * s);
    for (size_t from = 0; from < m; from += kChunk) {
      SplitFour<P>(x, m, from, std::min(m, from + kChunk), root, i_root);
      if (!work.Tick(8 * kChunk)) return false;
    }
    for (size_t k = 0; k < 4; ++k) {
      if (!Split<P>(work, roots, x + k * m, m, 4 * s + k)) return false;
    }
    return true;
  }
  size_t nodes = 1;
  for (size_t m = size / 4; m > 0; m /= 4, nodes *= 4, s *= 4) {
    const Limb first = roots.Of(2 * s);
    for (size_t k = 0; k < nodes; ++k) {
      const Limb root = P::BelowP(P::Mul(roots.Even(k), first));
      SplitFour<P>(x + 4 * m * k, m, 0, m, root, i_root);
    }
  }
  return work.Tick(size * 8);
}

// The reverse of Split, times `size`.
template <class P>
bool Join(BigWork& work, const Roots<P, true>& roots, Limb* x, size_t size, size_t s) {
  if (!IsPowerOfFour(size)) {
    const size_t m = size / 2;
    if (!Join<P>(work, roots, x, m, 2 * s) || !Join<P>(work, roots, x + m, m, 2 * s + 1)) {
      return false;
    }
    const Limb root = roots.Of(s);
    for (size_t from = 0; from < m; from += kChunk) {
      const size_t to = std::min(m, from + kChunk);
      for (size_t j = from; j < to; ++j) {
        const Limb y0 = P::Below2p(x[j]);
        const Limb y1 = P::Below2p(x[j + m]);
        x[j] = P::Below2p(y0 + y1);
        x[j + m] = P::Mul(y0 + P::p2 - y1, root);
      }
      if (!work.Tick(2 * kChunk)) return false;
    }
    return true;
  }
  const Limb i_root = roots.I();
  if (size > kLeafSize) {
    const size_t m = size / 4;
    for (size_t k = 0; k < 4; ++k) {
      if (!Join<P>(work, roots, x + k * m, m, 4 * s + k)) return false;
    }
    const Limb root = roots.Of(2 * s);
    for (size_t from = 0; from < m; from += kChunk) {
      JoinFour<P>(x, m, from, std::min(m, from + kChunk), root, i_root);
      if (!work.Tick(8 * kChunk)) return false;
    }
    return true;
  }
  size_t nodes = size / 4;
  for (size_t m = 1; nodes > 0; m *= 4, nodes /= 4) {
    const Limb first = roots.Of(2 * s * nodes);
    for (size_t k = 0; k < nodes; ++k) {
      const Limb root = P::BelowP(P::Mul(roots.Even(k), first));
      JoinFour<P>(x + 4 * m * k, m, 0, m, root, i_root);
    }
  }
  return work.Tick(size * 8);
}

// How a product of `length` limbs is laid out: `whole` coefficients modulo x**whole - 1, then, for
// lengths of three quarters, `extra` more modulo x**extra - i.
struct Plan {
  size_t whole;
  size_t extra;
  size_t size() const { return whole + extra; }
};

Plan MakePlan(size_t length) {
  size_t n = 4;
  while (n < length) n *= 2;
  if (n >= 16 && length <= n / 4 * 3) return {n / 2, n / 4};
  return {n, 0};
}

// x = the transform of the polynomial with coefficients a.
template <class P>
bool Transform(BigWork& work, const Roots<P, false>& roots, const Plan& plan, Limb* x,
               const Limb* a, size_t na) {
  for (size_t i = 0; i < na; ++i) x[i] = P::Mul(a[i], P::r2);
  ZeroLimbs(x + na, plan.size() - na);
  if (!work.Tick(plan.size())) return false;
  if (const size_t m = plan.extra; m != 0) {
    const Limb i_root = roots.I();
    for (size_t j = 0; j < m; ++j) {
      const Limb x0 = x[j];
      const Limb x1 = x[j + m];
      const Limb x2 = x[j + 2 * m];
      x[j] = P::Below2p(x0 + x2);
      x[j + 2 * m] = P::Below2p(P::Below2p(x0 + P::p2 - x2) + P::Mul(x1, i_root));
    }
    if (!Split<P>(work, roots, x + plan.whole, m, 2)) return false;
  }
  return Split<P>(work, roots, x, plan.whole, 0);
}

// x = residues below p of the product's coefficients; y is work space unless a is b.
template <class P>
bool Convolve(BigWork& work, const Plan& plan, Limb* x, Limb* y, const Limb* a, size_t na,
              const Limb* b, size_t nb) {
  {
    const Roots<P, false> roots;
    if (!Transform<P>(work, roots, plan, x, a, na)) return false;
    const bool square = a == b && na == nb;
    if (!square && !Transform<P>(work, roots, plan, y, b, nb)) return false;
    const Limb* const other = square ? x : y;
    for (size_t j = 0; j < plan.size(); ++j) x[j] = P::Mul(P::Below2p(x[j]), P::Below2p(other[j]));
  }
  const Roots<P, true> roots;
  if (!Join<P>(work, roots, x, plan.whole, 0)) return false;
  // A plain (not Montgomery) factor also takes the values out of Montgomery form.
  const Limb scale = PowMod(plan.whole % P::p, P::p - 2, P::p);
  for (size_t j = 0; j < plan.whole; ++j) x[j] = P::BelowP(P::Mul(x[j], scale));
  if (const size_t m = plan.extra; m != 0) {
    if (!Join<P>(work, roots, x + plan.whole, m, 2)) return false;
    // u modulo x**2m - 1 and v modulo x**m - i make u + (x**2m - 1) * t,
    // t = (u[low] + i * u[high] - v) / 2.
    const Limb v_scale = PowMod(m % P::p, P::p - 2, P::p);
    const Limb i_root = P::roots.forward[2];
    const Limb half = P::ToMontgomery((P::p + 1) / 2);
    for (size_t j = 0; j < m; ++j) {
      const Limb v = P::Mul(x[j + 2 * m], v_scale);
      const Limb at_i = P::Below2p(x[j] + P::Mul(x[j + m], i_root));
      const Limb t = P::BelowP(P::Mul(at_i + P::p2 - v, half));
      x[j] = P::BelowP(x[j] + P::p - t);
      x[j + 2 * m] = t;
    }
  }
  return work.Tick(plan.size() * 2);
}

// out = sum of the coefficients with residues r1, r2, r3 times 2**(64 * index).
void Recombine(Limb* out, size_t n, const Limb* r1, const Limb* r2, const Limb* r3) {
  constexpr Limb kP1InP2 = P2::ToMontgomery(PowMod(P1::p % P2::p, P2::p - 2, P2::p));
  constexpr Limb kP1InP3 = P3::ToMontgomery(PowMod(P1::p % P3::p, P3::p - 2, P3::p));
  constexpr Limb kP2InP3 = P3::ToMontgomery(PowMod(P2::p % P3::p, P3::p - 2, P3::p));
  constexpr Limb2 kP1P2 = static_cast<Limb2>(P1::p) * P2::p;
  Limb carry0 = 0;  // of the coefficients so far, what lies above out[i]
  Limb carry1 = 0;
  for (size_t i = 0; i < n; ++i) {
    const Limb x1 = r1[i];
    const Limb x2 = P2::BelowP(P2::Mul(r2[i] + P2::p - P2::BelowP(x1), kP1InP2));
    const Limb t3 = P3::BelowP(P3::Mul(r3[i] + P3::p - P3::BelowP(x1), kP1InP3));
    const Limb x3 = P3::BelowP(P3::Mul(t3 + P3::p - P3::BelowP(x2), kP2InP3));
    // x1 + x2 * p1 + x3 * p1 * p2 + carry, a number of three limbs.
    const Limb2 low = static_cast<Limb2>(x2) * P1::p + x1;
    const Limb2 product = static_cast<Limb2>(x3) * static_cast<Limb>(kP1P2);
    const Limb2 upper = static_cast<Limb2>(x3) * High(kP1P2);
    const Limb2 sum0 =
        static_cast<Limb2>(static_cast<Limb>(low)) + static_cast<Limb>(product) + carry0;
    out[i] = static_cast<Limb>(sum0);
    const Limb2 sum1 = static_cast<Limb2>(High(low)) + High(product) + carry1 + High(sum0) + upper;
    carry0 = static_cast<Limb>(sum1);
    carry1 = High(sum1);
  }
}

}  // namespace

bool MulNtt(BigWork& work, Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb) {
  const size_t length = na + nb;
  const Plan plan = MakePlan(length);
  const size_t n = plan.size();
  const bool square = a == b && na == nb;
  TempLimbs residues(work, n * 3);
  if (!residues) return false;
  TempLimbs other(work, square ? 0 : n);
  if (!other) return false;
  Limb* const r1 = residues.data();
  Limb* const r2 = r1 + n;
  Limb* const r3 = r2 + n;
  if (!Convolve<P1>(work, plan, r1, other.data(), a, na, b, nb)) return false;
  if (!Convolve<P2>(work, plan, r2, other.data(), a, na, b, nb)) return false;
  if (!Convolve<P3>(work, plan, r3, other.data(), a, na, b, nb)) return false;
  Recombine(out, length, r1, r2, r3);
  return work.Tick(length * 4);
}

}  // namespace minivm::big_int_internal
