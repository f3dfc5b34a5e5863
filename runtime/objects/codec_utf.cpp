// UTF-8, UTF-16 and UTF-32.
#include <algorithm>
#include <cstring>

#include "runtime/objects/codec.h"
#include "runtime/objects/codec_inl.h"
#include "runtime/support/utf8.h"

namespace minivm {

// ---- UTF-8 ----

Result<StrObject> DecodeUtf8Codec(ThreadState& ts, DecodeInput& in) {
  const size_t n = in.bytes.size();
  in.consumed = n;
  if (IsAscii(in.bytes.data(), n)) {
    if (n < 2) return NewStrFromUcs1(ts, reinterpret_cast<const uint8_t*>(in.bytes.data()), n);
    MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n, 0x7F));
    std::memcpy(s->data1(), in.bytes.data(), n);
    return s;
  }
  Utf8Scan scan = ScanUtf8(in.bytes.data(), n);
  if (scan.error == Utf8Error::kNone) {
    if (scan.code_points == 1) {
      const char* p = in.bytes.data();
      return StrFromChar(ts, NextUtf8(&p));
    }
    MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, scan.code_points, scan.max_char));
    switch (s->kind()) {
      case 1: DecodeUtf8(s->data1(), in.bytes.data(), n); break;
      case 2: DecodeUtf8(s->data2(), in.bytes.data(), n); break;
      default: DecodeUtf8(s->data4(), in.bytes.data(), n); break;
    }
    return s;
  }
  StrBuilder out(ts);
  Ref<> keep;
  size_t at = 0;
  for (;;) {
    MVM_TRY_VOID(out.AppendUtf8(in.bytes.substr(at, scan.valid_bytes)));
    at += scan.valid_bytes;
    in.consumed = at;
    if (scan.error == Utf8Error::kNone) break;
    if (scan.error == Utf8Error::kUnexpectedEnd && !in.final) break;
    MVM_TRY(at, HandleDecodeError(ts, in, "utf-8", at, at + scan.error_length, Utf8ErrorReason(scan.error),
                                  &out, &keep));
    scan = ScanUtf8(in.bytes.data() + at, in.bytes.size() - at);
  }
  return out.Finish();
}

Result<BytesObject> EncodeUtf8Codec(ThreadState& ts, StrObject* s, std::string_view errors) {
  if (s->ascii()) return NewBytes(ts, s->ascii_view());
  size_t first = s->length;
  const size_t size = WithChars(s, [&](auto* p) { return Utf8Size(p, s->length, &first); });
  if (first == s->length) {
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, size));
    WithChars(s, [&](auto* p) { EncodeUtf8Text(reinterpret_cast<char*>(out->data()), p, s->length); });
    return out;
  }
  struct One {
    static bool Put(char32_t c, TextBuffer* out) {
      if (IsSurrogate(c)) return false;
      out->AppendCodePoint(c);
      return true;
    }
  };
  return EncodeWith(ts, s, errors, "utf-8", "surrogates not allowed", One::Put);
}

// ---- UTF-16 ----

namespace {

template <class T>
T Load(const char* p, bool big) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  if (!big) return v;
  return sizeof(T) == 2 ? static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)))
                        : static_cast<T>(__builtin_bswap32(v));
}

// The order that a mark at the start gives; *skip is its length.
template <class T>
bool ReadMark(std::string_view bytes, ByteOrder* order, size_t* skip) {
  *skip = 0;
  if (*order == ByteOrder::kNative && bytes.size() >= sizeof(T)) {
    for (bool big : {false, true}) {
      if (Load<T>(bytes.data(), big) == 0xFEFF) {
        *order = big ? ByteOrder::kBig : ByteOrder::kLittle;
        *skip = sizeof(T);
      }
    }
  }
  return *order == ByteOrder::kBig;
}

}  // namespace

