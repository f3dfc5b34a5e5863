// tzinfo and timezone, and asking them.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

namespace {

constexpr const char* kOffsetRange =
    "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24)";

bool IsTimezone(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kTimezoneType;
}

// "UTC", "UTC+05:30", or the name given.
Result<StrObject> NameOf(ThreadState& ts, const TimezoneObject* tz) {
  if (tz->name) return Ref<StrObject>::Borrow(tz->name);
  if (tz->offset->total() == 0) return NewStr(ts, "UTC");
  std::string text = "UTC";
  AppendOffset(&text, tz->offset->total(), ":");
  return NewStr(ts, text);
}

// tz.<name>(argument) of a class in the language; None or a timedelta.
Result<> CallForDelta(ThreadState& ts, Value tz, StrObject* name, Value argument) {
  MVM_TRY(Ref<> result, CallMethod(ts, tz, name, argument));
  if (IsNone(ts, result)) return result;
  if (!IsDelta(ts, result)) {
    return Raise(ts, Exc::kTypeError, "tzinfo.%U() must return None or timedelta, not '%T'",
                 Value(name), result.get());
  }
  const Micros t = result.as<DeltaObject>()->total();
  if (t <= -kDayMicros || t >= kDayMicros) return Raise(ts, Exc::kValueError, "%s.", kOffsetRange);
  return result;
}

}  // namespace

Status UtcOffset(ThreadState& ts, Value tz, Value argument, Offset* out) {
  *out = Offset();
  if (IsNone(ts, tz)) return Ok();
  if (IsTimezone(ts, tz)) {
    *out = {true, tz.as<TimezoneObject>()->offset->total()};
    return Ok();
  }
  MVM_TRY(Ref<> result, CallForDelta(ts, tz, MVM_NAME(ts, utcoffset), argument));
  if (!IsNone(ts, result)) *out = {true, result.as<DeltaObject>()->total()};
  return Ok();
}

Result<> OffsetOrNone(ThreadState& ts, const Offset& offset) {
  return offset.known ? NewDelta(ts, offset.micros) : None(ts);
}

Result<> DstOf(ThreadState& ts, Value tz, Value argument) {
  if (IsNone(ts, tz)) return None(ts);
  return CallForDelta(ts, tz, MVM_NAME(ts, dst), argument);
}

Result<> TzName(ThreadState& ts, Value tz, Value argument) {
  if (IsNone(ts, tz)) return None(ts);
  if (IsTimezone(ts, tz)) return NameOf(ts, tz.as<TimezoneObject>());
  MVM_TRY(Ref<> result, CallMethod(ts, tz, MVM_NAME(ts, tzname), argument));
  if (!IsNone(ts, result) && !IsStr(ts, result)) {
    return Raise(ts, Exc::kTypeError, "tzinfo.tzname() must return None or a string, not '%T'",
                 result.get());
  }
  return result;
}

Result<> NewTimezone(ThreadState& ts, Micros offset, StrObject* name) {
  DateTimeState* state = StateOf(ts);
  if (offset == 0 && !name && state->utc) return Result<>::Borrow(Value(state->utc));
  MVM_TRY(Ref<> delta, NewDelta(ts, offset));
  if (offset <= -kDayMicros || offset >= kDayMicros)
    return Raise(ts, Exc::kValueError, "%s, not %R.", kOffsetRange, delta.get());
  MVM_TRY(Ref<> made, AllocInstance(ts, state->timezone));
  TimezoneObject* tz = made.as<TimezoneObject>();
  tz->offset = std::move(delta).Into<DeltaObject>().Release();
  if (name) tz->name = Ref<StrObject>::Borrow(name).Release();
  return made;
}

namespace {

// ---- tzinfo ----

Result<> tzinfo_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }
Status tzinfo_init(ThreadState&, Value, Args) { return Ok(); }

