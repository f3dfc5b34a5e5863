// CompileContext: what every pass of one compilation shares: source, names, errors, warnings.
//
// Errors inside the compiler travel as the C++ exception CompileFailed, thrown once the Python
// exception is pending; CompileTree() catches it (and std::bad_alloc) at the border, so nothing
// escapes this directory. Everything the passes own is a Ref or lives in an arena.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/objects/str_object.h"
#include "vm/compiler/compiler.h"
#include "vm/syntax/ast.h"
#include "vm/syntax/name_table.h"

namespace minivm {

struct CompileFailed {};

class CompileContext {
 public:
  CompileContext(ThreadState& ts, Arena& arena, NameTable& names, std::string_view source,
                 StrObject* filename, const CompileOptions& options)
      : ts(ts),
        arena(arena),
        names(names),
        source(source),
        filename(filename),
        options(options),
        future_flags(options.future_flags) {}

  ThreadState& ts;
  Arena& arena;
  NameTable& names;
  std::string_view source;
  StrObject* filename;  // borrowed
  const CompileOptions& options;
  uint32_t future_flags;  // kCodeFuture*, the module's own included
  Location future_end{};  // of the last legal `from __future__`

  bool future_annotations() const { return future_flags & kCodeFutureAnnotations; }

  // The value of a result; throws when it has raised.
  template <class T>
  auto Check(Result<T> result) {
    if (MVM_UNLIKELY(result.raised())) throw CompileFailed();
    return result.Take();
  }
  [[noreturn]] void Fail() { throw CompileFailed(); }
  // Every pass calls it once per statement and expression: Ctrl-C and budgets reach long compiles.
  void Poll() {
    if (MVM_UNLIKELY(minivm::Charge(ts, 20).raised())) Fail();
  }

  // A str for an identifier, interned, made once. Borrowed.
  StrObject* Str(Identifier id) {
    if (id->index >= strings_.size()) strings_.resize(names.size() + 64);
    Ref<StrObject>& s = strings_[id->index];
    if (!s) s = Check(InternUtf8(ts, id->view()));
    return s.get();
  }
  Identifier Intern(std::string_view text) { return names.Intern(text); }
  // A name of class-private form (__x) inside class `cls` (may be null): _Class__x.
  Identifier Mangle(Identifier cls, Identifier name);

  // SyntaxError as the compiler proper words it: args = (msg, (file, line, column, ...)).
  [[noreturn, gnu::cold]] void Error(const Location& at, const char* format, ...);
  // SyntaxError of the symbol table: args = (msg,), the position only in the attributes. Without
  // at.end_lineno the end column is None.
  [[noreturn, gnu::cold]] void SymbolError(const Location& at, const char* format, ...);
  // SyntaxWarning; a filter that makes it an error gets a SyntaxError at that place.
  [[gnu::cold]] void Warn(const Location& at, const char* format, ...);
  [[gnu::cold]] void WarnText(const Location& at, Exc category, std::string_view message);

 private:
  Ref<> LineText(uint32_t lineno);
  void RaiseAt(const Location& at, std::string_view message);

  std::vector<Ref<StrObject>> strings_;  // by Ident::index
};

// The object of a literal (constant_fold.cpp).
Ref<> ConstantObject(CompileContext& context, const ConstantValue& c);
Result<> ConstantObject(ThreadState& ts, const ConstantValue& c);
// What the operation on constants gives, null if it is not to be done (or fails) when compiling.
Ref<> FoldBinaryValues(ThreadState& ts, Operator op, Value left, Value right);
Ref<> FoldSubscriptValues(ThreadState& ts, Value sequence, Value index);

}  // namespace minivm
