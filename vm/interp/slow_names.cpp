// Slow paths of globals, names in mappings, cells and far locals; their error messages.
#include <algorithm>

#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

Raised RaiseUnboundLocal(ThreadState& ts, StrObject* name) {
  Raise(ts, Exc::kUnboundLocalError,
        "cannot access local variable '%U' where it is not associated with a value", Value(name));
  return kRaised;
}
Raised RaiseUnboundFree(ThreadState& ts, StrObject* name) {
  Raise(
      ts, Exc::kNameError,
      "cannot access free variable '%U' where it is not associated with a value in enclosing scope",
      Value(name));
  if (PendingIs(ts, Exc::kNameError)) {
    ts.pending.as<NameErrorObject>()->name = Ref<>::Borrow(Value(name)).Release();
  }
  return kRaised;
}

// A loaded name that may be a callee: the two words behind it are made inert (they are free if it
// is not).
void OpenWindow(Value* w, Value callee) {
  w[0] = callee;
  w[1] = w[2] = Value::Int(0);
}

// Global, then builtin; new reference or NameError.
// `behind_locals`: the globals are asked after a locals mapping, as the plain dict that they are.
Result<> LookupGlobal(ThreadState& ts, FunctionObject* f, StrObject* name,
                      bool behind_locals = false) {
  Ref<> v;
  if (behind_locals) {
    Value found = DictGetStr(ts, f->globals, name);
    v = found.is_null() ? Ref<>::Steal(Value::Absent()) : Ref<>::Borrow(found);
  } else {
    MVM_TRY(v, LookupMapping(ts, Value(f->globals), name));
  }
  if (v.is_absent()) {
    MVM_TRY(v, LookupMapping(ts, f->builtins, name));
  }
  if (v.is_absent()) return RaiseNameError(ts, name);
  return v;
}

// Names are found in its cells: a plain dict whose keys are strings.
bool IsCelled(Value v) {
  if (!IsExactDict(v)) return false;
  const DictObject* d = v.as<DictObject>();
  return d->storage == DictStorage::kCelled && !d->other_keys;
}

}  // namespace

Result<> LookupMapping(ThreadState& ts, Value mapping, StrObject* name) {
  if (IsExactDict(mapping)) {
    if (MVM_UNLIKELY(mapping.as<DictObject>()->other_keys)) {
      return DictGet(ts, mapping.as<DictObject>(), name);
    }
    Value v = DictGetStr(ts, mapping.as<DictObject>(), name);
    return v.is_null() ? Result<>::Steal(Value::Absent()) : Result<>::Borrow(v);
  }
  Result<> r = GetItem(ts, mapping, Value(name));
  if (r.raised() && ClearPendingIf(ts, Exc::kKeyError)) return Result<>::Steal(Value::Absent());
  return r;
}

bool SlowLoadGlobal(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  CacheEntry* cache = CacheOf(pc);
  const bool spends = ts->Spends();
  if (spends) pc->op = static_cast<uint8_t>(Op::LOADG);
  const bool cached = spends && IsCelled(Value(f->globals)) && IsCelled(f->builtins);
  CellObject* global = cached ? DictGetCell(*ts, f->globals, name) : nullptr;
  if (global != nullptr && !global->value.is(ts->rt->unbound)) {
    cache->ptr = reinterpret_cast<uint64_t>(global);
    pc->op = static_cast<uint8_t>(Op::LOADG_CELL);
    Incref(global->value);
    OpenWindow(R + pc->a, global->value);
    return true;
  }
  CellObject* builtin = cached ? DictGetCell(*ts, f->builtins.as<DictObject>(), name) : nullptr;
  if (builtin != nullptr && !builtin->value.is(ts->rt->unbound)) {
    // An (unbound) cell in the globals tells whether the builtin gets shadowed later.
    Result<CellObject*> cell = DictMakeCell(*ts, f->globals, name);
    if (cell.raised()) return false;
    cache->ptr = reinterpret_cast<uint64_t>(builtin);
    *reinterpret_cast<CellObject**>(cache) = cell.Take();
    pc->op = static_cast<uint8_t>(Op::LOADG_BUILTIN);
    Incref(builtin->value);
    OpenWindow(R + pc->a, builtin->value);
    return true;
  }
  Result<> r = LookupGlobal(*ts, f, name);
  if (r.raised()) return false;
  OpenWindow(R + pc->a, r.word());
  return true;
}

