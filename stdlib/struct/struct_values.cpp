// Values to bytes and back, one code at a time.
#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer_items.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/struct/struct_format.h"

namespace minivm::structs {

namespace {

// The low bytes of `bits` in the field's order.
void Store(const Field& f, uint64_t bits, uint8_t* out) {
  if (f.big_endian) bits = __builtin_bswap64(bits) >> (64 - 8 * f.size);
  std::memcpy(out, &bits, f.size);
}

uint64_t Load(const Field& f, const uint8_t* p) {
  uint64_t bits = 0;
  std::memcpy(&bits, p, f.size);
  if (f.big_endian) bits = __builtin_bswap64(bits) >> (64 - 8 * f.size);
  return bits;
}

bool IsUnsigned(char code) {
  return code == 'B' || code == 'H' || code == 'I' || code == 'L' || code == 'Q' || code == 'N';
}

Raised RaiseRange(ThreadState& ts, const Field& f) {
  const int bits = static_cast<int>(f.size) * 8;
  if (IsUnsigned(f.code)) {
    return RaiseStruct(ts, "'%c' format requires 0 <= number <= %llu", f.code,
                       static_cast<unsigned long long>(~uint64_t{0} >> (64 - bits)));
  }
  const int64_t most = static_cast<int64_t>(~uint64_t{0} >> (65 - bits));
  return RaiseStruct(ts, "'%c' format requires %lld <= number <= %lld", f.code,
                     static_cast<long long>(-most - 1), static_cast<long long>(most));
}

// An int, or what __index__ makes one.
Result<> IntegerOf(ThreadState& ts, Value v) {
  if (IsInt(ts, v)) return Result<>::Borrow(v);
  MVM_TRY(Ref<> index, LookupSpecial(ts, v, MVM_NAME(ts, __index__)));
  if (index.is_absent()) return RaiseStruct(ts, "required argument is not an integer");
  return Index(ts, v);
}

Status PackInt(ThreadState& ts, const Field& f, Value v, uint8_t* out) {
  if (MVM_LIKELY(v.is_int())) {
    const int64_t i = v.as_int();
    const int bits = static_cast<int>(f.size) * 8;
    const bool fits =
        IsUnsigned(f.code) ? i >= 0 && (bits == 64 || i >> bits == 0) : i >> (bits - 1) == i >> 63;
    if (!fits) return RaiseRange(ts, f);
    Store(f, static_cast<uint64_t>(i), out);
    return Ok();
  }
  MVM_TRY(Ref<> number, IntegerOf(ts, v));
  if (number.is_int()) return PackInt(ts, f, number, out);
  if (IsUnsigned(f.code)) {
    uint64_t u;
    if (!IntFitsUint64(number, &u) || (f.size < 8 && u >> (8 * f.size) != 0)) {
      return RaiseRange(ts, f);
    }
    Store(f, u, out);
    return Ok();
  }
  int64_t i;
  if (!IntFitsInt64(number, &i) || i >> (8 * f.size - 1) != i >> 63) return RaiseRange(ts, f);
  Store(f, static_cast<uint64_t>(i), out);
  return Ok();
}

Status PackPointer(ThreadState& ts, const Field& f, Value v, uint8_t* out) {
  MVM_TRY(Ref<> number, IntegerOf(ts, v));
  int64_t i;
  uint64_t u;
  if (IntFitsInt64(number, &i)) {
    Store(f, static_cast<uint64_t>(i), out);
  } else if (IntFitsUint64(number, &u)) {
    Store(f, u, out);
  } else {
    return RaiseStruct(ts, "int too large to convert");
  }
  return Ok();
}

Status PackFloat(ThreadState& ts, const Field& f, Value v, uint8_t* out) {
  double d;
  if (v.is_float()) {
    d = v.as_float();
  } else {
    Result<double> r = AsDouble(ts, v);
    if (r.raised()) {
      ClearPending(ts);
      return RaiseStruct(ts, "required argument is not a float");
    }
    d = r.Take();
  }
  uint64_t bits = 0;
  bool fits = true;
  if (f.code == 'd') {
    bits = std::bit_cast<uint64_t>(d);
  } else if (f.code == 'f') {
    const float narrow = static_cast<float>(d);
    fits = f.native || std::isinf(d) || !std::isinf(narrow);
    bits = std::bit_cast<uint32_t>(narrow);
  } else {
    uint16_t half = 0;
    fits = HalfFromDouble(d, &half);
    bits = half;
  }
  if (!fits) {
    if (IsInt(ts, v)) return RaiseStruct(ts, "int too large to convert");
    return Raise(ts, Exc::kOverflowError, "float too large to pack with %c format", f.code);
  }
  Store(f, bits, out);
  return Ok();
}

// 's' and 'p'.
Status PackString(ThreadState& ts, const Field& f, Value v, uint8_t* out) {
  std::string_view data;
  if (IsBytes(ts, v)) {
    data = v.as<BytesObject>()->view();
  } else if (HasTypeFlag(ts, v, kTypeBytearraySubclass)) {
    data = v.as<BytearrayObject>()->view();
  } else {
    return RaiseStruct(ts, "argument for '%c' must be a bytes object", f.code);
  }
  if (f.code == 's') {
    const size_t n = std::min<uint64_t>(data.size(), f.count);
    if (n) std::memcpy(out, data.data(), n);
    return Ok();
  }
  if (f.count == 0) return Ok();
  const size_t n = std::min<uint64_t>(data.size(), f.count - 1);
  if (n) std::memcpy(out + 1, data.data(), n);
  out[0] = static_cast<uint8_t>(std::min<size_t>(n, 255));
  return Ok();
}

Result<> UnpackString(ThreadState& ts, const Field& f, const uint8_t* p) {
  const char* chars = reinterpret_cast<const char*>(p);
  if (f.code == 's') return NewBytes(ts, {chars, static_cast<size_t>(f.count)});
  if (f.count == 0) return NewBytes(ts, {});
  return NewBytes(ts, {chars + 1, static_cast<size_t>(std::min<uint64_t>(p[0], f.count - 1))});
}

}  // namespace

Status PackOne(ThreadState& ts, const Field& f, Value v, uint8_t* out) {
  switch (f.code) {
    case 'e':
    case 'f':
    case 'd': return PackFloat(ts, f, v, out);
    case '?': {
      MVM_TRY(bool truth, Truth(ts, v));
      *out = truth;
      return Ok();
    }
    case 'c':
      if (!IsBytes(ts, v) || v.as<BytesObject>()->length != 1) {
        return RaiseStruct(ts, "char format requires a bytes object of length 1");
      }
      *out = v.as<BytesObject>()->data()[0];
      return Ok();
    case 'P': return PackPointer(ts, f, v, out);
    default: return PackInt(ts, f, v, out);
  }
}

Result<> UnpackOne(ThreadState& ts, const Field& f, const uint8_t* p) {
  switch (f.code) {
    case 'c': return NewBytes(ts, {reinterpret_cast<const char*>(p), 1});
    case '?': return Bool(ts, *p != 0);
    case 'e': return NewFloat(ts, DoubleFromHalf(static_cast<uint16_t>(Load(f, p))));
    case 'f': return NewFloat(ts, std::bit_cast<float>(static_cast<uint32_t>(Load(f, p))));
    case 'd': return NewFloat(ts, std::bit_cast<double>(Load(f, p)));
    case 'P': return NewIntU64(ts, Load(f, p));
    default: break;
  }
  const uint64_t bits = Load(f, p);
  if (IsUnsigned(f.code)) return NewIntU64(ts, bits);
  const int unused = 64 - 8 * static_cast<int>(f.size);
  return NewInt(ts, static_cast<int64_t>(bits << unused) >> unused);
}

Status PackValues(ThreadState& ts, const Format& format, const Value* values, uint8_t* out) {
  const Ref<BytesObject> hold = format.fields;
  for (const Field& f : format.span()) {
    uint8_t* p = out + f.offset;
    if (f.code == 's' || f.code == 'p') {
      MVM_TRY_VOID(PackString(ts, f, *values++, p));
      continue;
    }
    for (uint64_t i = 0; i < f.count; ++i, p += f.size) {
      MVM_TRY_VOID(PackOne(ts, f, *values++, p));
    }
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(f.count / 4)));
  }
  return Ok();
}

Result<> UnpackValues(ThreadState& ts, const Format& format, const uint8_t* start) {
  if (format.items == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  if (format.items > INT32_MAX) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(format.items) * sizeof(Value)));
  const Ref<BytesObject> hold = format.fields;
  MVM_TRY(Ref<TupleObject> t, NewTupleRaw(ts, static_cast<size_t>(format.items)));
  Value* to = t->items();
  for (const Field& f : format.span()) {
    const uint8_t* p = start + f.offset;
    if (f.code == 's' || f.code == 'p') {
      MVM_TRY(Ref<> v, UnpackString(ts, f, p));
      *to++ = v.Release();
      continue;
    }
    for (uint64_t i = 0; i < f.count; ++i, p += f.size) {
      MVM_TRY(Ref<> v, UnpackOne(ts, f, p));
      *to++ = v.Release();
    }
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(f.count / 4)));
  }
  Track(t);
  return t;
}

}  // namespace minivm::structs
