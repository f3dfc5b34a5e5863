// Names of encodings, dispatch to the built-in codecs, and the registry for all others.
#include "runtime/objects/codec.h"

#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

enum class Builtin : uint8_t {
  kNone,
  kUtf8,
  kUtf8Sig,
  kUtf16,
  kUtf16Le,
  kUtf16Be,
  kUtf32,
  kUtf32Le,
  kUtf32Be,
  kUtf7,
  kAscii,
  kLatin1,
  kUnicodeEscape,
  kRawUnicodeEscape,
  kTable,
};

struct BuiltinCodec {
  Builtin id = Builtin::kNone;
  const ByteTable* table = nullptr;
};

constexpr struct {
  std::string_view name;
  Builtin id;
} kBuiltinNames[] = {
    {"utf_8", Builtin::kUtf8},
    {"utf_8_sig", Builtin::kUtf8Sig},
    {"utf_16", Builtin::kUtf16},
    {"utf_16_le", Builtin::kUtf16Le},
    {"utf_16_be", Builtin::kUtf16Be},
    {"utf_32", Builtin::kUtf32},
    {"utf_32_le", Builtin::kUtf32Le},
    {"utf_32_be", Builtin::kUtf32Be},
    {"utf_7", Builtin::kUtf7},
    {"ascii", Builtin::kAscii},
    {"latin_1", Builtin::kLatin1},
    {"unicode_escape", Builtin::kUnicodeEscape},
    {"unicodeescape", Builtin::kUnicodeEscape},
    {"raw_unicode_escape", Builtin::kRawUnicodeEscape},
    {"rawunicodeescape", Builtin::kRawUnicodeEscape},
};

BuiltinCodec FindBuiltin(std::string_view encoding) {
  if (encoding == "utf-8" || encoding == "utf8") return {Builtin::kUtf8};
  if (encoding == "latin-1") return {Builtin::kLatin1};
  if (encoding == "ascii") return {Builtin::kAscii};
  char buf[64];
  const std::string_view name =
      ResolveEncodingAlias({buf, NormalizeEncoding(encoding, buf, sizeof(buf))});
  for (const auto& row : kBuiltinNames) {
    if (row.name == name) return {row.id};
  }
  const ByteTable* table = FindByteTable(name);
  return {table ? Builtin::kTable : Builtin::kNone, table};
}

// ---- registry ----

enum RegistryPart : uint32_t { kSearch, kCache, kHandlers, kImported, kTables };

Result<TupleObject*> Registry(ThreadState& ts) {
  if (MVM_LIKELY(ts.rt->codecs != nullptr)) return ts.rt->codecs;
  MVM_TRY(Ref<ListObject> search, NewListReserve(ts, 1));
  MVM_TRY(Ref<DictObject> cache, NewDict(ts));
  MVM_TRY(Ref<DictObject> handlers, NewDict(ts));
  MVM_TRY(Ref<DictObject> imported, NewDict(ts));
  MVM_TRY(Ref<DictObject> tables, NewDict(ts));
  Value parts[] = {search, cache, handlers, imported, tables};
  MVM_TRY(Ref<TupleObject> made, NewTuple(ts, parts));
  ts.rt->codecs = made.Release();
  return ts.rt->codecs;
}

DictObject* Part(TupleObject* registry, RegistryPart part) {
  return (*registry)[part].as<DictObject>();
}

Raised UnknownEncoding(ThreadState& ts, std::string_view encoding) {
  return Raise(ts, Exc::kLookupError, "unknown encoding: %.*s", static_cast<int>(encoding.size()),
               encoding.data());
}

