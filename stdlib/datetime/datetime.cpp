// datetime.
#include <time.h>

#include <cerrno>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "stdlib/datetime/datetime_types.h"
#include "stdlib/datetime/pickle_inl.h"

namespace minivm::datetime {

namespace {

DateTimeObject* AsDateTime(Value v) { return v.as<DateTimeObject>(); }

Result<> MakeDateTime(ThreadState& ts, TypeObject* cls, const Day& d, const Clock& c,
                      Value tzinfo) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  DateTimeObject* t = AsDateTime(made);
  SetDay(t, d);
  SetClock(t, c);
  t->tzinfo = Ref<>::Borrow(tzinfo).Release();
  return made;
}

// ---- construction ----

Result<> datetime_new(ThreadState& ts, Args args) {
  TypeObject* cls = args.as<TypeObject>(0);
  uint8_t state[10];
  if (!args.has(3) && ReadState(ts, args[1], 10, state) && (state[2] & 0x7F) >= 1 &&
      (state[2] & 0x7F) <= 12) {
    const Value tzinfo = args.get(2, Value(ts.rt->none));
    if (!IsNone(ts, tzinfo) && !IsTzInfo(ts, tzinfo))
      return Raise(ts, Exc::kTypeError, "bad tzinfo state arg");
    const Day d = ClampDay({state[0] << 8 | state[1], state[2] & 0x7F, state[3]});
    Clock c = ClampClock(GetClock(state + 4));
    c.fold = state[2] >> 7;
    return MakeDateTime(ts, cls, d, c, tzinfo);
  }
  Day d;
  Clock c;
  MVM_TRY(d.year, IntArgument(ts, args[1]));
  if (!args.has(2))
    return Raise(ts, Exc::kTypeError, "function missing required argument 'month' (pos 2)");
  MVM_TRY(d.month, IntArgument(ts, args[2]));
  if (!args.has(3))
    return Raise(ts, Exc::kTypeError, "function missing required argument 'day' (pos 3)");
  MVM_TRY(d.day, IntArgument(ts, args[3]));
  MVM_TRY_VOID(CheckDay(ts, d.year, d.month, d.day));
  MVM_TRY_VOID(ReadClock(ts, args.v + 4, args[9], &c));
  MVM_TRY_VOID(CheckTzInfo(ts, args[8]));
  return MakeDateTime(ts, cls, d, c, args[8]);
}

// From a timestamp: local time, or through tz.fromutc().
Result<> FromMicros(ThreadState& ts, TypeObject* cls, Micros t, Value tz) {
  Day d;
  Clock c;
  MVM_TRY_VOID(CheckTzInfo(ts, tz));
  MVM_TRY_VOID(FromTimestamp(ts, t, IsNone(ts, tz), &d, &c));
  MVM_TRY(Ref<> made, NewDateTime(ts, cls, d, c, tz));
  if (IsNone(ts, tz)) return made;
  return CallMethod(ts, tz, MVM_NAME(ts, fromutc), made);
}

Result<Micros> Now(ThreadState& ts) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) < 0) return RaiseErrno(ts, errno);
  return Micros{now.tv_sec} * kSecondMicros + now.tv_nsec / 1000;
}

Result<> datetime_now(ThreadState& ts, Args args) {
  MVM_TRY(Micros now, Now(ts));
  return FromMicros(ts, args.as<TypeObject>(0), now, args[1]);
}
Result<> datetime_utcnow(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Warn(
      ts, Exc::kDeprecationWarning, 1,
      "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. "
      "Use timezone-aware objects to represent datetimes in UTC: "
      "datetime.datetime.now(datetime.UTC)."));
  MVM_TRY(Micros now, Now(ts));
  Day d;
  Clock c;
  MVM_TRY_VOID(FromTimestamp(ts, now, false, &d, &c));
  return NewDateTime(ts, args.as<TypeObject>(0), d, c, Value(ts.rt->none));
}
Result<> datetime_fromtimestamp(ThreadState& ts, Args args) {
  MVM_TRY(Micros t, TimestampMicros(ts, args[1]));
  return FromMicros(ts, args.as<TypeObject>(0), t, args[2]);
}
Result<> datetime_utcfromtimestamp(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Warn(
      ts, Exc::kDeprecationWarning, 1,
      "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future "
      "version. Use timezone-aware objects to represent datetimes in UTC: "
      "datetime.datetime.fromtimestamp(timestamp, datetime.UTC)."));
  MVM_TRY(Micros t, TimestampMicros(ts, args[1]));
  Day d;
  Clock c;
  MVM_TRY_VOID(FromTimestamp(ts, t, false, &d, &c));
  return NewDateTime(ts, args.as<TypeObject>(0), d, c, Value(ts.rt->none));
}

