// Parser: recursive descent over the token array, for sources that are valid.
//
// Every Parse* function returns null if the tokens at hand do not fit, and says
// nothing about why: the diagnostics (syntax_error.h) look at the source again.
// Operators are parsed with an explicit stack, chains and `elif` in loops, so
// the C stack grows only with brackets, lambdas and blocks; it is checked by
// address against ParseOptions::max_stack_bytes.
//
// Statements are in parser_stmt.cpp and parser_def.cpp, expressions in
// parser_expr.cpp and parser_atom.cpp, patterns in parser_pattern.cpp, strings
// in fstring.cpp.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/arena.h"
#include "vm/syntax/lexer.h"
#include "vm/syntax/parser.h"
#include "vm/syntax/token.h"

namespace minivm {

// A literal whose value is wrong, found while parsing: not a matter of grammar.
struct LiteralError {
  std::string message;
  const Token* token = nullptr;  // where, or null: at the last token read
  bool whole_token = true;       // false: a location without columns
};

class Parser {
 public:
  Parser(Arena& arena, NameTable& names, const Lexer& lexer, const ParseOptions& options,
         std::vector<Warning>* warnings);

  // The whole source, by ParseOptions::mode; null on failure.
  Mod* ParseMod();

  // True if a failure was for lack of C stack (or of operator nesting), not of the source.
  bool overflowed() const { return overflowed_; }
  // "X only supported in Python 3.n and greater", if that is why parsing failed; else empty.
  const std::string& feature_error() const { return feature_error_; }
  const Token* feature_token() const { return feature_token_; }
  // Where parsing stopped.
  const Token* position() const { return cur_; }
  // The first token of the top-level statement that failed.
  const Token* statement_start() const { return statement_start_; }

  // Parses again from statement_start(), noting where each statement that is right begins and
  // ends, as token indices.
  struct StatementRange {
    uint32_t begin, end;
  };
  std::vector<StatementRange> FindValidStatements();

  // For diagnostics: parse one construct that begins at `token`.
  void Seek(const Token* token) { cur_ = token; }
  Expr* ParseStarExpressions();
  Expr* ParseStarExpression();
  Expr* ParseStarNamedExpression();
  Expr* ParseNamedExpression();
  Expr* ParseExpression();
  Expr* ParseDisjunction() { return ParseOperators(kPrecOr); }
  Expr* ParseBitwiseOr() { return ParseOperators(kPrecBitOr); }
  Expr* ParseYieldOrStarExpressions();
  Expr* ParsePrimary();
  // One argument that is no keyword: an expression, named or starred.
  Expr* ParseArgument();
  // The last condition (or iterable) of comprehension clauses.
  Expr* ParseLastOfClauses();
  // Decodes one string, f-string text or number token; false: *error says what is wrong with it.
  bool CheckLiteral(const Token* token, LiteralError* error);

 private:
  enum Precedence : uint8_t {
    kPrecNone,
    kPrecOr,
    kPrecAnd,
    kPrecNot,
    kPrecCompare,
    kPrecBitOr,
    kPrecBitXor,
    kPrecBitAnd,
    kPrecShift,
    kPrecAdd,
    kPrecMul,
    kPrecUnary,
    kPrecPower
  };
  struct PendingOperator {
    const Token* token;  // where the operator (prefix) or its left operand (infix) begins
    uint8_t precedence;
    uint8_t op;
  };
  struct Operand {
    Expr* expr;
    const Token* start;
  };
  // What the infix operator at a token is: precedence kPrecNone if it is none.
  struct Infix {
    uint8_t precedence;
    uint8_t op;
  };

  // ---- tokens
  Tok kind() const { return cur_->kind; }
  bool At(Tok kind) const { return cur_->kind == kind; }
  bool Accept(Tok kind) {
    if (cur_->kind != kind) return false;
    cur_++;
    return true;
  }
  bool AtName(Identifier name) const { return cur_->kind == Tok::kName && cur_->ident == name; }
  std::string_view Text(const Token* t) const { return {source_ + t->start, t->end - t->start}; }
  bool StackLow() {
    if (MVM_LIKELY(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) > stack_limit_)) {
      return false;
    }
    overflowed_ = true;
    return true;
  }

  // False, with feature_error() set, if the grammar accepted is older than 3.`minor`.
  // Asked when the construct has been read; the error is placed at `last`, by default the current
  // token.
  bool Feature(int minor, const char* what, const Token* last = nullptr) {
    return MVM_LIKELY(options_.feature_version >= minor) || LacksFeature(minor, what, last);
  }
  bool LacksFeature(int minor, const char* what, const Token* last);

