// itertools: the iterators that pass on, drop or combine items of their inputs one at a time:
// accumulate, chain, compress, dropwhile, filterfalse, islice, starmap, takewhile.
#include "stdlib/itertools/itertools_types.h"

namespace minivm::itertools {
namespace {

// ---- accumulate ----

Result<> accumulate_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iterator, GetIter(ts, args[1]));
  MVM_TRY(Ref<Accumulate> a, Instance<Accumulate>(ts, args[0]));
  a->iterator = iterator.Release();
  if (!IsNone(ts, args[2])) a->function = Own(args[2]);
  if (!IsNone(ts, args[3])) a->initial = Own(args[3]);
  return a;
}

Result<> accumulate_next(ThreadState& ts, Value self) {
  Accumulate* a = self.as<Accumulate>();
  if (a->initial) {
    Ref<> initial = Ref<>::Steal(std::exchange(a->initial, Value()));
    Assign(&a->total, initial);
    return initial;
  }
  MVM_TRY(Ref<> item, NextOf(ts, a->iterator));
  if (item.is_done()) return Result<>::Done();
  if (!a->total) {
    a->total = Own(item);
    return item;
  }
  const Ref<> total = Ref<>::Borrow(a->total);
  MVM_TRY(Ref<> sum, a->function ? Call(ts, a->function, total, item)
                                 : Binary(ts, BinaryOp::kAdd, total, item));
  Assign(&a->total, sum);
  return sum;
}

// ---- chain ----

Result<> ChainOver(ThreadState& ts, Value cls, Value iterables) {
  MVM_TRY(Ref<> source, GetIter(ts, iterables));
  MVM_TRY(Ref<Chain> c, Instance<Chain>(ts, cls));
  c->source = source.Release();
  return c;
}
Result<> chain_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw > 0 && cls->slots.init == TypeById(ts, TypeId::kObject)->slots.init)
    return Raise(ts, Exc::kTypeError, "chain() takes no keyword arguments");
  MVM_TRY(Ref<TupleObject> iterables, NewTuple(ts, {raw.v, raw.n}));
  return ChainOver(ts, cls, iterables);
}
Result<> chain_from_iterable(ThreadState& ts, Args args) { return ChainOver(ts, args[0], args[1]); }

Result<> chain_next(ThreadState& ts, Value self) {
  Chain* c = self.as<Chain>();
  while (c->source) {
    if (!c->active) {
      Result<> next = NextOf(ts, c->source);
      if (next.raised()) {
        Assign(&c->source, Value());
        return kRaised;
      }
      const Ref<> iterable = next.Take();
      if (iterable.is_done()) {
        Assign(&c->source, Value());
        break;
      }
      Result<> active = GetIter(ts, iterable);
      if (active.raised()) {
        Assign(&c->source, Value());
        return kRaised;
      }
      const Ref<> it = active.Take();
      Assign(&c->active, it);
    }
    MVM_TRY(Ref<> item, NextOf(ts, c->active));
    if (!item.is_done()) return item;
    Assign(&c->active, Value());
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Result<>::Done();
}

const MethodSpec kChainMethods[] = {
    MVM_STATE_ROWS(chain),
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585.", kMethodClass},
    {"from_iterable(cls, iterable, /)", chain_from_iterable,
     "chain() of the iterables in one iterable, which is read as it goes.", kMethodClass},
};

// ---- compress ----

Result<> compress_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> data, GetIter(ts, args[1]));
  MVM_TRY(Ref<> selectors, GetIter(ts, args[2]));
  MVM_TRY(Ref<Compress> c, Instance<Compress>(ts, args[0]));
  c->data = data.Release();
  c->selectors = selectors.Release();
  return c;
}

Result<> compress_next(ThreadState& ts, Value self) {
  const Compress* c = self.as<Compress>();
  for (;;) {
    MVM_TRY(Ref<> item, NextOf(ts, c->data));
    if (item.is_done()) return Result<>::Done();
    MVM_TRY(Ref<> selector, NextOf(ts, c->selectors));
    if (selector.is_done()) return Result<>::Done();
    MVM_TRY(bool selected, Truth(ts, selector));
    if (selected) return item;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

// ---- dropwhile, takewhile, filterfalse, starmap ----

Result<> filtering_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iterator, GetIter(ts, args[2]));
  MVM_TRY(Ref<Filtering> f, Instance<Filtering>(ts, args[0]));
  f->function = Own(args[1]);
  f->iterator = iterator.Release();
  return f;
}

