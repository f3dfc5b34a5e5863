// Natives made from the operations of number.h, in the two forms in which Python has them: methods
// of Decimal (with an optional context) and of Context (with operands converted).
#pragma once

#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/decimal/decimal_object.h"

namespace minivm::decimal {

using UnaryOperation = Status (*)(ThreadState&, Number*, const View&, const Settings&, uint32_t*);
using BinaryOperation = Status (*)(ThreadState&, Number*, const View&, const View&, const Settings&,
                                   uint32_t*);
using Predicate = bool (*)(const View&, const Settings&);

// ---- operations under one shape ----

inline Status AddOp(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                    uint32_t* s) {
  return Add(ts, out, a, b, false, c, s);
}
inline Status SubtractOp(ThreadState& ts, Number* out, const View& a, const View& b,
                         const Settings& c, uint32_t* s) {
  return Add(ts, out, a, b, true, c, s);
}
// The operand as the context holds it; unlike plus, a zero keeps its sign.
inline Status RoundOnlyOp(ThreadState& ts, Number* out, const View& a, const Settings& c,
                          uint32_t* s) {
  MVM_TRY_VOID(out->Copy(ts, a));
  return Finalize(ts, out, c, s);
}
inline Status PlusOp(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* s) {
  return Plus(ts, out, a, false, c, s);
}
inline Status MinusOp(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* s) {
  return Plus(ts, out, a, true, c, s);
}
inline Status CompareOperator(ThreadState& ts, Number* out, const View& a, const View& b,
                              const Settings& c, uint32_t* s) {
  return CompareOperation(ts, out, a, b, false, c, s);
}
inline Status CompareSignalOp(ThreadState& ts, Number* out, const View& a, const View& b,
                              const Settings& c, uint32_t* s) {
  return CompareOperation(ts, out, a, b, true, c, s);
}
template <bool kMagnitude>
Status CompareTotalOp(ThreadState& ts, Number* out, const View& a, const View& b, const Settings&,
                      uint32_t*) {
  MVM_TRY(int order,
          CompareTotal(ts, kMagnitude ? a.Absolute() : a, kMagnitude ? b.Absolute() : b));
  return out->SetWord(ts, order != 0, 0, order < 0);
}
template <bool kMax, bool kMagnitude>
Status MinMaxOp(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                uint32_t* s) {
  return MinMax(ts, out, a, b, kMax, kMagnitude, c, s);
}
template <int kDirection>
Status NextOp(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* s) {
  return NextAdjacent(ts, out, a, kDirection, c, s);
}
template <Logic kLogic>
Status LogicOp(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
               uint32_t* s) {
  return Logical(ts, out, a, b, kLogic, c, s);
}
inline Status InvertOp(ThreadState& ts, Number* out, const View& a, const Settings& c,
                       uint32_t* s) {
  return Logical(ts, out, a, View(), Logic::kInvert, c, s);
}
template <bool kRotate>
Status ShiftOp(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
               uint32_t* s) {
  return ShiftDigits(ts, out, a, b, kRotate, c, s);
}
template <bool kExact>
Status IntegralOp(ThreadState& ts, Number* out, const View& a, const Settings& c, uint32_t* s) {
  return ToIntegral(ts, out, a, kExact, c, s);
}
inline Status CopyAbsOp(ThreadState& ts, Number* out, const View& a, const Settings&, uint32_t*) {
  MVM_TRY_VOID(out->Copy(ts, a));
  out->negative = false;
  return Ok();
}
inline Status CopyNegateOp(ThreadState& ts, Number* out, const View& a, const Settings&,
                           uint32_t*) {
  MVM_TRY_VOID(out->Copy(ts, a));
  out->negative = !a.negative;
  return Ok();
}
inline Status CopySignOp(ThreadState& ts, Number* out, const View& a, const View& b,
                         const Settings&, uint32_t*) {
  MVM_TRY_VOID(out->Copy(ts, a));
  out->negative = b.negative;
  return Ok();
}
inline bool SameQuantum(const View& a, const View& b) {
  if (a.nan() || b.nan()) return a.nan() && b.nan();
  if (a.infinite() || b.infinite()) return a.infinite() && b.infinite();
  return a.exp == b.exp;
}

inline bool IsCanonicalOp(const View&, const Settings&) { return true; }
inline bool IsFiniteOp(const View& v, const Settings&) { return v.finite(); }
inline bool IsInfiniteOp(const View& v, const Settings&) { return v.infinite(); }
inline bool IsNanOp(const View& v, const Settings&) { return v.nan(); }
inline bool IsQuietNanOp(const View& v, const Settings&) { return v.kind == Kind::kQuietNan; }
inline bool IsSignalingNanOp(const View& v, const Settings&) { return v.signaling(); }
inline bool IsSignedOp(const View& v, const Settings&) { return v.negative; }
inline bool IsZeroOp(const View& v, const Settings&) { return v.zero(); }

// The template arguments of a row of operations.def, which stand in parentheses there.
#define MVM_BARE(...) __VA_ARGS__

// ---- running them ----

template <UnaryOperation kOperation>
Result<> RunUnary(ThreadState& ts, Value a, ContextObject* context) {
  Operand x(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(x.Require(ts, a));
  MVM_TRY_VOID(kOperation(ts, &result, x.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}
template <BinaryOperation kOperation>
Result<> RunBinary(ThreadState& ts, Value a, Value b, ContextObject* context) {
  Operand x(ts), y(ts);
  Number result(ts);
  uint32_t status = 0;
  MVM_TRY_VOID(x.Require(ts, a));
  MVM_TRY_VOID(y.Require(ts, b));
  MVM_TRY_VOID(kOperation(ts, &result, x.view, y.view, context->settings, &status));
  MVM_TRY_VOID(ReportStatus(ts, context, status));
  return NewDecimal(ts, &result);
}

// Decimal.f(self, context=None), Decimal.f(self, other, context=None).
template <UnaryOperation kOperation>
Result<> DecimalUnary(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args.get(1, Value::Absent())));
  return RunUnary<kOperation>(ts, args[0], context);
}
template <BinaryOperation kOperation>
Result<> DecimalBinary(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args[2]));
  return RunBinary<kOperation>(ts, args[0], args[1], context);
}
// Context.f(self, x), Context.f(self, x, y).
template <UnaryOperation kOperation>
Result<> ContextUnary(ThreadState& ts, Args args) {
  return RunUnary<kOperation>(ts, args[1], args.self<ContextObject>());
}
template <BinaryOperation kOperation>
Result<> ContextBinary(ThreadState& ts, Args args) {
  return RunBinary<kOperation>(ts, args[1], args[2], args.self<ContextObject>());
}
template <Predicate kTest>
Result<> DecimalTest(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ContextObject> context, ContextArgument(ts, args.get(1, Value::Absent())));
  return Bool(ts, kTest(ViewOf(args[0]), context->settings));
}
template <Predicate kTest>
Result<> ContextTest(ThreadState& ts, Args args) {
  Operand x(ts);
  MVM_TRY_VOID(x.Require(ts, args[1]));
  return Bool(ts, kTest(x.view, args.self<ContextObject>()->settings));
}

}  // namespace minivm::decimal
