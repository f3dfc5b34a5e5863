// Folding constants in a tree, for ast.parse(..., optimize=1): children first, in place.
//
// The compiler folds while it generates code and leaves the tree alone; this pass makes the result
// visible, as CPython's does: operators and subscripts of constants, tuples of constants, `in` and
// `for` over displays, `not` before in and is, __debug__, and "%s" % (x,) with simple formats.
#include <new>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/compile_context.h"
#include "vm/compiler/compiler.h"
#include "vm/syntax/ast_fields.h"
#include "vm/tree/tree.h"

namespace minivm {

namespace {

class Optimizer {
 public:
  Optimizer(ThreadState& ts, Arena& arena, ListObject* keep, int level, bool annotations)
      : ts_(ts), arena_(arena), keep_(keep), level_(level), skip_annotations_(annotations) {}

  Status Module(Mod* tree) {
    if (tree->kind == ModKind::kModule) MVM_TRY_VOID(Body(tree->body));
    if (tree->kind == ModKind::kInteractive) MVM_TRY_VOID(Visit(tree->body));
    if (tree->kind == ModKind::kExpression) MVM_TRY_VOID(Visit(tree->expression));
    return Ok();
  }

 private:
  // ---- walking: anything else has no expressions in it

  template <class T>
  Status Visit(T&) {
    return Ok();
  }
  template <class T>
  Status Visit(Span<T>& span) {
    for (T& item : span) MVM_TRY_VOID(Visit(item));
    return Ok();
  }
  template <class T>
  Status Children(T* node) {
    bool failed = false;
    VisitFields(node, [&](const char*, auto& field) {
      if (!failed) failed = Visit(field).raised();
    });
    if (failed) return kRaised;
    return Ok();
  }
  template <class T>
  Status Node(T* node) {
    return node == nullptr ? Ok() : Children(node);
  }
  Status Visit(Arguments*& n) { return Node(n); }
  Status Visit(Arg*& n) {
    if (n == nullptr || skip_annotations_) return Ok();
    return Visit(n->annotation);
  }
  Status Visit(Keyword*& n) { return Node(n); }
  Status Visit(WithItem*& n) { return Node(n); }
  Status Visit(MatchCase*& n) { return Node(n); }
  Status Visit(ExceptHandler*& n) { return Node(n); }
  Status Visit(Pattern*& n) { return Node(n); }
  Status Visit(TypeParam*& n) { return Node(n); }
  Status Visit(Comprehension*& n) {
    MVM_TRY_VOID(Node(n));
    return Iterable(&n->iter);
  }

  // A body whose first statement becomes a str only now must not gain a docstring.
  Status Body(Span<Stmt*>& body) {
    const bool had = IsDocstring(body);
    MVM_TRY_VOID(Visit(body));
    if (!had && IsDocstring(body)) {
      auto* s = As<ExprStmt>(body[0]);
      auto* joined = arena_.New<JoinedStrExpr>();
      joined->kind = ExprKind::kJoinedStr;
      joined->loc = s->value->loc;
      joined->depth = 2;
      Expr** items = arena_.NewArray<Expr*>(1);
      items[0] = s->value;
      joined->values = {items, 1};
      s->value = joined;
    }
    return Ok();
  }
  static bool IsDocstring(Span<Stmt*> body) {
    if (body.empty() || body[0]->kind != StmtKind::kExpr) return false;
    const Expr* e = As<ExprStmt>(body[0])->value;
    return e->kind == ExprKind::kConstant && As<ConstantExpr>(e)->value.kind == ConstantKind::kStr;
  }

  Status Visit(Stmt*& s) {
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    switch (s->kind) {
      case StmtKind::kFunctionDef:
      case StmtKind::kAsyncFunctionDef: {
        auto* f = As<FunctionDefStmt>(s);
        MVM_TRY_VOID(Visit(f->type_params));
        MVM_TRY_VOID(Visit(f->args));
        MVM_TRY_VOID(Body(f->body));
        MVM_TRY_VOID(Visit(f->decorator_list));
        return skip_annotations_ ? Ok() : Visit(f->returns);
      }
      case StmtKind::kClassDef: {
        auto* c = As<ClassDefStmt>(s);
        MVM_TRY_VOID(Visit(c->type_params));
        MVM_TRY_VOID(Visit(c->bases));
        MVM_TRY_VOID(Visit(c->keywords));
        MVM_TRY_VOID(Body(c->body));
        return Visit(c->decorator_list);
      }
      case StmtKind::kAnnAssign: {
        auto* a = As<AnnAssignStmt>(s);
        MVM_TRY_VOID(Visit(a->target));
        if (!skip_annotations_) MVM_TRY_VOID(Visit(a->annotation));
        return Visit(a->value);
      }
      case StmtKind::kFor:
      case StmtKind::kAsyncFor: MVM_TRY_VOID(Children(s)); return Iterable(&As<ForStmt>(s)->iter);
      default: return Children(s);
    }
  }

