// The module time.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string>

#include "runtime/objects/codec.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

Result<> Seconds(ThreadState& ts, const struct timespec& t) {
  return NewFloat(ts, static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec));
}
Result<> Nanoseconds(ThreadState& ts, const struct timespec& t) {
  return NewInt(ts, static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec);
}
template <clockid_t kClock, bool kNs>
Result<> ReadClock(ThreadState& ts, Args args) {
  struct timespec t;
  if (clock_gettime(kClock, &t) < 0) return RaiseErrno(ts, errno);
  return kNs ? Nanoseconds(ts, t) : Seconds(ts, t);
}

Result<> time_sleep(ThreadState& ts, Args args) {
  MVM_TRY(int64_t ns, ToNanoseconds(ts, args[0], 1'000'000'000, nullptr));
  if (ns < 0) return Raise(ts, Exc::kValueError, "sleep length must be non-negative");
  if (ns == 0) {
    YieldLock(ts);
    MVM_TRY_VOID(ServeInterrupted(ts));
  } else {
    MVM_TRY_VOID(SleepUntil(ts, DeadlineAfter(ns)));
  }
  return None(ts);
}

// ---- struct_time ----

const GetSetSpec kTimeFields[] = {
    {"tm_year", StructItem<0>, nullptr, "such as 2019"},
    {"tm_mon", StructItem<1>, nullptr, "1 to 12"},
    {"tm_mday", StructItem<2>, nullptr, "1 to 31"},
    {"tm_hour", StructItem<3>, nullptr, "0 to 23"},
    {"tm_min", StructItem<4>, nullptr, "0 to 59"},
    {"tm_sec", StructItem<5>, nullptr, "0 to 61, for leap seconds"},
    {"tm_wday", StructItem<6>, nullptr, "0 for Monday to 6 for Sunday"},
    {"tm_yday", StructItem<7>, nullptr, "1 to 366"},
    {"tm_isdst", StructItem<8>, nullptr, "1 in summer time, 0 without; -1: unknown"},
    {"tm_zone", StructItem<9>, nullptr, "what the zone is called"},
    {"tm_gmtoff", StructItem<10>, nullptr, "seconds ahead of UTC"},
};
const StructSequenceSpec kStructTime = {
    .type = StructSequenceTypeSpec("time.struct_time", kTimeFields,
                                   "A time in parts: year, month, day, hour, minute, second, "
                                   "weekday, day in the year, summer time; as a tuple of nine.",
                                   "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 9,
    .total = 11,
};
Result<> StructTime(ThreadState& ts, const struct tm& t) {
  MVM_TRY(Ref<StrObject> zone, NewStrFromOs(ts, t.tm_zone != nullptr ? t.tm_zone : ""));
  Value v[] = {Value::Int(int64_t{t.tm_year} + 1900),
               Value::Int(t.tm_mon + 1),
               Value::Int(t.tm_mday),
               Value::Int(t.tm_hour),
               Value::Int(t.tm_min),
               Value::Int(t.tm_sec),
               Value::Int((t.tm_wday + 6) % 7),
               Value::Int(t.tm_yday + 1),
               Value::Int(t.tm_isdst),
               Value(zone.get()),
               Value::Int(t.tm_gmtoff)};
  return NewStructSequence(ts, kStructTime, v);
}

// Seconds since the epoch given by a script, or now.
Result<int64_t> WhenOf(ThreadState& ts, Value v) {
  if (v.is_absent() || IsNone(ts, v)) return static_cast<int64_t>(time(nullptr));
  if (IsFloat(ts, v)) {
    double d = std::floor(FloatValue(v));
    if (std::isnan(d)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
    if (!(std::fabs(d) < 9.2e18))
      return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
    return static_cast<int64_t>(d);
  }
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n))
    return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
  return n;
}
Status BrokenDown(ThreadState& ts, Value when, bool local, struct tm* out) {
  MVM_TRY(int64_t seconds, WhenOf(ts, when));
  time_t t = seconds;
  errno = 0;
  std::memset(out, 0, sizeof *out);
  if ((local ? localtime_r(&t, out) : gmtime_r(&t, out)) == nullptr)
    return RaiseErrno(ts, errno ? errno : EINVAL);
  return Ok();
}
Result<> time_gmtime(ThreadState& ts, Args args) {
  struct tm t;
  MVM_TRY_VOID(BrokenDown(ts, args[0], false, &t));
  return StructTime(ts, t);
}
Result<> time_localtime(ThreadState& ts, Args args) {
  struct tm t;
  MVM_TRY_VOID(BrokenDown(ts, args[0], true, &t));
  return StructTime(ts, t);
}

// A script's time tuple, checked.
Status FromTuple(ThreadState& ts, Value v, struct tm* out, const char* function,
                 bool check = true) {
  if (!IsTuple(ts, v)) return Raise(ts, Exc::kTypeError, "Tuple or struct_time argument required");
  TupleObject* t = v.as<TupleObject>();
  if (t->size() != 9)
    return Raise(ts, Exc::kTypeError, "%s(): illegal time tuple argument", function);
  int64_t n[9];
  for (int i = 0; i < 9; ++i) {
    if (!IsInt(ts, t->items()[i])) {
      return Raise(ts, Exc::kTypeError, "'%T' object cannot be interpreted as an integer",
                   t->items()[i]);
    }
    if (!IntFitsInt64(t->items()[i], &n[i]) || n[i] > INT32_MAX || n[i] < INT32_MIN) {
      return Raise(ts, Exc::kOverflowError, "signed integer is greater than maximum");
    }
  }
  std::memset(out, 0, sizeof *out);
  if (n[0] - 1900 < INT32_MIN) return Raise(ts, Exc::kOverflowError, "year out of range");
  out->tm_year = static_cast<int>(n[0] - 1900);
  out->tm_mon = static_cast<int>(n[1]) - 1;
  out->tm_mday = static_cast<int>(n[2]);
  out->tm_hour = static_cast<int>(n[3]);
  out->tm_min = static_cast<int>(n[4]);
  out->tm_sec = static_cast<int>(n[5]);
  out->tm_wday = static_cast<int>((n[6] + 1) % 7);
  out->tm_yday = static_cast<int>(n[7]) - 1;
  out->tm_isdst = static_cast<int>(n[8]);
  if (!check) return Ok();
  if (out->tm_mon == -1) out->tm_mon = 0;
  if (out->tm_mday == 0) out->tm_mday = 1;
  if (out->tm_yday == -1) out->tm_yday = 0;
  const char* bad = out->tm_mon < 0 || out->tm_mon > 11      ? "month out of range"
                    : out->tm_mday < 0 || out->tm_mday > 31  ? "day of month out of range"
                    : out->tm_hour < 0 || out->tm_hour > 23  ? "hour out of range"
                    : out->tm_min < 0 || out->tm_min > 59    ? "minute out of range"
                    : out->tm_sec < 0 || out->tm_sec > 61    ? "seconds out of range"
                    : out->tm_wday < 0                       ? "day of week out of range"
                    : out->tm_yday < 0 || out->tm_yday > 365 ? "day of year out of range"
                                                             : nullptr;
  if (bad != nullptr) return Raise(ts, Exc::kValueError, "%s", bad);
  return Ok();
}

Result<> Asctime(ThreadState& ts, const struct tm& t) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[80];
  int n = snprintf(text, sizeof text, "%s %s%3d %.2d:%.2d:%.2d %lld", kDays[t.tm_wday],
                   kMonths[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, 1900LL + t.tm_year);
  return NewStr(ts, {text, static_cast<size_t>(n)});
}
Result<> time_asctime(ThreadState& ts, Args args) {
  struct tm t;
  if (args.has(0)) {
    MVM_TRY_VOID(FromTuple(ts, args[0], &t, "asctime"));
  } else {
    MVM_TRY_VOID(BrokenDown(ts, Value::Absent(), true, &t));
  }
  return Asctime(ts, t);
}
Result<> time_ctime(ThreadState& ts, Args args) {
  struct tm t;
  MVM_TRY_VOID(BrokenDown(ts, args[0], true, &t));
  return Asctime(ts, t);
}
Result<> time_mktime(ThreadState& ts, Args args) {
  struct tm t;
  MVM_TRY_VOID(FromTuple(ts, args[0], &t, "mktime", false));
  t.tm_wday = -1;
  time_t r = mktime(&t);
  if (r == -1 && t.tm_wday == -1)
    return Raise(ts, Exc::kOverflowError, "mktime argument out of range");
  return NewFloat(ts, static_cast<double>(r));
}

// The zone of the process, as TZ says now. The C library keeps it in variables that it writes under
// a lock of its own; readers of other VMs need one too.
struct LocalZone {
  long west;  // of UTC, seconds
  bool has_summer_time;
  std::string names[2];
};
LocalZone ReadZone() {
  static std::mutex guard;
  const std::lock_guard<std::mutex> held(guard);
  tzset();
  return {timezone, daylight != 0, {tzname[0], tzname[1]}};
}

Result<> time_strftime(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "strftime() argument 1 must be str, not %T", args[0]);
  struct tm t;
  std::string zone;
  if (args.has(1)) {
    MVM_TRY_VOID(FromTuple(ts, args[1], &t, "strftime"));
    if (t.tm_isdst >= 0) zone = ReadZone().names[t.tm_isdst > 0];
    t.tm_zone = zone.c_str();
    // What gmtime() or localtime() made knows its zone.
    MVM_TRY(Ref<> name, GetAttrOptional(ts, args[1], "tm_zone"));
    MVM_TRY(Ref<> offset, GetAttrOptional(ts, args[1], "tm_gmtoff"));
    int64_t seconds;
    if (!name.is_null() && IsStr(ts, name)) {
      zone = ToUtf8(name.as<StrObject>());
      t.tm_zone = zone.c_str();
    }
    if (!offset.is_null() && IsInt(ts, offset) && IntFitsInt64(offset, &seconds))
      t.tm_gmtoff = seconds;
  } else {
    MVM_TRY_VOID(BrokenDown(ts, Value::Absent(), true, &t));
  }
  std::string format = ToUtf8(args.as<StrObject>(0));
  if (format.find('\0') != std::string::npos)
    return Raise(ts, Exc::kValueError, "embedded null character");
  std::string out;
  if (!format.empty()) {
    MVM_TRY_VOID(CheckRoom(ts, format.size() * 8));
    std::string buffer(format.size() * 4 + 256, '\0');
    for (;;) {
      buffer[0] = 1;
      size_t n = strftime(buffer.data(), buffer.size(), format.c_str(), &t);
      if (n > 0 || buffer.size() > (format.size() + 1) * 1024) {
        out.assign(buffer.data(), n);
        break;
      }
      if (buffer[0] == '\0' && n == 0 && buffer.size() > format.size() * 256 + 256) break;
      MVM_TRY_VOID(CheckRoom(ts, buffer.size() * 2));
      buffer.resize(buffer.size() * 2);
    }
  }
  // Lone surrogates of the format come back as they are.
  if (!args.as<StrObject>(0)->ascii()) return Decode(ts, out, "utf-8", "surrogatepass");
  return NewStrFromOs(ts, out);
}
Result<> time_strptime(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_strptime"));
  MVM_TRY(Ref<> f, GetAttr(ts, module, std::string_view("_strptime_time")));
  Value format = args[1];
  return Call(ts, f, args[0], format);
}
Result<> time_tzset(ThreadState& ts, Args args);

// ---- clocks by number ----

Result<int> ClockId(ThreadState& ts, Value v) {
  MVM_TRY(int64_t n, AsInt64(ts, v));
  return static_cast<int>(n);
}
Result<> time_clock_gettime(ThreadState& ts, Args args) {
  MVM_TRY(int id, ClockId(ts, args[0]));
  struct timespec t;
  if (clock_gettime(id, &t) < 0) return RaiseErrno(ts, errno);
  return Seconds(ts, t);
}
Result<> time_clock_gettime_ns(ThreadState& ts, Args args) {
  MVM_TRY(int id, ClockId(ts, args[0]));
  struct timespec t;
  if (clock_gettime(id, &t) < 0) return RaiseErrno(ts, errno);
  return Nanoseconds(ts, t);
}
Result<> time_clock_getres(ThreadState& ts, Args args) {
  MVM_TRY(int id, ClockId(ts, args[0]));
  struct timespec t;
  if (clock_getres(id, &t) < 0) return RaiseErrno(ts, errno);
  return Seconds(ts, t);
}
Result<> time_get_clock_info(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "get_clock_info() argument 1 must be str, not %T", args[0]);
  struct Row {
    const char* name;
    const char* implementation;
    bool monotonic, adjustable;
  };
  static constexpr Row kRows[] = {
      {"time", "clock_gettime(CLOCK_REALTIME)", false, true},
      {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", true, false},
      {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", true, false},
      {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", true, false},
      {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", true, false},
  };
  for (const Row& row : kRows) {
    if (!args.as<StrObject>(0)->EqualsAscii(row.name)) continue;
    MVM_TRY(Ref<> types, ts.rt->hooks.import_module(ts, "types"));
    MVM_TRY(Ref<> cls, GetAttr(ts, types, std::string_view("SimpleNamespace")));
    MVM_TRY(Ref<> ns, Call(ts, cls));
    MVM_TRY(Ref<StrObject> text, NewStr(ts, row.implementation));
    MVM_TRY(Ref<> resolution, NewFloat(ts, 1e-9));
    MVM_TRY_VOID(SetAttr(ts, ns, "implementation", Value(text.get())));
    MVM_TRY_VOID(SetAttr(ts, ns, "monotonic", row.monotonic ? ts.rt->true_ : ts.rt->false_));
    MVM_TRY_VOID(SetAttr(ts, ns, "adjustable", row.adjustable ? ts.rt->true_ : ts.rt->false_));
    MVM_TRY_VOID(SetAttr(ts, ns, "resolution", resolution));
    return ns;
  }
  return Raise(ts, Exc::kValueError, "unknown clock");
}

Status AddZone(ThreadState& ts, Value module) {
  const LocalZone zone = ReadZone();
  const long altzone = zone.west - (zone.has_summer_time ? 3600 : 0);
  MVM_TRY_VOID(SetAttr(ts, module, "timezone", Value::Int(zone.west)));
  MVM_TRY_VOID(SetAttr(ts, module, "altzone", Value::Int(altzone)));
  MVM_TRY_VOID(SetAttr(ts, module, "daylight", Value::Int(zone.has_summer_time)));
  MVM_TRY(Ref<StrObject> a, NewStrFromOs(ts, zone.names[0]));
  MVM_TRY(Ref<StrObject> b, NewStrFromOs(ts, zone.names[1]));
  Value pair[] = {Value(a.get()), Value(b.get())};
  MVM_TRY(Ref<TupleObject> names, NewTuple(ts, pair));
  return SetAttr(ts, module, "tzname", Value(names.get()));
}
Result<> time_tzset(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "time"));
  MVM_TRY_VOID(AddZone(ts, module));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"asctime(tuple=<unrepresentable>, /)", time_asctime,
     "A time as C writes it: 'Wed Jan  2 03:04:05 2019'; now by default."},
    {"clock()", ReadClock<CLOCK_PROCESS_CPUTIME_ID, false>,
     "Processor time, as Python 2 had it: process_time()."},
    {"clock_getres(clk_id, /)", time_clock_getres, "How many seconds a tick of a clock takes."},
    {"clock_gettime(clk_id, /)", time_clock_gettime,
     "Seconds that a clock (CLOCK_REALTIME, CLOCK_MONOTONIC, ...) shows."},
    {"clock_gettime_ns(clk_id, /)", time_clock_gettime_ns,
     "Nanoseconds that a clock (CLOCK_REALTIME, CLOCK_MONOTONIC, ...) shows."},
    {"ctime(seconds=None, /)", time_ctime,
     "asctime() of the local time at so many seconds since 1970; now by default."},
    {"get_clock_info(name, /)", time_get_clock_info,
     "What a clock is like, by name: implementation, monotonic, adjustable, resolution. Names: "
     "monotonic, perf_counter, process_time, thread_time, time."},
    {"gmtime(seconds=None, /)", time_gmtime,
     "The UTC time at so many seconds since 1970, as a struct_time; now by default."},
    {"localtime(seconds=None, /)", time_localtime,
     "The local time at so many seconds since 1970, as a struct_time; now by default."},
    {"mktime(tuple, /)", time_mktime,
     "Seconds since 1970 at a local time, a struct_time or tuple of nine. OverflowError if the "
     "system has none."},
    {"monotonic()", ReadClock<CLOCK_MONOTONIC, false>,
     "Seconds of a clock that never goes back; only differences mean something."},
    {"monotonic_ns()", ReadClock<CLOCK_MONOTONIC, true>, "monotonic() in nanoseconds, as an int."},
    {"perf_counter()", ReadClock<CLOCK_MONOTONIC, false>,
     "Seconds of the clock with the finest ticks, which never goes back; only differences mean "
     "something."},
    {"perf_counter_ns()", ReadClock<CLOCK_MONOTONIC, true>,
     "perf_counter() in nanoseconds, as an int."},
    {"process_time()", ReadClock<CLOCK_PROCESS_CPUTIME_ID, false>,
     "Seconds that this process has run on processors, also in the kernel; the time that it sleeps "
     "does not count."},
    {"process_time_ns()", ReadClock<CLOCK_PROCESS_CPUTIME_ID, true>,
     "process_time() in nanoseconds, as an int."},
    {"sleep(object, /)", time_sleep,
     "Let that many seconds go by; a signal does not end it unless its handler raises."},
    {"strftime(format, tuple=<unrepresentable>, /)", time_strftime,
     "A time as the format says: %Y, %m, %d, %H and so on; now, in local time, by default."},
    {"strptime(string, format='%a %b %d %H:%M:%S %Y', /)", time_strptime,
     "The time that a text gives when read by a format of strftime(). ValueError if they do not "
     "match."},
    {"thread_time()", ReadClock<CLOCK_THREAD_CPUTIME_ID, false>,
     "Seconds that this thread has run on processors, also in the kernel; the time that it sleeps "
     "does not count."},
    {"thread_time_ns()", ReadClock<CLOCK_THREAD_CPUTIME_ID, true>,
     "thread_time() in nanoseconds, as an int."},
    {"time()", ReadClock<CLOCK_REALTIME, false>,
     "Seconds since 1970, as a float; the clock may be set back."},
    {"time_ns()", ReadClock<CLOCK_REALTIME, true>, "time() in nanoseconds, as an int."},
    {"tzset()", time_tzset, "Take the zone that the environment variable TZ says."},
};
const ConstantSpec kConstants[] = {
    {"CLOCK_BOOTTIME", ConstantSpec::kInt, CLOCK_BOOTTIME},
    {"CLOCK_MONOTONIC", ConstantSpec::kInt, CLOCK_MONOTONIC},
    {"CLOCK_MONOTONIC_RAW", ConstantSpec::kInt, CLOCK_MONOTONIC_RAW},
    {"CLOCK_PROCESS_CPUTIME_ID", ConstantSpec::kInt, CLOCK_PROCESS_CPUTIME_ID},
    {"CLOCK_REALTIME", ConstantSpec::kInt, CLOCK_REALTIME},
    {"CLOCK_TAI", ConstantSpec::kInt, CLOCK_TAI},
    {"CLOCK_THREAD_CPUTIME_ID", ConstantSpec::kInt, CLOCK_THREAD_CPUTIME_ID},
    {"_STRUCT_TM_ITEMS", ConstantSpec::kInt, 11},
};
Status exec_time(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, kStructTime));
  MVM_TRY_VOID(ModuleAdd(ts, module, "struct_time", Value(type)));
  return AddZone(ts, Value(module));
}

}  // namespace

extern const ModuleSpec k_time_module;
const ModuleSpec k_time_module = {
    .name = "time",
    .doc = "Clocks, sleep, and times in parts and as texts.",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = exec_time,
};

}  // namespace minivm
