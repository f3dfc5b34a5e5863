// Building the symbol table: one walk over the tree.
//
// Left-deep chains (a + b + c ..., a.b().c() ...) are walked with an explicit spine; everything
// else recurses under RecursionGuard. Resolution of names is symtable_resolve.cpp.
#include "vm/compiler/symtable.h"

#include <cstring>

#include "vm/compiler/symtable_builder.h"

namespace minivm {

namespace {
// Registers are 8-bit numbers, and comprehensions nest.
constexpr uint32_t kMaxInlinedNames = 32;
}  // namespace

// ---------------------------------------------------------------- scopes

Identifier Scope::Mangle(CompileContext& context, Identifier id) const {
  Identifier mangled = context.Mangle(private_class, id);
  if (!class_head || mangled == id) return mangled;
  const Symbol* s = class_head->Find(mangled);
  return s && (s->flags & kSymTypeParam) ? mangled : id;
}

Symbol* Scope::Find(Identifier id) const {
  if (slots == nullptr) {
    for (uint32_t i = 0; i < symbol_count; ++i) {
      if (symbols[i]->name == id) return symbols[i];
    }
    return nullptr;
  }
  for (uint32_t at = id->hash & slot_mask;; at = (at + 1) & slot_mask) {
    uint32_t slot = slots[at];
    if (slot == 0) return nullptr;
    if (symbols[slot - 1]->name == id) return symbols[slot - 1];
  }
}

Symbol* AddSymbol(Arena& arena, Scope* scope, Identifier id) {
  if (scope->symbol_count == scope->symbol_capacity) {
    uint32_t capacity = scope->symbol_capacity ? scope->symbol_capacity * 2 : 4;
    Symbol** grown = arena.NewArray<Symbol*>(capacity);
    if (scope->symbol_count) {
      std::memcpy(grown, scope->symbols, scope->symbol_count * sizeof(*grown));
    }
    scope->symbols = grown;
    scope->symbol_capacity = capacity;
    if (capacity > 8) {
      const uint32_t slots = capacity * 2;
      scope->slots = arena.NewArray<uint32_t>(slots);
      std::memset(scope->slots, 0, slots * sizeof(uint32_t));
      scope->slot_mask = slots - 1;
      for (uint32_t i = 0; i < scope->symbol_count; ++i) {
        uint32_t at = grown[i]->name->hash & scope->slot_mask;
        while (scope->slots[at]) at = (at + 1) & scope->slot_mask;
        scope->slots[at] = i + 1;
      }
    }
  }
  Symbol* symbol = arena.New<Symbol>();
  symbol->name = id;
  scope->symbols[scope->symbol_count++] = symbol;
  if (scope->slots) {
    uint32_t at = id->hash & scope->slot_mask;
    while (scope->slots[at]) at = (at + 1) & scope->slot_mask;
    scope->slots[at] = scope->symbol_count;
  }
  return symbol;
}

void SymbolTable::Insert(const void* node, Which which, Scope* scope) {
  if (used_ * 2 >= map_.size()) {
    std::vector<Entry> old = std::move(map_);
    map_.assign(old.empty() ? 64 : old.size() * 2, Entry{nullptr, 0, nullptr});
    used_ = 0;
    for (const Entry& e : old) {
      if (e.scope) Insert(e.node, static_cast<Which>(e.which), e.scope);
    }
  }
  size_t at = HashOf(node, which) >> 20;
  while (map_[at & (map_.size() - 1)].scope) ++at;
  map_[at & (map_.size() - 1)] = {node, which, scope};
  ++used_;
}

Scope* SymbolTable::Of(const void* node, Which which) const {
  for (size_t at = HashOf(node, which) >> 20;; ++at) {
    const Entry& e = map_[at & (map_.size() - 1)];
    MVM_CHECK(e.scope != nullptr, "a node without the scope the symbol table made for it");
    if (e.node == node && e.which == which) return e.scope;
  }
}

void SymbolTable::Build(const Mod* tree) {
  SymbolTableBuilder builder(context_, *this);
  top_ = builder.Run(tree);
  ResolveSymbols(context_, top_);
}

// ---------------------------------------------------------------- the builder

Scope* SymbolTableBuilder::Run(const Mod* tree) {
  Enter(ScopeKind::kModule, tree, SymbolTable::kOwn, context_.Intern("top"), Location{});
  Scope* top = scope_;
  if (tree->kind == ModKind::kExpression) {
    VisitExpr(tree->expression);
  } else {
    VisitStmts(tree->body);
  }
  Leave();
  return top;
}

void SymbolTableBuilder::Enter(ScopeKind kind, const void* node, SymbolTable::Which which,
                               Identifier name, const Location& loc) {
  Scope* s = context_.arena.New<Scope>();
  s->kind = kind;
  s->node = node;
  s->name = name;
  s->loc = loc;
  s->parent = scope_;
  if (scope_) {
    (scope_->last_child ? scope_->last_child->next_sibling : scope_->first_child) = s;
    scope_->last_child = s;
    s->private_class = scope_->private_class;
    s->class_head = scope_->class_head;
    s->nested = scope_->nested || scope_->is_function();
    s->comp_iter_expr = scope_->comp_iter_expr;
  }
  table_.Insert(node, which, s);
  scope_ = s;
}

void SymbolTableBuilder::Leave() { scope_ = scope_->parent; }

void SymbolTableBuilder::AddDef(Identifier name, uint32_t flags, const Location& loc) {
  AddDefIn(scope_,
           flags & kSymTypeParam ? context_.Mangle(scope_->private_class, name)
                                 : scope_->Mangle(context_, name),
           flags, loc);
}

void SymbolTableBuilder::AddDefIn(Scope* scope, Identifier name, uint32_t flags,
                                  const Location& loc) {
  Symbol* symbol = scope->Find(name);
  if (symbol == nullptr) {
    symbol = AddSymbol(context_.arena, scope, name);
  } else {
    if ((flags & kSymParam) && (symbol->flags & kSymParam)) {
      context_.SymbolError(loc, "duplicate argument '%.*s' in function definition",
                           static_cast<int>(name->size), name->data);
    }
    if ((flags & kSymTypeParam) && (symbol->flags & kSymTypeParam)) {
      context_.SymbolError(loc, "duplicate type parameter '%.*s'", static_cast<int>(name->size),
                           name->data);
    }
  }
  // Of a target like a[b:c] only what it binds counts.
  if (scope->comp_iter_target && (flags & kSymBound)) {
    if ((symbol->flags | flags) & (kSymGlobal | kSymNonlocal)) {
      context_.SymbolError(loc,
                           "comprehension inner loop cannot rebind assignment expression target "
                           "'%.*s'",
                           static_cast<int>(name->size), name->data);
    }
    flags |= kSymCompIter;
  }
  symbol->flags |= flags;
  if ((flags & kSymGlobal) && scope->kind != ScopeKind::kModule) {
    // Every `global x` makes x global in the module, too.
    Scope* module = scope;
    while (module->parent) module = module->parent;
    Symbol* outer = module->Find(name);
    if (!outer) outer = AddSymbol(context_.arena, module, name);
    outer->flags |= kSymGlobal;
  }
}

void SymbolTableBuilder::UseClassCell() {
  AddDefIn(scope_, context_.Intern("__class__"), kSymUse, Location{});
  for (Scope* s = scope_; s && s->kind != ScopeKind::kClass; s = s->parent) s->uses_class = true;
}

// ---------------------------------------------------------------- statements

void SymbolTableBuilder::VisitStmts(Span<Stmt*> body) {
  for (Stmt* s : body) VisitStmt(s);
}

void SymbolTableBuilder::VisitStmt(const Stmt* stmt) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  switch (stmt->kind) {
    case StmtKind::kFunctionDef:
    case StmtKind::kAsyncFunctionDef: VisitFunctionDef(As<FunctionDefStmt>(stmt)); break;
    case StmtKind::kClassDef: VisitClassDef(As<ClassDefStmt>(stmt)); break;
    case StmtKind::kReturn: {
      auto* s = As<ReturnStmt>(stmt);
      if (s->value) {
        VisitExpr(s->value);
        scope_->returns_value = true;
      }
      break;
    }
    case StmtKind::kDelete:
      for (Expr* e : As<DeleteStmt>(stmt)->targets) VisitExpr(e);
      break;
    case StmtKind::kAssign: {
      auto* s = As<AssignStmt>(stmt);
      for (Expr* e : s->targets) VisitExpr(e);
      VisitExpr(s->value);
      break;
    }
    case StmtKind::kTypeAlias: VisitTypeAlias(As<TypeAliasStmt>(stmt)); break;
    case StmtKind::kAugAssign: {
      auto* s = As<AugAssignStmt>(stmt);
      VisitExpr(s->target);
      VisitExpr(s->value);
      break;
    }
    case StmtKind::kAnnAssign: VisitAnnAssign(As<AnnAssignStmt>(stmt)); break;
    case StmtKind::kFor:
    case StmtKind::kAsyncFor: {
      auto* s = As<ForStmt>(stmt);
      if (stmt->kind == StmtKind::kAsyncFor) scope_->is_coroutine = true;
      VisitExpr(s->target);
      VisitExpr(s->iter);
      VisitStmts(s->body);
      VisitStmts(s->orelse);
      break;
    }
    case StmtKind::kWhile: {
      auto* s = As<WhileStmt>(stmt);
      VisitExpr(s->test);
      VisitStmts(s->body);
      VisitStmts(s->orelse);
      break;
    }
    case StmtKind::kIf:
      for (auto* s = As<IfStmt>(stmt);;) {  // a long elif chain must not recurse
        VisitExpr(s->test);
        VisitStmts(s->body);
        if (s->orelse.size == 1 && s->orelse[0]->kind == StmtKind::kIf) {
          s = As<IfStmt>(s->orelse[0]);
          continue;
        }
        VisitStmts(s->orelse);
        break;
      }
      break;
    case StmtKind::kWith:
    case StmtKind::kAsyncWith: {
      auto* s = As<WithStmt>(stmt);
      if (stmt->kind == StmtKind::kAsyncWith) scope_->is_coroutine = true;
      for (WithItem* item : s->items) {
        VisitExpr(item->context_expr);
        if (item->optional_vars) VisitExpr(item->optional_vars);
      }
      VisitStmts(s->body);
      break;
    }
    case StmtKind::kMatch: {
      auto* s = As<MatchStmt>(stmt);
      VisitExpr(s->subject);
      for (MatchCase* c : s->cases) {
        VisitPattern(c->pattern);
        if (c->guard) VisitExpr(c->guard);
        VisitStmts(c->body);
      }
      break;
    }
    case StmtKind::kRaise: {
      auto* s = As<RaiseStmt>(stmt);
      if (s->exc) VisitExpr(s->exc);
      if (s->cause) VisitExpr(s->cause);
      break;
    }
    case StmtKind::kTry:
    case StmtKind::kTryStar: {
      auto* s = As<TryStmt>(stmt);
      VisitStmts(s->body);
      for (ExceptHandler* h : s->handlers) {
        if (h->type) VisitExpr(h->type);
        if (h->name) AddDef(h->name, kSymLocal | kSymUnbound, h->loc);
        VisitStmts(h->body);
      }
      VisitStmts(s->orelse);
      VisitStmts(s->finalbody);
      break;
    }
    case StmtKind::kAssert: {
      auto* s = As<AssertStmt>(stmt);
      VisitExpr(s->test);
      if (s->msg) VisitExpr(s->msg);
      break;
    }
    case StmtKind::kImport:
      for (Alias* a : As<ImportStmt>(stmt)->names) VisitAlias(a);
      break;
    case StmtKind::kImportFrom:
      for (Alias* a : As<ImportFromStmt>(stmt)->names) VisitAlias(a);
      break;
    case StmtKind::kGlobal:
    case StmtKind::kNonlocal: VisitDirective(As<GlobalStmt>(stmt)); break;
    case StmtKind::kExpr: VisitExpr(As<ExprStmt>(stmt)->value); break;
    case StmtKind::kPass:
    case StmtKind::kBreak:
    case StmtKind::kContinue: break;
  }
}

