// CodeGenerator: from the tree to register code. Internal to vm/compiler; split over emit_*.cpp.
//
// Destination-driven: an expression is asked for as an operand (a local read in place, or a
// temporary), into a local, as a condition (jumps), or for its effects only. Temporaries are a
// stack; call windows are runs of temporaries. A Unit is the code object being made; units nest as
// functions do. Statements that must be left in an orderly way (loops, try, with) are Blocks.
#pragma once

#include <memory>

#include "vm/compiler/code_builder.h"
#include "vm/compiler/symtable.h"

namespace minivm {

// What break, continue and return have to undo on their way out.
struct FinallyRoutine;
struct Block {
  enum Kind : uint8_t {
    kWhile,
    kFor,             // the iterator is the highest temporary
    kValue,           // a value to be returned, while a finally body runs: the highest temporary
    kTry,             // body of try ... except: nothing to undo
    kFinally,         // body of try ... finally
    kFinallyHandler,  // its handler: R[depth], R[depth + 1] as on entry to a handler
    kFinallyRoutine,  // finally body compiled once: R[depth], R[depth + 1], selector
    kHandler,         // except clause: R[depth] is the previously handled exception
    kGroupHandler,    // except* clause
    kWith,            // [manager], function, self of __exit__ are the highest temporaries
    kAsyncWith,
  };
  Kind kind;
  bool manager_temp = false;  // kWith: there is a temporary below the pair
  unsigned height = 0;        // of temporaries inside the block
  size_t ranges = 0;          // exception ranges open around the block
  Label* break_label = nullptr;
  const Label* loop_head = nullptr;
  const TryStmt* stmt = nullptr;
  Identifier name = nullptr;  // kHandler: name to unset
  FinallyRoutine* routine = nullptr;
  Location loc{};
};

struct Unit {
  explicit Unit(CompileContext& context) : builder(context) {}
  Unit* parent = nullptr;
  Scope* scope = nullptr;    // of the code object
  Scope* current = nullptr;  // scope or an inlined comprehension in it
  CodeBuilder builder;
  Identifier name = nullptr;
  std::string qualname;
  std::vector<Block> blocks;
  std::vector<Identifier> cells;  // co_cellvars and their registers
  std::vector<uint32_t> cell_registers;
  std::vector<Identifier> frees;  // co_freevars
  std::vector<Identifier> varnames;
  std::vector<uint32_t> varname_registers;
  std::vector<Identifier> static_attributes;  // class
  std::vector<Identifier> hidden_names;       // of inlined comprehensions, see CodeObject::hidden
  unsigned hidden_base = 0, hidden_top = 0;   // registers of inlined comprehensions
  unsigned spill_base = 0;                    // temporaries below this height stay where they are
  unsigned far_count = 0;
  uint32_t guard_handler = CodeBuilder::kNoHandler;  // of a generator: StopIteration
  int far_list = -1;                                 // local that holds the list of far locals
  int class_cell = -1, class_dict = -1;              // registers of a class's implicit cells
  int locals_register = -1;
  uint32_t flags = 0;
  uint32_t first_line = 0;
  uint16_t arg_count = 0, posonly_count = 0, kwonly_count = 0, param_count = 0;
  uint16_t near_param_count = 0;  // parameters that are not far
  Ref<> doc;
  bool is_async_function = false;
  bool many_lines = false;   // the statement spans lines: reads of locals show theirs
  bool interactive = false;  // statements show their values
  int finally_depth = 0;
};

class CodeGenerator {
 public:
  CodeGenerator(CompileContext& context, SymbolTable& symbols);
  Result<CodeObject> Module(const Mod* tree);

 private:
  // ---- units (emit_function.cpp) ----
  static constexpr unsigned kMaxLocals = 160;
  static constexpr unsigned kMaxWindow = 48;
  void BeginUnit(Scope* scope, Identifier name, const Location& first);
  Ref<CodeObject> EndUnit();
  void LayOutLocals(Scope* scope);
  unsigned AssignRegisters(Scope* scope);
  static unsigned HiddenNeeded(const Scope* scope);
  std::string QualifiedName(const Scope* scope, Identifier name);

