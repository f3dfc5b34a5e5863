// _codecs: the built-in codecs one by one, and the registry. The module `codecs` (stdlib/script)
// builds its classes on this.
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_buffer.h"

namespace minivm {
namespace {

// (value, length)
Result<> Pair(ThreadState& ts, Value value, size_t length) {
  Value items[] = {value, Value::Int(static_cast<int64_t>(length))};
  return NewTuple(ts, items);
}

// A str argument as UTF-8 in *out. `what`: "argument 2" or "argument 'errors'".
Status Text(ThreadState& ts, Value v, const char* function, const char* what, bool none_ok,
            std::string* out) {
  if (v.is_absent() || (none_ok && IsNone(ts, v))) return Ok();
  if (!IsStr(ts, v)) {
    return RaiseBadArgument(ts, function, what, none_ok ? "str or None" : "str", v);
  }
  *out = ToUtf8(v.as<StrObject>());
  if (out->find('\0') != std::string::npos)
    return Raise(ts, Exc::kValueError, "embedded null character");
  return Ok();
}

// ---- registry ----

Result<> codecs_register(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CodecRegister(ts, args[0]));
  return None(ts);
}
Result<> codecs_unregister(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CodecUnregister(ts, args[0]));
  return None(ts);
}
Result<> codecs_lookup(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(Text(ts, args[0], "lookup", "argument", false, &name));
  return CodecLookup(ts, name);
}
Result<> codecs_register_error(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(Text(ts, args[0], "register_error", "argument 1", false, &name));
  MVM_TRY_VOID(CodecRegisterError(ts, name, args[1]));
  return None(ts);
}
Result<> codecs_lookup_error(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(Text(ts, args[0], "lookup_error", "argument", false, &name));
  return CodecLookupError(ts, name);
}
Result<> codecs_encode(ThreadState& ts, Args args) {
  std::string encoding = "utf-8", errors = "strict";
  MVM_TRY_VOID(
      Text(ts, args.get(1, Value::Absent()), "encode", "argument 'encoding'", false, &encoding));
  MVM_TRY_VOID(
      Text(ts, args.get(2, Value::Absent()), "encode", "argument 'errors'", false, &errors));
  return CodecsEncode(ts, args[0], encoding, errors);
}
Result<> codecs_decode(ThreadState& ts, Args args) {
  std::string encoding = "utf-8", errors = "strict";
  MVM_TRY_VOID(
      Text(ts, args.get(1, Value::Absent()), "decode", "argument 'encoding'", false, &encoding));
  MVM_TRY_VOID(
      Text(ts, args.get(2, Value::Absent()), "decode", "argument 'errors'", false, &errors));
  return CodecsDecode(ts, args[0], encoding, errors);
}

// ---- decoders: (data, errors=None[, final]) -> (str, consumed) ----

using DecodeFn = Result<StrObject> (*)(ThreadState& ts, DecodeInput& in);

struct DecodeArguments {
  std::string errors = "strict";
  ByteView data;
  DecodeInput in;

  // `final_at`: the argument's index, 0 if the function has none. Text input is read as UTF-8.
  Status Get(ThreadState& ts, Args args, const char* function, uint32_t final_at,
             bool text_ok = false) {
    MVM_TRY_VOID(Text(ts, args.get(1, Value::Absent()), function, "argument 2", true, &errors));
    in.final = true;
    if (final_at) {
      in.final = false;
      if (args.has(final_at)) {
        MVM_TRY(in.final, Truth(ts, args[final_at]));
      }
    }
    if (text_ok && IsStr(ts, args[0])) {
      MVM_TRY(held_, EncodeUtf8Codec(ts, args.as<StrObject>(0), "strict"));
      MVM_TRY_VOID(data.Get(ts, held_));
      in.source = held_;
    } else {
      MVM_TRY_VOID(data.Get(ts, args[0]));
      in.source = args[0];
    }
    in.bytes = data.view();
    in.errors = errors;
    return Ok();
  }

 private:
  Ref<> held_;
};

template <DecodeFn kDecode>
Result<> DecodeSimple(ThreadState& ts, Args args, const char* function, uint32_t final_at,
                      bool text_ok = false) {
  DecodeArguments a;
  MVM_TRY_VOID(a.Get(ts, args, function, final_at, text_ok));
  MVM_TRY(Ref<StrObject> text, kDecode(ts, a.in));
  return Pair(ts, text, a.in.consumed);
}

