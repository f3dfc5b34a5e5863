// The types set and frozenset: operators, methods, iterator.
//
// Results of operators and methods are exact sets or frozensets, by the type of the first operand.
// Where the other operand is a set or a dict its stored hashes are used.
#include "runtime/gc/object_refs.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "runtime/protocol/repr_guard.h"
#include "runtime/support/hash.h"

namespace minivm {
namespace {

SetObject* AsSet(Value v) { return v.as<SetObject>(); }

// kSet or kFrozenset: what the type is or is derived from.
TypeId KindOf(ThreadState& ts, Value set) {
  return IsInstance(ts, set, TypeById(ts, TypeId::kFrozenset)) ? TypeId::kFrozenset : TypeId::kSet;
}

Result<SetObject> CopyOf(ThreadState& ts, Value set) {
  return SetCopy(ts, AsSet(set), KindOf(ts, set));
}
Result<SetObject> EmptyLike(ThreadState& ts, Value set) {
  return KindOf(ts, set) == TypeId::kFrozenset ? NewFrozenset(ts, Value()) : NewSet(ts);
}

// Calls f(key, stored hash) for every key of a set; f may run script code.
template <class F>
Status ForEachKey(ThreadState& ts, SetObject* s, F f) {
  size_t pos = 0;
  Value k;
  while (SetNext(s, &pos, &k)) {
    const Ref<> key = Ref<>::Borrow(k);
    MVM_TRY_VOID(f(key.get(), s->hashes()[pos - 1]));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Ok();
}

// The same for every item of any iterable.
template <class F>
Status ForEachItem(ThreadState& ts, Value iterable, F f) {
  if (IsAnySet(ts, iterable)) return ForEachKey(ts, AsSet(iterable), f);
  return ForEach(ts, iterable, [&](Value item) -> Status {
    MVM_TRY(uint32_t hash, SetKeyHash(ts, item));
    return f(item, hash);
  });
}

// Whether a dict has a key of a set.
Result<bool> DictHas(ThreadState& ts, DictObject* d, Value key, uint32_t hash) {
  MVM_TRY(uint32_t dict_hash, SetDictHash(ts, key, hash));
  MVM_TRY(const Value* place, DictFindHashed(ts, d, key, dict_hash));
  return place != nullptr;
}

// ---- operations ----

Result<SetObject> Intersection(ThreadState& ts, Value self, Value other) {
  if (self.is(other)) return CopyOf(ts, self);
  MVM_TRY(Ref<SetObject> result, EmptyLike(ts, self));
  Value contained_in = self, walked = other;
  if (IsAnySet(ts, other) && AsSet(other)->used > AsSet(self)->used)
    std::swap(contained_in, walked);
  MVM_TRY_VOID(ForEachItem(ts, walked, [&](Value key, uint32_t hash) -> Status {
    MVM_TRY(bool inside, SetContainsHashed(ts, AsSet(contained_in), key, hash));
    if (inside) MVM_TRY_VOID(SetAddHashed(ts, result, key, hash));
    return Ok();
  }));
  return result;
}

Status DifferenceUpdate(ThreadState& ts, SetObject* s, Value other) {
  if (other.is(s)) {
    SetClear(ts, s);
    return Ok();
  }
  if (IsAnySet(ts, other) && AsSet(other)->used / 8 > s->used) {
    // Few keys here, many there: look the few up.
    MVM_TRY(Ref<SetObject> common, SetCopy(ts, s, TypeId::kSet));
    MVM_TRY_VOID(ForEachKey(ts, common, [&](Value key, uint32_t hash) -> Status {
      MVM_TRY(bool inside, SetContainsHashed(ts, AsSet(other), key, hash));
      if (inside) MVM_TRY_VOID(SetDiscardHashed(ts, s, key, hash));
      return Ok();
    }));
  } else {
    MVM_TRY_VOID(ForEachItem(ts, other, [&](Value key, uint32_t hash) -> Status {
      MVM_TRY_VOID(SetDiscardHashed(ts, s, key, hash));
      return Ok();
    }));
  }
  return SetTidy(ts, s);
}

Result<SetObject> Difference(ThreadState& ts, Value self, Value other) {
  const bool is_set = IsAnySet(ts, other);
  if (!is_set && !IsDict(ts, other)) {
    MVM_TRY(Ref<SetObject> result, CopyOf(ts, self));
    MVM_TRY_VOID(DifferenceUpdate(ts, result, other));
    return result;
  }
  const size_t other_size = is_set ? AsSet(other)->used : DictSize(other.as<DictObject>());
  if (is_set && AsSet(self)->used / 4 > other_size) {
    MVM_TRY(Ref<SetObject> result, CopyOf(ts, self));
    MVM_TRY_VOID(DifferenceUpdate(ts, result, other));
    return result;
  }
  MVM_TRY(Ref<SetObject> result, EmptyLike(ts, self));
  MVM_TRY_VOID(ForEachKey(ts, AsSet(self), [&](Value key, uint32_t hash) -> Status {
    bool inside;
    if (is_set) {
      MVM_TRY(inside, SetContainsHashed(ts, AsSet(other), key, hash));
    } else {
      MVM_TRY(inside, DictHas(ts, other.as<DictObject>(), key, hash));
    }
    if (!inside) MVM_TRY_VOID(SetAddHashed(ts, result, key, hash));
    return Ok();
  }));
  return result;
}

Status SymmetricDifferenceUpdate(ThreadState& ts, SetObject* s, Value other) {
  if (other.is(s)) {
    SetClear(ts, s);
    return Ok();
  }
  // Through a set, so that repeated items of an iterable count once.
  Ref<> keys = Ref<>::Borrow(other);
  if (!IsAnySet(ts, other)) {
    MVM_TRY(keys, NewSetFrom(ts, other));
  }
  return ForEachKey(ts, AsSet(keys), [&](Value key, uint32_t hash) -> Status {
    MVM_TRY(bool removed, SetDiscardHashed(ts, s, key, hash));
    if (!removed) MVM_TRY_VOID(SetAddHashed(ts, s, key, hash));
    return Ok();
  });
}

Result<SetObject> SymmetricDifference(ThreadState& ts, Value self, Value other) {
  MVM_TRY(Ref<SetObject> result, EmptyLike(ts, self));
  MVM_TRY_VOID(SetUpdate(ts, result, other));
  MVM_TRY_VOID(SymmetricDifferenceUpdate(ts, result, self));
  return result;
}

Result<bool> IsSubset(ThreadState& ts, SetObject* a, SetObject* b) {
  if (a->used > b->used) return false;
  size_t pos = 0;
  Value k;
  while (SetNext(a, &pos, &k)) {
    const Ref<> key = Ref<>::Borrow(k);
    MVM_TRY(bool inside, SetContainsHashed(ts, b, key, a->hashes()[pos - 1]));
    if (!inside) return false;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return true;
}

// The contents of `from`, which is about to die, become those of s.
void TakeContents(ThreadState& ts, SetObject* s, SetObject* from) {
  std::swap(s->keys, from->keys);
  std::swap(s->used, from->used);
  std::swap(s->filled, from->filled);
  std::swap(s->capacity, from->capacity);
  ++s->version;
}

// ---- slots ----

Result<> set_new(ThreadState& ts, TypeObject* cls, Args) {
  if (cls == TypeById(ts, TypeId::kSet)) return NewSet(ts);
  return AllocInstance(ts, cls);
}

Status set_init(ThreadState& ts, Value self, Args raw) {
  if (raw.nkw > 0) return Raise(ts, Exc::kTypeError, "set() takes no keyword arguments");
  if (raw.n > 1) {
    return Raise(ts, Exc::kTypeError, "%T expected at most 1 argument, got %u", self, raw.n);
  }
  if (AsSet(self)->used > 0 || AsSet(self)->filled > 0) SetClear(ts, AsSet(self));
  return raw.n == 1 ? SetUpdate(ts, AsSet(self), raw[0]) : Ok();
}

Result<> frozenset_new(ThreadState& ts, TypeObject* cls, Args raw) {
  const bool exact = cls == TypeById(ts, TypeId::kFrozenset);
  if (raw.nkw > 0 && (exact || cls->slots.init == TypeById(ts, TypeId::kFrozenset)->slots.init)) {
    return Raise(ts, Exc::kTypeError, "frozenset() takes no keyword arguments");
  }
  if (raw.n > 1)
    return Raise(ts, Exc::kTypeError, "%N expected at most 1 argument, got %u", cls, raw.n);
  if (exact) {
    if (raw.n == 1 && IsExact(raw[0], TypeId::kFrozenset)) return Result<>::Borrow(raw[0]);
    return NewFrozenset(ts, raw.n ? raw[0] : Value());
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  if (raw.n == 1) MVM_TRY_VOID(SetUpdate(ts, AsSet(made), raw[0]));
  return made;
}

Result<> set_repr(ThreadState& ts, Value self) {
  ReprGuard repr(ts, self.object());
  if (repr.inside()) return Format(ts, "%T(...)", self);
  if (AsSet(self)->used == 0) return Format(ts, "%T()", self);
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<ListObject> keys, ListFrom(ts, self));
  StrBuilder out(ts);
  const bool plain = IsExact(self, TypeId::kSet);
  if (!plain) {
    MVM_TRY(Ref<StrObject> name, Format(ts, "%T", self));
    MVM_TRY_VOID(out.Append(name.get()));
    MVM_TRY_VOID(out.Append(U'('));
  }
  MVM_TRY_VOID(out.Append(U'{'));
  for (uint64_t i = 0; i < keys->size; ++i) {
    if (i > 0) MVM_TRY_VOID(out.AppendAscii(", "));
    MVM_TRY(Ref<StrObject> text, Repr(ts, keys->items[i]));
    MVM_TRY_VOID(out.Append(text.get()));
    MVM_TRY_VOID(Charge(ts, 2));
  }
  MVM_TRY_VOID(out.AppendAscii(plain ? "}" : "})"));
  return out.Finish();
}

Result<int64_t> frozenset_hash(ThreadState&, Value self) {
  SetObject* s = AsSet(self);
  if (s->hash == 0) {
    SetHash hash;
    for (uint64_t i = 0; i < s->capacity; ++i) {
      if (s->keys[i]) hash.Add(s->hashes()[i]);
    }
    s->hash = hash.Finish(s->used);
  }
  return s->hash;
}

Result<> set_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsAnySet(ts, a) || !IsAnySet(ts, b)) return NotImplemented(ts);
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  SetObject *x = AsSet(a), *y = AsSet(b);
  switch (op) {
    case CompareOp::kEq:
    case CompareOp::kNe: {
      bool equal = x == y;
      if (!equal && x->used == y->used && !(x->hash != 0 && y->hash != 0 && x->hash != y->hash)) {
        MVM_TRY(equal, IsSubset(ts, x, y));
      }
      return Bool(ts, equal == (op == CompareOp::kEq));
    }
    case CompareOp::kLt:
    case CompareOp::kGt:
      if (x->used == y->used) return Bool(ts, false);
      break;
    default: break;
  }
  if (op == CompareOp::kGt || op == CompareOp::kGe) std::swap(x, y);
  MVM_TRY(bool subset, IsSubset(ts, x, y));
  return Bool(ts, subset);
}

Result<> set_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<SetIterator> it, New<SetIterator>(ts, TypeId::kSetIterator));
  it->set = Ref<SetObject>::Borrow(AsSet(self)).Release();
  it->expected = it->remaining = it->set->used;
  Track(it);
  return it;
}

