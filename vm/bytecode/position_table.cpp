// Packing and unpacking of source ranges: see position_table.h for the format.
#include "vm/bytecode/position_table.h"

#include <algorithm>
#include <cstring>

namespace minivm {

namespace {

constexpr uint32_t kBlock = 64;  // words for each checkpoint
constexpr int kMaxShortDelta = 250;
enum Tag : uint8_t { kSame, kNone, kFull, kShort };

struct Checkpoint {
  uint32_t offset;
  int32_t line;
};

uint32_t CheckpointCount(uint32_t words) { return (words + kBlock - 1) / kBlock; }

void PutVarint(std::vector<uint8_t>* out, uint32_t v) {
  while (v >= 0x80) {
    out->push_back(static_cast<uint8_t>(v) | 0x80);
    v >>= 7;
  }
  out->push_back(static_cast<uint8_t>(v));
}
void PutSigned(std::vector<uint8_t>* out, int v) {
  PutVarint(out, static_cast<uint32_t>(v) << 1 ^ static_cast<uint32_t>(v >> 31));
}
uint32_t GetVarint(const uint8_t*& p) {
  uint32_t v = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t byte = *p++;
    v |= static_cast<uint32_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return v;
  }
}
int GetSigned(const uint8_t*& p) {
  uint32_t v = GetVarint(p);
  return static_cast<int>(v >> 1) ^ -static_cast<int>(v & 1);
}

// How many of them follow a tag.
int VarintsOf(uint8_t tag) { return tag >= kShort ? 2 : tag == kFull ? 4 : 0; }

bool SamePosition(const Position& a, const Position& b) {
  return a.line == b.line && a.column == b.column && a.end_line == b.end_line &&
         a.end_column == b.end_column;
}

}  // namespace

void EncodePositions(const Position* positions, uint32_t count, std::vector<uint8_t>* out) {
  const uint32_t checkpoints = CheckpointCount(count);
  out->resize(checkpoints * sizeof(Checkpoint));
  out->reserve(out->size() + count * 3);
  int line = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Position& p = positions[i];
    if (i % kBlock == 0) {
      Checkpoint mark{static_cast<uint32_t>(out->size()), line};
      std::memcpy(out->data() + i / kBlock * sizeof(Checkpoint), &mark, sizeof(mark));
    } else if (SamePosition(p, positions[i - 1])) {
      out->push_back(kSame);
      continue;
    }
    if (p.line < 0) {
      out->push_back(kNone);
      continue;
    }
    int delta = p.line - line;
    line = p.line;
    if (delta >= 0 && delta <= kMaxShortDelta && p.end_line == p.line && p.column >= 0 &&
        p.end_column >= p.column) {
      out->push_back(static_cast<uint8_t>(kShort + delta));
      PutVarint(out, static_cast<uint32_t>(p.column));
      PutVarint(out, static_cast<uint32_t>(p.end_column - p.column));
    } else {
      out->push_back(kFull);
      PutSigned(out, delta);
      PutSigned(out, p.end_line - p.line);
      PutVarint(out, static_cast<uint32_t>(p.column + 1));
      PutVarint(out, static_cast<uint32_t>(p.end_column + 1));
    }
  }
}

void SplitPositions(const uint8_t* table, uint32_t count, std::string* tags, std::string* places) {
  const uint8_t* p = table + CheckpointCount(count) * sizeof(Checkpoint);
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t tag = *p++;
    tags->push_back(static_cast<char>(tag));
    for (int varints = VarintsOf(tag); varints > 0; p++) {
      places->push_back(static_cast<char>(*p));
      if (*p < 0x80) --varints;
    }
  }
}

