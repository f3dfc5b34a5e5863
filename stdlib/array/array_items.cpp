// The kinds of items of array.array: what fits, and the texts for what does not.
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/array/array_types.h"

namespace minivm::arrays {

namespace {

const Kind kKinds[] = {
    {'b', 1, true, true, "b", 1},
    {'B', 1, true, false, "B", 0},
    {'u', sizeof(wchar_t), false, false, "w", 20},
    {'w', 4, false, false, "w", 20},
    {'h', sizeof(short), true, true, "h", 4},
    {'H', sizeof(short), true, false, "H", 2},
    {'i', sizeof(int), true, true, "i", 8},
    {'I', sizeof(int), true, false, "I", 6},
    {'l', sizeof(long), true, true, "l", 12},
    {'L', sizeof(long), true, false, "L", 10},
    {'q', sizeof(long long), true, true, "q", 12},
    {'Q', sizeof(long long), true, false, "Q", 10},
    {'f', sizeof(float), false, true, "f", 14},
    {'d', sizeof(double), false, true, "d", 16},
    {'c', 1, false, false, "c", -1},  // one-character bytes: Python 2's strings
};
static_assert(sizeof(wchar_t) == 4 && sizeof(long) == 8 && sizeof(int) == 4);

template <class T>
T LoadAs(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}
template <class T>
Status StoreAs(T v, uint8_t* p) {
  std::memcpy(p, &v, sizeof(T));
  return Ok();
}

Raised RaiseOverflow(ThreadState& ts, const char* text) {
  return Raise(ts, Exc::kOverflowError, "%s", text);
}

// Within [least, most], or OverflowError "<what> is less than minimum" and so on.
Status CheckRange(ThreadState& ts, int64_t i, int64_t least, int64_t most, const char* what) {
  if (MVM_LIKELY(i >= least && i <= most)) return Ok();
  return Raise(ts, Exc::kOverflowError, "%s is %s", what,
               i < least ? "less than minimum" : "greater than maximum");
}

Result<int64_t> LongOf(ThreadState& ts, Value v) {
  if (v.is_int()) return v.as_int();
  MVM_TRY(Ref<> number, Index(ts, v));
  int64_t i;
  if (!IntFitsInt64(number, &i)) {
    return RaiseOverflow(ts, "Python int too large to convert to C long");
  }
  return i;
}

Result<uint64_t> UnsignedLongOf(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> number, Index(ts, v));
  uint64_t u;
  if (IntSign(number) < 0) {
    return RaiseOverflow(ts, "can't convert negative value to unsigned int");
  }
  if (!IntFitsUint64(number, &u)) {
    return RaiseOverflow(ts, "Python int too large to convert to C unsigned long");
  }
  return u;
}

Status ConvertChar(ThreadState& ts, Value v, uint8_t* p) {
  if (!IsStr(ts, v) || v.as<StrObject>()->length != 1) {
    return Raise(ts, Exc::kTypeError, "array item must be unicode character");
  }
  return StoreAs<uint32_t>(v.as<StrObject>()->At(0), p);
}

}  // namespace

const char kTypeCodes[] = "bBuwhHiIlLqQfd";

const Kind* FindKind(char32_t code) {
  for (const Kind& k : kKinds) {
    if (code == static_cast<char32_t>(k.code)) return &k;
  }
  return nullptr;
}

const Kind* FindIntegerKind(int size, bool is_signed) {
  const Kind* last = nullptr;  // of two kinds of one size, the later one
  for (const Kind& k : kKinds) {
    if (k.is_integer && k.size == size && k.is_signed == is_signed) last = &k;
  }
  return last;
}

