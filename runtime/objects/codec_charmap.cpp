// Encodings of one byte per character: ASCII, Latin-1, the built-in tables, and scripts' mappings.
#include <algorithm>
#include <cstring>

#include "runtime/objects/codec.h"
#include "runtime/objects/codec_inl.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_search.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

struct EncodingAlias {
  std::string_view alias, name;
};

#include "runtime/objects/codec_tables.inc"

constexpr const char* kUndefined = "character maps to <undefined>";
constexpr char32_t kNoChar = 0xFFFE;

}  // namespace

std::string_view ResolveEncodingAlias(std::string_view name) {
  const EncodingAlias* end = std::end(kAliases);
  const EncodingAlias* row =
      std::lower_bound(std::begin(kAliases), end, name,
                       [](const EncodingAlias& a, std::string_view n) { return a.alias < n; });
  return row != end && row->alias == name ? row->name : name;
}

bool EncodingAliasAt(size_t i, std::string_view* alias, std::string_view* name) {
  if (i >= std::size(kAliases)) return false;
  *alias = kAliases[i].alias;
  *name = kAliases[i].name;
  return true;
}

const ByteTable* FindByteTable(std::string_view name) {
  for (const ByteTable& table : kByteTables) {
    if (name == table.name) return &table;
  }
  return nullptr;
}

// ---- ASCII and Latin-1 ----

Result<StrObject> DecodeLatin1(ThreadState& ts, DecodeInput& in) {
  in.consumed = in.bytes.size();
  return NewStrFromUcs1(ts, reinterpret_cast<const uint8_t*>(in.bytes.data()), in.bytes.size());
}

Result<StrObject> DecodeAscii(ThreadState& ts, DecodeInput& in) {
  size_t at = AsciiPrefix(in.bytes.data(), in.bytes.size());
  if (at == in.bytes.size()) return DecodeLatin1(ts, in);
  StrBuilder out(ts);
  Ref<> keep;
  MVM_TRY_VOID(out.AppendAscii(in.bytes.substr(0, at)));
  while (at < in.bytes.size()) {
    MVM_TRY(at, HandleDecodeError(ts, in, "ascii", at, at + 1, "ordinal not in range(128)", &out,
                                  &keep));
    const size_t run = AsciiPrefix(in.bytes.data() + at, in.bytes.size() - at);
    MVM_TRY_VOID(out.AppendAscii(in.bytes.substr(at, run)));
    at += run;
  }
  in.consumed = at;
  return out.Finish();
}

Result<BytesObject> EncodeAscii(ThreadState& ts, StrObject* s, std::string_view errors) {
  if (s->ascii()) return NewBytes(ts, s->ascii_view());
  return EncodeWith(ts, s, errors, "ascii", "ordinal not in range(128)",
                    [](char32_t c, TextBuffer* out) {
                      if (c >= 128) return false;
                      out->Append(static_cast<char>(c));
                      return true;
                    });
}

Result<BytesObject> EncodeLatin1(ThreadState& ts, StrObject* s, std::string_view errors) {
  if (s->kind() == 1) return NewBytes(ts, s->ascii_view());
  return EncodeWith(ts, s, errors, "latin-1", "ordinal not in range(256)",
                    [](char32_t c, TextBuffer* out) {
                      if (c >= 256) return false;
                      out->Append(static_cast<char>(c));
                      return true;
                    });
}

// ---- tables ----

Result<StrObject> DecodeByteTable(ThreadState& ts, DecodeInput& in, const ByteTable& table) {
  if (!table.lower && IsAscii(in.bytes.data(), in.bytes.size())) return DecodeLatin1(ts, in);
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve(in.bytes.size()));
  Ref<> keep;
  size_t at = 0;
  while (at < in.bytes.size()) {
    const uint8_t b = static_cast<uint8_t>(in.bytes[at]);
    const char32_t c = b >= 128 ? table.upper[b - 128] : table.lower ? table.lower[b] : b;
    if (MVM_LIKELY(c != kNoChar)) {
      MVM_TRY_VOID(out.Append(c));
      ++at;
      continue;
    }
    MVM_TRY(at, HandleDecodeError(ts, in, "charmap", at, at + 1, kUndefined, &out, &keep));
  }
  in.consumed = at;
  return out.Finish();
}

Result<BytesObject> EncodeByteTable(ThreadState& ts, StrObject* s, std::string_view errors,
                                    const ByteTable& table) {
  if (!table.lower && s->ascii()) return NewBytes(ts, s->ascii_view());
  const uint16_t* upper = reinterpret_cast<const uint16_t*>(table.upper);
  const uint16_t* lower = reinterpret_cast<const uint16_t*>(table.lower);
  return EncodeWith(ts, s, errors, "charmap", kUndefined,
                    [upper, lower](char32_t c, TextBuffer* out) {
                      if (!lower && c < 128) {
                        out->Append(static_cast<char>(c));
                        return true;
                      }
                      if (c >= kNoChar) return false;
                      const uint16_t unit = static_cast<uint16_t>(c);
                      if (ptrdiff_t at = FindChar(upper, 128, unit); at >= 0) {
                        out->Append(static_cast<char>(at + 128));
                        return true;
                      }
                      const ptrdiff_t at = lower ? FindChar(lower, 128, unit) : -1;
                      if (at >= 0) out->Append(static_cast<char>(at));
                      return at >= 0;
                    });
}

