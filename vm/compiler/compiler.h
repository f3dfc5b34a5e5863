// From source text or AST to code objects.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"
#include "runtime/support/arena.h"
#include "vm/bytecode/code_object.h"

namespace minivm {

struct Mod;

// An arena whose blocks count against the VM's memory cap.
class HeapArena : public Arena {
 public:
  explicit HeapArena(ThreadState& ts) : Arena(Tell, &ts) {}

 private:
  // False with an exception pending: an interrupt; without: no memory.
  static bool Tell(void* owner, ptrdiff_t bytes) {
    ThreadState& ts = *static_cast<ThreadState*>(owner);
    if (bytes < 0) {
      ts.heap().Account(bytes);
      return true;
    }
    return !minivm::Charge(ts, 1000 + bytes / 64).raised() &&
           ts.heap().Charge(static_cast<size_t>(bytes));
  }
};

// What std::bad_alloc means where a HeapArena is in use: the exception that its owner raised, or
// MemoryError.
inline Raised OutOfArena(ThreadState& ts) {
  return ts.HasPending() ? Raised(kRaised) : RaiseMemoryError(ts);
}

enum class CompileMode : uint8_t { kExec, kEval, kSingle, kFuncType };  // the last only parses

struct CompileOptions {
  CompileMode mode = CompileMode::kExec;
  uint32_t future_flags = 0;  // kCodeFuture* inherited from the caller
  int optimize = 0;           // 0, 1 (no asserts), 2 (no docstrings)
  bool allow_top_level_await = false;
  bool allow_incomplete_input = false;  // _IncompleteInputError instead of SyntaxError at the end
  bool dont_imply_dedent = false;
  bool type_comments = false;
  int feature_version = 13;  // parsing only: minor version whose grammar is accepted
  bool from_file = false;    // CompileBytes: a script named on the command line (wording of errors)
};

// Raises SyntaxError and its subclasses with position and text, MemoryError, RecursionError;
// issues SyntaxWarnings.
Result<CodeObject> CompileSource(ThreadState& ts, std::string_view utf8, StrObject* filename,
                                 const CompileOptions& options);
// Bytes as found in a file: honours BOM and encoding cookie.
Result<CodeObject> CompileBytes(ThreadState& ts, std::string_view bytes, StrObject* filename,
                                const CompileOptions& options);
// The first half: the tree, in `arena`, with the warnings of the parser.
Result<Mod*> ParseSource(ThreadState& ts, std::string_view utf8, StrObject* filename,
                         const CompileOptions& options, Arena& arena);
Result<Mod*> ParseBytes(ThreadState& ts, std::string_view bytes, StrObject* filename,
                        const CompileOptions& options, Arena& arena);
// The symbol table of source (`bytes`: yet to be decoded) as plain data: symtable_info.cpp.
Result<> DescribeSource(ThreadState& ts, std::string_view source, bool bytes, StrObject* filename,
                        const CompileOptions& options);
// From a tree (ast.parse'd or script-built, already validated).
Result<CodeObject> CompileTree(ThreadState& ts, const Mod* tree, std::string_view source,
                               StrObject* filename, const CompileOptions& options);

}  // namespace minivm
