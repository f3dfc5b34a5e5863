// The types int and bool.
#include <bit>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/int_work.h"
#include "runtime/objects/number_text.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// An instance of an int subclass with the value of `v`.
Result<> InstanceOf(ThreadState& ts, TypeObject* cls, Value v) {
  if (cls == TypeById(ts, TypeId::kInt)) return IntExact(ts, v);
  Ref<> hold = Ref<>::Borrow(v);
  IntView x(v);
  size_t n = x.size();
  MVM_TRY(Ref<> made, AllocInstance(ts, cls, n));
  IntObject* o = made.as<IntObject>();
  o->aux = static_cast<uint32_t>(n << 1 | (x.negative() && n > 0));
  for (size_t i = 0; i < n; ++i) o->limbs()[i] = x.limbs()[i];
  return made;
}

Result<> ParseInt(ThreadState& ts, const std::string& text, int base, Value shown) {
  IntText scanned;
  if (!ScanIntText(text, base, &scanned)) {
    return Raise(ts, Exc::kValueError, "invalid literal for int() with base %d: %R", base, shown);
  }
  int limit = ts.rt->int_max_str_digits;
  bool power_of_two = (scanned.base & (scanned.base - 1)) == 0;
  if (!power_of_two && limit > 0 && scanned.digit_count > static_cast<size_t>(limit)) {
    return Raise(
        ts, Exc::kValueError,
        "Exceeds the limit (%d digits) for integer string conversion: value has %zu digits; use "
        "sys.set_int_max_str_digits() to increase the limit",
        limit, scanned.digit_count);
  }
  return IntFromText(ts, text, base);
}

// Nothing but ASCII digits behind at most a minus sign, and so few that they fit: the usual case.
bool PlainDecimal(const StrObject* s, int64_t* value) {
  if (!s->ascii()) return false;
  std::string_view text = s->ascii_view();
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 17) return false;
  int64_t n = 0;
  for (const char c : text) {
    const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
    if (digit > 9) return false;
    n = n * 10 + digit;
  }
  *value = negative ? -n : n;
  return true;
}

// int(text) and int(text, base) for str and bytes-like. Absent(): not text.
Result<> FromTextValue(ThreadState& ts, Value v, int base) {
  int64_t small;
  if (base == 10 && IsExact(v, TypeId::kStr) && PlainDecimal(v.as<StrObject>(), &small)) {
    return Small(small);
  }
  if (IsStr(ts, v)) return ParseInt(ts, FoldNumberText(v.as<StrObject>()), base, v);
  if (IsBytes(ts, v) || HasTypeFlag(ts, v, kTypeBytearraySubclass) || HasBuffer(ts, v)) {
    BufferView view;
    MVM_TRY_VOID(GetBuffer(ts, v, &view));
    std::string text(static_cast<size_t>(view.size), '\0');
    CopyBuffer(view, reinterpret_cast<uint8_t*>(text.data()));
    MVM_TRY(Ref<BytesObject> shown, NewBytes(ts, text));
    return ParseInt(ts, FoldNumberText(text), base, Value(shown.get()));
  }
  return Result<>::Steal(Value::Absent());
}

Result<> int_new(ThreadState& ts, Args args) {
  // int(x=0, /, base=10)
  TypeObject* cls = args.self<TypeObject>();
  Ref<> v;
  if (!args.has(1)) {
    if (args.has(2)) return Raise(ts, Exc::kTypeError, "int() missing string argument");
    v = Ref<>::Steal(Value::Int(0));
  } else if (args.has(2)) {
    MVM_TRY(int64_t base, IndexAsInt64(ts, args[2], Exc::kCount));
    if (base != 0 && (base < 2 || base > 36)) {
      return Raise(ts, Exc::kValueError, "int() base must be >= 2 and <= 36, or 0");
    }
    if (!IsStr(ts, args[1]) && !IsBytes(ts, args[1]) &&
        !HasTypeFlag(ts, args[1], kTypeBytearraySubclass)) {
      return Raise(ts, Exc::kTypeError, "int() can't convert non-string with explicit base");
    }
    MVM_TRY(v, FromTextValue(ts, args[1], static_cast<int>(base)));
  } else {
    MVM_TRY(v, ToInt(ts, args[1]));
  }
  return InstanceOf(ts, cls, v);
}

#define INT_BINARY(name, function)                                 \
  Result<> name(ThreadState& ts, Value a, Value b) {               \
    if (!IsInt(ts, a) || !IsInt(ts, b)) return NotImplemented(ts); \
    return function(ts, a, b);                                     \
  }
