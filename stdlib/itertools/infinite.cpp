// itertools: count, cycle, repeat.
#include "stdlib/itertools/itertools_types.h"

namespace minivm::itertools {
namespace {

// ---- count ----

bool IsNumber(ThreadState& ts, Value v) {
  if (v.is_int() || v.is_float()) return true;
  const OperatorSlots* slots = OperatorsOf(ts, v);
  return slots && (slots->index || slots->to_int || slots->to_float ||
                   IsInstance(ts, v, TypeById(ts, TypeId::kComplex)));
}

Result<> count_new(ThreadState& ts, Args args) {
  const Value start = args.get(1, Value::Int(0)), step = args.get(2, Value::Int(1));
  if (!IsNumber(ts, start) || !IsNumber(ts, step))
    return Raise(ts, Exc::kTypeError, "a number is required");
  MVM_TRY(Ref<Count> c, Instance<Count>(ts, args[0]));
  c->value = Own(start);
  c->step = Own(step);
  return c;
}

Result<> count_next(ThreadState& ts, Value self) {
  Count* c = self.as<Count>();
  int64_t sum;
  if (MVM_LIKELY(Value::BothInt(c->value, c->step)) &&
      !__builtin_add_overflow(c->value.as_int(), c->step.as_int(), &sum) && Value::FitsInt(sum)) {
    return Result<>::Steal(std::exchange(c->value, Value::Int(sum)));
  }
  if (c->value.is_null()) return Result<>::Done();
  Ref<> value = Ref<>::Borrow(c->value);
  MVM_TRY(Ref<> next, Binary(ts, BinaryOp::kAdd, value, c->step));
  Assign(&c->value, next);
  return value;
}

Result<> count_repr(ThreadState& ts, Value self) {
  const Count* c = self.as<Count>();
  const Ref<> value = Ref<>::Borrow(c->value), step = Ref<>::Borrow(c->step);
  const Value name = TypeOf(ts, self)->name;
  if (step.is(Value::Int(1))) return Format(ts, "%U(%R)", name, value.get());
  return Format(ts, "%U(%R, %R)", name, value.get(), step.get());
}

const MethodSpec kCountMethods[] = {MVM_REDUCE_ROW(count)};

// ---- cycle ----

Result<> cycle_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iterator, GetIter(ts, args[1]));
  MVM_TRY(Ref<ListObject> saved, NewListReserve(ts, 0));
  MVM_TRY(Ref<Cycle> c, Instance<Cycle>(ts, args[0]));
  c->iterator = iterator.Release();
  c->saved = saved.Release();
  return c;
}

Result<> cycle_next(ThreadState& ts, Value self) {
  Cycle* c = self.as<Cycle>();
  if (c->iterator) {
    MVM_TRY(Ref<> item, NextOf(ts, c->iterator));
    if (!item.is_done()) {
      if (!c->complete) MVM_TRY_VOID(ListAppend(ts, c->saved, item));
      return item;
    }
    Assign(&c->iterator, Value());
  }
  if (!c->saved || c->saved->size == 0) return Result<>::Done();
  if (c->index >= c->saved->size) c->index = 0;
  return Result<>::Borrow(c->saved->items[c->index++]);
}

const MethodSpec kCycleMethods[] = {MVM_STATE_ROWS(cycle)};

// ---- repeat ----

Result<> repeat_new(ThreadState& ts, Args args) {
  int64_t times = 0;
  if (args.has(2)) {
    MVM_TRY(times, AsInt64(ts, args[2]));
  }
  MVM_TRY(Ref<Repeat> r, Instance<Repeat>(ts, args[0]));
  r->element = Own(args[1]);
  r->limited = args.has(2);
  r->remaining = times > 0 ? times : 0;
  return r;
}

Result<> repeat_next(ThreadState&, Value self) {
  Repeat* r = self.as<Repeat>();
  if (r->limited && r->remaining-- <= 0) {
    r->remaining = 0;
    return Result<>::Done();
  }
  if (r->element.is_null()) return Result<>::Done();
  return Result<>::Borrow(r->element);
}

Result<> repeat_repr(ThreadState& ts, Value self) {
  const Repeat* r = self.as<Repeat>();
  const Ref<> element = Ref<>::Borrow(r->element);
  if (!r->limited) return Format(ts, "%U(%R)", Value(TypeOf(ts, self)->name), element.get());
  return Format(ts, "%U(%R, %lld)", Value(TypeOf(ts, self)->name), element.get(),
                static_cast<long long>(r->remaining));
}

Result<> repeat_length_hint(ThreadState& ts, Args args) {
  const Repeat* r = args.self<Repeat>();
  if (!r->limited) return Raise(ts, Exc::kTypeError, "len() of unsized object");
  return NewInt(ts, r->remaining);
}

const MethodSpec kRepeatMethods[] = {
    {"__length_hint__(self, /)", repeat_length_hint,
     "Private method returning an estimate of len(list(it))."},
    MVM_REDUCE_ROW(repeat),
};

}  // namespace

const TypeSpec kCountType = {
    .name = "itertools.count",
    .doc = "start, start+step, start+2*step and so on, without end; floats and other numbers too.",
    .flags = kTypeBase,
    .size = sizeof(Count),
    .gc = GcHooksOf<Count>(),
    .slots = {.repr = count_repr, .iter = IterSelf, .next = count_next},
    .construct = {"count(start=0, step=1)", count_new},
    .methods = kCountMethods,
};
const TypeSpec kCycleType = {
    .name = "itertools.cycle",
    .doc = "The items over and over; they are kept, for the second round.",
    .flags = kTypeBase,
    .size = sizeof(Cycle),
    .gc = GcHooksOf<Cycle>(),
    .slots = {.iter = IterSelf, .next = cycle_next},
    .construct = {"cycle(iterable, /)", cycle_new},
    .methods = kCycleMethods,
};
const TypeSpec kRepeatType = {
    .name = "itertools.repeat",
    .doc = "repeat(object, times=None): the object, that many times or for ever.",
    .flags = kTypeBase,
    .size = sizeof(Repeat),
    .gc = GcHooksOf<Repeat>(),
    .slots = {.repr = repeat_repr, .iter = IterSelf, .next = repeat_next},
    .construct = {"repeat(object, times=<unrepresentable>)", repeat_new},
    .methods = kRepeatMethods,
};

}  // namespace minivm::itertools
