// compile(): text or tree in, code or tree out.
#include <new>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/utf8.h"
#include "vm/builtins/compile_value.h"
#include "vm/compiler/compiler.h"
#include "vm/interp/function_object.h"
#include "vm/interp/interpreter.h"
#include "vm/tree/tree.h"

namespace minivm {

uint32_t CallerFutures(ThreadState& ts) {
  return ts.base == nullptr ? 0 : FunctionOf(ts.base)->code->flags & kCodeFutureMask;
}

namespace {

// Bits of compile()'s flags that are not __future__ features.
constexpr int64_t kOnlyAst = 0x400;
constexpr int64_t kDontImplyDedent = 0x200;
constexpr int64_t kTypeComments = 0x1000;
constexpr int64_t kTopLevelAwait = 0x2000;
constexpr int64_t kIncompleteInput = 0x4000;
constexpr int64_t kOptimizedAst = 0x8000 | kOnlyAst;
// __future__ features that are mandatory by now: accepted, without effect.
constexpr int64_t kOldFutures = 0x10 | 0x20000 | 0x40000 | 0x80000 | 0x100000 | 0x200000 | 0x800000;
constexpr int64_t kKnownFlags = kCodeFutureMask | kOnlyAst | kDontImplyDedent | kTypeComments |
                                kTopLevelAwait | kIncompleteInput | kOptimizedAst | kOldFutures;

// The text of a source argument, UTF-8 or (true) bytes that are yet to be decoded.
Result<bool> SourceText(ThreadState& ts, Value source, const char* function, const char* what,
                        std::string* text) {
  if (IsStr(ts, source)) {
    StrObject* s = source.as<StrObject>();
    for (size_t i = 0; !s->ascii() && i < s->length; ++i) {
      if (IsSurrogate(s->At(i))) {
        return RaiseEncodeError(ts, "utf-8", s, static_cast<int64_t>(i),
                                static_cast<int64_t>(i + 1), "surrogates not allowed");
      }
    }
    *text = ToUtf8(s);
    return false;
  }
  if (IsBytes(ts, source)) {
    *text = source.as<BytesObject>()->view();
    return true;
  }
  TypeObject* type = TypeOf(ts, source);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (type->operators->buffer == nullptr) {
    return Raise(ts, Exc::kTypeError, "%s() arg 1 must be a %s", function, what);
  }
  BufferView view;
  MVM_TRY_VOID(GetBuffer(ts, source, &view, false));
  Status room = CheckRoom(ts, static_cast<size_t>(view.size));
  if (!room.raised()) {
    text->assign(static_cast<size_t>(view.size), '\0');
    CopyBuffer(view, reinterpret_cast<uint8_t*>(text->data()));
  }
  view.Release();
  if (room.raised()) return kRaised;
  return true;
}

Result<StrObject> FilenameOf(ThreadState& ts, Value name) {
  if (IsStr(ts, name)) return Ref<StrObject>::Borrow(name.as<StrObject>());
  if (IsBytes(ts, name)) return NewStrFromOs(ts, name.as<BytesObject>()->view());
  MVM_TRY(Ref<> os, ts.rt->hooks.import_module(ts, "os"));
  MVM_TRY(Ref<> decode, GetAttr(ts, os, "fsdecode"));
  MVM_TRY(Ref<> decoded, Call(ts, decode, name));
  if (!IsStr(ts, decoded)) return Raise(ts, Exc::kTypeError, "fsdecode() must return str");
  return Ref<StrObject>::Borrow(decoded.as<StrObject>());
}

Status SetMode(ThreadState& ts, StrObject* mode, bool only_ast, CompileOptions* options) {
  static constexpr std::pair<const char*, CompileMode> kModes[] = {
      {"exec", CompileMode::kExec},
      {"eval", CompileMode::kEval},
      {"single", CompileMode::kSingle},
      {"func_type", CompileMode::kFuncType}};
  for (const auto& [name, value] : kModes) {
    if (!mode->EqualsAscii(name)) continue;
    options->mode = value;
    if (value == CompileMode::kFuncType && !only_ast) {
      return Raise(ts, Exc::kValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
    }
    return Ok();
  }
  return Raise(ts, Exc::kValueError,
               only_ast ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                        : "compile() mode must be 'exec', 'eval' or 'single'");
}

ModKind RootOf(CompileMode mode) {
  switch (mode) {
    case CompileMode::kExec: return ModKind::kModule;
    case CompileMode::kEval: return ModKind::kExpression;
    case CompileMode::kSingle: return ModKind::kInteractive;
    case CompileMode::kFuncType: return ModKind::kFunctionType;
  }
  return ModKind::kModule;
}

// With a tree, or towards one.
Result<> CompileTrees(ThreadState& ts, Value source, StrObject* filename, int64_t flags,
                      const CompileOptions& options) {
  const bool only_ast = flags & kOnlyAst;
  const bool optimize = (flags & kOptimizedAst) == kOptimizedAst;
  if (IsTree(ts, source) && only_ast && !optimize) return Result<>::Borrow(source);
  HeapArena arena(ts);
  Ref<> keep, folded;
  Mod* tree;
  std::string text;
  if (IsTree(ts, source)) {
    MVM_TRY(tree, TreeFromObject(ts, source, RootOf(options.mode), arena, &keep));
    if (!only_ast) return CompileTree(ts, tree, "", filename, options);
  } else {
    MVM_TRY(bool bytes, SourceText(ts, source, "compile", "string, bytes or AST object", &text));
    MVM_TRY(tree, bytes ? ParseBytes(ts, text, filename, options, arena)
                        : ParseSource(ts, text, filename, options, arena));
  }
  if (optimize) MVM_TRY_VOID(OptimizeTree(ts, tree, arena, options.optimize, &folded));
  return TreeToObject(ts, tree);
}

}  // namespace

Result<CodeObject> CompileValue(ThreadState& ts, Value source, StrObject* filename,
                                const CompileOptions& options, const char* function,
                                const char* what) {
  std::string text;
  MVM_TRY(bool bytes, SourceText(ts, source, function, what, &text));
  return bytes ? CompileBytes(ts, text, filename, options)
               : CompileSource(ts, text, filename, options);
}

Result<> builtins_compile(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> filename, FilenameOf(ts, args[1]));
  MVM_TRY(StrObject * mode, ExpectStr(ts, args[2], "compile() argument 'mode'"));
  MVM_TRY(int64_t flags, AsInt64(ts, args[3]));
  MVM_TRY(bool dont_inherit, Truth(ts, args[4]));
  MVM_TRY(int64_t optimize, AsInt64(ts, args[5]));
  MVM_TRY(int64_t feature_version, AsInt64(ts, args[6]));
  if (flags & ~kKnownFlags) return Raise(ts, Exc::kValueError, "compile(): unrecognised flags");
  if (optimize < -1 || optimize > 2) {
    return Raise(ts, Exc::kValueError, "compile(): invalid optimize value");
  }
  const bool only_ast = flags & kOnlyAst;
  CompileOptions options;
  MVM_TRY_VOID(SetMode(ts, mode, only_ast, &options));
  options.future_flags = static_cast<uint32_t>(flags & kCodeFutureMask);
  if (!dont_inherit) options.future_flags |= CallerFutures(ts);
  options.optimize = optimize < 0 ? ts.rt->optimize : static_cast<int>(optimize);
  options.allow_top_level_await = flags & kTopLevelAwait;
  options.allow_incomplete_input = flags & kIncompleteInput;
  options.dont_imply_dedent = flags & kDontImplyDedent;
  options.type_comments = flags & kTypeComments;
  if (feature_version >= 0 && feature_version < options.feature_version && only_ast) {
    options.feature_version = static_cast<int>(feature_version);
  }
  if (!only_ast && !IsTree(ts, args[0])) {
    return CompileValue(ts, args[0], filename, options, "compile", "string, bytes or AST object");
  }
  try {
    return CompileTrees(ts, args[0], filename, flags, options);
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

}  // namespace minivm
