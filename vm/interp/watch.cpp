// Watching calls: the tables, and what the dispatch loop does for words that are watched.
#include "vm/interp/watch.h"

#include <new>

#include "vm/interp/interpreter.h"

namespace minivm {

namespace {

WatchKind GeneralKind(Op op) {
  switch (op) {
    case Op::CALL:
    case Op::CALL_PY:
    case Op::CALL_NATIVE:
    case Op::CALL_NATIVE_PAD:
    case Op::CALL_CLASS:
    case Op::CALLM:
    case Op::CALLM_PY:
    case Op::CALLM_NATIVE:
    case Op::CALLM_NATIVE_PAD:
    case Op::CALLM_APPEND:
    case Op::CALL_KW:
    case Op::CALLM_KW:
    case Op::CALL_EX: return WatchKind::kCall;
    case Op::FOR_GEN:
    case Op::FOR_GEN_L:
    case Op::SEND: return WatchKind::kResume;
    case Op::GETATTR_PROPERTY: return WatchKind::kProperty;
    case Op::LOAD_SUPER: return WatchKind::kSuper;
    case Op::RET:
    case Op::RETSP:
    case Op::YIELD: return WatchKind::kLeave;
    default: return WatchKind::kPlain;
  }
}

WatchKind ProfileKind(Op op, bool builtins) {
  switch (op) {
    case Op::CALL_PY: return WatchKind::kProfilePy;
    case Op::CALLM_PY: return WatchKind::kProfileMethodPy;
    case Op::CALL_CLASS: return WatchKind::kProfileClass;
    case Op::CALL_NATIVE:
    case Op::CALL_NATIVE_PAD: return builtins ? WatchKind::kProfileNative : WatchKind::kPlain;
    case Op::CALLM_NATIVE:
    case Op::CALLM_NATIVE_PAD:
    case Op::CALLM_APPEND: return builtins ? WatchKind::kProfileMethodNative : WatchKind::kPlain;
    case Op::GETATTR_PROPERTY: return WatchKind::kProfileProperty;
    case Op::FOR_GEN:
    case Op::FOR_GEN_L: return WatchKind::kProfileFor;
    case Op::SEND: return WatchKind::kProfileSend;
    case Op::RET: return WatchKind::kProfileRet;
    case Op::RETSP: return WatchKind::kProfileRetSp;
    case Op::YIELD: return WatchKind::kProfileYield;
    default: return GeneralKind(op);
  }
}

void FillTable(const InterpState& state, WatchTable* table, bool general) {
  const CallProfile* profile = state.profile;
  for (size_t i = 0; i < 256; ++i) {
    const Op op = static_cast<Op>(i);
    WatchKind kind = general ? GeneralKind(op) : ProfileKind(op, profile->builtins);
    if (op == Op::GENSTART && profile != nullptr) kind = WatchKind::kProfileForget;
    table->kinds[i] = static_cast<uint8_t>(kind);
    table->labels[i] = kind == WatchKind::kPlain ? state.normal_table[i]
                                                 : state.watch_labels[static_cast<size_t>(kind)];
  }
}

}  // namespace

Status UpdateWatching(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  const bool general = state.on_enter != nullptr;
  bool ok = true;
  state.watching = nullptr;
  state.step_table = state.normal_table;
  if (general || (state.profile != nullptr && !state.profile->busy)) {
    if (state.watch_table == nullptr) state.watch_table = new (std::nothrow) WatchTable;
    ok = state.watch_table != nullptr;
    if (ok) {
      FillTable(state, state.watch_table, general);
      state.watching = state.watch_table;
      state.step_table = state.watch_table->labels;
    }
  }
  UpdateTicking(ts);
  return ok ? Ok() : Status(RaiseMemoryError(ts));
}

void ReleaseWatchTable(InterpState& state) {
  delete state.watch_table;
  state.watch_table = nullptr;
}

bool WatchEntry(ThreadState* ts) {
  Value* R = ts->base;
  const Word* pc = static_cast<const Word*>(ts->pc);
  InterpState& state = InterpOf(*ts);
  if (state.profile != nullptr) ProfileEnter(ts, FunctionOf(R)->code, HeaderOf(R).depth());
  // Making a generator is no call: the word makes the profile forget it.
  if (static_cast<Op>(pc->op) == Op::GENSTART) return true;
  if (state.on_enter == nullptr || !state.on_enter(*ts, R, pc).raised()) return true;
  return FailBefore(R, pc);
}

void WatchThrow(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  if (state.profile != nullptr)
    ProfileEnter(&ts, FunctionOf(ts.base)->code, HeaderOf(ts.base).depth());
  if (state.on_throw != nullptr) (void)state.on_throw(ts, ts.base, static_cast<const Word*>(ts.pc));
}

bool WatchedSuper(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  InterpState& state = InterpOf(*ts);
  if (state.on_call == nullptr) return SlowLoadSuper(ts, R, pc);
  Ref<> callee = Ref<>::Borrow(R[pc->b]);
  // Its argument is what is written.
  Ref<> first = pc->c & 2 ? Ref<>() : Ref<>::Borrow(R[pc->b + 1]);
  Result<bool> told = state.on_call(*ts, R, pc, callee, first);
  if (told.raised()) return FailBefore(R, pc);
  const bool wanted = told.Take();
  const bool done = SlowLoadSuper(ts, R, pc);
  if (!wanted || state.on_called == nullptr) return done;
  // super itself has returned, also if there is no such attribute.
  if (!state.on_called(*ts, R, pc, callee, first, false).raised() || !done) return done;
  // What has been loaded is given up as the next word would.
  ts->pc = pc + 1;
  return FailBefore(R, pc + 1);
}

void WatchLeave(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  InterpState& state = InterpOf(*ts);
  if (!ProfileQuiet(ts)) ProfileLeave(ts, HeaderOf(R).depth());
  // Frames that ran before somebody watched end as others do.
  if (state.on_return != nullptr) SetFrameFlag(R, kFrameTraced);
}

void WatchUnwind(ThreadState* ts, Value* R, const Word* pc) {
  InterpState& state = InterpOf(*ts);
  if (std::exchange(state.quiet_unwind, false)) return;
  if (!ProfileQuiet(ts)) ProfileLeave(ts, HeaderOf(R).depth());
  if (state.on_return != nullptr && (HeaderOf(R).has(kFrameTraced) || state.on_enter != nullptr))
    (void)state.on_return(*ts, R, pc, Value());
}

}  // namespace minivm