// The package `encodings` registers the search function for codecs written as scripts.
Status ImportEncodings(ThreadState& ts, TupleObject* registry) {
  DictObject* imported = Part(registry, kImported);
  if (DictSize(imported) != 0 || !ts.rt->hooks.import_module) return Ok();
  MVM_TRY_VOID(DictSetUtf8(ts, imported, "encodings", ts.rt->true_));
  Result<> module = ts.rt->hooks.import_module(ts, "encodings");
  if (module.raised()) {
    if (!ClearPendingIf(ts, Exc::kImportError)) return kRaised;
    return Ok();
  }
  Ref<> unused = module.Take();
  return Ok();
}

// codecs.lookup(encoding) for encode() and decode(), which accept text encodings only.
Result<TupleObject> TextCodec(ThreadState& ts, std::string_view encoding, const char* alternative) {
  MVM_TRY(Ref<> codec, CodecLookup(ts, encoding));
  if (!IsExact(codec, TypeId::kTuple)) {
    MVM_TRY(Ref<> flag, GetAttrOptional(ts, codec, "_is_text_encoding"));
    if (flag.is_absent()) {
      (void)flag.Release();
    } else {
      MVM_TRY(bool text, Truth(ts, flag));
      if (!text) {
        return Raise(ts, Exc::kLookupError,
                     "'%.*s' is not a text encoding; use %s to handle arbitrary codecs",
                     static_cast<int>(encoding.size()), encoding.data(), alternative);
      }
    }
  }
  return std::move(codec).Into<TupleObject>();
}

// Leaves a note on the exception of a codec that is not one of the few that str knows by itself.
Raised Failed(ThreadState& ts, const char* operation, std::string_view encoding) {
  Ref<> error = TakePending(ts);
  auto annotate = [&]() -> Status {
    MVM_TRY(Ref<StrObject> note, Format(ts, "%s with '%.*s' codec failed", operation,
                                        static_cast<int>(encoding.size()), encoding.data()));
    MVM_TRY(Ref<StrObject> add_note, InternUtf8(ts, "add_note"));
    MVM_TRY_VOID(CallMethod(ts, error, add_note, note));
    return Ok();
  };
  if (annotate().raised()) ClearPending(ts);
  RestorePending(ts, std::move(error));
  return kRaised;
}

bool IsPlain(const BuiltinCodec& codec) {
  return codec.id == Builtin::kUtf8 || codec.id == Builtin::kUtf16 || codec.id == Builtin::kUtf32 ||
         codec.id == Builtin::kAscii || codec.id == Builtin::kLatin1;
}

// In development mode a handler that does not exist is found out before it is needed.
Status CheckHandlerName(ThreadState& ts, std::string_view errors) {
  if (!ts.rt->dev_mode || errors == "strict") return Ok();
  MVM_TRY_VOID(CodecLookupError(ts, errors));
  return Ok();
}

// codec[which](object, errors)[0]
Result<> CallCodec(ThreadState& ts, TupleObject* codec, uint32_t which, Value object,
                   std::string_view encoding, std::string_view errors) {
  MVM_TRY(Ref<StrObject> how, NewStr(ts, errors));
  Ref<> function = Ref<>::Borrow((*codec)[which]);
  Result<> called =
      errors == "strict" ? Call(ts, function, object) : Call(ts, function, object, how);
  if (called.raised()) return Failed(ts, which ? "decoding" : "encoding", encoding);
  Ref<> answer = called.Take();
  if (!IsTuple(ts, answer) || answer.as<TupleObject>()->size() != 2) {
    return Raise(ts, Exc::kTypeError, "%s must return a tuple (object, integer)",
                 which ? "decoder" : "encoder");
  }
  return Result<>::Borrow((*answer.as<TupleObject>())[0]);
}

}  // namespace

size_t NormalizeEncoding(std::string_view name, char* out, size_t room) {
  size_t n = 0;
  bool gap = false;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    if (!keep) {
      gap = n > 0;
      continue;
    }
    if (n + 2 > room) return 0;  // no encoding has such a name
    if (gap) out[n++] = '_';
    gap = false;
    out[n++] = c;
  }
  return n;
}

std::string_view BuiltinEncodingName(std::string_view normalized_name) {
  const std::string_view name = ResolveEncodingAlias(normalized_name);
  for (const auto& row : kBuiltinNames) {
    if (row.name == name) return row.name;
  }
  const ByteTable* table = FindByteTable(name);
  return table ? std::string_view(table->name) : std::string_view();
}

// ---- decoding and encoding ----

namespace {

Result<StrObject> DecodeBuiltin(ThreadState& ts, const BuiltinCodec& codec, std::string_view bytes,
                                std::string_view errors, Value source) {
  DecodeInput in;
  in.bytes = bytes;
  in.source = source;
  in.errors = errors;
  ByteOrder order = ByteOrder::kNative;
  switch (codec.id) {
    case Builtin::kUtf8Sig:
      if (bytes.starts_with("\xEF\xBB\xBF")) in.bytes.remove_prefix(3);
      in.source = Value();
      return DecodeUtf8Codec(ts, in);
    case Builtin::kUtf8: return DecodeUtf8Codec(ts, in);
    case Builtin::kUtf16Le: order = ByteOrder::kLittle; return DecodeUtf16(ts, in, &order);
    case Builtin::kUtf16Be: order = ByteOrder::kBig; return DecodeUtf16(ts, in, &order);
    case Builtin::kUtf16: return DecodeUtf16(ts, in, &order);
    case Builtin::kUtf32Le: order = ByteOrder::kLittle; return DecodeUtf32(ts, in, &order);
    case Builtin::kUtf32Be: order = ByteOrder::kBig; return DecodeUtf32(ts, in, &order);
    case Builtin::kUtf32: return DecodeUtf32(ts, in, &order);
    case Builtin::kUtf7: return DecodeUtf7(ts, in);
    case Builtin::kAscii: return DecodeAscii(ts, in);
    case Builtin::kLatin1: return DecodeLatin1(ts, in);
    case Builtin::kUnicodeEscape: return DecodeUnicodeEscape(ts, in);
    case Builtin::kRawUnicodeEscape: return DecodeRawUnicodeEscape(ts, in);
    case Builtin::kTable: return DecodeByteTable(ts, in, *codec.table);
    case Builtin::kNone: break;
  }
  __builtin_unreachable();
}

Result<BytesObject> EncodeBuiltin(ThreadState& ts, const BuiltinCodec& codec, StrObject* s,
                                  std::string_view errors) {
  switch (codec.id) {
    case Builtin::kUtf8: return EncodeUtf8Codec(ts, s, errors);
    case Builtin::kUtf8Sig: {
      MVM_TRY(Ref<BytesObject> plain, EncodeUtf8Codec(ts, s, errors));
      MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, plain->length + 3));
      std::memcpy(out->data(), "\xEF\xBB\xBF", 3);
      std::memcpy(out->data() + 3, plain->data(), plain->length);
      return out;
    }
    case Builtin::kUtf16: return EncodeUtf16(ts, s, errors, ByteOrder::kNative);
    case Builtin::kUtf16Le: return EncodeUtf16(ts, s, errors, ByteOrder::kLittle);
    case Builtin::kUtf16Be: return EncodeUtf16(ts, s, errors, ByteOrder::kBig);
    case Builtin::kUtf32: return EncodeUtf32(ts, s, errors, ByteOrder::kNative);
    case Builtin::kUtf32Le: return EncodeUtf32(ts, s, errors, ByteOrder::kLittle);
    case Builtin::kUtf32Be: return EncodeUtf32(ts, s, errors, ByteOrder::kBig);
    case Builtin::kUtf7: return EncodeUtf7(ts, s);
    case Builtin::kAscii: return EncodeAscii(ts, s, errors);
    case Builtin::kLatin1: return EncodeLatin1(ts, s, errors);
    case Builtin::kUnicodeEscape: return EncodeUnicodeEscape(ts, s);
    case Builtin::kRawUnicodeEscape: return EncodeRawUnicodeEscape(ts, s);
    case Builtin::kTable: return EncodeByteTable(ts, s, errors, *codec.table);
    case Builtin::kNone: break;
  }
  __builtin_unreachable();
}

}  // namespace

