// _symtable: the compiler's symbol table of a source text, as plain data.
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/compiler.h"

namespace minivm {
namespace {

// symtable(source, filename, startstr): (type, name, line, nested, symbols, children)
Result<> symtable_symtable(ThreadState& ts, Args args) {
  CompileOptions options;
  MVM_TRY(StrObject * filename, ExpectStr(ts, args[1], "filename"));
  MVM_TRY(StrObject * mode, ExpectStr(ts, args[2], "startstr"));
  if (mode->EqualsAscii("exec")) {
    options.mode = CompileMode::kExec;
  } else if (mode->EqualsAscii("eval")) {
    options.mode = CompileMode::kEval;
  } else if (mode->EqualsAscii("single")) {
    options.mode = CompileMode::kSingle;
  } else {
    return Raise(ts, Exc::kValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
  }
  if (IsStr(ts, args[0])) {
    return DescribeSource(ts, ToUtf8(args.as<StrObject>(0)), false, filename, options);
  }
  if (IsBytes(ts, args[0])) {
    return DescribeSource(ts, args.as<BytesObject>(0)->view(), true, filename, options);
  }
  return Raise(ts, Exc::kTypeError, "symtable() arg 1 must be a string or bytes object");
}

const MethodSpec kFunctions[] = {
    {"symtable(source, filename, startstr, /)", symtable_symtable,
     "The symbol table of a source text, as nested tuples for module symtable."},
};

const ConstantSpec kConstants[] = {
    {"DEF_ANNOT", ConstantSpec::kInt, 256},
    {"DEF_BOUND", ConstantSpec::kInt, 134},
    {"DEF_FREE", ConstantSpec::kInt, 32},
    {"DEF_FREE_CLASS", ConstantSpec::kInt, 64},
    {"DEF_GLOBAL", ConstantSpec::kInt, 1},
    {"DEF_IMPORT", ConstantSpec::kInt, 128},
    {"DEF_LOCAL", ConstantSpec::kInt, 2},
    {"DEF_NONLOCAL", ConstantSpec::kInt, 8},
    {"DEF_PARAM", ConstantSpec::kInt, 4},
    {"USE", ConstantSpec::kInt, 16},
    {"LOCAL", ConstantSpec::kInt, 1},
    {"GLOBAL_EXPLICIT", ConstantSpec::kInt, 2},
    {"GLOBAL_IMPLICIT", ConstantSpec::kInt, 3},
    {"FREE", ConstantSpec::kInt, 4},
    {"CELL", ConstantSpec::kInt, 5},
    {"SCOPE_OFF", ConstantSpec::kInt, 12},
    {"SCOPE_MASK", ConstantSpec::kInt, 15},
};

}  // namespace

extern const ModuleSpec k__symtable_module;
const ModuleSpec k__symtable_module = {
    .name = "_symtable", .functions = kFunctions, .constants = kConstants};

}  // namespace minivm
