// enumerate, zip, map, filter, reversed, and the iterators of iter(callable, sentinel) and of
// objects that have only __getitem__.
#include "runtime/objects/functional.h"

#include <algorithm>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "runtime/support/small_vector.h"

namespace minivm {

Result<> BuiltinByName(ThreadState& ts, std::string_view name) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  const Ref<> builtins =
      Ref<>::Borrow(ts.rt->hooks.current_builtins ? ts.rt->hooks.current_builtins(ts)
                                                  : Value(ts.rt->builtins_dict));
  if (builtins && IsDict(ts, builtins)) {
    MVM_TRY(Ref<> found, DictGet(ts, builtins.as<DictObject>(), key));
    if (!found.is_absent()) return found;
  } else if (builtins) {
    Result<> found = GetItem(ts, builtins, key);
    if (!found.raised()) return found;
    if (!ClearPendingIf(ts, Exc::kKeyError)) return kRaised;
  }
  return RaiseValue(ts, Exc::kAttributeError, key);
}

namespace {

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

// Instance of `cls`, which is the built-in type `id` or derived from it.
template <class T>
Result<T> Make(ThreadState& ts, TypeObject* cls, TypeId id) {
  if (MVM_LIKELY(cls == TypeById(ts, id))) return New<T>(ts, id);
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  return std::move(made).Into<T>();
}

template <class... Items>
Result<> Pack(ThreadState& ts, Items... items) {
  Value values[] = {Value(items)...};
  return NewTuple(ts, values);
}

// Every item of the iterables, turned into iterators.
Result<TupleObject> Iterators(ThreadState& ts, const Value* iterables, uint32_t n) {
  if (n == 0) return NewTuple(ts, {});
  MVM_TRY(Ref<TupleObject> iterators, NewTupleRaw(ts, n));
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> it, GetIter(ts, iterables[i]));
    iterators->items()[i] = it.Release();
  }
  Track(iterators);
  return iterators;
}

Raised NoKeywords(ThreadState& ts, const char* name) {
  return Raise(ts, Exc::kTypeError, "%s() takes no keyword arguments", name);
}

// ---- enumerate ----

Result<> enumerate_new(ThreadState& ts, TypeObject* cls, Args raw) {
  Value iterable = raw.n > 0 ? raw[0] : Value();
  Value start = raw.n > 1 ? raw[1] : Value();
  if (raw.n + raw.nkw > 2) {
    return Raise(ts, Exc::kTypeError, "enumerate() takes at most 2 arguments (%u given)",
                 raw.n + raw.nkw);
  }
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    const Value name = (*raw.v[raw.n + raw.nkw].as<TupleObject>())[i];
    const StrObject* text = name.as<StrObject>();
    Value* place = text->EqualsAscii("iterable") ? &iterable
                   : text->EqualsAscii("start")  ? &start
                                                 : nullptr;
    if (!place || *place) {
      return Raise(ts, Exc::kTypeError, "'%U' is an invalid keyword argument for enumerate()",
                   name);
    }
    *place = raw.v[raw.n + i];
  }
  if (!iterable)
    return Raise(ts, Exc::kTypeError, "enumerate() missing required argument 'iterable'");
  Ref<> count = Ref<>::Steal(Value::Int(0));
  if (start) {
    MVM_TRY(count, Index(ts, start));
  }
  MVM_TRY(Ref<> iterator, GetIter(ts, iterable));
  MVM_TRY(Ref<EnumerateObject> e, Make<EnumerateObject>(ts, cls, TypeId::kEnumerate));
  e->iterator = iterator.Release();
  e->count = count.Release();
  Track(e);
  return e;
}

Result<> enumerate_next(ThreadState& ts, Value self) {
  EnumerateObject* e = self.as<EnumerateObject>();
  MVM_TRY(Ref<> item, Next(ts, e->iterator));
  if (item.is_done()) return Result<>::Done();
  Ref<> count = Ref<>::Borrow(e->count);
  Ref<> next;
  if (MVM_LIKELY(count.is_int() && count.value().as_int() < Value::kMaxInt)) {
    next = Ref<>::Steal(Value::Int(count.value().as_int() + 1));
  } else {
    MVM_TRY(next, IntAdd(ts, count, Value::Int(1)));
  }
  const Ref<> old = Ref<>::Steal(std::exchange(e->count, next.Release()));
  return PairAgain(ts, &e->last, std::move(count), std::move(item));
}

