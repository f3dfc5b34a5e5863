// MatchFinder: hashes, chains, the choice.
#include "stdlib/lzma/match_finder.h"

#include <algorithm>
#include <cstring>

namespace minivm::lzma {

namespace {

constexpr int kHash3Bits = 14;

uint32_t Log2(uint32_t v) { return 31u - static_cast<uint32_t>(__builtin_clz(v)); }

// Equal bytes of two places, up to `most`.
uint32_t Compare(const uint8_t* a, const uint8_t* b, uint32_t most) {
  uint32_t n = 0;
  for (; n + 8 <= most; n += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + n, 8);
    std::memcpy(&y, b + n, 8);
    if (x != y) return n + static_cast<uint32_t>(__builtin_ctzll(x ^ y)) / 8;
  }
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

MatchFinder::MatchFinder(CodecMemory& memory, const FilterSpec& spec, bool* ok)
    : memory_(memory),
      dictionary_(std::clamp(spec.dictionary, kMinDictionary, 3u << 29)),
      kept_(std::max(dictionary_, kMinKept)),
      nice_(spec.nice),
      depth_(spec.depth ? spec.depth : 16 + spec.nice / 2),
      bits_(std::clamp(static_cast<int>(Log2(dictionary_)) - 5, 12, 18)),
      text_(memory),
      chain_(memory) {
  const size_t size3 = sizeof(uint32_t) << kHash3Bits, size4 = sizeof(uint32_t) << bits_;
  *ok = false;
  if (memory.WouldExceed(size3 + size4)) return;
  heads3_ = static_cast<uint32_t*>(memory.AllocateBuffer(size3));
  heads4_ = static_cast<uint32_t*>(memory.AllocateBuffer(size4));
  *ok = heads3_ && heads4_;
  if (!*ok) return;
  std::memset(heads3_, 0, size3);
  std::memset(heads4_, 0, size4);
}

MatchFinder::~MatchFinder() {
  if (heads3_) memory_.FreeBuffer(heads3_, sizeof(uint32_t) << kHash3Bits);
  if (heads4_) memory_.FreeBuffer(heads4_, sizeof(uint32_t) << bits_);
}

bool MatchFinder::Append(const uint8_t* data, size_t n) {
  if (at_ >= kept_ + kept_ / 2) Slide();
  if (!chain_.Reserve((text_.size() + n) * sizeof(uint32_t))) return false;
  return text_.Append(data, n);
}

// Drops what is too far back for matches.
void MatchFinder::Slide() {
  const uint32_t gone = at_ - kept_;
  std::memmove(chain(), chain() + gone, size_t{kept_} * sizeof(uint32_t));
  text_.RemoveFront(gone);
  at_ -= gone;
  auto shift = [gone](uint32_t* places, size_t n) {
    for (size_t i = 0; i < n; ++i) places[i] -= std::min(places[i], gone);
  };
  shift(heads3_, size_t{1} << kHash3Bits);
  shift(heads4_, size_t{1} << bits_);
  shift(chain(), kept_);
}

uint32_t MatchFinder::Hash3(const uint8_t* p) const {
  return ((uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2]) * 0x9E3779B1u) >> (32 - kHash3Bits);
}
uint32_t MatchFinder::Hash4(const uint8_t* p) const {
  uint32_t word;
  std::memcpy(&word, p, 4);
  return (word * 0x9E3779B1u) >> (32 - bits_);
}

void MatchFinder::Insert() {
  if (ahead() < 4) return;
  const uint8_t* p = here();
  heads3_[Hash3(p)] = at_ + 1;
  uint32_t& head = heads4_[Hash4(p)];
  chain()[at_] = head;
  head = at_ + 1;
}

void MatchFinder::Skip(uint32_t n) {
  for (; n > 0; --n) {
    Insert();
    ++at_;
  }
}

uint32_t MatchFinder::LengthAt(uint32_t distance) {
  if (distance >= at_) return 0;
  return Compare(here(), here() - distance - 1, std::min(ahead(), kMaxMatch));
}

// A byte as a literal takes about 7 bits, a match 8 and the distance's.
int MatchFinder::GainOf(uint32_t length, uint32_t distance) {
  return static_cast<int>(length) * 26 - 34 - 4 * static_cast<int>(Log2(distance + 1));
}

MatchFinder::Match MatchFinder::Find() {
  Match best;
  const uint32_t most = std::min(ahead(), kMaxMatch);
  if (most < 4) return best;
  const uint8_t* const p = here();
  const uint32_t oldest = at_ > dictionary_ ? at_ - dictionary_ : 0;
  uint32_t longest = kMinMatch;
  auto look = [&](uint32_t place) {
    const uint8_t* q = text_.data() + place;
    if (longest < most && q[longest] != p[longest]) return;
    const uint32_t n = Compare(p, q, most);
    if (n <= longest) return;
    longest = n;
    const uint32_t distance = at_ - place - 1;
    const int gain = GainOf(n, distance);
    if (gain > best.gain) best = {n, distance, gain};
  };
  if (const uint32_t head = heads3_[Hash3(p)]; head > oldest) look(head - 1);
  uint32_t next = heads4_[Hash4(p)];
  for (uint32_t tries = depth_; next > oldest && tries > 0 && longest < nice_; --tries) {
    look(next - 1);
    if (longest >= most) break;
    next = chain()[next - 1];
  }
  return best;
}

}  // namespace minivm::lzma