bool SlowStoreGlobal(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  Value v = R[pc->a];
  bool ok = !DictSetStr(*ts, f->globals, name, v).raised();
  if (pc->c & kConsume1) Decref(v);
  if (!ok) return false;
  CellObject* cell = DictGetCell(*ts, f->globals, name);
  if (cell != nullptr && ts->Spends()) {
    CacheOf(pc)->ptr = reinterpret_cast<uint64_t>(cell);
    pc->op = static_cast<uint8_t>(Op::STOREG_CELL);
  }
  return true;
}

bool SlowDeleteGlobal(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  Result<bool> r = DictDelete(*ts, f->globals, Value(name));
  if (r.raised()) return false;
  if (r.Take()) return true;
  RaiseNameError(*ts, name);
  return false;
}

bool SlowName(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value locals = f->code->locals_register != 0xFFFF ? R[f->code->locals_register] : Value();
  Op op = static_cast<Op>(pc->op);
  if (op == Op::LOADLOCALS) {
    R[pc->a] = Result<>::Borrow(locals).word();
    return true;
  }
  StrObject* name = SiteName(f, pc);
  switch (op) {
    case Op::LOADNAME: {
      Result<> r = LookupMapping(*ts, locals, name);
      if (r.raised()) return false;
      Value v = r.word();
      if (v.is_absent()) {
        Result<> g = LookupGlobal(*ts, f, name, true);
        if (g.raised()) return false;
        v = g.word();
      }
      OpenWindow(R + pc->a, v);
      return true;
    }
    case Op::STORENAME: {
      Value v = R[pc->a];
      Status s = IsExactDict(locals) ? DictSetStr(*ts, locals.as<DictObject>(), name, v)
                                     : SetItem(*ts, locals, Value(name), v);
      if (pc->c & kConsume1) Decref(v);
      return !s.raised();
    }
    case Op::DELNAME: {
      Status s = SetItem(*ts, locals, Value(name), Value());
      if (!s.raised()) return true;
      // Whatever a mapping says: as CPython has it.
      ClearPending(*ts);
      RaiseNameError(*ts, name);
      return false;
    }
    case Op::LOADNAME_CELL:
    case Op::LOADNAME_DICT_CELL: {
      Value mapping = op == Op::LOADNAME_CELL ? locals : R[pc->b];
      Result<> r = LookupMapping(*ts, mapping, name);
      if (op == Op::LOADNAME_DICT_CELL && (pc->c & kConsume1)) Decref(mapping);
      if (r.raised()) return false;
      Value v = r.word();
      if (v.is_absent()) {
        CellObject* cell =
            op == Op::LOADNAME_CELL
                ? (pc->c == 0 ? R[pc->b] : f->closure->items()[pc->b]).as<CellObject>()
                : f->closure->items()[pc->x].as<CellObject>();
        v = cell->value;
        if (v.is(ts->rt->unbound)) {
          RaiseUnboundFree(*ts, name);
          return false;
        }
        Incref(v);
      }
      R[pc->a] = v;
      return true;
    }
    case Op::LOADNAME_GLOBAL: {
      Value mapping = R[pc->b];
      Result<> r = LookupMapping(*ts, mapping, name);
      if (pc->c & kConsume1) Decref(mapping);
      if (r.raised()) return false;
      Value v = r.word();
      if (v.is_absent()) {
        Result<> g = LookupGlobal(*ts, f, name);
        if (g.raised()) return false;
        v = g.word();
      }
      R[pc->a] = v;
      return true;
    }
    default: MVM_CHECK(false, "not a name instruction"); return false;
  }
}

