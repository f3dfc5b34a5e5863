// Walking frames; frame objects and their windows; traceback entries.
#include "vm/interp/frame.h"

#include <algorithm>

#include "runtime/objects/exception_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/interp/generator_object.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

FunctionObject* GeneratorFunction(Object* generator) {
  return static_cast<GeneratorObject*>(generator)->function;
}

void FillFrame(Value* base) {
  Object* callee = base[-3].object();
  if (callee->shape_id == ShapeIdOf(TypeId::kFunction)) return;
  GeneratorObject* gen = static_cast<GeneratorObject*>(callee);
  const uint32_t live = std::exchange(gen->live, 0u);
  if (live == 0) return;
  ++gen->refcount;
  for (uint32_t i = 0; i < live; ++i) base[i] = gen->registers[i];
  base[gen->yield_register] = Value::Int(0);  // what was sent has gone on
}

void FrameWalker::Next() {
  if (HeaderOf(base_).has(kFrameEntry)) {
    // The frame below belongs to the code that called into the VM.
    while (entry_ != nullptr && entry_->base != base_) entry_ = entry_->prev;
    if (entry_ == nullptr) {
      base_ = nullptr;
      return;
    }
    base_ = entry_->caller_base;
    pc_ = static_cast<const Word*>(entry_->caller_pc);
    entry_ = entry_->prev;
    return;
  }
  const Word* back = ReturnAddress(base_);
  const FrameHeader header = HeaderOf(base_);
  pc_ = header.has(kFrameGenerator) ? back : back - 1;
  base_ = CallerBase(base_);
  if (header.has(kFrameDelegated)) FillFrame(base_);
}

ThreadState& OtherThreadOfWindow(ThreadState& ts, const Value* base) {
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    if (base >= t->stack && base < t->stack_end) return *t;
  }
  return ts;
}

void LinkLiveFrame(ThreadState& ts, FrameObject* frame, Value* base) {
  InterpState& state = InterpOf(ThreadOfWindow(ts, base));
  frame->base = base;
  frame->next_live = state.live_frames;
  state.live_frames = frame;
  SetFrameFlag(base, kFrameObject);
}

void UnlinkLiveFrame(ThreadState& ts, FrameObject* frame) {
  FrameObject** link = &InterpOf(ThreadOfWindow(ts, frame->base)).live_frames;
  while (*link != nullptr && *link != frame) link = &(*link)->next_live;
  if (*link != nullptr) *link = frame->next_live;
  frame->next_live = nullptr;
  frame->base = nullptr;
}

namespace {

FrameObject* FindLiveFrame(ThreadState& ts, Value* base) {
  for (FrameObject* f = InterpOf(ThreadOfWindow(ts, base)).live_frames; f != nullptr;
       f = f->next_live) {
    if (f->base == base) return f;
  }
  return nullptr;
}

bool IsGeneratorCallee(const Value* base) {
  return base[-3].object()->shape_id != ShapeIdOf(TypeId::kFunction);
}

}  // namespace

FrameObject* ExistingFrame(ThreadState& ts, Value* base) {
  return HeaderOf(base).has(kFrameObject) ? FindLiveFrame(ts, base) : nullptr;
}

Result<FrameObject> NewFrame(ThreadState& ts, FunctionObject* function, const Word* pc) {
  const uint32_t room = function->local_count;
  const size_t size = sizeof(FrameObject) + room * sizeof(Value);
  MVM_TRY(Ref<FrameObject> frame,
          AllocObject<FrameObject>(ts, ShapeIdOf(TypeId::kFrame), size, true));
  const Object header = *frame;
  new (static_cast<void*>(frame.get())) FrameObject();
  static_cast<Object&>(*frame) = header;
  Incref(function);
  frame->function = function;
  frame->pc = pc;
  frame->room = room;
  return frame;
}

Result<FrameObject> FrameFor(ThreadState& ts, Value* base, const Word* pc) {
  if (HeaderOf(base).has(kFrameObject)) {
    FrameObject* f = FindLiveFrame(ts, base);
    if (f != nullptr) {
      f->pc = pc;
      return Ref<FrameObject>::Borrow(f);
    }
  }
  MVM_TRY(Ref<FrameObject> frame, NewFrame(ts, FunctionOf(base), pc));
  if (IsGeneratorCallee(base)) {
    GeneratorObject* gen = base[-3].as<GeneratorObject>();
    frame->generator = gen;
    gen->frame = Ref<FrameObject>(frame).Release();
  }
  LinkLiveFrame(ts, frame, base);
  Track(frame.get());
  return frame;
}

void PinFrame(FrameObject* frame) {
  // A generator owns its frame object anyway.
  if (frame->pinned || frame->base == nullptr || frame->generator != nullptr) return;
  frame->pinned = true;
  Incref(frame);
}

void SetBack(ThreadState& ts, FrameObject* frame, Value* base, const Word* pc) {
  Ref<> pending = TakePending(ts);
  Result<FrameObject> back = FrameFor(ts, base, pc);
  if (back.raised()) {
    ClearPending(ts);
  } else {
    frame->back = Value(back.word());
  }
  if (pending) ts.pending = pending.Release();
}

