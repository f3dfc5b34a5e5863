// From tree to program.
//
// Code is generated in one walk that hands down what can follow each node (First): with that a
// repeat knows that it will never have to give characters back (auto-possession), and a choice
// which of its sides the next character rules out, so that most patterns run without pushing
// frames at all. Recursion follows the nesting of groups and is guarded.
#include <algorithm>

#include "runtime/objects/str_object.h"
#include "stdlib/re/pattern_first.h"
#include "stdlib/re/program.h"

namespace minivm::regex {
namespace {

// From so many alternatives on a table is worth its kilobyte.
constexpr size_t kMinBranch = 5;

class Compiler {
 public:
  Compiler(ThreadState& ts, PatternTree* tree, Program* program)
      : ts_(ts), tree_(*tree), program_(*program), analysis_(ts, tree, program) {}
  Status Compile();

 private:
  Status Generate(uint32_t n, const First& follow);
  Status Concat(uint32_t n, const First& follow);
  Status Alternate(uint32_t n, const First& follow);
  Status Branch(const HeapArray<uint32_t>& items, const HeapArray<First>& firsts,
                const First& follow);
  Status Repeat(uint32_t n, const First& follow);
  Status RepeatOne(uint32_t n, const One& one, const First& follow);
  Status Loop(const Node& repeat, uint32_t child, const First& follow);
  Status Look(uint32_t n);
  Status Atomic(uint32_t child, const Node* repeat);
  Status Conditional(uint32_t n, const First& follow);

  Result<uint32_t> Emit(const Instr& instr) {
    if (program_.code.size() >= UINT32_MAX || !program_.code.Push(instr))
      return RaiseMemoryError(ts_);
    return here() - 1;
  }
  Status EmitJump(uint32_t target) {
    MVM_TRY_VOID(Emit({.op = Op::kJump, .a = target}));
    return Ok();
  }
  Status EmitOne(const One& one) {
    MVM_TRY_VOID(Emit({.op = one.kind, .a = one.a}));
    return Ok();
  }
  // Jumps that are chained through their targets go here.
  void ResolveJumps(uint32_t last) {
    while (last) last = std::exchange(code(last).a, here());
  }
  Result<uint32_t> Filter(const First& first) { return analysis_.Filter(first); }
  uint32_t here() const { return static_cast<uint32_t>(program_.code.size()); }
  Instr& code(uint32_t i) { return program_.code[i]; }
  const Node& node(uint32_t i) const { return tree_.nodes[i]; }