using OrderedDecodeFn = Result<StrObject> (*)(ThreadState& ts, DecodeInput& in, ByteOrder* order);

template <OrderedDecodeFn kDecode>
Result<> DecodeOrdered(ThreadState& ts, Args args, const char* function, ByteOrder order) {
  DecodeArguments a;
  MVM_TRY_VOID(a.Get(ts, args, function, 2));
  MVM_TRY(Ref<StrObject> text, kDecode(ts, a.in, &order));
  return Pair(ts, text, a.in.consumed);
}

// (data, errors, byteorder, final) -> (str, consumed, byteorder)
template <OrderedDecodeFn kDecode>
Result<> DecodeEx(ThreadState& ts, Args args, const char* function) {
  DecodeArguments a;
  MVM_TRY_VOID(a.Get(ts, args, function, 3));
  ByteOrder order = ByteOrder::kNative;
  if (args.has(2)) {
    MVM_TRY(int64_t given, AsInt64(ts, args[2]));
    order = given < 0 ? ByteOrder::kLittle : given > 0 ? ByteOrder::kBig : ByteOrder::kNative;
  }
  MVM_TRY(Ref<StrObject> text, kDecode(ts, a.in, &order));
  Value items[] = {text, Value::Int(static_cast<int64_t>(a.in.consumed)),
                   Value::Int(static_cast<int>(order))};
  return NewTuple(ts, items);
}

Result<> codecs_utf_8_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeUtf8Codec>(ts, args, "utf_8_decode", 2);
}
Result<> codecs_utf_7_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeUtf7>(ts, args, "utf_7_decode", 2);
}
Result<> codecs_ascii_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeAscii>(ts, args, "ascii_decode", 0);
}
Result<> codecs_latin_1_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeLatin1>(ts, args, "latin_1_decode", 0);
}
Result<> codecs_unicode_escape_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeUnicodeEscape>(ts, args, "unicode_escape_decode", 2, true);
}
Result<> codecs_raw_unicode_escape_decode(ThreadState& ts, Args args) {
  return DecodeSimple<DecodeRawUnicodeEscape>(ts, args, "raw_unicode_escape_decode", 2, true);
}
Result<> codecs_utf_16_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf16>(ts, args, "utf_16_decode", ByteOrder::kNative);
}
Result<> codecs_utf_16_le_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf16>(ts, args, "utf_16_le_decode", ByteOrder::kLittle);
}
Result<> codecs_utf_16_be_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf16>(ts, args, "utf_16_be_decode", ByteOrder::kBig);
}
Result<> codecs_utf_16_ex_decode(ThreadState& ts, Args args) {
  return DecodeEx<DecodeUtf16>(ts, args, "utf_16_ex_decode");
}
Result<> codecs_utf_32_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf32>(ts, args, "utf_32_decode", ByteOrder::kNative);
}
Result<> codecs_utf_32_le_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf32>(ts, args, "utf_32_le_decode", ByteOrder::kLittle);
}
Result<> codecs_utf_32_be_decode(ThreadState& ts, Args args) {
  return DecodeOrdered<DecodeUtf32>(ts, args, "utf_32_be_decode", ByteOrder::kBig);
}
Result<> codecs_utf_32_ex_decode(ThreadState& ts, Args args) {
  return DecodeEx<DecodeUtf32>(ts, args, "utf_32_ex_decode");
}
Result<> codecs_charmap_decode(ThreadState& ts, Args args) {
  DecodeArguments a;
  MVM_TRY_VOID(a.Get(ts, args, "charmap_decode", 0));
  MVM_TRY(Ref<StrObject> text, DecodeCharmap(ts, a.in, args.get(2, Value())));
  return Pair(ts, text, a.in.consumed);
}

// ---- encoders: (str, errors=None) -> (bytes, length) ----

