// Arithmetic on non-negative integers of any size ("magnitudes").
//
// A magnitude is a span of 64-bit limbs, least significant first. It is
// normalised when its top limb is not zero; zero has no limbs. Every input must
// be normalised unless the function says otherwise, and every function returns
// the normalised size of its result. Signs are the caller's business, except
// where two's complement is meant.
//
// Results go to buffers of the caller, whose sizes are stated per function, so
// that an int object can be allocated (and a memory cap checked) beforehand.
// Nothing throws. Long computations take a BigWork: it supplies temporary
// memory, which may be refused, and is polled about every millisecond, which
// may ask to stop. Such functions return false then; work.status() says which.
//
// The parts: big_int.cpp (linear work), big_int_mul.cpp and big_int_ntt.cpp
// (products), big_int_div.cpp (quotients), big_int_text.cpp (digits),
// big_int_number.cpp (gcd, roots), big_int_modular.cpp (modular powers),
// big_int_float.cpp (doubles).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace minivm {

using Limb = uint64_t;
inline constexpr unsigned kLimbBits = 64;

enum class BigStatus : uint8_t {
  kOk,
  kNoMemory,     // the allocator refused
  kInterrupted,  // the poll callback returned false
};

// Temporary memory and interruption for long computations. The default takes
// memory from malloc and is never interrupted. Not thread-safe; make one per
// operation, or reuse it after ClearStatus().
class BigWork {
 public:
  // Returns `bytes` bytes aligned to 16, or nullptr. `free` gets the same size back.
  using AllocateFn = void* (*)(void* host, size_t bytes);
  using FreeFn = void (*)(void* host, void* block, size_t bytes);
  // Returns false to abandon the computation.
  using PollFn = bool (*)(void* host);

  BigWork();
  BigWork(void* host, AllocateFn allocate, FreeFn free, PollFn poll)
      : host_(host), allocate_(allocate), free_(free), poll_(poll) {}
  BigWork(const BigWork&) = delete;
  BigWork& operator=(const BigWork&) = delete;

  BigStatus status() const { return status_; }
  void ClearStatus() { status_ = BigStatus::kOk; }

  // Accounts for about `limb_steps` limb multiplications; polls when a millisecond's worth has
  // gathered. False = stop.
  bool Tick(size_t limb_steps) {
    spent_ += limb_steps;
    return spent_ < kPollSteps || Poll();
  }

  // Room for `count` limbs, or nullptr with status() set.
  Limb* Allocate(size_t count);
  void Free(Limb* limbs, size_t count);

 private:
  static constexpr size_t kPollSteps = size_t{1} << 20;
  bool Poll();

  void* host_;
  AllocateFn allocate_;
  FreeFn free_;
  PollFn poll_;
  size_t spent_ = 0;
  BigStatus status_ = BigStatus::kOk;
};

// --- Linear operations ---------------------------------------------------------------------

// `size` without leading zero limbs.
inline size_t NormalizedSize(const Limb* a, size_t size) {
  while (size > 0 && a[size - 1] == 0) --size;
  return size;
}

// Negative, zero or positive as a <, =, > b.
int CompareMag(const Limb* a, size_t na, const Limb* b, size_t nb);

// out = a + b. Room for max(na, nb) + 1 limbs; out may be a or b.
size_t AddMag(Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb);

// out = a - b. REQUIRES: a >= b. Room for na limbs; out may be a or b.
size_t SubMag(Limb* out, const Limb* a, size_t na, const Limb* b, size_t nb);

// out = |a - b|; *negative = a < b. Room for max(na, nb) limbs; out may be a or b.
size_t SubMagSigned(Limb* out, bool* negative, const Limb* a, size_t na, const Limb* b, size_t nb);

// out = a * b + add. Room for na + 1 limbs; out may be a.
size_t MulAddLimb(Limb* out, const Limb* a, size_t na, Limb b, Limb add);

// out = a / divisor; returns the remainder; *nq = size of the quotient. REQUIRES: divisor != 0.
// Room for na limbs; out may be a, or null when only the remainder is wanted (then nq may be too).
Limb DivModLimb(Limb* out, size_t* nq, const Limb* a, size_t na, Limb divisor);

