// Recursion markers of repr(): "[...]" and the like.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// Made at the start of a container's repr. inside(): the container's repr is already being made
// further out, so a marker stands for it. Chained on the C stack, per thread.
class ReprGuard {
 public:
  ReprGuard(ThreadState& ts, Object* object) : ts_(ts), link_{object, ts.repr_chain} {
    for (const ReprLink* l = ts.repr_chain; l; l = l->prev) inside_ |= l->object == object;
    ts.repr_chain = &link_;
  }
  ~ReprGuard() { ts_.repr_chain = link_.prev; }
  ReprGuard(const ReprGuard&) = delete;
  ReprGuard& operator=(const ReprGuard&) = delete;
  bool inside() const { return inside_; }

 private:
  ThreadState& ts_;
  ReprLink link_;
  bool inside_ = false;
};

}  // namespace minivm