void SymbolTableBuilder::VisitDirective(const GlobalStmt* s) {
  const bool global = s->kind == StmtKind::kGlobal;
  const char* word = global ? "global" : "nonlocal";
  for (Identifier id : s->names) {
    Identifier name = scope_->Mangle(context_, id);
    Symbol* symbol = scope_->Find(name);
    const uint32_t flags = symbol ? symbol->flags : 0;
    const int n = static_cast<int>(name->size);
    if (flags & (kSymParam | kSymLocal | kSymUse | kSymAnnotated)) {
      if (flags & kSymParam) {
        context_.SymbolError(s->loc, "name '%.*s' is parameter and %s", n, name->data, word);
      } else if (flags & kSymUse) {
        context_.SymbolError(s->loc, "name '%.*s' is used prior to %s declaration", n, name->data,
                             word);
      } else if (flags & kSymAnnotated) {
        context_.SymbolError(s->loc, "annotated name '%.*s' can't be %s", n, name->data, word);
      }
      context_.SymbolError(s->loc, "name '%.*s' is assigned to before %s declaration", n,
                           name->data, word);
    }
    if (!global && scope_->kind == ScopeKind::kModule) {
      context_.SymbolError(s->loc, "nonlocal declaration not allowed at module level");
    }
    AddDefIn(scope_, name, global ? kSymGlobal : kSymNonlocal, s->loc);
    Symbol* declared = scope_->Find(name);
    if (declared->directive.lineno == 0) declared->directive = s->loc;
  }
}

