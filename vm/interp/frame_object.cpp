// The frame type and its f_locals proxy (PEP 667).
#include "vm/interp/traceback.h"

#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"
#include "vm/interp/frame_locals.h"
#include "vm/interp/generator_object.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/throw_arguments.h"

namespace minivm {

namespace {

FrameObject* Self(Value v) { return v.as<FrameObject>(); }

// Where the frame's registers are: the live window, a suspended generator, or its own copies.
Value* Registers(FrameObject* f) {
  if (f->base != nullptr) {
    // A frame in the middle of RET has given its locals away.
    return f->base;
  }
  if (f->generator != nullptr && f->generator->state != GenState::kRunning)
    return f->generator->registers;
  return f->locals;
}
uint32_t RegisterCount(FrameObject* f) {
  if (f->base != nullptr) return f->function->local_count;
  if (f->generator != nullptr && f->generator->state != GenState::kRunning)
    return f->generator->live;
  return f->local_count;
}

// A frame that is running further out has its pc in the chain.
void Refresh(ThreadState& ts, FrameObject* f) {
  if (f->base == nullptr) return;
  for (FrameWalker walker(ThreadOfWindow(ts, f->base)); !walker.done(); walker.Next()) {
    if (walker.base() == f->base) {
      f->pc = walker.pc();
      return;
    }
  }
}

Result<> get_back(ThreadState& ts, Value self) {
  FrameObject* f = Self(self);
  if (f->base == nullptr) return f->back.is_null() ? None(ts) : Result<>::Borrow(f->back);
  FrameWalker walker(ThreadOfWindow(ts, f->base));
  while (!walker.done() && walker.base() != f->base) walker.Next();
  if (!walker.done()) walker.Next();
  if (walker.done()) return None(ts);
  return FrameFor(ts, walker.base(), walker.pc());
}
Result<> get_code(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Self(self)->function->code));
}
Result<> get_globals(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Self(self)->function->globals));
}
Result<> get_builtins(ThreadState& ts, Value self) {
  return Result<>::Borrow(Self(self)->function->builtins);
}
Result<> get_lasti(ThreadState& ts, Value self) {
  Refresh(ts, Self(self));
  FrameObject* f = Self(self);
  if (f->at_call) return Small(0);
  if (f->pc == nullptr) return Small(-1);
  return Small(OffsetOf(f->function->code, PcIndex(f->function, f->pc), f->shown_back));
}
Result<> get_lineno(ThreadState& ts, Value self) {
  FrameObject* f = Self(self);
  Refresh(ts, f);
  if (f->at_call) return Small(StartLine(f->function->code));
  if (f->shown_line >= 0) return Small(f->shown_line);
  int line = f->pc == nullptr ? static_cast<int>(f->function->code->first_line)
                              : LineAt(f->function->code, PcIndex(f->function, f->pc));
  if (line < 0) return None(ts);
  return Small(line);
}
Result<> get_trace(ThreadState& ts, Value self) {
  Value v = Self(self)->trace;
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
Status set_trace(ThreadState& ts, Value self, Value v) {
  FrameObject* f = Self(self);
  Value now = v.is_null() || IsNone(ts, v) ? Value() : Ref<>::Borrow(v).Release();
  Value old = std::exchange(f->trace, now);
  if (!now.is_null()) {
    PinFrame(f);
    // A frame in the midst of a line shows the next one first.
    if (f->base != nullptr && !f->at_call && f->traced_pc == nullptr) {
      Refresh(ts, f);
      f->traced_pc = f->pc;
      f->traced_line =
          f->pc == nullptr ? -1 : LineAt(f->function->code, PcIndex(f->function, f->pc));
      SetFrameFlag(f->base, kFrameTraced);
    }
  }
  Decref(old);
  return Ok();
}
Result<> get_trace_lines(ThreadState& ts, Value self) { return Bool(ts, Self(self)->trace_lines); }
Status set_trace_lines(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kTypeError, "can't delete numeric/char attribute");
  if (!IsTrue(ts, v) && !IsFalse(ts, v))
    return Raise(ts, Exc::kTypeError, "attribute value type must be bool");
  Self(self)->trace_lines = IsTrue(ts, v);
  return Ok();
}
Result<> get_trace_opcodes(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->trace_opcodes);
}
Status set_trace_opcodes(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || (!IsTrue(ts, v) && !IsFalse(ts, v))) {
    return Raise(ts, Exc::kTypeError, "attribute value type must be bool");
  }
  Self(self)->trace_opcodes = IsTrue(ts, v);
  return Ok();
}

