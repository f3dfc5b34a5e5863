// Resuming and suspending generators.
//
// A resumed generator's registers are moved to the top of the VM stack and run as a frame; YIELD
// moves them back. Which word resumed it decides what a yield or return means: FOR and SEND go on
// in script (no C recursion however long the chain), an entry from C++ leaves Run().
#include "vm/interp/generator_object.h"

#include <algorithm>
#include <optional>

#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/range_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "vm/interp/async_generator.h"
#include "vm/interp/call_profile.h"
#include "vm/interp/generator_switch.h"
#include "vm/interp/interpreter.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

bool IsResumable(Value v) {
  return IsExact(v, TypeId::kGenerator) || IsExact(v, TypeId::kCoroutine);
}

const char* KindName(const GeneratorObject* gen) {
  switch (static_cast<TypeId>(gen->shape_id)) {
    case TypeId::kCoroutine: return "coroutine";
    case TypeId::kAsyncGenerator: return "async generator";
    default: return "generator";
  }
}

// The same for generators in any state and with a frame object.
inline void LayFrame(ThreadState* ts, Value* w, GeneratorObject* gen, Value back, uint64_t header,
                     Value sent) {
  if (gen->state == GenState::kCreated && !sent.is_null()) {
    Decref(sent);
    sent = Value();
  }
  LayGenerator(ts, w, gen, back, header, sent);
  Value* nb = w + kWindowWords;
  if (gen->frame.is_object()) LinkLiveFrame(*ts, gen->frame.as<FrameObject>(), nb);
  ts->base = nb;
  ts->pc = gen->resume_pc;
}

// A generator about to be resumed, and the window for it.
struct Resumption {
  GeneratorObject* gen;
  Value* w;
  Value back;
  uint64_t header;
};

// Of generators that wait for each other (`yield from`, await), only the innermost has anything to
// do. Here `r` goes on to it: the others' frames are announced (FillFrame), where they would be if
// each had resumed the next, and have nothing moved but their windows. All rules hold for them as
// for frames that run; SlowYield suspends them again as lightly.
void GoToInnermost(ThreadState* ts, Resumption* r) {
  const InterpState& state = InterpOf(*ts);
  GeneratorObject* gen = r->gen;
  if (gen->frame.is_object() || state.watching != nullptr || state.trace != nullptr) return;
  Value* w = r->w;
  Value back = r->back;
  uint64_t header = r->header;
  const Value* limit = ts->stack_end - kWindowSlack - 3 * UINT8_MAX;  // room for the widest frame
  while (gen->awaiting) {
    const Value delegate = gen->registers[gen->yield_register - 1];
    if (!IsResumable(delegate)) break;
    GeneratorObject* inner = delegate.as<GeneratorObject>();
    if (inner->state != GenState::kSuspended || inner->frame.is_object()) break;
    // Its window stands where the SEND would put it: above the iterator and the value sent.
    const uint64_t window = gen->yield_register + 1u;
    const uint64_t below = header;
    header = (below >> 32 << 32) + FrameHeader::kDepthOne + HeaderPlaces(window, 0) +
             kFrameGenerator + kFrameDelegated;
    if (MVM_UNLIKELY(w >= limit || header >= ts->depth_limit)) {
      header = below;
      break;
    }
    w[0] = Value(static_cast<Object*>(gen));  // not yet counted
    w[1] = back;
    w[2] = Value::FromBits(below);
    gen->state = GenState::kRunning;
    gen->handled.prev = ts->handled;
    ts->handled = &gen->handled;
    const Word* loop = gen->resume_pc;
    back = Value::FromBits(reinterpret_cast<uint64_t>(loop + 1 + loop->x));
    w += kWindowWords + window;
    gen = inner;
  }
  *r = {gen, w, back, header};
}