template <class F>
Result<> EncodeText(ThreadState& ts, Args args, const char* function, F encode) {
  if (!IsStr(ts, args[0])) {
    return RaiseBadArgument(ts, function, "argument 1", "str", args[0]);
  }
  std::string errors = "strict";
  MVM_TRY_VOID(Text(ts, args.get(1, Value::Absent()), function, "argument 2", true, &errors));
  StrObject* s = args.as<StrObject>(0);
  MVM_TRY(Ref<BytesObject> bytes, encode(s, std::string_view(errors)));
  return Pair(ts, bytes, s->length);
}

Result<> codecs_utf_8_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "utf_8_encode",
                    [&](StrObject* s, std::string_view e) { return EncodeUtf8Codec(ts, s, e); });
}
Result<> codecs_utf_7_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "utf_7_encode",
                    [&](StrObject* s, std::string_view) { return EncodeUtf7(ts, s); });
}
Result<> codecs_ascii_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "ascii_encode",
                    [&](StrObject* s, std::string_view e) { return EncodeAscii(ts, s, e); });
}
Result<> codecs_latin_1_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "latin_1_encode",
                    [&](StrObject* s, std::string_view e) { return EncodeLatin1(ts, s, e); });
}
Result<> codecs_unicode_escape_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "unicode_escape_encode",
                    [&](StrObject* s, std::string_view) { return EncodeUnicodeEscape(ts, s); });
}
Result<> codecs_raw_unicode_escape_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "raw_unicode_escape_encode",
                    [&](StrObject* s, std::string_view) { return EncodeRawUnicodeEscape(ts, s); });
}

template <auto kEncode>
Result<> EncodeOrdered(ThreadState& ts, Args args, const char* function, ByteOrder order) {
  if (args.has(2)) {
    MVM_TRY(int64_t given, AsInt64(ts, args[2]));
    order = given < 0 ? ByteOrder::kLittle : given > 0 ? ByteOrder::kBig : ByteOrder::kNative;
  }
  return EncodeText(ts, args, function,
                    [&](StrObject* s, std::string_view e) { return kEncode(ts, s, e, order); });
}

Result<> codecs_utf_16_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf16>(ts, args, "utf_16_encode", ByteOrder::kNative);
}
Result<> codecs_utf_16_le_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf16>(ts, args, "utf_16_le_encode", ByteOrder::kLittle);
}
Result<> codecs_utf_16_be_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf16>(ts, args, "utf_16_be_encode", ByteOrder::kBig);
}
Result<> codecs_utf_32_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf32>(ts, args, "utf_32_encode", ByteOrder::kNative);
}
Result<> codecs_utf_32_le_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf32>(ts, args, "utf_32_le_encode", ByteOrder::kLittle);
}
Result<> codecs_utf_32_be_encode(ThreadState& ts, Args args) {
  return EncodeOrdered<EncodeUtf32>(ts, args, "utf_32_be_encode", ByteOrder::kBig);
}
Result<> codecs_charmap_encode(ThreadState& ts, Args args) {
  return EncodeText(ts, args, "charmap_encode", [&](StrObject* s, std::string_view e) {
    return EncodeCharmap(ts, s, e, args.get(2, Value()));
  });
}

Result<> codecs_charmap_build(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) {
    return RaiseBadArgument(ts, "charmap_build", "argument", "str", args[0]);
  }
  const StrObject* table = args.as<StrObject>(0);
  MVM_TRY(Ref<DictObject> map, NewDict(ts, table->length));
  for (size_t i = 0; i < table->length && i < 256; ++i) {
    if (table->At(i) == 0xFFFE) continue;
    MVM_TRY_VOID(DictSet(ts, map, Value::Int(static_cast<int64_t>(table->At(i))),
                         Value::Int(static_cast<int64_t>(i))));
  }
  return map;
}

Result<> codecs_readbuffer_encode(ThreadState& ts, Args args) {
  Ref<BytesObject> bytes;
  if (IsStr(ts, args[0])) {
    MVM_TRY(bytes, EncodeUtf8Codec(ts, args.as<StrObject>(0), "strict"));
  } else {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, args[0]));
    MVM_TRY(bytes, NewBytes(ts, view.view()));
  }
  return Pair(ts, bytes, bytes->length);
}

// ---- escapes of bytes literals ----

