// Unpacker: chunks of LZMA2, ends of LZMA1, filters.
#include "stdlib/lzma/unpacker.h"

#include <cstring>

namespace minivm::lzma {

Unpacker::Unpacker(CodecMemory& memory)
    : decoder_(memory),
      filters_{{0, 0, false}, {0, 0, false}, {0, 0, false}},
      held_{zlib::ByteBuffer(memory), zlib::ByteBuffer(memory), zlib::ByteBuffer(memory)},
      ready_(memory) {}

void Unpacker::Begin(const FilterSpec* filters, size_t count, uint64_t size) {
  const FilterSpec& last = filters[count - 1];
  is_lzma1_ = last.id == kFilterLzma1;
  ended_ = false;
  sized_ = size != UINT64_MAX;
  marked_ = false;
  left_ = size;
  head_size_ = 0;
  needs_dictionary_ = needs_properties_ = needs_state_ = true;
  in_chunk_ = false;
  decoder_.history().Reset(last.dictionary);
  decoder_.ResetPlace();
  decoder_.SetProperties(last.properties);
  decoder_.ResetState();
  decoder_.BeginRange();
  filter_count_ = count - 1;
  for (size_t i = 0; i < filter_count_; ++i) {
    filters_[i] = Filter(filters[i].id, filters[i].argument, false);
    held_[i].clear();
  }
  ready_.clear();
  ready_at_ = 0;
}

bool Unpacker::Push(size_t i, const uint8_t* data, size_t n, bool last) {
  if (i == 0) return ready_.Append(data, n);
  zlib::ByteBuffer& held = held_[i - 1];
  if (!held.Append(data, n)) return false;
  size_t done = held.size() > 0 ? filters_[i - 1].Apply(held.data(), held.size()) : 0;
  if (last) done = held.size();
  if (!Push(i - 1, held.data(), done, last)) return false;
  if (done > 0) held.RemoveFront(done);
  return true;
}

Unpacker::Result Unpacker::Run(const uint8_t** in, const uint8_t* end, size_t limit,
                               zlib::ByteBuffer* out) {
  constexpr size_t kPiece = 32 << 10;
  const size_t stop = out->size() + limit;
  for (;;) {
    const size_t room = stop - out->size();
    const size_t n = std::min(room, ready_.size() - ready_at_);
    if (n > 0 && !out->Append(ready_.data() + ready_at_, n)) return Result::kNoMemory;
    ready_at_ += n;
    if (ready_at_ == ready_.size()) {
      ready_.clear();
      ready_at_ = 0;
      if (ended_) return Result::kEnd;
    }
    if (n == room) return Result::kFull;
    const uint8_t* made = nullptr;
    size_t made_size = 0;
    const Result r = Piece(in, end, std::min(room - n, kPiece), &made, &made_size);
    ended_ = r == Result::kEnd;
    const bool kept = filter_count_ > 0 ? Push(filter_count_, made, made_size, ended_)
                                        : out->Append(made, made_size);
    if (!kept) return Result::kNoMemory;
    if (r != Result::kFull && r != Result::kEnd) return r;
  }
}

Unpacker::Result Unpacker::Piece(const uint8_t** in, const uint8_t* end, size_t limit,
                                 const uint8_t** made, size_t* made_size) {
  return is_lzma1_ ? Piece1(in, end, limit, made, made_size)
                   : Piece2(in, end, limit, made, made_size);
}

// ---- LZMA1: to its size, or to its end marker ----

Unpacker::Result Unpacker::Piece1(const uint8_t** in, const uint8_t* end, size_t limit,
                                  const uint8_t** made, size_t* made_size) {
  if (!marked_ && (!sized_ || left_ > 0)) {
    if (sized_) limit = static_cast<size_t>(std::min<uint64_t>(limit, left_));
    const Result r = decoder_.Run(in, end, false, limit, made, made_size);
    left_ -= sized_ ? *made_size : 0;
    if (r == Result::kEnd && sized_ && left_ > 0) return Result::kError;
    if (r != Result::kEnd) return r;
    marked_ = true;
    return Result::kFull;
  }
  if (!marked_ && decoder_.has_match_left()) return Result::kError;
  bool lacking = false;
  // A text of no bytes needs its first ones all the same.
  if (!marked_ && left_ == 0) {
    const Result r = decoder_.Run(in, end, false, 0, made, made_size);
    if (r != Result::kFull) return r;
  }
  if (decoder_.AtEnd(in, end, &lacking)) return Result::kEnd;
  if (lacking) return Result::kMore;
  if (marked_) return Result::kError;
  // What has its size may have an end marker, too.
  const Result r = decoder_.Run(in, end, false, 1, made, made_size);
  if (r == Result::kEnd) {
    marked_ = true;
    return Result::kFull;
  }
  return r == Result::kFull ? Result::kError : r;
}

// ---- LZMA2 ----

Unpacker::Result Unpacker::BeginChunk(const uint8_t** in, const uint8_t* end) {
  auto needed = [&]() -> size_t {
    if (head_size_ == 0) return 1;
    return head_[0] == 0 ? 1 : head_[0] < 0x80 ? 3 : head_[0] < 0xC0 ? 5 : 6;
  };
  while (head_size_ < needed()) {
    if (*in == end) return Result::kMore;
    head_[head_size_++] = *(*in)++;
    if (head_[0] > 2 && head_[0] < 0x80) return Result::kError;
  }
  head_size_ = 0;
  const uint8_t control = head_[0];
  if (control == 0) return Result::kEnd;
  if (control >= 0xE0 || control == 1) {
    decoder_.history().Forget();
    decoder_.ResetPlace();
    needs_dictionary_ = false;
    needs_properties_ = true;
  } else if (needs_dictionary_) {
    return Result::kError;
  }
  plain_ = control < 0x80;
  in_chunk_ = true;
  chunk_left_ = (uint32_t{head_[1]} << 8 | head_[2]) + 1;
  if (plain_) return Result::kFull;
  chunk_left_ += uint32_t{control & 0x1Fu} << 16;
  packed_left_ = (uint32_t{head_[3]} << 8 | head_[4]) + 1;
  if (control >= 0xC0) {
    Properties p;
    if (!p.Parse(head_[5])) return Result::kError;
    decoder_.SetProperties(p);
    needs_properties_ = false;
  } else if (needs_properties_) {
    return Result::kError;
  }
  if (control >= 0xA0) {
    decoder_.ResetState();
    needs_state_ = false;
  } else if (needs_state_) {
    return Result::kError;
  }
  decoder_.BeginRange();
  return Result::kFull;
}

Unpacker::Result Unpacker::PlainPiece(const uint8_t** in, const uint8_t* end, size_t limit,
                                      const uint8_t** made, size_t* made_size) {
  const size_t room = decoder_.history().Room();
  if (room == 0) return Result::kNoMemory;
  const size_t n = std::min({limit, room, size_t{chunk_left_}, static_cast<size_t>(end - *in)});
  if (n == 0) return Result::kMore;
  *made = decoder_.history().here();
  *made_size = n;
  std::memcpy(decoder_.history().here(), *in, n);
  decoder_.history().Advance(n);
  decoder_.CountPlain(n);
  *in += n;
  chunk_left_ -= static_cast<uint32_t>(n);
  in_chunk_ = chunk_left_ > 0;
  return Result::kFull;
}

Unpacker::Result Unpacker::Piece2(const uint8_t** in, const uint8_t* end, size_t limit,
                                  const uint8_t** made, size_t* made_size) {
  if (!in_chunk_) return BeginChunk(in, end);
  if (plain_) return PlainPiece(in, end, limit, made, made_size);
  const bool last = static_cast<size_t>(end - *in) >= packed_left_;
  const uint8_t* const start = *in;
  const uint8_t* const stop = last ? start + packed_left_ : end;
  Result r = Result::kFull;
  if (chunk_left_ > 0) {
    r = decoder_.Run(in, stop, last, std::min<size_t>(limit, chunk_left_), made, made_size);
    chunk_left_ -= static_cast<uint32_t>(*made_size);
    if (r == Result::kEnd) r = Result::kError;
  } else {
    bool lacking = false;
    if (decoder_.has_match_left()) return Result::kError;
    if (decoder_.AtEnd(in, stop, &lacking)) {
      in_chunk_ = false;
    } else {
      r = lacking && !last ? Result::kMore : Result::kError;
    }
  }
  packed_left_ -= static_cast<uint32_t>(*in - start);
  if (!in_chunk_ && packed_left_ > 0) return Result::kError;
  return r;
}

}  // namespace minivm::lzma
