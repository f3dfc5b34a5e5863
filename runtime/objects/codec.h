// Text to bytes and back: the built-in encodings, error handlers, the codec registry.
//
// The common encodings are C++ all the way: a name is normalised and dispatched without script
// code. Everything else is found through the search functions that scripts register
// (codecs.register, stdlib/codecs_module.cpp), whose results are cached per VM.
// codec.cpp: names, registry, dispatch; codec_errors.cpp: handlers; codec_utf.cpp: UTF-8/16/32;
// codec_utf7.cpp; codec_escape.cpp: unicode_escape and raw_unicode_escape; codec_charmap.cpp:
// ASCII, Latin-1 and the single-byte tables of codec_tables.inc.
#pragma once

#include <string_view>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"

namespace minivm {

class DictObject;

// bytes.decode / str.encode. Built-in encodings run no script code unless an error handler is one.
// LookupError "unknown encoding: x", UnicodeDecodeError, UnicodeEncodeError.
Result<StrObject> Decode(ThreadState& ts, std::string_view bytes,
                         std::string_view encoding = "utf-8", std::string_view errors = "strict",
                         Value source = Value());
Result<BytesObject> Encode(ThreadState& ts, StrObject* s, std::string_view encoding = "utf-8",
                           std::string_view errors = "strict");
// codecs.encode / codecs.decode: any object to any object, through the registry.
Result<> CodecsEncode(ThreadState& ts, Value object, std::string_view encoding,
                      std::string_view errors);
Result<> CodecsDecode(ThreadState& ts, Value object, std::string_view encoding,
                      std::string_view errors);

enum class ByteOrder : int8_t { kLittle = -1, kNative = 0, kBig = 1 };

// The built-in codecs. Decoders set *consumed to the bytes used; with `final` false an incomplete
// sequence at the end is left alone, otherwise it is an error. `source` is the object that holds
// the bytes, for the exception (null: a bytes object is made).
struct DecodeInput {
  std::string_view bytes;
  Value source;  // null: none
  std::string_view errors = "strict";
  bool final = true;
  size_t consumed = 0;  // out
};
Result<StrObject> DecodeUtf8Codec(ThreadState& ts, DecodeInput& in);
Result<StrObject> DecodeUtf16(ThreadState& ts, DecodeInput& in, ByteOrder* order);
Result<StrObject> DecodeUtf32(ThreadState& ts, DecodeInput& in, ByteOrder* order);
Result<StrObject> DecodeUtf7(ThreadState& ts, DecodeInput& in);
Result<StrObject> DecodeAscii(ThreadState& ts, DecodeInput& in);
Result<StrObject> DecodeLatin1(ThreadState& ts, DecodeInput& in);
Result<StrObject> DecodeUnicodeEscape(ThreadState& ts, DecodeInput& in);
Result<StrObject> DecodeRawUnicodeEscape(ThreadState& ts, DecodeInput& in);
// mapping: a str (index by byte), None (Latin-1) or any mapping of ints to int, str or None.
Result<StrObject> DecodeCharmap(ThreadState& ts, DecodeInput& in, Value mapping);

Result<BytesObject> EncodeUtf8Codec(ThreadState& ts, StrObject* s, std::string_view errors);
// kNative writes a byte order mark first.
Result<BytesObject> EncodeUtf16(ThreadState& ts, StrObject* s, std::string_view errors,
                                ByteOrder order);
Result<BytesObject> EncodeUtf32(ThreadState& ts, StrObject* s, std::string_view errors,
                                ByteOrder order);
Result<BytesObject> EncodeUtf7(ThreadState& ts, StrObject* s);
Result<BytesObject> EncodeAscii(ThreadState& ts, StrObject* s, std::string_view errors);
Result<BytesObject> EncodeLatin1(ThreadState& ts, StrObject* s, std::string_view errors);
Result<BytesObject> EncodeUnicodeEscape(ThreadState& ts, StrObject* s);
Result<BytesObject> EncodeRawUnicodeEscape(ThreadState& ts, StrObject* s);
Result<BytesObject> EncodeCharmap(ThreadState& ts, StrObject* s, std::string_view errors,
                                  Value mapping);

// ---- single-byte tables ----

// The characters of an encoding of one byte per character; U+FFFE: undefined.
struct ByteTable {
  const char* name;       // normalised
  const char16_t* upper;  // characters of bytes 0x80..0xFF
  const char16_t* lower;  // of 0x00..0x7F, null: ASCII
};
// By normalised name ("cp1252", "iso8859_15", "koi8_r", "mac_roman"), null if unknown. Pure.
const ByteTable* FindByteTable(std::string_view normalized_name);
Result<StrObject> DecodeByteTable(ThreadState& ts, DecodeInput& in, const ByteTable& table);
Result<BytesObject> EncodeByteTable(ThreadState& ts, StrObject* s, std::string_view errors,
                                    const ByteTable& table);

// ---- error handlers (codec_errors.cpp) ----

// What to do with undecodable bytes [start, end): appends the replacement to *out and returns where
// decoding goes on. Runs the named handler; script handlers may replace the input, which then is
// in `in.bytes`, kept alive by *keep.
Result<size_t> HandleDecodeError(ThreadState& ts, DecodeInput& in, const char* encoding,
                                 size_t start, size_t end, const char* reason, StrBuilder* out,
                                 Ref<>* keep);
// UnicodeDecodeError for [start, end).
Raised RaiseDecode(ThreadState& ts, const DecodeInput& in, const char* encoding, size_t start,
                   size_t end, const char* reason);
// The replacement for unencodable characters [start, end): a str (to be encoded) or bytes (to be
// copied), and where encoding goes on.
struct EncodeReplacement {
  Ref<> text;  // StrObject or BytesObject
  size_t next = 0;
};
Status HandleEncodeError(ThreadState& ts, StrObject* s, std::string_view errors,
                         const char* encoding, size_t start, size_t end, const char* reason,
                         EncodeReplacement* out);
// The native function for a built-in handler ("strict", ...); null data: there is none of that
// name.
const MethodSpec* BuiltinErrorHandler(std::string_view name);

// ---- registry (codec.cpp); kept by the _codecs module, see there ----

// codecs.lookup(name): the CodecInfo (or tuple); cached.
Result<> CodecLookup(ThreadState& ts, std::string_view encoding);
Status CodecRegister(ThreadState& ts, Value search_function);
Status CodecUnregister(ThreadState& ts, Value search_function);
Status CodecRegisterError(ThreadState& ts, std::string_view name, Value handler);
// The handler: script's, or a native function object of _codecs. LookupError "unknown error handler
// name 'x'".
Result<> CodecLookupError(ThreadState& ts, std::string_view name);

// What native codecs keep for this VM, by names of their own; no script sees it.
Result<DictObject*> CodecTables(ThreadState& ts);

// The encoding that a normalised name means ("latin1": "latin_1"), itself if it is no alias. Pure.
std::string_view ResolveEncodingAlias(std::string_view normalized_name);
// The normalised name of a built-in encoding, by a normalised name or alias; empty: it is none.
// Pure.
std::string_view BuiltinEncodingName(std::string_view normalized_name);
// The i-th alias and what it means; false at the end. Pure.
bool EncodingAliasAt(size_t i, std::string_view* alias, std::string_view* name);
// Lower case, runs of anything but letters, digits and '.' become one '_'. For table lookups.
size_t NormalizeEncoding(std::string_view name, char* out, size_t room);

}  // namespace minivm
