// The module _contextvars: contexts, context variables and the tokens that put old values back.
//
// A context holds an immutable-when-shared dict from variables to values: copying a context shares
// the dict, and whoever changes a variable while the dict is shared (by a copy, or by an iterator)
// takes a copy of it first. So copy_context() is O(1), which is what every task and callback of
// asyncio does, and a change costs O(n) at most once after each copy.
//
// The current context of a thread is ThreadState::context, made when first needed.
#include "stdlib/contextvars.h"

#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// Invariants: previous is set while entered, null otherwise (and in the outermost context).
class ContextObject : public Object {
 public:
  DictObject* vars = nullptr;  // never changed while there is another reference to it
  Value previous;              // the context to return to
  bool entered = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(vars);
    v(previous);
  }
};

class ContextVarObject : public Object {
 public:
  StrObject* name = nullptr;
  Value default_value;  // null: none
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(default_value);
  }
};

class TokenObject : public Object {
 public:
  Value context;
  Value var;
  Value old_value;  // null: there was none
  bool used = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(context);
    v(var);
    v(old_value);
  }
};

extern const TypeSpec kContextType;
extern const TypeSpec kContextVarType;
extern const TypeSpec kTokenType;
extern const TypeSpec kMissingType;

// ---- contexts ----

Result<> NewContextWith(ThreadState& ts, DictObject* vars) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kContextType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ContextObject>()->vars = Ref<DictObject>::Borrow(vars).Release();
  return made;
}

// The thread's context, borrowed from the thread.
Result<ContextObject*> Current(ThreadState& ts) {
  if (ts.context.is_null()) {
    MVM_TRY(Ref<DictObject> vars, NewDict(ts));
    MVM_TRY(Ref<> made, NewContextWith(ts, vars));
    ts.context = made.Release();
    ts.context.as<ContextObject>()->entered = true;
  }
  return ts.context.as<ContextObject>();
}

// context.vars, which may be changed from now on.
Result<DictObject*> OwnVars(ThreadState& ts, ContextObject* context) {
  if (context->vars->refcount != 1) {
    MVM_TRY(Ref<DictObject> copy, DictCopy(ts, context->vars));
    Ref<DictObject> old = Ref<DictObject>::Steal(std::exchange(context->vars, copy.Release()));
  }
  return context->vars;
}

Status ExpectVar(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kContextVarType));
  if (TypeOf(ts, v) == type) return Ok();
  return Raise(ts, Exc::kTypeError, "a ContextVar key was expected, got %R", v);
}

Result<> context_new(ThreadState& ts, Args raw) {
  if (raw.n > 1 || raw.nkw > 0) {
    return Raise(ts, Exc::kTypeError, "Context() does not accept any arguments");
  }
  MVM_TRY(Ref<DictObject> vars, NewDict(ts));
  return NewContextWith(ts, vars);
}

Result<> context_copy(ThreadState& ts, Args args) {
  return NewContextWith(ts, args.self<ContextObject>()->vars);
}

Result<> context_getitem(ThreadState& ts, Value self, Value key) {
  MVM_TRY_VOID(ExpectVar(ts, key));
  MVM_TRY(Ref<> v, DictGet(ts, self.as<ContextObject>()->vars, key));
  if (v.is_absent()) return RaiseValue(ts, Exc::kKeyError, key);
  return v;
}
Result<bool> context_contains(ThreadState& ts, Value self, Value key) {
  MVM_TRY_VOID(ExpectVar(ts, key));
  return DictContains(ts, self.as<ContextObject>()->vars, key);
}
Result<int64_t> context_len(ThreadState& ts, Value self) {
  return static_cast<int64_t>(DictSize(self.as<ContextObject>()->vars));
}
// Iterators keep the dict, so the context may change meanwhile: they go on over what was there.
Result<> context_iter(ThreadState& ts, Value self) {
  return GetIter(ts, Value(self.as<ContextObject>()->vars));
}
Result<> context_get(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectVar(ts, args[1]));
  MVM_TRY(Ref<> v, DictGet(ts, args.self<ContextObject>()->vars, args[1]));
  if (v.is_absent()) return Result<>::Borrow(args[2]);
  return v;
}
Result<> IterOfView(ThreadState& ts, Value self, std::string_view method) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, method));
  Ref<DictObject> vars = Ref<DictObject>::Borrow(self.as<ContextObject>()->vars);
  MVM_TRY(Ref<> view, CallMethod(ts, Value(vars.get()), name));
  return GetIter(ts, view);
}
Result<> context_keys(ThreadState& ts, Args args) { return IterOfView(ts, args[0], "keys"); }
Result<> context_values(ThreadState& ts, Args args) { return IterOfView(ts, args[0], "values"); }
Result<> context_items(ThreadState& ts, Args args) { return IterOfView(ts, args[0], "items"); }

