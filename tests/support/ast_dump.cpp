// The text form of a syntax tree, field by field.
#include "tests/support/ast_dump.h"

#include <cstdio>
#include <cstring>
#include <type_traits>
#include <vector>

#include "vm/syntax/ast_fields.h"

namespace minivm {
namespace {

class Dumper {
 public:
  explicit Dumper(bool locations) : locations_(locations) {}

  void Text(std::string_view s) { out.append(s); }
  void Quoted(char prefix, std::string_view s) {
    out += prefix;
    out += '\'';
    for (char ch : s) {
      const auto c = static_cast<unsigned char>(ch);
      if (c < 32 || c > 126 || c == '\'' || c == '\\') {
        char hex[8];
        std::snprintf(hex, sizeof hex, "\\x%02x", c);
        out += hex;
      } else {
        out += ch;
      }
    }
    out += '\'';
  }

  void At(const Location& loc) {
    if (!locations_) return;
    char text[64];
    std::snprintf(text, sizeof text, "@%u,%u,%u,%u", loc.lineno, loc.col_offset, loc.end_lineno,
                  loc.end_col_offset);
    out += text;
  }

  template <class T>
  void Fields(T* node) {
    out += '(';
    bool first = true;
    VisitFields(node, [&](const char* name, const auto& field) {
      if (!first) out += ',';
      first = false;
      out += name;
      out += '=';
      Value(field);
    });
    out += ')';
  }

  template <class T>
  void Family(T* node) {
    if (node == nullptr) return Text("None");
    Text(NodeName(node->kind));
    Fields(node);
    At(node->loc);
  }
  void Value(Expr* e) { Family(e); }
  void Value(Stmt* s) { Family(s); }
  void Value(Pattern* p) { Family(p); }
  void Value(TypeParam* p) { Family(p); }

  template <class T>
  void Part(const char* name, T* node) {
    if (node == nullptr) return Text("None");
    Text(name);
    Fields(node);
    if constexpr (requires { node->loc; }) At(node->loc);
  }
  void Value(Arguments* n) { Part("arguments", n); }
  void Value(Arg* n) { Part("arg", n); }
  void Value(Keyword* n) { Part("keyword", n); }
  void Value(Comprehension* n) { Part("comprehension", n); }
  void Value(ExceptHandler* n) { Part("ExceptHandler", n); }
  void Value(WithItem* n) { Part("withitem", n); }
  void Value(MatchCase* n) { Part("match_case", n); }
  void Value(Alias* n) { Part("alias", n); }

  void Value(Identifier id) {
    if (id == nullptr) return Text("None");
    Quoted('i', id->view());
  }
  void Value(std::string_view comment) {
    if (comment.data() == nullptr) return Text("None");
    Quoted('s', comment);
  }
  template <class T>
  requires std::is_enum_v<T>
  void Value(T op) {
    if constexpr (std::is_same_v<T, ConstantKind>) {
      ConstantValue value;
      value.kind = op;
      Value(value);
    } else {
      Text(NodeName(op));
    }
  }
  void Value(bool b) { Text(b ? "1" : "0"); }
  void Value(int32_t n) { Text(std::to_string(n)); }
  void Value(uint32_t n) { Text(std::to_string(n)); }
  template <class T>
  void Value(Span<T> span) {
    out += '[';
    bool first = true;
    for (const T& item : span) {
      if (!first) out += ',';
      first = false;
      Value(item);
    }
    out += ']';
  }

  void Value(const ConstantValue& v) {
    switch (v.kind) {
      case ConstantKind::kNone: return Text("None");
      case ConstantKind::kTrue: return Text("True");
      case ConstantKind::kFalse: return Text("False");
      case ConstantKind::kEllipsis: return Text("...");
      case ConstantKind::kInt: return Text(std::to_string(v.int_value));
      case ConstantKind::kBigInt: return BigInt(v);
      case ConstantKind::kFloat:
      case ConstantKind::kImaginary: {
        uint64_t bits;
        std::memcpy(&bits, &v.float_value, 8);
        char text[32];
        std::snprintf(text, sizeof text, "%c%016llx", v.kind == ConstantKind::kFloat ? 'f' : 'j',
                      static_cast<unsigned long long>(bits));
        return Text(text);
      }
      case ConstantKind::kStr:
        if (v.u_prefix) out += 'u';
        return Quoted('s', v.text);
      case ConstantKind::kBytes: return Quoted('b', v.text);
      case ConstantKind::kObject: return Text("<object>");
    }
  }

  // Hexadecimal, whatever the base of the source.
  void BigInt(const ConstantValue& v) {
    std::vector<uint32_t> limbs;
    for (char c : v.text) {
      uint64_t carry = static_cast<uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
      for (uint32_t& limb : limbs) {
        carry += uint64_t{limb} * v.base;
        limb = static_cast<uint32_t>(carry);
        carry >>= 32;
      }
      if (carry != 0) limbs.push_back(static_cast<uint32_t>(carry));
    }
    std::string text = "0x";
    for (size_t i = limbs.size(); i-- > 0;) {
      char hex[16];
      std::snprintf(hex, sizeof hex, text.size() == 2 ? "%x" : "%08x", limbs[i]);
      text += hex;
    }
    Text(text);
  }

  std::string out;

 private:
  bool locations_;
};

}  // namespace

std::string DumpAst(const Mod* mod, bool locations) {
  Dumper dumper(locations);
  dumper.Text(NodeName(mod->kind));
  dumper.Text("(");
  if (mod->kind == ModKind::kExpression) {
    dumper.Value(mod->expression);
  } else if (mod->kind == ModKind::kFunctionType) {
    dumper.Value(mod->argtypes);
    dumper.Text("->");
    dumper.Value(mod->expression);
  } else {
    dumper.Value(mod->body);
  }
  for (const TypeIgnore& ignore : mod->type_ignores) {
    dumper.Text(",ignore@" + std::to_string(ignore.lineno));
    dumper.Quoted('s', ignore.tag);
  }
  dumper.Text(")");
  return std::move(dumper.out);
}

}  // namespace minivm
