// Slow paths that make iterators: iter(), aiter(), awaitables.
#include "runtime/objects/exception_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/async_generator.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

Result<> AsyncIter(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.aiter == nullptr) {
    return Raise(ts, Exc::kTypeError,
                 "'async for' requires an object with __aiter__ method, got %T", v);
  }
  MVM_TRY(Ref<> it, type->slots.aiter(ts, v));
  TypeObject* it_type = TypeOf(ts, it);
  MVM_TRY_VOID(TypeReady(ts, it_type));
  if (it_type->slots.anext == nullptr) {
    return Raise(
        ts, Exc::kTypeError,
        "'async for' received an object from __aiter__ that does not implement __anext__: %T",
        it.get());
  }
  return it;
}

bool IsAwaitableGenerator(Value v) {
  return IsExact(v, TypeId::kGenerator) &&
         (v.as<GeneratorObject>()->function->code->flags & kCodeIterableCoroutine);
}

// What `await v` iterates. `from`: 1 __aenter__, 2 __aexit__, 3 __anext__ (for the message).
Result<> Awaitable(ThreadState& ts, Value v, int from) {
  if (IsExact(v, TypeId::kCoroutine)) {
    GeneratorObject* c = v.as<GeneratorObject>();
    if (c->state == GenState::kSuspended && !GeneratorDelegate(c).is_null()) {
      return Raise(ts, Exc::kRuntimeError, "coroutine is being awaited already");
    }
    return Result<>::Borrow(v);
  }
  if (IsAwaitableGenerator(v)) return Result<>::Borrow(v);
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.await == nullptr) {
    if (from == 1 || from == 2) {
      return Raise(ts, Exc::kTypeError,
                   "'async with' received an object from %s that does not implement __await__: %T",
                   from == 1 ? "__aenter__" : "__aexit__", v);
    }
    if (from == 3) {
      return Raise(ts, Exc::kTypeError, "'async for' received an invalid object from __anext__: %T",
                   v);
    }
    return Raise(ts, Exc::kTypeError, "object %T can't be used in 'await' expression", v);
  }
  MVM_TRY(Ref<> it, type->slots.await(ts, v));
  if (IsExact(it, TypeId::kCoroutine) || IsAwaitableGenerator(it)) {
    return Raise(ts, Exc::kTypeError, "__await__() returned a coroutine");
  }
  TypeObject* it_type = TypeOf(ts, it);
  MVM_TRY_VOID(TypeReady(ts, it_type));
  if (it_type->slots.next == nullptr) {
    return Raise(ts, Exc::kTypeError, "__await__() returned non-iterator of type '%T'", it.get());
  }
  return it;
}

Result<> AsyncNext(ThreadState& ts, Value it) {
  if (IsExact(it, TypeId::kAsyncGenerator))
    return AsyncGeneratorAnext(ts, it.as<GeneratorObject>());
  TypeObject* type = TypeOf(ts, it);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.anext == nullptr) {
    return Raise(ts, Exc::kTypeError,
                 "'async for' requires an iterator with __anext__ method, got %T", it);
  }
  MVM_TRY(Ref<> v, type->slots.anext(ts, it));
  Result<> r = Awaitable(ts, v, 3);
  if (r.raised() && !PendingIs(ts, Exc::kTypeError)) {
    Ref<> cause = TakePending(ts);
    Raise(ts, Exc::kTypeError, "'async for' received an invalid object from __anext__: %T",
          v.get());
    ts.pending.as<ExceptionObject>()->cause = cause.Release();
    ts.pending.as<ExceptionObject>()->suppress_context = true;
  }
  return r;
}

Result<> YieldFrom(ThreadState& ts, FunctionObject* f, Value v) {
  if (IsExact(v, TypeId::kCoroutine)) {
    if (!(f->code->flags & (kCodeCoroutine | kCodeIterableCoroutine))) {
      return Raise(ts, Exc::kTypeError,
                   "cannot 'yield from' a coroutine object in a non-coroutine generator");
    }
    return Result<>::Borrow(v);
  }
  if (IsExact(v, TypeId::kGenerator)) return Result<>::Borrow(v);
  return GetIter(ts, v);
}

}  // namespace

bool SlowGetIter(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Op op = static_cast<Op>(pc->op);
  if (op == Op::WRAPASYNC) {
    Value v = R[pc->a];
    Value wrapped = WrapAsyncValue(*ts, v).word();
    if (wrapped.is_null()) return false;
    R[pc->a] = wrapped;
    Decref(v);
    return true;
  }
  Value v = R[pc->b], out;
  bool consume = pc->c & kConsume1;
  switch (op) {
    case Op::GETITER:  // a generator is its own
      out = (IsExact(v, TypeId::kGenerator) ? Result<>::Borrow(v) : GetIter(*ts, v)).word();
      break;
    case Op::GETAITER: out = AsyncIter(*ts, v).word(); break;
    case Op::GETANEXT:
      out = AsyncNext(*ts, v).word();
      consume = false;
      break;
    case Op::GETAWAITABLE: out = Awaitable(*ts, v, pc->c >> 1).word(); break;
    default: out = YieldFrom(*ts, FunctionOf(R), v).word(); break;
  }
  if (consume) Decref(v);
  if (out.is_null()) return false;
  R[pc->a] = out;
  return true;
}

bool SlowEndAsyncFor(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value exc = R[pc->a];
  if (IsSubtype(TypeOf(*ts, exc), ExcType(*ts, Exc::kStopAsyncIteration))) {
    Value it = R[pc->b];
    Decref(exc);
    Decref(it);
    return true;
  }
  ts->pending = exc;
  InterpOf(*ts).skip_traceback = true;
  return false;
}

}  // namespace minivm