void SymbolTableBuilder::VisitAlias(const Alias* alias) {
  std::string_view name = (alias->asname ? alias->asname : alias->name)->view();
  if (name == "*") {
    if (scope_->kind != ScopeKind::kModule) {
      context_.SymbolError(alias->loc, "import * only allowed at module level");
    }
    return;
  }
  size_t dot = name.find('.');
  Identifier id = dot == name.npos ? (alias->asname ? alias->asname : alias->name)
                                   : context_.Intern(name.substr(0, dot));
  AddDef(id, kSymImport, alias->loc);
}

void SymbolTableBuilder::VisitAnnAssign(const AnnAssignStmt* s) {
  if (s->target->kind == ExprKind::kName) {
    auto* target = As<NameExpr>(s->target);
    Identifier name = scope_->Mangle(context_, target->id);
    Symbol* symbol = scope_->Find(name);
    if (symbol && (symbol->flags & (kSymGlobal | kSymNonlocal)) &&
        scope_->kind != ScopeKind::kModule && s->simple) {
      context_.SymbolError(s->loc, "annotated name '%.*s' can't be %s",
                           static_cast<int>(name->size), name->data,
                           symbol->flags & kSymGlobal ? "global" : "nonlocal");
    }
    if (s->simple) {
      AddDef(target->id, kSymAnnotated | kSymLocal, target->loc);
    } else if (s->value) {
      AddDef(target->id, kSymLocal, target->loc);
    }
  } else {
    VisitExpr(s->target);
  }
  VisitAnnotation(s->annotation);
  if (s->value) VisitExpr(s->value);
}

