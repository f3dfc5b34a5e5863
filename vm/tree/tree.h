// Syntax trees as script objects: what module `ast` shows of vm/syntax/ast.h.
//
// The classes (ast.AST and all others) are ordinary classes of the language, made from the
// grammar's table when they are first needed and kept by the VM (RuntimeState::tree_types). A tree
// of arena nodes becomes objects field by field, and back, by the visitor of
// vm/syntax/ast_fields.h: neither direction has code for any one class.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"
#include "runtime/support/arena.h"
#include "vm/syntax/ast.h"
#include "vm/tree/tree_grammar.h"

namespace minivm {

// What RuntimeState::tree_types holds.
class TreeTypesObject : public Object {
 public:
  TupleObject* classes = nullptr;     // by class number
  TupleObject* fields = nullptr;      // tuples of the fields' names
  TupleObject* singletons = nullptr;  // instances of the simple classes (Load, Add, ...), else None
  TupleObject* positions = nullptr;   // lineno, col_offset, end_lineno, end_col_offset
  StrObject* kind = nullptr;          // of Constant
  template <class V>
  void VisitRefs(V&& v) {
    v(classes);
    v(fields);
    v(singletons);
    v(positions);
    v(kind);
  }
};

// The classes, made now if need be. Borrowed: alive as long as the VM.
Result<TreeTypesObject*> TreeTypes(ThreadState& ts);
// Is it an instance of ast.AST?
bool IsTree(ThreadState& ts, Value v);

// The objects for a tree.
Result<> TreeToObject(ThreadState& ts, const Mod* tree);
// The tree that an object stands for, in `arena`; REQUIRES: IsTree(v). TypeError if it is not of
// the kind wanted; everything CPython checks before it compiles a tree is checked. The tree may
// refer to objects (constants that no literal can express): *keep owns them.
Result<Mod*> TreeFromObject(ThreadState& ts, Value v, ModKind kind, Arena& arena, Ref<>* keep);

// The second half of TreeFromObject: ValueErrors for trees that no source has.
Status ValidateTree(ThreadState& ts, Mod* tree);

// A value fit for Constant as the syntax tree has it; `keep` owns what is kObject.
Status ConstantFromObject(ThreadState& ts, Value v, Arena& arena, ListObject* keep,
                          ConstantValue* out);

// Folds constants as the compiler would, in place (ast.PyCF_OPTIMIZED_AST). *keep as above.
Status OptimizeTree(ThreadState& ts, Mod* tree, Arena& arena, int level, Ref<>* keep);

}  // namespace minivm
