// Module array; the type is in stdlib/array.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/array/array_types.h"

namespace minivm {

namespace arrays {
namespace {

// ArrayType is array; arrays are mutable sequences for collections.abc.
Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kArrayType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "ArrayType", type));
  MVM_TRY(Ref<> abc, ts.rt->hooks.import_module(ts, "collections.abc"));
  MVM_TRY(Ref<> sequence, GetAttr(ts, abc, "MutableSequence"));
  MVM_TRY(Ref<StrObject> register_name, InternUtf8(ts, "register"));
  MVM_TRY_VOID(CallMethod(ts, sequence, register_name, type));
  return Ok();
}

const MethodSpec kFunctions[] = {
    {"_array_reconstructor(arraytype, typecode, mformat_code, items, /)", array_reconstructor,
     "The array that a pickle describes: its class, typecode, the format of the items and their "
     "bytes."},
};
const TypeSpec* const kTypes[] = {&kArrayType};
const ConstantSpec kConstants[] = {
    {.name = "typecodes", .kind = ConstantSpec::kStr, .s = kTypeCodes}};

}  // namespace
}  // namespace arrays

extern const ModuleSpec k_array_module;
const ModuleSpec k_array_module = {
    .name = "array",
    .doc = "Packed sequences of numbers or characters of one kind.\n",
    .functions = arrays::kFunctions,
    .types = arrays::kTypes,
    .constants = arrays::kConstants,
    .exec = arrays::ExecModule,
};

}  // namespace minivm
