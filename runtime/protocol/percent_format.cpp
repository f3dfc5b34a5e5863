// printf-style formatting: str % args and bytes % args.
//
// One engine reads the format for both; text goes to a StrBuilder. For bytes the format is read as
// Latin-1 text and what comes out is Latin-1 again, so every piece is a character below 256.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

struct Code {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  int64_t width = -1;
  int64_t precision = -1;  // -1: not given
  char32_t type = 0;
};

class PercentFormatter {
 public:
  PercentFormatter(ThreadState& ts, Value args, bool bytes) : ts_(ts), bytes_(bytes), out_(ts) {
    original_ = current_ = args;
    if (IsTuple(ts, args)) {
      count_ = args.as<TupleObject>()->size();
      is_tuple_ = true;
    } else {
      is_mapping_ =
          TypeOf(ts, args)->slots.get_item != nullptr && !IsStr(ts, args) &&
          !(bytes && (IsBytes(ts, args) || HasTypeFlag(ts, args, kTypeBytearraySubclass)));
    }
  }

  template <class CharT>
  Status Run(const CharT* p, size_t n) {
    for (size_t i = 0; i < n;) {
      if (p[i] != '%') {
        const size_t start = i;
        while (i < n && p[i] != '%') ++i;
        MVM_TRY_VOID(AppendLiteral(p + start, i - start));
        continue;
      }
      ++i;
      if (i < n && p[i] == '%') {
        ++i;
        MVM_TRY_VOID(out_.Append('%'));
        continue;
      }
      if (i < n && (p[i] == 's' || p[i] == 'd') && !bytes_) {
        MVM_TRY_VOID(Plain(p[i++] == 's'));
        continue;
      }
      MVM_TRY_VOID(One(p, n, &i));
    }
    if (!is_mapping_ && !used_key_ && next_ < (is_tuple_ ? count_ : 1)) {
      return Raise(ts_, Exc::kTypeError, "not all arguments converted during %s formatting",
                   bytes_ ? "bytes" : "string");
    }
    return Ok();
  }

  StrBuilder& out() { return out_; }

 private:
  Status AppendLiteral(const uint8_t* p, size_t n) {
    const char* text = reinterpret_cast<const char*>(p);
    if (IsAscii(text, n)) return out_.AppendAscii({text, n});
    for (size_t i = 0; i < n; ++i) MVM_TRY_VOID(out_.Append(p[i]));
    return Ok();
  }
  template <class CharT>
  Status AppendLiteral(const CharT* p, size_t n) {
    for (size_t i = 0; i < n; ++i) MVM_TRY_VOID(out_.Append(p[i]));
    return Ok();
  }

  // The next argument; borrowed, kept by the tuple or by held_.
  Result<> NextArgument() {
    if (is_tuple_ && !used_key_) {
      if (next_ < count_) return Result<>::Borrow(current_.as<TupleObject>()->items()[next_++]);
    } else if (next_ == 0) {
      next_ = 1;
      return Result<>::Borrow(current_);
    }
    return Raise(ts_, Exc::kTypeError, "not enough arguments for format string");
  }

  // %(key)
  template <class CharT>
  Status Key(const CharT* p, size_t n, size_t* pos) {
    if (!is_mapping_) return Raise(ts_, Exc::kTypeError, "format requires a mapping");
    size_t i = *pos;
    const size_t start = i;
    int depth = 1;
    for (; i < n; ++i) {
      if (p[i] == '(') ++depth;
      if (p[i] == ')' && --depth == 0) break;
    }
    if (i == n) return Raise(ts_, Exc::kValueError, "incomplete format key");
    Ref<> key;
    if constexpr (sizeof(CharT) == 1) {
      if (bytes_) {
        MVM_TRY(key, NewBytes(ts_, {reinterpret_cast<const char*>(p + start), i - start}));
      } else {
        MVM_TRY(key, NewStrFromUcs1(ts_, p + start, i - start));
      }
    } else if constexpr (sizeof(CharT) == 2) {
      MVM_TRY(key, NewStrFromUcs2(ts_, p + start, i - start));
    } else {
      MVM_TRY(key, NewStrFromUcs4(ts_, p + start, i - start));
    }
    *pos = i + 1;
    MVM_TRY(held_, GetItem(ts_, original_, key));
    current_ = held_;
    used_key_ = true;
    next_ = 0;
    return Ok();
  }