Result<int64_t> set_len(ThreadState&, Value self) {
  return static_cast<int64_t>(AsSet(self)->used);
}

// Runs f(key) and, if the key is a set and so has no hash, again with an equal frozenset.
template <class F>
Result<bool> WithHashableKey(ThreadState& ts, Value key, F f) {
  Result<bool> r = f(key);
  if (!r.raised() || !IsAnySet(ts, key) || !PendingIs(ts, Exc::kTypeError)) return r;
  ClearPending(ts);
  MVM_TRY(Ref<SetObject> frozen, SetCopy(ts, AsSet(key), TypeId::kFrozenset));
  return f(Value(frozen));
}

Result<bool> set_contains(ThreadState& ts, Value self, Value key) {
  return WithHashableKey(ts, key, [&](Value k) { return SetContains(ts, AsSet(self), k); });
}

bool BothSets(ThreadState& ts, Value a, Value b) { return IsAnySet(ts, a) && IsAnySet(ts, b); }

Result<> set_or(ThreadState& ts, Value a, Value b) {
  if (!BothSets(ts, a, b)) return NotImplemented(ts);
  MVM_TRY(Ref<SetObject> result, CopyOf(ts, a));
  if (!a.is(b)) MVM_TRY_VOID(SetUpdate(ts, result, b));
  return result;
}
Result<> set_and(ThreadState& ts, Value a, Value b) {
  if (!BothSets(ts, a, b)) return NotImplemented(ts);
  return Intersection(ts, a, b);
}
Result<> set_sub(ThreadState& ts, Value a, Value b) {
  if (!BothSets(ts, a, b)) return NotImplemented(ts);
  return Difference(ts, a, b);
}
Result<> set_xor(ThreadState& ts, Value a, Value b) {
  if (!BothSets(ts, a, b)) return NotImplemented(ts);
  return SymmetricDifference(ts, a, b);
}