// For the word at pc; false if there is no room.
bool PushGenerator(ThreadState* ts, Value* R, const Word* pc, GeneratorObject* gen, Value sent) {
  Value* w = ResumeWindow(R, pc);
  uint64_t header = GeneratorHeader(R, w, InfoOf(static_cast<Op>(pc->op)).format[1] == 'l');
  if (!FrameFits(ts, w + kWindowWords, gen->function->frame_size, header)) return false;
  Resumption r{gen, w, Value::FromBits(reinterpret_cast<uint64_t>(pc)), header};
  if (gen->awaiting) GoToInnermost(ts, &r);
  LayFrame(ts, r.w, r.gen, r.back, r.header, sent);
  return true;
}

}  // namespace

bool SlowGenStart(ThreadState* ts, Value* R, Word* pc, Value* out) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  uint32_t flags = f->code->flags;
  TypeId type = flags & kCodeCoroutine        ? TypeId::kCoroutine
                : flags & kCodeAsyncGenerator ? TypeId::kAsyncGenerator
                                              : TypeId::kGenerator;
  Result<GeneratorObject> made = New<GeneratorObject>(*ts, type);
  if (made.raised()) return false;
  GeneratorObject* gen = made.word();
  uint32_t size = f->frame_size;
  gen->registers = static_cast<Value*>(ts->heap().AllocateBuffer(size * sizeof(Value)));
  if (gen->registers == nullptr) {
    gen->gc |= kGcFinalized;  // half made: there is nothing to await or close
    Decref(static_cast<Object*>(gen));
    RaiseMemoryError(*ts);
    return false;
  }
  gen->capacity = size;
  gen->function = Ref<FunctionObject>::Borrow(f).Release();
  gen->name = Ref<StrObject>::Borrow(f->name).Release();
  gen->qualname = Ref<StrObject>::Borrow(f->qualname).Release();
  gen->live = f->local_count;
  for (uint32_t i = 0; i < gen->live; ++i) gen->registers[i] = std::exchange(R[i], Value::Int(0));
  gen->resume_pc = pc + 1;
  Track(gen);
  if (type == TypeId::kCoroutine) NoteCoroutineOrigin(*ts, gen);
  *out = Value(gen);
  return true;
}

bool SlowYield(ThreadState* ts, Value* R, Word* pc, Value* result, bool* halt) {
  ts->base = R;
  ts->pc = pc;
  FrameHeader header = HeaderOf(R);
  GeneratorObject* gen = R[-3].as<GeneratorObject>();
  InterpState& state = InterpOf(*ts);
  const Value value = R[pc->c];
  if (pc->c == pc->a) {
    R[pc->a] = Value::Int(0);
  } else {
    Incref(value);
  }
  if (header.has(kFrameTraced) && state.on_return != nullptr &&
      state.on_return(*ts, R, pc, value).raised()) {
    Decref(value);
    return false;
  }
  header = HeaderOf(R);  // who was told may have asked for the frame
  SuspendGenerator(ts, gen, R, pc);
  if (header.has(kFrameObject) && gen->frame.is_object()) {
    FrameObject* frame = gen->frame.as<FrameObject>();
    frame->pc = pc;
    UnlinkLiveFrame(*ts, frame);
  }
  // Those that delegate to it and are only announced pass the value on by doing nothing.
  while (header.has(kFrameDelegated)) {
    Value* outer = CallerBase(R);
    GeneratorObject* delegator = outer[-3].as<GeneratorObject>();
    if (state.watching != nullptr || state.trace != nullptr) FillFrame(outer);
    if (delegator->live == 0) break;  // it goes on by itself
    --gen->refcount;                  // the delegator has another
    gen = delegator;
    ++gen->refcount;
    gen->state = GenState::kSuspended;
    ts->handled = std::exchange(gen->handled.prev, nullptr);
    R = outer;
    header = HeaderOf(R);
  }
  *halt = false;
  if (header.has(kFrameEntry)) {
    state.yielded = true;
    *result = value;
    *halt = true;
    Decref(static_cast<Object*>(gen));
    return true;
  }
  Word* word = const_cast<Word*>(ReturnAddress(R));
  Value* caller = CallerBase(R);
  ts->base = caller;
  ts->pc = word + 1;
  Value old = caller[word->b];
  caller[word->b] = value;
  if (header.dest() != 0) Decref(old);
  Decref(static_cast<Object*>(gen));
  return true;
}

namespace {

// The first step of a generator that nobody watches, for the FOR at pc. False: another way.
bool StartGenerator(ThreadState* ts, Value* R, Word* pc, GeneratorObject* gen) {
  const Op op = static_cast<Op>(pc->op);
  const bool local = op == Op::FOR_GEN_L;
  if (gen->state != GenState::kCreated || !gen->frame.is_null() ||
      InterpOf(*ts).watching != nullptr || !(local || op == Op::FOR_GEN)) {
    return false;
  }
  Value* w = ResumeWindow(R, pc);
  const uint64_t header = GeneratorHeader(R, w, local);
  if (!FrameFits(ts, w + kWindowWords, gen->function->frame_size, header)) return false;
  LayGenerator(ts, w, gen, Value::FromBits(reinterpret_cast<uint64_t>(pc)), header, Value());
  ts->base = w + kWindowWords;
  ts->pc = gen->resume_pc;
  return true;
}

}  // namespace

CallOutcome SlowFor(ThreadState* ts, Value* R, Word* pc, bool* jump) {
  ts->base = R;
  ts->pc = pc;
  Value it = R[pc->a];
  *jump = false;
  if (IsExact(it, TypeId::kGenerator) && StartGenerator(ts, R, pc, it.as<GeneratorObject>()))
    return CallOutcome::kPushed;
  uint32_t shape = it.is_object() ? it.object()->shape_id : 0;
  const bool local = InfoOf(static_cast<Op>(pc->op)).format[1] == 'l';
  Op want = Op::FOR;
  switch (static_cast<TypeId>(shape)) {
    case TypeId::kRangeIterator: want = local ? Op::FOR_RANGE_L : Op::FOR_RANGE; break;
    case TypeId::kListIterator: want = local ? Op::FOR_LIST_L : Op::FOR_LIST; break;
    case TypeId::kTupleIterator: want = local ? Op::FOR_TUPLE_L : Op::FOR_TUPLE; break;
    case TypeId::kGenerator: {
      GeneratorObject* gen = it.as<GeneratorObject>();
      if (gen->state == GenState::kCreated || gen->state == GenState::kSuspended) {
        const auto own = static_cast<uint8_t>(local ? Op::FOR_GEN_L : Op::FOR_GEN);
        const bool watched = std::exchange(pc->op, own) == own;  // other forms never are
        ++ts->rt->none->refcount;
        if (PushGenerator(ts, R, pc, gen, Value(ts->rt->none))) {
          return watched || TellEntry(ts, gen->function) ? CallOutcome::kPushed
                                                         : CallOutcome::kRaised;
        }
        --ts->rt->none->refcount;
      }
      [[fallthrough]];
    }
    default:
      want = local ? Op::FOR_L : Op::FOR;
      static_assert(kTypeCount <= 256);
      if (shape < kTypeCount && shape != ShapeIdOf(TypeId::kGenerator) &&
          ts->rt->types[shape]->slots.next != nullptr) {
        pc->c = static_cast<uint8_t>(shape);  // see FOR in the loop
      }
  }
  if (pc->op != static_cast<uint8_t>(want) && ts->Spends()) pc->op = static_cast<uint8_t>(want);
  CallOutcome outcome;
  if (PushNext(ts, R, pc, it, &outcome)) return outcome;
  // Straight to the type: only iterators inside of natives can be nested without end.
  const CoreSlots* slots = SlotsOf(*ts, it);
  Result<> r = MVM_LIKELY(slots != nullptr && slots->next != nullptr) ? slots->next(*ts, it)
                                                                      : NextOrStop(*ts, it);
  if (MVM_UNLIKELY(r.raised())) {
    if (!ClearPendingIf(*ts, Exc::kStopIteration)) return CallOutcome::kRaised;
    r = Result<>::Done();
  }
  if (r.done()) {
    Decref(it);
    *jump = true;
    return CallOutcome::kDone;
  }
  Value old = R[pc->b];
  R[pc->b] = r.word();
  if (local) Decref(old);
  return CallOutcome::kDone;
}

