// format(Decimal, spec): the mini-language as decimal numbers have it.
//
// [[fill]align][sign]["z"]["#"]["0"][width][","]["." precision][type], type one of e E f F g G n %.
// Rounding follows the current context; every malformed spec gives "invalid format string".
#include <algorithm>

#include "runtime/objects/dict_object.h"
#include "runtime/protocol/format_spec.h"
#include "stdlib/decimal/decimal_object.h"

namespace minivm::decimal {

namespace {

Raised RaiseInvalidSpec(ThreadState& ts) {
  return Raise(ts, Exc::kValueError, "invalid format string");
}

// A decimal number in the spec; -1 if there is none, -2 if it is out of range.
int64_t ReadSpecNumber(StrObject* spec, size_t* pos) {
  if (*pos >= spec->length || spec->At(*pos) < '0' || spec->At(*pos) > '9') return -1;
  int64_t n = 0;
  for (; *pos < spec->length && spec->At(*pos) >= '0' && spec->At(*pos) <= '9'; ++*pos) {
    if (n > INT64_MAX / 10 - 10) {
      n = -2;
      while (*pos < spec->length && spec->At(*pos) >= '0' && spec->At(*pos) <= '9') ++*pos;
      return n;
    }
    n = n * 10 + static_cast<int64_t>(spec->At(*pos) - '0');
  }
  return n;
}

bool IsAlignment(char32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

Status ParseSpec(ThreadState& ts, StrObject* spec, bool capitals, FormatSpec* out,
                 bool* capital_n) {
  const size_t n = spec->length;
  size_t pos = 0;
  auto peek = [&] { return pos < n ? spec->At(pos) : char32_t{0}; };
  out->align = '>';
  out->type = capitals ? 'G' : 'g';
  if (n >= 2 && IsAlignment(spec->At(1))) {
    out->fill = spec->At(0);
    out->align = spec->At(1);
    out->align_given = true;
    pos = 2;
  } else if (n >= 1 && IsAlignment(spec->At(0))) {
    out->align = spec->At(0);
    out->align_given = true;
    pos = 1;
  }
  if (peek() == '+' || peek() == '-' || peek() == ' ') out->sign = spec->At(pos++);
  if (peek() == 'z') {
    out->no_negative_zero = true;
    ++pos;
  }
  if (peek() == '#') {
    out->alternate = true;
    ++pos;
  }
  if (peek() == '0') {
    if (out->align_given) return RaiseInvalidSpec(ts);
    out->fill = '0';
    out->align = '=';
    ++pos;
  }
  out->width = ReadSpecNumber(spec, &pos);
  if (peek() == ',') {
    out->grouping = ',';
    ++pos;
  }
  if (peek() == '.') {
    ++pos;
    out->precision = ReadSpecNumber(spec, &pos);
    if (out->precision == -1) return RaiseInvalidSpec(ts);
  }
  if (out->width == -2 || out->precision == -2 || std::max(out->width, out->precision) > kMaxPrec) {
    return Raise(ts, Exc::kValueError, "format specification exceeds internal limits of _decimal");
  }
  if (pos < n) {
    const char32_t type = spec->At(pos++);
    static constexpr std::u32string_view kTypes = U"eEfFgGnN%";
    if (kTypes.find(type) == std::u32string_view::npos) return RaiseInvalidSpec(ts);
    if ((type == 'n' || type == 'N') && out->grouping) return RaiseInvalidSpec(ts);
    out->type = type == 'N' ? 'n' : type;
    *capital_n = type == 'N';
  }
  return pos < n ? Status(RaiseInvalidSpec(ts)) : Ok();
}

// One item of localeconv() in a dict, if it is there.
Result<StrObject> LocaleItem(ThreadState& ts, Value dict, const char* name) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  const Value item = DictGetStr(ts, dict.as<DictObject>(), key);
  if (item.is_null() || item.is_absent()) return Ref<StrObject>();
  if (!IsStr(ts, item))
    return Raise(ts, Exc::kTypeError, "bad argument type for built-in operation");
  return Ref<StrObject>::Borrow(item.as<StrObject>());
}

Status OverrideGrouping(ThreadState& ts, Value dict, Grouping* grouping) {
  MVM_TRY(Ref<StrObject> point, LocaleItem(ts, dict, "decimal_point"));
  MVM_TRY(Ref<StrObject> separator, LocaleItem(ts, dict, "thousands_sep"));
  MVM_TRY(Ref<StrObject> sizes, LocaleItem(ts, dict, "grouping"));
  auto invalid = [&] { return Raise(ts, Exc::kValueError, "invalid override dict"); };
  if (point) {
    if (point->length != 1) return invalid();
    grouping->point = point->At(0);
  }
  if (separator) {
    if (separator->length > 1) return invalid();
    grouping->separator = separator->length ? separator->At(0) : 0;
  }
  if (!sizes) return Ok();
  grouping->count = 0;
  grouping->repeat = true;
  for (size_t i = 0; i < sizes->length && sizes->At(i) != 0; ++i) {
    const char32_t size = sizes->At(i);
    if (size > 127) return invalid();
    if (size == 127) {
      // CHAR_MAX: no more groups.
      grouping->repeat = false;
      break;
    }
    if (grouping->count == static_cast<int>(std::size(grouping->sizes))) return invalid();
    grouping->sizes[grouping->count++] = static_cast<uint8_t>(size);
  }
  if (grouping->count == 0) grouping->separator = 0;
  return Ok();
}

// Rounds to so many significant digits.
Status RoundTo(ThreadState& ts, Number* n, int64_t digits, Rounding mode) {
  const int64_t have = static_cast<int64_t>(DigitCount(n->w));
  if (n->w.empty() || have <= digits) return Ok();
  MVM_TRY_VOID(Rescale(ts, n, n->exp + have - digits, mode, nullptr));
  // 99.9 becomes 100: one digit more, the last one zero.
  if (static_cast<int64_t>(DigitCount(n->w)) > digits)
    return Rescale(ts, n, n->exp + 1, mode, nullptr);
  return Ok();
}

}  // namespace

Result<StrObject> DecimalFormat(ThreadState& ts, const View& v, StrObject* spec_text,
                                Value override) {
  MVM_TRY(ContextObject * context, CurrentContext(ts));
  const Settings c = context->settings;
  FormatSpec spec;
  bool capital_n = false;
  MVM_TRY_VOID(ParseSpec(ts, spec_text, c.capitals, &spec, &capital_n));
  if (capital_n) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1, "Format specifier 'N' is deprecated"));
  }
  Grouping grouping = GroupingFor(spec);
  if (!override.is_null()) MVM_TRY_VOID(OverrideGrouping(ts, override, &grouping));
  if (spec.width > 0) MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(spec.width)));
  NumberText text;
  if (v.negative) {
    text.sign = '-';
  } else if (spec.sign == '+' || spec.sign == ' ') {
    text.sign = static_cast<char>(spec.sign);
  }
  if (!v.finite()) {
    TextBuffer name;
    MVM_TRY_VOID(NumberToText(ts, v.Absolute(), false, true, &name));
    text.digits = name.view();
    if (spec.type == '%') text.tail = "%";
    if (!spec.align_given && spec.fill == '0') {
      spec.fill = ' ';
      spec.align = '>';
    }
    spec.grouping = 0;
    if (spec.type == 'n') spec.type = 'g';
    return LayOutNumber(ts, text, spec, Grouping());
  }
  Number n(ts);
  MVM_TRY_VOID(n.Copy(ts, v));
  const char32_t type = spec.type;
  const bool exponent_form = type == 'e' || type == 'E';
  const bool fixed = type == 'f' || type == 'F' || type == '%';
  if (type == '%') n.exp += 2;
  if (spec.precision >= 0) {
    MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(spec.precision)));
    if (exponent_form) {
      MVM_TRY_VOID(RoundTo(ts, &n, spec.precision + 1, c.rounding));
    } else if (fixed) {
      MVM_TRY_VOID(Rescale(ts, &n, -spec.precision, c.rounding, nullptr));
    } else {
      MVM_TRY_VOID(RoundTo(ts, &n, std::max<int64_t>(spec.precision, 1), c.rounding));
    }
  }
  if (n.w.empty() && n.exp > 0 && fixed) n.exp = 0;
  if (n.w.empty() && spec.no_negative_zero && text.sign == '-')
    text.sign = spec.sign == '+' || spec.sign == ' ' ? static_cast<char>(spec.sign) : 0;
  // Where the point goes, counted from the left of the digits.
  const int64_t count = static_cast<int64_t>(DigitCount(n.w));
  const int64_t left = n.exp + count;
  int64_t point;
  if (exponent_form) {
    point = n.w.empty() && spec.precision >= 0 ? 1 - spec.precision : 1;
  } else if (fixed || (n.exp <= 0 && left > -6)) {
    point = left;
  } else {
    point = 1;
  }
  TextBuffer digits;
  const int64_t zeros_before = point < 0 ? -point : 0,
                zeros_after = std::max<int64_t>(point - count, 0);
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(count + zeros_before + zeros_after)));
  if (point <= 0) digits.Append(static_cast<size_t>(1 - point), '0');
  char* at = digits.Extend(static_cast<size_t>(count));
  if (!at) return RaiseMemoryError(ts);
  WordsToDigits(at, n.w);
  digits.Append(static_cast<size_t>(zeros_after), '0');
  const size_t whole = static_cast<size_t>(std::max<int64_t>(point, 1));
  TextBuffer tail;
  tail.Append(digits.view().substr(std::min(whole, digits.size())));
  if (exponent_form && n.w.empty() && spec.precision >= 0) {
    // A zero keeps just the digits asked for.
    tail.Clear();
    tail.Append(static_cast<size_t>(spec.precision), '0');
  } else if (exponent_form && spec.precision > static_cast<int64_t>(tail.size())) {
    tail.Append(static_cast<size_t>(spec.precision) - tail.size(), '0');
  }
  int64_t exponent = left - point;
  if (exponent_form && !n.w.empty()) exponent = left - 1;
  text.digits = digits.view().substr(0, whole);
  text.point = tail.size() > 0 || spec.alternate;
  if (exponent_form || exponent != 0) {
    tail.Append(type == 'E' || type == 'G' || capital_n ? 'E' : 'e');
    if (exponent >= 0) tail.Append('+');
    tail.AppendInt(exponent);
  }
  if (type == '%') tail.Append('%');
  if (digits.failed() || tail.failed()) return RaiseMemoryError(ts);
  text.tail = tail.view();
  return LayOutNumber(ts, text, spec, grouping);
}

}  // namespace minivm::decimal
