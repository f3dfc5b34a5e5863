// Asynchronous generators: their methods return awaitables that drive the generator.
//
// Inside, `yield x` hands a wrapped value (AsyncGenWrapped) to whoever drives the frame; anything
// unwrapped that comes out belongs to an await inside the generator and is passed on to the event
// loop.
#include "vm/interp/async_generator.h"

#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/throw_arguments.h"

namespace minivm {

class AsyncGenWrappedObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kAsyncGenWrapped;
  Value value;
  template <class V>
  void VisitRefs(V&& v) {
    v(value);
  }
};

namespace {

enum class AwaitState : uint8_t { kInit, kIterating, kClosed };

// asend() and __anext__().
class AsyncGenAsendObject : public Object {
 public:
  GeneratorObject* generator = nullptr;
  Value sent;  // null: None
  AwaitState state = AwaitState::kInit;
  template <class V>
  void VisitRefs(V&& v) {
    v(generator);
    v(sent);
  }
};

// athrow() and aclose().
class AsyncGenAthrowObject : public Object {
 public:
  GeneratorObject* generator = nullptr;
  Value type, value, traceback;  // null type: aclose()
  AwaitState state = AwaitState::kInit;
  template <class V>
  void VisitRefs(V&& v) {
    v(generator);
    v(type);
    v(value);
    v(traceback);
  }
};

// anext(it, default).
class AnextAwaitableObject : public Object {
 public:
  Value wrapped, fallback;
  template <class V>
  void VisitRefs(V&& v) {
    v(wrapped);
    v(fallback);
  }
};

GeneratorObject* Gen(Value v) { return v.as<GeneratorObject>(); }

Value ThreadHook(ThreadState& ts, bool finalizer) {
  InterpState& s = InterpOf(ts);
  return finalizer ? s.asyncgen_finalizer : s.asyncgen_firstiter;
}

Status InitHooks(ThreadState& ts, GeneratorObject* gen) {
  if (gen->hooks_inited) return Ok();
  gen->hooks_inited = true;
  Value finalizer = ThreadHook(ts, true);
  if (!finalizer.is_null()) {
    Incref(finalizer);
    gen->finalizer = finalizer;
  }
  Value first = ThreadHook(ts, false);
  if (!first.is_null()) MVM_TRY_VOID(Call(ts, first, Value(gen)));
  return Ok();
}

// What a step of the generator means to the awaitable: a wrapped value ends it (StopIteration with
// the value), the end is StopAsyncIteration, anything else is passed on.
Result<> Unwrap(ThreadState& ts, GeneratorObject* gen, Result<> r) {
  if (r.raised()) {
    if (PendingIs(ts, Exc::kStopAsyncIteration) || PendingIs(ts, Exc::kGeneratorExit))
      gen->async_closed = true;
    gen->async_running = false;
    return kRaised;
  }
  if (r.done()) {
    gen->async_closed = true;
    gen->async_running = false;
    return RaiseNoMessage(ts, Exc::kStopAsyncIteration);
  }
  Ref<> v = r.Take();
  if (IsExact(v, TypeId::kAsyncGenWrapped)) {
    gen->async_running = false;
    return RaiseStopIteration(ts, v.as<AsyncGenWrappedObject>()->value);
  }
  return v;
}

Result<> asend_send(ThreadState& ts, Value self, Value arg) {
  AsyncGenAsendObject* o = self.as<AsyncGenAsendObject>();
  if (o->state == AwaitState::kClosed) {
    return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited __anext__()/asend()");
  }
  if (o->state == AwaitState::kInit) {
    if (o->generator->async_running) {
      o->state = AwaitState::kClosed;
      return Raise(ts, Exc::kRuntimeError, "anext(): asynchronous generator is already running");
    }
    if (IsNone(ts, arg) && !o->sent.is_null()) arg = o->sent;
    o->state = AwaitState::kIterating;
  }
  o->generator->async_running = true;
  Ref<> returned, hold = Ref<>::Borrow(arg);
  Result<> r = Unwrap(ts, o->generator, GeneratorSend(ts, o->generator, arg, &returned));
  if (r.raised()) o->state = AwaitState::kClosed;
  return r;
}
Result<> asend_next(ThreadState& ts, Value self) { return asend_send(ts, self, ts.rt->none); }
Result<> asend_send_method(ThreadState& ts, Args args) { return asend_send(ts, args[0], args[1]); }
Result<> asend_throw(ThreadState& ts, Args args) {
  AsyncGenAsendObject* o = args.self<AsyncGenAsendObject>();
  if (o->state == AwaitState::kClosed) {
    return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited __anext__()/asend()");
  }
  if (o->state == AwaitState::kInit) {
    if (o->generator->async_running) {
      o->state = AwaitState::kClosed;
      return Raise(ts, Exc::kRuntimeError, "anext(): asynchronous generator is already running");
    }
    o->state = AwaitState::kIterating;
    o->generator->async_running = true;
  }
  MVM_TRY_VOID(RaiseThrown(ts, args[1], args.get(2, Value()), args.get(3, Value())));
  Ref<> returned;
  Result<> r = Unwrap(ts, o->generator, GeneratorThrow(ts, o->generator, &returned));
  if (r.raised()) o->state = AwaitState::kClosed;
  return r;
}
Result<> asend_close(ThreadState& ts, Args args) {
  AsyncGenAsendObject* o = args.self<AsyncGenAsendObject>();
  if (o->state == AwaitState::kClosed) return None(ts);
  Value exit[] = {args[0], Value(ExcType(ts, Exc::kGeneratorExit)), Value::Absent(),
                  Value::Absent()};
  Result<> r = asend_throw(ts, Args{exit, 4});
  if (r.raised()) {
    if (ClearPendingIf(ts, Exc::kStopIteration) || ClearPendingIf(ts, Exc::kStopAsyncIteration) ||
        ClearPendingIf(ts, Exc::kGeneratorExit)) {
      return None(ts);
    }
    return kRaised;
  }
  Ref<> dropped = r.Take();
  return Raise(ts, Exc::kRuntimeError, "coroutine ignored GeneratorExit");
}

// One step of athrow()/aclose() has come out as `r`.
Result<> AthrowStep(ThreadState& ts, AsyncGenAthrowObject* o, Result<> r) {
  GeneratorObject* gen = o->generator;
  bool closing = o->type.is_null();
  if (!closing) {
    r = Unwrap(ts, gen, r);
    if (r.raised()) o->state = AwaitState::kClosed;
    return r;
  }
  if (r.raised()) {
    gen->async_running = false;
    o->state = AwaitState::kClosed;
    if (ClearPendingIf(ts, Exc::kStopAsyncIteration) || ClearPendingIf(ts, Exc::kGeneratorExit)) {
      gen->async_closed = true;
      return RaiseNoMessage(ts, Exc::kStopIteration);  // aclose() has done its work
    }
    return kRaised;
  }
  if (r.done()) {
    gen->async_running = false;
    gen->async_closed = true;
    o->state = AwaitState::kClosed;
    return RaiseNoMessage(ts, Exc::kStopIteration);
  }
  Ref<> v = r.Take();
  if (IsExact(v, TypeId::kAsyncGenWrapped)) {
    gen->async_running = false;
    o->state = AwaitState::kClosed;
    return Raise(ts, Exc::kRuntimeError, "async generator ignored GeneratorExit");
  }
  return v;
}

Result<> athrow_send(ThreadState& ts, Value self, Value arg) {
  AsyncGenAthrowObject* o = self.as<AsyncGenAthrowObject>();
  GeneratorObject* gen = o->generator;
  bool closing = o->type.is_null();
  const char* what = closing ? "aclose()" : "athrow()";
  if (o->state == AwaitState::kClosed ||
      (gen->state == GenState::kClosed && o->state == AwaitState::kInit && false)) {
    return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited aclose()/athrow()");
  }
  Ref<> returned;
  if (o->state == AwaitState::kInit) {
    if (gen->async_running) {
      o->state = AwaitState::kClosed;
      return Raise(ts, Exc::kRuntimeError, "%s: asynchronous generator is already running", what);
    }
    if (gen->async_closed || (closing && gen->state == GenState::kClosed)) {
      o->state = AwaitState::kClosed;
      return RaiseNoMessage(ts, closing ? Exc::kStopIteration : Exc::kStopAsyncIteration);
    }
    if (!IsNone(ts, arg)) {
      return Raise(ts, Exc::kRuntimeError, "can't send non-None value to a just-started coroutine");
    }
    o->state = AwaitState::kIterating;
    gen->async_running = true;
    if (closing) {
      gen->async_closed = true;
      if (gen->state == GenState::kCreated) {
        MVM_TRY_VOID(GeneratorClose(ts, gen));
        gen->async_running = false;
        o->state = AwaitState::kClosed;
        return RaiseNoMessage(ts, Exc::kStopIteration);
      }
      RaiseNoMessage(ts, Exc::kGeneratorExit);
    } else {
      MVM_TRY_VOID(RaiseThrown(ts, o->type, o->value, o->traceback));
    }
    return AthrowStep(ts, o, GeneratorThrow(ts, gen, &returned));
  }
  return AthrowStep(ts, o, GeneratorSend(ts, gen, arg, &returned));
}
Result<> athrow_next(ThreadState& ts, Value self) { return athrow_send(ts, self, ts.rt->none); }
Result<> athrow_send_method(ThreadState& ts, Args args) {
  return athrow_send(ts, args[0], args[1]);
}
Result<> athrow_throw(ThreadState& ts, Args args) {
  AsyncGenAthrowObject* o = args.self<AsyncGenAthrowObject>();
  if (o->state == AwaitState::kClosed) {
    return Raise(ts, Exc::kRuntimeError, "cannot reuse already awaited aclose()/athrow()");
  }
  if (o->state == AwaitState::kInit) {
    if (o->generator->async_running) {
      o->state = AwaitState::kClosed;
      return Raise(ts, Exc::kRuntimeError, "%s: asynchronous generator is already running",
                   o->type.is_null() ? "aclose()" : "athrow()");
    }
    o->state = AwaitState::kIterating;
    o->generator->async_running = true;
  }
  MVM_TRY_VOID(RaiseThrown(ts, args[1], args.get(2, Value()), args.get(3, Value())));
  Ref<> returned;
  return AthrowStep(ts, o, GeneratorThrow(ts, o->generator, &returned));
}
Result<> athrow_close(ThreadState& ts, Args args) {
  AsyncGenAthrowObject* o = args.self<AsyncGenAthrowObject>();
  if (o->state == AwaitState::kClosed) return None(ts);
  Value exit[] = {args[0], Value(ExcType(ts, Exc::kGeneratorExit)), Value::Absent(),
                  Value::Absent()};
  Result<> r = athrow_throw(ts, Args{exit, 4});
  if (r.raised()) {
    if (ClearPendingIf(ts, Exc::kStopIteration) || ClearPendingIf(ts, Exc::kStopAsyncIteration) ||
        ClearPendingIf(ts, Exc::kGeneratorExit)) {
      return None(ts);
    }
    return kRaised;
  }
  Ref<> dropped = r.Take();
  return Raise(ts, Exc::kRuntimeError, "coroutine ignored GeneratorExit");
}

Result<> identity(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> MakeAsend(ThreadState& ts, GeneratorObject* gen, Value sent) {
  MVM_TRY_VOID(InitHooks(ts, gen));
  MVM_TRY(Ref<AsyncGenAsendObject> o, New<AsyncGenAsendObject>(ts, TypeId::kAsyncGenAsend));
  o->generator = Ref<GeneratorObject>::Borrow(gen).Release();
  Incref(sent);
  o->sent = sent;
  Track(o.get());
  return o;
}
Result<> MakeAthrow(ThreadState& ts, GeneratorObject* gen, Value type, Value value,
                    Value traceback) {
  MVM_TRY_VOID(InitHooks(ts, gen));
  MVM_TRY(Ref<AsyncGenAthrowObject> o, New<AsyncGenAthrowObject>(ts, TypeId::kAsyncGenAthrow));
  o->generator = Ref<GeneratorObject>::Borrow(gen).Release();
  Incref(type);
  Incref(value);
  Incref(traceback);
  o->type = type;
  o->value = value;
  o->traceback = traceback;
  Track(o.get());
  return o;
}

Result<> agen_anext(ThreadState& ts, Value self) { return MakeAsend(ts, Gen(self), Value()); }
Result<> agen_asend(ThreadState& ts, Args args) { return MakeAsend(ts, Gen(args[0]), args[1]); }
Result<> agen_athrow(ThreadState& ts, Args args) {
  if (args.has(2)) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg "
                      "signature instead."));
  }
  return MakeAthrow(ts, Gen(args[0]), args[1], args.get(2, Value()), args.get(3, Value()));
}
Result<> agen_aclose(ThreadState& ts, Args args) {
  return MakeAthrow(ts, Gen(args[0]), Value(), Value(), Value());
}
Result<> agen_repr(ThreadState& ts, Value self) {
  return Format(ts, "<async_generator object %U at 0x%lx>", Value(Gen(self)->qualname),
                static_cast<unsigned long>(self.bits()));
}
Status agen_finalize(ThreadState& ts, Value self) {
  GeneratorObject* gen = Gen(self);
  if (gen->state != GenState::kSuspended) return Ok();
  if (!gen->finalizer.is_null() && !gen->async_closed) {
    Ref<> hook = Ref<>::Borrow(gen->finalizer);
    MVM_TRY_VOID(Call(ts, hook, self));
    return Ok();
  }
  Result<> r = GeneratorClose(ts, gen);
  if (r.raised()) return kRaised;
  Ref<> dropped = r.Take();
  return Ok();
}

