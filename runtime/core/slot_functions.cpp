// Slot functions of classes made by scripts: each looks its special method up in the type and calls
// it, converting arguments and result between the slot's signature and the method's.
//
// For binary operators the function stands for both the method and its reflected twin; the caller
// (protocol/number.cpp) decides which operand's slot is asked first, the rules for which of the two
// methods is called then are here.
#include "runtime/core/slot_table.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/raw_args.h"

namespace minivm {

namespace {

StrObject* NameOf(ThreadState& ts, NameId id) { return ts.rt->names[static_cast<size_t>(id)]; }

// Calls what a type lookup found for an instance: method-like things get `self` without being
// bound.
Result<> CallFound(ThreadState& ts, Value found, Value self, std::span<const Value> args) {
  TypeObject* t = TypeOf(ts, found);
  if (MVM_LIKELY(IsExact(found, TypeId::kFunction))) {  // it guards and holds for itself
    Value v[4] = {self};
    for (size_t i = 0; i < args.size(); ++i) v[i + 1] = args[i];
    return t->slots.call(ts, found, {v, static_cast<uint32_t>(args.size() + 1)});
  }
  Ref<> held = Ref<>::Borrow(found);
  if (t->has_flag(kTypeMethodDescriptor)) {
    Value v[4] = {self};
    for (size_t i = 0; i < args.size(); ++i) v[i + 1] = args[i];
    return CallRaw(ts, found, {v, static_cast<uint32_t>(args.size() + 1)});
  }
  if (t->slots.descr_get) {
    MVM_TRY(Ref<> bound, t->slots.descr_get(ts, found, self, TypeOf(ts, self)));
    return Call(ts, bound, args);
  }
  return Call(ts, found, args);
}

// self.name(*args), looked up in the type; at most three arguments.
template <class... A>
Result<> CallName(ThreadState& ts, Value self, NameId id, A... args) {
  Value found = TypeLookup(ts, TypeOf(ts, self), NameOf(ts, id));
  if (MVM_UNLIKELY(found.is_null())) {
    // One slot stands for two methods (__set__, __delete__), of which the class has the other.
    return Raise(ts, Exc::kAttributeError, "%U", Value(NameOf(ts, id)));
  }
  const Value v[] = {args..., Value()};
  return CallFound(ts, found, self, {v, sizeof...(args)});
}

// The same; NotImplemented if there is no such method.
template <class... A>
Result<> CallNameMaybe(ThreadState& ts, Value self, NameId id, A... args) {
  Value found = TypeLookup(ts, TypeOf(ts, self), NameOf(ts, id));
  if (found.is_null()) return NotImplemented(ts);
  const Value v[] = {args..., Value()};
  return CallFound(ts, found, self, {v, sizeof...(args)});
}

Status Drop(Result<> r) {
  if (r.raised()) return kRaised;
  (void)r.Take();
  return Ok();
}

template <NameId kName>
Result<> SlotUnary(ThreadState& ts, Value self) {
  return CallName(ts, self, kName);
}
template <NameId kName>
Result<> SlotBinaryOnly(ThreadState& ts, Value a, Value b) {
  return CallName(ts, a, kName, b);
}

// True if the type of `b` has another method of that name than the type of `a`.
bool IsOverridden(ThreadState& ts, Value a, Value b, NameId name) {
  Value theirs = TypeLookup(ts, TypeOf(ts, b), NameOf(ts, name));
  if (theirs.is_null()) return false;
  return !theirs.is(TypeLookup(ts, TypeOf(ts, a), NameOf(ts, name)));
}

template <BinaryFn OperatorSlots::*kField, NameId kName, NameId kReflected>
Result<> SlotBinary(ThreadState& ts, Value a, Value b) {
  constexpr BinaryFn self_fn = SlotBinary<kField, kName, kReflected>;
  TypeObject* ta = TypeOf(ts, a);
  TypeObject* tb = TypeOf(ts, b);
  bool try_other = ta != tb && tb->operators->*kField == self_fn;
  if (ta->operators->*kField == self_fn) {
    if (try_other && IsSubtype(tb, ta) && IsOverridden(ts, a, b, kReflected)) {
      MVM_TRY(Ref<> r, CallNameMaybe(ts, b, kReflected, a));
      if (!IsNotImplemented(ts, r)) return r;
      try_other = false;
    }
    MVM_TRY(Ref<> r, CallNameMaybe(ts, a, kName, b));
    if (!IsNotImplemented(ts, r) || ta == tb) return r;
    // The first call may have changed the other's class.
    try_other = try_other && TypeOf(ts, b)->operators->*kField == self_fn;
  }
  if (try_other) return CallNameMaybe(ts, b, kReflected, a);
  return NotImplemented(ts);
}

Result<> SlotPow(ThreadState& ts, Value a, Value b, Value modulus) {
  if (IsNone(ts, modulus) || modulus.is_null()) {
    TypeObject* ta = TypeOf(ts, a);
    TypeObject* tb = TypeOf(ts, b);
    bool try_other = ta != tb && tb->operators->pow == SlotPow;
    if (ta->operators->pow == SlotPow) {
      if (try_other && IsSubtype(tb, ta) && IsOverridden(ts, a, b, NameId::k__rpow__)) {
        MVM_TRY(Ref<> r, CallNameMaybe(ts, b, NameId::k__rpow__, a));
        if (!IsNotImplemented(ts, r)) return r;
        try_other = false;
      }
      MVM_TRY(Ref<> r, CallNameMaybe(ts, a, NameId::k__pow__, b));
      if (!IsNotImplemented(ts, r) || ta == tb) return r;
    }
    if (try_other) return CallNameMaybe(ts, b, NameId::k__rpow__, a);
    return NotImplemented(ts);
  }
  // Three-argument power has no reflected form; only the first operand's method counts.
  if (TypeOf(ts, a)->operators->pow == SlotPow) {
    return CallName(ts, a, NameId::k__pow__, b, modulus);
  }
  return NotImplemented(ts);
}

// ---- conversions ----

Result<int64_t> SlotHash(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> r, CallName(ts, self, NameId::k__hash__));
  if (!IsInt(ts, r)) return Raise(ts, Exc::kTypeError, "__hash__ method should return an integer");
  int64_t h;
  if (!IntFitsInt64(r, &h)) h = IntHash(r);
  return h == -1 ? -2 : h;
}

Result<bool> SlotTruth(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> r, CallName(ts, self, NameId::k__bool__));
  if (IsTrue(ts, r)) return true;
  if (IsFalse(ts, r)) return false;
  return Raise(ts, Exc::kTypeError, "__bool__ should return bool, returned %T", r.get());
}