namespace {

// The far local that a word means, or the contents of the cell in its place.
Value& FarSlot(Value* R, const Word* pc, bool in_cell) {
  Value& slot = R[pc->b].as<ListObject>()->items[pc->x];
  return in_cell ? slot.as<CellObject>()->value : slot;
}

}  // namespace

bool SlowFar(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value unbound = ts->rt->unbound;
  switch (static_cast<Op>(pc->op)) {
    case Op::LDFAR: {
      Value v = FarSlot(R, pc, pc->c & 1);
      if (v.is(unbound)) {
        RaiseUnboundLocal(*ts, SiteName(f, pc));
        return false;
      }
      Incref(v);
      R[pc->a] = v;
      return true;
    }
    case Op::STFAR: {
      Value v = R[pc->a];
      if (!(pc->c & kConsume1)) Incref(v);
      Value old = std::exchange(FarSlot(R, pc, pc->c & 2), v);
      Decref(old);
      return true;
    }
    case Op::DELFAR: {
      Value& slot = FarSlot(R, pc, pc->c & 1);
      if (slot.is(unbound)) {
        RaiseUnboundLocal(*ts, SiteName(f, pc));
        return false;
      }
      Incref(unbound);
      Value old = std::exchange(slot, unbound);
      Decref(old);
      return true;
    }
    case Op::MKFAR: {
      if (pc->c & 1) {
        Value& slot = R[pc->a].as<ListObject>()->items[pc->x];
        Result<CellObject> cell = NewCell(*ts, slot);
        if (cell.raised()) return false;
        Value old = std::exchange(slot, Value(cell.word()));
        Decref(old);
        return true;
      }
      const uint64_t size = static_cast<uint64_t>(pc->x);
      Result<ListObject> r = NewListReserve(*ts, size);
      if (r.raised()) return false;
      ListObject* list = r.word();
      uint64_t n = 0;
      if (IsExact(R[pc->a], TypeId::kList)) {
        ListObject* given = R[pc->a].as<ListObject>();
        n = std::exchange(given->size, 0);
        std::copy_n(given->items, n, list->items);
      }
      ts->rt->unbound->refcount += static_cast<uint32_t>(size - n);
      std::fill(list->items + n, list->items + size, unbound);
      list->size = size;
      Value old = std::exchange(R[pc->a], Value(list));
      Decref(old);
      return true;
    }
    default: MVM_CHECK(false, "not an instruction of far locals"); return false;
  }
}

bool SlowCell(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  Value unbound = ts->rt->unbound;
  Op op = static_cast<Op>(pc->op);
  switch (op) {
    case Op::CHKLOCAL:
    case Op::DELLOC: RaiseUnboundLocal(*ts, SiteName(f, pc)); return false;
    case Op::MKCELL: {
      Result<CellObject> cell = NewCell(*ts, R[pc->a]);
      if (cell.raised()) return false;
      Value old = std::exchange(R[pc->a], Value(cell.word()));
      Decref(old);
      return true;
    }
    case Op::LDCELL: RaiseUnboundLocal(*ts, SiteName(f, pc)); return false;
    case Op::LDFREE: RaiseUnboundFree(*ts, SiteName(f, pc)); return false;
    case Op::DELCELL:
    case Op::UNSETCELL:
    case Op::DELFREE: {
      CellObject* cell =
          (op == Op::DELFREE ? f->closure->items()[pc->x] : R[pc->a]).as<CellObject>();
      if (cell->value.is(unbound)) {
        if (op == Op::UNSETCELL) return true;
        if (op == Op::DELFREE) {
          RaiseUnboundFree(*ts, SiteName(f, pc));
        } else {
          RaiseUnboundLocal(*ts, SiteName(f, pc));
        }
        return false;
      }
      Incref(unbound);
      Value old = std::exchange(cell->value, unbound);
      Decref(old);
      return true;
    }
    default: MVM_CHECK(false, "not a cell instruction"); return false;
  }
}

}  // namespace minivm
