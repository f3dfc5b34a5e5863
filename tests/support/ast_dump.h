// Writes a syntax tree as one line of text, for comparison with expectations.
//
// Name(field=..., ...)@line,col,end_line,end_col in the field order of Python's
// `ast`; None for absent parts; strings as s'...' or b'...' with \xHH for bytes
// outside printable ASCII; floats as the hex digits of their bits.
#pragma once

#include <string>

#include "vm/syntax/ast.h"

namespace minivm {

// `locations`: with the @ parts.
std::string DumpAst(const Mod* mod, bool locations);

}  // namespace minivm
