// str.format: replacement fields with numbering, lookups, conversions and nested specs; and the
// two iterators of the _string module that expose the same parser.
#include <charconv>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/unicode.h"

namespace minivm {
namespace {

// ---- the parser ----

// One step through a format string: a literal and maybe a field behind it.
struct Field {
  size_t literal_begin = 0, literal_end = 0;
  bool present = false;
  size_t name_begin = 0, name_end = 0;
  size_t spec_begin = 0, spec_end = 0;
  char32_t conversion = 0;
  bool nested = false;  // the spec contains fields itself
};

// Reads the next field of p[*pos..end); the error text, or null.
template <class CharT>
const char* NextField(const CharT* p, size_t end, size_t* pos, Field* out) {
  *out = Field();
  size_t i = *pos;
  out->literal_begin = i;
  while (i < end && p[i] != '{' && p[i] != '}') ++i;
  out->literal_end = i;
  if (i == end) {
    *pos = i;
    return nullptr;
  }
  const CharT brace = p[i++];
  if (i < end && p[i] == brace) {  // doubled: the literal takes one
    out->literal_end = i;
    *pos = i + 1;
    return nullptr;
  }
  if (brace == '}') return "Single '}' encountered in format string";
  if (i == end) return "Single '{' encountered in format string";
  out->present = true;
  out->name_begin = i;
  bool in_bracket = false;
  CharT stop = 0;
  for (; i < end; ++i) {
    const CharT c = p[i];
    if (in_bracket) {
      in_bracket = c != ']';
    } else if (c == '[') {
      in_bracket = true;
    } else if (c == '{') {
      return "unexpected '{' in field name";
    } else if (c == '}' || c == ':' || c == '!') {
      stop = c;
      break;
    }
  }
  if (stop == 0) return "expected '}' before end of string";
  out->name_end = i++;
  if (stop == '!') {
    if (i == end) return "end of string while looking for conversion specifier";
    out->conversion = p[i++];
    if (i < end) {
      stop = p[i++];
      if (stop != '}' && stop != ':') return "expected ':' after conversion specifier";
    } else {
      stop = ':';
    }
  }
  out->spec_begin = out->spec_end = i;
  if (stop == ':') {
    int depth = 1;
    for (;; ++i) {
      if (i == end) return "unmatched '{' in format spec";
      if (p[i] == '{') {
        out->nested = true;
        ++depth;
      } else if (p[i] == '}' && --depth == 0) {
        break;
      }
    }
    out->spec_end = i++;
  }
  *pos = i;
  return nullptr;
}

Status NextFieldOf(ThreadState& ts, StrObject* text, size_t end, size_t* pos, Field* out) {
  const char* error = WithChars(text, [&](auto* p) { return NextField(p, end, pos, out); });
  if (error) return Raise(ts, Exc::kValueError, error);
  return Ok();
}

// text[begin:end] as a number: -1 if it is none.
Result<int64_t> FieldNumber(ThreadState& ts, StrObject* text, size_t begin, size_t end) {
  if (begin == end) return int64_t{-1};
  int64_t n = 0;
  for (size_t i = begin; i < end; ++i) {
    const char32_t c = text->At(i);
    const int digit =
        c < 0x80 ? (c >= '0' && c <= '9' ? static_cast<int>(c - '0') : -1) : DecimalValue(c);
    if (digit < 0) return int64_t{-1};
    if (n > (INT64_MAX - digit) / 10) {
      return Raise(ts, Exc::kValueError, "Too many decimal digits in format string");
    }
    n = n * 10 + digit;
  }
  return n;
}

// Where the first part of a field name ends.
size_t FirstPartEnd(StrObject* text, size_t begin, size_t end) {
  return WithChars(text, [&](const auto* p) {
    size_t i = begin;
    while (i < end && p[i] != '.' && p[i] != '[') ++i;
    return i;
  });
}

struct Accessor {
  bool is_attribute = false;
  int64_t index = -1;  // of an item with a number
  size_t begin = 0, end = 0;
};

// The next .name or [key] of text[*pos:end). REQUIRES: *pos < end
Status NextAccessor(ThreadState& ts, StrObject* text, size_t end, size_t* pos, Accessor* out) {
  size_t i = *pos;
  const char32_t kind = text->At(i++);
  out->begin = i;
  out->index = -1;
  if (kind == '.') {
    out->is_attribute = true;
    i = FirstPartEnd(text, i, end);
    out->end = i;
  } else if (kind == '[') {
    out->is_attribute = false;
    while (i < end && text->At(i) != ']') ++i;
    if (i == end) return Raise(ts, Exc::kValueError, "Missing ']' in format string");
    out->end = i++;
    MVM_TRY(out->index, FieldNumber(ts, text, out->begin, out->end));
  } else {
    return Raise(ts, Exc::kValueError, "Only '.' or '[' may follow ']' in format field specifier");
  }
  if (out->begin == out->end)
    return Raise(ts, Exc::kValueError, "Empty attribute in format string");
  *pos = i;
  return Ok();
}

// ---- str.format ----

class Formatter {
 public:
  Formatter(ThreadState& ts, StrObject* text, TupleObject* args, Value kwargs)
      : ts_(ts), text_(text), args_(args), kwargs_(kwargs) {}

