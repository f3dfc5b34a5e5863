// What TextIOWrapper encodes and decodes with: the common encodings natively, others through
// codecs.
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

Status ParseNewline(ThreadState& ts, Value newline, NewlineMode* mode) {
  *mode = NewlineMode();
  if (IsNone(ts, newline)) return Ok();
  StrObject* s = newline.as<StrObject>();
  if (s->EqualsAscii("\n")) {
    mode->universal = mode->translate = false;
    std::strcpy(mode->read_end, "\n");
    return Ok();
  }
  MVM_TRY_VOID(CheckEncodable(ts, s));
  std::string text = ToUtf8(s);
  if (text != "" && text != "\n" && text != "\r" && text != "\r\n") {
    return Raise(ts, Exc::kValueError, "illegal newline value: %U", newline);
  }
  mode->universal = text.empty();
  mode->translate = false;
  std::strcpy(mode->read_end, text.c_str());
  if (text != "\n") std::strcpy(mode->write_end, text.c_str());
  return Ok();
}

Result<> NewlinesAttribute(ThreadState& ts, uint8_t seen) {
  static constexpr const char* kTexts[] = {"\r", "\n", "\r\n"};
  if (seen == 0) return None(ts);
  if ((seen & (seen - 1)) == 0) return NewStr(ts, kTexts[seen == 1 ? 0 : seen == 2 ? 1 : 2]);
  Ref<StrObject> parts[3];
  Value values[3];
  size_t n = 0;
  for (int i = 0; i < 3; ++i) {
    if (!(seen & (1 << i))) continue;
    MVM_TRY(parts[n], NewStr(ts, kTexts[i]));
    values[n] = Value(parts[n].get());
    ++n;
  }
  return NewTuple(ts, {values, n});
}

Result<StrObject> TranslateNewlines(ThreadState& ts, Ref<StrObject> text, bool translate,
                                    bool final, bool* pending_cr, uint8_t* seen) {
  bool lead = *pending_cr && (final || text->length > 0);
  if (lead) *pending_cr = false;
  // The common case: no carriage return anywhere.
  auto contains = [](const StrObject* s, char32_t c) {
    if (s->kind() == 1) return std::memchr(s->data1(), static_cast<int>(c), s->length) != nullptr;
    return WithChars(s, [&](const auto* p) {
      for (size_t i = 0; i < s->length; ++i) {
        if (p[i] == c) return true;
      }
      return false;
    });
  };
  if (!lead && !contains(text, '\r')) {
    if (!(*seen & kSeenLf) && contains(text, '\n')) *seen |= kSeenLf;
    return text;
  }
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve(text->length + 1));
  size_t n = text->length;
  size_t i = 0;
  auto end_line = [&](uint8_t kind) -> Status {
    *seen |= kind;
    if (translate || kind == kSeenLf) return out.Append('\n');
    MVM_TRY_VOID(out.Append('\r'));
    return kind == kSeenCrLf ? out.Append('\n') : Ok();
  };
  if (lead) {
    bool crlf = n > 0 && text->At(0) == '\n';
    MVM_TRY_VOID(end_line(crlf ? kSeenCrLf : kSeenCr));
    i = crlf ? 1 : 0;
  }
  while (i < n) {
    char32_t c = text->At(i);
    if (c == '\r') {
      if (i + 1 == n && !final) {
        *pending_cr = true;
        break;
      }
      bool crlf = i + 1 < n && text->At(i + 1) == '\n';
      MVM_TRY_VOID(end_line(crlf ? kSeenCrLf : kSeenCr));
      i += crlf ? 2 : 1;
    } else if (c == '\n') {
      MVM_TRY_VOID(end_line(kSeenLf));
      ++i;
    } else {
      size_t start = i;
      while (i < n && text->At(i) != '\r' && text->At(i) != '\n') ++i;
      MVM_TRY_VOID(out.AppendSlice(text, start, i));
    }
  }
  return out.Finish();
}

