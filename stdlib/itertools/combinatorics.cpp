// itertools: product, permutations, combinations, combinations_with_replacement.
//
// All four keep the pool(s) as tuples and the indices of the selection last handed out.
#include <algorithm>

#include "stdlib/itertools/itertools_types.h"

namespace minivm::itertools {
namespace {

// A selection of r items with room for `count` indices. More than a tuple can hold: MemoryError.
Result<Selection> NewSelection(ThreadState& ts, Value cls, Selection::Kind kind, TupleObject* pool,
                               int64_t r, int64_t count) {
  if (count > int64_t{UINT32_MAX}) return RaiseMemoryError(ts);
  MVM_TRY(Ref<Selection> s, Instance<Selection>(ts, cls));
  s->pool = Ref<TupleObject>::Borrow(pool).Release();
  if (count > 0) {
    MVM_TRY(void* buffer, AllocBuffer(ts, static_cast<size_t>(count) * sizeof(int64_t)));
    s->indices = static_cast<int64_t*>(buffer);
    s->count = count;
    std::fill_n(s->indices, count, 0);
  }
  s->r = r;
  s->kind = kind;
  return s;
}

// The items of one pool that the first r indices select.
Result<> Selected(ThreadState& ts, const Selection* s) {
  if (s->r == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> items, NewTupleRaw(ts, static_cast<size_t>(s->r)));
  for (int64_t i = 0; i < s->r; ++i)
    items->items()[i] = Own((*s->pool)[static_cast<size_t>(s->indices[i])]);
  Track(items);
  MVM_TRY_VOID(Charge(ts, s->r / 8 + 1));
  return items;
}

Result<> Stop(Selection* s) {
  s->stopped = true;
  return Result<>::Done();
}

// ---- product ----

Result<> product_new(ThreadState& ts, TypeObject* cls, Args raw) {
  int64_t repeat = 1;
  if (raw.nkw > 0) {
    if (raw.nkw > 1) {
      return Raise(ts, Exc::kTypeError, "product() takes at most 1 keyword argument (%u given)",
                   raw.nkw);
    }
    const Value name = (*raw.v[raw.n + raw.nkw].as<TupleObject>())[0];
    if (!name.as<StrObject>()->EqualsAscii("repeat")) {
      return Raise(ts, Exc::kTypeError, "product() got an unexpected keyword argument '%U'", name);
    }
    MVM_TRY(repeat, AsInt64(ts, raw.v[raw.n]));
    if (repeat < 0) return Raise(ts, Exc::kValueError, "repeat argument cannot be negative");
  }
  const int64_t sets = repeat == 0 ? 0 : static_cast<int64_t>(raw.n);
  int64_t count;
  if (__builtin_mul_overflow(sets, repeat, &count) || count > int64_t{UINT32_MAX})
    return RaiseMemoryError(ts);
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(count) * 2 * sizeof(Value)));
  Ref<TupleObject> pools;
  if (count == 0) {
    MVM_TRY(pools, NewTuple(ts, {}));
  } else {
    MVM_TRY(pools, NewTupleRaw(ts, static_cast<size_t>(count)));
    for (int64_t i = 0; i < sets; ++i) {
      MVM_TRY(Ref<TupleObject> pool, TupleFrom(ts, raw[static_cast<uint32_t>(i)]));
      for (int64_t k = 0; k < repeat; ++k) pools->items()[k * sets + i] = Own(pool);
    }
    Track(pools);
  }
  MVM_TRY(Ref<Selection> s, NewSelection(ts, cls, Selection::kProduct, pools, count, count));
  for (const Value pool : pools->span()) s->stopped |= pool.as<TupleObject>()->size() == 0;
  return s;
}

Result<> product_next(ThreadState& ts, Value self) {
  Selection* s = self.as<Selection>();
  if (s->stopped || !s->pool) {
    s->started = true;
    return Result<>::Done();
  }
  if (s->started) {
    int64_t i = s->r - 1;
    for (; i >= 0; --i) {
      const TupleObject* pool = (*s->pool)[static_cast<size_t>(i)].as<TupleObject>();
      if (++s->indices[i] < int64_t{pool->size()}) break;
      s->indices[i] = 0;
    }
    if (i < 0) return Stop(s);
  }
  s->started = true;
  if (s->r == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> items, NewTupleRaw(ts, static_cast<size_t>(s->r)));
  for (int64_t i = 0; i < s->r; ++i) {
    const TupleObject* pool = (*s->pool)[static_cast<size_t>(i)].as<TupleObject>();
    items->items()[i] = Own((*pool)[static_cast<size_t>(s->indices[i])]);
  }
  Track(items);
  MVM_TRY_VOID(Charge(ts, s->r / 8 + 1));
  return items;
}

// ---- combinations ----

Result<int64_t> NonNegative(ThreadState& ts, Value v) {
  MVM_TRY(int64_t r, AsInt64(ts, v));
  if (r < 0) return Raise(ts, Exc::kValueError, "r must be non-negative");
  return r;
}

Result<> combinations_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> pool, TupleFrom(ts, args[1]));
  MVM_TRY(int64_t r, NonNegative(ts, args[2]));
  const bool none = r > int64_t{pool->size()};
  MVM_TRY(Ref<Selection> s,
          NewSelection(ts, args[0], Selection::kCombinations, pool, r, none ? 0 : r));
  for (int64_t i = 0; i < s->count; ++i) s->indices[i] = i;
  s->stopped = none;
  return s;
}

