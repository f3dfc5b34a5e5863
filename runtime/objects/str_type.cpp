// The type str: construction, operators, iteration, the table of methods.
#include <algorithm>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Status SliceBounds(ThreadState& ts, Value start, Value end, size_t length, size_t* from,
                   size_t* to) {
  const Value bound[2] = {start, end};
  int64_t at[2] = {0, static_cast<int64_t>(length)};
  for (int i = 0; i < 2; ++i) {
    const Value v = bound[i];
    if (v.is_absent() || v.is_null() || IsNone(ts, v)) continue;
    if (MVM_LIKELY(v.is_int())) {
      at[i] = v.as_int();
    } else {
      if (!IsInt(ts, v) && !TypeOf(ts, v)->operators->index) {
        return Raise(ts, Exc::kTypeError,
                     "slice indices must be integers or None or have an __index__ method");
      }
      MVM_TRY(at[i], IndexAsInt64(ts, v, Exc::kCount));
    }
    if (at[i] < 0) at[i] = std::max<int64_t>(at[i] + static_cast<int64_t>(length), 0);
  }
  *from = static_cast<size_t>(at[0]);
  *to = static_cast<size_t>(std::min<int64_t>(at[1], static_cast<int64_t>(length)));
  return Ok();
}

Result<int64_t> AsSizeSlow(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> number, Index(ts, v));
  int64_t i;
  if (IntFitsInt64(number, &i)) return i;
  return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
}

Raised RaiseBadArgument(ThreadState& ts, const char* function, const char* which,
                        const char* wanted, Value v) {
  if (IsNone(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s() %s must be %s, not None", function, which, wanted);
  }
  return Raise(ts, Exc::kTypeError, "%s() %s must be %s, not %T", function, which, wanted, v);
}

Result<StrObject*> StrArgument(ThreadState& ts, Value v, const char* method, int number) {
  if (MVM_LIKELY(IsExact(v, TypeId::kStr)) || IsStr(ts, v)) return v.as<StrObject>();
  static constexpr const char* kWhich[] = {"argument", "argument 1", "argument 2", "argument 3"};
  return RaiseBadArgument(ts, method, kWhich[number], "str", v);
}

namespace {

// ---- construction ----

Result<> DecodeObject(ThreadState& ts, Value object, StrObject* encoding, StrObject* errors) {
  if (IsStr(ts, object)) return Raise(ts, Exc::kTypeError, "decoding str is not supported");
  ByteView bytes;
  MVM_TRY_VOID(bytes.Get(ts, object, "decoding to str: need a bytes-like object, %T found"));
  std::string encoding_text = encoding ? ToUtf8(encoding) : "utf-8";
  std::string errors_text = errors ? ToUtf8(errors) : "strict";
  return Decode(ts, bytes.view(), encoding_text, errors_text, object);
}

// An instance of a script's subclass with the text of s.
Result<> NewSubtypeInstance(ThreadState& ts, TypeObject* cls, StrObject* s) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls, (s->length + 1) * static_cast<size_t>(s->kind())));
  StrObject* o = made.as<StrObject>();
  o->length = s->length;
  o->kind_ = s->kind_;
  o->ascii_ = s->ascii_;
  o->interned_ = 0;
  o->aux = s->aux;
  std::memcpy(o->data1(), s->data1(), (s->length + 1) * static_cast<size_t>(s->kind()));
  return made;
}

