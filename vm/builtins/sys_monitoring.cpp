// sys.monitoring: the module in sys by which tools ask for events (vm/interp/monitor.h).
//
// The module is made with sys but filled when something of it is first asked for.
#include "vm/builtins/sys_monitoring.h"

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/namespace_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_trace.h"
#include "vm/interp/monitor.h"

namespace minivm {

namespace {

constexpr uint32_t kCEvents =
    MonitorBit(MonitorEvent::kCReturn) | MonitorBit(MonitorEvent::kCRaise);
constexpr uint32_t kCallEvents = kCEvents | MonitorBit(MonitorEvent::kCall);

Result<size_t> ToolOf(ThreadState& ts, Value v) {
  MVM_TRY(int64_t id, IndexAsInt64(ts, v, Exc::kOverflowError));
  if (id >= 0 && id < static_cast<int64_t>(kMonitorTools)) return static_cast<size_t>(id);
  return Raise(ts, Exc::kValueError, "invalid tool %lld (must be between 0 and 5)",
               static_cast<long long>(id));
}

// The tool, which is in use.
Result<size_t> UsedTool(ThreadState& ts, MonitorState* m, Value v) {
  MVM_TRY(size_t tool, ToolOf(ts, v));
  if (!m->names[tool].is_null()) return tool;
  return Raise(ts, Exc::kValueError, "tool %d is not in use", static_cast<int>(tool));
}

// A set of events; those of native calls come with CALL and are not kept.
Result<uint32_t> EventSet(ThreadState& ts, Value v, uint32_t allowed, const char* what) {
  MVM_TRY(int64_t set, IndexAsInt64(ts, v, Exc::kOverflowError));
  const auto events = static_cast<uint32_t>(set);
  if (set < 0 || set > UINT32_MAX || events >= 1u << kMonitorEvents)
    return Raise(ts, Exc::kValueError, "invalid %s 0x%x", "event set", events);
  if ((events & kCEvents) && (events & kCallEvents) != kCallEvents) {
    return Raise(ts, Exc::kValueError, "cannot set C_RETURN or C_RAISE events independently");
  }
  if (events & ~kCEvents & ~allowed)
    return Raise(ts, Exc::kValueError, "invalid %s 0x%x", what, events & ~kCEvents);
  return events & ~kCEvents;
}

Result<CodeObject*> CodeOf(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kCode)) return v.as<CodeObject>();
  return Raise(ts, Exc::kTypeError, "code must be a code object");
}

Result<> monitoring_use_tool_id(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kValueError, "tool name must be a str");
  if (!m->names[tool].is_null())
    return Raise(ts, Exc::kValueError, "tool %d is already in use", static_cast<int>(tool));
  m->names[tool] = Ref<>::Borrow(args[1]).Release();
  return None(ts);
}

Result<> monitoring_free_tool_id(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  Ref<> dropped = Ref<>::Steal(std::exchange(m->names[tool], Value()));
  return None(ts);
}

Result<> monitoring_get_tool(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  return m->names[tool].is_null() ? None(ts) : Result<>::Borrow(m->names[tool]);
}

Result<> monitoring_register_callback(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  MVM_TRY(int64_t event, IndexAsInt64(ts, args[1], Exc::kOverflowError));
  if (event <= 0 || (event & (event - 1))) {
    return Raise(ts, Exc::kValueError, "The callback can only be set for one event at a time");
  }
  const auto index = static_cast<size_t>(__builtin_ctzll(static_cast<uint64_t>(event)));
  if (index >= kMonitorEvents)
    return Raise(ts, Exc::kValueError, "invalid event %lld", static_cast<long long>(event));
  Value now = IsNone(ts, args[2]) ? Value() : Ref<>::Borrow(args[2]).Release();
  Value old = std::exchange(m->callbacks[tool][index], now);
  return old.is_null() ? None(ts) : Result<>::Steal(old);
}

Result<> monitoring_get_events(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  return Small(m->events[tool]);
}

Result<> monitoring_set_events(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  MVM_TRY(uint32_t events, EventSet(ts, args[1], ~0u, "event set"));
  MVM_TRY_VOID(UsedTool(ts, m, args[0]));
  m->events[tool] = events;
  SumUpEvents(m);
  UpdateTraceHooks(ts);
  return None(ts);
}

Result<> monitoring_get_local_events(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(CodeObject * code, CodeOf(ts, args[1]));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  const CodeMonitor* local = FindCodeMonitor(m, code);
  return Small(local ? local->events[tool] : 0);
}

Result<> monitoring_set_local_events(ThreadState& ts, Args args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(CodeObject * code, CodeOf(ts, args[1]));
  MVM_TRY(size_t tool, ToolOf(ts, args[0]));
  MVM_TRY(uint32_t events, EventSet(ts, args[2], kLocalEvents, "local event set"));
  MVM_TRY_VOID(UsedTool(ts, m, args[0]));
  MVM_TRY(CodeMonitor * local, MonitorOfCode(ts, m, code));
  local->events[tool] = events;
  SumUpEvents(m);
  UpdateTraceHooks(ts);
  return None(ts);
}

