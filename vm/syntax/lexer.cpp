// The lexer's main loop: lines, indentation, names and operators. Numbers are
// in lexer_number.cpp, strings and f-strings in lexer_string.cpp.
#include "vm/syntax/lexer.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"
#include "vm/syntax/char_class.h"
#include "vm/syntax/source_decode.h"

namespace minivm {
namespace {

// Keywords, found by a perfect hash of their (at most 8) bytes; the build fails on a collision.
struct KeywordSlot {
  uint64_t word = 0;
  Tok kind = Tok::kName;
};

constexpr uint64_t PackWord(std::string_view text) {
  uint64_t word = 0;
  for (size_t i = 0; i < text.size(); i++) {
    word |= static_cast<uint64_t>(static_cast<uint8_t>(text[i])) << (8 * i);
  }
  return word;
}

constexpr size_t KeywordHash(uint64_t word) { return (word * 0xb57c8e05e3c9b0e1u) >> 58; }

constexpr std::array<KeywordSlot, 64> kKeywordTable = [] {
  std::array<KeywordSlot, 64> table{};
  const auto add = [&table](std::string_view text, Tok kind) {
    KeywordSlot& slot = table[KeywordHash(PackWord(text))];
    if (slot.word != 0) throw "keyword hash collision";
    slot = {PackWord(text), kind};
  };
#define TOKEN(name, text)
#define OP(name, text)
#define KEYWORD(name, text) add(text, Tok::k##name);
#include "vm/syntax/token.def"
#undef TOKEN
#undef OP
#undef KEYWORD
  return table;
}();

Tok KeywordKind(const char* text, size_t size) {
  if (size > 8 || size < 2) return Tok::kName;
  const uint64_t word = PackWord({text, size});
  const KeywordSlot& slot = kKeywordTable[KeywordHash(word)];
  return slot.word == word ? slot.kind : Tok::kName;
}

}  // namespace

std::string_view TokText(Tok kind) {
  static constexpr std::string_view kTexts[] = {
#define TOKEN(name, text) text,
#define OP(name, text) text,
#define KEYWORD(name, text) text,
#include "vm/syntax/token.def"
#undef TOKEN
#undef OP
#undef KEYWORD
  };
  return kTexts[static_cast<size_t>(kind)];
}

SourceBuffer MakeSourceBuffer(Arena& arena, std::string_view source, ParseMode mode) {
  if (source.size() > UINT32_MAX - 16) throw std::bad_alloc();
  char* data = static_cast<char*>(arena.Allocate(source.size() + 2));
  char* out = data;
  if (std::memchr(source.data(), '\r', source.size()) == nullptr) {
    if (!source.empty()) std::memcpy(out, source.data(), source.size());
    out += source.size();
  } else {
    for (size_t i = 0; i < source.size(); i++) {
      char c = source[i];
      if (c == '\r') {
        if (i + 1 < source.size() && source[i + 1] == '\n') i++;
        c = '\n';
      }
      *out++ = c;
    }
  }
  if (mode == ParseMode::kExec && out != data && out[-1] != '\n') *out++ = '\n';
  *out = '\0';
  return {data, static_cast<uint32_t>(out - data)};
}

Lexer::Lexer(Arena& arena, NameTable& names, SourceBuffer source, const ParseOptions& options)
    : arena_(arena),
      names_(names),
      options_(options),
      source_(source.data),
      size_(source.size),
      p_(source.data),
      line_starts_(arena),
      joined_lines_(arena) {
  line_starts_.reserve(size_ / 32 + 4);
  line_starts_.push_back(0);
  line_starts_.push_back(0);
  SetCapacity(size_t{size_} / 4 + 16);
}

Lexer::~Lexer() {
  std::free(tokens_);
  arena_.Charge(-static_cast<ptrdiff_t>(capacity_ * sizeof(Token)));
}

void Lexer::SetCapacity(size_t capacity) {
  if (capacity > UINT32_MAX) throw std::bad_alloc();
  const auto more = static_cast<ptrdiff_t>((capacity - capacity_) * sizeof(Token));
  arena_.Charge(more);
  auto* grown = static_cast<Token*>(std::realloc(tokens_, capacity * sizeof(Token)));
  if (grown == nullptr) {
    arena_.Charge(-more);
    throw std::bad_alloc();
  }
  tokens_ = grown;
  capacity_ = static_cast<uint32_t>(capacity);
}

void Lexer::PushMarker(Tok kind) { Push(kind, p_, p_)->flags = Token::kNoPosition; }

void Lexer::NewLine(const char* p, bool joined) {
  if (p == source_ + size_) return;  // the end is not a line
  lineno_++;
  if (lineno_ % 4096 == 0) arena_.Poll();
  line_start_ = static_cast<uint32_t>(p - source_);
  line_starts_.push_back(line_start_);
  if (joined) joined_lines_.push_back(lineno_);
}

int64_t Lexer::CharsBefore(uint32_t from, const char* p) const {
  return CountChars(source_ + from, p);
}

bool Lexer::Fail(const char* p, std::string message) {
  const int64_t offset = CharsBefore(line_start_, p);
  return FailRange(p, offset, offset, std::move(message));
}

bool Lexer::FailRange(const char* p, int64_t offset, int64_t end_offset, std::string message) {
  error_.kind = LexError::Kind::kSyntax;
  error_.in_fstring = !fstrings_.empty();
  error_.message = std::move(message);
  error_.lineno = lineno_;
  error_.line_start = line_start_;
  error_.offset = offset;
  error_.end_offset = end_offset;
  error_.cursor = static_cast<uint32_t>(p - source_);
  p_ = p;
  PushMarker(Tok::kError);
  return false;
}

bool Lexer::FailKind(LexError::Kind kind, const char* p, bool at_eof) {
  error_.kind = kind;
  error_.in_fstring = !fstrings_.empty();
  error_.at_eof = at_eof;
  error_.lineno = lineno_;
  error_.line_start = line_start_;
  error_.cursor = static_cast<uint32_t>(p - source_);
  p_ = p;
  PushMarker(Tok::kError);
  return false;
}

void Lexer::Run() {
  for (;;) {
    if (!fstrings_.empty() && fstrings_.back().in_text) {
      if (!FStringText()) return;
      continue;
    }
    if (!LexLine()) return;
  }
}

// Reads the indentation of a line that begins at p_. *blank: the line has no token.
bool Lexer::Indentation(bool* blank) {
  uint32_t column = 0;
  uint32_t alt_column = 0;
  uint32_t continued_column = 0;
  const char* p = p_;
  for (;; p++) {
    if (*p == ' ') {
      column++, alt_column++;
    } else if (*p == '\t') {
      column = (column / 8 + 1) * 8;
      alt_column++;
    } else if (*p == '\f') {
      column = alt_column = 0;
    } else if (*p == '\\') {
      // An indentation may be split by a line continuation; the first part counts.
      if (continued_column == 0) continued_column = column;
      if (p[1] != '\n') {
        return FailKind(LexError::Kind::kAfterBackslash, p[1] == '\0' ? p + 1 : p + 2);
      }
      if (p + 2 == source_ + size_) return FailKind(LexError::Kind::kEof, p + 2, true);
      NewLine(p + 2, false);
      p++;
    } else {
      break;
    }
  }
  p_ = p;
  *blank = *p == '#' || *p == '\n';
  if (*blank || !brackets_.empty()) return true;
  if (continued_column != 0) column = alt_column = continued_column;
  const char* const line_end = [this, p] {
    const void* newline = std::memchr(p, '\n', static_cast<size_t>(source_ + size_ - p));
    return newline == nullptr ? source_ + size_ : static_cast<const char*>(newline) + 1;
  }();
  if (column == indents_[indent_]) {
    if (alt_column != alt_indents_[indent_]) return FailKind(LexError::Kind::kTabSpace, line_end);
  } else if (column > indents_[indent_]) {
    if (indent_ + 1 >= kMaxIndent) return FailKind(LexError::Kind::kTooDeep, line_end);
    if (alt_column <= alt_indents_[indent_]) {
      return FailKind(LexError::Kind::kTabSpace, line_end);
    }
    indent_++;
    indents_[indent_] = column;
    alt_indents_[indent_] = alt_column;
    PushMarker(Tok::kIndent);
  } else {
    int dedents = 0;
    while (indent_ > 0 && column < indents_[indent_]) indent_--, dedents++;
    if (column != indents_[indent_]) return FailKind(LexError::Kind::kBadDedent, line_end);
    if (alt_column != alt_indents_[indent_]) return FailKind(LexError::Kind::kTabSpace, line_end);
    for (; dedents > 0; dedents--) PushMarker(Tok::kDedent);
  }
  return true;
}

void Lexer::Comment(const char* start, const char* end, bool alone) {
  // "# type: X", with any blanks where the pattern has one.
  const char* p = start;
  for (const char* pattern = "# type: "; *pattern != '\0'; pattern++) {
    if (*pattern == ' ') {
      while (*p == ' ' || *p == '\t') p++;
    } else if (*p == *pattern) {
      p++;
    } else {
      return;
    }
  }
  const char* after = p + 6;
  if (end - p >= 6 && std::memcmp(p, "ignore", 6) == 0 &&
      (after == end || !(IsIdentByte(*after) && *after != '_'))) {
    if (alone && *end == '\n') end++;  // of a line of its own, the end belongs to it
    type_ignores_.push_back({lineno_, {after, static_cast<size_t>(end - after)}});
    return;
  }
  Push(Tok::kTypeComment, p, end);
}

// Lexes tokens up to the end of a line, or until f-string text begins.
bool Lexer::LexLine() {
  bool blank = false;
  if (at_line_start_) {
    at_line_start_ = false;
    if (!Indentation(&blank)) return false;
  }
  const char* comment = nullptr;
  for (;;) {
    const char* p = p_;
    while (HasClass(*p, kCharSpace)) p++;
    p_ = p;
    if (HasClass(*p, kCharIdentStart)) {
      if (!StringOrName(p)) return false;
      if (!fstrings_.empty() && fstrings_.back().in_text) return true;
      continue;
    }
    switch (*p) {
      case '#': {
        const void* newline = std::memchr(p, '\n', static_cast<size_t>(source_ + size_ - p));
        comment = p;
        p_ = newline == nullptr ? source_ + size_ : static_cast<const char*>(newline);
        if (options_.type_comments) {
          const uint32_t before = count_;
          Comment(p, p_, blank);
          if (count_ != before) blank = false;
        }
        continue;
      }
      case '\n':
        // A comment before it belongs to the token, as error ranges show.
        if (!blank && brackets_.empty()) Push(Tok::kNewline, comment == nullptr ? p : comment, p);
        p_ = p + 1;
        NewLine(p + 1, false);
        at_line_start_ = true;
        return true;
      case '\\':
        if (p[1] != '\n') {
          return FailKind(LexError::Kind::kAfterBackslash, p[1] == '\0' ? p + 1 : p + 2);
        }
        if (p + 2 == source_ + size_) return FailKind(LexError::Kind::kEof, p + 2, true);
        p_ = p + 2;
        NewLine(p_, true);
        continue;
      case '\0': return AtEnd();
      case '"':
      case '\'':
        if (!String(p, 0)) return false;
        continue;
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        if (!Number(p)) return false;
        continue;
      case '.':
        if (IsDigit(p[1])) {
          if (!Number(p)) return false;
          continue;
        }
        [[fallthrough]];
      default:
        if (!Operator()) return false;
        if (!fstrings_.empty() && fstrings_.back().in_text) return true;
        continue;
    }
  }
}

bool Lexer::AtEnd() {
  if (!brackets_.empty()) return FailKind(LexError::Kind::kEof, p_, true);
  if (options_.mode == ParseMode::kSingle && count_ > 0) {
    // An interactive statement ends with what was typed, newline or not.
    PushMarker(Tok::kNewline);
    if (indent_ > 0 && !options_.dont_imply_dedent) {
      for (; indent_ > 0; indent_--) PushMarker(Tok::kDedent);
      PushMarker(Tok::kNewline);
    }
  }
  if (size_ == 0) lineno_ = 0;
  PushMarker(Tok::kEndMarker);
  return false;
}

// Names, keywords and prefixed strings; p is at a letter.
bool Lexer::StringOrName(const char* p) {
  const char* const start = p;
  bool saw_b = false, saw_u = false, saw_r = false, saw_f = false;
  for (;; p++) {
    const char c = static_cast<char>(*p | 0x20);
    if (c == 'b' && !(saw_b || saw_u || saw_f)) {
      saw_b = true;
    } else if (c == 'u' && !(saw_b || saw_u || saw_r || saw_f)) {
      saw_u = true;
    } else if (c == 'r' && !(saw_r || saw_u)) {
      saw_r = true;
    } else if (c == 'f' && !(saw_f || saw_b || saw_u)) {
      saw_f = true;
    } else {
      break;
    }
    if (p[1] == '"' || p[1] == '\'') {
      const uint8_t flags =
          (saw_r ? Token::kRaw : 0) | (saw_b ? Token::kBytes : 0) | (saw_u ? Token::kUnicode : 0);
      return saw_f ? FStringBegin(p + 1, flags) : String(p + 1, flags);
    }
  }
  bool ascii = true;
  while (IsIdentByte(*p)) ascii &= static_cast<uint8_t>(*p++) < 0x80;
  if (!ascii) return NonAsciiName(p);
  const auto size = static_cast<size_t>(p - start);
  const Tok kind = KeywordKind(start, size);
  Token* token = Push(kind, start, p);
  if (kind == Tok::kName) token->ident = names_.Intern({start, size}, true);
  p_ = p;
  return true;
}

// A name with bytes from 0x80, from p_ to `end`: each character must be allowed where it stands,
// and the name is what NFKC makes of it.
bool Lexer::NonAsciiName(const char* end) {
  const char* const start = p_;
  if (options_.invalid_utf8) {
    const std::string invalid = DescribeInvalidUtf8({start, static_cast<size_t>(end - start)});
    if (!invalid.empty()) {
      error_.message = "(unicode error) " + invalid;
      return FailKind(LexError::Kind::kBadUtf8, end);
    }
  }
  for (const char* p = start; p < end;) {
    const char* const at = p;
    const char32_t c = NextUtf8(&p);
    if (at == start ? IsIdentifierStart(c) : IsIdentifierContinue(c)) continue;
    char code[16];
    std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(c));
    if (!IsPrintable(c)) return Fail(p, std::string("invalid non-printable character ") + code);
    return Fail(p, "invalid character '" + std::string(at, p) + "' (" + code + ")");
  }
  const std::string normal = NormalizeNfkc({start, static_cast<size_t>(end - start)});
  Push(Tok::kName, start, end)->ident = names_.Intern(normal);
  p_ = end;
  return true;
}

