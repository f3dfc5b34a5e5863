// Values of literals. Decoding never makes text longer, so it goes straight into
// one arena block of the literal's size.
#include "vm/syntax/literal.h"

#include <charconv>
#include <cstdio>
#include <limits>
#include <system_error>

#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"
#include "vm/syntax/char_class.h"

namespace minivm {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

double ParseDouble(std::string_view digits) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  // Too large or too small: decided by the decimal exponent of the first significant digit.
  int64_t exponent = 0;
  int64_t magnitude = 0;
  bool seen_digit = false, seen_point = false;
  for (size_t i = 0; i < digits.size(); i++) {
    const char c = digits[i];
    if (c == '.') {
      seen_point = true;
    } else if (c == 'e' || c == 'E') {
      const bool negative = digits[i + 1] == '-';
      for (i += 1; i < digits.size(); i++) {
        if (IsDigit(digits[i]) && exponent < 1000000000)
          exponent = exponent * 10 + (digits[i] - '0');
      }
      if (negative) exponent = -exponent;
    } else {
      seen_digit |= c != '0';
      if (seen_digit && !seen_point) magnitude++;
      if (!seen_digit && seen_point) magnitude--;
    }
  }
  return magnitude + exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

// Decodes one body. `at` walks the escapes.
class EscapeDecoder {
 public:
  EscapeDecoder(std::string_view body, bool bytes, char* out)
      : body_(body), bytes_(bytes), out_begin_(out), out_(out) {}

  DecodedString Run() {
    while (result_.ok && at_ < body_.size()) {
      const char c = body_[at_];
      if (c != '\\') {
        *out_++ = c;
        at_++;
      } else {
        Escape();
      }
    }
    result_.text = {out_begin_, static_cast<size_t>(out_ - out_begin_)};
    return std::move(result_);
  }

 private:
  void Put(uint32_t c) {
    if (bytes_) {
      *out_++ = static_cast<char>(c);
    } else {
      out_ += EncodeUtf8(out_, c);
    }
  }

  void Unknown(size_t start) {
    if (result_.invalid_escape < 0) result_.invalid_escape = static_cast<int>(start);
  }

  // A failure over body_[start, end). CPython decodes a copy of the body in which each non-ASCII
  // character is written as \UXXXXXXXX, and a backslash before one as \u005c, and counts
  // positions in that.
  void Fail(size_t start, size_t end, const char* reason) {
    size_t shift = extra_;
    for (size_t i = 0; i < start; i++) {
      const auto byte = static_cast<uint8_t>(body_[i]);
      if (byte >= 0xC0) shift += 9;
      if (byte >= 0x80 && byte < 0xC0) shift -= 1;
    }
    size_t end_shift = shift;
    for (size_t i = start; i < end; i++) {
      const auto byte = static_cast<uint8_t>(body_[i]);
      if (byte >= 0xC0) end_shift += 9;
      if (byte >= 0x80 && byte < 0xC0) end_shift -= 1;
    }
    result_.ok = false;
    result_.error = "(unicode error) 'unicodeescape' codec can't decode ";
    const size_t first = start + shift;
    const size_t last = end + end_shift - 1;
    if (first == last) {
      result_.error += "byte 0x5c in position " + std::to_string(first);
    } else {
      result_.error += "bytes in position " + std::to_string(first) + "-" + std::to_string(last);
    }
    result_.error += std::string(": ") + reason;
  }

