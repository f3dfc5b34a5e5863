// The table that ties slots to special methods: one row per special method and slot.
//
// Three things come from a row: the wrapper descriptor in the dictionary of a built-in type that
// fills the slot, the slot function that classes of scripts get when they define the method, and
// the signature and text that help() shows. A name may have two rows (__add__: add and concat), and
// a slot several names (compare has six).
#pragma once

#include <span>

#include "runtime/core/thread_state.h"

namespace minivm {

// Any slot function; cast to the type of its field before it is called.
using AnySlot = void (*)();

// Calls the slot function `fn` of `owner` as the special method does: args are without self, the
// values of keywords behind the args.n positional ones.
struct SlotRow;
using WrapFn = Result<> (*)(ThreadState& ts, const SlotRow& row, TypeObject* owner, AnySlot fn,
                            Value self, Args args);

struct SlotRow {
  NameId name;
  uint16_t offset;        // of the field in Slots
  WrapFn wrap;            // null: the name is no attribute of built-in types (__getattr__, __new__)
  AnySlot generic;        // null: classes of scripts do not fill this slot
  const char* signature;  // "(self, value, /)"
  const char* doc;
};

std::span<const SlotRow> SlotRows();

inline AnySlot SlotAt(const Slots& slots, uint16_t offset) {
  return *reinterpret_cast<const AnySlot*>(reinterpret_cast<const char*>(&slots) + offset);
}
// The type's slot for a field of Slots.
inline AnySlot SlotAt(const TypeObject* type, uint16_t offset) {
  const bool core = offset < sizeof(CoreSlots);
  const char* base = core ? reinterpret_cast<const char*>(&type->slots)
                          : reinterpret_cast<const char*>(type->operators) - sizeof(CoreSlots);
  return *reinterpret_cast<const AnySlot*>(base + offset);
}
template <class R, class... A>
AnySlot ToAnySlot(R (*fn)(A...)) {
  return reinterpret_cast<AnySlot>(fn);
}

// Slots of a heap type from its MRO: all of them, or those that `name` has a part in. True in
// *descriptor_changed (may be null) if the type has become or ceased to be a descriptor.
void ResolveSlots(ThreadState& ts, TypeObject* type, StrObject* name, bool* descriptor_changed);
// The slots of `base`, from which those of `type` are derived.
void TakeSlots(TypeObject* type, const TypeObject* base);
// Is it a special method with a slot?
bool IsSlotName(ThreadState& ts, StrObject* name);

// The wrap functions are in slot_wrappers.cpp, the generic slot functions in slot_functions.cpp.
#define MVM_WRAP(name)                                                                          \
  Result<> name(ThreadState& ts, const SlotRow& row, TypeObject* owner, AnySlot fn, Value self, \
                Args args)
MVM_WRAP(WrapUnary);
MVM_WRAP(WrapBinary);
MVM_WRAP(WrapReflected);
MVM_WRAP(WrapPow);
MVM_WRAP(WrapReflectedPow);
MVM_WRAP(WrapInPlacePow);
MVM_WRAP(WrapRepeat);
MVM_WRAP(WrapHash);
MVM_WRAP(WrapTruth);
MVM_WRAP(WrapLength);
MVM_WRAP(WrapContains);
MVM_WRAP(WrapSetItem);
MVM_WRAP(WrapDelItem);
MVM_WRAP(WrapCall);
MVM_WRAP(WrapGetAttr);
MVM_WRAP(WrapSetAttr);
MVM_WRAP(WrapDelAttr);
MVM_WRAP(WrapCompare);
MVM_WRAP(WrapNext);
MVM_WRAP(WrapDescrGet);
MVM_WRAP(WrapDescrSet);
MVM_WRAP(WrapDescrDelete);
MVM_WRAP(WrapInit);
MVM_WRAP(WrapFinalize);
MVM_WRAP(WrapBuffer);

// Generic slot functions, by slot.
struct GenericSlots {
  static const Slots kTable;
};

}  // namespace minivm
