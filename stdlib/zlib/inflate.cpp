// Inflater: headers, the body's way through the decoder, checks at the end.
#include "stdlib/zlib/inflate.h"

#include <algorithm>
#include <new>

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

Inflater::Inflater(CodecMemory& memory, Wrap wrap, int window_bits)
    : memory_(memory),
      wrap_(wrap),
      window_bits_(window_bits),
      state_(wrap == Wrap::kRaw ? State::kBody : State::kHeader),
      carry_(memory) {}

Inflater::~Inflater() {
  if (decoder_) memory_.FreeBuffer(decoder_, sizeof *decoder_);
}

minivm::Inflater* Inflater::Decoder() {
  if (!decoder_) {
    void* p = memory_.AllocateBuffer(sizeof *decoder_);
    if (p) decoder_ = new (p) minivm::Inflater;
  }
  if (!decoder_) result_ = Result::kNoMemory;
  return decoder_;
}

void Inflater::CopyFrom(const Inflater& other, bool* ok) {
  window_bits_ = other.window_bits_;
  state_ = other.state_;
  gzip_ = other.gzip_;
  error_ = other.error_;
  gzip_flags_ = other.gzip_flags_;
  header_crc_ = other.header_crc_;
  skip_ = other.skip_;
  check_ = other.check_;
  total_ = other.total_;
  dictionary_id_ = other.dictionary_id_;
  const std::string_view carry = other.carry_.view();
  *ok = carry_.Append(carry.data(), carry.size());
  if (!*ok || !other.decoder_) return;
  *ok = Decoder() != nullptr;
  if (*ok) *decoder_ = *other.decoder_;
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
  state_ = second & 0x20 ? State::kDictionaryId : State::kBody;
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

// ---- the body ----

bool Inflater::Body() {
  minivm::Inflater* decoder = Decoder();
  if (!decoder) return false;
  if (window_bits_ != 0) decoder->SetReach(size_t{1} << window_bits_);
  const size_t made = out_->size();
  // What there is to read tells how much may come of it. Without room the end of a block may still
  // be read.
  constexpr size_t kLeast = 256, kMost = 1 << 20;
  size_t room = std::clamp(static_cast<size_t>(end_ - at_) * 4, kLeast, kMost);
  room = std::min(std::max(room, out_->room()), limit_ - made);
  if (!out_->Reserve(room)) {
    result_ = Result::kNoMemory;
    return false;
  }
  uint8_t* to = out_->data() + made;
  const minivm::Inflater::State state = decoder->Run(&at_, end_, &to, to + room);
  out_->set_size(static_cast<size_t>(to - out_->data()));
  switch (state) {
    case minivm::Inflater::State::kBad: return Fail(decoder->error());
    case minivm::Inflater::State::kDone: state_ = State::kTrailer; return true;
    default: break;
  }
  if (out_->size() == limit_) {
    result_ = Result::kFull;
    return false;
  }
  if (out_->size() == made + room) return true;  // there may be more
  return !(waiting_ = true);
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
      state_ = State::kBody;
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
    case State::kBody: return Body();
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

void Inflater::SetDictionary(std::string_view data) {
  if (minivm::Inflater* decoder = Decoder()) {
    decoder->SetDictionary(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  }
  if (state_ == State::kWaitDictionary) state_ = State::kBody;
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
    const bool streaming = state == State::kBody || state == State::kGzipExtra ||
                           state == State::kGzipName || state == State::kGzipComment;
    if (Step()) continue;
    if (waiting_ && !streaming) at_ = unit;
    break;
  }
  UpdateCheck();
  total_ += out_->size() - out_start_;
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
