// The rows of the slot table, and how a slot function of a built-in type is called through its
// wrapper descriptor (int.__add__(1, 2)).
#include <cstddef>

#include "runtime/core/slot_table.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

const char* NameText(ThreadState& ts, const SlotRow& row) {
  // Names of special methods are ASCII and end with a NUL character.
  return reinterpret_cast<const char*>(ts.rt->names[static_cast<size_t>(row.name)]->data1());
}

// Positional arguments only, between `least` and `most` of them.
Status CheckArgs(ThreadState& ts, const SlotRow& row, Args args, uint32_t least, uint32_t most) {
  if (args.nkw != 0) {
    return Raise(ts, Exc::kTypeError, "wrapper %s() takes no keyword arguments", NameText(ts, row));
  }
  if (MVM_LIKELY(args.n >= least && args.n <= most)) return Ok();
  if (least == most && most < 2) {
    return Raise(ts, Exc::kTypeError, "expected %u argument%s, got %u", least,
                 least == 1 ? "" : "s", args.n);
  }
  const char* bound = least == most ? "" : args.n < least ? "at least " : "at most ";
  uint32_t n = args.n < least ? least : most;
  return Raise(ts, Exc::kTypeError, " expected %s%u argument%s, got %u", bound, n,
               n == 1 ? "" : "s", args.n);
}

template <class Fn>
Fn As(AnySlot fn) {
  return reinterpret_cast<Fn>(fn);
}

Result<> NoneIfOk(ThreadState& ts, Status s) {
  if (s.raised()) return kRaised;
  return None(ts);
}

Result<StrObject*> AttributeName(ThreadState& ts, Value name) {
  if (IsStr(ts, name)) return name.as<StrObject>();
  return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", name);
}

// object.__setattr__(SomeClass, ...) and the like would go round the metaclass: the slot function
// must be that of the nearest built-in type of `self`.
Status CheckNotBypassed(ThreadState& ts, AnySlot fn, Value self, const char* what) {
  TypeObject* type = TypeOf(ts, self);
  while (type->is_heap() && type->base) type = type->base;
  if (ToAnySlot(type->slots.setattro) == fn) return Ok();
  // A class between that one and the built-in may have overridden it: only built-ins matter here.
  return Raise(ts, Exc::kTypeError, "can't apply this %s to %T object", what, self);
}

}  // namespace

MVM_WRAP(WrapUnary) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  return As<UnaryFn>(fn)(ts, self);
}
MVM_WRAP(WrapBinary) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  return As<BinaryFn>(fn)(ts, self, args[0]);
}
MVM_WRAP(WrapReflected) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  return As<BinaryFn>(fn)(ts, args[0], self);
}
MVM_WRAP(WrapPow) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 2));
  return As<TernaryFn>(fn)(ts, self, args[0], args.get(1, ts.rt->none));
}
MVM_WRAP(WrapReflectedPow) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 2));
  return As<TernaryFn>(fn)(ts, args[0], self, args.get(1, ts.rt->none));
}
MVM_WRAP(WrapRepeat) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  MVM_TRY(int64_t count, IndexAsInt64(ts, args[0], Exc::kOverflowError));
  return As<RepeatFn>(fn)(ts, self, count);
}
MVM_WRAP(WrapHash) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  MVM_TRY(int64_t h, As<HashFn>(fn)(ts, self));
  return NewInt(ts, h);
}
MVM_WRAP(WrapTruth) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  MVM_TRY(bool b, As<TruthFn>(fn)(ts, self));
  return Bool(ts, b);
}
MVM_WRAP(WrapLength) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  MVM_TRY(int64_t n, As<LengthFn>(fn)(ts, self));
  return NewInt(ts, n);
}
MVM_WRAP(WrapContains) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  MVM_TRY(bool b, As<ContainsFn>(fn)(ts, self, args[0]));
  return Bool(ts, b);
}
MVM_WRAP(WrapSetItem) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 2, 2));
  return NoneIfOk(ts, As<SetItemFn>(fn)(ts, self, args[0], args[1]));
}
MVM_WRAP(WrapDelItem) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  return NoneIfOk(ts, As<SetItemFn>(fn)(ts, self, args[0], Value()));
}
MVM_WRAP(WrapCall) {
  RecursionGuard guard(ts, " while calling a Python object");  // x.__call__.__call__...
  if (!guard) return kRaised;
  return As<CallFn>(fn)(ts, self, args);
}

