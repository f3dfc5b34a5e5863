// Suffix sorting by induction (Nong, Zhang and Chan's SA-IS).
//
// A suffix is small if it is less than the one behind it, else large; the end of the text counts as
// less than anything. Places where small begins behind large cut the text to pieces. Once the
// suffixes at these places are in order, one pass over them sorts the large ones and a pass
// backwards the small ones, each suffix putting the one before it in its place. To get that order
// the pieces are sorted by the same two passes and named, and the text of their names, at most half
// as long, is sorted in the same way.
#include "stdlib/bz2/suffix_sort.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace minivm::bz2 {

namespace {

constexpr int32_t kEmpty = -1;

template <class Symbol>
class Sorter {
 public:
  Sorter(const Symbol* text, int32_t n, int32_t alphabet, int32_t* order, int32_t* ints,
         uint8_t* bits)
      : text_(text),
        n_(n),
        alphabet_(alphabet),
        order_(order),
        buckets_(ints),
        rest_ints_(ints + alphabet),
        small_(bits),
        rest_bits_(bits + n / 8 + 1) {}

  void Run() {
    Classify();
    const int32_t cuts = SortPieces();
    const int32_t names = NamePieces(cuts);
    // Names stand at the end of order_, the order of the cuts will stand at its begin.
    int32_t* const reduced = order_ + n_ - cuts;
    if (cuts > 0 && names < cuts) {
      Sorter<int32_t>(reduced, cuts, names, order_, rest_ints_, rest_bits_).Run();
    } else {
      for (int32_t i = 0; i < cuts; ++i) order_[reduced[i]] = i;
    }
    for (int32_t i = 1, at = 0; i < n_; ++i) {
      if (IsCut(i)) reduced[at++] = i;
    }
    for (int32_t i = 0; i < cuts; ++i) order_[i] = reduced[order_[i]];
    std::fill(order_ + cuts, order_ + n_, kEmpty);
    BucketEnds();
    for (int32_t i = cuts - 1; i >= 0; --i) {
      const int32_t place = std::exchange(order_[i], kEmpty);
      order_[--buckets_[text_[place]]] = place;
    }
    Induce();
  }

 private:
  bool IsSmall(int32_t i) const { return small_[i >> 3] >> (i & 7) & 1; }
  bool IsCut(int32_t i) const { return i > 0 && IsSmall(i) && !IsSmall(i - 1); }

  void Classify() {
    std::memset(small_, 0, static_cast<size_t>(n_ / 8 + 1));
    bool small = false;
    for (int32_t i = n_ - 2; i >= 0; --i) {
      small = text_[i] < text_[i + 1] || (text_[i] == text_[i + 1] && small);
      if (small) small_[i >> 3] = static_cast<uint8_t>(small_[i >> 3] | 1 << (i & 7));
    }
  }

  void CountSymbols() {
    std::fill(buckets_, buckets_ + alphabet_, 0);
    for (int32_t i = 0; i < n_; ++i) ++buckets_[text_[i]];
  }
  void BucketStarts() {
    CountSymbols();
    for (int32_t i = 0, sum = 0; i < alphabet_; ++i) sum += std::exchange(buckets_[i], sum);
  }
  void BucketEnds() {
    CountSymbols();
    for (int32_t i = 0, sum = 0; i < alphabet_; ++i) buckets_[i] = sum += buckets_[i];
  }

  void Induce() {
    BucketStarts();
    order_[buckets_[text_[n_ - 1]]++] = n_ - 1;  // what the end of the text induces
    for (int32_t i = 0; i < n_; ++i) {
      const int32_t before = order_[i] - 1;
      if (before >= 0 && !IsSmall(before)) order_[buckets_[text_[before]]++] = before;
    }
    BucketEnds();
    for (int32_t i = n_ - 1; i >= 0; --i) {
      const int32_t before = order_[i] - 1;
      if (before >= 0 && IsSmall(before)) order_[--buckets_[text_[before]]] = before;
    }
  }

  // The cuts in the order of the pieces that begin there, to the front; their number.
  int32_t SortPieces() {
    std::fill(order_, order_ + n_, kEmpty);
    BucketEnds();
    for (int32_t i = 1; i < n_; ++i) {
      if (IsCut(i)) order_[--buckets_[text_[i]]] = i;
    }
    Induce();
    int32_t cuts = 0;
    for (int32_t i = 0; i < n_; ++i) {
      if (IsCut(order_[i])) order_[cuts++] = order_[i];
    }
    return cuts;
  }

  bool SamePiece(int32_t a, int32_t b) const {
    for (int32_t i = 0;; ++i) {
      if (a + i == n_ || b + i == n_) return false;  // one is up to the end
      if (text_[a + i] != text_[b + i] || IsSmall(a + i) != IsSmall(b + i)) return false;
      if (i > 0 && (IsCut(a + i) || IsCut(b + i))) return IsCut(a + i) && IsCut(b + i);
    }
  }

  // The text of names, at the end of order_; how many different ones there are.
  int32_t NamePieces(int32_t cuts) {
    // Two cuts are never neighbours, so that half a place has room for one name.
    int32_t* const names = order_ + cuts;
    std::fill(names, order_ + n_, kEmpty);
    int32_t count = 0;
    for (int32_t i = 0; i < cuts; ++i) {
      if (i == 0 || !SamePiece(order_[i - 1], order_[i])) ++count;
      names[order_[i] / 2] = count - 1;
    }
    for (int32_t from = n_ - 1, to = n_ - 1; from >= cuts; --from) {
      if (order_[from] != kEmpty) order_[to--] = order_[from];
    }
    return count;
  }

  const Symbol* text_;
  int32_t n_, alphabet_;
  int32_t* order_;
  int32_t* buckets_;
  int32_t* rest_ints_;
  uint8_t* small_;
  uint8_t* rest_bits_;
};

}  // namespace

void SortSuffixes(const uint8_t* text, int32_t n, int32_t* order, void* workspace) {
  auto* ints = static_cast<int32_t*>(workspace);
  auto* bits = reinterpret_cast<uint8_t*>(ints + n + 1024);
  Sorter<uint8_t>(text, n, 256, order, ints, bits).Run();
}

}  // namespace minivm::bz2