  ThreadState& ts_;
  PatternTree& tree_;
  Program& program_;
  Analysis analysis_;
};

Status Compiler::Compile() {
  MVM_TRY_VOID(Generate(tree_.root, Accept()));
  MVM_TRY_VOID(Emit({.op = Op::kMatch}));
  for (const uint32_t c : tree_.literals) {
    if (!program_.literals.Push(c)) return RaiseMemoryError(ts_);
  }
  program_.groups = static_cast<uint32_t>(tree_.groups.size() - 1);
  program_.max_width = tree_.nodes[tree_.root].max_width;
  program_.has_references = tree_.has_references;
  return analysis_.FinishProgram();
}

Status Compiler::Generate(uint32_t n, const First& follow) {
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  MVM_TRY_VOID(Charge(ts_, 4));
  MVM_TRY(n, analysis_.Simplify(n));
  const Node& x = node(n);
  One one;
  MVM_TRY(bool is_one, analysis_.AsOne(n, &one));
  if (is_one) return EmitOne(one);
  switch (x.kind) {
    case NodeKind::kEmpty: return Ok();
    case NodeKind::kFail: MVM_TRY_VOID(Emit({.op = Op::kFail})); return Ok();
    case NodeKind::kString:
      MVM_TRY_VOID(Emit({.op = Op::kString, .a = x.a, .b = x.b}));
      return Ok();
    case NodeKind::kAt: MVM_TRY_VOID(Emit({.op = Op::kAt, .kind = x.mode, .a = x.a})); return Ok();
    case NodeKind::kConcat: return Concat(n, follow);
    case NodeKind::kAlternate: return Alternate(n, follow);
    case NodeKind::kRepeat: return Repeat(n, follow);
    case NodeKind::kCapture: {
      const uint32_t group = x.a, child = x.child;
      MVM_TRY_VOID(Emit({.op = Op::kSave, .a = 2 * (group - 1)}));
      MVM_TRY_VOID(Generate(child, follow));
      MVM_TRY_VOID(Emit({.op = Op::kSave, .a = 2 * (group - 1) + 1, .b = group}));
      return Ok();
    }
    case NodeKind::kBackref:
      MVM_TRY_VOID(Emit({.op = Op::kBackref, .kind = x.mode, .a = x.a}));
      return Ok();
    case NodeKind::kLook: return Look(n);
    case NodeKind::kAtomic: return Atomic(x.child, nullptr);
    case NodeKind::kConditional: return Conditional(n, follow);
    default: return Ok();  // single characters: done above
  }
}

Status Compiler::Concat(uint32_t n, const First& follow) {
  // What follows each item, from the last to the first.
  HeapArray<uint32_t> items(ts_.heap());
  HeapArray<First> after(ts_.heap());
  for (uint32_t i = node(n).child; i; i = node(i).next) {
    if (!items.Push(i)) return RaiseMemoryError(ts_);
  }
  if (!after.Resize(items.size())) return RaiseMemoryError(ts_);
  First next = follow;
  for (size_t i = items.size(); i-- > 0;) {
    after[i] = next;
    MVM_TRY_VOID(analysis_.Before(items[i], &next));
  }
  for (size_t i = 0; i < items.size(); ++i) MVM_TRY_VOID(Generate(items[i], after[i]));
  return Ok();
}

Status Compiler::Alternate(uint32_t n, const First& follow) {
  HeapArray<uint32_t> items(ts_.heap());
  HeapArray<First> firsts(ts_.heap());
  for (uint32_t i = node(n).child; i; i = node(i).next) {
    First first = follow;
    MVM_TRY_VOID(analysis_.Before(i, &first));
    if (!items.Push(i) || !firsts.Push(first)) return RaiseMemoryError(ts_);
  }
  if (items.size() >= kMinBranch) return Branch(items, firsts, follow);
  const size_t count = items.size();
  HeapArray<First> rest(ts_.heap());  // of the alternatives from i on
  if (!rest.Resize(count)) return RaiseMemoryError(ts_);
  rest[count - 1] = firsts[count - 1];
  for (size_t i = count - 1; i-- > 0;) rest[i] = Union(firsts[i], rest[i + 1]);
  uint32_t jumps = 0;
  for (size_t i = 0; i + 1 < count; ++i) {
    MVM_TRY(uint32_t mine, Filter(firsts[i]));
    MVM_TRY(uint32_t others, Filter(rest[i + 1]));
    MVM_TRY(uint32_t split, Emit({.op = Op::kSplit, .a = here() + 1, .c = mine, .d = others}));
    MVM_TRY_VOID(Generate(items[i], follow));
    MVM_TRY(jumps, Emit({.op = Op::kJump, .a = jumps}));
    code(split).b = here();
  }
  MVM_TRY_VOID(Generate(items[count - 1], follow));
  ResolveJumps(jumps);
  return Ok();
}

// Many alternatives: a table says for each next character which of them to try.
Status Compiler::Branch(const HeapArray<uint32_t>& items, const HeapArray<First>& firsts,
                        const First& follow) {
  const size_t row = program_.switches.size(), lists = program_.lists.size();
  const size_t count = items.size();
  if (!program_.switches.Resize(row + kSwitchSize)) return RaiseMemoryError(ts_);
  MVM_TRY_VOID(Emit({.op = Op::kBranch, .a = static_cast<uint32_t>(row)}));
  // The lists hold alternatives by number (from 1) until their addresses are known.
  HeapArray<uint32_t> starts(ts_.heap());  // of the different lists
  HeapArray<uint32_t> list(ts_.heap());
  for (uint32_t c = 0; c < kSwitchSize; ++c) {
    MVM_TRY_VOID(Charge(ts_, static_cast<int64_t>(count >> 2)));
    list.Truncate(0);
    for (size_t i = 0; i < count; ++i) {
      const First& f = firsts[i];
      const bool can = f.nullable || (c < 256            ? (f.bits[c >> 6] >> (c & 63)) & 1
                                      : c == kSwitchWide ? f.wide
                                                         : f.at_end);
      if (can && !list.Push(static_cast<uint32_t>(i + 1))) return RaiseMemoryError(ts_);
    }
    if (!list.Push(0)) return RaiseMemoryError(ts_);
    uint32_t found = UINT32_MAX;
    for (const uint32_t start : starts) {
      if (program_.lists.size() - start >= list.size() &&
          std::equal(list.begin(), list.end(), program_.lists.data() + start)) {
        found = start;
        break;
      }
    }
    if (found == UINT32_MAX) {
      found = static_cast<uint32_t>(program_.lists.size());
      if (!program_.lists.Append(list.data(), list.size()) || !starts.Push(found))
        return RaiseMemoryError(ts_);
      if (program_.lists.size() > UINT32_MAX / 2) return RaiseMemoryError(ts_);
    }
    program_.switches[row + c] = found;
  }
  const size_t lists_end = program_.lists.size();
  HeapArray<uint32_t> addresses(ts_.heap());
  uint32_t jumps = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!addresses.Push(here())) return RaiseMemoryError(ts_);
    MVM_TRY_VOID(Generate(items[i], follow));
    if (i + 1 < count) {
      MVM_TRY(jumps, Emit({.op = Op::kJump, .a = jumps}));
    }
  }
  ResolveJumps(jumps);
  for (size_t i = lists; i < lists_end; ++i) {
    uint32_t& item = program_.lists[i];
    if (item) item = addresses[item - 1];
  }
  return Ok();
}

