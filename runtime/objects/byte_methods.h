// What bytes and bytearray share: both method tables name these functions.
//
// Results are of the receiver's kind (bytes or bytearray, never a subclass). Arguments are any
// bytes-like objects. Script code (__index__, __buffer__) runs before the receiver's bytes are
// looked at, because a bytearray may change in it.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"
#include "runtime/objects/bytes_object.h"

namespace minivm {

// The bytes of a bytes or bytearray object (or of a subclass).
std::string_view BytesOf(ThreadState& ts, Value v);
// A new object of self's kind.
Result<> BytesLike(ThreadState& ts, Value self, std::string_view data);

// data.hex(sep, bytes_per_sep); sep may be absent or null.
Result<StrObject> BytesHex(ThreadState& ts, std::string_view data, Value sep, Value bytes_per_sep);
// An item of an iterable of ints, or ValueError / TypeError. `plural`: bytes() says "bytes must".
Result<uint8_t> ByteFromValue(ThreadState& ts, Value v, bool plural = false);

// The arguments of bytes() and bytearray(), raw.
struct BytesArguments {
  Value source, encoding, errors;  // null where not given
};
Status ParseBytesArguments(ThreadState& ts, const char* name, Args raw, BytesArguments* out);
// Appends the bytes that the arguments stand for to *out.
Status CollectBytes(ThreadState& ts, const BytesArguments& args, const char* name,
                    class TextBuffer* out);

// clang-format off
#define MVM_BYTE_METHODS(M) \
  M(capitalize) M(center) M(count) M(decode) M(endswith) M(expandtabs) M(find) M(hex) \
  M(index) M(isalnum) M(isalpha) M(isascii) M(isdigit) M(islower) M(isspace) M(istitle) \
  M(isupper) M(join) M(ljust) M(lower) M(lstrip) M(maketrans) M(partition) M(removeprefix) \
  M(removesuffix) M(replace) M(rfind) M(rindex) M(rjust) M(rpartition) M(rsplit) M(rstrip) \
  M(split) M(splitlines) M(startswith) M(strip) M(swapcase) M(title) M(translate) M(upper) \
  M(zfill)
// clang-format on
#define MVM_DECLARE_BYTE_METHOD(name) Result<> bytes_##name(ThreadState& ts, Args args);
MVM_BYTE_METHODS(MVM_DECLARE_BYTE_METHOD)
#undef MVM_DECLARE_BYTE_METHOD
Result<> bytes_fromhex(ThreadState& ts, Args args);

// The rows of both method tables.
#define MVM_BYTE_METHOD_ROWS                                                                    \
  {"capitalize(self, /)", bytes_capitalize,                                                     \
   "Return a copy with the first byte upper case and the rest lower."},                         \
      {"center(self, width, fillchar=<unrepresentable>, /)", bytes_center,                      \
       "Return a centered copy of length width."},                                              \
      {"count(self, sub, start=None, end=None, /)", bytes_count,                                \
       "Return the number of non-overlapping occurrences of sub."},                             \
      {"decode(self, /, encoding='utf-8', errors='strict')", bytes_decode,                      \
       "Decode the bytes using the codec registered for encoding."},                            \
      {"endswith(self, suffix, start=None, end=None, /)", bytes_endswith,                       \
       "Return True if the bytes end with the suffix (or one of a tuple)."},                    \
      {"expandtabs(self, /, tabsize=8)", bytes_expandtabs,                                      \
       "Return a copy with tabs replaced by spaces."},                                          \
      {"find(self, sub, start=None, end=None, /)", bytes_find,                                  \
       "Return the lowest index of sub, -1 if there is none."},                                 \
      {"fromhex(type, string, /)", bytes_fromhex,                                               \
       "Create an object from a string of hexadecimal numbers.", kMethodClass},                 \
      {"hex(self, /, sep=<unrepresentable>, bytes_per_sep=1)", bytes_hex,                       \
       "Return a string of hexadecimal numbers, grouped by sep."},                              \
      {"index(self, sub, start=None, end=None, /)", bytes_index,                                \
       "Return the lowest index of sub; ValueError if there is none."},                         \
      {"isalnum(self, /)", bytes_isalnum,                                                       \
       "Return True if all bytes are ASCII letters or digits."},                                \
      {"isalpha(self, /)", bytes_isalpha, "Return True if all bytes are ASCII letters."},       \
      {"isascii(self, /)", bytes_isascii, "Return True if all bytes are ASCII."},               \
      {"isdigit(self, /)", bytes_isdigit, "Return True if all bytes are ASCII digits."},        \
      {"islower(self, /)", bytes_islower, "Return True if all letters are lower case."},        \
      {"isspace(self, /)", bytes_isspace, "Return True if all bytes are ASCII whitespace."},    \
      {"istitle(self, /)", bytes_istitle, "Return True if the bytes are title-cased."},         \
      {"isupper(self, /)", bytes_isupper, "Return True if all letters are upper case."},        \
      {"join(self, iterable_of_bytes, /)", bytes_join,                                          \
       "Concatenate any number of bytes-like objects, with this one between."},                 \
      {"ljust(self, width, fillchar=<unrepresentable>, /)", bytes_ljust,                        \
       "Return a left-justified copy of length width."},                                        \
      {"lower(self, /)", bytes_lower, "Return a copy with ASCII letters in lower case."},       \
      {"lstrip(self, bytes=None, /)", bytes_lstrip,                                             \
       "Strip leading whitespace (or the given bytes)."},                                       \
      {"maketrans(frm, to, /)", bytes_maketrans, "Return a translation table for translate().", \
       kMethodStatic},                                                                          \
      {"partition(self, sep, /)", bytes_partition,                                              \
       "Split at the first sep: (before, sep, after)."},                                        \
      {"removeprefix(self, prefix, /)", bytes_removeprefix,                                     \
       "Return a copy with the prefix removed if present."},                                    \
      {"removesuffix(self, suffix, /)", bytes_removesuffix,                                     \
       "Return a copy with the suffix removed if present."},                                    \
      {"replace(self, old, new, count=-1, /)", bytes_replace,                                   \
       "Return a copy with occurrences of old replaced by new."},                               \
      {"rfind(self, sub, start=None, end=None, /)", bytes_rfind,                                \
       "Return the highest index of sub, -1 if there is none."},                                \
      {"rindex(self, sub, start=None, end=None, /)", bytes_rindex,                              \
       "Return the highest index of sub; ValueError if there is none."},                        \
      {"rjust(self, width, fillchar=<unrepresentable>, /)", bytes_rjust,                        \
       "Return a right-justified copy of length width."},                                       \
      {"rpartition(self, sep, /)", bytes_rpartition,                                            \
       "Split at the last sep: (before, sep, after)."},                                         \
      {"rsplit(self, /, sep=None, maxsplit=-1)", bytes_rsplit,                                  \
       "Return a list of the sections between separators, from the end."},                      \
      {"rstrip(self, bytes=None, /)", bytes_rstrip,                                             \
       "Strip trailing whitespace (or the given bytes)."},                                      \
      {"split(self, /, sep=None, maxsplit=-1)", bytes_split,                                    \
       "Return a list of the sections between separators."},                                    \
      {"splitlines(self, /, keepends=False)", bytes_splitlines, "Return a list of the lines."}, \
      {"startswith(self, prefix, start=None, end=None, /)", bytes_startswith,                   \
       "Return True if the bytes start with the prefix (or one of a tuple)."},                  \
      {"strip(self, bytes=None, /)", bytes_strip,                                               \
       "Strip leading and trailing whitespace (or the given bytes)."},                          \
      {"swapcase(self, /)", bytes_swapcase,                                                     \
       "Return a copy with the case of ASCII letters swapped."},                                \
      {"title(self, /)", bytes_title, "Return a title-cased copy."},                            \
      {"translate(self, table, /, delete=<unrepresentable>)", bytes_translate,                  \
       "Map each byte through a table of 256 bytes; None keeps bytes."},                        \
      {"upper(self, /)", bytes_upper, "Return a copy with ASCII letters in upper case."}, {     \
    "zfill(self, width, /)", bytes_zfill,                                                       \
        "Pad with ASCII zeros on the left to width bytes, after a sign."                        \
  }

}  // namespace minivm
