// Slow paths of subscripts, displays, unpacking, formatting and pattern matching.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

void Release(Value* v, size_t n) {
  for (size_t i = 0; i < n; ++i) Decref(v[i]);
}

// A[B:B+1] operands as a slice object.
Result<SliceObject> SliceOf(ThreadState& ts, Value* parts) {
  return NewSlice(ts, parts[0], parts[1], ts.rt->none);
}

// start and stop of a slice over an exact sequence of that size, if both are plain.
bool PlainBounds(ThreadState& ts, Value start, Value stop, int64_t size, int64_t* from,
                 int64_t* to) {
  if (!(start.is_int() || IsNone(ts, start)) || !(stop.is_int() || IsNone(ts, stop))) return false;
  int64_t a = start.is_int() ? start.as_int() : 0, b = stop.is_int() ? stop.as_int() : size;
  if (a < 0) a = a + size < 0 ? 0 : a + size;
  if (b < 0) b = b + size < 0 ? 0 : b + size;
  if (a > size) a = size;
  if (b > size) b = size;
  *from = a;
  *to = b < a ? a : b;
  return true;
}

Result<> GetSlice(ThreadState& ts, Value o, Value* parts) {
  int64_t from, to;
  if (IsExact(o, TypeId::kStr)) {
    StrObject* s = o.as<StrObject>();
    if (PlainBounds(ts, parts[0], parts[1], s->length, &from, &to))
      return StrSlice(ts, s, from, to);
  } else if (IsExact(o, TypeId::kList)) {
    ListObject* l = o.as<ListObject>();
    if (PlainBounds(ts, parts[0], parts[1], l->size, &from, &to)) {
      return NewList(ts, {l->items + from, static_cast<size_t>(to - from)});
    }
  } else if (IsExact(o, TypeId::kTuple)) {
    TupleObject* t = o.as<TupleObject>();
    if (PlainBounds(ts, parts[0], parts[1], t->size(), &from, &to)) {
      if (to - from == t->size()) return Result<>::Borrow(o);
      return NewTuple(ts, {t->items() + from, static_cast<size_t>(to - from)});
    }
  }
  MVM_TRY(auto slice, SliceOf(ts, parts));
  return GetItem(ts, o, slice);
}

// The form of the word for what it subscripts now.
void SpecialiseGetItem(Word* pc, Value o, Value key, bool local) {
  const Op op = static_cast<Op>(pc->op);
  const bool sequence = key.is_int() && (IsExact(o, TypeId::kList) || IsExact(o, TypeId::kTuple) ||
                                         IsExact(o, TypeId::kStr));
  Op want = op;
  if (op == Op::GETITEM || op == Op::GETITEM_L) {
    if (!local && IsExact(o, TypeId::kDict)) {
      want = Op::GETITEM_DICT;
    } else if (key.is_int() && IsExact(o, TypeId::kList)) {
      want = local ? Op::GETITEM_LIST_L : Op::GETITEM_LIST;
    } else if (!local && sequence) {
      want = IsExact(o, TypeId::kTuple) ? Op::GETITEM_TUPLE : Op::GETITEM_STR;
    }
  } else if (op == Op::GETITEM_DICT ? !IsExact(o, TypeId::kDict) : !sequence) {
    want = local ? Op::GETITEM_L : Op::GETITEM;
  }
  if (want != op) pc->op = static_cast<uint8_t>(want);
}

}  // namespace

