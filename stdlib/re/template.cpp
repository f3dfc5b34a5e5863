// Replacement templates: the texts that sub() and expand() take.
#include <cstdarg>

#include "stdlib/re/re_types.h"

namespace minivm::regex {
namespace {

bool IsOctal(uint32_t c) { return c - '0' < 8; }
bool IsDigitChar(uint32_t c) { return c - '0' < 10; }

// \a \b \f \n \r \t \v \\; 0: none of them
uint32_t ControlOf(uint32_t c) {
  switch (c) {
    case 'a': return 7;
    case 'b': return 8;
    case 'f': return 12;
    case 'n': return 10;
    case 'r': return 13;
    case 't': return 9;
    case 'v': return 11;
    case '\\': return '\\';
    default: return 0;
  }
}

class TemplateParser {
 public:
  TemplateParser(ThreadState& ts, const PatternObject* pattern, Value repl, StrObject* source,
                 Template* out)
      : ts_(ts), pattern_(pattern), repl_(repl), source_(source), out_(*out), text_(ts) {}
  Status Parse();

 private:
  static constexpr uint32_t kEnd = 0xFFFFFFFFu;
  uint32_t Peek() const { return pos_ < source_->length ? source_->At(pos_) : kEnd; }
  Status AddChar(uint32_t c) { return text_.Append(static_cast<char32_t>(c)); }
  // The literal text since the last group becomes a piece.
  Status Flush() {
    if (text_.length() > flushed_ &&
        !out_.pieces.Push({Template::kLiteral, flushed_, text_.length()}))
      return RaiseMemoryError(ts_);
    flushed_ = text_.length();
    return Ok();
  }
  Status AddGroup(uint64_t group, size_t position) {
    if (group > pattern_->groups()) {
      return Error(position, "invalid group reference %llu",
                   static_cast<unsigned long long>(group));
    }
    MVM_TRY_VOID(Flush());
    if (!out_.pieces.Push({static_cast<uint32_t>(group), 0, 0})) return RaiseMemoryError(ts_);
    return Ok();
  }
  Status Named();
  Status Digits(size_t start, uint32_t c);
  Result<StrObject> Written(size_t start) const { return StrSlice(ts_, source_, start, pos_); }
  // A backslash that ends the template is an error as soon as it is the next token.
  bool AtLoneBackslash() const { return pos_ + 1 == source_->length && Peek() == '\\'; }
  [[gnu::cold]] Raised Error(size_t position, const char* format, ...) {
    if (AtLoneBackslash()) {
      position = pos_;
      format = "bad escape (end of pattern)";
    }
    va_list list;
    va_start(list, format);
    Result<StrObject> text = FormatV(ts_, format, list);
    va_end(list);
    if (text.raised()) return kRaised;
    const Ref<StrObject> message = text.Take();
    return RaisePatternError(ts_, message, repl_, static_cast<int64_t>(position));
  }

