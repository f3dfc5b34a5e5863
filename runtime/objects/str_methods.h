// Parts of the str type that its implementation files share.
#pragma once

#include "runtime/objects/str_object.h"
#include "runtime/support/small_vector.h"
#include "runtime/support/unicode.h"

namespace minivm {

// Whitespace, without a table for Latin-1.
template <class CharT>
inline bool IsSpaceChar(CharT c) {
  if (c < 0x80) return c <= ' ' && ((uint64_t{0x1F0003E00}) >> c & 1);
  if constexpr (sizeof(CharT) == 1) {
    return c == 0x85 || c == 0xA0;
  } else {
    return IsSpace(c);
  }
}

// Where the occurrences of a piece begin, for replace().
using Positions = SmallVector<size_t, 128>;

// The list lies outside of the heap and can outgrow the text eightfold: before a long one doubles,
// the memory cap is asked. False: no memory.
inline bool PushPosition(ThreadState& ts, size_t at, Positions* out) {
  const size_t n = out->size();
  if (n == out->capacity() && n >= (1 << 16) && ts.heap().WouldExceed(3 * n * sizeof(at)))
    return false;
  return out->Push(at);
}

// start and end of s[start:end] from two optional arguments (absent, None or index), clamped to
// [0, length]; start may stay past end or length (nothing matches then).
Status SliceBounds(ThreadState& ts, Value start, Value end, size_t length, size_t* from,
                   size_t* to);
// TypeError "<function>() <which> must be <wanted>, not T"; None shows as itself.
[[gnu::cold]] Raised RaiseBadArgument(ThreadState& ts, const char* function, const char* which,
                                      const char* wanted, Value v);
// An integer argument of C's ssize_t: a count, a width, an index.
Result<int64_t> AsSizeSlow(ThreadState& ts, Value v);
inline Result<int64_t> AsSize(ThreadState& ts, Value v) {
  return MVM_LIKELY(v.is_int()) ? Result<int64_t>(v.as_int()) : AsSizeSlow(ts, v);
}
// v as a str; else TypeError "<method>() argument <n> must be str, not T" (n 0: no number).
Result<StrObject*> StrArgument(ThreadState& ts, Value v, const char* method, int number);

// str_methods.cpp: searching, stripping, padding, replacing
Result<> str_center(ThreadState& ts, Args args);
Result<> str_count(ThreadState& ts, Args args);
Result<> str_endswith(ThreadState& ts, Args args);
Result<> str_expandtabs(ThreadState& ts, Args args);
Result<> str_find(ThreadState& ts, Args args);
Result<> str_index(ThreadState& ts, Args args);
Result<> str_ljust(ThreadState& ts, Args args);
Result<> str_lstrip(ThreadState& ts, Args args);
Result<> str_maketrans(ThreadState& ts, Args args);
Result<> str_removeprefix(ThreadState& ts, Args args);
Result<> str_removesuffix(ThreadState& ts, Args args);
Result<> str_replace(ThreadState& ts, Args args);
Result<> str_rfind(ThreadState& ts, Args args);
Result<> str_rindex(ThreadState& ts, Args args);
Result<> str_rjust(ThreadState& ts, Args args);
Result<> str_rstrip(ThreadState& ts, Args args);
Result<> str_startswith(ThreadState& ts, Args args);
Result<> str_strip(ThreadState& ts, Args args);
Result<> str_translate(ThreadState& ts, Args args);
Result<> str_zfill(ThreadState& ts, Args args);
// str_split.cpp
Result<> str_partition(ThreadState& ts, Args args);
Result<> str_rpartition(ThreadState& ts, Args args);
Result<> str_rsplit(ThreadState& ts, Args args);
Result<> str_split(ThreadState& ts, Args args);
Result<> str_splitlines(ThreadState& ts, Args args);
// str_case.cpp: case mappings and the tests of characters
Result<> str_capitalize(ThreadState& ts, Args args);
Result<> str_casefold(ThreadState& ts, Args args);
Result<> str_isalnum(ThreadState& ts, Args args);
Result<> str_isalpha(ThreadState& ts, Args args);
Result<> str_isascii(ThreadState& ts, Args args);
Result<> str_isdecimal(ThreadState& ts, Args args);
Result<> str_isdigit(ThreadState& ts, Args args);
Result<> str_isidentifier(ThreadState& ts, Args args);
Result<> str_islower(ThreadState& ts, Args args);
Result<> str_isnumeric(ThreadState& ts, Args args);
Result<> str_isprintable(ThreadState& ts, Args args);
Result<> str_isspace(ThreadState& ts, Args args);
Result<> str_istitle(ThreadState& ts, Args args);
Result<> str_isupper(ThreadState& ts, Args args);
Result<> str_lower(ThreadState& ts, Args args);
Result<> str_swapcase(ThreadState& ts, Args args);
Result<> str_title(ThreadState& ts, Args args);
Result<> str_upper(ThreadState& ts, Args args);

}  // namespace minivm
