// _hashlib: message digests, HMAC, keys from passwords. hashlib and hmac are over it.
#include <bit>
#include <new>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/hash/hash_types.h"
#include "stdlib/hash/key_derivation.h"
#include "stdlib/operator/secure_compare.h"

namespace minivm {

extern const TypeSpec kHashType;
extern const TypeSpec kHashXofType;
extern const TypeSpec kHmacType;

namespace hash {
namespace {

// A hash object of the kind; `data` may be absent.
Result<> MakeHash(ThreadState& ts, Kind kind, Value data) {
  Digest digest(kind);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, digest.size() ? kHashType : kHashXofType));
  MVM_TRY(Ref<> made, NewHash(ts, type, digest));
  if (!data.is_absent()) MVM_TRY_VOID(UpdateFrom(ts, made.as<HashObject>()->digest(), data));
  return made;
}

template <Kind kKind>
Result<> openssl_constructor(ThreadState& ts, Args args) {
  return MakeHash(ts, kKind, args[0]);
}

// _hashlib.UnsupportedDigestmodError
[[gnu::cold]] Raised RaiseUnsupported(ThreadState& ts, const char* text) {
  MVM_TRY(Ref<StrObject> message, NewStr(ts, text));
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_hashlib"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "UnsupportedDigestmodError"));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

Result<Kind> KindByName(ThreadState& ts, Value name) {
  const KindInfo* info = FindKind(ToUtf8(name.as<StrObject>()));
  if (!info) return RaiseUnsupported(ts, "[digital envelope routines] unsupported");
  return info->kind;
}

Result<> hashlib_new(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "name must be a string");
  const KindInfo* info = FindKind(ToUtf8(args.as<StrObject>(0)));
  if (!info) {
    return Raise(ts, Exc::kValueError, "unsupported hash type %U", args[0]);
  }
  return MakeHash(ts, info->kind, args[1]);
}

// ---- the kinds without a size ----

Result<int64_t> LengthArgument(ThreadState& ts, Value v) {
  MVM_TRY(int64_t n, AsInt64(ts, v));
  if (n < 0) {
    return Raise(ts, Exc::kSystemError, "Negative size passed to PyBytes_FromStringAndSize");
  }
  if (n > int64_t{1} << 36) return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(n) * 3));
  MVM_TRY_VOID(Charge(ts, n / 4));
  return n;
}

Result<> hash_xof_digest(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, LengthArgument(ts, args[1]));
  if (n == 0) return NewBytes(ts, {});
  MVM_TRY(Ref<BytesObject> bytes, NewBytesRaw(ts, static_cast<size_t>(n)));
  args.self<HashObject>()->digest().Squeeze(bytes->data(), static_cast<size_t>(n));
  return bytes;
}

Result<> hash_xof_hexdigest(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> bytes, hash_xof_digest(ts, args));
  return HexText(ts, bytes.as<BytesObject>()->data(), bytes.as<BytesObject>()->length);
}

Result<> hash_repr(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, self)));
  return Format(ts, "<%s %T object @ 0x%llx>", InfoOf(self.as<HashObject>()->digest().kind()).name,
                self, static_cast<unsigned long long>(self.bits()));
}

// ---- HMAC, keys ----

// The kind of a name or of one of the constructors of this module.
Result<Kind> KindOfDigestmod(ThreadState& ts, Value digestmod) {
  Kind kind;
  if (IsStr(ts, digestmod)) {
    MVM_TRY(kind, KindByName(ts, digestmod));
  } else {
    constexpr std::string_view kPrefix = "openssl_";
    const KindInfo* info = nullptr;
    if (IsExact(digestmod, TypeId::kNativeFunction)) {
      const std::string_view text = digestmod.as<NativeFunctionObject>()->spec->signature;
      if (text.starts_with(kPrefix)) {
        info = FindKind(text.substr(kPrefix.size(), text.find('(') - kPrefix.size()));
      }
    }
    if (!info) {
      MVM_TRY(Ref<StrObject> message, Format(ts, "Unsupported digestmod %S", digestmod));
      return RaiseUnsupported(ts, ToUtf8(message).c_str());
    }
    kind = info->kind;
  }
  if (InfoOf(kind).digest_size == 0) return Raise(ts, Exc::kValueError, "no reason supplied");
  return kind;
}

class HmacObject : public Object {
 public:
  alignas(Hmac) unsigned char storage[sizeof(Hmac)];
  Kind kind;
  Hmac& hmac() { return *reinterpret_cast<Hmac*>(storage); }
};

Result<> NewHmac(ThreadState& ts, Kind kind, const Hmac& state) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kHmacType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<HmacObject>()->kind = kind;
  new (made.as<HmacObject>()->storage) Hmac(state);
  return made;
}

