// UTF-8 scanning, decoding and encoding.
//
// The scanner follows Unicode's table 3-7: which second bytes are allowed
// depends on the first, and with that checked there the rest are plain
// continuation bytes. An error's length is the longest prefix that some valid
// sequence starts with.
#include "runtime/support/utf8.h"

#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace minivm {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080u;

inline bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

inline uint64_t LoadWord(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

}  // namespace

size_t AsciiPrefix(const char* data, size_t size) {
  size_t i = 0;
#ifdef __SSE2__
  for (; i + 32 <= size; i += 32) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + i));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + i + 16));
    if (_mm_movemask_epi8(_mm_or_si128(a, b)) != 0) {
      const unsigned low = static_cast<unsigned>(_mm_movemask_epi8(a));
      if (low != 0) return i + static_cast<unsigned>(__builtin_ctz(low));
      return i + 16 +
             static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(_mm_movemask_epi8(b))));
    }
  }
#endif
  for (; i + 8 <= size; i += 8) {
    if ((LoadWord(data + i) & kHighBits) != 0) break;
  }
  while (i < size && static_cast<unsigned char>(data[i]) < 0x80) ++i;
  return i;
}

const char* Utf8ErrorReason(Utf8Error error) {
  switch (error) {
    case Utf8Error::kNone: break;
    case Utf8Error::kInvalidStart: return "invalid start byte";
    case Utf8Error::kInvalidContinuation: return "invalid continuation byte";
    case Utf8Error::kUnexpectedEnd: return "unexpected end of data";
  }
  return "";
}

Utf8Scan ScanUtf8(const char* data, size_t size, bool surrogates) {
  Utf8Scan scan;
  const unsigned char* const start = reinterpret_cast<const unsigned char*>(data);
  const unsigned char* const end = start + size;
  const unsigned char* p = start;
  size_t continuations = 0;
  unsigned widest = 0x7F;  // widest lead byte seen, as a proxy for the widest character

  const auto fail = [&](Utf8Error error, unsigned length) {
    scan.error = error;
    scan.error_length = length;
  };
  while (p < end) {
    const unsigned char lead = *p;
    if (lead < 0x80) {
      // A lone ASCII character between others is common: do not set up the wide loop for it.
      if (end - p < 8 || (LoadWord(reinterpret_cast<const char*>(p)) & kHighBits) != 0) {
        ++p;
        continue;
      }
      p += AsciiPrefix(reinterpret_cast<const char*>(p), static_cast<size_t>(end - p));
      continue;
    }
    if (lead < 0xE0) {
      if (lead < 0xC2) {
        fail(Utf8Error::kInvalidStart, 1);
        break;
      }
      if (end - p < 2) {
        fail(Utf8Error::kUnexpectedEnd, 1);
        break;
      }
      if (!IsContinuation(p[1])) {
        fail(Utf8Error::kInvalidContinuation, 1);
        break;
      }
      if (lead > widest) widest = lead;
      continuations += 1;
      p += 2;
      continue;
    }
    if (lead > 0xF4) {
      fail(Utf8Error::kInvalidStart, 1);
      break;
    }
    const unsigned need = lead < 0xF0 ? 3 : 4;
    const size_t have = static_cast<size_t>(end - p);
    if (have < 2) {
      fail(Utf8Error::kUnexpectedEnd, 1);
      break;
    }
    const unsigned char second = p[1];
    const unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char highest = lead == 0xED && !surrogates ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < lowest || second > highest) {
      fail(Utf8Error::kInvalidContinuation, 1);
      break;
    }
    unsigned good = 2;
    while (good < need && good < have && IsContinuation(p[good])) ++good;
    if (good < need) {
      fail(good == have ? Utf8Error::kUnexpectedEnd : Utf8Error::kInvalidContinuation, good);
      break;
    }
    if (lead > widest) widest = lead;
    continuations += need - 1;
    p += need;
  }
  scan.valid_bytes = static_cast<size_t>(p - start);
  scan.code_points = scan.valid_bytes - continuations;
  scan.max_char = widest < 0x80   ? 0x7F
                  : widest < 0xC4 ? 0xFF
                  : widest < 0xF0 ? 0xFFFF
                                  : kMaxCodePoint;
  return scan;
}

