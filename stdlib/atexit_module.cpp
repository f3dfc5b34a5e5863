// The module atexit: functions to be called when the VM ends, last registered first.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// The registered (function, args, kwargs) triples, in registration order.
Result<ListObject> Callbacks(ThreadState& ts) {
  Object*& list = ts.rt->module_states[static_cast<size_t>(ModuleState::kAtExit)];
  if (list == nullptr) {
    MVM_TRY(Ref<ListObject> made, NewListReserve(ts, 0));
    list = made.Release();
  }
  return Ref<ListObject>::Borrow(static_cast<ListObject*>(list));
}

Result<> atexit_register(ThreadState& ts, Args args) {
  // register(func, /, *args, **kwargs)
  if (!IsCallable(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "the first argument must be callable");
  MVM_TRY(Ref<ListObject> list, Callbacks(ts));
  Value row[] = {args[0], args[1], args.has(2) ? args[2] : Value(ts.rt->none)};
  MVM_TRY(Ref<TupleObject> entry, NewTuple(ts, row));
  MVM_TRY_VOID(ListAppend(ts, list, Value(entry.get())));
  return Result<>::Borrow(args[0]);
}

Result<> atexit_unregister(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, Callbacks(ts));
  for (uint64_t i = list->size; i > 0; --i) {
    if (i > list->size) continue;  // a comparison removed some
    Ref<> entry = Ref<>::Borrow(list->items[i - 1]);
    MVM_TRY(bool same, EqualValues(ts, entry.as<TupleObject>()->items()[0], args[0]));
    if (same && i <= list->size && list->items[i - 1].is(entry)) {
      MVM_TRY_VOID(
          SetItem(ts, Value(list.get()), Value::Int(static_cast<int64_t>(i - 1)), Value()));
    }
  }
  return None(ts);
}

Result<> atexit_clear(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, Callbacks(ts));
  ListClear(ts, list);
  return None(ts);
}

Result<> atexit_ncallbacks(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, Callbacks(ts));
  return Small(static_cast<int64_t>(list->size));
}

void ReportFailure(ThreadState& ts, Value callback) {
  Ref<> exception = TakePending(ts);
  Result<StrObject> text = Format(ts, "Exception ignored in atexit callback %R", callback);
  if (text.raised()) {
    ClearPending(ts);
    RestorePending(ts, std::move(exception));
    return WriteUnraisable(ts, callback);
  }
  Ref<StrObject> message = text.Take();
  RestorePending(ts, std::move(exception));
  WriteUnraisable(ts, Value(), ToUtf8(message).c_str());
}

// What fails is reported and does not keep the others from running. What is registered meanwhile is
// not called; what has been called is forgotten at once, and dropped when all is done.
Result<> atexit_run_exitfuncs(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, Callbacks(ts));
  MVM_TRY(Ref<ListObject> called, NewListReserve(ts, list->size));
  for (size_t i = list->size; i-- > 0;) {
    if (i >= list->size) continue;  // some were unregistered
    Ref<> entry = Ref<>::Borrow(list->items[i]);
    MVM_TRY_VOID(ListAppend(ts, called, entry));
    MVM_TRY_VOID(SetItem(ts, Value(list.get()), Value::Int(static_cast<int64_t>(i)), Value()));
    TupleObject* row = entry.as<TupleObject>();
    Value kwargs = row->items()[2];
    Result<> r = CallWith(ts, row->items()[0], row->items()[1].as<TupleObject>(),
                          IsNone(ts, kwargs) ? nullptr : kwargs.as<DictObject>());
    if (r.raised()) {
      ReportFailure(ts, row->items()[0]);
    } else {
      Ref<> dropped = r.Take();
    }
  }
  ListClear(ts, list);
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"_clear()", atexit_clear, "Forget every registered call."},
    {"_ncallbacks()", atexit_ncallbacks, "How many calls are registered."},
    {"_run_exitfuncs()", atexit_run_exitfuncs,
     "Make the registered calls now, the last registered first, and forget them."},
    {"register(func, /, *args, **kwargs)", atexit_register,
     "Have func(*args, **kwargs) called when the interpreter ends, the last registered first. "
     "Returns func."},
    {"unregister(func, /)", atexit_unregister,
     "Forget every registration of func; none is no error."},
};

}  // namespace

extern const ModuleSpec k_atexit_module;
const ModuleSpec k_atexit_module = {
    .name = "atexit",
    .doc = "Calls to be made when the interpreter ends.",
    .functions = kFunctions,
};

}  // namespace minivm
