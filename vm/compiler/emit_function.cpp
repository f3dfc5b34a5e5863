// Units (code objects under construction), functions, lambdas and their closures.
#include <algorithm>

#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"
#include "vm/compiler/unparse.h"

namespace minivm {

// ---------------------------------------------------------------- registers

// Registers that the comprehensions inlined into a scope need: siblings share theirs.
unsigned CodeGenerator::HiddenNeeded(const Scope* scope) {
  unsigned most = 0;
  for (const Scope* c = scope->first_child; c; c = c->next_sibling) {
    if (!c->inlined) continue;
    unsigned own = 0;
    for (uint32_t i = 0; i < c->symbol_count; ++i) {
      const NameKind kind = c->symbols[i]->kind;
      own += (kind == NameKind::kFast || kind == NameKind::kCell) &&
             !(c->symbols[i]->flags & kSymParam);
    }
    most = std::max(most, own + HiddenNeeded(c));
  }
  return most;
}

// Parameters, the locals mapping, cells, named locals, hidden locals. When they are too many, the
// last parameters, cells and locals that find no register are far: kept in a list.
unsigned CodeGenerator::AssignRegisters(Scope* scope) {
  Unit& u = *unit_;
  unsigned next = 0, far = 0;
  const unsigned hidden = HiddenNeeded(scope);
  unsigned total = 2 + hidden;  // and the class's cells or the list of far locals
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    const Symbol* s = scope->symbols[i];
    total += s->kind == NameKind::kFast || s->kind == NameKind::kCell || (s->flags & kSymParam);
  }
  unsigned limit = kMaxLocals - hidden;
  const bool has_far = total > kMaxLocals;
  if (has_far) limit -= 3;  // the list and the class's cells
  // The register, or the place in the list, for the next of the symbols.
  auto place = [&](Symbol* s) {
    s->far = has_far && next >= limit;
    s->reg = s->far ? far++ : next++;
    return s->far ? kFarLocal | s->reg : s->reg;
  };
  auto add_cell = [&](Identifier name, uint32_t reg) {
    u.cells.push_back(name);
    u.cell_registers.push_back(reg);
  };
  if (scope->kind == ScopeKind::kModule || scope->kind == ScopeKind::kClass) {
    u.locals_register = static_cast<int>(next++);
  }
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    Symbol* s = scope->symbols[i];
    if (!(s->flags & kSymParam)) continue;
    const uint32_t reg = place(s);
    u.varnames.push_back(s->name);
    u.varname_registers.push_back(reg);
    if (s->kind == NameKind::kCell) add_cell(s->name, reg);
    ++u.param_count;
    if (!s->far) ++u.near_param_count;
  }
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    Symbol* s = scope->symbols[i];
    if (s->kind == NameKind::kCell && !(s->flags & kSymParam)) add_cell(s->name, place(s));
    if (s->kind == NameKind::kFree || (s->flags & kSymFreeClass)) u.frees.push_back(s->name);
  }
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    Symbol* s = scope->symbols[i];
    if (s->kind != NameKind::kFast || (s->flags & kSymParam)) continue;
    u.varnames.push_back(s->name);
    u.varname_registers.push_back(place(s));
  }
  auto add_class_cell = [&](const char* name) {
    add_cell(Id(name), next);
    return static_cast<int>(next++);
  };
  if (scope->has_class_cell) u.class_cell = add_class_cell("__class__");
  if (scope->has_class_dict) u.class_dict = add_class_cell("__classdict__");
  if (has_far) u.far_list = static_cast<int>(next++);
  u.far_count = far;
  u.hidden_base = next;
  u.hidden_top = 0;
  next += hidden;
  if (next > kMaxLocals) {
    context_.Error(scope->loc, "comprehensions with too many variables are nested too deeply");
  }
  return next;
}

void CodeGenerator::LayOutLocals(Scope* scope) {
  Unit& u = *unit_;
  const unsigned locals = AssignRegisters(scope);
  auto by_text = [](Identifier a, Identifier b) { return a->view() < b->view(); };
  std::sort(u.frees.begin(), u.frees.end(), by_text);
  for (size_t i = 0; i < u.frees.size(); ++i) {
    scope->Find(u.frees[i])->free_index = static_cast<uint16_t>(i);
  }
  std::vector<size_t> order(u.cells.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t i, size_t j) { return by_text(u.cells[i], u.cells[j]); });
  std::vector<Identifier> cells(order.size());
  std::vector<uint32_t> registers(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    cells[i] = u.cells[order[i]];
    registers[i] = u.cell_registers[order[i]];
  }
  u.cells = std::move(cells);
  u.cell_registers = std::move(registers);
  u.builder.Reset(locals);
  for (uint32_t i = 0; i < scope->symbol_count; ++i) {
    Symbol* s = scope->symbols[i];
    if (s->kind != NameKind::kFast || s->far) continue;
    if (s->flags & kSymUnbound) u.builder.may_be_unbound.Add(s->reg);
    if (s->flags & kSymParam) u.builder.MarkAssigned(s->reg);
  }
}

