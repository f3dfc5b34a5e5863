// The generator and coroutine types.
#include "vm/interp/generator_object.h"

#include "runtime/objects/exception_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/async_generator.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/throw_arguments.h"

namespace minivm {

namespace {

GeneratorObject* Gen(Value v) { return v.as<GeneratorObject>(); }

// The end of a generator as scripts see it.
Result<> StopOrValue(ThreadState& ts, Result<> r, Ref<>& returned) {
  if (r.raised() || !r.done()) return r;
  return RaiseStopIteration(ts, returned.is_null() ? Value(ts.rt->none) : returned.get());
}

Result<> generator_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> generator_next(ThreadState& ts, Value self) { return GeneratorNext(ts, Gen(self)); }

Result<> generator_send(ThreadState& ts, Args args) {
  Ref<> returned;
  Result<> r = GeneratorSend(ts, Gen(args[0]), args[1], &returned);
  return StopOrValue(ts, r, returned);
}

Result<> generator_throw(ThreadState& ts, Args args) {
  MVM_TRY_VOID(RaiseThrown(ts, args[1], args.get(2, Value()), args.get(3, Value())));
  Ref<> returned;
  Result<> r = GeneratorThrow(ts, Gen(args[0]), &returned);
  return StopOrValue(ts, r, returned);
}

Result<> generator_close(ThreadState& ts, Args args) { return GeneratorClose(ts, Gen(args[0])); }

Result<> generator_repr(ThreadState& ts, Value self) {
  return Format(ts, "<generator object %U at 0x%lx>", Value(Gen(self)->qualname),
                static_cast<unsigned long>(self.bits()));
}
Result<> coroutine_repr(ThreadState& ts, Value self) {
  return Format(ts, "<coroutine object %U at 0x%lx>", Value(Gen(self)->qualname),
                static_cast<unsigned long>(self.bits()));
}

// Would GeneratorExit, thrown in where the generator waits, meet nothing of the script? It does
// when no block but the guard against StopIteration is open, and nothing is delegated to.
bool ClosesSilently(const GeneratorObject* gen) {
  if (gen->awaiting || !gen->frame.is_null()) return false;
  const CodeInstance* instance = gen->function->instance;
  const CodeObject* code = instance->code;
  const auto next = static_cast<uint32_t>(gen->resume_pc - instance->words);
  for (uint32_t i = 0; i < code->range_count; ++i) {
    const ExceptionRange& range = code->ranges[i];
    if (next < range.start || next > range.end) continue;  // the yield is the word before
    if (range.handler == ExceptionRange::kNoHandler) return false;
    const Word& first = instance->words[range.handler];
    if (static_cast<Op>(first.op) != Op::INTRINSIC1 ||
        first.x != static_cast<int32_t>(Intrinsic::kStopIterationError)) {
      return false;
    }
  }
  return true;
}

Status generator_finalize(ThreadState& ts, Value self) {
  GeneratorObject* gen = Gen(self);
  if (gen->state == GenState::kCreated && gen->shape_id == ShapeIdOf(TypeId::kCoroutine)) {
    Ref<> pending = TakePending(ts);
    WarnNeverAwaited(ts, gen);
    if (pending) ts.pending = pending.Release();
    return Ok();
  }
  if (gen->state != GenState::kSuspended || ClosesSilently(gen)) return Ok();
  Result<> r = GeneratorClose(ts, gen);
  if (r.raised()) return kRaised;
  Ref<> dropped = r.Take();
  return Ok();
}

Result<> get_running(ThreadState& ts, Value self) {
  return Bool(ts, Gen(self)->state == GenState::kRunning);
}
Result<> get_suspended(ThreadState& ts, Value self) {
  return Bool(ts, Gen(self)->state == GenState::kSuspended);
}
Result<> get_code(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Gen(self)->function->code));
}
Result<> get_yieldfrom(ThreadState& ts, Value self) {
  Value v = GeneratorDelegate(Gen(self));
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
Result<> get_frame(ThreadState& ts, Value self) { return GeneratorFrame(ts, Gen(self)); }
Result<> get_name(ThreadState& ts, Value self) { return Result<>::Borrow(Value(Gen(self)->name)); }
Status set_name(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsStr(ts, v))
    return Raise(ts, Exc::kTypeError, "__name__ must be set to a string object");
  Ref<StrObject> old = Ref<StrObject>::Steal(
      std::exchange(Gen(self)->name, Ref<StrObject>::Borrow(v.as<StrObject>()).Release()));
  return Ok();
}
Result<> get_qualname(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Gen(self)->qualname));
}
Status set_qualname(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "__qualname__ must be set to a string object");
  }
  Ref<StrObject> old = Ref<StrObject>::Steal(
      std::exchange(Gen(self)->qualname, Ref<StrObject>::Borrow(v.as<StrObject>()).Release()));
  return Ok();
}
Result<> get_origin(ThreadState& ts, Value self) {
  Value v = Gen(self)->origin;
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}

