// The rarer operations of the language that need other modules: from-imports, the display hook,
// type parameters; and super() without arguments.
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/async_generator.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/interpreter.h"

namespace minivm {

namespace {

// A class of the module _typing called with arguments.
Result<> MakeTyping(ThreadState& ts, const char* what, std::span<const Value> args) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_typing"));
  MVM_TRY(Ref<> f, GetAttr(ts, module, std::string_view(what)));
  return Call(ts, f, args);
}

Result<> ImportStar(ThreadState& ts, FunctionObject* f, Value* R, Value module) {
  Value locals =
      f->code->locals_register != 0xFFFF ? R[f->code->locals_register] : Value(f->globals);
  MVM_TRY(Ref<> all, GetAttrOptional(ts, module, MVM_NAME(ts, __all__)));
  bool skip_underscores = all.is_absent();
  if (skip_underscores) {
    MVM_TRY(Ref<> dict, GetAttrOptional(ts, module, MVM_NAME(ts, __dict__)));
    if (dict.is_absent()) {
      return Raise(ts, Exc::kImportError, "from-import-* object has no __dict__ and no __all__");
    }
    MVM_TRY(all, CallMethod(ts, dict, MVM_NAME(ts, keys)));
  }
  MVM_TRY(Ref<ListObject> names, ListFrom(ts, all));
  for (uint64_t i = 0; i < names->size; ++i) {
    Ref<> name = Ref<>::Borrow(names->items[i]);
    if (!IsStr(ts, name)) {
      MVM_TRY(Ref<> module_name, GetAttr(ts, module, MVM_NAME(ts, __name__)));
      return Raise(ts, Exc::kTypeError,
                   skip_underscores ? "Key in %U.__dict__ must be str, not %T"
                                    : "Item in %U.__all__ must be str, not %T",
                   module_name.get(), name.get());
    }
    if (skip_underscores && name.as<StrObject>()->length > 0 && name.as<StrObject>()->At(0) == '_')
      continue;
    MVM_TRY(Ref<> v, GetAttr(ts, module, name.as<StrObject>()));
    MVM_TRY(Ref<StrObject> interned, Intern(ts, name.as<StrObject>()));
    MVM_TRY_VOID(SetItem(ts, locals, Value(interned.get()), v));
  }
  return None(ts);
}

// Same traceback, context and cause: a re-raised part of the original, not a new exception.
bool SameOrigin(Value a, Value b) {
  ExceptionObject* x = a.as<ExceptionObject>();
  ExceptionObject* y = b.as<ExceptionObject>();
  return x->traceback.is(y->traceback) && x->context.is(y->context) && x->cause.is(y->cause);
}

// The identities of the exceptions in a group that are no groups themselves.
Status CollectLeaves(ThreadState& ts, Value exc, SetObject* leaves) {
  RecursionGuard guard(ts, " in CollectLeaves");
  if (!guard) return kRaised;
  if (!IsSubtype(TypeOf(ts, exc), ExcType(ts, Exc::kBaseExceptionGroup))) {
    return SetAdd(ts, leaves, Value::Int(static_cast<int64_t>(exc.bits()))).raised()
               ? Status(kRaised)
               : Ok();
  }
  for (Value e : exc.as<ExceptionGroupObject>()->exceptions.as<TupleObject>()->span()) {
    MVM_TRY_VOID(CollectLeaves(ts, e, leaves));
  }
  return Ok();
}

// The part of `exc` whose leaves are in the set: itself if all are, None if none is, else a group
// derived from it with its traceback, cause, context and notes.
Result<> Project(ThreadState& ts, Value exc, SetObject* leaves) {
  RecursionGuard guard(ts, " in exception group projection");
  if (!guard) return kRaised;
  if (!IsSubtype(TypeOf(ts, exc), ExcType(ts, Exc::kBaseExceptionGroup))) {
    MVM_TRY(bool kept, SetContains(ts, leaves, Value::Int(static_cast<int64_t>(exc.bits()))));
    return kept ? Result<>::Borrow(exc) : None(ts);
  }
  MVM_TRY(Ref<ListObject> parts, NewListReserve(ts, 0));
  bool all = true;
  for (Value e : exc.as<ExceptionGroupObject>()->exceptions.as<TupleObject>()->span()) {
    MVM_TRY(Ref<> part, Project(ts, e, leaves));
    all = all && part.is(e);
    if (!IsNone(ts, part)) MVM_TRY_VOID(ListAppend(ts, parts, part));
  }
  if (all) return Result<>::Borrow(exc);
  if (parts->size == 0) return None(ts);
  MVM_TRY(Ref<StrObject> derive, InternUtf8(ts, "derive"));
  MVM_TRY(Ref<> group, CallMethod(ts, exc, derive, Value(parts.get())));
  if (!IsException(ts, group))
    return Raise(ts, Exc::kTypeError, "derive must return an instance of BaseExceptionGroup");
  ExceptionObject* from = exc.as<ExceptionObject>();
  ExceptionObject* to = group.as<ExceptionObject>();
  for (Value ExceptionObject::*field :
       {&ExceptionObject::traceback, &ExceptionObject::context, &ExceptionObject::cause}) {
    Incref(from->*field);
    Value old = std::exchange(to->*field, from->*field);
    Decref(old);
  }
  to->suppress_context = from->suppress_context;
  MVM_TRY(Ref<> notes, GetAttrOptional(ts, exc, MVM_NAME(ts, __notes__)));
  if (!notes.is_absent()) {
    MVM_TRY(Ref<ListObject> copy, ListFrom(ts, notes));
    MVM_TRY_VOID(SetAttr(ts, group, MVM_NAME(ts, __notes__), copy));
  }
  return group;
}

// except*: what to raise after all clauses have run; None: nothing.
Result<> PrepareReraiseStar(ThreadState& ts, Value original, Value list_value) {
  ListObject* list = list_value.as<ListObject>();
  MVM_TRY(Ref<ListObject> raised, NewListReserve(ts, 0));
  MVM_TRY(Ref<ListObject> reraised, NewListReserve(ts, 0));
  for (uint64_t i = 0; i < list->size; ++i) {
    Value e = list->items[i];
    if (IsNone(ts, e)) continue;
    bool same = e.is(original) || SameOrigin(e, original);
    MVM_TRY_VOID(ListAppend(ts, same ? reraised.get() : raised.get(), e));
  }
  bool is_group = IsSubtype(TypeOf(ts, original), ExcType(ts, Exc::kBaseExceptionGroup));
  if (!is_group) {
    // A naked exception: at most one thing comes out.
    if (raised->size == 0 && reraised->size == 0) return None(ts);
    if (raised->size == 0) return Result<>::Borrow(reraised->items[0]);
    if (raised->size == 1 && reraised->size == 0) return Result<>::Borrow(raised->items[0]);
  }
  Ref<> rest;
  if (reraised->size > 0) {
    if (is_group) {
      // The part of the original made of the leaves that are raised again.
      MVM_TRY(Ref<SetObject> leaves, NewSet(ts));
      for (uint64_t i = 0; i < reraised->size; ++i) {
        MVM_TRY_VOID(CollectLeaves(ts, reraised->items[i], leaves));
      }
      MVM_TRY(rest, Project(ts, original, leaves));
    } else {
      rest = Ref<>::Borrow(reraised->items[0]);
    }
  }
  if (raised->size == 0) {
    if (rest.is_null()) return None(ts);
    return rest;
  }
  if (rest) MVM_TRY_VOID(ListAppend(ts, raised, rest));
  if (raised->size == 1) return Result<>::Borrow(raised->items[0]);
  Result<> group = Call(ts, Value(ExcType(ts, Exc::kExceptionGroup)), Value(ts.rt->empty_str),
                        Value(raised.get()));
  if (group.raised() && ClearPendingIf(ts, Exc::kTypeError)) {
    group = Call(ts, Value(ExcType(ts, Exc::kBaseExceptionGroup)), Value(ts.rt->empty_str),
                 Value(raised.get()));
  }
  return group;
}

}  // namespace

