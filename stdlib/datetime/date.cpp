// date.
#include <time.h>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "stdlib/datetime/datetime_types.h"
#include "stdlib/datetime/pickle_inl.h"

namespace minivm::datetime {

namespace {

// ---- IsoCalendarDate ----

const GetSetSpec kIsoFields[] = {
    {"year", StructItem<0>}, {"week", StructItem<1>}, {"weekday", StructItem<2>}};

Result<> iso_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<TupleObject> plain, NewTuple(ts, args.self<TupleObject>()->span()));
  Value one[] = {Value(plain.get())};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, one));
  Value state[] = {Value(TypeById(ts, TypeId::kTuple)), Value(call_args.get())};
  return NewTuple(ts, state);
}
const MethodSpec kIsoMethods[] = {{"__reduce__(self, /)", iso_reduce}};

constexpr TypeSpec IsoCalendarSpec() {
  TypeSpec spec =
      StructSequenceTypeSpec("datetime.IsoCalendarDate", kIsoFields,
                             "The result of date.isocalendar() or datetime.isocalendar()");
  spec.methods = kIsoMethods;
  return spec;
}
const StructSequenceSpec kIsoCalendarDate = {.type = IsoCalendarSpec(), .visible = 3, .total = 3};

// ---- construction ----

Result<> date_new(ThreadState& ts, Args args) {
  TypeObject* cls = args.as<TypeObject>(0);
  if (!args.has(2)) {
    uint8_t state[4];
    if (ReadState(ts, args[1], 4, state) && state[2] >= 1 && state[2] <= 12) {
      const Day day = ClampDay({state[0] << 8 | state[1], state[2], state[3]});
      MVM_TRY(Ref<> made, AllocInstance(ts, cls));
      SetDay(made.as<DateObject>(), day);
      return made;
    }
  }
  MVM_TRY(int year, IntArgument(ts, args[1]));
  if (!args.has(2))
    return Raise(ts, Exc::kTypeError, "function missing required argument 'month' (pos 2)");
  MVM_TRY(int month, IntArgument(ts, args[2]));
  if (!args.has(3))
    return Raise(ts, Exc::kTypeError, "function missing required argument 'day' (pos 3)");
  MVM_TRY(int day, IntArgument(ts, args[3]));
  MVM_TRY_VOID(CheckDay(ts, year, month, day));
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  SetDay(made.as<DateObject>(), {year, month, day});
  return made;
}

// cls(year, month, day)
Result<> DateOf(ThreadState& ts, Value cls, const Day& d) {
  return NewDate(ts, cls.as<TypeObject>(), d);
}

Result<> date_today(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> time, ts.rt->hooks.import_module(ts, "time"));
  MVM_TRY(Ref<> now, GetAttr(ts, time, std::string_view("time")));
  MVM_TRY(Ref<> timestamp, Call(ts, now));
  MVM_TRY(Ref<> make, GetAttr(ts, args[0], std::string_view("fromtimestamp")));
  return Call(ts, make, timestamp);
}

Result<> date_fromtimestamp(ThreadState& ts, Args args) {
  Day day;
  Clock clock;
  // Whole seconds, rounded down.
  MVM_TRY(Micros micros, TimestampMicros(ts, args[1]));
  MVM_TRY_VOID(FromTimestamp(ts, micros, true, &day, &clock));
  return DateOf(ts, args[0], day);
}

Result<> date_fromordinal(ThreadState& ts, Args args) {
  MVM_TRY(int ordinal, IntArgument(ts, args[1]));
  if (ordinal < 1) return Raise(ts, Exc::kValueError, "ordinal must be >= 1");
  if (ordinal > kMaxOrdinal) return Raise(ts, Exc::kValueError, "year 10000 is out of range");
  return DateOf(ts, args[0], FromOrdinal(ordinal));
}

Result<> date_fromisoformat(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "fromisoformat: argument must be str");
  const std::string text = NarrowText(args.as<StrObject>(1));
  Day day;
  Raised (*range)(ThreadState&, const Day&);
  const bool sized = text.size() == 7 || text.size() == 8 || text.size() == 10;
  if (!sized || !ParseIsoDay(text, &day, &range))
    return Raise(ts, Exc::kValueError, "Invalid isoformat string: %R", args[1]);
  if (range) return range(ts, day);
  MVM_TRY_VOID(CheckDay(ts, day.year, day.month, day.day));
  return DateOf(ts, args[0], day);
}

