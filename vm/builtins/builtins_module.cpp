// The module builtins: functions on objects. Those on code are in builtins_code.cpp.
#include "vm/builtins/builtins_module.h"

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/draw.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/async_generator.h"

namespace minivm {

namespace {

Result<> builtins_abs(ThreadState& ts, Args args) { return Absolute(ts, args[0]); }

template <bool kAll>
Result<> AllOrAny(ThreadState& ts, Value iterable) {
  MVM_TRY(Ref<> it, GetIter(ts, iterable));
  Drawing items(ts, it, kAll ? Takes::kTrue : Takes::kFalse);
  for (;;) {
    MVM_TRY(Ref<> item, items.Next());
    if (item.is_done()) return Bool(ts, kAll);
    MVM_TRY(bool truth, Truth(ts, item));
    if (truth != kAll) return Bool(ts, !kAll);
    MVM_TRY_VOID(Charge(ts, 1));
  }
}
Result<> builtins_all(ThreadState& ts, Args args) { return AllOrAny<true>(ts, args[0]); }
Result<> builtins_any(ThreadState& ts, Args args) { return AllOrAny<false>(ts, args[0]); }
Result<> builtins_ascii(ThreadState& ts, Args args) { return Ascii(ts, args[0]); }

Result<> ToBase(ThreadState& ts, Value v, int base) {
  MVM_TRY(Ref<> i, Index(ts, v));
  return IntToStr(ts, i, base, true);
}
Result<> builtins_bin(ThreadState& ts, Args args) { return ToBase(ts, args[0], 2); }
Result<> builtins_oct(ThreadState& ts, Args args) { return ToBase(ts, args[0], 8); }
Result<> builtins_hex(ThreadState& ts, Args args) { return ToBase(ts, args[0], 16); }

Result<> builtins_callable(ThreadState& ts, Args args) { return Bool(ts, IsCallable(ts, args[0])); }

Result<> builtins_chr(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> i, Index(ts, args[0]));
  int64_t c;
  if (!IntFitsInt64(i, &c) || c < 0 || c > 0x10FFFF)
    return Raise(ts, Exc::kValueError, "chr() arg not in range(0x110000)");
  return StrFromChar(ts, static_cast<char32_t>(c));
}

Result<StrObject*> AttrName(ThreadState& ts, Value v, const char* function) {
  if (IsStr(ts, v)) return v.as<StrObject>();
  return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", v);
}
Result<> builtins_delattr(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, AttrName(ts, args[1], "delattr"));
  MVM_TRY_VOID(SetAttr(ts, args[0], name, Value()));
  return None(ts);
}
Result<> builtins_getattr(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, AttrName(ts, args[1], "getattr"));
  if (!args.has(2)) return GetAttr(ts, args[0], name);
  MVM_TRY(Ref<> v, GetAttrOptional(ts, args[0], name));
  return v.is_absent() ? Result<>::Borrow(args[2]) : Result<>(std::move(v));
}
Result<> builtins_hasattr(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, AttrName(ts, args[1], "hasattr"));
  MVM_TRY(Ref<> v, GetAttrOptional(ts, args[0], name));
  return Bool(ts, !v.is_absent());
}
Result<> builtins_setattr(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, AttrName(ts, args[1], "setattr"));
  MVM_TRY_VOID(SetAttr(ts, args[0], name, args[2]));
  return None(ts);
}

Result<> builtins_divmod(ThreadState& ts, Args args) {
  if (Value::BothInt(args[0], args[1])) {
    Ref<> q, r;
    MVM_TRY_VOID(IntDivmod(ts, args[0], args[1], &q, &r));
    Value pair[] = {q, r};
    return NewTuple(ts, pair);
  }
  return Binary(ts, BinaryOp::kDivmod, args[0], args[1]);
}

Result<> builtins_format(ThreadState& ts, Args args) {
  Value spec = args.has(1) ? args[1] : Value(ts.rt->empty_str);
  if (!IsStr(ts, spec))
    return Raise(ts, Exc::kTypeError, "format() argument 2 must be str, not %T", spec);
  return FormatValue(ts, args[0], spec.as<StrObject>());
}

Result<> builtins_hash(ThreadState& ts, Args args) {
  MVM_TRY(int64_t h, Hash(ts, args[0]));
  return NewInt(ts, h);
}

