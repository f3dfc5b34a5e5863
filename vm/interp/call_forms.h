// The calls that the dispatch loop makes in line, and how those that are counted differ.
//
// Macros, since they live on the loop's labels and registers: interpreter.cpp, the only one to
// include this, has most calls twice, plain and as the profile's tables have it (watch.h). TELL and
// TELL_LEFT say what happens besides the call; OTHERS is where to go when the word's guess is
// wrong.
#pragma once

// ---- who is told ----

#define NOBODY(...)
#define PROFILED(KEY, HEADER)                                       \
  do {                                                              \
    if (MVM_UNLIKELY(!ProfileEnterFast(ts, KEY, (HEADER) >> 32))) { \
      SAVE();                                                       \
      ProfileEnter(ts, KEY, (HEADER) >> 32);                        \
    }                                                               \
  } while (0)
#define NOBODY_LEFT()
#define PROFILED_NATIVE(F)                                                    \
  do {                                                                        \
    if (MVM_UNLIKELY(!ProfileNativeFast(ts, (F)->spec, HeaderOf(R).depth()))) \
      ProfileNative(ts, Value(F), HeaderOf(R).depth());                       \
  } while (0)
#define PROFILED_LEFT()                                                \
  do {                                                                 \
    if (MVM_UNLIKELY(!ProfileNativeLeftFast(ts, HeaderOf(R).depth()))) \
      ProfileNativeLeft(ts, HeaderOf(R).depth());                      \
  } while (0)

// ---- calls ----

// Goes on in the frame of f at NB, which has its arguments.
#define ENTER_FRAME(F, NB)                                 \
  do {                                                     \
    UnsetLocals(F, NB, (F)->param_count, ts->rt->unbound); \
    R = NB;                                                \
    pc = (F)->entry;                                       \
    POLL();                                                \
    DISPATCH();                                            \
  } while (0)
// Back to the caller of the frame at R, whose locals are gone.
#define LEAVE()                                 \
  do {                                          \
    const uint64_t header = R[-1].bits();       \
    Value callee = R[-3];                       \
    pc = reinterpret_cast<Word*>(R[-2].bits()); \
    R -= kWindowWords + ((header >> 8) & 0xFF); \
    R[(header >> 16) & 0xFF] = result;          \
    DECREF(callee);                             \
    DISPATCH();                                 \
  } while (0)
// EXTRA: arguments beside those in C. SKIP: registers between the window and the frame's.
#define SCRIPT_CALL(LABEL, EXTRA, SKIP, GUARD, TELL, OTHERS)                                \
  LABEL : {                                                                                 \
    Value* w = R + pc->a;                                                                   \
    Value callee = w[0];                                                                    \
    if (MVM_LIKELY(Holds(callee, TypeId::kFunction) &&                                      \
                   callee.as<FunctionObject>()->plain_count == pc->c + EXTRA && (GUARD))) { \
      FunctionObject* f = callee.as<FunctionObject>();                                      \
      Value* nb = w + SKIP + kWindowWords;                                                  \
      uint32_t word;                                                                        \
      __builtin_memcpy(&word, pc, 4);                                                       \
      uint64_t header = CalleeHeader(R, (word & 0x00FFFF00) + HeaderPlaces(SKIP, 0));       \
      if (MVM_UNLIKELY(!FrameFits(ts, nb, f->frame_size, header))) goto OTHERS;             \
      TELL(f->code, header);                                                                \
      if (SKIP) w[SKIP] = callee;                                                           \
      w[SKIP + 1] = Value::FromBits(reinterpret_cast<uint64_t>(pc + 1));                    \
      w[SKIP + 2] = Value::FromBits(header);                                                \
      ENTER_FRAME(f, nb);                                                                   \
    }                                                                                       \
    goto OTHERS;                                                                            \
  }
#define CLASS_CALL(LABEL, TELL, BUILTIN, OTHERS)                                                  \
  LABEL : {                                                                                       \
    Value* w = R + pc->a;                                                                         \
    Value callee = w[0];                                                                          \
    if (MVM_LIKELY(Holds(callee, TypeId::kType) &&                                                \
                   callee.as<TypeObject>()->version == static_cast<uint32_t>(pc->x))) {           \
      TypeObject* type = callee.as<TypeObject>();                                                 \
      FunctionObject* f = static_cast<FunctionObject*>(type->cached_init);                        \
      if (f == nullptr) { /* no __init__: the instance takes over the class's reference */        \
        if (MVM_UNLIKELY(!(type->flags & (kTypeHeap | kTypeExceptionSubclass)))) goto BUILTIN;    \
        SAVE();                                                                                   \
        Object* self = FastInstance(ts, type, w + kWindowWords, pc->c);                           \
        if (MVM_UNLIKELY(!self)) goto OTHERS;                                                     \
        for (uint32_t i = 0; i < pc->c; ++i) DECREF(w[kWindowWords + i]); /* an exception's */    \
        R[pc->b] = self;                                                                          \
        POLL();                                                                                   \
        NEXT();                                                                                   \
      }                                                                                           \
      /* The version is the type's: a site with other arguments may have renewed it, and __init__ \
         may have got other code. */                                                              \
      if (MVM_UNLIKELY(f->plain_count != pc->c + 1u)) {                                           \
        goto OTHERS;                                                                              \
      }                                                                                           \
      Value* nb = w + kWindowWords + 1;                                                           \
      uint32_t word;                                                                              \
      __builtin_memcpy(&word, pc, 4);                                                             \
      /* The window begins one register further up, behind the instance. */                       \
      uint64_t header = CalleeHeader(R, (word & 0x00FFFF00) + HeaderPlaces(1, 0) + kFrameCtor);   \
      if (MVM_UNLIKELY(!FrameFits(ts, nb, f->frame_size, header))) goto OTHERS;                   \
      SAVE();                                                                                     \
      Object* self = FastInstance(ts, type, w + kWindowWords, pc->c);                             \
      if (MVM_UNLIKELY(!self)) goto OTHERS;                                                       \
      ++f->refcount;                                                                              \
      TELL(f->code, header);                                                                      \
      Value first = nb[-1], second = nb[0];                                                       \
      /* Up by two, one by one: there are few, and memmove() is a call. */                        \
      for (uint32_t i = 1, n = pc->c; i <= n; ++i) {                                              \
        const Value third = nb[i];                                                                \
        nb[i] = first;                                                                            \
        first = second;                                                                           \
        second = third;                                                                           \
      }                                                                                           \
      nb[0] = self;                                                                               \
      w[1] = Value(f);                                                                            \
      w[2] = Value::FromBits(reinterpret_cast<uint64_t>(pc + 1));                                 \
      w[3] = Value::FromBits(header);                                                             \
      ++self->refcount;                                                                           \
      w[0] = self; /* the result, once __init__ has returned None; it took over w[0]'s type */    \
      ENTER_FRAME(f, nb);                                                                         \
    }                                                                                             \
    goto OTHERS;                                                                                  \
  }
