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
     "Internal. Used for pickling support."},
};
const TypeSpec* const kTypes[] = {&kArrayType};
const ConstantSpec kConstants[] = {
    {.name = "typecodes", .kind = ConstantSpec::kStr, .s = kTypeCodes}};

}  // namespace
}  // namespace arrays

extern const ModuleSpec k_array_module;
const ModuleSpec k_array_module = {
    .name = "array",
    .doc =
        "This module defines an object type which can efficiently represent\n"
        "an array of basic values: characters, integers, floating-point\n"
        "numbers.  Arrays are sequence types and behave very much like lists,\n"
        "except that the type of objects stored in them is constrained.\n",
    .functions = arrays::kFunctions,
    .types = arrays::kTypes,
    .constants = arrays::kConstants,
    .exec = arrays::ExecModule,
};

}  // namespace minivm
