// Memo: entries in order, an open-addressing table of their positions.
#include "stdlib/pickle/pickle_memo.h"

#include <cstring>
#include <utility>

namespace minivm::pickle {

Memo::~Memo() {
  if (heap_) Clear(*heap_);
}

void Memo::Enter(uint32_t position) {
  uint32_t h = Hash(entries_[position].key) & (table_size_ - 1);
  while (table_[h] != 0) h = (h + 1) & (table_size_ - 1);
  table_[h] = position + 1;
}

Status Memo::Grow(ThreadState& ts) {
  Heap& heap = ts.heap();
  heap_ = &heap;
  if (count_ == capacity_) {
    const size_t capacity = capacity_ ? capacity_ * 2 : 32;
    if (capacity > uint32_t{1} << 30) return RaiseMemoryError(ts);
    void* p = heap.ReallocateBuffer(entries_, capacity_ * sizeof(MemoEntry),
                                    capacity * sizeof(MemoEntry));
    if (!p) return RaiseMemoryError(ts);
    entries_ = static_cast<MemoEntry*>(p);
    capacity_ = capacity;
  }
  const uint32_t wanted = static_cast<uint32_t>(capacity_) * 2;
  if (table_size_ < wanted) {
    MVM_TRY(void* p, AllocBuffer(ts, wanted * sizeof(uint32_t)));
    if (table_) heap.FreeBuffer(table_, table_size_ * sizeof(uint32_t));
    table_ = static_cast<uint32_t*>(p);
    table_size_ = wanted;
    std::memset(table_, 0, wanted * sizeof(uint32_t));
    for (uint32_t i = 0; i < count_; ++i) Enter(i);
  }
  return Ok();
}

Status Memo::Add(ThreadState& ts, MemoKey key, Value object, int64_t number) {
  if (MVM_UNLIKELY(count_ == capacity_)) MVM_TRY_VOID(Grow(ts));
  entries_[count_] = {key, Ref<>::Borrow(object).Release(), number};
  Enter(static_cast<uint32_t>(count_++));
  return Ok();
}

void Memo::Clear(Heap& heap) {
  MemoEntry* const entries = std::exchange(entries_, nullptr);
  uint32_t* const table = std::exchange(table_, nullptr);
  const size_t count = std::exchange(count_, 0), capacity = std::exchange(capacity_, 0);
  const size_t table_size = std::exchange(table_size_, 0);
  for (size_t i = 0; i < count; ++i) Ref<> dropped = Ref<>::Steal(entries[i].object);
  if (entries) heap.FreeBuffer(entries, capacity * sizeof(MemoEntry));
  if (table) heap.FreeBuffer(table, table_size * sizeof(uint32_t));
}

void Memo::Swap(Memo& other) {
  std::swap(entries_, other.entries_);
  std::swap(table_, other.table_);
  std::swap(count_, other.count_);
  std::swap(capacity_, other.capacity_);
  std::swap(table_size_, other.table_size_);
  std::swap(heap_, other.heap_);
}

size_t Memo::bytes() const {
  return capacity_ * sizeof(MemoEntry) + table_size_ * sizeof(uint32_t);
}

}  // namespace minivm::pickle