Result<> date_fromisocalendar(ThreadState& ts, Args args) {
  int64_t v[3];
  for (uint32_t i = 0; i < 3; ++i) {
    Result<int> n = IntArgument(ts, args[i + 1]);
    if (n.raised()) {
      if (ClearPendingIf(ts, Exc::kOverflowError))
        return Raise(ts, Exc::kValueError, "ISO calendar component out of range");
      return kRaised;
    }
    v[i] = n.Take();
  }
  int64_t ordinal = 0;
  switch (FromIso(v[0], v[1], v[2], &ordinal)) {
    case IsoError::kYear:
      return Raise(ts, Exc::kValueError, "Year is out of range: %lld",
                   static_cast<long long>(v[0]));
    case IsoError::kWeek:
      return Raise(ts, Exc::kValueError, "Invalid week: %lld", static_cast<long long>(v[1]));
    case IsoError::kDay:
      return Raise(ts, Exc::kValueError, "Invalid day: %lld (range is [1, 7])",
                   static_cast<long long>(v[2]));
    case IsoError::kNone: break;
  }
  if (ordinal < 1) return Raise(ts, Exc::kValueError, "year 0 is out of range");
  if (ordinal > kMaxOrdinal) return Raise(ts, Exc::kValueError, "year 10000 is out of range");
  return DateOf(ts, args[0], FromOrdinal(ordinal));
}

// ---- text ----

Result<> date_repr(ThreadState& ts, Value self) {
  const DateObject* d = self.as<DateObject>();
  return Format(ts, "%s(%d, %d, %d)", TypeNameForRepr(ts, self).c_str(), int{d->year},
                int{d->month}, int{d->day});
}
Result<> date_isoformat(ThreadState& ts, Args args) {
  return NewStr(ts, IsoDay(DayOf(args.self<DateObject>())));
}
Result<> date_str(ThreadState& ts, Value self) {
  return CallMethod(ts, self, MVM_NAME(ts, isoformat));
}
Result<> date_ctime(ThreadState& ts, Args args) {
  const DateObject* d = args.self<DateObject>();
  char text[64];
  const int n =
      snprintf(text, sizeof text, "%s %s %2d %02d:%02d:%02d %04d", kDayNames[Weekday(DayOf(d))],
               kMonthNames[d->month - 1], d->day, d->hour, d->minute, d->second, d->year);
  return NewStr(ts, {text, static_cast<size_t>(n)});
}
Result<> date_strftime(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> tuple, CallMethod(ts, args[0], MVM_NAME(ts, timetuple)));
  const bool clock = IsDateTime(ts, args[0]);
  const Value tz = clock ? args.self<DateTimeObject>()->tzinfo : Value(ts.rt->none);
  return WrapStrftime(ts, args[0], args[1], tuple, tz, args[0],
                      static_cast<int>(args.self<DateObject>()->microsecond));
}
Result<> date_timetuple(ThreadState& ts, Args args) {
  return BuildStructTime(ts, DayOf(args.self<DateObject>()), Clock(), -1);
}

// ---- the calendar ----

Result<> date_toordinal(ThreadState&, Args args) {
  return Small(ToOrdinal(DayOf(args.self<DateObject>())));
}
Result<> date_weekday(ThreadState&, Args args) {
  return Small(Weekday(DayOf(args.self<DateObject>())));
}
Result<> date_isoweekday(ThreadState&, Args args) {
  return Small(Weekday(DayOf(args.self<DateObject>())) + 1);
}
Result<> date_isocalendar(ThreadState& ts, Args args) {
  const IsoDate iso = ToIso(DayOf(args.self<DateObject>()));
  Value fields[] = {Value::Int(iso.year), Value::Int(iso.week), Value::Int(iso.weekday)};
  return NewStructSequence(ts, kIsoCalendarDate, fields);
}

Result<> date_replace(ThreadState& ts, Args args) {
  const DateObject* d = args.self<DateObject>();
  int fields[] = {d->year, d->month, d->day};
  for (uint32_t i = 0; i < 3; ++i) {
    if (!args.has(i + 1)) continue;
    MVM_TRY(fields[i], IntArgument(ts, args[i + 1]));
  }
  MVM_TRY_VOID(CheckDay(ts, fields[0], fields[1], fields[2]));
  return NewDate(ts, TypeOf(ts, args[0]), {fields[0], fields[1], fields[2]});
}

// ---- arithmetic and order ----

Result<> AddDays(ThreadState& ts, Value date, const DeltaObject* delta, int sign) {
  const int64_t ordinal = ToOrdinal(DayOf(date.as<DateObject>())) + sign * int64_t{delta->days};
  if (ordinal < 1 || ordinal > kMaxOrdinal)
    return Raise(ts, Exc::kOverflowError, "date value out of range");
  return NewDate(ts, TypeOf(ts, date), FromOrdinal(ordinal));
}

Result<> date_add(ThreadState& ts, Value a, Value b) {
  if (IsDateTime(ts, a) || IsDateTime(ts, b)) return NotImplemented(ts);
  if (IsDate(ts, a) && IsDelta(ts, b)) return AddDays(ts, a, b.as<DeltaObject>(), 1);
  if (IsDelta(ts, a) && IsDate(ts, b)) return AddDays(ts, b, a.as<DeltaObject>(), 1);
  return NotImplemented(ts);
}
Result<> date_sub(ThreadState& ts, Value a, Value b) {
  if (!IsDate(ts, a) || IsDateTime(ts, a)) return NotImplemented(ts);
  if (IsDelta(ts, b)) return AddDays(ts, a, b.as<DeltaObject>(), -1);
  if (!IsDate(ts, b) || IsDateTime(ts, b)) return NotImplemented(ts);
  const int64_t days = ToOrdinal(DayOf(a.as<DateObject>())) - ToOrdinal(DayOf(b.as<DateObject>()));
  return NewDelta(ts, Micros{days} * kDayMicros);
}

