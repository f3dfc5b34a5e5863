// Module _functools: cmp_to_key, partial, reduce. The cache of lru_cache is in
// functools_lru_cache.cpp.
#include "runtime/core/held_memory.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"
#include "runtime/support/small_vector.h"

namespace minivm {

extern const TypeSpec kPartialType;
extern const TypeSpec kKeyWrapperType;
extern const TypeSpec kLruCacheType;  // functools_lru_cache.cpp

namespace {

// ---- partial ----

class Partial : public Object {
 public:
  DictObject* attributes = nullptr;  // __dict__; first, see dict_offset
  Value function;
  TupleObject* args = nullptr;
  DictObject* keywords = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(attributes);
    v(function);
    v(args);
    v(keywords);
  }
};

// Adds the raw keyword arguments to d.
Status AddKeywords(ThreadState& ts, DictObject* d, Args raw) {
  if (raw.nkw == 0) return Ok();
  const TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
  for (uint32_t i = 0; i < raw.nkw; ++i)
    MVM_TRY_VOID(DictSet(ts, d, (*names)[i], raw.v[raw.n + i]));
  return Ok();
}

Result<TupleObject> Joined(ThreadState& ts, TupleObject* a, const Value* b, size_t nb) {
  if (nb == 0) return Ref<TupleObject>::Borrow(a);
  if (a->size() == 0) return NewTuple(ts, {b, nb});
  MVM_TRY(Ref<TupleObject> joined, NewTupleRaw(ts, a->size() + nb));
  Value* out = joined->items();
  for (const Value item : a->span()) *out++ = Ref<>::Borrow(item).Release();
  for (size_t i = 0; i < nb; ++i) *out++ = Ref<>::Borrow(b[i]).Release();
  Track(joined);
  return joined;
}

Result<> partial_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n < 1) return Raise(ts, Exc::kTypeError, "type 'partial' takes at least one argument");
  Ref<> function = Ref<>::Borrow(raw[0]);
  if (!IsCallable(ts, function))
    return Raise(ts, Exc::kTypeError, "the first argument must be callable");
  MVM_TRY(TypeObject * partial, TypeForSpec(ts, kPartialType));
  Ref<TupleObject> args;
  Ref<DictObject> keywords;
  if (TypeOf(ts, function) == partial && !function.as<Partial>()->attributes) {
    // A partial of a partial calls the innermost function directly.
    const Ref<Partial> inner = Ref<Partial>::Borrow(function.as<Partial>());
    MVM_TRY(args, Joined(ts, inner->args, raw.v + 1, raw.n - 1));
    MVM_TRY(keywords, DictCopy(ts, inner->keywords));
    function = Ref<>::Borrow(inner->function);
  } else {
    MVM_TRY(args, NewTuple(ts, {raw.v + 1, raw.n - 1}));
    MVM_TRY(keywords, NewDict(ts));
  }
  MVM_TRY_VOID(AddKeywords(ts, keywords, raw));
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  Partial* p = made.as<Partial>();
  p->function = function.Release();
  p->args = args.Release();
  p->keywords = keywords.Release();
  return made;
}

Result<> partial_call(ThreadState& ts, Value self, Args raw) {
  Partial* p = self.as<Partial>();
  if (!p->function) return Raise(ts, Exc::kTypeError, "partial object has no function");
  // __setstate__ may replace them during the call.
  const Ref<> function = Ref<>::Borrow(p->function);
  const Ref<TupleObject> args = Ref<TupleObject>::Borrow(p->args);
  if (MVM_LIKELY(DictSize(p->keywords) == 0)) {
    HeldMemory held;
    SmallVector<Value, 16> words;
    const size_t given = raw.n + raw.nkw + (raw.nkw > 0);
    MVM_TRY_VOID(held.Reserve(ts, words, size_t{args->size()} + given));
    if (!words.Append(args->items(), args->size()) || !words.Append(raw.v, given))
      return RaiseMemoryError(ts);
    return CallRaw(ts, function, Args{words.data(), args->size() + raw.n, raw.nkw});
  }
  MVM_TRY(Ref<TupleObject> all, Joined(ts, args, raw.v, raw.n));
  MVM_TRY(Ref<DictObject> keywords, DictCopy(ts, p->keywords));
  MVM_TRY_VOID(AddKeywords(ts, keywords, raw));
  return CallWith(ts, function, all, keywords);
}

Result<> partial_get(ThreadState& ts, Value self, Value object, Value) {
  if (object && !IsNone(ts, object)) {
    MVM_TRY_VOID(Warn(ts, Exc::kFutureWarning, 1,
                      "functools.partial will be a method descriptor in future Python versions; "
                      "wrap it in staticmethod() if you want to preserve the old behavior"));
  }
  return Result<>::Borrow(self);
}