Result<> set_ior(ThreadState& ts, Value a, Value b) {
  if (!IsAnySet(ts, b)) return NotImplemented(ts);
  MVM_TRY_VOID(SetUpdate(ts, AsSet(a), b));
  return Result<>::Borrow(a);
}
Status IntersectionUpdate(ThreadState& ts, Value self, Value other) {
  MVM_TRY(Ref<SetObject> common, Intersection(ts, self, other));
  TakeContents(ts, AsSet(self), common);
  return Ok();
}
Result<> set_iand(ThreadState& ts, Value a, Value b) {
  if (!IsAnySet(ts, b)) return NotImplemented(ts);
  MVM_TRY_VOID(IntersectionUpdate(ts, a, b));
  return Result<>::Borrow(a);
}
Result<> set_isub(ThreadState& ts, Value a, Value b) {
  if (!IsAnySet(ts, b)) return NotImplemented(ts);
  MVM_TRY_VOID(DifferenceUpdate(ts, AsSet(a), b));
  return Result<>::Borrow(a);
}
Result<> set_ixor(ThreadState& ts, Value a, Value b) {
  if (!IsAnySet(ts, b)) return NotImplemented(ts);
  MVM_TRY_VOID(SymmetricDifferenceUpdate(ts, AsSet(a), b));
  return Result<>::Borrow(a);
}

// ---- methods of both ----

TupleObject* Others(Args args) { return args.as<TupleObject>(1); }

Result<> set_copy(ThreadState& ts, Args args) {
  if (IsExact(args[0], TypeId::kFrozenset)) return Result<>::Borrow(args[0]);
  return CopyOf(ts, args[0]);
}

Result<> set_union(ThreadState& ts, Args args) {
  MVM_TRY(Ref<SetObject> result, CopyOf(ts, args[0]));
  for (const Value other : Others(args)->span()) {
    if (!other.is(args[0])) MVM_TRY_VOID(SetUpdate(ts, result, other));
  }
  return result;
}

Result<SetObject> IntersectionOf(ThreadState& ts, Args args) {
  if (Others(args)->size() == 0) return CopyOf(ts, args[0]);
  Ref<> result = Ref<>::Borrow(args[0]);
  for (const Value other : Others(args)->span()) {
    MVM_TRY(result, Intersection(ts, result, other));
  }
  return std::move(result).Into<SetObject>();
}
Result<> set_intersection(ThreadState& ts, Args args) { return IntersectionOf(ts, args); }

Result<> set_difference(ThreadState& ts, Args args) {
  const TupleObject* others = Others(args);
  if (others->size() == 0) return CopyOf(ts, args[0]);
  MVM_TRY(Ref<SetObject> result, Difference(ts, args[0], (*others)[0]));
  for (uint32_t i = 1; i < others->size(); ++i)
    MVM_TRY_VOID(DifferenceUpdate(ts, result, (*others)[i]));
  return result;
}

