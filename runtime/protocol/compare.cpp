// Rich comparison: the left operand's slot, the right one's reflected, then identity for == and !=.
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

constexpr CompareOp kSwapped[] = {CompareOp::kGt, CompareOp::kGe, CompareOp::kEq,
                                  CompareOp::kNe, CompareOp::kLt, CompareOp::kLe};
constexpr const char* kSigns[] = {"<", "<=", "==", "!=", ">", ">="};

bool Holds(CompareOp op, int64_t a, int64_t b) {
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

}  // namespace

Result<> Compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (Value::BothInt(a, b)) return Bool(ts, Holds(op, a.as_int(), b.as_int()));
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
  if (!reflected_done && TypeOf(ts, b)->slots.compare) {
    MVM_TRY(Ref<> r, TypeOf(ts, b)->slots.compare(ts, b, a, swapped));
    if (!IsNotImplemented(ts, r)) return r;
  }
  if (op == CompareOp::kEq) return Bool(ts, a.is(b));
  if (op == CompareOp::kNe) return Bool(ts, !a.is(b));
  return Raise(ts, Exc::kTypeError, "'%s' not supported between instances of '%T' and '%T'",
               kSigns[static_cast<int>(op)], a, b);
}

Result<bool> CompareBool(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (a.is(b)) {
    if (op == CompareOp::kEq) return true;
    if (op == CompareOp::kNe) return false;
  }
  if (Value::BothInt(a, b)) return Holds(op, a.as_int(), b.as_int());
  if (IsExact(a, TypeId::kStr) && IsExact(b, TypeId::kStr)) {
    StrObject* s = a.as<StrObject>();
    StrObject* t = b.as<StrObject>();
    if (op == CompareOp::kEq) return StrEquals(s, t);
    if (op == CompareOp::kNe) return !StrEquals(s, t);
    return Holds(op, StrCompare(s, t), 0);
  }
  MVM_TRY(Ref<> r, Compare(ts, a, b, op));
  return Truth(ts, r);
}

}  // namespace minivm