  ThreadState& ts_;
  const PatternObject* pattern_;
  Value repl_;
  StrObject* source_;
  Template& out_;
  StrBuilder text_;
  size_t pos_ = 0;
  size_t flushed_ = 0;  // characters of text_ that are in pieces
};

// After \g
Status TemplateParser::Named() {
  if (Peek() != '<') return Error(pos_, "missing <");
  const size_t start = ++pos_;
  while (Peek() != '>') {
    if (Peek() == kEnd) {
      return pos_ == start ? Error(pos_, "missing group name")
                           : Error(start, "missing >, unterminated name");
    }
    pos_ += Peek() == '\\' && pos_ + 1 < source_->length ? 2 : 1;
  }
  if (pos_ == start) return Error(start, "missing group name");
  MVM_TRY(Ref<StrObject> name, Written(start));
  ++pos_;
  bool digits = true;
  uint64_t number = 0;
  for (size_t i = 0; i < name->length; ++i) {
    const uint32_t c = name->At(i);
    digits = digits && IsDigitChar(c);
    if (digits && number < INT32_MAX) number = number * 10 + (c - '0');
  }
  if (digits) {
    if (number >= INT32_MAX / 2) return Error(start, "invalid group reference %U", Value(name));
    return AddGroup(number, start);
  }
  if (out_.bytes && !name->ascii())
    return Error(start, "bad character in group name %A", Value(name));
  if (!IsIdentifierText(name)) return Error(start, "bad character in group name %R", Value(name));
  MVM_TRY(Ref<> group, DictGet(ts_, pattern_->group_index, name));
  if (group.is_absent() && AtLoneBackslash()) return Error(pos_, "");
  if (group.is_absent()) return Raise(ts_, Exc::kIndexError, "unknown group name %R", Value(name));
  return AddGroup(static_cast<uint64_t>(group.get().as_int()), start);
}

// After a backslash and the digit c.
Status TemplateParser::Digits(size_t start, uint32_t c) {
  uint32_t value = c - '0';
  if (c == '0') {
    for (int i = 0; i < 2 && IsOctal(Peek()); ++i) value = value * 8 + (source_->At(pos_++) - '0');
    return AddChar(value & 0xFF);
  }
  if (IsDigitChar(Peek())) {
    const uint32_t d = source_->At(pos_++);
    if (IsOctal(c) && IsOctal(d) && IsOctal(Peek())) {
      value = (value * 8 + (d - '0')) * 8 + (source_->At(pos_++) - '0');
      if (value > 0377) {
        MVM_TRY(Ref<StrObject> text, Written(start));
        return Error(start, "octal escape value %U outside of range 0-0o377", Value(text));
      }
      return AddChar(value);
    }
    value = value * 10 + (d - '0');
  }
  return AddGroup(value, start + 1);
}

Status TemplateParser::Parse() {
  while (pos_ < source_->length) {
    MVM_TRY_VOID(Charge(ts_, 1));
    const size_t start = pos_;
    const uint32_t c = source_->At(pos_++);
    if (c != '\\') {
      MVM_TRY_VOID(AddChar(c));
      continue;
    }
    if (Peek() == kEnd) return Error(start, "bad escape (end of pattern)");
    const uint32_t second = source_->At(pos_++);
    if (second == 'g') {
      MVM_TRY_VOID(Named());
    } else if (IsDigitChar(second)) {
      MVM_TRY_VOID(Digits(start, second));
    } else if (const uint32_t control = ControlOf(second)) {
      MVM_TRY_VOID(AddChar(control));
    } else if ((second | 32) - 'a' < 26) {
      MVM_TRY(Ref<StrObject> text, Written(start));
      return Error(start, "bad escape %U", Value(text));
    } else {
      MVM_TRY_VOID(AddChar(c));
      MVM_TRY_VOID(AddChar(second));
    }
  }
  MVM_TRY_VOID(Flush());
  MVM_TRY(out_.text, text_.Finish());
  return Ok();
}

}  // namespace

Status ParseTemplate(ThreadState& ts, const PatternObject* pattern, Value repl, Template* out) {
  Ref<StrObject> source;
  if (IsStr(ts, repl)) {
    source = Ref<StrObject>::Borrow(repl.as<StrObject>());
  } else {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, repl, "decoding to str: need a bytes-like object, %T found"));
    out->bytes = true;
    MVM_TRY(source, NewStrFromUcs1(ts, view.data(), view.size()));
  }
  const size_t n = source->length;
  bool escapes = false;
  for (size_t i = 0; i < n && !escapes; ++i) escapes = source->At(i) == '\\';
  if (!escapes) {
    if (n && !out->pieces.Push({Template::kLiteral, 0, n})) return RaiseMemoryError(ts);
    out->text = std::move(source);
    return Ok();
  }
  TemplateParser parser(ts, pattern, repl, source, out);
  return parser.Parse();
}

}  // namespace minivm::regex
