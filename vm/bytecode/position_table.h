// The source range of each word, packed: about two bytes a word.
//
// Layout: one checkpoint {byte offset, line} for each 64 words, then the entries in word order.
// An entry is a tag byte and varints:
//   0 as the word before      1 no position      2 full: line delta, end line delta, columns
//   3.. line delta tag - 3, ends on the same line: column, width
// Signed numbers are zigzag-coded; columns are stored plus one, so that -1 is 0.
// A checkpoint's entry never has tag 0 and counts its line from the checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/bytecode/code_object.h"

namespace minivm {

// Packs `count` positions.
void EncodePositions(const Position* positions, uint32_t count, std::vector<uint8_t>* out);

// A packed table without its checkpoints, tags and what follows them apart: how code images have
// it.
void SplitPositions(const uint8_t* table, uint32_t count, std::string* tags, std::string* places);
// The packed table of such streams, which it moves on; returns its size.
// REQUIRES: room for count * 22 + 16 bytes.
uint32_t JoinPositions(const uint8_t** tags, const uint8_t** places, uint32_t count, uint8_t* out);

// Walks a packed table from any word on.
class PositionReader {
 public:
  PositionReader(const uint8_t* table, uint32_t word_count, uint32_t first_word = 0);
  // The position of the current word; moves on to the next. REQUIRES: there is a current word.
  Position Next();

 private:
  void StartBlock();

  const uint8_t* table_;
  const uint8_t* next_ = nullptr;
  uint32_t word_ = 0;
  uint32_t word_count_;
  int line_ = 0;
  Position last_;
};

}  // namespace minivm