Result<> ImportFrom(ThreadState& ts, Value module, StrObject* name) {
  MVM_TRY(Ref<> v, GetAttrOptional(ts, module, name));
  if (!v.is_absent()) return v;
  // A submodule in the middle of a circular import is in sys.modules only.
  Ref<> module_name;
  { MVM_TRY(module_name, GetAttrOptional(ts, module, MVM_NAME(ts, __name__))); }
  bool named = module_name.is_object() && IsStr(ts, module_name);
  if (named) {
    MVM_TRY(Ref<StrObject> full, Format(ts, "%U.%U", module_name.get(), Value(name)));
    MVM_TRY(Ref<> found, DictGet(ts, ts.rt->modules, Value(full.get())));
    if (!found.is_absent()) return found;
  }
  MVM_TRY(Ref<> file, GetAttrOptional(ts, module, MVM_NAME(ts, __file__)));
  bool has_file = file.is_object() && IsStr(ts, file);
  bool initializing = false;
  MVM_TRY(Ref<> spec, GetAttrOptional(ts, module, MVM_NAME(ts, __spec__)));
  if (!spec.is_absent() && !IsNone(ts, spec)) {
    MVM_TRY(Ref<> flag, GetAttrOptional(ts, spec, MVM_NAME(ts, _initializing)));
    if (!flag.is_absent()) {
      MVM_TRY(initializing, Truth(ts, flag));
    }
  }
  MVM_TRY(Ref<StrObject> unknown, NewStr(ts, "<unknown module name>"));
  MVM_TRY(Ref<StrObject> no_file, NewStr(ts, "unknown location"));
  Value shown = named ? module_name.get() : Value(unknown.get());
  Value where = has_file ? file.get() : Value(no_file.get());
  if (initializing) {
    Raise(ts, Exc::kImportError,
          has_file
              ? "cannot import name %R from partially initialized module %R (most likely due to a "
                "circular import) (%U)"
              : "cannot import name %R from partially initialized module %R (most likely due to a "
                "circular import)",
          Value(name), shown, where);
  } else {
    Raise(ts, Exc::kImportError, "cannot import name %R from %R (%U)", Value(name), shown, where);
  }
  if (PendingIs(ts, Exc::kImportError)) {
    ImportErrorObject* e = ts.pending.as<ImportErrorObject>();
    e->name = Ref<>::Borrow(shown).Release();
    e->name_from = Ref<>::Borrow(Value(name)).Release();
    e->path = Ref<>::Borrow(has_file ? file.get() : Value(ts.rt->none)).Release();
  }
  return kRaised;
}

