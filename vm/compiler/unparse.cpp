// Text of an expression, with the parentheses its precedence asks for and no others.
//
// The levels follow the grammar from loosest to tightest. Left-deep chains of binary operators,
// attributes and calls recurse here; RecursionGuard bounds them (annotations are short).
#include "vm/compiler/unparse.h"

#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

enum Level {
  kTuple,
  kTest,  // if-else, lambda
  kOr,
  kAnd,
  kNot,
  kCompare,
  kExpr,
  kBitOr = kExpr,
  kBitXor,
  kBitAnd,
  kShift,
  kArith,
  kTerm,
  kFactor,
  kPower,
  kAwait,
  kAtom,
};

class Unparser {
 public:
  Unparser(CompileContext& context, std::string* out) : context_(context), out_(out) {}

  void Write(const Expr* e, int level) {
    RecursionGuard guard(context_.ts, " during compilation");
    if (!guard) context_.Fail();
    switch (e->kind) {
      case ExprKind::kBoolOp: return BoolOp(As<BoolOpExpr>(e), level);
      case ExprKind::kBinOp: return BinOp(As<BinOpExpr>(e), level);
      case ExprKind::kUnaryOp: return Unary(As<UnaryOpExpr>(e), level);
      case ExprKind::kLambda: return Lambda(As<LambdaExpr>(e), level);
      case ExprKind::kIfExp: return IfExp(As<IfExpExpr>(e), level);
      case ExprKind::kDict: return Dict(As<DictExpr>(e));
      case ExprKind::kSet: return Items("{", As<SetExpr>(e)->elts, "}");
      case ExprKind::kList: return Items("[", As<ListExpr>(e)->elts, "]");
      case ExprKind::kListComp: return Comp("[", As<CompExpr>(e), "]");
      case ExprKind::kSetComp: return Comp("{", As<CompExpr>(e), "}");
      case ExprKind::kGeneratorExp: return Comp("(", As<CompExpr>(e), ")");
      case ExprKind::kDictComp: {
        auto* d = As<DictCompExpr>(e);
        Put("{");
        Write(d->key, kTest);
        Put(": ");
        Write(d->value, kTest);
        Generators(d->generators);
        return Put("}");
      }
      case ExprKind::kYield: {
        auto* y = As<YieldExpr>(e);
        if (!y->value) return Put("(yield)");
        Put("(yield ");
        Write(y->value, kTest);
        return Put(")");
      }
      case ExprKind::kYieldFrom:
        Put("(yield from ");
        Write(As<YieldFromExpr>(e)->value, kTest);
        return Put(")");
      case ExprKind::kAwait: {
        Parenthesis p(this, level > kAwait);
        Put("await ");
        return Write(As<AwaitExpr>(e)->value, kAtom);
      }
      case ExprKind::kCompare: return Compare(As<CompareExpr>(e), level);
      case ExprKind::kCall: return Call(As<CallExpr>(e));
      case ExprKind::kFormattedValue:
      case ExprKind::kJoinedStr: return FString(e);
      case ExprKind::kConstant: return Constant(As<ConstantExpr>(e)->value);
      case ExprKind::kAttribute: return Attribute(As<AttributeExpr>(e));
      case ExprKind::kStarred: Put("*"); return Write(As<StarredExpr>(e)->value, kExpr);
      case ExprKind::kName: return Put(As<NameExpr>(e)->id->view());
      case ExprKind::kTuple: return Tuple(As<TupleExpr>(e)->elts, level);
      case ExprKind::kSubscript: {
        auto* s = As<SubscriptExpr>(e);
        Write(s->value, kAtom);
        Put("[");
        Write(s->slice, kTuple);
        return Put("]");
      }
      case ExprKind::kSlice: return Slice(As<SliceExpr>(e));
      case ExprKind::kNamedExpr: {
        auto* n = As<NamedExprExpr>(e);
        Parenthesis p(this, level > kTuple);
        Write(n->target, kAtom);
        Put(" := ");
        return Write(n->value, kAtom);
      }
    }
  }

 private:
  struct Parenthesis {
    Parenthesis(Unparser* u, bool wanted) : out(wanted ? u->out_ : nullptr) {
      if (out) *out += '(';
    }
    ~Parenthesis() {
      if (out) *out += ')';
    }
    std::string* out;
  };

  void Put(std::string_view text) { *out_ += text; }

  void BoolOp(const BoolOpExpr* e, int level) {
    const int pr = e->op == BoolOperator::kAnd ? kAnd : kOr;
    Parenthesis p(this, level > pr);
    for (uint32_t i = 0; i < e->values.size; ++i) {
      if (i) Put(e->op == BoolOperator::kAnd ? " and " : " or ");
      Write(e->values[i], pr + 1);
    }
  }

