// Context: settings, flags and traps; the current context of a thread; signals.
#include <cstring>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/contextvars.h"
#include "stdlib/decimal/decimal_object.h"

namespace minivm::decimal {

const Signal kSignals[kSignalCount] = {
    {"InvalidOperation", kInvalidConditions},
    {"FloatOperation", kFloatOperation},
    {"DivisionByZero", kDivisionByZero},
    {"Overflow", kOverflow},
    {"Underflow", kUnderflow},
    {"Subnormal", kSubnormal},
    {"Inexact", kInexact},
    {"Rounded", kRounded},
    {"Clamped", kClamped},
};
const Signal kSubConditions[kSubConditionCount] = {
    {"ConversionSyntax", kConversionSyntax},
    {"DivisionImpossible", kDivisionImpossible},
    {"DivisionUndefined", kDivisionUndefined},
    {"InvalidContext", kInvalidContext},
};

namespace {

constexpr const char* kRoundingNames[kRoundingCount] = {
    "ROUND_UP",      "ROUND_DOWN",      "ROUND_CEILING",   "ROUND_FLOOR",
    "ROUND_HALF_UP", "ROUND_HALF_DOWN", "ROUND_HALF_EVEN", "ROUND_05UP"};
constexpr const char* kNotRounding =
    "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n"
    "   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]";
constexpr const char* kNotSignal =
    "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n"
    "   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";

// ---- signals ----

Status AppendClass(ThreadState& ts, ListObject* list, TypeObject* type) {
  return ListAppend(ts, list, Value(type));
}

// The bits of a signal class.
Result<uint32_t> SignalBits(ThreadState& ts, Value cls) {
  DecimalState* state = StateOf(ts);
  for (int i = 0; i < kSignalCount; ++i) {
    if (cls.is(Value(state->signals[i]))) return kSignals[i].bits;
  }
  return Raise(ts, Exc::kKeyError, "%s", kNotSignal);
}

bool IsSignalDict(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kSignalDictMixinType;
}

// Flags or traps as a script gives them: a signal dict, a dict with all signals, or (for Context())
// a list of signals.
Result<uint32_t> BitsFromValue(ThreadState& ts, Value v, bool lists) {
  if (IsSignalDict(ts, v)) {
    const SignalDictObject* d = v.as<SignalDictObject>();
    if (!d->context) return Raise(ts, Exc::kValueError, "invalid signal dict");
    return uint32_t{d->bits()};
  }
  if (lists && IsList(ts, v)) {
    uint32_t bits = 0;
    ListObject* list = v.as<ListObject>();
    for (uint64_t i = 0; i < list->size; ++i) {
      MVM_TRY(uint32_t bit, SignalBits(ts, list->items[i]));
      bits |= bit;
    }
    return bits;
  }
  if (!IsDict(ts, v)) return Raise(ts, Exc::kTypeError, "argument must be a signal dict");
  DictObject* d = v.as<DictObject>();
  if (DictSize(d) != kSignalCount) return Raise(ts, Exc::kKeyError, "invalid signal dict");
  uint32_t bits = 0;
  for (int i = 0; i < kSignalCount; ++i) {
    MVM_TRY(Ref<> item, DictGet(ts, d, Value(StateOf(ts)->signals[i])));
    if (item.is_absent()) return Raise(ts, Exc::kKeyError, "invalid signal dict");
    MVM_TRY(bool on, Truth(ts, item));
    if (on) bits |= kSignals[i].bits;
  }
  return bits;
}

// ---- settings ----

Result<int64_t> IntSetting(ThreadState& ts, Value v) {
  if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "an integer is required");
  int64_t i;
  if (!IntFitsInt64(v, &i))
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  return i;
}

enum Setting {
  kSetPrec,
  kSetRounding,
  kSetEmin,
  kSetEmax,
  kSetCapitals,
  kSetClamp,
  kSetFlags,
  kSetTraps
};

Status Assign(ThreadState& ts, ContextObject* c, Setting which, Value v, bool lists) {
  Settings& s = c->settings;
  if (which == kSetRounding) {
    MVM_TRY(s.rounding, RoundingFromName(ts, v));
    return Ok();
  }
  if (which == kSetFlags || which == kSetTraps) {
    MVM_TRY(uint32_t bits, BitsFromValue(ts, v, lists));
    (which == kSetFlags ? c->flags : c->traps) = bits;
    return Ok();
  }
  MVM_TRY(int64_t i, IntSetting(ts, v));
  switch (which) {
    case kSetPrec:
      if (i < 1 || i > kMaxPrec)
        return Raise(ts, Exc::kValueError, "valid range for prec is [1, MAX_PREC]");
      s.prec = i;
      break;
    case kSetEmin:
      if (i < kMinEmin || i > 0)
        return Raise(ts, Exc::kValueError, "valid range for Emin is [MIN_EMIN, 0]");
      s.emin = i;
      break;
    case kSetEmax:
      if (i < 0 || i > kMaxEmax)
        return Raise(ts, Exc::kValueError, "valid range for Emax is [0, MAX_EMAX]");
      s.emax = i;
      break;
    case kSetCapitals:
      if (i != 0 && i != 1)
        return Raise(ts, Exc::kValueError, "valid values for capitals are 0 or 1");
      s.capitals = i != 0;
      break;
    default:
      if (i != 0 && i != 1) return Raise(ts, Exc::kValueError, "valid values for clamp are 0 or 1");
      s.clamp = i != 0;
      break;
  }
  return Ok();
}

template <Setting kWhich>
Status context_set(ThreadState& ts, Value self, Value value) {
  if (value.is_null())
    return Raise(ts, Exc::kAttributeError, "context attributes cannot be deleted");
  return Assign(ts, self.as<ContextObject>(), kWhich, value, false);
}

Result<> context_prec(ThreadState& ts, Value self) {
  return NewInt(ts, self.as<ContextObject>()->settings.prec);
}
Result<> context_emin(ThreadState& ts, Value self) {
  return NewInt(ts, self.as<ContextObject>()->settings.emin);
}
Result<> context_emax(ThreadState& ts, Value self) {
  return NewInt(ts, self.as<ContextObject>()->settings.emax);
}
Result<> context_capitals(ThreadState&, Value self) {
  return Small(self.as<ContextObject>()->settings.capitals);
}
Result<> context_clamp(ThreadState&, Value self) {
  return Small(self.as<ContextObject>()->settings.clamp);
}
Result<> context_rounding(ThreadState& ts, Value self) {
  return RoundingName(ts, self.as<ContextObject>()->settings.rounding);
}

template <bool kTraps>
Result<> context_signals(ThreadState& ts, Value self) {
  ContextObject* c = self.as<ContextObject>();
  Value& field = kTraps ? c->traps_dict : c->flags_dict;
  if (!field.is_null()) return Result<>::Borrow(field);
  // The class is a mapping in the language, on top of SignalDictMixin.
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_decimal_signals"));
  MVM_TRY(Ref<> cls, GetAttr(ts, module, std::string_view("SignalDict")));
  if (!IsType(ts, cls) || cls.as<TypeObject>()->spec != &kSignalDictMixinType)
    return Raise(ts, Exc::kTypeError, "_decimal_signals.SignalDict must be a signal dict class");
  MVM_TRY(Ref<> made, AllocInstance(ts, cls.as<TypeObject>()));
  SignalDictObject* d = made.as<SignalDictObject>();
  d->context = Ref<ContextObject>::Borrow(c).Release();
  d->traps = kTraps;
  Value& again = kTraps ? c->traps_dict : c->flags_dict;
  if (again.is_null()) again = Ref<>(made).Release();
  return made;
}

const GetSetSpec kContextGetSets[] = {
    {"prec", context_prec, context_set<kSetPrec>},
    {"rounding", context_rounding, context_set<kSetRounding>},
    {"Emin", context_emin, context_set<kSetEmin>},
    {"Emax", context_emax, context_set<kSetEmax>},
    {"capitals", context_capitals, context_set<kSetCapitals>},
    {"clamp", context_clamp, context_set<kSetClamp>},
    {"flags", context_signals<false>, context_set<kSetFlags>},
    {"traps", context_signals<true>, context_set<kSetTraps>},
};

Result<> context_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  ContextObject* c = made.as<ContextObject>();
  DecimalState* state = StateOf(ts);
  if (state && state->templates[0]) {
    c->settings = state->templates[0]->settings;
    c->traps = state->templates[0]->traps;
  } else {
    c->settings = Settings();
    c->traps = kInvalidConditions | kDivisionByZero | kOverflow;
  }
  return made;
}