Result<> datetime_combine(ThreadState& ts, Args args) {
  if (!IsDate(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "combine() argument 1 must be datetime.date, not %T",
                 args[1]);
  if (!IsTime(ts, args[2]))
    return Raise(ts, Exc::kTypeError, "combine() argument 2 must be datetime.time, not %T",
                 args[2]);
  const TimeObject* t = args.as<TimeObject>(2);
  const Ref<> tzinfo = Ref<>::Borrow(args.get(3, t->tzinfo));
  MVM_TRY_VOID(CheckTzInfo(ts, tzinfo));
  return NewDateTime(ts, args.as<TypeObject>(0), DayOf(args.as<DateObject>(1)), ClockOf(t), tzinfo);
}

Result<> datetime_strptime(ThreadState& ts, Args args) {
  for (uint32_t i : {1u, 2u}) {
    if (!IsStr(ts, args[i])) {
      return Raise(ts, Exc::kTypeError, "strptime() argument %d must be str, not %T",
                   static_cast<int>(i), args[i]);
    }
  }
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_strptime"));
  MVM_TRY(Ref<> f, GetAttr(ts, module, std::string_view("_strptime_datetime")));
  return Call(ts, f, args[0], args[1], args[2]);
}

Result<> datetime_fromisoformat(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "fromisoformat: argument must be str");
  const std::string text = NarrowText(args.as<StrObject>(1));
  const size_t separator = IsoSeparator(text);
  Day d;
  ParsedTime parsed;
  Raised (*range)(ThreadState&, const Day&) = nullptr;
  bool valid = separator != std::string::npos && separator <= text.size() &&
               ParseIsoDay(std::string_view(text).substr(0, separator), &d, &range);
  if (valid && separator < text.size())
    valid = ParseIsoTime(std::string_view(text).substr(separator + 1), &parsed);
  if (!valid) return Raise(ts, Exc::kValueError, "Invalid isoformat string: %R", args[1]);
  Ref<> tzinfo = Ref<>::Borrow(ts.rt->none);
  if (parsed.aware) {
    MVM_TRY(tzinfo, NewTimezone(ts, parsed.offset));
  }
  if (range) return range(ts, d);
  const Clock& c = parsed.clock;
  MVM_TRY_VOID(CheckDay(ts, d.year, d.month, d.day));
  MVM_TRY_VOID(CheckClock(ts, c.hour, c.minute, c.second, c.microsecond, 0));
  return NewDateTime(ts, args.as<TypeObject>(0), d, c, tzinfo);
}

// ---- text ----

Result<> datetime_repr(ThreadState& ts, Value self) {
  const DateTimeObject* t = AsDateTime(self);
  std::string out = TypeNameForRepr(ts, self) + "(";
  for (int field : {int{t->year}, int{t->month}, int{t->day}, int{t->hour}})
    out += std::to_string(field) + ", ";
  out += std::to_string(t->minute);
  if (t->second || t->microsecond) out += ", " + std::to_string(t->second);
  if (t->microsecond) out += ", " + std::to_string(t->microsecond);
  if (t->fold) out += ", fold=1";
  MVM_TRY(Ref<StrObject> head, NewStr(ts, out));
  if (IsNone(ts, t->tzinfo)) return Format(ts, "%U)", Value(head.get()));
  return Format(ts, "%U, tzinfo=%R)", Value(head.get()), t->tzinfo);
}