Result<> codecs_escape_encode(ThreadState& ts, Args args) {
  if (!IsBytes(ts, args[0])) {
    return RaiseBadArgument(ts, "escape_encode", "argument 1", "bytes", args[0]);
  }
  const std::string_view data = args.as<BytesObject>(0)->view();
  MVM_TRY_VOID(CheckRoom(ts, data.size() * 4));
  TextBuffer out;
  for (unsigned char c : data) {
    switch (c) {
      case '\\':
      case '\'':
        out.Append('\\');
        out.Append(static_cast<char>(c));
        break;
      case '\t': out.Append("\\t"); break;
      case '\n': out.Append("\\n"); break;
      case '\r': out.Append("\\r"); break;
      default:
        if (c < 0x20 || c >= 0x7F) {
          out.Append("\\x");
          out.AppendHex(c, 2);
        } else {
          out.Append(static_cast<char>(c));
        }
    }
  }
  if (out.failed()) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, out.view()));
  return Pair(ts, bytes, data.size());
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 32);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<> codecs_escape_decode(ThreadState& ts, Args args) {
  DecodeArguments a;
  MVM_TRY_VOID(a.Get(ts, args, "escape_decode", 0, true));
  const std::string_view p = a.in.bytes;
  MVM_TRY_VOID(CheckRoom(ts, p.size()));
  TextBuffer out;
  for (size_t i = 0; i < p.size();) {
    if (p[i] != '\\') {
      out.Append(p[i++]);
      continue;
    }
    if (i + 1 == p.size()) return Raise(ts, Exc::kValueError, "Trailing \\ in string");
    const char kind = p[i + 1];
    const size_t start = i;
    i += 2;
    switch (kind) {
      case '\n': break;
      case '\\':
      case '\'':
      case '"': out.Append(kind); break;
      case 'a': out.Append('\a'); break;
      case 'b': out.Append('\b'); break;
      case 'f': out.Append('\f'); break;
      case 'n': out.Append('\n'); break;
      case 'r': out.Append('\r'); break;
      case 't': out.Append('\t'); break;
      case 'v': out.Append('\v'); break;
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7': {
        int value = kind - '0';
        for (int k = 0; k < 2 && i < p.size() && p[i] >= '0' && p[i] <= '7'; ++k)
          value = value * 8 + (p[i++] - '0');
        out.Append(static_cast<char>(value));
        break;
      }
      case 'x': {
        const int high = i < p.size() ? HexDigit(p[i]) : -1;
        const int low = high >= 0 && i + 1 < p.size() ? HexDigit(p[i + 1]) : -1;
        if (low >= 0) {
          out.Append(static_cast<char>(high << 4 | low));
          i += 2;
          break;
        }
        if (a.errors == "strict") {
          return Raise(ts, Exc::kValueError, "invalid \\x escape at position %zu", start);
        }
        if (a.errors == "replace") {
          out.Append('?');
        } else if (a.errors != "ignore") {
          return Raise(ts, Exc::kValueError, "decoding error; unknown error handling code: %.400s",
                       a.errors.c_str());
        }
        if (high >= 0) ++i;
        break;
      }
      default: out.Append('\\'); out.Append(kind);
    }
  }
  if (out.failed()) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, out.view()));
  return Pair(ts, bytes, p.size());
}

// ---- for the package encodings ----

Result<> codecs_builtin_name(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(Text(ts, args[0], "_builtin_name", "argument", false, &name));
  char buf[64];
  const std::string_view resolved =
      BuiltinEncodingName({buf, NormalizeEncoding(name, buf, sizeof(buf))});
  if (resolved.empty()) return None(ts);
  return NewStr(ts, resolved);
}

Result<> codecs_aliases(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> aliases, NewDict(ts));
  std::string_view alias, name;
  for (size_t i = 0; EncodingAliasAt(i, &alias, &name); ++i) {
    MVM_TRY(Ref<StrObject> value, InternUtf8(ts, name));
    MVM_TRY_VOID(DictSetUtf8(ts, aliases, alias, value));
  }
  return aliases;
}

