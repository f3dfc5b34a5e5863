// _blake2: the classes blake2b and blake2s with all their parameters.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/hash/hash_types.h"

namespace minivm {

extern const TypeSpec kBlake2bType;
extern const TypeSpec kBlake2sType;

namespace hash {
namespace {

// What one of the two kinds allows.
struct Limits {
  Kind kind;
  uint8_t digest, key, salt, person;
  uint64_t node_offset;
};
constexpr Limits kLimits[] = {{Kind::kBlake2b, 64, 64, 16, 16, UINT64_MAX},
                              {Kind::kBlake2s, 32, 32, 8, 8, (uint64_t{1} << 48) - 1}};

Result<uint8_t> Small8(ThreadState& ts, Value v, int64_t least, int64_t most, const char* message) {
  MVM_TRY(int64_t n, AsInt64(ts, v));
  if (n < least || n > most) {
    return Raise(ts, Exc::kValueError, message, static_cast<int>(most));
  }
  return static_cast<uint8_t>(n);
}

// leaf_size and node_offset.
Result<uint64_t> Unsigned(ThreadState& ts, Value v, uint64_t most, const char* name) {
  MVM_TRY(Ref<> n, Index(ts, v));
  if (IntSign(n) < 0) return Raise(ts, Exc::kValueError, "value must be positive");
  uint64_t u;
  if (!IntFitsUint64(n, &u)) return Raise(ts, Exc::kOverflowError, "int too big to convert");
  if (u > most) return Raise(ts, Exc::kOverflowError, "%s is too large", name);
  return u;
}

Status Text(ThreadState& ts, Value v, size_t most, const char* name, ByteView* view,
            std::string_view* out) {
  if (v.is_absent()) return Ok();
  MVM_TRY_VOID(view->Get(ts, v));
  if (view->size() > most) {
    return Raise(ts, Exc::kValueError, "maximum %s length is %zu bytes", name, most);
  }
  *out = view->view();
  return Ok();
}

template <int kWhich>
Result<> blake2_new(ThreadState& ts, Args args) {
  const Limits& limits = kLimits[kWhich];
  Blake2Options o;
  ByteView key, salt, person;
  if (args.has(2)) {
    MVM_TRY(int64_t size, AsInt64(ts, args[2]));
    if (size < 1 || size > limits.digest) {
      return Raise(ts, Exc::kValueError, "digest_size must be between 1 and %d bytes",
                   static_cast<int>(limits.digest));
    }
    o.digest_size = static_cast<uint8_t>(size);
  }
  MVM_TRY_VOID(Text(ts, args[4], limits.salt, "salt", &salt, &o.salt));
  MVM_TRY_VOID(Text(ts, args[5], limits.person, "person", &person, &o.person));
  MVM_TRY(o.fanout, Small8(ts, args[6], 0, 255, "fanout must be between 0 and %d"));
  MVM_TRY(o.depth, Small8(ts, args[7], 1, 255, "depth must be between 1 and %d"));
  MVM_TRY(uint64_t leaf_size, Unsigned(ts, args[8], UINT32_MAX, "leaf_size"));
  o.leaf_size = static_cast<uint32_t>(leaf_size);
  MVM_TRY(o.node_offset, Unsigned(ts, args[9], limits.node_offset, "node_offset"));
  MVM_TRY(o.node_depth, Small8(ts, args[10], 0, 255, "node_depth must be between 0 and %d"));
  MVM_TRY(o.inner_size,
          Small8(ts, args[11], 0, limits.digest, "inner_size must be between 0 and is %d"));
  MVM_TRY(o.last_node, Truth(ts, args[12]));
  MVM_TRY_VOID(Text(ts, args[3], limits.key, "key", &key, &o.key));
  MVM_TRY(Ref<> made, NewHash(ts, args.as<TypeObject>(0), Digest(limits.kind, o)));
  if (args.has(1)) MVM_TRY_VOID(UpdateFrom(ts, made.as<HashObject>()->digest(), args[1]));
  return made;
}

// The class constants of a type.
Status AddLimits(ThreadState& ts, const TypeSpec& spec, const Limits& limits) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY_VOID(TypeReady(ts, type));
  struct {
    const char* name;
    uint8_t value;
  } const rows[] = {{"MAX_DIGEST_SIZE", limits.digest},
                    {"MAX_KEY_SIZE", limits.key},
                    {"SALT_SIZE", limits.salt},
                    {"PERSON_SIZE", limits.person}};
  for (const auto& row : rows) {
    MVM_TRY_VOID(DictSetUtf8(ts, type->dict, row.name, Value::Int(row.value)));
  }
  return TypeModified(ts, type, nullptr);
}

Status ExecModule(ThreadState& ts, ModuleObject*) {
  MVM_TRY_VOID(AddLimits(ts, kBlake2bType, kLimits[0]));
  return AddLimits(ts, kBlake2sType, kLimits[1]);
}

const MethodSpec kMethods[] = {
    {"copy(self, /)", hash_copy, "A hash in the same state, to go on with apart."},
    {"digest(self, /)", hash_digest, "The hash of what has been passed so far, as bytes."},
    {"hexdigest(self, /)", hash_hexdigest,
     "The hash of what has been passed so far, as hex digits."},
    {"update(self, data, /)", hash_update,
     "Hash more bytes, as if they stood right after the earlier ones."},
};
const GetSetSpec kGetSets[] = {
    {"block_size", hash_get_block_size},
    {"digest_size", hash_get_digest_size},
    {"name", hash_get_name},
};
const TypeSpec* const kTypes[] = {&kBlake2bType, &kBlake2sType};

#define MVM_BLAKE2_SIGNATURE(name)                                                             \
  name "(data=<unrepresentable>, /, *, digest_size=<unrepresentable>, key=<unrepresentable>, " \
       "salt=<unrepresentable>, person=<unrepresentable>, fanout=1, depth=1, leaf_size=0, "    \
       "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)"

}  // namespace
}  // namespace hash

const TypeSpec kBlake2bType = {
    .name = "_blake2.blake2b",
    .doc =
        "BLAKE2b, for 64-bit machines: digests of up to 64 bytes, keyed and personalised if "
        "wanted.",
    .flags = kTypeBase,
    .size = sizeof(hash::HashObject),
    .construct = {MVM_BLAKE2_SIGNATURE("blake2b"), hash::blake2_new<0>},
    .methods = hash::kMethods,
    .getsets = hash::kGetSets,
};

const TypeSpec kBlake2sType = {
    .name = "_blake2.blake2s",
    .doc =
        "BLAKE2s, for smaller machines: digests of up to 32 bytes, keyed and personalised if "
        "wanted.",
    .flags = kTypeBase,
    .size = sizeof(hash::HashObject),
    .construct = {MVM_BLAKE2_SIGNATURE("blake2s"), hash::blake2_new<1>},
    .methods = hash::kMethods,
    .getsets = hash::kGetSets,
};
#undef MVM_BLAKE2_SIGNATURE

extern const ModuleSpec k__blake2_module;
const ModuleSpec k__blake2_module = {
    .name = "_blake2",
    .doc = "_blake2b provides BLAKE2b for hashlib\n",
    .types = hash::kTypes,
    .exec = hash::ExecModule,
};

}  // namespace minivm
