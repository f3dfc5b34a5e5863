// Decoding the symbols of LZMA to the bytes that they stand for.
#pragma once

#include "stdlib/codec_memory.h"
#include "stdlib/lzma/model.h"

namespace minivm::lzma {

// The last bytes that were made, as far back as matches may reach: a ring, which grows up to its
// size while there is use for it.
class History {
 public:
  explicit History(CodecMemory& memory) : memory_(memory) {}
  ~History() {
    if (bytes_) memory_.FreeBuffer(bytes_, capacity_);
  }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void Reset(size_t size) {
    size_ = size < 4096 ? 4096 : size;
    Forget();
  }
  void Forget() { at_ = known_ = 0; }
  // Room for some bytes from here on, without going around: how many. 0: no memory.
  size_t Room();
  uint8_t* here() { return bytes_ + at_; }
  void Advance(size_t n) {
    at_ += n;
    known_ = std::min(known_ + n, size_);
  }
  // Repeats what stands that far back. REQUIRES: Has(distance), n bytes of room.
  void Repeat(uint32_t distance, size_t n) {
    uint8_t* to = bytes_ + at_;
    if (at_ > distance) {
      const uint8_t* from = to - distance - 1;
      for (size_t i = 0; i < n; ++i) to[i] = from[i];
      Advance(n);
      return;
    }
    for (size_t i = 0; i < n; ++i) {
      *here() = Back(distance);
      Advance(1);
    }
  }
  bool Has(uint32_t distance) const { return distance < known_; }
  // REQUIRES: Has(distance), or nothing is known and it is 0.
  uint8_t Back(uint32_t distance) const {
    if (known_ == 0) return 0;
    return bytes_[at_ > distance ? at_ - distance - 1 : at_ + ring() - distance - 1];
  }

 private:
  size_t ring() const { return std::min(capacity_, size_); }

  CodecMemory& memory_;
  uint8_t* bytes_ = nullptr;
  size_t capacity_ = 0, size_ = 4096, at_ = 0, known_ = 0;
};

class LzmaDecoder {
 public:
  enum class Result : uint8_t {
    kMore,  // the input is used up
    kFull,  // `limit` bytes were made, or as many as there is room for in one piece
    kEnd,   // the end marker
    kError,
    kNoMemory,
  };

  explicit LzmaDecoder(CodecMemory& memory) : history_(memory) {}

  History& history() { return history_; }
  void SetProperties(const Properties& p) { properties_ = p; }
  // Forgets all but the history.
  void ResetState();
  // The next input begins with what begins every piece of coded data.
  void BeginRange() {
    start_left_ = 5;
    carried_ = 0;
  }

  // Decodes from [*in, end), moving on; at most `limit` bytes, which are at *made. `last`: no input
  // follows that.
  Result Run(const uint8_t** in, const uint8_t* end, bool last, size_t limit, const uint8_t** made,
             size_t* made_size);
  // Is the data at an end, with nothing left over? Takes a last byte if need be; false with
  // *lacking set: it is not there yet.
  bool AtEnd(const uint8_t** in, const uint8_t* end, bool* lacking);
  bool has_match_left() const { return match_left_ > 0; }
  // Bytes that are no symbols.
  void ResetPlace() { place_ = 0; }
  void CountPlain(size_t n) { place_ += n; }

 private:
  // The most bytes that a symbol takes.
  static constexpr size_t kMostInput = 24;
  struct Symbol {
    uint32_t length;  // 0: a literal
    uint32_t distance;
    uint8_t literal;
    uint8_t kind;  // 0 literal, 1 match, 2 short repeat, 3 + i: repeat of the i-th last distance
  };
  // Reads bits. kDry: changes nothing, and sees whether there is input enough.
  template <bool kDry>
  class Reader;
  template <bool kDry>
  Symbol ReadSymbol(Reader<kDry>& r);
  bool Start(const uint8_t** in, const uint8_t* end);
  // Reads the next symbol into match_left_ or literal; the result is kMore if it is not all there.
  Result Next(const uint8_t** in, const uint8_t* end, bool last, Symbol* symbol);
  bool Accept(const Symbol& symbol);

  History history_;
  Properties properties_;
  Model model_;
  State state_;
  uint32_t repeats_[4] = {};
  uint32_t range_ = 0, code_ = 0;
  uint64_t place_ = 0;
  uint32_t match_left_ = 0;
  int start_left_ = 5;
  bool bad_start_ = false;
  bool ended_ = false;
  // Input that was too little for a symbol.
  uint8_t carry_[kMostInput];
  size_t carried_ = 0;
};

}  // namespace minivm::lzma
