// Method resolution order: C3 linearisation, and metaclasses that compute their own.
#include <string>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"

namespace minivm {

namespace {

// One of the lists that are merged; `next` is its first class not yet taken.
struct MergeList {
  const Value* items;
  uint32_t size;
  uint32_t next;
};

bool InTail(const MergeList& list, Value c) {
  for (uint32_t i = list.next + 1; i < list.size; ++i) {
    if (list.items[i].is(c)) return true;
  }
  return false;
}

Raised RaiseInconsistent(ThreadState& ts, const SmallVector<MergeList, 8>& lists) {
  std::string names;
  SmallVector<Value, 8> seen;
  for (const MergeList& list : lists) {
    if (list.next == list.size) continue;
    Value head = list.items[list.next];
    bool known = false;
    for (Value v : seen) known = known || v.is(head);
    if (known) continue;
    if (!seen.Push(head)) return RaiseMemoryError(ts);
    if (!names.empty()) names += ", ";
    AppendUtf8(head.as<TypeObject>()->name, &names);
  }
  return Raise(ts, Exc::kTypeError,
               "Cannot create a consistent method resolution order (MRO) for bases %s",
               names.c_str());
}

}  // namespace

Result<TupleObject> ComputeMro(ThreadState& ts, TypeObject* type) {
  std::span<const Value> bases = type->bases->span();
  for (size_t i = 0; i < bases.size(); ++i) {
    MVM_TRY_VOID(TypeReady(ts, bases[i].as<TypeObject>()));
    for (size_t k = 0; k < i; ++k) {
      if (bases[i].is(bases[k])) {
        return Raise(ts, Exc::kTypeError, "duplicate base class %U",
                     Value(bases[i].as<TypeObject>()->name));
      }
    }
    if (!bases[i].as<TypeObject>()->mro) {
      return Raise(ts, Exc::kTypeError, "Cannot extend an incomplete type '%N'",
                   bases[i].as<TypeObject>());
    }
  }
  SmallVector<Value, 32> order;
  SmallVector<MergeList, 8> lists;
  bool ok = order.Push(type);
  if (bases.size() == 1) {
    TupleObject* mro = bases[0].as<TypeObject>()->mro;
    ok = ok && order.Append(mro->items(), mro->size());
    if (!ok) return RaiseMemoryError(ts);
    return NewTuple(ts, {order.data(), order.size()});
  }
  for (Value base : bases) {
    TupleObject* mro = base.as<TypeObject>()->mro;
    ok = ok && lists.Push({mro->items(), mro->size(), 0});
  }
  ok = ok && lists.Push({bases.data(), static_cast<uint32_t>(bases.size()), 0});
  while (ok) {
    bool all_done = true;
    Value next;
    for (const MergeList& list : lists) {
      if (list.next == list.size) continue;
      all_done = false;
      Value candidate = list.items[list.next];
      bool blocked = false;
      for (const MergeList& other : lists) blocked = blocked || InTail(other, candidate);
      if (!blocked) {
        next = candidate;
        break;
      }
    }
    if (all_done) return NewTuple(ts, {order.data(), order.size()});
    if (next.is_null()) return RaiseInconsistent(ts, lists);
    ok = order.Push(next);
    for (MergeList& list : lists) {
      if (list.next < list.size && list.items[list.next].is(next)) ++list.next;
    }
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(lists.size())));
  }
  return RaiseMemoryError(ts);
}

Result<TupleObject> MroThroughMetatype(ThreadState& ts, TypeObject* type) {
  type->flags &= ~(kTypeCustomMro | kTypeLinearMro);
  TypeObject* meta = TypeOf(ts, type);
  Value method = TypeLookup(ts, meta, MVM_NAME(ts, mro));
  if (IsExact(method, TypeId::kMethodDescriptor) &&
      method.as<MethodDescriptorObject>()->owner == TypeById(ts, TypeId::kType)) {
    MVM_TRY(Ref<TupleObject> computed, ComputeMro(ts, type));
    if (type->bases->size() == 1) type->flags |= kTypeLinearMro;
    return computed;
  }
  MVM_TRY(Ref<> result, CallMethod(ts, type, MVM_NAME(ts, mro)));
  MVM_TRY(Ref<TupleObject> mro, TupleFrom(ts, result));
  if (mro->size() == 0) return Raise(ts, Exc::kTypeError, "type MRO must not be empty");
  TypeObject* solid = SolidBase(type);
  for (Value v : mro->span()) {
    if (!IsType(ts, v)) {
      return Raise(ts, Exc::kTypeError, "mro() returned a non-class ('%T')", v);
    }
    TypeObject* t = v.as<TypeObject>();
    MVM_TRY_VOID(TypeReady(ts, t));
    if (t != type && !IsSubtype(solid, SolidBase(t))) {
      return Raise(ts, Exc::kTypeError, "mro() returned base with unsuitable layout ('%N')", t);
    }
    bool inherited = t == type;
    for (Value base : type->bases->span()) {
      inherited = inherited || IsSubtype(base.as<TypeObject>(), t);
    }
    if (!inherited) type->flags |= kTypeCustomMro;
  }
  return mro;
}

}  // namespace minivm
