// Modular powers of big integers.
//
// A window slides over the exponent, so that a few products with tabled odd
// powers do for its set bits. For odd moduli of moderate size the products are
// reduced by Montgomery's method, otherwise by division.
#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {

using namespace big_int_internal;

namespace {

// Multiplication modulo one number. Values are arrays of n limbs, in Montgomery form if that is
// used.
class ModulusContext {
 public:
  ModulusContext(BigWork& work, const Limb* modulus, size_t n)
      : work_(work),
        n_(n),
        montgomery_((modulus[0] & 1) != 0 && n <= kMontgomeryLimit),
        memory_(work, 4 * n + 4) {
    if (!memory_) return;
    product_ = memory_.data();        // 2 * n + 1 limbs
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
    if (!DivModMag(work_, nullptr, nullptr, out, &n, shifted.data(), size, modulus_, n_))
      return false;
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
      const Limb high =
          shift_ == 0 ? product_[1] : product_[1] << shift_ | product_[0] >> (kLimbBits - shift_);
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
  const unsigned window = bits <= 8      ? 1
                          : bits <= 36   ? 2
                          : bits <= 140  ? 3
                          : bits <= 450  ? 4
                          : bits <= 1303 ? 5
                                         : 6;
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

}  // namespace minivm
