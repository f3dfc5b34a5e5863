// The tree of a pattern: what the parser makes and the compiler reads.
//
// Nodes are numbered; number 0 stands for "none". Flags that matter to a node (case, Unicode, dot,
// anchors) are settled by the parser, so that nodes do not depend on where they stand.
#pragma once

#include <span>

#include "runtime/core/thread_state.h"
#include "stdlib/re/char_set.h"

namespace minivm::regex {

inline constexpr uint32_t kMaxRepeat = 0xFFFFFFFFu;  // "no limit"
inline constexpr uint64_t kMaxWidth = UINT64_MAX;    // saturating

// Values of the flags, as re.RegexFlag has them.
enum Flag : uint32_t {
  kFlagIgnoreCase = 2,
  kFlagLocale = 4,
  kFlagMultiline = 8,
  kFlagDotAll = 16,
  kFlagUnicode = 32,
  kFlagVerbose = 64,
  kFlagDebug = 128,
  kFlagAscii = 256,
  kTypeFlags = kFlagAscii | kFlagLocale | kFlagUnicode,
};

enum class NodeKind : uint8_t {
  kEmpty,
  kFail,         // (?!)
  kString,       // b characters at literals[a]
  kSet,          // sets[a]
  kAny,          // all but newline
  kAll,          // any character
  kAt,           // a: At
  kConcat,       // children one after the other
  kAlternate,    // children tried in order
  kRepeat,       // child, a to b times, by `style`
  kCapture,      // child, group a
  kBackref,      // group a, by `mode`
  kLook,         // child; `behind`, `negate`
  kAtomic,       // child
  kConditional,  // group a; children: yes and no
};

enum class At : uint8_t {
  kBegin,        // ^ and \A
  kBeginLine,    // ^ in MULTILINE
  kEnd,          // $
  kEndLine,      // $ in MULTILINE
  kEndString,    // \Z
  kBoundary,     // \b
  kNotBoundary,  // \B
};

enum class Style : uint8_t { kGreedy, kLazy, kPossessive };

struct Node {
  NodeKind kind = NodeKind::kEmpty;
  uint8_t mode = 0;  // CharMode bits: of boundaries and references
  Style style = Style::kGreedy;
  bool behind = false, negate = false;
  uint32_t child = 0, next = 0;
  uint32_t a = 0, b = 0;
  uint64_t min_width = 0, max_width = 0;
};

struct GroupInfo {
  uint64_t min_width, max_width;
  bool closed;
};

struct PatternTree {
  explicit PatternTree(Heap& heap)
      : nodes(heap), literals(heap), ranges(heap), sets(heap), groups(heap) {}
  HeapArray<Node> nodes;  // [0] is unused
  HeapArray<uint32_t> literals;
  HeapArray<CharRange> ranges;
  HeapArray<SetSpec> sets;
  HeapArray<GroupInfo> groups;  // [0] is the whole
  uint32_t root = 0;
  uint32_t flags = 0;           // final
  bool has_references = false;  // backreferences or conditionals
};

// The text of a pattern, str or bytes.
struct PatternSource {
  Value object;
  const void* data = nullptr;
  size_t size = 0;
  int width = 1;
  bool bytes = false;
  uint32_t At(size_t i) const {
    switch (width) {
      case 1: return static_cast<const uint8_t*>(data)[i];
      case 2: return static_cast<const uint16_t*>(data)[i];
      default: return static_cast<const uint32_t*>(data)[i];
    }
  }
};

// Parses into *tree. `group_names` (name -> number) is filled. Raises re.PatternError and what else
// re.compile raises for a pattern that is none.
Status ParsePattern(ThreadState& ts, const PatternSource& source, uint32_t flags, PatternTree* tree,
                    DictObject* group_names);
// The alternation of the sources, each a group of its own whose number goes to *groups. Numbers
// and names that a source refers to are those of its own groups.
Status ParseLexicon(ThreadState& ts, std::span<const PatternSource> sources, uint32_t flags,
                    PatternTree* tree, HeapArray<uint32_t>* groups);

bool IsIdentifierText(const StrObject* s);

// Raises re.PatternError(message, pattern, position); position < 0: without pattern.
[[gnu::cold]] Raised RaisePatternError(ThreadState& ts, StrObject* message, Value pattern,
                                       int64_t position);

}  // namespace minivm::regex
