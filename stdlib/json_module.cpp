// Module _json: the native half of json.decoder, json.encoder and json.scanner.
#include "runtime/objects/module_object.h"
#include "stdlib/json/json_types.h"

namespace minivm {

namespace json {
namespace {

const MethodSpec kFunctions[] = {
    {"encode_basestring(string, /)", json_encode_unicode, "The JSON string literal of a str."},
    {"encode_basestring_ascii(string, /)", json_encode_ascii,
     "The JSON string literal of a str, in ASCII."},
    {"scanstring(string, end, strict=True, /)", json_scanstring,
     "Read the string literal whose contents start at `end`: (text, index behind its quote).\n\n"
     "strict forbids control characters in it. ValueError for what is no literal."},
};

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * scanner, TypeForSpec(ts, kScannerType));
  MVM_TRY(TypeObject * encoder, TypeForSpec(ts, kEncoderType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "make_scanner", Value(scanner)));
  return ModuleAdd(ts, module, "make_encoder", Value(encoder));
}

}  // namespace
}  // namespace json

extern const ModuleSpec k__json_module;
const ModuleSpec k__json_module = {
    .name = "_json",
    .doc = "The native half of json: reading and writing of whole documents.",
    .functions = json::kFunctions,
    .exec = json::ExecModule,
};

}  // namespace minivm
