// Calls: windows, the kinds of callees, specialisation of call sites, entry from C++.
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"
#include "vm/interp/call_profile.h"
#include "vm/interp/draw_frames.h"
#include "vm/interp/interpreter.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

// One call, decoded from its word.
struct CallSite {
  Value* window;  // the callee is window[0]
  Value* args;    // window + 3
  uint32_t npos;
  uint32_t nkw;
  const Value* names;                 // of the nkw last arguments
  TupleObject* name_tuple = nullptr;  // that holds them, if there is one
};

void ReleaseWindow(CallSite& site) {
  Decref(site.window[0]);
  for (uint32_t i = 0; i < site.npos + site.nkw; ++i) Decref(site.args[i]);
}

uint64_t NewHeader(const Value* R, const Value* window, uint32_t dest, uint64_t flags) {
  return CalleeHeader(R, HeaderPlaces(static_cast<uint64_t>(window - R), dest) + flags);
}

// Pushes the frame of a function whose arguments stand in the window.
CallOutcome PushFunction(ThreadState* ts, Value* R, Word* pc, CallSite& site, uint64_t flags,
                         uint32_t dest) {
  Value* w = site.window;
  FunctionObject* f = w[0].as<FunctionObject>();
  Value* nb = w + kWindowWords;
  uint64_t header = NewHeader(R, w, dest, flags);
  uint32_t need = f->frame_size > site.npos + site.nkw ? f->frame_size : site.npos + site.nkw;
  if (!FrameFits(ts, nb, need, header)) {
    RaiseRecursion(*ts);
    ReleaseWindow(site);
    return CallOutcome::kRaised;
  }
  if (!BindInto(ts, f, nb, site.npos, site.nkw, site.names, nb)) {
    Decref(w[0]);
    return CallOutcome::kRaised;
  }
  w[1] = Value::FromBits(reinterpret_cast<uint64_t>(pc + 1));
  w[2] = Value::FromBits(header);
  ts->base = nb;
  ts->pc = f->entry;
  return CallOutcome::kPushed;
}

bool IsMethodOp(Op op) {
  return op == Op::CALLM || op == Op::CALLM_PY || op == Op::CALLM_NATIVE ||
         op == Op::CALLM_NATIVE_PAD || op == Op::CALLM_APPEND || op == Op::CALLM_KW;
}

// How a native takes n positional arguments: just as they stand, with the defaults of the last
// parameters behind them (for which there is room: kWindowSlack), or not without binding.
enum class NativeFit { kExact, kPadded, kNone };
NativeFit FitNative(const Signature* sig, uint32_t n) {
  if (sig == nullptr) return NativeFit::kNone;
  if (sig->raw) return NativeFit::kExact;
  if (sig->var_positional >= 0 || sig->var_keyword >= 0 || n > sig->positional ||
      n < sig->required) {
    return NativeFit::kNone;
  }
  if (sig->count == n) return NativeFit::kExact;
  if (sig->count > n + kWindowSlack / 2) return NativeFit::kNone;
  for (uint32_t i = n; i < sig->count; ++i) {
    if (sig->defaults[i].is_null()) return NativeFit::kNone;
  }
  return NativeFit::kPadded;
}

// Rewrites the word for what it calls now. The window has not been touched.
void SpecialiseCall(ThreadState* ts, Word* pc, Value callee, bool has_self) {
  Op op = static_cast<Op>(pc->op);
  if ((op != Op::CALL && op != Op::CALLM) || !ts->Spends()) return;
  const bool method = op == Op::CALLM;  // or what a module or class has
  const uint32_t n = pc->c + (has_self ? 1u : 0u);
  if (IsFunction(callee)) {
    if (callee.as<FunctionObject>()->plain_count == n)
      pc->op = static_cast<uint8_t>(method ? Op::CALLM_PY : Op::CALL_PY);
  } else if (!has_self && IsExact(callee, TypeId::kNativeFunction)) {
    NativeFunctionObject* f = callee.as<NativeFunctionObject>();
    NativeFit fit = FitNative(f->signature, n);
    if (f->prepend_self || fit == NativeFit::kNone) return;
    const uint32_t version = VersionOf(*ts, f);
    if (version == 0) return;
    pc->x = static_cast<int32_t>(version);
    const Op exact = method ? Op::CALLM_NATIVE : Op::CALL_NATIVE;
    const Op padded = method ? Op::CALLM_NATIVE_PAD : Op::CALL_NATIVE_PAD;
    pc->op = static_cast<uint8_t>(fit == NativeFit::kExact ? exact : padded);
  } else if (has_self && IsExact(callee, TypeId::kMethodDescriptor)) {
    MethodDescriptorObject* f = callee.as<MethodDescriptorObject>();
    NativeFit fit = FitNative(f->signature, n);
    if (fit == NativeFit::kNone) return;
    const uint32_t version = VersionOf(*ts, f);
    if (version == 0) return;
    pc->x = static_cast<int32_t>(version);
    const bool append = f->owner == TypeById(*ts, TypeId::kList) &&
                        std::string_view(f->spec->signature).starts_with("append(");
    pc->op = static_cast<uint8_t>(fit != NativeFit::kExact ? Op::CALLM_NATIVE_PAD
                                  : append                 ? Op::CALLM_APPEND
                                                           : Op::CALLM_NATIVE);
  }
}

