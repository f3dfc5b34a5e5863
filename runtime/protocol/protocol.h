// The language's operations by slot: the slow paths of the interpreter, and what natives use.
//
// All take borrowed operands (the caller keeps them alive), return new references, and have
// Python's semantics and messages exactly, subclasses and special methods included. Anything here
// may run script code.
#pragma once

#include <span>
#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

class Shape;

// ---- calls (call.cpp) ----

// callable(*args)
Result<> Call(ThreadState& ts, Value callable, std::span<const Value> args);
inline Result<> Call(ThreadState& ts, Value callable) { return Call(ts, callable, {}); }
inline Result<> Call(ThreadState& ts, Value callable, Value a) {
  return Call(ts, callable, {&a, 1});
}
inline Result<> Call(ThreadState& ts, Value callable, Value a, Value b) {
  Value v[] = {a, b};
  return Call(ts, callable, std::span<const Value>(v));
}
inline Result<> Call(ThreadState& ts, Value callable, Value a, Value b, Value c) {
  Value v[] = {a, b, c};
  return Call(ts, callable, std::span<const Value>(v));
}
// Raw call: see Args. The words may be overwritten by the callee's binder but not released.
Result<> CallRaw(ThreadState& ts, Value callable, Args raw);
// callable(*args, **kwargs); kwargs may be null.
Result<> CallWith(ThreadState& ts, Value callable, TupleObject* args, DictObject* kwargs);
// object.name(*args): finds methods without making bound-method objects.
Result<> CallMethod(ThreadState& ts, Value object, StrObject* name,
                    std::span<const Value> args = {});
inline Result<> CallMethod(ThreadState& ts, Value object, StrObject* name, Value a) {
  return CallMethod(ts, object, name, std::span<const Value>(&a, 1));
}
// Looks a special method up in the type (never the instance) and calls it with `object` and args.
// Absent(): no such method, nothing raised.
Result<> CallSpecial(ThreadState& ts, Value object, StrObject* name,
                     std::span<const Value> args = {});
// The special method, bound as calling it needs: a new reference, or Absent().
Result<> LookupSpecial(ThreadState& ts, Value object, StrObject* name);
bool IsCallable(ThreadState& ts, Value v);

// ---- attributes (attr.cpp) ----

Result<> GetAttr(ThreadState& ts, Value object, StrObject* name);
Result<> GetAttr(ThreadState& ts, Value object, std::string_view name);
// Absent() instead of AttributeError.
Result<> GetAttrOptional(ThreadState& ts, Value object, StrObject* name);
Result<> GetAttrOptional(ThreadState& ts, Value object, std::string_view name);
Status SetAttr(ThreadState& ts, Value object, StrObject* name, Value value);  // null value: delete
Status SetAttr(ThreadState& ts, Value object, std::string_view name, Value value);
// What object.__getattribute__ / __setattr__ do.
Result<> GenericGetAttr(ThreadState& ts, Value object, StrObject* name);
Status GenericSetAttr(ThreadState& ts, Value object, StrObject* name, Value value);
// Absent() instead of AttributeError, where the attribute was simply not found.
Result<> GenericGetAttrOptional(ThreadState& ts, Value object, StrObject* name);
// The instance's own attribute (no class, no descriptors): borrowed, null if absent. `name`
// interned.
Value InstanceLookup(ThreadState& ts, Object* object, StrObject* name);
// object.__dict__[name] = value without making the dictionary. `name` interned. REQUIRES: the
// type's storage is AttrStorage::kShape
Status SetInstanceAttr(ThreadState& ts, Object* object, StrObject* name, Value value);
// object.__dict__, made on demand (from then on always the same dict); AttributeError without one.
// Owned.
Result<DictObject> InstanceDict(ThreadState& ts, Value object);
Status SetInstanceDict(ThreadState& ts, Value object, Value dict);

// Method lookup for a call site: *method is what was found (owned); *is_method: it is an unbound
// function to be called with `object` first; otherwise an ordinary attribute value.
Result<> GetMethod(ThreadState& ts, Value object, StrObject* name, bool* is_method);

// ---- conversion and queries (object.cpp) ----

Result<StrObject> Repr(ThreadState& ts, Value v);
Result<StrObject> Ascii(ThreadState& ts, Value v);
Result<StrObject> ToStr(ThreadState& ts, Value v);
Result<int64_t> Hash(ThreadState& ts, Value v);
Result<bool> Truth(ThreadState& ts, Value v);
Result<bool> IsInstanceOf(ThreadState& ts, Value v, Value cls);  // isinstance(), tuples and unions
Result<bool> IsSubclassOf(ThreadState& ts, Value v, Value cls);
// What type.__instancecheck__ and type.__subclasscheck__ do: __class__, __bases__, no hooks.
Result<bool> PlainIsInstance(ThreadState& ts, Value v, Value cls);
Result<bool> PlainIsSubclass(ThreadState& ts, Value v, Value cls);
Result<> Dir(ThreadState& ts, Value v);
// format(v, spec)
Result<StrObject> FormatValue(ThreadState& ts, Value v, StrObject* spec);