// Number of bits: 0 for zero, else floor(log2 a) + 1.
inline uint64_t BitLength(const Limb* a, size_t na) {
  return na == 0 ? 0 : uint64_t{na} * kLimbBits - static_cast<unsigned>(__builtin_clzll(a[na - 1]));
}
uint64_t PopCount(const Limb* a, size_t na);
// Number of low zero bits. REQUIRES: a != 0.
uint64_t TrailingZeros(const Limb* a, size_t na);

// out = a << bits. Room for na + bits / 64 + 1 limbs; out may be a.
size_t ShiftLeftMag(Limb* out, const Limb* a, size_t na, uint64_t bits);
// out = a >> bits (bits lost). Room for na limbs less bits / 64, at least 0; out may be a.
size_t ShiftRightMag(Limb* out, const Limb* a, size_t na, uint64_t bits);
// out = |floor(+-a / 2**bits)|, the sign staying as it is (a negative number shifted out is -1).
// Room for max(na - bits / 64, 0) + 1 limbs; out may be a.
size_t ShiftRightFloor(Limb* out, const Limb* a, size_t na, bool negative, uint64_t bits);

enum class BitOp : uint8_t { kAnd, kOr, kXor };
// out = a op b on infinite two's complement. Room for max(na, nb) + 1 limbs; out may be a or b.
size_t BitwiseMag(BitOp op, Limb* out, bool* out_negative, const Limb* a, size_t na,
                  bool a_negative, const Limb* b, size_t nb, bool b_negative);

// --- Bytes ---------------------------------------------------------------------------------

// Writes the integer as `size` bytes. False: it does not fit (or is negative and !is_signed).
bool MagToBytes(uint8_t* out, size_t size, bool little_endian, bool is_signed, const Limb* a,
                size_t na, bool negative);

// Limbs that MagFromBytes may write.
inline size_t MagFromBytesSize(size_t size) { return size / sizeof(Limb) + 1; }
size_t MagFromBytes(Limb* out, bool* negative, const uint8_t* bytes, size_t size,
                    bool little_endian, bool is_signed);

// --- Products (big_int_mul.cpp, big_int_ntt.cpp) --------------------------------------------

// out = a * b. Room for na + nb limbs, not overlapping a or b. a may be b (then it is squared).
// Schoolbook, Karatsuba, Toom-3, number-theoretic transform by size; below kMulNoScratch limbs
// in the smaller operand it needs no memory, does not poll and cannot fail.
inline constexpr size_t kMulNoScratch = 24;
[[nodiscard]] bool MulMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na,
                          const Limb* b, size_t nb);

// out = a * a. Room for 2 * na limbs, not overlapping a.
[[nodiscard]] bool SquareMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na);

// Upper bound on the limbs of a ** exponent (and the room PowMag needs); SIZE_MAX when it would
// not fit in memory.
size_t PowMagSize(const Limb* a, size_t na, uint64_t exponent);
[[nodiscard]] bool PowMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na,
                          uint64_t exponent);

// out = first * (first + step) * ... , `count` factors, by balanced products (factorials, comb).
// Room for `count` limbs. REQUIRES: no factor exceeds 64 bits or is 0; 0 factors give 1, count >= 1
// limb of room then.
[[nodiscard]] bool ProductOfRange(BigWork& work, Limb* out, size_t* n, Limb first, Limb step,
                                  uint64_t count);

// --- Quotients (big_int_div.cpp) -------------------------------------------------------------

// q = a / b, r = a % b, truncated. REQUIRES: b != 0. Either output may be null (with its size).
// Room: q max(na - nb + 1, 0) limbs, r min(na, nb) limbs; no overlap with a, b or each other.
[[nodiscard]] bool DivModMag(BigWork& work, Limb* q, size_t* nq, Limb* r, size_t* nr, const Limb* a,
                             size_t na, const Limb* b, size_t nb);

// --- Text (big_int_text.cpp) -----------------------------------------------------------------

