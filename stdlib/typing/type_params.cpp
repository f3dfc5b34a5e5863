// TypeVar, ParamSpec (with its args and kwargs) and TypeVarTuple, and what the type-parameter
// syntax calls to make them. What subscription does with them is written in typing itself: the
// methods here call back.
#include "runtime/objects/generic_alias.h"
#include "stdlib/typing/typing_types.h"

namespace minivm {

Result<> LazyValue::Get(ThreadState& ts, Value owner) {
  if (value) return Result<>::Borrow(value);
  if (!compute) return Result<>::Steal(Value::Absent());
  const Ref<> keep = Ref<>::Borrow(owner);
  const Ref<> function = Ref<>::Borrow(compute);
  MVM_TRY(Ref<> computed, Call(ts, function));
  SetField(value, computed);
  SetField(compute, Value());
  return computed;
}

Result<> CallTyping(ThreadState& ts, std::string_view function, std::span<const Value> args) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "typing"));
  MVM_TRY(Ref<> f, GetAttr(ts, module, function));
  return Call(ts, f, args);
}

Status ReadOnlyAttribute(ThreadState& ts, Value, Value) {
  return Raise(ts, Exc::kAttributeError, "readonly attribute");
}

bool IsTypeVarTuple(ThreadState& ts, Value v) { return TypeOf(ts, v)->spec == &kTypeVarTupleType; }

namespace {

TypeParamObject* Self(Value v) { return v.as<TypeParamObject>(); }

Result<TypeParamObject> NewParam(ThreadState& ts, const TypeSpec& spec, Value name) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  Self(made)->name = Ref<StrObject>::Borrow(name.as<StrObject>()).Release();
  return std::move(made).Into<TypeParamObject>();
}

Status CheckName(ThreadState& ts, const char* function, Value name) {
  if (IsStr(ts, name)) return Ok();
  return Raise(ts, Exc::kTypeError, "%s() argument 'name' must be str, not %T", function, name);
}

// A bound as it is kept: strings become forward references, tuples are refused.
Result<> CheckBound(ThreadState& ts, Value bound) {
  MVM_TRY(Ref<StrObject> message, NewStr(ts, "Bound must be a type."));
  const Value args[] = {bound, message};
  return CallTyping(ts, "_type_check", args);
}

Status SetVariance(ThreadState& ts, TypeParamObject* p, Value co, Value contra, Value infer) {
  MVM_TRY(p->covariant, Truth(ts, co));
  MVM_TRY(p->contravariant, Truth(ts, contra));
  MVM_TRY(p->infer_variance, Truth(ts, infer));
  if (p->covariant && p->contravariant) {
    return Raise(ts, Exc::kValueError, "Bivariant types are not supported.");
  }
  if (p->infer_variance && (p->covariant || p->contravariant)) {
    return Raise(ts, Exc::kValueError, "Variance cannot be specified with infer_variance.");
  }
  return Ok();
}

Status SetDefaultAndModule(ThreadState& ts, TypeParamObject* p, Value default_value) {
  if (!default_value.is_absent() && !default_value.is(ts.rt->no_default)) {
    SetField(p->default_.value, default_value);
  }
  MVM_TRY(Ref<> module, CallerModule(ts));
  SetField(p->module, module);
  return Ok();
}

// TypeVar(name, *constraints, bound, default, covariant, contravariant, infer_variance)
Result<> typevar_new(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckName(ts, "typevar", args[1]));
  MVM_TRY(Ref<TypeParamObject> self, NewParam(ts, kTypeVarType, args[1]));
  MVM_TRY_VOID(SetVariance(ts, self, args[5], args[6], args[7]));
  if (!IsNone(ts, args[3])) {
    MVM_TRY(Ref<> bound, CheckBound(ts, args[3]));
    SetField(self->bound.value, bound);
  }
  const TupleObject* constraints = args.as<TupleObject>(2);
  if (constraints->size() == 1) {
    return Raise(ts, Exc::kTypeError, "A single constraint is not allowed");
  }
  if (constraints->size() > 1 && self->bound.present()) {
    return Raise(ts, Exc::kTypeError, "Constraints cannot be combined with bound=...");
  }
  if (constraints->size() > 1) SetField(self->constraints.value, args[2]);
  MVM_TRY_VOID(SetDefaultAndModule(ts, self, args[4]));
  return self;
}

