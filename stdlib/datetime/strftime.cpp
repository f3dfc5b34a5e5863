// strftime() of dates and times: %f, %z, %:z and %Z are replaced here, the rest is time.strftime's.
#include <algorithm>

#include "runtime/objects/codec.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

namespace {

Status AppendZone(ThreadState& ts, std::string* out, Value tzinfo, Value argument,
                  const char* separator) {
  Offset offset;
  MVM_TRY_VOID(UtcOffset(ts, tzinfo, argument, &offset));
  if (offset.known) AppendOffset(out, offset.micros, separator);
  return Ok();
}

// The name with its percent signs doubled.
Status AppendName(ThreadState& ts, std::string* out, Value object, Value tzinfo, Value argument) {
  if (IsNone(ts, tzinfo)) return Ok();
  (void)argument;
  MVM_TRY(Ref<> name, CallMethod(ts, object, MVM_NAME(ts, tzname)));
  if (IsNone(ts, name)) return Ok();
  if (!IsExact(name, TypeId::kStr)) {
    // A subclass may have a replace() of its own.
    MVM_TRY(Ref<> from, NewStr(ts, "%"));
    MVM_TRY(Ref<> to, NewStr(ts, "%%"));
    MVM_TRY(Ref<StrObject> replace, InternUtf8(ts, "replace"));
    Value pair[] = {from, to};
    MVM_TRY(name, CallMethod(ts, name, replace, pair));
    if (IsStr(ts, name)) {
      out->append(ToUtf8(name.as<StrObject>()));
      return Ok();
    }
    return Raise(ts, Exc::kTypeError, "tzname.replace() did not return a string");
  }
  for (char c : ToUtf8(name.as<StrObject>())) {
    if (c == '%') out->push_back('%');
    out->push_back(c);
  }
  return Ok();
}

}  // namespace

Result<> WrapStrftime(ThreadState& ts, Value object, Value format, Value timetuple, Value tzinfo,
                      Value argument, int microsecond) {
  if (!IsStr(ts, format))
    return Raise(ts, Exc::kTypeError, "strftime() argument 1 must be str, not %T", format);
  // Text that is no Unicode is refused here, and what follows a NUL is lost, as in CPython.
  MVM_TRY_VOID(Encode(ts, format.as<StrObject>()));
  MVM_TRY_VOID(CheckRoom(ts, format.as<StrObject>()->length * 8));
  std::string text = ToUtf8(format.as<StrObject>());
  text.resize(std::min(text.size(), text.find('\0')));
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 >= text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char code = text[++i];
    if (code == 'z') {
      MVM_TRY_VOID(AppendZone(ts, &out, tzinfo, argument, ""));
    } else if (code == ':' && i + 1 < text.size() && text[i + 1] == 'z') {
      ++i;
      MVM_TRY_VOID(AppendZone(ts, &out, tzinfo, argument, ":"));
    } else if (code == 'Z') {
      MVM_TRY_VOID(AppendName(ts, &out, object, tzinfo, argument));
    } else if (code == 'f') {
      char digits[16];
      snprintf(digits, sizeof digits, "%06d", microsecond);
      out += digits;
    } else {
      out.push_back('%');
      out.push_back(code);
    }
  }
  MVM_TRY(Ref<> time, ts.rt->hooks.import_module(ts, "time"));
  MVM_TRY(Ref<> strftime, GetAttr(ts, time, MVM_NAME(ts, strftime)));
  MVM_TRY(Ref<StrObject> expanded, NewStr(ts, out));
  return Call(ts, strftime, Value(expanded.get()), timetuple);
}

Result<> datetime_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__format__() argument 1 must be str, not %T", args[1]);
  if (args.as<StrObject>(1)->length == 0) return ToStr(ts, args[0]);
  return CallMethod(ts, args[0], MVM_NAME(ts, strftime), args[1]);
}

Result<> BuildStructTime(ThreadState& ts, const Day& d, const Clock& c, int dst) {
  MVM_TRY(Ref<> time, ts.rt->hooks.import_module(ts, "time"));
  MVM_TRY(Ref<> cls, GetAttr(ts, time, std::string_view("struct_time")));
  Value fields[] = {Value::Int(d.year),     Value::Int(d.month),      Value::Int(d.day),
                    Value::Int(c.hour),     Value::Int(c.minute),     Value::Int(c.second),
                    Value::Int(Weekday(d)), Value::Int(DayOfYear(d)), Value::Int(dst)};
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, fields));
  return Call(ts, cls, Value(tuple.get()));
}

}  // namespace minivm::datetime