bool Lexer::Open(char bracket, Tok kind) {
  const char* const p = p_;
  if (brackets_.size() >= kMaxBrackets) return Fail(p + 1, "too many nested parentheses");
  brackets_.push_back({bracket, lineno_, static_cast<uint32_t>(p - source_) - line_start_});
  if (!fstrings_.empty()) fstrings_.back().depth++;
  Push(kind, p, p + 1);
  p_ = p + 1;
  return true;
}

bool Lexer::Close(char bracket, Tok kind) {
  const char* const p = p_;
  FString* const fstring = fstrings_.empty() ? nullptr : &fstrings_.back();
  const std::string quoted = std::string("'") + bracket + "'";
  if (fstring != nullptr && fstring->depth == 0 && bracket == '}') {
    return Fail(p + 1, "f-string: single '}' is not allowed");
  }
  if (brackets_.empty()) return Fail(p + 1, "unmatched " + quoted);
  const OpenBracket open = brackets_.back();
  const bool matches = (open.bracket == '(' && bracket == ')') ||
                       (open.bracket == '[' && bracket == ']') ||
                       (open.bracket == '{' && bracket == '}');
  brackets_.pop_back();
  if (!matches) {
    if (fstring != nullptr && open.bracket == '{' &&
        fstring->depth - 1 == fstring->expression_depth) {
      return Fail(p + 1, "f-string: unmatched " + quoted);
    }
    std::string message = "closing parenthesis " + quoted +
                          " does not match opening parenthesis '" + open.bracket + "'";
    if (open.lineno != lineno_) message += " on line " + std::to_string(open.lineno);
    return Fail(p + 1, std::move(message));
  }
  if (fstring != nullptr) {
    if (--fstring->depth < 0) return Fail(p + 1, "f-string: unmatched " + quoted);
    if (bracket == '}' && fstring->depth == fstring->expression_depth) {
      fstring->expression_depth--;
      fstring->in_text = true;
      fstring->in_spec = false;
    }
  }
  Push(kind, p, p + 1);
  p_ = p + 1;
  return true;
}