// Upper bound on the digits of a in `base` (exact for powers of two); 1 for zero.
// Never below the true count; for other bases at most 2 above it plus one part in 10^9.
size_t MagDigitsBound(const Limb* a, size_t na, int base);

// Writes the digits (lower case, no sign, no prefix, at least one) from out[0] on; *length gets
// their number. Room for MagDigitsBound. REQUIRES: 2 <= base <= 36.
[[nodiscard]] bool MagToText(BigWork& work, char* out, size_t* length, const Limb* a, size_t na,
                             int base);

// An integer literal taken apart, as int(text, base) reads it.
struct IntText {
  bool negative = false;
  int base = 10;
  std::string_view digits;  // without sign and prefix; may contain single underscores
  size_t digit_count = 0;   // without underscores
};

// Reads text per int()'s grammar for ASCII: sign, prefix (base 0, 2, 8, 16), digits with single
// underscores between. Surrounding whitespace must be gone already. False: not an integer.
// REQUIRES: base == 0 or 2 <= base <= 36.
bool ScanIntText(std::string_view text, int base, IntText* out);

// Limbs that MagFromText may write.
size_t MagFromTextSize(size_t digit_count, int base);
// Value of digits in `base`; underscores are skipped. REQUIRES: digits as ScanIntText leaves them.
[[nodiscard]] bool MagFromText(BigWork& work, Limb* out, size_t* n, std::string_view digits,
                               int base);

// Same for digits that fit: value of `digits` (non-empty, underscores allowed) when it is below
// 2**63; false when it does not fit. For the common short literal.
bool SmallFromText(std::string_view digits, int base, int64_t* out);

// --- Number theory (big_int_number.cpp, big_int_modular.cpp)
// -------------------------------------------------------

// out = gcd(a, b); gcd(0, 0) = 0. Room for max(na, nb) limbs, not overlapping the inputs.
[[nodiscard]] bool GcdMag(BigWork& work, Limb* out, size_t* n, const Limb* a, size_t na,
                          const Limb* b, size_t nb);
uint64_t Gcd64(uint64_t a, uint64_t b);

// out = base ** exponent mod modulus, in [0, modulus). Room for nm limbs, no overlap.
// REQUIRES: modulus != 0.
[[nodiscard]] bool ModPowMag(BigWork& work, Limb* out, size_t* n, const Limb* base, size_t nb,
                             const Limb* exponent, size_t ne, const Limb* modulus, size_t nm);

// out = the inverse of a modulo modulus, in [0, modulus); *exists = false if there is none.
// Room for nm + 1 limbs, no overlap. REQUIRES: modulus != 0.
[[nodiscard]] bool ModInverseMag(BigWork& work, Limb* out, size_t* n, bool* exists, const Limb* a,
                                 size_t na, const Limb* modulus, size_t nm);

// out = floor(sqrt(a)). Room for (na + 1) / 2 limbs, no overlap. If exact is not null, it
// says whether a is a perfect square.
[[nodiscard]] bool IntegerSqrtMag(BigWork& work, Limb* out, size_t* n, bool* exact, const Limb* a,
                                  size_t na);
uint64_t IntegerSqrt64(uint64_t a);

// --- Doubles (big_int_float.cpp) --------------------------------------------------------------

// The nearest double, ties to even; infinity if it is too large.
double MagToDouble(const Limb* a, size_t na);
// a = result * 2 ** *exponent with 0.5 <= result < 1, correctly rounded; 0 for zero.
double MagFrexp(const Limb* a, size_t na, int64_t* exponent);

// |trunc(value)|. REQUIRES: value is finite. Room for kDoubleLimbs limbs.
inline constexpr size_t kDoubleLimbs = 16;
size_t MagFromDouble(Limb* out, double value);

// Compares the signed integer +-a with value exactly: -1, 0 or 1; 2 if value is NaN.
int CompareMagDouble(const Limb* a, size_t na, bool negative, double value);

// *out = a / b, correctly rounded (half even); infinity if too large. REQUIRES: b != 0.
[[nodiscard]] bool TrueDivideMag(BigWork& work, double* out, const Limb* a, size_t na,
                                 const Limb* b, size_t nb);

}  // namespace minivm
