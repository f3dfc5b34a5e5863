// time.
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "stdlib/datetime/datetime_types.h"
#include "stdlib/datetime/pickle_inl.h"

namespace minivm::datetime {

namespace {

TimeObject* AsTime(Value v) { return v.as<TimeObject>(); }

Result<> MakeTime(ThreadState& ts, TypeObject* cls, const Clock& c, Value tzinfo) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  TimeObject* t = made.as<TimeObject>();
  SetClock(t, c);
  t->tzinfo = Ref<>::Borrow(tzinfo).Release();
  return made;
}

Result<> time_new(ThreadState& ts, Args args) {
  TypeObject* cls = args.as<TypeObject>(0);
  uint8_t state[6];
  if (args.has(1) && !args.has(3) && ReadState(ts, args[1], 6, state) && (state[0] & 0x7F) < 24) {
    const Value tzinfo = args.get(2, Value(ts.rt->none));
    if (!IsNone(ts, tzinfo) && !IsTzInfo(ts, tzinfo))
      return Raise(ts, Exc::kTypeError, "bad tzinfo state arg");
    const int fold = state[0] >> 7;
    state[0] &= 0x7F;
    Clock c = ClampClock(GetClock(state));
    c.fold = fold;
    return MakeTime(ts, cls, c, tzinfo);
  }
  Clock c;
  const Value tzinfo = args[5];
  MVM_TRY_VOID(ReadClock(ts, args.v + 1, args[6], &c));
  MVM_TRY_VOID(CheckTzInfo(ts, tzinfo));
  return MakeTime(ts, cls, c, tzinfo);
}

Result<> time_fromisoformat(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "fromisoformat: argument must be str");
  const std::string narrow = NarrowText(args.as<StrObject>(1));
  std::string_view text = narrow;
  if (!text.empty() && text[0] == 'T') text.remove_prefix(1);
  ParsedTime parsed;
  if (!ParseIsoTime(text, &parsed))
    return Raise(ts, Exc::kValueError, "Invalid isoformat string: %R", args[1]);
  Ref<> tzinfo = Ref<>::Borrow(ts.rt->none);
  if (parsed.aware) {
    MVM_TRY(tzinfo, NewTimezone(ts, parsed.offset));
  }
  const Clock& c = parsed.clock;
  MVM_TRY_VOID(CheckClock(ts, c.hour, c.minute, c.second, c.microsecond, 0));
  return NewTime(ts, args.as<TypeObject>(0), c, tzinfo);
}

// ---- text ----

Result<> time_repr(ThreadState& ts, Value self) {
  const TimeObject* t = AsTime(self);
  std::string out =
      TypeNameForRepr(ts, self) + "(" + std::to_string(t->hour) + ", " + std::to_string(t->minute);
  if (t->second || t->microsecond) out += ", " + std::to_string(t->second);
  if (t->microsecond) out += ", " + std::to_string(t->microsecond);
  MVM_TRY(Ref<StrObject> head, NewStr(ts, out));
  const char* fold = t->fold ? ", fold=1" : "";
  if (IsNone(ts, t->tzinfo)) return Format(ts, "%U%s)", Value(head.get()), fold);
  return Format(ts, "%U, tzinfo=%R%s)", Value(head.get()), t->tzinfo, fold);
}

Result<> IsoText(ThreadState& ts, Value self, Value timespec) {
  const Ref<> tzinfo = Ref<>::Borrow(AsTime(self)->tzinfo);
  std::string out;
  MVM_TRY_VOID(AppendIsoClock(ts, &out, ClockOf(AsTime(self)), timespec));
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, tzinfo, Value(ts.rt->none), &offset));
  if (offset.known) AppendOffset(&out, offset.micros, ":");
  return NewStr(ts, out);
}
Result<> time_isoformat(ThreadState& ts, Args args) {
  if (args.has(1) && !IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "isoformat() argument 1 must be str, not %T", args[1]);
  return IsoText(ts, args[0], args[1]);
}
Result<> time_str(ThreadState& ts, Value self) {
  return CallMethod(ts, self, MVM_NAME(ts, isoformat));
}