  // A number or * at *pos.
  template <class CharT>
  Status Number(const CharT* p, size_t n, size_t* pos, int64_t* out, bool is_width,
                bool* negative) {
    const int64_t limit = is_width ? INT64_MAX : INT32_MAX;
    if (*pos < n && p[*pos] == '*') {
      ++*pos;
      MVM_TRY(Ref<> v, NextArgument());
      if (!IsInt(ts_, v)) return Raise(ts_, Exc::kTypeError, "* wants int");
      int64_t i;
      if (!IntFitsInt64(v, &i) || i > limit || i < -limit - 1) {
        return Raise(ts_, Exc::kOverflowError, "Python int too large to convert to C %s",
                     is_width ? "ssize_t" : "int");
      }
      *negative = i < 0;
      *out = i < 0 ? (is_width ? -(i + (i == INT64_MIN)) : 0) : i;
      return Ok();
    }
    if (!is_width) *out = 0;
    for (; *pos < n && p[*pos] >= '0' && p[*pos] <= '9'; ++*pos) {
      if (*out < 0) *out = 0;
      const int digit = static_cast<int>(p[*pos] - '0');
      if (*out > (limit - digit) / 10) {
        return Raise(ts_, Exc::kValueError, is_width ? "width too big" : "precision too big");
      }
      *out = *out * 10 + digit;
    }
    return Ok();
  }

