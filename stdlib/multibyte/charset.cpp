// Unpacks character sets, and GB 18030's codes of four bytes.
#include "stdlib/multibyte/charset.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

#include "charset_tables.inc"

constexpr const char* kNames[] = {
#define SET(name) #name,
#include "stdlib/multibyte/charsets.def"
#undef SET
};

constexpr unsigned kGbNumbers = 39420;  // as many codes of four bytes are for the BMP
constexpr size_t kIndexSize = Charset::kEnd >> 8;

size_t CellCount(const PackedCharset& set) {
  return static_cast<size_t>(set.lead1 - set.lead0 + 1) *
         static_cast<size_t>(set.trail1 - set.trail0 + 1);
}

// Writes the cells; `base` are those of the set's base.
void Unpack(const PackedCharset& set, const Cell* base, Cell* cells) {
  const CharsetPair* pair = set.pairs;
  const uint8_t* p = set.packed;
  const uint8_t* const end = p + set.packed_size;
  char32_t previous = 0;
  size_t at = 0;
  auto two = [&] {
    p += 2;
    return static_cast<unsigned>(p[-2] | p[-1] << 8);
  };
  auto put = [&](char32_t c) { cells[at++] = previous = c; };
  while (p < end) {
    const uint8_t op = *p++;
    if (op >= kCharsetLiteral) {
      put(kCharsetLiteralBase + (static_cast<char32_t>(op & 0x7F) << 8) + *p++);
    } else if (op >= kCharsetStep) {
      put(previous + 1 + (op & 0x3F));
    } else if (op >= kCharsetRun) {
      for (int n = (op & 0x1F) + 2; n > 0; --n) put(previous + 1);
    } else if (op >= kCharsetGap) {
      at += (op & 0x0Fu) + 1;
    } else if (op == kCharsetPair) {
      cells[at++] = kPairCell | static_cast<Cell>(pair->second) << 16 | pair->first;
      ++pair;
    } else if (op == kCharsetBmp) {
      put(two());
    } else if (op == kCharsetBeyond) {
      put(0x20000 + two());
    } else if (op == kCharsetLongGap) {
      at += two();
    } else {
      for (unsigned n = op == kCharsetCopy ? *p++ + 1u : two(); n > 0; --n, ++at) {
        cells[at] = base[at];
        if (cells[at] != 0 && !IsPairCell(cells[at])) previous = cells[at];
      }
    }
  }
}

// Where each character of the cells is, and how many pages of 256 characters have any.
unsigned NumberPages(const Cell* cells, size_t count, uint16_t* index) {
  unsigned pages = 1;
  for (size_t i = 0; i < count; ++i) {
    if (cells[i] == 0 || IsPairCell(cells[i])) continue;
    uint16_t& page = index[cells[i] >> 8];
    if (page == 0) page = static_cast<uint16_t>(pages++);
  }
  return pages;
}

void FillPages(const PackedCharset& set, const Cell* cells, const uint16_t* index,
               uint16_t* pages) {
  const unsigned columns = set.trail1 - set.trail0 + 1u;
  for (size_t i = CellCount(set); i-- > 0;) {  // backwards: the lowest code stays
    if (cells[i] == 0 || IsPairCell(cells[i])) continue;
    const unsigned lead = set.lead0 + static_cast<unsigned>(i) / columns;
    const unsigned trail = set.trail0 + static_cast<unsigned>(i) % columns;
    pages[index[cells[i] >> 8] * 256u + (cells[i] & 0xFF)] =
        static_cast<uint16_t>(lead << 8 | trail);
  }
  for (unsigned i = 0; i < set.exception_count; ++i) {
    const CharsetException& e = set.exceptions[i];
    if (index[e.character >> 8] != 0) {
      pages[index[e.character >> 8] * 256u + (e.character & 0xFF)] = e.code;
    }
  }
}

}  // namespace

Charset::Charset(CharsetId id, const BytesObject* unpacked)
    : packed_(&kPackedCharsets[static_cast<size_t>(id) - 1]) {
  columns_ = packed_->trail1 - packed_->trail0 + 1u;
  cells_ = reinterpret_cast<const Cell*>(unpacked->data());
  index_ = reinterpret_cast<const uint16_t*>(cells_ + CellCount(*packed_));
  pages_ = index_ + kIndexSize;
}

unsigned Charset::EncodePair(char32_t first, char32_t second) const {
  for (const CharsetPair& pair : pairs()) {
    if (pair.first == first && pair.second == second) return pair.code;
  }
  return 0;
}

bool Charset::FindFirst(char32_t c) const {
  return std::any_of(pairs().begin(), pairs().end(),
                     [c](const CharsetPair& pair) { return pair.first == c; });
}

Result<BytesObject> MakeCharset(ThreadState& ts, CharsetId id) {
  const PackedCharset& set = kPackedCharsets[static_cast<size_t>(id) - 1];
  MVM_TRY(DictObject * tables, CodecTables(ts));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, kNames[static_cast<size_t>(id) - 1]));
  if (Value known = DictGetStr(ts, tables, name)) {
    return Ref<BytesObject>::Borrow(known.as<BytesObject>());
  }
  Ref<BytesObject> base;
  if (set.base >= 0) {
    MVM_TRY(base, MakeCharset(ts, static_cast<CharsetId>(set.base + 1)));
  }
  const size_t count = CellCount(set);
  // Cells and index first: they tell how many pages there are.
  const size_t fixed = count * sizeof(Cell) + kIndexSize * sizeof(uint16_t);
  MVM_TRY(Ref<BytesObject> front, NewBytesRaw(ts, fixed));
  std::memset(front->data(), 0, fixed);
  Cell* const cells = reinterpret_cast<Cell*>(front->data());
  Unpack(set, base ? reinterpret_cast<const Cell*>(base->data()) : nullptr, cells);
  uint16_t* const index = reinterpret_cast<uint16_t*>(cells + count);
  const size_t pages = NumberPages(cells, count, index);
  MVM_TRY(Ref<BytesObject> unpacked, NewBytesRaw(ts, fixed + pages * 256 * sizeof(uint16_t)));
  std::memset(unpacked->data() + fixed, 0, pages * 256 * sizeof(uint16_t));
  std::memcpy(unpacked->data(), front->data(), fixed);
  FillPages(set, cells, index, reinterpret_cast<uint16_t*>(unpacked->data() + fixed));
  MVM_TRY_VOID(DictSetStr(ts, tables, name, unpacked));
  return unpacked;
}

Cell GbDecodeNumber(unsigned number) {
  if (number >= kGbNumbers) return 0;
  const GbRange* range =
      std::upper_bound(std::begin(kGbRanges), std::end(kGbRanges), number,
                       [](unsigned n, const GbRange& r) { return n < r.number; });
  if (range == std::begin(kGbRanges)) return 0;
  --range;
  return range->character == 0 ? 0 : range->character + (number - range->number);
}

unsigned GbEncodeNumber(char32_t c) {
  const GbRange* range =
      std::upper_bound(std::begin(kGbRanges), std::end(kGbRanges), c,
                       [](char32_t n, const GbRange& r) { return n < r.character; });
  --range;
  return range->number + static_cast<unsigned>(c - range->character);
}

}  // namespace minivm
