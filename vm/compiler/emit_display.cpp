// Displays of lists, tuples, sets and dicts, and f-strings.
//
// Short ones are built from a run of temporaries by one instruction; long ones and those with
// stars grow element by element, so that they need no more registers than a short one.
#include "runtime/objects/set_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

namespace {
constexpr uint32_t kMaxRun = 30;       // elements built by one instruction
constexpr uint32_t kMaxPairRun = 16;   // pairs of a dict display
constexpr uint32_t kConstantList = 3;  // from here on a constant list is copied from a tuple

bool HasStar(Span<Expr*> elts) {
  for (Expr* e : elts) {
    if (e->kind == ExprKind::kStarred) return true;
  }
  return false;
}
}  // namespace

// A new list in a temporary: the items of `elts`, stars spread.
void CodeGenerator::DisplayList(Span<Expr*> elts) {
  const Position at = b().position();
  uint32_t i = 0;
  while (i < elts.size && i < kMaxRun && elts[i]->kind != ExprKind::kStarred) ++i;
  if (i == 0) {
    b().EmitTo(Dest{}, Op::NEWLIST, 0, 0, static_cast<int32_t>(elts.size > 64 ? 64 : elts.size));
  } else {
    for (uint32_t k = 0; k < i; ++k) ToTemp(elts[k]);
    b().SetPosition(at);
    b().Pop(i);
    b().EmitTo(Dest{}, Op::BUILD_LIST, b().Next(), i);
  }
  b().SetPosition(at);
  AppendItems(b().Next() - 1u, elts, i);
}

void CodeGenerator::AppendItems(unsigned list, Span<Expr*> elts, uint32_t from) {
  const Position at = b().position();
  for (uint32_t i = from; i < elts.size; ++i) {
    const Expr* e = elts[i];
    const bool star = e->kind == ExprKind::kStarred;
    Operand o = Any(star ? As<StarredExpr>(e)->value : e);
    b().SetPosition(at);
    b().Pop(o);
    b().Emit(star ? Op::LIST_EXTEND : Op::LIST_APPEND, list, o.reg, ConsumeBits(o));
  }
}

void CodeGenerator::Display(Span<Expr*> elts, ExprKind kind, const Expr* e, Dest dest) {
  if (e->ctx != ExprContext::kLoad && kind != ExprKind::kSet) {
    MVM_CHECK(false, "a target is not evaluated");
  }
  b().SetLocation(e->loc);
  if (elts.size >= kConstantList && kind != ExprKind::kTuple) {
    if (Ref<> constant = FoldSequence(e)) {
      b().EmitTo(Dest{}, kind == ExprKind::kList ? Op::NEWLIST : Op::NEWSET);
      LoadConstant(constant, Dest{});
      b().Pop();
      b().Emit(kind == ExprKind::kList ? Op::LIST_EXTEND : Op::SET_UPDATE, b().Next() - 1u,
               b().Next(), kConsume1);
      return MoveTop(dest);
    }
  }
  if (elts.size == 0) return b().EmitTo(dest, Op::NEWLIST);
  if (elts.size <= kMaxRun && !HasStar(elts)) {
    for (Expr* item : elts) ToTemp(item);
    b().SetLocation(e->loc);
    b().Pop(elts.size);
    Op op = kind == ExprKind::kList    ? Op::BUILD_LIST
            : kind == ExprKind::kTuple ? Op::BUILD_TUPLE
                                       : Op::BUILD_SET;
    return b().EmitTo(dest, op, b().Next(), elts.size);
  }
  if (kind != ExprKind::kSet) {
    DisplayList(elts);
    if (kind == ExprKind::kTuple) {
      b().SetLocation(e->loc);
      b().Emit(Op::LIST_TO_TUPLE, b().Next() - 1u);
    }
    return MoveTop(dest);
  }
  b().EmitTo(Dest{}, Op::NEWSET);
  const unsigned set = b().Next() - 1u;
  for (Expr* item : elts) {
    const bool star = item->kind == ExprKind::kStarred;
    Operand o = Any(star ? As<StarredExpr>(item)->value : item);
    b().SetLocation(e->loc);
    b().Pop(o);
    b().Emit(star ? Op::SET_UPDATE : Op::SET_ADD, set, o.reg, ConsumeBits(o));
  }
  MoveTop(dest);
}

