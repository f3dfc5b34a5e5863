// Decimal numbers and the General Decimal Arithmetic operations on them, apart from Python's
// objects.
//
// Number owns its coefficient, View borrows one. An operation takes borrowed operands, a Settings
// (precision, exponent range, rounding) and ORs the conditions it meets into *status; whether a
// condition raises is the caller's business. Status of C++ is raised only for lack of memory or
// interruption. Results never share storage with operands.
#pragma once

#include <utility>

#include "runtime/support/text_buffer.h"
#include "stdlib/decimal/words.h"

namespace minivm::decimal {

enum class Kind : uint8_t { kFinite, kInfinite, kQuietNan, kSignalingNan };

// Conditions, in the order in which Context's repr names them. Those of kInvalidConditions are
// kinds of InvalidOperation.
enum Condition : uint32_t {
  kClamped = 1,
  kConversionSyntax = 2,
  kDivisionByZero = 4,
  kDivisionImpossible = 8,
  kDivisionUndefined = 0x10,
  kInexact = 0x40,
  kInvalidContext = 0x80,
  kInvalidOperation = 0x100,
  kFloatOperation = 0x200,
  kOverflow = 0x400,
  kRounded = 0x800,
  kSubnormal = 0x1000,
  kUnderflow = 0x2000,
};
inline constexpr uint32_t kInvalidConditions = kConversionSyntax | kDivisionImpossible |
                                               kDivisionUndefined | kInvalidContext |
                                               kInvalidOperation;

enum class Rounding : uint8_t {
  kUp,
  kDown,
  kCeiling,
  kFloor,
  kHalfUp,
  kHalfDown,
  kHalfEven,
  k05Up,
};
inline constexpr int kRoundingCount = 8;

inline constexpr int64_t kMaxPrec = 999999999999999999;
inline constexpr int64_t kMaxEmax = 999999999999999999;
inline constexpr int64_t kMinEmin = -999999999999999999;
inline constexpr int64_t kMinEtiny = kMinEmin - (kMaxPrec - 1);

struct Settings {
  int64_t prec = 28;
  int64_t emax = 999999;
  int64_t emin = -999999;
  Rounding rounding = Rounding::kHalfEven;
  bool clamp = false;
  bool capitals = true;

  int64_t etiny() const { return emin - (prec - 1); }
  int64_t etop() const { return emax - (prec - 1); }
};
// For exact conversions: the widest context there is.
Settings WidestSettings();

struct View {
  Span w;
  int64_t exp = 0;
  bool negative = false;
  Kind kind = Kind::kFinite;

  bool finite() const { return kind == Kind::kFinite; }
  bool infinite() const { return kind == Kind::kInfinite; }
  bool nan() const { return kind >= Kind::kQuietNan; }
  bool signaling() const { return kind == Kind::kSignalingNan; }
  bool zero() const { return finite() && w.size == 0; }
  uint64_t digits() const { return DigitCount(w); }
  // Exponent of the first digit. REQUIRES: finite
  int64_t adjusted() const { return exp + static_cast<int64_t>(digits()) - 1; }
  View Absolute() const {
    View v = *this;
    v.negative = false;
    return v;
  }
};

struct Number {
  Words w;
  int64_t exp = 0;
  bool negative = false;
  Kind kind = Kind::kFinite;