// ---- scripts' mappings ----

namespace {

// What the mapping says about a byte; *text is empty where it says nothing.
Status MapByte(ThreadState& ts, Value mapping, uint8_t byte, Ref<StrObject>* text) {
  if (IsStr(ts, mapping)) {
    const StrObject* table = mapping.as<StrObject>();
    if (byte >= table->length || table->At(byte) == kNoChar) return Ok();
    MVM_TRY(*text, StrFromChar(ts, table->At(byte)));
    return Ok();
  }
  Result<> found = GetItem(ts, mapping, Value::Int(byte));
  if (found.raised()) {
    if (!ClearPendingIf(ts, Exc::kLookupError)) return kRaised;
    return Ok();
  }
  Ref<> v = found.Take();
  if (IsNone(ts, v)) return Ok();
  if (IsInt(ts, v)) {
    int64_t code;
    if (!IntFitsInt64(v, &code) || code < 0 || code > static_cast<int64_t>(kMaxCodePoint)) {
      return Raise(ts, Exc::kTypeError, "character mapping must be in range(0x110000)");
    }
    if (code == kNoChar) return Ok();
    MVM_TRY(*text, StrFromChar(ts, static_cast<char32_t>(code)));
    return Ok();
  }
  if (!IsStr(ts, v))
    return Raise(ts, Exc::kTypeError, "character mapping must return integer, None or str");
  if (v.as<StrObject>()->length == 1 && v.as<StrObject>()->At(0) == kNoChar) return Ok();
  *text = Ref<StrObject>::Borrow(v.as<StrObject>());
  return Ok();
}

// Appends the mapping's bytes for c; *mapped is false where there are none.
Status MapChar(ThreadState& ts, Value mapping, char32_t c, TextBuffer* out, bool* mapped) {
  *mapped = false;
  Result<> found = GetItem(ts, mapping, Value::Int(static_cast<int64_t>(c)));
  if (found.raised()) {
    if (!ClearPendingIf(ts, Exc::kLookupError)) return kRaised;
    return Ok();
  }
  Ref<> v = found.Take();
  if (IsNone(ts, v)) return Ok();
  *mapped = true;
  if (IsInt(ts, v)) {
    int64_t byte;
    if (!IntFitsInt64(v, &byte) || byte < 0 || byte > 255) {
      return Raise(ts, Exc::kTypeError, "character mapping must be in range(256)");
    }
    out->Append(static_cast<char>(byte));
    return Ok();
  }
  if (!IsBytes(ts, v)) {
    return Raise(ts, Exc::kTypeError,
                 "character mapping must return integer, bytes or None, not %T", v.get());
  }
  out->Append(v.as<BytesObject>()->view());
  return Ok();
}

}  // namespace

Result<StrObject> DecodeCharmap(ThreadState& ts, DecodeInput& in, Value mapping) {
  if (!mapping || mapping.is_absent() || IsNone(ts, mapping)) return DecodeLatin1(ts, in);
  StrBuilder out(ts);
  Ref<> keep;
  size_t at = 0;
  while (at < in.bytes.size()) {
    Ref<StrObject> text;
    MVM_TRY_VOID(MapByte(ts, mapping, static_cast<uint8_t>(in.bytes[at]), &text));
    if (text) {
      MVM_TRY_VOID(out.Append(text.get()));
      ++at;
    } else {
      MVM_TRY(at, HandleDecodeError(ts, in, "charmap", at, at + 1, kUndefined, &out, &keep));
    }
  }
  in.consumed = at;
  return out.Finish();
}

Result<BytesObject> EncodeCharmap(ThreadState& ts, StrObject* s, std::string_view errors,
                                  Value mapping) {
  if (!mapping || mapping.is_absent() || IsNone(ts, mapping)) return EncodeLatin1(ts, s, errors);
  TextBuffer out(Heap::kMaxAllocation);
  size_t i = 0;
  while (i < s->length) {
    bool mapped;
    MVM_TRY_VOID(MapChar(ts, mapping, s->At(i), &out, &mapped));
    if (mapped) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    for (; end < s->length; ++end) {
      TextBuffer scratch;
      MVM_TRY_VOID(MapChar(ts, mapping, s->At(end), &scratch, &mapped));
      if (mapped) break;
    }
    EncodeReplacement replacement;
    MVM_TRY_VOID(HandleEncodeError(ts, s, errors, "charmap", i, end, kUndefined, &replacement));
    if (IsBytes(ts, replacement.text)) {
      out.Append(replacement.text.as<BytesObject>()->view());
    } else {
      const StrObject* text = replacement.text.as<StrObject>();
      for (size_t k = 0; k < text->length; ++k) {
        MVM_TRY_VOID(MapChar(ts, mapping, text->At(k), &out, &mapped));
        if (!mapped)
          MVM_TRY_VOID(
              HandleEncodeError(ts, s, "strict", "charmap", i, end, kUndefined, &replacement));
      }
    }
    i = replacement.next;
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, out.view());
}

}  // namespace minivm