// Warns of what agen.asend(), athrow() or aclose() has made and nobody has awaited.
Status FinalizeAwaitable(ThreadState& ts, Value self, AwaitState state, GeneratorObject* gen,
                         const char* method) {
  if (state != AwaitState::kInit) return Ok();
  if (Warn(ts, Exc::kRuntimeWarning, 1, "coroutine method '%s' of '%U' was never awaited", method,
           Value(gen->qualname))
          .raised()) {
    WriteUnraisable(ts, self);
  }
  return Ok();
}
Status asend_finalize(ThreadState& ts, Value self) {
  AsyncGenAsendObject* o = self.as<AsyncGenAsendObject>();
  return FinalizeAwaitable(ts, self, o->state, o->generator, "asend");
}
Status athrow_finalize(ThreadState& ts, Value self) {
  AsyncGenAthrowObject* o = self.as<AsyncGenAthrowObject>();
  return FinalizeAwaitable(ts, self, o->state, o->generator,
                           o->type.is_null() ? "aclose" : "athrow");
}

Result<> get_running(ThreadState& ts, Value self) { return Bool(ts, Gen(self)->async_running); }
Result<> get_suspended(ThreadState& ts, Value self) {
  return Bool(ts, Gen(self)->state == GenState::kSuspended);
}
Result<> get_code(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Gen(self)->function->code));
}
Result<> get_await(ThreadState& ts, Value self) {
  Value v = GeneratorDelegate(Gen(self));
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
Result<> get_frame(ThreadState& ts, Value self) { return GeneratorFrame(ts, Gen(self)); }
Result<> get_name(ThreadState& ts, Value self) { return Result<>::Borrow(Value(Gen(self)->name)); }
Result<> get_qualname(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Gen(self)->qualname));
}
Status SetString(ThreadState& ts, StrObject*& field, Value v, const char* what) {
  if (v.is_null() || !IsStr(ts, v))
    return Raise(ts, Exc::kTypeError, "%s must be set to a string object", what);
  Ref<StrObject> old = Ref<StrObject>::Steal(
      std::exchange(field, Ref<StrObject>::Borrow(v.as<StrObject>()).Release()));
  return Ok();
}
Status set_name(ThreadState& ts, Value self, Value v) {
  return SetString(ts, Gen(self)->name, v, "__name__");
}
Status set_qualname(ThreadState& ts, Value self, Value v) {
  return SetString(ts, Gen(self)->qualname, v, "__qualname__");
}

