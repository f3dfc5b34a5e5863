// Compiles the text of the error grammar (peg_rules.cpp) to instructions for PegMachine, and
// finds with which tokens each rule can begin, so that most calls fail at a glance.
#include "vm/syntax/peg_grammar.h"

#include <cstdlib>

#include "runtime/support/check.h"

namespace minivm {
namespace {

class GrammarCompiler {
 public:
  explicit GrammarCompiler(PegGrammar* out) : out_(*out) {}

  void Compile() {
    out_.code.reserve(8192);
    out_.code.push_back({PegOp::kFail, 0, 0});  // address 0 is a failure
    for (std::string_view part : ErrorGrammarText()) {
      text_ = part;
      at_ = 0;
      Space();
      while (at_ < text_.size()) Rule();
    }
    for (const uint16_t rule : out_.rules_used) {
      MVM_CHECK(out_.rules[rule].entry != 0, "a rule of the error grammar is not defined");
    }
    // First tokens, to a fixed point.
    for (bool changed = true; changed;) {
      changed = false;
      for (PegRule& rule : out_.rules) {
        const PegRule before = rule;
        std::vector<bool> seen(out_.code.size(), false);
        CollectFirst(rule.entry, &rule, &seen);
        changed |= rule.any_first != before.any_first || rule.first[0] != before.first[0] ||
                   rule.first[1] != before.first[1];
      }
    }
  }

 private:
  // Adds to rule->first what can come first from address `at` on.
  void CollectFirst(uint32_t at, PegRule* rule, std::vector<bool>* seen) {
    const auto add = [rule](Tok kind) {
      const auto k = static_cast<unsigned>(kind);
      rule->first[k >> 6] |= uint64_t{1} << (k & 63);
    };
    for (; !(*seen)[at]; at++) {
      (*seen)[at] = true;
      const PegInstruction in = out_.code[at];
      switch (in.op) {
        case PegOp::kFail:
        case PegOp::kFailTwice: return;
        case PegOp::kToken: return add(static_cast<Tok>(in.a));
        case PegOp::kSoftKeyword:
        case PegOp::kAnySoftKeyword: return add(Tok::kName);
        case PegOp::kForce:
        case PegOp::kReturn:
        case PegOp::kRaise:
        case PegOp::kHook: rule->any_first = true; return;
        case PegOp::kCall: {
          const PegRule& called = out_.rules[in.b];
          rule->first[0] |= called.first[0];
          rule->first[1] |= called.first[1];
          rule->any_first |= called.any_first;
          return;
        }
        case PegOp::kChoice: CollectFirst(in.b, rule, seen); break;
        case PegOp::kCommit:
        case PegOp::kBackCommit: at = in.b - 1; break;
        default: break;
      }
    }
  }

  static bool IsWordChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }
  void Space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) at_++;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Eat(char c) {
    if (Peek() != c) return false;
    at_++;
    Space();
    return true;
  }
  std::string_view Word() {
    const size_t start = at_;
    while (IsWordChar(Peek())) at_++;
    const std::string_view word = text_.substr(start, at_ - start);
    Space();
    return word;
  }
  std::string_view Quoted(char quote) {
    const size_t start = ++at_;
    while (Peek() != quote) at_ += Peek() == '\\' ? 2 : 1;
    const std::string_view word = text_.substr(start, at_ - start);
    at_++;
    Space();
    return word;
  }
  uint32_t Here() const { return static_cast<uint32_t>(out_.code.size()); }
  uint32_t Emit(PegOp op, uint8_t a = 0, uint32_t b = 0) {
    out_.code.push_back({op, a, b});
    return Here() - 1;
  }
  void Patch(uint32_t at, uint32_t target) { out_.code[at].b = target; }

  uint16_t RuleIndex(std::string_view name) {
    for (size_t i = 0; i < out_.rules.size(); i++) {
      if (out_.rules[i].name == name) return static_cast<uint16_t>(i);
    }
    out_.rules.push_back({name, 0, false, false, {0, 0}});
    return static_cast<uint16_t>(out_.rules.size() - 1);
  }

