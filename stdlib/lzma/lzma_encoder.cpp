// LzmaEncoder: bits, symbols, choices, chunks.
#include "stdlib/lzma/lzma_encoder.h"

#include <algorithm>

namespace minivm::lzma {

namespace {

constexpr uint32_t kMostChunk = 1u << 21, kMostPacked = 1u << 16;
constexpr uint32_t kLookAhead = kMaxMatch + 8;
constexpr int kRepeatBonus = 8;  // a repeated distance costs no more than a few bits

}  // namespace

// ---- bits ----

void RangeEncoder::Reset() {
  out_.clear();
  low_ = 0;
  range_ = UINT32_MAX;
  delayed_ = 1;
  first_ = 0;
}

void RangeEncoder::ShiftLow() {
  const uint8_t carry = static_cast<uint8_t>(low_ >> 32);
  if (carry || static_cast<uint32_t>(low_) < 0xFF000000) {
    uint8_t* to = out_.data() + out_.size();
    *to++ = static_cast<uint8_t>(first_ + carry);
    for (size_t i = 1; i < delayed_; ++i) *to++ = static_cast<uint8_t>(0xFF + carry);
    out_.set_size(out_.size() + delayed_);
    delayed_ = 0;
    first_ = static_cast<uint8_t>(low_ >> 24);
  }
  ++delayed_;
  low_ = (low_ & 0xFFFFFF) << 8;
}

void RangeEncoder::Bit(Probability& p, uint32_t bit) {
  const uint32_t bound = (range_ >> kProbabilityBits) * p;
  if (bit) {
    low_ += bound;
    range_ -= bound;
    p = static_cast<Probability>(p - (p >> kAdaptShift));
  } else {
    range_ = bound;
    p = static_cast<Probability>(p + (((1 << kProbabilityBits) - p) >> kAdaptShift));
  }
  while (range_ < kTopRange) {
    range_ <<= 8;
    ShiftLow();
  }
}

void RangeEncoder::Direct(uint32_t value, uint32_t bits) {
  while (bits-- > 0) {
    range_ >>= 1;
    if (value >> bits & 1) low_ += range_;
    while (range_ < kTopRange) {
      range_ <<= 8;
      ShiftLow();
    }
  }
}

void RangeEncoder::Tree(Probability* p, int bits, uint32_t value) {
  uint32_t node = 1;
  while (bits-- > 0) {
    const uint32_t bit = value >> bits & 1;
    Bit(p[node], bit);
    node = node << 1 | bit;
  }
}

void RangeEncoder::TreeReversed(Probability* p, int bits, uint32_t value) {
  uint32_t node = 1;
  for (int i = 0; i < bits; ++i) {
    const uint32_t bit = value >> i & 1;
    Bit(p[node], bit);
    node = node << 1 | bit;
  }
}

void RangeEncoder::Flush() {
  for (int i = 0; i < 5; ++i) ShiftLow();
}

// ---- symbols ----

LzmaEncoder::LzmaEncoder(CodecMemory& memory, const FilterSpec& spec, bool* ok)
    : is_lzma2_(spec.id == kFilterLzma2),
      lazy_(spec.lazy),
      nice_(spec.nice),
      properties_(spec.properties),
      finder_(memory, spec, ok),
      coder_(memory) {
  ResetState();
}

void LzmaEncoder::ResetState() {
  model_.Reset();
  state_ = {};
  for (uint32_t& distance : repeats_) distance = 0;
  coder_.Reset();
}

void LzmaEncoder::Length(LengthModel& m, uint32_t length, uint32_t position) {
  const uint32_t value = length - kMinMatch;
  coder_.Bit(m.choice[0], value >= 8);
  if (value < 8) return coder_.Tree(m.low[position], 3, value);
  coder_.Bit(m.choice[1], value >= 16);
  if (value < 16) return coder_.Tree(m.middle[position], 3, value - 8);
  coder_.Tree(m.high, 8, value - 16);
}

void LzmaEncoder::Literal() {
  const uint8_t* p = finder_.here();
  coder_.Bit(model_.is_match[state_.value()][position()], 0);
  const uint8_t before = finder_.behind() > 0 ? p[-1] : 0;
  Probability* table = model_.LiteralsAt(properties_, place_, before);
  uint32_t node = 1;
  if (state_.after_literal()) {
    coder_.Tree(table, 8, *p);
  } else {
    uint32_t expected = *(p - repeats_[0] - 1), part = 0x100, symbol = *p;
    while (node < 0x100) {
      expected <<= 1;
      const uint32_t same = expected & part, bit = symbol >> 7 & 1;
      symbol <<= 1;
      coder_.Bit(table[part + same + node], bit);
      node = node << 1 | bit;
      part &= bit ? same : ~same;
    }
  }
  state_.Literal();
}

void LzmaEncoder::CodeMatch(uint32_t length, uint32_t distance) {
  coder_.Bit(model_.is_match[state_.value()][position()], 1);
  coder_.Bit(model_.is_repeat[state_.value()], 0);
  state_.Match();
  Length(model_.match_length, length, position());
  uint32_t slot = distance;
  uint32_t bits = 0;
  if (distance >= 4) {
    bits = 30u - static_cast<uint32_t>(__builtin_clz(distance));
    slot = 2 * (bits + 1) + (distance >> bits & 1);
  }
  coder_.Tree(model_.slots[LengthClass(length)], 6, slot);
  if (slot >= 4) {
    const uint32_t base = (2 | (slot & 1)) << bits;
    if (slot < kSlotsDirect) {
      coder_.TreeReversed(model_.middle_bits + base - slot, static_cast<int>(bits),
                          distance - base);
    } else {
      coder_.Direct((distance - base) >> kAlignBits, bits - kAlignBits);
      coder_.TreeReversed(model_.low_bits, kAlignBits, distance & ((1u << kAlignBits) - 1));
    }
  }
  std::copy_backward(repeats_, repeats_ + 3, repeats_ + 4);
  repeats_[0] = distance;
}

void LzmaEncoder::CodeRepeat(uint32_t length, int which) {
  const int state = state_.value();
  coder_.Bit(model_.is_match[state][position()], 1);
  coder_.Bit(model_.is_repeat[state], 1);
  coder_.Bit(model_.is_other_repeat[state], which > 0);
  if (which == 0) {
    coder_.Bit(model_.is_long[state][position()], length > 1);
  } else {
    coder_.Bit(model_.is_third_repeat[state], which > 1);
    if (which > 1) coder_.Bit(model_.is_fourth_repeat[state], which > 2);
    std::rotate(repeats_, repeats_ + which, repeats_ + which + 1);
  }
  if (length == 1) return state_.ShortRepeat();
  state_.Repeat();
  Length(model_.repeat_length, length, position());
}

// ---- choices ----

LzmaEncoder::Match LzmaEncoder::FindRepeat(int* which) {
  Match best;
  for (int i = 0; i < 4; ++i) {
    const uint32_t n = finder_.LengthAt(repeats_[i]);
    if (n >= kMinMatch && n > best.length) {
      best = {n, repeats_[i], MatchFinder::GainOf(n, 0) + kRepeatBonus - 2 * i};
      *which = i;
    }
  }
  return best;
}

// Codes one or two symbols.
bool LzmaEncoder::CodeNext() {
  if (!coder_.Reserve(2)) return false;
  auto advance = [&](uint32_t n) {
    place_ += n;
    chunk_ += n;
  };
  const Match found = has_held_ ? held_ : finder_.Find();
  has_held_ = false;
  int which = 0;
  const Match repeat = FindRepeat(&which);
  if (repeat.length > 0 && repeat.gain >= found.gain) {
    CodeRepeat(repeat.length, which);
    finder_.Skip(repeat.length);
    advance(repeat.length);
    return true;
  }
  bool literal = found.length == 0;
  uint32_t entered = 0;
  if (!literal && lazy_ && found.length < nice_ && finder_.ahead() > found.length) {
    finder_.Skip(1);
    entered = 1;
    held_ = finder_.Find();
    int next_which;
    const Match next_repeat = FindRepeat(&next_which);
    // A literal in between costs some bits, too.
    literal = std::max(held_.gain, next_repeat.gain) > found.gain + 4;
  }
  if (!literal) {
    CodeMatch(found.length, found.distance);
    finder_.Skip(found.length - entered);
    advance(found.length);
    return true;
  }
  if (entered) finder_.StepBack();
  if (finder_.behind() > repeats_[0] && *finder_.here() == *(finder_.here() - repeats_[0] - 1)) {
    CodeRepeat(1, 0);
  } else {
    Literal();
  }
  if (entered) {
    finder_.StepOver();
    has_held_ = true;
  } else {
    finder_.Skip(1);
  }
  advance(1);
  return true;
}

// ---- the whole ----

bool LzmaEncoder::ChunkIsFull() const {
  return is_lzma2_ && (chunk_ + kMaxMatch > kMostChunk || coder_.size() + 64 > kMostPacked);
}

bool LzmaEncoder::Work(size_t most, bool finish, bool* more, zlib::ByteBuffer* out) {
  const uint32_t keep = finish ? 0 : kLookAhead;
  const uint64_t stop = place_ + most;
  while (finder_.ahead() > keep && place_ < stop) {
    if (!CodeNext()) return false;
    if (ChunkIsFull() && !EndChunk(out)) return false;
  }
  *more = finder_.ahead() > keep;
  if (is_lzma2_) return true;
  zlib::ByteBuffer& made = coder_.output();
  if (!out->Append(made.data(), made.size())) return false;
  made.clear();
  return true;
}

bool LzmaEncoder::Finish(zlib::ByteBuffer* out) {
  if (is_lzma2_) {
    const uint8_t end = 0;
    return (chunk_ == 0 || EndChunk(out)) && out->Append(&end, 1);
  }
  if (!coder_.Reserve(2)) return false;
  CodeMatch(kMinMatch, kEndMarker);
  coder_.Flush();
  return out->Append(coder_.output().data(), coder_.output().size());
}

// Writes the open chunk, coded or, if that is shorter, as it is.
bool LzmaEncoder::EndChunk(zlib::ByteBuffer* out) {
  if (!coder_.Reserve(1)) return false;
  coder_.Flush();
  const zlib::ByteBuffer& packed = coder_.output();
  const uint32_t size = chunk_ - 1, packed_size = static_cast<uint32_t>(packed.size()) - 1;
  if (packed.size() >= chunk_) {
    if (!PlainChunks(out)) return false;
    needs_state_ = true;
    ResetState();
  } else {
    const uint32_t resets = needs_dictionary_ ? 3 : needs_properties_ ? 2 : needs_state_ ? 1 : 0;
    const uint8_t head[6] = {static_cast<uint8_t>(0x80 | resets << 5 | size >> 16),
                             static_cast<uint8_t>(size >> 8),
                             static_cast<uint8_t>(size),
                             static_cast<uint8_t>(packed_size >> 8),
                             static_cast<uint8_t>(packed_size),
                             properties_.byte()};
    if (!out->Append(head, resets >= 2 ? 6 : 5) ||
        !out->Append(const_cast<zlib::ByteBuffer&>(packed).data(), packed.size())) {
      return false;
    }
    needs_dictionary_ = needs_properties_ = needs_state_ = false;
    coder_.Reset();
  }
  chunk_ = 0;
  return true;
}

bool LzmaEncoder::PlainChunks(zlib::ByteBuffer* out) {
  const uint8_t* p = finder_.here() - chunk_;  // what is not shorter coded is not long
  while (chunk_ > 0) {
    const uint32_t n = std::min(chunk_, kMostPacked);
    const uint8_t head[3] = {static_cast<uint8_t>(needs_dictionary_ ? 1 : 2),
                             static_cast<uint8_t>((n - 1) >> 8), static_cast<uint8_t>(n - 1)};
    if (!out->Append(head, 3) || !out->Append(p, n)) return false;
    needs_dictionary_ = false;
    p += n;
    chunk_ -= n;
  }
  return true;
}

}  // namespace minivm::lzma
