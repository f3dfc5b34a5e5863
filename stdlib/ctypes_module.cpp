// Module _ctypes: what reads and writes memory for ctypes (ctypes/cdata.h), and its descriptors.
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/ctypes/cdata.h"

namespace minivm {

namespace ctypes {
namespace {

Result<> field_new(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * code, ExpectStr(ts, args[3], "code"));
  MVM_TRY(int64_t offset, AsInt64(ts, args[4]));
  MVM_TRY(int64_t size, AsInt64(ts, args[5]));
  MVM_TRY(bool swapped, Truth(ts, args[6]));
  MVM_TRY(int64_t shift, AsInt64(ts, args[7]));
  MVM_TRY(int64_t bits, AsInt64(ts, args[8]));
  if (!IsStr(ts, args[1]) || !IsType(ts, args[2]) || !code->ascii() || code->length > 1) {
    return Raise(ts, Exc::kTypeError, "invalid field");
  }
  const char letter = code->length ? static_cast<char>(code->At(0)) : '\0';
  bool good = offset >= 0 && size >= 0 && (letter == '\0' || SizeOfCode(letter) == size);
  if (bits != 0) {
    good = good && letter != '\0' && size <= 8 && bits > 0 && shift >= 0 && shift < 64 &&
           bits <= 64 && shift + bits <= size * 8;
  }
  if (!good) return Raise(ts, Exc::kValueError, "invalid field");
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  Field* f = made.as<Field>();
  f->name = Ref<>::Borrow(args[1]).Release();
  f->type = Ref<>::Borrow(args[2]).Release();
  f->code = letter;
  f->offset = offset;
  f->size = size;
  f->swapped = swapped;
  f->shift = static_cast<uint8_t>(shift);
  f->bits = static_cast<uint8_t>(bits);
  return made;
}

Result<> field_get(ThreadState& ts, Value descr, Value object, Value) {
  if (object.is_null()) return Result<>::Borrow(descr);
  const Field* f = descr.as<Field>();
  MVM_TRY(CData * self, AsCData(ts, object));
  if (!f->code) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_b_load_"));
    const Value args[] = {object, Value::Int(f->offset)};
    return CallMethod(ts, f->type, name, args);
  }
  MVM_TRY_VOID(CheckPart(ts, self, f->offset, f->size));
  const uint8_t* p = self->data() + f->offset;
  return f->bits ? LoadBits(ts, f, p) : Load(ts, f->code, f->swapped, p);
}

Status field_set(ThreadState& ts, Value descr, Value object, Value value) {
  const Field* f = descr.as<Field>();
  MVM_TRY(CData * self, AsCData(ts, object));
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "can't delete attribute");
  if (f->bits) return StoreBits(ts, f, self, value);
  if (f->code) return Store(ts, f->code, f->swapped, self, f->offset, value);
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_b_store_"));
  const Value args[] = {object, Value::Int(f->offset), value};
  MVM_TRY_VOID(CallMethod(ts, f->type, name, args));
  return Ok();
}

Result<> field_repr(ThreadState& ts, Value v) {
  const Field* f = v.as<Field>();
  MVM_TRY(Ref<> type, GetAttr(ts, f->type, MVM_NAME(ts, __name__)));
  const long long offset = static_cast<long long>(f->offset);
  if (!f->bits) {
    return Format(ts, "<Field type=%S, ofs=%lld, size=%lld>", type.get(), offset,
                  static_cast<long long>(f->size));
  }
  return Format(ts, "<Field type=%S, ofs=%lld:%d, bits=%d>", type.get(), offset,
                static_cast<int>(f->shift), static_cast<int>(f->bits));
}

Result<> field_offset(ThreadState& ts, Value v) { return NewInt(ts, v.as<Field>()->offset); }
// Of bit fields their number and place.
Result<> field_size(ThreadState& ts, Value v) {
  const Field* f = v.as<Field>();
  return NewInt(ts, f->bits ? (int64_t{f->bits} << 16) + f->shift : f->size);
}

Result<> field_code(ThreadState& ts, Value v) {
  const char code = v.as<Field>()->code;
  return NewStr(ts, std::string_view(&code, code ? 1 : 0));
}
Result<> field_swapped(ThreadState& ts, Value v) { return Bool(ts, v.as<Field>()->swapped); }
Result<> field_type(ThreadState&, Value v) { return Result<>::Borrow(v.as<Field>()->type); }

const GetSetSpec kFieldGetSets[] = {
    {"code", field_code, nullptr, "The letter of a number or character, or ''."},
    {"offset", field_offset, nullptr, "Where the field begins, in bytes."},
    {"size", field_size, nullptr, "The bytes that it takes; of bit fields, bits << 16 | place."},
    {"swapped", field_swapped, nullptr, "Whether the bytes are in the other order."},
    {"type", field_type, nullptr, "The type that the class gives it."},
};

const TypeSpec* const kTypes[] = {&kBlockType,  &kLayoutType, &kCDataType,
                                  &kSimpleType, &kArrayType,  &kFieldType};

}  // namespace

const TypeSpec kFieldType = {
    .name = "_ctypes.CField",
    .doc = "A part of an instance, as an attribute.",
    .size = sizeof(Field),
    .gc = GcHooksOf<Field>(),
    .slots = {.repr = field_repr, .descr_get = field_get, .descr_set = field_set},
    .construct = {"CField(name, type, code, offset, size, swapped=False, shift=0, bits=0, /)",
                  field_new},
    .getsets = kFieldGetSets,
};

}  // namespace ctypes

extern const ModuleSpec k__ctypes_module;
const ModuleSpec k__ctypes_module = {
    .name = "_ctypes",
    .doc = "Memory as C has it, for ctypes.",
    .types = ctypes::kTypes,
};

}  // namespace minivm