Result<> enumerate_reduce(ThreadState& ts, Args args) {
  const EnumerateObject* e = args.self<EnumerateObject>();
  MVM_TRY(Ref<> call_args, Pack(ts, e->iterator, e->count));
  return Pack(ts, TypeOf(ts, args[0]), call_args);
}

const MethodSpec kEnumerateMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"__reduce__(self, /)", enumerate_reduce,
     "What pickle and copy need to make the object again."},
};

// ---- zip ----

Result<> zip_new(ThreadState& ts, TypeObject* cls, Args raw) {
  bool strict = false;
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    const Value name = (*raw.v[raw.n + raw.nkw].as<TupleObject>())[i];
    if (!name.as<StrObject>()->EqualsAscii("strict")) {
      return Raise(ts, Exc::kTypeError, "zip() got an unexpected keyword argument '%U'", name);
    }
    MVM_TRY(strict, Truth(ts, raw.v[raw.n + i]));
  }
  MVM_TRY(Ref<TupleObject> iterators, Iterators(ts, raw.v, raw.n));
  MVM_TRY(Ref<ZipObject> z, Make<ZipObject>(ts, cls, TypeId::kZip));
  z->iterators = iterators.Release();
  z->strict = strict;
  Track(z);
  return z;
}

// The iterator at `ended` is the first to end in a strict zip: are the others at their end, too?
Result<> CheckStrict(ThreadState& ts, TupleObject* iterators, uint32_t ended) {
  if (ended > 0) {
    const char* plural = ended == 1 ? " " : "s 1-";
    return Raise(ts, Exc::kValueError, "zip() argument %u is shorter than argument%s%u", ended + 1,
                 plural, ended);
  }
  for (uint32_t i = 1; i < iterators->size(); ++i) {
    MVM_TRY(Ref<> item, Next(ts, (*iterators)[i]));
    if (item.is_done()) continue;
    const char* plural = i == 1 ? " " : "s 1-";
    return Raise(ts, Exc::kValueError, "zip() argument %u is longer than argument%s%u", i + 1,
                 plural, i);
  }
  return Result<>::Done();
}

Result<> zip_next(ThreadState& ts, Value self) {
  ZipObject* z = self.as<ZipObject>();
  TupleObject* iterators = z->iterators;
  const uint32_t n = iterators->size();
  if (n == 0) return Result<>::Done();
  if (TupleObject* last = z->last; last && last->refcount == 1) {
    // Nobody else holds the tuple handed out last. Kept alive and away from a nested call.
    Ref<TupleObject> reused = Ref<TupleObject>::Steal(std::exchange(z->last, nullptr));
    for (uint32_t i = 0; i < n; ++i) {
      MVM_TRY(Ref<> item, Next(ts, (*iterators)[i]));
      if (item.is_done()) return z->strict ? CheckStrict(ts, iterators, i) : Result<>::Done();
      const Value old = std::exchange(reused->items()[i], item.Release());
      Decref(old);
    }
    Track(reused);  // a collection may have found it harmless as it was
    if (!z->last) z->last = Ref<TupleObject>(reused).Release();
    return reused;
  }
  MVM_TRY(Ref<TupleObject> made, NewTupleRaw(ts, n));
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> item, Next(ts, (*iterators)[i]));
    if (item.is_done()) return z->strict ? CheckStrict(ts, iterators, i) : Result<>::Done();
    made->items()[i] = item.Release();
  }
  Track(made);
  const Ref<TupleObject> old =
      Ref<TupleObject>::Steal(std::exchange(z->last, Ref<TupleObject>(made).Release()));
  return made;
}