Result<> datetime_isoformat(ThreadState& ts, Args args) {
  if (args.has(1) && (!IsStr(ts, args[1]) || args.as<StrObject>(1)->length != 1)) {
    return Raise(ts, Exc::kTypeError, "isoformat() argument 1 must be a unicode character, not %T",
                 args[1]);
  }
  if (args.has(2) && !IsStr(ts, args[2]))
    return Raise(ts, Exc::kTypeError, "isoformat() argument 2 must be str, not %T", args[2]);
  const DateTimeObject* t = AsDateTime(args[0]);
  const Ref<> tzinfo = Ref<>::Borrow(t->tzinfo);
  StrBuilder out(ts);
  std::string rest;
  MVM_TRY_VOID(out.AppendAscii(IsoDay(DayOf(t))));
  MVM_TRY_VOID(out.Append(args.has(1) ? args.as<StrObject>(1)->At(0) : U'T'));
  MVM_TRY_VOID(AppendIsoClock(ts, &rest, ClockOf(t), args[2]));
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, tzinfo, args[0], &offset));
  if (offset.known) AppendOffset(&rest, offset.micros, ":");
  MVM_TRY_VOID(out.AppendAscii(rest));
  return out.Finish();
}

Result<> datetime_str(ThreadState& ts, Value self) {
  MVM_TRY(Ref<StrObject> space, NewStr(ts, " "));
  return CallMethod(ts, self, MVM_NAME(ts, isoformat), Value(space.get()));
}

// ---- zone ----

Result<> datetime_utcoffset(ThreadState& ts, Args args) {
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, AsDateTime(args[0])->tzinfo, args[0], &offset));
  return OffsetOrNone(ts, offset);
}
Result<> datetime_dst(ThreadState& ts, Args args) {
  return DstOf(ts, AsDateTime(args[0])->tzinfo, args[0]);
}
Result<> datetime_tzname(ThreadState& ts, Args args) {
  return TzName(ts, AsDateTime(args[0])->tzinfo, args[0]);
}

// The system's zone at a naive local time.
Result<> LocalZoneOf(ThreadState& ts, const DateTimeObject* t) {
  Clock clock = ClockOf(t);
  MVM_TRY(int64_t timestamp, LocalTimestamp(ts, DayOf(t), clock));
  clock.fold = !clock.fold;
  MVM_TRY(int64_t other, LocalTimestamp(ts, DayOf(t), clock));
  // In a gap it is the other one that tells what was in effect before (or, with fold, after).
  if (other != timestamp && (other > timestamp) == (t->fold != 0)) timestamp = other;
  return LocalTimezone(ts, timestamp);
}

Result<> datetime_astimezone(ThreadState& ts, Args args) {
  const Value self = args[0];
  DateTimeObject* t = AsDateTime(self);
  MVM_TRY_VOID(CheckTzInfo(ts, args[1]));
  Ref<> target = Ref<>::Borrow(args[1]);
  Ref<> own = Ref<>::Borrow(t->tzinfo);
  if (IsNone(ts, own)) {
    MVM_TRY(own, LocalZoneOf(ts, t));
  }
  if (own.is(target)) return Result<>::Borrow(self);
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, own, self, &offset));
  if (!offset.known) {
    // A zone that does not know: local time is meant.
    MVM_TRY(own, LocalZoneOf(ts, t));
    MVM_TRY_VOID(UtcOffset(ts, own, self, &offset));
  }
  Day d;
  Clock c;
  MVM_TRY_VOID(SplitMicros(ts, MicrosOf(t) - offset.micros, &d, &c));
  if (IsNone(ts, target)) {
    const int64_t timestamp = (ToOrdinal(d) - kEpochOrdinal) * 86400 + c.seconds();
    MVM_TRY(target, LocalTimezone(ts, timestamp));
  }
  MVM_TRY(Ref<> utc, NewDateTime(ts, TypeOf(ts, self), d, c, target));
  return CallMethod(ts, target, MVM_NAME(ts, fromutc), utc);
}

