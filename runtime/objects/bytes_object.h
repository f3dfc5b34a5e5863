// bytes: immutable byte strings; aux caches the hash (0: not computed). A NUL follows the data.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

class BytesObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kBytes;
  uint64_t length;
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(data()), static_cast<size_t>(length)};
  }
  // Where an instance of a script's subclass keeps its DictObject* (AttrStorage::kVarTail).
  size_t tail_offset() const { return (sizeof(*this) + length + 1 + 7) & ~size_t{7}; }
};

Result<BytesObject> NewBytes(ThreadState& ts, std::string_view data);
// Uninitialised contents; MemoryError past the cap.
Result<BytesObject> NewBytesRaw(ThreadState& ts, size_t length);
// The bytes of a bytes-like object or an iterable of ints, or what __bytes__ gives. TypeError.
Result<> BytesFromObject(ThreadState& ts, Value v);
// The 32-bit hash of a byte string. Pure.
uint32_t BytesHash(const RuntimeState& rt, std::string_view data);
// prefix b'...' with escapes; prefix "b" or bytearray's, which has other rules for quotes.
Result<StrObject> BytesRepr(ThreadState& ts, std::string_view data, const char* prefix);

}  // namespace minivm
