// Definitions: functions, classes, their parameters and type parameters.
#include "vm/syntax/parser_impl.h"

namespace minivm {

std::string_view Parser::AcceptTypeComment() {
  if (!At(Tok::kTypeComment)) return {};
  return Text(cur_++);
}

// Before a function's body, or on a line of its own above it.
std::string_view Parser::AcceptFunctionTypeComment() {
  if (At(Tok::kNewline) && cur_[1].kind == Tok::kTypeComment && cur_[2].kind == Tok::kNewline &&
      cur_[3].kind == Tok::kIndent) {
    cur_ += 2;
    return Text(cur_ - 1);
  }
  return AcceptTypeComment();
}

Stmt* Parser::ParseDecorated() {
  const size_t mark = scratch_.size();
  while (Accept(Tok::kAt)) {
    Expr* decorator = Root(ParseNamedExpression());
    if (decorator == nullptr || !Accept(Tok::kNewline)) return nullptr;
    PushScratch(decorator);
  }
  const Span<Expr*> decorators = Take<Expr*>(mark);
  const Token* const start = cur_;
  if (At(Tok::kDef)) return ParseFunction(start, decorators, false);
  if (At(Tok::kClass)) return ParseClass(decorators);
  if (Accept(Tok::kAsync) && At(Tok::kDef)) return ParseFunction(start, decorators, true);
  return nullptr;
}

Stmt* Parser::ParseFunction(const Token* start, Span<Expr*> decorators, bool is_async) {
  cur_++;
  if (!At(Tok::kName)) return nullptr;
  const Identifier name = cur_++->ident;
  Span<TypeParam*> type_params;
  if (At(Tok::kLSqb) && !ParseTypeParams(&type_params)) return nullptr;
  if (!Accept(Tok::kLPar)) return nullptr;
  Arguments* args = ParseParameters(false, Tok::kRPar);
  if (args == nullptr || !Accept(Tok::kRPar)) return nullptr;
  Expr* returns = nullptr;
  if (Accept(Tok::kRArrow) && (returns = Root(ParseExpression())) == nullptr) return nullptr;
  if (!Accept(Tok::kColon)) return nullptr;
  const std::string_view comment = AcceptFunctionTypeComment();
  Span<Stmt*> body;
  if (!ParseBlock(&body)) return nullptr;
  if (is_async && !Feature(5, "Async functions are", cur_ - 1)) return nullptr;
  auto* node = NewBlockStmt<FunctionDefStmt>(
      is_async ? StmtKind::kAsyncFunctionDef : StmtKind::kFunctionDef, start);
  node->name = name;
  node->args = args;
  node->body = body;
  node->decorator_list = decorators;
  node->returns = returns;
  node->type_comment = comment;
  node->type_params = type_params;
  return node;
}

Stmt* Parser::ParseClass(Span<Expr*> decorators) {
  const Token* const start = cur_++;
  if (!At(Tok::kName)) return nullptr;
  const Identifier name = cur_++->ident;
  Span<TypeParam*> type_params;
  if (At(Tok::kLSqb) && !ParseTypeParams(&type_params)) return nullptr;
  Span<Expr*> bases;
  Span<Keyword*> keywords;
  if (At(Tok::kLPar)) {
    const Token* const open = cur_;
    if (!ParseArguments(&bases, &keywords)) return nullptr;
    // A generator expression needs its own brackets here.
    if (bases.size == 1 && bases[0]->kind == ExprKind::kGeneratorExp &&
        open->start == lines_[bases[0]->loc.lineno] + bases[0]->loc.col_offset) {
      return nullptr;
    }
  }
  for (Expr* base : bases) Root(base);
  for (Keyword* keyword : keywords) Root(keyword->value);
  Span<Stmt*> body;
  if (!Accept(Tok::kColon) || !ParseBlock(&body)) return nullptr;
  auto* node = NewBlockStmt<ClassDefStmt>(StmtKind::kClassDef, start);
  node->name = name;
  node->bases = bases;
  node->keywords = keywords;
  node->body = body;
  node->decorator_list = decorators;
  node->type_params = type_params;
  return node;
}

// "[" type parameters "]".
bool Parser::ParseTypeParams(Span<TypeParam*>* params) {
  cur_++;
  const size_t mark = scratch_.size();
  do {
    if (At(Tok::kRSqb) && scratch_.size() != mark) break;
    TypeParam* param = ParseTypeParam();
    if (param == nullptr) return false;
    PushScratch(param);
  } while (Accept(Tok::kComma));
  if (!Accept(Tok::kRSqb)) return false;
  if (!Feature(12, "Type parameter lists are", cur_ - 1)) return false;
  *params = Take<TypeParam*>(mark);
  return true;
}

TypeParam* Parser::ParseTypeParam() {
  const Token* const start = cur_;
  const bool star = At(Tok::kStar);
  const bool double_star = At(Tok::kDoubleStar);
  if (star || double_star) cur_++;
  if (!At(Tok::kName)) return nullptr;
  const Identifier name = cur_++->ident;
  Expr* bound = nullptr;
  Expr* default_value = nullptr;
  if (!star && !double_star && Accept(Tok::kColon) &&
      (bound = Root(ParseExpression())) == nullptr) {
    return nullptr;
  }
  if (Accept(Tok::kEqual)) {
    default_value = Root(star ? ParseStarExpression() : ParseExpression());
    if (default_value == nullptr) return nullptr;
    if (!Feature(13, "Type parameter defaults are")) return nullptr;
  }
  if (star) {
    auto* node = arena_.New<TypeVarTupleParam>();
    node->kind = TypeParamKind::kTypeVarTuple;
    node->name = name;
    node->default_value = default_value;
    node->loc = Loc(start);
    return node;
  }
  if (double_star) {
    auto* node = arena_.New<ParamSpecParam>();
    node->kind = TypeParamKind::kParamSpec;
    node->name = name;
    node->default_value = default_value;
    node->loc = Loc(start);
    return node;
  }
  auto* node = arena_.New<TypeVarParam>();
  node->kind = TypeParamKind::kTypeVar;
  node->name = name;
  node->bound = bound;
  node->default_value = default_value;
  node->loc = Loc(start);
  return node;
}

// A parameter's name and annotation; `star`: of *args, whose annotation may be starred.
Arg* Parser::ParseParameter(bool lambda, bool star) {
  if (!At(Tok::kName)) return nullptr;
  const Token* const start = cur_++;
  Expr* annotation = nullptr;
  if (!lambda && Accept(Tok::kColon)) {
    annotation = Root(star ? ParseStarExpression() : ParseExpression());
    if (annotation == nullptr) return nullptr;
  }
  Arg* arg = arena_.New<Arg>();
  arg->arg = start->ident;
  arg->annotation = annotation;
  arg->loc = Loc(start);
  return arg;
}

// Parameters up to (not including) `end`: ")" or the ":" of a lambda.
Arguments* Parser::ParseParameters(bool lambda, Tok end) {
  Arguments* args = arena_.New<Arguments>();
  const size_t mark = scratch_.size();
  const auto default_value = [this]() -> Expr* { return Root(ParseExpression()); };
  // Positional ones, as (parameter, default) pairs.
  size_t slash = 0;
  bool seen_slash = false;
  bool seen_default = false;
  bool more = true;
  while (more && !At(end) && !At(Tok::kStar) && !At(Tok::kDoubleStar)) {
    if (At(Tok::kSlash)) {
      if (seen_slash || scratch_.size() == mark) return nullptr;
      cur_++;
      if (!Feature(8, "Positional-only parameters are")) return nullptr;
      seen_slash = true;
      slash = (scratch_.size() - mark) / 2;
      more = Accept(Tok::kComma);
      continue;
    }
    {
      Arg* arg = ParseParameter(lambda, false);
      if (arg == nullptr) return nullptr;
      Expr* value = nullptr;
      if (Accept(Tok::kEqual)) {
        if ((value = default_value()) == nullptr) return nullptr;
        seen_default = true;
      } else if (seen_default) {
        return nullptr;
      }
      PushScratch(arg);
      PushScratch(value);
    }
    more = Accept(Tok::kComma);
    if (At(Tok::kTypeComment)) {
      const std::string_view comment = AcceptTypeComment();
      if (scratch_.size() > mark) {
        static_cast<Arg*>(scratch_[scratch_.size() - 2])->type_comment = comment;
      }
    }
  }
  const size_t positional = (scratch_.size() - mark) / 2;
  args->posonlyargs = {arena_.NewArray<Arg*>(slash), static_cast<uint32_t>(slash)};
  args->args = {arena_.NewArray<Arg*>(positional - slash),
                static_cast<uint32_t>(positional - slash)};
  args->defaults.data = arena_.NewArray<Expr*>(positional);
  for (size_t i = 0; i < positional; i++) {
    Arg* arg = static_cast<Arg*>(scratch_[mark + 2 * i]);
    Expr* value = static_cast<Expr*>(scratch_[mark + 2 * i + 1]);
    (i < slash ? args->posonlyargs[i] : args->args[i - slash]) = arg;
    if (value != nullptr) args->defaults.data[args->defaults.size++] = value;
  }
  scratch_.resize(mark);
  if (more && At(Tok::kStar)) {
    cur_++;
    if (Accept(Tok::kComma)) {
      if (!At(Tok::kName)) return nullptr;
      if (At(Tok::kTypeComment)) return nullptr;
    } else {
      args->vararg = ParseParameter(lambda, true);
      if (args->vararg == nullptr) return nullptr;
      more = Accept(Tok::kComma);
      args->vararg->type_comment = AcceptTypeComment();
    }
    while (more && At(Tok::kName)) {
      Arg* arg = ParseParameter(lambda, false);
      if (arg == nullptr) return nullptr;
      Expr* value = nullptr;
      if (Accept(Tok::kEqual) && (value = default_value()) == nullptr) return nullptr;
      PushScratch(arg);
      PushScratch(value);
      more = Accept(Tok::kComma);
      arg->type_comment = AcceptTypeComment();
    }
    const auto count = static_cast<uint32_t>((scratch_.size() - mark) / 2);
    args->kwonlyargs = {arena_.NewArray<Arg*>(count), count};
    args->kw_defaults = {arena_.NewArray<Expr*>(count), count};
    for (uint32_t i = 0; i < count; i++) {
      args->kwonlyargs[i] = static_cast<Arg*>(scratch_[mark + 2 * i]);
      args->kw_defaults[i] = static_cast<Expr*>(scratch_[mark + 2 * i + 1]);
    }
    scratch_.resize(mark);
  }
  if (more && Accept(Tok::kDoubleStar)) {
    args->kwarg = ParseParameter(lambda, false);
    if (args->kwarg == nullptr) return nullptr;
    Accept(Tok::kComma);
    args->kwarg->type_comment = AcceptTypeComment();
  }
  return At(end) ? args : nullptr;
}

}  // namespace minivm