  void FinishGuard();
  void ReturnNone();
  void ReturnTop();
  void ReturnValue(const Expr* e);

  // ---- functions and classes (emit_function.cpp, emit_class.cpp) ----
  void FunctionDef(const FunctionDefStmt* s);
  void GenericFunction(const FunctionDefStmt* s);
  Ref<CodeObject> FunctionBody(const FunctionDefStmt* s);
  void Lambda(const LambdaExpr* e, Dest dest);
  void CountParameters(const minivm::Arguments* args);
  // Push the parts that MKFUNC wants; the flags for it.
  unsigned Defaults(const minivm::Arguments* args);
  void DefaultsTuple(const minivm::Arguments* args);
  bool KeywordDefaults(const minivm::Arguments* args);
  bool Annotations(const minivm::Arguments* args, const Expr* returns);
  void Annotation(const Expr* e);
  bool Closure();
  void LoadCell(Identifier name);
  template <class F>
  void PushTuple(size_t n, F push);
  // MKFUNC over the `flags` temporaries on top and the closure of the unit that has just ended.
  void MakeFunction(Ref<CodeObject> code, unsigned flags, Dest dest);
  static constexpr uint32_t kMaxDecoratorWindows = 8;
  void OpenDecorators(Span<Expr*> decorators);
  void CallDecorators(Span<Expr*> decorators);
  Ref<> Docstring(Span<Stmt*> body);
  static bool HasDocstring(Span<Stmt*> body);
  Identifier GenericName(Identifier name);
  void ClassDef(const ClassDefStmt* s);
  void GenericClass(const ClassDefStmt* s);
  void ClassCall(const ClassDefStmt* s, Span<Expr*> bases);
  Ref<CodeObject> ClassBody(const ClassDefStmt* s);
  void ModuleLikeBody(Span<Stmt*> body);
  void TypeParams(Span<TypeParam*> params);
  void LazyFunction(const Expr* e, const void* node, SymbolTable::Which which, Identifier name,
                    bool star);
  void CallTypeParamsFunction(Ref<CodeObject> code, const Location& loc);
  void TypeAlias(const TypeAliasStmt* s);

  // ---- statements (emit_stmt.cpp, emit_import.cpp) ----
  void Body(Span<Stmt*> body);
  void Statement(const Stmt* s);
  void ExpressionStatement(const ExprStmt* s);
  void Assign(const AssignStmt* s);
  bool AssignTuple(const AssignStmt* s);
  void AugAssign(const AugAssignStmt* s);
  void AnnAssign(const AnnAssignStmt* s);
  void LoadAnnotationsDict();
  void DiscardIndex(const Expr* slice);
  void Delete(const Expr* target);
  void If(const IfStmt* s);
  void While(const WhileStmt* s);
  void For(const ForStmt* s);
  void NextItem(const Expr* target, const Location& loc, Label* exhausted);
  struct AsyncLoop {
    uint32_t handler = 0;
    unsigned depth = 0;  // register above the iterator
    RegisterSet assigned;
  };
  void AsyncFor(const ForStmt* s);
  void NextAsyncItem(const Expr* target, const Location& loc, AsyncLoop* loop);
  // The handler that ends the loop; the iterator is gone then.
  void FinishAsyncLoop(AsyncLoop* loop, const Location& loc);
  void CheckAsyncAllowed(const char* what, const Location& loc);
  void Return(const ReturnStmt* s);
  void BreakOrContinue(const Stmt* s);
  void Assert(const AssertStmt* s);
  void Raise(const RaiseStmt* s);
  void Import(const ImportStmt* s);
  void ImportFrom(const ImportFromStmt* s);
  void ImportModule(uint32_t level, Value fromlist, Identifier name);
  // Assigns the operand (consumed) to a target.
  void Store(const Expr* target, Operand value);
  void UnpackTo(const Expr* whole, Operand value);
  void UnpackToMany(const Expr* whole, Operand value, uint32_t star);
  void StoreRun(Span<Expr*> targets, unsigned first);
  void NoteStaticAttribute(const AttributeExpr* e);
  bool AllPlainLocals(Span<Expr*> targets);
  static bool HasAnnotations(Span<Stmt*> body);

