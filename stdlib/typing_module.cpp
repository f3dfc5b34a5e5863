// Module _typing: what typing and the type-parameter syntax need natively. Type variables are in
// stdlib/typing/type_params.cpp; here are type aliases, Generic and NoDefault.
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/type_params.h"
#include "stdlib/typing/typing_types.h"

namespace minivm {

Result<> CallerModule(ThreadState& ts) {
  DictObject* globals = ts.rt->hooks.current_globals ? ts.rt->hooks.current_globals(ts) : nullptr;
  if (!globals) return None(ts);
  MVM_TRY(Ref<> name, DictGet(ts, globals, MVM_NAME(ts, __name__)));
  if (name.is_absent()) return None(ts);
  return name;
}

Result<> NoDefault(ThreadState& ts) {
  if (!ts.rt->no_default) {
    MVM_TRY(TypeObject * type, TypeForSpec(ts, kNoDefaultType));
    MVM_TRY(Ref<> made, AllocInstance(ts, type));
    ts.rt->no_default = made.Release().object();
  }
  return Result<>::Borrow(ts.rt->no_default);
}

namespace {

// ---- NoDefault ----

Result<> nodefault_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.n + raw.nkw > 0) return Raise(ts, Exc::kTypeError, "NoDefaultType takes no arguments");
  return NoDefault(ts);
}
Result<> nodefault_repr(ThreadState& ts, Value) { return NewStr(ts, "typing.NoDefault"); }
Result<> nodefault_reduce(ThreadState& ts, Args) { return NewStr(ts, "NoDefault"); }

// ---- type aliases ----

TypeAliasObject* Alias(Value v) { return v.as<TypeAliasObject>(); }

Result<TypeAliasObject> NewAlias(ThreadState& ts, Value name, Value type_params, Value module) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTypeAliasType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  TypeAliasObject* a = Alias(made);
  a->name = Ref<StrObject>::Borrow(name.as<StrObject>()).Release();
  if (IsTuple(ts, type_params) && type_params.as<TupleObject>()->size() > 0) {
    a->type_params = Ref<TupleObject>::Borrow(type_params.as<TupleObject>()).Release();
  }
  a->module = Ref<>::Borrow(module).Release();
  return std::move(made).Into<TypeAliasObject>();
}

Result<> alias_new(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "typealias() argument 'name' must be str, not %T", args[1]);
  }
  if (!IsTuple(ts, args[3])) return Raise(ts, Exc::kTypeError, "type_params must be a tuple");
  MVM_TRY(Ref<> module, CallerModule(ts));
  MVM_TRY(Ref<TypeAliasObject> a, NewAlias(ts, args[1], args[3], module));
  SetField(a->value.value, args[2]);
  return a;
}

// _make_typealias((name, type_params or None, function computing the value))
Result<> make_typealias(ThreadState& ts, Args args) {
  const TupleObject* parts = IsTuple(ts, args[0]) ? args.as<TupleObject>(0) : nullptr;
  if (!parts || parts->size() != 3 || !IsStr(ts, (*parts)[0])) {
    return Raise(ts, Exc::kTypeError, "_make_typealias() takes (name, type_params, function)");
  }
  MVM_TRY(Ref<> module, CallerModule(ts));
  MVM_TRY(Ref<TypeAliasObject> a, NewAlias(ts, (*parts)[0], (*parts)[1], module));
  SetField(a->value.compute, (*parts)[2]);
  return a;
}

Result<> alias_repr(ThreadState&, Value self) { return Result<>::Borrow(Alias(self)->name); }

Result<> alias_get_item(ThreadState& ts, Value self, Value item) {
  if (!Alias(self)->type_params) {
    return Raise(ts, Exc::kTypeError, "Only generic type aliases are subscriptable");
  }
  return NewGenericAlias(ts, self, item);
}

Result<> alias_get_name(ThreadState&, Value self) { return Result<>::Borrow(Alias(self)->name); }
Result<> alias_get_module(ThreadState&, Value self) {
  return Result<>::Borrow(Alias(self)->module);
}
Result<> alias_get_value(ThreadState& ts, Value self) { return Alias(self)->value.Get(ts, self); }
Result<> alias_get_type_params(ThreadState& ts, Value self) {
  const TypeAliasObject* a = Alias(self);
  return Result<>::Borrow(a->type_params ? Value(a->type_params) : Value(ts.rt->empty_tuple));
}
// The type parameters as they stand among arguments: *Ts for Ts.
Result<> alias_get_parameters(ThreadState& ts, Value self) {
  const TypeAliasObject* a = Alias(self);
  if (!a->type_params) return Result<>::Borrow(ts.rt->empty_tuple);
  const Ref<TupleObject> params = Ref<TupleObject>::Borrow(a->type_params);
  MVM_TRY(Ref<ListObject> out, NewListReserve(ts, params->size()));
  for (Value p : params->span()) {
    if (!IsTypeVarTuple(ts, p)) {
      MVM_TRY_VOID(ListAppend(ts, out, p));
      continue;
    }
    MVM_TRY_VOID(ForEach(ts, p, [&](Value item) { return ListAppend(ts, out, item); }));
  }
  return TupleFrom(ts, out);
}
Result<> alias_reduce(ThreadState&, Args args) {
  return Result<>::Borrow(args.self<TypeAliasObject>()->name);
}

