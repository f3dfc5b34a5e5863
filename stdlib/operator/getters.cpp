// operator: itemgetter, attrgetter, methodcaller.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"
#include "runtime/support/small_vector.h"

namespace minivm {

extern const TypeSpec kItemGetterType;
extern const TypeSpec kAttrGetterType;
extern const TypeSpec kMethodCallerType;

namespace {

// All three: what was given, and what calls work with.
class Getter : public Object {
 public:
  TupleObject* given = nullptr;  // items, attribute names, or positional arguments of the method
  TupleObject* paths = nullptr;  // attrgetter: a tuple of interned names for each dotted name
  StrObject* method = nullptr;   // methodcaller
  DictObject* keywords = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(given);
    v(paths);
    v(method);
    v(keywords);
  }
};

Status CheckArguments(ThreadState& ts, const char* name, Args raw, bool at_least) {
  if (raw.nkw > 0) return Raise(ts, Exc::kTypeError, "%s() takes no keyword arguments", name);
  if (at_least ? raw.n < 1 : raw.n != 1) {
    return Raise(ts, Exc::kTypeError, "%s expected 1 argument, got %u", name, raw.n);
  }
  return Ok();
}

// "operator.name(a, b, k=v)"
Result<> GetterRepr(ThreadState& ts, Value self, Value first, TupleObject* rest,
                    DictObject* keywords) {
  ReprGuard repr(ts, self.object());
  MVM_TRY(Ref<> module, GetAttr(ts, TypeOf(ts, self), MVM_NAME(ts, __module__)));
  MVM_TRY(Ref<StrObject> head, Format(ts, "%S.%U(", module.get(), Value(TypeOf(ts, self)->name)));
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Append(head.get()));
  if (repr.inside()) {
    MVM_TRY_VOID(out.AppendAscii("...)"));
    return out.Finish();
  }
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  const char* separator = "";
  const auto append = [&](Value v) -> Status {
    MVM_TRY_VOID(out.AppendAscii(separator));
    separator = ", ";
    MVM_TRY(Ref<StrObject> text, Repr(ts, v));
    return out.Append(text.get());
  };
  if (first) MVM_TRY_VOID(append(first));
  for (const Value v : rest->span()) MVM_TRY_VOID(append(v));
  if (keywords) {
    size_t pos = 0;
    Value k, v;
    while (DictNext(ts, keywords, &pos, &k, &v)) {
      const Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
      MVM_TRY(Ref<StrObject> text, Format(ts, "%s%S=%R", separator, key.get(), value.get()));
      separator = ", ";
      MVM_TRY_VOID(out.Append(text.get()));
    }
  }
  MVM_TRY_VOID(out.Append(U')'));
  return out.Finish();
}

Result<> getter_repr(ThreadState& ts, Value self) {
  return GetterRepr(ts, self, Value(), self.as<Getter>()->given, nullptr);
}

Result<> getter_reduce(ThreadState& ts, Args args) {
  Value state[] = {TypeOf(ts, args[0]), args.self<Getter>()->given};
  return NewTuple(ts, state);
}

// A tuple of f(i) for each of n.
template <class F>
Result<> TupleOf(ThreadState& ts, uint32_t n, F f) {
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, n));
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> item, f(i));
    result->items()[i] = item.Release();
  }
  Track(result);
  return result;
}

// ---- itemgetter ----

Result<> itemgetter_new(ThreadState& ts, TypeObject* cls, Args raw) {
  MVM_TRY_VOID(CheckArguments(ts, "itemgetter", raw, true));
  MVM_TRY(Ref<TupleObject> items, NewTuple(ts, {raw.v, raw.n}));
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  made.as<Getter>()->given = items.Release();
  return made;
}

Result<> itemgetter_call(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(CheckArguments(ts, "itemgetter", raw, false));
  const TupleObject* items = self.as<Getter>()->given;
  const Value object = raw[0];
  if (MVM_LIKELY(items->size() == 1)) {
    const Value item = (*items)[0];
    if (item.is_int() && IsExact(object, TypeId::kTuple) &&
        static_cast<uint64_t>(item.as_int()) < object.as<TupleObject>()->size()) {
      return Result<>::Borrow((*object.as<TupleObject>())[static_cast<size_t>(item.as_int())]);
    }
    return GetItem(ts, object, item);
  }
  return TupleOf(ts, items->size(), [&](uint32_t i) { return GetItem(ts, object, (*items)[i]); });
}

// ---- attrgetter ----

// "a.b" -> ("a", "b"), interned.
Result<TupleObject> SplitPath(ThreadState& ts, StrObject* name) {
  MVM_TRY(Ref<ListObject> parts, NewListReserve(ts, 1));
  size_t start = 0;
  for (size_t i = 0; i <= name->length; ++i) {
    if (i < name->length && name->At(i) != U'.') continue;
    MVM_TRY(Ref<StrObject> part, StrSlice(ts, name, start, i));
    MVM_TRY(Ref<StrObject> interned, Intern(ts, part));
    MVM_TRY_VOID(ListAppend(ts, parts, interned));
    start = i + 1;
  }
  return TupleFrom(ts, parts);
}

Result<> attrgetter_new(ThreadState& ts, TypeObject* cls, Args raw) {
  MVM_TRY_VOID(CheckArguments(ts, "attrgetter", raw, true));
  MVM_TRY(Ref<> paths, TupleOf(ts, raw.n, [&](uint32_t i) -> Result<> {
            if (!IsStr(ts, raw[i]))
              return Raise(ts, Exc::kTypeError, "attribute name must be a string");
            return SplitPath(ts, raw[i].as<StrObject>());
          }));
  MVM_TRY(Ref<TupleObject> names, NewTuple(ts, {raw.v, raw.n}));
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  made.as<Getter>()->given = names.Release();
  made.as<Getter>()->paths = std::move(paths).Into<TupleObject>().Release();
  return made;
}

