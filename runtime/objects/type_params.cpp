// See type_params.h.
#include "runtime/objects/type_params.h"

#include "runtime/objects/generic_alias.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

int64_t IndexIn(const TupleObject* t, Value v) {
  for (uint32_t i = 0; i < t->size(); ++i) {
    if ((*t)[i].is(v)) return i;
  }
  return -1;
}

Status AddUnique(ThreadState& ts, ListObject* list, Value v) {
  for (uint64_t i = 0; i < list->size; ++i) {
    if (list->items[i].is(v)) return Ok();
  }
  return ListAppend(ts, list, v);
}

Status Extend(ThreadState& ts, ListObject* list, TupleObject* items) {
  for (Value v : items->span()) MVM_TRY_VOID(ListAppend(ts, list, v));
  return Ok();
}

Result<TupleObject> TupleOf(ThreadState& ts, ListObject* list) {
  return NewTuple(ts, {list->items, static_cast<size_t>(list->size)});
}

// The subscript as a tuple, *tuple[...] items of known length unpacked.
Result<TupleObject> UnpackItems(ThreadState& ts, Value item) {
  Ref<TupleObject> items;
  if (IsTuple(ts, item)) {
    items = Ref<TupleObject>::Borrow(item.as<TupleObject>());
  } else {
    MVM_TRY(items, NewTuple(ts, {&item, 1}));
  }
  MVM_TRY(Ref<ListObject> out, NewListReserve(ts, items->size()));
  for (Value v : items->span()) {
    if (!IsType(ts, v)) {
      MVM_TRY(Ref<> inner, GetAttrOptional(ts, v, "__typing_unpacked_tuple_args__"));
      if (!inner.is_absent() && IsTuple(ts, inner)) {
        TupleObject* t = inner.as<TupleObject>();
        bool open = t->size() > 0 && (*t)[t->size() - 1].is(ts.rt->ellipsis);
        if (!open) {
          MVM_TRY_VOID(Extend(ts, out, t));
          continue;
        }
      }
    }
    MVM_TRY_VOID(ListAppend(ts, out, v));
  }
  return TupleOf(ts, out);
}

// arg[...] with the values for arg's own parameters.
Result<> SubstituteInside(ThreadState& ts, Value arg, TupleObject* parameters, TupleObject* items) {
  MVM_TRY(Ref<> inner, GetAttrOptional(ts, arg, "__parameters__"));
  if (inner.is_absent() || !IsTuple(ts, inner) || inner.as<TupleObject>()->size() == 0) {
    return Result<>::Borrow(arg);
  }
  MVM_TRY(Ref<ListObject> values, NewListReserve(ts, inner.as<TupleObject>()->size()));
  for (Value p : inner.as<TupleObject>()->span()) {
    int64_t i = IndexIn(parameters, p);
    Value v = i >= 0 ? (*items)[static_cast<size_t>(i)] : p;
    // The values of a variadic parameter stand as a tuple in its place.
    bool variadic = false;
    if (i >= 0 && IsTuple(ts, v)) {
      MVM_TRY(Ref<> iter, LookupSpecial(ts, p, MVM_NAME(ts, __iter__)));
      variadic = !iter.is_absent();
    }
    if (variadic) {
      MVM_TRY_VOID(Extend(ts, values, v.as<TupleObject>()));
    } else {
      MVM_TRY_VOID(ListAppend(ts, values, v));
    }
  }
  MVM_TRY(Ref<TupleObject> subscript, TupleOf(ts, values));
  return GetItem(ts, arg, subscript);
}

}  // namespace

Result<TupleObject> CollectParameters(ThreadState& ts, TupleObject* args) {
  MVM_TRY(Ref<ListObject> out, NewListReserve(ts, 0));
  for (Value v : args->span()) {
    if (IsType(ts, v)) continue;
    MVM_TRY(Ref<> subst, GetAttrOptional(ts, v, "__typing_subst__"));
    if (!subst.is_absent()) {
      MVM_TRY_VOID(AddUnique(ts, out, v));
      continue;
    }
    MVM_TRY(Ref<> inner, GetAttrOptional(ts, v, "__parameters__"));
    if (inner.is_absent() || !IsTuple(ts, inner)) continue;
    for (Value p : inner.as<TupleObject>()->span()) MVM_TRY_VOID(AddUnique(ts, out, p));
  }
  return TupleOf(ts, out);
}

