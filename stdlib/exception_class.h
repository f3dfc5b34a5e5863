// Exception classes of native modules.
#pragma once

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// A class as `class name(base)` in a module makes it: one per VM and module.
inline Result<> NewExceptionClass(ThreadState& ts, const char* name, const char* module,
                                  TypeObject* base) {
  MVM_TRY(Ref<StrObject> class_name, NewStr(ts, name));
  Value base_value = Value(base);
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base_value, 1}));
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY(Ref<StrObject> module_name, NewStr(ts, module));
  MVM_TRY_VOID(DictSetUtf8(ts, dict, "__module__", Value(module_name.get())));
  return Call(ts, Value(TypeById(ts, TypeId::kType)), Value(class_name.get()), Value(bases.get()),
              Value(dict.get()));
}

// Raises module.name(code, text), where the module has put its exception class.
[[gnu::cold]] inline Raised RaiseModuleError(ThreadState& ts, const char* module, const char* name,
                                             int code, const char* text) {
  MVM_TRY(Ref<> m, ts.rt->hooks.import_module(ts, module));
  MVM_TRY(Ref<> type, GetAttr(ts, m, name));
  MVM_TRY(Ref<StrObject> message, NewStrFromOs(ts, text));
  MVM_TRY(Ref<> e, Call(ts, type, Value::Int(code), Value(message.get())));
  if (!IsException(ts, e))
    return Raise(ts, Exc::kTypeError, "%s.%s must be an exception class", module, name);
  return RaiseObject(ts, e);
}

}  // namespace minivm
