// Resolving names: which scope owns each symbol.
//
// A name that a scope does not bind is looked for in the scopes around it, skipping classes. The
// owner's symbol becomes a cell as soon as a scope with code of its own lies between; every such
// scope passes the cell on as a free variable. Inlined comprehensions are part of the code around
// them: between them and their function nothing is captured.
#include "vm/compiler/symtable_builder.h"

namespace minivm {

namespace {

class Resolver {
 public:
  explicit Resolver(CompileContext& context)
      : context_(context),
        class_name_(context.Intern("__class__")),
        classdict_name_(context.Intern("__classdict__")) {}

  // Scopes nest as deep as the source does, which the builder has been through under its guard.
  void Visit(Scope* scope) {
    for (uint32_t i = 0; i < scope->symbol_count; ++i) Resolve(scope, scope->symbols[i]);
    for (Scope* child = scope->first_child; child; child = child->next_sibling) Visit(child);
  }

 private:
  void Resolve(Scope* scope, Symbol* s) {
    const int n = static_cast<int>(s->name->size);
    if (s->flags & kSymGlobal) {
      if (s->flags & kSymNonlocal) {
        context_.SymbolError(s->directive, "name '%.*s' is nonlocal and global", n, s->name->data);
      }
      s->kind = NameKind::kGlobalExplicit;
      return;
    }
    if (s->flags & kSymNonlocal) {
      if (!FindOuter(scope, s)) {
        context_.SymbolError(s->directive, "no binding for nonlocal '%.*s' found", n,
                             s->name->data);
      }
      return;
    }
    if (s->flags & kSymBound) {
      if (s->kind == NameKind::kCell) return;
      s->kind = scope->is_function() ? NameKind::kFast : NameKind::kName;
      return;
    }
    // A class body (or an annotation scope in it) that only reads the name.
    if (scope->sees_class) {
      if (Scope* cls = ClassAround(scope)) {
        if (Symbol* in_class = cls->Find(s->name)) {
          if (in_class->flags & kSymGlobal) {
            s->kind = NameKind::kGlobalExplicit;
            return;
          }
          if ((in_class->flags & kSymBound) && !(in_class->flags & kSymNonlocal)) {
            s->kind = NameKind::kGlobalImplicit;
            return;
          }
        }
      }
    }
    if (!FindOuter(scope, s)) s->kind = NameKind::kGlobalImplicit;
  }

  static Scope* ClassAround(Scope* scope) {
    while (scope && scope->kind != ScopeKind::kClass) scope = scope->parent;
    return scope;
  }

  bool FindOuter(Scope* scope, Symbol* s) {
    bool captured = !scope->inlined;
    for (Scope* p = scope->parent; p; p = p->parent) {
      if (p->kind == ScopeKind::kModule) return false;
      if (p->kind == ScopeKind::kClass) {
        if (s->name == class_name_) {
          p->has_class_cell = true;
        } else if (s->name == classdict_name_) {
          p->has_class_dict = true;
        } else {
          captured = true;
          continue;
        }
        PassOn(scope, p, s->name);
        s->kind = NameKind::kFree;
        return true;
      }
      Symbol* owner = p->Find(s->name);
      if (owner) {
        if (owner->flags & kSymGlobal) return false;
        if ((owner->flags & kSymBound) && !(owner->flags & kSymNonlocal)) {
          if ((s->flags & kSymNonlocal) && (owner->flags & kSymTypeParam)) {
            context_.SymbolError(s->directive,
                                 "nonlocal binding not allowed for type parameter '%.*s'",
                                 static_cast<int>(s->name->size), s->name->data);
          }
          if (captured) owner->kind = NameKind::kCell;
          PassOn(scope, p, s->name);
          s->kind = scope->inlined ? NameKind::kOuter : NameKind::kFree;
          return true;
        }
      }
      if (!p->inlined) captured = true;
    }
    return false;
  }

  // Every scope strictly between `inner` and `owner` hands the cell on.
  void PassOn(Scope* inner, Scope* owner, Identifier name) {
    for (Scope* p = inner->parent; p != owner; p = p->parent) {
      Symbol* s = p->Find(name);
      if (!s) s = AddSymbol(context_.arena, p, name);
      if (p->kind == ScopeKind::kClass) {
        s->flags |= kSymFreeClass;
        if (!(s->flags & (kSymBound | kSymGlobal))) s->kind = NameKind::kFree;
      } else {
        s->kind = p->inlined ? NameKind::kOuter : NameKind::kFree;
      }
    }
  }

  CompileContext& context_;
  Identifier class_name_, classdict_name_;
};

}  // namespace

void ResolveSymbols(CompileContext& context, Scope* top) { Resolver(context).Visit(top); }

}  // namespace minivm
