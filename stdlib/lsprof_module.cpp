// _lsprof: the profiler of cProfile as scripts see it. Counting is in vm/interp/call_profile.
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/call_profile.h"
#include "vm/interp/monitor.h"
#include "vm/interp/watch.h"

namespace minivm {

extern const TypeSpec kProfilerType;

namespace {

constexpr size_t kProfilerTool = 2;

class ProfilerObject : public Object {
 public:
  CallProfile* profile;  // owned; null until the first __init__
  template <class V>
  void VisitRefs(V&& v) {
    if (profile == nullptr) return;
    v(profile->timer);
    for (ProfileEntry* e = profile->all; e != nullptr; e = e->next) v(e->object);
  }
};

Result<> profiler_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  void* memory = ts.heap().AllocateBuffer(sizeof(CallProfile));
  if (memory == nullptr) return RaiseMemoryError(ts);
  made.as<ProfilerObject>()->profile = new (memory) CallProfile();
  return made;
}

Result<> profiler_init(ThreadState& ts, Args args) {
  CallProfile* p = args.self<ProfilerObject>()->profile;
  MVM_TRY(double unit, AsDouble(ts, args[2]));
  MVM_TRY(bool subcalls, Truth(ts, args[3]));
  MVM_TRY(bool builtins, Truth(ts, args[4]));
  Ref<> timer = IsNone(ts, args[1]) ? Ref<>() : Ref<>::Borrow(args[1]);
  Ref<> old = Ref<>::Steal(std::exchange(p->timer, timer ? timer.Release() : Value()));
  p->unit = unit;
  p->subcalls = subcalls;
  p->builtins = builtins;
  if (ActiveProfile(*ts.rt) == p) MVM_TRY_VOID(RenewProfile(ts, p));
  return None(ts);
}

// A profiler that counts is held: it does not get here.
void profiler_gc_clear(Object* o) {
  ProfilerObject* self = static_cast<ProfilerObject*>(o);
  if (self->profile == nullptr) return;
  Ref<> timer = Ref<>::Steal(std::exchange(self->profile->timer, Value()));
  ClearProfile(*Heap::Of(o), nullptr, self->profile);
}

void profiler_destroy(Heap& heap, Object* o) {
  profiler_gc_clear(o);
  ProfilerObject* self = static_cast<ProfilerObject*>(o);
  if (CallProfile* p = std::exchange(self->profile, nullptr)) {
    p->~CallProfile();
    heap.FreeBuffer(p, sizeof(CallProfile));
  }
}

Status CheckMemory(ThreadState& ts, const CallProfile* p) {
  if (!p->failed) return Ok();
  return Raise(ts, Exc::kMemoryError, "memory was exhausted while profiling");
}

Result<> profiler_enable(ThreadState& ts, Args args) {
  CallProfile* p = args.self<ProfilerObject>()->profile;
  CallProfile* const active = ActiveProfile(*ts.rt);
  if (active != nullptr && active != p)
    return Raise(ts, Exc::kValueError, "Another profiling tool is already active");
  MVM_TRY(bool subcalls, Truth(ts, args[1]));
  MVM_TRY(bool builtins, Truth(ts, args[2]));
  const bool changed = p->subcalls != subcalls || p->builtins != builtins;
  p->subcalls = subcalls;
  p->builtins = builtins;
  if (active == p) {
    if (changed) MVM_TRY_VOID(RenewProfile(ts, p));
    return None(ts);
  }
  // Meanwhile it is a tool of sys.monitoring.
  MVM_TRY(MonitorState * monitor, MonitorOf(ts));
  Value& tool = monitor->names[kProfilerTool];
  if (!tool.is_null())
    return Raise(ts, Exc::kValueError, "Another profiling tool is already active");
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "cProfile"));
  MVM_TRY_VOID(StartProfile(ts, p, args[0]));
  tool = Value(name.Release());
  return None(ts);
}

Result<> profiler_disable(ThreadState& ts, Args args) {
  CallProfile* p = args.self<ProfilerObject>()->profile;
  if (p->busy) return Raise(ts, Exc::kRuntimeError, "cannot disable profiler in external timer");
  if (ActiveProfile(*ts.rt) == p) {
    Value& tool = InterpOf(ts).monitor->names[kProfilerTool];
    Ref<> name = Ref<>::Steal(std::exchange(tool, Value()));
    StopProfile(ts, p);
  }
  MVM_TRY_VOID(CheckMemory(ts, p));
  return None(ts);
}

Result<> profiler_clear(ThreadState& ts, Args args) {
  CallProfile* p = args.self<ProfilerObject>()->profile;
  if (p->busy) return Raise(ts, Exc::kRuntimeError, "cannot clear profiler in external timer");
  ClearProfile(ts.heap(), ActiveProfile(*ts.rt) == p ? ts.rt : nullptr, p);
  return None(ts);
}

#define MVM_CALL_FIELDS(SECOND)                                                              \
  {"code", StructItem<0>, nullptr, "Code object, or the description of a native function."}, \
      {"callcount", StructItem<1>, nullptr, "Number of calls."},                             \
      {"reccallcount", StructItem<2>, nullptr,                                               \
       "How many of them were made while it was running."},                                  \
      {"totaltime", StructItem<3>, nullptr, "Seconds spent in it and in what it called."}, { \
    "inlinetime", StructItem<4>, nullptr, "Seconds spent in it alone."                       \
  }
