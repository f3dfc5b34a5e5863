// NameTable: interns identifiers into an arena, so that the compiler compares
// names by pointer and keeps per-name data in arrays indexed by Ident::index.
//
// Open addressing with linear probing over (hash, Ident*) slots; the slots live
// in the arena too, so a table costs nothing to drop.
#pragma once

#include <cstring>
#include <string_view>

#include "vm/syntax/ast.h"

namespace minivm {

class NameTable {
 public:
  explicit NameTable(Arena& arena) : arena_(&arena) { Rehash(kInitialSlots); }

  static uint32_t Hash(std::string_view text) {
    uint64_t h = text.size();
    const char* p = text.data();
    size_t n = text.size();
    for (; n >= 8; p += 8, n -= 8) {
      uint64_t word;
      std::memcpy(&word, p, 8);
      h = (h ^ word) * 0x9E3779B97F4A7C15u;
      h ^= h >> 29;
    }
    uint64_t word = 0;
    if (n >= 4) {
      uint32_t low, high;
      std::memcpy(&low, p, 4);
      std::memcpy(&high, p + n - 4, 4);
      word = low | uint64_t{high} << 32;
    } else if (n > 0) {
      word = static_cast<uint8_t>(p[0]) | uint64_t{static_cast<uint8_t>(p[n / 2])} << 8 |
             uint64_t{static_cast<uint8_t>(p[n - 1])} << 16;
    }
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    return static_cast<uint32_t>(h >> 32);
  }

  // Returns the one Ident of `text`. `text` is copied unless `in_arena` says that it outlives us.
  Identifier Intern(std::string_view text, bool in_arena = false) {
    const uint32_t hash = Hash(text);
    uint32_t slot = hash & mask_;
    while (slots_[slot] != nullptr) {
      const Ident* ident = slots_[slot];
      if (ident->hash == hash && ident->size == text.size() &&
          std::memcmp(ident->data, text.data(), text.size()) == 0) {
        return ident;
      }
      slot = (slot + 1) & mask_;
    }
    std::string_view stored = in_arena ? text : arena_->Copy(text);
    Ident* ident =
        arena_->New<Ident>(stored.data(), static_cast<uint32_t>(text.size()), hash, count_);
    slots_[slot] = ident;
    if (++count_ * 2 > mask_) Rehash((mask_ + 1) * 4);
    return ident;
  }

  // How many names there are; every Ident::index is below it.
  uint32_t size() const { return count_; }

 private:
  static constexpr uint32_t kInitialSlots = 64;

  void Rehash(uint32_t new_slots) {
    const Ident** old = slots_;
    const uint32_t old_count = old == nullptr ? 0 : mask_ + 1;
    slots_ = arena_->NewArray<const Ident*>(new_slots);
    std::memset(slots_, 0, new_slots * sizeof(*slots_));
    mask_ = new_slots - 1;
    for (uint32_t i = 0; i < old_count; i++) {
      if (old[i] == nullptr) continue;
      uint32_t slot = old[i]->hash & mask_;
      while (slots_[slot] != nullptr) slot = (slot + 1) & mask_;
      slots_[slot] = old[i];
    }
  }

  Arena* arena_;
  const Ident** slots_ = nullptr;
  uint32_t mask_ = 0;
  uint32_t count_ = 0;
};

}  // namespace minivm