const MethodSpec kFunctions[] = {
    {"_aliases()", codecs_aliases, "The normalised aliases of the built-in encodings."},
    {"_builtin_name(encoding, /)", codecs_builtin_name,
     "The normalised name of a built-in text encoding, None for others."},
    {"ascii_decode(data, errors=None, /)", codecs_ascii_decode},
    {"ascii_encode(str, errors=None, /)", codecs_ascii_encode},
    {"charmap_build(map, /)", codecs_charmap_build},
    {"charmap_decode(data, errors=None, mapping=None, /)", codecs_charmap_decode},
    {"charmap_encode(str, errors=None, mapping=None, /)", codecs_charmap_encode},
    {"decode(obj, encoding='utf-8', errors='strict')", codecs_decode,
     "Have the codec for encoding read obj. errors: strict, or the name of another error handler."},
    {"encode(obj, encoding='utf-8', errors='strict')", codecs_encode,
     "Have the codec for encoding write obj. errors: strict, or the name of another error "
     "handler."},
    {"escape_decode(data, errors=None, /)", codecs_escape_decode},
    {"escape_encode(data, errors=None, /)", codecs_escape_encode},
    {"latin_1_decode(data, errors=None, /)", codecs_latin_1_decode},
    {"latin_1_encode(str, errors=None, /)", codecs_latin_1_encode},
    {"lookup(encoding, /)", codecs_lookup,
     "The codec of that name, as a CodecInfo. LookupError if nobody knows it."},
    {"lookup_error(name, /)", codecs_lookup_error,
     "What register_error() has under this name. LookupError if nothing."},
    {"raw_unicode_escape_decode(data, errors=None, final=True, /)",
     codecs_raw_unicode_escape_decode},
    {"raw_unicode_escape_encode(str, errors=None, /)", codecs_raw_unicode_escape_encode},
    {"readbuffer_encode(data, errors=None, /)", codecs_readbuffer_encode},
    {"register(search_function, /)", codecs_register,
     "Have search_function(name) asked for codecs that are not known yet; it returns a CodecInfo "
     "or None."},
    {"register_error(errors, handler, /)", codecs_register_error,
     "Name an error handler: it gets the UnicodeError and returns (replacement, where to go on), "
     "or raises."},
    {"unicode_escape_decode(data, errors=None, final=True, /)", codecs_unicode_escape_decode},
    {"unicode_escape_encode(str, errors=None, /)", codecs_unicode_escape_encode},
    {"unregister(search_function, /)", codecs_unregister,
     "Ask a search function no more, and forget which codecs were found."},
    {"utf_16_be_decode(data, errors=None, final=False, /)", codecs_utf_16_be_decode},
    {"utf_16_be_encode(str, errors=None, /)", codecs_utf_16_be_encode},
    {"utf_16_decode(data, errors=None, final=False, /)", codecs_utf_16_decode},
    {"utf_16_encode(str, errors=None, byteorder=0, /)", codecs_utf_16_encode},
    {"utf_16_ex_decode(data, errors=None, byteorder=0, final=False, /)", codecs_utf_16_ex_decode},
    {"utf_16_le_decode(data, errors=None, final=False, /)", codecs_utf_16_le_decode},
    {"utf_16_le_encode(str, errors=None, /)", codecs_utf_16_le_encode},
    {"utf_32_be_decode(data, errors=None, final=False, /)", codecs_utf_32_be_decode},
    {"utf_32_be_encode(str, errors=None, /)", codecs_utf_32_be_encode},
    {"utf_32_decode(data, errors=None, final=False, /)", codecs_utf_32_decode},
    {"utf_32_encode(str, errors=None, byteorder=0, /)", codecs_utf_32_encode},
    {"utf_32_ex_decode(data, errors=None, byteorder=0, final=False, /)", codecs_utf_32_ex_decode},
    {"utf_32_le_decode(data, errors=None, final=False, /)", codecs_utf_32_le_decode},
    {"utf_32_le_encode(str, errors=None, /)", codecs_utf_32_le_encode},
    {"utf_7_decode(data, errors=None, final=False, /)", codecs_utf_7_decode},
    {"utf_7_encode(str, errors=None, /)", codecs_utf_7_encode},
    {"utf_8_decode(data, errors=None, final=False, /)", codecs_utf_8_decode},
    {"utf_8_encode(str, errors=None, /)", codecs_utf_8_encode},
};

}  // namespace

extern const ModuleSpec k__codecs_module;
const ModuleSpec k__codecs_module = {.name = "_codecs", .functions = kFunctions};

}  // namespace minivm
