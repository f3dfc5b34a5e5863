// The native half of ctypes: memory laid out as C has it, without C's dangers.
//
// A Block is memory that never moves, its own or another object's buffer. A CData is an instance of
// a ctypes class: a part of a block with a Layout that says what is in it. Classes, structures,
// pointers and all that is rare are in the language (script/ctypes); here is what reads and writes.
// No script can get out of a block: every access compares with the size of the instance, whose part
// of the block was checked when it was made.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/protocol/buffer.h"

namespace minivm {

class BytesObject;

namespace ctypes {

// Invariants: data[0, size) is there as long as the block; `held` is empty if it is our own.
class Block : public Object {
 public:
  uint8_t* data;
  int64_t size;
  Value kept;  // what pointers in the memory refer to: a dict of the module's, or null
  BufferView held;
  bool owned;
  uint8_t small[16];  // where little blocks have their data
  template <class V>
  void VisitRefs(V&& v) {
    v(kept);
    v(held.object);
  }
  void Drop(Heap& heap);
};

// What instances of a class are. Immutable.
class Layout : public Object {
 public:
  int64_t size, align;
  char code;  // of a number or character (values.cpp); of arrays that of the items; 0: others
  bool swapped, is_array;
  int64_t length, item_size;  // of arrays
  int32_t ndim;               // as a buffer
  int64_t buffer_item;        // bytes
  BytesObject* format;        // as a buffer, NUL-terminated
  BytesObject* dims;          // ndim int64s
  template <class V>
  void VisitRefs(V&& v) {
    v(format);
    v(dims);
  }
};

// Invariant: offset + size <= block->size.
class CData : public Object {
 public:
  Block* block;
  Layout* layout;
  Value base;  // the instance of which it is a part, or null
  int64_t offset, size;
  bool shares;  // the memory is not its own
  uint8_t* data() const { return block->data + offset; }
  template <class V>
  void VisitRefs(V&& v) {
    v(block);
    v(layout);
    v(base);
  }
};

// A member of a structure, and the attribute `value` of simple types.
class Field : public Object {
 public:
  Value type, name;
  int64_t offset, size;
  char code;  // 0: the type is asked
  bool swapped;
  uint8_t shift, bits;  // bits 0: no bit field
  template <class V>
  void VisitRefs(V&& v) {
    v(type);
    v(name);
  }
};

extern const TypeSpec kBlockType, kLayoutType, kCDataType, kSimpleType, kArrayType, kFieldType;

// Bytes that a code takes; 0: there is no such code.
int64_t SizeOfCode(char code);
// REQUIRES: SizeOfCode(code) bytes at p
Result<> Load(ThreadState& ts, char code, bool swapped, const uint8_t* p);
// What is stored is computed first, as script code may run, then written to the instance, if it is
// still large enough.
Status Store(ThreadState& ts, char code, bool swapped, CData* self, int64_t offset, Value v);
Status StoreBits(ThreadState& ts, const Field* f, CData* self, Value v);
Result<> LoadBits(ThreadState& ts, const Field* f, const uint8_t* p);

// [offset, offset + size) is within the instance, else ValueError.
Status CheckPart(ThreadState& ts, const CData* self, int64_t offset, int64_t size);
// v as an instance, or TypeError.
Result<CData*> AsCData(ThreadState& ts, Value v);

}  // namespace ctypes
}  // namespace minivm
