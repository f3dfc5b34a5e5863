// The proleptic Gregorian calendar, checks of fields, clocks of the system.
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

const char* const kDayNames[7] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
const char* const kMonthNames[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool IsLeapYear(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && IsLeapYear(year));
}

int DayOfYear(const Day& d) {
  static constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kBefore[d.month - 1] + (d.month > 2 && IsLeapYear(d.year)) + d.day;
}

static int64_t DaysBeforeYear(int64_t year) {
  const int64_t y = year - 1;
  return y * 365 + y / 4 - y / 100 + y / 400;
}

int64_t ToOrdinal(const Day& d) { return DaysBeforeYear(d.year) + DayOfYear(d); }

Day FromOrdinal(int64_t ordinal) {
  int64_t n = ordinal - 1;
  const int64_t n400 = n / 146097;
  n %= 146097;
  const int64_t n100 = n / 36524;
  n %= 36524;
  const int64_t n4 = n / 1461;
  n %= 1461;
  const int64_t n1 = n / 365;
  n %= 365;
  const int year = static_cast<int>(n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1);
  // The last day of a cycle of 4 or 400 years.
  if (n1 == 4 || n100 == 4) return {year - 1, 12, 31};
  int month = static_cast<int>((n + 50) >> 5);
  Day first{year, month, 1};
  if (DayOfYear(first) > n + 1) first.month = --month;
  return {year, month, static_cast<int>(n) + 2 - DayOfYear(first)};
}

int Weekday(const Day& d) { return static_cast<int>((ToOrdinal(d) + 6) % 7); }

// The ordinal of the Monday that starts the ISO year.
static int64_t IsoYearStart(int64_t year) {
  const int64_t first = DaysBeforeYear(year) + 1;
  const int64_t weekday = ((first + 6) % 7 + 7) % 7;
  return first - weekday + (weekday > 3 ? 7 : 0);
}

IsoDate ToIso(const Day& d) {
  const int64_t ordinal = ToOrdinal(d);
  int year = d.year;
  int64_t start = IsoYearStart(year);
  if (ordinal < start) {
    start = IsoYearStart(--year);
  } else if (ordinal >= IsoYearStart(year + 1)) {
    start = IsoYearStart(++year);
  }
  const int64_t days = ordinal - start;
  return {year, static_cast<int>(days / 7) + 1, static_cast<int>(days % 7) + 1};
}

IsoError FromIso(int64_t year, int64_t week, int64_t day, int64_t* ordinal) {
  if (year < kMinYear || year > kMaxYear) return IsoError::kYear;
  const int64_t start = IsoYearStart(year);
  const int64_t weeks = (IsoYearStart(year + 1) - start) / 7;
  if (week < 1 || week > weeks) return IsoError::kWeek;
  if (day < 1 || day > 7) return IsoError::kDay;
  *ordinal = start + (week - 1) * 7 + day - 1;
  return IsoError::kNone;
}

Status SplitMicros(ThreadState& ts, Micros t, Day* day, Clock* clock) {
  Micros days = t / kDayMicros;
  int64_t rest = static_cast<int64_t>(t % kDayMicros);
  if (rest < 0) {
    rest += kDayMicros;
    --days;
  }
  if (days < 1 || days > kMaxOrdinal)
    return Raise(ts, Exc::kOverflowError, "date value out of range");
  *day = FromOrdinal(static_cast<int64_t>(days));
  const int64_t seconds = rest / kSecondMicros;
  clock->hour = static_cast<int>(seconds / 3600);
  clock->minute = static_cast<int>(seconds / 60 % 60);
  clock->second = static_cast<int>(seconds % 60);
  clock->microsecond = static_cast<int>(rest % kSecondMicros);
  return Ok();
}

// ---- checks ----

Day ClampDay(Day day) {
  day.year = std::clamp(day.year, kMinYear, kMaxYear);
  day.month = std::clamp(day.month, 1, 12);
  day.day = std::clamp(day.day, 1, DaysInMonth(day.year, day.month));
  return day;
}

