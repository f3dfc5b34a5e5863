// Jumps of debuggers: assignments to frame.f_lineno.
//
// Only the trace function that is being told of a line of this frame may jump, and only where the
// temporaries agree: those alive at the target must be alive, for the same use, where the frame is.
// What the jump leaves (iterators of loops, managers of `with`, handled exceptions) is released
// when the trace function returns. The compiler leaves checks for unbound locals out where all
// paths bind them, so a jump binds what is unbound to None first, as CPython does.
#include <algorithm>
#include <climits>

#include "runtime/objects/cell_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/position_table.h"
#include "vm/interp/frame_locals.h"
#include "vm/interp/interp_state.h"

namespace minivm {

namespace {

using Kinds = std::vector<uint32_t>;

// A place where a line begins: before word `pc`, behind `mark` of its marks.
struct Place {
  uint32_t pc = 0;
  uint32_t mark = 0;
  int line = -1;
};

// Words that set a frame up; they run once.
uint32_t PrologueEnd(const CodeObject* code) {
  uint32_t pc = 0;
  for (; pc < code->word_count; ++pc) {
    const Op op = static_cast<Op>(code->instances->words[pc].op);
    if (op != Op::GENSTART && op != Op::MKFAR && op != Op::MKCELL) break;
  }
  return pc;
}

std::vector<Place> LineStarts(const CodeObject* code) {
  std::vector<Place> places;
  PositionReader reader(code->positions, code->word_count);
  const uint32_t first = PrologueEnd(code);
  // The line of the `def` is where everything begins.
  places.push_back({first, 0, static_cast<int>(code->first_line)});
  int before = -1;
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    const int line = reader.Next().line;
    if (pc < first) continue;
    uint32_t nth = 0;
    for (const LineMark& mark : MarksAt(code, pc)) {
      places.push_back({pc, nth++, mark.line});
      before = mark.line;
    }
    const Op op = GenericOp(static_cast<Op>(code->instances->words[pc].op));
    if (line >= 0 && line != before && !IsQuiet(op)) places.push_back({pc, nth, line});
    if (line >= 0) before = line;
  }
  return places;
}

// Is what lives at the target alive, and for the same use, at the source?
bool Compatible(const Kinds& from, const Kinds& to) {
  return to.size() <= from.size() && std::equal(to.begin(), to.end(), from.begin()) &&
         std::find(to.begin(), to.end(), kTempHole) == to.end();
}

const char* WhyNot(const Kinds& to) {
  if (to == Kinds{kUnreached}) return "can't jump into unreachable code";
  switch (to.empty() ? kTempHole : to.back()) {
    case kTempHandled:
    case kTempException: return "can't jump into an 'except' block as there's no exception";
    case kTempIterator:
    case kTempAsyncIterator: return "can't jump into the body of a for loop";
    default: return "incompatible stacks";
  }
}

// The innermost place of `line` that can be jumped to, or why there is none.
const char* Choose(const CodeObject* code, const std::vector<Place>& places, int line,
                   uint32_t from, Place* chosen, uint32_t* keep) {
  std::vector<Kinds> kinds;
  if (!StackKinds(code, &kinds)) return "stack to deep to analyze";
  const char* problem = nullptr;
  bool found = false;
  for (const Place& place : places) {
    if (place.line != line) continue;
    const Kinds& to = kinds[place.pc];
    if (to == Kinds{kUnreached} || !Compatible(kinds[from], to)) {
      if (problem == nullptr) problem = WhyNot(to);
    } else if (!found || to.size() > *keep) {
      found = true;
      *keep = static_cast<uint32_t>(to.size());
      *chosen = place;
    }
  }
  if (found) {
    *keep += code->local_count;
    return nullptr;
  }
  return problem == nullptr ? "can't jump into unreachable code" : problem;
}

// Those of comprehensions, which have no name outside them, count too (as they do in CPython).
int CountUnbound(ThreadState& ts, FrameObject* frame) {
  int unbound = 0;
  for (uint32_t i = 0; i < frame->function->local_count; ++i) {
    if (frame->base[i].is(ts.rt->unbound)) ++unbound;
  }
  return unbound;
}

// Calls f(word) for each variable of the frame that is unbound.
template <class F>
void ForEachUnbound(ThreadState& ts, FrameObject* frame, F f) {
  const CodeObject* code = frame->function->code;
  for (uint32_t i = 0; i < code->varnames->size(); ++i) {
    auto* word = const_cast<Value*>(LocalAt(code, frame->base, code->varname_registers[i]));
    if (word != nullptr && word->is(ts.rt->unbound)) f(word);
  }
}

Status BindUnbound(ThreadState& ts, FrameObject* frame) {
  const int unbound = CountUnbound(ts, frame);
  if (unbound == 0) return Ok();
  MVM_TRY_VOID(Warn(ts, Exc::kRuntimeWarning, 1, "assigning None to %d unbound local%s", unbound,
                    unbound == 1 ? "" : "s"));
  ForEachUnbound(ts, frame, [&](Value* word) {
    Ref<> old = Ref<>::Steal(std::exchange(*word, Ref<>::Borrow(ts.rt->none).Release()));
  });
  return Ok();
}

// What is wrong with a jump at this moment, whatever the line.
Status CheckMoment(ThreadState& ts, FrameObject* frame) {
  if (!InterpOf(ts).in_trace || frame->base == nullptr) {
    return Raise(ts, Exc::kValueError, "f_lineno can only be set in a trace function");
  }
  const std::string_view event = frame->event == nullptr ? "" : frame->event;
  if (event == "call") {
    return Raise(ts, Exc::kValueError, "can't jump from the 'call' trace event of a new frame");
  }
  if (event != "line") {
    return Raise(ts, Exc::kValueError, "can only jump from a 'line' trace event");
  }
  return Ok();
}

Result<int> LineOf(ThreadState& ts, Value v) {
  if (!IsInt(ts, v)) return Raise(ts, Exc::kValueError, "lineno must be an integer");
  Result<int64_t> line = AsInt64(ts, v);
  if (line.raised()) {
    if (!ClearPendingIf(ts, Exc::kOverflowError)) return kRaised;
  } else if (const int64_t n = line.Take(); n >= INT_MIN && n <= INT_MAX) {
    return static_cast<int>(n);
  }
  return Raise(ts, Exc::kValueError, "lineno out of range");
}

}  // namespace

