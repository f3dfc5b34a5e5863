// Class names of the tree's nodes, as the `ast` module has them.
#include "vm/syntax/ast_fields.h"

namespace minivm {
namespace {

template <class Kind, size_t n>
std::string_view Pick(const std::string_view (&names)[n], Kind kind, Kind last) {
  MVM_DCHECK(n == static_cast<size_t>(last) + 1, "a node kind without a name");
  return names[static_cast<size_t>(kind)];
}

}  // namespace

std::string_view NodeName(ExprKind kind) {
  static constexpr std::string_view kNames[] = {
      "BoolOp",    "NamedExpr", "BinOp",     "UnaryOp",   "Lambda",   "IfExp",
      "Dict",      "Set",       "ListComp",  "SetComp",   "DictComp", "GeneratorExp",
      "Await",     "Yield",     "YieldFrom", "Compare",   "Call",     "FormattedValue",
      "JoinedStr", "Constant",  "Attribute", "Subscript", "Starred",  "Name",
      "List",      "Tuple",     "Slice"};
  return Pick(kNames, kind, ExprKind::kSlice);
}

std::string_view NodeName(StmtKind kind) {
  static constexpr std::string_view kNames[] = {"FunctionDef", "AsyncFunctionDef",
                                                "ClassDef",    "Return",
                                                "Delete",      "Assign",
                                                "TypeAlias",   "AugAssign",
                                                "AnnAssign",   "For",
                                                "AsyncFor",    "While",
                                                "If",          "With",
                                                "AsyncWith",   "Match",
                                                "Raise",       "Try",
                                                "TryStar",     "Assert",
                                                "Import",      "ImportFrom",
                                                "Global",      "Nonlocal",
                                                "Expr",        "Pass",
                                                "Break",       "Continue"};
  return Pick(kNames, kind, StmtKind::kContinue);
}

std::string_view NodeName(PatternKind kind) {
  static constexpr std::string_view kNames[] = {"MatchValue",   "MatchSingleton", "MatchSequence",
                                                "MatchMapping", "MatchClass",     "MatchStar",
                                                "MatchAs",      "MatchOr"};
  return Pick(kNames, kind, PatternKind::kMatchOr);
}

std::string_view NodeName(TypeParamKind kind) {
  static constexpr std::string_view kNames[] = {"TypeVar", "ParamSpec", "TypeVarTuple"};
  return Pick(kNames, kind, TypeParamKind::kTypeVarTuple);
}

std::string_view NodeName(ModKind kind) {
  static constexpr std::string_view kNames[] = {"Module", "Interactive", "Expression",
                                                "FunctionType"};
  return Pick(kNames, kind, ModKind::kFunctionType);
}

std::string_view NodeName(ExprContext ctx) {
  static constexpr std::string_view kNames[] = {"Load", "Store", "Del"};
  return Pick(kNames, ctx, ExprContext::kDel);
}

std::string_view NodeName(BoolOperator op) { return op == BoolOperator::kAnd ? "And" : "Or"; }

std::string_view NodeName(Operator op) {
  static constexpr std::string_view kNames[] = {"Add",    "Sub",    "Mult",    "MatMult", "Div",
                                                "Mod",    "Pow",    "LShift",  "RShift",  "BitOr",
                                                "BitXor", "BitAnd", "FloorDiv"};
  return Pick(kNames, op, Operator::kFloorDiv);
}

std::string_view NodeName(UnaryOperator op) {
  static constexpr std::string_view kNames[] = {"Invert", "Not", "UAdd", "USub"};
  return Pick(kNames, op, UnaryOperator::kUSub);
}

std::string_view NodeName(CmpOp op) {
  static constexpr std::string_view kNames[] = {"Eq",  "NotEq", "Lt",    "LtE", "Gt",
                                                "GtE", "Is",    "IsNot", "In",  "NotIn"};
  return Pick(kNames, op, CmpOp::kNotIn);
}

}  // namespace minivm
