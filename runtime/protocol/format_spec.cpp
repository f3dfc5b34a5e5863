// Parsing of format specs and the layout of padded, grouped numbers.
#include "runtime/protocol/format_spec.h"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstring>

#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

bool IsAlign(char32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

// Decimal digits at *pos; *value stays if there are none. False: too large for int64.
bool ReadNumber(const StrObject* s, size_t* pos, int64_t* value) {
  int64_t n = 0;
  size_t i = *pos;
  for (; i < s->length; ++i) {
    const int digit = DecimalValue(s->At(i));
    if (digit < 0) break;
    if (n > (INT64_MAX - digit) / 10) return false;
    n = n * 10 + digit;
  }
  if (i != *pos) *value = n;
  *pos = i;
  return true;
}

// The character as the messages show it: itself or \x and its number.
struct CodeText {
  explicit CodeText(char32_t c) {
    if (c > 32 && c < 128) {
      std::snprintf(text, sizeof(text), "%c", static_cast<char>(c));
    } else {
      std::snprintf(text, sizeof(text), "\\x%x", static_cast<unsigned>(c));
    }
  }
  char text[16];
};

bool MayGroup(char32_t grouping, char32_t type) {
  switch (type) {
    case 0:
    case 'd':
    case 'e':
    case 'f':
    case 'g':
    case 'E':
    case 'G':
    case '%':
    case 'F': return true;
    case 'b':
    case 'o':
    case 'x':
    case 'X': return grouping == '_';
    default: return false;
  }
}

size_t SeparatorCount(const Grouping& g, size_t digits) {
  if (g.separator == 0 || digits == 0) return 0;
  if (g.count == 1 && g.repeat) return (digits - 1) / g.sizes[0];
  size_t n = 0;
  for (int i = 0; i < g.count && digits > g.sizes[i]; ++i) {
    digits -= g.sizes[i];
    ++n;
  }
  if (g.repeat && digits > g.sizes[g.count - 1] && n == static_cast<size_t>(g.count)) {
    n += (digits - 1) / g.sizes[g.count - 1];
  }
  return n;
}

// Does a separator stand before the last `digits` digits?
bool IsBoundary(const Grouping& g, size_t digits) {
  for (int i = 0; i < g.count; ++i) {
    if (digits == g.sizes[i]) return true;
    if (digits < g.sizes[i]) return false;
    digits -= g.sizes[i];
  }
  return g.repeat && digits % g.sizes[g.count - 1] == 0;
}

template <class C>
C* PutAscii(C* out, std::string_view s) {
  for (char c : s) *out++ = static_cast<C>(static_cast<unsigned char>(c));
  return out;
}

template <class C>
C* PutDigits(C* out, const NumberText& number, const Grouping& g, size_t total) {
  const size_t zeros = total - number.digits.size();
  if (g.separator == 0) {
    out = std::fill_n(out, zeros, static_cast<C>('0'));
    return PutAscii(out, number.digits);
  }
  for (size_t i = 0; i < total; ++i) {
    if (i != 0 && IsBoundary(g, total - i)) *out++ = static_cast<C>(g.separator);
    *out++ = i < zeros ? static_cast<C>('0') : static_cast<C>(number.digits[i - zeros]);
  }
  return out;
}

}  // namespace

Raised RaiseUnknownCode(ThreadState& ts, char32_t code, const char* type_name) {
  return Raise(ts, Exc::kValueError, "Unknown format code '%s' for object of type '%s'",
               CodeText(code).text, type_name);
}

Status ParseFormatSpec(ThreadState& ts, StrObject* spec, const char* type_name,
                       char32_t default_type, char32_t default_align, FormatSpec* out) {
  const size_t n = spec->length;
  auto at = [spec](size_t i) { return spec->At(i); };
  size_t pos = 0;
  bool fill_given = false;
  out->align = default_align;
  out->type = default_type;
  if (n >= 2 && IsAlign(at(1))) {
    out->fill = at(0);
    out->align = at(1);
    fill_given = out->align_given = true;
    pos = 2;
  } else if (n >= 1 && IsAlign(at(0))) {
    out->align = at(0);
    out->align_given = true;
    pos = 1;
  }
  if (pos < n && (at(pos) == ' ' || at(pos) == '+' || at(pos) == '-')) out->sign = at(pos++);
  if (pos < n && at(pos) == 'z') {
    out->no_negative_zero = true;
    ++pos;
  }
  if (pos < n && at(pos) == '#') {
    out->alternate = true;
    ++pos;
  }
  if (!fill_given && pos < n && at(pos) == '0') {
    out->fill = '0';
    if (!out->align_given && default_align == '>') out->align = '=';
    ++pos;
  }
  static constexpr const char* kTooMany = "Too many decimal digits in format string";
  if (!ReadNumber(spec, &pos, &out->width)) return Raise(ts, Exc::kValueError, kTooMany);
  if (pos < n && at(pos) == ',') {
    out->grouping = ',';
    ++pos;
  }
  if (pos < n && at(pos) == '_') {
    if (out->grouping) return Raise(ts, Exc::kValueError, "Cannot specify both ',' and '_'.");
    out->grouping = '_';
    ++pos;
  }
  if (pos < n && at(pos) == ',' && out->grouping == '_') {
    return Raise(ts, Exc::kValueError, "Cannot specify both ',' and '_'.");
  }
  if (pos < n && at(pos) == '.') {
    ++pos;
    const size_t start = pos;
    if (!ReadNumber(spec, &pos, &out->precision)) return Raise(ts, Exc::kValueError, kTooMany);
    if (pos == start) return Raise(ts, Exc::kValueError, "Format specifier missing precision");
  }
  if (n - pos > 1) {
    return Raise(ts, Exc::kValueError, "Invalid format specifier '%U' for object of type '%s'",
                 Value(spec), type_name);
  }
  if (n - pos == 1) out->type = at(pos);
  if (out->grouping && !MayGroup(out->grouping, out->type)) {
    return Raise(ts, Exc::kValueError, "Cannot specify '%c' with '%s'.",
                 static_cast<int>(out->grouping), CodeText(out->type).text);
  }
  return Ok();
}