Result<> time_strftime(ThreadState& ts, Args args) {
  const TimeObject* t = AsTime(args[0]);
  const Ref<> tzinfo = Ref<>::Borrow(t->tzinfo);
  // 1900-01-01 stands for the missing day.
  Value fields[] = {Value::Int(1900),    Value::Int(1),         Value::Int(1),
                    Value::Int(t->hour), Value::Int(t->minute), Value::Int(t->second),
                    Value::Int(0),       Value::Int(1),         Value::Int(-1)};
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, fields));
  return WrapStrftime(ts, args[0], args[1], Value(tuple.get()), tzinfo, Value(ts.rt->none),
                      static_cast<int>(t->microsecond));
}

// ---- zone ----

Result<> time_utcoffset(ThreadState& ts, Args args) {
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, AsTime(args[0])->tzinfo, Value(ts.rt->none), &offset));
  return OffsetOrNone(ts, offset);
}
Result<> time_dst(ThreadState& ts, Args args) {
  return DstOf(ts, AsTime(args[0])->tzinfo, Value(ts.rt->none));
}
Result<> time_tzname(ThreadState& ts, Args args) {
  return TzName(ts, AsTime(args[0])->tzinfo, Value(ts.rt->none));
}

Result<> time_replace(ThreadState& ts, Args args) {
  const TimeObject* t = AsTime(args[0]);
  Clock c = ClockOf(t);
  const Ref<> tzinfo = Ref<>::Borrow(args.get(5, t->tzinfo));
  MVM_TRY_VOID(ReadClock(ts, args.v + 1, args[6], &c));
  MVM_TRY_VOID(CheckTzInfo(ts, tzinfo));
  return NewTime(ts, TypeOf(ts, args[0]), c, tzinfo);
}

// ---- order ----

Result<> time_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsTime(ts, b)) return NotImplemented(ts);
  const Micros x = ClockOf(AsTime(a)).micros(), y = ClockOf(AsTime(b)).micros();
  if (AsTime(a)->tzinfo.is(AsTime(b)->tzinfo)) return OrderResult(ts, x < y ? -1 : x > y, op);
  const Value none = Value(ts.rt->none);
  Offset ox;
  MVM_TRY_VOID(UtcOffset(ts, AsTime(a)->tzinfo, none, &ox));
  Offset oy;
  MVM_TRY_VOID(UtcOffset(ts, AsTime(b)->tzinfo, none, &oy));
  if (ox.known != oy.known) {
    if (op == CompareOp::kEq || op == CompareOp::kNe) return Bool(ts, op == CompareOp::kNe);
    return Raise(ts, Exc::kTypeError, "can't compare offset-naive and offset-aware times");
  }
  const Micros ux = x - ox.micros, uy = y - oy.micros;
  return OrderResult(ts, ux < uy ? -1 : ux > uy, op);
}

Result<int64_t> time_hash(ThreadState& ts, Value self) {
  TimeObject* t = AsTime(self);
  if (t->hash != 0) return t->hash;
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, t->tzinfo, Value(ts.rt->none), &offset));
  // Equal instants of aware times hash alike.
  const int64_t micros = static_cast<int64_t>(ClockOf(t).micros() - offset.micros);
  return t->hash = HashBytes({ts.rt->hash_key[0], ts.rt->hash_key[1]}, &micros, sizeof micros);
}

// ---- pickling ----

Result<> Reduce(ThreadState& ts, Value self, bool with_fold) {
  const TimeObject* t = AsTime(self);
  uint8_t state[6];
  PutClock(state, t);
  if (with_fold && t->fold) state[0] |= 0x80;
  return ReduceState(ts, self, state, sizeof state, t->tzinfo);
}
Result<> time_reduce(ThreadState& ts, Args args) { return Reduce(ts, args[0], false); }
Result<> time_reduce_ex(ThreadState& ts, Args args) {
  MVM_TRY(int protocol, IntArgument(ts, args[1]));
  return Reduce(ts, args[0], protocol > 3);
}

