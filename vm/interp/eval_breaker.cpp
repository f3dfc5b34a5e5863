// The eval breaker: how a running thread is made to look up from its script.
//
// Normal running pays one load per back edge and call: `tab = ts->tab`. To get a thread's
// attention, set a bit in ts->requests, then store the breaker table into ts->tab
// (RequestAttention: one atomic store, safe in a signal handler and from other threads). At its
// next poll every dispatch leads to SlowBreak, which puts the plain table back first, takes the
// request bits second (so that a request that comes in between stores the breaker again and is not
// lost), serves them and dispatches the word anew. "Plain" is the normal table, or the tick table
// while somebody counts or traces instructions.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "runtime/core/signals.h"
#include "runtime/gc/alloc_tracer.h"
#include "runtime/gc/collector.h"
#include "runtime/objects/dict_object.h"
#include "vm/bytecode/verifier.h"
#include "vm/interp/call_profile.h"
#include "vm/interp/draw_frames.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/interpreter.h"
#include "vm/interp/monitor.h"
#include "vm/interp/traceback.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

// All but the one that is served between two instructions only: the breaker stays where it is.
uint32_t TakeRequests(ThreadState& ts) {
  return ts.requests.fetch_and(kRequestSwitch | kShelterBits, std::memory_order_acq_rel);
}

// Serves what has been asked of the thread. Also reached from natives through Charge().
Status ServeRequests(ThreadState& ts) {
  uint32_t requests = TakeRequests(ts);
  if (MVM_UNLIKELY(requests & kRequestStop)) {
    RequestAttention(ts, kRequestStop);  // until the thread has ended
    return RaiseNoMessage(ts, Exc::kSystemExit);
  }
  if (requests & kRequestCollect) ts.heap().collector().CollectIfDue(ts);
  if (requests & kRequestInterrupt) {
    // A signal is served at the next poll.
    if (requests & kRequestSignal) RequestAttention(ts, kRequestSignal);
    NoteInterrupt(ts);
    return RaiseNoMessage(ts, Exc::kKeyboardInterrupt);
  }
  return requests & kRequestSignal ? ServeSignals(ts) : Ok();
}

}  // namespace

// Reads nothing of the thread's but the table: it may be about to end.
void RequestAttention(ThreadState& ts) {
  const void* const* tables[4];
  Run(nullptr, reinterpret_cast<Value*>(tables), nullptr);
  const void* const* now = ts.tab.load(std::memory_order_relaxed);
  while (now != nullptr && !ts.tab.compare_exchange_weak(now, tables[1], std::memory_order_release,
                                                         std::memory_order_relaxed)) {
  }
}

bool FailBefore(Value* R, const Word* pc) {
  const FunctionObject* f = FunctionOf(R);
  const uint32_t at = PcIndex(f, pc);
  const LiveSet live = LiveBefore(f->code, at);
  for (uint32_t r = f->code->frame_size; r > f->code->live[at]; --r) {
    if (!live.Has(r - 1)) continue;
    Ref<> dropped = Ref<>::Steal(std::exchange(R[r - 1], Value::Int(0)));
  }
  return false;
}

bool SlowBreak(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  ts->tab.store(PlainTable(*ts));
  if (ts->requests.load(std::memory_order_relaxed) & kRequestSwitch) {
    ts->requests.fetch_and(~uint32_t{kRequestSwitch});
    PrepareSwitch(*ts);
  }
  return !ServeRequests(*ts).raised() || FailBefore(R, pc);
}

bool SlowTick(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  InterpState& state = InterpOf(*ts);
  if (state.tick != nullptr) state.tick(*ts);
  return state.trace == nullptr || !state.trace(*ts, R, pc).raised() || FailBefore(R, pc);
}

namespace {

// The first warning loads _warnings, which puts a hook of its own in place of this one.
Status LoadAndWarn(ThreadState& ts, Value category, Value message, int stack_level) {
  if (!ts.rt->hooks.import_module) return Ok();
  MVM_TRY_VOID(ts.rt->hooks.import_module(ts, "_warnings"));
  if (ts.rt->hooks.warn == LoadAndWarn) return Ok();
  return ts.rt->hooks.warn(ts, category, message, stack_level);
}

// Does the frame still make its cells and its generator? Then what it allocates is the caller's.
bool IsBeginning(const Value* base, const Word* pc) {
  if (pc == nullptr) return false;
  for (const Word* w = FunctionOf(base)->instance->words; w <= pc; ++w) {
    const Op op = static_cast<Op>(w->op);
    if (op != Op::GENSTART && op != Op::MKFAR && op != Op::MKCELL) return false;
  }
  return true;
}

uint32_t FramePlaces(ThreadState& ts, FramePlace* places, uint32_t room) {
  uint32_t n = 0;
  FrameWalker w(ts);
  if (!w.done() && IsBeginning(w.base(), w.pc())) w.Next();
  for (; !w.done(); w.Next(), ++n) {
    if (n >= room) continue;
    const FunctionObject* f = FunctionOf(w.base());
    const int line = w.pc() == nullptr ? StartLine(f->code) : LineAt(f->code, PcIndex(f, w.pc()));
    places[n] = {f->code->filename, line < 0 ? 0 : static_cast<uint32_t>(line)};
  }
  return n;
}

}  // namespace