Grouping GroupingFor(const FormatSpec& spec) {
  Grouping g;
  if (spec.type == 'n') {
    // The C library's locale, "C" unless somebody called setlocale().
    const lconv* lc = std::localeconv();
    const char* p = lc->decimal_point;
    if (p && *p && !IsAscii(p, std::strlen(p))) {
      g.point = NextUtf8(&p);
    } else if (p && *p) {
      g.point = static_cast<unsigned char>(*p);
    }
    p = lc->thousands_sep;
    if (!p || !*p || !lc->grouping[0] || lc->grouping[0] == 127) return g;
    g.separator = NextUtf8(&p);
    g.count = 0;
    for (const char* s = lc->grouping; *s && g.count < 8; ++s) {
      if (*s == 127) {
        g.repeat = false;
        break;
      }
      g.sizes[g.count++] = static_cast<uint8_t>(*s);
    }
    return g;
  }
  g.separator = spec.grouping;
  if (spec.type == 'b' || spec.type == 'o' || spec.type == 'x' || spec.type == 'X') g.sizes[0] = 4;
  return g;
}

Result<StrObject> LayOutNumber(ThreadState& ts, const NumberText& number, const FormatSpec& spec,
                               const Grouping& g) {
  const size_t width = spec.width < 0 ? 0 : static_cast<size_t>(spec.width);
  if (width > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  const size_t around =
      (number.sign != 0) + number.prefix.size() + number.point + number.tail.size();
  size_t digits = number.digits.size();
  if (spec.fill == '0' && spec.align == '=' && width > around) {
    // Zeros belong to the digits, so that they are grouped too: the fewest that reach the width.
    const size_t want = width - around;
    if (want > digits) {
      size_t smallest = 255;
      for (int i = 0; i < g.count; ++i) smallest = std::min<size_t>(smallest, g.sizes[i]);
      const size_t guess = g.separator ? want / (smallest + 1) * smallest : want;
      digits = std::max(digits, guess);
      while (digits + SeparatorCount(g, digits) < want) ++digits;
    }
  }
  const size_t length = around + digits + SeparatorCount(g, digits);
  const size_t pad = width > length ? width - length : 0;
  size_t left = 0, middle = 0;
  switch (spec.align) {
    case '>': left = pad; break;
    case '^': left = pad / 2; break;
    case '=': middle = pad; break;
    default: break;
  }
  char32_t bound = 0x7F;
  if (pad) bound = std::max(bound, spec.fill);
  if (number.point) bound = std::max(bound, g.point);
  if (digits > 1) bound = std::max(bound, g.separator);
  MVM_TRY(Ref<StrObject> made, NewStrRaw(ts, length + pad, bound));
  WithChars(made.get(), [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    const C fill = static_cast<C>(spec.fill);
    C* out = std::fill_n(const_cast<C*>(p), left, fill);
    if (number.sign) *out++ = static_cast<C>(number.sign);
    out = PutAscii(out, number.prefix);
    out = std::fill_n(out, middle, fill);
    out = PutDigits(out, number, g, digits);
    if (number.point) *out++ = static_cast<C>(g.point);
    out = PutAscii(out, number.tail);
    std::fill_n(out, pad - left - middle, fill);
  });
  return bound > 0x7F ? StrNarrow(ts, std::move(made)) : Result<StrObject>(std::move(made));
}

Result<StrObject> PadText(ThreadState& ts, StrObject* text, size_t length, const FormatSpec& spec) {
  const size_t width = spec.width < 0 ? 0 : static_cast<size_t>(spec.width);
  if (width <= length) return StrSlice(ts, text, 0, length);
  if (width > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  const size_t pad = width - length;
  const size_t left = spec.align == '>' ? pad : spec.align == '^' ? pad / 2 : 0;
  MVM_TRY(Ref<StrObject> made, NewStrRaw(ts, width, std::max(text->bound(), spec.fill)));
  StrCopyChars(made, left, text, 0, length);
  WithChars(made.get(), [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    C* out = const_cast<C*>(p);
    std::fill_n(out, left, static_cast<C>(spec.fill));
    std::fill_n(out + left + length, pad - left, static_cast<C>(spec.fill));
  });
  return StrNarrow(ts, std::move(made));
}

}  // namespace minivm
