// UTF-8, UTF-16 and UTF-32.
#include <algorithm>
#include <cstring>

#include "runtime/objects/codec.h"
#include "runtime/objects/codec_inl.h"
#include "runtime/support/utf8.h"

namespace minivm {

namespace {

// Memory for one pass over a text, on the stack while it is short.
class Scratch {
 public:
  explicit Scratch(ThreadState& ts) : ts_(ts) {}
  ~Scratch() {
    if (data_ != inline_) ts_.heap().FreeBuffer(data_, size_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Status Make(size_t bytes) {
    if (bytes <= sizeof(inline_)) return Ok();
    MVM_TRY(data_, AllocBuffer(ts_, bytes));
    size_ = bytes;
    return Ok();
  }
  template <class T>
  T* as() {
    return static_cast<T*>(data_);
  }

 private:
  ThreadState& ts_;
  void* data_ = inline_;
  size_t size_ = 0;
  alignas(16) char inline_[4096];
};

inline uint64_t LoadWord(const void* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

// ---- UTF-8 ----

// Validates and decodes in one pass, up to the first byte that is wrong or starts a character
// beyond U+FFFF. Returns the bytes used; *chars and *bits: how many characters, and all of them
// ORed.
size_t DecodeBmp(const uint8_t* data, size_t size, uint16_t* out, size_t* chars, unsigned* bits) {
  const uint8_t *p = data, *const end = data + size;
  uint16_t* to = out;
  unsigned seen = 0;
  while (p < end) {
    unsigned c = *p;
    if (c < 0x80) {
      while (end - p >= 8 && (LoadWord(p) & 0x8080808080808080u) == 0) {
        for (int i = 0; i < 8; ++i) to[i] = p[i];
        to += 8;
        p += 8;
      }
      while (p < end && *p < 0x80) *to++ = *p++;
      continue;
    }
    if (c < 0xE0) {
      if (c < 0xC2 || end - p < 2 || (p[1] & 0xC0) != 0x80) break;
      c = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
      p += 2;
    } else {
      if (c >= 0xF0 || end - p < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) break;
      c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
      if (c < 0x800 || IsSurrogate(c)) break;
      p += 3;
    }
    seen |= c;
    *to++ = static_cast<uint16_t>(c);
  }
  *chars = static_cast<size_t>(to - out);
  *bits = seen;
  return static_cast<size_t>(p - data);
}

// Encodes in one pass; null at the first surrogate.
uint8_t* EncodeBmp(const uint16_t* p, size_t n, uint8_t* to) {
  for (size_t i = 0; i < n;) {
    const unsigned c = p[i];
    if (c < 0x80) {
      while (n - i >= 4 && (LoadWord(p + i) & 0xFF80FF80FF80FF80u) == 0) {
        for (int k = 0; k < 4; ++k) to[k] = static_cast<uint8_t>(p[i + static_cast<size_t>(k)]);
        to += 4;
        i += 4;
      }
      while (i < n && p[i] < 0x80) *to++ = static_cast<uint8_t>(p[i++]);
      continue;
    }
    if (c < 0x800) {
      *to++ = static_cast<uint8_t>(0xC0 | c >> 6);
    } else {
      if (IsSurrogate(c)) return nullptr;
      *to++ = static_cast<uint8_t>(0xE0 | c >> 12);
      *to++ = static_cast<uint8_t>(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = static_cast<uint8_t>(0x80 | (c & 0x3F));
    ++i;
  }
  return to;
}

bool HasSurrogates(const uint16_t* p, size_t n) {
  size_t i = 0;
  while (i < n) {  // in blocks: the inner loop becomes vector code
    const size_t stop = n - i > 256 ? i + 256 : n;
    uint16_t any = 0;
    for (; i < stop; ++i) any = static_cast<uint16_t>(any | ((p[i] & 0xF800) == 0xD800 ? 1 : 0));
    if (any) return true;
  }
  return false;
}

}  // namespace

Result<StrObject> DecodeUtf8Codec(ThreadState& ts, DecodeInput& in) {
  const size_t n = in.bytes.size();
  in.consumed = n;
  if (IsAscii(in.bytes.data(), n)) {
    if (n < 2) return NewStrFromUcs1(ts, reinterpret_cast<const uint8_t*>(in.bytes.data()), n);
    MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n, 0x7F));
    std::memcpy(s->data1(), in.bytes.data(), n);
    return s;
  }
  {
    Scratch scratch(ts);
    MVM_TRY_VOID(scratch.Make(n * 2));
    size_t chars;
    unsigned bits;
    uint16_t* text = scratch.as<uint16_t>();
    if (DecodeBmp(reinterpret_cast<const uint8_t*>(in.bytes.data()), n, text, &chars, &bits) == n) {
      if (chars == 1) return StrFromChar(ts, text[0]);
      MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, chars, bits < 0x100 ? 0xFF : 0xFFFF));
      if (s->kind() == 1) {
        ConvertChars(s->data1(), text, chars);
      } else {
        std::memcpy(s->data2(), text, chars * 2);
      }
      return s;
    }
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
    MVM_TRY(at, HandleDecodeError(ts, in, "utf-8", at, at + scan.error_length,
                                  Utf8ErrorReason(scan.error), &out, &keep));
    scan = ScanUtf8(in.bytes.data() + at, in.bytes.size() - at);
  }
  return out.Finish();
}

Result<BytesObject> EncodeUtf8Codec(ThreadState& ts, StrObject* s, std::string_view errors) {
  if (s->ascii()) return NewBytes(ts, s->ascii_view());
  if (s->kind() == 2) {
    Scratch scratch(ts);
    MVM_TRY_VOID(scratch.Make(s->length * 3));
    char* text = scratch.as<char>();
    uint8_t* end = EncodeBmp(s->data2(), s->length, reinterpret_cast<uint8_t*>(text));
    if (end) return NewBytes(ts, {text, static_cast<size_t>(reinterpret_cast<char*>(end) - text)});
  }
  size_t first = s->length;
  const size_t size = WithChars(s, [&](auto* p) { return Utf8Size(p, s->length, &first); });
  if (first == s->length) {
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, size));
    WithChars(s,
              [&](auto* p) { EncodeUtf8Text(reinterpret_cast<char*>(out->data()), p, s->length); });
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
  if ((in.bytes.size() - at) % 2 == 0) {
    const size_t n = (in.bytes.size() - at) / 2;
    Scratch scratch(ts);
    MVM_TRY_VOID(scratch.Make(n * 2));
    uint16_t* text = scratch.as<uint16_t>();
    std::memcpy(text, in.bytes.data() + at, n * 2);
    if (big) {
      for (size_t i = 0; i < n; ++i) text[i] = static_cast<uint16_t>(text[i] << 8 | text[i] >> 8);
    }
    if (!HasSurrogates(text, n)) {
      in.consumed = in.bytes.size();
      return NewStrFromUcs2(ts, text, n);
    }
  }
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
  if (big)
    v = sizeof(T) == 2 ? static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)))
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