CallOutcome SlowGetItem(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->b], key = R[pc->c];
  uint32_t flags = static_cast<uint32_t>(pc->x);
  CallOutcome outcome;
  if (PushGetItem(ts, R, pc, o, key, flags, &outcome)) return outcome;
  const bool local = InfoOf(static_cast<Op>(pc->op)).writes_local;
  const uint8_t dest = pc->a;
  if (ts->Spends()) SpecialiseGetItem(pc, o, key, local);
  Value v;
  if (IsExact(o, TypeId::kDict)) {
    Result<> r = DictGet(*ts, o.as<DictObject>(), key);
    if (!r.raised()) {
      v = r.word();
      if (v.is_absent()) {
        v = Value();
        RaiseKeyError(*ts, key);
      }
    }
  } else {
    v = GetItem(*ts, o, key).word();
  }
  if (flags & kConsume1) Decref(o);
  if (flags & kConsume2) Decref(key);
  if (MVM_UNLIKELY(v.is_null())) return CallOutcome::kRaised;
  Value old = R[dest];
  R[dest] = v;
  if (local) Decref(old);
  return CallOutcome::kDone;
}

CallOutcome SlowSetItem(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->a], key = R[pc->b], v = R[pc->c];
  uint32_t flags = static_cast<uint32_t>(pc->x);
  Op op = static_cast<Op>(pc->op);
  bool ok;
  if (IsExact(o, TypeId::kDict)) {
    if (op == Op::SETITEM_LIST) pc->op = static_cast<uint8_t>(Op::SETITEM);
    if (Value* place = DictPeek(*ts->rt, o.as<DictObject>(), key)) {
      if (!(flags & kConsume3)) Incref(v);
      Value old = std::exchange(*place, v);
      Decref(old);
      if (flags & kConsume2) Decref(key);
      if (flags & kConsume1) Decref(o);
      return CallOutcome::kDone;
    }
    ok = !DictSet(*ts, o.as<DictObject>(), key, v).raised();
  } else {
    if (op == Op::SETITEM && key.is_int() && IsExact(o, TypeId::kList)) {
      pc->op = static_cast<uint8_t>(Op::SETITEM_LIST);
    }
    CallOutcome outcome;
    if (PushSetItem(ts, R, pc, o, key, v, flags, &outcome)) return outcome;
    ok = !SetItem(*ts, o, key, v).raised();
  }
  if (flags & kConsume3) Decref(v);
  if (flags & kConsume2) Decref(key);
  if (flags & kConsume1) Decref(o);
  return ok ? CallOutcome::kDone : CallOutcome::kRaised;
}

bool SlowGetSlice(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->b];
  Value* parts = R + pc->c;
  Value v = GetSlice(*ts, o, parts).word();
  Release(parts, 2);
  if (pc->x & kConsume1) Decref(o);
  if (MVM_UNLIKELY(v.is_null())) return false;
  R[pc->a] = v;
  return true;
}

bool SlowSubscriptMisc(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  switch (static_cast<Op>(pc->op)) {
    case Op::DELITEM: {
      Value o = R[pc->a], key = R[pc->b];
      bool ok = !SetItem(*ts, o, key, Value()).raised();
      if (pc->c & kConsume2) Decref(key);
      if (pc->c & kConsume1) Decref(o);
      return ok;
    }
    case Op::SETSLICE: {
      Value o = R[pc->a], v = R[pc->c];
      Value* parts = R + pc->b;
      bool ok = false;
      Result<SliceObject> slice = SliceOf(*ts, parts);
      if (!slice.raised()) {
        Ref<SliceObject> s = slice.Take();
        ok = !SetItem(*ts, o, Value(s.get()), v).raised();
      }
      Release(parts, 2);
      if (pc->x & kConsume3) Decref(v);
      if (pc->x & kConsume1) Decref(o);
      return ok;
    }
    default: {  // MKSLICE
      Value* parts = R + pc->b;
      Result<SliceObject> s =
          NewSlice(*ts, parts[0], parts[1], pc->c == 3 ? parts[2] : Value(ts->rt->none));
      Release(parts, pc->c);
      if (s.raised()) return false;
      R[pc->a] = Value(s.word());
      return true;
    }
  }
}

