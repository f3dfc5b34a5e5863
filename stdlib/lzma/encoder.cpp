// Encoder: headers, filters, index.
#include "stdlib/lzma/encoder.h"

#include <cstring>

namespace minivm::lzma {

namespace {

constexpr size_t kWorkPiece = 64 << 10;

void Store32(uint8_t* p, uint32_t v) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v >> (8 * i));
}

// Seven bits to a byte, the lowest first; the number of bytes.
size_t StoreNumber(uint8_t* p, uint64_t v) {
  size_t n = 0;
  for (; v >= 0x80; v >>= 7) p[n++] = static_cast<uint8_t>(v | 0x80);
  p[n++] = static_cast<uint8_t>(v);
  return n;
}

}  // namespace

Encoder::Encoder(CodecMemory& memory, Container format, int check, const FilterSpec* filters,
                 size_t count, bool* ok)
    : format_(format),
      check_(check),
      count_(count),
      out_(memory),
      coder_(memory, filters[count - 1], ok),
      filters_{{0, 0, true}, {0, 0, true}, {0, 0, true}},
      held_{zlib::ByteBuffer(memory), zlib::ByteBuffer(memory), zlib::ByteBuffer(memory)},
      checker_(check) {
  std::copy(filters, filters + count, specs_);
  for (size_t i = 0; i + 1 < count; ++i) {
    filters_[i] = Filter(filters[i].id, filters[i].argument, true);
  }
  *ok = *ok && Begin();
}

bool Encoder::Begin() {
  if (format_ == Container::kXz) {
    uint8_t head[12] = {0xFD, '7', 'z', 'X', 'Z', 0, 0, static_cast<uint8_t>(check_)};
    Store32(head + 8, Crc32(0, head + 6, 2));
    return out_.Append(head, sizeof head);
  }
  if (format_ == Container::kAlone) {
    uint8_t head[13];
    EncodeProperties(specs_[0], head);
    std::memset(head + 5, 0xFF, 8);  // up to the end marker
    return out_.Append(head, sizeof head);
  }
  return true;
}

bool Encoder::BeginBlock() {
  begun_ = true;
  if (format_ != Container::kXz) return true;
  uint8_t head[64] = {};
  size_t n = 1;
  head[n++] = static_cast<uint8_t>(count_ - 1);
  for (size_t i = 0; i < count_; ++i) {
    n += StoreNumber(head + n, specs_[i].id);
    const size_t size = EncodeProperties(specs_[i], head + n + 1);
    head[n] = static_cast<uint8_t>(size);
    n += 1 + size;
  }
  n = (n + 3) / 4 * 4;
  head[0] = static_cast<uint8_t>(n / 4);
  Store32(head + n, Crc32(0, head, n));
  header_size_ = n + 4;
  return out_.Append(head, header_size_);
}

bool Encoder::Through(size_t i, const uint8_t* data, size_t n, bool last) {
  if (i + 1 == count_) return coder_.Add(data, n);
  zlib::ByteBuffer& held = held_[i];
  if (!held.Append(data, n)) return false;
  size_t done = held.size() > 0 ? filters_[i].Apply(held.data(), held.size()) : 0;
  if (last) done = held.size();
  if (!Through(i + 1, held.data(), done, last)) return false;
  if (done > 0) held.RemoveFront(done);
  return true;
}

bool Encoder::Add(const uint8_t* data, size_t n) {
  if (n == 0) return true;
  if (!begun_ && !BeginBlock()) return false;
  checker_.Add(data, n);
  unpacked_ += n;
  return Through(0, data, n, false);
}

bool Encoder::Drain() { return Through(0, nullptr, 0, true); }

bool Encoder::Work(bool finish, bool* more) {
  const size_t before = out_.size();
  const bool done = coder_.Work(kWorkPiece, finish, more, &out_);
  packed_ += out_.size() - before;
  return done;
}

bool Encoder::End() {
  // An .xz file of nothing has no block.
  if (format_ == Container::kXz && !begun_) return EndStream();
  const size_t before = out_.size();
  if (!coder_.Finish(&out_)) return false;
  packed_ += out_.size() - before;
  return format_ != Container::kXz || (EndBlock() && EndStream());
}

bool Encoder::EndBlock() {
  uint8_t tail[4 + 64] = {};
  const size_t padding = (4 - packed_ % 4) % 4;
  checker_.Finish(tail + padding);
  return out_.Append(tail, padding + CheckSize(check_));
}

bool Encoder::EndStream() {
  uint8_t index[64] = {};
  size_t n = 1;
  n += StoreNumber(index + n, begun_);
  if (begun_) {
    n += StoreNumber(index + n, header_size_ + packed_ + CheckSize(check_));
    n += StoreNumber(index + n, unpacked_);
  }
  n = (n + 3) / 4 * 4;
  Store32(index + n, Crc32(0, index, n));
  n += 4;
  uint8_t footer[12] = {};
  Store32(footer + 4, static_cast<uint32_t>(n / 4 - 1));
  footer[9] = static_cast<uint8_t>(check_);
  Store32(footer, Crc32(0, footer + 4, 6));
  footer[10] = 'Y';
  footer[11] = 'Z';
  return out_.Append(index, n) && out_.Append(footer, sizeof footer);
}

}  // namespace minivm::lzma