Status Compiler::RepeatOne(uint32_t n, const One& one, const First& follow) {
  const Node& x = node(n);
  if (x.a == 1 && x.b == 1) return EmitOne(one);
  MVM_TRY(uint32_t filter, Filter(follow));
  Instr instr{.op = Op::kRepeat,
              .kind = static_cast<uint8_t>(one.kind),
              .a = one.a,
              .b = x.a,
              .c = x.b,
              .d = filter};
  if (x.a == x.b || x.style == Style::kPossessive ||
      (x.style == Style::kGreedy && analysis_.NeverGivesBack(one, x.a, follow))) {
    instr.flags = kInstrPossessive;
  } else if (x.style == Style::kLazy) {
    instr.flags = kInstrLazy;
  }
  MVM_TRY_VOID(Emit(instr));
  return Ok();
}

Status Compiler::Repeat(uint32_t n, const First& follow) {
  MVM_TRY(uint32_t child, analysis_.Simplify(node(n).child));
  const Node x = node(n);
  if (x.b == 0) {
    // Nothing comes of it, but it may be in error.
    const uint32_t start = here();
    MVM_TRY_VOID(Generate(child, follow));
    program_.code.Truncate(start);
    return Ok();
  }
  One one;
  MVM_TRY(bool is_one, analysis_.AsOne(child, &one));
  if (is_one) return RepeatOne(n, one, follow);
  if (x.style == Style::kPossessive) return Atomic(child, &x);
  return Loop(x, child, follow);
}

