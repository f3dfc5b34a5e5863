// The profiler of _lsprof: which function called which how often, and where the time went.
//
// While the program runs it only counts in states: what the report shows (primitive calls,
// cumulative times, callers) is computed from them when asked for, or when they have become many
// (ProfileFlush). A state is the function that runs together with the set of the calls, caller and
// callee, that are running below it. A call leads to the state with one more in the set, or, when
// that call is there already, that is in recursion, to one with the same set: so there are few of
// them however a program recurses, and the state tells whether a call is recursive and whose
// cumulative time grows. Calls mostly go where the call before went; else a small cache tells
// (ProfilePage).
//
// The state of each running frame is found by the frame's depth (ProfileCall), so a return has
// nothing to do but to look whether time is due. A native has no frame: it takes its caller's
// place.
//
// Time. Reading the clock costs more than a call. As long as events are far apart every one reads
// it. Once calls come thick (less than kDenseNanos apart) a thread of its own clears
// ProfileHot::quiet at every tick, and only the event that finds it cleared reads the clock: what
// happened between two readings then belongs to whoever ran when the tick came, which is right on
// average and never wrong by more than a tick; calls are still counted one by one. From time to
// time some events in a row read the clock, to see whether calls are still thick. `quiet` is in
// memory that a fork clears, which is how a child notices that the thread is not there. A timer
// that a script provides is asked at every event.
//
// As in CPython all threads of the VM are counted, into the same states; each has its own calls.
// Everything happens under the VM's lock, but for the ticks.
//
// Invariants: states are addressed by their offset; 0 is the root, in which nothing that is known
// of runs: calls that ran before profiling began. A place of ProfileCall that nobody has written
// is 0, and all are set to 0 when states are dropped: an offset there is always one of a state.
#pragma once

#include <pthread.h>

#include <atomic>

#include "vm/interp/interp_state.h"

namespace minivm {

struct ProfileEdge;

// What is known of one function.
struct ProfileEntry {
  const void* key = nullptr;     // code object, or MethodSpec of a native
  Value object;                  // owned: the code object, or a native's description
  ProfileEntry* next = nullptr;  // all entries
  ProfileEdge* edges = nullptr;  // whom it called
  int64_t calls = 0, recursive = 0, total = 0, self = 0;
  uint32_t level = 0;  // while the states are summed up: how often it is on the path
  bool native = false;
};
struct ProfileEdge {
  ProfileEntry* caller = nullptr;
  ProfileEntry* callee = nullptr;
  ProfileEdge* next = nullptr;  // of the same caller
  int64_t calls = 0, recursive = 0, total = 0, self = 0;
  uint32_t level = 0;
};

struct ProfileNode {
  const void* key = nullptr;  // the function; null: the root
  int64_t calls = 0;
  uint64_t self = 0;              // time; wraps as unsigned numbers do
  uint32_t last = 0;              // a state that is often entered from here, or 0
  ProfileEntry* entry = nullptr;  // null: the root
  ProfileEdge* edge = nullptr;    // the call it came by; null below the root
  // The tree: a child's set of calls is its parent's with `edge` in addition, or, of states in
  // recursion, the same. `set`: the state that has added to the set last, this one or its parent.
  uint32_t parent = 0, child = 0, sibling = 0, set = 0;
};

// The place of a frame: the offset of its state, or of that of the native that runs in it, which
// has the frame's own above; or the offset of its caller's with kOver above: it is no call.
struct ProfileCall {
  static constexpr uint64_t kOver = 1;
  uint64_t bits;
  uint32_t node() const { return static_cast<uint32_t>(bits); }
  uint32_t under() const { return static_cast<uint32_t>(bits >> 32); }
};

// What calls and returns touch.
struct ProfileHot {
  std::atomic<uint32_t> quiet{0};  // 0: the next event looks at the clock
  ProfileNode* nodes = nullptr;
};
// What is quiet at times is one of these.
struct ProfilePage : ProfileHot {
  struct Step {
    uint32_t from, to;
  };
  static constexpr uint32_t kShift = 23;
  Step steps[size_t{1} << (32 - kShift)];
  Step* For(uint32_t from, const void* key) {
    const auto low = static_cast<uint32_t>(reinterpret_cast<uint64_t>(key));
    return &steps[(low + from) * uint32_t{0x9E3779B1} >> kShift];
  }
};

// A set by hash: open addressing, a power of two of places.
struct ProfileTable {
  uint64_t* places = nullptr;
  size_t capacity = 0;
  size_t count = 0;
};

struct CallProfile {
  ProfileHot asking;  // never quiet
  ProfileHot* hot = &asking;
  ProfileNode* nodes = nullptr;
  uint32_t node_count = 0, node_capacity = 0, node_limit = 0;
  uint32_t misses = 0;   // calls that led where no call had before, or that the cache did not tell
  ProfileTable steps;    // where calls lead, by state and function; states by set and call
  ProfileTable entries;  // by key
  ProfileTable edges;    // by caller and callee
  ProfileEntry* all = nullptr;  // in the order in which they came up
  ProfileEntry* end = nullptr;