Result<> time_hour(ThreadState&, Value self) { return Small(AsTime(self)->hour); }
Result<> time_minute(ThreadState&, Value self) { return Small(AsTime(self)->minute); }
Result<> time_second(ThreadState&, Value self) { return Small(AsTime(self)->second); }
Result<> time_microsecond(ThreadState&, Value self) { return Small(AsTime(self)->microsecond); }
Result<> time_fold(ThreadState&, Value self) { return Small(AsTime(self)->fold); }
Result<> time_tzinfo(ThreadState&, Value self) { return Result<>::Borrow(AsTime(self)->tzinfo); }

#define MVM_TIME_REPLACE                                                                   \
  "(self, /, hour=<unrepresentable>, minute=<unrepresentable>, second=<unrepresentable>, " \
  "microsecond=<unrepresentable>, tzinfo=<unrepresentable>, *, fold=<unrepresentable>)"

const MethodSpec kMethods[] = {
    {"__format__(self, format_spec, /)", datetime_format, "Formats self with strftime."},
    {"__reduce__(self, /)", time_reduce, "__reduce__() -> (cls, state)"},
    {"__reduce_ex__(self, proto, /)", time_reduce_ex, "__reduce_ex__(proto) -> (cls, state)"},
    {"__replace__" MVM_TIME_REPLACE, time_replace, "The same as replace()."},
    {"dst(self, /)", time_dst,
     "What the zone adds for summer time, as a timedelta; None without a zone."},
    {"fromisoformat(cls, string, /)", time_fromisoformat,
     "The time of day in a text in ISO 8601 format.", kMethodClass},
    {"isoformat(self, /, timespec=<unrepresentable>)", time_isoformat,
     "The time of day in ISO 8601 format, with the offset of the zone.\n"
     "\n"
     "timespec: how far it goes: hours, minutes, seconds, milliseconds, microseconds, or auto: "
     "microseconds if not 0."},
    {"replace" MVM_TIME_REPLACE, time_replace, "The same with other values for what is given."},
    {"strftime(self, /, format)", time_strftime, "As the format says: %Y, %m, %d and so on."},
    {"tzname(self, /)", time_tzname, "What the zone calls itself then; None without a zone."},
    {"utcoffset(self, /)", time_utcoffset,
     "How far the zone is ahead of UTC, as a timedelta; None without a zone."},
};
#undef MVM_TIME_REPLACE
const GetSetSpec kGetSets[] = {
    {"hour", time_hour},     {"minute", time_minute},
    {"second", time_second}, {"microsecond", time_microsecond},
    {"tzinfo", time_tzinfo}, {"fold", time_fold},
};

}  // namespace

Result<> NewTime(ThreadState& ts, TypeObject* cls, const Clock& c, Value tzinfo) {
  if (cls == StateOf(ts)->time) return MakeTime(ts, cls, c, tzinfo);
  Value values[] = {Value::Int(c.hour), Value::Int(c.minute), Value::Int(c.second),
                    Value::Int(c.microsecond), tzinfo};
  MVM_TRY(Ref<> made, Call(ts, Value(cls), std::span<const Value>(values)));
  if (IsTime(ts, made)) made.as<TimeObject>()->fold = static_cast<uint8_t>(c.fold);
  return made;
}

const TypeSpec kTimeType = {
    .name = "datetime.time",
    .doc =
        "A time of day: time(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0).",
    .flags = kTypeBase,
    .size = sizeof(TimeObject),
    .gc = GcHooksOf<TimeObject>(),
    .slots = {.repr = time_repr, .str = time_str, .hash = time_hash, .compare = time_compare},
    .construct =
        {"time(hour=<unrepresentable>, minute=<unrepresentable>, second=<unrepresentable>, "
         "microsecond=<unrepresentable>, tzinfo=None, *, fold=<unrepresentable>)",
         time_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::datetime