  // Formats text[begin:end) into *out. `depth` bounds nested specs.
  Status Run(size_t begin, size_t end, int depth, StrBuilder* out) {
    if (depth <= 0) return Raise(ts_, Exc::kValueError, "Max string recursion exceeded");
    for (size_t pos = begin; pos < end;) {
      Field field;
      MVM_TRY_VOID(NextFieldOf(ts_, text_, end, &pos, &field));
      MVM_TRY_VOID(out->AppendSlice(text_, field.literal_begin, field.literal_end));
      if (field.present) MVM_TRY_VOID(RunField(field, depth, out));
    }
    return Ok();
  }

 private:
  Status RunField(const Field& field, int depth, StrBuilder* out) {
    MVM_TRY(Ref<> value, Lookup(field.name_begin, field.name_end));
    if (field.conversion) {
      MVM_TRY(value, Convert(value, field.conversion));
    }
    Ref<StrObject> spec;
    if (field.nested) {
      StrBuilder nested(ts_);
      MVM_TRY_VOID(Run(field.spec_begin, field.spec_end, depth - 1, &nested));
      MVM_TRY(spec, nested.Finish());
    } else if (field.spec_begin != field.spec_end) {
      MVM_TRY(spec, StrSlice(ts_, text_, field.spec_begin, field.spec_end));
    } else {
      if (IsExact(value, TypeId::kStr)) return out->Append(value.as<StrObject>());
      if (value.is_int()) {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value.get().as_int());
        return out->AppendAscii({digits, static_cast<size_t>(end.ptr - digits)});
      }
      MVM_TRY(spec, EmptyStr(ts_));
    }
    MVM_TRY(Ref<StrObject> text, FormatValue(ts_, value, spec));
    return out->Append(text.get());
  }

  Result<> Convert(Value value, char32_t conversion) {
    switch (conversion) {
      case 'r': return Repr(ts_, value);
      case 's': return ToStr(ts_, value);
      case 'a': return Ascii(ts_, value);
      default: break;
    }
    if (conversion > 32 && conversion < 127) {
      return Raise(ts_, Exc::kValueError, "Unknown conversion specifier %c",
                   static_cast<int>(conversion));
    }
    return Raise(ts_, Exc::kValueError, "Unknown conversion specifier \\x%x",
                 static_cast<unsigned>(conversion));
  }

  Result<> Lookup(size_t begin, size_t end) {
    const size_t first_end = FirstPartEnd(text_, begin, end);
    MVM_TRY(int64_t index, FieldNumber(ts_, text_, begin, first_end));
    if (index >= 0 || first_end == begin) {
      if (index < 0) {
        if (numbering_ == kManual) {
          return Raise(
              ts_, Exc::kValueError,
              "cannot switch from manual field specification to automatic field numbering");
        }
        numbering_ = kAutomatic;
        index = next_++;
      } else {
        if (numbering_ == kAutomatic) {
          return Raise(
              ts_, Exc::kValueError,
              "cannot switch from automatic field numbering to manual field specification");
        }
        numbering_ = kManual;
      }
      if (!args_) return Raise(ts_, Exc::kValueError, "Format string contains positional fields");
      if (static_cast<uint64_t>(index) >= args_->size()) {
        return Raise(ts_, Exc::kIndexError,
                     "Replacement index %zd out of range for positional args tuple",
                     static_cast<ssize_t>(index));
      }
      return Follow(Ref<>::Borrow((*args_)[static_cast<size_t>(index)]), first_end, end);
    }
    MVM_TRY(Ref<StrObject> key, StrSlice(ts_, text_, begin, first_end));
    if (!kwargs_) return RaiseKeyError(ts_, key);
    if (args_) {
      MVM_TRY(Ref<> found, DictGet(ts_, kwargs_.as<DictObject>(), key));
      if (found.is_absent()) return RaiseKeyError(ts_, key);
      return Follow(std::move(found), first_end, end);
    }
    MVM_TRY(Ref<> found, GetItem(ts_, kwargs_, key));
    return Follow(std::move(found), first_end, end);
  }

