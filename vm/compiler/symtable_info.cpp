// The symbol table as plain data, for module symtable.
//
// A scope becomes (type, name, line, nested, varargs, symbols, children): `symbols` maps names to
// CPython's flag bits with the scope in the bits from 12 on. Comprehensions that are inlined have
// no table of their own there: their names are those of the scope around them unless that has them
// already, and their children stand in their place.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/compiler/symtable.h"

namespace minivm {

namespace {

// CPython's values, which symtable.Symbol shows in its repr().
enum : int64_t {
  kDefGlobal = 1,
  kDefLocal = 2,
  kDefParam = 4,
  kDefNonlocal = 8,
  kUse = 16,
  kDefImport = 128,
  kDefAnnot = 256,
};
enum : int64_t { kLocal = 1, kGlobalExplicit, kGlobalImplicit, kFree, kCell };
constexpr int kScopeShift = 12;

int64_t BitsOf(uint32_t flags) {
  int64_t bits = 0;
  if (flags & kSymGlobal) bits |= kDefGlobal;
  if (flags & (kSymLocal | kSymTypeParam)) bits |= kDefLocal;
  if (flags & kSymParam) bits |= kDefParam;
  if (flags & kSymNonlocal) bits |= kDefNonlocal;
  if (flags & kSymUse) bits |= kUse;
  if (flags & kSymImport) bits |= kDefImport;
  if (flags & kSymAnnotated) bits |= kDefAnnot;
  return bits;
}

// How code reaches a name; of an inlined comprehension's outer names, as the scope around it does.
int64_t ScopeOf(const Scope* scope, const Symbol* symbol) {
  switch (symbol->kind) {
    case NameKind::kFast: return kLocal;
    case NameKind::kCell: return kCell;
    case NameKind::kFree: return kFree;
    case NameKind::kGlobalExplicit: return kGlobalExplicit;
    case NameKind::kName: return symbol->flags & kSymBound ? kLocal : kGlobalImplicit;
    case NameKind::kOuter:
      for (const Scope* s = scope->parent; s; s = s->parent) {
        const Symbol* outer = s->Find(symbol->name);
        if (outer && outer->kind != NameKind::kOuter) return ScopeOf(s, outer);
      }
      return kGlobalImplicit;
    case NameKind::kGlobalImplicit:
    case NameKind::kUnresolved: return kGlobalImplicit;
  }
  return kGlobalImplicit;
}

std::string_view TypeText(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::kModule: return "module";
    case ScopeKind::kClass: return "class";
    case ScopeKind::kTypeParams: return "type parameters";
    case ScopeKind::kTypeAlias: return "type alias";
    case ScopeKind::kTypeVarPart: return "type variable";
    case ScopeKind::kGenerator: return "generator";
    default: return "function";
  }
}

std::string_view NameText(const Scope* scope) {
  switch (scope->kind) {
    case ScopeKind::kModule: return "top";
    case ScopeKind::kLambda: return "lambda";
    case ScopeKind::kGenerator: return "genexpr";
    case ScopeKind::kListComp: return "listcomp";
    case ScopeKind::kSetComp: return "setcomp";
    case ScopeKind::kDictComp: return "dictcomp";
    default: return scope->name ? scope->name->view() : std::string_view();
  }
}

class Describer {
 public:
  explicit Describer(CompileContext& context) : context_(context), ts_(context.ts) {}

  Result<> Describe(const Scope* scope) {
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    MVM_TRY(Ref<DictObject> symbols, NewDict(ts_));
    MVM_TRY(Ref<ListObject> children, NewListReserve(ts_, 0));
    MVM_TRY_VOID(AddSymbols(scope, symbols, false));
    MVM_TRY_VOID(AddChildren(scope, symbols, children));
    MVM_TRY(Ref<StrObject> type, NewStr(ts_, TypeText(scope->kind)));
    MVM_TRY(Ref<StrObject> name, NewStr(ts_, NameText(scope)));
    const bool module = scope->kind == ScopeKind::kModule;
    const Value fields[] = {type.value(),
                            name.value(),
                            Value::Int(module ? 0 : scope->loc.lineno),
                            Value(scope->nested ? ts_.rt->true_ : ts_.rt->false_),
                            symbols.value(),
                            children.value()};
    return NewTuple(ts_, fields);
  }

 private:
  // `inlined`: of a comprehension, into the symbols of the scope around it.
  Status AddSymbols(const Scope* scope, DictObject* symbols, bool inlined) {
    for (uint32_t i = 0; i < scope->symbol_count; ++i) {
      const Symbol* symbol = scope->symbols[i];
      int64_t bits = BitsOf(symbol->flags);
      if (bits == 0) continue;             // only passed through
      if (symbol->name->data[0] == '.') {  // the compiler's own
        if (inlined) continue;
        if (bits == kDefLocal) bits |= kUse;
      }
      StrObject* name = context_.Str(symbol->name);
      if (inlined && !DictGetStr(ts_, symbols, name).is_null()) continue;
      MVM_TRY_VOID(
          DictSetStr(ts_, symbols, name, Value::Int(bits | ScopeOf(scope, symbol) << kScopeShift)));
    }
    return Ok();
  }

  Status AddChildren(const Scope* scope, DictObject* symbols, ListObject* children) {
    for (const Scope* c = scope->first_child; c; c = c->next_sibling) {
      if (c->inlined) {
        MVM_TRY_VOID(AddSymbols(c, symbols, true));
        MVM_TRY_VOID(AddChildren(c, symbols, children));
        continue;
      }
      MVM_TRY(Ref<> child, Describe(c));
      MVM_TRY_VOID(ListAppend(ts_, children, child));
    }
    return Ok();
  }

  CompileContext& context_;
  ThreadState& ts_;
};

}  // namespace

Result<> DescribeScopes(CompileContext& context, const Scope* top) {
  return Describer(context).Describe(top);
}

}  // namespace minivm