Result<> context_init(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ConfigureContext(ts, args.self<ContextObject>(), args.v + 1));
  return None(ts);
}

Status AppendSignalNames(ThreadState& ts, StrBuilder* out, uint32_t bits) {
  static constexpr Signal kByBit[] = {{"Clamped", kClamped},
                                      {"InvalidOperation", kInvalidConditions},
                                      {"DivisionByZero", kDivisionByZero},
                                      {"Inexact", kInexact},
                                      {"FloatOperation", kFloatOperation},
                                      {"Overflow", kOverflow},
                                      {"Rounded", kRounded},
                                      {"Subnormal", kSubnormal},
                                      {"Underflow", kUnderflow}};
  MVM_TRY_VOID(out->AppendAscii("["));
  bool first = true;
  for (const Signal& s : kByBit) {
    if (!(bits & s.bits)) continue;
    if (!first) MVM_TRY_VOID(out->AppendAscii(", "));
    first = false;
    MVM_TRY_VOID(out->AppendAscii(s.name));
  }
  return out->AppendAscii("]");
}

Result<> context_repr(ThreadState& ts, Value self) {
  const ContextObject* c = self.as<ContextObject>();
  const Settings& s = c->settings;
  MVM_TRY(
      Ref<StrObject> head,
      Format(ts,
             "Context(prec=%lld, rounding=%s, Emin=%lld, Emax=%lld, capitals=%d, clamp=%d, flags=",
             static_cast<long long>(s.prec), kRoundingNames[static_cast<int>(s.rounding)],
             static_cast<long long>(s.emin), static_cast<long long>(s.emax), int{s.capitals},
             int{s.clamp}));
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Append(head.get()));
  MVM_TRY_VOID(AppendSignalNames(ts, &out, c->flags));
  MVM_TRY_VOID(out.AppendAscii(", traps="));
  MVM_TRY_VOID(AppendSignalNames(ts, &out, c->traps));
  MVM_TRY_VOID(out.AppendAscii(")"));
  return out.Finish();
}

