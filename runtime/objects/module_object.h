// Modules; their dictionary is celled (dict_object.h) from the start.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class ModuleObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kModule;
  DictObject* dict = nullptr;
  const ModuleSpec* spec = nullptr;  // native modules
  // Some late names of the spec may not be in the dictionary yet. They are entered one by one when
  // they are asked for, all together before scripts get the dictionary or delete a name.
  bool incomplete = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
  }
};

// __name__, __doc__, __package__, __loader__, __spec__ are entered.
Result<ModuleObject> NewModule(ThreadState& ts, StrObject* name);
// A native module from its table: functions, types, constants, then exec.
Result<ModuleObject> NewNativeModule(ThreadState& ts, const ModuleSpec& spec);
// Enters what is late; nothing if the module is complete.
Status CompleteModule(ThreadState& ts, ModuleObject* m);
Status ModuleAdd(ThreadState& ts, ModuleObject* m, std::string_view name, Value value);

// The end of a VM that has run scripts: empties sys.modules and the modules themselves (names with
// one leading underscore first; builtins and sys last), collecting in between, so that finalizers
// run while what they need is still there. Errors go to sys.unraisablehook. Sets rt.finalizing.
void FinalizeModules(ThreadState& ts);

}  // namespace minivm