Result<int64_t> SlotLength(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> r, CallName(ts, self, NameId::k__len__));
  MVM_TRY(Ref<> n, Index(ts, r));
  if (IntSign(n) < 0) return Raise(ts, Exc::kValueError, "__len__() should return >= 0");
  int64_t length;
  if (!IntFitsInt64(n, &length)) {
    return Raise(ts, Exc::kOverflowError, "cannot fit '%T' into an index-sized integer", r.get());
  }
  return length;
}

// ---- containers ----

Result<bool> SlotContains(ThreadState& ts, Value self, Value item) {
  Value found = TypeLookup(ts, TypeOf(ts, self), MVM_NAME(ts, __contains__));
  if (found.is_null() || IsNone(ts, found)) {
    return Raise(ts, Exc::kTypeError, "'%T' object is not a container", self);
  }
  MVM_TRY(Ref<> r, CallFound(ts, found, self, {&item, 1}));
  return Truth(ts, r);
}

Status SlotSetItem(ThreadState& ts, Value self, Value key, Value value) {
  if (value.is_null()) return Drop(CallName(ts, self, NameId::k__delitem__, key));
  return Drop(CallName(ts, self, NameId::k__setitem__, key, value));
}

Result<> SlotIter(ThreadState& ts, Value self) {
  Value found = TypeLookup(ts, TypeOf(ts, self), MVM_NAME(ts, __iter__));
  if (found.is_null() || IsNone(ts, found)) {
    return Raise(ts, Exc::kTypeError, "'%T' object is not iterable", self);
  }
  return CallFound(ts, found, self, {});
}

// A StopIteration stays pending: it may have a value, which `yield from` and next() want.
Result<> SlotNext(ThreadState& ts, Value self) { return CallName(ts, self, NameId::k__next__); }

// ---- calls ----

