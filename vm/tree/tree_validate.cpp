// What holds for every tree that the parser makes and must be checked of one made by a script.
//
// The compiler relies on it: blocks have statements, targets have the Store context, lists that
// belong together have one length, positions run forwards. The errors are ValueErrors (some
// TypeErrors) with CPython's wording; a few that CPython finds while generating code are found
// here.
#include <string>

#include "runtime/objects/str_object.h"
#include "vm/syntax/ast_fields.h"
#include "vm/tree/tree.h"

namespace minivm {

namespace {

bool IsReserved(std::string_view name) {
  return name == "None" || name == "True" || name == "False";
}

class Validator {
 public:
  explicit Validator(ThreadState& ts) : ts_(ts) {}

  Status Module(Mod* tree) {
    switch (tree->kind) {
      case ModKind::kModule:
      case ModKind::kInteractive: return Stmts(tree->body);
      case ModKind::kExpression: return Load(tree->expression);
      case ModKind::kFunctionType:
        MVM_TRY_VOID(Exprs(tree->argtypes));
        return Load(tree->expression);
    }
    return Ok();
  }

 private:
  template <class... A>
  Raised Error(const char* format, A... args) {
    return Raise(ts_, Exc::kValueError, format, args...);
  }
  Status Required(const void* p, const char* field, const char* owner) {
    if (p != nullptr) return Ok();
    return Error("field '%s' is required for %s", field, owner);
  }

  Status Position(const Location& loc) {
    const int line = static_cast<int32_t>(loc.lineno),
              column = static_cast<int32_t>(loc.col_offset);
    const int end_line = static_cast<int32_t>(loc.end_lineno);
    const int end_column = static_cast<int32_t>(loc.end_col_offset);
    if (line > end_line) {
      return Error("AST node line range (%d, %d) is not valid", line, end_line);
    }
    if ((line < 0 && end_line != line) || (column < 0 && column != end_column)) {
      return Error("AST node column range (%d, %d) for line range (%d, %d) is not valid", column,
                   end_column, line, end_line);
    }
    if (line == end_line && column > end_column) {
      return Error("line %d, column %d-%d is not a valid range", line, column, end_column);
    }
    return Ok();
  }
  // The checks, then numbers that the tables of positions can hold.
  Status Position(Location* loc) {
    MVM_TRY_VOID(Position(*loc));
    for (uint32_t* n : {&loc->lineno, &loc->col_offset, &loc->end_lineno, &loc->end_col_offset}) {
      constexpr uint32_t kMost = INT32_MAX - 8;  // one more must fit an int
      if (static_cast<int32_t>(*n) < 0) *n = 0;
      if (*n > kMost) *n = kMost;
    }
    return Ok();
  }

  Status Name(Identifier id) {
    if (id == nullptr || !IsReserved(id->view())) return Ok();
    return Error("identifier field can't represent '%s' constant", std::string(id->view()).c_str());
  }
  Status Capture(Identifier id) {
    if (id == nullptr) return Ok();
    if (id->view() == "_") return Error("can't capture name '_' in patterns");
    return Name(id);
  }

  // ---- expressions

  Status Load(Expr* e) { return Expression(e, ExprContext::kLoad); }
  Status Optional(Expr* e) { return e == nullptr ? Ok() : Load(e); }
  Status Exprs(Span<Expr*> list, ExprContext ctx = ExprContext::kLoad, bool null_ok = false) {
    for (Expr* e : list) {
      if (e != nullptr) {
        MVM_TRY_VOID(Expression(e, ctx));
      } else if (!null_ok) {
        return Error("None disallowed in expression list");
      }
    }
    return Ok();
  }
  Status Targets(Span<Expr*> list, ExprContext ctx, const char* owner) {
    if (list.empty()) return Error("empty targets on %s", owner);
    return Exprs(list, ctx);
  }

  Status Context(const Expr* e, ExprContext wanted) {
    const char* const want = std::string_view(NodeName(wanted)).data();
    switch (e->kind) {
      case ExprKind::kAttribute:
      case ExprKind::kSubscript:
      case ExprKind::kStarred:
      case ExprKind::kName:
      case ExprKind::kList:
      case ExprKind::kTuple:
        if (e->ctx == wanted) return Ok();
        return Error("expression must have %s context but has %s instead", want,
                     std::string_view(NodeName(e->ctx)).data());
      default:
        if (wanted == ExprContext::kLoad) return Ok();
        return Error("expression which can't be assigned to in %s context", want);
    }
  }

