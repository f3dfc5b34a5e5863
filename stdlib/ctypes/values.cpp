// Numbers and characters in memory, by the codes of ctypes' simple types.
#include <bit>
#include <cstring>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/ctypes/cdata.h"

namespace minivm::ctypes {

namespace {

uint64_t Read(const uint8_t* p, int64_t size, bool swapped) {
  uint64_t bits = 0;
  std::memcpy(&bits, p, static_cast<size_t>(size));
  return swapped ? __builtin_bswap64(bits) >> (64 - 8 * size) : bits;
}

void Write(uint8_t* p, int64_t size, bool swapped, uint64_t bits) {
  if (swapped) bits = __builtin_bswap64(bits) >> (64 - 8 * size);
  std::memcpy(p, &bits, static_cast<size_t>(size));
}

bool IsSigned(char code) {
  return code == 'b' || code == 'h' || code == 'i' || code == 'l' || code == 'q';
}

// The low `bits` bits as a number.
Result<> Number(ThreadState& ts, char code, uint64_t bits, int width) {
  const int unused = 64 - width;
  if (IsSigned(code)) return NewInt(ts, static_cast<int64_t>(bits << unused) >> unused);
  return NewIntU64(ts, bits << unused >> unused);
}

Result<uint64_t> CharBits(ThreadState& ts, Value v) {
  std::string_view text;
  if (IsBytes(ts, v)) {
    text = v.as<BytesObject>()->view();
  } else if (HasTypeFlag(ts, v, kTypeBytearraySubclass)) {
    text = v.as<BytearrayObject>()->view();
  } else if (IsInt(ts, v)) {
    int64_t i;
    if (IntFitsInt64(v, &i) && i >= 0 && i < 256) return static_cast<uint64_t>(i);
  }
  if (text.size() == 1) return static_cast<uint64_t>(static_cast<uint8_t>(text[0]));
  return Raise(ts, Exc::kTypeError, "one character bytes, bytearray or integer expected");
}

Result<uint64_t> WideBits(ThreadState& ts, Value v) {
  if (!IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "unicode string expected instead of %T instance", v);
  }
  const StrObject* s = v.as<StrObject>();
  if (s->length != 1) return Raise(ts, Exc::kTypeError, "one character unicode string expected");
  return static_cast<uint64_t>(s->At(0));
}

// The bits to be stored, of everything but long double.
Result<uint64_t> BitsOf(ThreadState& ts, char code, Value v) {
  switch (code) {
    case 'c': return CharBits(ts, v);
    case 'u': return WideBits(ts, v);
    case '?': {
      MVM_TRY(bool truth, Truth(ts, v));
      return static_cast<uint64_t>(truth);
    }
    case 'd': {
      MVM_TRY(double d, AsDouble(ts, v));
      return std::bit_cast<uint64_t>(d);
    }
    case 'f': {
      MVM_TRY(double d, AsDouble(ts, v));
      return static_cast<uint64_t>(std::bit_cast<uint32_t>(static_cast<float>(d)));
    }
    case 'P':
      if (IsNone(ts, v)) return uint64_t{0};
      if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "cannot be converted to pointer");
      break;
    default: break;
  }
  if (MVM_LIKELY(v.is_int())) return static_cast<uint64_t>(v.as_int());
  MVM_TRY(Ref<> number, Index(ts, v));
  return IntLowBits(number);
}

}  // namespace

int64_t SizeOfCode(char code) {
  switch (code) {
    case '?':
    case 'c':
    case 'b':
    case 'B': return 1;
    case 'h':
    case 'H': return 2;
    case 'u':
    case 'i':
    case 'I':
    case 'f': return 4;
    case 'l':
    case 'L':
    case 'q':
    case 'Q':
    case 'd':
    case 'P': return 8;
    case 'g': return sizeof(long double);
    default: return 0;
  }
}
static_assert(sizeof(long) == 8 && sizeof(wchar_t) == 4);

Result<> Load(ThreadState& ts, char code, bool swapped, const uint8_t* p) {
  if (code == 'g') {
    long double d;
    std::memcpy(&d, p, sizeof(d));
    return NewFloat(ts, static_cast<double>(d));
  }
  const int64_t size = SizeOfCode(code);
  const uint64_t bits = Read(p, size, swapped);
  switch (code) {
    case 'c': return NewBytes(ts, {reinterpret_cast<const char*>(p), 1});
    case 'u':
      if (bits > 0x10FFFF) {
        return Raise(ts, Exc::kValueError, "character U+%llx is not in range [U+0000; U+10ffff]",
                     static_cast<unsigned long long>(bits));
      }
      return StrFromChar(ts, static_cast<char32_t>(bits));
    case '?': return Bool(ts, bits != 0);
    case 'd': return NewFloat(ts, std::bit_cast<double>(bits));
    case 'f': return NewFloat(ts, std::bit_cast<float>(static_cast<uint32_t>(bits)));
    case 'P':
      if (bits == 0) return None(ts);
      break;
    default: break;
  }
  return Number(ts, code, bits, static_cast<int>(size) * 8);
}

Status Store(ThreadState& ts, char code, bool swapped, CData* self, int64_t offset, Value v) {
  Ref<> unwrapped;
  if (v.is_object() && !IsExact(v, TypeId::kStr) && !IsExact(v, TypeId::kBytes)) {
    // An instance of the same simple type stands for its value.
    MVM_TRY(TypeObject * simple, TypeForSpec(ts, kSimpleType));
    if (IsInstance(ts, v, simple)) {
      const CData* other = v.as<CData>();
      if (other->block && other->layout->code == code) {
        MVM_TRY(unwrapped, Load(ts, code, other->layout->swapped, other->data()));
        v = unwrapped;
      }
    }
  }
  const int64_t size = SizeOfCode(code);
  if (code == 'g') {
    MVM_TRY(double d, AsDouble(ts, v));
    MVM_TRY_VOID(CheckPart(ts, self, offset, size));
    const long double wide = d;
    std::memcpy(self->data() + offset, &wide, sizeof(wide));
    return Ok();
  }
  MVM_TRY(uint64_t bits, BitsOf(ts, code, v));
  MVM_TRY_VOID(CheckPart(ts, self, offset, size));
  Write(self->data() + offset, size, swapped, bits);
  return Ok();
}

Result<> LoadBits(ThreadState& ts, const Field* f, const uint8_t* p) {
  const uint64_t bits = Read(p, f->size, f->swapped) >> f->shift;
  if (f->code == '?') return Bool(ts, (bits & 1) != 0);
  return Number(ts, f->code, bits, f->bits);
}

Status StoreBits(ThreadState& ts, const Field* f, CData* self, Value v) {
  MVM_TRY(uint64_t bits, BitsOf(ts, f->code, v));
  MVM_TRY_VOID(CheckPart(ts, self, f->offset, f->size));
  const uint64_t mask = ~uint64_t{0} >> (64 - f->bits) << f->shift;
  uint8_t* p = self->data() + f->offset;
  const uint64_t others = Read(p, f->size, f->swapped) & ~mask;
  Write(p, f->size, f->swapped, others | (bits << f->shift & mask));
  return Ok();
}

}  // namespace minivm::ctypes