MVM_WRAP(WrapGetAttr) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  MVM_TRY(StrObject * name, AttributeName(ts, args[0]));
  MVM_TRY(Ref<StrObject> interned, Intern(ts, name));
  return As<GetAttrFn>(fn)(ts, self, interned);
}
MVM_WRAP(WrapSetAttr) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 2, 2));
  MVM_TRY_VOID(CheckNotBypassed(ts, fn, self, "__setattr__"));
  MVM_TRY(StrObject * name, AttributeName(ts, args[0]));
  MVM_TRY(Ref<StrObject> interned, Intern(ts, name));
  return NoneIfOk(ts, As<SetAttrFn>(fn)(ts, self, interned, args[1]));
}
MVM_WRAP(WrapDelAttr) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  MVM_TRY_VOID(CheckNotBypassed(ts, fn, self, "__delattr__"));
  MVM_TRY(StrObject * name, AttributeName(ts, args[0]));
  MVM_TRY(Ref<StrObject> interned, Intern(ts, name));
  return NoneIfOk(ts, As<SetAttrFn>(fn)(ts, self, interned, Value()));
}
MVM_WRAP(WrapCompare) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  CompareOp op = row.name == NameId::k__lt__   ? CompareOp::kLt
                 : row.name == NameId::k__le__ ? CompareOp::kLe
                 : row.name == NameId::k__eq__ ? CompareOp::kEq
                 : row.name == NameId::k__ne__ ? CompareOp::kNe
                 : row.name == NameId::k__gt__ ? CompareOp::kGt
                                               : CompareOp::kGe;
  return As<CompareFn>(fn)(ts, self, args[0], op);
}
MVM_WRAP(WrapNext) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  Result<> r = As<UnaryFn>(fn)(ts, self);
  if (r.done()) return RaiseNoMessage(ts, Exc::kStopIteration);
  return r;
}
MVM_WRAP(WrapDescrGet) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 2));
  Value object = args[0], type = args.get(1, Value());
  if (IsNone(ts, object)) object = Value();
  if (!type.is_null() && IsNone(ts, type)) type = Value();
  if (object.is_null() && type.is_null()) {
    return Raise(ts, Exc::kTypeError, "__get__(None, None) is invalid");
  }
  return As<DescrGetFn>(fn)(ts, self, object, type);
}
MVM_WRAP(WrapDescrSet) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 2, 2));
  return NoneIfOk(ts, As<DescrSetFn>(fn)(ts, self, args[0], args[1]));
}
MVM_WRAP(WrapDescrDelete) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  return NoneIfOk(ts, As<DescrSetFn>(fn)(ts, self, args[0], Value()));
}
MVM_WRAP(WrapInit) {
  if (fn == ToAnySlot(InitFromSpec)) {
    // The type that was named decides, not that of self.
    const Signature* signature = owner->initialise_signature;
    if (!signature) {
      MVM_TRY(signature, SignatureOf(ts, *owner->initialise));
      owner->initialise_signature = signature;
    }
    // args stands behind self in the caller's array (CallWrapper).
    return CallNative(ts, *signature, owner->initialise->fn, {args.v - 1, args.n + 1, args.nkw});
  }
  return NoneIfOk(ts, As<InitFn>(fn)(ts, self, args));
}
MVM_WRAP(WrapFinalize) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 0, 0));
  return NoneIfOk(ts, As<FinalizeFn>(fn)(ts, self));
}

