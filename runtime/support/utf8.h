// UTF-8 in and out of fixed-width text.
//
// A str keeps its characters in 1, 2 or 4 bytes each. Decoding is two passes:
// ScanUtf8 validates, counts and finds the widest character; DecodeUtf8 then
// fills an array of the right width without checks. Errors are reported as
// Unicode's "maximal subparts": the position of the first bad byte and how many
// bytes a replacement stands for. With `surrogates` allowed the encoding is
// WTF-8's superset (each surrogate in three bytes), as 'surrogatepass' wants.
// ASCII, the common case, goes eight or sixteen bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

inline constexpr char32_t kMaxCodePoint = 0x10FFFF;
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

inline bool IsSurrogate(char32_t c) { return (c & 0xFFFFF800) == 0xD800; }
inline bool IsHighSurrogate(char32_t c) { return (c & 0xFFFFFC00) == 0xD800; }
inline bool IsLowSurrogate(char32_t c) { return (c & 0xFFFFFC00) == 0xDC00; }
inline char32_t JoinSurrogates(char32_t high, char32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

// Length of the run of bytes below 0x80 at the start of data.
size_t AsciiPrefix(const char* data, size_t size);
inline bool IsAscii(const char* data, size_t size) { return AsciiPrefix(data, size) == size; }

enum class Utf8Error : uint8_t {
  kNone,
  kInvalidStart,         // "invalid start byte"
  kInvalidContinuation,  // "invalid continuation byte"
  kUnexpectedEnd,        // "unexpected end of data": more bytes could complete it
};

// CPython's reason text for an error other than kNone.
const char* Utf8ErrorReason(Utf8Error error);

struct Utf8Scan {
  size_t valid_bytes = 0;  // bytes before the error, or all
  size_t code_points = 0;  // in those bytes
  char32_t max_char = 0;   // an upper bound with the right width: 0x7F, 0xFF, 0xFFFF or 0x10FFFF
  Utf8Error error = Utf8Error::kNone;
  unsigned error_length = 0;  // 1..3 bytes at valid_bytes that one replacement stands for
};

// Validates up to the first error.
Utf8Scan ScanUtf8(const char* data, size_t size, bool surrogates = false);

// Decodes `size` bytes that ScanUtf8 found valid. Room for its code_points; CharT (uint8_t,
// uint16_t, uint32_t) must hold its max_char.
template <class CharT>
void DecodeUtf8(CharT* out, const char* data, size_t size);
extern template void DecodeUtf8(uint8_t*, const char*, size_t);
extern template void DecodeUtf8(uint16_t*, const char*, size_t);
extern template void DecodeUtf8(uint32_t*, const char*, size_t);

// One code point of valid UTF-8, moving *p past it.
char32_t NextUtf8(const char** p);

// Number of code points in valid UTF-8.
size_t CountUtf8(const char* data, size_t size);
// Byte offset of the index-th code point of valid UTF-8; `size` if there are fewer.
size_t Utf8Offset(const char* data, size_t size, size_t index);

// Bytes that c takes (a surrogate: 3).
inline unsigned Utf8Length(char32_t c) {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}
// Writes c; returns its length, 1..4.
unsigned EncodeUtf8(char* out, char32_t c);

// Bytes needed for the text; surrogates count 3 each. *first_surrogate gets the index of the first
// one, or `size`; may be null.
template <class CharT>
size_t Utf8Size(const CharT* text, size_t size, size_t* first_surrogate = nullptr);
extern template size_t Utf8Size(const uint8_t*, size_t, size_t*);
extern template size_t Utf8Size(const uint16_t*, size_t, size_t*);
extern template size_t Utf8Size(const uint32_t*, size_t, size_t*);

// Writes the text; returns the bytes written (Utf8Size). Surrogates come out as three bytes.
template <class CharT>
size_t EncodeUtf8Text(char* out, const CharT* text, size_t size);
extern template size_t EncodeUtf8Text(char*, const uint8_t*, size_t);
extern template size_t EncodeUtf8Text(char*, const uint16_t*, size_t);
extern template size_t EncodeUtf8Text(char*, const uint32_t*, size_t);

// Upper bound on the characters with the right width, as in Utf8Scan::max_char.
char32_t MaxChar(const uint8_t* text, size_t size);
char32_t MaxChar(const uint16_t* text, size_t size);
char32_t MaxChar(const uint32_t* text, size_t size);

// Copies characters to another width. Narrowing REQUIRES: every character fits.
template <class To, class From>
void ConvertChars(To* out, const From* text, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<To>(text[i]);
}

}  // namespace minivm
