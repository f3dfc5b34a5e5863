// The symbol table: which scope owns each name, and how the code of each scope reaches it.
//
// One Scope per block that has names of its own (module, class, function, lambda, comprehension,
// and the annotation scopes of PEP 695). BuildSymbolTable walks the tree once, in the order of
// execution, and reports what CPython's symbol table reports; then every symbol is resolved
// against the scopes around it. Scopes and symbols live in the compilation's arena.
//
// List, set and dict comprehensions are inlined (PEP 709): their scope has no code object; its own
// names become hidden registers of the code around it, other names are kOuter.
#pragma once

#include "vm/compiler/compile_context.h"

namespace minivm {

enum class ScopeKind : uint8_t {
  kModule,
  kClass,
  kFunction,
  kLambda,
  kGenerator,
  kListComp,
  kSetComp,
  kDictComp,
  kTypeParams,   // <generic parameters of f>
  kTypeAlias,    // the value of a `type` statement
  kTypeVarPart,  // bound, constraints or default of a type parameter
};

enum SymbolFlags : uint32_t {
  kSymGlobal = 1,  // global statement
  kSymLocal = 2,   // assigned
  kSymParam = 4,
  kSymNonlocal = 8,
  kSymUse = 16,
  kSymImport = 32,
  kSymAnnotated = 64,
  kSymCompIter = 128,  // iteration variable of a comprehension
  kSymTypeParam = 256,
  kSymUnbound = 512,     // a del or the end of `except ... as` may unbind it
  kSymWalrus = 1024,     // target of := : may change inside an expression
  kSymFreeClass = 2048,  // class scope: also passed on from an enclosing function to inner scopes
  kSymFirstIter = 4096,  // bound by the first `for` of its comprehension
};
inline constexpr uint32_t kSymBound = kSymLocal | kSymParam | kSymImport | kSymTypeParam;

enum class NameKind : uint8_t {
  kUnresolved,
  kFast,            // register
  kCell,            // register that holds a cell
  kFree,            // cell of the closure
  kGlobalExplicit,  // global statement
  kGlobalImplicit,  // found nowhere else
  kName,            // local of a class or module body: in the locals mapping
  kOuter,           // inlined comprehension: as the scope around it has it
};

struct Symbol {
  Identifier name;
  uint32_t flags = 0;
  NameKind kind = NameKind::kUnresolved;
  bool far = false;         // reg is an index into the list of far locals
  uint32_t reg = 0;         // kFast, kCell: set when the code of the scope begins
  uint16_t free_index = 0;  // kFree, kSymFreeClass: index into co_freevars
  Location directive{};     // of the global or nonlocal statement
};

struct Scope {
  ScopeKind kind;
  const void* node = nullptr;  // the AST node it was made for
  Identifier name = nullptr;
  Scope* parent = nullptr;
  Scope* first_child = nullptr;
  Scope* last_child = nullptr;
  Scope* next_sibling = nullptr;
  Identifier private_class = nullptr;  // innermost class, for mangling
  // In the head of a generic class (not its body): the scope of its type parameters, which alone
  // are private to it.
  const Scope* class_head = nullptr;
  Location loc{};

  bool nested = false;        // inside a function
  bool is_generator = false;  // contains yield
  bool is_coroutine = false;  // async def, or contains await / async for
  bool returns_value = false;
  bool inlined = false;
  bool uses_class = false;      // __class__ or super inside, this scope or an inner one
  bool has_class_cell = false;  // class: owns __class__
  bool has_class_dict = false;  // class: owns __classdict__
  bool sees_class = false;      // annotation scope directly in a class
  bool has_varargs = false, has_varkeywords = false;
  bool comp_iter_target = false;
  bool has_far = false;
  uint16_t comp_iter_expr = 0;
  const char* part = nullptr;  // annotation scopes, for messages: "a TypeVar bound"

  Symbol** symbols = nullptr;  // in order of appearance; parameters in the order of registers
  uint32_t symbol_count = 0, symbol_capacity = 0;
  uint32_t* slots = nullptr;  // hash index + 1, once there are more than a few
  uint32_t slot_mask = 0;

  bool is_comprehension() const {
    return kind >= ScopeKind::kGenerator && kind <= ScopeKind::kDictComp;
  }
  bool is_annotation() const { return kind >= ScopeKind::kTypeParams; }
  bool is_function() const { return kind >= ScopeKind::kFunction; }  // function-like: has registers
  // null if this scope does not mention the name.
  Symbol* Find(Identifier name) const;
  // The name as this scope has it: names private to a class are mangled.
  Identifier Mangle(CompileContext& context, Identifier id) const;
};

class SymbolTable {
 public:
  explicit SymbolTable(CompileContext& context) : context_(context) {}
  Scope* top() const { return top_; }
  // The scope of a node (a function's, class's, lambda's, comprehension's, ...); `which` tells the
  // several scopes of one node apart.
  enum Which : uint32_t { kOwn = 0, kTypeParams = 1, kDefault = 2 };
  Scope* Of(const void* node, Which which = kOwn) const;

  void Build(const Mod* tree);

 private:
  friend class SymbolTableBuilder;
  struct Entry {
    const void* node;
    uint32_t which;
    Scope* scope;
  };
  void Insert(const void* node, Which which, Scope* scope);
  static size_t HashOf(const void* node, uint32_t which) {
    return (reinterpret_cast<uintptr_t>(node) >> 3) * 0x9E3779B97F4A7C15u + which * 0x51ED27u;
  }

  CompileContext& context_;
  Scope* top_ = nullptr;
  std::vector<Entry> map_;  // open addressing, size a power of two
  size_t used_ = 0;
};

// The tables as tuples and dicts, for module symtable (symtable_info.cpp says which).
Result<> DescribeScopes(CompileContext& context, const Scope* top);

// Future imports of a module: sets the context's flags; errors as CPython words them.
void ScanFutureImports(CompileContext& context, const Mod* tree);

}  // namespace minivm
