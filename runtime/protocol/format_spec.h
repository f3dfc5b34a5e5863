// A parsed format spec: [[fill]align][sign]["z"]["#"]["0"][width][grouping]["." precision][type]
#pragma once

#include <string_view>

#include "runtime/objects/str_object.h"

namespace minivm {

struct FormatSpec {
  char32_t fill = ' ';
  char32_t align = '<';  // < > = ^
  bool align_given = false;
  char32_t sign = 0;  // + - or space; 0: not given
  bool no_negative_zero = false;
  bool alternate = false;
  int64_t width = -1;     // -1: not given
  char32_t grouping = 0;  // , or _ ; 'n' after GroupingFor: by locale
  int64_t precision = -1;
  char32_t type = 0;  // 0: not given and no default
};

// ValueError with CPython's text if the spec is malformed. `type_name`: of the value, UTF-8.
Status ParseFormatSpec(ThreadState& ts, StrObject* spec, const char* type_name,
                       char32_t default_type, char32_t default_align, FormatSpec* out);
// "Unknown format code 'x' for object of type 't'"
Raised RaiseUnknownCode(ThreadState& ts, char32_t code, const char* type_name);

// A number's text, taken apart; all ASCII.
struct NumberText {
  char sign = 0;            // - + space, 0: none
  std::string_view prefix;  // 0x
  std::string_view digits;  // before the point (or the whole of inf, nan)
  bool point = false;       // a decimal point follows
  std::string_view tail;    // fraction, exponent, %
};

// Groups of digits and the decimal point, by spec or locale.
struct Grouping {
  char32_t point = '.';
  char32_t separator = 0;  // 0: none
  uint8_t sizes[8] = {3};  // from the right
  int count = 1;
  bool repeat = true;  // the last size goes on
};
Grouping GroupingFor(const FormatSpec& spec);

// Sign, padding and grouping around the number.
Result<StrObject> LayOutNumber(ThreadState& ts, const NumberText& number, const FormatSpec& spec,
                               const Grouping& grouping);
// Pads text to the spec's width.
Result<StrObject> PadText(ThreadState& ts, StrObject* text, size_t length, const FormatSpec& spec);

}  // namespace minivm