// ParamSpec(name, bound, default, covariant, contravariant, infer_variance)
Result<> paramspec_new(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckName(ts, "paramspec", args[1]));
  MVM_TRY(Ref<TypeParamObject> self, NewParam(ts, kParamSpecType, args[1]));
  MVM_TRY_VOID(SetVariance(ts, self, args[4], args[5], args[6]));
  MVM_TRY(Ref<> bound, CheckBound(ts, args[2]));
  SetField(self->bound.value, bound);
  MVM_TRY_VOID(SetDefaultAndModule(ts, self, args[3]));
  return self;
}

Result<> typevartuple_new(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckName(ts, "typevartuple", args[1]));
  MVM_TRY(Ref<TypeParamObject> self, NewParam(ts, kTypeVarTupleType, args[1]));
  MVM_TRY_VOID(SetDefaultAndModule(ts, self, args[2]));
  return self;
}

// ---- what all three have ----

Result<> param_repr(ThreadState& ts, Value self) {
  const TypeParamObject* p = Self(self);
  if (p->infer_variance) return Result<>::Borrow(p->name);
  return Format(ts, "%c%U", p->covariant ? '+' : p->contravariant ? '-' : '~', Value(p->name));
}
Result<> typevartuple_repr(ThreadState&, Value self) { return Result<>::Borrow(Self(self)->name); }

// X | T: typing.Union, which takes anything as an argument.
Result<> param_or(ThreadState& ts, Value a, Value b) {
  const Value args[] = {a, b};
  return CallTyping(ts, "_make_union", args);
}

Result<> param_get_name(ThreadState&, Value self) { return Result<>::Borrow(Self(self)->name); }
Result<> param_get_module(ThreadState& ts, Value self) {
  if (Self(self)->module) return Result<>::Borrow(Self(self)->module);
  return NewStr(ts, "typing");
}
Status param_set_module(ThreadState& ts, Value self, Value value) {
  SetField(Self(self)->module, value ? value : Value(ts.rt->none));
  return Ok();
}
Result<> param_get_bound(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> bound, Self(self)->bound.Get(ts, self));
  if (bound.is_absent()) return None(ts);
  return bound;
}
Result<> param_get_constraints(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> constraints, Self(self)->constraints.Get(ts, self));
  if (constraints.is_absent()) return Result<>::Borrow(ts.rt->empty_tuple);
  return constraints;
}
Result<> param_get_default(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> value, Self(self)->default_.Get(ts, self));
  if (value.is_absent()) return NoDefault(ts);
  return value;
}
Result<> param_get_covariant(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->covariant);
}
Result<> param_get_contravariant(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->contravariant);
}
Result<> param_get_infer_variance(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->infer_variance);
}

Result<> param_has_default(ThreadState& ts, Args args) {
  return Bool(ts, args.self<TypeParamObject>()->default_.present());
}
Result<> param_reduce(ThreadState&, Args args) {
  return Result<>::Borrow(args.self<TypeParamObject>()->name);
}
Result<> no_subclass(ThreadState& ts, Args args) {
  const char* name = TypeOf(ts, args[0])->spec->name + sizeof("typing.") - 1;
  return Raise(ts, Exc::kTypeError, "Cannot subclass an instance of %s", name);
}

// ---- substitution ----

Result<> typevar_subst(ThreadState& ts, Args args) {
  return CallTyping(ts, "_typevar_subst", {args.v, 2});
}

