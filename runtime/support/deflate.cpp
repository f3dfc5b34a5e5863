// Encoding to DEFLATE: matches, blocks, Huffman codes.
#include "runtime/support/deflate.h"

#include <algorithm>
#include <cstring>

#include "runtime/support/check.h"

namespace minivm {

namespace {

constexpr uint16_t kLengthBase[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr uint8_t kLengthExtra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr uint16_t kDistanceBase[30] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr uint8_t kDistanceExtra[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                        6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
constexpr uint8_t kLengthOrder[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
constexpr unsigned kEndOfBlock = 256;

// How hard each level looks: for how long a chain, when a match is good enough to look less, and
// whether the match at the next byte is tried before one is taken.
struct Effort {
  uint16_t chain;
  uint16_t good;
  uint16_t enough;
  bool lazy;
};
constexpr Effort kEfforts[10] = {{0, 0, 0, false},     {4, 4, 8, false},    {6, 5, 16, false},
                                 {12, 6, 32, false},   {16, 4, 16, true},   {32, 8, 32, true},
                                 {128, 8, 128, true},  {256, 8, 128, true}, {1024, 32, 258, true},
                                 {4096, 32, 258, true}};

unsigned LengthSymbol(unsigned length) {
  return static_cast<unsigned>(std::upper_bound(kLengthBase, kLengthBase + 29, length) -
                               kLengthBase) -
         1;
}
unsigned DistanceSymbol(unsigned distance) {
  if (distance < 5) return distance - 1;
  const unsigned top = 31u - static_cast<unsigned>(__builtin_clz(distance - 1));
  return 2 * top + ((distance - 1) >> (top - 1) & 1);
}

// Lengths of a Huffman code for the frequencies, at most `limit` bits. Symbols that occur get at
// least one bit. n <= 288.
void CodeLengths(const uint32_t* frequency, unsigned n, unsigned limit, uint8_t* lengths) {
  struct Leaf {
    uint32_t frequency;
    uint16_t symbol;
  };
  Leaf leaves[288];
  unsigned count = 0;
  std::memset(lengths, 0, n);
  for (unsigned i = 0; i < n; ++i) {
    if (frequency[i] > 0) leaves[count++] = {frequency[i], static_cast<uint16_t>(i)};
  }
  if (count == 0) return;
  if (count == 1) {
    lengths[leaves[0].symbol] = 1;
    return;
  }
  std::sort(leaves, leaves + count, [](const Leaf& a, const Leaf& b) {
    return a.frequency != b.frequency ? a.frequency < b.frequency : a.symbol < b.symbol;
  });
  // Two queues: leaves in order, and inner nodes, which are made in order.
  uint64_t weight[288];
  uint16_t parent[2 * 288];
  unsigned leaf = 0, inner = 0, made = 0;
  auto take = [&]() -> unsigned {
    if (leaf < count && (inner == made || leaves[leaf].frequency <= weight[inner])) return leaf++;
    return count + inner++;
  };
  auto weight_of = [&](unsigned node) {
    return node < count ? leaves[node].frequency : weight[node - count];
  };
  while (made < count - 1) {
    const unsigned a = take(), b = take();
    weight[made] = uint64_t{weight_of(a)} + weight_of(b);
    parent[a] = parent[b] = static_cast<uint16_t>(count + made);
    ++made;
  }
  uint8_t depth[2 * 288];
  depth[count + made - 1] = 0;
  for (unsigned i = count + made - 1; i-- > 0;)
    depth[i] = static_cast<uint8_t>(depth[parent[i]] + 1);
  // Cut what is too deep; pay for it by lengthening the rarest codes that have room.
  const uint32_t full = 1u << limit;
  uint32_t used = 0;
  for (unsigned i = 0; i < count; ++i) {
    depth[i] = static_cast<uint8_t>(std::min<unsigned>(depth[i], limit));
    used += full >> depth[i];
  }
  for (unsigned i = 0; used > full; i = (i + 1) % count) {
    if (depth[i] >= limit) continue;
    used -= full >> (depth[i] + 1);
    ++depth[i];
  }
  for (unsigned i = count; i-- > 0;) {  // what is left goes to the commonest
    while (depth[i] > 1 && used + (full >> depth[i]) <= full) {
      used += full >> depth[i];
      --depth[i];
    }
  }
  for (unsigned i = 0; i < count; ++i) lengths[leaves[i].symbol] = depth[i];
}

// The words of a canonical code, reversed: DEFLATE writes them from the highest bit.
void CodeWords(const uint8_t* lengths, unsigned n, uint16_t* words) {
  unsigned count[16] = {};
  for (unsigned i = 0; i < n; ++i) ++count[lengths[i]];
  count[0] = 0;
  unsigned next[17];
  next[1] = 0;
  for (unsigned len = 1; len < 16; ++len) next[len + 1] = (next[len] + count[len]) << 1;
  for (unsigned i = 0; i < n; ++i) {
    unsigned word = lengths[i] ? next[lengths[i]]++ : 0, reversed = 0;
    for (unsigned b = 0; b < lengths[i]; ++b) reversed |= (word >> b & 1) << (lengths[i] - 1 - b);
    words[i] = static_cast<uint16_t>(reversed);
  }
}

// One item of the run-length coded code lengths: symbol, and what its extra bits hold.
struct RunItem {
  uint8_t symbol;
  uint8_t extra;
};
constexpr unsigned ExtraBits(unsigned symbol) {
  return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

unsigned RunLengths(const uint8_t* lengths, unsigned n, RunItem* out) {
  unsigned count = 0;
  for (unsigned i = 0; i < n;) {
    unsigned run = 1;
    while (i + run < n && lengths[i + run] == lengths[i]) ++run;
    unsigned left = run;
    if (lengths[i] == 0) {
      while (left >= 3) {
        const unsigned k = std::min(left, 138u);
        out[count++] = k < 11 ? RunItem{17, static_cast<uint8_t>(k - 3)}
                              : RunItem{18, static_cast<uint8_t>(k - 11)};
        left -= k;
      }
    } else {
      out[count++] = {lengths[i], 0};
      --left;
      while (left >= 3) {
        const unsigned k = std::min(left, 6u);
        out[count++] = {16, static_cast<uint8_t>(k - 3)};
        left -= k;
      }
    }
    while (left-- > 0) out[count++] = {lengths[i], 0};
    i += run;
  }
  return count;
}

// Bits of the open block's symbols in a code of these lengths.
uint64_t Cost(const uint32_t* literals, const uint32_t* distances, const uint8_t* literal_lengths,
              const uint8_t* distance_lengths) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < 286; ++i) {
    bits += uint64_t{literals[i]} *
            (literal_lengths[i] + (i > kEndOfBlock ? kLengthExtra[i - kEndOfBlock - 1] : 0u));
  }
  for (unsigned i = 0; i < 30; ++i)
    bits += uint64_t{distances[i]} * (distance_lengths[i] + kDistanceExtra[i]);
  return bits;
}

}  // namespace

void Deflater::Reset(int level, Strategy strategy) {
  level_ = level;
  strategy_ = strategy;
  sink_ = nullptr;
  failed_ = false;
  filled_ = next_ = 1;
  block_ = 1;
  has_pending_ = false;
  bit_buffer_ = 0;
  bit_count_ = 0;
  out_size_ = 0;
  symbol_count_ = 0;
  text_[0] = 0;
  std::memset(literal_frequency_, 0, sizeof literal_frequency_);
  std::memset(distance_frequency_, 0, sizeof distance_frequency_);
  std::memset(head_, 0, sizeof head_);
}

void Deflater::SetParams(int level, Strategy strategy) {
  level_ = level;
  strategy_ = strategy;
}

void Deflater::SetDictionary(const uint8_t* text, size_t size) {
  if (size > kWindow - kAhead) {
    text += size - (kWindow - kAhead);
    size = kWindow - kAhead;
  }
  std::memcpy(text_ + filled_, text, size);
  filled_ += static_cast<unsigned>(size);
  while (next_ + kMinMatch <= filled_) Insert(next_++);
  next_ = filled_;
  block_ = next_;
}

unsigned Deflater::HashAt(unsigned position) const {
  const uint32_t word =
      text_[position] | uint32_t{text_[position + 1]} << 8 | uint32_t{text_[position + 2]} << 16;
  return (word * 0x9E3779B1u) >> 17;
}

void Deflater::Insert(unsigned position) {
  uint16_t& head = head_[HashAt(position)];
  previous_[position & (kWindow - 1)] = head;
  head = static_cast<uint16_t>(position);
}

// The longest match for the text at `position` (not yet inserted) that is longer than `at_least`.
Deflater::Match Deflater::Find(unsigned position, unsigned at_least) const {
  const unsigned most = std::min(kMaxMatch, filled_ - position);
  Match best{at_least, 0};
  if (most < kMinMatch || most <= at_least) return {};
  const uint8_t* here = text_ + position;
  if (strategy_ == Strategy::kRunLength) {
    unsigned n = 0;
    while (n < most && here[n] == here[-1]) ++n;
    return position > 1 && n >= kMinMatch && n > at_least ? Match{n, 1} : Match{};
  }
  const Effort& effort = kEfforts[level_];
  unsigned chain = at_least >= effort.good ? effort.chain / 4 : effort.chain;
  const unsigned oldest = position > kWindow - kAhead ? position - (kWindow - kAhead) : kNone;
  unsigned candidate = head_[HashAt(position)];
  while (candidate > oldest && candidate < position) {
    const uint8_t* there = text_ + candidate;
    if (there[best.length] == here[best.length] && std::memcmp(there, here, kMinMatch) == 0) {
      unsigned n = kMinMatch;
      while (n < most && there[n] == here[n]) ++n;
      if (n > best.length) {
        best = {n, position - candidate};
        if (n >= effort.enough || n == most) break;
      }
    }
    if (--chain == 0) break;
    const unsigned next = previous_[candidate & (kWindow - 1)];
    if (next >= candidate) break;
    candidate = next;
  }
  if (best.distance == 0) return {};
  // A match of three bytes far away costs more than three literals.
  if (best.length == kMinMatch && best.distance > 4096) return {};
  if (strategy_ == Strategy::kFiltered && best.length <= 5) return {};
  return best;
}

// Drops the older half of the window.
void Deflater::Slide() {
  std::memmove(text_, text_ + kWindow, filled_ - kWindow);
  filled_ -= kWindow;
  next_ -= kWindow;
  block_ -= kWindow;
  for (uint16_t& p : head_) p = static_cast<uint16_t>(p > kWindow ? p - kWindow : kNone);
  for (uint16_t& p : previous_) p = static_cast<uint16_t>(p > kWindow ? p - kWindow : kNone);
}

void Deflater::PutBits(uint64_t bits, unsigned n) {
  bit_buffer_ |= bits << bit_count_;
  bit_count_ += n;
  while (bit_count_ >= 8) {
    if (out_size_ == sizeof out_ && !FlushBytes()) out_size_ = 0;
    out_[out_size_++] = static_cast<uint8_t>(bit_buffer_);
    bit_buffer_ >>= 8;
    bit_count_ -= 8;
  }
}

bool Deflater::FlushBytes() {
  if (out_size_ > 0 && !failed_ && !sink_->Write(out_, out_size_)) failed_ = true;
  out_size_ = 0;
  return !failed_;
}

bool Deflater::AddLiteral(uint8_t byte) {
  distances_[symbol_count_] = 0;
  bytes_[symbol_count_++] = byte;
  ++literal_frequency_[byte];
  return symbol_count_ < kSymbols - 1 || EndBlock(false);
}

bool Deflater::AddMatch(Match m) {
  distances_[symbol_count_] = static_cast<uint16_t>(m.distance);
  bytes_[symbol_count_++] = static_cast<uint8_t>(m.length - kMinMatch);
  ++literal_frequency_[kEndOfBlock + 1 + LengthSymbol(m.length)];
  ++distance_frequency_[DistanceSymbol(m.distance)];
  return symbol_count_ < kSymbols - 1 || EndBlock(false);
}

bool Deflater::WriteStored(const uint8_t* text, size_t size, bool last) {
  do {
    const size_t n = std::min<size_t>(size, 65535);
    PutBits(last && n == size, 3);
    if (bit_count_ > 0) PutBits(0, 8 - bit_count_);
    PutBits(n | (n ^ 0xFFFF) << 16, 32);
    if (!FlushBytes() || (n > 0 && !sink_->Write(text, n))) {
      failed_ = true;
      return false;
    }
    text += n;
    size -= n;
  } while (size > 0);
  return true;
}

void Deflater::WriteSymbols(const uint8_t* literal_lengths, const uint16_t* literal_words,
                            const uint8_t* distance_lengths, const uint16_t* distance_words) {
  for (unsigned i = 0; i < symbol_count_; ++i) {
    const unsigned distance = distances_[i];
    if (distance == 0) {
      PutBits(literal_words[bytes_[i]], literal_lengths[bytes_[i]]);
      continue;
    }
    const unsigned length = bytes_[i] + kMinMatch;
    const unsigned l = LengthSymbol(length), d = DistanceSymbol(distance);
    PutBits(literal_words[kEndOfBlock + 1 + l], literal_lengths[kEndOfBlock + 1 + l]);
    PutBits(length - kLengthBase[l], kLengthExtra[l]);
    PutBits(distance_words[d], distance_lengths[d]);
    PutBits(distance - kDistanceBase[d], kDistanceExtra[d]);
  }
  PutBits(literal_words[kEndOfBlock], literal_lengths[kEndOfBlock]);
}

// Writes the open block in its shortest form and opens the next one.
bool Deflater::EndBlock(bool last) {
  MVM_DCHECK(!has_pending_, "a block ends between symbols");
  const int64_t end = next_;
  literal_frequency_[kEndOfBlock] = 1;
  uint8_t literal_lengths[288], distance_lengths[32];
  uint16_t literal_words[288], distance_words[32];
  CodeLengths(literal_frequency_, 286, 15, literal_lengths);
  CodeLengths(distance_frequency_, 30, 15, distance_lengths);
  unsigned literals = 286, distances = 30;
  while (literals > 257 && literal_lengths[literals - 1] == 0) --literals;
  while (distances > 1 && distance_lengths[distances - 1] == 0) --distances;
  if (distances == 1 && distance_lengths[0] == 0) distance_lengths[0] = 1;
  uint8_t both[320];
  std::memcpy(both, literal_lengths, literals);
  std::memcpy(both + literals, distance_lengths, distances);
  RunItem runs[320];
  const unsigned run_count = RunLengths(both, literals + distances, runs);
  uint32_t run_frequency[19] = {};
  for (unsigned i = 0; i < run_count; ++i) ++run_frequency[runs[i].symbol];
  uint8_t run_lengths[19];
  uint16_t run_words[19];
  CodeLengths(run_frequency, 19, 7, run_lengths);
  if (std::count_if(run_lengths, run_lengths + 19, [](uint8_t n) { return n > 0; }) == 1) {
    run_lengths[run_lengths[0] ? 1 : 0] = 1;  // this code must be complete
  }
  unsigned order = 19;
  while (order > 4 && run_lengths[kLengthOrder[order - 1]] == 0) --order;

  uint8_t fixed_literals[288], fixed_distances[30];
  for (unsigned i = 0; i < 288; ++i)
    fixed_literals[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  std::memset(fixed_distances, 5, 30);
  uint64_t dynamic_cost =
      14 + 3 * order +
      Cost(literal_frequency_, distance_frequency_, literal_lengths, distance_lengths);
  for (unsigned i = 0; i < run_count; ++i)
    dynamic_cost += run_lengths[runs[i].symbol] + ExtraBits(runs[i].symbol);
  const uint64_t fixed_cost =
      Cost(literal_frequency_, distance_frequency_, fixed_literals, fixed_distances);
  const uint64_t stored_cost =
      block_ >= 1 ? 32 + 7 + static_cast<uint64_t>(end - block_) * 8 : UINT64_MAX;

  bool ok = true;
  if (strategy_ != Strategy::kFixed && stored_cost <= dynamic_cost && stored_cost <= fixed_cost) {
    ok = WriteStored(text_ + block_, static_cast<size_t>(end - block_), last);
  } else if (strategy_ == Strategy::kFixed || fixed_cost <= dynamic_cost) {
    PutBits(last | 1 << 1, 3);
    CodeWords(fixed_literals, 288, literal_words);
    CodeWords(fixed_distances, 30, distance_words);
    WriteSymbols(fixed_literals, literal_words, fixed_distances, distance_words);
  } else {
    PutBits(last | 2 << 1, 3);
    PutBits(literals - 257, 5);
    PutBits(distances - 1, 5);
    PutBits(order - 4, 4);
    for (unsigned i = 0; i < order; ++i) PutBits(run_lengths[kLengthOrder[i]], 3);
    CodeWords(run_lengths, 19, run_words);
    for (unsigned i = 0; i < run_count; ++i) {
      PutBits(run_words[runs[i].symbol], run_lengths[runs[i].symbol]);
      PutBits(runs[i].extra, ExtraBits(runs[i].symbol));
    }
    CodeWords(literal_lengths, literals, literal_words);
    CodeWords(distance_lengths, distances, distance_words);
    WriteSymbols(literal_lengths, literal_words, distance_lengths, distance_words);
  }
  symbol_count_ = 0;
  std::memset(literal_frequency_, 0, sizeof literal_frequency_);
  std::memset(distance_frequency_, 0, sizeof distance_frequency_);
  block_ = end;
  return ok && !failed_;
}

// Level 0: the window as stored blocks.
bool Deflater::StoreOnly(bool to_the_end) {
  next_ = filled_;
  if (!to_the_end && static_cast<int64_t>(filled_) - block_ < int64_t{kWindow} - 1024) return true;
  if (static_cast<int64_t>(filled_) == block_) return true;
  if (!WriteStored(text_ + block_, static_cast<size_t>(filled_ - block_), false)) return false;
  block_ = filled_;
  return true;
}

// Turns text into symbols: all of it, or as much as leaves a full match's worth ahead.
bool Deflater::Encode(bool to_the_end) {
  if (level_ == 0) return StoreOnly(to_the_end);
  const bool matches = strategy_ != Strategy::kHuffmanOnly;
  const bool lazy = kEfforts[level_].lazy && strategy_ != Strategy::kRunLength;
  while (next_ < filled_ && (to_the_end || filled_ - next_ >= kAhead)) {
    const bool hashable = filled_ - next_ >= kMinMatch;
    Match found;
    if (matches && !(has_pending_ && pending_.length >= kEfforts[level_].enough)) {
      found =
          hashable ? Find(next_, has_pending_ && pending_.distance ? pending_.length : 0) : Match{};
    }
    if (hashable) Insert(next_);
    if (has_pending_) {
      if (pending_.distance != 0 && found.distance == 0) {
        // The earlier match stands; it covers next_ - 1 on.
        const unsigned end = next_ - 1 + pending_.length;
        const Match m = pending_;
        has_pending_ = false;
        for (unsigned i = next_ + 1; i < end; ++i) {
          if (i + kMinMatch <= filled_) Insert(i);
        }
        next_ = end;
        if (!AddMatch(m)) return false;
        continue;
      }
      // Better here, or nothing there: the byte before is a literal.
      has_pending_ = false;
      const uint8_t byte = text_[next_ - 1];
      if (!AddLiteral(byte)) return false;
    }
    if (lazy) {
      pending_ = found;
      has_pending_ = true;
      ++next_;
      continue;
    }
    if (found.distance != 0) {
      const unsigned end = next_ + found.length;
      for (unsigned i = next_ + 1; i < end; ++i) {
        if (i + kMinMatch <= filled_) Insert(i);
      }
      next_ = end;
      if (!AddMatch(found)) return false;
    } else {
      const uint8_t byte = text_[next_++];
      if (!AddLiteral(byte)) return false;
    }
  }
  if (to_the_end && has_pending_) {
    const Match m = pending_;
    has_pending_ = false;
    if (m.distance != 0) {
      next_ = next_ - 1 + m.length;
      return AddMatch(m);
    }
    return AddLiteral(text_[next_ - 1]);
  }
  return true;
}

bool Deflater::Run(const uint8_t* in, size_t size, Flush flush, ByteSink* sink) {
  sink_ = sink;
  while (size > 0) {
    if (filled_ == sizeof text_ || (next_ >= 2 * kWindow - kAhead)) {
      if (level_ == 0 && !StoreOnly(true)) return false;
      Slide();
    }
    const size_t n = std::min(size, sizeof text_ - filled_);
    std::memcpy(text_ + filled_, in, n);
    filled_ += static_cast<unsigned>(n);
    in += n;
    size -= n;
    if (!Encode(false)) return false;
  }
  if (flush == Flush::kNone) return FlushBytes();
  if (!Encode(true)) return false;
  if (flush == Flush::kFinish) {
    if (!EndBlock(true)) return false;
    if (bit_count_ > 0) PutBits(0, 8 - bit_count_);
    return FlushBytes();
  }
  if (symbol_count_ > 0 && !EndBlock(false)) return false;
  if (flush == Flush::kBlock) return FlushBytes();
  if (!WriteStored(nullptr, 0, false)) return false;
  if (flush == Flush::kFull) {
    std::memset(head_, 0, sizeof head_);
    block_ = next_;
  }
  return FlushBytes();
}

}  // namespace minivm