// ---- comparison (compare.cpp) ----

Result<> Compare(ThreadState& ts, Value a, Value b, CompareOp op);
// What is left of it when the method of `a` has said NotImplemented.
Result<> CompareRest(ThreadState& ts, Value a, Value b, CompareOp op);
// Truth of the comparison, as `if a < b` wants it.
Result<bool> CompareTruth(ThreadState& ts, Value a, Value b, CompareOp op);
// The same with identity first for kEq, kNe (as containers compare).
Result<bool> CompareBool(ThreadState& ts, Value a, Value b, CompareOp op);
inline Result<bool> EqualValues(ThreadState& ts, Value a, Value b) {
  if (a.is(b)) return true;
  return CompareBool(ts, a, b, CompareOp::kEq);
}

// ---- numbers (number.cpp) ----

enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kMatmul,
  kTrueDiv,
  kFloorDiv,
  kMod,
  kDivmod,
  kPow,
  kLshift,
  kRshift,
  kAnd,
  kOr,
  kXor,
};
Result<> Binary(ThreadState& ts, BinaryOp op, Value a, Value b);
Result<> InPlace(ThreadState& ts, BinaryOp op, Value a, Value b);
// What is left of the operator when the method of the first operand whose class is a script's has
// said NotImplemented.
Result<> BinaryRest(ThreadState& ts, BinaryOp op, Value a, Value b, bool in_place);
Result<> Power(ThreadState& ts, Value a, Value b, Value modulus);  // modulus None: two-argument
Result<> Negative(ThreadState& ts, Value v);
Result<> Positive(ThreadState& ts, Value v);
Result<> Invert(ThreadState& ts, Value v);
Result<> Absolute(ThreadState& ts, Value v);
// operator.index: an exact int.
Result<> Index(ThreadState& ts, Value v);
// Index as int64; out of range: `overflow` raised, or clamped if overflow is kCount.
Result<int64_t> IndexAsInt64(ThreadState& ts, Value v, Exc overflow);
// For natives' int parameters (count, size, ...): TypeError for non-ints, OverflowError.
Result<int64_t> AsInt64(ThreadState& ts, Value v);
Result<double> AsDouble(ThreadState& ts, Value v);  // float, __float__, __index__
Result<> ToInt(ThreadState& ts, Value v);           // int(v)
Result<> ToFloat(ThreadState& ts, Value v);         // float(v)

// ---- containers (container.cpp) ----

Result<int64_t> Length(ThreadState& ts, Value v);
// len() or __length_hint__, else `fallback`.
Result<int64_t> LengthHint(ThreadState& ts, Value v, int64_t fallback);
Result<> GetItem(ThreadState& ts, Value object, Value key);
Status SetItem(ThreadState& ts, Value object, Value key, Value value);  // null value: delete
Result<bool> Contains(ThreadState& ts, Value container, Value item);
// The native behind every "__class_getitem__(cls, item, /)": types.GenericAlias(cls, item).
Result<> ClassGetItem(ThreadState& ts, Args args);
// As a sequence: index i >= 0, e.g. for the old iteration protocol.
Result<> GetIndex(ThreadState& ts, Value object, int64_t i);

// ---- iteration (iterate.cpp) ----

Result<> GetIter(ThreadState& ts, Value v);
// Done() at the end.
Result<> Next(ThreadState& ts, Value iterator);
// The same, but an iterator that ends with a value (a generator's return) raises StopIteration.
Result<> NextOrStop(ThreadState& ts, Value iterator);
// New list / tuple of everything the iterable yields.
Result<ListObject> ListFrom(ThreadState& ts, Value iterable);
Result<TupleObject> TupleFrom(ThreadState& ts, Value iterable);
// A list or tuple as it is, anything else as a new list; `message` for the TypeError if not
// iterable.
Result<> FastSequence(ThreadState& ts, Value iterable, const char* message);
// Calls f(Value item) -> Status for each item; the item is alive during the call.
template <class F>
Status ForEach(ThreadState& ts, Value iterable, F f) {
  MVM_TRY(Ref<> it, GetIter(ts, iterable));
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return Ok();
    MVM_TRY_VOID(f(item.get()));
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

}  // namespace minivm