Result<> tzinfo_utcoffset(ThreadState& ts, Args) {
  return Raise(ts, Exc::kNotImplementedError, "a tzinfo subclass must implement utcoffset()");
}
Result<> tzinfo_tzname(ThreadState& ts, Args) {
  return Raise(ts, Exc::kNotImplementedError, "a tzinfo subclass must implement tzname()");
}
Result<> tzinfo_dst(ThreadState& ts, Args) {
  return Raise(ts, Exc::kNotImplementedError, "a tzinfo subclass must implement dst()");
}

Status CheckOwn(ThreadState& ts, Value self, Value dt) {
  if (!IsDateTime(ts, dt))
    return Raise(ts, Exc::kTypeError, "fromutc: argument must be a datetime");
  if (!dt.as<DateTimeObject>()->tzinfo.is(self))
    return Raise(ts, Exc::kValueError, "fromutc: dt.tzinfo is not self");
  return Ok();
}

// From UTC to local time by way of the standard offset, which utcoffset() - dst() is at any time.
Result<> tzinfo_fromutc(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOwn(ts, args[0], args[1]));
  const Value dt = args[1];
  MVM_TRY(Ref<> off, CallMethod(ts, dt, MVM_NAME(ts, utcoffset)));
  if (IsNone(ts, off))
    return Raise(ts, Exc::kValueError, "fromutc: non-None utcoffset() result required");
  MVM_TRY(Ref<> dst, CallMethod(ts, dt, MVM_NAME(ts, dst)));
  if (IsNone(ts, dst))
    return Raise(ts, Exc::kValueError, "fromutc: non-None dst() result required");
  MVM_TRY(Ref<> delta, Binary(ts, BinaryOp::kSub, off, dst));
  MVM_TRY(Ref<> result, Binary(ts, BinaryOp::kAdd, dt, delta));
  MVM_TRY(Ref<> again, CallMethod(ts, result, MVM_NAME(ts, dst)));
  if (IsNone(ts, again)) {
    return Raise(ts, Exc::kValueError,
                 "fromutc: tz.dst() gave inconsistent results; cannot convert");
  }
  return Binary(ts, BinaryOp::kAdd, result, again);
}

Result<> tzinfo_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> getinit, GetAttrOptional(ts, args[0], std::string_view("__getinitargs__")));
  Ref<> call_args = Ref<>::Borrow(ts.rt->empty_tuple);
  if (!getinit.is_absent()) {
    MVM_TRY(call_args, Call(ts, getinit));
  }
  MVM_TRY(Ref<> state, CallMethod(ts, args[0], MVM_NAME(ts, __getstate__)));
  Value parts[] = {Value(TypeOf(ts, args[0])), call_args, state};
  return NewTuple(ts, parts);
}

const MethodSpec kTzInfoMethods[] = {
    {"__reduce__(self, /)", tzinfo_reduce, "-> (cls, state)"},
    {"dst(self, dt, /)", tzinfo_dst,
     "What the zone adds for summer time at dt, as a timedelta; a subclass says."},
    {"fromutc(self, dt, /)", tzinfo_fromutc,
     "The zone's time for dt, a UTC time whose tzinfo is this zone."},
    {"tzname(self, dt, /)", tzinfo_tzname, "What the zone calls itself at dt; a subclass says."},
    {"utcoffset(self, dt, /)", tzinfo_utcoffset,
     "How far the zone is ahead of UTC at dt, as a timedelta below a day; a subclass says."},
};

// ---- timezone ----

Result<> timezone_new(ThreadState& ts, Args args) {
  if (!IsDelta(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "timezone() argument 1 must be datetime.timedelta, not %T",
                 args[1]);
  }
  StrObject* name = nullptr;
  if (args.has(2)) {
    if (!IsStr(ts, args[2]))
      return Raise(ts, Exc::kTypeError, "timezone() argument 2 must be str, not %T", args[2]);
    name = args.as<StrObject>(2);
  }
  return NewTimezone(ts, args.as<DeltaObject>(1)->total(), name);
}