// A message for an HMAC: like UpdateFrom.
Status UpdateHmac(ThreadState& ts, Hmac& h, Value data) {
  if (IsStr(ts, data)) {
    return Raise(ts, Exc::kTypeError, "Strings must be encoded before hashing");
  }
  if (!HasBuffer(ts, data)) {
    return Raise(ts, Exc::kTypeError, "object supporting the buffer API required");
  }
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, data));
  h.Update(view.view());
  return Charge(ts, static_cast<int64_t>(view.size() / 4));
}

Result<> hashlib_hmac_new(ThreadState& ts, Args args) {
  ByteView key;
  MVM_TRY_VOID(key.Get(ts, args[0]));
  if (!args.has(2)) {
    return Raise(ts, Exc::kTypeError, "Missing required parameter 'digestmod'.");
  }
  MVM_TRY(Kind kind, KindOfDigestmod(ts, args[2]));
  MVM_TRY(Ref<> made, NewHmac(ts, kind, Hmac(kind, key.view())));
  if (args.has(1) && !IsNone(ts, args[1])) {
    MVM_TRY_VOID(UpdateHmac(ts, made.as<HmacObject>()->hmac(), args[1]));
  }
  return made;
}

Result<> hmac_update(ThreadState& ts, Args args) {
  MVM_TRY_VOID(UpdateHmac(ts, args.self<HmacObject>()->hmac(), args[1]));
  return None(ts);
}
Result<> hmac_copy(ThreadState& ts, Args args) {
  return NewHmac(ts, args.self<HmacObject>()->kind, args.self<HmacObject>()->hmac());
}
Result<> hmac_digest(ThreadState& ts, Args args) {
  uint8_t out[kMaxDigest];
  args.self<HmacObject>()->hmac().Finish(out);
  return NewBytes(ts, {reinterpret_cast<const char*>(out), args.self<HmacObject>()->hmac().size()});
}
Result<> hmac_hexdigest(ThreadState& ts, Args args) {
  uint8_t out[kMaxDigest];
  args.self<HmacObject>()->hmac().Finish(out);
  return HexText(ts, out, args.self<HmacObject>()->hmac().size());
}
Result<> hmac_get_digest_size(ThreadState&, Value self) {
  return Small(InfoOf(self.as<HmacObject>()->kind).digest_size);
}
Result<> hmac_get_block_size(ThreadState&, Value self) {
  return Small(InfoOf(self.as<HmacObject>()->kind).block_size);
}
Result<> hmac_get_name(ThreadState& ts, Value self) {
  return Format(ts, "hmac-%s", InfoOf(self.as<HmacObject>()->kind).name);
}
Result<> hmac_repr(ThreadState& ts, Value self) {
  return Format(ts, "<%s HMAC object @ 0x%llx>", InfoOf(self.as<HmacObject>()->kind).name,
                static_cast<unsigned long long>(self.bits()));
}

Result<> hashlib_hmac_digest(ThreadState& ts, Args args) {
  ByteView key, message;
  MVM_TRY_VOID(key.Get(ts, args[0]));
  MVM_TRY_VOID(message.Get(ts, args[1]));
  MVM_TRY(Kind kind, KindOfDigestmod(ts, args[2]));
  Hmac h(kind, key.view());
  h.Update(message.view());
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(message.size() / 4)));
  uint8_t out[kMaxDigest];
  h.Finish(out);
  return NewBytes(ts, {reinterpret_cast<const char*>(out), h.size()});
}

Result<> hashlib_pbkdf2_hmac(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "pbkdf2_hmac() argument 'hash_name' must be str, not %T",
                 args[0]);
  }
  ByteView password, salt;
  MVM_TRY_VOID(password.Get(ts, args[1]));
  MVM_TRY_VOID(salt.Get(ts, args[2]));
  Result<int64_t> count = AsInt64(ts, args[3]);
  if (count.raised()) {
    if (!ClearPendingIf(ts, Exc::kOverflowError)) return kRaised;
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
  }
  const int64_t iterations = count.Take();
  MVM_TRY(Kind kind, KindByName(ts, args[0]));
  if (InfoOf(kind).digest_size == 0) {
    return RaiseUnsupported(ts, "[digital envelope routines] unsupported");
  }
  if (iterations < 1) {
    return Raise(ts, Exc::kValueError, "iteration value must be greater than 0.");
  }
  if (iterations > INT32_MAX) {
    return Raise(ts, Exc::kOverflowError, "iteration value is too great.");
  }
  int64_t n = InfoOf(kind).digest_size;
  if (!IsNone(ts, args[4])) {
    MVM_TRY(n, AsInt64(ts, args[4]));
  }
  if (n < 1) return Raise(ts, Exc::kValueError, "key length must be greater than 0.");
  if (n > INT32_MAX) return Raise(ts, Exc::kOverflowError, "key length is too great.");
  MVM_TRY(Ref<BytesObject> key, NewBytesRaw(ts, static_cast<size_t>(n)));
  MVM_TRY_VOID(Pbkdf2(ts, kind, password.view(), salt.view(), static_cast<uint64_t>(iterations),
                      key->data(), static_cast<size_t>(n)));
  return key;
}

