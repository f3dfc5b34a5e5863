// types.UnionType: int | str. The members are flattened and distinct.
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/type_params.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

UnionTypeObject* Self(Value v) { return v.as<UnionTypeObject>(); }

bool IsUnion(Value v) { return IsExact(v, TypeId::kUnionType); }

bool IsMember(ThreadState& ts, Value v) {
  // Classes whose metaclass has an `|` of its own take part as long as it is the other operand's
  // that is asked; type aliases say so by using this very slot.
  return IsNone(ts, v) || IsType(ts, v) || TypeOf(ts, v)->operators->or_ == UnionOr;
}

Status AddMember(ThreadState& ts, ListObject* members, Value v) {
  if (IsNone(ts, v)) v = TypeById(ts, TypeId::kNoneType);
  for (uint64_t i = 0; i < members->size; ++i) {
    Value known = members->items[i];
    bool same = known.is(v);
    // Aliases are equal by value; classes only by identity.
    if (!same && !IsType(ts, known) && !IsType(ts, v)) {
      MVM_TRY(same, EqualValues(ts, known, v));
    }
    if (same) return Ok();
  }
  return ListAppend(ts, members, v);
}

Status AddMembers(ThreadState& ts, ListObject* members, Value v) {
  if (!IsUnion(v)) return AddMember(ts, members, v);
  for (Value member : Self(v)->args->span()) MVM_TRY_VOID(AddMember(ts, members, member));
  return Ok();
}

Result<> MakeUnion(ThreadState& ts, ListObject* members) {
  if (members->size == 1) return Result<>::Borrow(members->items[0]);
  MVM_TRY(Ref<TupleObject> args,
          NewTuple(ts, {members->items, static_cast<size_t>(members->size)}));
  MVM_TRY(Ref<UnionTypeObject> u, New<UnionTypeObject>(ts, TypeId::kUnionType));
  u->args = args.Release();
  Track(u);
  return u;
}

Result<> union_repr(ThreadState& ts, Value self) {
  StrBuilder b(ts);
  bool first = true;
  for (Value v : Self(self)->args->span()) {
    if (!std::exchange(first, false)) MVM_TRY_VOID(b.AppendAscii(" | "));
    if (v.is(TypeById(ts, TypeId::kNoneType))) {
      MVM_TRY_VOID(b.AppendAscii("None"));
    } else {
      MVM_TRY_VOID(AppendTypeRepr(ts, b, v));
    }
  }
  return b.Finish();
}

Result<int64_t> union_hash(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> set, NewFrozenset(ts, Self(self)->args));
  return Hash(ts, set);
}

Result<> union_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsUnion(a) || !IsUnion(b)) {
    return NotImplemented(ts);
  }
  MVM_TRY(Ref<> x, NewFrozenset(ts, Self(a)->args));
  MVM_TRY(Ref<> y, NewFrozenset(ts, Self(b)->args));
  return Compare(ts, x, y, op);
}

Result<> union_getattro(ThreadState& ts, Value self, StrObject* name) {
  // Of the class, which built-in types otherwise do not show in their instances.
  if (name == MVM_NAME(ts, __module__)) return GetAttr(ts, TypeOf(ts, self), name);
  return GenericGetAttr(ts, self, name);
}

Result<TupleObject*> Parameters(ThreadState& ts, UnionTypeObject* u) {
  if (!u->parameters) {
    MVM_TRY(Ref<TupleObject> p, CollectParameters(ts, u->args));
    u->parameters = p.Release();
  }
  return u->parameters;
}

Result<> union_get_item(ThreadState& ts, Value self, Value item) {
  MVM_TRY(TupleObject * parameters, Parameters(ts, Self(self)));
  MVM_TRY(Ref<TupleObject> args,
          SubstituteParameters(ts, self, Self(self)->args, parameters, item));
  Ref<> result = Ref<>::Borrow((*args)[0]);
  for (uint32_t i = 1; i < args->size(); ++i) {
    MVM_TRY(result, Binary(ts, BinaryOp::kOr, result, (*args)[i]));
  }
  return result;
}

Result<> union_instancecheck(ThreadState& ts, Args args) {
  UnionTypeObject* u = args.self<UnionTypeObject>();
  for (Value v : u->args->span()) {
    MVM_TRY(bool found, IsInstanceOf(ts, args[1], v));
    if (found) return Bool(ts, true);
  }
  return Bool(ts, false);
}

Result<> union_subclasscheck(ThreadState& ts, Args args) {
  UnionTypeObject* u = args.self<UnionTypeObject>();
  if (!IsType(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "issubclass() arg 1 must be a class");
  }
  for (Value v : u->args->span()) {
    MVM_TRY(bool found, IsSubclassOf(ts, args[1], v));
    if (found) return Bool(ts, true);
  }
  return Bool(ts, false);
}

Result<> union_get_args(ThreadState& ts, Value self) { return Result<>::Borrow(Self(self)->args); }
Result<> union_get_parameters(ThreadState& ts, Value self) {
  MVM_TRY(TupleObject * p, Parameters(ts, Self(self)));
  return Result<>::Borrow(p);
}
const MethodSpec kMethods[] = {
    {"__instancecheck__(self, instance, /)", union_instancecheck},
    {"__subclasscheck__(self, subclass, /)", union_subclasscheck},
};
const GetSetSpec kGetSets[] = {
    {"__args__", union_get_args, SetReadOnlyMember},
    {"__parameters__", union_get_parameters, nullptr,
     "The type variables among the members, a tuple."},
};

}  // namespace

Result<> UnionOr(ThreadState& ts, Value a, Value b) {
  if (!IsMember(ts, a) || !IsMember(ts, b)) return NotImplemented(ts);
  MVM_TRY(Ref<ListObject> members, NewListReserve(ts, 2));
  MVM_TRY_VOID(AddMembers(ts, members, a));
  MVM_TRY_VOID(AddMembers(ts, members, b));
  return MakeUnion(ts, members);
}

extern const TypeSpec kUnionTypeType;
const TypeSpec kUnionTypeType = {
    .name = "types.UnionType",
    .doc = "One of several types, as int | str writes it; for annotations and isinstance().",
    .flags = kTypeNoNew,
    .size = sizeof(UnionTypeObject),
    .gc = GcHooksOf<UnionTypeObject>(),
    .slots = {.repr = union_repr,
              .hash = union_hash,
              .getattro = union_getattro,
              .compare = union_compare,
              .get_item = union_get_item,
              .or_ = UnionOr},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm
