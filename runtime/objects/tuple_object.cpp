// tuple and its iterator.
#include "runtime/objects/tuple_object.h"

#include <algorithm>

#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/slice_object.h"
#include "runtime/support/hash.h"

namespace minivm {

Result<TupleObject> NewTupleRaw(ThreadState& ts, size_t size) {
  if (size > UINT32_MAX) return RaiseMemoryError(ts);
  MVM_TRY(Ref<TupleObject> t,
          AllocObject<TupleObject>(ts, ShapeIdOf(TypeId::kTuple),
                                   sizeof(TupleObject) + size * sizeof(Value), true));
  t->aux = static_cast<uint32_t>(size);
  std::fill_n(t->items(), size, Value());
  return t;
}

Result<TupleObject> NewTuple(ThreadState& ts, std::span<const Value> items) {
  if (items.empty()) return Ref<TupleObject>::Borrow(ts.rt->empty_tuple->as<TupleObject>());
  if (items.size() > UINT32_MAX) return RaiseMemoryError(ts);
  MVM_TRY(Ref<TupleObject> t,
          AllocObject<TupleObject>(ts, ShapeIdOf(TypeId::kTuple),
                                   sizeof(TupleObject) + items.size() * sizeof(Value), true));
  t->aux = static_cast<uint32_t>(items.size());
  Value* out = t->items();
  for (size_t i = 0; i < items.size(); ++i) {
    Incref(items[i]);
    out[i] = items[i];
  }
  Track(t);
  return t;
}

Result<TupleObject> NewTupleSteal(ThreadState& ts, Value* items, size_t size) {
  if (size == 0) return Ref<TupleObject>::Borrow(ts.rt->empty_tuple->as<TupleObject>());
  Result<TupleObject> made = kRaised;
  if (MVM_LIKELY(size <= UINT32_MAX)) {
    made = AllocObject<TupleObject>(ts, ShapeIdOf(TypeId::kTuple),
                                    sizeof(TupleObject) + size * sizeof(Value), true);
  } else {
    RaiseMemoryError(ts);
  }
  if (MVM_UNLIKELY(made.raised())) {
    for (size_t i = 0; i < size; ++i) Decref(items[i]);
    return kRaised;
  }
  TupleObject* t = made.word();
  t->aux = static_cast<uint32_t>(size);
  for (size_t i = 0; i < size; ++i) t->items()[i] = items[i];
  Track(t);
  return made;
}

Result<> PairAgain(ThreadState& ts, TupleObject** last, Ref<> first, Ref<> second) {
  if (*last == nullptr || (*last)->refcount != 1) {
    const Value items[] = {first, second};
    MVM_TRY(Ref<TupleObject> made, NewTuple(ts, items));
    const Ref<TupleObject> old =
        Ref<TupleObject>::Steal(std::exchange(*last, Ref<TupleObject>(made).Release()));
    return made;
  }
  TupleObject* pair = *last;
  ++pair->refcount;
  const Ref<> old_first = Ref<>::Steal(std::exchange(pair->items()[0], first.Release()));
  const Ref<> old_second = Ref<>::Steal(std::exchange(pair->items()[1], second.Release()));
  Track(pair);  // a collection may have found it harmless as it was
  return Result<>::Steal(Value(pair));
}

namespace {

struct Items {
  TupleObject* t;
  size_t size() const { return t->size(); }
  Value item(size_t i) const { return (*t)[i]; }
};

Items ItemsOf(Value v) { return {v.as<TupleObject>()}; }

// An exact tuple of `count` items start, start + step, ...
Result<> Pick(ThreadState& ts, TupleObject* t, int64_t start, int64_t step, int64_t count) {
  if (count == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  if (step == 1) return NewTuple(ts, {t->items() + start, static_cast<size_t>(count)});
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, static_cast<size_t>(count)));
  for (int64_t i = 0; i < count; ++i)
    result->items()[i] = Ref<>::Borrow((*t)[start + i * step]).Release();
  Track(result);
  return result;
}

Result<> tuple_new(ThreadState& ts, Args args) {
  TypeObject* cls = args.self<TypeObject>();
  MVM_TRY(Ref<TupleObject> items, args.has(1) ? TupleFrom(ts, args[1]) : NewTuple(ts, {}));
  if (cls == TypeById(ts, TypeId::kTuple)) return items;
  MVM_TRY(Ref<> made, AllocInstance(ts, cls, items->size()));
  TupleObject* t = made.as<TupleObject>();
  t->aux = items->size();
  for (uint32_t i = 0; i < items->size(); ++i) t->items()[i] = Ref<>::Borrow((*items)[i]).Release();
  return made;
}

Result<> tuple_repr(ThreadState& ts, Value self) {
  return SequenceRepr(ts, self.object(), ItemsOf(self), "(", ")", ",)", "(...)");
}

Result<int64_t> tuple_hash(ThreadState& ts, Value self) {
  const TupleObject* t = self.as<TupleObject>();
  RecursionGuard guard(ts, " while hashing an object");
  if (!guard) return kRaised;
  TupleHash hash;
  for (const Value item : t->span()) {
    if (item.is_int()) {
      hash.Add(HashInt64(item.as_int()));
      continue;
    }
    MVM_TRY(int64_t h, Hash(ts, item));
    hash.Add(h);
  }
  return hash.Finish(t->size());
}

Result<> tuple_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsTuple(ts, a) || !IsTuple(ts, b)) return NotImplemented(ts);
  return CompareSequences(ts, ItemsOf(a), ItemsOf(b), op);
}

