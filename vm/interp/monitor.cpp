// sys.monitoring: the state of tools, and the calls of their callbacks.
#include "vm/interp/monitor.h"

#include <new>

#include "runtime/objects/dict_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

const char* const kMonitorEventNames[kMonitorEvents] = {
    "PY_START",    "PY_RESUME", "PY_RETURN", "PY_YIELD",       "CALL",    "LINE",
    "INSTRUCTION", "JUMP",      "BRANCH",    "STOP_ITERATION", "RAISE",   "EXCEPTION_HANDLED",
    "PY_UNWIND",   "PY_THROW",  "RERAISE",   "C_RETURN",       "C_RAISE",
};

namespace {

size_t BucketOf(const CodeObject* code) {
  return (reinterpret_cast<uint64_t>(code) >> 6) * uint64_t{0x9E3779B97F4A7C15} >> 57;
}
static_assert(MonitorState::kBuckets == 1u << (64 - 57));

Value PlaceKey(uint32_t word, MonitorEvent event) {
  return Value::Int(static_cast<int64_t>(word) << 5 | static_cast<int64_t>(event));
}

// The tools for which the event is disabled here.
Result<uint32_t> DisabledFor(ThreadState& ts, const CodeMonitor* local, Value key) {
  if (local == nullptr || local->disabled == nullptr) return 0u;
  MVM_TRY(Ref<> found, DictGet(ts, local->disabled, key));
  return found.is_absent() ? 0u : static_cast<uint32_t>(found.get().as_int());
}

Status Disable(ThreadState& ts, MonitorState* m, CodeObject* code, Value key, size_t tool) {
  MVM_TRY(CodeMonitor * local, MonitorOfCode(ts, m, code));
  if (local->disabled == nullptr) {
    MVM_TRY(Ref<DictObject> made, NewDict(ts));
    local->disabled = made.Release();
  }
  MVM_TRY(uint32_t tools, DisabledFor(ts, local, key));
  return DictSet(ts, local->disabled, key, Value::Int(static_cast<int64_t>(tools | 1u << tool)));
}

bool CanBeDisabled(MonitorEvent event) {
  return event < MonitorEvent::kRaise || event >= MonitorEvent::kCReturn;
}

}  // namespace

Result<MonitorState*> MonitorOf(ThreadState& ts) {
  if (InterpOf(ts).monitor != nullptr) return InterpOf(ts).monitor;
  MonitorState* m = new (std::nothrow) MonitorState;
  if (m == nullptr) return RaiseMemoryError(ts);
  TypeObject* object = TypeById(ts, TypeId::kObject);
  Result<> disable = Call(ts, Value(object));
  Result<> missing = disable.raised() ? Result<>(kRaised) : Call(ts, Value(object));
  if (missing.raised()) {
    if (!disable.raised()) Ref<> dropped = disable.Take();
    delete m;
    return kRaised;
  }
  m->disable = disable.Take().Release();
  m->missing = missing.Take().Release();
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (t->interp != nullptr) InterpOf(*t).monitor = m;
  }
  return m;
}

CodeMonitor* FindCodeMonitor(const MonitorState* m, const CodeObject* code) {
  for (CodeMonitor* c = m->codes[BucketOf(code)]; c != nullptr; c = c->next) {
    if (c->code == code) return c;
  }
  return nullptr;
}

Result<CodeMonitor*> MonitorOfCode(ThreadState& ts, MonitorState* m, CodeObject* code) {
  if (CodeMonitor* known = FindCodeMonitor(m, code)) return known;
  MVM_TRY(void* memory, AllocBuffer(ts, sizeof(CodeMonitor)));
  CodeMonitor* made = new (memory) CodeMonitor;
  made->code = Ref<CodeObject>::Borrow(code).Release();
  made->next = std::exchange(m->codes[BucketOf(code)], made);
  return made;
}

void SumUpEvents(MonitorState* m) {
  m->everywhere = 0;
  for (uint32_t events : m->events) m->everywhere |= events;
  m->somewhere = m->everywhere;
  for (const CodeMonitor* c : m->codes) {
    for (; c != nullptr; c = c->next) {
      for (uint32_t events : c->events) m->somewhere |= events;
    }
  }
}

void RestartEvents(MonitorState* m) {
  for (CodeMonitor* c : m->codes) {
    for (; c != nullptr; c = c->next) {
      Ref<DictObject> dropped = Ref<DictObject>::Steal(std::exchange(c->disabled, nullptr));
    }
  }
}

void ReleaseMonitor(Heap& heap, MonitorState* m) {
  for (size_t tool = 0; tool < kMonitorTools; ++tool) {
    m->events[tool] = 0;
    Ref<> name = Ref<>::Steal(std::exchange(m->names[tool], Value()));
    for (Value& callback : m->callbacks[tool]) {
      Ref<> dropped = Ref<>::Steal(std::exchange(callback, Value()));
    }
  }
  for (CodeMonitor*& bucket : m->codes) {
    while (CodeMonitor* c = bucket) {
      bucket = c->next;
      Ref<CodeObject> code = Ref<CodeObject>::Steal(c->code);
      Ref<DictObject> disabled = Ref<DictObject>::Steal(c->disabled);
      heap.FreeBuffer(c, sizeof(CodeMonitor));
    }
  }
  Ref<> disable = Ref<>::Steal(m->disable), missing = Ref<>::Steal(m->missing);
  delete m;
}

Status FireEvent(ThreadState& ts, MonitorEvent event, CodeObject* code, uint32_t word,
                 std::span<const Value> args) {
  InterpState& state = InterpOf(ts);
  MonitorState* m = state.monitor;
  const auto index = static_cast<size_t>(event);
  const uint32_t bit = MonitorBit(event >= MonitorEvent::kCReturn ? MonitorEvent::kCall : event);
  const Value key = PlaceKey(word, event);
  Value values[4] = {Value(code)};
  MVM_DCHECK(args.size() <= 3, "events have at most four arguments");
  for (size_t i = 0; i < args.size(); ++i) values[i + 1] = args[i];
  for (size_t tool = 0; tool < kMonitorTools; ++tool) {
    // Callbacks may have changed everything.
    const CodeMonitor* local = FindCodeMonitor(m, code);
    if (!((m->events[tool] | (local ? local->events[tool] : 0)) & bit)) continue;
    Ref<> callback = Ref<>::Borrow(m->callbacks[tool][index]);
    if (callback.is_null()) continue;
    MVM_TRY(uint32_t disabled, DisabledFor(ts, local, key));
    if (disabled & 1u << tool) continue;
    state.in_trace = true;
    Result<> result = Call(ts, callback, std::span<const Value>(values, args.size() + 1));
    state.in_trace = false;
    if (result.raised()) return kRaised;
    Ref<> answer = result.Take();
    if (!answer.is(m->disable)) continue;
    if (CanBeDisabled(event)) {
      MVM_TRY_VOID(Disable(ts, m, code, key, tool));
      continue;
    }
    Ref<> dropped = Ref<>::Steal(std::exchange(m->callbacks[tool][index], Value()));
    return Raise(ts, Exc::kValueError, "Cannot disable %s events. Callback removed.",
                 kMonitorEventNames[index]);
  }
  return Ok();
}

}  // namespace minivm