  // %s and %d without anything in between.
  Status Plain(bool text) {
    MVM_TRY(Ref<> v, NextArgument());
    if (v.is_int()) {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, v.get().as_int());
      return out_.AppendAscii({digits, static_cast<size_t>(end.ptr - digits)});
    }
    if (text && IsExact(v, TypeId::kStr)) return out_.Append(v.get().as<StrObject>());
    Code code;
    code.type = text ? U's' : U'd';
    return text ? Text(code, v) : Integer(code, v);
  }

  template <class CharT>
  Status One(const CharT* p, size_t n, size_t* pos) {
    Code code;
    size_t i = *pos;
    if (i < n && p[i] == '(') {
      ++i;
      MVM_TRY_VOID(Key(p, n, &i));
    }
    for (; i < n; ++i) {
      if (p[i] == '-')
        code.left = true;
      else if (p[i] == '+')
        code.plus = true;
      else if (p[i] == ' ')
        code.space = true;
      else if (p[i] == '#')
        code.alternate = true;
      else if (p[i] == '0')
        code.zero = true;
      else
        break;
    }
    bool negative = false;
    MVM_TRY_VOID(Number(p, n, &i, &code.width, true, &negative));
    code.left |= negative;
    if (i < n && p[i] == '.') {
      ++i;
      MVM_TRY_VOID(Number(p, n, &i, &code.precision, false, &negative));
    }
    if (i < n && (p[i] == 'h' || p[i] == 'l' || p[i] == 'L')) ++i;
    if (i == n) return Raise(ts_, Exc::kValueError, "incomplete format");
    code.type = p[i];
    const size_t at = i++;
    *pos = i;
    MVM_TRY(Ref<> v, NextArgument());
    switch (code.type) {
      case 's':
      case 'r':
      case 'a': return Text(code, v);
      case 'b':
        if (bytes_) return Text(code, v);
        break;
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': return Integer(code, v);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': return Float(code, v);
      case 'c': return Char(code, v);
      default: break;
    }
    if (bytes_ && code.type > 127) {
      return Raise(ts_, Exc::kOverflowError, "character argument not in range(0x110000)");
    }
    return Raise(ts_, Exc::kValueError, "unsupported format character '%c' (0x%x) at index %zu",
                 code.type >= 31 && code.type <= 126 ? static_cast<int>(code.type) : '?',
                 static_cast<unsigned>(code.type), at);
  }

  // ---- pieces ----

  Status Padded(const Code& code, const StrObject* s, size_t length) {
    const size_t width = code.width < 0 ? 0 : static_cast<size_t>(code.width);
    const size_t pad = width > length ? width - length : 0;
    if (pad && !code.left) MVM_TRY_VOID(out_.AppendRepeated(' ', pad));
    MVM_TRY_VOID(out_.AppendSlice(s, 0, length));
    if (pad && code.left) MVM_TRY_VOID(out_.AppendRepeated(' ', pad));
    return Ok();
  }

  Status Cut(const Code& code, const StrObject* s) {
    size_t length = s->length;
    if (code.precision >= 0) length = std::min(length, static_cast<size_t>(code.precision));
    return Padded(code, s, length);
  }

  Status Text(const Code& code, Value v) {
    if (bytes_ && (code.type == 's' || code.type == 'b')) return BytesText(code, v);
    if (code.type == 's' && IsExact(v, TypeId::kStr)) return Cut(code, v.as<StrObject>());
    Ref<StrObject> text;
    if (code.type == 's') {
      MVM_TRY(text, ToStr(ts_, v));
    } else if (code.type == 'r' && !bytes_) {
      MVM_TRY(text, Repr(ts_, v));
    } else {
      MVM_TRY(text, Ascii(ts_, v));
    }
    return Cut(code, text);
  }

  Status BytesText(const Code& code, Value v) {
    Ref<> made;
    if (!IsBytes(ts_, v)) {
      MVM_TRY(made, CallSpecial(ts_, v, MVM_NAME(ts_, __bytes__)));
      if (made.is_absent()) {
        made = Ref<>::Borrow(v);
      } else if (!IsBytes(ts_, made)) {
        return Raise(ts_, Exc::kTypeError, "__bytes__ returned non-bytes (type %T)", made.get());
      }
    } else {
      made = Ref<>::Borrow(v);
    }
    ByteView view;
    MVM_TRY_VOID(
        view.Get(ts_, made,
                 "%%b requires a bytes-like object, or an object that implements __bytes__, "
                 "not '%T'"));
    MVM_TRY(Ref<StrObject> text, NewStrFromUcs1(ts_, view.data(), view.size()));
    return Cut(code, text);
  }

  Status Char(const Code& code, Value v) {
    const int64_t limit = bytes_ ? 256 : 0x110000;
    char32_t c;
    if (!bytes_ && IsStr(ts_, v) && v.as<StrObject>()->length == 1) {
      c = v.as<StrObject>()->At(0);
    } else if (bytes_ && (IsBytes(ts_, v) || HasTypeFlag(ts_, v, kTypeBytearraySubclass))) {
      ByteView view;
      MVM_TRY_VOID(view.Get(ts_, v));
      if (view.size() != 1) return RaiseChar();
      c = view.data()[0];
    } else {
      if (!IsInt(ts_, v) && !TypeOf(ts_, v)->operators->index) return RaiseChar();
      MVM_TRY(Ref<> number, Index(ts_, v));
      int64_t i;
      if (!IntFitsInt64(number, &i) || i < 0 || i >= limit) {
        return Raise(ts_, Exc::kOverflowError, "%%c arg not in range(%s)",
                     bytes_ ? "256" : "0x110000");
      }
      c = static_cast<char32_t>(i);
    }
    MVM_TRY(Ref<StrObject> text, StrFromChar(ts_, c));
    return Padded(code, text, 1);
  }

  Raised RaiseChar() {
    return Raise(ts_, Exc::kTypeError,
                 bytes_ ? "%%c requires an integer in range(256) or a single byte"
                        : "%%c requires int or char");
  }

  Result<> AsInteger(const Code& code, Value v) {
    if (v.is_int()) return Result<>::Borrow(v);
    if (IsInt(ts_, v)) return IntExact(ts_, v);
    const bool decimal = code.type == 'd' || code.type == 'i' || code.type == 'u';
    const OperatorSlots& slots = *TypeOf(ts_, v)->operators;
    if (decimal ? IsFloat(ts_, v) || slots.to_int || slots.index : slots.index != nullptr) {
      Result<> r = decimal ? ToInt(ts_, v) : Index(ts_, v);
      if (!r.raised() || !ClearPendingIf(ts_, Exc::kTypeError)) return r;
    }
    if (decimal) {
      return Raise(ts_, Exc::kTypeError, "%%%c format: a real number is required, not %T",
                   bytes_ && code.type == 'i' ? 'd' : static_cast<int>(code.type), v);
    }
    return Raise(ts_, Exc::kTypeError, "%%%c format: an integer is required, not %T",
                 static_cast<int>(code.type), v);
  }

  Status Integer(const Code& code, Value v) {
    MVM_TRY(Ref<> number, AsInteger(code, v));
    const int base = code.type == 'o' ? 8 : code.type == 'x' || code.type == 'X' ? 16 : 10;
    char small[24];
    Ref<StrObject> big;
    std::string_view digits;
    bool negative = false;
    if (number.is_int()) {
      const int64_t i = number.get().as_int();
      negative = i < 0;
      uint64_t rest = negative ? 0 - static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
      char* p = small + sizeof(small);
      do {
        *--p = "0123456789abcdef"[rest % static_cast<unsigned>(base)];
        rest /= static_cast<unsigned>(base);
      } while (rest);
      digits = {p, static_cast<size_t>(small + sizeof(small) - p)};
    } else {
      MVM_TRY(big, IntToStr(ts_, number, base, false));
      digits = big->ascii_view();
      negative = digits[0] == '-';
      if (negative) digits.remove_prefix(1);
    }
    const char* prefix = !code.alternate    ? ""
                         : code.type == 'o' ? "0o"
                         : code.type == 'x' ? "0x"
                         : code.type == 'X' ? "0X"
                                            : "";
    size_t zeros = 0;
    if (code.precision > static_cast<int64_t>(digits.size())) {
      zeros = static_cast<size_t>(code.precision) - digits.size();
    }
    return NumberPiece(code, negative, prefix, zeros, digits, code.type == 'X', true);
  }

  Status Float(const Code& code, Value v) {
    double d;
    if (IsFloat(ts_, v)) {
      d = FloatValue(v);
    } else if (bytes_) {
      Result<double> r = AsDouble(ts_, v);
      if (r.raised()) {
        if (!ClearPendingIf(ts_, Exc::kTypeError)) return kRaised;
        return Raise(ts_, Exc::kTypeError, "float argument required, not %T", v);
      }
      d = r.Take();
    } else {
      MVM_TRY(d, AsDouble(ts_, v));
    }
    const int precision = code.precision < 0 ? 6 : static_cast<int>(code.precision);
    const char type = static_cast<char>(code.type);
    const size_t need = FormatFloatSize(d, type, precision);
    char small[256];
    char* text = small;
    if (need > sizeof(small)) {
      MVM_TRY_VOID(CheckRoom(ts_, 2 * need));
      MVM_TRY(void* p, AllocBuffer(ts_, need));
      text = static_cast<char*>(p);
    }
    std::string_view digits(text, ::minivm::FormatFloat(text, d, type, precision, code.alternate));
    const bool negative = digits[0] == '-';
    if (negative) digits.remove_prefix(1);
    Status status = NumberPiece(code, negative, "", 0, digits, false, true);
    if (text != small) ts_.heap().FreeBuffer(text, need);
    return status;
  }

  // [pad][sign][prefix][zeros]digits[pad]
  Status NumberPiece(const Code& code, bool negative, std::string_view prefix, size_t zeros,
                     std::string_view digits, bool upper, bool zero_fill) {
    const char sign = negative ? '-' : code.plus ? '+' : code.space ? ' ' : 0;
    const size_t width = code.width < 0 ? 0 : static_cast<size_t>(code.width);
    const size_t length = (sign != 0) + prefix.size() + zeros + digits.size();
    size_t pad = width > length ? width - length : 0;
    if (pad && code.zero && !code.left && zero_fill) {
      zeros += pad;
      pad = 0;
    }
    if (pad && !code.left) MVM_TRY_VOID(out_.AppendRepeated(' ', pad));
    if (sign) MVM_TRY_VOID(out_.Append(static_cast<unsigned char>(sign)));
    if (!prefix.empty()) MVM_TRY_VOID(out_.AppendAscii(prefix));
    if (zeros) MVM_TRY_VOID(out_.AppendRepeated('0', zeros));
    if (upper) {
      for (char c : digits) {
        MVM_TRY_VOID(out_.Append(static_cast<unsigned char>(c >= 'a' && c <= 'f' ? c - 32 : c)));
      }
    } else {
      MVM_TRY_VOID(out_.AppendAscii(digits));
    }
    if (pad && code.left) MVM_TRY_VOID(out_.AppendRepeated(' ', pad));
    return Ok();
  }

  ThreadState& ts_;
  const bool bytes_;
  StrBuilder out_;
  Value original_, current_;  // current_: what NextArgument takes from
  Ref<> held_;
  size_t count_ = 0, next_ = 0;
  bool is_tuple_ = false, is_mapping_ = false, used_key_ = false;
};

}  // namespace

Result<> StrPercent(ThreadState& ts, StrObject* text, Value args) {
  PercentFormatter formatter(ts, args, false);
  MVM_TRY_VOID(WithChars(text, [&](auto* p) { return formatter.Run(p, text->length); }));
  return formatter.out().Finish();
}

Result<BytesObject> BytesPercent(ThreadState& ts, std::string_view format, Value args) {
  PercentFormatter formatter(ts, args, true);
  MVM_TRY_VOID(formatter.Run(reinterpret_cast<const uint8_t*>(format.data()), format.size()));
  MVM_TRY(Ref<StrObject> text, formatter.out().Finish());
  return NewBytes(
      ts, {reinterpret_cast<const char*>(text->data1()), static_cast<size_t>(text->length)});
}

}  // namespace minivm
