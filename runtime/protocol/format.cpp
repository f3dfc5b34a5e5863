// __format__ of str, int, float and complex.
#include "runtime/protocol/format.h"

#include <cmath>
#include <cstring>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/format_spec.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

// The name of a value's type as messages show it.
struct TypeName {
  TypeName(ThreadState& ts, Value v) {
    text[TypeDisplayName(TypeOf(ts, v), text, sizeof(text) - 1)] = '\0';
  }
  char text[200];
};

char SignFor(bool negative, char32_t wanted) {
  if (negative) return '-';
  return wanted == '+' || wanted == ' ' ? static_cast<char>(wanted) : 0;
}

// Characters of a double's text; on the stack unless they are many.
class FloatText {
 public:
  explicit FloatText(ThreadState& ts) : ts_(ts) {}
  ~FloatText() {
    if (buffer_ != inline_) ts_.heap().FreeBuffer(buffer_, size_);
  }
  FloatText(const FloatText&) = delete;
  FloatText& operator=(const FloatText&) = delete;

  // code 0: the type-less presentation. precision < 0: the presentation's default.
  Status Write(double value, char code, int64_t precision, bool alternate,
               bool drop_negative_zero) {
    if (precision > INT32_MAX) return Raise(ts_, Exc::kValueError, "precision too big");
    int digits = static_cast<int>(precision);
    if (code != 0 && code != 'r' && digits < 0) digits = 6;
    if (code == 'r' && digits >= 0) code = 'g';
    const size_t need =
        FormatFloatSize(value, code == 0 ? 'g' : code, digits < 0 ? 17 : digits) + kFloatReprSize;
    if (need > sizeof(inline_)) {
      MVM_TRY_VOID(CheckRoom(ts_, 2 * need));
      MVM_TRY(void* p, AllocBuffer(ts_, need));
      buffer_ = static_cast<char*>(p);
      size_ = need;
    }
    const size_t n = code == 0
                         ? FormatFloatDefault(buffer_, value, digits, alternate)
                         : FormatFloat(buffer_, value, code, digits < 0 ? 0 : digits, alternate);
    std::string_view text(buffer_, n);
    negative_ = text[0] == '-';
    if (negative_) text.remove_prefix(1);
    if (negative_ && drop_negative_zero && IsZero(text)) negative_ = false;
    // Before the point come digits (or inf, nan); behind it, or behind the digits, all the rest.
    size_t end = 0;
    if (text[0] >= '0' && text[0] <= '9') {
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    } else {
      while (end < text.size() && text[end] != '%') ++end;
    }
    number_.digits = text.substr(0, end);
    number_.point = end < text.size() && text[end] == '.';
    number_.tail = text.substr(end + number_.point);
    finite_ = std::isfinite(value);
    return Ok();
  }
  const NumberText& number() const { return number_; }
  NumberText& number() { return number_; }
  bool negative() const { return negative_; }
  bool finite() const { return finite_; }

 private:
  static bool IsZero(std::string_view text) {
    for (char c : text) {
      if (c == 'e' || c == 'E' || c == '%') return true;
      if (c != '0' && c != '.') return false;
    }
    return true;
  }

  ThreadState& ts_;
  NumberText number_;
  bool negative_ = false, finite_ = true;
  char* buffer_ = inline_;
  size_t size_ = 0;
  char inline_[512];
};

// What presentation a spec's type asks of a double: false if it is none of them.
bool IsFloatType(char32_t type) {
  switch (type) {
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'n':
    case '%': return true;
    default: return false;
  }
}

Result<StrObject> FormatDouble(ThreadState& ts, double value, const FormatSpec& spec) {
  FloatText text(ts);
  const char code = spec.type == 'n' ? 'g' : static_cast<char>(spec.type);
  MVM_TRY_VOID(text.Write(value, code, spec.precision, spec.alternate, spec.no_negative_zero));
  NumberText number = text.number();
  number.sign = SignFor(text.negative(), spec.sign);
  Grouping grouping = GroupingFor(spec);
  if (!text.finite()) grouping.separator = 0;
  return LayOutNumber(ts, number, spec, grouping);
}