CallOutcome SlowSend(ThreadState* ts, Value* R, Word* pc, bool* jump) {
  ts->base = R;
  ts->pc = pc;
  Value it = R[pc->a], value = R[pc->b];
  *jump = false;
  if (IsResumable(it)) {
    GeneratorObject* gen = it.as<GeneratorObject>();
    if (gen->state == GenState::kSuspended ||
        (gen->state == GenState::kCreated && value.is(ts->rt->none))) {
      if (PushGenerator(ts, R, pc, gen, value)) {
        R[pc->b] = Value::Int(0);  // the value is the generator's now, also if it raises
        return CallOutcome::kPushed;
      }
    }
  }
  Ref<> sent = Ref<>::Steal(value);
  R[pc->b] = Value::Int(0);
  Result<> r = kRaised;
  Ref<> returned;
  if (IsResumable(it)) {
    r = GeneratorSend(*ts, it.as<GeneratorObject>(), sent, &returned);
  } else if (IsNone(*ts, sent)) {
    r = NextOrStop(*ts, it);
  } else {
    r = CallMethod(*ts, it, MVM_NAME(*ts, send), sent);
    if (r.raised() && PendingIs(*ts, Exc::kStopIteration)) {
      Ref<> stop = TakePending(*ts);
      returned = Ref<>::Borrow(stop.as<StopIterationObject>()->value);
      r = Result<>::Done();
    }
  }
  if (r.raised()) {
    // A native awaitable tells its result by StopIteration.
    if (!PendingIs(*ts, Exc::kStopIteration) || IsResumable(it)) return CallOutcome::kRaised;
    Ref<> stop = TakePending(*ts);
    returned = Ref<>::Borrow(stop.as<StopIterationObject>()->value);
    r = Result<>::Done();
  }
  if (r.done() && !returned.is_null()) {
    InterpState& state = InterpOf(*ts);
    if (state.on_stop != nullptr && (HeaderOf(R).has(kFrameTraced) || state.watching != nullptr) &&
        state.on_stop(*ts, R, pc, returned).raised()) {
      return CallOutcome::kRaised;
    }
  }
  if (r.done()) {
    R[pc->b] = returned.is_null() ? Result<>::Borrow(ts->rt->none).word() : returned.Release();
    Decref(it);
    *jump = true;
    return CallOutcome::kDone;
  }
  R[pc->b] = r.word();
  return CallOutcome::kDone;
}

