// itertools: batched, groupby, pairwise, tee, zip_longest.
#include "stdlib/itertools/itertools_types.h"

namespace minivm::itertools {
namespace {

// ---- batched ----

Result<> batched_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[2]));
  MVM_TRY(bool strict, Truth(ts, args[3]));
  if (n < 1) return Raise(ts, Exc::kValueError, "n must be at least one");
  MVM_TRY(Ref<> iterator, GetIter(ts, args[1]));
  MVM_TRY(Ref<Batched> b, Instance<Batched>(ts, args[0]));
  b->iterator = iterator.Release();
  b->size = n;
  b->strict = strict;
  return b;
}

Result<> batched_next(ThreadState& ts, Value self) {
  Batched* b = self.as<Batched>();
  if (!b->iterator) return Result<>::Done();
  const Ref<> iterator = Ref<>::Borrow(b->iterator);
  // Room for what is asked for, but no more than is likely to come.
  MVM_TRY(Ref<ListObject> items,
          NewListReserve(ts, static_cast<size_t>(b->size < 64 ? b->size : 64)));
  bool ended = false;
  while (static_cast<int64_t>(items->size) < b->size) {
    MVM_TRY(Ref<> item, Next(ts, iterator));
    if (item.is_done()) {
      ended = true;
      break;
    }
    MVM_TRY_VOID(ListAppend(ts, items, item));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  if (ended) {
    Assign(&b->iterator, Value());
    if (items->size == 0) return Result<>::Done();
    if (b->strict) return Raise(ts, Exc::kValueError, "batched(): incomplete batch");
  }
  const uint64_t size = std::exchange(items->size, 0);
  return NewTupleSteal(ts, items->items, size);
}

// ---- pairwise ----

Result<> pairwise_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iterator, GetIter(ts, args[1]));
  MVM_TRY(Ref<Pairwise> p, Instance<Pairwise>(ts, args[0]));
  p->iterator = iterator.Release();
  return p;
}

Result<> pairwise_next(ThreadState& ts, Value self) {
  Pairwise* p = self.as<Pairwise>();
  if (!p->old) {
    MVM_TRY(Ref<> first, NextOf(ts, p->iterator));
    if (first.is_done()) {
      Assign(&p->iterator, Value());
      return Result<>::Done();
    }
    Assign(&p->old, first);
  }
  const Ref<> old = Ref<>::Borrow(p->old);
  MVM_TRY(Ref<> item, NextOf(ts, p->iterator));
  if (item.is_done()) {
    Assign(&p->iterator, Value());
    Assign(&p->old, Value());
    return Result<>::Done();
  }
  Assign(&p->old, item);
  return Pair(ts, old, item);
}

// ---- groupby ----

Result<> groupby_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iterator, GetIter(ts, args[1]));
  MVM_TRY(Ref<Groupby> g, Instance<Groupby>(ts, args[0]));
  g->iterator = iterator.Release();
  if (!IsNone(ts, args[2])) g->key_function = Own(args[2]);
  return g;
}

// Reads the next item and its key; false at the end.
Result<bool> Step(ThreadState& ts, Groupby* g) {
  MVM_TRY(Ref<> item, NextOf(ts, g->iterator));
  if (item.is_done()) return false;
  Ref<> key = item;
  if (g->key_function) {
    MVM_TRY(key, Call(ts, g->key_function, item));
  }
  Assign(&g->current_item, item);
  Assign(&g->current_key, key);
  return true;
}

Result<bool> SameKeys(ThreadState& ts, Value a, Value b) {
  const Ref<> x = Ref<>::Borrow(a), y = Ref<>::Borrow(b);
  return EqualValues(ts, x, y);
}

Result<> groupby_next(ThreadState& ts, Value self) {
  Groupby* g = self.as<Groupby>();
  ++g->group;  // the group before gives nothing more
  for (;;) {
    if (g->current_key) {
      if (!g->target_key) break;
      MVM_TRY(bool same, SameKeys(ts, g->target_key, g->current_key));
      if (!same) break;
    }
    MVM_TRY(bool more, Step(ts, g));
    if (!more) return Result<>::Done();
    MVM_TRY_VOID(Charge(ts, 1));
  }
  const Ref<> key = Ref<>::Borrow(g->current_key);
  Assign(&g->target_key, key);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kGrouperType));
  MVM_TRY(Ref<Grouper> grouper, Instance<Grouper>(ts, type));
  grouper->parent = Ref<Groupby>::Borrow(g).Release();
  grouper->key = Own(key);
  grouper->group = g->group;
  return Pair(ts, key, grouper);
}

Result<> grouper_next(ThreadState& ts, Value self) {
  Grouper* group = self.as<Grouper>();
  if (!group->parent || group->parent->group != group->group) return Result<>::Done();
  const Ref<Groupby> g = Ref<Groupby>::Borrow(group->parent);
  if (!g->current_item) {
    MVM_TRY(bool more, Step(ts, g));
    if (!more) return Result<>::Done();
  }
  if (!g->current_key) return Result<>::Done();
  MVM_TRY(bool same, SameKeys(ts, group->key, g->current_key));
  if (!same || !g->current_item) return Result<>::Done();
  return Result<>::Steal(std::exchange(g->current_item, Value()));
}

Result<> grouper_new(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * groupby, TypeForSpec(ts, kGroupbyType));
  if (!IsInstance(ts, args[1], groupby)) {
    return Raise(ts, Exc::kTypeError, "_grouper() argument 1 must be itertools.groupby, not %T",
                 args[1]);
  }
  MVM_TRY(Ref<Grouper> g, Instance<Grouper>(ts, args[0]));
  g->parent = Ref<Groupby>::Borrow(args.as<Groupby>(1)).Release();
  g->key = Own(args[2]);
  g->group = ++g->parent->group;
  return g;
}

// ---- tee ----

Result<TeeData> NewTeeData(ThreadState& ts, Value iterator) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTeeDataType));
  MVM_TRY(Ref<TeeData> data, Instance<TeeData>(ts, type));
  data->iterator = Own(iterator);
  return data;
}

Result<> CopyTee(ThreadState& ts, const Tee* from) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTeeType));
  MVM_TRY(Ref<Tee> tee, Instance<Tee>(ts, type));
  tee->data = Ref<TeeData>::Borrow(from->data).Release();
  tee->index = from->index;
  return tee;
}

Result<bool> IsTee(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTeeType));
  return TypeOf(ts, v) == type;
}

// A tee over the iterable; a copy if it is a tee itself.
Result<> TeeOver(ThreadState& ts, Value iterable) {
  MVM_TRY(Ref<> iterator, GetIter(ts, iterable));
  MVM_TRY(bool is_tee, IsTee(ts, iterator));
  if (is_tee) return CopyTee(ts, iterator.as<Tee>());
  MVM_TRY(Ref<TeeData> data, NewTeeData(ts, iterator));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTeeType));
  MVM_TRY(Ref<Tee> tee, Instance<Tee>(ts, type));
  tee->data = data.Release();
  return tee;
}

Result<> tee_new(ThreadState& ts, Args args) { return TeeOver(ts, args[1]); }
Result<> tee_copy(ThreadState& ts, Args args) { return CopyTee(ts, args.self<Tee>()); }

Result<> tee_next(ThreadState& ts, Value self) {
  Tee* tee = self.as<Tee>();
  if (!tee->data) return Result<>::Done();
  if (tee->index >= TeeData::kItems) {
    if (!tee->data->next) {
      MVM_TRY(Ref<TeeData> next, NewTeeData(ts, tee->data->iterator));
      tee->data->next = next.Release();
    }
    const Ref<TeeData> old = Ref<TeeData>::Steal(
        std::exchange(tee->data, Ref<TeeData>::Borrow(tee->data->next).Release()));
    tee->index = 0;
  }
  const Ref<TeeData> data = Ref<TeeData>::Borrow(tee->data);
  if (tee->index < data->count) return Result<>::Borrow(data->items[tee->index++]);
  if (data->running) return Raise(ts, Exc::kRuntimeError, "cannot re-enter the tee iterator");
  data->running = true;
  Result<> next = NextOf(ts, data->iterator);
  data->running = false;
  if (next.raised()) return kRaised;
  Ref<> item = next.Take();
  if (item.is_done()) return Result<>::Done();
  data->items[data->count] = Own(item);
  ++data->count;
  tee->index = data->count;
  return item;
}

const MethodSpec kTeeMethods[] = {
    {"__copy__(self, /)", tee_copy, "Another iterator of the items from here on."},
    MVM_STATE_ROWS(tee),
};
const MethodSpec kTeeDataMethods[] = {MVM_REDUCE_ROW(teedata)};

Result<> teedata_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n != 3) {
    return Raise(ts, Exc::kTypeError, "teedataobject expected 3 arguments, got %u", raw.n);
  }
  if (!IsList(ts, raw[1])) {
    return Raise(ts, Exc::kTypeError, "teedataobject() argument 2 must be list, not %T", raw[1]);
  }
  const ListObject* items = raw[1].as<ListObject>();
  const bool full = items->size == TeeData::kItems, last = IsNone(ts, raw[2]);
  if (items->size > TeeData::kItems || !(last || (full && TypeOf(ts, raw[2]) == cls))) {
    return Raise(ts, Exc::kValueError, "Invalid arguments");
  }
  MVM_TRY(Ref<TeeData> data, Instance<TeeData>(ts, cls));
  data->iterator = Own(raw[0]);
  if (!last) data->next = Ref<TeeData>::Borrow(raw[2].as<TeeData>()).Release();
  for (; data->count < items->size; ++data->count)
    data->items[data->count] = Own(items->items[data->count]);
  return data;
}

// ---- zip_longest ----

Result<> zip_longest_new(ThreadState& ts, TypeObject* cls, Args raw) {
  Value fill = ts.rt->none;
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    const Value name = (*raw.v[raw.n + raw.nkw].as<TupleObject>())[i];
    if (!name.as<StrObject>()->EqualsAscii("fillvalue")) {
      return Raise(ts, Exc::kTypeError, "zip_longest() got an unexpected keyword argument");
    }
    fill = raw.v[raw.n + i];
  }
  Ref<TupleObject> iterators;
  if (raw.n == 0) {
    MVM_TRY(iterators, NewTuple(ts, {}));
  } else {
    MVM_TRY(iterators, NewTupleRaw(ts, raw.n));
    for (uint32_t i = 0; i < raw.n; ++i) {
      MVM_TRY(Ref<> it, GetIter(ts, raw[i]));
      iterators->items()[i] = it.Release();
    }
    Track(iterators);
  }
  MVM_TRY(Ref<ZipLongest> z, Instance<ZipLongest>(ts, cls));
  z->iterators = iterators.Release();
  z->active = raw.n;
  z->fill = Own(fill);
  return z;
}

Result<> zip_longest_next(ThreadState& ts, Value self) {
  ZipLongest* z = self.as<ZipLongest>();
  if (!z->iterators || z->active == 0) return Result<>::Done();
  TupleObject* iterators = z->iterators;
  MVM_TRY(Ref<TupleObject> row, NewTupleRaw(ts, iterators->size()));
  for (uint32_t i = 0; i < iterators->size(); ++i) {
    Ref<> item = Ref<>::Steal(Value::Done());
    if ((*iterators)[i]) {
      Result<> next = NextOf(ts, (*iterators)[i]);
      if (next.raised()) {
        z->active = 0;
        return kRaised;
      }
      item = next.Take();
      if (item.is_done() && (*iterators)[i]) {
        if (z->active > 0) --z->active;
        if (z->active == 0) return Result<>::Done();
        Assign(&iterators->items()[i], Value());
      }
    }
    row->items()[i] = item.is_done() ? Own(z->fill) : item.Release();
  }
  Track(row);
  return row;
}

const MethodSpec kGroupbyMethods[] = {MVM_STATE_ROWS(groupby)};
const MethodSpec kGrouperMethods[] = {MVM_REDUCE_ROW(grouper)};
const MethodSpec kZipLongestMethods[] = {MVM_STATE_ROWS(zip_longest)};

}  // namespace

