// types.GenericAlias: list[int]. An alias stands for its origin in nearly everything: calls,
// attributes, bases of classes.
#include "runtime/objects/generic_alias.h"

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/type_params.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

GenericAliasObject* Self(Value v) { return v.as<GenericAliasObject>(); }

Result<GenericAliasObject> Make(ThreadState& ts, uint32_t shape_id, Value origin, Value args,
                                bool starred) {
  Ref<TupleObject> tuple;
  if (IsTuple(ts, args)) {
    tuple = Ref<TupleObject>::Borrow(args.as<TupleObject>());
  } else {
    MVM_TRY(tuple, NewTuple(ts, {&args, 1}));
  }
  MVM_TRY(Ref<GenericAliasObject> a, New<GenericAliasObject>(ts, shape_id));
  a->origin = Ref<>::Borrow(origin).Release();
  a->args = tuple.Release();
  a->starred = starred;
  Track(a);
  return a;
}

Result<> alias_new(ThreadState& ts, Args args) {
  if (args.nkw) return Raise(ts, Exc::kTypeError, "GenericAlias() takes no keyword arguments");
  if (args.n != 3) {
    return Raise(ts, Exc::kTypeError, "GenericAlias expected 2 arguments, got %u", args.n - 1);
  }
  MVM_TRY(Ref<> object, AllocInstance(ts, args.self<TypeObject>()));
  Ref<TupleObject> tuple;
  if (IsTuple(ts, args[2])) {
    tuple = Ref<TupleObject>::Borrow(args.as<TupleObject>(2));
  } else {
    MVM_TRY(tuple, NewTuple(ts, {&args.v[2], 1}));
  }
  Self(object)->origin = Ref<>::Borrow(args[1]).Release();
  Self(object)->args = tuple.Release();
  return object;
}

Result<TupleObject*> Parameters(ThreadState& ts, GenericAliasObject* a) {
  if (!a->parameters) {
    MVM_TRY(Ref<TupleObject> p, CollectParameters(ts, a->args));
    a->parameters = p.Release();
  }
  return a->parameters;
}

// Attributes that are the alias's own; all others are the origin's. The last three are nobody's.
constexpr std::string_view kOwnAttributes[] = {
    "__class__",       "__origin__",     "__args__",
    "__unpacked__",    "__parameters__", "__typing_unpacked_tuple_args__",
    "__mro_entries__", "__reduce_ex__",  "__reduce__",
    "__copy__",        "__deepcopy__",   "__bases__"};

bool IsOwnAttribute(const StrObject* name) {
  if (name->length < 5 || name->At(0) != '_' || name->At(1) != '_') return false;
  for (std::string_view own : kOwnAttributes) {
    if (name->EqualsAscii(own)) return true;
  }
  return false;
}

Result<> alias_getattro(ThreadState& ts, Value self, StrObject* name) {
  if (!IsOwnAttribute(name)) return GetAttr(ts, Self(self)->origin, name);
  return GenericGetAttr(ts, self, name);
}

Result<> alias_repr(ThreadState& ts, Value self) {
  GenericAliasObject* a = Self(self);
  StrBuilder b(ts);
  if (a->starred) MVM_TRY_VOID(b.Append('*'));
  MVM_TRY_VOID(AppendTypeRepr(ts, b, a->origin));
  MVM_TRY_VOID(b.Append('['));
  if (a->args->size() == 0) MVM_TRY_VOID(b.AppendAscii("()"));
  for (uint32_t i = 0; i < a->args->size(); ++i) {
    if (i) MVM_TRY_VOID(b.AppendAscii(", "));
    Value arg = (*a->args)[i];
    if (!IsList(ts, arg)) {
      MVM_TRY_VOID(AppendTypeRepr(ts, b, arg));
      continue;
    }
    // The parameter list of a callable.
    MVM_TRY_VOID(b.Append('['));
    Ref<ListObject> list = Ref<ListObject>::Borrow(arg.as<ListObject>());
    for (uint64_t k = 0; k < list->size; ++k) {
      if (k) MVM_TRY_VOID(b.AppendAscii(", "));
      Ref<> item = Ref<>::Borrow(list->items[k]);
      MVM_TRY_VOID(AppendTypeRepr(ts, b, item));
    }
    MVM_TRY_VOID(b.Append(']'));
  }
  MVM_TRY_VOID(b.Append(']'));
  return b.Finish();
}