namespace {

// Runs the generator on top of the stack; kThrowing: the pending exception is raised at the yield.
// `sent` is owned and consumed.
template <bool kThrowing>
Result<> EnterGenerator(ThreadState& ts, GeneratorObject* gen, Value sent, Ref<>* returned) {
  RecursionGuard guard(ts, "");
  if (!guard) {
    Decref(sent);
    return kRaised;
  }
  Value* w = StackTop(ts);
  const uint64_t header = EntryHeader(ts) + kFrameGenerator;
  if (!FrameFits(&ts, w + kWindowWords, gen->function->frame_size, header)) {
    Ref<> hold = kThrowing ? TakePending(ts) : Ref<>();
    RaiseRecursion(ts);
    Decref(sent);
    return kRaised;
  }
  const Entry entry(ts, w + kWindowWords);
  Resumption r{gen, w, Value(), header};
  if (!kThrowing && gen->awaiting) GoToInnermost(&ts, &r);
  LayFrame(&ts, r.w, r.gen, r.back, r.header, sent);
  const Word* pc = static_cast<const Word*>(ts.pc);
  if (kThrowing) {
    if (!gen->handled.value.is_null()) {
      ChainContext(ts.pending.as<ExceptionObject>(), gen->handled.value);
    }
    // Raised at the word that yielded; its operands are gone, live[] says so.
    ts.pc = pc - 1;
    InterpState& state = InterpOf(ts);
    if (state.quiet_unwind) {
      state.quiet_unwind = state.watching != nullptr;
      ProfileOver(&ts, header >> 32);
    } else if (state.on_throw != nullptr || state.profile != nullptr) {
      WatchThrow(ts);
    }
    pc = nullptr;
  } else if (!TellEntry(&ts, gen->function)) {
    pc = nullptr;
  }
  const Value v = Run(&ts, ts.base, pc);
  if (v.is_null()) return kRaised;
  if (MVM_LIKELY(InterpOf(ts).yielded)) return Result<>::Steal(v);
  *returned = Ref<>::Steal(v);
  return Result<>::Done();
}

// Puts the frame of a suspended generator on the stack while an exception is thrown into what it
// delegates to, so that the frames further in have it behind them.
class DelegatingFrame {
 public:
  DelegatingFrame(ThreadState& ts, GeneratorObject* gen) : ts_(ts), gen_(gen) {
    Value* w = StackTop(ts);
    base_ = w + kWindowWords;
    const uint64_t depth = ts.base == nullptr ? 0 : ts.base[-1].bits() >> 32 << 32;
    const uint64_t header = depth + FrameHeader::kDepthOne + kFrameGenerator + kFrameEntry;
    if (!FrameFits(&ts, base_, gen->function->frame_size, header)) {
      Ref<> hold = TakePending(ts);
      RaiseRecursion(ts);
      return;
    }
    entry_.emplace(ts, base_);
    live_ = gen->live;
    LayFrame(&ts, w, gen, Value(), header, Value());
    ProfileOver(&ts, header >> 32);
    ts.pc = static_cast<const Word*>(ts.pc) - 1;
  }
  ~DelegatingFrame() {
    if (!ok()) return;
    std::copy_n(base_, live_, gen_->registers);
    gen_->live = live_;
    gen_->state = GenState::kSuspended;
    ts_.handled = std::exchange(gen_->handled.prev, nullptr);
    if (HeaderOf(base_).has(kFrameObject) && gen_->frame.is_object()) {
      FrameObject* frame = gen_->frame.as<FrameObject>();
      frame->pc = gen_->resume_pc - 1;
      UnlinkLiveFrame(ts_, frame);
    }
    entry_.reset();
    Decref(static_cast<Object*>(gen_));
  }
  DelegatingFrame(const DelegatingFrame&) = delete;
  DelegatingFrame& operator=(const DelegatingFrame&) = delete;
  bool ok() const { return entry_.has_value(); }

 private:
  ThreadState& ts_;
  GeneratorObject* gen_;
  Value* base_;
  std::optional<Entry> entry_;
  uint32_t live_ = 0;
};

// close() of whatever a generator delegates to.
Status CloseDelegate(ThreadState& ts, Value delegate) {
  if (IsResumable(delegate)) {
    MVM_TRY_VOID(GeneratorClose(ts, delegate.as<GeneratorObject>()));
    return Ok();
  }
  Result<> found = GetAttrOptional(ts, delegate, MVM_NAME(ts, close));
  if (found.raised()) {
    WriteUnraisable(ts, delegate);
    return Ok();
  }
  Ref<> close = found.Take();
  if (close.is_absent()) return Ok();
  MVM_TRY_VOID(Call(ts, close));
  return Ok();
}

}  // namespace

Value GeneratorDelegate(GeneratorObject* gen) {
  if (gen->state != GenState::kSuspended || !gen->awaiting) return Value();
  return gen->registers[gen->yield_register - 1];
}

Result<> GeneratorSend(ThreadState& ts, GeneratorObject* gen, Value sent, Ref<>* returned) {
  switch (gen->state) {
    case GenState::kRunning:
      return Raise(ts, Exc::kValueError, "%s already executing", KindName(gen));
    case GenState::kClosed:
      if (gen->shape_id == ShapeIdOf(TypeId::kCoroutine)) {
        return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited coroutine");
      }
      *returned = Ref<>::Borrow(ts.rt->none);
      return Result<>::Done();
    case GenState::kCreated:
      if (!IsNone(ts, sent)) {
        return Raise(ts, Exc::kTypeError, "can't send non-None value to a just-started %s",
                     KindName(gen));
      }
      break;
    case GenState::kSuspended: break;
  }
  Incref(sent);
  return EnterGenerator<false>(ts, gen, sent, returned);
}