// ---------------------------------------------------------------- units

std::string CodeGenerator::QualifiedName(const Scope* scope, Identifier name) {
  const Unit* outer = unit_;
  std::string result(name->view());
  if (!outer) return result;
  if (outer->scope->kind == ScopeKind::kTypeParams) {
    outer = outer->parent;
    if (!outer || outer->scope->kind == ScopeKind::kModule) return result;
  }
  if (outer->scope->kind == ScopeKind::kModule) return result;
  if (scope->kind == ScopeKind::kFunction || scope->kind == ScopeKind::kClass) {
    Symbol* s = outer->scope->Find(outer->scope->Mangle(context_, name));
    if (s && s->kind == NameKind::kGlobalExplicit) return result;
  }
  std::string prefix = outer->qualname;
  prefix += outer->scope->is_function() ? ".<locals>." : ".";
  return prefix + result;
}

void CodeGenerator::BeginUnit(Scope* scope, Identifier name, const Location& first) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  std::string qualname = QualifiedName(scope, name);
  if (depth_ == pool_.size()) pool_.push_back(std::make_unique<Unit>(context_));
  Unit& u = *pool_[depth_++];
  u.parent = unit_;
  u.scope = u.current = scope;
  u.name = name;
  u.qualname = std::move(qualname);
  u.blocks.clear();
  u.cells.clear();
  u.cell_registers.clear();
  u.frees.clear();
  u.varnames.clear();
  u.varname_registers.clear();
  u.static_attributes.clear();
  u.hidden_names.clear();
  u.spill_base = 0;
  u.far_list = u.class_cell = u.class_dict = u.locals_register = -1;
  u.far_count = 0;
  u.flags = 0;
  u.first_line = first.lineno;
  u.arg_count = u.posonly_count = u.kwonly_count = u.param_count = u.near_param_count = 0;
  u.doc = Ref<>();
  u.interactive = false;
  u.guard_handler = CodeBuilder::kNoHandler;
  unit_ = &u;
  LayOutLocals(scope);
  const bool function = scope->is_function();
  const bool comprehension = scope->is_comprehension();
  u.is_async_function =
      function && scope->is_coroutine &&
      (comprehension || (scope->kind == ScopeKind::kFunction &&
                         As<FunctionDefStmt>(static_cast<const Stmt*>(scope->node))->kind ==
                             StmtKind::kAsyncFunctionDef));
  if (function) {
    u.flags = kCodeOptimized | kCodeNewLocals;
    if (scope->nested) u.flags |= kCodeNested;
    if (scope->has_varargs) u.flags |= kCodeVarArgs;
    if (scope->has_varkeywords) u.flags |= kCodeVarKeywords;
    if (scope->is_generator) {
      u.flags |= u.is_async_function ? kCodeAsyncGenerator : kCodeGenerator;
    } else if (u.is_async_function) {
      u.flags |= kCodeCoroutine;
    }
  } else if (scope->kind == ScopeKind::kModule && scope->is_coroutine &&
             context_.options.allow_top_level_await) {
    u.flags |= kCodeCoroutine;
    u.is_async_function = true;
  }
  Position start;
  start.line = start.end_line = static_cast<int>(first.lineno);
  start.column = start.end_column = 0;
  b().SetPosition(start);
  if (u.flags & (kCodeGenerator | kCodeCoroutine | kCodeAsyncGenerator)) {
    b().Emit(Op::GENSTART);
    u.guard_handler = b().NewHandler();
    b().BeginRange(u.guard_handler, b().local_count());
  }
  if (u.far_list >= 0) {
    b().Emit(Op::MKFAR, static_cast<unsigned>(u.far_list), 0, 0, static_cast<int32_t>(u.far_count));
  }
  for (uint32_t reg : u.cell_registers) {
    if (reg & kFarLocal) {
      b().Emit(Op::MKFAR, static_cast<unsigned>(u.far_list), 0, 1,
               static_cast<int32_t>(reg & ~kFarLocal));
    } else {
      b().Emit(Op::MKCELL, reg);
    }
  }
}

