// Reading values. What is read may be anything: sizes are checked before they are believed.
#include <bit>
#include <cstring>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/marshal/marshal.h"

namespace minivm {

Result<const char*> MarshalReader::Need(size_t n) {
  if (file_.is_null()) {
    if (n > data_.size()) return Raise(ts_, Exc::kEOFError, "marshal data too short");
    const char* p = data_.data();
    data_.remove_prefix(n);
    return p;
  }
  MVM_TRY(Ref<BytearrayObject> buffer, NewBytearrayRaw(ts_, n));
  if (n != 0) std::memset(buffer->data(), 0, n);
  MVM_TRY(Ref<> readinto, GetAttr(ts_, file_, "readinto"));
  MVM_TRY(Ref<> count, Call(ts_, readinto, buffer));
  MVM_TRY(int64_t got, AsInt64(ts_, count));
  if (got > static_cast<int64_t>(n)) {
    return Raise(ts_, Exc::kValueError,
                 "read() returned too much data: %zu bytes requested, %lld returned", n,
                 static_cast<long long>(got));
  }
  if (got < static_cast<int64_t>(n) || buffer->size < n) {
    return Raise(ts_, Exc::kEOFError, "marshal data too short");
  }
  const char* p = reinterpret_cast<const char*>(buffer->data());
  chunk_ = std::move(buffer);
  return p;
}

namespace {
uint32_t Load32(const char* p) {
  uint32_t n = 0;
  for (int i = 0; i < 4; ++i) n |= uint32_t{static_cast<uint8_t>(p[i])} << (8 * i);
  return n;
}
}  // namespace

Result<uint32_t> MarshalReader::Word32() {
  MVM_TRY(const char* p, Need(4));
  return Load32(p);
}

Result<int32_t> MarshalReader::Size(const char* what) {
  MVM_TRY(uint32_t n, Word32());
  if (static_cast<int32_t>(n) < 0) {
    return Raise(ts_, Exc::kValueError, "bad marshal data (%s size out of range)", what);
  }
  return static_cast<int32_t>(n);
}

void MarshalReader::Enter(int64_t slot, Value v) {
  if (slot >= 0) refs_[static_cast<size_t>(slot)] = Ref<>::Borrow(v);
}

Result<> MarshalReader::ReadLong() {
  MVM_TRY(uint32_t word, Word32());
  const auto signed_count = static_cast<int32_t>(word);
  if (signed_count == INT32_MIN) {
    return Raise(ts_, Exc::kValueError, "bad marshal data (long size out of range)");
  }
  const auto count = static_cast<size_t>(signed_count < 0 ? -signed_count : signed_count);
  if (count == 0) return Small(0);
  MVM_TRY_VOID(CheckRoom(ts_, count * 2));
  MVM_TRY(const char* p, Need(count * 2));
  std::vector<uint64_t> limbs((count * 15 + 63) / 64 + 1, 0);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t digit =
        static_cast<uint8_t>(p[2 * i]) | uint64_t{static_cast<uint8_t>(p[2 * i + 1])} << 8;
    if (digit > 0x7FFF) {
      return Raise(ts_, Exc::kValueError, "bad marshal data (digit out of range in long)");
    }
    if (digit == 0 && i == count - 1) {
      return Raise(ts_, Exc::kValueError, "bad marshal data (unnormalized long data)");
    }
    const size_t bit = i * 15;
    limbs[bit / 64] |= digit << (bit % 64);
    if (bit % 64 > 49) limbs[bit / 64 + 1] |= digit >> (64 - bit % 64);
  }
  size_t n = limbs.size();
  while (n > 0 && limbs[n - 1] == 0) --n;
  return NewIntFromLimbs(ts_, limbs.data(), n, signed_count < 0);
}

Result<> MarshalReader::ReadText(size_t n, bool interned, bool utf8) {
  MVM_TRY_VOID(CheckRoom(ts_, n));
  MVM_TRY(const char* p, Need(n));
  Ref<StrObject> text;
  if (utf8) {
    MVM_TRY(text, Decode(ts_, {p, n}, "utf-8", "surrogatepass"));
  } else {
    MVM_TRY(text, NewStrFromUcs1(ts_, reinterpret_cast<const uint8_t*>(p), n));
  }
  if (interned) return Intern(ts_, text);
  return text;
}

Result<double> MarshalReader::ReadTextFloat() {
  MVM_TRY(const char* size, Need(1));
  MVM_TRY(Ref<> text, ReadText(static_cast<uint8_t>(*size), false, false));
  MVM_TRY(Ref<> number, ToFloat(ts_, text));
  return FloatValue(number);
}

Result<double> MarshalReader::ReadBinaryFloat() {
  MVM_TRY(const char* p, Need(8));
  const uint64_t bits = Load32(p) | uint64_t{Load32(p + 4)} << 32;
  double d;
  std::memcpy(&d, &bits, 8);
  return d;
}

Result<> MarshalReader::ReadItem(const char* where) {
  MVM_TRY(Ref<> v, Read());
  if (!v.is_done()) return v;
  return Raise(ts_, Exc::kTypeError, "NULL object in marshal data for %s", where);
}

// Lists, tuples, sets, frozensets of n items.
Result<> MarshalReader::ReadSequence(uint32_t n, char type, int64_t slot) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts_, 0));
  Ref<> set;
  if (type == '[') Enter(slot, list);
  if (type == '<') {
    MVM_TRY(set, NewSet(ts_));
    Enter(slot, set);
  }
  const char* const where = type == '[' ? "list" : type == '(' ? "tuple" : "set";
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> item, ReadItem(where));
    if (type == '<') {
      MVM_TRY_VOID(SetAdd(ts_, set.as<SetObject>(), item));
    } else {
      MVM_TRY_VOID(ListAppend(ts_, list, item));
    }
  }
  if (type == '[') return list;
  if (type == '<') return set;
  Ref<> done;
  if (type == '(') {
    MVM_TRY(done, NewTuple(ts_, {list->items, list->size}));
  } else {
    MVM_TRY(done, NewFrozenset(ts_, list));
  }
  Enter(slot, done);
  return done;
}