// The class stands before the arguments, where the frame header of a script function would be.
Result<> ConstructDirectly(ThreadState& ts, const Signature& sig, NativeFn fn, Value first,
                           Value* args, uint32_t n) {
  args[-1] = first;
  for (uint32_t i = n + 1; i < sig.count; ++i) args[i - 1] = sig.defaults[i];
  return fn(ts, Args{args - 1, sig.count});
}

// Does the native part of a built-in type's construction take n arguments as they stand?
bool FitsDirectly(const Signature* sig, uint32_t n) {
  return sig != nullptr && !sig->raw && FitNative(sig, n + 1) != NativeFit::kNone;
}

// The next calls of the built-in type at this word go to CallBuiltinType.
void SpecialiseBuiltinType(ThreadState* ts, Word* pc, TypeObject* type) {
  if (pc->op != static_cast<uint8_t>(Op::CALL) || !IsExact(Value(type), TypeId::kType)) return;
  if (ts->thrift != 0) return;
  if (type->has_flag(kTypeExceptionSubclass)) return;  // made as those of scripts are
  const uint32_t n = pc->c;
  if (type == TypeById(*ts, TypeId::kType) ? n != 1 : type->slots.new_ == ObjectNew) return;
  if (type->slots.new_ == nullptr || type->slots.init == nullptr) return;
  if (type->slots.new_ == NewFromSpec && !FitsDirectly(type->construct_signature, n)) return;
  if (type->slots.init == InitFromSpec && !FitsDirectly(type->initialise_signature, n)) return;
  if (TypeReady(*ts, type).raised()) return ClearPending(*ts);  // what has none gets no version
  const uint32_t version = TypeVersion(*ts, type);
  if (version == 0) return;
  pc->x = static_cast<int32_t>(version);
  pc->op = static_cast<uint8_t>(Op::CALL_CLASS);
}

// Instances of the class are made by object's __new__ and can be had from AllocInstance alone.
bool IsPlainClass(ThreadState* ts, TypeObject* type) {
  if (TypeReady(*ts, type).raised()) {
    ClearPending(*ts);
    return false;
  }
  if (!type->is_heap() || (type->flags & kTypeAbstract)) return false;
  if (type->slots.new_ != TypeById(*ts, TypeId::kObject)->slots.new_) return false;
  return type->storage == AttrStorage::kShape || type->storage == AttrStorage::kNone;
}

// The same of exceptions and BaseException's __new__, by FillException.
bool IsPlainException(ThreadState* ts, TypeObject* type) {
  if (TypeReady(*ts, type).raised()) {
    ClearPending(*ts);
    return false;
  }
  return type->slots.new_ == ExcType(*ts, Exc::kBaseException)->slots.new_;
}

// The script __init__ of a plain class; else null.
FunctionObject* ScriptInit(ThreadState* ts, TypeObject* type) {
  Value init = TypeLookup(*ts, type, MVM_NAME(*ts, __init__));
  return !init.is_null() && IsFunction(init) ? init.as<FunctionObject>() : nullptr;
}

// Class call with a script __init__: the instance is made here, __init__ gets a frame whose return
// yields the instance. The window slides up by one word, the arguments by two to make room for
// self.
CallOutcome PushConstructor(ThreadState* ts, Value* R, Word* pc, CallSite& site, TypeObject* type,
                            FunctionObject* init, uint32_t dest) {
  Result<> made = type->has_flag(kTypeExceptionSubclass)
                      ? type->slots.new_(*ts, type, Args{site.args, site.npos, 0})
                      : AllocInstance(*ts, type);
  if (made.raised()) {
    ReleaseWindow(site);
    return CallOutcome::kRaised;
  }
  Value self = made.word();
  Value* w = site.window;
  uint32_t n = site.npos + site.nkw;
  for (uint32_t i = n; i > 0; --i) site.args[i + 1] = site.args[i - 1];
  Incref(static_cast<Object*>(init));
  Incref(self);
  Decref(w[0]);  // the class; its instance keeps it alive
  w[0] = self;   // the result
  w[1] = Value(init);
  w[4] = self;
  CallSite inner{w + 1, w + 1 + kWindowWords, site.npos + 1, site.nkw, site.names};
  CallOutcome outcome = PushFunction(ts, R, pc, inner, kFrameCtor, dest);
  if (outcome == CallOutcome::kRaised) Decref(self);
  return outcome;
}