// A StopIteration that leaves a generator or coroutine becomes a RuntimeError.
void CodeGenerator::FinishGuard() {
  if (unit_->guard_handler == CodeBuilder::kNoHandler) return;
  b().EndRange();
  const unsigned depth = b().local_count();
  b().SetPosition(Position());
  b().BindHandler(unit_->guard_handler, depth, RegisterSet());
  b().BeginRange(CodeBuilder::kNoHandler, depth);
  b().Pop();
  const unsigned e = b().Next();
  b().Emit(Op::INTRINSIC1, e, e, 1, static_cast<int32_t>(Intrinsic::kStopIterationError));
  b().Emit(Op::RERAISE, e, 1);
  b().EndRange();
}

namespace {
Ref<TupleObject> NameTuple(CompileContext& context, const std::vector<Identifier>& names) {
  std::vector<Value> values(names.size());
  for (size_t i = 0; i < names.size(); ++i) values[i] = Value(context.Str(names[i]));
  return context.Check(NewTuple(context.ts, values));
}
}  // namespace

Ref<CodeObject> CodeGenerator::EndUnit() {
  Unit& u = *unit_;
  MVM_DCHECK(!b().reachable(), "control falls off the end of the code");
  FinishGuard();
  CodeSpec spec;
  b().Finish(&spec);
  spec.name = Ref<StrObject>::Borrow(context_.Str(u.name));
  spec.qualname = context_.Check(NewStr(context_.ts, u.qualname));
  spec.filename = Ref<StrObject>::Borrow(context_.filename);
  spec.varnames = NameTuple(context_, u.varnames);
  spec.cellvars = NameTuple(context_, u.cells);
  spec.freevars = NameTuple(context_, u.frees);
  spec.doc = std::move(u.doc);
  spec.flags = u.flags | context_.future_flags;
  spec.first_line = u.first_line;
  spec.arg_count = u.arg_count;
  spec.posonly_count = u.posonly_count;
  spec.kwonly_count = u.kwonly_count;
  spec.param_count = u.param_count;
  spec.near_param_count = u.near_param_count;
  if (u.far_list >= 0) spec.far_register = static_cast<uint16_t>(u.far_list);
  if (u.locals_register >= 0) spec.locals_register = static_cast<uint16_t>(u.locals_register);
  if (!u.hidden_names.empty()) spec.hidden_names = NameTuple(context_, u.hidden_names);
  spec.cell_registers = u.cell_registers.data();
  spec.varname_registers = u.varname_registers.data();
  Ref<CodeObject> code = context_.Check(NewCode(context_.ts, spec));
  unit_ = u.parent;
  --depth_;
  return code;
}

void CodeGenerator::ReturnNone() {
  b().MarkImplicitReturn();
  b().Emit(Op::RETSP, static_cast<unsigned>(Special::kNone), b().local_count());
  b().SetUnreachable();
}

void CodeGenerator::ReturnTop() {
  b().Pop();
  b().Emit(Op::RET, b().Next(), b().local_count());
  b().SetUnreachable();
}

void CodeGenerator::CountParameters(const minivm::Arguments* args) {
  Unit& u = *unit_;
  u.posonly_count = static_cast<uint16_t>(args->posonlyargs.size);
  u.arg_count = static_cast<uint16_t>(args->posonlyargs.size + args->args.size);
  u.kwonly_count = static_cast<uint16_t>(args->kwonlyargs.size);
  auto check = [this](const Arg* a) {
    if (a) ForbidName(a->arg, ExprContext::kStore, a->loc);
  };
  for (Arg* a : args->posonlyargs) check(a);
  for (Arg* a : args->args) check(a);
  check(args->vararg);
  for (Arg* a : args->kwonlyargs) check(a);
  check(args->kwarg);
}

// ---------------------------------------------------------------- parts of a function

void CodeGenerator::DefaultsTuple(const minivm::Arguments* args) {
  if (Ref<> constant = FoldItems(args->defaults)) {
    for (Expr* e : args->defaults) b().Note(e->loc);
    return LoadConstant(constant, Dest{});
  }
  PushTuple(args->defaults.size, [&](size_t i) { ToTemp(args->defaults[i]); });
}

bool CodeGenerator::KeywordDefaults(const minivm::Arguments* args) {
  bool any = false;
  for (uint32_t i = 0; i < args->kw_defaults.size; ++i) {
    if (!args->kw_defaults[i]) continue;
    if (!any) b().EmitTo(Dest{}, Op::NEWDICT);
    any = true;
    const unsigned dict = b().Next() - 1u;
    LoadConstant(context_.Str(Mangle(args->kwonlyargs[i]->arg)), Dest{});
    ToTemp(args->kw_defaults[i]);
    b().Pop(2);
    b().Emit(Op::MAP_ADD, dict, b().Next(), b().Next() + 1u, kConsume1 | kConsume2);
  }
  return any;
}

unsigned CodeGenerator::Defaults(const minivm::Arguments* args) {
  unsigned flags = 0;
  if (args->defaults.size) {
    DefaultsTuple(args);
    flags |= 1;
  }
  if (KeywordDefaults(args)) flags |= 2;
  return flags;
}

void CodeGenerator::Annotation(const Expr* e) {
  if (context_.future_annotations()) {
    std::string text;
    Unparse(context_, e, &text);
    b().SetLocation(e->loc);
    return LoadConstant(context_.Check(NewStr(context_.ts, text)).value(), Dest{});
  }
  if (e->kind == ExprKind::kStarred) {  // *args: *Ts
    ToTemp(As<StarredExpr>(e)->value);
    b().SetLocation(e->loc);
    b().Pop();
    b().Emit(Op::UNPACK, b().Next(), b().Next(), 1, kConsume1);
    b().Push();
    return;
  }
  ToTemp(e);
}

bool CodeGenerator::Annotations(const minivm::Arguments* args, const Expr* returns) {
  std::vector<std::pair<Identifier, const Expr*>> list;
  auto add = [&](const Arg* a) {
    if (a && a->annotation) list.emplace_back(Mangle(a->arg), a->annotation);
  };
  for (Arg* a : args->args) add(a);
  for (Arg* a : args->posonlyargs) add(a);
  add(args->vararg);
  for (Arg* a : args->kwonlyargs) add(a);
  add(args->kwarg);
  if (returns) list.emplace_back(Id("return"), returns);
  if (list.empty()) return false;
  PushTuple(list.size() * 2, [&](size_t i) {
    if (i % 2 == 0) {
      LoadConstant(context_.Str(list[i / 2].first), Dest{});
    } else {
      Annotation(list[i / 2].second);
    }
  });
  return true;
}

// The cell of a captured name, for the closure of an inner function.
void CodeGenerator::LoadCell(Identifier name) {
  Scope* scope = unit_->current;
  Symbol* s = scope->Find(name);
  while (s && s->kind == NameKind::kOuter) {
    scope = scope->parent;
    s = scope->Find(name);
  }
  if (s && s->kind == NameKind::kCell && s->far) {
    return b().EmitTo(Dest{}, Op::LDFAR, static_cast<unsigned>(unit_->far_list), 0,
                      static_cast<int32_t>(s->reg), b().NameIndex(name));
  }
  int reg = -1;
  if (scope->kind == ScopeKind::kClass && scope == unit_->scope) {
    if (unit_->class_cell >= 0 && name->view() == "__class__") reg = unit_->class_cell;
    if (unit_->class_dict >= 0 && name->view() == "__classdict__") reg = unit_->class_dict;
  }
  if (reg < 0 && s && s->kind == NameKind::kCell) reg = s->reg;
  if (reg >= 0) {
    b().Emit(Op::MOVE, b().Next(), static_cast<unsigned>(reg));
    b().Push();
    return;
  }
  MVM_CHECK(s != nullptr, "captured name without a cell");
  b().EmitTo(Dest{}, Op::LDFREECELL, 0, 0, s->free_index);
}

// The closure of the unit that has just ended.
bool CodeGenerator::Closure() {
  const std::vector<Identifier>& frees = pool_[depth_]->frees;
  if (frees.empty()) return false;
  PushTuple(frees.size(), [&](size_t i) { LoadCell(frees[i]); });
  return true;
}

void CodeGenerator::MakeFunction(Ref<CodeObject> code, unsigned flags, Dest dest) {
  if (Closure()) flags |= 8;
  Value canonical = constants_.Add(std::move(code));
  const uint32_t index = b().reachable() ? b().ConstantIndex(canonical) : 0;
  b().Pop(static_cast<unsigned>(__builtin_popcount(flags)));
  b().EmitTo(dest, Op::MKFUNC, b().Next(), flags, static_cast<int32_t>(index));
}

// ---------------------------------------------------------------- docstrings

