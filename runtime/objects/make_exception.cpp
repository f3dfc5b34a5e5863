// How exceptions come into being: BaseException.__new__ and __init__, and what natives raise.
//
// Apart from exception_object.cpp, which is made for size: programs make many exceptions.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_types.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// An instance with null fields; the caller tracks it when it has its args.
Result<ExceptionObject> AllocZeroed(ThreadState& ts, TypeObject* cls) {
  size_t size = cls->basic_size;
  if (cls->root_shape) size += cls->root_shape->inline_capacity * sizeof(Value);
  MVM_TRY(Ref<ExceptionObject> e,
          AllocObject<ExceptionObject>(ts, cls->shape_id_exact, size, true));
  Value* fields = reinterpret_cast<Value*>(static_cast<Object*>(e.get()) + 1);
  for (size_t n = (size - sizeof(Object)) / sizeof(Value); n > 0; --n) *fields++ = Value();
  if (cls->is_heap()) Incref(cls);
  return e;
}

// Does the tuple hold exactly these positional arguments?
bool SameArgs(const TupleObject* args, Args raw) {
  if (!args || args->size() != raw.n) return false;
  for (uint32_t i = 0; i < raw.n; ++i) {
    if (!(*args)[i].is(raw.v[i])) return false;
  }
  return true;
}

}  // namespace

void SetField(Value* field, Value value) {
  Incref(value);
  Ref<> old = Ref<>::Steal(std::exchange(*field, value));
}

void SetArgs(ExceptionObject* e, TupleObject* args) {
  Incref(args);
  Ref<TupleObject> old = Ref<TupleObject>::Steal(std::exchange(e->args, args));
}

Result<TupleObject> RawTuple(ThreadState& ts, Args raw) { return NewTuple(ts, {raw.v, raw.n}); }

Status NoKeywords(ThreadState& ts, TypeObject* type, Args raw) {
  if (MVM_LIKELY(raw.nkw == 0)) return Ok();
  return Raise(ts, Exc::kTypeError, "%N() takes no keyword arguments", type);
}

Result<ExceptionObject> AllocException(ThreadState& ts, TypeObject* cls, TupleObject* args) {
  MVM_TRY(Ref<ExceptionObject> e, AllocZeroed(ts, cls));
  Incref(args);
  e->args = args;
  Track(e);
  return e;
}

void DestroyException(Heap&, Object* self) {
  ExceptionObject* e = static_cast<ExceptionObject*>(self);
  if (e->dict) Decref(e->dict);
  if (e->args) Decref(e->args);
  Decref(e->traceback);
  Decref(e->context);
  Decref(e->cause);
}

bool FillException(ThreadState& ts, ExceptionObject* e, const Value* args, uint32_t n) {
  if (n == 0) {
    e->args = ts.rt->empty_tuple->as<TupleObject>();
    Incref(e->args);
    return true;
  }
  void* p = ts.heap().Allocate(sizeof(TupleObject) + n * sizeof(Value), true);
  if (MVM_UNLIKELY(!p)) return false;
  TupleObject* t = static_cast<TupleObject*>(p);
  t->refcount = 1;
  t->shape_id = ShapeIdOf(TypeId::kTuple);
  t->gc = kGcTracked;
  t->aux = n;
  ++ts.heap().young_count;
  for (uint32_t i = 0; i < n; ++i) {
    t->items()[i] = args[i];
    Incref(args[i]);
  }
  e->args = t;
  return true;
}

Result<> exception_new(ThreadState& ts, TypeObject* cls, Args raw) {
  MVM_TRY(Ref<ExceptionObject> e, AllocZeroed(ts, cls));
  if (MVM_UNLIKELY(!FillException(ts, e, raw.v, raw.n))) return RaiseMemoryError(ts);
  Track(e);
  return e;
}

Status StoreArgs(ThreadState& ts, ExceptionObject* e, Args raw) {
  if (SameArgs(e->args, raw)) return Ok();
  MVM_TRY(Ref<TupleObject> args, RawTuple(ts, raw));
  SetArgs(e, args);
  return Ok();
}

Status exception_init(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(NoKeywords(ts, TypeOf(ts, self), raw));
  return StoreArgs(ts, self.as<ExceptionObject>(), raw);
}

Result<> OwnDict(ThreadState& ts, ExceptionObject* e) {
  const Shape* shape = ts.rt->shapes[e->shape_id].shape;
  const bool some = shape != nullptr
                        ? shape->slot_count != 0 || (e->aux != 0 && ts.rt->extras[e->aux].dict)
                        : e->dict != nullptr;
  if (!some) return Result<>::Steal(Value::Absent());
  MVM_TRY(Ref<> dict, InstanceDict(ts, e));
  return dict;
}

Result<ExceptionObject> NewExceptionWith(ThreadState& ts, Exc type, TupleObject* args) {
  MVM_TRY(Ref<ExceptionObject> e, AllocException(ts, ExcType(ts, type), args));
  MVM_TRY_VOID(FillFields(ts, type, e, args));
  return e;
}

Result<> NewException(ThreadState& ts, Exc type, Value arg) {
  MVM_TRY(Ref<ExceptionObject> e, AllocZeroed(ts, ExcType(ts, type)));
  if (MVM_UNLIKELY(!FillException(ts, e, &arg, arg.is_null() ? 0 : 1))) return RaiseMemoryError(ts);
  Track(e);
  MVM_TRY_VOID(FillFields(ts, type, e, e->args));
  return e;
}

}  // namespace minivm
