// The pattern parser: recursive descent, from text to PatternTree.
//
// Recursion follows the nesting of groups and is guarded. Groups are in pattern_group.cpp,
// escapes and classes in pattern_escape.cpp. Messages and positions are those of CPython's re.
#include "stdlib/re/pattern_parser.h"

#include <algorithm>
#include <cstdarg>

#include "runtime/objects/dict_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/unicode.h"

namespace minivm::regex {
namespace {

uint64_t AddWidth(uint64_t a, uint64_t b) { return a > kMaxWidth - b ? kMaxWidth : a + b; }
uint64_t MultiplyWidth(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_mul_overflow(a, b, &r) ? kMaxWidth : r;
}

bool IsPatternSpace(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigitChar(uint32_t c) { return c - '0' < 10; }

// A message that quotes bytes: those beyond ASCII as \xhh.
Result<StrObject> EscapeLatin1(ThreadState& ts, const StrObject* s) {
  StrBuilder out(ts);
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (c < 0x80) {
      MVM_TRY_VOID(out.Append(c));
      continue;
    }
    constexpr const char* kDigits = "0123456789abcdef";
    const char text[] = {'\\', 'x', kDigits[c >> 4 & 15], kDigits[c & 15]};
    MVM_TRY_VOID(out.AppendAscii({text, sizeof text}));
  }
  return out.Finish();
}

// Number 0 of nodes and of groups stands for none.
Status StartTree(ThreadState& ts, PatternTree* tree) {
  if (!tree->nodes.Push(Node()) || !tree->groups.Push(GroupInfo())) return RaiseMemoryError(ts);
  return Ok();
}

}  // namespace

bool IsIdentifierText(const StrObject* s) {
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (i == 0 ? c != '_' && !IsIdentifierStart(c) : !IsIdentifierContinue(c)) return false;
  }
  return s->length > 0;
}

Raised RaisePatternError(ThreadState& ts, StrObject* message, Value pattern, int64_t position) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "re"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "PatternError"));
  Ref<> error;
  if (position < 0) {
    MVM_TRY(error, Call(ts, type, message));
  } else {
    MVM_TRY(error, Call(ts, type, message, pattern, Value::Int(position)));
  }
  return RaiseObject(ts, error);
}

Raised PatternParser::Error(size_t position, const char* format, ...) {
  // A backslash that ends the pattern is an error as soon as it is the next token.
  if (pos_ + 1 == source_.size && source_.At(pos_) == '\\') {
    position = pos_;
    format = "bad escape (end of pattern)";
  }
  va_list list;
  va_start(list, format);
  Result<StrObject> text = FormatV(ts_, format, list);
  va_end(list);
  if (text.raised()) return kRaised;
  Ref<StrObject> message = text.Take();
  if (source_.bytes && !message->ascii()) {
    MVM_TRY(message, EscapeLatin1(ts_, message));
  }
  return RaisePatternError(ts_, message, source_.object, static_cast<int64_t>(position));
}

uint8_t PatternParser::Mode(uint32_t flags) const {
  const uint8_t kind = flags & kFlagLocale                       ? kModeLocale
                       : !source_.bytes && !(flags & kFlagAscii) ? kModeUnicode
                                                                 : kModeAscii;
  return static_cast<uint8_t>(kind | (flags & kFlagIgnoreCase ? kModeIgnoreCase : 0));
}

// ---- text ----

Result<bool> PatternParser::Next(Token* t) {
  *t = Token();
  t->start = pos_;
  if (AtEnd()) return false;
  t->c = source_.At(pos_++);
  if (t->c == '\\') {
    if (AtEnd()) return Error(t->start, "bad escape (end of pattern)");
    t->second = source_.At(pos_++);
  }
  return true;
}

Result<StrObject> PatternParser::Text(size_t start, size_t end) {
  switch (source_.width) {
    case 1:
      return NewStrFromUcs1(ts_, static_cast<const uint8_t*>(source_.data) + start, end - start);
    case 2:
      return NewStrFromUcs2(ts_, static_cast<const uint16_t*>(source_.data) + start, end - start);
    default:
      return NewStrFromUcs4(ts_, static_cast<const uint32_t*>(source_.data) + start, end - start);
  }
}

Result<StrObject> PatternParser::Until(uint32_t terminator, const char* what) {
  const size_t start = pos_;
  for (;;) {
    Token t;
    MVM_TRY(bool more, Next(&t));
    if (!more) {
      if (pos_ == start) return Error(pos_, "missing %s", what);
      return Error(start, "missing %c, unterminated name", static_cast<int>(terminator));
    }
    if (t.c != terminator) continue;
    if (t.start == start) return Error(start, "missing %s", what);
    return Text(start, t.start);
  }
}

