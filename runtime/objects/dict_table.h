// The search structure of dict: an index of small slots over the dense entries.
//
// A dict of at most DictObject::kMaxUnindexed entries has no index: its hashes are compared all at
// once. Above that, `index` is an open-addressing table whose slots hold the entry's number in
// the low bits (as many as the table's size needs) and bits of the key's hash in the rest, so that
// one compare rejects nearly every foreign entry without touching it. Slots have 16 bits up to
// kMaxNarrow, 32 beyond. A slot stays when its entry is deleted (the entry's key is null
// then); rebuilding drops it. At most 3/4 of the slots are in use, so a search always ends.
//
// Probing looks at a slot and its three neighbours in the same cache line, then jumps by a
// recurrence that takes in all bits of the hash. Dense ints start in dense slots. Everything here
// is pure; who calls Search decides what "equal" means.
#pragma once

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/objects/dict_object.h"

namespace minivm::dict_table {

inline constexpr uint32_t kMaxNarrow = 1u << 12;  // largest index of 16-bit slots
inline constexpr uint32_t kMinIndex = 16;
inline constexpr uint32_t kMaxIndex = 1u << 31;
inline constexpr uint32_t kNone = UINT32_MAX;  // Search: no such key
inline constexpr uint32_t kStopped = UINT32_MAX - 1;

// What the callback of Search says about a candidate entry.
enum class Match : uint8_t { kNo, kYes, kStop };

inline uint32_t MaxEntries(uint32_t index_size) { return index_size / 4 * 3; }
inline size_t IndexBytes(uint32_t index_size) {
  return size_t{index_size} * (index_size <= kMaxNarrow ? 2 : 4);
}
// The hashes are read four at a time.
inline size_t EntryBytes(uint32_t capacity) {
  return size_t{capacity} * sizeof(DictEntry) +
         ((size_t{capacity} + 3) & ~size_t{3}) * sizeof(uint32_t);
}

// The order in which slots are visited for a hash.
class Probe {
 public:
  Probe(uint32_t hash, uint32_t mask)
      : mask_(mask), perturb_(hash), first_((hash + (hash >> 7) + (hash >> 16)) & mask) {}
  uint32_t at() const { return first_ ^ step_; }
  void Next() {
    if (MVM_LIKELY(++step_ < kGroup)) return;
    step_ = 0;
    perturb_ >>= 5;
    first_ = (first_ * 5 + perturb_ + 1) & mask_;
  }

 private:
  static constexpr uint32_t kGroup = 4;
  uint32_t mask_;
  uint32_t perturb_;
  uint32_t first_;
  uint32_t step_ = 0;
};

template <class Slot>
inline constexpr Slot kEmpty = static_cast<Slot>(~Slot{0});

// The hash bits of a slot, in place; the low bits are 0.
template <class Slot>
inline Slot Tag(uint32_t hash, uint32_t mask) {
  if constexpr (sizeof(Slot) == 2) hash = (hash * 0x9E3779B1u) >> 16;
  return static_cast<Slot>(hash & ~mask);
}

template <class Slot, class F>
uint32_t SearchIndex(const DictObject* d, uint32_t hash, F& match, uint32_t* free_slot) {
  const Slot* slots = static_cast<const Slot*>(d->index);
  const uint32_t size = d->index_size;
  const Slot tag = Tag<Slot>(hash, size - 1);
  for (Probe probe(hash, size - 1);; probe.Next()) {
    const Slot slot = slots[probe.at()];
    if (slot == kEmpty<Slot>) {
      *free_slot = probe.at();
      return kNone;
    }
    const uint32_t entry = static_cast<Slot>(slot ^ tag);
    if (entry < size) {
      const Match m = match(entry);
      if (m == Match::kYes) return entry;
      if (m == Match::kStop) return kStopped;
    }
  }
}

// Bit i is set if hashes[i] == hash; count <= 8, and the array has room for a
// multiple of 4.
inline uint32_t MatchSmall(const uint32_t* hashes, uint32_t count, uint32_t hash) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(hash));
  const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(hashes));
  uint32_t bits =
      static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(first, wanted))));
  if (count > 4) {
    const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(hashes + 4));
    bits |=
        static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(second, wanted))))
        << 4;
  }
  return bits & ((1u << count) - 1);