  Status Visit(Expr*& e) {
    if (e == nullptr) return Ok();
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    MVM_TRY_VOID(Children(e));
    switch (e->kind) {
      case ExprKind::kBinOp: return Binary(&e);
      case ExprKind::kUnaryOp: return Unary(&e);
      case ExprKind::kSubscript: {
        auto* s = As<SubscriptExpr>(e);
        if (e->ctx != ExprContext::kLoad || !IsConstant(s->value) || !IsConstant(s->slice)) {
          return Ok();
        }
        MVM_TRY(Ref<> value, ValueOf(s->value));
        MVM_TRY(Ref<> index, ValueOf(s->slice));
        return Replace(&e, FoldSubscriptValues(ts_, value, index));
      }
      case ExprKind::kTuple: {
        if (e->ctx != ExprContext::kLoad) return Ok();
        MVM_TRY(Ref<> folded, Items(As<TupleExpr>(e)->elts));
        return folded.is_done() ? Ok() : Replace(&e, std::move(folded));
      }
      case ExprKind::kName:
        if (e->ctx != ExprContext::kLoad || As<NameExpr>(e)->id->view() != "__debug__") return Ok();
        return Replace(&e, Ref<>::Borrow(level_ ? ts_.rt->false_ : ts_.rt->true_));
      case ExprKind::kCompare: {
        auto* c = As<CompareExpr>(e);
        const CmpOp last = c->ops.back();
        if (last == CmpOp::kIn || last == CmpOp::kNotIn) return Iterable(&c->comparators.back());
        return Ok();
      }
      default: return Ok();
    }
  }

  // ---- folding

  static bool IsConstant(const Expr* e) { return e->kind == ExprKind::kConstant; }
  Result<> ValueOf(const Expr* e) { return ConstantObject(ts_, As<ConstantExpr>(e)->value); }

  // Puts a constant in the place of *e; a null value leaves it.
  Status Replace(Expr** e, Ref<> value) {
    if (!value) return Ok();
    auto* constant = arena_.New<ConstantExpr>();
    constant->kind = ExprKind::kConstant;
    constant->loc = (*e)->loc;
    MVM_TRY_VOID(ConstantFromObject(ts_, value, arena_, keep_, &constant->value));
    *e = constant;
    return Ok();
  }

  // The tuple of the constants, Done() if they are not all such.
  Result<> Items(Span<Expr*> elts) {
    for (const Expr* e : elts) {
      if (!IsConstant(e)) return Result<>::Done();
    }
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts_, elts.size));
    for (const Expr* e : elts) {
      MVM_TRY(Ref<> v, ValueOf(e));
      MVM_TRY_VOID(ListAppend(ts_, list, v));
    }
    return TupleFrom(ts_, list);
  }
  // What is only iterated over or searched: a list may be a tuple, a set a frozenset.
  Status Iterable(Expr** e) {
    if ((*e)->kind == ExprKind::kList) {
      Span<Expr*> elts = As<ListExpr>(*e)->elts;
      for (const Expr* item : elts) {
        if (item->kind == ExprKind::kStarred) return Ok();
      }
      MVM_TRY(Ref<> items, Items(elts));
      if (!items.is_done()) return Replace(e, std::move(items));
      auto* tuple = arena_.New<TupleExpr>();
      static_cast<Expr&>(*tuple) = **e;
      tuple->kind = ExprKind::kTuple;
      tuple->elts = elts;
      *e = tuple;
    } else if ((*e)->kind == ExprKind::kSet) {
      MVM_TRY(Ref<> items, Items(As<SetExpr>(*e)->elts));
      if (items.is_done()) return Ok();
      MVM_TRY(Ref<> set, NewFrozenset(ts_, items));
      return Replace(e, std::move(set));
    }
    return Ok();
  }

  Status Unary(Expr** e) {
    auto* u = As<UnaryOpExpr>(*e);
    if (u->operand->kind == ExprKind::kCompare && u->op == UnaryOperator::kNot) {
      auto* c = As<CompareExpr>(u->operand);
      if (c->ops.size != 1) return Ok();
      switch (c->ops[0]) {
        case CmpOp::kIs: c->ops[0] = CmpOp::kIsNot; break;
        case CmpOp::kIsNot: c->ops[0] = CmpOp::kIs; break;
        case CmpOp::kIn: c->ops[0] = CmpOp::kNotIn; break;
        case CmpOp::kNotIn: c->ops[0] = CmpOp::kIn; break;
        default: return Ok();
      }
      *e = c;
      return Ok();
    }
    if (!IsConstant(u->operand)) return Ok();
    MVM_TRY(Ref<> v, ValueOf(u->operand));
    if (u->op == UnaryOperator::kNot) {
      MVM_TRY(bool truth, Truth(ts_, v));
      return Replace(e, Ref<>::Borrow(truth ? ts_.rt->false_ : ts_.rt->true_));
    }
    Result<> r = u->op == UnaryOperator::kInvert ? Invert(ts_, v)
                 : u->op == UnaryOperator::kUAdd ? Positive(ts_, v)
                                                 : Negative(ts_, v);
    if (r.raised()) {
      ClearPending(ts_);
      return Ok();
    }
    return Replace(e, r.Take());
  }

