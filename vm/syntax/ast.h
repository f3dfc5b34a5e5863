// The abstract syntax tree: plain structs in an arena, one for each class of
// Python 3.13's `ast` module, with the same field names and the same shapes.
//
// A family (Expr, Stmt, Pattern, TypeParam, Mod) is a header with a `kind`;
// code switches on the kind and casts with As<BinOpExpr>(e). Nodes that differ
// only by being async (or by `except*`) share a struct and differ by kind.
// Optional nodes and names are null when absent. A tree never owns anything
// outside its arena and is immutable once Parse() has returned, except that
// the compiler may rewrite nodes in place.
//
// Relies on runtime/support/arena.h. The field-by-field visitor that the dump
// and the `ast` module use is ast_fields.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/support/arena.h"
#include "runtime/support/check.h"

namespace minivm {

// An interned identifier (NFKC-normalised UTF-8). Invariant: within one
// NameTable equal text means equal pointer, and `index` runs from 0 without gaps.
struct Ident {
  const char* data;
  uint32_t size;
  uint32_t hash;
  uint32_t index;

  std::string_view view() const { return {data, size}; }
};
using Identifier = const Ident*;
class NameTable;  // name_table.h

// ---------------------------------------------------------------- operators

enum class ExprContext : uint8_t { kLoad, kStore, kDel };
enum class BoolOperator : uint8_t { kAnd, kOr };
enum class Operator : uint8_t {
  kAdd,
  kSub,
  kMult,
  kMatMult,
  kDiv,
  kMod,
  kPow,
  kLShift,
  kRShift,
  kBitOr,
  kBitXor,
  kBitAnd,
  kFloorDiv
};
enum class UnaryOperator : uint8_t { kInvert, kNot, kUAdd, kUSub };
enum class CmpOp : uint8_t { kEq, kNotEq, kLt, kLtE, kGt, kGtE, kIs, kIsNot, kIn, kNotIn };

// ---------------------------------------------------------------- constants

enum class ConstantKind : uint8_t {
  kNone,
  kTrue,
  kFalse,
  kEllipsis,
  kInt,        // int_value
  kBigInt,     // text holds the digits, without prefix and underscores, in `base`
  kFloat,      // float_value
  kImaginary,  // float_value is the imaginary part
  kStr,        // text, UTF-8; a lone surrogate is the 3 bytes of "surrogatepass"
  kBytes,      // text, raw bytes
  kObject      // object: any other constant, in trees made by scripts
};

struct ConstantValue {
  ConstantKind kind = ConstantKind::kNone;
  uint8_t base = 10;      // kBigInt: 2, 8, 10 or 16
  bool u_prefix = false;  // kStr: the first literal was u"..." (ast.Constant.kind == 'u')
  union {
    int64_t int_value = 0;
    double float_value;
    uint64_t object;  // kObject: the bits of a runtime value, owned by whoever made the tree
  };
  std::string_view text;
};

// ---------------------------------------------------------------- headers

// Lines count from 1, columns are offsets in UTF-8 bytes from 0; the end is exclusive.
struct Location {
  uint32_t lineno = 0;
  uint32_t col_offset = 0;
  uint32_t end_lineno = 0;
  uint32_t end_col_offset = 0;
};

enum class ExprKind : uint8_t {
  kBoolOp,
  kNamedExpr,
  kBinOp,
  kUnaryOp,
  kLambda,
  kIfExp,
  kDict,
  kSet,
  kListComp,
  kSetComp,
  kDictComp,
  kGeneratorExp,
  kAwait,
  kYield,
  kYieldFrom,
  kCompare,
  kCall,
  kFormattedValue,
  kJoinedStr,
  kConstant,
  kAttribute,
  kSubscript,
  kStarred,
  kName,
  kList,
  kTuple,
  kSlice
};

enum class StmtKind : uint8_t {
  kFunctionDef,
  kAsyncFunctionDef,
  kClassDef,
  kReturn,
  kDelete,
  kAssign,
  kTypeAlias,
  kAugAssign,
  kAnnAssign,
  kFor,
  kAsyncFor,
  kWhile,
  kIf,
  kWith,
  kAsyncWith,
  kMatch,
  kRaise,
  kTry,
  kTryStar,
  kAssert,
  kImport,
  kImportFrom,
  kGlobal,
  kNonlocal,
  kExpr,
  kPass,
  kBreak,
  kContinue
};

enum class PatternKind : uint8_t {
  kMatchValue,
  kMatchSingleton,
  kMatchSequence,
  kMatchMapping,
  kMatchClass,
  kMatchStar,
  kMatchAs,
  kMatchOr
};

enum class TypeParamKind : uint8_t { kTypeVar, kParamSpec, kTypeVarTuple };
enum class ModKind : uint8_t { kModule, kInteractive, kExpression, kFunctionType };

// Invariant: depth is 1 for a leaf, else 1 + the deepest child. Nesting in the source is bounded
// by the parser, but chains (a.b.c..., 1+1+1+..., f()()()...) are as deep as they are long: code
// that recurses must test `depth` or walk the left spine in a loop.
struct Expr {
  ExprKind kind;
  ExprContext ctx = ExprContext::kLoad;  // Attribute, Subscript, Starred, Name, List, Tuple
  uint8_t parenthesized = 0;             // written in (...) of its own; the parser's own use
  uint32_t depth = 1;
  Location loc;
};

struct Stmt {
  StmtKind kind;
  Location loc;
};

struct Pattern {
  PatternKind kind;
  Location loc;
};

struct TypeParam {
  TypeParamKind kind;
  Location loc;
};

// Casts to the struct of a node; REQUIRES: the kind matches.
template <class T, class Base>
T* As(Base* node) {
  MVM_DCHECK(T::Is(node->kind), "node cast to the wrong struct");
  return static_cast<T*>(node);
}
template <class T, class Base>
const T* As(const Base* node) {
  MVM_DCHECK(T::Is(node->kind), "node cast to the wrong struct");
  return static_cast<const T*>(node);
}

#define MVM_NODE(family, name) \
  static constexpr bool Is(family##Kind k) { return k == family##Kind::k##name; }
#define MVM_NODE2(family, name, other)                                \
  static constexpr bool Is(family##Kind k) {                          \
    return k == family##Kind::k##name || k == family##Kind::k##other; \
  }

// ---------------------------------------------------------------- parts shared by families

struct Arg {
  Identifier arg;
  Expr* annotation = nullptr;
  std::string_view type_comment;  // data() is null when absent
  Location loc;
};

struct Arguments {
  Span<Arg*> posonlyargs;
  Span<Arg*> args;
  Arg* vararg = nullptr;
  Span<Arg*> kwonlyargs;
  Span<Expr*> kw_defaults;  // as long as kwonlyargs; null = required
  Arg* kwarg = nullptr;
  Span<Expr*> defaults;  // of the last posonlyargs + args
};

struct Keyword {
  Identifier arg;  // null: **value
  Expr* value;
  Location loc;
};

struct Comprehension {
  Expr* target;
  Expr* iter;
  Span<Expr*> ifs;
  bool is_async;
};

struct ExceptHandler {
  Expr* type;       // null: bare except
  Identifier name;  // null: no `as`
  Span<Stmt*> body;
  Location loc;
};

struct WithItem {
  Expr* context_expr;
  Expr* optional_vars;  // null: no `as`
};

struct MatchCase {
  Pattern* pattern;
  Expr* guard;  // null: none
  Span<Stmt*> body;
};

struct Alias {
  Identifier name;    // dotted for `import a.b`, "*" for `from m import *`
  Identifier asname;  // null: none
  Location loc;
};

struct TypeIgnore {
  uint32_t lineno;
  std::string_view tag;
};

struct TypeVarParam : TypeParam {
  MVM_NODE(TypeParam, TypeVar)
  Identifier name;
  Expr* bound = nullptr;
  Expr* default_value = nullptr;
};
struct ParamSpecParam : TypeParam {
  MVM_NODE(TypeParam, ParamSpec)
  Identifier name;
  Expr* default_value = nullptr;
};
struct TypeVarTupleParam : TypeParam {
  MVM_NODE(TypeParam, TypeVarTuple)
  Identifier name;
  Expr* default_value = nullptr;
};

// ---------------------------------------------------------------- expressions

struct BoolOpExpr : Expr {
  MVM_NODE(Expr, BoolOp)
  BoolOperator op;
  Span<Expr*> values;
};
struct NamedExprExpr : Expr {
  MVM_NODE(Expr, NamedExpr)
  Expr* target;
  Expr* value;
};
struct BinOpExpr : Expr {
  MVM_NODE(Expr, BinOp)
  Operator op;
  Expr* left;
  Expr* right;
};
struct UnaryOpExpr : Expr {
  MVM_NODE(Expr, UnaryOp)
  UnaryOperator op;
  Expr* operand;
};
struct LambdaExpr : Expr {
  MVM_NODE(Expr, Lambda)
  Arguments* args;
  Expr* body;
};
struct IfExpExpr : Expr {
  MVM_NODE(Expr, IfExp)
  Expr* test;
  Expr* body;
  Expr* orelse;
};
struct DictExpr : Expr {
  MVM_NODE(Expr, Dict)
  Span<Expr*> keys;  // a null key: **value
  Span<Expr*> values;
};
struct SetExpr : Expr {
  MVM_NODE(Expr, Set)
  Span<Expr*> elts;
};
// ListComp, SetComp, GeneratorExp.
struct CompExpr : Expr {
  static constexpr bool Is(ExprKind k) {
    return k == ExprKind::kListComp || k == ExprKind::kSetComp || k == ExprKind::kGeneratorExp;
  }
  Expr* elt;
  Span<Comprehension*> generators;
};
struct DictCompExpr : Expr {
  MVM_NODE(Expr, DictComp)
  Expr* key;
  Expr* value;
  Span<Comprehension*> generators;
};
struct AwaitExpr : Expr {
  MVM_NODE(Expr, Await)
  Expr* value;
};
struct YieldExpr : Expr {
  MVM_NODE(Expr, Yield)
  Expr* value;  // null: bare yield
};
struct YieldFromExpr : Expr {
  MVM_NODE(Expr, YieldFrom)
  Expr* value;
};
struct CompareExpr : Expr {
  MVM_NODE(Expr, Compare)
  Expr* left;
  Span<CmpOp> ops;
  Span<Expr*> comparators;
};
struct CallExpr : Expr {
  MVM_NODE(Expr, Call)
  Expr* func;
  Span<Expr*> args;
  Span<Keyword*> keywords;
};
struct FormattedValueExpr : Expr {
  MVM_NODE(Expr, FormattedValue)
  Expr* value;
  int32_t conversion;  // -1, or 's', 'r', 'a'
  Expr* format_spec;   // null, or a JoinedStr
};
struct JoinedStrExpr : Expr {
  MVM_NODE(Expr, JoinedStr)
  Span<Expr*> values;  // Constant (str) and FormattedValue
};
struct ConstantExpr : Expr {
  MVM_NODE(Expr, Constant)
  ConstantValue value;
};
struct AttributeExpr : Expr {
  MVM_NODE(Expr, Attribute)
  Expr* value;
  Identifier attr;
};
struct SubscriptExpr : Expr {
  MVM_NODE(Expr, Subscript)
  Expr* value;
  Expr* slice;
};
struct StarredExpr : Expr {
  MVM_NODE(Expr, Starred)
  Expr* value;
};
struct NameExpr : Expr {
  MVM_NODE(Expr, Name)
  Identifier id;
};
struct ListExpr : Expr {
  MVM_NODE(Expr, List)
  Span<Expr*> elts;
};
struct TupleExpr : Expr {
  MVM_NODE(Expr, Tuple)
  Span<Expr*> elts;
};
struct SliceExpr : Expr {
  MVM_NODE(Expr, Slice)
  Expr* lower;  // each may be null
  Expr* upper;
  Expr* step;
};

// ---------------------------------------------------------------- statements

// FunctionDef, AsyncFunctionDef.
struct FunctionDefStmt : Stmt {
  MVM_NODE2(Stmt, FunctionDef, AsyncFunctionDef)
  Identifier name;
  Arguments* args;
  Span<Stmt*> body;
  Span<Expr*> decorator_list;
  Expr* returns = nullptr;
  std::string_view type_comment;
  Span<TypeParam*> type_params;
};
struct ClassDefStmt : Stmt {
  MVM_NODE(Stmt, ClassDef)
  Identifier name;
  Span<Expr*> bases;
  Span<Keyword*> keywords;
  Span<Stmt*> body;
  Span<Expr*> decorator_list;
  Span<TypeParam*> type_params;
};
struct ReturnStmt : Stmt {
  MVM_NODE(Stmt, Return)
  Expr* value;  // null: bare return
};
struct DeleteStmt : Stmt {
  MVM_NODE(Stmt, Delete)
  Span<Expr*> targets;
};
struct AssignStmt : Stmt {
  MVM_NODE(Stmt, Assign)
  Span<Expr*> targets;
  Expr* value;
  std::string_view type_comment;
};
struct TypeAliasStmt : Stmt {
  MVM_NODE(Stmt, TypeAlias)
  Expr* name;
  Span<TypeParam*> type_params;
  Expr* value;
};
struct AugAssignStmt : Stmt {
  MVM_NODE(Stmt, AugAssign)
  Expr* target;
  Operator op;
  Expr* value;
};
struct AnnAssignStmt : Stmt {
  MVM_NODE(Stmt, AnnAssign)
  Expr* target;
  Expr* annotation;
  Expr* value;  // null: no value
  bool simple;  // a bare name without parentheses
};
// For, AsyncFor.
struct ForStmt : Stmt {
  MVM_NODE2(Stmt, For, AsyncFor)
  Expr* target;
  Expr* iter;
  Span<Stmt*> body;
  Span<Stmt*> orelse;
  std::string_view type_comment;
};
struct WhileStmt : Stmt {
  MVM_NODE(Stmt, While)
  Expr* test;
  Span<Stmt*> body;
  Span<Stmt*> orelse;
};
// An `elif` is an If as the only statement of orelse; such a chain may be long: walk it in a loop.
struct IfStmt : Stmt {
  MVM_NODE(Stmt, If)
  Expr* test;
  Span<Stmt*> body;
  Span<Stmt*> orelse;
};
// With, AsyncWith.
struct WithStmt : Stmt {
  MVM_NODE2(Stmt, With, AsyncWith)
  Span<WithItem*> items;
  Span<Stmt*> body;
  std::string_view type_comment;
};
struct MatchStmt : Stmt {
  MVM_NODE(Stmt, Match)
  Expr* subject;
  Span<MatchCase*> cases;
};
struct RaiseStmt : Stmt {
  MVM_NODE(Stmt, Raise)
  Expr* exc;    // null: re-raise
  Expr* cause;  // null: no `from`
};
// Try, TryStar.
struct TryStmt : Stmt {
  MVM_NODE2(Stmt, Try, TryStar)
  Span<Stmt*> body;
  Span<ExceptHandler*> handlers;
  Span<Stmt*> orelse;
  Span<Stmt*> finalbody;
};
struct AssertStmt : Stmt {
  MVM_NODE(Stmt, Assert)
  Expr* test;
  Expr* msg;  // null: none
};
struct ImportStmt : Stmt {
  MVM_NODE(Stmt, Import)
  Span<Alias*> names;
};
struct ImportFromStmt : Stmt {
  MVM_NODE(Stmt, ImportFrom)
  Identifier module;  // null: `from . import x`
  Span<Alias*> names;
  uint32_t level;
};
// Global, Nonlocal.
struct GlobalStmt : Stmt {
  MVM_NODE2(Stmt, Global, Nonlocal)
  Span<Identifier> names;
};
struct ExprStmt : Stmt {
  MVM_NODE(Stmt, Expr)
  Expr* value;
};
// Pass, Break, Continue are bare Stmt headers.

// ---------------------------------------------------------------- patterns

struct MatchValuePattern : Pattern {
  MVM_NODE(Pattern, MatchValue)
  Expr* value;
};
struct MatchSingletonPattern : Pattern {
  MVM_NODE(Pattern, MatchSingleton)
  ConstantKind value;  // kNone, kTrue or kFalse
};
struct MatchSequencePattern : Pattern {
  MVM_NODE(Pattern, MatchSequence)
  Span<Pattern*> patterns;
};
struct MatchMappingPattern : Pattern {
  MVM_NODE(Pattern, MatchMapping)
  Span<Expr*> keys;
  Span<Pattern*> patterns;
  Identifier rest;  // null: no **rest
};
struct MatchClassPattern : Pattern {
  MVM_NODE(Pattern, MatchClass)
  Expr* cls;
  Span<Pattern*> patterns;
  Span<Identifier> kwd_attrs;
  Span<Pattern*> kwd_patterns;
};
struct MatchStarPattern : Pattern {
  MVM_NODE(Pattern, MatchStar)
  Identifier name;  // null: *_
};
struct MatchAsPattern : Pattern {
  MVM_NODE(Pattern, MatchAs)
  Pattern* pattern;  // null: a bare capture
  Identifier name;   // null: the wildcard _
};
struct MatchOrPattern : Pattern {
  MVM_NODE(Pattern, MatchOr)
  Span<Pattern*> patterns;
};

#undef MVM_NODE
#undef MVM_NODE2

// ---------------------------------------------------------------- module

// What Parse() returns. `body` is set for Module and Interactive, `expression`
// for Expression (its body) and FunctionType (its returns).
struct Mod {
  ModKind kind;
  Span<Stmt*> body;
  Expr* expression = nullptr;
  Span<Expr*> argtypes;           // FunctionType
  Span<TypeIgnore> type_ignores;  // Module, with ParseOptions::type_comments
  NameTable* names = nullptr;     // every identifier of the tree; lives in the arena
  uint32_t max_expr_depth = 0;    // the largest Expr::depth in the tree
};

}  // namespace minivm
