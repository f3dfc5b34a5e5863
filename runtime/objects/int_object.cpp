// int: construction, conversion and arithmetic. Methods and the type are in int_methods.cpp.
//
// Results are computed into an IntObject of the largest possible size, then made canonical: inline
// if they fit, otherwise the object with its true limb count.
#include "runtime/objects/int_object.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_work.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

// No int is larger than this (2**31 bits): beyond it arithmetic would run for minutes before it
// failed.
constexpr size_t kMaxLimbs = size_t{1} << 25;

Result<IntObject> NewLimbs(ThreadState& ts, size_t limbs) {
  if (limbs > kMaxLimbs) return RaiseMemoryError(ts);
  return AllocObject<IntObject>(ts, ShapeIdOf(TypeId::kInt),
                                sizeof(IntObject) + (limbs == 0 ? 1 : limbs) * 8, false);
}

// The canonical int of a computed object, which is consumed.
Result<> Canonical(Ref<IntObject> o, size_t n, bool negative) {
  if (n == 0) return Small(0);
  if (n == 1) {
    uint64_t m = o->limbs()[0];
    if (!negative && m <= static_cast<uint64_t>(Value::kMaxInt))
      return Small(static_cast<int64_t>(m));
    if (negative && m <= static_cast<uint64_t>(Value::kMaxInt) + 1)
      return Small(static_cast<int64_t>(-m));
  }
  o->aux = static_cast<uint32_t>(n << 1 | negative);
  return o;
}

Result<> AddSigned(ThreadState& ts, const IntView& a, const IntView& b, bool b_negative) {
  size_t room = (a.size() > b.size() ? a.size() : b.size()) + 1;
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, room));
  if (a.negative() == b_negative) {
    size_t n = AddMag(o->limbs(), a.limbs(), a.size(), b.limbs(), b.size());
    return Canonical(std::move(o), n, a.negative());
  }
  bool less = false;
  size_t n = SubMagSigned(o->limbs(), &less, a.limbs(), a.size(), b.limbs(), b.size());
  return Canonical(std::move(o), n, a.negative() != less);
}

Result<> Bitwise(ThreadState& ts, BitOp op, Value a, Value b) {
  IntView x(a), y(b);
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, (x.size() > y.size() ? x.size() : y.size()) + 1));
  bool negative = false;
  size_t n = BitwiseMag(op, o->limbs(), &negative, x.limbs(), x.size(), x.negative(), y.limbs(),
                        y.size(), y.negative());
  return Canonical(std::move(o), n, negative);
}

// q = floor(a / b), r = a - q * b. Either may be null.
Status FloorDivMod(ThreadState& ts, Value a, Value b, Ref<>* q, Ref<>* r,
                   const char* zero_message) {
  IntView x(a), y(b);
  if (y.size() == 0) return Raise(ts, Exc::kZeroDivisionError, "%s", zero_message);
  size_t nq_room = x.size() >= y.size() ? x.size() - y.size() + 2 : 2;
  MVM_TRY(Ref<IntObject> qo, NewLimbs(ts, nq_room));
  MVM_TRY(Ref<IntObject> ro, NewLimbs(ts, y.size() + 1));
  size_t nq = 0, nr = 0;
  if (CompareMag(x.limbs(), x.size(), y.limbs(), y.size()) < 0) {
    std::memcpy(ro->limbs(), x.limbs(), x.size() * 8);
    nr = x.size();
  } else {
    IntWork work(ts);
    if (!DivModMag(work, qo->limbs(), &nq, ro->limbs(), &nr, x.limbs(), x.size(), y.limbs(),
                   y.size())) {
      return work.Raise();
    }
  }
  bool q_negative = x.negative() != y.negative();
  bool r_negative = x.negative();
  if (nr != 0 && q_negative) {
    // Truncated towards zero so far: one step down.
    Limb one = 1;
    nq = AddMag(qo->limbs(), qo->limbs(), nq, &one, 1);
    bool less = false;
    nr = SubMagSigned(ro->limbs(), &less, y.limbs(), y.size(), ro->limbs(), nr);
    r_negative = y.negative();
  }
  if (q != nullptr) {
    MVM_TRY(*q, Canonical(std::move(qo), nq, q_negative && nq != 0));
  }
  if (r != nullptr) {
    MVM_TRY(*r, Canonical(std::move(ro), nr, r_negative && nr != 0));
  }
  return Ok();
}

}  // namespace

