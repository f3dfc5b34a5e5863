// String atoms: adjacent literals joined, f-strings taken apart.
//
// Bytes join bytes and str joins str; as soon as one part is an f-string the
// result is a JoinedStr in which neighbouring pieces of text are one Constant
// and empty ones vanish.
#include <string>

#include "vm/syntax/char_class.h"
#include "vm/syntax/literal.h"
#include "vm/syntax/parser_impl.h"
#include "vm/syntax/source_decode.h"

namespace minivm {

bool Parser::FailLiteral(std::string message, const Token* token, bool whole_token) {
  if (literal_error_.message.empty()) {
    literal_error_ = {std::move(message), token, whole_token};
  }
  return false;
}

bool Parser::CheckLiteral(const Token* token, LiteralError* error) {
  literal_error_ = {};
  std::string_view text;
  switch (token->kind) {
    case Tok::kString:
      DecodeToken(token, token->start + token->prefix_size + token->quote_size,
                  token->end - token->quote_size, &text);
      break;
    case Tok::kFStringMiddle: DecodeToken(token, token->start, token->end, &text); break;
    default:
      Seek(token);
      ParseNumberAtom();
      break;
  }
  if (literal_error_.message.empty()) return true;
  *error = std::move(literal_error_);
  literal_error_ = {};
  return false;
}

void Parser::WarnEscape(const Token* t, std::string message, bool at_end) {
  // Backtracking may read a literal twice.
  if (warnings_ == nullptr || (last_warned_ != nullptr && t <= last_warned_)) return;
  last_warned_ = t;
  Warning warning;
  warning.message = std::move(message);
  PlaceWarning(t, &warning);
  if (at_end) {
    warning.lineno = warning.end_lineno;
    warning.offset = warning.end_offset;
  } else if (t->kind == Tok::kFStringMiddle && (t->flags & Token::kInSpec) == 0) {
    fstring_warnings_.push_back(static_cast<uint32_t>(warnings_->size()));
  }
  warnings_->push_back(std::move(warning));
}

// Characters from 1; a range over several lines is cut at the end of the first, as CPython does.
void Parser::PlaceWarning(const Token* t, Warning* warning) const {
  const char* const line = source_ + lines_[t->lineno];
  warning->lineno = t->lineno;
  warning->end_lineno = EndLine(t);
  warning->offset = static_cast<uint32_t>(CountChars(line, source_ + t->start) + 1);
  const char* const end_line = source_ + lines_[warning->end_lineno];
  warning->end_offset = static_cast<uint32_t>(CountChars(end_line, source_ + t->end) + 1);
  if (warning->end_lineno != warning->lineno) {
    const char* end = line;
    while (*end != '\n' && *end != '\0') end++;
    const auto limit = static_cast<uint32_t>(CountChars(line, end) + 1);
    if (warning->end_offset > limit) warning->end_offset = limit;
  }
}

// Decodes the escapes of source bytes [start, end), which belong to token t.
bool Parser::DecodeToken(const Token* t, uint32_t start, uint32_t end, std::string_view* out) {
  const std::string_view body(source_ + start, end - start);
  const bool raw = (t->flags & Token::kRaw) != 0;
  const bool bytes = (t->flags & Token::kBytes) != 0;
  if (bytes) {
    for (char c : body) {
      if (static_cast<uint8_t>(c) >= 0x80) {
        return FailLiteral("bytes can only contain ASCII literal characters", t);
      }
    }
  }
  if (options_.invalid_utf8 && !bytes) {
    const std::string invalid = DescribeInvalidUtf8(body);
    if (!invalid.empty()) return FailLiteral("(unicode error) " + invalid);
  }
  DecodedString decoded = DecodeString(arena_, body, raw, bytes);
  if (!decoded.ok) return FailLiteral(std::move(decoded.error));
  if (decoded.invalid_escape >= 0) {
    WarnEscape(t, InvalidEscapeMessage(body, static_cast<size_t>(decoded.invalid_escape)), false);
  }
  if (t->kind == Tok::kFStringMiddle && !raw && !body.empty() && body.back() == '\\' &&
      (source_[end] == '{' || source_[end] == '}')) {
    size_t backslashes = 0;
    while (backslashes < body.size() && body[body.size() - 1 - backslashes] == '\\') backslashes++;
    if (backslashes % 2 == 1) {
      WarnEscape(t, std::string("invalid escape sequence '\\") + source_[end] + "'", true);
    }
  }
  *out = decoded.text;
  return true;
}

Expr* Parser::ParseStrings() {
  const Token* const start = cur_;
  if (MVM_UNLIKELY(!At(Tok::kString) || cur_[1].kind == Tok::kString ||
                   cur_[1].kind == Tok::kFStringStart)) {
    return ParseMixedStrings();
  }
  std::string_view text;
  cur_++;
  if (!DecodeToken(start, start->start + start->prefix_size + start->quote_size,
                   start->end - start->quote_size, &text)) {
    return nullptr;
  }
  auto* node = New<ConstantExpr>(ExprKind::kConstant, start);
  node->value = {};
  node->value.kind = start->flags & Token::kBytes ? ConstantKind::kBytes : ConstantKind::kStr;
  node->value.u_prefix = (start->flags & Token::kUnicode) != 0;
  node->value.text = text;
  return node;
}

// Makes one constant of each run of them in scratch_[mark...]; returns the depth of the deepest
// piece that is left.
uint32_t Parser::JoinConstants(size_t mark, bool drop_empty) {
  size_t out = mark;
  uint32_t depth = 0;
  for (size_t i = mark; i < scratch_.size();) {
    Expr* first = static_cast<Expr*>(scratch_[i]);
    if (first->kind != ExprKind::kConstant) {
      if (first->depth > depth) depth = first->depth;
      scratch_[out++] = first;
      i++;
      continue;
    }
    size_t end = i;
    size_t size = 0;
    while (end < scratch_.size() &&
           static_cast<Expr*>(scratch_[end])->kind == ExprKind::kConstant) {
      size += static_cast<ConstantExpr*>(scratch_[end++])->value.text.size();
    }
    auto* joined = static_cast<ConstantExpr*>(first);
    if (end - i > 1) {
      char* text = static_cast<char*>(arena_.Allocate(size));
      char* p = text;
      for (size_t k = i; k < end; k++) {
        const std::string_view piece = static_cast<ConstantExpr*>(scratch_[k])->value.text;
        if (!piece.empty()) std::memcpy(p, piece.data(), piece.size());
        p += piece.size();
      }
      joined->value.text = {text, size};
      const Location& last = static_cast<Expr*>(scratch_[end - 1])->loc;
      joined->loc.end_lineno = last.end_lineno;
      joined->loc.end_col_offset = last.end_col_offset;
    }
    i = end;
    if (size == 0 && drop_empty) continue;
    scratch_[out++] = joined;
    if (depth == 0) depth = 1;
  }
  scratch_.resize(out);
  return depth;
}

Expr* Parser::ParseMixedStrings() {
  if (StackLow()) return nullptr;
  const Token* const start = cur_;
  const bool bytes = (start->flags & Token::kBytes) != 0;
  bool has_bytes = false, has_text = false, has_fstring = false;
  const size_t mark = scratch_.size();
  for (;;) {
    if (At(Tok::kString)) {
      (cur_->flags & Token::kBytes ? has_bytes : has_text) = true;
      const Token* const t = cur_++;
      std::string_view text;
      if (!DecodeToken(t, t->start + t->prefix_size + t->quote_size, t->end - t->quote_size,
                       &text)) {
        return nullptr;
      }
      auto* piece = New<ConstantExpr>(ExprKind::kConstant, t);
      piece->value = {};
      piece->value.kind = bytes ? ConstantKind::kBytes : ConstantKind::kStr;
      piece->value.u_prefix = (t->flags & Token::kUnicode) != 0;
      piece->value.text = text;
      PushScratch(piece);
    } else if (At(Tok::kFStringStart)) {
      has_text = has_fstring = true;
      if (!AppendFString()) return nullptr;
    } else {
      break;
    }
  }
  if (has_bytes && has_text) return nullptr;
  const uint32_t depth = JoinConstants(mark, has_fstring);
  if (!has_fstring) {
    Expr* result = static_cast<Expr*>(scratch_[mark]);
    scratch_.resize(mark);
    return result;
  }
  auto* node = New<JoinedStrExpr>(ExprKind::kJoinedStr, start);
  node->values = Take<Expr*>(mark);
  node->depth = depth + 1;
  return node;
}

// Pushes the pieces of one f-string on scratch_.
bool Parser::AppendFString() {
  cur_++;
  const size_t first_warning = fstring_warnings_.size();
  for (;;) {
    if (At(Tok::kFStringMiddle)) {
      const Token* const t = cur_++;
      std::string_view text;
      if (!DecodeToken(t, t->start, t->end, &text)) return false;
      auto* piece = New<ConstantExpr>(ExprKind::kConstant, t);
      piece->value = {};
      piece->value.kind = ConstantKind::kStr;
      piece->value.text = text;
      if (t->flags & Token::kDoubledBrace) piece->loc.end_col_offset++;
      PushScratch(piece);
    } else if (At(Tok::kLBrace)) {
      if (!AppendReplacement()) return false;
    } else {
      if (!At(Tok::kFStringEnd)) return false;
      // Its texts are decoded when it ends, and warned about there.
      for (size_t i = first_warning; i < fstring_warnings_.size(); i++) {
        PlaceWarning(cur_, &(*warnings_)[fstring_warnings_[i]]);
      }
      fstring_warnings_.resize(first_warning);
      cur_++;
      return true;
    }
  }
}

// Pushes a replacement field: {expression = !r :spec}.
bool Parser::AppendReplacement() {
  const Token* const open = cur_++;
  Expr* value = ParseYieldOrStarExpressions();
  if (value == nullptr) return false;
  const bool debug = Accept(Tok::kEqual);
  const Token* const after_expression = cur_;
  int conversion = -1;
  if (Accept(Tok::kExclamation)) {
    if (!At(Tok::kName) || cur_->start != cur_[-1].end) return false;
    const std::string_view name = cur_->ident->view();
    if (name != "s" && name != "r" && name != "a") return false;
    conversion = name[0];
    cur_++;
  }
  Expr* spec = nullptr;
  if (At(Tok::kColon) && (spec = ParseFormatSpec()) == nullptr) return false;
  if (!Accept(Tok::kRBrace)) return false;
  if (debug) {
    // The text from the brace to what follows the "=", comments left out.
    const std::string_view source(source_ + open->end, after_expression->start - open->end);
    std::string_view text = source;
    if (source.find('#') != std::string_view::npos) {
      char* out = static_cast<char*>(arena_.Allocate(source.size()));
      size_t size = 0;
      char quote = '\0';
      for (size_t i = 0; i < source.size(); i++) {
        const char c = source[i];
        if (quote == '\0' && c == '#') {
          while (i < source.size() && source[i] != '\n') i++;
          if (i < source.size()) out[size++] = '\n';
          continue;
        }
        if (c == '"' || c == '\'') quote = quote == '\0' ? c : quote == c ? '\0' : quote;
        out[size++] = c;
      }
      text = {out, size};
    }
    auto* constant = New<ConstantExpr>(ExprKind::kConstant, open);
    constant->value = {};
    constant->value.kind = ConstantKind::kStr;
    constant->value.text = text;
    constant->loc.col_offset++;
    const uint32_t end_line = after_expression->lineno;
    constant->loc.end_lineno = end_line;
    constant->loc.end_col_offset = after_expression->start - lines_[end_line];
    PushScratch(constant);
    if (conversion < 0 && spec == nullptr) conversion = 'r';
  }
  auto* node = New<FormattedValueExpr>(ExprKind::kFormattedValue, open);
  node->value = value;
  node->conversion = conversion;
  node->format_spec = spec;
  Deepen(node, value);
  Deepen(node, spec);
  PushScratch(node);
  return true;
}

// ":" and what follows, up to the closing brace: a JoinedStr.
Expr* Parser::ParseFormatSpec() {
  if (StackLow()) return nullptr;
  const Token* const start = cur_++;
  const size_t mark = scratch_.size();
  for (;;) {
    if (At(Tok::kFStringMiddle)) {
      const Token* const t = cur_++;
      std::string_view text;
      if (!DecodeToken(t, t->start, t->end, &text)) return nullptr;
      auto* piece = New<ConstantExpr>(ExprKind::kConstant, t);
      piece->value = {};
      piece->value.kind = ConstantKind::kStr;
      piece->value.text = text;
      PushScratch(piece);
    } else if (At(Tok::kLBrace)) {
      if (!AppendReplacement()) return nullptr;
    } else {
      break;
    }
  }
  const uint32_t depth = JoinConstants(mark, true);
  auto* node = New<JoinedStrExpr>(ExprKind::kJoinedStr, start);
  node->values = Take<Expr*>(mark);
  node->depth = depth + 1;
  return node;
}

}  // namespace minivm
