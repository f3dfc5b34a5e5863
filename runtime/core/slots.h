// The slots of a type: what the protocols (runtime/protocol) and the interpreter call.
//
// One row per slot in MVM_SLOTS ties the C++ field to the special method(s) of the
// language. Built-in types fill fields in their TypeSpec; a script class that defines
// the special method gets a slot function that looks it up and calls it; a built-in
// slot appears in the type's dictionary as a wrapper descriptor under its name.
#pragma once

#include <cstddef>

#include "runtime/core/ref.h"

namespace minivm {

class ThreadState;
class TypeObject;
class StrObject;
struct BufferView;

enum class CompareOp : uint8_t { kLt, kLe, kEq, kNe, kGt, kGe };

// Arguments of a native function.
// Bound natives (those with a signature text) see exactly one entry per parameter, in order:
// Absent() where an argument with no expressible default was not given; `*args` is a tuple;
// `**kw` is a dict, or Absent() when empty. Raw natives (signature "name(...)", slots call,
// new, init) see n positional values, then nkw keyword values, then, if nkw > 0, the tuple of
// their names at v[n + nkw]. All are borrowed from the caller, who keeps them alive.
// For methods v[0] is self (for class methods the class).
struct Args {
  Value* v;
  uint32_t n;
  uint32_t nkw = 0;

