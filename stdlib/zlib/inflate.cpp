// Inflater: wrappers, blocks, codes.
#include "stdlib/zlib/inflate.h"

#include "stdlib/checksums.h"

namespace minivm::zlib {

bool ParseWindowBits(int64_t wbits, Wrap* wrap, int* bits) {
  if (wbits < 0) {
    *wrap = Wrap::kRaw;
    *bits = static_cast<int>(wbits < -15 ? 99 : -wbits);
  } else if (wbits < 16) {
    *wrap = Wrap::kZlib;
    *bits = static_cast<int>(wbits);
  } else if (wbits < 32) {
    *wrap = Wrap::kGzip;
    *bits = static_cast<int>(wbits) - 16;
  } else {
    *wrap = Wrap::kAuto;
    *bits = wbits < 48 ? static_cast<int>(wbits) - 32 : 99;
  }
  return *bits <= 15 && (*bits >= 8 || (*bits == 0 && *wrap != Wrap::kRaw));
}

Inflater::Inflater(Heap& heap, Wrap wrap, int window_bits)
    : heap_(heap),
      wrap_(wrap),
      window_bits_(window_bits),
      state_(wrap == Wrap::kRaw ? State::kBlock : State::kHeader),
      carry_(heap),
      window_(heap) {}

void Inflater::CopyFrom(const Inflater& other, bool* ok) {
  window_bits_ = other.window_bits_;
  state_ = other.state_;
  gzip_ = other.gzip_;
  last_block_ = other.last_block_;
  error_ = other.error_;
  gzip_flags_ = other.gzip_flags_;
  header_crc_ = other.header_crc_;
  skip_ = other.skip_;
  stored_ = other.stored_;
  distance_ = other.distance_;
  length_ = other.length_;
  check_ = other.check_;
  total_ = other.total_;
  dictionary_id_ = other.dictionary_id_;
  bits_ = other.bits_;
  have_ = other.have_;
  literals_ = other.literals_;
  distances_ = other.distances_;
  const std::string_view carry = other.carry_.view(), window = other.window_.view();
  *ok = carry_.Append(carry.data(), carry.size()) && window_.Append(window.data(), window.size());
}

// ---- bits ----

void Inflater::Refill() {
  while (have_ <= 56 && at_ != end_) {
    bits_ |= uint64_t{*at_++} << have_;
    have_ += 8;
  }
}

bool Inflater::NeedBits(int n) {
  if (have_ < n) Refill();
  if (have_ >= n) return true;
  waiting_ = true;
  return false;
}

uint32_t Inflater::TakeBits(int n) {
  const uint32_t v = static_cast<uint32_t>(bits_ & ((uint64_t{1} << n) - 1));
  bits_ >>= n;
  have_ -= n;
  return v;
}

// Whole bytes that were taken too early go back.
void Inflater::Unread() {
  at_ -= have_ / 8;
  have_ %= 8;
  bits_ &= (uint64_t{1} << have_) - 1;
}

bool Inflater::Fail(const char* text) {
  state_ = State::kFailed;
  error_ = text;
  result_ = Result::kError;
  return false;
}

// ---- wrappers ----

bool Inflater::Header() {
  if (!NeedBytes(2)) return !(waiting_ = true);
  const uint32_t first = at_[0], second = at_[1];
  if ((wrap_ == Wrap::kGzip || wrap_ == Wrap::kAuto) && first == 0x1F && second == 0x8B) {
    return GzipHeader();
  }
  if (wrap_ == Wrap::kGzip || (first << 8 | second) % 31 != 0) {
    return Fail("incorrect header check");
  }
  if ((first & 15) != 8) return Fail("unknown compression method");
  const int bits = static_cast<int>(first >> 4) + 8;
  if (window_bits_ == 0) window_bits_ = bits;
  if (bits > 15 || bits > window_bits_) return Fail("invalid window size");
  at_ += 2;
  check_ = 1;
  state_ = second & 0x20 ? State::kDictionaryId : State::kBlock;
  return true;
}

void Inflater::CountHeader(const uint8_t* p, size_t n) {
  if (gzip_flags_ & 2) header_crc_ = Crc32(header_crc_, p, n);
}

bool Inflater::GzipHeader() {
  if (!NeedBytes(10)) return !(waiting_ = true);
  if (at_[2] != 8) return Fail("unknown compression method");
  if (at_[3] & 0xE0) return Fail("unknown header flags set");
  gzip_ = true;
  gzip_flags_ = at_[3];
  CountHeader(at_, 10);
  at_ += 10;
  if (window_bits_ == 0) window_bits_ = 15;
  state_ = State::kGzipExtraSize;
  return true;
}

// Over a text that ends with NUL.
bool Inflater::SkipText(State next) {
  const size_t n = static_cast<size_t>(end_ - at_);
  const void* nul = n ? std::memchr(at_, 0, n) : nullptr;
  const size_t skipped = nul ? static_cast<size_t>(static_cast<const uint8_t*>(nul) - at_) + 1 : n;
  CountHeader(at_, skipped);
  at_ += skipped;
  if (!nul) return !(waiting_ = true);
  state_ = next;
  return true;
}

bool Inflater::Trailer() {
  Unread();
  bits_ = 0;
  have_ = 0;
  if (wrap_ == Wrap::kRaw) {
    state_ = State::kDone;
    return true;
  }
  if (!NeedBytes(4)) return !(waiting_ = true);
  UpdateCheck();
  uint32_t stated;
  std::memcpy(&stated, at_, 4);
  if (!gzip_) stated = __builtin_bswap32(stated);
  if (stated != check_) return Fail("incorrect data check");
  at_ += 4;
  state_ = gzip_ ? State::kGzipSize : State::kDone;
  return true;
}

// ---- blocks ----

bool Inflater::BlockHeader() {
  if (last_block_) {
    state_ = State::kTrailer;
    return true;
  }
  if (!NeedBits(3)) return false;
  const uint32_t head = static_cast<uint32_t>(bits_ & 7);
  const bool last = head & 1;
  switch (head >> 1) {
    case 0: {
      const int padding = (have_ - 3) & 7;
      if (!NeedBits(3 + padding + 32)) return false;
      TakeBits(3 + padding);
      const uint32_t size = TakeBits(16), inverse = TakeBits(16);
      if (size != (inverse ^ 0xFFFF)) return Fail("invalid stored block lengths");
      Unread();
      stored_ = size;
      state_ = State::kStored;
      break;
    }
    case 1: {
      TakeBits(3);
      uint8_t lengths[kLiteralSymbols];
      for (int i = 0; i < kLiteralSymbols; ++i) lengths[i] = FixedLiteralBits(i);
      literals_.Build(lengths, kLiteralSymbols);
      std::fill(lengths, lengths + kDistanceSymbols, uint8_t{5});
      distances_.Build(lengths, kDistanceSymbols);
      state_ = State::kCodes;
      break;
    }
    case 2:
      TakeBits(3);
      if (!ReadTables()) return false;
      state_ = State::kCodes;
      break;
    default: return Fail("invalid block type");
  }
  last_block_ = last;
  return true;
}

bool Inflater::ReadTables() {
  if (!NeedBits(14)) return false;
  const int literals = static_cast<int>(TakeBits(5)) + 257;
  const int distances = static_cast<int>(TakeBits(5)) + 1;
  const int codes = static_cast<int>(TakeBits(4)) + 4;
  if (literals > 286 || distances > 30) return Fail("too many length or distance symbols");
  uint8_t lengths[kLiteralSymbols + kDistanceSymbols] = {};
  for (int i = 0; i < codes; ++i) {
    if (!NeedBits(3)) return false;
    lengths[kLengthOrder[static_cast<size_t>(i)]] = static_cast<uint8_t>(TakeBits(3));
  }
  Decoder& code = literals_;  // made anew below
  if (code.Build(lengths, kLengthSymbols) != Decoder::Shape::kComplete) {
    return Fail("invalid code lengths set");
  }
  std::fill(lengths, lengths + kLengthSymbols, uint8_t{0});
  for (int i = 0; i < literals + distances;) {
    int used = 0;
    Refill();
    const int symbol = code.Decode(bits_, have_, &used);
    if (symbol == -1) return !(waiting_ = true);
    if (symbol < 0) return Fail("invalid code lengths set");
    const int extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (!NeedBits(used + extra)) return false;
    TakeBits(used);
    if (symbol < 16) {
      lengths[i++] = static_cast<uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && i == 0) return Fail("invalid bit length repeat");
    const uint8_t value = symbol == 16 ? lengths[i - 1] : uint8_t{0};
    const int repeat = static_cast<int>(TakeBits(extra)) + (symbol == 18 ? 11 : 3);
    if (i + repeat > literals + distances) return Fail("invalid bit length repeat");
    std::fill(lengths + i, lengths + i + repeat, value);
    i += repeat;
  }
  if (lengths[kEndOfBlock] == 0) return Fail("invalid code -- missing end-of-block");
  // One code of one bit may stand alone.
  auto usable = [](Decoder& d, const uint8_t* l, int n) {
    const Decoder::Shape shape = d.Build(l, n);
    if (shape != Decoder::Shape::kIncomplete) return shape == Decoder::Shape::kComplete;
    int codes_used = 0, bits = 0;
    for (int i = 0; i < n; ++i) {
      codes_used += l[i] != 0;
      bits += l[i];
    }
    return codes_used == 0 || (codes_used == 1 && bits == 1);
  };
  if (!usable(literals_, lengths, literals)) return Fail("invalid literal/lengths set");
  if (!usable(distances_, lengths + literals, distances)) return Fail("invalid distances set");
  return true;
}

bool Inflater::CopyStored() {
  const size_t n = std::min(
      {static_cast<size_t>(stored_), static_cast<size_t>(end_ - at_), limit_ - out_->size()});
  if (!out_->Append(at_, n)) {
    result_ = Result::kNoMemory;
    return false;
  }
  at_ += n;
  stored_ -= static_cast<uint32_t>(n);
  if (stored_ == 0) {
    state_ = State::kBlock;
    return true;
  }
  if (at_ == end_) return !(waiting_ = true);
  result_ = Result::kFull;
  return false;
}

// As much of the match as there is room for.
bool Inflater::CopyMatch() {
  const size_t distance = distance_;
  size_t length = std::min<size_t>(length_, limit_ - out_->size());
  length_ -= static_cast<uint32_t>(length);
  const size_t made = out_->size() - out_start_;
  if (distance > made + window_.size() || distance > size_t{1} << window_bits_) {
    return Fail("invalid distance too far back");
  }
  if (!out_->Reserve(length)) {
    result_ = Result::kNoMemory;
    return false;
  }
  uint8_t* to = out_->data() + out_->size();
  out_->set_size(out_->size() + length);
  if (distance > made) {  // begins in what earlier calls made
    const size_t back = distance - made;
    const size_t n = std::min(back, length);
    std::memcpy(to, window_.data() + window_.size() - back, n);
    to += n;
    length -= n;
  }
  const uint8_t* from = to - distance;
  if (distance >= length) {
    std::memcpy(to, from, length);
  } else {
    for (size_t i = 0; i < length; ++i) to[i] = from[i];
  }
  return true;
}

// Symbols until the block ends, the input does, or the output is full.
bool Inflater::Codes() {
  for (;;) {
    if (length_ > 0 && !CopyMatch()) return false;
    if (out_->size() >= limit_) {
      if (length_ > 0) {
        result_ = Result::kFull;
        return false;
      }
      // The end of the block costs no room.
      Refill();
      int used = 0;
      if (literals_.Decode(bits_, have_, &used) == kEndOfBlock) {
        TakeBits(used);
        state_ = State::kBlock;
        return true;
      }
      result_ = Result::kFull;
      return false;
    }
    Refill();
    int used = 0;
    const int symbol = literals_.Decode(bits_, have_, &used);
    if (symbol < 0) return symbol == -1 ? !(waiting_ = true) : Fail("invalid literal/length code");
    if (symbol < kEndOfBlock) {
      if (out_->room() == 0 && !out_->Reserve(1)) {
        result_ = Result::kNoMemory;
        return false;
      }
      TakeBits(used);
      out_->data()[out_->size()] = static_cast<uint8_t>(symbol);
      out_->set_size(out_->size() + 1);
      continue;
    }
    if (symbol == kEndOfBlock) {
      TakeBits(used);
      state_ = State::kBlock;
      return true;
    }
    const size_t index = static_cast<size_t>(symbol - 257);
    if (index >= kLengthBase.size()) return Fail("invalid literal/length code");
    // At most 48 bits, of which there are 57 unless the input ends: nothing is taken before all is
    // there.
    const int length_extra = kLengthExtra[index];
    if (have_ < used + length_extra) return !(waiting_ = true);
    uint64_t rest = bits_ >> used;
    const size_t length = kLengthBase[index] + (rest & ((1u << length_extra) - 1));
    rest >>= length_extra;
    int total = used + length_extra;
    const int place = distances_.Decode(rest, have_ - total, &used);
    if (place < 0) return place == -1 ? !(waiting_ = true) : Fail("invalid distance code");
    if (static_cast<size_t>(place) >= kDistanceBase.size()) return Fail("invalid distance code");
    const int distance_extra = kDistanceExtra[static_cast<size_t>(place)];
    total += used + distance_extra;
    if (have_ < total) return !(waiting_ = true);
    rest >>= used;
    distance_ = static_cast<uint32_t>(kDistanceBase[static_cast<size_t>(place)] +
                                      (rest & ((1u << distance_extra) - 1)));
    length_ = static_cast<uint32_t>(length);
    TakeBits(total);
  }
}

// ---- the whole ----

bool Inflater::Step() {
  switch (state_) {
    case State::kHeader: return Header();
    case State::kGzipFlags:
    case State::kGzipExtraSize:
      if (gzip_flags_ & 4) {
        if (!NeedBytes(2)) return !(waiting_ = true);
        skip_ = at_[0] | static_cast<uint32_t>(at_[1]) << 8;
        CountHeader(at_, 2);
        at_ += 2;
      }
      state_ = State::kGzipExtra;
      return true;
    case State::kGzipExtra: {
      const size_t n = std::min<size_t>(skip_, static_cast<size_t>(end_ - at_));
      CountHeader(at_, n);
      at_ += n;
      skip_ -= static_cast<uint32_t>(n);
      if (skip_) return !(waiting_ = true);
      state_ = State::kGzipName;
      return true;
    }
    case State::kGzipName:
      if (gzip_flags_ & 8) return SkipText(State::kGzipComment);
      state_ = State::kGzipComment;
      return true;
    case State::kGzipComment:
      if (gzip_flags_ & 16) return SkipText(State::kGzipHeaderCrc);
      state_ = State::kGzipHeaderCrc;
      return true;
    case State::kGzipHeaderCrc:
      if (gzip_flags_ & 2) {
        if (!NeedBytes(2)) return !(waiting_ = true);
        if ((at_[0] | at_[1] << 8) != static_cast<int>(header_crc_ & 0xFFFF)) {
          return Fail("header crc mismatch");
        }
        at_ += 2;
      }
      state_ = State::kBlock;
      return true;
    case State::kDictionaryId: {
      if (!NeedBytes(4)) return !(waiting_ = true);
      std::memcpy(&dictionary_id_, at_, 4);
      dictionary_id_ = __builtin_bswap32(dictionary_id_);
      at_ += 4;
      state_ = State::kWaitDictionary;
      return true;
    }
    case State::kWaitDictionary: result_ = Result::kNeedDict; return false;
    case State::kBlock: return BlockHeader();
    case State::kStored: return CopyStored();
    case State::kCodes: return Codes();
    case State::kTrailer: return Trailer();
    case State::kGzipSize: {
      if (!NeedBytes(4)) return !(waiting_ = true);
      uint32_t size;
      std::memcpy(&size, at_, 4);
      if (size != static_cast<uint32_t>(total_ + (out_->size() - out_start_))) {
        return Fail("incorrect length check");
      }
      at_ += 4;
      state_ = State::kDone;
      return true;
    }
    case State::kDone: result_ = Result::kEnd; return false;
    default: result_ = Result::kError; return false;
  }
}

void Inflater::UpdateCheck() {
  const uint8_t* p = out_->data() + checked_;
  const size_t n = out_->size() - checked_;
  if (n && wrap_ != Wrap::kRaw) check_ = gzip_ ? Crc32(check_, p, n) : Adler32(check_, p, n);
  checked_ = out_->size();
}

void Inflater::UpdateWindow() {
  const size_t made = out_->size() - out_start_;
  total_ += made;
  if (made == 0 || state_ == State::kDone) return;
  const size_t n = std::min(made, kWindow);
  if (window_.size() + n > kWindow) window_.RemoveFront(window_.size() + n - kWindow);
  if (!window_.Append(out_->data() + out_->size() - n, n)) result_ = Result::kNoMemory;
}

void Inflater::SetDictionary(std::string_view data) {
  if (data.size() > kWindow) data.remove_prefix(data.size() - kWindow);
  window_.clear();
  if (!window_.Append(data.data(), data.size())) result_ = Result::kNoMemory;
  if (state_ == State::kWaitDictionary) state_ = State::kBlock;
}

Inflater::Result Inflater::Run(std::string_view input, size_t limit, ByteBuffer* out,
                               size_t* used) {
  const size_t carried = carry_.size();
  const uint8_t* start = reinterpret_cast<const uint8_t*>(input.data());
  *used = 0;
  if (carried) {
    if (!carry_.Append(input.data(), input.size())) return Result::kNoMemory;
    start = carry_.data();
  }
  const size_t size = carried + input.size();
  at_ = start;
  end_ = start + size;
  out_ = out;
  out_start_ = checked_ = out->size();
  limit_ = out->size() + limit;
  waiting_ = false;
  result_ = Result::kMore;
  for (;;) {
    // Where the unit begins, in case it is incomplete.
    const State state = state_;
    const uint8_t* unit = at_;
    const uint64_t bits = bits_;
    const int have = have_;
    const bool streaming = state == State::kCodes || state == State::kStored ||
                           state == State::kGzipExtra || state == State::kGzipName ||
                           state == State::kGzipComment;
    if (Step()) continue;
    if (waiting_ && !streaming) {
      at_ = unit;
      bits_ = bits;
      have_ = have;
    }
    break;
  }
  if (state_ != State::kFailed) Unread();
  UpdateCheck();
  UpdateWindow();
  if (result_ == Result::kNoMemory) return result_;
  if (waiting_) {
    // The rest is kept, and counts as used.
    const std::string_view rest(reinterpret_cast<const char*>(at_),
                                static_cast<size_t>(end_ - at_));
    if (carried) {
      carry_.RemoveFront(static_cast<size_t>(at_ - start));
    } else if (!carry_.Append(rest.data(), rest.size())) {
      return Result::kNoMemory;
    }
    *used = input.size();
    return Result::kMore;
  }
  const size_t done = static_cast<size_t>(at_ - start);
  *used = done > carried ? done - carried : 0;
  if (carried) {
    if (done >= carried) {
      carry_.clear();
    } else {  // not all of what was kept is used up
      carry_.set_size(carried);
      carry_.RemoveFront(done);
    }
  }
  return result_;
}

}  // namespace minivm::zlib