INT_BINARY(int_add, IntAdd)
INT_BINARY(int_sub, IntSub)
INT_BINARY(int_mul, IntMul)
INT_BINARY(int_floordiv, IntFloorDiv)
INT_BINARY(int_truediv, IntTrueDiv)
INT_BINARY(int_mod, IntMod)
INT_BINARY(int_lshift, IntLshift)
INT_BINARY(int_rshift, IntRshift)
INT_BINARY(int_and, IntAnd)
INT_BINARY(int_or, IntOr)
INT_BINARY(int_xor, IntXor)
#undef INT_BINARY

Result<> int_divmod(ThreadState& ts, Value a, Value b) {
  if (!IsInt(ts, a) || !IsInt(ts, b)) return NotImplemented(ts);
  Ref<> q, r;
  MVM_TRY_VOID(IntDivmod(ts, a, b, &q, &r));
  Value pair[] = {q.get(), r.get()};
  return NewTuple(ts, pair);
}
Result<> int_pow(ThreadState& ts, Value a, Value b, Value m) {
  if (!IsInt(ts, a) || !IsInt(ts, b) || (!IsNone(ts, m) && !IsInt(ts, m)))
    return NotImplemented(ts);
  return IntPow(ts, a, b, m);
}
Result<> int_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsInt(ts, a) || !IsInt(ts, b)) return NotImplemented(ts);
  int c = IntCompare(a, b);
  switch (op) {
    case CompareOp::kLt: return Bool(ts, c < 0);
    case CompareOp::kLe: return Bool(ts, c <= 0);
    case CompareOp::kEq: return Bool(ts, c == 0);
    case CompareOp::kNe: return Bool(ts, c != 0);
    case CompareOp::kGt: return Bool(ts, c > 0);
    case CompareOp::kGe: return Bool(ts, c >= 0);
  }
  return NotImplemented(ts);
}
Result<int64_t> int_hash(ThreadState& ts, Value self) { return IntHash(self); }
Result<bool> int_truth(ThreadState& ts, Value self) { return IntSign(self) != 0; }
Result<> int_neg(ThreadState& ts, Value self) { return IntNeg(ts, self); }
Result<> int_pos(ThreadState& ts, Value self) { return IntExact(ts, self); }
Result<> int_abs(ThreadState& ts, Value self) {
  return IntSign(self) < 0 ? IntNeg(ts, self) : IntExact(ts, self);
}
Result<> int_invert(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> negative, IntNeg(ts, self));
  return IntSub(ts, negative, Value::Int(1));
}
Result<> int_to_float(ThreadState& ts, Value self) {
  MVM_TRY(double d, IntToDouble(ts, self));
  return NewFloat(ts, d);
}
Result<> int_repr(ThreadState& ts, Value self) { return IntToStr(ts, self, 10, false); }

Result<> int_as_integer_ratio(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> n, IntExact(ts, args[0]));
  Value pair[] = {n.get(), Value::Int(1)};
  return NewTuple(ts, pair);
}
Result<> int_bit_count(ThreadState& ts, Args args) {
  IntView x(args[0]);
  return Small(static_cast<int64_t>(PopCount(x.limbs(), x.size())));
}
Result<> int_bit_length(ThreadState& ts, Args args) {
  if (args[0].is_int()) {
    const int64_t i = args[0].as_int();
    const uint64_t m = i < 0 ? -static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
    return Result<>::Steal(Value::Int(std::bit_width(m)));
  }
  IntView x(args[0]);
  return Small(static_cast<int64_t>(BitLength(x.limbs(), x.size())));
}
Result<> int_self(ThreadState& ts, Args args) { return IntExact(ts, args[0]); }
Result<> int_is_integer(ThreadState& ts, Args args) { return Bool(ts, true); }

Result<bool> LittleEndian(ThreadState& ts, Value order) {
  if (!IsStr(ts, order)) {
    return Raise(ts, Exc::kTypeError, "argument 'byteorder' must be str, not %T", order);
  }
  if (order.as<StrObject>()->EqualsAscii("little")) return true;
  if (order.as<StrObject>()->EqualsAscii("big")) return false;
  return Raise(ts, Exc::kValueError, "byteorder must be either 'little' or 'big'");
}

