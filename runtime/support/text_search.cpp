// The searches of text_search.h; vectors of sixteen bytes where the machine has SSE2.
#include "runtime/support/text_search.h"

#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace minivm {
namespace {

#ifdef __SSE2__
template <class H>
constexpr size_t kLanes = 16 / sizeof(H);

template <class H>
inline __m128i Splat(H c) {
  if constexpr (sizeof(H) == 1) return _mm_set1_epi8(static_cast<char>(c));
  if constexpr (sizeof(H) == 2) return _mm_set1_epi16(static_cast<short>(c));
  if constexpr (sizeof(H) == 4) return _mm_set1_epi32(static_cast<int>(c));
}

template <class H>
inline __m128i Equal(const H* p, __m128i splat) {
  __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  if constexpr (sizeof(H) == 1) return _mm_cmpeq_epi8(v, splat);
  if constexpr (sizeof(H) == 2) return _mm_cmpeq_epi16(v, splat);
  if constexpr (sizeof(H) == 4) return _mm_cmpeq_epi32(v, splat);
}

inline unsigned Mask(__m128i v) { return static_cast<unsigned>(_mm_movemask_epi8(v)); }
#endif

// Characters of a[0..n) and b[0..n) that agree before the first difference.
template <class H, class N>
inline size_t CommonPrefix(const H* a, const N* b, size_t n) {
  size_t i = 0;
  if constexpr (sizeof(H) == sizeof(N)) {
    constexpr size_t kStep = 8 / sizeof(H);
    for (; i + kStep <= n; i += kStep) {
      uint64_t x, y;
      std::memcpy(&x, a + i, 8);
      std::memcpy(&y, b + i, 8);
      if (x != y) break;
    }
  }
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

// The two-way search over text read forwards or backwards.
template <class H, class N, bool kReverse>
class TwoWay {
 public:
  TwoWay(const H* h, size_t n, const N* needle, size_t m)
      : h_(h), needle_(needle), n_(static_cast<ptrdiff_t>(n)), m_(static_cast<ptrdiff_t>(m)) {}

  // Position in reading direction of the first match, or -1.
  ptrdiff_t Find() {
    ptrdiff_t period_a, period_b;
    ptrdiff_t a = MaximalSuffix(false, &period_a), b = MaximalSuffix(true, &period_b);
    ptrdiff_t cut = a > b ? a : b;
    ptrdiff_t period = a > b ? period_a : period_b;
    ptrdiff_t i = 0;
    while (i <= cut && i + period < m_ && Pat(i) == Pat(i + period)) ++i;
    return i > cut ? FindPeriodic(cut, period) : FindAperiodic(cut);
  }

 private:
  H Text(ptrdiff_t i) const { return h_[kReverse ? n_ - 1 - i : i]; }
  N Pat(ptrdiff_t i) const { return needle_[kReverse ? m_ - 1 - i : i]; }

  ptrdiff_t MaximalSuffix(bool inverted, ptrdiff_t* period) const {
    ptrdiff_t suffix = -1, j = 0, k = 1, p = 1;
    while (j + k < m_) {
      N x = Pat(j + k), y = Pat(suffix + k);
      if (x == y) {
        if (k != p) {
          ++k;
        } else {
          j += p;
          k = 1;
        }
      } else if (inverted ? x > y : x < y) {
        j += k;
        k = 1;
        p = j - suffix;
      } else {
        suffix = j++;
        k = p = 1;
      }
    }
    *period = p;
    return suffix;
  }

  ptrdiff_t FindPeriodic(ptrdiff_t cut, ptrdiff_t period) const {
    ptrdiff_t memory = -1;
    for (ptrdiff_t pos = 0; pos <= n_ - m_;) {
      ptrdiff_t i = (cut > memory ? cut : memory) + 1;
      while (i < m_ && Pat(i) == Text(i + pos)) ++i;
      if (i < m_) {
        pos += i - cut;
        memory = -1;
        continue;
      }
      i = cut;
      while (i > memory && Pat(i) == Text(i + pos)) --i;
      if (i <= memory) return pos;
      pos += period;
      memory = m_ - period - 1;
    }
    return -1;
  }

  ptrdiff_t FindAperiodic(ptrdiff_t cut) const {
    ptrdiff_t left = cut + 1, right = m_ - cut - 1;
    ptrdiff_t shift = (left > right ? left : right) + 1;
    for (ptrdiff_t pos = 0; pos <= n_ - m_;) {
      ptrdiff_t i = cut + 1;
      while (i < m_ && Pat(i) == Text(i + pos)) ++i;
      if (i < m_) {
        pos += i - cut;
        continue;
      }
      i = cut;
      while (i >= 0 && Pat(i) == Text(i + pos)) --i;
      if (i < 0) return pos;
      pos += shift;
    }
    return -1;
  }

  const H* h_;
  const N* needle_;
  ptrdiff_t n_, m_;
};

// How many characters failed candidates may have cost after `scanned` characters before the
// two-way search takes over.
inline size_t CostLimit(size_t scanned) { return 4096 + 8 * scanned; }

}  // namespace

template <class H>
ptrdiff_t FindChar(const H* h, size_t n, H c) {
  if constexpr (sizeof(H) == 1) {
    const void* p = n ? std::memchr(h, c, n) : nullptr;
    return p ? static_cast<const H*>(p) - h : -1;
  } else {
    size_t i = 0;
#ifdef __SSE2__
    const __m128i splat = Splat(c);
    for (; i + kLanes<H> <= n; i += kLanes<H>) {
      if (unsigned mask = Mask(Equal(h + i, splat))) {
        return static_cast<ptrdiff_t>(i + static_cast<unsigned>(__builtin_ctz(mask)) / sizeof(H));
      }
    }
#endif
    for (; i < n; ++i) {
      if (h[i] == c) return static_cast<ptrdiff_t>(i);
    }
    return -1;
  }
}

template <class H>
ptrdiff_t RFindChar(const H* h, size_t n, H c) {
#ifdef __SSE2__
  const __m128i splat = Splat(c);
  for (; n >= kLanes<H>; n -= kLanes<H>) {
    if (unsigned mask = Mask(Equal(h + n - kLanes<H>, splat))) {
      unsigned top = 31 - static_cast<unsigned>(__builtin_clz(mask));
      return static_cast<ptrdiff_t>(n - kLanes<H> + top / sizeof(H));
    }
  }
#endif
  while (n > 0) {
    if (h[--n] == c) return static_cast<ptrdiff_t>(n);
  }
  return -1;
}

template <class H>
size_t CountChar(const H* h, size_t n, H c) {
  size_t count = 0, i = 0;
#ifdef __SSE2__
  const __m128i splat = Splat(c);
  for (; i + kLanes<H> <= n; i += kLanes<H>) {
    count += static_cast<size_t>(__builtin_popcount(Mask(Equal(h + i, splat)))) / sizeof(H);
  }
#endif
  for (; i < n; ++i) count += h[i] == c;
  return count;
}

template <class H, class N>
ptrdiff_t FindText(const H* h, size_t n, const N* needle, size_t m) {
  if (m > n) return -1;
  const H first = needle[0];
  if (m == 1) return FindChar(h, n, first);
  const H last = needle[m - 1];
  const size_t ends = n - m + 1;  // candidates
  size_t cost = 0, i = 0;
#ifdef __SSE2__
  const __m128i first_splat = Splat(first), last_splat = Splat(last);
  for (; i + kLanes<H> <= ends; i += kLanes<H>) {
    unsigned mask =
        Mask(_mm_and_si128(Equal(h + i, first_splat), Equal(h + i + m - 1, last_splat)));
    while (mask) {
      unsigned bit = static_cast<unsigned>(__builtin_ctz(mask));
      size_t at = i + bit / sizeof(H);
      size_t same = CommonPrefix(h + at + 1, needle + 1, m - 2);
      if (same == m - 2) return static_cast<ptrdiff_t>(at);
      cost += same + 1;
      mask &= ~(((1u << sizeof(H)) - 1) << bit);
    }
    if (cost > CostLimit(i)) [[unlikely]] {
      ptrdiff_t at = TwoWay<H, N, false>(h + i, n - i, needle, m).Find();
      return at < 0 ? -1 : at + static_cast<ptrdiff_t>(i);
    }
  }
#endif
  for (; i < ends; ++i) {
    if (h[i] != first || h[i + m - 1] != last) continue;
    size_t same = CommonPrefix(h + i + 1, needle + 1, m - 2);
    if (same == m - 2) return static_cast<ptrdiff_t>(i);
    cost += same + 1;
    if (cost > CostLimit(i)) [[unlikely]] {
      ptrdiff_t at = TwoWay<H, N, false>(h + i, n - i, needle, m).Find();
      return at < 0 ? -1 : at + static_cast<ptrdiff_t>(i);
    }
  }
  return -1;
}

template <class H, class N>
ptrdiff_t RFindText(const H* h, size_t n, const N* needle, size_t m) {
  if (m > n) return -1;
  const H first = needle[0];
  if (m == 1) return RFindChar(h, n, first);
  const H last = needle[m - 1];
  size_t cost = 0;
#ifdef __SSE2__
  const __m128i first_splat = Splat(first), last_splat = Splat(last);
#endif
  for (size_t i = n - m + 1; i-- > 0;) {
#ifdef __SSE2__
    // Passes over as many at once as begin or end in another character.
    while (i + 1 >= kLanes<H>) {
      const H* at = h + (i + 1 - kLanes<H>);
      if (Mask(_mm_and_si128(Equal(at, first_splat), Equal(at + m - 1, last_splat)))) break;
      if (i < kLanes<H>) return -1;
      i -= kLanes<H>;
    }
#endif
    if (h[i] != first || h[i + m - 1] != last) continue;
    size_t same = CommonPrefix(h + i + 1, needle + 1, m - 2);
    if (same == m - 2) return static_cast<ptrdiff_t>(i);
    cost += same + 1;
    if (cost > CostLimit(n - m - i)) [[unlikely]] {
      size_t rest = i + m;
      ptrdiff_t at = TwoWay<H, N, true>(h, rest, needle, m).Find();
      return at < 0 ? -1 : static_cast<ptrdiff_t>(rest - m) - at;
    }
  }
  return -1;
}

MVM_TEXT_SEARCH()

}  // namespace minivm