Status PatternParser::CheckGroupName(StrObject* name, size_t after) {
  const size_t position = pos_ - after - name->length;
  if (source_.bytes && !name->ascii()) {
    return Error(position, "bad character in group name %A", Value(name));
  }
  if (!IsIdentifierText(name)) {
    return Error(position, "bad character in group name %R", Value(name));
  }
  return Ok();
}

Result<uint32_t> PatternParser::GroupNamed(StrObject* name) {
  MVM_TRY(Ref<> number, DictGet(ts_, names_, name));
  return number.is_absent() ? 0 : static_cast<uint32_t>(number.get().as_int());
}

Status PatternParser::CheckLookbehindGroup(uint32_t group) {
  if (lookbehind_groups_ == 0) return Ok();
  if (!Closed(group)) return Error(pos_, "cannot refer to an open group");
  if (group >= lookbehind_groups_) {
    return Error(pos_, "cannot refer to group defined in the same lookbehind subpattern");
  }
  return Ok();
}

// ---- building ----

Result<uint32_t> PatternParser::NewNode(NodeKind kind, uint64_t min_width, uint64_t max_width) {
  Node made;
  made.kind = kind;
  made.min_width = min_width;
  made.max_width = max_width;
  if (tree_.nodes.size() >= UINT32_MAX || !tree_.nodes.Push(made)) return RaiseMemoryError(ts_);
  return static_cast<uint32_t>(tree_.nodes.size() - 1);
}

Status PatternParser::Add(Sequence* seq, uint32_t n) {
  if (seq->last) {
    node(seq->last).next = n;
  } else {
    seq->first = n;
  }
  seq->before_last = seq->last;
  seq->last = n;
  ++seq->count;
  return Ok();
}

Status PatternParser::AddChar(Sequence* seq, uint32_t c, uint32_t flags) {
  const uint8_t mode = Mode(flags);
  if ((mode & kModeIgnoreCase) && HasCase(c, mode)) {
    SetSpec spec;
    spec.range_start = static_cast<uint32_t>(tree_.ranges.size());
    spec.range_count = 1;
    if (!tree_.ranges.Push({c, c})) return RaiseMemoryError(ts_);
    return AddSet(seq, spec, flags);
  }
  if (!tree_.literals.Push(c)) return RaiseMemoryError(ts_);
  const uint32_t at = static_cast<uint32_t>(tree_.literals.size() - 1);
  if (seq->last && node(seq->last).kind == NodeKind::kString) {
    Node& last = node(seq->last);
    if (last.a + last.b == at) {
      ++last.b;
      ++last.min_width;
      ++last.max_width;
      return Ok();
    }
  }
  MVM_TRY(uint32_t n, NewNode(NodeKind::kString, 1, 1));
  node(n).a = at;
  node(n).b = 1;
  return Add(seq, n);
}

Status PatternParser::AddSet(Sequence* seq, const SetSpec& spec, uint32_t flags) {
  SetSpec set = spec;
  set.mode = Mode(flags);
  if (!tree_.sets.Push(set)) return RaiseMemoryError(ts_);
  MVM_TRY(uint32_t n, NewNode(NodeKind::kSet, 1, 1));
  node(n).a = static_cast<uint32_t>(tree_.sets.size() - 1);
  return Add(seq, n);
}

Status PatternParser::AddAt(Sequence* seq, At at, uint32_t flags) {
  MVM_TRY(uint32_t n, NewNode(NodeKind::kAt, 0, 0));
  node(n).a = static_cast<uint32_t>(at);
  node(n).mode = Mode(flags);
  return Add(seq, n);
}

Status PatternParser::AddReference(Sequence* seq, uint32_t group, uint32_t flags) {
  const GroupInfo& info = tree_.groups[group];
  MVM_TRY(uint32_t n, NewNode(NodeKind::kBackref, info.min_width, info.max_width));
  node(n).a = group;
  node(n).mode = Mode(flags);
  tree_.has_references = true;
  return Add(seq, n);
}

Result<uint32_t> PatternParser::FinishSequence(const Sequence& seq) {
  if (seq.count == 0) return NewNode(NodeKind::kEmpty, 0, 0);
  if (seq.count == 1) return seq.first;
  uint64_t min_width = 0, max_width = 0;
  for (uint32_t i = seq.first; i; i = node(i).next) {
    min_width = AddWidth(min_width, node(i).min_width);
    max_width = AddWidth(max_width, node(i).max_width);
  }
  MVM_TRY(uint32_t n, NewNode(NodeKind::kConcat, min_width, max_width));
  node(n).child = seq.first;
  return n;
}

// ---- the grammar ----

