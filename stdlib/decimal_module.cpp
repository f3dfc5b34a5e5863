// Module _decimal: types, signals, contexts. The module decimal (in the language) publishes it.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/contextvars.h"
#include "stdlib/decimal/decimal_object.h"

namespace minivm {

namespace decimal {
namespace {

Result<> decimal_getcontext(ThreadState& ts, Args) {
  MVM_TRY(ContextObject * c, CurrentContext(ts));
  return Result<>::Borrow(Value(c));
}

Result<> decimal_setcontext(ThreadState& ts, Args args) {
  if (!IsDecimalContext(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "argument must be a context");
  MVM_TRY_VOID(SetCurrentContext(ts, args.as<ContextObject>(0)));
  return None(ts);
}

// localcontext(ctx=None, **settings): a manager for a copy of ctx.
Result<> decimal_localcontext(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> given, ContextArgument(ts, args[0]));
  MVM_TRY(Ref<ContextObject> local, CopyContext(ts, given));
  MVM_TRY_VOID(ConfigureContext(ts, local, args.v + 1));
  MVM_TRY(ContextObject * current, CurrentContext(ts));
  const Ref<ContextObject> outer = Ref<ContextObject>::Borrow(current);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kContextManagerType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  ContextManagerObject* m = made.as<ContextManagerObject>();
  m->local = local.Release();
  m->outer = Ref<ContextObject>(outer).Release();
  return made;
}

const MethodSpec kFunctions[] = {
    {"getcontext()", decimal_getcontext, "The context of the running thread and task."},
    {"localcontext(ctx=None, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, "
     "clamp=None, "
     "flags=None, traps=None)!",
     decimal_localcontext,
     "A context manager whose body runs in a copy of ctx, of the present context without one.\n"
     "\n"
     "Keyword arguments change settings of the copy."},
    {"setcontext(context, /)", decimal_setcontext,
     "Make this the context of the running thread and task; a copy if it is one of the module's "
     "templates."},
};
const TypeSpec* const kTypes[] = {&kDecimalType, &kContextType, &kSignalDictMixinType};
const ConstantSpec kConstants[] = {
    {"MAX_EMAX", ConstantSpec::kInt, kMaxEmax},
    {"MAX_PREC", ConstantSpec::kInt, kMaxPrec},
    {"MIN_EMIN", ConstantSpec::kInt, kMinEmin},
    {"MIN_ETINY", ConstantSpec::kInt, kMinEtiny},
    {"ROUND_UP", ConstantSpec::kStr, 0, 0, "ROUND_UP"},
    {"ROUND_DOWN", ConstantSpec::kStr, 0, 0, "ROUND_DOWN"},
    {"ROUND_CEILING", ConstantSpec::kStr, 0, 0, "ROUND_CEILING"},
    {"ROUND_FLOOR", ConstantSpec::kStr, 0, 0, "ROUND_FLOOR"},
    {"ROUND_HALF_UP", ConstantSpec::kStr, 0, 0, "ROUND_HALF_UP"},
    {"ROUND_HALF_DOWN", ConstantSpec::kStr, 0, 0, "ROUND_HALF_DOWN"},
    {"ROUND_HALF_EVEN", ConstantSpec::kStr, 0, 0, "ROUND_HALF_EVEN"},
    {"ROUND_05UP", ConstantSpec::kStr, 0, 0, "ROUND_05UP"},
    {"__version__", ConstantSpec::kStr, 0, 0, "1.70"},
    {"__libmpdec_version__", ConstantSpec::kStr, 0, 0, "2.5.1"},
};

// class <name>(bases): pass, in module decimal.
Result<TypeObject> MakeException(ThreadState& ts, ModuleObject* module, const char* name,
                                 std::initializer_list<TypeObject*> bases) {
  Value values[4];
  size_t n = 0;
  for (TypeObject* base : bases) values[n++] = Value(base);
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, {values, n}));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY(Ref<StrObject> home, NewStr(ts, "decimal"));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), home));
  MVM_TRY(Ref<StrObject> text, NewStr(ts, name));
  MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), text, tuple, ns));
  MVM_TRY_VOID(ModuleAdd(ts, module, name, Value(type.get())));
  return type;
}