Result<> int_from_bytes(ThreadState& ts, Args args) {
  // from_bytes(bytes, byteorder='big', *, signed=False)
  MVM_TRY(bool little, LittleEndian(ts, args[2]));
  MVM_TRY(bool is_signed, Truth(ts, args[3]));
  Ref<> source;
  if (IsBytes(ts, args[1])) {
    source = Ref<>::Borrow(args[1]);
  } else {
    MVM_TRY(source, BytesFromObject(ts, args[1]));
  }
  BytesObject* b = source.as<BytesObject>();
  size_t room = MagFromBytesSize(b->length);
  MVM_TRY(void* block, AllocBuffer(ts, room * 8));
  Limb* limbs = static_cast<Limb*>(block);
  bool negative = false;
  size_t n = MagFromBytes(limbs, &negative, b->data(), b->length, little, is_signed);
  Result<> r = NewIntFromLimbs(ts, limbs, n, negative);
  ts.heap().FreeBuffer(block, room * 8);
  MVM_TRY(Ref<> v, std::move(r));
  TypeObject* cls = args.self<TypeObject>();
  if (cls == TypeById(ts, TypeId::kInt)) return v;
  return Call(ts, args[0], v);
}
Result<> int_to_bytes(ThreadState& ts, Args args) {
  // to_bytes(length=1, byteorder='big', *, signed=False)
  MVM_TRY(int64_t length, IndexAsInt64(ts, args[1], Exc::kOverflowError));
  MVM_TRY(bool little, LittleEndian(ts, args[2]));
  MVM_TRY(bool is_signed, Truth(ts, args[3]));
  if (length < 0) return Raise(ts, Exc::kValueError, "length argument must be non-negative");
  if (IntSign(args[0]) < 0 && !is_signed) {
    return Raise(ts, Exc::kOverflowError, "can't convert negative int to unsigned");
  }
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(length)));
  IntView x(args[0]);
  if (!MagToBytes(out->data(), static_cast<size_t>(length), little, is_signed, x.limbs(), x.size(),
                  x.negative())) {
    return Raise(ts, Exc::kOverflowError, "int too big to convert");
  }
  return out;
}

Result<> int_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__format__() argument must be str, not %T", args[1]);
  return FormatInt(ts, args[0], args.as<StrObject>(1));
}
Result<> int_getnewargs(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> v, IntExact(ts, args[0]));
  Value one[] = {v.get()};
  return NewTuple(ts, one);
}

// round(int, ndigits): to a multiple of 10 ** -ndigits, ties to even.
Result<> int_round(ThreadState& ts, Args args) {
  if (IsNone(ts, args[1])) return IntExact(ts, args[0]);
  MVM_TRY(Ref<> digits, Index(ts, args[1]));
  if (IntSign(digits) >= 0) return IntExact(ts, args[0]);
  MVM_TRY(Ref<> power, IntNeg(ts, digits));
  MVM_TRY(Ref<> unit, IntPow(ts, Value::Int(10), power, ts.rt->none));
  Ref<> q, r;
  MVM_TRY_VOID(IntDivmod(ts, args[0], unit, &q, &r));
  MVM_TRY(Ref<> twice, IntAdd(ts, r, r));
  int c = IntCompare(twice, unit);
  if (c > 0 || (c == 0 && (IntLowBits(q) & 1))) {
    MVM_TRY(q, IntAdd(ts, q, Value::Int(1)));
  }
  return IntMul(ts, q, unit);
}
Result<> int_sizeof(ThreadState& ts, Args args) {
  if (args[0].is_int()) return Small(8);
  return Small(static_cast<int64_t>(sizeof(IntObject) + args.as<IntObject>(0)->limb_count() * 8));
}

Result<> get_real(ThreadState& ts, Value self) { return IntExact(ts, self); }
Result<> get_imag(ThreadState& ts, Value self) { return Small(0); }
Result<> get_denominator(ThreadState& ts, Value self) { return Small(1); }

