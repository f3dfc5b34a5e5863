// Writing values.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/marshal/marshal.h"

namespace minivm {

void MarshalWriter::Word16(uint32_t n) {
  Byte(static_cast<uint8_t>(n));
  Byte(static_cast<uint8_t>(n >> 8));
}
void MarshalWriter::Word32(uint32_t n) {
  Word16(n);
  Word16(n >> 16);
}

Status MarshalWriter::Room(size_t more) {
  MVM_TRY_VOID(Charge(ts_, static_cast<int64_t>(more / 16 + 1)));
  constexpr size_t kRefBytes = 64;  // about what an entry of the table takes
  return CheckRoom(ts_, data_.size() * 2 + refs_.size() * kRefBytes + more);
}

// Numbers in place have no counts: equal ones are one object. An object that nobody else holds
// cannot occur twice.
bool MarshalWriter::IsShared(Value v) const {
  return !v.is_object() || v.object()->refcount > 1 + held_;
}

bool MarshalWriter::Begin(Value v, char type) {
  if (version_ < 3 || !IsShared(v)) {
    Byte(static_cast<uint8_t>(type));
    return false;
  }
  auto [at, is_new] = refs_.try_emplace(v.bits(), static_cast<uint32_t>(refs_.size()));
  if (!is_new) {
    Byte('r');
    Word32(at->second);
    return true;
  }
  Byte(static_cast<uint8_t>(type) | kFlagRef);
  return false;
}

Status MarshalWriter::WriteInt(Value v) {
  int64_t n;
  if (IntFitsInt64(v, &n) && n >= INT32_MIN && n <= INT32_MAX) {
    if (!Begin(v, 'i')) Word32(static_cast<uint32_t>(n));
    return Ok();
  }
  if (Begin(v, 'l')) return Ok();
  IntView view(v);
  const uint64_t bits =
      (view.size() - 1) * 64 + static_cast<uint64_t>(std::bit_width(view.limbs()[view.size() - 1]));
  const uint64_t digits = (bits + 14) / 15;
  MVM_TRY_VOID(Room(digits * 2));
  const int32_t count = static_cast<int32_t>(digits);
  Word32(static_cast<uint32_t>(view.negative() ? -count : count));
  for (uint64_t i = 0; i < digits; ++i) {
    const uint64_t bit = i * 15;
    uint64_t word = view.limbs()[bit / 64] >> (bit % 64);
    if (bit % 64 > 49 && bit / 64 + 1 < view.size()) {
      word |= view.limbs()[bit / 64 + 1] << (64 - bit % 64);
    }
    Word16(static_cast<uint32_t>(word & 0x7FFF));
  }
  return Ok();
}

Status MarshalWriter::WriteFloat(double d, bool plain) {
  if (!plain) {
    uint64_t bits;
    std::memcpy(&bits, &d, 8);
    Word32(static_cast<uint32_t>(bits));
    Word32(static_cast<uint32_t>(bits >> 32));
    return Ok();
  }
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%.17g", d);
  Byte(static_cast<uint8_t>(size));
  Bytes(text, static_cast<size_t>(size));
  return Ok();
}

Status MarshalWriter::WriteStr(Value v) {
  StrObject* s = v.as<StrObject>();
  const bool interned = s->interned() || s->length <= (s->kind() == 1 ? 1 : 0);
  if (version_ >= 4 && s->ascii()) {
    MVM_TRY_VOID(Room(s->length));
    if (s->length < 256) {
      if (Begin(v, interned ? 'Z' : 'z')) return Ok();
      Byte(static_cast<uint8_t>(s->length));
    } else {
      if (Begin(v, interned ? 'A' : 'a')) return Ok();
      Word32(static_cast<uint32_t>(s->length));
    }
    Bytes(s->data1(), s->length);
    return Ok();
  }
  const std::string utf8 = ToUtf8(s);
  MVM_TRY_VOID(Room(utf8.size()));
  if (utf8.size() > INT32_MAX) return Raise(ts_, Exc::kValueError, "unmarshallable object");
  if (Begin(v, version_ >= 3 && interned ? 't' : 'u')) return Ok();
  Word32(static_cast<uint32_t>(utf8.size()));
  Bytes(utf8.data(), utf8.size());
  return Ok();
}

// Lists and tuples.
Status MarshalWriter::WriteItems(Value v, char type) {
  const bool list = IsExact(v, TypeId::kList);
  const size_t n = list ? v.as<ListObject>()->size : v.as<TupleObject>()->size();
  if (n > INT32_MAX) return Raise(ts_, Exc::kValueError, "unmarshallable object");
  if (!list && version_ >= 4 && n < 256) {
    if (Begin(v, ')')) return Ok();
    Byte(static_cast<uint8_t>(n));
  } else {
    if (Begin(v, type)) return Ok();
    Word32(static_cast<uint32_t>(n));
  }
  for (size_t i = 0; i < n; ++i) {
    if (list && i >= v.as<ListObject>()->size) {  // an item's __buffer__ did that
      return Raise(ts_, Exc::kValueError, "unmarshallable object");
    }
    const Ref<> item =
        Ref<>::Borrow(list ? v.as<ListObject>()->items[i] : (*v.as<TupleObject>())[i]);
    MVM_TRY_VOID(Write(item, 1));
  }
  return Ok();
}

// The order of a set is no property of its value: its items are written in that of their bytes.
Status MarshalWriter::WriteSet(Value v) {
  MVM_TRY(Ref<ListObject> items, ListFrom(ts_, v));
  if (Begin(v, IsExact(v, TypeId::kSet) ? '<' : '>')) return Ok();
  Word32(static_cast<uint32_t>(items->size));
  std::vector<std::pair<std::string, size_t>> order;
  for (size_t i = 0; i < items->size; ++i) {
    MarshalWriter one(ts_, version_, allow_code_);
    one.depth_ = depth_;
    MVM_TRY_VOID(one.Write(items->items[i], 1));
    order.emplace_back(std::move(one.data_), i);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [bytes, i] : order) MVM_TRY_VOID(Write(items->items[i], 1));
  return Ok();
}

Status MarshalWriter::WriteDict(Value v) {
  if (Begin(v, '{')) return Ok();
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts_, v.as<DictObject>(), &pos, &key, &value)) {
    const Ref<> k = Ref<>::Borrow(key), x = Ref<>::Borrow(value);
    MVM_TRY_VOID(Write(k, 1));
    MVM_TRY_VOID(Write(x, 1));
  }
  Byte('0');
  return Ok();
}