namespace {

// TypeError texts of f(**mapping).
std::string CalleeName(ThreadState& ts, Value callee) {
  Ref<> name;
  Result<> r = GetAttrOptional(ts, callee, "__qualname__");
  if (r.raised()) {
    ClearPending(ts);
  } else {
    name = r.Take();
  }
  if (name.is_object() && IsStr(ts, name)) {
    std::string text = ToUtf8(name.as<StrObject>()) + "()";
    Result<> m = GetAttrOptional(ts, callee, "__module__");
    if (m.raised()) {
      ClearPending(ts);
      return text;
    }
    Ref<> module = m.Take();
    if (module.is_object() && IsStr(ts, module) &&
        !module.as<StrObject>()->EqualsAscii("builtins")) {
      text = ToUtf8(module.as<StrObject>()) + "." + text;
    }
    return text;
  }
  Result<StrObject> s = ToStr(ts, callee);
  if (s.raised()) {
    ClearPending(ts);
    return "function";
  }
  return ToUtf8(s.Take().get());
}

Status MergeKeywords(ThreadState& ts, DictObject* into, Value mapping, Value callee) {
  auto add = [&](Value key, Value value) -> Status {
    if (!IsStr(ts, key)) return Raise(ts, Exc::kTypeError, "keywords must be strings");
    MVM_TRY(bool present, DictContains(ts, into, key));
    if (present) {
      return Raise(ts, Exc::kTypeError, "%s got multiple values for keyword argument '%U'",
                   CalleeName(ts, callee).c_str(), key);
    }
    return DictSet(ts, into, key, value);
  };
  if (!IsDict(ts, mapping)) {
    MVM_TRY(Ref<> keys, GetAttrOptional(ts, mapping, MVM_NAME(ts, keys)));
    if (keys.is_absent()) {
      return Raise(ts, Exc::kTypeError, "%s argument after ** must be a mapping, not %T",
                   CalleeName(ts, callee).c_str(), mapping);
    }
    // It may name a key more than once.
    MVM_TRY(Ref<> names, Call(ts, keys));
    TypeObject* type = TypeOf(ts, names);
    MVM_TRY_VOID(TypeReady(ts, type));
    if (type->slots.iter == nullptr && type->slots.get_item == nullptr) {
      return Raise(ts, Exc::kTypeError, "%T.keys() returned a non-iterable (type %T)", mapping,
                   names.get());
    }
    return ForEach(ts, names, [&](Value key) -> Status {
      const Ref<> held = Ref<>::Borrow(key);
      MVM_TRY(Ref<> value, GetItem(ts, mapping, key));
      return add(key, value);
    });
  }
  MVM_TRY(Ref<DictObject> items, NewDict(ts));
  MVM_TRY_VOID(DictUpdate(ts, items, mapping));
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, items, &pos, &key, &value)) MVM_TRY_VOID(add(key, value));
  return Ok();
}

Status ExtendList(ThreadState& ts, ListObject* list, Value iterable) {
  if (!IsList(ts, iterable) && !IsTuple(ts, iterable)) {
    TypeObject* type = TypeOf(ts, iterable);
    MVM_TRY_VOID(TypeReady(ts, type));
    if (type->slots.iter == nullptr && type->slots.get_item == nullptr) {
      return Raise(ts, Exc::kTypeError, "Value after * must be an iterable, not %T", iterable);
    }
  }
  return ListExtendUnseen(ts, list, iterable);
}

}  // namespace

