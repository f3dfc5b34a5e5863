// The memo of a pickler: which objects have been written, and under which number.
//
// Objects are known by address and kept alive while they are in the memo. Two kinds of entries
// stand for objects that scripts would see but that are not made: the __dict__ of an instance
// (KeyOfDictOf) and the module name that built-in functions share (KeyOfFunctionModule).
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm::pickle {

using MemoKey = uint64_t;
inline MemoKey KeyOf(Value v) { return v.bits(); }
inline MemoKey KeyOfDictOf(const Object* instance) {
  return reinterpret_cast<uint64_t>(instance) | 1;
}
inline MemoKey KeyOfFunctionModule(const Object* name) {
  return reinterpret_cast<uint64_t>(name) | 8;
}

struct MemoEntry {
  MemoKey key;
  Value object;  // owned: what the address belongs to
  int64_t number;
};

// Invariants: table_[h] is 0 or 1 + the position of an entry; table_size_ is 0 or a power of two
// above 4/3 of the entries.
class Memo {
 public:
  ~Memo();
  Memo() = default;
  Memo(const Memo&) = delete;
  Memo& operator=(const Memo&) = delete;

  // The number under which it was written, or -1.
  int64_t Find(MemoKey key) const {
    if (table_size_ == 0) return -1;
    for (uint32_t h = Hash(key) & (table_size_ - 1);; h = (h + 1) & (table_size_ - 1)) {
      const uint32_t at = table_[h];
      if (at == 0) return -1;
      if (entries_[at - 1].key == key) return entries_[at - 1].number;
    }
  }
  // Enters it under the given number. REQUIRES: it is not there.
  Status Add(ThreadState& ts, MemoKey key, Value object, int64_t number);
  // The number that the next object gets.
  int64_t next() const { return static_cast<int64_t>(count_); }
  size_t size() const { return count_; }
  const MemoEntry& entry(size_t i) const { return entries_[i]; }
  void Clear(Heap& heap);
  void Swap(Memo& other);
  size_t bytes() const;
  template <class V>
  void VisitRefs(V&& v) {
    for (size_t i = 0; i < count_; ++i) v(entries_[i].object);
  }

 private:
  static uint32_t Hash(MemoKey key) {
    return static_cast<uint32_t>((key * 0x9E3779B97F4A7C15u) >> 32);
  }
  Status Grow(ThreadState& ts);
  void Enter(uint32_t position);

  MemoEntry* entries_ = nullptr;
  uint32_t* table_ = nullptr;
  size_t count_ = 0, capacity_ = 0;
  uint32_t table_size_ = 0;
  Heap* heap_ = nullptr;
};

}  // namespace minivm::pickle
