// The parts of a deque's chain of blocks that are not on the way of every append and pop.
#include "stdlib/collections/deque_blocks.h"

#include <algorithm>

namespace minivm {

Result<DequeBlocks::Block*> DequeBlocks::NewBlock(ThreadState& ts) {
  if (spare_) return std::exchange(spare_, nullptr);
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Block)));
  return static_cast<Block*>(p);
}

void DequeBlocks::Drop(Heap& heap, Block* block) {
  if (spare_) {
    heap.FreeBuffer(block, sizeof(Block));
  } else {
    spare_ = block;
  }
}

Status DequeBlocks::LinkRight(ThreadState& ts) {
  MVM_TRY(Block * block, NewBlock(ts));
  block->left = last_;
  block->right = nullptr;
  if (blocks_++ == 0) {
    first_ = block;
    begin_ = end_ = kItems / 2;
  } else {
    last_->right = block;
    end_ = 0;
  }
  last_ = block;
  return Ok();
}

Status DequeBlocks::LinkLeft(ThreadState& ts) {
  MVM_TRY(Block * block, NewBlock(ts));
  block->left = nullptr;
  block->right = first_;
  if (blocks_++ == 0) {
    last_ = block;
    begin_ = end_ = kItems / 2;
  } else {
    first_->left = block;
    begin_ = kItems;
  }
  first_ = block;
  return Ok();
}

void DequeBlocks::UnlinkRight(Heap& heap) {
  Block* empty = std::exchange(last_, last_->left);
  last_->right = nullptr;
  end_ = kItems;
  --blocks_;
  Drop(heap, empty);
}

void DequeBlocks::UnlinkLeft(Heap& heap) {
  Block* empty = std::exchange(first_, first_->right);
  first_->left = nullptr;
  begin_ = 0;
  --blocks_;
  Drop(heap, empty);
}

DequeBlocks::Cursor DequeBlocks::At(uint64_t i) const {
  const uint64_t place = begin_ + i;
  uint64_t number = place / kItems;
  Cursor c{first_, static_cast<uint32_t>(place % kItems)};
  if (number <= blocks_ / 2) {
    for (; number > 0; --number) c.block = c.block->right;
  } else {
    c.block = last_;
    for (number = blocks_ - 1 - number; number > 0; --number) c.block = c.block->left;
  }
  return c;
}

Status DequeBlocks::Insert(ThreadState& ts, uint64_t i, Value v) {
  if (i < size_ / 2) {
    MVM_TRY_VOID(PushLeft(ts, v));
    Cursor to = First();
    for (; i > 0; --i) {
      Cursor from = to;
      from.Next();
      to.item() = from.item();
      to = from;
    }
    to.item() = v;
  } else {
    MVM_TRY_VOID(PushRight(ts, v));
    Cursor to = Last();
    for (i = size_ - 1 - i; i > 0; --i) {
      Cursor from = to;
      from.Prev();
      to.item() = from.item();
      to = from;
    }
    to.item() = v;
  }
  return Ok();
}

Value DequeBlocks::TakeAt(Heap& heap, uint64_t i) {
  Cursor to = At(i);
  const Value taken = to.item();
  if (i < size_ / 2) {
    for (; i > 0; --i) {
      Cursor from = to;
      from.Prev();
      to.item() = from.item();
      to = from;
    }
    PopLeft(heap);
  } else {
    for (; i + 1 < size_; ++i) {
      Cursor from = to;
      from.Next();
      to.item() = from.item();
      to = from;
    }
    PopRight(heap);
  }
  return taken;
}

Status DequeBlocks::RotateRight(ThreadState& ts, uint64_t n) {
  // Each turn takes an item from one end and puts it to the other: no more than one block is ever
  // needed before one has become empty.
  if (spare_ == nullptr) {
    MVM_TRY(spare_, NewBlock(ts));
  }
  if (n <= size_ / 2) {
    for (; n > 0; --n) MVM_TRY_VOID(PushLeft(ts, PopRight(ts.heap())));
  } else {
    for (n = size_ - n; n > 0; --n) MVM_TRY_VOID(PushRight(ts, PopLeft(ts.heap())));
  }
  return Ok();
}

void DequeBlocks::Reverse() {
  if (size_ == 0) return;
  Cursor left = First(), right = Last();
  for (uint64_t n = size_ / 2; n > 0; --n, left.Next(), right.Prev()) {
    std::swap(left.item(), right.item());
  }
}

void DequeBlocks::Free(Heap& heap) {
  while (first_) heap.FreeBuffer(std::exchange(first_, first_->right), sizeof(Block));
  if (spare_) heap.FreeBuffer(spare_, sizeof(Block));
  *this = DequeBlocks();
}

}  // namespace minivm