// ---- f_locals ----

class FrameLocalsProxyObject : public Object {
 public:
  FrameObject* frame = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(frame);
  }
};
FrameObject* FrameOf(Value v) { return v.as<FrameLocalsProxyObject>()->frame; }

// The word that holds a named local, which may be unbound; null if the frame has no such name. Keys
// are compared as a dict would.
Result<Value*> FindLocal(ThreadState& ts, FrameObject* f, Value key) {
  int64_t hash = 0;
  const bool plain = IsExact(key, TypeId::kStr);
  if (!plain) {
    MVM_TRY(hash, Hash(ts, key));
  }
  auto matches = [&](Value name) -> Result<bool> {
    if (plain) return StrEquals(name.as<StrObject>(), key.as<StrObject>());
    MVM_TRY(int64_t own, Hash(ts, name));
    if (own != hash) return false;
    return CompareBool(ts, name, key, CompareOp::kEq);
  };
  CodeObject* code = f->function->code;
  Value* const none = nullptr;
  if (f->cleared) return none;
  auto local = [&](uint32_t reg) -> Value* {
    Value* r = Registers(f);
    const uint32_t holder = reg & kFarLocal ? code->far_register : reg;
    if (r == nullptr || holder >= RegisterCount(f)) return nullptr;
    Value* p = const_cast<Value*>(LocalAt(code, r, reg));
    return p != nullptr && HoldsCell(code, reg, *p) ? &p->as<CellObject>()->value : p;
  };
  if (code->hidden_names != nullptr && RegisterCount(f) >= code->local_count) {
    Refresh(ts, f);
    for (uint32_t i = 0; f->pc != nullptr && i < code->hidden_names->size(); ++i) {
      const HiddenName& hidden = code->hidden[i];
      const uint32_t at = PcIndex(f->function, f->pc);
      if (at < hidden.start || at >= hidden.end) continue;
      MVM_TRY(bool found, matches((*code->hidden_names)[i]));
      if (!found) continue;
      Value* word = &Registers(f)[hidden.reg];
      return hidden.cell && IsExact(*word, TypeId::kCell) ? &word->as<CellObject>()->value : word;
    }
  }
  for (uint32_t i = 0; i < code->varnames->size(); ++i) {
    MVM_TRY(bool found, matches((*code->varnames)[i]));
    if (found) return local(code->varname_registers[i]);
  }
  for (uint32_t i = 0; i < code->cellvars->size(); ++i) {
    MVM_TRY(bool found, matches((*code->cellvars)[i]));
    if (found) return local(code->cell_registers[i]);
  }
  TupleObject* closure = f->function->closure;
  for (uint32_t i = 0; closure != nullptr && i < code->freevars->size(); ++i) {
    MVM_TRY(bool found, matches((*code->freevars)[i]));
    if (found) return &(*closure)[i].as<CellObject>()->value;
  }
  return none;
}

// The mapping that a frame of a module or class keeps its names in; null for others.
Value NamesOf(ThreadState& ts, FrameObject* f) {
  const uint16_t reg = f->function->code->locals_register;
  Value* r = Registers(f);
  if (reg == 0xFFFF || r == nullptr || reg >= RegisterCount(f)) return Value();
  return r[reg].is_object() && !r[reg].is(ts.rt->unbound) ? r[reg] : Value();
}

Result<DictObject> Snapshot(ThreadState& ts, FrameObject* f) {
  Value* r = Registers(f);
  Ref<DictObject> dict;
  if (f->cleared || RegisterCount(f) < f->function->local_count) {
    MVM_TRY(dict, NewDict(ts));
  } else {
    Refresh(ts, f);
    MVM_TRY(dict, LocalsSnapshot(ts, f->function, r, f->pc));
    if (Ref<> names = Ref<>::Borrow(NamesOf(ts, f))) {
      MVM_TRY(Ref<DictObject> hidden, NewDict(ts));
      std::swap(dict, hidden);
      MVM_TRY_VOID(DictUpdate(ts, dict, names));
      MVM_TRY_VOID(DictUpdate(ts, dict, Value(hidden.get())));
    }
  }
  if (f->extra_locals.is_object()) MVM_TRY_VOID(DictUpdate(ts, dict, f->extra_locals));
  return dict;
}

