// Leaving frames: by return, by yield's cousin in generator_run.cpp, and by exception.
//
// Zero cost while nothing is raised: where a handler starts is looked up in the code's range table,
// innermost first. live[pc] tells how many registers are live at the word that raised (its own
// operands released, its result not written); everything from the handler's depth up to there is
// released. A frame that is left hands its locals to its FrameObject, which the traceback owns.
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/interpreter.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

void ReleaseRegisters(Value* R, uint32_t from, uint32_t to) {
  for (uint32_t i = to; i > from; --i) {
    Value v = std::exchange(R[i - 1], Value::Int(0));
    Decref(v);
  }
}

void ReleaseLocals(Value* R, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) {
    Value v = std::exchange(R[i], Value::Int(0));
    Decref(v);
  }
}

// The thread no longer handles exceptions in the generator's name; its own link is released.
void UnlinkHandled(ThreadState* ts, GeneratorObject* gen, bool finished) {
  ts->handled = gen->handled.prev;
  gen->handled.prev = nullptr;
  if (finished) {
    Value v = std::exchange(gen->handled.value, Value());
    Decref(v);
  }
}

void FinishGenerator(ThreadState* ts, GeneratorObject* gen) {
  gen->state = GenState::kClosed;
  gen->live = 0;
  gen->awaiting = false;
  UnlinkHandled(ts, gen, true);
  if (gen->frame.is_object()) {
    gen->frame.as<FrameObject>()->generator = nullptr;
    Value frame = std::exchange(gen->frame, Value());
    Decref(frame);
  }
}

// Where a frame that an exception leaves at `pc` shows itself to have been: clean-up code passes
// the exception on in the name of the word that raised it.
const Word* LastWord(ThreadState* ts, FunctionObject* f, const Value* R, const Word* pc) {
  if (static_cast<Op>(pc->op) != Op::RERAISE || pc->b == 0) return pc;
  const Value top = ts->pending.as<ExceptionObject>()->traceback;
  if (!IsExact(top, TypeId::kTraceback)) return pc;
  TracebackObject* tb = top.as<TracebackObject>();
  // Scripts make tracebacks with any tb_lasti.
  if (tb->frame->base != R || (!tb->at_word && tb->lasti < 2)) return pc;
  const uint32_t word =
      tb->at_word ? static_cast<uint32_t>(tb->lasti) : WordAtOffset(f->code, tb->lasti);
  return word < f->code->word_count ? f->instance->words + word : pc;
}

// The frame object of the frame at R, which an exception leaves at `pc` with nobody watching, and
// its entry in the traceback; the locals have moved, so that the window has never been seen to have
// a frame object. Borrowed; null: it has to be done the long way.
FrameObject* LeaveQuietly(ThreadState* ts, Value* R, const Word* pc, FunctionObject* f,
                          uint32_t at) {
  const uint32_t n = f->code->local_count;
  const uint64_t flags = HeaderOf(R).bits & 0xFF;
  ReleaseRegisters(R, n, f->code->live[at]);
  // A finalizer may have asked for the frame.
  if ((HeaderOf(R).bits & 0xFF) != flags || f->local_count != n) return nullptr;
  // The exception in flight is put aside: what follows allocates.
  Ref<> exc = TakePending(*ts);
  Result<FrameObject> frame = NewFrame(*ts, f, pc);
  Result<TracebackObject> made = frame.raised() ? Result<TracebackObject>(kRaised)
                                                : New<TracebackObject>(*ts, TypeId::kTraceback);
  if (made.raised()) {
    if (frame.word() != nullptr) Decref(static_cast<Object*>(frame.word()));
    ClearPending(*ts);
    ts->pending = exc.Release();
    return nullptr;
  }
  FrameObject* left = frame.word();
  TracebackObject* tb = made.word();
  TakeLocals(left, R, n);
  Track(left);
  tb->frame = left;
  LinkTraceback(exc.as<ExceptionObject>(), tb, at);
  ts->pending = exc.Release();
  return left;
}

// Is there a handler, or something else to be done, for an exception at word `at`?
bool HasRange(const CodeObject* code, uint32_t at) {
  for (uint32_t i = 0; i < code->range_count; ++i) {
    if (at >= code->ranges[i].start && at < code->ranges[i].end) return true;
  }
  return false;
}

}  // namespace

void ColdDealloc(ThreadState* ts, Value* R, const Word* pc, Object* o) {
  ts->base = R;
  ts->pc = pc;
  Dealloc(o);
}

