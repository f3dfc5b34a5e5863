// Deflater: window, matches, flushing.
#include "stdlib/zlib/deflate.h"

#include "stdlib/checksums.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace minivm::zlib {

Deflater::Deflater(CodecMemory& memory, int level, Wrap wrap, int window_bits, int memory_level,
                   int strategy, bool* ok, size_t text_size)
    : memory_(memory),
      out_(memory),
      writer_(&out_),
      wrap_(wrap),
      level_(level < 0 ? 6 : level),
      window_bits_(std::max(window_bits, 9)),
      strategy_(strategy),
      effort_(kEfforts[level_]),
      window_size_(1u << window_bits_),
      window_mask_(window_size_ - 1),
      hash_bits_(memory_level + 7),
      symbol_capacity_(1u << (memory_level + 6)),
      stored_(memory) {
  check_ = wrap == Wrap::kZlib ? 1 : 0;
  // All of a short text can be referred to in a smaller window as well.
  while (window_size_ > 512 && text_size <= window_size_ / 2 - kLookahead) window_size_ /= 2;
  window_mask_ = window_size_ - 1;
  if (text_size <= 8192) hash_bits_ = std::min(hash_bits_, 12);
  // Places are 16 bits wide; matches are compared some bytes beyond the data.
  window_ = static_cast<uint8_t*>(memory.AllocateBuffer(2 * window_size_ + kLookahead));
  previous_ = static_cast<uint16_t*>(memory.AllocateBuffer(window_size_ * 2));
  head_ = static_cast<uint16_t*>(memory.AllocateBuffer((size_t{1} << hash_bits_) * 2));
  symbols_ = static_cast<uint32_t*>(memory.AllocateBuffer(size_t{symbol_capacity_} * 4));
  *ok = window_ && previous_ && head_ && symbols_;
  if (!*ok) return;
  std::memset(head_, 0, (size_t{1} << hash_bits_) * 2);  // leads to nothing that is not written yet
}

Deflater::~Deflater() {
  if (window_) memory_.FreeBuffer(window_, 2 * window_size_ + kLookahead);
  if (previous_) memory_.FreeBuffer(previous_, window_size_ * 2);
  if (head_) memory_.FreeBuffer(head_, (size_t{1} << hash_bits_) * 2);
  if (symbols_) memory_.FreeBuffer(symbols_, size_t{symbol_capacity_} * 4);
}

void Deflater::CopyFrom(const Deflater& other, bool* ok) {
  std::memcpy(window_, other.window_, 2 * window_size_ + kLookahead);
  std::memcpy(previous_, other.previous_, window_size_ * 2);
  std::memcpy(head_, other.head_, (size_t{1} << hash_bits_) * 2);
  std::memcpy(symbols_, other.symbols_, size_t{symbol_capacity_} * 4);
  symbol_count_ = other.symbol_count_;
  std::copy(std::begin(other.literal_count_), std::end(other.literal_count_), literal_count_);
  std::copy(std::begin(other.distance_count_), std::end(other.distance_count_), distance_count_);
  writer_.bits_ = other.writer_.bits_;
  writer_.have_ = other.writer_.have_;
  at_ = other.at_;
  ahead_ = other.ahead_;
  block_start_ = other.block_start_;
  match_ = other.match_;
  held_ = other.held_;
  held_length_ = other.held_length_;
  held_match_ = other.held_match_;
  header_written_ = other.header_written_;
  finished_ = other.finished_;
  last_flush_ = other.last_flush_;
  has_dictionary_ = other.has_dictionary_;
  dictionary_id_ = other.dictionary_id_;
  check_ = other.check_;
  total_ = other.total_;
  const std::string_view out = other.out_.view(), stored = other.stored_.view();
  *ok = out_.Append(out.data(), out.size()) && stored_.Append(stored.data(), stored.size());
}

// ---- wrappers ----

