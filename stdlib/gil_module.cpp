// Module _gil: the numbers and the recording of the VM's lock (runtime/core/gil.h) as objects.
// What is made of them is in module gil.
#include <unistd.h>

#include <algorithm>

#include "runtime/core/gil.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

const GetSetSpec kStatsFields[] = {
    {"ident", StructItem<0>, nullptr, "Identity of the thread, as threading.get_ident() gives it."},
    {"native_id", StructItem<1>, nullptr, "The number that the operating system has for it."},
    {"name", StructItem<2>, nullptr, "Its name; empty if it is not known."},
    {"alive", StructItem<3>, nullptr, "Whether it runs still."},
    {"acquisitions", StructItem<4>, nullptr, "How many times it got the lock."},
    {"forced_releases", StructItem<5>, nullptr,
     "How many times it was made to hand the lock over: others had lost patience."},
    {"voluntary_releases", StructItem<6>, nullptr,
     "How many times it gave the lock up by itself, to sleep or to do I/O."},
    {"wait_seconds", StructItem<7>, nullptr, "Seconds (float) it has waited for the lock."},
    {"hold_seconds", StructItem<8>, nullptr, "Seconds (float) it has had the lock."},
};
const StructSequenceSpec kStats = {
    .type = StructSequenceTypeSpec("gil.ThreadStats", kStatsFields,
                                   "What a thread has had of the lock.",
                                   "ThreadStats(sequence, dict=<unrepresentable>)"),
    .visible = 9,
    .total = 9,
};

const GetSetSpec kSpanFields[] = {
    {"ident", StructItem<0>, nullptr, "Identity of the thread."},
    {"holding", StructItem<1>, nullptr, "True: it had the lock; False: it waited for it."},
    {"start", StructItem<2>, nullptr, "Seconds (float) from the beginning of the recording."},
    {"end", StructItem<3>, nullptr, "Seconds (float) from the beginning of the recording."},
    {"forced", StructItem<4>, nullptr,
     "Whether the span ended by a hand-over that it was made to do."},
};
const StructSequenceSpec kSpan = {
    .type = StructSequenceTypeSpec(
        "gil.Span", kSpanFields, "A stretch of time in which a thread had the lock, or wanted it.",
        "Span(sequence, dict=<unrepresentable>)"),
    .visible = 5,
    .total = 5,
};

constexpr double kSecond = 1e9;
constexpr int64_t kMostSpans = 10'000'000;

Result<> Seconds(ThreadState& ts, int64_t ns) {
  return NewFloat(ts, static_cast<double>(ns) / kSecond);
}

// The name that `names` has for the thread, else the row's own.
Result<> NameOf(ThreadState& ts, const GilRow& row, DictObject* names) {
  MVM_TRY(Ref<> ident, NewIntU64(ts, row.id));
  if (row.alive) {
    MVM_TRY(Ref<> name, DictGet(ts, names, ident));
    if (!name.is_absent() && IsStr(ts, name)) return name;
  }
  return NewStr(ts, row.name);
}

Result<> NewStats(ThreadState& ts, const GilRow& row, DictObject* names) {
  MVM_TRY(Ref<> ident, NewIntU64(ts, row.id));
  MVM_TRY(Ref<> name, NameOf(ts, row, names));
  MVM_TRY(Ref<> acquired, NewIntU64(ts, row.acquired));
  MVM_TRY(Ref<> forced, NewIntU64(ts, row.forced));
  MVM_TRY(Ref<> voluntary, NewIntU64(ts, row.voluntary));
  MVM_TRY(Ref<> waited, Seconds(ts, row.waited));
  MVM_TRY(Ref<> held, Seconds(ts, row.held));
  Value values[] = {ident,     Value::Int(row.native_id),
                    name,      row.alive ? Value(ts.rt->true_) : Value(ts.rt->false_),
                    acquired,  forced,
                    voluntary, waited,
                    held};
  return NewStructSequence(ts, kStats, values);
}

// stats(names): rows of all threads, the first started first, and a row of sums.
Result<> gil_stats(ThreadState& ts, Args args) {
  if (!IsDict(ts, args[0])) return Raise(ts, Exc::kTypeError, "names must be a dict");
  DictObject* names = args.as<DictObject>(0);
  MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
  std::vector<GilRow> rows;
  GilRow sum;
  if (ts.rt->gil != nullptr) {
    rows = ts.rt->gil->Rows();
    sum = ts.rt->gil->Totals();
  } else {
    rows.emplace_back();
    rows[0].id = ts.id;
    rows[0].native_id = static_cast<int>(gettid());
    rows[0].alive = true;
  }
  std::sort(rows.begin(), rows.end(), [](const GilRow& a, const GilRow& b) { return a.id < b.id; });
  rows.push_back(sum);
  for (const GilRow& row : rows) {
    MVM_TRY(Ref<> stats, NewStats(ts, row, names));
    MVM_TRY_VOID(ListAppend(ts, list, stats));
  }
  return list;
}

Result<> gil_reset(ThreadState& ts, Args) {
  if (ts.rt->gil != nullptr) ts.rt->gil->ResetRows();
  return None(ts);
}

Result<> gil_start(ThreadState& ts, Args args) {
  MVM_TRY(int64_t limit, AsInt64(ts, args[0]));
  if (limit < 1 || limit > kMostSpans) {
    return Raise(ts, Exc::kValueError, "limit must be in range [1; %ld]",
                 static_cast<long>(kMostSpans));
  }
  if (EnsureGil(ts) == nullptr) return RaiseMemoryError(ts);
  if (ts.rt->gil->tracing()) return Raise(ts, Exc::kRuntimeError, "the lock is recorded already");
  const size_t bytes = static_cast<size_t>(limit) * sizeof(GilSpan);
  if (ts.heap().WouldExceed(bytes) || !ts.rt->gil->StartTrace(static_cast<size_t>(limit))) {
    return RaiseMemoryError(ts);
  }
  return None(ts);
}

// stop(): (seconds it lasted, number of spans that there was no room for, list of spans, the oldest
// end first); None if there was no recording.
Result<> gil_stop(ThreadState& ts, Args) {
  std::unique_ptr<GilTrace> trace;
  if (ts.rt->gil != nullptr) trace = ts.rt->gil->StopTrace();
  if (trace == nullptr) return None(ts);
  MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
  const size_t n = std::min<uint64_t>(trace->total, trace->limit);
  for (size_t i = 0; i < n; ++i) {
    const GilSpan& span = trace->spans[(trace->total - n + i) % trace->limit];
    if (span.end <= trace->start) continue;
    MVM_TRY(Ref<> ident, NewIntU64(ts, span.thread));
    MVM_TRY(Ref<> start, Seconds(ts, std::max(span.start, trace->start) - trace->start));
    MVM_TRY(Ref<> end, Seconds(ts, span.end - trace->start));
    Value values[] = {ident, span.kind != GilSpan::kWaiting ? ts.rt->true_ : ts.rt->false_, start,
                      end, span.kind == GilSpan::kForced ? ts.rt->true_ : ts.rt->false_};
    MVM_TRY(Ref<> made, NewStructSequence(ts, kSpan, values));
    MVM_TRY_VOID(ListAppend(ts, list, made));
    MVM_TRY_VOID(Charge(ts, 16));
  }
  MVM_TRY(Ref<> seconds, Seconds(ts, trace->end - trace->start));
  Value values[] = {seconds, Value::Int(static_cast<int64_t>(trace->total - n)), list};
  return NewTuple(ts, values);
}

Result<> gil_tracing(ThreadState& ts, Args) {
  return Bool(ts, ts.rt->gil != nullptr && ts.rt->gil->tracing());
}

const MethodSpec kFunctions[] = {
    {"reset()", gil_reset, "Begin counting anew."},
    {"start(limit, /)", gil_start, "Record spans from now on, the last `limit` of them."},
    {"stats(names, /)", gil_stats,
     "Rows of all threads, with names from a dict of idents, and a row of sums."},
    {"stop()", gil_stop, "End that: (seconds, spans dropped, list of spans), or None."},
    {"tracing()", gil_tracing, "Whether spans are recorded."},
};

Status exec_gil(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * stats, StructSequenceType(ts, kStats));
  MVM_TRY_VOID(ModuleAdd(ts, module, "ThreadStats", Value(stats)));
  MVM_TRY(TypeObject * span, StructSequenceType(ts, kSpan));
  return ModuleAdd(ts, module, "Span", Value(span));
}

}  // namespace

extern const ModuleSpec k__gil_module;
const ModuleSpec k__gil_module = {
    .name = "_gil",
    .doc = "What the VM's lock knows of itself; module gil tells it.",
    .functions = kFunctions,
    .exec = exec_gil,
};

}  // namespace minivm
