// pickle.Pickler, pickle.Unpickler, their memos, and pickle.PickleBuffer as scripts see them.
#include <new>

#include "runtime/native/native_function.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/memoryview_object.h"
#include "stdlib/pickle/pickler.h"
#include "stdlib/pickle/unpickler.h"

namespace minivm::pickle {

namespace {

// ---- what both share ----

template <class T>
Result<> NewMachine(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  T* o = made.as<T>();
  new (&o->core) decltype(o->core)();
  return made;
}

template <class T>
void DestroyMachine(Heap&, Object* o) {
  using Core = decltype(T::core);
  static_cast<T*>(o)->core.~Core();
}

// A memo handed to a script: its pickler or unpickler.
class MemoProxy : public Object {
 public:
  Object* owner = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(owner);
  }
};

Result<> NewProxy(ThreadState& ts, const TypeSpec& spec, Value owner) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<MemoProxy>()->owner = Ref<>::Borrow(owner).Release().object();
  return made;
}

Result<bool> IsOf(ThreadState& ts, Value v, const TypeSpec& spec) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  return IsInstance(ts, v, type);
}

// The method `name` of `self` unless it is the one this module defines; empty then.
Result<> OwnMethod(ThreadState& ts, Value self, std::string_view name, NativeFn builtin) {
  MVM_TRY(Ref<> method, GetAttrOptional(ts, self, name));
  if (method.is_absent()) return method;
  if (IsExact(method, TypeId::kNativeFunction) &&
      method.as<NativeFunctionObject>()->fn == builtin) {
    return Result<>::Steal(Value::Absent());
  }
  return method;
}

Status SetOwnMethod(ThreadState& ts, Value self, std::string_view name, NativeFn builtin,
                    Ref<>* out) {
  MVM_TRY(*out, OwnMethod(ts, self, name, builtin));
  if (out->is_absent()) *out = Ref<>();
  return Ok();
}

// (dict, (copy,)): what a proxy is pickled as.
Result<> ReduceToDict(ThreadState& ts, Value contents) {
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {&contents, 1}));
  return Pair(ts, TypeById(ts, TypeId::kDict), args);
}

// ---- Pickler ----

PicklerObject* ThePickler(Value v) { return v.as<PicklerObject>(); }

Result<> pickler_init(ThreadState& ts, Args args) {
  PicklerObject* p = args.self<PicklerObject>();
  p->ready = false;
  MVM_TRY_VOID(p->core.Configure(ts, args[2], args[3], args[4]));
  MVM_TRY(Ref<> write, GetAttrOptional(ts, args[1], MVM_NAME(ts, write)));
  if (write.is_absent()) {
    return Raise(ts, Exc::kTypeError, "file must have a 'write' attribute");
  }
  p->core.out.write = std::move(write);
  p->core.memo.Clear(ts.heap());
  p->core.fast = 0;
  p->core.dispatch_table = Ref<>();
  MVM_TRY(Ref<> table, GetAttrOptional(ts, args[0], "dispatch_table"));
  if (!table.is_absent()) p->core.dispatch_table = std::move(table);
  p->ready = true;
  return None(ts);
}

Result<> pickler_persistent_id(ThreadState& ts, Args) { return None(ts); }

Result<> pickler_dump(ThreadState& ts, Args args) {
  PicklerObject* p = args.self<PicklerObject>();
  if (!p->ready) {
    return RaisePickling(ts, "Pickler.__init__() was not called by %N.__init__()",
                         TypeOf(ts, args[0]));
  }
  MVM_TRY_VOID(
      SetOwnMethod(ts, args[0], "persistent_id", pickler_persistent_id, &p->core.persistent_id));
  MVM_TRY_VOID(SetOwnMethod(ts, args[0], "reducer_override", nullptr, &p->core.reducer_override));
  Status status = p->core.Dump(ts, args[1]);
  p->core.out.Clear();
  p->core.persistent_id = p->core.reducer_override = Ref<>();
  if (status.raised()) return kRaised;
  return None(ts);
}

Result<> pickler_clear_memo(ThreadState& ts, Args args) {
  args.self<PicklerObject>()->core.memo.Clear(ts.heap());
  return None(ts);
}