IntView::IntView(Value v) {
  if (v.is_int()) {
    int64_t i = v.as_int();
    negative_ = i < 0;
    small_ = negative_ ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
    limbs_ = &small_;
    size_ = i != 0;
  } else {
    IntObject* o = v.as<IntObject>();
    small_ = 0;
    limbs_ = o->limbs();
    size_ = o->limb_count();
    negative_ = o->negative();
  }
}

Result<> NewInt(ThreadState& ts, int64_t i) {
  if (MVM_LIKELY(Value::FitsInt(i))) return Small(i);
  Limb m = i < 0 ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
  return NewIntFromLimbs(ts, &m, 1, i < 0);
}
Result<> NewIntU64(ThreadState& ts, uint64_t u) {
  if (MVM_LIKELY(u <= static_cast<uint64_t>(Value::kMaxInt))) return Small(static_cast<int64_t>(u));
  return NewIntFromLimbs(ts, &u, 1, false);
}
Result<> NewIntFromLimbs(ThreadState& ts, const uint64_t* limbs, size_t n, bool negative) {
  n = NormalizedSize(limbs, n);
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, n));
  std::memcpy(o->limbs(), limbs, n * 8);
  return Canonical(std::move(o), n, negative);
}
Result<> NewIntFromDouble(ThreadState& ts, double d) {
  if (std::isnan(d)) return Raise(ts, Exc::kValueError, "cannot convert float NaN to integer");
  if (std::isinf(d))
    return Raise(ts, Exc::kOverflowError, "cannot convert float infinity to integer");
  if (std::fabs(d) < 2e18) return Small(static_cast<int64_t>(d));
  Limb limbs[kDoubleLimbs];
  size_t n = MagFromDouble(limbs, d);
  return NewIntFromLimbs(ts, limbs, n, d < 0);
}

Result<> IntFromText(ThreadState& ts, std::string_view text, int base) {
  IntText scanned;
  if (!ScanIntText(text, base, &scanned)) return Raise(ts, Exc::kValueError, "invalid literal");
  int64_t small;
  if (scanned.digit_count <= 18 && SmallFromText(scanned.digits, scanned.base, &small)) {
    return NewInt(ts, scanned.negative ? -small : small);
  }
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, MagFromTextSize(scanned.digit_count, scanned.base)));
  IntWork work(ts);
  size_t n = 0;
  if (!MagFromText(work, o->limbs(), &n, scanned.digits, scanned.base)) return work.Raise();
  return Canonical(std::move(o), n, scanned.negative);
}

bool IntFitsInt64(Value v, int64_t* out) {
  if (v.is_int()) {
    *out = v.as_int();
    return true;
  }
  IntView x(v);
  if (x.size() == 0) {
    *out = 0;
    return true;
  }
  if (x.size() > 1) return false;
  uint64_t m = x.limbs()[0];
  if (x.negative() ? m > (uint64_t{1} << 63) : m >= (uint64_t{1} << 63)) return false;
  *out = static_cast<int64_t>(x.negative() ? -m : m);
  return true;
}
bool IntFitsUint64(Value v, uint64_t* out) {
  IntView x(v);
  if (x.size() > 1 || (x.negative() && x.size() > 0)) return false;
  *out = x.size() == 0 ? 0 : x.limbs()[0];
  return true;
}
uint64_t IntLowBits(Value v) {
  IntView x(v);
  uint64_t m = x.size() == 0 ? 0 : x.limbs()[0];
  return x.negative() ? -m : m;
}
int IntSign(Value v) {
  if (v.is_int()) return (v.as_int() > 0) - (v.as_int() < 0);
  IntObject* o = v.as<IntObject>();
  return o->limb_count() == 0 ? 0 : o->negative() ? -1 : 1;
}
Result<double> IntToDouble(ThreadState& ts, Value v) {
  if (v.is_int()) return static_cast<double>(v.as_int());
  IntView x(v);
  double d = MagToDouble(x.limbs(), x.size());
  if (std::isinf(d)) return Raise(ts, Exc::kOverflowError, "int too large to convert to float");
  return x.negative() ? -d : d;
}

