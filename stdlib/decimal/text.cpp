// Numbers to text and back, as the specification's to-scientific-string and to-number have them.
#include <algorithm>
#include <string_view>

#include "stdlib/decimal/number.h"

namespace minivm::decimal {

namespace {

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The digits of `text`, which may hold one point.
Status ReadDigits(ThreadState& ts, Words* out, std::string_view text, size_t point) {
  if (point == std::string_view::npos) return WordsFromDigits(ts, out, text.data(), text.size());
  MVM_TRY(void* p, AllocBuffer(ts, text.size()));
  char* joined = static_cast<char*>(p);
  std::copy(text.begin(), text.begin() + static_cast<ptrdiff_t>(point), joined);
  std::copy(text.begin() + static_cast<ptrdiff_t>(point) + 1, text.end(), joined + point);
  Status status = WordsFromDigits(ts, out, joined, text.size() - 1);
  ts.heap().FreeBuffer(p, text.size());
  return status;
}

}  // namespace

Result<bool> ParseNumber(ThreadState& ts, Number* out, const char* p, size_t n) {
  std::string_view text(p, n);
  out->Set(Kind::kFinite, false);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    out->negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  if ((text[0] | 0x20) == 'i') {
    out->kind = Kind::kInfinite;
    return (text.size() == 3 && StartsWithNoCase(text, "inf")) ||
           (text.size() == 8 && StartsWithNoCase(text, "infinity"));
  }
  if ((text[0] | 0x20) == 'n' || (text[0] | 0x20) == 's') {
    out->kind = Kind::kQuietNan;
    if ((text[0] | 0x20) == 's') {
      out->kind = Kind::kSignalingNan;
      text.remove_prefix(1);
    }
    if (!StartsWithNoCase(text, "nan")) return false;
    text.remove_prefix(3);
    if (!AllDigits(text)) return false;
    MVM_TRY_VOID(WordsFromDigits(ts, &out->w, text.data(), text.size()));
    return true;
  }
  const size_t e = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, e);
  const size_t point = mantissa.find('.');
  const size_t digit_count = mantissa.size() - (point != std::string_view::npos);
  if (digit_count == 0 || !AllDigits(mantissa.substr(0, point)) ||
      (point != std::string_view::npos && !AllDigits(mantissa.substr(point + 1)))) {
    return false;
  }
  // Clipped far outside of any context's range, where sums of two still fit 64 bits.
  constexpr int64_t kFar = 4000000000000000000;
  int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view rest = text.substr(e + 1);
    bool negative = false;
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
      negative = rest[0] == '-';
      rest.remove_prefix(1);
    }
    if (rest.empty() || !AllDigits(rest)) return false;
    for (char c : rest)
      exponent = std::min<int64_t>(kFar, exponent >= kFar / 10 ? kFar : exponent * 10 + (c - '0'));
    if (negative) exponent = -exponent;
  }
  if (point != std::string_view::npos)
    exponent -= static_cast<int64_t>(mantissa.size() - point - 1);
  out->exp = exponent;
  MVM_TRY_VOID(ReadDigits(ts, &out->w, mantissa, point));
  return true;
}

Status NumberToText(ThreadState& ts, const View& a, bool engineering, bool capitals,
                    TextBuffer* out) {
  if (a.negative) out->Append('-');
  if (a.infinite()) {
    out->Append("Infinity");
    return Ok();
  }
  if (a.nan()) {
    out->Append(a.signaling() ? "sNaN" : "NaN");
    if (a.w.size == 0) return Ok();
  }
  const uint64_t count = a.digits();
  MVM_TRY_VOID(CheckRoom(ts, count));
  const size_t start = out->size();
  char* digits = out->Extend(count);
  if (!digits) return RaiseMemoryError(ts);
  WordsToDigits(digits, a.w);
  if (a.nan()) return Ok();
  const int64_t n = static_cast<int64_t>(count);
  const int64_t left = a.exp + n;  // digits before the point, if written without exponent
  int64_t point;
  if (a.exp <= 0 && left > -6) {
    point = left;
  } else if (!engineering) {
    point = 1;
  } else if (a.w.size == 0) {
    // Zero: the exponent rises to a multiple of three.
    point = ((left + 1) % 3 + 3) % 3 - 1;
  } else {
    point = ((left - 1) % 3 + 3) % 3 + 1;
  }
  if (point <= 0) {
    // "0." and zeros go in front of the digits.
    const size_t extra = static_cast<size_t>(2 - point);
    if (!out->Extend(extra)) return RaiseMemoryError(ts);
    char* at = const_cast<char*>(out->data()) + start;
    std::copy_backward(at, at + n, at + n + static_cast<ptrdiff_t>(extra));
    std::fill(at, at + extra, '0');
    at[1] = '.';
  } else if (point >= n) {
    out->Append(static_cast<size_t>(point - n), '0');
  } else {
    if (!out->Extend(1)) return RaiseMemoryError(ts);
    char* at = const_cast<char*>(out->data()) + start;
    std::copy_backward(at + point, at + n, at + n + 1);
    at[point] = '.';
  }
  if (left != point) {
    out->Append(capitals ? 'E' : 'e');
    if (left > point) out->Append('+');
    out->AppendInt(left - point);
  }
  return out->failed() ? Status(RaiseMemoryError(ts)) : Ok();
}

}  // namespace minivm::decimal
