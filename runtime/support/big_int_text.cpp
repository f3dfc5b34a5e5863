// Big integers from and to digits.
//
// Bases that are powers of two are a matter of bits. For the others a limb's
// worth of digits ("chunk") is handled at a time; long numbers are split at
// base**(chunk * 2**i), recursively, so that the cost is that of multiplication
// or division. With base = odd * 2**twos only the odd part's powers are stored:
// the rest of a power is a shift, and the operands get that much shorter.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/support/big_int.h"
#include "runtime/support/big_int_internal.h"

namespace minivm {

using namespace big_int_internal;

namespace {

constexpr char kDigitPairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748"
    "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495"
    "9697"
    "9899";
constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

inline bool IsPowerOfTwo(int base) { return (base & (base - 1)) == 0; }

// 0..35, or 255.
inline unsigned DigitOf(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'z') return static_cast<unsigned>(lower - 'a' + 10);
  return 255;
}

struct BaseInfo {
  unsigned base;
  unsigned chunk;    // digits that fit a limb
  Limb chunk_power;  // base ** chunk
  unsigned odd;      // base = odd << twos
  unsigned twos;

  explicit BaseInfo(int b) : base(static_cast<unsigned>(b)), chunk(0), chunk_power(1) {
    Limb next;
    while (!__builtin_mul_overflow(chunk_power, Limb{base}, &next)) {
      chunk_power = next;
      ++chunk;
    }
    twos = static_cast<unsigned>(__builtin_ctz(base));
    odd = base >> twos;
  }
};

// odd ** (chunk << level) for the levels a number needs.
class PowerTable {
 public:
  PowerTable(BigWork& work, const BaseInfo& info) : work_(work), info_(info) {}
  ~PowerTable() {
    for (unsigned i = 0; i < levels_; ++i) work_.Free(powers_[i].limbs, powers_[i].room);
  }
  PowerTable(const PowerTable&) = delete;
  PowerTable& operator=(const PowerTable&) = delete;

  // Makes the levels whose digit count is below `digits`.
  bool Fill(size_t digits) {
    if (info_.chunk >= digits) return true;
    Limb first = 1;
    for (unsigned i = 0; i < info_.chunk; ++i) first *= info_.odd;
    Power& lowest = powers_[0];
    lowest.limbs = work_.Allocate(1);
    if (lowest.limbs == nullptr) return false;
    lowest.limbs[0] = first;
    lowest.size = lowest.room = 1;
    levels_ = 1;
    while (DigitsAt(levels_) < digits) {
      const Power& last = powers_[levels_ - 1];
      Power& next = powers_[levels_];
      next.room = 2 * last.size;
      next.limbs = work_.Allocate(next.room);
      if (next.limbs == nullptr) return false;
      ++levels_;
      if (!SquareMag(work_, next.limbs, &next.size, last.limbs, last.size)) return false;
    }
    return true;
  }

  size_t DigitsAt(unsigned level) const { return size_t{info_.chunk} << level; }
  uint64_t ShiftAt(unsigned level) const { return uint64_t{DigitsAt(level)} * info_.twos; }
  unsigned levels() const { return levels_; }
  const Limb* limbs(unsigned level) const { return powers_[level].limbs; }
  size_t size(unsigned level) const { return powers_[level].size; }
  const BaseInfo& info() const { return info_; }