Status AddExceptions(ThreadState& ts, ModuleObject* module, DecimalState* state) {
  MVM_TRY(Ref<TypeObject> base,
          MakeException(ts, module, "DecimalException", {ExcType(ts, Exc::kArithmeticError)}));
  TypeObject* root = base.get();
  TypeObject* zero = ExcType(ts, Exc::kZeroDivisionError);
  auto signal = [state](const char* name) -> TypeObject*& {
    for (int i = 0; i < kSignalCount; ++i) {
      if (std::string_view(kSignals[i].name) == name) return state->signals[i];
    }
    MVM_CHECK(false, "no such signal");
    return state->signals[0];
  };
  auto make = [&](const char* name, std::initializer_list<TypeObject*> bases) -> Status {
    MVM_TRY(Ref<TypeObject> type, MakeException(ts, module, name, bases));
    signal(name) = type.Release();
    return Ok();
  };
  MVM_TRY_VOID(make("Clamped", {root}));
  MVM_TRY_VOID(make("InvalidOperation", {root}));
  MVM_TRY_VOID(make("DivisionByZero", {root, zero}));
  MVM_TRY_VOID(make("Inexact", {root}));
  MVM_TRY_VOID(make("Rounded", {root}));
  MVM_TRY_VOID(make("Subnormal", {root}));
  MVM_TRY_VOID(make("Overflow", {signal("Inexact"), signal("Rounded")}));
  MVM_TRY_VOID(make("Underflow", {signal("Inexact"), signal("Rounded"), signal("Subnormal")}));
  MVM_TRY_VOID(make("FloatOperation", {root, ExcType(ts, Exc::kTypeError)}));
  for (int i = 0; i < kSubConditionCount; ++i) {
    TypeObject* invalid = signal("InvalidOperation");
    Result<TypeObject> made =
        kSubConditions[i].bits == kDivisionUndefined
            ? MakeException(ts, module, kSubConditions[i].name, {invalid, zero})
            : MakeException(ts, module, kSubConditions[i].name, {invalid});
    MVM_TRY(Ref<TypeObject> type, std::move(made));
    state->sub_conditions[i] = type.Release();
  }
  return Ok();
}

Status AddTemplates(ThreadState& ts, ModuleObject* module, DecimalState* state) {
  static constexpr const char* kNames[] = {"DefaultContext", "BasicContext", "ExtendedContext"};
  for (int i = 0; i < 3; ++i) {
    MVM_TRY(Ref<ContextObject> c, NewContext(ts));
    c->settings = Settings();
    c->traps = kInvalidConditions | kDivisionByZero | kOverflow;
    if (i > 0) c->settings.prec = 9;
    if (i == 1) {
      c->settings.rounding = Rounding::kHalfUp;
      c->traps |= kUnderflow | kClamped;
    } else if (i == 2) {
      c->traps = 0;
    }
    MVM_TRY_VOID(ModuleAdd(ts, module, kNames[i], Value(c.get())));
    state->templates[i] = c.Release();
  }
  return Ok();
}

Status AddTupleType(ThreadState& ts, ModuleObject* module, DecimalState* state) {
  MVM_TRY(Ref<> collections, ts.rt->hooks.import_module(ts, "collections"));
  MVM_TRY(Ref<> make, GetAttr(ts, collections, std::string_view("namedtuple")));
  MVM_TRY(Ref<StrObject> name, NewStr(ts, "DecimalTuple"));
  MVM_TRY(Ref<StrObject> fields, NewStr(ts, "sign digits exponent"));
  MVM_TRY(Ref<> type, Call(ts, make, Value(name.get()), Value(fields.get())));
  MVM_TRY(Ref<StrObject> home, NewStr(ts, "decimal"));
  MVM_TRY_VOID(SetAttr(ts, type, MVM_NAME(ts, __module__), Value(home.get())));
  MVM_TRY_VOID(ModuleAdd(ts, module, "DecimalTuple", type));
  state->tuple_type = type.Release();
  return Ok();
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStateType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  DecimalState* state = made.as<DecimalState>();
  MVM_TRY(state->decimal_type, TypeForSpec(ts, kDecimalType));
  MVM_TRY(state->context_type, TypeForSpec(ts, kContextType));
  MVM_TRY(Ref<> variable, NewContextVar(ts, "decimal_context"));
  state->variable = variable.Release();
  MVM_TRY_VOID(AddExceptions(ts, module, state));
  MVM_TRY_VOID(AddTupleType(ts, module, state));
  // The module may be imported again after it was dropped from sys.modules: objects made before
  // then are of the same types, and see the new state.
  Object*& slot = ts.rt->module_states[static_cast<size_t>(ModuleState::kDecimal)];
  const Ref<Object> old = Ref<Object>::Steal(std::exchange(slot, made.Release().object()));
  MVM_TRY_VOID(AddTemplates(ts, module, state));
  MVM_TRY_VOID(ModuleAdd(ts, module, "HAVE_CONTEXTVAR", ts.rt->true_));
  return ModuleAdd(ts, module, "HAVE_THREADS", ts.rt->true_);
}

}  // namespace
}  // namespace decimal

extern const ModuleSpec k__decimal_module;
const ModuleSpec k__decimal_module = {
    .name = "_decimal",
    .doc = "Arithmetic on decimal numbers of any precision.",
    .functions = decimal::kFunctions,
    .types = decimal::kTypes,
    .constants = decimal::kConstants,
    .exec = decimal::ExecModule,
};

}  // namespace minivm