Status CheckArgument(ThreadState& ts, Value dt, const char* method) {
  if (IsNone(ts, dt) || IsDateTime(ts, dt)) return Ok();
  return Raise(ts, Exc::kTypeError, "%s(dt) argument must be a datetime instance or None, not %T",
               method, dt);
}

Result<> timezone_utcoffset(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckArgument(ts, args[1], "utcoffset"));
  return Result<>::Borrow(Value(args.self<TimezoneObject>()->offset));
}
Result<> timezone_dst(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckArgument(ts, args[1], "dst"));
  return None(ts);
}
Result<> timezone_tzname(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckArgument(ts, args[1], "tzname"));
  return NameOf(ts, args.self<TimezoneObject>());
}
Result<> timezone_fromutc(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOwn(ts, args[0], args[1]));
  return datetime_add(ts, args[1], Value(args.self<TimezoneObject>()->offset));
}
Result<> timezone_getinitargs(ThreadState& ts, Args args) {
  const TimezoneObject* tz = args.self<TimezoneObject>();
  Value both[] = {Value(tz->offset), Value(tz->name)};
  return NewTuple(ts, {both, tz->name ? size_t{2} : size_t{1}});
}

Result<> timezone_repr(ThreadState& ts, Value self) {
  const TimezoneObject* tz = self.as<TimezoneObject>();
  if (self.is(Value(StateOf(ts)->utc))) return NewStr(ts, "datetime.timezone.utc");
  if (!tz->name) return Format(ts, "datetime.timezone(%R)", Value(tz->offset));
  return Format(ts, "datetime.timezone(%R, %R)", Value(tz->offset), Value(tz->name));
}
Result<> timezone_str(ThreadState& ts, Value self) { return NameOf(ts, self.as<TimezoneObject>()); }
Result<int64_t> timezone_hash(ThreadState& ts, Value self) {
  return Hash(ts, Value(self.as<TimezoneObject>()->offset));
}
Result<> timezone_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsTimezone(ts, b))
    return NotImplemented(ts);
  const bool same =
      a.as<TimezoneObject>()->offset->total() == b.as<TimezoneObject>()->offset->total();
  return Bool(ts, same == (op == CompareOp::kEq));
}

const MethodSpec kTimezoneMethods[] = {
    {"__getinitargs__(self, /)", timezone_getinitargs, "pickle support"},
    {"dst(self, dt, /)", timezone_dst, "None: such a zone knows no summer time."},
    {"fromutc(self, dt, /)", timezone_fromutc,
     "The zone's time for dt, a UTC time whose tzinfo is this zone."},
    {"tzname(self, dt, /)", timezone_tzname,
     "The name it was given, else UTC with the offset: UTC+01:00."},
    {"utcoffset(self, dt, /)", timezone_utcoffset, "What the zone was made with, whatever dt."},
};

}  // namespace

const TypeSpec kTzInfoType = {
    .name = "datetime.tzinfo",
    .doc = "What a time zone must answer: a subclass defines utcoffset(), dst() and tzname().",
    .flags = kTypeBase,
    .size = sizeof(TzInfoObject),
    .slots = {.init = tzinfo_init, .new_ = tzinfo_new},
    .methods = kTzInfoMethods,
};

const TypeSpec kTimezoneType = {
    .name = "datetime.timezone",
    .doc =
        "A zone that is always as far ahead of UTC: timezone(offset, name=None), offset a "
        "timedelta below a day.",
    .base = &kTzInfoType,
    .size = sizeof(TimezoneObject),
    .gc = GcHooksOf<TimezoneObject>(),
    .slots = {.repr = timezone_repr,
              .str = timezone_str,
              .hash = timezone_hash,
              .compare = timezone_compare},
    .construct = {"timezone(offset, name=<unrepresentable>)", timezone_new},
    .methods = kTimezoneMethods,
};

}  // namespace minivm::datetime