Result<> get_locals(ThreadState& ts, Value self) {
  FrameObject* f = Self(self);
  if (f->function->code->locals_register != 0xFFFF) {
    const Value names = NamesOf(ts, f);
    if (names.is_null()) return NewDict(ts);
    bool hidden = false;  // in an inlined comprehension, whose variables are seen as well
    if (RegisterCount(f) >= f->function->code->local_count) {
      Refresh(ts, f);
      ForEachHidden(f->function, Registers(f), f->pc, [&](Value, const Value*) { hidden = true; });
    }
    if (!hidden) return Result<>::Borrow(names);
  }
  MVM_TRY(Ref<FrameLocalsProxyObject> p,
          New<FrameLocalsProxyObject>(ts, TypeId::kFrameLocalsProxy));
  p->frame = Ref<FrameObject>::Borrow(f).Release();
  Track(p.get());
  return p;
}

// Value of a name: new reference or Absent().
Result<> ProxyGet(ThreadState& ts, FrameObject* f, Value key) {
  MVM_TRY(Value * p, FindLocal(ts, f, key));
  if (p != nullptr && !p->is_null() && !p->is(ts.rt->unbound)) return Result<>::Borrow(*p);
  if (f->extra_locals.is_object()) return DictGet(ts, f->extra_locals.as<DictObject>(), key);
  if (const Ref<> names = Ref<>::Borrow(NamesOf(ts, f))) {
    Result<> v = GetItem(ts, names, key);
    if (!v.raised() || !ClearPendingIf(ts, Exc::kKeyError)) return v;
  }
  return Result<>::Steal(Value::Absent());
}

