// import statements.
#include "runtime/objects/tuple_object.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

// __import__ with the level and the from-list in two temporaries; the module in their place.
void CodeGenerator::ImportModule(uint32_t level, Value fromlist, Identifier name) {
  LoadConstant(Value::Int(level), Dest{});
  LoadConstant(fromlist, Dest{});
  b().Pop(2);
  const unsigned t = b().Next();
  b().Emit(Op::IMPORT, t, t, t + 1, 0, b().NameIndex(name));
  b().Push();
}

void CodeGenerator::Import(const ImportStmt* s) {
  for (Alias* a : s->names) {
    b().SetLocation(s->loc);
    ImportModule(0, context_.ts.rt->none, a->name);
    const unsigned module = b().Next() - 1u;
    std::string_view name = a->name->view();
    const size_t dot = name.find('.');
    if (!a->asname) {
      Identifier top = dot == name.npos ? a->name : context_.Intern(name.substr(0, dot));
      ForbidName(top, ExprContext::kStore, s->loc);
      StoreName(top, Operand{static_cast<uint8_t>(module), true});
      continue;
    }
    // import a.b.c as d: d is c, reached through the packages.
    for (size_t start = dot; start != name.npos;) {
      const size_t end = name.find('.', start + 1);
      Identifier part =
          context_.Intern(name.substr(start + 1, end == name.npos ? name.npos : end - start - 1));
      b().Emit(Op::IMPORTFROM, module + 1, module, 0, 0, b().NameIndex(part));
      b().Push();
      b().Emit(Op::SWAP, module, module + 1);
      b().Pop();
      b().Emit(Op::CLEAR, module + 1);
      start = end;
    }
    ForbidName(a->asname, ExprContext::kStore, s->loc);
    StoreName(a->asname, Operand{static_cast<uint8_t>(module), true});
  }
}

void CodeGenerator::ImportFrom(const ImportFromStmt* s) {
  if (s->module && s->module->view() == "__future__" && s->level == 0 &&
      std::pair(s->loc.lineno, s->loc.col_offset) >
          std::pair(context_.future_end.lineno, context_.future_end.col_offset)) {
    context_.Error(s->loc, "from __future__ imports must occur at the beginning of the file");
  }
  std::vector<Value> names;
  for (Alias* a : s->names) names.push_back(context_.Str(a->name));
  Ref<TupleObject> fromlist = context_.Check(NewTuple(context_.ts, names));
  ImportModule(s->level, fromlist, s->module ? s->module : Id(""));
  const unsigned module = b().Next() - 1u;
  if (s->names.size == 1 && s->names[0]->name->view() == "*") {
    b().Pop();
    b().Emit(Op::INTRINSIC1, module, module, 1, static_cast<int32_t>(Intrinsic::kImportStar));
    b().Emit(Op::CLEAR, module);
    return;
  }
  for (Alias* a : s->names) {
    b().SetLocation(s->loc);
    b().Emit(Op::IMPORTFROM, module + 1, module, 0, 0, b().NameIndex(a->name));
    b().Push();
    Identifier target = a->asname ? a->asname : a->name;
    ForbidName(target, ExprContext::kStore, s->loc);
    StoreName(target, Operand{static_cast<uint8_t>(module + 1), true});
  }
  b().Pop();
  b().Emit(Op::CLEAR, module);
}

}  // namespace minivm
