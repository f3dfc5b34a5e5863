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
#define MVM_BYTE_METHOD_ROWS                                                                      \
  {"capitalize(self, /)", bytes_capitalize,                                                       \
   "A copy in lower case whose first letter is upper case; ASCII only."},                         \
      {"center(self, width, fillchar=<unrepresentable>, /)", bytes_center,                        \
       "A copy with fillchar on both sides up to the width."},                                    \
      {"count(self, sub, start=None, end=None, /)", bytes_count,                                  \
       "How often sub is found without overlap."},                                                \
      {"decode(self, /, encoding='utf-8', errors='strict')", bytes_decode,                        \
       "The text that the bytes stand for; UnicodeDecodeError if errors is strict."},             \
      {"endswith(self, suffix, start=None, end=None, /)", bytes_endswith,                         \
       "Whether the bytes end with suffix, or with one of a tuple."},                             \
      {"expandtabs(self, /, tabsize=8)", bytes_expandtabs,                                        \
       "A copy with spaces up to the next tab stop for each tab."},                               \
      {"find(self, sub, start=None, end=None, /)", bytes_find,                                    \
       "The first position of sub, -1 where it is missing."},                                     \
      {"fromhex(type, string, /)", bytes_fromhex,                                                 \
       "The bytes that pairs of hexadecimal digits spell; white space may stand between.",        \
       kMethodClass},                                                                             \
      {"hex(self, /, sep=<unrepresentable>, bytes_per_sep=1)", bytes_hex,                         \
       "Two hexadecimal digits for each byte, with sep between groups, counted from the end."},   \
      {"index(self, sub, start=None, end=None, /)", bytes_index,                                  \
       "The first position of sub; ValueError where it is missing."},                             \
      {"isalnum(self, /)", bytes_isalnum,                                                         \
       "Whether there are only ASCII letters and digits, at least one."},                         \
      {"isalpha(self, /)", bytes_isalpha, "Whether there are only ASCII letters, at least one."}, \
      {"isascii(self, /)", bytes_isascii, "Whether every byte is below 128."},                    \
      {"isdigit(self, /)", bytes_isdigit, "Whether there are only ASCII digits, at least one."},  \
      {"islower(self, /)", bytes_islower,                                                         \
       "Whether there are letters and all of them are lower case."},                              \
      {"isspace(self, /)", bytes_isspace,                                                         \
       "Whether there is only ASCII white space, at least one byte."},                            \
      {"istitle(self, /)", bytes_istitle,                                                         \
       "Whether each word begins, and only begins, with an upper case letter."},                  \
      {"isupper(self, /)", bytes_isupper,                                                         \
       "Whether there are letters and all of them are upper case."},                              \
      {"join(self, iterable_of_bytes, /)", bytes_join,                                            \
       "The bytes-like items one behind the other, with self between them."},                     \
      {"ljust(self, width, fillchar=<unrepresentable>, /)", bytes_ljust,                          \
       "A copy with fillchar behind it up to the width."},                                        \
      {"lower(self, /)", bytes_lower, "A copy with ASCII letters in lower case."},                \
      {"lstrip(self, bytes=None, /)", bytes_lstrip,                                               \
       "A copy without white space, or those bytes, at its beginning."},                          \
      {"maketrans(frm, to, /)", bytes_maketrans,                                                  \
       "A table for translate() that maps each byte of frm to that of to.", kMethodStatic},       \
      {"partition(self, sep, /)", bytes_partition,                                                \
       "(before, sep, after) for the first sep; (all, empty, empty) without one."},               \
      {"removeprefix(self, prefix, /)", bytes_removeprefix,                                       \
       "A copy without prefix, where it begins with it."},                                        \
      {"removesuffix(self, suffix, /)", bytes_removesuffix,                                       \
       "A copy without suffix, where it ends with it."},                                          \
      {"replace(self, old, new, count=-1, /)", bytes_replace,                                     \
       "A copy with new for old, in the first count places or all."},                             \
      {"rfind(self, sub, start=None, end=None, /)", bytes_rfind,                                  \
       "The last position of sub, -1 where it is missing."},                                      \
      {"rindex(self, sub, start=None, end=None, /)", bytes_rindex,                                \
       "The last position of sub; ValueError where it is missing."},                              \
      {"rjust(self, width, fillchar=<unrepresentable>, /)", bytes_rjust,                          \
       "A copy with fillchar before it up to the width."},                                        \
      {"rpartition(self, sep, /)", bytes_rpartition,                                              \
       "(before, sep, after) for the last sep; (empty, empty, all) without one."},                \
      {"rsplit(self, /, sep=None, maxsplit=-1)", bytes_rsplit,                                    \
       "Like split(), but maxsplit counts from the end."},                                        \
      {"rstrip(self, bytes=None, /)", bytes_rstrip,                                               \
       "A copy without white space, or those bytes, at its end."},                                \
      {"split(self, /, sep=None, maxsplit=-1)", bytes_split,                                      \
       "The parts between occurrences of sep, or of white space; at most maxsplit cuts."},        \
      {"splitlines(self, /, keepends=False)", bytes_splitlines,                                   \
       "The lines, with their ends if keepends."},                                                \
      {"startswith(self, prefix, start=None, end=None, /)", bytes_startswith,                     \
       "Whether the bytes begin with prefix, or with one of a tuple."},                           \
      {"strip(self, bytes=None, /)", bytes_strip,                                                 \
       "A copy without white space, or those bytes, at both ends."},                              \
      {"swapcase(self, /)", bytes_swapcase, "A copy with the other case for each ASCII letter."}, \
      {"title(self, /)", bytes_title,                                                             \
       "A copy whose words begin in upper case and go on in lower case."},                        \
      {"translate(self, table, /, delete=<unrepresentable>)", bytes_translate,                    \
       "A copy mapped through a table of 256 bytes, or None; the bytes of delete go first."},     \
      {"upper(self, /)", bytes_upper, "A copy with ASCII letters in upper case."}, {              \
    "zfill(self, width, /)", bytes_zfill, "A copy with zeros, behind a sign, up to the width."    \
  }

}  // namespace minivm