// The arguments, with the default of this variable appended if they end where it stands.
Result<> typevar_prepare_subst(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> parameters, GetAttr(ts, args[1], "__parameters__"));
  MVM_TRY(int64_t given, Length(ts, args[2]));
  MVM_TRY(Ref<StrObject> index_name, InternUtf8(ts, "index"));
  int64_t index = -1;
  if (IsTuple(ts, parameters)) {
    const TupleObject* t = parameters.as<TupleObject>();
    for (uint32_t i = 0; i < t->size() && index < 0; ++i) {
      if ((*t)[i].is(args[0])) index = i;
    }
    if (index < 0) return Raise(ts, Exc::kValueError, "sequence.index(x): x not in sequence");
  } else {
    MVM_TRY(Ref<> found, CallMethod(ts, parameters, index_name, args[0]));
    MVM_TRY(index, AsInt64(ts, found));
  }
  if (index < given) return Result<>::Borrow(args[2]);
  if (index == given && Self(args[0])->default_.present()) {
    MVM_TRY(Ref<> value, param_get_default(ts, args[0]));
    const Value one[] = {value};
    MVM_TRY(Ref<TupleObject> tail, NewTuple(ts, one));
    return Binary(ts, BinaryOp::kAdd, args[2], tail);
  }
  return Raise(ts, Exc::kTypeError, "Too few arguments for %S; actual %lld, expected at least %lld",
               args[1], static_cast<long long>(given), static_cast<long long>(index + 1));
}

Result<> paramspec_subst(ThreadState& ts, Args args) {
  return CallTyping(ts, "_paramspec_subst", {args.v, 2});
}
Result<> paramspec_prepare_subst(ThreadState& ts, Args args) {
  return CallTyping(ts, "_paramspec_prepare_subst", {args.v, 3});
}
Result<> typevartuple_subst(ThreadState& ts, Args) {
  return Raise(ts, Exc::kTypeError, "Substitution of bare TypeVarTuple is not supported");
}
Result<> typevartuple_prepare_subst(ThreadState& ts, Args args) {
  return CallTyping(ts, "_typevartuple_prepare_subst", {args.v, 3});
}

// *Ts: Unpack[Ts], once.
Result<> typevartuple_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "typing"));
  MVM_TRY(Ref<> unpack, GetAttr(ts, module, "Unpack"));
  MVM_TRY(Ref<> item, GetItem(ts, unpack, self));
  const Value one[] = {item};
  MVM_TRY(Ref<TupleObject> items, NewTuple(ts, one));
  return GetIter(ts, items);
}

// ---- P.args and P.kwargs ----

class ParamSpecPart : public Object {
 public:
  Value origin;
  template <class V>
  void VisitRefs(V&& v) {
    v(origin);
  }
};

Result<> NewPart(ThreadState& ts, const TypeSpec& spec, Value origin) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ParamSpecPart>()->origin = Ref<>::Borrow(origin).Release();
  return made;
}
Result<> args_new(ThreadState& ts, Args args) { return NewPart(ts, kParamSpecArgsType, args[1]); }
Result<> kwargs_new(ThreadState& ts, Args args) {
  return NewPart(ts, kParamSpecKwargsType, args[1]);
}
Result<> paramspec_get_args(ThreadState& ts, Value self) {
  return NewPart(ts, kParamSpecArgsType, self);
}
Result<> paramspec_get_kwargs(ThreadState& ts, Value self) {
  return NewPart(ts, kParamSpecKwargsType, self);
}

Result<> part_repr(ThreadState& ts, Value self) {
  const Value origin = self.as<ParamSpecPart>()->origin;
  const char* what = TypeOf(ts, self)->spec == &kParamSpecArgsType ? "args" : "kwargs";
  if (TypeOf(ts, origin)->spec == &kParamSpecType) {
    return Format(ts, "%U.%s", Value(Self(origin)->name), what);
  }
  return Format(ts, "%R.%s", origin, what);
}
Result<> part_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || TypeOf(ts, a) != TypeOf(ts, b)) {
    return NotImplemented(ts);
  }
  return Compare(ts, a.as<ParamSpecPart>()->origin, b.as<ParamSpecPart>()->origin, op);
}
Result<> part_get_origin(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<ParamSpecPart>()->origin);
}

// ---- what the syntax calls ----