Result<> str_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (MVM_LIKELY(raw.n == 1 && raw.nkw == 0 && cls == TypeById(ts, TypeId::kStr))) {
    return ToStr(ts, raw[0]);
  }
  static constexpr const char* kNames[] = {"object", "encoding", "errors"};
  Value given[3] = {};
  if (raw.n + raw.nkw > 3) {
    if (raw.nkw == 0)
      return Raise(ts, Exc::kTypeError, "str expected at most 3 arguments, got %u", raw.n);
    return Raise(ts, Exc::kTypeError, "str() takes at most 3 arguments (%u given)",
                 raw.n + raw.nkw);
  }
  for (uint32_t i = 0; i < raw.n; ++i) given[i] = raw[i];
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    StrObject* name = raw[raw.n + raw.nkw].as<TupleObject>()->items()[i].as<StrObject>();
    int at = 0;
    while (at < 3 && !name->EqualsAscii(kNames[at])) ++at;
    if (at == 3) {
      return Raise(ts, Exc::kTypeError, "str() got an unexpected keyword argument '%U'",
                   Value(name));
    }
    if (given[at]) {
      return Raise(ts, Exc::kTypeError, "argument for str() given by name ('%s') and position (%d)",
                   kNames[at], at + 1);
    }
    given[at] = raw[raw.n + i];
  }
  for (int i = 1; i < 3; ++i) {
    if (given[i] && !IsStr(ts, given[i])) {
      return RaiseBadArgument(ts, "str", i == 1 ? "argument 'encoding'" : "argument 'errors'",
                              "str", given[i]);
    }
  }
  Ref<> text;
  if (!given[0]) {
    MVM_TRY(text, EmptyStr(ts));
  } else if (given[1] || given[2]) {
    MVM_TRY(text, DecodeObject(ts, given[0], given[1].as<StrObject>(), given[2].as<StrObject>()));
  } else {
    MVM_TRY(text, ToStr(ts, given[0]));
  }
  if (MVM_LIKELY(cls == TypeById(ts, TypeId::kStr))) return text;
  return NewSubtypeInstance(ts, cls, text.as<StrObject>());
}

// ---- operators ----

Result<> str_repr(ThreadState& ts, Value self) { return StrRepr(ts, self.as<StrObject>()); }
Result<> str_str(ThreadState& ts, Value self) { return StrExact(ts, self.as<StrObject>()); }
Result<int64_t> str_hash(ThreadState& ts, Value self) {
  return StrHash64(StrHash(*ts.rt, self.as<StrObject>()));
}
Result<int64_t> str_len(ThreadState& ts, Value self) {
  return static_cast<int64_t>(self.as<StrObject>()->length);
}

Result<> str_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsStr(ts, a) || !IsStr(ts, b)) return NotImplemented(ts);
  const StrObject *x = a.as<StrObject>(), *y = b.as<StrObject>();
  if (op == CompareOp::kEq) return Bool(ts, StrEquals(x, y));
  if (op == CompareOp::kNe) return Bool(ts, !StrEquals(x, y));
  const int order = x == y ? 0 : StrCompare(x, y);
  switch (op) {
    case CompareOp::kLt: return Bool(ts, order < 0);
    case CompareOp::kLe: return Bool(ts, order <= 0);
    case CompareOp::kGt: return Bool(ts, order > 0);
    default: return Bool(ts, order >= 0);
  }
}

Result<> SteppedSlice(ThreadState& ts, StrObject* s, int64_t start, int64_t step, size_t n) {
  char32_t bound = s->bound();
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, n, bound));
  WithChars(s, [&](auto* p) {
    auto* to = reinterpret_cast<std::remove_cvref_t<decltype(*p)>*>(out->data1());
    for (size_t i = 0; i < n; ++i) to[i] = p[start + static_cast<int64_t>(i) * step];
  });
  return StrNarrow(ts, std::move(out));
}

Result<> str_get_item(ThreadState& ts, Value self, Value key) {
  StrObject* s = self.as<StrObject>();
  int64_t i;
  if (MVM_LIKELY(key.is_int())) {
    i = key.as_int();
  } else if (IsExact(key, TypeId::kSlice)) {
    int64_t start, stop, step;
    MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
    const int64_t n = SliceAdjust(static_cast<int64_t>(s->length), &start, &stop, step);
    if (n <= 0) return EmptyStr(ts);
    if (step == 1)
      return StrSlice(ts, s, static_cast<size_t>(start), static_cast<size_t>(start + n));
    if (n == 1) return StrFromChar(ts, s->At(static_cast<size_t>(start)));
    return SteppedSlice(ts, s, start, step, static_cast<size_t>(n));
  } else if (IsInt(ts, key) || TypeOf(ts, key)->operators->index) {
    MVM_TRY(i, IndexAsInt64(ts, key, Exc::kIndexError));
  } else {
    return Raise(ts, Exc::kTypeError, "string indices must be integers, not '%T'", key);
  }
  if (i < 0) i += static_cast<int64_t>(s->length);
  if (i < 0 || static_cast<uint64_t>(i) >= s->length) {
    return Raise(ts, Exc::kIndexError, "string index out of range");
  }
  return StrFromChar(ts, s->At(static_cast<size_t>(i)));
}

