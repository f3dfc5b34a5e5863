// Per-thread state of the interpreter that ThreadState does not show to lower layers.
#pragma once

#include "vm/interp/traceback.h"

namespace minivm {

// The VM's cache of attribute lookups for sites that see several shapes: what a shape and a name
// lead to. Cleared by InvalidateSites; soundness as for specialised sites (slow_attr.cpp).
struct AttrCache {
  enum Kind : uint32_t { kEmpty, kGetSlot, kGetCell, kMethod, kSetSlot, kSetAdd };
  struct Entry {
    uint32_t shape;
    uint32_t kind;
    StrObject* name;   // borrowed; interned names in code outlive their use here
    uint64_t payload;  // word index behind the header; cell; function; word index | new shape << 32
  };
  enum Family : uint32_t { kGet, kSet, kLoad, kOperator };
  static constexpr uint32_t kSize = 2048, kShift = 32 - 11;  // of a 32-bit hash the highest bits
  Entry entries[kSize];
  // What a site keeps of its name. An entry does not say of which family it is: those of one
  // attribute must never share a place.
  static uint32_t Key(const StrObject* name, Family family) {
    const uint64_t at = reinterpret_cast<uint64_t>(name) >> 4;
    return static_cast<uint32_t>(at ^ (at >> 16)) * 0x85EBCA6Bu + (family * 0x2A5u << kShift);
  }
  Entry* At(uint32_t shape, uint32_t key) {
    return &entries[(key + shape * 0x9E3779B1u) >> kShift];
  }
  Entry* Slot(uint32_t shape, const StrObject* name, Family family) {
    return At(shape, Key(name, family));
  }
};

struct CallProfile;   // call_profile.h
struct ProfileCall;   // "
struct ProfileHot;    // "
struct MonitorState;  // monitor.h
struct WatchTable;    // watch.h

struct InterpState {
  const void* const* normal_table = nullptr;
  const void* const* breaker_table = nullptr;
  const void* const* tick_table = nullptr;
  const void* const* watch_labels = nullptr;  // entries of watched words, by WatchKind
  const void* const* step_table = nullptr;    // where a word goes after a tick: watched or normal
  FrameObject* live_frames = nullptr;  // frame objects whose windows are live, innermost first
  bool yielded = false;         // how the last generator entry left Run(): yielded or returned
  bool quiet_unwind = false;    // nobody is told of the next generator that an exception ends
  bool skip_traceback = false;  // the next unwinding re-raises: no new entry for its frame
  Value asyncgen_firstiter, asyncgen_finalizer;  // sys.set_asyncgen_hooks; owned
  int coroutine_origin_depth = 0;                // sys.set_coroutine_origin_tracking_depth
  bool ticking = false;  // the tick table is wanted instead of the normal one
  // Called before every instruction while ticking: the hand-over of the lock (preempt.cpp).
  void (*tick)(ThreadState& ts) = nullptr;
  uint32_t switch_in = 0;  // instructions until the lock is handed over; 0: it is not asked for
  bool checking = false;   // it is offered every check_interval instructions
  int check_left = 0;      // until then
  uint32_t random = 0;     // state of what chooses switch_in
  // Return events (sys.setprofile, sys.settrace); borrowed result, null when an exception is
  // pending. Fails with what the script's function raised, which takes the place of either.
  Status (*on_return)(ThreadState& ts, Value* base, const Word* pc, Value result) = nullptr;
  // An exception is passing through a traced frame; it is pending, and may be replaced. `again`: it
  // has been seen there before.
  void (*on_exception)(ThreadState& ts, Value* base, const Word* pc, bool again) = nullptr;
  // A generator that a SEND word drives has returned `result` (borrowed), fails as on_return does.
  Status (*on_stop)(ThreadState& ts, Value* base, const Word* pc, Value result) = nullptr;
  // An exception, pending, is about to be raised in a resumed generator.
  Status (*on_throw)(ThreadState& ts, Value* base, const Word* pc) = nullptr;
  // Calls (watch.h). A frame has been entered at pc, or resumed there.
  Status (*on_enter)(ThreadState& ts, Value* base, const Word* pc) = nullptr;
  // The word at pc is about to call `callee`; `first` is its first argument, or null. Gives whether
  // somebody wants to know how it ends.
  Result<bool> (*on_call)(ThreadState& ts, Value* base, const Word* pc, Value callee,
                          Value first) = nullptr;
  // Such a call was not of a script function and has returned, or raised what is pending and may be
  // replaced.
  Status (*on_called)(ThreadState& ts, Value* base, const Word* pc, Value callee, Value first,
                      bool raised) = nullptr;
  // The pending exception has found a handler, at pc; `cleanup`: which does nothing but pass it on.
  // What a failure raises takes its place.
  Status (*on_handled)(ThreadState& ts, Value* base, const Word* pc, bool cleanup) = nullptr;
  MonitorState* monitor = nullptr;       // sys.monitoring, once asked for; the main thread's
  WatchTable* watch_table = nullptr;     // owned, once somebody has watched
  const WatchTable* watching = nullptr;  // null: nobody watches
  CallProfile* profile = nullptr;        // _lsprof counts
  ProfileHot* counting;                  // of the same, or kNoProfile: never null
  ProfileCall* profile_calls = nullptr;  // owned: by depth of frames
  // Called after tick: sys.settrace and sys.setprofile (vm/builtins/sys_trace.cpp).
  Status (*trace)(ThreadState& ts, Value* base, const Word* pc) = nullptr;
  Value trace_function, profile_function;  // owned; null: none
  bool in_trace = false;                   // a trace function is running: nothing is traced
  bool tick_wanted = false;                // somebody but tracing wants ticks
};

inline InterpState& InterpOf(ThreadState& ts) { return *static_cast<InterpState*>(ts.interp); }
inline const void* const* PlainTable(ThreadState& ts) {
  InterpState& s = InterpOf(ts);
  return s.ticking ? s.tick_table : s.step_table;
}

// The thread's dispatch table after `trace`, `tick_wanted` or the like have changed: takes effect
// at the next poll. Those who watch calls call UpdateWatching (watch.h).
inline void UpdateTicking(ThreadState& ts) {
  InterpState& s = InterpOf(ts);
  s.ticking = s.tick_wanted || s.trace != nullptr;
  const void* const* now = ts.tab.load(std::memory_order_relaxed);
  if (now != s.breaker_table) ts.tab.compare_exchange_strong(now, PlainTable(ts));
}

}  // namespace minivm
