// itertools: __reduce__() and __setstate__(), which are deprecated.
//
// A state that a script hands over may be anything: it is checked, and numbers are moved into their
// ranges, so that no state makes an iterator reach beyond what it has.
#include <algorithm>
#include <initializer_list>

#include "runtime/objects/functional.h"
#include "stdlib/itertools/itertools_types.h"

namespace minivm::itertools {
namespace {

Status Deprecated(ThreadState& ts) {
  return Warn(ts, Exc::kDeprecationWarning, 1, "%s",
              "Pickle, copy, and deepcopy support will be removed from itertools in Python 3.14.");
}

Result<> Tuple(ThreadState& ts, std::initializer_list<Value> items) {
  if (items.size() == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> made, NewTupleRaw(ts, items.size()));
  Value* place = made->items();
  // What the collector has cleared shows as None.
  for (const Value item : items) *place++ = Own(item ? item : Value(ts.rt->none));
  Track(made);
  return made;
}

// (type, args) or (type, args, state).
Result<> Rebuilt(ThreadState& ts, Value self, Value call_args, Value state = Value()) {
  MVM_TRY_VOID(Deprecated(ts));
  if (!state) return Tuple(ts, {TypeOf(ts, self), call_args});
  return Tuple(ts, {TypeOf(ts, self), call_args, state});
}

Result<> Rebuilt(ThreadState& ts, Value self, std::initializer_list<Value> items,
                 Value state = Value()) {
  MVM_TRY(Ref<> call_args, Tuple(ts, items));
  return Rebuilt(ts, self, call_args, state);
}

// (iter, (sequence,)): an iterator that gives no more than that.
Result<> IterOver(ThreadState& ts, Value sequence) {
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  return Call(ts, iter, sequence);
}

// Warns, and checks that the state is a tuple of so many items.
Result<TupleObject> State(ThreadState& ts, Value state, uint32_t least, uint32_t most) {
  MVM_TRY_VOID(Deprecated(ts));
  if (!IsTuple(ts, state)) return Raise(ts, Exc::kTypeError, "state is not a tuple");
  const uint32_t size = state.as<TupleObject>()->size();
  if (size < least || size > most) {
    const bool few = size < least;
    const uint32_t bound = few ? least : most;
    return Raise(ts, Exc::kTypeError, "function takes %s %u argument%s (%u given)",
                 least == most ? "exactly"
                 : few         ? "at least"
                               : "at most",
                 bound, bound == 1 ? "" : "s", size);
  }
  return Ref<TupleObject>::Borrow(state.as<TupleObject>());
}

Raised RaiseArgument(ThreadState& ts, int number, const char* wanted, Value got) {
  return Raise(ts, Exc::kTypeError, "argument %d must be %s, not %T", number, wanted, got);
}

Result<int64_t> Integer(ThreadState& ts, Value v) {
  if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "an integer is required");
  int64_t number;
  if (!IntFitsInt64(v, &number)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  }
  return number;
}

Result<TupleObject> Numbers(ThreadState& ts, const int64_t* numbers, int64_t count) {
  if (count == 0) return Ref<TupleObject>::Borrow(ts.rt->empty_tuple->as<TupleObject>());
  MVM_TRY(Ref<TupleObject> made, NewTupleRaw(ts, static_cast<size_t>(count)));
  for (int64_t i = 0; i < count; ++i) made->items()[i] = Value::Int(numbers[i]);
  Track(made);
  return made;
}

}  // namespace

// ---- what has no state ----

Result<> compress_reduce(ThreadState& ts, Args args) {
  const Compress* c = args.self<Compress>();
  return Rebuilt(ts, args[0], {c->data, c->selectors});
}

Result<> count_reduce(ThreadState& ts, Args args) {
  const Count* c = args.self<Count>();
  int64_t small;
  if (c->step.is(Value::Int(1)) && IsInt(ts, c->value) && IntFitsInt64(c->value, &small))
    return Rebuilt(ts, args[0], {c->value});
  return Rebuilt(ts, args[0], {c->value, c->step});
}

Result<> grouper_reduce(ThreadState& ts, Args args) {
  const Grouper* g = args.self<Grouper>();
  if (g->parent && g->parent->group == g->group) return Rebuilt(ts, args[0], {g->parent, g->key});
  MVM_TRY_VOID(Deprecated(ts));
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  MVM_TRY(Ref<> nothing, Tuple(ts, {ts.rt->empty_tuple}));
  return Tuple(ts, {iter, nothing});
}

