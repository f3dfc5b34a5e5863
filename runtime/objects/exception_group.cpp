// BaseExceptionGroup and ExceptionGroup: several exceptions at once, and taking them apart.
//
// split() walks the tree of groups and rebuilds, with derive(), the part that matches and the part
// that does not. except* uses the same walk (SplitException), and PrepareReraiseStar to put what
// its clauses left together again.
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_types.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

bool IsGroup(ThreadState& ts, Value v) {
  return v.is_object() && IsInstance(ts, v, ExcType(ts, Exc::kBaseExceptionGroup));
}

// A sequence by its slots: has items by index, and is no dict.
bool IsSequence(ThreadState& ts, Value v) {
  if (IsList(ts, v) || IsTuple(ts, v)) return true;
  return TypeOf(ts, v)->slots.get_item && !IsDict(ts, v) && !IsType(ts, v);
}

// Checks the members; *nested_base: one is not an Exception.
Status CheckMembers(ThreadState& ts, TupleObject* members, bool* nested_base) {
  if (members->size() == 0) {
    return Raise(ts, Exc::kValueError, "second argument (exceptions) must be a non-empty sequence");
  }
  *nested_base = false;
  for (uint32_t i = 0; i < members->size(); ++i) {
    Value v = (*members)[i];
    if (!IsException(ts, v)) {
      return Raise(ts, Exc::kValueError,
                   "Item %u of second argument (exceptions) is not an exception", i);
    }
    if (!IsInstance(ts, v, ExcType(ts, Exc::kException))) *nested_base = true;
  }
  return Ok();
}

}  // namespace

Result<> exception_group_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n != 2) {
    return Raise(ts, Exc::kTypeError,
                 "BaseExceptionGroup.__new__() takes exactly 2 arguments (%u given)", raw.n);
  }
  Value message = raw.v[0];
  if (!IsStr(ts, message)) {
    return Raise(ts, Exc::kTypeError, "BaseExceptionGroup.__new__() argument 1 must be str, not %T",
                 message);
  }
  if (!IsSequence(ts, raw.v[1])) {
    return Raise(ts, Exc::kTypeError, "second argument (exceptions) must be a sequence");
  }
  MVM_TRY(Ref<TupleObject> members, TupleFrom(ts, raw.v[1]));
  bool nested_base;
  MVM_TRY_VOID(CheckMembers(ts, members, &nested_base));
  if (cls == ExcType(ts, Exc::kBaseExceptionGroup)) {
    if (!nested_base) cls = ExcType(ts, Exc::kExceptionGroup);
  } else if (nested_base && cls == ExcType(ts, Exc::kExceptionGroup)) {
    return Raise(ts, Exc::kTypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
  } else if (nested_base && IsSubtype(cls, ExcType(ts, Exc::kException))) {
    return Raise(ts, Exc::kTypeError, "Cannot nest BaseExceptions in '%N'", cls);
  }
  MVM_TRY(Ref<TupleObject> args, RawTuple(ts, raw));
  MVM_TRY(Ref<ExceptionObject> made, AllocException(ts, cls, args));
  ExceptionGroupObject* group = static_cast<ExceptionGroupObject*>(made.get());
  SetField(&group->message, message);
  SetField(&group->exceptions, members);
  return made;
}

Status exception_group_init(ThreadState& ts, Value self, Args raw) {
  return exception_init(ts, self, raw);
}

Result<> exception_group_str(ThreadState& ts, Value self) {
  ExceptionGroupObject* group = self.as<ExceptionGroupObject>();
  if (group->exceptions.is_null()) return exception_str(ts, self);
  Ref<> message = Ref<>::Borrow(group->message);
  size_t n = group->exceptions.as<TupleObject>()->size();
  return Format(ts, "%S (%zu sub-exception%s)", message.get(), n, n == 1 ? "" : "s");
}

// ---- splitting ----

namespace {

// What members of a group are chosen by.
class Condition {
 public:
  Status Prepare(ThreadState& ts, Value condition) {
    value_ = condition;
    if (IsExceptionClass(ts, condition)) return Ok();
    if (IsTuple(ts, condition)) {
      TupleObject* classes = condition.as<TupleObject>();
      bool all = true;
      for (Value v : classes->span()) all = all && IsExceptionClass(ts, v);
      if (all) return Ok();
    } else if (!IsType(ts, condition) && IsCallable(ts, condition)) {
      predicate_ = true;
      return Ok();
    }
    return Raise(
        ts, Exc::kTypeError,
        "expected an exception type, a tuple of exception types, or a callable (other than a "
        "class)");
  }

