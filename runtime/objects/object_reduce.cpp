// How an object describes itself to pickle and copy: (callable, arguments, state, items, pairs).
//
// From protocol 2 on the callable is copyreg.__newobj__ (or __newobj_ex__), which makes the object
// without calling __init__; the state is its __dict__, or a pair of that and its __slots__ values.
// Protocols 0 and 1 are left to copyreg._reduce_ex.
#include "runtime/objects/object_reduce.h"

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

Result<> Copyreg(ThreadState& ts, std::string_view name) {
  if (!ts.rt->hooks.import_module) {
    return Raise(ts, Exc::kImportError, "No module named 'copyreg'");
  }
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "copyreg"));
  return GetAttr(ts, module, name);
}

// Names of all __slots__ of the class, as copyreg finds (and remembers) them; a list or None.
Result<> SlotNames(ThreadState& ts, TypeObject* type) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, "__slotnames__"));
  if (type->dict) {
    Value known = DictGetStr(ts, type->dict, key);
    if (!known.is_null()) {
      if (!IsNone(ts, known) && !IsList(ts, known)) {
        return Raise(ts, Exc::kTypeError, "%N.__slotnames__ should be a list or None, not %T", type,
                     known);
      }
      return Result<>::Borrow(known);
    }
  }
  MVM_TRY(Ref<> fn, Copyreg(ts, "_slotnames"));
  MVM_TRY(Ref<> names, Call(ts, fn, type));
  if (!IsNone(ts, names) && !IsList(ts, names)) {
    return Raise(ts, Exc::kTypeError, "copyreg._slotnames didn't return a list or None");
  }
  return names;
}

TypeObject* BuiltinBase(TypeObject* type) {
  while (type->is_heap() && type->base) type = type->base;
  return type;
}

Raised RaiseCannotPickle(ThreadState& ts, Value self) {
  // CPython's objects of variable size say it in another way.
  const bool variable = IsExact(self, TypeId::kMemoryview) || IsExact(self, TypeId::kCode);
  return Raise(ts, Exc::kTypeError,
               variable ? "cannot pickle %T objects" : "cannot pickle '%T' object", self);
}

// `required`: nothing but the state describes the object, so hidden fields would be lost.
Result<> DefaultState(ThreadState& ts, Value self, bool required) {
  TypeObject* type = TypeOf(ts, self);
  TypeObject* native = BuiltinBase(type);
  bool hidden = native->basic_size > sizeof(Object) || native->item_size;
  if (required && hidden) {
    return RaiseCannotPickle(ts, self);
  }
  Ref<> state = Ref<>::Borrow(ts.rt->none);
  MVM_TRY(Ref<> dict, GetAttrOptional(ts, self, MVM_NAME(ts, __dict__)));
  if (!dict.is_absent()) {
    bool empty = IsDict(ts, dict) && DictSize(dict.as<DictObject>()) == 0;
    if (!empty) state = std::move(dict);
  }
  if (!type->is_heap()) return state;
  MVM_TRY(Ref<> names, SlotNames(ts, type));
  if (!IsList(ts, names) || names.as<ListObject>()->size == 0) return state;
  MVM_TRY(Ref<TupleObject> list, TupleFrom(ts, names));
  MVM_TRY(Ref<DictObject> slots, NewDict(ts));
  for (Value name : list->span()) {
    if (!IsStr(ts, name)) continue;
    MVM_TRY(Ref<> v, GetAttrOptional(ts, self, name.as<StrObject>()));
    if (!v.is_absent()) MVM_TRY_VOID(DictSet(ts, slots, name, v));
  }
  if (DictSize(slots) == 0) return state;
  const Value pair[] = {state, slots};
  return NewTuple(ts, pair);
}

// The object's own method of object's type, found unchanged in its class?
bool IsObjectsOwn(ThreadState& ts, TypeObject* type, StrObject* name) {
  Value found = TypeLookup(ts, type, name);
  return IsExact(found, TypeId::kMethodDescriptor) &&
         found.as<MethodDescriptorObject>()->owner == TypeById(ts, TypeId::kObject);
}

Result<> StateOf(ThreadState& ts, Value self, bool required) {
  MVM_TRY(Ref<> method, GetAttr(ts, self, MVM_NAME(ts, __getstate__)));
  bool default_method = IsObjectsOwn(ts, TypeOf(ts, self), MVM_NAME(ts, __getstate__)) &&
                        IsExact(method, TypeId::kNativeFunction);
  if (default_method) return DefaultState(ts, self, required);
  return Call(ts, method);
}

