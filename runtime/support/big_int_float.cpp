// Big integers and doubles: conversions, comparison and true division, all
// correctly rounded (half to even), subnormals included.
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {

using namespace big_int_internal;

namespace {

struct LeadingBits {
  Limb top;     // the 64 leading bits
  bool sticky;  // whether any bit below them is set
};

// REQUIRES: a != 0.
LeadingBits LeadingBitsOf(const Limb* a, size_t na) {
  const unsigned shift = static_cast<unsigned>(__builtin_clzll(a[na - 1]));
  Limb top = a[na - 1] << shift;
  size_t below = na - 1;
  bool sticky = false;
  if (shift != 0 && na > 1) {
    top |= a[na - 2] >> (kLimbBits - shift);
    sticky = a[na - 2] << shift != 0;
    below = na - 2;
  }
  for (size_t i = below; !sticky && i-- > 0;) sticky = a[i] != 0;
  return {top, sticky};
}

// Rounds (bits.top + a bit less than one if sticky) to `keep` bits, 0 <= keep < 64; the result
// counts units of the last kept bit.
Limb RoundToBits(LeadingBits bits, unsigned keep) {
  const unsigned drop = kLimbBits - keep;
  const Limb kept = drop == kLimbBits ? 0 : bits.top >> drop;
  const Limb half = Limb{1} << (drop - 1);
  const Limb rest = drop == kLimbBits ? bits.top : bits.top & ((Limb{1} << drop) - 1);
  const bool up = rest > half || (rest == half && (bits.sticky || (kept & 1) != 0));
  return kept + up;
}

}  // namespace

double big_int_internal::ScaleToDouble(Limb top, bool sticky, int64_t exponent) {
  const int64_t leading = exponent + 63;  // exponent of the leading bit
  if (leading > 1023) return std::numeric_limits<double>::infinity();
  if (leading < -1075) return 0;
  const unsigned keep = leading >= -1022 ? 53 : static_cast<unsigned>(53 + leading + 1022);
  const Limb mantissa = RoundToBits({top, sticky}, keep);
  return std::ldexp(static_cast<double>(mantissa), static_cast<int>(exponent + 64 - keep));
}

double MagToDouble(const Limb* a, size_t na) {
  if (na == 0) return 0;
  if (na > 16) return std::numeric_limits<double>::infinity();
  const LeadingBits bits = LeadingBitsOf(a, na);
  return ScaleToDouble(bits.top, bits.sticky, static_cast<int64_t>(BitLength(a, na)) - 64);
}

double MagFrexp(const Limb* a, size_t na, int64_t* exponent) {
  *exponent = 0;
  if (na == 0) return 0;
  const Limb mantissa = RoundToBits(LeadingBitsOf(a, na), 53);
  *exponent = static_cast<int64_t>(BitLength(a, na));
  double result = std::ldexp(static_cast<double>(mantissa), -53);
  if (result == 1) {
    result = 0.5;
    ++*exponent;
  }
  return result;
}

size_t MagFromDouble(Limb* out, double value) {
  int exponent;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  if (exponent <= 0) return 0;
  const Limb mantissa = static_cast<Limb>(std::ldexp(fraction, 53));
  if (exponent <= 53) {
    out[0] = mantissa >> (53 - exponent);
    return 1;
  }
  // Limb by limb: ShiftLeftMag would ask for a limb of room that is never used.
  const unsigned shift = static_cast<unsigned>(exponent - 53);
  const size_t low = shift / kLimbBits;
  const unsigned rest = shift % kLimbBits;
  ZeroLimbs(out, low);
  out[low] = mantissa << rest;
  const Limb high = rest == 0 ? 0 : mantissa >> (kLimbBits - rest);
  if (high == 0) return low + 1;
  out[low + 1] = high;
  return low + 2;
}

int CompareMagDouble(const Limb* a, size_t na, bool negative, double value) {
  if (std::isnan(value)) return 2;
  const int own_sign = na == 0 ? 0 : negative ? -1 : 1;
  const int value_sign = value > 0 ? 1 : value < 0 ? -1 : 0;
  if (own_sign != value_sign) return own_sign < value_sign ? -1 : 1;
  if (own_sign == 0) return 0;
  if (std::isinf(value)) return -value_sign;
  Limb whole[kDoubleLimbs];
  const size_t n = MagFromDouble(whole, value);
  int order = CompareMag(a, na, whole, n);
  if (order == 0 && std::trunc(value) != value) order = -1;
  order = order < 0 ? -1 : order > 0 ? 1 : 0;
  return negative ? -order : order;
}

bool TrueDivideMag(BigWork& work, double* out, const Limb* a, size_t na, const Limb* b, size_t nb) {
  *out = 0;
  if (na == 0) return true;
  const int64_t difference =
      static_cast<int64_t>(BitLength(a, na)) - static_cast<int64_t>(BitLength(b, nb));
  if (difference > 1025) {
    *out = std::numeric_limits<double>::infinity();
    return true;
  }
  if (difference < -1078) return true;
  // Scale a so that the quotient has 66 or 67 bits; what is lost only matters for being zero or
  // not.
  const int64_t shift = 66 - difference;
  const size_t room = na + (shift > 0 ? static_cast<size_t>(shift) / kLimbBits + 1 : 0);
  TempLimbs memory(work, room + nb + (room >= nb ? room - nb + 1 : 1));
  if (!memory) return false;
  Limb* const scaled = memory.data();
  Limb* const remainder = scaled + room;
  Limb* const quotient = remainder + nb;
  size_t n;
  bool sticky = false;
  if (shift >= 0) {
    n = ShiftLeftMag(scaled, a, na, static_cast<uint64_t>(shift));
  } else {
    sticky = TrailingZeros(a, na) < static_cast<uint64_t>(-shift);
    n = ShiftRightMag(scaled, a, na, static_cast<uint64_t>(-shift));
  }
  size_t nq;
  size_t nr;
  if (!DivModMag(work, quotient, &nq, remainder, &nr, scaled, n, b, nb)) return false;
  const LeadingBits bits = LeadingBitsOf(quotient, nq);
  *out = ScaleToDouble(bits.top, bits.sticky || sticky || nr != 0,
                       static_cast<int64_t>(BitLength(quotient, nq)) - 64 - shift);
  return true;
}

}  // namespace minivm