  void Rule() {
    const uint16_t rule = RuleIndex(Word());
    out_.rules[rule].shared_memo = Eat('@');
    Eat('=');
    out_.rules[rule].entry = Here();
    Alternatives();
    Emit(PegOp::kReturn);
    Eat(';');
  }

  void Alternatives() {
    std::vector<uint32_t> ends;
    for (;;) {
      // The last alternative needs no way out, but where it is is known only at its end.
      const uint32_t choice = Emit(PegOp::kChoice);
      if (IsMistake()) Emit(PegOp::kIfInvalid);
      Sequence();
      if (!Eat('/')) {
        out_.code[choice].op = PegOp::kNop;
        break;
      }
      ends.push_back(Emit(PegOp::kCommit));
      Patch(choice, Here());
    }
    for (uint32_t end : ends) Patch(end, Here());
  }

  // Whether the alternative here is just an invalid_* rule: those are for the second pass only.
  bool IsMistake() {
    const size_t start = at_;
    const bool result = IsWordChar(Peek()) && Word().starts_with("invalid_") &&
                        (Peek() == '/' || Peek() == ';' || Peek() == ')');
    at_ = start;
    return result;
  }

  void Sequence() {
    for (;;) {
      switch (Peek()) {
        case '/':
        case ';':
        case ')':
        case '\0': return;
        case '{': Action(); break;
        default: Element(); break;
      }
    }
  }

  void Element() {
    if (Eat('~')) {
      Emit(PegOp::kCut);
      return;
    }
    if (Peek() == '&' && text_[at_ + 1] == '&') {
      at_ += 2;
      Emit(PegOp::kForce, static_cast<uint8_t>(TokenOf(Quoted('\''))));
      return;
    }
    if (Eat('&')) {
      const uint32_t choice = Emit(PegOp::kChoice);
      Primary();
      const uint32_t done = Emit(PegOp::kBackCommit);
      Patch(choice, 0);
      Patch(done, Here());
      return;
    }
    if (Eat('!')) {
      const uint32_t choice = Emit(PegOp::kChoice);
      Primary();
      Emit(PegOp::kFailTwice);
      Patch(choice, Here());
      return;
    }
    if (IsWordChar(Peek()) && text_[at_ + 1] == ':') {
      const auto slot = static_cast<uint8_t>(Peek() - 'a');
      at_ += 2;
      Emit(PegOp::kCaptureBegin, slot);
      Repeated();
      Emit(PegOp::kCaptureEnd, slot);
      return;
    }
    Repeated();
  }

  // A primary with its repetition mark. The code of a primary is position-independent except for
  // jumps inside it, so e+ and e%',' compile it twice from the text.
  void Repeated() {
    const size_t text_start = at_;
    const uint32_t code_start = Here();
    Primary();
    const size_t text_end = at_;
    switch (Peek()) {
      case '?':
      case '*': {
        const bool loop = Peek() == '*';
        out_.code.resize(code_start);
        at_ = text_start;
        const uint32_t choice = Emit(PegOp::kChoice);
        Primary();
        const uint32_t commit = Emit(PegOp::kCommit);
        Patch(choice, Here());
        Patch(commit, loop ? choice : Here());
        at_ = text_end + 1;
        Space();
        return;
      }
      case '+': {
        at_ = text_start;
        const uint32_t choice = Emit(PegOp::kChoice);
        Primary();
        Patch(Emit(PegOp::kCommit), choice);
        Patch(choice, Here());
        at_ = text_end + 1;
        Space();
        return;
      }
      case '%': {
        at_++;
        const Tok separator = TokenOf(Quoted('\''));
        const size_t after = at_;
        at_ = text_start;
        const uint32_t choice = Emit(PegOp::kChoice);
        Emit(PegOp::kToken, static_cast<uint8_t>(separator));
        Primary();
        Patch(Emit(PegOp::kCommit), choice);
        Patch(choice, Here());
        at_ = after;
        return;
      }
      default: return;
    }
  }