  // ---- try, with (emit_try.cpp) ----
  void Try(const TryStmt* s);
  void TryFinally(const TryStmt* s);
  void TryFinallyRoutine(const TryStmt* s);
  void RoutineExits(FinallyRoutine& routine, unsigned depth);
  void TryExcept(const TryStmt* s);
  void ExceptClause(const ExceptHandler* h, unsigned depth, Label* end);
  void TryStar(const TryStmt* s);
  void GroupClause(const ExceptHandler* h, unsigned depth);
  void BodyAndHandlers(const TryStmt* s);
  void With(const WithStmt* s, uint32_t item);
  // Calls __exit__(None, None, None) of a with block whose pair is on top (consumed), or below a
  // value that stays (pair kept).
  void CallExit(const Block& block, bool keep_pair);
  // How control leaves blocks. `detail`: the register, the singleton, or the loop's index.
  enum class LeaveKind : uint8_t { kReturn, kReturnLocal, kReturnSpecial, kBreak, kContinue };
  static size_t KeptBlocks(LeaveKind kind, int detail);
  // Undoes the blocks from the innermost down to index `keep`, then leaves (or lets a finally
  // routine do the rest). With `value` the highest temporary is carried along.
  void Unwind(size_t keep, bool value, LeaveKind kind, int detail);
  bool UnwindOne(const Block& block, bool value, LeaveKind kind, int detail);
  // Clears the `count` temporaries on top, or below the value on top, which moves down.
  void ClearBelow(unsigned count, bool value);
  Block& PushBlock(Block::Kind kind);
  void PopBlock() { unit_->blocks.pop_back(); }
  void UnsetName(Identifier name);

  // ---- expressions (emit_expr.cpp) ----
  void Eval(const Expr* e, Dest dest);
  void ToTemp(const Expr* e) { Eval(e, Dest{}); }
  Operand Any(const Expr* e);
  // As Any(), but the operand is not a local that something evaluated later may rebind.
  Operand TempOperand(const Expr* e);
  void Discard(const Expr* e);
  // Jumps to the label if the truth of e is `sense`, else falls through.
  void Condition(const Expr* e, Label* label, bool sense);
  void EvalPlain(const Expr* e, Dest dest);
  void Spill(const Expr* e, Dest dest);
  void ApplyChain(const Expr* e, Operand inner, Dest dest);
  void BinaryOp(Operator op, Operand left, const Expr* right, bool in_place, const Location& loc,
                Dest dest);
  void Unary(const UnaryOpExpr* e, Dest dest);
  void BoolOp(const BoolOpExpr* e, Dest dest);
  void IfExp(const IfExpExpr* e, Dest dest);
  void Compare(const CompareExpr* e, Operand left, Dest dest);
  void CompareCondition(const CompareExpr* e, Label* label, bool sense);
  void CompareJump(CmpOp op, Operand left, const Expr* right, const Location& loc, Label* label,
                   bool sense);
  void EmitCompare(CmpOp op, Operand left, Operand right, Dest dest);
  void EmitCompareKept(CmpOp op, Operand left, Operand right);
  void EmitCompareJump(CmpOp op, Operand left, Operand right, Label* label, bool sense);
  void EmitCompareJumpKept(CmpOp op, Operand left, Operand right, uint32_t flags, Label* label,
                           bool sense);
  void Attribute(const AttributeExpr* e, Operand value, Dest dest);
  void Subscript(const SubscriptExpr* e, Operand value, Dest dest);
  bool TwoPartSlice(const Expr* slice);
  void SliceParts(const SliceExpr* s);
  void SliceObject(const SliceExpr* s, Dest dest);
  void Display(Span<Expr*> elts, ExprKind kind, const Expr* e, Dest dest);
  void DisplayList(Span<Expr*> elts);
  void AppendItems(unsigned list, Span<Expr*> elts, uint32_t from);
  void DictDisplay(const DictExpr* e, Dest dest);
  void JoinedStr(const JoinedStrExpr* e, Dest dest);
  void FormattedValue(const FormattedValueExpr* e, Dest dest);
  void NamedExpr(const NamedExprExpr* e, Dest dest);
  void Yield(const YieldExpr* e);
  void YieldValue(const Expr* value, const Location& loc);
  void YieldFrom(const YieldFromExpr* e);
  void Await(const AwaitExpr* e);
  // Runs the iterator in the highest temporary to its end; the result replaces it.
  void SendLoop();
  void AwaitTop(unsigned how, const Location& loc);
  void MoveTop(Dest dest);

