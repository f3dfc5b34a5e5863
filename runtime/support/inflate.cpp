// Decoding of DEFLATE: a step at a time, where a step that lacks input leaves everything as it was.
#include "runtime/support/inflate.h"

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
constexpr int kNeedInput = -1;
constexpr int kNoSuchCode = -2;
constexpr uint32_t kLiteral = 1u << 8;
constexpr uint32_t kSlow = 1u << 9;
constexpr unsigned kValueShift = 16;
// What the quick loop may read and write at a time: a word of input; a copy, rounded up.
constexpr ptrdiff_t kQuickInput = 8;
constexpr ptrdiff_t kQuickOutput = 258 + 2 + 8;

}  // namespace

// Input, output and the bits in between, for the time of one Run().
struct Inflater::Cursor {
  const uint8_t* in;
  const uint8_t* in_end;
  uint8_t* out;
  uint8_t* out_start;
  uint8_t* out_end;
  uint64_t bits;
  unsigned count;

  void Fill() {
    while (count <= 56 && in < in_end) {
      bits |= uint64_t{*in++} << count;
      count += 8;
    }
  }
  // Are there n bits (n <= 32)?
  bool Have(unsigned n) {
    if (count < n) Fill();
    return count >= n;
  }
  uint32_t Peek(unsigned n) const { return static_cast<uint32_t>(bits & ((uint64_t{1} << n) - 1)); }
  void Drop(unsigned n) {
    bits >>= n;
    count -= n;
  }
  uint32_t Take(unsigned n) {
    uint32_t v = Peek(n);
    Drop(n);
    return v;
  }
  // The symbol whose code starts `skip` bits ahead; *length its bits. kNeedInput, kNoSuchCode.
  int Decode(const Code& code, unsigned skip, unsigned* length) const {
    const uint64_t ahead = bits >> skip;
    const unsigned have = count > skip ? count - skip : 0;
    const uint32_t fast = code.fast[ahead & ((1u << kFastBits) - 1)];
    if (MVM_LIKELY(fast & kLiteral)) {
      *length = fast & 15;
      return *length <= have ? static_cast<int>(fast >> kValueShift) : kNeedInput;
    }
    uint32_t word = 0, first = 0, index = 0;
    for (unsigned n = 1; n <= kMaxBits; ++n) {
      if (n > have) return kNeedInput;
      word |= static_cast<uint32_t>(ahead >> (n - 1)) & 1;
      const uint32_t here = code.count[n];
      if (word < first + here) {
        *length = n;
        return code.symbols[index + (word - first)];
      }
      index += here;
      first = (first + here) << 1;
      word <<= 1;
    }
    return kNoSuchCode;
  }
};

void Inflater::Reset() {
  step_ = Step::kBlockHeader;
  last_block_ = false;
  error_ = nullptr;
  bits_ = 0;
  bit_count_ = 0;
  history_ = at_ = 0;
  reach_ = kWindow;
}

void Inflater::SetDictionary(const uint8_t* text, size_t size) { Remember(text, text + size); }

Inflater::State Inflater::Fail(const char* error) {
  error_ = error;
  step_ = Step::kBad;
  return State::kBad;
}

