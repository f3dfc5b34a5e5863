// From objects of `ast` to arena nodes: what compile() does with a tree made or changed by a
// script.
//
// Attributes are read in CPython's order and with its messages: positions first, then the class,
// then the fields. Reading may run script code (properties, __getattribute__), so everything that
// is held across it is a Ref, and lists are checked for having changed. What the nodes mean
// together is checked afterwards (tree_validate.cpp).
#include <new>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/compiler.h"
#include "vm/syntax/ast_fields.h"
#include "vm/syntax/name_table.h"
#include "vm/tree/tree.h"

namespace minivm {

namespace {

// A node of the struct that belongs to a kind.
Expr* AllocateNode(Arena& arena, ExprKind kind) {
  switch (kind) {
    case ExprKind::kBoolOp: return arena.New<BoolOpExpr>();
    case ExprKind::kNamedExpr: return arena.New<NamedExprExpr>();
    case ExprKind::kBinOp: return arena.New<BinOpExpr>();
    case ExprKind::kUnaryOp: return arena.New<UnaryOpExpr>();
    case ExprKind::kLambda: return arena.New<LambdaExpr>();
    case ExprKind::kIfExp: return arena.New<IfExpExpr>();
    case ExprKind::kDict: return arena.New<DictExpr>();
    case ExprKind::kSet: return arena.New<SetExpr>();
    case ExprKind::kListComp:
    case ExprKind::kSetComp:
    case ExprKind::kGeneratorExp: return arena.New<CompExpr>();
    case ExprKind::kDictComp: return arena.New<DictCompExpr>();
    case ExprKind::kAwait: return arena.New<AwaitExpr>();
    case ExprKind::kYield: return arena.New<YieldExpr>();
    case ExprKind::kYieldFrom: return arena.New<YieldFromExpr>();
    case ExprKind::kCompare: return arena.New<CompareExpr>();
    case ExprKind::kCall: return arena.New<CallExpr>();
    case ExprKind::kFormattedValue: return arena.New<FormattedValueExpr>();
    case ExprKind::kJoinedStr: return arena.New<JoinedStrExpr>();
    case ExprKind::kConstant: return arena.New<ConstantExpr>();
    case ExprKind::kAttribute: return arena.New<AttributeExpr>();
    case ExprKind::kSubscript: return arena.New<SubscriptExpr>();
    case ExprKind::kStarred: return arena.New<StarredExpr>();
    case ExprKind::kName: return arena.New<NameExpr>();
    case ExprKind::kList: return arena.New<ListExpr>();
    case ExprKind::kTuple: return arena.New<TupleExpr>();
    case ExprKind::kSlice: return arena.New<SliceExpr>();
  }
  return nullptr;
}

Stmt* AllocateNode(Arena& arena, StmtKind kind) {
  switch (kind) {
    case StmtKind::kFunctionDef:
    case StmtKind::kAsyncFunctionDef: return arena.New<FunctionDefStmt>();
    case StmtKind::kClassDef: return arena.New<ClassDefStmt>();
    case StmtKind::kReturn: return arena.New<ReturnStmt>();
    case StmtKind::kDelete: return arena.New<DeleteStmt>();
    case StmtKind::kAssign: return arena.New<AssignStmt>();
    case StmtKind::kTypeAlias: return arena.New<TypeAliasStmt>();
    case StmtKind::kAugAssign: return arena.New<AugAssignStmt>();
    case StmtKind::kAnnAssign: return arena.New<AnnAssignStmt>();
    case StmtKind::kFor:
    case StmtKind::kAsyncFor: return arena.New<ForStmt>();
    case StmtKind::kWhile: return arena.New<WhileStmt>();
    case StmtKind::kIf: return arena.New<IfStmt>();
    case StmtKind::kWith:
    case StmtKind::kAsyncWith: return arena.New<WithStmt>();
    case StmtKind::kMatch: return arena.New<MatchStmt>();
    case StmtKind::kRaise: return arena.New<RaiseStmt>();
    case StmtKind::kTry:
    case StmtKind::kTryStar: return arena.New<TryStmt>();
    case StmtKind::kAssert: return arena.New<AssertStmt>();
    case StmtKind::kImport: return arena.New<ImportStmt>();
    case StmtKind::kImportFrom: return arena.New<ImportFromStmt>();
    case StmtKind::kGlobal:
    case StmtKind::kNonlocal: return arena.New<GlobalStmt>();
    case StmtKind::kExpr: return arena.New<ExprStmt>();
    case StmtKind::kPass:
    case StmtKind::kBreak:
    case StmtKind::kContinue: return arena.New<Stmt>();
  }
  return nullptr;
}

Pattern* AllocateNode(Arena& arena, PatternKind kind) {
  switch (kind) {
    case PatternKind::kMatchValue: return arena.New<MatchValuePattern>();
    case PatternKind::kMatchSingleton: return arena.New<MatchSingletonPattern>();
    case PatternKind::kMatchSequence: return arena.New<MatchSequencePattern>();
    case PatternKind::kMatchMapping: return arena.New<MatchMappingPattern>();
    case PatternKind::kMatchClass: return arena.New<MatchClassPattern>();
    case PatternKind::kMatchStar: return arena.New<MatchStarPattern>();
    case PatternKind::kMatchAs: return arena.New<MatchAsPattern>();
    case PatternKind::kMatchOr: return arena.New<MatchOrPattern>();
  }
  return nullptr;
}

TypeParam* AllocateNode(Arena& arena, TypeParamKind kind) {
  switch (kind) {
    case TypeParamKind::kTypeVar: return arena.New<TypeVarParam>();
    case TypeParamKind::kParamSpec: return arena.New<ParamSpecParam>();
    case TypeParamKind::kTypeVarTuple: return arena.New<TypeVarTupleParam>();
  }
  return nullptr;
}

class TreeMaker {
 public:
  TreeMaker(ThreadState& ts, TreeTypesObject* types, Arena& arena, ListObject* keep)
      : ts_(ts), types_(types), arena_(arena), keep_(keep), names_(arena.New<NameTable>(arena)) {}