  // What a failed attempt must restore.
  struct Checkpoint {
    const Token* cur;
    size_t scratch, operators, operands;
  };
  Checkpoint Save() const { return {cur_, scratch_.size(), operators_.size(), operands_.size()}; }
  void Restore(const Checkpoint& saved) {
    cur_ = saved.cur;
    scratch_.resize(saved.scratch);
    operators_.resize(saved.operators);
    operands_.resize(saved.operands);
  }

  // ---- locations
  uint32_t EndLine(const Token* t) const {
    return t->kind == Tok::kString || t->kind == Tok::kFStringMiddle ? t->end_lineno : t->lineno;
  }
  void SetStart(Location* loc, const Token* t) const {
    loc->lineno = t->lineno;
    loc->col_offset = t->start - lines_[t->lineno];
  }
  void SetEnd(Location* loc, const Token* t) const {
    const uint32_t line = EndLine(t);
    loc->end_lineno = line;
    loc->end_col_offset = t->end - lines_[line];
  }
  // From `start` to the token before the current one.
  Location Loc(const Token* start) const {
    Location loc;
    SetStart(&loc, start);
    SetEnd(&loc, cur_ - 1);
    return loc;
  }
  // The same for statements with blocks: line ends and indentation do not count.
  Location BlockLoc(const Token* start) const;

  // ---- nodes
  template <class T>
  T* New(ExprKind kind, const Token* start) {
    T* node = static_cast<T*>(arena_.Allocate(sizeof(T)));
    node->kind = kind;
    node->ctx = ExprContext::kLoad;
    node->parenthesized = 0;
    node->depth = 1;
    SetStart(&node->loc, start);
    SetEnd(&node->loc, cur_ - 1);
    return node;
  }
  template <class T>
  T* NewStmt(StmtKind kind, const Token* start) {
    T* node = arena_.New<T>();
    node->kind = kind;
    node->loc = Loc(start);
    return node;
  }
  template <class T>
  T* NewBlockStmt(StmtKind kind, const Token* start) {
    T* node = arena_.New<T>();
    node->kind = kind;
    node->loc = BlockLoc(start);
    return node;
  }
  template <class T>
  T* NewPattern(PatternKind kind, const Token* start) {
    T* node = arena_.New<T>();
    node->kind = kind;
    node->loc = Loc(start);
    return node;
  }
  void Deepen(Expr* node, const Expr* child) {
    if (child != nullptr && child->depth >= node->depth) node->depth = child->depth + 1;
  }
  void Deepen(Expr* node, Span<Expr*> children) {
    for (const Expr* child : children) Deepen(node, child);
  }
  // Makes an expression the root of its statement: its depth counts for the module.
  Expr* Root(Expr* e) {
    if (e != nullptr && e->depth > max_depth_) max_depth_ = e->depth;
    return e;
  }
  // The children pushed on scratch_ since `mark`, as an arena array.
  template <class T>
  Span<T> Take(size_t mark) {
    static_assert(sizeof(T) == sizeof(void*));
    const size_t count = scratch_.size() - mark;
    Span<T> span;
    if (count != 0) {
      span.data = arena_.NewArray<T>(count);
      span.size = static_cast<uint32_t>(count);
      std::memcpy(static_cast<void*>(span.data), scratch_.data() + mark, count * sizeof(T));
      scratch_.resize(mark);
    }
    return span;
  }
  void PushScratch(const void* p) { scratch_.push_back(const_cast<void*>(p)); }

  // ---- expressions (parser_expr.cpp)
  Expr* ParseExpressions();
  Expr* ParseTupleTail(Expr* first, const Token* start, Expr* (Parser::*element)());
  Expr* ParseOperators(uint8_t min_precedence);
  Expr* ParseOperatorTail(Expr* first, const Token* start, uint8_t min_precedence,
                          size_t base_operators, size_t base_operands);
  Infix InfixAt() const;
  void Reduce(size_t base_operators);
  Expr* ParseLambda();
  Expr* ParseYield();
  Expr* ParsePostfix(Expr* e, const Token* start);
  Expr* ParseCall(Expr* func, const Token* start);
  bool ParseArguments(Span<Expr*>* args, Span<Keyword*>* keywords);
  Expr* ParseSubscript(Expr* value, const Token* start);
  Expr* ParseSlice();
  Expr* ParseSliceOrStarred();

  // ---- atoms (parser_atom.cpp)
  Expr* ParseAtom();
  Expr* ParseParenthesized();
  Expr* ParseListDisplay();
  Expr* ParseBraceDisplay();
  Expr* ParseDictRest(const Token* start, Expr* key);
  bool ParseComprehensionClauses(Span<Comprehension*>* out, uint32_t* depth);
  Expr* NewConstant(ConstantKind kind, const Token* start);