Result<bool> str_contains(ThreadState& ts, Value self, Value item) {
  if (MVM_UNLIKELY(!IsStr(ts, item))) {
    return Raise(ts, Exc::kTypeError, "'in <string>' requires string as left operand, not %T",
                 item);
  }
  const StrObject* s = self.as<StrObject>();
  return StrFind(s, item.as<StrObject>(), 0, s->length) >= 0;
}

Result<> str_concat(ThreadState& ts, Value self, Value other) {
  if (MVM_UNLIKELY(!IsStr(ts, other))) {
    return Raise(ts, Exc::kTypeError, "can only concatenate str (not \"%T\") to str", other);
  }
  return StrConcat(ts, self.as<StrObject>(), other.as<StrObject>());
}

Result<> str_repeat(ThreadState& ts, Value self, int64_t count) {
  return StrRepeat(ts, self.as<StrObject>(), count);
}

Result<> str_mod(ThreadState& ts, Value a, Value b) {
  if (!IsStr(ts, a)) return NotImplemented(ts);
  return StrPercent(ts, a.as<StrObject>(), b);
}

// ---- iteration ----

class StrIterator : public Object {
 public:
  StrObject* text = nullptr;  // null: exhausted
  uint64_t index = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(text);
  }
};

Result<> str_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<StrIterator> it, New<StrIterator>(ts, TypeId::kStrIterator));
  it->text = Ref<StrObject>::Borrow(self.as<StrObject>()).Release();
  Track(it);
  return it;
}

Result<> striter_next(ThreadState& ts, Value self) {
  StrIterator* it = self.as<StrIterator>();
  StrObject* s = it->text;
  if (MVM_UNLIKELY(s == nullptr)) return Result<>::Done();
  if (MVM_LIKELY(it->index < s->length)) {
    if (MVM_LIKELY(s->kind() == 1)) {
      if (StrObject* shared = ts.rt->latin1[s->data1()[it->index]]) {
        ++it->index;
        return Ref<StrObject>::Borrow(shared);
      }
    }
    return StrFromChar(ts, s->At(it->index++));
  }
  it->text = nullptr;
  Decref(s);
  return Result<>::Done();
}

Result<> striter_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> striter_length_hint(ThreadState& ts, Args args) {
  StrIterator* it = args.self<StrIterator>();
  return Small(it->text ? static_cast<int64_t>(it->text->length - it->index) : 0);
}

Result<> striter_reduce(ThreadState& ts, Args args) {
  StrIterator* it = args.self<StrIterator>();
  // Looking it up may run code that moves the iterator.
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  const int64_t index = static_cast<int64_t>(it->index);
  Ref<StrObject> text = Ref<StrObject>::Borrow(it->text);
  if (!text) {
    MVM_TRY(text, EmptyStr(ts));
    Value inner[] = {text};
    MVM_TRY(Ref<TupleObject> arguments, NewTuple(ts, inner));
    Value outer[] = {iter, arguments};
    return NewTuple(ts, outer);
  }
  Value inner[] = {text};
  MVM_TRY(Ref<TupleObject> arguments, NewTuple(ts, inner));
  Value outer[] = {iter, arguments, Value::Int(index)};
  return NewTuple(ts, outer);
}

Result<> striter_setstate(ThreadState& ts, Args args) {
  MVM_TRY(int64_t index, AsSize(ts, args[1]));
  StrIterator* it = args.self<StrIterator>();
  if (it->text) {
    it->index = static_cast<uint64_t>(
        std::clamp<int64_t>(index, 0, static_cast<int64_t>(it->text->length)));
  }
  return None(ts);
}

// ---- methods that belong nowhere else ----

Result<> str_encode(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  // The defaults come as the strings they are written as.
  if (s->ascii() && IsExact(args[1], TypeId::kStr) && IsExact(args[2], TypeId::kStr) &&
      args.as<StrObject>(1)->EqualsAscii("utf-8") && args.as<StrObject>(2)->EqualsAscii("strict")) {
    return NewBytes(ts, s->ascii_view());
  }
  std::string text[2] = {"utf-8", "strict"};
  for (uint32_t i = 0; i < 2; ++i) {
    if (!args.has(i + 1)) continue;
    if (!IsStr(ts, args[i + 1])) {
      return RaiseBadArgument(ts, "encode", i ? "argument 'errors'" : "argument 'encoding'", "str",
                              args[i + 1]);
    }
    text[i] = ToUtf8(args.as<StrObject>(i + 1));
    if (text[i].find('\0') != std::string::npos) {
      return Raise(ts, Exc::kValueError, "embedded null character");
    }
  }
  return Encode(ts, args.self<StrObject>(), text[0], text[1]);
}