Result<StrObject> FormatChar(ThreadState& ts, Value value, const FormatSpec& spec) {
  if (spec.sign) {
    return Raise(ts, Exc::kValueError, "Sign not allowed with integer format specifier 'c'");
  }
  if (spec.alternate) {
    return Raise(ts, Exc::kValueError,
                 "Alternate form (#) not allowed with integer format specifier 'c'");
  }
  int64_t code;
  if (!IntFitsInt64(value, &code)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
  }
  if (code < 0 || code > static_cast<int64_t>(kMaxCodePoint)) {
    return Raise(ts, Exc::kOverflowError, "%%c arg not in range(0x110000)");
  }
  MVM_TRY(Ref<StrObject> text, StrFromChar(ts, static_cast<char32_t>(code)));
  FormatSpec padded = spec;
  if (padded.align == '=') padded.align = '>';
  return PadText(ts, text, 1, padded);
}

// Digits of an inline int, written backwards from `end`.
char* SmallDigits(char* end, uint64_t n, unsigned base) {
  if (base == 10) {
    do {
      *--end = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n);
    return end;
  }
  const unsigned shift = base == 2 ? 1 : base == 8 ? 3 : 4;
  do {
    *--end = "0123456789abcdef"[n & (base - 1)];
    n >>= shift;
  } while (n);
  return end;
}

void UpperCase(std::string_view text) {
  for (char& c : std::span<char>(const_cast<char*>(text.data()), text.size())) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
}

}  // namespace

Result<StrObject> FormatStr(ThreadState& ts, StrObject* value, StrObject* spec_text) {
  FormatSpec spec;
  TypeName name(ts, value);
  MVM_TRY_VOID(ParseFormatSpec(ts, spec_text, name.text, 's', '<', &spec));
  if (spec.type != 's') return RaiseUnknownCode(ts, spec.type, name.text);
  if (spec.sign == ' ') {
    return Raise(ts, Exc::kValueError, "Space not allowed in string format specifier");
  }
  if (spec.sign) return Raise(ts, Exc::kValueError, "Sign not allowed in string format specifier");
  if (spec.no_negative_zero) {
    return Raise(ts, Exc::kValueError,
                 "Negative zero coercion (z) not allowed in string format specifier");
  }
  if (spec.alternate) {
    return Raise(ts, Exc::kValueError, "Alternate form (#) not allowed in string format specifier");
  }
  if (spec.align == '=') {
    return Raise(ts, Exc::kValueError, "'=' alignment not allowed in string format specifier");
  }
  size_t length = value->length;
  if (spec.precision >= 0) length = std::min(length, static_cast<size_t>(spec.precision));
  return PadText(ts, value, length, spec);
}