void ColdDeallocLocal(ThreadState* ts, Value* R, uint32_t i) {
  Object* o = R[i].object();
  const uint32_t size = FunctionOf(R)->frame_size;
  for (uint32_t k = 0; k <= i; ++k) R[k] = Value::Int(0);
  if (HeaderOf(R).has(kFrameEntry)) {
    const EntryRecord* entry = static_cast<const EntryRecord*>(ts->entry);
    ts->base = entry->caller_base;
    ts->pc = entry->caller_pc;
  } else {
    ts->base = CallerBase(R);
    ts->pc = ReturnAddress(R) - 1;
  }
  Value* saved_top = std::exchange(ts->top, R + size + kWindowSlack);
  Dealloc(o);
  ts->top = saved_top;
}

void RaiseRecursion(ThreadState& ts) {
  Raise(ts, Exc::kRecursionError, "maximum recursion depth exceeded");
}

bool Unwind(ThreadState* ts, Value* R, Word* pc) {
  // The frame left last, when its f_back is not known yet; the traceback keeps it.
  FrameObject* inner = nullptr;
  for (;;) {
    ts->base = R;
    ts->pc = pc;
    MVM_DCHECK(ts->HasPending(), "unwinding without an exception");
    FunctionObject* f = FunctionOf(R);
    CodeObject* code = f->code;
    uint32_t at = PcIndex(f, pc);
    InterpState& state = InterpOf(*ts);
    const bool again = std::exchange(state.skip_traceback, false);
    constexpr uint64_t kQuiet = kFrameCtor | kFrameProperty;
    if (!again && (HeaderOf(R).bits & 0xFF & ~kQuiet) == 0 && state.on_exception == nullptr &&
        state.watching == nullptr && !HasRange(code, at)) {
      if (FrameObject* left = LeaveQuietly(ts, R, pc, f, at)) {
        if (inner != nullptr) inner->back = Ref<>::Borrow(Value(left)).Release();
        inner = left;
        const Value callee = R[-3], self = HeaderOf(R).has(kFrameCtor) ? R[-4] : Value();
        pc = const_cast<Word*>(ReturnAddress(R) - 1);
        R = CallerBase(R);
        ts->base = R;
        ts->pc = pc;
        Decref(self);
        Decref(callee);
        continue;
      }
    }
    if (inner != nullptr) SetBack(*ts, std::exchange(inner, nullptr), R, pc);
    if (!again) (void)AddTraceback(*ts, R, pc);
    if (state.on_exception != nullptr &&
        (HeaderOf(R).has(kFrameTraced) || state.watching != nullptr))
      state.on_exception(*ts, R, pc, again);
    uint32_t live = code->live[at];
    // A thread that is being stopped passes all handlers by.
    const uint32_t range_count = MVM_UNLIKELY(ts->stopping) ? 0 : code->range_count;
    for (uint32_t i = 0; i < range_count; ++i) {
      const ExceptionRange& range = code->ranges[i];
      if (at < range.start || at >= range.end) continue;
      if (range.handler == ExceptionRange::kNoHandler) {
        Value saved = std::exchange(R[range.depth], Value::Int(0));
        Value old = std::exchange(ts->handled->value, saved.is_absent() ? Value() : saved);
        Decref(old);
        // What turns StopIteration into RuntimeError has no clean-up of its own.
        if (state.on_handled != nullptr && static_cast<Op>(pc[-1].op) != Op::INTRINSIC1)
          (void)state.on_handled(*ts, R, pc, true);
        continue;
      }
      if (state.on_handled != nullptr &&
          state.on_handled(*ts, R, f->instance->words + range.handler, false).raised())
        continue;
      ReleaseRegisters(R, range.depth, live);
      Value exc = std::exchange(ts->pending, Value());
      Incref(exc);
      Value previous = std::exchange(ts->handled->value, exc);
      R[range.depth] = previous.is_null() ? Value::Absent() : previous;
      R[range.depth + 1] = exc;
      ts->pc = f->instance->words + range.handler;
      return true;
    }
    // Nobody here: leave the frame.
    FrameHeader header = HeaderOf(R);
    if (header.has(kFrameTraced) || state.watching != nullptr) WatchUnwind(ts, R, pc);
    ReleaseRegisters(R, code->local_count, live);
    header = HeaderOf(R);
    if (header.has(kFrameObject)) {
      DetachFrame(*ts, R, LastWord(ts, f, R, pc));
    } else {
      ReleaseLocals(R, code->local_count);
      // A finalizer may have asked for the frame.
      if (HeaderOf(R).has(kFrameObject)) DetachFrame(*ts, R, pc);
    }
    Value callee = R[-3];
    Value* caller = header.has(kFrameEntry) ? nullptr : CallerBase(R);
    const Word* back = ReturnAddress(R);
    if (header.has(kFrameCtor)) Decref(R[-4]);
    if (header.has(kFrameOperator)) {
      const Value left = R[-5], right = R[-4];
      Decref(left);
      Decref(right);
    }
    if (header.has(kFrameGenerator)) FinishGenerator(ts, callee.as<GeneratorObject>());
    if (caller == nullptr) {
      Decref(callee);
      return false;
    }
    if (header.has(kFrameDelegated)) FillFrame(caller);
    pc = const_cast<Word*>(header.has(kFrameGenerator) ? back : back - 1);
    if (header.has(kFrameOperator) && EndLoop(ts, caller, pc)) {
      Decref(callee);
      return true;
    }
    R = caller;
    ts->base = R;
    ts->pc = pc;
    Decref(callee);
  }
}

