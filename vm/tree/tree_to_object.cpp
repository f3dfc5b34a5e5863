// From arena nodes to objects of `ast`.
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/compile_context.h"
#include "vm/syntax/ast_fields.h"
#include "vm/tree/tree.h"

namespace minivm {

namespace {

class ObjectMaker {
 public:
  ObjectMaker(ThreadState& ts, TreeTypesObject* types) : ts_(ts), types_(types) {}

  Result<> Root(const Mod* tree) {
    MVM_TRY(Ref<> o, Instance(ClassNumber(tree->kind)));
    MVM_TRY(TupleObject * names, Fields(ClassNumber(tree->kind)));
    if (tree->kind == ModKind::kExpression) {
      MVM_TRY_VOID(Set(o, names, 0, Convert(tree->expression)));
    } else if (tree->kind == ModKind::kFunctionType) {
      MVM_TRY_VOID(Set(o, names, 0, Convert(tree->argtypes)));
      MVM_TRY_VOID(Set(o, names, 1, Convert(tree->expression)));
    } else {
      MVM_TRY_VOID(Set(o, names, 0, Convert(tree->body)));
      if (tree->kind == ModKind::kModule) {
        MVM_TRY_VOID(Set(o, names, 1, Ignores(tree->type_ignores)));
      }
    }
    return o;
  }

 private:
  Result<> Instance(int number) {
    return AllocInstance(ts_, (*types_->classes)[static_cast<size_t>(number)].as<TypeObject>());
  }
  Result<TupleObject*> Fields(int number) {
    return (*types_->fields)[static_cast<size_t>(number)].as<TupleObject>();
  }
  Status Set(Value o, TupleObject* names, uint32_t i, Result<> value) {
    MVM_TRY(Ref<> v, std::move(value));
    return SetAttr(ts_, o, (*names)[i].as<StrObject>(), v);
  }

  template <class T>
  Result<> Node(int number, T* node) {
    RecursionGuard guard(ts_, " during ast construction");
    if (!guard) return kRaised;
    MVM_TRY(Ref<> o, Instance(number));
    MVM_TRY(TupleObject * names, Fields(number));
    uint32_t i = 0;
    bool failed = false;
    VisitFields(node, [&](const char*, const auto& field) {
      if (!failed) failed = Set(o, names, i++, Convert(field)).raised();
    });
    if (failed) return kRaised;
    if constexpr (requires { node->loc; }) {
      const Location& loc = node->loc;
      const uint32_t words[] = {loc.lineno, loc.col_offset, loc.end_lineno, loc.end_col_offset};
      for (uint32_t k = 0; k < 4; ++k) {
        MVM_TRY_VOID(Set(o, types_->positions, k, Small(static_cast<int32_t>(words[k]))));
      }
    }
    return o;
  }

  template <class T>
  Result<> Family(T* node) {
    if (node == nullptr) return None(ts_);
    return Node(ClassNumber(node->kind), node);
  }
  Result<> Convert(Expr* e) {
    if (e != nullptr && e->kind == ExprKind::kConstant) {
      MVM_TRY(Ref<> o, Node(ClassNumber(e->kind), e));
      const bool u = As<ConstantExpr>(e)->value.u_prefix;
      Result<> kind = u ? Result<>(InternUtf8(ts_, "u")) : None(ts_);
      MVM_TRY(Ref<> value, std::move(kind));
      MVM_TRY_VOID(SetAttr(ts_, o, types_->kind, value));
      return o;
    }
    return Family(e);
  }
  Result<> Convert(Stmt* s) { return Family(s); }
  Result<> Convert(Pattern* p) { return Family(p); }
  Result<> Convert(TypeParam* p) { return Family(p); }

  template <class T>
  Result<> Part(int number, T* node) {
    return node == nullptr ? None(ts_) : Node(number, node);
  }
  Result<> Convert(Arguments* n) { return Part(ClassNumber(TreeSum::kArguments), n); }
  Result<> Convert(Arg* n) { return Part(ClassNumber(TreeSum::kArg), n); }
  Result<> Convert(Keyword* n) { return Part(ClassNumber(TreeSum::kKeyword), n); }
  Result<> Convert(Comprehension* n) { return Part(ClassNumber(TreeSum::kComprehension), n); }
  Result<> Convert(ExceptHandler* n) { return Part(ClassNumber(TreeSum::kExcepthandler) + 1, n); }
  Result<> Convert(WithItem* n) { return Part(ClassNumber(TreeSum::kWithitem), n); }
  Result<> Convert(MatchCase* n) { return Part(ClassNumber(TreeSum::kMatchCase), n); }
  Result<> Convert(Alias* n) { return Part(ClassNumber(TreeSum::kAlias), n); }

  Result<> Convert(Identifier id) {
    if (id == nullptr) return None(ts_);
    if (id->index >= names_.size()) names_.resize(id->index + 64);
    Ref<StrObject>& name = names_[id->index];
    if (!name) {
      MVM_TRY(name, InternUtf8(ts_, id->view()));
    }
    return Result<>::Borrow(name.value());
  }
  Result<> Convert(std::string_view comment) {
    if (comment.data() == nullptr) return None(ts_);
    return NewStr(ts_, comment);
  }
  template <class T>
  requires std::is_enum_v<T> Result<> Convert(T op) {
    if constexpr (std::is_same_v<T, ConstantKind>) {  // of MatchSingleton
      if (op == ConstantKind::kNone) return None(ts_);
      return Bool(ts_, op == ConstantKind::kTrue);
    } else {
      return Result<>::Borrow((*types_->singletons)[static_cast<size_t>(ClassNumber(op))]);
    }
  }
  Result<> Convert(bool b) { return Small(b); }
  Result<> Convert(int32_t n) { return Small(n); }
  Result<> Convert(uint32_t n) { return Small(n); }
  Result<> Convert(const ConstantValue& c) { return ConstantObject(ts_, c); }
  template <class T>
  Result<> Convert(Span<T> span) {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts_, span.size));
    for (const T& item : span) {
      MVM_TRY(Ref<> o, Convert(item));
      MVM_TRY_VOID(ListAppend(ts_, list, o));
    }
    return list;
  }

  Result<> Ignores(Span<TypeIgnore> ignores) {
    const int number = ClassNumber(TreeSum::kTypeIgnore) + 1;
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts_, ignores.size));
    MVM_TRY(TupleObject * names, Fields(number));
    for (const TypeIgnore& ignore : ignores) {
      MVM_TRY(Ref<> o, Instance(number));
      MVM_TRY_VOID(Set(o, names, 0, Small(ignore.lineno)));
      MVM_TRY_VOID(Set(o, names, 1, NewStr(ts_, ignore.tag)));
      MVM_TRY_VOID(ListAppend(ts_, list, o));
    }
    return list;
  }

  ThreadState& ts_;
  TreeTypesObject* types_;
  std::vector<Ref<StrObject>> names_;  // by Ident::index
};

}  // namespace

Result<> TreeToObject(ThreadState& ts, const Mod* tree) {
  MVM_TRY(TreeTypesObject * types, TreeTypes(ts));
  return ObjectMaker(ts, types).Root(tree);
}

}  // namespace minivm
