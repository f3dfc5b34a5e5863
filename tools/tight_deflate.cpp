// Deflate by shortest paths.
//
// All matches that a position has are known (per length the nearest). What a literal or a match
// costs depends on the code, and the code on what is chosen: so costs are assumed, the cheapest way
// through the text is found, its counts give better costs, and again. Where two codes are cheaper
// than one the text is cut into blocks, each with its own way.
#include "tools/tight_deflate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "stdlib/zlib/huffman.h"

namespace minivm::zlib {

namespace {

constexpr size_t kWindow = 32768;
constexpr int kRounds = 12;         // of assuming costs; later ones gain nothing
constexpr size_t kLeastBlock = 60;  // symbols: fewer do not pay for a code

struct Match {
  uint16_t length, distance;
};

struct Symbol {
  uint16_t length;  // 0: a literal
  uint16_t value;   // the byte, or the distance
};

struct Counts {
  uint32_t literals[kLiteralSymbols] = {}, distances[kDistanceSymbols] = {};

  void Add(const Symbol& s) {
    if (s.length == 0) {
      ++literals[s.value];
    } else {
      ++literals[257 + kLengthIndex[s.length]];
      ++distances[DistanceIndex(s.value)];
    }
  }
};

class Bits {
 public:
  void Put(uint32_t bits, int n) {
    for (int i = 0; i < n; ++i) {
      if (used_ % 8 == 0) text_ += '\0';
      text_.back() = static_cast<char>(text_.back() | (bits >> i & 1) << used_ % 8);
      ++used_;
    }
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  size_t used_ = 0;
};

// A code for counts, with its description as it stands before a block.
struct Code {
  uint8_t literals[kLiteralSymbols] = {}, distances[kDistanceSymbols] = {};
  uint8_t lengths[kLengthSymbols] = {};          // of the code that describes these
  std::vector<std::pair<int, int>> description;  // its symbols and their extra values
  int literal_count = 286, distance_count = 30, length_count = kLengthSymbols;

  explicit Code(const Counts& counts) {
    Counts all = counts;
    all.literals[kEndOfBlock] = 1;
    AssignLengths(all.literals, 286, kMaxCodeBits, literals);
    AssignLengths(all.distances, 30, kMaxCodeBits, distances);
    while (literal_count > 257 && literals[literal_count - 1] == 0) --literal_count;
    while (distance_count > 1 && distances[distance_count - 1] == 0) --distance_count;
    Describe();
  }

  static int Extra(int symbol) { return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7; }

  // Bits for the block's head and all that is counted.
  uint64_t Cost(const Counts& counts) const {
    uint64_t bits = 3 + 14 + 3 * static_cast<uint64_t>(length_count) + literals[kEndOfBlock];
    for (const auto& [symbol, extra] : description) {
      bits += lengths[symbol] + static_cast<uint64_t>(Extra(symbol));
    }
    for (int i = 0; i < 286; ++i) {
      const int more = i > 256 ? kLengthExtra[static_cast<size_t>(i - 257)] : 0;
      bits += uint64_t{counts.literals[i]} * static_cast<uint64_t>(literals[i] + more);
    }
    for (int i = 0; i < 30; ++i) {
      const int more = kDistanceExtra[static_cast<size_t>(i)];
      bits += uint64_t{counts.distances[i]} * static_cast<uint64_t>(distances[i] + more);
    }
    return bits;
  }

 private:
  void Describe() {
    uint8_t all[kLiteralSymbols + kDistanceSymbols];
    std::copy(literals, literals + literal_count, all);
    std::copy(distances, distances + distance_count, all + literal_count);
    const int n = literal_count + distance_count;
    for (int i = 0; i < n;) {
      int run = 1;
      while (i + run < n && all[i + run] == all[i]) ++run;
      const int value = all[i];
      i += run;
      if (value != 0) {
        description.emplace_back(value, 0);
        --run;
      }
      const int most = value == 0 ? 138 : 6;
      while (run >= 3) {
        const int part = std::min(run, most);
        const int symbol = value != 0 ? 16 : part >= 11 ? 18 : 17;
        description.emplace_back(symbol, part - (symbol == 18 ? 11 : 3));
        run -= part;
      }
      for (; run > 0; --run) description.emplace_back(value, 0);
    }
    uint32_t counts[kLengthSymbols] = {};
    for (const auto& entry : description) ++counts[entry.first];
    AssignLengths(counts, kLengthSymbols, 7, lengths);
    if (std::count(lengths, lengths + kLengthSymbols, 0) == kLengthSymbols - 1) {
      lengths[lengths[0] ? 18 : 0] = 1;  // it has to be complete
    }
    while (length_count > 4 && lengths[kLengthOrder[static_cast<size_t>(length_count - 1)]] == 0) {
      --length_count;
    }
  }
};

uint64_t Cost(const Symbol* begin, const Symbol* end) {
  Counts counts;
  for (const Symbol* s = begin; s < end; ++s) counts.Add(*s);
  return Code(counts).Cost(counts);
}

class Packer {
 public:
  Packer(std::string_view text, std::string_view before) {
    before = before.substr(before.size() - std::min(before.size(), kWindow));
    data_.assign(before);
    start_ = data_.size();
    data_.append(text);
    FindMatches();
  }