Status MarshalWriter::WriteBuffer(Value v) {
  TypeObject* type = TypeOf(ts_, v);
  MVM_TRY_VOID(TypeReady(ts_, type));
  if (type->operators->buffer == nullptr) {
    return Raise(ts_, Exc::kValueError, "unmarshallable object");
  }
  BufferView view;
  MVM_TRY_VOID(GetBuffer(ts_, v, &view, false));
  const auto size = static_cast<size_t>(view.size);
  Status room =
      size > INT32_MAX ? Status(Raise(ts_, Exc::kValueError, "unmarshallable object")) : Room(size);
  if (!room.raised() && !Begin(v, 's')) {
    Word32(static_cast<uint32_t>(size));
    const size_t at = data_.size();
    data_.resize(at + size);
    CopyBuffer(view, reinterpret_cast<uint8_t*>(data_.data()) + at);
  }
  view.Release();
  return room;
}

Status MarshalWriter::Write(Value v, uint32_t held) {
  RecursionGuard guard(ts_, " while marshalling");
  if (!guard) return kRaised;
  struct Level {
    explicit Level(int* d) : depth(d) { ++*depth; }
    ~Level() { --*depth; }
    int* depth;
  } level(&depth_);
  if (depth_ > kMaxMarshalDepth) {
    return Raise(ts_, Exc::kValueError, "object too deeply nested to marshal");
  }
  MVM_TRY_VOID(Room(16));
  held_ = held;
  RuntimeState& rt = *ts_.rt;
  const std::pair<Value, char> singletons[] = {{Value(rt.none), 'N'},
                                               {Value(rt.true_), 'T'},
                                               {Value(rt.false_), 'F'},
                                               {Value(rt.ellipsis), '.'},
                                               {Value(ExcType(ts_, Exc::kStopIteration)), 'S'}};
  for (const auto& [value, type] : singletons) {
    if (!v.is(value)) continue;
    Byte(static_cast<uint8_t>(type));
    return Ok();
  }
  if (v.is_int() || IsExact(v, TypeId::kInt)) return WriteInt(v);
  const bool plain = version_ < 2;
  if (v.is_float() || IsExact(v, TypeId::kFloat)) {
    return Begin(v, plain ? 'f' : 'g') ? Ok() : WriteFloat(FloatValue(v), plain);
  }
  if (IsExact(v, TypeId::kComplex)) {
    if (Begin(v, plain ? 'x' : 'y')) return Ok();
    MVM_TRY_VOID(WriteFloat(v.as<ComplexObject>()->real, plain));
    return WriteFloat(v.as<ComplexObject>()->imag, plain);
  }
  if (IsExact(v, TypeId::kBytes)) return WriteBuffer(v);
  if (IsExact(v, TypeId::kStr)) return WriteStr(v);
  if (IsExact(v, TypeId::kTuple)) return WriteItems(v, '(');
  if (IsExact(v, TypeId::kList)) return WriteItems(v, '[');
  if (TypeOf(ts_, v) == TypeById(ts_, TypeId::kDict)) return WriteDict(v);
  if (IsExact(v, TypeId::kSet) || IsExact(v, TypeId::kFrozenset)) return WriteSet(v);
  if (IsExact(v, TypeId::kCode)) {
    if (!allow_code_) {
      return Raise(ts_, Exc::kValueError, "marshalling code objects is disallowed");
    }
    return Begin(v, 'c') ? Ok() : WriteCode(ts_, *this, v);
  }
  return WriteBuffer(v);
}

}  // namespace minivm