// A callee that is called through C++: window released, result written.
CallOutcome CallThrough(ThreadState* ts, Value* R, Word* pc, CallSite& site, uint32_t dest) {
  Value callee = site.window[0];
  TypeObject* type = TypeOf(*ts, callee);
  CallFn call = TypeReady(*ts, type).raised() ? nullptr : type->slots.call;
  Value v;
  if (call == nullptr) {
    if (!ts->HasPending()) Raise(*ts, Exc::kTypeError, "'%T' object is not callable", callee);
  } else {
    Ref<TupleObject> names;
    if (site.nkw > 0) {
      if (site.name_tuple == nullptr) {
        Result<TupleObject> made = NewTuple(*ts, {site.names, site.nkw});
        if (made.raised()) {
          ReleaseWindow(site);
          return CallOutcome::kRaised;
        }
        names = made.Take();
        site.name_tuple = names.get();
      }
      site.args[site.npos + site.nkw] = Value(site.name_tuple);
    }
    v = call(*ts, callee, Args{site.args, site.npos, site.nkw}).word();
  }
  ReleaseWindow(site);
  if (v.is_null()) return CallOutcome::kRaised;
  R[dest] = v;
  return CallOutcome::kDone;
}

// The next calls of the class at this word make the instance in place; `init` may be null: none.
// The guard is the type's version, so nobody has to reset the word.
void SpecialiseClassCall(ThreadState* ts, Word* pc, TypeObject* type, FunctionObject* init) {
  if (pc->op != static_cast<uint8_t>(Op::CALL) || type->version == 0 || type->learn_count < 4 ||
      !IsExact(Value(type), TypeId::kType)) {
    return;
  }
  if (type->slots.finalize) return;  // AllocInstance gives it a turn (gc/collector.h)
  if (init == nullptr) {
    if (pc->c != 0 && !type->has_flag(kTypeExceptionSubclass)) return;
  } else if (init->plain_count != pc->c + 1u) {
    return;
  }
  type->cached_init = init;
  pc->x = static_cast<int32_t>(type->version);
  pc->op = static_cast<uint8_t>(Op::CALL_CLASS);
}

// A call that somebody watches, of what is no script function: he is told before and after.
CallOutcome CallWatched(ThreadState* ts, Value* R, Word* pc, CallSite& site, uint32_t dest,
                        bool told) {
  InterpState& state = InterpOf(*ts);
  Ref<> callee = Ref<>::Borrow(site.window[0]);
  Ref<> first = site.npos > 0 ? Ref<>::Borrow(site.args[0]) : Ref<>();
  const uint64_t depth = HeaderOf(R).depth();
  const bool counted = state.profile != nullptr && ProfileNative(ts, callee, depth);
  CallOutcome outcome = CallThrough(ts, R, pc, site, dest);
  if (counted && !ProfileNativeLeftFast(ts, depth)) ProfileNativeLeft(ts, depth);
  if (!told || state.on_called == nullptr) return outcome;
  if (outcome == CallOutcome::kRaised) {
    (void)state.on_called(*ts, R, pc, callee, first, true);
    return outcome;
  }
  if (!state.on_called(*ts, R, pc, callee, first, false).raised()) return outcome;
  Ref<> dropped = Ref<>::Steal(std::exchange(R[dest], Value::Int(0)));
  return CallOutcome::kRaised;
}