  void BinOp(const BinOpExpr* e, int level) {
    struct Row {
      const char* text;
      int level;
    };
    static constexpr Row kRows[] = {
        {" + ", kArith},  {" - ", kArith},  {" * ", kTerm},   {" @ ", kTerm},   {" / ", kTerm},
        {" % ", kTerm},   {" ** ", kPower}, {" << ", kShift}, {" >> ", kShift}, {" | ", kBitOr},
        {" ^ ", kBitXor}, {" & ", kBitAnd}, {" // ", kTerm},
    };
    const Row& row = kRows[static_cast<int>(e->op)];
    const bool right_first = e->op == Operator::kPow;
    Parenthesis p(this, level > row.level);
    Write(e->left, row.level + right_first);
    Put(row.text);
    Write(e->right, row.level + !right_first);
  }

  void Unary(const UnaryOpExpr* e, int level) {
    const int pr = e->op == UnaryOperator::kNot ? kNot : kFactor;
    Parenthesis p(this, level > pr);
    static constexpr const char* kText[] = {"~", "not ", "+", "-"};
    Put(kText[static_cast<int>(e->op)]);
    Write(e->operand, pr);
  }

  void Parameter(const Arg* a, bool* first, const char* prefix = "") {
    if (!*first) Put(", ");
    *first = false;
    Put(prefix);
    if (!a) return;
    Put(a->arg->view());
    if (a->annotation) {
      Put(": ");
      Write(a->annotation, kTest);
    }
  }
  void Default(const Expr* e) {
    if (!e) return;
    Put("=");
    Write(e, kTest);
  }

  void Lambda(const LambdaExpr* e, int level) {
    Parenthesis p(this, level > kTest);
    const Arguments* args = e->args;
    const uint32_t positional = args->posonlyargs.size + args->args.size;
    bool first = true;
    Put(positional ? "lambda " : "lambda");
    for (uint32_t i = 0; i < positional; ++i) {
      const bool only = i < args->posonlyargs.size;
      Parameter(only ? args->posonlyargs[i] : args->args[i - args->posonlyargs.size], &first);
      const uint32_t without = positional - args->defaults.size;
      if (i >= without) Default(args->defaults[i - without]);
      if (only && i + 1 == args->posonlyargs.size) Put(", /");
    }
    if (args->vararg || args->kwonlyargs.size) Parameter(args->vararg, &first, "*");
    for (uint32_t i = 0; i < args->kwonlyargs.size; ++i) {
      Parameter(args->kwonlyargs[i], &first);
      Default(args->kw_defaults[i]);
    }
    if (args->kwarg) Parameter(args->kwarg, &first, "**");
    Put(": ");
    Write(e->body, kTest);
  }

  void IfExp(const IfExpExpr* e, int level) {
    Parenthesis p(this, level > kTest);
    Write(e->body, kTest + 1);
    Put(" if ");
    Write(e->test, kTest + 1);
    Put(" else ");
    Write(e->orelse, kTest);
  }

  void Dict(const DictExpr* e) {
    Put("{");
    for (uint32_t i = 0; i < e->values.size; ++i) {
      if (i) Put(", ");
      if (e->keys[i]) {
        Write(e->keys[i], kTest);
        Put(": ");
        Write(e->values[i], kTest);
      } else {
        Put("**");
        Write(e->values[i], kExpr);
      }
    }
    Put("}");
  }

  void Items(const char* open, Span<Expr*> elts, const char* close) {
    Put(open);
    for (uint32_t i = 0; i < elts.size; ++i) {
      if (i) Put(", ");
      Write(elts[i], kTest);
    }
    Put(close);
  }

  void Generators(Span<Comprehension*> generators) {
    for (Comprehension* g : generators) {
      Put(g->is_async ? " async for " : " for ");
      Write(g->target, kTuple);
      Put(" in ");
      Write(g->iter, kTest + 1);
      for (Expr* test : g->ifs) {
        Put(" if ");
        Write(test, kTest + 1);
      }
    }
  }

  void Comp(const char* open, const CompExpr* e, const char* close) {
    Put(open);
    Write(e->elt, kTest);
    Generators(e->generators);
    Put(close);
  }