Result<> context_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || TypeOf(ts, a) != TypeOf(ts, b)) {
    return NotImplemented(ts);
  }
  Ref<DictObject> x = Ref<DictObject>::Borrow(a.as<ContextObject>()->vars);
  Ref<DictObject> y = Ref<DictObject>::Borrow(b.as<ContextObject>()->vars);
  return Compare(ts, Value(x.get()), Value(y.get()), op);
}

// run(callable, *args, **kwargs)
Result<> context_run(ThreadState& ts, Args raw) {
  if (raw.n < 2) return Raise(ts, Exc::kTypeError, "run() missing 1 required positional argument");
  Ref<> self = Ref<>::Borrow(raw[0]);
  MVM_TRY_VOID(EnterContext(ts, self));
  Args rest = raw;
  rest.v += 2;
  rest.n -= 2;
  Result<> result = CallRaw(ts, raw[1], rest);
  // What is put back may be freed, and run finalizers: the pending exception is kept out of it.
  Ref<> pending = result.raised() ? TakePending(ts) : Ref<>();
  ExitContext(ts, self);
  if (pending) {
    RestorePending(ts, std::move(pending));
    return kRaised;
  }
  return result;
}

const MethodSpec kContextMethods[] = {
    {"copy(self, /)", context_copy, "A context with the same variables and values."},
    {"get(self, key, default=None, /)", context_get,
     "What the variable is in this context; default where it is not set."},
    {"items(self, /)", context_items, "The pairs (variable, value)."},
    {"keys(self, /)", context_keys, "The variables that are set here."},
    {"run(...)", context_run, "Call a function in this context: run(callable, *args, **kwargs)."},
    {"values(self, /)", context_values, "The values of the variables that are set here."},
};
const TypeSpec kContextType = {
    .name = "_contextvars.Context",
    .flags = kTypeWeakrefs,
    .size = sizeof(ContextObject),
    .gc = GcHooksOf<ContextObject>(),
    .slots = {.compare = context_compare,
              .iter = context_iter,
              .len = context_len,
              .get_item = context_getitem,
              .contains = context_contains},
    .construct = {"Context(...)", context_new},
    .methods = kContextMethods,
};

// ---- variables ----

Result<> contextvar_new(ThreadState& ts, Args raw) {
  // ContextVar(name, *, default=<none>), with the messages of the parser it had in CPython.
  TupleObject* names = raw.nkw > 0 ? raw.v[raw.n + raw.nkw].as<TupleObject>() : nullptr;
  const uint32_t positional = raw.n - 1;
  if (positional + raw.nkw > 2) {
    return Raise(ts, Exc::kTypeError, "ContextVar() takes at most 2 arguments (%u given)",
                 positional + raw.nkw);
  }
  if (positional == 0) {
    return Raise(ts, Exc::kTypeError, "ContextVar() takes exactly 1 positional argument (0 given)");
  }
  if (positional > 1) {
    return Raise(ts, Exc::kTypeError, "ContextVar() takes at most 1 positional argument (%u given)",
                 positional);
  }
  Value default_value;
  if (raw.nkw == 1) {
    if (!(*names)[0].as<StrObject>()->EqualsAscii("default")) {
      return Raise(ts, Exc::kTypeError, "ContextVar() got an unexpected keyword argument '%U'",
                   (*names)[0]);
    }
    default_value = raw.v[raw.n];
  }
  if (!IsStr(ts, raw[1])) return Raise(ts, Exc::kTypeError, "context variable name must be a str");
  MVM_TRY(Ref<> made, AllocInstance(ts, raw.self<TypeObject>()));
  ContextVarObject* var = made.as<ContextVarObject>();
  var->name = Ref<StrObject>::Borrow(raw.as<StrObject>(1)).Release();
  if (!default_value.is_null()) var->default_value = Ref<>::Borrow(default_value).Release();
  return made;
}