  std::string Run() {
    const std::vector<Symbol> whole = BestWay(start_, data_.size());
    std::vector<size_t> cuts;  // between symbols
    Split(whole, 0, whole.size(), &cuts);
    cuts.push_back(whole.size());
    Bits out;
    size_t symbol = 0, at = start_;
    for (const size_t cut : cuts) {
      size_t end = at;
      for (; symbol < cut; ++symbol) end += std::max<size_t>(whole[symbol].length, 1);
      Write(BestWay(at, end), cut == whole.size(), &out);
      at = end;
    }
    return out.Take();
  }

 private:
  void FindMatches() {
    std::vector<int32_t> heads(size_t{1} << 16, -1), previous(data_.size(), -1);
    first_match_.push_back(0);
    for (size_t i = 0; i < data_.size(); ++i) {
      const size_t most = std::min<size_t>(data_.size() - i, kMaxMatch);
      if (most >= kMinMatch) {
        const auto byte = [&](size_t k) { return static_cast<uint32_t>(data_[i + k] & 0xFF); };
        const size_t slot = ((byte(0) << 16 | byte(1) << 8 | byte(2)) * 0x9E3779B1u) >> 16;
        previous[i] = heads[slot];
        heads[slot] = static_cast<int32_t>(i);
        size_t best = kMinMatch - 1;
        for (int32_t p = previous[i]; i >= start_ && p >= 0 && best < most;
             p = previous[static_cast<size_t>(p)]) {
          const auto from = static_cast<size_t>(p);
          if (i - from > kWindow - 1) break;
          if (data_[from + best] != data_[i + best]) continue;
          size_t n = 0;
          while (n < most && data_[from + n] == data_[i + n]) ++n;
          if (n <= best) continue;
          best = n;
          matches_.push_back({static_cast<uint16_t>(n), static_cast<uint16_t>(i - from)});
        }
      }
      first_match_.push_back(matches_.size());
    }
  }

  struct Costs {
    float literals[kLiteralSymbols], distances[kDistanceSymbols];
  };

  // What symbols cost that occur as often as counted; those that do not, as if they did once.
  static void Entropy(const uint32_t* counts, int n, float* costs) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += counts[i];
    for (int i = 0; i < n; ++i) {
      costs[i] = static_cast<float>(std::log2((sum + 1) / std::max<uint32_t>(counts[i], 1)));
    }
  }

  // The cheapest way from begin to end.
  std::vector<Symbol> Way(size_t begin, size_t end, const Costs& costs) const {
    const size_t n = end - begin;
    std::vector<float> cost(n + 1, 1e30f);
    std::vector<Symbol> step(n + 1);
    float length_costs[kMaxMatch + 1];
    for (size_t i = kMinMatch; i <= kMaxMatch; ++i) {
      length_costs[i] = costs.literals[257 + kLengthIndex[i]] + kLengthExtra[kLengthIndex[i]];
    }
    cost[0] = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto byte = static_cast<uint8_t>(data_[begin + i]);
      if (const float c = cost[i] + costs.literals[byte]; c < cost[i + 1]) {
        cost[i + 1] = c;
        step[i + 1] = {0, byte};
      }
      size_t length = kMinMatch;
      for (size_t m = first_match_[begin + i]; m < first_match_[begin + i + 1]; ++m) {
        const uint32_t place = DistanceIndex(matches_[m].distance);
        const float base = cost[i] + costs.distances[place] + kDistanceExtra[place];
        const size_t most = std::min<size_t>(matches_[m].length, n - i);
        for (; length <= most; ++length) {
          if (const float c = base + length_costs[length]; c < cost[i + length]) {
            cost[i + length] = c;
            step[i + length] = {static_cast<uint16_t>(length), matches_[m].distance};
          }
        }
      }
    }
    std::vector<Symbol> way;
    for (size_t i = n; i > 0; i -= std::max<size_t>(step[i].length, 1)) way.push_back(step[i]);
    std::reverse(way.begin(), way.end());
    return way;
  }