// kWatched: the calls of natives are told to who watches (watch.h); those of script functions are
// told by WatchedCall, which sees their frames.
template <bool kWatched>
CallOutcome DoCall(ThreadState* ts, Value* R, Word* pc, CallSite& site, uint32_t dest,
                   bool may_specialise) {
  bool told = false;
  if constexpr (kWatched) {
    InterpState& state = InterpOf(*ts);
    const Value first = site.npos > 0 ? site.args[0] : Value();
    if (state.on_call != nullptr) {
      Result<bool> asked = state.on_call(*ts, R, pc, site.window[0], first);
      if (asked.raised()) {
        ReleaseWindow(site);
        return CallOutcome::kRaised;
      }
      told = asked.Take();
    }
  }
  for (;;) {
    Value callee = site.window[0];
    if (IsFunction(callee)) return PushFunction(ts, R, pc, site, 0, dest);
    if (IsExact(callee, TypeId::kBoundMethod)) {
      BoundMethodObject* m = callee.as<BoundMethodObject>();
      if (!IsFunction(m->function)) break;
      uint32_t n = site.npos + site.nkw;
      for (uint32_t i = n; i > 0; --i) site.args[i] = site.args[i - 1];
      Incref(m->self);
      Incref(m->function);
      site.args[0] = m->self;
      site.window[0] = m->function;
      ++site.npos;
      Decref(callee);
      continue;
    }
    if (HasTypeFlag(*ts, callee, kTypeTypeSubclass)) {
      TypeObject* type = callee.as<TypeObject>();
      TypeObject* meta = TypeOf(*ts, callee);
      // Who is told of the call wants to be told of its end: __init__ is then called from here.
      const bool through = kWatched && told;
      if (may_specialise && !type->is_heap()) SpecialiseBuiltinType(ts, pc, type);
      const bool exception = type->has_flag(kTypeExceptionSubclass);
      if (!through && (type->is_heap() || exception) &&
          meta->slots.call == TypeById(*ts, TypeId::kType)->slots.call) {
        const bool plain = exception ? IsPlainException(ts, type) : IsPlainClass(ts, type);
        FunctionObject* init = plain ? ScriptInit(ts, type) : nullptr;
        const TypeObject* root =
            exception ? ExcType(*ts, Exc::kBaseException) : TypeById(*ts, TypeId::kObject);
        if (may_specialise && ts->thrift == 0 && plain &&
            (init || type->slots.init == root->slots.init)) {
          SpecialiseClassCall(ts, pc, type, init);
          if (type->learn_count < 8) ++type->learn_count;
        }
        if (init != nullptr) {
          return PushConstructor(ts, R, pc, site, type, init, dest);
        }
        if (ts->HasPending()) {
          ReleaseWindow(site);
          return CallOutcome::kRaised;
        }
      }
    }
    break;
  }
  if constexpr (kWatched) return CallWatched(ts, R, pc, site, dest, told);
  return CallThrough(ts, R, pc, site, dest);
}

// What stands behind `*` and is neither a tuple nor a list, as a tuple.
Result<TupleObject> StarArguments(ThreadState& ts, Value callee, Value args) {
  TypeObject* type = TypeOf(ts, args);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.iter != nullptr || type->slots.get_item != nullptr) return TupleFrom(ts, args);
  Result<StrObject> name = [&]() -> Result<StrObject> {
    MVM_TRY(Ref<> q, GetAttrOptional(ts, callee, MVM_NAME(ts, __qualname__)));
    if (q.is_absent() || !IsStr(ts, q)) return ToStr(ts, callee);
    MVM_TRY(Ref<> m, GetAttrOptional(ts, callee, MVM_NAME(ts, __module__)));
    if (!m.is_absent() && IsStr(ts, m) && !m.as<StrObject>()->EqualsAscii("builtins")) {
      return Format(ts, "%U.%U()", m.get(), q.get());
    }
    return Format(ts, "%U()", q.get());
  }();
  MVM_TRY(Ref<StrObject> text, std::move(name));
  return Raise(ts, Exc::kTypeError, "%U argument after * must be an iterable, not %T",
               Value(text.get()), args);
}

// A dict whose entries can be arguments as they stand.
bool IsKeywordDict(Value v) { return IsExact(v, TypeId::kDict) && !v.as<DictObject>()->other_keys; }

// What `*` and `**` of a CALL_EX stand for: exact tuple or list, or null; IsKeywordDict, or null.
struct Unpacked {
  Ref<> args, keywords;
};
Status Unpack(ThreadState& ts, Value callee, uint32_t flags, Unpacked* u) {
  if ((flags & kCallExAnyMapping) && !IsKeywordDict(u->keywords)) {
    MVM_TRY(u->keywords, MergedKeywords(ts, u->keywords, callee));
  }
  if ((flags & kCallExAnyIterable) && !IsExact(u->args, TypeId::kTuple) &&
      !IsExact(u->args, TypeId::kList)) {
    MVM_TRY(u->args, StarArguments(ts, callee, u->args));
  }
  return Ok();
}