Result<> coroutine_await(ThreadState& ts, Value self) {
  MVM_TRY(Ref<CoroutineWrapperObject> w,
          New<CoroutineWrapperObject>(ts, TypeId::kCoroutineWrapper));
  w->coroutine = Ref<GeneratorObject>::Borrow(Gen(self)).Release();
  Track(w.get());
  return w;
}

GeneratorObject* Wrapped(Value v) { return v.as<CoroutineWrapperObject>()->coroutine; }
Result<> wrapper_next(ThreadState& ts, Value self) {
  Ref<> returned;
  Result<> r = GeneratorSend(ts, Wrapped(self), ts.rt->none, &returned);
  if (r.done() && !returned.is_null() && !IsNone(ts, returned))
    return RaiseStopIteration(ts, returned);
  return r;
}
Result<> wrapper_send(ThreadState& ts, Args args) {
  Ref<> returned;
  Result<> r = GeneratorSend(ts, Wrapped(args[0]), args[1], &returned);
  return StopOrValue(ts, r, returned);
}
Result<> wrapper_throw(ThreadState& ts, Args args) {
  MVM_TRY_VOID(RaiseThrown(ts, args[1], args.get(2, Value()), args.get(3, Value())));
  Ref<> returned;
  Result<> r = GeneratorThrow(ts, Wrapped(args[0]), &returned);
  return StopOrValue(ts, r, returned);
}
Result<> wrapper_close(ThreadState& ts, Args args) { return GeneratorClose(ts, Wrapped(args[0])); }

const MethodSpec kGeneratorMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"close(self, /)", generator_close, "Ends it: GeneratorExit is raised where it waits."},
    {"send(self, arg, /)", generator_send,
     "Goes on to the next yield; arg is the result of the last one."},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", generator_throw,
     "Raises the exception where it waits, and goes on to the next yield."},
};
const GetSetSpec kGeneratorGetSets[] = {
    {"__name__", get_name, set_name},
    {"__qualname__", get_qualname, set_qualname},
    {"gi_code", get_code},
    {"gi_frame", get_frame},
    {"gi_running", get_running},
    {"gi_suspended", get_suspended},
    {"gi_yieldfrom", get_yieldfrom},
};
const GetSetSpec kCoroutineGetSets[] = {
    {"__name__", get_name, set_name}, {"__qualname__", get_qualname, set_qualname},
    {"cr_await", get_yieldfrom},      {"cr_code", get_code},
    {"cr_frame", get_frame},          {"cr_origin", get_origin},
    {"cr_running", get_running},      {"cr_suspended", get_suspended},
};
const MethodSpec kCoroutineMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"close(self, /)", generator_close, "Ends it: GeneratorExit is raised where it waits."},
    {"send(self, arg, /)", generator_send,
     "Goes on to the next yield; arg is the result of the last one."},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", generator_throw,
     "Raises the exception where it waits, and goes on to the next yield."},
};
const MethodSpec kWrapperMethods[] = {
    {"close(self, /)", wrapper_close, "Ends it: GeneratorExit is raised where it waits."},
    {"send(self, arg, /)", wrapper_send,
     "Goes on to the next yield; arg is the result of the last one."},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", wrapper_throw,
     "Raises the exception where it waits, and goes on to the next yield."},
};

}  // namespace