namespace {

constexpr uint64_t kPowersOfTen[] = {1,
                                     10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000,
                                     100000000000,
                                     1000000000000,
                                     10000000000000,
                                     100000000000000,
                                     1000000000000000,
                                     10000000000000000,
                                     100000000000000000,
                                     1000000000000000000,
                                     10000000000000000000u};

// Digits go straight into the string, whose length is found first.
Result<StrObject> InlineIntToStr(ThreadState& ts, int64_t i) {
  if (static_cast<uint64_t>(i) < 10) return StrFromChar(ts, static_cast<char32_t>('0' + i));
  uint64_t m = i < 0 ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
  // log10 from log2, which is at most one too small.
  size_t n = static_cast<size_t>(std::bit_width(m)) * 1233 >> 12;
  n += m >= kPowersOfTen[n];
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n + (i < 0), 0x7F));
  *s->data1() = '-';
  uint8_t* const begin = s->data1() + (i < 0);
  uint8_t* p = begin + n;
  while (m > UINT32_MAX) {
    *--p = static_cast<uint8_t>('0' + m % 10);
    m /= 10;
  }
  uint32_t rest = static_cast<uint32_t>(m);
  while (p - begin >= 2) {  // two digits for each division
    const uint32_t pair = rest % 100;
    rest /= 100;
    const uint32_t tens = pair * 103 >> 10;
    *--p = static_cast<uint8_t>('0' + (pair - tens * 10));
    *--p = static_cast<uint8_t>('0' + tens);
  }
  if (p > begin) *begin = static_cast<uint8_t>('0' + rest);
  return s;
}

}  // namespace

Result<StrObject> IntToStr(ThreadState& ts, Value v, int base, bool prefix) {
  if (v.is_int() && base == 10) return InlineIntToStr(ts, v.as_int());
  bool power_of_two = (base & (base - 1)) == 0;
  if (v.is_int() && power_of_two && base <= 16) {
    const int64_t i = v.as_int();
    uint64_t m = i < 0 ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
    uint8_t small[72];
    uint8_t* const end = small + sizeof small;
    uint8_t* p = end;
    do {
      *--p = static_cast<uint8_t>("0123456789abcdef"[m & static_cast<unsigned>(base - 1)]);
      m >>= std::countr_zero(static_cast<unsigned>(base));
    } while (m != 0);
    if (prefix) {
      *--p = base == 2 ? 'b' : base == 8 ? 'o' : 'x';
      *--p = '0';
    }
    if (i < 0) *--p = '-';
    return NewStrFromUcs1(ts, p, static_cast<size_t>(end - p));
  }
  IntView x(v);
  size_t digits = MagDigitsBound(x.limbs(), x.size(), base);
  int limit = ts.rt->int_max_str_digits;
  if (!power_of_two && limit > 0 && x.size() > 26 && digits > static_cast<size_t>(limit) + 2) {
    return Raise(ts, Exc::kValueError,
                 "Exceeds the limit (%d digits) for integer string conversion; use "
                 "sys.set_int_max_str_digits() to increase the limit",
                 limit);
  }
  size_t head = (x.negative() ? 1 : 0) + (prefix && base != 10 ? 2 : 0);
  size_t room = digits + head;
  Result<void*> block = AllocBuffer(ts, room);
  if (block.raised()) return kRaised;
  char* text = static_cast<char*>(block.Take());
  char* p = text;
  if (x.negative()) *p++ = '-';
  if (prefix && base != 10) {
    *p++ = '0';
    *p++ = base == 2 ? 'b' : base == 8 ? 'o' : 'x';
  }
  IntWork work(ts);
  size_t length = 0;
  if (!MagToText(work, p, &length, x.limbs(), x.size(), base)) {
    ts.heap().FreeBuffer(text, room);
    return work.Raise();
  }
  if (!power_of_two && limit > 0 && length > static_cast<size_t>(limit)) {
    ts.heap().FreeBuffer(text, room);
    return Raise(ts, Exc::kValueError,
                 "Exceeds the limit (%d digits) for integer string conversion; use "
                 "sys.set_int_max_str_digits() to increase the limit",
                 limit);
  }
  Result<StrObject> s = NewStrFromUcs1(ts, reinterpret_cast<uint8_t*>(text), head + length);
  ts.heap().FreeBuffer(text, room);
  return s;
}

