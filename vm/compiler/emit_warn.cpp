// SyntaxWarnings about expressions that are surely not meant.
#include "vm/compiler/code_generator.h"

namespace minivm {

namespace {

// Of a constant that only a tree made by a script can have.
const char* ObjectType(const ConstantValue& c) {
  const Value v = Value::FromBits(c.object);
  if (IsExact(v, TypeId::kTuple)) return "tuple";
  if (IsExact(v, TypeId::kFrozenset)) return "frozenset";
  return IsExact(v, TypeId::kComplex) ? "complex" : "int";
}

}  // namespace

// The type's name of a literal or display, or null.
const char* CodeGenerator::LiteralType(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kTuple: return "tuple";
    case ExprKind::kList:
    case ExprKind::kListComp: return "list";
    case ExprKind::kDict:
    case ExprKind::kDictComp: return "dict";
    case ExprKind::kSet:
    case ExprKind::kSetComp: return "set";
    case ExprKind::kGeneratorExp: return "generator";
    case ExprKind::kLambda: return "function";
    case ExprKind::kJoinedStr:
    case ExprKind::kFormattedValue: return "str";
    case ExprKind::kUnaryOp:
      if (As<UnaryOpExpr>(e)->operand->kind == ExprKind::kConstant && MayFold(e)) {
        if (Ref<> v = Fold(e)) {
          if (v.is_int()) return "int";
          if (v.is_float()) return "float";
        }
      }
      return nullptr;
    case ExprKind::kConstant:
      switch (As<ConstantExpr>(e)->value.kind) {
        case ConstantKind::kNone: return "NoneType";
        case ConstantKind::kTrue:
        case ConstantKind::kFalse: return "bool";
        case ConstantKind::kEllipsis: return "ellipsis";
        case ConstantKind::kInt:
        case ConstantKind::kBigInt: return "int";
        case ConstantKind::kFloat: return "float";
        case ConstantKind::kImaginary: return "complex";
        case ConstantKind::kStr: return "str";
        case ConstantKind::kBytes: return "bytes";
        case ConstantKind::kObject: return ObjectType(As<ConstantExpr>(e)->value);
      }
      return nullptr;
    default: return nullptr;
  }
}

void CodeGenerator::WarnIsLiteral(const CompareExpr* e) {
  auto literal = [this](const Expr* x) -> const char* {
    if (x->kind == ExprKind::kConstant) {
      ConstantKind kind = As<ConstantExpr>(x)->value.kind;
      if (kind == ConstantKind::kNone || kind == ConstantKind::kTrue ||
          kind == ConstantKind::kFalse || kind == ConstantKind::kEllipsis) {
        return nullptr;
      }
      return LiteralType(x);
    }
    if (x->kind == ExprKind::kTuple) return FoldItems(As<TupleExpr>(x)->elts) ? "tuple" : nullptr;
    return x->kind == ExprKind::kUnaryOp ? LiteralType(x) : nullptr;
  };
  const Expr* left = e->left;
  for (uint32_t i = 0; i < e->ops.size; ++i) {
    const Expr* right = e->comparators[i];
    if (e->ops[i] == CmpOp::kIs || e->ops[i] == CmpOp::kIsNot) {
      const char* type = literal(left);
      if (!type) type = literal(right);
      if (type) {
        if (e->ops[i] == CmpOp::kIs) {
          context_.Warn(e->loc, "\"is\" with '%s' literal. Did you mean \"==\"?", type);
        } else {
          context_.Warn(e->loc, "\"is not\" with '%s' literal. Did you mean \"!=\"?", type);
        }
        return;
      }
    }
    left = right;
  }
}

void CodeGenerator::WarnNotCallable(const Expr* func) {
  switch (func->kind) {
    case ExprKind::kConstant:
    case ExprKind::kTuple:
    case ExprKind::kList:
    case ExprKind::kListComp:
    case ExprKind::kDict:
    case ExprKind::kDictComp:
    case ExprKind::kSet:
    case ExprKind::kSetComp:
    case ExprKind::kGeneratorExp:
    case ExprKind::kJoinedStr:
    case ExprKind::kFormattedValue:
      context_.Warn(func->loc, "'%s' object is not callable; perhaps you missed a comma?",
                    LiteralType(func));
      return;
    default: return;
  }
}

namespace {
enum class Subscripting { kUnknown, kNever, kByInt };
Subscripting SubscriptingOf(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kConstant: {
      ConstantKind kind = As<ConstantExpr>(e)->value.kind;
      if (kind == ConstantKind::kObject &&
          IsExact(Value::FromBits(As<ConstantExpr>(e)->value.object), TypeId::kTuple)) {
        return Subscripting::kByInt;
      }
      return kind == ConstantKind::kStr || kind == ConstantKind::kBytes ? Subscripting::kByInt
                                                                        : Subscripting::kNever;
    }
    case ExprKind::kSet:
    case ExprKind::kSetComp:
    case ExprKind::kGeneratorExp:
    case ExprKind::kLambda: return Subscripting::kNever;
    case ExprKind::kTuple:
    case ExprKind::kList:
    case ExprKind::kListComp:
    case ExprKind::kJoinedStr:
    case ExprKind::kFormattedValue: return Subscripting::kByInt;
    default: return Subscripting::kUnknown;
  }
}
}  // namespace

void CodeGenerator::WarnNotSubscriptable(const SubscriptExpr* e) {
  const Subscripting kind = SubscriptingOf(e->value);
  if (kind == Subscripting::kUnknown) return;
  if (kind == Subscripting::kNever) {
    context_.Warn(e->loc, "'%s' object is not subscriptable; perhaps you missed a comma?",
                  LiteralType(e->value));
    return;
  }
  const char* index = LiteralType(e->slice);
  if (!index || e->slice->kind == ExprKind::kUnaryOp) return;
  const std::string_view type = index;
  if (type == "int" || type == "bool") return;
  context_.Warn(e->loc,
                "%s indices must be integers or slices, not %s; perhaps you missed a comma?",
                LiteralType(e->value), index);
}

}  // namespace minivm
