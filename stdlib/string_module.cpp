// _string: the parser of str.format, for string.Formatter.
#include "runtime/objects/str_object.h"
#include "runtime/protocol/format.h"

namespace minivm {
namespace {

Result<> string_formatter_parser(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "expected str, got %T", args[0]);
  return FormatterParser(ts, args.as<StrObject>(0));
}

Result<> string_formatter_field_name_split(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "expected str, got %T", args[0]);
  return FormatterFieldNameSplit(ts, args.as<StrObject>(0));
}

const MethodSpec kFunctions[] = {
    {"formatter_field_name_split(object, /)", string_formatter_field_name_split,
     "The first part of a field name, and an iterator of the others: (whether an attribute, name "
     "or index)."},
    {"formatter_parser(object, /)", string_formatter_parser,
     "Iterator of a format's parts: (text before, field name, format spec, conversion)."},
};

}  // namespace

extern const ModuleSpec k__string_module;
const ModuleSpec k__string_module = {
    .name = "_string",
    .doc = "The native half of string: parts of formats and field names.",
    .functions = kFunctions};

}  // namespace minivm