// ---- SignalDictMixin ----

Result<SignalDictObject*> LiveDict(ThreadState& ts, Value self) {
  SignalDictObject* d = self.as<SignalDictObject>();
  if (!d->context) return Raise(ts, Exc::kValueError, "invalid signal dict");
  return d;
}

Result<> signals_get_item(ThreadState& ts, Value self, Value key) {
  MVM_TRY(SignalDictObject * d, LiveDict(ts, self));
  MVM_TRY(uint32_t bits, SignalBits(ts, key));
  return Bool(ts, (d->bits() & bits) != 0);
}

Status signals_set_item(ThreadState& ts, Value self, Value key, Value value) {
  MVM_TRY(SignalDictObject * d, LiveDict(ts, self));
  if (value.is_null()) return Raise(ts, Exc::kValueError, "signal keys cannot be deleted");
  MVM_TRY(uint32_t bits, SignalBits(ts, key));
  MVM_TRY(bool on, Truth(ts, value));
  if (on) {
    d->bits() |= bits;
  } else {
    d->bits() &= ~bits;
  }
  return Ok();
}

Result<int64_t> signals_len(ThreadState& ts, Value self) {
  MVM_TRY_VOID(LiveDict(ts, self));
  return int64_t{kSignalCount};
}

Result<> signals_iter(ThreadState& ts, Value self) {
  MVM_TRY_VOID(LiveDict(ts, self));
  Value all[kSignalCount];
  for (int i = 0; i < kSignalCount; ++i) all[i] = Value(StateOf(ts)->signals[i]);
  MVM_TRY(Ref<TupleObject> signals, NewTuple(ts, all));
  return GetIter(ts, signals);
}

Result<DictObject> SignalsAsDict(ThreadState& ts, SignalDictObject* d) {
  MVM_TRY(Ref<DictObject> dict, NewDict(ts, kSignalCount));
  for (int i = 0; i < kSignalCount; ++i) {
    const Value on = d->bits() & kSignals[i].bits ? ts.rt->true_ : ts.rt->false_;
    MVM_TRY_VOID(DictSet(ts, dict, Value(StateOf(ts)->signals[i]), on));
  }
  return dict;
}