Result<> SlotCall(ThreadState& ts, Value self, Args raw) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  Value found = TypeLookup(ts, TypeOf(ts, self), MVM_NAME(ts, __call__));
  if (found.is_null()) return RaiseAttributeError(ts, self, MVM_NAME(ts, __call__));
  Ref<> held = Ref<>::Borrow(found);
  TypeObject* t = TypeOf(ts, found);
  if (t->has_flag(kTypeMethodDescriptor)) {
    ArgsWithFirst args(self, raw);
    if (!args.ok()) return RaiseMemoryError(ts);
    return CallRaw(ts, found, args.args());
  }
  if (!t->slots.descr_get) return CallRaw(ts, found, raw);
  MVM_TRY(Ref<> bound, t->slots.descr_get(ts, found, self, TypeOf(ts, self)));
  return CallRaw(ts, bound, raw);
}

Status SlotFinalize(ThreadState& ts, Value self) {
  return Drop(CallName(ts, self, NameId::k__del__));
}

// ---- attributes ----

Result<> SlotDescrGet(ThreadState& ts, Value descr, Value object, Value type) {
  Value none = ts.rt->none;
  return CallName(ts, descr, NameId::k__get__, object.is_null() ? none : object,
                  type.is_null() ? none : type);
}

Status SlotDescrSet(ThreadState& ts, Value descr, Value object, Value value) {
  if (value.is_null()) return Drop(CallName(ts, descr, NameId::k__delete__, object));
  return Drop(CallName(ts, descr, NameId::k__set__, object, value));
}

constexpr NameId kCompareNames[] = {NameId::k__lt__, NameId::k__le__, NameId::k__eq__,
                                    NameId::k__ne__, NameId::k__gt__, NameId::k__ge__};

Result<> SlotCompare(ThreadState& ts, Value a, Value b, CompareOp op) {
  NameId id = kCompareNames[static_cast<int>(op)];
  Value found = TypeLookup(ts, TypeOf(ts, a), NameOf(ts, id));
  if (found.is_null()) return NotImplemented(ts);
  // Most classes define one or two of the six and inherit the others from a built-in type.
  if (IsExact(found, TypeId::kWrapperDescriptor)) {
    const WrapperDescriptorObject* w = found.as<WrapperDescriptorObject>();
    if (w->row->wrap == WrapCompare && IsInstance(ts, a, w->owner)) {
      return w->owner->slots.compare(ts, a, b, op);
    }
  }
  TypeObject* kind = TypeOf(ts, found);
  if (kind->slots.descr_get && !kind->has_flag(kTypeMethodDescriptor)) {
    // What goes wrong in getting at the method does not show.
    Ref<> held = Ref<>::Borrow(found);
    Result<> bound = kind->slots.descr_get(ts, found, a, TypeOf(ts, a));
    if (bound.raised()) {
      ClearPending(ts);
      return NotImplemented(ts);
    }
    Ref<> method = bound.Take();
    return Call(ts, method, b);
  }
  return CallFound(ts, found, a, {&b, 1});
}

}  // namespace

Result<> SlotNew(ThreadState& ts, TypeObject* cls, Args raw) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  MVM_TRY(Ref<> found, GetAttr(ts, cls, MVM_NAME(ts, __new__)));
  ArgsWithFirst args(cls, raw);
  if (!args.ok()) return RaiseMemoryError(ts);
  return CallRaw(ts, found, args.args());
}

Status SlotInit(ThreadState& ts, Value self, Args raw) {
  Value found = TypeLookup(ts, TypeOf(ts, self), MVM_NAME(ts, __init__));
  if (found.is_null()) return RaiseAttributeError(ts, self, MVM_NAME(ts, __init__));
  Ref<> held = Ref<>::Borrow(found), bound;
  TypeObject* t = TypeOf(ts, found);
  Result<> r = kRaised;
  if (t->has_flag(kTypeMethodDescriptor)) {
    ArgsWithFirst args(self, raw);
    if (!args.ok()) return RaiseMemoryError(ts);
    r = CallRaw(ts, found, args.args());
  } else {
    if (t->slots.descr_get) {
      MVM_TRY(held, t->slots.descr_get(ts, found, self, TypeOf(ts, self)));
    }
    r = CallRaw(ts, held, raw);
  }
  MVM_TRY(Ref<> result, std::move(r));
  if (!IsNone(ts, result)) {
    return Raise(ts, Exc::kTypeError, "__init__() should return None, not '%T'", result.get());
  }
  return Ok();
}