Result<> str_format(ThreadState& ts, Args args) {
  return StrFormat(ts, args.self<StrObject>(), args.as<TupleObject>(1),
                   args.has(2) ? args[2] : Value());
}

Result<> str_format_map(ThreadState& ts, Args args) {
  return StrFormat(ts, args.self<StrObject>(), nullptr, args[1]);
}

Result<> str_format_dunder(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return RaiseBadArgument(ts, "__format__", "argument", "str", args[1]);
  }
  StrObject* spec = args.as<StrObject>(1);
  if (spec->length == 0) return ToStr(ts, args[0]);
  return FormatStr(ts, args.self<StrObject>(), spec);
}

Result<> str_getnewargs(ThreadState& ts, Args args) {
  // A copy: the arguments of __new__ are not the string itself.
  StrBuilder copy(ts);
  MVM_TRY_VOID(copy.Append(args.self<StrObject>()));
  MVM_TRY(Ref<StrObject> text, copy.Finish());
  Value items[] = {text};
  return NewTuple(ts, items);
}

Result<> str_join(ThreadState& ts, Args args) {
  return StrJoin(ts, args.self<StrObject>(), args[1]);
}

Result<> str_sizeof(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  return Small(
      static_cast<int64_t>(sizeof(StrObject) + (s->length + 1) * static_cast<size_t>(s->kind())));
}