bool Deflater::WriteHeader() {
  header_written_ = true;
  if (wrap_ == Wrap::kRaw) return true;
  if (wrap_ == Wrap::kGzip) {
    const uint8_t speed = level_ == 9 ? 2 : strategy_ >= kHuffmanOnly || level_ < 2 ? 4 : 0;
    const uint8_t header[10] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, speed, 3};
    return out_.Append(header, 10);
  }
  const uint32_t speed = strategy_ >= kHuffmanOnly || level_ < 2 ? 0
                         : level_ < 6                            ? 1
                         : level_ == 6                           ? 2
                                                                 : 3;
  uint32_t header = (8u + (static_cast<uint32_t>(window_bits_ - 8) << 4)) << 8 | speed << 6 |
                    (has_dictionary_ ? 0x20 : 0);
  header += 31 - header % 31;
  const uint8_t bytes[6] = {
      static_cast<uint8_t>(header >> 8),          static_cast<uint8_t>(header),
      static_cast<uint8_t>(dictionary_id_ >> 24), static_cast<uint8_t>(dictionary_id_ >> 16),
      static_cast<uint8_t>(dictionary_id_ >> 8),  static_cast<uint8_t>(dictionary_id_)};
  return out_.Append(bytes, has_dictionary_ ? 6 : 2);
}

bool Deflater::WriteTrailer() {
  if (wrap_ == Wrap::kRaw) return true;
  if (wrap_ == Wrap::kZlib) {
    const uint32_t check = __builtin_bswap32(check_);
    return out_.Append(&check, 4);
  }
  const uint32_t size = static_cast<uint32_t>(total_);
  return out_.Append(&check_, 4) && out_.Append(&size, 4);
}

void Deflater::Count(const uint8_t* p, size_t n) {
  if (wrap_ == Wrap::kZlib) check_ = Adler32(check_, p, n);
  if (wrap_ == Wrap::kGzip) check_ = Crc32(check_, p, n);
  total_ += n;
}

bool Deflater::SetDictionary(std::string_view data) {
  has_dictionary_ = wrap_ == Wrap::kZlib;
  dictionary_id_ = Adler32(1, reinterpret_cast<const uint8_t*>(data.data()), data.size());
  if (data.size() > window_size_ - kLookahead) {
    data.remove_prefix(data.size() - (window_size_ - kLookahead));
  }
  if (!data.empty()) std::memcpy(window_, data.data(), data.size());
  at_ = static_cast<uint32_t>(data.size());
  block_start_ = at_;
  if (data.size() >= kMinMatch) InsertRange(0, static_cast<uint32_t>(data.size()) - 2);
  return true;
}

// ---- the window ----

void Deflater::Slide() {
  std::memmove(window_, window_ + window_size_, window_size_ + kLookahead);
  at_ -= window_size_;
  block_start_ -= window_size_;
  match_ -= std::min(match_, window_size_);
  held_match_ -= std::min(held_match_, window_size_);
  auto shift = [&](uint16_t* places, size_t n) {
    size_t i = 0;
#if defined(__SSE2__)
    const __m128i by = _mm_set1_epi16(static_cast<int16_t>(window_size_));
    for (; i + 8 <= n; i += 8) {
      __m128i* p = reinterpret_cast<__m128i*>(places + i);
      _mm_storeu_si128(p, _mm_subs_epu16(_mm_loadu_si128(p), by));
    }
#endif
    for (; i < n; ++i) {
      places[i] = static_cast<uint16_t>(places[i] >= window_size_ ? places[i] - window_size_ : 0);
    }
  };
  shift(head_, size_t{1} << hash_bits_);
  shift(previous_, window_size_);
}

bool Deflater::FillWindow(std::string_view* input) {
  if (input->empty()) return false;
  if (at_ >= 2 * window_size_ - kLookahead) Slide();
  const size_t n = std::min<size_t>(input->size(), 2 * window_size_ - at_ - ahead_);
  if (n == 0) return false;
  const uint8_t* p = reinterpret_cast<const uint8_t*>(input->data());
  std::memcpy(window_ + at_ + ahead_, p, n);
  Count(p, n);
  ahead_ += static_cast<uint32_t>(n);
  input->remove_prefix(n);
  return true;
}

void Deflater::InsertRange(uint32_t from, uint32_t count) {
  const uint8_t* p = window_ + from;
  uint16_t *const head = head_, *const previous = previous_;
  const uint32_t mask = window_mask_;
  const int shift = 32 - hash_bits_;
  for (uint32_t end = from + count; from < end; ++from, ++p) {
    uint32_t word;
    std::memcpy(&word, p, sizeof word);
    uint16_t& first = head[((word << 8) * 0x9E3779B1u) >> shift];
    previous[from & mask] = first;
    first = static_cast<uint16_t>(from);
  }
}