  Result<Mod*> Root(Value v, ModKind kind) {
    const TreeClass& wanted = TreeClasses()[static_cast<size_t>(ClassNumber(kind))];
    TypeObject* type = (*types_->classes)[static_cast<size_t>(ClassNumber(kind))].as<TypeObject>();
    if (!IsInstance(ts_, v, type)) {
      return Raise(ts_, Exc::kTypeError, "expected %s node, got %U", wanted.name.c_str(),
                   Value(TypeOf(ts_, v)->name));
    }
    Mod* mod = arena_.New<Mod>();
    mod->kind = kind;
    mod->names = names_;
    Reader r(ClassNumber(kind), v);
    switch (kind) {
      case ModKind::kModule:
        MVM_TRY_VOID(Field(r, &mod->body));
        MVM_TRY_VOID(Field(r, &mod->type_ignores));
        break;
      case ModKind::kInteractive: MVM_TRY_VOID(Field(r, &mod->body)); break;
      case ModKind::kExpression: MVM_TRY_VOID(Field(r, &mod->expression)); break;
      case ModKind::kFunctionType:
        MVM_TRY_VOID(Field(r, &mod->argtypes));
        MVM_TRY_VOID(Field(r, &mod->expression));
        break;
    }
    MVM_TRY_VOID(Finish(r));
    mod->max_expr_depth = deepest_;
    return mod;
  }

 private:
  // The fields of one object, read one after the other.
  struct Reader {
    Reader(int class_number, Value v)
        : number(class_number), row(TreeClasses()[static_cast<size_t>(class_number)]), object(v) {}
    int number;
    const TreeClass& row;
    Value object;
    uint32_t next = 0;
    const char* missing = nullptr;  // the first field that must not be None and is

    const TreeField& field() const { return row.fields[next]; }
  };

  Result<> Attribute(Reader& r) {
    TupleObject* names = (*types_->fields)[static_cast<size_t>(r.number)].as<TupleObject>();
    return GetAttrOptional(ts_, r.object, (*names)[r.next].as<StrObject>());
  }

  Raised RaiseMissing(const char* field, const std::string& owner) {
    return Raise(ts_, Exc::kTypeError, "required field \"%s\" missing from %s", field,
                 owner.c_str());
  }

