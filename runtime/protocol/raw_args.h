// Raw arguments (slots.h, Args) with one more value in front: for calls that pass self or cls on.
#pragma once

#include <cstdlib>
#include <cstring>

#include "runtime/core/thread_state.h"

namespace minivm {

// Borrows everything. args() is null-vectored if there was no memory: test ok() first.
class ArgsWithFirst {
 public:
  ArgsWithFirst(Value first, Args raw) : n_(raw.n + 1), nkw_(raw.nkw) {
    size_t words = size_t{raw.n} + raw.nkw + (raw.nkw ? 1 : 0);
    if (words + 1 > kInline) v_ = static_cast<Value*>(std::malloc((words + 1) * sizeof(Value)));
    if (!v_) return;
    v_[0] = first;
    if (words) std::memcpy(static_cast<void*>(v_ + 1), raw.v, words * sizeof(Value));
  }
  ~ArgsWithFirst() {
    if (v_ != inline_) std::free(v_);
  }
  ArgsWithFirst(const ArgsWithFirst&) = delete;
  ArgsWithFirst& operator=(const ArgsWithFirst&) = delete;

  bool ok() const { return v_ != nullptr; }
  Args args() { return {v_, n_, nkw_}; }

 private:
  static constexpr size_t kInline = 12;
  Value inline_[kInline];
  Value* v_ = inline_;
  uint32_t n_, nkw_;
};

// The arguments behind the first one. REQUIRES: raw.n > 0
inline Args WithoutFirst(Args raw) { return {raw.v + 1, raw.n - 1, raw.nkw}; }

}  // namespace minivm