Result<> combinations_next(ThreadState& ts, Value self) {
  Selection* s = self.as<Selection>();
  if (s->stopped || !s->pool) return Result<>::Done();
  if (s->started) {
    const int64_t n = s->pool->size();
    int64_t i = s->r - 1;
    while (i >= 0 && s->indices[i] == i + n - s->r) --i;
    if (i < 0) return Stop(s);
    ++s->indices[i];
    for (++i; i < s->r; ++i) s->indices[i] = s->indices[i - 1] + 1;
  }
  s->started = true;
  return Selected(ts, s);
}

// ---- combinations_with_replacement ----

Result<> replacement_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> pool, TupleFrom(ts, args[1]));
  MVM_TRY(int64_t r, NonNegative(ts, args[2]));
  const bool none = pool->size() == 0 && r > 0;
  MVM_TRY(Ref<Selection> s,
          NewSelection(ts, args[0], Selection::kReplacement, pool, r, none ? 0 : r));
  s->stopped = none;
  return s;
}

Result<> replacement_next(ThreadState& ts, Value self) {
  Selection* s = self.as<Selection>();
  if (s->stopped || !s->pool) return Result<>::Done();
  if (s->started) {
    const int64_t n = s->pool->size();
    int64_t i = s->r - 1;
    while (i >= 0 && s->indices[i] == n - 1) --i;
    if (i < 0) return Stop(s);
    std::fill(s->indices + i, s->indices + s->r, s->indices[i] + 1);
  }
  s->started = true;
  return Selected(ts, s);
}

// ---- permutations ----

Result<> permutations_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> pool, TupleFrom(ts, args[1]));
  const int64_t n = pool->size();
  int64_t r = n;
  if (!IsNone(ts, args[2])) {
    if (!IsInt(ts, args[2])) return Raise(ts, Exc::kTypeError, "Expected int as r");
    MVM_TRY(r, NonNegative(ts, args[2]));
  }
  const bool none = r > n;
  MVM_TRY(Ref<Selection> s,
          NewSelection(ts, args[0], Selection::kPermutations, pool, r, none ? 0 : n + r));
  if (!none) {
    for (int64_t i = 0; i < n; ++i) s->indices[i] = i;
    for (int64_t i = 0; i < r; ++i) s->indices[n + i] = n - i;
  }
  s->stopped = none;
  return s;
}

// The cycles count down, the last place fastest; when one is through, its place goes back to the
// end of the indices not selected.
bool AdvancePermutation(Selection* s) {
  const int64_t n = s->pool->size();
  int64_t* const indices = s->indices;
  int64_t* const cycles = s->indices + n;
  for (int64_t i = s->r - 1; i >= 0; --i) {
    if (--cycles[i] == 0) {
      std::rotate(indices + i, indices + i + 1, indices + n);
      cycles[i] = n - i;
    } else {
      std::swap(indices[i], indices[n - cycles[i]]);
      return true;
    }
  }
  return false;
}

Result<> permutations_next(ThreadState& ts, Value self) {
  Selection* s = self.as<Selection>();
  if (s->stopped || !s->pool) return Result<>::Done();
  if (s->started && !AdvancePermutation(s)) return Stop(s);
  s->started = true;
  return Selected(ts, s);
}

Result<> selection_sizeof(ThreadState& ts, Args args) {
  const Selection* s = args.self<Selection>();
  return NewInt(ts, static_cast<int64_t>(sizeof(Selection)) +
                        s->count * static_cast<int64_t>(sizeof(int64_t)));
}
const MethodSpec kSelectionMethods[] = {
    MVM_STATE_ROWS(selection),
    {"__sizeof__(self, /)", selection_sizeof, "Bytes of memory that it takes."},
};
const MethodSpec kPermutationsMethods[] = {
    MVM_STATE_ROWS(permutations),
    {"__sizeof__(self, /)", selection_sizeof, "Bytes of memory that it takes."},
};

constexpr TypeSpec SelectionSpec(const char* name, const char* doc, NextFn next,
                                 Table<MethodSpec> methods = kSelectionMethods) {
  TypeSpec spec;
  spec.name = name;
  spec.doc = doc;
  spec.flags = kTypeBase;
  spec.size = sizeof(Selection);
  spec.gc = GcHooksOf<Selection>();
  spec.slots.iter = IterSelf;
  spec.slots.next = next;
  spec.methods = methods;
  return spec;
}
constexpr TypeSpec Bound(TypeSpec spec, MethodSpec construct) {
  spec.construct = construct;
  return spec;
}
constexpr TypeSpec Raw(TypeSpec spec, NewFn new_fn) {
  spec.slots.new_ = new_fn;
  return spec;
}

}  // namespace

const TypeSpec kProductType =
    Raw(SelectionSpec("itertools.product",
                      "Tuples of one item of each iterable, every way, the last iterable changing "
                      "fastest; repeat takes them all again.",
                      product_next),
        product_new);
const TypeSpec kCombinationsType =
    Bound(SelectionSpec("itertools.combinations",
                        "Tuples of r items, each r positions once, in the order of the input.",
                        combinations_next),
          {"combinations(iterable, r)", combinations_new});
const TypeSpec kCombinationsWithReplacementType =
    Bound(SelectionSpec(
              "itertools.combinations_with_replacement",
              "Tuples of r items, any of which may come several times, in the order of the input.",
              replacement_next),
          {"combinations_with_replacement(iterable, r)", replacement_new});
const TypeSpec kPermutationsType =
    Bound(SelectionSpec(
              "itertools.permutations",
              "Tuples of r items, each r positions in every order; r is all of them by default.",
              permutations_next, kPermutationsMethods),
          {"permutations(iterable, r=None)", permutations_new});

}  // namespace minivm::itertools