  void Primary() {
    const char c = Peek();
    if (c == '(') {
      Eat('(');
      Alternatives();
      Eat(')');
    } else if (c == '\'') {
      Emit(PegOp::kToken, static_cast<uint8_t>(TokenOf(Quoted('\''))));
    } else if (c == '"') {
      const std::string_view word = Quoted('"');
      Emit(PegOp::kSoftKeyword, 0, Message(word));
    } else {
      const std::string_view word = Word();
      if (word[0] >= 'a') {
        const uint16_t rule = RuleIndex(word);
        out_.rules_used.push_back(rule);
        Emit(PegOp::kCall, 0, rule);
      } else if (word == "QUIET") {
        Emit(PegOp::kQuiet);
      } else if (word == "FAIL") {
        Emit(PegOp::kFail);
      } else if (word == "SOFT_KEYWORD") {
        Emit(PegOp::kAnySoftKeyword);
      } else {
        Emit(PegOp::kToken, static_cast<uint8_t>(TokenOfName(word)));
      }
    }
  }

  uint32_t Message(std::string_view text) {
    out_.messages.push_back(text);
    return static_cast<uint32_t>(out_.messages.size() - 1);
  }

  // {T a "message"} and so on; {!name}.
  void Action() {
    Eat('{');
    if (Eat('!')) {
      Emit(PegOp::kHook, 0, Message(Word()));
    } else {
      const std::string_view kind = Word();
      uint8_t first = 0, second = 0;
      if (Peek() != '"') first = static_cast<uint8_t>(Word()[0] - 'a');
      if (Peek() != '"') second = static_cast<uint8_t>(Word()[0] - 'a');
      Emit(PegOp::kRaise, static_cast<uint8_t>(kind[0]),
           Message(Quoted('"')) << 4 | static_cast<uint32_t>(first << 2 | second));
    }
    Eat('}');
  }

  static Tok TokenOf(std::string_view text) {
    for (int i = static_cast<int>(Tok::kLPar); i < kTokCount; i++) {
      if (TokText(static_cast<Tok>(i)) == text) return static_cast<Tok>(i);
    }
    MVM_CHECK(false, "an unknown token in the error grammar");
    return Tok::kError;
  }
  static Tok TokenOfName(std::string_view name) {
    struct Named {
      std::string_view name;
      Tok kind;
    };
    static constexpr Named kNamed[] = {{"NAME", Tok::kName},
                                       {"NUMBER", Tok::kNumber},
                                       {"STRING", Tok::kString},
                                       {"NEWLINE", Tok::kNewline},
                                       {"INDENT", Tok::kIndent},
                                       {"DEDENT", Tok::kDedent},
                                       {"ENDMARKER", Tok::kEndMarker},
                                       {"FSTRING_START", Tok::kFStringStart},
                                       {"FSTRING_MIDDLE", Tok::kFStringMiddle},
                                       {"FSTRING_END", Tok::kFStringEnd},
                                       {"TYPE_COMMENT", Tok::kTypeComment}};
    for (const Named& named : kNamed) {
      if (named.name == name) return named.kind;
    }
    MVM_CHECK(false, "an unknown kind of token in the error grammar");
    return Tok::kError;
  }

  PegGrammar& out_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const PegGrammar& ErrorGrammar() {
  static const PegGrammar* const kCompiled = [] {
    auto* grammar = new PegGrammar;
    GrammarCompiler(grammar).Compile();
    return grammar;
  }();
  return *kCompiled;
}

uint16_t PegGrammar::RuleOf(std::string_view name) const {
  for (size_t i = 0; i < rules.size(); i++) {
    if (rules[i].name == name) return static_cast<uint16_t>(i);
  }
  MVM_CHECK(false, "no such rule in the error grammar");
  return 0;
}

}  // namespace minivm