bool SlowReturn(ThreadState* ts, Value* R, Word* pc, Value* result, bool* halt) {
  ts->base = R;
  ts->pc = pc;
  FrameHeader header = HeaderOf(R);
  InterpState& state = InterpOf(*ts);
  Value value = *result;
  Op op = static_cast<Op>(pc->op);
  uint32_t locals = op == Op::GENSTART ? 0 : pc->b;
  if (header.has(kFrameTraced) && state.on_return != nullptr) {
    // A local that is returned has been moved out, but the frame still shows it.
    const bool local = op == Op::RET && pc->a < locals;
    Ref<> hold = Ref<>::Borrow(value);
    if (local) R[pc->a] = value;
    const bool failed = state.on_return(*ts, R, pc, value).raised();
    Value kept = local ? std::exchange(R[pc->a], Value::Int(0)) : value;
    if (failed) {
      if (local) {
        R[pc->a] = kept;
      } else {
        Decref(kept);
      }
      return false;
    }
    if (local) {
      Decref(kept);
      value = hold.Release();
    }
    header = HeaderOf(R);  // who was told may have asked for the frame
  }
  if (header.has(kFrameObject) && op != Op::GENSTART) {
    if (op == Op::RET &&
        pc->a < locals) {  // the frame object still shows the local that is returned
      Incref(value);
      R[pc->a] = value;
    }
    DetachFrame(*ts, R, pc);
  } else {
    ReleaseLocals(R, locals);
    if (op != Op::GENSTART && HeaderOf(R).has(kFrameObject)) DetachFrame(*ts, R, pc);
  }
  Value callee = R[-3];
  *halt = false;
  if (header.has(kFrameGenerator)) {
    GeneratorObject* gen = callee.as<GeneratorObject>();
    FinishGenerator(ts, gen);
    if (header.has(kFrameEntry)) {
      state.yielded = false;
      *halt = true;
      Decref(callee);
      return true;
    }
    Word* word = const_cast<Word*>(ReturnAddress(R));
    Value* caller = CallerBase(R);
    if (header.has(kFrameDelegated)) FillFrame(caller);
    ts->base = caller;
    ts->pc = word + 1 + word->x;
    Value iterator = caller[word->a];
    // CPython's loops see a StopIteration only if it has a value.
    const bool sends = static_cast<Op>(word->op) == Op::SEND;
    if (state.on_stop != nullptr &&
        (HeaderOf(caller).has(kFrameTraced) || state.watching != nullptr) &&
        (sends || !value.is(ts->rt->none))) {
      Ref<> hold = Ref<>::Borrow(iterator);
      ts->pc = word;
      if (sends) caller[word->b] = Value::Int(0);
      if (state.on_stop(*ts, caller, word, value).raised()) {
        Decref(value);
        Decref(callee);
        return false;
      }
      ts->pc = word + 1 + word->x;
    }
    if (static_cast<Op>(word->op) == Op::SEND) {
      caller[word->b] = value;
    } else {
      Decref(value);
    }
    Decref(iterator);
    Decref(callee);
    return true;
  }
  if (header.has(kFrameCtor)) {
    Value self = R[-4];
    if (MVM_UNLIKELY(!value.is(ts->rt->none))) {
      Value* caller = header.has(kFrameEntry) ? nullptr : CallerBase(R);
      const Word* back = ReturnAddress(R);
      ts->base = caller;
      ts->pc = back - 1;
      Raise(*ts, Exc::kTypeError, "__init__() should return None, not '%T'", value);
      Decref(value);
      Decref(self);
      Decref(callee);
      return false;
    }
    Decref(value);
    value = self;
    *result = self;
  }
  if (header.has(kFrameEntry)) {
    *halt = true;
    Decref(callee);
    return true;
  }
  if (header.has(kFrameOperator)) return ReturnToOperator(ts, R, value);
  Value* caller = CallerBase(R);
  // The constructor's window starts one word below its callee.
  Value old = std::exchange(caller[header.dest()], value);
  ts->base = caller;
  ts->pc = ReturnAddress(R);
  if (header.has(kFrameProperty)) Decref(old);
  Decref(callee);
  return true;
}