 private:
  struct Power {
    Limb* limbs;
    size_t size;
    size_t room;
  };
  BigWork& work_;
  const BaseInfo& info_;
  Power powers_[56];
  unsigned levels_ = 0;
};

// --- To text -----------------------------------------------------------------------------------

// Splitting stops at so many limbs.
constexpr size_t kToTextThreshold = 24;

// Writes value as exactly `width` digits ending before `end`; higher digits are dropped.
inline void WriteChunk(char* end, Limb value, size_t width, unsigned base) {
  if (base == 10) {
    // Halves of nine digits keep the divisions narrow and independent.
    while (width >= 2) {
      const unsigned pair = static_cast<unsigned>(value % 100);
      value /= 100;
      end -= 2;
      std::memcpy(end, kDigitPairs + 2 * pair, 2);
      width -= 2;
    }
    if (width != 0) *--end = static_cast<char>('0' + value % 10);
    return;
  }
  for (; width > 0; --width) {
    *--end = kDigits[value % base];
    value /= base;
  }
}

// Writes a (destroying it) as exactly `width` digits at out.
void SmallToText(char* out, size_t width, Limb* a, size_t na, const BaseInfo& info) {
  char* end = out + width;
  while (na > 0 && width > 0) {
    const Limb chunk = na == 1 && a[0] < info.chunk_power
                           ? std::exchange(a[0], 0)
                           : DivModLimb(a, &na, a, na, info.chunk_power);
    if (na == 1 && a[0] == 0) na = 0;
    const size_t count = std::min<size_t>(info.chunk, width);
    WriteChunk(end, chunk, count, info.base);
    end -= count;
    width -= count;
  }
  std::memset(out, '0', width);
}

bool LargeToText(BigWork& work, char* out, size_t width, Limb* a, size_t na,
                 const PowerTable& powers, unsigned level) {
  while (level > 0 && powers.DigitsAt(level - 1) >= width) --level;
  if (na <= kToTextThreshold || level == 0) {
    SmallToText(out, width, a, na, powers.info());
    return work.Tick(na * na);
  }
  --level;
  const size_t low_width = powers.DigitsAt(level);
  const uint64_t shift = powers.ShiftAt(level);
  const size_t np = powers.size(level);
  // a = (quotient * odd_power + rest) << shift + low bits; the last two make up the lower digits.
  TempLimbs shifted(work, na);
  if (!shifted) return false;
  const size_t n_shifted = ShiftRightMag(shifted.data(), a, na, shift);
  const size_t q_room = n_shifted >= np ? n_shifted - np + 1 : 0;
  TempLimbs quotient(work, q_room);
  if (!quotient) return false;
  TempLimbs rest(work, std::min(n_shifted, np) + shift / kLimbBits + 2);
  if (!rest) return false;
  size_t nq = 0;
  size_t nr = 0;
  if (!DivModMag(work, quotient.data(), &nq, rest.data(), &nr, shifted.data(), n_shifted,
                 powers.limbs(level), np)) {
    return false;
  }
  const size_t shift_limbs = shift / kLimbBits;
  size_t n_low = ShiftLeftMag(rest.data(), rest.data(), nr, shift);
  // Put a's low `shift` bits below.
  const size_t low_limbs = std::min<size_t>(na, shift_limbs + 1);
  if (n_low < low_limbs) {
    ZeroLimbs(rest.data() + n_low, low_limbs - n_low);
    n_low = low_limbs;
  }
  CopyLimbs(rest.data(), a, std::min(na, shift_limbs));
  if (na > shift_limbs && shift % kLimbBits != 0) {
    rest.data()[shift_limbs] |= a[shift_limbs] & ((Limb{1} << (shift % kLimbBits)) - 1);
  }
  n_low = NormalizedSize(rest.data(), n_low);
  return LargeToText(work, out, width - low_width, quotient.data(), nq, powers, level) &&
         LargeToText(work, out + width - low_width, low_width, rest.data(), n_low, powers, level);
}

size_t BinaryToText(char* out, const Limb* a, size_t na, unsigned bits_per_digit) {
  const uint64_t bits = BitLength(a, na);
  const size_t count = (bits + bits_per_digit - 1) / bits_per_digit;
  const Limb mask = (Limb{1} << bits_per_digit) - 1;
  uint64_t at = 0;
  for (size_t i = count; i-- > 0; at += bits_per_digit) {
    const size_t limb = at / kLimbBits;
    const unsigned offset = at % kLimbBits;
    Limb value = a[limb] >> offset;
    if (offset + bits_per_digit > kLimbBits && limb + 1 < na) {
      value |= a[limb + 1] << (kLimbBits - offset);
    }
    out[i] = kDigits[value & mask];
  }
  return count;
}

}  // namespace

