// Classes, type parameters and type aliases.
#include <algorithm>

#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

void CodeGenerator::ClassDef(const ClassDefStmt* s) {
  ForbidName(s->name, ExprContext::kStore, s->loc);
  OpenDecorators(s->decorator_list);
  if (s->type_params.size == 0) {
    ClassCall(s, s->bases);
  } else {
    GenericClass(s);
  }
  CallDecorators(s->decorator_list);
  b().SetLocation(s->loc);
  StoreName(s->name, Operand{static_cast<uint8_t>(b().Next() - 1), true});
}

// __build_class__(body function, name, *bases, **keywords) into a temporary.
void CodeGenerator::ClassCall(const ClassDefStmt* s, Span<Expr*> bases) {
  CheckKeywords(s->keywords);
  const unsigned base = b().Next();
  b().SetLocation(s->loc);
  b().Emit(Op::LOADBUILDCLASS, base);
  b().Push(3);
  Ref<CodeObject> code = ClassBody(s);
  b().SetLocation(s->loc);
  MakeFunction(std::move(code), 0, Dest{});
  LoadConstant(context_.Str(s->name), Dest{});
  FinishArguments(bases, s->keywords, base, false, s->loc, Dest{}, 2);
}

// class C[T](...): a function makes the type parameters and then the class.
void CodeGenerator::GenericClass(const ClassDefStmt* s) {
  Location first = s->loc;
  if (s->decorator_list.size) first.lineno = s->decorator_list[0]->loc.lineno;
  BeginUnit(symbols_.Of(s, SymbolTable::kTypeParams), GenericName(s->name), first);
  TypeParams(s->type_params);
  b().SetLocation(s->loc);
  b().Emit(Op::MOVE, b().Next(), b().Next() - 1u);
  b().Push();
  StoreName(Id(".type_params"), Operand{static_cast<uint8_t>(b().Next() - 1), true});
  b().Pop();
  b().Emit(Op::INTRINSIC1, b().Next(), b().Next(), 1,
           static_cast<int32_t>(Intrinsic::kSubscriptGeneric));
  b().Push();
  StoreName(Id(".generic_base"), Operand{static_cast<uint8_t>(b().Next() - 1), true});
  Span<Expr*> bases;
  bases.size = s->bases.size + 1;
  bases.data = context_.arena.NewArray<Expr*>(bases.size);
  for (uint32_t i = 0; i < s->bases.size; ++i) bases[i] = s->bases[i];
  NameExpr* generic = context_.arena.New<NameExpr>();
  generic->kind = ExprKind::kName;
  generic->loc = s->loc;
  generic->id = Id(".generic_base");
  bases[s->bases.size] = generic;
  ClassCall(s, bases);
  ReturnTop();
  Ref<CodeObject> code = EndUnit();
  CallTypeParamsFunction(std::move(code), s->loc);
}

void CodeGenerator::CallTypeParamsFunction(Ref<CodeObject> code, const Location& loc) {
  b().SetLocation(loc);
  const unsigned base = b().Next();
  MakeFunction(std::move(code), 0, Dest{});
  b().Emit(Op::WINDOW, base);
  b().Push(2);
  FinishCall(Op::CALL, base, 3, 0, 0, Dest{});
}

Ref<CodeObject> CodeGenerator::ClassBody(const ClassDefStmt* s) {
  Location first = s->loc;
  if (s->decorator_list.size) first.lineno = s->decorator_list[0]->loc.lineno;
  BeginUnit(symbols_.Of(s), s->name, first);
  auto store = [this](const char* name) {
    StoreName(Id(name), Operand{static_cast<uint8_t>(b().Next() - 1), true});
  };
  LoadName(Id("__name__"), Dest{});
  store("__module__");
  Ref<StrObject> qualname = context_.Check(NewStr(context_.ts, unit_->qualname));
  LoadConstant(qualname, Dest{});
  store("__qualname__");
  LoadConstant(Value::Int(unit_->first_line), Dest{});
  store("__firstlineno__");
  if (s->type_params.size) {
    LoadName(Id(".type_params"), Dest{});
    store("__type_params__");
  }
  if (unit_->class_dict >= 0) {
    b().EmitTo(Dest{}, Op::LOADLOCALS);
    b().Pop();
    b().Emit(Op::STCELL, static_cast<unsigned>(unit_->class_dict), b().Next(), kConsume1);
  }
  ModuleLikeBody(s->body);
  b().NoLocation();
  std::vector<Identifier>& attributes = unit_->static_attributes;
  std::sort(attributes.begin(), attributes.end(),
            [](Identifier a, Identifier b) { return a->view() < b->view(); });
  std::vector<Value> names;
  for (Identifier id : attributes) names.push_back(context_.Str(id));
  LoadConstant(context_.Check(NewTuple(context_.ts, names)).value(), Dest{});
  store("__static_attributes__");
  if (unit_->class_dict >= 0) {
    b().Emit(Op::MOVE, b().Next(), static_cast<unsigned>(unit_->class_dict));
    b().Push();
    store("__classdictcell__");
  }
  if (unit_->class_cell >= 0) {
    b().Emit(Op::MOVE, b().Next(), static_cast<unsigned>(unit_->class_cell));
    b().Push();
    store("__classcell__");
    b().Emit(Op::MOVE, b().Next(), static_cast<unsigned>(unit_->class_cell));
    b().Push();
    ReturnTop();
  } else {
    b().Emit(Op::RETSP, static_cast<unsigned>(Special::kNone), b().local_count());
    b().SetUnreachable();
  }
  return EndUnit();
}