Result<> itertools_tee(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[1]));
  if (n < 0) return Raise(ts, Exc::kValueError, "n must be >= 0");
  if (n == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY_VOID(
      CheckRoom(ts, static_cast<size_t>(n > (int64_t{1} << 40) ? int64_t{1} << 47 : n * 64)));
  MVM_TRY(Ref<TupleObject> tees, NewTupleRaw(ts, static_cast<size_t>(n)));
  // A tee is the first of its own tees.
  MVM_TRY(bool is_tee, IsTee(ts, args[0]));
  MVM_TRY(Ref<> first, is_tee ? Result<>::Borrow(args[0]) : TeeOver(ts, args[0]));
  tees->items()[0] = Own(first);
  for (int64_t i = 1; i < n; ++i) {
    MVM_TRY(Ref<> copy, CopyTee(ts, first.as<Tee>()));
    tees->items()[i] = copy.Release();
    MVM_TRY_VOID(Charge(ts, 1));
  }
  Track(tees);
  return tees;
}

const TypeSpec kBatchedType = {
    .name = "itertools.batched",
    .doc =
        "Tuples of n items each, the last maybe shorter; strict makes a shorter one a ValueError.",
    .flags = kTypeBase,
    .size = sizeof(Batched),
    .gc = GcHooksOf<Batched>(),
    .slots = {.iter = IterSelf, .next = batched_next},
    .construct = {"batched(iterable, n, *, strict=False)", batched_new},
};
const TypeSpec kPairwiseType = {
    .name = "itertools.pairwise",
    .doc = "Pairs of neighbours: (a, b), (b, c), (c, d).",
    .flags = kTypeBase,
    .size = sizeof(Pairwise),
    .gc = GcHooksOf<Pairwise>(),
    .slots = {.iter = IterSelf, .next = pairwise_next},
    .construct = {"pairwise(iterable, /)", pairwise_new},
};
const TypeSpec kGroupbyType = {
    .name = "itertools.groupby",
    .doc =
        "Pairs of a key and an iterator of the neighbours that share it; key(item) tells it, the "
        "item itself by default.\n"
        "\n"
        "The next pair makes the iterator before it empty. Sorted input gives a key once.",
    .flags = kTypeBase,
    .size = sizeof(Groupby),
    .gc = GcHooksOf<Groupby>(),
    .slots = {.iter = IterSelf, .next = groupby_next},
    .construct = {"groupby(iterable, key=None)", groupby_new},
    .methods = kGroupbyMethods,
};
const TypeSpec kGrouperType = {
    .name = "itertools._grouper",
    .size = sizeof(Grouper),
    .gc = GcHooksOf<Grouper>(),
    .slots = {.iter = IterSelf, .next = grouper_next},
    .construct = {"_grouper(parent, tgtkey, /)", grouper_new},
    .methods = kGrouperMethods,
};
const TypeSpec kTeeType = {
    .name = "itertools._tee",
    .doc = "One of the iterators that tee() gives, which copies in O(1).",
    .flags = kTypeWeakrefs,
    .size = sizeof(Tee),
    .gc = GcHooksOf<Tee>(),
    .slots = {.iter = IterSelf, .next = tee_next},
    .construct = {"_tee(iterable, /)", tee_new},
    .methods = kTeeMethods,
};
const TypeSpec kTeeDataType = {
    .name = "itertools._tee_dataobject",
    .doc = "The items that copies of a tee() iterator share.",
    .size = sizeof(TeeData),
    .gc = GcHooksOf<TeeData>(),
    .slots = {.new_ = teedata_new},
    .methods = kTeeDataMethods,
};
const TypeSpec kZipLongestType = {
    .name = "itertools.zip_longest",
    .doc =
        "Tuples of the i-th items of the iterables, up to the end of the longest; fillvalue stands "
        "for what is missing.",
    .flags = kTypeBase,
    .size = sizeof(ZipLongest),
    .gc = GcHooksOf<ZipLongest>(),
    .slots = {.iter = IterSelf, .next = zip_longest_next, .new_ = zip_longest_new},
    .methods = kZipLongestMethods,
};

}  // namespace minivm::itertools