Result<> MarshalReader::ReadDict(int64_t slot) {
  MVM_TRY(Ref<DictObject> dict, NewDict(ts_));
  Enter(slot, dict);
  for (;;) {
    MVM_TRY(Ref<> key, Read());
    if (key.is_done()) return dict;
    MVM_TRY(Ref<> value, Read());
    if (value.is_done()) return dict;
    MVM_TRY_VOID(DictSet(ts_, dict, key, value));
  }
}

Result<> MarshalReader::Read() {
  RecursionGuard guard(ts_, " while unmarshalling");
  if (!guard) return kRaised;
  MVM_TRY_VOID(Charge(ts_, 4));
  Result<const char*> first = Need(1);
  if (first.raised()) {
    if (!ClearPendingIf(ts_, Exc::kEOFError)) return kRaised;
    return Raise(ts_, Exc::kEOFError, "EOF read where object expected");
  }
  const auto byte = static_cast<uint8_t>(*first.Take());
  if (depth_ >= kMaxMarshalDepth) return Raise(ts_, Exc::kValueError, "recursion limit exceeded");
  int64_t slot = -1;
  // The flag means nothing where there is nothing to refer to.
  const bool plain = std::strchr("NFTS.r0", byte & ~kFlagRef) != nullptr;
  if ((byte & kFlagRef) && !plain) {
    slot = static_cast<int64_t>(refs_.size());
    refs_.emplace_back();
  }
  ++depth_;
  Result<> v = ReadType(static_cast<char>(byte & ~kFlagRef), slot);
  --depth_;
  if (!v.raised() && slot >= 0 && refs_[static_cast<size_t>(slot)].is_null()) {
    Ref<> object = v.Take();
    Enter(slot, object);
    return object;
  }
  return v;
}

Result<> MarshalReader::ReadType(char type, int64_t slot) {
  switch (type) {
    case '0': return Result<>::Done();
    case 'N': return None(ts_);
    case 'F':
    case 'T': return Bool(ts_, type == 'T');
    case '.': return Result<>::Borrow(ts_.rt->ellipsis);
    case 'S': return Result<>::Borrow(Value(ExcType(ts_, Exc::kStopIteration)));
    case 'i': {
      MVM_TRY(uint32_t n, Word32());
      return Small(static_cast<int32_t>(n));
    }
    case 'I': {  // of older versions
      MVM_TRY(const char* p, Need(8));
      return NewInt(ts_, static_cast<int64_t>(Load32(p) | uint64_t{Load32(p + 4)} << 32));
    }
    case 'l': return ReadLong();
    case 'f':
    case 'g': {
      MVM_TRY(double d, type == 'f' ? ReadTextFloat() : ReadBinaryFloat());
      return NewFloat(ts_, d);
    }
    case 'x':
    case 'y': {
      MVM_TRY(double real, type == 'x' ? ReadTextFloat() : ReadBinaryFloat());
      MVM_TRY(double imag, type == 'x' ? ReadTextFloat() : ReadBinaryFloat());
      return NewComplex(ts_, real, imag);
    }
    case 's': {
      MVM_TRY(int32_t n, Size("bytes object"));
      MVM_TRY_VOID(CheckRoom(ts_, static_cast<size_t>(n)));
      MVM_TRY(const char* p, Need(static_cast<size_t>(n)));
      return NewBytes(ts_, {p, static_cast<size_t>(n)});
    }
    case 'a':
    case 'A':
    case 't':
    case 'u': {
      MVM_TRY(int32_t n, Size("string"));
      return ReadText(static_cast<size_t>(n), type == 'A' || type == 't',
                      type == 't' || type == 'u');
    }
    case 'z':
    case 'Z': {
      Result<const char*> p = Need(1);
      if (p.raised()) return kRaised;
      return ReadText(static_cast<uint8_t>(*p.Take()), type == 'Z', false);
    }
    case ')': {
      Result<const char*> p = Need(1);
      if (p.raised()) {
        if (!ClearPendingIf(ts_, Exc::kEOFError)) return kRaised;
        return Raise(ts_, Exc::kEOFError, "EOF read where not expected");
      }
      return ReadSequence(static_cast<uint8_t>(*p.Take()), '(', slot);
    }
    case '(':
    case '[':
    case '<':
    case '>': {
      MVM_TRY(int32_t n, Size(type == '(' ? "tuple" : type == '[' ? "list" : "set"));
      return ReadSequence(static_cast<uint32_t>(n), type, slot);
    }
    case '{': return ReadDict(slot);
    case 'r': {
      MVM_TRY(uint32_t n, Word32());
      if (n >= refs_.size() || refs_[n].is_null()) {
        return Raise(ts_, Exc::kValueError, "bad marshal data (invalid reference)");
      }
      return Ref<>(refs_[n]);
    }
    case 'c':
      if (!allow_code_) {
        return Raise(ts_, Exc::kValueError, "unmarshalling code objects is disallowed");
      }
      return ReadCode(ts_, *this);
    default: return Raise(ts_, Exc::kValueError, "bad marshal data (unknown type code)");
  }
}

Result<> MarshalReader::ReadObject() { return ReadItem("object"); }

}  // namespace minivm