Result<> datetime_timestamp(ThreadState& ts, Args args) {
  DateTimeObject* t = AsDateTime(args[0]);
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, t->tzinfo, args[0], &offset));
  if (!IsNone(ts, t->tzinfo) && offset.known) {
    const Micros micros = MicrosOf(t) - offset.micros - Micros{kEpochOrdinal} * kDayMicros;
    MVM_TRY(Ref<> total, IntFromMicros(ts, micros));
    return IntTrueDiv(ts, total, Value::Int(kSecondMicros));
  }
  MVM_TRY(int64_t seconds, LocalTimestamp(ts, DayOf(t), ClockOf(t)));
  return NewFloat(ts, static_cast<double>(seconds) + t->microsecond / 1e6);
}

Result<> datetime_timetuple(ThreadState& ts, Args args) {
  DateTimeObject* t = AsDateTime(args[0]);
  int dst = -1;
  if (!IsNone(ts, t->tzinfo)) {
    MVM_TRY(Ref<> delta, DstOf(ts, t->tzinfo, args[0]));
    if (!IsNone(ts, delta)) dst = delta.as<DeltaObject>()->total() != 0;
  }
  return BuildStructTime(ts, DayOf(t), ClockOf(t), dst);
}

Result<> datetime_utctimetuple(ThreadState& ts, Args args) {
  DateTimeObject* t = AsDateTime(args[0]);
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, t->tzinfo, args[0], &offset));
  Day d = DayOf(t);
  Clock c = ClockOf(t);
  if (offset.known && offset.micros != 0)
    MVM_TRY_VOID(SplitMicros(ts, MicrosOf(t) - offset.micros, &d, &c));
  return BuildStructTime(ts, d, c, 0);
}

// ---- parts ----

Result<> datetime_date(ThreadState& ts, Args args) {
  return NewDate(ts, StateOf(ts)->date, DayOf(args.self<DateObject>()));
}
Result<> datetime_time(ThreadState& ts, Args args) {
  return NewTime(ts, StateOf(ts)->time, ClockOf(args.self<DateObject>()), Value(ts.rt->none));
}
Result<> datetime_timetz(ThreadState& ts, Args args) {
  DateTimeObject* t = AsDateTime(args[0]);
  return NewTime(ts, StateOf(ts)->time, ClockOf(t), t->tzinfo);
}

Result<> datetime_replace(ThreadState& ts, Args args) {
  const DateTimeObject* t = AsDateTime(args[0]);
  const Ref<> tzinfo = Ref<>::Borrow(args.get(8, t->tzinfo));
  Day d = DayOf(t);
  Clock c = ClockOf(t);
  int* const fields[] = {&d.year, &d.month, &d.day};
  for (uint32_t i = 0; i < 3; ++i) {
    if (!args.has(i + 1)) continue;
    MVM_TRY(*fields[i], IntArgument(ts, args[i + 1]));
  }
  MVM_TRY_VOID(CheckDay(ts, d.year, d.month, d.day));
  MVM_TRY_VOID(ReadClock(ts, args.v + 4, args[9], &c));
  MVM_TRY_VOID(CheckTzInfo(ts, tzinfo));
  return NewDateTime(ts, TypeOf(ts, args[0]), d, c, tzinfo);
}

// ---- order ----

// Does the offset depend on fold? Then the time is in a gap or a repeated hour, and not equal to
// any time of another zone.
Result<bool> DependsOnFold(ThreadState& ts, Value v, const Offset& offset) {
  DateTimeObject* t = AsDateTime(v);
  Clock c = ClockOf(t);
  c.fold = !c.fold;
  MVM_TRY(Ref<> flipped, NewDateTime(ts, StateOf(ts)->datetime, DayOf(t), c, t->tzinfo));
  Offset other;
  MVM_TRY_VOID(UtcOffset(ts, t->tzinfo, flipped, &other));
  return other.known != offset.known || other.micros != offset.micros;
}

}  // namespace