Result<bool> Test(ThreadState& ts, Value function, Value item) {
  MVM_TRY(Ref<> answer, Call(ts, function, item));
  return Truth(ts, answer);
}

Result<> dropwhile_next(ThreadState& ts, Value self) {
  Filtering* f = self.as<Filtering>();
  for (;;) {
    MVM_TRY(Ref<> item, NextOf(ts, f->iterator));
    if (item.is_done() || f->switched) return item;
    MVM_TRY(bool drop, Test(ts, f->function, item));
    if (!drop) {
      f->switched = true;
      return item;
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> takewhile_next(ThreadState& ts, Value self) {
  Filtering* f = self.as<Filtering>();
  if (f->switched) return Result<>::Done();
  MVM_TRY(Ref<> item, NextOf(ts, f->iterator));
  if (item.is_done()) return Result<>::Done();
  MVM_TRY(bool take, Test(ts, f->function, item));
  if (take) return item;
  f->switched = true;
  return Result<>::Done();
}

Result<> filterfalse_next(ThreadState& ts, Value self) {
  const Filtering* f = self.as<Filtering>();
  const bool by_truth = f->function.is_null() || IsNone(ts, f->function) ||
                        f->function.is(TypeById(ts, TypeId::kBool));
  for (;;) {
    MVM_TRY(Ref<> item, NextOf(ts, f->iterator));
    if (item.is_done()) return Result<>::Done();
    MVM_TRY(bool drop, by_truth ? Truth(ts, item) : Test(ts, f->function, item));
    if (!drop) return item;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> starmap_next(ThreadState& ts, Value self) {
  const Filtering* f = self.as<Filtering>();
  MVM_TRY(Ref<> item, NextOf(ts, f->iterator));
  if (item.is_done()) return Result<>::Done();
  MVM_TRY(Ref<TupleObject> call_args, TupleFrom(ts, item));
  return Call(ts, f->function, call_args->span());
}

// ---- islice ----

// A bound of islice: an int >= low, or none (the fallback). False: it is something else.
Result<bool> IsliceBound(ThreadState& ts, Value v, int64_t low, int64_t fallback, int64_t* out) {
  *out = fallback;
  if (IsNone(ts, v)) return true;
  Result<int64_t> i = IndexAsInt64(ts, v, Exc::kValueError);
  if (i.raised()) {
    ClearPending(ts);
    return false;
  }
  *out = i.Take();
  return *out >= low;
}

Result<> islice_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw > 0 && cls->slots.init == TypeById(ts, TypeId::kObject)->slots.init)
    return Raise(ts, Exc::kTypeError, "islice() takes no keyword arguments");
  if (raw.n < 2)
    return Raise(ts, Exc::kTypeError, "islice expected at least 2 arguments, got %u", raw.n);
  if (raw.n > 4)
    return Raise(ts, Exc::kTypeError, "islice expected at most 4 arguments, got %u", raw.n);
  int64_t start = 0, stop = -1, step = 1;
  MVM_TRY(bool good, IsliceBound(ts, raw[raw.n == 2 ? 1 : 2], 0, -1, &stop));
  if (!good) {
    return Raise(ts, Exc::kValueError,
                 "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
  }
  if (raw.n > 2) {
    MVM_TRY(good, IsliceBound(ts, raw[1], 0, 0, &start));
    if (!good) {
      return Raise(ts, Exc::kValueError,
                   "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    }
  }
  if (raw.n == 4) {
    MVM_TRY(good, IsliceBound(ts, raw[3], 1, 1, &step));
    if (!good)
      return Raise(ts, Exc::kValueError, "Step for islice() must be a positive integer or None.");
  }
  MVM_TRY(Ref<> iterator, GetIter(ts, raw[0]));
  MVM_TRY(Ref<Islice> s, Instance<Islice>(ts, cls));
  s->iterator = iterator.Release();
  s->next = start;
  s->stop = stop;
  s->step = step;
  return s;
}

Result<> islice_next(ThreadState& ts, Value self) {
  Islice* s = self.as<Islice>();
  if (!s->iterator) return Result<>::Done();
  const Ref<> iterator = Ref<>::Borrow(s->iterator);
  while (s->taken < s->next) {
    MVM_TRY(Ref<> skipped, Next(ts, iterator));
    if (skipped.is_done()) {
      Assign(&s->iterator, Value());
      return Result<>::Done();
    }
    ++s->taken;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  if (s->stop >= 0 && s->taken >= s->stop) {
    Assign(&s->iterator, Value());
    return Result<>::Done();
  }
  MVM_TRY(Ref<> item, Next(ts, iterator));
  if (item.is_done()) {
    Assign(&s->iterator, Value());
    return Result<>::Done();
  }
  ++s->taken;
  const int64_t limit = s->stop >= 0 ? s->stop : INT64_MAX;
  if (__builtin_add_overflow(s->next, s->step, &s->next) || s->next > limit) s->next = limit;
  return item;
}

const MethodSpec kAccumulateMethods[] = {MVM_STATE_ROWS(accumulate)};
const MethodSpec kCompressMethods[] = {MVM_REDUCE_ROW(compress)};
const MethodSpec kFilteringMethods[] = {MVM_STATE_ROWS(filtering)};
const MethodSpec kMappingMethods[] = {MVM_REDUCE_ROW(mapping)};
const MethodSpec kIsliceMethods[] = {MVM_STATE_ROWS(islice)};

}  // namespace

const TypeSpec kAccumulateType = {
    .name = "itertools.accumulate",
    .doc = "Running totals, or what func(total, item) makes of them; initial comes first if given.",
    .flags = kTypeBase,
    .size = sizeof(Accumulate),
    .gc = GcHooksOf<Accumulate>(),
    .slots = {.iter = IterSelf, .next = accumulate_next},
    .construct = {"accumulate(iterable, func=None, *, initial=None)", accumulate_new},
    .methods = kAccumulateMethods,
};
const TypeSpec kChainType = {
    .name = "itertools.chain",
    .doc = "The items of the first iterable, then those of the second, and so on.",
    .flags = kTypeBase,
    .size = sizeof(Chain),
    .gc = GcHooksOf<Chain>(),
    .slots = {.iter = IterSelf, .next = chain_next, .new_ = chain_new},
    .methods = kChainMethods,
};
const TypeSpec kCompressType = {
    .name = "itertools.compress",
    .doc = "The items of data whose selector is true; the shorter of both ends it.",
    .flags = kTypeBase,
    .size = sizeof(Compress),
    .gc = GcHooksOf<Compress>(),
    .slots = {.iter = IterSelf, .next = compress_next},
    .construct = {"compress(data, selectors)", compress_new},
    .methods = kCompressMethods,
};
const TypeSpec kDropwhileType = {
    .name = "itertools.dropwhile",
    .doc = "What is left from the first item on for which predicate(item) is false.",
    .flags = kTypeBase,
    .size = sizeof(Filtering),
    .gc = GcHooksOf<Filtering>(),
    .slots = {.iter = IterSelf, .next = dropwhile_next},
    .construct = {"dropwhile(predicate, iterable, /)", filtering_new},
    .methods = kFilteringMethods,
};
const TypeSpec kFilterfalseType = {
    .name = "itertools.filterfalse",
    .doc =
        "The items that function(item) says no to; those that are false themselves if function is "
        "None.",
    .flags = kTypeBase,
    .size = sizeof(Filtering),
    .gc = GcHooksOf<Filtering>(),
    .slots = {.iter = IterSelf, .next = filterfalse_next},
    .construct = {"filterfalse(function, iterable, /)", filtering_new},
    .methods = kMappingMethods,
};
const TypeSpec kIsliceType = {
    .name = "itertools.islice",
    .doc =
        "islice(iterable, stop) or islice(iterable, start, stop, step=1): the items in a range of "
        "positions, none negative.",
    .flags = kTypeBase,
    .size = sizeof(Islice),
    .gc = GcHooksOf<Islice>(),
    .slots = {.iter = IterSelf, .next = islice_next, .new_ = islice_new},
    .methods = kIsliceMethods,
};
const TypeSpec kStarmapType = {
    .name = "itertools.starmap",
    .doc = "function(*item) for each item.",
    .flags = kTypeBase,
    .size = sizeof(Filtering),
    .gc = GcHooksOf<Filtering>(),
    .slots = {.iter = IterSelf, .next = starmap_next},
    .construct = {"starmap(function, iterable, /)", filtering_new},
    .methods = kMappingMethods,
};
const TypeSpec kTakewhileType = {
    .name = "itertools.takewhile",
    .doc = "The items before the first for which predicate(item) is false.",
    .flags = kTypeBase,
    .size = sizeof(Filtering),
    .gc = GcHooksOf<Filtering>(),
    .slots = {.iter = IterSelf, .next = takewhile_next},
    .construct = {"takewhile(predicate, iterable, /)", filtering_new},
    .methods = kFilteringMethods,
};

}  // namespace minivm::itertools