// filterfalse, starmap
Result<> mapping_reduce(ThreadState& ts, Args args) {
  const Filtering* f = args.self<Filtering>();
  return Rebuilt(ts, args[0], {f->function, f->iterator});
}

Result<> repeat_reduce(ThreadState& ts, Args args) {
  const Repeat* r = args.self<Repeat>();
  if (!r->limited) return Rebuilt(ts, args[0], {r->element});
  MVM_TRY(Ref<> times, NewInt(ts, r->remaining));
  return Rebuilt(ts, args[0], {r->element, times});
}

Result<> teedata_reduce(ThreadState& ts, Args args) {
  TeeData* data = args.self<TeeData>();
  MVM_TRY(Ref<ListObject> items, NewListReserve(ts, data->count));
  for (uint32_t i = 0; i < data->count; ++i) {
    MVM_TRY_VOID(ListAppend(ts, items, data->items[i]));
  }
  return Rebuilt(ts, args[0],
                 {data->iterator, items, data->next ? Value(data->next) : Value(ts.rt->none)});
}

// ---- those of inputs and a mark ----

Result<> accumulate_reduce(ThreadState& ts, Args args) {
  const Accumulate* a = args.self<Accumulate>();
  const Ref<> iterator = Ref<>::Borrow(a->iterator), function = Ref<>::Borrow(a->function);
  const Ref<> first = Ref<>::Borrow(a->initial ? a->initial : a->total);
  const bool skip = !a->initial && a->total && IsNone(ts, a->total);
  if (!a->initial && !skip)
    return Rebuilt(ts, args[0], {iterator, function}, first ? first.get() : Value(ts.rt->none));
  // The first item stands in front of the others; None, which would be no state, is then passed.
  MVM_TRY(Ref<> front, Tuple(ts, {first}));
  MVM_TRY(TypeObject * chain, TypeForSpec(ts, kChainType));
  MVM_TRY(Ref<> all, Call(ts, chain, front, iterator));
  if (!skip) return Rebuilt(ts, args[0], {all, function}, ts.rt->none);
  MVM_TRY_VOID(Deprecated(ts));
  const Value call_args[] = {all, function ? function.get() : Value(ts.rt->none)};
  MVM_TRY(Ref<> again, Call(ts, TypeOf(ts, args[0]), call_args));
  MVM_TRY(TypeObject * islice, TypeForSpec(ts, kIsliceType));
  MVM_TRY(Ref<> rest, Tuple(ts, {again, Value::Int(1), ts.rt->none}));
  return Tuple(ts, {islice, rest});
}

Result<> accumulate_setstate(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Deprecated(ts));
  Assign(&args.self<Accumulate>()->total, args[1]);
  return None(ts);
}

Result<> chain_reduce(ThreadState& ts, Args args) {
  const Chain* c = args.self<Chain>();
  if (!c->source) return Rebuilt(ts, args[0], {});
  MVM_TRY(Ref<> state, c->active ? Tuple(ts, {c->source, c->active}) : Tuple(ts, {c->source}));
  return Rebuilt(ts, args[0], {}, state);
}

Result<> chain_setstate(ThreadState& ts, Args args) {
  Chain* c = args.self<Chain>();
  MVM_TRY(Ref<TupleObject> state, State(ts, args[1], 1, 2));
  for (const Value v : state->span()) {
    const CoreSlots* slots = SlotsOf(ts, v);
    if (!slots) return kRaised;
    if (!slots->next) return Raise(ts, Exc::kTypeError, "Arguments must be iterators.");
  }
  Assign(&c->source, (*state)[0]);
  Assign(&c->active, state->size() > 1 ? (*state)[1] : Value());
  return None(ts);
}

Result<> cycle_reduce(ThreadState& ts, Args args) {
  const Cycle* c = args.self<Cycle>();
  const Ref<> saved = Ref<>::Borrow(c->saved ? Value(c->saved) : Value(ts.rt->empty_tuple));
  Ref<> iterator = Ref<>::Borrow(c->iterator);
  const bool complete = !iterator || c->complete;
  if (!iterator) {
    MVM_TRY(iterator, IterOver(ts, saved));
    if (c->index > 0 && c->saved) {
      MVM_TRY(Ref<> set, GetAttr(ts, iterator, "__setstate__"));
      MVM_TRY_VOID(Call(ts, set, Value::Int(static_cast<int64_t>(c->index))));
    }
  }
  MVM_TRY(Ref<> state, Tuple(ts, {saved, complete ? ts.rt->true_ : ts.rt->false_}));
  return Rebuilt(ts, args[0], {iterator}, state);
}