Result<> pickler_sizeof(ThreadState& ts, Args args) {
  const PicklerObject* p = args.self<PicklerObject>();
  return NewInt(
      ts, static_cast<int64_t>(sizeof(PicklerObject) + p->core.memo.bytes() + p->core.out.bytes()));
}

Result<> pickler_get_bin(ThreadState&, Value self) { return Small(ThePickler(self)->core.binary); }
Result<> pickler_get_fast(ThreadState&, Value self) { return Small(ThePickler(self)->core.fast); }

Result<int64_t> FlagArgument(ThreadState& ts, Value v) {
  if (!v) return Raise(ts, Exc::kTypeError, "can't delete numeric/char attribute");
  return AsInt64(ts, v);
}
Status pickler_set_bin(ThreadState& ts, Value self, Value v) {
  MVM_TRY(int64_t flag, FlagArgument(ts, v));
  ThePickler(self)->core.binary = flag != 0;
  return Ok();
}
Status pickler_set_fast(ThreadState& ts, Value self, Value v) {
  MVM_TRY(int64_t flag, FlagArgument(ts, v));
  ThePickler(self)->core.fast = static_cast<int>(flag);
  return Ok();
}

Result<> pickler_get_dispatch_table(ThreadState& ts, Value self) {
  if (Ref<> table = ThePickler(self)->core.dispatch_table) return table;
  return Raise(ts, Exc::kAttributeError, "'%T' object has no attribute 'dispatch_table'", self);
}
Status pickler_set_dispatch_table(ThreadState& ts, Value self, Value v) {
  if (!v && !ThePickler(self)->core.dispatch_table) {
    return Raise(ts, Exc::kAttributeError, "dispatch_table");
  }
  ThePickler(self)->core.dispatch_table = v ? Ref<>::Borrow(v) : Ref<>();
  return Ok();
}

Result<> pickler_get_memo(ThreadState& ts, Value self) {
  return NewProxy(ts, kPicklerMemoType, self);
}

Status pickler_set_memo(ThreadState& ts, Value self, Value v) {
  if (!v) return Raise(ts, Exc::kTypeError, "attribute deletion is not supported");
  Memo fresh;
  MVM_TRY(bool is_proxy, IsOf(ts, v, kPicklerMemoType));
  if (is_proxy) {
    const Memo& from = static_cast<PicklerObject*>(v.as<MemoProxy>()->owner)->core.memo;
    for (size_t i = 0; i < from.size(); ++i) {
      const MemoEntry& e = from.entry(i);
      MVM_TRY_VOID(fresh.Add(ts, e.key, e.object, e.number));
    }
  } else if (IsDict(ts, v)) {
    size_t pos = 0;
    Value key, value;
    while (DictNext(ts, v.as<DictObject>(), &pos, &key, &value)) {
      TupleObject* pair = IsTuple(ts, value) ? value.as<TupleObject>() : nullptr;
      if (!pair || pair->size() != 2) {
        return Raise(ts, Exc::kTypeError, "'memo' values must be 2-item tuples");
      }
      if (!(*pair)[0].is_int()) {
        return Raise(ts, Exc::kTypeError, "an integer is required");
      }
      if (fresh.Find(KeyOf((*pair)[1])) >= 0) continue;
      MVM_TRY_VOID(fresh.Add(ts, KeyOf((*pair)[1]), (*pair)[1], (*pair)[0].as_int()));
    }
  } else {
    return Raise(ts, Exc::kTypeError,
                 "'memo' attribute must be a PicklerMemoProxy object or dict, not %T", v);
  }
  ThePickler(self)->core.memo.Swap(fresh);
  return Ok();
}

// {id(object): (number, object)}
Result<DictObject> PicklerMemoDict(ThreadState& ts, Value proxy) {
  Memo& memo = static_cast<PicklerObject*>(proxy.as<MemoProxy>()->owner)->core.memo;
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  for (size_t i = 0; i < memo.size(); ++i) {
    Ref<> object = Ref<>::Borrow(memo.entry(i).object);
    const int64_t number = memo.entry(i).number;
    MemoKey key = memo.entry(i).key;
    if (key == KeyOfDictOf(object.object())) {
      MVM_TRY(object, InstanceDict(ts, object));
      key = KeyOf(object);
    }
    MVM_TRY(Ref<> id, NewIntU64(ts, key));
    MVM_TRY(Ref<TupleObject> pair, Pair(ts, Value::Int(number), object));
    MVM_TRY_VOID(DictSet(ts, d, id, pair));
  }
  return d;
}