Result<> zip_reduce(ThreadState& ts, Args args) {
  const ZipObject* z = args.self<ZipObject>();
  if (z->strict) return Pack(ts, TypeOf(ts, args[0]), z->iterators, ts.rt->true_);
  return Pack(ts, TypeOf(ts, args[0]), z->iterators);
}

Result<> zip_setstate(ThreadState& ts, Args args) {
  MVM_TRY(bool strict, Truth(ts, args[1]));
  args.self<ZipObject>()->strict = strict;
  return None(ts);
}

const MethodSpec kZipMethods[] = {
    {"__reduce__(self, /)", zip_reduce, "What pickle and copy need to make the object again."},
    {"__setstate__(self, object, /)", zip_setstate, "Takes over a state that __reduce__() gave."},
};

// ---- map ----

Result<> map_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw > 0 && cls->slots.init == TypeById(ts, TypeId::kMap)->slots.init)
    return NoKeywords(ts, "map");
  if (raw.n < 2) return Raise(ts, Exc::kTypeError, "map() must have at least two arguments.");
  MVM_TRY(Ref<TupleObject> iterators, Iterators(ts, raw.v + 1, raw.n - 1));
  MVM_TRY(Ref<MapObject> m, Make<MapObject>(ts, cls, TypeId::kMap));
  m->function = Ref<>::Borrow(raw[0]).Release();
  m->iterators = iterators.Release();
  Track(m);
  return m;
}

Result<> map_next(ThreadState& ts, Value self) {
  MapObject* m = self.as<MapObject>();
  TupleObject* iterators = m->iterators;
  if (MVM_LIKELY(iterators->size() == 1)) {
    MVM_TRY(Ref<> item, Next(ts, (*iterators)[0]));
    if (item.is_done()) return Result<>::Done();
    return Call(ts, m->function, item);
  }
  MVM_TRY(Ref<TupleObject> items, NewTupleRaw(ts, iterators->size()));
  for (uint32_t i = 0; i < iterators->size(); ++i) {
    MVM_TRY(Ref<> item, Next(ts, (*iterators)[i]));
    if (item.is_done()) return Result<>::Done();
    items->items()[i] = item.Release();
  }
  return Call(ts, m->function, items->span());
}

Result<> map_reduce(ThreadState& ts, Args args) {
  MapObject* m = args.self<MapObject>();
  MVM_TRY(Ref<TupleObject> call_args, NewTupleRaw(ts, m->iterators->size() + 1));
  call_args->items()[0] = Ref<>::Borrow(m->function).Release();
  for (uint32_t i = 0; i < m->iterators->size(); ++i) {
    call_args->items()[i + 1] = Ref<>::Borrow((*m->iterators)[i]).Release();
  }
  Track(call_args);
  return Pack(ts, TypeOf(ts, args[0]), call_args);
}

const MethodSpec kMapMethods[] = {
    {"__reduce__(self, /)", map_reduce, "What pickle and copy need to make the object again."}};

// ---- filter ----

Result<> filter_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw > 0 && cls->slots.init == TypeById(ts, TypeId::kFilter)->slots.init)
    return NoKeywords(ts, "filter");
  if (raw.n != 2) return Raise(ts, Exc::kTypeError, "filter expected 2 arguments, got %u", raw.n);
  MVM_TRY(Ref<> iterator, GetIter(ts, raw[1]));
  MVM_TRY(Ref<FilterObject> f, Make<FilterObject>(ts, cls, TypeId::kFilter));
  f->function = Ref<>::Borrow(raw[0]).Release();
  f->iterator = iterator.Release();
  Track(f);
  return f;
}

Result<> filter_next(ThreadState& ts, Value self) {
  FilterObject* f = self.as<FilterObject>();
  const bool by_truth = IsNone(ts, f->function) || f->function.is(TypeById(ts, TypeId::kBool));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, f->iterator));
    if (item.is_done()) return Result<>::Done();
    bool keep;
    if (by_truth) {
      MVM_TRY(keep, Truth(ts, item));
    } else {
      MVM_TRY(Ref<> answer, Call(ts, f->function, item));
      MVM_TRY(keep, Truth(ts, answer));
    }
    if (keep) return item;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> filter_reduce(ThreadState& ts, Args args) {
  const FilterObject* f = args.self<FilterObject>();
  MVM_TRY(Ref<> call_args, Pack(ts, f->function, f->iterator));
  return Pack(ts, TypeOf(ts, args[0]), call_args);
}