  // ---- names ----
  struct Place {
    NameKind kind;
    Symbol* symbol;
    Scope* scope;     // where it was found
    bool from_comp;   // reached out of an inlined comprehension
    bool class_free;  // class scope: the passed-on cell, not the class's own name
  };
  Place Find(Identifier mangled);
  Identifier Mangle(Identifier name) {
    return name->size >= 3 && name->data[0] == '_' && name->data[1] == '_'
               ? unit_->current->Mangle(context_, name)
               : name;
  }
  // The register of a local that may be read in place, or -1.
  int PlainLocal(const Expr* e);
  void CheckBound(unsigned reg, Identifier name);
  void LoadName(Identifier name, Dest dest, bool window = false);
  void StoreName(Identifier name, Operand value);
  void DeleteName(Identifier name);
  void LoadClassDict();
  bool ForbidName(Identifier name, ExprContext ctx, const Location& loc);

  // ---- constants (constant_fold.cpp) ----
  // The value of a constant expression, or null.
  Ref<> Fold(const Expr* e);
  Ref<> FoldBinary(Operator op, Value left, Value right);
  Ref<> FoldChain(const Expr* e);
  Ref<> ConstantOf(const ConstantValue& c) { return ConstantObject(context_, c); }
  Ref<> FoldItems(Span<Expr*> elts);
  // A list or tuple display of constants as a tuple, a set display as a frozenset; or null.
  Ref<> FoldSequence(const Expr* e);
  static bool MayFold(const Expr* e) {
    switch (e->kind) {
      case ExprKind::kConstant:
      case ExprKind::kUnaryOp:
      case ExprKind::kBinOp:
      case ExprKind::kTuple:
      case ExprKind::kSubscript: return true;
      case ExprKind::kName: return As<NameExpr>(e)->id->view() == "__debug__";
      default: return false;
    }
  }
  void LoadConstant(Value v, Dest dest);
  void LoadSpecial(Special s, Dest dest) { b().EmitTo(dest, Op::LOADSP, static_cast<unsigned>(s)); }
  // -1 unknown, else the truth of a constant.
  int TruthOf(const Expr* e);
  int TruthOfValue(Value v);