Result<int64_t> alias_hash(ThreadState& ts, Value self) {
  MVM_TRY(int64_t h, Hash(ts, Self(self)->origin));
  MVM_TRY(int64_t g, Hash(ts, Self(self)->args));
  h ^= g;
  return h == -1 ? -2 : h;
}

Result<> alias_call(ThreadState& ts, Value self, Args raw) {
  Ref<> origin = Ref<>::Borrow(Self(self)->origin);
  MVM_TRY(Ref<> object, CallRaw(ts, origin, raw));
  if (SetAttr(ts, object, "__orig_class__", self).raised() &&
      !ClearPendingIf(ts, Exc::kAttributeError) && !ClearPendingIf(ts, Exc::kTypeError)) {
    return kRaised;
  }
  return object;
}

Result<> alias_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  TypeObject* type = TypeById(ts, TypeId::kGenericAlias);
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsInstance(ts, a, type) ||
      !IsInstance(ts, b, type)) {
    return NotImplemented(ts);
  }
  bool equal = Self(a)->starred == Self(b)->starred;
  if (equal) {
    MVM_TRY(equal, EqualValues(ts, Self(a)->origin, Self(b)->origin));
  }
  if (equal) {
    MVM_TRY(equal, EqualValues(ts, Self(a)->args, Self(b)->args));
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

// What iter(alias) returns. It has one item: the alias to be unpacked (*tuple[int, ...]).
class AliasIterator : public Object {
 public:
  Value alias;  // null: exhausted
  template <class V>
  void VisitRefs(V&& v) {
    v(alias);
  }
};

Result<> aliasiter_iter(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> aliasiter_next(ThreadState& ts, Value self) {
  const Ref<> alias = Ref<>::Steal(std::exchange(self.as<AliasIterator>()->alias, Value()));
  if (!alias) return Result<>::Done();
  GenericAliasObject* a = Self(alias);
  return Make(ts, ShapeIdOf(TypeId::kGenericAlias), a->origin, a->args, true);
}

// iter(alias), so that an unpacked alias is pickled without being inside itself.
Result<> aliasiter_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  Value alias = args.self<AliasIterator>()->alias;
  Value one = alias ? alias : Value(ts.rt->empty_tuple);
  MVM_TRY(Ref<> arguments, NewTuple(ts, {&one, 1}));
  const Value both[] = {iter, arguments};
  return NewTuple(ts, both);
}

const MethodSpec kIteratorMethods[] = {
    {"__reduce__(self, /)", aliasiter_reduce},
};
const TypeSpec kAliasIteratorType = {
    .name = "generic_alias_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(AliasIterator),
    .gc = GcHooksOf<AliasIterator>(),
    .slots = {.iter = aliasiter_iter, .next = aliasiter_next},
    .methods = kIteratorMethods,
};

Result<> alias_iter(ThreadState& ts, Value self) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kAliasIteratorType));
  MVM_TRY(Ref<AliasIterator> it, New<AliasIterator>(ts, type->shape_id_exact));
  it->alias = Ref<>::Borrow(self).Release();
  Track(it);
  return it;
}

Result<> alias_get_item(ThreadState& ts, Value self, Value item) {
  GenericAliasObject* a = Self(self);
  MVM_TRY(TupleObject * parameters, Parameters(ts, a));
  MVM_TRY(Ref<TupleObject> args, SubstituteParameters(ts, self, a->args, parameters, item));
  return Make(ts, ShapeIdOf(TypeId::kGenericAlias), a->origin, args, a->starred);
}