Result<> builtins_id(ThreadState& ts, Args args) { return NewIntU64(ts, args[0].bits()); }

// `input()`: prompt on stdout, a line from stdin.
Result<> builtins_input(ThreadState& ts, Args args) {
  Value sys = Value(ts.rt->sys);
  auto stream = [&](StrObject* name, const char* lost) -> Result<> {
    MVM_TRY(Ref<> s, GetAttrOptional(ts, sys, name));
    if (s.is_absent() || IsNone(ts, s))
      return Raise(ts, Exc::kRuntimeError, "input(): lost %s", lost);
    return s;
  };
  MVM_TRY(Ref<> in, stream(MVM_NAME(ts, stdin), "sys.stdin"));
  MVM_TRY(Ref<> out, stream(MVM_NAME(ts, stdout), "sys.stdout"));
  MVM_TRY(Ref<> err, stream(MVM_NAME(ts, stderr), "sys.stderr"));
  auto flush = [&](Value s) {  // streams of scripts need not be able to
    Result<> flushed = CallMethod(ts, s, MVM_NAME(ts, flush));
    if (flushed.raised()) {
      ClearPending(ts);
    } else {
      Ref<> dropped = flushed.Take();
    }
  };
  flush(err);
  if (args.has(0)) {
    MVM_TRY(Ref<StrObject> text, ToStr(ts, args[0]));
    MVM_TRY_VOID(CallMethod(ts, out, MVM_NAME(ts, write), Value(text.get())));
  }
  flush(out);
  MVM_TRY(Ref<> line, CallMethod(ts, in, MVM_NAME(ts, readline)));
  if (!IsStr(ts, line)) return Raise(ts, Exc::kTypeError, "object.readline() returned non-string");
  StrObject* s = line.as<StrObject>();
  if (s->length == 0) return Raise(ts, Exc::kEOFError, "EOF when reading a line");
  if (s->At(s->length - 1) == '\n') return StrSlice(ts, s, 0, s->length - 1);
  return line;
}

Result<> builtins_isinstance(ThreadState& ts, Args args) {
  MVM_TRY(bool b, IsInstanceOf(ts, args[0], args[1]));
  return Bool(ts, b);
}
Result<> builtins_issubclass(ThreadState& ts, Args args) {
  MVM_TRY(bool b, IsSubclassOf(ts, args[0], args[1]));
  return Bool(ts, b);
}

Result<> builtins_len(ThreadState& ts, Args args) {
  if (MVM_LIKELY(args[0].is_object())) {
    const Object* o = args[0].object();
    switch (static_cast<TypeId>(o->shape_id)) {
      case TypeId::kList: return Small(static_cast<const ListObject*>(o)->size);
      case TypeId::kTuple: return Small(static_cast<const TupleObject*>(o)->size());
      case TypeId::kStr: return Small(static_cast<const StrObject*>(o)->length);
      default: break;
    }
  }
  MVM_TRY(int64_t n, Length(ts, args[0]));
  return NewInt(ts, n);
}

Result<> builtins_next(ThreadState& ts, Args args) {
  TypeObject* type = TypeOf(ts, args[0]);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.next == nullptr) {
    return Raise(ts, Exc::kTypeError, "'%T' object is not an iterator", args[0]);
  }
  Result<> r = type->slots.next(ts, args[0]);
  if (r.raised()) {
    if (args.has(1) && ClearPendingIf(ts, Exc::kStopIteration)) return Result<>::Borrow(args[1]);
    return kRaised;
  }
  if (!r.done()) return r;
  if (args.has(1)) return Result<>::Borrow(args[1]);
  return RaiseNoMessage(ts, Exc::kStopIteration);
}

Result<> builtins_ord(ThreadState& ts, Args args) {
  Value v = args[0];
  size_t n = 0;
  if (IsStr(ts, v)) {
    n = v.as<StrObject>()->length;
    if (n == 1) return Small(v.as<StrObject>()->At(0));
  } else if (IsBytes(ts, v)) {
    n = v.as<BytesObject>()->length;
    if (n == 1) return Small(v.as<BytesObject>()->data()[0]);
  } else if (HasTypeFlag(ts, v, kTypeBytearraySubclass)) {
    n = v.as<BytearrayObject>()->size;
    if (n == 1) return Small(v.as<BytearrayObject>()->data()[0]);
  } else {
    return Raise(ts, Exc::kTypeError, "ord() expected string of length 1, but %T found", v);
  }
  return Raise(ts, Exc::kTypeError, "ord() expected a character, but string of length %zu found",
               n);
}