  Result<> Follow(Ref<> value, size_t pos, size_t end) {
    while (pos < end) {
      Accessor step;
      MVM_TRY_VOID(NextAccessor(ts_, text_, end, &pos, &step));
      if (step.index >= 0) {
        MVM_TRY(Ref<> number, NewInt(ts_, step.index));
        MVM_TRY(value, GetItem(ts_, value, number));
        continue;
      }
      MVM_TRY(Ref<StrObject> name, StrSlice(ts_, text_, step.begin, step.end));
      if (step.is_attribute) {
        MVM_TRY(name, Intern(ts_, name));
        MVM_TRY(value, GetAttr(ts_, value, name.get()));
      } else {
        MVM_TRY(value, GetItem(ts_, value, name));
      }
    }
    return value;
  }

  enum Numbering { kUndecided, kAutomatic, kManual };
  ThreadState& ts_;
  StrObject* text_;
  TupleObject* args_;
  Value kwargs_;
  Numbering numbering_ = kUndecided;
  int64_t next_ = 0;
};

// ---- _string ----

class FormatterIterator : public Object {
 public:
  StrObject* text = nullptr;
  size_t pos = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(text);
  }
};

Result<> formatteriterator_next(ThreadState& ts, Value self) {
  FormatterIterator* it = self.as<FormatterIterator>();
  if (it->pos >= it->text->length) return Result<>::Done();
  Field field;
  MVM_TRY_VOID(NextFieldOf(ts, it->text, it->text->length, &it->pos, &field));
  Ref<StrObject> text = Ref<StrObject>::Borrow(it->text);
  MVM_TRY(Ref<> literal, StrSlice(ts, text, field.literal_begin, field.literal_end));
  Ref<> none = Ref<>::Borrow(ts.rt->none);
  Ref<> name = none, spec = none, conversion = none;
  if (field.present) {
    MVM_TRY(name, StrSlice(ts, text, field.name_begin, field.name_end));
    MVM_TRY(spec, StrSlice(ts, text, field.spec_begin, field.spec_end));
    if (field.conversion) {
      MVM_TRY(conversion, StrFromChar(ts, field.conversion));
    }
  }
  Value items[] = {literal, name, spec, conversion};
  return NewTuple(ts, items);
}

Result<> fieldnameiterator_next(ThreadState& ts, Value self) {
  FormatterIterator* it = self.as<FormatterIterator>();
  if (it->pos >= it->text->length) return Result<>::Done();
  Accessor step;
  MVM_TRY_VOID(NextAccessor(ts, it->text, it->text->length, &it->pos, &step));
  Ref<> key;
  if (step.index >= 0) {
    MVM_TRY(key, NewInt(ts, step.index));
  } else {
    MVM_TRY(key, StrSlice(ts, it->text, step.begin, step.end));
  }
  Value items[] = {step.is_attribute ? ts.rt->true_ : ts.rt->false_, key};
  return NewTuple(ts, items);
}

Result<> iterator_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<FormatterIterator> NewIterator(ThreadState& ts, const TypeSpec& spec, StrObject* text,
                                      size_t pos) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  FormatterIterator* it = made.as<FormatterIterator>();
  it->text = Ref<StrObject>::Borrow(text).Release();
  it->pos = pos;
  return std::move(made).Into<FormatterIterator>();
}

const TypeSpec kFormatterIteratorType = {
    .name = "formatteriterator",
    .flags = kTypeNoNew,
    .size = sizeof(FormatterIterator),
    .gc = LeafHooksOf<FormatterIterator>(),
    .slots = {.iter = iterator_iter, .next = formatteriterator_next}};

}  // namespace

const TypeSpec kFieldNameIteratorType = {
    .name = "fieldnameiterator",
    .flags = kTypeNoNew,
    .size = sizeof(FormatterIterator),
    .gc = LeafHooksOf<FormatterIterator>(),
    .slots = {.iter = iterator_iter, .next = fieldnameiterator_next}};

Result<StrObject> StrFormat(ThreadState& ts, StrObject* text, TupleObject* args, Value kwargs) {
  StrBuilder out(ts);
  Formatter formatter(ts, text, args, kwargs);
  MVM_TRY_VOID(formatter.Run(0, text->length, 2, &out));
  return out.Finish();
}

Result<> FormatterParser(ThreadState& ts, StrObject* text) {
  return NewIterator(ts, kFormatterIteratorType, text, 0);
}

Result<> FormatterFieldNameSplit(ThreadState& ts, StrObject* name) {
  const size_t first_end = FirstPartEnd(name, 0, name->length);
  MVM_TRY(int64_t index, FieldNumber(ts, name, 0, first_end));
  Ref<> first;
  if (index >= 0) {
    MVM_TRY(first, NewInt(ts, index));
  } else {
    MVM_TRY(first, StrSlice(ts, name, 0, first_end));
  }
  MVM_TRY(Ref<FormatterIterator> rest, NewIterator(ts, kFieldNameIteratorType, name, first_end));
  Value items[] = {first, rest};
  return NewTuple(ts, items);
}

}  // namespace minivm
