// What a pattern can start with, contain and end with: the facts from which the compiler drops
// work.
#pragma once

#include "stdlib/re/program.h"

namespace minivm::regex {

// A test of one character: kChar, kNotChar, kSet, kAny or kAll, with its operand.
struct One {
  Op kind = Op::kFail;
  uint32_t a = 0;
};

First Union(const First& a, const First& b);
// What "the pattern is matched here" needs: nothing.
inline First Accept() {
  First first;
  first.nullable = true;
  return first;
}

class Analysis {
 public:
  Analysis(ThreadState& ts, PatternTree* tree, Program* program)
      : ts_(ts), tree_(*tree), program_(*program), memo_(ts.heap()), memo_index_(ts.heap()) {}

  // The node that stands for n: groups of one item are looked through, choices between single
  // characters become sets.
  Result<uint32_t> Simplify(uint32_t n);
  // Is it a test of one character?
  Result<bool> AsOne(uint32_t n, One* one);
  // A new node: n as an atomic group.
  Result<uint32_t> MakeAtomic(uint32_t n);
  // *first, what can stand behind n, becomes what can stand before it.
  Status Before(uint32_t n, First* first);
  // The set that tests for it; kNoFilter if everything passes.
  Result<uint32_t> Filter(const First& first);
  // Can a greedy run of at least `min` such characters be kept once it is as long as it gets?
  bool NeverGivesBack(const One& one, uint32_t min, const First& follow) const;
  // Fills in what the search relies on, and the tables of the sets.
  Status FinishProgram();

 private:
  Status Own(uint32_t n, First* out);
  Status ComputeOwn(uint32_t n, First* out);
  First OfOne(const One& one) const;
  Result<uint32_t> Intern(const CharSet& set);
  Status MakeNeedle(uint32_t start, uint32_t size, Needle* out);
  Status AppendPrefix(uint32_t n, bool* whole);
  // Looks for literals in what every match contains; *min and *max are where n starts.
  Status FindRequired(uint32_t n, uint64_t* min, uint64_t* max);
  const Node& node(uint32_t i) const { return tree_.nodes[i]; }

  ThreadState& ts_;
  PatternTree& tree_;
  Program& program_;
  HeapArray<First> memo_;
  HeapArray<uint32_t> memo_index_;             // by node: 1 + index into memo_
  uint32_t required_ = 0, required_size_ = 0;  // literals
};

}  // namespace minivm::regex
