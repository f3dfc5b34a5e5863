// The methods that all hash objects have.
#include "stdlib/hash/hash_types.h"

#include <new>

#include "runtime/core/blocking.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm::hash {

namespace {
constexpr size_t kSlice = 1 << 20;
constexpr size_t kLong = 2048;  // what is worth letting other threads run for

// Hashes a long piece with the lock released, on a copy of the state. If the state has changed
// meanwhile, another thread was faster, and the piece comes behind what that one hashed.
void UpdateLong(ThreadState& ts, Digest& d, std::string_view piece) {
  const Digest before(d);
  Digest work(d);
  {
    BlockingScope scope(ts);
    work.Update(piece);
  }
  if (d.IsSame(before)) {
    d = work;
  } else {
    d.Update(piece);
  }
}

Digest& Self(Args args) { return args.self<HashObject>()->digest(); }
}  // namespace

Result<> NewHash(ThreadState& ts, TypeObject* type, const Digest& digest) {
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  new (made.as<HashObject>()->storage) Digest(digest);
  return made;
}

Status UpdateFrom(ThreadState& ts, Digest& d, Value data) {
  if (IsStr(ts, data)) {
    return Raise(ts, Exc::kTypeError, "Strings must be encoded before hashing");
  }
  if (!HasBuffer(ts, data)) {
    return Raise(ts, Exc::kTypeError, "object supporting the buffer API required");
  }
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, data));
  for (std::string_view rest = view.view(); !rest.empty();) {
    const std::string_view slice = rest.substr(0, kSlice);
    if (slice.size() < kLong || ts.rt->gil == nullptr) {
      d.Update(slice);
    } else {
      UpdateLong(ts, d, slice);
    }
    rest.remove_prefix(slice.size());
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(slice.size() / 4)));
  }
  return Ok();
}

Result<> HexText(ThreadState& ts, const uint8_t* p, size_t n) {
  constexpr char kDigits[] = "0123456789abcdef";
  MVM_TRY_VOID(CheckRoom(ts, n * 2));
  if (n == 0) return EmptyStr(ts);
  MVM_TRY(Ref<StrObject> text, NewStrRaw(ts, n * 2, 0x7F));
  uint8_t* out = text->data1();
  for (size_t i = 0; i < n; ++i) {
    *out++ = static_cast<uint8_t>(kDigits[p[i] >> 4]);
    *out++ = static_cast<uint8_t>(kDigits[p[i] & 15]);
  }
  return text;
}

Result<> hash_update(ThreadState& ts, Args args) {
  MVM_TRY_VOID(UpdateFrom(ts, Self(args), args[1]));
  return None(ts);
}

Result<> hash_digest(ThreadState& ts, Args args) {
  uint8_t out[kMaxDigest];
  Self(args).Finish(out);
  return NewBytes(ts, {reinterpret_cast<const char*>(out), Self(args).size()});
}

Result<> hash_hexdigest(ThreadState& ts, Args args) {
  uint8_t out[kMaxDigest];
  Self(args).Finish(out);
  return HexText(ts, out, Self(args).size());
}

Result<> hash_copy(ThreadState& ts, Args args) {
  return NewHash(ts, TypeOf(ts, args[0]), Self(args));
}

Result<> hash_get_block_size(ThreadState&, Value self) {
  return Small(static_cast<int64_t>(self.as<HashObject>()->digest().block_size()));
}
Result<> hash_get_digest_size(ThreadState&, Value self) {
  return Small(static_cast<int64_t>(self.as<HashObject>()->digest().size()));
}
Result<> hash_get_name(ThreadState& ts, Value self) {
  return NewStr(ts, InfoOf(self.as<HashObject>()->digest().kind()).name);
}

}  // namespace minivm::hash
