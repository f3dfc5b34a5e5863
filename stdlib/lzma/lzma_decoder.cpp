// LzmaDecoder: bits, symbols, matches.
#include "stdlib/lzma/lzma_decoder.h"

#include <cstring>

namespace minivm::lzma {

size_t History::Room() {
  if (at_ < ring()) return ring() - at_;
  if (capacity_ < size_) {
    const size_t capacity = std::min(size_, std::max<size_t>(capacity_ * 2, 64 << 10));
    if (memory_.WouldExceed(capacity - capacity_)) return 0;
    void* p = memory_.ReallocateBuffer(bytes_, capacity_, capacity);
    if (!p) return 0;
    bytes_ = static_cast<uint8_t*>(p);
    capacity_ = capacity;
  } else {
    at_ = 0;
  }
  return ring() - at_;
}

template <bool kDry>
class LzmaDecoder::Reader {
 public:
  Reader(uint32_t range, uint32_t code, const uint8_t* at, const uint8_t* end)
      : range_(range), code_(code), at_(at), end_(end) {}

  uint32_t range() const { return range_; }
  uint32_t code() const { return code_; }
  const uint8_t* at() const { return at_; }
  bool lacks() const { return lacks_; }

  uint32_t Bit(Probability& p) {
    Normalize();
    const uint32_t bound = (range_ >> kProbabilityBits) * p;
    if (code_ < bound) {
      range_ = bound;
      if (!kDry) p = static_cast<Probability>(p + (((1 << kProbabilityBits) - p) >> kAdaptShift));
      return 0;
    }
    range_ -= bound;
    code_ -= bound;
    if (!kDry) p = static_cast<Probability>(p - (p >> kAdaptShift));
    return 1;
  }
  uint32_t Tree(Probability* p, int bits) {
    uint32_t node = 1;
    for (int i = 0; i < bits; ++i) node = node << 1 | Bit(p[node]);
    return node - (1u << bits);
  }
  // The lowest bit first.
  uint32_t TreeReversed(Probability* p, int bits) {
    uint32_t node = 1, value = 0;
    for (int i = 0; i < bits; ++i) {
      const uint32_t bit = Bit(p[node]);
      node = node << 1 | bit;
      value |= bit << i;
    }
    return value;
  }
  uint32_t Direct(uint32_t bits) {
    uint32_t value = 0;
    for (; bits > 0; --bits) {
      Normalize();
      range_ >>= 1;
      const uint32_t bit = code_ >= range_;
      if (bit) code_ -= range_;
      value = value << 1 | bit;
    }
    return value;
  }
  uint32_t Length(LengthModel& m, uint32_t position) {
    if (!Bit(m.choice[0])) return kMinMatch + Tree(m.low[position], 3);
    if (!Bit(m.choice[1])) return kMinMatch + 8 + Tree(m.middle[position], 3);
    return kMinMatch + 16 + Tree(m.high, 8);
  }

 private:
  void Normalize() {
    if (range_ >= kTopRange) return;
    if (kDry && at_ == end_) {
      lacks_ = true;  // whatever follows
      range_ = UINT32_MAX;
      return;
    }
    range_ <<= 8;
    code_ = code_ << 8 | *at_++;
  }