// A type parameter's name is bound in the annotation scope; its parts are scopes of their own.
void SymbolTableBuilder::VisitTypeParams(Span<TypeParam*> params) {
  for (TypeParam* p : params) {
    switch (p->kind) {
      case TypeParamKind::kTypeVar: {
        auto* v = As<TypeVarParam>(p);
        AddDef(v->name, kSymTypeParam | kSymLocal, p->loc);
        if (v->bound) {
          VisitTypeParamPart(
              v->bound, v->name, p,
              v->bound->kind == ExprKind::kTuple ? "a TypeVar constraint" : "a TypeVar bound",
              SymbolTable::kOwn);
        }
        if (v->default_value) {
          VisitTypeParamPart(v->default_value, v->name, p, "a TypeVar default",
                             SymbolTable::kDefault);
        }
        break;
      }
      case TypeParamKind::kParamSpec: {
        auto* v = As<ParamSpecParam>(p);
        AddDef(v->name, kSymTypeParam | kSymLocal, p->loc);
        if (v->default_value) {
          VisitTypeParamPart(v->default_value, v->name, p, "a ParamSpec default",
                             SymbolTable::kDefault);
        }
        break;
      }
      case TypeParamKind::kTypeVarTuple: {
        auto* v = As<TypeVarTupleParam>(p);
        AddDef(v->name, kSymTypeParam | kSymLocal, p->loc);
        if (v->default_value) {
          VisitTypeParamPart(v->default_value, v->name, p, "a TypeVarTuple default",
                             SymbolTable::kDefault);
        }
        break;
      }
    }
  }
}

// An annotation scope that stands in a class, or in an annotation scope that does, sees its names.
void SymbolTableBuilder::EnterAnnotation(ScopeKind kind, const void* node, SymbolTable::Which which,
                                         Identifier name, const Location& loc, const char* part) {
  const bool in_class =
      scope_->kind == ScopeKind::kClass || (scope_->is_annotation() && scope_->sees_class);
  Enter(kind, node, which, name, loc);
  scope_->part = part;
  if (in_class) {
    scope_->sees_class = true;
    AddDefIn(scope_, context_.Intern("__classdict__"), kSymUse, loc);
  }
}

void SymbolTableBuilder::VisitTypeParamPart(const Expr* e, Identifier name, const TypeParam* param,
                                            const char* part, SymbolTable::Which which) {
  EnterAnnotation(ScopeKind::kTypeVarPart, param, which, name, e->loc, part);
  VisitExpr(e);
  Leave();
}