  Status Comprehensions(Span<Comprehension*> generators) {
    if (generators.empty()) return Error("comprehension with no generators");
    for (Comprehension* c : generators) {
      MVM_TRY_VOID(Expression(c->target, ExprContext::kStore));
      MVM_TRY_VOID(Load(c->iter));
      MVM_TRY_VOID(Exprs(c->ifs));
    }
    return Ok();
  }

  Status Keywords(Span<Keyword*> keywords) {
    for (Keyword* k : keywords) MVM_TRY_VOID(Load(k->value));
    return Ok();
  }

  Status Args(Span<Arg*> args) {
    for (Arg* a : args) MVM_TRY_VOID(OneArg(a));
    return Ok();
  }
  Status OneArg(Arg* a) {
    if (a == nullptr) return Ok();
    MVM_TRY_VOID(Position(&a->loc));
    return Optional(a->annotation);
  }
  Status Parameters(Arguments* a) {
    MVM_TRY_VOID(Args(a->posonlyargs));
    MVM_TRY_VOID(Args(a->args));
    MVM_TRY_VOID(OneArg(a->vararg));
    MVM_TRY_VOID(Args(a->kwonlyargs));
    MVM_TRY_VOID(OneArg(a->kwarg));
    if (a->defaults.size > uint64_t{a->posonlyargs.size} + a->args.size) {
      return Error("more positional defaults than args on arguments");
    }
    if (a->kw_defaults.size != a->kwonlyargs.size) {
      return Error("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    MVM_TRY_VOID(Exprs(a->defaults));
    return Exprs(a->kw_defaults, ExprContext::kLoad, true);
  }

  Status Expression(Expr* e, ExprContext ctx) {
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    MVM_TRY_VOID(Position(&e->loc));
    if (e->kind == ExprKind::kName) MVM_TRY_VOID(Name(As<NameExpr>(e)->id));
    MVM_TRY_VOID(Context(e, ctx));
    switch (e->kind) {
      case ExprKind::kBoolOp:
        if (As<BoolOpExpr>(e)->values.size < 2) return Error("BoolOp with less than 2 values");
        return Exprs(As<BoolOpExpr>(e)->values);
      case ExprKind::kBinOp:
        MVM_TRY_VOID(Load(As<BinOpExpr>(e)->left));
        return Load(As<BinOpExpr>(e)->right);
      case ExprKind::kUnaryOp: return Load(As<UnaryOpExpr>(e)->operand);
      case ExprKind::kLambda:
        MVM_TRY_VOID(Parameters(As<LambdaExpr>(e)->args));
        return Load(As<LambdaExpr>(e)->body);
      case ExprKind::kIfExp:
        MVM_TRY_VOID(Load(As<IfExpExpr>(e)->test));
        MVM_TRY_VOID(Load(As<IfExpExpr>(e)->body));
        return Load(As<IfExpExpr>(e)->orelse);
      case ExprKind::kDict:
        if (As<DictExpr>(e)->keys.size != As<DictExpr>(e)->values.size) {
          return Error("Dict doesn't have the same number of keys as values");
        }
        MVM_TRY_VOID(Exprs(As<DictExpr>(e)->keys, ExprContext::kLoad, true));
        return Exprs(As<DictExpr>(e)->values);
      case ExprKind::kSet: return Exprs(As<SetExpr>(e)->elts);
      case ExprKind::kListComp:
      case ExprKind::kSetComp:
      case ExprKind::kGeneratorExp:
        MVM_TRY_VOID(Comprehensions(As<CompExpr>(e)->generators));
        return Load(As<CompExpr>(e)->elt);
      case ExprKind::kDictComp:
        MVM_TRY_VOID(Comprehensions(As<DictCompExpr>(e)->generators));
        MVM_TRY_VOID(Load(As<DictCompExpr>(e)->key));
        return Load(As<DictCompExpr>(e)->value);
      case ExprKind::kAwait: return Load(As<AwaitExpr>(e)->value);
      case ExprKind::kYield: return Optional(As<YieldExpr>(e)->value);
      case ExprKind::kYieldFrom: return Load(As<YieldFromExpr>(e)->value);
      case ExprKind::kCompare: return Comparison(As<CompareExpr>(e));
      case ExprKind::kCall:
        MVM_TRY_VOID(Load(As<CallExpr>(e)->func));
        MVM_TRY_VOID(Exprs(As<CallExpr>(e)->args));
        return Keywords(As<CallExpr>(e)->keywords);
      case ExprKind::kFormattedValue: return Replacement(As<FormattedValueExpr>(e));
      case ExprKind::kJoinedStr: return Exprs(As<JoinedStrExpr>(e)->values);
      case ExprKind::kConstant: return Ok();
      case ExprKind::kAttribute: return Load(As<AttributeExpr>(e)->value);
      case ExprKind::kSubscript:
        MVM_TRY_VOID(Load(As<SubscriptExpr>(e)->slice));
        return Load(As<SubscriptExpr>(e)->value);
      case ExprKind::kStarred: return Expression(As<StarredExpr>(e)->value, ctx);
      case ExprKind::kName: return Ok();
      case ExprKind::kList: return Exprs(As<ListExpr>(e)->elts, ctx);
      case ExprKind::kTuple: return Exprs(As<TupleExpr>(e)->elts, ctx);
      case ExprKind::kSlice:
        MVM_TRY_VOID(Optional(As<SliceExpr>(e)->lower));
        MVM_TRY_VOID(Optional(As<SliceExpr>(e)->upper));
        return Optional(As<SliceExpr>(e)->step);
      case ExprKind::kNamedExpr: {
        auto* n = As<NamedExprExpr>(e);
        if (n->target->kind != ExprKind::kName) {
          return Raise(ts_, Exc::kTypeError, "NamedExpr target must be a Name");
        }
        MVM_TRY_VOID(Position(&n->target->loc));
        n->target->ctx = ExprContext::kStore;  // whatever it said
        return Load(n->value);
      }
    }
    return Ok();
  }

  Status Comparison(CompareExpr* e) {
    if (e->comparators.empty()) return Error("Compare with no comparators");
    if (e->comparators.size != e->ops.size) {
      return Error("Compare has a different number of comparators and operands");
    }
    MVM_TRY_VOID(Exprs(e->comparators));
    return Load(e->left);
  }

  Status Replacement(FormattedValueExpr* e) {
    MVM_TRY_VOID(Load(e->value));
    MVM_TRY_VOID(Optional(e->format_spec));
    const int c = e->conversion;
    if (c == -1 || c == 's' || c == 'r' || c == 'a') return Ok();
    return Raise(ts_, Exc::kSystemError, "Unrecognized conversion character %d", c);
  }

  // ---- patterns

  static bool IsReal(const Expr* e) {
    if (e->kind != ExprKind::kConstant) return false;
    const ConstantValue& c = As<ConstantExpr>(e)->value;
    return c.kind == ConstantKind::kInt || c.kind == ConstantKind::kBigInt ||
           c.kind == ConstantKind::kFloat ||
           (c.kind == ConstantKind::kObject && IsExact(Value::FromBits(c.object), TypeId::kInt));
  }
  static bool IsImaginary(const Expr* e) {
    if (e->kind != ExprKind::kConstant) return false;
    const ConstantValue& c = As<ConstantExpr>(e)->value;
    return c.kind == ConstantKind::kImaginary ||
           (c.kind == ConstantKind::kObject &&
            IsExact(Value::FromBits(c.object), TypeId::kComplex));
  }
  static bool IsSigned(const Expr* e, bool imaginary_ok) {
    if (e->kind == ExprKind::kUnaryOp && As<UnaryOpExpr>(e)->op == UnaryOperator::kUSub) {
      e = As<UnaryOpExpr>(e)->operand;
    }
    return IsReal(e) || (imaginary_ok && IsImaginary(e));
  }

  Status PatternValue(Expr* e) {
    MVM_TRY_VOID(Load(e));
    switch (e->kind) {
      case ExprKind::kConstant:
        switch (As<ConstantExpr>(e)->value.kind) {
          case ConstantKind::kStr:
          case ConstantKind::kBytes: return Ok();
          default: break;
        }
        if (IsReal(e) || IsImaginary(e)) return Ok();
        return Error("unexpected constant inside of a literal pattern");
      case ExprKind::kAttribute:
      case ExprKind::kJoinedStr: return Ok();  // the compiler has its say about the latter
      case ExprKind::kUnaryOp:
        if (IsSigned(e, true)) return Ok();
        break;
      case ExprKind::kBinOp: {
        auto* b = As<BinOpExpr>(e);
        const bool sum = b->op == Operator::kAdd || b->op == Operator::kSub;
        if (sum && IsSigned(b->left, false) && IsImaginary(b->right)) return Ok();
        break;
      }
      default: break;
    }
    return Error("patterns may only match literals and attribute lookups");
  }

  static bool IsSingleton(const Expr* e) {
    if (e->kind != ExprKind::kConstant) return false;
    const ConstantKind k = As<ConstantExpr>(e)->value.kind;
    return k == ConstantKind::kNone || k == ConstantKind::kTrue || k == ConstantKind::kFalse;
  }

  Status Patterns(Span<Pattern*> list, bool star_ok) {
    for (Pattern* p : list) {
      if (p == nullptr) return Error("None disallowed in pattern list");
      MVM_TRY_VOID(OnePattern(p, star_ok));
    }
    return Ok();
  }

  Status OnePattern(Pattern* p, bool star_ok) {
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    MVM_TRY_VOID(Position(&p->loc));
    switch (p->kind) {
      case PatternKind::kMatchValue: return PatternValue(As<MatchValuePattern>(p)->value);
      case PatternKind::kMatchSingleton: return Ok();
      case PatternKind::kMatchSequence:
        return Patterns(As<MatchSequencePattern>(p)->patterns, true);
      case PatternKind::kMatchMapping: {
        auto* m = As<MatchMappingPattern>(p);
        if (m->keys.size != m->patterns.size) {
          return Error("MatchMapping doesn't have the same number of keys as patterns");
        }
        MVM_TRY_VOID(Capture(m->rest));
        for (Expr* key : m->keys) {
          if (key == nullptr) return Error("None disallowed in expression list");
          if (!IsSingleton(key)) MVM_TRY_VOID(PatternValue(key));
        }
        return Patterns(m->patterns, false);
      }
      case PatternKind::kMatchClass: return ClassPattern(As<MatchClassPattern>(p));
      case PatternKind::kMatchStar:
        if (!star_ok) return Error("can't use MatchStar here");
        return Capture(As<MatchStarPattern>(p)->name);
      case PatternKind::kMatchAs: {
        auto* m = As<MatchAsPattern>(p);
        MVM_TRY_VOID(Capture(m->name));
        if (m->pattern == nullptr) return Ok();
        if (m->name == nullptr) {
          return Error("MatchAs must specify a target name if a pattern is given");
        }
        return OnePattern(m->pattern, false);
      }
      case PatternKind::kMatchOr:
        if (As<MatchOrPattern>(p)->patterns.size < 2) {
          return Error("MatchOr requires at least 2 patterns");
        }
        return Patterns(As<MatchOrPattern>(p)->patterns, false);
    }
    return Ok();
  }

  Status ClassPattern(MatchClassPattern* m) {
    if (m->kwd_attrs.size != m->kwd_patterns.size) {
      return Error("MatchClass doesn't have the same number of keyword attributes as patterns");
    }
    MVM_TRY_VOID(Load(m->cls));
    const Expr* cls = m->cls;
    while (cls->kind == ExprKind::kAttribute) cls = As<AttributeExpr>(cls)->value;
    if (cls->kind != ExprKind::kName) {
      return Error("MatchClass cls field can only contain Name or Attribute nodes.");
    }
    for (Identifier attr : m->kwd_attrs) MVM_TRY_VOID(Name(attr));
    MVM_TRY_VOID(Patterns(m->patterns, false));
    return Patterns(m->kwd_patterns, false);
  }

  // ---- statements

  Status Stmts(Span<Stmt*> list) {
    for (Stmt* s : list) {
      if (s == nullptr) return Error("None disallowed in statement list");
      MVM_TRY_VOID(Statement(s));
    }
    return Ok();
  }
  Status Body(Span<Stmt*> list, const char* owner) {
    if (list.empty()) return Error("empty body on %s", owner);
    return Stmts(list);
  }

  Status TypeParams(Span<TypeParam*> list) {
    for (TypeParam* p : list) {
      MVM_TRY_VOID(Position(&p->loc));
      switch (p->kind) {
        case TypeParamKind::kTypeVar:
          MVM_TRY_VOID(Name(As<TypeVarParam>(p)->name));
          MVM_TRY_VOID(Optional(As<TypeVarParam>(p)->bound));
          MVM_TRY_VOID(Optional(As<TypeVarParam>(p)->default_value));
          break;
        case TypeParamKind::kParamSpec:
          MVM_TRY_VOID(Name(As<ParamSpecParam>(p)->name));
          MVM_TRY_VOID(Optional(As<ParamSpecParam>(p)->default_value));
          break;
        case TypeParamKind::kTypeVarTuple:
          MVM_TRY_VOID(Name(As<TypeVarTupleParam>(p)->name));
          MVM_TRY_VOID(Optional(As<TypeVarTupleParam>(p)->default_value));
          break;
      }
    }
    return Ok();
  }

  Status Function(FunctionDefStmt* s, const char* name) {
    MVM_TRY_VOID(Body(s->body, name));
    MVM_TRY_VOID(TypeParams(s->type_params));
    MVM_TRY_VOID(Parameters(s->args));
    MVM_TRY_VOID(Exprs(s->decorator_list));
    return Optional(s->returns);
  }

  Status TryBlock(TryStmt* s, const char* name) {
    MVM_TRY_VOID(Body(s->body, name));
    if (s->handlers.empty() && s->finalbody.empty()) {
      return Error("%s has neither except handlers nor finalbody", name);
    }
    if (s->handlers.empty() && !s->orelse.empty()) {
      return Error("%s has orelse but no except handlers", name);
    }
    for (ExceptHandler* h : s->handlers) {
      MVM_TRY_VOID(Position(&h->loc));
      MVM_TRY_VOID(Optional(h->type));
      MVM_TRY_VOID(Body(h->body, "ExceptHandler"));
    }
    MVM_TRY_VOID(Stmts(s->orelse));
    MVM_TRY_VOID(Stmts(s->finalbody));
    if (s->kind == StmtKind::kTry) return Ok();
    // The code generator cannot do without (`except*:` is no syntax).
    for (ExceptHandler* h : s->handlers) MVM_TRY_VOID(Required(h->type, "type", "ExceptHandler"));
    return Ok();
  }

  // Code can be generated for names, attributes and subscripts only.
  Status SimpleTarget(const Expr* target, const char* what) {
    if (target->kind == ExprKind::kName || target->kind == ExprKind::kAttribute ||
        target->kind == ExprKind::kSubscript) {
      return Ok();
    }
    return Raise(ts_, Exc::kSystemError, "invalid node type (%d) for %s assignment",
                 static_cast<int>(target->kind) + 1, what);
  }

  Status Aliases(Span<Alias*> names, const char* owner) {
    if (names.empty()) return Error("empty names on %s", owner);
    for (Alias* a : names) MVM_TRY_VOID(Position(&a->loc));
    return Ok();
  }

  Status Annotated(AnnAssignStmt* s) {
    if (s->target->kind != ExprKind::kName && s->simple) {
      return Raise(ts_, Exc::kTypeError, "AnnAssign with simple non-Name target");
    }
    MVM_TRY_VOID(Expression(s->target, ExprContext::kStore));
    MVM_TRY_VOID(Optional(s->value));
    MVM_TRY_VOID(Load(s->annotation));
    return SimpleTarget(s->target, "annotated");
  }

  Status Block(WithStmt* s, const char* name) {
    if (s->items.empty()) return Error("empty items on %s", name);
    for (WithItem* item : s->items) {
      MVM_TRY_VOID(Load(item->context_expr));
      if (item->optional_vars) {
        MVM_TRY_VOID(Expression(item->optional_vars, ExprContext::kStore));
      }
    }
    return Body(s->body, name);
  }

  Status Matching(MatchStmt* s) {
    MVM_TRY_VOID(Load(s->subject));
    if (s->cases.empty()) return Error("empty cases on Match");
    for (MatchCase* c : s->cases) {
      MVM_TRY_VOID(OnePattern(c->pattern, false));
      MVM_TRY_VOID(Optional(c->guard));
      MVM_TRY_VOID(Body(c->body, "match_case"));
    }
    return Ok();
  }

  Status Statement(Stmt* s) {
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    MVM_TRY_VOID(Position(&s->loc));
    const std::string name(NodeName(s->kind));
    const char* const owner = name.c_str();
    switch (s->kind) {
      case StmtKind::kFunctionDef:
      case StmtKind::kAsyncFunctionDef: return Function(As<FunctionDefStmt>(s), owner);
      case StmtKind::kClassDef: {
        auto* c = As<ClassDefStmt>(s);
        MVM_TRY_VOID(Body(c->body, owner));
        MVM_TRY_VOID(TypeParams(c->type_params));
        MVM_TRY_VOID(Exprs(c->bases));
        MVM_TRY_VOID(Keywords(c->keywords));
        return Exprs(c->decorator_list);
      }
      case StmtKind::kReturn: return Optional(As<ReturnStmt>(s)->value);
      case StmtKind::kDelete: return Targets(As<DeleteStmt>(s)->targets, ExprContext::kDel, owner);
      case StmtKind::kAssign:
        MVM_TRY_VOID(Targets(As<AssignStmt>(s)->targets, ExprContext::kStore, owner));
        return Load(As<AssignStmt>(s)->value);
      case StmtKind::kTypeAlias:
        if (As<TypeAliasStmt>(s)->name->kind != ExprKind::kName) {
          return Raise(ts_, Exc::kTypeError, "TypeAlias with non-Name name");
        }
        MVM_TRY_VOID(Expression(As<TypeAliasStmt>(s)->name, ExprContext::kStore));
        MVM_TRY_VOID(TypeParams(As<TypeAliasStmt>(s)->type_params));
        return Load(As<TypeAliasStmt>(s)->value);
      case StmtKind::kAugAssign:
        MVM_TRY_VOID(Expression(As<AugAssignStmt>(s)->target, ExprContext::kStore));
        MVM_TRY_VOID(Load(As<AugAssignStmt>(s)->value));
        return SimpleTarget(As<AugAssignStmt>(s)->target, "augmented");
      case StmtKind::kAnnAssign: return Annotated(As<AnnAssignStmt>(s));
      case StmtKind::kFor:
      case StmtKind::kAsyncFor: {
        auto* f = As<ForStmt>(s);
        MVM_TRY_VOID(Expression(f->target, ExprContext::kStore));
        MVM_TRY_VOID(Load(f->iter));
        MVM_TRY_VOID(Body(f->body, owner));
        return Stmts(f->orelse);
      }
      case StmtKind::kWhile:
        MVM_TRY_VOID(Load(As<WhileStmt>(s)->test));
        MVM_TRY_VOID(Body(As<WhileStmt>(s)->body, owner));
        return Stmts(As<WhileStmt>(s)->orelse);
      case StmtKind::kIf:
        MVM_TRY_VOID(Load(As<IfStmt>(s)->test));
        MVM_TRY_VOID(Body(As<IfStmt>(s)->body, owner));
        return Stmts(As<IfStmt>(s)->orelse);
      case StmtKind::kWith:
      case StmtKind::kAsyncWith: return Block(As<WithStmt>(s), owner);
      case StmtKind::kMatch: return Matching(As<MatchStmt>(s));
      case StmtKind::kRaise: {
        auto* r = As<RaiseStmt>(s);
        if (r->exc == nullptr && r->cause != nullptr) {
          return Error("Raise with cause but no exception");
        }
        MVM_TRY_VOID(Optional(r->exc));
        return Optional(r->cause);
      }
      case StmtKind::kTry:
      case StmtKind::kTryStar: return TryBlock(As<TryStmt>(s), owner);
      case StmtKind::kAssert:
        MVM_TRY_VOID(Load(As<AssertStmt>(s)->test));
        return Optional(As<AssertStmt>(s)->msg);
      case StmtKind::kImport: return Aliases(As<ImportStmt>(s)->names, owner);
      case StmtKind::kImportFrom:
        if (static_cast<int32_t>(As<ImportFromStmt>(s)->level) < 0) {
          return Error("Negative ImportFrom level");
        }
        return Aliases(As<ImportFromStmt>(s)->names, owner);
      case StmtKind::kGlobal:
      case StmtKind::kNonlocal:
        if (As<GlobalStmt>(s)->names.empty()) return Error("empty names on %s", owner);
        return Ok();
      case StmtKind::kExpr: return Load(As<ExprStmt>(s)->value);
      case StmtKind::kPass:
      case StmtKind::kBreak:
      case StmtKind::kContinue: return Ok();
    }
    return Ok();
  }

  ThreadState& ts_;
};

}  // namespace

Status ValidateTree(ThreadState& ts, Mod* tree) { return Validator(ts).Module(tree); }

}  // namespace minivm
