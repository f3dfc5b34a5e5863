// Text as numbers see it: Unicode digits and spaces folded to ASCII.
#pragma once

#include <string>

#include "runtime/objects/str_object.h"
#include "runtime/support/unicode.h"

namespace minivm {

// The text without surrounding white space, decimal digits of any script as ASCII ones and inner
// spaces as ' '; any other character outside ASCII becomes '?' (which no number contains).
inline std::string FoldNumberText(const StrObject* s) {
  size_t from = 0, to = s->length;
  while (from < to && IsSpace(s->At(from))) ++from;
  while (to > from && IsSpace(s->At(to - 1))) --to;
  if (s->ascii()) {
    return std::string(reinterpret_cast<const char*>(s->data1()) + from, to - from);
  }
  std::string out;
  out.reserve(to - from);
  for (size_t i = from; i < to; ++i) {
    char32_t c = s->At(i);
    if (c < 128) {
      out.push_back(static_cast<char>(c));
    } else if (int d = DecimalValue(c); d >= 0) {
      out.push_back(static_cast<char>('0' + d));
    } else {
      out.push_back(IsSpace(c) ? ' ' : '?');
    }
  }
  return out;
}
inline std::string FoldNumberText(std::string_view bytes) {
  size_t from = 0, to = bytes.size();
  auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (from < to && space(bytes[from])) ++from;
  while (to > from && space(bytes[to - 1])) --to;
  return std::string(bytes.substr(from, to - from));
}

}  // namespace minivm
