// _weakref: the native part of weakref.
//
// The types are built-in ones (objects/weakref_object.h); weak dictionaries are written in script.
#include "runtime/core/thread_state.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

Result<> weakref_proxy(ThreadState& ts, Args args) { return NewWeakProxy(ts, args[0], args[1]); }

Result<> weakref_getweakrefcount(ThreadState& ts, Args args) {
  return Small(args[0].is_object() ? CountWeakrefs(*ts.rt, args[0].object()) : 0);
}

Result<> weakref_getweakrefs(ThreadState& ts, Args args) {
  int64_t n = args[0].is_object() ? CountWeakrefs(*ts.rt, args[0].object()) : 0;
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, static_cast<size_t>(n)));
  if (n == 0) return list;
  for (WeakrefObject* r = ts.rt->weakrefs->First(args[0].object()); r; r = r->next) {
    if (r->refcount != 0) MVM_TRY_VOID(ListAppend(ts, list, r));
  }
  return list;
}

// _remove_dead_weakref(dct, key, /): deletes the entry if its value is a dead reference; another
// thread may have replaced it by a live one.
Result<> weakref_remove_dead(ThreadState& ts, Args args) {
  if (!IsDict(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "_remove_dead_weakref() argument 1 must be dict, not %T",
                 args[0]);
  }
  DictObject* dict = args.as<DictObject>(0);
  MVM_TRY(Ref<> ref, DictGet(ts, dict, args[1]));
  if (ref.is_absent()) return None(ts);
  if (!IsInstance(ts, ref, TypeById(ts, TypeId::kWeakReference))) {
    return Raise(ts, Exc::kTypeError, "not a weakref");
  }
  MVM_TRY(Ref<> target, WeakrefTarget(ts, ref.as<WeakrefObject>()));
  if (IsNone(ts, target)) MVM_TRY_VOID(DictDelete(ts, dict, args[1]));
  return None(ts);
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  TypeObject* ref = TypeById(ts, TypeId::kWeakReference);
  MVM_TRY_VOID(ModuleAdd(ts, module, "ref", ref));
  MVM_TRY_VOID(ModuleAdd(ts, module, "ReferenceType", ref));
  MVM_TRY_VOID(ModuleAdd(ts, module, "ProxyType", TypeById(ts, TypeId::kWeakProxy)));
  return ModuleAdd(ts, module, "CallableProxyType", TypeById(ts, TypeId::kWeakCallableProxy));
}

const MethodSpec kWeakrefFunctions[] = {
    {"_remove_dead_weakref(dct, key, /)", weakref_remove_dead,
     "Remove the key from the dict if its value is a dead reference."},
    {"getweakrefcount(object, /)", weakref_getweakrefcount,
     "How many weak references to the object there are."},
    {"getweakrefs(object, /)", weakref_getweakrefs, "A list of the weak references to the object."},
    {"proxy(object, callback=None, /)", weakref_proxy,
     "A proxy that refers to the object weakly; callback is called when the object is about to "
     "go."},
};

}  // namespace

extern const ModuleSpec k__weakref_module;
const ModuleSpec k__weakref_module = {
    .name = "_weakref",
    .doc = "Weak references and proxies.",
    .functions = kWeakrefFunctions,
    .exec = ExecModule,
};

}  // namespace minivm