uint32_t JoinPositions(const uint8_t** tags, const uint8_t** places, uint32_t count, uint8_t* out) {
  const uint8_t *tag = *tags, *p = *places;
  uint8_t* to = out + CheckpointCount(count) * sizeof(Checkpoint);
  int line = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (i % kBlock == 0) {
      const Checkpoint mark{static_cast<uint32_t>(to - out), line};
      std::memcpy(out + i / kBlock * sizeof(Checkpoint), &mark, sizeof(mark));
    }
    *to++ = *tag;
    if (*tag >= kShort) {
      line += *tag - kShort;
    } else if (*tag == kFull) {
      const uint8_t* delta = p;
      line += GetSigned(delta);
    }
    for (int varints = VarintsOf(*tag++); varints > 0;) {
      if (*p < 0x80) --varints;
      *to++ = *p++;
    }
  }
  *tags = tag;
  *places = p;
  return static_cast<uint32_t>(to - out);
}

PositionReader::PositionReader(const uint8_t* table, uint32_t word_count, uint32_t first_word)
    : table_(table), word_(first_word & ~(kBlock - 1)), word_count_(word_count) {
  while (word_ < first_word) Next();
}

void PositionReader::StartBlock() {
  Checkpoint mark;
  std::memcpy(&mark, table_ + word_ / kBlock * sizeof(Checkpoint), sizeof(mark));
  next_ = table_ + mark.offset;
  line_ = mark.line;
}

Position PositionReader::Next() {
  MVM_DCHECK(word_ < word_count_, "position past the end");
  if (word_ % kBlock == 0) StartBlock();
  ++word_;
  uint8_t tag = *next_++;
  if (tag == kSame) return last_;
  last_ = Position();
  if (tag == kNone) return last_;
  if (tag == kFull) {
    line_ += GetSigned(next_);
    last_.line = line_;
    last_.end_line = line_ + GetSigned(next_);
    last_.column = static_cast<int>(GetVarint(next_)) - 1;
    last_.end_column = static_cast<int>(GetVarint(next_)) - 1;
  } else {
    line_ += tag - kShort;
    last_.line = last_.end_line = line_;
    last_.column = static_cast<int>(GetVarint(next_));
    last_.end_column = last_.column + static_cast<int>(GetVarint(next_));
  }
  return last_;
}

namespace {

// The first mark behind word `pc`.
const LineMark* MarksAfter(const CodeObject* code, uint32_t pc) {
  return std::upper_bound(code->marks, code->marks + code->mark_count, pc,
                          [](uint32_t at, const LineMark& m) { return at < m.pc; });
}

}  // namespace

std::span<const LineMark> MarksAt(const CodeObject* code, uint32_t pc) {
  const LineMark* last = MarksAfter(code, pc);
  const LineMark* first = last;
  while (first != code->marks && first[-1].pc == pc) --first;
  return {first, last};
}

uint32_t SkipAt(const CodeObject* code, uint32_t pc) {
  const MarkSkip *first = code->skips, *end = first + code->skip_count;
  const MarkSkip* found =
      std::lower_bound(first, end, pc, [](const MarkSkip& m, uint32_t at) { return m.pc < at; });
  return found != end && found->pc == pc ? found->count : 0;
}

int64_t OffsetOf(const CodeObject* code, uint32_t pc, uint32_t back) {
  return (int64_t{1} + pc + (MarksAfter(code, pc) - code->marks) - back) * 2;
}

uint32_t WordAtOffset(const CodeObject* code, int64_t offset) {
  uint32_t low = 0, high = code->word_count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (OffsetOf(code, middle) < offset - 1) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int LineAtOffset(const CodeObject* code, int64_t offset) {
  if (offset < 0) return -1;
  if (offset < 2) return StartLine(code);
  const uint32_t pc = WordAtOffset(code, offset);
  if (pc >= code->word_count) return -1;
  const int64_t back = OffsetOf(code, pc) / 2 - offset / 2;
  const std::span<const LineMark> marks = MarksAt(code, pc);
  if (back <= 0 || back > static_cast<int64_t>(marks.size())) return LineAt(code, pc);
  return marks[marks.size() - static_cast<size_t>(back)].line;
}

Position PositionAt(const CodeObject* code, uint32_t pc) {
  if (pc >= code->word_count) return Position();
  return PositionReader(code->positions, code->word_count, pc).Next();
}

}  // namespace minivm
