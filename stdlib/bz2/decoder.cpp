// Decoder: header, Huffman codes, the transform inverted, runs.
#include "stdlib/bz2/decoder.h"

#include <algorithm>
#include <cstring>

namespace minivm::bz2 {

Decoder::~Decoder() {
  if (links_) memory_.FreeBuffer(links_, size_t{capacity_} * sizeof(uint32_t));
}

// ---- bits ----

// What is read ahead of need never reaches behind the stream: it ends with 80 bits that are read
// exactly.
inline bool Decoder::Need(int bits) {
  while (have_ < bits) {
    if (at_ == end_) return false;
    bits_ = bits_ << 8 | *at_++;
    have_ += 8;
  }
  return true;
}

inline uint32_t Decoder::Take(int bits) {  // 1 <= bits <= 32
  have_ -= bits;
  return static_cast<uint32_t>(bits_ >> have_ & ((uint64_t{1} << bits) - 1));
}

// ---- header ----

// Need(bits), where the first of them are to be `magic`: fails as soon as a byte cannot be of
// either.
inline bool Decoder::NeedMagic(int bits, uint64_t magic, uint64_t other) {
  if (Need(bits)) return true;
  const int odd = have_ % 8, whole = have_ - odd;  // bits that are there, in bytes
  const uint64_t seen = bits_ >> odd & ((uint64_t{1} << whole) - 1);
  if (seen != magic >> (bits - whole) && seen != other >> (bits - whole)) return Fail();
  return false;
}

bool Decoder::ReadHeader() {
  switch (step_) {
    case Step::kFileHeader: {
      if (!NeedMagic(32, kFileMagic << 8, kFileMagic << 8)) return false;
      const uint32_t magic = Take(32), level = (magic & 0xFF) - '0';
      if (magic >> 8 != kFileMagic || level < 1 || level > 9) return Fail();
      const size_t bytes = size_t{level} * kBlockUnit * sizeof(uint32_t);
      if (!memory_.WouldExceed(bytes))
        links_ = static_cast<uint32_t*>(memory_.AllocateBuffer(bytes));
      if (!links_) {
        step_ = Step::kNoMemory;
        return false;
      }
      capacity_ = level * kBlockUnit;
      step_ = Step::kMagic;
      return true;
    }
    case Step::kMagic: {
      if (!NeedMagic(48, kBlockMagic, kEndMagic)) return false;
      have_ -= 48;
      const uint64_t magic = bits_ >> have_ & 0xFFFFFFFFFFFF;
      if (magic != kBlockMagic && magic != kEndMagic) return Fail();
      step_ = magic == kBlockMagic ? Step::kChecksum : Step::kEnd;
      return true;
    }
    case Step::kChecksum:
      if (!Need(32)) return false;
      stored_checksum_ = Take(32);
      step_ = Step::kOrigin;
      return true;
    case Step::kOrigin:
      if (!Need(25)) return false;
      origin_ = Take(25);
      if (origin_ >> 24) return Fail();  // made random, as bzip2 did before 0.9.5
      step_ = Step::kUsed;
      return true;
    case Step::kUsed:
      if (!Need(16)) return false;
      used_rows_ = Take(16);
      row_ = alphabet_ = 0;
      step_ = Step::kUsedRow;
      return true;
    case Step::kUsedRow:
      for (; row_ < 16; ++row_) {
        if (!(used_rows_ >> (15 - row_) & 1)) continue;
        if (!Need(16)) return false;
        const uint32_t used = Take(16);
        for (uint32_t i = 0; i < 16; ++i) {
          if (used >> (15 - i) & 1) in_front_[alphabet_++] = static_cast<uint8_t>(row_ * 16 + i);
        }
      }
      if (alphabet_ == 0) return Fail();
      alphabet_ += 2;
      step_ = Step::kCounts;
      return true;
    case Step::kCounts:
      if (!Need(18)) return false;
      groups_ = Take(3);
      selectors_ = Take(15);
      if (groups_ < 2 || groups_ > kMaxGroups || selectors_ == 0) return Fail();
      for (uint32_t i = 0; i < groups_; ++i) selector_list_[i] = static_cast<uint8_t>(i);
      selector_ = 0;
      step_ = Step::kSelectors;
      return true;
    case Step::kSelectors:
      while (selector_ < selectors_) {
        if (!ReadSelector()) return false;
      }
      selectors_ = std::min(selectors_, kMaxSelectors);
      group_ = symbol_ = length_ = 0;
      step_ = Step::kLengths;
      return true;
    case Step::kLengths: return ReadLengths();
    default: return false;
  }
}

// How far back in the list the code stands, in ones.
bool Decoder::ReadSelector() {
  if (!Need(kMaxGroups)) return false;
  uint32_t back = 0;
  while (Take(1)) {
    if (++back >= groups_) return Fail();
  }
  const uint8_t code = selector_list_[back];
  std::memmove(selector_list_ + 1, selector_list_, back);
  selector_list_[0] = code;
  // Some compressors write more than there can be; they are never needed.
  if (selector_ < kMaxSelectors) chosen_[selector_] = code;
  ++selector_;
  return true;
}

// The lengths of each code: a first one, then steps up and down before each symbol's.
bool Decoder::ReadLengths() {
  for (; group_ < groups_; ++group_) {
    if (length_ == 0) {
      if (!Need(5)) return false;
      length_ = Take(5);
      symbol_ = 0;
    }
    while (symbol_ < alphabet_) {
      if (length_ < 1 || length_ > kMaxCodeBits) return Fail();
      if (!Need(2)) return false;
      if (!Take(1)) {
        lengths_[symbol_++] = static_cast<uint8_t>(length_);
      } else if (Take(1)) {
        --length_;
      } else {
        ++length_;
      }
    }
    if (!BuildCode(static_cast<int>(group_))) return Fail();
    length_ = 0;
  }
  size_ = in_group_ = selector_ = run_ = 0;
  run_unit_ = 1;
  std::memset(counts_, 0, sizeof counts_);
  step_ = Step::kSymbols;
  return true;
}

// False: more codes than there can be.
bool Decoder::BuildCode(int group) {
  Code& code = codes_[group];
  uint32_t count[kMaxCodeBits + 2] = {};
  for (uint32_t i = 0; i < alphabet_; ++i) ++count[lengths_[i]];
  uint32_t next = 0, sum = 0;
  uint32_t first[kMaxCodeBits + 2] = {}, start[kMaxCodeBits + 2] = {};
  for (int n = 1; n <= kMaxCodeBits; ++n) {
    first[n] = next;
    start[n] = sum;
    sum += count[n];
    next += count[n];
    if (next > 1u << n) return false;
    code.last[n] = next;  // one behind, compared as code < last
    code.offset[n] = start[n] - first[n];
    next <<= 1;
  }
  std::memset(code.fast, 0, sizeof code.fast);
  for (uint32_t i = 0; i < alphabet_; ++i) {
    const int n = lengths_[i];
    const uint32_t word = first[n]++;
    code.symbols[start[n]++] = static_cast<uint16_t>(i);
    if (n > kFastBits) continue;
    const uint32_t from = word << (kFastBits - n);
    std::fill_n(code.fast + from, size_t{1} << (kFastBits - n), static_cast<uint16_t>(i << 5 | n));
  }
  return true;
}

// ---- body ----

// The bytes of a run that has been counted.
bool Decoder::EndRun() {
  if (run_ == 0) return true;
  if (run_ > capacity_ - size_) return Fail();
  const uint8_t byte = in_front_[0];
  std::fill_n(links_ + size_, run_, byte);
  counts_[byte] += run_;
  size_ += run_;
  run_ = 0;
  run_unit_ = 1;
  return true;
}

bool Decoder::Symbol(uint32_t symbol) {
  if (symbol <= kRunB) {
    // Digits 1 and 2 of a number to the base of two.
    if (run_unit_ >= 2u << 20) return Fail();
    run_ += run_unit_ << symbol;
    run_unit_ <<= 1;
    return true;
  }
  if (!EndRun()) return false;
  if (symbol == alphabet_ - 1) return Invert();
  if (size_ >= capacity_) return Fail();
  const uint32_t back = symbol - 1;
  const uint8_t byte = in_front_[back];
  std::memmove(in_front_ + 1, in_front_, back);
  in_front_[0] = byte;
  links_[size_++] = byte;
  ++counts_[byte];
  return true;
}

bool Decoder::ReadSymbols() {
  while (step_ == Step::kSymbols) {
    if (in_group_ == 0) {
      if (selector_ >= selectors_) return Fail();
      ++selector_;
      in_group_ = kGroupSize;
    }
    const Code& code = codes_[chosen_[selector_ - 1]];
    if (have_ < kMaxCodeBits) {
      if (end_ - at_ >= 4) {
        uint32_t word;
        std::memcpy(&word, at_, 4);
        bits_ = bits_ << 32 | __builtin_bswap32(word);
        have_ += 32;
        at_ += 4;
      } else {
        Need(kMaxCodeBits);
      }
    }
    // At the end of the input zeros stand for what is not there.
    const int lacking = std::max(0, kMaxCodeBits - have_);
    const uint32_t ahead =
        static_cast<uint32_t>(bits_ << lacking >> (have_ + lacking - kMaxCodeBits)) &
        ((1u << kMaxCodeBits) - 1);
    uint32_t symbol;
    int n;
    if (const uint16_t fast = code.fast[ahead >> (kMaxCodeBits - kFastBits)]; fast) {
      symbol = fast >> 5;
      n = fast & 31;
    } else {
      for (n = kFastBits + 1; n <= kMaxCodeBits; ++n) {
        if (ahead >> (kMaxCodeBits - n) < code.last[n]) break;
      }
      if (n > kMaxCodeBits) return lacking ? false : Fail();
      symbol = code.symbols[code.offset[n] + (ahead >> (kMaxCodeBits - n))];
    }
    if (n > have_) return false;
    have_ -= n;
    --in_group_;
    if (!Symbol(symbol)) return false;
  }
  return true;
}

// The k-th occurrence of a byte in the last column is its k-th in the first: links from each place
// to the one that follows.
bool Decoder::Invert() {
  if (origin_ >= size_) return Fail();
  uint32_t sum = 0;
  for (uint32_t& count : counts_) {
    const uint32_t here = count;
    count = sum;
    sum += here;
  }
  for (uint32_t i = 0; i < size_; ++i) links_[counts_[links_[i] & 0xFF]++] |= i << 8;
  place_ = links_[origin_] >> 8;
  left_ = size_;
  repeat_ = same_ = 0;
  checksum_ = {};
  step_ = Step::kOutput;
  return true;
}

void Decoder::Write(size_t limit, zlib::ByteBuffer* out) {
  uint8_t* to = out->data() + out->size();
  uint8_t* const stop = to + limit;
  while (to < stop) {
    if (repeat_ > 0) {
      --repeat_;
      checksum_.Add(last_);
      *to++ = last_;
      continue;
    }
    if (left_ == 0) break;
    --left_;
    const uint32_t link = links_[place_];
    const uint8_t byte = static_cast<uint8_t>(link);
    place_ = link >> 8;
    if (same_ == 4) {  // how often it comes again
      repeat_ = byte;
      same_ = 0;
      continue;
    }
    same_ = same_ > 0 && byte == last_ ? same_ + 1 : 1;
    last_ = byte;
    checksum_.Add(byte);
    *to++ = byte;
  }
  out->set_size(static_cast<size_t>(to - out->data()));
}

bool Decoder::EndBlock() {
  if (checksum_.value() != stored_checksum_) return Fail();
  all_checksums_ = (all_checksums_ << 1 | all_checksums_ >> 31) ^ stored_checksum_;
  step_ = Step::kMagic;
  return true;
}

Decoder::Result Decoder::Run(std::string_view* input, size_t limit, zlib::ByteBuffer* out) {
  constexpr size_t kPiece = 32768;
  at_ = reinterpret_cast<const uint8_t*>(input->data());
  end_ = at_ + input->size();
  const size_t start = out->size();
  Result result = Result::kMore;
  for (bool more = true; more;) {
    switch (step_) {
      case Step::kSymbols: more = ReadSymbols(); break;
      case Step::kOutput: {
        const size_t room = std::min(limit - (out->size() - start), kPiece);
        if (!out->Reserve(room)) {
          step_ = Step::kNoMemory;
          break;
        }
        Write(room, out);
        if (left_ == 0 && repeat_ == 0) {
          EndBlock();
        } else if (out->size() - start >= limit) {
          result = Result::kFull;
          more = false;
        }
        break;
      }
      case Step::kEnd:
        more = Need(32);
        if (more) step_ = Take(32) == all_checksums_ ? Step::kDone : Step::kBad;
        break;
      case Step::kDone:
      case Step::kBad:
      case Step::kNoMemory: more = false; break;
      default: more = ReadHeader();
    }
  }
  input->remove_prefix(static_cast<size_t>(at_ - reinterpret_cast<const uint8_t*>(input->data())));
  if (step_ == Step::kDone) return Result::kEnd;
  if (step_ == Step::kBad) return Result::kError;
  return step_ == Step::kNoMemory ? Result::kNoMemory : result;
}

}  // namespace minivm::bz2
