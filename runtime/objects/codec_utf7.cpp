// UTF-7 (RFC 2152): ASCII, with everything else as UTF-16 in base64 between '+' and '-'.
#include "runtime/objects/codec.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

constexpr const char* kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int FromBase64(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Written as it is outside base64.
bool IsDirect(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return true;
  return c >= 0x20 && c < 0x7F && c != '+' && c != '\\' && c != '~';
}

}  // namespace

Result<StrObject> DecodeUtf7(ThreadState& ts, DecodeInput& in) {
  static constexpr const char* kName = "utf7";
  StrBuilder out(ts);
  Ref<> keep;
  size_t at = 0, shift_start = 0, shift_out = 0;
  bool shifted = false;
  uint32_t buffer = 0;
  int bits = 0;
  char32_t high = 0;  // a high surrogate waiting for its partner
  for (;;) {
    if (at == in.bytes.size()) {
      if (!shifted || !in.final || (high == 0 && bits < 6 && !(bits > 0 && buffer != 0))) break;
      shifted = false;
      bits = 0;
      high = 0;
      MVM_TRY(at, HandleDecodeError(ts, in, kName, shift_start, in.bytes.size(),
                                    "unterminated shift sequence", &out, &keep));
      continue;
    }
    const uint8_t c = static_cast<uint8_t>(in.bytes[at]);
    if (!shifted) {
      if (c == '+') {
        if (at + 1 < in.bytes.size() && in.bytes[at + 1] == '-') {
          MVM_TRY_VOID(out.Append('+'));
          at += 2;
        } else if (at + 1 < in.bytes.size() &&
                   FromBase64(static_cast<uint8_t>(in.bytes[at + 1])) < 0) {
          MVM_TRY(at,
                  HandleDecodeError(ts, in, kName, at, at + 2, "ill-formed sequence", &out, &keep));
        } else {
          shift_start = at++;
          shift_out = out.length();
          shifted = true;
          buffer = 0;
          bits = 0;
          high = 0;
        }
      } else if (c < 128) {
        MVM_TRY_VOID(out.Append(c));
        ++at;
      } else {
        MVM_TRY(at, HandleDecodeError(ts, in, kName, at, at + 1, "unexpected special character",
                                      &out, &keep));
      }
      continue;
    }
    const int value = FromBase64(c);
    if (value >= 0) {
      buffer = buffer << 6 | static_cast<uint32_t>(value);
      bits += 6;
      ++at;
      if (bits < 16) continue;
      const char32_t unit = buffer >> (bits - 16) & 0xFFFF;
      bits -= 16;
      buffer &= (1u << bits) - 1;
      if (high && IsLowSurrogate(unit)) {
        MVM_TRY_VOID(out.Append(JoinSurrogates(high, unit)));
        high = 0;
        continue;
      }
      if (high) MVM_TRY_VOID(out.Append(high));
      high = 0;
      if (IsHighSurrogate(unit)) {
        high = unit;
      } else {
        MVM_TRY_VOID(out.Append(unit));
      }
      continue;
    }
    // The end of base64.
    shifted = false;
    if (bits > 0) {
      const char* error = bits >= 6     ? "partial character in shift sequence"
                          : buffer != 0 ? "non-zero padding bits in shift sequence"
                                        : nullptr;
      if (error) {
        bits = 0;
        high = 0;
        MVM_TRY(at, HandleDecodeError(ts, in, kName, shift_start, at + 1, error, &out, &keep));
        continue;
      }
    }
    if (high && c < 128) MVM_TRY_VOID(out.Append(high));
    high = 0;
    if (c == '-') ++at;
  }
  if (shifted && !in.final) {
    out.Truncate(shift_out);
    at = shift_start;
  }
  in.consumed = at;
  return out.Finish();
}

Result<BytesObject> EncodeUtf7(ThreadState& ts, StrObject* s) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * 4));
  TextBuffer out(Heap::kMaxAllocation);
  bool shifted = false;
  uint32_t buffer = 0;
  int bits = 0;
  auto put16 = [&](uint32_t unit) {
    buffer = (buffer & ((1u << bits) - 1)) << 16 | unit;
    bits += 16;
    for (; bits >= 6; bits -= 6) out.Append(kBase64[buffer >> (bits - 6) & 63]);
  };
  auto flush = [&] {
    if (bits > 0) out.Append(kBase64[buffer << (6 - bits) & 63]);
    bits = 0;
    buffer = 0;
  };
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (IsDirect(c)) {
      if (shifted) {
        flush();
        shifted = false;
        if (c == '-' || FromBase64(static_cast<uint8_t>(c)) >= 0) out.Append('-');
      }
      out.Append(static_cast<char>(c));
      continue;
    }
    if (!shifted && c == '+') {
      out.Append("+-");
      continue;
    }
    if (!shifted) out.Append('+');
    shifted = true;
    if (c >= 0x10000) {
      put16(0xD7C0 + (c >> 10));
      put16(0xDC00 + (c & 0x3FF));
    } else {
      put16(c);
    }
  }
  if (shifted) {
    flush();
    out.Append('-');
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, out.view());
}

}  // namespace minivm