Result<> pickler_memo_copy(ThreadState& ts, Args args) { return PicklerMemoDict(ts, args[0]); }
Result<> pickler_memo_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, PicklerMemoDict(ts, args[0]));
  return ReduceToDict(ts, d);
}
Result<> pickler_memo_clear(ThreadState& ts, Args args) {
  static_cast<PicklerObject*>(args.self<MemoProxy>()->owner)->core.memo.Clear(ts.heap());
  return None(ts);
}

void pickler_gc_clear(Object* o) {
  PicklerCore& core = static_cast<PicklerObject*>(o)->core;
  core.memo.Clear(*Heap::Of(o));
  core.VisitRefs(gc_internal::ClearAll{});
}

const MethodSpec kPicklerMethods[] = {
    {"__sizeof__(self, /)", pickler_sizeof, "How many bytes the object takes."},
    {"clear_memo(self, /)", pickler_clear_memo,
     "Forget what was written.\n\nObjects are written in full again when they are met."},
    {"dump(self, obj, /)", pickler_dump, "Write the pickle of an object to the file."},
    {"persistent_id(self, obj, /)", pickler_persistent_id},
};
const GetSetSpec kPicklerGetSets[] = {
    {"bin", pickler_get_bin, pickler_set_bin},
    {"dispatch_table", pickler_get_dispatch_table, pickler_set_dispatch_table},
    {"fast", pickler_get_fast, pickler_set_fast},
    {"memo", pickler_get_memo, pickler_set_memo},
};
const MethodSpec kPicklerMemoMethods[] = {
    {"__reduce__(self, /)", pickler_memo_reduce, "The copy of the memo, for pickling."},
    {"clear(self, /)", pickler_memo_clear, "Forget what is in the memo."},
    {"copy(self, /)", pickler_memo_copy, "What is in the memo, as a dict."},
};

// ---- Unpickler ----

UnpicklerObject* TheUnpickler(Value v) { return v.as<UnpicklerObject>(); }

Status CheckIdle(ThreadState& ts, UnpicklerObject* u) {
  if (!u->core.running) return Ok();
  return Raise(ts, Exc::kRuntimeError, "Unpickler is in use");
}

Result<> unpickler_init(ThreadState& ts, Args args) {
  UnpicklerObject* u = args.self<UnpicklerObject>();
  MVM_TRY_VOID(CheckIdle(ts, u));
  u->ready = false;
  MVM_TRY_VOID(u->core.input.SetFile(ts, args[1]));
  MVM_TRY_VOID(u->core.Configure(ts, args[2], args[3], args[4], args[5]));
  MVM_TRY_VOID(CheckIdle(ts, u));
  u->core.ClearMemo();
  u->core.protocol = 0;
  u->ready = true;
  return None(ts);
}

Result<> unpickler_find_class(ThreadState& ts, Args args) {
  return args.self<UnpicklerObject>()->core.FindClass(ts, args[1], args[2]);
}
Result<> unpickler_persistent_load(ThreadState& ts, Args) {
  return RaiseUnpickling(ts,
                         "A load persistent id instruction was encountered, but no "
                         "persistent_load function was specified.");
}

Result<> unpickler_load(ThreadState& ts, Args args) {
  UnpicklerObject* u = args.self<UnpicklerObject>();
  if (!u->ready) {
    return RaiseUnpickling(ts, "Unpickler.__init__() was not called by %N.__init__()",
                           TypeOf(ts, args[0]));
  }
  MVM_TRY_VOID(CheckIdle(ts, u));
  MVM_TRY_VOID(SetOwnMethod(ts, args[0], "find_class", unpickler_find_class, &u->core.find_class));
  MVM_TRY_VOID(SetOwnMethod(ts, args[0], "persistent_load", unpickler_persistent_load,
                            &u->core.persistent_load));
  Result<> result = u->core.Load(ts);
  u->core.find_class = u->core.persistent_load = Ref<>();
  return result;
}

Result<> unpickler_sizeof(ThreadState& ts, Args args) {
  const UnpicklerObject* u = args.self<UnpicklerObject>();
  return NewInt(ts, static_cast<int64_t>(sizeof(UnpicklerObject) + u->core.memo_bytes()));
}