constexpr Inflater::Built Inflater::Build(Code* code, Kind kind, const uint8_t* lengths,
                                          unsigned n) {
  for (uint16_t& n : code->count) n = 0;
  for (uint32_t& entry : code->fast) entry = 0;
  for (unsigned i = 0; i < n; ++i) ++code->count[lengths[i]];
  code->count[0] = 0;
  int left = 1;
  uint16_t offset[kMaxBits + 2] = {};
  uint32_t next[kMaxBits + 2] = {};
  offset[1] = 0;
  next[1] = 0;
  for (unsigned len = 1; len <= kMaxBits; ++len) {
    left = left * 2 - code->count[len];
    if (left < 0) return Built::kOverfull;
    offset[len + 1] = static_cast<uint16_t>(offset[len] + code->count[len]);
    next[len + 1] = (next[len] + code->count[len]) << 1;
  }
  for (unsigned i = 0; i < n; ++i) {
    const unsigned len = lengths[i];
    if (len == 0) continue;
    code->symbols[offset[len]++] = static_cast<uint16_t>(i);
    const uint32_t word = next[len]++;
    if (len > kFastBits) continue;
    uint32_t reversed = 0;
    for (unsigned b = 0; b < len; ++b) reversed |= (word >> b & 1) << (len - 1 - b);
    uint32_t entry = len;
    if (kind == Kind::kLengths || (kind == Kind::kLiterals && i < kEndOfBlock)) {
      entry |= i << kValueShift | kLiteral;
    } else if (kind == Kind::kLiterals && i > kEndOfBlock && i < kEndOfBlock + 30) {
      const unsigned which = i - kEndOfBlock - 1;
      entry |= uint32_t{kLengthBase[which]} << kValueShift | uint32_t{kLengthExtra[which]} << 4;
    } else if (kind == Kind::kDistances && i < 30) {
      entry |= uint32_t{kDistanceBase[i]} << kValueShift | uint32_t{kDistanceExtra[i]} << 4;
    } else {
      entry |= kSlow;
    }
    for (uint32_t k = reversed; k < 1u << kFastBits; k += 1u << len) code->fast[k] = entry;
  }
  return left == 0 ? Built::kComplete : Built::kIncomplete;
}

