// The module _tracemalloc: switching the tracing of allocations on and off, and reading the traces.
//
// The tables are the heap's (runtime/gc/alloc_tracer.h); here they become lists and tuples. A trace
// is (domain, size, frames, number of frames there were), `frames` a tuple of (file, line) pairs,
// the most recent first, shared by all traces with the same traceback. The domain is always 0.
#include <utility>

#include "runtime/gc/alloc_tracer.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

Value SizeValue(size_t n) { return Value::Int(static_cast<int64_t>(n)); }

Result<> tracemalloc_start(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> index, Index(ts, args[0]));
  int64_t frames;
  if (!IntFitsInt64(index, &frames) || frames > INT32_MAX || frames < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  if (frames < 1 || frames > int64_t{AllocTracer::kMaxFrames}) {
    return Raise(ts, Exc::kValueError, "the number of frames must be in range [1; %u]",
                 AllocTracer::kMaxFrames);
  }
  if (!ts.heap().StartTracing(static_cast<uint32_t>(frames))) return RaiseMemoryError(ts);
  return None(ts);
}

Result<> tracemalloc_stop(ThreadState& ts, Args) {
  ts.heap().StopTracing();
  return None(ts);
}

Result<> tracemalloc_is_tracing(ThreadState& ts, Args) {
  return Bool(ts, ts.heap().tracer() != nullptr);
}

Result<> tracemalloc_clear_traces(ThreadState& ts, Args) {
  if (AllocTracer* tracer = ts.heap().tracer()) tracer->Clear();
  return None(ts);
}

Result<> tracemalloc_get_traceback_limit(ThreadState& ts, Args) {
  return Small(ts.heap().traced_frames);
}

Result<> tracemalloc_get_traced_memory(ThreadState& ts, Args) {
  const AllocTracer* tracer = ts.heap().tracer();
  const Value pair[] = {SizeValue(tracer ? tracer->traced() : 0),
                        SizeValue(tracer ? tracer->peak() : 0)};
  return NewTuple(ts, pair);
}

Result<> tracemalloc_reset_peak(ThreadState& ts, Args) {
  if (AllocTracer* tracer = ts.heap().tracer()) tracer->ResetPeak();
  return None(ts);
}

Result<> tracemalloc_get_tracemalloc_memory(ThreadState& ts, Args) {
  const AllocTracer* tracer = ts.heap().tracer();
  return Result<>::Steal(SizeValue(tracer ? tracer->OwnBytes() : 0));
}

// The frames of a traceback, as pairs.
Result<TupleObject> FramesOf(ThreadState& ts, const TraceStack* stack) {
  MVM_TRY(Ref<StrObject> unknown, NewStr(ts, "<unknown>"));
  MVM_TRY(Ref<ListObject> pairs, NewListReserve(ts, stack->count));
  Untrack(pairs.get());  // Charge may run script code
  for (uint32_t i = 0; i < stack->count; ++i) {
    const FramePlace& place = stack->frames[i];
    const Value parts[] = {place.file ? Value(place.file) : unknown.value(),
                           Value::Int(place.line)};
    MVM_TRY(Ref<TupleObject> pair, NewTuple(ts, parts));
    MVM_TRY_VOID(ListAppend(ts, pairs, pair));
    MVM_TRY_VOID(Charge(ts, 4));
  }
  return NewTuple(ts, {pairs->items, static_cast<size_t>(pairs->size)});
}

// Tracebacks that somebody looks at; script code may clear the traces meanwhile.
class HeldStacks {
 public:
  explicit HeldStacks(AllocTracer* tracer) : stacks_(tracer->stacks()) { stacks_->Hold(); }
  ~HeldStacks() { stacks_->Drop(); }
  HeldStacks(const HeldStacks&) = delete;
  HeldStacks& operator=(const HeldStacks&) = delete;

 private:
  TraceStacks* stacks_;
};

// A copy of the traces.
class TraceCopy {
 public:
  struct Entry {
    size_t size;
    const TraceStack* stack;
  };
  explicit TraceCopy(ThreadState& ts) : heap_(ts.heap()) {}
  ~TraceCopy() {
    if (entries != nullptr) heap_.FreeBuffer(entries, room_);
  }
  TraceCopy(const TraceCopy&) = delete;
  TraceCopy& operator=(const TraceCopy&) = delete;
  Status Fill(ThreadState& ts, const AllocTracer& tracer) {
    room_ = tracer.block_count() * sizeof(Entry);
    MVM_TRY(void* buffer, AllocBuffer(ts, room_));
    entries = static_cast<Entry*>(buffer);
    tracer.ForEach([&](size_t size, const TraceStack* stack) { entries[count++] = {size, stack}; });
    return Ok();
  }
  Entry* entries = nullptr;
  size_t count = 0;

 private:
  Heap& heap_;
  size_t room_ = 0;
};

Result<> tracemalloc_get_traces(ThreadState& ts, Args) {
  AllocTracer* tracer = ts.heap().tracer();
  if (tracer == nullptr) {
    MVM_TRY(Ref<ListObject> none, NewListReserve(ts, 0));
    return none;
  }
  AllocTracer::Pause pause(ts);
  HeldStacks hold(tracer);
  // Objects that are half made are hidden from the collector: Charge may run script code.
  MVM_TRY(Ref<ListObject> stacks, NewListReserve(ts, tracer->stacks()->size()));
  Untrack(stacks.get());
  for (uint32_t i = tracer->stacks()->size(); i > 0; --i) {
    MVM_TRY_VOID(ListAppend(ts, stacks, Value(ts.rt->none)));
  }
  TraceCopy copy(ts);
  MVM_TRY_VOID(copy.Fill(ts, *tracer));
  MVM_TRY(Ref<ListObject> traces, NewListReserve(ts, copy.count));
  Untrack(traces.get());
  for (size_t i = 0; i < copy.count; ++i) {
    const TraceCopy::Entry& entry = copy.entries[i];
    if (IsNone(ts, stacks->items[entry.stack->index])) {
      MVM_TRY(Ref<TupleObject> frames, FramesOf(ts, entry.stack));
      Ref<> old = Ref<>::Steal(std::exchange(stacks->items[entry.stack->index], frames.Release()));
    }
    const Value parts[] = {Value::Int(0), SizeValue(entry.size), stacks->items[entry.stack->index],
                           Value::Int(entry.stack->total)};
    MVM_TRY(Ref<TupleObject> trace, NewTuple(ts, parts));
    MVM_TRY_VOID(ListAppend(ts, traces, trace));
    MVM_TRY_VOID(Charge(ts, 8));
  }
  Track(traces.get());
  return traces;
}

Result<> tracemalloc_get_object_traceback(ThreadState& ts, Args args) {
  AllocTracer* tracer = ts.heap().tracer();
  if (tracer == nullptr || !args[0].is_object()) return None(ts);
  const TraceStack* stack = tracer->Find(args[0].object());
  if (stack == nullptr) return None(ts);
  HeldStacks hold(tracer);
  return FramesOf(ts, stack);
}

const MethodSpec kFunctions[] = {
    {"_get_object_traceback(obj, /)", tracemalloc_get_object_traceback,
     "Where an object was allocated, as a tuple of (file name, line), the most recent frame first; "
     "None if that was not traced."},
    {"_get_traces()", tracemalloc_get_traces,
     "A list of the traced blocks, as tuples (domain, size, frames, number of frames there were); "
     "empty while not tracing."},
    {"clear_traces()", tracemalloc_clear_traces, "Forget all blocks traced so far."},
    {"get_traceback_limit()", tracemalloc_get_traceback_limit,
     "How many frames of each traceback are kept."},
    {"get_traced_memory()", tracemalloc_get_traced_memory,
     "The bytes of the traced blocks, as a tuple (now, at the peak)."},
    {"get_tracemalloc_memory()", tracemalloc_get_tracemalloc_memory,
     "The bytes that tracing itself takes."},
    {"is_tracing()", tracemalloc_is_tracing, "Whether allocations are being traced."},
    {"reset_peak()", tracemalloc_reset_peak,
     "Make what is traced now the peak of get_traced_memory()."},
    {"start(nframe=1, /)", tracemalloc_start,
     "Trace allocations, with tracebacks of up to `nframe` frames. Does nothing while tracing."},
    {"stop()", tracemalloc_stop, "Stop tracing, and forget all blocks."},
};

}  // namespace

extern const ModuleSpec k__tracemalloc_module;
const ModuleSpec k__tracemalloc_module = {
    .name = "_tracemalloc",
    .doc = "Tracing of memory allocations, for tracemalloc.",
    .functions = kFunctions,
};

}  // namespace minivm
