// Writing objects as pickle instructions.
//
// A PicklerCore is one pickling under way: on the C++ stack for dumps() and dump(), inside a
// PicklerObject for pickle.Pickler. Save() may run script code at nearly every object, and that
// may use the same pickler again: nothing is kept across such calls but what the core owns.
#pragma once

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/pickle/pickle_types.h"

namespace minivm::pickle {

class PicklerCore {
 public:
  // Arguments of Pickler(): checks them. `write` may be null.
  Status Configure(ThreadState& ts, Value protocol, Value fix_imports, Value buffer_callback);
  // The whole pickle: PROTO, frames, STOP.
  Status Dump(ThreadState& ts, Value v);
  template <class V>
  void VisitRefs(V&& v) {
    v(out.write);
    v(buffer_callback);
    v(dispatch_table);
    v(reducer_override);
    v(persistent_id);
    v(extensions);
    v(global_dispatch);
    v(fast_path_type);
    memo.VisitRefs(v);
  }

  Output out;
  Memo memo;
  int protocol = kDefaultProtocol;
  bool binary = true;
  bool fix_imports = false;
  int fast = 0;            // no memo: objects are written as often as they are met
  Ref<> buffer_callback;   // empty: buffers stay in the stream
  Ref<> dispatch_table;    // the pickler's own; empty: copyreg's
  Ref<> reducer_override;  // bound method, or empty
  Ref<> persistent_id;     // callable, or empty

 private:
  friend class ReduceWriter;
  struct FastNesting;

  Status Save(ThreadState& ts, Value v, bool may_be_persistent = true);
  Status SaveObject(ThreadState& ts, Value v);
  // True if persistent_id() had a name for it, which has been written.
  Result<bool> SavePersistent(ThreadState& ts, Value v);
  Status SaveBool(ThreadState& ts, bool b);
  Status SaveInt(ThreadState& ts, Value v);
  Status SaveLongInt(ThreadState& ts, Value v);
  Status SaveFloat(ThreadState& ts, Value v);
  Status SaveStr(ThreadState& ts, StrObject* s) { return SaveStr(ts, s, KeyOf(s)); }
  Status SaveStr(ThreadState& ts, StrObject* s, MemoKey key);
  Status SaveStrText(ThreadState& ts, StrObject* s);
  Status SaveBytes(ThreadState& ts, Value v);
  Status SaveBytesData(ThreadState& ts, std::string_view data, Value payload);
  Status SaveBytearray(ThreadState& ts, Value v);
  Status SaveBytearrayData(ThreadState& ts, std::string_view data, Value payload);
  Status SavePickleBuffer(ThreadState& ts, Value v);
  Status SaveTuple(ThreadState& ts, TupleObject* t);
  Status SaveList(ThreadState& ts, ListObject* list);
  Status SaveDict(ThreadState& ts, Value v);
  // The items of the __dict__ of a plain instance, which need not exist.
  Status SaveInstanceDict(ThreadState& ts, Object* o);
  Status SaveSet(ThreadState& ts, SetObject* set);
  Status SaveFrozenset(ThreadState& ts, SetObject* set);
  Status SaveItems(ThreadState& ts, Value iterator);
  Status SavePairs(ThreadState& ts, Value iterator);
  Status SaveDictItems(ThreadState& ts, DictObject* d);
  Status SaveType(ThreadState& ts, Value v);

  // pickler_global.cpp. `name` null: the object's own.
  Status SaveGlobal(ThreadState& ts, Value v, StrObject* name);
  Status SaveGlobalText(ThreadState& ts, Value v, Value module_name, Value name, ListObject* path);
  Status SaveGlobalLine(ThreadState& ts, Value v, StrObject* module, StrObject* name);
  Result<bool> SaveExtension(ThreadState& ts, Value v, Value module_name, Value name);

  // pickler_reduce.cpp. `object` null: nobody will refer to the result.
  Status SaveByReducing(ThreadState& ts, Value v);
  Status SaveReduced(ThreadState& ts, Value reduced, Value object);
  Status SaveReduceTuple(ThreadState& ts, TupleObject* parts, Value object);
  Status SaveNewObj(ThreadState& ts, TupleObject* args, Value object);
  Status SaveNewObjEx(ThreadState& ts, TupleObject* args);
  Status SaveState(ThreadState& ts, Value state, Value setter, Value object);
  // An instance of a class of which nothing but __dict__ counts.
  bool IsPlainInstance(ThreadState& ts, Value v);
  Status SavePlainInstance(ThreadState& ts, Value v);
  Result<> ReducerFor(ThreadState& ts, TypeObject* type);

  Status MemoPut(ThreadState& ts, Value v) { return MemoPut(ts, KeyOf(v), v); }
  Status MemoPut(ThreadState& ts, MemoKey key, Value v);
  Status MemoGet(ThreadState& ts, int64_t number);
  // After a container whose contents led back to it: drop what was stacked, fetch it.
  Status PopToMemo(ThreadState& ts, size_t stacked, int64_t number);

  int fast_nesting_ = 0;
  Ref<> fast_seen_;                 // list of the objects under way, deep in fast mode
  Ref<DictObject> extensions;       // copyreg._extension_registry, when first needed
  Ref<DictObject> global_dispatch;  // copyreg.dispatch_table, when first needed
  Ref<> fast_path_type;             // the class that IsPlainInstance last said yes to
  uint32_t fast_path_version_ = 0;
  uint32_t fast_path_dispatch_ = 0;  // version of the dispatch table then
};

class PicklerObject : public Object {
 public:
  PicklerCore core;
  bool ready;  // __init__ has run
  template <class V>
  void VisitRefs(V&& v) {
    core.VisitRefs(v);
  }
};

}  // namespace minivm::pickle