Result<> tuple_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<TupleIterator> it, New<TupleIterator>(ts, TypeId::kTupleIterator));
  it->tuple = Ref<TupleObject>::Borrow(self.as<TupleObject>()).Release();
  Track(it);
  return it;
}

Result<int64_t> tuple_len(ThreadState&, Value self) {
  return int64_t{self.as<TupleObject>()->size()};
}

Result<> tuple_get_item(ThreadState& ts, Value self, Value key) {
  TupleObject* t = self.as<TupleObject>();
  if (HasIndex(ts, key)) {
    MVM_TRY(int64_t i, SubscriptIndex(ts, key));
    if (i < 0) i += t->size();
    if (MVM_UNLIKELY(static_cast<uint64_t>(i) >= t->size())) {
      return Raise(ts, Exc::kIndexError, "tuple index out of range");
    }
    return Result<>::Borrow((*t)[static_cast<size_t>(i)]);
  }
  if (!IsExact(key, TypeId::kSlice)) {
    return Raise(ts, Exc::kTypeError, "tuple indices must be integers or slices, not %T", key);
  }
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
  const int64_t count = SliceAdjust(t->size(), &start, &stop, step);
  if (count == t->size() && step == 1 && IsExact(self, TypeId::kTuple))
    return Result<>::Borrow(self);
  return Pick(ts, t, start, step, count);
}

Result<bool> tuple_contains(ThreadState& ts, Value self, Value item) {
  return SequenceContains(ts, ItemsOf(self), item);
}

Result<> tuple_concat(ThreadState& ts, Value a, Value b) {
  if (!IsTuple(ts, b)) {
    return Raise(ts, Exc::kTypeError, "can only concatenate tuple (not \"%T\") to tuple", b);
  }
  TupleObject *x = a.as<TupleObject>(), *y = b.as<TupleObject>();
  if (x->size() == 0 && IsExact(b, TypeId::kTuple)) return Result<>::Borrow(b);
  if (y->size() == 0 && IsExact(a, TypeId::kTuple)) return Result<>::Borrow(a);
  const size_t size = size_t{x->size()} + y->size();
  if (size == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, size));
  Value* out = result->items();
  for (const Value item : x->span()) *out++ = Ref<>::Borrow(item).Release();
  for (const Value item : y->span()) *out++ = Ref<>::Borrow(item).Release();
  Track(result);
  return result;
}

Result<> tuple_repeat(ThreadState& ts, Value self, int64_t count) {
  TupleObject* t = self.as<TupleObject>();
  if (t->size() == 0 || count <= 0) {
    if (t->size() == 0 && IsExact(self, TypeId::kTuple)) return Result<>::Borrow(self);
    return Result<>::Borrow(ts.rt->empty_tuple);
  }
  if (count == 1 && IsExact(self, TypeId::kTuple)) return Result<>::Borrow(self);
  size_t size;
  if (__builtin_mul_overflow(size_t{t->size()}, static_cast<size_t>(count), &size) ||
      size > UINT32_MAX) {
    return RaiseMemoryError(ts);
  }
  MVM_TRY_VOID(CheckRoom(ts, size * sizeof(Value)));
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, size));
  Value* out = result->items();
  for (const Value item : t->span()) {
    if (item.is_object()) item.object()->refcount += static_cast<uint32_t>(count);
  }
  for (int64_t n = 0; n < count; ++n, out += t->size()) std::copy_n(t->items(), t->size(), out);
  Track(result);
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(size / 8)));
  return result;
}

Result<> tuple_count(ThreadState& ts, Args args) {
  return SequenceCount(ts, ItemsOf(args[0]), args[1]);
}