  uint64_t now = 0;  // the last reading
  // Density of events.
  uint64_t window_start = 0, begun = 0;
  uint32_t window_events = 0, window_size = 0, ticks = 0;
  bool dense = false;    // the clock is read when a tick has come
  bool ticking = false;  // there is a thread
  std::atomic<uint64_t> tick_nanos{0};
  std::atomic<bool> count{false};  // the thread counts, or it rests
  std::atomic<bool> stop{false};
  pthread_t ticker{};

  Value owner;      // owned while it counts: the object that has it
  Value timer;      // owned; null: the clock, in nanoseconds
  double unit = 0;  // seconds that one unit of the timer is; 0: it gives seconds as a float
  bool subcalls = true;
  bool builtins = true;
  bool busy = false;    // the timer is running: nothing is counted
  bool failed = false;  // no memory
};

// Counts the call of a script function whose frame has this depth, or of a native by the frame
// (false: it is none, or natives are not wanted). Never fails.
void ProfileEnter(ThreadState* ts, CodeObject* code, uint64_t depth);
bool ProfileNative(ThreadState* ts, Value callee, uint64_t depth);
// The frame is left; the native in the frame has returned. Only needed if time is due.
void ProfileLeave(ThreadState* ts, uint64_t depth);
void ProfileNativeLeft(ThreadState* ts, uint64_t depth);
// The frame that has been entered is no call.
void ProfileForget(ThreadState* ts, uint64_t depth);
// A frame that is laid without being entered.
void ProfileOver(ThreadState* ts, uint64_t depth);

inline bool ProfileQuiet(const ThreadState* ts) {
  const InterpState& state = *static_cast<InterpState*>(ts->interp);
  return MVM_LIKELY(state.counting->quiet.load(std::memory_order_relaxed) != 0);
}
// The state that the call of `key` leads to, where that is known at once, else 0.
inline uint32_t ProfileStep(ProfileHot* hot, uint32_t from, const void* key) {
  char* const nodes = reinterpret_cast<char*>(hot->nodes);
  const auto at = [nodes](uint32_t offset) {
    return reinterpret_cast<ProfileNode*>(nodes + offset);
  };
  uint32_t to = at(from)->last;
  if (!MVM_LIKELY(at(to)->key == key)) {
    const ProfilePage::Step* step = static_cast<ProfilePage*>(hot)->For(from, key);
    to = step->to;
    if (!MVM_LIKELY(step->from == from && at(to)->key == key)) return 0;
  }
  ++at(to)->calls;
  return to;
}
// The common cases, in place; false: nothing done.
inline bool ProfileEnterFast(ThreadState* ts, const void* key, uint64_t depth) {
  const InterpState& state = InterpOf(*ts);
  if (!ProfileQuiet(ts)) return false;
  ProfileCall* call = state.profile_calls + depth;
  const uint32_t to = ProfileStep(state.counting, call[-1].node(), key);
  if (MVM_UNLIKELY(to == 0)) return false;
  call->bits = to;
  return true;
}
inline bool ProfileNativeFast(ThreadState* ts, const void* key, uint64_t depth) {
  const InterpState& state = InterpOf(*ts);
  if (!ProfileQuiet(ts)) return false;
  ProfileCall* call = state.profile_calls + depth;
  const uint32_t from = call->node();
  const uint32_t to = ProfileStep(state.counting, from, key);
  if (MVM_UNLIKELY(to == 0)) return false;
  call->bits = uint64_t{from} << 32 | to;
  return true;
}
inline bool ProfileNativeLeftFast(ThreadState* ts, uint64_t depth) {
  if (!ProfileQuiet(ts)) return false;
  ProfileCall* call = InterpOf(*ts).profile_calls + depth;
  call->bits >>= 32;
  return true;
}

// What a thread counts in that does not: never quiet.
extern const ProfileHot kNoProfile;

// What counts, or null.
CallProfile* ActiveProfile(RuntimeState& rt);
// Starts and stops counting in all threads; `owner`, the object that has it, is held meanwhile.
// Stopping ends all calls that are known to be running.
Status StartProfile(ThreadState& ts, CallProfile* p, Value owner);
void StopProfile(ThreadState& ts, CallProfile* p);
// `builtins` or `subcalls` have changed while it counts. MemoryError.
Status RenewProfile(ThreadState& ts, CallProfile* p);
// Adds what has been counted to the entries, and starts anew. Calls that are still running are not
// counted yet.
void ProfileFlush(RuntimeState& rt, CallProfile* p);
// A thread begins; a thread ends, with the main thread the profile.
void JoinProfile(ThreadState& ts);
void AbandonProfile(ThreadState& ts);
// Drops everything that has been counted. REQUIRES: `rt` is null only if it does not count.
void ClearProfile(Heap& heap, RuntimeState* rt, CallProfile* p);

}  // namespace minivm