Result<TupleObject> SubstituteParameters(ThreadState& ts, Value self, TupleObject* args,
                                         TupleObject* parameters, Value item) {
  if (parameters->size() == 0) {
    return Raise(ts, Exc::kTypeError, "%R is not a generic class", self);
  }
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  MVM_TRY(Ref<> items, UnpackItems(ts, item));
  for (Value p : parameters->span()) {
    MVM_TRY(Ref<> prepare, GetAttrOptional(ts, p, "__typing_prepare_subst__"));
    if (prepare.is_absent() || IsNone(ts, prepare)) continue;
    if (!IsTuple(ts, items)) {
      Value one = items;
      MVM_TRY(items, NewTuple(ts, {&one, 1}));
    }
    MVM_TRY(items, Call(ts, prepare, self, items));
  }
  if (!IsTuple(ts, items)) {
    Value one = items;
    MVM_TRY(items, NewTuple(ts, {&one, 1}));
  }
  TupleObject* values = items.as<TupleObject>();
  if (values->size() != parameters->size()) {
    return Raise(ts, Exc::kTypeError, "Too %s arguments for %R; actual %u, expected %u",
                 values->size() > parameters->size() ? "many" : "few", self, values->size(),
                 parameters->size());
  }
  MVM_TRY(Ref<ListObject> out, NewListReserve(ts, args->size()));
  for (Value arg : args->span()) {
    if (IsType(ts, arg)) {
      MVM_TRY_VOID(ListAppend(ts, out, arg));
      continue;
    }
    MVM_TRY(Ref<> flag, GetAttrOptional(ts, arg, "__typing_is_unpacked_typevartuple__"));
    bool unpack = false;
    if (!flag.is_absent()) {
      MVM_TRY(unpack, Truth(ts, flag));
    }
    MVM_TRY(Ref<> subst, GetAttrOptional(ts, arg, "__typing_subst__"));
    Ref<> value;
    int64_t i = subst.is_absent() ? -1 : IndexIn(parameters, arg);
    if (i >= 0) {
      MVM_TRY(value, Call(ts, subst, (*values)[static_cast<size_t>(i)]));
    } else {
      MVM_TRY(value, SubstituteInside(ts, arg, parameters, values));
    }
    if (unpack && IsTuple(ts, value)) {
      MVM_TRY_VOID(Extend(ts, out, value.as<TupleObject>()));
    } else {
      MVM_TRY_VOID(ListAppend(ts, out, value));
    }
  }
  return TupleOf(ts, out);
}

Status AppendTypeRepr(ThreadState& ts, StrBuilder& b, Value v) {
  if (v.is(ts.rt->ellipsis)) return b.AppendAscii("...");
  MVM_TRY(Ref<> origin, GetAttrOptional(ts, v, "__origin__"));
  bool plain = origin.is_absent();
  if (!plain) {
    MVM_TRY(Ref<> args, GetAttrOptional(ts, v, "__args__"));
    plain = args.is_absent();
  }
  if (plain) {
    MVM_TRY(Ref<> qualname, GetAttrOptional(ts, v, MVM_NAME(ts, __qualname__)));
    Ref<> module = Ref<>::Steal(Value::Absent());
    if (!qualname.is_absent()) {
      MVM_TRY(module, GetAttrOptional(ts, v, MVM_NAME(ts, __module__)));
    }
    if (!module.is_absent() && !IsNone(ts, module)) {
      if (!IsStr(ts, module) || !module.as<StrObject>()->EqualsAscii("builtins")) {
        MVM_TRY(Ref<StrObject> text, ToStr(ts, module));
        MVM_TRY_VOID(b.Append(text));
        MVM_TRY_VOID(b.Append('.'));
      }
      MVM_TRY(Ref<StrObject> text, ToStr(ts, qualname));
      return b.Append(text);
    }
  }
  MVM_TRY(Ref<StrObject> text, Repr(ts, v));
  return b.Append(text);
}

}  // namespace minivm