Result<> proxy_getitem(ThreadState& ts, Value self, Value key) {
  MVM_TRY(Ref<> v, ProxyGet(ts, FrameOf(self), key));
  if (v.is_absent()) return Raise(ts, Exc::kKeyError, "local variable '%R' is not defined", key);
  return v;
}
Status proxy_setitem(ThreadState& ts, Value self, Value key, Value value) {
  FrameObject* f = FrameOf(self);
  if (value.is_null())
    return Raise(ts, Exc::kTypeError, "cannot remove variables from FrameLocalsProxy");
  MVM_TRY(Value * p, FindLocal(ts, f, key));
  if (p != nullptr) {
    // The frame may be reading the old value borrowed in the instruction it is at: keep it, and the
    // frame object with it, as long as the frame runs.
    if (f->base != nullptr && p->is_object() && !p->is(ts.rt->unbound)) {
      if (!f->kept.is_object()) {
        MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 4));
        f->kept = Value(list.Release());
      }
      MVM_TRY_VOID(ListAppend(ts, f->kept.as<ListObject>(), *p));
      PinFrame(f);
    }
    Incref(value);
    Ref<> old = Ref<>::Steal(std::exchange(*p, value));
    return Ok();
  }
  if (const Ref<> names = Ref<>::Borrow(NamesOf(ts, f))) return SetItem(ts, names, key, value);
  if (!f->extra_locals.is_object()) {
    MVM_TRY(Ref<DictObject> dict, NewDict(ts));
    f->extra_locals = Value(dict.Release());
    // They belong to the frame: its object must last as long as it runs.
    PinFrame(f);
  }
  return DictSet(ts, f->extra_locals.as<DictObject>(), key, value);
}
Result<int64_t> proxy_len(ThreadState& ts, Value self) {
  MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(self)));
  return static_cast<int64_t>(DictSize(d));
}
Result<bool> proxy_contains(ThreadState& ts, Value self, Value key) {
  MVM_TRY(Ref<> v, ProxyGet(ts, FrameOf(self), key));
  return !v.is_absent();
}
Result<> proxy_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(self)));
  MVM_TRY(Ref<ListObject> keys, ListFrom(ts, Value(d.get())));
  return GetIter(ts, keys);
}
Result<> proxy_repr(ThreadState& ts, Value self) {
  ReprGuard repr(ts, FrameOf(self));
  if (repr.inside()) return NewStr(ts, "{...}");
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(self)));
  return Repr(ts, Value(d.get()));
}
Result<> proxy_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return NotImplemented(ts);
  bool equal = false;
  if (IsExact(b, TypeId::kFrameLocalsProxy)) {
    equal = FrameOf(a) == FrameOf(b);
  } else if (IsDict(ts, b)) {
    MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(a)));
    return Compare(ts, Value(d.get()), b, op);
  } else {
    return NotImplemented(ts);
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}
Result<> proxy_or(ThreadState& ts, Value a, Value b) {
  bool left = IsExact(a, TypeId::kFrameLocalsProxy), right = IsExact(b, TypeId::kFrameLocalsProxy);
  if ((!left && !IsDict(ts, a)) || (!right && !IsDict(ts, b))) return NotImplemented(ts);
  Ref<DictObject> d;
  if (left) {
    MVM_TRY(d, Snapshot(ts, FrameOf(a)));
  } else {
    MVM_TRY(d, DictCopy(ts, a.as<DictObject>()));
  }
  if (right) {
    MVM_TRY(Ref<DictObject> other, Snapshot(ts, FrameOf(b)));
    MVM_TRY_VOID(DictUpdate(ts, d, Value(other.get())));
  } else {
    MVM_TRY_VOID(DictUpdate(ts, d, b));
  }
  return d;
}
Result<> proxy_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n != 1 || raw.nkw != 0) {
    return Raise(ts, Exc::kTypeError, "FrameLocalsProxy expected 1 argument, got %u", raw.n);
  }
  if (!IsExact(raw[0], TypeId::kFrame))
    return Raise(ts, Exc::kTypeError, "expect frame, not %T", raw[0]);
  MVM_TRY(Ref<FrameLocalsProxyObject> p,
          New<FrameLocalsProxyObject>(ts, TypeId::kFrameLocalsProxy));
  p->frame = Ref<FrameObject>::Borrow(raw[0].as<FrameObject>()).Release();
  Track(p.get());
  return p;
}
Status UpdateProxy(ThreadState& ts, Value self, Value other) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  if (IsExact(other, TypeId::kFrameLocalsProxy)) {
    MVM_TRY(d, Snapshot(ts, FrameOf(other)));
  } else if (IsDict(ts, other)) {
    MVM_TRY_VOID(DictUpdate(ts, d, other));
  } else {
    return Raise(ts, Exc::kTypeError, "update() argument must be dict or another FrameLocalsProxy");
  }
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, d, &pos, &key, &value)) MVM_TRY_VOID(proxy_setitem(ts, self, key, value));
  return Ok();
}
Result<> proxy_ior(ThreadState& ts, Value a, Value b) {
  if (!IsDict(ts, b) && !IsExact(b, TypeId::kFrameLocalsProxy)) return NotImplemented(ts);
  MVM_TRY_VOID(UpdateProxy(ts, a, b));
  return Result<>::Borrow(a);
}
Result<> proxy_get(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, ProxyGet(ts, FrameOf(args[0]), args[1]));
  return v.is_absent() ? Result<>::Borrow(args[2]) : Result<>(std::move(v));
}
template <int kWhat>
Result<> ProxyView(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(args[0])));
  StrObject* name = kWhat == 0   ? MVM_NAME(ts, keys)
                    : kWhat == 1 ? MVM_NAME(ts, values)
                                 : MVM_NAME(ts, items);
  MVM_TRY(Ref<> view, CallMethod(ts, Value(d.get()), name));
  return ListFrom(ts, view);
}
Result<> proxy_copy(ThreadState& ts, Args args) { return Snapshot(ts, FrameOf(args[0])); }
Result<> proxy_update(ThreadState& ts, Args args) {
  MVM_TRY_VOID(UpdateProxy(ts, args[0], args[1]));
  return None(ts);
}
Result<> proxy_setdefault(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, ProxyGet(ts, FrameOf(args[0]), args[1]));
  if (!v.is_absent()) return v;
  MVM_TRY_VOID(proxy_setitem(ts, args[0], args[1], args[2]));
  return Result<>::Borrow(args[2]);
}
Result<> proxy_reversed(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, Snapshot(ts, FrameOf(args[0])));
  MVM_TRY(Ref<ListObject> keys, ListFrom(ts, Value(d.get())));
  for (uint64_t i = 0; i < keys->size / 2; ++i)
    std::swap(keys->items[i], keys->items[keys->size - 1 - i]);
  return keys;
}