Status Compiler::Loop(const Node& repeat, uint32_t child, const First& follow) {
  Node x = repeat;
  // What takes no text does in the first iteration what it does in all.
  if (node(child).max_width == 0 && !tree_.has_references) x.a = std::min(x.a, 1u);
  if (x.a == 1 && x.b == 1) return Generate(child, follow);
  First body = follow;  // what stands where an iteration starts
  MVM_TRY_VOID(analysis_.Before(child, &body));
  const First again = Union(body, follow);
  const bool lazy = x.style == Style::kLazy;
  MVM_TRY(uint32_t in, Filter(body));
  MVM_TRY(uint32_t out, Filter(follow));
  // A choice between the body (at `target`, or behind the choice) and the way out.
  const auto split = [&](uint32_t target, uint32_t exit) -> Result<uint32_t> {
    if (lazy) return Emit({.op = Op::kSplit, .a = exit, .b = target, .c = out, .d = in});
    return Emit({.op = Op::kSplit, .a = target, .b = exit, .c = in, .d = out});
  };
  const auto set_exit = [&](uint32_t at) { (lazy ? code(at).a : code(at).b) = here(); };
  if (x.a == 0 && x.b == 1) {
    MVM_TRY(uint32_t at, split(here() + 1, 0));
    MVM_TRY_VOID(Generate(child, follow));
    set_exit(at);
    return Ok();
  }
  if (node(child).min_width > 0 && x.b == kMaxRepeat && x.a <= 1) {
    const uint32_t start = here();
    if (x.a == 0) {
      MVM_TRY_VOID(split(here() + 1, 0));
      MVM_TRY_VOID(Generate(child, again));
      MVM_TRY_VOID(EmitJump(start));
      set_exit(start);
    } else {
      MVM_TRY_VOID(Generate(child, again));
      MVM_TRY_VOID(split(start, here() + 1));
    }
    return Ok();
  }
  const uint32_t loop = program_.loops++;
  MVM_TRY_VOID(Emit({.op = Op::kLoopInit, .a = loop}));
  MVM_TRY(uint32_t at, Emit({.op = Op::kLoop,
                             .flags = static_cast<uint8_t>(lazy ? kInstrLazy : 0),
                             .a = loop,
                             .b = x.a,
                             .c = x.b,
                             .d = here() + 1}));
  MVM_TRY_VOID(Generate(child, again));
  MVM_TRY_VOID(EmitJump(at));
  code(at).e = here();
  return Ok();
}

Status Compiler::Atomic(uint32_t child, const Node* repeat) {
  const uint32_t barrier = program_.barriers++;
  MVM_TRY_VOID(Emit({.op = Op::kAtomic, .c = barrier}));
  if (repeat) {
    // The iterations it must have are not gone back into either.
    if (repeat->a > 1) {
      MVM_TRY(uint32_t body, analysis_.MakeAtomic(child));
      child = body;
    }
    Node greedy = *repeat;
    greedy.style = Style::kGreedy;
    MVM_TRY_VOID(Loop(greedy, child, Accept()));
  } else {
    MVM_TRY_VOID(Generate(child, Accept()));
  }
  MVM_TRY_VOID(Emit({.op = Op::kAtomicEnd, .c = barrier}));
  return Ok();
}

Status Compiler::Look(uint32_t n) {
  const Node x = node(n);
  MVM_TRY(uint32_t child, analysis_.Simplify(x.child));
  const uint8_t flags =
      static_cast<uint8_t>((x.negate ? kInstrNegate : 0) | (x.behind ? kInstrBehind : 0));
  const uint64_t width = node(child).min_width;
  if (x.behind && (width != node(child).max_width || width > UINT32_MAX)) {
    MVM_TRY(Ref<StrObject> message,
            NewStr(ts_, width != node(child).max_width ? "look-behind requires fixed-width pattern"
                                                       : "looks too much behind"));
    return RaisePatternError(ts_, message, Value(), -1);
  }
  One one;
  MVM_TRY(bool is_one, analysis_.AsOne(child, &one));
  if (is_one) {
    MVM_TRY_VOID(Emit(
        {.op = Op::kLookOne, .kind = static_cast<uint8_t>(one.kind), .flags = flags, .a = one.a}));
    return Ok();
  }
  const uint32_t barrier = program_.barriers++;
  MVM_TRY(uint32_t at, Emit({.op = Op::kLook,
                             .flags = flags,
                             .b = static_cast<uint32_t>(x.behind ? width : 0),
                             .c = barrier}));
  MVM_TRY_VOID(Generate(child, Accept()));
  MVM_TRY_VOID(Emit({.op = Op::kLookEnd, .flags = flags, .c = barrier}));
  code(at).a = here();
  return Ok();
}

Status Compiler::Conditional(uint32_t n, const First& follow) {
  const Node x = node(n);
  const uint32_t no = node(x.child).next;
  MVM_TRY(uint32_t at, Emit({.op = Op::kConditional, .a = x.a}));
  MVM_TRY_VOID(Generate(x.child, follow));
  MVM_TRY(uint32_t jump, Emit({.op = Op::kJump}));
  code(at).b = here();
  MVM_TRY_VOID(Generate(no, follow));
  code(jump).a = here();
  return Ok();
}

}  // namespace

Status CompileProgram(ThreadState& ts, PatternTree* tree, Program* program) {
  Compiler compiler(ts, tree, program);
  return compiler.Compile();
}

}  // namespace minivm::regex
