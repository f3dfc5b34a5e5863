// What a pattern compiles to: instructions for the matcher (matcher.cpp), and what the search for a
// place to start may rely on.
//
// The matcher backtracks. It keeps a position in the text and a stack of frames; an instruction
// that may be wrong pushes a frame that says what else to try, and each value that a frame must not
// see changed (captures, counters) is saved on the same stack before it is overwritten.
#pragma once

#include "stdlib/re/pattern_tree.h"

namespace minivm {
class StrBuilder;
}

namespace minivm::regex {

enum class Op : uint8_t {
  kMatch,  // success
  kFail,
  kString,   // b characters at literals[a]
  kChar,     // the character a
  kNotChar,  // any other (used as kinds of single characters, see below)
  kSet,      // sets[a]
  kAny,      // not newline
  kAll,
  kAt,        // a: At; kind: CharMode
  kSave,      // capture word a := position; b != 0: group b is closed
  kJump,      // to a
  kSplit,     // to a, on failure to b. c, d: filters on the next character for a and b
  kBranch,    // alternatives by next character: switches[a..] are offsets of lists in `lists`
  kRepeat,    // one single-character test, `kind`, a, repeated b to c times; d: filter behind it
  kLoopInit,  // a: loop
  kLoop,      // a: loop, b, c: limits, d: where the body starts; e: what follows the loop
  kBackref,   // group a; kind: CharMode
  kLook,      // assertion: a: behind it, b: how far back, c: barrier; flags
  kLookEnd,   // c: barrier; flags
  kLookOne,   // assertion about one character: test kind, a; flags
  kAtomic,    // c: barrier
  kAtomicEnd,
  kConditional,  // group a unset: to b
  kMemo,         // in a Memo's copy of the code: marks the state, then does what stands here
  kMemoRun,      // the same for a kRepeat without limit, which is a state for each length
};

enum InstrFlags : uint8_t {
  kInstrNegate = 1,
  kInstrBehind = 2,
  kInstrLazy = 4,
  kInstrPossessive = 8,
  kInstrRestore = 16,  // of kLookEnd: go back to where the assertion stands
};

inline constexpr uint32_t kNoFilter = UINT32_MAX;

struct Instr {
  Op op = Op::kFail;
  uint8_t kind = 0;  // the Op of a single-character test, or CharMode
  uint8_t flags = 0;
  uint8_t spare = 0;
  uint32_t a = 0, b = 0, c = 0, d = kNoFilter, e = 0;
};

// What can stand at a place where something may match: the next character, or the end of the text.
struct First {
  uint64_t bits[4] = {};
  bool wide = false;       // some character from 256 on
  bool at_end = false;     // nothing: the text has ended
  bool nullable = false;   // no character is needed here: anything may follow
  bool condition = false;  // an assertion or reference stands before the first character
};

// A row of switches: by next character below 256, for wide ones, and at the end of the text.
inline constexpr uint32_t kSwitchWide = 256, kSwitchEnd = 257, kSwitchSize = 258;

// A literal to be searched for, in the narrowest width: bytes from needles[at] on.
struct Needle {
  uint32_t at = 0;
  uint32_t size = 0;  // characters; 0: none
  uint8_t width = 1;
};

struct Program {
  explicit Program(Heap& heap)
      : code(heap),
        literals(heap),
        ranges(heap),
        sets(heap),
        tables(heap),
        needles(heap),
        switches(heap),
        lists(heap) {}
  HeapArray<Instr> code;
  HeapArray<uint32_t> literals;
  HeapArray<CharRange> ranges;
  HeapArray<CharSet> sets;
  HeapArray<uint8_t> tables;  // 256 bytes for each eight sets
  HeapArray<uint8_t> needles;
  HeapArray<uint32_t> switches;
  HeapArray<uint32_t> lists;  // code addresses, each list ended by 0
  uint32_t groups = 0;        // without the whole match
  uint32_t loops = 0;
  uint32_t barriers = 0;
  bool has_locale_sets = false;
  bool has_references = false;

  // ---- for the search ----
  uint64_t min_width = 0;
  uint64_t max_width = 0;          // UINT64_MAX: no bound
  bool anchored_begin = false;     // matches only at the very beginning
  bool anchored_line = false;      // matches only at beginnings of lines
  Needle prefix;                   // what every match starts with
  bool literal = false;            // the pattern is the prefix
  uint32_t first_set = kNoFilter;  // what a match starts with, if no prefix
  Needle required;                 // what every match contains,
  uint64_t required_min = 0;       // at least this far from its start,
  uint64_t required_max = 0;       // at most this far
  uint32_t run = kNoFilter;        // the match starts with a run (code address of the kRepeat) that
                                   // nothing behind it can take characters from

  // ---- for tests: steps until a Memo is used, and at most; negative: as many as is usual ----
  int64_t patience = -1;
  int64_t step_limit = -1;
};

// Fills *program. `tree` may not be used afterwards.
Status CompileProgram(ThreadState& ts, PatternTree* tree, Program* program);
// One instruction per line, for re.DEBUG.
Status DumpProgram(ThreadState& ts, const Program& program, StrBuilder* out);

}  // namespace minivm::regex