Status PatternParser::CheckFlags() {
  if (source_.bytes) {
    if (flags_ & kFlagUnicode)
      return Raise(ts_, Exc::kValueError, "cannot use UNICODE flag with a bytes pattern");
    if ((flags_ & kFlagLocale) && (flags_ & kFlagAscii))
      return Raise(ts_, Exc::kValueError, "ASCII and LOCALE flags are incompatible");
    return Ok();
  }
  if (flags_ & kFlagLocale)
    return Raise(ts_, Exc::kValueError, "cannot use LOCALE flag with a str pattern");
  if ((flags_ & kFlagAscii) && (flags_ & kFlagUnicode))
    return Raise(ts_, Exc::kValueError, "ASCII and UNICODE flags are incompatible");
  if (!(flags_ & kFlagAscii)) flags_ |= kFlagUnicode;
  return Ok();
}

Result<uint32_t> PatternParser::ParsePart() {
  first_group_ = static_cast<uint32_t>(tree_.groups.size()) - 1;
  MVM_TRY(uint32_t part, ParseAlternatives(flags_, 0));
  MVM_TRY_VOID(CheckFlags());
  tree_.flags = flags_;
  if (!AtEnd()) return Error(pos_, "unbalanced parenthesis");
  for (const PendingGroup& p : pending_) {
    if (p.group >= tree_.groups.size())
      return Error(p.position, "invalid group reference %u", p.group - first_group_);
  }
  return part;
}

Status PatternParser::Parse() {
  MVM_TRY_VOID(StartTree(ts_, &tree_));
  MVM_TRY(tree_.root, ParsePart());
  return Ok();
}

Result<uint32_t> PatternParser::ParseAlternatives(uint32_t flags, int nested) {
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  MVM_TRY(uint32_t first, ParseSequence(&flags, nested, nested == 0));
  if (Peek() != '|') return first;
  uint64_t min_width = node(first).min_width, max_width = node(first).max_width;
  // Each alternative becomes a child, so a sequence of one item may not bring siblings along.
  uint32_t last = first;
  while (Match('|')) {
    MVM_TRY(uint32_t n, ParseSequence(&flags, nested, false));
    node(last).next = n;
    last = n;
    min_width = std::min(min_width, node(n).min_width);
    max_width = std::max(max_width, node(n).max_width);
    MVM_TRY_VOID(Charge(ts_, 1));
  }
  MVM_TRY(uint32_t made, NewNode(NodeKind::kAlternate, min_width, max_width));
  node(made).child = first;
  return made;
}

Result<uint32_t> PatternParser::ParseSequence(uint32_t* flags, int nested, bool first) {
  Sequence seq;
  for (;;) {
    MVM_TRY_VOID(Charge(ts_, 2));
    const uint32_t peeked = Peek();
    if (peeked == kEnd || peeked == '|' || peeked == ')') break;
    Token t;
    MVM_TRY_VOID(Next(&t));
    if (*flags & kFlagVerbose) {
      if (IsPatternSpace(t.c)) continue;
      if (t.c == '#') {
        do {
          MVM_TRY_VOID(Next(&t));
        } while (t.c != kEnd && t.c != '\n');
        continue;
      }
    }
    switch (t.c) {
      case '\\': MVM_TRY_VOID(ParseEscape(&seq, t, *flags)); break;
      case '[': MVM_TRY_VOID(ParseSet(&seq, t.start, *flags)); break;
      case '*':
      case '+':
      case '?':
      case '{': {
        if (t.c == '{' && Peek() == '}') {
          MVM_TRY_VOID(AddChar(&seq, t.c, *flags));
          break;
        }
        const size_t after = pos_;
        const uint32_t count = seq.count;
        MVM_TRY_VOID(ParseRepeat(&seq, t.start, t.c));
        if (t.c == '{' && pos_ == after && seq.count == count)
          MVM_TRY_VOID(AddChar(&seq, t.c, *flags));
        break;
      }
      case '.': {
        MVM_TRY(uint32_t n, NewNode(*flags & kFlagDotAll ? NodeKind::kAll : NodeKind::kAny, 1, 1));
        MVM_TRY_VOID(Add(&seq, n));
        break;
      }
      case '(':
        MVM_TRY_VOID(ParseGroup(&seq, t.start, flags, nested, first && seq.count == 0));
        break;
      case '^':
        MVM_TRY_VOID(AddAt(&seq, *flags & kFlagMultiline ? At::kBeginLine : At::kBegin, *flags));
        break;
      case '$':
        MVM_TRY_VOID(AddAt(&seq, *flags & kFlagMultiline ? At::kEndLine : At::kEnd, *flags));
        break;
      default: MVM_TRY_VOID(AddChar(&seq, t.c, *flags)); break;
    }
  }
  return FinishSequence(seq);
}

// The number written in [first, last); kMaxRepeat for none.
Result<uint32_t> PatternParser::ParseNumber(size_t first, size_t last) {
  uint64_t n = 0;
  for (size_t i = first; i < last; ++i) {
    n = n * 10 + (source_.At(i) - '0');
    if (n < kMaxRepeat) continue;
    if (pos_ + 1 == source_.size && source_.At(pos_) == '\\') return Error(pos_, "");
    return Raise(ts_, Exc::kOverflowError, "the repetition number is too large");
  }
  return static_cast<uint32_t>(n);
}