Result<StrObject> DecodeUtf16(ThreadState& ts, DecodeInput& in, ByteOrder* order) {
  size_t at;
  const bool big = ReadMark<uint16_t>(in.bytes, order, &at);
  const char* name = big ? "utf-16-be" : "utf-16-le";
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve((in.bytes.size() - at) / 2));
  Ref<> keep;
  while (at < in.bytes.size()) {
    const size_t left = in.bytes.size() - at;
    const char* p = in.bytes.data() + at;
    const char* reason;
    size_t length;
    if (left < 2) {
      if (!in.final) break;
      reason = "truncated data";
      length = left;
    } else {
      const char32_t c = Load<uint16_t>(p, big);
      if (MVM_LIKELY(!IsSurrogate(c))) {
        MVM_TRY_VOID(out.Append(c));
        at += 2;
        continue;
      }
      length = 2;
      if (IsLowSurrogate(c)) {
        reason = "illegal encoding";
      } else if (left < 4) {
        if (!in.final) break;
        reason = "unexpected end of data";
        length = left;
      } else {
        const char32_t low = Load<uint16_t>(p + 2, big);
        if (IsLowSurrogate(low)) {
          MVM_TRY_VOID(out.Append(JoinSurrogates(c, low)));
          at += 4;
          continue;
        }
        reason = "illegal UTF-16 surrogate";
      }
    }
    MVM_TRY(at, HandleDecodeError(ts, in, name, at, at + length, reason, &out, &keep));
  }
  in.consumed = at;
  return out.Finish();
}

Result<StrObject> DecodeUtf32(ThreadState& ts, DecodeInput& in, ByteOrder* order) {
  size_t at;
  const bool big = ReadMark<uint32_t>(in.bytes, order, &at);
  const char* name = big ? "utf-32-be" : "utf-32-le";
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve((in.bytes.size() - at) / 4));
  Ref<> keep;
  while (at < in.bytes.size()) {
    const size_t left = in.bytes.size() - at;
    const char* reason;
    size_t length = 4;
    if (left < 4) {
      if (!in.final) break;
      reason = "truncated data";
      length = left;
    } else {
      const char32_t c = Load<uint32_t>(in.bytes.data() + at, big);
      if (c <= kMaxCodePoint && !IsSurrogate(c)) {
        MVM_TRY_VOID(out.Append(c));
        at += 4;
        continue;
      }
      reason = c > kMaxCodePoint ? "code point not in range(0x110000)"
                                 : "code point in surrogate code point range(0xd800, 0xe000)";
    }
    MVM_TRY(at, HandleDecodeError(ts, in, name, at, at + length, reason, &out, &keep));
  }
  in.consumed = at;
  return out.Finish();
}

namespace {

template <class T>
void Store(T v, bool big, TextBuffer* out) {
  if (big) v = sizeof(T) == 2 ? static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)))
                              : static_cast<T>(__builtin_bswap32(v));
  char* room = out->Extend(sizeof(T));
  if (room) std::memcpy(room, &v, sizeof(T));
}

template <bool kBig>
bool PutUtf16(char32_t c, TextBuffer* out) {
  if (IsSurrogate(c)) return false;
  if (c < 0x10000) {
    Store(static_cast<uint16_t>(c), kBig, out);
  } else {
    Store(static_cast<uint16_t>(0xD7C0 + (c >> 10)), kBig, out);
    Store(static_cast<uint16_t>(0xDC00 + (c & 0x3FF)), kBig, out);
  }
  return true;
}

template <bool kBig>
bool PutUtf32(char32_t c, TextBuffer* out) {
  if (IsSurrogate(c)) return false;
  Store(static_cast<uint32_t>(c), kBig, out);
  return true;
}

}  // namespace

Result<BytesObject> EncodeUtf16(ThreadState& ts, StrObject* s, std::string_view errors, ByteOrder order) {
  static constexpr const char* kReason = "surrogates not allowed";
  if (order == ByteOrder::kBig) return EncodeWith(ts, s, errors, "utf-16-be", kReason, PutUtf16<true>, {}, 2);
  return EncodeWith(ts, s, errors, order == ByteOrder::kNative ? "utf-16" : "utf-16-le", kReason, PutUtf16<false>,
                    order == ByteOrder::kNative ? std::string_view("\xFF\xFE", 2) : std::string_view(), 2);
}

Result<BytesObject> EncodeUtf32(ThreadState& ts, StrObject* s, std::string_view errors, ByteOrder order) {
  static constexpr const char* kReason = "surrogates not allowed";
  if (order == ByteOrder::kBig) return EncodeWith(ts, s, errors, "utf-32-be", kReason, PutUtf32<true>, {}, 4);
  return EncodeWith(ts, s, errors, order == ByteOrder::kNative ? "utf-32" : "utf-32-le", kReason, PutUtf32<false>,
                    order == ByteOrder::kNative ? std::string_view("\xFF\xFE\0\0", 4) : std::string_view(), 4);
}

}  // namespace minivm