Result<> datetime_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsDateTime(ts, b)) return NotImplemented(ts);
  const Micros x = MicrosOf(AsDateTime(a)), y = MicrosOf(AsDateTime(b));
  if (AsDateTime(a)->tzinfo.is(AsDateTime(b)->tzinfo))
    return OrderResult(ts, x < y ? -1 : x > y, op);
  Offset ox;
  MVM_TRY_VOID(UtcOffset(ts, AsDateTime(a)->tzinfo, a, &ox));
  Offset oy;
  MVM_TRY_VOID(UtcOffset(ts, AsDateTime(b)->tzinfo, b, &oy));
  const bool equality = op == CompareOp::kEq || op == CompareOp::kNe;
  if (ox.known != oy.known) {
    if (equality) return Bool(ts, op == CompareOp::kNe);
    return Raise(ts, Exc::kTypeError, "can't compare offset-naive and offset-aware datetimes");
  }
  const Micros ux = x - ox.micros, uy = y - oy.micros;
  int order = ux < uy ? -1 : ux > uy;
  if (equality && order == 0) {
    MVM_TRY(bool odd, DependsOnFold(ts, a, ox));
    if (!odd) {
      MVM_TRY(odd, DependsOnFold(ts, b, oy));
    }
    if (odd) order = 1;
  }
  return OrderResult(ts, order, op);
}

namespace {

Result<> AddMicros(ThreadState& ts, Value v, Micros delta) {
  DateTimeObject* t = AsDateTime(v);
  const Ref<> tzinfo = Ref<>::Borrow(t->tzinfo);
  Day d;
  Clock c;
  MVM_TRY_VOID(SplitMicros(ts, MicrosOf(t) + delta, &d, &c));
  return NewDateTime(ts, TypeOf(ts, v), d, c, tzinfo);
}

}  // namespace

Result<> datetime_add(ThreadState& ts, Value a, Value b) {
  if (IsDateTime(ts, a) && IsDelta(ts, b)) return AddMicros(ts, a, b.as<DeltaObject>()->total());
  if (IsDelta(ts, a) && IsDateTime(ts, b)) return AddMicros(ts, b, a.as<DeltaObject>()->total());
  return NotImplemented(ts);
}

Result<> datetime_sub(ThreadState& ts, Value a, Value b) {
  if (!IsDateTime(ts, a)) return NotImplemented(ts);
  if (IsDelta(ts, b)) return AddMicros(ts, a, -b.as<DeltaObject>()->total());
  if (!IsDateTime(ts, b)) return NotImplemented(ts);
  Micros difference = MicrosOf(AsDateTime(a)) - MicrosOf(AsDateTime(b));
  if (!AsDateTime(a)->tzinfo.is(AsDateTime(b)->tzinfo)) {
    Offset x;
    MVM_TRY_VOID(UtcOffset(ts, AsDateTime(a)->tzinfo, a, &x));
    Offset y;
    MVM_TRY_VOID(UtcOffset(ts, AsDateTime(b)->tzinfo, b, &y));
    if (x.known != y.known)
      return Raise(ts, Exc::kTypeError, "can't subtract offset-naive and offset-aware datetimes");
    difference += y.micros - x.micros;
  }
  return NewDelta(ts, difference);
}

namespace {

Result<int64_t> datetime_hash(ThreadState& ts, Value self) {
  DateTimeObject* t = AsDateTime(self);
  if (t->hash != 0) return t->hash;
  // As if fold were 0, so that times that only differ in fold can be found.
  Ref<> unfolded = Ref<>::Borrow(self);
  if (t->fold) {
    Clock c = ClockOf(t);
    c.fold = 0;
    MVM_TRY(unfolded, NewDateTime(ts, StateOf(ts)->datetime, DayOf(t), c, t->tzinfo));
  }
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, t->tzinfo, unfolded, &offset));
  const int64_t micros = static_cast<int64_t>(MicrosOf(t) - offset.micros);
  return t->hash = HashBytes({ts.rt->hash_key[0], ts.rt->hash_key[1]}, &micros, sizeof micros);
}