const MethodSpec kFilterMethods[] = {
    {"__reduce__(self, /)", filter_reduce, "What pickle and copy need to make the object again."}};

// ---- reversed ----

Result<> ReversedOf(ThreadState& ts, TypeObject* cls, Value v) {
  MVM_TRY(Ref<> method, LookupSpecial(ts, v, MVM_NAME(ts, __reversed__)));
  if (!method.is_absent()) {
    if (IsNone(ts, method)) return Raise(ts, Exc::kTypeError, "'%T' object is not reversible", v);
    return Call(ts, method);
  }
  const CoreSlots* slots = SlotsOf(ts, v);
  if (!slots) return kRaised;
  const TypeObject* type = TypeOf(ts, v);
  if (!slots->get_item || IsDict(ts, v) ||
      !(type->is_heap() || type->has_flag(kTypeSequence) || slots->len)) {
    return Raise(ts, Exc::kTypeError, "'%T' object is not reversible", v);
  }
  MVM_TRY(int64_t length, Length(ts, v));
  MVM_TRY(Ref<ReversedObject> r, Make<ReversedObject>(ts, cls, TypeId::kReversed));
  r->sequence = Ref<>::Borrow(v).Release();
  r->index = length - 1;
  Track(r);
  return r;
}

Result<> reversed_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw > 0 && cls->slots.init == TypeById(ts, TypeId::kReversed)->slots.init)
    return NoKeywords(ts, "reversed");
  if (raw.n != 1) return Raise(ts, Exc::kTypeError, "reversed expected 1 argument, got %u", raw.n);
  return ReversedOf(ts, cls, raw[0]);
}

// Did indexing fail because the sequence is over?
bool IsEndOfSequence(ThreadState& ts) {
  return ClearPendingIf(ts, Exc::kIndexError) || ClearPendingIf(ts, Exc::kStopIteration);
}

Result<> reversed_next(ThreadState& ts, Value self) {
  ReversedObject* r = self.as<ReversedObject>();
  if (r->index >= 0 && r->sequence) {
    const Ref<> sequence = Ref<>::Borrow(r->sequence);
    Result<> item = GetIndex(ts, sequence, r->index);
    if (!item.raised()) {
      --r->index;
      return item;
    }
    if (!IsEndOfSequence(ts)) return kRaised;
  }
  r->index = -1;
  const Ref<> dropped = Ref<>::Steal(std::exchange(r->sequence, Value()));
  return Result<>::Done();
}

Result<> reversed_length_hint(ThreadState& ts, Args args) {
  const ReversedObject* r = args.self<ReversedObject>();
  if (!r->sequence) return Small(0);
  const Ref<> sequence = Ref<>::Borrow(r->sequence);
  MVM_TRY(int64_t length, Length(ts, sequence));
  const int64_t left = r->index + 1;
  return Small(length < left ? 0 : left);
}

Result<> reversed_reduce(ThreadState& ts, Args args) {
  const ReversedObject* r = args.self<ReversedObject>();
  if (!r->sequence) {
    MVM_TRY(Ref<> empty, Pack(ts, ts.rt->empty_tuple));
    return Pack(ts, TypeOf(ts, args[0]), empty);
  }
  MVM_TRY(Ref<> call_args, Pack(ts, r->sequence));
  return Pack(ts, TypeOf(ts, args[0]), call_args, Value::Int(r->index));
}

Result<> reversed_setstate(ThreadState& ts, Args args) {
  ReversedObject* r = args.self<ReversedObject>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (r->sequence) {
    const Ref<> sequence = Ref<>::Borrow(r->sequence);
    MVM_TRY(int64_t length, Length(ts, sequence));
    r->index = std::clamp<int64_t>(i, -1, length - 1);
  }
  return None(ts);
}

