// The compiler's entry points: text or tree in, code object out.
#include "vm/compiler/compiler.h"

#include <new>

#include "runtime/objects/codec.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/code_generator.h"
#include "vm/syntax/parser.h"
#include "vm/syntax/source_decode.h"

namespace minivm {

CodeGenerator::CodeGenerator(CompileContext& context, SymbolTable& symbols)
    : context_(context), symbols_(symbols), constants_(context) {}

Result<CodeObject> CodeGenerator::Module(const Mod* tree) {
  Location first;
  first.lineno = first.end_lineno = 1;
  BeginUnit(symbols_.top(), Id("<module>"), first);
  if (tree->kind == ModKind::kExpression) {
    ReturnValue(tree->expression);
  } else {
    unit_->interactive = tree->kind == ModKind::kInteractive;
    ModuleLikeBody(tree->body);
    ReturnNone();
  }
  return EndUnit();
}

namespace {

struct FutureFeature {
  std::string_view name;
  uint32_t flag;
};
constexpr FutureFeature kFeatures[] = {
    {"nested_scopes", 0},
    {"generators", 0},
    {"division", 0},
    {"absolute_import", 0},
    {"with_statement", 0},
    {"print_function", 0},
    {"unicode_literals", 0},
    {"generator_stop", 0},
    {"barry_as_FLUFL", kCodeFutureBarry},
    {"annotations", kCodeFutureAnnotations},
};

void ApplyFutureImport(CompileContext& context, const ImportFromStmt* s) {
  Location at = s->loc;
  at.end_lineno = 0;  // these errors have no end column
  for (Alias* a : s->names) {
    const std::string_view name = a->name->view();
    bool known = false;
    for (const FutureFeature& f : kFeatures) {
      if (f.name != name) continue;
      context.future_flags |= f.flag;
      known = true;
    }
    if (known) continue;
    if (name == "braces") context.SymbolError(at, "not a chance");
    context.SymbolError(at, "future feature %.*s is not defined", static_cast<int>(name.size()),
                        name.data());
  }
}

}  // namespace

// Only a docstring and other future imports may stand before one.
void ScanFutureImports(CompileContext& context, const Mod* tree) {
  if (tree->kind != ModKind::kModule && tree->kind != ModKind::kInteractive) return;
  bool first = true;
  for (Stmt* s : tree->body) {
    const bool may_be_docstring = std::exchange(first, false);
    if (s->kind == StmtKind::kImportFrom) {
      auto* i = As<ImportFromStmt>(s);
      if (!i->module || i->module->view() != "__future__" || i->level != 0) return;
      ApplyFutureImport(context, i);
      context.future_end = s->loc;
      continue;
    }
    if (s->kind == StmtKind::kExpr && may_be_docstring) {
      const Expr* e = As<ExprStmt>(s)->value;
      if (e->kind == ExprKind::kConstant && As<ConstantExpr>(e)->value.kind == ConstantKind::kStr) {
        continue;
      }
    }
    return;
  }
}

namespace {

ParseMode ParseModeOf(CompileMode mode) {
  switch (mode) {
    case CompileMode::kEval: return ParseMode::kEval;
    case CompileMode::kSingle: return ParseMode::kSingle;
    case CompileMode::kFuncType: return ParseMode::kFuncType;
    default: return ParseMode::kExec;
  }
}

// SyntaxError(msg, (filename, lineno, offset, text, end_lineno, end_offset)) or one of its kin.
Raised RaiseDiagnostic(ThreadState& ts, const Diagnostic& d, StrObject* filename) {
  Exc type = Exc::kSyntaxError;
  switch (d.kind) {
    case DiagnosticKind::kSyntax: break;
    case DiagnosticKind::kIndentation: type = Exc::kIndentationError; break;
    case DiagnosticKind::kTab: type = Exc::kTabError; break;
    case DiagnosticKind::kIncompleteInput: type = Exc::k_IncompleteInputError; break;
    case DiagnosticKind::kMemory: return OutOfArena(ts);
    case DiagnosticKind::kUnicode: type = Exc::kSyntaxError; break;
    case DiagnosticKind::kValue: return Raise(ts, Exc::kValueError, "%s", d.message.c_str());
  }
  MVM_TRY(Ref<StrObject> message, NewStr(ts, d.message));
  if (!d.has_location) {
    MVM_TRY(Ref<> error, Call(ts, ExcType(ts, type), message.value()));
    return RaiseObject(ts, error);
  }
  Ref<> text = Ref<>::Borrow(ts.rt->none);
  if (d.has_text) {
    MVM_TRY(Ref<StrObject> line, NewStrFromOs(ts, d.text));
    text = Ref<>(std::move(line));
  }
  Value fields[] = {Value(filename), Value::Int(d.lineno),     Value::Int(d.offset),
                    text.get(),      Value::Int(d.end_lineno), Value::Int(d.end_offset)};
  MVM_TRY(Ref<TupleObject> detail, NewTuple(ts, fields));
  MVM_TRY(Ref<> error, Call(ts, ExcType(ts, type), message.value(), detail.value()));
  return RaiseObject(ts, error);
}

Result<CodeObject> CompileIn(CompileContext& context, const Mod* tree) {
  try {
    ScanFutureImports(context, tree);
    SymbolTable symbols(context);
    symbols.Build(tree);
    CodeGenerator generator(context, symbols);
    return generator.Module(tree);
  } catch (const CompileFailed&) {
    MVM_DCHECK(context.ts.HasPending(), "compilation failed without an exception");
    return kRaised;
  } catch (const std::bad_alloc&) {
    return OutOfArena(context.ts);
  }
}

}  // namespace

Result<CodeObject> CompileTree(ThreadState& ts, const Mod* tree, std::string_view source,
                               StrObject* filename, const CompileOptions& options) {
  HeapArena arena(ts);
  NameTable* names = tree->names;
  MVM_CHECK(names != nullptr, "a tree without names");
  CompileContext context(ts, arena, *names, source, filename, options);
  return CompileIn(context, tree);
}

namespace {

// Parses and gives the tree to `next`, with the names that later passes add to.
template <class R, class Next>
R ParseText(ThreadState& ts, Arena& arena, std::string_view utf8, bool invalid_utf8,
            StrObject* filename, const CompileOptions& options, Next next) {
  ParseOptions parse;
  parse.mode = ParseModeOf(options.mode);
  parse.dont_imply_dedent = options.dont_imply_dedent;
  parse.allow_incomplete_input = options.allow_incomplete_input;
  parse.barry_as_flufl = options.future_flags & kCodeFutureBarry;
  parse.type_comments = options.type_comments;
  parse.feature_version = options.feature_version;
  parse.int_max_str_digits = static_cast<uint32_t>(ts.rt->int_max_str_digits);
  parse.invalid_utf8 = invalid_utf8;
  // No more than what is left of the C stack.
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  const size_t room = here > ts.cstack_limit ? static_cast<size_t>(here - ts.cstack_limit) : 0;
  if (room < parse.max_stack_bytes) parse.max_stack_bytes = static_cast<uint32_t>(room);
  Diagnostic error;
  std::vector<Warning> warnings;
  try {
    const std::string name = ToUtf8(filename);
    parse.filename = name;
    Mod* tree = Parse(arena, utf8, parse, &error, &warnings);
    // Names made later (mangled ones) go into the tree's table, which lives in this arena too.
    NameTable spare(arena);
    CompileContext context(ts, arena, tree ? *tree->names : spare, utf8, filename, options);
    for (const Warning& w : warnings) {
      Location at;
      at.lineno = w.lineno;
      at.end_lineno = w.end_lineno;
      at.col_offset = w.offset ? w.offset - 1 : 0;
      at.end_col_offset = w.end_offset ? w.end_offset - 1 : 0;
      const bool syntax = w.kind == WarningKind::kSyntax;
      context.WarnText(at, syntax ? Exc::kSyntaxWarning : Exc::kDeprecationWarning, w.message);
    }
    if (!tree) return RaiseDiagnostic(ts, error, filename);
    return next(context, tree);
  } catch (const CompileFailed&) {
    return kRaised;
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

Result<CodeObject> CompileText(ThreadState& ts, std::string_view utf8, bool invalid_utf8,
                               StrObject* filename, const CompileOptions& options) {
  HeapArena arena(ts);
  return ParseText<Result<CodeObject>>(ts, arena, utf8, invalid_utf8, filename, options, CompileIn);
}

Result<Mod*> TreeOf(CompileContext&, Mod* tree) { return tree; }

Result<> ScopesOf(CompileContext& context, Mod* tree) {
  ScanFutureImports(context, tree);
  SymbolTable symbols(context);
  symbols.Build(tree);
  return DescribeScopes(context, symbols.top());
}

// A source encoding that the decoder itself does not know, by the codec registry.
bool DecodeWithCodec(void* context, std::string_view encoding, std::string_view bytes,
                     std::string* utf8, std::string* error) {
  ThreadState& ts = *static_cast<ThreadState*>(context);
  Result<StrObject> text = Decode(ts, bytes, encoding);
  if (!text.raised()) {
    *utf8 = ToUtf8(text.Take());
    return true;
  }
  Ref<> exception = TakePending(ts);
  Result<StrObject> message = ToStr(ts, exception);
  if (message.raised()) {
    ClearPending(ts);
    *error = "decoding error";
  } else {
    *error = ToUtf8(message.Take());
  }
  return false;
}

Status DecodeBytes(ThreadState& ts, std::string_view bytes, StrObject* filename,
                   const CompileOptions& options, DecodedSource* source) {
  Diagnostic error;
  SourceCodec codec{DecodeWithCodec, &ts};
  const SourceOrigin origin = options.from_file ? SourceOrigin::kFile : SourceOrigin::kBytes;
  if (DecodeSource(bytes, origin, ToUtf8(filename), codec, source, &error)) return Ok();
  return RaiseDiagnostic(ts, error, filename);
}

}  // namespace

Result<CodeObject> CompileSource(ThreadState& ts, std::string_view utf8, StrObject* filename,
                                 const CompileOptions& options) {
  return CompileText(ts, utf8, false, filename, options);
}

Result<CodeObject> CompileBytes(ThreadState& ts, std::string_view bytes, StrObject* filename,
                                const CompileOptions& options) {
  try {
    DecodedSource source;
    MVM_TRY_VOID(DecodeBytes(ts, bytes, filename, options, &source));
    return CompileText(ts, source.text, source.invalid_utf8, filename, options);
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

Result<Mod*> ParseSource(ThreadState& ts, std::string_view utf8, StrObject* filename,
                         const CompileOptions& options, Arena& arena) {
  return ParseText<Result<Mod*>>(ts, arena, utf8, false, filename, options, TreeOf);
}

Result<Mod*> ParseBytes(ThreadState& ts, std::string_view bytes, StrObject* filename,
                        const CompileOptions& options, Arena& arena) {
  try {
    DecodedSource source;
    MVM_TRY_VOID(DecodeBytes(ts, bytes, filename, options, &source));
    return ParseText<Result<Mod*>>(ts, arena, source.text, source.invalid_utf8, filename, options,
                                   TreeOf);
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

Result<> DescribeSource(ThreadState& ts, std::string_view source, bool bytes, StrObject* filename,
                        const CompileOptions& options) {
  try {
    HeapArena arena(ts);
    if (!bytes) return ParseText<Result<>>(ts, arena, source, false, filename, options, ScopesOf);
    DecodedSource decoded;
    MVM_TRY_VOID(DecodeBytes(ts, source, filename, options, &decoded));
    return ParseText<Result<>>(ts, arena, decoded.text, decoded.invalid_utf8, filename, options,
                               ScopesOf);
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

}  // namespace minivm
