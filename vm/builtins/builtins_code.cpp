// The functions of builtins that are about code: compile, eval, exec, scopes, classes, imports.
#include "runtime/native/native_function.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/builtins_module.h"
#include "vm/builtins/compile_value.h"
#include "vm/compiler/compiler.h"
#include "vm/import/importer.h"
#include "vm/interp/frame_locals.h"
#include "vm/interp/interpreter.h"

namespace minivm {

namespace {

// How eval and exec word their complaints.
struct ScopeMessages {
  const char* function;
  const char* globals;  // may tell the type, as may the next
  const char* locals;
};
constexpr ScopeMessages kEvalMessages = {"eval", "globals must be a dict",
                                         "locals must be a mapping"};
constexpr ScopeMessages kExecMessages = {"exec", "exec() globals must be a dict, not %T",
                                         "locals must be a mapping or None, not %T"};

// Globals and locals of eval and exec.
Status Scopes(ThreadState& ts, const ScopeMessages& messages, Value globals, Value locals,
              Ref<DictObject>* g, Ref<>* l) {
  if (!IsNone(ts, globals) && !IsDict(ts, globals)) {
    return Raise(ts, Exc::kTypeError, messages.globals, globals);
  }
  if (!IsNone(ts, locals) && !IsDict(ts, locals)) {
    TypeObject* type = TypeOf(ts, locals);
    MVM_TRY_VOID(TypeReady(ts, type));
    if (type->slots.get_item == nullptr) {
      return Raise(ts, Exc::kTypeError, messages.locals, locals);
    }
  }
  if (IsNone(ts, globals)) {
    DictObject* current = ts.rt->hooks.current_globals(ts);
    if (current == nullptr) {
      return Raise(ts, Exc::kTypeError,
                   "%s must be given globals and locals when called without a frame",
                   messages.function);
    }
    *g = Ref<DictObject>::Borrow(current);
    if (IsNone(ts, locals)) {
      MVM_TRY(*l, CurrentLocals(ts));
    } else {
      *l = Ref<>::Borrow(locals);
    }
  } else {
    *g = Ref<DictObject>::Borrow(globals.as<DictObject>());
    *l = Ref<>::Borrow(IsNone(ts, locals) ? globals : locals);
  }
  if (DictGetStr(ts, *g, MVM_NAME(ts, __builtins__)).is_null()) {
    const Value builtins =
        ts.base != nullptr ? FunctionOf(ts.base)->builtins : Value(ts.rt->builtins_dict);
    MVM_TRY_VOID(DictSetStr(ts, *g, MVM_NAME(ts, __builtins__), builtins));
  }
  return Ok();
}

Result<> builtins_eval(ThreadState& ts, Args args) {
  Ref<DictObject> globals;
  Ref<> locals;
  MVM_TRY_VOID(Scopes(ts, kEvalMessages, args[1], args[2], &globals, &locals));
  Ref<CodeObject> code;
  if (IsExact(args[0], TypeId::kCode)) {
    code = Ref<CodeObject>::Borrow(args.as<CodeObject>(0));
    if (code->freevars->size() > 0) {
      return Raise(ts, Exc::kTypeError,
                   "code object passed to eval() may not contain free variables");
    }
  } else {
    CompileOptions options;
    options.mode = CompileMode::kEval;
    options.future_flags = CallerFutures(ts);
    options.optimize = ts.rt->optimize;
    MVM_TRY(Ref<StrObject> filename, NewStr(ts, "<string>"));
    Ref<> source = Ref<>::Borrow(args[0]);
    if (IsStr(ts, source)) {  // leading blanks are allowed
      StrObject* s = source.as<StrObject>();
      size_t skip = 0;
      while (skip < s->length && (s->At(skip) == ' ' || s->At(skip) == '\t')) ++skip;
      if (skip > 0) {
        MVM_TRY(source, StrSlice(ts, s, skip, s->length));
      }
    }
    MVM_TRY(code,
            CompileValue(ts, source, filename, options, "eval", "string, bytes or code object"));
  }
  return RunCode(ts, code, globals, locals);
}

Result<> builtins_exec(ThreadState& ts, Args args) {
  // exec(source, globals=None, locals=None, /, *, closure=None)
  Ref<DictObject> globals;
  Ref<> locals;
  MVM_TRY_VOID(Scopes(ts, kExecMessages, args[1], args[2], &globals, &locals));
  Ref<CodeObject> code;
  Value closure = args[3];
  TupleObject* cells = nullptr;
  if (IsExact(args[0], TypeId::kCode)) {
    code = Ref<CodeObject>::Borrow(args.as<CodeObject>(0));
    uint32_t n = code->freevars->size();
    if (n == 0) {
      if (!IsNone(ts, closure)) {
        return Raise(ts, Exc::kTypeError, "cannot use a closure with this code object");
      }
    } else {
      bool ok = IsExact(closure, TypeId::kTuple) && closure.as<TupleObject>()->size() == n;
      for (uint32_t i = 0; ok && i < n; ++i)
        ok = IsExact(closure.as<TupleObject>()->items()[i], TypeId::kCell);
      if (!ok) {
        return Raise(ts, Exc::kTypeError, "code object requires a closure of exactly length %u", n);
      }
      cells = closure.as<TupleObject>();
    }
  } else {
    if (!IsNone(ts, closure)) {
      return Raise(ts, Exc::kTypeError, "closure can only be used when source is a code object");
    }
    CompileOptions options;
    options.future_flags = CallerFutures(ts);
    options.optimize = ts.rt->optimize;
    MVM_TRY(Ref<StrObject> filename, NewStr(ts, "<string>"));
    MVM_TRY(code,
            CompileValue(ts, args[0], filename, options, "exec", "string, bytes or code object"));
  }
  MVM_TRY_VOID(RunCode(ts, code, globals, locals, cells));
  return None(ts);
}

Result<> builtins_globals(ThreadState& ts, Args args) {
  DictObject* g = ts.rt->hooks.current_globals(ts);
  return g == nullptr ? None(ts) : Result<>::Borrow(Value(g));
}
Result<> builtins_locals(ThreadState& ts, Args args) { return CurrentLocals(ts); }

Result<> builtins_vars(ThreadState& ts, Args args) {
  if (!args.has(0)) return CurrentLocals(ts);
  MVM_TRY(Ref<> dict, GetAttrOptional(ts, args[0], MVM_NAME(ts, __dict__)));
  if (dict.is_absent()) {
    return Raise(ts, Exc::kTypeError, "vars() argument must have __dict__ attribute");
  }
  return dict;
}

Result<> builtins_dir(ThreadState& ts, Args args) {
  if (args.has(0)) return Dir(ts, args[0]);
  MVM_TRY(Ref<> locals, CurrentLocals(ts));
  MVM_TRY(Ref<> keys, CallMethod(ts, locals, MVM_NAME(ts, keys)));
  MVM_TRY(Ref<ListObject> list, ListFrom(ts, keys));
  MVM_TRY_VOID(ListSort(ts, list, Value(), false));
  return list;
}

Result<> builtins_import(ThreadState& ts, Args args) {
  // __import__(name, globals=None, locals=None, fromlist=(), level=0)
  if (!IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "module name must be a string");
  MVM_TRY(int64_t level, AsInt64(ts, args[4]));
  return ImportModuleLevel(ts, args.as<StrObject>(0), args[1], args[3], level);
}

// Replaces bases that are no classes by what their __mro_entries__ say.
Result<TupleObject> ResolveBases(ThreadState& ts, TupleObject* bases) {
  Ref<ListObject> resolved;
  for (uint32_t i = 0; i < bases->size(); ++i) {
    Value base = bases->items()[i];
    Ref<> entries;
    if (!IsType(ts, base)) {
      MVM_TRY(Ref<> method, GetAttrOptional(ts, base, MVM_NAME(ts, __mro_entries__)));
      if (!method.is_absent()) {
        MVM_TRY(entries, Call(ts, method, Value(bases)));
        if (!IsTuple(ts, entries))
          return Raise(ts, Exc::kTypeError, "__mro_entries__ must return a tuple");
      }
    }
    if (entries.is_null()) {
      if (resolved) MVM_TRY_VOID(ListAppend(ts, resolved, base));
      continue;
    }
    if (!resolved) {
      MVM_TRY(resolved, NewList(ts, bases->span().first(i)));
    }
    for (Value v : entries.as<TupleObject>()->span()) MVM_TRY_VOID(ListAppend(ts, resolved, v));
  }
  if (!resolved) return Ref<TupleObject>::Borrow(bases);
  return NewTuple(ts, {resolved->items, static_cast<size_t>(resolved->size)});
}

Result<> builtins_build_class(ThreadState& ts, Args args) {
  // __build_class__(func, name, /, *bases, [metaclass], **kwds) -> class
  if (args.n < 2) return Raise(ts, Exc::kTypeError, "__build_class__: not enough arguments");
  if (!IsExact(args[0], TypeId::kFunction)) {
    return Raise(ts, Exc::kTypeError, "__build_class__: func must be a function");
  }
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__build_class__: name is not a string");
  FunctionObject* body = args.as<FunctionObject>(0);
  Ref<StrObject> name = Ref<StrObject>::Borrow(args.as<StrObject>(1));
  MVM_TRY(Ref<TupleObject> original, NewTuple(ts, {args.v + 2, args.n - 2u}));
  MVM_TRY(Ref<TupleObject> bases, ResolveBases(ts, original));
  Ref<> metaclass;
  Ref<DictObject> kwargs;
  if (args.nkw > 0) {
    MVM_TRY(kwargs, NewDict(ts, args.nkw));
    TupleObject* names = args.v[args.n + args.nkw].as<TupleObject>();
    for (uint32_t i = 0; i < args.nkw; ++i) {
      Value v = args.v[args.n + i];
      if (names->items()[i].as<StrObject>()->EqualsAscii("metaclass")) {
        metaclass = Ref<>::Borrow(v);
      } else {
        MVM_TRY_VOID(DictSet(ts, kwargs, names->items()[i], v));
      }
    }
  }
  if (metaclass.is_null()) {
    metaclass = bases->size() == 0 ? Ref<>::Borrow(Value(TypeById(ts, TypeId::kType)))
                                   : Ref<>::Borrow(Value(TypeOf(ts, bases->items()[0])));
  }
  if (IsType(ts, metaclass)) {
    TypeObject* winner = metaclass.as<TypeObject>();
    for (Value base : bases->span()) {
      TypeObject* candidate = TypeOf(ts, base);
      if (IsSubtype(winner, candidate)) continue;
      if (IsSubtype(candidate, winner)) {
        winner = candidate;
        continue;
      }
      return Raise(
          ts, Exc::kTypeError,
          "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of "
          "the metaclasses of all its bases");
    }
    metaclass = Ref<>::Borrow(Value(winner));
  }
  MVM_TRY(Ref<> prepare, GetAttrOptional(ts, metaclass, MVM_NAME(ts, __prepare__)));
  Ref<> ns;
  if (prepare.is_absent()) {
    MVM_TRY(ns, NewDict(ts));
  } else {
    Value pair[] = {Value(name.get()), Value(bases.get())};
    MVM_TRY(Ref<TupleObject> prepare_args, NewTuple(ts, pair));
    MVM_TRY(ns, CallWith(ts, prepare, prepare_args, kwargs));
  }
  TypeObject* ns_type = TypeOf(ts, ns);
  MVM_TRY_VOID(TypeReady(ts, ns_type));
  if (!IsDict(ts, ns) && ns_type->slots.get_item == nullptr) {
    MVM_TRY(Ref<> meta_name, IsType(ts, metaclass) ? GetAttr(ts, metaclass, MVM_NAME(ts, __name__))
                                                   : Result<>(NewStr(ts, "<metaclass>")));
    return Raise(ts, Exc::kTypeError, "%U.__prepare__() must return a mapping, not %T",
                 meta_name.get(), ns.get());
  }
  MVM_TRY(Ref<> cell, RunCode(ts, body->code, body->globals, ns, body->closure));
  if (bases.get() != original.get()) {
    MVM_TRY_VOID(SetItem(ts, ns, Value(MVM_NAME(ts, __orig_bases__)), Value(original.get())));
  }
  Value triple[] = {Value(name.get()), Value(bases.get()), ns.get()};
  MVM_TRY(Ref<TupleObject> class_args, NewTuple(ts, triple));
  MVM_TRY(Ref<> cls, CallWith(ts, metaclass, class_args, kwargs));
  if (IsType(ts, cls) && IsExact(cell, TypeId::kCell)) {
    Value in_cell = cell.as<CellObject>()->value;
    if (in_cell.is(ts.rt->unbound)) {
      return Raise(
          ts, Exc::kRuntimeError,
          "__class__ not set defining %R as %R. Was __classcell__ propagated to type.__new__?",
          Value(name.get()), cls.get());
    }
    if (!in_cell.is(cls)) {
      return Raise(ts, Exc::kTypeError, "__class__ set to %R defining %R as %R", in_cell,
                   Value(name.get()), cls.get());
    }
  }
  return cls;
}

Result<> builtins_breakpoint(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> hook, GetAttrOptional(ts, Value(ts.rt->sys), "breakpointhook"));
  if (hook.is_absent()) return Raise(ts, Exc::kRuntimeError, "lost sys.breakpointhook");
  return CallRaw(ts, hook, args);
}

const MethodSpec kCodeFunctions[] = {
    {"__build_class__(...)", builtins_build_class,
     "What a class statement calls: func fills the namespace of the class to make."},
    {"__import__(name, globals=None, locals=None, fromlist=(), level=0)", builtins_import,
     "What an import statement calls: the top package, or with fromlist the module itself."},
    {"breakpoint(...)", builtins_breakpoint,
     "Calls sys.breakpointhook() with the arguments: a place to debug at."},
    {"compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, "
     "_feature_version=-1)",
     builtins_compile, "Code, or a tree, from source; mode is 'exec', 'eval' or 'single'."},
    {"dir(object=<unrepresentable>, /)", builtins_dir,
     "The sorted names of the attributes, or of the variables here without an argument."},
    {"eval(source, /, globals=None, locals=None)", builtins_eval,
     "The value of an expression, given as source or code."},
    {"exec(source, /, globals=None, locals=None, *, closure=None)", builtins_exec,
     "Runs statements, given as source or code."},
    {"globals()", builtins_globals, "The variables of the module, as the dict that holds them."},
    {"locals()", builtins_locals,
     "The variables of the function, copied to a dict; elsewhere the namespace itself."},
    {"vars(object=<unrepresentable>, /)", builtins_vars,
     "The __dict__ of the object, or locals() without an argument."},
};

}  // namespace

Status AddCodeFunctions(ThreadState& ts, ModuleObject* builtins) {
  MVM_TRY(Ref<StrObject> module_name, InternUtf8(ts, "builtins"));
  for (const MethodSpec& spec : kCodeFunctions) {
    MVM_TRY(Ref<NativeFunctionObject> f,
            NewNativeFunction(ts, spec, Value(builtins), false, module_name));
    std::string_view text = spec.signature;
    MVM_TRY_VOID(ModuleAdd(ts, builtins, text.substr(0, text.find('(')), f));
  }
  return Ok();
}

}  // namespace minivm
