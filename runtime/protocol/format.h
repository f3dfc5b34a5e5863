// format(): the format-spec mini-language of str, int, float and complex; str.format; %-formatting.
//
// The entry points are what the types' __format__ call. format_spec.h parses the spec and pads;
// format.cpp lays out numbers, str_format.cpp reads replacement fields, percent_format.cpp
// the printf-style codes.
#pragma once

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"

namespace minivm {

class DictObject;
class TupleObject;

// value.__format__(spec) of the built-in types; `spec` is a str. Exact messages of ValueError.
Result<StrObject> FormatStr(ThreadState& ts, StrObject* value, StrObject* spec);
Result<StrObject> FormatInt(ThreadState& ts, Value value, StrObject* spec);  // ints, bools by value
Result<StrObject> FormatFloat(ThreadState& ts, Value value, StrObject* spec);  // floats
Result<StrObject> FormatComplex(ThreadState& ts, double real, double imag, StrObject* spec);

// text.format(*args, **kwargs); kwargs may be null. With args null: format_map, kwargs any mapping.
Result<StrObject> StrFormat(ThreadState& ts, StrObject* text, TupleObject* args, Value kwargs);

// text % args.
Result<> StrPercent(ThreadState& ts, StrObject* text, Value args);
// The same for bytes and bytearray: the result as bytes. `format` must stay while this runs.
Result<BytesObject> BytesPercent(ThreadState& ts, std::string_view format, Value args);

// The functions of the _string module.
Result<> FormatterParser(ThreadState& ts, StrObject* text);
Result<> FormatterFieldNameSplit(ThreadState& ts, StrObject* name);

}  // namespace minivm