bool SlowBuild(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value* from = R + pc->b;
  uint32_t n = pc->c;
  switch (static_cast<Op>(pc->op)) {
    case Op::BUILD_TUPLE: {
      Value v = n == 0 ? Result<>::Borrow(ts->rt->empty_tuple).word()
                       : Value(NewTupleSteal(*ts, from, n).word());
      if (v.is_null()) return false;
      R[pc->a] = v;
      return true;
    }
    case Op::BUILD_SET: {
      Result<SetObject> r = NewSet(*ts);
      bool ok = !r.raised();
      for (uint32_t i = 0; ok && i < n; ++i) ok = !SetAdd(*ts, r.word(), from[i]).raised();
      Release(from, n);
      if (!ok) {
        if (r.word() != nullptr) Decref(static_cast<Object*>(r.word()));
        return false;
      }
      R[pc->a] = Value(r.word());
      return true;
    }
    case Op::BUILD_MAP: {
      Result<DictObject> r = NewDict(*ts, n);
      bool ok = !r.raised();
      for (uint32_t i = 0; ok && i < n; ++i) {
        ok = !DictSet(*ts, r.word(), from[2 * i], from[2 * i + 1]).raised();
      }
      Release(from, size_t{n} * 2);
      if (!ok) {
        if (r.word() != nullptr) Decref(static_cast<Object*>(r.word()));
        return false;
      }
      R[pc->a] = Value(r.word());
      return true;
    }
    case Op::BUILD_STRING: {
      StrObject* s = StrConcatMany(*ts, from, n).word();
      Release(from, n);
      if (s == nullptr) return false;
      R[pc->a] = Value(s);
      return true;
    }
    case Op::NEWLIST: {
      ListObject* list = NewListReserve(*ts, static_cast<size_t>(pc->x)).word();
      if (list == nullptr) return false;
      R[pc->a] = Value(list);
      return true;
    }
    case Op::NEWDICT: {
      DictObject* dict = NewDict(*ts).word();
      if (dict == nullptr) return false;
      R[pc->a] = Value(dict);
      return true;
    }
    case Op::NEWSET: {
      SetObject* set = NewSet(*ts).word();
      if (set == nullptr) return false;
      R[pc->a] = Value(set);
      return true;
    }
    case Op::LIST_TO_TUPLE: {
      ListObject* list = R[pc->a].as<ListObject>();
      Result<TupleObject> t = NewTuple(*ts, {list->items, static_cast<size_t>(list->size)});
      if (t.raised()) return false;
      Value old = std::exchange(R[pc->a], Value(t.word()));
      Decref(old);
      return true;
    }
    default: MVM_CHECK(false, "makes no container"); return false;
  }
}

namespace {

Status UpdateDict(ThreadState& ts, DictObject* into, Value mapping) {
  if (!IsDict(ts, mapping)) {
    MVM_TRY(Ref<> keys, GetAttrOptional(ts, mapping, MVM_NAME(ts, keys)));
    if (keys.is_absent()) {
      return Raise(ts, Exc::kTypeError, "'%T' object is not a mapping", mapping);
    }
  }
  return DictUpdate(ts, into, mapping);
}

}  // namespace

bool SlowAddTo(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value into = R[pc->a], v = R[pc->b];
  Status done = Ok();
  switch (static_cast<Op>(pc->op)) {
    case Op::LIST_APPEND: done = ListAppend(*ts, into.as<ListObject>(), v); break;
    case Op::SET_ADD:
      if (SetAdd(*ts, into.as<SetObject>(), v).raised()) done = kRaised;
      break;
    case Op::MAP_ADD: {
      Value value = R[pc->c];
      bool ok = !DictSet(*ts, into.as<DictObject>(), v, value).raised();
      if (pc->x & kConsume1) Decref(v);
      if (pc->x & kConsume2) Decref(value);
      return ok;
    }
    case Op::LIST_EXTEND: done = ExtendList(*ts, into.as<ListObject>(), v); break;
    case Op::SET_UPDATE: done = SetUpdate(*ts, into.as<SetObject>(), v); break;
    case Op::DICT_UPDATE: done = UpdateDict(*ts, into.as<DictObject>(), v); break;
    default:
      MVM_DCHECK(static_cast<Op>(pc->op) == Op::DICT_MERGE, "adds to no container");
      done = MergeKeywords(*ts, into.as<DictObject>(), v, R[pc->x]);
  }
  if (pc->c & kConsume1) Decref(v);
  return !done.raised();
}

Result<DictObject> MergedKeywords(ThreadState& ts, Value mapping, Value callee) {
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY_VOID(MergeKeywords(ts, dict, mapping, callee));
  return dict;
}