Result<> SlotGetAttr(ThreadState& ts, Value self, StrObject* name) {
  TypeObject* type = TypeOf(ts, self);
  Ref<> hook = Ref<>::Borrow(TypeLookup(ts, type, MVM_NAME(ts, __getattr__)));
  Value found = TypeLookup(ts, type, MVM_NAME(ts, __getattribute__));
  Result<> r = kRaised;
  if (IsExact(found, TypeId::kWrapperDescriptor)) {
    // With a hook to go to there is no need to raise first.
    GetAttrFn fn = found.as<WrapperDescriptorObject>()->owner->slots.getattro;
    if (!hook) return fn(ts, self, name);
    if (fn == GenericGetAttr) {
      r = GenericGetAttrOptional(ts, self, name);
    } else if (fn == TypeGetAttr) {
      r = TypeGetAttrOptional(ts, self, name);
    } else {
      r = fn(ts, self, name);
    }
  } else if (found.is_null()) {
    r = RaiseAttributeError(ts, self, name);
  } else {
    Value arg = name;
    r = CallFound(ts, found, self, {&arg, 1});
  }
  if (MVM_LIKELY(!r.raised() && !r.word().is_absent()) || !hook) return r;
  if (r.raised() && !ClearPendingIf(ts, Exc::kAttributeError)) return kRaised;
  Value arg = name;
  return CallFound(ts, hook, self, {&arg, 1});
}

Status SlotSetAttr(ThreadState& ts, Value self, StrObject* name, Value value) {
  if (value.is_null()) return Drop(CallName(ts, self, NameId::k__delattr__, Value(name)));
  return Drop(CallName(ts, self, NameId::k__setattr__, Value(name), value));
}

Result<int64_t> HashNotImplemented(ThreadState& ts, Value self) {
  return Raise(ts, Exc::kTypeError, "unhashable type: '%T'", self);
}

#define UNARY(field, name) .field = SlotUnary<NameId::k##name>
#define BINARY(field, name, reflected) \
  .field = SlotBinary<&OperatorSlots::field, NameId::k##name, NameId::k##reflected>
#define INPLACE(field, name) .field = SlotBinaryOnly<NameId::k##name>
const Slots GenericSlots::kTable = {
    UNARY(repr, __repr__),
    UNARY(str, __str__),
    .hash = SlotHash,
    .call = SlotCall,
    .getattro = SlotGetAttr,
    .setattro = SlotSetAttr,
    .compare = SlotCompare,
    .iter = SlotIter,
    .next = SlotNext,
    .descr_get = SlotDescrGet,
    .descr_set = SlotDescrSet,
    .init = SlotInit,
    .new_ = SlotNew,
    .finalize = SlotFinalize,
    UNARY(await, __await__),
    UNARY(aiter, __aiter__),
    UNARY(anext, __anext__),
    .len = SlotLength,
    .get_item = SlotBinaryOnly<NameId::k__getitem__>,
    .set_item = SlotSetItem,
    .contains = SlotContains,
    BINARY(add, __add__, __radd__),
    BINARY(sub, __sub__, __rsub__),
    BINARY(mul, __mul__, __rmul__),
    BINARY(mod, __mod__, __rmod__),
    BINARY(divmod, __divmod__, __rdivmod__),
    .pow = SlotPow,
    UNARY(neg, __neg__),
    UNARY(pos, __pos__),
    UNARY(abs, __abs__),
    .truth = SlotTruth,
    UNARY(invert, __invert__),
    BINARY(lshift, __lshift__, __rlshift__),
    BINARY(rshift, __rshift__, __rrshift__),
    BINARY(and_, __and__, __rand__),
    BINARY(xor_, __xor__, __rxor__),
    BINARY(or_, __or__, __ror__),
    UNARY(to_int, __int__),
    UNARY(to_float, __float__),
    UNARY(index, __index__),
    INPLACE(iadd, __iadd__),
    INPLACE(isub, __isub__),
    INPLACE(imul, __imul__),
    INPLACE(imod, __imod__),
    INPLACE(ipow, __ipow__),
    INPLACE(ilshift, __ilshift__),
    INPLACE(irshift, __irshift__),
    INPLACE(iand, __iand__),
    INPLACE(ixor, __ixor__),
    INPLACE(ior, __ior__),
    BINARY(floordiv, __floordiv__, __rfloordiv__),
    BINARY(truediv, __truediv__, __rtruediv__),
    INPLACE(ifloordiv, __ifloordiv__),
    INPLACE(itruediv, __itruediv__),
    BINARY(matmul, __matmul__, __rmatmul__),
    INPLACE(imatmul, __imatmul__),
};
#undef UNARY
#undef BINARY
#undef INPLACE

}  // namespace minivm
