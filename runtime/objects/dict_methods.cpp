// The type dict: construction, operators and methods.
#include "runtime/gc/object_refs.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/dict_views.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"

namespace minivm {
namespace {

// dict(...) and update(...): at most one mapping or iterable of pairs, then keywords.
Status UpdateFromArgs(ThreadState& ts, DictObject* self, const char* name, Args raw) {
  if (raw.n > 1) {
    return Raise(ts, Exc::kTypeError, "%s expected at most 1 argument, got %u", name, raw.n);
  }
  if (raw.n == 1) MVM_TRY_VOID(DictUpdate(ts, self, raw[0]));
  if (raw.nkw == 0) return Ok();
  const TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
  for (uint32_t i = 0; i < raw.nkw; ++i)
    MVM_TRY_VOID(DictSet(ts, self, (*names)[i], raw.v[raw.n + i]));
  return Ok();
}

Result<> dict_new(ThreadState& ts, TypeObject* cls, Args) {
  if (cls == TypeById(ts, TypeId::kDict)) return NewDict(ts);
  return AllocInstance(ts, cls);
}

Status dict_init(ThreadState& ts, Value self, Args raw) {
  return UpdateFromArgs(ts, self.as<DictObject>(), "dict", raw);
}

Result<> dict_repr(ThreadState& ts, Value self) {
  DictObject* d = self.as<DictObject>();
  if (DictSize(d) == 0) return NewStr(ts, "{}");
  ReprGuard repr(ts, d);
  if (repr.inside()) return NewStr(ts, "{...}");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Append(U'{'));
  size_t pos = 0;
  Value k, v;
  bool first = true;
  while (DictNext(ts, d, &pos, &k, &v)) {
    const Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
    if (!first) MVM_TRY_VOID(out.AppendAscii(", "));
    first = false;
    MVM_TRY(Ref<StrObject> key_text, Repr(ts, key));
    MVM_TRY_VOID(out.Append(key_text.get()));
    MVM_TRY_VOID(out.AppendAscii(": "));
    MVM_TRY(Ref<StrObject> value_text, Repr(ts, value));
    MVM_TRY_VOID(out.Append(value_text.get()));
    MVM_TRY_VOID(Charge(ts, 4));
  }
  MVM_TRY_VOID(out.Append(U'}'));
  return out.Finish();
}

Result<bool> DictsEqual(ThreadState& ts, DictObject* a, DictObject* b) {
  if (DictSize(a) != DictSize(b)) return false;
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  size_t pos = 0;
  Value k, v;
  while (DictNext(ts, a, &pos, &k, &v)) {
    const Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
    MVM_TRY(uint32_t hash, a->storage == DictStorage::kSlots
                               ? DictHashKey(ts, key)
                               : Result<uint32_t>(a->hashes()[pos - 1]));
    MVM_TRY(Value * place, DictFindHashed(ts, b, key, hash));
    if (!place) return false;
    const Ref<> other = Ref<>::Borrow(*place);
    MVM_TRY(bool equal, EqualValues(ts, value, other));
    if (!equal) return false;
    MVM_TRY_VOID(Charge(ts, 2));
  }
  return true;
}

Result<> dict_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsDict(ts, a) || !IsDict(ts, b)) {
    return NotImplemented(ts);
  }
  MVM_TRY(bool equal, DictsEqual(ts, a.as<DictObject>(), b.as<DictObject>()));
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<> dict_iter(ThreadState& ts, Value self) {
  return NewDictIterator(ts, self.as<DictObject>(), TypeId::kDictKeyIterator);
}

Result<int64_t> dict_len(ThreadState&, Value self) {
  return static_cast<int64_t>(DictSize(self.as<DictObject>()));
}

Result<> dict_get_item(ThreadState& ts, Value self, Value key) {
  MVM_TRY(Value * place, DictFind(ts, self.as<DictObject>(), key));
  if (MVM_LIKELY(place != nullptr)) return Result<>::Borrow(*place);
  if (TypeOf(ts, self) != TypeById(ts, TypeId::kDict)) {
    Value arg = key;
    MVM_TRY(Ref<> made, CallSpecial(ts, self, MVM_NAME(ts, __missing__), {&arg, 1}));
    if (!made.is_absent()) return made;
  }
  return RaiseValue(ts, Exc::kKeyError, key);
}