void SymbolTableBuilder::VisitTypeAlias(const TypeAliasStmt* s) {
  VisitExpr(s->name);
  Identifier name = As<NameExpr>(s->name)->id;
  if (s->type_params.size) {
    EnterTypeParams(s, name, s->loc, s->type_params);
  }
  EnterAnnotation(ScopeKind::kTypeAlias, s, SymbolTable::kOwn, name, s->loc, "a type alias");
  VisitExpr(s->value);
  Leave();
  if (s->type_params.size) Leave();
}

void SymbolTableBuilder::EnterTypeParams(const void* node, Identifier name, const Location& loc,
                                         Span<TypeParam*> params, Identifier private_class) {
  EnterAnnotation(ScopeKind::kTypeParams, node, SymbolTable::kTypeParams, name, loc,
                  "the definition of a generic");
  if (private_class) {
    scope_->private_class = private_class;
    scope_->class_head = scope_;
  }
  VisitTypeParams(params);
}

void SymbolTableBuilder::VisitFunctionDef(const FunctionDefStmt* s) {
  AddDef(s->name, kSymLocal, s->loc);
  for (Expr* e : s->args->defaults) VisitExpr(e);
  for (Expr* e : s->args->kw_defaults) {
    if (e) VisitExpr(e);
  }
  for (Expr* e : s->decorator_list) VisitExpr(e);
  if (s->type_params.size) {
    EnterTypeParams(s, s->name, s->loc, s->type_params);
    if (s->args->defaults.size) AddDef(context_.Intern(".defaults"), kSymParam, s->loc);
    for (Expr* e : s->args->kw_defaults) {
      if (e) {
        AddDef(context_.Intern(".kwdefaults"), kSymParam, s->loc);
        break;
      }
    }
  }
  VisitSignatureAnnotations(s->args, s->returns);
  Enter(ScopeKind::kFunction, s, SymbolTable::kOwn, s->name, s->loc);
  scope_->is_coroutine = s->kind == StmtKind::kAsyncFunctionDef;
  AddParameters(s->args);
  VisitStmts(s->body);
  Leave();
  if (s->type_params.size) Leave();
}

void SymbolTableBuilder::VisitSignatureAnnotations(const Arguments* args, const Expr* returns) {
  auto visit = [&](const Arg* a) {
    if (a && a->annotation) VisitAnnotation(a->annotation);
  };
  for (Arg* a : args->posonlyargs) visit(a);
  for (Arg* a : args->args) visit(a);
  visit(args->vararg);
  visit(args->kwarg);
  for (Arg* a : args->kwonlyargs) visit(a);
  if (returns) VisitAnnotation(returns);
}

// Registers follow the order of co_varnames.
void SymbolTableBuilder::AddParameters(const Arguments* args) {
  for (Arg* a : args->posonlyargs) AddDef(a->arg, kSymParam, a->loc);
  for (Arg* a : args->args) AddDef(a->arg, kSymParam, a->loc);
  for (Arg* a : args->kwonlyargs) AddDef(a->arg, kSymParam, a->loc);
  if (args->vararg) {
    AddDef(args->vararg->arg, kSymParam, args->vararg->loc);
    scope_->has_varargs = true;
  }
  if (args->kwarg) {
    AddDef(args->kwarg->arg, kSymParam, args->kwarg->loc);
    scope_->has_varkeywords = true;
  }
}

void SymbolTableBuilder::VisitClassDef(const ClassDefStmt* s) {
  AddDef(s->name, kSymLocal, s->loc);
  for (Expr* e : s->decorator_list) VisitExpr(e);
  if (s->type_params.size) {
    EnterTypeParams(s, s->name, s->loc, s->type_params, s->name);
    AddDef(context_.Intern(".type_params"), kSymLocal, s->loc);
    AddDef(context_.Intern(".generic_base"), kSymLocal, s->loc);
  }
  for (Expr* e : s->bases) VisitExpr(e);
  for (Keyword* k : s->keywords) VisitExpr(k->value);
  Enter(ScopeKind::kClass, s, SymbolTable::kOwn, s->name, s->loc);
  scope_->private_class = s->name;
  scope_->class_head = nullptr;
  if (s->type_params.size) {
    AddDef(context_.Intern("__type_params__"), kSymLocal, s->loc);
    AddDef(context_.Intern(".type_params"), kSymUse, s->loc);
  }
  VisitStmts(s->body);
  Leave();
  if (s->type_params.size) Leave();
}

