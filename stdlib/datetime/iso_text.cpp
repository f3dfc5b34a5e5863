// ISO 8601 text: writing dates, clocks and offsets, and reading every form fromisoformat() takes.
#include "runtime/protocol/protocol.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

std::string IsoDay(const Day& d) {
  char text[40];
  const int n = snprintf(text, sizeof text, "%04d-%02d-%02d", d.year, d.month, d.day);
  return {text, static_cast<size_t>(n)};
}

Status AppendIsoClock(ThreadState& ts, std::string* out, const Clock& c, Value timespec) {
  static constexpr const char* kSpecs[] = {"auto",    "hours",        "minutes",
                                           "seconds", "milliseconds", "microseconds"};
  int chosen = 0;
  if (!timespec.is_absent()) {
    StrObject* text = timespec.as<StrObject>();
    for (chosen = 0; chosen < 6 && !text->EqualsAscii(kSpecs[chosen]); ++chosen) {
    }
    if (chosen == 6) return Raise(ts, Exc::kValueError, "Unknown timespec value");
  }
  if (chosen == 0) chosen = c.microsecond ? 5 : 3;
  char text[64];
  int n = snprintf(text, sizeof text, "%02d", c.hour);
  const size_t room = sizeof text;
  if (chosen >= 2) n += snprintf(text + n, room - static_cast<size_t>(n), ":%02d", c.minute);
  if (chosen >= 3) n += snprintf(text + n, room - static_cast<size_t>(n), ":%02d", c.second);
  if (chosen == 4)
    n += snprintf(text + n, room - static_cast<size_t>(n), ".%03d", c.microsecond / 1000);
  if (chosen == 5) n += snprintf(text + n, room - static_cast<size_t>(n), ".%06d", c.microsecond);
  out->append(text, static_cast<size_t>(n));
  return Ok();
}

void AppendOffset(std::string* out, Micros offset, const char* separator) {
  const bool negative = offset < 0;
  const int64_t t = static_cast<int64_t>(negative ? -offset : offset);
  const int64_t seconds = t / kSecondMicros, micros = t % kSecondMicros;
  char text[64];
  int n =
      snprintf(text, sizeof text, "%c%02d%s%02d", negative ? '-' : '+',
               static_cast<int>(seconds / 3600), separator, static_cast<int>(seconds / 60 % 60));
  if (seconds % 60 || micros) {
    n += snprintf(text + n, sizeof text - static_cast<size_t>(n), "%s%02d", separator,
                  static_cast<int>(seconds % 60));
  }
  if (micros) {
    n +=
        snprintf(text + n, sizeof text - static_cast<size_t>(n), ".%06d", static_cast<int>(micros));
  }
  out->append(text, static_cast<size_t>(n));
}

std::string TypeNameForRepr(ThreadState& ts, Value v) {
  const TypeObject* type = TypeOf(ts, v);
  return type->is_heap() ? ToUtf8(type->name) : std::string(type->spec->name);
}

std::string NarrowText(StrObject* s) {
  if (s->ascii()) return std::string(s->ascii_view());
  std::string text(s->length, '\xFF');
  for (size_t i = 0; i < s->length; ++i) {
    if (s->At(i) < 0x80) text[i] = static_cast<char>(s->At(i));
  }
  return text;
}

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads just `count` digits.
bool ReadDigits(std::string_view* text, size_t count, int* out) {
  if (text->size() < count) return false;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit((*text)[i])) return false;
    value = value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  *out = value;
  return true;
}
bool Skip(std::string_view* text, char c) {
  if (text->empty() || (*text)[0] != c) return false;
  text->remove_prefix(1);
  return true;
}

// HH, HHMM, HHMMSS or with colons; a fraction behind seconds.
bool ReadClock(std::string_view text, Clock* out) {
  int* const fields[] = {&out->hour, &out->minute, &out->second};
  bool colons = false;
  for (int i = 0; i < 3; ++i) {
    if (!ReadDigits(&text, 2, fields[i])) return false;
    if (text.empty()) return true;
    if (i == 2) break;
    if (i == 0) {
      colons = Skip(&text, ':');
    } else if (Skip(&text, ':') != colons) {
      return false;
    }
    if (text.empty()) return false;
  }
  if (!Skip(&text, '.') && !Skip(&text, ',')) return false;
  if (text.empty()) return false;
  int value = 0;
  for (size_t i = 0; i < 6; ++i) {
    int digit = 0;
    if (!text.empty() && !ReadDigits(&text, 1, &digit)) return false;
    value = value * 10 + digit;
  }
  // Digits beyond microseconds are read but do not count.
  for (char c : text) {
    if (!IsDigit(c)) return false;
  }
  out->microsecond = value;
  return true;
}

}  // namespace

// The day of a calendar date or of a week date; *range reports a day that does not exist.
bool ParseIsoDay(std::string_view text, Day* out, Raised (**range)(ThreadState&, const Day&)) {
  *range = nullptr;
  if (!ReadDigits(&text, 4, &out->year)) return false;
  const bool dashes = Skip(&text, '-');
  if (Skip(&text, 'W')) {
    int week, day = 1;
    if (!ReadDigits(&text, 2, &week)) return false;
    if (!text.empty()) {
      if (Skip(&text, '-') != dashes) return false;
      if (!ReadDigits(&text, 1, &day)) return false;
    }
    int64_t ordinal;
    if (!text.empty() || FromIso(out->year, week, day, &ordinal) != IsoError::kNone) return false;
    if (ordinal < 1 || ordinal > kMaxOrdinal) {
      *range = [](ThreadState& ts, const Day&) -> Raised {
        return Raise(ts, Exc::kValueError, "year 10000 is out of range");
      };
      return true;
    }
    *out = FromOrdinal(ordinal);
    return true;
  }
  if (!ReadDigits(&text, 2, &out->month)) return false;
  if (Skip(&text, '-') != dashes) return false;
  return ReadDigits(&text, 2, &out->day) && text.empty();
}

size_t IsoSeparator(std::string_view text) {
  constexpr size_t kNone = std::string_view::npos;
  const size_t n = text.size();
  if (n < 7) return kNone;
  if (n == 7) return 7;
  if (text[4] == '-') {
    if (text[5] != 'W') return n < 10 ? kNone : 10;
    // YYYY-Www or YYYY-Www-D; a dash may also be what separates the time from a week.
    if (n > 8 && text[8] == '-') {
      if (n == 9) return kNone;
      return n > 10 && IsDigit(text[10]) ? 8 : 10;
    }
    return 8;
  }
  if (text[4] == 'W') {
    // YYYYWww or YYYYWwwD: the digits that follow, all but a single one, come in pairs.
    size_t end = 7;
    while (end < n && IsDigit(text[end])) ++end;
    if (end < 9) return end;
    return end % 2 == 0 ? 7 : 8;
  }
  return 8;
}

bool ParseIsoTime(std::string_view text, ParsedTime* out) {
  const size_t sign = text.find_first_of("+-Z");
  if (!ReadClock(text.substr(0, sign), &out->clock)) return false;
  if (sign == std::string_view::npos) return true;
  out->aware = true;
  std::string_view zone = text.substr(sign + 1);
  if (text[sign] == 'Z') return zone.empty();
  Clock offset;
  if (!ReadClock(zone, &offset)) return false;
  out->offset = offset.micros();
  if (text[sign] == '-') out->offset = -out->offset;
  return true;
}

}  // namespace minivm::datetime