constexpr const char* kHintDoc = "How many items are left, as far as is known.";
constexpr const char* kReduceDoc = "What pickle and copy need to make the object again.";
constexpr const char* kSetStateDoc = "Takes over a state that __reduce__() gave.";
const MethodSpec kReversedMethods[] = {
    {"__length_hint__(self, /)", reversed_length_hint, kHintDoc},
    {"__reduce__(self, /)", reversed_reduce, kReduceDoc},
    {"__setstate__(self, object, /)", reversed_setstate, kSetStateDoc},
};

// ---- iter(sequence) ----

Result<> sequence_next(ThreadState& ts, Value self) {
  SequenceIterator* it = self.as<SequenceIterator>();
  if (!it->sequence) return Result<>::Done();
  if (it->index == INT64_MAX) return Raise(ts, Exc::kOverflowError, "iter index too large");
  const Ref<> sequence = Ref<>::Borrow(it->sequence);
  Result<> item = GetIndex(ts, sequence, it->index);
  if (!item.raised()) {
    ++it->index;
    return item;
  }
  if (!IsEndOfSequence(ts)) return kRaised;
  const Ref<> dropped = Ref<>::Steal(std::exchange(it->sequence, Value()));
  return Result<>::Done();
}

Result<> sequence_length_hint(ThreadState& ts, Args args) {
  const SequenceIterator* it = args.self<SequenceIterator>();
  if (!it->sequence) return Small(0);
  const Ref<> sequence = Ref<>::Borrow(it->sequence);
  const CoreSlots* slots = SlotsOf(ts, sequence);
  if (!slots) return kRaised;
  if (!slots->len) return NotImplemented(ts);
  MVM_TRY(int64_t length, Length(ts, sequence));
  return Small(std::max<int64_t>(length - it->index, 0));
}

Result<> sequence_reduce(ThreadState& ts, Args args) {
  const SequenceIterator* it = args.self<SequenceIterator>();
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  if (!it->sequence) {
    MVM_TRY(Ref<> empty, Pack(ts, ts.rt->empty_tuple));
    return Pack(ts, iter, empty);
  }
  MVM_TRY(Ref<> call_args, Pack(ts, it->sequence));
  return Pack(ts, iter, call_args, Value::Int(it->index));
}

Result<> sequence_setstate(ThreadState& ts, Args args) {
  SequenceIterator* it = args.self<SequenceIterator>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (it->sequence) it->index = std::max<int64_t>(i, 0);
  return None(ts);
}

const MethodSpec kSequenceIteratorMethods[] = {
    {"__length_hint__(self, /)", sequence_length_hint, kHintDoc},
    {"__reduce__(self, /)", sequence_reduce, kReduceDoc},
    {"__setstate__(self, object, /)", sequence_setstate, kSetStateDoc},
};

// ---- iter(callable, sentinel) ----

Result<> callable_next(ThreadState& ts, Value self) {
  CallableIterator* it = self.as<CallableIterator>();
  if (!it->callable) return Result<>::Done();
  const Ref<> callable = Ref<>::Borrow(it->callable), sentinel = Ref<>::Borrow(it->sentinel);
  Result<> called = Call(ts, callable);
  if (!called.raised()) {
    Ref<> item = called.Take();
    if (!it->callable) return Result<>::Done();  // a nested call has come to the end
    MVM_TRY(bool ended, EqualValues(ts, sentinel, item));
    if (!ended) return item;
  } else if (!ClearPendingIf(ts, Exc::kStopIteration)) {
    return kRaised;
  }
  const Ref<> old_callable = Ref<>::Steal(std::exchange(it->callable, Value()));
  const Ref<> old_sentinel = Ref<>::Steal(std::exchange(it->sentinel, Value()));
  return Result<>::Done();
}

Result<> callable_reduce(ThreadState& ts, Args args) {
  const CallableIterator* it = args.self<CallableIterator>();
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  if (!it->callable) {
    MVM_TRY(Ref<> empty, Pack(ts, ts.rt->empty_tuple));
    return Pack(ts, iter, empty);
  }
  MVM_TRY(Ref<> call_args, Pack(ts, it->callable, it->sentinel));
  return Pack(ts, iter, call_args);
}

