// What a parenthesis can start: groups, flags, references, assertions, conditionals, comments.
#include <algorithm>

#include "runtime/objects/dict_object.h"
#include "runtime/support/unicode.h"
#include "stdlib/re/pattern_parser.h"

namespace minivm::regex {
namespace {

constexpr const char* kUnterminated = "missing ), unterminated subpattern";

uint32_t FlagOf(uint32_t c) {
  switch (c) {
    case 'i': return kFlagIgnoreCase;
    case 'L': return kFlagLocale;
    case 'm': return kFlagMultiline;
    case 's': return kFlagDotAll;
    case 'x': return kFlagVerbose;
    case 'a': return kFlagAscii;
    case 'u': return kFlagUnicode;
    default: return 0;
  }
}

bool IsDigitChar(uint32_t c) { return c - '0' < 10; }

}  // namespace

Status PatternParser::SkipComment(size_t start) {
  for (;;) {
    Token t;
    MVM_TRY(bool more, Next(&t));
    if (!more) return Error(start, "missing ), unterminated comment");
    if (t.c == ')') return Ok();
  }
}

// After "(": everything that a parenthesis can start.
Status PatternParser::ParseGroup(Sequence* seq, size_t start, uint32_t* flags, int nested,
                                 bool first) {
  if (!Match('?')) return ParseBody(seq, start, *flags, nested, true, false, nullptr);
  Token t;
  MVM_TRY(bool more, Next(&t));
  if (!more) return Error(pos_, "unexpected end of pattern");
  switch (t.c) {
    case 'P': {
      MVM_TRY(more, Next(&t));
      if (!more) return Error(pos_, "unexpected end of pattern");
      if (t.c == '<') {
        MVM_TRY(Ref<StrObject> name, Until('>', "group name"));
        MVM_TRY_VOID(CheckGroupName(name, 1));
        return ParseBody(seq, start, *flags, nested, true, false, name);
      }
      if (t.c == '=') return ParseNamedReference(seq, *flags);
      MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
      return Error(start + 1, "unknown extension ?P%U", Value(text));
    }
    case ':': return ParseBody(seq, start, *flags, nested, false, false, nullptr);
    case '#': return SkipComment(start);
    case '=':
    case '!': --pos_; return ParseLook(seq, start, false, *flags, nested);
    case '<': {
      MVM_TRY(more, Next(&t));
      if (!more) return Error(pos_, "unexpected end of pattern");
      if (t.c == '=' || t.c == '!') {
        --pos_;
        return ParseLook(seq, start, true, *flags, nested);
      }
      MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
      return Error(start + 1, "unknown extension ?<%U", Value(text));
    }
    case '(': return ParseConditional(seq, start, *flags, nested);
    case '>': return ParseBody(seq, start, *flags, nested, false, true, nullptr);
    default: break;
  }
  if (t.c != '-' && FlagOf(t.c) == 0) {
    MVM_TRY(Ref<StrObject> text, Text(t.start, pos_));
    return Error(start + 1, "unknown extension ?%U", Value(text));
  }
  uint32_t add = 0, remove = 0;
  bool global = false;
  MVM_TRY_VOID(ParseFlags(t.c, &add, &remove, &global));
  if (global) {
    if (!first) return Error(start, "global flags not at the start of the expression");
    flags_ |= add;
    *flags = flags_;
    return Ok();
  }
  uint32_t inner = *flags;
  if (add & kTypeFlags) inner &= ~kTypeFlags;
  inner = (inner | add) & ~remove;
  return ParseBody(seq, start, inner, nested, false, false, nullptr);
}

Status PatternParser::ParseFlags(uint32_t c, uint32_t* add, uint32_t* remove, bool* global) {
  Token t;
  const auto next_flag = [&](const char* otherwise) -> Status {
    MVM_TRY(bool more, Next(&t));
    if (!more) return Error(pos_, "%s", otherwise);
    return Ok();
  };
  const auto bad = [&](const char* otherwise) -> Raised {
    return Error(t.start, "%s", t.c != '\\' && IsAlpha(t.c) ? "unknown flag" : otherwise);
  };
  if (c != '-') {
    for (;;) {
      const uint32_t flag = FlagOf(c);
      if (!source_.bytes && flag == kFlagLocale)
        return Error(pos_, "bad inline flags: cannot use 'L' flag with a str pattern");
      if (source_.bytes && flag == kFlagUnicode)
        return Error(pos_, "bad inline flags: cannot use 'u' flag with a bytes pattern");
      *add |= flag;
      if ((flag & kTypeFlags) && (*add & kTypeFlags) != flag)
        return Error(pos_, "bad inline flags: flags 'a', 'u' and 'L' are incompatible");
      MVM_TRY_VOID(next_flag("missing -, : or )"));
      if (t.c == ')' || t.c == '-' || t.c == ':') break;
      if (FlagOf(t.c) == 0) return bad("missing -, : or )");
      c = t.c;
    }
    c = t.c;
  }
  if (c == ')') {
    *global = true;
    return Ok();
  }
  if (c == '-') {
    MVM_TRY_VOID(next_flag("missing flag"));
    if (FlagOf(t.c) == 0) return bad("missing flag");
    for (;;) {
      const uint32_t flag = FlagOf(t.c);
      if (flag & kTypeFlags)
        return Error(pos_, "bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
      *remove |= flag;
      MVM_TRY_VOID(next_flag("missing :"));
      if (t.c == ':') break;
      if (FlagOf(t.c) == 0) return bad("missing :");
    }
  }
  if (*add & *remove) return Error(pos_ - 1, "bad inline flags: flag turned on and off");
  return Ok();
}

Status PatternParser::ParseNamedReference(Sequence* seq, uint32_t flags) {
  MVM_TRY(Ref<StrObject> name, Until(')', "group name"));
  MVM_TRY_VOID(CheckGroupName(name, 1));
  MVM_TRY(uint32_t group, GroupNamed(name));
  const size_t position = pos_ - name->length - 1;
  if (group == 0) return Error(position, "unknown group name %R", Value(name));
  if (!Closed(group)) return Error(position, "cannot refer to an open group");
  MVM_TRY_VOID(CheckLookbehindGroup(group));
  return AddReference(seq, group, flags);
}

Status PatternParser::ParseLook(Sequence* seq, size_t start, bool behind, uint32_t flags,
                                int nested) {
  const bool negate = source_.At(pos_++) == '!';
  const uint32_t outer = lookbehind_groups_;
  if (behind && outer == 0) lookbehind_groups_ = static_cast<uint32_t>(tree_.groups.size());
  MVM_TRY(uint32_t body, ParseAlternatives(flags, nested + 1));
  lookbehind_groups_ = outer;
  if (!Match(')')) return Error(start, kUnterminated);
  if (negate && node(body).kind == NodeKind::kEmpty) {
    MVM_TRY(uint32_t fail, NewNode(NodeKind::kFail, 0, 0));
    return Add(seq, fail);
  }
  MVM_TRY(uint32_t n, NewNode(NodeKind::kLook, 0, 0));
  node(n).child = body;
  node(n).behind = behind;
  node(n).negate = negate;
  return Add(seq, n);
}

Status PatternParser::ParseConditional(Sequence* seq, size_t start, uint32_t flags, int nested) {
  MVM_TRY(Ref<StrObject> name, Until(')', "group name"));
  const size_t position = pos_ - name->length - 1;
  bool digits = true;
  for (size_t i = 0; i < name->length; ++i) digits = digits && IsDigitChar(name->At(i));
  uint64_t group = 0;
  if (digits) {
    for (size_t i = 0; i < name->length && group < UINT32_MAX; ++i)
      group = group * 10 + (name->At(i) - '0');
    if (group == 0) return Error(position, "bad group number");
    if (group >= INT32_MAX / 2) return Error(position, "invalid group reference %U", Value(name));
    group += first_group_;
    if (!pending_.Push({static_cast<uint32_t>(group), position})) return RaiseMemoryError(ts_);
  } else {
    MVM_TRY_VOID(CheckGroupName(name, 1));
    MVM_TRY(group, GroupNamed(name));
    if (group == 0) return Error(position, "unknown group name %R", Value(name));
  }
  MVM_TRY_VOID(CheckLookbehindGroup(static_cast<uint32_t>(group)));
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  uint32_t inner = flags;
  MVM_TRY(uint32_t yes, ParseSequence(&inner, nested + 1, false));
  uint32_t no = 0;
  if (Match('|')) {
    MVM_TRY(no, ParseSequence(&inner, nested + 1, false));
    if (Peek() == '|') return Error(pos_, "conditional backref with more than two branches");
  }
  if (!Match(')')) return Error(start, kUnterminated);
  if (!no) {
    MVM_TRY(no, NewNode(NodeKind::kEmpty, 0, 0));
  }
  MVM_TRY(uint32_t n,
          NewNode(NodeKind::kConditional, std::min(node(yes).min_width, node(no).min_width),
                  std::max(node(yes).max_width, node(no).max_width)));
  node(n).child = yes;
  node(yes).next = no;
  node(n).a = static_cast<uint32_t>(group);
  tree_.has_references = true;
  return Add(seq, n);
}

// The inside of a group, and its closing parenthesis.
Status PatternParser::ParseBody(Sequence* seq, size_t start, uint32_t flags, int nested,
                                bool capture, bool atomic, StrObject* name) {
  uint32_t group = 0;
  if (capture) {
    group = static_cast<uint32_t>(tree_.groups.size());
    if (group >= INT32_MAX / 2) return Error(pos_, "too many groups");
    if (name) {
      MVM_TRY(uint32_t old, GroupNamed(name));
      if (old) {
        return Error(pos_ - name->length - 1,
                     "redefinition of group name %R as group %u; was group %u", Value(name), group,
                     old);
      }
      MVM_TRY_VOID(DictSet(ts_, names_, name, Value::Int(group)));
    }
    if (!tree_.groups.Push(GroupInfo{})) return RaiseMemoryError(ts_);
  }
  MVM_TRY(uint32_t body, ParseAlternatives(flags, nested + 1));
  if (!Match(')')) return Error(start, kUnterminated);
  const uint64_t min_width = node(body).min_width, max_width = node(body).max_width;
  if (capture) tree_.groups[group] = {min_width, max_width, true};
  // A node of its own also for (?:...): its inside is one item, whatever follows.
  const NodeKind kind = capture  ? NodeKind::kCapture
                        : atomic ? NodeKind::kAtomic
                                 : NodeKind::kConcat;
  MVM_TRY(uint32_t n, NewNode(kind, min_width, max_width));
  node(n).child = body;
  node(n).a = group;
  return Add(seq, n);
}

}  // namespace minivm::regex