Result<> builtins_pow(ThreadState& ts, Args args) { return Power(ts, args[0], args[1], args[2]); }

Result<> builtins_repr(ThreadState& ts, Args args) { return Repr(ts, args[0]); }

Result<> builtins_round(ThreadState& ts, Args args) {
  Value ndigits = args[1];
  MVM_TRY(Ref<> method, LookupSpecial(ts, args[0], MVM_NAME(ts, __round__)));
  if (method.is_absent()) {
    return Raise(ts, Exc::kTypeError, "type %T doesn't define __round__ method", args[0]);
  }
  return IsNone(ts, ndigits) ? Call(ts, method) : Call(ts, method, ndigits);
}

Result<> builtins_sorted(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, ListFrom(ts, args[0]));
  MVM_TRY(bool reverse, Truth(ts, args[2]));
  MVM_TRY_VOID(ListSort(ts, list, args[1], reverse));
  return list;
}

// sum(): ints without boxing while they fit, then floats with compensation, then anything.
Result<> builtins_sum(ThreadState& ts, Args args) {
  Value start = args[1];
  if (IsStr(ts, start)) {
    return Raise(ts, Exc::kTypeError, "sum() can't sum strings [use ''.join(seq) instead]");
  }
  if (IsBytes(ts, start)) {
    return Raise(ts, Exc::kTypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
  }
  if (HasTypeFlag(ts, start, kTypeBytearraySubclass)) {
    return Raise(ts, Exc::kTypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
  }
  MVM_TRY(Ref<> it, GetIter(ts, args[0]));
  Drawing items(ts, it, start.is_pointer() ? Takes::kNothing : Takes::kNumbers);
  Ref<> total = Ref<>::Borrow(start);
  Ref<> item;
  bool have_item = false;
  if (total.is_int()) {
    int64_t sum = total.get().as_int();
    for (;;) {
      MVM_TRY(item, items.Next());
      MVM_TRY_VOID(Charge(ts, 1));
      int64_t next;
      if (item.is_int() && !item.is_done() &&
          !__builtin_add_overflow(sum, item.get().as_int(), &next)) {
        sum = next;
        continue;
      }
      MVM_TRY(total, NewInt(ts, sum));
      have_item = true;
      break;
    }
    if (item.is_done()) return total;
  }
  if (IsFloatExact(total) ||
      (have_item && IsFloatExact(item) && (total.is_int() || IsExact(total, TypeId::kInt)))) {
    double sum, compensation = 0;
    if (IsFloatExact(total)) {
      sum = FloatValue(total);
    } else {
      MVM_TRY(sum, IntToDouble(ts, total));
    }
    for (;;) {
      if (!have_item) {
        MVM_TRY(item, items.Next());
        MVM_TRY_VOID(Charge(ts, 1));
      }
      have_item = false;
      if (item.is_done()) break;
      double x;
      if (IsFloatExact(item)) {
        x = FloatValue(item);
      } else if (item.is_int()) {
        x = static_cast<double>(item.get().as_int());
      } else {
        have_item = true;
        break;
      }
      double t = sum + x;
      // Neumaier's improvement of Kahan's sum.
      if (__builtin_fabs(sum) >= __builtin_fabs(x)) {
        compensation += (sum - t) + x;
      } else {
        compensation += (x - t) + sum;
      }
      sum = t;
    }
    if (compensation != 0 && __builtin_isfinite(compensation)) sum += compensation;
    MVM_TRY(total, NewFloat(ts, sum));
    if (!have_item) return total;
  }
  items.set_takes(Takes::kNothing);  // adding may run script code
  for (;;) {
    if (!have_item) {
      item = Ref<>();
      MVM_TRY(item, items.Next());
      MVM_TRY_VOID(Charge(ts, 1));
    }
    have_item = false;
    if (item.is_done()) return total;
    MVM_TRY(total, Binary(ts, BinaryOp::kAdd, total, item));
  }
}

// min() and max(): raw arguments, so that the common max(a, b) binds nothing.
Result<> MinOrMax(ThreadState& ts, Args args, const char* name, CompareOp better) {
  Value key, fallback;
  if (args.nkw > 0) {
    TupleObject* names = args.v[args.n + args.nkw].as<TupleObject>();
    for (uint32_t i = 0; i < args.nkw; ++i) {
      StrObject* kw = names->items()[i].as<StrObject>();
      if (kw->EqualsAscii("key")) {
        key = args.v[args.n + i];
      } else if (kw->EqualsAscii("default")) {
        fallback = args.v[args.n + i];
      } else {
        return Raise(ts, Exc::kTypeError, "%s() got an unexpected keyword argument '%U'", name,
                     Value(kw));
      }
    }
  }
  if (args.n == 0)
    return Raise(ts, Exc::kTypeError, "%s expected at least 1 argument, got 0", name);
  if (!key.is_null() && IsNone(ts, key)) key = Value();
  if (args.n > 1 && !fallback.is_null()) {
    return Raise(ts, Exc::kTypeError,
                 "Cannot specify a default for %s() with multiple positional arguments", name);
  }
  Ref<> best, best_key;
  auto consider = [&](Value item) -> Status {
    Ref<> item_key;
    if (key.is_null()) {
      item_key = Ref<>::Borrow(item);
    } else {
      MVM_TRY(item_key, Call(ts, key, item));
    }
    if (best.is_null()) {
      best = Ref<>::Borrow(item);
      best_key = std::move(item_key);
      return Ok();
    }
    Value a = item_key.get(), b = best_key.get();
    bool replace;
    if (Value::BothInt(a, b)) {
      replace = better == CompareOp::kLt ? a.as_int() < b.as_int() : a.as_int() > b.as_int();
    } else {
      MVM_TRY(replace, CompareTruth(ts, a, b, better));
    }
    if (replace) {
      best = Ref<>::Borrow(item);
      best_key = std::move(item_key);
    }
    return Ok();
  };
  if (args.n > 1) {
    for (uint32_t i = 0; i < args.n; ++i) MVM_TRY_VOID(consider(args[i]));
    return best;
  }
  MVM_TRY(Ref<> it, GetIter(ts, args[0]));
  Drawing items(ts, it, key.is_null() ? Takes::kNumbers : Takes::kNothing);
  for (;;) {
    MVM_TRY(Ref<> item, items.Next());
    if (item.is_done()) break;
    if (item.value().is_pointer())
      items.set_takes(Takes::kNothing);  // comparing may run script code
    MVM_TRY_VOID(consider(item));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  if (best.is_null()) {
    if (!fallback.is_null()) return Result<>::Borrow(fallback);
    return Raise(ts, Exc::kValueError, "%s() iterable argument is empty", name);
  }
  return best;
}
Result<> builtins_max(ThreadState& ts, Args args) {
  return MinOrMax(ts, args, "max", CompareOp::kGt);
}
Result<> builtins_min(ThreadState& ts, Args args) {
  return MinOrMax(ts, args, "min", CompareOp::kLt);
}

Result<> builtins_print(ThreadState& ts, Args args) {
  // print(*args, sep, end, file, flush)
  TupleObject* items = args.as<TupleObject>(0);
  Value sep = args[1], end = args[2];
  Ref<> file = Ref<>::Borrow(args[3]);
  if (!IsNone(ts, sep) && !IsStr(ts, sep)) {
    return Raise(ts, Exc::kTypeError, "sep must be None or a string, not %T", sep);
  }
  if (!IsNone(ts, end) && !IsStr(ts, end)) {
    return Raise(ts, Exc::kTypeError, "end must be None or a string, not %T", end);
  }
  if (IsNone(ts, file)) {
    MVM_TRY(file, GetAttrOptional(ts, Value(ts.rt->sys), MVM_NAME(ts, stdout)));
    if (file.is_absent()) return Raise(ts, Exc::kRuntimeError, "lost sys.stdout");
    if (IsNone(ts, file)) return None(ts);  // no standard output
  }
  MVM_TRY(Ref<> write, GetAttr(ts, file, MVM_NAME(ts, write)));
  for (uint32_t i = 0; i < items->size(); ++i) {
    if (i > 0) {
      if (IsNone(ts, sep)) {
        MVM_TRY_VOID(Call(ts, write, Value(ts.rt->latin1[0x20])));
      } else {
        MVM_TRY_VOID(Call(ts, write, sep));
      }
    }
    MVM_TRY(Ref<StrObject> text, ToStr(ts, items->items()[i]));
    MVM_TRY_VOID(Call(ts, write, Value(text.get())));
  }
  if (IsNone(ts, end)) {
    MVM_TRY_VOID(Call(ts, write, Value(ts.rt->latin1[0x0A])));
  } else {
    MVM_TRY_VOID(Call(ts, write, end));
  }
  MVM_TRY(bool flush, Truth(ts, args[4]));
  if (flush) MVM_TRY_VOID(CallMethod(ts, file, MVM_NAME(ts, flush)));
  return None(ts);
}

Result<> builtins_iter(ThreadState& ts, Args args) {
  if (!args.has(1)) return GetIter(ts, args[0]);
  if (!IsCallable(ts, args[0])) return Raise(ts, Exc::kTypeError, "iter(v, w): v must be callable");
  return NewCallableIterator(ts, args[0], args[1]);
}

Result<> builtins_aiter(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> it, CallSpecial(ts, args[0], MVM_NAME(ts, __aiter__)));
  if (it.is_absent())
    return Raise(ts, Exc::kTypeError, "'%T' object is not an async iterable", args[0]);
  TypeObject* type = TypeOf(ts, it);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.anext == nullptr) {
    return Raise(ts, Exc::kTypeError, "aiter() returned not an async iterator of type '%T'",
                 it.get());
  }
  return it;
}

Result<> builtins_anext(ThreadState& ts, Args args) {
  TypeObject* type = TypeOf(ts, args[0]);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->slots.anext == nullptr)
    return Raise(ts, Exc::kTypeError, "'%T' object is not an async iterator", args[0]);
  MVM_TRY(Ref<> awaitable, type->slots.anext(ts, args[0]));
  if (!args.has(1)) return awaitable;
  return NewAnextAwaitable(ts, awaitable, args[1]);
}