// The iterator behind the awaitable of anext(it, default).
Result<> AnextIterator(ThreadState& ts, AnextAwaitableObject* o) {
  Value v = o->wrapped;
  if (IsExact(v, TypeId::kCoroutine) || IsExact(v, TypeId::kAsyncGenAsend))
    return Result<>::Borrow(v);
  if (IsExact(v, TypeId::kGenerator) && (Gen(v)->function->code->flags & kCodeIterableCoroutine)) {
    return Result<>::Borrow(v);
  }
  MVM_TRY(Ref<> it, CallSpecial(ts, v, MVM_NAME(ts, __await__)));
  if (it.is_absent())
    return Raise(ts, Exc::kTypeError, "object %T can't be used in 'await' expression", v);
  TypeObject* type = TypeOf(ts, it);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.next == nullptr) {
    return Raise(ts, Exc::kTypeError, "__await__() returned non-iterator of type '%T'", it.get());
  }
  return it;
}
// StopAsyncIteration becomes the default.
Result<> AnextResult(ThreadState& ts, AnextAwaitableObject* o, Result<> r) {
  if (r.raised() && ClearPendingIf(ts, Exc::kStopAsyncIteration))
    return RaiseStopIteration(ts, o->fallback);
  return r;
}
Result<> anext_next(ThreadState& ts, Value self) {
  AnextAwaitableObject* o = self.as<AnextAwaitableObject>();
  MVM_TRY(Ref<> it, AnextIterator(ts, o));
  if (IsExact(it, TypeId::kCoroutine)) {
    Ref<> returned;
    Result<> r = GeneratorSend(ts, it.as<GeneratorObject>(), ts.rt->none, &returned);
    if (r.done()) return RaiseStopIteration(ts, returned);
    return AnextResult(ts, o, r);
  }
  return AnextResult(ts, o, NextOrStop(ts, it));
}
Result<> AnextProxy(ThreadState& ts, Args args, const char* method) {
  AnextAwaitableObject* o = args.self<AnextAwaitableObject>();
  MVM_TRY(Ref<> it, AnextIterator(ts, o));
  MVM_TRY(Ref<> m, GetAttr(ts, it, std::string_view(method)));
  uint32_t n = 1;
  while (n < args.n && args.has(n)) ++n;
  return AnextResult(ts, o, Call(ts, m, std::span<const Value>(args.v + 1, n - 1)));
}
Result<> anext_send(ThreadState& ts, Args args) { return AnextProxy(ts, args, "send"); }
Result<> anext_throw(ThreadState& ts, Args args) { return AnextProxy(ts, args, "throw"); }
Result<> anext_close(ThreadState& ts, Args args) { return AnextProxy(ts, args, "close"); }