// A tuple of raw words; absent ones are inert for the collector and for Decref.
bool SlowSpill(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  TupleObject* t = NewTupleSteal(*ts, R + pc->b, pc->c).word();
  if (t == nullptr) return false;
  R[pc->a] = Value(t);
  return true;
}

void SlowUnspill(Value* R, Word* pc) {
  uint32_t n = pc->c;
  TupleObject* t = R[pc->a].as<TupleObject>();
  R[pc->a + n] = R[pc->a + 1];
  for (uint32_t i = 0; i < n; ++i) {
    Value v = t->items()[i];
    Incref(v);
    R[pc->a + i] = v;
  }
  Decref(static_cast<Object*>(t));
}

namespace {

Status UnpackInto(ThreadState& ts, Value o, Value* out, uint32_t n) {
  // A list or tuple (exact) is read in place; anything else is iterated.
  if (IsExact(o, TypeId::kList) || IsExact(o, TypeId::kTuple)) {
    const Value* items =
        IsExact(o, TypeId::kList) ? o.as<ListObject>()->items : o.as<TupleObject>()->items();
    size_t size =
        IsExact(o, TypeId::kList) ? o.as<ListObject>()->size : o.as<TupleObject>()->size();
    if (size < n) {
      return Raise(ts, Exc::kValueError, "not enough values to unpack (expected %u, got %zu)", n,
                   size);
    }
    if (size > n) {
      return Raise(ts, Exc::kValueError, "too many values to unpack (expected %u)", n);
    }
    for (uint32_t i = 0; i < n; ++i) {
      Incref(items[i]);
      out[i] = items[i];
    }
    return Ok();
  }
  TypeObject* type = TypeOf(ts, o);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.iter == nullptr && type->slots.get_item == nullptr) {
    return Raise(ts, Exc::kTypeError, "cannot unpack non-iterable %T object", o);
  }
  MVM_TRY(Ref<> it, GetIter(ts, o));
  uint32_t got = 0;
  for (; got < n; ++got) {
    Result<> r = Next(ts, it);
    if (r.raised() || r.done()) {
      bool raised = r.raised();
      Release(out, got);
      if (raised) return kRaised;
      return Raise(ts, Exc::kValueError, "not enough values to unpack (expected %u, got %u)", n,
                   got);
    }
    out[got] = r.word();
  }
  Result<> r = Next(ts, it);
  if (r.raised() || !r.done()) {
    if (!r.raised()) {
      Decref(r.word());
      Raise(ts, Exc::kValueError, "too many values to unpack (expected %u)", n);
    }
    Release(out, n);
    return kRaised;
  }
  return Ok();
}

Status UnpackExInto(ThreadState& ts, Value o, Value* out, uint32_t before, uint32_t after) {
  TypeObject* type = TypeOf(ts, o);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.iter == nullptr && type->slots.get_item == nullptr) {
    return Raise(ts, Exc::kTypeError, "cannot unpack non-iterable %T object", o);
  }
  MVM_TRY(Ref<> it, GetIter(ts, o));
  uint32_t got = 0;
  for (; got < before; ++got) {
    Result<> r = Next(ts, it);
    if (r.raised() || r.done()) {
      bool raised = r.raised();
      Release(out, got);
      if (raised) return kRaised;
      return Raise(ts, Exc::kValueError,
                   "not enough values to unpack (expected at least %u, got %u)", before + after,
                   got);
    }
    out[got] = r.word();
  }
  Result<ListObject> rest = ListFrom(ts, it);
  if (rest.raised()) {
    Release(out, before);
    return kRaised;
  }
  ListObject* list = rest.word();
  if (list->size < after) {
    size_t size = list->size;
    Release(out, before);
    Decref(static_cast<Object*>(list));
    return Raise(ts, Exc::kValueError,
                 "not enough values to unpack (expected at least %u, got %zu)", before + after,
                 before + size);
  }
  out[before] = Value(list);
  list->size -= after;
  for (uint32_t i = 0; i < after; ++i) out[before + 1 + i] = list->items[list->size + i];
  return Ok();
}