MVM_WRAP(WrapBuffer) {
  MVM_TRY_VOID(CheckArgs(ts, row, args, 1, 1));
  MVM_TRY(int64_t flags, IndexAsInt64(ts, args[0], Exc::kOverflowError));
  if (flags > INT32_MAX || flags < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "buffer flags too large");
  }
  return NewMemoryviewThrough(ts, self, As<BufferFn>(fn), flags & 1);
}

#define ROW(name, field, wrap, generic, signature, doc) \
  { NameId::k##name, offsetof(Slots, field), wrap, ToAnySlot(generic), signature, doc }
#define UNARY(name, field, doc) ROW(name, field, WrapUnary, G.field, "(self, /)", doc)
#define BINARY(name, reflected, field, op)                                        \
  ROW(name, field, WrapBinary, G.field, "(self, value, /)", "self " op " value"), \
      ROW(reflected, field, WrapReflected, G.field, "(self, value, /)", "value " op " self")
#define INPLACE(name, field, op) \
  ROW(name, field, WrapBinary, G.field, "(self, value, /)", "self " op " value")
#define COMPARE(name, op) \
  ROW(name, compare, WrapCompare, G.compare, "(self, value, /)", "self " op " value")

namespace {
constexpr AnySlot kNothing = nullptr;
}  // namespace

std::span<const SlotRow> SlotRows() {
  const Slots& G = GenericSlots::kTable;
  static const SlotRow kRows[] = {
      UNARY(__repr__, repr, "The text for repr()."),
      UNARY(__str__, str, "The text for str() and print()."),
      ROW(__hash__, hash, WrapHash, G.hash, "(self, /)",
          "The hash value; objects that are equal share it."),
      ROW(__call__, call, WrapCall, G.call, "(self, /, *args, **kwargs)", "Runs on self(...)."),
      ROW(__getattribute__, getattro, WrapGetAttr, G.getattro, "(self, name, /)",
          "The value of the attribute; AttributeError if there is none."),
      ROW(__getattr__, getattro, nullptr, G.getattro, "(self, name, /)", ""),
      ROW(__setattr__, setattro, WrapSetAttr, G.setattro, "(self, name, value, /)",
          "Runs on self.name = value."),
      ROW(__delattr__, setattro, WrapDelAttr, G.setattro, "(self, name, /)",
          "Runs on del self.name."),
      COMPARE(__lt__, "<"),
      COMPARE(__le__, "<="),
      COMPARE(__eq__, "=="),
      COMPARE(__ne__, "!="),
      COMPARE(__gt__, ">"),
      COMPARE(__ge__, ">="),
      UNARY(__iter__, iter, "An iterator over the items."),
      ROW(__next__, next, WrapNext, G.next, "(self, /)", "Implement next(self)."),
      ROW(__get__, descr_get, WrapDescrGet, G.descr_get, "(self, instance, owner=None, /)",
          "What reading the attribute gives: from instance, or from the class owner if that is "
          "None."),
      ROW(__set__, descr_set, WrapDescrSet, G.descr_set, "(self, instance, value, /)",
          "Runs on an assignment to the attribute of instance."),
      ROW(__delete__, descr_set, WrapDescrDelete, G.descr_set, "(self, instance, /)",
          "Runs when the attribute of instance is deleted."),
      ROW(__init__, init, WrapInit, G.init, "(self, /, *args, **kwargs)",
          "Initialize self.  See help(type(self)) for accurate signature."),
      ROW(__new__, new_, nullptr, G.new_, "", ""),
      ROW(__del__, finalize, WrapFinalize, G.finalize, "(self, /)",
          "Runs once, before the object is freed."),
      UNARY(__await__, await, "The iterator that await runs through."),
      UNARY(__aiter__, aiter, "The asynchronous iterator for async for."),
      UNARY(__anext__, anext,
            "An awaitable of the next item; StopAsyncIteration comes out of it at the end."),
      ROW(__len__, len, WrapLength, G.len, "(self, /)", "How many items there are."),
      ROW(__getitem__, get_item, WrapBinary, G.get_item, "(self, key, /)",
          "The item or slice at key."),
      ROW(__setitem__, set_item, WrapSetItem, G.set_item, "(self, key, value, /)",
          "Runs on self[key] = value."),
      ROW(__delitem__, set_item, WrapDelItem, G.set_item, "(self, key, /)",
          "Runs on del self[key]."),
      ROW(__contains__, contains, WrapContains, G.contains, "(self, key, /)",
          "Whether key is among the items."),
      BINARY(__add__, __radd__, add, "+"),
      BINARY(__sub__, __rsub__, sub, "-"),
      BINARY(__mul__, __rmul__, mul, "*"),
      BINARY(__mod__, __rmod__, mod, "%"),
      ROW(__divmod__, divmod, WrapBinary, G.divmod, "(self, value, /)", "divmod(self, value)"),
      ROW(__rdivmod__, divmod, WrapReflected, G.divmod, "(self, value, /)", "divmod(value, self)"),
      ROW(__pow__, pow, WrapPow, G.pow, "(self, value, mod=None, /)",
          "self ** value, modulo mod if that is given"),
      ROW(__rpow__, pow, WrapReflectedPow, G.pow, "(self, value, mod=None, /)",
          "value ** self, modulo mod if that is given"),
      UNARY(__neg__, neg, "-self"),
      UNARY(__pos__, pos, "+self"),
      UNARY(__abs__, abs, "The absolute value."),
      ROW(__bool__, truth, WrapTruth, G.truth, "(self, /)", "Whether the object counts as true."),
      UNARY(__invert__, invert, "~self"),
      BINARY(__lshift__, __rlshift__, lshift, "<<"),
      BINARY(__rshift__, __rrshift__, rshift, ">>"),
      BINARY(__and__, __rand__, and_, "&"),
      BINARY(__xor__, __rxor__, xor_, "^"),
      BINARY(__or__, __ror__, or_, "|"),
      UNARY(__int__, to_int, "The value as an int, cut towards zero."),
      UNARY(__float__, to_float, "The value as a float."),
      UNARY(__index__, index,
            "The value as an int, without loss: for indices, slices, hex() and the like."),
      INPLACE(__iadd__, iadd, "+="),
      INPLACE(__isub__, isub, "-="),
      INPLACE(__imul__, imul, "*="),
      INPLACE(__imod__, imod, "%="),
      INPLACE(__ipow__, ipow, "**="),
      INPLACE(__ilshift__, ilshift, "<<="),
      INPLACE(__irshift__, irshift, ">>="),
      INPLACE(__iand__, iand, "&="),
      INPLACE(__ixor__, ixor, "^="),
      INPLACE(__ior__, ior, "|="),
      BINARY(__floordiv__, __rfloordiv__, floordiv, "//"),
      BINARY(__truediv__, __rtruediv__, truediv, "/"),
      INPLACE(__ifloordiv__, ifloordiv, "//="),
      INPLACE(__itruediv__, itruediv, "/="),
      BINARY(__matmul__, __rmatmul__, matmul, "@"),
      INPLACE(__imatmul__, imatmul, "@="),
      // The sequence forms: scripts fill the numeric ones above.
      ROW(__add__, concat, WrapBinary, kNothing, "(self, value, /)", "self + value"),
      ROW(__mul__, repeat, WrapRepeat, kNothing, "(self, value, /)", "self * value"),
      ROW(__rmul__, repeat, WrapRepeat, kNothing, "(self, value, /)", "value * self"),
      ROW(__iadd__, iconcat, WrapBinary, kNothing, "(self, value, /)", "self += value"),
      ROW(__imul__, irepeat, WrapRepeat, kNothing, "(self, value, /)", "self *= value"),
      // A script's __buffer__ is called by GetBuffer where this slot is empty.
      ROW(__buffer__, buffer, WrapBuffer, kNothing, "(self, flags, /)",
          "A memoryview of the memory of the object; flags says what the user wants to do with "
          "it."),
  };
  return kRows;
}

#undef ROW
#undef UNARY
#undef BINARY
#undef INPLACE
#undef COMPARE

}  // namespace minivm
