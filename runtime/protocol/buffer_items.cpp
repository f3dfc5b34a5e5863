// Packing and unpacking of native buffer items.
#include "runtime/protocol/buffer_items.h"

#include <cmath>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

enum class Kind : uint8_t { kNone, kSigned, kUnsigned, kFloat, kBool, kChar, kPointer };

struct Code {
  Kind kind;
  uint8_t size;
};

Code CodeOf(char c) {
  switch (c) {
    case 'c': return {Kind::kChar, 1};
    case 'b': return {Kind::kSigned, 1};
    case 'B': return {Kind::kUnsigned, 1};
    case 'h': return {Kind::kSigned, sizeof(short)};
    case 'H': return {Kind::kUnsigned, sizeof(short)};
    case 'i': return {Kind::kSigned, sizeof(int)};
    case 'I': return {Kind::kUnsigned, sizeof(int)};
    case 'l': return {Kind::kSigned, sizeof(long)};
    case 'L': return {Kind::kUnsigned, sizeof(long)};
    case 'q': return {Kind::kSigned, sizeof(long long)};
    case 'Q': return {Kind::kUnsigned, sizeof(long long)};
    case 'n': return {Kind::kSigned, sizeof(ssize_t)};
    case 'N': return {Kind::kUnsigned, sizeof(size_t)};
    case 'e': return {Kind::kFloat, 2};
    case 'f': return {Kind::kFloat, sizeof(float)};
    case 'd': return {Kind::kFloat, sizeof(double)};
    case '?': return {Kind::kBool, sizeof(bool)};
    case 'P': return {Kind::kPointer, sizeof(void*)};
    default: return {Kind::kNone, 0};
  }
}

template <class T>
T Load(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}

int64_t LoadSigned(const uint8_t* p, int size) {
  switch (size) {
    case 1: return Load<int8_t>(p);
    case 2: return Load<int16_t>(p);
    case 4: return Load<int32_t>(p);
    default: return Load<int64_t>(p);
  }
}

uint64_t LoadUnsigned(const uint8_t* p, int size) {
  switch (size) {
    case 1: return Load<uint8_t>(p);
    case 2: return Load<uint16_t>(p);
    case 4: return Load<uint32_t>(p);
    default: return Load<uint64_t>(p);
  }
}

double LoadFloat(const uint8_t* p, int size) {
  if (size == 2) return DoubleFromHalf(Load<uint16_t>(p));
  if (size == 4) return static_cast<double>(Load<float>(p));
  return Load<double>(p);
}

Raised BadType(ThreadState& ts, const char* format) {
  return Raise(ts, Exc::kTypeError, "memoryview: invalid type for format '%s'", format);
}
Raised BadValue(ThreadState& ts, const char* format) {
  return Raise(ts, Exc::kValueError, "memoryview: invalid value for format '%s'", format);
}

Status PackInt(ThreadState& ts, Code code, const char* format, uint8_t* p, Value v) {
  if (!IsInt(ts, v) && !TypeOf(ts, v)->operators->index) return BadType(ts, format);
  Result<> r = Index(ts, v);
  if (r.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return BadType(ts, format);
  }
  Ref<> number = r.Take();
  uint64_t bits;
  if (code.kind == Kind::kSigned) {
    int64_t i;
    if (!IntFitsInt64(number, &i)) return BadValue(ts, format);
    const int shift = 64 - 8 * code.size;
    if (shift && (static_cast<int64_t>(static_cast<uint64_t>(i) << shift) >> shift) != i) {
      return BadValue(ts, format);
    }
    bits = static_cast<uint64_t>(i);
  } else {
    if (!IntFitsUint64(number, &bits)) return BadValue(ts, format);
    if (code.size < 8 && bits >> (8 * code.size)) return BadValue(ts, format);
  }
  std::memcpy(p, &bits, code.size);  // little-endian machines
  return Ok();
}

}  // namespace

char NativeFormat(const char* format) {
  if (format[0] == '@') ++format;
  return format[0] && !format[1] && CodeOf(format[0]).size ? format[0] : 0;
}

int64_t NativeItemSize(char code) { return CodeOf(code).size; }

Result<> UnpackItem(ThreadState& ts, char c, const uint8_t* p) {
  const Code code = CodeOf(c);
  switch (code.kind) {
    case Kind::kUnsigned:
      if (MVM_LIKELY(code.size == 1)) return Small(*p);
      return NewIntU64(ts, LoadUnsigned(p, code.size));
    case Kind::kSigned: return NewInt(ts, LoadSigned(p, code.size));
    case Kind::kFloat: return NewFloat(ts, LoadFloat(p, code.size));
    case Kind::kBool: return Bool(ts, *p != 0);
    case Kind::kChar: return NewBytes(ts, {reinterpret_cast<const char*>(p), 1});
    default: return NewIntU64(ts, Load<uint64_t>(p));
  }
}

Status PackItem(ThreadState& ts, char c, const char* format, uint8_t* p, Value v) {
  if (format[0] == '@') ++format;
  const Code code = CodeOf(c);
  switch (code.kind) {
    case Kind::kFloat: {
      Result<double> r = AsDouble(ts, v);
      if (r.raised()) {
        if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
        return BadType(ts, format);
      }
      const double d = r.Take();
      if (code.size == 8) {
        std::memcpy(p, &d, 8);
      } else if (code.size == 4) {
        const float f = static_cast<float>(d);
        std::memcpy(p, &f, 4);
      } else {
        uint16_t bits;
        if (!HalfFromDouble(d, &bits)) return BadValue(ts, format);
        std::memcpy(p, &bits, 2);
      }
      return Ok();
    }
    case Kind::kBool: {
      MVM_TRY(bool truth, Truth(ts, v));
      *p = truth;
      return Ok();
    }
    case Kind::kChar:
      if (!IsBytes(ts, v)) return BadType(ts, format);
      if (v.as<BytesObject>()->length != 1) return BadValue(ts, format);
      *p = v.as<BytesObject>()->data()[0];
      return Ok();
    default: return PackInt(ts, code, format, p, v);
  }
}

bool ItemsEqual(char code_a, const uint8_t* a, char code_b, const uint8_t* b) {
  const Code x = CodeOf(code_a), y = CodeOf(code_b);
  if (x.kind == Kind::kChar || y.kind == Kind::kChar) return x.kind == y.kind && *a == *b;
  if (x.kind == Kind::kFloat || y.kind == Kind::kFloat) {
    if (x.kind == y.kind) return LoadFloat(a, x.size) == LoadFloat(b, y.size);
    // An integer and a float: exactly, as the language compares them.
    const bool swap = y.kind == Kind::kFloat;
    const double d = swap ? LoadFloat(b, y.size) : LoadFloat(a, x.size);
    const Code i = swap ? x : y;
    const uint8_t* p = swap ? a : b;
    if (d != std::floor(d) || std::isinf(d)) return false;
    if (i.kind == Kind::kSigned) {
      return d >= -0x1p63 && d < 0x1p63 && static_cast<int64_t>(d) == LoadSigned(p, i.size);
    }
    return d >= 0 && d < 0x1p64 && static_cast<uint64_t>(d) == LoadUnsigned(p, i.size);
  }
  const bool sx = x.kind == Kind::kSigned, sy = y.kind == Kind::kSigned;
  const uint64_t ux = x.kind == Kind::kBool ? *a != 0
                      : sx                  ? static_cast<uint64_t>(LoadSigned(a, x.size))
                                            : LoadUnsigned(a, x.size);
  const uint64_t uy = y.kind == Kind::kBool ? *b != 0
                      : sy                  ? static_cast<uint64_t>(LoadSigned(b, y.size))
                                            : LoadUnsigned(b, y.size);
  // Same bits are the same number unless one of them is negative and the other huge.
  return ux == uy && (sx == sy || static_cast<int64_t>(ux) >= 0);
}

double DoubleFromHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  double value;
  if (exponent == 31) {
    uint64_t wide = 0x7FF0000000000000u | static_cast<uint64_t>(bits & 1023) << 42;
    std::memcpy(&value, &wide, 8);
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(fraction + 1024, exponent - 25);
  }
  return bits & 0x8000 ? -value : value;
}

bool HalfFromDouble(double value, uint16_t* bits) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) {
    *bits = static_cast<uint16_t>(sign | 0x7E00);
    return true;
  }
  if (std::isinf(value)) {
    *bits = static_cast<uint16_t>(sign | 0x7C00);
    return true;
  }
  if (magnitude == 0) {
    *bits = sign;
    return true;
  }
  int exponent;
  std::frexp(magnitude, &exponent);  // magnitude = f * 2**exponent, 0.5 <= f < 1
  // Units of the last place of a half with this exponent (subnormals share the lowest).
  const int unit = std::max(exponent - 11, -24);
  const double scaled = std::nearbyint(std::ldexp(magnitude, -unit));  // ties to even
  uint32_t mantissa = static_cast<uint32_t>(scaled);
  int biased = unit + 25;
  if (mantissa >= 2048) {
    mantissa >>= 1;
    ++biased;
  }
  if (biased >= 31) return false;
  // Without the leading bit: a subnormal; the carry into 1024 makes it the smallest normal.
  *bits = static_cast<uint16_t>(
      sign |
      (mantissa < 1024 ? mantissa : static_cast<uint32_t>(biased) << 10 | (mantissa & 1023)));
  return true;
}

}  // namespace minivm
