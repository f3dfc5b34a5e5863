// Multibyte codecs: a table of encodings, each with two functions that convert one unit at a time.
//
// A unit is what belongs together: a character's bytes, an escape sequence, or two characters with
// one code. The loops over whole inputs, and what happens at errors, are the same for all
// (charsets_module.cpp). double_byte.cpp has the encodings without state, iso2022.cpp those whose
// bytes mean what an escape sequence before them said.
#pragma once

#include <string_view>

#include "stdlib/multibyte/charset.h"

namespace minivm {

inline constexpr size_t kMaxCodecSets = 5;
inline constexpr size_t kMaxUnitBytes = 16;

// What a unit decodes to if it is no character: an escape sequence, say.
inline constexpr Cell kNoCell = 0xFFFFFFFFu;
// In place of the next character, when there is none: more may come, or not.
inline constexpr char32_t kMoreToCome = 0xFFFFFFFFu;
inline constexpr char32_t kNothingMore = 0xFFFFFFFEu;

// Eight bytes as scripts see them in getstate(), the first one lowest. Untrusted: scripts set it.
using CodecState = uint64_t;

struct Designation;

struct MultibyteSpec {
  std::string_view name;
  // Decodes the unit at p[0..n), n > 0. Returns how many bytes it has, with its character(s) in
  // *out; 0 if its end is missing, -n if the first n bytes are wrong.
  int (*decode)(const struct MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
                Cell* out);
  // Encodes c, or c and next. Returns how many characters the unit has, with its bytes at out and
  // their number in *size; 0 if it depends on what comes next, -1 if there is no code.
  int (*encode)(const struct MultibyteCodec& codec, CodecState* state, char32_t c, char32_t next,
                uint8_t* out, size_t* size);
  CharsetId sets[kMaxCodecSets] = {};
  // Bytes that end the output; null: none. Updates *state.
  void (*finish)(CodecState* state, uint8_t* out, size_t* size) = nullptr;
  CodecState decode_start = 0;
  CodecState encode_start = 0;
  const Designation* designations = nullptr;  // of ISO 2022
  bool plain_ascii = true;                    // ASCII is itself, in any state
};

struct MultibyteCodec {
  const MultibyteSpec* spec;
  Charset sets[kMaxCodecSets];
};

// Null if there is none of that name.
const MultibyteSpec* FindMultibyteCodec(std::string_view name);
// The i-th codec of ISO 2022 and HZ, null at the end.
const MultibyteSpec* StatefulCodecAt(size_t i);

}  // namespace minivm
