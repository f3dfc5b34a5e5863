// dict: insertion-ordered hash table; one type, three storages.
//
//   hash     dense entries {key, value} in insertion order plus an open-addressing index.
//   celled   the same, but each value is in a CellObject that never moves: module globals and class
//            dictionaries, so that call sites can keep the cell's address. A deleted name leaves
//            its cell behind with "unbound" in it. Fixed shape id kDict for both exact hash dicts;
//            celled and slot-backed dicts have shape ids of their own (kShapeCelledDict,
//            kShapeSlotDict), so that fast paths that guard on ShapeIdOf(TypeId::kDict) miss.
//   slots    a live view of an instance's attribute slots (objects/slot_dict.cpp).
// Everything outside dict_object.cpp goes through the functions below, which know all three.
// Keys of str type and others share one table; lookups of interned strings compare addresses first.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class CellObject;

enum class DictStorage : uint8_t { kHash, kCelled, kSlots };

struct DictEntry {
  Value key;    // null: deleted entry
  Value value;  // celled: the CellObject
};

class DictObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kDict;
  static constexpr uint32_t kMaxUnindexed = 8;

  // One buffer: entry_capacity entries, then as many 32-bit hashes (FoldHash of hash(key)).
  DictEntry* entries = nullptr;
  void* index = nullptr;     // see dict_table.h; null while there are <= kMaxUnindexed entries
  uint32_t used = 0;         // live entries
  uint32_t entry_count = 0;  // entries in use, deleted ones included
  uint32_t entry_capacity = 0;
  uint32_t index_size = 0;  // power of two, 0 without index
  uint32_t version = 0;     // changes with every insertion and deletion of keys
  DictStorage storage = DictStorage::kHash;
  bool other_keys = false;  // some key is not an exact str
  Object* owner = nullptr;  // slots storage: the instance (borrowed)

  uint32_t* hashes() const { return reinterpret_cast<uint32_t*>(entries + entry_capacity); }

  template <class V>
  void VisitRefs(V&& v) {
    for (uint32_t i = 0; i < entry_count; ++i) {
      v(entries[i].key);
      v(entries[i].value);
    }
  }
  void FreeBuffers(Heap& heap);
};

// A dict and no instance of a subclass, whatever its storage. (IsExact(v, TypeId::kDict): hashed
// only.)
inline bool IsExactDict(Value v) {
  if (!v.is_object()) return false;
  const uint32_t id = v.object()->shape_id;
  return id == ShapeIdOf(TypeId::kDict) || id == kShapeCelledDict || id == kShapeSlotDict;
}

Result<DictObject> NewDict(ThreadState& ts, size_t expected = 0);
// {keys[i]: values[i]} of exact strs that differ from each other. Takes over the references to the
// values, but not when it fails.
Result<DictObject> NewDictOf(ThreadState& ts, const Value* keys, const Value* values, uint32_t n);
Result<DictObject> NewCelledDict(ThreadState& ts);
// Turns a hash dict into a celled one in place (same identity): first use as globals.
Status DictMakeCelled(ThreadState& ts, DictObject* d);

// Borrowed value; null if absent (nothing raised). May run __eq__ and __hash__ of the keys.
Result<Value*> DictFind(ThreadState& ts, DictObject* d,
                        Value key);                           // address of the value, or null
Result<> DictGet(ThreadState& ts, DictObject* d, Value key);  // new reference or Absent()
// Where the value of an inline int or exact str key is, if that is found without asking a key;
// null: not found, or not known. Pure. REQUIRES: hash storage
Value* DictPeek(const RuntimeState& rt, const DictObject* d, Value key);
// For interned or at least exact str keys: never raises, runs no script code. Borrowed or null.
Value DictGetStr(ThreadState& ts, DictObject* d, StrObject* key);
// Celled storage: the cell of a str key, null if absent. The cell may hold unbound. Borrowed.
CellObject* DictGetCell(ThreadState& ts, DictObject* d, StrObject* key);
// The cell, made with unbound in it if absent.
Result<CellObject*> DictMakeCell(ThreadState& ts, DictObject* d, StrObject* key);
Status DictSet(ThreadState& ts, DictObject* d, Value key, Value value);
Status DictSetStr(ThreadState& ts, DictObject* d, StrObject* key, Value value);
Status DictSetUtf8(ThreadState& ts, DictObject* d, std::string_view key, Value value);
// The existing value, or `value` entered and returned (new reference).
Result<> DictSetDefault(ThreadState& ts, DictObject* d, Value key, Value value);
// False if it was absent.
Result<bool> DictDelete(ThreadState& ts, DictObject* d, Value key);
// Removes and returns; Absent() if absent.
Result<> DictPop(ThreadState& ts, DictObject* d, Value key);
Result<bool> DictContains(ThreadState& ts, DictObject* d, Value key);
void DictClear(ThreadState& ts, DictObject* d);
Result<DictObject> DictCopy(ThreadState& ts, DictObject* d);
// d.update(other): mapping or iterable of pairs. override false: keeps existing keys.
Status DictUpdate(ThreadState& ts, DictObject* d, Value other, bool override = true);
size_t DictSize(const DictObject* d);
// Iteration in order: *pos starts at 0; false at the end. Key and value are borrowed and valid
// until the dict changes. Runs no script code.
bool DictNext(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value);

// Backwards, from *pos = SIZE_MAX. REQUIRES: not slots storage
bool DictPrevious(ThreadState& ts, DictObject* d, size_t* pos, Value* key, Value* value);

// The hash a key is filed under; TypeError "unhashable type: 'T'". Then the same operations without
// hashing again.
Result<uint32_t> DictHashKey(ThreadState& ts, Value key);
Result<Value*> DictFindHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash);
Status DictSetHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash, Value value);
Result<> DictSetDefaultHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash,
                              Value value);
Result<> DictPopHashed(ThreadState& ts, DictObject* d, Value key, uint32_t hash);
// Enters the pairs of an iterable, with the messages of dict().
Status DictMergePairs(ThreadState& ts, DictObject* d, Value pairs, bool override);
// Takes the first or last item out; false if there is none.
Result<bool> DictPopEnd(ThreadState& ts, DictObject* d, bool last, Ref<>* key, Ref<>* value);
// Makes the key the last or first one in order; false if it is absent.
Result<bool> DictMoveToEnd(ThreadState& ts, DictObject* d, Value key, bool last);
// Slots storage becomes hash storage; else nothing.
Status DictLeaveSlots(ThreadState& ts, DictObject* d);
// Bytes of the dict with its buffers.
size_t DictSizeOf(const DictObject* d);

inline constexpr const char* kDictChangedSize = "dictionary changed size during iteration";

}  // namespace minivm