Result<StrObject> Decode(ThreadState& ts, std::string_view bytes, std::string_view encoding,
                         std::string_view errors, Value source) {
  if (bytes.empty() && !ts.rt->dev_mode) return EmptyStr(ts);  // whatever the names
  const BuiltinCodec codec = FindBuiltin(encoding);
  if (codec.id != Builtin::kNone) {
    MVM_TRY_VOID(CheckHandlerName(ts, errors));
    Result<StrObject> text = DecodeBuiltin(ts, codec, bytes, errors, source);
    if (text.raised() && !IsPlain(codec)) return Failed(ts, "decoding", encoding);
    return text;
  }
  MVM_TRY(Ref<TupleObject> found, TextCodec(ts, encoding, "codecs.decode()"));
  Ref<> object = Ref<>::Borrow(source ? source : Value());
  if (!object) {
    MVM_TRY(object, NewBytes(ts, bytes));
  }
  MVM_TRY(Ref<> text, CallCodec(ts, found, 1, object, encoding, errors));
  if (!IsStr(ts, text)) {
    return Raise(ts, Exc::kTypeError,
                 "'%.*s' decoder returned '%T' instead of 'str'; use codecs.decode() to decode to "
                 "arbitrary types",
                 static_cast<int>(encoding.size()), encoding.data(), text.get());
  }
  return std::move(text).Into<StrObject>();
}

Result<BytesObject> Encode(ThreadState& ts, StrObject* s, std::string_view encoding,
                           std::string_view errors) {
  const BuiltinCodec codec = FindBuiltin(encoding);
  if (codec.id != Builtin::kNone) {
    MVM_TRY_VOID(CheckHandlerName(ts, errors));
    Result<BytesObject> bytes = EncodeBuiltin(ts, codec, s, errors);
    if (bytes.raised() && !IsPlain(codec)) return Failed(ts, "encoding", encoding);
    return bytes;
  }
  MVM_TRY(Ref<TupleObject> found, TextCodec(ts, encoding, "codecs.encode()"));
  MVM_TRY(Ref<> data, CallCodec(ts, found, 0, s, encoding, errors));
  if (HasTypeFlag(ts, data, kTypeBytearraySubclass)) {
    MVM_TRY_VOID(
        Warn(ts, Exc::kRuntimeWarning, 1,
             "encoder %.*s returned bytearray instead of bytes; use codecs.encode() to encode to "
             "arbitrary types",
             static_cast<int>(encoding.size()), encoding.data()));
    MVM_TRY(data, Call(ts, Value(TypeById(ts, TypeId::kBytes)), data));
  }
  if (!IsBytes(ts, data)) {
    return Raise(ts, Exc::kTypeError,
                 "'%.*s' encoder returned '%T' instead of 'bytes'; use codecs.encode() to encode "
                 "to arbitrary types",
                 static_cast<int>(encoding.size()), encoding.data(), data.get());
  }
  return std::move(data).Into<BytesObject>();
}

Result<> CodecsEncode(ThreadState& ts, Value object, std::string_view encoding,
                      std::string_view errors) {
  if (IsStr(ts, object) && FindBuiltin(encoding).id != Builtin::kNone) {
    Result<BytesObject> bytes = Encode(ts, object.as<StrObject>(), encoding, errors);
    if (bytes.raised() && IsPlain(FindBuiltin(encoding))) return Failed(ts, "encoding", encoding);
    return bytes;
  }
  MVM_TRY(Ref<> codec, CodecLookup(ts, encoding));
  return CallCodec(ts, codec.as<TupleObject>(), 0, object, encoding, errors);
}

