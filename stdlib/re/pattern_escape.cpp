// Escapes and character classes of patterns.
#include "runtime/protocol/protocol.h"
#include "runtime/support/unicode.h"
#include "stdlib/re/pattern_parser.h"

namespace minivm::regex {
namespace {

bool IsOctal(uint32_t c) { return c - '0' < 8; }
bool IsDigitChar(uint32_t c) { return c - '0' < 10; }
bool IsAsciiLetter(uint32_t c) { return (c | 32) - 'a' < 26; }
int HexValue(uint32_t c) {
  if (c - '0' < 10) return static_cast<int>(c - '0');
  return (c | 32) - 'a' < 6 ? static_cast<int>((c | 32) - 'a' + 10) : -1;
}

uint8_t CategoryOfEscape(uint32_t c) {
  switch (c) {
    case 'd': return kDigit;
    case 'D': return kNotDigit;
    case 's': return kSpace;
    case 'S': return kNotSpace;
    case 'w': return kWord;
    case 'W': return kNotWord;
    default: return 0;
  }
}

// \a \f \n \r \t \v \\; 0: none of them
uint32_t ControlOf(uint32_t c) {
  switch (c) {
    case 'a': return 7;
    case 'f': return 12;
    case 'n': return 10;
    case 'r': return 13;
    case 't': return 9;
    case 'v': return 11;
    case '\\': return '\\';
    default: return 0;
  }
}

}  // namespace

// The escape as it is written up to where the parser has come.
Raised PatternParser::BadEscape(const Token& t) {
  MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
  return Error(t.start, "bad escape %U", Value(text));
}

Result<uint32_t> PatternParser::HexEscape(const Token& t, size_t digits) {
  uint64_t value = 0;
  size_t n = 0;
  for (; n < digits && HexValue(Peek()) >= 0; ++n) {
    value = value << 4 | static_cast<uint32_t>(HexValue(source_.At(pos_++)));
  }
  if (n != digits) {
    MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
    return Error(t.start, "incomplete escape %U", Value(text));
  }
  if (value > 0x10FFFF) return BadEscape(t);
  return static_cast<uint32_t>(value);
}

Result<uint32_t> PatternParser::NamedEscape(const Token& t) {
  if (!Match('{')) return Error(pos_, "missing {");
  MVM_TRY(Ref<StrObject> name, Until('}', "character name"));
  char32_t c = 0;
  if (!CharacterFromName(ToUtf8(name), &c)) {
    return Error(t.start, "undefined character name %R", Value(name));
  }
  return static_cast<uint32_t>(c);
}

// What escapes mean alike inside and outside of classes: \x \u \U \N.
Result<bool> PatternParser::CommonEscape(const Token& t, Escape* out) {
  const uint32_t c = t.second;
  const uint32_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if ((digits == 0 && c != 'N') || (source_.bytes && c != 'x')) return false;
  out->kind = Escape::kChar;
  if (c == 'N') {
    MVM_TRY(out->value, NamedEscape(t));
  } else {
    MVM_TRY(out->value, HexEscape(t, digits));
  }
  return true;
}

Result<bool> PatternParser::ClassEscape(const Token& t, Escape* out) {
  const uint32_t c = t.second;
  if (const uint32_t control = c == 'b' ? 8 : ControlOf(c)) {
    *out = {Escape::kChar, control};
    return true;
  }
  if (const uint8_t category = CategoryOfEscape(c)) {
    *out = {Escape::kCategory, category};
    return true;
  }
  MVM_TRY(bool common, CommonEscape(t, out));
  if (common) return true;
  if (IsOctal(c)) {
    uint32_t value = c - '0';
    for (int i = 0; i < 2 && IsOctal(Peek()); ++i) value = value * 8 + (source_.At(pos_++) - '0');
    if (value > 0377) {
      MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
      return Error(t.start, "octal escape value %U outside of range 0-0o377", Value(text));
    }
    *out = {Escape::kChar, value};
    return true;
  }
  if (IsDigitChar(c) || IsAsciiLetter(c)) return BadEscape(t);
  *out = {Escape::kChar, c};
  return true;
}

Status PatternParser::ParseEscape(Sequence* seq, const Token& t, uint32_t flags) {
  const uint32_t c = t.second;
  switch (c) {
    case 'A': return AddAt(seq, At::kBegin, flags);
    case 'Z': return AddAt(seq, At::kEndString, flags);
    case 'b': return AddAt(seq, At::kBoundary, flags);
    case 'B': return AddAt(seq, At::kNotBoundary, flags);
    default: break;
  }
  if (const uint8_t category = CategoryOfEscape(c)) {
    SetSpec spec;
    spec.categories = category;
    return AddSet(seq, spec, flags & ~kFlagIgnoreCase);
  }
  if (const uint32_t control = ControlOf(c)) return AddChar(seq, control, flags);
  Escape common;
  MVM_TRY(bool is_common, CommonEscape(t, &common));
  if (is_common) return AddChar(seq, common.value, flags);
  if (c == '0') {
    uint32_t value = 0;
    for (int i = 0; i < 2 && IsOctal(Peek()); ++i) value = value * 8 + (source_.At(pos_++) - '0');
    return AddChar(seq, value, flags);
  }
  if (IsDigitChar(c)) {
    // Three octal digits are a character, one or two decimal digits a group.
    uint32_t group = c - '0';
    if (IsDigitChar(Peek())) {
      const uint32_t d = source_.At(pos_++);
      if (IsOctal(c) && IsOctal(d) && IsOctal(Peek())) {
        const uint32_t value = (c - '0') * 64 + (d - '0') * 8 + (source_.At(pos_++) - '0');
        if (value > 0377) {
          MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
          return Error(t.start, "octal escape value %U outside of range 0-0o377", Value(text));
        }
        return AddChar(seq, value, flags);
      }
      group = group * 10 + (d - '0');
    }
    group += first_group_;
    if (group >= tree_.groups.size()) {
      return Error(t.start + 1, "invalid group reference %u", group - first_group_);
    }
    if (!Closed(group)) return Error(t.start, "cannot refer to an open group");
    MVM_TRY_VOID(CheckLookbehindGroup(group));
    return AddReference(seq, group, flags);
  }
  if (IsAsciiLetter(c)) return BadEscape(t);
  return AddChar(seq, c, flags);
}

// ---- classes ----

Result<bool> PatternParser::SetItem(const Token& t, Escape* out) {
  if (t.c == '\\') return ClassEscape(t, out);
  *out = {Escape::kChar, t.c};
  return true;
}

Status PatternParser::WarnSet(const char* what, size_t position) {
  // Attributed to whoever calls the function of re.
  return Warn(ts_, Exc::kFutureWarning, 2, "Possible %s at position %zu", what, position);
}

Raised PatternParser::BadRange(const Token& low, const Token& high) {
  MVM_TRY(Ref<StrObject> a, Text(low.start, low.start + low.size()));
  MVM_TRY(Ref<StrObject> b, Text(high.start, high.start + high.size()));
  return Error(pos_ - low.size() - 1 - high.size(), "bad character range %U-%U", Value(a),
               Value(b));
}

// After "[".
Status PatternParser::ParseSet(Sequence* seq, size_t start, uint32_t flags) {
  constexpr const char* kUnterminated = "unterminated character set";
  SetSpec spec;
  spec.range_start = static_cast<uint32_t>(tree_.ranges.size());
  if (Peek() == '[') MVM_TRY_VOID(WarnSet("nested set", pos_));
  spec.negate = Match('^');
  const auto add = [&](const Escape& e) -> Status {
    if (e.kind == Escape::kCategory) {
      spec.categories |= static_cast<uint8_t>(e.value);
    } else if (!tree_.ranges.Push({e.value, e.value})) {
      return RaiseMemoryError(ts_);
    }
    return Ok();
  };
  for (bool any = false;; any = true) {
    MVM_TRY_VOID(Charge(ts_, 2));
    Token t;
    MVM_TRY(bool more, Next(&t));
    if (!more) return Error(start, kUnterminated);
    if (t.c == ']' && any) break;
    if (any && t.c == Peek()) {
      const char* what = t.c == '-'   ? "set difference"
                         : t.c == '&' ? "set intersection"
                         : t.c == '~' ? "set symmetric difference"
                         : t.c == '|' ? "set union"
                                      : nullptr;
      if (what) MVM_TRY_VOID(WarnSet(what, t.start));
    }
    Escape low;
    MVM_TRY_VOID(SetItem(t, &low));
    if (!Match('-')) {
      MVM_TRY_VOID(add(low));
      continue;
    }
    Token end;
    MVM_TRY(more, Next(&end));
    if (!more) return Error(start, kUnterminated);
    if (end.c == ']') {
      MVM_TRY_VOID(add(low));
      MVM_TRY_VOID(add({Escape::kChar, '-'}));
      break;
    }
    if (end.c == '-') MVM_TRY_VOID(WarnSet("set difference", end.start - 1));
    Escape high;
    MVM_TRY_VOID(SetItem(end, &high));
    if (low.kind != Escape::kChar || high.kind != Escape::kChar || high.value < low.value)
      return BadRange(t, end);
    if (!tree_.ranges.Push({low.value, high.value})) return RaiseMemoryError(ts_);
  }
  spec.range_count = static_cast<uint32_t>(tree_.ranges.size() - spec.range_start);
  // A class of one character is that character.
  if (!spec.negate && spec.categories == 0 && spec.range_count == 1) {
    const CharRange r = tree_.ranges[spec.range_start];
    if (r.first == r.last) {
      tree_.ranges.Truncate(spec.range_start);
      return AddChar(seq, r.first, flags);
    }
  }
  return AddSet(seq, spec, flags);
}

}  // namespace minivm::regex