const MethodSpec kAgenMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"aclose(self, /)", agen_aclose,
     "An awaitable that ends the generator: GeneratorExit is raised where it waits."},
    {"asend(self, value, /)", agen_asend,
     "An awaitable that goes on to the next yield; value is the result of the last one."},
    {"athrow(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", agen_athrow,
     "An awaitable that raises the exception where the generator waits."},
};
const GetSetSpec kAgenGetSets[] = {
    {"__name__", get_name, set_name}, {"__qualname__", get_qualname, set_qualname},
    {"ag_await", get_await},          {"ag_code", get_code},
    {"ag_frame", get_frame},          {"ag_running", get_running},
    {"ag_suspended", get_suspended},
};
const MethodSpec kAsendMethods[] = {
    {"close(self, /)", asend_close},
    {"send(self, arg, /)", asend_send_method},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", asend_throw},
};
const MethodSpec kAthrowMethods[] = {
    {"close(self, /)", athrow_close},
    {"send(self, arg, /)", athrow_send_method},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", athrow_throw},
};
const MethodSpec kAnextMethods[] = {
    {"close(self, /)", anext_close},
    {"send(self, arg, /)", anext_send},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", anext_throw},
};

}  // namespace

Result<> AsyncGeneratorAnext(ThreadState& ts, GeneratorObject* gen) {
  return MakeAsend(ts, gen, Value());
}