Result<> signals_repr(ThreadState& ts, Value self) {
  MVM_TRY(SignalDictObject * d, LiveDict(ts, self));
  StrBuilder out(ts);
  MVM_TRY_VOID(out.AppendAscii("{"));
  for (int i = 0; i < kSignalCount; ++i) {
    MVM_TRY(Ref<StrObject> item,
            Format(ts, "%s<class 'decimal.%s'>:%s", i ? ", " : "", kSignals[i].name,
                   d->bits() & kSignals[i].bits ? "True" : "False"));
    MVM_TRY_VOID(out.Append(item.get()));
  }
  MVM_TRY_VOID(out.AppendAscii("}"));
  return out.Finish();
}

Result<> signals_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return NotImplemented(ts);
  MVM_TRY(SignalDictObject * d, LiveDict(ts, a));
  uint32_t other;
  if (IsSignalDict(ts, b) || IsDict(ts, b)) {
    Result<uint32_t> bits = BitsFromValue(ts, b, false);
    if (bits.raised()) {
      if (ClearPendingIf(ts, Exc::kKeyError)) return NotImplemented(ts);
      return kRaised;
    }
    other = bits.Take();
  } else {
    return NotImplemented(ts);
  }
  uint32_t mine = 0, theirs = 0;  // one bit per signal
  for (int i = 0; i < kSignalCount; ++i) {
    mine |= (d->bits() & kSignals[i].bits ? 1u : 0u) << i;
    theirs |= (other & kSignals[i].bits ? 1u : 0u) << i;
  }
  return Bool(ts, (mine == theirs) == (op == CompareOp::kEq));
}

Result<> signals_copy(ThreadState& ts, Args args) {
  MVM_TRY(SignalDictObject * d, LiveDict(ts, args[0]));
  return SignalsAsDict(ts, d);
}

Result<> signals_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

const MethodSpec kSignalMethods[] = {
    {"copy(self, /)", signals_copy, "The signals as a plain dict."},
};

// ---- localcontext's manager ----

Result<> manager_enter(ThreadState& ts, Args args) {
  const Ref<ContextObject> local =
      Ref<ContextObject>::Borrow(args.self<ContextManagerObject>()->local);
  MVM_TRY_VOID(SetCurrentContext(ts, local));
  return Result<>::Borrow(Value(local.get()));
}
Result<> manager_exit(ThreadState& ts, Args args) {
  const Ref<ContextObject> outer =
      Ref<ContextObject>::Borrow(args.self<ContextManagerObject>()->outer);
  MVM_TRY_VOID(SetCurrentContext(ts, outer));
  return Bool(ts, false);
}
const MethodSpec kManagerMethods[] = {
    {"__enter__(self, /)", manager_enter, "Makes the context the current one and returns it."},
    {"__exit__(self, /, *args)", manager_exit, "Restores the former context."},
};

}  // namespace

// ---- shared ----

bool IsDecimalContext(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kContextType;
}

Result<Rounding> RoundingFromName(ThreadState& ts, Value name) {
  if (IsStr(ts, name)) {
    for (int i = 0; i < kRoundingCount; ++i) {
      if (name.as<StrObject>()->EqualsAscii(kRoundingNames[i])) return static_cast<Rounding>(i);
    }
  }
  return Raise(ts, Exc::kTypeError, "%s", kNotRounding);
}

Result<StrObject> RoundingName(ThreadState& ts, Rounding rounding) {
  return InternUtf8(ts, kRoundingNames[static_cast<int>(rounding)]);
}

Status ConfigureContext(ThreadState& ts, ContextObject* c, const Value* v) {
  for (int i = kSetPrec; i <= kSetTraps; ++i) {
    if (v[i].is_absent() || IsNone(ts, v[i])) continue;
    MVM_TRY_VOID(Assign(ts, c, static_cast<Setting>(i), v[i], true));
  }
  return Ok();
}

Result<ContextObject> NewContext(ThreadState& ts) {
  MVM_TRY(Ref<> made, context_new(ts, StateOf(ts)->context_type, Args{nullptr, 0}));
  return std::move(made).Into<ContextObject>();
}

Result<ContextObject> CopyContext(ThreadState& ts, const ContextObject* from) {
  MVM_TRY(Ref<ContextObject> c, NewContext(ts));
  c->settings = from->settings;
  c->flags = from->flags;
  c->traps = from->traps;
  return c;
}