Result<> cycle_setstate(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> state, State(ts, args[1], 2, 2));
  if (!IsList(ts, (*state)[0])) return RaiseArgument(ts, 1, "list", (*state)[0]);
  MVM_TRY(int64_t complete, AsInt64(ts, (*state)[1]));
  Cycle* c = args.self<Cycle>();
  const Ref<ListObject> old = Ref<ListObject>::Steal(
      std::exchange(c->saved, Ref<ListObject>::Borrow((*state)[0].as<ListObject>()).Release()));
  c->complete = complete != 0;
  c->index = 0;
  return None(ts);
}

// dropwhile, takewhile
Result<> filtering_reduce(ThreadState& ts, Args args) {
  const Filtering* f = args.self<Filtering>();
  return Rebuilt(ts, args[0], {f->function, f->iterator}, Value::Int(f->switched));
}

Result<> filtering_setstate(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Deprecated(ts));
  MVM_TRY(bool switched, Truth(ts, args[1]));
  args.self<Filtering>()->switched = switched;
  return None(ts);
}

Result<> groupby_reduce(ThreadState& ts, Args args) {
  const Groupby* g = args.self<Groupby>();
  if (!g->target_key || !g->current_key || !g->current_item)
    return Rebuilt(ts, args[0], {g->iterator, g->key_function});
  MVM_TRY(Ref<> state, Tuple(ts, {g->current_key, g->current_item, g->target_key}));
  return Rebuilt(ts, args[0], {g->iterator, g->key_function}, state);
}

Result<> groupby_setstate(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> state, State(ts, args[1], 3, 3));
  Groupby* g = args.self<Groupby>();
  Assign(&g->current_key, (*state)[0]);
  Assign(&g->current_item, (*state)[1]);
  Assign(&g->target_key, (*state)[2]);
  return None(ts);
}

Result<> islice_reduce(ThreadState& ts, Args args) {
  const Islice* s = args.self<Islice>();
  const Value zero = Value::Int(0);
  if (!s->iterator) {
    MVM_TRY(Ref<ListObject> empty, NewListReserve(ts, 0));
    MVM_TRY(Ref<> ended, IterOver(ts, empty));
    return Rebuilt(ts, args[0], {ended, zero}, zero);
  }
  MVM_TRY(Ref<> next, NewInt(ts, s->next));
  MVM_TRY(Ref<> stop, s->stop < 0 ? None(ts) : NewInt(ts, s->stop));
  MVM_TRY(Ref<> step, NewInt(ts, s->step));
  MVM_TRY(Ref<> taken, NewInt(ts, s->taken));
  return Rebuilt(ts, args[0], {s->iterator, next, stop, step}, taken);
}

Result<> islice_setstate(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Deprecated(ts));
  MVM_TRY(int64_t taken, Integer(ts, args[1]));
  args.self<Islice>()->taken = std::min(taken, INT64_MAX / 2);  // it is counted on
  return None(ts);
}

Result<> tee_reduce(ThreadState& ts, Args args) {
  const Tee* tee = args.self<Tee>();
  MVM_TRY(Ref<> state, Tuple(ts, {tee->data, Value::Int(tee->index)}));
  return Rebuilt(ts, args[0], {ts.rt->empty_tuple}, state);
}

Result<> tee_setstate(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> state, State(ts, args[1], 2, 2));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTeeDataType));
  const Value data = (*state)[0];
  if (TypeOf(ts, data) != type) return RaiseArgument(ts, 1, "itertools._tee_dataobject", data);
  MVM_TRY(int64_t index, AsInt64(ts, (*state)[1]));
  if (index < 0 || index > TeeData::kItems)
    return Raise(ts, Exc::kValueError, "Index out of range");
  Tee* tee = args.self<Tee>();
  tee->index = static_cast<uint32_t>(index);
  const Ref<TeeData> old = Ref<TeeData>::Steal(
      std::exchange(tee->data, Ref<TeeData>::Borrow(data.as<TeeData>()).Release()));
  return None(ts);
}

Result<> zip_longest_reduce(ThreadState& ts, Args args) {
  const ZipLongest* z = args.self<ZipLongest>();
  const Ref<> fill = Ref<>::Borrow(z->fill ? z->fill : Value(ts.rt->none));
  if (!z->iterators || z->iterators->size() == 0) return Rebuilt(ts, args[0], {}, fill);
  // One that is exhausted is no more than an empty tuple.
  MVM_TRY(Ref<TupleObject> inputs, NewTupleRaw(ts, z->iterators->size()));
  for (uint32_t i = 0; i < inputs->size(); ++i) {
    const Value input = (*z->iterators)[i];
    inputs->items()[i] = Own(input ? input : Value(ts.rt->empty_tuple));
  }
  Track(inputs);
  return Rebuilt(ts, args[0], inputs, fill);
}

