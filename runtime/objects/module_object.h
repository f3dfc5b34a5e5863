// Modules; their dictionary is celled (dict_object.h) from the start.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class ModuleObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kModule;
  DictObject* dict = nullptr;
  const ModuleSpec* spec = nullptr;  // native modules
  template <class V>
  void VisitRefs(V&& v) { v(dict); }
};

// __name__, __doc__, __package__, __loader__, __spec__ are entered.
Result<ModuleObject> NewModule(ThreadState& ts, StrObject* name);
// A native module from its table: functions, types, constants, then exec.
Result<ModuleObject> NewNativeModule(ThreadState& ts, const ModuleSpec& spec);
Status ModuleAdd(ThreadState& ts, ModuleObject* m, std::string_view name, Value value);

}  // namespace minivm