Result<> alias_mro_entries(ThreadState& ts, Args args) {
  Value origin = Self(args[0])->origin;
  return NewTuple(ts, {&origin, 1});
}
Result<> alias_instancecheck(ThreadState& ts, Args args) {
  return Raise(ts, Exc::kTypeError, "isinstance() argument 2 cannot be a parameterized generic");
}
Result<> alias_subclasscheck(ThreadState& ts, Args args) {
  return Raise(ts, Exc::kTypeError, "issubclass() argument 2 cannot be a parameterized generic");
}

Result<> alias_reduce(ThreadState& ts, Args args) {
  GenericAliasObject* a = args.self<GenericAliasObject>();
  if (a->starred) {
    MVM_TRY(Ref<> plain, Make(ts, ShapeIdOf(TypeId::kGenericAlias), a->origin, a->args, false));
    MVM_TRY(Ref<> iterator, GetIter(ts, plain));
    MVM_TRY(Ref<> next, BuiltinByName(ts, "next"));
    Value one = iterator;
    MVM_TRY(Ref<> arguments, NewTuple(ts, {&one, 1}));
    const Value both[] = {next, arguments};
    return NewTuple(ts, both);
  }
  const Value pair[] = {a->origin, a->args};
  MVM_TRY(Ref<> arguments, NewTuple(ts, pair));
  const Value both[] = {TypeOf(ts, a), arguments};
  return NewTuple(ts, both);
}

Result<> alias_dir(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> names, Dir(ts, Self(args[0])->origin));
  ListObject* list = names.as<ListObject>();
  for (std::string_view own : kOwnAttributes) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, own));
    MVM_TRY(bool known, Contains(ts, list, name));
    if (!known) MVM_TRY_VOID(ListAppend(ts, list, name));
  }
  return names;
}

Result<> alias_get_origin(ThreadState& ts, Value self) {
  return Result<>::Borrow(Self(self)->origin);
}
Result<> alias_get_args(ThreadState& ts, Value self) { return Result<>::Borrow(Self(self)->args); }
Result<> alias_get_parameters(ThreadState& ts, Value self) {
  MVM_TRY(TupleObject * p, Parameters(ts, Self(self)));
  return Result<>::Borrow(p);
}
Result<> alias_get_unpacked(ThreadState& ts, Value self) { return Bool(ts, Self(self)->starred); }
Result<> alias_get_unpacked_args(ThreadState& ts, Value self) {
  GenericAliasObject* a = Self(self);
  if (!a->starred || !a->origin.is(TypeById(ts, TypeId::kTuple))) return None(ts);
  return Result<>::Borrow(a->args);
}
const MethodSpec kMethods[] = {
    {"__dir__(self, /)", alias_dir},
    {"__instancecheck__(self, instance, /)", alias_instancecheck},
    {"__mro_entries__(self, bases, /)", alias_mro_entries},
    {"__reduce__(self, /)", alias_reduce},
    {"__subclasscheck__(self, subclass, /)", alias_subclasscheck},
};
const GetSetSpec kGetSets[] = {
    {"__args__", alias_get_args, SetReadOnlyMember},
    {"__origin__", alias_get_origin, SetReadOnlyMember},
    {"__parameters__", alias_get_parameters, nullptr,
     "The type variables among the arguments, a tuple."},
    {"__typing_unpacked_tuple_args__", alias_get_unpacked_args},
    {"__unpacked__", alias_get_unpacked, SetReadOnlyMember},
};

}  // namespace

Result<GenericAliasObject> NewGenericAlias(ThreadState& ts, Value origin, Value args) {
  return Make(ts, ShapeIdOf(TypeId::kGenericAlias), origin, args, false);
}

extern const TypeSpec kGenericAliasType;
const TypeSpec kGenericAliasType = {
    .name = "types.GenericAlias",
    .doc = "A class with type arguments, such as list[int]: __origin__ and __args__.",
    .flags = kTypeBase,
    .size = sizeof(GenericAliasObject),
    .gc = GcHooksOf<GenericAliasObject>(),
    .slots = {.repr = alias_repr,
              .hash = alias_hash,
              .call = alias_call,
              .getattro = alias_getattro,
              .compare = alias_compare,
              .iter = alias_iter,
              .get_item = alias_get_item,
              .or_ = UnionOr},
    .construct = {"GenericAlias(...)", alias_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm
