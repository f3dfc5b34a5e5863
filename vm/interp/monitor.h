// sys.monitoring (PEP 669): which tools want which events, and telling them.
//
// Up to six tools have a name, a set of events for the whole program, sets for single code objects,
// and a callback for each event. A callback that returns DISABLE is not called again for that event
// at that place until events are restarted. Where events come from: watch.h for calls, the tick
// table for lines and instructions (vm/builtins/sys_trace.cpp), the unwinder for exceptions.
//
// The state is the VM's: every thread's InterpState points to it once it has been made.
#pragma once

#include <span>

#include "vm/interp/interp_state.h"

namespace minivm {

enum class MonitorEvent : uint32_t {
  kPyStart,
  kPyResume,
  kPyReturn,
  kPyYield,
  kCall,
  kLine,
  kInstruction,
  kJump,
  kBranch,
  kStopIteration,
  kRaise,
  kExceptionHandled,
  kPyUnwind,
  kPyThrow,
  kReraise,
  kCReturn,  // sent to who wants kCall, as is kCRaise
  kCRaise,
  kCount,
};

inline constexpr size_t kMonitorTools = 6;
inline constexpr size_t kMonitorEvents = static_cast<size_t>(MonitorEvent::kCount);
inline constexpr uint32_t MonitorBit(MonitorEvent e) { return 1u << static_cast<uint32_t>(e); }
inline constexpr uint32_t kLocalEvents = MonitorBit(MonitorEvent::kRaise) - 1;
inline constexpr uint32_t kSteppingEvents =
    MonitorBit(MonitorEvent::kLine) | MonitorBit(MonitorEvent::kInstruction) |
    MonitorBit(MonitorEvent::kJump) | MonitorBit(MonitorEvent::kBranch);
extern const char* const kMonitorEventNames[kMonitorEvents];

// What is known of one code object.
struct CodeMonitor {
  CodeObject* code = nullptr;  // owned
  CodeMonitor* next = nullptr;
  uint32_t events[kMonitorTools] = {};
  DictObject* disabled = nullptr;  // owned: place and event -> bits of tools; null: nothing is
};

struct MonitorState {
  static constexpr size_t kBuckets = 128;
  Value names[kMonitorTools];                      // owned; null: not in use
  Value callbacks[kMonitorTools][kMonitorEvents];  // owned
  uint32_t events[kMonitorTools] = {};
  uint32_t everywhere = 0;  // of all tools
  uint32_t somewhere = 0;   // of all tools, in any code
  CodeMonitor* codes[kBuckets] = {};
  Value disable, missing;  // owned
};

// The VM's state, made when it is first asked for.
Result<MonitorState*> MonitorOf(ThreadState& ts);
// Made if there is none.
Result<CodeMonitor*> MonitorOfCode(ThreadState& ts, MonitorState* m, CodeObject* code);
CodeMonitor* FindCodeMonitor(const MonitorState* m, const CodeObject* code);
// After sets of events have changed.
void SumUpEvents(MonitorState* m);
void RestartEvents(MonitorState* m);
// The last thread ends.
void ReleaseMonitor(Heap& heap, MonitorState* m);

// The events that some tool wants of this code.
inline uint32_t EventsWanted(ThreadState& ts, const CodeObject* code) {
  const MonitorState* m = InterpOf(ts).monitor;
  if (m == nullptr) return 0;
  uint32_t wanted = m->everywhere;
  if (m->somewhere & ~wanted) {
    if (const CodeMonitor* local = FindCodeMonitor(m, code)) {
      for (uint32_t events : local->events) wanted |= events;
    }
  }
  return wanted;
}

// Calls the callbacks: with the code object, and `args`. `word` tells where for DISABLE. Fails with
// what a callback raised.
Status FireEvent(ThreadState& ts, MonitorEvent event, CodeObject* code, uint32_t word,
                 std::span<const Value> args);

}  // namespace minivm