  void Hex(size_t start, int digits, const char* reason) {
    uint32_t value = 0;
    for (int i = 0; i < digits; i++, at_++) {
      const int digit = at_ < body_.size() ? HexValue(body_[at_]) : -1;
      if (digit < 0) {
        if (!bytes_) return Fail(start, at_, reason);
        result_.ok = false;
        result_.error = "(value error) invalid \\x escape at position " + std::to_string(start);
        return;
      }
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (value > 0x10FFFF) return Fail(start, at_, "illegal Unicode character");
    Put(value);
  }

  void Named(size_t start) {
    if (at_ < body_.size() && body_[at_] == '{') {
      const size_t close = body_.find('}', at_);
      if (close == std::string_view::npos) {
        return Fail(start, body_.size(), "malformed \\N character escape");
      }
      const std::string_view name = body_.substr(at_ + 1, close - at_ - 1);
      if (name.empty()) return Fail(start, close, "malformed \\N character escape");
      at_ = close + 1;
      char32_t c;
      if (!CharacterFromName(name, &c)) return Fail(start, at_, "unknown Unicode character name");
      return Put(c);
    }
    Fail(start, at_, "malformed \\N character escape");
  }

  void Escape() {
    const size_t start = at_++;
    if (at_ == body_.size()) {  // the text of an f-string may end before `\{`
      *out_++ = '\\';
      return;
    }
    const char c = body_[at_++];
    switch (c) {
      case '\n': return;
      case '\\':
      case '\'':
      case '"': *out_++ = c; return;
      case 'a': *out_++ = '\a'; return;
      case 'b': *out_++ = '\b'; return;
      case 'f': *out_++ = '\f'; return;
      case 'n': *out_++ = '\n'; return;
      case 'r': *out_++ = '\r'; return;
      case 't': *out_++ = '\t'; return;
      case 'v': *out_++ = '\v'; return;
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7': {
        uint32_t value = static_cast<uint32_t>(c - '0');
        for (int i = 0; i < 2 && at_ < body_.size() && body_[at_] >= '0' && body_[at_] <= '7';
             i++) {
          value = value * 8 + static_cast<uint32_t>(body_[at_++] - '0');
        }
        if (value > 0377) Unknown(start);
        return Put(bytes_ ? value & 0xFF : value);
      }
      case 'x': return Hex(start, 2, "truncated \\xXX escape");
      case 'u':
        if (!bytes_) return Hex(start, 4, "truncated \\uXXXX escape");
        break;
      case 'U':
        if (!bytes_) return Hex(start, 8, "truncated \\UXXXXXXXX escape");
        break;
      case 'N':
        if (!bytes_) return Named(start);
        break;
      default: break;
    }
    *out_++ = '\\';
    at_--;  // the character itself is ordinary text
    if (static_cast<uint8_t>(body_[at_]) < 0x80) {
      Unknown(start);
      *out_++ = body_[at_++];
    } else {
      extra_ += 5;
    }
  }

  std::string_view body_;
  bool bytes_;
  char* out_begin_;
  char* out_;
  size_t at_ = 0;
  size_t extra_ = 0;  // what backslashes before non-ASCII characters add to positions
  DecodedString result_;
};

}  // namespace

bool ParseNumber(Arena& arena, std::string_view token, uint32_t max_digits, ConstantValue* value,
                 size_t* digits) {
  char small[64];
  std::string_view text = token;
  if (token.find('_') != std::string_view::npos) {
    char* clean =
        token.size() <= sizeof small ? small : static_cast<char*>(arena.Allocate(token.size()));
    size_t size = 0;
    for (char c : token) {
      if (c != '_') clean[size++] = c;
    }
    text = {clean, size};
  }
  int base = 10;
  if (text.size() > 2 && text[0] == '0') {
    const char c = static_cast<char>(text[1] | 0x20);
    base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
  }
  if (base == 10) {
    const char last = text.back();
    if (last == 'j' || last == 'J') {
      value->kind = ConstantKind::kImaginary;
      value->float_value = ParseDouble(text.substr(0, text.size() - 1));
      return true;
    }
    if (text.find_first_of(".eE") != std::string_view::npos) {
      value->kind = ConstantKind::kFloat;
      value->float_value = ParseDouble(text);
      return true;
    }
  } else {
    text.remove_prefix(2);
  }
  int64_t small_value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), small_value, base);
  if (error == std::errc{}) {
    value->kind = ConstantKind::kInt;
    value->int_value = small_value;
    return true;
  }
  if (base == 10 && max_digits != 0 && text.size() > max_digits) {
    *digits = text.size();
    return false;
  }
  value->kind = ConstantKind::kBigInt;
  value->base = static_cast<uint8_t>(base);
  const bool in_small = text.data() >= small && text.data() < small + sizeof small;
  value->text = in_small ? arena.Copy(text) : text;
  return true;
}

DecodedString DecodeString(Arena& arena, std::string_view body, bool raw, bool bytes) {
  if (raw || body.find('\\') == std::string_view::npos) {
    DecodedString result;
    result.text = body;
    return result;
  }
  char* out = static_cast<char*>(arena.Allocate(body.size()));
  return EscapeDecoder(body, bytes, out).Run();
}

std::string InvalidEscapeMessage(std::string_view body, size_t at) {
  const char c = body[at + 1];
  if (c >= '4' && c <= '7') {
    return "invalid octal escape sequence '" + std::string(body.substr(at, 4)) + "'";
  }
  return "invalid escape sequence '" + std::string(body.substr(at, 2)) + "'";
}

}  // namespace minivm
