// Reading struct formats: codes, sizes, alignment.
#include "stdlib/struct/struct_format.h"

#include <bit>
#include <cstring>

#include "runtime/core/held_memory.h"
#include "runtime/support/small_vector.h"

namespace minivm::structs {

namespace {

struct Code {
  uint8_t native_size, standard_size;  // standard 0: native only
};

// native size 0: there is no such code. Native alignment is the native size for all of them.
Code CodeOf(char c) {
  switch (c) {
    case 'x':
    case 'c':
    case 'b':
    case 'B':
    case 's':
    case 'p': return {1, 1};
    case '?': return {sizeof(bool), 1};
    case 'h':
    case 'H': return {sizeof(short), 2};
    case 'i':
    case 'I': return {sizeof(int), 4};
    case 'l':
    case 'L': return {sizeof(long), 4};
    case 'q':
    case 'Q': return {sizeof(long long), 8};
    case 'n':
    case 'N': return {sizeof(size_t), 0};
    case 'P': return {sizeof(void*), 0};
    case 'e': return {2, 2};
    case 'f': return {4, 4};
    case 'd': return {8, 8};
    default: return {0, 0};
  }
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Raised RaiseTooLong(ThreadState& ts) { return RaiseStruct(ts, "total struct size too long"); }

}  // namespace

Status Compile(ThreadState& ts, std::string_view text, Format* out) {
  if (text.find('\0') != text.npos) return RaiseStruct(ts, "embedded null character");
  bool native = true, big = std::endian::native == std::endian::big;
  size_t at = 0;
  if (!text.empty()) {
    const char order = text[0];
    native = order != '<' && order != '>' && order != '!' && order != '=';
    if (order == '<') big = false;
    if (order == '>' || order == '!') big = true;
    if (!native || order == '@') at = 1;
  }
  HeldMemory held;
  SmallVector<Field, 16> fields;
  uint64_t size = 0, items = 0;
  while (at < text.size()) {
    char c = text[at++];
    if (IsSpace(c)) continue;
    uint64_t count = 1;
    if (c >= '0' && c <= '9') {
      count = 0;
      for (;; c = text[at++]) {
        if (c < '0' || c > '9') break;
        if (__builtin_mul_overflow(count, 10u, &count) ||
            __builtin_add_overflow(count, static_cast<uint64_t>(c - '0'), &count) ||
            count > INT64_MAX) {
          return RaiseTooLong(ts);
        }
        if (at == text.size()) {
          return RaiseStruct(ts, "repeat count given without format specifier");
        }
      }
    }
    const Code code = CodeOf(c);
    const uint64_t item_size = native ? code.native_size : code.standard_size;
    if (item_size == 0) return RaiseStruct(ts, "bad char in struct format");
    if (native) size = (size + item_size - 1) / item_size * item_size;
    uint64_t bytes;
    if (__builtin_mul_overflow(count, item_size, &bytes) || bytes > INT64_MAX ||
        size > INT64_MAX - bytes) {
      return RaiseTooLong(ts);
    }
    const bool whole = c == 's' || c == 'p';
    if (c != 'x' && (count > 0 || whole)) {
      // It grows by no more than doubling.
      if (fields.size() == fields.capacity()) {
        MVM_TRY_VOID(held.Add(ts, fields.capacity() * sizeof(Field)));
      }
      if (!fields.Push({size, count, static_cast<uint32_t>(item_size), c, native, big})) {
        return RaiseMemoryError(ts);
      }
      items += whole ? 1 : count;
    }
    size += bytes;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  const char* first = fields.size() ? reinterpret_cast<const char*>(&fields[0]) : "";
  MVM_TRY(Ref<BytesObject> packed, NewBytes(ts, {first, fields.size() * sizeof(Field)}));
  out->fields = std::move(packed);
  out->size = static_cast<int64_t>(size);
  out->items = static_cast<int64_t>(items);
  return Ok();
}

}  // namespace minivm::structs