  std::vector<Symbol> BestWay(size_t begin, size_t end) const {
    Costs costs;
    std::fill(std::begin(costs.literals), std::end(costs.literals), 8.0f);
    std::fill(std::begin(costs.distances), std::end(costs.distances), 4.5f);
    std::vector<Symbol> best;
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<Symbol> way = Way(begin, end, costs);
      Counts counts;
      for (const Symbol& s : way) counts.Add(s);
      const uint64_t bits = Code(counts).Cost(counts);
      if (bits < least) {
        least = bits;
        best = std::move(way);
      } else if (round > 4) {
        break;
      }
      counts.literals[kEndOfBlock] = 1;
      Entropy(counts.literals, 286, costs.literals);
      Entropy(counts.distances, 30, costs.distances);
    }
    return best;
  }

  // Adds places, in order, at which symbols begin .. end are better cut.
  static void Split(const std::vector<Symbol>& way, size_t begin, size_t end,
                    std::vector<size_t>* cuts) {
    if (end - begin < 2 * kLeastBlock) return;
    auto both = [&](size_t cut) {
      return Cost(&way[begin], &way[cut]) + Cost(&way[cut], way.data() + end);
    };
    // Some places, then some between the neighbours of the best.
    constexpr size_t kTried = 12;
    size_t low = begin + kLeastBlock, high = end - kLeastBlock, best = begin;
    uint64_t least = Cost(&way[begin], way.data() + end);
    while (low < high) {
      const size_t step = std::max<size_t>((high - low) / kTried, 1);
      size_t here = best;
      uint64_t least_here = UINT64_MAX;
      for (size_t cut = low; cut < high; cut += step) {
        if (const uint64_t bits = both(cut); bits < least_here) {
          least_here = bits;
          here = cut;
        }
      }
      if (least_here < least) {
        least = least_here;
        best = here;
      }
      if (step == 1) break;
      low = std::max(low, here - std::min(here, step));
      high = std::min(high, here + step);
    }
    if (best == begin) return;
    Split(way, begin, best, cuts);
    cuts->push_back(best);
    Split(way, best, end, cuts);
  }

  static void Write(const std::vector<Symbol>& way, bool last, Bits* out) {
    Counts counts;
    for (const Symbol& s : way) counts.Add(s);
    const Code code(counts);
    uint16_t literals[kLiteralSymbols] = {}, distances[kDistanceSymbols] = {};
    uint16_t lengths[kLengthSymbols] = {};
    AssignCodes(code.literals, kLiteralSymbols, literals);
    AssignCodes(code.distances, kDistanceSymbols, distances);
    AssignCodes(code.lengths, kLengthSymbols, lengths);
    out->Put(last, 1);
    out->Put(2, 2);
    out->Put(static_cast<uint32_t>(code.literal_count - 257), 5);
    out->Put(static_cast<uint32_t>(code.distance_count - 1), 5);
    out->Put(static_cast<uint32_t>(code.length_count - 4), 4);
    for (int i = 0; i < code.length_count; ++i) {
      out->Put(code.lengths[kLengthOrder[static_cast<size_t>(i)]], 3);
    }
    for (const auto& [symbol, extra] : code.description) {
      out->Put(lengths[symbol], code.lengths[symbol]);
      out->Put(static_cast<uint32_t>(extra), Code::Extra(symbol));
    }
    for (const Symbol& s : way) {
      if (s.length == 0) {
        out->Put(literals[s.value], code.literals[s.value]);
        continue;
      }
      const uint32_t length = kLengthIndex[s.length], place = DistanceIndex(s.value);
      out->Put(literals[257 + length], code.literals[257 + length]);
      out->Put(s.length - uint32_t{kLengthBase[length]}, kLengthExtra[length]);
      out->Put(distances[place], code.distances[place]);
      out->Put(s.value - uint32_t{kDistanceBase[place]}, kDistanceExtra[place]);
    }
    out->Put(literals[kEndOfBlock], code.literals[kEndOfBlock]);
  }

  std::string data_;  // what stands before, and the text
  size_t start_;      // of the text
  std::vector<Match> matches_;
  std::vector<size_t> first_match_;  // of each position, and the end of all
};

}  // namespace

std::string DeflateTightly(std::string_view text, std::string_view before) {
  return Packer(text, before).Run();
}

}  // namespace minivm::zlib
