// timedelta.
#include <cmath>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "runtime/support/hash.h"
#include "stdlib/datetime/datetime_types.h"

namespace minivm::datetime {

Result<> IntFromMicros(ThreadState& ts, Micros t) {
  const bool negative = t < 0;
  const unsigned __int128 magnitude =
      negative ? 0 - static_cast<unsigned __int128>(t) : static_cast<unsigned __int128>(t);
  const uint64_t limbs[2] = {static_cast<uint64_t>(magnitude),
                             static_cast<uint64_t>(magnitude >> 64)};
  return NewIntFromLimbs(ts, limbs, limbs[1] ? 2 : limbs[0] ? 1 : 0, negative);
}

namespace {

constexpr const char* kTooLarge = "Python int too large to convert to C int";

Micros FloorDiv(Micros a, Micros b, Micros* rest) {
  Micros q = a / b, r = a % b;
  if (r != 0 && (r < 0) != (b < 0)) {
    r += b;
    --q;
  }
  *rest = r;
  return q;
}

Status Fill(ThreadState& ts, DeltaObject* d, Micros total) {
  Micros rest;
  const Micros days = FloorDiv(total, kDayMicros, &rest);
  if (days > INT32_MAX || days < INT32_MIN) return Raise(ts, Exc::kOverflowError, kTooLarge);
  if (days > kMaxDeltaDays || days < -kMaxDeltaDays) {
    return Raise(ts, Exc::kOverflowError, "days=%d; must have magnitude <= %d",
                 static_cast<int>(days), static_cast<int>(kMaxDeltaDays));
  }
  d->days = static_cast<int32_t>(days);
  d->seconds = static_cast<int32_t>(rest / kSecondMicros);
  d->microseconds = static_cast<int32_t>(rest % kSecondMicros);
  return Ok();
}

// An int that came out of exact arithmetic, as microseconds.
Result<Micros> MicrosFromInt(ThreadState& ts, Value v) {
  IntView view(v);
  if (view.size() > 2 || (view.size() == 2 && view.limbs()[1] >> 62))
    return Raise(ts, Exc::kOverflowError, kTooLarge);
  unsigned __int128 magnitude = 0;
  for (size_t i = view.size(); i-- > 0;) magnitude = magnitude << 64 | view.limbs()[i];
  const Micros t = static_cast<Micros>(magnitude);
  return view.negative() ? -t : t;
}

// a / b to the nearest int, ties to even. b != 0.
Result<Micros> DivideNearest(ThreadState& ts, Value a, Value b) {
  Ref<> q, r;
  MVM_TRY_VOID(IntDivmod(ts, a, b, &q, &r));
  MVM_TRY(Ref<> twice, IntAdd(ts, r, r));
  const int order = IntSign(b) > 0 ? IntCompare(twice, b) : IntCompare(b, twice);
  if (order > 0 || (order == 0 && (IntLowBits(q) & 1))) {
    MVM_TRY(q, IntAdd(ts, q, Value::Int(1)));
  }
  return MicrosFromInt(ts, q);
}

// numerator and denominator of a float.
Status RatioOf(ThreadState& ts, Value v, Ref<>* numerator, Ref<>* denominator) {
  MVM_TRY(Ref<> ratio, CallMethod(ts, v, MVM_NAME(ts, as_integer_ratio)));
  if (!IsTuple(ts, ratio))
    return Raise(ts, Exc::kTypeError,
                 "unexpected return type from as_integer_ratio(): expected tuple, got '%T'",
                 ratio.get());
  if (ratio.as<TupleObject>()->size() != 2)
    return Raise(ts, Exc::kValueError, "as_integer_ratio() must return a 2-tuple");
  *numerator = Ref<>::Borrow((*ratio.as<TupleObject>())[0]);
  *denominator = Ref<>::Borrow((*ratio.as<TupleObject>())[1]);
  if (!IsInt(ts, *numerator) || !IsInt(ts, *denominator))
    return Raise(ts, Exc::kTypeError, "unexpected type in as_integer_ratio()");
  return Ok();
}

// ---- construction ----

// One argument: *sum += v * factor; what is less than a microsecond goes to *leftover.
Status Accumulate(ThreadState& ts, const char* name, Micros* sum, double* leftover, Value v,
                  int64_t factor) {
  if (v.is_absent()) return Ok();
  if (IsInt(ts, v)) {
    int64_t i;
    if (!IntFitsInt64(v, &i)) return Raise(ts, Exc::kOverflowError, kTooLarge);
    *sum += Micros{i} * factor;
    return Ok();
  }
  if (!IsFloat(ts, v)) {
    return Raise(ts, Exc::kTypeError, "unsupported type for timedelta %s component: %T", name, v);
  }
  double whole;
  const double d = FloatValue(v);
  double fraction = std::modf(d, &whole);
  if (std::isnan(d)) return Raise(ts, Exc::kValueError, "cannot convert float NaN to integer");
  if (std::isinf(d))
    return Raise(ts, Exc::kOverflowError, "cannot convert float infinity to integer");
  if (!(std::fabs(whole) < 9.2e18)) return Raise(ts, Exc::kOverflowError, kTooLarge);
  *sum += Micros{static_cast<int64_t>(whole)} * factor;
  if (fraction == 0) return Ok();
  fraction = std::modf(fraction * static_cast<double>(factor), &whole);
  *leftover += fraction;
  *sum += static_cast<int64_t>(whole);
  return Ok();
}

Result<> delta_new(ThreadState& ts, Args args) {
  static constexpr struct {
    const char* name;
    int64_t factor;
  } kComponents[] = {{"days", kDayMicros},     {"seconds", kSecondMicros}, {"microseconds", 1},
                     {"milliseconds", 1000},   {"minutes", 60000000},      {"hours", 3600000000},
                     {"weeks", 7 * kDayMicros}};
  Micros sum = 0;
  double leftover = 0;
  // Small units first, as the order decides how fractions add up.
  static constexpr int kOrder[] = {2, 3, 1, 4, 5, 0, 6};
  for (int i : kOrder) {
    MVM_TRY_VOID(Accumulate(ts, kComponents[i].name, &sum, &leftover,
                            args[static_cast<uint32_t>(i) + 1], kComponents[i].factor));
  }
  if (leftover != 0) {
    double whole = std::round(leftover);
    if (std::fabs(whole - leftover) == 0.5) {
      // A tie: to the even sum.
      const int odd = static_cast<int>(sum & 1);
      whole = 2.0 * std::round((leftover + odd) * 0.5) - odd;
    }
    sum += static_cast<int64_t>(whole);
  }
  return NewDelta(ts, args.as<TypeObject>(0), sum);
}

// ---- text ----

Result<> delta_repr(ThreadState& ts, Value self) {
  const DeltaObject* d = self.as<DeltaObject>();
  std::string out = TypeNameForRepr(ts, self) + "(";
  const char* separator = "";
  auto field = [&](const char* name, int value) {
    if (value == 0) return;
    out += separator + std::string(name) + "=" + std::to_string(value);
    separator = ", ";
  };
  field("days", d->days);
  field("seconds", d->seconds);
  field("microseconds", d->microseconds);
  if (*separator == 0) out += "0";
  return NewStr(ts, out + ")");
}

Result<> delta_str(ThreadState& ts, Value self) {
  const DeltaObject* d = self.as<DeltaObject>();
  char text[80];
  int n = 0;
  if (d->days != 0) {
    n = snprintf(text, sizeof text, "%d day%s, ", d->days,
                 d->days == 1 || d->days == -1 ? "" : "s");
  }
  n += snprintf(text + n, sizeof text - static_cast<size_t>(n), "%d:%02d:%02d", d->seconds / 3600,
                d->seconds / 60 % 60, d->seconds % 60);
  if (d->microseconds != 0)
    n += snprintf(text + n, sizeof text - static_cast<size_t>(n), ".%06d", d->microseconds);
  return NewStr(ts, {text, static_cast<size_t>(n)});
}

Result<int64_t> delta_hash(ThreadState& ts, Value self) {
  const DeltaObject* d = self.as<DeltaObject>();
  const int32_t fields[] = {d->days, d->seconds, d->microseconds};
  return HashBytes({ts.rt->hash_key[0], ts.rt->hash_key[1]}, fields, sizeof fields);
}

Result<> delta_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsDelta(ts, b)) return NotImplemented(ts);
  const Micros x = a.as<DeltaObject>()->total(), y = b.as<DeltaObject>()->total();
  return OrderResult(ts, x < y ? -1 : x > y, op);
}

