// A format string of module struct, compiled: where each value goes, and as what.
//
// The fields live in a bytes object, so that packing, which runs script code, keeps the format it
// began with even when the Struct gets another one meanwhile.
#pragma once

#include <span>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"

namespace minivm::structs {

struct Field {
  uint64_t offset;  // of the first item
  uint64_t count;   // items; of 's' and 'p' the bytes of the only one
  uint32_t size;    // bytes of an item
  char code;
  bool native;  // as C has it: sizes, and no check of what is too large for a float
  bool big_endian;
};

struct Format {
  Ref<BytesObject> fields;
  int64_t size = 0;   // bytes; -1: not compiled yet
  int64_t items = 0;  // values
  std::span<const Field> span() const {
    return {reinterpret_cast<const Field*>(fields->data()), fields->length / sizeof(Field)};
  }
};

// struct.error with a text as Raise makes it.
[[gnu::cold]] Raised RaiseStruct(ThreadState& ts, const char* format, ...);

// Compiles an ASCII format.
Status Compile(ThreadState& ts, std::string_view text, Format* out);

// Writes the values, which are as many as the format has, to out[0, size), zeroed. Runs script
// code.
Status PackValues(ThreadState& ts, const Format& format, const Value* values, uint8_t* out);
// The values at p as a tuple.
Result<> UnpackValues(ThreadState& ts, const Format& format, const uint8_t* p);

// One value of a code other than 's', 'p', 'x'.
Status PackOne(ThreadState& ts, const Field& field, Value v, uint8_t* out);
Result<> UnpackOne(ThreadState& ts, const Field& field, const uint8_t* p);

}  // namespace minivm::structs