Result<> tuple_index(ThreadState& ts, Args args) {
  MVM_TRY(int64_t start, SliceBoundArgument(ts, args[2]));
  MVM_TRY(int64_t stop, args.has(3) ? SliceBoundArgument(ts, args[3]) : Result<int64_t>(INT64_MAX));
  MVM_TRY(int64_t i, SequenceFind(ts, ItemsOf(args[0]), args[1], start, stop));
  if (i < 0) return Raise(ts, Exc::kValueError, "tuple.index(x): x not in tuple");
  return Small(i);
}

Result<> tuple_getnewargs(ThreadState& ts, Args args) {
  TupleObject* t = args.self<TupleObject>();
  MVM_TRY(Ref<TupleObject> copy, NewTuple(ts, t->span()));
  Value arg[] = {copy};
  return NewTuple(ts, arg);
}

const MethodSpec kTupleMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"__getnewargs__(self, /)", tuple_getnewargs},
    {"count(self, value, /)", tuple_count, "How many items equal value."},
    {"index(self, value, start=0, stop=9223372036854775807, /)", tuple_index,
     "The first position in [start, stop) with an item equal to value, or ValueError."},
};

// ---- iterator ----

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_next(ThreadState&, Value self) {
  TupleIterator* it = self.as<TupleIterator>();
  TupleObject* t = it->tuple;
  if (!t) return Result<>::Done();
  if (it->index < t->size()) return Result<>::Borrow((*t)[it->index++]);
  it->tuple = nullptr;
  Decref(t);
  return Result<>::Done();
}

Result<> iter_length_hint(ThreadState& ts, Args args) {
  const TupleIterator* it = args.self<TupleIterator>();
  return Small(it->tuple ? static_cast<int64_t>(it->tuple->size() - it->index) : 0);
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const TupleIterator* it = args.self<TupleIterator>();
  const Ref<TupleObject> tuple =
      Ref<TupleObject>::Borrow(it->tuple ? it->tuple : ts.rt->empty_tuple->as<TupleObject>());
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  Value arg[] = {tuple};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  if (!it->tuple) {
    Value state[] = {iter, call_args};
    return NewTuple(ts, state);
  }
  Value state[] = {iter, call_args, Value::Int(static_cast<int64_t>(it->index))};
  return NewTuple(ts, state);
}

Result<> iter_setstate(ThreadState& ts, Args args) {
  TupleIterator* it = args.self<TupleIterator>();
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (it->tuple) {
    it->index = static_cast<uint64_t>(std::clamp<int64_t>(i, 0, it->tuple->size()));
  }
  return None(ts);
}

const MethodSpec kIteratorMethods[] = {
    {"__length_hint__(self, /)", iter_length_hint, "How many items are left, as far as is known."},
    {"__reduce__(self, /)", iter_reduce, "What pickle and copy need to make the object again."},
    {"__setstate__(self, object, /)", iter_setstate, "Takes over a state that __reduce__() gave."},
};

// The last item goes first, as scripts can tell by finalizers.
void tuple_destroy(Heap& heap, Object* self) {
  TupleObject* tuple = static_cast<TupleObject*>(self);
  for (uint32_t i = tuple->size(); i-- > 0;) {
    Value old = std::exchange(tuple->items()[i], Value());
    Decref(old);
  }
}

}  // namespace

const TypeSpec kTupleType = {
    .name = "tuple",
    .doc =
        "An immutable sequence: empty, or of the items of the iterable.\n\n"
        "A tuple as the argument is given back itself.",
    .flags = kTypeBase | kTypeTupleSubclass | kTypeSequence | kTypeMatchSelf,
    .size = sizeof(TupleObject),
    .item_size = sizeof(Value),
    // Never changed after construction: cycles through tuples are broken elsewhere.
    .gc = {gc_internal::VisitHook<TupleObject>, nullptr, tuple_destroy},
    .slots = {.repr = tuple_repr,
              .hash = tuple_hash,
              .compare = tuple_compare,
              .iter = tuple_iter,
              .len = tuple_len,
              .get_item = tuple_get_item,
              .contains = tuple_contains,
              .concat = tuple_concat,
              .repeat = tuple_repeat},
    .construct = {"tuple(iterable=<unrepresentable>, /)", tuple_new},
    .methods = kTupleMethods,
};

const TypeSpec kTupleIteratorType = {
    .name = "tuple_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(TupleIterator),
    .gc = {gc_internal::VisitHook<TupleIterator>, nullptr, gc_internal::DestroyHook<TupleIterator>},
    .slots = {.iter = iter_self, .next = iter_next},
    .methods = kIteratorMethods,
};

}  // namespace minivm