Result<> MakeBySyntax(ThreadState& ts, const TypeSpec& spec, Value name) {
  MVM_TRY_VOID(CheckName(ts, "typevar", name));
  MVM_TRY(Ref<TypeParamObject> p, NewParam(ts, spec, name));
  p->infer_variance = true;
  return p;
}
Result<> make_typevar(ThreadState& ts, Args args) {
  return MakeBySyntax(ts, kTypeVarType, args[0]);
}
Result<> make_paramspec(ThreadState& ts, Args args) {
  return MakeBySyntax(ts, kParamSpecType, args[0]);
}
Result<> make_typevartuple(ThreadState& ts, Args args) {
  return MakeBySyntax(ts, kTypeVarTupleType, args[0]);
}
Result<> make_typevar_bound(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> p, MakeBySyntax(ts, kTypeVarType, args[0]));
  SetField(Self(p)->bound.compute, args[1]);
  return p;
}
Result<> make_typevar_constraints(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> p, MakeBySyntax(ts, kTypeVarType, args[0]));
  SetField(Self(p)->constraints.compute, args[1]);
  return p;
}
Result<> set_default(ThreadState& ts, Args args) {
  const TypeSpec* spec = TypeOf(ts, args[0])->spec;
  if (spec != &kTypeVarType && spec != &kParamSpecType && spec != &kTypeVarTupleType) {
    return Raise(ts, Exc::kTypeError, "Expected a type param, got %T", args[0]);
  }
  SetField(Self(args[0])->default_.compute, args[1]);
  return Result<>::Borrow(args[0]);
}

const MethodSpec kTypeVarMethods[] = {
    {"__mro_entries__(self, bases, /)", no_subclass},
    {"__reduce__(self, /)", param_reduce},
    {"__typing_prepare_subst__(self, alias, args, /)", typevar_prepare_subst},
    {"__typing_subst__(self, arg, /)", typevar_subst},
    {"has_default(self, /)", param_has_default},
};
const GetSetSpec kTypeVarGetSets[] = {
    {"__bound__", param_get_bound, ReadOnlyAttribute},
    {"__constraints__", param_get_constraints, ReadOnlyAttribute},
    {"__contravariant__", param_get_contravariant, ReadOnlyAttribute},
    {"__covariant__", param_get_covariant, ReadOnlyAttribute},
    {"__default__", param_get_default, nullptr, "The default value for this TypeVar."},
    {"__infer_variance__", param_get_infer_variance, ReadOnlyAttribute},
    {"__module__", param_get_module, param_set_module},
    {"__name__", param_get_name, ReadOnlyAttribute},
};
const MethodSpec kParamSpecMethods[] = {
    {"__mro_entries__(self, bases, /)", no_subclass},
    {"__reduce__(self, /)", param_reduce},
    {"__typing_prepare_subst__(self, alias, args, /)", paramspec_prepare_subst},
    {"__typing_subst__(self, arg, /)", paramspec_subst},
    {"has_default(self, /)", param_has_default},
};
const GetSetSpec kParamSpecGetSets[] = {
    {"__bound__", param_get_bound, ReadOnlyAttribute},
    {"__contravariant__", param_get_contravariant, ReadOnlyAttribute},
    {"__covariant__", param_get_covariant, ReadOnlyAttribute},
    {"__default__", param_get_default, nullptr, "The default value for this ParamSpec."},
    {"__infer_variance__", param_get_infer_variance, ReadOnlyAttribute},
    {"__module__", param_get_module, param_set_module},
    {"__name__", param_get_name, ReadOnlyAttribute},
    {"args", paramspec_get_args, nullptr,
     "The type of *args, as in def f(*args: P.args, **kwargs: P.kwargs)."},
    {"kwargs", paramspec_get_kwargs, nullptr,
     "The type of **kwargs, as in def f(*args: P.args, **kwargs: P.kwargs)."},
};
const MethodSpec kTypeVarTupleMethods[] = {
    {"__mro_entries__(self, bases, /)", no_subclass},
    {"__reduce__(self, /)", param_reduce},
    {"__typing_prepare_subst__(self, alias, args, /)", typevartuple_prepare_subst},
    {"__typing_subst__(self, arg, /)", typevartuple_subst},
    {"has_default(self, /)", param_has_default},
};
const GetSetSpec kTypeVarTupleGetSets[] = {
    {"__default__", param_get_default, nullptr, "The default value for this TypeVarTuple."},
    {"__module__", param_get_module, param_set_module},
    {"__name__", param_get_name, ReadOnlyAttribute},
};
const MethodSpec kPartMethods[] = {
    {"__mro_entries__(self, bases, /)", no_subclass},
};
const GetSetSpec kPartGetSets[] = {
    {"__origin__", part_get_origin, ReadOnlyAttribute},
};