Result<> set_symmetric_difference(ThreadState& ts, Args args) {
  return SymmetricDifference(ts, args[0], args[1]);
}

Result<> set_isdisjoint(ThreadState& ts, Args args) {
  Value self = args[0], other = args[1];
  if (self.is(other)) return Bool(ts, AsSet(self)->used == 0);
  if (IsAnySet(ts, other) && AsSet(other)->used > AsSet(self)->used) std::swap(self, other);
  MVM_TRY(Ref<> it, GetIter(ts, other));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return Bool(ts, true);
    MVM_TRY(bool inside, SetContains(ts, AsSet(self), item));
    if (inside) return Bool(ts, false);
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> set_issubset(ThreadState& ts, Args args) {
  Ref<> other = Ref<>::Borrow(args[1]);
  if (!IsAnySet(ts, other)) {
    MVM_TRY(other, NewSetFrom(ts, args[1]));
  }
  MVM_TRY(bool subset, IsSubset(ts, args.self<SetObject>(), AsSet(other)));
  return Bool(ts, subset);
}

Result<> set_issuperset(ThreadState& ts, Args args) {
  if (IsAnySet(ts, args[1])) {
    MVM_TRY(bool subset, IsSubset(ts, args.as<SetObject>(1), args.self<SetObject>()));
    return Bool(ts, subset);
  }
  MVM_TRY(Ref<> it, GetIter(ts, args[1]));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return Bool(ts, true);
    MVM_TRY(bool inside, SetContains(ts, args.self<SetObject>(), item));
    if (!inside) return Bool(ts, false);
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> set_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> keys, ListFrom(ts, args[0]));
  Value arg[] = {keys};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  Ref<> attributes = Ref<>::Borrow(ts.rt->none);
  if (TypeOf(ts, args[0])->is_heap()) {
    MVM_TRY(attributes, CallMethod(ts, args[0], MVM_NAME(ts, __getstate__)));
  }
  Value state[] = {TypeOf(ts, args[0]), call_args, attributes};
  return NewTuple(ts, state);
}

Result<> set_sizeof(ThreadState& ts, Args args) {
  const SetObject* s = args.self<SetObject>();
  return NewInt(ts, static_cast<int64_t>(sizeof(SetObject) +
                                         s->capacity * (sizeof(Value) + sizeof(uint32_t))));
}

// ---- methods of set ----

Result<> set_add(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetAdd(ts, args.self<SetObject>(), args[1]));
  return None(ts);
}

Result<> set_clear(ThreadState& ts, Args args) {
  SetClear(ts, args.self<SetObject>());
  return None(ts);
}

Result<bool> Discard(ThreadState& ts, Args args) {
  return WithHashableKey(ts, args[1],
                         [&](Value k) { return SetDiscard(ts, args.self<SetObject>(), k); });
}
Result<> set_discard(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Discard(ts, args));
  return None(ts);
}
Result<> set_remove(ThreadState& ts, Args args) {
  MVM_TRY(bool removed, Discard(ts, args));
  if (!removed) return RaiseValue(ts, Exc::kKeyError, args[1]);
  return None(ts);
}