Result<> FollowPath(ThreadState& ts, Value object, const TupleObject* path) {
  Ref<> at = Ref<>::Borrow(object);
  for (const Value name : path->span()) {
    MVM_TRY(at, GetAttr(ts, at, name.as<StrObject>()));
  }
  return at;
}

Result<> attrgetter_call(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(CheckArguments(ts, "attrgetter", raw, false));
  const TupleObject* paths = self.as<Getter>()->paths;
  const Value object = raw[0];
  if (MVM_LIKELY(paths->size() == 1)) return FollowPath(ts, object, (*paths)[0].as<TupleObject>());
  return TupleOf(ts, paths->size(),
                 [&](uint32_t i) { return FollowPath(ts, object, (*paths)[i].as<TupleObject>()); });
}

// ---- methodcaller ----

Result<> methodcaller_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n < 1) {
    return Raise(ts, Exc::kTypeError, "methodcaller needs at least one argument, the method name");
  }
  if (!IsStr(ts, raw[0])) return Raise(ts, Exc::kTypeError, "method name must be a string");
  MVM_TRY(Ref<StrObject> name, Intern(ts, raw[0].as<StrObject>()));
  MVM_TRY(Ref<TupleObject> given, NewTuple(ts, {raw.v + 1, raw.n - 1}));
  Ref<DictObject> keywords;
  if (raw.nkw > 0) {
    MVM_TRY(keywords, NewDict(ts, raw.nkw));
    const TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
    for (uint32_t i = 0; i < raw.nkw; ++i)
      MVM_TRY_VOID(DictSet(ts, keywords, (*names)[i], raw.v[raw.n + i]));
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  Getter* g = made.as<Getter>();
  g->given = given.Release();
  g->method = name.Release();
  g->keywords = keywords.Release();
  return made;
}

Result<> methodcaller_call(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(CheckArguments(ts, "methodcaller", raw, false));
  const Getter* g = self.as<Getter>();
  if (!g->keywords) return CallMethod(ts, raw[0], g->method, g->given->span());
  MVM_TRY(Ref<> method, GetAttr(ts, raw[0], g->method));
  return CallWith(ts, method, g->given, g->keywords);
}

Result<> methodcaller_repr(ThreadState& ts, Value self) {
  const Getter* g = self.as<Getter>();
  return GetterRepr(ts, self, g->method, g->given, g->keywords);
}

Result<> methodcaller_reduce(ThreadState& ts, Args args) {
  const Getter* g = args.self<Getter>();
  const Value type = TypeOf(ts, args[0]);
  if (!g->keywords) {
    MVM_TRY(Ref<TupleObject> call_args, NewTupleRaw(ts, g->given->size() + 1));
    call_args->items()[0] = Ref<>::Borrow(g->method).Release();
    for (uint32_t i = 0; i < g->given->size(); ++i) {
      call_args->items()[i + 1] = Ref<>::Borrow((*g->given)[i]).Release();
    }
    Track(call_args);
    Value state[] = {type, call_args};
    return NewTuple(ts, state);
  }
  // Keywords travel in a partial.
  if (!ts.rt->hooks.import_module)
    return Raise(ts, Exc::kTypeError, "cannot pickle methodcaller without modules");
  MVM_TRY(Ref<> functools, ts.rt->hooks.import_module(ts, "functools"));
  MVM_TRY(Ref<> partial, GetAttr(ts, functools, "partial"));
  Value words[] = {type, g->method};
  MVM_TRY(Ref<TupleObject> bound, NewTuple(ts, words));
  MVM_TRY(Ref<> constructor, CallWith(ts, partial, bound, g->keywords));
  Value state[] = {constructor, g->given};
  return NewTuple(ts, state);
}

const MethodSpec kGetterMethods[] = {
    {"__reduce__(self, /)", getter_reduce, "What pickle needs to make it again."}};
const MethodSpec kMethodCallerMethods[] = {
    {"__reduce__(self, /)", methodcaller_reduce, "What pickle needs to make it again."}};

constexpr GcHooks kGetterGc = {gc_internal::VisitHook<Getter>, nullptr,
                               gc_internal::DestroyHook<Getter>};

}  // namespace

const TypeSpec kItemGetterType = {
    .name = "operator.itemgetter",
    .doc =
        "A function that gives r[item] of its argument r, as a tuple if there are several items.",
    .size = sizeof(Getter),
    .gc = kGetterGc,
    .slots = {.repr = getter_repr, .call = itemgetter_call, .new_ = itemgetter_new},
    .methods = kGetterMethods,
};
const TypeSpec kAttrGetterType = {
    .name = "operator.attrgetter",
    .doc =
        "A function that gives the attribute of its argument, as a tuple if there are several; "
        "'a.b' goes through a.",
    .size = sizeof(Getter),
    .gc = kGetterGc,
    .slots = {.repr = getter_repr, .call = attrgetter_call, .new_ = attrgetter_new},
    .methods = kGetterMethods,
};
const TypeSpec kMethodCallerType = {
    .name = "operator.methodcaller",
    .doc =
        "A function that calls the method of that name of its argument, with the arguments given "
        "here.",
    .size = sizeof(Getter),
    .gc = kGetterGc,
    .slots = {.repr = methodcaller_repr, .call = methodcaller_call, .new_ = methodcaller_new},
    .methods = kMethodCallerMethods,
};

}  // namespace minivm