  uint32_t range_, code_;
  const uint8_t* at_;
  const uint8_t* end_;
  bool lacks_ = false;
};

template <bool kDry>
LzmaDecoder::Symbol LzmaDecoder::ReadSymbol(Reader<kDry>& r) {
  const int state = state_.value();
  const uint32_t position = static_cast<uint32_t>(place_) & ((1u << properties_.pb) - 1);
  if (!r.Bit(model_.is_match[state][position])) {
    Probability* p = model_.LiteralsAt(properties_, place_, history_.Back(0));
    uint32_t node = 1;
    if (!state_.after_literal() && history_.Has(repeats_[0])) {
      // It differs from what a match would have had there: as long as it does not, that is context.
      uint32_t expected = history_.Back(repeats_[0]), part = 0x100;
      while (node < 0x100) {
        expected <<= 1;
        const uint32_t same = expected & part;
        const uint32_t bit = r.Bit(p[part + same + node]);
        node = node << 1 | bit;
        part &= bit ? same : ~same;
      }
    } else {
      while (node < 0x100) node = node << 1 | r.Bit(p[node]);
    }
    return {0, 0, static_cast<uint8_t>(node), 0};
  }
  if (r.Bit(model_.is_repeat[state])) {
    uint8_t which = 0;
    if (!r.Bit(model_.is_other_repeat[state])) {
      if (!r.Bit(model_.is_long[state][position])) return {1, repeats_[0], 0, 2};
    } else if (!r.Bit(model_.is_third_repeat[state])) {
      which = 1;
    } else {
      which = static_cast<uint8_t>(2 + r.Bit(model_.is_fourth_repeat[state]));
    }
    const uint32_t length = r.Length(model_.repeat_length, position);
    return {length, repeats_[which], 0, static_cast<uint8_t>(3 + which)};
  }
  const uint32_t length = r.Length(model_.match_length, position);
  const uint32_t slot = r.Tree(model_.slots[LengthClass(length)], 6);
  uint32_t distance = slot;
  if (slot >= 4) {
    const uint32_t bits = (slot >> 1) - 1;
    distance = (2 | (slot & 1)) << bits;
    if (slot < kSlotsDirect) {
      distance += r.TreeReversed(model_.middle_bits + distance - slot, static_cast<int>(bits));
    } else {
      distance += r.Direct(bits - kAlignBits) << kAlignBits;
      distance += r.TreeReversed(model_.low_bits, kAlignBits);
    }
  }
  return {length, distance, 0, 1};
}

void LzmaDecoder::ResetState() {
  model_.Reset();
  state_ = {};
  for (uint32_t& distance : repeats_) distance = 0;
  match_left_ = 0;
  ended_ = false;
}

// The first five bytes: a zero, and the code.
bool LzmaDecoder::Start(const uint8_t** in, const uint8_t* end) {
  while (start_left_ > 0) {
    if (*in == end) return false;
    if (start_left_ == 5) bad_start_ = **in != 0;
    code_ = code_ << 8 | *(*in)++;
    --start_left_;
    range_ = UINT32_MAX;
  }
  return true;
}

LzmaDecoder::Result LzmaDecoder::Next(const uint8_t** in, const uint8_t* end, bool last,
                                      Symbol* symbol) {
  if (carried_ == 0 && static_cast<size_t>(end - *in) >= kMostInput) {
    Reader<false> r(range_, code_, *in, end);
    *symbol = ReadSymbol(r);
    range_ = r.range();
    code_ = r.code();
    *in = r.at();
    return Result::kFull;
  }
  const size_t taken = std::min(kMostInput - carried_, static_cast<size_t>(end - *in));
  if (taken > 0) std::memcpy(carry_ + carried_, *in, taken);
  *in += taken;
  carried_ += taken;
  if (carried_ < kMostInput) {
    Reader<true> dry(range_, code_, carry_, carry_ + carried_);
    ReadSymbol(dry);
    if (dry.lacks()) return last && *in == end ? Result::kError : Result::kMore;
  }
  Reader<false> r(range_, code_, carry_, carry_ + carried_);
  *symbol = ReadSymbol(r);
  range_ = r.range();
  code_ = r.code();
  const size_t used = static_cast<size_t>(r.at() - carry_), left = carried_ - used;
  const size_t back = std::min(left, taken);
  *in -= back;
  carried_ = left - back;
  std::memmove(carry_, carry_ + used, carried_);
  return Result::kFull;
}

// Takes over what a symbol that is no literal says; false: it cannot be.
bool LzmaDecoder::Accept(const Symbol& symbol) {
  if (!history_.Has(symbol.distance)) return false;
  match_left_ = symbol.length;
  if (symbol.kind == 2) {
    state_.ShortRepeat();
    return true;
  }
  int places = 3;
  if (symbol.kind == 1) {
    state_.Match();
  } else {
    state_.Repeat();
    places = symbol.kind - 3;
  }
  for (int i = places; i > 0; --i) repeats_[i] = repeats_[i - 1];
  repeats_[0] = symbol.distance;
  return true;
}

LzmaDecoder::Result LzmaDecoder::Run(const uint8_t** in, const uint8_t* end, bool last,
                                     size_t limit, const uint8_t** made, size_t* made_size) {
  *made_size = 0;
  if (ended_) return Result::kEnd;
  if (!Start(in, end)) return last ? Result::kError : Result::kMore;
  if (bad_start_) return Result::kError;
  const size_t room = history_.Room();
  if (room == 0) return Result::kNoMemory;
  limit = std::min(limit, room);
  *made = history_.here();
  Result result = Result::kFull;
  size_t done = 0;
  while (done < limit) {
    if (match_left_ == 0) {
      Symbol symbol;
      result = Next(in, end, last, &symbol);
      if (result != Result::kFull) break;
      if (symbol.length == 0) {
        state_.Literal();
        *history_.here() = symbol.literal;
        history_.Advance(1);
        ++place_;
        ++done;
        continue;
      }
      if (symbol.kind == 1 && symbol.distance == kEndMarker) {
        ended_ = true;
        result = Result::kEnd;
        break;
      }
      if (!Accept(symbol)) {
        result = Result::kError;
        break;
      }
    }
    const size_t n = std::min<size_t>(match_left_, limit - done);
    history_.Repeat(repeats_[0], n);
    place_ += n;
    done += n;
    match_left_ -= static_cast<uint32_t>(n);
  }
  *made_size = done;
  return result;
}

bool LzmaDecoder::AtEnd(const uint8_t** in, const uint8_t* end, bool* lacking) {
  *lacking = false;
  if (range_ < kTopRange) {
    if (carried_ == 0 && *in == end) {
      *lacking = true;
      return false;
    }
    range_ <<= 8;
    if (carried_ > 0) {
      code_ = code_ << 8 | carry_[0];
      std::memmove(carry_, carry_ + 1, --carried_);
    } else {
      code_ = code_ << 8 | *(*in)++;
    }
  }
  return code_ == 0 && carried_ == 0;
}

}  // namespace minivm::lzma