void CodeGenerator::DictDisplay(const DictExpr* e, Dest dest) {
  const uint32_t count = e->values.size;
  uint32_t run = 0;
  while (run < count && run < kMaxPairRun && e->keys[run]) ++run;
  for (uint32_t i = 0; i < run; ++i) {
    ToTemp(e->keys[i]);
    ToTemp(e->values[i]);
  }
  b().SetLocation(e->loc);
  b().Pop(run * 2);
  if (run == count && run > 0) return b().EmitTo(dest, Op::BUILD_MAP, b().Next(), run);
  if (run > 0) {
    b().EmitTo(Dest{}, Op::BUILD_MAP, b().Next(), run);
  } else {
    b().EmitTo(Dest{}, Op::NEWDICT);
  }
  const unsigned dict = b().Next() - 1u;
  for (uint32_t i = run; i < count; ++i) {
    if (e->keys[i] == nullptr) {
      Operand o = Any(e->values[i]);
      b().SetLocation(e->loc);
      b().Pop(o);
      b().Emit(Op::DICT_UPDATE, dict, o.reg, ConsumeBits(o));
      continue;
    }
    Operand key = Any(e->keys[i]);
    Operand value = Any(e->values[i]);
    b().SetLocation(e->loc);
    b().Pop(value);
    b().Pop(key);
    b().Emit(Op::MAP_ADD, dict, key.reg, value.reg, static_cast<int32_t>(ConsumeBits(key, value)));
  }
  MoveTop(dest);
}

// ---------------------------------------------------------------- f-strings

void CodeGenerator::FormattedValue(const FormattedValueExpr* e, Dest dest) {
  int conversion = 0;
  switch (e->conversion) {
    case -1: break;
    case 's': conversion = 1; break;
    case 'r': conversion = 2; break;
    case 'a': conversion = 3; break;
    default: context_.Fail();  // refused by the tree's validation
  }
  Operand value = Any(e->value);
  unsigned spec = 0;
  if (e->format_spec) {
    ToTemp(e->format_spec);
    b().Pop();
    spec = b().Next();
  }
  b().SetLocation(e->loc);
  b().Pop(value);
  const int32_t x =
      static_cast<int32_t>(ConsumeBits(value)) | conversion << 1 | (e->format_spec ? 8 : 0);
  b().EmitTo(dest, Op::FORMAT, value.reg, spec, x);
}

void CodeGenerator::JoinedStr(const JoinedStrExpr* e, Dest dest) {
  const uint32_t count = e->values.size;
  if (count == 0) {
    b().SetLocation(e->loc);
    return LoadConstant(context_.ts.rt->empty_str, dest);
  }
  if (count == 1) return Eval(e->values[0], dest);
  if (count <= kMaxRun) {
    for (Expr* part : e->values) ToTemp(part);
    b().SetLocation(e->loc);
    b().Pop(count);
    return b().EmitTo(dest, Op::BUILD_STRING, b().Next(), count);
  }
  // ''.join([...])
  b().SetLocation(e->loc);
  LoadConstant(context_.ts.rt->empty_str, Dest{});
  b().Pop();
  const unsigned base = b().Next();
  b().Emit(Op::LOAD_METHOD, base, base, kConsume1, 0, b().NameIndex(Id("join")));
  b().Push(4);
  DisplayList(e->values);
  b().SetLocation(e->loc);
  FinishCall(Op::CALLM, base, 5, 1, 0, dest);
}

}  // namespace minivm