// n, r or p of scrypt.
Result<uint64_t> ScryptNumber(ThreadState& ts, Value v, const char* name) {
  if (v.is_absent() || IsNone(ts, v) || !IsInt(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s is required and must be an unsigned int", name);
  }
  uint64_t u;
  if (!IntFitsUint64(v, &u)) {
    return Raise(ts, Exc::kTypeError, "%s is required and must be an unsigned int", name);
  }
  return u;
}

Result<> hashlib_scrypt(ThreadState& ts, Args args) {
  ByteView password, salt;
  MVM_TRY_VOID(password.Get(ts, args[0]));
  if (!args.has(1) || IsNone(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "salt is required");
  }
  MVM_TRY_VOID(salt.Get(ts, args[1]));
  MVM_TRY(uint64_t n, ScryptNumber(ts, args[2], "n"));
  if (n < 2 || !std::has_single_bit(n)) {
    return Raise(ts, Exc::kValueError, "n must be a power of 2.");
  }
  MVM_TRY(uint64_t r, ScryptNumber(ts, args[3], "r"));
  MVM_TRY(uint64_t p, ScryptNumber(ts, args[4], "p"));
  MVM_TRY(int64_t most, AsInt64(ts, args[5]));
  if (most < 0 || most > INT32_MAX) {
    return Raise(ts, Exc::kValueError, "maxmem must be positive and smaller than %d", INT32_MAX);
  }
  MVM_TRY(int64_t length, AsInt64(ts, args[6]));
  if (length < 1 || length > INT32_MAX) {
    return Raise(ts, Exc::kValueError, "dklen must be greater than 0 and smaller than %d",
                 INT32_MAX);
  }
  if (r == 0 || p == 0 || r > (1u << 30) || p > ((1u << 30) - 1) / r) {
    return Raise(ts, Exc::kValueError, "Invalid parameter combination for n, r, p, maxmem.");
  }
  const uint64_t allowed = most ? static_cast<uint64_t>(most) : 32u << 20;
  uint64_t needed;
  if (__builtin_mul_overflow(128 * r, n + p + 2, &needed) || needed > allowed) {
    return Raise(ts, Exc::kValueError, "[digital envelope routines] memory limit exceeded");
  }
  MVM_TRY_VOID(CheckRoom(ts, needed));
  MVM_TRY(Ref<BytesObject> key, NewBytesRaw(ts, static_cast<size_t>(length)));
  MVM_TRY_VOID(
      Scrypt(ts, password.view(), salt.view(), n, r, p, key->data(), static_cast<size_t>(length)));
  return key;
}

// ---- the module ----

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<SetObject> names, NewSet(ts));
  for (int i = 0; i < static_cast<int>(Kind::kBlake2b); ++i) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, InfoOf(static_cast<Kind>(i)).name));
    MVM_TRY_VOID(SetAdd(ts, names, name));
  }
  MVM_TRY(Ref<SetObject> frozen, NewFrozenset(ts, names));
  MVM_TRY_VOID(ModuleAdd(ts, module, "openssl_md_meth_names", frozen));
  const Value base = ExcType(ts, Exc::kValueError);
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "UnsupportedDigestmodError"));
  MVM_TRY(Ref<StrObject> owner, InternUtf8(ts, "_hashlib"));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), owner));
  MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), name, bases, ns));
  return ModuleAdd(ts, module, "UnsupportedDigestmodError", type);
}

#define MVM_HASH_ROW(name, kind)                                            \
  {                                                                         \
    "openssl_" #name "(string=<unrepresentable>, *, usedforsecurity=True)", \
        openssl_constructor<Kind::kind>,                                    \
        "A " #name " hash, of the bytes given here to begin with."          \
  }