  // The next field of r.
  template <class T>
  Status Field(Reader& r, T* out) {
    const TreeField& f = r.field();
    MVM_TRY(Ref<> v, Attribute(r));
    ++r.next;
    if (v.is_absent()) {
      if (f.quantifier == Quantifier::kOne) return RaiseMissing(f.name.c_str(), r.row.name);
      *out = T();
      return Ok();
    }
    if (f.quantifier == Quantifier::kOptional && IsNone(ts_, v)) {
      *out = T();
      return Ok();
    }
    MVM_TRY_VOID(Convert(v, out, r, f));
    if constexpr (std::is_pointer_v<T>) {
      if (*out == nullptr && r.missing == nullptr) r.missing = f.name.c_str();
    }
    return Ok();
  }
  Status Finish(const Reader& r) {
    if (r.missing == nullptr) return Ok();
    return Raise(ts_, Exc::kValueError, "field '%s' is required for %s", r.missing,
                 r.row.name.c_str());
  }

  template <class T>
  Status Fields(Reader& r, T* node) {
    bool failed = false;
    VisitFields(node, [&](const char*, auto& field) {
      if (!failed) failed = Field(r, &field).raised();
    });
    if (failed) return kRaised;
    return Finish(r);
  }

  // ---- nodes

  Status Positions(Value v, const TreeClass& sum, Location* loc) {
    uint32_t* const words[] = {&loc->lineno, &loc->col_offset, &loc->end_lineno,
                               &loc->end_col_offset};
    for (uint32_t i = 0; i < 4; ++i) {
      StrObject* name = (*types_->positions)[i].as<StrObject>();
      MVM_TRY(Ref<> number, GetAttrOptional(ts_, v, name));
      const bool open = sum.position == TreePosition::kOpenEnd && i >= 2;
      if (open && (number.is_absent() || IsNone(ts_, number))) {
        *words[i] = *words[i - 2];
        continue;
      }
      if (number.is_absent()) return RaiseMissing(ToUtf8(name).c_str(), sum.name);
      int32_t value = 0;
      MVM_TRY_VOID(Integer(number, &value));
      *words[i] = static_cast<uint32_t>(value);
    }
    return Ok();
  }

  // Which constructor of a sum an object is of, counted from 0.
  Result<int> Constructor(Value v, const TreeClass& sum) {
    TypeObject* type = TypeOf(ts_, v);
    for (int pass = 0; pass < 2; ++pass) {
      for (int i = 0; i < sum.constructor_count; ++i) {
        TypeObject* c =
            (*types_->classes)[static_cast<size_t>(sum.first_constructor + i)].as<TypeObject>();
        if (pass == 0 ? type == c : IsSubtype(type, c)) return i;
      }
    }
    return Raise(ts_, Exc::kTypeError, "expected some sort of %s, but got %R", sum.name.c_str(), v);
  }

  template <class Kind, class T>
  Result<T*> Family(Value v) {
    const TreeClass& sum = TreeClasses()[static_cast<size_t>(ClassNumber(SumOf(Kind())))];
    if (IsNone(ts_, v)) return static_cast<T*>(nullptr);
    const std::string where = " while traversing '" + sum.name + "' node";
    RecursionGuard guard(ts_, where.c_str());
    if (!guard) return kRaised;
    Location loc;
    MVM_TRY_VOID(Positions(v, sum, &loc));
    MVM_TRY(int constructor, Constructor(v, sum));
    const auto kind = static_cast<Kind>(constructor);
    T* node = AllocateNode(arena_, kind);
    node->kind = kind;
    node->loc = loc;
    Reader r(ClassNumber(kind), v);
    if constexpr (std::is_same_v<T, Expr>) {
      const uint32_t outer = std::exchange(deepest_, 0);
      MVM_TRY_VOID(Fields(r, node));
      if (kind == ExprKind::kConstant) {
        MVM_TRY_VOID(StringPrefix(r, &As<ConstantExpr>(node)->value));
      }
      node->depth = deepest_ + 1;
      deepest_ = outer > node->depth ? outer : node->depth;
    } else {
      MVM_TRY_VOID(Fields(r, node));
    }
    return node;
  }
  Status Convert(Value v, Expr** out, Reader&, const TreeField&) {
    MVM_TRY(*out, (Family<ExprKind, Expr>(v)));
    return Ok();
  }
  Status Convert(Value v, Stmt** out, Reader&, const TreeField&) {
    MVM_TRY(*out, (Family<StmtKind, Stmt>(v)));
    return Ok();
  }
  Status Convert(Value v, Pattern** out, Reader&, const TreeField&) {
    MVM_TRY(*out, (Family<PatternKind, Pattern>(v)));
    return Ok();
  }
  Status Convert(Value v, TypeParam** out, Reader&, const TreeField&) {
    MVM_TRY(*out, (Family<TypeParamKind, TypeParam>(v)));
    return Ok();
  }

