// Searching text of one, two or four bytes per character.
//
// Short work is done by comparing the first and the last character of the needle with sixteen
// bytes of text at a time and verifying candidates. When candidates turn out to be expensive
// (text and needle made to defeat that) the rest is searched by the two-way algorithm of
// Crochemore and Perrin, so that every search is linear and needs no memory.
// The needle may be narrower than the text; a wider one cannot occur in it, which the caller
// tests. All functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm {

// Index of the first (last) occurrence of c in h[0..n), or -1.
template <class H>
ptrdiff_t FindChar(const H* h, size_t n, H c);
template <class H>
ptrdiff_t RFindChar(const H* h, size_t n, H c);
template <class H>
size_t CountChar(const H* h, size_t n, H c);

// Index of the first (last) occurrence of needle[0..m) in h[0..n), or -1. REQUIRES: m > 0
template <class H, class N>
ptrdiff_t FindText(const H* h, size_t n, const N* needle, size_t m);
template <class H, class N>
ptrdiff_t RFindText(const H* h, size_t n, const N* needle, size_t m);

// Occurrences that do not overlap; -1 if `go_on`, called after each, returned false. REQUIRES: m >
// 0
template <class H, class N, class GoOn>
ptrdiff_t CountText(const H* h, size_t n, const N* needle, size_t m, GoOn go_on) {
  ptrdiff_t count = 0;
  for (size_t i = 0;; ++count) {
    ptrdiff_t at = FindText(h + i, n - i, needle, m);
    if (at < 0) return count;
    if (!go_on()) return -1;
    i += static_cast<size_t>(at) + m;
  }
}

// memcmp() == 0 for runs that are mostly short: no call below 17 bytes.
inline bool EqualBytes(const void* a, const void* b, size_t n) {
  const char* p = static_cast<const char*>(a);
  const char* q = static_cast<const char*>(b);
  const auto differ = [&](auto x, size_t at) {
    auto y = x;
    __builtin_memcpy(&x, p + at, sizeof x);
    __builtin_memcpy(&y, q + at, sizeof y);
    return x ^ y;
  };
  if (n > 16) return __builtin_memcmp(p, q, n) == 0;
  if (n >= 8) return (differ(uint64_t{}, 0) | differ(uint64_t{}, n - 8)) == 0;
  if (n >= 4) return (differ(uint32_t{}, 0) | differ(uint32_t{}, n - 4)) == 0;
  return n == 0 || (p[0] == q[0] && p[n / 2] == q[n / 2] && p[n - 1] == q[n - 1]);
}

// Equal runs of characters of possibly different widths.
template <class A, class B>
inline bool EqualChars(const A* a, const B* b, size_t n) {
  if constexpr (sizeof(A) == sizeof(B)) {
    return EqualBytes(a, b, n * sizeof(A));
  } else {
    for (size_t i = 0; i < n; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
}

#define MVM_TEXT_SEARCH_CHAR(extern_, H)                     \
  extern_ template ptrdiff_t FindChar(const H*, size_t, H);  \
  extern_ template ptrdiff_t RFindChar(const H*, size_t, H); \
  extern_ template size_t CountChar(const H*, size_t, H);
#define MVM_TEXT_SEARCH_PAIR(extern_, H, N)                                \
  extern_ template ptrdiff_t FindText(const H*, size_t, const N*, size_t); \
  extern_ template ptrdiff_t RFindText(const H*, size_t, const N*, size_t);
#define MVM_TEXT_SEARCH(extern_)                    \
  MVM_TEXT_SEARCH_CHAR(extern_, uint8_t)            \
  MVM_TEXT_SEARCH_CHAR(extern_, uint16_t)           \
  MVM_TEXT_SEARCH_CHAR(extern_, uint32_t)           \
  MVM_TEXT_SEARCH_PAIR(extern_, uint8_t, uint8_t)   \
  MVM_TEXT_SEARCH_PAIR(extern_, uint16_t, uint8_t)  \
  MVM_TEXT_SEARCH_PAIR(extern_, uint16_t, uint16_t) \
  MVM_TEXT_SEARCH_PAIR(extern_, uint32_t, uint8_t)  \
  MVM_TEXT_SEARCH_PAIR(extern_, uint32_t, uint16_t) \
  MVM_TEXT_SEARCH_PAIR(extern_, uint32_t, uint32_t)
MVM_TEXT_SEARCH(extern)

}  // namespace minivm