const MethodSpec kStrMethods[] = {
    {"__format__(self, format_spec, /)", str_format_dunder,
     "The text, aligned and cut as that format says."},
    {"__getnewargs__(self, /)", str_getnewargs},
    {"__sizeof__(self, /)", str_sizeof, "How many bytes the string takes."},
    {"capitalize(self, /)", str_capitalize,
     "A copy in lower case that begins with a title case character."},
    {"casefold(self, /)", str_casefold,
     "A copy in which all ways to write a letter are one, for comparison."},
    {"center(self, width, fillchar=' ', /)", str_center,
     "A copy with fillchar on both sides up to the width."},
    {"count(self, sub, start=None, end=None, /)", str_count,
     "How often sub is found in [start:end] without overlap."},
    {"encode(self, /, encoding='utf-8', errors='strict')", str_encode,
     "The bytes of the string in that encoding; UnicodeEncodeError if errors is strict."},
    {"endswith(self, suffix, start=None, end=None, /)", str_endswith,
     "Whether [start:end] ends with suffix, or with one of a tuple."},
    {"expandtabs(self, /, tabsize=8)", str_expandtabs,
     "A copy with spaces up to the next tab stop for each tab."},
    {"find(self, sub, start=None, end=None, /)", str_find,
     "The first position of sub within [start:end], -1 where it is missing."},
    {"format(self, /, *args, **kwargs)", str_format,
     "A copy with the arguments in place of {0}, {name} and {}."},
    {"format_map(self, mapping, /)", str_format_map,
     "format(**mapping), but with the mapping itself, not a copy."},
    {"index(self, sub, start=None, end=None, /)", str_index,
     "The first position of sub within [start:end]; ValueError where it is missing."},
    {"isalnum(self, /)", str_isalnum,
     "Whether there are only letters and numeric characters, at least one."},
    {"isalpha(self, /)", str_isalpha, "Whether there are only letters, at least one."},
    {"isascii(self, /)", str_isascii, "Whether every character is below U+0080."},
    {"isdecimal(self, /)", str_isdecimal,
     "Whether there are only digits that int() accepts, at least one."},
    {"isdigit(self, /)", str_isdigit,
     "Whether there are only digits, superscripts too, at least one."},
    {"isidentifier(self, /)", str_isidentifier,
     "Whether it could be a name in a program; keywords could."},
    {"islower(self, /)", str_islower,
     "Whether there are letters with case and all of them are lower case."},
    {"isnumeric(self, /)", str_isnumeric,
     "Whether there are only characters with a numeric value, at least one."},
    {"isprintable(self, /)", str_isprintable,
     "Whether repr() would escape none of the characters."},
    {"isspace(self, /)", str_isspace, "Whether there is only white space, at least one character."},
    {"istitle(self, /)", str_istitle,
     "Whether each word begins, and only begins, with an upper or title case letter."},
    {"isupper(self, /)", str_isupper,
     "Whether there are letters with case and all of them are upper case."},
    {"join(self, iterable, /)", str_join,
     "The strings one behind the other, with self between them."},
    {"ljust(self, width, fillchar=' ', /)", str_ljust,
     "A copy with fillchar behind it up to the width."},
    {"lower(self, /)", str_lower, "A copy in lower case."},
    {"lstrip(self, chars=None, /)", str_lstrip,
     "A copy without white space, or those characters, at its beginning."},
    {"maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)", str_maketrans,
     "A table for translate(): from a dict, or from x to y without the characters of z.",
     kMethodStatic},
    {"partition(self, sep, /)", str_partition,
     "(before, sep, after) for the first sep; (all, '', '') without one."},
    {"removeprefix(self, prefix, /)", str_removeprefix,
     "A copy without prefix, where it begins with it."},
    {"removesuffix(self, suffix, /)", str_removesuffix,
     "A copy without suffix, where it ends with it."},
    {"replace(self, old, new, /, count=-1)", str_replace,
     "A copy with new for old, in the first count places or all."},
    {"rfind(self, sub, start=None, end=None, /)", str_rfind,
     "The last position of sub within [start:end], -1 where it is missing."},
    {"rindex(self, sub, start=None, end=None, /)", str_rindex,
     "The last position of sub within [start:end]; ValueError where it is missing."},
    {"rjust(self, width, fillchar=' ', /)", str_rjust,
     "A copy with fillchar before it up to the width."},
    {"rpartition(self, sep, /)", str_rpartition,
     "(before, sep, after) for the last sep; ('', '', all) without one."},
    {"rsplit(self, /, sep=None, maxsplit=-1)", str_rsplit,
     "Like split(), but maxsplit counts from the end."},
    {"rstrip(self, chars=None, /)", str_rstrip,
     "A copy without white space, or those characters, at its end."},
    {"split(self, /, sep=None, maxsplit=-1)", str_split,
     "The parts between occurrences of sep, or of white space; at most maxsplit cuts."},
    {"splitlines(self, /, keepends=False)", str_splitlines,
     "The lines, with their ends if keepends."},
    {"startswith(self, prefix, start=None, end=None, /)", str_startswith,
     "Whether [start:end] begins with prefix, or with one of a tuple."},
    {"strip(self, chars=None, /)", str_strip,
     "A copy without white space, or those characters, at both ends."},
    {"swapcase(self, /)", str_swapcase, "A copy with the other case for each letter."},
    {"title(self, /)", str_title,
     "A copy whose words begin in title case and go on in lower case."},
    {"translate(self, table, /)", str_translate,
     "A copy with table[code point] for each character: a string, a code point, or None for "
     "nothing."},
    {"upper(self, /)", str_upper, "A copy in upper case."},
    {"zfill(self, width, /)", str_zfill, "A copy with zeros, behind a sign, up to the width."},
};

const MethodSpec kStrIteratorMethods[] = {
    {"__length_hint__(self, /)", striter_length_hint,
     "How many items are left, as far as is known."},
    {"__reduce__(self, /)", striter_reduce, "What pickle and copy need to make the object again."},
    {"__setstate__(self, state, /)", striter_setstate,
     "Takes over a state that __reduce__() gave."},
};

}  // namespace

const TypeSpec kStrType = {
    .name = "str",
    .doc =
        "str(object='') -> its text, by __str__()\n"
        "str(bytes, encoding='utf-8', errors='strict') -> the text that bytes stand for",
    .flags = kTypeBase | kTypeStrSubclass | kTypeMatchSelf,
    .size = sizeof(StrObject),
    .item_size = 1,
    .slots = {.repr = str_repr,
              .str = str_str,
              .hash = str_hash,
              .compare = str_compare,
              .iter = str_iter,
              .new_ = str_new,
              .len = str_len,
              .get_item = str_get_item,
              .contains = str_contains,
              .concat = str_concat,
              .repeat = str_repeat,
              .mod = str_mod},
    .methods = kStrMethods};

const TypeSpec kStrIteratorType = {.name = "str_iterator",
                                   .flags = kTypeNoNew,
                                   .size = sizeof(StrIterator),
                                   .gc = GcHooksOf<StrIterator>(),
                                   .slots = {.iter = striter_iter, .next = striter_next},
                                   .methods = kStrIteratorMethods};

}  // namespace minivm
