// The types of module datetime.
//
// date, time, datetime and timedelta are immutable values in plain fields; datetime is a date with
// a clock and a tzinfo, as in the language. Intermediate results are counted in microseconds in 128
// bits, in which every sum and difference fits.
#pragma once

#include <string>

#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"

namespace minivm::datetime {

extern const TypeSpec kDateType;
extern const TypeSpec kTimeType;
extern const TypeSpec kDateTimeType;
extern const TypeSpec kDeltaType;
extern const TypeSpec kTzInfoType;
extern const TypeSpec kTimezoneType;

using Micros = __int128;
inline constexpr int64_t kSecondMicros = 1000000;
inline constexpr int64_t kDayMicros = 86400 * kSecondMicros;
inline constexpr int kMinYear = 1;
inline constexpr int kMaxYear = 9999;
inline constexpr int64_t kMaxOrdinal = 3652059;
inline constexpr int64_t kMaxDeltaDays = 999999999;

// Invariant: a valid day; fields are never changed once the object is visible.
class DateObject : public Object {
 public:
  int64_t hash = 0;  // 0: not computed
  uint16_t year = 1;
  uint8_t month = 1, day = 1;
  uint8_t hour = 0, minute = 0, second = 0, fold = 0;  // of a datetime
  uint32_t microsecond = 0;
};
class DateTimeObject : public DateObject {
 public:
  Value tzinfo;  // None or a tzinfo
  template <class V>
  void VisitRefs(V&& v) {
    v(tzinfo);
  }
};
class TimeObject : public Object {
 public:
  int64_t hash = 0;
  uint8_t hour = 0, minute = 0, second = 0, fold = 0;
  uint32_t microsecond = 0;
  Value tzinfo;
  template <class V>
  void VisitRefs(V&& v) {
    v(tzinfo);
  }
};
// Invariant: 0 <= seconds < 86400, 0 <= microseconds < 1000000, |days| <= kMaxDeltaDays.
class DeltaObject : public Object {
 public:
  int32_t days = 0;
  int32_t seconds = 0;
  int32_t microseconds = 0;

  Micros total() const {
    return Micros{days} * kDayMicros + Micros{seconds} * kSecondMicros + microseconds;
  }
};
class TzInfoObject : public Object {};
class TimezoneObject : public TzInfoObject {
 public:
  DeltaObject* offset = nullptr;
  StrObject* name = nullptr;  // null: made from the offset
  template <class V>
  void VisitRefs(V&& v) {
    v(offset);
    v(name);
  }
};

// What the module keeps for itself (RuntimeState::module_states).
class DateTimeState : public Object {
 public:
  TypeObject* date = nullptr;  // borrowed: immortal
  TypeObject* time = nullptr;
  TypeObject* datetime = nullptr;
  TypeObject* delta = nullptr;
  TypeObject* timezone = nullptr;
  TypeObject* tzinfo = nullptr;
  TimezoneObject* utc = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(utc);
  }
};
extern const TypeSpec kStateType;
inline DateTimeState* StateOf(ThreadState& ts) {
  return static_cast<DateTimeState*>(
      ts.rt->module_states[static_cast<size_t>(ModuleState::kDatetime)]);
}

inline bool IsDateTime(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kDateTimeType;
}
inline bool IsDate(ThreadState& ts, Value v) {  // datetimes included
  return v.is_object() &&
         (TypeOf(ts, v)->spec == &kDateType || TypeOf(ts, v)->spec == &kDateTimeType);
}
inline bool IsTime(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kTimeType;
}
inline bool IsDelta(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kDeltaType;
}
inline bool IsTzInfo(ThreadState& ts, Value v) {
  return v.is_object() &&
         (TypeOf(ts, v)->spec == &kTzInfoType || TypeOf(ts, v)->spec == &kTimezoneType);
}

// ---- plain data (calendar.cpp) ----

struct Day {
  int year = 1, month = 1, day = 1;
};
struct Clock {
  int hour = 0, minute = 0, second = 0, microsecond = 0, fold = 0;
  int64_t seconds() const { return (hour * 60 + minute) * int64_t{60} + second; }
  Micros micros() const { return Micros{seconds()} * kSecondMicros + microsecond; }
};

bool IsLeapYear(int year);
int DaysInMonth(int year, int month);
int DayOfYear(const Day& d);       // 1-based
int64_t ToOrdinal(const Day& d);   // 1 for 0001-01-01
Day FromOrdinal(int64_t ordinal);  // REQUIRES: within the calendar's range
int Weekday(const Day& d);         // Monday is 0
struct IsoDate {
  int year, week, weekday;  // Monday is 1
};
IsoDate ToIso(const Day& d);
enum class IsoError : uint8_t { kNone, kYear, kWeek, kDay };
// The ordinal of an ISO date; may be outside of the calendar.
IsoError FromIso(int64_t year, int64_t week, int64_t day, int64_t* ordinal);
extern const char* const kDayNames[7];
extern const char* const kMonthNames[12];