int64_t IntHash(Value v) {
  if (v.is_int()) return HashInt64(v.as_int());
  IntView x(v);
  return HashMag(x.limbs(), x.size(), x.negative());
}
bool IntEquals(Value a, Value b) { return IntCompare(a, b) == 0; }
int IntCompare(Value a, Value b) {
  if (Value::BothInt(a, b)) return (a.as_int() > b.as_int()) - (a.as_int() < b.as_int());
  IntView x(a), y(b);
  bool xn = x.negative() && x.size() > 0, yn = y.negative() && y.size() > 0;
  if (xn != yn) return xn ? -1 : 1;
  int c = CompareMag(x.limbs(), x.size(), y.limbs(), y.size());
  return xn ? -c : c;
}
Result<> IntExact(ThreadState& ts, Value v) {
  if (v.is_int() || IsExact(v, TypeId::kInt)) return Result<>::Borrow(v);
  IntObject* o = v.as<IntObject>();
  return NewIntFromLimbs(ts, o->limbs(), o->limb_count(), o->negative());
}

Result<> IntAdd(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) return NewInt(ts, a.as_int() + b.as_int());
  IntView x(a), y(b);
  return AddSigned(ts, x, y, y.negative());
}
Result<> IntSub(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) return NewInt(ts, a.as_int() - b.as_int());
  IntView x(a), y(b);
  return AddSigned(ts, x, y, !y.negative());
}
Result<> IntMul(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) {
    int64_t r;
    if (!__builtin_mul_overflow(a.as_int(), b.as_int(), &r)) return NewInt(ts, r);
  }
  IntView x(a), y(b);
  if (x.size() == 0 || y.size() == 0) return Small(0);
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, x.size() + y.size()));
  IntWork work(ts);
  size_t n = 0;
  if (!MulMag(work, o->limbs(), &n, x.limbs(), x.size(), y.limbs(), y.size())) return work.Raise();
  return Canonical(std::move(o), n, x.negative() != y.negative());
}
Result<> IntFloorDiv(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b) && b.as_int() != 0) {
    int64_t x = a.as_int(), y = b.as_int(), q = x / y;
    return NewInt(ts, q - ((x % y != 0) & ((x ^ y) < 0)));
  }
  Ref<> q;
  MVM_TRY_VOID(FloorDivMod(ts, a, b, &q, nullptr, "integer division or modulo by zero"));
  return q;
}
Result<> IntMod(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b) && b.as_int() != 0) {
    int64_t x = a.as_int(), y = b.as_int(), r = x % y;
    return Small(r != 0 && ((r ^ y) < 0) ? r + y : r);
  }
  IntView x(a);
  if (b.is_int() && b.as_int() != 0 && x.size() <= 64) {  // no quotient to be held or waited for
    const int64_t y = b.as_int();
    const uint64_t m = y < 0 ? -static_cast<uint64_t>(y) : static_cast<uint64_t>(y);
    uint64_t rest = 0;
    for (size_t i = x.size(); i-- > 0;) {
      rest = static_cast<uint64_t>((static_cast<unsigned __int128>(rest) << 64 | x.limbs()[i]) % m);
    }
    if (rest != 0 && x.negative() != (y < 0)) rest = m - rest;
    return Small(y < 0 ? -static_cast<int64_t>(rest) : static_cast<int64_t>(rest));
  }
  Ref<> r;
  MVM_TRY_VOID(FloorDivMod(ts, a, b, nullptr, &r, "integer modulo by zero"));
  return r;
}
Status IntDivmod(ThreadState& ts, Value a, Value b, Ref<>* quotient, Ref<>* remainder) {
  if (Value::BothInt(a, b) && b.as_int() != 0) {
    MVM_TRY(*quotient, IntFloorDiv(ts, a, b));
    MVM_TRY(*remainder, IntMod(ts, a, b));
    return Ok();
  }
  return FloorDivMod(ts, a, b, quotient, remainder, "integer division or modulo by zero");
}
Result<> IntTrueDiv(ThreadState& ts, Value a, Value b) {
  if (Value::BothInt(a, b)) {
    int64_t x = a.as_int(), y = b.as_int();
    constexpr int64_t kExact = int64_t{1} << 53;
    if (y != 0 && x >= -kExact && x <= kExact && y >= -kExact && y <= kExact) {
      return NewFloat(ts, static_cast<double>(x) / static_cast<double>(y));
    }
  }
  IntView x(a), y(b);
  if (y.size() == 0) return Raise(ts, Exc::kZeroDivisionError, "division by zero");
  double d = 0;
  IntWork work(ts);
  if (!TrueDivideMag(work, &d, x.limbs(), x.size(), y.limbs(), y.size())) return work.Raise();
  if (std::isinf(d))
    return Raise(ts, Exc::kOverflowError, "integer division result too large for a float");
  return NewFloat(ts, x.negative() != y.negative() ? -d : d);
}

