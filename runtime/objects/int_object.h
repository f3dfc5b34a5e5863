// int: inline up to 62 bits (Value), otherwise an IntObject with 64-bit limbs.
//
// Invariant: an exact int that fits inline is inline. IntObjects below that range occur only as
// instances of subclasses. bool is a subclass with two immortal IntObjects.
// aux = limb count << 1 | negative. The arithmetic on limbs is support/big_int.h.
#pragma once

#include <span>
#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

class IntObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kInt;
  uint32_t limb_count() const { return aux >> 1; }
  bool negative() const { return aux & 1; }
  const uint64_t* limbs() const { return reinterpret_cast<const uint64_t*>(this + 1); }
  uint64_t* limbs() { return reinterpret_cast<uint64_t*>(this + 1); }
};

// Magnitude and sign of any int value, inline or not.
class IntView {
 public:
  // REQUIRES: v is an int (or an instance of a subclass)
  explicit IntView(Value v);
  const uint64_t* limbs() const { return limbs_; }
  size_t size() const { return size_; }  // without leading zero limbs; 0 for zero
  bool negative() const { return negative_; }

 private:
  uint64_t small_;
  const uint64_t* limbs_;
  size_t size_;
  bool negative_;
};
// IntView points into itself for inline values: do not copy.

Result<> NewInt(ThreadState& ts, int64_t i);
Result<> NewIntU64(ThreadState& ts, uint64_t u);
Result<> NewIntFromLimbs(ThreadState& ts, const uint64_t* limbs, size_t n, bool negative);
// int(d) truncated; ValueError/OverflowError for nan/inf.
Result<> NewIntFromDouble(ThreadState& ts, double d);
// A literal or int(text, base): digits, underscores and prefix as int() takes them. ValueError.
Result<> IntFromText(ThreadState& ts, std::string_view text, int base);

// The value if it fits; REQUIRES: v is an int. Pure.
bool IntFitsInt64(Value v, int64_t* out);
bool IntFitsUint64(Value v, uint64_t* out);
// Low 64 bits, two's complement. Pure.
uint64_t IntLowBits(Value v);
int IntSign(Value v);
// As a double, correctly rounded; OverflowError "int too large to convert to float".
Result<double> IntToDouble(ThreadState& ts, Value v);
Result<StrObject> IntToStr(ThreadState& ts, Value v, int base, bool prefix);
int64_t IntHash(Value v);
bool IntEquals(Value a, Value b);
int IntCompare(Value a, Value b);
// Exact int of an int-subclass instance (True -> 1): new reference.
Result<> IntExact(ThreadState& ts, Value v);

// Arithmetic; REQUIRES: both are ints (or of subclasses).
Result<> IntAdd(ThreadState& ts, Value a, Value b);
Result<> IntSub(ThreadState& ts, Value a, Value b);
Result<> IntMul(ThreadState& ts, Value a, Value b);
Result<> IntFloorDiv(ThreadState& ts, Value a, Value b);
Result<> IntMod(ThreadState& ts, Value a, Value b);
Status IntDivmod(ThreadState& ts, Value a, Value b, Ref<>* quotient, Ref<>* remainder);
Result<> IntTrueDiv(ThreadState& ts, Value a, Value b);
Result<> IntPow(ThreadState& ts, Value a, Value b, Value modulus);
Result<> IntLshift(ThreadState& ts, Value a, Value b);
Result<> IntRshift(ThreadState& ts, Value a, Value b);
Result<> IntAnd(ThreadState& ts, Value a, Value b);
Result<> IntOr(ThreadState& ts, Value a, Value b);
Result<> IntXor(ThreadState& ts, Value a, Value b);
Result<> IntNeg(ThreadState& ts, Value a);

}  // namespace minivm