inline Day DayOf(const DateObject* d) { return {d->year, d->month, d->day}; }
inline Clock ClockOf(const DateObject* d) {
  return {d->hour, d->minute, d->second, static_cast<int>(d->microsecond), d->fold};
}
inline Clock ClockOf(const TimeObject* t) {
  return {t->hour, t->minute, t->second, static_cast<int>(t->microsecond), t->fold};
}
inline Micros MicrosOf(const DateObject* d) {
  return Micros{ToOrdinal(DayOf(d))} * kDayMicros + ClockOf(d).micros();
}
// Takes apart microseconds since the day before 0001-01-01. OverflowError "date value out of
// range".
Status SplitMicros(ThreadState& ts, Micros t, Day* day, Clock* clock);

// Pickled fields nobody has checked, brought into range.
Day ClampDay(Day day);
Clock ClampClock(Clock clock);
// ValueErrors about fields out of range.
Status CheckDay(ThreadState& ts, int64_t year, int64_t month, int64_t day);
Status CheckClock(ThreadState& ts, int64_t hour, int64_t minute, int64_t second,
                  int64_t microsecond, int64_t fold);
Status CheckTzInfo(ThreadState& ts, Value tz);  // TypeError unless None or a tzinfo
// An argument of type int: fits 32 bits.
Result<int> IntArgument(ThreadState& ts, Value v);

// ---- making objects ----

// Exact types at once; subclasses by calling them.
Result<> NewDate(ThreadState& ts, TypeObject* cls, const Day& day);
Result<> NewTime(ThreadState& ts, TypeObject* cls, const Clock& clock, Value tzinfo);
Result<> NewDateTime(ThreadState& ts, TypeObject* cls, const Day& day, const Clock& clock,
                     Value tzinfo);
// OverflowError when it is too large.
Result<> NewDelta(ThreadState& ts, TypeObject* cls, Micros total);
inline Result<> NewDelta(ThreadState& ts, Micros total) {
  return NewDelta(ts, StateOf(ts)->delta, total);
}
// timezone(offset): utc itself for offset 0.
Result<> NewTimezone(ThreadState& ts, Micros offset, StrObject* name = nullptr);
Result<> IntFromMicros(ThreadState& ts, Micros t);

// ---- time zones (tzinfo.cpp) ----

struct Offset {
  bool known = false;
  Micros micros = 0;
};
// tz.utcoffset(argument), checked. tz may be None.
Status UtcOffset(ThreadState& ts, Value tz, Value argument, Offset* out);
Result<> DstOf(ThreadState& ts, Value tz, Value argument);  // None or a timedelta
// None or a str.
Result<> TzName(ThreadState& ts, Value tz, Value argument);
Result<> OffsetOrNone(ThreadState& ts, const Offset& offset);
// The system's time zone at a time given in seconds since the epoch.
Result<> LocalTimezone(ThreadState& ts, int64_t timestamp);
// Seconds since the epoch of a local time.
Result<int64_t> LocalTimestamp(ThreadState& ts, const Day& day, const Clock& clock);
inline constexpr int64_t kEpochOrdinal = 719163;

// ---- text (iso_text.cpp, strftime.cpp) ----

std::string IsoDay(const Day& d);
// ValueError "Unknown timespec value".
Status AppendIsoClock(ThreadState& ts, std::string* out, const Clock& c, Value timespec);
// +HH:MM[:SS[.ffffff]]
void AppendOffset(std::string* out, Micros offset, const char* separator);
std::string TypeNameForRepr(ThreadState& ts, Value v);

// Parsers; false: malformed.
bool ParseIsoDay(std::string_view text, Day* out, Raised (**range)(ThreadState&, const Day&));
struct ParsedTime {
  Clock clock;
  bool aware = false;
  Micros offset = 0;
};
bool ParseIsoTime(std::string_view text, ParsedTime* out);
// Where the time starts behind a date; npos: malformed.
size_t IsoSeparator(std::string_view text);
// The characters as bytes; those outside of ASCII as 0xFF.
std::string NarrowText(StrObject* s);

// object.strftime(format) for a date, time or datetime with the given time tuple.
Result<> WrapStrftime(ThreadState& ts, Value object, Value format, Value timetuple, Value tzinfo,
                      Value argument, int microsecond);
// __format__ of all three.
Result<> datetime_format(ThreadState& ts, Args args);
// time.struct_time of the fields.
Result<> BuildStructTime(ThreadState& ts, const Day& d, const Clock& c, int dst);

// Seconds (int or float) as microseconds, rounded half even.
Result<Micros> TimestampMicros(ThreadState& ts, Value v);
// Broken down, locally or in UTC.
Status FromTimestamp(ThreadState& ts, Micros t, bool local, Day* day, Clock* clock);

// Signs of comparisons.
Result<> OrderResult(ThreadState& ts, int order, CompareOp op);

// Arithmetic shared by date and datetime.
Result<> datetime_add(ThreadState& ts, Value a, Value b);
Result<> datetime_sub(ThreadState& ts, Value a, Value b);
Result<> datetime_compare(ThreadState& ts, Value a, Value b, CompareOp op);

}  // namespace minivm::datetime