  explicit Number(ThreadState& ts) : w(ts) {}
  View view() const { return {Span(w), exp, negative, kind}; }
  void Set(Kind k, bool neg) {
    w.Truncate(0);
    exp = 0;
    negative = neg;
    kind = k;
  }
  Status Copy(ThreadState& ts, const View& v) {
    exp = v.exp;
    negative = v.negative;
    kind = v.kind;
    return w.Assign(ts, v.w.data, v.w.size);
  }
  Status SetWord(ThreadState& ts, Word word, int64_t exponent, bool neg) {
    Set(Kind::kFinite, neg);
    exp = exponent;
    return w.AssignWord(ts, word);
  }
  void Swap(Number& other) {
    w.Swap(other.w);
    std::swap(exp, other.exp);
    std::swap(negative, other.negative);
    std::swap(kind, other.kind);
  }
};

// ---- rounding (round.cpp) ----

// Must the quotient of a truncation be incremented?
bool RoundsAway(Rounding mode, bool negative, int last_digit, Dropped dropped);
// Makes *n fit the context: precision, exponent range, clamping, payload of NaNs.
Status Finalize(ThreadState& ts, Number* n, const Settings& c, uint32_t* status);
// Sets *n to a quiet NaN and the condition.
inline void SetInvalid(Number* n, uint32_t condition, uint32_t* status) {
  n->Set(Kind::kQuietNan, false);
  *status |= condition;
}
// NaN operands: true if one was a NaN, *out being the result.
Status PropagateNans(ThreadState& ts, Number* out, const View& a, const View* b, const Settings& c,
                     uint32_t* status, bool* done);
// Changes the exponent of a finite number, rounding away digits (conditions are the caller's).
Status Rescale(ThreadState& ts, Number* n, int64_t exp, Rounding mode, Dropped* dropped);
// The result of an operation whose exact value is not finite in digits: *n is truncated and holds
// more digits than will be kept; the last one is made to show that something follows.
Status MarkInexact(ThreadState& ts, Number* n);

// ---- arithmetic (arithmetic.cpp) ----

Status Add(ThreadState& ts, Number* out, const View& a, const View& b, bool subtract,
           const Settings& c, uint32_t* status);
Status Multiply(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                uint32_t* status);
Status Divide(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
              uint32_t* status);
// divmod; either result may be null.
Status DivMod(ThreadState& ts, Number* quotient, Number* remainder, const View& a, const View& b,
              const Settings& c, uint32_t* status);
Status DivideInteger(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                     uint32_t* status);
Status Remainder(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                 uint32_t* status);
Status RemainderNear(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                     uint32_t* status);
Status FusedMultiplyAdd(ThreadState& ts, Number* out, const View& a, const View& b,
                        const View& third, const Settings& c, uint32_t* status);
Status Plus(ThreadState& ts, Number* out, const View& a, bool minus, const Settings& c,
            uint32_t* status);
Status Absolute(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status SquareRoot(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);

// ---- comparison (compare.cpp) ----

// -1, 0, 1. REQUIRES: neither is a NaN
Result<int> CompareNumbers(ThreadState& ts, const View& a, const View& b);
Result<int> CompareTotal(ThreadState& ts, const View& a, const View& b);
Status CompareOperation(ThreadState& ts, Number* out, const View& a, const View& b, bool signal,
                        const Settings& c, uint32_t* status);
Status MinMax(ThreadState& ts, Number* out, const View& a, const View& b, bool max, bool magnitude,
              const Settings& c, uint32_t* status);
Status NextToward(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                  uint32_t* status);
// direction: +1 next_plus, -1 next_minus
Status NextAdjacent(ThreadState& ts, Number* out, const View& a, int direction, const Settings& c,
                    uint32_t* status);
const char* NumberClass(const View& a, const Settings& c);
bool IsNormal(const View& a, const Settings& c);
bool IsSubnormal(const View& a, const Settings& c);

// ---- digits and exponents (digits.cpp) ----

Status Quantize(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                uint32_t* status);
// Rounds to an integer; kInexact and kRounded only if `exact`.
Status ToIntegral(ThreadState& ts, Number* out, const View& a, bool exact, const Settings& c,
                  uint32_t* status);
Status Normalize(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status LogB(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status ScaleB(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
              uint32_t* status);
Status ShiftDigits(ThreadState& ts, Number* out, const View& a, const View& b, bool rotate,
                   const Settings& c, uint32_t* status);
enum class Logic : uint8_t { kAnd, kOr, kXor, kInvert };
Status Logical(ThreadState& ts, Number* out, const View& a, const View& b, Logic op,
               const Settings& c, uint32_t* status);
// The value if a is an integer that fits; false otherwise.
bool ToInt64(const View& a, int64_t* out);
bool IsIntegral(const View& a);
bool IsOddInteger(const View& a);  // REQUIRES: IsIntegral

// ---- functions (functions.cpp, power.cpp) ----

Status Exp(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status Ln(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status Log10(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* status);
Status Power(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
             uint32_t* status);
Status PowerModulo(ThreadState& ts, Number* out, const View& a, const View& b, const View& modulus,
                   const Settings& c, uint32_t* status);

// ---- text (text.cpp) ----

// Reads an ASCII number exactly; false: not a number. Exponents beyond 64 bits are clipped.
Result<bool> ParseNumber(ThreadState& ts, Number* out, const char* text, size_t n);
// Appends to-scientific-string, or to-engineering-string.
Status NumberToText(ThreadState& ts, const View& a, bool engineering, bool capitals,
                    TextBuffer* out);

}  // namespace minivm::decimal