Result<> WrapAsyncValue(ThreadState& ts, Value value) {
  MVM_TRY(Ref<AsyncGenWrappedObject> w, New<AsyncGenWrappedObject>(ts, TypeId::kAsyncGenWrapped));
  Incref(value);
  w->value = value;
  Track(w.get());
  return w;
}

Result<> NewAnextAwaitable(ThreadState& ts, Value awaitable, Value fallback) {
  MVM_TRY(Ref<AnextAwaitableObject> o, New<AnextAwaitableObject>(ts, TypeId::kAnextAwaitable));
  Incref(awaitable);
  Incref(fallback);
  o->wrapped = awaitable;
  o->fallback = fallback;
  Track(o.get());
  return o;
}

void NoteCoroutineOrigin(ThreadState& ts, GeneratorObject* coroutine) {
  int depth = InterpOf(ts).coroutine_origin_depth;
  if (depth <= 0) return;
  Result<ListObject> made = NewListReserve(ts, 4);
  if (made.raised()) {
    ClearPending(ts);
    return;
  }
  Ref<ListObject> frames = made.Take();
  FrameWalker walker(ts);
  if (!walker.done()) walker.Next();  // the coroutine's own frame
  for (; depth > 0 && !walker.done(); --depth, walker.Next()) {
    FunctionObject* f = FunctionOf(walker.base());
    Value row[] = {Value(f->code->filename), Value::Int(LineAt(f->code, PcIndex(f, walker.pc()))),
                   Value(f->code->name)};
    Result<TupleObject> t = NewTuple(ts, row);
    if (t.raised()) {
      ClearPending(ts);
      return;
    }
    Ref<TupleObject> r = t.Take();
    if (ListAppend(ts, frames, Value(r.get())).raised()) {
      ClearPending(ts);
      return;
    }
  }
  Result<TupleObject> all = NewTuple(ts, {frames->items, static_cast<size_t>(frames->size)});
  if (all.raised()) {
    ClearPending(ts);
    return;
  }
  coroutine->origin = Value(all.word());
}

