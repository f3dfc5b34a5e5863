// Encoder: runs, the transform, the choice of codes, bits.
#include "stdlib/bz2/encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "stdlib/bz2/suffix_sort.h"
#include "stdlib/zlib/huffman.h"

namespace minivm::bz2 {

namespace {

constexpr uint32_t kSpare = 19;  // a block is not filled to its last bytes, as readers expect
constexpr uint32_t kRunStart = 4, kLongestRun = 255;
constexpr int kMaxWrittenBits = 17;

// Where the least of the rotations of text[0, n) begins.
uint32_t LeastRotation(const uint8_t* text, uint32_t n) {
  uint32_t a = 0, b = 1, same = 0;
  auto at = [&](uint32_t i) { return text[i < n ? i : i - n]; };
  while (a < n && b < n && same < n) {
    const uint8_t x = at(a + same), y = at(b + same);
    if (x == y) {
      ++same;
      continue;
    }
    // None of those passed over can be the least.
    (x > y ? a : b) += same + 1;
    if (a == b) ++b;
    same = 0;
  }
  return std::min(a, b);
}

}  // namespace

Encoder::Encoder(CodecMemory& memory, int level, bool* ok)
    : memory_(memory), out_(memory), capacity_(static_cast<uint32_t>(level) * kBlockUnit) {
  const size_t n = capacity_;
  const size_t all = 6 * n + SuffixSortWorkspace(n) + kMaxSelectors;
  *ok = false;
  if (memory.WouldExceed(all)) return;
  text_ = static_cast<uint8_t*>(memory.AllocateBuffer(n));
  sorted_ = static_cast<uint8_t*>(memory.AllocateBuffer(n));
  order_ = static_cast<int32_t*>(memory.AllocateBuffer(n * sizeof(int32_t)));
  workspace_ = memory.AllocateBuffer(SuffixSortWorkspace(n));
  chosen_ = static_cast<uint8_t*>(memory.AllocateBuffer(kMaxSelectors));
  *ok = text_ && sorted_ && order_ && workspace_ && chosen_ && out_.Reserve(16);
  if (*ok) Put(0x425A6800u + '0' + static_cast<uint32_t>(level), 32);
}

Encoder::~Encoder() {
  const size_t n = capacity_;
  if (text_) memory_.FreeBuffer(text_, n);
  if (sorted_) memory_.FreeBuffer(sorted_, n);
  if (order_) memory_.FreeBuffer(order_, n * sizeof(int32_t));
  if (workspace_) memory_.FreeBuffer(workspace_, SuffixSortWorkspace(n));
  if (chosen_) memory_.FreeBuffer(chosen_, kMaxSelectors);
}

void Encoder::Put(uint64_t bits, int n) {
  bits_ = bits_ << n | bits;
  have_ += n;
  while (have_ >= 8) {
    have_ -= 8;
    out_.data()[out_.size()] = static_cast<uint8_t>(bits_ >> have_);
    out_.set_size(out_.size() + 1);
  }
}

// ---- text ----

bool Encoder::Add(std::string_view input) {
  for (const char c : input) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (run_ > 0 && (byte != run_byte_ || run_ == kLongestRun)) {
      if (!AddRun()) return false;
    }
    run_byte_ = byte;
    ++run_;
  }
  return true;
}

// A run of up to 255: four bytes of it, and the number of those that follow.
bool Encoder::AddRun() {
  if (run_ == 0) return true;
  if (size_ + kRunStart + 1 > capacity_ - kSpare && !EndBlock()) return false;
  for (uint32_t i = 0; i < run_; ++i) checksum_.Add(run_byte_);
  used_[run_byte_] = true;
  for (uint32_t i = 0; i < std::min(run_, kRunStart); ++i) text_[size_++] = run_byte_;
  if (run_ >= kRunStart) {
    text_[size_++] = static_cast<uint8_t>(run_ - kRunStart);
    used_[run_ - kRunStart] = true;
  }
  run_ = 0;
  return true;
}