const MethodSpec kAliasMethods[] = {
    {"__reduce__(self, /)", alias_reduce},
};
const GetSetSpec kAliasGetSets[] = {
    {"__module__", alias_get_module},         {"__name__", alias_get_name, ReadOnlyAttribute},
    {"__parameters__", alias_get_parameters}, {"__type_params__", alias_get_type_params},
    {"__value__", alias_get_value},
};

// ---- Generic ----

// typing.function(cls, *args, **kwargs); the arguments are (cls, args, kwargs).
Result<> CallForClass(ThreadState& ts, const char* function, Args args) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "typing"));
  MVM_TRY(Ref<> f, GetAttr(ts, module, std::string_view(function)));
  const TupleObject* rest = args.as<TupleObject>(1);
  MVM_TRY(Ref<TupleObject> all, NewTupleRaw(ts, rest->size() + 1));
  all->items()[0] = Ref<>::Borrow(args[0]).Release();
  for (uint32_t i = 0; i < rest->size(); ++i) {
    all->items()[i + 1] = Ref<>::Borrow((*rest)[i]).Release();
  }
  Track(all);
  return CallWith(ts, f, all, args.has(2) ? args.as<DictObject>(2) : nullptr);
}
Result<> generic_class_getitem(ThreadState& ts, Args args) {
  return CallForClass(ts, "_generic_class_getitem", args);
}
Result<> generic_init_subclass(ThreadState& ts, Args args) {
  return CallForClass(ts, "_generic_init_subclass", args);
}

// _make_generic(type_params): Generic[*type_params], the base of a class with type parameters.
Result<> make_generic(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> items, NewListReserve(ts, 1));
  MVM_TRY_VOID(ForEach(ts, args[0], [&](Value p) -> Status {
    if (!IsTypeVarTuple(ts, p)) return ListAppend(ts, items, p);
    return ForEach(ts, p, [&](Value item) { return ListAppend(ts, items, item); });
  }));
  MVM_TRY(Ref<TupleObject> params, TupleFrom(ts, items));
  MVM_TRY(TypeObject * generic, TypeForSpec(ts, kGenericType));
  const Value pair[] = {generic, params};
  return CallTyping(ts, "_generic_class_getitem", pair);
}

const MethodSpec kGenericMethods[] = {
    {"__class_getitem__(cls, /, *args, **kwargs)", generic_class_getitem, nullptr, kMethodClass},
    {"__init_subclass__(cls, /, *args, **kwargs)", generic_init_subclass, nullptr, kMethodClass},
};
const MethodSpec kNoDefaultMethods[] = {
    {"__reduce__(self, /)", nodefault_reduce},
};

Result<> idfunc(ThreadState&, Args args) { return Result<>::Borrow(args[0]); }

const MethodSpec kFunctions[] = {
    {"_idfunc(x, /)", idfunc},
    {"_make_generic(type_params, /)", make_generic},
    {"_make_typealias(parts, /)", make_typealias},
};
const TypeSpec* const kTypes[] = {
    &kTypeVarType,       &kParamSpecType,       &kTypeVarTupleType, &kGenericType,
    &kParamSpecArgsType, &kParamSpecKwargsType, &kTypeAliasType,
};

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> module_name, InternUtf8(ts, "_typing"));
  for (const MethodSpec& spec : kTypeParamFunctions) {
    MVM_TRY(Ref<> function, NewNativeFunction(ts, spec, module, false, module_name));
    const char* end = std::strchr(spec.signature, '(');
    const std::string_view name(spec.signature, static_cast<size_t>(end - spec.signature));
    MVM_TRY_VOID(ModuleAdd(ts, module, name, function));
  }
  MVM_TRY(Ref<> no_default, NoDefault(ts));
  return ModuleAdd(ts, module, "NoDefault", no_default);
}

}  // namespace

const TypeSpec kNoDefaultType = {
    .name = "NoDefaultType",
    .doc = "The type of the NoDefault singleton.",
    .size = sizeof(Object),
    .slots = {.repr = nodefault_repr, .new_ = nodefault_new},
    .methods = kNoDefaultMethods,
};

const TypeSpec kTypeAliasType = {
    .name = "typing.TypeAliasType",
    .doc = "Type alias, as made by the type statement; its value is computed when asked for.",
    .size = sizeof(TypeAliasObject),
    .gc = GcHooksOf<TypeAliasObject>(),
    .slots = {.repr = alias_repr, .get_item = alias_get_item, .or_ = UnionOr},
    .construct = {"typealias(name, value, *, type_params=())", alias_new},
    .methods = kAliasMethods,
    .getsets = kAliasGetSets,
};

const TypeSpec kGenericType = {
    .name = "typing.Generic",
    .doc = "Base class of generic types: a class with type parameters inherits from Generic[...].",
    .flags = kTypeBase,
    .size = sizeof(Object),
    .slots = {.new_ = ObjectNew},
    .methods = kGenericMethods,
};

extern const ModuleSpec k__typing_module;
const ModuleSpec k__typing_module = {
    .name = "_typing",
    .doc = "The native half of typing.",
    .functions = kFunctions,
    .types = kTypes,
    .exec = ExecModule,
};

}  // namespace minivm