namespace {

// `raise X [from Y]`.
void DoRaise(ThreadState& ts, Value exc, Value cause, bool has_cause) {
  Ref<> value;
  if (IsException(ts, exc)) {
    value = Ref<>::Borrow(exc);
  } else if (IsType(ts, exc) && exc.as<TypeObject>()->has_flag(kTypeExceptionSubclass)) {
    Result<> r = Call(ts, exc);
    if (r.raised()) return;
    value = r.Take();
    if (!IsException(ts, value)) {
      Raise(ts, Exc::kTypeError,
            "calling %R should have returned an instance of BaseException, not %T", exc,
            value.get());
      return;
    }
  } else {
    Raise(ts, Exc::kTypeError, "exceptions must derive from BaseException");
    return;
  }
  if (has_cause) {
    Ref<> fixed;
    if (IsType(ts, cause) && cause.as<TypeObject>()->has_flag(kTypeExceptionSubclass)) {
      Result<> r = Call(ts, cause);
      if (r.raised()) return;
      fixed = r.Take();
      if (!IsException(ts, fixed)) {
        Raise(ts, Exc::kTypeError,
              "calling %R should have returned an instance of BaseException, not %T", cause,
              fixed.get());
        return;
      }
    } else if (IsException(ts, cause)) {
      fixed = Ref<>::Borrow(cause);
    } else if (!IsNone(ts, cause)) {
      Raise(ts, Exc::kTypeError, "exception causes must derive from BaseException");
      return;
    }
    ExceptionObject* e = value.as<ExceptionObject>();
    e->suppress_context = true;
    Value old = std::exchange(e->cause, fixed.Release());
    Decref(old);
  }
  RaiseObject(ts, value);
}

// Is `type` fit for `except type:`? Exceptions only, or tuples of them.
bool CheckExceptType(ThreadState& ts, Value type, bool star) {
  auto one = [&](Value t) {
    if (IsType(ts, t) && t.as<TypeObject>()->has_flag(kTypeExceptionSubclass)) {
      if (star && IsSubtype(t.as<TypeObject>(), ExcType(ts, Exc::kBaseExceptionGroup))) {
        Raise(ts, Exc::kTypeError,
              "catching ExceptionGroup with except* is not allowed. Use except instead.");
        return false;
      }
      return true;
    }
    Raise(ts, Exc::kTypeError,
          star ? "catching classes that do not inherit from BaseException is not allowed"
               : "catching classes that do not inherit from BaseException is not allowed");
    return false;
  };
  if (IsTuple(ts, type)) {
    for (Value t : type.as<TupleObject>()->span()) {
      if (!one(t)) return false;
    }
    return true;
  }
  return one(type);
}

bool MatchesType(ThreadState& ts, Value exc, Value type) {
  if (IsTuple(ts, type)) {
    for (Value t : type.as<TupleObject>()->span()) {
      if (MatchesType(ts, exc, t)) return true;
    }
    return false;
  }
  return IsSubtype(TypeOf(ts, exc), type.as<TypeObject>());
}

// except*: splits into what matches and the rest.
bool GroupMatch(ThreadState& ts, Value exc, Value type, Ref<>* match, Ref<>* rest) {
  *match = Ref<>::Borrow(ts.rt->none);
  *rest = Ref<>::Borrow(ts.rt->none);
  if (IsNone(ts, exc)) return true;
  if (MatchesType(ts, exc, type)) {
    if (IsSubtype(TypeOf(ts, exc), ExcType(ts, Exc::kBaseExceptionGroup))) {
      *match = Ref<>::Borrow(exc);
      return true;
    }
    // A naked exception is wrapped.
    Result<TupleObject> args = NewTuple(ts, {&exc, 1});
    if (args.raised()) return false;
    Ref<TupleObject> t = args.Take();
    Result<> group =
        Call(ts, Value(ExcType(ts, Exc::kExceptionGroup)), Value(ts.rt->empty_str), Value(t.get()));
    if (group.raised()) {
      if (!ClearPendingIf(ts, Exc::kTypeError)) return false;
      group = Call(ts, Value(ExcType(ts, Exc::kBaseExceptionGroup)), Value(ts.rt->empty_str),
                   Value(t.get()));
      if (group.raised()) return false;
    }
    *match = group.Take();
    ExceptionObject* e = match->as<ExceptionObject>();
    Value tb = exc.as<ExceptionObject>()->traceback;
    Incref(tb);
    Value old = std::exchange(e->traceback, tb);
    Decref(old);
    return true;
  }
  if (IsSubtype(TypeOf(ts, exc), ExcType(ts, Exc::kBaseExceptionGroup))) {
    Result<StrObject> name = InternUtf8(ts, "split");
    if (name.raised()) return false;
    Ref<StrObject> split = name.Take();
    Result<> pair = CallMethod(ts, exc, split, type);
    if (pair.raised()) return false;
    Ref<> p = pair.Take();
    if (!IsTuple(ts, p)) {
      Raise(ts, Exc::kTypeError, "%T.split must return a tuple, not %T", exc, p.get());
      return false;
    }
    TupleObject* t = p.as<TupleObject>();
    if (t->size() < 2) {
      Raise(ts, Exc::kTypeError, "%T.split must return a 2-tuple, got tuple of size %u", exc,
            t->size());
      return false;
    }
    *match = Ref<>::Borrow(t->items()[0]);
    *rest = Ref<>::Borrow(t->items()[1]);
    return true;
  }
  *rest = Ref<>::Borrow(exc);
  return true;
}

}  // namespace