bool Encoder::Finish() {
  if (!AddRun() || (size_ > 0 && !EndBlock()) || !out_.Reserve(32)) return false;
  Put(kEndMagic, 48);
  Put(all_checksums_, 32);
  if (have_ > 0) Put(0, 8 - have_);
  return true;
}

// ---- a block ----

bool Encoder::EndBlock() {
  const uint32_t origin = Transform();
  const uint32_t count = MoveToFront();
  MakeCodes(count);
  const uint64_t symbol_bits = ChooseCodes(count);
  constexpr size_t kMostHeader = 64 + kMaxSelectors + kMaxGroups * kMaxAlphabet * 5;
  if (!out_.Reserve(symbol_bits / 8 + kMostHeader)) return false;
  Put(kBlockMagic, 48);
  Put(checksum_.value(), 32);
  Put(origin, 25);
  WriteUsed();
  WriteSelectors();
  WriteLengths();
  WriteSymbols(count);
  all_checksums_ = (all_checksums_ << 1 | all_checksums_ >> 31) ^ checksum_.value();
  checksum_ = {};
  size_ = 0;
  std::fill(std::begin(used_), std::end(used_), false);
  return true;
}

// Sorts all rotations of the text; their last bytes go to sorted_. The place of the text itself.
//
// From the least rotation on, no rotation that is not the least begins with the text's own begin,
// so that rotations and suffixes come in the same order.
uint32_t Encoder::Transform() {
  const uint32_t least = LeastRotation(text_, size_);
  std::memcpy(sorted_, text_ + least, size_ - least);
  std::memcpy(sorted_ + size_ - least, text_, least);
  SortSuffixes(sorted_, static_cast<int32_t>(size_), order_, workspace_);
  const int32_t own = least == 0 ? 0 : static_cast<int32_t>(size_ - least);
  uint32_t origin = 0;
  // The text is not needed any more, the rotated one is until the end.
  for (uint32_t i = 0; i < size_; ++i) {
    const int32_t place = order_[i];
    if (place == own) origin = i;
    text_[i] = sorted_[place == 0 ? size_ - 1 : static_cast<uint32_t>(place) - 1];
  }
  std::swap(text_, sorted_);
  return origin;
}

// The symbols of the last column, to order_; their number.
uint32_t Encoder::MoveToFront() {
  auto* symbols = reinterpret_cast<uint16_t*>(order_);
  uint8_t list[256];
  int known = 0;
  for (int i = 0; i < 256; ++i) {
    if (used_[i]) list[known++] = static_cast<uint8_t>(i);
  }
  alphabet_ = known + 2;
  std::memset(frequency_[0], 0, sizeof frequency_[0]);
  uint32_t count = 0, zeros = 0;
  auto put = [&](uint32_t symbol) {
    symbols[count++] = static_cast<uint16_t>(symbol);
    ++frequency_[0][symbol];
  };
  auto end_zeros = [&] {
    // Digits 1 and 2 to the base of two, the lowest first.
    while (zeros > 0) {
      put(zeros & 1 ? kRunA : kRunB);
      zeros = (zeros - 1) / 2;
    }
  };
  for (uint32_t i = 0; i < size_; ++i) {
    const uint8_t byte = sorted_[i];
    if (list[0] == byte) {
      ++zeros;
      continue;
    }
    end_zeros();
    int back = 1;
    while (list[back] != byte) ++back;
    std::memmove(list + 1, list, static_cast<size_t>(back));
    list[0] = byte;
    put(static_cast<uint32_t>(back) + 1);
  }
  end_zeros();
  put(static_cast<uint32_t>(known) + 1);
  return count;
}

// First codes: each for a range of the symbols, so that the ranges occur about equally often.
void Encoder::MakeCodes(uint32_t count) {
  groups_ = count < 200 ? 2 : count < 600 ? 3 : count < 1200 ? 4 : count < 2400 ? 5 : 6;
  selectors_ = (count + kGroupSize - 1) / kGroupSize;
  uint32_t left = count;
  int from = 0;
  for (int group = 0; group < groups_; ++group) {
    const uint32_t share = left / static_cast<uint32_t>(groups_ - group);
    uint32_t sum = 0;
    int to = from;
    while (to < alphabet_ && (sum < share || to == from)) sum += frequency_[0][to++];
    if (group == groups_ - 1) to = alphabet_;
    for (int i = 0; i < alphabet_; ++i) length_[group][i] = i >= from && i < to ? 1 : 15;
    left -= std::min(left, sum);
    from = to;
  }
}