namespace {

// Takes tabs and common indentation out of a docstring.
std::string CleanDocstring(std::string_view text) {
  std::string expanded;
  size_t column = 0;
  for (char c : text) {
    if (c == '\t') {
      size_t spaces = 8 - column % 8;
      expanded.append(spaces, ' ');
      column += spaces;
    } else {
      expanded.push_back(c);
      if (c == '\n' || c == '\r') {
        column = 0;
      } else if ((static_cast<uint8_t>(c) & 0xC0) != 0x80) {
        ++column;
      }
    }
  }
  size_t first = expanded.find_first_not_of(' ');
  if (first == expanded.npos) first = expanded.size();
  size_t margin = expanded.npos;
  for (size_t line = expanded.find('\n'); line != expanded.npos;) {
    size_t start = line + 1;
    size_t text_start = expanded.find_first_not_of(' ', start);
    line = expanded.find('\n', start);
    if (text_start == expanded.npos) break;
    if (text_start != line) margin = std::min(margin, text_start - start);
  }
  if (margin == expanded.npos) margin = 0;
  if (first == 0 && margin == 0) return expanded;
  std::string clean =
      expanded.substr(first, expanded.find('\n') == expanded.npos ? expanded.npos
                             : expanded.find('\n') + 1 > first    ? expanded.find('\n') + 1 - first
                                                                  : 0);
  size_t at = expanded.find('\n');
  while (at != expanded.npos) {
    size_t start = at + 1;
    at = expanded.find('\n', start);
    size_t end = at == expanded.npos ? expanded.size() : at + 1;
    size_t skip = 0;
    while (skip < margin && start + skip < end && expanded[start + skip] == ' ') ++skip;
    clean.append(expanded, start + skip, end - start - skip);
  }
  return clean;
}

}  // namespace

// The docstring of a body, or null.
Ref<> CodeGenerator::Docstring(Span<Stmt*> body) {
  if (body.empty() || body[0]->kind != StmtKind::kExpr) return Ref<>();
  const Expr* e = As<ExprStmt>(body[0])->value;
  if (e->kind != ExprKind::kConstant) return Ref<>();
  const ConstantValue& c = As<ConstantExpr>(e)->value;
  if (c.kind != ConstantKind::kStr || context_.options.optimize >= 2) return Ref<>();
  Ref<StrObject> text = context_.Check(NewStr(context_.ts, CleanDocstring(c.text)));
  return Ref<>(std::move(text));
}

bool CodeGenerator::HasDocstring(Span<Stmt*> body) {
  if (body.empty() || body[0]->kind != StmtKind::kExpr) return false;
  const Expr* e = As<ExprStmt>(body[0])->value;
  return e->kind == ExprKind::kConstant && As<ConstantExpr>(e)->value.kind == ConstantKind::kStr;
}

// ---------------------------------------------------------------- functions

Ref<CodeObject> CodeGenerator::FunctionBody(const FunctionDefStmt* s) {
  Location first = s->loc;
  if (s->decorator_list.size) first.lineno = s->decorator_list[0]->loc.lineno;
  BeginUnit(symbols_.Of(s), s->name, first);
  CountParameters(s->args);
  unit_->doc = Docstring(s->body);
  if (unit_->doc) b().ConstantIndex(constants_.Add(unit_->doc));
  Span<Stmt*> body = s->body;
  if (HasDocstring(body)) {
    ++body.data;
    --body.size;
  }
  Body(body);
  ReturnNone();
  return EndUnit();
}

// Each decorator waits in a window of its own for what it decorates. More than a few wait in a
// list, to whose end the function goes, then what each has made of it.
void CodeGenerator::OpenDecorators(Span<Expr*> decorators) {
  if (decorators.size > kMaxDecoratorWindows) {
    b().SetLocation(decorators[0]->loc);
    return DisplayList(decorators);
  }
  for (Expr* d : decorators) {
    ToTemp(d);
    b().SetLocation(d->loc);
    b().Emit(Op::WINDOW, b().Next() - 1u);
    b().Push(2);
  }
}