Status dict_set_item(ThreadState& ts, Value self, Value key, Value value) {
  DictObject* d = self.as<DictObject>();
  if (value) return DictSet(ts, d, key, value);
  MVM_TRY(bool was_there, DictDelete(ts, d, key));
  if (!was_there) return RaiseValue(ts, Exc::kKeyError, key);
  return Ok();
}

Result<bool> dict_contains(ThreadState& ts, Value self, Value key) {
  return DictContains(ts, self.as<DictObject>(), key);
}

Result<> dict_or(ThreadState& ts, Value a, Value b) {
  if (!IsDict(ts, a) || !IsDict(ts, b)) return NotImplemented(ts);
  MVM_TRY(Ref<DictObject> merged, DictCopy(ts, a.as<DictObject>()));
  MVM_TRY_VOID(DictUpdate(ts, merged, b));
  return merged;
}

Result<> dict_ior(ThreadState& ts, Value a, Value b) {
  MVM_TRY_VOID(DictUpdate(ts, a.as<DictObject>(), b));
  return Result<>::Borrow(a);
}

// ---- methods ----

Result<> dict_clear(ThreadState& ts, Args args) {
  DictClear(ts, args.self<DictObject>());
  return None(ts);
}

Result<> dict_copy(ThreadState& ts, Args args) { return DictCopy(ts, args.self<DictObject>()); }

Result<> dict_fromkeys(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, Call(ts, args[0]));
  const Value value = args[2];
  if (IsExact(made, TypeId::kDict) && made.as<DictObject>()->used == 0) {
    DictObject* d = made.as<DictObject>();
    if (IsExact(args[1], TypeId::kDict)) {
      DictObject* source = args.as<DictObject>(1);
      size_t pos = 0;
      Value k, v;
      while (DictNext(ts, source, &pos, &k, &v)) {
        const Ref<> key = Ref<>::Borrow(k);
        MVM_TRY_VOID(DictSetHashed(ts, d, key, source->hashes()[pos - 1], value));
        MVM_TRY_VOID(Charge(ts, 1));
      }
      return made;
    }
    if (IsExact(args[1], TypeId::kSet) || IsExact(args[1], TypeId::kFrozenset)) {
      SetObject* source = args.as<SetObject>(1);
      size_t pos = 0;
      Value k;
      while (SetNext(source, &pos, &k)) {
        const Ref<> key = Ref<>::Borrow(k);
        MVM_TRY(uint32_t hash, SetDictHash(ts, key, source->hashes()[pos - 1]));
        MVM_TRY_VOID(DictSetHashed(ts, d, key, hash, value));
        MVM_TRY_VOID(Charge(ts, 1));
      }
      return made;
    }
    MVM_TRY_VOID(ForEach(ts, args[1], [&](Value key) { return DictSet(ts, d, key, value); }));
    return made;
  }
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value key) { return SetItem(ts, made, key, value); }));
  return made;
}

Result<> dict_get(ThreadState& ts, Args args) {
  DictObject* d = args.self<DictObject>();
  if (MVM_LIKELY(d->storage == DictStorage::kHash)) {
    if (const Value* found = DictPeek(*ts.rt, d, args[1])) return Result<>::Borrow(*found);
  }
  MVM_TRY(Value * place, DictFind(ts, d, args[1]));
  return Result<>::Borrow(place ? *place : args[2]);
}

Result<> dict_items(ThreadState& ts, Args args) {
  return NewDictView(ts, args.self<DictObject>(), TypeId::kDictItems);
}
Result<> dict_keys(ThreadState& ts, Args args) {
  return NewDictView(ts, args.self<DictObject>(), TypeId::kDictKeys);
}
Result<> dict_values(ThreadState& ts, Args args) {
  return NewDictView(ts, args.self<DictObject>(), TypeId::kDictValues);
}

Result<> dict_pop(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> value, DictPop(ts, args.self<DictObject>(), args[1]));
  if (!value.is_absent()) return value;
  if (args.has(2)) return Result<>::Borrow(args[2]);
  return RaiseValue(ts, Exc::kKeyError, args[1]);
}