size_t MagDigitsBound(const Limb* a, size_t na, int base) {
  if (na == 0) return 1;
  const uint64_t bits = BitLength(a, na);
  if (IsPowerOfTwo(base)) {
    const unsigned per_digit = static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(base)));
    return (bits + per_digit - 1) / per_digit;
  }
  // The factor is off by a few parts in 10^16; the allowance covers that.
  const double digits = static_cast<double>(bits) / std::log2(static_cast<double>(base));
  return static_cast<size_t>(digits * (1 + 1e-12)) + 1;
}

bool MagToText(BigWork& work, char* out, size_t* length, const Limb* a, size_t na, int base) {
  if (na == 0) {
    out[0] = '0';
    *length = 1;
    return true;
  }
  if (IsPowerOfTwo(base)) {
    *length =
        BinaryToText(out, a, na, static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(base))));
    return na < 4096 || work.Tick(na * 16);
  }
  const BaseInfo info(base);
  const size_t width = MagDigitsBound(a, na, base);
  if (na <= kToTextThreshold) {
    Limb copy[kToTextThreshold];
    CopyLimbs(copy, a, na);
    SmallToText(out, width, copy, na, info);
  } else {
    TempLimbs copy(work, na);
    if (!copy) return false;
    CopyLimbs(copy.data(), a, na);
    PowerTable powers(work, info);
    if (!powers.Fill(width)) return false;
    if (!LargeToText(work, out, width, copy.data(), na, powers, powers.levels())) return false;
  }
  size_t zeros = 0;
  while (out[zeros] == '0') ++zeros;
  if (zeros != 0) std::memmove(out, out + zeros, width - zeros);
  *length = width - zeros;
  return true;
}

// --- From text ---------------------------------------------------------------------------------

bool ScanIntText(std::string_view text, int base, IntText* out) {
  size_t i = 0;
  out->negative = false;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) out->negative = text[i++] == '-';
  bool prefixed = false;
  if (i + 1 < text.size() && text[i] == '0') {
    const char letter = static_cast<char>(text[i + 1] | 0x20);
    const int named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named != 0 && (base == 0 || base == named)) {
      base = named;
      prefixed = true;
      i += 2;
      // One underscore may follow the prefix.
      if (i < text.size() && text[i] == '_') ++i;
    }
  }
  const bool guessed = base == 0;
  if (guessed) base = 10;
  const size_t first = i;
  size_t count = 0;
  bool after_digit = false;
  bool all_zero = true;
  for (; i < text.size(); ++i) {
    if (text[i] == '_') {
      if (!after_digit) return false;
      after_digit = false;
      continue;
    }
    const unsigned digit = DigitOf(text[i]);
    if (digit >= static_cast<unsigned>(base)) return false;
    all_zero &= digit == 0;
    after_digit = true;
    ++count;
  }
  if (!after_digit) return false;
  // As in source code, 0 is the only decimal number with a leading zero.
  if (guessed && !prefixed && !all_zero && text[first] == '0') return false;
  out->base = base;
  out->digits = text.substr(first);
  out->digit_count = count;
  return true;
}

bool SmallFromText(std::string_view digits, int base, int64_t* out) {
  int64_t value = 0;
  for (const char c : digits) {
    if (c == '_') continue;
    if (__builtin_mul_overflow(value, int64_t{base}, &value) ||
        __builtin_add_overflow(value, static_cast<int64_t>(DigitOf(c)), &value)) {
      return false;
    }
  }
  *out = value;
  return true;
}

size_t MagFromTextSize(size_t digit_count, int base) {
  if (IsPowerOfTwo(base)) {
    const unsigned per_digit = static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(base)));
    return static_cast<size_t>((static_cast<Limb2>(digit_count) * per_digit + kLimbBits - 1) /
                               kLimbBits) +
           1;
  }
  const double bits = static_cast<double>(digit_count) * std::log2(static_cast<double>(base));
  return static_cast<size_t>(bits * (1 + 1e-12) / kLimbBits) + 2;
}