Result<> unpickler_get_memo(ThreadState& ts, Value self) {
  return NewProxy(ts, kUnpicklerMemoType, self);
}

Status unpickler_set_memo(ThreadState& ts, Value self, Value v) {
  if (!v) return Raise(ts, Exc::kTypeError, "attribute deletion is not supported");
  MVM_TRY_VOID(CheckIdle(ts, TheUnpickler(self)));
  MVM_TRY(bool is_proxy, IsOf(ts, v, kUnpicklerMemoType));
  Ref<DictObject> d;
  if (is_proxy) {
    MVM_TRY(d, static_cast<UnpicklerObject*>(v.as<MemoProxy>()->owner)->core.MemoDict(ts));
  } else if (IsDict(ts, v)) {
    d = Ref<DictObject>::Borrow(v.as<DictObject>());
  } else {
    return Raise(ts, Exc::kTypeError,
                 "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %T", v);
  }
  return TheUnpickler(self)->core.SetMemo(ts, d);
}

UnpicklerCore& CoreOf(Value proxy) {
  return static_cast<UnpicklerObject*>(proxy.as<MemoProxy>()->owner)->core;
}
Result<> unpickler_memo_copy(ThreadState& ts, Args args) { return CoreOf(args[0]).MemoDict(ts); }
Result<> unpickler_memo_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> d, CoreOf(args[0]).MemoDict(ts));
  return ReduceToDict(ts, d);
}
Result<> unpickler_memo_clear(ThreadState& ts, Args args) {
  CoreOf(args[0]).ClearMemo();
  return None(ts);
}

void unpickler_gc_clear(Object* o) {
  UnpicklerCore& core = static_cast<UnpicklerObject*>(o)->core;
  core.ClearMemo();
  core.VisitRefs(gc_internal::ClearAll{});
}

const MethodSpec kUnpicklerMethods[] = {
    {"__sizeof__(self, /)", unpickler_sizeof, "How many bytes the object takes."},
    {"find_class(self, module_name, global_name, /)", unpickler_find_class,
     "What a name stands for in a module, which is imported if need be.\n\nSubclasses that "
     "override this decide what a pickle can reach."},
    {"load(self, /)", unpickler_load, "The object that is made from the next pickle in the file."},
    {"persistent_load(self, pid, /)", unpickler_persistent_load},
};
const GetSetSpec kUnpicklerGetSets[] = {{"memo", unpickler_get_memo, unpickler_set_memo}};
const MethodSpec kUnpicklerMemoMethods[] = {
    {"__reduce__(self, /)", unpickler_memo_reduce, "The copy of the memo, for pickling."},
    {"clear(self, /)", unpickler_memo_clear, "Forget what is in the memo."},
    {"copy(self, /)", unpickler_memo_copy, "What is in the memo, as a dict."},
};

// ---- PickleBuffer ----

constexpr const char* kReleased = "operation forbidden on released PickleBuffer object";

Result<> buffer_new(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPickleBufferType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  PickleBufferObject* b = made.as<PickleBufferObject>();
  new (&b->view) BufferView();
  MVM_TRY_VOID(GetBuffer(ts, args[1], &b->view));
  return made;
}

Status buffer_get_buffer(ThreadState& ts, Value self, BufferView* out, bool writable) {
  PickleBufferObject* b = self.as<PickleBufferObject>();
  if (!b->view.object) return Raise(ts, Exc::kValueError, "%s", kReleased);
  return GetBuffer(ts, Ref<>(b->view.object), out, writable);
}

Result<> buffer_raw(ThreadState& ts, Args args) {
  PickleBufferObject* b = args.self<PickleBufferObject>();
  if (!b->view.object) return Raise(ts, Exc::kValueError, "%s", kReleased);
  if (!b->view.c_contiguous() && !b->view.f_contiguous()) {
    return Raise(ts, Exc::kBufferError, "cannot extract raw buffer from non-contiguous buffer");
  }
  if (!b->view.c_contiguous()) {
    return NewMemoryviewOn(ts, args[0], b->view.data, b->view.size, b->view.readonly);
  }
  // A view of the exporter itself, as bytes.
  MVM_TRY(Ref<MemoryviewObject> view, NewMemoryview(ts, args[0]));
  if (view->ndim == 1 && view->item_size == 1 && view->format[0] == 'B') return view;
  MVM_TRY(Ref<StrObject> byte, StrFromChar(ts, 'B'));
  return CallMethod(ts, view, Ref<StrObject>(InternUtf8(ts, "cast")), byte);
}