Status RaiseThrown(ThreadState& ts, Value type, Value value, Value traceback) {
  if (!value.is_null()) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "the (type, exc, tb) signature of throw() is deprecated, use the single-arg "
                      "signature instead."));
  }
  if (!traceback.is_null() && !IsNone(ts, traceback) && !IsExact(traceback, TypeId::kTraceback)) {
    return Raise(ts, Exc::kTypeError, "throw() third argument must be a traceback object");
  }
  // What goes wrong in making the exception is thrown in its place.
  Ref<> exc;
  if (IsType(ts, type) && type.as<TypeObject>()->has_flag(kTypeExceptionSubclass)) {
    Result<> made = kRaised;
    if (!value.is_null() && !IsNone(ts, value) && IsInstance(ts, value, type.as<TypeObject>())) {
      made = Result<>::Borrow(value);
    } else if (value.is_null() || IsNone(ts, value)) {
      made = Call(ts, type);
    } else if (IsTuple(ts, value)) {
      made = Call(ts, type, value.as<TupleObject>()->span());
    } else {
      made = Call(ts, type, value);
    }
    if (made.raised()) return Ok();
    exc = made.Take();
  } else if (IsException(ts, type)) {
    if (!value.is_null() && !IsNone(ts, value)) {
      return Raise(ts, Exc::kTypeError, "instance exception may not have a separate value");
    }
    exc = Ref<>::Borrow(type);
  } else {
    return Raise(ts, Exc::kTypeError,
                 "exceptions must be classes or instances deriving from BaseException, not %T",
                 type);
  }
  if (!IsException(ts, exc)) {
    Raise(ts, Exc::kTypeError,
          "calling %R should have returned an instance of BaseException, not %T", type, exc.get());
    return Ok();
  }
  if (!traceback.is_null() && !IsNone(ts, traceback)) {
    Incref(traceback);
    Value old = std::exchange(exc.as<ExceptionObject>()->traceback, traceback);
    Decref(old);
  }
  ts.pending = exc.Release();
  return Ok();
}

Result<> GeneratorFrame(ThreadState& ts, GeneratorObject* gen) {
  if (gen->state == GenState::kClosed) return None(ts);
  if (gen->frame.is_object()) return Result<>::Borrow(gen->frame);
  if (gen->state == GenState::kRunning) {
    for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
      for (FrameWalker walker(*t); !walker.done(); walker.Next()) {
        if (walker.base()[-3].is(Value(gen))) return FrameFor(ts, walker.base(), walker.pc());
      }
    }
    return None(ts);
  }
  MVM_TRY(Ref<FrameObject> frame, NewFrame(ts, gen->function, gen->resume_pc - 1));
  frame->generator = gen;
  Track(frame.get());
  gen->frame = Ref<FrameObject>(frame).Release();
  return frame;
}

const TypeSpec kGeneratorType = {
    .name = "generator",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(GeneratorObject),
    .gc = kGeneratorGc,
    .slots = {.repr = generator_repr,
              .iter = generator_iter,
              .next = generator_next,
              .finalize = generator_finalize},
    .methods = kGeneratorMethods,
    .getsets = kGeneratorGetSets,
};
const TypeSpec kCoroutineType = {
    .name = "coroutine",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(GeneratorObject),
    .gc = kGeneratorGc,
    .slots = {.repr = coroutine_repr, .finalize = generator_finalize, .await = coroutine_await},
    .methods = kCoroutineMethods,
    .getsets = kCoroutineGetSets,
};
const TypeSpec kCoroutineWrapperType = {
    .name = "coroutine_wrapper",
    .doc = "What await runs through: the steps of a coroutine.",
    .flags = kTypeNoNew,
    .size = sizeof(CoroutineWrapperObject),
    .gc = GcHooksOf<CoroutineWrapperObject>(),
    .slots = {.iter = generator_iter, .next = wrapper_next},
    .methods = kWrapperMethods,
};

}  // namespace minivm
