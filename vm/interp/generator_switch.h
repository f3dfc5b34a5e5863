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
// will be thrown in, ResumeWord() sees to it, or it has not begun). The state is checked by the
// caller.
inline void LayGenerator(ThreadState* ts, Value* w, GeneratorObject* gen, Value back,
                         uint64_t header, Value sent) {
  Value* nb = w + kWindowWords;
  ++gen->refcount;
  w[0] = Value(static_cast<Object*>(gen));
  w[1] = back;
  w[2] = Value::FromBits(header);
  const Value* from = gen->registers;
  for (uint32_t i = 0, live = gen->live; i < live; ++i) nb[i] = from[i];
  gen->live = 0;
  gen->state = GenState::kRunning;
  gen->handled.prev = ts->handled;
  ts->handled = &gen->handled;
  if (!sent.is_null()) nb[gen->yield_register] = sent;
}

// Resumes a generator (or coroutine, if it is sent something) that waits at a YIELD of its own and
// has no frame object: its registers, or null for all else. The window is `above` words over the
// iterator; `local`: what is yielded goes to a local.
[[gnu::always_inline]] inline Value* ResumeFast(ThreadState* ts, Value* R, const Word* pc, Value it,
                                                Value sent, unsigned above, bool local) {
  if (MVM_UNLIKELY(!it.is_pointer())) return nullptr;
  const uint32_t shape = it.object()->shape_id;
  if (MVM_UNLIKELY(shape != ShapeIdOf(TypeId::kGenerator) &&
                   (sent.is_null() || shape != ShapeIdOf(TypeId::kCoroutine)))) {
    return nullptr;
  }
  GeneratorObject* gen = it.as<GeneratorObject>();
  if (MVM_UNLIKELY(gen->state != GenState::kSuspended || gen->awaiting || !gen->frame.is_null()))
    return nullptr;
  Value* w = R + pc->a + above;
  Value* nb = w + kWindowWords;
  const uint64_t header = GeneratorHeader(R, w, local);
  if (MVM_UNLIKELY(!FrameFits(ts, nb, gen->function->frame_size, header))) return nullptr;
  LayGenerator(ts, w, gen, Value::FromBits(reinterpret_cast<uint64_t>(pc)), header, sent);
  return nb;
}

// Where a generator that is sent None goes on: at `word`, which follows the YIELD. Nearly always
// nobody wants what a `yield` gives back: then that word drops it, and None is neither sent nor
// dropped.
inline Word* ResumeWord(ThreadState* ts, Value* nb, uint8_t yield_register, const Word* word) {
  if (MVM_LIKELY(static_cast<Op>(word->op) == Op::CLEAR)) return const_cast<Word*>(word) + 1;
  Object* none = ts->rt->none;
  ++none->refcount;
  nb[yield_register] = none;
  return const_cast<Word*>(word);
}

// Moves the registers of the generator that runs at R and yields at pc back into it.
inline void SuspendGenerator(ThreadState* ts, GeneratorObject* gen, const Value* R,
                             const Word* pc) {
  const uint32_t live = pc->a;
  Value* to = gen->registers;
  for (uint32_t i = 0; i < live; ++i) to[i] = R[i];
  gen->live = live;
  gen->yield_register = static_cast<uint8_t>(live);
  gen->resume_pc = pc + 1;
  gen->awaiting = pc->b != 0;
  gen->state = GenState::kSuspended;
  ts->handled = gen->handled.prev;
  gen->handled.prev = nullptr;
}

}  // namespace minivm
