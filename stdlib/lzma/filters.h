// Filters that make data easier to compress: differences, and absolute addresses in machine code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minivm::lzma {

// By their numbers in the format.
enum FilterId : uint64_t {
  kFilterDelta = 3,
  kFilterX86 = 4,
  kFilterPowerPc = 5,
  kFilterIa64 = 6,
  kFilterArm = 7,
  kFilterArmThumb = 8,
  kFilterSparc = 9,
  kFilterLzma2 = 0x21,
  kFilterLzma1 = 0x4000000000000001,
};

constexpr bool IsBranchFilter(uint64_t id) { return id >= kFilterX86 && id <= kFilterSparc; }
// What places in machine code are multiples of.
uint32_t BranchAlignment(uint64_t id);

class Filter {
 public:
  // argument: the distance of differences, or the address where the code begins.
  Filter(uint64_t id, uint32_t argument, bool encodes)
      : id_(id),
        encodes_(encodes),
        argument_(argument),
        place_(argument),
        last_call_(argument - 5) {}

  // Changes data[0, result) in place; the rest is to come again, with more behind it. (What is left
  // at the end stays as it is.)
  size_t Apply(uint8_t* data, size_t n);

 private:
  void Delta(uint8_t* data, size_t n);
  size_t X86(uint8_t* data, size_t n);
  size_t Ia64(uint8_t* data, size_t n);
  // An address within an instruction at data[i] from relative to absolute, or back.
  uint32_t Turn(uint32_t address, size_t i, uint32_t ahead) const {
    const uint32_t here = place_ + static_cast<uint32_t>(i) + ahead;
    return encodes_ ? address + here : address - here;
  }

  uint64_t id_;
  bool encodes_;
  uint32_t argument_;
  uint32_t place_;      // address of the next byte
  uint32_t last_call_;  // x86: where a call was seen, and which bytes after it looked like one's
  uint32_t mask_ = 0;
  uint8_t history_[256] = {};  // Delta
  uint8_t at_ = 0;
};

}  // namespace minivm::lzma
