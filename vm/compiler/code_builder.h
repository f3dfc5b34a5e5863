// CodeBuilder: the instructions of one code object while it is being compiled.
//
// It knows registers (the stack of temporaries above the locals), labels, exception ranges, names,
// constants and which locals are surely bound; it does not know the tree. Words emitted while
// control cannot get here are dropped, so dead code costs nothing.
//
// Invariants:
//  1. live[pc] is local_count + height() at the time of Emit: callers pop the temporaries a word
//     consumes before they emit it, and push its result afterwards.
//  2. Every jump to a label is made with the height the label has when it is bound.
//  3. A local is in `assigned` only if every path to this point has bound it. Names that a `del` or
//     the end of an except clause may unbind are taken out at loop heads and handlers.
#pragma once

#include <vector>

#include "runtime/objects/str_object.h"
#include "vm/bytecode/code_object.h"
#include "vm/compiler/compile_context.h"

namespace minivm {

// uint64 -> uint32, open addressing; Clear keeps the memory.
class FlatMap {
 public:
  // The value of `key`, or `fresh` after entering it.
  uint32_t FindOrAdd(uint64_t key, uint32_t fresh);
  void Clear();

 private:
  void Grow();
  struct Entry {
    uint64_t key;
    uint32_t value_plus_1;
  };
  std::vector<Entry> entries_;
  size_t used_ = 0;
};

struct RegisterSet {
  uint64_t bits[4] = {};
  bool Has(unsigned r) const { return bits[r >> 6] >> (r & 63) & 1; }
  void Add(unsigned r) { bits[r >> 6] |= uint64_t{1} << (r & 63); }
  void Remove(unsigned r) { bits[r >> 6] &= ~(uint64_t{1} << (r & 63)); }
  void Intersect(const RegisterSet& o) {
    for (int i = 0; i < 4; ++i) bits[i] &= o.bits[i];
  }
  void Subtract(const RegisterSet& o) {
    for (int i = 0; i < 4; ++i) bits[i] &= ~o.bits[i];
  }
};

// A place in the code. Jumps made before it is bound are chained through their X fields.
struct Label {
  int32_t pc = -1;
  int32_t last_jump = -1;
  bool reached = false;  // some jump leads here; `assigned` is their intersection
  RegisterSet assigned;
};

// The value of an expression: a temporary (on top of the stack), or a local read in place.
struct Operand {
  uint8_t reg = 0;
  bool temp = false;
};
inline uint32_t ConsumeBits(Operand a) { return a.temp ? 1u : 0u; }
inline uint32_t ConsumeBits(Operand a, Operand b) { return ConsumeBits(a) | (b.temp ? 2u : 0u); }
inline uint32_t ConsumeBits(Operand a, Operand b, Operand c) {
  return ConsumeBits(a, b) | (c.temp ? 4u : 0u);
}

// Where a result goes: a new temporary, or a local.
struct Dest {
  int local = -1;
};

class CodeBuilder {
 public:
  static constexpr unsigned kMaxRegisters = 250;

  explicit CodeBuilder(CompileContext& context)
      : context_(context),
        words_(context.arena),
        sites_(context.arena),
        live_(context.arena),
        positions_(context.arena),
        names_(context.arena),
        constants_(context.arena) {}
  void Reset(unsigned local_count);

  // ---- position, flow ----
  void SetLocation(const Location& loc) {
    position_.line = static_cast<int>(loc.lineno);
    position_.end_line = static_cast<int>(loc.end_lineno);
    position_.column = static_cast<int>(loc.col_offset);
    position_.end_column = static_cast<int>(loc.end_col_offset);
  }
  void SetPosition(const Position& p) { position_ = p; }
  const Position& position() const { return position_; }
  bool reachable() const { return reachable_; }
  // The next word returns because the code ends, not because a statement says so: it has the line
  // of whatever leads to it.
  void MarkImplicitReturn() {
    if (!reachable_) return;
    if (!words_.empty() && last_bound_ != words_.size()) position_ = positions_.back();
    position_ = LineBefore(words_.size(), position_);
    implicit_return_ = static_cast<int32_t>(words_.size());
  }
  // A line that tracing shows here though no word may have it. Costs nothing when it runs: a NOP
  // until Finish, which turns it into a LineMark.
  void Note() {
    if (!reachable_) return;
    Append(Op::NOP, 0, 0, 0, 0, 0);
    has_notes_ = true;
  }
  void Note(const Location& loc) {
    const Position saved = position_;
    SetLocation(loc);
    Note();
    position_ = saved;
  }
  // What follows is nobody's line: that of the word before if only that leads here, else none.
  void NoLocation() {
    position_ = words_.empty() || last_target_ == words_.size() ? Position() : positions_.back();
  }
  void SetUnreachable() { reachable_ = false; }
  uint32_t pc() const { return static_cast<uint32_t>(words_.size()); }
  // From `start` on until here a register was a variable of an inlined comprehension.
  void AddHidden(uint32_t start, unsigned reg, bool cell) {
    hidden_.push_back({start, pc(), static_cast<uint16_t>(reg), cell});
  }