Result<> RunIntrinsic(ThreadState& ts, FunctionObject* f, Value* R, Intrinsic which, Value a,
                      Value b) {
  switch (which) {
    case Intrinsic::kPrintExpr: {
      MVM_TRY(Ref<> hook, GetAttrOptional(ts, Value(ts.rt->sys), MVM_NAME(ts, displayhook)));
      if (hook.is_absent()) return Raise(ts, Exc::kRuntimeError, "lost sys.displayhook");
      return Call(ts, hook, a);
    }
    case Intrinsic::kImportStar: return ImportStar(ts, f, R, a);
    case Intrinsic::kStopIterationError: {
      // `a` is the exception leaving a generator or coroutine.
      const char* kind = f->code->flags & kCodeAsyncGenerator ? "async generator"
                         : f->code->flags & kCodeCoroutine    ? "coroutine"
                                                              : "generator";
      const char* what = nullptr;
      TypeObject* type = TypeOf(ts, a);
      if (IsSubtype(type, ExcType(ts, Exc::kStopIteration))) what = "StopIteration";
      if ((f->code->flags & kCodeAsyncGenerator) &&
          IsSubtype(type, ExcType(ts, Exc::kStopAsyncIteration))) {
        what = "StopAsyncIteration";
      }
      if (what == nullptr) return Result<>::Borrow(a);
      MVM_TRY(Ref<StrObject> text, Format(ts, "%s raised %s", kind, what));
      MVM_TRY(Ref<> error, NewException(ts, Exc::kRuntimeError, Value(text.get())));
      ExceptionObject* e = error.as<ExceptionObject>();
      Incref(a);
      Incref(a);
      Value old_cause = std::exchange(e->cause, a), old_context = std::exchange(e->context, a);
      e->suppress_context = true;
      Decref(old_cause);
      Decref(old_context);
      return error;
    }
    case Intrinsic::kAsyncGenValue: return WrapAsyncValue(ts, a);
    case Intrinsic::kUnaryPositive: return Positive(ts, a);
    case Intrinsic::kTypeVar: return MakeTyping(ts, "_make_typevar", {&a, 1});
    case Intrinsic::kParamSpec: return MakeTyping(ts, "_make_paramspec", {&a, 1});
    case Intrinsic::kTypeVarTuple: return MakeTyping(ts, "_make_typevartuple", {&a, 1});
    case Intrinsic::kSubscriptGeneric: return MakeTyping(ts, "_make_generic", {&a, 1});
    case Intrinsic::kTypeAlias: return MakeTyping(ts, "_make_typealias", {&a, 1});
    case Intrinsic::kListToTuple: return TupleFrom(ts, a);
    case Intrinsic::kPrepReraiseStar: return PrepareReraiseStar(ts, a, b);
    case Intrinsic::kTypeVarBound: {
      Value args[] = {a, b};
      return MakeTyping(ts, "_make_typevar_bound", std::span<const Value>(args));
    }
    case Intrinsic::kTypeVarConstraints: {
      Value args[] = {a, b};
      return MakeTyping(ts, "_make_typevar_constraints", std::span<const Value>(args));
    }
    case Intrinsic::kSetFunctionTypeParams: {
      FunctionObject* made = a.as<FunctionObject>();
      Incref(b);
      Value old = std::exchange(made->type_params, b);
      Decref(old);
      return Result<>::Borrow(a);
    }
    case Intrinsic::kSetTypeParamDefault: {
      Value args[] = {a, b};
      return MakeTyping(ts, "_set_default", std::span<const Value>(args));
    }
    case Intrinsic::kUnpackToList: return UnpackToList(ts, a, b.as_int());
  }
  return None(ts);
}

