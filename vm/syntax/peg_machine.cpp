// The parsing machine: its loop, its memory, and where errors are placed.
#include "vm/syntax/peg_machine.h"

namespace minivm {

PegMachine::PegMachine(const PegGrammar& grammar, Lexer& lexer, Parser& parser,
                       const ParseOptions& options)
    : grammar_(grammar),
      lexer_(lexer),
      parser_(parser),
      options_(options),
      tokens_(lexer.tokens()),
      token_count_(lexer.token_count()),
      source_(lexer.source().data),
      lines_(lexer.line_starts().data()),
      frames_(lexer.arena()),
      choices_(lexer.arena()),
      memo_keys_(lexer.arena()),
      memo_values_(lexer.arena()),
      levels_(lexer.arena()) {}

uint64_t PegMachine::MemoKey(uint16_t rule, uint32_t position, bool mistakes) const {
  const bool flag = mistakes && !grammar_.rules[rule].shared_memo;
  return (uint64_t{position} + 1) << 16 | uint64_t{rule} << 1 | flag;
}

uint32_t* PegMachine::MemoFind(uint64_t key) {
  const size_t mask = memo_keys_.size() - 1;
  for (size_t slot = key * 0x9E3779B97F4A7C15u >> 20 & mask;; slot = (slot + 1) & mask) {
    if (memo_keys_[slot] == key) return &memo_values_[slot];
    if (memo_keys_[slot] == 0) return nullptr;
  }
}

void PegMachine::MemoStore(uint64_t key, uint32_t end) {
  if (memo_count_ * 2 >= memo_keys_.size()) {
    if (memo_count_ >= kMaxMemo) return;  // slower, but kMaxSteps bounds that
    const MeteredVector<uint64_t> keys = std::move(memo_keys_);
    const MeteredVector<uint32_t> values = std::move(memo_values_);
    memo_keys_.assign(keys.size() * 2, 0);
    memo_values_.assign(keys.size() * 2, 0);
    memo_count_ = 0;
    for (size_t i = 0; i < keys.size(); i++) {
      if (keys[i] != 0) MemoStore(keys[i], values[i]);
    }
  }
  const size_t mask = memo_keys_.size() - 1;
  size_t slot = key * 0x9E3779B97F4A7C15u >> 20 & mask;
  while (memo_keys_[slot] != 0 && memo_keys_[slot] != key) slot = (slot + 1) & mask;
  if (memo_keys_[slot] == 0) memo_count_++;
  memo_keys_[slot] = key;
  memo_values_[slot] = end;
}

// How many brackets are open after a token.
uint8_t PegMachine::Level(uint32_t token) {
  while (levels_.size() <= token - first_token_) {
    switch (At(first_token_ + static_cast<uint32_t>(levels_.size()))->kind) {
      case Tok::kLPar:
      case Tok::kLSqb:
      case Tok::kLBrace: level_++; break;
      case Tok::kRPar:
      case Tok::kRSqb:
      case Tok::kRBrace: level_--; break;
      default: break;
    }
    levels_.push_back(static_cast<uint8_t>(level_));
  }
  return levels_[token - first_token_];
}

bool PegMachine::Fetch(uint32_t position) {
  if (position < fetched_) return true;
  fetched_ = position + 1;
  if (At(position)->kind != Tok::kError) return true;
  read_error_ = true;
  RaiseLexError();
  return false;
}

// Goes back to the last choice; what was called since has failed. False: nothing is left to try.
bool PegMachine::Fail() {
  if (choices_.empty()) return false;
  const Choice choice = choices_.back();
  choices_.pop_back();
  while (frames_.size() > choice.depth) {
    const Frame& frame = frames_.back();
    MemoStore(MemoKey(frame.rule, frame.start, frame.mistakes), kMemoFail);
    frames_.pop_back();
  }
  position_ = choice.position;
  mistakes_ = choice.mistakes;
  pc_ = choice.to;
  return true;
}

// Gives up the current rule with all its alternatives.
void PegMachine::FailRule() {
  while (!choices_.empty() && choices_.back().depth >= frames_.size()) choices_.pop_back();
}

PegMachine::Outcome PegMachine::Run(std::string_view rule, uint32_t start, bool look_for_mistakes) {
  if (fetched_ < start) fetched_ = start;
  first_token_ = start;
  levels_.clear();
  level_ = 0;
  frames_.clear();
  choices_.clear();
  memo_keys_.assign(1024, 0);
  memo_values_.assign(1024, 0);
  memo_count_ = 0;
  raised_ = false;
  mistakes_ = look_for_mistakes;
  position_ = start;
  const uint16_t statement_rule = grammar_.RuleOf("statement");
  for (const Parser::StatementRange& range : valid_statements_) {
    MemoStore(MemoKey(statement_rule, range.begin, look_for_mistakes), range.end);
  }
  const uint16_t start_rule = grammar_.RuleOf(rule);
  frames_.push_back({0, start, start_rule, mistakes_, {}});
  pc_ = grammar_.rules[start_rule].entry;
  for (uint64_t step = 0; step < kMaxSteps; step++) {
    const PegInstruction in = grammar_.code[pc_++];
    bool ok = true;
    switch (in.op) {
      case PegOp::kNop: break;
      case PegOp::kFail: ok = false; break;
      case PegOp::kToken:
        if (!Fetch(position_)) return Outcome::kRaised;
        ok = At(position_)->kind == static_cast<Tok>(in.a);
        position_ += ok;
        break;
      case PegOp::kSoftKeyword:
        if (!Fetch(position_)) return Outcome::kRaised;
        ok = At(position_)->kind == Tok::kName &&
             At(position_)->ident->view() == grammar_.messages[in.b];
        position_ += ok;
        break;
      case PegOp::kAnySoftKeyword: {
        if (!Fetch(position_)) return Outcome::kRaised;
        const Token* t = At(position_);
        ok = false;
        if (t->kind == Tok::kName) {
          // As CPython compares: the beginning of a soft keyword will do.
          const std::string_view name = t->ident->view();
          for (std::string_view keyword : {"match", "case", "type", "_"}) {
            ok = ok || keyword.starts_with(name);
          }
        }
        position_ += ok;
        break;
      }
      case PegOp::kForce:
        if (!Fetch(position_)) return Outcome::kRaised;
        ok = At(position_)->kind == static_cast<Tok>(in.a);
        if (!ok && look_for_mistakes) {
          RaiseExpected(At(position_), static_cast<Tok>(in.a));
          return Outcome::kRaised;
        }
        position_ += ok;
        break;
      case PegOp::kCall: {
        const auto called = static_cast<uint16_t>(in.b);
        if (!grammar_.rules[called].any_first) {
          if (!Fetch(position_)) return Outcome::kRaised;
          ok = grammar_.rules[called].CanBeginWith(At(position_)->kind);
          if (!ok) break;
        }
        if (const uint32_t* known = MemoFind(MemoKey(called, position_, mistakes_))) {
          ok = *known != kMemoFail;
          if (ok) position_ = *known;
          break;
        }
        if (frames_.size() >= kMaxDepth) {
          fault_ = {};
          fault_.kind = DiagnosticKind::kMemory;
          return Outcome::kRaised;
        }
        frames_.push_back({pc_, position_, called, mistakes_, {}});
        pc_ = grammar_.rules[called].entry;
        break;
      }
      case PegOp::kReturn: {
        const Frame& frame = frames_.back();
        mistakes_ = frame.mistakes;
        MemoStore(MemoKey(frame.rule, frame.start, frame.mistakes), position_);
        pc_ = frame.return_to;
        frames_.pop_back();
        if (frames_.empty()) return Outcome::kMatched;
        break;
      }
      case PegOp::kChoice:
        choices_.push_back({in.b, position_, static_cast<uint32_t>(frames_.size()), mistakes_});
        break;
      case PegOp::kCommit:
        choices_.pop_back();
        pc_ = in.b;
        break;
      case PegOp::kBackCommit:
        position_ = choices_.back().position;
        choices_.pop_back();
        pc_ = in.b;
        break;
      case PegOp::kFailTwice:
        choices_.pop_back();
        ok = false;
        break;
      case PegOp::kCut:
        if (!choices_.empty() && choices_.back().depth == frames_.size()) choices_.back().to = 0;
        break;
      case PegOp::kQuiet: mistakes_ = false; break;
      case PegOp::kIfInvalid: ok = mistakes_; break;
      case PegOp::kCaptureBegin: frames_.back().captures[in.a].start = position_; break;
      case PegOp::kCaptureEnd: frames_.back().captures[in.a].end = position_; break;
      case PegOp::kRaise: {
        const Capture* captures = frames_.back().captures;
        Raise(static_cast<char>(in.a), grammar_.messages[in.b >> 4], captures[in.b >> 2 & 3],
              captures[in.b & 3]);
        if (raised_) return Outcome::kRaised;
        ok = false;
        break;
      }
      case PegOp::kHook:
        if (Hook(grammar_.messages[in.b], frames_.back().captures) == HookResult::kFail) {
          FailRule();
          ok = false;
        }
        if (raised_) return Outcome::kRaised;
        break;
    }
    if (!ok && !Fail()) return Outcome::kFailed;
  }
  return Outcome::kFailed;
}

// ---------------------------------------------------------------- placing errors

void PegMachine::RaiseAtLast(DiagnosticKind kind, std::string message) {
  const Token* last = At(fetched_ - 1);
  if (kind != DiagnosticKind::kIncompleteInput && last->kind == Tok::kError &&
      lexer_.error().kind == LexError::Kind::kEof) {
    return RaiseLexError();
  }
  raised_ = true;
  fault_ = {};
  fault_.kind = kind;
  fault_.message = std::move(message);
  const bool no_position = (last->flags & Token::kNoPosition) != 0;
  fault_.lineno = last->lineno;
  const bool multiline = last->kind == Tok::kString || last->kind == Tok::kFStringMiddle;
  fault_.end_lineno = multiline ? last->end_lineno : last->lineno;
  if (no_position) {
    // The column is where the lexer stands.
    fault_.column = last->start - lines_[last->lineno];
    fault_.end_column = -1;
  } else {
    fault_.column = last->start - lines_[last->lineno] + 1;
    fault_.end_column = last->end - lines_[fault_.end_lineno] + 1;
    if (last->kind == Tok::kNewline) fault_.end_column++;
  }
}

void PegMachine::RaiseAtToken(const Token* token, std::string message) {
  RaiseRange(token, token, std::move(message));
}

void PegMachine::RaiseRange(const Token* first, const Token* last, std::string message) {
  raised_ = true;
  fault_ = {};
  fault_.message = std::move(message);
  fault_.lineno = first->lineno;
  const bool multiline = last->kind == Tok::kString || last->kind == Tok::kFStringMiddle;
  fault_.end_lineno = multiline ? last->end_lineno : last->lineno;
  if ((first->flags & Token::kNoPosition) != 0) return;  // both columns are 0
  fault_.column = first->start - lines_[first->lineno] + 1;
  fault_.end_column = last->end - lines_[fault_.end_lineno] + 1;
  if (last->kind == Tok::kNewline) fault_.end_column++;
}

void PegMachine::RaiseLocation(const Location& start, const Location& end, std::string message) {
  raised_ = true;
  fault_ = {};
  fault_.message = std::move(message);
  fault_.lineno = start.lineno;
  fault_.column = start.col_offset + 1;
  fault_.end_lineno = end.end_lineno;
  fault_.end_column = end.end_col_offset + 1;
}

// From a token to where the lexer stands.
void PegMachine::RaiseFrom(const Token* first, std::string message) {
  const Token* last = At(fetched_ - 1);
  RaiseRange(first, last, std::move(message));
  const bool newline = last->kind == Tok::kNewline && (last->flags & Token::kNoPosition) == 0;
  fault_.end_column = last->end - lines_[fault_.end_lineno] + newline;
}

void PegMachine::RaiseUnclosed(const OpenBracket& bracket) {
  raised_ = true;
  fault_ = {};
  fault_.message = std::string("'") + bracket.bracket + "' was never closed";
  fault_.lineno = fault_.end_lineno = bracket.lineno;
  fault_.column = bracket.column + 1;
}

// The lexer's error as CPython raises it when its token is read.
void PegMachine::RaiseLexError() {
  const LexError& error = lexer_.error();
  raised_ = true;
  fault_ = {};
  fault_.lineno = fault_.end_lineno = error.lineno;
  switch (error.kind) {
    case LexError::Kind::kNone: break;
    case LexError::Kind::kSyntax:
      fault_.from_lexer = true;
      fault_.message = error.message;
      break;
    case LexError::Kind::kEof:
      if (!lexer_.open_brackets().empty()) return RaiseUnclosed(lexer_.open_brackets().back());
      fault_.message = "unexpected EOF while parsing";
      fault_.column = error.cursor - error.line_start;
      fault_.end_column = -1;
      break;
    case LexError::Kind::kBadDedent:
      fault_.kind = DiagnosticKind::kIndentation;
      fault_.message = "unindent does not match any outer indentation level";
      fault_.column = error.cursor - error.line_start;
      fault_.end_column = -1;
      break;
    case LexError::Kind::kTabSpace:
      fault_.kind = DiagnosticKind::kTab;
      fault_.message = "inconsistent use of tabs and spaces in indentation";
      fault_.column = 1;
      break;
    case LexError::Kind::kTooDeep:
      fault_.kind = DiagnosticKind::kIndentation;
      fault_.message = "too many levels of indentation";
      fault_.column = 1;
      break;
    case LexError::Kind::kBadUtf8:
      fault_.message = error.message;
      fault_.column = error.cursor - error.line_start;
      fault_.end_column = -1;
      break;
    case LexError::Kind::kAfterBackslash: {
      fault_.message = "unexpected character after line continuation character";
      // Counted from the first of the joined lines.
      uint32_t line = error.lineno;
      const MeteredVector<uint32_t>& joined = lexer_.joined_lines();
      size_t i = joined.size();
      while (i > 0 && joined[i - 1] == line) line--, i--;
      fault_.column = error.cursor - lines_[line];
      break;
    }
  }
}

}  // namespace minivm