Result<> contextvar_name(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(self.as<ContextVarObject>()->name));
}

// get([default])
Result<> contextvar_get(ThreadState& ts, Args args) {
  ContextVarObject* var = args.self<ContextVarObject>();
  if (!ts.context.is_null()) {
    MVM_TRY(Ref<> v, DictGet(ts, ts.context.as<ContextObject>()->vars, args[0]));
    if (!v.is_absent()) return v;
  }
  if (args.has(1)) return Result<>::Borrow(args[1]);
  if (!var->default_value.is_null()) return Result<>::Borrow(var->default_value);
  return RaiseValue(ts, Exc::kLookupError, args[0]);
}

Result<> contextvar_set(ThreadState& ts, Args args) {
  MVM_TRY(ContextObject * context, Current(ts));
  MVM_TRY(Ref<> old, DictGet(ts, context->vars, args[0]));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTokenType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  TokenObject* token = made.as<TokenObject>();
  token->context = Ref<>::Borrow(Value(context)).Release();
  token->var = Ref<>::Borrow(args[0]).Release();
  if (!old.is_absent()) token->old_value = old.Release();
  MVM_TRY(DictObject * vars, OwnVars(ts, context));
  MVM_TRY_VOID(DictSet(ts, vars, args[0], args[1]));
  return made;
}

Result<> contextvar_reset(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTokenType));
  if (TypeOf(ts, args[1]) != type) {
    return Raise(ts, Exc::kTypeError, "expected an instance of Token, got %R", args[1]);
  }
  TokenObject* token = args.as<TokenObject>(1);
  if (token->used) {
    return Raise(ts, Exc::kRuntimeError, "%R has already been used once", args[1]);
  }
  if (!token->var.is(args[0])) {
    return Raise(ts, Exc::kValueError, "%R was created by a different ContextVar", args[1]);
  }
  MVM_TRY(ContextObject * context, Current(ts));
  if (!token->context.is(Value(context))) {
    return Raise(ts, Exc::kValueError, "%R was created in a different Context", args[1]);
  }
  token->used = true;
  MVM_TRY(DictObject * vars, OwnVars(ts, context));
  if (!token->old_value.is_null()) {
    MVM_TRY_VOID(DictSet(ts, vars, args[0], token->old_value));
  } else {
    MVM_TRY(bool there, DictDelete(ts, vars, args[0]));
    if (!there) return RaiseValue(ts, Exc::kLookupError, args[0]);
  }
  return None(ts);
}

Result<> contextvar_repr(ThreadState& ts, Value self) {
  ContextVarObject* var = self.as<ContextVarObject>();
  const unsigned long address = static_cast<unsigned long>(self.bits());
  if (var->default_value.is_null()) {
    return Format(ts, "<ContextVar name=%R at 0x%lx>", Value(var->name), address);
  }
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  return Format(ts, "<ContextVar name=%R default=%R at 0x%lx>", Value(var->name),
                var->default_value, address);
}

const MethodSpec kContextVarMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"get(self, default=<unrepresentable>, /)", contextvar_get,
     "What the variable is in the running context.\n"
     "\n"
     "Where it is not set: `default` if given, else the variable's own default, else a "
     "LookupError."},
    {"reset(self, token, /)", contextvar_reset,
     "Undo the set() that gave this token. A token serves once, in its own context."},
    {"set(self, value, /)", contextvar_set,
     "Give the variable a value in the running context. The token returned undoes that, through "
     "reset()."},
};
const GetSetSpec kContextVarGetSets[] = {{"name", contextvar_name}};
const TypeSpec kContextVarType = {
    .name = "_contextvars.ContextVar",
    .size = sizeof(ContextVarObject),
    .gc = GcHooksOf<ContextVarObject>(),
    .slots = {.repr = contextvar_repr},
    .construct = {"ContextVar(...)", contextvar_new},
    .methods = kContextVarMethods,
    .getsets = kContextVarGetSets,
};

// ---- tokens ----