Result<> buffer_release(ThreadState& ts, Args args) {
  args.self<PickleBufferObject>()->view.Release();
  return None(ts);
}

void buffer_gc_clear(Object* o) { static_cast<PickleBufferObject*>(o)->view.Release(); }
void buffer_destroy(Heap&, Object* o) { static_cast<PickleBufferObject*>(o)->view.Release(); }

const MethodSpec kPickleBufferMethods[] = {
    {"raw(self, /)", buffer_raw,
     "The memory as a memoryview of bytes; BufferError if it is not in one piece."},
    {"release(self, /)", buffer_release,
     "Let go of the memory. Nothing can be done with the object afterwards."},
};

}  // namespace

bool IsPickleBuffer(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kPickleBufferType;
}

Status PickleBufferView(ThreadState& ts, PickleBufferObject* b, BufferView* out) {
  return buffer_get_buffer(ts, Value(b), out, false);
}

const TypeSpec kPicklerType = {
    .name = "_pickle.Pickler",
    .doc =
        "Writes pickles to a binary file, or to anything with a write() for bytes.\n\n"
        "protocol: 0 to 5, a negative number for the highest; 4 by default\n"
        "fix_imports: below protocol 3, write names as Python 2 knows them\n"
        "buffer_callback: called with each PickleBuffer (protocol 5); a true answer keeps its\n"
        "    bytes in the pickle, otherwise they travel apart",
    .flags = kTypeBase,
    .size = sizeof(PicklerObject),
    .gc = {gc_internal::VisitHook<PicklerObject>, pickler_gc_clear, DestroyMachine<PicklerObject>},
    .slots = {.new_ = NewMachine<PicklerObject>},
    .init = {"Pickler(self, /, file, protocol=None, fix_imports=True, buffer_callback=None)",
             pickler_init},
    .methods = kPicklerMethods,
    .getsets = kPicklerGetSets,
};

const TypeSpec kPicklerMemoType = {
    .name = "_pickle.PicklerMemoProxy",
    .flags = kTypeNoNew,
    .size = sizeof(MemoProxy),
    .gc = GcHooksOf<MemoProxy>(),
    .methods = kPicklerMemoMethods,
};

const TypeSpec kUnpicklerType = {
    .name = "_pickle.Unpickler",
    .doc =
        "Makes objects from the pickles in a binary file, or in anything with read() and\n"
        "readline() for bytes. Which protocol they are in is seen from them.\n\n"
        "fix_imports: understand names as Python 2 has written them\n"
        "encoding, errors: how to decode strings of Python 2; encoding 'bytes' leaves them alone\n"
        "buffers: what the writer's buffer_callback was called with, in the same order",
    .flags = kTypeBase,
    .size = sizeof(UnpicklerObject),
    .gc = {gc_internal::VisitHook<UnpicklerObject>, unpickler_gc_clear,
           DestroyMachine<UnpicklerObject>},
    .slots = {.new_ = NewMachine<UnpicklerObject>},
    .init = {"Unpickler(self, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', "
             "buffers=())",
             unpickler_init},
    .methods = kUnpicklerMethods,
    .getsets = kUnpicklerGetSets,
};

const TypeSpec kUnpicklerMemoType = {
    .name = "_pickle.UnpicklerMemoProxy",
    .flags = kTypeNoNew,
    .size = sizeof(MemoProxy),
    .gc = GcHooksOf<MemoProxy>(),
    .methods = kUnpicklerMemoMethods,
};

const TypeSpec kPickleBufferType = {
    .name = "pickle.PickleBuffer",
    .doc = "Memory of an object, for pickle protocol 5 to hand over apart instead of copying it.",
    .flags = kTypeWeakrefs,
    .size = sizeof(PickleBufferObject),
    .gc = {gc_internal::VisitHook<PickleBufferObject>, buffer_gc_clear, buffer_destroy},
    .slots = {.buffer = buffer_get_buffer},
    .construct = {"PickleBuffer(object, /)", buffer_new},
    .methods = kPickleBufferMethods,
};

}  // namespace minivm::pickle