// The codes that need no description.
struct Inflater::Fixed {
  Code literals = {}, distances = {};
  constexpr Fixed() {
    uint8_t lengths[288] = {};
    for (unsigned i = 0; i < 288; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    Build(&literals, Kind::kLiterals, lengths, 288);
    for (unsigned i = 0; i < 30; ++i) lengths[i] = 5;
    Build(&distances, Kind::kDistances, lengths, 30);
  }
};

void Inflater::FixedTables() {
  static constexpr Fixed kFixed;
  literals_ = kFixed.literals;
  distances_ = kFixed.distances;
}

// The lengths of the codes that the code lengths are coded in. False: more input, or an error.
bool Inflater::ReadCodeLengths(Cursor& c) {
  while (lengths_read_ < length_count_) {
    if (!c.Have(3)) return false;
    lengths_[kLengthOrder[lengths_read_++]] = static_cast<uint8_t>(c.Take(3));
  }
  if (Build(&distances_, Kind::kLengths, lengths_, 19) != Built::kComplete) {
    Fail("invalid code lengths set");
    return false;
  }
  lengths_read_ = 0;
  step_ = Step::kLengths;
  return true;
}

// The code lengths of literals and distances, run-length coded by distances_.
bool Inflater::ReadLengths(Cursor& c) {
  const unsigned total = literal_count_ + distance_count_;
  while (lengths_read_ < total) {
    c.Fill();
    unsigned length;
    const int symbol = c.Decode(distances_, 0, &length);
    if (symbol == kNeedInput) return false;
    if (symbol < 0) {
      Fail("invalid code lengths set");
      return false;
    }
    if (symbol < 16) {
      c.Drop(length);
      lengths_[lengths_read_++] = static_cast<uint8_t>(symbol);
      continue;
    }
    const unsigned extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (c.count < length + extra) return false;
    c.Drop(length);
    const unsigned repeat = c.Take(extra) + (symbol == 18 ? 11 : 3);
    if ((symbol == 16 && lengths_read_ == 0) || lengths_read_ + repeat > total) {
      Fail("invalid bit length repeat");
      return false;
    }
    const uint8_t value = symbol == 16 ? lengths_[lengths_read_ - 1] : 0;
    std::memset(lengths_ + lengths_read_, value, repeat);
    lengths_read_ += repeat;
  }
  return FinishTables();
}

bool Inflater::FinishTables() {
  if (lengths_[kEndOfBlock] == 0) {
    Fail("invalid code -- missing end-of-block");
    return false;
  }
  // A code may be incomplete only if it consists of a single one-bit word.
  const Built literals = Build(&literals_, Kind::kLiterals, lengths_, literal_count_);
  if (literals == Built::kOverfull || (literals == Built::kIncomplete && literals_.count[1] != 1)) {
    Fail("invalid literal/lengths set");
    return false;
  }
  const uint8_t* lengths = lengths_ + literal_count_;
  const Built distances = Build(&distances_, Kind::kDistances, lengths, distance_count_);
  const bool none =
      std::all_of(lengths, lengths + distance_count_, [](uint8_t n) { return n == 0; });
  const bool single = distances_.count[1] == 1 && distances == Built::kIncomplete;
  if (distances == Built::kOverfull || (distances == Built::kIncomplete && !none && !single)) {
    Fail("invalid distances set");
    return false;
  }
  step_ = Step::kSymbols;
  return true;
}

// Literals and copies while there is input and room enough not to ask about either, and nothing
// else comes up: what it stops at is still to be read.
void Inflater::DecodeQuickly(Cursor& c) const {
  if (c.count == 64) return;
  constexpr uint32_t kMask = (1u << kFastBits) - 1;
  const uint8_t *in = c.in, *const in_last = c.in_end - kQuickInput;
  uint8_t *out = c.out, *const out_last = c.out_end - kQuickOutput;
  uint64_t bits = c.bits;
  unsigned count = c.count;
  // At least 56 bits afterwards. Those above `count` are bits that will be read again.
  auto fill = [&] {
    uint64_t word;
    std::memcpy(&word, in, sizeof word);
    bits |= word << count;
    in += (63 - count) >> 3;
    count |= 56;
  };
  while (in <= in_last && out <= out_last) {
    fill();
    uint32_t entry = literals_.fast[bits & kMask];
    if (entry & kLiteral) {  // three of them fit what fill() sees to, and leave enough to look on
      for (int i = 0; i < 2 && (entry & kLiteral); ++i) {
        *out++ = static_cast<uint8_t>(entry >> kValueShift);
        bits >>= entry & 15;
        count -= entry & 15;
        entry = literals_.fast[bits & kMask];
      }
      if (entry & kLiteral) {
        *out++ = static_cast<uint8_t>(entry >> kValueShift);
        bits >>= entry & 15;
        count -= entry & 15;
        continue;
      }
      if (in > in_last) break;
      fill();
    }
    if (entry == 0 || (entry & kSlow)) break;
    // A copy has at most 10 + 5 + 10 + 13 bits.
    const unsigned length_bits = entry & 15, length_extra = entry >> 4 & 15;
    uint64_t rest = bits >> length_bits;
    size_t n = (entry >> kValueShift) + (rest & ((1u << length_extra) - 1));
    rest >>= length_extra;
    entry = distances_.fast[rest & kMask];
    if (entry == 0 || (entry & kSlow)) break;
    const unsigned distance_bits = entry & 15, distance_extra = entry >> 4 & 15;
    rest >>= distance_bits;
    const size_t distance = (entry >> kValueShift) + (rest & ((1u << distance_extra) - 1));
    const size_t here = static_cast<size_t>(out - c.out_start);
    if (distance > history_ + here || distance > reach_) break;
    bits = rest >> distance_extra;
    count -= length_bits + length_extra + distance_bits + distance_extra;
    uint8_t* const end = out + n;
    if (MVM_UNLIKELY(distance > here)) {  // it begins in what was written by earlier calls
      for (size_t back = distance - here; back > 0 && out < end; --back) {
        *out++ = window_[(at_ + kWindow - back) & (kWindow - 1)];
      }
    }
    const uint8_t* from = out - distance;
    if (out == end) {
      // All of it was there.
    } else if (distance >= 8) {
      do {  // a word at a time, past the end
        uint64_t word;
        std::memcpy(&word, from, 8);
        std::memcpy(out, &word, 8);
        from += 8;
        out += 8;
      } while (out < end);
      out = end;
    } else if (distance == 1) {
      std::memset(out, *from, n);
      out = end;
    } else {
      while (out < end) *out++ = *from++;
    }
  }
  c.in = in;
  c.out = out;
  c.count = count;
  c.bits = bits & ((uint64_t{1} << count) - 1);  // count < 64
}

// Literals and copies until the block ends (then true), or input or output run out, or an error.
bool Inflater::DecodeSymbols(Cursor& c) {
  for (;;) {
    if (c.in_end - c.in >= kQuickInput && c.out_end - c.out >= kQuickOutput) DecodeQuickly(c);
    c.Fill();
    unsigned length;
    const int symbol = c.Decode(literals_, 0, &length);
    if (MVM_UNLIKELY(symbol < 0)) {
      if (symbol == kNoSuchCode) Fail("invalid literal/length code");
      return false;
    }
    if (symbol < static_cast<int>(kEndOfBlock)) {
      if (MVM_UNLIKELY(c.out == c.out_end)) return false;
      *c.out++ = static_cast<uint8_t>(symbol);
      c.Drop(length);
      continue;
    }
    if (symbol == static_cast<int>(kEndOfBlock)) {
      c.Drop(length);
      return true;
    }
    const unsigned which = static_cast<unsigned>(symbol) - kEndOfBlock - 1;
    if (which >= 29) {
      Fail("invalid literal/length code");
      return false;
    }
    const unsigned length_end = length + kLengthExtra[which];
    if (c.count < length_end) return false;
    unsigned distance_length;
    const int distance = c.Decode(distances_, length_end, &distance_length);
    if (distance == kNeedInput) return false;
    if (distance < 0 || distance >= 30) {
      Fail("invalid distance code");
      return false;
    }
    if (c.count < length_end + distance_length + kDistanceExtra[distance]) return false;
    c.Drop(length);
    remaining_ = kLengthBase[which] + c.Take(kLengthExtra[which]);
    c.Drop(distance_length);
    distance_ = kDistanceBase[distance] + c.Take(kDistanceExtra[distance]);
    if (distance_ > history_ + static_cast<size_t>(c.out - c.out_start) || distance_ > reach_) {
      Fail("invalid distance too far back");
      return false;
    }
    Copy(c);
    if (MVM_UNLIKELY(remaining_ > 0)) {
      step_ = Step::kCopy;
      return false;
    }
  }
}

// As much of the pending copy as there is room for; from the window what is older than this call.
void Inflater::Copy(Cursor& c) {
  size_t n = std::min<size_t>(remaining_, static_cast<size_t>(c.out_end - c.out));
  if (n == 0) return;
  remaining_ -= static_cast<uint32_t>(n);
  size_t here = static_cast<size_t>(c.out - c.out_start);
  while (n > 0 && distance_ > here) {
    const size_t back = distance_ - here;
    *c.out++ = window_[(at_ + kWindow - back) & (kWindow - 1)];
    ++here;
    --n;
  }
  const uint8_t* from = c.out - distance_;
  if (distance_ >= n) {
    std::memcpy(c.out, from, n);
    c.out += n;
  } else {
    while (n-- > 0) *c.out++ = *from++;
  }
}

void Inflater::Remember(const uint8_t* from, const uint8_t* to) {
  if (static_cast<size_t>(to - from) > kWindow) from = to - kWindow;
  const size_t n = static_cast<size_t>(to - from);
  const size_t first = std::min(n, kWindow - at_);
  if (first > 0) std::memcpy(window_ + at_, from, first);
  if (n > first) std::memcpy(window_, from + first, n - first);
  at_ = (at_ + n) & (kWindow - 1);
  history_ = std::min(kWindow, history_ + n);
}

bool Inflater::ReadBlockHeader(Cursor& c) {
  if (last_block_) {
    // Whole bytes that were read ahead go back; the rest of the last byte is padding.
    c.in -= c.count / 8;
    c.bits = 0;
    c.count = 0;
    step_ = Step::kDone;
    return true;
  }
  if (!c.Have(3)) return false;
  last_block_ = c.Take(1) != 0;
  switch (c.Take(2)) {
    case 0:
      c.Drop(c.count & 7);
      step_ = Step::kStoredSize;
      break;
    case 1:
      FixedTables();
      step_ = Step::kSymbols;
      break;
    case 2: step_ = Step::kCounts; break;
    default: Fail("invalid block type");
  }
  return true;
}

bool Inflater::ReadStoredSize(Cursor& c) {
  if (!c.Have(32)) return false;
  const uint32_t size = c.Take(16), check = c.Take(16);
  remaining_ = size;
  step_ = Step::kStored;
  if (size != (check ^ 0xFFFF)) Fail("invalid stored block lengths");
  return true;
}

bool Inflater::CopyStored(Cursor& c) {
  while (remaining_ > 0 && c.count >= 8 && c.out < c.out_end) {
    *c.out++ = static_cast<uint8_t>(c.Take(8));
    --remaining_;
  }
  if (c.count < 8) {
    const size_t n =
        std::min({static_cast<size_t>(remaining_), static_cast<size_t>(c.in_end - c.in),
                  static_cast<size_t>(c.out_end - c.out)});
    if (n > 0) std::memcpy(c.out, c.in, n);
    c.in += n;
    c.out += n;
    remaining_ -= static_cast<uint32_t>(n);
  }
  if (remaining_ > 0) return false;
  step_ = Step::kBlockHeader;
  return true;
}

bool Inflater::ReadCounts(Cursor& c) {
  if (!c.Have(14)) return false;
  literal_count_ = c.Take(5) + 257;
  distance_count_ = c.Take(5) + 1;
  length_count_ = c.Take(4) + 4;
  std::memset(lengths_, 0, 19);
  lengths_read_ = 0;
  step_ = Step::kCodeLengths;
  if (literal_count_ > 286 || distance_count_ > 30) Fail("too many length or distance symbols");
  return true;
}

Inflater::State Inflater::Run(const uint8_t** in, const uint8_t* in_end, uint8_t** out,
                              uint8_t* out_end) {
  if (step_ == Step::kDone) return State::kDone;
  if (step_ == Step::kBad) return State::kBad;
  Cursor c{*in, in_end, *out, *out, out_end, bits_, bit_count_};
  bool more = true;
  while (more) {
    switch (step_) {
      case Step::kBlockHeader: more = ReadBlockHeader(c); break;
      case Step::kStoredSize: more = ReadStoredSize(c); break;
      case Step::kStored: more = CopyStored(c); break;
      case Step::kCounts: more = ReadCounts(c); break;
      case Step::kCodeLengths: more = ReadCodeLengths(c); break;
      case Step::kLengths: more = ReadLengths(c); break;
      case Step::kSymbols:
        more = DecodeSymbols(c);
        if (more) step_ = Step::kBlockHeader;
        break;
      case Step::kCopy:
        Copy(c);
        more = remaining_ == 0;
        if (more) step_ = Step::kSymbols;
        break;
      case Step::kDone:
      case Step::kBad: more = false; break;
    }
  }
  if (c.out == c.out_end && step_ != Step::kDone) {
    // Stopped by the output: whole bytes that were read ahead stay with the caller. (Bits that are
    // kept because input ran out all belong to the next symbol, so they need not go back later.)
    const unsigned back =
        static_cast<unsigned>(std::min<size_t>(c.count / 8, static_cast<size_t>(c.in - *in)));
    c.in -= back;
    c.count -= back * 8;
    c.bits &= (uint64_t{1} << c.count) - 1;
  }
  Remember(c.out_start, c.out);
  bits_ = c.bits;
  bit_count_ = c.count;
  *in = c.in;
  *out = c.out;
  return step_ == Step::kDone ? State::kDone : step_ == Step::kBad ? State::kBad : State::kMore;
}

}  // namespace minivm