// ---- arithmetic ----

Micros TotalOf(Value v) { return v.as<DeltaObject>()->total(); }

Result<> delta_add(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a) || !IsDelta(ts, b)) return NotImplemented(ts);
  return NewDelta(ts, TotalOf(a) + TotalOf(b));
}
Result<> delta_sub(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a) || !IsDelta(ts, b)) return NotImplemented(ts);
  return NewDelta(ts, TotalOf(a) - TotalOf(b));
}
Result<> delta_neg(ThreadState& ts, Value a) { return NewDelta(ts, -TotalOf(a)); }
Result<> delta_pos(ThreadState& ts, Value a) { return NewDelta(ts, TotalOf(a)); }
Result<> delta_abs(ThreadState& ts, Value a) {
  const Micros t = TotalOf(a);
  return NewDelta(ts, t < 0 ? -t : t);
}
Result<bool> delta_truth(ThreadState&, Value self) { return TotalOf(self) != 0; }

Result<> delta_mul(ThreadState& ts, Value a, Value b) {
  const Value delta = IsDelta(ts, a) ? a : b, factor = IsDelta(ts, a) ? b : a;
  if (!IsDelta(ts, delta)) return NotImplemented(ts);
  MVM_TRY(Ref<> micros, IntFromMicros(ts, TotalOf(delta)));
  if (IsInt(ts, factor)) {
    MVM_TRY(Ref<> product, IntMul(ts, micros, factor));
    MVM_TRY(Micros total, MicrosFromInt(ts, product));
    return NewDelta(ts, total);
  }
  if (!IsFloat(ts, factor)) return NotImplemented(ts);
  Ref<> n, d;
  MVM_TRY_VOID(RatioOf(ts, factor, &n, &d));
  MVM_TRY(Ref<> product, IntMul(ts, micros, n));
  MVM_TRY(Micros total, DivideNearest(ts, product, d));
  return NewDelta(ts, total);
}