// Under `from __future__ import annotations` an annotation is text: its names do not count, but
// what may not stand in it is still refused.
void SymbolTableBuilder::VisitAnnotation(const Expr* e) {
  if (!context_.future_annotations()) return VisitExpr(e);
  Scope* aside = context_.arena.New<Scope>();
  aside->kind = ScopeKind::kTypeVarPart;
  aside->part = "an annotation";
  aside->parent = scope_;
  aside->private_class = scope_->private_class;
  aside->class_head = scope_->class_head;
  Scope* saved = std::exchange(scope_, aside);
  VisitExpr(e);
  scope_ = saved;
}

// ---------------------------------------------------------------- expressions

namespace {
// What is evaluated first, for nodes that make left-deep chains.
const Expr* ChainChild(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kBinOp: return As<BinOpExpr>(e)->left;
    case ExprKind::kAttribute: return As<AttributeExpr>(e)->value;
    case ExprKind::kSubscript: return As<SubscriptExpr>(e)->value;
    case ExprKind::kCall: return As<CallExpr>(e)->func;
    case ExprKind::kCompare: return As<CompareExpr>(e)->left;
    default: return nullptr;
  }
}
}  // namespace

void SymbolTableBuilder::VisitExpr(const Expr* e) {
  const size_t bottom = spine_.size();
  while (const Expr* inner = ChainChild(e)) {
    spine_.push_back(e);
    e = inner;
  }
  VisitPlain(e);
  while (spine_.size() > bottom) {
    e = spine_.back();
    spine_.pop_back();
    switch (e->kind) {
      case ExprKind::kBinOp: VisitExpr(As<BinOpExpr>(e)->right); break;
      case ExprKind::kSubscript: VisitExpr(As<SubscriptExpr>(e)->slice); break;
      case ExprKind::kCall: {
        auto* c = As<CallExpr>(e);
        for (Expr* a : c->args) VisitExpr(a);
        for (Keyword* k : c->keywords) VisitExpr(k->value);
        break;
      }
      case ExprKind::kCompare:
        for (Expr* c : As<CompareExpr>(e)->comparators) VisitExpr(c);
        break;
      default: break;
    }
  }
}

void SymbolTableBuilder::CheckAnnotationAllows(const char* what, const Expr* e) {
  if (scope_->part) context_.SymbolError(e->loc, "%s cannot be used within %s", what, scope_->part);
}

namespace {
const char* ComprehensionName(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::kGenerator: return "generator expression";
    case ScopeKind::kListComp: return "list comprehension";
    case ScopeKind::kSetComp: return "set comprehension";
    default: return "dict comprehension";
  }
}
}  // namespace

void SymbolTableBuilder::VisitYield(const Expr* e, const Expr* value) {
  CheckAnnotationAllows("yield expression", e);
  if (value) VisitExpr(value);
  scope_->is_generator = true;
  if (scope_->is_comprehension()) {
    context_.SymbolError(e->loc, "'yield' inside %s", ComprehensionName(scope_->kind));
  }
}