// Gives each group of symbols the code that is the shortest for it, and makes the codes anew for
// those that got them; some times over. The bits that it takes.
uint64_t Encoder::ChooseCodes(uint32_t count) {
  const auto* symbols = reinterpret_cast<const uint16_t*>(order_);
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::memset(frequency_, 0, sizeof frequency_);
    for (uint32_t at = 0, selector = 0; at < count; at += kGroupSize, ++selector) {
      const uint32_t end = std::min(at + kGroupSize, count);
      int best = 0;
      uint32_t best_cost = UINT32_MAX;
      for (int group = 0; group < groups_; ++group) {
        uint32_t cost = 0;
        for (uint32_t i = at; i < end; ++i) cost += length_[group][symbols[i]];
        if (cost < best_cost) {
          best_cost = cost;
          best = group;
        }
      }
      chosen_[selector] = static_cast<uint8_t>(best);
      for (uint32_t i = at; i < end; ++i) ++frequency_[best][symbols[i]];
    }
    for (int group = 0; group < groups_; ++group) {
      // Every symbol has a code, those that do not occur the longest.
      uint32_t weight[kMaxAlphabet];
      for (int i = 0; i < alphabet_; ++i) weight[i] = frequency_[group][i] * 16 + 1;
      zlib::AssignLengths(weight, alphabet_, kMaxWrittenBits, length_[group]);
    }
  }
  uint64_t bits = 0;
  for (int group = 0; group < groups_; ++group) {
    for (int i = 0; i < alphabet_; ++i) {
      bits += uint64_t{frequency_[group][i]} * length_[group][i];
    }
  }
  return bits;
}

void Encoder::WriteUsed() {
  uint32_t rows[16] = {}, all = 0;
  for (uint32_t i = 0; i < 256; ++i) {
    if (!used_[i]) continue;
    rows[i / 16] |= 1u << (15 - i % 16);
    all |= 1u << (15 - i / 16);
  }
  Put(all, 16);
  for (const uint32_t row : rows) {
    if (row) Put(row, 16);
  }
}

void Encoder::WriteSelectors() {
  Put(static_cast<uint32_t>(groups_), 3);
  Put(selectors_, 15);
  uint8_t list[kMaxGroups] = {0, 1, 2, 3, 4, 5};
  for (uint32_t i = 0; i < selectors_; ++i) {
    int back = 0;
    while (list[back] != chosen_[i]) ++back;
    std::memmove(list + 1, list, static_cast<size_t>(back));
    list[0] = chosen_[i];
    Put((1u << (back + 1)) - 2, back + 1);  // ones, and a zero
  }
}

void Encoder::WriteLengths() {
  for (int group = 0; group < groups_; ++group) {
    int length = length_[group][0];
    Put(static_cast<uint32_t>(length), 5);
    for (int i = 0; i < alphabet_; ++i) {
      for (; length < length_[group][i]; ++length) Put(2, 2);
      for (; length > length_[group][i]; --length) Put(3, 2);
      Put(0, 1);
    }
  }
}

void Encoder::WriteSymbols(uint32_t count) {
  const auto* symbols = reinterpret_cast<const uint16_t*>(order_);
  uint32_t words[kMaxGroups][kMaxAlphabet];
  for (int group = 0; group < groups_; ++group) {
    uint32_t next = 0;
    for (int n = 1; n <= kMaxWrittenBits; ++n, next <<= 1) {
      for (int i = 0; i < alphabet_; ++i) {
        if (length_[group][i] == n) words[group][i] = next++;
      }
    }
  }
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t group = chosen_[i / kGroupSize];
    Put(words[group][symbols[i]], length_[group][symbols[i]]);
  }
}

}  // namespace minivm::bz2