Result<StrObject> FormatInt(ThreadState& ts, Value value, StrObject* spec_text) {
  if (spec_text->length == 0) return ToStr(ts, value);
  FormatSpec spec;
  TypeName name(ts, value);
  MVM_TRY_VOID(ParseFormatSpec(ts, spec_text, name.text, 'd', '>', &spec));
  if (IsFloatType(spec.type) && spec.type != 'n') {
    MVM_TRY(double d, IntToDouble(ts, value));
    return FormatDouble(ts, d, spec);
  }
  unsigned base;
  switch (spec.type) {
    case 'b': base = 2; break;
    case 'o': base = 8; break;
    case 'x':
    case 'X': base = 16; break;
    case 'd':
    case 'n':
    case 'c': base = 10; break;
    default: return RaiseUnknownCode(ts, spec.type, name.text);
  }
  if (spec.precision >= 0) {
    return Raise(ts, Exc::kValueError, "Precision not allowed in integer format specifier");
  }
  if (spec.no_negative_zero) {
    return Raise(ts, Exc::kValueError,
                 "Negative zero coercion (z) not allowed in integer format specifier");
  }
  if (spec.type == 'c') return FormatChar(ts, value, spec);

  char small[72];
  Ref<StrObject> big;
  NumberText number;
  bool negative;
  if (MVM_LIKELY(value.is_int())) {
    const int64_t i = value.as_int();
    negative = i < 0;
    char* end = small + sizeof(small);
    char* start =
        SmallDigits(end, negative ? 0 - static_cast<uint64_t>(i) : static_cast<uint64_t>(i), base);
    number.digits = {start, static_cast<size_t>(end - start)};
  } else {
    MVM_TRY(big, IntToStr(ts, value, static_cast<int>(base), false));
    number.digits = big->ascii_view();
    negative = number.digits[0] == '-';
    if (negative) number.digits.remove_prefix(1);
    // The text may be a shared one-character string: upper case only what is ours.
    if (spec.type == 'X' && number.digits.size() < sizeof(small)) {
      std::memcpy(small, number.digits.data(), number.digits.size());
      number.digits = {small, number.digits.size()};
    }
  }
  if (spec.type == 'X') UpperCase(number.digits);
  number.sign = SignFor(negative, spec.sign);
  if (spec.alternate && base != 10) {
    number.prefix = spec.type == 'b'   ? "0b"
                    : spec.type == 'o' ? "0o"
                    : spec.type == 'x' ? "0x"
                                       : "0X";
  }
  return LayOutNumber(ts, number, spec, GroupingFor(spec));
}

Result<StrObject> FormatFloat(ThreadState& ts, Value value, StrObject* spec_text) {
  if (spec_text->length == 0) return ToStr(ts, value);
  FormatSpec spec;
  TypeName name(ts, value);
  MVM_TRY_VOID(ParseFormatSpec(ts, spec_text, name.text, 0, '>', &spec));
  if (spec.type != 0 && !IsFloatType(spec.type)) return RaiseUnknownCode(ts, spec.type, name.text);
  return FormatDouble(ts, FloatValue(value), spec);
}

Result<StrObject> FormatComplex(ThreadState& ts, double real, double imag, StrObject* spec_text) {
  FormatSpec spec;
  MVM_TRY_VOID(ParseFormatSpec(ts, spec_text, "complex", 0, '>', &spec));
  if (spec.type == '%' || (spec.type != 0 && !IsFloatType(spec.type))) {
    return RaiseUnknownCode(ts, spec.type, "complex");
  }
  if (spec.fill == '0') {
    return Raise(ts, Exc::kValueError, "Zero padding is not allowed in complex format specifier");
  }
  if (spec.align == '=') {
    return Raise(ts, Exc::kValueError,
                 "'=' alignment flag is not allowed in complex format specifier");
  }
  bool skip_real = false, parentheses = false;
  char code = spec.type == 'n' ? 'g' : static_cast<char>(spec.type);
  if (code == 0) {
    code = 'r';
    skip_real = real == 0 && !std::signbit(real);
    parentheses = !skip_real;
  }
  const Grouping grouping = GroupingFor(spec);
  FormatSpec part = spec;
  part.width = -1;
  part.align = '<';
  StrBuilder out(ts);
  if (parentheses) MVM_TRY_VOID(out.Append('('));
  for (int i = skip_real ? 1 : 0; i < 2; ++i) {
    FloatText text(ts);
    MVM_TRY_VOID(
        text.Write(i ? imag : real, code, spec.precision, spec.alternate, spec.no_negative_zero));
    NumberText number = text.number();
    number.sign = SignFor(text.negative(), i && !skip_real ? '+' : spec.sign);
    Grouping g = grouping;
    if (!text.finite()) g.separator = 0;
    MVM_TRY(Ref<StrObject> piece, LayOutNumber(ts, number, part, g));
    MVM_TRY_VOID(out.Append(piece.get()));
  }
  MVM_TRY_VOID(out.Append('j'));
  if (parentheses) MVM_TRY_VOID(out.Append(')'));
  MVM_TRY(Ref<StrObject> whole, out.Finish());
  return PadText(ts, whole, whole->length, spec);
}

}  // namespace minivm