  Status Binary(Expr** e) {
    auto* b = As<BinOpExpr>(*e);
    if (!IsConstant(b->left)) return Ok();
    const ConstantValue& left = As<ConstantExpr>(b->left)->value;
    if (b->op == Operator::kMod && left.kind == ConstantKind::kStr &&
        b->right->kind == ExprKind::kTuple) {
      return Format(e, left.text, As<TupleExpr>(b->right)->elts);
    }
    if (!IsConstant(b->right)) return Ok();
    MVM_TRY(Ref<> l, ValueOf(b->left));
    MVM_TRY(Ref<> r, ValueOf(b->right));
    return Replace(e, FoldBinaryValues(ts_, b->op, l, r));
  }

  // ---- "%s" % (x,)

  Expr* Text(std::string_view text, const Location& loc) {
    auto* constant = arena_.New<ConstantExpr>();
    constant->kind = ExprKind::kConstant;
    constant->loc = loc;
    constant->value.kind = ConstantKind::kStr;
    constant->value.text = arena_.Copy(text);
    return constant;
  }

  // One conversion, after its "%": true and past it if an f-string can say the same.
  bool Conversion(std::string_view format, size_t* at, std::string* spec, char* conversion) {
    bool left = false;
    size_t i = *at;
    for (; i < format.size() && format[i] == '-'; ++i) left = true;
    auto digits = [&](std::string* out) {
      for (; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i)
        out->push_back(format[i]);
    };
    if (i < format.size() && format[i] == '0') return false;  // a flag
    std::string width, precision;
    digits(&width);
    if (i < format.size() && format[i] == '.') {
      ++i;
      digits(&precision);
      if (precision.empty()) precision = "0";
    }
    if (width.size() > 4 || precision.size() > 4 || i >= format.size()) return false;
    *conversion = format[i++];
    if (*conversion != 's' && *conversion != 'r' && *conversion != 'a') return false;
    *at = i;
    if (!width.empty() && !left) *spec += '>';
    *spec += width;
    if (!precision.empty()) *spec += "." + precision;
    return true;
  }

  Status Format(Expr** e, std::string_view format, Span<Expr*> values) {
    for (const Expr* v : values) {
      if (v->kind == ExprKind::kStarred) return Ok();
    }
    const Location loc = (*e)->loc;
    std::vector<Expr*> parts;
    std::string text;
    uint32_t used = 0;
    for (size_t i = 0; i < format.size();) {
      if (format[i] != '%') {
        text += format[i++];
        continue;
      }
      if (++i < format.size() && format[i] == '%') {
        text += format[i++];
        continue;
      }
      std::string spec;
      char conversion;
      if (used == values.size || !Conversion(format, &i, &spec, &conversion)) return Ok();
      if (!text.empty()) parts.push_back(Text(std::exchange(text, {}), loc));
      auto* field = arena_.New<FormattedValueExpr>();
      field->kind = ExprKind::kFormattedValue;
      field->value = values[used++];
      field->loc = field->value->loc;
      field->depth = field->value->depth + 1;
      field->conversion = conversion;
      field->format_spec = spec.empty() ? nullptr : Text(spec, loc);
      parts.push_back(field);
    }
    if (used != values.size) return Ok();
    if (!text.empty()) parts.push_back(Text(text, loc));
    auto* joined = arena_.New<JoinedStrExpr>();
    joined->kind = ExprKind::kJoinedStr;
    joined->loc = loc;
    joined->depth = (*e)->depth + 1;
    joined->values.data = arena_.NewArray<Expr*>(parts.size());
    joined->values.size = static_cast<uint32_t>(parts.size());
    std::copy(parts.begin(), parts.end(), joined->values.data);
    *e = joined;
    return Ok();
  }

  ThreadState& ts_;
  Arena& arena_;
  ListObject* keep_;
  int level_;
  bool skip_annotations_;
};

// `from __future__ import annotations`: annotations are text, which must stay as it is.
bool KeepsAnnotations(const Mod* tree) {
  for (const Stmt* s : tree->body) {
    if (s->kind != StmtKind::kImportFrom) continue;
    auto* i = As<ImportFromStmt>(s);
    if (i->module == nullptr || i->module->view() != "__future__") continue;
    for (const Alias* a : i->names) {
      if (a->name->view() == "annotations") return true;
    }
  }
  return false;
}

}  // namespace

Status OptimizeTree(ThreadState& ts, Mod* tree, Arena& arena, int level, Ref<>* keep) {
  try {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
    *keep = Ref<>::Borrow(list.value());
    return Optimizer(ts, arena, list, level, KeepsAnnotations(tree)).Module(tree);
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

}  // namespace minivm