  // ---- temporaries ----
  unsigned height() const { return height_; }
  void SetHeight(unsigned height) { height_ = height; }
  unsigned local_count() const { return local_count_; }
  // The register that Push() would return.
  uint8_t Next() const { return static_cast<uint8_t>(local_count_ + height_); }
  uint8_t Push(unsigned count = 1) {
    uint8_t r = Next();
    height_ += count;
    if (height_ > max_height_) {
      if (local_count_ + height_ > kMaxRegisters) TooManyRegisters();
      max_height_ = height_;
    }
    return r;
  }
  void Pop(unsigned count = 1) { height_ -= count; }
  void Pop(Operand o) {
    MVM_DCHECK(!o.temp || o.reg + 1u == Next(), "popping a temporary that is not on top");
    if (o.temp) --height_;
  }
  bool IsTemp(unsigned r) const { return r >= local_count_; }

  // ---- words ----
  void Emit(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0, int32_t x = 0,
            uint32_t arg = 0) {
    if (!reachable_) return;
    Append(op, a, b, c, x, arg);
  }
  // The result of an instruction with operand A = result. Operands have been popped.
  void EmitTo(Dest dest, Op op, unsigned b = 0, unsigned c = 0, int32_t x = 0, uint32_t arg = 0);
  void EmitJump(Op op, unsigned a, unsigned b, unsigned c, Label* label);
  void Jump(Label* label) { EmitJump(Op::JMP, 0, 0, 0, label); }
  // Backward to a bound label.
  void Loop(const Label& head);
  // Binds a label here. Control may come from above too.
  void Bind(Label* label);
  // Binds the head of a loop.
  void BindLoop(Label* label);

  // ---- locals ----
  const RegisterSet& assigned() const { return assigned_; }
  void SetAssigned(const RegisterSet& set) { assigned_ = set; }
  bool IsAssigned(unsigned r) const { return assigned_.Has(r); }
  void MarkAssigned(unsigned r) { assigned_.Add(r); }
  void MarkUnassigned(unsigned r) { assigned_.Remove(r); }
  RegisterSet may_be_unbound;  // registers a del or except clause may unbind somewhere

  // ---- names, constants ----
  uint32_t NameIndex(Identifier name);
  // Takes a value made canonical by ConstantTable.
  uint32_t ConstantIndex(Value canonical);

  // ---- exception ranges ----
  // A handler is a number now and a place later.
  uint32_t NewHandler();
  static constexpr uint32_t kNoHandler = ExceptionRange::kNoHandler;
  // Starts a range; ranges nest, ended by EndRange in reverse order.
  void BeginRange(uint32_t handler, unsigned depth);
  void EndRange();
  // Binds handler: height is depth + 2 above the locals' end.
  void BindHandler(uint32_t handler, unsigned depth, const RegisterSet& assigned);
  size_t open_ranges() const { return open_.size(); }
  struct OpenRange {
    uint32_t handler;
    unsigned depth;
    uint32_t start;
  };
  // Ends all but the outermost `keep` open ranges for a while; hands them out.
  void SuspendRanges(size_t keep, std::vector<OpenRange>* suspended);
  void ResumeRanges(const std::vector<OpenRange>& suspended);

  // ---- the end ----
  // Fills words, sites, ... of the spec; the builder must outlive the call of NewCode.
  void Finish(CodeSpec* spec);

 private:
  struct PendingRange {
    uint32_t start, end, handler, depth, nesting;
  };
  void Append(Op op, unsigned a, unsigned b, unsigned c, int32_t x, uint32_t arg);
  [[noreturn]] void TooManyRegisters();
  void ThreadJumps();
  int32_t ReturnFrom(const Position& from, std::vector<int32_t>* copies);
  // `p`, or if that is no line the nearest one before that word.
  Position LineBefore(size_t word, Position p) const {
    while (p.line < 0 && word > 0) p = positions_[--word];
    return p;
  }
  void SortRanges();
  void KeepBranchNotes(std::vector<bool>* kept) const;
  void TakeOutNotes();

  CompileContext& context_;
  MeteredVector<Word> words_;
  MeteredVector<Site> sites_;
  MeteredVector<uint8_t> live_;
  MeteredVector<Position> positions_;
  std::vector<OpenRange> open_;
  std::vector<PendingRange> pending_;
  std::vector<ExceptionRange> ranges_;
  std::vector<HiddenName> hidden_;
  std::vector<LineMark> marks_;
  std::vector<MarkSkip> skips_;
  struct Handler {
    uint32_t pc = kNoHandler;
    bool used = false;
  };
  std::vector<Handler> handlers_;
  MeteredVector<Identifier> names_;
  MeteredVector<Value> constants_;  // borrowed from the ConstantTable
  FlatMap name_map_, constant_map_;
  Position position_;
  RegisterSet assigned_;
  unsigned local_count_ = 0, height_ = 0, max_height_ = 0;
  uint32_t last_bound_ = 0;       // highest pc that something refers to as a place
  uint32_t last_target_ = 0;      // the highest of them that control comes to from elsewhere
  int32_t implicit_return_ = -1;  // word, -1: none
  bool reachable_ = true;
  bool has_notes_ = false;
};

// Constants of one compilation, each kept once: equal constants of one type are one object in all
// its code objects.
class ConstantTable {
 public:
  explicit ConstantTable(CompileContext& context)
      : context_(context), values_(context.arena), slots_(context.arena) {}
  // The canonical equal of `v`; consumes. Pass code objects, too: they are kept alive here.
  Value Add(Ref<> v);

 private:
  void Grow();
  uint64_t HashOf(Value v);
  bool Equal(Value a, Value b);

  CompileContext& context_;
  MeteredVector<Ref<>> values_;
  MeteredVector<uint32_t> slots_;  // index + 1
};

}  // namespace minivm
