// From a failed parse to a diagnostic: two passes of the error grammar, then the
// lexer's later errors, which win over mistakes of grammar.
#include "vm/syntax/syntax_error.h"

#include <algorithm>

#include "vm/syntax/char_class.h"
#include "vm/syntax/peg_machine.h"
#include "vm/syntax/source_decode.h"

namespace minivm {
namespace {

// Turns faults into diagnostics: finds the text shown and counts characters.
class FaultFormatter {
 public:
  explicit FaultFormatter(const Lexer& lexer) : lexer_(lexer), source_(lexer.source()) {}

  // `lexer_line` is the line that the lexer had reached.
  void Format(const Fault& fault, uint32_t lexer_line, Diagnostic* out) const {
    out->kind = fault.kind;
    out->message = fault.message;
    if (fault.kind == DiagnosticKind::kMemory) {
      out->message = "Parser stack overflowed - Python source too complex to parse";
      out->has_location = out->has_text = false;
      return;
    }
    out->lineno = fault.lineno;
    out->end_lineno = fault.end_lineno;
    if (fault.from_lexer) {
      const LexError& error = lexer_.error();
      out->offset = error.offset;
      out->end_offset = error.end_offset;
      out->text = ReplaceInvalidUtf8(Line(error.line_start, false));
      return;
    }
    if (lexer_line <= fault.lineno) {
      // What the lexer holds: its line, with those before it that are joined to it.
      uint32_t last = lexer_line;
      if (fault.kind == DiagnosticKind::kIncompleteInput && lexer_.error().stop_line > last) {
        last = lexer_.error().stop_line;  // an unterminated string was read further
      }
      uint32_t first = last;
      const MeteredVector<uint32_t>& joined = lexer_.joined_lines();
      size_t i = joined.size();
      while (i > 0 && joined[i - 1] > last) i--;
      while (i > 0 && joined[i - 1] == first) first--, i--;
      const uint32_t start = lexer_.line_starts()[first];
      out->text.assign(source_.data + start, lexer_.line_starts()[last] - start);
      out->text += Line(lexer_.line_starts()[last], true);
    } else {
      out->text = Line(lexer_.line_starts()[static_cast<size_t>(fault.lineno)], false);
    }
    out->text = ReplaceInvalidUtf8(out->text);  // before counting, as CPython does
    out->offset = Characters(out->text, fault.column);
    out->end_offset =
        fault.end_column > 0 ? Characters(out->text, fault.end_column) : fault.end_column;
  }

 private:
  std::string Line(uint32_t start, bool with_newline) const {
    uint32_t end = start;
    while (end < source_.size && source_.data[end] != '\n') end++;
    if (with_newline && end < source_.size) end++;
    return std::string(source_.data + start, source_.data + end);
  }

  // How many characters begin in the first `bytes` bytes; one byte past the end counts.
  static int64_t Characters(const std::string& text, int64_t bytes) {
    const auto size = static_cast<int64_t>(text.size());
    if (bytes <= size) return CountChars(text.data(), text.data() + std::max<int64_t>(bytes, 0));
    return CountChars(text.data(), text.data() + size) + 1;
  }

