// Comparing and hashing Decimals with numbers of every type.
#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "stdlib/decimal/decimal_object.h"

namespace minivm::decimal {

namespace {

// x * y modulo 2**61 - 1.
uint64_t MulMod(uint64_t x, uint64_t y) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(x) * y % kHashModulus);
}
uint64_t PowMod(uint64_t base, uint64_t n) {
  uint64_t r = 1;
  for (; n > 0; n >>= 1, base = MulMod(base, base)) {
    if (n & 1) r = MulMod(r, base);
  }
  return r;
}

// What the other operand of a comparison became.
enum class Other : uint8_t { kNumber, kUnknown };

Result<bool> IsRational(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> numbers, ts.rt->hooks.import_module(ts, "numbers"));
  MVM_TRY(Ref<> rational, GetAttr(ts, numbers, std::string_view("Rational")));
  return IsInstanceOf(ts, v, rational);
}

// Loads v into *other; a rational number's denominator is multiplied into *mine instead.
Result<Other> LoadOther(ThreadState& ts, Number* mine, Number* other, Value v, CompareOp op,
                        ContextObject* context) {
  const bool equality = op == CompareOp::kEq || op == CompareOp::kNe;
  if (IsDecimal(ts, v)) {
    MVM_TRY_VOID(other->Copy(ts, ViewOf(v)));
    return Other::kNumber;
  }
  if (IsInt(ts, v)) {
    MVM_TRY_VOID(NumberFromInt(ts, other, v));
    return Other::kNumber;
  }
  double d = 0;
  bool is_float = IsFloat(ts, v);
  if (is_float) d = FloatValue(v);
  if (!is_float && equality && HasTypeFlag(ts, v, kTypeComplexSubclass)) {
    ComplexObject* z = v.as<ComplexObject>();
    if (z->imag == 0) {
      is_float = true;
      d = z->real;
    } else {
      return Other::kUnknown;
    }
  }
  if (is_float) {
    if (equality) {
      context->flags |= kFloatOperation;  // never raises: floats may be equal
    } else {
      MVM_TRY_VOID(ReportStatus(ts, context, kFloatOperation));
    }
    MVM_TRY_VOID(NumberFromDouble(ts, other, d));
    return Other::kNumber;
  }
  MVM_TRY(bool rational, IsRational(ts, v));
  if (!rational) return Other::kUnknown;
  MVM_TRY(Ref<> numerator, GetAttr(ts, v, MVM_NAME(ts, numerator)));
  MVM_TRY(Ref<> denominator, GetAttr(ts, v, MVM_NAME(ts, denominator)));
  if (!IsInt(ts, numerator) || !IsInt(ts, denominator))
    return Raise(ts, Exc::kTypeError, "argument must be int or float");
  MVM_TRY_VOID(NumberFromInt(ts, other, numerator));
  if (mine->kind != Kind::kFinite) return Other::kNumber;
  Number factor(ts);
  Words product(ts);
  MVM_TRY_VOID(NumberFromInt(ts, &factor, denominator));
  MVM_TRY_VOID(MulWords(ts, &product, mine->w, factor.w));
  mine->w.Swap(product);
  return Other::kNumber;
}

}  // namespace

Result<> DecimalCompare(ThreadState& ts, Value a, Value b, CompareOp op) {
  View x = ViewOf(a), y;
  Number mine(ts), other(ts);
  if (IsDecimal(ts, b)) {
    y = ViewOf(b);
  } else {
    MVM_TRY(ContextObject * current, CurrentContext(ts));
    const Ref<ContextObject> context = Ref<ContextObject>::Borrow(current);
    MVM_TRY_VOID(mine.Copy(ts, x));
    MVM_TRY(Other kind, LoadOther(ts, &mine, &other, b, op, context));
    if (kind == Other::kUnknown) return NotImplemented(ts);
    x = mine.view();
    y = other.view();
  }
  const bool equality = op == CompareOp::kEq || op == CompareOp::kNe;
  if (x.nan() || y.nan()) {
    // Quiet NaNs are merely unequal; any other use of them is invalid.
    if (!equality || x.signaling() || y.signaling()) {
      MVM_TRY(ContextObject * current, CurrentContext(ts));
      const Ref<ContextObject> context = Ref<ContextObject>::Borrow(current);
      MVM_TRY_VOID(ReportStatus(ts, context, kInvalidOperation));
    }
    return Bool(ts, op == CompareOp::kNe);
  }
  MVM_TRY(int order, CompareNumbers(ts, x, y));
  switch (op) {
    case CompareOp::kLt: return Bool(ts, order < 0);
    case CompareOp::kLe: return Bool(ts, order <= 0);
    case CompareOp::kEq: return Bool(ts, order == 0);
    case CompareOp::kNe: return Bool(ts, order != 0);
    case CompareOp::kGt: return Bool(ts, order > 0);
    case CompareOp::kGe: return Bool(ts, order >= 0);
  }
  return NotImplemented(ts);
}

Result<int64_t> DecimalHash(ThreadState& ts, Value self) {
  DecimalObject* d = self.as<DecimalObject>();
  if (d->hash != 0) return d->hash;
  const View v = d->view();
  if (v.signaling()) return Raise(ts, Exc::kTypeError, "Cannot hash a signaling NaN value");
  if (v.nan()) return HashPointer(d);
  int64_t hash;
  if (v.infinite()) {
    hash = kHashInfinity;
  } else {
    // The coefficient times the power of ten, or its inverse, modulo the prime.
    constexpr uint64_t kInverseOfTen = 2075258708292324556u;  // 10 ** (p - 2) modulo p
    uint64_t h = 0;
    for (size_t i = v.w.size; i-- > 0;) {
      h = (MulMod(h, kRadix) + v.w.data[i] % kHashModulus) % kHashModulus;
    }
    const uint64_t power = v.exp >= 0 ? PowMod(10, static_cast<uint64_t>(v.exp))
                                      : PowMod(kInverseOfTen, 0 - static_cast<uint64_t>(v.exp));
    hash = static_cast<int64_t>(MulMod(h, power));
  }
  if (v.negative) hash = -hash;
  if (hash == -1) hash = -2;
  d->hash = hash;
  return hash;
}

}  // namespace minivm::decimal
