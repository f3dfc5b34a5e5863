// Where in the text before a place there is the same as from that place on.
//
// Hashes of three and of four bytes lead to the last place they stood at; places with equal hashes
// of four are chained. The text is kept as far back as matches may reach, and some more, so that
// it is moved rarely.
#pragma once

#include <string_view>

#include "stdlib/codec_memory.h"
#include "stdlib/lzma/filter_spec.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm::lzma {

class MatchFinder {
 public:
  // That many bytes before here() are there, if there were any.
  static constexpr uint32_t kMinKept = 1u << 17;
  struct Match {
    uint32_t length = 0;    // 0: none
    uint32_t distance = 0;  // 0: the byte before
    int gain = 0;           // about so many bits are saved, times 4
  };

  MatchFinder(CodecMemory& memory, const FilterSpec& spec, bool* ok);
  ~MatchFinder();
  MatchFinder(const MatchFinder&) = delete;
  MatchFinder& operator=(const MatchFinder&) = delete;

  // False: no memory.
  bool Append(const uint8_t* data, size_t n);
  uint32_t ahead() const { return static_cast<uint32_t>(text_.size()) - at_; }
  const uint8_t* here() { return text_.data() + at_; }
  uint32_t behind() const { return at_; }
  // The match at here() that saves the most.
  Match Find();
  // Moves on, entering the places that are passed.
  void Skip(uint32_t n);
  // One place back, and forth again, entering nothing.
  void StepBack() { --at_; }
  void StepOver() { ++at_; }
  // How many bytes at here() are the same as `distance` + 1 before.
  uint32_t LengthAt(uint32_t distance);

  static int GainOf(uint32_t length, uint32_t distance);

 private:
  uint32_t Hash3(const uint8_t* p) const;
  uint32_t Hash4(const uint8_t* p) const;
  uint32_t* chain() { return reinterpret_cast<uint32_t*>(chain_.data()); }
  void Insert();
  void Slide();

  CodecMemory& memory_;
  uint32_t dictionary_, kept_, nice_, depth_;
  int bits_;  // of hashes
  zlib::ByteBuffer text_;
  zlib::ByteBuffer chain_;  // for each place of the text: the one before, plus 1
  uint32_t* heads3_ = nullptr;
  uint32_t* heads4_ = nullptr;
  uint32_t at_ = 0;
};

}  // namespace minivm::lzma
