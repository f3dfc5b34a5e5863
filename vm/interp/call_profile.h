// The profiler of _lsprof: which function called which how often, and where the time went.
//
// While the program runs it only walks a tree of calling contexts: one node per path of calls that
// has come up, with the number of calls and the time spent in the node itself. What the report
// shows (primitive calls, cumulative times, callers) follows from the tree and is computed from it
// when asked for, or when the tree has grown large (ProfileFlush). A call moves to a child, mostly
// the one of the call before: one comparison. A return moves to the parent.
//
// Time. Reading the clock costs more than a call. As long as events are far apart every one reads
// it. Once calls come thick (less than kDenseNanos apart) a thread of its own counts ticks of
// kTickNanos, and an event reads the clock only if the tick has changed since the last reading:
// what happened between two readings then belongs to whoever ran when the tick came, which is right
// on average and never wrong by more than a tick; calls are still counted one by one. The tick is
// in memory that a fork clears, which is how a child notices that the thread is not there. A timer
// that a script provides is asked at every event.
//
// Invariants: the path from `current` to the root is the stack of calls that are known to be
// running, with growing `base` (the frame's registers; of natives their window). Calls that ran
// before profiling began are not on it, so their ends find no node.
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
  uint32_t level = 0;  // while the tree is walked: how often it is on the path
};
struct ProfileEdge {
  ProfileEntry* callee = nullptr;
  ProfileEdge* next = nullptr;
  int64_t calls = 0, recursive = 0, total = 0, self = 0;
  uint32_t level = 0;
};

struct ProfileNode {
  ProfileNode* parent = nullptr;  // null: the root
  const void* key = nullptr;
  ProfileNode* last = nullptr;  // the child that was entered last, or CallProfile::nobody
  ProfileNode* child = nullptr;
  ProfileNode* sibling = nullptr;
  ProfileEntry* entry = nullptr;
  ProfileEdge* edge = nullptr;  // from the parent's entry; null below the root
  int64_t calls = 0;
  uint64_t self = 0;  // time; wraps as unsigned numbers do
  Value* base = nullptr;
};

// A set of pointers by hash: open addressing, a power of two of places.
struct ProfileTable {
  void** places = nullptr;
  size_t capacity = 0;
  size_t count = 0;
};

struct ProfileChunk;

inline constexpr uint64_t kEveryEvent = ~uint64_t{0};

struct CallProfile {
  // What calls and returns touch.
  ProfileNode* current = &root;
  std::atomic<uint64_t>* tick = &no_tick;
  uint64_t seen = kEveryEvent;  // the tick of the last reading, or kEveryEvent
  uint64_t entered = 0;

  uint64_t now = 0;  // the last reading
  ProfileNode nobody;
  ProfileNode root{.last = &nobody};
  ProfileChunk* chunks = nullptr;
  uint32_t chunk_used = 0;
  size_t node_count = 0;
  ProfileTable nodes;           // by parent and key
  ProfileTable entries;         // by key
  ProfileEntry* all = nullptr;  // in the order in which they came up
  ProfileEntry* end = nullptr;
  // Density of events.
  uint64_t window_entered = 0, window_start = 0;
  uint32_t window_events = 0, sparse = 0;
  bool dense = false;  // ticks are counted
  std::atomic<uint64_t> no_tick{1};
  std::atomic<bool> count{false};  // the thread counts, or it rests
  std::atomic<bool> stop{false};
  pthread_t ticker{};

  Value timer;      // owned; null: the clock, in nanoseconds
  double unit = 0;  // seconds that one unit of the timer is; 0: it gives seconds as a float
  bool subcalls = true;
  bool builtins = true;
  bool busy = false;    // the timer is running: nothing is counted
  bool failed = false;  // no memory
};

// Counts the call of a script function whose frame is at `base`; of a native whose window is there
// (false: it is none, or natives are not wanted). Never fails.
void ProfileEnter(ThreadState* ts, CodeObject* code, Value* base);
bool ProfileNative(ThreadState* ts, Value callee, Value* base);
// The call at `base` is over, if it is known of.
void ProfileLeave(ThreadState* ts, Value* base);
// What has been entered at `base` was no call.
void ProfileForget(ThreadState* ts, Value* base);

// The common cases, in place; false: nothing done.
inline bool ProfileEnterFast(ThreadState* ts, const void* key, Value* base) {
  CallProfile* p = InterpOf(*ts).counting;
  ProfileNode* node = p->current->last;
  if (MVM_UNLIKELY(node->key != key || p->tick->load(std::memory_order_relaxed) != p->seen))
    return false;
  ++p->entered;
  ++node->calls;
  node->base = base;
  p->current = node;
  return true;
}
inline bool ProfileLeaveFast(ThreadState* ts, const Value* base) {
  CallProfile* p = InterpOf(*ts).counting;
  ProfileNode* node = p->current;
  if (MVM_UNLIKELY(node->base != base || p->tick->load(std::memory_order_relaxed) != p->seen))
    return false;
  p->current = node->parent;
  return true;
}

// What a thread counts in that does not: nothing is ever found there.
extern const CallProfile kNoProfile;

// Starts and stops counting in this thread; `owner`, the object that has it, is held meanwhile.
// Stopping ends all calls that are known to be running.
Status StartProfile(ThreadState& ts, CallProfile* p, Value owner);
void StopProfile(ThreadState& ts, CallProfile* p);
// Adds what the tree has counted to the entries and starts it anew. Calls that are still running
// are not counted yet.
void ProfileFlush(CallProfile* p);
// The thread ends.
void AbandonProfile(ThreadState& ts);
// Drops everything that has been counted.
void ClearProfile(Heap& heap, CallProfile* p);

}  // namespace minivm