const MethodSpec kFunctions[] = {
    {"abs(x, /)", builtins_abs,
     "The number without its sign; of a complex number, its distance from zero."},
    {"aiter(async_iterable, /)", builtins_aiter,
     "What async for runs through: the iterator of an asynchronous iterable."},
    {"all(iterable, /)", builtins_all, "Whether no item is false; stops at the first that is."},
    {"anext(async_iterator, default=<unrepresentable>, /)", builtins_anext,
     "An awaitable of the next item, or of the default at the end."},
    {"any(iterable, /)", builtins_any, "Whether some item is true; stops at the first that is."},
    {"ascii(obj, /)", builtins_ascii, "repr() with escapes for everything outside ASCII."},
    {"bin(number, /)", builtins_bin, "The number in base 2, as '0b101'."},
    {"callable(obj, /)", builtins_callable, "Whether the object can be called."},
    {"chr(i, /)", builtins_chr, "The character with that code point, 0 to 0x10FFFF."},
    {"delattr(obj, name, /)", builtins_delattr,
     "Does del obj.name, for a name that is known only at run time."},
    {"divmod(x, y, /)", builtins_divmod, "Quotient, rounded down, and remainder in one step."},
    {"format(value, format_spec='', /)", builtins_format,
     "The text of the value in that format, by its __format__()."},
    {"getattr(obj, name, default=<unrepresentable>, /)", builtins_getattr,
     "obj.name, for a name that is known only at run time; the default where it is missing."},
    {"hasattr(obj, name, /)", builtins_hasattr, "Whether getattr() finds the attribute."},
    {"hash(obj, /)", builtins_hash,
     "An integer that is the same for equal objects; TypeError if the object can change."},
    {"hex(number, /)", builtins_hex, "The number in base 16, as '0xff'."},
    {"id(obj, /)", builtins_id, "A number that no other living object has."},
    {"input(prompt=<unrepresentable>, /)", builtins_input,
     "A line from standard input without its end; EOFError where there is none."},
    {"isinstance(obj, class_or_tuple, /)", builtins_isinstance,
     "Whether the class of obj is, or derives from, the class or one of the tuple."},
    {"issubclass(cls, class_or_tuple, /)", builtins_issubclass,
     "Whether cls is, or derives from, the class or one of the tuple."},
    {"iter(object, sentinel=<unrepresentable>, /)", builtins_iter,
     "An iterator over the items; with a sentinel, over what calls give until it comes."},
    {"len(obj, /)", builtins_len, "How many items the object has."},
    {"max(...)", builtins_max,
     "max(iterable, *, default, key) or max(a, b, *more, key): the greatest item.\n\n"
     "The first of several; key(item) is compared instead of the item."},
    {"min(...)", builtins_min,
     "min(iterable, *, default, key) or min(a, b, *more, key): the least item.\n\n"
     "The first of several; key(item) is compared instead of the item."},
    {"next(iterator, default=<unrepresentable>, /)", builtins_next,
     "The item that follows; at the end the default, or StopIteration."},
    {"oct(number, /)", builtins_oct, "The number in base 8, as '0o17'."},
    {"ord(c, /)", builtins_ord, "The code point of a character, or the value of a single byte."},
    {"pow(base, exp, mod=None)", builtins_pow, "base ** exp, modulo mod if that is given."},
    {"print(*args, sep=' ', end='\\n', file=None, flush=False)", builtins_print,
     "Writes the texts of the values to file, sys.stdout by default."},
    {"repr(obj, /)", builtins_repr,
     "A text for programmers, often the expression that makes the object."},
    {"round(number, ndigits=None)", builtins_round,
     "The nearest integer, or multiple of 10**-ndigits; ties go to the even one."},
    {"setattr(obj, name, value, /)", builtins_setattr,
     "Does obj.name = value, for a name that is known only at run time."},
    {"sorted(iterable, /, *, key=None, reverse=False)#", builtins_sorted,
     "The items in a new list, by <; key and reverse as for list.sort()."},
    {"sum(iterable, /, start=0)", builtins_sum, "start plus the items, one after the other."},
};