Result<> partial_repr(ThreadState& ts, Value self) {
  Partial* p = self.as<Partial>();
  ReprGuard repr(ts, p);
  if (repr.inside()) return NewStr(ts, "...");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  TypeObject* type = TypeOf(ts, self);
  const Ref<> function = Ref<>::Borrow(p->function);
  const Ref<TupleObject> args = Ref<TupleObject>::Borrow(p->args);
  const Ref<DictObject> keywords = Ref<DictObject>::Borrow(p->keywords);
  StrBuilder out(ts);
  MVM_TRY(Ref<> module, GetAttr(ts, type, MVM_NAME(ts, __module__)));
  MVM_TRY(Ref<> name, GetAttr(ts, type, MVM_NAME(ts, __qualname__)));
  MVM_TRY(Ref<StrObject> head, Format(ts, "%S.%S(%R", module.get(), name.get(), function.get()));
  MVM_TRY_VOID(out.Append(head.get()));
  for (const Value arg : args->span()) {
    MVM_TRY(Ref<StrObject> text, Format(ts, ", %R", arg));
    MVM_TRY_VOID(out.Append(text.get()));
  }
  size_t pos = 0;
  Value k, v;
  while (DictNext(ts, keywords, &pos, &k, &v)) {
    const Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
    MVM_TRY(Ref<StrObject> text, Format(ts, ", %S=%R", key.get(), value.get()));
    MVM_TRY_VOID(out.Append(text.get()));
  }
  MVM_TRY_VOID(out.Append(U')'));
  return out.Finish();
}

Result<> partial_reduce(ThreadState& ts, Args args) {
  Partial* p = args.self<Partial>();
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, {&p->function, 1}));
  Value parts[] = {p->function, p->args, p->keywords,
                   p->attributes ? Value(p->attributes) : Value(ts.rt->none)};
  MVM_TRY(Ref<TupleObject> state, NewTuple(ts, parts));
  Value result[] = {TypeOf(ts, args[0]), call_args, state};
  return NewTuple(ts, result);
}

Result<> partial_setstate(ThreadState& ts, Args args) {
  Partial* p = args.self<Partial>();
  const auto invalid = [&] { return Raise(ts, Exc::kTypeError, "invalid partial state"); };
  if (!IsTuple(ts, args[1]) || args.as<TupleObject>(1)->size() != 4) return invalid();
  const TupleObject* state = args.as<TupleObject>(1);
  const Value function = (*state)[0], positional = (*state)[1], keywords = (*state)[2],
              attributes = (*state)[3];
  if (!IsCallable(ts, function) || !IsTuple(ts, positional) ||
      (!IsNone(ts, keywords) && !IsDict(ts, keywords)) ||
      (!IsNone(ts, attributes) && !IsDict(ts, attributes))) {
    return invalid();
  }
  MVM_TRY(Ref<TupleObject> new_args,
          IsExact(positional, TypeId::kTuple)
              ? Result<TupleObject>(Ref<TupleObject>::Borrow(positional.as<TupleObject>()))
              : NewTuple(ts, positional.as<TupleObject>()->span()));
  Ref<DictObject> new_keywords;
  if (IsNone(ts, keywords)) {
    MVM_TRY(new_keywords, NewDict(ts));
  } else if (IsExactDict(keywords)) {
    new_keywords = Ref<DictObject>::Borrow(keywords.as<DictObject>());
  } else {
    MVM_TRY(new_keywords, DictCopy(ts, keywords.as<DictObject>()));
  }
  Ref<DictObject> new_attributes;
  if (!IsNone(ts, attributes))
    new_attributes = Ref<DictObject>::Borrow(attributes.as<DictObject>());
  const Ref<> old_function =
      Ref<>::Steal(std::exchange(p->function, Ref<>::Borrow(function).Release()));
  const Ref<TupleObject> old_args =
      Ref<TupleObject>::Steal(std::exchange(p->args, new_args.Release()));
  const Ref<DictObject> old_keywords =
      Ref<DictObject>::Steal(std::exchange(p->keywords, new_keywords.Release()));
  const Ref<DictObject> old_attributes =
      Ref<DictObject>::Steal(std::exchange(p->attributes, new_attributes.Release()));
  return None(ts);
}

Result<> OrNone(ThreadState& ts, Value v) { return v ? Result<>::Borrow(v) : None(ts); }
Result<> partial_func(ThreadState& ts, Value self) {
  return OrNone(ts, self.as<Partial>()->function);
}
Result<> partial_args(ThreadState& ts, Value self) { return OrNone(ts, self.as<Partial>()->args); }
Result<> partial_keywords(ThreadState& ts, Value self) {
  return OrNone(ts, self.as<Partial>()->keywords);
}

const MethodSpec kPartialMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585.", kMethodClass},
    {"__reduce__(self, /)", partial_reduce},
    {"__setstate__(self, state, /)", partial_setstate},
};
const GetSetSpec kPartialGetSets[] = {
    {"args", partial_args, SetReadOnlyMember, "Positional arguments put before those of a call"},
    {"func", partial_func, SetReadOnlyMember, "What a call calls in the end"},
    {"keywords", partial_keywords, SetReadOnlyMember,
     "Keyword arguments of every call; those given in it win"},
};

