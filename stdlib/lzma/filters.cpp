// Filter: the machine code of each processor.
#include "stdlib/lzma/filters.h"

namespace minivm::lzma {

namespace {

// Bytes of an address in big-endian order, and back.
uint32_t LoadBig(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
void StoreBig(uint8_t* p, uint32_t v) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v >> (24 - 8 * i));
}
// An address of a call leads less than 16 MB to either side.
bool IsNear(uint8_t top) { return top == 0 || top == 0xFF; }

}  // namespace

uint32_t BranchAlignment(uint64_t id) {
  switch (id) {
    case kFilterX86: return 1;
    case kFilterArmThumb: return 2;
    case kFilterIa64: return 16;
    default: return 4;
  }
}

void Filter::Delta(uint8_t* data, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const uint8_t before = history_[static_cast<uint8_t>(at_ - argument_)];
    const uint8_t plain = encodes_ ? data[i] : static_cast<uint8_t>(data[i] + before);
    data[i] = encodes_ ? static_cast<uint8_t>(data[i] - before) : plain;
    history_[at_++] = plain;
  }
}

// Calls (E8) and jumps (E9) are five bytes, the last four an address. What looks like one within
// another's address is not changed, or in part only, so that decoding meets the same decisions:
// mask_ has a bit for each of the last bytes that could have begun one.
size_t Filter::X86(uint8_t* data, size_t n) {
  if (n < 5) return 0;
  if (place_ - last_call_ > 5) last_call_ = place_ - 5;
  size_t i = 0;
  while (i <= n - 5) {
    if ((data[i] & 0xFE) != 0xE8) {
      ++i;
      continue;
    }
    const uint32_t here = place_ + static_cast<uint32_t>(i), gap = here - last_call_;
    last_call_ = here;
    if (gap > 5) {
      mask_ = 0;
    } else {
      for (uint32_t k = 0; k < gap; ++k) mask_ = (mask_ & 0x77) << 1;
    }
    const uint8_t top = data[i + 4];
    const uint32_t seen = mask_ >> 1;
    const bool allowed = seen == 0 || seen == 1 || seen == 2 || seen == 4;
    if (!IsNear(top) || !allowed) {
      ++i;
      mask_ |= IsNear(top) ? 0x11 : 1;
      continue;
    }
    uint32_t address = uint32_t{top} << 24 | uint32_t{data[i + 3]} << 16 |
                       uint32_t{data[i + 2]} << 8 | data[i + 1];
    uint32_t turned = Turn(address, i, 5);
    if (mask_ != 0) {
      const int shift = seen == 0 ? 0 : seen == 1 ? 8 : seen == 2 ? 16 : 24;
      while (IsNear(static_cast<uint8_t>(turned >> (24 - shift)))) {
        address = turned ^ static_cast<uint32_t>((uint64_t{1} << (32 - shift)) - 1);
        turned = Turn(address, i, 5);
      }
    }
    for (int k = 0; k < 3; ++k)
      data[i + 1 + static_cast<size_t>(k)] = static_cast<uint8_t>(turned >> (8 * k));
    data[i + 4] = turned >> 24 & 1 ? 0xFF : 0;
    i += 5;
    mask_ = 0;
  }
  return i;
}

// Bundles of 16 bytes: five bits say of which kinds their three instructions of 41 bits are.
size_t Filter::Ia64(uint8_t* data, size_t n) {
  // Bits for the slots that can hold a branch.
  constexpr uint8_t kBranches[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                     4, 4, 6, 6, 0, 0, 7, 7, 4, 4, 0, 0, 4, 4, 0, 0};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int slot = 0; slot < 3; ++slot) {
      if (!(kBranches[data[i] & 31] >> slot & 1)) continue;
      const int bit = 5 + 41 * slot;
      uint8_t* p = data + i + bit / 8;
      uint64_t word = 0;
      for (int k = 0; k < 6; ++k) word |= uint64_t{p[k]} << (8 * k);
      uint64_t code = word >> (bit & 7);
      if ((code >> 37 & 15) != 5 || (code >> 9 & 7) != 0) continue;
      uint32_t address = static_cast<uint32_t>(code >> 13 & 0xFFFFF) |
                         (static_cast<uint32_t>(code >> 36) & 1) << 20;
      address = Turn(address << 4, i, 0) >> 4;
      code &= ~(uint64_t{0x8FFFFF} << 13);
      code |= uint64_t{address & 0xFFFFF} << 13 | uint64_t{address & 0x100000} << (36 - 20);
      word = (word & ((uint64_t{1} << (bit & 7)) - 1)) | code << (bit & 7);
      for (int k = 0; k < 6; ++k) p[k] = static_cast<uint8_t>(word >> (8 * k));
    }
  }
  return i;
}

size_t Filter::Apply(uint8_t* data, size_t n) {
  size_t i = 0;
  switch (id_) {
    case kFilterDelta:
      Delta(data, n);
      i = n;
      break;
    case kFilterX86: i = X86(data, n); break;
    case kFilterIa64: i = Ia64(data, n); break;
    case kFilterPowerPc:  // bl
      for (; i + 4 <= n; i += 4) {
        const uint32_t word = LoadBig(data + i);
        if (word >> 26 != 0x12 || (word & 3) != 1) continue;
        StoreBig(data + i, (Turn(word & 0x3FFFFFC, i, 0) & 0x3FFFFFC) | 0x48000001);
      }
      break;
    case kFilterArm:  // bl, always
      for (; i + 4 <= n; i += 4) {
        if (data[i + 3] != 0xEB) continue;
        const uint32_t to = uint32_t{data[i + 2]} << 16 | uint32_t{data[i + 1]} << 8 | data[i];
        const uint32_t turned = Turn(to << 2, i, 8) >> 2;
        for (size_t k = 0; k < 3; ++k) data[i + k] = static_cast<uint8_t>(turned >> (8 * k));
      }
      break;
    case kFilterArmThumb:  // bl, a pair of half words
      for (; i + 4 <= n; i += 2) {
        uint8_t* p = data + i;
        if ((p[1] & 0xF8) != 0xF0 || (p[3] & 0xF8) != 0xF8) continue;
        const uint32_t to =
            (uint32_t{p[1]} & 7) << 19 | uint32_t{p[0]} << 11 | (uint32_t{p[3]} & 7) << 8 | p[2];
        const uint32_t turned = Turn(to << 1, i, 4) >> 1;
        p[1] = static_cast<uint8_t>(0xF0 | (turned >> 19 & 7));
        p[0] = static_cast<uint8_t>(turned >> 11);
        p[3] = static_cast<uint8_t>(0xF8 | (turned >> 8 & 7));
        p[2] = static_cast<uint8_t>(turned);
        i += 2;
      }
      break;
    case kFilterSparc:  // call, with an address that fits 23 bits
      for (; i + 4 <= n; i += 4) {
        const uint32_t word = LoadBig(data + i), top = word >> 22;
        if (top != 0x100 && top != 0x1FF) continue;
        const uint32_t turned = Turn(word << 2, i, 0) >> 2;
        const uint32_t sign = turned >> 22 & 1 ? 0x3FC00000 : 0;
        StoreBig(data + i, sign | (turned & 0x3FFFFF) | 0x40000000);
      }
      break;
    default: return n;
  }
  place_ += static_cast<uint32_t>(i);
  return i;
}

}  // namespace minivm::lzma