void Reverse(Value* v, size_t n) {
  for (size_t i = 0; i < n / 2; ++i) std::swap(v[i], v[n - 1 - i]);
}

}  // namespace

Result<> UnpackToList(ThreadState& ts, Value v, int64_t shape) {
  const auto n = static_cast<uint32_t>(shape), star = static_cast<uint32_t>(shape >> 32);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, n));
  if (star == 0) {
    MVM_TRY_VOID(UnpackInto(ts, v, list->items, n));
  } else {
    MVM_TRY_VOID(UnpackExInto(ts, v, list->items, star - 1, n - star));
  }
  list->size = n;
  return list;
}

bool SlowUnpack(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->b];
  Value* out = R + pc->a;
  bool exact = static_cast<Op>(pc->op) == Op::UNPACK;
  uint32_t n = pc->c, after = exact ? 0 : static_cast<uint32_t>(pc->x) >> 8;
  bool consume = pc->x & kConsume1;
  // The operand's register may be one of the targets: hold it through our own reference.
  if (!consume) Incref(o);
  Status s = exact ? UnpackInto(*ts, o, out, n) : UnpackExInto(*ts, o, out, n, after);
  Decref(o);
  if (s.raised()) return false;
  if (pc->x & 2) Reverse(out, exact ? n : n + 1 + after);
  return true;
}

bool SlowFormat(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value v = R[pc->b];
  uint32_t mode = static_cast<uint32_t>(pc->x);
  bool has_spec = mode & 8;
  Value spec = has_spec ? R[pc->c] : Value(ts->rt->empty_str);
  StrObject* out = nullptr;
  switch ((mode >> 1) & 3) {
    case 0: out = FormatValue(*ts, v, spec.as<StrObject>()).word(); break;
    default: {
      uint32_t conversion = (mode >> 1) & 3;
      Result<StrObject> text = conversion == 1   ? ToStr(*ts, v)
                               : conversion == 2 ? Repr(*ts, v)
                                                 : Ascii(*ts, v);
      out = text.word();
      if (out != nullptr && has_spec) {
        Ref<StrObject> t = Ref<StrObject>::Steal(out);
        out = FormatValue(*ts, Value(t.get()), spec.as<StrObject>()).word();
      }
    }
  }
  if (has_spec) Decref(spec);
  if (mode & kConsume1) Decref(v);
  if (out == nullptr) return false;
  R[pc->a] = Value(out);
  return true;
}