void TakeLocals(FrameObject* frame, Value* base, uint32_t n) {
  // The function may have got other code since the frame object was made.
  const uint32_t moved = std::min(n, frame->room);
  frame->local_count = moved;
  frame->locals = moved == 0 ? nullptr : frame->own_locals();
  for (uint32_t i = 0; i < moved; ++i) frame->locals[i] = std::exchange(base[i], Value::Int(0));
  for (uint32_t i = moved; i < n; ++i) {
    Value v = std::exchange(base[i], Value::Int(0));
    Decref(v);
  }
}

void DetachFrame(ThreadState& ts, Value* base, const Word* pc) {
  FrameObject* f = FindLiveFrame(ts, base);
  FunctionObject* function = FunctionOf(base);
  uint32_t n = function->local_count;
  if (f == nullptr) {  // it died, or was a generator's that nobody holds
    for (uint32_t i = 0; i < n; ++i) {
      Value v = std::exchange(base[i], Value::Int(0));
      Decref(v);
    }
    return;
  }
  Ref<FrameObject> hold = Ref<FrameObject>::Borrow(f);
  if (f->back.is_null()) {
    // The chain must outlive the windows.
    FrameWalker walker(ts);
    while (!walker.done() && walker.base() != base) walker.Next();
    if (!walker.done()) walker.Next();
    if (walker.done()) {
      f->back = Result<>::Borrow(ts.rt->none).word();
    } else {
      SetBack(ts, f, walker.base(), walker.pc());
    }
  }
  f->pc = pc;
  UnlinkLiveFrame(ts, f);
  if (std::exchange(f->pinned, false)) Decref(f);  // `hold` has it still
  if (f->generator != nullptr) f->generator = nullptr;
  TakeLocals(f, base, n);
}

void DestroyFrame(Heap& heap, Object* self) {
  FrameObject* f = static_cast<FrameObject*>(self);
  if (f->base != nullptr && heap.current_ts != nullptr) UnlinkLiveFrame(*heap.current_ts, f);
  // Its own variables go before those of its callers.
  if (f->locals != nullptr) {
    for (uint32_t i = 0; i < f->local_count; ++i) Decref(f->locals[i]);
  }
  if (MVM_UNLIKELY((f->trace.bits() | f->extra_locals.bits() | f->kept.bits()) != 0)) {
    Decref(f->trace);
    Decref(f->extra_locals);
    Decref(f->kept);
  }
  Decref(f->back);
  if (f->function != nullptr) Decref(f->function);
}

void DestroyTraceback(Heap& heap, Object* self) {
  // The innermost goes first. Those that this one alone keeps are taken from the chain, which is
  // turned around on the way in; nobody else sees them any more.
  TracebackObject* outer = nullptr;
  TracebackObject* tb = static_cast<TracebackObject*>(self);
  for (;;) {
    TracebackObject* next = tb->next.is_null() ? nullptr : tb->next.as<TracebackObject>();
    tb->next = outer == nullptr ? Value() : Value(outer);
    if (next == nullptr) break;
    if (next->refcount != 1) {
      --next->refcount;
      break;
    }
    Untrack(next);
    outer = tb;
    tb = next;
  }
  for (;;) {
    TracebackObject* up = tb == self ? nullptr : tb->next.as<TracebackObject>();
    FrameObject* frame = std::exchange(tb->frame, nullptr);
    if (frame != nullptr && --frame->refcount == 0) {
      Untrack(frame);
      DestroyFrame(heap, frame);
      if (heap.young_count > 0) --heap.young_count;
      heap.Free(frame);
    }
    if (up == nullptr) return;
    if (heap.young_count > 0) --heap.young_count;
    heap.Free(tb);
    tb = up;
  }
}

Status AddTraceback(ThreadState& ts, Value* base, const Word* pc) {
  // The exception in flight is put aside: what follows allocates.
  Ref<> exc = TakePending(ts);
  Result<FrameObject> frame = FrameFor(ts, base, pc);
  Result<TracebackObject> made = frame.raised() ? Result<TracebackObject>(kRaised)
                                                : New<TracebackObject>(ts, TypeId::kTraceback);
  if (made.raised()) {
    if (frame.word() != nullptr) Decref(static_cast<Object*>(frame.word()));
    // Out of memory: MemoryError goes on in its place, so that no traceback is short in silence.
    // It itself may be, and nothing displaces the exception of a thread that is being stopped.
    if (ts.stopping || IsSubtype(TypeOf(ts, exc), ExcType(ts, Exc::kMemoryError))) {
      ClearPending(ts);
      ts.pending = exc.Release();
    } else if (ts.pending.object() != ts.rt->spare_memory_error) {
      Value& context = ts.pending.as<ExceptionObject>()->context;
      exc = Ref<>::Steal(std::exchange(context, exc.Release()));
    }
    return Ok();
  }
  TracebackObject* tb = made.word();
  FunctionObject* f = FunctionOf(base);
  tb->frame = frame.word();
  LinkTraceback(exc.as<ExceptionObject>(), tb, PcIndex(f, pc));
  ts.pending = exc.Release();
  return Ok();
}

void LinkTraceback(ExceptionObject* e, TracebackObject* tb, uint32_t word) {
  tb->lasti = static_cast<int32_t>(word);
  tb->at_word = true;
  tb->next = e->traceback;
  e->traceback = Value(tb);
  Track(tb);
}

}  // namespace minivm