namespace {

struct NativeCodec {
  const char* name;
  TextCodec codec;
  ByteOrder order;
};
constexpr NativeCodec kNativeCodecs[] = {
    {"utf_8", TextCodec::kUtf8, ByteOrder::kNative},
    {"utf_8_sig", TextCodec::kUtf8, ByteOrder::kNative},
    {"ascii", TextCodec::kAscii, ByteOrder::kNative},
    {"latin_1", TextCodec::kLatin1, ByteOrder::kNative},
    {"utf_16", TextCodec::kUtf16, ByteOrder::kNative},
    {"utf_16_le", TextCodec::kUtf16, ByteOrder::kLittle},
    {"utf_16_be", TextCodec::kUtf16, ByteOrder::kBig},
    {"utf_32", TextCodec::kUtf32, ByteOrder::kNative},
    {"utf_32_le", TextCodec::kUtf32, ByteOrder::kLittle},
    {"utf_32_be", TextCodec::kUtf32, ByteOrder::kBig},
};

void Assign(StrObject** field, StrObject* v) {
  Incref(v);
  StrObject* old = std::exchange(*field, v);
  if (old) Decref(old);
}

Result<> MakeCoder(ThreadState& ts, Value info, const char* which, StrObject* errors) {
  MVM_TRY(Ref<> factory, GetAttr(ts, info, which));
  return Call(ts, factory, Value(errors));
}

}  // namespace

Status SetCodec(ThreadState& ts, TextIoObject* t, StrObject* encoding, StrObject* errors) {
  std::string name = ToUtf8(encoding);
  char normal[128];
  size_t n = NormalizeEncoding(name, normal, sizeof(normal));
  std::string_view canonical = ResolveEncodingAlias({normal, n});
  TextCodec codec = TextCodec::kObject;
  const ByteTable* table = nullptr;
  ByteOrder order = ByteOrder::kNative;
  for (const NativeCodec& c : kNativeCodecs) {
    if (canonical == c.name) {
      codec = c.codec;
      order = c.order;
    }
  }
  if (codec == TextCodec::kObject && (table = FindByteTable(canonical)) != nullptr)
    codec = TextCodec::kTable;
  Ref<> decoder, encoder;
  if (codec == TextCodec::kObject) {
    MVM_TRY(Ref<> info, CodecLookup(ts, name));
    MVM_TRY(Ref<> flag, GetAttrOptional(ts, info, "_is_text_encoding"));
    if (!flag.is_absent()) {
      MVM_TRY(bool text, Truth(ts, flag));
      if (!text) {
        return Raise(ts, Exc::kLookupError,
                     "'%s' is not a text encoding; use codecs.open() to handle arbitrary codecs",
                     name.c_str());
      }
    }
    if (t->readable) {
      MVM_TRY(decoder, MakeCoder(ts, info, "incrementaldecoder", errors));
    }
    if (t->writable) {
      MVM_TRY(encoder, MakeCoder(ts, info, "incrementalencoder", errors));
    }
  }
  t->codec = codec;
  t->table = table;
  t->fixed_order = order;
  t->sig = canonical == "utf_8_sig";
  t->strict = errors->EqualsAscii("strict");
  t->encoding_started = false;
  Assign(&t->encoding, encoding);
  Assign(&t->errors, errors);
  Decref(std::exchange(t->decoder, decoder.Release()));
  Decref(std::exchange(t->encoder, encoder.Release()));
  return Ok();
}

Result<BytesObject> EncodeText(ThreadState& ts, TextIoObject* t, StrObject* s) {
  std::string errors = t->strict ? "strict" : ToUtf8(t->errors);
  bool first = !std::exchange(t->encoding_started, true);
  switch (t->codec) {
    case TextCodec::kUtf8: {
      MVM_TRY(Ref<BytesObject> bytes, EncodeUtf8Codec(ts, s, errors));
      if (!t->sig || !first) return bytes;
      MVM_TRY(Ref<BytesObject> marked, NewBytesRaw(ts, bytes->length + 3));
      std::memcpy(marked->data(), "\xEF\xBB\xBF", 3);
      std::memcpy(marked->data() + 3, bytes->data(), bytes->length);
      return marked;
    }
    case TextCodec::kAscii: return EncodeAscii(ts, s, errors);
    case TextCodec::kLatin1: return EncodeLatin1(ts, s, errors);
    case TextCodec::kTable: return EncodeByteTable(ts, s, errors, *t->table);
    case TextCodec::kUtf16:
    case TextCodec::kUtf32: {
      ByteOrder order = t->fixed_order;
      if (order == ByteOrder::kNative && !first) {
        order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ByteOrder::kLittle : ByteOrder::kBig;
      }
      return t->codec == TextCodec::kUtf16 ? EncodeUtf16(ts, s, errors, order)
                                           : EncodeUtf32(ts, s, errors, order);
    }
    case TextCodec::kObject: break;
  }
  MVM_TRY(Ref<> bytes, CallNamed(ts, t->encoder, "encode", Value(s)));
  if (!IsBytes(ts, bytes)) {
    return Raise(ts, Exc::kTypeError, "encoder should return a bytes object, not '%T'",
                 bytes.get());
  }
  return std::move(bytes).Into<BytesObject>();
}

