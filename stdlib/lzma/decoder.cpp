// Decoder: headers, blocks, index.
#include "stdlib/lzma/decoder.h"

#include <cstring>

namespace minivm::lzma {

namespace {

constexpr uint8_t kXzMagic[6] = {0xFD, '7', 'z', 'X', 'Z', 0};
constexpr uint64_t kUnknown = UINT64_MAX;
constexpr uint64_t kFixedMemory = 64 << 10;  // besides the dictionary

uint32_t Load32(const uint8_t* p) {
  return p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

}  // namespace

void Decoder::Records::Add(uint64_t unpadded, uint64_t size) {
  ++count;
  total += unpadded + size;
  const uint64_t both[2] = {unpadded, size};
  digest = Crc32(digest, reinterpret_cast<const uint8_t*>(both), sizeof both);
}

bool Decoder::Gather(size_t n) {
  const size_t more = std::min(n - std::min(n, head_size_), static_cast<size_t>(end_ - at_));
  if (more > 0) std::memcpy(head_ + head_size_, at_, more);
  at_ += more;
  head_size_ += more;
  return head_size_ >= n;
}

// A number within head_; false: it is none.
static bool ParseNumber(const uint8_t** p, const uint8_t* end, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (*p == end) return false;
    const uint8_t byte = *(*p)++;
    *value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return byte != 0 || shift == 0;
  }
  return false;
}

bool Decoder::ReadNumber(uint64_t* value) {
  while (at_ < end_) {
    const uint8_t byte = *at_;
    index_crc_ = Crc32(index_crc_, at_++, 1);
    ++index_size_;
    number_ |= uint64_t{byte & 0x7Fu} << number_shift_;
    number_shift_ += 7;
    if (byte < 0x80) {
      if (byte == 0 && number_shift_ > 7) return Fail(Error::kData);
      *value = std::exchange(number_, 0);
      number_shift_ = 0;
      return true;
    }
    if (number_shift_ >= 63) return Fail(Error::kData);
  }
  return false;
}

bool Decoder::Begin(const FilterSpec* filters, size_t count, uint64_t size) {
  if (filters[count - 1].dictionary + kFixedMemory > memory_limit_) {
    return Fail(Error::kMemoryLimit);
  }
  unpacker_.Begin(filters, count, size);
  return true;
}

bool Decoder::XzHeader() {
  // Wrong bytes are told at once.
  if (!Gather(12)) {
    if (std::memcmp(head_, kXzMagic, std::min(head_size_, sizeof kXzMagic)) != 0) {
      return Fail(Error::kFormat);
    }
    return false;
  }
  if (std::memcmp(head_, kXzMagic, sizeof kXzMagic) != 0) return Fail(Error::kFormat);
  if (Crc32(0, head_ + 6, 2) != Load32(head_ + 8)) return Fail(Error::kData);
  if (head_[6] != 0 || head_[7] > 15) return Fail(Error::kOptions);
  std::memcpy(flags_, head_ + 6, 2);
  check_ = head_[7];
  head_size_ = 0;
  step_ = Step::kBlockHeader;
  return true;
}

bool Decoder::BlockHeader() {
  if (!Gather(1)) return false;
  if (head_[0] == 0) {  // no block any more
    index_crc_ = Crc32(0, head_, 1);
    index_size_ = 1;
    head_size_ = 0;
    step_ = Step::kIndexCount;
    return true;
  }
  header_size_ = (head_[0] + 1u) * 4;
  if (!Gather(header_size_)) return false;
  head_size_ = 0;
  const size_t n = header_size_ - 4;
  if (Crc32(0, head_, n) != Load32(head_ + n)) return Fail(Error::kData);
  return ParseBlockHeader(head_ + 1, n - 1);
}

bool Decoder::ParseBlockHeader(const uint8_t* p, size_t n) {
  const uint8_t* const end = p + n;
  const uint8_t flags = *p++;
  if (flags & 0x3C) return Fail(Error::kOptions);
  expected_packed_ = expected_unpacked_ = kUnknown;
  if (flags & 0x40 && (!ParseNumber(&p, end, &expected_packed_) || expected_packed_ == 0)) {
    return Fail(Error::kData);
  }
  if (flags & 0x80 && !ParseNumber(&p, end, &expected_unpacked_)) return Fail(Error::kData);
  FilterSpec filters[kMaxFilters];
  const size_t count = (flags & 3u) + 1;
  for (size_t i = 0; i < count; ++i) {
    uint64_t id, size;
    if (!ParseNumber(&p, end, &id) || !ParseNumber(&p, end, &size) ||
        size > static_cast<size_t>(end - p)) {
      return Fail(Error::kData);
    }
    if (id == kFilterLzma1 || !DecodeProperties(id, p, size, &filters[i])) {
      return Fail(Error::kOptions);
    }
    p += size;
  }
  for (; p < end; ++p) {
    if (*p != 0) return Fail(Error::kOptions);
  }
  if (!IsValidChain(filters, count)) return Fail(Error::kOptions);
  packed_ = unpacked_ = 0;
  checker_ = Checker(check_);
  step_ = Step::kBlock;
  return Begin(filters, count, kUnknown);
}

bool Decoder::Block(size_t limit, zlib::ByteBuffer* out) {
  const uint8_t* const start = at_;
  const size_t before = out->size();
  const Unpacker::Result r = unpacker_.Run(&at_, end_, limit, out);
  packed_ += static_cast<uint64_t>(at_ - start);
  unpacked_ += out->size() - before;
  if (out->size() > before) checker_.Add(out->data() + before, out->size() - before);
  if (packed_ > expected_packed_ || unpacked_ > expected_unpacked_) return Fail(Error::kData);
  switch (r) {
    case Unpacker::Result::kEnd: break;
    case Unpacker::Result::kError: return Fail(Error::kData);
    case Unpacker::Result::kNoMemory: result_ = Result::kNoMemory; return false;
    case Unpacker::Result::kFull: result_ = Result::kFull; return false;
    case Unpacker::Result::kMore: return false;
  }
  if (step_ == Step::kRaw) {
    step_ = Step::kDone;
    return true;
  }
  if ((expected_packed_ != kUnknown && packed_ != expected_packed_) ||
      (expected_unpacked_ != kUnknown && unpacked_ != expected_unpacked_)) {
    return Fail(Error::kData);
  }
  blocks_.Add(header_size_ + packed_ + CheckSize(check_), unpacked_);
  step_ = Step::kBlockPadding;
  return true;
}

bool Decoder::BlockCheck() {
  const size_t size = CheckSize(check_);
  if (!Gather(size)) return false;
  head_size_ = 0;
  if (IsSupported(check_)) {
    uint8_t digest[64];
    checker_.Finish(digest);
    if (std::memcmp(digest, head_, size) != 0) return Fail(Error::kData);
  }
  step_ = Step::kBlockHeader;
  return true;
}

bool Decoder::IndexRecords() {
  while (index_.count < index_count_) {
    uint64_t value;
    if (!ReadNumber(&value)) return false;
    if (!has_first_) {
      index_first_ = value;
      has_first_ = true;
      continue;
    }
    has_first_ = false;
    index_.Add(index_first_, value);
  }
  if (index_.total != blocks_.total || index_.digest != blocks_.digest) return Fail(Error::kData);
  step_ = Step::kIndexPadding;
  return true;
}

bool Decoder::Footer() {
  if (!Gather(12)) return false;
  head_size_ = 0;
  // Only what is a footer can be a damaged one.
  if (head_[10] != 'Y' || head_[11] != 'Z' || Crc32(0, head_ + 4, 6) != Load32(head_) ||
      (uint64_t{Load32(head_ + 4)} + 1) * 4 != index_size_ ||
      std::memcmp(head_ + 8, flags_, 2) != 0) {
    return Fail(Error::kData);
  }
  step_ = Step::kDone;
  return true;
}

// Could the dictionary be of this size? Nearly anything could be a header; where it is not known to
// be one, only what programs write is taken for it.
static bool IsCommonSize(uint32_t dictionary) {
  if (dictionary == UINT32_MAX) return true;
  if (dictionary < kMinDictionary) return false;
  const uint32_t top = 31u - static_cast<uint32_t>(__builtin_clz(dictionary));
  return dictionary == 1u << top || dictionary == 3u << (top - 1);
}

bool Decoder::AloneHeader() {
  const bool whole = Gather(13);
  Properties p;
  if (head_size_ > 0 && !p.Parse(head_[0])) return Fail(Error::kFormat);
  const bool guessed = format_ == Container::kAuto;
  if (guessed && head_size_ >= 5 && !IsCommonSize(Load32(head_ + 1))) return Fail(Error::kFormat);
  if (!whole) return false;
  head_size_ = 0;
  FilterSpec filter;
  if (!DecodeProperties(kFilterLzma1, head_, 5, &filter)) return Fail(Error::kFormat);
  const uint64_t size = Load32(head_ + 5) | uint64_t{Load32(head_ + 9)} << 32;
  if (guessed && size != kUnknown && size >= uint64_t{1} << 38) return Fail(Error::kFormat);
  expected_packed_ = expected_unpacked_ = kUnknown;
  step_ = Step::kRaw;
  return Begin(&filter, 1, size);
}

bool Decoder::Go(size_t limit, zlib::ByteBuffer* out) {
  switch (step_) {
    case Step::kBegin:
      if (format_ == Container::kAuto && at_ == end_) return false;
      if (format_ == Container::kXz || (format_ == Container::kAuto && *at_ == kXzMagic[0])) {
        step_ = Step::kXzHeader;
      } else {
        step_ = Step::kAloneHeader;
        check_ = kCheckNone;
      }
      return true;
    case Step::kXzHeader: return XzHeader();
    case Step::kBlockHeader: return BlockHeader();
    case Step::kRaw: expected_packed_ = expected_unpacked_ = kUnknown; return Block(limit, out);
    case Step::kBlock: return Block(limit, out);
    case Step::kBlockPadding:
      for (; packed_ % 4 != 0; ++packed_) {
        if (at_ == end_) return false;
        if (*at_++ != 0) return Fail(Error::kData);
      }
      step_ = Step::kBlockCheck;
      return true;
    case Step::kBlockCheck: return BlockCheck();
    case Step::kIndexCount:
      if (!ReadNumber(&index_count_)) return false;
      if (index_count_ != blocks_.count) return Fail(Error::kData);
      step_ = Step::kIndexRecords;
      return true;
    case Step::kIndexRecords: return IndexRecords();
    case Step::kIndexPadding:
      for (; index_size_ % 4 != 0; ++index_size_) {
        if (at_ == end_) return false;
        if (*at_ != 0) return Fail(Error::kData);
        index_crc_ = Crc32(index_crc_, at_++, 1);
      }
      step_ = Step::kIndexCrc;
      return true;
    case Step::kIndexCrc:
      if (!Gather(4)) return false;
      head_size_ = 0;
      if (Load32(head_) != index_crc_) return Fail(Error::kData);
      index_size_ += 4;
      step_ = Step::kFooter;
      return true;
    case Step::kFooter: return Footer();
    case Step::kAloneHeader: return AloneHeader();
    case Step::kDone: result_ = Result::kEnd; return false;
    case Step::kFailed: result_ = Result::kError; return false;
  }
  return false;
}

Decoder::Result Decoder::Run(std::string_view* input, size_t limit, zlib::ByteBuffer* out) {
  at_ = reinterpret_cast<const uint8_t*>(input->data());
  end_ = at_ + input->size();
  result_ = Result::kMore;
  const size_t stop = out->size() + limit;
  while (Go(stop - out->size(), out)) {
  }
  input->remove_prefix(static_cast<size_t>(at_ - reinterpret_cast<const uint8_t*>(input->data())));
  return result_;
}

}  // namespace minivm::lzma
