// The objects of module re, and what its files share.
#pragma once

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/re/matcher.h"

namespace minivm {

extern const TypeSpec kPatternType;
extern const TypeSpec kMatchType;
extern const TypeSpec kScannerType;
extern const TypeSpec kMatchIteratorType;
extern const TypeSpec kPatternCacheType;

namespace regex {

// re.Pattern: immutable once made.
class PatternObject : public Object {
 public:
  Value pattern;                       // str, bytes or another object with a buffer
  DictObject* group_index = nullptr;   // name -> number
  TupleObject* group_names = nullptr;  // by number, None for unnamed ones; [0] unused
  Program* program = nullptr;          // in the heap
  TupleObject* phrases = nullptr;      // of a lexicon: the number of each phrase's group; or null
  TypeObject* match_type = nullptr;    // borrowed (immortal)
  uint32_t flags = 0;
  bool bytes = false;
  uint32_t groups() const { return program->groups; }
  template <class V>
  void VisitRefs(V&& v) {
    v(pattern);
    v(group_index);
    v(group_names);
    v(phrases);
  }
  void FreeBuffers(Heap& heap);
};

// re.Match. The spans follow the object: start and end of group 0, 1, ...; -1: took no part.
class MatchObject : public Object {
 public:
  Value string;
  PatternObject* pattern = nullptr;
  int64_t pos = 0, endpos = 0;
  uint32_t last_index = 0;   // 0: none
  uint32_t group_count = 0;  // the whole match included
  int64_t* spans() { return reinterpret_cast<int64_t*>(this + 1); }
  template <class V>
  void VisitRefs(V&& v) {
    v(string);
    v(pattern);
  }
};

// The text a pattern is applied to, held in place while this lives.
class Subject {
 public:
  // TypeError if `string` is no text, or not of the pattern's kind (pattern may be null).
  Status Get(ThreadState& ts, const PatternObject* pattern, Value string);
  // Clamps like slicing; [pos, endpos) is where matches may be.
  void SetBounds(int64_t pos, int64_t endpos);
  // string[start:end], as a str or bytes.
  Result<> Slice(ThreadState& ts, int64_t start, int64_t end) const;

  Value object;  // borrowed
  const void* data = nullptr;
  size_t size = 0;
  int width = 1;
  bool is_str = false;
  size_t pos = 0, endpos = 0;

 private:
  ByteView view_;
};

// Group g of the matcher's last match as a new str or bytes; `missing` if it took no part.
Result<> GroupOf(ThreadState& ts, const Subject& subject, const Matcher& matcher, uint32_t g,
                 Value missing);
Result<MatchObject> NewMatch(ThreadState& ts, PatternObject* pattern, const Subject& subject,
                             const Matcher& matcher);

// The setter of attributes that cannot be set.
Status ReadOnly(ThreadState& ts, Value self, Value value);

Result<PatternObject> CompilePattern(ThreadState& ts, Value pattern, uint32_t flags);
// (pattern that matches any of the patterns, list of the group that each of them is)
Result<> CompileLexicon(ThreadState& ts, TupleObject* patterns, uint32_t flags);

// A replacement text: literals and groups in turn.
struct Template {
  static constexpr uint32_t kLiteral = UINT32_MAX;
  struct Piece {
    uint32_t group;  // or kLiteral: text[start:end]
    size_t start, end;
  };
  explicit Template(Heap& heap) : pieces(heap) {}
  Ref<StrObject> text;  // one byte per character if it is of bytes
  HeapArray<Piece> pieces;
  bool bytes = false;
};
// Parses what sub() and expand() take; without a backslash, a literal.
Status ParseTemplate(ThreadState& ts, const PatternObject* pattern, Value repl, Template* out);
// TypeError if a template of str takes in groups of bytes, or the other way round.
Status CheckTemplateType(ThreadState& ts, const Template& t, const Subject& subject);

// Gathers pieces of a subject and other texts into a str or bytes.
class TextBuilder {
 public:
  TextBuilder(ThreadState& ts, bool is_str)
      : ts_(ts), is_str_(is_str), str_(ts), bytes_(ts.heap()) {}
  Status Add(const Subject& subject, size_t start, size_t end);
  // `group(g, &start, &end)`: false if group g took no part
  template <class F>
  Status AddTemplate(const Subject& subject, const Template& t, F group);
  // A str or bytes-like object, as the result is; TypeError as join() raises it for item `index`.
  Status AddValue(Value v, size_t index);
  Result<> Finish();

 private:
  Status AddText(const Template& t, size_t start, size_t end);
  ThreadState& ts_;
  bool is_str_;
  StrBuilder str_;
  HeapArray<uint8_t> bytes_;
};

template <class F>
Status TextBuilder::AddTemplate(const Subject& subject, const Template& t, F group) {
  MVM_TRY_VOID(Charge(ts_, static_cast<int64_t>(t.pieces.size())));
  for (const Template::Piece& piece : t.pieces) {
    if (piece.group == Template::kLiteral) {
      MVM_TRY_VOID(AddText(t, piece.start, piece.end));
      continue;
    }
    int64_t start, end;
    if (group(piece.group, &start, &end)) {
      MVM_TRY_VOID(Add(subject, static_cast<size_t>(start), static_cast<size_t>(end)));
    }
  }
  return Ok();
}

}  // namespace regex
}  // namespace minivm