const MethodSpec kFunctions[] = {
    {"compare_digest(a, b, /)", CompareDigest,
     "a == b, for two ASCII texts or two bytes-like objects, in a time that does not tell where "
     "they differ."},
    {"hmac_digest(key, msg, digest)", hashlib_hmac_digest,
     "The keyed hash of msg at once, as bytes; digest is the name of the algorithm."},
    {"hmac_new(key, msg=<unrepresentable>, digestmod=<unrepresentable>)", hashlib_hmac_new,
     "A hash keyed with key, by the algorithm digestmod."},
    {"new(name, string=<unrepresentable>, *, usedforsecurity=True)", hashlib_new,
     "A hash by the name of its algorithm. ValueError if there is none of that name."},
    MVM_HASH_ROW(md5, kMd5),
    MVM_HASH_ROW(sha1, kSha1),
    MVM_HASH_ROW(sha224, kSha224),
    MVM_HASH_ROW(sha256, kSha256),
    MVM_HASH_ROW(sha384, kSha384),
    MVM_HASH_ROW(sha3_224, kSha3_224),
    MVM_HASH_ROW(sha3_256, kSha3_256),
    MVM_HASH_ROW(sha3_384, kSha3_384),
    MVM_HASH_ROW(sha3_512, kSha3_512),
    MVM_HASH_ROW(sha512, kSha512),
    MVM_HASH_ROW(shake_128, kShake128),
    MVM_HASH_ROW(shake_256, kShake256),
    {"pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None)", hashlib_pbkdf2_hmac,
     "A key of dklen bytes made from a password by that many iterations; as long as a digest by "
     "default."},
    {"scrypt(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64)", hashlib_scrypt,
     "A key of dklen bytes made from a password; n, r and p set what it costs, maxmem (bytes) its "
     "limit."},
};
#undef MVM_HASH_ROW

const MethodSpec kHashMethods[] = {
    {"copy(self, /)", hash_copy, "A hash in the same state, to go on with apart."},
    {"digest(self, /)", hash_digest, "The hash of what has been passed so far, as bytes."},
    {"hexdigest(self, /)", hash_hexdigest,
     "The hash of what has been passed so far, as hex digits."},
    {"update(self, obj, /)", hash_update,
     "Hash more bytes, as if they stood right after the earlier ones."},
};
const MethodSpec kHashXofMethods[] = {
    {"copy(self, /)", hash_copy, "A hash in the same state, to go on with apart."},
    {"digest(self, /, length)", hash_xof_digest,
     "The hash of what has been passed so far, as bytes."},
    {"hexdigest(self, /, length)", hash_xof_hexdigest,
     "The hash of what has been passed so far, as hex digits."},
    {"update(self, obj, /)", hash_update,
     "Hash more bytes, as if they stood right after the earlier ones."},
};
const GetSetSpec kHashGetSets[] = {
    {"block_size", hash_get_block_size},
    {"digest_size", hash_get_digest_size},
    {"name", hash_get_name, nullptr, "algorithm name."},
};
const MethodSpec kHmacMethods[] = {
    {"copy(self, /)", hmac_copy, "A keyed hash in the same state, to go on with apart."},
    {"digest(self, /)", hmac_digest, "The keyed hash of what has been passed so far, as bytes."},
    {"hexdigest(self, /)", hmac_hexdigest, "The digest as hexadecimal digits."},
    {"update(self, /, msg)", hmac_update,
     "Hash more bytes, as if they stood right after the earlier ones."},
};
const GetSetSpec kHmacGetSets[] = {
    {"block_size", hmac_get_block_size},
    {"digest_size", hmac_get_digest_size},
    {"name", hmac_get_name},
};
const TypeSpec* const kTypes[] = {&kHashType, &kHashXofType, &kHmacType};

}  // namespace
}  // namespace hash

const TypeSpec kHashType = {
    .name = "_hashlib.HASH",
    .doc = "A hash under way: bytes go in, a digest of fixed size comes out.",
    .flags = kTypeNoNew,
    .size = sizeof(hash::HashObject),
    .slots = {.repr = hash::hash_repr},
    .methods = hash::kHashMethods,
    .getsets = hash::kHashGetSets,
};

const TypeSpec kHashXofType = {
    .name = "_hashlib.HASHXOF",
    .doc = "A hash whose digests are as long as wanted.",
    .flags = kTypeNoNew,
    .size = sizeof(hash::HashObject),
    .slots = {.repr = hash::hash_repr},
    .methods = hash::kHashXofMethods,
    .getsets = hash::kHashGetSets,
};

const TypeSpec kHmacType = {
    .name = "_hashlib.HMAC",
    .doc = "A keyed digest under way.",
    .flags = kTypeNoNew,
    .size = sizeof(hash::HmacObject),
    .slots = {.repr = hash::hmac_repr},
    .methods = hash::kHmacMethods,
    .getsets = hash::kHmacGetSets,
};

extern const ModuleSpec k__hashlib_module;
const ModuleSpec k__hashlib_module = {
    .name = "_hashlib",
    .doc = "Hash functions, and what is made of them.",
    .functions = hash::kFunctions,
    .types = hash::kTypes,
    .exec = hash::ExecModule,
};

}  // namespace minivm
