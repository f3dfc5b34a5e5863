// The state of a parse; see pattern_parser.cpp. Internal to the parser's files.
#pragma once

#include "runtime/objects/str_object.h"
#include "stdlib/re/pattern_tree.h"

namespace minivm::regex {

class PatternParser {
 public:
  PatternParser(ThreadState& ts, const PatternSource& source, uint32_t flags, PatternTree* tree,
                DictObject* names)
      : ts_(ts), source_(source), flags_(flags), tree_(*tree), names_(names), pending_(ts.heap()) {}
  // The whole pattern becomes the tree's root.
  Status Parse();
  // The pattern becomes a node, its groups numbered behind those that the tree has.
  Result<uint32_t> ParsePart();

 private:
  static constexpr uint32_t kEnd = 0xFFFFFFFFu;
  // A piece of the pattern: one character, or a backslash and a character.
  struct Token {
    size_t start = 0;
    uint32_t c = kEnd;       // the first character
    uint32_t second = kEnd;  // after a backslash
    size_t size() const { return c == kEnd ? 0 : c == '\\' ? 2 : 1; }
  };
  // What an escape stands for: a character, a category, a position or a group.
  struct Escape {
    enum Kind : uint8_t { kChar, kCategory, kAt, kGroup } kind = kChar;
    uint32_t value = 0;
  };
  // A conditional's group, to be checked when all groups are known.
  struct PendingGroup {
    uint32_t group;
    size_t position;
  };
  // The items of a sequence under construction.
  struct Sequence {
    uint32_t first = 0, last = 0, before_last = 0;
    uint32_t count = 0;
  };

  // ---- pattern_parser.cpp ----
  Result<uint32_t> ParseAlternatives(uint32_t flags, int nested);
  Result<uint32_t> ParseSequence(uint32_t* flags, int nested, bool first);
  Status ParseRepeat(Sequence* seq, size_t start, uint32_t c);
  Result<uint32_t> ParseNumber(size_t first, size_t last);
  Status CheckFlags();

  // ---- pattern_group.cpp ----
  // Each appends what it parsed, if anything.
  Status ParseGroup(Sequence* seq, size_t start, uint32_t* flags, int nested, bool first);
  Status ParseNamedReference(Sequence* seq, uint32_t flags);
  Status ParseLook(Sequence* seq, size_t start, bool behind, uint32_t flags, int nested);
  Status ParseConditional(Sequence* seq, size_t start, uint32_t flags, int nested);
  Status ParseBody(Sequence* seq, size_t start, uint32_t flags, int nested, bool capture,
                   bool atomic, StrObject* name);
  Status ParseFlags(uint32_t c, uint32_t* add, uint32_t* remove, bool* global);
  Status SkipComment(size_t start);

  // ---- pattern_escape.cpp ----
  Status ParseEscape(Sequence* seq, const Token& t, uint32_t flags);
  // Inside a class: a character or a category.
  Result<bool> ClassEscape(const Token& t, Escape* out);
  Result<bool> CommonEscape(const Token& t, Escape* out);  // false: none of these
  Result<uint32_t> HexEscape(const Token& t, size_t digits);
  Result<uint32_t> NamedEscape(const Token& t);
  Raised BadEscape(const Token& t);
  Status ParseSet(Sequence* seq, size_t start, uint32_t flags);
  Result<bool> SetItem(const Token& t, Escape* out);
  Raised BadRange(const Token& low, const Token& high);
  Status WarnSet(const char* what, size_t position);

  // ---- building ----
  Result<uint32_t> NewNode(NodeKind kind, uint64_t min_width, uint64_t max_width);
  Status Add(Sequence* seq, uint32_t node);
  Status AddChar(Sequence* seq, uint32_t c, uint32_t flags);
  Status AddSet(Sequence* seq, const SetSpec& spec, uint32_t flags);
  Status AddAt(Sequence* seq, At at, uint32_t flags);
  Status AddReference(Sequence* seq, uint32_t group, uint32_t flags);
  Result<uint32_t> FinishSequence(const Sequence& seq);
  Node& node(uint32_t i) { return tree_.nodes[i]; }

  // ---- text ----
  bool AtEnd() const { return pos_ >= source_.size; }
  uint32_t Peek() const { return AtEnd() ? kEnd : source_.At(pos_); }
  bool Match(uint32_t c) {
    if (Peek() != c) return false;
    ++pos_;
    return true;
  }
  // The next token, consumed; .c is kEnd at the end. A lone backslash at the end raises.
  Result<bool> Next(Token* t);
  // Up to the terminator, which is consumed; `what` for the message.
  Result<StrObject> Until(uint32_t terminator, const char* what);
  Result<StrObject> Text(size_t start, size_t end);
  // A name for a group, behind which `after` characters were read.
  Status CheckGroupName(StrObject* name, size_t after);
  // Of a name that is known; 0 if there is none of that name.
  Result<uint32_t> GroupNamed(StrObject* name);
  bool Closed(uint32_t group) const {
    return group < tree_.groups.size() && tree_.groups[group].closed;
  }
  Status CheckLookbehindGroup(uint32_t group);
  uint8_t Mode(uint32_t flags) const;
  [[gnu::cold]] Raised Error(size_t position, const char* format, ...);

  ThreadState& ts_;
  const PatternSource& source_;
  uint32_t flags_;  // global ones
  PatternTree& tree_;
  DictObject* names_;
  HeapArray<PendingGroup> pending_;
  size_t pos_ = 0;
  uint32_t first_group_ = 0;  // what stands for group 0 where numbers are written
  uint32_t lookbehind_groups_ =
      0;  // groups known where the outermost look-behind starts; 0: outside
};

}  // namespace minivm::regex