// Token.MISSING is a class attribute and so belongs to the VM.
Result<> Missing(ThreadState& ts) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTokenType));
  return GetAttr(ts, Value(type), "MISSING");
}
Result<> missing_repr(ThreadState& ts, Value self) { return NewStr(ts, "<Token.MISSING>"); }
const TypeSpec kMissingType = {
    .name = "Token.MISSING",
    .flags = kTypeNoNew,
    .size = sizeof(Object),
    .slots = {.repr = missing_repr},
};

Result<> token_new(ThreadState& ts, Args raw) {
  return Raise(ts, Exc::kRuntimeError, "Tokens can only be created by ContextVars");
}
Result<> token_var(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<TokenObject>()->var);
}
Result<> token_old_value(ThreadState& ts, Value self) {
  Value old = self.as<TokenObject>()->old_value;
  return old.is_null() ? Missing(ts) : Result<>::Borrow(old);
}
Result<> token_repr(ThreadState& ts, Value self) {
  TokenObject* token = self.as<TokenObject>();
  return Format(ts, "<Token%s var=%R at 0x%lx>", token->used ? " used" : "", token->var,
                static_cast<unsigned long>(self.bits()));
}

const MethodSpec kTokenMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
};
const GetSetSpec kTokenGetSets[] = {
    {"old_value", token_old_value},
    {"var", token_var},
};
const TypeSpec kTokenType = {
    .name = "_contextvars.Token",
    .size = sizeof(TokenObject),
    .gc = GcHooksOf<TokenObject>(),
    .slots = {.repr = token_repr},
    .construct = {"Token(...)", token_new},
    .methods = kTokenMethods,
    .getsets = kTokenGetSets,
};

Result<> contextvars_copy_context(ThreadState& ts, Args args) { return CopyContext(ts); }

const MethodSpec kFunctions[] = {
    {"copy_context()", contextvars_copy_context, "A copy of the current context."},
};
const TypeSpec* const kTypes[] = {&kContextType, &kContextVarType, &kTokenType};

Status exec_contextvars(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * token, TypeForSpec(ts, kTokenType));
  MVM_TRY_VOID(TypeReady(ts, token));
  MVM_TRY(TypeObject * missing_type, TypeForSpec(ts, kMissingType));
  MVM_TRY(Ref<> missing, AllocInstance(ts, missing_type));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "MISSING"));
  MVM_TRY_VOID(DictSetStr(ts, token->dict, name, missing));
  return TypeModified(ts, token, name);
}

}  // namespace

Result<> CopyContext(ThreadState& ts) {
  MVM_TRY(ContextObject * context, Current(ts));
  return NewContextWith(ts, context->vars);
}

Result<bool> IsContext(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kContextType));
  return TypeOf(ts, v) == type;
}

Status EnterContext(ThreadState& ts, Value context) {
  ContextObject* c = context.as<ContextObject>();
  if (c->entered) {
    return Raise(ts, Exc::kRuntimeError, "cannot enter context: %R is already entered", context);
  }
  MVM_TRY_VOID(Current(ts));
  c->entered = true;
  c->previous = std::exchange(ts.context, Ref<>::Borrow(context).Release());
  return Ok();
}

void ExitContext(ThreadState& ts, Value context) {
  ContextObject* c = context.as<ContextObject>();
  c->entered = false;
  Ref<> dropped = Ref<>::Steal(std::exchange(ts.context, std::exchange(c->previous, Value())));
}

Result<> NewContextVar(ThreadState& ts, std::string_view name) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kContextVarType));
  MVM_TRY(Ref<StrObject> text, NewStr(ts, name));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ContextVarObject>()->name = text.Release();
  return made;
}

Result<> ContextVarValue(ThreadState& ts, Value var) {
  if (ts.context.is_null()) return Result<>::Steal(Value::Absent());
  return DictGet(ts, ts.context.as<ContextObject>()->vars, var);
}

Status SetContextVar(ThreadState& ts, Value var, Value value) {
  MVM_TRY(ContextObject * context, Current(ts));
  MVM_TRY(DictObject * vars, OwnVars(ts, context));
  return DictSet(ts, vars, var, value);
}

extern const ModuleSpec k__contextvars_module;
const ModuleSpec k__contextvars_module = {
    .name = "_contextvars",
    .doc = "Variables whose values belong to a context, such as that of a task.",
    .functions = kFunctions,
    .types = kTypes,
    .exec = exec_contextvars,
};

}  // namespace minivm