  // Products are not asked for their class: whatever has the attributes will do.
  template <class T>
  Status Part(Value v, T** out, int number, const TreeClass& positions) {
    const std::string where = " while traversing '" + positions.name + "' node";
    RecursionGuard guard(ts_, where.c_str());
    if (!guard) return kRaised;
    T* node = arena_.New<T>();
    if constexpr (requires { node->loc; }) {
      // CPython reads the fields of a product before its position.
      Reader r(number, v);
      if (positions.is_product) MVM_TRY_VOID(Fields(r, node));
      MVM_TRY_VOID(Positions(v, positions, &node->loc));
      if (!positions.is_product) MVM_TRY_VOID(Fields(r, node));
    } else {
      Reader r(number, v);
      MVM_TRY_VOID(Fields(r, node));
    }
    *out = node;
    return Ok();
  }
  template <class T>
  Status Product(Value v, T** out, TreeSum which) {
    const int number = ClassNumber(which);
    return Part(v, out, number, TreeClasses()[static_cast<size_t>(number)]);
  }
  Status Convert(Value v, Arguments** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kArguments);
  }
  Status Convert(Value v, Arg** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kArg);
  }
  Status Convert(Value v, Keyword** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kKeyword);
  }
  Status Convert(Value v, Comprehension** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kComprehension);
  }
  Status Convert(Value v, WithItem** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kWithitem);
  }
  Status Convert(Value v, MatchCase** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kMatchCase);
  }
  Status Convert(Value v, Alias** out, Reader&, const TreeField&) {
    return Product(v, out, TreeSum::kAlias);
  }
  Status Convert(Value v, ExceptHandler** out, Reader&, const TreeField&) {
    const int number = ClassNumber(TreeSum::kExcepthandler);
    const TreeClass& sum = TreeClasses()[static_cast<size_t>(number)];
    if (IsNone(ts_, v)) {
      return Raise(ts_, Exc::kValueError, "None disallowed in excepthandler list");
    }
    ExceptHandler* node = arena_.New<ExceptHandler>();
    MVM_TRY_VOID(Positions(v, sum, &node->loc));
    MVM_TRY_VOID(Constructor(v, sum));
    Reader r(number + 1, v);
    MVM_TRY_VOID(Fields(r, node));
    *out = node;
    return Ok();
  }
  Status Convert(Value v, TypeIgnore* out, Reader&, const TreeField&) {
    const int number = ClassNumber(TreeSum::kTypeIgnore);
    MVM_TRY_VOID(Constructor(v, TreeClasses()[static_cast<size_t>(number)]));
    Reader r(number + 1, v);
    int32_t lineno = 0;
    MVM_TRY_VOID(Field(r, &lineno));
    out->lineno = static_cast<uint32_t>(lineno);
    MVM_TRY_VOID(Field(r, &out->tag));
    return Ok();
  }

  // ---- lists

  template <class T>
  Status Convert(Value v, Span<T>* out, Reader& r, const TreeField& f) {
    if (!IsList(ts_, v)) {
      return Raise(ts_, Exc::kTypeError, "%s field \"%s\" must be a list, not a %U",
                   r.row.name.c_str(), f.name.c_str(), Value(TypeOf(ts_, v)->name));
    }
    Ref<ListObject> list = Ref<ListObject>::Borrow(v.as<ListObject>());
    const size_t size = list->size;
    if (size > UINT32_MAX) return RaiseMemoryError(ts_);
    MVM_TRY_VOID(CheckRoom(ts_, size * sizeof(T)));
    T* items = size ? arena_.NewArray<T>(size) : nullptr;
    for (size_t i = 0; i < size; ++i) {
      Ref<> item = Ref<>::Borrow(list->items[i]);
      new (&items[i]) T();
      MVM_TRY_VOID(Convert(item, &items[i], r, f));
      if (list->size != size) {
        return Raise(ts_, Exc::kRuntimeError, "%s field \"%s\" changed size during iteration",
                     r.row.name.c_str(), f.name.c_str());
      }
      if constexpr (std::is_same_v<T, Identifier> || std::is_same_v<T, TypeParam*>) {
        if (items[i] == nullptr) {
          return Raise(ts_, Exc::kValueError, "None disallowed in %s list", f.type.c_str());
        }
      }
    }
    *out = {items, static_cast<uint32_t>(size)};
    return Charge(ts_, static_cast<int64_t>(size));
  }

  // ---- leaves

  Status Integer(Value v, int32_t* out) {
    if (!IsInt(ts_, v)) return Raise(ts_, Exc::kValueError, "invalid integer value: %R", v);
    int64_t n;
    if (!IntFitsInt64(v, &n) || n < INT32_MIN || n > INT32_MAX) {
      return Raise(ts_, Exc::kOverflowError, "Python int too large to convert to C int");
    }
    *out = static_cast<int32_t>(n);
    return Ok();
  }
  Status Convert(Value v, int32_t* out, Reader&, const TreeField&) { return Integer(v, out); }
  Status Convert(Value v, uint32_t* out, Reader&, const TreeField&) {  // level
    int32_t n = 0;
    MVM_TRY_VOID(Integer(v, &n));
    *out = static_cast<uint32_t>(n);
    return Ok();
  }
  Status Convert(Value v, bool* out, Reader&, const TreeField&) {
    int32_t n = 0;
    MVM_TRY_VOID(Integer(v, &n));
    *out = n != 0;
    return Ok();
  }
  Status Convert(Value v, Identifier* out, Reader&, const TreeField&) {
    *out = nullptr;
    if (IsNone(ts_, v)) return Ok();
    if (!IsExact(v, TypeId::kStr)) {
      return Raise(ts_, Exc::kTypeError, "AST identifier must be of type str");
    }
    *out = names_->Intern(ToUtf8(v.as<StrObject>()));
    return Ok();
  }
  Status Convert(Value v, std::string_view* out, Reader&, const TreeField&) {
    if (!IsExact(v, TypeId::kStr) && !IsExact(v, TypeId::kBytes)) {
      return Raise(ts_, Exc::kTypeError, "AST string must be of type str");
    }
    *out = IsExact(v, TypeId::kStr) ? Copy(ToUtf8(v.as<StrObject>()))
                                    : Copy(v.as<BytesObject>()->view());
    return Ok();
  }
  std::string_view Copy(std::string_view text) {
    // Never null, which would mean "absent".
    return text.empty() ? std::string_view("") : arena_.Copy(text);
  }
  template <class T>
  requires std::is_enum_v<T> Status Convert(Value v, T* out, Reader&, const TreeField&) {
    if constexpr (std::is_same_v<T, ConstantKind>) {  // of MatchSingleton
      if (!IsNone(ts_, v) && !IsTrue(ts_, v) && !IsFalse(ts_, v)) {
        return Raise(ts_, Exc::kValueError, "MatchSingleton can only contain True, False and None");
      }
      *out = IsNone(ts_, v)   ? ConstantKind::kNone
             : IsTrue(ts_, v) ? ConstantKind::kTrue
                              : ConstantKind::kFalse;
    } else {
      const TreeClass& sum = TreeClasses()[static_cast<size_t>(ClassNumber(SumOf(T())))];
      MVM_TRY(int constructor, Constructor(v, sum));
      *out = static_cast<T>(constructor);
    }
    return Ok();
  }

  // The type that makes a value unfit for a constant, null if it is fit.
  Result<TypeObject*> UnfitType(Value v) {
    TypeObject* const fit = nullptr;
    if (v.is_int() || v.is_float()) return fit;
    for (TypeId id : {TypeId::kNone, TypeId::kBool, TypeId::kInt, TypeId::kFloat, TypeId::kComplex,
                      TypeId::kStr, TypeId::kBytes, TypeId::kEllipsis}) {
      if (IsExact(v, id)) return fit;
    }
    if (!IsExact(v, TypeId::kTuple) && !IsExact(v, TypeId::kFrozenset)) return TypeOf(ts_, v);
    RecursionGuard guard(ts_, " during compilation");
    if (!guard) return kRaised;
    TypeObject* unfit = nullptr;
    auto look = [&](Value item) -> Status {
      if (unfit == nullptr) {
        MVM_TRY(unfit, UnfitType(item));
      }
      return Ok();
    };
    MVM_TRY_VOID(ForEach(ts_, v, look));
    return unfit;
  }
  Status Convert(Value v, ConstantValue* out, Reader&, const TreeField&) {
    return ConstantFromObject(ts_, v, arena_, keep_, out);
  }
  // Constant.kind; also where a constant of an unfit type is told, as CPython does after reading
  // all.
  Status StringPrefix(Reader& r, ConstantValue* value) {
    MVM_TRY(Ref<> kind, GetAttrOptional(ts_, r.object, types_->kind));
    if (!kind.is_absent() && !IsNone(ts_, kind)) {
      if (!IsExact(kind, TypeId::kStr) && !IsExact(kind, TypeId::kBytes)) {
        return Raise(ts_, Exc::kTypeError, "AST string must be of type str");
      }
      value->u_prefix = true;
    }
    if (value->kind == ConstantKind::kObject) {
      MVM_TRY(TypeObject * unfit, UnfitType(Value::FromBits(value->object)));
      if (unfit != nullptr) {
        return Raise(ts_, Exc::kTypeError, "got an invalid type in Constant: %U",
                     Value(unfit->name));
      }
    }
    return Ok();
  }

  ThreadState& ts_;
  TreeTypesObject* types_;
  Arena& arena_;
  ListObject* keep_;
  NameTable* names_;
  uint32_t deepest_ = 0;  // of the expressions made since the enclosing one was begun
};

}  // namespace