Status SetCurrentContext(ThreadState& ts, ContextObject* given) {
  DecimalState* state = StateOf(ts);
  Ref<ContextObject> context = Ref<ContextObject>::Borrow(given);
  for (ContextObject* t : state->templates) {
    // Templates are not to be changed by computations.
    if (given != t) continue;
    MVM_TRY(context, CopyContext(ts, given));
    context->flags = 0;
  }
  return SetContextVar(ts, state->variable, Value(context.get()));
}

Result<ContextObject*> CurrentContext(ThreadState& ts) {
  DecimalState* state = StateOf(ts);
  MVM_TRY(Ref<> known, ContextVarValue(ts, state->variable));
  if (MVM_LIKELY(!known.is_absent())) return known.as<ContextObject>();
  MVM_TRY(Ref<ContextObject> fresh, CopyContext(ts, state->templates[0]));
  fresh->flags = 0;
  MVM_TRY_VOID(SetContextVar(ts, state->variable, Value(fresh.get())));
  return fresh.get();  // the variable owns it now
}

Result<ContextObject> ContextArgument(ThreadState& ts, Value v) {
  if (v.is_absent() || IsNone(ts, v)) {
    MVM_TRY(ContextObject * c, CurrentContext(ts));
    return Ref<ContextObject>::Borrow(c);
  }
  if (!IsDecimalContext(ts, v))
    return Raise(ts, Exc::kTypeError, "optional argument must be a context");
  return Ref<ContextObject>::Borrow(v.as<ContextObject>());
}

Result<ListObject> SignalList(ThreadState& ts, uint32_t bits) {
  DecimalState* state = StateOf(ts);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 4));
  for (int i = 0; i < kSignalCount; ++i) {
    if (bits & kSignals[i].bits) MVM_TRY_VOID(AppendClass(ts, list, state->signals[i]));
  }
  return list;
}

Status ReportStatus(ThreadState& ts, ContextObject* context, uint32_t status) {
  if (MVM_LIKELY(status == 0)) return Ok();
  context->flags |= status;
  const uint32_t trapped = status & context->traps;
  if (MVM_LIKELY(trapped == 0)) return Ok();
  DecimalState* state = StateOf(ts);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 4));
  if (trapped & kInvalidOperation) MVM_TRY_VOID(AppendClass(ts, list, state->signals[0]));
  for (int i = 0; i < kSubConditionCount; ++i) {
    if (trapped & kSubConditions[i].bits)
      MVM_TRY_VOID(AppendClass(ts, list, state->sub_conditions[i]));
  }
  TypeObject* type = nullptr;
  for (int i = 0; i < kSignalCount; ++i) {
    if (!(trapped & kSignals[i].bits)) continue;
    if (!type) type = state->signals[i];
    if (i > 0) MVM_TRY_VOID(AppendClass(ts, list, state->signals[i]));
  }
  MVM_TRY(Ref<> exception, Call(ts, Value(type), Value(list.get())));
  return RaiseObject(ts, exception);
}

const TypeSpec kContextType = {
    .name = "decimal.Context",
    .doc =
        "Rules for arithmetic: precision, rounding, exponent limits, and which signals raise an "
        "exception.",
    .flags = kTypeBase,
    .size = sizeof(ContextObject),
    .gc = GcHooksOf<ContextObject>(),
    .slots = {.repr = context_repr, .new_ = context_new},
    .init =
        {"Context(self, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, "
         "flags=None, traps=None)!",
         context_init},
    .methods = kContextMethods,
    .getsets = kContextGetSets,
};

const TypeSpec kContextManagerType = {
    .name = "decimal.ContextManager",
    .flags = kTypeNoNew,
    .size = sizeof(ContextManagerObject),
    .gc = GcHooksOf<ContextManagerObject>(),
    .methods = kManagerMethods,
};

const TypeSpec kSignalDictMixinType = {
    .name = "decimal.SignalDictMixin",
    .flags = kTypeBase,
    .size = sizeof(SignalDictObject),
    .gc = GcHooksOf<SignalDictObject>(),
    .slots = {.repr = signals_repr,
              .hash = HashNotImplemented,
              .compare = signals_compare,
              .iter = signals_iter,
              .new_ = signals_new,
              .len = signals_len,
              .get_item = signals_get_item,
              .set_item = signals_set_item},
    .methods = kSignalMethods,
};

const TypeSpec kStateType = {
    .name = "decimal._State",
    .flags = kTypeNoNew,
    .size = sizeof(DecimalState),
    .gc = GcHooksOf<DecimalState>(),
};

}  // namespace minivm::decimal