Result<> ItemAt(ThreadState& ts, const Kind* kind, const uint8_t* p) {
  switch (kind->code) {
    case 'b': return Small(LoadAs<int8_t>(p));
    case 'B': return Small(*p);
    case 'h': return Small(LoadAs<int16_t>(p));
    case 'H': return Small(LoadAs<uint16_t>(p));
    case 'i': return Small(LoadAs<int32_t>(p));
    case 'I': return Small(LoadAs<uint32_t>(p));
    case 'l':
    case 'q': return NewInt(ts, LoadAs<int64_t>(p));
    case 'L':
    case 'Q': return NewIntU64(ts, LoadAs<uint64_t>(p));
    case 'f': return NewFloat(ts, LoadAs<float>(p));
    case 'd': return NewFloat(ts, LoadAs<double>(p));
    case 'c': return NewBytes(ts, {reinterpret_cast<const char*>(p), 1});
    default: break;
  }
  const uint32_t c = LoadAs<uint32_t>(p);
  if (c > 0x10FFFF) {
    return Raise(ts, Exc::kValueError, "character U+%x is not in range [U+0000; U+10ffff]", c);
  }
  return StrFromChar(ts, c);
}

Status ConvertItem(ThreadState& ts, const Kind* kind, Value v, uint8_t* p) {
  switch (kind->code) {
    case 'b': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      MVM_TRY_VOID(CheckRange(ts, i, INT16_MIN, INT16_MAX, "signed short integer"));
      MVM_TRY_VOID(CheckRange(ts, i, INT8_MIN, INT8_MAX, "signed char"));
      return StoreAs(static_cast<int8_t>(i), p);
    }
    case 'B': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      MVM_TRY_VOID(CheckRange(ts, i, 0, UINT8_MAX, "unsigned byte integer"));
      return StoreAs(static_cast<uint8_t>(i), p);
    }
    case 'h': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      MVM_TRY_VOID(CheckRange(ts, i, INT16_MIN, INT16_MAX, "signed short integer"));
      return StoreAs(static_cast<int16_t>(i), p);
    }
    case 'H': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      MVM_TRY_VOID(CheckRange(ts, i, INT32_MIN, INT32_MAX, "signed integer"));
      MVM_TRY_VOID(CheckRange(ts, i, 0, UINT16_MAX, "unsigned short"));
      return StoreAs(static_cast<uint16_t>(i), p);
    }
    case 'i': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      MVM_TRY_VOID(CheckRange(ts, i, INT32_MIN, INT32_MAX, "signed integer"));
      return StoreAs(static_cast<int32_t>(i), p);
    }
    case 'I': {
      MVM_TRY(uint64_t u, UnsignedLongOf(ts, v));
      if (u > UINT32_MAX) return RaiseOverflow(ts, "unsigned int is greater than maximum");
      return StoreAs(static_cast<uint32_t>(u), p);
    }
    case 'l': {
      MVM_TRY(int64_t i, LongOf(ts, v));
      return StoreAs(i, p);
    }
    case 'L': {
      MVM_TRY(uint64_t u, UnsignedLongOf(ts, v));
      return StoreAs(u, p);
    }
    case 'q': {
      MVM_TRY(Ref<> number, Index(ts, v));
      int64_t i;
      if (!IntFitsInt64(number, &i)) return RaiseOverflow(ts, "int too big to convert");
      return StoreAs(i, p);
    }
    case 'Q': {
      MVM_TRY(Ref<> number, Index(ts, v));
      uint64_t u;
      if (IntSign(number) < 0) {
        return RaiseOverflow(ts, "can't convert negative int to unsigned");
      }
      if (!IntFitsUint64(number, &u)) return RaiseOverflow(ts, "int too big to convert");
      return StoreAs(u, p);
    }
    case 'f': {
      MVM_TRY(double d, AsDouble(ts, v));
      return StoreAs(static_cast<float>(d), p);
    }
    case 'd': {
      MVM_TRY(double d, AsDouble(ts, v));
      return StoreAs(d, p);
    }
    case 'c':
      if (!IsBytes(ts, v) || v.as<BytesObject>()->length != 1) {
        return Raise(ts, Exc::kTypeError, "array item must be char");
      }
      *p = v.as<BytesObject>()->data()[0];
      return Ok();
    default: return ConvertChar(ts, v, p);
  }
}

}  // namespace minivm::arrays
