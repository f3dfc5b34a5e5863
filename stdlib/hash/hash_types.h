// What the modules _hashlib and _blake2 share.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/hash/digest.h"

namespace minivm::hash {

// A digest under way: HASH, HASHXOF, blake2b and blake2s.
class HashObject : public Object {
 public:
  alignas(Digest) unsigned char storage[sizeof(Digest)];
  Digest& digest() { return *reinterpret_cast<Digest*>(storage); }
};

// A new object of that type with this state.
Result<> NewHash(ThreadState& ts, TypeObject* type, const Digest& digest);
// update(): any bytes-like object but a str.
Status UpdateFrom(ThreadState& ts, Digest& d, Value data);
Result<> hash_update(ThreadState& ts, Args args);
Result<> hash_digest(ThreadState& ts, Args args);
Result<> hash_hexdigest(ThreadState& ts, Args args);
Result<> hash_copy(ThreadState& ts, Args args);
Result<> hash_get_block_size(ThreadState& ts, Value self);
Result<> hash_get_digest_size(ThreadState& ts, Value self);
Result<> hash_get_name(ThreadState& ts, Value self);
// The bytes as hexadecimal digits.
Result<> HexText(ThreadState& ts, const uint8_t* p, size_t n);

}  // namespace minivm::hash
