// The abstract grammar of Python 3.13 as a table: every class of `ast`, with its fields.
//
// The table is made of the grammar's own text (tree_grammar.cpp), as the documentation of `ast`
// prints it; the text is also what __doc__ of the classes says. Classes are numbered: AST is 0,
// then the sums and products in the grammar's order, the constructors of a sum following it. The
// constructors stand in the order of the enumerations of vm/syntax/ast.h, so that a node's class is
// found by adding its kind to the number of the first constructor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vm/syntax/ast.h"

namespace minivm {

enum class Quantifier : uint8_t { kOne, kOptional, kMany };

struct TreeField {
  std::string name;
  std::string type;  // "expr", "identifier", "int", ...
  Quantifier quantifier;
  int type_class;  // its class, -1: identifier, int, string, constant
};

// Which position attributes nodes have.
enum class TreePosition : uint8_t {
  kNone,
  kOpenEnd,  // end_lineno and end_col_offset may be None
  kFull,
};

struct TreeClass {
  std::string name;
  std::string doc;
  int base;                 // -1: object
  bool is_sum = false;      // abstract: "expr", "stmt", ...
  bool is_product = false;  // "arguments", "alias", ...
  bool is_simple = false;   // a constructor without fields of a sum of such: "Load", "Add", ...
  int first_constructor = 0, constructor_count = 0;  // of a sum
  TreePosition position = TreePosition::kNone;
  std::vector<TreeField> fields;
};

// Built at the first call, constant from then on.
const std::vector<TreeClass>& TreeClasses();

// The sums, and products that are told from each other only by their own names.
enum class TreeSum : uint8_t {
  kMod,
  kStmt,
  kExpr,
  kExprContext,
  kBoolop,
  kOperator,
  kUnaryop,
  kCmpop,
  kComprehension,
  kExcepthandler,
  kArguments,
  kArg,
  kKeyword,
  kAlias,
  kWithitem,
  kMatchCase,
  kPattern,
  kTypeIgnore,
  kTypeParam,
};
// The number of the class of that name.
int ClassNumber(TreeSum sum);

inline TreeSum SumOf(ModKind) { return TreeSum::kMod; }
inline TreeSum SumOf(StmtKind) { return TreeSum::kStmt; }
inline TreeSum SumOf(ExprKind) { return TreeSum::kExpr; }
inline TreeSum SumOf(PatternKind) { return TreeSum::kPattern; }
inline TreeSum SumOf(TypeParamKind) { return TreeSum::kTypeParam; }
inline TreeSum SumOf(ExprContext) { return TreeSum::kExprContext; }
inline TreeSum SumOf(BoolOperator) { return TreeSum::kBoolop; }
inline TreeSum SumOf(Operator) { return TreeSum::kOperator; }
inline TreeSum SumOf(UnaryOperator) { return TreeSum::kUnaryop; }
inline TreeSum SumOf(CmpOp) { return TreeSum::kCmpop; }

// The number of the class of nodes of that kind.
template <class Kind>
int ClassNumber(Kind kind) {
  return ClassNumber(SumOf(kind)) + 1 + static_cast<int>(kind);
}

}  // namespace minivm