// The word calls `f` with n arguments: is there a form of its own for that?
inline void ExpectFunction(ThreadState* ts, Word* pc, FunctionObject* f, uint32_t n, Op generic,
                           Op special) {
  if (!ts->Spends()) return;
  const auto op = static_cast<uint8_t>(f->plain_count == n ? special : generic);
  // Most words stay as they are; unwritten pages need no copy after a fork.
  if (pc->op != op) pc->op = op;
}

// Takes the arguments of a CALL_KW or CALLM_KW apart that have been counted as positional.
void SetKeywords(const Word* pc, CallSite* site) {
  TupleObject* names = reinterpret_cast<const Value*>(pc)[pc->x].as<TupleObject>();
  site->name_tuple = names;
  site->names = names->items();
  site->nkw = names->size();
  site->npos -= site->nkw;
}

// f(*args, **kwargs): unpacks into the window.
template <bool kWatched>
MVM_SLOW CallOutcome CallUnpacked(ThreadState* ts, Value* R, Word* pc) {
  Value* w = R + pc->a;
  Value* out = w + kWindowWords;
  const uint32_t flags = pc->c, in_place = flags >> kCallExCountShift;
  uint32_t npos = in_place ? in_place - 1 : 0;
  Unpacked u;
  if (!in_place) u.args = Ref<>::Steal(out[0]);
  if (flags & kCallExKeywords) u.keywords = Ref<>::Steal(out[in_place ? npos : 1]);
  const uint32_t standing = npos;  // arguments in the window
  uint32_t nkw = 0;
  const Value* items = nullptr;
  bool ok = !Unpack(*ts, w[0], flags, &u).raised();
  if (ok) {
    if (u.args) {
      const bool is_list = IsExact(u.args, TypeId::kList);
      items = is_list ? u.args.as<ListObject>()->items : u.args.as<TupleObject>()->items();
      npos = static_cast<uint32_t>(is_list ? u.args.as<ListObject>()->size
                                           : u.args.as<TupleObject>()->size());
    }
    if (u.keywords) nkw = u.keywords.as<DictObject>()->used;
    if (out + npos + nkw + kWindowSlack + 8 >= ts->stack_end) {
      RaiseRecursion(*ts);
      ok = false;
    }
  }
  SmallVector<Value, 16> names;
  if (ok && nkw > 0 && !names.Reserve(nkw)) {
    RaiseMemoryError(*ts);
    ok = false;
  }
  if (MVM_UNLIKELY(!ok)) {
    for (uint32_t i = 0; i < standing; ++i) Decref(out[i]);
    Decref(w[0]);
    return CallOutcome::kRaised;
  }
  for (uint32_t i = standing; i < npos; ++i) {
    out[i] = items[i];
    Incref(out[i]);
  }
  if (nkw > 0) {
    const DictEntry* entry = u.keywords.as<DictObject>()->entries;
    for (uint32_t i = 0; i < nkw; ++entry) {
      if (entry->key.is_null()) continue;
      Incref(entry->key);
      Incref(entry->value);
      (void)names.Push(entry->key);
      out[npos + i++] = entry->value;
    }
  }
  u = Unpacked();
  // Natives and binding may run code: those words are in use.
  Value* saved_top = std::exchange(ts->top, out + npos + nkw + kWindowSlack);
  CallSite site{w, out, npos, nkw, names.data()};
  CallOutcome outcome = !kWatched && IsFunction(w[0])
                            ? PushFunction(ts, R, pc, site, 0, pc->b)
                            : DoCall<kWatched>(ts, R, pc, site, pc->b, false);
  for (Value name : names) Decref(name);
  ts->top = saved_top;
  return outcome;
}

template <bool kWatched>
CallOutcome CallAt(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Op op = static_cast<Op>(pc->op);
  if (op == Op::CALL_EX) return CallUnpacked<kWatched>(ts, R, pc);
  // A specialised form that got here has missed: generic again, and specialised anew below.
  switch (op) {
    case Op::CALL_PY:
    case Op::CALL_NATIVE:
    case Op::CALL_NATIVE_PAD:
    case Op::CALL_CLASS: op = Op::CALL; break;
    case Op::CALLM_PY:
    case Op::CALLM_NATIVE:
    case Op::CALLM_NATIVE_PAD:
    case Op::CALLM_APPEND: op = Op::CALLM; break;
    default: break;
  }
  if (pc->op != static_cast<uint8_t>(op) && ts->thrift == 0) {
    pc->op = static_cast<uint8_t>(op);
    pc->x = 0;
  }
  Value* w = R + pc->a;
  CallSite site{w, w + kWindowWords, pc->c, 0, nullptr};
  if (op == Op::CALL_KW || op == Op::CALLM_KW) SetKeywords(pc, &site);
  if (IsMethodOp(op)) {
    if (w[3].is_absent()) {
      // A plain attribute: the window slides over the missing self.
      w[1] = w[0];
      site.window = w + 1;
      site.args = w + 1 + kWindowWords;
      SpecialiseCall(ts, pc, w[1], false);
    } else {
      ++site.npos;
      SpecialiseCall(ts, pc, w[0], true);
    }
  } else {
    SpecialiseCall(ts, pc, w[0], false);
  }
  return DoCall<kWatched>(ts, R, pc, site, pc->b, true);
}

}  // namespace

Result<> CallBuiltinType(ThreadState& ts, TypeObject* type, Value* args, uint32_t n) {
  if (type == TypeById(ts, TypeId::kType)) return Result<>::Borrow(TypeOf(ts, args[0]));
  if (type == TypeById(ts, TypeId::kList) && n == 1) return ListFrom(ts, args[0]);  // TypeCall
  const Args raw{args, n};
  Result<> made = type->slots.new_ == NewFromSpec
                      ? ConstructDirectly(ts, *type->construct_signature, type->construct->fn,
                                          Value(type), args, n)
                      : type->slots.new_(ts, type, raw);
  if (made.raised() || type->slots.init == ObjectInit) return made;
  MVM_TRY(Ref<> object, std::move(made));
  if (MVM_UNLIKELY(TypeOf(ts, object) != type)) return object;
  if (type->slots.init == InitFromSpec) {
    MVM_TRY_VOID(
        ConstructDirectly(ts, *type->initialise_signature, type->initialise->fn, object, args, n));
  } else {
    MVM_TRY_VOID(type->slots.init(ts, object, raw));
  }
  return object;
}

namespace {

// The CALL of a bound method of a built-in type, such as `append = l.append` leaves in a variable.
// Self stands before the arguments, where the frame header of a script function would be.
CallOutcome CallBoundNative(ThreadState* ts, Value* R, Word* pc, NativeFunctionObject* f) {
  Value* w = R + pc->a;
  Value* args = w + kWindowWords;
  const uint32_t n = pc->c;
  const Signature* sig = f->signature;
  const uint32_t count = sig->raw ? n + 1 : sig->count;
  ts->base = R;
  ts->pc = pc;
  args[-1] = f->self;
  for (uint32_t i = n + 1; i < count; ++i) args[i - 1] = sig->defaults[i];
  Result<> r = f->fn(*ts, Args{args - 1, count});
  for (uint32_t i = 0; i < n; ++i) Decref(args[i]);
  Decref(static_cast<Object*>(f));
  if (MVM_UNLIKELY(r.raised())) return CallOutcome::kRaised;
  R[pc->b] = r.word();
  return CallOutcome::kDone;
}

[[gnu::noinline]] CallOutcome CallOther(ThreadState* ts, Value* R, Word* pc) {
  const Value callee = R[pc->a];
  if (IsExact(callee, TypeId::kNativeFunction) && static_cast<Op>(pc->op) == Op::CALL) {
    NativeFunctionObject* f = callee.as<NativeFunctionObject>();
    if (f->prepend_self && FitNative(f->signature, pc->c + 1u) != NativeFit::kNone)
      return CallBoundNative(ts, R, pc, f);
  }
  return CallAt<false>(ts, R, pc);
}

}  // namespace

CallOutcome SlowCall(ThreadState* ts, Value* R, Word* pc) {
  // Functions are called from here: those that the word did not expect, and those whose arguments
  // have to be bound, so that their calls have no form of their own.
  Value* w = R + pc->a;
  if (!IsFunction(w[0])) return CallOther(ts, R, pc);
  FunctionObject* f = w[0].as<FunctionObject>();
  CallSite site{w, w + kWindowWords, pc->c, 0, nullptr};
  switch (static_cast<Op>(pc->op)) {
    case Op::CALLM:
    case Op::CALLM_PY:
      if (w[3].is_absent()) return CallAt<false>(ts, R, pc);
      ++site.npos;
      ExpectFunction(ts, pc, f, site.npos, Op::CALLM, Op::CALLM_PY);
      break;
    case Op::CALL:
    case Op::CALL_PY: ExpectFunction(ts, pc, f, site.npos, Op::CALL, Op::CALL_PY); break;
    case Op::CALLM_KW:
      if (w[3].is_absent()) return CallAt<false>(ts, R, pc);
      ++site.npos;
      [[fallthrough]];
    case Op::CALL_KW: SetKeywords(pc, &site); break;
    case Op::CALL_EX: {
      if (pc->c != kCallExAnyIterable || !IsExact(w[3], TypeId::kTuple)) {
        return CallAt<false>(ts, R, pc);
      }
      TupleObject* args = w[3].as<TupleObject>();
      site.npos = args->size();
      Value* end = site.args + site.npos + kWindowSlack;
      if (end + 8 >= ts->stack_end) return CallAt<false>(ts, R, pc);
      ts->base = R;
      ts->pc = pc;
      for (uint32_t i = 0; i < site.npos; ++i) {
        site.args[i] = args->items()[i];
        Incref(site.args[i]);
      }
      Decref(static_cast<Object*>(args));
      Value* saved_top = std::exchange(ts->top, end);
      CallOutcome outcome = PushFunction(ts, R, pc, site, 0, pc->b);
      ts->top = saved_top;
      return outcome;
    }
    default: return CallAt<false>(ts, R, pc);
  }
  ts->base = R;
  ts->pc = pc;
  return PushFunction(ts, R, pc, site, 0, pc->b);
}