const GetSetSpec kEntryFields[] = {
    MVM_CALL_FIELDS(0),
    {"calls", StructItem<5>, nullptr,
     "List of profiler_subentry: the functions it called; or None."},
};
const GetSetSpec kSubentryFields[] = {MVM_CALL_FIELDS(0)};
#undef MVM_CALL_FIELDS

const StructSequenceSpec kEntry = {
    .type = StructSequenceTypeSpec("_lsprof.profiler_entry", kEntryFields,
                                   "What has been counted of one function.",
                                   "profiler_entry(sequence, dict={})"),
    .visible = 6,
    .total = 6};
const StructSequenceSpec kSubentry = {
    .type = StructSequenceTypeSpec("_lsprof.profiler_subentry", kSubentryFields,
                                   "What has been counted of the calls of one function by another.",
                                   "profiler_subentry(sequence, dict={})"),
    .visible = 5,
    .total = 5};

// The five items that entries and subentries share.
template <class T>
Status FillItems(ThreadState& ts, const CallProfile* p, Value object, const T* counted,
                 Ref<>* items) {
  const double unit = !p->timer.is_null() && p->unit > 0 ? p->unit : 1e-9;
  items[0] = Ref<>::Borrow(object);
  MVM_TRY(items[1], NewInt(ts, counted->calls));
  MVM_TRY(items[2], NewInt(ts, counted->recursive));
  MVM_TRY(items[3], NewFloat(ts, static_cast<double>(counted->total) * unit));
  MVM_TRY(items[4], NewFloat(ts, static_cast<double>(counted->self) * unit));
  return Ok();
}

Result<> profiler_getstats(ThreadState& ts, Args args) {
  CallProfile* p = args.self<ProfilerObject>()->profile;
  MVM_TRY_VOID(CheckMemory(ts, p));
  // What runs meanwhile, finalizers, is not to change the entries.
  struct Busy {
    explicit Busy(CallProfile* p) : profile(p), before(std::exchange(p->busy, true)) {}
    ~Busy() { profile->busy = before; }
    CallProfile* profile;
    bool before;
  };
  const Busy busy(p);
  ProfileFlush(*ts.rt, p);
  MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
  for (const ProfileEntry* e = p->all; e != nullptr; e = e->next) {
    if (e->calls == 0) continue;
    Ref<> items[6];
    MVM_TRY_VOID(FillItems(ts, p, e->object, e, items));
    items[5] = Ref<>::Borrow(ts.rt->none);
    if (e->edges != nullptr) {
      MVM_TRY(Ref<ListObject> calls, NewList(ts, {}));
      for (const ProfileEdge* edge = e->edges; edge != nullptr; edge = edge->next) {
        if (edge->calls == 0) continue;
        Ref<> parts[5];
        MVM_TRY_VOID(FillItems(ts, p, edge->callee->object, edge, parts));
        const Value values[] = {parts[0], parts[1], parts[2], parts[3], parts[4]};
        MVM_TRY(Ref<TupleObject> sub, NewStructSequence(ts, kSubentry, values));
        MVM_TRY_VOID(ListAppend(ts, calls, sub));
      }
      items[5] = std::move(calls);
    }
    const Value values[] = {items[0], items[1], items[2], items[3], items[4], items[5]};
    MVM_TRY(Ref<TupleObject> entry, NewStructSequence(ts, kEntry, values));
    MVM_TRY_VOID(ListAppend(ts, list, entry));
  }
  return list;
}

const MethodSpec kProfilerMethods[] = {
    {"clear(self, /)", profiler_clear, "Forget everything that has been counted."},
    {"disable(self, /)", profiler_disable,
     "Stop counting; what is still running counts as ended now."},
    {"enable(self, /, subcalls=True, builtins=True)", profiler_enable,
     "Start counting. subcalls: also who called whom; builtins: native functions as well. "
     "ValueError if another profiler counts."},
    {"getstats(self, /)", profiler_getstats,
     "List of profiler_entry, one for each function that has been called and has returned."},
};

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * entry, StructSequenceType(ts, kEntry));
  MVM_TRY_VOID(ModuleAdd(ts, module, "profiler_entry", entry));
  MVM_TRY(TypeObject * subentry, StructSequenceType(ts, kSubentry));
  return ModuleAdd(ts, module, "profiler_subentry", subentry);
}

const TypeSpec* const kTypes[] = {&kProfilerType};

}  // namespace

const TypeSpec kProfilerType = {
    .name = "_lsprof.Profiler",
    .doc =
        "Counts calls and their times. timer: what to ask for the time instead of the clock, in\n"
        "units of timeunit seconds, or in seconds as a float if timeunit is 0.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(ProfilerObject),
    .gc = {GcHooksOf<ProfilerObject>().visit, profiler_gc_clear, profiler_destroy},
    .slots = {.new_ = profiler_new},
    .init = {"Profiler(self, timer=None, timeunit=0.0, subcalls=True, builtins=True)",
             profiler_init},
    .methods = kProfilerMethods,
};

extern const ModuleSpec k__lsprof_module;
const ModuleSpec k__lsprof_module = {
    .name = "_lsprof",
    .doc = "Fast profiler.\n",
    .types = kTypes,
    .exec = ExecModule,
};

}  // namespace minivm