// A repeat of the last item; leaves everything as it was if `{` starts none.
Status PatternParser::ParseRepeat(Sequence* seq, size_t start, uint32_t c) {
  uint32_t min = 0, max = kMaxRepeat;
  if (c == '?') {
    max = 1;
  } else if (c == '+') {
    min = 1;
  } else if (c == '{') {
    const size_t here = pos_;
    size_t low = pos_;
    while (IsDigitChar(Peek())) ++pos_;
    const size_t low_end = pos_;
    size_t high = low, high_end = low_end;
    if (Match(',')) {
      high = pos_;
      while (IsDigitChar(Peek())) ++pos_;
      high_end = pos_;
    }
    if (!Match('}')) {
      pos_ = here;
      return Ok();
    }
    if (low_end > low) {
      MVM_TRY(min, ParseNumber(low, low_end));
    }
    if (high_end > high) {
      MVM_TRY(max, ParseNumber(high, high_end));
      if (max < min) return Error(here, "min repeat greater than max repeat");
    }
  }
  if (!seq->last || node(seq->last).kind == NodeKind::kAt) return Error(start, "nothing to repeat");
  uint32_t item = seq->last;
  if (node(item).kind == NodeKind::kRepeat) return Error(start, "multiple repeat");
  Style style = Style::kGreedy;
  if (Match('?')) {
    style = Style::kLazy;
  } else if (Match('+')) {
    style = Style::kPossessive;
  }
  // Of a run of plain characters only the last one is repeated.
  if (node(item).kind == NodeKind::kString && node(item).b > 1) {
    Node& run = node(item);
    --run.b;
    --run.min_width;
    --run.max_width;
    const uint32_t at = run.a + run.b;
    MVM_TRY(item, NewNode(NodeKind::kString, 1, 1));
    node(item).a = at;
    node(item).b = 1;
    MVM_TRY_VOID(Add(seq, item));
  }
  const uint64_t min_width = MultiplyWidth(node(item).min_width, min);
  const uint64_t item_max = node(item).max_width;
  const uint64_t max_width =
      max == kMaxRepeat ? (item_max == 0 ? 0 : kMaxWidth) : MultiplyWidth(item_max, max);
  MVM_TRY(uint32_t n, NewNode(NodeKind::kRepeat, min_width, max_width));
  Node& made = node(n);
  made.child = item;
  made.a = min;
  made.b = max;
  made.style = style;
  // The repeat takes the item's place.
  if (seq->before_last) {
    node(seq->before_last).next = n;
  } else {
    seq->first = n;
  }
  node(item).next = 0;
  seq->last = n;
  return Ok();
}

Status ParsePattern(ThreadState& ts, const PatternSource& source, uint32_t flags, PatternTree* tree,
                    DictObject* group_names) {
  PatternParser parser(ts, source, flags, tree, group_names);
  return parser.Parse();
}

Status ParseLexicon(ThreadState& ts, std::span<const PatternSource> sources, uint32_t flags,
                    PatternTree* tree, HeapArray<uint32_t>* groups) {
  MVM_TRY_VOID(StartTree(ts, tree));
  uint32_t last = 0;
  Node all;
  all.kind = NodeKind::kAlternate;
  all.min_width = kMaxWidth;
  for (const PatternSource& source : sources) {
    const uint32_t group = static_cast<uint32_t>(tree->groups.size());
    if (!tree->groups.Push(GroupInfo()) || !groups->Push(group)) return RaiseMemoryError(ts);
    MVM_TRY(Ref<DictObject> group_names, NewDict(ts));
    PatternParser parser(ts, source, flags, tree, group_names);
    MVM_TRY(uint32_t part, parser.ParsePart());
    Node capture = tree->nodes[part];
    capture.kind = NodeKind::kCapture;
    capture.child = part;
    capture.a = group;
    capture.next = 0;
    if (!tree->nodes.Push(capture)) return RaiseMemoryError(ts);
    tree->groups[group] = {capture.min_width, capture.max_width, true};
    const uint32_t made = static_cast<uint32_t>(tree->nodes.size() - 1);
    (last ? tree->nodes[last].next : all.child) = made;
    last = made;
    all.min_width = std::min(all.min_width, capture.min_width);
    all.max_width = std::max(all.max_width, capture.max_width);
  }
  if (!last) all = Node{.kind = NodeKind::kFail};
  if (!tree->nodes.Push(all)) return RaiseMemoryError(ts);
  tree->root = static_cast<uint32_t>(tree->nodes.size() - 1);
  return Ok();
}

}  // namespace minivm::regex