CallOutcome WatchedCall(ThreadState* ts, Value* R, Word* pc) {
  // A `with` that enters, or is left by an exception, is no call that anybody is told of.
  const Op before = pc > FunctionOf(R)->instance->words ? static_cast<Op>(pc[-1].op) : Op::NOP;
  const bool told = before != Op::LOAD_SPECIAL && before != Op::EXCINFO;
  return told ? CallAt<true>(ts, R, pc) : CallAt<false>(ts, R, pc);
}

namespace {

// Runs the frame prepared at `nb` (callee in nb[-3]) as a new entry from C++.
[[gnu::always_inline]] inline Result<> Enter(ThreadState& ts, Value* nb, FunctionObject* f,
                                             uint64_t header, Series* series = nullptr) {
  const Entry entry(ts, nb);
  nb[-2] = Value::FromBits(reinterpret_cast<uint64_t>(series));
  nb[-1] = Value::FromBits(header);
  ts.base = nb;
  ts.pc = f->entry;
  const bool entered = TellEntry(&ts, f);
  const Value v = Run(&ts, nb, entered ? f->entry : nullptr);
  return v.is_null() ? Result<>(kRaised) : Result<>::Steal(v);
}

inline bool EntryFits(ThreadState& ts, Value* nb, uint32_t size, uint64_t header) {
  if (FrameFits(&ts, nb, size, header)) return true;
  RaiseRecursion(ts);
  return false;
}

Result<> CallBound(ThreadState& ts, FunctionObject* f, Args raw, Value* w);

}  // namespace

Result<> CallFunction(ThreadState& ts, Value callee, Args raw) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  FunctionObject* f = callee.as<FunctionObject>();
  Value* w = StackTop(ts);
  Value* nb = w + kWindowWords;
  const uint32_t n = raw.n;
  if (MVM_LIKELY(n == f->plain_count && raw.nkw == 0)) {
    const uint64_t header = EntryHeader(ts);
    if (!EntryFits(ts, nb, f->frame_size, header)) return kRaised;
    for (uint32_t i = 0; i < n; ++i) {
      Incref(raw.v[i]);
      nb[i] = raw.v[i];
    }
    UnsetLocals(f, nb, n, ts.rt->unbound);
    ++f->refcount;
    w[0] = callee;
    return Enter(ts, nb, f, header);
  }
  return CallBound(ts, f, raw, w);
}

Result<> CallInSeries(ThreadState& ts, FunctionObject* f, Value argument, Series* series) {
  RecursionGuard guard(ts, "");
  Value* w = StackTop(ts);
  Value* nb = w + kWindowWords;
  const uint64_t header = EntryHeader(ts);
  if (!guard || !EntryFits(ts, nb, f->frame_size, header)) {
    Decref(argument);
    return kRaised;
  }
  nb[0] = argument;
  UnsetLocals(f, nb, 1, ts.rt->unbound);
  ++f->refcount;
  w[0] = Value(f);
  return Enter(ts, nb, f, header, series);
}

namespace {

// CallFunction() where arguments have to find their places.
Result<> CallBound(ThreadState& ts, FunctionObject* f, Args raw, Value* w) {
  Value* nb = w + kWindowWords;
  const uint32_t n = raw.n + raw.nkw;
  const uint64_t header = EntryHeader(ts);
  if (!EntryFits(ts, nb, f->frame_size > n ? f->frame_size : n, header)) return kRaised;
  for (uint32_t i = 0; i < n; ++i) {
    Incref(raw.v[i]);
    nb[i] = raw.v[i];
  }
  const Value* names = raw.nkw > 0 ? raw.v[n].as<TupleObject>()->items() : nullptr;
  if (!BindInto(&ts, f, nb, raw.n, raw.nkw, names, nb)) return kRaised;
  ++f->refcount;
  w[0] = Value(f);
  return Enter(ts, nb, f, header);
}

}  // namespace