  // ---- targets
  Expr* ParseStarTargets();
  Expr* ParseStarTarget();
  bool MakeTarget(Expr* e, ExprContext ctx);
  bool IsSingleTarget(const Expr* e) const {
    return e->kind == ExprKind::kName || e->kind == ExprKind::kAttribute ||
           e->kind == ExprKind::kSubscript;
  }

  // ---- strings (fstring.cpp)
  Expr* ParseStrings();
  Expr* ParseNumberAtom();
  Expr* ParseMixedStrings();
  uint32_t JoinConstants(size_t mark, bool drop_empty);
  bool AppendFString();
  bool AppendReplacement();
  Expr* ParseFormatSpec();
  bool DecodeToken(const Token* t, uint32_t body_start, uint32_t body_end, std::string_view* out);
  void WarnEscape(const Token* t, std::string message, bool at_end);
  void PlaceWarning(const Token* t, Warning* warning) const;
  bool FailLiteral(std::string message, const Token* token = nullptr, bool whole_token = true);

  // ---- statements (parser_stmt.cpp)
  bool ParseStatementInto() {
    const Token* const start = cur_;
    if (!ParseStatement()) return false;
    if (MVM_UNLIKELY(valid_statements_ != nullptr)) NoteStatement(start);
    return true;
  }
  bool ParseStatement();
  void NoteStatement(const Token* start);
  Stmt* ParseCompound();
  bool ParseSimpleLine();
  Stmt* ParseSimple();
  Stmt* ParseExpressionStatement();
  Stmt* ParseAnnotated(Expr* target, const Token* start);
  bool ParseBlock(Span<Stmt*>* body);
  bool ParseElse(Span<Stmt*>* body);
  Stmt* ParseImport();
  Stmt* ParseFromImport();
  bool ParseDottedName(Identifier* name);
  Stmt* ParseDel();
  Stmt* ParseGlobal(StmtKind kind);
  Stmt* ParseTypeAlias();
  Stmt* ParseIf();
  Stmt* ParseWhile();
  Stmt* ParseFor(const Token* start, bool is_async);
  Stmt* ParseWith(const Token* start, bool is_async);
  bool ParseWithItems(Tok end, Span<WithItem*>* items);
  Stmt* ParseTry();
  Stmt* ParseMatch();

  // ---- definitions (parser_def.cpp)
  Stmt* ParseDecorated();
  Stmt* ParseFunction(const Token* start, Span<Expr*> decorators, bool is_async);
  Stmt* ParseClass(Span<Expr*> decorators);
  bool ParseTypeParams(Span<TypeParam*>* params);
  TypeParam* ParseTypeParam();
  Arguments* ParseParameters(bool lambda, Tok end);
  Arg* ParseParameter(bool lambda, bool star);
  std::string_view AcceptTypeComment();
  std::string_view AcceptFunctionTypeComment();

  // ---- patterns (parser_pattern.cpp)
  Pattern* ParsePatterns();
  Pattern* ParseAsPattern();
  Pattern* ParseOrPattern();
  Pattern* ParseClosedPattern();
  Pattern* ParseMaybeStarPattern();
  Pattern* ParseSequencePattern();
  Pattern* ParseMappingPattern();
  Pattern* ParseNameOrClassPattern();
  Pattern* ParseClassPattern(Expr* cls, const Token* start);
  Expr* ParseSignedNumber();
  Expr* ParseDottedExpr();
  MatchCase* ParseCase();

  Arena& arena_;
  NameTable& names_;
  const ParseOptions& options_;
  std::vector<Warning>* warnings_;
  const char* source_;
  const uint32_t* lines_;
  const Token* tokens_;
  const Token* cur_;
  const Token* statement_start_;
  uintptr_t stack_limit_;
  bool overflowed_ = false;
  uint32_t max_depth_ = 0;
  const Token* last_warned_ = nullptr;
  std::vector<uint32_t> fstring_warnings_;  // of the texts of open f-strings
  LiteralError literal_error_;
  std::string feature_error_;
  const Token* feature_token_ = nullptr;
  std::vector<StatementRange>* valid_statements_ = nullptr;

  // Soft keywords.
  Identifier name_match_;
  Identifier name_case_;
  Identifier name_type_;
  Identifier name_underscore_;

  MeteredVector<void*> scratch_;
  MeteredVector<PendingOperator> operators_;
  MeteredVector<Operand> operands_;
};

}  // namespace minivm