Result<> set_pop(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> key, SetPop(ts, args.self<SetObject>()));
  if (key.is_absent()) return Raise(ts, Exc::kKeyError, "pop from an empty set");
  return key;
}

Result<> set_update(ThreadState& ts, Args args) {
  for (const Value other : Others(args)->span())
    MVM_TRY_VOID(SetUpdate(ts, args.self<SetObject>(), other));
  return None(ts);
}

Result<> set_intersection_update(ThreadState& ts, Args args) {
  MVM_TRY(Ref<SetObject> common, IntersectionOf(ts, args));
  TakeContents(ts, args.self<SetObject>(), common);
  return None(ts);
}

Result<> set_difference_update(ThreadState& ts, Args args) {
  for (const Value other : Others(args)->span()) {
    MVM_TRY_VOID(DifferenceUpdate(ts, args.self<SetObject>(), other));
  }
  return None(ts);
}

Result<> set_symmetric_difference_update(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SymmetricDifferenceUpdate(ts, args.self<SetObject>(), args[1]));
  return None(ts);
}

Result<> set_contains_method(ThreadState& ts, Args args) {
  MVM_TRY(bool found, set_contains(ts, args[0], args[1]));
  return Bool(ts, found);
}

#define MVM_COMMON_SET_METHODS                                                                    \
  {"__class_getitem__(cls, object, /)", ClassGetItem,                                             \
   "A generic alias: the class with type arguments.", kMethodClass},                              \
      {"__contains__(self, object, /)", set_contains_method,                                      \
       "Whether object is among the items."},                                                     \
      {"__reduce__(self, /)", set_reduce, "What pickle and copy need to make the object again."}, \
      {"__sizeof__(self, /)", set_sizeof,                                                         \
       "How many bytes the table takes, without the objects in it."},                             \
      {"copy(self, /)", set_copy, "A set of the same elements."},                                 \
      {"difference(self, /, *others)", set_difference,                                            \
       "The elements that none of the others has."},                                              \
      {"intersection(self, /, *others)", set_intersection,                                        \
       "The elements that all of the others have too."},                                          \
      {"isdisjoint(self, other, /)", set_isdisjoint, "Whether there is no common element."},      \
      {"issubset(self, other, /)", set_issubset, "Whether other has every element of this set."}, \
      {"issuperset(self, other, /)", set_issuperset,                                              \
       "Whether this set has every element of other."},                                           \
      {"symmetric_difference(self, other, /)", set_symmetric_difference,                          \
       "The elements that only one of the two has."},                                             \
  {                                                                                               \
    "union(self, /, *others)", set_union, "The elements of this set and of all the others."       \
  }

const MethodSpec kFrozensetMethods[] = {MVM_COMMON_SET_METHODS};
const MethodSpec kSetMethods[] = {
    MVM_COMMON_SET_METHODS,
    {"add(self, object, /)", set_add, "Enters the object, unless an equal one is there."},
    {"clear(self, /)", set_clear, "Makes the set empty."},
    {"difference_update(self, /, *others)", set_difference_update,
     "Drops the elements that one of the others has."},
    {"discard(self, object, /)", set_discard, "Drops the object, if it is there."},
    {"intersection_update(self, /, *others)", set_intersection_update,
     "Drops the elements that one of the others lacks."},
    {"pop(self, /)", set_pop,
     "Takes out some element and gives it; KeyError where the set is empty."},
    {"remove(self, object, /)", set_remove, "Drops the object; KeyError where it is not there."},
    {"symmetric_difference_update(self, other, /)", set_symmetric_difference_update,
     "Drops the elements that other has and enters those that were missing."},
    {"update(self, /, *others)", set_update, "Enters the elements of all the others."},
};
#undef MVM_COMMON_SET_METHODS

// ---- iterator ----