Raised RaiseDivision(ThreadState& ts) {
  return Raise(ts, Exc::kZeroDivisionError, "integer division or modulo by zero");
}

Result<> delta_truediv(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a)) return NotImplemented(ts);
  MVM_TRY(Ref<> micros, IntFromMicros(ts, TotalOf(a)));
  if (IsDelta(ts, b)) {
    MVM_TRY(Ref<> other, IntFromMicros(ts, TotalOf(b)));
    return IntTrueDiv(ts, micros, other);
  }
  if (IsInt(ts, b)) {
    if (IntSign(b) == 0) return RaiseDivision(ts);
    MVM_TRY(Micros total, DivideNearest(ts, micros, b));
    return NewDelta(ts, total);
  }
  if (!IsFloat(ts, b)) return NotImplemented(ts);
  Ref<> n, d;
  MVM_TRY_VOID(RatioOf(ts, b, &n, &d));
  if (IntSign(n) == 0) return RaiseDivision(ts);
  MVM_TRY(Ref<> product, IntMul(ts, micros, d));
  MVM_TRY(Micros total, DivideNearest(ts, product, n));
  return NewDelta(ts, total);
}

Result<> delta_floordiv(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a)) return NotImplemented(ts);
  Micros rest;
  if (IsDelta(ts, b)) {
    if (TotalOf(b) == 0) return RaiseDivision(ts);
    return IntFromMicros(ts, FloorDiv(TotalOf(a), TotalOf(b), &rest));
  }
  if (!IsInt(ts, b)) return NotImplemented(ts);
  if (IntSign(b) == 0) return RaiseDivision(ts);
  MVM_TRY(Ref<> micros, IntFromMicros(ts, TotalOf(a)));
  MVM_TRY(Ref<> quotient, IntFloorDiv(ts, micros, b));
  MVM_TRY(Micros total, MicrosFromInt(ts, quotient));
  return NewDelta(ts, total);
}