const MethodSpec kCallableIteratorMethods[] = {
    {"__reduce__(self, /)", callable_reduce, kReduceDoc}};

// Nothing of these changes after construction but to be dropped: cycles are broken elsewhere.
template <class T>
constexpr GcHooks FixedHooks() {
  return {gc_internal::VisitHook<T>, nullptr, gc_internal::DestroyHook<T>};
}

}  // namespace

Result<> NewReversed(ThreadState& ts, Value v) {
  return ReversedOf(ts, TypeById(ts, TypeId::kReversed), v);
}

Result<> NewCallableIterator(ThreadState& ts, Value callable, Value sentinel) {
  MVM_TRY(Ref<CallableIterator> it, New<CallableIterator>(ts, TypeId::kCallableIterator));
  it->callable = Ref<>::Borrow(callable).Release();
  it->sentinel = Ref<>::Borrow(sentinel).Release();
  Track(it);
  return it;
}

Result<> NewSequenceIterator(ThreadState& ts, Value sequence) {
  MVM_TRY(Ref<SequenceIterator> it, New<SequenceIterator>(ts, TypeId::kSequenceIterator));
  it->sequence = Ref<>::Borrow(sequence).Release();
  Track(it);
  return it;
}

const TypeSpec kEnumerateType = {
    .name = "enumerate",
    .doc = "An iterator over the pairs (number, item), numbered from start.",
    .flags = kTypeBase,
    .size = sizeof(EnumerateObject),
    .gc = FixedHooks<EnumerateObject>(),
    .slots = {.iter = iter_self, .next = enumerate_next, .new_ = enumerate_new},
    .methods = kEnumerateMethods,
};

const TypeSpec kZipType = {
    .name = "zip",
    .doc =
        "An iterator over tuples of one item from each iterable, up to the end of the shortest.\n\n"
        "With strict, iterables of different lengths are a ValueError.",
    .flags = kTypeBase,
    .size = sizeof(ZipObject),
    .gc = FixedHooks<ZipObject>(),
    .slots = {.iter = iter_self, .next = zip_next, .new_ = zip_new},
    .methods = kZipMethods,
};

const TypeSpec kMapType = {
    .name = "map",
    .doc =
        "An iterator over function(item), or function(a, b, ...) with items of several iterables.",
    .flags = kTypeBase,
    .size = sizeof(MapObject),
    .gc = FixedHooks<MapObject>(),
    .slots = {.iter = iter_self, .next = map_next, .new_ = map_new},
    .methods = kMapMethods,
};

const TypeSpec kFilterType = {
    .name = "filter",
    .doc = "An iterator over the items that function accepts; with None, over the true ones.",
    .flags = kTypeBase,
    .size = sizeof(FilterObject),
    .gc = FixedHooks<FilterObject>(),
    .slots = {.iter = iter_self, .next = filter_next, .new_ = filter_new},
    .methods = kFilterMethods,
};

const TypeSpec kReversedType = {
    .name = "reversed",
    .doc =
        "An iterator from the last item to the first; needs __reversed__() or indices and a "
        "length.",
    .flags = kTypeBase,
    .size = sizeof(ReversedObject),
    .gc = FixedHooks<ReversedObject>(),
    .slots = {.iter = iter_self, .next = reversed_next, .new_ = reversed_new},
    .methods = kReversedMethods,
};

const TypeSpec kSequenceIteratorType = {
    .name = "iterator",
    .flags = kTypeNoNew,
    .size = sizeof(SequenceIterator),
    .gc = FixedHooks<SequenceIterator>(),
    .slots = {.iter = iter_self, .next = sequence_next},
    .methods = kSequenceIteratorMethods,
};

const TypeSpec kCallableIteratorType = {
    .name = "callable_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(CallableIterator),
    .gc = FixedHooks<CallableIterator>(),
    .slots = {.iter = iter_self, .next = callable_next},
    .methods = kCallableIteratorMethods,
};

}  // namespace minivm
