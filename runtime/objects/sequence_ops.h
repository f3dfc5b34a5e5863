// What list, tuple and their kin share: index arguments, ordering, repr.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "runtime/protocol/repr_guard.h"

namespace minivm {

// Can stand as an index: an int or an object with __index__.
inline bool HasIndex(ThreadState& ts, Value v) {
  if (MVM_LIKELY(v.is_int())) return true;
  const OperatorSlots* slots = OperatorsOf(ts, v);
  if (MVM_LIKELY(slots != nullptr)) return slots->index != nullptr;
  ClearPending(ts);
  return false;
}

// A subscript as int64; IndexError for ints beyond that. REQUIRES: HasIndex(ts, key)
inline Result<int64_t> SubscriptIndex(ThreadState& ts, Value key) {
  if (MVM_LIKELY(key.is_int())) return key.as_int();
  return IndexAsInt64(ts, key, Exc::kIndexError);
}

// The start and stop arguments of index(): clamped to int64; TypeError "slice indices must be
// integers or have an __index__ method".
inline Result<int64_t> SliceBoundArgument(ThreadState& ts, Value v) {
  if (v.is_int()) return v.as_int();
  if (!HasIndex(ts, v)) {
    return Raise(ts, Exc::kTypeError, "slice indices must be integers or have an __index__ method");
  }
  return IndexAsInt64(ts, v, Exc::kCount);
}

// Size and items of a sequence as they are now: they may change whenever script code runs.
//   struct Seq { size_t size() const; Value item(size_t i) const; };

// a <op> b for sequences, item by item; `identity` of items counts as equal.
template <class A, class B>
Result<> CompareSequences(ThreadState& ts, A a, B b, CompareOp op) {
  if (a.size() != b.size() && (op == CompareOp::kEq || op == CompareOp::kNe)) {
    return Bool(ts, op == CompareOp::kNe);
  }
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  size_t i = 0;
  for (; i < a.size() && i < b.size(); ++i) {
    const Value x = a.item(i), y = b.item(i);
    if (x.is(y)) continue;
    if (Value::BothInt(x, y)) break;  // different inline ints
    const Ref<> keep_x = Ref<>::Borrow(x), keep_y = Ref<>::Borrow(y);
    MVM_TRY(bool equal, CompareBool(ts, x, y, CompareOp::kEq));
    if (!equal) {
      if (i >= a.size() || i >= b.size()) break;  // __eq__ has shortened one
      if (op == CompareOp::kEq) return Bool(ts, false);
      if (op == CompareOp::kNe) return Bool(ts, true);
      return Compare(ts, x, y, op);
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
  if (i >= a.size() || i >= b.size()) {
    const size_t na = a.size(), nb = b.size();
    switch (op) {
      case CompareOp::kLt: return Bool(ts, na < nb);
      case CompareOp::kLe: return Bool(ts, na <= nb);
      case CompareOp::kEq: return Bool(ts, na == nb);
      case CompareOp::kNe: return Bool(ts, na != nb);
      case CompareOp::kGt: return Bool(ts, na > nb);
      case CompareOp::kGe: return Bool(ts, na >= nb);
    }
  }
  const Ref<> x = Ref<>::Borrow(a.item(i)), y = Ref<>::Borrow(b.item(i));
  if (op == CompareOp::kEq) return Bool(ts, false);
  if (op == CompareOp::kNe) return Bool(ts, true);
  return Compare(ts, x, y, op);
}

// prefix item, item, ... suffix; `marker` if the object's repr is already under way. A sequence of
// one gets `single_suffix`.
template <class Seq>
Result<> SequenceRepr(ThreadState& ts, Object* self, Seq seq, const char* prefix,
                      const char* suffix, const char* single_suffix, const char* marker) {
  ReprGuard repr(ts, self);
  if (repr.inside()) return NewStr(ts, marker);
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  StrBuilder out(ts);
  MVM_TRY_VOID(out.AppendAscii(prefix));
  size_t i = 0;
  for (; i < seq.size(); ++i) {
    if (i > 0) MVM_TRY_VOID(out.AppendAscii(", "));
    const Ref<> item = Ref<>::Borrow(seq.item(i));
    MVM_TRY(Ref<StrObject> text, Repr(ts, item));
    MVM_TRY_VOID(out.Append(text.get()));
    MVM_TRY_VOID(Charge(ts, 2));
  }
  MVM_TRY_VOID(out.AppendAscii(i == 1 ? single_suffix : suffix));
  return out.Finish();
}

// Is `item` among the items? By identity, then ==, as the items stand when each is reached.
template <class Seq>
Result<bool> SequenceContains(ThreadState& ts, Seq seq, Value item) {
  for (size_t i = 0; i < seq.size(); ++i) {
    const Value x = seq.item(i);
    if (x.is(item)) return true;
    if (Value::BothInt(x, item)) continue;
    const Ref<> keep = Ref<>::Borrow(x);
    MVM_TRY(bool equal, CompareBool(ts, x, item, CompareOp::kEq));
    if (equal) return true;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return false;
}

template <class Seq>
Result<> SequenceCount(ThreadState& ts, Seq seq, Value item) {
  int64_t count = 0;
  for (size_t i = 0; i < seq.size(); ++i) {
    const Value x = seq.item(i);
    if (x.is(item)) {
      ++count;
      continue;
    }
    if (Value::BothInt(x, item)) continue;
    const Ref<> keep = Ref<>::Borrow(x);
    MVM_TRY(bool equal, CompareBool(ts, x, item, CompareOp::kEq));
    count += equal;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Small(count);
}

// Index of the first item equal to `item` within [start, stop), negative bounds counting from the
// end; -1: none.
template <class Seq>
Result<int64_t> SequenceFind(ThreadState& ts, Seq seq, Value item, int64_t start, int64_t stop) {
  const int64_t size = static_cast<int64_t>(seq.size());
  if (start < 0 && (start += size) < 0) start = 0;
  if (stop < 0 && (stop += size) < 0) stop = 0;
  for (int64_t i = start; i < stop && i < static_cast<int64_t>(seq.size()); ++i) {
    const Value x = seq.item(static_cast<size_t>(i));
    if (x.is(item)) return i;
    if (Value::BothInt(x, item)) continue;
    const Ref<> keep = Ref<>::Borrow(x);
    MVM_TRY(bool equal, CompareBool(ts, x, item, CompareOp::kEq));
    if (equal) return i;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return int64_t{-1};
}

}  // namespace minivm