const TypeId kTypeNames[] = {
    TypeId::kObject,    TypeId::kType,        TypeId::kInt,          TypeId::kBool,
    TypeId::kFloat,     TypeId::kComplex,     TypeId::kStr,          TypeId::kBytes,
    TypeId::kBytearray, TypeId::kMemoryview,  TypeId::kList,         TypeId::kTuple,
    TypeId::kDict,      TypeId::kSet,         TypeId::kFrozenset,    TypeId::kSlice,
    TypeId::kRange,     TypeId::kClassMethod, TypeId::kStaticMethod, TypeId::kProperty,
    TypeId::kSuper,     TypeId::kEnumerate,   TypeId::kZip,          TypeId::kMap,
    TypeId::kFilter,    TypeId::kReversed,
};

Status exec_builtins(ThreadState& ts, ModuleObject* m) {
  for (TypeId id : kTypeNames) {
    TypeObject* t = TypeById(ts, id);
    MVM_TRY_VOID(ModuleAdd(ts, m, t->spec->name, Value(t)));  // types get ready when touched
  }
  for (uint32_t e = 0; e < kExcCount; ++e) {
    TypeObject* t = ts.rt->exceptions[e];
    MVM_TRY_VOID(ModuleAdd(ts, m, t->spec->name, Value(t)));
  }
  Value os_error = Value(ExcType(ts, Exc::kOSError));
  MVM_TRY_VOID(ModuleAdd(ts, m, "EnvironmentError", os_error));
  MVM_TRY_VOID(ModuleAdd(ts, m, "IOError", os_error));
  MVM_TRY_VOID(ModuleAdd(ts, m, "None", ts.rt->none));
  MVM_TRY_VOID(ModuleAdd(ts, m, "True", ts.rt->true_));
  MVM_TRY_VOID(ModuleAdd(ts, m, "False", ts.rt->false_));
  MVM_TRY_VOID(ModuleAdd(ts, m, "Ellipsis", ts.rt->ellipsis));
  MVM_TRY_VOID(ModuleAdd(ts, m, "NotImplemented", ts.rt->not_implemented));
  return AddCodeFunctions(ts, m);
}

}  // namespace

const ModuleSpec k_builtins_module = {
    .name = "builtins",
    .doc = "What every program finds without an import.",
    .functions = kFunctions,
    .exec = exec_builtins,
};

}  // namespace minivm