namespace {

Result<> MatchKeys(ThreadState& ts, Value subject, TupleObject* keys) {
  uint32_t n = keys->size();
  if (n == 0) return NewTuple(ts, {});
  MVM_TRY(Ref<SetObject> seen, NewSet(ts));
  MVM_TRY(Ref<ListObject> values, NewListReserve(ts, n));
  MVM_TRY(Ref<> get, GetAttr(ts, subject, MVM_NAME(ts, get)));
  for (uint32_t i = 0; i < n; ++i) {
    Value key = keys->items()[i];
    MVM_TRY(bool added, SetAdd(ts, seen, key));
    if (!added)
      return Raise(ts, Exc::kValueError, "mapping pattern checks duplicate key (%R)", key);
    if (IsExactDict(subject)) {
      MVM_TRY(Ref<> item, DictGet(ts, subject.as<DictObject>(), key));
      if (item.is_absent()) return None(ts);
      MVM_TRY_VOID(ListAppend(ts, values, item));
    } else {
      // get() with a default of our own, so that missing keys are not created (defaultdict).
      Value marker = ts.rt->unbound;
      MVM_TRY(Ref<> item, Call(ts, get, key, marker));
      if (item.is(marker)) return None(ts);
      MVM_TRY_VOID(ListAppend(ts, values, item));
    }
  }
  return NewTuple(ts, {values->items, static_cast<size_t>(values->size)});
}

// The attribute for a class pattern; Absent() if the subject has none.
Result<> PatternAttr(ThreadState& ts, Value subject, TypeObject* type, Value name,
                     SetObject* seen) {
  MVM_TRY(bool added, SetAdd(ts, seen, name));
  if (!added) {
    return Raise(ts, Exc::kTypeError, "%N() got multiple sub-patterns for attribute %R", type,
                 name);
  }
  return GetAttrOptional(ts, subject, name.as<StrObject>());
}

Result<> MatchClass(ThreadState& ts, Value subject, Value cls, TupleObject* spec) {
  if (!IsType(ts, cls)) return Raise(ts, Exc::kTypeError, "called match pattern must be a class");
  TypeObject* type = cls.as<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(bool instance, IsInstanceOf(ts, subject, cls));
  if (!instance) return None(ts);
  int64_t positional = spec->items()[0].as_int();
  TupleObject* names = spec->items()[1].as<TupleObject>();
  MVM_TRY(Ref<ListObject> values, NewListReserve(ts, positional + names->size()));
  MVM_TRY(Ref<SetObject> seen, NewSet(ts));
  if (positional > 0) {
    MVM_TRY(Ref<> match_args, GetAttrOptional(ts, cls, MVM_NAME(ts, __match_args__)));
    bool self = false;
    int64_t allowed = 0;
    if (match_args.is_absent()) {
      self = type->has_flag(kTypeMatchSelf);
      allowed = self ? 1 : 0;
    } else if (!IsExact(match_args, TypeId::kTuple)) {
      return Raise(ts, Exc::kTypeError, "%N.__match_args__ must be a tuple (got %T)", type,
                   match_args.get());
    } else {
      allowed = match_args.as<TupleObject>()->size();
    }
    if (allowed < positional) {
      return Raise(ts, Exc::kTypeError, "%N() accepts %lld positional sub-pattern%s (%lld given)",
                   type, static_cast<long long>(allowed), allowed == 1 ? "" : "s",
                   static_cast<long long>(positional));
    }
    if (self) {
      MVM_TRY_VOID(ListAppend(ts, values, subject));
    } else {
      for (int64_t i = 0; i < positional; ++i) {
        Value name = match_args.as<TupleObject>()->items()[i];
        if (!IsStr(ts, name)) {
          return Raise(ts, Exc::kTypeError, "__match_args__ elements must be strings (got %T)",
                       name);
        }
        MVM_TRY(Ref<> v, PatternAttr(ts, subject, type, name, seen));
        if (v.is_absent()) return None(ts);
        MVM_TRY_VOID(ListAppend(ts, values, v));
      }
    }
  }
  for (Value name : names->span()) {
    MVM_TRY(Ref<> v, PatternAttr(ts, subject, type, name, seen));
    if (v.is_absent()) return None(ts);
    MVM_TRY_VOID(ListAppend(ts, values, v));
  }
  return NewTuple(ts, {values->items, static_cast<size_t>(values->size)});
}

}  // namespace

bool SlowMatch(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value subject = R[pc->b], v;
  switch (static_cast<Op>(pc->op)) {
    case Op::MATCHSEQ: v = Bool(*ts, TypeOf(*ts, subject)->has_flag(kTypeSequence)).word(); break;
    case Op::MATCHMAP: v = Bool(*ts, TypeOf(*ts, subject)->has_flag(kTypeMapping)).word(); break;
    case Op::GETLEN: {
      Result<int64_t> n = Length(*ts, subject);
      if (!n.raised()) v = Value::Int(n.Take());
      break;
    }
    case Op::MATCHKEYS: {
      Value keys = R[pc->c];
      v = MatchKeys(*ts, subject, keys.as<TupleObject>()).word();
      Decref(keys);
      break;
    }
    default: {  // MATCHCLASS
      Value cls = R[pc->c];
      v = MatchClass(*ts, subject, cls, reinterpret_cast<Value*>(pc)[pc->x].as<TupleObject>())
              .word();
      Decref(cls);
    }
  }
  if (v.is_null()) return false;
  R[pc->a] = v;
  return true;
}

}  // namespace minivm