Result<> IntPow(ThreadState& ts, Value a, Value b, Value modulus) {
  if (!IsNone(ts, modulus)) {
    IntView m(modulus);
    if (m.size() == 0) return Raise(ts, Exc::kValueError, "pow() 3rd argument cannot be 0");
    Ref<> base = Ref<>::Borrow(a), exponent = Ref<>::Borrow(b);
    IntWork work(ts);
    // Everything below works on the residue in [0, |m|).
    MVM_TRY(Ref<IntObject> abs_m, NewLimbs(ts, m.size()));
    std::memcpy(abs_m->limbs(), m.limbs(), m.size() * 8);
    Ref<> positive_m;
    MVM_TRY(positive_m, NewIntFromLimbs(ts, m.limbs(), m.size(), false));
    MVM_TRY(base, IntMod(ts, base, positive_m));
    if (IntSign(b) < 0) {
      MVM_TRY(exponent, IntNeg(ts, b));
      IntView x(base);
      MVM_TRY(Ref<IntObject> o, NewLimbs(ts, m.size() + 1));
      size_t n = 0;
      bool exists = false;
      if (!ModInverseMag(work, o->limbs(), &n, &exists, x.limbs(), x.size(), m.limbs(), m.size()))
        return work.Raise();
      if (!exists)
        return Raise(ts, Exc::kValueError, "base is not invertible for the given modulus");
      MVM_TRY(base, Canonical(std::move(o), n, false));
    }
    IntView x(base), e(exponent);
    MVM_TRY(Ref<IntObject> o, NewLimbs(ts, m.size()));
    size_t n = 0;
    if (!ModPowMag(work, o->limbs(), &n, x.limbs(), x.size(), e.limbs(), e.size(), m.limbs(),
                   m.size())) {
      return work.Raise();
    }
    MVM_TRY(Ref<> r, Canonical(std::move(o), n, false));
    if (m.negative() && IntSign(r) != 0) return IntAdd(ts, r, modulus);
    return r;
  }
  if (IntSign(b) < 0) {
    // A float, as CPython has it.
    if (IntSign(a) == 0)
      return Raise(ts, Exc::kZeroDivisionError, "0.0 cannot be raised to a negative power");
    MVM_TRY(double x, IntToDouble(ts, a));
    MVM_TRY(double y, IntToDouble(ts, b));
    return NewFloat(ts, std::pow(x, y));
  }
  uint64_t exponent = 0;
  bool small_exponent = IntFitsUint64(b, &exponent);
  if (a.is_int()) {
    int64_t base = a.as_int();
    if (base == 0 || base == 1) return Small(small_exponent && exponent == 0 ? 1 : base);
    if (base == -1) return Small(IntLowBits(b) & 1 ? -1 : 1);
    if (small_exponent && exponent < 64) {
      int64_t r = 1;
      bool overflow = false;
      for (uint64_t i = 0; i < exponent && !overflow; ++i)
        overflow = __builtin_mul_overflow(r, base, &r);
      if (!overflow) return NewInt(ts, r);
    }
  }
  if (!small_exponent) return RaiseMemoryError(ts);
  IntView x(a);
  size_t room = PowMagSize(x.limbs(), x.size(), exponent);
  if (room > kMaxLimbs) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, room * 16));
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, room));
  IntWork work(ts);
  size_t n = 0;
  if (!PowMag(work, o->limbs(), &n, x.limbs(), x.size(), exponent)) return work.Raise();
  return Canonical(std::move(o), n, x.negative() && (exponent & 1));
}