Result<> delta_mod(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a) || !IsDelta(ts, b)) return NotImplemented(ts);
  if (TotalOf(b) == 0) return Raise(ts, Exc::kZeroDivisionError, "integer modulo by zero");
  Micros rest;
  FloorDiv(TotalOf(a), TotalOf(b), &rest);
  return NewDelta(ts, rest);
}

Result<> delta_divmod(ThreadState& ts, Value a, Value b) {
  if (!IsDelta(ts, a) || !IsDelta(ts, b)) return NotImplemented(ts);
  if (TotalOf(b) == 0) return RaiseDivision(ts);
  Micros rest;
  MVM_TRY(Ref<> quotient, IntFromMicros(ts, FloorDiv(TotalOf(a), TotalOf(b), &rest)));
  MVM_TRY(Ref<> remainder, NewDelta(ts, rest));
  Value pair[] = {quotient, remainder};
  return NewTuple(ts, pair);
}

// ---- methods ----

Result<> delta_total_seconds(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> micros, IntFromMicros(ts, TotalOf(args[0])));
  return IntTrueDiv(ts, micros, Value::Int(kSecondMicros));
}

Result<> delta_reduce(ThreadState& ts, Args args) {
  const DeltaObject* d = args.self<DeltaObject>();
  Value fields[] = {Value::Int(d->days), Value::Int(d->seconds), Value::Int(d->microseconds)};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, fields));
  Value state[] = {Value(TypeOf(ts, args[0])), Value(call_args.get())};
  return NewTuple(ts, state);
}

template <int32_t DeltaObject::*kField>
Result<> delta_get(ThreadState&, Value self) {
  return Small(self.as<DeltaObject>()->*kField);
}

const MethodSpec kMethods[] = {
    {"__reduce__(self, /)", delta_reduce, "__reduce__() -> (cls, state)"},
    {"total_seconds(self, /)", delta_total_seconds, "The whole of it in seconds, as a float."},
};
const GetSetSpec kGetSets[] = {
    {"days", delta_get<&DeltaObject::days>, nullptr, "Days, below zero for a negative span"},
    {"seconds", delta_get<&DeltaObject::seconds>, nullptr, "Seconds beyond the days, 0 to 86399"},
    {"microseconds", delta_get<&DeltaObject::microseconds>, nullptr,
     "Microseconds beyond the seconds, 0 to 999999"},
};

}  // namespace

Result<> NewDelta(ThreadState& ts, TypeObject* cls, Micros total) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  MVM_TRY_VOID(Fill(ts, made.as<DeltaObject>(), total));
  return made;
}

const TypeSpec kDeltaType = {
    .name = "datetime.timedelta",
    .doc =
        "A span of time, exact to a microsecond.\n"
        "\n"
        "timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, "
        "weeks=0)\n"
        "\n"
        "Its parts may be floats or negative; it keeps days, seconds and microseconds, the latter "
        "two never below zero.",
    .flags = kTypeBase,
    .size = sizeof(DeltaObject),
    .slots = {.repr = delta_repr,
              .str = delta_str,
              .hash = delta_hash,
              .compare = delta_compare,
              .add = delta_add,
              .sub = delta_sub,
              .mul = delta_mul,
              .mod = delta_mod,
              .divmod = delta_divmod,
              .neg = delta_neg,
              .pos = delta_pos,
              .abs = delta_abs,
              .truth = delta_truth,
              .floordiv = delta_floordiv,
              .truediv = delta_truediv},
    .construct = {"timedelta(days=<unrepresentable>, seconds=<unrepresentable>, "
                  "microseconds=<unrepresentable>, milliseconds=<unrepresentable>, "
                  "minutes=<unrepresentable>, hours=<unrepresentable>, weeks=<unrepresentable>)",
                  delta_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::datetime
