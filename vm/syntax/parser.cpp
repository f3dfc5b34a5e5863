// Parse(): lexes, parses, and asks the diagnostics for an explanation on failure.
#include "vm/syntax/parser.h"

#include <algorithm>
#include <new>

#include "vm/syntax/lexer.h"
#include "vm/syntax/parser_impl.h"
#include "vm/syntax/syntax_error.h"

namespace minivm {

Parser::Parser(Arena& arena, NameTable& names, const Lexer& lexer, const ParseOptions& options,
               std::vector<Warning>* warnings)
    : arena_(arena),
      names_(names),
      options_(options),
      warnings_(warnings),
      source_(lexer.source().data),
      lines_(lexer.line_starts().data()),
      tokens_(lexer.tokens()),
      cur_(tokens_),
      statement_start_(tokens_),
      scratch_(arena),
      operators_(arena),
      operands_(arena) {
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  stack_limit_ = here > options.max_stack_bytes ? here - options.max_stack_bytes : 0;
  name_match_ = names_.Intern("match", true);
  name_case_ = names_.Intern("case", true);
  name_type_ = names_.Intern("type", true);
  name_underscore_ = names_.Intern("_", true);
  scratch_.reserve(64);
}

bool Parser::LacksFeature(int minor, const char* what, const Token* last) {
  if (feature_error_.empty()) {
    feature_token_ = last != nullptr ? last : cur_;
    feature_error_ =
        std::string(what) + " only supported in Python 3." + std::to_string(minor) + " and greater";
  }
  return false;
}

Mod* Parser::ParseMod() {
  Mod* mod = arena_.New<Mod>();
  switch (options_.mode) {
    case ParseMode::kExec:
      mod->kind = ModKind::kModule;
      while (!At(Tok::kEndMarker)) {
        statement_start_ = cur_;
        if (!ParseStatementInto()) return nullptr;
      }
      mod->body = Take<Stmt*>(0);
      break;
    case ParseMode::kSingle:
      mod->kind = ModKind::kInteractive;
      if (Accept(Tok::kNewline)) {
        PushScratch(NewStmt<Stmt>(StmtKind::kPass, cur_ - 1));
      } else {
        if (At(Tok::kEndMarker)) return nullptr;
        const Tok first = kind();
        const bool is_name = first == Tok::kName;
        if (!ParseStatementInto()) return nullptr;
        const Stmt* statement = static_cast<const Stmt*>(scratch_[0]);
        bool compound = first == Tok::kAt || first == Tok::kAsync || first == Tok::kIf ||
                        first == Tok::kWhile || first == Tok::kFor || first == Tok::kTry ||
                        first == Tok::kWith || first == Tok::kDef || first == Tok::kClass;
        compound |= is_name && statement->kind == StmtKind::kMatch;
        // The line after a compound statement is empty.
        if (compound && !Accept(Tok::kNewline)) return nullptr;
      }
      mod->body = Take<Stmt*>(0);
      break;
    case ParseMode::kEval:
      mod->kind = ModKind::kExpression;
      mod->expression = Root(ParseExpressions());
      if (mod->expression == nullptr) return nullptr;
      while (Accept(Tok::kNewline)) {
      }
      if (!At(Tok::kEndMarker)) return nullptr;
      break;
    case ParseMode::kFuncType: {
      mod->kind = ModKind::kFunctionType;
      if (!Accept(Tok::kLPar)) return nullptr;
      bool stars = false, double_stars = false;
      while (!At(Tok::kRPar)) {
        if (double_stars) return nullptr;
        if (Accept(Tok::kDoubleStar)) {
          double_stars = true;
        } else if (Accept(Tok::kStar)) {
          if (stars) return nullptr;
          stars = true;
        } else if (stars) {
          return nullptr;
        }
        Expr* e = Root(ParseExpression());
        if (e == nullptr) return nullptr;
        PushScratch(e);
        if (!Accept(Tok::kComma)) break;
        if (At(Tok::kRPar)) return nullptr;
      }
      mod->argtypes = Take<Expr*>(0);
      if (!Accept(Tok::kRPar) || !Accept(Tok::kRArrow)) return nullptr;
      mod->expression = Root(ParseExpression());
      if (mod->expression == nullptr) return nullptr;
      while (Accept(Tok::kNewline)) {
      }
      if (!At(Tok::kEndMarker)) return nullptr;
      break;
    }
  }
  mod->max_expr_depth = max_depth_;
  mod->names = &names_;
  return mod;
}

Mod* Parse(Arena& arena, std::string_view source, const ParseOptions& options, Diagnostic* error,
           std::vector<Warning>* warnings) {
  try {
    if (source.find('\0') != std::string_view::npos) {
      *error = {};
      error->message = "source code string cannot contain null bytes";
      error->has_location = error->has_text = false;
      return nullptr;
    }
    auto* names = arena.New<NameTable>(arena);
    Lexer lexer(arena, *names, MakeSourceBuffer(arena, source, options.mode), options);
    lexer.Run();
    std::vector<Warning> found;
    Parser parser(arena, *names, lexer, options, warnings == nullptr ? nullptr : &found);
    Mod* mod = parser.ParseMod();
    if (warnings != nullptr && !(found.empty() && lexer.warnings().empty())) {
      const size_t first = warnings->size();
      for (Warning& warning : lexer.warnings()) warnings->push_back(std::move(warning));
      for (Warning& warning : found) warnings->push_back(std::move(warning));
      std::stable_sort(warnings->begin() + static_cast<ptrdiff_t>(first), warnings->end(),
                       [](const Warning& a, const Warning& b) { return a.lineno < b.lineno; });
    }
    if (mod == nullptr) {
      ExplainSyntaxError(lexer, options, parser, error);
      return nullptr;
    }
    if (options.type_comments) {
      const auto& ignores = lexer.type_ignores();
      mod->type_ignores.data = arena.NewArray<TypeIgnore>(ignores.size());
      mod->type_ignores.size = static_cast<uint32_t>(ignores.size());
      std::copy(ignores.begin(), ignores.end(), mod->type_ignores.data);
    }
    if (options.mode == ParseMode::kSingle && IsMultipleStatements(lexer, parser.position())) {
      ExplainMultipleStatements(lexer, parser.position(), error);
      return nullptr;
    }
    return mod;
  } catch (const std::bad_alloc&) {
    *error = {};
    error->kind = DiagnosticKind::kMemory;
    error->has_location = error->has_text = false;
    return nullptr;
  }
}

}  // namespace minivm