  // ---- calls (emit_call.cpp) ----
  void CallName(const CallExpr* e, Dest dest);
  void ApplyCall(const CallExpr* e, Operand callee, Dest dest);
  void ApplyMethodCall(const CallExpr* e, Operand receiver, Dest dest);
  void CallSuperMethod(const CallExpr* e, Dest dest);
  // The window at `base` is open, with `given` positional arguments in it: the other arguments and
  // the call. `method`: a LOAD_METHOD window.
  void FinishArguments(Span<Expr*> args, Span<Keyword*> keywords, unsigned base, bool method,
                       const Location& loc, Dest dest, unsigned given = 0);
  void CallEx(Span<Expr*> args, Span<Keyword*> keywords, unsigned base, const Location& loc,
              Dest dest, unsigned given);
  void KeywordDict(Span<Keyword*> keywords, unsigned base);
  static bool NeedsCallEx(Span<Expr*> args, Span<Keyword*> keywords, unsigned given);
  bool IsSuperCall(const Expr* e);
  void LoadSuper(const AttributeExpr* e, bool method, Dest dest);
  void CheckKeywords(Span<Keyword*> keywords);
  // Pops `temps` temporaries from `base` on and calls.
  void FinishCall(Op op, unsigned base, unsigned temps, unsigned count, int32_t x, Dest dest);
  static uint32_t Utf8Length(std::string_view text);
  Location MethodLocation(const Location& whole, const AttributeExpr* method);

  // ---- comprehensions (emit_comprehension.cpp) ----
  struct Comp;
  void Comprehension_(const Expr* e, Dest dest);
  void InlinedComprehension(Comp& comp, Dest dest);
  void FunctionComprehension(Comp& comp, Dest dest);
  void CompLoop(Comp& comp, uint32_t index);
  void CompElement(Comp& comp);
  void NewResult(Comp& comp);
  void PushIterator(const Comprehension* g);

  // ---- patterns (emit_pattern.cpp) ----
  struct PatternState;
  void Match(const MatchStmt* s);
  void PatternTest(const Pattern* p, Operand subject, PatternState& state);
  void PatternValue(const Expr* value, const Location& loc, Operand subject, Label* label,
                    bool sense);
  void PatternSequence(const MatchSequencePattern* p, Operand subject, PatternState& state);
  void PatternMapping(const MatchMappingPattern* p, Operand subject, PatternState& state);
  void PatternClass(const MatchClassPattern* p, Operand subject, PatternState& state);
  void PatternOr(const MatchOrPattern* p, Operand subject, PatternState& state);
  void PatternAs(const MatchAsPattern* p, Operand subject, PatternState& state);
  void SubPattern(const Pattern* p, unsigned reg, PatternState& state);
  void PatternLength(Operand subject, uint32_t n, bool at_least, PatternState& state);
  void Capture(Identifier name, Operand subject, PatternState& state, const Location& loc);
  void EmitFailPops(PatternState& state);

  // ---- warnings (emit_warn.cpp) ----
  void WarnIsLiteral(const CompareExpr* e);
  void WarnNotCallable(const Expr* func);
  void WarnNotSubscriptable(const SubscriptExpr* e);
  const char* LiteralType(const Expr* e);

  friend struct FinallyRoutine;
  CodeBuilder& b() { return unit_->builder; }
  bool in_function() const { return unit_->scope->is_function(); }
  Identifier Id(const char* text) { return context_.Intern(text); }

  CompileContext& context_;
  SymbolTable& symbols_;
  ConstantTable constants_;
  Unit* unit_ = nullptr;
  std::vector<std::unique_ptr<Unit>> pool_;  // by nesting depth, reused
  size_t depth_ = 0;
  std::vector<const Expr*> spine_;
};

// A tuple of n pushed items; push(i) leaves one temporary each.
template <class F>
void CodeGenerator::PushTuple(size_t n, F push) {
  constexpr size_t kMaxRun = 30;
  if (n <= kMaxRun) {
    for (size_t i = 0; i < n; ++i) push(i);
    b().Pop(static_cast<unsigned>(n));
    b().EmitTo(Dest{}, Op::BUILD_TUPLE, b().Next(), static_cast<unsigned>(n));
    return;
  }
  b().EmitTo(Dest{}, Op::NEWLIST);
  const unsigned list = b().Next() - 1u;
  for (size_t i = 0; i < n; ++i) {
    push(i);
    b().Pop();
    b().Emit(Op::LIST_APPEND, list, b().Next(), kConsume1);
  }
  b().Emit(Op::LIST_TO_TUPLE, list);
}

}  // namespace minivm
