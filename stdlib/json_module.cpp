// Module _json: the native half of json.decoder, json.encoder and json.scanner.
#include "runtime/objects/module_object.h"
#include "stdlib/json/json_types.h"

namespace minivm {

namespace json {
namespace {

const MethodSpec kFunctions[] = {
    {"encode_basestring(string, /)", json_encode_unicode,
     "Return a JSON representation of a Python string."},
    {"encode_basestring_ascii(string, /)", json_encode_ascii,
     "Return an ASCII-only JSON representation of a Python string."},
    {"scanstring(string, end, strict=True, /)", json_scanstring,
     "Scan the string s for a JSON string. End is the index of the\ncharacter in s after the quote "
     "that "
     "started the JSON string.\nUnescapes all valid JSON string escape sequences and raises "
     "ValueError\non "
     "attempt to decode an invalid string.\n\nReturns a tuple of the decoded string and the index "
     "of the "
     "character in s\nafter the end quote."},
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
    .doc = "json speedups\n",
    .functions = json::kFunctions,
    .exec = json::ExecModule,
};

}  // namespace minivm
