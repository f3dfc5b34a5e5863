// Explains why a source does not parse, in CPython 3.13's words and places.
#pragma once

#include "vm/syntax/parser_impl.h"

namespace minivm {

// Fills *error for a source on which `parser` (over `lexer`'s tokens) has failed.
void ExplainSyntaxError(Lexer& lexer, const ParseOptions& options, Parser& parser,
                        Diagnostic* error);

// In kSingle mode: whether anything but blanks and comments follows the statement that ended
// before `next`, and the error that this is.
bool IsMultipleStatements(const Lexer& lexer, const Token* next);
void ExplainMultipleStatements(const Lexer& lexer, const Token* next, Diagnostic* error);

}  // namespace minivm
