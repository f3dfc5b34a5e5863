// The compact states that dates and times are pickled as, and their constructors take.
#pragma once

#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

// Copies a state of that many bytes (bytes, or a str of Latin-1 as Python 2 left it); false: it is
// none.
inline bool ReadState(ThreadState& ts, Value v, size_t size, uint8_t* out) {
  if (IsBytes(ts, v)) {
    const std::string_view bytes = v.as<BytesObject>()->view();
    if (bytes.size() != size) return false;
    std::memcpy(out, bytes.data(), size);
    return true;
  }
  if (!IsStr(ts, v) || v.as<StrObject>()->length != size) return false;
  for (size_t i = 0; i < size; ++i) {
    const char32_t c = v.as<StrObject>()->At(i);
    if (c > 0xFF) return false;
    out[i] = static_cast<uint8_t>(c);
  }
  return true;
}

// (type(self), (state,)) or (type(self), (state, tzinfo))
inline Result<> ReduceState(ThreadState& ts, Value self, const uint8_t* state, size_t size,
                            Value tzinfo) {
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, {reinterpret_cast<const char*>(state), size}));
  Value both[] = {Value(bytes.get()), tzinfo};
  MVM_TRY(Ref<TupleObject> call_args,
          NewTuple(ts, {both, IsNone(ts, tzinfo) ? size_t{1} : size_t{2}}));
  Value parts[] = {Value(TypeOf(ts, self)), Value(call_args.get())};
  return NewTuple(ts, parts);
}

inline void SetDay(DateObject* d, const Day& day) {
  d->year = static_cast<uint16_t>(day.year);
  d->month = static_cast<uint8_t>(day.month);
  d->day = static_cast<uint8_t>(day.day);
}
template <class T>
void SetClock(T* t, const Clock& c) {
  t->hour = static_cast<uint8_t>(c.hour);
  t->minute = static_cast<uint8_t>(c.minute);
  t->second = static_cast<uint8_t>(c.second);
  t->fold = static_cast<uint8_t>(c.fold);
  t->microsecond = static_cast<uint32_t>(c.microsecond);
}
// Six bytes.
template <class T>
void PutClock(uint8_t* out, const T* t) {
  out[0] = t->hour;
  out[1] = t->minute;
  out[2] = t->second;
  out[3] = static_cast<uint8_t>(t->microsecond >> 16);
  out[4] = static_cast<uint8_t>(t->microsecond >> 8);
  out[5] = static_cast<uint8_t>(t->microsecond);
}
inline Clock GetClock(const uint8_t* in) {
  return {in[0], in[1], in[2], in[3] << 16 | in[4] << 8 | in[5], 0};
}

// Reads hour, minute, second, microsecond and fold arguments over what *c holds.
inline Status ReadClock(ThreadState& ts, const Value* v, Value fold, Clock* c) {
  int* const fields[] = {&c->hour, &c->minute, &c->second, &c->microsecond};
  for (int i = 0; i < 4; ++i) {
    if (v[i].is_absent()) continue;
    MVM_TRY(*fields[i], IntArgument(ts, v[i]));
  }
  if (!fold.is_absent()) {
    MVM_TRY(c->fold, IntArgument(ts, fold));
  }
  return CheckClock(ts, c->hour, c->minute, c->second, c->microsecond, c->fold);
}

}  // namespace minivm::datetime