  void Compare(const CompareExpr* e, int level) {
    static constexpr const char* kText[] = {" == ", " != ", " < ",      " <= ", " > ",
                                            " >= ", " is ", " is not ", " in ", " not in "};
    Parenthesis p(this, level > kCompare);
    Write(e->left, kCompare + 1);
    for (uint32_t i = 0; i < e->ops.size; ++i) {
      Put(kText[static_cast<int>(e->ops[i])]);
      Write(e->comparators[i], kCompare + 1);
    }
  }

  void Call(const CallExpr* e) {
    Write(e->func, kAtom);
    if (e->args.size == 1 && e->keywords.size == 0 && e->args[0]->kind == ExprKind::kGeneratorExp) {
      return Write(e->args[0], kTest);  // brings its own parentheses
    }
    Put("(");
    bool first = true;
    auto comma = [&] {
      if (!first) Put(", ");
      first = false;
    };
    for (Expr* a : e->args) {
      comma();
      Write(a, kTest);
    }
    for (Keyword* k : e->keywords) {
      comma();
      if (k->arg) {
        Put(k->arg->view());
        Put("=");
      } else {
        Put("**");
      }
      Write(k->value, kTest);
    }
    Put(")");
  }

  void Attribute(const AttributeExpr* e) {
    Write(e->value, kAtom);
    const bool number = e->value->kind == ExprKind::kConstant &&
                        (As<ConstantExpr>(e->value)->value.kind == ConstantKind::kInt ||
                         As<ConstantExpr>(e->value)->value.kind == ConstantKind::kBigInt);
    Put(number ? " ." : ".");
    Put(e->attr->view());
  }

  void Tuple(Span<Expr*> elts, int level) {
    if (elts.size == 0) return Put("()");
    Parenthesis p(this, level > kTuple);
    for (uint32_t i = 0; i < elts.size; ++i) {
      if (i) Put(", ");
      Write(elts[i], kTest);
    }
    if (elts.size == 1) Put(",");
  }

  void Slice(const SliceExpr* e) {
    if (e->lower) Write(e->lower, kTest);
    Put(":");
    if (e->upper) Write(e->upper, kTest);
    if (e->step) {
      Put(":");
      Write(e->step, kTest);
    }
  }

  void ReprOf(Ref<> value) {
    std::string text = ToUtf8(context_.Check(Repr(context_.ts, value)));
    // An infinity has no literal.
    for (size_t at; (at = text.find("inf")) != text.npos;) text.replace(at, 3, "1e309");
    Put(text);
  }

  void Constant(const ConstantValue& c) {
    ThreadState& ts = context_.ts;
    switch (c.kind) {
      case ConstantKind::kNone: return Put("None");
      case ConstantKind::kTrue: return Put("True");
      case ConstantKind::kFalse: return Put("False");
      case ConstantKind::kEllipsis: return Put("...");
      case ConstantKind::kStr: {
        if (c.u_prefix) Put("u");
        Ref<StrObject> s = context_.Check(NewStr(ts, c.text));
        return Put(ToUtf8(context_.Check(Repr(ts, s.value()))));
      }
      default: break;
    }
    Ref<> value = ConstantObject(context_, c);
    if (c.kind == ConstantKind::kBytes) return Put(ToUtf8(context_.Check(Repr(ts, value))));
    ReprOf(std::move(value));
  }

  // The inside of an f-string, before quoting.
  void FStringBody(const Expr* e, std::string* body) {
    switch (e->kind) {
      case ExprKind::kJoinedStr:
        for (Expr* part : As<JoinedStrExpr>(e)->values) FStringBody(part, body);
        return;
      case ExprKind::kConstant:
        for (char c : As<ConstantExpr>(e)->value.text) {
          *body += c;
          if (c == '{' || c == '}') *body += c;
        }
        return;
      default: break;
    }
    auto* f = As<FormattedValueExpr>(e);
    std::string inner;
    Unparser(context_, &inner).Write(f->value, kTest + 1);
    *body += !inner.empty() && inner[0] == '{' ? "{ " : "{";
    *body += inner;
    if (f->conversion > 0) {
      *body += '!';
      *body += static_cast<char>(f->conversion);
    }
    if (f->format_spec) {
      *body += ':';
      FStringBody(f->format_spec, body);
    }
    *body += '}';
  }

  void FString(const Expr* e) {
    std::string body;
    FStringBody(e, &body);
    Ref<StrObject> s = context_.Check(NewStr(context_.ts, body));
    Put("f");
    Put(ToUtf8(context_.Check(Repr(context_.ts, s.value()))));
  }

  CompileContext& context_;
  std::string* out_;
};

}  // namespace

void Unparse(CompileContext& context, const Expr* e, std::string* out) {
  Unparser(context, out).Write(e, kTest);
}

}  // namespace minivm