const MethodSpec kIntMethods[] = {
    {"__ceil__(self, /)", int_self, "The number itself."},
    {"__floor__(self, /)", int_self, "The number itself."},
    {"__format__(self, format_spec, /)", int_format, "The text of the number in that format."},
    {"__getnewargs__(self, /)", int_getnewargs},
    {"__round__(self, ndigits=None, /)", int_round,
     "The number itself; with ndigits below zero, the nearest multiple of 10**-ndigits."},
    {"__sizeof__(self, /)", int_sizeof, "How many bytes the number takes."},
    {"__trunc__(self, /)", int_self, "The number itself."},
    {"as_integer_ratio(self, /)", int_as_integer_ratio,
     "The pair (self, 1), as floats and fractions have one."},
    {"bit_count(self, /)", int_bit_count, "How many bits of abs(self) are 1."},
    {"bit_length(self, /)", int_bit_length, "How many bits abs(self) takes; 0 for zero."},
    {"conjugate(self, /)", int_self, "The number itself."},
    {"from_bytes(type, /, bytes, byteorder='big', *, signed=False)", int_from_bytes,
     "The number that bytes spell in base 256; signed ones in two's complement.", kMethodClass},
    {"is_integer(self, /)", int_is_integer, "True, for use like a float."},
    {"to_bytes(self, /, length=1, byteorder='big', *, signed=False)", int_to_bytes,
     "The number in base 256, in length bytes; OverflowError where it does not fit."},
};
const GetSetSpec kIntGetSets[] = {
    {"denominator", get_denominator, nullptr, "One: an integer as a fraction."},
    {"imag", get_imag, nullptr, "Zero: an integer has no imaginary part."},
    {"numerator", get_real, nullptr, "The number itself."},
    {"real", get_real, nullptr, "The number itself."},
};

// ---- bool ----

Result<> bool_new(ThreadState& ts, Args args) {
  if (!args.has(1)) return Bool(ts, false);
  MVM_TRY(bool b, Truth(ts, args[1]));
  return Bool(ts, b);
}
Result<> bool_repr(ThreadState& ts, Value self) {
  return NewStr(ts, IsTrue(ts, self) ? "True" : "False");
}
template <class F>
Result<> BoolLogic(ThreadState& ts, Value a, Value b, BinaryFn of_int, F logic) {
  if (IsExact(a, TypeId::kBool) && IsExact(b, TypeId::kBool))
    return Bool(ts, logic(IsTrue(ts, a), IsTrue(ts, b)));
  return of_int(ts, a, b);
}
Result<> bool_and(ThreadState& ts, Value a, Value b) {
  return BoolLogic(ts, a, b, int_and, [](bool x, bool y) { return x && y; });
}
Result<> bool_or(ThreadState& ts, Value a, Value b) {
  return BoolLogic(ts, a, b, int_or, [](bool x, bool y) { return x || y; });
}
Result<> bool_xor(ThreadState& ts, Value a, Value b) {
  return BoolLogic(ts, a, b, int_xor, [](bool x, bool y) { return x != y; });
}
Result<> bool_invert(ThreadState& ts, Value self) {
  MVM_TRY_VOID(
      Warn(ts, Exc::kDeprecationWarning, 1,
           "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This "
           "returns the bitwise inversion of the underlying int object and is usually not what you "
           "expect from the negation of a bool object. Use the 'not' operator for boolean negation "
           "or ~int(x) for the bitwise inversion of the underlying int."));
  return int_invert(ts, self);
}

}  // namespace

Result<> IntFromTextValue(ThreadState& ts, Value v, int base) { return FromTextValue(ts, v, base); }

const TypeSpec kIntType = {
    .name = "int",
    .doc =
        "An integer of any size; from a number, cut towards zero, or from the text of one.\n\n"
        "base is that of the text, 2 to 36; 0 goes by its prefix.",
    .flags = kTypeBase | kTypeIntSubclass | kTypeMatchSelf,
    .size = sizeof(IntObject),
    .item_size = 8,
    .slots = {.repr = int_repr,
              .hash = int_hash,
              .compare = int_compare,
              .add = int_add,
              .sub = int_sub,
              .mul = int_mul,
              .mod = int_mod,
              .divmod = int_divmod,
              .pow = int_pow,
              .neg = int_neg,
              .pos = int_pos,
              .abs = int_abs,
              .truth = int_truth,
              .invert = int_invert,
              .lshift = int_lshift,
              .rshift = int_rshift,
              .and_ = int_and,
              .xor_ = int_xor,
              .or_ = int_or,
              .to_int = int_pos,
              .to_float = int_to_float,
              .index = int_pos,
              .floordiv = int_floordiv,
              .truediv = int_truediv},
    .construct = {"int(x=<unrepresentable>, /, base=<unrepresentable>)#", int_new},
    .methods = kIntMethods,
    .getsets = kIntGetSets,
};

const TypeSpec kBoolType = {
    .name = "bool",
    .doc = "The truth value of an object: False or True, which are the integers 0 and 1.",
    .base = &kIntType,
    .size = sizeof(IntObject),
    .item_size = 8,
    .slots = {.repr = bool_repr,
              .invert = bool_invert,
              .and_ = bool_and,
              .xor_ = bool_xor,
              .or_ = bool_or},
    .construct = {"bool(object=<unrepresentable>, /)", bool_new},
};

}  // namespace minivm