Result<> CodecsDecode(ThreadState& ts, Value object, std::string_view encoding,
                      std::string_view errors) {
  if (IsBytes(ts, object) && FindBuiltin(encoding).id != Builtin::kNone) {
    Result<StrObject> text = Decode(ts, object.as<BytesObject>()->view(), encoding, errors, object);
    if (text.raised() && IsPlain(FindBuiltin(encoding))) return Failed(ts, "decoding", encoding);
    return text;
  }
  MVM_TRY(Ref<> codec, CodecLookup(ts, encoding));
  return CallCodec(ts, codec.as<TupleObject>(), 1, object, encoding, errors);
}

// ---- registry ----

Result<> CodecLookup(ThreadState& ts, std::string_view encoding) {
  MVM_TRY(TupleObject * registry, Registry(ts));
  // What search functions see.
  std::string key(encoding.size() + 1, '\0');
  key.resize(NormalizeEncoding(encoding, key.data(), key.size()));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, key));
  if (Value known = DictGetStr(ts, Part(registry, kCache), name)) return Result<>::Borrow(known);
  MVM_TRY_VOID(ImportEncodings(ts, registry));
  ListObject* search = (*registry)[kSearch].as<ListObject>();
  for (size_t i = 0; i < search->size; ++i) {
    Ref<> function = Ref<>::Borrow(search->items[i]);
    MVM_TRY(Ref<> codec, Call(ts, function, name));
    if (IsNone(ts, codec)) continue;
    if (!IsTuple(ts, codec) || codec.as<TupleObject>()->size() != 4) {
      return Raise(ts, Exc::kTypeError, "codec search functions must return 4-tuples");
    }
    MVM_TRY_VOID(DictSetStr(ts, Part(registry, kCache), name, codec));
    return codec;
  }
  return UnknownEncoding(ts, encoding);
}

Result<DictObject*> CodecTables(ThreadState& ts) {
  MVM_TRY(TupleObject * registry, Registry(ts));
  return Part(registry, kTables);
}

Status CodecRegister(ThreadState& ts, Value search_function) {
  if (!IsCallable(ts, search_function))
    return Raise(ts, Exc::kTypeError, "argument must be callable");
  MVM_TRY(TupleObject * registry, Registry(ts));
  return ListAppend(ts, (*registry)[kSearch].as<ListObject>(), search_function);
}

Status CodecUnregister(ThreadState& ts, Value search_function) {
  MVM_TRY(TupleObject * registry, Registry(ts));
  ListObject* search = (*registry)[kSearch].as<ListObject>();
  for (size_t i = 0; i < search->size; ++i) {
    if (!search->items[i].is(search_function)) continue;
    Ref<> old = Ref<>::Steal(search->items[i]);
    std::memmove(search->items + i, search->items + i + 1, (search->size - i - 1) * sizeof(Value));
    --search->size;
    DictClear(ts, Part(registry, kCache));
    break;
  }
  return Ok();
}

Status CodecRegisterError(ThreadState& ts, std::string_view name, Value handler) {
  if (!IsCallable(ts, handler)) return Raise(ts, Exc::kTypeError, "handler must be callable");
  MVM_TRY(TupleObject * registry, Registry(ts));
  return DictSetUtf8(ts, Part(registry, kHandlers), name, handler);
}

Result<> CodecLookupError(ThreadState& ts, std::string_view name) {
  MVM_TRY(TupleObject * registry, Registry(ts));
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  DictObject* handlers = Part(registry, kHandlers);
  if (Value handler = DictGetStr(ts, handlers, key)) return Result<>::Borrow(handler);
  const MethodSpec* spec = BuiltinErrorHandler(name);
  if (!spec) {
    return Raise(ts, Exc::kLookupError, "unknown error handler name '%.*s'",
                 static_cast<int>(name.size()), name.data());
  }
  MVM_TRY(Ref<> function, NewNativeFunction(ts, *spec, Value(), false, nullptr));
  MVM_TRY_VOID(DictSetStr(ts, handlers, key, function));
  return function;
}

}  // namespace minivm