// ---- pickling ----

Result<> Reduce(ThreadState& ts, Value self, bool with_fold) {
  const DateTimeObject* t = AsDateTime(self);
  uint8_t state[10] = {static_cast<uint8_t>(t->year >> 8), static_cast<uint8_t>(t->year), t->month,
                       t->day};
  PutClock(state + 4, t);
  if (with_fold && t->fold) state[2] |= 0x80;
  return ReduceState(ts, self, state, sizeof state, t->tzinfo);
}
Result<> datetime_reduce(ThreadState& ts, Args args) { return Reduce(ts, args[0], false); }
Result<> datetime_reduce_ex(ThreadState& ts, Args args) {
  MVM_TRY(int protocol, IntArgument(ts, args[1]));
  return Reduce(ts, args[0], protocol > 3);
}

Result<> datetime_hour(ThreadState&, Value self) { return Small(AsDateTime(self)->hour); }
Result<> datetime_minute(ThreadState&, Value self) { return Small(AsDateTime(self)->minute); }
Result<> datetime_second(ThreadState&, Value self) { return Small(AsDateTime(self)->second); }
Result<> datetime_microsecond(ThreadState&, Value self) {
  return Small(AsDateTime(self)->microsecond);
}
Result<> datetime_fold(ThreadState&, Value self) { return Small(AsDateTime(self)->fold); }
Result<> datetime_tzinfo(ThreadState&, Value self) {
  return Result<>::Borrow(AsDateTime(self)->tzinfo);
}

#define MVM_DATETIME_REPLACE                                                           \
  "(self, /, year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>, " \
  "hour=<unrepresentable>, minute=<unrepresentable>, second=<unrepresentable>, "       \
  "microsecond=<unrepresentable>, tzinfo=<unrepresentable>, *, fold=<unrepresentable>)"

