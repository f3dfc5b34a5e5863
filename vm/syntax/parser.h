// The front end's entry points: source text in, tree or one diagnostic out.
//
// Nothing here knows of objects, exceptions or I/O; the caller turns a
// Diagnostic into a SyntaxError (or one of its kin) and Warnings into warnings.
// Decoding bytes (BOM, PEP 263 cookie) is DecodeSource() in source_decode.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/arena.h"
#include "vm/syntax/ast.h"

namespace minivm {

enum class ParseMode : uint8_t {
  kExec,     // a module
  kEval,     // one expression
  kSingle,   // one interactive statement
  kFuncType  // a PEP 484 signature comment: (int, str) -> bool
};

// What nesting as deep as CPython's takes; frames are larger where a sanitizer watches them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr uint32_t kParserStackBytes = 1536 * 1024;
#else
inline constexpr uint32_t kParserStackBytes = 176 * 1024;
#endif

struct ParseOptions {
  ParseMode mode = ParseMode::kExec;
  std::string_view filename = "<string>";
  // The end of the source is the end of what was typed so far: it does not close an indented
  // block (codeop.PyCF_DONT_IMPLY_DEDENT).
  bool dont_imply_dedent = false;
  // An error because the source ended too early is reported as kIncompleteInput
  // (codeop.PyCF_ALLOW_INCOMPLETE_INPUT). Diagnostic::incomplete is set either way.
  bool allow_incomplete_input = false;
  bool barry_as_flufl = false;  // `<>` instead of `!=`
  bool type_comments = false;
  int feature_version = 13;            // minor version whose grammar is accepted
  uint32_t int_max_str_digits = 4300;  // 0 = no limit for decimal literals
  // The source holds invalid UTF-8 (DecodedSource::invalid_utf8), an error in names and strings.
  bool invalid_utf8 = false;
  // C stack that parsing may use; running out of it is a kMemory diagnostic.
  uint32_t max_stack_bytes = kParserStackBytes;
};

enum class DiagnosticKind : uint8_t {
  kSyntax,           // SyntaxError
  kIndentation,      // IndentationError
  kTab,              // TabError
  kIncompleteInput,  // _IncompleteInputError, only with allow_incomplete_input
  kMemory,           // MemoryError: nested too deeply, or the arena is full
  kUnicode,          // UnicodeDecodeError that CPython lets through as such
  kValue             // ValueError
};

struct Diagnostic {
  DiagnosticKind kind = DiagnosticKind::kSyntax;
  std::string message;
  // As SyntaxError's attributes: offsets count characters from 1; -1 or 0 as CPython has them.
  // has_location is false when the exception carries no location at all (args == (msg,)).
  bool has_location = true;
  int64_t lineno = 0;
  int64_t offset = 0;
  int64_t end_lineno = 0;
  int64_t end_offset = 0;
  bool has_end = true;   // false: end_lineno and end_offset are None
  bool has_text = true;  // false: text is None
  std::string text;      // the source line, with its newline if CPython's has it
  // More input could make the source valid: an open bracket or block, an unterminated
  // triple-quoted string, a trailing backslash.
  bool incomplete = false;
};

enum class WarningKind : uint8_t { kSyntax, kDeprecation };

// A SyntaxWarning. If it is turned into an error CPython raises SyntaxError with the same
// message at the same place.
struct Warning {
  WarningKind kind = WarningKind::kSyntax;
  std::string message;
  uint32_t lineno = 0;
  uint32_t offset = 0;  // character offset from 1
  uint32_t end_lineno = 0;
  uint32_t end_offset = 0;
};

// Parses `source` (valid UTF-8 but for invalid_utf8, any newline convention, NULs are diagnosed)
// into `arena`. Returns null and fills *error when it is not valid. `warnings` may be null. Never
// throws; safe to call from several threads with different arenas.
Mod* Parse(Arena& arena, std::string_view source, const ParseOptions& options, Diagnostic* error,
           std::vector<Warning>* warnings);

}  // namespace minivm
