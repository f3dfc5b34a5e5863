// Conversions and queries that every object answers: repr, str, hash, truth, isinstance, dir,
// format.
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// ---- text ----

Result<StrObject> Repr(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kStr)) return StrRepr(ts, v.as<StrObject>());
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY_VOID(TypeReady(ts, type));  // __repr__ functions show its name
  MVM_TRY(Ref<> r, type->slots.repr(ts, v));
  if (!IsStr(ts, r)) {
    return Raise(ts, Exc::kTypeError, "__repr__ returned non-string (type %T)", r.get());
  }
  return std::move(r).Into<StrObject>();
}

Result<StrObject> Ascii(ThreadState& ts, Value v) {
  MVM_TRY(Ref<StrObject> text, Repr(ts, v));
  if (text->ascii()) return text;
  static constexpr char kDigits[] = "0123456789abcdef";
  StrBuilder b(ts);
  for (size_t i = 0; i < text->length; ++i) {
    char32_t c = text->At(i);
    if (c < 0x80) {
      MVM_TRY_VOID(b.Append(c));
      continue;
    }
    int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    MVM_TRY_VOID(b.AppendAscii(digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U"));
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
      MVM_TRY_VOID(b.Append(static_cast<char32_t>(kDigits[(c >> shift) & 15])));
    }
  }
  return b.Finish();
}

Result<StrObject> ToStr(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kStr)) return Ref<StrObject>::Borrow(v.as<StrObject>());
  if (v.is_int()) return IntToStr(ts, v, 10, false);
  RecursionGuard guard(ts, " while getting the str of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<> r, TypeOf(ts, v)->slots.str(ts, v));
  if (!IsStr(ts, r)) {
    return Raise(ts, Exc::kTypeError, "__str__ returned non-string (type %T)", r.get());
  }
  return std::move(r).Into<StrObject>();
}

Result<StrObject> FormatValue(ThreadState& ts, Value v, StrObject* spec) {
  Ref<StrObject> empty;
  if (!spec || spec->length == 0) {
    if (IsExact(v, TypeId::kStr)) return Ref<StrObject>::Borrow(v.as<StrObject>());
    if (v.is_int() && !v.is_absent() && !v.is_done()) return Repr(ts, v);
    if (!spec) spec = ts.rt->empty_str;
  } else {  // the types whose __format__ nobody can replace
    if (v.is_int() && !v.is_absent() && !v.is_done()) return FormatInt(ts, v, spec);
    if (v.is_float()) return FormatFloat(ts, v, spec);
    if (IsExact(v, TypeId::kStr)) return FormatStr(ts, v.as<StrObject>(), spec);
  }
  Value arg = spec;
  MVM_TRY(Ref<> r, CallSpecial(ts, v, MVM_NAME(ts, __format__), {&arg, 1}));
  if (r.is_absent()) {
    return Raise(ts, Exc::kTypeError, "Type %T doesn't define __format__", v);
  }
  if (!IsStr(ts, r)) {
    return Raise(ts, Exc::kTypeError, "__format__ must return a str, not %T", r.get());
  }
  return std::move(r).Into<StrObject>();
}

// ---- numbers about objects ----

Result<int64_t> Hash(ThreadState& ts, Value v) {
  if (v.is_int()) return IntHash(v);
  if (IsExact(v, TypeId::kStr)) return StrHash64(StrHash(*ts.rt, v.as<StrObject>()));
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  HashFn hash = TypeOf(ts, v)->slots.hash;
  if (MVM_UNLIKELY(!hash)) return HashNotImplemented(ts, v);
  return hash(ts, v);
}

Result<bool> Truth(ThreadState& ts, Value v) {
  if (IsTrue(ts, v)) return true;
  if (IsFalse(ts, v) || IsNone(ts, v)) return false;
  if (v.is_int()) return v.as_int() != 0;
  const TypeObject* type = TypeOf(ts, v);
  if (TruthFn truth = type->operators->truth) return truth(ts, v);
  if (LengthFn len = type->slots.len) {
    MVM_TRY(int64_t n, len(ts, v));
    return n != 0;
  }
  return true;
}

// ---- isinstance and issubclass ----

