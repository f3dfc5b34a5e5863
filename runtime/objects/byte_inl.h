// Small helpers of the files that implement the methods of bytes and bytearray.
#pragma once

#include <algorithm>

#include "runtime/objects/byte_methods.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

inline bool IsBytearray(ThreadState& ts, Value v) {
  return HasTypeFlag(ts, v, kTypeBytearraySubclass);
}
inline const uint8_t* Chars(std::string_view s) {
  return reinterpret_cast<const uint8_t*>(s.data());
}
inline bool IsSpaceByte(uint8_t c) { return c == ' ' || static_cast<uint8_t>(c - '\t') < 5; }

// What an operation that changes nothing returns: bytes themselves, a copy of anything else.
inline Result<> SameBytes(ThreadState& ts, Value self) {
  if (IsExact(self, TypeId::kBytes)) return Result<>::Borrow(self);
  return BytesLike(ts, self, BytesOf(ts, self));
}

// A new object of self's kind with room to write into; data is never null after Make().
struct RawBytes {
  Ref<> object;
  uint8_t* data = nullptr;
  Status Make(ThreadState& ts, Value self, size_t size) {
    if (IsBytearray(ts, self)) {
      MVM_TRY(Ref<BytearrayObject> made, NewBytearrayRaw(ts, size));
      data = reinterpret_cast<uint8_t*>(const_cast<char*>(made->view().data()));
      object = std::move(made);
    } else if (size == 0) {
      MVM_TRY(Ref<BytesObject> made, NewBytes(ts, {}));
      data = made->data();
      object = std::move(made);
    } else {
      MVM_TRY(Ref<BytesObject> made, NewBytesRaw(ts, size));
      data = made->data();
      object = std::move(made);
    }
    return Ok();
  }
};

// The optional start and end (arguments 2 and 3), before the length is known.
struct ByteRange {
  int64_t start = 0, end = INT64_MAX;
  Status Get(ThreadState& ts, Args args) {
    for (uint32_t i = 2; i < 4; ++i) {
      if (!args.has(i) || IsNone(ts, args[i])) continue;
      int64_t& bound = i == 2 ? start : end;
      if (args[i].is_int()) {
        bound = args[i].as_int();
        continue;
      }
      if (!IsInt(ts, args[i]) && !TypeOf(ts, args[i])->operators->index) {
        return Raise(ts, Exc::kTypeError,
                     "slice indices must be integers or None or have an __index__ method");
      }
      MVM_TRY(bound, IndexAsInt64(ts, args[i], Exc::kCount));
    }
    return Ok();
  }
  void Clamp(size_t length, size_t* from, size_t* to) const {
    const int64_t n = static_cast<int64_t>(length);
    *from = static_cast<size_t>(start < 0 ? std::max<int64_t>(start + n, 0) : start);
    *to = static_cast<size_t>(end < 0 ? std::max<int64_t>(end + n, 0) : std::min(end, n));
  }
};

}  // namespace minivm