  const Lexer& lexer_;
  SourceBuffer source_;
};

// The line that the lexer has reached when `token` is the last one read.
uint32_t LexerLine(const Token& token) {
  const bool multiline = token.kind == Tok::kString || token.kind == Tok::kFStringMiddle;
  return multiline ? token.end_lineno : token.lineno;
}

// Whether the lexer has seen the end of the source when `last` is the last token read: most
// tokens end where the next character says so.
bool ReachesEnd(const Lexer& lexer, const Token& last) {
  switch (last.kind) {
    case Tok::kEndMarker: return true;
    case Tok::kError: return lexer.error().at_eof;
    case Tok::kFStringMiddle:
    case Tok::kFStringEnd:
    case Tok::kEllipsis:
    case Tok::kDoubleStarEqual:
    case Tok::kDoubleSlashEqual:
    case Tok::kLeftShiftEqual:
    case Tok::kRightShiftEqual: return false;
    case Tok::kString:  // after "" comes a look for a third quote
      return last.end == lexer.source().size && last.end - last.start == last.prefix_size + 2u;
    case Tok::kFStringStart: return last.end == lexer.source().size && last.quote_size == 1;
    case Tok::kColon: return last.end == lexer.source().size && !lexer.error().in_fstring;
    case Tok::kNewline: return (last.flags & Token::kNoPosition) != 0;
    default: return last.end == lexer.source().size;
  }
}

// Whether a valid statement before `end` looks like a mistake to the second pass: `match -x` as a
// match statement without a colon, `print -x` as a print statement, the default in
// `type X[T=int] = T` as an assignment in a subscript.
bool HasLookalikes(const Token* begin, const Token* end) {
  for (const Token* t = begin; t < end; t++) {
    if (t->kind != Tok::kName) continue;
    const std::string_view name = t->ident->view();
    if (name == "print" || name == "exec") {
      if (t[1].kind == Tok::kMinus || t[1].kind == Tok::kPlus || t[1].kind == Tok::kStar ||
          t[1].kind == Tok::kLSqb) {
        return true;
      }
    } else if (name == "type") {
      if (t[1].kind == Tok::kName && t[2].kind == Tok::kLSqb) return true;
    } else if (name == "match") {
      const bool starts = t == begin || t[-1].kind == Tok::kNewline || t[-1].kind == Tok::kColon ||
                          t[-1].kind == Tok::kIndent || t[-1].kind == Tok::kDedent ||
                          t[-1].kind == Tok::kSemi;
      if (starts && t[1].kind != Tok::kEqual && t[1].kind != Tok::kDot) return true;
    }
  }
  return false;
}

// The parser ran out of stack. Brackets nested too deeply are the lexer's to report, though.
void Overflow(const Lexer& lexer, Diagnostic* error) {
  Fault fault;
  if (lexer.error().kind == LexError::Kind::kSyntax) {
    fault.from_lexer = true;
    fault.message = lexer.error().message;
    fault.lineno = fault.end_lineno = lexer.error().lineno;
  } else {
    fault.kind = DiagnosticKind::kMemory;
  }
  FaultFormatter(lexer).Format(fault, lexer.error().lineno, error);
}

}  // namespace

void ExplainSyntaxError(Lexer& lexer, const ParseOptions& options, Parser& parser,
                        Diagnostic* error) {
  *error = {};
  if (parser.overflowed()) return Overflow(lexer, error);
  const Token* const tokens = lexer.tokens();
  if (!parser.feature_error().empty()) {
    PegMachine machine(ErrorGrammar(), lexer, parser, options);
    machine.set_fetched(static_cast<uint32_t>(parser.feature_token() - tokens) + 1);
    machine.RaiseAtLast(DiagnosticKind::kSyntax, parser.feature_error());
    return FaultFormatter(lexer).Format(machine.fault(), LexerLine(*parser.feature_token()), error);
  }
  const auto furthest = static_cast<uint32_t>(parser.position() - tokens);
  PegMachine machine(ErrorGrammar(), lexer, parser, options);
  const FaultFormatter formatter(lexer);

  std::string_view rule = "file";
  uint32_t start = 0;
  switch (options.mode) {
    case ParseMode::kExec:
      // What comes before the statement at fault is known to be right.
      if (!HasLookalikes(tokens, parser.statement_start())) {
        start = static_cast<uint32_t>(parser.statement_start() - tokens);
      }
      if (!HasLookalikes(tokens + start, tokens + furthest)) {
        machine.set_valid_statements(parser.FindValidStatements());
      }
      break;
    case ParseMode::kSingle: rule = "interactive"; break;
    case ParseMode::kEval: rule = "eval"; break;
    case ParseMode::kFuncType: rule = "func_type"; break;
  }
  using Outcome = PegMachine::Outcome;
  const Outcome outcome = machine.Run(rule, start, false);
  if (outcome == Outcome::kMatched && machine.fetched() <= furthest) {
    machine.set_fetched(furthest + 1);
  }
  const uint32_t last_token = machine.fetched() - 1;
  const Token& last = tokens[last_token];
  error->incomplete = ReachesEnd(lexer, last);
  if (error->incomplete && options.allow_incomplete_input) {
    machine.RaiseAtLast(DiagnosticKind::kIncompleteInput, "incomplete input");
    formatter.Format(machine.fault(), LexerLine(last), error);
    return;
  }
  Fault fault;
  bool have_fault = outcome == Outcome::kRaised;
  if (have_fault) fault = machine.fault();
  if (have_fault && fault.kind == DiagnosticKind::kMemory) return Overflow(lexer, error);
  uint32_t fault_line = LexerLine(tokens[machine.fetched() - 1]);

  // The first pass's own errors stand; else the mistakes are looked for.
  if (!have_fault && machine.Run(rule, start, true) == Outcome::kRaised) {
    fault = machine.fault();
    have_fault = true;
    fault_line = LexerLine(tokens[machine.fetched() - 1]);
  }
  if (have_fault && fault.kind == DiagnosticKind::kMemory) return Overflow(lexer, error);
  // Later errors of the lexer count unless it had got to its end already.
  const bool lexer_done =
      machine.read_error() || (have_fault && ReachesEnd(lexer, tokens[machine.fetched() - 1]));
  if (!have_fault) {
    if (last.kind == Tok::kIndent || last.kind == Tok::kDedent) {
      const uint32_t fetched = machine.fetched();
      machine.RaiseAtLast(DiagnosticKind::kIndentation,
                          last.kind == Tok::kIndent ? "unexpected indent" : "unexpected unindent");
      fault = machine.fault();
      fault_line = LexerLine(tokens[fetched - 1]);
      formatter.Format(fault, fault_line, error);
      return;
    }
    machine.RaiseAtToken(&last, "invalid syntax");
    fault = machine.fault();
    fault_line = LexerLine(tokens[machine.fetched() - 1]);
  }
  // An error of the lexer further on is the better explanation.
  if (!lexer_done && lexer.error().kind != LexError::Kind::kNone) {
    const Token& current = tokens[machine.fetched() - 1];
    if (lexer.error().kind == LexError::Kind::kSyntax) {
      // One inside an f-string is not noticed.
      if (!lexer.error().in_fstring) {
        machine.RaiseLexError();
        fault = machine.fault();
      }
    } else if (!lexer.error().in_fstring && !lexer.open_brackets().empty() &&
               current.lineno > lexer.open_brackets().back().lineno) {
      machine.RaiseUnclosed(lexer.open_brackets().back());
      fault = machine.fault();
      fault_line = lexer.error().lineno;
    }
  }
  formatter.Format(fault, fault_line, error);
}

bool IsMultipleStatements(const Lexer& lexer, const Token* next) {
  // The text after what was parsed, blanks and comments aside.
  const SourceBuffer source = lexer.source();
  const char* p = source.data + next[-1].end;
  for (;; p++) {
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\f') p++;
    if (*p == '\0') return false;
    if (*p != '#') return true;
    while (*p != '\0' && *p != '\n') p++;
    if (*p == '\0') return false;
  }
}

void ExplainMultipleStatements(const Lexer& lexer, const Token* next, Diagnostic* error) {
  *error = {};
  Fault fault;
  const Token* last = next - 1;
  fault.message = "multiple statements found while compiling a single statement";
  fault.lineno = fault.end_lineno = last->lineno;
  const uint32_t line_start = lexer.line_starts()[last->lineno];
  fault.column = last->start - line_start + 1;
  fault.end_column = last->end - line_start + 1 + (last->kind == Tok::kNewline);
  if ((last->flags & Token::kNoPosition) != 0) {
    fault.column = last->start - line_start;
    fault.end_column = -1;
  }
  FaultFormatter(lexer).Format(fault, last->lineno, error);
}

}  // namespace minivm