namespace {

// next() of one that waits at a YIELD of its own, has no frame object and is not watched: what
// natives that draw from generators nearly always meet.
Result<> NextOfWaiting(ThreadState& ts, GeneratorObject* gen, Batch* batch, Ref<>* returned) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  Value* w = StackTop(ts);
  Value* nb = w + kWindowWords;
  const uint64_t header = EntryHeader(ts) + kFrameGenerator;
  if (!FrameFits(&ts, nb, gen->function->frame_size, header)) {
    RaiseRecursion(ts);
    return kRaised;
  }
  const Entry entry(ts, nb);
  LayGenerator(&ts, w, gen, Value::FromBits(reinterpret_cast<uint64_t>(batch)), header, Value());
  const Word* pc = ResumeWord(&ts, nb, gen->yield_register, gen->resume_pc);
  ts.base = nb;
  ts.pc = pc;
  const Value v = Run(&ts, nb, pc);
  if (MVM_LIKELY(!v.is_null() && InterpOf(ts).yielded)) return Result<>::Steal(v);
  if (v.is_null()) return kRaised;
  *returned = Ref<>::Steal(v);
  return Result<>::Done();
}

}  // namespace

Result<> GeneratorNext(ThreadState& ts, GeneratorObject* gen, Batch* batch) {
  Ref<> returned;
  Result<> r = kRaised;
  if (MVM_LIKELY(gen->state == GenState::kSuspended && !gen->awaiting && gen->frame.is_null() &&
                 InterpOf(ts).watching == nullptr)) {
    r = NextOfWaiting(ts, gen, batch, &returned);
  } else {
    r = GeneratorSend(ts, gen, ts.rt->none, &returned);
  }
  if (MVM_LIKELY(!r.done()) || returned.is_null() || IsNone(ts, returned)) return r;
  return RaiseStopIteration(ts, returned);
}

Result<> GeneratorThrow(ThreadState& ts, GeneratorObject* gen, Ref<>* returned) {
  switch (gen->state) {
    case GenState::kRunning: {
      ClearPending(ts);
      return Raise(ts, Exc::kValueError, "%s already executing", KindName(gen));
    }
    case GenState::kClosed:
      if (gen->shape_id == ShapeIdOf(TypeId::kCoroutine)) {
        ClearPending(ts);
        return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited coroutine");
      }
      return kRaised;
    default: break;
  }
  Value delegate = GeneratorDelegate(gen);
  if (delegate.is_null()) return EnterGenerator<true>(ts, gen, Value(), returned);

  Ref<> inner = Ref<>::Borrow(delegate);
  Result<> r = kRaised;
  Ref<> inner_returned;
  {
    DelegatingFrame frame(ts, gen);
    if (!frame.ok()) return kRaised;
    if (PendingIs(ts, Exc::kGeneratorExit)) {
      Ref<> exit = TakePending(ts);
      Status closed = CloseDelegate(ts, inner);
      if (!closed.raised()) ts.pending = exit.Release();
    } else if (IsResumable(inner)) {
      r = GeneratorThrow(ts, inner.as<GeneratorObject>(), &inner_returned);
    } else {
      Ref<> exc = TakePending(ts);
      Result<> method = GetAttrOptional(ts, inner, MVM_NAME(ts, throw));
      if (!method.raised()) {
        Ref<> m = method.Take();
        if (m.is_absent()) {
          ts.pending = exc.Release();
        } else {
          r = Call(ts, m, exc);
        }
      }
    }
  }
  if (!r.raised() && !r.done()) return r;
  if (r.raised() && !inner_returned && PendingIs(ts, Exc::kStopIteration)) {
    Ref<> stop = TakePending(ts);
    inner_returned = Ref<>::Borrow(stop.as<StopIterationObject>()->value);
  } else if (r.raised()) {
    return EnterGenerator<true>(ts, gen, Value(), returned);
  }
  // The delegate is finished: go on behind the SEND with its result.
  const Word* loop = gen->resume_pc;
  const Word* send = loop + 1 + loop->x;
  MVM_DCHECK(static_cast<Op>(send->op) == Op::SEND,
             "a delegating yield is followed by the way back to SEND");
  Value iterator = gen->registers[gen->yield_register - 1];
  // R[A] is dead from here on, R[B] (the register that receives what is sent) the result.
  gen->registers[gen->yield_register - 1] = Value::Int(0);
  gen->resume_pc = send + 1 + send->x;
  gen->awaiting = false;
  Decref(iterator);
  return EnterGenerator<false>(ts, gen, inner_returned.Release(), returned);
}

