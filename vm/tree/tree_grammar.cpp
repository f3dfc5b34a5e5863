// The text of the abstract grammar and its reading.
#include "vm/tree/tree_grammar.h"

namespace minivm {

namespace {

struct GrammarRow {
  const char* name;
  TreePosition position;
  // "(fields)" for a product, constructors separated by "|" for a sum.
  const char* text;
};

// In the order of TreeSum.
constexpr GrammarRow kRows[] = {
    {"mod", TreePosition::kNone,
     "Module(stmt* body, type_ignore* type_ignores)|Interactive(stmt* body)|Expression(expr body)"
     "|FunctionType(expr* argtypes, expr returns)"},
    {"stmt", TreePosition::kOpenEnd,
     "FunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? "
     "returns, "
     "string? type_comment, type_param* type_params)"
     "|AsyncFunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, "
     "expr? returns, string? type_comment, type_param* type_params)"
     "|ClassDef(identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, "
     "type_param* type_params)"
     "|Return(expr? value)|Delete(expr* targets)"
     "|Assign(expr* targets, expr value, string? type_comment)"
     "|TypeAlias(expr name, type_param* type_params, expr value)"
     "|AugAssign(expr target, operator op, expr value)"
     "|AnnAssign(expr target, expr annotation, expr? value, int simple)"
     "|For(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)"
     "|AsyncFor(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)"
     "|While(expr test, stmt* body, stmt* orelse)|If(expr test, stmt* body, stmt* orelse)"
     "|With(withitem* items, stmt* body, string? type_comment)"
     "|AsyncWith(withitem* items, stmt* body, string? type_comment)"
     "|Match(expr subject, match_case* cases)|Raise(expr? exc, expr? cause)"
     "|Try(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)"
     "|TryStar(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)"
     "|Assert(expr test, expr? msg)|Import(alias* names)"
     "|ImportFrom(identifier? module, alias* names, int? level)"
     "|Global(identifier* names)|Nonlocal(identifier* names)|Expr(expr value)|Pass|Break|Continue"},
    {"expr", TreePosition::kOpenEnd,
     "BoolOp(boolop op, expr* values)|NamedExpr(expr target, expr value)"
     "|BinOp(expr left, operator op, expr right)|UnaryOp(unaryop op, expr operand)"
     "|Lambda(arguments args, expr body)|IfExp(expr test, expr body, expr orelse)"
     "|Dict(expr* keys, expr* values)|Set(expr* elts)"
     "|ListComp(expr elt, comprehension* generators)|SetComp(expr elt, comprehension* generators)"
     "|DictComp(expr key, expr value, comprehension* generators)"
     "|GeneratorExp(expr elt, comprehension* generators)"
     "|Await(expr value)|Yield(expr? value)|YieldFrom(expr value)"
     "|Compare(expr left, cmpop* ops, expr* comparators)"
     "|Call(expr func, expr* args, keyword* keywords)"
     "|FormattedValue(expr value, int conversion, expr? format_spec)|JoinedStr(expr* values)"
     "|Constant(constant value, string? kind)"
     "|Attribute(expr value, identifier attr, expr_context ctx)"
     "|Subscript(expr value, expr slice, expr_context ctx)|Starred(expr value, expr_context ctx)"
     "|Name(identifier id, expr_context ctx)|List(expr* elts, expr_context ctx)"
     "|Tuple(expr* elts, expr_context ctx)|Slice(expr? lower, expr? upper, expr? step)"},
    {"expr_context", TreePosition::kNone, "Load|Store|Del"},
    {"boolop", TreePosition::kNone, "And|Or"},
    {"operator", TreePosition::kNone,
     "Add|Sub|Mult|MatMult|Div|Mod|Pow|LShift|RShift|BitOr|BitXor|BitAnd|FloorDiv"},
    {"unaryop", TreePosition::kNone, "Invert|Not|UAdd|USub"},
    {"cmpop", TreePosition::kNone, "Eq|NotEq|Lt|LtE|Gt|GtE|Is|IsNot|In|NotIn"},
    {"comprehension", TreePosition::kNone, "(expr target, expr iter, expr* ifs, int is_async)"},
    {"excepthandler", TreePosition::kOpenEnd,
     "ExceptHandler(expr? type, identifier? name, stmt* body)"},
    {"arguments", TreePosition::kNone,
     "(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, "
     "expr* defaults)"},
    {"arg", TreePosition::kOpenEnd, "(identifier arg, expr? annotation, string? type_comment)"},
    {"keyword", TreePosition::kOpenEnd, "(identifier? arg, expr value)"},
    {"alias", TreePosition::kOpenEnd, "(identifier name, identifier? asname)"},
    {"withitem", TreePosition::kNone, "(expr context_expr, expr? optional_vars)"},
    {"match_case", TreePosition::kNone, "(pattern pattern, expr? guard, stmt* body)"},
    {"pattern", TreePosition::kFull,
     "MatchValue(expr value)|MatchSingleton(constant value)|MatchSequence(pattern* patterns)"
     "|MatchMapping(expr* keys, pattern* patterns, identifier? rest)"
     "|MatchClass(expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns)"
     "|MatchStar(identifier? name)|MatchAs(pattern? pattern, identifier? name)"
     "|MatchOr(pattern* patterns)"},
    {"type_ignore", TreePosition::kNone, "TypeIgnore(int lineno, string tag)"},
    {"type_param", TreePosition::kFull,
     "TypeVar(identifier name, expr? bound, expr? default_value)"
     "|ParamSpec(identifier name, expr? default_value)"
     "|TypeVarTuple(identifier name, expr? default_value)"},
};
constexpr int kRowCount = sizeof(kRows) / sizeof(kRows[0]);

// "(stmt* body, int? level)" or "".
std::vector<TreeField> ReadFields(std::string_view text) {
  std::vector<TreeField> fields;
  if (text.empty()) return fields;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const size_t comma = text.find(", ");
    std::string_view one = text.substr(0, comma);
    text = comma == text.npos ? std::string_view() : text.substr(comma + 2);
    const size_t space = one.find(' ');
    std::string_view type = one.substr(0, space);
    Quantifier quantifier = Quantifier::kOne;
    if (type.back() == '*') quantifier = Quantifier::kMany;
    if (type.back() == '?') quantifier = Quantifier::kOptional;
    if (quantifier != Quantifier::kOne) type.remove_suffix(1);
    fields.push_back({std::string(one.substr(space + 1)), std::string(type), quantifier, -1});
  }
  return fields;
}

struct Grammar {
  std::vector<TreeClass> classes;
  int rows[kRowCount];  // their class numbers