Status SuperArguments(ThreadState& ts, Ref<>* type, Ref<>* object) {
  FrameWalker walker(ts);
  if (walker.done()) return Raise(ts, Exc::kRuntimeError, "super(): no current frame");
  Value* R = walker.base();
  FunctionObject* f = FunctionOf(R);
  CodeObject* code = f->code;
  if (code->arg_count == 0) return Raise(ts, Exc::kRuntimeError, "super(): no arguments");
  Value self = R[0];
  if (IsExact(self, TypeId::kCell)) {
    for (uint32_t i = 0; i < code->cellvars->size(); ++i) {
      if (code->cell_registers[i] == 0) self = self.as<CellObject>()->value;
    }
  }
  if (self.is(ts.rt->unbound)) return Raise(ts, Exc::kRuntimeError, "super(): arg[0] deleted");
  for (uint32_t i = 0; i < code->freevars->size(); ++i) {
    if (code->freevars->items()[i].as<StrObject>() != MVM_NAME(ts, __class__)) continue;
    Value cls = f->closure->items()[i].as<CellObject>()->value;
    if (cls.is(ts.rt->unbound))
      return Raise(ts, Exc::kRuntimeError, "super(): empty __class__ cell");
    if (!IsType(ts, cls)) {
      return Raise(ts, Exc::kRuntimeError, "super(): __class__ is not a type (%T)", cls);
    }
    *type = Ref<>::Borrow(cls);
    *object = Ref<>::Borrow(self);
    return Ok();
  }
  return Raise(ts, Exc::kRuntimeError, "super(): __class__ cell not found");
}

}  // namespace minivm