// __getnewargs_ex__ or __getnewargs__; both null if the class has neither.
Status NewArguments(ThreadState& ts, Value self, Ref<>* args, Ref<>* kwargs) {
  MVM_TRY(Ref<> r, CallSpecial(ts, self, MVM_NAME(ts, __getnewargs_ex__)));
  if (!r.is_absent()) {
    if (!IsTuple(ts, r)) {
      return Raise(ts, Exc::kTypeError, "__getnewargs_ex__ should return a tuple, not '%T'",
                   r.get());
    }
    TupleObject* pair = r.as<TupleObject>();
    if (pair->size() != 2) {
      return Raise(ts, Exc::kValueError,
                   "__getnewargs_ex__ should return a tuple of length 2, not %u", pair->size());
    }
    if (!IsTuple(ts, (*pair)[0])) {
      return Raise(
          ts, Exc::kTypeError,
          "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%T'",
          (*pair)[0]);
    }
    if (!IsDict(ts, (*pair)[1])) {
      return Raise(
          ts, Exc::kTypeError,
          "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%T'",
          (*pair)[1]);
    }
    *args = Ref<>::Borrow((*pair)[0]);
    *kwargs = Ref<>::Borrow((*pair)[1]);
    return Ok();
  }
  MVM_TRY(r, CallSpecial(ts, self, MVM_NAME(ts, __getnewargs__)));
  if (r.is_absent()) return Ok();
  if (!IsTuple(ts, r)) {
    return Raise(ts, Exc::kTypeError, "__getnewargs__ should return a tuple, not '%T'", r.get());
  }
  *args = std::move(r);
  return Ok();
}

Result<> ReduceNewObject(ThreadState& ts, Value self) {
  TypeObject* type = TypeOf(ts, self);
  if (!type->slots.new_) return RaiseCannotPickle(ts, self);
  Ref<> args, kwargs;
  MVM_TRY_VOID(NewArguments(ts, self, &args, &kwargs));
  bool has_args = static_cast<bool>(args);
  if (!has_args) args = Ref<>::Borrow(ts.rt->empty_tuple);
  Ref<> maker, maker_args;
  if (!kwargs || DictSize(kwargs.as<DictObject>()) == 0) {
    MVM_TRY(maker, Copyreg(ts, "__newobj__"));
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, args.as<TupleObject>()->size() + 1));
    MVM_TRY_VOID(ListAppend(ts, list, type));
    for (Value v : args.as<TupleObject>()->span()) MVM_TRY_VOID(ListAppend(ts, list, v));
    MVM_TRY(maker_args, NewTuple(ts, {list->items, static_cast<size_t>(list->size)}));
  } else {
    MVM_TRY(maker, Copyreg(ts, "__newobj_ex__"));
    const Value three[] = {type, args, kwargs};
    MVM_TRY(maker_args, NewTuple(ts, three));
  }
  bool items_known = IsList(ts, self) || IsDict(ts, self);
  MVM_TRY(Ref<> state, StateOf(ts, self, !has_args && !items_known));
  Ref<> items = Ref<>::Borrow(ts.rt->none), pairs = Ref<>::Borrow(ts.rt->none);
  if (IsList(ts, self)) {
    MVM_TRY(items, GetIter(ts, self));
  }
  if (IsDict(ts, self)) {
    MVM_TRY(Ref<> view, CallMethod(ts, self, MVM_NAME(ts, items)));
    MVM_TRY(pairs, GetIter(ts, view));
  }
  const Value five[] = {maker, maker_args, state, items, pairs};
  return NewTuple(ts, five);
}

Result<> CommonReduce(ThreadState& ts, Value self, int64_t protocol) {
  if (protocol >= 2) return ReduceNewObject(ts, self);
  MVM_TRY(Ref<> fn, Copyreg(ts, "_reduce_ex"));
  return Call(ts, fn, self, Value::Int(protocol < -1 ? -1 : protocol));
}

}  // namespace

Result<> object_getstate(ThreadState& ts, Args args) { return DefaultState(ts, args[0], false); }

Result<> object_reduce(ThreadState& ts, Args args) { return CommonReduce(ts, args[0], 0); }

Result<> object_reduce_ex(ThreadState& ts, Args args) {
  MVM_TRY(int64_t protocol, AsInt64(ts, args[1]));
  // A __reduce__ of the class goes first.
  if (!IsObjectsOwn(ts, TypeOf(ts, args[0]), MVM_NAME(ts, __reduce__))) {
    MVM_TRY(Ref<> reduce, GetAttrOptional(ts, args[0], MVM_NAME(ts, __reduce__)));
    if (!reduce.is_absent()) return Call(ts, reduce);
  }
  return CommonReduce(ts, args[0], protocol);
}

}  // namespace minivm
