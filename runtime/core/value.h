// The 64-bit value word: every script-visible value fits one of these.
//
// Encoding (low three bits), as measured in docs/decisions/001:
//   000        pointer to an Object, 16-aligned, untagged (the word 0 is "no value")
//   x10        int in [-2^61, 2^61), stored as v << 2 | 2
//   001 100 101  float, rotl(bits, 4) + 1; covers +-0.0, subnormals, |x| < 2^-767
//              and 2^-255 <= |x| < 2^257. Every other float is a boxed FloatObject.
//   011        kDone   (0b0011): an iterator has ended; never stored in an object
//   111        kAbsent (0b0111): argument not given; never stored in an object
// A Value is a borrowed word: it owns nothing. Ref<> (ref.h) owns.
// None, True, False, Ellipsis, NotImplemented and "unbound" are immortal objects
// of the VM (thread_state.h), compared by address.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/support/check.h"

namespace minivm {

struct Object;

class Value {
 public:
  static constexpr int64_t kMinInt = -(int64_t{1} << 61);
  static constexpr int64_t kMaxInt = (int64_t{1} << 61) - 1;
  static constexpr uint64_t kDoneBits = 3;
  static constexpr uint64_t kAbsentBits = 7;

  constexpr Value() : bits_(0) {}
  Value(Object* object) : bits_(reinterpret_cast<uint64_t>(object)) {}  // NOLINT: implicit

  static constexpr Value FromBits(uint64_t bits) {
    Value v;
    v.bits_ = bits;
    return v;
  }
  static constexpr bool FitsInt(int64_t i) { return i >= kMinInt && i <= kMaxInt; }
  // REQUIRES: FitsInt(i)
  static constexpr Value Int(int64_t i) { return FromBits(static_cast<uint64_t>(i) << 2 | 2); }
  static constexpr Value Done() { return FromBits(kDoneBits); }
  static constexpr Value Absent() { return FromBits(kAbsentBits); }

  // Encodes `d` inline if its exponent allows; false: it must be boxed.
  static bool TryFloat(double d, Value* out) {
    uint64_t w = std::rotl(std::bit_cast<uint64_t>(d), 4) + 1;
    *out = FromBits(w);
    return IsFloatBits(w);
  }

  constexpr uint64_t bits() const { return bits_; }
  constexpr bool is_null() const { return bits_ == 0; }
  constexpr bool is_absent() const { return bits_ == kAbsentBits; }
  constexpr bool is_done() const { return bits_ == kDoneBits; }
  // True also for kDone and kAbsent: test those first where they can occur.
  constexpr bool is_int() const { return (bits_ & 2) != 0; }
  constexpr bool is_float() const { return IsFloatBits(bits_); }
  constexpr bool is_object() const { return (bits_ & 7) == 0 && bits_ != 0; }
  // A pointer or null, without the test for null: for words known to hold a value.
  constexpr bool is_pointer() const { return (bits_ & 7) == 0; }

  constexpr int64_t as_int() const { return static_cast<int64_t>(bits_) >> 2; }
  double as_float() const { return std::bit_cast<double>(std::rotr(bits_ - 1, 4)); }
  Object* object() const { return reinterpret_cast<Object*>(bits_); }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(bits_);
  }
  // Identity: `is` of the language.
  constexpr bool is(Value other) const { return bits_ == other.bits_; }
  constexpr explicit operator bool() const { return bits_ != 0; }

  static constexpr bool BothInt(Value a, Value b) { return (a.bits_ & b.bits_ & 2) != 0; }
  static constexpr bool IsFloatBits(uint64_t w) { return (0x32323232u >> (w & 31)) & 1; }

 private:
  uint64_t bits_;
};

static_assert(sizeof(Value) == 8);

}  // namespace minivm