Result<> dict_popitem(ThreadState& ts, Args args) {
  Ref<> key, value;
  MVM_TRY(bool taken, DictPopEnd(ts, args.self<DictObject>(), true, &key, &value));
  if (!taken) return Raise(ts, Exc::kKeyError, "popitem(): dictionary is empty");
  Value pair[] = {key, value};
  return NewTuple(ts, pair);
}

Result<> dict_reversed(ThreadState& ts, Args args) {
  return NewDictIterator(ts, args.self<DictObject>(), TypeId::kDictReverseKeyIterator);
}

Result<> dict_setdefault(ThreadState& ts, Args args) {
  return DictSetDefault(ts, args.self<DictObject>(), args[1], args[2]);
}

Result<> dict_sizeof(ThreadState& ts, Args args) {
  return NewInt(ts, static_cast<int64_t>(DictSizeOf(args.self<DictObject>())));
}

Result<> dict_update(ThreadState& ts, Args args) {
  MVM_TRY_VOID(UpdateFromArgs(ts, args.self<DictObject>(), "update",
                              Args{args.v + 1, args.n - 1, args.nkw}));
  return None(ts);
}

Result<> dict_contains_method(ThreadState& ts, Args args) {
  MVM_TRY(bool found, DictContains(ts, args.self<DictObject>(), args[1]));
  return Bool(ts, found);
}
Result<> dict_getitem_method(ThreadState& ts, Args args) {
  return dict_get_item(ts, args[0], args[1]);
}

const MethodSpec kDictMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"__contains__(self, key, /)", dict_contains_method, "Whether key is among the keys."},
    {"__getitem__(self, key, /)", dict_getitem_method, "The value of key."},
    {"__reversed__(self, /)", dict_reversed, "An iterator over the keys, the newest first."},
    {"__sizeof__(self, /)", dict_sizeof,
     "How many bytes the table takes, without the objects in it."},
    {"clear(self, /)", dict_clear, "Makes the dict empty."},
    {"copy(self, /)", dict_copy, "A new dict of the same keys and values."},
    {"fromkeys(cls, iterable, value=None, /)", dict_fromkeys,
     "A new dict that maps each key from the iterable to the one value.", kMethodClass},
    {"get(self, key, default=None, /)", dict_get,
     "self[key], or the default where there is no such key."},
    {"items(self, /)", dict_items,
     "A view of the (key, value) pairs, which follows changes of the dict."},
    {"keys(self, /)", dict_keys, "A view of the keys, which follows changes of the dict."},
    {"pop(self, key, default=<unrepresentable>, /)", dict_pop,
     "Takes key out and gives its value; the default, or KeyError, where it is missing."},
    {"popitem(self, /)", dict_popitem,
     "Takes out the pair that was entered last; KeyError where the dict is empty."},
    {"setdefault(self, key, default=None, /)", dict_setdefault,
     "self[key]; a missing key is entered with the default first."},
    {"update(...)", dict_update,
     "Enters a mapping or an iterable of pairs, then the keyword arguments."},
    {"values(self, /)", dict_values, "A view of the values, which follows changes of the dict."},
};

// The collector empties a dict as a whole, so that finalizers see a valid one.
void dict_gc_clear(Object* self) { DictClear(ThreadOf(self), self->as<DictObject>()); }

constexpr GcHooks kDictGc = {gc_internal::VisitHook<DictObject>, dict_gc_clear,
                             gc_internal::DestroyHook<DictObject>};

}  // namespace

extern const TypeSpec kDictType;
const TypeSpec kDictType = {
    .name = "dict",
    .doc =
        "A mapping from hashable keys to values, in the order in which keys were entered.\n\n"
        "Made from a mapping or an iterable of pairs, and from keyword arguments.",
    .flags = kTypeBase | kTypeDictSubclass | kTypeMapping | kTypeMatchSelf,
    .size = sizeof(DictObject),
    .gc = kDictGc,
    .slots = {.repr = dict_repr,
              .hash = HashNotImplemented,
              .compare = dict_compare,
              .iter = dict_iter,
              .init = dict_init,
              .new_ = dict_new,
              .len = dict_len,
              .get_item = dict_get_item,
              .set_item = dict_set_item,
              .contains = dict_contains,
              .or_ = dict_or,
              .ior = dict_ior},
    .methods = kDictMethods,
};

}  // namespace minivm