  Result<bool> Matches(ThreadState& ts, Value exception) const {
    if (predicate_) {
      MVM_TRY(Ref<> answer, Call(ts, value_, exception));
      return Truth(ts, answer);
    }
    if (!IsTuple(ts, value_)) return IsInstance(ts, exception, value_.as<TypeObject>());
    for (Value v : value_.as<TupleObject>()->span()) {
      if (IsInstance(ts, exception, v.as<TypeObject>())) return true;
    }
    return false;
  }

 private:
  static bool IsExceptionClass(ThreadState& ts, Value v) {
    return IsType(ts, v) && IsSubtype(v.as<TypeObject>(), ExcType(ts, Exc::kBaseException));
  }
  Value value_;  // borrowed
  bool predicate_ = false;
};

// A group like `original` with these members (made by its derive()), or None if there are none.
Result<> Subset(ThreadState& ts, ExceptionGroupObject* original, ListObject* members) {
  if (members->size == 0) return None(ts);
  MVM_TRY(Ref<StrObject> derive, InternUtf8(ts, "derive"));
  MVM_TRY(Ref<> made, CallMethod(ts, original, derive, Value(members)));
  if (!IsGroup(ts, made)) {
    return Raise(ts, Exc::kTypeError, "derive must return an instance of BaseExceptionGroup");
  }
  ExceptionObject* group = made.as<ExceptionObject>();
  SetField(&group->traceback, original->traceback);
  SetField(&group->context, original->context);
  SetField(&group->cause, original->cause);
  if (!original->cause.is_null()) group->suppress_context = true;
  MVM_TRY(Ref<> notes, GetAttrOptional(ts, original, MVM_NAME(ts, __notes__)));
  if (!notes.is_absent() && IsSequence(ts, notes)) {
    MVM_TRY(Ref<ListObject> copy, ListFrom(ts, notes));
    MVM_TRY_VOID(SetAttr(ts, made, MVM_NAME(ts, __notes__), copy));
  }
  return made;
}

Status Split(ThreadState& ts, Value exception, const Condition& condition, bool want_rest,
             Ref<>* match, Ref<>* rest) {
  *match = Ref<>::Borrow(ts.rt->none);
  *rest = Ref<>::Borrow(ts.rt->none);
  MVM_TRY(bool matches, condition.Matches(ts, exception));
  if (matches) {
    *match = Ref<>::Borrow(exception);
    return Ok();
  }
  if (!IsGroup(ts, exception)) {
    if (want_rest) *rest = Ref<>::Borrow(exception);
    return Ok();
  }
  RecursionGuard guard(ts, " in exceptiongroup_split_recursive");
  if (!guard) return kRaised;
  ExceptionGroupObject* group = exception.as<ExceptionGroupObject>();
  Ref<TupleObject> members = Ref<TupleObject>::Borrow(group->exceptions.as<TupleObject>());
  MVM_TRY(Ref<ListObject> matched, NewListReserve(ts, 0));
  MVM_TRY(Ref<ListObject> others, NewListReserve(ts, 0));
  for (uint32_t i = 0; i < members->size(); ++i) {
    Ref<> part, left;
    MVM_TRY_VOID(Split(ts, (*members)[i], condition, want_rest, &part, &left));
    if (!IsNone(ts, part)) MVM_TRY_VOID(ListAppend(ts, matched, part));
    if (!IsNone(ts, left)) MVM_TRY_VOID(ListAppend(ts, others, left));
  }
  MVM_TRY(*match, Subset(ts, group, matched));
  if (want_rest) {
    MVM_TRY(*rest, Subset(ts, group, others));
  }
  return Ok();
}

// BaseExceptionGroup.derive(excs): a group with the same message; subclasses override it.
Result<> exception_group_derive(ThreadState& ts, Args args) {
  return Call(ts, ExcType(ts, Exc::kBaseExceptionGroup), args.self<ExceptionGroupObject>()->message,
              args[1]);
}

Result<> exception_group_split(ThreadState& ts, Args args) {
  Condition condition;
  MVM_TRY_VOID(condition.Prepare(ts, args[1]));
  Ref<> match, rest;
  MVM_TRY_VOID(Split(ts, args[0], condition, true, &match, &rest));
  Value parts[] = {match, rest};
  return NewTuple(ts, parts);
}

Result<> exception_group_subgroup(ThreadState& ts, Args args) {
  Condition condition;
  MVM_TRY_VOID(condition.Prepare(ts, args[1]));
  Ref<> match, rest;
  MVM_TRY_VOID(Split(ts, args[0], condition, false, &match, &rest));
  return match;
}

Result<> exception_group_class_getitem(ThreadState& ts, Args args) {
  return NewGenericAlias(ts, args[0], args[1]);
}

}  // namespace

