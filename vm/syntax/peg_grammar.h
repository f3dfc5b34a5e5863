// The error pass's grammar, compiled for PegMachine.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vm/syntax/token.h"

namespace minivm {

// Instructions of the machine; a and b are operands.
enum class PegOp : uint8_t {
  kNop,
  kFail,            // fail
  kToken,           // match a token of kind a
  kSoftKeyword,     // match the name messages[b]
  kAnySoftKeyword,  // match match, case, type or _
  kForce,           // match a token of kind a or report "expected ..."
  kCall,            // apply rule b
  kReturn,          // the rule has matched
  kChoice,          // on failure go back to this position and to b
  kCommit,          // drop the last choice, go to b
  kBackCommit,      // drop the last choice, go back to its position, go to b
  kFailTwice,       // drop the last choice and fail
  kCut,             // no other alternative of this rule
  kQuiet,           // until the rule ends, mistakes are not looked for
  kIfInvalid,       // fail unless mistakes are looked for
  kCaptureBegin,    // capture slot a
  kCaptureEnd,
  kRaise,  // report: kind a, b = message index << 4 | slot << 2 | slot
  kHook,   // run the hook named messages[b]
};

struct PegInstruction {
  PegOp op;
  uint8_t a;
  uint32_t b;
};

struct PegRule {
  std::string_view name;
  uint32_t entry;
  bool shared_memo;   // one memory for passes with and without mistakes
  bool any_first;     // may match nothing, or do more than look at tokens at its start
  uint64_t first[2];  // else: the kinds of token it can begin with, as a bit set

  bool CanBeginWith(Tok kind) const {
    const auto k = static_cast<unsigned>(kind);
    return any_first || (first[k >> 6] >> (k & 63) & 1) != 0;
  }
};

struct PegGrammar {
  std::vector<PegInstruction> code;
  std::vector<PegRule> rules;
  std::vector<uint16_t> rules_used;
  std::vector<std::string_view> messages;

  uint16_t RuleOf(std::string_view name) const;
};

// The text of the grammar, in parts.
std::span<const std::string_view> ErrorGrammarText();

// The grammar: constant data, compiled from its text at the first syntax error of the process.
const PegGrammar& ErrorGrammar();

}  // namespace minivm
