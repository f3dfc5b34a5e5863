// Expressions back to source text, as ast.unparse prints them.
#pragma once

#include <string>

#include "vm/compiler/compile_context.h"

namespace minivm {

// Appends the text of `e`: what `from __future__ import annotations` keeps of an annotation.
void Unparse(CompileContext& context, const Expr* e, std::string* out);

}  // namespace minivm
