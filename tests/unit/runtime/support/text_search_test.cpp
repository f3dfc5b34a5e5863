// text_search against the obvious algorithm, on text that makes candidates frequent.
#include "runtime/support/text_search.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace minivm {
namespace {

template <class H, class N>
ptrdiff_t Naive(const std::vector<H>& h, const std::vector<N>& p, bool last) {
  ptrdiff_t found = -1;
  for (size_t i = 0; i + p.size() <= h.size(); ++i) {
    bool same = true;
    for (size_t j = 0; j < p.size() && same; ++j) same = h[i + j] == p[j];
    if (same && (found < 0 || last)) found = static_cast<ptrdiff_t>(i);
  }
  return found;
}

template <class H, class N>
void RandomSearches() {
  std::mt19937 rng(7);
  for (int round = 0; round < 3000; ++round) {
    unsigned letters = 1 + rng() % 3;
    std::vector<H> h(rng() % 120);
    std::vector<N> p(1 + rng() % (round % 2 ? 5 : 40));
    for (H& c : h) c = static_cast<H>('a' + rng() % letters);
    for (N& c : p) c = static_cast<N>('a' + rng() % letters);
    EXPECT_EQ(FindText(h.data(), h.size(), p.data(), p.size()), Naive(h, p, false));
    EXPECT_EQ(RFindText(h.data(), h.size(), p.data(), p.size()), Naive(h, p, true));
  }
}

TEST(TextSearch, AgreesWithTheObviousAlgorithm) {
  RandomSearches<uint8_t, uint8_t>();
  RandomSearches<uint16_t, uint8_t>();
  RandomSearches<uint16_t, uint16_t>();
  RandomSearches<uint32_t, uint8_t>();
  RandomSearches<uint32_t, uint16_t>();
  RandomSearches<uint32_t, uint32_t>();
}

// Long enough to reach the two-way search; quadratic work would take minutes.
TEST(TextSearch, HostileTextIsLinear) {
  std::vector<uint8_t> h(2000000, 'a'), p(200000, 'a');
  p[p.size() / 2] = 'b';
  EXPECT_EQ(FindText(h.data(), h.size(), p.data(), p.size()), -1);
  EXPECT_EQ(RFindText(h.data(), h.size(), p.data(), p.size()), -1);
  h[1500000] = 'b';
  EXPECT_EQ(FindText(h.data(), h.size(), p.data(), p.size()), 1400000);
  EXPECT_EQ(RFindText(h.data(), h.size(), p.data(), p.size()), 1400000);
  std::vector<uint8_t> periodic(100000);
  for (size_t i = 0; i < periodic.size(); ++i) periodic[i] = i % 1000 == 999 ? 'b' : 'a';
  std::vector<uint8_t> text(3000000, 'a');
  for (size_t i = 0; i < text.size(); ++i) text[i] = i % 1000 == 999 && i % 99000 ? 'b' : 'a';
  text[50] = 'b';
  EXPECT_EQ(FindText(text.data(), text.size(), periodic.data(), periodic.size()), 1000);
}

TEST(TextSearch, Characters) {
  std::vector<uint16_t> h(100, 7);
  h[41] = h[77] = 300;
  EXPECT_EQ(FindChar<uint16_t>(h.data(), h.size(), 300), 41);
  EXPECT_EQ(RFindChar<uint16_t>(h.data(), h.size(), 300), 77);
  EXPECT_EQ(CountChar<uint16_t>(h.data(), h.size(), 300), 2u);
  EXPECT_EQ(FindChar<uint16_t>(h.data(), h.size(), 301), -1);
  EXPECT_EQ(RFindChar<uint16_t>(h.data(), 41, 300), -1);
}

}  // namespace
}  // namespace minivm
