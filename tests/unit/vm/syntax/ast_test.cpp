// Trees and their locations against CPython 3.13's `ast`.
#include "vm/syntax/ast.h"

#include <gtest/gtest.h>

#include "tests/support/ast_dump.h"
#include "vm/syntax/name_table.h"
#include "vm/syntax/parser.h"

namespace minivm {
namespace {

constexpr ParseMode kExec = ParseMode::kExec;
constexpr ParseMode kEval = ParseMode::kEval;
constexpr ParseMode kSingle = ParseMode::kSingle;

struct AstCase {
  ParseMode mode;
  const char* source;
  const char* dump;
};

const AstCase kCases[] = {
#include "tests/unit/vm/syntax/ast_cases.inc"
};

TEST(AstTest, HasTheShapeAndPlacesOfCPythons) {
  for (const AstCase& c : kCases) {
    SCOPED_TRACE(c.source);
    Arena arena;
    ParseOptions options;
    options.mode = c.mode;
    Diagnostic error;
    const Mod* mod = Parse(arena, c.source, options, &error, nullptr);
    ASSERT_NE(mod, nullptr) << error.message;
    EXPECT_EQ(DumpAst(mod, true), c.dump);
  }
}

std::string Dump(std::string_view source, const ParseOptions& options = {}) {
  Arena arena;
  Diagnostic error;
  const Mod* mod = Parse(arena, source, options, &error, nullptr);
  return mod == nullptr ? "error: " + error.message : DumpAst(mod, false);
}

TEST(AstTest, NewlineConventionsAreOne) {
  EXPECT_EQ(Dump("a\r\nif b:\r  c\r\n"), Dump("a\nif b:\n  c\n"));
  EXPECT_EQ(Dump("'''a\r\nb\rc'''"), Dump("'''a\nb\nc'''"));
}

TEST(AstTest, NamesAreNormalised) { EXPECT_EQ(Dump("\u212b = \ufb01x"), Dump("\u00c5 = fix")); }

TEST(AstTest, NamesAreInternedOnce) {
  Arena arena;
  Diagnostic error;
  const Mod* mod = Parse(arena, "abc = abc.abc", {}, &error, nullptr);
  ASSERT_NE(mod, nullptr);
  auto* assign = As<AssignStmt>(mod->body[0]);
  auto* target = As<NameExpr>(assign->targets[0]);
  auto* value = As<AttributeExpr>(assign->value);
  EXPECT_EQ(target->id, value->attr);
  EXPECT_EQ(target->id, As<NameExpr>(value->value)->id);
  EXPECT_EQ(mod->names->Intern("abc"), target->id);
  EXPECT_LT(target->id->index, mod->names->size());
}

TEST(AstTest, RecordsDepth) {
  Arena arena;
  Diagnostic error;
  EXPECT_EQ(Parse(arena, "a", {}, &error, nullptr)->max_expr_depth, 1u);
  EXPECT_EQ(Parse(arena, "f(a + b * c)", {}, &error, nullptr)->max_expr_depth, 4u);
  EXPECT_EQ(Parse(arena, "a.b.c\nd", {}, &error, nullptr)->max_expr_depth, 3u);
}

TEST(AstTest, KeepsBigIntegersAsText) {
  Arena arena;
  Diagnostic error;
  ParseOptions options;
  options.mode = ParseMode::kEval;
  const Mod* mod = Parse(arena, "0xFFFF_FFFF_FFFF_FFFF", options, &error, nullptr);
  const ConstantValue& value = As<ConstantExpr>(mod->expression)->value;
  EXPECT_EQ(value.kind, ConstantKind::kBigInt);
  EXPECT_EQ(value.base, 16);
  EXPECT_EQ(value.text, "FFFFFFFFFFFFFFFF");
}

TEST(AstTest, ReadsTypeComments) {
  ParseOptions options;
  options.type_comments = true;
  EXPECT_EQ(Dump("x = 1 # type: int\ny = 2  # type: ignore[a]\n", options),
            "Module([Assign(targets=[Name(id=i'x',ctx=Store)],value=Constant(value=1),"
            "type_comment=s'int'),Assign(targets=[Name(id=i'y',ctx=Store)],"
            "value=Constant(value=2),type_comment=None)],ignore@2s'[a]')");
  options.mode = ParseMode::kFuncType;
  EXPECT_EQ(Dump("(int, *str, **a.b) -> None", options),
            "FunctionType([Name(id=i'int',ctx=Load),Name(id=i'str',ctx=Load),"
            "Attribute(value=Name(id=i'a',ctx=Load),attr=i'b',ctx=Load)]->Constant(value=None))");
}

}  // namespace
}  // namespace minivm