void SymbolTableBuilder::VisitPlain(const Expr* e) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  switch (e->kind) {
    case ExprKind::kName: {
      auto* n = As<NameExpr>(e);
      if (n->ctx == ExprContext::kLoad) {
        AddDef(n->id, kSymUse, n->loc);
        if (scope_->is_function() && n->id->view() == "super") UseClassCell();
        if (n->id->view() == "__class__") UseClassCell();
      } else {
        const uint32_t unbound = n->ctx == ExprContext::kDel ? uint32_t{kSymUnbound} : 0;
        AddDef(n->id, kSymLocal | unbound, n->loc);
      }
      break;
    }
    case ExprKind::kConstant: break;
    case ExprKind::kBoolOp:
      for (Expr* v : As<BoolOpExpr>(e)->values) VisitExpr(v);
      break;
    case ExprKind::kNamedExpr: VisitNamedExpr(As<NamedExprExpr>(e)); break;
    case ExprKind::kUnaryOp: VisitExpr(As<UnaryOpExpr>(e)->operand); break;
    case ExprKind::kLambda: {
      auto* l = As<LambdaExpr>(e);
      for (Expr* d : l->args->defaults) VisitExpr(d);
      for (Expr* d : l->args->kw_defaults) {
        if (d) VisitExpr(d);
      }
      Enter(ScopeKind::kLambda, l, SymbolTable::kOwn, context_.Intern("lambda"), l->loc);
      AddParameters(l->args);
      VisitExpr(l->body);
      Leave();
      break;
    }
    case ExprKind::kIfExp: {
      auto* i = As<IfExpExpr>(e);
      VisitExpr(i->test);
      VisitExpr(i->body);
      VisitExpr(i->orelse);
      break;
    }
    case ExprKind::kDict: {
      auto* d = As<DictExpr>(e);
      for (uint32_t i = 0; i < d->values.size; ++i) {
        if (d->keys[i]) VisitExpr(d->keys[i]);
        VisitExpr(d->values[i]);
      }
      break;
    }
    case ExprKind::kSet:
      for (Expr* v : As<SetExpr>(e)->elts) VisitExpr(v);
      break;
    case ExprKind::kListComp:
    case ExprKind::kSetComp:
    case ExprKind::kGeneratorExp: {
      auto* c = As<CompExpr>(e);
      VisitComprehension(e,
                         e->kind == ExprKind::kListComp  ? ScopeKind::kListComp
                         : e->kind == ExprKind::kSetComp ? ScopeKind::kSetComp
                                                         : ScopeKind::kGenerator,
                         c->generators, c->elt, nullptr);
      break;
    }
    case ExprKind::kDictComp: {
      auto* c = As<DictCompExpr>(e);
      VisitComprehension(e, ScopeKind::kDictComp, c->generators, c->key, c->value);
      break;
    }
    case ExprKind::kAwait:
      CheckAnnotationAllows("await expression", e);
      VisitExpr(As<AwaitExpr>(e)->value);
      scope_->is_coroutine = true;
      break;
    case ExprKind::kYield: VisitYield(e, As<YieldExpr>(e)->value); break;
    case ExprKind::kYieldFrom: VisitYield(e, As<YieldFromExpr>(e)->value); break;
    case ExprKind::kFormattedValue: {
      auto* f = As<FormattedValueExpr>(e);
      VisitExpr(f->value);
      if (f->format_spec) VisitExpr(f->format_spec);
      break;
    }
    case ExprKind::kJoinedStr:
      for (Expr* v : As<JoinedStrExpr>(e)->values) VisitExpr(v);
      break;
    case ExprKind::kStarred: VisitExpr(As<StarredExpr>(e)->value); break;
    case ExprKind::kList:
      for (Expr* v : As<ListExpr>(e)->elts) VisitExpr(v);
      break;
    case ExprKind::kTuple:
      for (Expr* v : As<TupleExpr>(e)->elts) VisitExpr(v);
      break;
    case ExprKind::kSlice: {
      auto* s = As<SliceExpr>(e);
      if (s->lower) VisitExpr(s->lower);
      if (s->upper) VisitExpr(s->upper);
      if (s->step) VisitExpr(s->step);
      break;
    }
    default: break;  // chain nodes come through VisitExpr
  }
}

void SymbolTableBuilder::VisitComprehension(const Expr* e, ScopeKind kind,
                                            Span<Comprehension*> generators, const Expr* elt,
                                            const Expr* value) {
  Comprehension* outermost = generators[0];
  ++scope_->comp_iter_expr;
  VisitExpr(outermost->iter);
  --scope_->comp_iter_expr;
  const char* name = kind == ScopeKind::kGenerator  ? "genexpr"
                     : kind == ScopeKind::kListComp ? "listcomp"
                     : kind == ScopeKind::kSetComp  ? "setcomp"
                                                    : "dictcomp";
  Enter(kind, e, SymbolTable::kOwn, context_.Intern(name), e->loc);
  Scope* scope = scope_;
  if (outermost->is_async) scope->is_coroutine = true;
  AddDef(context_.Intern(".0"), kSymParam, e->loc);
  scope->comp_iter_target = true;
  VisitExpr(outermost->target);
  scope->comp_iter_target = false;
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    if (scope->symbols[i]->flags & kSymCompIter) scope->symbols[i]->flags |= kSymFirstIter;
  }
  for (Expr* test : outermost->ifs) VisitExpr(test);
  for (uint32_t i = 1; i < generators.size; ++i) {
    Comprehension* g = generators[i];
    if (g->is_async) scope->is_coroutine = true;
    scope->comp_iter_target = true;
    VisitExpr(g->target);
    scope->comp_iter_target = false;
    ++scope->comp_iter_expr;
    VisitExpr(g->iter);
    --scope->comp_iter_expr;
    for (Expr* test : g->ifs) VisitExpr(test);
  }
  if (value) VisitExpr(value);
  VisitExpr(elt);
  const bool is_async = scope->is_coroutine && kind != ScopeKind::kGenerator;
  Leave();
  if (is_async) scope_->is_coroutine = true;
  if (kind == ScopeKind::kGenerator) {
    scope->is_generator = true;
  } else {
    // One with very many names gets a frame of its own, which can keep them far.
    scope->inlined = scope->symbol_count <= kMaxInlinedNames && !scope_->sees_class &&
                     !(scope->uses_class && InClassBody(scope_));
  }
}