void CodeGenerator::CallDecorators(Span<Expr*> decorators) {
  if (decorators.size <= kMaxDecoratorWindows) {
    for (uint32_t i = decorators.size; i-- > 0;) {
      b().SetLocation(decorators[i]->loc);
      FinishCall(Op::CALL, b().Next() - 4u, 4, 1, 0, Dest{});
    }
    return;
  }
  const unsigned list = b().Next() - 2u;
  auto get = [this, list](int32_t index) {
    b().EmitTo(Dest{}, Op::LOADI, 0, 0, index);
    b().Pop();
    b().EmitTo(Dest{}, Op::GETITEM, list, b().Next(), static_cast<int32_t>(kConsume2));
  };
  for (uint32_t i = decorators.size; i-- > 0;) {
    b().SetLocation(decorators[i]->loc);
    b().Pop();
    b().Emit(Op::LIST_APPEND, list, list + 1, kConsume1);
    get(static_cast<int32_t>(i));
    b().Emit(Op::WINDOW, list + 1);
    b().Push(2);
    get(-1);
    FinishCall(Op::CALL, list + 1, 4, 1, 0, Dest{});
  }
  b().Emit(Op::SWAP, list, list + 1);
  b().Pop();
  b().Emit(Op::CLEAR, b().Next());
}

void CodeGenerator::FunctionDef(const FunctionDefStmt* s) {
  ForbidName(s->name, ExprContext::kStore, s->loc);
  OpenDecorators(s->decorator_list);
  if (s->type_params.size == 0) {
    b().SetLocation(s->loc);
    unsigned flags = Defaults(s->args);
    if (Annotations(s->args, s->returns)) flags |= 4;
    Ref<CodeObject> code = FunctionBody(s);
    b().SetLocation(s->loc);
    MakeFunction(std::move(code), flags, Dest{});
  } else {
    GenericFunction(s);
  }
  CallDecorators(s->decorator_list);
  b().SetLocation(s->loc);
  StoreName(s->name, Operand{static_cast<uint8_t>(b().Next() - 1), true});
}

// def f[T](...): a function of its own makes the type parameters and then f; it gets the defaults.
void CodeGenerator::GenericFunction(const FunctionDefStmt* s) {
  Scope* scope = symbols_.Of(s, SymbolTable::kTypeParams);
  Location first = s->loc;
  if (s->decorator_list.size) first.lineno = s->decorator_list[0]->loc.lineno;
  BeginUnit(scope, GenericName(s->name), first);
  unit_->arg_count = unit_->param_count;
  TypeParams(s->type_params);
  b().SetLocation(s->loc);
  unsigned flags = 0;
  unsigned reg = 0;
  if (s->args->defaults.size) {
    b().Emit(Op::MOVE, b().Next(), reg++);
    b().Push();
    flags |= 1;
  }
  if (unit_->param_count > reg) {
    b().Emit(Op::MOVE, b().Next(), reg);
    b().Push();
    flags |= 2;
  }
  if (Annotations(s->args, s->returns)) flags |= 4;
  Ref<CodeObject> body = FunctionBody(s);
  b().SetLocation(s->loc);
  MakeFunction(std::move(body), flags, Dest{});
  b().Pop(2);
  b().Emit(Op::INTRINSIC2, b().Next(), b().Next() + 1u, b().Next(),
           static_cast<int32_t>(Intrinsic::kSetFunctionTypeParams));
  b().Push();
  ReturnTop();
  Ref<CodeObject> code = EndUnit();

  b().SetLocation(s->loc);
  const unsigned base = b().Next();
  MakeFunction(std::move(code), 0, Dest{});
  b().Emit(Op::WINDOW, base);
  b().Push(2);
  unsigned count = 0;
  if (s->args->defaults.size) {
    DefaultsTuple(s->args);
    ++count;
  }
  if (KeywordDefaults(s->args)) ++count;
  b().SetLocation(s->loc);
  FinishCall(Op::CALL, base, 3 + count, count, 0, Dest{});
}

Identifier CodeGenerator::GenericName(Identifier name) {
  std::string text = "<generic parameters of ";
  text += name->view();
  text += ">";
  return Id(text.c_str());
}

void CodeGenerator::Lambda(const LambdaExpr* e, Dest dest) {
  b().SetLocation(e->loc);
  const unsigned flags = Defaults(e->args);
  BeginUnit(symbols_.Of(e), Id("<lambda>"), e->loc);
  CountParameters(e->args);
  ReturnValue(e->body);
  Ref<CodeObject> code = EndUnit();
  b().SetLocation(e->loc);
  MakeFunction(std::move(code), flags, dest);
}

// return e, outside every block.
void CodeGenerator::ReturnValue(const Expr* e) {
  Operand o = Any(e);
  b().Pop(o);
  b().Emit(Op::RET, o.reg, b().local_count());
  b().SetUnreachable();
}

}  // namespace minivm