const MethodSpec kFunctions[] = {
    {"_make_paramspec(name, /)", make_paramspec},
    {"_make_typevar(name, /)", make_typevar},
    {"_make_typevar_bound(name, compute, /)", make_typevar_bound},
    {"_make_typevar_constraints(name, compute, /)", make_typevar_constraints},
    {"_make_typevartuple(name, /)", make_typevartuple},
    {"_set_default(param, compute, /)", set_default},
};

}  // namespace

const Table<MethodSpec> kTypeParamFunctions = kFunctions;

const TypeSpec kTypeVarType = {
    .name = "typing.TypeVar",
    .doc = "Type variable: what def f[T](x: T) makes, or T = TypeVar('T').",
    .flags = kTypeWeakrefs,
    .size = sizeof(TypeParamObject),
    .gc = GcHooksOf<TypeParamObject>(),
    .slots = {.repr = param_repr, .or_ = param_or},
    .construct = {"typevar(name, *constraints, bound=None, default=NoDefault, covariant=False, "
                  "contravariant=False, infer_variance=False)",
                  typevar_new},
    .methods = kTypeVarMethods,
    .getsets = kTypeVarGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),
};

const TypeSpec kParamSpecType = {
    .name = "typing.ParamSpec",
    .doc = "Parameter specification variable: stands for the parameters of a callable.",
    .flags = kTypeWeakrefs,
    .size = sizeof(TypeParamObject),
    .gc = GcHooksOf<TypeParamObject>(),
    .slots = {.repr = param_repr, .or_ = param_or},
    .construct = {"paramspec(name, *, bound=None, default=NoDefault, covariant=False, "
                  "contravariant=False, infer_variance=False)",
                  paramspec_new},
    .methods = kParamSpecMethods,
    .getsets = kParamSpecGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),
};

const TypeSpec kTypeVarTupleType = {
    .name = "typing.TypeVarTuple",
    .doc = "Type variable tuple: stands for any number of types.",
    .flags = kTypeWeakrefs,
    .size = sizeof(TypeParamObject),
    .gc = GcHooksOf<TypeParamObject>(),
    .slots = {.repr = typevartuple_repr, .iter = typevartuple_iter},
    .construct = {"typevartuple(name, *, default=NoDefault)", typevartuple_new},
    .methods = kTypeVarTupleMethods,
    .getsets = kTypeVarTupleGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),
};

const TypeSpec kParamSpecArgsType = {
    .name = "typing.ParamSpecArgs",
    .doc = "The args of a ParamSpec: P.args.",
    .flags = kTypeWeakrefs,
    .size = sizeof(ParamSpecPart),
    .gc = GcHooksOf<ParamSpecPart>(),
    .slots = {.repr = part_repr, .hash = HashNotImplemented, .compare = part_compare},
    .construct = {"paramspecargs(origin)", args_new},
    .methods = kPartMethods,
    .getsets = kPartGetSets,
};

const TypeSpec kParamSpecKwargsType = {
    .name = "typing.ParamSpecKwargs",
    .doc = "The kwargs of a ParamSpec: P.kwargs.",
    .flags = kTypeWeakrefs,
    .size = sizeof(ParamSpecPart),
    .gc = GcHooksOf<ParamSpecPart>(),
    .slots = {.repr = part_repr, .hash = HashNotImplemented, .compare = part_compare},
    .construct = {"paramspeckwargs(origin)", kwargs_new},
    .methods = kPartMethods,
    .getsets = kPartGetSets,
};

}  // namespace minivm
