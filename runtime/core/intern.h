// Interned strings: one object per text, so that names compare by address.
//
// The table holds borrowed pointers; an interned string that dies takes its entry with it
// (gc/finalizer.cpp). Empty and one-character Latin-1 strings are interned from the start and are
// not in the table. Intern and InternUtf8 are declared in objects/str_object.h.
#pragma once

#include <cstdint>

#include "runtime/core/thread_state.h"

namespace minivm {

class InternTable {
 public:
  ~InternTable();
  // The interned string with these bytes (one byte per character), or null. Borrowed.
  StrObject* FindLatin1(uint32_t hash, const void* bytes, size_t size) const;
  StrObject* Find(uint32_t hash, const StrObject* s) const;
  // REQUIRES: no string with this text is in the table; s->aux is its hash. False: out of memory.
  bool Insert(StrObject* s);
  void Remove(StrObject* s);
  size_t size() const { return used_; }
  // Bytes in the heap's account: what goes beyond the table that every VM has.
  size_t charged() const { return mask_ < kLeast ? 0 : (size_t{mask_} + 1) * sizeof(StrObject*); }

 private:
  static constexpr uint32_t kLeast = 1024;
  bool Resize(Heap& heap, uint32_t size);

  StrObject** slots_ = nullptr;  // open addressing, linear; null: empty
  uint32_t mask_ = 0;            // size - 1; 0: no table
  uint32_t used_ = 0;
};

// The hash of a text by its bytes as StrObject stores them: what StrHash caches.
uint32_t TextHash(const RuntimeState& rt, const void* bytes, size_t size);
// One of the strings that live as long as the VM: empty, or one Latin-1 character.
bool IsSharedStr(const RuntimeState& rt, const StrObject* s);
// An interned string is about to die.
void InternRemove(RuntimeState& rt, StrObject* s);
// For start-up, when types are not ready yet: the ASCII text as an interned string, new reference;
// null when out of memory.
StrObject* InternAscii(RuntimeState& rt, const char* text, size_t size);
// An uninitialised exact string of one byte per character, not counted anywhere; null when out of
// memory.
StrObject* AllocLatin1(RuntimeState& rt, size_t size);

}  // namespace minivm
