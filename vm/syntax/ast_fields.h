// The fields of every node, by name and in the order of Python's `ast` module.
//
// VisitFields(node, visitor) calls visitor(name, field) for each field, where
// `field` has the type it has in ast.h: a child pointer, a Span of them, an
// Identifier, an operator enum, ... NodeName() is the class name in `ast`.
#pragma once

#include <string_view>

#include "vm/syntax/ast.h"

namespace minivm {

std::string_view NodeName(ExprKind kind);
std::string_view NodeName(StmtKind kind);
std::string_view NodeName(PatternKind kind);
std::string_view NodeName(TypeParamKind kind);
std::string_view NodeName(ModKind kind);
std::string_view NodeName(ExprContext ctx);
std::string_view NodeName(BoolOperator op);
std::string_view NodeName(Operator op);
std::string_view NodeName(UnaryOperator op);
std::string_view NodeName(CmpOp op);

template <class V>
void VisitFields(Expr* e, V&& v) {
  switch (e->kind) {
    case ExprKind::kBoolOp: {
      auto* n = As<BoolOpExpr>(e);
      v("op", n->op), v("values", n->values);
      return;
    }
    case ExprKind::kNamedExpr: {
      auto* n = As<NamedExprExpr>(e);
      v("target", n->target), v("value", n->value);
      return;
    }
    case ExprKind::kBinOp: {
      auto* n = As<BinOpExpr>(e);
      v("left", n->left), v("op", n->op), v("right", n->right);
      return;
    }
    case ExprKind::kUnaryOp: {
      auto* n = As<UnaryOpExpr>(e);
      v("op", n->op), v("operand", n->operand);
      return;
    }
    case ExprKind::kLambda: {
      auto* n = As<LambdaExpr>(e);
      v("args", n->args), v("body", n->body);
      return;
    }
    case ExprKind::kIfExp: {
      auto* n = As<IfExpExpr>(e);
      v("test", n->test), v("body", n->body), v("orelse", n->orelse);
      return;
    }
    case ExprKind::kDict: {
      auto* n = As<DictExpr>(e);
      v("keys", n->keys), v("values", n->values);
      return;
    }
    case ExprKind::kSet: return void(v("elts", As<SetExpr>(e)->elts));
    case ExprKind::kListComp:
    case ExprKind::kSetComp:
    case ExprKind::kGeneratorExp: {
      auto* n = As<CompExpr>(e);
      v("elt", n->elt), v("generators", n->generators);
      return;
    }
    case ExprKind::kDictComp: {
      auto* n = As<DictCompExpr>(e);
      v("key", n->key), v("value", n->value), v("generators", n->generators);
      return;
    }
    case ExprKind::kAwait: return void(v("value", As<AwaitExpr>(e)->value));
    case ExprKind::kYield: return void(v("value", As<YieldExpr>(e)->value));
    case ExprKind::kYieldFrom: return void(v("value", As<YieldFromExpr>(e)->value));
    case ExprKind::kCompare: {
      auto* n = As<CompareExpr>(e);
      v("left", n->left), v("ops", n->ops), v("comparators", n->comparators);
      return;
    }
    case ExprKind::kCall: {
      auto* n = As<CallExpr>(e);
      v("func", n->func), v("args", n->args), v("keywords", n->keywords);
      return;
    }
    case ExprKind::kFormattedValue: {
      auto* n = As<FormattedValueExpr>(e);
      v("value", n->value), v("conversion", n->conversion), v("format_spec", n->format_spec);
      return;
    }
    case ExprKind::kJoinedStr: return void(v("values", As<JoinedStrExpr>(e)->values));
    case ExprKind::kConstant: return void(v("value", As<ConstantExpr>(e)->value));
    case ExprKind::kAttribute: {
      auto* n = As<AttributeExpr>(e);
      v("value", n->value), v("attr", n->attr), v("ctx", n->ctx);
      return;
    }
    case ExprKind::kSubscript: {
      auto* n = As<SubscriptExpr>(e);
      v("value", n->value), v("slice", n->slice), v("ctx", n->ctx);
      return;
    }
    case ExprKind::kStarred: return v("value", As<StarredExpr>(e)->value), void(v("ctx", e->ctx));
    case ExprKind::kName: return v("id", As<NameExpr>(e)->id), void(v("ctx", e->ctx));
    case ExprKind::kList: return v("elts", As<ListExpr>(e)->elts), void(v("ctx", e->ctx));
    case ExprKind::kTuple: return v("elts", As<TupleExpr>(e)->elts), void(v("ctx", e->ctx));
    case ExprKind::kSlice: {
      auto* n = As<SliceExpr>(e);
      v("lower", n->lower), v("upper", n->upper), v("step", n->step);
      return;
    }
  }
}

template <class V>
void VisitFields(Stmt* s, V&& v) {
  switch (s->kind) {
    case StmtKind::kFunctionDef:
    case StmtKind::kAsyncFunctionDef: {
      auto* n = As<FunctionDefStmt>(s);
      v("name", n->name), v("args", n->args), v("body", n->body);
      v("decorator_list", n->decorator_list), v("returns", n->returns);
      v("type_comment", n->type_comment), v("type_params", n->type_params);
      return;
    }
    case StmtKind::kClassDef: {
      auto* n = As<ClassDefStmt>(s);
      v("name", n->name), v("bases", n->bases), v("keywords", n->keywords), v("body", n->body);
      v("decorator_list", n->decorator_list), v("type_params", n->type_params);
      return;
    }
    case StmtKind::kReturn: return void(v("value", As<ReturnStmt>(s)->value));
    case StmtKind::kDelete: return void(v("targets", As<DeleteStmt>(s)->targets));
    case StmtKind::kAssign: {
      auto* n = As<AssignStmt>(s);
      v("targets", n->targets), v("value", n->value), v("type_comment", n->type_comment);
      return;
    }
    case StmtKind::kTypeAlias: {
      auto* n = As<TypeAliasStmt>(s);
      v("name", n->name), v("type_params", n->type_params), v("value", n->value);
      return;
    }
    case StmtKind::kAugAssign: {
      auto* n = As<AugAssignStmt>(s);
      v("target", n->target), v("op", n->op), v("value", n->value);
      return;
    }
    case StmtKind::kAnnAssign: {
      auto* n = As<AnnAssignStmt>(s);
      v("target", n->target), v("annotation", n->annotation), v("value", n->value);
      v("simple", n->simple);
      return;
    }
    case StmtKind::kFor:
    case StmtKind::kAsyncFor: {
      auto* n = As<ForStmt>(s);
      v("target", n->target), v("iter", n->iter), v("body", n->body), v("orelse", n->orelse);
      v("type_comment", n->type_comment);
      return;
    }
    case StmtKind::kWhile: {
      auto* n = As<WhileStmt>(s);
      v("test", n->test), v("body", n->body), v("orelse", n->orelse);
      return;
    }
    case StmtKind::kIf: {
      auto* n = As<IfStmt>(s);
      v("test", n->test), v("body", n->body), v("orelse", n->orelse);
      return;
    }
    case StmtKind::kWith:
    case StmtKind::kAsyncWith: {
      auto* n = As<WithStmt>(s);
      v("items", n->items), v("body", n->body), v("type_comment", n->type_comment);
      return;
    }
    case StmtKind::kMatch: {
      auto* n = As<MatchStmt>(s);
      v("subject", n->subject), v("cases", n->cases);
      return;
    }
    case StmtKind::kRaise: {
      auto* n = As<RaiseStmt>(s);
      v("exc", n->exc), v("cause", n->cause);
      return;
    }
    case StmtKind::kTry:
    case StmtKind::kTryStar: {
      auto* n = As<TryStmt>(s);
      v("body", n->body), v("handlers", n->handlers), v("orelse", n->orelse);
      v("finalbody", n->finalbody);
      return;
    }
    case StmtKind::kAssert: {
      auto* n = As<AssertStmt>(s);
      v("test", n->test), v("msg", n->msg);
      return;
    }
    case StmtKind::kImport: return void(v("names", As<ImportStmt>(s)->names));
    case StmtKind::kImportFrom: {
      auto* n = As<ImportFromStmt>(s);
      v("module", n->module), v("names", n->names), v("level", n->level);
      return;
    }
    case StmtKind::kGlobal:
    case StmtKind::kNonlocal: return void(v("names", As<GlobalStmt>(s)->names));
    case StmtKind::kExpr: return void(v("value", As<ExprStmt>(s)->value));
    case StmtKind::kPass:
    case StmtKind::kBreak:
    case StmtKind::kContinue: return;
  }
}

template <class V>
void VisitFields(Pattern* p, V&& v) {
  switch (p->kind) {
    case PatternKind::kMatchValue: return void(v("value", As<MatchValuePattern>(p)->value));
    case PatternKind::kMatchSingleton: return void(v("value", As<MatchSingletonPattern>(p)->value));
    case PatternKind::kMatchSequence:
      return void(v("patterns", As<MatchSequencePattern>(p)->patterns));
    case PatternKind::kMatchMapping: {
      auto* n = As<MatchMappingPattern>(p);
      v("keys", n->keys), v("patterns", n->patterns), v("rest", n->rest);
      return;
    }
    case PatternKind::kMatchClass: {
      auto* n = As<MatchClassPattern>(p);
      v("cls", n->cls), v("patterns", n->patterns), v("kwd_attrs", n->kwd_attrs);
      v("kwd_patterns", n->kwd_patterns);
      return;
    }
    case PatternKind::kMatchStar: return void(v("name", As<MatchStarPattern>(p)->name));
    case PatternKind::kMatchAs: {
      auto* n = As<MatchAsPattern>(p);
      v("pattern", n->pattern), v("name", n->name);
      return;
    }
    case PatternKind::kMatchOr: return void(v("patterns", As<MatchOrPattern>(p)->patterns));
  }
}

template <class V>
void VisitFields(TypeParam* p, V&& v) {
  switch (p->kind) {
    case TypeParamKind::kTypeVar: {
      auto* n = As<TypeVarParam>(p);
      v("name", n->name), v("bound", n->bound), v("default_value", n->default_value);
      return;
    }
    case TypeParamKind::kParamSpec: {
      auto* n = As<ParamSpecParam>(p);
      v("name", n->name), v("default_value", n->default_value);
      return;
    }
    case TypeParamKind::kTypeVarTuple: {
      auto* n = As<TypeVarTupleParam>(p);
      v("name", n->name), v("default_value", n->default_value);
      return;
    }
  }
}

template <class V>
void VisitFields(Arguments* n, V&& v) {
  v("posonlyargs", n->posonlyargs), v("args", n->args), v("vararg", n->vararg);
  v("kwonlyargs", n->kwonlyargs), v("kw_defaults", n->kw_defaults), v("kwarg", n->kwarg);
  v("defaults", n->defaults);
}
template <class V>
void VisitFields(Arg* n, V&& v) {
  v("arg", n->arg), v("annotation", n->annotation), v("type_comment", n->type_comment);
}
template <class V>
void VisitFields(Keyword* n, V&& v) {
  v("arg", n->arg), v("value", n->value);
}
template <class V>
void VisitFields(Comprehension* n, V&& v) {
  v("target", n->target), v("iter", n->iter), v("ifs", n->ifs), v("is_async", n->is_async);
}
template <class V>
void VisitFields(ExceptHandler* n, V&& v) {
  v("type", n->type), v("name", n->name), v("body", n->body);
}
template <class V>
void VisitFields(WithItem* n, V&& v) {
  v("context_expr", n->context_expr), v("optional_vars", n->optional_vars);
}
template <class V>
void VisitFields(MatchCase* n, V&& v) {
  v("pattern", n->pattern), v("guard", n->guard), v("body", n->body);
}
template <class V>
void VisitFields(Alias* n, V&& v) {
  v("name", n->name), v("asname", n->asname);
}

}  // namespace minivm
