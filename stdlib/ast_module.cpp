// _ast: the classes of syntax trees (vm/tree) and the flags of compile() about them.
#include "runtime/objects/module_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/tree/tree.h"

namespace minivm {
namespace {

Status AddClasses(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TreeTypesObject * types, TreeTypes(ts));
  const std::vector<TreeClass>& classes = TreeClasses();
  for (size_t i = 0; i < classes.size(); ++i) {
    MVM_TRY_VOID(ModuleAdd(ts, module, classes[i].name, (*types->classes)[i]));
  }
  return Ok();
}

const ConstantSpec kConstants[] = {
    {"PyCF_ONLY_AST", ConstantSpec::kInt, 0x400},
    {"PyCF_TYPE_COMMENTS", ConstantSpec::kInt, 0x1000},
    {"PyCF_ALLOW_TOP_LEVEL_AWAIT", ConstantSpec::kInt, 0x2000},
    {"PyCF_OPTIMIZED_AST", ConstantSpec::kInt, 0x8400},
};

}  // namespace

extern const ModuleSpec k__ast_module;
const ModuleSpec k__ast_module = {.name = "_ast", .constants = kConstants, .exec = AddClasses};

}  // namespace minivm