bool SymbolTableBuilder::InClassBody(const Scope* scope) {
  while (scope->is_comprehension() && scope->kind != ScopeKind::kGenerator) scope = scope->parent;
  return scope->kind == ScopeKind::kClass;
}

void SymbolTableBuilder::VisitNamedExpr(const NamedExprExpr* e) {
  CheckAnnotationAllows("named expression", e);
  if (scope_->comp_iter_expr > 0) {
    context_.SymbolError(e->loc,
                         "assignment expression cannot be used in a comprehension iterable "
                         "expression");
  }
  auto* target = As<NameExpr>(e->target);
  if (scope_->is_comprehension()) ExtendNamedExpr(target);
  VisitExpr(e->value);
  AddDef(target->id, kSymLocal | kSymWalrus, target->loc);
}

// A walrus in a comprehension binds in the function (or module) around all comprehensions.
void SymbolTableBuilder::ExtendNamedExpr(const NameExpr* target) {
  Identifier name = scope_->Mangle(context_, target->id);
  for (Scope* s = scope_;; s = s->parent) {
    if (s->is_comprehension()) {
      Symbol* symbol = s->Find(name);
      if (symbol && (symbol->flags & kSymCompIter)) {
        context_.SymbolError(target->loc,
                             "assignment expression cannot rebind comprehension iteration variable "
                             "'%.*s'",
                             static_cast<int>(target->id->size), target->id->data);
      }
      continue;
    }
    if (s->kind == ScopeKind::kClass) {
      context_.SymbolError(target->loc,
                           "assignment expression within a comprehension cannot be used in a class "
                           "body");
    }
    if (s->is_annotation()) {
      context_.SymbolError(target->loc,
                           "assignment expression within a comprehension cannot be used within %s",
                           s->part);
    }
    if (s->kind == ScopeKind::kModule) {
      AddDefIn(scope_, name, kSymGlobal, target->loc);
      AddDefIn(s, name, kSymGlobal | kSymWalrus, target->loc);
      return;
    }
    Symbol* outer = s->Find(name);
    const bool global = outer && (outer->flags & kSymGlobal);
    AddDefIn(scope_, name, global ? kSymGlobal : kSymNonlocal, target->loc);
    scope_->Find(name)->directive = target->loc;
    AddDefIn(s, name, kSymLocal | kSymWalrus, target->loc);
    return;
  }
}

// ---------------------------------------------------------------- patterns

void SymbolTableBuilder::VisitPattern(const Pattern* p) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  context_.Poll();
  switch (p->kind) {
    case PatternKind::kMatchValue: VisitExpr(As<MatchValuePattern>(p)->value); break;
    case PatternKind::kMatchSingleton: break;
    case PatternKind::kMatchSequence:
      for (Pattern* q : As<MatchSequencePattern>(p)->patterns) VisitPattern(q);
      break;
    case PatternKind::kMatchStar:
      if (As<MatchStarPattern>(p)->name) AddDef(As<MatchStarPattern>(p)->name, kSymLocal, p->loc);
      break;
    case PatternKind::kMatchMapping: {
      auto* m = As<MatchMappingPattern>(p);
      for (Expr* k : m->keys) VisitExpr(k);
      for (Pattern* q : m->patterns) VisitPattern(q);
      if (m->rest) AddDef(m->rest, kSymLocal, p->loc);
      break;
    }
    case PatternKind::kMatchClass: {
      auto* c = As<MatchClassPattern>(p);
      VisitExpr(c->cls);
      for (Pattern* q : c->patterns) VisitPattern(q);
      for (Pattern* q : c->kwd_patterns) VisitPattern(q);
      break;
    }
    case PatternKind::kMatchAs: {
      auto* a = As<MatchAsPattern>(p);
      if (a->pattern) VisitPattern(a->pattern);
      if (a->name) AddDef(a->name, kSymLocal, p->loc);
      break;
    }
    case PatternKind::kMatchOr:
      for (Pattern* q : As<MatchOrPattern>(p)->patterns) VisitPattern(q);
      break;
  }
}

}  // namespace minivm
