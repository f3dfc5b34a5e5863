// Rich comparison: the left operand's slot, the right one's reflected, then identity for == and !=.
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

constexpr CompareOp kSwapped[] = {CompareOp::kGt, CompareOp::kGe, CompareOp::kEq,
                                  CompareOp::kNe, CompareOp::kLt, CompareOp::kLe};
constexpr const char* kSigns[] = {"<", "<=", "==", "!=", ">", ">="};

template <class T>
bool Holds(CompareOp op, T a, T b) {
  switch (op) {
    case CompareOp::kLt: return a < b;
    case CompareOp::kLe: return a <= b;
    case CompareOp::kEq: return a == b;
    case CompareOp::kNe: return a != b;
    case CompareOp::kGt: return a > b;
    case CompareOp::kGe: return a >= b;
  }
  return false;
}

enum class Answer : int8_t { kNo, kYes, kUnknown };
Answer Answered(bool yes) { return yes ? Answer::kYes : Answer::kNo; }

constexpr uint32_t kQuickItems = 16;  // of tuples; longer ones are charged for
constexpr int kQuickDepth = 3;

// Comparisons without script code, references or results to be held: of inline numbers, strings,
// and short tuples of these. What keeps heaps, sorted lists and tables of records quick.
Answer QuickCompare(Value a, Value b, CompareOp op, int depth) {
  if (Value::BothInt(a, b)) return Answered(Holds(op, a.as_int(), b.as_int()));
  if (a.is_float() && b.is_float()) return Answered(Holds(op, a.as_float(), b.as_float()));
  if (!a.is_object() || !b.is_object()) return Answer::kUnknown;
  const uint32_t shape = a.object()->shape_id;
  if (shape != b.object()->shape_id) return Answer::kUnknown;
  if (shape == ShapeIdOf(TypeId::kStr)) {
    StrObject *s = a.as<StrObject>(), *t = b.as<StrObject>();
    if (op == CompareOp::kEq) return Answered(StrEquals(s, t));
    if (op == CompareOp::kNe) return Answered(!StrEquals(s, t));
    return Answered(Holds(op, StrCompare(s, t), 0));
  }
  if (shape != ShapeIdOf(TypeId::kTuple) || depth == 0) return Answer::kUnknown;
  const TupleObject *x = a.as<TupleObject>(), *y = b.as<TupleObject>();
  const uint32_t shorter = std::min(x->size(), y->size());
  if (shorter > kQuickItems) return Answer::kUnknown;
  for (uint32_t i = 0; i < shorter; ++i) {
    const Value v = x->items()[i], w = y->items()[i];
    if (v.is(w)) continue;
    if (!Value::BothInt(v, w)) {
      const Answer equal = QuickCompare(v, w, CompareOp::kEq, depth - 1);
      if (equal == Answer::kYes) continue;
      if (equal == Answer::kUnknown) return equal;
    }
    return op == CompareOp::kEq || op == CompareOp::kNe ? Answered(op == CompareOp::kNe)
                                                        : QuickCompare(v, w, op, depth - 1);
  }
  return Answered(Holds(op, x->size(), y->size()));
}

// Neither operand's class knows.
Result<> Unanswered(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op == CompareOp::kEq) return Bool(ts, a.is(b));
  if (op == CompareOp::kNe) return Bool(ts, !a.is(b));
  return Raise(ts, Exc::kTypeError, "'%s' not supported between instances of '%T' and '%T'",
               kSigns[static_cast<int>(op)], a, b);
}

}  // namespace

// What QuickCompare has no answer for.
static Result<> CompareBySlots(ThreadState& ts, Value a, Value b, CompareOp op) {
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  TypeObject* ta = TypeOf(ts, a);
  TypeObject* tb = TypeOf(ts, b);
  CompareOp swapped = kSwapped[static_cast<int>(op)];
  bool reflected_done = false;
  if (ta != tb && tb->slots.compare && IsSubtype(tb, ta)) {
    reflected_done = true;
    MVM_TRY(Ref<> r, tb->slots.compare(ts, b, a, swapped));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (ta->slots.compare) {
    MVM_TRY(Ref<> r, ta->slots.compare(ts, a, b, op));
    if (!IsNotImplemented(ts, r)) return r;
  }
  return reflected_done ? Unanswered(ts, a, b, op) : CompareRest(ts, a, b, op);
}

Result<> CompareRest(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (const auto compare = TypeOf(ts, b)->slots.compare) {
    MVM_TRY(Ref<> r, compare(ts, b, a, kSwapped[static_cast<int>(op)]));
    if (!IsNotImplemented(ts, r)) return r;
  }
  return Unanswered(ts, a, b, op);
}

Result<> Compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  const Answer quick = QuickCompare(a, b, op, kQuickDepth);
  if (quick != Answer::kUnknown) return Bool(ts, quick == Answer::kYes);
  return CompareBySlots(ts, a, b, op);
}

Result<bool> CompareTruth(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (Value::BothInt(a, b)) return Holds(op, a.as_int(), b.as_int());
  const Answer quick = QuickCompare(a, b, op, kQuickDepth);
  if (quick != Answer::kUnknown) return quick == Answer::kYes;
  MVM_TRY(Ref<> r, CompareBySlots(ts, a, b, op));
  if (r.is(ts.rt->true_)) return true;
  if (r.is(ts.rt->false_)) return false;
  return Truth(ts, r);
}

Result<bool> CompareBool(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (a.is(b)) {
    if (op == CompareOp::kEq) return true;
    if (op == CompareOp::kNe) return false;
  }
  return CompareTruth(ts, a, b, op);
}

}  // namespace minivm
