// Deflater: symbols as blocks, in the cheapest of three ways.
#include "stdlib/zlib/deflate.h"

namespace minivm::zlib {

namespace {

constexpr int kUsedLiterals = 286, kUsedDistances = 30;

// The code that needs no description.
struct FixedCode {
  uint8_t literal_bits[kLiteralSymbols] = {}, distance_bits[kDistanceSymbols] = {};
  uint16_t literal_codes[kLiteralSymbols] = {}, distance_codes[kDistanceSymbols] = {};
  constexpr FixedCode() {
    for (int i = 0; i < kLiteralSymbols; ++i) literal_bits[i] = FixedLiteralBits(i);
    for (uint8_t& bits : distance_bits) bits = 5;
    AssignCodes(literal_bits, kLiteralSymbols, literal_codes);
    AssignCodes(distance_bits, kDistanceSymbols, distance_codes);
  }
};
constexpr FixedCode kFixedCode;

// The code lengths of a block, run-length coded: symbols of the length code with their extra bits.
struct LengthCode {
  uint8_t symbol[kLiteralSymbols + kDistanceSymbols];
  uint8_t extra[kLiteralSymbols + kDistanceSymbols];
  int count = 0;
  uint32_t frequency[kLengthSymbols] = {};

  void Add(int s, int e) {
    symbol[count] = static_cast<uint8_t>(s);
    extra[count++] = static_cast<uint8_t>(e);
    ++frequency[s];
  }
  void Encode(const uint8_t* lengths, int n) {
    for (int i = 0; i < n;) {
      int run = 1;
      while (i + run < n && lengths[i + run] == lengths[i]) ++run;
      const int value = lengths[i];
      i += run;
      if (value == 0) {
        for (; run >= 11; run -= std::min(run, 138)) Add(18, std::min(run, 138) - 11);
        if (run >= 3) {
          Add(17, run - 3);
          run = 0;
        }
      } else {
        Add(value, 0);
        --run;
        while (run >= 3) {
          const int part = std::min(run, 6);
          Add(16, part - 3);
          run -= part;
        }
      }
      for (; run > 0; --run) Add(value, 0);
    }
  }
};

constexpr int ExtraBits(int symbol) {
  return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

uint64_t Cost(const uint32_t* count, const uint8_t* bits, int n) {
  uint64_t total = 0;
  for (int i = 0; i < n; ++i) total += uint64_t{count[i]} * bits[i];
  return total;
}

}  // namespace

void Deflater::ResetBlock() {
  symbol_count_ = 0;
  std::fill(std::begin(literal_count_), std::end(literal_count_), 0u);
  std::fill(std::begin(distance_count_), std::end(distance_count_), 0u);
  // A byte that is held back belongs to the next block.
  block_start_ = held_ ? at_ - 1 : at_;
}

bool Deflater::WriteStored(const uint8_t* data, size_t n, bool last) {
  do {
    const size_t part = std::min<size_t>(n, 65535);
    if (!out_.Reserve(part + 16)) return false;
    writer_.Put(last && part == n, 3);
    writer_.AlignToByte();
    writer_.Put(static_cast<uint32_t>(part), 16);
    writer_.Put(static_cast<uint32_t>(part ^ 0xFFFF), 16);
    if (part && !out_.Append(data, part)) return false;
    data += part;
    n -= part;
  } while (n > 0);
  return true;
}

// REQUIRES: there is room for all of it and eight bytes.
bool Deflater::WriteSymbols(const uint8_t* literal_bits, const uint16_t* literal_codes,
                            const uint8_t* distance_bits, const uint16_t* distance_codes) {
  uint8_t* out = out_.data() + out_.size();
  uint64_t bits = writer_.bits_;
  uint32_t have = static_cast<uint32_t>(writer_.have_);
  auto put = [&](uint64_t code, uint32_t n) {
    bits |= code << have;
    have += n;
  };
  // Whole bytes, by words: less than eight bits are left.
  auto flush = [&] {
    std::memcpy(out, &bits, sizeof bits);
    out += have >> 3;
    bits >>= have & ~7u;
    have &= 7;
  };
  for (uint32_t i = 0; i < symbol_count_; ++i) {
    const uint32_t distance = symbols_[i] >> 16, value = symbols_[i] & 0xFFFF;
    if (distance == 0) {
      put(literal_codes[value], literal_bits[value]);
    } else {  // 48 bits at most
      const uint32_t length = kLengthIndex[value], place = DistanceIndex(distance);
      put(literal_codes[257 + length], literal_bits[257 + length]);
      put(value - kLengthBase[length], kLengthExtra[length]);
      put(distance_codes[place], distance_bits[place]);
      put(distance - kDistanceBase[place], kDistanceExtra[place]);
    }
    flush();
  }
  put(literal_codes[kEndOfBlock], literal_bits[kEndOfBlock]);
  flush();
  writer_.bits_ = bits;
  writer_.have_ = static_cast<int>(have);
  out_.set_size(static_cast<size_t>(out - out_.data()));
  return true;
}

bool Deflater::EndBlock(bool last) {
  literal_count_[kEndOfBlock] = 1;
  uint8_t literal_bits[kLiteralSymbols] = {}, distance_bits[kDistanceSymbols] = {};
  AssignLengths(literal_count_, kUsedLiterals, kMaxCodeBits, literal_bits);
  AssignLengths(distance_count_, kUsedDistances, kMaxCodeBits, distance_bits);

  int literals = kUsedLiterals, distances = kUsedDistances;
  while (literals > 257 && literal_bits[literals - 1] == 0) --literals;
  while (distances > 1 && distance_bits[distances - 1] == 0) --distances;
  if (symbol_count_ == 0) literal_bits[0] = 1;  // two codes of one bit are a complete code
  LengthCode code;
  uint8_t all[kLiteralSymbols + kDistanceSymbols];
  std::copy(literal_bits, literal_bits + literals, all);
  std::copy(distance_bits, distance_bits + distances, all + literals);
  code.Encode(all, literals + distances);
  uint8_t code_bits[kLengthSymbols] = {};
  AssignLengths(code.frequency, kLengthSymbols, 7, code_bits);
  int used = 0;
  for (int i = 0; i < kLengthSymbols; ++i) used += code_bits[i] != 0;
  if (used == 1) code_bits[code_bits[0] ? 18 : 0] = 1;  // it has to be complete
  int codes = kLengthSymbols;
  while (codes > 4 && code_bits[kLengthOrder[static_cast<size_t>(codes - 1)]] == 0) --codes;

  uint64_t extra = 0;
  for (size_t i = 0; i < kLengthExtra.size(); ++i) {
    extra += uint64_t{literal_count_[257 + i]} * kLengthExtra[i];
  }
  for (size_t i = 0; i < kDistanceExtra.size(); ++i) {
    extra += uint64_t{distance_count_[i]} * kDistanceExtra[i];
  }
  uint64_t dynamic_cost = 3 + 14 + 3 * static_cast<uint64_t>(codes) + extra +
                          Cost(literal_count_, literal_bits, kUsedLiterals) +
                          Cost(distance_count_, distance_bits, kUsedDistances) +
                          Cost(code.frequency, code_bits, kLengthSymbols);
  for (int i = 16; i < kLengthSymbols; ++i) {
    dynamic_cost += uint64_t{code.frequency[i]} * static_cast<uint64_t>(ExtraBits(i));
  }
  const uint64_t fixed_cost = 3 + extra +
                              Cost(literal_count_, kFixedCode.literal_bits, kUsedLiterals) +
                              Cost(distance_count_, kFixedCode.distance_bits, kUsedDistances);
  const int64_t end = held_ ? at_ - 1 : at_;
  const uint64_t raw =
      block_start_ >= 0 ? static_cast<uint64_t>(end - block_start_) : UINT64_MAX / 16;
  const uint64_t dynamic_bytes = (dynamic_cost + 7) / 8, fixed_bytes = (fixed_cost + 7) / 8;
  const bool fixed = strategy_ == kFixed || fixed_bytes <= dynamic_bytes;
  if (block_start_ >= 0 && raw + 4 <= std::min(dynamic_bytes, fixed_bytes) && strategy_ != kFixed) {
    const uint8_t* data = window_ + block_start_;
    const bool done = WriteStored(data, static_cast<size_t>(raw), last);
    ResetBlock();
    return done;
  }
  if (!out_.Reserve((fixed ? fixed_bytes : dynamic_bytes) + 32)) return false;
  writer_.Put(static_cast<uint32_t>(last) | (fixed ? 1u : 2u) << 1, 3);
  if (fixed) {
    const bool done = WriteSymbols(kFixedCode.literal_bits, kFixedCode.literal_codes,
                                   kFixedCode.distance_bits, kFixedCode.distance_codes);
    ResetBlock();
    return done;
  }
  writer_.Put(static_cast<uint32_t>(literals - 257), 5);
  writer_.Put(static_cast<uint32_t>(distances - 1), 5);
  writer_.Put(static_cast<uint32_t>(codes - 4), 4);
  for (int i = 0; i < codes; ++i) {
    writer_.Put(code_bits[kLengthOrder[static_cast<size_t>(i)]], 3);
  }
  uint16_t length_codes[kLengthSymbols];
  AssignCodes(code_bits, kLengthSymbols, length_codes);
  for (int i = 0; i < code.count; ++i) {
    writer_.Put(length_codes[code.symbol[i]], code_bits[code.symbol[i]]);
    writer_.Put(code.extra[i], ExtraBits(code.symbol[i]));
  }
  uint16_t literal_codes[kLiteralSymbols], distance_codes[kDistanceSymbols];
  AssignCodes(literal_bits, kLiteralSymbols, literal_codes);
  AssignCodes(distance_bits, kDistanceSymbols, distance_codes);
  const bool done = WriteSymbols(literal_bits, literal_codes, distance_bits, distance_codes);
  ResetBlock();
  return done;
}

}  // namespace minivm::zlib
