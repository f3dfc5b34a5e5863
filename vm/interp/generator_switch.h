// Moving a generator's registers onto the VM stack and back, for the dispatch loop.
//
// The usual case is inline: a generator that waits at a YIELD, without a frame object, resumed by a
// FOR or SEND. Everything else goes through generator_run.cpp.
#pragma once

#include "vm/interp/generator_object.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

// The header of a generator's frame at w: its destination says that what it yields goes to a local.
inline uint64_t GeneratorHeader(const Value* R, const Value* w, bool local) {
  return CalleeHeader(R, HeaderPlaces(static_cast<uint64_t>(w - R), local) + kFrameGenerator);
}

// The window of a generator that the word at pc resumes: above the iterator, which is the highest
// temporary, and above the value that a SEND passes on.
inline Value* ResumeWindow(Value* R, const Word* pc) {
  return R + pc->a + (static_cast<Op>(pc->op) == Op::SEND ? 2 : 1);
}

// Lays the frame of a suspended generator at w. `sent` is owned and consumed (null: an exception
// will be thrown in). The state is checked by the caller.
inline void LayGenerator(ThreadState* ts, Value* w, GeneratorObject* gen, Value back,
                         uint64_t header, Value sent) {
  Value* nb = w + kWindowWords;
  ++gen->refcount;
  w[0] = Value(static_cast<Object*>(gen));
  w[1] = back;
  w[2] = Value::FromBits(header);
  const uint32_t live = gen->live;
  for (uint32_t i = 0; i < live; ++i) nb[i] = gen->registers[i];
  gen->live = 0;
  gen->state = GenState::kRunning;
  gen->handled.prev = ts->handled;
  ts->handled = &gen->handled;
  if (!sent.is_null()) nb[gen->yield_register] = sent;
}

// Resumes a generator or coroutine that waits at a YIELD of its own and has no frame object: its
// registers, or null for all else.
inline Value* ResumeFast(ThreadState* ts, Value* R, const Word* pc, Value it, Value sent) {
  if (MVM_UNLIKELY(!IsExact(it, TypeId::kGenerator) && !IsExact(it, TypeId::kCoroutine)))
    return nullptr;
  GeneratorObject* gen = it.as<GeneratorObject>();
  if (MVM_UNLIKELY(gen->state != GenState::kSuspended || gen->awaiting || gen->frame.is_object()))
    return nullptr;
  Value* w = ResumeWindow(R, pc);
  Value* nb = w + kWindowWords;
  const uint64_t header = GeneratorHeader(R, w, static_cast<Op>(pc->op) == Op::FOR_GEN_L);
  if (MVM_UNLIKELY(!FrameFits(ts, nb, gen->function->frame_size, header))) return nullptr;
  LayGenerator(ts, w, gen, Value::FromBits(reinterpret_cast<uint64_t>(pc)), header, sent);
  return nb;
}

// Moves the registers of the generator that runs at R and yields at pc back into it.
inline void SuspendGenerator(ThreadState* ts, GeneratorObject* gen, const Value* R,
                             const Word* pc) {
  const uint32_t live = pc->a;
  for (uint32_t i = 0; i < live; ++i) gen->registers[i] = R[i];
  gen->live = live;
  gen->yield_register = pc->a;
  gen->resume_pc = pc + 1;
  gen->awaiting = pc->b != 0;
  gen->state = GenState::kSuspended;
  ts->handled = gen->handled.prev;
  gen->handled.prev = nullptr;
}

}  // namespace minivm
