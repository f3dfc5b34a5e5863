// Slots of heap types, found from the special methods along the MRO.
//
// A slot whose special methods all come from one built-in type is that type's slot function itself,
// so that a subclass pays nothing for what it does not override; otherwise it is the generic
// function that calls methods. Where a name has two rows (numeric and sequence), the built-in type
// keeps the row it filled and a script's method fills the numeric one.
#include <cstdlib>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/str_object.h"

namespace minivm {

namespace {

// What one special method says about a slot.
struct Vote {
  enum Kind { kNone, kNative, kGeneric } kind = kNone;
  AnySlot native = nullptr;
  TypeObject* owner = nullptr;
};

// Does another row of the same name stand for the method of `owner`?
bool HasOtherRow(const SlotRow& row, TypeObject* owner) {
  for (const SlotRow& other : SlotRows()) {
    if (other.name == row.name && other.offset != row.offset && SlotAt(owner, other.offset)) {
      return true;
    }
  }
  return false;
}

Vote VoteOf(const SlotRow& row, const TypeObject* type, Value found) {
  TypeObject* owner = nullptr;
  if (IsExact(found, TypeId::kWrapperDescriptor)) {
    const WrapperDescriptorObject* w = found.as<WrapperDescriptorObject>();
    // A wrapper of an unrelated type is called too, and refuses.
    if (!IsSubtype(type, w->owner)) return {Vote::kGeneric};
    if (w->row == &row) return {Vote::kNative, SlotAt(w->owner, row.offset), w->owner};
    // A method may be known under another name (C.__lt__ = int.__gt__): then it is called as found.
    if (w->row->name != row.name) return {Vote::kGeneric};
    owner = w->owner;
  } else if (IsExact(found, TypeId::kMethodDescriptor)) {
    // A table may list a slot's method itself, for its signature.
    const MethodDescriptorObject* m = found.as<MethodDescriptorObject>();
    owner = m->owner;
    if (owner->is_heap()) return {Vote::kGeneric};
    if (AnySlot fn = SlotAt(owner, row.offset)) return {Vote::kNative, fn, owner};
  } else {
    return {Vote::kGeneric};
  }
  return HasOtherRow(row, owner) ? Vote{Vote::kNone} : Vote{Vote::kGeneric};
}

// __new__ of a built-in type is a native function bound to the type.
Vote VoteOfNew(ThreadState& ts, Value found) {
  if (!IsExact(found, TypeId::kNativeFunction)) return {Vote::kGeneric};
  const NativeFunctionObject* f = found.as<NativeFunctionObject>();
  if (f->fn != kTypeNewMethod.fn || !IsType(ts, f->self)) return {Vote::kGeneric};
  TypeObject* owner = f->self.as<TypeObject>();
  if (owner->is_heap()) return {Vote::kGeneric};
  return {Vote::kNative, ToAnySlot(owner->slots.new_), owner};
}

void SetSlot(TypeObject* type, uint16_t offset, AnySlot fn) {
  if (SlotAt(type, offset) == fn) return;
  char* base = reinterpret_cast<char*>(&type->slots);
  if (offset >= sizeof(CoreSlots)) {
    base = reinterpret_cast<char*>(OwnOperators(type));
    MVM_CHECK(base, "no memory left for the operators of a class");
    offset -= sizeof(CoreSlots);
  }
  *reinterpret_cast<AnySlot*>(base + offset) = fn;
}

void ResolveField(ThreadState& ts, TypeObject* type, uint16_t offset) {
  AnySlot native = nullptr, generic = nullptr;
  bool use_generic = false;
  for (const SlotRow& row : SlotRows()) {
    if (row.offset != offset) continue;
    if (row.generic) generic = row.generic;
    Value found = TypeLookup(ts, type, ts.rt->names[static_cast<size_t>(row.name)]);
    if (found.is_null()) continue;
    Vote vote;
    if (row.name == NameId::k__new__) {
      vote = VoteOfNew(ts, found);
      if (vote.kind == Vote::kNative) {
        type->construct = vote.owner->construct;
        type->construct_signature = nullptr;
      }
    } else if (row.name == NameId::k__hash__ && IsNone(ts, found)) {
      vote = {Vote::kNative, ToAnySlot(HashNotImplemented)};
    } else {
      vote = VoteOf(row, type, found);
      if (row.name == NameId::k__init__ && vote.kind == Vote::kNative) {
        type->initialise = vote.owner->initialise;
        type->initialise_signature = nullptr;
      }
    }
    if (vote.kind == Vote::kGeneric) use_generic = true;
    if (vote.kind == Vote::kNative) {
      if (native && native != vote.native) use_generic = true;
      native = vote.native;
    }
  }
  SetSlot(type, offset, use_generic ? generic : native);
}

}  // namespace

OperatorSlots* OwnOperators(TypeObject* type) {
  if (!type->owns_operators) {
    auto* own = static_cast<OperatorSlots*>(std::malloc(sizeof(OperatorSlots)));
    if (!own) return nullptr;
    Heap::Of(type)->Account(sizeof(OperatorSlots));
    *own = *type->operators;
    type->operators = own;
    type->owns_operators = true;
  }
  return const_cast<OperatorSlots*>(type->operators);
}

void TakeSlots(TypeObject* type, const TypeObject* base) {
  type->slots = base->slots;
  if (type->owns_operators) {
    *OwnOperators(type) = *base->operators;
    return;
  }
  // Those of a class of scripts go with it, or change.
  type->operators = base->operators;
  if (base->is_heap() && base->owns_operators) {
    MVM_CHECK(OwnOperators(type), "no memory left for the operators of a class");
  }
}

void ResolveSlots(ThreadState& ts, TypeObject* type, StrObject* name, bool* descriptor_changed) {
  bool had_get = type->slots.descr_get, had_set = type->slots.descr_set;
  uint64_t done[(sizeof(Slots) / sizeof(AnySlot) + 63) / 64] = {};
  for (const SlotRow& row : SlotRows()) {
    if (name && ts.rt->names[static_cast<size_t>(row.name)] != name) continue;
    size_t i = row.offset / sizeof(AnySlot);
    if (done[i / 64] >> (i % 64) & 1) continue;
    done[i / 64] |= uint64_t{1} << (i % 64);
    ResolveField(ts, type, row.offset);
  }
  if (type->slots.finalize) {
    type->flags |= kTypeHasFinalizer;
  } else {
    type->flags &= ~kTypeHasFinalizer;
  }
  if (descriptor_changed) {
    *descriptor_changed |= had_get != (type->slots.descr_get != nullptr) ||
                           had_set != (type->slots.descr_set != nullptr);
  }
}

bool IsSlotName(ThreadState& ts, StrObject* name) {
  if (name->length < 5 || !name->ascii() || name->data1()[0] != '_' || name->data1()[1] != '_') {
    return false;
  }
  for (const SlotRow& row : SlotRows()) {
    if (ts.rt->names[static_cast<size_t>(row.name)] == name) return true;
  }
  return false;
}

}  // namespace minivm