  Value operator[](uint32_t i) const { return v[i]; }
  uint32_t size() const { return n; }
  bool has(uint32_t i) const { return i < n && !v[i].is_absent(); }
  // The argument, or `fallback` where it was not given.
  Value get(uint32_t i, Value fallback) const { return has(i) ? v[i] : fallback; }
  template <class T>
  T* self() const {
    return v[0].as<T>();
  }
  template <class T>
  T* as(uint32_t i) const {
    return v[i].as<T>();
  }
};

using NativeFn = Result<> (*)(ThreadState& ts, Args args);

using UnaryFn = Result<> (*)(ThreadState& ts, Value self);
using BinaryFn = Result<> (*)(ThreadState& ts, Value a, Value b);
using TernaryFn = Result<> (*)(ThreadState& ts, Value a, Value b, Value c);
using RepeatFn = Result<> (*)(ThreadState& ts, Value self, int64_t count);
using HashFn = Result<int64_t> (*)(ThreadState& ts, Value self);  // never -1
using TruthFn = Result<bool> (*)(ThreadState& ts, Value self);
using LengthFn = Result<int64_t> (*)(ThreadState& ts, Value self);  // >= 0
using SetItemFn = Status (*)(ThreadState& ts, Value self, Value key,
                             Value value);  // null value: delete
using ContainsFn = Result<bool> (*)(ThreadState& ts, Value self, Value item);
using CompareFn = Result<> (*)(ThreadState& ts, Value a, Value b,
                               CompareOp op);  // may be NotImplemented
using CallFn = Result<> (*)(ThreadState& ts, Value self, Args raw);
using GetAttrFn = Result<> (*)(ThreadState& ts, Value self, StrObject* name);
using SetAttrFn = Status (*)(ThreadState& ts, Value self, StrObject* name,
                             Value value);  // null: delete
using DescrGetFn = Result<> (*)(ThreadState& ts, Value descr, Value object,
                                Value type);  // object may be null
using DescrSetFn = Status (*)(ThreadState& ts, Value descr, Value object,
                              Value value);                              // null: delete
using NewFn = Result<> (*)(ThreadState& ts, TypeObject* cls, Args raw);  // raw without cls
using InitFn = Status (*)(ThreadState& ts, Value self, Args raw);        // raw without self
using FinalizeFn = Status (*)(ThreadState& ts, Value self);
// Next: Result::Done() at the end; StopIteration appears only at the boundary to scripts.
using NextFn = UnaryFn;
using BufferFn = Status (*)(ThreadState& ts, Value self, BufferView* out, bool writable);

// SLOT(field, function type, special method, reflected special method or nullptr)
// First those that most types fill or inherit,
#define MVM_CORE_SLOTS(SLOT)                           \
  SLOT(repr, UnaryFn, __repr__, nullptr)               \
  SLOT(str, UnaryFn, __str__, nullptr)                 \
  SLOT(hash, HashFn, __hash__, nullptr)                \
  SLOT(call, CallFn, __call__, nullptr)                \
  SLOT(getattro, GetAttrFn, __getattribute__, nullptr) \
  SLOT(setattro, SetAttrFn, __setattr__, nullptr)      \
  SLOT(compare, CompareFn, __eq__, nullptr)            \
  SLOT(iter, UnaryFn, __iter__, nullptr)               \
  SLOT(next, NextFn, __next__, nullptr)                \
  SLOT(descr_get, DescrGetFn, __get__, nullptr)        \
  SLOT(descr_set, DescrSetFn, __set__, nullptr)        \
  SLOT(init, InitFn, __init__, nullptr)                \
  SLOT(new_, NewFn, __new__, nullptr)                  \
  SLOT(finalize, FinalizeFn, __del__, nullptr)         \
  SLOT(await, UnaryFn, __await__, nullptr)             \
  SLOT(aiter, UnaryFn, __aiter__, nullptr)             \
  SLOT(anext, UnaryFn, __anext__, nullptr)             \
  SLOT(len, LengthFn, __len__, nullptr)                \
  SLOT(get_item, BinaryFn, __getitem__, nullptr)       \
  SLOT(set_item, SetItemFn, __setitem__, nullptr)      \
  SLOT(contains, ContainsFn, __contains__, nullptr)
// then operators and conversions, of which most types have none.
#define MVM_OPERATOR_SLOTS(SLOT)                        \
  SLOT(concat, BinaryFn, __add__, nullptr)              \
  SLOT(repeat, RepeatFn, __mul__, __rmul__)             \
  SLOT(iconcat, BinaryFn, __iadd__, nullptr)            \
  SLOT(irepeat, RepeatFn, __imul__, nullptr)            \
  SLOT(add, BinaryFn, __add__, __radd__)                \
  SLOT(sub, BinaryFn, __sub__, __rsub__)                \
  SLOT(mul, BinaryFn, __mul__, __rmul__)                \
  SLOT(mod, BinaryFn, __mod__, __rmod__)                \
  SLOT(divmod, BinaryFn, __divmod__, __rdivmod__)       \
  SLOT(pow, TernaryFn, __pow__, __rpow__)               \
  SLOT(neg, UnaryFn, __neg__, nullptr)                  \
  SLOT(pos, UnaryFn, __pos__, nullptr)                  \
  SLOT(abs, UnaryFn, __abs__, nullptr)                  \
  SLOT(truth, TruthFn, __bool__, nullptr)               \
  SLOT(invert, UnaryFn, __invert__, nullptr)            \
  SLOT(lshift, BinaryFn, __lshift__, __rlshift__)       \
  SLOT(rshift, BinaryFn, __rshift__, __rrshift__)       \
  SLOT(and_, BinaryFn, __and__, __rand__)               \
  SLOT(xor_, BinaryFn, __xor__, __rxor__)               \
  SLOT(or_, BinaryFn, __or__, __ror__)                  \
  SLOT(to_int, UnaryFn, __int__, nullptr)               \
  SLOT(to_float, UnaryFn, __float__, nullptr)           \
  SLOT(index, UnaryFn, __index__, nullptr)              \
  SLOT(iadd, BinaryFn, __iadd__, nullptr)               \
  SLOT(isub, BinaryFn, __isub__, nullptr)               \
  SLOT(imul, BinaryFn, __imul__, nullptr)               \
  SLOT(imod, BinaryFn, __imod__, nullptr)               \
  SLOT(ipow, BinaryFn, __ipow__, nullptr)               \
  SLOT(ilshift, BinaryFn, __ilshift__, nullptr)         \
  SLOT(irshift, BinaryFn, __irshift__, nullptr)         \
  SLOT(iand, BinaryFn, __iand__, nullptr)               \
  SLOT(ixor, BinaryFn, __ixor__, nullptr)               \
  SLOT(ior, BinaryFn, __ior__, nullptr)                 \
  SLOT(floordiv, BinaryFn, __floordiv__, __rfloordiv__) \
  SLOT(truediv, BinaryFn, __truediv__, __rtruediv__)    \
  SLOT(ifloordiv, BinaryFn, __ifloordiv__, nullptr)     \
  SLOT(itruediv, BinaryFn, __itruediv__, nullptr)       \
  SLOT(matmul, BinaryFn, __matmul__, __rmatmul__)       \
  SLOT(imatmul, BinaryFn, __imatmul__, nullptr)

#define MVM_SLOT_FIELD(field, type, name, reflected) type field = nullptr;
// The two halves of a type's slots (TypeObject).
struct CoreSlots {
  MVM_CORE_SLOTS(MVM_SLOT_FIELD)
};
struct OperatorSlots {
  MVM_OPERATOR_SLOTS(MVM_SLOT_FIELD)
  BufferFn buffer = nullptr;  // the buffer protocol (protocol/buffer.h); scripts: __buffer__
};
// All of them in one row, as TypeSpecs write them.
struct Slots {
  MVM_CORE_SLOTS(MVM_SLOT_FIELD)
  MVM_OPERATOR_SLOTS(MVM_SLOT_FIELD)
  BufferFn buffer = nullptr;
};
#undef MVM_SLOT_FIELD
static_assert(offsetof(Slots, concat) == sizeof(CoreSlots));
static_assert(sizeof(Slots) == sizeof(CoreSlots) + sizeof(OperatorSlots));

inline const OperatorSlots& OperatorsIn(const Slots& slots) {
  return *reinterpret_cast<const OperatorSlots*>(&slots.concat);
}
// Numeric binary slots are called with the operands in source order, whichever of them is of
// the slot's type, and return NotImplemented when they do not know the other operand.

}  // namespace minivm
