// Where a deque keeps its items: blocks of constant size in a doubly linked chain.
//
// Growing links one block more and moves nothing; what becomes empty at an end is given back, but
// for one spare block, so that a queue of steady length does not go to the allocator. The ends are
// reached at once, item i by walking the chain from the nearer end.
// Owns the blocks, not the references in them: the deque counts those. All zeros is an empty one.
// Invariants: blocks_ is 0, or first_ and last_ are the ends of a chain of blocks_ blocks;
// size_ == (blocks_ - 1) * kItems + end_ - begin_ unless blocks_ == 0; a chain of more than one
// block has an item in each.
#pragma once

#include <utility>

#include "runtime/core/thread_state.h"
#include "runtime/gc/heap.h"

namespace minivm {

class DequeBlocks {
 public:
  static constexpr uint32_t kItems = 62;  // with the links 512 bytes
  struct Block {
    Block* left;
    Block* right;
    Value items[kItems];
  };
  // The place of an item. Next and Prev may lead out of the deque: to where no item is read.
  struct Cursor {
    Block* block = nullptr;
    uint32_t at = 0;
    Value& item() const { return block->items[at]; }
    void Next() {
      if (MVM_LIKELY(++at < kItems)) return;
      if (block->right == nullptr) return;
      block = block->right;
      at = 0;
    }
    void Prev() {
      if (MVM_LIKELY(at-- > 0)) return;
      block = block->left;
      at = kItems - 1;
    }
  };

  uint64_t size() const { return size_; }
  // What the blocks take, the spare one included.
  size_t bytes() const { return (blocks_ + (spare_ ? 1 : 0)) * sizeof(Block); }

  // REQUIRES: i < size().
  Cursor At(uint64_t i) const;
  // REQUIRES: size() > 0, unless nothing is read.
  Cursor First() const { return {first_, begin_}; }
  Cursor Last() const { return {last_, end_ - 1}; }
  template <class F>
  void ForEach(F&& f) {
    Cursor c = First();
    for (uint64_t n = size_; n > 0; --n, c.Next()) f(c.item());
  }

  // The word is put there, its reference is the caller's business. MemoryError: nothing changed.
  Status PushRight(ThreadState& ts, Value v) {
    if (MVM_UNLIKELY(blocks_ == 0 || end_ == kItems)) MVM_TRY_VOID(LinkRight(ts));
    last_->items[end_++] = v;
    ++size_;
    return Ok();
  }
  Status PushLeft(ThreadState& ts, Value v) {
    if (MVM_UNLIKELY(blocks_ == 0 || begin_ == 0)) MVM_TRY_VOID(LinkLeft(ts));
    first_->items[--begin_] = v;
    ++size_;
    return Ok();
  }
  // REQUIRES: size() > 0.
  Value PopRight(Heap& heap) {
    const Value v = last_->items[--end_];
    if (--size_ == 0) {
      begin_ = end_ = kItems / 2;
    } else if (MVM_UNLIKELY(end_ == 0)) {
      UnlinkRight(heap);
    }
    return v;
  }
  Value PopLeft(Heap& heap) {
    const Value v = first_->items[begin_++];
    if (--size_ == 0) {
      begin_ = end_ = kItems / 2;
    } else if (MVM_UNLIKELY(begin_ == kItems)) {
      UnlinkLeft(heap);
    }
    return v;
  }
  // Before item i, i <= size(); the items of the nearer end make room.
  Status Insert(ThreadState& ts, uint64_t i, Value v);
  // REQUIRES: i < size(). The items of the nearer end close up.
  Value TakeAt(Heap& heap, uint64_t i);
  // n places to the right. REQUIRES: n < size(). MemoryError: nothing changed.
  Status RotateRight(ThreadState& ts, uint64_t n);
  void Reverse();
  // Gives the blocks back, whatever is in them.
  void Free(Heap& heap);

 private:
  Result<Block*> NewBlock(ThreadState& ts);
  void Drop(Heap& heap, Block* block);
  Status LinkRight(ThreadState& ts);
  Status LinkLeft(ThreadState& ts);
  void UnlinkRight(Heap& heap);
  void UnlinkLeft(Heap& heap);

  Block* first_ = nullptr;
  Block* last_ = nullptr;
  Block* spare_ = nullptr;
  uint32_t begin_ = 0;  // of the first item in first_
  uint32_t end_ = 0;    // behind the last item in last_
  uint64_t size_ = 0;
  uint64_t blocks_ = 0;
};

}  // namespace minivm