Result<> frame_clear(ThreadState& ts, Args args) {
  FrameObject* f = args.self<FrameObject>();
  if (f->base != nullptr) return Raise(ts, Exc::kRuntimeError, "cannot clear an executing frame");
  if (f->generator != nullptr) {
    GeneratorObject* gen = f->generator;
    if (gen->state == GenState::kSuspended)
      return Raise(ts, Exc::kRuntimeError, "cannot clear a suspended frame");
    if (gen->state == GenState::kCreated && gen->shape_id == ShapeIdOf(TypeId::kCoroutine)) {
      WarnNeverAwaited(ts, gen);
    }
    MVM_TRY_VOID(GeneratorClose(ts, gen));
  }
  f->cleared = true;
  for (uint32_t i = 0; i < f->local_count; ++i) {
    Value old = std::exchange(f->locals[i], Value(ts.rt->unbound));
    Decref(old);
  }
  return None(ts);
}
Result<> frame_repr(ThreadState& ts, Value self) {
  FrameObject* f = Self(self);
  Refresh(ts, f);
  int line = f->pc == nullptr ? 0 : LineAt(f->function->code, PcIndex(f->function, f->pc));
  return Format(ts, "<frame at 0x%lx, file %R, line %d, code %U>",
                static_cast<unsigned long>(self.bits()), Value(f->function->code->filename), line,
                Value(f->function->code->name));
}

const GetSetSpec kFrameGetSets[] = {
    {"f_back", get_back},
    {"f_builtins", get_builtins},
    {"f_code", get_code},
    {"f_globals", get_globals},
    {"f_lasti", get_lasti},
    {"f_lineno", get_lineno, SetFrameLine},
    {"f_locals", get_locals},
    {"f_trace", get_trace, set_trace},
    {"f_trace_lines", get_trace_lines, set_trace_lines},
    {"f_trace_opcodes", get_trace_opcodes, set_trace_opcodes},
};
const MethodSpec kFrameMethods[] = {
    {"clear(self, /)", frame_clear,
     "Drops the variables of the frame; RuntimeError while it runs."}};
const MethodSpec kProxyMethods[] = {
    {"__reversed__(self, /)", proxy_reversed},
    {"copy(self, /)", proxy_copy},
    {"get(self, key, default=None, /)", proxy_get},
    {"items(self, /)", ProxyView<2>},
    {"keys(self, /)", ProxyView<0>},
    {"setdefault(self, key, default=None, /)", proxy_setdefault},
    {"update(self, other, /)", proxy_update},
    {"values(self, /)", ProxyView<1>},
};

}  // namespace

const TypeSpec kFrameType = {
    .name = "frame",
    .flags = kTypeNoNew,
    .size = sizeof(FrameObject),
    .gc = {gc_internal::VisitHook<FrameObject>, gc_internal::ClearHook<FrameObject>, DestroyFrame},
    .slots = {.repr = frame_repr},
    .methods = kFrameMethods,
    .getsets = kFrameGetSets,
};
const TypeSpec kFrameLocalsProxyType = {
    .name = "FrameLocalsProxy",
    .flags = kTypeMapping,
    .size = sizeof(FrameLocalsProxyObject),
    .gc = GcHooksOf<FrameLocalsProxyObject>(),
    .slots = {.repr = proxy_repr,
              .compare = proxy_compare,
              .iter = proxy_iter,
              .new_ = proxy_new,
              .len = proxy_len,
              .get_item = proxy_getitem,
              .set_item = proxy_setitem,
              .contains = proxy_contains,
              .or_ = proxy_or,
              .ior = proxy_ior},
    .methods = kProxyMethods,
};

}  // namespace minivm