Result<> zip_longest_setstate(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Deprecated(ts));
  Assign(&args.self<ZipLongest>()->fill, args[1]);
  return None(ts);
}

// ---- the combinatoric ones ----

namespace {

// The arguments that make it again, without items if it is done.
Result<> SelectionArguments(ThreadState& ts, const Selection* s) {
  const bool done = !s->pool || (s->started && s->stopped);
  const Value pool = done ? Value(ts.rt->empty_tuple) : Value(s->pool);
  if (s->kind != Selection::kProduct) return Tuple(ts, {pool, Value::Int(s->r)});
  return done ? Tuple(ts, {pool}) : Result<>::Borrow(pool);
}

}  // namespace

// product, combinations, combinations_with_replacement
Result<> selection_reduce(ThreadState& ts, Args args) {
  const Selection* s = args.self<Selection>();
  MVM_TRY(Ref<> call_args, SelectionArguments(ts, s));
  if (!s->started || s->stopped) return Rebuilt(ts, args[0], call_args);
  MVM_TRY(Ref<> state, Numbers(ts, s->indices, s->count));
  return Rebuilt(ts, args[0], call_args, state);
}

Result<> selection_setstate(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Deprecated(ts));
  Selection* s = args.self<Selection>();
  const Value state = args[1];
  if (!s->pool || s->count != s->r || !IsTuple(ts, state) ||
      int64_t{state.as<TupleObject>()->size()} != s->count) {
    return Raise(ts, Exc::kValueError, "invalid arguments");
  }
  for (int64_t i = 0; i < s->count; ++i) {
    MVM_TRY(int64_t index, Integer(ts, (*state.as<TupleObject>())[static_cast<size_t>(i)]));
    const int64_t n = s->pool->size();
    int64_t most = n - 1;
    if (s->kind == Selection::kProduct) {
      most = int64_t{(*s->pool)[static_cast<size_t>(i)].as<TupleObject>()->size()} - 1;
    } else if (s->kind == Selection::kCombinations) {
      most = i + n - s->r;
    }
    if (most < 0) s->stopped = true;
    s->indices[i] = std::clamp<int64_t>(index, 0, std::max<int64_t>(most, 0));
  }
  s->started = true;
  return None(ts);
}

Result<> permutations_reduce(ThreadState& ts, Args args) {
  const Selection* s = args.self<Selection>();
  MVM_TRY(Ref<> call_args, SelectionArguments(ts, s));
  if (!s->started || s->stopped) return Rebuilt(ts, args[0], call_args);
  const int64_t n = s->pool->size();
  MVM_TRY(Ref<> indices, Numbers(ts, s->indices, n));
  MVM_TRY(Ref<> cycles, Numbers(ts, s->indices + n, s->r));
  MVM_TRY(Ref<> state, Tuple(ts, {indices, cycles}));
  return Rebuilt(ts, args[0], call_args, state);
}

Result<> permutations_setstate(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> state, State(ts, args[1], 2, 2));
  for (int i = 0; i < 2; ++i) {
    const Value part = (*state)[static_cast<size_t>(i)];
    if (!IsTuple(ts, part)) return RaiseArgument(ts, i + 1, "tuple", part);
  }
  Selection* s = args.self<Selection>();
  const TupleObject* indices = (*state)[0].as<TupleObject>();
  const TupleObject* cycles = (*state)[1].as<TupleObject>();
  const int64_t n = s->pool ? int64_t{s->pool->size()} : -1;
  if (int64_t{indices->size()} != n || int64_t{cycles->size()} != s->r || s->count != n + s->r)
    return Raise(ts, Exc::kValueError, "invalid arguments");
  for (int64_t i = 0; i < s->count; ++i) {
    const bool is_cycle = i >= n;
    MVM_TRY(int64_t number, Integer(ts, is_cycle ? (*cycles)[static_cast<size_t>(i - n)]
                                                 : (*indices)[static_cast<size_t>(i)]));
    s->indices[i] = is_cycle ? std::clamp<int64_t>(number, 1, n - (i - n))
                             : std::clamp<int64_t>(number, 0, n - 1);
  }
  s->started = true;
  return None(ts);
}

}  // namespace minivm::itertools