void WarnNeverAwaited(ThreadState& ts, GeneratorObject* coroutine) {
  bool warned = false;
  auto by_module = [&]() -> Status {
    MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "warnings"));
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_warn_unawaited_coroutine"));
    MVM_TRY(Ref<> warn, GetAttrOptional(ts, module, name));
    if (warn.is_absent()) return Ok();
    Result<> r = Call(ts, warn, Value(coroutine));
    warned = !r.raised() || PendingIs(ts, Exc::kRuntimeWarning);
    MVM_TRY_VOID(std::move(r));
    return Ok();
  };
  if (by_module().raised()) WriteUnraisable(ts, Value(coroutine));
  if (warned) return;
  if (Warn(ts, Exc::kRuntimeWarning, 1, "coroutine '%U' was never awaited",
           Value(coroutine->qualname))
          .raised()) {
    WriteUnraisable(ts, Value(coroutine));
  }
}

const TypeSpec kAsyncGeneratorType = {
    .name = "async_generator",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(GeneratorObject),
    .gc = kGeneratorGc,
    .slots = {.repr = agen_repr, .finalize = agen_finalize, .aiter = identity, .anext = agen_anext},
    .methods = kAgenMethods,
    .getsets = kAgenGetSets,
};
const TypeSpec kAsyncGenAsendType = {
    .name = "async_generator_asend",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(AsyncGenAsendObject),
    .gc = GcHooksOf<AsyncGenAsendObject>(),
    .slots = {.iter = identity, .next = asend_next, .finalize = asend_finalize, .await = identity},
    .methods = kAsendMethods,
};
const TypeSpec kAsyncGenAthrowType = {
    .name = "async_generator_athrow",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(AsyncGenAthrowObject),
    .gc = GcHooksOf<AsyncGenAthrowObject>(),
    .slots = {.iter = identity,
              .next = athrow_next,
              .finalize = athrow_finalize,
              .await = identity},
    .methods = kAthrowMethods,
};
const TypeSpec kAsyncGenWrappedType = {
    .name = "async_generator_wrapped_value",
    .flags = kTypeNoNew,
    .size = sizeof(AsyncGenWrappedObject),
    .gc = GcHooksOf<AsyncGenWrappedObject>(),
};
const TypeSpec kAnextAwaitableType = {
    .name = "anext_awaitable",
    .flags = kTypeNoNew,
    .size = sizeof(AnextAwaitableObject),
    .gc = GcHooksOf<AnextAwaitableObject>(),
    .slots = {.iter = identity, .next = anext_next, .await = identity},
    .methods = kAnextMethods,
};

}  // namespace minivm