namespace {

constexpr const char* kInstanceMessage =
    "isinstance() arg 2 must be a type, a tuple of types, or a union";
constexpr const char* kSubclassMessage =
    "issubclass() arg 2 must be a class, a tuple of classes, or a union";

// The __bases__ tuple of something that acts as a class; Absent() if it has none.
Result<> BasesOf(ThreadState& ts, Value cls) {
  MVM_TRY(Ref<> bases, GetAttrOptional(ts, cls, MVM_NAME(ts, __bases__)));
  if (bases.is_absent() || !IsTuple(ts, bases)) return Result<>::Steal(Value::Absent());
  return bases;
}

Status CheckClass(ThreadState& ts, Value cls, const char* message) {
  MVM_TRY(Ref<> bases, BasesOf(ts, cls));
  if (bases.is_absent()) return Raise(ts, Exc::kTypeError, "%s", message);
  return Ok();
}

// Follows __bases__ from `derived` in search of `cls`.
Result<bool> AbstractSubclass(ThreadState& ts, Value derived, Value cls) {
  RecursionGuard guard(ts, " in __issubclass__");
  if (!guard) return kRaised;
  Ref<> current = Ref<>::Borrow(derived);
  for (;;) {
    if (current.is(cls)) return true;
    MVM_TRY(Ref<> bases, BasesOf(ts, current));
    if (bases.is_absent()) return false;
    TupleObject* tuple = bases.as<TupleObject>();
    if (tuple->size() == 0) return false;
    MVM_TRY_VOID(Charge(ts, 1));
    if (tuple->size() == 1) {  // a chain needs no recursion
      current = Ref<>::Borrow((*tuple)[0]);
      continue;
    }
    for (Value base : tuple->span()) {
      MVM_TRY(bool found, AbstractSubclass(ts, base, cls));
      if (found) return true;
    }
    return false;
  }
}

}  // namespace

Result<bool> PlainIsInstance(ThreadState& ts, Value v, Value cls) {
  if (MVM_LIKELY(IsType(ts, cls))) {
    TypeObject* type = cls.as<TypeObject>();
    if (IsInstance(ts, v, type)) return true;
    // The __class__ that object gives to instances of a built-in type is their type.
    const TypeObject* own = TypeOf(ts, v);
    if (!own->is_heap() && own->slots.getattro == GenericGetAttr) return false;
    MVM_TRY(Ref<> claimed, GetAttrOptional(ts, v, MVM_NAME(ts, __class__)));
    if (claimed.is_absent() || !IsType(ts, claimed) || claimed.is(TypeOf(ts, v))) return false;
    return IsSubtype(claimed.as<TypeObject>(), type);
  }
  MVM_TRY_VOID(CheckClass(ts, cls, kInstanceMessage));
  MVM_TRY(Ref<> claimed, GetAttrOptional(ts, v, MVM_NAME(ts, __class__)));
  if (claimed.is_absent()) return false;
  return AbstractSubclass(ts, claimed, cls);
}

Result<bool> PlainIsSubclass(ThreadState& ts, Value v, Value cls) {
  if (MVM_LIKELY(IsType(ts, cls) && IsType(ts, v))) {
    return IsSubtype(v.as<TypeObject>(), cls.as<TypeObject>());
  }
  MVM_TRY_VOID(CheckClass(ts, v, "issubclass() arg 1 must be a class"));
  MVM_TRY_VOID(CheckClass(ts, cls, kSubclassMessage));
  return AbstractSubclass(ts, v, cls);
}

Result<bool> IsInstanceOf(ThreadState& ts, Value v, Value cls) {
  if (cls.is(TypeOf(ts, v))) return true;
  if (IsExact(cls, TypeId::kType)) return PlainIsInstance(ts, v, cls);
  if (IsTuple(ts, cls)) {
    RecursionGuard guard(ts, " in __instancecheck__");
    if (!guard) return kRaised;
    for (Value item : cls.as<TupleObject>()->span()) {
      MVM_TRY(bool found, IsInstanceOf(ts, v, item));
      if (found) return true;
    }
    return false;
  }
  RecursionGuard guard(ts, " in __instancecheck__");
  if (!guard) return kRaised;
  MVM_TRY(Ref<> r, CallSpecial(ts, cls, MVM_NAME(ts, __instancecheck__), {&v, 1}));
  if (r.is_absent()) return PlainIsInstance(ts, v, cls);
  return Truth(ts, r);
}

Result<bool> IsSubclassOf(ThreadState& ts, Value v, Value cls) {
  if (IsExact(cls, TypeId::kType)) {
    if (v.is(cls)) return true;
    return PlainIsSubclass(ts, v, cls);
  }
  RecursionGuard guard(ts, " in __subclasscheck__");
  if (!guard) return kRaised;
  if (IsTuple(ts, cls)) {
    for (Value item : cls.as<TupleObject>()->span()) {
      MVM_TRY(bool found, IsSubclassOf(ts, v, item));
      if (found) return true;
    }
    return false;
  }
  MVM_TRY(Ref<> r, CallSpecial(ts, cls, MVM_NAME(ts, __subclasscheck__), {&v, 1}));
  if (r.is_absent()) return PlainIsSubclass(ts, v, cls);
  return Truth(ts, r);
}

Result<> Dir(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> names, CallSpecial(ts, v, MVM_NAME(ts, __dir__)));
  if (names.is_absent()) return Raise(ts, Exc::kTypeError, "object does not provide __dir__");
  MVM_TRY(Ref<ListObject> list, ListFrom(ts, names));
  MVM_TRY_VOID(ListSort(ts, list, Value(), false));
  return list;
}

}  // namespace minivm