const MethodSpec kExceptionGroupMethods[4] = {
    {"__class_getitem__(cls, object, /)", exception_group_class_getitem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"derive(self, object, /)", exception_group_derive},
    {"split(self, object, /)", exception_group_split},
    {"subgroup(self, object, /)", exception_group_subgroup},
};
const GetSetSpec kExceptionGroupGetSets[2] = {
    {"exceptions", GetMember<ExceptionGroupObject, &ExceptionGroupObject::exceptions>,
     SetReadOnlyMember, "The exceptions of the group, a tuple."},
    {"message", GetMember<ExceptionGroupObject, &ExceptionGroupObject::message>, SetReadOnlyMember,
     "What they have in common."},
};

Status SplitException(ThreadState& ts, Value exception, Value condition, Ref<>* match,
                      Ref<>* rest) {
  Condition prepared;
  MVM_TRY_VOID(prepared.Prepare(ts, condition));
  return Split(ts, exception, prepared, true, match, rest);
}

// ---- except* ----

namespace {

// An exception that was raised again, not anew, still has the metadata of the original.
bool SameMetadata(Value a, Value b) {
  ExceptionObject* x = a.as<ExceptionObject>();
  ExceptionObject* y = b.as<ExceptionObject>();
  return x->dict == y->dict && x->traceback.is(y->traceback) && x->cause.is(y->cause) &&
         x->context.is(y->context);
}

// Adds the addresses of the exceptions at the leaves of a group.
Status CollectLeaves(ThreadState& ts, Value exception, ListObject* leaves) {
  if (!IsGroup(ts, exception)) return ListAppend(ts, leaves, exception);
  RecursionGuard guard(ts, " in collect_exception_group_leaf_ids");
  if (!guard) return kRaised;
  Ref<TupleObject> members =
      Ref<TupleObject>::Borrow(exception.as<ExceptionGroupObject>()->exceptions.as<TupleObject>());
  for (Value v : members->span()) MVM_TRY_VOID(CollectLeaves(ts, v, leaves));
  return Ok();
}

// The part of `exception` whose leaves are in the list, or None.
Result<> Project(ThreadState& ts, Value exception, ListObject* leaves) {
  if (!IsGroup(ts, exception)) {
    for (uint64_t i = 0; i < leaves->size; ++i) {
      if (leaves->items[i].is(exception)) return Result<>::Borrow(exception);
    }
    return None(ts);
  }
  RecursionGuard guard(ts, " in exceptiongroup_split_recursive");
  if (!guard) return kRaised;
  ExceptionGroupObject* group = exception.as<ExceptionGroupObject>();
  Ref<TupleObject> members = Ref<TupleObject>::Borrow(group->exceptions.as<TupleObject>());
  MVM_TRY(Ref<ListObject> kept, NewListReserve(ts, 0));
  bool all = true;
  for (Value v : members->span()) {
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(leaves->size)));
    MVM_TRY(Ref<> part, Project(ts, v, leaves));
    all = all && part.is(v);
    if (!IsNone(ts, part)) MVM_TRY_VOID(ListAppend(ts, kept, part));
  }
  if (all) return Result<>::Borrow(exception);
  return Subset(ts, group, kept);
}

}  // namespace

Result<> PrepareReraiseStar(ThreadState& ts, Value original, ListObject* exceptions) {
  if (exceptions->size == 0) return None(ts);
  if (!IsGroup(ts, original)) {
    // A naked exception was wrapped for the handlers; only one clause can have run.
    return Result<>::Borrow(exceptions->items[0]);
  }
  MVM_TRY(Ref<ListObject> raised, NewListReserve(ts, 0));
  MVM_TRY(Ref<ListObject> leaves, NewListReserve(ts, 0));
  bool any_again = false;
  for (uint64_t i = 0; i < exceptions->size; ++i) {
    Value e = exceptions->items[i];
    if (IsNone(ts, e)) continue;
    if (SameMetadata(original, e)) {
      any_again = true;
      MVM_TRY_VOID(CollectLeaves(ts, e, leaves));
    } else {
      MVM_TRY_VOID(ListAppend(ts, raised, e));
    }
  }
  Ref<> again = Ref<>::Borrow(ts.rt->none);
  if (any_again) {
    MVM_TRY(again, Project(ts, original, leaves));
  }
  if (raised->size == 0) return again;
  if (!IsNone(ts, again)) MVM_TRY_VOID(ListAppend(ts, raised, again));
  if (raised->size == 1) return Result<>::Borrow(raised->items[0]);
  return Call(ts, ExcType(ts, Exc::kBaseExceptionGroup), ts.rt->empty_str, raised);
}

}  // namespace minivm