void InitInterpreterThread(ThreadState& ts) {
  InterpState* state = new InterpState;
  const void* const* tables[4];
  Run(nullptr, reinterpret_cast<Value*>(tables), nullptr);
  state->normal_table = tables[0];
  state->breaker_table = tables[1];
  state->tick_table = tables[2];
  state->watch_labels = tables[3];
  state->step_table = state->normal_table;
  ts.interp = state;
  state->random = static_cast<uint32_t>(ts.id) * 0x9E3779B1 | 1;
  const ThreadState* main = ts.rt->main_thread;
  if (main != nullptr && main->interp != nullptr)
    state->monitor = static_cast<InterpState*>(main->interp)->monitor;
  ts.tab = state->normal_table;
  if (ts.handled == nullptr) ts.handled = &ts.own_handled;
  JoinProfile(ts);
}

// No trace functions any more.
static void QuietThread(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  state.trace = nullptr;
  state.on_return = nullptr;
  state.on_exception = nullptr;
  state.on_stop = nullptr;
  state.on_throw = state.on_enter = nullptr;
  state.on_handled = nullptr;
  state.on_call = nullptr;
  state.on_called = nullptr;
  (void)UpdateWatching(ts);
  Ref<> trace = Ref<>::Steal(std::exchange(state.trace_function, Value()));
  Ref<> profile = Ref<>::Steal(std::exchange(state.profile_function, Value()));
}

void ReleaseInterpreterThread(ThreadState& ts) {
  QuietThread(ts);
  InterpState& state = InterpOf(ts);
  MonitorState* monitor = std::exchange(state.monitor, nullptr);
  if (monitor != nullptr && &ts == ts.rt->main_thread) ReleaseMonitor(ts.heap(), monitor);
  AbandonProfile(ts);
  ReleaseWatchTable(InterpOf(ts));
  delete static_cast<InterpState*>(ts.interp);
  ts.interp = nullptr;
  ts.tab = nullptr;
}

Status InitInterpreter(ThreadState& ts) {
  VmHooks& hooks = ts.rt->hooks;
  // Fresh pages: what is never entered takes no memory.
  void* cache = mmap(nullptr, sizeof(AttrCache), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (cache == MAP_FAILED) return RaiseMemoryError(ts);
  ts.rt->attr_cache = cache;
  ts.rt->attr_cache_size = sizeof(AttrCache);
  const RuntimeState& rt = *ts.rt;
  const Value specials[] = {
      rt.none,        rt.true_,           rt.false_,
      rt.ellipsis,    rt.not_implemented, rt.exceptions[static_cast<size_t>(Exc::kAssertionError)],
      Value::Absent()};  // in the order of Special
  static_assert(std::size(specials) == static_cast<size_t>(Special::kAbsent) + 1);
  std::copy(std::begin(specials), std::end(specials), ts.rt->specials);
  hooks.invalidate_sites = InvalidateSites;
  hooks.serve_requests = ServeRequests;
  hooks.request_attention = RequestAttention;
  hooks.threads_changed = UpdatePreemption;
  hooks.quiet_thread = QuietThread;
  hooks.leave_thread = ReleaseInterpreterThread;
  hooks.super_arguments = SuperArguments;
  hooks.warn = LoadAndWarn;
  hooks.current_frame = [](ThreadState& t) -> Result<> {
    FrameWalker w(t);
    return w.done() ? None(t) : Result<>(FrameFor(t, w.base(), w.pc()));
  };
  hooks.current_builtins = [](ThreadState& t) -> Value {
    if (t.base == nullptr) return t.rt->builtins_dict;
    return FunctionOf(t.base)->builtins;
  };
  hooks.frame_places = FramePlaces;
  hooks.draw = DrawFromScript;
  hooks.call_each = CallEach;
  hooks.current_globals = [](ThreadState& t) -> DictObject* {
    return t.base == nullptr ? nullptr : FunctionOf(t.base)->globals;
  };
  return Ok();
}

}  // namespace minivm