namespace {

// Recursion stops at so many limbs' worth of digits.
constexpr size_t kFromTextThreshold = 48;

size_t SmallFromDigits(Limb* out, const char* digits, size_t count, const BaseInfo& info) {
  size_t n = 0;
  size_t i = 0;
  size_t step = count % info.chunk;
  if (step == 0) step = info.chunk;
  while (i < count) {
    Limb value = 0;
    Limb power = 1;
    for (size_t j = 0; j < step; ++j) value = value * info.base + DigitOf(digits[i + j]);
    if (i != 0) power = info.chunk_power;
    n = MulAddLimb(out, out, n, power, value);
    i += step;
    step = info.chunk;
  }
  return n;
}

// out: MagFromTextSize(count) limbs.
bool LargeFromDigits(BigWork& work, Limb* out, size_t* n, const char* digits, size_t count,
                     const PowerTable& powers, unsigned level) {
  while (level > 0 && powers.DigitsAt(level - 1) >= count) --level;
  if (level == 0 || count <= kFromTextThreshold * powers.info().chunk) {
    *n = SmallFromDigits(out, digits, count, powers.info());
    return work.Tick(*n * *n / 2 + count / 4);
  }
  --level;
  const int base = static_cast<int>(powers.info().base);
  const size_t low_count = powers.DigitsAt(level);
  const size_t high_room = MagFromTextSize(count - low_count, base);
  const size_t low_room = MagFromTextSize(low_count, base);
  const size_t np = powers.size(level);
  const uint64_t shift = powers.ShiftAt(level);
  TempLimbs high(work, high_room);
  if (!high) return false;
  TempLimbs low(work, low_room);
  if (!low) return false;
  size_t n_high;
  size_t n_low;
  if (!LargeFromDigits(work, high.data(), &n_high, digits, count - low_count, powers, level) ||
      !LargeFromDigits(work, low.data(), &n_low, digits + (count - low_count), low_count, powers,
                       level)) {
    return false;
  }
  TempLimbs product(work, std::max(n_high + np + shift / kLimbBits + 2, n_low + 1));
  if (!product) return false;
  size_t np_out;
  if (!MulMag(work, product.data(), &np_out, high.data(), n_high, powers.limbs(level), np))
    return false;
  np_out = ShiftLeftMag(product.data(), product.data(), np_out, shift);
  *n = AddMag(product.data(), product.data(), np_out, low.data(), n_low);
  CopyLimbs(out, product.data(), *n);
  return true;
}

size_t BinaryFromText(Limb* out, std::string_view digits, unsigned bits_per_digit) {
  Limb limb = 0;
  unsigned filled = 0;
  size_t n = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    if (digits[i] == '_') continue;
    const Limb value = DigitOf(digits[i]);
    limb |= value << filled;
    filled += bits_per_digit;
    if (filled >= kLimbBits) {
      out[n++] = limb;
      filled -= kLimbBits;
      limb = filled == 0 ? 0 : value >> (bits_per_digit - filled);
    }
  }
  if (filled != 0) out[n++] = limb;
  return NormalizedSize(out, n);
}

}  // namespace

bool MagFromText(BigWork& work, Limb* out, size_t* n, std::string_view digits, int base) {
  if (IsPowerOfTwo(base)) {
    *n = BinaryFromText(out, digits,
                        static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(base))));
    return digits.size() < 65536 || work.Tick(digits.size());
  }
  const size_t clean_limbs = digits.size() / sizeof(Limb) + 1;
  const bool has_underscore = std::memchr(digits.data(), '_', digits.size()) != nullptr;
  TempLimbs clean(work, has_underscore ? clean_limbs : 0);
  if (!clean) return false;
  if (has_underscore) {
    char* const text = reinterpret_cast<char*>(clean.data());
    size_t size = 0;
    for (const char c : digits) {
      if (c != '_') text[size++] = c;
    }
    digits = {text, size};
  }
  while (!digits.empty() && digits[0] == '0') digits.remove_prefix(1);
  const BaseInfo info(base);
  if (digits.size() <= kFromTextThreshold * info.chunk) {
    *n = SmallFromDigits(out, digits.data(), digits.size(), info);
    return true;
  }
  PowerTable powers(work, info);
  return powers.Fill(digits.size()) &&
         LargeFromDigits(work, out, n, digits.data(), digits.size(), powers, powers.levels());
}

}  // namespace minivm