namespace {

Result<StrObject> DecodeNative(ThreadState& ts, TextIoObject* t, DecodeState* state,
                               DecodeInput& in) {
  switch (t->codec) {
    case TextCodec::kUtf8: return DecodeUtf8Codec(ts, in);
    case TextCodec::kAscii: return DecodeAscii(ts, in);
    case TextCodec::kLatin1: return DecodeLatin1(ts, in);
    case TextCodec::kTable: return DecodeByteTable(ts, in, *t->table);
    case TextCodec::kUtf16:
      if (t->fixed_order != ByteOrder::kNative) state->order = t->fixed_order;
      return DecodeUtf16(ts, in, &state->order);
    default:
      if (t->fixed_order != ByteOrder::kNative) state->order = t->fixed_order;
      return DecodeUtf32(ts, in, &state->order);
  }
}

}  // namespace

Result<StrObject> DecodeText(ThreadState& ts, TextIoObject* t, DecodeState* state,
                             std::string_view bytes, bool final) {
  Ref<StrObject> text;
  if (t->codec == TextCodec::kObject) {
    MVM_TRY(Ref<BytesObject> input, NewBytes(ts, bytes));
    Value pair[] = {Value(input.get()), Value(final ? ts.rt->true_ : ts.rt->false_)};
    MVM_TRY(Ref<> decoded, CallNamed(ts, t->decoder, "decode", pair));
    if (!IsStr(ts, decoded)) {
      return Raise(ts, Exc::kTypeError, "decoder should return a string result, not '%T'",
                   decoded.get());
    }
    text = std::move(decoded).Into<StrObject>();
  } else {
    std::string joined;
    if (!state->rest.empty()) {
      joined = std::move(state->rest);
      joined += bytes;
      state->rest.clear();
      bytes = joined;
    }
    if (t->sig && !state->mark_seen) {
      std::string_view mark = "\xEF\xBB\xBF";
      if (bytes.size() < 3 && mark.starts_with(bytes) && !final) {
        state->rest = bytes;
        return EmptyStr(ts);
      }
      if (bytes.starts_with(mark)) bytes.remove_prefix(3);
      state->mark_seen = true;
    }
    DecodeInput in;
    in.bytes = bytes;
    std::string errors;
    if (!t->strict) {
      errors = ToUtf8(t->errors);
      in.errors = errors;
    }
    in.final = final;
    MVM_TRY(text, DecodeNative(ts, t, state, in));
    const bool wide = t->codec == TextCodec::kUtf16 || t->codec == TextCodec::kUtf32;
    if (wide && state->order == ByteOrder::kNative && in.consumed != 0) {
      // The order of a whole text may be guessed, not that of a stream.
      const bool utf16 = t->codec == TextCodec::kUtf16;
      return RaiseDecode(ts, in, utf16 ? "utf-16" : "utf-32", 0, utf16 ? 2 : 4,
                         "Stream does not start with BOM");
    }
    if (in.consumed < bytes.size() && !final) state->rest = bytes.substr(in.consumed);
  }
  if (!t->newline.universal) return text;
  return TranslateNewlines(ts, std::move(text), t->newline.translate, final, &state->pending_cr,
                           &t->seen);
}

Status ResetDecoder(ThreadState& ts, TextIoObject* t) {
  if (t->state) *t->state = DecodeState();
  if (t->codec == TextCodec::kObject && !t->decoder.is_null())
    MVM_TRY_VOID(CallNamed(ts, t->decoder, "reset"));
  return Ok();
}

}  // namespace minivm::io