// ---- cmp_to_key ----

// The key function itself (no object) and the keys it makes.
class KeyWrapper : public Object {
 public:
  Value compare;
  Value object;
  template <class V>
  void VisitRefs(V&& v) {
    v(compare);
    v(object);
  }
};

Result<> NewKeyWrapper(ThreadState& ts, Value compare, Value object) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kKeyWrapperType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<KeyWrapper>()->compare = Ref<>::Borrow(compare).Release();
  made.as<KeyWrapper>()->object = Ref<>::Borrow(object).Release();
  return made;
}

Result<> functools_cmp_to_key(ThreadState& ts, Args args) {
  return NewKeyWrapper(ts, args[0], Value());
}

Result<> keywrapper_call(ThreadState& ts, Value self, Args raw) {
  const bool by_name = raw.n == 0 && raw.nkw == 1 &&
                       (*raw.v[1].as<TupleObject>())[0].as<StrObject>()->EqualsAscii("obj");
  if (raw.n + raw.nkw > 1) {
    return Raise(ts, Exc::kTypeError, "K() takes at most 1 argument (%u given)", raw.n + raw.nkw);
  }
  if (raw.n != 1 && !by_name)
    return Raise(ts, Exc::kTypeError, "K() missing required argument 'obj' (pos 1)");
  return NewKeyWrapper(ts, self.as<KeyWrapper>()->compare, raw[0]);
}

Result<> keywrapper_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (TypeOf(ts, a) != TypeOf(ts, b))
    return Raise(ts, Exc::kTypeError, "other argument must be K instance");
  const KeyWrapper *x = a.as<KeyWrapper>(), *y = b.as<KeyWrapper>();
  if (!x->object || !y->object || !x->compare) return Raise(ts, Exc::kAttributeError, "object");
  const Ref<> compare = Ref<>::Borrow(x->compare);
  MVM_TRY(Ref<> order, Call(ts, compare, x->object, y->object));
  return Compare(ts, order, Value::Int(0), op);
}

Result<> keywrapper_obj(ThreadState& ts, Value self) {
  const Value object = self.as<KeyWrapper>()->object;
  return object ? Result<>::Borrow(object) : Result<>(Raise(ts, Exc::kAttributeError, "obj"));
}
Status keywrapper_set_obj(ThreadState&, Value self, Value value) {
  const Ref<> old =
      Ref<>::Steal(std::exchange(self.as<KeyWrapper>()->object, Ref<>::Borrow(value).Release()));
  return Ok();
}
const GetSetSpec kKeyWrapperGetSets[] = {
    {"obj", keywrapper_obj, keywrapper_set_obj, "Value wrapped by a key function."}};

// ---- reduce ----

Result<> functools_reduce(ThreadState& ts, Args args) {
  Result<> iterator = GetIter(ts, args[1]);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "reduce() arg 2 must support iteration");
  }
  const Ref<> it = iterator.Take();
  Ref<> total;
  if (args.has(2)) total = Ref<>::Borrow(args[2]);
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) break;
    if (total.is_null()) {
      total = std::move(item);
    } else {
      MVM_TRY(total, Call(ts, args[0], total, item));
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
  if (total.is_null()) {
    return Raise(ts, Exc::kTypeError, "reduce() of empty iterable with no initial value");
  }
  return total;
}

const MethodSpec kFunctions[] = {
    {"cmp_to_key(mycmp)", functools_cmp_to_key,
     "A key function for sorting, from mycmp(a, b): below zero, zero or above it as a sorts "
     "before, with or after b."},
    {"reduce(function, iterable, initial=<unrepresentable>, /)", functools_reduce,
     "Fold: initial and the first item go through function, its result and the next item again, "
     "and so on.\n"
     "\n"
     "Without initial, the first item takes its place. Nothing to fold is a TypeError."},
};
const TypeSpec* const kTypes[] = {&kPartialType, &kLruCacheType};

}  // namespace

const TypeSpec kPartialType = {
    .name = "functools.partial",
    .doc = "func with some of its arguments given in advance; a call adds its own.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(Partial),
    .gc = GcHooksOf<Partial>(),
    .slots = {.repr = partial_repr,
              .call = partial_call,
              .descr_get = partial_get,
              .new_ = partial_new},
    .methods = kPartialMethods,
    .getsets = kPartialGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),
};

const TypeSpec kKeyWrapperType = {
    .name = "functools.KeyWrapper",
    .flags = kTypeNoNew,
    .size = sizeof(KeyWrapper),
    .gc = GcHooksOf<KeyWrapper>(),
    .slots = {.hash = HashNotImplemented, .call = keywrapper_call, .compare = keywrapper_compare},
    .getsets = kKeyWrapperGetSets,
};

extern const ModuleSpec k__functools_module;
const ModuleSpec k__functools_module = {
    .name = "_functools",
    .doc = "The native half of functools.",
    .functions = kFunctions,
    .types = kTypes,
};

}  // namespace minivm