// Annotations dict, docstring, statements of a module or class body.
void CodeGenerator::ModuleLikeBody(Span<Stmt*> body) {
  if (HasAnnotations(body)) b().Emit(Op::SETUPANNOTATIONS);
  if (HasDocstring(body) && !unit_->interactive) {
    if (Ref<> doc = Docstring(body)) {
      b().SetLocation(As<ExprStmt>(body[0])->value->loc);
      LoadConstant(doc, Dest{});
      StoreName(Id("__doc__"), Operand{static_cast<uint8_t>(b().Next() - 1), true});
    }
    ++body.data;
    --body.size;
  }
  Body(body);
}

// ---------------------------------------------------------------- type parameters

// The tuple of type parameters in a temporary; each is bound to its name as well.
void CodeGenerator::TypeParams(Span<TypeParam*> params) {
  bool seen_default = false;
  PushTuple(params.size, [&](size_t i) {
    TypeParam* p = params[i];
    Identifier name = nullptr;
    const Expr *bound = nullptr, *default_value = nullptr;
    Intrinsic make = Intrinsic::kTypeVar;
    switch (p->kind) {
      case TypeParamKind::kTypeVar:
        name = As<TypeVarParam>(p)->name;
        bound = As<TypeVarParam>(p)->bound;
        default_value = As<TypeVarParam>(p)->default_value;
        break;
      case TypeParamKind::kParamSpec:
        name = As<ParamSpecParam>(p)->name;
        default_value = As<ParamSpecParam>(p)->default_value;
        make = Intrinsic::kParamSpec;
        break;
      case TypeParamKind::kTypeVarTuple:
        name = As<TypeVarTupleParam>(p)->name;
        default_value = As<TypeVarTupleParam>(p)->default_value;
        make = Intrinsic::kTypeVarTuple;
        break;
    }
    if (!default_value && seen_default) {
      context_.Error(p->loc, "non-default type parameter '%.*s' follows default type parameter",
                     static_cast<int>(name->size), name->data);
    }
    seen_default = seen_default || default_value;
    b().SetLocation(p->loc);
    LoadConstant(context_.Str(name), Dest{});
    const unsigned t = b().Next() - 1u;
    auto two = [&](Intrinsic intrinsic) {
      b().SetLocation(p->loc);
      b().Pop(2);
      b().Emit(Op::INTRINSIC2, t, t, t + 1, static_cast<int32_t>(intrinsic));
      b().Push();
    };
    if (bound) {
      LazyFunction(bound, p, SymbolTable::kOwn, name, false);
      two(bound->kind == ExprKind::kTuple ? Intrinsic::kTypeVarConstraints
                                          : Intrinsic::kTypeVarBound);
    } else {
      b().Pop();
      b().Emit(Op::INTRINSIC1, t, t, 1, static_cast<int32_t>(make));
      b().Push();
    }
    if (default_value) {
      LazyFunction(default_value, p, SymbolTable::kDefault, name,
                   p->kind == TypeParamKind::kTypeVarTuple);
      two(Intrinsic::kSetTypeParamDefault);
    }
    StoreName(name, Operand{static_cast<uint8_t>(t), false});
  });
}

// A function without parameters that evaluates `e` when it is asked for.
void CodeGenerator::LazyFunction(const Expr* e, const void* node, SymbolTable::Which which,
                                 Identifier name, bool star) {
  BeginUnit(symbols_.Of(node, which), name, e->loc);
  if (star && e->kind == ExprKind::kStarred) {
    ToTemp(As<StarredExpr>(e)->value);
    b().Pop();
    b().Emit(Op::UNPACK, b().Next(), b().Next(), 1, kConsume1);
    b().Push();
    ReturnTop();
  } else {
    ReturnValue(e);
  }
  Ref<CodeObject> code = EndUnit();
  b().SetLocation(e->loc);
  MakeFunction(std::move(code), 0, Dest{});
}

void CodeGenerator::TypeAlias(const TypeAliasStmt* s) {
  auto* target = As<NameExpr>(s->name);
  const bool generic = s->type_params.size != 0;
  if (generic) {
    BeginUnit(symbols_.Of(s, SymbolTable::kTypeParams), GenericName(target->id), s->loc);
  }
  b().SetLocation(s->loc);
  LoadConstant(context_.Str(target->id), Dest{});
  if (generic) {
    TypeParams(s->type_params);
  } else {
    LoadSpecial(Special::kNone, Dest{});
  }
  LazyFunction(s->value, s, SymbolTable::kOwn, target->id, false);
  b().SetLocation(s->loc);
  b().Pop(3);
  const unsigned t = b().Next();
  b().Emit(Op::BUILD_TUPLE, t, t, 3);
  b().Emit(Op::INTRINSIC1, t, t, 1, static_cast<int32_t>(Intrinsic::kTypeAlias));
  b().Push();
  if (generic) {
    ReturnTop();
    Ref<CodeObject> code = EndUnit();
    CallTypeParamsFunction(std::move(code), s->loc);
  }
  b().SetLocation(s->loc);
  ForbidName(target->id, ExprContext::kStore, target->loc);
  StoreName(target->id, Operand{static_cast<uint8_t>(b().Next() - 1), true});
}

}  // namespace minivm
