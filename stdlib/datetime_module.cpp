// Module _datetime: the types of datetime and the constants in them.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm {

namespace datetime {
namespace {

const TypeSpec* const kTypes[] = {&kDateType,  &kDateTimeType, &kTimeType,
                                  &kDeltaType, &kTzInfoType,   &kTimezoneType};
const ConstantSpec kConstants[] = {
    {"MINYEAR", ConstantSpec::kInt, kMinYear},
    {"MAXYEAR", ConstantSpec::kInt, kMaxYear},
};

// A constant in a built-in type, which scripts could not set.
Status AddToType(ThreadState& ts, TypeObject* type, const char* name, Result<> made) {
  MVM_TRY(Ref<> value, std::move(made));
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  MVM_TRY_VOID(DictSetStr(ts, type->dict, key, value));
  return TypeModified(ts, type, nullptr);
}

Status AddConstants(ThreadState& ts, DateTimeState* s) {
  const Value none = Value(ts.rt->none);
  const Day first{kMinYear, 1, 1}, last{kMaxYear, 12, 31};
  const Clock midnight, end{23, 59, 59, 999999, 0};
  const Micros most = Micros{kMaxDeltaDays} * kDayMicros;
  MVM_TRY_VOID(AddToType(ts, s->delta, "min", NewDelta(ts, -most)));
  MVM_TRY_VOID(AddToType(ts, s->delta, "max", NewDelta(ts, most + kDayMicros - 1)));
  MVM_TRY_VOID(AddToType(ts, s->delta, "resolution", NewDelta(ts, 1)));
  MVM_TRY_VOID(AddToType(ts, s->date, "min", NewDate(ts, s->date, first)));
  MVM_TRY_VOID(AddToType(ts, s->date, "max", NewDate(ts, s->date, last)));
  MVM_TRY_VOID(AddToType(ts, s->date, "resolution", NewDelta(ts, kDayMicros)));
  MVM_TRY_VOID(AddToType(ts, s->time, "min", NewTime(ts, s->time, midnight, none)));
  MVM_TRY_VOID(AddToType(ts, s->time, "max", NewTime(ts, s->time, end, none)));
  MVM_TRY_VOID(AddToType(ts, s->time, "resolution", NewDelta(ts, 1)));
  MVM_TRY_VOID(
      AddToType(ts, s->datetime, "min", NewDateTime(ts, s->datetime, first, midnight, none)));
  MVM_TRY_VOID(AddToType(ts, s->datetime, "max", NewDateTime(ts, s->datetime, last, end, none)));
  MVM_TRY_VOID(AddToType(ts, s->datetime, "resolution", NewDelta(ts, 1)));
  MVM_TRY_VOID(AddToType(ts, s->timezone, "utc", Result<>::Borrow(Value(s->utc))));
  const Micros limit = kDayMicros - 60 * kSecondMicros;
  MVM_TRY_VOID(AddToType(ts, s->timezone, "min", NewTimezone(ts, -limit)));
  return AddToType(ts, s->timezone, "max", NewTimezone(ts, limit));
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  Object*& slot = ts.rt->module_states[static_cast<size_t>(ModuleState::kDatetime)];
  if (!slot) {
    MVM_TRY(TypeObject * type, TypeForSpec(ts, kStateType));
    MVM_TRY(Ref<> made, AllocInstance(ts, type));
    DateTimeState* s = made.as<DateTimeState>();
    MVM_TRY(s->date, TypeForSpec(ts, kDateType));
    MVM_TRY(s->time, TypeForSpec(ts, kTimeType));
    MVM_TRY(s->datetime, TypeForSpec(ts, kDateTimeType));
    MVM_TRY(s->delta, TypeForSpec(ts, kDeltaType));
    MVM_TRY(s->timezone, TypeForSpec(ts, kTimezoneType));
    MVM_TRY(s->tzinfo, TypeForSpec(ts, kTzInfoType));
    slot = made.Release().object();
    MVM_TRY(Ref<> utc, NewTimezone(ts, 0));
    s->utc = std::move(utc).Into<TimezoneObject>().Release();
    MVM_TRY_VOID(AddConstants(ts, s));
  }
  return ModuleAdd(ts, module, "UTC", Value(StateOf(ts)->utc));
}

}  // namespace
}  // namespace datetime

extern const ModuleSpec k__datetime_module;
const ModuleSpec k__datetime_module = {
    .name = "_datetime",
    .doc = "The native half of datetime.",
    .types = datetime::kTypes,
    .constants = datetime::kConstants,
    .exec = datetime::ExecModule,
};

}  // namespace minivm