Result<> iter_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iter_next(ThreadState& ts, Value self) {
  SetIterator* it = self.as<SetIterator>();
  SetObject* s = it->set;
  if (!s) return Result<>::Done();
  if (MVM_UNLIKELY(it->expected != s->used)) {
    it->expected = UINT64_MAX;  // stays in error
    return Raise(ts, Exc::kRuntimeError, "Set changed size during iteration");
  }
  size_t pos = it->position;
  Value key;
  if (SetNext(s, &pos, &key)) {
    it->position = pos;
    if (it->remaining > 0) --it->remaining;
    return Result<>::Borrow(key);
  }
  it->set = nullptr;
  Decref(s);
  return Result<>::Done();
}

Result<> iter_length_hint(ThreadState& ts, Args args) {
  const SetIterator* it = args.self<SetIterator>();
  const bool valid = it->set && it->expected == it->set->used;
  return Small(valid ? static_cast<int64_t>(it->remaining) : 0);
}

Result<> iter_reduce(ThreadState& ts, Args args) {
  const SetIterator* it = args.self<SetIterator>();
  MVM_TRY(Ref<SetIterator> copy, New<SetIterator>(ts, TypeId::kSetIterator));
  if (it->set) {
    copy->set = Ref<SetObject>::Borrow(it->set).Release();
    copy->position = it->position;
    copy->expected = it->expected;
    copy->remaining = it->remaining;
  }
  Track(copy);
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  MVM_TRY(Ref<ListObject> rest, ListFrom(ts, copy));
  Value arg[] = {rest};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, arg));
  Value state[] = {iter, call_args};
  return NewTuple(ts, state);
}

const MethodSpec kIteratorMethods[] = {
    {"__length_hint__(self, /)", iter_length_hint, "How many items are left, as far as is known."},
    {"__reduce__(self, /)", iter_reduce, "What pickle and copy need to make the object again."},
};

// The collector empties a set as a whole, so that finalizers see a valid one.
void set_gc_clear(Object* self) { SetClear(ThreadOf(self), self->as<SetObject>()); }

}  // namespace

const TypeSpec kSetType = {
    .name = "set",
    .doc = "A mutable set of hashable objects, in no order.",
    .flags = kTypeBase | kTypeSetSubclass | kTypeMatchSelf,
    .size = sizeof(SetObject),
    .gc = {gc_internal::VisitHook<SetObject>, set_gc_clear, gc_internal::DestroyHook<SetObject>},
    .slots = {.repr = set_repr,
              .hash = HashNotImplemented,
              .compare = set_compare,
              .iter = set_iter,
              .init = set_init,
              .new_ = set_new,
              .len = set_len,
              .contains = set_contains,
              .sub = set_sub,
              .and_ = set_and,
              .xor_ = set_xor,
              .or_ = set_or,
              .isub = set_isub,
              .iand = set_iand,
              .ixor = set_ixor,
              .ior = set_ior},
    .methods = kSetMethods,
};

const TypeSpec kFrozensetType = {
    .name = "frozenset",
    .doc = "A set that cannot change, and so can be an element or a key itself.",
    .flags = kTypeBase | kTypeSetSubclass | kTypeMatchSelf,
    .size = sizeof(SetObject),
    .gc = {gc_internal::VisitHook<SetObject>, nullptr, gc_internal::DestroyHook<SetObject>},
    .slots = {.repr = set_repr,
              .hash = frozenset_hash,
              .compare = set_compare,
              .iter = set_iter,
              .new_ = frozenset_new,
              .len = set_len,
              .contains = set_contains,
              .sub = set_sub,
              .and_ = set_and,
              .xor_ = set_xor,
              .or_ = set_or},
    .methods = kFrozensetMethods,
};

const TypeSpec kSetIteratorType = {
    .name = "set_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(SetIterator),
    .gc = {gc_internal::VisitHook<SetIterator>, nullptr, gc_internal::DestroyHook<SetIterator>},
    .slots = {.iter = iter_self, .next = iter_next},
    .methods = kIteratorMethods,
};

}  // namespace minivm