namespace {

// Does the generator wait inside a `try` or `with`? What turns StopIteration into RuntimeError, an
// intrinsic, is none.
bool InTry(const GeneratorObject* gen) {
  const CodeObject* code = gen->function->code;
  const uint32_t at = PcIndex(gen->function, gen->resume_pc) - 1;
  for (uint32_t i = 0; i < code->range_count; ++i) {
    const ExceptionRange& range = code->ranges[i];
    if (at < range.start || at >= range.end) continue;
    if (range.handler == ExceptionRange::kNoHandler) return true;
    const Word* handler = gen->function->instance->words + range.handler;
    if (static_cast<Op>(handler->op) != Op::INTRINSIC1) return true;
  }
  return false;
}

}  // namespace

Result<> GeneratorClose(ThreadState& ts, GeneratorObject* gen) {
  if (gen->state == GenState::kClosed) return None(ts);
  if (gen->state == GenState::kRunning) {
    return Raise(ts, Exc::kValueError, "%s already executing", KindName(gen));
  }
  if (gen->state == GenState::kCreated) {
    gen->state = GenState::kClosed;
    uint32_t n = std::exchange(gen->live, 0u);
    for (uint32_t i = 0; i < n; ++i) {
      Value v = std::exchange(gen->registers[i], Value());
      Decref(v);
    }
    return None(ts);
  }
  RaiseNoMessage(ts, Exc::kGeneratorExit);
  // Where nothing could catch it, the end is no event.
  InterpOf(ts).quiet_unwind = GeneratorDelegate(gen).is_null() && !InTry(gen);
  Ref<> returned;
  Result<> r = GeneratorThrow(ts, gen, &returned);
  if (r.raised()) {
    if (ClearPendingIf(ts, Exc::kGeneratorExit) || ClearPendingIf(ts, Exc::kStopIteration))
      return None(ts);
    return kRaised;
  }
  if (r.done()) return Result<>(std::move(returned));
  Ref<> yielded = r.Take();
  return Raise(ts, Exc::kRuntimeError, "%s ignored GeneratorExit", KindName(gen));
}

namespace {

// Its frame object, if any, has lost its registers.
void ForgetFrame(GeneratorObject* gen) {
  if (!gen->frame.is_object()) return;
  gen->frame.as<FrameObject>()->generator = nullptr;
  Value frame = std::exchange(gen->frame, Value());
  Decref(frame);
}

}  // namespace

void VisitGenerator(Object* self, Visitor& visitor) {
  gc_internal::VisitHook<GeneratorObject>(self, visitor);
}

void ClearGenerator(Object* self) {
  ForgetFrame(static_cast<GeneratorObject*>(self));
  gc_internal::ClearHook<GeneratorObject>(self);
}

void DestroyGenerator(Heap& heap, Object* self) {
  ForgetFrame(static_cast<GeneratorObject*>(self));
  gc_internal::DestroyHook<GeneratorObject>(heap, self);
}

bool GeneratorDiesQuietly(const Object* self) {
  const GenState state = static_cast<const GeneratorObject*>(self)->state;
  return state == GenState::kClosed ||
         (state == GenState::kCreated && self->shape_id == ShapeIdOf(TypeId::kGenerator));
}

void GeneratorObject::FreeBuffers(Heap& heap) {
  if (registers != nullptr) heap.FreeBuffer(registers, capacity * sizeof(Value));
  registers = nullptr;
}

}  // namespace minivm