char32_t NextUtf8(const char** p) {
  const unsigned char* s = reinterpret_cast<const unsigned char*>(*p);
  const char32_t lead = s[0];
  if (lead < 0x80) {
    *p += 1;
    return lead;
  }
  if (lead < 0xE0) {
    *p += 2;
    return (lead & 0x1F) << 6 | (s[1] & 0x3Fu);
  }
  if (lead < 0xF0) {
    *p += 3;
    return (lead & 0x0F) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
  }
  *p += 4;
  return (lead & 0x07) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

template <class CharT>
void DecodeUtf8(CharT* out, const char* data, size_t size) {
  const char* p = data;
  const char* const end = data + size;
  while (p < end) {
    // Eight ASCII bytes at a time; a mixed word goes character by character.
    while (end - p >= 8 && (LoadWord(p) & kHighBits) == 0) {
      for (int i = 0; i < 8; ++i) out[i] = static_cast<CharT>(static_cast<unsigned char>(p[i]));
      out += 8;
      p += 8;
    }
    const char* const stop = end - p >= 8 ? p + 8 : end;
    while (p < stop) *out++ = static_cast<CharT>(NextUtf8(&p));
  }
}
template void DecodeUtf8(uint8_t*, const char*, size_t);
template void DecodeUtf8(uint16_t*, const char*, size_t);
template void DecodeUtf8(uint32_t*, const char*, size_t);

size_t CountUtf8(const char* data, size_t size) {
  size_t continuations = 0;
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const uint64_t word = LoadWord(data + i);
    // A continuation byte has bit 7 set and bit 6 clear.
    const uint64_t marks = (word >> 7) & (~word >> 6) & 0x0101010101010101u;
    continuations += (marks * 0x0101010101010101u) >> 56;
  }
  for (; i < size; ++i) continuations += IsContinuation(static_cast<unsigned char>(data[i]));
  return size - continuations;
}

size_t Utf8Offset(const char* data, size_t size, size_t index) {
  size_t i = 0;
  while (i + 8 <= size && index >= 8) {
    const uint64_t word = LoadWord(data + i);
    const uint64_t marks = (word >> 7) & (~word >> 6) & 0x0101010101010101u;
    index -= 8 - ((marks * 0x0101010101010101u) >> 56);
    i += 8;
  }
  // The word may have ended inside a character: its tail belongs to one already counted.
  while (i < size && IsContinuation(static_cast<unsigned char>(data[i]))) ++i;
  while (i < size && index > 0) {
    ++i;
    while (i < size && IsContinuation(static_cast<unsigned char>(data[i]))) ++i;
    --index;
  }
  return i;
}

unsigned EncodeUtf8(char* out, char32_t c) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = static_cast<char>(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out[2] = static_cast<char>(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
  out[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  out[3] = static_cast<char>(0x80 | (c & 0x3F));
  return 4;
}

template <class CharT>
size_t Utf8Size(const CharT* text, size_t size, size_t* first_surrogate) {
  size_t bytes = size;
  size_t surrogate = size;
  for (size_t i = 0; i < size; ++i) {
    const char32_t c = text[i];
    bytes += (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
    if constexpr (sizeof(CharT) > 1) {
      if (IsSurrogate(c) && surrogate == size) surrogate = i;
    }
  }
  if (first_surrogate != nullptr) *first_surrogate = surrogate;
  return bytes;
}
template size_t Utf8Size(const uint8_t*, size_t, size_t*);
template size_t Utf8Size(const uint16_t*, size_t, size_t*);
template size_t Utf8Size(const uint32_t*, size_t, size_t*);

template <class CharT>
size_t EncodeUtf8Text(char* out, const CharT* text, size_t size) {
  char* p = out;
  size_t i = 0;
  while (i < size) {
    if constexpr (sizeof(CharT) == 1) {
      const size_t ascii = AsciiPrefix(reinterpret_cast<const char*>(text + i), size - i);
      std::memcpy(p, text + i, ascii);
      p += ascii;
      i += ascii;
      for (; i < size && text[i] >= 0x80; ++i) p += EncodeUtf8(p, text[i]);
    } else {
      p += EncodeUtf8(p, text[i]);
      ++i;
    }
  }
  return static_cast<size_t>(p - out);
}
template size_t EncodeUtf8Text(char*, const uint8_t*, size_t);
template size_t EncodeUtf8Text(char*, const uint16_t*, size_t);
template size_t EncodeUtf8Text(char*, const uint32_t*, size_t);

char32_t MaxChar(const uint8_t* text, size_t size) {
  return IsAscii(reinterpret_cast<const char*>(text), size) ? 0x7F : 0xFF;
}

char32_t MaxChar(const uint16_t* text, size_t size) {
  unsigned bits = 0;
  for (size_t i = 0; i < size;) {
    const size_t stop = size - i > 64 ? i + 64 : size;
    for (; i < stop; ++i) bits |= text[i];
    if (bits > 0xFF) return 0xFFFF;
  }
  return bits > 0x7F ? 0xFF : 0x7F;
}

char32_t MaxChar(const uint32_t* text, size_t size) {
  uint32_t bits = 0;
  for (size_t i = 0; i < size;) {
    const size_t stop = size - i > 64 ? i + 64 : size;
    for (; i < stop; ++i) bits |= text[i];
    if (bits > 0xFFFF) return kMaxCodePoint;
  }
  return bits > 0xFF ? 0xFFFF : bits > 0x7F ? 0xFF : 0x7F;
}

}  // namespace minivm