namespace {

uint32_t Load32(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// How long the texts are the same, from `n` on, at most `longest`.
inline uint32_t SameLength(const uint8_t* a, const uint8_t* b, uint32_t n, uint32_t longest) {
  while (n + 8 <= longest) {
    uint64_t x, y;
    std::memcpy(&x, a + n, 8);
    std::memcpy(&y, b + n, 8);
    if (x != y) return n + static_cast<uint32_t>(__builtin_ctzll(x ^ y)) / 8;
    n += 8;
  }
  while (n < longest && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

uint32_t Deflater::LongestMatch(uint32_t candidate, uint32_t best) {
  const uint8_t *const window = window_, *const here = window + at_;
  const uint16_t* const previous = previous_;
  const uint32_t mask = window_mask_;
  const uint32_t longest = std::min<uint32_t>(ahead_, kMaxMatch);
  const uint32_t nice = std::min<uint32_t>(effort_.nice, longest);
  const uint32_t oldest = at_ > window_size_ - kLookahead ? at_ - (window_size_ - kLookahead) : 0;
  uint32_t tries = effort_.chain;
  if (best >= effort_.good) tries >>= 2;
  if (best >= longest) return best;
  // Until there is one, any match of three bytes will do.
  const uint32_t start = Load32(here);
  while (best < kMinMatch) {
    if (candidate <= oldest || tries == 0) return best;
    const uint8_t* there = window + candidate;
    if (((Load32(there) ^ start) & 0xFFFFFF) == 0) {
      const uint32_t n = SameLength(here, there, kMinMatch, longest);
      match_ = candidate;
      best = n;
      if (n >= nice) return best;
    }
    --tries;
    candidate = previous[candidate & mask];
  }
  if (candidate <= oldest || tries == 0) return best;
  // Longer than that: the four bytes that end behind what is known are the same, too.
  const uint8_t* tail = window + best - 3;
  uint32_t end = Load32(here + best - 3);
  do {
    if (MVM_UNLIKELY(Load32(tail + candidate) == end) && Load32(window + candidate) == start) {
      const uint32_t n = SameLength(here, window + candidate, 4, longest);
      if (n > best) {
        match_ = candidate;
        best = n;
        if (n >= nice) break;
        tail = window + best - 3;
        end = Load32(here + best - 3);
      }
    }
    candidate = previous[candidate & mask];
  } while (candidate > oldest && --tries > 0);
  return best;
}

// ---- symbols ----

// Each is false when there is no memory for the block that is full now.
bool Deflater::Literal(uint8_t c) {
  symbols_[symbol_count_++] = c;
  ++literal_count_[c];
  return symbol_count_ < symbol_capacity_ - 1 || EndBlock(false);
}

bool Deflater::Match(uint32_t distance, uint32_t length) {
  symbols_[symbol_count_++] = distance << 16 | length;
  ++literal_count_[257 + kLengthIndex[length]];
  ++distance_count_[DistanceIndex(distance)];
  return symbol_count_ < symbol_capacity_ - 1 || EndBlock(false);
}

// ---- the three ways through the window ----

bool Deflater::CompressGreedy(bool flush) {
  while (ahead_ >= kLookahead || (flush && ahead_ > 0)) {
    const uint32_t candidate = ahead_ >= kMinMatch ? Insert(at_) : 0;
    uint32_t length = candidate ? LongestMatch(candidate, kMinMatch - 1) : 0;
    if (length < kMinMatch) {
      const uint8_t c = window_[at_++];
      --ahead_;
      if (!Literal(c)) return false;
      continue;
    }
    const uint32_t distance = at_ - match_;
    at_ += length;
    ahead_ -= length;
    // Long matches are not entered place by place.
    if (length <= effort_.lazy) {
      const uint32_t whole = length + ahead_;  // text from the match on
      InsertRange(at_ - length + 1, std::min<uint32_t>(length - 1, whole - kMinMatch));
    }
    if (!Match(distance, length)) return false;
  }
  return true;
}

bool Deflater::CompressLazy(bool flush) {
  while (ahead_ >= kLookahead || (flush && ahead_ > 0)) {
    const uint32_t candidate = ahead_ >= kMinMatch ? Insert(at_) : 0;
    const uint32_t held_length = held_length_, held_match = held_match_;
    uint32_t length = kMinMatch - 1;
    if (candidate && held_length < effort_.lazy) {
      length = LongestMatch(candidate, std::max<uint32_t>(held_length, kMinMatch - 1));
      if (length <= held_length) length = kMinMatch - 1;
      if (length <= 5 &&
          (strategy_ == kFiltered || (length == kMinMatch && at_ - match_ > kFarThree))) {
        length = kMinMatch - 1;
      }
    }
    if (held_ && held_length >= kMinMatch && length <= held_length) {
      // The match held back is the better one; it began one byte ago.
      const uint32_t distance = at_ - 1 - held_match;
      InsertRange(at_ + 1,
                  std::min(held_length - 2, ahead_ - std::min<uint32_t>(ahead_, kMinMatch)));
      at_ += held_length - 1;
      ahead_ -= held_length - 1;
      held_ = false;
      held_length_ = 0;
      if (!Match(distance, held_length)) return false;
      continue;
    }
    if (held_) {
      held_ = false;  // a block that ends here ends with it
      if (!Literal(window_[at_ - 1])) return false;
    }
    held_ = true;
    held_length_ = length >= kMinMatch ? length : 0;
    held_match_ = match_;
    ++at_;
    --ahead_;
  }
  if (flush && held_) {
    held_ = false;
    held_length_ = 0;
    if (!Literal(window_[at_ - 1])) return false;
  }
  return true;
}

// Only runs of one byte, or nothing at all, are matches.
bool Deflater::CompressRuns(bool flush) {
  while (ahead_ >= kLookahead || (flush && ahead_ > 0)) {
    const uint8_t* here = window_ + at_;
    uint32_t length = 0;
    if (strategy_ == kRle && ahead_ >= kMinMatch && at_ > 0) {
      const uint32_t longest = std::min<uint32_t>(ahead_, kMaxMatch);
      while (length < longest && here[length] == here[-1]) ++length;
    }
    const bool run = length >= kMinMatch;
    at_ += run ? length : 1;
    ahead_ -= run ? length : 1;
    if (!(run ? Match(1, length) : Literal(*here))) return false;
  }
  return true;
}

bool Deflater::CompressStored(std::string_view input, int flush) {
  constexpr size_t kMost = 65535;
  Count(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  while (stored_.size() + input.size() > kMost) {
    const size_t n = kMost - stored_.size();
    if (!stored_.Append(input.data(), n)) return false;
    input.remove_prefix(n);
    if (!WriteStored(stored_.data(), stored_.size(), false)) return false;
    stored_.clear();
  }
  if (!stored_.Append(input.data(), input.size())) return false;
  if (flush == kNoFlush || (stored_.size() == 0 && flush != kFinish)) return true;
  const bool done = WriteStored(stored_.data(), stored_.size(), flush == kFinish);
  stored_.clear();
  return done;
}

// ---- the whole ----

bool Deflater::Run(std::string_view input, int flush) {
  if (!header_written_ && !WriteHeader()) return false;
  // A flush that says no more than the last one, with nothing new to flush, adds nothing.
  auto rank = [](int f) { return f * 2 - (f > 4 ? 9 : 0); };
  if (input.empty() && flush != kFinish && last_flush_ >= 0 && rank(flush) <= rank(last_flush_)) {
    return true;
  }
  last_flush_ = flush;
  if (level_ == 0) {
    if (!CompressStored(input, flush)) return false;
  } else {
    bool more = true;
    while (more) {
      more = FillWindow(&input);
      const bool drain = flush != kNoFlush && input.empty();
      const bool done = strategy_ == kHuffmanOnly || strategy_ == kRle ? CompressRuns(drain)
                        : level_ < 4                                   ? CompressGreedy(drain)
                                                                       : CompressLazy(drain);
      if (!done) return false;
    }
  }
  if (flush == kNoFlush) return true;
  if (level_ != 0 && (symbol_count_ > 0 || flush == kFinish)) {
    if (!EndBlock(flush == kFinish)) return false;
  }
  if (!out_.Reserve(32)) return false;
  switch (flush) {
    case kPartialFlush:  // an empty block of the fixed code
      writer_.Put(1 << 1, 3);
      writer_.Put(0, 7);
      break;
    case kFullFlush:
      if (!WriteStored(nullptr, 0, false)) return false;
      std::memset(head_, 0, (size_t{1} << hash_bits_) * 2);
      break;
    case kSyncFlush: return WriteStored(nullptr, 0, false);
    case kFinish:
      writer_.AlignToByte();
      finished_ = true;
      return WriteTrailer();
    default: break;
  }
  return true;
}

}  // namespace minivm::zlib