#define NATIVE_CALL(LABEL, OBJECT, TYPE, EXTRA, SKIP, GUARD, PAD, TELL, TELL_LEFT, OTHERS) \
  LABEL : {                                                                                \
    Value* w = R + pc->a;                                                                  \
    Value callee = w[0];                                                                   \
    if (MVM_LIKELY(Holds(callee, TypeId::TYPE) &&                                          \
                   callee.object()->aux == static_cast<uint32_t>(pc->x) && (GUARD))) {     \
      OBJECT* f = callee.as<OBJECT>();                                                     \
      Value* args = w + SKIP + kWindowWords;                                               \
      uint32_t n = pc->c + EXTRA;                                                          \
      uint32_t count = n;                                                                  \
      if (PAD) {                                                                           \
        count = f->signature->count;                                                       \
        const Value* defaults = f->signature->defaults;                                    \
        for (uint32_t i = n; i < count; ++i) args[i] = defaults[i];                        \
      }                                                                                    \
      SAVE();                                                                              \
      TELL(f);                                                                             \
      Result<> r = f->fn(*ts, Args{args, count});                                          \
      TELL_LEFT();                                                                         \
      for (uint32_t i = 0; i < n; ++i) DECREF(args[i]);                                    \
      DECREF(callee);                                                                      \
      if (MVM_UNLIKELY(r.raised())) goto error;                                            \
      R[pc->b] = r.word();                                                                 \
      POLL();                                                                              \
      NEXT();                                                                              \
    }                                                                                      \
    goto OTHERS;                                                                           \
  }

// ---- operators that may push a frame ----

#define SLOW_OPERATOR(LABEL, FUNCTION)           \
  LABEL:                                         \
  switch (FUNCTION(ts, R, pc)) {                 \
    case CallOutcome::kRaised: goto watch_error; \
    case CallOutcome::kDone: NEXT();             \
    case CallOutcome::kPushed: goto pushed;      \
  }                                              \
  __builtin_unreachable();

// ---- generators and words that are watched ----

#define RESUME_NEXT(IT, LOCAL, TELL)                              \
  if (Value* nb = ResumeFast(ts, R, pc, IT, Value(), 1, LOCAL)) { \
    GeneratorObject* gen = (IT).as<GeneratorObject>();            \
    R = nb;                                                       \
    pc = ResumeWord(ts, nb, gen->yield_register, gen->resume_pc); \
    TELL(gen->function->code, R[-1].bits());                      \
    POLL();                                                       \
    DISPATCH();                                                   \
  }
// The value is the generator's now, also if it raises.
#define RESUME_SEND(IT, TELL)                                      \
  if (Value* nb = ResumeFast(ts, R, pc, IT, R[pc->b], 2, false)) { \
    GeneratorObject* gen = (IT).as<GeneratorObject>();             \
    R[pc->b] = Value::Int(0);                                      \
    R = nb;                                                        \
    pc = const_cast<Word*>(gen->resume_pc);                        \
    TELL(gen->function->code, R[-1].bits());                       \
    POLL();                                                        \
    DISPATCH();                                                    \
  }

#define WATCHED_PROPERTY(LABEL, PUSHED)    \
  LABEL:                                   \
  switch (SlowGetProperty(ts, R, pc)) {    \
    case CallOutcome::kRaised: goto error; \
    case CallOutcome::kDone: NEXT();       \
    case CallOutcome::kPushed: PUSHED      \
  }                                        \
  __builtin_unreachable();
#define PROFILED_PUSHED(FUNCTION)                             \
  {                                                           \
    R = ts->base;                                             \
    pc = const_cast<Word*>(static_cast<const Word*>(ts->pc)); \
    PROFILED((FUNCTION)->code, R[-1].bits());                 \
    POLL();                                                   \
    DISPATCH();                                               \
  }
#define PROFILED_LEAVE(LABEL, OP)          \
  LABEL:                                   \
  if (!ProfileQuiet(ts)) {                 \
    SAVE();                                \
    ProfileLeave(ts, HeaderOf(R).depth()); \
  }                                        \
  PLAIN_AS(OP);