bool SlowException(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  switch (static_cast<Op>(pc->op)) {
    case Op::RAISE: {
      if (pc->c == 0) {
        HandledException* h = ts->handled;
        while (h != nullptr && h->value.is_null()) h = h->prev;
        if (h == nullptr) {
          Raise(*ts, Exc::kRuntimeError, "No active exception to reraise");
          return false;
        }
        ts->pending = Result<>::Borrow(h->value).word();
        InterpOf(*ts).skip_traceback = true;
        return false;
      }
      FunctionObject* f = FunctionOf(R);
      Value exc = R[pc->a], cause = pc->c == 2 ? R[pc->b] : Value();
      DoRaise(*ts, exc, cause, pc->c == 2);
      // Operands that are temporaries are consumed.
      if (pc->a >= f->code->local_count) Decref(exc);
      if (pc->c == 2 && pc->b >= f->code->local_count) Decref(cause);
      return false;
    }
    case Op::RERAISE:
      ts->pending = R[pc->a];
      InterpOf(*ts).skip_traceback = true;
      return false;
    case Op::EGMATCH: {
      Value exc = R[pc->b], type = R[pc->c];
      Ref<> match, rest;
      bool ok = CheckExceptType(*ts, type, true) && GroupMatch(*ts, exc, type, &match, &rest);
      Decref(type);
      if (!ok) return false;
      if (!IsNone(*ts, match)) {
        Incref(match.get());
        Value old = std::exchange(ts->handled->value, match.get());
        Decref(old);
      }
      R[pc->a] = match.Release();
      R[pc->a + 1] = rest.Release();
      return true;
    }
    default: {  // EXCINFO
      Value exc = R[pc->b];
      Value* out = R + pc->a;
      Value type = Value(TypeOf(*ts, exc)), tb = exc.as<ExceptionObject>()->traceback;
      if (tb.is_null()) tb = ts->rt->none;
      Incref(type);
      Incref(exc);
      Incref(tb);
      out[0] = type;
      out[1] = exc;
      out[2] = tb;
      return true;
    }
  }
}

int SlowExceptionMatch(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value exc = R[pc->b], type = R[pc->c];
  bool ok = CheckExceptType(*ts, type, false);
  bool match = ok && MatchesType(*ts, exc, type);
  Decref(type);
  return ok ? !match : -1;
}

}  // namespace minivm