Clock ClampClock(Clock clock) {
  clock.hour = std::clamp(clock.hour, 0, 23);
  clock.minute = std::clamp(clock.minute, 0, 59);
  clock.second = std::clamp(clock.second, 0, 59);
  clock.microsecond = std::clamp(clock.microsecond, 0, 999999);
  return clock;
}

Status CheckDay(ThreadState& ts, int64_t year, int64_t month, int64_t day) {
  if (year < kMinYear || year > kMaxYear) {
    return Raise(ts, Exc::kValueError, "year %lld is out of range", static_cast<long long>(year));
  }
  if (month < 1 || month > 12) return Raise(ts, Exc::kValueError, "month must be in 1..12");
  if (day < 1 || day > DaysInMonth(static_cast<int>(year), static_cast<int>(month)))
    return Raise(ts, Exc::kValueError, "day is out of range for month");
  return Ok();
}

Status CheckClock(ThreadState& ts, int64_t hour, int64_t minute, int64_t second,
                  int64_t microsecond, int64_t fold) {
  if (hour < 0 || hour > 23) return Raise(ts, Exc::kValueError, "hour must be in 0..23");
  if (minute < 0 || minute > 59) return Raise(ts, Exc::kValueError, "minute must be in 0..59");
  if (second < 0 || second > 59) return Raise(ts, Exc::kValueError, "second must be in 0..59");
  if (microsecond < 0 || microsecond > 999999)
    return Raise(ts, Exc::kValueError, "microsecond must be in 0..999999");
  if (fold != 0 && fold != 1) return Raise(ts, Exc::kValueError, "fold must be either 0 or 1");
  return Ok();
}

Status CheckTzInfo(ThreadState& ts, Value tz) {
  if (IsNone(ts, tz) || IsTzInfo(ts, tz)) return Ok();
  return Raise(ts, Exc::kTypeError,
               "tzinfo argument must be None or of a tzinfo subclass, not type '%T'", tz);
}

Result<int> IntArgument(ThreadState& ts, Value v) {
  if (v.is_int() && v.as_int() == static_cast<int>(v.as_int())) return static_cast<int>(v.as_int());
  MVM_TRY(Ref<> index, Index(ts, v));
  int64_t i;
  if (!IntFitsInt64(index, &i))
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
  if (i > INT32_MAX)
    return Raise(ts, Exc::kOverflowError, "signed integer is greater than maximum");
  if (i < INT32_MIN) return Raise(ts, Exc::kOverflowError, "signed integer is less than minimum");
  return static_cast<int>(i);
}

Result<> OrderResult(ThreadState& ts, int order, CompareOp op) {
  switch (op) {
    case CompareOp::kLt: return Bool(ts, order < 0);
    case CompareOp::kLe: return Bool(ts, order <= 0);
    case CompareOp::kEq: return Bool(ts, order == 0);
    case CompareOp::kNe: return Bool(ts, order != 0);
    case CompareOp::kGt: return Bool(ts, order > 0);
    default: return Bool(ts, order >= 0);
  }
}

// ---- the system's clock ----

