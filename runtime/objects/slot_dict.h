// The slots storage of dict: an instance's attribute slots seen through its __dict__.
//
// Called by dict_object.cpp for dicts with storage == DictStorage::kSlots; implemented beside the
// attribute code. Keys are exact strs, interned or not. The dict stays valid after its owner has
// died (the owner's destruction converts it first).
#pragma once

#include "runtime/objects/dict_object.h"

namespace minivm {

// Address of the attribute's slot; null if absent. Valid until attributes are added or removed.
Value* SlotDictFind(ThreadState& ts, DictObject* d, StrObject* key);
// Sets or adds the attribute: an ordinary shape transition; may convert the dict to hash storage.
Status SlotDictSet(ThreadState& ts, DictObject* d, StrObject* key, Value value);
// False if it was absent. May convert the dict to hash storage.
Result<bool> SlotDictDelete(ThreadState& ts, DictObject* d, StrObject* key);
// Iteration in order of definition; *pos starts at 0. Borrowed.
bool SlotDictNext(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value);
size_t SlotDictSize(const DictObject* d);
// Moves the attributes into the dict itself (hash storage) and puts the owner into dict mode.
Status SlotDictConvert(ThreadState& ts, DictObject* d);

}  // namespace minivm
