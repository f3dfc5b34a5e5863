// The walk that fills a SymbolTable; internal to symtable*.cpp.
#pragma once

#include "vm/compiler/symtable.h"

namespace minivm {

// A new, empty symbol. REQUIRES: the scope does not have the name yet.
Symbol* AddSymbol(Arena& arena, Scope* scope, Identifier id);
// Gives every symbol of the tree of scopes its kind; reports unbound nonlocals.
void ResolveSymbols(CompileContext& context, Scope* top);

class SymbolTableBuilder {
 public:
  SymbolTableBuilder(CompileContext& context, SymbolTable& table)
      : context_(context), table_(table) {}
  Scope* Run(const Mod* tree);

 private:
  void Enter(ScopeKind kind, const void* node, SymbolTable::Which which, Identifier name,
             const Location& loc);
  void EnterAnnotation(ScopeKind kind, const void* node, SymbolTable::Which which, Identifier name,
                       const Location& loc, const char* part);
  // `private_class`: the class they are of, if they are a class's.
  void EnterTypeParams(const void* node, Identifier name, const Location& loc,
                       Span<TypeParam*> params, Identifier private_class = nullptr);
  void Leave();
  // Records a name; mangles it first. AddDefIn takes it mangled.
  void AddDef(Identifier name, uint32_t flags, const Location& loc);
  void AddDefIn(Scope* scope, Identifier name, uint32_t flags, const Location& loc);
  void UseClassCell();

  void VisitStmts(Span<Stmt*> body);
  void VisitStmt(const Stmt* stmt);
  void VisitDirective(const GlobalStmt* s);
  void VisitAlias(const Alias* alias);
  void VisitAnnAssign(const AnnAssignStmt* s);
  void VisitTypeParams(Span<TypeParam*> params);
  void VisitTypeParamPart(const Expr* e, Identifier name, const TypeParam* param, const char* part,
                          SymbolTable::Which which);
  void VisitTypeAlias(const TypeAliasStmt* s);
  void VisitFunctionDef(const FunctionDefStmt* s);
  void VisitSignatureAnnotations(const Arguments* args, const Expr* returns);
  void AddParameters(const Arguments* args);
  void VisitClassDef(const ClassDefStmt* s);
  void VisitAnnotation(const Expr* e);
  void VisitExpr(const Expr* e);
  void VisitPlain(const Expr* e);
  void VisitYield(const Expr* e, const Expr* value);
  void VisitComprehension(const Expr* e, ScopeKind kind, Span<Comprehension*> generators,
                          const Expr* elt, const Expr* value);
  void VisitNamedExpr(const NamedExprExpr* e);
  void ExtendNamedExpr(const NameExpr* target);
  void VisitPattern(const Pattern* p);
  void CheckAnnotationAllows(const char* what, const Expr* e);
  static bool InClassBody(const Scope* scope);

  CompileContext& context_;
  SymbolTable& table_;
  Scope* scope_ = nullptr;
  std::vector<const Expr*> spine_;  // chains being walked
};

}  // namespace minivm