  Grammar() {
    TreeClass ast;
    ast.name = "AST";
    ast.base = -1;
    classes.push_back(ast);
    for (int i = 0; i < kRowCount; ++i) {
      rows[i] = static_cast<int>(classes.size());
      AddRow(kRows[i]);
    }
    for (TreeClass& c : classes) {
      for (TreeField& f : c.fields) {
        for (int i = 0; i < kRowCount; ++i) {
          if (f.type == kRows[i].name) f.type_class = rows[i];
        }
      }
    }
  }

  void AddRow(const GrammarRow& row) {
    std::string_view text = row.text;
    TreeClass c;
    c.name = row.name;
    c.base = 0;
    c.position = row.position;
    if (text[0] == '(') {
      c.is_product = true;
      c.doc = c.name + row.text;
      c.fields = ReadFields(text);
      classes.push_back(c);
      return;
    }
    const int sum = static_cast<int>(classes.size());
    const bool simple = text.find('(') == text.npos;
    c.is_sum = true;
    c.doc = c.name + " = ";
    c.first_constructor = sum + 1;
    classes.push_back(c);
    const std::string separator =
        simple ? " | " : "\n" + std::string(c.name.size() + 1, ' ') + "| ";
    for (bool first = true; !text.empty(); first = false) {
      const size_t bar = text.find('|');
      std::string_view one = text.substr(0, bar);
      text = bar == text.npos ? std::string_view() : text.substr(bar + 1);
      TreeClass k;
      const size_t fields = one.find('(');
      k.name = one.substr(0, fields);
      k.doc = one;
      k.base = sum;
      k.is_simple = simple;
      k.position = row.position;
      if (fields != one.npos) k.fields = ReadFields(one.substr(fields));
      if (!first) classes[static_cast<size_t>(sum)].doc += separator;
      classes[static_cast<size_t>(sum)].doc += one;
      ++classes[static_cast<size_t>(sum)].constructor_count;
      classes.push_back(k);
    }
  }
};

const Grammar& TheGrammar() {
  static const Grammar grammar;
  return grammar;
}

}  // namespace

const std::vector<TreeClass>& TreeClasses() { return TheGrammar().classes; }
int ClassNumber(TreeSum sum) { return TheGrammar().rows[static_cast<int>(sum)]; }

}  // namespace minivm
