// array.array: a list of numbers or characters of one kind, packed.
//
// Invariants: size <= capacity items of kind->size bytes at data; while exports > 0 neither data
// nor size changes. Script code (__index__, __float__, iterators) may change the array: sizes are
// looked at again after it has run.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm::arrays {

struct Kind {
  char code;
  uint8_t size;
  bool is_integer, is_signed;
  const char* format;  // of the buffer protocol
  int8_t machine;      // little-endian machine format code (the big-endian one follows); -1: none
};

// The kind of a typecode; null: there is none.
const Kind* FindKind(char32_t code);
// The integer kind of that size and signedness.
const Kind* FindIntegerKind(int size, bool is_signed);
extern const char kTypeCodes[];

class ArrayObject : public Object {
 public:
  const Kind* kind;
  uint8_t* data;
  int64_t size;      // items
  int64_t capacity;  // items
  int64_t exports;
  uint8_t* At(int64_t i) const { return data + i * kind->size; }
  size_t bytes() const { return static_cast<size_t>(size) * kind->size; }
  std::string_view view() const {
    return {data ? reinterpret_cast<const char*>(data) : "", bytes()};
  }
  void FreeBuffers(Heap& heap);
};

class ArrayIterator : public Object {
 public:
  ArrayObject* array;  // null at the end
  int64_t index;
  template <class V>
  void VisitRefs(V&& v) {
    v(array);
  }
};

extern const TypeSpec kArrayType;
extern const TypeSpec kArrayIteratorType;

Result<bool> IsArray(ThreadState& ts, Value v);
// An empty array of a type derived from array (null: array itself).
Result<ArrayObject> NewArray(ThreadState& ts, TypeObject* type, const Kind* kind);
// `size` items at once, uninitialised.
Result<ArrayObject> NewArrayRaw(ThreadState& ts, TypeObject* type, const Kind* kind, int64_t size);
// Sets the size; new items are uninitialised. BufferError, MemoryError.
Status Resize(ThreadState& ts, ArrayObject* a, int64_t size);
Status CheckResizable(ThreadState& ts, const ArrayObject* a);

// An item as a value, and a value as an item (written to p, which script code must not move).
Result<> ItemAt(ThreadState& ts, const Kind* kind, const uint8_t* p);
Status ConvertItem(ThreadState& ts, const Kind* kind, Value v, uint8_t* p);

Status Append(ThreadState& ts, ArrayObject* a, Value v);
Status Extend(ThreadState& ts, ArrayObject* a, Value iterable);
Status AppendBytes(ThreadState& ts, ArrayObject* a, std::string_view data);
Status AppendText(ThreadState& ts, ArrayObject* a, class StrObject* text);
// a[at:at+old_size] = the items of `data`, which is not the array's own memory.
Status Splice(ThreadState& ts, ArrayObject* a, int64_t at, int64_t old_size, std::string_view data);

// array_methods.cpp
inline constexpr size_t kArrayMethodCount = 24;
extern const MethodSpec kArrayMethods[kArrayMethodCount];
Result<> array_reconstructor(ThreadState& ts, Args args);

}  // namespace minivm::arrays