Status ConstantFromObject(ThreadState& ts, Value v, Arena& arena, ListObject* keep,
                          ConstantValue* out) {
  *out = {};
  int64_t n;
  if (IsNone(ts, v)) {
    out->kind = ConstantKind::kNone;
  } else if (IsTrue(ts, v) || IsFalse(ts, v)) {
    out->kind = IsTrue(ts, v) ? ConstantKind::kTrue : ConstantKind::kFalse;
  } else if (v.is(ts.rt->ellipsis)) {
    out->kind = ConstantKind::kEllipsis;
  } else if ((v.is_int() || IsExact(v, TypeId::kInt)) && IntFitsInt64(v, &n)) {
    out->kind = ConstantKind::kInt;
    out->int_value = n;
  } else if (v.is_float() || IsExact(v, TypeId::kFloat)) {
    out->kind = ConstantKind::kFloat;
    out->float_value = FloatValue(v);
  } else if (IsExact(v, TypeId::kStr)) {
    out->kind = ConstantKind::kStr;
    out->text = arena.Copy(ToUtf8(v.as<StrObject>()));
  } else if (IsExact(v, TypeId::kBytes)) {
    out->kind = ConstantKind::kBytes;
    out->text = arena.Copy(v.as<BytesObject>()->view());
  } else {
    out->kind = ConstantKind::kObject;
    out->object = v.bits();
    return ListAppend(ts, keep, v);
  }
  return Ok();
}

Result<Mod*> TreeFromObject(ThreadState& ts, Value v, ModKind kind, Arena& arena, Ref<>* keep) {
  try {
    MVM_TRY(TreeTypesObject * types, TreeTypes(ts));
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
    *keep = Ref<>::Borrow(list.value());
    MVM_TRY(Mod * tree, TreeMaker(ts, types, arena, list).Root(v, kind));
    MVM_TRY_VOID(ValidateTree(ts, tree));
    return tree;
  } catch (const std::bad_alloc&) {
    return OutOfArena(ts);
  }
}

}  // namespace minivm