const MethodSpec kMethods[] = {
    {"__format__(self, format_spec, /)", datetime_format, "Formats self with strftime."},
    {"__reduce__(self, /)", datetime_reduce, "__reduce__() -> (cls, state)"},
    {"__reduce_ex__(self, proto, /)", datetime_reduce_ex, "__reduce_ex__(proto) -> (cls, state)"},
    {"__replace__" MVM_DATETIME_REPLACE, datetime_replace, "The same as replace()."},
    {"astimezone(self, /, tz=None)", datetime_astimezone,
     "The same instant as it is told in tz; in the local zone without one. A naive time is taken "
     "to be local."},
    {"combine(cls, date, time, tzinfo=<unrepresentable>)", datetime_combine,
     "A date and a time put together; the zone is the time's unless one is given.", kMethodClass},
    {"date(self, /)", datetime_date, "The day alone."},
    {"dst(self, /)", datetime_dst,
     "What the zone adds for summer time, as a timedelta; None without a zone."},
    {"fromisoformat(cls, string, /)", datetime_fromisoformat,
     "The time in a text in ISO 8601 format: a date, and one sign and a time of day if wanted.",
     kMethodClass},
    {"fromtimestamp(cls, timestamp, tz=None)", datetime_fromtimestamp,
     "The time at that many seconds since 1970, as told in tz; naive and local without one.",
     kMethodClass},
    {"isoformat(self, /, sep=<unrepresentable>, timespec=<unrepresentable>)", datetime_isoformat,
     "The time in ISO 8601 format: a date, sep, a time of day and the offset of the zone.\n"
     "\n"
     "timespec: how far the time goes: hours, minutes, seconds, milliseconds, microseconds, or "
     "auto: microseconds if not 0."},
    {"now(cls, /, tz=None)", datetime_now, "The time of now in tz; naive and local without one.",
     kMethodClass},
    {"replace" MVM_DATETIME_REPLACE, datetime_replace,
     "The same with other values for what is given. A new tzinfo does not change the clock time."},
    {"strptime(cls, date_string, format, /)", datetime_strptime,
     "The time that a text gives when read by a format of strftime(). ValueError if they do not "
     "match.",
     kMethodClass},
    {"time(self, /)", datetime_time, "The time of day alone, without a zone."},
    {"timestamp(self, /)", datetime_timestamp,
     "Seconds since 1970, as a float. A naive time is taken to be local."},
    {"timetuple(self, /)", datetime_timetuple,
     "The same as a time.struct_time, in which what is not known is 0 and tm_isdst may be -1."},
    {"timetz(self, /)", datetime_timetz, "The time of day, with its zone."},
    {"tzname(self, /)", datetime_tzname, "What the zone calls itself then; None without a zone."},
    {"utcfromtimestamp(cls, timestamp, /)", datetime_utcfromtimestamp,
     "The UTC time at that many seconds since 1970, without a zone. Deprecated: fromtimestamp(t, "
     "UTC) has one.",
     kMethodClass},
    {"utcnow(cls, /)", datetime_utcnow,
     "The UTC time of now, without a zone. Deprecated: now(UTC) has one.", kMethodClass},
    {"utcoffset(self, /)", datetime_utcoffset,
     "How far the zone is ahead of UTC, as a timedelta; None without a zone."},
    {"utctimetuple(self, /)", datetime_utctimetuple,
     "The same instant in UTC, as a time.struct_time."},
};
#undef MVM_DATETIME_REPLACE
const GetSetSpec kGetSets[] = {
    {"hour", datetime_hour},     {"minute", datetime_minute},
    {"second", datetime_second}, {"microsecond", datetime_microsecond},
    {"tzinfo", datetime_tzinfo}, {"fold", datetime_fold},
};

}  // namespace

Result<> NewDateTime(ThreadState& ts, TypeObject* cls, const Day& d, const Clock& c, Value tzinfo) {
  if (cls == StateOf(ts)->datetime) return MakeDateTime(ts, cls, d, c, tzinfo);
  Value values[] = {
      Value::Int(d.year),   Value::Int(d.month),  Value::Int(d.day),         Value::Int(c.hour),
      Value::Int(c.minute), Value::Int(c.second), Value::Int(c.microsecond), tzinfo};
  MVM_TRY(Ref<> made, Call(ts, Value(cls), std::span<const Value>(values)));
  if (c.fold && IsDateTime(ts, made)) AsDateTime(made)->fold = static_cast<uint8_t>(c.fold);
  return made;
}

const TypeSpec kDateTimeType = {
    .name = "datetime.datetime",
    .doc =
        "A day and a time of day: datetime(year, month, day, hour=0, minute=0, second=0, "
        "microsecond=0, tzinfo=None, *, fold=0).\n"
        "\n"
        "Without a tzinfo it is naive: no instant of its own. fold: 1 for the second of two times "
        "that a clock shows twice.",
    .base = &kDateType,
    .flags = kTypeBase,
    .size = sizeof(DateTimeObject),
    .gc = GcHooksOf<DateTimeObject>(),
    .slots = {.repr = datetime_repr,
              .str = datetime_str,
              .hash = datetime_hash,
              .compare = datetime_compare,
              .add = datetime_add,
              .sub = datetime_sub},
    .construct =
        {"datetime(year, month=<unrepresentable>, day=<unrepresentable>, hour=<unrepresentable>, "
         "minute=<unrepresentable>, second=<unrepresentable>, microsecond=<unrepresentable>, "
         "tzinfo=None, *, fold=<unrepresentable>)",
         datetime_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

const TypeSpec kStateType = {
    .name = "datetime._State",
    .flags = kTypeNoNew,
    .size = sizeof(DateTimeState),
    .gc = GcHooksOf<DateTimeState>(),
};

}  // namespace minivm::datetime