Result<> date_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsDate(ts, b) || IsDateTime(ts, b)) return NotImplemented(ts);
  const int64_t x = ToOrdinal(DayOf(a.as<DateObject>())), y = ToOrdinal(DayOf(b.as<DateObject>()));
  return OrderResult(ts, x < y ? -1 : x > y, op);
}

Result<int64_t> date_hash(ThreadState& ts, Value self) {
  DateObject* d = self.as<DateObject>();
  if (d->hash == 0) {
    const uint8_t state[] = {static_cast<uint8_t>(d->year >> 8), static_cast<uint8_t>(d->year),
                             d->month, d->day};
    d->hash = HashBytes({ts.rt->hash_key[0], ts.rt->hash_key[1]}, state, sizeof state);
  }
  return d->hash;
}

Result<> date_reduce(ThreadState& ts, Args args) {
  const DateObject* d = args.self<DateObject>();
  const uint8_t state[] = {static_cast<uint8_t>(d->year >> 8), static_cast<uint8_t>(d->year),
                           d->month, d->day};
  return ReduceState(ts, args[0], state, sizeof state, Value(ts.rt->none));
}

Result<> date_year(ThreadState&, Value self) { return Small(self.as<DateObject>()->year); }
Result<> date_month(ThreadState&, Value self) { return Small(self.as<DateObject>()->month); }
Result<> date_day(ThreadState&, Value self) { return Small(self.as<DateObject>()->day); }

const MethodSpec kMethods[] = {
    {"__format__(self, format_spec, /)", datetime_format, "Formats self with strftime."},
    {"__reduce__(self, /)", date_reduce, "__reduce__() -> (cls, state)"},
    {"__replace__(self, /, year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>)",
     date_replace, "The same as replace()."},
    {"ctime(self, /)", date_ctime,
     "The date as C's ctime() writes it: 'Wed Dec  4 00:00:00 2002'."},
    {"fromisocalendar(cls, year, week, day)", date_fromisocalendar,
     "The day in an ISO week of a year; day 1 is a Monday. ValueError if there is no such day.",
     kMethodClass},
    {"fromisoformat(cls, object, /)", date_fromisoformat,
     "The date in a text like 2011-11-04, 20111104 or 2011-W44-5.", kMethodClass},
    {"fromordinal(cls, ordinal, /)", date_fromordinal,
     "The date that many days after 0000-12-31: day 1 is 0001-01-01.", kMethodClass},
    {"fromtimestamp(cls, timestamp, /)", date_fromtimestamp,
     "The local date at a time in seconds since 1970.", kMethodClass},
    {"isocalendar(self, /)", date_isocalendar,
     "Year, week and weekday as ISO 8601 counts them, under those names."},
    {"isoformat(self, /)", date_isoformat, "The date as yyyy-mm-dd."},
    {"isoweekday(self, /)", date_isoweekday, "The weekday, 1 for Monday to 7 for Sunday."},
    {"replace(self, /, year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>)",
     date_replace, "The same with other values for what is given."},
    {"strftime(self, /, format)", date_strftime, "As the format says: %Y, %m, %d and so on."},
    {"timetuple(self, /)", date_timetuple,
     "The same as a time.struct_time, in which what is not known is 0 and tm_isdst may be -1."},
    {"today(cls, /)", date_today, "The local date of now.", kMethodClass},
    {"toordinal(self, /)", date_toordinal,
     "Days since 0000-12-31: 1 for 0001-01-01, as if the calendar had always been as now."},
    {"weekday(self, /)", date_weekday, "The weekday, 0 for Monday to 6 for Sunday."},
};
const GetSetSpec kGetSets[] = {{"year", date_year}, {"month", date_month}, {"day", date_day}};

}  // namespace

Result<> NewDate(ThreadState& ts, TypeObject* cls, const Day& d) {
  if (cls == StateOf(ts)->date) {
    MVM_TRY(Ref<DateObject> made, New<DateObject>(ts, cls->shape_id_exact));
    SetDay(made, d);
    return made;
  }
  if (cls->spec == &kDateTimeType && !cls->is_heap())
    return NewDateTime(ts, cls, d, Clock(), Value(ts.rt->none));
  return Call(ts, Value(cls), Value::Int(d.year), Value::Int(d.month), Value::Int(d.day));
}

const TypeSpec kDateType = {
    .name = "datetime.date",
    .doc = "A day: date(year, month, day), in the years 1 to 9999.",
    .flags = kTypeBase,
    .size = sizeof(DateObject),
    .slots = {.repr = date_repr,
              .str = date_str,
              .hash = date_hash,
              .compare = date_compare,
              .add = date_add,
              .sub = date_sub},
    .construct = {"date(year, month=<unrepresentable>, day=<unrepresentable>)", date_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::datetime