Result<> IntLshift(ThreadState& ts, Value a, Value b) {
  if (IntSign(b) < 0) return Raise(ts, Exc::kValueError, "negative shift count");
  if (IntSign(a) == 0) return Small(0);
  uint64_t shift;
  if (!IntFitsUint64(b, &shift) || shift > kMaxLimbs * 64) {
    if (b.is_int()) return RaiseMemoryError(ts);
    return Raise(ts, Exc::kOverflowError, "too many digits in integer");
  }
  IntView x(a);
  size_t room = x.size() + shift / 64 + 1;
  MVM_TRY_VOID(CheckRoom(ts, room * 8));
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, room));
  size_t n = ShiftLeftMag(o->limbs(), x.limbs(), x.size(), shift);
  return Canonical(std::move(o), n, x.negative());
}
Result<> IntRshift(ThreadState& ts, Value a, Value b) {
  if (IntSign(b) < 0) return Raise(ts, Exc::kValueError, "negative shift count");
  uint64_t shift;
  if (!IntFitsUint64(b, &shift)) return Small(IntSign(a) < 0 ? -1 : 0);
  if (a.is_int()) return Small(a.as_int() >> (shift > 63 ? 63 : shift));
  IntView x(a);
  size_t gone = shift / 64;
  MVM_TRY(Ref<IntObject> o, NewLimbs(ts, (x.size() > gone ? x.size() - gone : 0) + 1));
  size_t n = ShiftRightFloor(o->limbs(), x.limbs(), x.size(), x.negative(), shift);
  return Canonical(std::move(o), n, x.negative());
}
Result<> IntAnd(ThreadState& ts, Value a, Value b) { return Bitwise(ts, BitOp::kAnd, a, b); }
Result<> IntOr(ThreadState& ts, Value a, Value b) { return Bitwise(ts, BitOp::kOr, a, b); }
Result<> IntXor(ThreadState& ts, Value a, Value b) { return Bitwise(ts, BitOp::kXor, a, b); }
Result<> IntNeg(ThreadState& ts, Value a) {
  if (a.is_int()) return NewInt(ts, -a.as_int());
  IntView x(a);
  return NewIntFromLimbs(ts, x.limbs(), x.size(), !x.negative());
}

}  // namespace minivm
