// The types and functions of module _json, which the package json is built on.
#pragma once

#include "runtime/native/native_function.h"
#include "runtime/objects/str_object.h"

namespace minivm::json {

extern const TypeSpec kScannerType;  // make_scanner(context): text to objects
extern const TypeSpec kEncoderType;  // make_encoder(...): objects to text

// scanstring(string, end, strict=True): the string literal whose contents start at `end`.
Result<> json_scanstring(ThreadState& ts, Args args);
// encode_basestring_ascii(string), encode_basestring(string): a JSON string literal.
Result<> json_encode_ascii(ThreadState& ts, Args args);
Result<> json_encode_unicode(ThreadState& ts, Args args);

// Reads the literal; *end is where its contents start and gets what follows the closing quote.
Result<StrObject> ScanString(ThreadState& ts, StrObject* s, size_t* end, bool strict);
// Appends a string literal.
Status AppendLiteral(ThreadState& ts, StrBuilder* out, const StrObject* s, bool ascii);
// json.decoder.JSONDecodeError(message, s, position)
[[gnu::cold]] Raised RaiseDecodeError(ThreadState& ts, const char* message, StrObject* s,
                                      size_t position);

}  // namespace minivm::json