Result<> RunCode(ThreadState& ts, CodeObject* code, DictObject* globals, Value locals,
                 TupleObject* closure) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  MVM_TRY(Ref<FunctionObject> f, NewFunction(ts, code, globals, locals.is(Value(globals))));
  if (closure != nullptr) f->closure = Ref<TupleObject>::Borrow(closure).Release();
  Value* w = StackTop(ts);
  Value* nb = w + kWindowWords;
  const uint64_t header = EntryHeader(ts);
  if (!EntryFits(ts, nb, f->frame_size, header)) return kRaised;
  UnsetLocals(f, nb, 0, ts.rt->unbound);
  if (code->locals_register != 0xFFFF) {
    Incref(locals);
    nb[code->locals_register] = locals;
  }
  FunctionObject* raw = f.Release();
  w[0] = Value(raw);
  return Enter(ts, nb, raw, header);
}

bool SlowMakeFunction(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value* parts = R + pc->b;
  uint32_t flags = pc->c;
  CodeObject* code = reinterpret_cast<Value*>(pc)[pc->x].as<CodeObject>();
  FunctionObject* made = NewFunction(*ts, code, f->globals).word();
  uint32_t i = 0;
  auto next = [&]() { return parts[i++]; };
  if (made == nullptr) {
    for (uint32_t bit = 1; bit <= 8; bit <<= 1) {
      if (flags & bit) Decref(next());
    }
    return false;
  }
  if (flags & 1) made->defaults = next().as<TupleObject>();
  if (flags & 2) made->kwdefaults = next().as<DictObject>();
  if (flags & 4) made->annotations = next();
  if (flags & 8) made->closure = next().as<TupleObject>();
  R[pc->a] = Value(made);
  return true;
}

bool SlowLoadBuildClass(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value v = LookupMapping(*ts, f->builtins, MVM_NAME(*ts, __build_class__)).word();
  if (v.is_absent()) Raise(*ts, Exc::kNameError, "__build_class__ not found");
  if (v.is_null() || v.is_absent()) return false;
  R[pc->a] = v;
  R[pc->a + 1] = R[pc->a + 2] = Value::Int(0);
  return true;
}

bool SlowImport(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  if (static_cast<Op>(pc->op) == Op::IMPORTFROM) {
    Value v = ImportFrom(*ts, R[pc->b], SiteName(f, pc)).word();
    if (v.is_null()) return false;
    R[pc->a] = v;
    return true;
  }
  StrObject* name = SiteName(f, pc);
  Value level = R[pc->b], from = R[pc->c];
  Ref<> import = Ref<>::Steal(LookupMapping(*ts, f->builtins, MVM_NAME(*ts, __import__)).word());
  Value v;
  if (import.is_absent()) {
    Raise(*ts, Exc::kImportError, "__import__ not found");
  } else if (import) {
    Value locals =
        f->code->locals_register != 0xFFFF ? R[f->code->locals_register] : Value(ts->rt->none);
    Value args[] = {Value(name), Value(f->globals), locals, from, level};
    v = Call(*ts, import, std::span<const Value>(args)).word();
  }
  Decref(level);
  Decref(from);
  if (v.is_null()) return false;
  R[pc->a] = v;
  return true;
}

bool SlowIntrinsic(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  const bool two = static_cast<Op>(pc->op) == Op::INTRINSIC2;
  Value a = R[pc->b], b = two ? R[pc->c] : Value();
  Value v = RunIntrinsic(*ts, FunctionOf(R), R, static_cast<Intrinsic>(pc->x), a, b).word();
  if (two || (pc->c & kConsume1)) Decref(a);
  if (two) Decref(b);
  if (v.is_null()) return false;
  R[pc->a] = v;
  return true;
}

bool SlowSetUpAnnotations(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value locals = R[f->code->locals_register];
  StrObject* name = MVM_NAME(*ts, __annotations__);
  Result<> found = LookupMapping(*ts, locals, name);
  if (found.raised()) return false;
  Ref<> annotations = found.Take();
  if (!annotations.is_absent()) return true;
  Result<DictObject> dict = NewDict(*ts);
  if (dict.raised()) return false;
  Ref<DictObject> d = dict.Take();
  return !SetItem(*ts, locals, Value(name), Value(d.get())).raised();
}

}  // namespace minivm
