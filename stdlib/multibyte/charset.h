// Character sets of two bytes, unpacked: from a code to its character and back.
//
// The executable has the sets packed (charset_format.h, made from tools/charsets). The first codec
// of a VM that needs one unpacks it; the VM keeps it, in a bytes object that no script sees, for
// all others (CodecTables, runtime/objects/codec.h).
#pragma once

#include <span>

#include "runtime/objects/bytes_object.h"
#include "stdlib/multibyte/charset_format.h"

namespace minivm {

enum class CharsetId : uint8_t {
  kNone,
#define SET(name) name,
#include "stdlib/multibyte/charsets.def"
#undef SET
};

// What a code stands for: 0 for nothing, a character, or two.
using Cell = uint32_t;
inline constexpr Cell kPairCell = 0x80000000u;
inline bool IsPairCell(Cell c) { return (c & kPairCell) != 0; }
inline char32_t PairFirst(Cell c) { return c & 0xFFFF; }
inline char32_t PairSecond(Cell c) { return c >> 16 & 0x7FFF; }

// Borrows the bytes object that MakeCharset() returned.
class Charset {
 public:
  Charset() = default;
  explicit Charset(CharsetId id, const BytesObject* unpacked);

  // 0 for whatever is no code.
  Cell Decode(uint8_t lead, uint8_t trail) const {
    if (lead < packed_->lead0 || lead > packed_->lead1 || trail < packed_->trail0 ||
        trail > packed_->trail1) {
      return 0;
    }
    return cells_[(lead - packed_->lead0) * columns_ + (trail - packed_->trail0)];
  }
  // The code, 0 if there is none.
  unsigned Encode(char32_t c) const {
    if (c >= kEnd) return 0;
    return pages_[index_[c >> 8] * 256u + (c & 0xFF)];
  }
  // The code of two characters together, 0 if there is none.
  unsigned EncodePair(char32_t first, char32_t second) const;
  bool BeginsPair(char32_t c) const {
    return packed_->pair_count != 0 && c < kEndOfFirsts && FindFirst(c);
  }

  static constexpr char32_t kEnd = 0x30000;

 private:
  static constexpr char32_t kEndOfFirsts = 0x3200;  // no pair begins with a character from here on
  bool FindFirst(char32_t c) const;
  std::span<const CharsetPair> pairs() const { return {packed_->pairs, packed_->pair_count}; }

  const PackedCharset* packed_ = nullptr;
  const Cell* cells_ = nullptr;
  const uint16_t* index_ = nullptr;  // page of each 256 characters; page 0 is empty
  const uint16_t* pages_ = nullptr;
  unsigned columns_ = 0;
};

// The unpacked set, made if this VM has not got it yet.
Result<BytesObject> MakeCharset(ThreadState& ts, CharsetId id);

// GB 18030's codes of four bytes, by number; for characters below U+10000.
Cell GbDecodeNumber(unsigned number);
// REQUIRES: c is written in four bytes
unsigned GbEncodeNumber(char32_t c);

}  // namespace minivm
