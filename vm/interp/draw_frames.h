// Frames that natives draw values from without leaving Run() for each (protocol/draw.h).
//
// The return address of a frame that C++ has called is not needed; it says instead where the
// frame's values may go: of a generator the Batch for what it yields, of a function the Series of
// calls that this one belongs to. Then YIELD and RET go on at once with the next resumption or
// call. Whoever watches, traces or has asked for the frame is told of each: then they are left as
// usual.
#pragma once

#include "runtime/protocol/draw.h"
#include "vm/interp/frame.h"
#include "vm/interp/interp_state.h"

namespace minivm {

inline bool IsObserved(ThreadState* ts) {
  const InterpState& state = InterpOf(*ts);
  return state.watching != nullptr || state.trace != nullptr;
}

// Has what the generator at R yields to a native, owned, gone into its batch?
inline bool TakenByNative(ThreadState* ts, const Value* R, Value value) {
  Batch* batch = R[-2].as<Batch>();
  return batch != nullptr && !IsObserved(ts) && batch->Take(value);
}

// Calls of one function with one argument each.
struct Series {
  Batch* batch;  // for the results; of a filter, for the items that are kept
  FunctionObject* function;
  const Word* entry;  // of the function: while both stand, the next call is like the first
  Value source;       // what the arguments come from: an iterator that PeekNext() knows,
  const Value* at;    // or an array
  const Value* end;
  bool filters;  // the results are True or False
  Value item;    // of a filter: what is being asked about, owned
};

// The function at R, whose locals are gone, has returned `result` (owned) as one of a series. True:
// the result is dealt with, and R has the next argument. Runs no script code.
bool NextOfSeries(ThreadState* ts, Value* R, Value result);

// Calls a function whose plain_count is 1 with an owned argument, as the first of a series.
Result<> CallInSeries(ThreadState& ts, FunctionObject* f, Value argument, Series* series);

// VmHooks::draw and VmHooks::call_each.
Result<> DrawFromScript(ThreadState& ts, Value iterator, Batch* batch);
int64_t CallEach(ThreadState& ts, Value function, const Value* items, int64_t n, Value* out);

}  // namespace minivm