Result<Micros> TimestampMicros(ThreadState& ts, Value v) {
  static constexpr const char* kRange = "timestamp out of range for platform time_t";
  if (!IsFloat(ts, v)) {
    MVM_TRY(Ref<> index, Index(ts, v));
    int64_t seconds;
    if (!IntFitsInt64(index, &seconds)) return Raise(ts, Exc::kOverflowError, "%s", kRange);
    return Micros{seconds} * kSecondMicros;
  }
  const double d = FloatValue(v);
  if (std::isnan(d)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
  double whole;
  double fraction = std::modf(d, &whole) * 1e6;
  // Half even.
  double rounded = std::round(fraction);
  if (std::fabs(fraction - rounded) == 0.5) rounded = 2.0 * std::round(fraction / 2.0);
  if (!(std::fabs(whole) < 9.2233720368547758e18))
    return Raise(ts, Exc::kOverflowError, "%s", kRange);
  return Micros{static_cast<int64_t>(whole)} * kSecondMicros + static_cast<int64_t>(rounded);
}

namespace {

Status BreakDown(ThreadState& ts, int64_t seconds, bool local, struct tm* out) {
  const time_t t = seconds;
  errno = 0;
  if ((local ? localtime_r(&t, out) : gmtime_r(&t, out)) == nullptr)
    return RaiseErrno(ts, errno ? errno : EINVAL);
  return Ok();
}

int64_t SecondsOf(const struct tm& t) {
  const Day day{t.tm_year + 1900, t.tm_mon + 1, t.tm_mday};
  return (ToOrdinal(day) * 24 + t.tm_hour) * 3600 + t.tm_min * 60 + t.tm_sec;
}

}  // namespace

Status FromTimestamp(ThreadState& ts, Micros t, bool local, Day* day, Clock* clock) {
  Micros whole = t / kSecondMicros;
  int64_t micros = static_cast<int64_t>(t % kSecondMicros);
  if (micros < 0) {
    micros += kSecondMicros;
    --whole;
  }
  if (whole > INT64_MAX || whole < INT64_MIN)
    return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
  const int64_t seconds = static_cast<int64_t>(whole);
  struct tm tm;
  MVM_TRY_VOID(BreakDown(ts, seconds, local, &tm));
  // Leap seconds have no place here.
  if (tm.tm_sec > 59) tm.tm_sec = 59;
  MVM_TRY_VOID(CheckDay(ts, int64_t{tm.tm_year} + 1900, tm.tm_mon + 1, tm.tm_mday));
  *day = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday};
  *clock = {tm.tm_hour, tm.tm_min, tm.tm_sec, static_cast<int>(micros), 0};
  constexpr int64_t kMaxFold = 24 * 3600;
  if (local && day->year > kMinYear) {
    // The second of two equal local times: a day earlier the clock was ahead, and going there and
    // coming back by the difference leads to the same reading.
    struct tm before, again;
    MVM_TRY_VOID(BreakDown(ts, seconds - kMaxFold, true, &before));
    const int64_t here = SecondsOf(tm);
    const int64_t shift = here - SecondsOf(before) - kMaxFold;
    if (shift < 0) {
      MVM_TRY_VOID(BreakDown(ts, seconds + shift, true, &again));
      if (SecondsOf(again) == here) clock->fold = 1;
    }
  }
  return Ok();
}

Result<> LocalTimezone(ThreadState& ts, int64_t timestamp) {
  struct tm tm;
  MVM_TRY_VOID(BreakDown(ts, timestamp, true, &tm));
  MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, tm.tm_zone ? tm.tm_zone : ""));
  return NewTimezone(ts, Micros{tm.tm_gmtoff} * kSecondMicros, name);
}

Result<int64_t> LocalTimestamp(ThreadState& ts, const Day& day, const Clock& clock) {
  // The reading t of a local clock is wanted; local(u) is the reading at u. With two solutions
  // `fold` chooses, without any the two neighbouring offsets do.
  constexpr int64_t kMaxFold = 24 * 3600;
  auto local = [&ts](int64_t u) -> Result<int64_t> {
    struct tm tm;
    MVM_TRY_VOID(BreakDown(ts, u, true, &tm));
    return SecondsOf(tm) - kEpochOrdinal * 86400;
  };
  const int64_t t = (ToOrdinal(day) - kEpochOrdinal) * 86400 + clock.seconds();
  MVM_TRY(int64_t at_t, local(t));
  const int64_t a = at_t - t, u1 = t - a;
  MVM_TRY(int64_t t1, local(u1));
  int64_t b;
  if (t1 == t) {
    const int64_t u2 = u1 + (clock.fold ? kMaxFold : -kMaxFold);
    MVM_TRY(int64_t t2, local(u2));
    b = t2 - u2;
    if (a == b) return u1;
  } else {
    b = t1 - u1;
  }
  const int64_t u2 = t - b;
  MVM_TRY(int64_t t2, local(u2));
  if (t2 == t) return u2;
  if (t1 == t) return u1;
  return clock.fold ? std::min(u1, u2) : std::max(u1, u2);
}

}  // namespace minivm::datetime