Status SetFrameLine(ThreadState& ts, Value self, Value v) {
  FrameObject* frame = self.as<FrameObject>();
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY_VOID(CheckMoment(ts, frame));
  MVM_TRY(int line, LineOf(ts, v));
  const FunctionObject* f = frame->function;
  const CodeObject* code = f->code;
  if (line < static_cast<int>(code->first_line)) {
    return Raise(ts, Exc::kValueError, "line %d comes before the current code block", line);
  }
  MVM_TRY_VOID(CheckRoom(ts, StackKindsBytes(code)));
  const std::vector<Place> places = LineStarts(code);
  int best = INT_MAX;
  for (const Place& place : places) {
    if (place.line >= line) best = std::min(best, place.line);
  }
  if (best == INT_MAX) {
    return Raise(ts, Exc::kValueError, "line %d comes after the current code block", line);
  }
  Place place;
  uint32_t keep = 0;
  if (const char* problem =
          Choose(code, places, best, PcIndex(f, frame->traced_pc), &place, &keep)) {
    return Raise(ts, Exc::kValueError, "%s", problem);
  }
  MVM_TRY_VOID(BindUnbound(ts, frame));
  // Not below: the words that are still to come, and the line that is shown already.
  const auto marks = static_cast<uint32_t>(MarksAt(code, place.pc).size());
  const bool at_start = best == static_cast<int>(code->first_line) && place.mark == 0 &&
                        place.pc == PrologueEnd(code);
  frame->jump_pc = f->instance->words + place.pc;
  frame->jump_mark = at_start ? 0 : place.mark + 1;
  frame->jump_keep = keep;
  frame->shown_line = frame->traced_line = best;
  frame->shown_back = marks - std::min(marks, place.mark);
  return Ok();
}

void LeaveForJump(ThreadState& ts, FrameObject* frame, Value* base, const Word* pc) {
  const FunctionObject* f = frame->function;
  std::vector<Kinds> kinds;
  if (!StackKinds(f->code, &kinds)) return;
  const Kinds& here = kinds[PcIndex(f, pc)];
  for (auto r = static_cast<uint32_t>(f->code->local_count + here.size()); r > frame->jump_keep;
       --r) {
    const uint32_t kind = here[r - 1 - f->code->local_count];
    if (kind == kTempHole) continue;
    Value v = std::exchange(base[r - 1], Value::Int(0));
    if (kind == kTempHandled) {
      v = std::exchange(ts.handled->value, v.is_absent() ? Value() : v);
    }
    Decref(v);
  }
}

}  // namespace minivm