Result<> monitoring_restart_events(ThreadState& ts, Args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  RestartEvents(m);
  return None(ts);
}

Result<> monitoring_all_events(ThreadState& ts, Args) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(Ref<DictObject> all, NewDict(ts));
  for (size_t e = 0; e < kMonitorEvents; ++e) {
    int64_t tools = 0;
    for (size_t tool = 0; tool < kMonitorTools; ++tool) {
      if (m->events[tool] & 1u << e) tools |= int64_t{1} << tool;
    }
    if (tools == 0) continue;
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, kMonitorEventNames[e]));
    MVM_TRY_VOID(DictSet(ts, all, name, Value::Int(tools)));
  }
  return all;
}

const MethodSpec kFunctions[] = {
    {"_all_events()", monitoring_all_events,
     "A dict from the names of events that are on to the bits of the tools that have them on."},
    {"free_tool_id(tool_id, /)", monitoring_free_tool_id, "Give a tool's number back."},
    {"get_events(tool_id, /)", monitoring_get_events, "The events that a tool has on everywhere."},
    {"get_local_events(tool_id, code, /)", monitoring_get_local_events,
     "The events that a tool has on in a code object."},
    {"get_tool(tool_id, /)", monitoring_get_tool, "The name of a tool, or None."},
    {"register_callback(tool_id, event, func, /)", monitoring_register_callback,
     "Have a function called at an event, or none with None; gives the function before."},
    {"restart_events()", monitoring_restart_events, "Undo all that DISABLE has turned off."},
    {"set_events(tool_id, event_set, /)", monitoring_set_events,
     "Turn these events on for a tool, everywhere, and all others off."},
    {"set_local_events(tool_id, code, event_set, /)", monitoring_set_local_events,
     "Turn these events on for a tool in a code object, and all others off there."},
    {"use_tool_id(tool_id, name, /)", monitoring_use_tool_id,
     "Take a number, 0 to 5, for the tool of this name. ValueError if it is in use."},
};

Status Fill(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(MonitorState * m, MonitorOf(ts));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "sys.monitoring"));
  for (const MethodSpec& spec : kFunctions) {
    MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, module, false, name));
    const std::string_view signature(spec.signature);
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, signature.substr(0, signature.find('('))));
    MVM_TRY_VOID(DictSet(ts, module->dict, key, f));
  }
  static constexpr struct {
    const char* name;
    int id;
  } kTools[] = {{"DEBUGGER_ID", 0}, {"COVERAGE_ID", 1}, {"PROFILER_ID", 2}, {"OPTIMIZER_ID", 5}};
  for (const auto& tool : kTools) {
    MVM_TRY_VOID(ModuleAdd(ts, module, tool.name, Value::Int(tool.id)));
  }
  MVM_TRY(Ref<DictObject> events, NewDict(ts));
  for (size_t e = 0; e < kMonitorEvents; ++e) {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, kMonitorEventNames[e]));
    MVM_TRY_VOID(DictSet(ts, events, key, Value::Int(int64_t{1} << e)));
  }
  MVM_TRY(Ref<StrObject> none, InternUtf8(ts, "NO_EVENTS"));
  MVM_TRY_VOID(DictSet(ts, events, none, Value::Int(0)));
  MVM_TRY(Ref<SimpleNamespaceObject> space, NewSimpleNamespace(ts, events));
  MVM_TRY_VOID(ModuleAdd(ts, module, "events", space));
  MVM_TRY_VOID(ModuleAdd(ts, module, "DISABLE", m->disable));
  return ModuleAdd(ts, module, "MISSING", m->missing);
}

// Fills the module, once; it then has neither __getattr__ nor __dir__.
Result<ModuleObject> Filled(ThreadState& ts, Value self) {
  Ref<ModuleObject> module = Ref<ModuleObject>::Borrow(self.as<ModuleObject>());
  MVM_TRY_VOID(Fill(ts, module));
  for (const char* name : {"__getattr__", "__dir__"}) {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    MVM_TRY_VOID(DictDelete(ts, module->dict, key));
  }
  return module;
}

Result<> monitoring_getattr(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ModuleObject> module, Filled(ts, args[0]));
  return GetAttr(ts, module, args.as<StrObject>(1));
}

Result<> monitoring_dir(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ModuleObject> module, Filled(ts, args[0]));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__dir__"));
  return CallMethod(ts, module, name);
}

const MethodSpec kFillers[] = {
    {"__getattr__(self, name, /)", monitoring_getattr},
    {"__dir__(self, /)", monitoring_dir},
};

}  // namespace

Result<> MakeMonitoring(ThreadState& ts) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "sys.monitoring"));
  MVM_TRY(Ref<ModuleObject> module, NewModule(ts, name));
  for (const MethodSpec& spec : kFillers) {
    MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, module, true, name));
    const std::string_view signature(spec.signature);
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, signature.substr(0, signature.find('('))));
    MVM_TRY_VOID(DictSet(ts, module->dict, key, f));
  }
  return module;
}

}  // namespace minivm
