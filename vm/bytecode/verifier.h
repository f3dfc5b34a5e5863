// What the verifier knows about the temporaries of a frame, for those who stop between two words.
#pragma once

#include <cstdint>

#include "vm/bytecode/code_object.h"

namespace minivm {

// The temporaries that are live before a word, one bit per register of the frame. live[] tells
// less: what is live when the word itself raises, its operands gone. Slow: goes through all the
// code.
struct LiveSet {
  uint64_t bits[4] = {};
  bool Has(unsigned r) const { return bits[r >> 6] >> (r & 63) & 1; }
  void Set(unsigned r) { bits[r >> 6] |= uint64_t{1} << (r & 63); }
  void Drop(unsigned r) { bits[r >> 6] &= ~(uint64_t{1} << (r & 63)); }
  bool operator==(const LiveSet&) const = default;
};
LiveSet LiveBefore(const CodeObject* code, uint32_t pc);

}  // namespace minivm