bool Lexer::Operator() {
  const char* const p = p_;
  const auto op = [this, p](Tok kind, int size) {
    Push(kind, p, p + size);
    p_ = p + size;
    return true;
  };
  // `x`, `x=`, `xx` and `xx=` for the operators that have all four.
  const auto family = [&](Tok one, Tok equal, Tok two, Tok two_equal) {
    if (p[1] == p[0]) return p[2] == '=' ? op(two_equal, 3) : op(two, 2);
    return p[1] == '=' ? op(equal, 2) : op(one, 1);
  };
  const auto simple = [&](Tok one, Tok equal) { return p[1] == '=' ? op(equal, 2) : op(one, 1); };
  switch (*p) {
    case '(': return Open('(', Tok::kLPar);
    case '[': return Open('[', Tok::kLSqb);
    case '{': return Open('{', Tok::kLBrace);
    case ')': return Close(')', Tok::kRPar);
    case ']': return Close(']', Tok::kRSqb);
    case '}': return Close('}', Tok::kRBrace);
    case ',': return op(Tok::kComma, 1);
    case ';': return op(Tok::kSemi, 1);
    case '~': return op(Tok::kTilde, 1);
    case ':':
      if (!fstrings_.empty()) {
        FString& fstring = fstrings_.back();
        if (fstring.expression_depth >= 0 && fstring.depth - 1 == fstring.expression_depth) {
          fstring.in_text = true;
          fstring.in_spec = true;
          return op(Tok::kColon, 1);
        }
      }
      return simple(Tok::kColon, Tok::kColonEqual);
    case '.': return p[1] == '.' && p[2] == '.' ? op(Tok::kEllipsis, 3) : op(Tok::kDot, 1);
    case '=': return simple(Tok::kEqual, Tok::kEqEqual);
    case '!': return simple(Tok::kExclamation, Tok::kNotEqual);
    case '+': return simple(Tok::kPlus, Tok::kPlusEqual);
    case '-': return p[1] == '>' ? op(Tok::kRArrow, 2) : simple(Tok::kMinus, Tok::kMinEqual);
    case '@': return simple(Tok::kAt, Tok::kAtEqual);
    case '%': return simple(Tok::kPercent, Tok::kPercentEqual);
    case '|': return simple(Tok::kVBar, Tok::kVBarEqual);
    case '&': return simple(Tok::kAmper, Tok::kAmperEqual);
    case '^': return simple(Tok::kCircumflex, Tok::kCircumflexEqual);
    case '*': return family(Tok::kStar, Tok::kStarEqual, Tok::kDoubleStar, Tok::kDoubleStarEqual);
    case '/':
      return family(Tok::kSlash, Tok::kSlashEqual, Tok::kDoubleSlash, Tok::kDoubleSlashEqual);
    case '<':
      if (p[1] == '>') return op(Tok::kNotEqual, 2);
      return family(Tok::kLess, Tok::kLessEqual, Tok::kLeftShift, Tok::kLeftShiftEqual);
    case '>':
      return family(Tok::kGreater, Tok::kGreaterEqual, Tok::kRightShift, Tok::kRightShiftEqual);
    case '$':
    case '?':
    case '`': return op(Tok::kUnknown, 1);
    default: {
      char message[48];
      std::snprintf(message, sizeof message, "invalid non-printable character U+%04X",
                    static_cast<unsigned>(static_cast<uint8_t>(*p)));
      return Fail(p + 1, message);
    }
  }
}

}  // namespace minivm