Result<BytesObject> EncodeUtf16(ThreadState& ts, StrObject* s, std::string_view errors,
                                ByteOrder order) {
  static constexpr const char* kReason = "surrogates not allowed";
  if (s->kind() == 1 || (s->kind() == 2 && !HasSurrogates(s->data2(), s->length))) {
    const size_t n = s->length, mark = order == ByteOrder::kNative ? 1 : 0;
    if (n + mark == 0) return NewBytes(ts, {});
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, (n + mark) * 2));
    uint16_t* to = reinterpret_cast<uint16_t*>(out->data());
    if (mark) *to++ = 0xFEFF;
    if (s->kind() == 1) {
      ConvertChars(to, s->data1(), n);
    } else {
      std::memcpy(to, s->data2(), n * 2);
    }
    if (order == ByteOrder::kBig) {
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<uint16_t>(to[i] << 8 | to[i] >> 8);
    }
    return out;
  }
  if (order == ByteOrder::kBig)
    return EncodeWith(ts, s, errors, "utf-16-be", kReason, PutUtf16<true>, {}, 2);
  return EncodeWith(
      ts, s, errors, order == ByteOrder::kNative ? "utf-16" : "utf-16-le", kReason, PutUtf16<false>,
      order == ByteOrder::kNative ? std::string_view("\xFF\xFE", 2) : std::string_view(), 2);
}

Result<BytesObject> EncodeUtf32(ThreadState& ts, StrObject* s, std::string_view errors,
                                ByteOrder order) {
  static constexpr const char* kReason = "surrogates not allowed";
  if (s->kind() == 1 || (s->kind() == 2 && !HasSurrogates(s->data2(), s->length))) {
    const size_t n = s->length, mark = order == ByteOrder::kNative ? 1 : 0;
    if (n + mark == 0) return NewBytes(ts, {});
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, (n + mark) * 4));
    uint32_t* to = reinterpret_cast<uint32_t*>(out->data());
    if (mark) *to++ = 0xFEFF;
    WithChars(s, [&](auto* p) {
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<uint32_t>(p[i]);
    });
    if (order == ByteOrder::kBig) {
      for (size_t i = 0; i < n; ++i) to[i] = __builtin_bswap32(to[i]);
    }
    return out;
  }
  if (order == ByteOrder::kBig)
    return EncodeWith(ts, s, errors, "utf-32-be", kReason, PutUtf32<true>, {}, 4);
  return EncodeWith(
      ts, s, errors, order == ByteOrder::kNative ? "utf-32" : "utf-32-le", kReason, PutUtf32<false>,
      order == ByteOrder::kNative ? std::string_view("\xFF\xFE\0\0", 4) : std::string_view(), 4);
}

}  // namespace minivm
