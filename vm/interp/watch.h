// Watching calls: sys.setprofile, sys.monitoring and the profiler of _lsprof.
//
// Nobody watching costs nothing: while somebody does, the thread runs under a dispatch table in
// which the words that call, resume, return and yield have entries of their own, and every other
// word its usual one. There are two such tables. The general one tells the hooks of InterpState
// (on_enter, on_call, on_called, on_return). The profiler's is used while nobody else watches: its
// entries for specialised calls count in place (call_profile.h).
//
// Frames that C++ enters are told by the code that enters them; frames left by an exception, by the
// unwinder.
#pragma once

#include "vm/interp/call_profile.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/interp_state.h"

namespace minivm {

// What a word's entry does. The order is that of the labels in interpreter.cpp.
enum class WatchKind : uint8_t {
  kPlain,
  kCall,      // every call
  kResume,    // FOR_GEN and SEND, which resume generators
  kProperty,  // GETATTR_PROPERTY
  kSuper,     // LOAD_SUPER, which calls super
  kLeave,     // RET, RETSP, YIELD
  kProfilePy,
  kProfileMethodPy,
  kProfileClass,
  kProfileNative,
  kProfileMethodNative,
  kProfileProperty,
  kProfileFor,
  kProfileSend,
  kProfileRet,
  kProfileRetSp,
  kProfileYield,
  kProfileForget,  // GENSTART: what has been entered was no call
  kCount,
};

struct WatchTable {
  uint8_t kinds[256];       // WatchKind
  const void* labels[256];  // what the loop dispatches through
};

// Chooses the table after hooks or the profile of the thread's InterpState have changed; takes
// effect at the next poll. MemoryError.
Status UpdateWatching(ThreadState& ts);
void ReleaseWatchTable(InterpState& state);

// A frame has been entered while somebody watches: ts->base and ts->pc are its. False: a hook
// raised, and what the frame holds but its locals is released; the exception is to be raised there.
bool WatchEntry(ThreadState* ts);
// The same, where it is not known that somebody watches.
inline bool TellEntry(ThreadState* ts, const FunctionObject* f) {
  const InterpState& state = InterpOf(*ts);
  if (MVM_LIKELY(state.watching == nullptr)) return true;
  if (state.on_enter == nullptr && ProfileEnterFast(ts, f->code, HeaderOf(ts->base).depth()))
    return true;
  return WatchEntry(ts);
}
// The frame at ts.base has been resumed to raise the pending exception at ts.pc.
void WatchThrow(ThreadState& ts);

// SlowCall and SlowLoadSuper for those that are watched. When they have raised, the exception is in
// the frame at ts->base, at ts->pc.
MVM_SLOW CallOutcome WatchedCall(ThreadState* ts, Value* R, Word* pc);
// LOAD_METHOD of a static or class method: who watches calls sees the bound method.
MVM_SLOW bool WatchedWrappedMethod(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool WatchedSuper(ThreadState* ts, Value* R, Word* pc);
// Before a frame is left by RET or YIELD.
MVM_SLOW void WatchLeave(ThreadState* ts, Value* R, Word* pc);
// The frame at R is left by the pending exception.
MVM_SLOW void WatchUnwind(ThreadState* ts, Value* R, const Word* pc);

}  // namespace minivm