#else
  uint32_t bits = 0;
  for (uint32_t i = 0; i < count; ++i) bits |= static_cast<uint32_t>(hashes[i] == hash) << i;
  return bits;
#endif
}

// Finds the entry for which match(entry) is kYes among those whose hash may be `hash` (the callback
// checks hash and key; deleted entries come along). kNone, and *free_slot where a new entry's slot
// belongs; kStopped if the callback said kStop. When the callback runs script code it must stop
// the search if the dict has changed.
template <class F>
inline uint32_t Search(const DictObject* d, uint32_t hash, uint32_t* free_slot, F match) {
  if (d->index == nullptr) {
    *free_slot = 0;
    if (d->entry_count == 0) return kNone;
    for (uint32_t bits = MatchSmall(d->hashes(), d->entry_count, hash); bits != 0;
         bits &= bits - 1) {
      const uint32_t entry = static_cast<uint32_t>(__builtin_ctz(bits));
      const Match m = match(entry);
      if (m == Match::kYes) return entry;
      if (m == Match::kStop) return kStopped;
    }
    return kNone;
  }
  return d->index_size <= kMaxNarrow ? SearchIndex<uint16_t>(d, hash, match, free_slot)
                                     : SearchIndex<uint32_t>(d, hash, match, free_slot);
}

// Writes the slot of a new entry at a place that Search gave.
inline void SetSlot(DictObject* d, uint32_t at, uint32_t hash, uint32_t entry) {
  const uint32_t mask = d->index_size - 1;
  if (d->index_size <= kMaxNarrow) {
    static_cast<uint16_t*>(d->index)[at] = static_cast<uint16_t>(Tag<uint16_t>(hash, mask) | entry);
  } else {
    static_cast<uint32_t*>(d->index)[at] = Tag<uint32_t>(hash, mask) | entry;
  }
}

// Points the slot of entry `from`, which has that hash, to another entry with the same hash.
template <class Slot>
void MoveSlot(Slot* slots, uint32_t mask, uint32_t hash, uint32_t from, uint32_t to) {
  const Slot tag = Tag<Slot>(hash, mask);
  const Slot old = static_cast<Slot>(tag | from);
  for (Probe probe(hash, mask);; probe.Next()) {
    Slot& slot = slots[probe.at()];
    if (slot == old) {
      slot = static_cast<Slot>(tag | to);
      return;
    }
    if (slot == kEmpty<Slot>) return;
  }
}
inline void MoveSlot(DictObject* d, uint32_t hash, uint32_t from, uint32_t to) {
  if (d->index_size <= kMaxNarrow) {
    MoveSlot(static_cast<uint16_t*>(d->index), d->index_size - 1, hash, from, to);
  } else {
    MoveSlot(static_cast<uint32_t*>(d->index), d->index_size - 1, hash, from, to);
  }
}

template <class Slot>
void FillIndex(Slot* slots, uint32_t size, const uint32_t* hashes, uint32_t first, uint32_t count) {
  const uint32_t mask = size - 1;
  std::memset(slots, 0xFF, size * sizeof(Slot));
  for (uint32_t entry = first; entry < count; ++entry) {
    const uint32_t hash = hashes[entry];
    Probe probe(hash, mask);
    while (slots[probe.at()] != kEmpty<Slot>) probe.Next();
    slots[probe.at()] = static_cast<Slot>(Tag<Slot>(hash, mask) | entry);
  }
}
// Builds the index of a dict without deleted entries from `first` on.
inline void FillIndex(DictObject* d, uint32_t first = 0) {
  if (d->index_size <= kMaxNarrow) {
    FillIndex(static_cast<uint16_t*>(d->index), d->index_size, d->hashes(), first, d->entry_count);
  } else {
    FillIndex(static_cast<uint32_t*>(d->index), d->index_size, d->hashes(), first, d->entry_count);
  }
}

// Smallest index for that many entries; 0 if there is none.
inline uint32_t IndexFor(uint64_t entries) {
  uint64_t size = kMinIndex;
  while (size / 4 * 3 < entries) size *= 2;
  return size <= kMaxIndex ? static_cast<uint32_t>(size) : 0;
}

}  // namespace minivm::dict_table
